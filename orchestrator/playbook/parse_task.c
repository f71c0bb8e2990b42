/* A task: its module, keywords and arguments, and what it includes. */
#include "base/fs.h"
#include "playbook/parse.h"
#include <string.h>

static struct err *unknown_module(struct loader *loader, const struct yaml_node *key)
{
    if (keyword_is_refused(key->text))
        return parse_unknown_key(loader, key, PLACE_TASK, "task");
    struct err *e = yaml_error(key, "there is no module or keyword '%s'", key->text);
    const char *nearest = modules_nearest(loader->playbook->modules, key->text);
    if (!nearest)
        nearest = keyword_nearest(loader->arena, key->text, PLACE_TASK);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest)
                   : err_with_hint(e, "docs/playbooks.md lists the modules that rehost knows");
}

static bool includes(enum action action)
{
    return action == ACTION_INCLUDE_TASKS || action == ACTION_IMPORT_TASKS || action == ACTION_INCLUDE_ROLE ||
           action == ACTION_IMPORT_ROLE;
}

static bool known_module(const struct loader *loader, const char *name)
{
    return modules_find(loader->playbook->modules, name) || foreign_system(name);
}

static bool is_action(const char *key)
{
    return strcmp(key, "action") == 0 || strcmp(key, "local_action") == 0;
}

/* action: MODULE arguments, or a map with `module`. */
static struct err *read_action(struct loader *loader, const struct yaml_node *written,
                               const struct yaml_node **key, const struct yaml_node **value)
{
    struct yaml_node *name = ARENA_NEW(loader->arena, struct yaml_node);
    struct yaml_node *rest = ARENA_NEW(loader->arena, struct yaml_node);
    *name = *rest = *written;
    if (written->type == YAML_STRING) {
        size_t length = strcspn(written->text, " \t\n");
        const char *from = written->text + length + strspn(written->text + length, " \t\n");
        name->text = arena_strndup(loader->arena, written->text, length);
        rest->text = from;
        rest->text_length = strlen(from);
        if (!*from)
            rest->type = YAML_NULL;
    } else {
        const struct yaml_node *module = written->type == YAML_MAP ? yaml_get(written, "module") : NULL;
        if (!module || module->type != YAML_STRING)
            return yaml_error(written, "here belongs a module with its arguments, or a map with 'module'");
        *name = *module;
        rest->count = 0;
        rest->keys = arena_array(loader->arena, written->count, sizeof(*rest->keys));
        rest->items = arena_array(loader->arena, written->count, sizeof(*rest->items));
        for (size_t i = 0; i < written->count; i++)
            if (written->items[i] != module) {
                rest->keys[rest->count] = written->keys[i];
                rest->items[rest->count++] = written->items[i];
            }
    }
    *key = name;
    *value = rest;
    return NULL;
}

/* The key that names the module: the only one that is no keyword. */
static struct err *find_module(struct loader *loader, const struct yaml_node *node, unsigned place,
                               const struct yaml_node **key, const struct yaml_node **value)
{
    *key = NULL;
    for (size_t i = 0; i < node->count; i++) {
        if (keyword_find(node->keys[i]->text, place | PLACE_INCLUDE) >= 0)
            continue;
        if (is_action(node->keys[i]->text) && !*key) {
            TRY(read_action(loader, node->items[i], key, value));
            if (!known_module(loader, (*key)->text))
                return unknown_module(loader, *key);
            continue;
        }
        if (!known_module(loader, node->keys[i]->text))
            return unknown_module(loader, node->keys[i]);
        if (*key)
            return yaml_error(node->keys[i], "a task has one module; this one has '%s' and '%s'",
                              (*key)->text, node->keys[i]->text);
        *key = node->keys[i];
        *value = node->items[i];
    }
    return *key ? NULL
                : err_with_hint(yaml_error(node, "this task has no module"),
                                "for example: apt, copy, command");
}

static const char *static_text(const struct entry *entry, const char *arg)
{
    const json_t *value = json_object_get(entry->args, arg);
    const char *text = json_is_string(value) ? json_string_value(value) : NULL;
    return text && !template_is_template(text) ? text : NULL;
}

/* A file that includes itself goes on in the run, as long as its conditions hold. */
static bool is_around(const struct entry *entry, const char *path)
{
    for (; entry; entry = entry->parent)
        if (entry->file && strcmp(entry->file, path) == 0)
            return true;
    return false;
}

static struct err *include_file(struct loader *loader, struct entry *entry, unsigned place)
{
    const char *name = static_text(entry, "file");
    bool dynamic = entry->module->action == ACTION_INCLUDE_TASKS;
    loader->play->open = loader->play->open || (!name && place == PLACE_HANDLER);
    loader->play->dynamic = loader->play->dynamic || !name;
    if (!name)
        return dynamic
                   ? NULL /* the run finds it */
                   : err_with_hint(entry_error(entry, "the file of import_tasks must be known beforehand"),
                                   "use include_tasks");
    char *path = find_file(loader->arena, loader->playbook, entry, "tasks", name);
    if (!path)
        return entry_error(entry, "there is no file '%s' to include", name);
    if (dynamic && is_around(entry, path))
        return NULL;
    return parse_task_file(loader, path, entry->apply ? entry->apply : entry, entry->role, place,
                           &entry->block);
}

static struct err *include_role(struct loader *loader, struct entry *entry)
{
    const char *name = static_text(entry, "name");
    bool dynamic = entry->module->action == ACTION_INCLUDE_ROLE;
    static const char *const from[] = {"tasks_from", "vars_from", "defaults_from", "handlers_from"};
    bool known = name != NULL;
    for (size_t i = 0; i < 4; i++)
        known = known && (!json_object_get(entry->args, from[i]) || static_text(entry, from[i]));
    if (!known) {
        loader->play->open = loader->play->dynamic = true;
        return dynamic ? NULL
                       : err_with_hint(entry_error(entry, "the name of import_role must be known beforehand"),
                                       "use include_role");
    }
    if (dynamic && role_is_around(loader, entry, name))
        return NULL;
    bool again = true;
    const json_t *repeats = json_object_get(entry->args, "allow_duplicates");
    if (repeats && !value_as_flag(repeats, &again))
        return entry_error(entry, "'allow_duplicates' must be yes or no");
    if (!dynamic)
        entry->given = entry->keywords[KW_VARS]; /* the whole play sees them, as those of `roles:` */
    struct role_request request = {.name = name,
                                   .tasks_from = static_text(entry, "tasks_from"),
                                   .vars_from = static_text(entry, "vars_from"),
                                   .defaults_from = static_text(entry, "defaults_from"),
                                   .handlers_from = static_text(entry, "handlers_from"),
                                   .visible = !dynamic,
                                   .include = true,
                                   .once = !again};
    return load_role(loader, &request, entry, entry->apply ? entry->apply : entry, NULL, &entry->block);
}

static struct err *add_include(struct loader *loader, struct entry *entry, unsigned place)
{
    if (entry->module->action == ACTION_INCLUDE_TASKS || entry->module->action == ACTION_IMPORT_TASKS)
        return include_file(loader, entry, place);
    return include_role(loader, entry);
}

/* apply: keywords for everything that is included, as if it stood in a block. */
static struct err *add_apply(struct loader *loader, struct entry *entry, const struct yaml_node *map)
{
    if (!map)
        return NULL;
    if (map->type != YAML_MAP)
        return yaml_error(map, "'apply' must be a map");
    struct entry *block = entry_new(loader, map, entry, entry->role, ENTRY_BLOCK);
    for (size_t i = 0; i < map->count; i++) {
        int keyword = keyword_find(map->keys[i]->text, PLACE_BLOCK);
        if (keyword < 0 || keyword_is_section((enum keyword)keyword))
            return parse_unknown_key(loader, map->keys[i], PLACE_BLOCK, "block");
        TRY(parse_keyword(loader, block, (enum keyword)keyword, map->keys[i], map->items[i]));
    }
    json_object_del(entry->args, "apply");
    entry->apply = block;
    return NULL;
}

static struct err *check_static_file(struct loader *loader, struct entry *entry)
{
    const char *src = static_text(entry, "src");
    bool template = entry->module->action == ACTION_TEMPLATE;
    bool remote = json_object_get(entry->args, "remote_src") != NULL;
    if (!src || remote ||
        !(template || entry->module->action == ACTION_COPY || entry->module->action == ACTION_UNARCHIVE))
        return NULL;
    if (strstr(src, "://"))
        return NULL;
    char *path = find_file(loader->arena, loader->playbook, entry, template ? "templates" : "files", src);
    if (!path)
        return err_with_hint(entry_error(entry, "there is no file '%s'", src),
                             "it is looked for in %s/ beside the playbook%s",
                             template ? "templates" : "files", entry->role ? " and in the role" : "");
    if (!fs_is_dir(path))
        loader_note_file(loader, path);
    return NULL;
}

struct err *parse_task(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                       const struct role *role, unsigned place, struct entry_list *out)
{
    struct entry *task = entry_new(loader, node, parent, role, ENTRY_TASK);
    const struct yaml_node *key = NULL, *value = NULL;
    TRY(find_module(loader, node, place, &key, &value));
    task->module = modules_find(loader->playbook->modules, key->text);
    task->written = key->text;
    if (!task->module)
        task->module = foreign_spec(loader->arena, key->text);
    unsigned allowed = includes(task->module->action) ? PLACE_INCLUDE : place;
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys[i] == key || is_action(node->keys[i]->text))
            continue;
        int keyword = keyword_find(node->keys[i]->text, allowed);
        if (keyword < 0)
            return yaml_error(node->keys[i], "'%s' cannot be used with '%s'", node->keys[i]->text, key->text);
        TRY(parse_keyword(loader, task, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    if (yaml_get(node, "local_action"))
        task->keywords[KW_DELEGATE_TO] = json_keep(loader->arena, json_string("localhost"));
    if (task->module->action == ACTION_FOREIGN) {
        TRY(foreign_check(task)); /* its arguments are not ours to judge */
        task->args = json_keep(loader->arena, json_object());
        loader->playbook->task_count += place != PLACE_HANDLER;
        entry_list_add(loader->arena, out, task);
        return NULL;
    }
    TRY(args_parse(loader, task, value, yaml_get(node, "args")));
    TRY(parse_check_templates(loader, value));
    if (yaml_get(node, "args"))
        TRY(parse_check_templates(loader, yaml_get(node, "args")));
    if (includes(task->module->action) && value->type == YAML_MAP)
        TRY(add_apply(loader, task, yaml_get(value, "apply")));
    if (includes(task->module->action))
        TRY(add_include(loader, task, place));
    else
        TRY(check_static_file(loader, task));
    if (place != PLACE_HANDLER && !includes(task->module->action))
        loader->playbook->task_count++;
    entry_list_add(loader->arena, out, task);
    return NULL;
}
