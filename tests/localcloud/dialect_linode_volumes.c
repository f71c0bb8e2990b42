// /volumes. Records only: no machine sees them.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { GB_MIN = 10, GB_MAX = 10240, GB_DEFAULT = 20, LABEL_MAX = 32 };

// There is no flag: a volume is being made as long as the action that makes it runs.
static bool being_made(const struct cloud *cloud, const struct volume *volume)
{
    for (size_t i = cloud->actions.count; i-- > 0;) {
        const struct action *action = cloud->actions.items[i];
        if (action->resource_id == volume->id && text_equal(action->command, "create_volume"))
            return action->status == ACTION_RUNNING;
        if (action->id < volume->id)
            break;
    }
    return false;
}

json_t *ln_volume_json(struct cloud *cloud, const struct volume *volume)
{
    const struct server *server = volume->server_id ? server_find(cloud, volume->server_id) : NULL;
    char *path = text_format("/dev/disk/by-id/scsi-0Linode_Volume_%s", volume->name);
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:i, s:s, s:o, s:o, s:O, s:s, s:o, s:o, s:s, s:s}", "id", (json_int_t)volume->id,
        "label", volume->name, "region", volume->region, "size", volume->size_gb, "status",
        being_made(cloud, volume) ? "creating" : "active", "created", ln_time(volume->created), "updated",
        ln_time(volume->created), "tags", ln_tags(volume->labels), "filesystem_path", path, "linode_id",
        server ? json_integer(server->id) : json_null(), "linode_label",
        server ? json_string(server->name) : json_null(), "hardware_type", "nvme", "encryption", "disabled");

    free(path);
    return json;
}

static struct volume *find(const struct request *request, struct response *response, const char *id)
{
    char *end;
    struct volume *volume = volume_find(request->cloud, strtoll(id, &end, 10));

    if (!volume || *end) {
        ln_not_found(response);
        return NULL;
    }
    return volume;
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->volumes.count; i++)
        json_array_append_new(list, ln_volume_json(request->cloud, request->cloud->volumes.items[i]));
    ln_list(request, response, list, "label tags");
}

static bool label_free(const struct request *request, struct response *response, const char *label,
                       const struct volume *self)
{
    size_t size = strlen(label);
    bool ok = size > 0 && size <= LABEL_MAX && isalpha((unsigned char)label[0]) && !strstr(label, "--") &&
              !strstr(label, "__");

    for (const char *p = label; *p; p++)
        ok = ok && (isalnum((unsigned char)*p) || *p == '-' || *p == '_');
    if (!ok)
        return ln_invalid(
                   response, "label",
                   "Must begin with a letter and only contain letters, numbers, hyphens and underscores, 32 "
                   "at most"),
               false;
    for (size_t i = 0; i < request->cloud->volumes.count; i++) {
        const struct volume *other = request->cloud->volumes.items[i];
        if (other != self && text_equal(other->name, label))
            return ln_invalid(response, "label", "Label must be unique among your volumes"), false;
    }
    return true;
}

// The region is given, or follows from the instance that gets the volume.
static bool read_place(const struct request *request, struct response *response, struct server **ret_server,
                       const char **ret_region)
{
    const char *region;
    json_int_t id;

    if (!ln_integer(request, response, "linode_id", 0, 0, INT64_MAX, &id) ||
        !ln_text(request, response, "region", id == 0, &region))
        return false;
    *ret_server = id ? server_find(request->cloud, id) : NULL;
    if (id && !*ret_server)
        return ln_invalid(response, "linode_id", "Linode not found"), false;
    *ret_region = region ? ln_region_find(region) : (*ret_server)->location;
    if (!*ret_region)
        return ln_invalid(response, "region", "region is not valid"), false;
    if (*ret_server && !text_equal((*ret_server)->location, *ret_region))
        return ln_invalid(response, "linode_id", "Linode is not in the volume's region"), false;
    return true;
}

static void create(const struct request *request, struct response *response, const char *const args[])
{
    json_t *tags = json_object_get(request->body, "tags"), *none = json_array();
    const char *label, *region;
    struct server *server;
    struct action *action;
    json_int_t size;

    (void)args;
    if (ln_text(request, response, "label", true, &label) && label_free(request, response, label, NULL) &&
        ln_integer(request, response, "size", GB_DEFAULT, GB_MIN, GB_MAX, &size) &&
        ln_tags_valid(response, tags) && read_place(request, response, &server, &region)) {
        struct volume *volume = volume_create(request->cloud, label, region, (int)size,
                                              json_is_array(tags) ? tags : none, &action);
        if (server)
            volume_attach(request->cloud, volume, server, "volume_attach");
        ln_ok(response, ln_volume_json(request->cloud, volume));
    }
    json_decref(none);
}

static void get(const struct request *request, struct response *response, const char *const args[])
{
    const struct volume *volume = find(request, response, args[0]);

    if (volume)
        ln_ok(response, ln_volume_json(request->cloud, volume));
}

static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find(request, response, args[0]);
    json_t *tags = json_object_get(request->body, "tags");
    const char *label;

    if (!volume || !ln_text(request, response, "label", false, &label) || !ln_tags_valid(response, tags) ||
        (label && !label_free(request, response, label, volume)))
        return;
    if (label) {
        free(volume->name);
        volume->name = text_copy(label);
    }
    if (json_is_array(tags)) {
        json_decref(volume->labels);
        volume->labels = json_deep_copy(tags);
    }
    ln_ok(response, ln_volume_json(request->cloud, volume));
}

static void attach(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find(request, response, args[0]);
    json_int_t id;

    if (!volume || !ln_integer(request, response, "linode_id", 0, 1, INT64_MAX, &id))
        return;
    struct server *server = server_find(request->cloud, id);
    if (!server) {
        ln_invalid(response, "linode_id", "Linode not found");
    } else if (!text_equal(server->location, volume->region)) {
        ln_invalid(response, "linode_id", "Volume and Linode must be in the same region");
    } else if (volume->server_id) {
        ln_invalid(response, NULL, "Volume %lld is already attached", (long long)volume->id);
    } else {
        volume_attach(request->cloud, volume, server, "volume_attach");
        ln_ok(response, ln_volume_json(request->cloud, volume));
    }
}

static void detach(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find(request, response, args[0]);

    if (!volume)
        return;
    volume_attach(request->cloud, volume, NULL, "volume_detach");
    ln_done(response);
}

static void resize(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find(request, response, args[0]);
    json_int_t size;

    if (!volume || !ln_integer(request, response, "size", 0, GB_MIN, GB_MAX, &size))
        return;
    if (size <= volume->size_gb) {
        ln_invalid(response, "size", "Volumes can only be resized up");
        return;
    }
    volume->size_gb = (int)size;
    ln_ok(response, ln_volume_json(request->cloud, volume));
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find(request, response, args[0]);

    if (!volume)
        return;
    if (volume->server_id) {
        ln_invalid(response, NULL, "This volume must be detached before it can be deleted.");
        return;
    }
    volume_delete(request->cloud, volume);
    ln_done(response);
}

const struct route ln_volume_routes[] = {
    {"GET", "volumes", list},
    {"POST", "volumes", create},
    {"GET", "volumes/*", get},
    {"PUT", "volumes/*", update},
    {"DELETE", "volumes/*", delete},
    {"POST", "volumes/*/attach", attach},
    {"POST", "volumes/*/detach", detach},
    {"POST", "volumes/*/resize", resize},
    {NULL, NULL, NULL},
};
