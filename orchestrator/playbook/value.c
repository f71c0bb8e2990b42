/* Truth, order and text of values, as Python defines them. */
#include "playbook/value.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_true(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) != 0;
    case JSON_TRUE:
        return true;
    default:
        return false;
    }
}

bool value_is_int(const json_t *value)
{
    return json_is_integer(value) || json_is_boolean(value);
}

bool value_is_number(const json_t *value)
{
    return value_is_int(value) || json_is_real(value);
}

json_int_t value_integer(const json_t *value)
{
    return json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
}

double value_number(const json_t *value)
{
    return json_is_real(value) ? json_real_value(value) : (double)value_integer(value);
}

const char *value_type_name(const json_t *value)
{
    static const char *const names[] = {"a map",    "a list",    "text",      "a whole number",
                                        "a number", "a boolean", "a boolean", "nothing (None)"};
    return names[json_typeof(value)];
}

const char *value_python_type(const json_t *value)
{
    static const char *const names[] = {"dict", "list", "str", "int", "float", "bool", "bool", "NoneType"};
    return names[json_typeof(value)];
}

static bool arrays_equal(const json_t *a, const json_t *b)
{
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!value_equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

static bool objects_equal(const json_t *a, const json_t *b)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)a, key, item)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !value_equal(item, other))
            return false;
    }
    return true;
}

bool value_equal(const json_t *a, const json_t *b)
{
    if (a == b)
        return true;
    if (value_is_int(a) && value_is_int(b))
        return value_integer(a) == value_integer(b);
    if (value_is_number(a) && value_is_number(b))
        return value_number(a) == value_number(b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    switch (json_typeof(a)) {
    case JSON_STRING:
        return json_string_length(a) == json_string_length(b) &&
               memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) == 0;
    case JSON_ARRAY:
        return arrays_equal(a, b);
    case JSON_OBJECT:
        return objects_equal(a, b);
    default:
        return true;
    }
}

static int compare_text(const json_t *a, const json_t *b)
{
    size_t n = json_string_length(a), m = json_string_length(b);
    int order = memcmp(json_string_value(a), json_string_value(b), n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static struct err *compare_arrays(const json_t *a, const json_t *b, int *order)
{
    size_t n = json_array_size(a), m = json_array_size(b);
    for (size_t i = 0; i < n && i < m; i++)
        if (!value_equal(json_array_get(a, i), json_array_get(b, i)))
            return value_compare(json_array_get(a, i), json_array_get(b, i), order);
    *order = (n > m) - (n < m);
    return NULL;
}

struct err *value_compare(const json_t *a, const json_t *b, int *order)
{
    if (value_is_int(a) && value_is_int(b)) {
        *order = (value_integer(a) > value_integer(b)) - (value_integer(a) < value_integer(b));
        return NULL;
    }
    if (value_is_number(a) && value_is_number(b)) {
        *order = (value_number(a) > value_number(b)) - (value_number(a) < value_number(b));
        return NULL;
    }
    if (json_is_string(a) && json_is_string(b)) {
        *order = compare_text(a, b);
        return NULL;
    }
    if (json_is_array(a) && json_is_array(b))
        return compare_arrays(a, b, order);
    return err_with_hint(
        err_new(ERR_INPUT, "%s and %s have no order", value_type_name(a), value_type_name(b)),
        "convert one of them, for example with | int");
}

/* The shortest text that reads back as the same number, written as Python's repr() does: an exponent below
 * 1e-4 and from 1e16. */
void value_add_real(struct strbuf *sb, double number)
{
    char text[40];
    int precision = 1;
    do {
        (void)snprintf(text, sizeof(text), "%.*e", precision - 1, number);
    } while (strtod(text, NULL) != number && ++precision <= 17);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 16) {
        int decimals = precision - 1 - exponent;
        strbuf_addf(sb, "%.*f", decimals > 0 ? decimals : 1, number);
        return;
    }
    *strchr(text, 'e') = 0;
    strbuf_addf(sb, "%se%c%02d", text, exponent < 0 ? '-' : '+', abs(exponent));
}

/* The code point at *p, which moves on; the text is known to be UTF-8. */
static unsigned next_character(const unsigned char **p)
{
    unsigned c = *(*p)++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    c = more == 0 ? c : c & (0x3fu >> more);
    while (more-- > 0)
        c = c << 6 | (*(*p)++ & 0x3f);
    return c;
}

/* What Python's repr() escapes: the usual control, format, space and private characters (not every unassigned
 * one). */
static bool is_printable(unsigned c)
{
    static const unsigned ranges[][2] = {
        {0, 0x1f},        {0x7f, 0xa0},     {0xad, 0xad},     {0x600, 0x605},     {0x1680, 0x1680},
        {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},   {0xd800, 0xf8ff},
        {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return false;
    return true;
}

static void add_text_repr(struct strbuf *sb, const json_t *value)
{
    const unsigned char *p = (const unsigned char *)json_string_value(value),
                        *end = p + json_string_length(value);
    char quote = memchr(p, '\'', (size_t)(end - p)) && !memchr(p, '"', (size_t)(end - p)) ? '"' : '\'';
    strbuf_addc(sb, quote);
    while (p < end) {
        const unsigned char *start = p;
        unsigned c = next_character(&p);
        if (c == (unsigned)quote || c == '\\')
            strbuf_addf(sb, "\\%c", (char)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            strbuf_adds(sb, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (is_printable(c))
            strbuf_add(sb, start, (size_t)(p - start));
        else
            strbuf_addf(sb, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
    strbuf_addc(sb, quote);
}

static void add_array_repr(struct strbuf *sb, const struct pool *pool, const json_t *value)
{
    bool tuple = pool_kind(pool, value) == MARK_TUPLE;
    strbuf_addc(sb, tuple ? '(' : '[');
    for (size_t i = 0; i < json_array_size(value) && !sb->overflowed; i++) {
        if (i > 0)
            strbuf_adds(sb, ", ");
        value_add_repr(sb, pool, json_array_get(value, i));
    }
    if (tuple && json_array_size(value) == 1)
        strbuf_addc(sb, ',');
    strbuf_addc(sb, tuple ? ')' : ']');
}

static void add_object_repr(struct strbuf *sb, const struct pool *pool, const json_t *value)
{
    const char *key, *separator = "{";
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        if (sb->overflowed)
            return;
        strbuf_adds(sb, separator);
        json_auto_t *name = json_string_nocheck(key);
        add_text_repr(sb, name);
        strbuf_adds(sb, ": ");
        value_add_repr(sb, pool, item);
        separator = ", ";
    }
    strbuf_adds(sb, json_object_size(value) ? "}" : "{}");
}

void value_add_repr(struct strbuf *sb, const struct pool *pool, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object_repr(sb, pool, value);
        break;
    case JSON_ARRAY:
        add_array_repr(sb, pool, value);
        break;
    case JSON_STRING:
        add_text_repr(sb, value);
        break;
    case JSON_INTEGER:
        strbuf_addf(sb, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        value_add_real(sb, json_real_value(value));
        break;
    case JSON_TRUE:
        strbuf_adds(sb, "True");
        break;
    case JSON_FALSE:
        strbuf_adds(sb, "False");
        break;
    default:
        strbuf_adds(sb, "None");
    }
}

void value_add_text(struct strbuf *sb, const struct pool *pool, const json_t *value)
{
    if (json_is_string(value))
        strbuf_add(sb, json_string_value(value), json_string_length(value));
    else
        value_add_repr(sb, pool, value);
}

size_t text_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

size_t text_offset(const char *text, size_t length, size_t character)
{
    size_t i = 0;
    for (; i < length; i++)
        if ((text[i] & 0xc0) != 0x80 && character-- == 0)
            break;
    return i;
}
