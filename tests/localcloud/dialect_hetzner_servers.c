// /servers and their actions.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

enum { USER_DATA_MAX = 32 * 1024 };

static const char *const status_names[] = {"initializing", "starting", "running",
                                           "stopping",     "off",      "deleting"};

static json_t *ipv4_json(const struct server *server)
{
    if (!*server->ipv4 || !server_addresses_shown(server))
        return json_null();
    char *pointer = text_format("static.%s.clients.localcloud.test", server->ipv4);
    json_t *json = json_pack("{s:I, s:s, s:b, s:s}", "id", (json_int_t)server->ipv4_id, "ip", server->ipv4,
                             "blocked", 0, "dns_ptr", pointer);
    free(pointer);
    return json;
}

static json_t *ipv6_json(const struct server *server)
{
    if (!*server->ipv6_net || !server_addresses_shown(server))
        return json_null();
    return json_pack("{s:I, s:s, s:b, s:[]}", "id", (json_int_t)server->ipv6_id, "ip", server->ipv6_net,
                     "blocked", 0, "dns_ptr");
}

static json_t *firewalls_json(const struct server *server)
{
    json_t *list = json_array(), *id;
    size_t i;

    json_array_foreach(server->firewalls, i, id)
        json_array_append_new(list, json_pack("{s:O, s:s}", "id", id, "status", "applied"));
    return list;
}

static json_t *server_json(const struct server *server)
{
    const struct cloud *cloud = server->cloud;
    const struct hz_type *type = hz_type_find(server->type);
    json_t *net = json_pack("{s:o, s:o, s:o, s:o}", "ipv4", ipv4_json(server), "ipv6", ipv6_json(server),
                            "floating_ips", hz_floating_ips_of(server), "firewalls", firewalls_json(server));
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:[], s:o, s:o, s:o, s:n, s:b, s:b, s:n, s:i, s:i, s:I, s:{s:b, s:b}, "
        "s:O, s:o, s:[], s:i, "
        "s:n}",
        "id", (json_int_t)server->id, "name", server->name, "status", status_names[server->status], "created",
        hz_time(server->created), "public_net", net, "private_net", "server_type", hz_type_json(cloud, type),
        "location", hz_location_json(server->location), "image", hz_image_of(server, type), "iso",
        "rescue_enabled", 0, "locked", server->busy, "backup_window", "outgoing_traffic", 0,
        "ingoing_traffic", 0, "included_traffic", (json_int_t)21990232555520, "protection", "delete", 0,
        "rebuild", 0, "labels", server->labels, "volumes", hz_volumes_of(server), "load_balancers",
        "primary_disk_size", type->disk_gb, "placement_group");
    // Removed from the live API in July 2026; the document of 2026-08 still has it.
    if (cloud->ground->settings.published)
        json_object_set_new(json, "datacenter", hz_datacenter_json(server->location));
    return json;
}

struct server *hz_server_find(const struct request *request, struct response *response, const char *id)
{
    char *end;
    struct server *server = server_find(request->cloud, strtoll(id, &end, 10));

    if (!server || *end) {
        hz_not_found(response, "server", id);
        return NULL;
    }
    return server;
}

bool hz_locked(const struct server *server, struct response *response)
{
    if (server->busy)
        hz_error(response, 423, "locked", "server is locked");
    return server->busy;
}

static void list_servers(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        if (server_listed(request, server) &&
            request_query_has(request, "status", status_names[server->status]))
            json_array_append_new(list, server_json(server));
    }
    hz_list(request, response, "servers", list, 50);
}

static void get_server(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = hz_server_find(request, response, args[0]);

    if (server)
        hz_ok(response, 200, json_pack("{s:o}", "server", server_json(server)));
}

// RFC 1123: labels of letters, digits and inner hyphens, 63 characters at most.
static bool hostname_valid(const char *name)
{
    size_t label = 0;

    if (strlen(name) > 253)
        return false;
    for (const char *p = name;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > 63 || p[-1] == '-')
                return false;
            label = 0;
            if (!*p)
                return true;
        } else if (isalnum((unsigned char)*p) || (*p == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
}

static bool check_name(const struct request *request, struct response *response, const char *name,
                       const struct server *self)
{
    const struct server *other = server_find_name(request->cloud, name);

    if (!hostname_valid(name)) {
        hz_invalid(response, "name", "Must be a valid hostname as per RFC 1123.");
        return false;
    }
    if (other && other != self) {
        hz_error(response, 409, "uniqueness_error", "server name is already used");
        return false;
    }
    return true;
}

static const struct ssh_key *find_key(const struct cloud *cloud, const json_t *id_or_name)
{
    for (size_t i = 0; i < cloud->ssh_keys.count; i++) {
        const struct ssh_key *key = cloud->ssh_keys.items[i];
        const char *text = json_string_value(id_or_name);
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)key->id);
        if (json_is_integer(id_or_name) ? json_integer_value(id_or_name) == key->id
                                        : text_equal(text, id) || text_equal(text, key->name))
            return key;
    }
    return NULL;
}

static bool read_keys(const struct request *request, struct response *response, json_t *lines)
{
    json_t *keys = json_object_get(request->body, "ssh_keys"), *entry;
    size_t i;

    if (keys && !json_is_array(keys)) {
        hz_invalid(response, "ssh_keys", "Not a valid list.");
        return false;
    }
    json_array_foreach(keys, i, entry)
    {
        const struct ssh_key *key = find_key(request->cloud, entry);
        if (!key) {
            hz_error(response, 404, "not_found", "SSH key not found");
            return false;
        }
        json_array_append_new(lines, json_string(key->public_key));
    }
    return true;
}

static bool firewall_exists(const struct cloud *cloud, json_int_t id)
{
    for (size_t i = 0; i < cloud->firewalls.count; i++)
        if (((const struct firewall *)cloud->firewalls.items[i])->id == id)
            return true;
    return false;
}

static bool read_firewalls(const struct request *request, struct response *response, json_t *ids)
{
    json_t *list = json_object_get(request->body, "firewalls"), *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        json_t *id = json_object_get(entry, "firewall");
        if (!json_is_integer(id) || !firewall_exists(request->cloud, json_integer_value(id))) {
            hz_error(response, 404, "not_found", "firewall not found");
            return false;
        }
        json_array_append(ids, id);
    }
    return true;
}

// A type, an image or a place by name or id. The document has text only; clients of the provider send ids as
// numbers, too.
bool hz_reference(const struct request *request, struct response *response, const char *field, bool needed,
                  char out[64])
{
    const json_t *value = json_object_get(request->body, field);
    const char *text = NULL;

    out[0] = '\0';
    if (json_is_integer(value))
        snprintf(out, 64, "%lld", json_integer_value(value));
    else if (!hz_text(request, response, field, needed, &text))
        return false;
    if (text)
        snprintf(out, 64, "%s", text);
    return true;
}

// The image, or the image that a snapshot was once made from.
static bool read_image(const struct request *request, struct response *response, const struct hz_type *type,
                       struct server_spec *spec)
{
    char name[64];

    if (!hz_reference(request, response, "image", true, name))
        return false;
    const struct snapshot *snapshot = hz_snapshot_find(request->cloud, name);
    const struct hz_image *image = hz_image_find(
        snapshot ? json_string_value(json_object_get(snapshot->extra, "image")) : name, type->architecture);
    if (!image)
        return hz_invalid(response, "image", "unknown image '%s'", name), false;
    if (!text_equal(snapshot ? json_string_value(json_object_get(snapshot->extra, "architecture"))
                             : image->architecture,
                    type->architecture))
        return hz_invalid(response, "image", "the image's architecture does not fit the server type's"),
               false;
    if (snapshot && !snapshot->ready)
        return hz_invalid(response, "image", "the image is not available yet"), false;
    if (snapshot && json_integer_value(json_object_get(snapshot->extra, "disk_gb")) > type->disk_gb)
        return hz_invalid(response, "image", "the image's disk is bigger than the server type's"), false;
    spec->image = image->name;
    spec->snapshot_id = snapshot ? snapshot->id : 0;
    return true;
}

// What is ordered: type, image and place, that fit together and are in stock.
static bool read_order(const struct request *request, struct response *response, struct server_spec *spec)
{
    char type_name[64], place[64];
    const char *location = NULL;

    if (!hz_reference(request, response, "server_type", true, type_name) ||
        !hz_reference(request, response, "location", false, place))
        return false;
    const struct hz_type *type = hz_type_find(type_name);
    if (!type)
        return hz_invalid(response, "server_type", "unknown server type '%s'", type_name), false;
    if (!read_image(request, response, type, spec))
        return false;
    if (*place && !hz_location_exists(place, &location))
        return hz_invalid(response, "location", "unknown location"), false;
    location = location ? location : hz_default_location(request->cloud, type);
    if (!hz_type_offered(type, location))
        return hz_error(response, 422, "invalid_input", "unsupported location for server type"), false;
    if (request->effect.out_of_stock || !stock_available(request->cloud, type->name, location))
        return hz_error(response, 412, "resource_unavailable", "error during placement"), false;
    spec->type = type->name;
    spec->location = location;
    return true;
}

static bool boolean(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static bool read_network(const struct request *request, struct response *response, struct server_spec *spec)
{
    const json_t *net = json_object_get(request->body, "public_net");

    spec->ipv4 = boolean(net, "enable_ipv4", true);
    spec->ipv6 = boolean(net, "enable_ipv6", true);
    if (!spec->ipv4 && !spec->ipv6)
        return hz_invalid(response, "public_net", "server needs at least one network"), false;
    if (!hz_primary_ip_wanted(request, response, false, &spec->own_ipv4) ||
        !hz_primary_ip_wanted(request, response, true, &spec->own_ipv6))
        return false;
    if (json_array_size(json_object_get(request->body, "networks")) > 0)
        return hz_error(response, 404, "not_found", "networks not found"), false;
    if (json_is_integer(json_object_get(request->body, "placement_group")))
        return hz_error(response, 404, "not_found", "placement group not found"), false;
    return true;
}

static bool read_rest(const struct request *request, struct response *response, struct server_spec *spec)
{
    const struct cloud *cloud = request->cloud;

    if (!hz_text(request, response, "name", true, &spec->name) ||
        !check_name(request, response, spec->name, NULL) ||
        !hz_text(request, response, "user_data", false, &spec->user_data))
        return false;
    if (spec->user_data && strlen(spec->user_data) > USER_DATA_MAX)
        return hz_invalid(response, "user_data", "Longer than maximum length 32768."), false;
    if (json_object_get(request->body, "datacenter"))
        return hz_invalid(response, "datacenter", "was removed in July 2026; use location"), false;
    spec->labels = json_object_get(request->body, "labels");
    if (!hz_labels_valid(response, spec->labels))
        return false;
    if (cloud->ground->settings.server_limit &&
        (int)cloud->servers.count >= cloud->ground->settings.server_limit)
        return hz_error(response, 403, "resource_limit_exceeded", "server limit exceeded"), false;
    spec->start = boolean(request->body, "start_after_create", true);
    spec->never_boots = request->effect.never_boots;
    spec->address_delay_ms = request->effect.address_delay_ms;
    spec->vanish_after_ms = request->effect.vanish_after_ms;
    return true;
}

static void create_server(const struct request *request, struct response *response, const char *const args[])
{
    struct server_spec spec = {.public_keys = json_array(), .firewalls = json_array()};
    struct action *create, *start;
    json_t *no_labels = json_object();

    (void)args;
    if (read_rest(request, response, &spec) && read_keys(request, response, spec.public_keys) &&
        read_firewalls(request, response, spec.firewalls) && hz_volumes_exist(request, response) &&
        read_network(request, response, &spec) && read_order(request, response, &spec)) {
        if (!spec.labels)
            spec.labels = no_labels;
        struct server *server = server_create(request->cloud, &spec, &create, &start);
        hz_primary_ip_taken(spec.own_ipv4, server);
        hz_primary_ip_taken(spec.own_ipv6, server);
        hz_attach_ordered(request, server);
        json_t *next = json_array();
        if (start)
            json_array_append_new(next, hz_action_json(start));
        hz_ok(response, 201,
              json_pack("{s:o, s:o, s:o, s:o}", "server", server_json(server), "action",
                        hz_action_json(create), "next_actions", next, "root_password",
                        *server->root_password ? json_string(server->root_password) : json_null()));
    }
    json_decref(no_labels), json_decref(spec.public_keys), json_decref(spec.firewalls);
}

static void update_server(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = hz_server_find(request, response, args[0]);
    json_t *labels = json_object_get(request->body, "labels");
    const char *name;

    if (!server || !hz_text(request, response, "name", false, &name) || !hz_labels_valid(response, labels) ||
        (name && !check_name(request, response, name, server)))
        return;
    if (name) {
        free(server->name);
        server->name = text_copy(name);
    }
    if (labels) {
        json_decref(server->labels);
        server->labels = json_deep_copy(labels);
    }
    hz_ok(response, 200, json_pack("{s:o}", "server", server_json(server)));
}

static void delete_server(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = hz_server_find(request, response, args[0]);

    if (!server || hz_locked(server, response))
        return;
    hz_firewalls_forget(request->cloud, server->id);
    hz_ok(response, 200,
          json_pack("{s:o}", "action", hz_action_json(server_delete(server, "delete_server"))));
}

static void act_on_server(const struct request *request, struct response *response, const char *const args[])
{
    static const struct {
        const char *name, *command;
        enum power power;
    } known[] = {{"poweron", "start_server", POWER_ON},
                 {"poweroff", "stop_server", POWER_OFF},
                 {"shutdown", "shutdown_server", POWER_SHUTDOWN},
                 {"reboot", "reboot_server", POWER_REBOOT},
                 {"reset", "reset_server", POWER_RESET}};
    struct server *server = hz_server_find(request, response, args[0]);

    if (!server)
        return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!text_equal(args[1], known[i].name))
            continue;
        if (!hz_locked(server, response))
            hz_ok(response, 201,
                  json_pack("{s:o}", "action",
                            hz_action_json(server_power(server, known[i].power, known[i].command))));
        return;
    }
    hz_error(response, 404, "not_found", "action '%s' is not part of the local cloud", args[1]);
}

const struct route hz_server_routes[] = {
    {"GET", "servers", list_servers},
    {"POST", "servers", create_server},
    {"GET", "servers/*", get_server},
    {"PUT", "servers/*", update_server},
    {"DELETE", "servers/*", delete_server},
    {"POST", "servers/*/actions/*", act_on_server},
    {NULL, NULL, NULL},
};
