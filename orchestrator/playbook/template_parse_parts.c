/* Statements that name parts of templates and other templates: block, extends, include, import, from, macro,
 * call. */
#include "playbook/template_read.h"
#include <string.h>

#define MAX_PARAMS 32

static struct err *parse_name(struct parser *p, const char *what, const char **name)
{
    if (parser_peek(p)->type != TOKEN_NAME)
        return parser_error(p, "expected the name of a %s", what);
    *name = p->tokens[p->at++].text;
    return NULL;
}

static struct err *parse_block(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_BLOCK;
    TRY(parse_name(p, "block", &node->name));
    node->scoped = parser_accept_name(p, "scoped");
    node->required = parser_accept_name(p, "required");
    TRY(parser_expect_end(p));
    for (const struct template_node *other = r->blocks; other; other = other->next_block)
        if (strcmp(other->name, node->name) == 0)
            return parser_error(p, "the block '%s' is defined twice", node->name);
    *r->last_block = node;
    r->last_block = &node->next_block;
    TRY(reader_read_body(r, "block", node->line, &node->body, &ending));
    if (parser_peek(&ending.parser)->type == TOKEN_NAME && !parser_accept_name(&ending.parser, node->name))
        return parser_error(&ending.parser, "the block '%s' ends as '%s'", node->name,
                            parser_token_name(parser_peek(&ending.parser)));
    return parser_expect_end(&ending.parser);
}

static struct err *parse_extends(struct reader *r, struct parser *p, struct template_node *node)
{
    node->type = TEMPLATE_EXTENDS;
    TRY(expr_parse(p, &node->expr));
    reader_note_loop_use(r, node->expr);
    return parser_expect_end(p);
}

/* with context, without context; *with is the default where neither is written. */
static void parse_context(struct parser *p, bool *with)
{
    size_t at = p->at;
    bool without = parser_accept_name(p, "without");
    if (!without && !parser_accept_name(p, "with"))
        return;
    if (parser_accept_name(p, "context"))
        *with = !without;
    else
        p->at = at;
}

static struct err *parse_include(struct reader *r, struct parser *p, struct template_node *node)
{
    node->type = TEMPLATE_INCLUDE;
    node->with_context = true;
    TRY(expr_parse(p, &node->expr));
    reader_note_loop_use(r, node->expr);
    r->loop_uses++; /* the other template may */
    size_t at = p->at;
    node->ignore_missing = parser_accept_name(p, "ignore") && parser_accept_name(p, "missing");
    if (!node->ignore_missing)
        p->at = at;
    parse_context(p, &node->with_context);
    return parser_expect_end(p);
}

static struct err *parse_import(struct reader *r, struct parser *p, struct template_node *node)
{
    node->type = TEMPLATE_IMPORT;
    TRY(expr_parse(p, &node->expr));
    reader_note_loop_use(r, node->expr);
    if (!parser_accept_name(p, "as"))
        return parser_error(p, "expected 'as' and a name after 'import'");
    TRY(parse_name(p, "variable", &node->name));
    reader_declare(r, node->name);
    parse_context(p, &node->with_context);
    return parser_expect_end(p);
}

static bool ends_names(struct parser *p)
{
    bool context = parser_is_name(p, "with") || parser_is_name(p, "without");
    const struct token *next = &p->tokens[p->at + 1];
    return parser_peek(p)->type == TOKEN_END ||
           (context && next->type == TOKEN_NAME && strcmp(next->text, "context") == 0);
}

static struct err *parse_from(struct reader *r, struct parser *p, struct template_node *node)
{
    const char *names[MAX_PARAMS], *aliases[MAX_PARAMS];
    node->type = TEMPLATE_IMPORT;
    TRY(expr_parse(p, &node->expr));
    reader_note_loop_use(r, node->expr);
    if (!parser_accept_name(p, "import"))
        return parser_error(p, "expected 'import' after the template's name");
    do {
        size_t n = node->target_count;
        if (n && ends_names(p))
            break;
        if (n == MAX_PARAMS)
            return parser_error(p, "more than %d names", MAX_PARAMS);
        TRY(parse_name(p, "macro or variable", &names[n]));
        if (names[n][0] == '_')
            return parser_error(p, "names that start with an underline cannot be imported");
        aliases[n] = names[n];
        if (parser_accept_name(p, "as"))
            TRY(parse_name(p, "variable", &aliases[n]));
        reader_declare(r, aliases[n]);
        node->target_count++;
    } while (parser_accept_op(p, ","));
    parse_context(p, &node->with_context);
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
    node->aliases = arena_memdup(r->arena, aliases, node->target_count * sizeof(*aliases));
    return parser_expect_end(p);
}

/* (a, b=default), after the opening parenthesis */
static struct err *parse_params(struct reader *r, struct parser *p, struct template_node *node)
{
    const char *names[MAX_PARAMS];
    const struct expr_node *defaults[MAX_PARAMS] = {0};
    while (!parser_accept_op(p, ")")) {
        size_t n = node->target_count;
        if (n == MAX_PARAMS)
            return parser_error(p, "more than %d parameters", MAX_PARAMS);
        TRY(parse_name(p, "parameter", &names[n]));
        for (size_t i = 0; i < n; i++)
            if (strcmp(names[i], names[n]) == 0)
                return parser_error(p, "the parameter '%s' stands twice", names[n]);
        reader_declare(r, names[n]);
        if (parser_accept_op(p, "="))
            TRY(expr_parse(p, &defaults[n]));
        else if (n && defaults[n - 1])
            return parser_error(p, "the parameter '%s' needs a default, as the one before it", names[n]);
        node->target_count++;
        if (!parser_is_op(p, ")"))
            TRY(parser_expect_op(p, ","));
    }
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
    node->values = arena_memdup(r->arena, defaults, node->target_count * sizeof(*defaults));
    return NULL;
}

static void note_special(void *context, const char *name)
{
    struct template_node *node = context;
    node->uses_varargs = node->uses_varargs || strcmp(name, "varargs") == 0;
    node->uses_kwargs = node->uses_kwargs || strcmp(name, "kwargs") == 0;
    node->uses_caller = node->uses_caller || strcmp(name, "caller") == 0;
}

static struct err *parse_macro(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_MACRO;
    TRY(parse_name(p, "macro", &node->name));
    reader_declare(r, node->name);
    TRY(parser_expect_op(p, "("));
    TRY(parse_params(r, p, node));
    TRY(parser_expect_end(p));
    TRY(reader_read_body(r, "macro", node->line, &node->body, &ending));
    template_walk_names(node->body, note_special, node);
    return NULL;
}

/* {% call(params) macro(args) %} */
static struct err *parse_call(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_CALL;
    if (parser_accept_op(p, "("))
        TRY(parse_params(r, p, node));
    TRY(expr_parse(p, &node->expr));
    if (node->expr->type != NODE_CALL && node->expr->type != NODE_METHOD)
        return parser_error(p, "'call' needs the call of a macro");
    reader_note_loop_use(r, node->expr);
    TRY(parser_expect_end(p));
    return reader_read_body(r, "call", node->line, &node->body, &ending);
}

struct err *template_parse_part(struct reader *r, struct parser *p, struct template_node *node, bool *known)
{
    static const struct {
        const char *name;
        struct err *(*parse)(struct reader *r, struct parser *p, struct template_node *node);
    } statements[] = {{"block", parse_block},   {"extends", parse_extends}, {"include", parse_include},
                      {"import", parse_import}, {"from", parse_from},       {"macro", parse_macro},
                      {"call", parse_call}};
    *known = true;
    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
        if (parser_accept_name(p, statements[i].name))
            return statements[i].parse(r, p, node);
    *known = false;
    return NULL;
}
