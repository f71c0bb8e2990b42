#include "base/fs.h"
#include "playbook/expr.h"
#include "playbook/template.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct expr_place place = {.file = "site.yml", .line = 7};

static json_t *load_json(const char *name)
{
    char path[500];
    json_error_t error;
    snprintf(path, sizeof(path), SOURCE_DIR "/tests/unit/playbook/%s", name);
    json_t *value = json_load_file(path, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return value;
}

static struct err *load_part(struct arena *arena, const struct expr_env *env, const struct expr_place *from,
                             const char *name, char **text, size_t *length, const char **path)
{
    (void)env;
    (void)from;
    *path = arena_printf(arena, SOURCE_DIR "/tests/unit/playbook/templates/parts/%s", name);
    return fs_read_file(arena, *path, 1 << 20, text, length);
}

static struct err *run_case(struct arena *arena, const struct expr_env *env, const json_t *test,
                            json_t **value)
{
    const char *kind = json_string_value(json_object_get(test, "kind"));
    const char *text = json_string_value(json_object_get(test, "text"));
    if (*kind == 'V')
        return template_render(arena, env, &place, text, value);
    if (*kind == 'C') {
        bool truth;
        struct err *e = expr_is_true(arena, env, &place, text, &truth);
        *value = e ? NULL : json_boolean(truth);
        return e;
    }
    char *rendered;
    size_t length;
    struct err *e = template_render_text(arena, env, "file.j2", text, strlen(text), &rendered, &length);
    *value = e ? NULL : json_stringn(rendered, length);
    return e;
}

static bool same(const json_t *a, const json_t *b)
{
    char *x = json_dumps(a, JSON_ENCODE_ANY | JSON_SORT_KEYS),
         *y = json_dumps(b, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    bool equal = strcmp(x, y) == 0;
    free(x);
    free(y);
    return equal;
}

static int report(const json_t *test, const char *got)
{
    char *wanted =
        json_object_get(test, "refused") ? NULL : json_dumps(json_object_get(test, "value"), JSON_ENCODE_ANY);
    print_error("expr_cases.txt:%d: %s\n  ansible: %s\n  rehost:  %s\n",
                (int)json_integer_value(json_object_get(test, "line")),
                json_string_value(json_object_get(test, "text")), wanted ? wanted : "(refused)", got);
    free(wanted);
    return 1;
}

static int check_case(const struct expr_env *env, const json_t *test)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *value = NULL;
    bool refused = json_is_true(json_object_get(test, "refused"));
    CLEANUP_ERR struct err *e = run_case(arena, env, test, &value);
    if (e)
        return refused && err_kind(e) == ERR_INPUT ? 0 : report(test, err_text(e));
    if (!refused && same(value, json_object_get(test, "value")))
        return 0;
    char *got = json_dumps(value, JSON_ENCODE_ANY);
    report(test, got);
    free(got);
    return 1;
}

/* The expected values come from ansible-core 2.14 itself: see make_expr_cases.py. */
static void every_case_gives_what_ansible_gives(void **state)
{
    (void)state;
    json_auto_t *vars = load_json("expr_vars.json"), *cases = load_json("expr_cases.json");
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope, .load = load_part};
    int failures = 0;
    for (size_t i = 0; i < json_array_size(cases); i++)
        failures += check_case(&env, json_array_get(cases, i));
    assert_true(json_array_size(cases) > 400);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_gives_what_ansible_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
