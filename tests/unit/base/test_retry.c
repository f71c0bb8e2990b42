#include "base/clock.h"
#include "base/retry.h"

#include "helpers.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct server {
    int calls;
    int failures; /* this many calls fail, the next succeed */
    enum err_kind kind;
    int64_t retry_after_ms;
    int cancel_fd; /* when > 0: signalled by the first call */
};

static struct err *call(const struct ctx *ctx, void *arg)
{
    struct server *server = arg;
    assert_non_null(ctx);
    if (server->cancel_fd > 0)
        (void)eventfd_write(server->cancel_fd, 1);
    if (server->calls++ >= server->failures)
        return NULL;
    return err_with_retry_after(err_new(server->kind, "attempt %d failed", server->calls),
                                server->retry_after_ms);
}

static const struct retry_policy reads = {.max_attempts = 4, .base_ms = 1, .max_ms = 2, .idempotent = true};
static const struct retry_policy writes = {.max_attempts = 4, .base_ms = 1, .max_ms = 2};
static const struct retry_policy conflicts = {
    .max_attempts = 4, .base_ms = 1, .max_ms = 2, .retry_conflict = true};

static void assert_calls(const struct retry_policy *policy, enum err_kind kind, int calls)
{
    struct ctx ctx = ctx_background();
    struct server server = {.failures = 2, .kind = kind};
    struct err *e = retry_run(&ctx, policy, "list servers", call, &server);
    assert_int_equal(server.calls, calls);
    assert_int_equal(e == NULL, calls == 3);
    err_free(e);
}

static void what_is_retried_depends_on_the_kind_and_the_policy(void **state)
{
    (void)state;
    for (int kind = 0; kind < ERR_KIND_COUNT; kind++) {
        bool always = kind == ERR_TRANSIENT || kind == ERR_RATE_LIMIT;
        bool when_idempotent = kind == ERR_TIMEOUT || kind == ERR_UNKNOWN_OUTCOME;
        assert_calls(&reads, (enum err_kind)kind, always || when_idempotent ? 3 : 1);
        assert_calls(&writes, (enum err_kind)kind, always ? 3 : 1);
        assert_calls(&conflicts, (enum err_kind)kind, always || kind == ERR_CONFLICT ? 3 : 1);
    }
}

static void a_write_is_never_repeated_after_an_unknown_outcome_by_the_shipped_policies(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    struct server server = {.failures = 1, .kind = ERR_UNKNOWN_OUTCOME};
    assert_fails(retry_run(&ctx, &retry_writes, "creating", call, &server), ERR_UNKNOWN_OUTCOME,
                 "attempt 1 failed");
    assert_int_equal(server.calls, 1);
    assert_true(retry_reads.idempotent && retry_reads.max_attempts == 6);
}

static void the_last_error_keeps_its_kind_when_attempts_run_out(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    struct server server = {.failures = 99, .kind = ERR_TRANSIENT};
    assert_fails(retry_run(&ctx, &reads, "list servers", call, &server), ERR_TRANSIENT,
                 "gave up trying to list servers after 4 attempts: attempt 4 failed");
    assert_int_equal(server.calls, 4);
}

static void the_server_says_how_long_to_wait(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    struct server server = {.failures = 1, .kind = ERR_RATE_LIMIT, .retry_after_ms = 60};
    int64_t started = clock_boot_ms();
    assert_ok(retry_run(&ctx, &writes, "listing", call, &server));
    assert_true(clock_boot_ms() - started >= 60);
}

static void a_wait_that_does_not_fit_the_deadline_is_not_begun(void **state)
{
    (void)state;
    struct ctx root = ctx_background(), ctx = ctx_with_timeout(&root, 600000);
    struct server server = {.failures = 1, .kind = ERR_RATE_LIMIT, .retry_after_ms = 3600000};
    assert_fails(retry_run(&ctx, &writes, "listing", call, &server), ERR_RATE_LIMIT, "no time left");
    assert_int_equal(server.calls, 1);
}

static void cancelling_ends_the_wait_between_attempts(void **state)
{
    (void)state;
    struct server server = {.failures = 99, .kind = ERR_RATE_LIMIT, .retry_after_ms = 3600000};
    struct ctx ctx = {.cancel_fd = eventfd(0, EFD_CLOEXEC), .deadline_ms = CTX_NO_DEADLINE};
    server.cancel_fd = ctx.cancel_fd;
    assert_fails(retry_run(&ctx, &writes, "listing", call, &server), ERR_CANCELLED, NULL);
    assert_int_equal(server.calls, 1);
    assert_fails(retry_run(&ctx, &writes, "listing", call, &server), ERR_CANCELLED, NULL);
    assert_int_equal(server.calls, 1); /* not begun at all */
    (void)close(ctx.cancel_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_retried_depends_on_the_kind_and_the_policy),
        cmocka_unit_test(a_write_is_never_repeated_after_an_unknown_outcome_by_the_shipped_policies),
        cmocka_unit_test(the_last_error_keeps_its_kind_when_attempts_run_out),
        cmocka_unit_test(the_server_says_how_long_to_wait),
        cmocka_unit_test(a_wait_that_does_not_fit_the_deadline_is_not_begun),
        cmocka_unit_test(cancelling_ends_the_wait_between_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
