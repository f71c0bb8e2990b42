// /actions: what is under way, for droplets, reserved IPs and volumes. An action that failed does not say
// why.
#include "dialect_digitalocean.h"

// An order for a droplet is two actions of the model, of which the provider shows one: it ends when the
// droplet runs.
static const char hidden[] = "create_server", shown[] = "start_server";

struct kind {
    const char *model, *name; // resource types
    const char *(*region)(struct cloud *cloud, int64_t id);
};

static const char *server_region(struct cloud *cloud, int64_t id)
{
    const struct server *server = server_find(cloud, id);

    for (size_t i = 0; !server && i < cloud->removed_servers.count; i++)
        if (((const struct server *)cloud->removed_servers.items[i])->id == id)
            server = cloud->removed_servers.items[i];
    return server ? server->location : NULL;
}

static const char *ip_region(struct cloud *cloud, int64_t id)
{
    const struct movable_ip *ip = ip_find(cloud, id);

    return ip ? ip->region : NULL;
}

static const char *volume_region(struct cloud *cloud, int64_t id)
{
    const struct volume *volume = volume_find(cloud, id);

    return volume ? volume->region : NULL;
}

static const struct kind kinds[] = {{"server", "droplet", server_region},
                                    {"floating_ip", "reserved_ip", ip_region},
                                    {"volume", "backend", volume_region}};

// NULL: not an action that the provider shows.
static const struct kind *kind_of(const struct action *action)
{
    if (text_equal(action->command, hidden))
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_equal(kinds[i].model, action->resource_type))
            return &kinds[i];
    return NULL;
}

// A droplet that the backend took back after the 202 leaves no trace, nor do its actions
// (terraform-provider-digitalocean#1493).
static bool vanished(const struct cloud *cloud, const struct action *action)
{
    for (size_t i = 0; i < cloud->removed_servers.count; i++) {
        const struct server *server = cloud->removed_servers.items[i];
        if (text_equal(action->resource_type, "server") && server->id == action->resource_id)
            return server->vanish_after_ms > 0;
    }
    return false;
}

json_t *ocean_action_json(struct cloud *cloud, const struct action *action)
{
    static const char *const statuses[] = {"in-progress", "completed", "errored"};
    const struct kind *kind = kind_of(action);
    const char *region = kind ? kind->region(cloud, action->resource_id) : NULL;
    json_t *json = json_pack("{s:I, s:s, s:s, s:o, s:o, s:I, s:s, s:s?}", "id", (json_int_t)action->id,
                             "status", statuses[action->status], "type",
                             text_equal(action->command, shown) ? "create" : action->command, "started_at",
                             ocean_time(action->started), "completed_at", ocean_time(action->finished),
                             "resource_id", (json_int_t)action->resource_id, "resource_type",
                             kind ? kind->name : "backend", "region_slug", region);

    if (region)
        json_object_set_new(json, "region", ocean_region_json(cloud, region));
    if (text_equal(action->resource_type, "volume")) // its id would be a UUID
        json_object_set_new(json, "resource_id", json_null());
    return json;
}

json_t *ocean_action_link(const struct request *request, const struct action *action, const char *rel)
{
    char path[64];

    snprintf(path, sizeof path, "/v2/actions/%lld", (long long)action->id);
    char *href = ocean_link(request, path);
    json_t *json = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)action->id, "rel", rel, "href", href);
    free(href);
    return json;
}

void ocean_list_actions(const struct request *request, struct response *response, const char *resource_type,
                        int64_t resource_id)
{
    struct cloud *cloud = request->cloud;
    json_t *list = json_array();

    for (size_t i = cloud->actions.count; i-- > 0;) { // the newest first
        const struct action *action = cloud->actions.items[i];
        if (kind_of(action) && !vanished(cloud, action) &&
            (!resource_type ||
             (text_equal(action->resource_type, resource_type) && action->resource_id == resource_id)))
            json_array_append_new(list, ocean_action_json(cloud, action));
    }
    ocean_list(request, response, "actions", list);
}

static void list_actions(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    ocean_list_actions(request, response, NULL, 0);
}

static void answer_action(const struct request *request, struct response *response,
                          const struct action *action)
{
    if (!action || !kind_of(action) || vanished(request->cloud, action))
        ocean_not_found(response);
    else
        ocean_ok(response, 200, json_pack("{s:o}", "action", ocean_action_json(request->cloud, action)));
}

static void get_action(const struct request *request, struct response *response, const char *const args[])
{
    answer_action(request, response, action_find(request->cloud, ocean_id(args[0])));
}

static void list_droplet_actions(const struct request *request, struct response *response,
                                 const char *const args[])
{
    const struct server *server = ocean_droplet_find(request, response, args[0]);

    if (server)
        ocean_list_actions(request, response, "server", server->id);
}

static void get_droplet_action(const struct request *request, struct response *response,
                               const char *const args[])
{
    const struct action *action = action_find(request->cloud, ocean_id(args[1]));

    if (action && (!text_equal(action->resource_type, "server") || action->resource_id != ocean_id(args[0])))
        action = NULL;
    answer_action(request, response, action);
}

const struct route ocean_action_routes[] = {
    {"GET", "actions", list_actions},
    {"GET", "actions/*", get_action},
    {"GET", "droplets/*/actions", list_droplet_actions},
    {"GET", "droplets/*/actions/*", get_droplet_action},
    {NULL, NULL, NULL},
};
