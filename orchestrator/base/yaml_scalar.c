#include "base/yaml_scalar.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* A word is recognised in lower case, capitalised and in upper case, but not in other mixtures. */
static bool is_word(const char *text, const char *lower)
{
    if (strcasecmp(text, lower) != 0)
        return false;
    if (strcmp(text, lower) == 0)
        return true;
    bool capitalised = strcmp(text + 1, lower + 1) == 0;
    for (const char *p = text; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            return capitalised;
    return true;
}

static bool is_bool(const char *text, bool *value)
{
    static const char *const words[] = {"no", "false", "off", "yes", "true", "on"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (is_word(text, words[i])) {
            *value = i >= 3;
            return true;
        }
    return false;
}

/* Copies the digits without '_' separators; false when one of the characters is not in `digits`, or there is
 * none. */
static bool clean_digits(const char *text, const char *digits, char *clean, size_t size)
{
    size_t n = 0;
    for (; *text; text++) {
        if (*text == '_')
            continue;
        if (!strchr(digits, *text) || n + 1 >= size)
            return false;
        clean[n++] = *text;
    }
    clean[n] = 0;
    return n > 0;
}

/* "1:30:00" counts in sixties. */
static bool parse_sexagesimal(const char *text, long long *value)
{
    long long sum = 0;
    for (const char *part = text; part;) {
        char *end;
        if (*part < '0' || *part > '9')
            return false;
        errno = 0;
        long long digit = strtoll(part, &end, 10);
        if (errno || (part != text && (digit > 59 || end - part > 2)) || (*end && *end != ':'))
            return false;
        if (__builtin_mul_overflow(sum, 60, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
        part = *end ? end + 1 : NULL;
    }
    *value = sum;
    return true;
}

static bool parse_int(const char *text, long long *value)
{
    char clean[72];
    bool negative = *text == '-';
    const char *p = text + (*text == '-' || *text == '+');
    int base = 10;
    if (*p < '0' || *p > '9')
        return false;
    if (p[0] == '0' && p[1] == 'b')
        base = 2;
    else if (p[0] == '0' && p[1] == 'x')
        base = 16;
    else if (p[0] == '0' && p[1])
        base = 8;
    else if (strchr(p, ':'))
        return parse_sexagesimal(p, value) && (*value = negative ? -*value : *value, true);
    p += base == 2 || base == 16 ? 2 : 0;
    const char *digits = base == 2    ? "01"
                         : base == 8  ? "01234567"
                         : base == 10 ? "0123456789"
                                      : "0123456789abcdefABCDEF";
    if (!clean_digits(p, digits, clean + 1, sizeof(clean) - 1))
        return false;
    clean[0] = negative ? '-' : '+';
    errno = 0;
    *value = strtoll(clean, NULL, base);
    return errno == 0;
}

/* [-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)? or \.[0-9][0-9_]*(...)?: without a point it is not a float in
 * YAML 1.1. */
static bool parse_float(const char *text, double *value)
{
    char clean[64];
    size_t n = 0;
    const char *p = text;
    if ((*p == '-' || *p == '+') && p[1] != '.')
        clean[n++] = *p++;
    if (!(*p >= '0' && *p <= '9') && !(*p == '.' && p[1] >= '0' && p[1] <= '9'))
        return false;
    bool point = false;
    for (; n < sizeof(clean) - 1 && ((*p >= '0' && *p <= '9') || *p == '_' || (*p == '.' && !point)); p++) {
        point = point || *p == '.';
        if (*p != '_')
            clean[n++] = *p;
    }
    if (!point || strlen(p) > 8)
        return false;
    if (*p == 'e' || *p == 'E') {
        if ((p[1] != '-' && p[1] != '+') || !p[2] || strspn(p + 2, "0123456789") != strlen(p + 2))
            return false;
    } else if (*p) {
        return false;
    }
    for (; *p && n < sizeof(clean) - 1; p++)
        clean[n++] = *p;
    clean[n] = 0;
    *value = strtod(clean, NULL);
    return isfinite(*value);
}

enum yaml_type yaml_scalar_type(const char *text, size_t length)
{
    bool truth;
    long long number;
    double real;
    if (length == 0 || strcmp(text, "~") == 0 || is_word(text, "null"))
        return YAML_NULL;
    if (is_bool(text, &truth))
        return YAML_BOOL;
    if (!strchr("0123456789+-.", text[0]))
        return YAML_STRING;
    if (parse_int(text, &number))
        return YAML_INT;
    return parse_float(text, &real) ? YAML_FLOAT : YAML_STRING;
}

json_t *yaml_scalar_json(enum yaml_type type, const char *text, size_t length)
{
    bool truth;
    long long number;
    double real;
    switch (type) {
    case YAML_NULL:
        return json_null();
    case YAML_BOOL:
        return is_bool(text, &truth) ? json_boolean(truth) : json_false();
    case YAML_INT:
        return parse_int(text, &number) ? json_integer(number) : json_stringn(text, length);
    case YAML_FLOAT:
        if (parse_float(text, &real))
            return json_real(real);
        return parse_int(text, &number) ? json_real((double)number) : json_stringn(text, length);
    default:
        return json_stringn_nocheck(text, length);
    }
}

bool yaml_scalar_tag(const char *tag, enum yaml_type *type)
{
    static const struct {
        const char *tag;
        enum yaml_type type;
    } tags[] = {{YAML_STR_TAG, YAML_STRING},  {"!", YAML_STRING},         {YAML_INT_TAG, YAML_INT},
                {YAML_FLOAT_TAG, YAML_FLOAT}, {YAML_BOOL_TAG, YAML_BOOL}, {YAML_NULL_TAG, YAML_NULL}};
    for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
        if (strcmp(tag, tags[i].tag) == 0) {
            *type = tags[i].type;
            return true;
        }
    return false;
}

/* The length of the UTF-8 sequence at `s`, or 0; overlong forms, surrogates and code points past U+10FFFF are
 * refused. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
               : (s[0] & 0xf0) == 0xe0       ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

size_t yaml_scalar_bad_byte(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t n = text[i] ? utf8_length((const unsigned char *)text + i, length - i) : 0;
        if (n == 0)
            return i;
        i += n;
    }
    return length;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; words of 64 and more count as
 * far apart. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[3][65];
    if (n > 64 || m > 64)
        return 64;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[n % 3][m];
}

const char *yaml_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t best = 3, length = strlen(word);
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, candidates[i]);
        if (distance < best && distance < length) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
