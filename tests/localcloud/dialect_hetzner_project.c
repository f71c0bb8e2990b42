// What belongs to a project besides servers and zones: actions, SSH keys, firewalls.
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

static void list_actions(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    if (!request_query(request, "id")) { // listing all is gone since 2025-01-30
        json_decref(list);
        hz_invalid(response, "id", "Missing data for required field.");
        return;
    }
    for (size_t i = 0; i < request->query_count; i++) {
        if (!text_equal(request->query[i].key, "id"))
            continue;
        const struct action *action = action_find(request->cloud, strtoll(request->query[i].value, NULL, 10));
        if (action)
            json_array_append_new(list, hz_action_json(action));
    }
    hz_ok(response, 200, json_pack("{s:o}", "actions", list));
}

static void get_action(const struct request *request, struct response *response, const char *const args[])
{
    const struct action *action = action_find(request->cloud, strtoll(args[0], NULL, 10));

    if (action)
        hz_ok(response, 200, json_pack("{s:o}", "action", hz_action_json(action)));
    else
        hz_not_found(response, "action", args[0]);
}

static json_t *key_json(const struct ssh_key *key)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:O, s:o}", "id", (json_int_t)key->id, "name", key->name,
                     "fingerprint", key->fingerprint, "public_key", key->public_key, "labels", key->labels,
                     "created", hz_time(key->created));
}

static struct ssh_key *find_key(const struct request *request, struct response *response, const char *id)
{
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++) {
        struct ssh_key *key = request->cloud->ssh_keys.items[i];
        if (key->id == strtoll(id, NULL, 10))
            return key;
    }
    hz_not_found(response, "SSH key", id);
    return NULL;
}

static bool key_is_new(const struct request *request, struct response *response, const char *name,
                       const char *print, const struct ssh_key *self)
{
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++) {
        const struct ssh_key *key = request->cloud->ssh_keys.items[i];
        if (key == self)
            continue;
        if (print && text_equal(key->fingerprint, print)) {
            hz_error(response, 409, "uniqueness_error", "SSH key with the same fingerprint already exists");
            return false;
        }
        if (name && text_equal(key->name, name)) {
            hz_error(response, 409, "uniqueness_error", "SSH key name is already used");
            return false;
        }
    }
    return true;
}

static void list_keys(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++) {
        const struct ssh_key *key = request->cloud->ssh_keys.items[i];
        if (request_query_has(request, "fingerprint", key->fingerprint))
            json_array_append_new(list, key_json(key));
    }
    hz_list(request, response, "ssh_keys", list, 50);
}

static void create_key(const struct request *request, struct response *response, const char *const args[])
{
    json_t *labels = json_object_get(request->body, "labels"), *none = json_object();
    const char *name, *line;
    char print[48];

    (void)args;
    if (hz_text(request, response, "name", true, &name) &&
        hz_text(request, response, "public_key", true, &line) && hz_labels_valid(response, labels)) {
        if (!ssh_key_fingerprint(line, print))
            hz_invalid(response, "public_key", "Not a valid SSH public key.");
        else if (key_is_new(request, response, name, print, NULL))
            hz_ok(response, 201,
                  json_pack(
                      "{s:o}", "ssh_key",
                      key_json(ssh_key_create(request->cloud, name, line, print, labels ? labels : none))));
    }
    json_decref(none);
}

static void get_key(const struct request *request, struct response *response, const char *const args[])
{
    const struct ssh_key *key = find_key(request, response, args[0]);

    if (key)
        hz_ok(response, 200, json_pack("{s:o}", "ssh_key", key_json(key)));
}

static void update_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);
    json_t *labels = json_object_get(request->body, "labels");
    const char *name;

    if (!key || !hz_text(request, response, "name", false, &name) || !hz_labels_valid(response, labels) ||
        !key_is_new(request, response, name, NULL, key))
        return;
    if (name) {
        free(key->name);
        key->name = text_copy(name);
    }
    if (labels) {
        json_decref(key->labels);
        key->labels = json_deep_copy(labels);
    }
    hz_ok(response, 200, json_pack("{s:o}", "ssh_key", key_json(key)));
}

static void delete_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);

    if (!key)
        return;
    ssh_key_delete(request->cloud, key);
    hz_ok(response, 204, NULL);
}

static json_t *firewall_json(const struct firewall *firewall)
{
    return json_pack("{s:I, s:s, s:O, s:o, s:O, s:O}", "id", (json_int_t)firewall->id, "name", firewall->name,
                     "labels", firewall->labels, "created", hz_time(firewall->created), "rules",
                     firewall->rules, "applied_to", firewall->applied_to);
}

static struct firewall *find_firewall(const struct request *request, struct response *response,
                                      const char *id)
{
    for (size_t i = 0; i < request->cloud->firewalls.count; i++) {
        struct firewall *firewall = request->cloud->firewalls.items[i];
        if (firewall->id == strtoll(id, NULL, 10))
            return firewall;
    }
    hz_not_found(response, "firewall", id);
    return NULL;
}

static void list_firewalls(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->firewalls.count; i++)
        json_array_append_new(list, firewall_json(request->cloud->firewalls.items[i]));
    hz_list(request, response, "firewalls", list, 50);
}

static void get_firewall(const struct request *request, struct response *response, const char *const args[])
{
    const struct firewall *firewall = find_firewall(request, response, args[0]);

    if (firewall)
        hz_ok(response, 200, json_pack("{s:o}", "firewall", firewall_json(firewall)));
}

// The rules as they are given back: optional lists become empty ones.
static json_t *normal_rules(json_t *rules)
{
    json_t *list = json_array(), *rule;
    size_t i;

    json_array_foreach(rules, i, rule)
    {
        json_t *copy =
            json_pack("{s:[], s:[], s:n, s:n}", "source_ips", "destination_ips", "port", "description");
        json_object_update(copy, rule);
        json_array_append_new(list, copy);
    }
    return list;
}

static void create_firewall(const struct request *request, struct response *response,
                            const char *const args[])
{
    json_t *labels = json_object_get(request->body, "labels"),
           *apply = json_object_get(request->body, "apply_to");
    json_t *rules = json_object_get(request->body, "rules"), *none = json_object(), *nothing = json_array();
    const char *name;

    (void)args;
    if (hz_text(request, response, "name", true, &name) && hz_labels_valid(response, labels)) {
        json_t *normal = normal_rules(rules);
        struct firewall *firewall =
            firewall_create(request->cloud, name, labels ? labels : none, normal, apply ? apply : nothing);
        struct action *action = action_start(request->cloud, "set_firewall_rules", "firewall", firewall->id);
        action_finish(action, NULL);
        hz_ok(response, 201,
              json_pack("{s:o, s:[o]}", "firewall", firewall_json(firewall), "actions",
                        hz_action_json(action)));
        json_decref(normal);
    }
    json_decref(none), json_decref(nothing);
}

static void delete_firewall(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);

    if (!firewall)
        return;
    firewall_delete(request->cloud, firewall);
    hz_ok(response, 204, NULL);
}

void hz_firewalls_forget(struct cloud *cloud, int64_t server_id)
{
    json_t *target = json_pack("{s:s, s:{s:I}}", "type", "server", "server", "id", (json_int_t)server_id);

    for (size_t i = 0; i < cloud->firewalls.count; i++) {
        json_t *targets = ((struct firewall *)cloud->firewalls.items[i])->applied_to;
        for (size_t k = json_array_size(targets); k-- > 0;)
            if (json_equal(json_array_get(targets, k), target))
                json_array_remove(targets, k);
    }
    json_decref(target);
}

static bool already_applied(const struct firewall *firewall, const json_t *target)
{
    json_t *one;
    size_t i;

    json_array_foreach(firewall->applied_to, i, one) if (json_equal(one, target)) return true;
    return false;
}

static void apply_firewall(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    json_t *targets = json_object_get(request->body, "apply_to"), *target;
    size_t i;

    if (!firewall)
        return;
    if (json_array_size(targets) == 0) {
        hz_invalid(response, "apply_to", "Missing data for required field.");
        return;
    }
    json_array_foreach(targets, i, target)
    {
        if (already_applied(firewall, target)) {
            hz_error(response, 409, "firewall_already_applied", "firewall was already applied on resource");
            return;
        }
    }
    json_array_foreach(targets, i, target)
        json_array_append_new(firewall->applied_to, json_deep_copy(target));
    struct action *action = action_start(request->cloud, "apply_firewall", "firewall", firewall->id);
    action_finish(action, NULL);
    hz_ok(response, 201, json_pack("{s:[o]}", "actions", hz_action_json(action)));
}

static void remove_firewall(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    json_t *targets = json_object_get(request->body, "remove_from");

    if (!firewall)
        return;
    for (size_t i = json_array_size(firewall->applied_to); i-- > 0;)
        for (size_t k = 0; k < json_array_size(targets); k++)
            if (json_equal(json_array_get(firewall->applied_to, i), json_array_get(targets, k))) {
                json_array_remove(firewall->applied_to, i);
                break;
            }
    struct action *action = action_start(request->cloud, "remove_firewall", "firewall", firewall->id);
    action_finish(action, NULL);
    hz_ok(response, 201, json_pack("{s:[o]}", "actions", hz_action_json(action)));
}

static void set_rules(const struct request *request, struct response *response, const char *const args[])
{
    struct firewall *firewall = find_firewall(request, response, args[0]);
    json_t *rules = json_object_get(request->body, "rules");

    if (!firewall)
        return;
    if (!json_is_array(rules) || json_array_size(rules) > 50) {
        hz_invalid(response, "rules", "Not a valid list of at most 50 rules.");
        return;
    }
    json_decref(firewall->rules);
    firewall->rules = normal_rules(rules);
    struct action *action = action_start(request->cloud, "set_firewall_rules", "firewall", firewall->id);
    action_finish(action, NULL);
    hz_ok(response, 201, json_pack("{s:[o]}", "actions", hz_action_json(action)));
}

const struct route hz_project_routes[] = {
    {"GET", "actions", list_actions},
    {"GET", "actions/*", get_action},
    {"GET", "ssh_keys", list_keys},
    {"POST", "ssh_keys", create_key},
    {"GET", "ssh_keys/*", get_key},
    {"PUT", "ssh_keys/*", update_key},
    {"DELETE", "ssh_keys/*", delete_key},
    {"GET", "firewalls", list_firewalls},
    {"POST", "firewalls", create_firewall},
    {"GET", "firewalls/*", get_firewall},
    {"DELETE", "firewalls/*", delete_firewall},
    {"POST", "firewalls/*/actions/apply_to_resources", apply_firewall},
    {"POST", "firewalls/*/actions/remove_from_resources", remove_firewall},
    {"POST", "firewalls/*/actions/set_rules", set_rules},
    {NULL, NULL, NULL},
};
