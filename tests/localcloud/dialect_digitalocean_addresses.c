// /reserved_ips, and under their old name /floating_ips, which Libcloud uses. They stay in their region, and
// outlive the droplets they lead to.
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { ADDRESS_LIMIT = 100 }; // as in the account

static const char kind[] = "reserved";

// "reserved_ip" or "floating_ip", as the path says it.
static const char *one(const struct request *request)
{
    return text_equal(request->segments[0], "floating_ips") ? "floating_ip" : "reserved_ip";
}

// While an assignment is under way, nothing else can be done to the address.
static bool is_locked(struct cloud *cloud, const struct movable_ip *ip)
{
    const struct action *last = action_find(cloud, json_integer_value(json_object_get(ip->extra, "action")));

    return last && last->status == ACTION_RUNNING;
}

static json_t *ip_json(struct cloud *cloud, const struct movable_ip *ip)
{
    const struct server *server = ip->server_id ? server_find(cloud, ip->server_id) : NULL;

    return json_pack("{s:s, s:o, s:o, s:b, s:o}", "ip", ip->address, "region",
                     ocean_region_json(cloud, ip->region), "droplet",
                     server ? ocean_droplet_json(server) : json_null(), "locked", is_locked(cloud, ip),
                     "project_id", ocean_uuid(2));
}

static struct movable_ip *find_ip(const struct request *request, struct response *response,
                                  const char *address)
{
    struct movable_ip *ip = ip_find_address(request->cloud, address);

    if (ip && text_equal(ip->kind, kind))
        return ip;
    ocean_not_found(response);
    return NULL;
}

// The address, if it can be changed now. NULL: the response says why not, in the words of doctl#493.
static struct movable_ip *find_free_ip(const struct request *request, struct response *response,
                                       const char *address)
{
    struct movable_ip *ip = find_ip(request, response, address);

    if (!ip || !is_locked(request->cloud, ip))
        return ip;
    ocean_invalid(response, "The floating IP already has a pending event.");
    return NULL;
}

static const struct action *assign(struct cloud *cloud, struct movable_ip *ip, struct server *server)
{
    const struct action *action = ip_assign(cloud, ip, server, server ? "assign_ip" : "unassign_ip");

    json_object_set_new(ip->extra, "action", json_integer(action->id));
    return action;
}

static void list_ips(const struct request *request, struct response *response, const char *const args[])
{
    bool old = text_equal(one(request), "floating_ip");
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ips.count; i++)
        json_array_append_new(list, ip_json(request->cloud, request->cloud->ips.items[i]));
    ocean_list(request, response, old ? "floating_ips" : "reserved_ips", list);
}

// The droplet of the body's "droplet_id", or NULL: the response says why.
static struct server *read_droplet(const struct request *request, struct response *response,
                                   const char *region)
{
    struct server *server =
        server_find(request->cloud, ocean_number(json_object_get(request->body, "droplet_id")));

    if (!server)
        return ocean_invalid(response, "The Droplet does not exist."), NULL;
    if (region && !text_equal(server->location, region))
        return ocean_invalid(response, "The Droplet is not in the region of the reserved IP."), NULL;
    for (size_t i = 0; i < request->cloud->ips.count; i++)
        if (((const struct movable_ip *)request->cloud->ips.items[i])->server_id == server->id)
            return ocean_invalid(response, "The Droplet already has a reserved IP."), NULL;
    return ocean_droplet_locked(server, response) ? NULL : server;
}

static void create_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    bool for_droplet = json_object_get(request->body, "droplet_id") != NULL;
    struct server *server = for_droplet ? read_droplet(request, response, NULL) : NULL;
    const char *region;

    (void)args;
    if ((for_droplet && !server) || !ocean_text(request, response, "region", !for_droplet, &region))
        return;
    region = server ? server->location : region;
    if (!ocean_region_known(region)) {
        ocean_invalid(response, "Region is not available");
        return;
    }
    if (cloud->ips.count >= ADDRESS_LIMIT) {
        ocean_invalid(response, "creating this reserved IP will exceed your limit");
        return;
    }
    struct movable_ip *ip = ip_create(cloud, kind, NULL, region, NULL, true, NULL);
    json_t *links = json_object();
    if (server) {
        const struct action *action = assign(cloud, ip, server);
        json_object_set_new(links, "actions",
                            json_pack("[o]", ocean_action_link(request, action, "assign_ip")));
    }
    ocean_ok(response, 202, json_pack("{s:o, s:o}", one(request), ip_json(cloud, ip), "links", links));
}

static void get_ip(const struct request *request, struct response *response, const char *const args[])
{
    const struct movable_ip *ip = find_ip(request, response, args[0]);

    if (ip)
        ocean_ok(response, 200, json_pack("{s:o}", one(request), ip_json(request->cloud, ip)));
}

static void delete_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = find_free_ip(request, response, args[0]);

    if (!ip)
        return;
    ip_delete(request->cloud, ip);
    ocean_ok(response, 204, NULL);
}

// An assigned one can be assigned again: it moves.
static void act_on_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = find_free_ip(request, response, args[0]);
    struct server *server = NULL;
    const char *type;

    if (!ip || !ocean_text(request, response, "type", true, &type))
        return;
    bool give = text_equal(type, "assign");
    if (!give && !text_equal(type, "unassign")) {
        ocean_invalid(response, "the type must be assign or unassign");
        return;
    }
    if (!give && !ip->server_id) {
        ocean_invalid(response, "The reserved IP is not assigned to a Droplet.");
        return;
    }
    if (give && !(server = read_droplet(request, response, ip->region)))
        return;
    const struct action *action = assign(request->cloud, ip, server);
    ocean_ok(response, 201, json_pack("{s:o}", "action", ocean_action_json(request->cloud, action)));
}

static void list_ip_actions(const struct request *request, struct response *response,
                            const char *const args[])
{
    const struct movable_ip *ip = find_ip(request, response, args[0]);

    if (ip)
        ocean_list_actions(request, response, "floating_ip", ip->id);
}

const struct route ocean_address_routes[] = {
    {"GET", "reserved_ips", list_ips},
    {"POST", "reserved_ips", create_ip},
    {"GET", "reserved_ips/*", get_ip},
    {"DELETE", "reserved_ips/*", delete_ip},
    {"GET", "reserved_ips/*/actions", list_ip_actions},
    {"POST", "reserved_ips/*/actions", act_on_ip},
    {"GET", "floating_ips", list_ips},
    {"POST", "floating_ips", create_ip},
    {"GET", "floating_ips/*", get_ip},
    {"DELETE", "floating_ips/*", delete_ip},
    {"POST", "floating_ips/*/actions", act_on_ip},
    {NULL, NULL, NULL},
};
