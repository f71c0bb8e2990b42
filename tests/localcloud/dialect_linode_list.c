// Lists: the header X-Filter and pages; and the rules for labels and tags.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { PAGE_SIZE_MIN = 25, PAGE_SIZE_MAX = 500, PAGE_SIZE = 100, TAG_MIN = 3, TAG_MAX = 50 };

// What a filter asks of one attribute: {"tags": "a"} or {"size": {"+gte": 5}}.
static const char *const operators[] = {"+gt", "+gte", "+lt", "+lte", "+neq", "+contains"};

static bool is_operator(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (text_equal(name, operators[i]))
            return true;
    return false;
}

static bool is_filterable(const char *key, const char *filterable)
{
    size_t size = strlen(key);

    for (const char *p = filterable; size > 0 && (p = strstr(p, key)) != NULL; p += size)
        if ((p == filterable || p[-1] == ' ') && (p[size] == ' ' || p[size] == '\0'))
            return true;
    return false;
}

// Whether `filter` is one that this list takes. `wrong` receives the part that is not.
static bool filter_valid(json_t *filter, const char *filterable, char wrong[128])
{
    const char *key;
    json_t *value, *entry;
    size_t i;

    json_object_foreach(filter, key, value)
    {
        snprintf(wrong, 128, "%s", key);
        if (text_equal(key, "+and") || text_equal(key, "+or")) {
            if (!json_is_array(value))
                return false;
            json_array_foreach(value, i, entry) if (!json_is_object(entry) ||
                                                    !filter_valid(entry, filterable, wrong)) return false;
        } else if (text_equal(key, "+order_by") || text_equal(key, "+order")) {
            if (!json_is_string(value) ||
                (key[6] == '_' && !is_filterable(json_string_value(value), filterable)))
                return false;
        } else if (!is_filterable(key, filterable) || json_is_array(value)) {
            return false;
        }
        if (*key == '+' || !json_is_object(value))
            continue;
        json_object_foreach(value, key, entry) if (!is_operator(key)) return false;
    }
    return true;
}

static json_t *attribute(const json_t *item, const char *key) // "entity.id" lies in "entity"
{
    const char *dot = strchr(key, '.');
    char *outer = dot ? text_format("%.*s", (int)(dot - key), key) : NULL;
    json_t *value =
        outer ? json_object_get(json_object_get(item, outer), dot + 1) : json_object_get(item, key);

    free(outer);
    return value;
}

static int compare(const json_t *a, const json_t *b)
{
    double x = json_number_value(a), y = json_number_value(b);

    if (json_is_string(a) && json_is_string(b))
        return strcmp(json_string_value(a), json_string_value(b));
    return (x > y) - (x < y);
}

static bool equal(const json_t *own, const json_t *wanted)
{
    if (json_is_number(own) && json_is_number(wanted))
        return compare(own, wanted) == 0;
    return json_equal(own, wanted);
}

static bool operator_holds(const json_t *own, const char *name, const json_t *wanted)
{
    int order = compare(own, wanted);

    if (text_equal(name, "+neq"))
        return !equal(own, wanted);
    if (text_equal(name, "+contains"))
        return json_is_string(own) && json_is_string(wanted) &&
               strstr(json_string_value(own), json_string_value(wanted)) != NULL;
    if (text_equal(name, "+gt"))
        return order > 0;
    if (text_equal(name, "+gte"))
        return order >= 0;
    return text_equal(name, "+lt") ? order < 0 : order <= 0;
}

// An attribute that is a list (tags, ipv4) matches if one of its values does.
static bool value_holds(const json_t *own, json_t *wanted)
{
    const char *name;
    json_t *value, *entry;
    size_t i;

    if (json_is_array(own)) {
        json_array_foreach(own, i, entry) if (value_holds(entry, wanted)) return true;
        return false;
    }
    if (!json_is_object(wanted))
        return equal(own, wanted);
    json_object_foreach(wanted, name, value) if (!operator_holds(own, name, value)) return false;
    return true;
}

static bool filter_holds(json_t *filter, const json_t *item)
{
    const char *key;
    json_t *value, *entry;
    size_t i;

    json_object_foreach(filter, key, value)
    {
        bool holds = text_starts(key, "+order"), any = text_equal(key, "+or");
        if (any || text_equal(key, "+and")) {
            holds = !any;
            json_array_foreach(value, i, entry) holds =
                any ? holds || filter_holds(entry, item) : holds && filter_holds(entry, item);
        } else if (*key != '+') {
            holds = value_holds(attribute(item, key), value);
        }
        if (!holds)
            return false;
    }
    return true;
}

struct order {
    const char *key;
    bool descending;
};

static int compare_items(const void *a, const void *b, void *arg)
{
    const struct order *order = arg;
    json_t *const *x = a, *const *y = b;
    int result = compare(attribute(*x, order->key), attribute(*y, order->key));

    return order->descending ? -result : result;
}

static json_t *sorted(json_t *items, const json_t *filter)
{
    struct order order = {.key = json_string_value(json_object_get(filter, "+order_by")),
                          .descending =
                              text_equal(json_string_value(json_object_get(filter, "+order")), "desc")};
    size_t count = json_array_size(items);

    if (!order.key)
        return items;
    json_t **list = zalloc((count + 1) * sizeof(json_t *)), *result = json_array();
    for (size_t i = 0; i < count; i++)
        list[i] = json_array_get(items, i);
    qsort_r(list, count, sizeof *list, compare_items, &order);
    for (size_t i = 0; i < count; i++)
        json_array_append(result, list[i]);
    free(list);
    json_decref(items);
    return result;
}

static json_t *filtered(json_t *items, json_t *filter)
{
    json_t *kept = json_array(), *item;
    size_t i;

    json_array_foreach(items, i, item) if (filter_holds(filter, item)) json_array_append(kept, item);
    json_decref(items);
    return sorted(kept, filter);
}

static bool page_number(const struct request *request, struct response *response, const char *key,
                        long otherwise, long min, long max, long *ret)
{
    const char *text = request_query(request, key);
    char *end = NULL;

    *ret = text ? strtol(text, &end, 10) : otherwise;
    if (text && (!*text || *end))
        return ln_invalid(response, key, "Must be an integer"), false;
    if (*ret < min || *ret > max)
        return ln_invalid(response, key, max == PAGE_SIZE_MAX ? "Must be 25-500" : "Must be 1 or greater"),
               false;
    return true;
}

static void answer_page(struct response *response, const json_t *items, long page, long page_size)
{
    long total = (long)json_array_size(items), pages = total == 0 ? 1 : (total + page_size - 1) / page_size;
    json_t *data = json_array();

    for (long i = (page - 1) * page_size; i < page * page_size && i < total; i++)
        json_array_append(data, json_array_get(items, (size_t)i));
    ln_ok(response, json_pack("{s:o, s:I, s:I, s:I}", "data", data, "page", (json_int_t)page, "pages",
                              (json_int_t)pages, "results", (json_int_t)total));
}

void ln_list(const struct request *request, struct response *response, json_t *items, const char *filterable)
{
    json_t *filter = request->filter ? json_loads(request->filter, 0, NULL) : json_object();
    char wrong[128] = "";
    long page, page_size;

    if (!json_is_object(filter)) {
        ln_invalid(response, NULL, "X-Filter is not a valid JSON object");
    } else if (!filter_valid(filter, filterable, wrong)) {
        ln_invalid(response, NULL, "Cannot filter on %s", wrong);
    } else if (page_number(request, response, "page", 1, 1, 1000000, &page) &&
               page_number(request, response, "page_size", PAGE_SIZE, PAGE_SIZE_MIN, PAGE_SIZE_MAX,
                           &page_size)) {
        items = filtered(items, filter);
        answer_page(response, items, page, page_size);
    }
    json_decref(filter);
    json_decref(items);
}

bool ln_label_valid(struct response *response, const char *label, size_t min, size_t max)
{
    size_t size = strlen(label);

    if (size < min || size > max)
        return ln_invalid(response, "label", "Length must be %zu-%zu characters", min, max), false;
    for (size_t i = 0; i < size; i++) {
        bool edge = i == 0 || i + 1 == size;
        if (!isalnum((unsigned char)label[i]) && (edge || !strchr("._-", label[i])))
            return ln_invalid(
                       response, "label",
                       "Label must begin and end with an alphanumeric character and only contain letters, "
                       "numbers, hyphens, underscores and periods"),
                   false;
        if (i > 0 && label[i] == label[i - 1] && strchr("._-", label[i]))
            return ln_invalid(response, "label", "Label cannot have two '%c' in a row", label[i]), false;
    }
    if (isdigit((unsigned char)label[0])) // the published pattern wants a letter
        return ln_invalid(response, "label", "Label must begin with a letter"), false;
    return true;
}

bool ln_tags_valid(struct response *response, const json_t *tags)
{
    json_t *tag;
    size_t i;

    if (tags && !json_is_null(tags) && !json_is_array(tags))
        return ln_invalid(response, "tags", "tags must be of type Array"), false;
    json_array_foreach(tags, i, tag)
    {
        size_t size = json_string_length(tag);
        if (!json_is_string(tag) || size < TAG_MIN || size > TAG_MAX)
            return ln_invalid(response, "tags", "Tag length must be %d-%d characters", TAG_MIN, TAG_MAX),
                   false;
    }
    return true;
}

json_t *ln_tags(json_t *labels)
{
    return json_is_array(labels) ? labels : json_object_get(labels, "tags");
}

bool ln_has_tag(json_t *labels, const char *tag)
{
    json_t *own;
    size_t i;

    json_array_foreach(ln_tags(labels), i, own) if (text_equal(json_string_value(own), tag)) return true;
    return false;
}
