/* Which tasks --tags, --skip-tags and --start-at-task select, and what --list-tasks tells. */
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

static void expect(const char *tags, const char *skip_tags, const char *events)
{
    f->options.tags = tags;
    f->options.skip_tags = skip_tags;
    apply_well(f);
    assert_string_equal(f->events.data, events);
}

static void tags_select_tasks_as_in_ansible(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             PLAY "    - {name: a, debug: {msg: x}, tags: one}\n    - {name: b, debug: {msg: x}, tags: 'two, "
                  "three'}\n    - {name: c, debug: {msg: x}}\n    - {name: d, debug: {msg: x}, tags: [never, "
                  "rare]}\n    - {name: e, debug: {msg: x}, tags: always}\n");
    expect(NULL, NULL, "ok a: x\nok b: x\nok c: x\nok e: x\n");
    expect("one", NULL, "ok a: x\nok e: x\n");
    expect("three,one", NULL, "ok a: x\nok b: x\nok e: x\n");
    expect("rare", NULL, "ok d: x\nok e: x\n");
    expect("tagged", NULL, "ok a: x\nok b: x\nok e: x\n");
    expect("untagged", NULL, "ok c: x\nok e: x\n");
    expect(NULL, "two,always", "ok a: x\nok c: x\n");
    expect(NULL, "tagged", "ok c: x\n");
    expect("all", "all", "ok e: x\n");
}

static void imports_hand_their_tags_on_and_includes_do_not(void **state)
{
    (void)state;
    put_file(f, "more.yml", "- {name: plain, debug: {msg: x}}\n- {name: own, debug: {msg: x}, tags: own}\n");
    put_file(f, "play.yml",
             PLAY "    - {import_tasks: more.yml, tags: outer}\n    - {include_tasks: more.yml, tags: [outer, "
                  "own]}\n    - include_tasks: {file: more.yml, apply: {tags: outer}}\n      tags: outer\n"
                  "    - block:\n        - {name: inner, debug: {msg: x}}\n      tags: [\"{{ 'ou' ~ 'ter' "
                  "}}\"]\n");
    expect("outer", NULL, "ok plain: x\nok own: x\nok plain: x\nok own: x\nok inner: x\n");
    expect("own", NULL, "ok own: x\nok own: x\n");
}

static void a_run_can_start_at_a_task(void **state)
{
    (void)state;
    put_file(f, "roles/r/tasks/main.yml", "- {name: in the role, debug: {msg: x}}\n");
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: false\n  roles: [r]\n  tasks:\n    - {name: first, debug: {msg: "
             "x}}\n    - block:\n        - {name: second, debug: {msg: x}}\n      always:\n        - {name: "
             "third, debug: {msg: x}}\n");
    f->options.start_at_task = "r : in*";
    expect(NULL, NULL, "ok in the role: x\nok first: x\nok second: x\nok third: x\n");
    f->options.start_at_task = "th?rd";
    expect(NULL, NULL, "ok third: x\n");
    f->options.start_at_task = "nowhere";
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "there is no task 'nowhere' to start at");
    assert_string_equal(f->events.data, "");
}

static void note_item(const struct playbook_item *item, void *arg)
{
    strbuf_addf(arg, "%d %s: %s%s%s [%s]\n", item->play_number, item->play, item->role ? item->role : "",
                item->role ? " : " : "", item->task ? item->task : "-", item->tags);
}

static void a_playbook_tells_its_tasks_and_tags(void **state)
{
    (void)state;
    const struct playbook *playbook;
    put_file(f, "roles/r/tasks/main.yml", "- {name: in the role, debug: {msg: x}, tags: b}\n");
    put_file(f, "play.yml",
             "- name: site\n  hosts: all\n  tags: z\n  roles: [{role: r, tags: a}]\n  tasks:\n    - "
             "ansible.builtin.debug: {msg: x}\n    - meta: flush_handlers\n- hosts: web*\n  tasks: []\n");
    assert_null(load(f, &playbook));
    playbook_list(playbook, f->arena, NULL, NULL, note_item, &f->events);
    assert_string_equal(f->events.data, "1 site: - [z]\n1 site: r : in the role [a, b, z]\n"
                                        "1 site: ansible.builtin.debug [z]\n2 web*: - []\n");
    strbuf_reset(&f->events);
    playbook_list(playbook, f->arena, "b", NULL, note_item, &f->events);
    assert_string_equal(f->events.data, "1 site: - [z]\n1 site: r : in the role [a, b, z]\n2 web*: - []\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tags_select_tasks_as_in_ansible, setup, teardown),
        cmocka_unit_test_setup_teardown(imports_hand_their_tags_on_and_includes_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_can_start_at_a_task, setup, teardown),
        cmocka_unit_test_setup_teardown(a_playbook_tells_its_tasks_and_tags, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
