// Lists and labels: filters, order, pages; label rules and selectors.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

// Letters and digits at both ends, [A-Za-z0-9._-] between, at most 63 characters.
static bool is_word(const char *text, size_t size, bool may_be_empty)
{
    if (size == 0 || size > 63)
        return size == 0 && may_be_empty;
    for (size_t i = 0; i < size; i++) {
        bool edge = i == 0 || i + 1 == size;
        if (!isalnum((unsigned char)text[i]) && (edge || !strchr("._-", text[i])))
            return false;
    }
    return true;
}

static bool key_valid(const char *key, size_t size)
{
    const char *slash = memchr(key, '/', size);

    if (!slash)
        return is_word(key, size, false);
    size_t prefix = (size_t)(slash - key);
    if (prefix == 0 || prefix > 253 || (prefix >= 13 && strncmp(slash - 13, "hetzner.cloud", 13) == 0))
        return false; // the prefix is reserved
    for (size_t i = 0; i < prefix; i++)
        if (!isalnum((unsigned char)key[i]) && key[i] != '.' && key[i] != '-')
            return false;
    return is_word(slash + 1, size - prefix - 1, false);
}

bool hz_labels_valid(struct response *response, json_t *labels)
{
    const char *key;
    json_t *value;

    if (!labels)
        return true;
    if (!json_is_object(labels)) {
        hz_invalid(response, "labels", "Not a valid object.");
        return false;
    }
    json_object_foreach(labels, key, value)
    {
        if (!key_valid(key, strlen(key))) {
            hz_invalid(response, "labels", "Label key '%s' is not correctly formatted.", key);
            return false;
        }
        if (!json_is_string(value) || !is_word(json_string_value(value), json_string_length(value), true)) {
            hz_invalid(response, "labels", "Label value of key '%s' is not correctly formatted.", key);
            return false;
        }
    }
    return true;
}

// Cuts the next requirement off `*rest`: commas inside parentheses belong to it.
static char *next_requirement(char **rest)
{
    char *start = *rest + strspn(*rest, " ");
    int depth = 0;

    for (char *p = start; *start; p++) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        if (*p == '\0' || (*p == ',' && depth == 0)) {
            *rest = *p ? p + 1 : p;
            *p = '\0';
            return start;
        }
    }
    return NULL;
}

static void trim(char *text)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
}

static bool in_set(char *set, const char *value) // "a, b)" as left after the opening parenthesis
{
    char *save = NULL;

    for (char *word = strtok_r(set, ", )", &save); word; word = strtok_r(NULL, ", )", &save))
        if (text_equal(word, value))
            return true;
    return false;
}

// -1: not a requirement; else whether it holds.
static int requirement(char *text, json_t *labels)
{
    char *set, *op;
    bool negate = *text == '!';

    trim(text);
    if ((set = strstr(text, "(")) && strchr(set, ')')) {
        bool out = strstr(text, " notin ") != NULL;
        if (!out && !strstr(text, " in "))
            return -1;
        size_t size = strcspn(text, " ");
        if (!key_valid(text, size))
            return -1;
        text[size] = '\0';
        const char *value = json_string_value(json_object_get(labels, text));
        return out ? !value || !in_set(set + 1, value) : value && in_set(set + 1, value);
    }
    if ((op = strchr(text + 1, '=')) != NULL) {
        bool differs = op[-1] == '!';
        char *wanted = op + 1 + (op[1] == '=');
        size_t size = (size_t)(op - text) - differs;
        wanted += strspn(wanted, " ");
        text[size] = '\0';
        trim(text);
        if (!key_valid(text, strlen(text)) || !is_word(wanted, strlen(wanted), true))
            return -1;
        bool equal = text_equal(json_string_value(json_object_get(labels, text)), wanted);
        return equal != differs;
    }
    text += negate;
    if (!key_valid(text, strlen(text)))
        return -1;
    return (json_object_get(labels, text) != NULL) != negate;
}

static int selector_holds(const char *selector, json_t *labels)
{
    char *copy = text_copy(selector), *rest = copy;
    int holds = 1;

    for (char *text; holds >= 0 && (text = next_requirement(&rest));) {
        int one = requirement(text, labels);
        holds = one < 0 ? -1 : holds && one;
    }
    free(copy);
    return holds;
}

bool hz_selector_valid(const char *selector)
{
    json_t *none = json_object();
    bool ok = selector_holds(selector, none) >= 0;

    json_decref(none);
    return ok;
}

bool hz_selector_matches(const char *selector, json_t *labels)
{
    return selector_holds(selector, labels) > 0;
}

static json_t *filter(const struct request *request, json_t *items)
{
    const char *name = request_query(request, "name"), *selector = request_query(request, "label_selector");
    json_t *kept = json_array(), *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        const char *own = json_string_value(json_object_get(item, "name"));
        if ((name && !text_equal(name, own)) ||
            (selector && !hz_selector_matches(selector, json_object_get(item, "labels"))))
            continue;
        json_array_append(kept, item);
    }
    json_decref(items);
    return kept;
}

struct order {
    char key[16];
    bool descending;
};

static int compare(const void *a, const void *b, void *arg)
{
    const struct order *order = arg;
    json_t *const *x = a, *const *y = b;
    const json_t *left = json_object_get(*x, order->key), *right = json_object_get(*y, order->key);
    int result;

    if (json_is_integer(left))
        result = (json_integer_value(left) > json_integer_value(right)) -
                 (json_integer_value(left) < json_integer_value(right));
    else
        result = strcmp(json_string_value(left) ? json_string_value(left) : "",
                        json_string_value(right) ? json_string_value(right) : "");
    return order->descending ? -result : result;
}

// Sorts by one key after the other from the last to the first; qsort_r of glibc is a stable merge sort for
// such sizes.
static bool sort(const struct request *request, json_t *items)
{
    size_t count = json_array_size(items);
    json_t **list = zalloc((count + 1) * sizeof(json_t *));
    bool ok = true;

    for (size_t i = 0; i < count; i++)
        list[i] = json_incref(json_array_get(items, i));
    for (size_t q = request->query_count; q-- > 0;) {
        struct order order = {0};
        char direction[8] = "asc";
        if (!text_equal(request->query[q].key, "sort"))
            continue;
        ok = ok && sscanf(request->query[q].value, "%15[a-z]:%7s", order.key, direction) >= 1 &&
             (text_equal(order.key, "id") || text_equal(order.key, "name") ||
              text_equal(order.key, "created")) &&
             (text_equal(direction, "asc") || text_equal(direction, "desc"));
        order.descending = text_equal(direction, "desc");
        qsort_r(list, count, sizeof *list, compare, &order);
    }
    json_array_clear(items);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, list[i]);
    free(list);
    return ok;
}

static bool page_number(const struct request *request, const char *key, int otherwise, int *ret)
{
    const char *text = request_query(request, key);
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : otherwise;

    *ret = (int)number;
    return (!text || (*text && *end == '\0')) && number >= 1 && number <= 1000000;
}

static void link_header(const struct request *request, struct response *response, int page, int last)
{
    const struct {
        const char *rel;
        int page;
    } links[] = {{"prev", page - 1}, {"next", page < last ? page + 1 : 0}, {"last", page < last ? last : 0}};
    char text[480] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].page > 0 && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s<http://%s%s?page=%d>; rel=%s",
                                     used ? ", " : "", request->host ? request->host : "", request->url,
                                     links[i].page, links[i].rel);
    if (used)
        response_header(response, "Link", "%s", text);
}

static json_t *page_or_null(int page, bool exists)
{
    return exists ? json_integer(page) : json_null();
}

void hz_list(const struct request *request, struct response *response, const char *key, json_t *items,
             int max_per_page)
{
    const char *selector = request_query(request, "label_selector");
    int page, per_page;

    if (!page_number(request, "page", 1, &page) || !page_number(request, "per_page", 25, &per_page)) {
        json_decref(items);
        hz_invalid(response, "page", "Not a valid page.");
        return;
    }
    if (selector && !hz_selector_valid(selector)) {
        json_decref(items);
        hz_invalid(response, "label_selector", "Not a valid label selector.");
        return;
    }
    items = filter(request, items);
    if (!sort(request, items)) {
        json_decref(items);
        hz_invalid(response, "sort", "Not a valid sort order.");
        return;
    }
    per_page = per_page > max_per_page ? max_per_page : per_page;
    int total = (int)json_array_size(items), last = total == 0 ? 1 : (total + per_page - 1) / per_page;
    json_t *cut = json_array();
    for (int i = (page - 1) * per_page; i < page * per_page && i < total; i++)
        json_array_append(cut, json_array_get(items, (size_t)i));
    json_decref(items);
    json_t *pagination =
        json_pack("{s:i, s:i, s:o, s:o, s:i, s:i}", "page", page, "per_page", per_page, "previous_page",
                  page_or_null(page - 1, page > 1), "next_page", page_or_null(page + 1, page < last),
                  "last_page", last, "total_entries", total);
    link_header(request, response, page, last);
    hz_ok(response, 200, json_pack("{s:o, s:{s:o}}", key, cut, "meta", "pagination", pagination));
}
