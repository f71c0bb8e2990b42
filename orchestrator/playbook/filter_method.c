/* Python's methods of text, as far as templates use them, and the two ways of formatting. */
#include "playbook/filter.h"
#include <ctype.h>
#include <string.h>

static struct err *strip(struct eval *ev, const struct call *call, bool left, bool right, json_t **out)
{
    const char *text = json_string_value(call->input), *chars = call_text(ev, call->arg[0], " \t\r\n\f\v");
    if (left)
        text += strspn(text, chars);
    size_t length = strlen(text);
    while (right && length && strchr(chars, text[length - 1]))
        length--;
    return pool_text(ev->pool, text, length, out);
}

static struct err *apply_strip(struct eval *ev, const struct call *call, json_t **out)
{
    return strip(ev, call, true, true, out);
}

static struct err *apply_lstrip(struct eval *ev, const struct call *call, json_t **out)
{
    return strip(ev, call, true, false, out);
}

static struct err *apply_rstrip(struct eval *ev, const struct call *call, json_t **out)
{
    return strip(ev, call, false, true, out);
}

static const char *find_last(const char *text, const char *what)
{
    const char *last = NULL;
    for (const char *hit = text; (hit = strstr(hit, what)); hit++)
        last = hit;
    return last;
}

static struct err *apply_rsplit(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t limit;
    json_t *parts;
    TRY(call_int(call, 1, -1, &limit));
    const char *separator = json_is_string(call->arg[0]) ? json_string_value(call->arg[0]) : NULL;
    TRY(text_split(ev, call->input, separator, -1, &parts));
    json_int_t extra = (json_int_t)json_array_size(parts) - 1 - limit;
    *out = parts;
    if (limit < 0 || extra <= 0)
        return NULL;
    CLEANUP_STRBUF struct strbuf head;
    strbuf_init(&head, VALUE_MAX_TEXT);
    for (json_int_t i = 0; i <= extra; i++) {
        strbuf_adds(&head, i == 0 ? "" : separator ? separator : " ");
        value_add_text(&head, NULL, json_array_get(parts, (size_t)i));
    }
    json_t *first;
    TRY(pool_buffer(ev->pool, &head, &first));
    TRY(pool_keep(ev->pool, json_array(), out));
    json_array_append(*out, first);
    for (size_t i = (size_t)extra + 1; i < json_array_size(parts); i++)
        json_array_append(*out, json_array_get(parts, i));
    return NULL;
}

static struct err *apply_splitlines(struct eval *ev, const struct call *call, json_t **out)
{
    TRY(pool_keep(ev->pool, json_array(), out));
    for (const char *s = json_string_value(call->input); *s;) {
        size_t length = strcspn(s, "\r\n\v\f");
        size_t after = s[length] == '\r' && s[length + 1] == '\n' ? 2 : s[length] != 0;
        json_t *line;
        TRY(pool_text(ev->pool, s, length + (call_truth(call->arg[0], false) ? after : 0), &line));
        json_array_append(*out, line);
        s += length + after;
    }
    return NULL;
}

/* startswith and endswith take one text or a tuple of them. */
static bool has_edge(const char *text, const json_t *edge, bool at_end)
{
    if (json_is_array(edge)) {
        for (size_t i = 0; i < json_array_size(edge); i++)
            if (!json_is_array(json_array_get(edge, i)) && has_edge(text, json_array_get(edge, i), at_end))
                return true;
        return false;
    }
    size_t n = json_string_length(edge), length = strlen(text);
    return json_is_string(edge) && n <= length &&
           memcmp(text + (at_end ? length - n : 0), json_string_value(edge), n) == 0;
}

/* The text from the character `start` on. */
static struct err *from_start(const struct call *call, const char **text)
{
    json_int_t start;
    TRY(call_int(call, 1, 0, &start));
    if (!json_is_string(call->arg[0]) && !json_is_array(call->arg[0]))
        return err_new(ERR_INPUT, "%s() takes text or several texts, not %s", call->name,
                       value_type_name(call->arg[0]));
    *text = json_string_value(call->input);
    size_t length = strlen(*text);
    start += start < 0 ? (json_int_t)text_count(*text, length) : 0;
    *text += text_offset(*text, length, start < 0 ? 0 : (size_t)start);
    return NULL;
}

static struct err *apply_startswith(struct eval *ev, const struct call *call, json_t **out)
{
    const char *text;
    (void)ev;
    TRY(from_start(call, &text));
    *out = pool_bool(has_edge(text, call->arg[0], false));
    return NULL;
}

static struct err *apply_endswith(struct eval *ev, const struct call *call, json_t **out)
{
    const char *text;
    (void)ev;
    TRY(from_start(call, &text));
    *out = pool_bool(has_edge(text, call->arg[0], true));
    return NULL;
}

static struct err *position(struct eval *ev, const struct call *call, bool last, json_t **out)
{
    const char *text = json_string_value(call->input), *what = call_text(ev, call->arg[0], "");
    const char *hit = last ? find_last(text, what) : strstr(text, what);
    return pool_integer(ev->pool, hit ? (json_int_t)text_count(text, (size_t)(hit - text)) : -1, out);
}

static struct err *apply_find(struct eval *ev, const struct call *call, json_t **out)
{
    return position(ev, call, false, out);
}

static struct err *apply_rfind(struct eval *ev, const struct call *call, json_t **out)
{
    return position(ev, call, true, out);
}

static struct err *apply_index(struct eval *ev, const struct call *call, json_t **out)
{
    TRY(position(ev, call, false, out));
    if (json_integer_value(*out) < 0)
        return err_new(ERR_INPUT, "index(): '%s' is not in the text", call_text(ev, call->arg[0], ""));
    return NULL;
}

static struct err *apply_count(struct eval *ev, const struct call *call, json_t **out)
{
    const char *text = json_string_value(call->input), *what = call_text(ev, call->arg[0], "");
    json_int_t count = *what ? 0 : (json_int_t)text_count(text, strlen(text)) + 1;
    for (const char *hit = text; *what && (hit = strstr(hit, what)); hit += strlen(what))
        count++;
    return pool_integer(ev->pool, count, out);
}

static struct err *pad(struct eval *ev, const struct call *call, const char *fill, bool left, json_t **out)
{
    json_int_t width;
    TRY(call_int(call, 0, 0, &width));
    const char *text = json_string_value(call->input);
    json_int_t missing = width - (json_int_t)text_count(text, strlen(text));
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    bool sign = left && *fill == '0' && (*text == '-' || *text == '+');
    if (sign)
        strbuf_addc(&sb, *text++);
    if (!left)
        strbuf_adds(&sb, text);
    for (; missing > 0 && !sb.overflowed; missing--)
        strbuf_adds(&sb, fill);
    if (left)
        strbuf_adds(&sb, text);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_zfill(struct eval *ev, const struct call *call, json_t **out)
{
    return pad(ev, call, "0", true, out);
}

static struct err *apply_ljust(struct eval *ev, const struct call *call, json_t **out)
{
    return pad(ev, call, call_text(ev, call->arg[1], " "), false, out);
}

static struct err *apply_rjust(struct eval *ev, const struct call *call, json_t **out)
{
    return pad(ev, call, call_text(ev, call->arg[1], " "), true, out);
}

static struct err *all_are(const struct call *call, int (*is)(int), json_t **out)
{
    const char *text = json_string_value(call->input);
    bool all = *text != 0;
    for (; all && *text; text++)
        all = is((unsigned char)*text) != 0 || ((*text & 0x80) && is != isdigit && is != isspace);
    *out = pool_bool(all);
    return NULL;
}

static struct err *apply_isdigit(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return all_are(call, isdigit, out);
}

static struct err *apply_isalpha(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return all_are(call, isalpha, out);
}

static struct err *apply_isalnum(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return all_are(call, isalnum, out);
}

static struct err *apply_isspace(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return all_are(call, isspace, out);
}

/* Text that the same method leaves as it is, and that has letters. */
static struct err *is_in_case(struct eval *ev, const struct call *call, const char *filter, json_t **out)
{
    json_t *same;
    struct arguments none = {0};
    bool letters = false;
    TRY(filter_call(ev, filter_find(filter), call->input, &none, 0, &same));
    for (const char *p = json_string_value(call->input); *p; p++)
        letters = letters || isalpha((unsigned char)*p) || (*p & 0x80);
    *out = pool_bool(letters && value_equal(same, call->input));
    return NULL;
}

static struct err *apply_isupper(struct eval *ev, const struct call *call, json_t **out)
{
    return is_in_case(ev, call, "upper", out);
}

static struct err *apply_islower(struct eval *ev, const struct call *call, json_t **out)
{
    return is_in_case(ev, call, "lower", out);
}

static struct err *apply_istitle(struct eval *ev, const struct call *call, json_t **out)
{
    return is_in_case(ev, call, "title", out);
}

/* Each letter in the other case. */
static struct err *apply_swapcase(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *letters;
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    TRY(call_elements(ev, call, call->input, &letters));
    for (size_t i = 0; i < json_array_size(letters); i++) {
        json_t *letter = json_array_get(letters, i), *other;
        TRY(text_change_case(ev, letter, true, &other));
        if (value_equal(letter, other))
            TRY(text_change_case(ev, letter, false, &other));
        value_add_text(&sb, NULL, other);
    }
    return pool_buffer(ev->pool, &sb, out);
}

/* center(width, fill): as Python places the odd character */
static struct err *apply_center(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t width;
    TRY(call_int(call, 0, 0, &width));
    const char *text = json_string_value(call->input), *fill = call_text(ev, call->arg[1], " ");
    json_int_t pad = width - (json_int_t)text_count(text, strlen(text));
    json_int_t left = pad > 0 ? pad / 2 + (pad & width & 1) : 0;
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (json_int_t i = 0; i < left && !sb.overflowed; i++)
        strbuf_adds(&sb, fill);
    strbuf_adds(&sb, text);
    for (json_int_t i = left; i < pad && !sb.overflowed; i++)
        strbuf_adds(&sb, fill);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *partition(struct eval *ev, const struct call *call, bool last, json_t **out)
{
    const char *text = json_string_value(call->input), *what = call_text(ev, call->arg[0], "");
    if (!*what)
        return err_new(ERR_INPUT, "partition() needs a separator that is not empty");
    const char *hit = last ? find_last(text, what) : strstr(text, what);
    size_t length = strlen(text), before = hit ? (size_t)(hit - text) : last ? 0 : length;
    const char *after = hit ? hit + strlen(what) : last ? text : text + length;
    return eval_tuple(ev, json_pack("[s#, s, s]", text, before, hit ? what : "", after), out);
}

static struct err *apply_partition(struct eval *ev, const struct call *call, json_t **out)
{
    return partition(ev, call, false, out);
}

static struct err *apply_rpartition(struct eval *ev, const struct call *call, json_t **out)
{
    return partition(ev, call, true, out);
}

static struct err *apply_join(struct eval *ev, const struct call *call, json_t **out)
{
    const struct filter *join = filter_find("join");
    for (size_t i = 0; json_is_array(call->arg[0]) && i < json_array_size(call->arg[0]); i++)
        if (!json_is_string(json_array_get(call->arg[0], i)))
            return err_with_hint(err_new(ERR_INPUT, "join() takes texts, but element %zu is %s", i,
                                         value_type_name(json_array_get(call->arg[0], i))),
                                 "use the filter: list | join('...')");
    struct arguments args = {.items = (json_t *[]){call->input}, .count = 1};
    return filter_call(ev, join, call->arg[0], &args, 0, out);
}

static struct err *remove_edge(struct eval *ev, const struct call *call, bool at_end, json_t **out)
{
    const char *text = json_string_value(call->input);
    size_t length = strlen(text), n = json_string_length(call->arg[0]);
    if (!json_is_string(call->arg[0]) || !has_edge(text, call->arg[0], at_end))
        n = 0;
    return pool_text(ev->pool, text + (at_end ? 0 : n), length - n, out);
}

static struct err *apply_removeprefix(struct eval *ev, const struct call *call, json_t **out)
{
    return remove_edge(ev, call, false, out);
}

static struct err *apply_removesuffix(struct eval *ev, const struct call *call, json_t **out)
{
    return remove_edge(ev, call, true, out);
}

static struct err *apply_format(struct eval *ev, const struct call *call, json_t **out)
{
    return text_format_braces(ev, call, out);
}

static const struct filter rows[] = {
    {"strip", apply_strip, 0, 0, {"chars"}},
    {"lstrip", apply_lstrip, 0, 0, {"chars"}},
    {"rstrip", apply_rstrip, 0, 0, {"chars"}},
    {"rsplit", apply_rsplit, 0, 0, {"sep", "maxsplit"}},
    {"splitlines", apply_splitlines, 0, 0, {"keepends"}},
    {"startswith", apply_startswith, 1, 0, {"prefix", "start"}},
    {"endswith", apply_endswith, 1, 0, {"suffix", "start"}},
    {"find", apply_find, 1, 0, {"sub"}},
    {"rfind", apply_rfind, 1, 0, {"sub"}},
    {"index", apply_index, 1, 0, {"sub"}},
    {"count", apply_count, 1, 0, {"sub"}},
    {"zfill", apply_zfill, 1, 0, {"width"}},
    {"ljust", apply_ljust, 1, 0, {"width", "fillchar"}},
    {"rjust", apply_rjust, 1, 0, {"width", "fillchar"}},
    {"isdigit", apply_isdigit, 0, 0, {0}},
    {"isnumeric", apply_isdigit, 0, 0, {0}},
    {"isdecimal", apply_isdigit, 0, 0, {0}},
    {"isalpha", apply_isalpha, 0, 0, {0}},
    {"isalnum", apply_isalnum, 0, 0, {0}},
    {"isspace", apply_isspace, 0, 0, {0}},
    {"isupper", apply_isupper, 0, 0, {0}},
    {"islower", apply_islower, 0, 0, {0}},
    {"istitle", apply_istitle, 0, 0, {0}},
    {"swapcase", apply_swapcase, 0, 0, {0}},
    {"center", apply_center, 1, 0, {"width", "fillchar"}},
    {"partition", apply_partition, 1, 0, {"sep"}},
    {"rpartition", apply_rpartition, 1, 0, {"sep"}},
    {"join", apply_join, 1, 0, {"iterable"}},
    {"removeprefix", apply_removeprefix, 1, 0, {"prefix"}},
    {"removesuffix", apply_removesuffix, 1, 0, {"suffix"}},
    {"format", apply_format, 0, FILTER_VARIADIC, {0}},
};
const struct filter_table methods_text = {rows, sizeof(rows) / sizeof(*rows)};
