/* Operators, by recursive descent with Jinja's precedences (lowest first): if-else, or, and, not,
 * comparisons, + -, ~,
 * * / // %, **, sign. The values between them are in expr_parse_value.c. */
#include "playbook/expr_ast.h"
#include <string.h>

struct binary_op {
    const char *text;
    enum expr_op op;
};

static const struct binary_op *match_op(const struct parser *p, const struct binary_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parser_is_op(p, ops[i].text))
            return &ops[i];
    return NULL;
}

static struct err *parse_power(struct parser *p, const struct expr_node **out)
{
    TRY(expr_parse_unary(p, true, out));
    while (parser_accept_op(p, "**")) {
        const struct expr_node *right;
        TRY(expr_parse_unary(p, true, &right));
        TRY(node_finish_two(p, NODE_BINARY, OP_POWER, *out, right, out));
    }
    return NULL;
}

static struct err *parse_product(struct parser *p, const struct expr_node **out)
{
    static const struct binary_op ops[] = {
        {"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"//", OP_FLOOR}, {"%", OP_MODULO}};
    TRY(parse_power(p, out));
    for (const struct binary_op *op; (op = match_op(p, ops, 4));) {
        const struct expr_node *right;
        p->at++;
        TRY(parse_power(p, &right));
        TRY(node_finish_two(p, NODE_BINARY, op->op, *out, right, out));
    }
    return NULL;
}

static struct err *parse_concat(struct parser *p, const struct expr_node **out)
{
    TRY(parse_product(p, out));
    if (!parser_is_op(p, "~"))
        return NULL;
    struct expr_node *node = node_new(p, NODE_CONCAT);
    node_push_arg(p, node, *out);
    while (parser_accept_op(p, "~")) {
        const struct expr_node *right;
        TRY(parse_product(p, &right));
        node_push_arg(p, node, right);
    }
    return node_finish(p, node, out);
}

static struct err *parse_sum(struct parser *p, const struct expr_node **out)
{
    static const struct binary_op ops[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}};
    TRY(parse_concat(p, out));
    for (const struct binary_op *op; (op = match_op(p, ops, 2));) {
        const struct expr_node *right;
        p->at++;
        TRY(parse_concat(p, &right));
        TRY(node_finish_two(p, NODE_BINARY, op->op, *out, right, out));
    }
    return NULL;
}

static bool accept_comparison(struct parser *p, enum expr_op *op)
{
    static const struct binary_op ops[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT},
                                           {"<=", OP_LE}, {">", OP_GT},  {">=", OP_GE}};
    const struct binary_op *found = match_op(p, ops, 6);
    if (found) {
        *op = found->op;
        p->at++;
        return true;
    }
    if (parser_accept_name(p, "in")) {
        *op = OP_IN;
        return true;
    }
    const struct token *next = parser_is_name(p, "not") ? &p->tokens[p->at + 1] : NULL;
    if (!next || next->type != TOKEN_NAME || strcmp(next->text, "in") != 0)
        return false;
    *op = OP_NOT_IN;
    p->at += 2;
    return true;
}

static struct err *parse_comparison(struct parser *p, const struct expr_node **out)
{
    enum expr_op ops[16];
    size_t count = 0;
    TRY(parse_sum(p, out));
    struct expr_node *node = node_new(p, NODE_COMPARE);
    node_push_arg(p, node, *out);
    while (accept_comparison(p, &ops[count])) {
        const struct expr_node *right;
        TRY(parse_sum(p, &right));
        node_push_arg(p, node, right);
        if (++count == 15)
            return parser_error(p, "too many comparisons in a row");
    }
    if (count == 0)
        return NULL;
    node->ops = arena_memdup(p->arena, ops, count * sizeof(*ops));
    return node_finish(p, node, out);
}

static struct err *parse_not(struct parser *p, const struct expr_node **out)
{
    if (!parser_accept_name(p, "not"))
        return parse_comparison(p, out);
    TRY(parser_enter(p));
    TRY(parse_not(p, out));
    p->depth--;
    return node_finish_two(p, NODE_NOT, 0, *out, NULL, out);
}

static struct err *parse_and(struct parser *p, const struct expr_node **out)
{
    TRY(parse_not(p, out));
    while (parser_accept_name(p, "and")) {
        const struct expr_node *right;
        TRY(parse_not(p, &right));
        TRY(node_finish_two(p, NODE_AND, 0, *out, right, out));
    }
    return NULL;
}

struct err *expr_parse_without_if(struct parser *p, const struct expr_node **out)
{
    TRY(parse_and(p, out));
    while (parser_accept_name(p, "or")) {
        const struct expr_node *right;
        TRY(parse_and(p, &right));
        TRY(node_finish_two(p, NODE_OR, 0, *out, right, out));
    }
    return NULL;
}

struct err *expr_parse(struct parser *p, const struct expr_node **out)
{
    TRY(parser_enter(p));
    TRY(expr_parse_without_if(p, out));
    while (parser_accept_name(p, "if")) {
        struct expr_node *node = node_new(p, NODE_IF);
        node->left = *out;
        TRY(expr_parse_without_if(p, &node->condition));
        if (parser_accept_name(p, "else"))
            TRY(expr_parse(p, &node->right));
        TRY(node_finish(p, node, out));
    }
    p->depth--;
    return NULL;
}

struct err *expr_parse_tuple(struct parser *p, bool with_if, const struct expr_node **out)
{
    TRY(with_if ? expr_parse(p, out) : expr_parse_without_if(p, out));
    if (!parser_is_op(p, ","))
        return NULL;
    struct expr_node *node = node_new(p, NODE_TUPLE);
    node_push_arg(p, node, *out);
    while (parser_accept_op(p, ",")) {
        const struct expr_node *item;
        if (parser_is_op(p, ")") || parser_peek(p)->type == TOKEN_END)
            break;
        TRY(with_if ? expr_parse(p, &item) : expr_parse_without_if(p, &item));
        node_push_arg(p, node, item);
    }
    return node_finish(p, node, out);
}

struct err *expr_parse_text(struct arena *arena, const struct expr_place *place, const char *text,
                            bool condition, const struct expr_node **node)
{
    size_t offset = 0, count;
    struct token *tokens;
    struct lex_input input = {.arena = arena, .place = place, .source = text, .length = strlen(text)};
    TRY(expr_lex(&input, &offset, place->line, &tokens, &count));
    struct parser p = {.arena = arena,
                       .place = place,
                       .source = text,
                       .source_length = input.length,
                       .tokens = tokens,
                       .count = count};
    TRY(expr_parse_tuple(&p, !condition, node));
    return parser_expect_end(&p);
}
