/* Filters on text. */
#include "playbook/filter.h"
#include <ctype.h>
#include <locale.h>
#include <string.h>
#include <wctype.h>

static void add_code_point(struct strbuf *sb, unsigned c)
{
    if (c < 0x80) {
        strbuf_addc(sb, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    strbuf_addc(sb, (char)((0xff00 >> (more + 1) & 0xff) | (c >> (6 * more))));
    while (more-- > 0)
        strbuf_addc(sb, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static unsigned decode(const char *text, size_t length)
{
    unsigned c = (unsigned char)text[0];
    if (length > 1)
        c &= 0x3fu >> (length - 1);
    for (size_t i = 1; i < length; i++)
        c = c << 6 | ((unsigned char)text[i] & 0x3f);
    return c;
}

/* from..to of the text, in upper or lower case. */
static void add_in_case(struct strbuf *sb, const char *text, size_t length, bool upper)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    for (size_t i = 0; i < length;) {
        size_t n = text_offset(text + i, length - i, 1);
        unsigned c = decode(text + i, n);
        if (c < 0x80)
            strbuf_addc(sb, (char)(upper ? toupper((int)c) : tolower((int)c)));
        else if (c == 0xdf && upper) /* the one letter in use whose upper case is two */
            strbuf_adds(sb, "SS");
        else if (locale)
            add_code_point(sb, (unsigned)(upper ? towupper_l(c, locale) : towlower_l(c, locale)));
        else
            strbuf_add(sb, text + i, n);
        i += n;
    }
    if (locale)
        freelocale(locale);
}

struct err *text_change_case(struct eval *ev, const json_t *text, bool upper, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *s = call_text(ev, text, "");
    add_in_case(&sb, s, strlen(s), upper);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_lower(struct eval *ev, const struct call *call, json_t **out)
{
    return text_change_case(ev, call->input, false, out);
}

static struct err *apply_upper(struct eval *ev, const struct call *call, json_t **out)
{
    return text_change_case(ev, call->input, true, out);
}

/* One word: first letter up, the rest down. */
static void add_capitalised(struct strbuf *sb, const char *text, size_t length)
{
    size_t first = text_offset(text, length, 1);
    add_in_case(sb, text, first, true);
    add_in_case(sb, text + first, length - first, false);
}

static struct err *apply_capitalize(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *text = call_text(ev, call->input, "");
    add_capitalised(&sb, text, strlen(text));
    return pool_buffer(ev->pool, &sb, out);
}

/* Words end at white space, '-' and opening brackets: Jinja's own rule. */
static struct err *apply_title(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    static const char breaks[] = "- \t\r\n\f\v({[<";
    for (const char *text = call_text(ev, call->input, ""); *text;) {
        size_t word = strcspn(text, breaks);
        add_capitalised(&sb, text, word);
        size_t gap = strspn(text + word, breaks);
        strbuf_add(&sb, text + word, gap);
        text += word + gap;
    }
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_trim(struct eval *ev, const struct call *call, json_t **out)
{
    const char *text = call_text(ev, call->input, ""), *chars = call_text(ev, call->arg[0], " \t\r\n\f\v");
    text += strspn(text, chars);
    size_t length = strlen(text);
    while (length && strchr(chars, text[length - 1]))
        length--;
    return pool_text(ev->pool, text, length, out);
}

/* Before each character and at the end, as Python does for empty text. */
static struct err *replace_nothing(struct eval *ev, const char *text, const char *to, json_int_t limit,
                                   json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (;;) {
        if (limit != 0)
            strbuf_adds(&sb, to);
        limit -= limit > 0;
        if (!*text)
            return pool_buffer(ev->pool, &sb, out);
        size_t n = text_offset(text, strlen(text), 1);
        strbuf_add(&sb, text, n);
        text += n;
    }
}

static struct err *apply_replace(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t limit;
    TRY(call_int(call, 2, -1, &limit));
    const char *text = call_text(ev, call->input, ""), *from = call_text(ev, call->arg[0], ""),
               *to = call_text(ev, call->arg[1], "");
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    if (!*from)
        return replace_nothing(ev, text, to, limit, out);
    for (const char *hit; limit != 0 && (hit = strstr(text, from)); limit--) {
        strbuf_add(&sb, text, (size_t)(hit - text));
        strbuf_adds(&sb, to);
        text = hit + strlen(from);
    }
    strbuf_adds(&sb, text);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_string(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    TRY(eval_require_deep(ev, call->input));
    value_add_text(&sb, ev->pool, call->input);
    return pool_buffer(ev->pool, &sb, out);
}

/* indent(width=4, first=false, blank=false); the width may be the text to put in front. */
static struct err *apply_indent(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb, margin;
    strbuf_init(&margin, 1u << 20);
    strbuf_init(&sb, VALUE_MAX_TEXT);
    if (json_is_string(call->arg[0]))
        strbuf_adds(&margin, json_string_value(call->arg[0]));
    for (json_int_t i = call->arg[0] ? value_integer(call->arg[0]) : 4; i > 0 && !margin.overflowed; i--)
        strbuf_addc(&margin, ' ');
    const char *text = call_text(ev, call->input, "");
    bool blank = call_truth(call->arg[2], false), indented = call_truth(call->arg[1], false);
    for (;;) {
        size_t length = strcspn(text, "\n");
        bool first = text == call_text(ev, call->input, "");
        if (first ? indented : (length > 0 || blank))
            strbuf_add(&sb, margin.data, margin.length);
        strbuf_add(&sb, text, length);
        text += length;
        if (!*text)
            break;
        strbuf_addc(&sb, *text++);
    }
    return pool_buffer(ev->pool, &sb, out);
}

/* truncate(length=255, killwords=false, end='...', leeway=5) */
static struct err *apply_truncate(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t length, leeway;
    TRY(call_int(call, 0, 255, &length));
    TRY(call_int(call, 3, 5, &leeway));
    const char *text = call_text(ev, call->input, ""), *end = call_text(ev, call->arg[2], "...");
    size_t size = strlen(text), end_count = text_count(end, strlen(end));
    if (length < (json_int_t)end_count || leeway < 0)
        return err_new(ERR_INPUT, "'truncate' needs a length of at least that of its end '%s'", end);
    if ((json_int_t)text_count(text, size) - leeway <= length)
        return pool_text(ev->pool, text, size, out);
    size_t keep = text_offset(text, size, (size_t)length - end_count);
    const char *space = call_truth(call->arg[1], false) ? NULL : memrchr(text, ' ', keep);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    strbuf_add(&sb, text, space ? (size_t)(space - text) : keep);
    strbuf_adds(&sb, end);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_center(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t width;
    TRY(call_int(call, 0, 80, &width));
    const char *text = call_text(ev, call->input, "");
    json_int_t pad = width - (json_int_t)text_count(text, strlen(text));
    if (width > 1 << 20)
        return err_new(ERR_INPUT, "'center' to %lld columns is too wide", (long long)width);
    json_int_t left = pad > 0 ? pad / 2 + (pad & width & 1) : 0; /* as Python places the odd space */
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    strbuf_addf(&sb, "%*s%s%*s", (int)left, "", text, (int)(pad > 0 ? pad - left : 0), "");
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_wordcount(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t count = 0;
    bool inside = false;
    for (const char *p = call_text(ev, call->input, ""); *p; p++) {
        bool word = isalnum((unsigned char)*p) || *p == '_' || (*p & 0x80);
        count += word && !inside;
        inside = word;
    }
    return pool_integer(ev->pool, count, out);
}

/* What Python's shlex.quote() writes. */
static struct err *apply_quote(struct eval *ev, const struct call *call, json_t **out)
{
    const char *text = json_is_null(call->input) ? "" : call_text(ev, call->input, "");
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
    if (*text && !text[strspn(text, safe)])
        return pool_text(ev->pool, text, strlen(text), out);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    strbuf_addc(&sb, '\'');
    for (; *text; text++)
        if (*text == '\'')
            strbuf_adds(&sb, "'\"'\"'");
        else
            strbuf_addc(&sb, *text);
    strbuf_addc(&sb, '\'');
    return pool_buffer(ev->pool, &sb, out);
}

/* In a query, blanks are written as '+'. */
static void add_query_part(struct strbuf *sb, const char *text)
{
    for (const char *blank; (blank = strchr(text, ' ')); text = blank + 1) {
        char part[256];
        for (size_t left = (size_t)(blank - text); left > 0;) {
            size_t n = left < sizeof(part) - 1 ? left : sizeof(part) - 1;
            memcpy(part, blank - left, n);
            part[n] = 0;
            strbuf_add_url_encoded(sb, part, false);
            left -= n;
        }
        strbuf_addc(sb, '+');
    }
    strbuf_add_url_encoded(sb, text, false);
}

static struct err *apply_urlencode(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *key;
    json_t *value;
    size_t i;
    json_array_foreach(call->input, i, value)
    {
        if (json_array_size(value) != 2)
            return call_wrong(call, "text, a map or a list of pairs");
        strbuf_adds(&sb, sb.length ? "&" : "");
        add_query_part(&sb, call_text(ev, json_array_get(value, 0), ""));
        strbuf_addc(&sb, '=');
        add_query_part(&sb, call_text(ev, json_array_get(value, 1), ""));
    }
    if (!json_is_object(call->input) && !json_is_array(call->input))
        strbuf_add_url_encoded(&sb, call_text(ev, call->input, ""), true);
    json_object_foreach(call->input, key, value)
    {
        strbuf_adds(&sb, sb.length ? "&" : "");
        add_query_part(&sb, key);
        strbuf_addc(&sb, '=');
        add_query_part(&sb, call_text(ev, value, ""));
    }
    return pool_buffer(ev->pool, &sb, out);
}

struct err *text_split(struct eval *ev, const json_t *text, const char *separator, json_int_t limit,
                       json_t **out)
{
    const char *s = call_text(ev, text, "");
    static const char blank[] = " \t\r\n\f\v";
    if (separator && !*separator)
        return err_new(ERR_INPUT, "'split' needs a separator that is not empty");
    TRY(pool_spend(ev->pool, strlen(s)));
    TRY(pool_keep(ev->pool, json_array(), out));
    for (;;) {
        s += separator ? 0 : strspn(s, blank);
        if (!separator && !*s)
            break;
        const char *end = limit == 0 ? NULL : separator ? strstr(s, separator) : strpbrk(s, blank);
        json_t *part;
        size_t length = end ? (size_t)(end - s) : strlen(s);
        if (!separator && limit == 0)
            while (length && strchr(blank, s[length - 1]))
                length--;
        TRY(pool_text(ev->pool, s, length, &part));
        json_array_append(*out, part);
        if (!end)
            break;
        s = end + (separator ? strlen(separator) : 1);
        limit -= limit > 0;
    }
    return NULL;
}

static struct err *apply_split(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t limit;
    TRY(call_int(call, 1, -1, &limit));
    if (!json_is_string(call->input))
        return call_wrong(call, "text");
    return text_split(ev, call->input, json_is_string(call->arg[0]) ? json_string_value(call->arg[0]) : NULL,
                      limit, out);
}

static struct err *apply_format(struct eval *ev, const struct call *call, json_t **out)
{
    bool by_name = call->named && json_object_size(call->named) > 0;
    return eval_percent(ev, call_text(ev, call->input, ""), call->rest, call->rest_count,
                        by_name ? call->named : NULL, out);
}

static const struct filter rows[] = {
    {"lower", apply_lower, 0, 0, {0}},
    {"upper", apply_upper, 0, 0, {0}},
    {"capitalize", apply_capitalize, 0, 0, {0}},
    {"title", apply_title, 0, 0, {0}},
    {"trim", apply_trim, 0, 0, {"chars"}},
    {"replace", apply_replace, 2, 0, {"old", "new", "count"}},
    {"string", apply_string, 0, FILTER_TEXT, {0}},
    {"indent", apply_indent, 0, FILTER_ON_TEXT, {"width", "first", "blank"}},
    {"truncate", apply_truncate, 0, FILTER_ON_TEXT, {"length", "killwords", "end", "leeway"}},
    {"center", apply_center, 0, 0, {"width"}},
    {"wordcount", apply_wordcount, 0, 0, {0}},
    {"quote", apply_quote, 0, 0, {0}},
    {"urlencode", apply_urlencode, 0, 0, {0}},
    {"split", apply_split, 0, 0, {"sep", "maxsplit"}},
    {"format", apply_format, 0, FILTER_VARIADIC, {0}},
};
const struct filter_table filters_text = {rows, sizeof(rows) / sizeof(*rows)};
