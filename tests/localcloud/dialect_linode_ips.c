// /networking/ips: there is no floating address; instances of one region swap what they have, and each keeps
// a public one. An address that has moved once is a movable one of the model, so that packets follow it;
// inside the machine the client has to configure it.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

json_t *ln_public_addresses(const struct server *server)
{
    struct cloud *cloud = server->cloud;
    json_t *list = json_array();

    if (*server->ipv4 && !ip_find_address(cloud, server->ipv4))
        json_array_append_new(list, json_string(server->ipv4));
    for (size_t i = 0; i < cloud->ips.count; i++) {
        const struct movable_ip *ip = cloud->ips.items[i];
        if (ip->server_id != server->id)
            continue;
        if (text_equal(ip->address, server->ipv4))
            json_array_insert_new(list, 0, json_string(ip->address));
        else
            json_array_append_new(list, json_string(ip->address));
    }
    return list;
}

const char *ln_private_address(const struct server *server)
{
    return json_string_value(json_object_get(server->extra, "private_ip"));
}

void ln_private_address_add(struct server *server) // of 192.168.128.0/17
{
    char *text = text_format("192.168.%u.%u", 128 + (server->address >> 8 & 0x7f), server->address & 0xff);

    json_object_set_new(server->extra, "private_ip", json_string(text));
    free(text);
}

json_t *ln_ip_json(const struct cloud *cloud, const struct server *server, const char *address)
{
    bool is_private = text_starts(address, "192.168.");
    json_t *json = json_pack(
        "{s:s, s:i, s:s, s:s, s:b, s:I, s:s, s:n, s:n}", "address", address, "prefix", is_private ? 17 : 24,
        "subnet_mask", is_private ? "255.255.128.0" : "255.255.255.0", "type", "ipv4", "public", !is_private,
        "linode_id", (json_int_t)server->id, "region", server->location, "rdns", "interface_id");
    char *gateway = text_format("%.*s.1", (int)(strrchr(address, '.') - address), address);

    json_object_set_new(json, "gateway", is_private ? json_null() : json_string(gateway));
    ln_set_null(cloud, json, "vpc_nat_1_1");
    free(gateway);
    return json;
}

// The instance gives up what it has. Its own address stays out of use if another one's was exchanged for it.
void ln_addresses_give_up(struct server *server)
{
    struct cloud *cloud = server->cloud;

    for (size_t i = cloud->ips.count; i-- > 0;) {
        struct movable_ip *ip = cloud->ips.items[i];
        if (ip->server_id == server->id)
            ip_assign(cloud, ip, NULL, "linode_deleteip");
    }
}

static struct server *holder(struct cloud *cloud, const char *address)
{
    for (size_t i = 0; i < cloud->servers.count; i++) {
        struct server *server = cloud->servers.items[i];
        json_t *own = ln_public_addresses(server), *entry;
        bool has = text_equal(ln_private_address(server), address);
        size_t k;
        json_array_foreach(own, k, entry) has |= text_equal(json_string_value(entry), address);
        json_decref(own);
        if (has)
            return server;
    }
    return NULL;
}

static void list_ips(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array(), *own, *address;
    size_t k;

    (void)args;
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        own = ln_public_addresses(server);
        json_array_foreach(own, k, address)
            json_array_append_new(list, ln_ip_json(request->cloud, server, json_string_value(address)));
        json_decref(own);
    }
    ln_list(request, response, list, "address prefix rdns region type");
}

static void get_ip(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = holder(request->cloud, args[0]);

    if (server)
        ln_ok(response, ln_ip_json(request->cloud, server, args[0]));
    else
        ln_not_found(response);
}

// More than one public address needs a ticket at the provider's support.
static void allocate_ip(const struct request *request, struct response *response, const char *const args[])
{
    json_int_t id;

    (void)args;
    if (!ln_integer(request, response, "linode_id", 0, 1, INT64_MAX, &id))
        return;
    struct server *server = server_find(request->cloud, id);
    if (!server) {
        ln_invalid(response, "linode_id", "Linode not found");
    } else if (ln_boolean(request, "public", true)) {
        ln_invalid(
            response, NULL,
            "Additional IPv4 addresses require technical justification. Please contact support describing "
            "your requirement");
    } else if (ln_private_address(server)) {
        ln_invalid(response, NULL, "Linodes may have no more than one private IPv4 address");
    } else {
        ln_private_address_add(server);
        ln_ok(response, ln_ip_json(request->cloud, server, ln_private_address(server)));
    }
}

static struct server *place_of(const struct request *request, struct response *response,
                               const json_t *assignment, const char *region, size_t index)
{
    const json_t *id = json_object_get(assignment, "linode_id");
    struct server *server = server_find(request->cloud, json_integer_value(id));
    char field[48];

    snprintf(field, sizeof field, "assignments[%zu].linode_id", index);
    if (!server)
        ln_invalid(response, field, "Linode not found");
    else if (!text_equal(server->location, region))
        ln_invalid(response, field, "Linode %lld is not in region %s", (long long)server->id, region);
    else
        return server;
    return NULL;
}

// Who would have `address` once all assignments are carried out: the last one that names it wins.
static json_int_t future_holder(const json_t *assignments, const char *address, const struct server *now)
{
    json_int_t id = now ? now->id : 0;
    json_t *assignment;
    size_t i;

    json_array_foreach(
        assignments, i,
        assignment) if (text_equal(json_string_value(json_object_get(assignment, "address")), address)) id =
        json_integer_value(json_object_get(assignment, "linode_id"));
    return id;
}

static int future_count(struct cloud *cloud, const json_t *assignments, const struct server *server)
{
    int count = 0;

    for (size_t i = 0; i < cloud->servers.count; i++) {
        const struct server *other = cloud->servers.items[i];
        json_t *own = ln_public_addresses(other), *address;
        size_t k;
        json_array_foreach(own, k, address) count +=
            future_holder(assignments, json_string_value(address), other) == server->id;
        json_decref(own);
    }
    return count;
}

static bool assignments_valid(const struct request *request, struct response *response,
                              const json_t *assignments, const char *region)
{
    json_t *assignment;
    size_t i;
    char field[48];

    json_array_foreach(assignments, i, assignment)
    {
        const char *address = json_string_value(json_object_get(assignment, "address"));
        const struct server *from = address ? holder(request->cloud, address) : NULL;
        snprintf(field, sizeof field, "assignments[%zu].address", i);
        if (!from || text_equal(ln_private_address(from), address))
            return ln_invalid(response, field, "Address not found"), false;
        if (!text_equal(from->location, region))
            return ln_invalid(response, field, "%s is not in region %s", address, region), false;
        if (!place_of(request, response, assignment, region, i))
            return false;
    }
    for (i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        if (text_equal(server->location, region) && future_count(request->cloud, assignments, server) == 0)
            return ln_invalid(response, "assignments",
                              "Linode %lld must have at least one public IPv4 address",
                              (long long)server->id),
                   false;
    }
    return true;
}

static void carry_out(const struct request *request, const json_t *assignments, const char *region)
{
    json_t *assignment;
    size_t i;

    json_array_foreach(assignments, i, assignment)
    {
        const char *address = json_string_value(json_object_get(assignment, "address"));
        json_int_t id = json_integer_value(json_object_get(assignment, "linode_id"));
        struct movable_ip *ip = ip_find_address(request->cloud, address);
        if (!ip)
            ip = ip_create(request->cloud, "assigned", address, region, address, false, NULL);
        ip_assign(request->cloud, ip, server_find(request->cloud, id), "ipaddress_update");
    }
}

static void assign(const struct request *request, struct response *response, const char *const args[])
{
    const json_t *assignments = json_object_get(request->body, "assignments");
    const char *region;

    (void)args;
    if (!ln_text(request, response, "region", true, &region))
        return;
    const char *canonical = ln_region_find(region);
    if (!canonical) {
        ln_invalid(response, "region", "region is not valid");
    } else if (json_array_size(assignments) == 0) {
        ln_invalid(response, "assignments", "assignments is required");
    } else if (assignments_valid(request, response, assignments, canonical)) {
        carry_out(request, assignments, canonical);
        ln_done(response);
    }
}

// Remembered and answered; routing to the one that takes over is BGP's at the provider, and nobody's here.
static void share(const struct request *request, struct response *response, const char *const args[])
{
    const json_t *ips = json_object_get(request->body, "ips");
    json_int_t id;
    json_t *address;
    size_t i;

    (void)args;
    if (!ln_integer(request, response, "linode_id", 0, 1, INT64_MAX, &id))
        return;
    struct server *server = server_find(request->cloud, id);
    if (!server) {
        ln_invalid(response, "linode_id", "Linode not found");
        return;
    }
    json_array_foreach(ips, i, address) if (!json_is_string(address) ||
                                            !holder(request->cloud, json_string_value(address)))
    {
        ln_invalid(response, "ips", "Address not found");
        return;
    }
    json_object_set_new(server->extra, "shared", json_deep_copy(ips));
    ln_done(response);
}

const struct route ln_ip_routes[] = {
    {"GET", "networking/ips", list_ips},
    {"POST", "networking/ips", allocate_ip},
    {"POST", "networking/ips/assign", assign},
    {"POST", "networking/ips/share", share},
    {"POST", "networking/ipv4/assign", assign}, // the older names
    {"POST", "networking/ipv4/share", share},
    {"GET", "networking/ips/*", get_ip},
    {NULL, NULL, NULL},
};
