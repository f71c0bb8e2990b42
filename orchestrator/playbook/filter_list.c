/* Filters on lists and maps that do not look for attributes or tests; those are in filter_select.c. */
#include "playbook/filter.h"
#include <string.h>

/* The input as a list, whatever it is made of. */
static struct err *input_list(struct eval *ev, const struct call *call, json_t **list)
{
    return call_elements(ev, call, call->input, list);
}

static struct err *list_argument(struct eval *ev, const struct call *call, size_t index, json_t **list)
{
    return call_elements(ev, call, call->rest[index], list);
}

static struct err *apply_list(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list;
    TRY(input_list(ev, call, &list));
    TRY(pool_keep(ev->pool, json_copy(list), out));
    pool_mark(ev->pool, *out)->own = true;
    return NULL;
}

static struct err *apply_length(struct eval *ev, const struct call *call, json_t **out)
{
    if (json_is_string(call->input))
        return pool_integer(
            ev->pool, (json_int_t)text_count(json_string_value(call->input), json_string_length(call->input)),
            out);
    if (!json_is_array(call->input) && !json_is_object(call->input))
        return call_wrong(call, "a list, a map or text");
    size_t size = json_is_array(call->input) ? json_array_size(call->input) : json_object_size(call->input);
    return pool_integer(ev->pool, (json_int_t)size, out);
}

static struct err *end_of_list(struct eval *ev, const struct call *call, bool last, json_t **out)
{
    json_t *list;
    TRY(input_list(ev, call, &list));
    size_t count = json_array_size(list);
    if (count == 0)
        return eval_undefined(ev, out, NULL, NULL, "no %s item, the list was empty", last ? "last" : "first");
    *out = json_array_get(list, last ? count - 1 : 0);
    return NULL;
}

static struct err *apply_first(struct eval *ev, const struct call *call, json_t **out)
{
    return end_of_list(ev, call, false, out);
}

static struct err *apply_last(struct eval *ev, const struct call *call, json_t **out)
{
    return end_of_list(ev, call, true, out);
}

static struct err *apply_reverse(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *list;
    TRY(input_list(ev, call, &list));
    if (json_is_string(call->input)) {
        CLEANUP_STRBUF struct strbuf sb;
        strbuf_init(&sb, VALUE_MAX_TEXT);
        for (size_t i = json_array_size(list); i-- > 0;)
            value_add_text(&sb, NULL, json_array_get(list, i));
        return pool_buffer(ev->pool, &sb, out);
    }
    json_t *fresh = json_array();
    for (size_t i = json_array_size(list); i-- > 0;)
        json_array_append(fresh, json_array_get(list, i));
    return pool_keep(ev->pool, fresh, out);
}

static bool holds(const json_t *list, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (value_equal(json_array_get(list, i), item))
            return true;
    return false;
}

/* Items of `from` that are (or are not) in `other`, each once. */
static struct err *add_selected(struct eval *ev, const json_t *from, const json_t *other, bool wanted,
                                json_t *result)
{
    for (size_t i = 0; i < json_array_size(from); i++) {
        json_t *item = json_array_get(from, i);
        TRY(pool_spend(ev->pool, json_array_size(result) + json_array_size(other)));
        if (holds(other, item) == wanted && !holds(result, item))
            json_array_append(result, item);
    }
    return NULL;
}

static struct err *set_operation(struct eval *ev, const struct call *call, const char *kind, json_t **out)
{
    json_t *a = call->input, *b = call->arg[0];
    bool adds = strcmp(kind, "union") == 0 || strcmp(kind, "symmetric") == 0;
    if (json_is_object(a) && !adds) /* its keys */
        TRY(call_elements(ev, call, a, &a));
    if (json_is_object(b) && !adds)
        TRY(call_elements(ev, call, b, &b));
    if (!json_is_array(a) || !json_is_array(b))
        return err_new(ERR_INPUT, "'%s' works on two lists, but got %s and %s", call->name,
                       value_type_name(a), value_type_name(b));
    json_auto_t *result = json_array(), *nothing = json_array();
    if (strcmp(kind, "intersect") == 0)
        TRY(add_selected(ev, a, b, true, result));
    if (strcmp(kind, "difference") == 0 || strcmp(kind, "symmetric") == 0)
        TRY(add_selected(ev, a, b, false, result));
    if (strcmp(kind, "symmetric") == 0)
        TRY(add_selected(ev, b, a, false, result));
    if (strcmp(kind, "union") == 0) {
        TRY(add_selected(ev, a, nothing, false, result));
        TRY(add_selected(ev, b, nothing, false, result));
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_union(struct eval *ev, const struct call *call, json_t **out)
{
    return set_operation(ev, call, "union", out);
}

static struct err *apply_intersect(struct eval *ev, const struct call *call, json_t **out)
{
    return set_operation(ev, call, "intersect", out);
}

static struct err *apply_difference(struct eval *ev, const struct call *call, json_t **out)
{
    return set_operation(ev, call, "difference", out);
}

static struct err *apply_symmetric(struct eval *ev, const struct call *call, json_t **out)
{
    return set_operation(ev, call, "symmetric", out);
}

static bool counts_as_null(const json_t *item)
{
    return json_is_null(item) || (json_is_string(item) && (strcmp(json_string_value(item), "None") == 0 ||
                                                           strcmp(json_string_value(item), "null") == 0));
}

static void flatten_into(json_t *result, const json_t *list, json_int_t levels, bool skip_nulls)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (skip_nulls && counts_as_null(item))
            continue;
        if (json_is_array(item) && levels != 0)
            flatten_into(result, item, levels - 1, skip_nulls);
        else
            json_array_append(result, item);
    }
}

static struct err *apply_flatten(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t levels;
    TRY(call_int(call, 0, -1, &levels));
    json_t *items;
    TRY(input_list(ev, call, &items));
    json_t *result = json_array();
    flatten_into(result, items, levels, call_truth(call->arg[1], true));
    return pool_keep(ev->pool, result, out);
}

/* zip() ends with the shortest list, zip_longest() fills up to the longest. */
static struct err *zip(struct eval *ev, const struct call *call, json_t *fill, json_t **out)
{
    json_t *lists[17];
    size_t count = call->rest_count + 1, rows = 0;
    if (count > 17)
        return err_new(ERR_INPUT, "'%s' takes at most 16 lists", call->name);
    TRY(input_list(ev, call, &lists[0]));
    for (size_t i = 1; i < count; i++)
        TRY(list_argument(ev, call, i - 1, &lists[i]));
    for (size_t i = 0; i < count; i++) {
        size_t size = json_array_size(lists[i]);
        rows = i == 0 || (fill ? size > rows : size < rows) ? size : rows;
    }
    json_auto_t *result = json_array();
    for (size_t row = 0; row < rows; row++) {
        json_t *tuple = json_array(), *kept;
        for (size_t i = 0; i < count; i++)
            json_array_append(tuple, row < json_array_size(lists[i]) ? json_array_get(lists[i], row) : fill);
        TRY(eval_tuple(ev, tuple, &kept));
        json_array_append(result, kept);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_zip(struct eval *ev, const struct call *call, json_t **out)
{
    return zip(ev, call, NULL, out);
}

static struct err *apply_zip_longest(struct eval *ev, const struct call *call, json_t **out)
{
    return zip(ev, call, call->arg[0] ? call->arg[0] : json_null(), out);
}

/* All combinations of one item of each list, the last list turning fastest. */
static struct err *apply_product(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *lists[17];
    json_int_t times;
    size_t once = call->rest_count + 1, total = 1;
    TRY(call_int(call, 0, 1, &times));
    if (once > 17 || times < 1 || (size_t)times > 17 / once)
        return err_new(ERR_INPUT, "'product' takes at most 16 lists");
    size_t count = once * (size_t)times;
    TRY(input_list(ev, call, &lists[0]));
    for (size_t i = 1; i < count; i++)
        if (i < once)
            TRY(list_argument(ev, call, i - 1, &lists[i]));
        else
            lists[i] = lists[i - once];
    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(total, json_array_size(lists[i]), &total) || total > 1000000)
            return err_new(ERR_INPUT, "'product' gives more than 1000000 combinations");
    json_auto_t *result = json_array();
    for (size_t n = 0; n < total; n++) {
        size_t left = n, unit = total;
        json_t *tuple = json_array(), *kept;
        for (size_t i = 0; i < count; i++) {
            unit /= json_array_size(lists[i]);
            json_array_append(tuple, json_array_get(lists[i], left / unit));
            left %= unit;
        }
        TRY(eval_tuple(ev, tuple, &kept));
        json_array_append(result, kept);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_batch(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t size;
    json_t *list, *batch = NULL;
    TRY(call_int(call, 0, 0, &size));
    TRY(input_list(ev, call, &list));
    json_auto_t *result = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!batch || (json_int_t)json_array_size(batch) == size) {
            if (!batch && size == 0) /* as Jinja: full before it holds anything */
                json_array_append_new(result, json_array());
            batch = json_array();
            json_array_append_new(result, batch);
        }
        json_array_append(batch, json_array_get(list, i));
    }
    while (batch && call->arg[1] && !json_is_null(call->arg[1]) &&
           (json_int_t)json_array_size(batch) < size) {
        TRY(pool_spend(ev->pool, 16));
        json_array_append(batch, call->arg[1]);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *apply_dict2items(struct eval *ev, const struct call *call, json_t **out)
{
    const char *key_name = call_text(ev, call->arg[0], "key"),
               *value_name = call_text(ev, call->arg[1], "value"), *key;
    json_t *value;
    if (!json_is_object(call->input))
        return call_wrong(call, "a map");
    json_t *result = json_array();
    json_object_foreach(call->input, key, value)
    {
        json_t *item = json_object();
        json_object_set_new(item, key_name, json_string_nocheck(key));
        json_object_set(item, value_name, value);
        json_array_append_new(result, item);
    }
    TRY(pool_keep(ev->pool, result, out));
    return pool_spend(ev->pool, 400 * json_array_size(result));
}

static struct err *apply_items2dict(struct eval *ev, const struct call *call, json_t **out)
{
    const char *key_name = call_text(ev, call->arg[0], "key"),
               *value_name = call_text(ev, call->arg[1], "value");
    if (!json_is_array(call->input))
        return call_wrong(call, "a list");
    json_auto_t *result = json_object();
    for (size_t i = 0; i < json_array_size(call->input); i++) {
        const json_t *item = json_array_get(call->input, i);
        const json_t *key = json_object_get(item, key_name);
        json_t *value = json_object_get(item, value_name);
        if (!key || !value)
            return err_new(ERR_INPUT, "'items2dict' needs items with '%s' and '%s', but item %zu lacks one",
                           key_name, value_name, i);
        json_object_set(result, call_text(ev, key, ""), value);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

/* The key-value pairs, as items() of a map gives them. */
static struct err *apply_items(struct eval *ev, const struct call *call, json_t **out)
{
    struct arguments none = {0};
    if (eval_is_undefined(ev, call->input))
        return pool_keep(ev->pool, json_array(), out);
    return json_is_object(call->input) ? method_call(ev, call->input, "items", &none, out)
                                       : call_wrong(call, "a map");
}

/* How combine() joins two lists of the same key. */
static json_t *merge_lists(const json_t *old, const json_t *new, const char *how)
{
    bool append = strncmp(how, "append", 6) == 0, remove_present = strstr(how, "_rp") != NULL;
    const json_t *first = append ? old : new, *second = append ? new : old;
    json_t *result = json_array();
    for (size_t i = 0; i < json_array_size(first); i++)
        if (!(remove_present && append && holds(new, json_array_get(first, i))))
            json_array_append(result, json_array_get(first, i));
    for (size_t i = 0; i < json_array_size(second); i++)
        if (!(remove_present && !append && holds(new, json_array_get(second, i))))
            json_array_append(result, json_array_get(second, i));
    return result;
}

static json_t *merge_maps(const json_t *old, const json_t *new, bool recursive, const char *lists)
{
    json_t *result = json_copy((json_t *)(uintptr_t)old), *value;
    const char *key;
    json_object_foreach((json_t *)(uintptr_t) new, key, value)
    {
        const json_t *before = json_object_get(result, key);
        if (recursive && json_is_object(before) && json_is_object(value))
            json_object_set_new(result, key, merge_maps(before, value, recursive, lists));
        else if (json_is_array(before) && json_is_array(value) && strcmp(lists, "replace") != 0 &&
                 strcmp(lists, "keep") != 0)
            json_object_set_new(result, key, merge_lists(before, value, lists));
        else if (!(json_is_array(before) && json_is_array(value) && strcmp(lists, "keep") == 0))
            json_object_set(result, key, value);
    }
    return result;
}

static struct err *combine_with(struct eval *ev, const struct call *call, json_t *value, const char *lists,
                                json_t **sum)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            TRY(combine_with(ev, call, json_array_get(value, i), lists, sum));
        return NULL;
    }
    TRY(eval_require(ev, value));
    if (json_is_null(value))
        return NULL;
    if (!json_is_object(value))
        return err_new(ERR_INPUT, "'combine' works on maps, but got %s", value_type_name(value));
    return pool_keep(ev->pool, merge_maps(*sum, value, call_truth(call->arg[0], false), lists), sum);
}

static struct err *apply_combine(struct eval *ev, const struct call *call, json_t **out)
{
    static const char *const ways[] = {"replace", "keep", "append", "prepend", "append_rp", "prepend_rp"};
    const char *lists = call_text(ev, call->arg[1], "replace");
    if (json_object_size(call->named))
        return err_with_hint(err_new(ERR_INPUT, "'combine' has no argument '%s'",
                                     json_object_iter_key(json_object_iter(call->named))),
                             "it takes 'recursive' and 'list_merge'");
    bool known = false;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        known = known || strcmp(lists, ways[i]) == 0;
    if (!known)
        return err_new(ERR_INPUT, "'combine' knows no list_merge '%s'", lists);
    TRY(pool_keep(ev->pool, json_object(), out));
    TRY(combine_with(ev, call, call->input, lists, out));
    for (size_t i = 0; i < call->rest_count; i++)
        TRY(combine_with(ev, call, call->rest[i], lists, out));
    return NULL;
}

/* [[item, subitem], ...] for every element of each item's own list. */
static struct err *apply_subelements(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *items = call->input, *found;
    bool skip = call_truth(call->arg[1], false);
    const char *key;
    json_t *value;
    if (json_is_object(items)) {
        TRY(pool_keep(ev->pool, json_array(), &items));
        json_object_foreach(call->input, key, value) json_array_append(items, value);
    }
    if (!json_is_array(items))
        return call_wrong(call, "a list or a map");
    json_auto_t *result = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *path = json_is_array(call->arg[0]) ? json_array_get(call->arg[0], 0) : call->arg[0];
        if (!path)
            return err_new(ERR_INPUT, "'subelements' needs the name of the inner list");
        TRY(call_attribute(ev, json_array_get(items, i), path, &found));
        if (eval_is_undefined(ev, found) && skip)
            continue;
        TRY(eval_require(ev, found));
        if (!json_is_array(found))
            return err_new(ERR_INPUT, "'subelements' expects a list in '%s', but got %s",
                           call_text(ev, path, ""), value_type_name(found));
        for (size_t k = 0; k < json_array_size(found); k++) {
            json_t *tuple;
            TRY(eval_tuple(ev, json_pack("[O, O]", json_array_get(items, i), json_array_get(found, k)),
                           &tuple));
            json_array_append(result, tuple);
        }
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

/* 'key' | extract(container, more_keys) */
static struct err *apply_extract(struct eval *ev, const struct call *call, json_t **out)
{
    TRY(eval_item(ev, call->arg[0], call->input, NULL, out));
    const json_t *more = call->arg[1];
    if (!more || json_is_null(more))
        return NULL;
    if (!json_is_array(more))
        return eval_item(ev, *out, more, NULL, out);
    for (size_t i = 0; i < json_array_size(more); i++)
        TRY(eval_item(ev, *out, json_array_get(more, i), NULL, out));
    return NULL;
}

static const struct filter rows[] = {
    {"list", apply_list, 0, 0, {0}},
    {"length", apply_length, 0, 0, {0}},
    {"count", apply_length, 0, 0, {0}},
    {"first", apply_first, 0, 0, {0}},
    {"last", apply_last, 0, 0, {0}},
    {"reverse", apply_reverse, 0, 0, {0}},
    {"union", apply_union, 1, 0, {"b"}},
    {"intersect", apply_intersect, 1, 0, {"b"}},
    {"difference", apply_difference, 1, 0, {"b"}},
    {"symmetric_difference", apply_symmetric, 1, 0, {"b"}},
    {"flatten", apply_flatten, 0, 0, {"levels", "skip_nulls"}},
    {"zip", apply_zip, 0, FILTER_VARIADIC, {0}},
    {"zip_longest", apply_zip_longest, 0, FILTER_VARIADIC, {"fillvalue"}},
    {"product", apply_product, 0, FILTER_VARIADIC, {"repeat"}},
    {"batch", apply_batch, 1, 0, {"linecount", "fill_with"}},
    {"dict2items", apply_dict2items, 0, 0, {"key_name", "value_name"}},
    {"items2dict", apply_items2dict, 0, 0, {"key_name", "value_name"}},
    {"items", apply_items, 0, FILTER_UNDEFINED, {0}},
    {"combine", apply_combine, 0, FILTER_VARIADIC, {"recursive", "list_merge"}},
    {"subelements", apply_subelements, 1, 0, {"subelements", "skip_missing"}},
    {"extract", apply_extract, 1, 0, {"container", "morekeys"}},
};
const struct filter_table filters_list = {rows, sizeof(rows) / sizeof(*rows)};
