// Firewall groups and their rules. Stored and shown, not enforced.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

enum { RULES_MAX = 50 }; // a group

struct firewall *vt_firewall_find(const struct request *request, struct response *response, const char *id)
{
    for (size_t i = 0; i < request->cloud->firewalls.count; i++) {
        struct firewall *group = request->cloud->firewalls.items[i];
        if (group->id == uuid_id(id))
            return group;
    }
    vt_not_found(response, "firewall group");
    return NULL;
}

static bool uses(const struct server *server, const struct firewall *group)
{
    const char *id = json_string_value(json_array_get(server->firewalls, 0));

    return id && uuid_id(id) == group->id;
}

static json_t *group_json(const struct cloud *cloud, const struct firewall *group)
{
    int instances = 0;

    for (size_t i = 0; i < cloud->servers.count; i++)
        instances += uses(cloud->servers.items[i], group);
    return json_pack("{s:o, s:s, s:o, s:o, s:i, s:i, s:i}", "id", vt_id(group->id), "description",
                     group->name, "date_created", vt_time(group->created), "date_modified",
                     vt_time((time_t)json_integer_value(json_object_get(group->labels, "modified"))),
                     "instance_count", instances, "rule_count", (int)json_array_size(group->rules),
                     "max_rule_count", RULES_MAX);
}

static void touch(struct firewall *group)
{
    json_object_set_new(group->labels, "modified", json_integer((json_int_t)time(NULL)));
}

static void list_groups(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++)
        json_array_append_new(list, group_json(request->cloud, request->cloud->firewalls.items[i]));
    vt_list(request, response, "firewall_groups", list, "id");
}

static void create_group(const struct request *request, struct response *response, const char *const args[])
{
    json_t *extra = json_object(), *none = json_array();
    const char *description;

    (void)args;
    if (vt_text(request, response, "description", false, &description)) {
        struct firewall *group =
            firewall_create(request->cloud, description ? description : "", extra, none, none);
        touch(group);
        vt_ok(response, 201, json_pack("{s:o}", "firewall_group", group_json(request->cloud, group)));
    }
    json_decref(extra), json_decref(none);
}

static void get_group(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *group = vt_firewall_find(request, response, args[0]);

    if (group)
        vt_ok(response, 200, json_pack("{s:o}", "firewall_group", group_json(request->cloud, group)));
}

static void update_group(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *group = vt_firewall_find(request, response, args[0]);
    const char *description;

    if (!group || !vt_text(request, response, "description", true, &description))
        return;
    free(group->name);
    group->name = text_copy(description);
    touch(group);
    vt_empty(response);
}

static void delete_group(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *group = vt_firewall_find(request, response, args[0]);

    if (!group)
        return;
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        struct server *server = request->cloud->servers.items[i];
        if (uses(server, group))
            json_array_clear(server->firewalls);
    }
    firewall_delete(request->cloud, group);
    vt_empty(response);
}

static void list_rules(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *group = vt_firewall_find(request, response, args[0]);

    if (group)
        vt_list(request, response, "firewall_rules", json_deep_copy(group->rules), "id");
}

static bool subnet_valid(const char *ip_type, const char *subnet, json_int_t size)
{
    unsigned char address[16];
    bool v6 = text_equal(ip_type, "v6");

    if (!v6 && !text_equal(ip_type, "v4"))
        return false;
    return inet_pton(v6 ? AF_INET6 : AF_INET, subnet, address) == 1 && size >= 0 && size <= (v6 ? 128 : 32);
}

// "80" or "8000:9000", and for TCP and UDP only.
static bool port_valid(const char *protocol, const char *port)
{
    bool has_ports = text_equal(protocol, "tcp") || text_equal(protocol, "udp");
    unsigned first, last;
    char rest;

    if (!has_ports)
        return !*port;
    int fields = sscanf(port, "%5u:%5u%c", &first, &last, &rest);
    if (fields == 1)
        return port[strspn(port, "0123456789")] == '\0' && first >= 1 && first <= 65535;
    return fields == 2 && first >= 1 && first <= last && last <= 65535;
}

// Any case is taken; lower case is kept. NULL: there is no such protocol.
static const char *protocol_name(const char *protocol)
{
    static const char *const known[] = {"icmp", "tcp", "udp", "gre", "esp", "ah"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(protocol, known[i]) == 0)
            return known[i];
    return NULL;
}

static json_t *read_rule(const struct request *request, struct response *response)
{
    const char *ip_type, *protocol, *subnet, *port, *source, *notes;
    json_int_t size;

    if (!vt_text(request, response, "ip_type", true, &ip_type) ||
        !vt_text(request, response, "protocol", true, &protocol) ||
        !vt_text(request, response, "subnet", true, &subnet) ||
        !vt_number(request, response, "subnet_size", true, 0, &size) ||
        !vt_text(request, response, "port", false, &port) ||
        !vt_text(request, response, "source", false, &source) ||
        !vt_text(request, response, "notes", false, &notes))
        return NULL;
    protocol = protocol_name(protocol);
    if (!protocol)
        return vt_error(response, 400, "Invalid protocol."), NULL;
    if (!subnet_valid(ip_type, subnet, size))
        return vt_error(response, 400, "Invalid subnet."), NULL;
    if (!port_valid(protocol, port ? port : ""))
        return vt_error(response, 400, "Invalid port."), NULL;
    json_t *rule =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "type", ip_type, "ip_type", ip_type,
                  "action", "accept", "protocol", protocol, "port", port ? port : "", "subnet", subnet,
                  "subnet_size", size, "source", source ? source : "", "notes", notes ? notes : "");
    return rule;
}

static bool rule_exists(const struct firewall *group, const json_t *rule)
{
    static const char *const same[] = {"ip_type", "protocol", "port", "subnet", "subnet_size", "source"};
    json_t *other;
    size_t i;

    json_array_foreach(group->rules, i, other)
    {
        bool equal = true;
        for (size_t k = 0; k < sizeof same / sizeof *same; k++)
            equal = equal && json_equal(json_object_get(other, same[k]), json_object_get(rule, same[k]));
        if (equal)
            return true;
    }
    return false;
}

// Numbers count from 1 in each group.
static void add_rule(struct firewall *group, json_t *rule)
{
    json_int_t id = json_integer_value(json_object_get(group->labels, "last_rule")) + 1;

    json_object_set_new(group->labels, "last_rule", json_integer(id));
    json_object_set_new(rule, "id", json_integer(id));
    json_array_append(group->rules, rule);
    touch(group);
}

static void create_rule(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *group = vt_firewall_find(request, response, args[0]);
    json_t *rule = group ? read_rule(request, response) : NULL;

    if (!rule)
        return;
    if (rule_exists(group, rule)) {
        vt_error(response, 400, "This rule is already defined");
    } else if (json_array_size(group->rules) >= RULES_MAX) {
        vt_error(response, 400, "Maximum number of rules reached: the limit is %d.", RULES_MAX);
    } else {
        add_rule(group, rule);
        vt_ok(response, 201, json_pack("{s:o}", "firewall_rule", json_deep_copy(rule)));
    }
    json_decref(rule);
}

static bool find_rule(const struct firewall *group, struct response *response, const char *id, size_t *ret)
{
    json_t *rule;
    json_int_t number = strtoll(id, NULL, 10);

    for (*ret = 0; (rule = json_array_get(group->rules, *ret)); ++*ret)
        if (json_integer_value(json_object_get(rule, "id")) == number)
            return true;
    vt_not_found(response, "firewall rule");
    return false;
}

static void get_rule(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *group = vt_firewall_find(request, response, args[0]);
    size_t at;

    if (group && find_rule(group, response, args[1], &at))
        vt_ok(response, 200,
              json_pack("{s:o}", "firewall_rule", json_deep_copy(json_array_get(group->rules, at))));
}

static void delete_rule(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *group = vt_firewall_find(request, response, args[0]);
    size_t at;

    if (!group || !find_rule(group, response, args[1], &at))
        return;
    json_array_remove(group->rules, at);
    touch(group);
    vt_empty(response);
}

const struct route vt_firewall_routes[] = {
    {"GET", "firewalls", list_groups},
    {"POST", "firewalls", create_group},
    {"GET", "firewalls/*", get_group},
    {"PUT", "firewalls/*", update_group},
    {"DELETE", "firewalls/*", delete_group},
    {"GET", "firewalls/*/rules", list_rules},
    {"POST", "firewalls/*/rules", create_rule},
    {"GET", "firewalls/*/rules/*", get_rule},
    {"DELETE", "firewalls/*/rules/*", delete_rule},
    {NULL, NULL, NULL},
};
