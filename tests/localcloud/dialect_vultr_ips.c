// Reserved IPs: addresses of a region that outlive instances. The instance that one is attached to has to
// configure it itself, unless it is its main address: it was created with it, or the address was its own.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

struct movable_ip *vt_ip_find(const struct request *request, struct response *response, const char *id)
{
    struct movable_ip *ip = ip_find(request->cloud, uuid_id(id));

    if (!ip)
        vt_not_found(response, "reserved IP");
    return ip;
}

static json_t *ip_json(const struct movable_ip *ip)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:i, s:s, s:o}", "id", vt_id(ip->id), "region", ip->region,
                     "ip_type", ip->ipv6 ? "v6" : "v4", "subnet", ip->address, "subnet_size",
                     ip->ipv6 ? 64 : 32, "label", ip->name, "instance_id", vt_id(ip->server_id));
}

static void list_ips(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ips.count; i++)
        json_array_append_new(list, ip_json(request->cloud->ips.items[i]));
    vt_list(request, response, "reserved_ips", list, "id");
}

static void create_ip(const struct request *request, struct response *response, const char *const args[])
{
    const char *region, *type, *label;
    char ipv4[16], ipv6[48];

    (void)args;
    if (!vt_region(request, response, &region) || !vt_text(request, response, "ip_type", true, &type) ||
        !vt_text(request, response, "label", false, &label))
        return;
    if (!text_equal(type, "v4") && !text_equal(type, "v6")) {
        vt_error(response, 400, "Invalid ip_type.");
        return;
    }
    ground_take_address(request->cloud->ground, ipv4, ipv6);
    ipv6[strcspn(ipv6, "/")] = '\0';
    const struct movable_ip *ip = ip_create(request->cloud, "reserved", label ? label : "", region,
                                            text_equal(type, "v4") ? ipv4 : ipv6, false, NULL);
    vt_ok(response, 201, json_pack("{s:o}", "reserved_ip", ip_json(ip)));
}

static void get_ip(const struct request *request, struct response *response, const char *const args[])
{
    const struct movable_ip *ip = vt_ip_find(request, response, args[0]);

    if (ip)
        vt_ok(response, 200, json_pack("{s:o}", "reserved_ip", ip_json(ip)));
}

static void update_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = vt_ip_find(request, response, args[0]);
    const char *label;

    if (!ip || !vt_text(request, response, "label", true, &label))
        return;
    free(ip->name);
    ip->name = text_copy(label);
    vt_ok(response, 200, json_pack("{s:o}", "reserved_ip", ip_json(ip)));
}

static void delete_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = vt_ip_find(request, response, args[0]);

    if (!ip)
        return;
    if (ip->server_id) {
        vt_error(response, 400, "Unable to delete reserved IP: it is attached to an instance.");
        return;
    }
    ip_delete(request->cloud, ip);
    vt_empty(response);
}

static void attach_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = vt_ip_find(request, response, args[0]);
    const char *id;

    if (!ip || !vt_text(request, response, "instance_id", true, &id))
        return;
    struct server *server = vt_server_find(request, response, id);
    if (!server || vt_server_locked(server, response))
        return;
    if (ip->server_id) {
        vt_error(response, 400, "Unable to attach reserved IP: it is already attached to an instance.");
    } else if (!text_equal(ip->region, server->location)) {
        vt_error(response, 400, "Unable to attach reserved IP: the instance is in another region.");
    } else {
        ip_assign(request->cloud, ip, server, "attach");
        vt_empty(response);
    }
}

// An instance that gives its main address away gets another one; here it has to be halted for that.
static bool replace_address(struct response *response, struct server *server)
{
    struct movable_ip fresh = {0};
    char ipv6[48], ipv4[16];

    if (server->status != SERVER_OFF) {
        vt_error(response, 400, "Unable to detach reserved IP: it is the main IP of a running instance.");
        return false;
    }
    ground_take_address(server->cloud->ground, ipv4, ipv6);
    snprintf(fresh.address, sizeof fresh.address, "%s", ipv4);
    server_set_address(server, false, &fresh);
    return true;
}

static void detach_ip(const struct request *request, struct response *response, const char *const args[])
{
    struct movable_ip *ip = vt_ip_find(request, response, args[0]);
    struct server *server = ip ? server_find(request->cloud, ip->server_id) : NULL;

    if (!ip || (server && vt_server_locked(server, response)))
        return;
    if (!server) {
        vt_error(response, 400, "Unable to detach reserved IP: it is not attached.");
        return;
    }
    if (text_equal(server->ipv4, ip->address) && !replace_address(response, server))
        return;
    ip_assign(request->cloud, ip, NULL, "detach");
    vt_empty(response);
}

static struct server *find_owner(const struct cloud *cloud, const char *address)
{
    for (size_t i = 0; i < cloud->servers.count; i++) {
        struct server *server = cloud->servers.items[i];
        if (text_equal(server->ipv4, address) && text_equal(vt_server_address(server), address))
            return server;
    }
    return NULL;
}

// An instance's own address becomes one that can be kept.
static void convert_ip(const struct request *request, struct response *response, const char *const args[])
{
    const char *address, *label;

    (void)args;
    if (!vt_text(request, response, "ip_address", true, &address) ||
        !vt_text(request, response, "label", false, &label))
        return;
    struct server *server = find_owner(request->cloud, address);
    if (!server || ip_find_address(request->cloud, address)) {
        vt_error(response, 400, "Invalid IP address.");
    } else if (!vt_server_locked(server, response)) {
        struct movable_ip *ip =
            ip_create(request->cloud, "reserved", label ? label : "", server->location, address, false, NULL);
        ip_assign(request->cloud, ip, server, "convert");
        vt_ok(response, 201, json_pack("{s:o}", "reserved_ip", ip_json(ip)));
    }
}

const struct route vt_ip_routes[] = {
    {"GET", "reserved-ips", list_ips},
    {"POST", "reserved-ips", create_ip},
    {"POST", "reserved-ips/convert", convert_ip},
    {"GET", "reserved-ips/*", get_ip},
    {"PATCH", "reserved-ips/*", update_ip},
    {"DELETE", "reserved-ips/*", delete_ip},
    {"POST", "reserved-ips/*/attach", attach_ip},
    {"POST", "reserved-ips/*/detach", detach_ip},
    {NULL, NULL, NULL},
};
