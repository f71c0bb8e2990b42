/* Walks the nodes of a template and writes text. */
#include "playbook/template_render.h"
#include "playbook/filter.h"
#include <string.h>

#define MAX_NESTING 400

/* One execution of a loop. */
struct for_loop {
    struct render *render;
    const struct template_node *node;
    struct local *outer; /* what the body sees besides the loop's own */
    int depth;
    json_t *last; /* of loop.changed() */
};

/* Puts the place and the tag in front of an error, once. */
static struct err *located(const struct render *r, const struct template_node *node, struct err *e)
{
    if (!e)
        return NULL;
    size_t length =
        node->length > 80 ? text_offset(node->text, 80, text_count(node->text, 80) - 1) : node->length;
    const char *newline = memchr(node->text, '\n', length);
    if (newline)
        length = (size_t)(newline - node->text);
    const char *more = length < node->length ? "..." : "";
    if (node->line > 0)
        return err_wrap(e, "%s:%d: '%.*s%s'", r->ev->place->file, node->line, (int)length, node->text, more);
    return err_wrap(e, "%s: '%.*s%s'", r->ev->place->file, (int)length, node->text, more);
}

static struct err *check_size(const struct render *r)
{
    return strbuf_check(r->out, "the rendered text");
}

static struct err *render_output(struct render *r, const struct template_node *node)
{
    json_t *value;
    TRY(eval_node(r->ev, node->expr, &value));
    TRY(eval_require_deep(r->ev, value));
    r->only = value;
    r->outputs++;
    if (!json_is_null(value)) /* None shows as nothing */
        value_add_text(r->out, r->ev->pool, value);
    return check_size(r);
}

struct err *render_bind(struct eval *ev, const char *name, json_t *value)
{
    struct local *local = ARENA_NEW(ev->pool->arena, struct local);
    *local = (struct local){.next = ev->locals, .name = name, .value = value};
    ev->locals = local;
    return pool_spend(ev->pool, sizeof(*local));
}

/* One target takes the value; several take it apart. */
static struct err *bind_targets(struct eval *ev, const struct template_node *node, json_t *value)
{
    if (!node->unpack)
        return render_bind(ev, node->targets[0], value);
    json_t *items;
    TRY(eval_require(ev, value));
    TRY(call_elements(ev, NULL, value, &items));
    if (json_array_size(items) != node->target_count)
        return err_new(ERR_INPUT, "%zu variables for %zu values", node->target_count, json_array_size(items));
    for (size_t i = 0; i < node->target_count; i++)
        TRY(render_bind(ev, node->targets[i], json_array_get(items, i)));
    return NULL;
}

/* A body whose variables are its own. */
static struct err *render_inner(struct render *r, const struct template_node *body)
{
    bool top = r->top;
    r->top = false;
    TRY(render_nodes(r, body));
    r->top = top;
    return NULL;
}

static struct err *render_if(struct render *r, const struct template_node *node)
{
    bool truth;
    struct err *e = eval_truth(r->ev, node->expr, &truth);
    if (e)
        return located(r, node, e);
    return render_nodes(r, truth ? node->body : node->otherwise);
}

static struct err *bind_loop(struct eval *ev, struct for_loop *now, json_t *items, size_t index)
{
    json_t *loop;
    size_t count = json_array_size(items);
    json_t *fresh =
        json_pack("{s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:i, s:i}", "index", (json_int_t)index + 1, "index0",
                  (json_int_t)index, "revindex", (json_int_t)(count - index), "revindex0",
                  (json_int_t)(count - index - 1), "first", index == 0, "last", index + 1 == count, "length",
                  (json_int_t)count, "depth", now->depth, "depth0", now->depth - 1);
    if (index > 0)
        json_object_set(fresh, "previtem", json_array_get(items, index - 1));
    if (index + 1 < count)
        json_object_set(fresh, "nextitem", json_array_get(items, index + 1));
    TRY(pool_keep(ev->pool, fresh, &loop));
    pool_mark(ev->pool, loop)->kind = MARK_LOOP;
    pool_mark(ev->pool, loop)->data = now;
    return render_bind(ev, "loop", loop);
}

/* The items of `value`, or of what the loop names when it is NULL, that pass the loop's own condition. */
static struct err *loop_items(struct eval *ev, const struct template_node *node, json_t *value,
                              json_t **items)
{
    json_t *all;
    if (!value)
        TRY(eval_defined(ev, node->expr, &value));
    TRY(call_elements(ev, NULL, value, &all));
    *items = all;
    if (!node->condition)
        return NULL;
    json_auto_t *chosen = json_array();
    struct local *outer = ev->locals;
    for (size_t i = 0; i < json_array_size(all); i++) {
        bool truth;
        TRY(bind_targets(ev, node, json_array_get(all, i)));
        TRY(eval_truth(ev, node->condition, &truth));
        ev->locals = outer;
        if (truth)
            json_array_append(chosen, json_array_get(all, i));
    }
    return pool_keep(ev->pool, TAKE(chosen), items);
}

static struct err *render_items(struct render *r, struct for_loop *now, json_t *items)
{
    const struct template_node *node = now->node;
    if (json_array_size(items) == 0)
        return render_inner(r, node->otherwise);
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct err *e = bind_targets(r->ev, node, json_array_get(items, i));
        if (!e && node->uses_loop)
            e = bind_loop(r->ev, now, items, i);
        if (e)
            return located(r, node, e);
        TRY(render_inner(r, node->body));
        r->ev->locals = now->outer;
    }
    return NULL;
}

static struct err *render_for(struct render *r, const struct template_node *node)
{
    json_t *items;
    struct for_loop *now = ARENA_NEW(r->ev->pool->arena, struct for_loop);
    *now = (struct for_loop){.render = r, .node = node, .outer = r->ev->locals, .depth = 1};
    TRY(pool_spend(r->ev->pool, sizeof(*now)));
    struct err *e = loop_items(r->ev, node, NULL, &items);
    return e ? located(r, node, e) : render_items(r, now, items);
}

/* loop(items) in a recursive loop: the whole loop once more, one level deeper. */
struct err *render_loop_again(struct eval *ev, void *loop, json_t *value, json_t **text)
{
    struct for_loop *before = loop, *now = ARENA_NEW(ev->pool->arena, struct for_loop);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_t *items;
    *now = *before;
    now->depth++;
    now->last = NULL;
    if (!now->node->recursive)
        return err_new(ERR_INPUT, "loop() needs a loop that is 'recursive'");
    if (ev != before->render->ev)
        return err_new(ERR_INPUT, "loop() cannot be called here");
    struct render r = {.ev = ev, .out = &sb, .unit = before->render->unit};
    struct local *outer = ev->locals;
    ev->locals = now->outer;
    TRY(loop_items(ev, now->node, value, &items));
    TRY(render_items(&r, now, items));
    ev->locals = outer;
    return pool_buffer(ev->pool, &sb, text);
}

/* loop.cycle(a, b), loop.changed(x) */
struct err *render_loop_method(struct eval *ev, json_t *loop, const char *name, const struct arguments *args,
                               json_t **out)
{
    struct for_loop *now = pool_mark(ev->pool, loop)->data;
    if (strcmp(name, "cycle") == 0 && args->count) {
        json_int_t index = json_integer_value(json_object_get(loop, "index0"));
        *out = args->items[(size_t)index % args->count];
        return NULL;
    }
    if (strcmp(name, "changed") != 0)
        return err_new(ERR_INPUT, "loop has no method '%s' here", name);
    json_auto_t *values = json_array();
    for (size_t i = 0; i < args->count; i++)
        json_array_append(values, args->items[i]);
    *out = pool_bool(!now->last || !value_equal(now->last, values));
    return pool_keep(ev->pool, TAKE(values), &now->last);
}

struct err *render_apart(struct render *r, const struct template_node *body, json_t **text)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    struct render inner = {.ev = r->ev, .out = &sb, .unit = r->unit};
    struct local *outer = r->ev->locals;
    TRY(render_nodes(&inner, body));
    r->ev->locals = outer;
    return pool_buffer(r->ev->pool, &sb, text);
}

static struct err *set_member(struct eval *ev, const struct template_node *node, json_t *value)
{
    for (const struct local *local = ev->locals; local; local = local->next) {
        if (strcmp(local->name, node->targets[0]) != 0)
            continue;
        const struct mark *mark = pool_find(ev->pool, local->value);
        if (!mark || mark->kind != MARK_NAMESPACE)
            break;
        json_object_set(mark->members, node->member, value);
        return NULL;
    }
    return err_new(ERR_INPUT, "'%s' is not a namespace()", node->targets[0]);
}

static struct err *render_set(struct render *r, const struct template_node *node)
{
    json_t *value;
    struct local *outer = r->ev->locals;
    if (!node->expr || node->hole)
        TRY(render_apart(r, node->body, &value));
    if (node->hole)
        TRY(render_bind(r->ev, node->hole->name, value));
    if (node->expr)
        TRY(eval_node(r->ev, node->expr, &value));
    r->ev->locals = outer;
    if (node->member)
        return set_member(r->ev, node, value);
    TRY(bind_targets(r->ev, node, value));
    if (r->top)
        r->ev->context->top = r->ev->locals;
    return NULL;
}

static struct err *render_with(struct render *r, const struct template_node *node)
{
    struct local *outer = r->ev->locals, *inner = outer;
    for (size_t i = 0; i < node->target_count; i++) {
        json_t *value;
        r->ev->locals = outer; /* one value does not see the others */
        struct err *e = eval_node(r->ev, node->values[i], &value);
        r->ev->locals = inner;
        if (!e)
            e = render_bind(r->ev, node->targets[i], value);
        if (e)
            return located(r, node, e);
        inner = r->ev->locals;
    }
    TRY(render_inner(r, node->body));
    r->ev->locals = outer;
    return NULL;
}

static struct err *render_filter(struct render *r, const struct template_node *node)
{
    json_t *body;
    struct local *outer = r->ev->locals;
    TRY(render_apart(r, node->body, &body));
    struct err *e = render_bind(r->ev, node->hole->name, body);
    if (!e)
        e = render_output(r, node);
    r->ev->locals = outer;
    return located(r, node, e);
}

static struct err *render_text(struct render *r, const struct template_node *node)
{
    const char *newline = r->ev->context->newline, *text = node->text, *end = text + node->length, *eol;
    for (; newline && (eol = memchr(text, '\n', (size_t)(end - text))); text = eol + 1) {
        strbuf_add(r->out, text, (size_t)(eol - text));
        strbuf_adds(r->out, newline);
    }
    strbuf_add(r->out, text, (size_t)(end - text));
    r->only = NULL;
    r->outputs++;
    return check_size(r);
}

/* Behind `extends` only definitions count. */
static bool is_output(enum template_node_type type)
{
    return type == TEMPLATE_TEXT || type == TEMPLATE_OUTPUT || type == TEMPLATE_BLOCK ||
           type == TEMPLATE_INCLUDE || type == TEMPLATE_CALL || type == TEMPLATE_FILTER;
}

static struct err *render_node(struct render *r, const struct template_node *node)
{
    if (r->parent && is_output(node->type))
        return NULL;
    switch (node->type) {
    case TEMPLATE_TEXT:
        return render_text(r, node);
    case TEMPLATE_OUTPUT:
        return located(r, node, render_output(r, node));
    case TEMPLATE_IF:
        return render_if(r, node);
    case TEMPLATE_FOR:
        return render_for(r, node);
    case TEMPLATE_SET:
        return located(r, node, render_set(r, node));
    case TEMPLATE_WITH:
        return render_with(r, node);
    case TEMPLATE_FILTER:
        return render_filter(r, node);
    case TEMPLATE_BLOCK:
        return render_block(r, node);
    case TEMPLATE_EXTENDS:
        return located(r, node, render_extends(r, node));
    case TEMPLATE_INCLUDE:
        return located(r, node, render_include(r, node));
    case TEMPLATE_IMPORT:
        return located(r, node, render_import(r, node));
    case TEMPLATE_MACRO:
        return located(r, node, render_macro(r, node));
    case TEMPLATE_CALL:
        return located(r, node, render_call(r, node));
    }
    return err_new(ERR_INTERNAL, "a template node of unknown type %d", (int)node->type);
}

struct err *render_nodes(struct render *r, const struct template_node *node)
{
    struct pool *pool = r->ev->pool;
    if (pool->nesting >= MAX_NESTING)
        return err_new(ERR_INPUT, "templates and macros are nested too deep");
    struct err *e = NULL;
    pool->nesting++;
    for (; node && !e; node = node->next) {
        e = pool_spend(pool, 8);
        if (!e)
            e = render_node(r, node);
    }
    pool->nesting--;
    return e;
}

/* Jinja drops one newline at the end of a template, and Ansible puts newlines back until there are as many as
 * the source had. */
static void restore_newlines(struct strbuf *sb, const char *source, size_t length, const char *newline)
{
    size_t wanted = 0, have = 0;
    while (wanted < length && source[length - 1 - wanted] == '\n')
        wanted++;
    while (have < sb->length && sb->data[sb->length - 1 - have] == '\n')
        have++;
    for (; have < wanted; have++)
        strbuf_adds(sb, newline ? newline : "\n");
}

const char *template_unify_lines(struct arena *arena, const char *text, size_t *length)
{
    if (!memchr(text, '\r', *length))
        return text;
    char *clean = arena_alloc(arena, *length + 1);
    size_t n = 0;
    for (size_t i = 0; i < *length; i++) {
        if (text[i] == '\r' && i + 1 < *length && text[i + 1] == '\n')
            continue;
        clean[n++] = text[i] == '\r' ? '\n' : text[i];
    }
    *length = n;
    return clean;
}

struct err *render_unit(struct render *r)
{
    render_add_blocks(r->ev, r->unit);
    for (;;) {
        const struct expr_place *outer = r->ev->place;
        r->ev->place = &r->unit->place;
        TRY(render_nodes(r, r->unit->first));
        r->ev->place = outer;
        if (!r->parent)
            return NULL;
        r->unit = r->parent;
        r->parent = NULL;
        r->ev->locals = r->ev->context->top;
        render_add_blocks(r->ev, r->unit);
    }
}

struct err *template_render_nodes(struct eval *ev, const struct template_syntax *syntax, const char *text,
                                  size_t length, struct strbuf *out, json_t **only)
{
    struct template_unit *unit = ARENA_NEW(ev->pool->arena, struct template_unit);
    struct template_context *context = ARENA_NEW(ev->pool->arena, struct template_context);
    struct render r = {.ev = ev, .out = out, .unit = unit, .top = true};
    text = template_unify_lines(ev->pool->arena, text, &length);
    size_t shorter = length && text[length - 1] == '\n' ? length - 1 : length;
    *unit = (struct template_unit){.place = *ev->place};
    *context = (struct template_context){.root = ev->place, .newline = syntax->newline, .top = ev->locals};
    TRY(template_parse(ev->pool->arena, syntax, text, shorter, false, unit));
    ev->context = context;
    TRY(render_unit(&r));
    *only = r.outputs == 1 ? r.only : NULL;
    restore_newlines(out, text, length, syntax->newline);
    return check_size(&r);
}
