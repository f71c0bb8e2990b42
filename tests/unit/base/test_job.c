/* What can be said of jobs without systemd; tests/e2e/job_survives_a_lost_link shows them on a real host. */
#include "tests/unit/base/sshd_fixture.h"

#include "base/job.h"

static struct sshd *shared;

static int start_shared(void **state)
{
    (void)state;
    check_ok(ssh_global_init());
    shared = sshd_start(NULL);
    return 0;
}

static int stop_shared(void **state)
{
    (void)state;
    sshd_stop(shared);
    return 0;
}

static void names_that_a_shell_or_systemd_would_misread_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "-x", "a b", "A", "a/b", "a.service", "a$b", "../up"};
    static const char *const files[] = {"", ".rc", "rc", "out", "err", "script", "a b", "a/b", "-f", "$x"};
    struct ctx ctx = seconds(20);
    struct job_state job;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        check_kind(job_start(&ctx, NULL, arena, names[i], "true", NULL, 0), ERR_INTERNAL);
        check_kind(job_poll(&ctx, NULL, arena, names[i], &job), ERR_INTERNAL);
        check_kind(job_remove(&ctx, NULL, arena, names[i]), ERR_INTERNAL);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct job_file file = {files[i], "", 0};
        check_kind(job_start(&ctx, NULL, arena, "good", "true", &file, 1), ERR_INTERNAL);
        check_kind(job_put(&ctx, NULL, arena, "good", &file), ERR_INTERNAL);
    }
}

static void a_host_without_systemd_says_so_and_keeps_nothing(void **state)
{
    (void)state;
    if (fs_exists("/run/systemd/system"))
        skip(); /* this machine could run it */
    struct ctx ctx = seconds(20);
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = NULL;
    struct job_state job;
    struct job_file file = {"secret", "s3cr3t", 6};
    check_ok(ssh_connect(&ctx, &shared->target, &ssh));
    struct err *e = job_start(&ctx, ssh, arena, "unit-test", "true", &file, 1);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "systemd"));
    check_kind(e, ERR_REMOTE);
    assert_false(fs_exists("/run/rehost/jobs/unit-test"));
    check_kind(job_poll(&ctx, ssh, arena, "unit-test", &job), ERR_NOT_FOUND);
    check_ok(job_remove(&ctx, ssh, arena, "unit-test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_a_shell_or_systemd_would_misread_are_refused),
        cmocka_unit_test(a_host_without_systemd_says_so_and_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
