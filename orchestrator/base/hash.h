/* Digests and the encodings that go with them. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SHA256_SIZE 32
#define HASH_SHA256_HEX_SIZE 65

void hash_sha256(const void *data, size_t length, uint8_t digest[HASH_SHA256_SIZE]);
/* Lower-case hex with NUL into `hex` of HASH_SHA256_HEX_SIZE; returns hex. */
const char *hash_sha256_hex(const void *data, size_t length, char *hex);
void hash_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, uint8_t mac[HASH_SHA256_SIZE]);
/* Proves nothing: only for names that others make with it. False where the system forbids MD5 (FIPS mode). */
#define HASH_MD5_SIZE 16
bool hash_md5(const void *data, size_t length, uint8_t digest[HASH_MD5_SIZE]);
char *hash_hex(struct arena *arena, const void *data, size_t length);
char *hash_base64(struct arena *arena, const void *data, size_t length);
/* ERR_INPUT when `text` is not strict base64 (padding required). */
struct err *hash_base64_decode(struct arena *arena, const char *text, uint8_t **data, size_t *length) REHOST_MUST_CHECK;
void hash_random(void *data, size_t length); /* aborts when the system has no randomness */
/* `length` characters of [a-z0-9], for run ids and nonces. */
char *hash_random_id(struct arena *arena, size_t length);
