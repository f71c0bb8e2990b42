/* Keywords, includes, loops, handlers, variables and results: each as ansible-core 2.14 has it. */
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

static void expect(const char *text, const char *events)
{
    put_file(f, "play.yml", text);
    apply_well(f);
    if (strcmp(f->events.data, events) != 0)
        fail_msg("%s\n--- gave ---\n%s--- instead of ---\n%s", text, f->events.data, events);
}

static void keywords_of_an_include_are_its_own(void **state)
{
    (void)state;
    put_file(f, "more.yml", "- set_fact: {go: no}\n- debug: {msg: inside}\n");
    expect(PLAY "    - set_fact: {go: yes}\n    - include_tasks: more.yml\n      when: go\n",
           "ok set_fact\nok set_fact\nok debug: inside\n");
}

static void roles_are_used_as_ansible_uses_them(void **state)
{
    (void)state;
    put_file(f, "roles/common/defaults/main/a.yml", "who: default\n");
    put_file(f, "roles/common/tasks/main.yml", "- debug: {msg: \"common {{ who }}\"}\n");
    put_file(f, "roles/a/meta/main.yml", "dependencies: [{role: common, who: a}, common]\n");
    put_file(f, "roles/a/defaults/main.yml", "x: default\n");
    put_file(f, "roles/a/vars/main.yml", "v: role\n");
    put_file(f, "roles/a/handlers/main.yml", "- {name: h, debug: {msg: \"h {{ x }}\"}}\n");
    put_file(f, "roles/a/tasks/main.yml",
             "- debug: {msg: \"{{ x }} {{ v }} {{ g | default('none') }}\"}\n  changed_when: true\n  notify: "
             "h\n");
    put_file(f, "roles/b/meta/main.yml", "dependencies: [common, {role: common, who: a}]\n");
    put_file(f, "roles/b/tasks/main.yml", "- debug: {msg: b}\n");
    expect("- hosts: all\n  gather_facts: false\n  roles:\n    - a\n    - {role: a, vars: {v: given, g: "
           "given}}\n    - {role: a, x: param}\n    - a\n    - b\n",
           "ok debug: common a\nok debug: common default\nchanged debug: default role given\n"
           "changed debug: default role given\nchanged debug: param role given\nok debug: b\nok h: h "
           "default\n");
}

static void a_role_that_was_skipped_may_still_run(void **state)
{
    (void)state;
    put_file(f, "roles/common/tasks/main.yml", "- debug: {msg: common}\n");
    put_file(f, "roles/a/meta/main.yml", "dependencies: [common]\n");
    put_file(f, "roles/a/tasks/main.yml", "- debug: {msg: a}\n");
    expect("- hosts: all\n  gather_facts: false\n  roles:\n    - {role: a, when: false}\n    - common\n    - "
           "common\n",
           "skipped debug\nskipped debug\nok debug: common\n");
}

static void included_roles_keep_their_variables_unless_public(void **state)
{
    (void)state;
    put_file(f, "roles/r/vars/main.yml", "v: inside\n");
    put_file(f, "roles/r/vars/two.yml", "v: two\n");
    put_file(f, "roles/r/handlers/main.yml", "- {name: h, debug: {msg: handled}}\n");
    put_file(f, "roles/r/tasks/main.yml",
             "- debug: {msg: \"{{ v }} {{ p | default('') }} {{ role_name }}\"}\n  changed_when: true\n  "
             "notify: h\n");
    put_file(f, "roles/s/tasks/more.yml", "- debug: {msg: more}\n");
    expect(PLAY
           "    - set_fact: {p: fact, name: r}\n    - include_role: {name: r}\n      vars: {p: include}\n"
           "    - debug: {msg: \"{{ v | default('hidden') }}\"}\n    - include_role: {name: \"{{ name "
           "}}\", vars_from: two.yml, public: true}\n"
           "      loop: [1, 2]\n      loop_control: {loop_var: p}\n    - debug: {msg: \"{{ v }}\"}\n    - "
           "import_role: {name: s, tasks_from: more}\n",
           "ok set_fact\nchanged debug: inside include r\nok debug: hidden\nchanged debug: two 1 r\nchanged "
           "debug: two 2 r\nok debug: two\nok debug: more\nok h: handled\nok h: handled\n");
}

static void an_include_may_include_itself_while_its_condition_holds(void **state)
{
    (void)state;
    put_file(f, "again.yml",
             "- set_fact: {n: \"{{ n | int + 1 }}\"}\n- include_tasks: again.yml\n  when: n | int < 3\n");
    expect(PLAY "    - set_fact: {n: 0}\n    - include_tasks: again.yml\n    - debug: {msg: \"{{ n }}\"}\n",
           "ok set_fact\nok set_fact\nok set_fact\nok set_fact\nok debug: 3\n");
}

static void with_forms_give_the_items_of_ansible(void **state)
{
    (void)state;
    expect(
        PLAY "    - debug: {msg: \"{{ item }}\"}\n      with_sequence: start=1 end=5 stride=2 format=x%02d\n"
             "    - debug: {msg: \"{{ item }}\"}\n      with_sequence: '6-8/2:h%03x'\n"
             "    - debug: {msg: \"{{ item }}\"}\n      with_sequence: count={{ 2 }} start=0x0f\n"
             "    - debug: {msg: none}\n      with_sequence: count=0\n",
        "ok debug => x01: x01\nok debug => x03: x03\nok debug => x05: x05\nok debug => h006: h006\nok debug "
        "=> h008: h008\nok debug => 15: 15\nok debug => 16: 16\nskipped debug\n");
    expect(PLAY
           "    - debug: {msg: \"{{ item.0.n }}{{ item.0.k is undefined }}{{ item.1 }}\"}\n      "
           "with_subelements: [[{n: a, k: [1, 2]}, {n: b}], k, {skip_missing: true}]\n      loop_control: "
           "{label: \"{{ item.1 }}\"}\n    - debug: {msg: \"{{ item }}\"}\n      with_random_choice: [z, "
           "z]\n    - debug: {msg: \"{{ item.key }}\"}\n      with_dict: [{a: 1}, {b: 2}]\n      "
           "loop_control: {label: x}\n",
           "ok debug => 1: aTrue1\nok debug => 2: aTrue2\nok debug => z: z\nok debug => x: a\nok debug => x: "
           "b\n");
}

static void results_of_loops_have_the_keys_of_ansible(void **state)
{
    (void)state;
    expect(PLAY
           "    - {debug: {msg: x}, loop: [1, 2], when: item == 1, register: r, loop_control: {index_var: "
           "i}}\n    - debug: {msg: \"{{ r.keys() | sort }} {{ r.skipped }} {{ r.msg }}\"}\n    - debug: "
           "{msg: \"{{ r.results[1].keys() | sort }} {{ r.results[0].keys() | sort }}\"}\n"
           "    - {debug: {msg: x}, loop: [], register: r}\n    - debug: {msg: \"{{ r }}\"}\n",
           "ok debug => 1: x\nskipped debug => 2\n"
           "ok debug: ['changed', 'msg', 'results', 'skipped'] False All items completed\n"
           "ok debug: ['ansible_index_var', 'ansible_loop_var', 'changed', 'i', 'item', 'skip_reason', "
           "'skipped'] ['ansible_index_var', 'ansible_loop_var', 'changed', 'failed', 'i', 'item', 'msg']\n"
           "skipped debug\nok debug: {\n  \"changed\": false,\n  \"skipped\": true,\n  "
           "\"skipped_reason\": \"No items in the list\",\n  \"results\": []\n}\n");
}

static void a_module_may_be_named_by_action(void **state)
{
    (void)state;
    expect(PLAY
           "    - action: debug msg=one\n    - local_action: {module: debug, msg: two}\n    - name: t\n      "
           "action: command echo three\n      register: r\n    - debug: {msg: \"{{ r.stdout }}\"}\n      "
           "delegate_to: localhost\n",
           "ok debug: one\nok debug: two\nchanged t\nok debug: three\n");
}

static void module_defaults_fill_what_a_task_leaves_out(void **state)
{
    (void)state;
    expect(
        "- hosts: all\n  gather_facts: false\n  module_defaults: {debug: {msg: play}, "
        "ansible.builtin.command: {chdir: /}}\n  tasks:\n    - debug:\n    - debug: {msg: own}\n    - "
        "block:\n   "
        "     - debug:\n        - command: pwd\n          register: r\n      module_defaults: {debug: {msg: "
        "block}}\n    - debug: {msg: \"{{ r.stdout }}\"}\n",
        "ok debug: play\nok debug: own\nok debug: block\nchanged command\nok debug: /\n");
}

static void playbooks_import_others_with_variables_tags_and_conditions(void **state)
{
    (void)state;
    put_file(f, "sub/files/data", "sub");
    put_file(f, "sub/other.yml",
             PLAY
             "    - debug: {msg: \"{{ v }} {{ lookup('file', 'data') }} {{ playbook_dir | basename }}\"}\n");
    put_file(
        f, "play.yml",
        "- import_playbook: sub/other.yml\n  vars: {v: one}\n  tags: a\n- import_playbook: sub/other.yml\n  "
        "vars: {v: two}\n  when: false\n" PLAY "    - debug: {msg: last}\n");
    apply_well(f);
    assert_string_equal(f->events.data, "ok debug: one sub sub\nskipped debug\nok debug: last\n");
    f->options.tags = "a";
    apply_well(f);
    assert_string_equal(f->events.data, "ok debug: one sub sub\n");
}

static void vars_files_may_be_templates_and_lists(void **state)
{
    (void)state;
    put_file(f, "vars/two.yml", "v: two\nw: two\n");
    put_file(f, "three.yml", "w: three\n");
    expect(
        "- hosts: all\n  gather_facts: false\n  vars: {name: two, v: play}\n  vars_files:\n    - [\"{{ name "
        "}}-none.yml\", \"{{ name }}.yml\", three.yml]\n    - three.yml\n  tasks:\n    - debug: {msg: \"{{ v "
        "}} {{ w }}\"}\n",
        "ok debug: two three\n");
    put_file(f, "play.yml", "- hosts: all\n  vars_files: [[none.yml, \"{{ 'no' }}.yml\"]]\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "there is no file of 'vars_files'");
}

static void nobody_is_asked_for_variables(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        "- hosts: all\n  gather_facts: false\n  vars: {a: play}\n  vars_prompt:\n    - {name: a, default: "
        "def}\n    - {name: b, prompt: really}\n  tasks:\n    - debug: {msg: \"{{ a }} {{ b }}\"}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_INPUT);
    assert_holds(err_text(e), "'vars_prompt' asks for 'b'");
    json_t *extra = json_pack("{s:s}", "b", "given");
    f->options.extra_vars = extra;
    apply_well(f);
    assert_string_equal(f->events.data, "ok debug: def given\n");
    json_decref(extra);
}

static void a_module_for_another_system_fails_only_when_it_is_reached(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        PLAY
        "    - yum: {name: x}\n      when: false\n    - dnf: {name: \"{{ item }}\"}\n      loop: [a]\n      "
        "when: item == 'a'\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(f->events.data, "skipped yum\nfailed dnf => a: ");
    assert_holds(err_text(e), "'dnf', as it is written here, is for another system");
}

static void include_vars_reads_files_and_folders(void **state)
{
    (void)state;
    put_file(f, "roles/r/vars/main.yml", "a: main\n");
    put_file(f, "roles/r/vars/b.yml", "b: b\nc: b\n");
    put_file(f, "roles/r/vars/c.json", "{\"c\": \"json\"}");
    put_file(f, "roles/r/vars/sub/d.yml", "d: deep\n");
    put_file(
        f, "roles/r/tasks/main.yml",
        "- include_vars: {dir: vars, name: all}\n- debug: {msg: \"{{ all }}\"}\n- include_vars: {dir: sub, "
        "depth: 1}\n  register: r\n- debug: {msg: \"{{ d }} {{ r.ansible_included_var_files | "
        "map('basename') "
        "}}\"}\n");
    put_file(f, "more/x.yml", "x: x\n");
    put_file(f, "more/y.txt", "y: y\n");
    expect("- hosts: all\n  gather_facts: false\n  roles: [r]\n  tasks:\n    - include_vars: {dir: more, "
           "files_matching: '^x'}\n    - debug: {msg: \"{{ x }}\"}\n    - include_vars: {dir: more}\n      "
           "ignore_errors: true\n      register: r\n    - debug: {msg: \"{{ r is failed }}\"}\n    - "
           "include_vars: "
           "{dir: more, ignore_unknown_extensions: true}\n",
           arena_printf(f->arena,
                        "ok include_vars\nok debug: {\n  \"b\": \"b\",\n  \"c\": \"json\",\n  \"d\": "
                        "\"deep\"\n}\nok include_vars\nok debug: deep ['d.yml']\nok include_vars\nok debug: "
                        "x\nignored include_vars: %s/play.yml:7:7: '%s/more/y.txt' does not have a valid "
                        "extension\nok debug: true\nok include_vars\n",
                        f->dir, f->dir));
}

static void what_is_done_here_does_not_run_ahead_of_the_host(void **state)
{
    (void)state;
    expect(
        PLAY
        "    - block:\n        - command: 'false'\n        - set_fact: {x: set}\n      rescue:\n        - "
        "debug: {msg: \"{{ x | default('unset') }}\"}\n    - set_fact: {flag: true}\n    - command: 'true'\n "
        "     changed_when: flag\n    - set_fact: {flag: false}\n    - command: echo reg\n      register: "
        "y\n    - set_fact: {y: fact}\n    - debug: {msg: \"{{ y }}\"}\n",
        "failed command: exit 1\nok debug: unset\nok set_fact\nchanged command\nok set_fact\nchanged "
        "command\nok set_fact\nok debug: fact\n");
    assert_int_equal(f->result.counts[TASK_FAILED], 0);
}

static void a_failure_before_the_task_is_ignored_and_hidden_too(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        PLAY
        "    - debug: {msg: x}\n      when: nowhere\n      ignore_errors: true\n    - debug: {msg: x}\n      "
        "loop: \"{{ nowhere }}\"\n      ignore_errors: true\n    - debug: {msg: \"{{ item }}\"}\n      "
        "loop: [hunter2]\n      when: item != 'hunter2'\n      no_log: true\n    - debug: {var: item}\n      "
        "loop: "
        "[hunter2]\n      no_log: true\n      register: r\n    - fail: {msg: \"{{ r.results[0].item "
        "}}\"}\n      no_log: true\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(f->events.data, "ignored debug: ");
    assert_null(strstr(f->events.data, "hunter2"));
    assert_null(strstr(err_text(e), "hunter2"));
    assert_int_equal(f->result.counts[TASK_IGNORED], 2);
}

static void what_a_failed_loop_gave_is_there_for_the_rescue(void **state)
{
    (void)state;
    expect(
        PLAY "    - block:\n        - {command: \"{{ item }}\", loop: ['true', 'false']}\n      rescue:\n"
             "        - debug: {msg: \"{{ ansible_failed_result.results | length }} {{ "
             "ansible_failed_result.msg }}\"}\n",
        "changed command => true\nfailed command => false: exit 1\nok debug: 2 One or more items failed\n");
}

static void a_verdict_that_cannot_be_reached_keeps_the_result(void **state)
{
    (void)state;
    expect(PLAY
           "    - {command: echo x, failed_when: nowhere == 1, register: r, ignore_errors: true}\n"
           "    - debug: {msg: \"{{ r.rc }} {{ r.stdout }} {{ r.failed }} {{ 'nowhere' in "
           "r.failed_when_result }}\"}\n    - {command: echo y, changed_when: nowhere == 1, register: r, "
           "failed_when: false, ignore_errors: true}\n    - debug: {msg: \"{{ r.rc }} {{ 'nowhere' in "
           "r.changed_when_result }}\"}\n",
           arena_printf(
               f->arena,
               "ignored command: %s/play.yml:4: 'nowhere == 1': 'nowhere' is undefined\nok debug: 0 x True "
               "True\nignored command: %s/play.yml:6: 'nowhere == 1': 'nowhere' is undefined\nok debug: 0 "
               "True\n",
               f->dir, f->dir));
}

static void who_leaves_the_play_does_not_come_by_always(void **state)
{
    (void)state;
    expect(PLAY
           "    - block:\n        - meta: end_host\n      always:\n        - debug: {msg: always}\n"
           "    - debug: {msg: never}\n- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {msg: "
           "next}\n",
           "ok debug: next\n");
}

static void unsafe_text_is_never_rendered(void **state)
{
    (void)state;
    expect("- hosts: all\n  gather_facts: false\n  vars: {x: !unsafe 'a {{ b }}', y: !unsafe \"{{ 'q' "
           "}}\\n\\\"{% z\", l: "
           "[!unsafe '{# c #}', !unsafe plain], z: '{{ x }}-'}\n  tasks:\n"
           "    - debug: {msg: \"{{ x }}|{{ y }}|{{ l }}|{{ z }}\"}\n"
           "    - debug: {msg: !unsafe '{{ x }}'}\n    - {command: !unsafe \"echo {{.x}}\", register: r}\n"
           "    - debug: {var: r.stdout}\n",
           "ok debug: a {{ b }}|{{ 'q' }}\n\"{% z|['{# c #}', 'plain']|a {{ b }}-\nok debug: {{ x }}\n"
           "changed command\nok debug: r.stdout: {{.x}}\n");
}

static void names_of_plays_are_rendered_where_they_are_asked_for(void **state)
{
    (void)state;
    expect("- hosts: all\n  name: play {{ q }}\n  gather_facts: false\n  vars: {q: 1}\n  tasks:\n"
           "    - debug: {msg: \"{{ ansible_play_name }}\"}\n",
           "ok debug: play 1\n");
}

static void tries_are_counted_as_ansible_counts_them(void **state)
{
    (void)state;
    expect(PLAY "    - command: 'true'\n      register: r\n      until: false\n      retries: 2\n      "
                "delay: 0\n      "
                "ignore_errors: true\n    - debug: {msg: \"{{ r.attempts }}\"}\n    - command: 'true'\n      "
                "register: r\n      until: r is changed\n    - debug: {msg: \"{{ r.attempts }}\"}\n    - "
                "debug: {var: "
                "r.rc}\n      register: s\n    - debug: {msg: \"x{{ s.keys() | sort }}\"}\n",
           "ignored command: exit 0\nok debug: 2\nchanged command\nok debug: 1\nok debug: r.rc: 0\nok debug: "
           "x['changed', 'failed', 'r.rc']\n");
}

static void vars_holds_everything_as_it_is_written(void **state)
{
    (void)state;
    expect("- hosts: all\n  gather_facts: false\n  vars: {h: x, lazy: \"{{ h }}!\"}\n  tasks:\n    - debug: "
           "{msg: "
           "\"{{ vars['lazy'] }} {{ vars.no | default('none') }} {{ 'h' in vars }} {{ vars.t }}\"}\n      "
           "vars: {t: "
           "task}\n",
           "ok debug: {{ h }}! none True task\n");
}

static void every_level_of_variables_wins_over_the_one_below(void **state)
{
    (void)state;
    put_file(f, "vf.yml", "c: vf\nd: vf\n");
    put_file(f, "iv.yml", "d: iv\ne: iv\n");
    put_file(f, "inc.yml", "- debug: {msg: \"INC {{ e }}\"}\n");
    put_file(f, "roles/r/defaults/main.yml", "a: rdef\nrdef: rdef\nlazy: \"{{ a }}+{{ rvar }}\"\n");
    put_file(f, "roles/r/vars/main.yml", "rvar: rvar\ne: rvars\nh: rvars\nd: rvars\n");
    put_file(f, "roles/r/tasks/main.yml",
             "- debug: {msg: \"{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ h }} {{ lazy }} {{ z }}\"}\n  "
             "vars: {zz: task, "
             "h: taskh, d: taskd}\n- set_fact: {h: facth}\n- debug: {msg: \"{{ h }}\"}\n");
    put_file(f, "roles/s/defaults/main.yml", "rdef: sdef\n");
    put_file(f, "roles/s/vars/main.yml", "e: svars\nrvar: svar\n");
    put_file(f, "roles/s/tasks/main.yml", "- debug: {msg: \"s {{ rdef }} {{ rvar }} {{ e }}\"}\n");
    expect("- hosts: all\n  gather_facts: false\n  vars: {a: play, b: play, c: play, d: play, e: play, h: "
           "play}\n  "
           "vars_prompt: [{name: b, default: prompt}]\n  vars_files: [vf.yml]\n  roles: [{role: r, h: param, "
           "z: \"{{ zz "
           "}}\"}, s]\n  tasks:\n    - debug: {msg: \"P {{ d }} {{ e }} {{ h }} {{ rdef }} {{ rvar }}\"}\n   "
           " - block:\n     "
           "   - debug: {msg: \"{{ a }} {{ i }}\"}\n          vars: {i: \"{{ a }}-task\"}\n      vars: {a: "
           "block}\n    - "
           "include_vars: iv.yml\n    - debug: {msg: \"{{ d }} {{ e }}\"}\n      vars: {e: task}\n    - "
           "set_fact: {e: fact, "
           "\"x{{ 1 }}\": dynamic}\n    - include_vars: iv.yml\n    - debug: {msg: \"{{ e }} {{ x1 }}\"}\n   "
           "   vars: {e: "
           "task}\n    - {include_tasks: inc.yml, vars: {e: param}}\n    - {import_tasks: inc.yml, vars: {e: "
           "param}}\n   "
           " - {include_tasks: inc.yml, loop: [1], loop_control: {loop_var: e}}\n    - {include_role: {name: "
           "s}, vars: {e: "
           "param}}\n    - {import_role: {name: s}, vars: {e: param}}\n",
           "ok debug: play prompt vf taskd rvars param play+rvar task\nok set_fact\nok debug: param\nok "
           "debug: s sdef svar "
           "svars\nok debug: P rvars svars facth sdef svar\nok debug: block block-task\nok include_vars\nok "
           "debug: iv iv\n"
           "ok set_fact\nok include_vars\nok debug: fact dynamic\nok debug: INC param\nok debug: INC "
           "fact\nok debug: INC "
           "1\nok debug: s sdef svar param\nok debug: s sdef svar fact\n");
}

static void async_limits_how_long_a_task_may_take(void **state)
{
    (void)state;
    expect(
        PLAY
        "    - command: 'true'\n      async: 30\n      poll: 1\n      register: r\n    - debug: {msg: \"{{ "
        "r.finished }} {{ r is changed }}\"}\n    - command: 'false'\n      async: 30\n      ignore_errors: "
        "true\n    - command: 'true'\n      until: true\n      retries: \"{{ nowhere }}\"\n      "
        "ignore_errors: true\n    - command: 'false'\n      retries: 2\n      delay: 0\n      register: r\n  "
        "    "
        "ignore_errors: true\n    - debug: {msg: \"{{ 'attempts' in r }}\"}\n",
        arena_printf(f->arena,
                     "changed command\nok debug: 1 True\nignored command: exit 1\nignored command: "
                     "%s/play.yml:14: '{{ nowhere }}': 'nowhere' is undefined\nignored command: exit 1\nok "
                     "debug: false\n",
                     f->dir));
    put_file(f, "play.yml", PLAY "    - name: slow\n      command: sleep 3\n      async: 1\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_UNKNOWN_OUTCOME);
    assert_holds(err_text(e), "task 'slow' was not done within 1 s (async)");
    assert_string_equal(f->result.doubted.task, "slow"); /* so nobody repeats it without looking */
}

static void facts_are_gathered_when_only_a_variable_names_them(void **state)
{
    (void)state;
    json_t *host = json_pack("{s:s}", "v", "{{ ansible_os_family | length > 0 }}");
    f->options.host_vars = host;
    expect("- hosts: all\n  tasks:\n    - debug: {msg: \"{{ v }}\"}\n",
           "ok Gathering Facts\nok debug: true\n");
    json_decref(host);
    f->options.host_vars = NULL;
    put_file(f, "other/x.yml", "- debug: {msg: \"{{ ansible_os_family is defined }}\"}\n");
    expect("- hosts: all\n  vars: {name: x}\n  tasks:\n    - include_tasks: \"other/{{ name }}.yml\"\n",
           "ok Gathering Facts\nok debug: true\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keywords_of_an_include_are_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(roles_are_used_as_ansible_uses_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_role_that_was_skipped_may_still_run, setup, teardown),
        cmocka_unit_test_setup_teardown(included_roles_keep_their_variables_unless_public, setup, teardown),
        cmocka_unit_test_setup_teardown(an_include_may_include_itself_while_its_condition_holds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(with_forms_give_the_items_of_ansible, setup, teardown),
        cmocka_unit_test_setup_teardown(results_of_loops_have_the_keys_of_ansible, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_may_be_named_by_action, setup, teardown),
        cmocka_unit_test_setup_teardown(module_defaults_fill_what_a_task_leaves_out, setup, teardown),
        cmocka_unit_test_setup_teardown(playbooks_import_others_with_variables_tags_and_conditions, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(vars_files_may_be_templates_and_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_asked_for_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_for_another_system_fails_only_when_it_is_reached, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(include_vars_reads_files_and_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_done_here_does_not_run_ahead_of_the_host, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_before_the_task_is_ignored_and_hidden_too, setup, teardown),
        cmocka_unit_test_setup_teardown(tries_are_counted_as_ansible_counts_them, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_failed_loop_gave_is_there_for_the_rescue, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verdict_that_cannot_be_reached_keeps_the_result, setup, teardown),
        cmocka_unit_test_setup_teardown(who_leaves_the_play_does_not_come_by_always, setup, teardown),
        cmocka_unit_test_setup_teardown(unsafe_text_is_never_rendered, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_plays_are_rendered_where_they_are_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(vars_holds_everything_as_it_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(every_level_of_variables_wins_over_the_one_below, setup, teardown),
        cmocka_unit_test_setup_teardown(async_limits_how_long_a_task_may_take, setup, teardown),
        cmocka_unit_test_setup_teardown(facts_are_gathered_when_only_a_variable_names_them, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
