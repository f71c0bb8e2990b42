/* wordwrap: Jinja hands each line to Python's textwrap. Source: "textwrap" of the Python library reference.
 */
#include "playbook/filter.h"
#include <ctype.h>
#include <string.h>

struct wrap {
    struct eval *ev;
    size_t width;
    bool break_words, break_hyphens;
    const char *newline;
    struct strbuf *out;
    bool any_line;
};

struct chunk {
    const char *text;
    size_t length;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || (c & 0x80);
}

/* Blanks, or a word; with hyphens, a word ends behind a hyphen between letters. */
static struct chunk next_chunk(const struct wrap *w, const char *text, size_t length)
{
    size_t n = 1;
    bool blank = is_blank(text[0]);
    while (n < length && is_blank(text[n]) == blank) {
        n++;
        if (!blank && w->break_hyphens && n >= 3 && n < length && text[n - 1] == '-' &&
            is_letter(text[n - 2]) && is_letter(text[n - 3]) && is_letter(text[n]))
            break;
    }
    return (struct chunk){text, n};
}

static size_t count(struct chunk chunk)
{
    return text_count(chunk.text, chunk.length);
}

static void put_line(struct wrap *w, const char *from, const char *to)
{
    while (to > from && is_blank(to[-1]))
        to--;
    if (to == from)
        return;
    if (w->any_line)
        strbuf_adds(w->out, w->newline);
    strbuf_add(w->out, from, (size_t)(to - from));
    w->any_line = true;
}

/* How much of a word that is longer than a line goes into `room` characters. */
static size_t cut_word(const struct wrap *w, struct chunk chunk, size_t room)
{
    size_t end = text_offset(chunk.text, chunk.length, room);
    for (size_t i = end; w->break_hyphens && i-- > 1;)
        if (chunk.text[i] == '-')
            return i + 1;
    return end;
}

static void wrap_line(struct wrap *w, const char *text, size_t length)
{
    const char *end = text + length;
    w->any_line = false;
    while (text < end) {
        const char *from = text;
        size_t used = 0;
        if (w->any_line && is_blank(*text)) {
            while (text < end && is_blank(*text))
                text++;
            from = text;
        }
        while (text < end) {
            struct chunk chunk = next_chunk(w, text, (size_t)(end - text));
            size_t size = count(chunk);
            if (used + size <= w->width) {
                used += size;
                text += chunk.length;
                continue;
            }
            if (size > w->width && w->break_words)
                text += cut_word(w, chunk, w->width - used);
            else if (size > w->width && used == 0)
                text += chunk.length;
            break;
        }
        put_line(w, from, text);
    }
}

/* wordwrap(width=79, break_long_words=true, wrapstring='\n', break_on_hyphens=true) */
static struct err *apply_wordwrap(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t width;
    TRY(call_int(call, 0, 79, &width));
    if (width < 1)
        return err_new(ERR_INPUT, "'wordwrap' needs a width of at least 1");
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    struct wrap w = {
        .ev = ev,
        .width = (size_t)width,
        .break_words = call_truth(call->arg[1], true),
        .newline = call_text(ev, call->arg[2] && !json_is_null(call->arg[2]) ? call->arg[2] : NULL, "\n"),
        .break_hyphens = call_truth(call->arg[3], true),
        .out = &sb};
    const char *text = json_string_value(call->input);
    while (*text && !sb.overflowed) {
        size_t length = strcspn(text, "\r\n");
        wrap_line(&w, text, length);
        text += length;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != 0;
        strbuf_adds(&sb, *text ? w.newline : "");
    }
    return pool_buffer(ev->pool, &sb, out);
}

static const struct filter rows[] = {
    {"wordwrap",
     apply_wordwrap,
     0,
     FILTER_ON_TEXT,
     {"width", "break_long_words", "wrapstring", "break_on_hyphens"}},
};
const struct filter_table filters_wrap = {rows, sizeof(rows) / sizeof(*rows)};
