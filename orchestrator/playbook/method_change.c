/* Methods that change a list or map in place. Only what the template itself made can change: the variables of
 * a playbook are shared. What is put in is a copy, so that no value can come to hold itself. */
#include "playbook/filter.h"
#include <string.h>

static struct err *nothing(json_t **out)
{
    *out = json_null();
    return NULL;
}

/* Copies a container with what JSON cannot say about its parts; anything else is shared. */
static struct err *take_in(struct eval *ev, json_t *value, json_t **copy)
{
    *copy = value;
    if (!json_is_array(value) && !json_is_object(value))
        return NULL;
    if (pool_kind(ev->pool, value) != MARK_NONE && pool_kind(ev->pool, value) != MARK_TUPLE)
        return NULL; /* macros and the like never change */
    bool tuple = pool_kind(ev->pool, value) == MARK_TUPLE;
    TRY(pool_spend(ev->pool, 64));
    json_auto_t *fresh = json_is_array(value) ? json_array() : json_object();
    json_t *item;
    const char *key;
    for (size_t i = 0; i < json_array_size(value); i++) {
        TRY(take_in(ev, json_array_get(value, i), &item));
        json_array_append(fresh, item);
    }
    json_object_foreach(value, key, item)
    {
        TRY(take_in(ev, item, &item));
        json_object_set(fresh, key, item);
    }
    return tuple ? eval_tuple(ev, TAKE(fresh), copy) : pool_keep(ev->pool, TAKE(fresh), copy);
}

/* Where Python counts an index from the end; false when it is outside. */
static bool find_index(const json_t *list, json_int_t index, size_t *at)
{
    json_int_t size = (json_int_t)json_array_size(list);
    index += index < 0 ? size : 0;
    *at = (size_t)index;
    return index >= 0 && index < size;
}

static struct err *whole_number(const struct arguments *args, size_t i, json_int_t fallback,
                                json_int_t *number)
{
    *number = fallback;
    if (i >= args->count)
        return NULL;
    if (!value_is_int(args->items[i]))
        return err_new(ERR_INPUT, "an index is a whole number, not %s", value_type_name(args->items[i]));
    *number = value_integer(args->items[i]);
    return NULL;
}

static struct err *list_extend(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_t *items, *item;
    TRY(call_elements(ev, NULL, args->items[0], &items));
    json_auto_t *copy = json_copy(items); /* the list may be its own argument */
    for (size_t i = 0; i < json_array_size(copy); i++) {
        TRY(take_in(ev, json_array_get(copy, i), &item));
        json_array_append(list, item);
    }
    return nothing(out);
}

static struct err *list_insert(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_int_t index, size = (json_int_t)json_array_size(list);
    json_t *item;
    TRY(whole_number(args, 0, 0, &index));
    TRY(take_in(ev, args->items[1], &item));
    index += index < 0 ? size : 0;
    json_array_insert(list, (size_t)(index < 0 ? 0 : index > size ? size : index), item);
    return nothing(out);
}

static struct err *list_pop(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_int_t index;
    size_t at;
    TRY(whole_number(args, 0, -1, &index));
    if (!find_index(list, index, &at))
        return err_new(ERR_INPUT, "pop(): the list has no such element");
    TRY(pool_keep(ev->pool, json_incref(json_array_get(list, at)), out));
    json_array_remove(list, at);
    return NULL;
}

static struct err *list_remove(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    (void)ev;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (value_equal(json_array_get(list, i), args->items[0])) {
            TRY(pool_keep(ev->pool, json_incref(json_array_get(list, i)), out));
            json_array_remove(list, i);
            return nothing(out);
        }
    return err_new(ERR_INPUT, "remove(): the list does not hold the value");
}

static struct err *list_replace(json_t *list, json_t *with, json_t **out)
{
    json_auto_t *copy = json_copy(with);
    json_array_clear(list);
    json_array_extend(list, copy);
    return nothing(out);
}

static struct err *list_sort(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_t *sorted;
    json_t *reverse = json_object_get(args->named, "reverse");
    struct arguments to_sort = {.items = (json_t *[]){reverse ? reverse : json_false(), json_true()},
                                .count = 2};
    TRY(filter_call(ev, filter_find("sort"), list, &to_sort, 0, &sorted));
    return list_replace(list, sorted, out);
}

static struct err *list_reverse(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_t *turned;
    TRY(filter_call(ev, filter_find("reverse"), list, args, 0, &turned));
    return list_replace(list, turned, out);
}

static struct err *list_append(struct eval *ev, json_t *list, const struct arguments *args, json_t **out)
{
    json_t *item;
    TRY(take_in(ev, args->items[0], &item));
    json_array_append(list, item);
    return nothing(out);
}

static struct err *clear(struct eval *ev, json_t *object, const struct arguments *args, json_t **out)
{
    json_t *before;
    (void)args;
    /* What was in it may still be under way in an expression. */
    TRY(pool_keep(ev->pool, json_copy(object), &before));
    if (json_is_array(object))
        json_array_clear(object);
    else
        json_object_clear(object);
    return nothing(out);
}

static struct err *map_update(struct eval *ev, json_t *map, const struct arguments *args, json_t **out)
{
    json_t *from, *item;
    const char *key;
    TRY(function_call(ev, "dict", args, &from));
    json_object_foreach(from, key, item)
    {
        json_t *before = json_object_get(map, key);
        if (before)
            TRY(pool_keep(ev->pool, json_incref(before), &before));
        TRY(take_in(ev, item, &item));
        json_object_set(map, key, item);
    }
    return nothing(out);
}

static struct err *map_pop(struct eval *ev, json_t *map, const struct arguments *args, json_t **out)
{
    const char *key = call_text(ev, args->items[0], "");
    json_t *value = json_object_get(map, key);
    if (!value && args->count < 2)
        return err_new(ERR_INPUT, "pop(): the map has no '%s'", key);
    if (!value) {
        *out = args->items[1];
        return NULL;
    }
    TRY(pool_keep(ev->pool, json_incref(value), out));
    json_object_del(map, key);
    return NULL;
}

static struct err *map_setdefault(struct eval *ev, json_t *map, const struct arguments *args, json_t **out)
{
    const char *key = call_text(ev, args->items[0], "");
    *out = json_object_get(map, key);
    if (*out)
        return NULL;
    TRY(take_in(ev, args->count > 1 ? args->items[1] : json_null(), out));
    if (json_is_array(*out) || json_is_object(*out))
        pool_mark(ev->pool, *out)->own = true;
    json_object_set(map, key, *out);
    return NULL;
}

static const struct {
    const char *name;
    bool of_map;
    size_t least, most;
    struct err *(*apply)(struct eval *ev, json_t *object, const struct arguments *args, json_t **out);
} methods[] = {
    {"append", false, 1, 1, list_append},   {"extend", false, 1, 1, list_extend},
    {"insert", false, 2, 2, list_insert},   {"pop", false, 0, 1, list_pop},
    {"remove", false, 1, 1, list_remove},   {"sort", false, 0, 0, list_sort},
    {"reverse", false, 0, 0, list_reverse}, {"clear", false, 0, 0, clear},
    {"clear", true, 0, 0, clear},           {"update", true, 0, 1, map_update},
    {"pop", true, 1, 2, map_pop},           {"setdefault", true, 1, 2, map_setdefault},
};

struct err *method_change(struct eval *ev, json_t *object, const char *name, const struct arguments *args,
                          bool *known, json_t **out)
{
    size_t i = 0, count = sizeof(methods) / sizeof(*methods);
    while (i < count && (strcmp(methods[i].name, name) != 0 || methods[i].of_map != json_is_object(object)))
        i++;
    const struct mark *mark = pool_find(ev->pool, object);
    *known = i < count;
    if (!*known)
        return NULL;
    if (!mark || !mark->own)
        return err_with_hint(
            err_new(ERR_INPUT, "%s() would change a variable of the playbook in place", name),
            "start from a copy of the template's own: {%% set x = value | list %%}, | combine or "
            "namespace()");
    if (args->count < methods[i].least || args->count > methods[i].most)
        return err_new(ERR_INPUT, "%s() got %zu arguments", name, args->count);
    bool is_quick = methods[i].apply == list_append || methods[i].apply == map_update;
    TRY(pool_spend(ev->pool, 64 + (is_quick ? 0 : json_array_size(object) + json_object_size(object))));
    return methods[i].apply(ev, object, args, out);
}
