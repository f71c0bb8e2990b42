/* Values: literals, names, and what stands behind a value: attribute, subscript, call, filter, test. */
#include "base/strbuf.h"
#include "playbook/filter.h"
#include <string.h>

static struct err *parse_name(struct parser *p, const struct expr_node **out)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {{"true", 1}, {"True", 1}, {"false", 0}, {"False", 0}, {"none", -1}, {"None", -1}};
    const char *name = parser_peek(p)->text;
    struct expr_node *node = node_new(p, NODE_NAME);
    p->at++;
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
        if (strcmp(name, constants[i].name) == 0)
            return node_const(p, constants[i].value < 0 ? json_null() : json_boolean(constants[i].value),
                              out);
    node->name = name;
    return node_finish(p, node, out);
}

/* Neighbouring quoted texts are one. */
static struct err *parse_text(struct parser *p, const struct expr_node **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 0);
    for (; parser_peek(p)->type == TOKEN_TEXT; p->at++)
        strbuf_add(&sb, parser_peek(p)->text, parser_peek(p)->length);
    return node_const(p, json_stringn(sb.data, sb.length), out);
}

static struct err *parse_items(struct parser *p, struct expr_node *node, const char *close)
{
    while (!parser_accept_op(p, close)) {
        const struct expr_node *item;
        TRY(expr_parse(p, &item));
        node_push_arg(p, node, item);
        if (node->type == NODE_DICT) {
            TRY(parser_expect_op(p, ":"));
            TRY(expr_parse(p, &item));
            node_push_arg(p, node, item);
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
        return node_const(p, json_integer(token->integer), out);
    case TOKEN_REAL:
        p->at++;
        return node_const(p, json_real(token->real), out);
    default:
        break;
    }
    if (parser_accept_op(p, "(")) {
        if (parser_accept_op(p, ")"))
            return node_finish(p, node_new(p, NODE_TUPLE), out);
        TRY(expr_parse_tuple(p, true, out));
        return parser_expect_op(p, ")");
    }
    struct expr_node *node = node_new(p, parser_is_op(p, "[") ? NODE_LIST : NODE_DICT);
    if (!parser_accept_op(p, "[") && !parser_accept_op(p, "{"))
        return parser_error(p, "expected a value instead of '%s'", parser_token_name(token));
    TRY(parse_items(p, node, node->type == NODE_LIST ? "]" : "}"));
    return node_finish(p, node, out);
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
            node_push_named(p, node, name, arg);
        else
            node_push_arg(p, node, arg);
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
            return parser_error(p, "expected ']' instead of '%s'", parser_token_name(parser_peek(p)));
        TRY(expr_parse(p, &parts[part]));
    }
    p->at++;
    if (!slice && !parts[0])
        return parser_error(p, "an empty subscript");
    if (!slice)
        return node_finish_two(p, NODE_ITEM, 0, object, parts[0], out);
    struct expr_node *node = node_new(p, NODE_SLICE);
    node->left = object;
    for (int i = 0; i < 3; i++) {
        struct expr_node *none = NULL;
        if (!parts[i]) {
            none = node_new(p, NODE_CONST);
            none->value = json_null();
            none->height = 1;
        }
        node_push_arg(p, node, parts[i] ? parts[i] : none);
    }
    return node_finish(p, node, out);
}

static struct err *parse_attribute(struct parser *p, const struct expr_node *object,
                                   const struct expr_node **out)
{
    const struct token *token = parser_peek(p);
    p->at++;
    if (token->type == TOKEN_INTEGER) {
        const struct expr_node *index;
        TRY(node_const(p, json_integer(token->integer), &index));
        return node_finish_two(p, NODE_ITEM, 0, object, index, out);
    }
    if (token->type != TOKEN_NAME) {
        p->at--;
        return parser_error(p, "expected a name after '.'");
    }
    struct expr_node *node = node_new(p, parser_is_op(p, "(") ? NODE_METHOD : NODE_ATTR);
    node->left = object;
    node->name = token->text;
    if (parser_accept_op(p, "("))
        TRY(parse_arguments(p, node));
    return node_finish(p, node, out);
}

/* lookup('name'): checked as early as the names of functions. */
static struct err *check_lookup(const struct parser *p, const struct expr_node *node)
{
    if (!node->name || node->arg_count == 0 || node->args[0]->type != NODE_CONST ||
        !json_is_string(node->args[0]->value) ||
        (strcmp(node->name, "lookup") != 0 && strcmp(node->name, "query") != 0 &&
         strcmp(node->name, "q") != 0))
        return NULL;
    const char *name = json_string_value(node->args[0]->value);
    if (lookup_exists(name))
        return NULL;
    return node->line > 0 ? err_wrap(lookup_unknown(name), "%s:%d", p->place->file, node->line)
                          : err_wrap(lookup_unknown(name), "%s", p->place->file);
}

static struct err *parse_call(struct parser *p, const struct expr_node *callee, const struct expr_node **out)
{
    struct expr_node *node = node_new(p, NODE_CALL);
    if (callee->type != NODE_NAME)
        node->left = callee;
    else
        node->name = callee->name;
    if (node->name && !function_exists(node->name) && !p->calls)
        return err_wrap(function_unknown(callee->name), "%s:%d", p->place->file, callee->line);
    if (node->name && !function_exists(node->name)) {
        struct call_name *call = ARENA_NEW(p->arena, struct call_name);
        *call = (struct call_name){.name = node->name, .line = callee->line, .next = p->calls->called};
        p->calls->called = call;
    }
    p->at++;
    TRY(parse_arguments(p, node));
    TRY(check_lookup(p, node));
    return node_finish(p, node, out);
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
        return parser_error(p, "expected the name of a %s instead of '%s'", what,
                            parser_token_name(parser_peek(p)));
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
    struct expr_node *node = node_new(p, NODE_FILTER);
    TRY(parse_dotted_name(p, "filter", &node->name));
    node->callee = filter_find(node->name);
    if (!node->callee)
        return err_wrap(filter_unknown("filter", node->name, false), "%s:%d", p->place->file, node->line);
    node->left = input;
    if (parser_accept_op(p, "("))
        TRY(parse_arguments(p, node));
    TRY(check_named_filter(p, node));
    return node_finish(p, node, out);
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
    struct expr_node *node = node_new(p, NODE_TEST);
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
        node_push_arg(p, node, arg);
    }
    TRY(node_finish(p, node, out));
    if (parser_is_name(p, "is"))
        return err_with_hint(parser_error(p, "a test behind a test"), "put the first one into parentheses");
    return negated ? node_finish_two(p, NODE_NOT, 0, *out, NULL, out) : NULL;
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

struct err *expr_parse_unary(struct parser *p, bool with_filters, const struct expr_node **out)
{
    TRY(parser_enter(p));
    bool minus = parser_is_op(p, "-");
    if (minus || parser_is_op(p, "+")) {
        p->at++;
        TRY(expr_parse_unary(p, false, out));
        TRY(node_finish_two(p, minus ? NODE_MINUS : NODE_PLUS, 0, *out, NULL, out));
    } else {
        TRY(parse_primary(p, out));
    }
    TRY(parse_postfix(p, out));
    if (with_filters)
        TRY(parse_filters_and_tests(p, out));
    p->depth--;
    return NULL;
}
