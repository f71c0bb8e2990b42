/* Jobs on a real systemd host: job_driver HOST PORT PRIVATE_KEY_FILE HOST_KEY. Started by
 * job_survives_a_lost_link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/job.h"

#include <pthread.h>
#include <signal.h>

static struct ssh_target target;

static void check_ok(struct err *e)
{
    if (e)
        fail_msg("unexpected error '%s': %s", err_kind_name(err_kind(e)), err_text(e));
}

static void check_kind(struct err *e, enum err_kind kind, const char *part)
{
    if (!e)
        fail_msg("no error where '%s' was expected", err_kind_name(kind));
    if (err_kind(e) != kind || !strstr(err_text(e), part))
        fail_msg("'%s' with '%s' was expected, not '%s': %s", err_kind_name(kind), part,
                 err_kind_name(err_kind(e)), err_text(e));
    err_free(e);
}

static struct ctx seconds(int count)
{
    struct ctx background = ctx_background();
    return ctx_with_timeout(&background, count * 1000);
}

/* What every test needs: an arena, a session, a deadline. */
struct fixture {
    struct arena *arena;
    struct ssh *ssh;
    struct ctx ctx;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = arena_new(0);
    f->ctx = seconds(120);
    check_ok(ssh_connect(&f->ctx, &target, &f->ssh));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ssh_close(f->ssh);
    arena_free(f->arena);
    free(f);
    return 0;
}

static char *output_of(struct fixture *f, const char *command)
{
    struct ssh_result result;
    check_ok(ssh_exec(&f->ctx, f->ssh, f->arena, command, NULL, 0, 0, &result));
    return result.out;
}

static void start(struct fixture *f, const char *name, const char *script)
{
    check_ok(job_start(&f->ctx, f->ssh, f->arena, name, script, NULL, 0));
}

static void output_files_and_exit_code_come_back(void **state)
{
    struct fixture *f = *state;
    struct job_file files[] = {{"one.txt", "first", 5}, {"empty", "", 0}, {"bytes", "a\0b\n", 4}};
    struct job_state job;
    check_ok(job_start(&f->ctx, f->ssh, f->arena, "plain",
                       "cat \"$JOB/one.txt\"; stat -c '%s %a' \"$JOB/empty\" \"$JOB/bytes\"; umask; echo "
                       "$HOME; echo note >&2",
                       files, 3));
    check_ok(job_wait(&f->ctx, f->ssh, f->arena, "plain", NULL, NULL, &job));
    assert_true(job.finished);
    assert_int_equal(job.exit_status, 0);
    assert_string_equal(job.out, "first0 600\n4 600\n0077\n/root\n");
    assert_string_equal(job.errout, "note\n");
    assert_string_equal(output_of(f, "stat -c '%a %U' /run/rehost/jobs /run/rehost/jobs/plain"),
                        "700 root\n700 root\n");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "plain"));
    assert_string_equal(output_of(f, "ls -A /run/rehost/jobs"), "");
}

static void count_polls(const struct job_state *state, void *arg)
{
    int *polls = arg;
    assert_non_null(state->out);
    (*polls)++;
}

static void a_job_goes_on_when_the_link_breaks_and_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct job_state job;
    start(f, "long", "for i in $(seq 1 15); do echo $i; sleep 0.2; done");
    check_kind(ssh_run(&f->ctx, f->ssh, f->arena, "kill -9 $PPID; sleep 60", NULL, 0, NULL),
               ERR_UNKNOWN_OUTCOME, "");
    check_kind(job_poll(&f->ctx, f->ssh, f->arena, "long", &job), ERR_TRANSIENT, "link");
    ssh_close(f->ssh);
    check_ok(ssh_connect(&f->ctx, &target, &f->ssh));
    start(f, "long", "echo another script"); /* attaches: what runs is the first */
    int polls = 0;
    check_ok(job_wait(&f->ctx, f->ssh, f->arena, "long", count_polls, &polls, &job));
    assert_true(polls > 1);
    assert_string_equal(job.out, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n");
    start(f, "long", "echo another script"); /* also when it is over */
    check_ok(job_poll(&f->ctx, f->ssh, f->arena, "long", &job));
    assert_true(job.finished);
    assert_non_null(strstr(job.out, "\n15\n"));
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "long"));
}

static void *start_racing(void *arg)
{
    int *failures = arg;
    struct ctx ctx = seconds(120);
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = NULL;
    struct err *e = ssh_connect(&ctx, &target, &ssh);
    if (!e)
        e = job_start(&ctx, ssh, arena, "race", "echo ran >>/run/race; sleep 1", NULL, 0);
    if (e)
        print_error("%s\n", err_text(e));
    *failures = e != NULL;
    err_free(e);
    return NULL;
}

static void two_starts_at_once_run_the_script_once(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];
    int failures[4] = {0};
    struct job_state job;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_racing, &failures[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(failures[i], 0);
    check_ok(job_wait(&f->ctx, f->ssh, f->arena, "race", NULL, NULL, &job));
    assert_string_equal(output_of(f, "cat /run/race; rm /run/race; ls -A /run/rehost/jobs"), "ran\nrace\n");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "race"));
}

static void an_upload_that_breaks_off_leaves_nothing_and_starts_nothing(void **state)
{
    struct fixture *f = *state;
    size_t length = 64u << 20;
    struct job_file file = {"large", arena_alloc(f->arena, length), length};
    struct ctx brief = ctx_with_timeout(&f->ctx, 100);
    struct job_state job;
    check_kind(job_start(&brief, f->ssh, f->arena, "broken", "true", &file, 1), ERR_TIMEOUT, "");
    for (;;) { /* the shell there notices when its input ends */
        char *left = output_of(f, "ls -A /run/rehost/jobs");
        if (!*left)
            break;
        assert_string_not_equal(left, "broken\n");
        check_ok(ctx_sleep(&f->ctx, 50));
    }
    check_kind(job_poll(&f->ctx, f->ssh, f->arena, "broken", &job), ERR_NOT_FOUND, "broken");
}

static void a_script_stops_at_its_first_failure_and_its_last_words_are_told(void **state)
{
    struct fixture *f = *state;
    struct job_state job;
    start(f, "fails", "echo before; seq 1 5000 >&2; (exit 3) | cat; echo never");
    check_kind(job_wait(&f->ctx, f->ssh, f->arena, "fails", NULL, NULL, &job), ERR_REMOTE, "status 3: ");
    assert_int_equal(job.exit_status, 3);
    assert_string_equal(job.out, "before\n");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "fails"));
    start(f, "unset", "echo \"$nothing\"");
    check_kind(job_wait(&f->ctx, f->ssh, f->arena, "unset", NULL, NULL, NULL), ERR_REMOTE,
               "nothing: unbound variable");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "unset"));
}

static void a_killed_job_is_over_with_the_status_of_its_signal(void **state)
{
    struct fixture *f = *state;
    struct job_state job;
    start(f, "killed", "sleep 600");
    (void)output_of(f, "systemctl kill -s KILL rehost-job-killed.service");
    check_kind(job_wait(&f->ctx, f->ssh, f->arena, "killed", NULL, NULL, &job), ERR_REMOTE, "status 137");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "killed"));
}

static void a_file_can_be_given_while_the_job_runs(void **state)
{
    struct fixture *f = *state;
    struct job_file first = {"urls", "old\n", 4}, second = {"urls", "new\n", 4};
    struct job_state job;
    check_ok(job_start(&f->ctx, f->ssh, f->arena, "put",
                       "until grep -q new \"$JOB/urls\"; do sleep 0.05; done; cat \"$JOB/urls\"", &first, 1));
    check_ok(job_poll(&f->ctx, f->ssh, f->arena, "put", &job));
    assert_false(job.finished);
    check_ok(job_put(&f->ctx, f->ssh, f->arena, "put", &second));
    check_ok(job_wait(&f->ctx, f->ssh, f->arena, "put", NULL, NULL, &job));
    assert_string_equal(job.out, "new\n");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "put"));
    check_kind(job_put(&f->ctx, f->ssh, f->arena, "put", &second), ERR_NOT_FOUND, "put");
}

static void removing_a_running_job_stops_it_and_wipes_its_directory(void **state)
{
    struct fixture *f = *state;
    struct job_state job;
    start(f, "gone", "exec sleep 4242");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "gone"));
    assert_string_equal(output_of(f, "pgrep -x -f 'sleep 4242'; ls -A /run/rehost/jobs"), "");
    check_kind(job_poll(&f->ctx, f->ssh, f->arena, "gone", &job), ERR_NOT_FOUND, "gone");
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "gone"));
}

static void of_much_output_the_end_is_kept(void **state)
{
    struct fixture *f = *state;
    struct job_state job;
    start(f, "much", "seq 1 1000000; seq 1 1000000 >&2");
    check_ok(job_wait(&f->ctx, f->ssh, f->arena, "much", NULL, NULL, &job));
    assert_int_equal(strlen(job.out), 1u << 20);
    assert_string_equal(job.out + strlen(job.out) - 16, "\n999999\n1000000\n");
    assert_int_equal(strlen(job.errout), 1u << 20);
    check_ok(job_remove(&f->ctx, f->ssh, f->arena, "much"));
}

int main(int argc, char **argv)
{
    struct secret *key = NULL;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: job_driver HOST PORT PRIVATE_KEY_FILE HOST_KEY\n");
        return 2;
    }
    struct err *e = ssh_global_init();
    if (!e)
        e = secret_read_file(argv[3], &key);
    if (e) {
        (void)fprintf(stderr, "%s\n", err_text(e));
        return 2;
    }
    target = (struct ssh_target){
        .host = argv[1], .port = (int)strtol(argv[2], NULL, 10), .private_key = key, .host_key = argv[4]};
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(output_files_and_exit_code_come_back),
        TEST(a_job_goes_on_when_the_link_breaks_and_is_found_again),
        TEST(two_starts_at_once_run_the_script_once),
        TEST(an_upload_that_breaks_off_leaves_nothing_and_starts_nothing),
        TEST(a_script_stops_at_its_first_failure_and_its_last_words_are_told),
        TEST(a_killed_job_is_over_with_the_status_of_its_signal),
        TEST(a_file_can_be_given_while_the_job_runs),
        TEST(removing_a_running_job_stops_it_and_wipes_its_directory),
        TEST(of_much_output_the_end_is_kept),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    secret_free(key);
    return failed;
}
