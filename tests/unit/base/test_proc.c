#include "base/fs.h"
#include "base/io.h"
#include "base/proc.h"

#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct ran {
    struct strbuf out, errout;
    struct proc_result result;
};

static struct err *run_shell(const char *script, const char *input, struct ran *ran)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct ctx ctx = ctx_background();
    strbuf_init(&ran->out, 0);
    strbuf_init(&ran->errout, 0);
    return proc_run(&ctx, argv, input, input ? strlen(input) : 0, &ran->out, &ran->errout, &ran->result);
}

static void forget(struct ran *ran)
{
    strbuf_free(&ran->out);
    strbuf_free(&ran->errout);
}

static void a_child_gets_input_and_its_output_and_status_come_back(void **state)
{
    (void)state;
    struct ran ran;
    assert_ok(run_shell("read x; echo out $x; echo err $x >&2; exit 3", "hello\n", &ran));
    assert_string_equal(ran.out.data, "out hello\n");
    assert_string_equal(ran.errout.data, "err hello\n");
    assert_int_equal(ran.result.exit_status, 3);
    assert_int_equal(ran.result.term_signal, 0);
    forget(&ran);
}

static void a_child_killed_by_a_signal_is_told_from_one_that_exited(void **state)
{
    (void)state;
    struct ran ran;
    assert_ok(run_shell("kill -TERM $$", NULL, &ran));
    assert_int_equal(ran.result.exit_status, -1);
    assert_int_equal(ran.result.term_signal, SIGTERM);
    forget(&ran);
}

static void more_than_a_pipe_holds_passes_in_both_directions(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    size_t length = 3u << 20;
    char *input = arena_alloc(arena, length + 1);
    memset(input, 'x', length);
    struct ran ran;
    assert_ok(run_shell("cat", input, &ran));
    assert_int_equal(ran.out.length, length);
    assert_memory_equal(ran.out.data, input, length);
    forget(&ran);
    assert_ok(run_shell("exit 0", input, &ran)); /* a child need not read it */
    assert_int_equal(ran.result.exit_status, 0);
    forget(&ran);
}

static void no_input_is_an_empty_stdin_and_unwanted_output_is_discarded(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "cat && echo loud && echo loud >&2", NULL};
    struct ctx ctx = ctx_background();
    struct proc_result result;
    assert_ok(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result));
    assert_int_equal(result.exit_status, 0);
}

static void an_unknown_program_is_reported_with_a_hint(void **state)
{
    (void)state;
    const char *argv[] = {"rehost-no-such-program", NULL}, *unusable[] = {"/etc/passwd", NULL};
    struct ctx ctx = ctx_background();
    struct proc_result result;
    struct err *e = proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result);
    assert_non_null(e);
    assert_non_null(err_hint(e));
    assert_fails(e, ERR_NOT_FOUND, "rehost-no-such-program");
    assert_fails(proc_run(&ctx, unusable, NULL, 0, NULL, NULL, &result), ERR_IO, "/etc/passwd");
}

static void a_child_inherits_nothing_but_its_three_descriptors(void **state)
{
    (void)state;
    int leaked = open("/dev/null", O_RDONLY); /* without close-on-exec, as a careless library would */
    struct ran ran;
    assert_true(leaked >= 0);
    assert_ok(run_shell("exec ls /proc/self/fd", NULL, &ran));
    assert_string_equal(ran.out.data, "0\n1\n2\n3\n"); /* 3 is the folder that ls reads */
    forget(&ran);
    (void)close(leaked);
}

static void a_child_dies_of_sigpipe_although_it_is_ignored_here(void **state)
{
    (void)state;
    struct ran ran;
    assert_ok(run_shell("kill -PIPE $$; echo survived", NULL, &ran));
    assert_string_equal(ran.out.data, "");
    forget(&ran);
}

static void output_past_the_maximum_ends_the_child(void **state)
{
    (void)state;
    const char *argv[] = {"yes", NULL};
    struct strbuf out CLEANUP_STRBUF;
    struct ctx ctx = ctx_background();
    struct proc_result result;
    strbuf_init(&out, 100000);
    assert_fails(proc_run(&ctx, argv, NULL, 0, &out, NULL, &result), ERR_INPUT,
                 "'yes' wrote more than 100000");
    assert_int_equal(out.length, 100000);
}

static bool is_gone(pid_t pid)
{
    char path[64], text[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    if (!stat)
        return true;
    text[fread(text, 1, sizeof(text) - 1, stat)] = '\0';
    (void)fclose(stat);
    return strstr(text, ") Z ") != NULL; /* nobody may be there to reap an orphan */
}

struct canceller {
    const char *path;
    int cancel_fd;
};

static void *cancel_when_the_file_is_there(void *arg)
{
    const struct canceller *canceller = arg;
    while (!fs_exists(canceller->path))
        (void)usleep(1000);
    (void)eventfd_write(canceller->cancel_fd, 1);
    return NULL;
}

static void cancelling_kills_the_child_and_what_it_started(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena);
    struct canceller canceller = {arena_printf(arena, "%s/pid", dir), eventfd(0, EFD_CLOEXEC)};
    struct ctx ctx = {.cancel_fd = canceller.cancel_fd, .deadline_ms = CTX_NO_DEADLINE};
    const char *argv[] = {"sh", "-c", "sleep 1000 & echo $! >$0.new; mv $0.new $0; wait", canceller.path,
                          NULL};
    struct proc_result result;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_the_file_is_there, &canceller), 0);
    assert_fails(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result), ERR_CANCELLED, "'sh'");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(result.exit_status, -1);

    char *text = NULL;
    assert_ok(fs_read_file(arena, canceller.path, 100, &text, NULL));
    pid_t sleeper = (pid_t)strtol(text, NULL, 10);
    assert_true(sleeper > 1);
    while (!is_gone(sleeper))
        (void)usleep(1000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* the child itself was reaped */
    assert_int_equal(errno, ECHILD);
    (void)unlink(canceller.path);
    (void)rmdir(dir);
    (void)close(canceller.cancel_fd);
}

static void a_child_that_ignores_sigterm_is_killed_at_the_deadline(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 1000; done", NULL};
    struct ctx root = ctx_background(), ctx = ctx_with_timeout(&root, 200);
    struct proc_result result;
    assert_fails(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result), ERR_TIMEOUT, "'sh'");
    assert_int_equal(result.exit_status, -1);
}

static void a_descendant_that_keeps_the_output_open_is_not_waited_for(void **state)
{
    (void)state;
    struct ran ran;
    assert_ok(run_shell("sleep 1000 & echo $!", NULL, &ran));
    pid_t sleeper = (pid_t)strtol(ran.out.data, NULL, 10);
    assert_true(sleeper > 1);
    assert_false(is_gone(sleeper));
    (void)kill(sleeper, SIGKILL);
    forget(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_input_and_its_output_and_status_come_back),
        cmocka_unit_test(a_child_killed_by_a_signal_is_told_from_one_that_exited),
        cmocka_unit_test(more_than_a_pipe_holds_passes_in_both_directions),
        cmocka_unit_test(no_input_is_an_empty_stdin_and_unwanted_output_is_discarded),
        cmocka_unit_test(an_unknown_program_is_reported_with_a_hint),
        cmocka_unit_test(a_child_inherits_nothing_but_its_three_descriptors),
        cmocka_unit_test(a_child_dies_of_sigpipe_although_it_is_ignored_here),
        cmocka_unit_test(output_past_the_maximum_ends_the_child),
        cmocka_unit_test(cancelling_kills_the_child_and_what_it_started),
        cmocka_unit_test(a_child_that_ignores_sigterm_is_killed_at_the_deadline),
        cmocka_unit_test(a_descendant_that_keeps_the_output_open_is_not_waited_for),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
