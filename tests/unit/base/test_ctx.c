#include "base/clock.h"
#include "base/ctx.h"

#include "helpers.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

static void a_readable_descriptor_ends_the_wait(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    int quiet = eventfd(0, EFD_CLOEXEC), loud = eventfd(1, EFD_CLOEXEC), ready = 0;
    struct pollfd fds[2] = {{.fd = quiet, .events = POLLIN, .revents = 99}, {.fd = loud, .events = POLLIN}};
    assert_ok(ctx_wait(&ctx, fds, 2, -1, &ready));
    assert_int_equal(ready, 1);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, POLLIN);
    (void)close(loud);
    assert_ok(ctx_wait(&ctx, fds, 1, 1, &ready));
    assert_int_equal(ready, 0);
    (void)close(quiet);
}

static void cancelling_ends_a_wait_that_has_no_other_end(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    ctx.cancel_fd = eventfd(1, EFD_CLOEXEC);
    assert_fails(ctx_check(&ctx), ERR_CANCELLED, NULL);
    assert_fails(ctx_sleep(&ctx, -1), ERR_CANCELLED, NULL);
    struct ctx child = ctx_with_timeout(&ctx, 3600000);
    assert_fails(ctx_sleep(&child, 3600000), ERR_CANCELLED, NULL);
    (void)close(ctx.cancel_fd);
}

static void a_deadline_ends_a_wait_and_the_earlier_one_counts(void **state)
{
    (void)state;
    struct ctx root = ctx_background();
    assert_true(ctx_remaining_ms(&root) == INT64_MAX);
    struct ctx near = ctx_with_timeout(&root, 20), far = ctx_with_timeout(&near, 3600000);
    assert_true(far.deadline_ms == near.deadline_ms);
    assert_ok(ctx_check(&far));
    assert_fails(ctx_sleep(&far, 3600000), ERR_TIMEOUT, NULL);
    assert_true(clock_boot_ms() >= near.deadline_ms);
    assert_int_equal(ctx_remaining_ms(&near), 0);
    assert_fails(ctx_check(&near), ERR_TIMEOUT, NULL);
    struct ctx endless = ctx_with_timeout(&root, INT64_MAX);
    assert_true(endless.deadline_ms == CTX_NO_DEADLINE);
}

static volatile sig_atomic_t interruptions;

static void count_interruption(int signal_number)
{
    (void)signal_number;
    interruptions++;
}

static void a_signal_does_not_shorten_a_sleep(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = count_interruption}; /* no SA_RESTART */
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    struct ctx ctx = ctx_background();
    int64_t started = clock_boot_ms();
    while (interruptions < 3)
        assert_ok(ctx_sleep(&ctx, 40));
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(clock_boot_ms() - started >= 40);
}

static void too_many_descriptors_are_a_defect(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    struct pollfd fds[65];
    memset(fds, 0xff, sizeof(fds));
    assert_fails(ctx_wait(&ctx, fds, 65, 0, NULL), ERR_INTERNAL, "65");
    assert_ok(ctx_wait(&ctx, fds, 64, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_readable_descriptor_ends_the_wait),
        cmocka_unit_test(cancelling_ends_a_wait_that_has_no_other_end),
        cmocka_unit_test(a_deadline_ends_a_wait_and_the_earlier_one_counts),
        cmocka_unit_test(a_signal_does_not_shorten_a_sleep),
        cmocka_unit_test(too_many_descriptors_are_a_defect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
