/* age v1 files with X25519 recipients (https://github.com/C2SP/C2SP/blob/main/age.md), on OpenSSL.
 *
 * Encrypts and decrypts small things in memory (sealed host keys, manifests, bundles), and re-wraps headers of large files: the orchestrator opens
 * a header with its identity and wraps the file key for a one-time identity, so that a host can open one file and nothing else.
 *
 * Errors: ERR_INPUT (not an age file, bad recipient), ERR_TRUST (no identity matches, or authentication failed).
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/strbuf.h"

#define AGE_MAX_HEADER_BYTES 65536

/* "AGE-SECRET-KEY-1..." and its "age1..." */
struct err *age_make_identity(struct arena *arena, struct secret **identity, char **recipient) REHOST_MUST_CHECK;
/* The recipient of the first identity in the text of an identity file (comments allowed). */
struct err *age_recipient(struct arena *arena, const struct secret *identity, char **recipient) REHOST_MUST_CHECK;
struct err *age_check_recipient(const char *recipient) REHOST_MUST_CHECK;
struct err *age_encrypt(const char *const *recipients, size_t recipient_count, const void *plain, size_t length,
                        struct strbuf *out) REHOST_MUST_CHECK;
struct err *age_decrypt(const struct secret *identity, const void *data, size_t length, struct strbuf *plain) REHOST_MUST_CHECK;
/* `start` is the beginning of an age file. *header_length is what to cut off the old file; `header` receives the new one, for
 * `recipient` alone. ERR_INPUT when `length` bytes do not hold the whole header. */
struct err *age_rewrap_header(const struct secret *identity, const void *start, size_t length, const char *recipient,
                              struct strbuf *header, size_t *header_length) REHOST_MUST_CHECK;
