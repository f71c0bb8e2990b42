/* The doors of the expression engine, and which names an expression or template refers to. */
#include "playbook/expr.h"
#include "playbook/filter.h"
#include "playbook/template.h"
#include "playbook/template_render.h"
#include <string.h>

#define MAX_SOURCE (1u << 20)

static struct err *check_length(const struct expr_place *place, const char *text)
{
    return strlen(text) > MAX_SOURCE ? expr_error(place, place->line, "an expression of more than 1 MiB")
                                     : NULL;
}

/* Puts the place and the expression in front of an error; undefined becomes wrong input. */
static struct err *located(const struct expr_place *place, const char *text, struct err *e)
{
    if (!e)
        return NULL;
    if (err_kind(e) == ERR_NOT_FOUND)
        e = err_with_kind(e, ERR_INPUT);
    size_t length = strcspn(text, "\n");
    length = length > 100 ? text_offset(text, 100, text_count(text, 100) - 1) : length;
    if (place->line > 0)
        return err_wrap(e, "%s:%d: '%.*s'", place->file, place->line, (int)length, text);
    return err_wrap(e, "%s: '%.*s'", place->file, (int)length, text);
}

/* Whether the text is a template as a whole, `{{ x }}` where `x` was meant; Ansible renders that first and
 * warns. */
static bool is_whole_template(const char *text)
{
    text += strspn(text, " \t\n");
    return strncmp(text, "{{", 2) == 0 || strncmp(text, "{%", 2) == 0;
}

static struct err *evaluate(struct eval *ev, const char *text, bool condition, json_t **value)
{
    const struct expr_node *node;
    if (is_whole_template(text))
        return template_render_value(ev, text, strlen(text), value);
    TRY(expr_parse_text(ev->pool->arena, ev->place, text, condition, &node));
    struct err *e = eval_defined(ev, node, value);
    if (!e)
        e = eval_require_deep(ev, *value);
    return located(ev->place, text, e);
}

static struct err *evaluate_alone(const struct expr_env *env, const struct expr_place *place,
                                  const char *text, bool condition, json_t **value)
{
    CLEANUP_POOL struct pool pool;
    pool_init(&pool);
    struct eval ev = {.pool = &pool, .env = env, .place = place};
    json_t *result;
    TRY(check_length(place, text));
    struct err *e = evaluate(&ev, text, condition, &result);
    if (e)
        return err_kind(e) == ERR_NOT_FOUND ? err_with_kind(e, ERR_INPUT) : e;
    *value = json_incref(result);
    return NULL;
}

struct err *expr_evaluate(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                          const char *text, json_t **value)
{
    (void)arena;
    return evaluate_alone(env, place, text, false, value);
}

/* A condition written as a template gave text. Ansible reads that text as the condition; here it may hold
 * nothing but constants, because what a host said could be in it. */
static struct err *text_is_true(struct arena *arena, const struct expr_env *env,
                                const struct expr_place *place, const char *text, bool *truth)
{
    const char **names;
    size_t count;
    *truth = false;
    if (!*text)
        return NULL;
    CLEANUP_ERR struct err *e =
        is_whole_template(text) ? NULL : expr_names(arena, NULL, place, text, &names, &count);
    if (!e && !is_whole_template(text) && count == 0)
        return expr_is_true(arena, env, place, text, truth);
    return err_with_hint(expr_error(place, place->line, "the condition gave the text '%.100s'", text),
                         "write the condition without {{ }}");
}

struct err *expr_is_true(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                         const char *text, bool *truth)
{
    json_auto_t *value = NULL;
    TRY(evaluate_alone(env, place, text, true, &value));
    if (is_whole_template(text) && json_is_string(value))
        return text_is_true(arena, env, place, json_string_value(value), truth);
    *truth = value_true(value);
    return NULL;
}

struct err *expr_check(struct arena *arena, const struct expr_place *place, const char *text)
{
    const struct expr_node *node;
    CLEANUP_ARENA struct arena *scratch = arena_new((size_t)1 << 30);
    TRY(check_length(place, text));
    return is_whole_template(text) ? template_check(arena, place, text)
                                   : expr_parse_text(scratch, place, text, true, &node);
}

bool expr_value_is_true(const json_t *value)
{
    return value_true(value);
}

char *expr_value_text(struct arena *arena, const json_t *value)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    value_add_text(&sb, NULL, value);
    return strbuf_to_arena(&sb, arena);
}

static struct err *parse_template(struct arena *scratch, const struct expr_place *place, const char *text,
                                  struct template_unit *unit)
{
    struct template_syntax syntax = template_default_syntax;
    size_t header;
    TRY(check_length(place, text));
    TRY(template_read_header(scratch, place, text, strlen(text), &syntax, &header));
    syntax.raw_text = true;
    *unit = (struct template_unit){.place = *place};
    return template_parse(scratch, &syntax, text + header, strlen(text + header), false, unit);
}

struct err *template_check(struct arena *arena, const struct expr_place *place, const char *text)
{
    (void)arena;
    struct template_unit unit;
    CLEANUP_ARENA struct arena *scratch = arena_new((size_t)1 << 30);
    return parse_template(scratch, place, text, &unit);
}

/* The names found so far, which are also the list of what is still to be followed. */
struct collector {
    struct arena *arena;
    const char **names;
    size_t count, capacity;
};

static void collect(void *context, const char *name)
{
    struct collector *c = context;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->names[i], name) == 0)
            return;
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 8;
        const char **names = arena_array(c->arena, c->capacity, sizeof(*names));
        if (c->count)
            memcpy(names, c->names, c->count * sizeof(*names));
        c->names = names;
    }
    c->names[c->count++] = arena_strdup(c->arena, name);
}

static struct err *collect_from_template(struct collector *c, const struct expr_place *place,
                                         const char *text)
{
    struct template_unit unit;
    CLEANUP_ARENA struct arena *scratch = arena_new((size_t)1 << 30);
    TRY(parse_template(scratch, place, text, &unit));
    template_walk_names(unit.first, collect, c);
    return NULL;
}

static struct err *collect_from_json(struct collector *c, const struct expr_place *place, const json_t *value)
{
    const char *key;
    json_t *item;
    if (json_is_string(value))
        return template_is_template(json_string_value(value))
                   ? collect_from_template(c, place, json_string_value(value))
                   : NULL;
    for (size_t i = 0; i < json_array_size(value); i++)
        TRY(collect_from_json(c, place, json_array_get(value, i)));
    json_object_foreach((json_t *)(uintptr_t)value, key, item) TRY(collect_from_json(c, place, item));
    return NULL;
}

/* Follows the variables found: those that are templates refer to others. */
static struct err *follow(struct collector *c, const struct expr_scope *scope, const struct expr_place *place,
                          const char ***names, size_t *count)
{
    for (size_t i = 0; i < c->count; i++) {
        bool literal = true;
        const json_t *value = eval_find_variable(scope, c->names[i], &literal);
        if (value && !literal)
            TRY(collect_from_json(c, place, value));
    }
    *names = c->names;
    *count = c->count;
    return NULL;
}

struct err *expr_names(struct arena *arena, const struct expr_scope *scope, const struct expr_place *place,
                       const char *text, const char ***names, size_t *count)
{
    const struct expr_node *node;
    struct collector c = {.arena = arena};
    CLEANUP_ARENA struct arena *scratch = arena_new((size_t)1 << 30);
    TRY(check_length(place, text));
    if (is_whole_template(text)) {
        TRY(collect_from_template(&c, place, text));
    } else {
        TRY(expr_parse_text(scratch, place, text, false, &node));
        expr_walk_names(node, collect, &c);
    }
    return follow(&c, scope, place, names, count);
}

struct err *template_names(struct arena *arena, const struct expr_scope *scope,
                           const struct expr_place *place, const char *text, const char ***names,
                           size_t *count)
{
    struct collector c = {.arena = arena};
    if (template_is_template(text))
        TRY(collect_from_template(&c, place, text));
    return follow(&c, scope, place, names, count);
}

struct err *template_names_json(struct arena *arena, const struct expr_scope *scope,
                                const struct expr_place *place, const json_t *value, const char ***names,
                                size_t *count)
{
    struct collector c = {.arena = arena};
    TRY(collect_from_json(&c, place, value));
    return follow(&c, scope, place, names, count);
}
