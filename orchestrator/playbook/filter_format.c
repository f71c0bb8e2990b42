/* '%s of %05d' % (...) and '{} of {name}'.format(...). The format is read here; nothing of it reaches
 * printf() as a format. */
#include "playbook/filter.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_WIDTH 10000

struct spec {
    bool left, zero, plus, space, alternative, centre;
    const char *fill; /* one character */
    size_t fill_length;
    int width, precision; /* precision -1: absent */
    char type;
};

static int read_number(const char **p)
{
    int n = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        n = n > MAX_WIDTH ? n : n * 10 + (**p - '0');
    return n;
}

static void add_padded(struct strbuf *sb, const struct spec *spec, const char *text, size_t length,
                       bool number)
{
    size_t count = text_count(text, length), width = (size_t)(spec->width > 0 ? spec->width : 0);
    size_t missing = width > count ? width - count : 0, before = spec->left     ? 0
                                                                 : spec->centre ? missing / 2
                                                                                : missing;
    bool zeros = spec->zero && number && !spec->left && !spec->centre;
    if (zeros && length && (*text == '-' || *text == '+' || *text == ' ')) {
        strbuf_addc(sb, *text++);
        length--;
    }
    for (size_t i = 0; i < before; i++)
        zeros ? strbuf_addc(sb, '0') : strbuf_add(sb, spec->fill, spec->fill_length);
    strbuf_add(sb, text, length);
    for (size_t i = before; i < missing; i++)
        strbuf_add(sb, spec->fill, spec->fill_length);
}

static struct err *add_integer(struct strbuf *sb, const struct spec *spec, const json_t *value)
{
    if (!value_is_number(value))
        return err_new(ERR_INPUT, "the format '%%%c' needs a number, but got %s", spec->type,
                       value_type_name(value));
    json_int_t n = json_is_real(value) ? (json_int_t)trunc(fmax(fmin(json_real_value(value), 9e18), -9e18))
                                       : value_integer(value);
    unsigned long long size = n < 0 ? 0ull - (unsigned long long)n : (unsigned long long)n;
    char digits[80], text[100];
    size_t at = sizeof(digits) - 1;
    unsigned base = spec->type == 'x' || spec->type == 'X' ? 16
                    : spec->type == 'o'                    ? 8
                    : spec->type == 'b'                    ? 2
                                                           : 10;
    digits[at] = 0;
    do
        digits[--at] = (spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[size % base];
    while ((size /= base) > 0);
    const char *prefix = !spec->alternative || base == 10 ? "" : base == 16 ? "0x" : base == 8 ? "0o" : "0b";
    int length = snprintf(text, sizeof(text), "%s%s%s",
                          n < 0         ? "-"
                          : spec->plus  ? "+"
                          : spec->space ? " "
                                        : "",
                          prefix, digits + at);
    add_padded(sb, spec, text, (size_t)length, true);
    return NULL;
}

static struct err *add_real(struct strbuf *sb, const struct spec *spec, const json_t *value)
{
    char text[700];
    if (!value_is_number(value))
        return err_new(ERR_INPUT, "the format '%%%c' needs a number, but got %s", spec->type,
                       value_type_name(value));
    int precision = spec->precision < 0 ? 6 : spec->precision > 300 ? 300 : spec->precision;
    double n = value_number(value);
    const char *sign = n < 0 || (n == 0 && signbit(n)) ? "" : spec->plus ? "+" : spec->space ? " " : "";
    int length = 0;
    if (spec->type == 'e' || spec->type == 'E')
        length = snprintf(text, sizeof(text), spec->type == 'e' ? "%s%.*e" : "%s%.*E", sign, precision, n);
    else if (spec->type == 'g' || spec->type == 'G')
        length = snprintf(text, sizeof(text), spec->type == 'g' ? "%s%.*g" : "%s%.*G", sign, precision, n);
    else
        length = snprintf(text, sizeof(text), "%s%.*f%s", sign, precision, spec->type == '%' ? n * 100 : n,
                          spec->type == '%' ? "%" : "");
    add_padded(sb, spec, text, (size_t)length, true);
    return NULL;
}

static struct err *add_value(struct eval *ev, struct strbuf *sb, const struct spec *spec, const json_t *value)
{
    TRY(eval_require_deep(ev, value));
    if (spec->type && strchr("diuxXob", spec->type))
        return add_integer(sb, spec, value);
    if (spec->type && strchr("eEfFgG%", spec->type))
        return add_real(sb, spec, value);
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, VALUE_MAX_TEXT);
    if (spec->type == 'r')
        value_add_repr(&text, ev->pool, value);
    else
        value_add_text(&text, ev->pool, value);
    size_t length =
        spec->precision < 0 ? text.length : text_offset(text.data, text.length, (size_t)spec->precision);
    add_padded(sb, spec, text.data, length, spec->type == 0 && value_is_number(value));
    return NULL;
}

/* After '%': flags, width, precision, type. */
static struct err *read_percent(const char **p, struct spec *spec)
{
    *spec = (struct spec){.precision = -1, .fill = " ", .fill_length = 1};
    for (; **p && strchr("-0+ #", **p); (*p)++) {
        spec->left = spec->left || **p == '-';
        spec->zero = spec->zero || **p == '0';
        spec->plus = spec->plus || **p == '+';
        spec->space = spec->space || **p == ' ';
        spec->alternative = spec->alternative || **p == '#';
    }
    spec->width = read_number(p);
    if (**p == '.') {
        (*p)++;
        spec->precision = read_number(p);
    }
    while (**p && strchr("hlL", **p))
        (*p)++;
    spec->type = **p;
    if (!**p || !strchr("diuxXoeEfFgGsrac%", **p))
        return err_new(ERR_INPUT, "the format has a '%%' that is not followed by a known letter");
    if (spec->width > MAX_WIDTH)
        return err_new(ERR_INPUT, "the format asks for more than %d columns", MAX_WIDTH);
    (*p)++;
    return NULL;
}

/* %(name)s: the value of the name. */
static struct err *named_value(const char **p, const json_t *map, const json_t **value)
{
    const char *close = strchr(*p, ')');
    if (!close || !map)
        return err_new(ERR_INPUT, "the format names a value, but a map with values is missing");
    *value = json_object_getn(map, *p + 1, (size_t)(close - *p - 1));
    if (!*value)
        return err_new(ERR_INPUT, "the format's '%.*s' is not in the map", (int)(close - *p - 1), *p + 1);
    *p = close + 1;
    return NULL;
}

struct err *eval_percent(struct eval *ev, const char *format, json_t *const *values, size_t count,
                         const json_t *map, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    size_t used = 0;
    for (const char *p = format; *p;) {
        if (*p != '%') {
            strbuf_addc(&sb, *p++);
            continue;
        }
        const json_t *value = NULL;
        struct spec spec;
        p++;
        if (*p == '(')
            TRY(named_value(&p, map, &value));
        TRY(read_percent(&p, &spec));
        if (spec.type == '%') {
            strbuf_addc(&sb, '%');
            continue;
        }
        if (!value && used >= count)
            return err_new(ERR_INPUT, "the format '%s' needs more than %zu values", format, count);
        if (!value)
            value = values[used++];
        TRY(add_value(ev, &sb, &spec, value));
    }
    if (used < count && !map)
        return err_new(ERR_INPUT, "the format '%s' uses only %zu of %zu values", format, used, count);
    return pool_buffer(ev->pool, &sb, out);
}

/* After ':' in {x:*>+08.3f}. */
static struct err *read_brace_spec(const char *p, const char *end, struct spec *spec)
{
    *spec = (struct spec){.precision = -1, .fill = " ", .fill_length = 1};
    size_t first = text_offset(p, (size_t)(end - p), 1);
    bool filled = p + first < end && strchr("<>^", p[first]);
    if (filled) {
        spec->fill = p;
        spec->fill_length = first;
        p += first;
    }
    bool aligned = p < end && strchr("<>^", *p);
    char align = aligned ? *p++ : 0;
    for (; p < end && strchr("+- #", *p); p++) {
        spec->plus = spec->plus || *p == '+';
        spec->space = spec->space || *p == ' ';
        spec->alternative = spec->alternative || *p == '#';
    }
    spec->zero = p < end && *p == '0';
    spec->width = read_number(&p);
    if (p < end && *p == '.') {
        p++;
        spec->precision = read_number(&p);
    }
    spec->type = p < end ? *p++ : 0;
    spec->left = align == '<';
    spec->centre = align == '^';
    if (!align) /* text goes left, numbers right: the caller knows which */
        spec->left = false;
    if (p != end || spec->width > MAX_WIDTH || (spec->type && !strchr("dxXobeEfFgGs%", spec->type)))
        return err_new(ERR_INPUT, "the format has a field description that is not supported");
    spec->type = spec->type == 's' ? 0 : spec->type;
    return NULL;
}

/* {}, {0}, {name}, {name.part} */
static struct err *field_value(struct eval *ev, const struct call *call, const char *name, size_t length,
                               size_t *next, json_t **value)
{
    size_t head = 0;
    while (head < length && name[head] != '.' && name[head] != '[')
        head++;
    bool number = strspn(name, "0123456789") >= head;
    size_t index = head == 0 ? (*next)++ : 0;
    for (size_t i = 0; number && i < head; i++)
        index = index > 1000 ? index : index * 10 + (size_t)(name[i] - '0');
    *value = number ? (index < call->rest_count ? call->rest[index] : NULL)
                    : json_object_getn(call->named, name, head);
    if (!*value)
        return err_new(ERR_INPUT, "the format's field '{%.*s}' has no value", (int)length, name);
    if (head == length)
        return NULL;
    if (name[head] == '[')
        return err_new(ERR_INPUT, "the format's field '{%.*s}' is not supported", (int)length, name);
    json_t *path;
    TRY(pool_text(ev->pool, name + head + 1, length - head - 1, &path));
    TRY(call_attribute(ev, *value, path, value));
    return eval_require(ev, *value);
}

static struct err *add_field(struct eval *ev, const struct call *call, const char *field, const char *end,
                             size_t *next, struct strbuf *sb)
{
    const char *colon = memchr(field, ':', (size_t)(end - field));
    const char *spec_from = colon ? colon + 1 : end;
    struct spec spec;
    json_t *value;
    TRY(field_value(ev, call, field, (size_t)((colon ? colon : end) - field), next, &value));
    TRY(read_brace_spec(spec_from, end, &spec));
    bool aligned = spec_from < end &&
                   (strchr("<>^", spec_from[0]) || (end - spec_from > 1 && strchr("<>^", spec_from[1])));
    if (!aligned && !value_is_number(value))
        spec.left = true;
    return add_value(ev, sb, &spec, value);
}

struct err *text_format_braces(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    size_t next = 0;
    for (const char *p = json_string_value(call->input); *p;) {
        if ((*p == '{' || *p == '}') && p[1] == *p) {
            strbuf_addc(&sb, *p);
            p += 2;
        } else if (*p != '{') {
            strbuf_addc(&sb, *p++);
        } else {
            const char *end = strchr(p, '}');
            if (!end)
                return err_new(ERR_INPUT, "the format has a '{' without its '}'");
            TRY(add_field(ev, call, p + 1, end, &next, &sb));
            p = end + 1;
        }
    }
    return pool_buffer(ev->pool, &sb, out);
}
