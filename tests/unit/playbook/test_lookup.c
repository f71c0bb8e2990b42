/* Lookups, the loops that are lookups, and templates that read others. What is expected is what
 * ansible-core 2.14 said (ansible-playbook, connection local). */
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

#define PLAY "- hosts: all\n  gather_facts: false\n  ignore_errors: true\n"

/* Plays the tasks; `events` without the word debug. */
static void expect(const char *vars, const char *tasks, const char *events)
{
    put_file(f, "play.yml", arena_printf(f->arena, PLAY "%s  tasks:\n%s", vars, tasks));
    apply_well(f);
    if (strcmp(f->events.data, events) != 0)
        fail_msg("%s\n--- gave ---\n%s--- instead of ---\n%s", tasks, f->events.data, events);
}

/* One message of an expression. */
static void expect_text(const char *template, const char *text)
{
    put_file(f, "play.yml",
             arena_printf(f->arena,
                          PLAY "  vars: {word: w, look_a: 1, look_b: \"{{ word }}2\", nested: {key: k}}\n  "
                               "tasks:\n    - debug: {msg: \"> %s\"}\n",
                          template));
    apply_well(f);
    const char *events = arena_printf(f->arena, "ok debug: > %s\n", text);
    if (strcmp(f->events.data, events) != 0)
        fail_msg("%s\n--- gave ---\n%s--- instead of ---\n%s", template, f->events.data, events);
}

/* The task fails, and says this in its message. */
static void expect_failure(const char *template, const char *part)
{
    put_file(f, "play.yml",
             arena_printf(f->arena,
                          PLAY
                          "  vars: {look_a: 1, nested: {key: k}}\n  tasks:\n    - debug: {msg: \"> %s\"}\n",
                          template));
    apply_well(f);
    assert_holds(f->events.data, "ignored debug: ");
    assert_holds(f->events.data, part);
}

static void files_lose_the_white_space_at_their_end(void **state)
{
    (void)state;
    put_file(f, "files/padded", "  padded \n\n");
    put_file(f, "files/empty", "");
    expect_text("[{{ lookup('file', 'padded') }}] [{{ lookup('file', 'padded', lstrip=true) }}]",
                "[  padded] [padded]");
    expect_text(
        "{{ lookup('file', 'padded', rstrip=false) | length }} {{ lookup('unvault', 'padded') | length }}",
        "11 11");
    expect_text("{{ lookup('file', 'padded', 'padded') }} {{ query('file', 'empty', 'padded') }}",
                "  padded,  padded ['', '  padded']");
    expect_text("{{ lookup('file', 'padded', wantlist=True) }} {{ q('file', 'padded') }}",
                "['  padded'] ['  padded']");
    expect_failure("{{ lookup('file', 'nosuch') }}", "there is no file 'nosuch'");
}

static void errors_may_be_ignored(void **state)
{
    (void)state;
    expect_text("{{ lookup('file', 'nosuch', errors='ignore') is none }} {{ query('file', 'nosuch', "
                "errors='warn') }}",
                "True []");
    expect_failure("{{ lookup('file', 'nosuch', errors='strict') }}", "nosuch");
}

static void a_rendered_template_that_is_data_becomes_data(void **state)
{
    (void)state;
    put_file(f, "templates/list.j2", "[1, 2, {{ 1 + 2 }}]\n");
    put_file(f, "templates/map.j2", "{\"a\": {{ 1 + 2 }}, \"b\": \"{{ word }}\"}\n");
    expect_text("{{ lookup('template', 'list.j2') }} {{ lookup('template', 'list.j2') | type_debug }}",
                "[1, 2, 3] list");
    expect_text("{{ lookup('template', 'map.j2').b }}", "w");
    expect_text("{{ query('template', 'list.j2', 'map.j2') }}", "[[1, 2, 3], {'a': 3, 'b': 'w'}]");
    expect_text("{{ (lookup('template', 'map.j2', convert_data=False) | from_json).a }}", "3");
    expect_text("{{ lookup('template', 'list.j2', convert_data=False) | length }}", "10");
}

static void a_template_lookup_takes_variables_and_marks(void **state)
{
    (void)state;
    put_file(f, "templates/marks.j2", "[% word %] {{ word }} [# gone #]{# gone #}");
    put_file(
        f, "templates/magic.j2",
        "{{ template_path }} {{ template_destpath | default('none', true) }} {{ given | default('-') }}");
    expect_text("{{ lookup('template', 'marks.j2', variable_start_string='[%', variable_end_string='%]') }}",
                "w {{ word }} [# gone #]");
    expect_text("{{ lookup('template', 'marks.j2', comment_start_string='[#', comment_end_string='#]') }}",
                "[% word %] w {# gone #}");
    expect_text("{{ lookup('template', 'magic.j2', template_vars={'given': 'g'}) }}", "magic.j2 none g");
}

static void a_glob_looks_in_files_and_beside_the_playbook(void **state)
{
    (void)state;
    put_file(f, "files/deep/a.conf", "a");
    put_file(f, "files/deep/b.conf", "b");
    put_file(f, "files/deep/.hidden", "h");
    put_file(f, "files/deep/folder.conf/x", "x");
    put_file(f, "beside.txt", "x");
    expect_text("{{ query('fileglob', 'deep/*') | map('basename') | sort }} {{ query('fileglob', 'deep/.h*') "
                "| map('basename') }}",
                "['a.conf', 'b.conf'] ['.hidden']");
    expect_text("{{ query('fileglob', 'deep/[ab].conf', 'beside*') | map('basename') | sort }}",
                "['a.conf', 'b.conf', 'beside.txt']");
    expect_text("{{ lookup('fileglob', 'nosuch*') }} {{ query('fileglob', 'nosuch/*') }} {{ "
                "lookup('fileglob', 'nosuch*') | length }}",
                "[] [] 0");
    expect("",
           "    - debug: {msg: \"{{ item | basename }}\"}\n      with_fileglob: [deep/b*, deep/a*]\n      "
           "loop_control: {label: file}\n",
           "ok debug => file: b.conf\nok debug => file: a.conf\n");
}

static void the_first_file_that_is_there_is_found(void **state)
{
    (void)state;
    put_file(f, "files/one.txt", "1");
    put_file(f, "vars/two.yml", "two: 2");
    expect_text("{{ lookup('first_found', 'nosuch', 'one.txt') | basename }} {{ lookup('first_found', "
                "['nosuch', 'one.txt'], ['x']) | basename }}",
                "one.txt one.txt");
    expect_text("{{ lookup('first_found', {'files': 'nosuch,two.yml', 'paths': 'files:vars'}) | basename }}",
                "two.yml");
    expect_text("{{ lookup('first_found', {'files': ['nosuch']}, {'files': ['one.txt']}) | basename }}",
                "one.txt");
    expect_text("{{ lookup('first_found', {'files': ['nosuch'], 'skip': true}) }} {{ query('first_found', "
                "'nosuch', errors='ignore') }}",
                "[] []");
    expect_failure("{{ lookup('first_found', 'two.yml') }}", "none of the files was found");
}

static void first_found_looks_where_the_action_has_its_files(void **state)
{
    (void)state;
    put_file(f, "vars/own.yml", "own: vars");
    put_file(f, "files/own.yml", "own: files");
    put_file(f, "templates/own.j2", "of templates\n");
    put_file(f, "files/own.j2", "of files\n");
    expect("",
           "    - include_vars: \"{{ item }}\"\n      with_first_found: [own.yml]\n      loop_control: "
           "{label: own}\n"
           "    - debug: {msg: \"{{ own }}\"}\n"
           "    - template: {src: \"{{ item }}\", dest: @DIR@/out}\n      with_first_found: [own.j2]\n      "
           "loop_control: {label: own}\n",
           "ok include_vars => own\nok debug: vars\nchanged template => own\n");
    assert_string_equal(get_file(f, "out"), "of templates\n");
}

static void candidates_with_undefined_names_are_passed_over(void **state)
{
    (void)state;
    put_file(f, "files/one.txt", "1");
    expect("  vars: {word: one}\n",
           "    - debug: {msg: \"{{ item | basename }}\"}\n      with_first_found: [\"{{ nosuch }}.txt\", "
           "\"{{ word }}.txt\"]\n      loop_control: {label: found}\n",
           "ok debug => found: one.txt\n");
    expect("  vars: {word: one}\n",
           "    - debug: {msg: \"{{ item | basename }}\"}\n      with_first_found:\n        - files: [\"{{ "
           "nosuch }}.txt\", \"{{ word }}.txt\"]\n"
           "        - one.txt\n      loop_control: {label: found}\n",
           "ok debug => found: one.txt\n");
}

static void variables_are_looked_up_by_their_names_only(void **state)
{
    (void)state;
    expect_text("{{ lookup('vars', 'look_a', 'look_b') }} {{ lookup('vars', 'nested').key }} {{ "
                "lookup('vars', 'look_a') | type_debug }}",
                "[1, 'w2'] k int");
    expect_text(
        "{{ lookup('vars', 'nosuch', default='d') }} {{ lookup('vars', 'nosuch', default='') == '' }}",
        "d True");
    expect_failure("{{ lookup('vars', 'nested.key') }}", "there is no variable 'nested.key'");
    expect_failure("{{ lookup('vars', 'look_a + 1') }}", "there is no variable");
    expect_failure("{{ lookup('vars', 1) }}", "no name of a variable");
    expect_failure("{{ lookup('vars', 'nosuch') }}", "nosuch");
    expect_text("{{ query('varnames', '^look_a', 'k_a$') }} {{ query('varnames', '^look_') | sort }} {{ "
                "query('varnames', '^nosuch') }}",
                "['look_a', 'look_a'] ['look_a', 'look_b'] []");
}

static void commands_run_on_the_control_side(void **state)
{
    (void)state;
    expect_text("[{{ lookup('pipe', 'printf \\\" a \\\\n\\\\n\\\"') }}] {{ query('pipe', 'echo a', 'echo b') "
                "}} [{{ lookup('pipe', 'true') }}]",
                "[ a] ['a', 'b'] []");
    expect_text("{{ query('lines', 'echo a; echo; echo b') }} {{ lookup('lines', 'echo a; echo b') }} {{ "
                "query('lines', 'true') }}",
                "['a', '', 'b'] a,b []");
    expect_text("{{ lookup('pipe', 'exit 3', errors='ignore') is none }}", "True");
    expect_failure("{{ lookup('pipe', 'exit 3') }}", "ended with 3");
    expect_text("[{{ lookup('env', 'NOSUCH') }}] {{ lookup('env', 'NOSUCH', default='d') }} {{ query('env', "
                "'NOSUCH', 'NOSUCH') }}",
                "[] d ['', '']");
}

static void loops_go_through_lines_files_and_the_environment(void **state)
{
    (void)state;
    put_file(f, "files/one", "of one\n");
    expect(
        "",
        "    - debug: {msg: \"{{ item }}\"}\n      with_lines: [echo a; echo b, echo c]\n"
        "    - debug: {msg: \"{{ item }}\"}\n      with_file: [one]\n"
        "    - debug: {msg: \"[{{ item }}]\"}\n      with_env: [NOSUCH]\n      loop_control: {label: env}\n",
        "ok debug => a: a\nok debug => b: b\nok debug => c: c\nok debug => of one: of one\nok debug => env: "
        "[]\n");
}

static void settings_are_read_as_pythons_parser_reads_them(void **state)
{
    (void)state;
    put_file(
        f, "files/all.ini",
        "# a comment\n[first]\nName = Ann Lee\npath: /usr/local\nempty =\nlong = one\n  two\nsemi = a ; b\n"
        "[second part]\nname=Bob\nport1 = 80\nport2 = 81\n[DEFAULT]\nshared = yes\n");
    expect_text("{{ lookup('ini', 'name', section='first', file='all.ini') }} {{ lookup('ini', 'NAME "
                "section=first file=all.ini') }}",
                "Ann Lee Ann Lee");
    expect_text("{{ query('ini', 'name', 'path', section='first', file='all.ini') }} [{{ lookup('ini', "
                "'semi', section='first', file='all.ini') }}]",
                "['Ann Lee', '/usr/local'] [a ; b]");
    expect_text("{{ lookup('ini', 'long', section='first', file='all.ini').splitlines() }}",
                "['one', 'two']");
    expect_text("{{ query('ini', 'empty', 'nosuch', section='first', file='all.ini') }} {{ lookup('ini', "
                "'nosuch', section='first', file='all.ini', default='d') }}",
                "['', ''] d");
    expect_text("{{ query('ini', 'port\\\\d', section='second part', file='all.ini', re=True) }} {{ "
                "query('ini', 'nosuch', section='first', file='all.ini', re=True) }}",
                "['80', '81'] []");
    expect_text("{{ lookup('ini', 'shared', section='first', file='all.ini') }} {{ lookup('ini', 'shared', "
                "section='DEFAULT', file='all.ini') }}",
                "yes yes");
    expect_text(
        "[{{ lookup('ini', 'Name', section='first', file='all.ini', case_sensitive=True) }}] [{{ "
        "lookup('ini', 'name', section='first', file='all.ini', case_sensitive=True, default='none') }}]",
        "[Ann Lee] [none]");
    expect_failure("{{ lookup('ini', 'name', section='nosuch', file='all.ini') }}",
                   "there is no section 'nosuch'");
    expect_failure("{{ lookup('ini', 'name colour=red', section='first', file='all.ini') }}",
                   "there is no option 'colour'");
    put_file(f, "files/all.properties", "user.name = ann\nuser.home=/home/ann\n# no\nlast:1\n");
    expect_text("{{ query('ini', 'user', type='properties', file='all.properties', re=True) }} {{ "
                "lookup('ini', 'last type=properties file=all.properties') }}",
                "['ann', '/home/ann'] 1");
}

static void tables_give_a_field_of_the_first_row(void **state)
{
    (void)state;
    put_file(f, "files/people.csv",
             "name,age,note\nann,30,\"likes, commas\"\nbob,25,\"says \"\"hi\"\"\"\ncy,,\nann,99,second\n");
    put_file(f, "files/ansible.csv", "ann\t30\nbob\t25\n");
    expect_text("{{ lookup('csvfile', 'ann', file='people.csv', delimiter=',') }} {{ lookup('csvfile', 'ann "
                "file=people.csv delimiter=, col=2') }}",
                "30 likes, commas");
    expect_text("{{ lookup('csvfile', 'bob', file='people.csv', delimiter=',', col=2) | replace('\\\"', '#') "
                "}} {{ lookup('csvfile', 'bob') }} {{ lookup('csvfile', 'bob', delimiter='TAB', col='0') }}",
                "says #hi# 25 bob");
    expect_text("{{ lookup('csvfile', 'nosuch') }} {{ query('csvfile', 'nosuch') }} {{ lookup('csvfile', "
                "'nosuch', default='d') }} [{{ lookup('csvfile', 'cy', file='people.csv', delimiter=',') }}]",
                "[] [] d []");
    expect_failure("{{ lookup('csvfile', 'ann', file='people.csv', delimiter=',', col=9) }}",
                   "has no column 9");
}

static void a_stored_password_is_kept(void **state)
{
    (void)state;
    put_file(f, "secret", "stored-secret\n");
    expect_text("{{ lookup('password', 'secret') }} {{ lookup('password', 'secret length=5 chars=digits') }}",
                "stored-secret stored-secret");
    expect_text("{{ lookup('password', '/dev/null length=3') | length }} {{ lookup('password', '/dev/null', "
                "length=4) | length }} {{ lookup('password', '/dev/null') | length }}",
                "3 4 20");
    expect_text("{{ lookup('password', '/dev/null length=40 chars=x,,') is match('[x,]{40}$') }} {{ "
                "lookup('password', '/dev/null', length=40, chars=['a', 'b']) is match('[ab]{40}$') }}",
                "True True");
    expect_failure("{{ lookup('password', '/dev/null colour=red') }}", "there is no option 'colour'");
    expect_text("{{ lookup('password', 'deep/made length=8') | length }} {{ lookup('password', 'deep/made') "
                "== lookup('password', 'deep/made') }}",
                "8 True");
    assert_int_equal(strlen(get_file(f, "deep/made")), 9);
}

static void lists_and_maps_are_shaped(void **state)
{
    (void)state;
    expect_text("{{ query('items', ['a', ['b']], 'c') }} {{ lookup('items', ['a', 'b']) }} {{ query('items', "
                "{'a': 1}) }} {{ query('items', 5) }}",
                "['a', ['b'], 'c'] a,b [{'a': 1}] [5]");
    expect_text(
        "{{ query('list', ['a', ['b']], 'c') }} {{ lookup('list', ['a', 'b']) }} {{ query('list', []) }}",
        "[['a', ['b']], 'c'] ['a', 'b'] [[]]");
    expect_text(
        "{{ lookup('dict', {'k': 'v'}).key }} {{ lookup('dict', {'a': 1, 'b': 2}) | map(attribute='value') "
        "}} {{ query('dict', {'a': 1}, {'b': 2}) | length }} {{ query('dict', {}) }}",
        "k [1, 2] 2 []");
    expect_failure("{{ query('dict', 'text') }}", "it takes maps");
    expect_text("{{ query('sequence', 'start=1 end=3') }} {{ lookup('sequence', '3') }} {{ query('sequence', "
                "'5-8/2:s%02d') }} {{ query('sequence', 'count=2', 'end=1') }}",
                "['1', '2', '3'] 1,2,3 ['s05', 's07'] ['1', '2', '1']");
    expect_text("{{ query('sequence', 'start=10 end=8 stride=-1') }} {{ query('sequence', 'start=0x0f "
                "count=2 format=%04x') }} {{ query('sequence', 'count=0') }}",
                "['10', '9', '8'] ['000f', '0010'] []");
    expect_text("{{ query('nested', ['a', 'b'], [1, 2]) }} {{ query('nested', [['a', 'b'], 'c'], ['x']) }}",
                "[['a', 1], ['a', 2], ['b', 1], ['b', 2]] [['a', 'b', 'x'], ['c', 'x']]");
    expect_text("{{ query('together', ['a', 'b'], [1]) }} {{ lookup('random_choice', ['a', 'a']) }} {{ "
                "query('random_choice', 'a') }}",
                "[['a', 1], ['b', None]] ['a', 'a'] ['a']");
    expect_text("{{ query('subelements', {'x': {'a': [1]}, 'y': {'a': [2, 3]}}, 'a') | map('last') | list }} "
                "{{ query('subelements', [{'n': 1}, {'k': ['a']}], 'k', {'skip_missing': True}) | length }}",
                "[1, 2, 3] 1");
    expect_failure("{{ query('subelements', [{'n': 1}], 'k') }}", "has no list 'k'");
}

static void a_role_finds_its_own_files_first(void **state)
{
    (void)state;
    put_file(f, "files/words.txt", "of the playbook");
    put_file(f, "files/only.txt", "only there");
    put_file(f, "roles/r/files/words.txt", "of the role");
    put_file(f, "roles/r/vars/own.yml", "own: v");
    put_file(f, "roles/r/templates/base.j2",
             "head {{ template_path }}\n{% block body %}\nof the base\n{% endblock %}\nfoot\n");
    put_file(f, "roles/r/templates/macros.j2",
             "{% macro line(text, n=2) -%}\n{{ text * n }}!\n{%- endmacro %}\n{% macro other(a='d') %}<{{ a "
             "}}>{% endmacro %}\n");
    put_file(f, "roles/r/templates/parts/inner.j2",
             "{% macro shout(t) %}{{ t | upper }} {{ own | default('-') }}{% endmacro %}\ninner {{ own }}\n");
    put_file(f, "roles/r/templates/parts/leaf.j2", "leaf {{ each | default('') }}\n");
    put_file(f, "roles/r/templates/own.j2",
             "{% extends 'base.j2' %}\n{% from 'macros.j2' import line, other as second %}\n{% import "
             "'parts/inner.j2' as inner with context %}\n"
             "{% block body %}\n{{ super() }}{{ line('one') }}\n{{ second() }} {{ second('x') }} {{ "
             "inner.shout('w') }}\n{% include 'parts/inner.j2' %}\n"
             "{% include 'nosuch.j2' ignore missing %}\n{% include ['nosuch.j2', 'parts/leaf.j2'] %}\n{% for "
             "each in [1, 2] %}\n{% include 'parts/leaf.j2' %}\n{% endfor %}\n{% endblock %}\n");
    put_file(f, "roles/r/tasks/main.yml",
             "- debug: {msg: \"{{ lookup('file', 'words.txt') }} {{ lookup('file', 'only.txt') }} {{ "
             "query('fileglob', '*.txt') | map('basename') }}\"}\n"
             "- include_vars: \"{{ item }}\"\n  with_first_found: [nosuch.yml, own.yml]\n  loop_control: "
             "{label: own}\n"
             "- template: {src: own.j2, dest: @DIR@/out}\n");
    put_file(f, "play.yml", "- hosts: all\n  gather_facts: false\n  roles: [r]\n");
    apply_well(f);
    assert_string_equal(f->events.data, "ok debug: of the role only there ['words.txt']\nok "
                                        "include_vars => own\nchanged template\n");
    assert_string_equal(get_file(f, "out"),
                        "head own.j2\nof the base\noneone!\n<d> <x> W v\ninner vleaf leaf 1leaf 2foot\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_lose_the_white_space_at_their_end, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_may_be_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rendered_template_that_is_data_becomes_data, setup, teardown),
        cmocka_unit_test_setup_teardown(a_template_lookup_takes_variables_and_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_glob_looks_in_files_and_beside_the_playbook, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_file_that_is_there_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(first_found_looks_where_the_action_has_its_files, setup, teardown),
        cmocka_unit_test_setup_teardown(candidates_with_undefined_names_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(variables_are_looked_up_by_their_names_only, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_run_on_the_control_side, setup, teardown),
        cmocka_unit_test_setup_teardown(loops_go_through_lines_files_and_the_environment, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_are_read_as_pythons_parser_reads_them, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_give_a_field_of_the_first_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stored_password_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_and_maps_are_shaped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_role_finds_its_own_files_first, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
