/* Keeping within a provider's published rate limits: many threads of one account together send no more than
 * it allows in any window, so that no 429 is of our own making. Other clients of the same account still count
 * at the provider: its 429 is obeyed by the retry loop.
 *
 * Threads: safe from many.
 */
#pragma once
#include "base/ctx.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct rest_limit {
    const char *method; /* NULL: any */
    const char *path;   /* without the query; NULL: any */
    bool lists_only;    /* counts pages of lists, nothing else */
    int count;          /* requests in any `window_ms` */
    int window_ms;
    bool refills; /* evenly, all the time: after a burst slots come back one by one, not with the window */
};

struct pace;

/* The place that one request takes in each limit. */
#define PACE_LIMITS_MAX 8
struct pace_slots {
    size_t at[PACE_LIMITS_MAX];
};

/* At most PACE_LIMITS_MAX limits. */
struct err *pace_open(const struct rest_limit *limits, size_t count, struct pace **pace) REHOST_MUST_CHECK;
void pace_close(struct pace *pace); /* NULL is allowed */
/* Waits for a free slot in every limit that fits the request, and takes it. ERR_CANCELLED, ERR_TIMEOUT. */
struct err *pace_wait(const struct ctx *ctx, struct pace *pace, const char *method, const char *path,
                      bool is_list, struct pace_slots *slots) REHOST_MUST_CHECK;
/* The request was answered, or failed: its window runs from now. It reached the provider some time after it
 * left, at a moment that only the answer bounds; counted from when it left, a burst that was held up on its
 * way would meet the next one in the same window there. */
void pace_done(struct pace *pace, const struct pace_slots *slots);
