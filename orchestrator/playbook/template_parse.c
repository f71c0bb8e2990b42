/* Template text to nodes: parses outputs and statements. */
#include "base/strbuf.h"
#include "base/yaml.h"
#include "playbook/filter.h"
#include "playbook/template.h"
#include "playbook/template_read.h"
#include <string.h>

#define MAX_BLOCK_DEPTH 64

static struct err *read_output(struct reader *r, struct node_list *list)
{
    struct parser p;
    size_t from = r->at;
    struct template_node *node = reader_new_node(r, TEMPLATE_OUTPUT, from);
    TRY(reader_read_tokens(r, TAG_VARIABLE, &p));
    if (parser_peek(&p)->type == TOKEN_END)
        return parser_error(&p, "an expression is missing");
    TRY(expr_parse_tuple(&p, true, &node->expr));
    TRY(parser_expect_end(&p));
    reader_note_loop_use(r, node->expr);
    node->length = r->at - from;
    reader_append(list, node);
    return NULL;
}

/* a, b or (a, b) */
static struct err *parse_targets(struct reader *r, struct parser *p, struct template_node *node)
{
    const char *names[16];
    bool parenthesis = parser_accept_op(p, "(");
    do {
        if (node->target_count && parser_peek(p)->type == TOKEN_NAME && parser_is_name(p, "in"))
            break;
        if (parser_peek(p)->type != TOKEN_NAME)
            return parser_error(p, "expected the name of a variable");
        if (node->target_count == 16)
            return parser_error(p, "more than 16 variables");
        if (node->type == TEMPLATE_FOR && parser_is_name(p, "loop"))
            return parser_error(p, "a loop's variable cannot be named 'loop'");
        names[node->target_count++] = p->tokens[p->at++].text;
        node->unpack = node->unpack || parser_is_op(p, ",");
    } while (parser_accept_op(p, ","));
    if (parenthesis)
        TRY(parser_expect_op(p, ")"));
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
    for (size_t i = 0; i < node->target_count; i++)
        reader_declare(r, names[i]);
    return NULL;
}

static bool is_ending(const struct ending *ending, const char *name)
{
    return ending->name && strcmp(ending->name, name) == 0;
}

static struct err *parse_if(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_IF;
    TRY(expr_parse_tuple(p, false, &node->expr));
    TRY(parser_expect_end(p));
    reader_note_loop_use(r, node->expr);
    TRY(reader_read_body(r, "if", node->line, &node->body, &ending));
    while (is_ending(&ending, "elif")) {
        struct template_node *other = reader_new_node(r, TEMPLATE_IF, r->at);
        TRY(expr_parse_tuple(&ending.parser, false, &other->expr));
        TRY(parser_expect_end(&ending.parser));
        reader_note_loop_use(r, other->expr);
        other->text = node->text;
        other->length = node->length;
        node->otherwise = other;
        node = other;
        TRY(reader_read_body(r, "if", node->line, &node->body, &ending));
    }
    if (!is_ending(&ending, "else"))
        return NULL;
    TRY(parser_expect_end(&ending.parser));
    return reader_read_body(r, "else", node->line, &node->otherwise, &ending);
}

static struct err *parse_for(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_FOR;
    TRY(parse_targets(r, p, node));
    if (!parser_accept_name(p, "in"))
        return parser_error(p, "expected 'in' after the variables of 'for'");
    TRY(expr_parse_tuple(p, false, &node->expr));
    if (parser_accept_name(p, "if"))
        TRY(expr_parse(p, &node->condition));
    node->recursive = parser_accept_name(p, "recursive");
    TRY(parser_expect_end(p));
    reader_note_loop_use(r, node->expr);
    size_t uses = r->loop_uses;
    reader_note_loop_use(r, node->condition);
    TRY(reader_read_body(r, "for", node->line, &node->body, &ending));
    node->uses_loop = r->loop_uses > uses;
    if (!is_ending(&ending, "else"))
        return NULL;
    TRY(parser_expect_end(&ending.parser));
    return reader_read_body(r, "for else", node->line, &node->otherwise, &ending);
}

/* Filters on the rendered body, which they see as a variable that no template can name. */
static struct err *parse_hole(struct reader *r, struct parser *p, struct template_node *node)
{
    node->hole = ARENA_NEW(r->arena, struct expr_node);
    node->hole->type = NODE_NAME;
    node->hole->name = " body";
    TRY(expr_parse_filter_chain(p, node->hole, &node->expr));
    reader_note_loop_use(r, node->expr);
    return NULL;
}

static struct err *parse_set(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_SET;
    TRY(parse_targets(r, p, node));
    if (node->target_count == 1 && parser_accept_op(p, ".")) {
        if (parser_peek(p)->type != TOKEN_NAME)
            return parser_error(p, "expected the name of a namespace's member");
        node->member = p->tokens[p->at++].text;
    }
    if (parser_accept_op(p, "|"))
        TRY(parse_hole(r, p, node));
    if (node->hole || !parser_accept_op(p, "=")) {
        TRY(parser_expect_end(p));
        return reader_read_body(r, "set", node->line, &node->body, &ending);
    }
    TRY(expr_parse_tuple(p, true, &node->expr));
    reader_note_loop_use(r, node->expr);
    return parser_expect_end(p);
}

static struct err *parse_with(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    const char *names[16];
    const struct expr_node *values[16];
    node->type = TEMPLATE_WITH;
    while (parser_peek(p)->type != TOKEN_END) {
        if (node->target_count == 16 || parser_peek(p)->type != TOKEN_NAME)
            return parser_error(p, "expected the name of a variable, at most 16");
        names[node->target_count] = p->tokens[p->at++].text;
        reader_declare(r, names[node->target_count]);
        TRY(parser_expect_op(p, "="));
        TRY(expr_parse(p, &values[node->target_count]));
        reader_note_loop_use(r, values[node->target_count++]);
        if (parser_peek(p)->type != TOKEN_END)
            TRY(parser_expect_op(p, ","));
    }
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
    node->values = arena_memdup(r->arena, values, node->target_count * sizeof(*values));
    return reader_read_body(r, "with", node->line, &node->body, &ending);
}

static struct err *parse_filter(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_FILTER;
    TRY(parse_hole(r, p, node));
    TRY(parser_expect_end(p));
    return reader_read_body(r, "filter", node->line, &node->body, &ending);
}

static struct err *unknown_statement(const struct parser *p, const char *name)
{
    static const char *const known[] = {"if",     "elif",   "else",  "endif",    "for",     "endfor",
                                        "set",    "endset", "with",  "endwith",  "filter",  "endfilter",
                                        "raw",    "endraw", "block", "endblock", "extends", "include",
                                        "import", "from",   "macro", "endmacro", "call",    "endcall"};
    static const char *const refused[][2] = {{"do", "write {% set _ = ... %}"},
                                             {"break", "choose the items before: {% for x in list if ... %}"},
                                             {"continue", "write {% for x in list if ... %}"},
                                             {"autoescape", "use the filter 'escape'"},
                                             {"trans", "write the text itself"},
                                             {"debug", "use the module 'debug'"}};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (strcmp(name, refused[i][0]) == 0)
            return err_with_hint(parser_error(p, "the statement '%s' is not supported", name), "%s",
                                 refused[i][1]);
    const char *near = yaml_nearest(name, known, sizeof(known) / sizeof(*known));
    struct err *e = parser_error(p, "unknown statement '%s'", name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

/* Statements that end or divide a body, and what opens it. */
static bool may_end(const char *name, const char *opened_by)
{
    static const char *const pairs[][2] = {
        {"elif", "if"},      {"else", "if"},          {"endif", "if"},        {"endif", "else"},
        {"else", "for"},     {"endfor", "for"},       {"endfor", "for else"}, {"endset", "set"},
        {"endwith", "with"}, {"endfilter", "filter"}, {"endblock", "block"},  {"endmacro", "macro"},
        {"endcall", "call"}};
    for (size_t i = 0; opened_by && i < sizeof(pairs) / sizeof(*pairs); i++)
        if (strcmp(pairs[i][0], name) == 0 && strcmp(pairs[i][1], opened_by) == 0)
            return true;
    return false;
}

static struct err *parse_statement(struct reader *r, struct parser *p, struct template_node *node)
{
    static const struct {
        const char *name;
        struct err *(*parse)(struct reader *r, struct parser *p, struct template_node *node);
    } statements[] = {{"if", parse_if},
                      {"for", parse_for},
                      {"set", parse_set},
                      {"with", parse_with},
                      {"filter", parse_filter}};
    const char *name = parser_peek(p)->text;
    bool known;
    TRY(template_parse_part(r, p, node, &known));
    if (known)
        return NULL;
    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
        if (parser_accept_name(p, statements[i].name))
            return statements[i].parse(r, p, node);
    return unknown_statement(p, name);
}

static struct err *read_statement(struct reader *r, const char *opened_by, struct node_list *list,
                                  struct ending *ending)
{
    bool was_raw;
    size_t from = r->at;
    TRY(reader_read_raw(r, list, &was_raw));
    if (was_raw)
        return NULL;
    struct template_node *node = reader_new_node(r, TEMPLATE_IF, from);
    struct parser p;
    TRY(reader_read_tokens(r, TAG_BLOCK, &p));
    node->length = r->at - from;
    if (parser_peek(&p)->type != TOKEN_NAME)
        return parser_error(&p, "expected a statement");
    const char *name = parser_peek(&p)->text;
    if (may_end(name, opened_by)) {
        p.at++;
        *ending = (struct ending){.name = name, .parser = p};
        return NULL;
    }
    TRY(parse_statement(r, &p, node));
    reader_append(list, node);
    return NULL;
}

struct err *reader_read_body(struct reader *r, const char *opened_by, int opened_at,
                             struct template_node **first, struct ending *ending)
{
    struct node_list list = {.last = &list.first};
    enum template_tag tag;
    *ending = (struct ending){0};
    if (++r->depth > MAX_BLOCK_DEPTH)
        return expr_error(r->place, r->line, "statements nested more than %d deep", MAX_BLOCK_DEPTH);
    while (!ending->name) {
        reader_read_text(r, &list, &tag);
        if (tag == TAG_NONE && opened_by)
            return expr_error(r->place, opened_at, "'%.*s' has no end", (int)strcspn(opened_by, " "),
                              opened_by);
        if (tag == TAG_NONE)
            break;
        TRY(tag == TAG_COMMENT    ? reader_read_comment(r)
            : tag == TAG_VARIABLE ? read_output(r, &list)
                                  : read_statement(r, opened_by, &list, ending));
    }
    if (ending->name && strncmp(ending->name, "end", 3) == 0 && strcmp(ending->name, "endblock") != 0)
        TRY(parser_expect_end(&ending->parser));
    r->depth--;
    *first = list.first;
    return NULL;
}

void reader_declare(struct reader *r, const char *name)
{
    struct call_name *known = ARENA_NEW(r->arena, struct call_name);
    *known = (struct call_name){.name = name, .next = r->calls.declared};
    r->calls.declared = known;
}

/* Only now: a macro may be called before it stands in the text. */
static struct err *check_calls(const struct reader *r)
{
    static const char *const always[] = {"caller", "loop", "super"};
    for (const struct call_name *call = r->calls.called; call; call = call->next) {
        bool known = false;
        for (const struct call_name *name = r->calls.declared; name && !known; name = name->next)
            known = strcmp(name->name, call->name) == 0;
        for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
            known = known || strcmp(always[i], call->name) == 0;
        if (!known && call->line > 0)
            return err_wrap(function_unknown(call->name), "%s:%d", r->place->file, call->line);
        if (!known)
            return err_wrap(function_unknown(call->name), "%s", r->place->file);
    }
    return NULL;
}

struct err *template_parse(struct arena *arena, const struct template_syntax *syntax, const char *text,
                           size_t length, bool part, struct template_unit *unit)
{
    struct ending ending;
    struct reader r = {.arena = arena,
                       .place = &unit->place,
                       .syntax = syntax,
                       .text = text,
                       .length = length,
                       .line = unit->place.line};
    r.last_block = &r.blocks;
    TRY(reader_read_body(&r, NULL, 0, &unit->first, &ending));
    unit->blocks = r.blocks;
    return part ? NULL : check_calls(&r);
}

void template_walk_names(const struct template_node *node, void (*visit)(void *context, const char *name),
                         void *context)
{
    for (; node; node = node->next) {
        expr_walk_names(node->expr, visit, context);
        expr_walk_names(node->condition, visit, context);
        for (size_t i = 0; node->values && i < node->target_count; i++)
            expr_walk_names(node->values[i], visit, context);
        if (node->member)
            visit(context, node->targets[0]);
        if (node->type == TEMPLATE_EXTENDS || node->type == TEMPLATE_INCLUDE || node->type == TEMPLATE_IMPORT)
            visit(context, TEMPLATE_OTHER_FILES);
        template_walk_names(node->body, visit, context);
        template_walk_names(node->otherwise, visit, context);
    }
}
