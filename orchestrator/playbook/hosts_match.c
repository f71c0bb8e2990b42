/* Patterns of hosts: `hosts:` of a play, and --limit. The rules are those of Ansible's page "Patterns:
 * targeting hosts and groups" and of ansible-core 2.14 where the page is silent. */
#include "base/fs.h"
#include "playbook/filter.h"
#include "playbook/hosts_data.h"
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LIMIT_BYTES (1u << 20)

struct picks {
    size_t *items; /* indices of hosts */
    size_t count, capacity;
};

struct matching {
    const struct hosts *hosts;
    struct arena *arena; /* scratch */
    const char *unknown;
};

static void pick(struct arena *arena, struct picks *picks, size_t index)
{
    if (picks->count == picks->capacity) {
        picks->capacity = picks->capacity ? 2 * picks->capacity : 16;
        size_t *items = arena_array(arena, picks->capacity, sizeof(*items));
        if (picks->count)
            memcpy(items, picks->items, picks->count * sizeof(*items));
        picks->items = items;
    }
    picks->items[picks->count++] = index;
}

/* --- the parts of a pattern --- */

/* Without a comma, ':' separates as well, but not in addresses and brackets. */
static void split_colons(struct arena *arena, const char *text, struct hosts_list *parts)
{
    for (const char *at = text; *at;) {
        const char *start = at;
        while (*at && *at != ':' && *at != ']' && !isspace((unsigned char)*at)) {
            const char *close = *at == '[' ? strchr(at, ']') : NULL;
            if (*at == '[' && !close)
                break;
            at = close ? close + 1 : at + 1;
        }
        if (at > start)
            hosts_list_add(arena, parts, arena_strndup(arena, start, (size_t)(at - start)));
        at += *at ? 1 : 0;
    }
}

static void add_trimmed(struct arena *arena, struct hosts_list *parts, const char *text, size_t length)
{
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (length)
        hosts_list_add(arena, parts, arena_strndup(arena, text, length));
}

static void split_pattern(struct arena *arena, const char *text, struct hosts_list *parts)
{
    if (!strchr(text, ',')) {
        if (hosts_is_address(arena, text))
            add_trimmed(arena, parts, text, strlen(text));
        else
            split_colons(arena, text, parts);
        return;
    }
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        add_trimmed(arena, parts, at, length);
        at += length;
        if (!*at)
            return;
    }
}

/* --- one part --- */

struct subscript {
    bool given;
    long from, to;
    bool single;
};

static bool read_bound(const char *text, size_t length, long *number)
{
    char digits[12];
    size_t sign = length && *text == '-' ? 1 : 0;
    if (length <= sign || length >= sizeof(digits) || strspn(text + sign, "0123456789") < length - sign)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    *number = strtol(digits, NULL, 10);
    return true;
}

/* The text between the brackets: "1", "-1", "1:3", "2:" ('-' was once written for ':'). */
static bool read_subscript(const char *text, size_t size, struct subscript *subscript)
{
    size_t first = strspn(text, "0123456789");
    subscript->single = read_bound(text, size, &subscript->from);
    if (subscript->single)
        return true;
    if ((text[first] != ':' && text[first] != '-') || !read_bound(text, first, &subscript->from))
        return false;
    subscript->to = -1;
    const char *last = text + first + 1;
    size_t left = size - first - 1;
    return !left || (*last != '-' && read_bound(last, left, &subscript->to));
}

/* Cuts "[1]", "[1:3]" off; both ends count. Anything else in brackets belongs to a glob. */
static const char *split_subscript(struct arena *arena, const char *pattern, struct subscript *subscript)
{
    const char *open = strrchr(pattern, '[');
    size_t length = strlen(pattern);
    *subscript = (struct subscript){0};
    if (*pattern == '~' || !open || open == pattern || pattern[length - 1] != ']' ||
        !read_subscript(open + 1, (size_t)(pattern + length - open) - 2, subscript))
        return pattern;
    subscript->given = true;
    return arena_strndup(arena, pattern, (size_t)(open - pattern));
}

static struct err *apply_subscript(const char *pattern, const struct subscript *subscript,
                                   struct picks *picks)
{
    if (!subscript->given || !picks->count)
        return NULL;
    long count = (long)picks->count, from = subscript->from;
    long to = subscript->to == -1 ? count - 1 : subscript->to;
    if (subscript->single || to == 0) { /* [x:0] is [x] */
        from = from < 0 ? from + count : from;
        to = from;
        if (from < 0 || from >= count)
            return err_new(ERR_INPUT, "no host matches '%s': there are %ld", pattern, count);
    }
    to = to >= count ? count - 1 : to;
    size_t kept = 0;
    for (long i = from; i <= to; i++)
        picks->items[kept++] = picks->items[i];
    picks->count = kept;
    return NULL;
}

static struct err *name_matches(const char *pattern, const char *name, bool *found)
{
    if (*pattern == '~')
        return regex_matches(pattern + 1, (struct regex_flags){.anchored = true}, name, strlen(name), found);
    *found = fnmatch(pattern, name, FNM_NOESCAPE) == 0;
    return NULL;
}

static size_t local_index(const struct hosts *hosts)
{
    for (size_t i = 0; !hosts->has_implicit && i < hosts->count; i++)
        if (hosts_is_local_name(hosts->items[i].name))
            return i;
    return hosts->count;
}

static struct err *match_groups(struct matching *m, const char *pattern, struct picks *picks, bool *any)
{
    const struct hosts_list *groups = &m->hosts->data->groups;
    for (size_t i = 0; i < groups->count; i++) {
        const struct hosts_group *group = groups->items[i];
        bool found;
        TRY(name_matches(pattern, group->name, &found));
        *any = *any || found;
        for (size_t k = 0; found && k < group->members.count; k++)
            pick(m->arena, picks, ((struct hosts_node *)group->members.items[k])->index);
    }
    return NULL;
}

/* Groups whose name matches; hosts too, when no group does or the pattern could mean several. */
static struct err *enumerate(struct matching *m, const char *pattern, struct picks *picks)
{
    bool any_group = false;
    TRY(match_groups(m, pattern, picks, &any_group));
    if (!any_group || *pattern == '~' || strpbrk(pattern, ".?*["))
        for (size_t i = 0; i < m->hosts->count; i++) {
            bool found;
            TRY(name_matches(pattern, m->hosts->items[i].name, &found));
            if (found)
                pick(m->arena, picks, i);
        }
    if (!picks->count && hosts_is_local_name(pattern))
        pick(m->arena, picks, local_index(m->hosts));
    if (!picks->count && !any_group && strcmp(pattern, "all") != 0 && !m->unknown)
        m->unknown = pattern;
    return NULL;
}

static struct err *match_part(struct matching *m, const char *part, struct picks *picks)
{
    const struct hosts_node *node = hosts_node_find(m->hosts->data, part);
    if (node) {
        pick(m->arena, picks, node->index);
        return NULL;
    }
    struct subscript subscript;
    part += *part == '!' || *part == '&' ? 1 : 0;
    if (!*part)
        return err_new(ERR_INPUT, "a pattern of hosts is empty after '!' or '&'");
    TRY(enumerate(m, split_subscript(m->arena, part, &subscript), picks));
    return apply_subscript(part, &subscript, picks);
}

/* --- all parts --- */

/* First what is added, then what is intersected (&), then what is taken away (!), whatever their order. */
static int part_kind(const char *part)
{
    return *part == '&' ? 1 : *part == '!' ? 2 : 0;
}

static void combine(int kind, const bool *matched, struct picks *result, bool *chosen)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->count; i++) {
        if (matched[result->items[i]] == (kind == 1))
            result->items[kept++] = result->items[i];
        else
            chosen[result->items[i]] = false;
    }
    result->count = kept;
}

static struct err *match_kind(struct matching *m, const struct hosts_list *parts, int kind,
                              struct picks *result, bool *chosen)
{
    for (size_t p = 0; p < parts->count; p++) {
        if (part_kind(parts->items[p]) != kind)
            continue;
        struct picks picks = {0};
        TRY(match_part(m, parts->items[p], &picks));
        if (kind == 0) {
            for (size_t i = 0; i < picks.count; i++) {
                if (!chosen[picks.items[i]])
                    pick(m->arena, result, picks.items[i]);
                chosen[picks.items[i]] = true;
            }
            continue;
        }
        bool *matched = arena_array(m->arena, m->hosts->count + 1, sizeof(*matched));
        for (size_t i = 0; i < picks.count; i++)
            matched[picks.items[i]] = true;
        combine(kind, matched, result, chosen);
    }
    return NULL;
}

static struct err *match_parts(struct matching *m, struct hosts_list *parts, struct picks *result)
{
    bool any = false;
    for (size_t p = 0; p < parts->count; p++)
        any = any || part_kind(parts->items[p]) == 0;
    if (parts->count && !any)
        hosts_list_add(m->arena, parts, arena_strdup(m->arena, "all"));
    bool *chosen = arena_array(m->arena, m->hosts->count + 1, sizeof(*chosen));
    for (int kind = 0; kind < 3; kind++)
        TRY(match_kind(m, parts, kind, result, chosen));
    return NULL;
}

static struct err *add_parts(struct arena *arena, const json_t *pattern, struct hosts_list *parts)
{
    size_t i;
    const json_t *item;
    if (json_is_string(pattern)) {
        split_pattern(arena, json_string_value(pattern), parts);
        return NULL;
    }
    if (!json_is_array(pattern))
        return err_new(ERR_INPUT, "a pattern of hosts is text or a list of texts");
    json_array_foreach(pattern, i, item) if (json_is_string(item))
        split_pattern(arena, json_string_value(item), parts);
    else return err_new(ERR_INPUT, "in a list of hosts every pattern is text");
    return NULL;
}

static void hand_out(struct arena *arena, const struct picks *picks, size_t **indices, size_t *count)
{
    *indices = arena_array(arena, picks->count + 1, sizeof(**indices));
    if (picks->count)
        memcpy(*indices, picks->items, picks->count * sizeof(**indices));
    *count = picks->count;
}

struct err *hosts_match(const struct hosts *hosts, struct arena *arena, const json_t *pattern,
                        size_t **indices, size_t *count, const char **unknown)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct matching m = {.hosts = hosts, .arena = scratch};
    struct hosts_list parts = {0};
    struct picks result = {0};
    TRY(add_parts(scratch, pattern, &parts));
    TRY(match_parts(&m, &parts, &result));
    hand_out(arena, &result, indices, count);
    *unknown = arena_strdup(arena, m.unknown);
    return NULL;
}

/* --- --limit --- */

static struct err *add_limit_file(struct arena *arena, const char *path, struct hosts_list *parts)
{
    char *text, *save = NULL;
    size_t length;
    TRY(err_wrap(fs_read_file(arena, path, MAX_LIMIT_BYTES, &text, &length), "--limit '@%s'", path));
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        add_trimmed(arena, parts, line, strlen(line));
    return NULL;
}

struct err *hosts_limit(const struct hosts *hosts, struct arena *arena, const char *pattern, size_t **indices,
                        size_t *count)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct matching m = {.hosts = hosts, .arena = scratch};
    struct hosts_list given = {0}, parts = {0};
    struct picks result = {0};
    split_pattern(scratch, pattern, &given);
    for (size_t i = 0; i < given.count; i++) {
        const char *part = given.items[i];
        if (*part == '@')
            TRY(add_limit_file(scratch, part + 1, &parts));
        else
            hosts_list_add(scratch, &parts, given.items[i]);
    }
    TRY(match_parts(&m, &parts, &result));
    if (m.unknown) {
        const char *near = hosts_nearest(hosts, scratch, m.unknown);
        struct err *e = err_new(ERR_INPUT, "--limit: no host or group is named '%s'", m.unknown);
        return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
    }
    hand_out(arena, &result, indices, count);
    return NULL;
}
