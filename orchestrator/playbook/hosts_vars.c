/* A host's variables, merged. From weakest to strongest, as Ansible documents it: `all` and then the other
 * groups, from what the sources say; the same from group_vars/ beside the sources, then beside the playbook;
 * the host's own from the sources, host_vars/ beside the sources, host_vars/ beside the playbook. Among
 * groups: parents before children, then ansible_group_priority, then the name.
 *
 * Hosts in the same groups start from one map, and all maps share their values; hosts that are wholly alike
 * share the map. */
#include "base/decode.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "playbook/hosts_data.h"
#include "playbook/play.h"
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_DEPTH 20

static const char *const extensions[] = {"", ".yml", ".yaml", ".json"};
#define EXTENSION_COUNT (sizeof(extensions) / sizeof(*extensions))

/* --- files --- */

static struct err *add_file(const char *path, json_t *vars)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const struct yaml_node *root;
    char *text;
    size_t length;
    TRY(fs_read_file(scratch, path, MAX_FILE_BYTES, &text, &length));
    if (length >= 14 && !memcmp(text, "$ANSIBLE_VAULT", 14))
        return err_with_hint(err_new(ERR_INPUT, "%s:1:1: the file is encrypted with Ansible Vault", path),
                             "ansible-vault decrypt it first, or give the values with -e @FILE");
    CLEANUP_JSON json_t *json = NULL; /* JSON may have tabs, YAML may not */
    CLEANUP_ERR struct err *no_json =
        *text == '{' ? decode_json(text, length, path, &json) : err_new(ERR_INPUT, "no JSON");
    if (!no_json)
        return json_object_update(vars, json) == 0 ? NULL : err_new(ERR_INTERNAL, "out of memory");
    TRY(yaml_parse(scratch, path, text, length, &root));
    if (root->type == YAML_NULL)
        return NULL;
    if (root->type != YAML_MAP)
        return yaml_error(root, "variables must be a map, not %s", yaml_type_name(root->type));
    CLEANUP_JSON json_t *values = yaml_to_json(root);
    json_object_update(vars, values);
    return NULL;
}

static bool is_vars_name(const char *name, const char **dot)
{
    size_t length = strlen(name);
    *dot = strrchr(name, '.');
    return name[0] != '.' && name[length - 1] != '~';
}

static struct err *add_folder(struct arena *arena, const char *path, json_t *vars, int depth)
{
    struct hosts_list names = {0};
    if (depth > MAX_DEPTH)
        return err_new(ERR_INPUT, "'%s': folders are nested more than %d deep", path, MAX_DEPTH);
    TRY(hosts_list_dir(arena, path, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *dot, *full = arena_printf(arena, "%s/%s", path, (char *)names.items[i]);
        if (!is_vars_name(names.items[i], &dot))
            continue;
        bool known = !dot;
        for (size_t k = 1; dot && k < EXTENSION_COUNT; k++)
            known = known || !strcmp(dot, extensions[k]);
        if (fs_is_dir(full) && !dot)
            TRY(add_folder(arena, full, vars, depth + 1));
        else if (!fs_is_dir(full) && known)
            TRY(add_file(full, vars));
    }
    return NULL;
}

struct err *hosts_vars_files(struct hosts_data *data, const char *dir, const char *kind, const char *name,
                             json_t *vars)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const char *folder = arena_printf(scratch, "%s/%s", dir, kind);
    if (name[0] == '/' || !fs_exists(folder))
        return NULL;
    if (!fs_is_dir(folder)) {
        hosts_warn(data, "'%s' is no folder: it is not read", folder);
        return NULL;
    }
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        const char *path = arena_printf(scratch, "%s/%s%s", folder, name, extensions[i]);
        if (fs_exists(path)) /* the first one wins */
            return fs_is_dir(path) ? add_folder(scratch, path, vars, 0) : add_file(path, vars);
    }
    return NULL;
}

/* --- merging --- */

struct merging {
    struct hosts_data *data;
    const char *playbook_dir; /* or NULL */
    json_t *files;            /* "dir/group_vars/name" -> map */
    json_t *bases;            /* names of the groups -> what they give */
    json_t *merged;           /* the same with a host's own variables -> the map of such hosts */
    bool has_host_files;      /* host_vars/ somewhere: then every host has a map of its own */
};

static struct err *add_group_files(struct merging *m, const char *dir, const struct hosts_group *group,
                                   json_t *vars)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const char *key = arena_printf(scratch, "%s/%s", dir, group->name);
    json_t *known = json_object_get(m->files, key);
    if (!known) {
        known = json_object();
        json_object_set_new(m->files, key, known);
        TRY(hosts_vars_files(m->data, dir, "group_vars", group->name, known));
    }
    json_object_update(vars, known);
    return NULL;
}

static void add_groups(const struct hosts_list *groups, json_t *vars)
{
    for (size_t i = 0; i < groups->count; i++)
        json_object_update(vars, ((struct hosts_group *)groups->items[i])->vars);
}

static struct err *add_groups_files(struct merging *m, const struct hosts_list *groups, bool playbook,
                                    json_t *vars)
{
    size_t count = playbook ? (m->playbook_dir ? 1 : 0) : m->data->dirs.count;
    for (size_t d = 0; d < count; d++)
        for (size_t i = 0; i < groups->count; i++)
            TRY(add_group_files(m, playbook ? m->playbook_dir : m->data->dirs.items[d], groups->items[i],
                                vars));
    return NULL;
}

static int by_precedence(const void *left, const void *right)
{
    const struct hosts_group *a = *(const struct hosts_group *const *)left,
                             *b = *(const struct hosts_group *const *)right;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The host's groups but `all`, the weakest first. */
static void sorted_groups(struct arena *arena, const struct hosts_data *data, const struct hosts_node *node,
                          struct hosts_list *groups)
{
    struct hosts_list every = {0};
    const struct hosts_group *all = hosts_group_find(data, "all");
    hosts_node_groups(arena, node, &every);
    for (size_t i = 0; i < every.count; i++)
        if (every.items[i] != all)
            hosts_list_add(arena, groups, every.items[i]);
    if (groups->count)
        qsort(groups->items, groups->count, sizeof(*groups->items), by_precedence);
}

/* What the groups give together; the map belongs to m->bases. */
static struct err *group_base(struct merging *m, struct hosts_list *groups, json_t **base)
{
    CLEANUP_STRBUF struct strbuf key;
    strbuf_init(&key, 0);
    for (size_t i = 0; i < groups->count; i++)
        strbuf_addf(&key, "%s\n", ((struct hosts_group *)groups->items[i])->name);
    *base = json_object_get(m->bases, key.data);
    if (*base)
        return NULL;
    *base = json_object();
    json_object_set_new(m->bases, key.data, *base);
    void *all_item = hosts_group_find(m->data, "all");
    const struct hosts_list all = {.items = &all_item, .count = 1};
    add_groups(&all, *base);
    add_groups(groups, *base);
    TRY(add_groups_files(m, &all, false, *base));
    TRY(add_groups_files(m, &all, true, *base));
    TRY(add_groups_files(m, groups, false, *base));
    return add_groups_files(m, groups, true, *base);
}

static bool has_host_files(const struct merging *m)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    for (size_t d = 0; d < m->data->dirs.count; d++)
        if (fs_exists(arena_printf(scratch, "%s/host_vars", (char *)m->data->dirs.items[d])))
            return true;
    return m->playbook_dir && fs_exists(arena_printf(scratch, "%s/host_vars", m->playbook_dir));
}

static struct err *add_host_files(struct merging *m, const char *name, json_t *vars)
{
    for (size_t d = 0; d < m->data->dirs.count; d++)
        TRY(hosts_vars_files(m->data, m->data->dirs.items[d], "host_vars", name, vars));
    return m->playbook_dir ? hosts_vars_files(m->data, m->playbook_dir, "host_vars", name, vars) : NULL;
}

static struct err *merge(struct merging *m, const char *name, struct hosts_list *groups, json_t *own,
                         json_t **vars)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    json_t *base;
    TRY(group_base(m, groups, &base));
    const char *key = arena_printf(scratch, "%p %s", (void *)base, decode_dump(scratch, own));
    *vars = m->has_host_files ? NULL : json_object_get(m->merged, key);
    if (*vars)
        return NULL;
    *vars = json_keep(m->data->arena, json_copy(base));
    json_object_update(*vars, own);
    json_object_set(m->merged, key, *vars);
    return m->has_host_files ? add_host_files(m, name, *vars) : NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *names_of(struct arena *arena, const struct hosts_list *groups)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const char **names = arena_array(scratch, groups->count + 1, sizeof(*names));
    for (size_t i = 0; i < groups->count; i++)
        names[i] = ((struct hosts_group *)groups->items[i])->name;
    if (groups->count)
        qsort(names, groups->count, sizeof(*names), by_text);
    json_t *list = json_array();
    for (size_t i = 0; i < groups->count; i++)
        json_array_append_new(list, json_string(names[i]));
    return json_keep(arena, list);
}

static struct err *merge_node(struct merging *m, const struct hosts_node *node, struct hosts_host *host)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct hosts_list groups = {0};
    sorted_groups(scratch, m->data, node, &groups);
    host->name = node->name;
    host->group_names = names_of(m->data->arena, &groups);
    return merge(m, node->name, &groups, node->vars, &host->vars);
}

bool hosts_is_local_name(const char *name)
{
    return !strcmp(name, "localhost") || !strcmp(name, "127.0.0.1") || !strcmp(name, "::1");
}

/* localhost is always there for a play that names it, in no group, and reached without a connection. */
static struct err *add_localhost(struct merging *m, struct hosts_host *host)
{
    struct hosts_list none = {0};
    json_auto_t *own = json_pack("{s:s}", "ansible_connection", "local");
    *host = (struct hosts_host){.name = "localhost", .implicit = true};
    host->group_names = json_keep(m->data->arena, json_array());
    return merge(m, host->name, &none, own, &host->vars);
}

static json_t *group_map(const struct hosts_data *data)
{
    json_t *groups = json_object();
    for (size_t i = 0; i < data->groups.count; i++) {
        const struct hosts_group *group = data->groups.items[i];
        json_t *names = json_array();
        for (size_t k = 0; k < group->members.count; k++)
            json_array_append_new(names, json_string(((struct hosts_node *)group->members.items[k])->name));
        json_object_set_new(groups, group->name, names);
    }
    return groups;
}

static struct err *merge_all(struct merging *m, struct hosts *hosts)
{
    struct hosts_data *data = m->data;
    struct hosts_host *items = arena_array(data->arena, data->nodes.count + 1, sizeof(*items));
    bool has_local = false;
    for (size_t i = 0; i < data->nodes.count; i++) {
        const struct hosts_node *node = data->nodes.items[i];
        has_local = has_local || hosts_is_local_name(node->name);
        TRY(merge_node(m, node, &items[i]));
    }
    if (!has_local)
        TRY(add_localhost(m, &items[data->nodes.count]));
    hosts->items = items;
    hosts->count = data->nodes.count;
    hosts->has_implicit = !has_local;
    hosts->groups = json_keep(data->arena, group_map(data));
    return NULL;
}

struct err *hosts_merge_vars(struct hosts_data *data, const char *playbook_dir, struct hosts *hosts)
{
    struct merging m = {.data = data,
                        .playbook_dir = playbook_dir,
                        .files = json_object(),
                        .bases = json_object(),
                        .merged = json_object()};
    m.has_host_files = has_host_files(&m);
    struct err *e = merge_all(&m, hosts);
    json_decref(m.files);
    json_decref(m.bases);
    json_decref(m.merged);
    return e;
}
