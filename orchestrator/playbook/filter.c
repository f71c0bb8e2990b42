/* Finds filters and tests by name, binds arguments to parameters, and helps the filters to read them. */
#include "playbook/filter.h"
#include "base/yaml.h"
#include "playbook/modules.h"
#include <string.h>

const struct filter_table *const filter_tables[] = {
    &filters_text, &filters_list,    &filters_select, &filters_data, &filters_regex,
    &filters_path, &filters_random,  &filters_time,   &filters_url,  &filters_local,
    &filters_wrap, &filters_arrange, &filters_convert};
const struct filter_table *const test_tables[] = {&tests_value, &tests_result, &tests_url, &tests_local};
const size_t filter_table_count = sizeof(filter_tables) / sizeof(*filter_tables),
             test_table_count = sizeof(test_tables) / sizeof(*test_tables);
static const struct filter_table *const community[] = {&filters_community};

/* Filters and tests of Jinja: they have no name with a collection in front, unlike Ansible's own. */
static bool is_jinjas_own(const char *name)
{
    static const char names[] =
        "abs batch capitalize center count d default dictsort e escape first float format groupby "
        "indent int items join last length list lower map max min reject rejectattr replace reverse "
        "round select selectattr sort string sum title tojson trim truncate upper wordcount defined "
        "undefined none true false boolean number integer mapping iterable sequence even odd "
        "divisibleby eq ne lt le gt ge equalto sameas in lessthan greaterthan slice wordwrap "
        "striptags xmlattr filesizeformat attr safe forceescape random escaped filter test";
    return word_in(names, name);
}

static const struct filter *find(const struct filter_table *const *tables, size_t count, const char *name)
{
    static const char prefix[] = "ansible.builtin.";
    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0) {
        name += sizeof(prefix) - 1;
        if (is_jinjas_own(name))
            return NULL;
    }
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            if (strcmp(tables[t]->rows[i].name, name) == 0)
                return &tables[t]->rows[i];
    return NULL;
}

const struct filter *filter_find(const char *name)
{
    static const char prefix[] = "community.general.";
    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
        return find(community, 1, name + sizeof(prefix) - 1);
    return find(filter_tables, filter_table_count, name);
}

const struct filter *filter_find_test(const char *name)
{
    return find(test_tables, test_table_count, name);
}

struct err *filter_unknown(const char *kind, const char *name, bool test)
{
    const struct filter_table *const *tables = test ? test_tables : filter_tables;
    size_t table_count = test ? test_table_count : filter_table_count, count = 0;
    const char *names[256];
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t]->count && count < 256; i++)
            names[count++] = tables[t]->rows[i].name;
    const char *last_dot = strrchr(name, '.');
    const char *near = yaml_nearest(last_dot ? last_dot + 1 : name, names, count);
    struct err *e = err_new(ERR_INPUT, "unknown %s '%s'", kind, name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

static int param_index(const struct filter *filter, const char *name)
{
    for (int i = 0; i < FILTER_MAX_PARAMS && filter->params[i]; i++)
        if (strcmp(filter->params[i], name) == 0)
            return i;
    return -1;
}

static struct err *bind_named(struct eval *ev, const struct filter *filter, const struct arguments *args,
                              struct call *call)
{
    const char *name;
    json_t *value;
    if (filter->flags & FILTER_VARIADIC)
        TRY(pool_keep(ev->pool, json_object(), &call->named));
    json_object_foreach(args->named, name, value)
    {
        int index = param_index(filter, name);
        if (index < 0 && call->named) {
            json_object_set(call->named, name, value);
            continue;
        }
        if (index < 0) {
            struct err *e = err_new(ERR_INPUT, "'%s' has no argument '%s'", filter->name, name);
            size_t count = 0;
            while (count < FILTER_MAX_PARAMS && filter->params[count])
                count++;
            const char *near = yaml_nearest(name, filter->params, count);
            return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
        }
        if (call->arg[index])
            return err_new(ERR_INPUT, "'%s' got its argument '%s' twice", filter->name, name);
        call->arg[index] = value;
    }
    return NULL;
}

static struct err *bind(struct eval *ev, const struct filter *filter, const struct arguments *args,
                        size_t skip, struct call *call)
{
    size_t count = args->count - skip;
    if (filter->flags & FILTER_VARIADIC) {
        call->rest = args->items ? args->items + skip : NULL;
        call->rest_count = count;
    } else {
        for (size_t i = 0; i < count; i++) {
            if (i >= FILTER_MAX_PARAMS || !filter->params[i])
                return err_new(ERR_INPUT, "'%s' got %zu arguments, more than it takes", filter->name, count);
            call->arg[i] = args->items[skip + i];
        }
    }
    TRY(bind_named(ev, filter, args, call));
    for (int i = 0; i < filter->required; i++)
        if (filter->flags & FILTER_VARIADIC ? (size_t)i >= call->rest_count : !call->arg[i])
            return err_new(ERR_INPUT, "'%s' needs %s", filter->name,
                           filter->params[i] ? filter->params[i] : "an argument");
    return NULL;
}

static bool is_in(const struct filter *filter, const struct filter_table *table)
{
    return filter >= table->rows && filter < table->rows + table->count;
}

/* Filters on lists may meet undefined elements and sort them out; the others would write them out as text. */
static struct err *require_all(struct eval *ev, const struct filter *filter, const struct call *call)
{
    bool shallow =
        is_in(filter, &filters_list) || is_in(filter, &filters_select) || is_in(filter, &tests_value);
    TRY(shallow ? eval_require(ev, call->input) : eval_require_deep(ev, call->input));
    for (int i = 0; i < FILTER_MAX_PARAMS; i++)
        if (call->arg[i])
            TRY(eval_require(ev, call->arg[i]));
    for (size_t i = 0; i < call->rest_count; i++)
        TRY(eval_require(ev, call->rest[i]));
    return NULL;
}

struct err *filter_call(struct eval *ev, const struct filter *filter, json_t *input,
                        const struct arguments *args, size_t skip, json_t **out)
{
    struct call call = {.name = filter->name, .input = input};
    TRY(pool_spend(ev->pool, 64));
    TRY(bind(ev, filter, args, skip, &call));
    if (!(filter->flags & FILTER_UNDEFINED))
        TRY(require_all(ev, filter, &call));
    if ((filter->flags & FILTER_ON_TEXT) && !json_is_string(input))
        return call_wrong(&call, "text");
    TRY(filter->apply(ev, &call, out));
    if (!(filter->flags & FILTER_TEXT) || !json_is_string(*out))
        return NULL;
    TRY(pool_text(ev->pool, json_string_value(*out), json_string_length(*out),
                  out)); /* the mark must not stick to the input */
    pool_mark(ev->pool, *out)->kind = MARK_TEXT;
    return NULL;
}

struct err *filter_call_test(struct eval *ev, const struct filter *test, json_t *input,
                             const struct arguments *args, size_t skip, bool *truth)
{
    json_t *value;
    TRY(filter_call(ev, test, input, args, skip, &value));
    *truth = value_true(value);
    return NULL;
}

const char *call_text(struct eval *ev, const json_t *value, const char *fallback)
{
    if (!value)
        return fallback;
    if (json_is_string(value))
        return json_string_value(value);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    value_add_text(&sb, ev->pool, value);
    json_t *text;
    CLEANUP_ERR struct err *e = pool_buffer(ev->pool, &sb, &text);
    return e ? fallback : json_string_value(text);
}

struct err *call_int(const struct call *call, int index, json_int_t fallback, json_int_t *number)
{
    const json_t *value = call->arg[index];
    *number = fallback;
    if (!value || json_is_null(value))
        return NULL;
    if (!value_is_int(value))
        return err_new(ERR_INPUT, "'%s' needs a whole number, but got %s", call->name,
                       value_type_name(value));
    *number = value_integer(value);
    return NULL;
}

bool call_truth(const json_t *value, bool fallback)
{
    return value ? value_true(value) : fallback;
}

struct err *call_wrong(const struct call *call, const char *wanted)
{
    return err_new(ERR_INPUT, "'%s' works on %s, but got %s", call->name, wanted,
                   value_type_name(call->input));
}

static struct err *list_of_characters(struct eval *ev, const json_t *value, json_t **list)
{
    json_t *fresh = json_array();
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    for (size_t from = 0; from < length;) {
        size_t n = text_offset(text + from, length - from, 1);
        json_array_append_new(fresh, json_stringn_nocheck(text + from, n));
        from += n;
    }
    TRY(pool_keep(ev->pool, fresh, list));
    return pool_spend(ev->pool, 64 * json_array_size(fresh));
}

struct err *call_elements(struct eval *ev, const struct call *call, const json_t *value, json_t **list)
{
    if (json_is_array(value)) {
        *list = (json_t *)(uintptr_t)value;
        return NULL;
    }
    if (json_is_string(value))
        return list_of_characters(ev, value, list);
    if (!json_is_object(value))
        return err_new(ERR_INPUT, "'%s' works on a list, but got %s", call ? call->name : "for",
                       value_type_name(value));
    json_t *fresh = json_array(), *item;
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
        json_array_append_new(fresh, json_string_nocheck(key));
    TRY(pool_spend(ev->pool, 64 * json_array_size(fresh)));
    return pool_keep(ev->pool, fresh, list);
}

struct err *call_attribute(struct eval *ev, json_t *value, const json_t *path, json_t **out)
{
    *out = value;
    if (value_is_int(path))
        return eval_item(ev, value, path, NULL, out);
    if (!json_is_string(path))
        return err_new(ERR_INPUT, "the name of an attribute is text, but got %s", value_type_name(path));
    const char *part = json_string_value(path);
    while (part) {
        const char *dot = strchr(part, '.');
        size_t length = dot ? (size_t)(dot - part) : strlen(part);
        json_t *key;
        if (length > 0 && length < 10 && strspn(part, "0123456789") == length)
            TRY(pool_integer(ev->pool, strtoll(part, NULL, 10), &key));
        else
            TRY(pool_text(ev->pool, part, length, &key));
        TRY(eval_item(ev, *out, key, NULL, out));
        part = dot ? dot + 1 : NULL;
    }
    return NULL;
}
