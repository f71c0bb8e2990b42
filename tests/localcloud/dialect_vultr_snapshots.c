// Snapshots. They belong to no region: an instance can be made from one anywhere.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

static struct snapshot *find_snapshot(const struct request *request, struct response *response,
                                      const char *id)
{
    struct snapshot *snapshot = snapshot_find(request->cloud, uuid_id(id));

    if (!snapshot)
        vt_not_found(response, "snapshot");
    return snapshot;
}

static json_t *snapshot_json(const struct snapshot *snapshot)
{
    json_int_t bytes = snapshot->ready ? (json_int_t)snapshot->size_gb * 1024 * 1024 * 1024 : 0;

    return json_pack("{s:o, s:o, s:s, s:I, s:I, s:s, s:O, s:i}", "id", vt_id(snapshot->id), "date_created",
                     vt_time(snapshot->created), "description", snapshot->name, "size", bytes,
                     "compressed_size", bytes / 2, "status", snapshot->ready ? "complete" : "pending",
                     "os_id", json_object_get(snapshot->extra, "os_id"), "app_id", 0);
}

static void list_snapshots(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->snapshots.count; i++) {
        const struct snapshot *snapshot = request->cloud->snapshots.items[i];
        if (request_query_has(request, "description", snapshot->name))
            json_array_append_new(list, snapshot_json(snapshot));
    }
    vt_list(request, response, "snapshots", list, "id");
}

static void create_snapshot(const struct request *request, struct response *response,
                            const char *const args[])
{
    const char *id, *description;
    struct action *action;

    (void)args;
    if (!vt_text(request, response, "instance_id", true, &id) ||
        !vt_text(request, response, "description", false, &description))
        return;
    struct server *server = vt_server_find(request, response, id);
    if (!server || vt_server_locked(server, response))
        return;
    struct snapshot *snapshot =
        snapshot_create(server, description ? description : "", NULL, "snapshot", &action);
    json_object_set_new(snapshot->extra, "os_id", json_integer(atoi(server->image)));
    vt_ok(response, 201, json_pack("{s:o}", "snapshot", snapshot_json(snapshot)));
}

static void get_snapshot(const struct request *request, struct response *response, const char *const args[])
{
    const struct snapshot *snapshot = find_snapshot(request, response, args[0]);

    if (snapshot)
        vt_ok(response, 200, json_pack("{s:o}", "snapshot", snapshot_json(snapshot)));
}

static void update_snapshot(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct snapshot *snapshot = find_snapshot(request, response, args[0]);
    const char *description;

    if (!snapshot || !vt_text(request, response, "description", true, &description))
        return;
    free(snapshot->name);
    snapshot->name = text_copy(description);
    vt_empty(response);
}

static void delete_snapshot(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct snapshot *snapshot = find_snapshot(request, response, args[0]);

    if (!snapshot)
        return;
    snapshot_delete(request->cloud, snapshot);
    vt_empty(response);
}

const struct route vt_snapshot_routes[] = {
    {"GET", "snapshots", list_snapshots},       {"POST", "snapshots", create_snapshot},
    {"GET", "snapshots/*", get_snapshot},       {"PUT", "snapshots/*", update_snapshot},
    {"DELETE", "snapshots/*", delete_snapshot}, {NULL, NULL, NULL},
};
