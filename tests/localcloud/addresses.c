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

struct move {
    struct ground *ground;
    struct action *action; // may be NULL
    char address[48], via[48];
    bool nat;
};

static void move_job(void *arg)
{
    struct move *move = arg;
    struct ground *ground = move->ground;
    struct why why;
    bool ok =
        ground->backend->route_ip(ground, move->address, move->nat, *move->via ? move->via : NULL, &why);

    ground_lock(ground);
    if (move->action)
        action_finish(move->action, ok ? NULL : why.text);
    ground_unlock(ground);
    if (!ok)
        log_line("address %s: %s", move->address, why.text);
    free(move);
}

// Where packets for it go from now on. They reach a machine by the address that came with it.
static void lead(struct cloud *cloud, const struct movable_ip *ip, const struct server *server,
                 struct action *action)
{
    struct move *move = zalloc(sizeof *move);
    const char *own = server ? ip->ipv6 ? server->ipv6 : server->ipv4 : "";

    *move = (struct move){.ground = cloud->ground, .action = action, .nat = ip->nat};
    snprintf(move->address, sizeof move->address, "%s", ip->address);
    snprintf(move->via, sizeof move->via, "%s", text_equal(own, ip->address) ? "" : own);
    jobs_add(cloud->ground->ip_jobs, 0, move_job, free, move);
}

struct action *ip_assign(struct cloud *cloud, struct movable_ip *ip, struct server *server,
                         const char *command)
{
    struct action *action = action_start(cloud, command, "floating_ip", ip->id);

    ip->server_id = server ? server->id : 0;
    lead(cloud, ip, server, action);
    return action;
}

void ip_delete(struct cloud *cloud, struct movable_ip *ip)
{
    if (ip->server_id)
        lead(cloud, ip, NULL, NULL);
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
        if (ip->auto_delete) {
            ip_delete(cloud, ip);
            continue;
        }
        lead(cloud, ip, NULL, NULL);
        ip->server_id = 0;
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
