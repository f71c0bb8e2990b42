// /images: the provider's, and private ones that are captured from an instance's disk.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

struct snapshot *ln_private_image(struct cloud *cloud, const char *id)
{
    char *end;

    if (!text_starts(id, "private/"))
        return NULL;
    long long number = strtoll(id + strlen("private/"), &end, 10);
    return *end ? NULL : snapshot_find(cloud, number);
}

static json_t *private_json(const struct snapshot *snapshot)
{
    char *id = text_format("private/%lld", (long long)snapshot->id);
    int size_mb = snapshot->size_gb * 1024;
    json_t *description = json_object_get(snapshot->labels, "description");
    json_t *capabilities = json_array();

    if (json_is_true(json_object_get(snapshot->labels, "cloud_init")))
        json_array_append_new(capabilities, json_string("cloud-init"));
    json_t *json = json_pack(
        "{s:s, s:s, s:O, s:o, s:o, s:s, s:b, s:b, s:s, s:n, s:n, s:n, s:i, s:i, s:O, s:[{s:s, s:s}], s:o}",
        "id", id, "label", snapshot->name, "description", description, "created", ln_time(snapshot->created),
        "updated", ln_time(snapshot->created), "created_by", "localcloud", "is_public", 0, "deprecated", 0,
        "type", "manual", "expiry", "eol", "vendor", "size", size_mb, "total_size", size_mb, "tags",
        ln_tags(snapshot->labels), "regions", "region", snapshot->region, "status",
        snapshot->ready ? "available" : "creating", "capabilities", capabilities);
    json_object_set_new(json, "status", json_string(snapshot->ready ? "available" : "creating"));
    free(id);
    return json;
}

static json_t *all_images(const struct request *request)
{
    json_t *list = ln_public_images();

    for (size_t i = 0; request_token(request) != TOKEN_WRONG && i < request->cloud->snapshots.count; i++)
        json_array_append_new(list, private_json(request->cloud->snapshots.items[i]));
    return list;
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    ln_list(request, response, all_images(request),
            "deprecated is_public label size status tags type vendor");
}

static struct snapshot *find_private(const struct request *request, struct response *response,
                                     const char *number)
{
    char *end;
    struct snapshot *snapshot = snapshot_find(request->cloud, strtoll(number, &end, 10));

    if (!snapshot || *end) {
        ln_not_found(response);
        return NULL;
    }
    return snapshot;
}

// An id has a slash in it, so that it is two segments of the path.
static void get(const struct request *request, struct response *response, const char *const args[])
{
    char *id = text_format("%s/%s", args[0], args[1]);
    json_t *images = all_images(request), *image;
    size_t i;

    ln_not_found(response);
    json_array_foreach(images, i, image) if (text_equal(json_string_value(json_object_get(image, "id")), id))
        ln_ok(response, json_incref(image));
    json_decref(images);
    free(id);
}

static struct server *disk_owner(const struct cloud *cloud, json_int_t disk)
{
    for (size_t i = 0; i < cloud->servers.count; i++) {
        struct server *server = cloud->servers.items[i];
        if (disk && (json_integer_value(json_object_get(server->extra, "disk_id")) == disk ||
                     json_integer_value(json_object_get(server->extra, "swap_id")) == disk))
            return server;
    }
    return NULL;
}

static void create(const struct request *request, struct response *response, const char *const args[])
{
    const char *label, *description;
    json_t *tags = json_object_get(request->body, "tags");
    struct action *action;
    json_int_t disk;

    (void)args;
    if (!ln_integer(request, response, "disk_id", 0, 1, INT64_MAX, &disk) ||
        !ln_text(request, response, "label", false, &label) ||
        !ln_text(request, response, "description", false, &description) || !ln_tags_valid(response, tags))
        return;
    struct server *server = disk_owner(request->cloud, disk);
    if (!server) {
        ln_invalid(response, "disk_id", "Disk not found");
        return;
    }
    json_t *labels =
        json_pack("{s:o, s:o, s:b}", "tags", json_is_array(tags) ? json_deep_copy(tags) : json_array(),
                  "description", description ? json_string(description) : json_null(), "cloud_init",
                  ln_boolean(request, "cloud_init", false));
    struct snapshot *snapshot =
        snapshot_create(server, label ? label : server->name, labels, "disk_imagize", &action);
    json_decref(labels);
    ln_ok(response, private_json(snapshot));
}

static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct snapshot *snapshot = find_private(request, response, args[0]);
    const char *label, *description;

    if (!snapshot || !ln_text(request, response, "label", false, &label) ||
        !ln_text(request, response, "description", false, &description))
        return;
    if (label) {
        free(snapshot->name);
        snapshot->name = text_copy(label);
    }
    if (description)
        json_object_set_new(snapshot->labels, "description", json_string(description));
    ln_ok(response, private_json(snapshot));
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct snapshot *snapshot = find_private(request, response, args[0]);

    if (!snapshot)
        return;
    snapshot_delete(request->cloud, snapshot);
    ln_done(response);
}

const struct route ln_image_routes[] = {
    {"GET", "images", list},
    {"POST", "images", create},
    {"PUT", "images/private/*", update},
    {"DELETE", "images/private/*", delete},
    {"GET", "images/*/*", get},
    {NULL, NULL, NULL},
};
