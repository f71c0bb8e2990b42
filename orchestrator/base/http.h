/* HTTP through libcurl, one exchange a call, over a small pool of handles.
 *
 * A pool belongs to one provider account or one object store: it keeps connections and the CA bundle warm (a handle per host costs
 * about 1 MB and 40-50 ms of CPU). Calls are driven non-blocking (curl_multi) beneath ctx_wait().
 * The log names method, path template, status and time, never headers, query or bodies.
 *
 * Errors of http_send() tell whether the request can have taken effect:
 *   ERR_TRANSIENT        it cannot have been sent (resolve, connect, TLS handshake failed)
 *   ERR_UNKNOWN_OUTCOME  it was sent, at least in part, and no complete answer came; for methods other than GET and HEAD also when the
 *                        context ended, or the answer was too large, after that point
 *   ERR_TRUST            the certificate is not valid for the host
 *   ERR_CANCELLED, ERR_TIMEOUT (before anything was sent, or GET and HEAD), ERR_INPUT (answer to GET and HEAD larger than
 *                        max_response_bytes; a URL, header value or CA file that cannot be used)
 * GET and HEAD reuse connections. Every other method opens a new one, so that nothing beneath sends it twice. Redirects are answers.
 * Any complete answer, whatever its status, is success here: adapters classify it.
 *
 * Threads: a pool may be used from many threads; a response belongs to the arena it was made in.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include <stddef.h>

struct http_pool;

struct http_pool_options {
    size_t max_handles;     /* 0: 4 */
    const char *ca_file;    /* additional CA bundle (PEM); NULL: the system's */
    const char *user_agent; /* NULL: "rehost/VERSION" */
};

struct err *http_pool_open(const struct http_pool_options *options, struct http_pool **pool) REHOST_MUST_CHECK;
void http_pool_close(struct http_pool *pool);

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const char *method;        /* "GET" */
    const char *url;           /* absolute */
    const char *path_template; /* for the log: "/servers/{id}" */
    const struct secret *bearer_token; /* NULL: none */
    const struct http_header *headers;
    size_t header_count;
    const void *body; /* NULL: none */
    size_t body_length;
    int64_t timeout_ms;        /* 0: 60 s */
    size_t max_response_bytes; /* 0: 8 MiB */
    const char *connect_to;    /* connect to this address whatever the URL's host says (Host and SNI stay); NULL: resolve */
    const char *ca_file;       /* for this request alone; NULL: the pool's */
};

struct http_response {
    int status;
    const char *body; /* NUL-terminated */
    size_t body_length;
    const struct http_header *headers; /* names in lower case */
    size_t header_count;
    int64_t elapsed_ms;
};

struct err *http_send(const struct ctx *ctx, struct http_pool *pool, struct arena *arena,
                      const struct http_request *request, struct http_response *response) REHOST_MUST_CHECK;
const char *http_response_header(const struct http_response *response, const char *lower_case_name); /* or NULL */
/* Once in main, before any thread. Also makes the process ignore SIGPIPE. */
struct err *http_global_init(void) REHOST_MUST_CHECK;
