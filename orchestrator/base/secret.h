/* Secrets: values that cannot be printed.
 *
 * A secret is opaque and has no formatter; secret_bytes() is the only door. Every secret is registered with the scrubber
 * (scrub.h), lives in memory that is kept out of core dumps, and is cleansed when freed.
 * Threads: a secret is immutable after creation. Ownership: the creator frees it.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include <stddef.h>

#define SECRET_MAX_BYTES (64u << 10)

struct secret;

struct err *secret_new(const void *bytes, size_t length, struct secret **secret) REHOST_MUST_CHECK;
/* Reads a file of at most SECRET_MAX_BYTES; one trailing newline is dropped. ERR_INPUT when it is empty or
 * others may read it (mode & 077). */
struct err *secret_read_file(const char *path, struct secret **secret) REHOST_MUST_CHECK;
const unsigned char *secret_bytes(const struct secret *secret, size_t *length); /* length may be NULL; NUL-terminated */
const char *secret_text(const struct secret *secret);
void secret_free(struct secret *secret);
/* Ties the secret's life to the arena and returns it. */
struct secret *secret_keep(struct arena *arena, struct secret *secret);
static inline void secret_freep(struct secret **secret)
{
    secret_free(*secret);
}
#define CLEANUP_SECRET __attribute__((cleanup(secret_freep)))
