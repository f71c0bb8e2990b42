#include "base/fs.h"
#include "base/strbuf.h"
#include "playbook/template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEMPLATES SOURCE_DIR "/tests/unit/playbook/templates/"
static const struct expr_place place = {.file = "site.yml", .line = 7};

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s in %s", error.text, text);
    return value;
}

static void expect_error(struct err *e, const char *part, const char *hint)
{
    if (!e)
        fail_msg("accepted, but wanted: %s", part);
    assert_int_equal(err_kind(e), ERR_INPUT);
    if (!strstr(err_text(e), part))
        fail_msg("'%s' does not hold '%s'", err_text(e), part);
    if (hint && (!err_hint(e) || !strstr(err_hint(e), hint)))
        fail_msg("the hint of '%s' is '%s', not '%s'", err_text(e), err_hint(e) ? err_hint(e) : "", hint);
    err_free(e);
}

static void refuse_with(const char *vars_text, const char *text, const char *part, const char *hint)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *vars = parse(vars_text), *value = NULL;
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope};
    expect_error(template_render(arena, &env, &place, text, &value), part, hint);
}

static void refuse(const char *text, const char *part, const char *hint)
{
    refuse_with("{\"name\": \"web\", \"map\": {\"port\": 80}, \"list\": [1]}", text, part, hint);
}

static void expect_text(const struct expr_env *env, const char *text, const char *wanted)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *value = NULL;
    struct err *e = template_render(arena, env, &place, text, &value);
    if (e)
        fail_msg("%s", err_text(e));
    assert_string_equal(expr_value_text(arena, value), wanted);
}

/* The .expected files were written by ansible-core 2.14. */
static void template_files_come_out_as_ansible_writes_them(void **state)
{
    (void)state;
    static const char *const files[] = {"site.conf", "settings.yml"};
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *vars = json_load_file(TEMPLATES "vars.json", 0, NULL);
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char *rendered, *expected;
        size_t length, expected_length;
        const char *path = arena_printf(arena, TEMPLATES "%s.j2", files[i]);
        struct err *e = template_render_file(arena, &env, &template_default_syntax, path, &rendered, &length);
        if (e)
            fail_msg("%s", err_text(e));
        path = arena_printf(arena, TEMPLATES "%s.expected", files[i]);
        assert_null(fs_read_file(arena, path, 1 << 20, &expected, &expected_length));
        assert_string_equal(rendered, expected);
        assert_int_equal(length, expected_length);
    }
}

static void errors_name_the_place_the_text_and_a_remedy(void **state)
{
    (void)state;
    refuse("{{ nam }}", "site.yml:7: '{{ nam }}': 'nam' is undefined", "did you mean 'name'?");
    refuse("{{ map.prot }}", "'map.prot' is undefined: the map has no 'prot'", "did you mean 'port'?");
    refuse("{{ list[3] }}", "'list[3]' is undefined: a list of 1 has no such element", NULL);
    refuse("{{ name.x }}", "'name.x' is undefined: text has no attribute 'x'", NULL);
    refuse("{{ name | defualt('x') }}", "site.yml:7: unknown filter 'defualt'", "did you mean 'default'?");
    refuse("{{ list | map('uper') }}", "unknown filter 'uper'", "did you mean 'upper'?");
    refuse("{{ list | select('defind') }}", "unknown test 'defind'", "did you mean 'defined'?");
    refuse("{{ name is defind }}", "unknown test 'defind'", "did you mean 'defined'?");
    refuse("{{ rang(3) }}", "unknown function 'rang'", "did you mean 'range'?");
    refuse("a\nb {{ name | upper( }}", "site.yml:8: ", NULL);
    refuse("{% fro x in list %}{% endfor %}", "unknown statement 'fro'", "did you mean 'for'?");
    refuse("{% do list.append(1) %}", "the statement 'do' is not supported", "{% set _ = ... %}");
    refuse("{% include 'x' %}", "other templates cannot be used here", NULL);
    refuse("{% macro m(a) %}{% endmacro %}{{ n(1) }}", "unknown function 'n'", NULL);
    refuse("{% macro m(a) %}{% endmacro %}{{ m(b=1) }}", "the macro 'm' has no argument 'b'", NULL);
    refuse("a\n\n{% if name %}\n", "site.yml:9: 'if' has no end", NULL);
    refuse("{{ 'a' + 1 }}", "'+' does not work on text and a whole number", "join text with ~");
    refuse("{{ list.append(2) }}", "append() would change a variable of the playbook", "{% set x = value | list %}");
    refuse("{{ map.items }}", "'items' is a method of maps", "['items']");
    refuse("{{ name | default(vlaue='x') }}", "'default' has no argument 'vlaue'", NULL);
    refuse("{{ name | indent(witdh=3) }}", "'indent' has no argument 'witdh'", "did you mean 'width'?");
    refuse("{{ list | join(attribute=nam) }}", "'nam' is undefined", "did you mean 'name'?");
    refuse("{{ lookup('env', 'HOME') }}", "lookups are not possible here", NULL);
}

static void an_error_in_a_variable_names_the_variable(void **state)
{
    (void)state;
    refuse_with("{\"url\": \"http://{{ hots }}/\", \"host\": \"h\"}", "{{ url }}",
                "the variable 'url': site.yml:7: '{{ hots }}': 'hots' is undefined", NULL);
    refuse_with("{\"url\": \"{{ x | nope }}\"}", "{{ url }}",
                "the variable 'url': site.yml:7: unknown filter 'nope'", NULL);
    refuse_with("{\"a\": \"{{ b }}\", \"b\": \"{{ a }}\"}", "{{ a }}", "the variable 'a' refers to itself",
                NULL);
}

static void what_a_host_said_is_never_read_as_a_template(void **state)
{
    (void)state;
    json_auto_t *facts = parse("{\"out\": \"{{ secret }}\", \"map\": {\"k\": [\"{{ secret }}\"]}}");
    json_auto_t *vars = parse("{\"secret\": \"s3\", \"copy\": \"{{ out }}\", \"twice\": \"{{ copy }}\"}");
    struct expr_scope outer = {.vars = vars};
    struct expr_scope scope = {.vars = facts, .literal = true, .outer = &outer};
    struct expr_env env = {.scope = &scope};
    expect_text(&env, "{{ out }}", "{{ secret }}");
    expect_text(&env, "{{ copy }}", "{{ secret }}");
    expect_text(&env, "{{ twice }}", "{{ secret }}");
    expect_text(&env, "{{ map.k[0] }}", "{{ secret }}");
    expect_text(&env, "{{ secret }}", "s3");
}

static void a_condition_does_not_evaluate_what_a_host_said(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *facts =
        parse("{\"out\": \"secret == 's3'\", \"call\": \"range(1)\", \"five\": \"5\", \"none\": \"\"}");
    json_auto_t *vars = parse("{\"secret\": \"s3\"}");
    struct expr_scope outer = {.vars = vars}, scope = {.vars = facts, .literal = true, .outer = &outer};
    struct expr_env env = {.scope = &scope};
    bool truth;
    expect_error(expr_is_true(arena, &env, &place, "{{ out }}", &truth), "the condition gave the text",
                 "without {{ }}");
    expect_error(expr_is_true(arena, &env, &place, "{{ call }}", &truth), "the condition gave the text",
                 NULL);
    assert_null(expr_is_true(arena, &env, &place, "{{ five }}", &truth));
    assert_true(truth);
    assert_null(expr_is_true(arena, &env, &place, "{{ none }}", &truth));
    assert_false(truth);
    assert_null(expr_is_true(arena, &env, &place, "out", &truth));
    assert_true(truth);
}

static void inner_scopes_win_over_outer_ones(void **state)
{
    (void)state;
    json_auto_t *inner = parse("{\"a\": \"inner\"}"),
                *outside = parse("{\"a\": \"outer\", \"b\": \"{{ a }}\"}");
    struct expr_scope outer = {.vars = outside}, none = {.outer = &outer},
                      scope = {.vars = inner, .outer = &none};
    struct expr_env env = {.scope = &scope};
    expect_text(&env, "{{ a }} {{ b }}", "inner inner");
}

static void omitted_arguments_disappear(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *vars = parse("{\"mode\": \"0644\"}"), *rendered = NULL;
    json_auto_t *args = parse(
        "{\"path\": \"/x/{{ mode }}\", \"mode\": \"{{ mode }}\", \"owner\": \"{{ owner | default(omit) }}\","
        "\"list\": [\"a\", \"{{ owner | default(omit) }}\"], \"n\": 3}");
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope};
    assert_null(template_render_json(arena, &env, &place, args, &rendered));
    json_auto_t *wanted = parse("{\"path\": \"/x/0644\", \"mode\": \"0644\", \"list\": [\"a\"], \"n\": 3}");
    assert_true(json_equal(rendered, wanted));
}

static void names_are_found_through_variables(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *vars =
        parse("{\"url\": \"http://{{ host.name }}/\", \"host\": {\"name\": \"{{ result.stdout }}\"}}");
    struct expr_scope scope = {.vars = vars};
    const char **names;
    size_t count;
    assert_null(expr_names(arena, NULL, &place, "a.b == c[d] | default(e) and not f is defined and f", &names,
                           &count));
    assert_int_equal(count, 5);
    assert_string_equal(names[4], "f");
    assert_null(template_names(arena, &scope, &place, "x {{ url }}{% for i in y %}{{ i }}{% endfor %}",
                               &names, &count));
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(names[i], "result") == 0;
    assert_true(found);
    json_auto_t *args = parse("{\"a\": [\"{{ p }}\", {\"b\": \"{{ q }}\"}], \"c\": \"r\"}");
    assert_null(template_names_json(arena, &scope, &place, args, &names, &count));
    assert_int_equal(count, 2);
}

static void checking_needs_no_variables(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    assert_null(expr_check(arena, &place, "x | default(y) is version('1', '>')"));
    assert_null(template_check(arena, &place, "{% if x %}{{ y | join }}{% endif %}"));
    expect_error(expr_check(arena, &place, "x | jion"), "unknown filter 'jion'", "did you mean 'join'?");
    expect_error(expr_check(arena, &place, "x =="), "expected a value instead of 'the end' in 'x =='", NULL);
    expect_error(template_check(arena, &place, "{{ x | jion }}"), "unknown filter 'jion'", NULL);
}

/* What a lookup of a template does: renders again, here the same text. */
static struct err *self_lookup(struct arena *arena, const struct expr_env *env, const struct expr_place *at,
                               const char *plugin, const json_t *terms, const json_t *options,
                               json_t **result)
{
    (void)plugin;
    (void)terms;
    (void)options;
    return template_render(arena, env, at, "{{ lookup('template', 'self') }}", result);
}

static void a_template_that_looks_itself_up_comes_to_an_end(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *value = NULL;
    struct expr_env env = {.lookup = self_lookup};
    expect_error(template_render(arena, &env, &place, "{{ lookup('template', 'self') }}", &value),
                 "lookups nested more than 16 deep", NULL);
}

static struct err *fake_lookup(struct arena *arena, const struct expr_env *env, const struct expr_place *at,
                               const char *plugin, const json_t *terms, const json_t *options,
                               json_t **result)
{
    (void)arena;
    if (strcmp(plugin, "file") != 0)
        return err_new(ERR_INPUT, "unknown lookup");
    if (strcmp(json_string_value(json_array_get(terms, 0)), "absent") == 0)
        return err_new(ERR_NOT_FOUND, "%s: no file '%s'", at->file, (const char *)env->lookup_context);
    *result = json_copy((json_t *)(uintptr_t)terms);
    if (json_object_size(options))
        json_array_append(*result, (json_t *)(uintptr_t)options);
    return NULL;
}

static void lookups_go_to_the_caller(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char context[] = "ctx";
    json_auto_t *value = NULL;
    struct expr_env env = {.lookup = fake_lookup, .lookup_context = context};
    expect_text(&env, "{{ lookup('file', 'a') }}", "a");
    expect_text(&env, "{{ lookup('ansible.builtin.file', 'a', 'b') }}", "a,b");
    expect_text(&env, "{{ query('file', 'a', 'b') }}", "['a', 'b']");
    expect_text(&env, "{{ lookup('file', 'a', wantlist=True) }}", "['a']");
    expect_text(&env, "{{ lookup('file', ['a', 'b'], x=1) }}", "['a', 'b', {'x': 1}]");
    expect_text(&env, "{{ lookup('file', 'absent', errors='ignore') | default('d', true) }}", "d");
    expect_error(
        template_render(arena, &env, &place, "{{ lookup('file', 'absent') | default('x') }}", &value),
        "lookup 'file': site.yml: no file 'ctx'", NULL);
}

static void sizes_depths_and_loops_are_bounded(void **state)
{
    (void)state;
    refuse("{{ 'x' * 100000000 }}", "longer than 16 MiB", NULL);
    refuse("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "MiB of values",
           NULL);
    refuse("{{ range(1000000) }}", "more than 100000 numbers", NULL);
    refuse("{% set x = [] %}{% for i in range(500) %}{% set x = [x] %}{% endfor %}"
           "{% set n = namespace(x=[]) %}{% for i in range(500) %}{% set n.x = [n.x] %}{% endfor %}",
           "nested more than 100 deep", NULL);
    refuse("{% set n = namespace(x=1) %}{% for i in range(500) %}{% set n.x = {'a': n.x}.values() | list "
           "%}{% endfor %}",
           "nested more than 100 deep", NULL);
    refuse("{{ "
           "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))"
           ")))))))))))))))"
           "))))))))))))))))))))) }}",
           "nested", NULL);
    refuse("{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' is match('(a+)+$') }}", "takes too many steps",
           "repeated groups");
    refuse("{{ '%99999999d' % 1 }}", "more than 10000 columns", NULL);
    refuse("{{ 9223372036854775807 + 1 }}", "does not fit in 64 bits", NULL);
    refuse_with("{\"a\": \"{{ b }}{{ b }}{{ b }}{{ b }}{{ b }}{{ b }}{{ b }}{{ b }}\", \"b\": \"{{ c }}{{ c "
                "}}{{ c }}{{ c }}\","
                "\"c\": \"{{ 'xxxxxxxxxxxxxxxx' * 50000 }}\"}",
                "{{ a }}", "larger than 16777216 bytes", NULL);
}

static void long_chains_of_operators_are_refused_not_overflowed(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    static const char *const units[] = {"1+", "not ", "-",  "x if y else ", "a.b|upper is defined and ",
                                        "(",  "[",    "{1:"};
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        CLEANUP_STRBUF struct strbuf sb;
        strbuf_init(&sb, 0);
        for (int n = 0; n < 20000; n++)
            strbuf_adds(&sb, units[i]);
        strbuf_adds(&sb, "1");
        expect_error(expr_check(arena, &place, sb.data), "", NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_files_come_out_as_ansible_writes_them),
        cmocka_unit_test(errors_name_the_place_the_text_and_a_remedy),
        cmocka_unit_test(an_error_in_a_variable_names_the_variable),
        cmocka_unit_test(what_a_host_said_is_never_read_as_a_template),
        cmocka_unit_test(a_condition_does_not_evaluate_what_a_host_said),
        cmocka_unit_test(inner_scopes_win_over_outer_ones),
        cmocka_unit_test(omitted_arguments_disappear),
        cmocka_unit_test(names_are_found_through_variables),
        cmocka_unit_test(checking_needs_no_variables),
        cmocka_unit_test(lookups_go_to_the_caller),
        cmocka_unit_test(a_template_that_looks_itself_up_comes_to_an_end),
        cmocka_unit_test(sizes_depths_and_loops_are_bounded),
        cmocka_unit_test(long_chains_of_operators_are_refused_not_overflowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
