/* Tokens to a tree, by recursive descent with Jinja's precedences (lowest first): if-else, or, and, not,
 * comparisons, + -, ~,
 * * / // %, **, sign, and behind a value: attribute, subscript, call, filter, test. */
#include "base/strbuf.h"
#include "playbook/filter.h"
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

static const char *token_name(const struct token *token)
{
    return token->type == TOKEN_END ? "the end" : token->text[0] ? token->text : "a value";
}

struct err *parser_expect_op(struct parser *p, const char *op)
{
    if (parser_accept_op(p, op))
        return NULL;
    return parser_error(p, "expected '%s' instead of '%s'", op, token_name(parser_peek(p)));
}

struct err *parser_expect_end(struct parser *p)
{
    if (parser_peek(p)->type == TOKEN_END)
        return NULL;
    return parser_error(p, "unexpected '%s'", token_name(parser_peek(p)));
}

static struct expr_node *new_node(struct parser *p, enum node_type type)
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
static struct err *finish(struct parser *p, struct expr_node *node, const struct expr_node **out)
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

static struct err *finish_two(struct parser *p, enum node_type type, enum expr_op op,
                              const struct expr_node *left, const struct expr_node *right,
                              const struct expr_node **out)
{
    struct expr_node *node = new_node(p, type);
    node->op = op;
    node->left = left;
    node->right = right;
    return finish(p, node, out);
}

/* Grows by doubling: called with the current count. */
static void push_arg(struct parser *p, struct expr_node *node, const struct expr_node *arg)
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

static void push_named(struct parser *p, struct expr_node *node, const char *name,
                       const struct expr_node *arg)
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

static struct err *make_const(struct parser *p, json_t *fresh, const struct expr_node **out)
{
    struct expr_node *node = new_node(p, NODE_CONST);
    if (!fresh)
        return parser_error(p, "text that is not valid UTF-8, or a number that is not finite,");
    arena_defer(p->arena, (void (*)(void *))json_decref, fresh);
    node->value = fresh;
    return finish(p, node, out);
}

static struct err *parse_name(struct parser *p, const struct expr_node **out)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {{"true", 1}, {"True", 1}, {"false", 0}, {"False", 0}, {"none", -1}, {"None", -1}};
    const char *name = parser_peek(p)->text;
    struct expr_node *node = new_node(p, NODE_NAME);
    p->at++;
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
        if (strcmp(name, constants[i].name) == 0)
            return make_const(p, constants[i].value < 0 ? json_null() : json_boolean(constants[i].value),
                              out);
    node->name = name;
    return finish(p, node, out);
}

/* Neighbouring quoted texts are one. */
static struct err *parse_text(struct parser *p, const struct expr_node **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 0);
    for (; parser_peek(p)->type == TOKEN_TEXT; p->at++)
        strbuf_add(&sb, parser_peek(p)->text, parser_peek(p)->length);
    return make_const(p, json_stringn(sb.data, sb.length), out);
}

static struct err *parse_items(struct parser *p, struct expr_node *node, const char *close)
{
    while (!parser_accept_op(p, close)) {
        const struct expr_node *item;
        TRY(expr_parse(p, &item));
        push_arg(p, node, item);
        if (node->type == NODE_DICT) {
            TRY(parser_expect_op(p, ":"));
            TRY(expr_parse(p, &item));
            push_arg(p, node, item);
        }
        if (!parser_is_op(p, close))
            TRY(parser_expect_op(p, ","));
    }
    return NULL;
}

static struct err *parse_primary(struct parser *p, const struct expr_node **out)
{
    const struct token *token = parser_peek(p);
    switch (token->type) {
    case TOKEN_NAME:
        return parse_name(p, out);
    case TOKEN_TEXT:
        return parse_text(p, out);
    case TOKEN_INTEGER:
        p->at++;
        return make_const(p, json_integer(token->integer), out);
    case TOKEN_REAL:
        p->at++;
        return make_const(p, json_real(token->real), out);
    default:
        break;
    }
    if (parser_accept_op(p, "(")) {
        if (parser_accept_op(p, ")"))
            return finish(p, new_node(p, NODE_TUPLE), out);
        TRY(expr_parse_tuple(p, true, out));
        return parser_expect_op(p, ")");
    }
    struct expr_node *node = new_node(p, parser_is_op(p, "[") ? NODE_LIST : NODE_DICT);
    if (!parser_accept_op(p, "[") && !parser_accept_op(p, "{"))
        return parser_error(p, "expected a value instead of '%s'", token_name(token));
    TRY(parse_items(p, node, node->type == NODE_LIST ? "]" : "}"));
    return finish(p, node, out);
}

/* After the opening parenthesis. */
static struct err *parse_arguments(struct parser *p, struct expr_node *node)
{
    while (!parser_accept_op(p, ")")) {
        const struct expr_node *arg;
        if (parser_is_op(p, "*") || parser_is_op(p, "**"))
            return parser_error(p, "arguments with '*' are not supported");
        bool named = parser_peek(p)->type == TOKEN_NAME && p->tokens[p->at + 1].type == TOKEN_OPERATOR &&
                     strcmp(p->tokens[p->at + 1].text, "=") == 0;
        const char *name = parser_peek(p)->text;
        p->at += named ? 2 : 0;
        if (!named && node->named_count)
            return parser_error(p, "an argument without a name after one with a name");
        TRY(expr_parse(p, &arg));
        if (named)
            push_named(p, node, name, arg);
        else
            push_arg(p, node, arg);
        if (!parser_is_op(p, ")"))
            TRY(parser_expect_op(p, ","));
    }
    return NULL;
}

/* [index] or [from:to:step], after the opening bracket. */
static struct err *parse_subscript(struct parser *p, const struct expr_node *object,
                                   const struct expr_node **out)
{
    const struct expr_node *parts[3] = {0};
    int part = 0;
    bool slice = false;
    while (!parser_is_op(p, "]")) {
        if (parser_accept_op(p, ":")) {
            slice = true;
            if (++part > 2)
                return parser_error(p, "a slice has at most three parts");
            continue;
        }
        if (parts[part])
            return parser_error(p, "expected ']' instead of '%s'", token_name(parser_peek(p)));
        TRY(expr_parse(p, &parts[part]));
    }
    p->at++;
    if (!slice && !parts[0])
        return parser_error(p, "an empty subscript");
    if (!slice)
        return finish_two(p, NODE_ITEM, 0, object, parts[0], out);
    struct expr_node *node = new_node(p, NODE_SLICE);
    node->left = object;
    for (int i = 0; i < 3; i++) {
        struct expr_node *none = NULL;
        if (!parts[i]) {
            none = new_node(p, NODE_CONST);
            none->value = json_null();
            none->height = 1;
        }
        push_arg(p, node, parts[i] ? parts[i] : none);
    }
    return finish(p, node, out);
}

static struct err *parse_attribute(struct parser *p, const struct expr_node *object,
                                   const struct expr_node **out)
{
    const struct token *token = parser_peek(p);
    p->at++;
    if (token->type == TOKEN_INTEGER) {
        const struct expr_node *index;
        TRY(make_const(p, json_integer(token->integer), &index));
        return finish_two(p, NODE_ITEM, 0, object, index, out);
    }
    if (token->type != TOKEN_NAME) {
        p->at--;
        return parser_error(p, "expected a name after '.'");
    }
    struct expr_node *node = new_node(p, parser_is_op(p, "(") ? NODE_METHOD : NODE_ATTR);
    node->left = object;
    node->name = token->text;
    if (parser_accept_op(p, "("))
        TRY(parse_arguments(p, node));
    return finish(p, node, out);
}

static struct err *parse_call(struct parser *p, const struct expr_node *callee, const struct expr_node **out)
{
    if (callee->type != NODE_NAME)
        return parser_error(p, "only functions and methods can be called");
    if (!function_exists(callee->name))
        return err_wrap(function_unknown(callee->name), "%s:%d", p->place->file, callee->line);
    struct expr_node *node = new_node(p, NODE_CALL);
    node->name = callee->name;
    p->at++;
    TRY(parse_arguments(p, node));
    return finish(p, node, out);
}

/* Attributes, subscripts and calls. */
static struct err *parse_postfix(struct parser *p, const struct expr_node **out)
{
    for (;;) {
        if (parser_accept_op(p, "."))
            TRY(parse_attribute(p, *out, out));
        else if (parser_accept_op(p, "["))
            TRY(parse_subscript(p, *out, out));
        else if (parser_is_op(p, "("))
            TRY(parse_call(p, *out, out));
        else
            return NULL;
    }
}

static struct err *parse_dotted_name(struct parser *p, const char *what, const char **name)
{
    if (parser_peek(p)->type != TOKEN_NAME)
        return parser_error(p, "expected the name of a %s instead of '%s'", what, token_name(parser_peek(p)));
    *name = p->tokens[p->at++].text;
    while (parser_accept_op(p, ".")) {
        if (parser_peek(p)->type != TOKEN_NAME)
            return parser_error(p, "expected a name after '.'");
        *name = arena_printf(p->arena, "%s.%s", *name, p->tokens[p->at++].text);
    }
    return NULL;
}

/* map('name'), select('name') and their kin name another filter or test: check it as early as its own name.
 */
static struct err *check_named_filter(struct parser *p, const struct expr_node *node)
{
    static const char *const by_test[] = {"select", "reject", "selectattr", "rejectattr"};
    bool test = false;
    for (size_t i = 0; i < sizeof(by_test) / sizeof(*by_test); i++)
        test = test || strcmp(node->name, by_test[i]) == 0;
    size_t index = test && strstr(node->name, "attr") ? 1 : 0;
    if ((!test && strcmp(node->name, "map") != 0) || index >= node->arg_count ||
        node->args[index]->type != NODE_CONST || !json_is_string(node->args[index]->value))
        return NULL;
    const char *name = json_string_value(node->args[index]->value);
    if (test ? filter_find_test(name) : filter_find(name))
        return NULL;
    return err_wrap(filter_unknown(test ? "test" : "filter", name, test), "%s:%d", p->place->file,
                    node->line);
}

static struct err *parse_filter(struct parser *p, const struct expr_node *input, const struct expr_node **out)
{
    struct expr_node *node = new_node(p, NODE_FILTER);
    TRY(parse_dotted_name(p, "filter", &node->name));
    node->callee = filter_find(node->name);
    if (!node->callee)
        return err_wrap(filter_unknown("filter", node->name, false), "%s:%d", p->place->file, node->line);
    node->left = input;
    if (parser_accept_op(p, "("))
        TRY(parse_arguments(p, node));
    TRY(check_named_filter(p, node));
    return finish(p, node, out);
}

static bool starts_bare_argument(const struct parser *p)
{
    const struct token *token = parser_peek(p);
    if (token->type == TOKEN_NAME)
        return !parser_is_name(p, "else") && !parser_is_name(p, "or") && !parser_is_name(p, "and") &&
               !parser_is_name(p, "is") && !parser_is_name(p, "if") && !parser_is_name(p, "not") &&
               !parser_is_name(p, "in");
    return token->type == TOKEN_TEXT || token->type == TOKEN_INTEGER || token->type == TOKEN_REAL ||
           parser_is_op(p, "[") || parser_is_op(p, "{");
}

/* After `is`: an argument may also follow without parentheses, as in `is version '2'` or `is divisibleby 3`.
 */
static struct err *parse_test(struct parser *p, const struct expr_node *input, const struct expr_node **out)
{
    bool negated = parser_accept_name(p, "not");
    struct expr_node *node = new_node(p, NODE_TEST);
    TRY(parse_dotted_name(p, "test", &node->name));
    node->callee = filter_find_test(node->name);
    if (!node->callee)
        return err_wrap(filter_unknown("test", node->name, true), "%s:%d", p->place->file, node->line);
    node->left = input;
    if (parser_accept_op(p, "(")) {
        TRY(parse_arguments(p, node));
    } else if (starts_bare_argument(p)) {
        const struct expr_node *arg;
        TRY(parse_primary(p, &arg));
        TRY(parse_postfix(p, &arg));
        push_arg(p, node, arg);
    }
    TRY(finish(p, node, out));
    return negated ? finish_two(p, NODE_NOT, 0, *out, NULL, out) : NULL;
}

struct err *expr_parse_filter_chain(struct parser *p, const struct expr_node *inner,
                                    const struct expr_node **node)
{
    TRY(parse_filter(p, inner, node));
    while (parser_accept_op(p, "|"))
        TRY(parse_filter(p, *node, node));
    return NULL;
}

static struct err *parse_filters_and_tests(struct parser *p, const struct expr_node **out)
{
    for (;;) {
        if (parser_accept_op(p, "|"))
            TRY(parse_filter(p, *out, out));
        else if (parser_accept_name(p, "is"))
            TRY(parse_test(p, *out, out));
        else if (parser_is_op(p, "("))
            TRY(parse_call(p, *out, out));
        else
            return NULL;
    }
}

static struct err *enter(struct parser *p)
{
    if (++p->depth > MAX_PARENTHESES)
        return parser_error(p, "the expression is nested too deep");
    return NULL;
}

static struct err *parse_unary(struct parser *p, bool with_filters, const struct expr_node **out)
{
    TRY(enter(p));
    bool minus = parser_is_op(p, "-");
    if (minus || parser_is_op(p, "+")) {
        p->at++;
        TRY(parse_unary(p, false, out));
        TRY(finish_two(p, minus ? NODE_MINUS : NODE_PLUS, 0, *out, NULL, out));
    } else {
        TRY(parse_primary(p, out));
    }
    TRY(parse_postfix(p, out));
    if (with_filters)
        TRY(parse_filters_and_tests(p, out));
    p->depth--;
    return NULL;
}

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
    TRY(parse_unary(p, true, out));
    while (parser_accept_op(p, "**")) {
        const struct expr_node *right;
        TRY(parse_unary(p, true, &right));
        TRY(finish_two(p, NODE_BINARY, OP_POWER, *out, right, out));
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
        TRY(finish_two(p, NODE_BINARY, op->op, *out, right, out));
    }
    return NULL;
}

static struct err *parse_concat(struct parser *p, const struct expr_node **out)
{
    TRY(parse_product(p, out));
    if (!parser_is_op(p, "~"))
        return NULL;
    struct expr_node *node = new_node(p, NODE_CONCAT);
    push_arg(p, node, *out);
    while (parser_accept_op(p, "~")) {
        const struct expr_node *right;
        TRY(parse_product(p, &right));
        push_arg(p, node, right);
    }
    return finish(p, node, out);
}

static struct err *parse_sum(struct parser *p, const struct expr_node **out)
{
    static const struct binary_op ops[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}};
    TRY(parse_concat(p, out));
    for (const struct binary_op *op; (op = match_op(p, ops, 2));) {
        const struct expr_node *right;
        p->at++;
        TRY(parse_concat(p, &right));
        TRY(finish_two(p, NODE_BINARY, op->op, *out, right, out));
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
    struct expr_node *node = new_node(p, NODE_COMPARE);
    push_arg(p, node, *out);
    while (accept_comparison(p, &ops[count])) {
        const struct expr_node *right;
        TRY(parse_sum(p, &right));
        push_arg(p, node, right);
        if (++count == 15)
            return parser_error(p, "too many comparisons in a row");
    }
    if (count == 0)
        return NULL;
    node->ops = arena_memdup(p->arena, ops, count * sizeof(*ops));
    return finish(p, node, out);
}

static struct err *parse_not(struct parser *p, const struct expr_node **out)
{
    if (!parser_accept_name(p, "not"))
        return parse_comparison(p, out);
    TRY(enter(p));
    TRY(parse_not(p, out));
    p->depth--;
    return finish_two(p, NODE_NOT, 0, *out, NULL, out);
}

static struct err *parse_and(struct parser *p, const struct expr_node **out)
{
    TRY(parse_not(p, out));
    while (parser_accept_name(p, "and")) {
        const struct expr_node *right;
        TRY(parse_not(p, &right));
        TRY(finish_two(p, NODE_AND, 0, *out, right, out));
    }
    return NULL;
}

struct err *expr_parse_without_if(struct parser *p, const struct expr_node **out)
{
    TRY(parse_and(p, out));
    while (parser_accept_name(p, "or")) {
        const struct expr_node *right;
        TRY(parse_and(p, &right));
        TRY(finish_two(p, NODE_OR, 0, *out, right, out));
    }
    return NULL;
}

struct err *expr_parse(struct parser *p, const struct expr_node **out)
{
    TRY(enter(p));
    TRY(expr_parse_without_if(p, out));
    while (parser_accept_name(p, "if")) {
        struct expr_node *node = new_node(p, NODE_IF);
        node->left = *out;
        TRY(expr_parse_without_if(p, &node->condition));
        if (parser_accept_name(p, "else"))
            TRY(expr_parse(p, &node->right));
        TRY(finish(p, node, out));
    }
    p->depth--;
    return NULL;
}

struct err *expr_parse_tuple(struct parser *p, bool with_if, const struct expr_node **out)
{
    TRY(with_if ? expr_parse(p, out) : expr_parse_without_if(p, out));
    if (!parser_is_op(p, ","))
        return NULL;
    struct expr_node *node = new_node(p, NODE_TUPLE);
    push_arg(p, node, *out);
    while (parser_accept_op(p, ",")) {
        const struct expr_node *item;
        if (parser_is_op(p, ")") || parser_peek(p)->type == TOKEN_END)
            break;
        TRY(with_if ? expr_parse(p, &item) : expr_parse_without_if(p, &item));
        push_arg(p, node, item);
    }
    return finish(p, node, out);
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

void expr_walk_names(const struct expr_node *node, void (*visit)(void *context, const char *name),
                     void *context)
{
    if (!node)
        return;
    if (node->type == NODE_NAME || node->type == NODE_CALL)
        visit(context, node->name);
    expr_walk_names(node->left, visit, context);
    expr_walk_names(node->right, visit, context);
    expr_walk_names(node->condition, visit, context);
    for (size_t i = 0; i < node->arg_count; i++)
        expr_walk_names(node->args[i], visit, context);
    for (size_t i = 0; i < node->named_count; i++)
        expr_walk_names(node->named_args[i], visit, context);
}
