#include "playbook/parse.h"
#include "playbook/words.h"
#include <string.h>

static struct err *unknown_arg(const struct entry *entry, const struct yaml_node *at, const char *name)
{
    const char *nearest = module_nearest_arg(entry->module, name);
    struct err *e = at ? yaml_error(at, "module '%s' has no argument '%s'", entry->module->name, name)
                       : entry_error(entry, "module '%s' has no argument '%s'", entry->module->name, name);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
}

static struct err *set_arg(struct loader *loader, struct entry *entry, const struct yaml_node *at,
                           const char *name, json_t *value)
{
    const struct arg_spec *arg = module_find_arg(entry->module, name);
    if (!arg && !entry->module->any_args) {
        json_decref(value);
        if (!foreign_is_option(loader, entry))
            return unknown_arg(entry, at, name);
        entry->module = foreign_spec(loader->arena, entry->module->name);
        return NULL;
    }
    const char *canonical = arg ? arg->name : name;
    if (json_object_get(entry->args, canonical)) {
        json_decref(value);
        return entry_error(entry, "argument '%s' is given twice", canonical);
    }
    json_object_set_new(entry->args, canonical, value);
    return NULL;
}

static struct err *add_map(struct loader *loader, struct entry *entry, const struct yaml_node *map)
{
    if (map->type == YAML_NULL)
        return NULL;
    if (map->type != YAML_MAP)
        return yaml_error(map, "the arguments of '%s' must be a map, not %s", entry->module->name,
                          yaml_type_name(map->type));
    for (size_t i = 0; i < map->count; i++) {
        const char *name = map->keys[i]->text;
        if (map->items[i]->type == YAML_NULL && module_find_arg(entry->module, name))
            continue; /* as if not given */
        TRY(set_arg(loader, entry, map->keys[i], name, yaml_to_json(map->items[i])));
    }
    return NULL;
}

/* command and its like: words such as creates=/x are options, the rest is the command. */
static struct err *split_command(struct loader *loader, struct entry *entry, const char *text)
{
    struct word_pair *pairs;
    size_t count;
    struct err *e = words_pairs(loader->arena, text, &pairs, &count);
    if (e) { /* not ours to judge: the host's shell may read it otherwise */
        err_free(e);
        entry->text = arena_strdup(loader->arena, text);
        return NULL;
    }
    CLEANUP_STRBUF struct strbuf rest;
    strbuf_init(&rest, 0);
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        const struct arg_spec *arg = pairs[i].key ? module_find_arg(entry->module, pairs[i].key) : NULL;
        if (!arg || strcmp(arg->name, "cmd") == 0 || strcmp(arg->name, "argv") == 0)
            continue;
        TRY(set_arg(loader, entry, NULL, arg->name, json_string(pairs[i].value)));
        strbuf_add(&rest, text + from, pairs[i].start - from);
        from = pairs[i].end;
        while (text[from] == ' ')
            from++;
    }
    strbuf_adds(&rest, text + from);
    strbuf_trim(&rest);
    entry->text = strbuf_to_arena(&rest, loader->arena);
    return NULL;
}

static struct err *add_pairs(struct loader *loader, struct entry *entry, const struct yaml_node *at)
{
    struct word_pair *pairs;
    size_t count;
    struct err *e = words_pairs(loader->arena, at->text, &pairs, &count);
    if (e)
        return err_wrap(e, "%s:%d:%d: the arguments of '%s'", at->file, at->line, at->column,
                        entry->module->name);
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].key && entry->module->free_form && count == 1)
            TRY(set_arg(loader, entry, at, entry->module->free_form, json_string(pairs[i].value)));
        else if (!pairs[i].key)
            return yaml_error(at, "'%s' is not key=value", pairs[i].value);
        else
            TRY(set_arg(loader, entry, at, pairs[i].key, json_string(pairs[i].value)));
    }
    return NULL;
}

static bool runs_text(const struct module_spec *module)
{
    return module->action == ACTION_COMMAND || module->action == ACTION_SCRIPT;
}

static struct err *check_choice(const struct entry *entry, const struct arg_spec *arg, const json_t *value)
{
    if (!arg->choices || !json_is_string(value) || template_is_template(json_string_value(value)))
        return NULL;
    if (word_in(arg->choices, json_string_value(value)))
        return NULL;
    return err_with_hint(entry_error(entry, "argument '%s' of '%s' cannot be '%s'", arg->name,
                                     entry->module->name, json_string_value(value)),
                         "one of: %s", arg->choices);
}

static struct err *check_args(struct entry *entry)
{
    for (const struct arg_spec *arg = entry->module->args; arg->name; arg++) {
        const json_t *value = json_object_get(entry->args, arg->name);
        if (!value && (arg->flags & ARG_REQUIRED))
            return entry_error(entry, "module '%s' needs the argument '%s'", entry->module->name, arg->name);
        if (value)
            TRY(check_choice(entry, arg, value));
    }
    if (runs_text(entry->module) && !entry->text && !json_object_get(entry->args, "argv"))
        return entry_error(entry, "module '%s' needs a command", entry->module->name);
    return NULL;
}

/* --- module_defaults --- */

struct err *args_check_defaults(struct loader *loader, const struct yaml_node *value)
{
    if (value->type != YAML_MAP)
        return yaml_error(value, "'module_defaults' must be a map of modules");
    for (size_t i = 0; i < value->count; i++) {
        const char *name = value->keys[i]->text;
        const struct module_spec *module = modules_find(loader->playbook->modules, name);
        if (!module) {
            const char *nearest = modules_nearest(loader->playbook->modules, name);
            struct err *e = yaml_error(value->keys[i], "there is no module '%s'", name);
            return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
        }
        if (value->items[i]->type != YAML_MAP)
            return yaml_error(value->items[i], "the arguments of '%s' must be a map", name);
        for (size_t k = 0; k < value->items[i]->count; k++)
            if (!module_find_arg(module, value->items[i]->keys[k]->text) && !module->any_args)
                return yaml_error(value->items[i]->keys[k], "module '%s' has no argument '%s'", name,
                                  value->items[i]->keys[k]->text);
    }
    return parse_check_templates(loader, value);
}

/* What the task does not say itself; the innermost of several says more. */
static struct err *add_defaults(struct loader *loader, struct entry *entry)
{
    for (const struct entry *from = entry; from; from = entry_heritage(from)) {
        const char *name, *key;
        json_t *args, *value;
        json_object_foreach(from->keywords[KW_MODULE_DEFAULTS], name, args)
        {
            if (modules_find(loader->playbook->modules, name) != entry->module)
                continue;
            json_object_foreach(args, key, value)
            {
                const struct arg_spec *arg = module_find_arg(entry->module, key);
                const char *canonical = arg ? arg->name : key;
                if (!json_object_get(entry->args, canonical) && !json_is_null(value))
                    json_object_set(entry->args, canonical, value);
            }
        }
    }
    return NULL;
}

struct err *args_parse(struct loader *loader, struct entry *entry, const struct yaml_node *value,
                       const struct yaml_node *more)
{
    entry->args = json_keep(loader->arena, json_object());
    if (value->type == YAML_STRING && runs_text(entry->module))
        TRY(split_command(loader, entry, value->text));
    else if (value->type == YAML_STRING && entry->module->any_args && template_is_template(value->text) &&
             !strchr(value->text, '='))
        return yaml_error(value, "the arguments of '%s' must be a map", entry->module->name);
    else if (value->type == YAML_STRING)
        TRY(add_pairs(loader, entry, value));
    else
        TRY(add_map(loader, entry, value));
    if (more)
        TRY(add_map(loader, entry, more));
    json_t *cmd = runs_text(entry->module) ? json_object_get(entry->args, "cmd") : NULL;
    if (cmd && entry->text)
        return entry_error(entry, "module '%s' has two commands", entry->module->name);
    if (cmd) {
        if (!json_is_string(cmd))
            return entry_error(entry, "argument 'cmd' of '%s' must be text", entry->module->name);
        entry->text = arena_strdup(loader->arena, json_string_value(cmd));
        json_object_del(entry->args, "cmd");
    }
    TRY(add_defaults(loader, entry));
    return check_args(entry);
}
