// Lists: pages, and the links to the others.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { PER_PAGE = 20, PER_PAGE_MAX = 200 };

char *ocean_link(const struct request *request, const char *path)
{
    return text_format("http://%s%s", request->host ? request->host : "localhost", path);
}

static bool page_number(const struct request *request, const char *key, int otherwise, int *ret)
{
    const char *text = request_query(request, key);
    int64_t number = text ? ocean_id(text) : otherwise;

    *ret = (int)number;
    return number >= 1 && number <= 1000000;
}

static void append(char **text, const char *between, const char *value)
{
    char *more = text_format("%s%s%s", *text, between, value);

    free(*text);
    *text = more;
}

// Percent-encoded for a query.
static char *encoded(const char *value)
{
    char *out = zalloc(strlen(value) * 3 + 1);
    size_t used = 0;

    for (; *value; value++) {
        if (isalnum((unsigned char)*value) || strchr("-._~", *value))
            out[used++] = *value;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02X", (unsigned char)*value);
    }
    return out;
}

// The same request for another page.
static json_t *page_link(const struct request *request, int page)
{
    char number[16];
    char *link = ocean_link(request, request->url);

    snprintf(number, sizeof number, "%d", page);
    append(&link, "?page=", number);
    for (size_t i = 0; i < request->query_count; i++) {
        if (text_equal(request->query[i].key, "page"))
            continue;
        char *value = encoded(request->query[i].value);
        append(&link, "&", request->query[i].key);
        append(&link, "=", value);
        free(value);
    }
    json_t *json = json_string(link);
    free(link);
    return json;
}

static json_t *links_json(const struct request *request, int page, int last)
{
    json_t *pages = json_object();

    if (page > 1) {
        json_object_set_new(pages, "first", page_link(request, 1));
        json_object_set_new(pages, "prev", page_link(request, page - 1));
    }
    if (page < last) {
        json_object_set_new(pages, "next", page_link(request, page + 1));
        json_object_set_new(pages, "last", page_link(request, last));
    }
    if (json_object_size(pages) > 0)
        return json_pack("{s:o}", "pages", pages);
    json_decref(pages);
    return json_object();
}

void ocean_list(const struct request *request, struct response *response, const char *key, json_t *items)
{
    int page, per_page;

    if (!page_number(request, "page", 1, &page) || !page_number(request, "per_page", PER_PAGE, &per_page)) {
        json_decref(items);
        ocean_error(response, 400, "page and per_page must be numbers from 1");
        return;
    }
    per_page = per_page > PER_PAGE_MAX ? PER_PAGE_MAX : per_page;
    int total = (int)json_array_size(items), last = total == 0 ? 1 : (total + per_page - 1) / per_page;
    json_t *cut = json_array();
    for (int64_t i = (page - 1) * (int64_t)per_page; i < page * (int64_t)per_page && i < total; i++)
        json_array_append(cut, json_array_get(items, (size_t)i));
    json_decref(items);
    ocean_ok(response, 200,
             json_pack("{s:o, s:o, s:{s:i}}", key, cut, "links", links_json(request, page, last), "meta",
                       "total", total));
}
