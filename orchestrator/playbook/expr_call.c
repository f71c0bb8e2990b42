/* Methods of text, lists and maps, and the global functions. Methods that change their object are refused. */
#include "base/yaml.h"
#include "playbook/filter.h"
#include "playbook/template_render.h"
#include <string.h>

#define MAX_LOOKUP_DEPTH 16
#define MAX_RANGE 100000 /* Jinja's own sandbox has this limit */

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool method_is_map_method(const char *name)
{
    static const char *const names[] = {"items", "keys", "values", "get",       "update",
                                        "pop",   "copy", "clear",  "setdefault"};
    return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

static struct err *refuse_method(const json_t *object, const char *name)
{
    return err_new(ERR_INPUT, "%s has no method '%s' here", value_type_name(object), name);
}

static struct err *keep_own(struct eval *ev, json_t *fresh, json_t **out)
{
    TRY(pool_keep(ev->pool, fresh, out));
    pool_mark(ev->pool, *out)->own = true;
    return NULL;
}

static struct err *map_method(struct eval *ev, json_t *map, const char *name, const struct arguments *args,
                              json_t **out)
{
    if (strcmp(name, "get") == 0) {
        if (args->count < 1 || args->count > 2)
            return err_new(ERR_INPUT, "get() takes a key and a default");
        json_t *value = json_object_get(map, call_text(ev, args->items[0], ""));
        *out = value ? value : args->count == 2 ? args->items[1] : json_null();
        return NULL;
    }
    if (strcmp(name, "copy") == 0)
        return keep_own(ev, json_copy(map), out);
    bool known;
    TRY(method_change(ev, map, name, args, &known, out));
    if (known)
        return NULL;
    bool items = strcmp(name, "items") == 0, values = strcmp(name, "values") == 0;
    if (!items && !values && strcmp(name, "keys") != 0)
        return refuse_method(map, name);
    const char *key;
    json_t *value;
    json_auto_t *result = json_array(); /* kept when it is complete: its depth is measured then */
    json_object_foreach(map, key, value)
    {
        json_t *pair, *text;
        TRY(pool_text(ev->pool, key, strlen(key), &text));
        if (items)
            TRY(eval_tuple(ev, json_pack("[O, O]", text, value), &pair));
        json_array_append(result, items ? pair : values ? value : text);
    }
    return pool_keep(ev->pool, TAKE(result), out);
}

static struct err *list_method(struct eval *ev, json_t *list, const char *name, const struct arguments *args,
                               json_t **out)
{
    json_int_t count = 0, first = -1;
    bool index = strcmp(name, "index") == 0;
    bool known;
    TRY(method_change(ev, list, name, args, &known, out));
    if (known)
        return NULL;
    if (strcmp(name, "copy") == 0)
        return keep_own(ev, json_copy(list), out);
    if ((!index && strcmp(name, "count") != 0) || args->count != 1)
        return refuse_method(list, name);
    for (size_t i = json_array_size(list); i-- > 0;)
        if (value_equal(json_array_get(list, i), args->items[0])) {
            first = (json_int_t)i;
            count++;
        }
    if (index && first < 0)
        return err_new(ERR_INPUT, "index(): the list does not hold the value");
    return pool_integer(ev->pool, index ? first : count, out);
}

/* Some methods of text do what a filter does; the others have a table of their own. */
static struct err *text_method(struct eval *ev, json_t *text, const char *name, const struct arguments *args,
                               json_t **out)
{
    static const char *const same[] = {"lower", "upper", "title", "capitalize", "split", "replace"};
    const struct filter *method = NULL;
    if (is_one_of(name, same, sizeof(same) / sizeof(*same)))
        method = filter_find(name);
    for (size_t i = 0; !method && i < methods_text.count; i++)
        if (strcmp(methods_text.rows[i].name, name) == 0)
            method = &methods_text.rows[i];
    return method ? filter_call(ev, method, text, args, 0, out) : refuse_method(text, name);
}

struct cycler {
    json_t *items;
    size_t at;
};

static struct err *call_cycler(struct eval *ev, const struct arguments *args, json_t **out)
{
    struct cycler *cycler = ARENA_NEW(ev->pool->arena, struct cycler);
    json_auto_t *items = json_array(), *members = json_object();
    if (args->count == 0)
        return err_new(ERR_INPUT, "cycler() needs at least one item");
    for (size_t i = 0; i < args->count; i++)
        json_array_append(items, args->items[i]);
    json_object_set(members, "current", args->items[0]);
    TRY(pool_keep(ev->pool, TAKE(items), &cycler->items));
    TRY(pool_keep(ev->pool, json_object(), out));
    struct mark *mark = pool_mark(ev->pool, *out);
    mark->kind = MARK_CYCLER;
    mark->data = cycler;
    json_t *kept;
    TRY(pool_keep(ev->pool, TAKE(members), &kept));
    pool_mark(ev->pool, *out)->members = kept;
    return NULL;
}

static struct err *cycler_method(struct eval *ev, json_t *object, const char *name, json_t **out)
{
    const struct mark *mark = pool_find(ev->pool, object);
    struct cycler *cycler = mark->data;
    if (strcmp(name, "next") != 0 && strcmp(name, "reset") != 0)
        return err_new(ERR_INPUT, "a cycler has no method '%s'", name);
    bool next = name[0] == 'n';
    *out = next ? json_array_get(cycler->items, cycler->at) : json_null();
    cycler->at = next ? (cycler->at + 1) % json_array_size(cycler->items) : 0;
    json_object_set(mark->members, "current", json_array_get(cycler->items, cycler->at));
    return NULL;
}

struct err *method_call(struct eval *ev, json_t *object, const char *name, const struct arguments *args,
                        json_t **out)
{
    if (pool_kind(ev->pool, object) == MARK_LOOP)
        return render_loop_method(ev, object, name, args, out);
    enum mark_kind kind = pool_kind(ev->pool, object);
    if (kind == MARK_TIME || kind == MARK_SPAN)
        return time_method(ev, object, name, args, out);
    if (kind == MARK_CYCLER)
        return cycler_method(ev, object, name, out);
    if (json_is_string(object))
        return text_method(ev, object, name, args, out);
    if (args->named && strcmp(name, "update") != 0 && strcmp(name, "sort") != 0)
        return err_new(ERR_INPUT, "'%s' has no argument with a name", name);
    if (json_is_object(object))
        return map_method(ev, object, name, args, out);
    if (json_is_array(object))
        return list_method(ev, object, name, args, out);
    return refuse_method(object, name);
}

static struct err *call_range(struct eval *ev, const struct arguments *args, json_t **out)
{
    json_int_t part[3] = {0, 0, 1};
    if (args->count < 1 || args->count > 3 || args->named)
        return err_new(ERR_INPUT, "range() takes one to three whole numbers");
    for (size_t i = 0; i < args->count; i++) {
        if (!value_is_int(args->items[i]))
            return err_new(ERR_INPUT, "range() takes whole numbers, but got %s",
                           value_type_name(args->items[i]));
        part[args->count == 1 ? 1 : i] = value_integer(args->items[i]);
    }
    if (part[2] == 0)
        return err_new(ERR_INPUT, "range() cannot step by zero");
    json_auto_t *list = json_array();
    for (json_int_t i = part[0]; part[2] > 0 ? i < part[1] : i > part[1];) {
        json_array_append_new(list, json_integer(i));
        if (json_array_size(list) > MAX_RANGE)
            return err_new(ERR_INPUT, "range() gives more than %d numbers", MAX_RANGE);
        if (__builtin_add_overflow(i, part[2], &i))
            break;
    }
    TRY(pool_spend(ev->pool, 64 * json_array_size(list)));
    return pool_keep(ev->pool, TAKE(list), out);
}

/* dict(a=1), dict([['a', 1]]), dict({...}, b=2) */
static struct err *call_dict(struct eval *ev, const struct arguments *args, json_t **out)
{
    json_auto_t *map = json_object();
    if (args->count > 1)
        return err_new(ERR_INPUT, "dict() takes at most one argument without a name");
    const json_t *from = args->count ? args->items[0] : NULL;
    if (json_is_object(from))
        json_object_update(map, (json_t *)(uintptr_t)from);
    else if (from && !json_is_array(from))
        return err_new(ERR_INPUT, "dict() takes a map or a list of pairs, but got %s", value_type_name(from));
    for (size_t i = 0; json_is_array(from) && i < json_array_size(from); i++) {
        json_t *pair = json_array_get(from, i);
        if (json_array_size(pair) != 2)
            return err_new(ERR_INPUT, "dict() takes a list of pairs");
        json_object_set(map, call_text(ev, json_array_get(pair, 0), ""), json_array_get(pair, 1));
    }
    if (args->named)
        json_object_update(map, args->named);
    return keep_own(ev, TAKE(map), out);
}

static struct err *call_namespace(struct eval *ev, const struct arguments *args, json_t **out)
{
    json_t *members;
    TRY(call_dict(ev, args, &members));
    TRY(pool_keep(ev->pool, json_object(), out));
    struct mark *mark = pool_mark(ev->pool, *out);
    mark->kind = MARK_NAMESPACE;
    mark->members = members;
    return NULL;
}

static struct err *call_undef(struct eval *ev, const struct arguments *args, json_t **out)
{
    const json_t *hint = args->count   ? args->items[0]
                         : args->named ? json_object_get(args->named, "hint")
                                       : NULL;
    return eval_undefined(ev, out, NULL, NULL, "%s",
                          call_text(ev, hint, "a mandatory variable has not been set"));
}

/* Of several results lookup() makes one text, joined by commas, unless they are not all text. */
static struct err *one_result(struct eval *ev, json_t *results, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *item = json_array_get(results, i);
        if (!json_is_string(item)) {
            *out = json_array_size(results) == 1 ? json_array_get(results, 0) : results;
            return NULL;
        }
        strbuf_adds(&sb, i ? "," : "");
        strbuf_add(&sb, json_string_value(item), json_string_length(item));
    }
    return json_array_size(results) ? pool_buffer(ev->pool, &sb, out) : (*out = results, NULL);
}

static const char *const lookups[] = {"file",          "unvault",   "template",      "env",        "vars",
                                      "varnames",      "fileglob",  "first_found",   "pipe",       "lines",
                                      "password",      "ini",       "csvfile",       "sequence",   "list",
                                      "dict",          "flattened", "nested",        "items",      "together",
                                      "indexed_items", "cartesian", "random_choice", "subelements"};
/* Those for which a list is one argument; for others it is several. */
static const char *const structural[] = {"list",        "dict",         "flattened", "nested",
                                         "cartesian",   "items",        "together",  "indexed_items",
                                         "subelements", "random_choice"};

static const char *lookup_short_name(const char *name)
{
    return strncmp(name, "ansible.builtin.", 16) == 0     ? name + 16
           : strncmp(name, "community.general.", 18) == 0 ? name + 18
                                                          : name;
}

bool lookup_exists(const char *name)
{
    return is_one_of(lookup_short_name(name), lookups, sizeof(lookups) / sizeof(*lookups));
}

struct err *lookup_unknown(const char *name)
{
    const char *near = yaml_nearest(lookup_short_name(name), lookups, sizeof(lookups) / sizeof(*lookups));
    struct err *e = err_new(ERR_INPUT, "unknown lookup '%s'", name);
    return near ? err_with_hint(e, "did you mean '%s'?", near)
                : err_with_hint(e,
                                "known are, among others: env, file, fileglob, first_found, template, vars");
}

static struct err *run_lookup(struct eval *ev, const struct arguments *args, json_t *options,
                              json_t **results)
{
    json_auto_t *terms = json_array();
    json_t *fresh = NULL;
    const char *plugin = lookup_short_name(json_string_value(args->items[0]));
    bool spread = !is_one_of(plugin, structural, sizeof(structural) / sizeof(*structural));
    for (size_t i = 1; i < args->count; i++) {
        TRY(eval_require_deep(ev, args->items[i]));
        if (spread && json_is_array(args->items[i]))
            json_array_extend(terms, args->items[i]);
        else
            json_array_append(terms, args->items[i]);
    }
    struct expr_env inner = *ev->env;
    if (++inner.lookup_depth > MAX_LOOKUP_DEPTH)
        return err_new(ERR_INPUT, "lookups nested more than %d deep", MAX_LOOKUP_DEPTH);
    struct err *e = inner.lookup(ev->pool->arena, &inner, ev->place, plugin, terms, options, &fresh);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* inside the engine that kind means an undefined value */
        e = err_with_kind(e, ERR_INPUT);
    if (e)
        return err_wrap(e, "lookup '%s'", plugin);
    return pool_keep(ev->pool, fresh, results);
}

/* A template that is not to be read back stays text in what is around the lookup, too. */
static bool stays_text(const struct arguments *args, const json_t *options)
{
    const json_t *convert = json_object_get(options, "convert_data");
    return convert && !value_true(convert) &&
           strcmp(lookup_short_name(json_string_value(args->items[0])), "template") == 0;
}

/* Some give Python's tuples, which are written with ( and ). */
static void mark_tuples(struct eval *ev, const struct arguments *args, const json_t *results)
{
    const char *plugin = lookup_short_name(json_string_value(args->items[0]));
    size_t i;
    json_t *item;
    if (strcmp(plugin, "indexed_items") == 0 || strcmp(plugin, "subelements") == 0)
        json_array_foreach(results, i, item) pool_mark(ev->pool, item)->kind = MARK_TUPLE;
}

static struct err *call_lookup(struct eval *ev, const struct arguments *args, bool query, json_t **out)
{
    json_t *options, *results;
    if (!ev->env->lookup)
        return err_new(ERR_INPUT, "lookups are not possible here");
    if (args->count == 0 || !json_is_string(args->items[0]))
        return err_new(ERR_INPUT, "lookup() needs the name of a lookup plugin");
    TRY(pool_keep(ev->pool, json_object(), &options));
    if (args->named)
        json_object_update(options, args->named);
    const json_t *want = json_object_get(options, "wantlist");
    bool want_list = query || (want && value_true(want));
    const json_t *errors = json_object_get(options, "errors");
    bool ignore = json_is_string(errors) && strcmp(json_string_value(errors), "strict") != 0;
    json_object_del(options, "wantlist");
    json_object_del(options, "errors");
    struct err *e = run_lookup(ev, args, options, &results);
    if (e && ignore) {
        err_free(e);
        return want_list ? pool_keep(ev->pool, json_array(), out) : (*out = json_null(), NULL);
    }
    TRY(e);
    if (!json_is_array(results)) {
        *out = results;
        return want_list ? pool_keep(ev->pool, json_pack("[O]", results), out) : NULL;
    }
    *out = results;
    mark_tuples(ev, args, results);
    if (want_list)
        return NULL;
    TRY(one_result(ev, results, out));
    if (json_is_string(*out) && stays_text(args, options))
        pool_mark(ev->pool, *out)->kind = MARK_TEXT;
    return NULL;
}

static const char *const functions[] = {"range",     "dict", "lookup", "query",  "q",
                                        "namespace", "now",  "undef",  "cycler", "joiner"};

bool function_exists(const char *name)
{
    return is_one_of(name, functions, sizeof(functions) / sizeof(*functions));
}

struct err *function_unknown(const char *name)
{
    const char *near = yaml_nearest(name, functions, sizeof(functions) / sizeof(*functions));
    struct err *e = err_new(ERR_INPUT, "unknown function '%s'", name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

struct err *function_call(struct eval *ev, const char *name, const struct arguments *args, json_t **out)
{
    if (strcmp(name, "range") == 0)
        return call_range(ev, args, out);
    if (strcmp(name, "dict") == 0)
        return call_dict(ev, args, out);
    if (strcmp(name, "namespace") == 0)
        return call_namespace(ev, args, out);
    if (strcmp(name, "now") == 0)
        return time_now(ev, args, out);
    if (strcmp(name, "undef") == 0)
        return call_undef(ev, args, out);
    if (strcmp(name, "cycler") == 0)
        return call_cycler(ev, args, out);
    if (strcmp(name, "joiner") == 0)
        return eval_joiner(ev, args->count ? args->items[0] : NULL, out);
    return call_lookup(ev, args, strcmp(name, "lookup") != 0, out);
}
