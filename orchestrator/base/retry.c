#include "base/retry.h"

#include "base/hash.h"
#include "base/log.h"

const struct retry_policy retry_reads = {
    .max_attempts = 6, .base_ms = 500, .max_ms = 15000, .idempotent = true};
const struct retry_policy retry_writes = {.max_attempts = 5, .base_ms = 1000, .max_ms = 30000};

static bool is_worth_retrying(const struct retry_policy *policy, const struct err *failure)
{
    switch (err_kind(failure)) {
    case ERR_TRANSIENT:
    case ERR_RATE_LIMIT:
        return true;
    case ERR_CONFLICT:
        return policy->retry_conflict;
    case ERR_TIMEOUT:
    case ERR_UNKNOWN_OUTCOME:
        return policy->idempotent;
    default:
        return false;
    }
}

/* Full jitter: between 0 and base * 2^(attempt - 1), so that clients that failed together do not come back
 * together. */
static int64_t jitter_ms(const struct retry_policy *policy, int attempt)
{
    int64_t limit = policy->base_ms;
    for (int i = 1; i < attempt && limit < policy->max_ms; i++)
        limit *= 2;
    if (limit > policy->max_ms)
        limit = policy->max_ms;
    uint64_t random = 0;
    hash_random(&random, sizeof(random));
    return limit > 0 ? (int64_t)(random % ((uint64_t)limit + 1)) : 0;
}

struct err *retry_run(const struct ctx *ctx, const struct retry_policy *policy, const char *what,
                      retry_fn *fn, void *arg)
{
    for (int attempt = 1;; attempt++) {
        TRY(ctx_check(ctx));
        struct err *failure = fn(ctx, arg);
        if (!failure || !is_worth_retrying(policy, failure))
            return failure;
        if (attempt >= policy->max_attempts)
            return err_wrap(failure, "gave up trying to %s after %d attempts", what, attempt);
        int64_t wait_ms = err_retry_after_ms(failure) + jitter_ms(policy, attempt);
        if (wait_ms >= ctx_remaining_ms(ctx)) /* the true cause tells more than "the time ran out" */
            return err_wrap(failure, "no time left for another attempt at %s", what);
        log_info("%s: attempt %d failed (%s), next in %lld ms: %s", what, attempt,
                 err_kind_name(err_kind(failure)), (long long)wait_ms, err_text(failure));
        err_free(failure);
        TRY(ctx_sleep(ctx, wait_ms));
    }
}
