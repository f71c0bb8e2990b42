// /droplets: what they look like, and what can be done to them. Orders are in dialect_digitalocean_create.c.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

// The status can turn active before the address shows (terraform-provider-digitalocean#1598, #1604).
enum { ADDRESS_DELAY_MS = 300 };

static bool is_being_made(const struct server *server)
{
    const struct action *create =
        action_find(server->cloud, json_integer_value(json_object_get(server->extra, "create")));

    return create && create->status == ACTION_RUNNING;
}

// A droplet that is being destroyed looks as before until it is gone.
static const char *status_name(const struct server *server)
{
    if (is_being_made(server))
        return "new";
    return server->status == SERVER_OFF || server->status == SERVER_STARTING ? "off" : "active";
}

static bool addresses_shown(const struct server *server)
{
    int delay_ms = server->address_delay_ms > 0 ? server->address_delay_ms : ADDRESS_DELAY_MS;

    if (server->running_ms > 0 && now_ms() - server->running_ms >= delay_ms)
        json_object_set_new(server->extra, "addressed", json_true());
    return json_object_get(server->extra, "addressed") ||
           (server->status == SERVER_OFF && !is_being_made(server));
}

static json_t *public_v4(const struct server *server)
{
    const struct network *network = &server->cloud->ground->network;
    struct in_addr mask = {.s_addr = htonl(0xffffffffu << (32 - network->prefix))};
    char netmask[16];

    inet_ntop(AF_INET, &mask, netmask, sizeof netmask);
    return json_pack("{s:s, s:s, s:s, s:s}", "ip_address", server->ipv4, "netmask", netmask, "gateway",
                     network->gateway, "type", "public");
}

// Every droplet is in a private network, too, and that address comes first. Nothing answers there.
static json_t *private_v4(const struct server *server)
{
    char address[16];

    snprintf(address, sizeof address, "10.114.%u.%u", server->address >> 8 & 0xff, server->address & 0xff);
    return json_pack("{s:s, s:s, s:s, s:s}", "ip_address", address, "netmask", "255.255.0.0", "gateway",
                     "10.114.0.1", "type", "private");
}

static json_t *networks_json(const struct server *server)
{
    json_t *v4 = json_array(), *v6 = json_array();

    if (addresses_shown(server)) {
        json_array_append_new(v4, private_v4(server));
        if (*server->ipv4)
            json_array_append_new(v4, public_v4(server));
        if (*server->ipv6)
            json_array_append_new(v6, json_pack("{s:s, s:i, s:s, s:s}", "ip_address", server->ipv6, "netmask",
                                                64, "gateway", server->cloud->ground->network.gateway6,
                                                "type", "public"));
    }
    return json_pack("{s:o, s:o}", "v4", v4, "v6", v6);
}

// The snapshot may have gone since.
static json_t *image_of(const struct server *server)
{
    const struct ocean_image *image = ocean_image_find(server->image);
    const struct snapshot *snapshot = image ? NULL : ocean_snapshot_find(server->cloud, server->image);

    if (snapshot)
        return ocean_snapshot_image_json(snapshot);
    json_t *json = ocean_image_json(image ? image : ocean_image_find("debian-12-x64"));
    if (!image) {
        json_object_set_new(json, "id", json_integer(ocean_id(server->image)));
        json_object_set_new(json, "slug", json_null());
        json_object_set_new(json, "status", json_string("deleted"));
    }
    return json;
}

json_t *ocean_volume_ids(const struct server *server)
{
    json_t *list = json_array();

    for (size_t i = 0; i < server->cloud->volumes.count; i++) {
        const struct volume *volume = server->cloud->volumes.items[i];
        if (volume->server_id == server->id)
            json_array_append_new(list, ocean_uuid(volume->id));
    }
    return list;
}

static json_t *snapshot_ids(const struct server *server)
{
    json_t *list = json_array();

    for (size_t i = 0; i < server->cloud->snapshots.count; i++) {
        const struct snapshot *snapshot = server->cloud->snapshots.items[i];
        if (snapshot->server_id == server->id && snapshot->ready)
            json_array_append_new(list, json_integer(snapshot->id));
    }
    return list;
}

static json_t *features_json(const struct server *server)
{
    json_t *list = json_pack("[s, s]", "droplet_agent", "private_networking");

    if (*server->ipv6)
        json_array_append_new(list, json_string("ipv6"));
    return list;
}

json_t *ocean_droplet_json(const struct server *server)
{
    const struct cloud *cloud = server->cloud;
    const struct ocean_size *size = ocean_size_find(server->type);

    return json_pack("{s:I, s:s, s:i, s:i, s:i, s:b, s:s, s:n, s:o, s:o, s:[], s:n, s:o, s:o, s:o, s:o, s:s, "
                     "s:o, s:o, s:O, s:O}",
                     "id", (json_int_t)server->id, "name", server->name, "memory", size->memory_mb, "vcpus",
                     size->vcpus, "disk", size->disk_gb, "locked", server->busy, "status",
                     status_name(server), "kernel", "created_at", ocean_time(server->created), "features",
                     features_json(server), "backup_ids", "next_backup_window", "snapshot_ids",
                     snapshot_ids(server), "image", image_of(server), "volume_ids", ocean_volume_ids(server),
                     "size", ocean_size_json(cloud, size), "size_slug", size->slug, "networks",
                     networks_json(server), "region", ocean_region_json(cloud, server->location), "tags",
                     server->labels, "vpc_uuid", json_object_get(server->extra, "vpc_uuid"));
}

struct server *ocean_droplet_find(const struct request *request, struct response *response, const char *id)
{
    struct server *server = server_find(request->cloud, ocean_id(id));

    if (!server)
        ocean_not_found(response);
    return server;
}

// The text is that of packer#1814; `locked` tells the same.
bool ocean_droplet_locked(const struct server *server, struct response *response)
{
    if (server->busy)
        ocean_invalid(response, "Droplet already has a pending event.");
    return server->busy;
}

// By tag, or by exact name whatever its case; not by both.
static void list_droplets(const struct request *request, struct response *response, const char *const args[])
{
    const char *tag = request_query(request, "tag_name"), *name = request_query(request, "name");
    const char *type = request_query(request, "type");
    json_t *list = json_array();

    (void)args;
    if (tag && (name || type)) {
        json_decref(list);
        ocean_error(response, 400, "tag_name cannot be combined with name or type");
        return;
    }
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        if (server_listed(request, server) && (!tag || ocean_tagged(server->labels, tag)) &&
            (!name || strcasecmp(name, server->name) == 0) && !text_equal(type, "gpus"))
            json_array_append_new(list, ocean_droplet_json(server));
    }
    ocean_list(request, response, "droplets", list);
}

static void get_droplet(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ocean_droplet_find(request, response, args[0]);

    if (server)
        ocean_ok(response, 200, json_pack("{s:o}", "droplet", ocean_droplet_json(server)));
}

// Volumes and reserved IPs stay.
static void delete_droplet(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = ocean_droplet_find(request, response, args[0]);

    if (!server || ocean_droplet_locked(server, response))
        return;
    ocean_firewalls_forget(request->cloud, server->id);
    server_delete(server, "destroy");
    ocean_ok(response, 204, NULL);
}

// The droplets with the query's tag in `ret`, for array_free(). False: the response says why.
static bool tagged_droplets(const struct request *request, struct response *response, struct array *ret)
{
    const char *tag = request_query(request, "tag_name");

    *ret = (struct array){0};
    if (!tag || !ocean_tag_exists(request->cloud, tag)) {
        ocean_not_found(response);
        return false;
    }
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        struct server *server = request->cloud->servers.items[i];
        if (!ocean_tagged(server->labels, tag))
            continue;
        if (ocean_droplet_locked(server, response)) {
            array_free(ret);
            return false;
        }
        array_add(ret, server);
    }
    return true;
}

static void delete_tagged(const struct request *request, struct response *response, const char *const args[])
{
    struct array found;

    (void)args;
    if (!tagged_droplets(request, response, &found))
        return;
    for (size_t i = 0; i < found.count; i++) {
        ocean_firewalls_forget(request->cloud, ((struct server *)found.items[i])->id);
        server_delete(found.items[i], "destroy");
    }
    array_free(&found);
    ocean_ok(response, 204, NULL);
}

static const struct {
    const char *type;
    enum power power;
} powers[] = {{"power_on", POWER_ON},
              {"power_off", POWER_OFF},
              {"shutdown", POWER_SHUTDOWN},
              {"reboot", POWER_REBOOT},
              {"power_cycle", POWER_RESET}};

static struct action *take_snapshot(const struct request *request, struct server *server)
{
    const char *name = json_string_value(json_object_get(request->body, "name"));
    json_t *no_tags = json_array();
    struct action *action = NULL;
    char now[32];

    time_text(time(NULL), now);
    char *given = name && *name ? text_copy(name) : text_format("%s-%s", server->name, now);
    snapshot_create(server, given, no_tags, "snapshot", &action);
    free(given), json_decref(no_tags);
    return action;
}

static struct action *rename_droplet(const struct request *request, struct response *response,
                                     struct server *server)
{
    const char *name;

    if (!ocean_text(request, response, "name", true, &name))
        return NULL;
    free(server->name);
    server->name = text_copy(name);
    struct action *action = action_start(request->cloud, "rename", "server", server->id);
    action_finish(action, NULL);
    return action;
}

// NULL: the response says why not.
static struct action *act(const struct request *request, struct response *response, struct server *server)
{
    const char *type;

    if (!ocean_text(request, response, "type", true, &type) || ocean_droplet_locked(server, response))
        return NULL;
    if (text_equal(type, "snapshot"))
        return take_snapshot(request, server);
    if (text_equal(type, "rename"))
        return rename_droplet(request, response, server);
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        if (text_equal(type, powers[i].type))
            return server_power(server, powers[i].power, powers[i].type);
    ocean_invalid(response, "the action '%s' is not part of the local cloud", type);
    return NULL;
}

static void act_on_droplet(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = ocean_droplet_find(request, response, args[0]);
    const struct action *action = server ? act(request, response, server) : NULL;

    if (action)
        ocean_ok(response, 201, json_pack("{s:o}", "action", ocean_action_json(request->cloud, action)));
}

static void act_on_tagged(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();
    struct array found;

    (void)args;
    if (!tagged_droplets(request, response, &found)) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct action *action = act(request, response, found.items[i]);
        if (action)
            json_array_append_new(list, ocean_action_json(request->cloud, action));
    }
    array_free(&found);
    if (response->status)
        json_decref(list); // refused
    else
        ocean_ok(response, 201, json_pack("{s:o}", "actions", list));
}

const struct route ocean_droplet_routes[] = {
    {"GET", "droplets", list_droplets},
    {"DELETE", "droplets", delete_tagged},
    {"POST", "droplets/actions", act_on_tagged},
    {"GET", "droplets/*", get_droplet},
    {"DELETE", "droplets/*", delete_droplet},
    {"POST", "droplets/*/actions", act_on_droplet},
    {NULL, NULL, NULL},
};
