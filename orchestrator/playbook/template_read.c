#include "playbook/template_read.h"
#include <string.h>

struct template_node *reader_new_node(struct reader *r, enum template_node_type type, size_t from)
{
    struct template_node *node = ARENA_NEW(r->arena, struct template_node);
    node->type = type;
    node->line = r->line;
    node->text = r->text + from;
    return node;
}

void reader_append(struct node_list *list, struct template_node *node)
{
    *list->last = node;
    list->last = &node->next;
}

static bool starts_with(const struct reader *r, size_t at, const char *mark)
{
    size_t n = strlen(mark);
    return r->length - at >= n && memcmp(r->text + at, mark, n) == 0;
}

static enum template_tag tag_at(const struct reader *r, size_t at)
{
    for (int tag = TAG_VARIABLE; tag < TAG_NONE; tag++)
        if (starts_with(r, at, r->syntax->start[tag]))
            return (enum template_tag)tag;
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

void reader_read_text(struct reader *r, struct node_list *list, enum template_tag *tag)
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
    struct template_node *node = reader_new_node(r, TEMPLATE_TEXT, from);
    node->line = line;
    node->length = end - from;
    reader_append(list, node);
}

/* At the first byte of the end mark or the sign before it. */
static void pass_end_mark(struct reader *r, enum template_tag tag)
{
    char sign = r->text[r->at];
    bool signed_mark = !starts_with(r, r->at, r->syntax->end[tag]);
    r->at += strlen(r->syntax->end[tag]) + signed_mark;
    r->strip = signed_mark && sign == '-';
    r->trim = !signed_mark && tag != TAG_VARIABLE && r->syntax->trim_blocks;
}

struct err *reader_read_comment(struct reader *r)
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

void reader_note_loop_use(struct reader *r, const struct expr_node *expr)
{
    expr_walk_names(expr, note_name, &r->loop_uses);
}

struct err *reader_read_tokens(struct reader *r, enum template_tag tag, struct parser *p)
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
                         .calls = &r->calls,
                         .place = r->place,
                         .source = r->text,
                         .source_length = r->length,
                         .tokens = tokens,
                         .count = count};
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

struct err *reader_read_raw(struct reader *r, struct node_list *list, bool *was_raw)
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
    struct template_node *node = reader_new_node(r, TEMPLATE_TEXT, from);
    node->line = line;
    node->length = to - from;
    reader_append(list, node);
    return NULL;
}
