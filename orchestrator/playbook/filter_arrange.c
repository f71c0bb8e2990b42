/* Filters that arrange the items of lists anew: permutations, combinations, slice, rekey_on_member. */
#include "playbook/filter.h"
#include <string.h>

#define MAX_ARRANGEMENTS 20000

struct arrangement {
    struct eval *ev;
    const json_t *items;
    json_t *result;
    size_t picked[64], count, size;
    bool ordered; /* permutations: an item may stand before one that comes earlier */
};

static bool is_picked(const struct arrangement *a, size_t item)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->picked[i] == item)
            return true;
    return false;
}

static struct err *put_picked(struct arrangement *a)
{
    json_t *tuple = json_array(), *kept;
    for (size_t i = 0; i < a->count; i++)
        json_array_append(tuple, json_array_get(a->items, a->picked[i]));
    TRY(eval_tuple(a->ev, tuple, &kept));
    json_array_append(a->result, kept);
    return NULL;
}

/* In the order of Python's itertools: as the positions of the items sort. At most 64 deep. */
static struct err *arrange(struct arrangement *a)
{
    TRY(pool_spend(a->ev->pool, 64));
    if (a->count == a->size)
        return put_picked(a);
    size_t first = a->ordered || a->count == 0 ? 0 : a->picked[a->count - 1] + 1;
    for (size_t i = first; i < json_array_size(a->items); i++) {
        if (is_picked(a, i))
            continue;
        a->picked[a->count++] = i;
        TRY(arrange(a));
        a->count--;
    }
    return NULL;
}

/* Whether so many ways to pick `size` of `count` items can be listed. */
static bool is_feasible(size_t count, size_t size, bool ordered)
{
    size_t ways = 1;
    if (!ordered && size > count - size)
        size = count - size;
    for (size_t i = 0; i < size; i++) {
        if (__builtin_mul_overflow(ways, count - i, &ways))
            return false;
        ways /= ordered ? 1 : i + 1;
        if (ways > MAX_ARRANGEMENTS)
            return false;
    }
    return true;
}

static struct err *arrangements(struct eval *ev, const struct call *call, bool ordered, json_t **out)
{
    json_t *items;
    json_int_t size;
    TRY(call_elements(ev, call, call->input, &items));
    TRY(call_int(call, 0, (json_int_t)json_array_size(items), &size));
    json_auto_t *result = json_array();
    struct arrangement a = {
        .ev = ev, .items = items, .result = result, .size = (size_t)size, .ordered = ordered};
    if (size < 0)
        return err_new(ERR_INPUT, "'%s' needs a size of at least 0", call->name);
    if (a.size > json_array_size(items))
        return pool_keep(ev->pool, TAKE(result), out);
    if (a.size > 64 || !is_feasible(json_array_size(items), a.size, ordered))
        return err_new(ERR_INPUT, "'%s' gives more than %d lists, or lists of more than 64 items", call->name,
                       MAX_ARRANGEMENTS);
    TRY(arrange(&a));
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_permutations(struct eval *ev, const struct call *call, json_t **out)
{
    return arrangements(ev, call, true, out);
}

static struct err *apply_combinations(struct eval *ev, const struct call *call, json_t **out)
{
    return arrangements(ev, call, false, out);
}

/* slice(slices, fill_with=none): that many lists, the first ones longer by one where it does not come out
 * even. */
static struct err *apply_slice(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t slices;
    json_t *items, *fill = call->arg[1];
    TRY(call_elements(ev, call, call->input, &items));
    TRY(call_int(call, 0, 1, &slices));
    if (slices < 1 || slices > MAX_ARRANGEMENTS)
        return err_new(ERR_INPUT, "'slice' needs a number of slices from 1 to %d", MAX_ARRANGEMENTS);
    size_t count = json_array_size(items), each = count / (size_t)slices, longer = count % (size_t)slices,
           at = 0;
    json_auto_t *result = json_array();
    for (size_t i = 0; i < (size_t)slices; i++) {
        json_t *slice = json_array();
        for (size_t end = at + each + (i < longer); at < end; at++)
            json_array_append(slice, json_array_get(items, at));
        if (fill && !json_is_null(fill) && i >= longer)
            json_array_append(slice, fill);
        json_array_append_new(result, slice);
        TRY(pool_spend(ev->pool, 64));
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *put_member(struct eval *ev, json_t *result, json_t *item, const char *key, bool overwrite)
{
    json_t *value = json_object_get(item, key);
    if (!json_is_object(item) || !value)
        return err_new(ERR_INPUT, "'rekey_on_member': an item has no '%s'", key);
    if (json_is_array(value) || json_is_object(value))
        return err_new(ERR_INPUT, "'rekey_on_member': %s cannot be a key", value_type_name(value));
    const char *name = call_text(ev, value, "");
    if (!overwrite && json_object_get(result, name))
        return err_new(ERR_INPUT, "'rekey_on_member': two items have '%s'", name);
    json_object_set(result, name, item);
    return NULL;
}

/* rekey_on_member(key, duplicates='error') */
static struct err *apply_rekey(struct eval *ev, const struct call *call, json_t **out)
{
    const char *member = call_text(ev, call->arg[0], ""), *duplicates = call_text(ev, call->arg[1], "error"),
               *key;
    bool overwrite = strcmp(duplicates, "overwrite") == 0;
    json_t *item;
    size_t i;
    if (!overwrite && strcmp(duplicates, "error") != 0)
        return err_new(ERR_INPUT, "'rekey_on_member' knows no duplicates='%s'", duplicates);
    if (!json_is_array(call->input) && !json_is_object(call->input))
        return call_wrong(call, "a list or a map of maps");
    json_auto_t *result = json_object();
    json_array_foreach(call->input, i, item) TRY(put_member(ev, result, item, member, overwrite));
    json_object_foreach(call->input, key, item) TRY(put_member(ev, result, item, member, overwrite));
    return pool_keep(ev->pool, TAKE(result), out);
}

/* --- of the collection community.general --- */

static struct err *pairs_to_map(struct eval *ev, const struct call *call, json_t **out)
{
    struct arguments args = {.items = (json_t *[]){call->input}, .count = 1};
    return function_call(ev, "dict", &args, out);
}

static struct err *apply_dict_kv(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *map = json_object();
    json_object_set(map, call_text(ev, call->arg[0], ""), call->input);
    return pool_keep(ev->pool, map, out);
}

static struct err *apply_counter(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *items;
    TRY(call_elements(ev, call, call->input, &items));
    json_auto_t *counts = json_object();
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *key = call_text(ev, json_array_get(items, i), "");
        json_int_t count = json_integer_value(json_object_get(counts, key));
        json_object_set_new(counts, key, json_integer(count + 1));
    }
    return pool_keep(ev->pool, TAKE(counts), out);
}

static struct err *apply_groupby_as_dict(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *item;
    size_t i;
    const char *attribute = call_text(ev, call->arg[0], "");
    if (!json_is_array(call->input))
        return call_wrong(call, "a list of maps");
    json_auto_t *result = json_object();
    json_array_foreach(call->input, i, item) TRY(put_member(ev, result, item, attribute, false));
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_version_sort(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *items;
    TRY(call_elements(ev, call, call->input, &items));
    json_auto_t *sorted = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        size_t at = json_array_size(sorted);
        for (int order = -1; at > 0; at--) {
            TRY(version_compare(call_text(ev, json_array_get(sorted, at - 1), ""), call_text(ev, item, ""),
                                "loose", &order));
            TRY(pool_spend(ev->pool, 64));
            if (call_truth(call->arg[0], false) ? order >= 0 : order <= 0)
                break;
        }
        json_array_insert(sorted, at, item);
    }
    return pool_keep(ev->pool, TAKE(sorted), out);
}

static const struct filter rows[] = {
    {"permutations", apply_permutations, 0, 0, {"r"}},
    {"combinations", apply_combinations, 1, 0, {"r"}},
    {"slice", apply_slice, 1, 0, {"slices", "fill_with"}},
    {"rekey_on_member", apply_rekey, 1, 0, {"key", "duplicates"}},
};
const struct filter_table filters_arrange = {rows, sizeof(rows) / sizeof(*rows)};

static const struct filter community_rows[] = {
    {"dict", pairs_to_map, 0, 0, {0}},
    {"dict_kv", apply_dict_kv, 1, 0, {"key"}},
    {"counter", apply_counter, 0, 0, {0}},
    {"groupby_as_dict", apply_groupby_as_dict, 1, 0, {"attribute"}},
    {"version_sort", apply_version_sort, 0, 0, {"reverse"}},
};
const struct filter_table filters_community = {community_rows,
                                               sizeof(community_rows) / sizeof(*community_rows)};
