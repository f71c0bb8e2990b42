/* Any text as an expression, alone and inside a template, with values of every type in scope, lookups and
 * other templates that give the text back: the answer is a value or an error that is the input's fault,
 * within the limits. */
#include "playbook/template.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *variables(void)
{
    json_error_t error;
    json_t *vars = json_loads(
        "{\"l\": [3, 1, \"b\", \"A\", 2.5, null, true], \"n\": 7, \"f\": -1.5, \"t\": true, \"z\": null, "
        "\"e\": \"\","
        "\"s\": \"Gr\\u00fc\\u00dfe a-b, c\\nd\", \"m\": {\"a\": 1, \"b\": {\"c\": [1, 2]}, \"k y\": \"v\"},"
        "\"u\": [{\"n\": \"x\", \"g\": [\"p\", \"q\"]}, {\"n\": \"y\", \"g\": []}], \"p\": \"/etc/x.conf\","
        "\"v\": \"{{ s }}\", \"j\": \"{\\\"a\\\": [1]}\", \"i\": [[1, [2, [3]]], []], \"d\": \"2024-01-02 "
        "03:04:05\","
        "\"r\": {\"changed\": true, \"rc\": 0}, \"w\": \"{{ not_there }}\", \"x\": \"{{ x }}\"}",
        0, &error);
    if (!vars)
        abort();
    return vars;
}

static void check(struct err *e)
{
    if (e && err_kind(e) != ERR_INPUT)
        abort();
    err_free(e);
}

static struct err *lookup(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                          const char *plugin, const json_t *terms, const json_t *options, json_t **result)
{
    (void)arena;
    (void)options;
    if (strcmp(plugin, "vars") == 0 && json_is_string(json_array_get(terms, 0)))
        return expr_evaluate(arena, env, place, json_string_value(json_array_get(terms, 0)), result);
    *result = json_copy((json_t *)(uintptr_t)terms);
    return strcmp(plugin, "env") == 0 ? (json_decref(*result), err_new(ERR_NOT_FOUND, "absent")) : NULL;
}

/* "self" is the text under test; "one", "two" are small. */
static struct err *load(struct arena *arena, const struct expr_env *env, const struct expr_place *from,
                        const char *name, char **text, size_t *length, const char **path)
{
    (void)from;
    const char *source = strcmp(name, "self") == 0 ? env->lookup_context
                         : strcmp(name, "one") == 0
                             ? "{% block a %}1{{ n }}{% endblock %}{% macro m(x) %}{{ x }}{% endmacro %}"
                         : strcmp(name, "two") == 0
                             ? "{% extends 'one' %}{% block a %}2{{ super() }}{% endblock %}"
                             : NULL;
    if (!source)
        return err_new(ERR_NOT_FOUND, "no template '%s'", name);
    *text = arena_strdup(arena, source);
    *length = strlen(source);
    *path = arena_strdup(arena, name);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    static json_t *vars;
    vars = vars ? vars : variables();
    json_auto_t *value = NULL, *other = NULL;
    char *text = arena_strndup(arena, (const char *)data, size), *rendered;
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope, .lookup = lookup, .load = load, .lookup_context = text};
    struct expr_place place = {.file = "fuzz.yml", .line = 1};
    size_t length, count;
    const char **names;
    bool truth;
    check(expr_evaluate(arena, &env, &place, text, &value));
    check(expr_is_true(arena, &env, &place, text, &truth));
    check(expr_names(arena, &scope, &place, text, &names, &count));
    const char *inside = arena_printf(arena, "a {{ %s }} b", text);
    check(template_render(arena, &env, &place, inside, &other));
    check(template_render_text(arena, &env, "fuzz.j2", text, strlen(text), &rendered, &length));
    return 0;
}
