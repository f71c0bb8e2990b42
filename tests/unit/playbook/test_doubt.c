/* A link that is lost in the middle of a task: what is said of it, and what is not done twice. */
#include "play_fixture.h"

static struct fixture *f;

static int setup(void **state)
{
    (void)state;
    f = fixture_new();
    f->options.done = json_object();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(f->options.done);
    fixture_free(f);
    return 0;
}

/* Kills the shells between the script and this process: nobody is left who could answer. */
static void put_play(const char *cutting_task)
{
    put_file(
        f, "play.yml",
        arena_printf(
            f->arena,
            "- hosts: all\n  gather_facts: no\n  tasks:\n    - shell: echo x >>@DIR@/log\n      register: x\n"
            "    - copy: {content: y, dest: '@DIR@/y'}\n    - name: cut\n      %s\n"
            "    - copy: {content: \"{{ x.rc }}\", dest: '@DIR@/z'}\n",
            cutting_task));
    put_file(f, "cut.sh",
             arena_printf(f->arena,
                          "[ ! -e @DIR@/cut ] || exit 0\ntouch @DIR@/cut\np=$$ all=\n"
                          "while [ $p != %ld ]; do all=\"$all $p\" p=$(ps -o ppid= -p $p | tr -d ' '); done\n"
                          "kill -KILL ${all#* $$}\n",
                          (long)getpid()));
}

static void expect_lost(bool repeatable)
{
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_UNKNOWN_OUTCOME);
    assert_holds(err_text(e), "while task 'cut' (");
    assert_holds(err_text(e), "play.yml:7) was under way");
    assert_string_equal(f->result.doubted.task, "cut");
    assert_int_equal(f->result.repeatable, repeatable);
    assert_null(get_file(f, "z"));
}

static void a_command_that_was_answered_is_not_run_again(void **state)
{
    (void)state;
    put_play("shell: sh @DIR@/cut.sh");
    expect_lost(false);
    assert_string_equal(get_file(f, "y"), "y");
    apply_well(f);
    assert_string_equal(get_file(f, "log"), "x\n");
    assert_string_equal(get_file(f, "z"), "0");
    assert_int_equal(f->result.counts[TASK_CHANGED], 3); /* the first one's answer is still "changed" */
}

static void a_command_that_was_tried_until_it_went_well_is_not_run_again(void **state)
{
    (void)state;
    put_play("shell: echo t >>@DIR@/tries\n      register: t\n      until: t.rc == 0\n    - name: cut\n      "
             "shell: sh @DIR@/cut.sh");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_UNKNOWN_OUTCOME);
    apply_well(f);
    assert_string_equal(get_file(f, "tries"), "t\n");
}

static void a_command_that_says_what_it_makes_can_be_repeated(void **state)
{
    (void)state;
    put_play("command: {cmd: sh @DIR@/cut.sh, creates: '@DIR@/made'}");
    expect_lost(true);
}

/* A host may have gone on with what it had when the link was lost. */
static void a_command_that_was_sent_after_it_is_not_repeated_blindly(void **state)
{
    (void)state;
    put_play("command: {cmd: sh @DIR@/cut.sh, creates: '@DIR@/made'}\n"
             "    - name: later\n      shell: echo later >>@DIR@/later");
    expect_lost(false);
}

/* The one that is awaited alone is in doubt as any other is. */
static void a_command_that_is_tried_or_limited_is_in_doubt_too(void **state)
{
    (void)state;
    static const char *const ways[] = {"retries: 1\n      delay: 0", "until: true", "async: 60"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        put_play(arena_printf(f->arena, "shell: sh @DIR@/cut.sh\n      %s", ways[i]));
        expect_lost(false);
        assert_int_equal(unlink(arena_printf(f->arena, "%s/cut", f->dir)), 0);
        json_object_clear(f->options.done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_that_was_answered_is_not_run_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_that_was_sent_after_it_is_not_repeated_blindly, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_command_that_was_tried_until_it_went_well_is_not_run_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_command_that_says_what_it_makes_can_be_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_that_is_tried_or_limited_is_in_doubt_too, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
