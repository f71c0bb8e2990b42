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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keywords_of_an_include_are_its_own, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
