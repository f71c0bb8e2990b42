/* What all JSON clouds share: one authenticated exchange, classified; lists over all pages; operations to
 * poll.
 *
 * An adapter describes its provider's dialect as data (struct rest_dialect) and calls these functions.
 * Nothing here retries or logs, and the only wait is the one that keeps within the rate limit (pace.h).
 *
 * Errors: the first rule that fits decides the kind, the dialect's own before the common ones (401 auth, 404
 * not found, 409 and 423 conflict, 429 rate limit, other 4xx rejected, 408 and 5xx transient). Two
 * corrections then keep them honest:
 *   - for a call that changes something (any method but GET), 408 and 5xx become ERR_UNKNOWN_OUTCOME, and so
 *     does a success whose body cannot be read: the request may have taken effect;
 *   - for a GET, an unknown outcome becomes ERR_TRANSIENT: it changes nothing.
 * Messages name provider, account, method, path template, status, the provider's code and words, and its
 * request id.
 *
 * Memory: answers live in the arena passed in. Threads: a handle may be used from many threads.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/http.h"
#include "base/secret.h"
#include "providers/account.h"
#include "providers/rest/pace.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rest; /* an open account */

/* One line of a classification table. */
struct rest_rule {
    int status;       /* 0: any, also that of a failed operation; 4 and 5: all 4xx, all 5xx */
    const char *code; /* the provider's error code; NULL: any */
    const char *text; /* part of the provider's message, whatever its case; NULL: any */
    enum err_kind kind;
    const char *hint; /* NULL: none */
};

enum rest_paging {
    REST_NEXT_IS_GIVEN,     /* the next page's number or cursor; null or "" on the last page */
    REST_NEXT_IS_LINK,      /* a link, absent on the last page: the number is counted here */
    REST_PAGES_ARE_COUNTED, /* the number of all pages: likewise */
};

struct rest_dialect {
    const char *provider;          /* for messages: "hetzner" */
    const char *endpoint;          /* the provider's own, without a slash at the end */
    const char *request_id_header; /* in lower case; NULL: none */
    const char *scopes_header;     /* what the token may do; in lower case; NULL: none */

    /* Where an error body keeps what (paths as in base/decode.h); NULL: nowhere. */
    const char *error_code;
    const char *error_message;
    const char *error_detail; /* any JSON, shown as it is */
    const struct rest_rule *rules;
    size_t rule_count;

    /* Lists: the query parameters, and how a page tells of the next one. */
    const char *page_parameter;
    const char *page_size_parameter;
    int page_size;
    enum rest_paging paging;
    const char *next_page; /* where it stands */

    /* Of the rate limit: ratelimit-reset is when the first request is free again; else, when all are. */
    bool reset_is_first;

    const struct rest_limit *limits; /* as the provider publishes them */
    size_t limit_count;

    /* Operations, when the provider has them: a list by id whose items have id, status and error{code,
     * message}. */
    const char *op_list;    /* "/actions" */
    const char *op_items;   /* "actions" */
    const char *op_running; /* the status words */
    const char *op_success;
};

struct err *rest_open(const struct rest_dialect *dialect, const struct account_options *account,
                      struct rest **rest) REHOST_MUST_CHECK;
void rest_close(struct rest *rest); /* NULL is allowed */
/* Zeroed, and freed by rest_close(): for the driver's own handle. */
void *rest_alloc(struct rest *rest, size_t size) REHOST_NEVER_NULL;

struct rest_call {
    const char *method;
    const char *path;          /* after the endpoint, encoded, with its query */
    const char *path_template; /* for messages and the log: "/servers/{id}" */
    const json_t *body;        /* NULL: none */
    struct http_header header; /* one more; without a name: none */
    bool is_list;              /* counts as a page of a list for the rate limit */
};

struct rest_answer {
    int status;
    json_t *body;           /* owned by the arena, which wipes it: it may hold passwords; NULL when empty */
    const char *scopes;     /* of the dialect's scopes_header; NULL: not told */
    int64_t rate_remaining; /* -1: not told */
};

struct err *rest_send(const struct ctx *ctx, struct rest *rest, struct arena *arena,
                      const struct rest_call *call, struct rest_answer *answer) REHOST_MUST_CHECK;
struct rest_listing {
    const char *path;          /* encoded */
    const char *path_template; /* for messages and the log; NULL: the path, which then holds no id */
    const char *query;         /* encoded, without '?'; NULL: none */
    const char *items;         /* where a page has its items */
    struct http_header header; /* one more; without a name: none */
};
/* All pages of a list (at most REST_MAX_PAGES): *items is an array owned by the arena. */
#define REST_MAX_PAGES 200
struct err *rest_list(const struct ctx *ctx, struct rest *rest, struct arena *arena,
                      const struct rest_listing *listing, json_t **items) REHOST_MUST_CHECK;
/* Looks once at the operations in `op` (from rest_op_join). *done: all have succeeded. The first that failed
 * is an error of its own kind, ERR_UNKNOWN_OUTCOME when no rule knows it, and so is one that the provider
 * does not list. */
struct err *rest_op_poll(const struct ctx *ctx, struct rest *rest, struct arena *arena, const char *op,
                         bool *done) REHOST_MUST_CHECK;
/* "12,13": adds the id at `path` of `json` to *op (NULL: none yet); nothing when there is none. */
struct err *rest_op_join(struct arena *arena, const json_t *json, const char *path,
                         const char **op) REHOST_MUST_CHECK;

/* Turns the error of reading a successful answer into what it means for `call`, see above. NULL in, NULL out.
 */
struct err *rest_answer_unreadable(const struct rest_call *call, struct err *cause) REHOST_MUST_CHECK;
/* An error of the kind that the rules give for `code` and `message`, where there is no HTTP status: a failed
 * operation. */
struct err *rest_op_failed(const struct rest *rest, const char *what, const char *code,
                           const char *message) REHOST_MUST_CHECK;

/* Helpers for building and reading. */
void rest_wipe(json_t *json); /* overwrites all its texts: those of a create hold passwords and keys */
const char *rest_encode(struct arena *arena, const char *text); /* percent-encoded, '/' too */
const char *rest_id(struct arena *arena, const json_t *json,
                    const char *path); /* a number or text, as text; NULL */
