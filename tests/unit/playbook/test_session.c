/* The session with a host: two shells, other users, data, and what a host may do to it. */
#include "play_fixture.h"
#include <pwd.h>

static struct fixture *f;

static int setup(void **state)
{
    (void)state;
    f = fixture_new();
    chmod(f->dir, 0777); /* other users work in it too */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_free(f);
    return 0;
}

#define PLAY "- hosts: all\n  gather_facts: false\n  tasks:\n"

/* --- this machine --- */

static void delegated_tasks_keep_their_order(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - shell: sleep 0.3; echo one >>@DIR@/order\n"
             "    - shell: echo two >>@DIR@/order; pwd\n      delegate_to: localhost\n      register: here\n"
             "    - shell: echo three >>@DIR@/order\n"
             "    - shell: echo {{ item }} >>@DIR@/order\n      connection: local\n      loop: [four, five]\n"
             "    - copy: {content: \"{{ here.stdout }}\", dest: \"@DIR@/said\"}\n");
    apply_well(f);
    assert_string_equal(get_file(f, "order"), "one\ntwo\nthree\nfour\nfive\n");
    assert_string_equal(get_file(f, "said"), f->dir);
}

static void a_play_on_this_machine_begins_in_the_folder_of_the_playbook(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - shell: pwd >@DIR@/seen\n"
                  "    - copy: {src: seen, dest: copied, remote_src: true}\n");
    const struct playbook *playbook;
    struct ctx background = ctx_background();
    struct ctx ctx = ctx_with_timeout(&background, 60000);
    CLEANUP_ERR struct err *e = load(f, &playbook);
    f->options.host_name = "web-1";
    if (!e)
        e = playbook_apply(&ctx, playbook, NULL, f->arena, &f->options, &f->result);
    if (e)
        fail_msg("%s", err_text(e));
    assert_holds(get_file(f, "copied"), f->dir);
}

static void nothing_is_delegated_after_a_failure(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: \"false\"\n"
                  "    - file: {path: \"@DIR@/made\", state: touch}\n      delegate_to: 127.0.0.1\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_null(get_file(f, "made"));
}

static void a_delegated_failure_stops_the_play(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: \"false\"\n      delegate_to: localhost\n"
                  "    - file: {path: \"@DIR@/made\", state: touch}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_null(get_file(f, "made"));
}

static void another_machine_is_refused_by_its_name(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: id\n      vars: {where: db-1}\n      delegate_to: \"{{ where }}\"\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_holds(err_text(e), "another machine ('db-1')");
}

/* --- other users --- */

static void tasks_of_a_user_share_a_shell_of_that_user(void **state)
{
    (void)state;
    if (geteuid() != 0 || !getpwnam("nobody"))
        skip();
    char big[100000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    put_file(f, "big", big);
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: false\n  become: true\n  become_user: nobody\n  tasks:\n"
             "    - shell: id -un >@DIR@/who; ps -o ppid= $PPID >@DIR@/p1\n"
             "    - shell: ps -o ppid= $PPID >@DIR@/p2\n"
             "    - copy: {src: big, dest: \"@DIR@/copy\"}\n"
             "    - command: id -un\n      become_user: root\n      register: root\n"
             "    - copy: {content: \"{{ root.stdout }}\", dest: \"@DIR@/root\"}\n");
    apply_well(f);
    assert_string_equal(get_file(f, "who"), "nobody\n");
    assert_string_equal(get_file(f, "p1"), get_file(f, "p2"));
    assert_string_equal(get_file(f, "root"), "root");
    assert_string_equal(get_file(f, "copy"), big);
    struct stat info;
    assert_int_equal(stat(arena_printf(f->arena, "%s/copy", f->dir), &info), 0);
    assert_int_equal(info.st_uid, getpwnam("nobody")->pw_uid);
}

static void a_user_who_does_not_exist_fails_the_task_alone(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        PLAY
        "    - command: id\n      become: true\n      become_user: no-such-user\n      ignore_errors: true\n"
        "    - file: {path: \"@DIR@/made\", state: touch}\n");
    apply_well(f);
    assert_holds(f->events.data, "cannot run as user 'no-such-user'");
    assert_non_null(get_file(f, "made"));
}

static void a_task_that_ends_its_own_users_shell_is_told_and_the_next_one_gets_a_new_one(void **state)
{
    (void)state;
    if (geteuid() != 0 || !getpwnam("nobody"))
        skip();
    put_file(f, "play.yml",
             PLAY "    - shell: kill -9 $(ps -o ppid= $PPID)\n      become: true\n      become_user: nobody\n"
                  "      ignore_errors: true\n"
                  "    - shell: id -un >@DIR@/who\n      become: true\n      become_user: nobody\n");
    apply_well(f);
    assert_string_equal(get_file(f, "who"), "nobody\n");
}

/* --- data --- */

static void a_file_larger_than_any_buffer_arrives_whole(void **state)
{
    (void)state;
    const size_t size = 20u << 20;
    char *path = arena_printf(f->arena, "%s/large", f->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size / 4; i++) {
        unsigned value = (unsigned)i * 2654435761u;
        fwrite(&value, 4, 1, file);
    }
    fclose(file);
    put_file(f, "play.yml",
             PLAY "    - copy: {src: large, dest: \"@DIR@/copy\"}\n"
                  "    - command: cmp @DIR@/large @DIR@/copy\n"
                  "    - copy: {src: large, dest: \"@DIR@/copy\"}\n");
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 2);
}

static void data_of_a_task_that_was_not_reached_is_dropped(void **state)
{
    (void)state;
    char big[100000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    put_file(f, "big", big);
    put_file(f, "play.yml",
             PLAY "    - block:\n"
                  "        - command: \"false\"\n"
                  "        - copy: {src: big, dest: \"@DIR@/copy\"}\n"
                  "      rescue:\n"
                  "        - file: {path: \"@DIR@/made\", state: touch}\n");
    apply_well(f);
    assert_null(get_file(f, "copy"));
    assert_non_null(get_file(f, "made"));
}

/* --- folders --- */

static void a_folder_arrives_and_only_what_differs_is_changed(void **state)
{
    (void)state;
    put_file(f, "tree/one", "1\n");
    put_file(f, "tree/sub/two words", "2\n");
    put_file(f, "tree/sub/three", "3\n");
    assert_int_equal(symlink("nowhere", arena_printf(f->arena, "%s/tree/broken", f->dir)), 0);
    char *name = arena_printf(f->arena, "%s/tree/%0120d", f->dir, 7); /* longer than a header of tar holds */
    assert_int_equal(symlink("one", name), 0);
    put_file(f, "play.yml", PLAY "    - copy: {src: tree/, dest: \"@DIR@/to/here\", mode: \"0640\"}\n");
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 1);
    assert_string_equal(get_file(f, "to/here/sub/two words"), "2\n");
    assert_string_equal(get_file(f, arena_printf(f->arena, "to/here/%0120d", 7)), "1\n");
    struct stat info;
    assert_int_equal(lstat(arena_printf(f->arena, "%s/to/here/broken", f->dir), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(arena_printf(f->arena, "%s/to/here/one", f->dir), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_OK], 1);
    put_file(f, "to/here/sub/three", "4\n");
    f->options.check = true;
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 1);
    assert_string_equal(get_file(f, "to/here/sub/three"), "4\n");
    f->options.check = false;
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 1);
    assert_string_equal(get_file(f, "to/here/sub/three"), "3\n");
}

static void a_link_into_its_own_folder_is_refused(void **state)
{
    (void)state;
    put_file(f, "tree/one", "1\n");
    assert_int_equal(symlink(".", arena_printf(f->arena, "%s/tree/self", f->dir)), 0);
    put_file(f, "play.yml", PLAY "    - copy: {src: tree, dest: \"@DIR@/to\"}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_holds(err_text(e), "too deep");
}

/* --- a host that behaves badly --- */

static void a_process_left_behind_does_not_hold_the_session(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - shell: sleep 20 & echo $! >@DIR@/pid\n    - command: echo after\n      register: after\n"
             "    - debug: {msg: \"{{ after.stdout }}\"}\n"
             "    - shell: kill $(cat @DIR@/pid)\n");
    apply_well(f);
    assert_holds(f->events.data, "ok debug: after");
}

static void a_lost_shell_is_an_unknown_outcome(void **state)
{
    (void)state;
    put_file(f, "play.yml", PLAY "    - shell: kill -9 $(ps -o ppid= $PPID)\n    - command: \"true\"\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_int_equal(err_kind(e), ERR_UNKNOWN_OUTCOME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(delegated_tasks_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_play_on_this_machine_begins_in_the_folder_of_the_playbook, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_delegated_after_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_delegated_failure_stops_the_play, setup, teardown),
        cmocka_unit_test_setup_teardown(another_machine_is_refused_by_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(tasks_of_a_user_share_a_shell_of_that_user, setup, teardown),
        cmocka_unit_test_setup_teardown(a_user_who_does_not_exist_fails_the_task_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_task_that_ends_its_own_users_shell_is_told_and_the_next_one_gets_a_new_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_larger_than_any_buffer_arrives_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(data_of_a_task_that_was_not_reached_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_arrives_and_only_what_differs_is_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_into_its_own_folder_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_left_behind_does_not_hold_the_session, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_shell_is_an_unknown_outcome, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
