/* The doors of the template engine, and variables that are templates themselves. */
#include "playbook/template.h"
#include "base/fs.h"
#include "playbook/filter.h"
#include "playbook/template_render.h"
#include <ctype.h>
#include <string.h>

#define MAX_SOURCE (1u << 20)
#define MAX_VARIABLE_DEPTH 64

static bool holds_template(const char *text, size_t length)
{
    for (const char *p = text, *end = text + length;
         p + 1 < end && (p = memchr(p, '{', (size_t)(end - p - 1))); p++)
        if (p[1] == '{' || p[1] == '%' || p[1] == '#')
            return true;
    return false;
}

bool template_is_template(const char *text)
{
    return holds_template(text, strlen(text));
}

bool template_is_template_json(const json_t *value)
{
    if (json_is_string(value))
        return holds_template(json_string_value(value), json_string_length(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        if (template_is_template_json(json_array_get(value, i)))
            return true;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key,
                        item) if (template_is_template_json(item)) return true;
    return false;
}

/* "{{ name }}" and nothing else: the name, or NULL. */
static const char *single_name(struct arena *arena, const char *text, size_t length)
{
    if (length < 5 || strncmp(text, "{{", 2) != 0)
        return NULL;
    const char *name = text + 2;
    while (isspace((unsigned char)*name))
        name++;
    size_t n = 0;
    while (isalnum((unsigned char)name[n]) || name[n] == '_')
        n++;
    const char *rest = name + n;
    while (isspace((unsigned char)*rest))
        rest++;
    bool ends = strcmp(rest, "}}") == 0 || strcmp(rest, "}}\n") == 0;
    return n > 0 && ends ? arena_strndup(arena, name, n) : NULL;
}

/* Numbers, booleans and None keep their type when a template is just their name. */
static bool is_plain_variable(struct eval *ev, const char *text, size_t length, json_t **out)
{
    bool literal;
    const char *name = single_name(ev->pool->arena, text, length);
    json_t *value = name ? eval_find_variable(ev->env->scope, name, &literal) : NULL;
    if (!value || !(value_is_number(value) || json_is_null(value)))
        return false;
    *out = value;
    return true;
}

struct err *template_render_value(struct eval *ev, const char *text, size_t length, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_t *only;
    if (is_plain_variable(ev, text, length, out))
        return NULL;
    struct template_syntax syntax = template_default_syntax;
    size_t header;
    if (length > MAX_SOURCE)
        return err_new(ERR_INPUT, "a template of more than 1 MiB");
    TRY(template_read_header(ev->pool->arena, ev->place, text, length, &syntax, &header));
    syntax.raw_text = true;
    TRY(template_render_nodes(ev, &syntax, text + header, length - header, &sb, &only));
    enum mark_kind kind = only ? pool_kind(ev->pool, only) : MARK_NONE;
    if (only && !json_is_string(only) && kind == MARK_NONE && (json_is_array(only) || json_is_object(only))) {
        *out = only;
        return NULL;
    }
    bool keep_text = kind == MARK_TEXT;
    bool looks_typed = sb.data[0] == '{' || sb.data[0] == '[' || strcmp(sb.data, "True") == 0 ||
                       strcmp(sb.data, "False") == 0;
    *out = NULL;
    if (looks_typed && !keep_text)
        TRY(eval_literal(ev, sb.data, sb.length, out));
    return *out ? NULL : pool_buffer(ev->pool, &sb, out);
}

static struct err *render_json(struct eval *ev, json_t *raw, bool omit, int depth, json_t **out);

static bool is_omitted(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), EXPR_OMIT) == 0;
}

static struct err *render_list(struct eval *ev, json_t *raw, bool omit, int depth, json_t **out)
{
    json_auto_t *list = json_array();
    for (size_t i = 0; i < json_array_size(raw); i++) {
        json_t *item;
        TRY(render_json(ev, json_array_get(raw, i), omit, depth + 1, &item));
        if (!omit || !is_omitted(item))
            json_array_append(list, item);
    }
    return pool_keep(ev->pool, TAKE(list), out);
}

static struct err *render_map(struct eval *ev, json_t *raw, bool omit, int depth, json_t **out)
{
    json_auto_t *map = json_object();
    const char *key;
    json_t *value, *item;
    json_object_foreach(raw, key, value)
    {
        TRY(render_json(ev, value, omit, depth + 1, &item));
        if (!omit || !is_omitted(item))
            json_object_set(map, key, item);
    }
    return pool_keep(ev->pool, TAKE(map), out);
}

static struct err *render_json(struct eval *ev, json_t *raw, bool omit, int depth, json_t **out)
{
    *out = raw;
    if (depth > VALUE_MAX_DEPTH)
        return err_new(ERR_INPUT, "the value is nested more than %d deep", VALUE_MAX_DEPTH);
    if (json_is_string(raw)) {
        if (!holds_template(json_string_value(raw), json_string_length(raw)))
            return NULL;
        return template_render_value(ev, json_string_value(raw), json_string_length(raw), out);
    }
    if (json_is_array(raw))
        return render_list(ev, raw, omit, depth, out);
    return json_is_object(raw) ? render_map(ev, raw, omit, depth, out) : NULL;
}

static struct err *render_variable(struct eval *ev, json_t *raw, json_t **out)
{
    struct eval outer = {.pool = ev->pool, .env = ev->env, .place = ev->place};
    if (ev->pool->variable_depth >= MAX_VARIABLE_DEPTH)
        return err_new(ERR_INPUT, "variables refer to each other more than %d deep", MAX_VARIABLE_DEPTH);
    ev->pool->variable_depth++;
    pool_mark(ev->pool, raw)->rendering = true;
    struct err *e = render_json(&outer, raw, false, 0, out);
    pool_mark(ev->pool, raw)->rendering = false;
    ev->pool->variable_depth--;
    return e;
}

/* A variable is rendered once in an evaluation: its value does not depend on what a template has set. */
struct err *eval_render_variable(struct eval *ev, const char *name, json_t *raw, json_t **out)
{
    *out = raw;
    if (!json_is_string(raw) && !json_is_array(raw) && !json_is_object(raw))
        return NULL;
    const struct mark *known = pool_find(ev->pool, raw);
    if (known && known->rendered) {
        *out = known->rendered;
        return NULL;
    }
    if (known && known->rendering)
        return err_new(ERR_INPUT, "the variable '%s' refers to itself", name);
    if (template_is_template_json(raw)) {
        struct err *e = render_variable(ev, raw, out);
        if (e && err_kind(e) != ERR_NOT_FOUND)
            return err_wrap(e, "the variable '%s'", name);
        if (e) {
            e = err_wrap(e, "the variable '%s'", name);
            struct err *failure = eval_undefined(ev, out, NULL, NULL, "%s", err_text(e));
            err_free(e);
            return failure;
        }
    }
    pool_mark(ev->pool, raw)->rendered = *out;
    return NULL;
}

/* Inside the engine ERR_NOT_FOUND means undefined; outside an undefined variable is wrong input. */
static struct err *leave(struct err *e)
{
    return e && err_kind(e) == ERR_NOT_FOUND ? err_with_kind(e, ERR_INPUT) : e;
}

struct err *template_render(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                            const char *text, json_t **value)
{
    (void)arena;
    json_auto_t *raw = json_string(text);
    if (!raw)
        return expr_error(place, place->line, "text that is not valid UTF-8");
    return template_render_json(arena, env, place, raw, value);
}

struct err *template_render_json(struct arena *arena, const struct expr_env *env,
                                 const struct expr_place *place, const json_t *value, json_t **rendered)
{
    (void)arena;
    if (!template_is_template_json(value)) {
        *rendered = json_incref((json_t *)(uintptr_t)value);
        return NULL;
    }
    CLEANUP_POOL struct pool pool;
    pool_init(&pool);
    struct eval ev = {.pool = &pool, .env = env, .place = place};
    json_t *out;
    TRY(leave(render_json(&ev, (json_t *)(uintptr_t)value, json_is_object(value) || json_is_array(value), 0,
                          &out)));
    *rendered = json_incref(out);
    return NULL;
}

static struct err *render_as(struct arena *arena, const struct expr_env *env, struct template_syntax syntax,
                             const char *name, const char *text, size_t length, char **rendered,
                             size_t *rendered_length)
{
    CLEANUP_STRBUF struct strbuf sb;
    CLEANUP_POOL struct pool pool;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    pool_init(&pool);
    struct expr_place place = {.file = name, .line = 1};
    struct eval ev = {.pool = &pool, .env = env, .place = &place};
    size_t header;
    json_t *only;
    if (length > MAX_SOURCE)
        return err_new(ERR_INPUT, "%s: the template has more than 1 MiB", name);
    TRY(template_read_header(pool.arena, &place, text, length, &syntax, &header));
    place.line += header > 0;
    TRY(leave(template_render_nodes(&ev, &syntax, text + header, length - header, &sb, &only)));
    *rendered = strbuf_to_arena(&sb, arena);
    *rendered_length = sb.length;
    return NULL;
}

struct err *template_render_text(struct arena *arena, const struct expr_env *env, const char *name,
                                 const char *text, size_t length, char **rendered, size_t *rendered_length)
{
    return render_as(arena, env, template_default_syntax, name, text, length, rendered, rendered_length);
}

struct err *template_render_file(struct arena *arena, const struct expr_env *env,
                                 const struct template_syntax *syntax, const char *path, char **rendered,
                                 size_t *rendered_length)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    char *text;
    size_t length;
    TRY(fs_read_file(scratch, path, MAX_SOURCE, &text, &length));
    return render_as(arena, env, *syntax, path, text, length, rendered, rendered_length);
}
