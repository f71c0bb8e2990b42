// Addresses that outlive servers, and whom they belong to.
#include <stdlib.h>
#include <string.h>

#include "backend.h"

struct movable_ip *ip_find(struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->ips.count; i++) {
        struct movable_ip *ip = cloud->ips.items[i];
        if (ip->id == id)
            return ip;
    }
    return NULL;
}

struct movable_ip *ip_find_address(struct cloud *cloud, const char *address)
{
    for (size_t i = 0; i < cloud->ips.count; i++) {
        struct movable_ip *ip = cloud->ips.items[i];
        if (text_equal(ip->address, address))
            return ip;
    }
    return NULL;
}

struct movable_ip *ip_create(struct cloud *cloud, const char *kind, const char *name, const char *region,
                             const char *address, bool nat, json_t *labels)
{
    struct movable_ip *ip = zalloc(sizeof *ip);
    char ipv4[16], ipv6_net[48];

    *ip = (struct movable_ip){.id = cloud->ground->next_id++,
                              .kind = text_copy(kind),
                              .name = text_copy(name),
                              .region = text_copy(region),
                              .nat = nat,
                              .labels = labels ? json_deep_copy(labels) : json_object(),
                              .extra = json_object(),
                              .created = time(NULL)};
    if (!address) {
        ground_take_address(cloud->ground, ipv4, ipv6_net);
        address = ipv4;
    }
    snprintf(ip->address, sizeof ip->address, "%s", address);
    ip->ipv6 = strchr(address, ':') != NULL;
    array_add(&cloud->ips, ip);
    return ip;
}

struct action *ip_assign(struct cloud *cloud, struct movable_ip *ip, struct server *server,
                         const char *command)
{
    struct action *action = action_start(cloud, command, "floating_ip", ip->id);

    ip->server_id = server ? server->id : 0;
    action_finish(action, NULL);
    return action;
}

void ip_delete(struct cloud *cloud, struct movable_ip *ip)
{
    ip->server_id = 0;
    array_remove(&cloud->ips, ip);
    array_add(&cloud->removed, ip);
}

void ips_release(struct server *server)
{
    struct cloud *cloud = server->cloud;

    for (size_t i = cloud->ips.count; i-- > 0;) {
        struct movable_ip *ip = cloud->ips.items[i];
        if (ip->server_id != server->id)
            continue;
        ip->server_id = 0;
        if (ip->auto_delete)
            ip_delete(cloud, ip);
    }
}

void server_set_address(struct server *server, bool ipv6, const struct movable_ip *ip)
{
    const char *address = ip ? ip->address : "";
    int64_t id = ip ? ip->id : 0;

    if (ipv6) {
        server->ipv6_id = id;
        snprintf(server->ipv6_net, sizeof server->ipv6_net, "%s", address);
        snprintf(server->ipv6, sizeof server->ipv6, ip ? "%.*s1" : "%.*s", (int)strcspn(address, "/"),
                 address);
    } else {
        server->ipv4_id = id;
        snprintf(server->ipv4, sizeof server->ipv4, "%.15s", address);
    }
}
