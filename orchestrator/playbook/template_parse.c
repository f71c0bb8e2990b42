/* Template text to nodes: finds the tags, controls white space as Jinja does, and parses the statements. */
#include "base/strbuf.h"
#include "base/yaml.h"
#include "playbook/filter.h"
#include "playbook/template_ast.h"
#include <string.h>

#define MAX_BLOCK_DEPTH 64

const struct template_syntax template_default_syntax = {
    .start = {"{{", "{%", "{#"}, .end = {"}}", "%}", "#}"}, .trim_blocks = true};

enum tag { TAG_VARIABLE, TAG_BLOCK, TAG_COMMENT, TAG_NONE };

struct reader {
    struct arena *arena;
    const struct expr_place *place;
    const struct template_syntax *syntax;
    const char *text;
    size_t length, at;
    int line;
    int depth;
    bool strip;       /* the tag before ended with '-' */
    bool trim;        /* one newline goes: trim_blocks */
    size_t loop_uses; /* expressions so far that mention `loop` */
};

/* The statement that ended a body, and its tokens. */
struct ending {
    const char *name; /* NULL: end of the template */
    struct parser parser;
};

struct list {
    struct template_node *first, **last;
};

static struct err *parse_body(struct reader *r, const char *opened_by, int opened_at,
                              struct template_node **first, struct ending *ending);

static struct template_node *new_node(struct reader *r, enum template_node_type type, size_t from)
{
    struct template_node *node = ARENA_NEW(r->arena, struct template_node);
    node->type = type;
    node->line = r->line;
    node->text = r->text + from;
    return node;
}

static void append(struct list *list, struct template_node *node)
{
    *list->last = node;
    list->last = &node->next;
}

static bool starts_with(const struct reader *r, size_t at, const char *mark)
{
    size_t n = strlen(mark);
    return r->length - at >= n && memcmp(r->text + at, mark, n) == 0;
}

static enum tag tag_at(const struct reader *r, size_t at)
{
    for (int tag = TAG_VARIABLE; tag < TAG_NONE; tag++)
        if (starts_with(r, at, r->syntax->start[tag]))
            return (enum tag)tag;
    return TAG_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void count_lines(struct reader *r, size_t from, size_t to)
{
    for (; from < to; from++)
        r->line += r->text[from] == '\n';
}

/* Text up to the next tag, less what the tags around it strip. */
static void read_text(struct reader *r, struct list *list, enum tag *tag)
{
    size_t from = r->at, to = r->at;
    while (to < r->length && (*tag = tag_at(r, to)) == TAG_NONE)
        to++;
    *tag = to < r->length ? *tag : TAG_NONE;
    size_t end = to;
    int line = r->line;
    count_lines(r, from, to);
    if (r->trim && from < end && r->text[from] == '\n')
        from++;
    while (r->strip && from < end && is_blank(r->text[from]))
        from++;
    char sign = *tag == TAG_NONE ? 0 : r->text[to + strlen(r->syntax->start[*tag])];
    while (sign == '-' && end > from && is_blank(r->text[end - 1]))
        end--;
    if (r->syntax->lstrip_blocks && (*tag == TAG_BLOCK || *tag == TAG_COMMENT) && sign != '+' &&
        sign != '-') {
        size_t start = end;
        while (start > from && (r->text[start - 1] == ' ' || r->text[start - 1] == '\t'))
            start--;
        if (start == 0 || r->text[start - 1] == '\n')
            end = start;
    }
    r->strip = r->trim = false;
    r->at = to;
    if (end == from)
        return;
    struct template_node *node = new_node(r, TEMPLATE_TEXT, from);
    node->line = line;
    node->length = end - from;
    append(list, node);
}

/* At the first byte of the end mark or the sign before it. */
static void pass_end_mark(struct reader *r, enum tag tag)
{
    char sign = r->text[r->at];
    bool signed_mark = !starts_with(r, r->at, r->syntax->end[tag]);
    r->at += strlen(r->syntax->end[tag]) + signed_mark;
    r->strip = signed_mark && sign == '-';
    r->trim = !signed_mark && tag != TAG_VARIABLE && r->syntax->trim_blocks;
}

static struct err *read_comment(struct reader *r)
{
    const char *mark = r->syntax->end[TAG_COMMENT];
    size_t from = r->at + strlen(r->syntax->start[TAG_COMMENT]);
    const char *end = memmem(r->text + from, r->length - from, mark, strlen(mark));
    if (!end)
        return expr_error(r->place, r->line, "a comment without its end '%s'", mark);
    size_t to = (size_t)(end - r->text);
    count_lines(r, from, to);
    r->at = to > from && (end[-1] == '-' || end[-1] == '+') ? to - 1 : to;
    pass_end_mark(r, TAG_COMMENT);
    return NULL;
}

static void note_name(void *context, const char *name)
{
    size_t *uses = context;
    *uses += strcmp(name, "loop") == 0;
}

static void note_loop_use(struct reader *r, const struct expr_node *expr)
{
    expr_walk_names(expr, note_name, &r->loop_uses);
}

/* The tokens of the tag at r->at, which moves behind it. */
static struct err *read_tokens(struct reader *r, enum tag tag, struct parser *p)
{
    struct lex_input input = {.arena = r->arena,
                              .place = r->place,
                              .source = r->text,
                              .length = r->length,
                              .end_mark = r->syntax->end[tag],
                              .raw_text = tag == TAG_VARIABLE && r->syntax->raw_text};
    struct token *tokens;
    size_t count, from = r->at + strlen(r->syntax->start[tag]);
    if (from < r->length && (r->text[from] == '-' || r->text[from] == '+'))
        from++;
    r->at = from;
    TRY(expr_lex(&input, &r->at, r->line, &tokens, &count));
    count_lines(r, from, r->at);
    pass_end_mark(r, tag);
    *p = (struct parser){.arena = r->arena,
                         .place = r->place,
                         .source = r->text,
                         .source_length = r->length,
                         .tokens = tokens,
                         .count = count};
    return NULL;
}

static struct err *read_output(struct reader *r, struct list *list)
{
    struct parser p;
    size_t from = r->at;
    struct template_node *node = new_node(r, TEMPLATE_OUTPUT, from);
    TRY(read_tokens(r, TAG_VARIABLE, &p));
    if (parser_peek(&p)->type == TOKEN_END)
        return parser_error(&p, "an expression is missing");
    TRY(expr_parse_tuple(&p, true, &node->expr));
    TRY(parser_expect_end(&p));
    note_loop_use(r, node->expr);
    node->length = r->at - from;
    append(list, node);
    return NULL;
}

/* {% raw %}: everything up to {% endraw %} is text. False when the tag at r->at is another. */
static bool match_raw_tag(const struct reader *r, size_t at, const char *name, size_t *after,
                          bool *minus_before, bool *minus_after)
{
    if (!starts_with(r, at, r->syntax->start[TAG_BLOCK]))
        return false;
    at += strlen(r->syntax->start[TAG_BLOCK]);
    *minus_before = at < r->length && r->text[at] == '-';
    at += at < r->length && (r->text[at] == '-' || r->text[at] == '+');
    while (at < r->length && is_blank(r->text[at]))
        at++;
    if (!starts_with(r, at, name))
        return false;
    at += strlen(name);
    while (at < r->length && is_blank(r->text[at]))
        at++;
    *minus_after = at < r->length && r->text[at] == '-';
    at += *minus_after;
    if (!starts_with(r, at, r->syntax->end[TAG_BLOCK]))
        return false;
    *after = at + strlen(r->syntax->end[TAG_BLOCK]);
    return true;
}

static struct err *read_raw(struct reader *r, struct list *list, bool *was_raw)
{
    size_t from, after;
    bool before, strip_first, strip_last;
    *was_raw = match_raw_tag(r, r->at, "raw", &from, &before, &strip_first);
    if (!*was_raw)
        return NULL;
    size_t to = from;
    while (to < r->length && !match_raw_tag(r, to, "endraw", &after, &strip_last, &before))
        to++;
    if (to == r->length)
        return expr_error(r->place, r->line, "'raw' has no 'endraw'");
    int line = r->line;
    count_lines(r, r->at, after);
    r->at = after;
    r->strip = before;
    r->trim = !before && r->syntax->trim_blocks;
    while (strip_first && from < to && is_blank(r->text[from]))
        from++;
    while (strip_last && to > from && is_blank(r->text[to - 1]))
        to--;
    struct template_node *node = new_node(r, TEMPLATE_TEXT, from);
    node->line = line;
    node->length = to - from;
    append(list, node);
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
        names[node->target_count++] = p->tokens[p->at++].text;
        node->unpack = node->unpack || parser_is_op(p, ",");
    } while (parser_accept_op(p, ","));
    if (parenthesis)
        TRY(parser_expect_op(p, ")"));
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
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
    note_loop_use(r, node->expr);
    TRY(parse_body(r, "if", node->line, &node->body, &ending));
    while (is_ending(&ending, "elif")) {
        struct template_node *other = new_node(r, TEMPLATE_IF, r->at);
        TRY(expr_parse_tuple(&ending.parser, false, &other->expr));
        TRY(parser_expect_end(&ending.parser));
        note_loop_use(r, other->expr);
        other->text = node->text;
        other->length = node->length;
        node->otherwise = other;
        node = other;
        TRY(parse_body(r, "if", node->line, &node->body, &ending));
    }
    if (!is_ending(&ending, "else"))
        return NULL;
    TRY(parser_expect_end(&ending.parser));
    return parse_body(r, "else", node->line, &node->otherwise, &ending);
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
    if (parser_is_name(p, "recursive"))
        return parser_error(p, "'recursive' loops are not supported");
    TRY(parser_expect_end(p));
    note_loop_use(r, node->expr);
    size_t uses = r->loop_uses;
    note_loop_use(r, node->condition);
    TRY(parse_body(r, "for", node->line, &node->body, &ending));
    node->uses_loop = r->loop_uses > uses;
    if (!is_ending(&ending, "else"))
        return NULL;
    TRY(parser_expect_end(&ending.parser));
    return parse_body(r, "for else", node->line, &node->otherwise, &ending);
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
    if (!parser_accept_op(p, "=")) {
        TRY(parser_expect_end(p));
        return parse_body(r, "set", node->line, &node->body, &ending);
    }
    TRY(expr_parse_tuple(p, true, &node->expr));
    note_loop_use(r, node->expr);
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
        TRY(parser_expect_op(p, "="));
        TRY(expr_parse(p, &values[node->target_count]));
        note_loop_use(r, values[node->target_count++]);
        if (parser_peek(p)->type != TOKEN_END)
            TRY(parser_expect_op(p, ","));
    }
    node->targets = arena_memdup(r->arena, names, node->target_count * sizeof(*names));
    node->values = arena_memdup(r->arena, values, node->target_count * sizeof(*values));
    return parse_body(r, "with", node->line, &node->body, &ending);
}

static struct err *parse_filter(struct reader *r, struct parser *p, struct template_node *node)
{
    struct ending ending;
    node->type = TEMPLATE_FILTER;
    node->hole = ARENA_NEW(r->arena, struct expr_node);
    node->hole->type = NODE_NAME; /* the rendered body, as a variable that no template can name */
    node->hole->name = " body";
    TRY(expr_parse_filter_chain(p, node->hole, &node->expr));
    TRY(parser_expect_end(p));
    note_loop_use(r, node->expr);
    return parse_body(r, "filter", node->line, &node->body, &ending);
}

static struct err *unknown_statement(const struct parser *p, const char *name)
{
    static const char *const known[] = {"if",     "elif",      "else",   "endif", "for",
                                        "endfor", "set",       "endset", "with",  "endwith",
                                        "filter", "endfilter", "raw",    "endraw"};
    static const char *const refused[] = {"block", "extends",  "include",  "import",     "from",
                                          "macro", "call",     "do",       "autoescape", "trans",
                                          "break", "continue", "endblock", "endmacro"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (strcmp(name, refused[i]) == 0)
            return err_with_hint(parser_error(p, "the statement '%s' is not supported", name),
                                 "write the template in one file, with if, for and set");
    const char *near = yaml_nearest(name, known, sizeof(known) / sizeof(*known));
    struct err *e = parser_error(p, "unknown statement '%s'", name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

/* Statements that end or divide a body, and what opens it. */
static bool may_end(const char *name, const char *opened_by)
{
    static const char *const pairs[][2] = {{"elif", "if"},         {"else", "if"},    {"endif", "if"},
                                           {"endif", "else"},      {"else", "for"},   {"endfor", "for"},
                                           {"endfor", "for else"}, {"endset", "set"}, {"endwith", "with"},
                                           {"endfilter", "filter"}};
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
    for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
        if (parser_accept_name(p, statements[i].name))
            return statements[i].parse(r, p, node);
    return unknown_statement(p, name);
}

static struct err *read_statement(struct reader *r, const char *opened_by, struct list *list,
                                  struct ending *ending)
{
    bool was_raw;
    size_t from = r->at;
    TRY(read_raw(r, list, &was_raw));
    if (was_raw)
        return NULL;
    struct template_node *node = new_node(r, TEMPLATE_IF, from);
    struct parser p;
    TRY(read_tokens(r, TAG_BLOCK, &p));
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
    append(list, node);
    return NULL;
}

static struct err *parse_body(struct reader *r, const char *opened_by, int opened_at,
                              struct template_node **first, struct ending *ending)
{
    struct list list = {.last = &list.first};
    enum tag tag;
    *ending = (struct ending){0};
    if (++r->depth > MAX_BLOCK_DEPTH)
        return expr_error(r->place, r->line, "statements nested more than %d deep", MAX_BLOCK_DEPTH);
    while (!ending->name) {
        read_text(r, &list, &tag);
        if (tag == TAG_NONE && opened_by)
            return expr_error(r->place, opened_at, "'%.*s' has no end", (int)strcspn(opened_by, " "),
                              opened_by);
        if (tag == TAG_NONE)
            break;
        TRY(tag == TAG_COMMENT    ? read_comment(r)
            : tag == TAG_VARIABLE ? read_output(r, &list)
                                  : read_statement(r, opened_by, &list, ending));
    }
    if (ending->name && strncmp(ending->name, "end", 3) == 0)
        TRY(parser_expect_end(&ending->parser));
    r->depth--;
    *first = list.first;
    return NULL;
}

struct err *template_parse(struct arena *arena, const struct expr_place *place,
                           const struct template_syntax *syntax, const char *text, size_t length,
                           struct template_node **first)
{
    struct ending ending;
    struct reader r = {.arena = arena,
                       .place = place,
                       .syntax = syntax,
                       .text = text,
                       .length = length,
                       .line = place->line};
    return parse_body(&r, NULL, 0, first, &ending);
}

static struct err *read_setting(struct arena *arena, const struct expr_place *place, const char *name,
                                const char *value, struct template_syntax *syntax)
{
    static const char *const marks[] = {"variable_start_string", "block_start_string", "comment_start_string",
                                        "variable_end_string",   "block_end_string",   "comment_end_string"};
    bool truth = strcmp(value, "True") == 0;
    size_t length = strlen(value);
    if (strcmp(name, "trim_blocks") == 0 || strcmp(name, "lstrip_blocks") == 0) {
        if (!truth && strcmp(value, "False") != 0)
            return expr_error(place, 1, "'%s' in the #jinja2 line is True or False, not '%s'", name, value);
        *(name[0] == 't' ? &syntax->trim_blocks : &syntax->lstrip_blocks) = truth;
        return NULL;
    }
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(name, marks[i]) != 0)
            continue;
        if (length < 3 || (value[0] != '\'' && value[0] != '"') || value[length - 1] != value[0])
            return expr_error(place, 1, "'%s' in the #jinja2 line needs a text in quotes", name);
        *(i < 3 ? &syntax->start[i] : &syntax->end[i - 3]) = arena_strndup(arena, value + 1, length - 2);
        return NULL;
    }
    return expr_error(place, 1, "the #jinja2 line has the unknown setting '%s'", name);
}

struct err *template_read_header(struct arena *arena, const struct expr_place *place, const char *text,
                                 size_t length, struct template_syntax *syntax, size_t *header_length)
{
    static const char header[] = "#jinja2:";
    *header_length = 0;
    if (length < sizeof(header) - 1 || strncmp(text, header, sizeof(header) - 1) != 0)
        return NULL;
    const char *eol = memchr(text, '\n', length);
    *header_length = eol ? (size_t)(eol - text) + 1 : length;
    char *line = arena_strndup(arena, text + sizeof(header) - 1,
                               (eol ? (size_t)(eol - text) : length) - sizeof(header) + 1);
    for (char *save, *pair = strtok_r(line, ",", &save); pair; pair = strtok_r(NULL, ",", &save)) {
        char *colon = strchr(pair, ':');
        if (!colon)
            return expr_error(place, 1, "the #jinja2 line needs 'name: value', not '%s'", pair);
        *colon = 0;
        const char *parts[2] = {pair, colon + 1};
        for (int i = 0; i < 2; i++) {
            parts[i] += strspn(parts[i], " \t\r");
            parts[i] = arena_strndup(arena, parts[i], strcspn(parts[i], " \t\r"));
        }
        TRY(read_setting(arena, place, parts[0], parts[1], syntax));
    }
    return NULL;
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
        template_walk_names(node->body, visit, context);
        template_walk_names(node->otherwise, visit, context);
    }
}
