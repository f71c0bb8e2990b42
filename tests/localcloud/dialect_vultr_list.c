// Lists, page by page. A cursor is base64 of "next__ID" or "prev__ID": the last item seen, or the first. It
// stays good when items before it are deleted meanwhile. Clients must not look inside.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

enum { PER_PAGE = 100, PER_PAGE_MAX = 500, KEY_SIZE = 256 };

static void key_text(const json_t *item, const char *id_key, char out[KEY_SIZE])
{
    const json_t *value = json_object_get(item, id_key);

    if (json_is_integer(value))
        snprintf(out, KEY_SIZE, "%020lld", json_integer_value(value));
    else
        snprintf(out, KEY_SIZE, "%s", vt_member(item, id_key));
}

static json_t *cursor_json(const char *direction, const json_t *items, size_t at, const char *id_key)
{
    char key[KEY_SIZE];

    key_text(json_array_get(items, at), id_key, key);
    char *plain = text_format("%s%s", direction, key), *cursor = vt_base64(plain);
    json_t *json = json_string(cursor);
    free(plain), free(cursor);
    return json;
}

// How many items stand before the one with this key, or would if it were still there: ids grow.
static size_t position(const json_t *items, const char *id_key, const char *key)
{
    char other[KEY_SIZE];
    size_t before = 0, count = json_array_size(items);

    for (size_t i = 0; i < count; i++) {
        key_text(json_array_get(items, i), id_key, other);
        if (strcmp(other, key) == 0)
            return i;
        before += strcmp(other, key) < 0;
    }
    return before;
}

static bool key_present(const json_t *items, const char *id_key, const char *key, size_t at)
{
    char other[KEY_SIZE];

    key_text(json_array_get(items, at), id_key, other);
    return strcmp(other, key) == 0;
}

// The items [*start, *end) are what was asked for.
static bool read_window(const struct request *request, const json_t *items, const char *id_key,
                        size_t per_page, size_t *start, size_t *end)
{
    const char *cursor = request_query(request, "cursor");
    size_t count = json_array_size(items);
    char *plain = cursor && *cursor ? vt_base64_decode(cursor) : NULL;
    bool ok =
        !cursor || !*cursor || (plain && (text_starts(plain, "next__") || text_starts(plain, "prev__")));

    *start = 0;
    if (ok && plain) {
        size_t at = position(items, id_key, plain + 6);
        if (*plain == 'p')
            *start = at > per_page ? at - per_page : 0;
        else
            *start = at + key_present(items, id_key, plain + 6, at);
    }
    *end = *start + per_page < count ? *start + per_page : count;
    free(plain);
    return ok;
}

static size_t read_per_page(const struct request *request)
{
    const char *text = request_query(request, "per_page");
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : PER_PAGE;

    if (text && (!*text || *end || number < 1))
        return 0;
    return number > PER_PAGE_MAX ? PER_PAGE_MAX : (size_t)number;
}

void vt_list(const struct request *request, struct response *response, const char *key, json_t *items,
             const char *id_key)
{
    size_t per_page = read_per_page(request), count = json_array_size(items), start, end;

    if (per_page == 0) {
        vt_error(response, 400, "Invalid per_page value.");
    } else if (!read_window(request, items, id_key, per_page, &start, &end)) {
        vt_error(response, 400, "Invalid cursor.");
    } else {
        json_t *page = json_array();
        for (size_t i = start; i < end; i++)
            json_array_append(page, json_array_get(items, i));
        json_t *next = end < count ? cursor_json("next__", items, end - 1, id_key) : json_string("");
        json_t *prev =
            start > 0 && start < count ? cursor_json("prev__", items, start, id_key) : json_string("");
        vt_ok(response, 200,
              json_pack("{s:o, s:{s:i, s:{s:o, s:o}}}", key, page, "meta", "total", (int)count, "links",
                        "next", next, "prev", prev));
    }
    json_decref(items);
}
