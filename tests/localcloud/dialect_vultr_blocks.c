// Block storage.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

static struct volume *find_block(const struct request *request, struct response *response, const char *id)
{
    struct volume *volume = volume_find(request->cloud, uuid_id(id));

    if (!volume)
        vt_not_found(response, "block storage");
    return volume;
}

static json_t *block_json(struct cloud *cloud, const struct volume *volume)
{
    const struct server *server = volume->server_id ? server_find(cloud, volume->server_id) : NULL;
    char *mount = text_format("%s-%012llx", volume->region, (unsigned long long)volume->id);
    json_t *json = json_pack(
        "{s:o, s:o, s:i, s:f, s:s, s:i, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:b}", "id",
        vt_id(volume->id), "date_created", vt_time(volume->created), "cost", (volume->size_gb + 9) / 10,
        "pending_charges", 0.0, "status", volume->ready ? "active" : "pending", "size_gb", volume->size_gb,
        "region", volume->region, "attached_to_instance", vt_id(volume->server_id), "attached_to_instance_ip",
        server ? vt_server_address(server) : "", "attached_to_instance_label",
        server ? vt_member(server->extra, "label") : "", "label", volume->name, "mount_id", mount,
        "block_type", vt_member(volume->extra, "type"), "os_id", 0, "snapshot_id", "", "bootable", 0);
    free(mount);
    return json;
}

static void list_blocks(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->volumes.count; i++)
        json_array_append_new(list, block_json(request->cloud, request->cloud->volumes.items[i]));
    vt_list(request, response, "blocks", list, "id");
}

static bool size_valid(struct response *response, const char *type, json_int_t size_gb)
{
    bool large = text_equal(type, "storage_opt");
    int least = large ? 40 : 10, most = large ? 40000 : 10000;

    if (!large && !text_equal(type, "high_perf"))
        vt_error(response, 400, "Invalid block_type.");
    else if (size_gb < least || size_gb > most)
        vt_error(response, 400, "Invalid size: it must be between %d and %d GB.", least, most);
    else
        return true;
    return false;
}

static void create_block(const struct request *request, struct response *response, const char *const args[])
{
    const char *region, *label, *type;
    struct action *action;
    json_int_t size_gb;

    (void)args;
    if (!vt_region(request, response, &region) ||
        !vt_number(request, response, "size_gb", true, 0, &size_gb) ||
        !vt_text(request, response, "label", false, &label) ||
        !vt_text(request, response, "block_type", false, &type))
        return;
    type = type ? type : "high_perf";
    if (!size_valid(response, type, size_gb))
        return;
    struct volume *volume =
        volume_create(request->cloud, label ? label : "", region, (int)size_gb, NULL, &action);
    json_object_set_new(volume->extra, "type", json_string(type));
    vt_ok(response, 202, json_pack("{s:o}", "block", block_json(request->cloud, volume)));
}

static void get_block(const struct request *request, struct response *response, const char *const args[])
{
    const struct volume *volume = find_block(request, response, args[0]);

    if (volume)
        vt_ok(response, 200, json_pack("{s:o}", "block", block_json(request->cloud, volume)));
}

static void update_block(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_block(request, response, args[0]);
    const char *label;
    json_int_t size_gb;

    if (!volume || !vt_text(request, response, "label", false, &label) ||
        !vt_number(request, response, "size_gb", false, volume->size_gb, &size_gb) ||
        !size_valid(response, vt_member(volume->extra, "type"), size_gb))
        return;
    if (size_gb < volume->size_gb) {
        vt_error(response, 400, "Invalid size: block storage cannot shrink.");
        return;
    }
    if (label) {
        free(volume->name);
        volume->name = text_copy(label);
    }
    volume->size_gb = (int)size_gb;
    vt_empty(response);
}

static void delete_block(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_block(request, response, args[0]);

    if (!volume)
        return;
    if (volume->server_id) {
        vt_error(response, 400, "Unable to delete block storage: it is attached to an instance.");
        return;
    }
    volume_delete(request->cloud, volume);
    vt_empty(response);
}

static void attach_block(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_block(request, response, args[0]);
    const char *id;

    if (!volume || !vt_text(request, response, "instance_id", true, &id))
        return;
    struct server *server = vt_server_find(request, response, id);
    if (!server || vt_server_locked(server, response))
        return;
    if (!volume->ready) {
        vt_error(response, 400, "Unable to attach block storage: it is not active yet.");
    } else if (volume->server_id) {
        vt_error(response, 400, "Unable to attach block storage: it is already attached to an instance.");
    } else if (!text_equal(volume->region, server->location)) {
        vt_error(response, 400, "Unable to attach block storage: the instance is in another region.");
    } else {
        volume_attach(request->cloud, volume, server, "attach");
        vt_empty(response);
    }
}

static void detach_block(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = find_block(request, response, args[0]);

    if (!volume)
        return;
    if (!volume->server_id) {
        vt_error(response, 400, "Unable to detach block storage: it is not attached.");
        return;
    }
    volume_attach(request->cloud, volume, NULL, "detach");
    vt_empty(response);
}

const struct route vt_block_routes[] = {
    {"GET", "blocks", list_blocks},
    {"POST", "blocks", create_block},
    {"GET", "blocks/*", get_block},
    {"PATCH", "blocks/*", update_block},
    {"DELETE", "blocks/*", delete_block},
    {"POST", "blocks/*/attach", attach_block},
    {"POST", "blocks/*/detach", detach_block},
    {NULL, NULL, NULL},
};
