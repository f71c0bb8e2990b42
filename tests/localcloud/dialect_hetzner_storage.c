// Volumes, and the images that are snapshots of servers.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

enum { VOLUME_MIN_GB = 10, VOLUME_MAX_GB = 10240 };

static json_t *volume_json(const struct volume *volume)
{
    char *device = text_format("/dev/disk/by-id/scsi-0HC_Volume_%lld", (long long)volume->id);
    json_t *format = json_object_get(volume->extra, "format");
    json_t *json = json_pack(
        "{s:I, s:o, s:s, s:o, s:o, s:i, s:s, s:{s:b}, s:O, s:s, s:o}", "id", (json_int_t)volume->id,
        "created", hz_time(volume->created), "name", volume->name, "server",
        volume->server_id ? json_integer(volume->server_id) : json_null(), "location",
        hz_location_json(volume->region), "size", volume->size_gb, "linux_device", device, "protection",
        "delete", 0, "labels", volume->labels, "status", volume->ready ? "available" : "creating", "format",
        format ? json_incref(format) : json_null());

    free(device);
    return json;
}

json_t *hz_volumes_of(const struct server *server)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < server->cloud->volumes.count; i++) {
        const struct volume *volume = server->cloud->volumes.items[i];
        if (volume->server_id == server->id)
            json_array_append_new(ids, json_integer(volume->id));
    }
    return ids;
}

static struct volume *find_volume(const struct request *request, struct response *response, const char *id)
{
    struct volume *volume = volume_find(request->cloud, strtoll(id, NULL, 10));

    if (!volume)
        hz_not_found(response, "volume", id);
    return volume;
}

bool hz_volumes_exist(const struct request *request, struct response *response)
{
    json_t *ids = json_object_get(request->body, "volumes"), *id;
    size_t i;

    json_array_foreach(ids, i, id)
    {
        const struct volume *volume = volume_find(request->cloud, json_integer_value(id));
        if (!volume || volume->server_id) {
            hz_error(response, volume ? 422 : 404, volume ? "volume_already_attached" : "not_found",
                     volume ? "volume is already attached" : "volumes not found");
            return false;
        }
    }
    return true;
}

void hz_attach_ordered(const struct request *request, struct server *server)
{
    json_t *ids = json_object_get(request->body, "volumes"), *id;
    size_t i;

    json_array_foreach(ids, i, id) volume_attach(
        request->cloud, volume_find(request->cloud, json_integer_value(id)), server, "attach_volume");
}

static void list_volumes(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->volumes.count; i++) {
        const struct volume *volume = request->cloud->volumes.items[i];
        if (request_query_has(request, "status", volume->ready ? "available" : "creating"))
            json_array_append_new(list, volume_json(volume));
    }
    hz_list(request, response, "volumes", list, 50);
}

// Letters, digits, dashes, underscores and dots; letters or digits at both ends; 64 at most.
static bool volume_name_valid(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && (i == 0 || i + 1 == size || !strchr("-_.", name[i])))
            return false;
    return size > 0 && size <= 64;
}

static bool volume_name_is_new(const struct cloud *cloud, const char *name)
{
    for (size_t i = 0; i < cloud->volumes.count; i++)
        if (text_equal(((const struct volume *)cloud->volumes.items[i])->name, name))
            return false;
    return true;
}

struct volume_order {
    const char *name, *location, *format;
    int size_gb;
    struct server *server; // NULL: for nobody yet
};

static bool read_place(const struct request *request, struct response *response, struct volume_order *order)
{
    const json_t *server = json_object_get(request->body, "server");
    char place[64];

    if (json_is_integer(server)) {
        snprintf(place, sizeof place, "%lld", json_integer_value(server));
        order->server = hz_server_find(request, response, place);
        order->location = order->server ? order->server->location : NULL;
        return order->server != NULL;
    }
    if (!hz_reference(request, response, "location", true, place))
        return false;
    if (!hz_location_exists(place, &order->location))
        return hz_invalid(response, "location", "unknown location"), false;
    return true;
}

static bool read_volume(const struct request *request, struct response *response, struct volume_order *order)
{
    const json_t *size = json_object_get(request->body, "size");

    *order = (struct volume_order){.size_gb = (int)json_integer_value(size)};
    if (!hz_text(request, response, "name", true, &order->name) ||
        !hz_text(request, response, "format", false, &order->format) ||
        !hz_labels_valid(response, json_object_get(request->body, "labels")) ||
        !read_place(request, response, order))
        return false;
    if (!json_is_integer(size) || order->size_gb < VOLUME_MIN_GB || order->size_gb > VOLUME_MAX_GB)
        return hz_invalid(response, "size", "Must be between %d and %d.", VOLUME_MIN_GB, VOLUME_MAX_GB),
               false;
    if (order->format && !text_equal(order->format, "ext4") && !text_equal(order->format, "xfs"))
        return hz_invalid(response, "format", "Must be one of: xfs, ext4."), false;
    if (!volume_name_valid(order->name))
        return hz_invalid(response, "name", "Not a valid volume name."), false;
    if (!volume_name_is_new(request->cloud, order->name))
        return hz_error(response, 409, "uniqueness_error", "volume name is already used"), false;
    return true;
}

static void create_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume_order order;
    struct action *create;

    (void)args;
    if (!read_volume(request, response, &order))
        return;
    struct volume *volume = volume_create(request->cloud, order.name, order.location, order.size_gb,
                                          json_object_get(request->body, "labels"), &create);
    json_t *next = json_array();
    if (order.format)
        json_object_set_new(volume->extra, "format", json_string(order.format));
    if (order.server)
        json_array_append_new(
            next, hz_action_json(volume_attach(request->cloud, volume, order.server, "attach_volume")));
    hz_ok(response, 201,
          json_pack("{s:o, s:o, s:o}", "volume", volume_json(volume), "action", hz_action_json(create),
                    "next_actions", next));
}

static void get_volume(const struct request *request, struct response *response, const char *const args[])
{
    const struct volume *volume = find_volume(request, response, args[0]);

    if (volume)
        hz_ok(response, 200, json_pack("{s:o}", "volume", volume_json(volume)));
}

static void delete_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_volume(request, response, args[0]);

    if (!volume)
        return;
    if (volume->server_id) {
        hz_error(response, 422, "invalid_input", "volume must not be attached to a server");
        return;
    }
    volume_delete(request->cloud, volume);
    hz_ok(response, 204, NULL);
}

static void attach_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_volume(request, response, args[0]);
    const json_t *id = json_object_get(request->body, "server");
    char text[24];

    if (!volume)
        return;
    if (!json_is_integer(id)) {
        hz_invalid(response, "server", "Missing data for required field.");
        return;
    }
    snprintf(text, sizeof text, "%lld", json_integer_value(id));
    struct server *server = hz_server_find(request, response, text);
    if (!server)
        return;
    if (volume->server_id)
        hz_error(response, 422, "volume_already_attached", "volume is already attached");
    else if (!text_equal(server->location, volume->region))
        hz_invalid(response, "server", "the volume and the server are not in the same location");
    else
        hz_ok(response, 201,
              json_pack("{s:o}", "action",
                        hz_action_json(volume_attach(request->cloud, volume, server, "attach_volume"))));
}

static void detach_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_volume(request, response, args[0]);

    if (!volume)
        return;
    if (!volume->server_id)
        hz_error(response, 422, "invalid_input", "volume is not attached");
    else
        hz_ok(response, 201,
              json_pack("{s:o}", "action",
                        hz_action_json(volume_attach(request->cloud, volume, NULL, "detach_volume"))));
}

static json_t *remembered(const struct snapshot *snapshot, const char *key)
{
    return json_object_get(snapshot->extra, key);
}

json_t *hz_snapshot_json(const struct snapshot *snapshot)
{
    const char *architecture = json_string_value(remembered(snapshot, "architecture"));
    const struct hz_image *image =
        hz_image_find(json_string_value(remembered(snapshot, "image")), architecture);

    return json_pack("{s:I, s:s, s:s, s:n, s:s, s:o, s:O, s:o, s:{s:I, s:O}, s:n, s:s, s:s, s:b, s:{s:b}, "
                     "s:n, s:n, s:O, s:s}",
                     "id", (json_int_t)snapshot->id, "type", "snapshot", "status",
                     snapshot->ready ? "available" : "creating", "name", "description", snapshot->name,
                     "image_size", snapshot->ready ? json_real(snapshot->size_gb) : json_null(), "disk_size",
                     remembered(snapshot, "disk_gb"), "created", hz_time(snapshot->created), "created_from",
                     "id", (json_int_t)snapshot->server_id, "name", remembered(snapshot, "server"),
                     "bound_to", "os_flavor", image->flavor, "os_version", image->version, "rapid_deploy", 0,
                     "protection", "delete", 0, "deprecated", "deleted", "labels", snapshot->labels,
                     "architecture", architecture);
}

struct snapshot *hz_snapshot_find(struct cloud *cloud, const char *id)
{
    char *end;
    long long number = strtoll(id, &end, 10);

    return *end ? NULL : snapshot_find(cloud, number);
}

static void create_image(const struct request *request, struct response *response, const char *const args[])
{
    struct server *server = hz_server_find(request, response, args[0]);
    json_t *labels = json_object_get(request->body, "labels");
    const char *type, *description;
    struct action *action;

    if (!server || hz_locked(server, response) || !hz_text(request, response, "type", false, &type) ||
        !hz_text(request, response, "description", false, &description) || !hz_labels_valid(response, labels))
        return;
    if (type && !text_equal(type, "snapshot")) { // backups need an option that servers here do not have
        hz_invalid(response, "type", "backups are not enabled for the server");
        return;
    }
    const struct hz_type *size = hz_type_find(server->type);
    struct snapshot *snapshot =
        snapshot_create(server, description ? description : server->name, labels, "create_image", &action);
    snapshot->locks_server = server->busy = true;
    json_object_update_new(snapshot->extra,
                           json_pack("{s:s, s:s, s:s, s:i}", "image", server->image, "server", server->name,
                                     "architecture", size->architecture, "disk_gb", size->disk_gb));
    hz_ok(response, 201,
          json_pack("{s:o, s:o}", "image", hz_snapshot_json(snapshot), "action", hz_action_json(action)));
}

static void delete_image(const struct request *request, struct response *response, const char *const args[])
{
    struct snapshot *snapshot = hz_snapshot_find(request->cloud, args[0]);

    if (snapshot) {
        snapshot_delete(request->cloud, snapshot);
        hz_ok(response, 204, NULL);
    } else if (hz_image_find(args[0], "x86")) {
        hz_error(response, 403, "forbidden", "system images cannot be deleted");
    } else {
        hz_not_found(response, "image", args[0]);
    }
}

const struct route hz_storage_routes[] = {
    {"GET", "volumes", list_volumes},
    {"POST", "volumes", create_volume},
    {"GET", "volumes/*", get_volume},
    {"DELETE", "volumes/*", delete_volume},
    {"POST", "volumes/*/actions/attach", attach_volume},
    {"POST", "volumes/*/actions/detach", detach_volume},
    {"POST", "servers/*/actions/create_image", create_image},
    {"DELETE", "images/*", delete_image},
    {NULL, NULL, NULL},
};
