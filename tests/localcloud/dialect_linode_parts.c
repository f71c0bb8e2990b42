// What belongs to one instance: disks, addresses, volumes, firewalls, backups.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

static json_t *disk_json(const struct server *server, const char *id_key, const char *label,
                         const char *filesystem, int size_mb)
{
    bool ready = server->status != SERVER_INITIALIZING;

    return json_pack("{s:O, s:s, s:s, s:i, s:s, s:o, s:o, s:s}", "id", json_object_get(server->extra, id_key),
                     "label", label, "filesystem", filesystem, "size", size_mb, "status",
                     ready ? "ready" : "not ready", "created", ln_time(server->created), "updated",
                     ln_time(server->created), "disk_encryption", "disabled");
}

static json_t *disks_json(const struct server *server)
{
    int swap = (int)json_integer_value(json_object_get(server->extra, "swap_mb"));
    json_t *list = json_array();

    if (!json_object_get(server->extra, "disk_id")) // an empty instance
        return list;
    char *label = text_format("%.30s Disk", server->image);
    json_array_append_new(
        list, disk_json(server, "disk_id", label, "ext4", ln_type_find(server->type)->disk_mb - swap));
    json_array_append_new(list, disk_json(server, "swap_id", "512 MB Swap Image", "swap", swap));
    free(label);
    return list;
}

static void list_disks(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);

    if (server)
        ln_list(request, response, disks_json(server), "label size");
}

static void get_disk(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);
    json_t *disks, *disk;
    size_t i;

    if (!server)
        return;
    ln_not_found(response);
    disks = disks_json(server);
    json_array_foreach(disks, i, disk) if (json_integer_value(json_object_get(disk, "id")) ==
                                           strtoll(args[1], NULL, 10)) ln_ok(response, json_incref(disk));
    json_decref(disks);
}

static json_t *slaac_json(const struct server *server)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:n, s:I, s:s, s:b}", "address", server->ipv6, "gateway",
                     "fe80::1", "subnet_mask", "ffff:ffff:ffff:ffff::", "prefix", 64, "type", "ipv6", "rdns",
                     "linode_id", (json_int_t)server->id, "region", server->location, "public", 1);
}

static void list_addresses(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);
    json_t *publics = json_array(), *privates = json_array(), *address;
    size_t i;

    if (server) {
        json_t *own = ln_public_addresses(server);
        const char *inside = ln_private_address(server);
        json_array_foreach(own, i, address)
            json_array_append_new(publics, ln_ip_json(request->cloud, server, json_string_value(address)));
        if (inside)
            json_array_append_new(privates, ln_ip_json(request->cloud, server, inside));
        json_decref(own);
        ln_ok(response, json_pack("{s:{s:O, s:O, s:[], s:[], s:[]}, s:{s:o, s:[]}}", "ipv4", "public",
                                  publics, "private", privates, "shared", "reserved", "vpc", "ipv6", "slaac",
                                  slaac_json(server), "global"));
        // The document knows no such key among an instance's private addresses.
        json_array_foreach(privates, i, address) json_object_del(address, "interface_id");
    }
    json_decref(publics), json_decref(privates);
}

static void add_address(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = ln_find_instance(request, response, args[0]);
    const char *type;

    if (!server || !ln_text(request, response, "type", true, &type))
        return;
    if (!text_equal(type, "ipv4")) {
        ln_invalid(response, "type", "Only ipv4 address allocation is currently supported.");
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

static void list_volumes(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);
    json_t *list = json_array();

    for (size_t i = 0; server && i < request->cloud->volumes.count; i++) {
        const struct volume *volume = request->cloud->volumes.items[i];
        if (volume->server_id == server->id)
            json_array_append_new(list, ln_volume_json(request->cloud, volume));
    }
    if (server)
        ln_list(request, response, list, "label tags");
    else
        json_decref(list);
}

static void list_firewalls(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);
    const struct firewall *firewall = server ? ln_firewall_of(request->cloud, server->id) : NULL;
    json_t *list = json_array();

    if (firewall)
        json_array_append_new(list, ln_firewall_json(firewall));
    if (server)
        ln_list(request, response, list, "id label tags");
    else
        json_decref(list);
}

// The backup service itself is not part of the local cloud: it is on or off, and has made nothing yet.
static void get_backups(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);

    if (!server)
        return;
    json_t *snapshot = json_object();
    ln_set_null(request->cloud, snapshot, "current");
    ln_set_null(request->cloud, snapshot, "in_progress");
    ln_ok(response, json_pack("{s:[], s:o}", "automatic", "snapshot", snapshot));
}

static void set_backups(const struct request *request, struct response *response, const char *id,
                        bool enabled)
{
    struct server *server = ln_find_instance(request, response, id);

    if (!server)
        return;
    json_object_set_new(server->extra, "backups_enabled", json_boolean(enabled));
    ln_done(response);
}

static void enable_backups(const struct request *request, struct response *response, const char *const args[])
{
    set_backups(request, response, args[0], true);
}

static void cancel_backups(const struct request *request, struct response *response, const char *const args[])
{
    set_backups(request, response, args[0], false);
}

const struct route ln_part_routes[] = {
    {"GET", "linode/instances/*/disks", list_disks},
    {"GET", "linode/instances/*/disks/*", get_disk},
    {"GET", "linode/instances/*/ips", list_addresses},
    {"POST", "linode/instances/*/ips", add_address},
    {"GET", "linode/instances/*/volumes", list_volumes},
    {"GET", "linode/instances/*/firewalls", list_firewalls},
    {"GET", "linode/instances/*/backups", get_backups},
    {"POST", "linode/instances/*/backups/enable", enable_backups},
    {"POST", "linode/instances/*/backups/cancel", cancel_backups},
    {NULL, NULL, NULL},
};
