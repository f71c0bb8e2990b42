// /snapshots: of droplets; those of volumes are not part of the local cloud. A snapshot shows when it is
// ready.
#include <stdlib.h>

#include "dialect_digitalocean.h"

// What both lists show of it.
static json_t *common_json(const struct snapshot *snapshot)
{
    return json_pack("{s:s, s:o, s:[s], s:i, s:f}", "name", snapshot->name, "created_at",
                     ocean_time(snapshot->created), "regions", snapshot->region, "min_disk_size",
                     snapshot->size_gb, "size_gigabytes", (double)snapshot->size_gb);
}

// Here ids are texts.
static json_t *snapshot_json(const struct snapshot *snapshot)
{
    json_t *json = common_json(snapshot);
    char *id = text_format("%lld", (long long)snapshot->id),
         *droplet = text_format("%lld", (long long)snapshot->server_id);

    json_object_set_new(json, "id", json_string(id));
    json_object_set_new(json, "resource_id", json_string(droplet));
    json_object_set_new(json, "resource_type", json_string("droplet"));
    json_object_set(json, "tags", snapshot->labels);
    free(id), free(droplet);
    return json;
}

// And in the list of a droplet, numbers.
static json_t *droplet_snapshot_json(const struct snapshot *snapshot)
{
    json_t *json = common_json(snapshot);

    json_object_set_new(json, "id", json_integer(snapshot->id));
    json_object_set_new(json, "type", json_string("snapshot"));
    return json;
}

static void list_snapshots(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->snapshots.count; i++) {
        const struct snapshot *snapshot = request->cloud->snapshots.items[i];
        if (snapshot->ready && request_query_has(request, "resource_type", "droplet"))
            json_array_append_new(list, snapshot_json(snapshot));
    }
    ocean_list(request, response, "snapshots", list);
}

static void list_of_droplet(const struct request *request, struct response *response,
                            const char *const args[])
{
    const struct server *server = ocean_droplet_find(request, response, args[0]);
    json_t *list = json_array();

    if (!server) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < request->cloud->snapshots.count; i++) {
        const struct snapshot *snapshot = request->cloud->snapshots.items[i];
        if (snapshot->ready && snapshot->server_id == server->id)
            json_array_append_new(list, droplet_snapshot_json(snapshot));
    }
    ocean_list(request, response, "snapshots", list);
}

static void get_snapshot(const struct request *request, struct response *response, const char *const args[])
{
    const struct snapshot *snapshot = ocean_snapshot_find(request->cloud, args[0]);

    if (snapshot)
        ocean_ok(response, 200, json_pack("{s:o}", "snapshot", snapshot_json(snapshot)));
    else
        ocean_not_found(response);
}

static void delete_snapshot(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct snapshot *snapshot = ocean_snapshot_find(request->cloud, args[0]);

    if (!snapshot) {
        ocean_not_found(response);
        return;
    }
    snapshot_delete(request->cloud, snapshot);
    ocean_ok(response, 204, NULL);
}

const struct route ocean_snapshot_routes[] = {
    {"GET", "snapshots", list_snapshots},
    {"GET", "snapshots/*", get_snapshot},
    {"DELETE", "snapshots/*", delete_snapshot},
    {"GET", "droplets/*/snapshots", list_of_droplet},
    {NULL, NULL, NULL},
};
