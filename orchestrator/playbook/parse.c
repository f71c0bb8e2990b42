/* Plays, blocks and lists of tasks. */
#include "playbook/parse.h"
#include "base/fs.h"
#include <string.h>

#define MAX_DEPTH 32

struct entry *entry_new(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                        const struct role *role, enum entry_kind kind)
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
    struct entry *block = entry_new(loader, node, parent, role, ENTRY_BLOCK);
    for (size_t i = 0; i < node->count; i++) {
        int keyword = keyword_find(node->keys[i]->text, PLACE_BLOCK);
        if (keyword < 0)
            return parse_unknown_key(loader, node->keys[i], PLACE_BLOCK, "block");
        TRY(parse_keyword(loader, block, (enum keyword)keyword, node->keys[i], node->items[i]));
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

/* While a playbook is loaded, all tasks that cannot be taken are told at once. */
static struct err *refuse(struct loader *loader, struct err *e)
{
    if (!e || err_kind(e) != ERR_INPUT || !loader->refused || loader->refused->count == MAX_REFUSED)
        return e;
    loader->refused->items[loader->refused->count++] = e;
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
        else {
            int depth = loader->depth;
            TRY(refuse(loader, parse_task(loader, node, parent, role, place, out)));
            loader->depth = depth;
        }
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
    struct entry *at = entry_new(loader, node, parent, needed_by, ENTRY_BLOCK);
    const char *name = node->type == YAML_STRING ? node->text : NULL;
    json_t *params = json_keep(loader->arena, json_object());
    for (size_t k = 0; node->type == YAML_MAP && k < node->count; k++) {
        int keyword = keyword_find(node->keys[k]->text, PLACE_ROLE);
        if (keyword == KW_ROLE || strcmp(node->keys[k]->text, "name") == 0)
            name = node->items[k]->text;
        else if (keyword >= 0)
            TRY(parse_keyword(loader, at, (enum keyword)keyword, node->keys[k], node->items[k]));
        else
            json_object_set_new(params, node->keys[k]->text, yaml_to_json(node->items[k]));
    }
    if (!name)
        return yaml_error(node, "a role is a name, or a map with 'role'");
    if (node->type == YAML_MAP)
        TRY(parse_check_templates(loader, node));
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

static bool is_plain(const struct yaml_node *node)
{
    return node->type == YAML_STRING && !template_is_template(node->text);
}

/* Files with plain names are read now. From the first one on that is a template, or a list of which the first
 * one found counts, the run reads them. */
static struct err *load_vars_files(struct loader *loader, const struct yaml_node *list, struct play *play)
{
    if (!list || list->type == YAML_NULL)
        return NULL;
    if (list->type != YAML_LIST)
        return yaml_error(list, "'vars_files' must be a list");
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *file = list->items[i];
        if (file->type != YAML_STRING && file->type != YAML_LIST)
            return yaml_error(file, "a file in 'vars_files' is a path, or a list of paths");
        TRY(parse_check_templates(loader, file));
        char *path = is_plain(file)
                         ? find_file(loader->arena, loader->playbook, play->root, "vars", file->text)
                         : NULL;
        if (is_plain(file) && !path)
            return yaml_error(file, "there is no file '%s'", file->text);
        if (path)
            loader_note_file(loader, path);
        if (!path || play->vars_files) {
            play->dynamic = true;
            if (!play->vars_files)
                play->vars_files = json_keep(loader->arena, json_array());
            json_array_append_new(play->vars_files, yaml_to_json(file));
            continue;
        }
        json_t *vars;
        TRY(load_vars_file(loader->arena, path, &vars));
        json_object_update(play->vars, vars);
    }
    return NULL;
}

/* Nobody is asked: what has no default must be given with -e. */
static void add_prompts(struct play *play)
{
    size_t i;
    const json_t *prompt;
    json_array_foreach(play->root->keywords[KW_VARS_PROMPT], i, prompt)
    {
        json_t *value = json_object_get(prompt, "default");
        if (value)
            json_object_set(play->vars, json_string_value(json_object_get(prompt, "name")), value);
    }
}

struct err *parse_play(struct loader *loader, const struct yaml_node *node, struct play **out)
{
    if (node->type != YAML_MAP)
        return yaml_error(node, "a play is a map, not %s", yaml_type_name(node->type));
    struct play *play = ARENA_NEW(loader->arena, struct play);
    play->root = entry_new(loader, node, loader->import, NULL, ENTRY_BLOCK);
    play->dir = loader->playbook->dir;
    play->vars = json_keep(loader->arena, json_object());
    loader->play = play;
    for (size_t i = 0; i < node->count; i++) {
        int keyword = keyword_find(node->keys[i]->text, PLACE_PLAY);
        if (keyword < 0)
            return parse_unknown_key(loader, node->keys[i], PLACE_PLAY, "play");
        TRY(parse_keyword(loader, play->root, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    if (!yaml_get(node, "hosts"))
        return err_with_hint(yaml_error(node, "this play has no 'hosts'"), "hosts: all");
    if (play->root->keywords[KW_VARS])
        json_object_update(play->vars, play->root->keywords[KW_VARS]);
    play->root->keywords[KW_VARS] = NULL; /* they have a place of their own among the variables */
    for (const struct entry *import = loader->import; import; import = import->parent)
        json_object_update(play->vars, import->params);
    add_prompts(play);
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
