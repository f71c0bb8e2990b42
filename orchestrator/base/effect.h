/* Intent before effect: what is told to the journal around each call that changes the outside.
 *
 * effect_begin() returns only when the intent is durable; then the call is made; effect_end() stores what came of it. A process
 * that dies in between leaves an intent without outcome, which `resume` settles. The journal implements the two functions; layers
 * below it know only this header. A NULL log is allowed where nothing needs to be resumed (unit tests, `play`).
 */
#pragma once
#include "base/err.h"

struct effect_log {
    void *arg;
    /* what: "server.create"; subject: what it acts on ("web-1", "s3://bucket/key"); detail: JSON text without secrets, or NULL */
    struct err *(*begin)(void *arg, const char *what, const char *subject, const char *detail, int64_t *effect_id);
    /* outcome: NULL = done; reference: the id that the far side gave, or NULL */
    struct err *(*end)(void *arg, int64_t effect_id, const struct err *outcome, const char *reference);
};

static inline struct err *effect_begin(const struct effect_log *log, const char *what, const char *subject,
                                       const char *detail, int64_t *effect_id)
{
    *effect_id = 0;
    return log ? log->begin(log->arg, what, subject, detail, effect_id) : NULL;
}

/* Returns `outcome` when there is one, else the journal's own error: so that `return effect_end(log, id, call(), ref)` reads well. */
static inline struct err *effect_end(const struct effect_log *log, int64_t effect_id, struct err *outcome,
                                     const char *reference)
{
    struct err *journal = log ? log->end(log->arg, effect_id, outcome, reference) : NULL;
    if (!outcome)
        return journal;
    err_free(journal);
    return outcome;
}
