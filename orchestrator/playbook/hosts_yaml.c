/* The YAML form of inventories: groups with `hosts`, `children` and `vars`. */
#include "playbook/hosts_data.h"
#include <string.h>

#define MAX_DEPTH 60 /* the YAML reader allows 64 */

static struct err *read_group(struct hosts_data *data, const struct yaml_node *key,
                              const struct yaml_node *node, int depth, struct hosts_group **group);

/* Puts the place in front of an error that has none. */
static struct err *at_node(const struct yaml_node *node, struct err *e)
{
    if (!e || err_kind(e) != ERR_INPUT)
        return e;
    struct err *placed = yaml_error(node, "%s", err_text(e));
    if (err_hint(e))
        placed = err_with_hint(placed, "%s", err_hint(e));
    err_free(e);
    return placed;
}

static struct err *read_host(struct hosts_data *data, struct hosts_group *group, const struct yaml_node *key,
                             const struct yaml_node *vars)
{
    char **names;
    size_t count;
    int port;
    if (vars && vars->type != YAML_NULL && vars->type != YAML_MAP)
        return yaml_error(vars, "the variables of host '%s' must be a map, not %s", key->text,
                          yaml_type_name(vars->type));
    TRY(at_node(key, hosts_expand(data->arena, key->text, &names, &count, &port)));
    json_auto_t *values = vars && vars->type == YAML_MAP ? yaml_to_json(vars) : json_object();
    for (size_t i = 0; i < count; i++) {
        const char *name;
        json_t *value;
        TRY(at_node(key, hosts_node_add(data, names[i], group, port)));
        json_object_foreach(values, name, value)
            TRY(at_node(key, hosts_node_set(data, names[i], name, json_incref(value))));
    }
    return NULL;
}

static struct err *read_child(struct hosts_data *data, struct hosts_group *group, const struct yaml_node *key,
                              const struct yaml_node *node, int depth)
{
    struct hosts_group *child;
    TRY(read_group(data, key, node, depth + 1, &child));
    return at_node(key, hosts_child_add(data, group, child));
}

static struct err *read_entry(struct hosts_data *data, struct hosts_group *group, const char *section,
                              const struct yaml_node *key, const struct yaml_node *node, int depth)
{
    if (!strcmp(section, "hosts"))
        return read_host(data, group, key, node);
    if (!strcmp(section, "children"))
        return read_child(data, group, key, node, depth);
    return at_node(key, hosts_group_set(group, key->text, node ? yaml_to_json(node) : json_null()));
}

static struct err *read_section(struct hosts_data *data, struct hosts_group *group,
                                const struct yaml_node *key, const struct yaml_node *node, int depth)
{
    static const char *const sections[] = {"vars", "children", "hosts"};
    size_t i = 0;
    while (i < 3 && strcmp(key->text, sections[i]) != 0)
        i++;
    if (i == 3) {
        const char *near = yaml_nearest(key->text, sections, 3);
        hosts_warn(data,
                   "%s:%d:%d: '%s' of group '%s' is ignored: a group has hosts, children and vars%s%s%s",
                   key->file, key->line, key->column, key->text, group->name, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
        return NULL;
    }
    if (node->type == YAML_STRING) /* one name alone */
        return read_entry(data, group, key->text, node, NULL, depth);
    if (node->type != YAML_MAP && node->type != YAML_NULL)
        return yaml_error(node, "'%s' of group '%s' must be a map, not %s", key->text, group->name,
                          yaml_type_name(node->type));
    for (size_t k = 0; k < node->count; k++)
        TRY(read_entry(data, group, key->text, node->keys[k], node->items[k], depth));
    return NULL;
}

static struct err *read_group(struct hosts_data *data, const struct yaml_node *key,
                              const struct yaml_node *node, int depth, struct hosts_group **group)
{
    if (depth > MAX_DEPTH)
        return yaml_error(key, "groups are nested more than %d deep", MAX_DEPTH);
    if (node && node->type != YAML_NULL && node->type != YAML_MAP)
        return yaml_error(node, "group '%s' must be a map, not %s", key->text, yaml_type_name(node->type));
    *group = hosts_group_add(data, key->text);
    if (!*group)
        return yaml_error(key, "the inventory has more than %d groups", HOSTS_MAX_GROUPS);
    for (size_t i = 0; node && i < node->count; i++)
        TRY(read_section(data, *group, node->keys[i], node->items[i], depth));
    return NULL;
}

struct err *hosts_read_yaml(struct hosts_data *data, const struct yaml_node *root)
{
    const struct yaml_node *plugin = yaml_get(root, "plugin"), *version = yaml_get(root, "version");
    if (plugin)
        return err_with_hint(
            yaml_error(plugin, "inventory plugins are not supported"),
            "write what it finds to a file: ansible-inventory -i %s --list --yaml > hosts.yml", root->file);
    if (version && version->type == YAML_INT)
        return err_with_hint(yaml_error(version, "this is no Ansible inventory"),
                             "with an inventory of rehost's own, name the host: --as HOST");
    if (root->type != YAML_MAP && root->type != YAML_NULL)
        return yaml_error(root, "an inventory is a map of groups, not %s", yaml_type_name(root->type));
    for (size_t i = 0; i < root->count; i++) {
        struct hosts_group *group;
        TRY(read_group(data, root->keys[i], root->items[i], 0, &group));
    }
    return NULL;
}
