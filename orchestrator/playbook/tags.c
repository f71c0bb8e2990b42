/* Which tasks --tags and --skip-tags select. Source: "Tags" of the Ansible 2.14 documentation; doubtful cases
 * were settled by running ansible-core 2.14. */
#include "base/decode.h"
#include "playbook/play.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

json_t *tags_of_list(const char *list, const char *fallback)
{
    json_t *tags = json_array();
    for (const char *at = list ? list : ""; *at;) {
        size_t size = strcspn(at, ","), length = size;
        const char *from = at;
        for (; length && isspace((unsigned char)*from); from++)
            length--;
        while (length && isspace((unsigned char)from[length - 1]))
            length--;
        if (length)
            json_array_append_new(tags, json_stringn(from, length));
        at += size + (at[size] == ',');
    }
    if (fallback && !json_array_size(tags))
        json_array_append_new(tags, json_string(fallback));
    return tags;
}

static void add_tag(json_t *tags, const json_t *written)
{
    if (json_is_string(written))
        json_array_append(tags, (json_t *)(uintptr_t)written);
    else if (json_is_integer(written))
        json_array_append_new(tags, json_sprintf("%lld", (long long)json_integer_value(written)));
}

json_t *entry_tags(const struct entry *entry)
{
    json_t *tags = json_array();
    for (; entry; entry = entry_heritage(entry)) {
        const json_t *written = entry->keywords[KW_TAGS];
        size_t i;
        const json_t *one;
        json_array_foreach(written, i, one) add_tag(tags, one);
        if (json_is_string(written)) {
            json_t *cut = tags_of_list(json_string_value(written), NULL);
            json_array_extend(tags, cut);
            json_decref(cut);
        } else {
            add_tag(tags, written);
        }
    }
    return tags;
}

static bool holds(const json_t *tags, const char *name)
{
    size_t i;
    const json_t *tag;
    json_array_foreach(tags, i,
                       tag) if (json_is_string(tag) && strcmp(json_string_value(tag), name) == 0) return true;
    return false;
}

static bool meet(const json_t *tags, const json_t *wanted)
{
    size_t i;
    const json_t *tag;
    json_array_foreach(wanted, i, tag) if (holds(tags, json_string_value(tag))) return true;
    return false;
}

static bool wanted(const json_t *tags, bool tagged, const json_t *only)
{
    if (holds(tags, "always") || meet(tags, only))
        return true;
    bool never = holds(tags, "never");
    return (holds(only, "all") || (tagged && holds(only, "tagged"))) && !never;
}

static bool unwanted(const json_t *tags, bool tagged, const json_t *skip)
{
    if (holds(skip, "all"))
        return !holds(tags, "always") || holds(skip, "always");
    return meet(tags, skip) || (tagged && holds(skip, "tagged"));
}

bool tags_selected(const json_t *tags, const char *only, const char *skip)
{
    bool tagged = json_array_size(tags) > 0;
    CLEANUP_JSON json_t *untagged = json_pack("[s]", "untagged");
    CLEANUP_JSON json_t *onlies = tags_of_list(only, "all");
    CLEANUP_JSON json_t *skips = tags_of_list(skip, NULL);
    const json_t *own = tagged ? tags : untagged;
    return wanted(own, tagged, onlies) && !unwanted(own, tagged, skips);
}
