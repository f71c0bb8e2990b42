/* with_sequence. Source: the lookup "sequence" of the Ansible 2.14 documentation. */
#include "base/decode.h"
#include "playbook/run.h"
#include "playbook/words.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COUNT 100000
#define MAX_WIDTH 100

struct sequence {
    long long start, end, count, stride;
    bool has_end, has_count;
    const char *format;
};

/* Octal and hexadecimal numbers are understood, as in Python. */
static bool read_number(const char *text, size_t length, long long *number)
{
    char copy[40], *end;
    if (!length || length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    bool octal = copy[0] == '0' && (copy[1] == 'o' || copy[1] == 'O');
    *number = octal ? strtoll(copy + 2, &end, 8) : strtoll(copy, &end, 0);
    return end != copy && !*end && *number > -(1LL << 53) && *number < 1LL << 53;
}

/* [start-]end[/stride][:format] */
static bool read_short(struct sequence *s, const char *term)
{
    size_t length = strcspn(term, "-/:");
    bool has_start = term[length] == '-';
    if (!read_number(term, length, has_start ? &s->start : &s->end))
        return false;
    term += length + has_start;
    if (has_start) {
        length = strcspn(term, "-/:");
        if (!read_number(term, length, &s->end))
            return false;
        term += length;
    }
    s->has_end = true;
    if (*term == '/') {
        length = strcspn(++term, ":");
        if (!read_number(term, length, &s->stride))
            return false;
        term += length;
    }
    if (*term == ':' && term[1])
        s->format = term + 1;
    return !*term || *term == ':';
}

static struct err *read_pairs(struct job *job, struct sequence *s, const char *term)
{
    struct word_pair *pairs;
    size_t count;
    TRY(words_pairs(job->arena, term, &pairs, &count));
    for (size_t i = 0; i < count; i++) {
        const char *key = pairs[i].key ? pairs[i].key : "", *value = pairs[i].value;
        long long *number = strcmp(key, "start") == 0    ? &s->start
                            : strcmp(key, "end") == 0    ? &s->end
                            : strcmp(key, "count") == 0  ? &s->count
                            : strcmp(key, "stride") == 0 ? &s->stride
                                                         : NULL;
        s->has_end = s->has_end || number == &s->end;
        s->has_count = s->has_count || number == &s->count;
        if (strcmp(key, "format") == 0)
            s->format = value;
        else if (!number || !read_number(value, strlen(value), number))
            return err_with_hint(entry_error(job->entry, "'with_sequence' cannot read '%s'", term),
                                 "for example: start=1 end=9 stride=2 format=web%%02d");
    }
    return NULL;
}

/* One %d, %x, %X, %o or %i with flags 0 and - and a width; everything else is text. */
static bool add_formatted(struct strbuf *out, const char *format, long long number)
{
    const char *percent = strchr(format, '%');
    if (!percent)
        return false;
    const char *at = percent + 1;
    bool zero = false, left = false;
    for (; *at == '0' || *at == '-'; at++)
        *(*at == '0' ? &zero : &left) = true;
    size_t width = 0;
    for (; isdigit((unsigned char)*at) && width <= MAX_WIDTH; at++)
        width = width * 10 + (size_t)(*at - '0');
    char digits[40];
    const char *sign = number < 0 ? "-" : "";
    unsigned long long size = number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;
    if (*at == 'd' || *at == 'i' || *at == 'u')
        (void)snprintf(digits, sizeof(digits), "%llu", size);
    else if (*at == 'x')
        (void)snprintf(digits, sizeof(digits), "%llx", size);
    else if (*at == 'X')
        (void)snprintf(digits, sizeof(digits), "%llX", size);
    else if (*at == 'o')
        (void)snprintf(digits, sizeof(digits), "%llo", size);
    else
        return false;
    if (width > MAX_WIDTH || strchr(at, '%'))
        return false;
    size_t length = strlen(digits) + strlen(sign);
    strbuf_add(out, format, (size_t)(percent - format));
    for (size_t i = length; !zero && !left && i < width; i++)
        strbuf_addc(out, ' ');
    strbuf_adds(out, sign);
    for (size_t i = length; zero && !left && i < width; i++)
        strbuf_addc(out, '0');
    strbuf_adds(out, digits);
    for (size_t i = length; left && i < width; i++)
        strbuf_addc(out, ' ');
    strbuf_adds(out, at + 1);
    return true;
}

static struct err *add_numbers(struct job *job, const struct sequence *s, json_t *items)
{
    for (long long number = s->start; s->stride > 0 ? number <= s->end : number >= s->end;
         number += s->stride) {
        CLEANUP_STRBUF struct strbuf text;
        strbuf_init(&text, 0);
        if (json_array_size(items) > MAX_COUNT)
            return entry_error(job->entry, "'with_sequence' gives more than %d items", MAX_COUNT);
        if (!add_formatted(&text, s->format, number))
            return err_with_hint(
                entry_error(job->entry, "'with_sequence' cannot use the format '%s'", s->format),
                "for example: web%%02d");
        json_array_append_new(items, json_string(text.data));
    }
    return NULL;
}

struct err *loop_sequence(struct job *job, const char *term, json_t *items)
{
    struct sequence s = {.start = 1, .stride = 1, .format = "%d"};
    if (!read_short(&s, term)) {
        s = (struct sequence){.start = 1, .stride = 1, .format = "%d"};
        TRY(read_pairs(job, &s, term));
    }
    if (s.has_end == s.has_count)
        return entry_error(job->entry, "'with_sequence' needs 'end' or 'count'");
    if (s.has_count && s.count == 0)
        return NULL;
    if (s.has_count)
        s.end = s.start + s.count * s.stride - (s.stride > 0 ? 1 : -1);
    if (s.stride == 0)
        return NULL;
    if ((s.stride > 0 && s.end < s.start) || (s.stride < 0 && s.end > s.start))
        return entry_error(job->entry, "'with_sequence' never gets from %lld to %lld in steps of %lld",
                           s.start, s.end, s.stride);
    return add_numbers(job, &s, items);
}
