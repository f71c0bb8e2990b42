#include "providers/rest/pace.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NO_SLOT SIZE_MAX /* the limit does not fit the request */

struct window {
    const struct rest_limit *limit;
    int64_t *sent_ms; /* a ring of the last `slots` requests: when they left, then when they were answered */
    size_t slots, next;
    int64_t full_us; /* of one that refills: when all its slots are free again */
};

struct pace {
    pthread_mutex_t lock;
    size_t count;
    struct window windows[];
};

/* A tenth of the allowance is left for other clients of the account, and for requests that are still on their
 * way when their window has passed here. */
static size_t slots_of(const struct rest_limit *limit)
{
    int slots = limit->count > 10 ? limit->count - limit->count / 10 : limit->count - 1;
    return slots > 0 ? (size_t)slots : 1;
}

struct err *pace_open(const struct rest_limit *limits, size_t count, struct pace **ret_pace)
{
    if (count > PACE_LIMITS_MAX)
        return err_new(ERR_INTERNAL, "more than %d rate limits", PACE_LIMITS_MAX);
    struct pace *pace = calloc(1, sizeof(*pace) + count * sizeof(pace->windows[0]));
    if (!pace)
        return err_new(ERR_INTERNAL, "out of memory");
    pthread_mutex_init(&pace->lock, NULL);
    for (; pace->count < count; pace->count++) {
        struct window *window = &pace->windows[pace->count];
        *window = (struct window){.limit = &limits[pace->count], .slots = slots_of(&limits[pace->count])};
        window->sent_ms = calloc(window->slots, sizeof(*window->sent_ms));
        if (!window->sent_ms) {
            pace_close(pace);
            return err_new(ERR_INTERNAL, "out of memory");
        }
    }
    *ret_pace = pace;
    return NULL;
}

void pace_close(struct pace *pace)
{
    if (!pace)
        return;
    for (size_t i = 0; i < pace->count; i++)
        free(pace->windows[i].sent_ms);
    pthread_mutex_destroy(&pace->lock);
    free(pace);
}

static bool is_path(const char *path, const char *wanted)
{
    size_t length = strcspn(path, "?");
    return strlen(wanted) == length && strncmp(path, wanted, length) == 0;
}

static bool fits(const struct rest_limit *limit, const char *method, const char *path, bool is_list)
{
    return (!limit->method || strcmp(limit->method, method) == 0) &&
           (!limit->path || is_path(path, limit->path)) && (!limit->lists_only || is_list);
}

static int64_t slot_us(const struct window *window)
{
    return window->limit->window_ms * INT64_C(1000) / (int64_t)window->slots;
}

/* When a window that refills is full again after one more request. */
static int64_t full_after_us(const struct window *window, int64_t now_ms)
{
    int64_t now_us = now_ms * 1000;
    return (window->full_us > now_us ? window->full_us : now_us) + slot_us(window);
}

/* 0: there is a slot. The oldest of the ring's requests makes room when it leaves the window. */
static int64_t wait_of(const struct window *window, int64_t now_ms)
{
    if (window->limit->refills) {
        int64_t early_us = full_after_us(window, now_ms) - (now_ms + window->limit->window_ms) * 1000;
        return early_us > 0 ? (early_us + 999) / 1000 : 0;
    }
    int64_t oldest_ms = window->sent_ms[window->next];
    if (!oldest_ms || now_ms - oldest_ms >= window->limit->window_ms)
        return 0;
    return oldest_ms + window->limit->window_ms - now_ms;
}

/* Takes a slot in each, or none: then *wait_ms tells when to come again. */
static void take(struct pace *pace, const char *method, const char *path, bool is_list,
                 struct pace_slots *slots, int64_t *wait_ms)
{
    int64_t now_ms = clock_boot_ms();
    *wait_ms = 0;
    for (size_t i = 0; i < pace->count; i++) {
        int64_t wait =
            fits(pace->windows[i].limit, method, path, is_list) ? wait_of(&pace->windows[i], now_ms) : 0;
        if (wait > *wait_ms)
            *wait_ms = wait;
    }
    for (size_t i = 0; i < pace->count && !*wait_ms; i++) {
        struct window *window = &pace->windows[i];
        slots->at[i] = NO_SLOT;
        if (!fits(window->limit, method, path, is_list))
            continue;
        if (window->limit->refills) {
            window->full_us = full_after_us(window, now_ms);
            continue;
        }
        slots->at[i] = window->next;
        window->sent_ms[window->next] = now_ms;
        window->next = (window->next + 1) % window->slots;
    }
}

struct err *pace_wait(const struct ctx *ctx, struct pace *pace, const char *method, const char *path,
                      bool is_list, struct pace_slots *slots)
{
    for (;;) {
        int64_t wait_ms;
        pthread_mutex_lock(&pace->lock);
        take(pace, method, path, is_list, slots, &wait_ms);
        pthread_mutex_unlock(&pace->lock);
        if (!wait_ms)
            return NULL;
        TRY(ctx_sleep(ctx, wait_ms));
    }
}

void pace_done(struct pace *pace, const struct pace_slots *slots)
{
    pthread_mutex_lock(&pace->lock);
    int64_t now_ms = clock_boot_ms();
    for (size_t i = 0; i < pace->count; i++)
        if (slots->at[i] != NO_SLOT)
            pace->windows[i].sent_ms[slots->at[i]] = now_ms;
    pthread_mutex_unlock(&pace->lock);
}
