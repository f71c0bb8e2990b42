/* Walks the nodes of a template and writes text. */
#include "playbook/template_render.h"
#include "playbook/filter.h"
#include <string.h>

struct render {
    struct eval *ev;
    struct strbuf *out;
    json_t *only;   /* the value of the only output so far */
    size_t outputs; /* texts and values written to the outermost level */
};

static struct err *render_nodes(struct render *r, const struct template_node *node);

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

static struct err *bind(struct eval *ev, const char *name, json_t *value)
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
        return bind(ev, node->targets[0], value);
    json_t *items;
    TRY(eval_require(ev, value));
    TRY(call_elements(ev, NULL, value, &items));
    if (json_array_size(items) != node->target_count)
        return err_new(ERR_INPUT, "%zu variables for %zu values", node->target_count, json_array_size(items));
    for (size_t i = 0; i < node->target_count; i++)
        TRY(bind(ev, node->targets[i], json_array_get(items, i)));
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

static struct err *bind_loop(struct eval *ev, json_t *items, size_t index)
{
    json_t *loop;
    size_t count = json_array_size(items);
    json_t *fresh = json_pack("{s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:i, s:i}", "index", (json_int_t)index + 1,
                              "index0", (json_int_t)index, "revindex", (json_int_t)(count - index),
                              "revindex0", (json_int_t)(count - index - 1), "first", index == 0, "last",
                              index + 1 == count, "length", (json_int_t)count, "depth", 1, "depth0", 0);
    if (index > 0)
        json_object_set(fresh, "previtem", json_array_get(items, index - 1));
    if (index + 1 < count)
        json_object_set(fresh, "nextitem", json_array_get(items, index + 1));
    TRY(pool_keep(ev->pool, fresh, &loop));
    pool_mark(ev->pool, loop)->kind = MARK_LOOP;
    return bind(ev, "loop", loop);
}

/* The items that pass the loop's own condition. */
static struct err *loop_items(struct eval *ev, const struct template_node *node, json_t **items)
{
    json_t *value, *all;
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

static struct err *render_for(struct render *r, const struct template_node *node)
{
    json_t *items;
    struct local *outer = r->ev->locals;
    struct err *e = loop_items(r->ev, node, &items);
    if (e)
        return located(r, node, e);
    if (json_array_size(items) == 0)
        return render_nodes(r, node->otherwise);
    for (size_t i = 0; i < json_array_size(items); i++) {
        e = bind_targets(r->ev, node, json_array_get(items, i));
        if (!e && node->uses_loop)
            e = bind_loop(r->ev, items, i);
        if (e)
            return located(r, node, e);
        TRY(render_nodes(r, node->body));
        r->ev->locals = outer;
    }
    return NULL;
}

/* Renders a body into a text of its own. */
static struct err *render_apart(struct render *r, const struct template_node *body, json_t **text)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    struct render inner = {.ev = r->ev, .out = &sb};
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
    if (node->expr)
        TRY(eval_node(r->ev, node->expr, &value));
    else
        TRY(render_apart(r, node->body, &value));
    return node->member ? set_member(r->ev, node, value) : bind_targets(r->ev, node, value);
}

static struct err *render_with(struct render *r, const struct template_node *node)
{
    struct local *outer = r->ev->locals;
    for (size_t i = 0; i < node->target_count; i++) {
        json_t *value;
        struct err *e = eval_node(r->ev, node->values[i], &value);
        if (!e)
            e = bind(r->ev, node->targets[i], value);
        if (e)
            return located(r, node, e);
    }
    TRY(render_nodes(r, node->body));
    r->ev->locals = outer;
    return NULL;
}

static struct err *render_filter(struct render *r, const struct template_node *node)
{
    json_t *body;
    struct local *outer = r->ev->locals;
    TRY(render_apart(r, node->body, &body));
    struct err *e = bind(r->ev, node->hole->name, body);
    if (!e)
        e = render_output(r, node);
    r->ev->locals = outer;
    return located(r, node, e);
}

static struct err *render_node(struct render *r, const struct template_node *node)
{
    switch (node->type) {
    case TEMPLATE_TEXT:
        strbuf_add(r->out, node->text, node->length);
        r->only = NULL;
        r->outputs++;
        return check_size(r);
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
    }
    return err_new(ERR_INTERNAL, "a template node of unknown type %d", (int)node->type);
}

static struct err *render_nodes(struct render *r, const struct template_node *node)
{
    for (; node; node = node->next) {
        TRY(pool_spend(r->ev->pool, 8));
        TRY(render_node(r, node));
    }
    return NULL;
}

/* Jinja drops one newline at the end of a template, and Ansible puts newlines back until there are as many as
 * the source had. */
static void restore_newlines(struct strbuf *sb, const char *source, size_t length)
{
    size_t wanted = 0, have = 0;
    while (wanted < length && source[length - 1 - wanted] == '\n')
        wanted++;
    while (have < sb->length && sb->data[sb->length - 1 - have] == '\n')
        have++;
    for (; have < wanted; have++)
        strbuf_addc(sb, '\n');
}

/* Line ends become \n. */
static const char *normalise(struct arena *arena, const char *text, size_t *length)
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

struct err *template_render_nodes(struct eval *ev, const struct template_syntax *syntax, const char *text,
                                  size_t length, struct strbuf *out, json_t **only)
{
    struct template_node *first;
    struct render r = {.ev = ev, .out = out};
    text = normalise(ev->pool->arena, text, &length);
    size_t shorter = length && text[length - 1] == '\n' ? length - 1 : length;
    TRY(template_parse(ev->pool->arena, ev->place, syntax, text, shorter, &first));
    TRY(render_nodes(&r, first));
    *only = r.outputs == 1 ? r.only : NULL;
    restore_newlines(out, text, length);
    return check_size(&r);
}
