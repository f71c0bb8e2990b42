/* What the parsers of expressions and statements share: looking at tokens, errors, making nodes. */
#include "base/strbuf.h"
#include "playbook/expr_ast.h"
#include <string.h>

#define MAX_HEIGHT 200
#define MAX_PARENTHESES 64

const struct token *parser_peek(const struct parser *p)
{
    return &p->tokens[p->at];
}

bool parser_is_op(const struct parser *p, const char *op)
{
    return parser_peek(p)->type == TOKEN_OPERATOR && strcmp(parser_peek(p)->text, op) == 0;
}

bool parser_is_name(const struct parser *p, const char *name)
{
    return parser_peek(p)->type == TOKEN_NAME && strcmp(parser_peek(p)->text, name) == 0;
}

bool parser_accept_op(struct parser *p, const char *op)
{
    bool is = parser_is_op(p, op);
    p->at += is;
    return is;
}

bool parser_accept_name(struct parser *p, const char *name)
{
    bool is = parser_is_name(p, name);
    p->at += is;
    return is;
}

struct err *expr_error(const struct expr_place *place, int line, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf message;
    strbuf_init(&message, 64u << 10);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&message, fmt, args);
    va_end(args);
    if (line <= 0)
        return err_new(ERR_INPUT, "%s: %s", place->file, message.data);
    return err_new(ERR_INPUT, "%s:%d: %s", place->file, line, message.data);
}

/* The line of source around the token, shortened. */
static const char *excerpt(const struct parser *p)
{
    size_t from = parser_peek(p)->offset < p->source_length ? parser_peek(p)->offset : p->source_length,
           to = from;
    while (from > 0 && p->source[from - 1] != '\n' && parser_peek(p)->offset - from < 60)
        from--;
    while (from < to && (p->source[from] & 0xc0) == 0x80)
        from++;
    while (to < p->source_length && p->source[to] != '\n' && to - from < 100)
        to++;
    while (to < p->source_length && to > from && (p->source[to] & 0xc0) == 0x80)
        to--;
    return arena_strndup(p->arena, p->source + from, to - from);
}

struct err *parser_error(const struct parser *p, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf message;
    strbuf_init(&message, 64u << 10);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&message, fmt, args);
    va_end(args);
    return expr_error(p->place, parser_peek(p)->line, "%s in '%s'", message.data, excerpt(p));
}

const char *parser_token_name(const struct token *token)
{
    return token->type == TOKEN_END ? "the end" : token->text[0] ? token->text : "a value";
}

struct err *parser_expect_op(struct parser *p, const char *op)
{
    if (parser_accept_op(p, op))
        return NULL;
    return parser_error(p, "expected '%s' instead of '%s'", op, parser_token_name(parser_peek(p)));
}

struct err *parser_expect_end(struct parser *p)
{
    if (parser_peek(p)->type == TOKEN_END)
        return NULL;
    return parser_error(p, "unexpected '%s'", parser_token_name(parser_peek(p)));
}

struct expr_node *node_new(struct parser *p, enum node_type type)
{
    struct expr_node *node = ARENA_NEW(p->arena, struct expr_node);
    node->type = type;
    node->line = parser_peek(p)->line;
    return node;
}

static int taller(int height, const struct expr_node *child)
{
    return child && child->height >= height ? child->height + 1 : height;
}

/* Every node passes here when its children are known. */
struct err *node_finish(struct parser *p, struct expr_node *node, const struct expr_node **out)
{
    int height = taller(taller(taller(1, node->left), node->right), node->condition);
    for (size_t i = 0; i < node->arg_count; i++)
        height = taller(height, node->args[i]);
    for (size_t i = 0; i < node->named_count; i++)
        height = taller(height, node->named_args[i]);
    node->height = height;
    if (height > MAX_HEIGHT)
        return parser_error(p, "the expression is nested too deep");
    *out = node;
    return NULL;
}

struct err *node_finish_two(struct parser *p, enum node_type type, enum expr_op op,
                            const struct expr_node *left, const struct expr_node *right,
                            const struct expr_node **out)
{
    struct expr_node *node = node_new(p, type);
    node->op = op;
    node->left = left;
    node->right = right;
    return node_finish(p, node, out);
}

/* Grows by doubling: called with the current count. */
void node_push_arg(struct parser *p, struct expr_node *node, const struct expr_node *arg)
{
    size_t n = node->arg_count;
    if ((n & (n - 1)) == 0) {
        const struct expr_node **args = arena_array(p->arena, n ? 2 * n : 1, sizeof(*args));
        if (n)
            memcpy(args, node->args, n * sizeof(*args));
        node->args = args;
    }
    node->args[node->arg_count++] = arg;
}

void node_push_named(struct parser *p, struct expr_node *node, const char *name, const struct expr_node *arg)
{
    size_t n = node->named_count;
    const char **names = arena_array(p->arena, n + 1, sizeof(*names));
    const struct expr_node **args = arena_array(p->arena, n + 1, sizeof(*args));
    if (n) {
        memcpy(names, node->named, n * sizeof(*names));
        memcpy(args, node->named_args, n * sizeof(*args));
    }
    names[n] = name;
    args[n] = arg;
    node->named = names;
    node->named_args = args;
    node->named_count++;
}

struct err *node_const(struct parser *p, json_t *fresh, const struct expr_node **out)
{
    struct expr_node *node = node_new(p, NODE_CONST);
    if (!fresh)
        return parser_error(p, "text that is not valid UTF-8, or a number that is not finite,");
    arena_defer(p->arena, (void (*)(void *))json_decref, fresh);
    node->value = fresh;
    return node_finish(p, node, out);
}

struct err *parser_enter(struct parser *p)
{
    if (++p->depth > MAX_PARENTHESES)
        return parser_error(p, "the expression is nested too deep");
    return NULL;
}

void expr_walk_names(const struct expr_node *node, void (*visit)(void *context, const char *name),
                     void *context)
{
    if (!node)
        return;
    if (node->type == NODE_NAME || (node->type == NODE_CALL && node->name))
        visit(context, node->name);
    expr_walk_names(node->left, visit, context);
    expr_walk_names(node->right, visit, context);
    expr_walk_names(node->condition, visit, context);
    for (size_t i = 0; i < node->arg_count; i++)
        expr_walk_names(node->args[i], visit, context);
    for (size_t i = 0; i < node->named_count; i++)
        expr_walk_names(node->named_args[i], visit, context);
}
