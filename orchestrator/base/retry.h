/* The one retry loop. Drivers do one exchange and classify; this decides whether to try again.
 *
 * Retried: ERR_TRANSIENT, ERR_RATE_LIMIT (after what the server asked), ERR_CONFLICT when `retry_conflict`, and for calls that change
 * nothing (`idempotent`) also ERR_TIMEOUT and ERR_UNKNOWN_OUTCOME. Waits grow from base_ms with full jitter up to max_ms.
 */
#pragma once
#include "base/ctx.h"
#include "base/err.h"

struct retry_policy {
    int max_attempts;
    int64_t base_ms;
    int64_t max_ms;
    bool idempotent;
    bool retry_conflict;
};

extern const struct retry_policy retry_reads;  /* 6 attempts, 500 ms .. 15 s, idempotent */
extern const struct retry_policy retry_writes; /* 5 attempts, 1 s .. 30 s, never after an unknown outcome */

typedef struct err *retry_fn(const struct ctx *ctx, void *arg);
struct err *retry_run(const struct ctx *ctx, const struct retry_policy *policy, const char *what, retry_fn *fn,
                      void *arg) REHOST_MUST_CHECK;
