/* The kinds of datasets, and the check of their options against each kind's table. */
#include "providers/data/driver.h"

#include <string.h>

static const struct dataset_ops *const all_ops[] = {&dataset_postgres, &dataset_files};
#define OPS_COUNT (sizeof all_ops / sizeof *all_ops)

const char *const *dataset_kinds(size_t *count)
{
    static const char *const kinds[] = {"postgres", "files"};
    _Static_assert(sizeof kinds / sizeof *kinds == OPS_COUNT, "a kind is missing in dataset_kinds()");
    *count = OPS_COUNT;
    return kinds;
}

const struct dataset_ops *dataset_find_ops(const char *kind)
{
    for (size_t i = 0; i < OPS_COUNT; i++)
        if (!strcmp(all_ops[i]->kind, kind))
            return all_ops[i];
    return NULL;
}

/* Names become parts of object keys and of file names. */
static bool is_plain_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return length > 0 && length <= 64 && !name[length] && name[0] != '.' && name[0] != '-';
}

bool is_unix_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return length > 0 && length <= 32 && !text[length] && text[0] != '-' && text[0] != '.';
}

static bool has_no_control_characters(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 32 || *text == 127)
            return false;
    return true;
}

static const struct option_rule *find_rule(const struct dataset_ops *ops, const char *name)
{
    for (size_t i = 0; i < ops->option_count; i++)
        if (!strcmp(ops->options[i].name, name))
            return &ops->options[i];
    return NULL;
}

static struct err *check_text(const struct dataset *dataset, const struct option_rule *rule,
                              const json_t *value)
{
    const char *text = json_string_value(value);
    bool ok = text && *text && strlen(text) == json_string_length(value) && has_no_control_characters(text) &&
              (!rule->is_valid || rule->is_valid(text));
    if (ok)
        return NULL;
    return err_new(ERR_INPUT, "dataset '%s': '%s' must be %s", dataset->name, rule->name,
                   rule->expected ? rule->expected : "a text");
}

static struct err *check_value(const struct dataset *dataset, const struct option_rule *rule,
                               const json_t *value)
{
    size_t i;
    json_t *item;
    switch (rule->type) {
    case OPTION_TEXT:
        return check_text(dataset, rule, value);
    case OPTION_NUMBER:
        if (json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 65535)
            return NULL;
        return err_new(ERR_INPUT, "dataset '%s': '%s' must be a number from 1 to 65535", dataset->name,
                       rule->name);
    case OPTION_LIST:
        if (!json_is_array(value))
            return err_new(ERR_INPUT, "dataset '%s': '%s' must be a list", dataset->name, rule->name);
        json_array_foreach(value, i, item) TRY(check_text(dataset, rule, item));
        return NULL;
    }
    return err_new(ERR_INTERNAL, "unknown type of option '%s'", rule->name);
}

static struct err *unknown_option(const struct dataset *dataset, const struct dataset_ops *ops,
                                  const char *name)
{
    struct strbuf known CLEANUP_STRBUF;
    strbuf_init(&known, 0);
    for (size_t i = 0; i < ops->option_count; i++)
        strbuf_addf(&known, "%s%s", i ? ", " : "", ops->options[i].name);
    return err_with_hint(err_new(ERR_INPUT, "dataset '%s': a dataset of kind '%s' has no option '%s'",
                                 dataset->name, dataset->kind, name),
                         "its options are: %s", known.data);
}

struct err *dataset_check_options(const struct dataset *dataset)
{
    const struct dataset_ops *ops = dataset_find_ops(dataset->kind);
    const char *name;
    json_t *value;
    if (!ops)
        return err_with_hint(
            err_new(ERR_INPUT, "dataset '%s': unknown kind '%s'", dataset->name, dataset->kind),
            "known kinds are: postgres, files");
    if (!is_plain_name(dataset->name) || !is_plain_name(dataset->host))
        return err_new(ERR_INPUT,
                       "dataset '%s' of host '%s': names may contain letters, digits, '-', '_' and '.'",
                       dataset->name, dataset->host);
    void *iter =
        json_object_iter((json_t *)(uintptr_t)dataset->options); /* jansson's iterator takes no const */
    for (; iter; iter = json_object_iter_next((json_t *)(uintptr_t)dataset->options, iter)) {
        name = json_object_iter_key(iter);
        value = json_object_iter_value(iter);
        const struct option_rule *rule = find_rule(ops, name);
        if (!rule)
            return unknown_option(dataset, ops, name);
        TRY(check_value(dataset, rule, value));
    }
    for (size_t i = 0; i < ops->option_count; i++)
        if (ops->options[i].required && !json_object_get(dataset->options, ops->options[i].name))
            return err_new(ERR_INPUT, "dataset '%s': a dataset of kind '%s' needs the option '%s'",
                           dataset->name, dataset->kind, ops->options[i].name);
    return NULL;
}

const char *option_text(const struct dataset *dataset, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(dataset->options, name));
    return text ? text : fallback;
}

void script_set(struct strbuf *script, const char *name, const char *value)
{
    strbuf_addf(script, "%s=", name);
    strbuf_add_shell_quoted(script, value);
    strbuf_addc(script, '\n');
}
