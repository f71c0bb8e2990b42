/* From YAML to entries. Strict: what Ansible would ignore or rehost cannot do is an error with its place. */
#include "base/fs.h"
#include "playbook/args.h"
#include <ctype.h>
#include <string.h>

#define MAX_DEPTH 32

static struct err *unknown_key(struct loader *loader, const struct yaml_node *key, unsigned place,
                               const char *where)
{
    const char *nearest = keyword_nearest(loader->arena, key->text, place);
    struct err *e = yaml_error(key, "'%s' is not a keyword of a %s", key->text, where);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
}

/* --- what may stand behind a keyword --- */

static struct err *check_expressions(struct loader *loader, const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_LIST) {
        for (size_t i = 0; i < value->count; i++)
            TRY(check_expressions(loader, value->items[i], name));
        return NULL;
    }
    if (value->type == YAML_MAP || value->type == YAML_NULL)
        return yaml_error(value, "'%s' must be an expression, not %s", name, yaml_type_name(value->type));
    if (value->type != YAML_STRING)
        return NULL;
    struct expr_place place = {.file = value->file, .line = value->line};
    return expr_check(loader->arena, &place, value->text);
}

static struct err *check_templates(struct loader *loader, const struct yaml_node *value)
{
    for (size_t i = 0; i < value->count; i++)
        TRY(check_templates(loader, value->items[i]));
    if (value->type != YAML_STRING || !template_is_template(value->text))
        return NULL;
    struct expr_place place = {.file = value->file, .line = value->line};
    return template_check(loader->arena, &place, value->text);
}

static struct err *check_name(const struct yaml_node *value, const char *what)
{
    const char *c = value->text;
    bool good = value->type == YAML_STRING && (isalpha((unsigned char)*c) || *c == '_');
    for (; good && *c; c++)
        good = isalnum((unsigned char)*c) || *c == '_';
    return good ? NULL : yaml_error(value, "%s must be the name of a variable", what);
}

static struct err *check_loop_control(const struct yaml_node *value)
{
    static const char *const known[] = {"loop_var", "index_var", "label", "extended", "pause"};
    const size_t count = sizeof(known) / sizeof(known[0]);
    if (value->type != YAML_MAP)
        return yaml_error(value, "'loop_control' must be a map");
    for (size_t i = 0; i < value->count; i++) {
        const char *key = value->keys[i]->text;
        size_t k = 0;
        while (k < count && strcmp(known[k], key) != 0)
            k++;
        if (k == count) {
            const char *nearest = yaml_nearest(key, known, count);
            struct err *e = yaml_error(value->keys[i], "'%s' is not a keyword of 'loop_control'", key);
            return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
        }
        if (k < 2)
            TRY(check_name(value->items[i], key));
    }
    return NULL;
}

static struct err *check_text_or_bool(const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_BOOL || (value->type == YAML_STRING && template_is_template(value->text)))
        return NULL;
    return yaml_error(value, "'%s' must be yes or no", name);
}

static struct err *check_map(const struct yaml_node *value, const char *name)
{
    return value->type == YAML_MAP || value->type == YAML_NULL
               ? NULL
               : yaml_error(value, "'%s' must be a map", name);
}

static struct err *check_notify(const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_STRING)
        return NULL;
    if (value->type != YAML_LIST)
        return yaml_error(value, "'%s' must be a name or a list of names", name);
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type != YAML_STRING)
            return yaml_error(value->items[i], "'%s' must hold names", name);
    return NULL;
}

static struct err *check_delegate(struct loader *loader, const struct yaml_node *value)
{
    static const char *const here[] = {"localhost", "127.0.0.1", "::1", ""};
    if (value->type != YAML_STRING)
        return yaml_error(value, "'delegate_to' must be a name");
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        if (strcmp(value->text, here[i]) == 0)
            return NULL;
    if (template_is_template(value->text))
        return check_templates(loader, value);
    return err_with_hint(yaml_error(value, "'delegate_to' another machine is not possible"),
                         "a task runs on the play's host or on localhost");
}

static struct err *check_tags(struct loader *loader, const struct yaml_node *value)
{
    if (value->type != YAML_LIST && value->type != YAML_STRING && value->type != YAML_INT &&
        value->type != YAML_NULL)
        return yaml_error(value, "'tags' must be a name or a list of names");
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type == YAML_LIST || value->items[i]->type == YAML_MAP)
            return yaml_error(value->items[i], "'tags' must hold names");
    return check_templates(loader, value);
}

static struct err *check_keyword(struct loader *loader, enum keyword keyword, const struct yaml_node *value)
{
    const char *name = keyword_spec(keyword)->name;
    switch (keyword) {
    case KW_WHEN:
    case KW_CHANGED_WHEN:
    case KW_FAILED_WHEN:
    case KW_UNTIL:
        return check_expressions(loader, value, name);
    case KW_BECOME:
    case KW_CHECK_MODE:
    case KW_NO_LOG:
    case KW_IGNORE_ERRORS:
    case KW_DIFF:
        return check_text_or_bool(value, name);
    case KW_REGISTER:
        return check_name(value, "'register'");
    case KW_LOOP_CONTROL:
        TRY(check_loop_control(value));
        return check_templates(loader, value);
    case KW_VARS:
        TRY(check_map(value, name));
        return check_templates(loader, value);
    case KW_NOTIFY:
    case KW_LISTEN:
        return check_notify(value, name);
    case KW_TAGS:
        return check_tags(loader, value);
    case KW_DELEGATE_TO:
        return check_delegate(loader, value);
    case KW_BLOCK:
    case KW_RESCUE:
    case KW_ALWAYS:
    case KW_TASKS:
    case KW_PRE_TASKS:
    case KW_POST_TASKS:
    case KW_HANDLERS:
    case KW_ROLES:
        return value->type == YAML_LIST || value->type == YAML_NULL
                   ? NULL
                   : yaml_error(value, "'%s' must be a list", name);
    default:
        return check_templates(loader, value);
    }
}

static bool is_section(enum keyword keyword)
{
    switch (keyword) {
    case KW_BLOCK:
    case KW_RESCUE:
    case KW_ALWAYS:
    case KW_TASKS:
    case KW_PRE_TASKS:
    case KW_POST_TASKS:
    case KW_HANDLERS:
    case KW_ROLES:
    case KW_ARGS:
        return true;
    default:
        return false;
    }
}

static struct err *add_keyword(struct loader *loader, struct entry *entry, enum keyword keyword,
                               const struct yaml_node *key, const struct yaml_node *value)
{
    TRY(check_keyword(loader, keyword, value));
    entry->keyword_lines[keyword] = key->line;
    if (is_section(keyword) || value->type == YAML_NULL)
        return NULL;
    entry->keywords[keyword] = json_keep(loader->arena, yaml_to_json(value));
    return NULL;
}

static struct entry *new_entry(struct loader *loader, const struct yaml_node *node,
                               const struct entry *parent, const struct role *role, enum entry_kind kind)
{
    struct entry *entry = ARENA_NEW(loader->arena, struct entry);
    *entry = (struct entry){.kind = kind,
                            .parent = parent,
                            .role = role,
                            .file = node->file,
                            .line = node->line,
                            .column = node->column};
    return entry;
}

/* --- blocks --- */

static struct err *parse_block(struct loader *loader, const struct yaml_node *node,
                               const struct entry *parent, const struct role *role, unsigned place,
                               struct entry_list *out)
{
    struct entry *block = new_entry(loader, node, parent, role, ENTRY_BLOCK);
    for (size_t i = 0; i < node->count; i++) {
        int keyword = keyword_find(node->keys[i]->text, PLACE_BLOCK);
        if (keyword < 0)
            return unknown_key(loader, node->keys[i], PLACE_BLOCK, "block");
        TRY(add_keyword(loader, block, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    if (!yaml_get(node, "block"))
        return yaml_error(node, "'rescue' and 'always' need a 'block'");
    TRY(parse_entries(loader, yaml_get(node, "block"), block, role, place, &block->block));
    if (yaml_get(node, "rescue"))
        TRY(parse_entries(loader, yaml_get(node, "rescue"), block, role, place, &block->rescue));
    if (yaml_get(node, "always"))
        TRY(parse_entries(loader, yaml_get(node, "always"), block, role, place, &block->always));
    entry_list_add(loader->arena, out, block);
    return NULL;
}

/* --- tasks --- */

static struct err *unknown_module(struct loader *loader, const struct yaml_node *key)
{
    const char *word = key->text;
    if (strcmp(word, "local_action") == 0 || strcmp(word, "action") == 0)
        return err_with_hint(yaml_error(key, "'%s' is not supported", word),
                             "write the module's name as the key");
    struct err *e = yaml_error(key, "there is no module or keyword '%s'", word);
    const char *nearest = modules_nearest(loader->playbook->modules, word);
    if (!nearest)
        nearest = keyword_nearest(loader->arena, word, PLACE_TASK);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest)
                   : err_with_hint(e, "docs/playbooks.md lists the modules that rehost knows");
}

static bool includes(enum action action)
{
    return action == ACTION_INCLUDE_TASKS || action == ACTION_IMPORT_TASKS || action == ACTION_INCLUDE_ROLE ||
           action == ACTION_IMPORT_ROLE;
}

/* The key that names the module: the only one that is no keyword. */
static struct err *find_module(struct loader *loader, const struct yaml_node *node, unsigned place,
                               const struct yaml_node **key, const struct yaml_node **value)
{
    *key = NULL;
    for (size_t i = 0; i < node->count; i++) {
        if (keyword_find(node->keys[i]->text, place | PLACE_INCLUDE) >= 0)
            continue;
        if (!modules_find(loader->playbook->modules, node->keys[i]->text))
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
        loader->play->open = true;
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
    struct entry *block = new_entry(loader, map, entry, entry->role, ENTRY_BLOCK);
    for (size_t i = 0; i < map->count; i++) {
        int keyword = keyword_find(map->keys[i]->text, PLACE_BLOCK);
        if (keyword < 0 || is_section((enum keyword)keyword))
            return unknown_key(loader, map->keys[i], PLACE_BLOCK, "block");
        TRY(add_keyword(loader, block, (enum keyword)keyword, map->keys[i], map->items[i]));
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

static struct err *parse_task(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                              const struct role *role, unsigned place, struct entry_list *out)
{
    struct entry *task = new_entry(loader, node, parent, role, ENTRY_TASK);
    const struct yaml_node *key = NULL, *value = NULL;
    TRY(find_module(loader, node, place, &key, &value));
    task->module = modules_find(loader->playbook->modules, key->text);
    task->written = key->text;
    unsigned allowed = includes(task->module->action) ? PLACE_INCLUDE : place;
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys[i] == key)
            continue;
        int keyword = keyword_find(node->keys[i]->text, allowed);
        if (keyword < 0)
            return yaml_error(node->keys[i], "'%s' cannot be used with '%s'", node->keys[i]->text, key->text);
        TRY(add_keyword(loader, task, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    TRY(args_parse(loader, task, key->text, value, yaml_get(node, "args")));
    TRY(check_templates(loader, value));
    if (yaml_get(node, "args"))
        TRY(check_templates(loader, yaml_get(node, "args")));
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

struct err *parse_entries(struct loader *loader, const struct yaml_node *list, const struct entry *parent,
                          const struct role *role, unsigned place, struct entry_list *out)
{
    if (list->type == YAML_NULL)
        return NULL;
    if (list->type != YAML_LIST)
        return yaml_error(list, "here belongs a list of tasks, not %s", yaml_type_name(list->type));
    if (loader->depth >= MAX_DEPTH)
        return yaml_error(list, "blocks and includes are nested more than %d deep", MAX_DEPTH);
    loader->depth++;
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *node = list->items[i];
        if (node->type != YAML_MAP)
            return yaml_error(node, "a task is a map, not %s", yaml_type_name(node->type));
        if (yaml_get(node, "block") || yaml_get(node, "rescue") || yaml_get(node, "always"))
            TRY(parse_block(loader, node, parent, role, place, out));
        else
            TRY(parse_task(loader, node, parent, role, place, out));
    }
    loader->depth--;
    return NULL;
}

struct err *parse_task_file(struct loader *loader, const char *path, const struct entry *parent,
                            const struct role *role, unsigned place, struct entry_list *out)
{
    const struct yaml_node *root;
    TRY(yaml_parse_file(loader->arena, path, &root));
    loader_note_file(loader, path);
    return parse_entries(loader, root, parent, role, place, out);
}

/* --- plays --- */

struct err *parse_role_use(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                           const struct role *needed_by, struct role **role, struct entry_list *out)
{
    struct entry *at = new_entry(loader, node, parent, needed_by, ENTRY_BLOCK);
    const char *name = node->type == YAML_STRING ? node->text : NULL;
    json_t *params = json_keep(loader->arena, json_object());
    for (size_t k = 0; node->type == YAML_MAP && k < node->count; k++) {
        int keyword = keyword_find(node->keys[k]->text, PLACE_ROLE);
        if (keyword == KW_ROLE || strcmp(node->keys[k]->text, "name") == 0)
            name = node->items[k]->text;
        else if (keyword >= 0)
            TRY(add_keyword(loader, at, (enum keyword)keyword, node->keys[k], node->items[k]));
        else
            json_object_set_new(params, node->keys[k]->text, yaml_to_json(node->items[k]));
    }
    if (!name)
        return yaml_error(node, "a role is a name, or a map with 'role'");
    if (node->type == YAML_MAP)
        TRY(check_templates(loader, node));
    at->params = json_object_size(params) ? params : NULL;
    at->given = at->keywords[KW_VARS]; /* weaker than the role's own */
    at->keywords[KW_VARS] = NULL;
    struct role_request request = {.name = name, .visible = !needed_by, .once = true};
    TRY(load_role(loader, &request, at, at, role, &at->block));
    entry_list_add(loader->arena, out, at);
    return NULL;
}

static struct err *parse_roles(struct loader *loader, const struct yaml_node *list, struct play *play)
{
    for (size_t i = 0; i < list->count; i++)
        TRY(parse_role_use(loader, list->items[i], play->root, NULL, NULL, &play->tasks));
    return NULL;
}

static struct err *load_vars_files(struct loader *loader, const struct yaml_node *list, struct play *play)
{
    if (!list || list->type == YAML_NULL)
        return NULL;
    if (list->type != YAML_LIST)
        return yaml_error(list, "'vars_files' must be a list");
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->type != YAML_STRING || template_is_template(list->items[i]->text))
            return yaml_error(list->items[i], "a file in 'vars_files' must be a plain path");
        char *path = find_file(loader->arena, loader->playbook, play->root, "vars", list->items[i]->text);
        if (!path)
            return yaml_error(list->items[i], "there is no file '%s'", list->items[i]->text);
        json_t *vars;
        TRY(load_vars_file(loader->arena, path, &vars));
        loader_note_file(loader, path);
        json_object_update(play->vars, vars);
    }
    return NULL;
}

struct err *parse_play(struct loader *loader, const struct yaml_node *node, struct play **out)
{
    if (node->type != YAML_MAP)
        return yaml_error(node, "a play is a map, not %s", yaml_type_name(node->type));
    struct play *play = ARENA_NEW(loader->arena, struct play);
    play->root = new_entry(loader, node, NULL, NULL, ENTRY_BLOCK);
    play->vars = json_keep(loader->arena, json_object());
    loader->play = play;
    for (size_t i = 0; i < node->count; i++) {
        int keyword = keyword_find(node->keys[i]->text, PLACE_PLAY);
        if (keyword < 0)
            return unknown_key(loader, node->keys[i], PLACE_PLAY, "play");
        TRY(add_keyword(loader, play->root, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    if (!yaml_get(node, "hosts"))
        return err_with_hint(yaml_error(node, "this play has no 'hosts'"), "hosts: all");
    if (play->root->keywords[KW_VARS])
        json_object_update(play->vars, play->root->keywords[KW_VARS]);
    TRY(load_vars_files(loader, yaml_get(node, "vars_files"), play));
    static const struct {
        const char *name;
        unsigned place;
        size_t offset;
    } sections[] = {
        {"handlers", PLACE_HANDLER, offsetof(struct play, handlers)},
        {"pre_tasks", PLACE_TASK, offsetof(struct play, pre_tasks)},
        {"roles", 0, 0},
        {"tasks", PLACE_TASK, offsetof(struct play, tasks)},
        {"post_tasks", PLACE_TASK, offsetof(struct play, post_tasks)},
    };
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const struct yaml_node *list = yaml_get(node, sections[i].name);
        if (!list || list->type == YAML_NULL)
            continue;
        if (!sections[i].place)
            TRY(parse_roles(loader, list, play));
        else
            TRY(parse_entries(loader, list, play->root, NULL, sections[i].place,
                              (struct entry_list *)((char *)play + sections[i].offset)));
    }
    *out = play;
    return NULL;
}
