/* Dynamic inventories: a program that prints JSON when called with --list, and with --host NAME when its list
 * has no variables of hosts. Source: "Developing dynamic inventory" of the Ansible documentation. */
#include "base/decode.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "playbook/hosts_data.h"
#include <string.h>

#define MAX_OUTPUT_BYTES (8u << 20)

static struct err *run(struct hosts_data *data, const char *path, const char *option, const char *name,
                       json_t **answer)
{
    CLEANUP_STRBUF struct strbuf out, errout;
    strbuf_init(&out, MAX_OUTPUT_BYTES);
    strbuf_init(&errout, 1 << 20);
    const char *const argv[] = {path, option, name, NULL};
    struct proc_result result;
    TRY(err_wrap(proc_run(data->ctx, argv, NULL, 0, &out, &errout, &result), "the inventory program '%s'",
                 path));
    strbuf_trim(&errout);
    if (result.exit_status != 0)
        return err_new(ERR_REMOTE, "the inventory program '%s %s' failed (%d): %s", path, option,
                       result.exit_status, errout.length ? errout.data : "it said nothing");
    strbuf_trim(&out);
    if (!out.length && name) {
        *answer = json_object();
        return NULL;
    }
    struct err *e = decode_json(out.data, out.length, path, answer);
    if (!e && !json_is_object(*answer)) {
        json_decref(*answer);
        *answer = NULL;
        e = err_new(ERR_INPUT, "it must be an object");
    }
    return e ? err_with_kind(err_wrap(e, "what the inventory program '%s' printed", path), ERR_INPUT) : NULL;
}

static struct err *add_hosts(struct hosts_data *data, struct hosts_group *group, const json_t *hosts,
                             json_t *found)
{
    size_t i;
    const json_t *host;
    if (!json_is_array(hosts))
        return err_new(ERR_INPUT, "%s: 'hosts' of group '%s' must be a list", data->source, group->name);
    json_array_foreach(hosts, i, host)
    {
        if (!json_is_string(host))
            return err_new(ERR_INPUT, "%s: a host of group '%s' is not text", data->source, group->name);
        TRY(hosts_node_add(data, json_string_value(host), group, 0));
        json_object_set_new(found, json_string_value(host), json_true());
    }
    return NULL;
}

static struct err *add_children(struct hosts_data *data, struct hosts_group *group, const json_t *children)
{
    size_t i;
    const json_t *name;
    json_array_foreach(children, i, name)
    {
        struct hosts_group *child =
            json_is_string(name) ? hosts_group_add(data, json_string_value(name)) : NULL;
        if (!child)
            return err_new(ERR_INPUT, "%s: a child of group '%s' is not text, or one too many", data->source,
                           group->name);
        TRY(err_wrap(hosts_child_add(data, group, child), "%s", data->source));
    }
    return NULL;
}

/* Takes the map of a group, or its hosts alone, or a host's variables alone. */
static struct err *add_group(struct hosts_data *data, const char *name, json_t *value, json_t *found)
{
    struct hosts_group *group = hosts_group_add(data, name);
    if (!group)
        return err_new(ERR_INPUT, "%s: more than %d groups", data->source, HOSTS_MAX_GROUPS);
    if (!json_is_object(value))
        return add_hosts(data, group, value, found);
    json_t *hosts = json_object_get(value, "hosts"), *vars = json_object_get(value, "vars"),
           *children = json_object_get(value, "children");
    json_auto_t *itself = json_pack("[s]", name);
    if (!hosts && !vars && !children) {
        hosts = itself;
        vars = value;
    }
    if (hosts)
        TRY(add_hosts(data, group, hosts, found));
    if (vars && !json_is_object(vars))
        return err_new(ERR_INPUT, "%s: 'vars' of group '%s' must be a map", data->source, name);
    const char *key;
    json_t *variable;
    json_object_foreach(vars, key, variable) TRY(hosts_group_set(group, key, json_incref(variable)));
    return children ? add_children(data, group, children) : NULL;
}

static struct err *add_variables(struct hosts_data *data, const char *name, json_t *vars)
{
    const char *key;
    json_t *value;
    if (vars && !json_is_object(vars))
        return err_new(ERR_INPUT, "%s: the variables of host '%s' must be a map", data->source, name);
    json_object_foreach(vars, key, value) TRY(hosts_node_set(data, name, key, json_incref(value)));
    return NULL;
}

struct err *hosts_read_program(struct hosts_data *data, const char *path)
{
    CLEANUP_JSON json_t *list = NULL;
    CLEANUP_JSON json_t *found = json_object();
    TRY(run(data, path, "--list", NULL, &list));
    const json_t *hostvars = json_object_get(json_object_get(list, "_meta"), "hostvars");
    const char *name;
    json_t *value;
    json_object_foreach(list, name, value) if (strcmp(name, "_meta") != 0)
        TRY(add_group(data, name, value, found));
    json_object_foreach(found, name, value)
    {
        CLEANUP_JSON json_t *own = NULL;
        if (!hostvars)
            TRY(run(data, path, "--host", name, &own));
        TRY(add_variables(data, name, hostvars ? json_object_get(hostvars, name) : own));
    }
    return NULL;
}
