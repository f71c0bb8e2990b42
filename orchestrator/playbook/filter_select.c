/* Filters that look at each element: by attribute, by another filter, by a test, by order. */
#include "playbook/filter.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool given(const json_t *value)
{
    return value && !json_is_null(value);
}

/* An element, or its attribute. */
static struct err *key_of(struct eval *ev, json_t *item, const json_t *attribute, json_t **key)
{
    *key = item;
    return given(attribute) ? call_attribute(ev, item, attribute, key) : NULL;
}

/* What sort, unique, min and max compare: text without regard to case unless asked for. */
static struct err *compare_key(struct eval *ev, json_t *item, const json_t *attribute, bool case_sensitive,
                               json_t **key)
{
    TRY(key_of(ev, item, attribute, key));
    TRY(eval_require(ev, *key));
    return json_is_string(*key) && !case_sensitive ? text_change_case(ev, *key, false, key) : NULL;
}

static struct err *map_attribute(struct eval *ev, const struct call *call, const json_t *list,
                                 const json_t *attribute, json_t *result)
{
    json_t *fallback = json_object_get(call->named, "default"), *value;
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(call_attribute(ev, json_array_get(list, i), attribute, &value));
        json_array_append(result, fallback && eval_is_undefined(ev, value) ? fallback : value);
    }
    return NULL;
}

static struct err *map_filter(struct eval *ev, const struct call *call, const json_t *list, json_t *result)
{
    if (call->rest_count == 0 || !json_is_string(call->rest[0]))
        return err_new(ERR_INPUT, "'map' needs attribute=... or the name of a filter");
    const struct filter *filter = filter_find(json_string_value(call->rest[0]));
    if (!filter)
        return filter_unknown("filter", json_string_value(call->rest[0]), false);
    struct arguments args = {.items = call->rest, .count = call->rest_count, .named = call->named};
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *value;
        TRY(filter_call(ev, filter, json_array_get(list, i), &args, 1, &value));
        json_array_append(result, value);
    }
    return NULL;
}

/* Jinja takes anything that is not true for an empty list here. */
static struct err *elements_or_none(struct eval *ev, const struct call *call, json_t **list)
{
    bool nothing = !value_true(call->input) && !json_is_string(call->input);
    return nothing ? pool_keep(ev->pool, json_array(), list) : call_elements(ev, call, call->input, list);
}

static struct err *apply_map(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list;
    TRY(elements_or_none(ev, call, &list));
    const json_t *attribute = json_object_get(call->named, "attribute");
    json_auto_t *result = json_array();
    TRY(call->rest_count == 0 && attribute ? map_attribute(ev, call, list, attribute, result)
                                           : map_filter(ev, call, list, result));
    return pool_keep(ev->pool, TAKE(result), out);
}

/* select, reject (by_attribute false) and selectattr, rejectattr; without a test it is the truth that counts.
 */
static struct err *choose(struct eval *ev, const struct call *call, bool by_attribute, bool wanted,
                          json_t **out)
{
    json_t *list;
    size_t skip = by_attribute ? 1 : 0;
    const struct filter *test = NULL;
    TRY(elements_or_none(ev, call, &list));
    if (by_attribute && call->rest_count == 0)
        return err_new(ERR_INPUT, "'%s' needs the name of an attribute", call->name);
    if (call->rest_count > skip) {
        test =
            json_is_string(call->rest[skip]) ? filter_find_test(json_string_value(call->rest[skip])) : NULL;
        if (!test)
            return filter_unknown("test", call_text(ev, call->rest[skip], ""), true);
    }
    struct arguments args = {.items = call->rest, .count = call->rest_count, .named = call->named};
    json_auto_t *result = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i), *value;
        bool truth = false;
        TRY(key_of(ev, item, by_attribute ? call->rest[0] : NULL, &value));
        if (test) {
            TRY(filter_call_test(ev, test, value, &args, skip + 1, &truth));
        } else {
            TRY(eval_require(ev, value));
            truth = value_true(value);
        }
        if (truth == wanted)
            json_array_append(result, item);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_select(struct eval *ev, const struct call *call, json_t **out)
{
    return choose(ev, call, false, true, out);
}

static struct err *apply_reject(struct eval *ev, const struct call *call, json_t **out)
{
    return choose(ev, call, false, false, out);
}

static struct err *apply_selectattr(struct eval *ev, const struct call *call, json_t **out)
{
    return choose(ev, call, true, true, out);
}

static struct err *apply_rejectattr(struct eval *ev, const struct call *call, json_t **out)
{
    return choose(ev, call, true, false, out);
}

struct sort_entry {
    json_t *item, *key;
};

/* Merge sort: stable, and it can stop at an error, which qsort() cannot. */
static struct err *sort_entries(struct sort_entry *entries, struct sort_entry *spare, size_t count, int sign)
{
    if (count < 2)
        return NULL;
    size_t half = count / 2, a = 0, b = half;
    TRY(sort_entries(entries, spare, half, sign));
    TRY(sort_entries(entries + half, spare, count - half, sign));
    for (size_t i = 0; i < count; i++) {
        int order = a >= half ? 1 : -1;
        if (a < half && b < count) {
            TRY(value_compare(entries[a].key, entries[b].key, &order));
            order *= sign;
        }
        spare[i] = order <= 0 ? entries[a++] : entries[b++];
    }
    memcpy(entries, spare, count * sizeof(*entries));
    return NULL;
}

static struct err *sorted(struct eval *ev, json_t *list, const json_t *attribute, json_t *fallback,
                          bool case_sensitive, bool reverse, json_t **out)
{
    size_t count = json_array_size(list);
    TRY(pool_spend(ev->pool, 64 * count));
    struct sort_entry *entries = arena_array(ev->pool->arena, 2 * count + 1, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        entries[i].item = json_array_get(list, i);
        TRY(key_of(ev, entries[i].item, attribute, &entries[i].key));
        if (fallback && eval_is_undefined(ev, entries[i].key))
            entries[i].key = fallback;
        TRY(compare_key(ev, entries[i].key, NULL, case_sensitive, &entries[i].key));
    }
    TRY(sort_entries(entries, entries + count, count, reverse ? -1 : 1));
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(result, entries[i].item);
    return pool_keep(ev->pool, result, out);
}

/* sort(reverse=false, case_sensitive=false, attribute=none) */
static struct err *apply_sort(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list;
    TRY(call_elements(ev, call, call->input, &list));
    return sorted(ev, list, call->arg[2], NULL, call_truth(call->arg[1], false),
                  call_truth(call->arg[0], false), out);
}

/* dictsort(case_sensitive=false, by='key', reverse=false): pairs in order */
static struct err *apply_dictsort(struct eval *ev, const struct call *call, json_t **out)
{
    struct arguments none = {0};
    json_t *pairs, *index;
    if (!json_is_object(call->input))
        return call_wrong(call, "a map");
    TRY(method_call(ev, call->input, "items", &none, &pairs));
    const char *by = call_text(ev, call->arg[1], "key");
    if (strcmp(by, "key") != 0 && strcmp(by, "value") != 0)
        return err_new(ERR_INPUT, "'dictsort' sorts by 'key' or 'value', not '%s'", by);
    TRY(pool_integer(ev->pool, by[0] == 'v', &index));
    return sorted(ev, pairs, index, NULL, call_truth(call->arg[0], false), call_truth(call->arg[2], false),
                  out);
}

static struct err *extreme(struct eval *ev, const struct call *call, int sign, json_t **out)
{
    json_t *list, *best, *key;
    TRY(call_elements(ev, call, call->input, &list));
    if (json_array_size(list) == 0)
        return eval_undefined(ev, out, NULL, NULL, "'%s' of an empty list", call->name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        int order = -1;
        TRY(compare_key(ev, json_array_get(list, i), call->arg[1], call_truth(call->arg[0], false), &key));
        if (i > 0)
            TRY(value_compare(key, best, &order));
        if (i == 0 || order * sign < 0) {
            best = key;
            *out = json_array_get(list, i);
        }
    }
    return NULL;
}

static struct err *apply_min(struct eval *ev, const struct call *call, json_t **out)
{
    return extreme(ev, call, 1, out);
}

static struct err *apply_max(struct eval *ev, const struct call *call, json_t **out)
{
    return extreme(ev, call, -1, out);
}

/* unique(case_sensitive=false, attribute=none) */
static struct err *apply_unique(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list;
    TRY(call_elements(ev, call, call->input, &list));
    json_auto_t *result = json_array(), *seen = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *key;
        bool known;
        TRY(compare_key(ev, json_array_get(list, i), call->arg[1], call_truth(call->arg[0], false), &key));
        TRY(pool_spend(ev->pool, json_array_size(seen)));
        TRY(eval_contains(seen, key, &known));
        if (known)
            continue;
        json_array_append(seen, key);
        json_array_append(result, json_array_get(list, i));
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_sum(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list, *value;
    TRY(call_elements(ev, call, call->input, &list));
    TRY(pool_integer(ev->pool, 0, out));
    if (call->arg[1])
        *out = call->arg[1];
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(key_of(ev, json_array_get(list, i), call->arg[0], &value));
        TRY(eval_require(ev, value));
        TRY(eval_binary(ev, OP_ADD, *out, value, out));
    }
    return NULL;
}

/* join(d='', attribute=none) */
static struct err *apply_join(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list, *value;
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *separator = call_text(ev, call->arg[0], "");
    TRY(call_elements(ev, call, call->input, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(key_of(ev, json_array_get(list, i), call->arg[1], &value));
        TRY(eval_require_deep(ev, value));
        strbuf_adds(&sb, i ? separator : "");
        value_add_text(&sb, ev->pool, value);
    }
    return pool_buffer(ev->pool, &sb, out);
}

/* groupby(attribute, default=none): [(value, [items]), ...] in the order of the values */
static struct err *apply_groupby(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list, *ordered, *key, *group = NULL, *last = NULL;
    TRY(call_elements(ev, call, call->input, &list));
    TRY(sorted(ev, list, call->arg[0], call->arg[1], call_truth(call->arg[2], false), false, &ordered));
    json_auto_t *result = json_array();
    for (size_t i = 0; i < json_array_size(ordered); i++) {
        json_t *item = json_array_get(ordered, i), *compare;
        TRY(call_attribute(ev, item, call->arg[0], &key));
        if (call->arg[1] && eval_is_undefined(ev, key))
            key = call->arg[1];
        TRY(compare_key(ev, key, NULL, call_truth(call->arg[2], false), &compare));
        if (!last || !value_equal(last, compare)) {
            group = json_array();
            json_array_append_new(result, json_pack("[O, o]", key, group));
        }
        last = compare;
        json_array_append(group, item);
    }
    for (size_t i = 0; i < json_array_size(result);
         i++) /* only now: a value's depth is measured when it is kept */
        TRY(eval_tuple(ev, json_incref(json_array_get(result, i)), &key));
    return pool_keep(ev->pool, TAKE(result), out);
}

static const struct filter rows[] = {
    {"map", apply_map, 0, FILTER_VARIADIC, {0}},
    {"select", apply_select, 0, FILTER_VARIADIC, {0}},
    {"reject", apply_reject, 0, FILTER_VARIADIC, {0}},
    {"selectattr", apply_selectattr, 0, FILTER_VARIADIC, {0}},
    {"rejectattr", apply_rejectattr, 0, FILTER_VARIADIC, {0}},
    {"sort", apply_sort, 0, 0, {"reverse", "case_sensitive", "attribute"}},
    {"dictsort", apply_dictsort, 0, 0, {"case_sensitive", "by", "reverse"}},
    {"min", apply_min, 0, 0, {"case_sensitive", "attribute"}},
    {"max", apply_max, 0, 0, {"case_sensitive", "attribute"}},
    {"unique", apply_unique, 0, 0, {"case_sensitive", "attribute"}},
    {"sum", apply_sum, 0, 0, {"attribute", "start"}},
    {"join", apply_join, 0, 0, {"d", "attribute"}},
    {"groupby", apply_groupby, 1, 0, {"attribute", "default", "case_sensitive"}},
};
const struct filter_table filters_select = {rows, sizeof(rows) / sizeof(*rows)};
