// /firewalls: stored and shown, not enforced. They hold for droplets by id and for all with a tag.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

static const struct {
    const char *key, *peers;
} directions[] = {{"inbound_rules", "sources"}, {"outbound_rules", "destinations"}};
enum { DIRECTIONS = sizeof directions / sizeof *directions };

static json_t *firewall_json(const struct firewall *firewall)
{
    json_t *json =
        json_pack("{s:o, s:s, s:s, s:o, s:[]}", "id", ocean_uuid(firewall->id), "name", firewall->name,
                  "status", "succeeded", "created_at", ocean_time(firewall->created), "pending_changes");

    json_object_update(json, firewall->rules);      // inbound_rules, outbound_rules
    json_object_update(json, firewall->applied_to); // droplet_ids, tags
    return json;
}

static struct firewall *find_firewall(const struct request *request, struct response *response,
                                      const char *uuid)
{
    int64_t id = uuid_id(uuid);

    for (size_t i = 0; i < request->cloud->firewalls.count; i++) {
        struct firewall *firewall = request->cloud->firewalls.items[i];
        if (firewall->id == id)
            return firewall;
    }
    ocean_not_found(response);
    return NULL;
}

// As a rule is given back: "0" stands for all ports, and ICMP has none.
static json_t *normal_rule(const json_t *rule)
{
    const char *ports = json_string_value(json_object_get(rule, "ports"));
    json_t *copy = json_deep_copy(rule);

    if (!ports || !*ports || text_equal(ports, "all") ||
        text_equal(json_string_value(json_object_get(rule, "protocol")), "icmp"))
        json_object_set_new(copy, "ports", json_string("0"));
    return copy;
}

static bool rule_valid(const json_t *rule, const char *peers)
{
    const char *protocol = json_string_value(json_object_get(rule, "protocol"));

    return (text_equal(protocol, "tcp") || text_equal(protocol, "udp") || text_equal(protocol, "icmp")) &&
           json_is_object(json_object_get(rule, peers));
}

// {"inbound_rules", "outbound_rules"} of the body, or NULL: the response says why.
static json_t *read_rules(const struct request *request, struct response *response)
{
    json_t *rules = json_object(), *rule;
    size_t i, count = 0;

    for (size_t d = 0; d < DIRECTIONS; d++) {
        json_t *normal = json_array();
        json_object_set_new(rules, directions[d].key, normal);
        json_array_foreach(json_object_get(request->body, directions[d].key), i, rule)
        {
            if (!rule_valid(rule, directions[d].peers)) {
                ocean_invalid(response, "a rule needs a protocol (tcp, udp, icmp) and %s",
                              directions[d].peers);
                json_decref(rules);
                return NULL;
            }
            json_array_append_new(normal, normal_rule(rule));
            count++;
        }
    }
    if (count > 0)
        return rules;
    ocean_invalid(response, "at least one inbound or outbound rule is needed");
    json_decref(rules);
    return NULL;
}

static bool droplets_exist(const struct request *request, struct response *response, const json_t *ids)
{
    json_t *id;
    size_t i;

    json_array_foreach(ids, i, id) if (!server_find(request->cloud, json_integer_value(id)))
    {
        ocean_not_found(response);
        return false;
    }
    return true;
}

// Unlike a droplet, a firewall does not make tags.
static bool tags_exist(const struct request *request, struct response *response, const json_t *tags)
{
    json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag)
    {
        const char *name = json_string_value(tag);
        if (!name || !ocean_tag_exists(request->cloud, name)) {
            ocean_error(response, 404, "tag %s does not exist", name ? name : "");
            return false;
        }
    }
    return true;
}

static json_t *list_or_empty(const struct request *request, const char *field)
{
    json_t *list = json_object_get(request->body, field);

    return json_is_array(list) ? json_deep_copy(list) : json_array();
}

// The document: ^[a-zA-Z0-9][a-zA-Z0-9\.-]+$
static bool name_valid(const char *name)
{
    if (!isalnum((unsigned char)*name) || strlen(name) < 2)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '.' && *name != '-')
            return false;
    return true;
}

// Whether name and targets of the body can be had by `self` (NULL: a new one).
static bool read_firewall(const struct request *request, struct response *response,
                          const struct firewall *self, const char **name)
{
    if (!ocean_text(request, response, "name", true, name) ||
        !droplets_exist(request, response, json_object_get(request->body, "droplet_ids")) ||
        !tags_exist(request, response, json_object_get(request->body, "tags")))
        return false;
    if (!name_valid(*name))
        return ocean_invalid(response, "invalid firewall name"), false;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++) {
        const struct firewall *other = request->cloud->firewalls.items[i];
        if (other != self && text_equal(other->name, *name))
            return ocean_error(response, 409, "duplicate name"), false; // harmony-ops#374
    }
    return true;
}

static json_t *read_targets(const struct request *request)
{
    return json_pack("{s:o, s:o}", "droplet_ids", list_or_empty(request, "droplet_ids"), "tags",
                     list_or_empty(request, "tags"));
}

static void list_firewalls(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++)
        json_array_append_new(list, firewall_json(request->cloud->firewalls.items[i]));
    ocean_list(request, response, "firewalls", list);
}

static void create_firewall(const struct request *request, struct response *response,
                            const char *const args[])
{
    const char *name;

    (void)args;
    if (!read_firewall(request, response, NULL, &name))
        return;
    json_t *rules = read_rules(request, response);
    if (!rules)
        return;
    json_t *targets = read_targets(request);
    const struct firewall *firewall = firewall_create(request->cloud, name, NULL, rules, targets);
    json_decref(rules), json_decref(targets);
    ocean_ok(response, 202, json_pack("{s:o}", "firewall", firewall_json(firewall)));
}

static void get_firewall(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find_firewall(request, response, args[0]);

    if (firewall)
        ocean_ok(response, 200, json_pack("{s:o}", "firewall", firewall_json(firewall)));
}

// Replaces all of it: what the body leaves out is gone.
static void put_firewall(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    const char *name;

    if (!firewall || !read_firewall(request, response, firewall, &name))
        return;
    json_t *rules = read_rules(request, response);
    if (!rules)
        return;
    free(firewall->name);
    json_decref(firewall->rules), json_decref(firewall->applied_to);
    firewall->name = text_copy(name);
    firewall->rules = rules;
    firewall->applied_to = read_targets(request);
    ocean_ok(response, 200, json_pack("{s:o}", "firewall", firewall_json(firewall)));
}

static void delete_firewall(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);

    if (!firewall)
        return;
    firewall_delete(request->cloud, firewall);
    ocean_ok(response, 204, NULL);
}

static void drop(json_t *list, const json_t *item)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (json_equal(json_array_get(list, i), item))
            json_array_remove(list, i);
}

void ocean_firewalls_forget(struct cloud *cloud, int64_t droplet_id)
{
    json_t *id = json_integer(droplet_id);

    for (size_t i = 0; i < cloud->firewalls.count; i++)
        drop(json_object_get(((struct firewall *)cloud->firewalls.items[i])->applied_to, "droplet_ids"), id);
    json_decref(id);
}

// Adds the items to the list, or removes them: whatever is there already stays there once.
static void change_list(const struct request *request, json_t *list, const json_t *items)
{
    bool remove = text_equal(request->method, "DELETE");
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        drop(list, item);
        if (!remove)
            json_array_append_new(list, json_deep_copy(item));
    }
}

static void change_droplets(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    const json_t *ids = json_object_get(request->body, "droplet_ids");

    if (!firewall || !droplets_exist(request, response, ids))
        return;
    change_list(request, json_object_get(firewall->applied_to, "droplet_ids"), ids);
    ocean_ok(response, 204, NULL);
}

static void change_tags(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    const json_t *tags = json_object_get(request->body, "tags");

    if (!firewall || !tags_exist(request, response, tags))
        return;
    change_list(request, json_object_get(firewall->applied_to, "tags"), tags);
    ocean_ok(response, 204, NULL);
}

static void change_rules(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    json_t *rules = firewall ? read_rules(request, response) : NULL;

    if (!rules)
        return;
    for (size_t d = 0; d < DIRECTIONS; d++)
        change_list(request, json_object_get(firewall->rules, directions[d].key),
                    json_object_get(rules, directions[d].key));
    json_decref(rules);
    ocean_ok(response, 204, NULL);
}

static bool holds_for(const struct firewall *firewall, const struct server *server)
{
    json_t *id = json_integer(server->id), *tag;
    bool holds = ocean_has(json_object_get(firewall->applied_to, "droplet_ids"), id);
    size_t i;

    json_array_foreach(server->labels, i, tag) holds =
        holds || ocean_has(json_object_get(firewall->applied_to, "tags"), tag);
    json_decref(id);
    return holds;
}

static void list_droplet_firewalls(const struct request *request, struct response *response,
                                   const char *const args[])
{
    const struct server *server = ocean_droplet_find(request, response, args[0]);
    json_t *list = json_array();

    if (!server) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < request->cloud->firewalls.count; i++)
        if (holds_for(request->cloud->firewalls.items[i], server))
            json_array_append_new(list, firewall_json(request->cloud->firewalls.items[i]));
    ocean_list(request, response, "firewalls", list);
}

const struct route ocean_firewall_routes[] = {
    {"GET", "firewalls", list_firewalls},
    {"POST", "firewalls", create_firewall},
    {"GET", "firewalls/*", get_firewall},
    {"PUT", "firewalls/*", put_firewall},
    {"DELETE", "firewalls/*", delete_firewall},
    {"POST", "firewalls/*/droplets", change_droplets},
    {"DELETE", "firewalls/*/droplets", change_droplets},
    {"POST", "firewalls/*/tags", change_tags},
    {"DELETE", "firewalls/*/tags", change_tags},
    {"POST", "firewalls/*/rules", change_rules},
    {"DELETE", "firewalls/*/rules", change_rules},
    {"GET", "droplets/*/firewalls", list_droplet_firewalls},
    {NULL, NULL, NULL},
};
