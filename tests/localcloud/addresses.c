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
    struct ip_route route;
};

static void move_job(void *arg)
{
    struct move *move = arg;
    struct ground *ground = move->ground;
    struct why why;
    bool ok = ground->backend->route_ip(ground, &move->route, &why);

    ground_lock(ground);
    if (move->action)
        action_finish(move->action, ok ? NULL : why.text);
    ground_unlock(ground);
    if (!ok)
        log_line("address %s: %s", move->route.address, why.text);
    free(move);
}

static struct move *move_new(struct cloud *cloud, const struct movable_ip *ip, const struct server *server)
{
    struct move *move = zalloc(sizeof *move);

    move->ground = cloud->ground;
    move->route.nat = ip->nat;
    snprintf(move->route.address, sizeof move->route.address, "%s", ip->address);
    if (server) {
        move->route.machine = server->address;
        snprintf(move->route.own, sizeof move->route.own, "%s", server->ipv4);
        if (!text_equal(server->ipv6_net, ip->address))
            snprintf(move->route.own_v6, sizeof move->route.own_v6, "%s", server->ipv6);
    }
    return move;
}

static void later(struct move *move)
{
    jobs_add(move->ground->ip_jobs, 0, move_job, free, move);
}

struct action *ip_assign(struct cloud *cloud, struct movable_ip *ip, struct server *server,
                         const char *command)
{
    struct action *action = action_start(cloud, command, "floating_ip", ip->id);

    ip->server_id = server ? server->id : 0;
    struct move *move = move_new(cloud, ip, server);
    move->action = action;
    later(move);
    return action;
}

void ip_delete(struct cloud *cloud, struct movable_ip *ip)
{
    struct move *move = move_new(cloud, ip, NULL);

    move->route.gone = true;
    later(move);
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
        ip->server_id = 0;
        later(move_new(cloud, ip, NULL));
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
