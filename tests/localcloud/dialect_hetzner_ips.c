// Floating IPs, and primary IPs: those that come with servers, and those that were ordered or taken off.
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

static bool is_kind(const struct movable_ip *ip, const char *kind)
{
    return text_equal(ip->kind, kind);
}

static struct movable_ip *find_kind(const struct cloud *cloud, const char *kind, int64_t id)
{
    for (size_t i = 0; i < cloud->ips.count; i++) {
        struct movable_ip *ip = cloud->ips.items[i];
        if (ip->id == id && is_kind(ip, kind))
            return ip;
    }
    return NULL;
}

static bool name_is_new(const struct request *request, struct response *response, const char *kind,
                        const char *name)
{
    for (size_t i = 0; name && i < request->cloud->ips.count; i++) {
        const struct movable_ip *ip = request->cloud->ips.items[i];
        if (is_kind(ip, kind) && text_equal(ip->name, name)) {
            hz_error(response, 409, "uniqueness_error", "the name is already used");
            return false;
        }
    }
    return true;
}

// What floating and primary IPs have in common when they are made.
struct order {
    const char *name, *location;
    bool ipv6;
    struct server *server; // NULL: for nobody yet
    json_t *labels;
};

static bool read_order(const struct request *request, struct response *response, const char *kind,
                       const char *place_field, const char *server_field, struct order *order)
{
    const json_t *id = json_object_get(request->body, server_field);
    const char *type;
    char place[64];

    *order = (struct order){.labels = json_object_get(request->body, "labels")};
    if (!hz_text(request, response, "type", true, &type) ||
        !hz_text(request, response, "name", text_equal(kind, "primary"), &order->name) ||
        !hz_reference(request, response, place_field, false, place) ||
        !hz_labels_valid(response, order->labels) || !name_is_new(request, response, kind, order->name))
        return false;
    order->ipv6 = text_equal(type, "ipv6");
    if (!order->ipv6 && !text_equal(type, "ipv4"))
        return hz_invalid(response, "type", "Must be one of: ipv4, ipv6."), false;
    if (json_is_integer(id)) {
        char text[24];
        snprintf(text, sizeof text, "%lld", json_integer_value(id));
        order->server = hz_server_find(request, response, text);
        order->location = order->server ? order->server->location : NULL;
        return order->server != NULL;
    }
    if (!*place || !hz_location_exists(place, &order->location))
        return hz_invalid(response, place_field, "Missing data for required field."), false;
    return true;
}

static struct movable_ip *make(const struct request *request, const char *kind, const struct order *order)
{
    char ipv4[16], ipv6_net[48];

    ground_take_address(request->cloud->ground, ipv4, ipv6_net);
    struct movable_ip *ip = ip_create(request->cloud, kind, order->name, order->location,
                                      order->ipv6 ? ipv6_net : ipv4, false, order->labels);
    if (!ip->name)
        ip->name = text_format("%s-ip-%lld", kind, (long long)ip->id);
    return ip;
}

static json_t *id_or_null(int64_t id)
{
    return id ? json_integer(id) : json_null();
}

static json_t *floating_json(const struct movable_ip *ip)
{
    json_t *description = json_object_get(ip->extra, "description");

    return json_pack("{s:I, s:s, s:o, s:s, s:s, s:o, s:[], s:o, s:b, s:{s:b}, s:O, s:o}", "id",
                     (json_int_t)ip->id, "name", ip->name, "description",
                     description ? json_incref(description) : json_null(), "ip", ip->address, "type",
                     ip->ipv6 ? "ipv6" : "ipv4", "server", id_or_null(ip->server_id), "dns_ptr",
                     "home_location", hz_location_json(ip->region), "blocked", 0, "protection", "delete", 0,
                     "labels", ip->labels, "created", hz_time(ip->created));
}

json_t *hz_floating_ips_of(const struct server *server)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < server->cloud->ips.count; i++) {
        const struct movable_ip *ip = server->cloud->ips.items[i];
        if (ip->server_id == server->id && is_kind(ip, "floating"))
            json_array_append_new(ids, json_integer(ip->id));
    }
    return ids;
}

static struct movable_ip *find_floating(const struct request *request, struct response *response,
                                        const char *id)
{
    struct movable_ip *ip = find_kind(request->cloud, "floating", strtoll(id, NULL, 10));

    if (!ip)
        hz_not_found(response, "floating IP", id);
    return ip;
}

static void list_floating(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ips.count; i++) {
        const struct movable_ip *ip = request->cloud->ips.items[i];
        if (is_kind(ip, "floating"))
            json_array_append_new(list, floating_json(ip));
    }
    hz_list(request, response, "floating_ips", list, 50);
}

static void create_floating(const struct request *request, struct response *response,
                            const char *const args[])
{
    const char *description;
    struct order order;

    (void)args;
    if (!read_order(request, response, "floating", "home_location", "server", &order) ||
        !hz_text(request, response, "description", false, &description))
        return;
    struct movable_ip *ip = make(request, "floating", &order);
    if (description)
        json_object_set_new(ip->extra, "description", json_string(description));
    struct action *action =
        order.server ? ip_assign(request->cloud, ip, order.server, "assign_floating_ip") : NULL;
    json_t *body = json_pack("{s:o}", "floating_ip", floating_json(ip));
    if (action)
        json_object_set_new(body, "action", hz_action_json(action));
    hz_ok(response, 201, body);
}

static void get_floating(const struct request *request, struct response *response, const char *const args[])
{
    const struct movable_ip *ip = find_floating(request, response, args[0]);

    if (ip)
        hz_ok(response, 200, json_pack("{s:o}", "floating_ip", floating_json(ip)));
}

// Assigned ones cannot be deleted (docs.hetzner.cloud/changelog, 2026-01-29).
static void delete_floating(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct movable_ip *ip = find_floating(request, response, args[0]);

    if (!ip)
        return;
    if (ip->server_id) {
        hz_error(response, 422, "must_be_unassigned", "floating IP must be unassigned");
        return;
    }
    ip_delete(request->cloud, ip);
    hz_ok(response, 204, NULL);
}

// "server" or "assignee_id" of the body. NULL: the response says what is wrong.
static struct server *read_server(const struct request *request, struct response *response, const char *field)
{
    const json_t *id = json_object_get(request->body, field);
    char text[24];

    if (!json_is_integer(id)) {
        hz_invalid(response, field, "Missing data for required field.");
        return NULL;
    }
    snprintf(text, sizeof text, "%lld", json_integer_value(id));
    return hz_server_find(request, response, text);
}

// Failover scripts assign without taking it off first, which the live API lets them; assigning it to the
// server that has it is the document's floating_ip_assigned.
static void assign_floating(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct movable_ip *ip = find_floating(request, response, args[0]);
    struct server *server = ip ? read_server(request, response, "server") : NULL;

    if (!server)
        return;
    if (ip->server_id == server->id)
        hz_error(response, 422, "floating_ip_assigned", "floating IP is already assigned");
    else
        hz_ok(response, 201,
              json_pack("{s:o}", "action",
                        hz_action_json(ip_assign(request->cloud, ip, server, "assign_floating_ip"))));
}

static void unassign_floating(const struct request *request, struct response *response,
                              const char *const args[])
{
    struct movable_ip *ip = find_floating(request, response, args[0]);

    if (!ip)
        return;
    if (!ip->server_id)
        hz_error(response, 422, "invalid_input", "floating IP is not assigned");
    else
        hz_ok(response, 201,
              json_pack("{s:o}", "action",
                        hz_action_json(ip_assign(request->cloud, ip, NULL, "unassign_floating_ip"))));
}

// A primary IP that came with a server has no record of its own until it leaves that server.
static struct movable_ip primary_of(struct server *server, bool ipv6)
{
    struct movable_ip ip = {.id = ipv6 ? server->ipv6_id : server->ipv4_id,
                            .region = server->location,
                            .ipv6 = ipv6,
                            .server_id = server->id,
                            .auto_delete = true,
                            .created = server->created};

    snprintf(ip.address, sizeof ip.address, "%s", ipv6 ? server->ipv6_net : server->ipv4);
    return ip;
}

static json_t *primary_json(const struct cloud *cloud, const struct movable_ip *ip)
{
    char *name = ip->name ? text_copy(ip->name) : text_format("primary_ip-%lld", (long long)ip->id);
    json_t *json = json_pack(
        "{s:I, s:s, s:o, s:o, s:b, s:o, s:s, s:[], s:{s:b}, s:s, s:b, s:s, s:o}", "id", (json_int_t)ip->id,
        "name", name, "labels", ip->labels ? json_incref(ip->labels) : json_object(), "created",
        hz_time(ip->created), "blocked", 0, "location", hz_location_json(ip->region), "ip", ip->address,
        "dns_ptr", "protection", "delete", 0, "type", ip->ipv6 ? "ipv6" : "ipv4", "auto_delete",
        ip->auto_delete, "assignee_type", "server", "assignee_id", id_or_null(ip->server_id));

    if (cloud->ground->settings.published)
        json_object_set_new(json, "datacenter", hz_datacenter_json(ip->region));
    free(name);
    return json;
}

static void add_primary(const struct request *request, json_t *list, const struct movable_ip *ip)
{
    if (request_query_has(request, "ip", ip->address))
        json_array_append_new(list, primary_json(request->cloud, ip));
}

static void list_primary(const struct request *request, struct response *response, const char *const args[])
{
    const struct cloud *cloud = request->cloud;
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < cloud->servers.count * 2; i++) {
        struct movable_ip ip = primary_of(cloud->servers.items[i / 2], i % 2);
        if (*ip.address && !find_kind(cloud, "primary", ip.id))
            add_primary(request, list, &ip);
    }
    for (size_t i = 0; i < cloud->ips.count; i++) {
        const struct movable_ip *ip = cloud->ips.items[i];
        if (is_kind(ip, "primary"))
            add_primary(request, list, ip);
    }
    hz_list(request, response, "primary_ips", list, 50);
}

// Gives the one that came with a server a record.
static struct movable_ip *find_primary(const struct request *request, struct response *response,
                                       const char *id)
{
    struct cloud *cloud = request->cloud;
    struct movable_ip *found = find_kind(cloud, "primary", strtoll(id, NULL, 10));

    for (size_t i = 0; !found && i < cloud->servers.count * 2; i++) {
        struct movable_ip ip = primary_of(cloud->servers.items[i / 2], i % 2);
        if (!*ip.address || ip.id != strtoll(id, NULL, 10))
            continue;
        found = ip_create(cloud, "primary", NULL, ip.region, ip.address, false, NULL);
        found->id = ip.id;
        found->name = text_format("primary_ip-%lld", (long long)ip.id);
        found->server_id = ip.server_id;
        found->auto_delete = ip.auto_delete;
        found->created = ip.created;
    }
    if (!found)
        hz_not_found(response, "primary IP", id);
    return found;
}

static void get_primary(const struct request *request, struct response *response, const char *const args[])
{
    const struct movable_ip *ip = find_primary(request, response, args[0]);

    if (ip)
        hz_ok(response, 200, json_pack("{s:o}", "primary_ip", primary_json(request->cloud, ip)));
}

static bool is_off(const struct server *server, struct response *response)
{
    if (server->status == SERVER_OFF && !server->busy)
        return true;
    hz_error(response, 422, "server_not_stopped", "the server is running, but needs to be powered off");
    return false;
}

static bool can_take(const struct server *server, const struct movable_ip *ip, struct response *response)
{
    if (!is_off(server, response))
        return false;
    if (!text_equal(server->location, ip->region))
        hz_invalid(response, "assignee_id", "the primary IP and the server are not in the same location");
    else if (ip->ipv6 ? *server->ipv6_net : *server->ipv4)
        hz_error(response, 422, ip->ipv6 ? "server_has_ipv6" : "server_has_ipv4",
                 "the server already has an %s address", ip->ipv6 ? "ipv6" : "ipv4");
    else
        return true;
    return false;
}

static struct action *done(const struct request *request, const char *command, const struct movable_ip *ip)
{
    struct action *action = action_start(request->cloud, command, "primary_ip", ip->id);

    action_finish(action, NULL);
    return action;
}

static struct action *give(const struct request *request, struct movable_ip *ip, struct server *server)
{
    server_set_address(server, ip->ipv6, ip);
    ip->server_id = server->id;
    return done(request, "assign_primary_ip", ip);
}

static void create_primary(const struct request *request, struct response *response, const char *const args[])
{
    struct order order;

    (void)args;
    if (!read_order(request, response, "primary", "location", "assignee_id", &order) ||
        (order.server &&
         !can_take(order.server, &(struct movable_ip){.ipv6 = order.ipv6, .region = order.server->location},
                   response)))
        return;
    struct movable_ip *ip = make(request, "primary", &order);
    ip->auto_delete = json_is_true(json_object_get(request->body, "auto_delete"));
    struct action *action = order.server ? give(request, ip, order.server) : NULL;
    json_t *body = json_pack("{s:o}", "primary_ip", primary_json(request->cloud, ip));
    if (action)
        json_object_set_new(body, "action", hz_action_json(action));
    hz_ok(response, 201, body);
}

// Assigned ones cannot be deleted (docs.hetzner.cloud/changelog, 2026-01-29).
static void delete_primary(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = find_primary(request, response, args[0]);

    if (!ip)
        return;
    if (ip->server_id) {
        hz_error(response, 422, "must_be_unassigned", "primary IP must be unassigned");
        return;
    }
    ip_delete(request->cloud, ip);
    hz_ok(response, 204, NULL);
}

static void assign_primary(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = find_primary(request, response, args[0]);
    struct server *server = ip ? read_server(request, response, "assignee_id") : NULL;

    if (!server)
        return;
    if (ip->server_id)
        hz_error(response, 422, "primary_ip_already_assigned", "primary IP is already assigned");
    else if (can_take(server, ip, response))
        hz_ok(response, 201, json_pack("{s:o}", "action", hz_action_json(give(request, ip, server))));
}

static void unassign_primary(const struct request *request, struct response *response,
                             const char *const args[])
{
    struct movable_ip *ip = find_primary(request, response, args[0]);
    struct server *server = ip ? server_find(request->cloud, ip->server_id) : NULL;

    if (!ip)
        return;
    if (!server) {
        hz_error(response, 422, "invalid_input", "primary IP is not assigned");
    } else if (is_off(server, response)) {
        server_set_address(server, ip->ipv6, NULL);
        ip->server_id = 0;
        hz_ok(response, 201,
              json_pack("{s:o}", "action", hz_action_json(done(request, "unassign_primary_ip", ip))));
    }
}

bool hz_primary_ip_wanted(const struct request *request, struct response *response, bool ipv6,
                          const struct movable_ip **ret)
{
    const json_t *net = json_object_get(request->body, "public_net");
    const json_t *id = json_object_get(net, ipv6 ? "ipv6" : "ipv4");

    *ret = NULL;
    if (!json_is_integer(id))
        return true;
    *ret = find_kind(request->cloud, "primary", json_integer_value(id));
    if (!*ret || (*ret)->ipv6 != ipv6)
        return hz_error(response, 404, "not_found", "primary IP not found"), false;
    if ((*ret)->server_id)
        return hz_error(response, 422, "primary_ip_already_assigned", "primary IP is already assigned"),
               false;
    return true;
}

void hz_primary_ip_taken(const struct movable_ip *ip, const struct server *server)
{
    if (ip)
        find_kind(server->cloud, "primary", ip->id)->server_id = server->id;
}

const struct route hz_ip_routes[] = {
    {"GET", "floating_ips", list_floating},
    {"POST", "floating_ips", create_floating},
    {"GET", "floating_ips/*", get_floating},
    {"DELETE", "floating_ips/*", delete_floating},
    {"POST", "floating_ips/*/actions/assign", assign_floating},
    {"POST", "floating_ips/*/actions/unassign", unassign_floating},
    {"GET", "primary_ips", list_primary},
    {"POST", "primary_ips", create_primary},
    {"GET", "primary_ips/*", get_primary},
    {"DELETE", "primary_ips/*", delete_primary},
    {"POST", "primary_ips/*/actions/assign", assign_primary},
    {"POST", "primary_ips/*/actions/unassign", unassign_primary},
    {NULL, NULL, NULL},
};
