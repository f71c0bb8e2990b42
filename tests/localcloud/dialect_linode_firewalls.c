// /networking/firewalls: rules, and the devices (instances) that they guard. An instance has one at most.
// Nothing is filtered: no packet of a machine meets these rules.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { LABEL_MIN = 3, LABEL_MAX = 32, RULES_MAX = 25 };

static json_t *rules_json(const struct firewall *firewall)
{
    json_t *json = json_deep_copy(firewall->rules);
    size_t hash = 5381;
    char *text = json_dumps(firewall->rules, JSON_SORT_KEYS), print[9];

    for (const char *p = text; *p; p++)
        hash = hash * 33 + (unsigned char)*p;
    free(text);
    snprintf(print, sizeof print, "%08x", (unsigned)hash);
    json_object_set(json, "version", json_object_get(firewall->labels, "version"));
    json_object_set_new(json, "fingerprint", json_string(print));
    return json;
}

json_t *ln_firewall_json(const struct firewall *firewall)
{
    return json_pack("{s:I, s:s, s:O, s:O, s:o, s:o, s:o}", "id", (json_int_t)firewall->id, "label",
                     firewall->name, "status", json_object_get(firewall->labels, "status"), "tags",
                     ln_tags(firewall->labels), "rules", rules_json(firewall), "created",
                     ln_time(firewall->created), "updated", ln_time(firewall->created));
}

static json_t *entities_json(struct cloud *cloud, const struct firewall *firewall)
{
    json_t *list = json_array(), *device;
    size_t i;

    json_array_foreach(firewall->applied_to, i, device)
    {
        json_int_t id = json_integer_value(json_object_get(device, "linode_id"));
        const struct server *server = server_find(cloud, id);
        char *url = text_format("/v4/linode/instances/%lld", (long long)id);
        json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s}", "id", id, "type", "linode", "label",
                                              server ? server->name : "", "url", url));
        free(url);
    }
    return list;
}

// The live API tells the guarded entities along with a firewall; the document does not know them.
static json_t *full_json(struct cloud *cloud, const struct firewall *firewall)
{
    json_t *json = ln_firewall_json(firewall);

    if (!cloud->ground->settings.published)
        json_object_set_new(json, "entities", entities_json(cloud, firewall));
    return json;
}

struct firewall *ln_firewall_find(struct cloud *cloud, json_int_t id)
{
    for (size_t i = 0; i < cloud->firewalls.count; i++) {
        struct firewall *firewall = cloud->firewalls.items[i];
        if (firewall->id == id)
            return firewall;
    }
    return NULL;
}

static struct firewall *find(const struct request *request, struct response *response, const char *id)
{
    struct firewall *firewall = ln_firewall_find(request->cloud, strtoll(id, NULL, 10));

    if (!firewall)
        ln_not_found(response);
    return firewall;
}

struct firewall *ln_firewall_of(const struct cloud *cloud, int64_t linode_id)
{
    json_t *device;
    size_t d;

    for (size_t i = 0; i < cloud->firewalls.count; i++) {
        struct firewall *firewall = cloud->firewalls.items[i];
        json_array_foreach(firewall->applied_to, d,
                           device) if (json_integer_value(json_object_get(device, "linode_id")) ==
                                       linode_id) return firewall;
    }
    return NULL;
}

json_t *ln_device_add(struct firewall *firewall, const struct server *server)
{
    json_t *device = json_pack("{s:I, s:I, s:I}", "id", (json_int_t)server->cloud->ground->next_id++,
                               "linode_id", (json_int_t)server->id, "created", (json_int_t)time(NULL));

    json_array_append_new(firewall->applied_to, device);
    return device;
}

void ln_devices_remove(struct cloud *cloud, int64_t linode_id)
{
    for (size_t i = 0; i < cloud->firewalls.count; i++) {
        json_t *devices = ((struct firewall *)cloud->firewalls.items[i])->applied_to;
        for (size_t d = json_array_size(devices); d-- > 0;)
            if (json_integer_value(json_object_get(json_array_get(devices, d), "linode_id")) == linode_id)
                json_array_remove(devices, d);
    }
}

static json_t *device_json(struct cloud *cloud, const json_t *device)
{
    json_int_t id = json_integer_value(json_object_get(device, "linode_id"));
    time_t created = (time_t)json_integer_value(json_object_get(device, "created"));
    const struct server *server = server_find(cloud, id);
    char *url = text_format("/v4/linode/instances/%lld", (long long)id);
    json_t *json = json_pack("{s:O, s:{s:I, s:s, s:s, s:s}, s:o, s:o}", "id", json_object_get(device, "id"),
                             "entity", "id", id, "type", "linode", "label", server ? server->name : "", "url",
                             url, "created", ln_time(created), "updated", ln_time(created));

    free(url);
    return json;
}

static bool one_of(const json_t *value, const char *const words[])
{
    for (size_t i = 0; words[i]; i++)
        if (text_equal(json_string_value(value), words[i]))
            return true;
    return false;
}

static const char *const actions[] = {"ACCEPT", "DROP", NULL};
static const char *const protocols[] = {"TCP", "UDP", "ICMP", "IPENCAP", NULL};

static const char *rule_problem(const json_t *rule)
{
    const json_t *ports = json_object_get(rule, "ports"), *label = json_object_get(rule, "label");
    const json_t *addresses = json_object_get(rule, "addresses");
    const char *protocol = json_string_value(json_object_get(rule, "protocol"));
    bool has_ports = text_equal(protocol, "TCP") || text_equal(protocol, "UDP");

    if (!one_of(json_object_get(rule, "action"), actions))
        return "action";
    if (!one_of(json_object_get(rule, "protocol"), protocols))
        return "protocol";
    if (json_array_size(json_object_get(addresses, "ipv4")) +
            json_array_size(json_object_get(addresses, "ipv6")) ==
        0)
        return "addresses";
    if (json_is_string(ports) && !has_ports)
        return "ports";
    if (label && (json_string_length(label) < 3 || json_string_length(label) > 32))
        return "label";
    return NULL;
}

static bool direction_valid(struct response *response, const json_t *rules, const char *direction)
{
    const json_t *list = json_object_get(rules, direction);
    json_t *rule;
    size_t i;
    char field[64];

    json_array_foreach(list, i, rule)
    {
        const char *problem = rule_problem(rule);
        if (!problem)
            continue;
        snprintf(field, sizeof field, "rules.%s[%zu].%s", direction, i, problem);
        ln_invalid(response, field, "%s is not valid", problem);
        return false;
    }
    return true;
}

static bool rules_valid(struct response *response, const json_t *rules)
{
    static const char *const policies[] = {"inbound_policy", "outbound_policy"};
    size_t count = json_array_size(json_object_get(rules, "inbound")) +
                   json_array_size(json_object_get(rules, "outbound"));

    if (!json_is_object(rules))
        return ln_invalid(response, "rules", "rules is required"), false;
    for (size_t i = 0; i < 2; i++)
        if (!one_of(json_object_get(rules, policies[i]), actions))
            return ln_invalid(response, policies[i], "%s is required", policies[i]), false;
    if (count > RULES_MAX)
        return ln_invalid(response, "rules", "A firewall can have up to %d rules", RULES_MAX), false;
    return direction_valid(response, rules, "inbound") && direction_valid(response, rules, "outbound");
}

static json_t *clean_rules(const json_t *rules) // without what the API adds itself
{
    json_t *copy = json_deep_copy(rules);

    json_object_del(copy, "version");
    json_object_del(copy, "fingerprint");
    if (!json_object_get(copy, "inbound"))
        json_object_set_new(copy, "inbound", json_array());
    if (!json_object_get(copy, "outbound"))
        json_object_set_new(copy, "outbound", json_array());
    return copy;
}

static bool guardable(const struct request *request, struct response *response, json_int_t id)
{
    if (!server_find(request->cloud, id))
        return ln_invalid(response, "id", "Linode %lld not found", (long long)id), false;
    if (ln_firewall_of(request->cloud, id))
        return ln_invalid(response, "id", "Linode %lld already has an enabled firewall attached",
                          (long long)id),
               false;
    return true;
}

static bool label_free(const struct request *request, struct response *response, const char *label,
                       const struct firewall *self)
{
    if (!ln_label_valid(response, label, LABEL_MIN, LABEL_MAX))
        return false;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++) {
        const struct firewall *other = request->cloud->firewalls.items[i];
        if (other != self && text_equal(other->name, label))
            return ln_invalid(response, "label", "Label must be unique among your firewalls"), false;
    }
    return true;
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++)
        json_array_append_new(list, full_json(request->cloud, request->cloud->firewalls.items[i]));
    ln_list(request, response, list, "id label tags created updated");
}

static void create(const struct request *request, struct response *response, const char *const args[])
{
    json_t *rules = json_object_get(request->body, "rules"), *tags = json_object_get(request->body, "tags");
    json_t *linodes = json_object_get(json_object_get(request->body, "devices"), "linodes"), *id;
    const char *label;
    size_t i;

    (void)args;
    if (!ln_text(request, response, "label", true, &label) || !label_free(request, response, label, NULL) ||
        !ln_tags_valid(response, tags) || !rules_valid(response, rules))
        return;
    json_array_foreach(linodes, i, id) if (!guardable(request, response, json_integer_value(id))) return;
    json_t *labels =
        json_pack("{s:o, s:s, s:i}", "tags", json_is_array(tags) ? json_deep_copy(tags) : json_array(),
                  "status", "enabled", "version", 1);
    json_t *clean = clean_rules(rules);
    struct firewall *firewall = firewall_create(request->cloud, label, labels, clean, NULL);
    json_decref(labels), json_decref(clean);
    json_array_foreach(linodes, i, id)
        ln_device_add(firewall, server_find(request->cloud, json_integer_value(id)));
    ln_ok(response, full_json(request->cloud, firewall));
}

static void get(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find(request, response, args[0]);

    if (firewall)
        ln_ok(response, full_json(request->cloud, firewall));
}

static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find(request, response, args[0]);
    json_t *tags = json_object_get(request->body, "tags");
    const char *label, *status;

    if (!firewall || !ln_text(request, response, "label", false, &label) ||
        !ln_text(request, response, "status", false, &status) || !ln_tags_valid(response, tags) ||
        (label && !label_free(request, response, label, firewall)))
        return;
    if (label) {
        free(firewall->name);
        firewall->name = text_copy(label);
    }
    if (status)
        json_object_set_new(firewall->labels, "status", json_string(status));
    if (json_is_array(tags))
        json_object_set_new(firewall->labels, "tags", json_deep_copy(tags));
    ln_ok(response, full_json(request->cloud, firewall));
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find(request, response, args[0]);

    if (!firewall)
        return;
    firewall_delete(request->cloud, firewall);
    ln_done(response);
}

static void get_rules(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find(request, response, args[0]);

    if (firewall)
        ln_ok(response, rules_json(firewall));
}

// Replaces them all. The body is the rules themselves.
static void put_rules(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find(request, response, args[0]);

    if (!firewall || !rules_valid(response, request->body))
        return;
    json_decref(firewall->rules);
    firewall->rules = clean_rules(request->body);
    json_int_t version = json_integer_value(json_object_get(firewall->labels, "version"));
    json_object_set_new(firewall->labels, "version", json_integer(version + 1));
    ln_ok(response, rules_json(firewall));
}

static void list_devices(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find(request, response, args[0]);
    json_t *devices = json_array(), *device;
    size_t i;

    if (!firewall) {
        json_decref(devices);
        return;
    }
    json_array_foreach(firewall->applied_to, i, device)
        json_array_append_new(devices, device_json(request->cloud, device));
    ln_list(request, response, devices, "id created updated");
}

static void add_device(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find(request, response, args[0]);
    const char *type;
    json_int_t id;

    if (!firewall || !ln_text(request, response, "type", true, &type) ||
        !ln_integer(request, response, "id", 0, 1, INT64_MAX, &id))
        return;
    if (!text_equal(type, "linode"))
        ln_invalid(response, "type", "only devices of type linode are part of the local cloud");
    else if (guardable(request, response, id))
        ln_ok(response,
              device_json(request->cloud, ln_device_add(firewall, server_find(request->cloud, id))));
}

// The place of a device among the firewall's, or -1.
static int device_place(const struct firewall *firewall, const char *id)
{
    json_t *device;
    size_t i;

    json_array_foreach(firewall->applied_to, i,
                       device) if (json_integer_value(json_object_get(device, "id")) ==
                                   strtoll(id, NULL, 10)) return (int)i;
    return -1;
}

static void get_device(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find(request, response, args[0]);
    int place = firewall ? device_place(firewall, args[1]) : -1;

    if (place >= 0)
        ln_ok(response, device_json(request->cloud, json_array_get(firewall->applied_to, (size_t)place)));
    else
        ln_not_found(response);
}

static void remove_device(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find(request, response, args[0]);
    int place = firewall ? device_place(firewall, args[1]) : -1;

    if (place < 0) {
        ln_not_found(response);
        return;
    }
    json_array_remove(firewall->applied_to, (size_t)place);
    ln_done(response);
}

const struct route ln_firewall_routes[] = {
    {"GET", "networking/firewalls", list},
    {"POST", "networking/firewalls", create},
    {"GET", "networking/firewalls/*", get},
    {"PUT", "networking/firewalls/*", update},
    {"DELETE", "networking/firewalls/*", delete},
    {"GET", "networking/firewalls/*/rules", get_rules},
    {"PUT", "networking/firewalls/*/rules", put_rules},
    {"GET", "networking/firewalls/*/devices", list_devices},
    {"POST", "networking/firewalls/*/devices", add_device},
    {"GET", "networking/firewalls/*/devices/*", get_device},
    {"DELETE", "networking/firewalls/*/devices/*", remove_device},
    {NULL, NULL, NULL},
};
