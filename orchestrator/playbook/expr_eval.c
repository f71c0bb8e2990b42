/* Walks the tree. What operators, attributes and filters do is in expr_ops.c, expr_access.c and the filter
 * files. */
#include "playbook/expr_eval.h"
#include "base/yaml.h"
#include "playbook/filter.h"
#include <string.h>

#define MAX_NESTING 400

bool eval_is_undefined(const struct eval *ev, const json_t *value)
{
    return pool_kind(ev->pool, value) == MARK_UNDEFINED;
}

struct err *eval_undefined(struct eval *ev, json_t **out, const char *name, const json_t *within,
                           const char *fmt, ...)
{
    TRY(pool_keep(ev->pool, json_object(), out));
    struct mark *mark = pool_mark(ev->pool, *out);
    CLEANUP_STRBUF struct strbuf why;
    strbuf_init(&why, 4096);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&why, fmt, args);
    va_end(args);
    mark->kind = MARK_UNDEFINED;
    mark->why = strbuf_to_arena(&why, ev->pool->arena);
    mark->name = name ? arena_strdup(ev->pool->arena, name) : NULL;
    mark->within = within;
    return pool_spend(ev->pool, 2 * why.length);
}

static const char *nearest_key(const char *name, const json_t *map, struct arena *arena)
{
    size_t count = 0, size = json_object_size(map);
    const char **keys = arena_array(arena, size + 1, sizeof(*keys)), *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)map, key, item) keys[count++] = key;
    return yaml_nearest(name, keys, count);
}

struct err *eval_require(struct eval *ev, const json_t *value)
{
    const struct mark *mark = pool_find(ev->pool, value);
    if (!mark || mark->kind != MARK_UNDEFINED || json_is_string(value))
        return NULL;
    const char *near = NULL;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    if (mark->name && mark->within)
        near = nearest_key(mark->name, mark->within, scratch);
    for (const struct expr_scope *s = ev->env->scope; s && mark->name && !mark->within && !near; s = s->outer)
        near = s->vars ? nearest_key(mark->name, s->vars, scratch) : NULL;
    struct err *e = err_new(ERR_NOT_FOUND, "%s", mark->why);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

struct err *eval_require_deep(struct eval *ev, const json_t *value)
{
    TRY(eval_require(ev, value));
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        TRY(eval_require_deep(ev, json_array_get(value, i)));
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item) TRY(eval_require_deep(ev, item));
    return NULL;
}

struct err *eval_tuple(struct eval *ev, json_t *fresh, json_t **out)
{
    TRY(pool_keep(ev->pool, fresh, out));
    pool_mark(ev->pool, *out)->kind = MARK_TUPLE;
    return NULL;
}

json_t *eval_find_variable(const struct expr_scope *scope, const char *name, bool *literal)
{
    for (; scope; scope = scope->outer) {
        json_t *value = scope->vars ? json_object_get(scope->vars, name) : NULL;
        if (value) {
            *literal = scope->literal;
            return value;
        }
    }
    return NULL;
}

static json_t *find_local(const struct eval *ev, const char *name)
{
    for (const struct local *local = ev->locals; local; local = local->next)
        if (strcmp(local->name, name) == 0)
            return local->value;
    return NULL;
}

/* All variables as they are written, the inner ones over the outer ones: Ansible's `vars`. */
static void add_scope(json_t *all, const struct expr_scope *scope)
{
    if (!scope)
        return;
    add_scope(all, scope->outer);
    if (scope->vars)
        json_object_update(all, (json_t *)(uintptr_t)scope->vars);
}

static struct err *all_variables(struct eval *ev, json_t **out)
{
    json_t *all = json_object();
    add_scope(all, ev->env->scope);
    return pool_keep(ev->pool, all, out);
}

static struct err *eval_name(struct eval *ev, const char *name, json_t **out)
{
    bool literal;
    *out = find_local(ev, name);
    if (*out)
        return NULL;
    *out = eval_find_variable(ev->env->scope, name, &literal);
    if (*out)
        return literal ? NULL : eval_render_variable(ev, name, *out, out);
    if (strcmp(name, "vars") == 0)
        return all_variables(ev, out);
    if (strcmp(name, "omit") == 0)
        return pool_text(ev->pool, EXPR_OMIT, strlen(EXPR_OMIT), out);
    if (strcmp(name, "self") == 0 && ev->context) {
        TRY(pool_keep(ev->pool, json_object(), out));
        pool_mark(ev->pool, *out)->kind = MARK_SELF;
        return NULL;
    }
    return eval_undefined(ev, out, name, NULL, "'%s' is undefined", name);
}

/* "a.b['c']" for messages. */
static const char *path_of(struct arena *arena, const struct expr_node *node)
{
    if (node->type == NODE_NAME)
        return node->name;
    if (node->type == NODE_ATTR)
        return arena_printf(arena, "%s.%s", path_of(arena, node->left), node->name);
    if (node->type != NODE_ITEM)
        return "(...)";
    if (node->right->type != NODE_CONST)
        return arena_printf(arena, "%s[...]", path_of(arena, node->left));
    CLEANUP_STRBUF struct strbuf index;
    strbuf_init(&index, 200);
    value_add_repr(&index, NULL, node->right->value);
    return arena_printf(arena, "%s[%s]", path_of(arena, node->left), index.data);
}

const char *eval_path(struct eval *ev, const struct expr_node *at)
{
    return at ? path_of(ev->pool->arena, at) : "the attribute";
}

static struct err *eval_all(struct eval *ev, const struct expr_node *const *nodes, size_t count,
                            json_t ***items)
{
    *items = arena_array(ev->pool->arena, count + 1, sizeof(**items));
    TRY(pool_spend(ev->pool, count * sizeof(**items)));
    for (size_t i = 0; i < count; i++)
        TRY(eval_node(ev, nodes[i], &(*items)[i]));
    return NULL;
}

static struct err *eval_arguments(struct eval *ev, const struct expr_node *node, struct arguments *args)
{
    json_t **named;
    args->count = node->arg_count;
    TRY(eval_all(ev, node->args, node->arg_count, &args->items));
    TRY(eval_all(ev, node->named_args, node->named_count, &named));
    if (node->named_count == 0)
        return NULL;
    TRY(pool_keep(ev->pool, json_object(), &args->named));
    for (size_t i = 0; i < node->named_count; i++)
        json_object_set(args->named, node->named[i], named[i]);
    return NULL;
}

static struct err *eval_sequence(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t **items;
    TRY(eval_all(ev, node->args, node->arg_count, &items));
    json_t *list = json_array();
    for (size_t i = 0; i < node->arg_count; i++)
        json_array_append(list, items[i]);
    if (node->type == NODE_TUPLE)
        return eval_tuple(ev, list, out);
    TRY(pool_keep(ev->pool, list, out));
    pool_mark(ev->pool, *out)->own = true;
    return NULL;
}

static struct err *eval_dict(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t **items;
    TRY(eval_all(ev, node->args, node->arg_count, &items));
    json_auto_t *map = json_object();
    for (size_t i = 0; i < node->arg_count; i += 2) {
        TRY(eval_require(ev, items[i]));
        if (json_is_array(items[i]) || json_is_object(items[i]))
            return err_new(ERR_INPUT, "%s cannot be the key of a map", value_type_name(items[i]));
        json_object_set(map, call_text(ev, items[i], ""), items[i + 1]);
    }
    TRY(pool_keep(ev->pool, TAKE(map), out));
    pool_mark(ev->pool, *out)->own = true;
    return NULL;
}

static struct err *eval_sign(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *value;
    TRY(eval_defined(ev, node->left, &value));
    if (!value_is_number(value))
        return err_new(ERR_INPUT, "a sign cannot stand before %s", value_type_name(value));
    if (json_is_real(value))
        return pool_real(ev->pool,
                         node->type == NODE_MINUS ? -json_real_value(value) : json_real_value(value), out);
    json_int_t number = value_integer(value);
    if (node->type == NODE_MINUS && __builtin_sub_overflow((json_int_t)0, number, &number))
        return err_new(ERR_INPUT, "the number does not fit in 64 bits");
    return pool_integer(ev->pool, number, out);
}

static struct err *eval_concat(struct eval *ev, const struct expr_node *node, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (size_t i = 0; i < node->arg_count; i++) {
        json_t *value;
        TRY(eval_node(ev, node->args[i], &value));
        TRY(eval_require_deep(ev, value));
        value_add_text(&sb, ev->pool, value);
    }
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *eval_comparisons(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *left, *right;
    bool truth = true;
    TRY(eval_defined(ev, node->args[0], &left));
    for (size_t i = 1; truth && i < node->arg_count; i++) {
        TRY(eval_defined(ev, node->args[i], &right));
        TRY(eval_compare(ev, node->ops[i - 1], left, right, &truth));
        left = right;
    }
    *out = pool_bool(truth);
    return NULL;
}

static struct err *eval_logic(struct eval *ev, const struct expr_node *node, json_t **out)
{
    TRY(eval_defined(ev, node->left, out));
    if (node->type == NODE_NOT) {
        *out = pool_bool(!value_true(*out));
        return NULL;
    }
    return value_true(*out) == (node->type == NODE_OR) ? NULL : eval_node(ev, node->right, out);
}

static struct err *eval_condition(struct eval *ev, const struct expr_node *node, json_t **out)
{
    bool truth;
    TRY(eval_truth(ev, node->condition, &truth));
    if (truth || node->right)
        return eval_node(ev, truth ? node->left : node->right, out);
    /* Jinja makes this one undefined value that may be used: it is empty text, but default() replaces it. */
    TRY(pool_text(ev->pool, "", 0, out));
    pool_mark(ev->pool, *out)->kind = MARK_UNDEFINED;
    return NULL;
}

static struct err *eval_subscript(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *object, *index;
    TRY(eval_node(ev, node->left, &object));
    if (node->type == NODE_ATTR)
        return eval_attribute(ev, object, node->name, node, out);
    TRY(eval_defined(ev, node->right, &index));
    return eval_item(ev, object, index, node, out);
}

static struct err *eval_slice_node(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *object, **parts;
    TRY(eval_defined(ev, node->left, &object));
    TRY(eval_all(ev, node->args, 3, &parts));
    for (int i = 0; i < 3; i++)
        TRY(eval_require(ev, parts[i]));
    return eval_slice(ev, object, parts, out);
}

static struct err *eval_filter_or_test(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *input;
    struct arguments args = {0};
    TRY(eval_node(ev, node->left, &input));
    TRY(eval_arguments(ev, node, &args));
    if (node->type == NODE_FILTER)
        return filter_call(ev, node->callee, input, &args, 0, out);
    bool truth;
    TRY(filter_call_test(ev, node->callee, input, &args, 0, &truth));
    *out = pool_bool(truth);
    return NULL;
}

static struct err *eval_call(struct eval *ev, const struct expr_node *node, json_t **out)
{
    struct arguments args = {0};
    json_t *object = NULL, *callee = NULL;
    if (node->type == NODE_METHOD) {
        TRY(eval_defined(ev, node->left, &object));
        enum mark_kind kind = pool_kind(ev->pool, object);
        if (kind == MARK_SELF)
            return eval_call_block(ev, node->name, out);
        if (kind == MARK_MODULE || kind == MARK_NAMESPACE)
            TRY(eval_attribute(ev, object, node->name, node, &callee));
    } else if (!node->name) {
        TRY(eval_defined(ev, node->left, &callee));
    } else {
        callee = find_local(ev, node->name);
    }
    TRY(eval_arguments(ev, node, &args));
    if (callee)
        return eval_call_value(ev, callee, &args, out);
    if (!object && strcmp(node->name, "super") == 0)
        return eval_call_super(ev, out);
    if (!object && !function_exists(node->name))
        return function_unknown(node->name);
    for (size_t i = 0; i < args.count; i++)
        TRY(eval_require(ev, args.items[i]));
    return object ? method_call(ev, object, node->name, &args, out)
                  : function_call(ev, node->name, &args, out);
}

static struct err *eval_operands(struct eval *ev, const struct expr_node *node, json_t **out)
{
    json_t *left, *right;
    TRY(eval_defined(ev, node->left, &left));
    TRY(eval_defined(ev, node->right, &right));
    return eval_binary(ev, node->op, left, right, out);
}

static struct err *eval_by_type(struct eval *ev, const struct expr_node *node, json_t **out)
{
    switch (node->type) {
    case NODE_CONST:
        *out = node->value;
        return NULL;
    case NODE_NAME:
        return eval_name(ev, node->name, out);
    case NODE_LIST:
    case NODE_TUPLE:
        return eval_sequence(ev, node, out);
    case NODE_DICT:
        return eval_dict(ev, node, out);
    case NODE_ATTR:
    case NODE_ITEM:
        return eval_subscript(ev, node, out);
    case NODE_SLICE:
        return eval_slice_node(ev, node, out);
    case NODE_CALL:
    case NODE_METHOD:
        return eval_call(ev, node, out);
    case NODE_FILTER:
    case NODE_TEST:
        return eval_filter_or_test(ev, node, out);
    case NODE_NOT:
    case NODE_AND:
    case NODE_OR:
        return eval_logic(ev, node, out);
    case NODE_MINUS:
    case NODE_PLUS:
        return eval_sign(ev, node, out);
    case NODE_BINARY:
        return eval_operands(ev, node, out);
    case NODE_CONCAT:
        return eval_concat(ev, node, out);
    case NODE_COMPARE:
        return eval_comparisons(ev, node, out);
    case NODE_IF:
        return eval_condition(ev, node, out);
    }
    return err_new(ERR_INTERNAL, "an expression node of unknown type %d", (int)node->type);
}

struct err *eval_node(struct eval *ev, const struct expr_node *node, json_t **out)
{
    TRY(pool_spend(ev->pool, 8)); /* bounds the steps */
    if (ev->pool->nesting >= MAX_NESTING)
        return err_new(ERR_INPUT, "expressions and the variables that they use are nested too deep");
    ev->pool->nesting++;
    struct err *e = eval_by_type(ev, node, out);
    ev->pool->nesting--;
    return e;
}

struct err *eval_defined(struct eval *ev, const struct expr_node *node, json_t **out)
{
    TRY(eval_node(ev, node, out));
    return eval_require(ev, *out);
}

struct err *eval_truth(struct eval *ev, const struct expr_node *node, bool *truth)
{
    json_t *value;
    TRY(eval_defined(ev, node, &value));
    *truth = value_true(value);
    return NULL;
}
