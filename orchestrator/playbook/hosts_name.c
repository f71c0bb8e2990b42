/* Names of hosts in an inventory: ranges in brackets and ports. */
#include "base/strbuf.h"
#include "playbook/hosts_data.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- what counts as a name --- */

/* The length of a range in brackets ("[1:9]", "[a:f:2]") at the start of the text, or 0. */
static size_t range_length(const char *text)
{
    if (*text != '[')
        return 0;
    const char *at = text + 1;
    size_t digits = strspn(at, "0123456789");
    if (digits) {
        at += digits;
        digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
        at += 1 + digits;
        if (!digits)
            return 0;
    } else if (isalpha((unsigned char)at[0]) && at[1] == ':' && isalpha((unsigned char)at[2])) {
        at += 3;
    } else {
        return 0;
    }
    if (*at == ':') {
        digits = strspn(at + 1, "0123456789");
        if (!digits)
            return 0;
        at += 1 + digits;
    }
    return *at == ']' ? (size_t)(at - text) + 1 : 0;
}

static bool is_word(unsigned char c)
{
    return isalnum(c) || c == '_' || c >= 0x80; /* letters of other scripts */
}

/* Labels apart by dots, of letters, digits, ranges, '_' and '-', the last two not at the end. */
static bool is_host_name(const char *text)
{
    for (const char *at = text;;) {
        const char *start = at, *last = NULL;
        while (*at && *at != '.') {
            size_t range = range_length(at);
            if (!range && !is_word((unsigned char)*at) && (*at != '-' || at == start))
                return false;
            last = range ? NULL : at;
            at += range ? range : 1;
        }
        if (at == start || (last && (*last == '-' || *last == '_')))
            return false;
        if (!*at++)
            return true;
    }
}

/* Ranges may stand where digits do. */
static bool is_ipv6(const char *text)
{
    CLEANUP_STRBUF struct strbuf plain;
    strbuf_init(&plain, 256);
    while (*text) {
        size_t range = range_length(text);
        strbuf_addc(&plain, range ? '0' : *text);
        text += range ? range : 1;
    }
    struct in6_addr address;
    return !plain.overflowed && inet_pton(AF_INET6, plain.data, &address) == 1;
}

/* Where the port's colon stands, or NULL: "NAME:22" or "[NAME]:22". */
static const char *port_colon(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
        return NULL;
    if (*text == '[' && colon > text + 2 && colon[-1] == ']')
        return colon;
    for (const char *at = text; at < colon; at++) {
        if (*at == ':' || *at == ']')
            return NULL;
        if (*at == '[') {
            at = strchr(at, ']');
            if (!at || at > colon)
                return NULL;
        }
    }
    return colon;
}

static bool split_address(struct arena *arena, const char *text, const char **name, int *port)
{
    const char *colon = port_colon(text);
    bool bracketed = colon && *text == '[' && colon[-1] == ']' && !range_length(text);
    *port = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
    *name = !colon      ? text
            : bracketed ? arena_strndup(arena, text + 1, (size_t)(colon - text) - 2)
                        : arena_strndup(arena, text, (size_t)(colon - text));
    return is_host_name(*name) || is_ipv6(*name);
}

bool hosts_is_address(struct arena *arena, const char *text)
{
    const char *name;
    int port;
    return split_address(arena, text, &name, &port);
}

bool hosts_split_port(struct arena *arena, const char *text, const char **name, int *port)
{
    return split_address(arena, text, name, port) && !strchr(*name, '[');
}

/* --- ranges --- */

struct names {
    struct arena *arena;
    const char *text; /* as written, for messages */
    char **items;
    size_t count, capacity;
};

static struct err *add_name(struct names *names, const char *name)
{
    if (names->count == HOSTS_MAX_COUNT)
        return err_new(ERR_INPUT, "'%s' makes more than %d hosts", names->text, HOSTS_MAX_COUNT);
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? 2 * names->capacity : 4;
        char **items = arena_array(names->arena, names->capacity, sizeof(*items));
        if (names->count)
            memcpy(items, names->items, names->count * sizeof(*items));
        names->items = items;
    }
    names->items[names->count++] = arena_strdup(names->arena, name);
    return NULL;
}

struct range {
    long from, to, step;
    int width;    /* of numbers with leading zeros, else 0 */
    bool letters; /* a to z, then A to Z */
};

static int letter_index(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *found = text[0] && !text[1] ? strchr(letters, text[0]) : NULL;
    return found ? (int)(found - letters) : -1;
}

static bool read_number(const char *text, long *number)
{
    if (!*text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
        return false;
    *number = strtol(text, NULL, 10);
    return true;
}

static struct err *range_error(const struct names *names, const char *what)
{
    return err_with_hint(err_new(ERR_INPUT, "'%s': %s", names->text, what),
                         "a range is [BEGIN:END] or [BEGIN:END:STEP], as in web[01:20] or db-[a:f]");
}

static struct err *read_range(const struct names *names, char *text, struct range *range)
{
    char *parts[4] = {text};
    size_t count = 1;
    for (char *colon = text; (colon = strchr(colon, ':')) && count < 4; *colon++ = '\0')
        parts[count++] = colon + 1;
    *range = (struct range){.step = 1};
    if (count != 2 && count != 3)
        return range_error(names, "a range has a begin and an end");
    if (!*parts[1])
        return range_error(names, "the range has no end");
    if (count == 3 && (!read_number(parts[2], &range->step) || range->step < 1))
        return range_error(names, "the step of a range is a whole number from 1");
    const char *begin = *parts[0] ? parts[0] : "0";
    range->letters = letter_index(begin) >= 0 && letter_index(parts[1]) >= 0;
    if (range->letters) {
        range->from = letter_index(begin);
        range->to = letter_index(parts[1]);
    } else if (!read_number(begin, &range->from) || !read_number(parts[1], &range->to)) {
        return range_error(names, "a range goes from number to number or from letter to letter");
    }
    if (*begin == '0' && begin[1]) {
        range->width = (int)strlen(begin);
        if (strlen(parts[1]) != strlen(begin))
            return range_error(names, "with leading zeros, begin and end of a range are equally long");
    }
    return range->from > range->to ? range_error(names, "the range begins after its end") : NULL;
}

static struct err *expand(struct names *names, const char *head, const char *rest)
{
    const char *open = strchr(rest, '['), *colon = strchr(rest, ':'), *close = strchr(rest, ']');
    if (!open || !colon || !close || open > colon || colon > close)
        return add_name(names, arena_printf(names->arena, "%s%s", head, rest));
    struct range range;
    TRY(read_range(names, arena_strndup(names->arena, open + 1, (size_t)(close - open) - 1), &range));
    for (long i = range.from; i <= range.to; i += range.step) {
        char *next = range.letters ? arena_printf(names->arena, "%s%.*s%c", head, (int)(open - rest), rest,
                                                  (int)(i < 26 ? 'a' + i : 'A' + i - 26))
                                   : arena_printf(names->arena, "%s%.*s%0*ld", head, (int)(open - rest), rest,
                                                  range.width, i);
        TRY(expand(names, next, close + 1));
    }
    return NULL;
}

struct err *hosts_expand(struct arena *arena, const char *text, char ***items, size_t *count, int *port)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct names names = {.arena = scratch, .text = text};
    const char *pattern;
    if (strlen(text) > 1000)
        return err_new(ERR_INPUT, "a host's name is longer than 1000 characters");
    if (!split_address(scratch, text, &pattern, port)) {
        pattern = text; /* a name that no address could be stays whole */
        *port = 0;
    }
    TRY(expand(&names, "", pattern));
    *items = arena_array(arena, names.count, sizeof(**items));
    for (size_t i = 0; i < names.count; i++)
        (*items)[i] = arena_strdup(arena, names.items[i]);
    *count = names.count;
    return NULL;
}
