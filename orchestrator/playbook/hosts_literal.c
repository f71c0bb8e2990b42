/* Python literals, as Python's ast.literal_eval() reads them: what the values of INI inventories are. */
#include "base/decode.h"
#include "base/strbuf.h"
#include "playbook/hosts_data.h"
#include "playbook/value.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

struct literal {
    const char *at;
    int depth;
    int open; /* brackets: inside them newlines and comments are blank */
};

static json_t *read_value(struct literal *l);

static void skip_blanks(struct literal *l)
{
    for (;;) {
        l->at += strspn(l->at, l->open ? " \t\f\r\n" : " \t\f");
        if (*l->at != '#')
            return;
        l->at += strcspn(l->at, "\n");
    }
}

/* --- numbers --- */

/* Digits of the base with single '_' between them; NULL when it is not that, else where they end. */
static const char *copy_digits(const char *text, const char *digits, struct strbuf *clean)
{
    const char *start = text;
    for (; *text && (strchr(digits, *text) || *text == '_'); text++) {
        if (*text != '_')
            strbuf_addc(clean, *text);
        else if (text == start || text[-1] == '_' || !text[1] || !strchr(digits, text[1]))
            return NULL;
    }
    return text == start ? NULL : text;
}

static json_t *based_number(struct literal *l, struct strbuf *clean)
{
    int base = tolower((unsigned char)l->at[1]) == 'x' ? 16 : tolower((unsigned char)l->at[1]) == 'o' ? 8 : 2;
    const char *digits = base == 16 ? "0123456789abcdefABCDEF" : base == 8 ? "01234567" : "01";
    const char *from = l->at + 2 + (l->at[2] == '_'); /* 0x_1f is allowed */
    const char *end = copy_digits(from, digits, clean);
    if (!end || isalnum((unsigned char)*end) || *end == '_' || *end == '.')
        return NULL;
    errno = 0;
    long long number = strtoll(clean->data, NULL, base);
    l->at = end;
    return errno ? NULL : json_integer(number);
}

static const char *copy_exponent(const char *at, struct strbuf *clean)
{
    strbuf_addc(clean, 'e');
    at++;
    if (*at == '+' || *at == '-')
        strbuf_addc(clean, *at++);
    return copy_digits(at, "0123456789", clean);
}

static json_t *read_number(struct literal *l)
{
    CLEANUP_STRBUF struct strbuf clean;
    strbuf_init(&clean, 1 << 10);
    if (*l->at == '0' && l->at[1] && strchr("xXoObB", l->at[1]))
        return based_number(l, &clean);
    const char *at = l->at;
    bool real = false;
    if (*at != '.' && !(at = copy_digits(at, "0123456789", &clean)))
        return NULL;
    if (*at == '.') {
        real = true;
        strbuf_addc(&clean, *at++);
        if (isdigit((unsigned char)*at) && !(at = copy_digits(at, "0123456789", &clean)))
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        real = true;
        if (!(at = copy_exponent(at, &clean)))
            return NULL;
    }
    if (isalnum((unsigned char)*at) || *at == '_' || *at == '.' || clean.overflowed)
        return NULL;
    if (!real && clean.data[0] == '0' && strspn(clean.data, "0") != clean.length)
        return NULL; /* 0644 is no number in Python */
    l->at = at;
    errno = 0;
    if (!real) {
        long long number = strtoll(clean.data, NULL, 10);
        return errno ? NULL : json_integer(number);
    }
    double number = strtod(clean.data, NULL);
    return isfinite(number) ? json_real(number) : NULL;
}

static json_t *read_signed(struct literal *l)
{
    bool negative = *l->at++ == '-';
    skip_blanks(l);
    if (!isdigit((unsigned char)*l->at) && *l->at != '.')
        return NULL;
    json_t *number = read_number(l);
    if (number && negative) {
        if (json_is_integer(number))
            json_integer_set(number, -json_integer_value(number));
        else
            json_real_set(number, -json_real_value(number));
    }
    return number;
}

/* --- text --- */

static void add_code_point(struct strbuf *sb, unsigned long code)
{
    if (code < 0x80) {
        strbuf_addc(sb, (char)code);
    } else if (code < 0x800) {
        strbuf_addc(sb, (char)(0xc0 | code >> 6));
        strbuf_addc(sb, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        strbuf_addc(sb, (char)(0xe0 | code >> 12));
        strbuf_addc(sb, (char)(0x80 | (code >> 6 & 0x3f)));
        strbuf_addc(sb, (char)(0x80 | (code & 0x3f)));
    } else {
        strbuf_addc(sb, (char)(0xf0 | code >> 18));
        strbuf_addc(sb, (char)(0x80 | (code >> 12 & 0x3f)));
        strbuf_addc(sb, (char)(0x80 | (code >> 6 & 0x3f)));
        strbuf_addc(sb, (char)(0x80 | (code & 0x3f)));
    }
}

/* `count` digits (octal: at most) from l->at. NUL and what is no character are refused. */
static bool add_escaped_code(struct literal *l, struct strbuf *sb, int base, size_t count)
{
    char digits[9] = "";
    const char *allowed = base == 16 ? "0123456789abcdefABCDEF" : "01234567";
    size_t n = strspn(l->at, allowed);
    n = n > count ? count : n;
    if (base == 16 && n != count)
        return false;
    memcpy(digits, l->at, n);
    l->at += n;
    unsigned long code = strtoul(digits, NULL, base);
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
    add_code_point(sb, code);
    return true;
}

static bool add_escape(struct literal *l, struct strbuf *sb)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *simple = *l->at ? strchr(from, *l->at) : NULL;
    if (simple) {
        strbuf_addc(sb, to[simple - from]);
        l->at++;
        return true;
    }
    if (*l->at >= '0' && *l->at <= '7')
        return add_escaped_code(l, sb, 8, 3);
    if (*l->at == 'x' || *l->at == 'u' || *l->at == 'U')
        return add_escaped_code(l, sb, 16, *l->at++ == 'x' ? 2 : l->at[-1] == 'u' ? 4 : 8);
    if (*l->at == 'N' || !*l->at)
        return false;
    if (*l->at == '\n')
        l->at++;
    else
        strbuf_addc(sb, '\\'); /* an unknown escape stays as it is */
    return true;
}

static bool read_quoted(struct literal *l, struct strbuf *sb, bool raw)
{
    char quote = *l->at;
    bool triple = l->at[1] == quote && l->at[2] == quote;
    l->at += triple ? 3 : 1;
    for (;;) {
        if (!*l->at || (*l->at == '\n' && !triple))
            return false;
        if (*l->at == quote && (!triple || (l->at[1] == quote && l->at[2] == quote))) {
            l->at += triple ? 3 : 1;
            return true;
        }
        if (*l->at != '\\') {
            strbuf_addc(sb, *l->at++);
        } else if (raw) {
            strbuf_addc(sb, *l->at++);
            if (!*l->at)
                return false;
            strbuf_addc(sb, *l->at++);
        } else {
            l->at++;
            if (!add_escape(l, sb))
                return false;
        }
    }
}

/* Whether a quoted text starts here, after at most a prefix. Bytes become text. */
static bool starts_text(const char *at, size_t *prefix, bool *raw)
{
    *prefix = strspn(at, "rRbBuU");
    *raw = memchr(at, 'r', *prefix) || memchr(at, 'R', *prefix);
    bool two = *prefix == 2 && *raw && strcspn(at, "bB") < 2; /* br, Rb; u stands alone */
    return (at[*prefix] == '\'' || at[*prefix] == '"') && (*prefix < 2 || two);
}

static json_t *read_text(struct literal *l)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 1 << 20);
    size_t prefix;
    bool raw;
    while (starts_text(l->at, &prefix, &raw)) { /* 'a' 'b' is one text */
        l->at += prefix;
        if (!read_quoted(l, &sb, raw))
            return NULL;
        skip_blanks(l);
    }
    return sb.overflowed ? NULL : json_stringn(sb.data, sb.length);
}

/* --- lists and maps --- */

static json_t *read_items(struct literal *l, char close, bool *comma)
{
    json_auto_t *list = json_array();
    *comma = false;
    for (;;) {
        skip_blanks(l);
        if (*l->at == close) {
            l->at++;
            return json_incref(list);
        }
        if (json_array_size(list) && !*comma)
            return NULL;
        json_t *item = read_value(l);
        if (!item)
            return NULL;
        json_array_append_new(list, item);
        skip_blanks(l);
        *comma = *l->at == ',';
        l->at += *comma;
    }
}

static bool read_entry(struct literal *l, json_t *map, json_t *key)
{
    skip_blanks(l);
    if (*l->at != ':' || json_is_array(key) || json_is_object(key))
        return false;
    l->at++;
    json_auto_t *value = read_value(l);
    if (!value)
        return false;
    CLEANUP_STRBUF struct strbuf name;
    strbuf_init(&name, 1 << 20);
    value_add_text(&name, NULL, key);
    return json_object_set(map, name.data, value) == 0;
}

static json_t *read_map(struct literal *l)
{
    json_auto_t *map = json_object();
    bool comma = true;
    for (;;) {
        skip_blanks(l);
        if (*l->at == '}') {
            l->at++;
            return json_incref(map);
        }
        if (!comma)
            return NULL;
        json_auto_t *key = read_value(l);
        if (!key || !read_entry(l, map, key))
            return NULL;
        skip_blanks(l);
        comma = *l->at == ',';
        l->at += comma;
    }
}

static json_t *read_brackets(struct literal *l)
{
    char open = *l->at++;
    bool comma = false;
    json_t *value = open == '{' ? read_map(l) : read_items(l, open == '[' ? ']' : ')', &comma);
    if (value && open == '(' && json_array_size(value) == 1 && !comma) { /* (1) is 1, (1,) a tuple */
        json_t *inner = json_incref(json_array_get(value, 0));
        json_decref(value);
        return inner;
    }
    return value;
}

/* --- all of it --- */

static json_t *read_word(struct literal *l)
{
    static const struct {
        const char *word;
        size_t length;
    } words[] = {{"True", 4}, {"False", 5}, {"None", 4}};
    for (size_t i = 0; i < 3; i++)
        if (!strncmp(l->at, words[i].word, words[i].length) &&
            !isalnum((unsigned char)l->at[words[i].length]) && l->at[words[i].length] != '_') {
            l->at += words[i].length;
            return i == 2 ? json_null() : json_boolean(i == 0);
        }
    return NULL;
}

static json_t *read_value(struct literal *l)
{
    size_t prefix;
    bool raw;
    skip_blanks(l);
    if (starts_text(l->at, &prefix, &raw))
        return read_text(l);
    if (isdigit((unsigned char)*l->at) || (*l->at == '.' && isdigit((unsigned char)l->at[1])))
        return read_number(l);
    if (*l->at == '-' || *l->at == '+')
        return read_signed(l);
    if (!*l->at || !strchr("[({", *l->at))
        return read_word(l);
    if (l->depth == MAX_DEPTH)
        return NULL;
    l->depth++;
    l->open++;
    json_t *value = read_brackets(l);
    l->depth--;
    l->open--;
    return value;
}

/* "80, 443" is a tuple without its brackets. */
static json_t *read_tuple(struct literal *l, json_t *first)
{
    json_auto_t *list = json_array();
    json_array_append_new(list, first);
    while (*l->at == ',') {
        l->at++;
        skip_blanks(l);
        if (!*l->at)
            break;
        json_t *item = read_value(l);
        if (!item)
            return NULL;
        json_array_append_new(list, item);
        skip_blanks(l);
    }
    return *l->at ? NULL : json_incref(list);
}

json_t *hosts_literal(const char *text)
{
    struct literal l = {.at = text};
    json_t *value = read_value(&l);
    if (value) {
        skip_blanks(&l);
        if (*l.at == ',')
            value = read_tuple(&l, value);
        if (value && !*l.at)
            return value;
        json_decref(value);
    }
    return json_string(text);
}
