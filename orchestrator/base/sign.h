/* Ed25519 signatures of manifests and plans (OpenSSL). Keys are PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` makes them.
 * Errors: ERR_INPUT (not such a key), ERR_TRUST (the signature does not match).
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include <stddef.h>

struct err *sign_make_key(struct secret **private_pem) REHOST_MUST_CHECK;
/* The signature in base64. */
struct err *sign_bytes(struct arena *arena, const struct secret *private_pem, const void *data, size_t length,
                       char **signature) REHOST_MUST_CHECK;
struct err *sign_verify(const struct secret *private_pem, const void *data, size_t length,
                        const char *signature) REHOST_MUST_CHECK;
