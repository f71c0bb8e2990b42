/* What is wrong in a playbook is said with its place and, where possible, what was meant. */
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

static void expect_error(const char *text, const char *message, const char *hint)
{
    const struct playbook *playbook;
    put_file(f, "play.yml", text);
    CLEANUP_ERR struct err *e = load(f, &playbook);
    if (!e)
        fail_msg("accepted, but '%s' was expected:\n%s", message, text);
    assert_int_equal(err_kind(e), ERR_INPUT);
    assert_holds(err_text(e), message);
    if (hint)
        assert_holds(err_hint(e), hint);
}

static void expect_good(const char *text)
{
    const struct playbook *playbook;
    put_file(f, "play.yml", text);
    CLEANUP_ERR struct err *e = load(f, &playbook);
    if (e)
        fail_msg("%s (%s)", err_text(e), err_hint(e) ? err_hint(e) : "");
}

#define PLAY "- hosts: all\n  tasks:\n"

static void unknown_modules_and_keywords_are_errors_with_place_and_suggestion(void **state)
{
    (void)state;
    expect_error(PLAY "    - coppy: {dest: /x, content: y}\n",
                 "play.yml:3:7: there is no module or keyword 'coppy'", "'copy'");
    expect_error(PLAY "    - command: id\n      notfy: x\n",
                 "play.yml:4:7: there is no module or keyword 'notfy'", "'notify'");
    expect_error("- hosts: all\n  handler: []\n", "play.yml:2:3: 'handler' is not a keyword of a play",
                 "'handlers'");
    expect_error(PLAY "    - block:\n        - command: id\n      rescu: []\n",
                 "'rescu' is not a keyword of a block", "'rescue'");
    expect_error(PLAY "    - block: []\n      loop: [1]\n", "'loop' is not a keyword of a block", NULL);
    expect_error(PLAY "    - name: nothing\n", "play.yml:3:7: this task has no module", NULL);
    expect_error(PLAY "    - command: a\n      shell: b\n", "a task has one module", NULL);
    expect_error(PLAY "    - community.general.apt: {name: x}\n", "there is no module", "'apt'");
}

static void arguments_are_checked(void **state)
{
    (void)state;
    expect_error(PLAY "    - apt: {nam: nginx}\n", "module 'apt' has no argument 'nam'", "'name'");
    expect_error(PLAY "    - file: {path: /x, state: dir}\n", "argument 'state' of 'file' cannot be 'dir'",
                 "directory");
    expect_error(PLAY "    - copy: {content: x}\n", "module 'copy' needs the argument 'dest'", NULL);
    expect_error(PLAY "    - file: {path: /x, dest: /y}\n", "'path' is given twice", NULL);
    expect_error(PLAY "    - command:\n", "needs a command", NULL);
    expect_error(PLAY "    - template: {src: none.j2, dest: /x}\n", "there is no file 'none.j2'",
                 "templates/");
    expect_error(PLAY "    - apt: name nginx\n", "is not key=value", NULL);
}

static void expressions_and_templates_are_parsed_beforehand(void **state)
{
    (void)state;
    expect_error(PLAY "    - command: id\n      when: a ==\n", "play.yml:4", NULL);
    expect_error(PLAY "    - command: echo {{ a | defalt(1) }}\n", "play.yml:3", "default");
    expect_error(PLAY "    - command: id\n      become: maybe\n", "'become' must be yes or no", NULL);
    expect_error(PLAY "    - command: id\n      register: 1x\n", "must be the name of a variable", NULL);
    expect_error(PLAY "    - command: id\n      loop: [1]\n      loop_control: {lable: x}\n",
                 "'lable' is not a keyword", "'label'");
}

static void what_rehost_cannot_do_is_refused(void **state)
{
    (void)state;
    expect_error(PLAY "    - command: id\n      delegate_to: db-1\n", "'delegate_to' another machine", NULL);
    expect_error(PLAY "    - action: comand id\n", "play.yml:3:15: there is no module or keyword 'comand'",
                 "'command'");
    expect_error(PLAY "    - command: id\n      debugger: always\n",
                 "play.yml:4:7: 'debugger' is not supported", "debug");
    expect_error(PLAY "    - command: id\n      async: 10\n      poll: 0\n",
                 "play.yml:5:13: 'poll: 0' is not", "systemd-run");
    expect_error(PLAY "    - ansible.builtin.add_host: {name: x}\n",
                 "play.yml:3:7: 'ansible.builtin.add_host' is not supported", "inventory");
    expect_error("- hosts: all\n  module_defaults: {apt: {nam: x}}\n", "module 'apt' has no argument 'nam'",
                 NULL);
    expect_error("- tasks: []\n", "has no 'hosts'", NULL);
    expect_error(PLAY "    - command: id\n      tags: {a: b}\n", "play.yml:4:13: 'tags' must be", NULL);
    expect_error(PLAY "    - import_tasks:\n        file: x.yml\n        apply: {become: yes}\n",
                 "module 'import_tasks' has no argument 'apply'", NULL);
    expect_error(PLAY "    - include_tasks:\n        file: x.yml\n        apply: {becom: yes}\n",
                 "play.yml:5:17: 'becom' is not a keyword of a block", "'become'");
    expect_error(PLAY "    - command: id\n      loop: [1]\n      loop_control: {paus: 1}\n",
                 "'paus' is not a keyword of 'loop_control'", "'pause'");
    expect_error("hosts: all\n", "a playbook is a list of plays", NULL);
}

static void modules_for_other_systems_need_a_condition(void **state)
{
    (void)state;
    expect_error(PLAY "    - yum: {name: x}\n", "play.yml:3:7: the module 'yum' is for Red Hat", "'when'");
    expect_error(PLAY "    - ansible.windows.win_service: {name: x}\n", "is for Windows", NULL);
    expect_good(PLAY "    - yum: name=x state=latest\n      when: ansible_os_family == 'RedHat'\n");
    expect_good(PLAY "    - block:\n        - community.general.zypper: {name: x}\n      when: x\n");
    expect_error(PLAY "    - package: {name: x, disable_plugin: y}\n", "has no argument 'disable_plugin'",
                 NULL);
    expect_good(PLAY
                "    - package: {name: x, disable_plugin: y}\n      when: ansible_os_family == 'RedHat'\n");
    expect_good(PLAY "    - debug: {msg: x}\n      with_community.general.flattened: [[1]]\n");
    put_file(f, "redhat.yml", "- ansible.builtin.dnf: {name: \"{{ x | unknown_filter }}\"}\n");
    expect_good(PLAY "    - include_tasks: redhat.yml\n      when: ansible_os_family == 'RedHat'\n");
    expect_error(PLAY "    - include_tasks: redhat.yml\n", "redhat.yml:1:3: the module 'ansible.builtin.dnf'",
                 NULL);
}

static void handlers_must_exist(void **state)
{
    (void)state;
    expect_error(PLAY "    - command: id\n      notify: restart ngix\n  handlers:\n    - name: restart "
                      "nginx\n      command: id\n",
                 "there is no handler 'restart ngix'", "'restart nginx'");
    expect_good(PLAY "    - command: id\n      notify: web changed\n  handlers:\n    - name: a\n      "
                     "listen: web changed\n      command: id\n");
}

static void roles_includes_and_imports_are_read_and_checked(void **state)
{
    (void)state;
    expect_error("- hosts: all\n  roles: [none]\n", "play.yml:2:11: there is no role 'none'", "roles");
    put_file(f, "roles/web/tasks/main.yml", "- comand: id\n");
    expect_error("- hosts: all\n  roles: [web]\n", "roles/web/tasks/main.yml:1:3: there is no module",
                 "'command'");
    put_file(f, "more.yml", "- import_tasks: more.yml\n");
    expect_error(PLAY "    - import_tasks: more.yml\n", "nested more than", NULL);
    expect_error(PLAY "    - include_tasks: none.yml\n", "there is no file 'none.yml'", NULL);
    put_file(f, "other.yml", "- hosts: all\n  task: []\n");
    expect_error("- import_playbook: other.yml\n", "other.yml:2:3: 'task'", "'tasks'");
}

static void full_names_key_value_and_static_counts(void **state)
{
    (void)state;
    const struct playbook *playbook;
    put_file(f, "more.yml",
             "- command: id\n- block:\n    - command: id\n  rescue:\n    - ansible.builtin.debug: msg=hi\n");
    put_file(
        f, "play.yml",
        "- name: first\n  hosts: all\n  tasks:\n    - ansible.builtin.copy: dest=/x content='a b' mode=0644\n"
        "    - community.general.ufw: {rule: allow, port: '22'}\n    - ansible.posix.authorized_key: {user: "
        "a, key: b}\n"
        "    - include_tasks: more.yml\n  handlers:\n    - name: h\n      command: id\n");
    assert_null(load(f, &playbook));
    assert_int_equal(playbook_task_count(playbook), 6);
    assert_string_equal(playbook_name(playbook), "first");
}

static void the_digest_covers_every_file_that_can_be_used(void **state)
{
    (void)state;
    const struct playbook *one, *two, *three;
    put_file(f, "roles/web/tasks/main.yml", "- command: id\n");
    put_file(f, "roles/web/files/data", "1");
    put_file(f, "play.yml", "- hosts: all\n  roles: [web]\n");
    assert_null(load(f, &one));
    assert_null(load(f, &two));
    assert_string_equal(playbook_digest(one), playbook_digest(two));
    put_file(f, "roles/web/files/data", "2");
    assert_null(load(f, &three));
    assert_string_not_equal(playbook_digest(one), playbook_digest(three));
}

static void another_way_to_become_is_refused(void **state)
{
    (void)state;
    put_file(f, "play.yml", "- hosts: all\n  become: yes\n  become_method: su\n  tasks: []\n");
    const struct playbook *playbook;
    CLEANUP_ERR struct err *e = load(f, &playbook);
    assert_non_null(e);
    assert_holds(err_text(e), "play.yml:3:18: 'become_method' can only be sudo");
}

static void all_tasks_that_cannot_be_taken_are_told_at_once(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: all\n  tasks:\n    - aptt: {name: x}\n    - command: echo\n    - copy: {dst: /x, "
             "content: y}\n"
             "  handlers:\n    - name: h\n      servise: {name: x}\n");
    const struct playbook *playbook;
    CLEANUP_ERR struct err *e = load(f, &playbook);
    assert_non_null(e);
    assert_holds(err_text(e), "3 tasks cannot be taken:\n");
    assert_holds(err_text(e), "play.yml:3:7: there is no module or keyword 'aptt'; did you mean 'apt'?");
    assert_holds(err_text(e), "play.yml:5:14: module 'copy' has no argument 'dst'; did you mean 'dest'?");
    assert_holds(err_text(e), "play.yml:8:7: there is no module or keyword 'servise'");
}

static void files_of_vault_are_refused_by_that_name(void **state)
{
    (void)state;
    put_file(f, "secret.yml", "$ANSIBLE_VAULT;1.1;AES256\n3334\n3536\n");
    expect_error("- hosts: all\n  vars_files: [secret.yml]\n  tasks: []\n", "encrypted with Ansible Vault",
                 "decrypt it first");
    put_file(f, "secret.yml", "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3334\n");
    expect_error("- hosts: all\n  vars_files: [secret.yml]\n  tasks: []\n", "'!vault' is not supported",
                 "decrypt the value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_of_vault_are_refused_by_that_name, setup, teardown),
        cmocka_unit_test_setup_teardown(another_way_to_become_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(all_tasks_that_cannot_be_taken_are_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_modules_and_keywords_are_errors_with_place_and_suggestion,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(arguments_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(expressions_and_templates_are_parsed_beforehand, setup, teardown),
        cmocka_unit_test_setup_teardown(what_rehost_cannot_do_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(modules_for_other_systems_need_a_condition, setup, teardown),
        cmocka_unit_test_setup_teardown(handlers_must_exist, setup, teardown),
        cmocka_unit_test_setup_teardown(roles_includes_and_imports_are_read_and_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(full_names_key_value_and_static_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_digest_covers_every_file_that_can_be_used, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
