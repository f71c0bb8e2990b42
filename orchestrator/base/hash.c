#include "base/hash.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BASE64_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "rehost: internal error: %s\n", what);
    abort();
}

void hash_sha256(const void *data, size_t length, uint8_t digest[HASH_SHA256_SIZE])
{
    if (EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL) != 1)
        die("SHA-256 is not available");
}

static void write_hex(const uint8_t *data, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        *hex++ = digits[data[i] >> 4];
        *hex++ = digits[data[i] & 15];
    }
    *hex = '\0';
}

const char *hash_sha256_hex(const void *data, size_t length, char *hex)
{
    uint8_t digest[HASH_SHA256_SIZE];
    hash_sha256(data, length, digest);
    write_hex(digest, sizeof(digest), hex);
    return hex;
}

void hash_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                      uint8_t mac[HASH_SHA256_SIZE])
{
    if (key_length > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_length, data, length, mac, NULL))
        die("HMAC-SHA-256 is not available");
}

bool hash_md5(const void *data, size_t length, uint8_t digest[HASH_MD5_SIZE])
{
    size_t digest_length = HASH_MD5_SIZE;
    return EVP_Q_digest(NULL, "MD5", NULL, data, length, digest, &digest_length) == 1;
}

char *hash_hex(struct arena *arena, const void *data, size_t length)
{
    char *hex = arena_array(arena, length + 1, 2);
    write_hex(data, length, hex);
    return hex;
}

char *hash_base64(struct arena *arena, const void *data, size_t length)
{
    if (length > INT_MAX / 2)
        die("a text is too large for base64");
    unsigned char *text = arena_alloc(arena, (length + 2) / 3 * 4 + 1);
    (void)EVP_EncodeBlock(text, data, (int)length);
    return (char *)text;
}

/* EVP_DecodeBlock() forgives white space at both ends, so the shape is checked here. */
static bool is_base64_shaped(const char *text, size_t length, size_t *padding)
{
    size_t coded = strspn(text, BASE64_ALPHABET);
    *padding = length - coded;
    return length % 4 == 0 && length <= INT_MAX / 2 && *padding <= 2 && strspn(text + coded, "=") == *padding;
}

struct err *hash_base64_decode(struct arena *arena, const char *text, uint8_t **data, size_t *length)
{
    size_t text_length = strlen(text), padding = 0;
    if (!is_base64_shaped(text, text_length, &padding))
        return err_new(ERR_INPUT, "a text is not base64");
    uint8_t *bytes = arena_alloc(arena, text_length / 4 * 3 + 1);
    int decoded = text_length ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)text_length) : 0;
    if (decoded < 0)
        return err_new(ERR_INPUT, "a text is not base64");
    *length = (size_t)decoded - padding;
    bytes[*length] = 0;
    if (padding) { /* the unused bits of the last character must be 0, else two texts mean the same bytes */
        unsigned char last[5];
        size_t tail = 3 - padding;
        (void)EVP_EncodeBlock(last, bytes + *length - tail, (int)tail);
        if (memcmp(last, text + text_length - 4, 4) != 0)
            return err_new(ERR_INPUT, "a text is not base64");
    }
    *data = bytes;
    return NULL;
}

void hash_random(void *data, size_t length)
{
    unsigned char *next = data;
    while (length) {
        ssize_t got = getrandom(next, length, 0);
        if (got < 0 && errno != EINTR)
            die("the system has no randomness");
        if (got > 0) {
            next += got;
            length -= (size_t)got;
        }
    }
}

char *hash_random_id(struct arena *arena, size_t length)
{
    static const char letters[36] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char *id = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length;) {
        uint8_t byte = 0;
        hash_random(&byte, 1);
        if (byte < 252) /* 7 * 36: the rest would favour the first letters */
            id[i++] = letters[byte % 36];
    }
    return id;
}
