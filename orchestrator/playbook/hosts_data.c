#include "playbook/hosts_data.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "playbook/play.h"
#include <stdlib.h>
#include <string.h>

void hosts_list_add(struct arena *arena, struct hosts_list *list, void *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 4;
        void **items = arena_array(arena, list->capacity, sizeof(*items));
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
    }
    list->items[list->count++] = item;
}

bool hosts_list_has(const struct hosts_list *list, const void *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == item)
            return true;
    return false;
}

void hosts_warn(struct hosts_data *data, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 64u << 10);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&text, fmt, args);
    va_end(args);
    for (size_t i = 0; i < data->warnings.count; i++)
        if (!strcmp(data->warnings.items[i], text.data))
            return;
    hosts_list_add(data->arena, &data->warnings, strbuf_to_arena(&text, data->arena));
}

/* --- groups --- */

static void *find(const json_t *index, const struct hosts_list *list, const char *name)
{
    const json_t *at = json_object_get(index, name);
    return at ? list->items[json_integer_value(at)] : NULL;
}

struct hosts_group *hosts_group_find(const struct hosts_data *data, const char *name)
{
    return find(data->group_index, &data->groups, name);
}

struct hosts_group *hosts_group_add(struct hosts_data *data, const char *name)
{
    struct hosts_group *group = hosts_group_find(data, name);
    if (group || data->groups.count == HOSTS_MAX_GROUPS)
        return group;
    group = ARENA_NEW(data->arena, struct hosts_group);
    *group = (struct hosts_group){.name = arena_strdup(data->arena, name),
                                  .vars = json_keep(data->arena, json_object()),
                                  .priority = 1,
                                  .depth = -1};
    json_object_set_new(data->group_index, name, json_integer((json_int_t)data->groups.count));
    hosts_list_add(data->arena, &data->groups, group);
    return group;
}

/* Whether `above` is the group or one of its ancestors. `seen` keeps the walk from going a way twice. */
static bool descends_from(struct arena *arena, struct hosts_group *group, const struct hosts_group *above,
                          struct hosts_list *seen)
{
    if (group == above)
        return true;
    if (hosts_list_has(seen, group))
        return false;
    hosts_list_add(arena, seen, group);
    for (size_t i = 0; i < group->parents.count; i++)
        if (descends_from(arena, group->parents.items[i], above, seen))
            return true;
    return false;
}

struct err *hosts_child_add(struct hosts_data *data, struct hosts_group *group, struct hosts_group *child)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct hosts_list seen = {0};
    if (hosts_list_has(&group->children, child))
        return NULL;
    if (descends_from(scratch, group, child, &seen))
        return err_new(ERR_INPUT, "group '%s' cannot be a child of '%s': it is the same or above it",
                       child->name, group->name);
    hosts_list_add(data->arena, &group->children, child);
    hosts_list_add(data->arena, &child->parents, group);
    return NULL;
}

struct err *hosts_group_set(struct hosts_group *group, const char *key, json_t *value)
{
    if (strcmp(key, "ansible_group_priority") != 0) {
        json_object_set_new(group->vars, key, value);
        return NULL;
    }
    json_auto_t *number = value;
    const char *text = json_is_string(number) ? json_string_value(number) : NULL;
    char *end = NULL;
    json_int_t priority = text ? strtol(text, &end, 10) : json_integer_value(number);
    if (text ? !*text || *end : !json_is_integer(number))
        return err_new(ERR_INPUT, "ansible_group_priority of group '%s' is not a whole number", group->name);
    group->priority = priority > 1000000000    ? 1000000000
                      : priority < -1000000000 ? -1000000000
                                               : (int)priority;
    return NULL;
}

/* --- hosts --- */

struct hosts_node *hosts_node_find(const struct hosts_data *data, const char *name)
{
    return find(data->node_index, &data->nodes, name);
}

static void join_group(struct hosts_data *data, struct hosts_node *node, struct hosts_group *group)
{
    if (hosts_list_has(&node->groups, group))
        return;
    hosts_list_add(data->arena, &node->groups, group);
    hosts_list_add(data->arena, &group->hosts, node);
}

static struct err *new_node(struct hosts_data *data, const char *name, int port)
{
    if (data->nodes.count == HOSTS_MAX_COUNT)
        return err_new(ERR_INPUT, "the inventory has more than %d hosts", HOSTS_MAX_COUNT);
    struct hosts_node *node = ARENA_NEW(data->arena, struct hosts_node);
    *node = (struct hosts_node){.name = arena_strdup(data->arena, name),
                                .index = data->nodes.count,
                                .vars = json_keep(data->arena, json_object())};
    json_object_set_new(data->node_index, name, json_integer((json_int_t)node->index));
    hosts_list_add(data->arena, &data->nodes, node);
    if (port)
        json_object_set_new(node->vars, "ansible_port", json_integer(port));
    char *dir = fs_is_dir(data->source) ? arena_strdup(data->arena, data->source)
                                        : fs_dirname(data->arena, data->source);
    char *real = dir[0] == '/' ? NULL : realpath(dir, NULL);
    TRY(hosts_node_set(data, name, "inventory_file", json_string(data->source)));
    struct err *e = hosts_node_set(data, name, "inventory_dir", json_string(real ? real : dir));
    free(real);
    return e;
}

struct err *hosts_node_add(struct hosts_data *data, const char *name, struct hosts_group *group, int port)
{
    if (!*name)
        return err_new(ERR_INPUT, "a host's name is empty");
    if (!hosts_node_find(data, name))
        TRY(new_node(data, name, port));
    if (group)
        join_group(data, hosts_node_find(data, name), group);
    return NULL;
}

struct err *hosts_node_set(struct hosts_data *data, const char *name, const char *key, json_t *value)
{
    struct hosts_group *group = hosts_group_find(data, name);
    if (group)
        return hosts_group_set(group, key, value);
    json_object_set_new(hosts_node_find(data, name)->vars, key, value);
    return NULL;
}

static void add_ancestors(struct arena *arena, struct hosts_group *group, struct hosts_list *groups)
{
    if (hosts_list_has(groups, group))
        return;
    hosts_list_add(arena, groups, group);
    for (size_t i = 0; i < group->parents.count; i++)
        add_ancestors(arena, group->parents.items[i], groups);
}

void hosts_node_groups(struct arena *arena, const struct hosts_node *node, struct hosts_list *groups)
{
    for (size_t i = 0; i < node->groups.count; i++)
        add_ancestors(arena, node->groups.items[i], groups);
}

/* --- conclusions --- */

static void leave_group(struct hosts_node *node, struct hosts_group *group)
{
    struct hosts_list *lists[] = {&node->groups, &group->hosts};
    const void *gone[] = {group, node};
    for (size_t k = 0; k < 2; k++) {
        size_t kept = 0;
        for (size_t i = 0; i < lists[k]->count; i++)
            if (lists[k]->items[i] != gone[k])
                lists[k]->items[kept++] = lists[k]->items[i];
        lists[k]->count = kept;
    }
}

/* In `ungrouped` are exactly the hosts that are in no other group but `all`. */
static void settle_ungrouped(struct hosts_data *data, struct hosts_node *node)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct hosts_group *all = hosts_group_find(data, "all"), *ungrouped = hosts_group_find(data, "ungrouped");
    struct hosts_list groups = {0};
    hosts_node_groups(scratch, node, &groups);
    size_t others =
        groups.count - (hosts_list_has(&groups, all) ? 1 : 0) - (hosts_list_has(&groups, ungrouped) ? 1 : 0);
    if (others && hosts_list_has(&node->groups, ungrouped))
        leave_group(node, ungrouped);
    else if (!others)
        join_group(data, node, ungrouped);
}

static int settle_depth(struct hosts_group *group)
{
    if (group->depth >= 0)
        return group->depth;
    group->depth = 0; /* there are no circles */
    int depth = 0;
    for (size_t i = 0; i < group->parents.count; i++) {
        int above = settle_depth(group->parents.items[i]) + 1;
        depth = above > depth ? above : depth;
    }
    return group->depth = depth;
}

/* Breadth first, as Ansible goes: a group's own hosts come before those of its children. */
static void settle_members(struct hosts_data *data, struct hosts_group *group, bool *taken)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct hosts_list queue = {0};
    hosts_list_add(scratch, &queue, group);
    group->seen = true;
    for (size_t at = 0; at < queue.count; at++) {
        struct hosts_group *next = queue.items[at];
        for (size_t i = 0; i < next->hosts.count; i++) {
            struct hosts_node *node = next->hosts.items[i];
            if (!taken[node->index])
                hosts_list_add(data->arena, &group->members, node);
            taken[node->index] = true;
        }
        for (size_t i = 0; i < next->children.count; i++) {
            struct hosts_group *child = next->children.items[i];
            if (!child->seen)
                hosts_list_add(scratch, &queue, child);
            child->seen = true;
        }
    }
    for (size_t i = 0; i < queue.count; i++)
        ((struct hosts_group *)queue.items[i])->seen = false;
    for (size_t i = 0; i < group->members.count; i++)
        taken[((struct hosts_node *)group->members.items[i])->index] = false;
}

struct err *hosts_data_settle(struct hosts_data *data)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct hosts_group *all = hosts_group_find(data, "all");
    for (size_t i = 0; i < data->groups.count; i++) {
        struct hosts_group *group = data->groups.items[i];
        if (group != all && !group->parents.count)
            TRY(hosts_child_add(data, all, group));
    }
    for (size_t i = 0; i < data->nodes.count; i++)
        settle_ungrouped(data, data->nodes.items[i]);
    bool *taken = arena_array(scratch, data->nodes.count + 1, sizeof(*taken));
    for (size_t i = 0; i < data->groups.count; i++) {
        settle_depth(data->groups.items[i]);
        settle_members(data, data->groups.items[i], taken);
    }
    for (size_t i = 0; i < data->nodes.count; i++) {
        const struct hosts_node *node = data->nodes.items[i];
        if (hosts_group_find(data, node->name))
            hosts_warn(data, "'%s' is the name of a host and of a group", node->name);
    }
    return NULL;
}
