/* Blocks, other templates and macros. */
#include "base/yaml.h"
#include "playbook/filter.h"
#include "playbook/template_render.h"
#include <string.h>

#define MAX_SOURCE (1u << 20)

/* What a macro was made with: it is rendered with that, wherever it is called. */
struct macro {
    const struct template_node *node; /* a macro, or a call: then it is that call's caller() */
    const struct template_unit *unit;
    const struct expr_env *env;
    struct template_context *context;
    const struct block_entry *block;
    struct local *locals;
    bool top; /* sees what the template sets later, too */
};

/* --- blocks --- */

static struct block_entry *find_block(const struct template_context *context, const char *name)
{
    for (struct block_entry *entry = context->blocks; entry; entry = entry->next)
        if (strcmp(entry->node->name, name) == 0)
            return entry;
    return NULL;
}

void render_add_blocks(struct eval *ev, const struct template_unit *unit)
{
    for (const struct template_node *node = unit->blocks; node; node = node->next_block) {
        struct block_entry *entry = ARENA_NEW(ev->pool->arena, struct block_entry);
        struct block_entry *child = find_block(ev->context, node->name);
        *entry = (struct block_entry){.node = node, .unit = unit};
        while (child && child->base)
            child = (struct block_entry *)(uintptr_t)child->base;
        if (child) {
            child->base = entry;
        } else {
            entry->next = ev->context->blocks;
            ev->context->blocks = entry;
        }
    }
}

static struct err *render_entry(struct eval *ev, const struct block_entry *entry, struct strbuf *out)
{
    const struct expr_place *place = ev->place;
    const struct block_entry *block = ev->block;
    struct local *locals = ev->locals;
    struct render r = {.ev = ev, .out = out, .unit = entry->unit};
    ev->place = &entry->unit->place;
    ev->block = entry;
    TRY(render_nodes(&r, entry->node->body));
    ev->place = place;
    ev->block = block;
    ev->locals = locals;
    return NULL;
}

struct err *render_block(struct render *r, const struct template_node *node)
{
    struct eval *ev = r->ev;
    const struct block_entry *entry = find_block(ev->context, node->name);
    struct local *locals = ev->locals;
    if (entry->node->required)
        return expr_error(ev->place, node->line,
                          "the block '%s' is required: a template that extends this one has it", node->name);
    if (!node->scoped)
        ev->locals = ev->context->top;
    TRY(render_entry(ev, entry, r->out));
    ev->locals = locals;
    r->only = NULL;
    r->outputs++;
    return NULL;
}

static struct err *entry_text(struct eval *ev, const struct block_entry *entry, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    TRY(render_entry(ev, entry, &sb));
    return pool_buffer(ev->pool, &sb, out);
}

struct err *eval_call_super(struct eval *ev, json_t **out)
{
    if (!ev->block || !ev->block->base)
        return err_new(ERR_INPUT,
                       "super(): there is no block of that name in a template that this one extends");
    return entry_text(ev, ev->block->base, out);
}

struct err *eval_call_block(struct eval *ev, const char *name, json_t **out)
{
    const struct block_entry *entry = ev->context ? find_block(ev->context, name) : NULL;
    struct local *locals = ev->locals;
    if (!entry)
        return err_new(ERR_INPUT, "self.%s(): there is no such block", name);
    ev->locals = ev->context->top;
    TRY(entry_text(ev, entry, out));
    ev->locals = locals;
    return NULL;
}

/* --- other templates --- */

static struct err *parse_unit(struct eval *ev, const char *path, const char *text, size_t length,
                              struct template_unit **out)
{
    struct pool *pool = ev->pool;
    struct template_unit *unit = ARENA_NEW(pool->arena, struct template_unit);
    if (length > MAX_SOURCE)
        return err_new(ERR_INPUT, "%s: the template has more than 1 MiB", path);
    text = template_unify_lines(pool->arena, text, &length);
    if (length && text[length - 1] == '\n')
        length--;
    *unit = (struct template_unit){.path = path, .place = {.file = path, .line = 1}, .next = pool->units};
    TRY(template_parse(pool->arena, &template_default_syntax, text, length, true, unit));
    pool->units = unit;
    *out = unit;
    return NULL;
}

/* *unit is NULL when there is no such template. */
static struct err *load_unit(struct eval *ev, const json_t *name, struct template_unit **unit)
{
    const char *path;
    char *text;
    size_t length;
    *unit = NULL;
    if (!json_is_string(name))
        return err_new(ERR_INPUT, "the name of a template is text, but got %s", value_type_name(name));
    if (!ev->env->load)
        return err_new(ERR_INPUT, "other templates cannot be used here");
    struct err *e = ev->env->load(ev->pool->arena, ev->env, ev->context->root, json_string_value(name), &text,
                                  &length, &path);
    if (e && err_kind(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    TRY(e);
    for (struct template_unit *known = ev->pool->units; known; known = known->next)
        if (strcmp(known->path, path) == 0) {
            *unit = known;
            return NULL;
        }
    return parse_unit(ev, path, text, length, unit);
}

/* One name, or the first of several that is there. */
static struct err *find_unit(struct eval *ev, const struct expr_node *expr, struct template_unit **unit)
{
    json_t *value;
    TRY(eval_defined(ev, expr, &value));
    if (!json_is_array(value)) {
        TRY(load_unit(ev, value, unit));
        return *unit ? NULL : err_new(ERR_NOT_FOUND, "there is no template '%s'", json_string_value(value));
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        TRY(load_unit(ev, json_array_get(value, i), unit));
        if (*unit)
            return NULL;
    }
    return err_new(ERR_NOT_FOUND, "there is none of the templates");
}

struct err *render_extends(struct render *r, const struct template_node *node)
{
    struct template_unit *unit;
    if (r->parent)
        return err_new(ERR_INPUT, "a template can extend only one other");
    if (!r->top)
        return err_new(ERR_INPUT, "'extends' cannot stand in a loop, block or macro");
    struct err *e = find_unit(r->ev, node->expr, &unit);
    if (e)
        return err_with_kind(e, ERR_INPUT);
    r->parent = unit;
    r->only = NULL;
    r->outputs++;
    return NULL;
}

/* Renders another template with or without the variables of this one; its own stay in *top. */
static struct err *render_other(struct render *r, const struct template_unit *unit, bool with_context,
                                struct strbuf *out, struct local **top)
{
    struct eval other = *r->ev;
    struct expr_env *env = ARENA_NEW(r->ev->pool->arena, struct expr_env);
    struct template_context *context = ARENA_NEW(r->ev->pool->arena, struct template_context);
    *env = *r->ev->env;
    if (!with_context) {
        env->scope = NULL;
        other.locals = NULL;
    }
    *context = (struct template_context){
        .root = r->ev->context->root, .newline = r->ev->context->newline, .top = other.locals};
    other.env = env;
    other.context = context;
    other.block = NULL;
    struct render inner = {.ev = &other, .out = out, .unit = unit, .top = true};
    TRY(pool_spend(r->ev->pool, 256));
    TRY(render_unit(&inner));
    *top = context->top;
    return NULL;
}

struct err *render_include(struct render *r, const struct template_node *node)
{
    struct template_unit *unit;
    struct local *top;
    r->only = NULL;
    r->outputs++;
    struct err *e = find_unit(r->ev, node->expr, &unit);
    if (e && err_kind(e) == ERR_NOT_FOUND && node->ignore_missing) {
        err_free(e);
        return NULL;
    }
    if (e)
        return err_with_kind(e, ERR_INPUT);
    return render_other(r, unit, node->with_context, r->out, &top);
}

/* What the template set, but names with an underline in front. */
static json_t *exported(const struct local *top, const struct local *before)
{
    json_t *members = json_object();
    for (; top && top != before; top = top->next)
        if (top->name[0] != '_' && !json_object_get(members, top->name))
            json_object_set(members, top->name, top->value);
    return members;
}

static struct err *bind_top(struct render *r, const char *name, json_t *value)
{
    TRY(render_bind(r->ev, name, value));
    if (r->top)
        r->ev->context->top = r->ev->locals;
    return NULL;
}

struct err *render_import(struct render *r, const struct template_node *node)
{
    struct template_unit *unit;
    struct local *top;
    json_t *module, *members, *value;
    CLEANUP_STRBUF struct strbuf nowhere;
    strbuf_init(&nowhere, VALUE_MAX_TEXT);
    struct err *e = find_unit(r->ev, node->expr, &unit);
    if (e)
        return err_with_kind(e, ERR_INPUT);
    TRY(render_other(r, unit, node->with_context, &nowhere, &top));
    TRY(pool_keep(r->ev->pool, exported(top, node->with_context ? r->ev->locals : NULL), &members));
    for (size_t i = 0; i < node->target_count; i++) {
        value = json_object_get(members, node->targets[i]);
        if (!value)
            TRY(eval_undefined(r->ev, &value, node->targets[i], members, "the template '%s' has no '%s'",
                               unit->path, node->targets[i]));
        TRY(bind_top(r, node->aliases[i], value));
    }
    if (!node->name)
        return NULL;
    TRY(pool_keep(r->ev->pool, json_object(), &module));
    pool_mark(r->ev->pool, module)->kind = MARK_MODULE;
    pool_mark(r->ev->pool, module)->members = members;
    return bind_top(r, node->name, module);
}

/* --- macros --- */

static struct err *macro_new(struct render *r, const struct template_node *node, bool top, json_t **value)
{
    struct macro *macro = ARENA_NEW(r->ev->pool->arena, struct macro);
    *macro = (struct macro){.node = node,
                            .unit = r->unit,
                            .env = r->ev->env,
                            .context = r->ev->context,
                            .block = r->ev->block,
                            .locals = r->ev->locals,
                            .top = top};
    json_auto_t *names = json_array(), *members = json_object();
    for (size_t i = 0; i < node->target_count; i++)
        json_array_append_new(names, json_string_nocheck(node->targets[i]));
    json_object_set_new(members, "name", json_string_nocheck(node->name ? node->name : "caller"));
    json_t *arguments, *kept;
    TRY(eval_tuple(r->ev, TAKE(names), &arguments));
    json_object_set(members, "arguments", arguments);
    TRY(pool_keep(r->ev->pool, TAKE(members), &kept));
    TRY(pool_keep(r->ev->pool, json_object(), value));
    struct mark *mark = pool_mark(r->ev->pool, *value);
    mark->kind = MARK_MACRO;
    mark->members = kept;
    mark->data = macro;
    return NULL;
}

struct err *render_macro(struct render *r, const struct template_node *node)
{
    json_t *value;
    TRY(macro_new(r, node, r->top, &value));
    TRY(bind_top(r, node->name, value));
    struct macro *macro = pool_mark(r->ev->pool, value)->data;
    macro->locals = r->ev->locals; /* it may call itself */
    return NULL;
}

/* The argument of parameter i; *value is NULL when it was not given. */
static struct err *argument(const struct template_node *node, const struct arguments *args, size_t i,
                            json_t **value)
{
    json_t *named = json_object_get(args->named, node->targets[i]);
    *value = i < args->count ? args->items[i] : named;
    if (named && i < args->count)
        return err_new(ERR_INPUT, "the macro got its argument '%s' twice", node->targets[i]);
    return NULL;
}

static struct err *bind_params(struct eval *ev, const struct template_node *node,
                               const struct arguments *args)
{
    for (size_t i = 0; i < node->target_count; i++) {
        json_t *value;
        TRY(argument(node, args, i, &value));
        if (!value && node->values[i])
            TRY(eval_node(ev, node->values[i], &value));
        if (!value)
            TRY(eval_undefined(ev, &value, NULL, NULL, "the argument '%s' was not given", node->targets[i]));
        TRY(render_bind(ev, node->targets[i], value));
    }
    return NULL;
}

static bool is_param(const struct template_node *node, const char *name)
{
    for (size_t i = 0; i < node->target_count; i++)
        if (strcmp(node->targets[i], name) == 0)
            return true;
    return false;
}

/* varargs, kwargs and caller: what has no parameter. */
static struct err *bind_rest(struct eval *ev, const struct template_node *node, const struct arguments *args)
{
    const char *key, *name = node->name ? node->name : "caller";
    json_t *value, *caller = json_object_get(args->named, "caller");
    json_auto_t *varargs = json_array(), *kwargs = json_object();
    for (size_t i = node->target_count; i < args->count; i++)
        json_array_append(varargs, args->items[i]);
    json_object_foreach(args->named, key, value) if (!is_param(node, key) && value != caller)
        json_object_set(kwargs, key, value);
    if (json_array_size(varargs) && !node->uses_varargs)
        return err_new(ERR_INPUT, "the macro '%s' takes at most %zu arguments", name, node->target_count);
    if (json_object_size(kwargs) && !node->uses_kwargs)
        return err_new(ERR_INPUT, "the macro '%s' has no argument '%s'", name,
                       json_object_iter_key(json_object_iter(kwargs)));
    if (caller && !node->uses_caller)
        return err_new(ERR_INPUT, "the macro '%s' does not use caller(): it cannot be used with 'call'",
                       name);
    TRY(eval_tuple(ev, TAKE(varargs), &value));
    TRY(render_bind(ev, "varargs", value));
    TRY(pool_keep(ev->pool, TAKE(kwargs), &value));
    TRY(render_bind(ev, "kwargs", value));
    if (!caller)
        TRY(eval_undefined(ev, &caller, "caller", NULL, "the macro '%s' was not called with 'call'", name));
    return node->type == TEMPLATE_MACRO ? render_bind(ev, "caller", caller) : NULL;
}

static struct err *call_macro(struct eval *ev, const struct macro *macro, const struct arguments *args,
                              json_t **out)
{
    struct eval inner = {.pool = ev->pool,
                         .env = macro->env,
                         .place = &macro->unit->place,
                         .locals = macro->top ? macro->context->top : macro->locals,
                         .context = macro->context,
                         .block = macro->block};
    struct render r = {.ev = &inner, .unit = macro->unit};
    TRY(bind_params(&inner, macro->node, args));
    TRY(bind_rest(&inner, macro->node, args));
    return render_apart(&r, macro->node->body, out);
}

/* The call as it stands, and the body for caller(). */
struct err *render_call(struct render *r, const struct template_node *node)
{
    json_t *caller, *value;
    struct local *outer = r->ev->locals;
    TRY(macro_new(r, node, false, &caller));
    struct expr_node call = *node->expr, hole = {.type = NODE_NAME, .height = 1, .name = " caller"};
    const char *names[33] = {0};
    const struct expr_node *values[33] = {0};
    if (call.named_count > 32)
        return err_new(ERR_INPUT, "a call with more than 32 named arguments");
    for (size_t i = 0; i < call.named_count; i++) {
        names[i] = call.named[i];
        values[i] = call.named_args[i];
    }
    names[call.named_count] = "caller";
    values[call.named_count++] = &hole;
    call.named = names;
    call.named_args = values;
    TRY(render_bind(r->ev, hole.name, caller));
    TRY(eval_node(r->ev, &call, &value));
    TRY(eval_require_deep(r->ev, value));
    r->ev->locals = outer;
    value_add_text(r->out, r->ev->pool, value);
    r->only = NULL;
    r->outputs++;
    return NULL;
}

struct joiner {
    json_t *separator;
    bool used;
};

struct err *eval_joiner(struct eval *ev, json_t *separator, json_t **out)
{
    struct joiner *joiner = ARENA_NEW(ev->pool->arena, struct joiner);
    joiner->separator = separator;
    if (!separator)
        TRY(pool_text(ev->pool, ", ", 2, &joiner->separator));
    TRY(pool_keep(ev->pool, json_object(), out));
    pool_mark(ev->pool, *out)->kind = MARK_JOINER;
    pool_mark(ev->pool, *out)->data = joiner;
    return NULL;
}

struct err *eval_call_value(struct eval *ev, json_t *callee, const struct arguments *args, json_t **out)
{
    const struct mark *mark = pool_find(ev->pool, callee);
    TRY(eval_require(ev, callee));
    if (mark && mark->kind == MARK_MACRO)
        return call_macro(ev, mark->data, args, out);
    if (mark && mark->kind == MARK_LOOP && args->count == 1) {
        TRY(eval_require(ev, args->items[0]));
        return render_loop_again(ev, mark->data, args->items[0], out);
    }
    if (mark && mark->kind == MARK_JOINER) {
        struct joiner *joiner = mark->data;
        *out = joiner->separator;
        if (!joiner->used)
            TRY(pool_text(ev->pool, "", 0, out));
        joiner->used = true;
        return NULL;
    }
    return err_new(ERR_INPUT, "%s cannot be called", value_type_name(callee));
}
