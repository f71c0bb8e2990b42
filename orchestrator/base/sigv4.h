/* AWS Signature Version 4 by query (presigned URLs), on OpenSSL HMAC. Own code because libcurl's AWS_SIGV4 fails on unsorted and
 * valueless queries before 8.9 (curl issues 7559, 8107, 8810, 9717).
 * A presigned URL is a credential: callers register it with the scrubber when they keep it.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/http.h"
#include "base/secret.h"

struct sigv4_key {
    const struct secret *access_key;
    const struct secret *secret_key;
    const char *region;
};

struct sigv4_param {
    const char *name;
    const char *value; /* "" for a valueless parameter such as ?uploads */
};

/* `endpoint` is "https://host[:port]"; `path` is raw ("/bucket/some key"), encoded here; `headers` are signed and must be sent. */
char *sigv4_presign(struct arena *arena, const struct sigv4_key *key, const char *method, const char *endpoint,
                    const char *path, const struct sigv4_param *params, size_t param_count,
                    const struct http_header *headers, size_t header_count, int64_t now_ms, int expires_seconds);
