#include "playbook/value.h"
#include <string.h>

#define MAX_BYTES (128u << 20)
#define VALUE_COST 64 /* bytes that a small value takes, about */

void pool_init(struct pool *pool)
{
    *pool = (struct pool){.arena = arena_new((size_t)1 << 30), .kept = json_array()};
}

void pool_free(struct pool *pool)
{
    json_decref(pool->kept);
    arena_free(pool->arena);
}

static size_t slot_of(const struct mark *marks, size_t capacity, const json_t *value)
{
    size_t slot = ((uintptr_t)value >> 4) * 0x9e3779b97f4a7c15u >> 20 & (capacity - 1);
    while (marks[slot].value && marks[slot].value != value)
        slot = (slot + 1) & (capacity - 1);
    return slot;
}

static void grow_marks(struct pool *pool)
{
    size_t capacity = pool->mark_capacity ? 2 * pool->mark_capacity : 64;
    struct mark *marks = arena_array(pool->arena, capacity, sizeof(*marks));
    for (size_t i = 0; i < pool->mark_capacity; i++)
        if (pool->marks[i].value)
            marks[slot_of(marks, capacity, pool->marks[i].value)] = pool->marks[i];
    pool->marks = marks;
    pool->mark_capacity = capacity;
}

const struct mark *pool_find(const struct pool *pool, const json_t *value)
{
    if (!pool || pool->mark_count == 0)
        return NULL;
    const struct mark *mark = &pool->marks[slot_of(pool->marks, pool->mark_capacity, value)];
    return mark->value ? mark : NULL;
}

struct mark *pool_mark(struct pool *pool, const json_t *value)
{
    if (2 * pool->mark_count >= pool->mark_capacity)
        grow_marks(pool);
    struct mark *mark = &pool->marks[slot_of(pool->marks, pool->mark_capacity, value)];
    if (!mark->value) {
        mark->value = value;
        pool->mark_count++;
    }
    return mark;
}

enum mark_kind pool_kind(const struct pool *pool, const json_t *value)
{
    const struct mark *mark = pool_find(pool, value);
    return mark ? mark->kind : MARK_NONE;
}

struct err *pool_spend(struct pool *pool, size_t bytes)
{
    pool->spent_bytes += bytes;
    if (pool->spent_bytes <= MAX_BYTES)
        return NULL;
    return err_new(ERR_INPUT, "the template makes more than %u MiB of values", MAX_BYTES >> 20);
}

static bool is_container(const json_t *value)
{
    return json_is_array(value) || json_is_object(value);
}

/* How deep a container nests. Measured once for each, so that a loop which wraps a value again and again
 * cannot build one whose release would exhaust the stack. Gives up beyond the maximum. */
static int measure_depth(struct pool *pool, const json_t *value, int level)
{
    if (!is_container(value))
        return 0;
    const struct mark *known = pool_find(pool, value);
    if (known && known->depth)
        return known->depth;
    if (level > VALUE_MAX_DEPTH)
        return VALUE_MAX_DEPTH + 1;
    int deepest = 0;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            int depth = measure_depth(pool, json_array_get(value, i), level + 1);
            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        const char *key;
        json_t *item;
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            int depth = measure_depth(pool, item, level + 1);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    pool_mark(pool, value)->depth = deepest + 1;
    return deepest + 1;
}

static size_t cost_of(const json_t *value)
{
    if (json_is_string(value))
        return VALUE_COST + json_string_length(value);
    if (json_is_array(value))
        return 2 * VALUE_COST + 16 * json_array_size(value);
    if (json_is_object(value))
        return 4 * VALUE_COST + 64 * json_object_size(value);
    return VALUE_COST;
}

struct err *pool_keep(struct pool *pool, json_t *fresh, json_t **out)
{
    if (!fresh)
        return err_new(ERR_INPUT, "the result is not valid UTF-8 text");
    json_array_append_new(pool->kept, fresh);
    *out = fresh;
    TRY(pool_spend(pool, cost_of(fresh)));
    if (measure_depth(pool, fresh, 0) > VALUE_MAX_DEPTH)
        return err_new(ERR_INPUT, "the value is nested more than %d deep", VALUE_MAX_DEPTH);
    return NULL;
}

struct err *pool_text(struct pool *pool, const char *text, size_t length, json_t **out)
{
    if (length > VALUE_MAX_TEXT)
        return err_new(ERR_INPUT, "the text is longer than 16 MiB");
    return pool_keep(pool, json_stringn(text, length), out);
}

struct err *pool_buffer(struct pool *pool, const struct strbuf *sb, json_t **out)
{
    TRY(strbuf_check(sb, "the rendered text"));
    return pool_text(pool, sb->data, sb->length, out);
}

struct err *pool_integer(struct pool *pool, json_int_t number, json_t **out)
{
    return pool_keep(pool, json_integer(number), out);
}

struct err *pool_real(struct pool *pool, double number, json_t **out)
{
    json_t *value = json_real(number);
    if (!value)
        return err_new(ERR_INPUT, "the result is not a finite number");
    return pool_keep(pool, value, out);
}

json_t *pool_bool(bool truth)
{
    return truth ? json_true() : json_false();
}
