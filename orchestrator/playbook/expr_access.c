/* Attributes, subscripts and slices. */
#include "playbook/filter.h"
#include <string.h>

struct err *eval_attribute(struct eval *ev, json_t *object, const char *name, const struct expr_node *at,
                           json_t **out)
{
    const struct mark *mark = pool_find(ev->pool, object);
    if (mark && mark->kind == MARK_UNDEFINED) { /* a.b.c | default(x) works when a is undefined */
        *out = object;
        return NULL;
    }
    if (mark && mark->members) { /* namespace, module, macro */
        *out = json_object_get(mark->members, name);
        return *out ? NULL
                    : eval_undefined(ev, out, name, mark->members, "'%s' is undefined: it has no '%s'",
                                     eval_path(ev, at), name);
    }
    if (!json_is_object(object))
        return eval_undefined(ev, out, NULL, NULL, "'%s' is undefined: %s has no attribute '%s'",
                              eval_path(ev, at), value_type_name(object), name);
    if (method_is_map_method(name))
        return err_with_hint(err_new(ERR_INPUT, "'%s': '%s' is a method of maps", eval_path(ev, at), name),
                             "write ['%s'] for the entry or %s() for the method", name, name);
    *out = json_object_get(object, name);
    if (*out)
        return NULL;
    return eval_undefined(ev, out, name, object, "'%s' is undefined: the map has no '%s'", eval_path(ev, at),
                          name);
}

static struct err *character_at(struct eval *ev, const json_t *object, json_int_t index, json_t **out)
{
    const char *text = json_string_value(object);
    size_t length = json_string_length(object);
    size_t from = text_offset(text, length, (size_t)index), to = text_offset(text, length, (size_t)index + 1);
    return pool_text(ev->pool, text + from, to - from, out);
}

static struct err *item_at(struct eval *ev, json_t *object, json_int_t index, const struct expr_node *at,
                           json_t **out)
{
    json_int_t count = (json_int_t)(json_is_array(object)
                                        ? json_array_size(object)
                                        : text_count(json_string_value(object), json_string_length(object)));
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return eval_undefined(ev, out, NULL, NULL, "'%s' is undefined: %s of %lld has no such element",
                              eval_path(ev, at), json_is_array(object) ? "a list" : "text", (long long)count);
    if (!json_is_array(object))
        return character_at(ev, object, index, out);
    *out = json_array_get(object, (size_t)index);
    return NULL;
}

struct err *eval_item(struct eval *ev, json_t *object, const json_t *index, const struct expr_node *at,
                      json_t **out)
{
    if (eval_is_undefined(ev, object)) {
        *out = object;
        return NULL;
    }
    if ((json_is_array(object) || json_is_string(object)) && value_is_int(index))
        return item_at(ev, object, value_integer(index), at, out);
    if (json_is_object(object) && !json_is_array(index) && !json_is_object(index)) {
        const char *key = call_text(ev, index, "");
        *out = json_object_get(object, key);
        return *out ? NULL
                    : eval_undefined(ev, out, key, object, "'%s' is undefined: the map has no '%s'",
                                     eval_path(ev, at), key);
    }
    return eval_undefined(ev, out, NULL, NULL, "'%s' is undefined: %s has no such element", eval_path(ev, at),
                          value_type_name(object));
}

/* Where Python puts a slice's end: negative counts from the end, and beyond the ends is the end. */
static struct err *slice_bound(const json_t *part, json_int_t count, bool backwards, json_int_t absent,
                               json_int_t *bound)
{
    json_int_t low = backwards ? -1 : 0, high = backwards ? count - 1 : count;
    *bound = absent;
    if (json_is_null(part))
        return NULL;
    if (!value_is_int(part))
        return err_new(ERR_INPUT, "a slice needs whole numbers, but got %s", value_type_name(part));
    json_int_t n = value_integer(part);
    if (n < 0)
        n = n < -count ? low : n + count;
    *bound = n < low ? low : n > high ? high : n;
    return NULL;
}

/* Text as a list of its characters, or the list itself. */
static struct err *as_list(struct eval *ev, json_t *object, json_t **list)
{
    *list = object;
    if (json_is_array(object))
        return NULL;
    if (!json_is_string(object))
        return err_new(ERR_INPUT, "%s cannot be sliced", value_type_name(object));
    return call_elements(ev, NULL, object, list);
}

struct err *eval_slice(struct eval *ev, json_t *object, json_t *const parts[3], json_t **out)
{
    json_t *list;
    json_int_t from, to, step = json_is_null(parts[2]) ? 1 : value_integer(parts[2]);
    TRY(as_list(ev, object, &list));
    json_int_t count = (json_int_t)json_array_size(list);
    if ((!json_is_null(parts[2]) && !value_is_int(parts[2])) || step == 0)
        return err_new(ERR_INPUT, "a slice's step is a whole number other than zero");
    if (step > count || step < -count)
        step = step > 0 ? count + 1 : -count - 1;
    TRY(slice_bound(parts[0], count, step < 0, step < 0 ? count - 1 : 0, &from));
    TRY(slice_bound(parts[1], count, step < 0, step < 0 ? -1 : count, &to));
    json_t *result = json_array();
    for (json_int_t i = from; step > 0 ? i < to : i > to; i += step)
        json_array_append(result, json_array_get(list, (size_t)i));
    if (json_is_array(object) && pool_kind(ev->pool, object) == MARK_TUPLE)
        return eval_tuple(ev, result, out);
    TRY(pool_keep(ev->pool, result, out));
    if (json_is_array(object))
        return NULL;
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (size_t i = 0; i < json_array_size(result); i++)
        value_add_text(&sb, NULL, json_array_get(result, i));
    return pool_buffer(ev->pool, &sb, out);
}
