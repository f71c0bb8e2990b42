/* Roles: where they are, their variables, handlers and dependencies, and which uses of a role are the same.
 * Source: "Roles" of the Ansible 2.14 documentation; doubtful cases were settled by running
 * ansible-core 2.14.
 */
#include "base/decode.h"
#include "base/fs.h"
#include "playbook/play.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROLE_DEPTH 32

static const char *const endings[] = {"", ".yml", ".yaml", ".json"};

/* A file of the role, or (with `folder`) a folder of that name. NULL when there is none. */
static char *role_file(struct arena *arena, const char *role_path, const char *part, const char *name,
                       bool folder)
{
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char *path = arena_printf(arena, "%s/%s/%s%s", role_path, part, name, endings[i]);
        if (fs_exists(path) && (folder || !fs_is_dir(path)))
            return path;
    }
    return NULL;
}

/* What "tasks_from" and the like name: as written, or (as Ansible) its last part. */
static char *named_file(struct arena *arena, const char *role_path, const char *part, const char *from,
                        bool folder)
{
    char *path = role_file(arena, role_path, part, from ? from : "main", folder);
    return path || !from ? path : role_file(arena, role_path, part, fs_basename(from), folder);
}

static int is_vars_file(const struct dirent *item)
{
    const char *dot = strrchr(item->d_name, '.');
    return item->d_name[0] != '.' && dot &&
           (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0 || strcmp(dot, ".json") == 0);
}

static struct err *add_vars_file(struct loader *loader, const char *path, json_t *vars)
{
    json_t *more;
    loader_note_file(loader, path);
    TRY(load_vars_file(loader->arena, path, &more));
    json_object_update(vars, more);
    return NULL;
}

/* vars/main.yml, or every file of the folder vars/main/ in the order of their names. */
static struct err *load_role_vars(struct loader *loader, const struct entry *at, const char *role_path,
                                  const char *part, const char *from, json_t **vars)
{
    *vars = json_keep(loader->arena, json_object());
    char *path = named_file(loader->arena, role_path, part, from, true);
    if (!path)
        return from ? entry_error(at, "role '%s' has no %s/%s", fs_basename(role_path), part, from) : NULL;
    if (!fs_is_dir(path))
        return add_vars_file(loader, path, *vars);
    struct dirent **items = NULL;
    int count = scandir(path, &items, is_vars_file, alphasort);
    struct err *e = NULL;
    for (int i = 0; i < count; i++) {
        if (!e)
            e = add_vars_file(loader, arena_printf(loader->arena, "%s/%s", path, items[i]->d_name), *vars);
        free(items[i]);
    }
    free(items);
    return e;
}

static char *find_role(struct loader *loader, const char *name)
{
    const struct playbook *playbook = loader->playbook;
    char *path = arena_printf(loader->arena, "%s/roles/%s", playbook->dir, name);
    if (fs_is_dir(path))
        return path;
    for (size_t i = 0; i < playbook->paths.role_dir_count; i++) {
        path = arena_printf(loader->arena, "%s/%s", playbook->paths.role_dirs[i], name);
        if (fs_is_dir(path))
            return path;
    }
    path = fs_resolve(loader->arena, playbook->dir, name);
    return fs_is_dir(path) ? path : NULL;
}

static struct err *missing_role(struct loader *loader, const struct entry *at, const char *name)
{
    const char *dir = arena_printf(loader->arena, "%s/roles", loader->playbook->dir);
    return err_with_hint(entry_error(at, "there is no role '%s'", name), "it is looked for in %s", dir);
}

/* Two uses are one role when they agree in this. */
static const char *key_of(struct arena *arena, const struct role_request *request, const struct entry *at,
                          const char *path)
{
    CLEANUP_JSON json_t *all =
        json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:O*, s:O*, s:O*, s:O*}", "path", path, "tasks",
                  request->tasks_from, "vars", request->vars_from, "defaults", request->defaults_from,
                  "handlers", request->handlers_from, "include", request->include, "params", at->params,
                  "given", request->include ? at->keywords[KW_VARS] : at->given, "when",
                  request->include ? NULL : at->keywords[KW_WHEN], "tags",
                  request->include ? NULL : at->keywords[KW_TAGS]);
    char *text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
    const char *key = arena_strdup(arena, text ? text : path);
    free(text);
    return key;
}

static struct role *known_role(struct loader *loader, const char *key)
{
    for (size_t i = 0; i < loader->play->role_count; i++)
        if (strcmp(loader->play->roles[i]->key, key) == 0)
            return loader->play->roles[i];
    return NULL;
}

static void add_role(struct arena *arena, struct role ***roles, size_t *count, size_t *capacity,
                     struct role *role)
{
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 8;
        struct role **more = arena_array(arena, *capacity, sizeof(struct role *));
        if (*count)
            memcpy(more, *roles, *count * sizeof(struct role *));
        *roles = more;
    }
    (*roles)[(*count)++] = role;
}

/* The last use decides which role's variables and handlers win. */
static void move_to_end(struct play *play, struct role *role)
{
    size_t to = 0;
    for (size_t i = 0; i < play->role_count; i++)
        if (play->roles[i] != role)
            play->roles[to++] = play->roles[i];
    play->roles[to] = role;
}

static struct err *load_meta(struct loader *loader, struct role *role, const struct yaml_node **dependencies)
{
    *dependencies = NULL;
    char *path = role_file(loader->arena, role->path, "meta", "main", false);
    if (!path)
        return NULL;
    const struct yaml_node *root;
    TRY(yaml_parse_file(loader->arena, path, &root));
    loader_note_file(loader, path);
    if (root->type != YAML_MAP)
        return root->type == YAML_NULL ? NULL : yaml_error(root, "a role's meta/main.yml must be a map");
    const struct yaml_node *again = yaml_get(root, "allow_duplicates");
    CLEANUP_JSON json_t *repeats = again ? yaml_to_json(again) : NULL;
    role->repeats = json_is_true(repeats);
    const struct yaml_node *list = yaml_get(root, "dependencies");
    if (list && list->type != YAML_LIST && list->type != YAML_NULL)
        return yaml_error(list, "'dependencies' must be a list of roles");
    *dependencies = list && list->type == YAML_LIST ? list : NULL;
    return NULL;
}

/* What the role's tasks see: first what it depends on, then its own. */
static void join_vars(struct arena *arena, struct role *role, const json_t *given)
{
    json_t *defaults = json_keep(arena, json_object()), *vars = json_keep(arena, json_object());
    for (size_t i = 0; i < role->need_count; i++) {
        json_object_update(defaults, role->needs[i]->defaults);
        json_object_update(vars, role->needs[i]->vars);
    }
    json_object_update(defaults, role->defaults);
    if (given)
        json_object_update(vars, (json_t *)(uintptr_t)given);
    json_object_update(vars, role->vars);
    role->defaults = defaults;
    role->vars = vars;
}

static struct err *load_new_role(struct loader *loader, const struct role_request *request,
                                 const struct entry *at, const struct entry *parent, struct role *role)
{
    struct arena *arena = loader->arena;
    TRY(load_role_vars(loader, at, role->path, "defaults", request->defaults_from, &role->defaults));
    TRY(load_role_vars(loader, at, role->path, "vars", request->vars_from, &role->vars));
    join_vars(arena, role, at->given);
    char *handlers = named_file(arena, role->path, "handlers", request->handlers_from, false);
    if (!handlers && request->handlers_from)
        return entry_error(at, "role '%s' has no handlers/%s", role->name, request->handlers_from);
    struct entry *block = ARENA_NEW(arena, struct entry);
    *block = (struct entry){.kind = ENTRY_BLOCK, .parent = parent, .role = role, .file = role->path};
    return handlers ? parse_task_file(loader, handlers, block, role, PLACE_HANDLER, &role->handlers) : NULL;
}

static struct err *load_dependencies(struct loader *loader, struct role *role, bool known,
                                     const struct yaml_node *list, const struct entry *parent,
                                     struct entry_list *out)
{
    for (size_t i = 0; list && i < list->count; i++) {
        struct role *dependency;
        TRY(parse_role_use(loader, list->items[i], parent, role, &dependency, out));
        if (!known)
            add_role(loader->arena, &role->needs, &role->need_count, &role->need_capacity, dependency);
    }
    return NULL;
}

static struct err *load_tasks(struct loader *loader, const struct role_request *request,
                              const struct entry *at, const struct entry *parent, struct role *role,
                              struct entry_list *out)
{
    struct entry *block = ARENA_NEW(loader->arena, struct entry);
    *block = (struct entry){.kind = ENTRY_BLOCK,
                            .parent = parent,
                            .role = role,
                            .starts = request->once && !role->repeats ? role : NULL,
                            .file = at->file,
                            .line = at->line,
                            .column = at->column};
    char *tasks = named_file(loader->arena, role->path, "tasks", request->tasks_from, false);
    if (!tasks && request->tasks_from)
        return entry_error(at, "role '%s' has no tasks/%s", role->name, request->tasks_from);
    if (tasks)
        TRY(parse_task_file(loader, tasks, block, role, PLACE_TASK, &block->block));
    entry_list_add(loader->arena, out, block);
    return NULL;
}

struct err *load_role(struct loader *loader, const struct role_request *request, const struct entry *at,
                      const struct entry *parent, struct role **out_role, struct entry_list *out)
{
    char *path = find_role(loader, request->name);
    if (!path)
        return missing_role(loader, at, request->name);
    if (loader->role_depth >= MAX_ROLE_DEPTH)
        return entry_error(at, "roles need each other without end: '%s'", request->name);
    loader->role_depth++;
    const char *key = key_of(loader->arena, request, at, path);
    struct role *role = known_role(loader, key);
    bool known = role != NULL;
    if (!known) {
        role = ARENA_NEW(loader->arena, struct role);
        *role = (struct role){.name = arena_strdup(loader->arena, request->name), .path = path, .key = key};
        add_role(loader->arena, &loader->play->roles, &loader->play->role_count, &loader->play->role_capacity,
                 role);
    }
    if (known && request->visible)
        move_to_end(loader->play, role);
    role->visible = role->visible || request->visible;
    const struct yaml_node *dependencies;
    TRY(load_meta(loader, role, &dependencies));
    TRY(load_dependencies(loader, role, known, dependencies, parent, out));
    if (!known)
        TRY(load_new_role(loader, request, at, parent, role));
    role->use_count++;
    loader->role_depth--;
    if (out_role)
        *out_role = role;
    return load_tasks(loader, request, at, parent, role, out);
}

bool role_is_around(const struct loader *loader, const struct entry *entry, const char *name)
{
    struct loader copy = *loader;
    char *path = find_role(&copy, name);
    for (; path && entry; entry = entry->parent)
        if (entry->role && strcmp(entry->role->path, path) == 0)
            return true;
    return false;
}
