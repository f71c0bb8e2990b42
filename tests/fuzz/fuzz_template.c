/* Any text as a template of a playbook, as a template file and as a condition, with a few variables in scope:
 * the answer is a value or an error that is the input's fault, within the limits. */
#include "playbook/template.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *variables(void)
{
    json_error_t error;
    json_t *vars = json_loads(
        "{\"x\": [1, 2, {\"a\": \"b\"}], \"s\": \"te xt\", \"n\": 3, \"f\": 1.5, \"t\": true, \"z\": null,"
        "\"v\": \"{{ s }}/{{ w }}\", \"w\": [\"{{ n }}\"], \"loop\": \"{{ loop }}\","
        "\"m\": {\"k\": 1, \"l\": [\"a\", \"b\"]}, \"r\": {\"changed\": true, \"rc\": 0}}",
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_auto_t *vars = variables(), *value = NULL;
    struct expr_scope scope = {.vars = vars};
    struct expr_env env = {.scope = &scope};
    struct expr_place place = {.file = "fuzz.yml", .line = 1};
    char *text = arena_strndup(arena, (const char *)data, size), *rendered;
    size_t length, count;
    const char **names;
    bool truth;
    check(template_render(arena, &env, &place, text, &value));
    check(template_render_text(arena, &env, "fuzz.j2", text, strlen(text), &rendered, &length));
    check(expr_is_true(arena, &env, &place, text, &truth));
    check(template_names(arena, &scope, &place, text, &names, &count));
    return 0;
}
