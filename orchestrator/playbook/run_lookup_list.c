/* Lookups that make lists of what they are given. */
#include "playbook/run_lookup.h"
#include "playbook/value.h"
#include <sys/random.h>

#define MAX_ITEMS 10000

static struct err *check_size(const struct lookup *l)
{
    return json_array_size(l->results) > MAX_ITEMS ? err_new(ERR_INPUT, "more than %d items", MAX_ITEMS)
                                                   : NULL;
}

/* Lists among the terms are spread, one level or all. */
static void spread(json_t *results, const json_t *list, int levels)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (json_is_array(item) && levels > 0)
        spread(results, item, levels - 1);
    else json_array_append(results, item);
}

struct err *lookup_items(const struct lookup *l)
{
    spread(l->results, l->terms, 1);
    return check_size(l);
}

struct err *lookup_flattened(const struct lookup *l)
{
    spread(l->results, l->terms, VALUE_MAX_DEPTH);
    return check_size(l);
}

struct err *lookup_list(const struct lookup *l)
{
    json_array_extend(l->results, (json_t *)(uintptr_t)l->terms);
    return NULL;
}

struct err *lookup_dict(const struct lookup *l)
{
    size_t i;
    json_t *term, *value;
    const char *key;
    json_auto_t *terms = json_array();
    spread(terms, l->terms, 1);
    json_array_foreach(terms, i, term)
    {
        if (!json_is_object(term))
            return err_new(ERR_INPUT, "it takes maps, not %s", value_type_name(term));
        json_object_foreach(term, key, value)
            json_array_append_new(l->results, json_pack("{s:s, s:O}", "key", key, "value", value));
    }
    return check_size(l);
}

struct err *lookup_indexed_items(const struct lookup *l)
{
    size_t i;
    json_t *item;
    json_auto_t *items = json_array();
    spread(items, l->terms, 1);
    json_array_foreach(items, i, item)
        json_array_append_new(l->results, json_pack("[I, O]", (json_int_t)i, item));
    return check_size(l);
}

static json_t *list_of(const struct lookup *l, size_t i)
{
    json_t *term = json_array_get(l->terms, i), *list = json_array();
    if (json_is_array(term))
        spread(list, term, 0);
    else
        json_array_append(list, term);
    return list;
}

/* Every combination, the last list turning fastest. As in Ansible items that are lists are spread. */
struct err *lookup_nested(const struct lookup *l)
{
    json_auto_t *rows = json_pack("[[]]");
    for (size_t t = 0; t < json_array_size(l->terms); t++) {
        json_auto_t *list = list_of(l, t), *longer = json_array();
        size_t i, k;
        json_t *row, *item;
        json_array_foreach(rows, i, row)
        {
            json_array_foreach(list, k, item)
            {
                json_auto_t *pair = json_pack("[O, O]", row, item);
                json_t *next = json_array();
                spread(next, pair, 1);
                json_array_append_new(longer, next);
            }
            if (json_array_size(longer) > MAX_ITEMS)
                return err_new(ERR_INPUT, "more than %d items", MAX_ITEMS);
        }
        json_decref(rows);
        rows = TAKE(longer);
    }
    if (json_array_size(l->terms))
        json_array_extend(l->results, rows);
    return NULL;
}

/* Side by side; shorter lists are filled up with nothing. */
struct err *lookup_together(const struct lookup *l)
{
    size_t longest = 0;
    json_auto_t *lists = json_array();
    for (size_t t = 0; t < json_array_size(l->terms); t++) {
        json_array_append_new(lists, list_of(l, t));
        size_t size = json_array_size(json_array_get(lists, t));
        longest = size > longest ? size : longest;
    }
    for (size_t row = 0; row < longest; row++) {
        json_t *items = json_array();
        for (size_t t = 0; t < json_array_size(lists); t++) {
            json_t *item = json_array_get(json_array_get(lists, t), row);
            json_array_append(items, item ? item : json_null());
        }
        json_array_append_new(l->results, items);
    }
    return check_size(l);
}

struct err *lookup_random_choice(const struct lookup *l)
{
    uint32_t number;
    size_t count = json_array_size(l->terms);
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return err_new(ERR_INTERNAL, "the system gives no random numbers");
    if (count)
        json_array_append(l->results, json_array_get(l->terms, number % count));
    return NULL;
}

struct err *lookup_subelements(const struct lookup *l)
{
    json_auto_t *items = NULL;
    TRY(loop_subelements(l->job, l->terms, &items));
    json_array_extend(l->results, items);
    return check_size(l);
}

struct err *lookup_sequence(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++)
        TRY(loop_sequence(l->job, expr_value_text(l->arena, json_array_get(l->terms, i)), l->results));
    return NULL;
}
