/* Playbooks from end to end, by a local shell: what is evaluated when, what stops what, and how often the
 * control side waits. */
#include "play_fixture.h"

static struct fixture *f;

static int setup(void **state)
{
    (void)state;
    f = fixture_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_free(f);
    return 0;
}

#define PLAY "- hosts: all\n  gather_facts: false\n  tasks:\n"

static void values_with_every_trick_arrive_as_they_are(void **state)
{
    (void)state;
    const char *nasty = "it's \"q\" $(touch @DIR@/pwned) `touch @DIR@/pwned` $HOME \\n \\\\ %s ; & | * ~ 'é' "
                        "{% raw %}{{ x }}{% endraw %}.";
    put_file(
        f, "play.yml",
        arena_printf(
            f->arena,
            "- hosts: all\n  gather_facts: false\n  vars:\n    nasty: !!str |-\n      %s\n      second\n\n  "
            "tasks:\n"
            "    - copy: {dest: \"@DIR@/out\", content: \"{{ nasty }}\"}\n"
            "    - shell: printf %%s {{ nasty | quote }}\n      register: said\n"
            "    - copy: {dest: \"@DIR@/said\", content: \"{{ said.stdout }}\"}\n"
            "    - shell: printf %%s \"$nasty\" >@DIR@/env\n      environment: {nasty: \"{{ nasty }}\"}\n"
            "    - command: cat\n      args: {stdin: \"{{ nasty }}\", stdin_add_newline: false}\n      "
            "register: fed\n"
            "    - copy: {dest: \"@DIR@/fed\", content: \"{{ fed.stdout }}\"}\n",
            nasty));
    apply_well(f);
    assert_null(get_file(f, "pwned"));
    const char *want = arena_printf(
        f->arena,
        "it's \"q\" $(touch %s/pwned) `touch %s/pwned` $HOME \\n \\\\ %%s ; & | * ~ 'é' {{ x }}.\nsecond",
        f->dir, f->dir);
    assert_string_equal(get_file(f, "out"), want);
    assert_string_equal(get_file(f, "said"), want);
    assert_string_equal(get_file(f, "env"), want);
    assert_string_equal(get_file(f, "fed"), want);
}

static void what_a_host_says_is_never_a_template(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: echo '{{ \"{{\" }} lookup(\"env\", \"HOME\") }}'\n      register: said\n"
                  "    - copy: {dest: \"@DIR@/out\", content: \"{{ said.stdout }}\"}\n");
    apply_well(f);
    assert_string_equal(get_file(f, "out"), "{{ lookup(\"env\", \"HOME\") }}");
}

static void the_facts_of_a_module_have_a_name_of_their_own(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - getent: {database: passwd, key: root}\n"
                  "    - copy: {dest: '@DIR@/a', content: '{{ ansible_facts.getent_passwd.root[4] }}'}\n"
                  "    - copy: {dest: '@DIR@/b', content: '{{ getent_passwd[\"root\"][4] }}'}\n");
    apply_well(f);
    assert_string_equal(get_file(f, "a"), "/root");
    assert_string_equal(get_file(f, "b"), "/root");
}

static void independent_tasks_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct strbuf play;
    strbuf_init(&play, 0);
    strbuf_adds(&play, PLAY);
    strbuf_adds(&play, "    - command: sleep 0.5\n      register: slow\n");
    for (int i = 0; i < 40; i++)
        strbuf_addf(&play, "    - file: {path: \"@DIR@/d%d\", state: directory}\n      register: r%d\n", i,
                    i);
    strbuf_adds(&play, "    - debug: {msg: \"{{ r39.changed }}\"}\n");
    put_file(f, "play.yml", play.data);
    strbuf_free(&play);
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 41);
    assert_holds(f->events.data, "ok debug: true");
    apply_well(f);
    assert_int_equal(f->result.counts[TASK_CHANGED], 1);
}

static void a_failure_stops_what_was_sent_after_it(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - name: breaks\n      command: sh -c 'echo why >&2; exit 3'\n"
                  "    - file: {path: \"@DIR@/after\", state: directory}\n"
                  "  handlers:\n    - name: h\n      file: {path: \"@DIR@/handled\", state: directory}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_holds(err_text(e), "task 'breaks' failed: exit 3: why");
    assert_string_equal(f->result.failed.task, "breaks");
    assert_int_equal(f->result.failed.line, 4);
    assert_int_equal(access(arena_printf(f->arena, "%s/after", f->dir), F_OK), -1);
    assert_string_equal(f->events.data, "failed breaks: exit 3: why\n");
}

static void a_loop_goes_on_after_a_failed_item_and_then_stops_the_play(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: test {{ item }} != b\n      loop: [a, b, c]\n"
                  "    - file: {path: \"@DIR@/after\", state: directory}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(f->events.data, "changed command => a\nfailed command => b: exit 1\nchanged command => c\n");
    assert_null(get_file(f, "after"));
    assert_int_equal(f->result.counts[TASK_FAILED], 1);
}

static void rescue_and_always_run_as_ansible_runs_them(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - block:\n        - command: 'true'\n        - {name: breaks, command: 'false'}\n     "
                  "   - copy: "
                  "{dest: \"@DIR@/no\", content: x}\n"
                  "      rescue:\n        - copy: {dest: \"@DIR@/rescued\", content: \"{{ "
                  "ansible_failed_task.name }} {{ ansible_failed_result.rc }}\"}\n"
                  "      always:\n        - copy: {dest: \"@DIR@/always\", content: a}\n"
                  "    - copy: {dest: \"@DIR@/after\", content: b}\n"
                  "    - block:\n        - fail: {msg: done}\n      always:\n        - copy: {dest: "
                  "\"@DIR@/always2\", content: c}\n"
                  "    - copy: {dest: \"@DIR@/never\", content: d}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "task 'fail' failed: done");
    assert_null(get_file(f, "no"));
    assert_string_equal(get_file(f, "rescued"), "breaks 1");
    assert_string_equal(get_file(f, "always"), "a");
    assert_string_equal(get_file(f, "after"), "b");
    assert_string_equal(get_file(f, "always2"), "c");
    assert_null(get_file(f, "never"));
}

static void conditions_on_results_decide(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: sh -c 'exit 4'\n      register: r\n      failed_when: r.rc not in [0, 4]\n "
                  "     changed_when: r.rc == 0\n"
                  "    - debug: {msg: unchanged}\n      when: r is not changed and r.rc == 4\n"
                  "    - debug: {msg: skipped}\n      when: r is changed\n      register: s\n"
                  "    - debug: {msg: \"{{ s is skipped }}\"}\n"
                  "    - command: 'false'\n      ignore_errors: true\n      register: i\n"
                  "    - debug: {msg: \"failed {{ i is failed }}\"}\n"
                  "    - command: echo hi\n      changed_when: false\n      register: out\n"
                  "    - set_fact: {said: \"{{ out.stdout }}\", flag: 'yes'}\n"
                  "    - debug: {msg: \"{{ said }} {{ flag }}\"}\n");
    apply_well(f);
    assert_string_equal(
        f->events.data,
        "ok command\nok debug: unchanged\nskipped debug\nok debug: true\nignored command: exit 1\n"
        "ok debug: failed True\nok command\nok set_fact\nok debug: hi True\n");
}

static void handlers_run_once_at_the_end_in_their_order(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - command: 'true'\n      notify: [second, all]\n    - command: 'true'\n      notify: "
             "first\n      changed_when: false\n"
             "    - name: flush\n      meta: flush_handlers\n    - command: 'true'\n      notify: first\n"
             "  handlers:\n    - {name: first, command: 'true', notify: last}\n    - {name: second, command: "
             "'true'}\n"
             "    - {name: third, command: 'true', listen: all}\n    - {name: last, debug: {msg: bye}}\n");
    apply_well(f);
    assert_string_equal(f->events.data, "changed command\nok command\nchanged second\nchanged third\nchanged "
                                        "command\nchanged first\nok last: bye\n");
}

static void loops_have_variables_labels_and_results(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - command: echo {{ thing.name }}{{ i }}\n      loop: [{name: a, secret: x}, {name: b, "
             "secret: y}]\n"
             "      loop_control: {loop_var: thing, index_var: i, label: \"{{ thing.name }}\"}\n      "
             "register: all\n"
             "    - debug: {msg: \"{{ all.results | map(attribute='stdout') | join(',') }} {{ "
             "all.results[1].thing.name }}\"}\n"
             "    - debug: {msg: \"{{ item.key }}={{ item.value }}\"}\n      with_dict: {k: v}\n"
             "    - debug: {msg: \"{{ item }}\"}\n      with_items: [[1, 2], 3]\n      when: item != 2\n");
    apply_well(f);
    assert_string_equal(f->events.data, "changed command => a\nchanged command => b\nok debug: a0,b1 b\n"
                                        "ok debug => {'key': 'k', 'value': 'v'}: k=v\n"
                                        "ok debug => 1: 1\nskipped debug => 2\nok debug => 3: 3\n");
}

static void until_tries_again(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - shell: echo x >>@DIR@/tries; wc -l <@DIR@/tries\n      register: n\n      until: "
                  "n.stdout | int >= 3\n      retries: 5\n      delay: 0\n"
                  "    - debug: {msg: \"{{ n.attempts }}\"}\n"
                  "    - command: 'false'\n      register: never\n      until: never.rc == 0\n      retries: "
                  "2\n      delay: 0\n      ignore_errors: true\n");
    apply_well(f);
    assert_string_equal(f->events.data, "changed shell\nok debug: 3\nignored command: exit 1\n");
}

static void variables_win_in_ansibles_order(void **state)
{
    (void)state;
    put_file(f, "roles/r/defaults/main.yml",
             "a: default\nb: default\nc: default\nd: default\ne: default\ng: '{{ a }}!'\n");
    put_file(f, "roles/r/vars/main.yml", "c: role\n");
    put_file(f, "vars.yml", "b: file\n");
    put_file(f, "roles/r/tasks/main.yml",
             "- debug: {msg: \"{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ g }}\"}\n  vars: {d: task}\n");
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: false\n  vars: {b: play, c: play}\n  vars_files: [vars.yml]\n  "
             "roles: [r]\n");
    json_t *host = json_pack("{s:s, s:s}", "a", "host", "b", "host"),
           *extra = json_pack("{s:s}", "e", "extra");
    f->options.host_vars = host;
    f->options.extra_vars = extra;
    apply_well(f);
    assert_string_equal(f->events.data, "ok debug: host file role task extra host!\n");
    json_decref(host);
    json_decref(extra);
}

static void includes_take_conditions_loops_and_variables(void **state)
{
    (void)state;
    put_file(f, "one.yml", "- debug: {msg: \"{{ item | default('none') }} {{ v | default('-') }}\"}\n");
    put_file(f, "roles/r/tasks/main.yml", "- debug: {msg: \"role {{ role_name }}\"}\n");
    put_file(f, "play.yml",
             PLAY "    - include_tasks: one.yml\n      vars: {v: 1}\n    - include_tasks: \"{{ 'one' "
                  "}}.yml\"\n      loop: [x, y]\n"
                  "    - include_tasks: one.yml\n      when: false\n    - import_tasks: one.yml\n      when: "
                  "false\n    - include_role: {name: r}\n"
                  "    - include_tasks: \"{{ 'missing' }}.yml\"\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_string_equal(
        f->events.data,
        arena_printf(f->arena,
                     "ok debug: none 1\nok debug: x -\nok debug: y -\nskipped debug\nok debug: role "
                     "r\nfailed include_tasks: %s/play.yml:13:7: there is no file "
                     "'missing.yml' to include\n",
                     f->dir));
    assert_non_null(e);
}

static void check_mode_changes_nothing_and_tells_what_would(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - copy: {dest: \"@DIR@/new\", content: \"a\\n\"}\n    - command: touch @DIR@/ran\n    "
                  "- command: echo yes\n      check_mode: false\n"
                  "    - file: {path: \"@DIR@/dir\", state: directory}\n    - file: {path: "
                  "\"@DIR@/play.yml\", mode: \"0600\"}\n");
    f->options.check = f->options.diff = true;
    apply_well(f);
    assert_string_equal(f->events.data,
                        "changed copy\nskipped command\nchanged command\nchanged file\nchanged file\n");
    assert_null(get_file(f, "new"));
    assert_null(get_file(f, "ran"));
    assert_null(get_file(f, "dir"));
}

static void no_log_hides_values(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: sh -c 'echo hunter2; exit 1'\n      no_log: true\n      loop: [hunter2]\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_null(strstr(f->events.data, "hunter2"));
    assert_null(strstr(err_text(e), "hunter2"));
}

static void each_item_says_itself_what_is_hidden_and_what_is_ignored(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - command: sh -c 'echo {{ item.v }}; exit 1'\n      no_log: \"{{ item.hide }}\"\n      "
             "ignore_errors: \"{{ item.ignore }}\"\n      loop:\n"
             "        - {v: hunter2, hide: true, ignore: false}\n        - {v: shown, hide: false, ignore: "
             "true}\n    - file: {path: '@DIR@/after', state: touch}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_null(strstr(f->events.data, "hunter2"));
    assert_null(strstr(err_text(e), "hunter2"));
    assert_holds(f->events.data, "ignored command => ");
    assert_holds(f->events.data, "shown");
    assert_null(get_file(f, "after"));
    put_file(
        f, "play.yml",
        PLAY
        "    - command: 'false'\n      when: item.fail\n      ignore_errors: \"{{ item.ignore }}\"\n      "
        "loop: [{fail: true, ignore: true}, {fail: false, ignore: false}]\n    - file: {path: "
        "'@DIR@/after', state: touch}\n");
    apply_well(f);
    assert_non_null(get_file(f, "after"));
}

static void nothing_of_a_task_shows_in_the_process_list(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - copy: {dest: \"@DIR@/secret\", content: hunter2}\n"
                  "    - shell: |\n        secret=hunter2\n        cat /proc/[0-9]*/cmdline "
                  "/proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c hunter[2] || :\n"
                  "      register: seen\n    - debug: {msg: \"{{ seen.stdout }}\"}\n");
    apply_well(f);
    assert_holds(f->events.data, "ok debug: 0\n");
}

static void output_of_a_command_cannot_pass_for_a_result(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - shell: |\n        for fd in 1 2 3 4 5; do printf 'x 1 ok 0\\n\\n' >&$fd; done "
                  "2>/dev/null\n        exit 7\n      failed_when: false\n      register: r\n"
                  "    - debug: {msg: \"{{ r.rc }}\"}\n");
    apply_well(f);
    assert_holds(f->events.data, "ok debug: 7\n");
}

static void commands_cannot_eat_the_tasks_after_them(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - command: cat\n      register: r\n    - shell: read x; echo \"got $x\"\n      "
                  "register: s\n      failed_when: false\n"
                  "    - debug: {msg: \"[{{ r.stdout }}] {{ s.stdout }}\"}\n");
    apply_well(f);
    assert_holds(f->events.data, "ok debug: [] got \n");
}

static void large_and_binary_files_arrive_whole(void **state)
{
    (void)state;
    char *path = arena_printf(f->arena, "%s/files/blob", f->dir);
    put_file(f, "files/blob", "x");
    FILE *file = fopen(path, "w");
    for (unsigned i = 0; i < 700000; i++)
        fputc((int)((i * 7919 + i / 251) & 0xff), file);
    fclose(file);
    put_file(f, "play.yml",
             PLAY "    - copy: {src: blob, dest: \"@DIR@/blob\", mode: \"0640\"}\n    - command: cmp "
                  "@DIR@/blob @DIR@/files/blob\n"
                  "    - copy: {src: blob, dest: \"@DIR@/blob\"}\n");
    apply_well(f);
    assert_string_equal(f->events.data, "changed copy\nchanged command\nok copy\n");
}

static void an_undefined_variable_fails_its_task_only(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY
             "    - command: echo {{ nowhere }}\n      ignore_errors: true\n    - debug: {msg: goes on}\n"
             "    - command: echo {{ nowhere }}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(f->events.data, "ignored command: ");
    assert_holds(f->events.data, "'nowhere' is undefined");
    assert_holds(f->events.data, "ok debug: goes on\n");
}

static void a_pause_that_is_no_whole_number_is_refused(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - pause: {seconds: soon}\n      ignore_errors: true\n"
                  "    - pause: {minutes: 99999999999999999999}\n      ignore_errors: true\n"
                  "    - pause: {seconds: 0}\n");
    apply_well(f);
    assert_holds(f->events.data, "'seconds' of 'pause' is 'soon'");
    assert_holds(f->events.data, "'minutes' of 'pause' is '");
    assert_holds(f->events.data, "ok pause");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_with_every_trick_arrive_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_host_says_is_never_a_template, setup, teardown),
        cmocka_unit_test_setup_teardown(the_facts_of_a_module_have_a_name_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(independent_tasks_do_not_wait_for_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_stops_what_was_sent_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loop_goes_on_after_a_failed_item_and_then_stops_the_play, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rescue_and_always_run_as_ansible_runs_them, setup, teardown),
        cmocka_unit_test_setup_teardown(conditions_on_results_decide, setup, teardown),
        cmocka_unit_test_setup_teardown(handlers_run_once_at_the_end_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(loops_have_variables_labels_and_results, setup, teardown),
        cmocka_unit_test_setup_teardown(until_tries_again, setup, teardown),
        cmocka_unit_test_setup_teardown(variables_win_in_ansibles_order, setup, teardown),
        cmocka_unit_test_setup_teardown(includes_take_conditions_loops_and_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(check_mode_changes_nothing_and_tells_what_would, setup, teardown),
        cmocka_unit_test_setup_teardown(no_log_hides_values, setup, teardown),
        cmocka_unit_test_setup_teardown(each_item_says_itself_what_is_hidden_and_what_is_ignored, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_of_a_task_shows_in_the_process_list, setup, teardown),
        cmocka_unit_test_setup_teardown(output_of_a_command_cannot_pass_for_a_result, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_cannot_eat_the_tasks_after_them, setup, teardown),
        cmocka_unit_test_setup_teardown(large_and_binary_files_arrive_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(an_undefined_variable_fails_its_task_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pause_that_is_no_whole_number_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
