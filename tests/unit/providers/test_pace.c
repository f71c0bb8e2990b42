/* Keeping within a published rate limit. Times are only compared from below. */
#include "base/clock.h"
#include "providers/rest/pace.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct rest_limit limits[] = {
    {.count = 20, .window_ms = 300},
    {.method = "POST", .path = "/servers", .count = 3, .window_ms = 300},
    {.method = "GET", .lists_only = true, .count = 2, .window_ms = 300},
};

#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

static struct pace *open_pace(const struct rest_limit *of)
{
    struct pace *pace = NULL;
    assert_null(pace_open(of, LIMIT_COUNT, &pace));
    return pace;
}

/* Whether there is a slot right now. */
static bool is_free(struct pace *pace, const char *method, const char *path, bool is_list)
{
    const struct ctx background = ctx_background(), soon = ctx_with_timeout(&background, 5);
    struct pace_slots slots;
    CLEANUP_ERR struct err *e = pace_wait(&soon, pace, method, path, is_list, &slots);
    if (e)
        assert_int_equal(err_kind(e), ERR_TIMEOUT);
    return !e;
}

static void what_a_limit_does_not_fit_is_not_held_up(void **state)
{
    (void)state;
    struct rest_limit slow[LIMIT_COUNT]; /* so that no slot comes back while this runs */
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        slow[i] = limits[i];
        slow[i].window_ms = 3600000;
    }
    struct pace *pace = open_pace(slow);
    for (int i = 0; i < 2; i++)
        assert_true(is_free(pace, "POST", "/servers", false));
    assert_false(is_free(pace, "POST", "/servers", false)); /* one less than the provider allows */
    assert_false(is_free(pace, "POST", "/servers?wait=1", false));
    assert_true(is_free(pace, "POST", "/servers/1/boot", false)); /* no create */
    assert_true(is_free(pace, "DELETE", "/servers/1", false));
    assert_true(is_free(pace, "GET", "/servers/1", false));
    assert_true(is_free(pace, "GET", "/servers", true));
    assert_false(is_free(pace, "GET", "/servers", true));
    pace_close(pace);
}

static void a_slot_is_free_again_when_the_window_has_passed(void **state)
{
    (void)state;
    const struct ctx background = ctx_background();
    struct pace *pace = open_pace(limits);
    struct pace_slots slots;
    int64_t begun_ms = clock_boot_ms();
    for (int i = 0; i < 5; i++)
        assert_null(pace_wait(&background, pace, "POST", "/servers", false, &slots));
    assert_true(clock_boot_ms() - begun_ms >= 600); /* two now, two a window later, one two windows later */
    pace_close(pace);
}

/* A burst that was held up on its way must not meet the next one at the provider. */
static void a_window_runs_from_the_answer(void **state)
{
    (void)state;
    const struct ctx background = ctx_background();
    struct pace *pace = open_pace(limits);
    struct pace_slots slots[3];
    int64_t begun_ms = clock_boot_ms();
    for (int i = 0; i < 2; i++)
        assert_null(pace_wait(&background, pace, "POST", "/servers", false, &slots[i]));
    assert_null(ctx_sleep(&background, 200));
    for (int i = 0; i < 2; i++)
        pace_done(pace, &slots[i]);
    assert_null(pace_wait(&background, pace, "POST", "/servers", false, &slots[2]));
    assert_true(clock_boot_ms() - begun_ms >= 500);
    pace_close(pace);
}

/* Waiting for the first of a burst to leave the window would take an hour. */
static void a_limit_that_refills_gives_one_slot_after_another(void **state)
{
    (void)state;
    static const struct rest_limit refills[] = {{.count = 36000, .window_ms = 3600000, .refills = true}};
    enum { SLOTS = 32400 };
    const struct ctx background = ctx_background(), minute = ctx_with_timeout(&background, 60000);
    struct pace *pace = NULL;
    struct pace_slots slots;
    assert_null(pace_open(refills, 1, &pace));
    int64_t begun_ms = clock_boot_ms();
    for (int i = 0; i < SLOTS + 3; i++) {
        assert_null(pace_wait(&minute, pace, "GET", "/", false, &slots));
        pace_done(pace, &slots);
    }
    assert_true(clock_boot_ms() - begun_ms >= 330); /* 111 ms each */
    pace_close(pace);
}

struct sender {
    struct pace *pace;
    int64_t sent_ms[10];
};

static void *send_ten(void *arg)
{
    struct sender *sender = arg;
    const struct ctx background = ctx_background();
    struct pace_slots slots;
    for (int i = 0; i < 10; i++) {
        struct err *e = pace_wait(&background, sender->pace, "PUT", "/", false, &slots);
        sender->sent_ms[i] = e ? -1 : clock_boot_ms();
        err_free(e);
    }
    return NULL;
}

static void threads_share_one_allowance(void **state)
{
    (void)state;
    enum { SENDERS = 4 };
    struct sender senders[SENDERS] = {0};
    pthread_t threads[SENDERS];
    struct pace *pace = open_pace(limits);
    int64_t begun_ms = clock_boot_ms(), last_ms = 0;
    for (int i = 0; i < SENDERS; i++) {
        senders[i].pace = pace;
        assert_int_equal(pthread_create(&threads[i], NULL, send_ten, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        last_ms = senders[i].sent_ms[9] > last_ms ? senders[i].sent_ms[9] : last_ms;
    }
    assert_true(last_ms - begun_ms >= 600); /* 40 requests, 18 in each window */
    pace_close(pace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_limit_does_not_fit_is_not_held_up),
        cmocka_unit_test(a_slot_is_free_again_when_the_window_has_passed),
        cmocka_unit_test(a_window_runs_from_the_answer),
        cmocka_unit_test(a_limit_that_refills_gives_one_slot_after_another),
        cmocka_unit_test(threads_share_one_allowance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
