// Allowances of requests: so many in a sliding window, or refilled evenly.
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void replace_limit(const struct cloud *cloud, int *limit, int64_t *window_ms)
{
    int wanted = cloud->ground->settings.rate_limit;

    if (wanted > 0) {
        *limit = wanted;
        *window_ms = 3600000;
    }
}

// The ring keeps as many times as the limit allows; another limit starts with an empty one.
static void fit_ring(struct rate_window *window, int limit)
{
    if (window->capacity == limit)
        return;
    free(window->at_ms);
    *window = (struct rate_window){.at_ms = zalloc((size_t)limit * sizeof(int64_t)), .capacity = limit};
}

bool cloud_take_request(struct cloud *cloud, int class, int limit, int64_t window_ms, int *remaining,
                        int64_t *free_at_ms)
{
    struct rate_window *window = &cloud->rates[class];
    int64_t now = now_ms();

    *remaining = limit;
    *free_at_ms = now;
    if (cloud->ground->settings.rate_limit == 0)
        return true;
    replace_limit(cloud, &limit, &window_ms);
    fit_ring(window, limit);
    while (window->count > 0 && window->at_ms[window->first] <= now - window_ms) {
        window->first = (window->first + 1) % limit;
        window->count--;
    }
    bool ok = window->count < limit;
    if (ok)
        window->at_ms[(window->first + window->count++) % limit] = now;
    *remaining = limit - window->count;
    if (*remaining == 0)
        *free_at_ms = window->at_ms[window->first] + window_ms;
    return ok;
}

// Each request moves the moment at which the allowance is whole again by the time that one takes to refill.
bool cloud_take_refilled(struct cloud *cloud, int class, int limit, int64_t window_ms, int *remaining,
                         int64_t *full_at_ms)
{
    struct rate_window *window = &cloud->rates[class];
    int64_t now_us = now_ms() * 1000;

    *remaining = limit;
    *full_at_ms = now_us / 1000;
    if (cloud->ground->settings.rate_limit == 0)
        return true;
    replace_limit(cloud, &limit, &window_ms);
    int64_t one_us = window_ms * 1000 / limit, full = window->full_at_us;
    if (full < now_us)
        full = now_us;
    bool ok = full + one_us - now_us <= window_ms * 1000;
    window->full_at_us = ok ? full + one_us : full;
    *remaining = (int)((window_ms * 1000 - (window->full_at_us - now_us)) / one_us);
    *full_at_ms = window->full_at_us / 1000 + 1;
    return ok;
}
