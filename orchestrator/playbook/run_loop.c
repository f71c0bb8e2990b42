/* loop and the with_ forms. Source: "Loops" and "Migrating from with_X to loop" of the Ansible documentation.
 */
#include "base/decode.h"
#include "base/hash.h"
#include "playbook/run.h"
#include <stdlib.h>
#include <string.h>

#define MAX_ITEMS 10000
#define MAX_LABEL_BYTES 300
#define MAX_PAUSE_S 86400

static json_t *as_list(const json_t *value)
{
    return json_is_array(value) ? json_incref((json_t *)(uintptr_t)value) : json_pack("[O]", value);
}

json_t *loop_flatten(const json_t *value, bool deep)
{
    json_t *flat = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        if (json_is_array(item)) {
            json_t *inner = deep ? loop_flatten(item, true) : json_incref(item);
            json_array_extend(flat, inner);
            json_decref(inner);
        } else {
            json_array_append(flat, item);
        }
    }
    return flat;
}

static json_t *pairs_of(const json_t *map)
{
    json_t *pairs = json_array();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
        json_array_append_new(pairs, json_pack("{s:s, s:O}", "key", key, "value", value));
    return pairs;
}

static json_t *indexed(const json_t *list)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) json_array_append_new(out, json_pack("[I, O]", (json_int_t)i, item));
    return out;
}

static json_t *together(const json_t *lists)
{
    json_t *out = json_array();
    size_t longest = 0, i;
    json_t *list;
    json_array_foreach(lists, i, list) longest =
        json_array_size(list) > longest ? json_array_size(list) : longest;
    for (size_t row = 0; row < longest; row++) {
        json_t *tuple = json_array();
        json_array_foreach(lists, i, list)
        {
            json_t *item = json_array_get(list, row);
            if (item)
                json_array_append(tuple, item);
            else
                json_array_append_new(tuple, json_null());
        }
        json_array_append_new(out, tuple);
    }
    return out;
}

/* Dots in the key lead deeper. */
static json_t *value_below(const json_t *map, const char *key)
{
    for (;;) {
        size_t length = strcspn(key, ".");
        char name[256];
        if (length >= sizeof(name))
            return NULL;
        memcpy(name, key, length);
        name[length] = '\0';
        json_t *value = json_object_get(map, name);
        if (!value || !key[length])
            return value;
        map = value;
        key += length + 1;
    }
}

static bool skips_missing(const json_t *options)
{
    bool skip = false;
    const json_t *flag = json_object_get(options, "skip_missing");
    return flag && value_as_flag(flag, &skip) && skip;
}

struct err *loop_subelements(struct job *job, const json_t *terms, json_t **items)
{
    const json_t *list = json_array_get(terms, 0);
    const char *key = json_string_value(json_array_get(terms, 1));
    bool skip = skips_missing(json_array_get(terms, 2));
    if (!(json_is_array(list) || json_is_object(list)) || !key)
        return entry_error(job->entry, "'with_subelements' needs a list of maps and the name of a key");
    json_t *values = NULL;
    CLEANUP_JSON json_t *out = json_array(), *all = json_array();
    const char *name;
    size_t i, k;
    json_array_foreach(list, i, values) json_array_append(all, values);
    json_object_foreach((json_t *)(uintptr_t)list, name, values) json_array_append(all, values);
    json_array_foreach(all, i, values)
    {
        const json_t *below = value_below(values, key);
        if (json_is_true(json_object_get(values, "skipped")))
            continue;
        if (!json_is_array(below) && skip)
            continue;
        if (!json_is_array(below))
            return err_with_hint(
                entry_error(job->entry, "'with_subelements': item %zu has no list '%s'", i + 1, key),
                "pass over it with the option skip_missing: true");
        CLEANUP_JSON json_t *rest = json_copy(values);
        json_object_del(rest, key);
        json_t *item;
        json_array_foreach(below, k, item) json_array_append_new(out, json_pack("[O, O]", rest, item));
    }
    *items = TAKE(out);
    return NULL;
}

static struct err *sequence(struct job *job, const json_t *terms, json_t **items)
{
    CLEANUP_JSON json_t *out = json_array();
    size_t i;
    const json_t *term;
    json_array_foreach(terms, i, term) TRY(loop_sequence(job, expr_value_text(job->arena, term), out));
    *items = TAKE(out);
    return NULL;
}

static json_t *random_choice(struct arena *arena, const json_t *list)
{
    size_t count = json_array_size(list);
    if (!count)
        return json_array();
    const char *digits = hash_random_id(arena, 12);
    size_t n = 0;
    for (; *digits; digits++)
        n = n * 36 + (size_t)(unsigned char)*digits;
    return json_pack("[O]", json_array_get(list, n % count));
}

/* A list of maps counts as one map, as in Ansible. */
static json_t *joined_maps(const json_t *value)
{
    json_t *all = json_object(), *one;
    size_t i;
    json_array_foreach(value, i, one) json_object_update(all, one);
    return all;
}

/* with_PLUGIN is the lookup of that name. */
static struct err *by_lookup(struct run *run, struct job *job, enum keyword keyword, const json_t *value,
                             json_t **items)
{
    CLEANUP_JSON json_t *none = json_object();
    CLEANUP_JSON json_t *terms = as_list(value);
    const json_t *first = json_array_get(terms, 0);
    const json_t *options = json_is_object(first) ? first : none;
    const char *plugin = keyword_spec(keyword)->name + strlen("with_");
    return lookup_for_loop(run, job, plugin, terms, options, items);
}

/* As Ansible: a file whose name is undefined is passed over, and so is a map that holds such a name. */
static struct err *render_candidates(struct job *job, const struct expr_env *env,
                                     const struct expr_place *place, const json_t *written, json_t **value)
{
    CLEANUP_JSON json_t *candidates = json_array();
    CLEANUP_JSON json_t *terms = as_list(written);
    size_t i;
    const json_t *term;
    json_array_foreach(terms, i, term)
    {
        json_t *rendered;
        struct err *e = template_render_json(job->arena, env, place, term, &rendered);
        if (e && err_kind(e) != ERR_INPUT)
            return e;
        if (!e && json_is_array(rendered))
            json_array_extend(candidates, rendered);
        else if (!e)
            json_array_append(candidates, rendered);
        if (!e)
            json_decref(rendered);
        err_free(e);
    }
    *value = TAKE(candidates);
    return NULL;
}

static struct err *shape(struct run *run, struct job *job, enum keyword keyword, const json_t *value,
                         json_t **items)
{
    CLEANUP_JSON json_t *list = NULL;
    switch (keyword) {
    case KW_LOOP:
    case KW_WITH_LIST:
        if (!json_is_array(value))
            return err_with_hint(entry_error(job->entry, "'%s' needs a list", keyword_spec(keyword)->name),
                                 "to go through a map, use dict2items");
        *items = json_incref((json_t *)(uintptr_t)value);
        return NULL;
    case KW_WITH_DICT:
        if (!json_is_object(value) && !json_is_array(value))
            return entry_error(job->entry, "'with_dict' needs a map");
        list = json_is_array(value) ? joined_maps(value) : json_incref((json_t *)(uintptr_t)value);
        *items = pairs_of(list);
        return NULL;
    case KW_WITH_SUBELEMENTS:
        return loop_subelements(job, value, items);
    case KW_WITH_FIRST_FOUND:
    case KW_WITH_FILEGLOB:
    case KW_WITH_NESTED:
    case KW_WITH_CARTESIAN:
    case KW_WITH_FILE:
    case KW_WITH_LINES:
    case KW_WITH_ENV:
        return by_lookup(run, job, keyword, value, items);
    default:
        break;
    }
    list = as_list(value);
    if (keyword == KW_WITH_SEQUENCE)
        return sequence(job, list, items);
    if (keyword == KW_WITH_RANDOM_CHOICE) {
        *items = random_choice(job->arena, list);
        return NULL;
    }
    *items = keyword == KW_WITH_INDEXED_ITEMS ? indexed(list)
             : keyword == KW_WITH_TOGETHER    ? together(list)
                                              : loop_flatten(list, keyword == KW_WITH_FLATTENED);
    return NULL;
}

struct err *loop_items(struct run *run, struct job *job, json_t **items)
{
    *items = NULL;
    for (enum keyword keyword = KW_LOOP; keyword <= KW_WITH_ENV; keyword++) {
        const json_t *written = keyword == KW_LOOP_CONTROL ? NULL : job->entry->keywords[keyword];
        if (!written)
            continue;
        struct expr_env env = run_env(run, job, job->scope);
        struct expr_place place = entry_place(job->entry, keyword);
        CLEANUP_JSON json_t *value = NULL;
        if (json_is_string(written) && !template_is_template(json_string_value(written)) &&
            keyword == KW_WITH_DICT)
            TRY(expr_evaluate(job->arena, &env, &place, json_string_value(written), &value));
        else if (keyword == KW_WITH_FIRST_FOUND)
            TRY(render_candidates(job, &env, &place, written, &value));
        else
            TRY(template_render_json(job->arena, &env, &place, written, &value));
        TRY(shape(run, job, keyword, value, items));
        if (json_array_size(*items) <= MAX_ITEMS)
            return NULL;
        json_decref(*items);
        return entry_error(job->entry, "a loop has at most %d items", MAX_ITEMS);
    }
    return NULL;
}

static const char *control(const struct job *job, const char *key)
{
    return json_string_value(json_object_get(job->entry->keywords[KW_LOOP_CONTROL], key));
}

static json_t *loop_state(const json_t *items, size_t index)
{
    json_int_t count = (json_int_t)json_array_size(items), i = (json_int_t)index;
    json_t *state = json_pack("{s:O, s:I, s:I, s:I, s:I, s:b, s:b, s:I}", "allitems", items, "index", i + 1,
                              "index0", i, "revindex", count - i, "revindex0", count - i - 1, "first", i == 0,
                              "last", i == count - 1, "length", count);
    if (index > 0)
        json_object_set(state, "previtem", json_array_get(items, index - 1));
    if (i + 1 < count)
        json_object_set(state, "nextitem", json_array_get(items, index + 1));
    return state;
}

struct err *loop_variables(struct run *run, struct job *job, const json_t *items, size_t index, json_t **vars,
                           const char **label)
{
    const char *name = control(job, "loop_var") ? control(job, "loop_var") : "item";
    json_t *item = json_array_get(items, index);
    *vars = json_keep(job->arena, json_pack("{s:O, s:s}", name, item, "ansible_loop_var", name));
    if (control(job, "index_var")) {
        json_object_set_new(*vars, control(job, "index_var"), json_integer((json_int_t)index));
        json_object_set_new(*vars, "ansible_index_var", json_string(control(job, "index_var")));
    }
    const json_t *extended = json_object_get(job->entry->keywords[KW_LOOP_CONTROL], "extended");
    if (extended && expr_value_is_true(extended))
        json_object_set_new(*vars, "ansible_loop", loop_state(items, index));
    const char *written = control(job, "label");
    *label = expr_value_text(job->arena, item);
    if (written) {
        struct expr_env env = run_env(run, job, scope_with(job->arena, job->scope, *vars, true));
        struct expr_place place = entry_place(job->entry, KW_LOOP_CONTROL);
        CLEANUP_JSON json_t *text = NULL;
        TRY(template_render(job->arena, &env, &place, written, &text));
        *label = expr_value_text(job->arena, text);
    }
    if (strlen(*label) > MAX_LABEL_BYTES) {
        int length = MAX_LABEL_BYTES;
        while (length && ((*label)[length] & 0xc0) == 0x80) /* not in the middle of a character */
            length--;
        *label = arena_printf(job->arena, "%.*s...", length, *label);
    }
    return NULL;
}

struct err *loop_pause(struct run *run, struct job *job, int64_t *pause_ms)
{
    const json_t *written = json_object_get(job->entry->keywords[KW_LOOP_CONTROL], "pause");
    *pause_ms = 0;
    if (!written)
        return NULL;
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = entry_place(job->entry, KW_LOOP_CONTROL);
    CLEANUP_JSON json_t *value = NULL;
    TRY(template_render_json(job->arena, &env, &place, written, &value));
    char *end;
    double seconds = strtod(expr_value_text(job->arena, value), &end);
    if (*end || !(seconds >= 0 && seconds <= MAX_PAUSE_S))
        return entry_error(job->entry, "'pause' must be a number of seconds up to %d", MAX_PAUSE_S);
    *pause_ms = (int64_t)(seconds * 1000);
    return NULL;
}
