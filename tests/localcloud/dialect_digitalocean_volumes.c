// /volumes: records only, no machine sees them.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { SIZE_MAX_GB = 16384, NAME_MAX_SIZE = 64 };

static json_t *volume_json(struct cloud *cloud, const struct volume *volume)
{
    json_t *droplets = json_array();

    if (volume->server_id)
        json_array_append_new(droplets, json_integer(volume->server_id));
    json_t *json = json_pack("{s:o, s:o, s:s, s:o, s:i, s:o, s:O}", "id", ocean_uuid(volume->id), "region",
                             ocean_region_json(cloud, volume->region), "name", volume->name, "droplet_ids",
                             droplets, "size_gigabytes", volume->size_gb, "created_at",
                             ocean_time(volume->created), "tags", volume->labels);
    json_object_update(json, volume->extra); // description and file system
    return json;
}

struct volume *ocean_volume_find(const struct request *request, struct response *response, const char *uuid)
{
    struct volume *volume = volume_find(request->cloud, uuid_id(uuid));

    if (!volume)
        ocean_not_found(response);
    return volume;
}

static struct volume *find_by_name(const struct cloud *cloud, const char *name, const char *region)
{
    for (size_t i = 0; i < cloud->volumes.count; i++) {
        struct volume *volume = cloud->volumes.items[i];
        if (text_equal(volume->name, name) && text_equal(volume->region, region))
            return volume;
    }
    return NULL;
}

static void list_volumes(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->volumes.count; i++) {
        const struct volume *volume = request->cloud->volumes.items[i];
        if (request_query_has(request, "name", volume->name) &&
            request_query_has(request, "region", volume->region))
            json_array_append_new(list, volume_json(request->cloud, volume));
    }
    ocean_list(request, response, "volumes", list);
}

// Lower case, begins with a letter.
static bool name_valid(const char *name)
{
    if (!islower((unsigned char)*name) || strlen(name) > NAME_MAX_SIZE)
        return false;
    for (; *name; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '-')
            return false;
    return true;
}

static bool size_valid(const struct request *request, struct response *response, int *ret)
{
    json_int_t size = json_integer_value(json_object_get(request->body, "size_gigabytes"));

    *ret = (int)size;
    if (size >= 1 && size <= SIZE_MAX_GB)
        return true;
    ocean_invalid(response, "size_gigabytes must be between 1 and %d", SIZE_MAX_GB);
    return false;
}

static void remember(const struct request *request, struct volume *volume)
{
    static const char *const fields[] = {"description", "filesystem_type", "filesystem_label"};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *text = json_string_value(json_object_get(request->body, fields[i]));
        json_object_set_new(volume->extra, fields[i], json_string(text ? text : ""));
    }
}

static void create_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    const json_t *given = json_object_get(request->body, "tags");
    const char *name, *region;
    struct action *action;
    int size_gb;

    (void)args;
    if (!ocean_text(request, response, "name", true, &name) ||
        !ocean_text(request, response, "region", true, &region) || !size_valid(request, response, &size_gb) ||
        !ocean_tags_valid(response, given))
        return;
    if (!name_valid(name)) {
        ocean_invalid(response, "invalid volume name");
    } else if (!ocean_region_known(region)) {
        ocean_invalid(response, "Region is not available");
    } else if (find_by_name(cloud, name, region)) {
        ocean_error(response, 409, "a volume with the same name already exists in the region");
    } else {
        json_t *tags = ocean_tags_take(cloud, given);
        struct volume *volume = volume_create(cloud, name, region, size_gb, tags, &action);
        json_decref(tags);
        remember(request, volume);
        ocean_ok(response, 201, json_pack("{s:o}", "volume", volume_json(cloud, volume)));
    }
}

static void get_volume(const struct request *request, struct response *response, const char *const args[])
{
    const struct volume *volume = ocean_volume_find(request, response, args[0]);

    if (volume)
        ocean_ok(response, 200, json_pack("{s:o}", "volume", volume_json(request->cloud, volume)));
}

// The text is that of csi-digitalocean#32.
static void remove_volume(const struct request *request, struct response *response, struct volume *volume)
{
    if (volume->server_id) {
        ocean_error(response, 409,
                    "A volume that's attached to a Droplet cannot be deleted. Please detach it first before "
                    "deleting.");
        return;
    }
    volume_delete(request->cloud, volume);
    ocean_ok(response, 204, NULL);
}

static void delete_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = ocean_volume_find(request, response, args[0]);

    if (volume)
        remove_volume(request, response, volume);
}

static void delete_by_name(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume =
        find_by_name(request->cloud, request_query(request, "name"), request_query(request, "region"));

    (void)args;
    if (volume)
        remove_volume(request, response, volume);
    else
        ocean_not_found(response);
}

static struct action *attach(const struct request *request, struct response *response, struct volume *volume,
                             struct server *server)
{
    if (volume->server_id == server->id)
        return ocean_invalid(response, "The volume is already attached to the Droplet."), NULL;
    if (volume->server_id)
        return ocean_error(response, 409, "The volume is attached to another Droplet."), NULL;
    if (!text_equal(volume->region, server->location))
        return ocean_invalid(response, "The volume and the Droplet are in different regions."), NULL;
    return volume_attach(request->cloud, volume, server, "attach_volume");
}

static struct action *resize(const struct request *request, struct response *response, struct volume *volume)
{
    int size_gb;

    if (!size_valid(request, response, &size_gb))
        return NULL;
    if (size_gb < volume->size_gb)
        return ocean_invalid(response, "a volume cannot shrink"), NULL;
    volume->size_gb = size_gb;
    struct action *action = action_start(request->cloud, "resize", "volume", volume->id);
    action_finish(action, NULL);
    return action;
}

// NULL: the response says why not.
static struct action *act(const struct request *request, struct response *response, struct volume *volume)
{
    struct server *server =
        server_find(request->cloud, ocean_number(json_object_get(request->body, "droplet_id")));
    const char *type;

    if (!ocean_text(request, response, "type", true, &type))
        return NULL;
    if (text_equal(type, "resize"))
        return resize(request, response, volume);
    if (!server)
        return ocean_not_found(response), NULL;
    if (text_equal(type, "attach"))
        return attach(request, response, volume, server);
    if (!text_equal(type, "detach"))
        return ocean_invalid(response, "the type must be attach, detach or resize"), NULL;
    if (volume->server_id != server->id)
        return ocean_invalid(response, "Attachment not found"), NULL; // doctl#207
    return volume_attach(request->cloud, volume, NULL, "detach_volume");
}

static void answer(const struct request *request, struct response *response, const struct action *action)
{
    if (action)
        ocean_ok(response, 202, json_pack("{s:o}", "action", ocean_action_json(request->cloud, action)));
}

static void act_on_volume(const struct request *request, struct response *response, const char *const args[])
{
    struct volume *volume = ocean_volume_find(request, response, args[0]);

    if (volume)
        answer(request, response, act(request, response, volume));
}

static void act_by_name(const struct request *request, struct response *response, const char *const args[])
{
    const char *name, *region;

    (void)args;
    if (!ocean_text(request, response, "volume_name", true, &name) ||
        !ocean_text(request, response, "region", true, &region))
        return;
    struct volume *volume = find_by_name(request->cloud, name, region);
    if (volume)
        answer(request, response, act(request, response, volume));
    else
        ocean_not_found(response);
}

static void list_volume_actions(const struct request *request, struct response *response,
                                const char *const args[])
{
    const struct volume *volume = ocean_volume_find(request, response, args[0]);

    if (volume)
        ocean_list_actions(request, response, "volume", volume->id);
}

const struct route ocean_volume_routes[] = {
    {"GET", "volumes", list_volumes},
    {"POST", "volumes", create_volume},
    {"DELETE", "volumes", delete_by_name},
    {"POST", "volumes/actions", act_by_name},
    {"GET", "volumes/*", get_volume},
    {"DELETE", "volumes/*", delete_volume},
    {"GET", "volumes/*/actions", list_volume_actions},
    {"POST", "volumes/*/actions", act_on_volume},
    {NULL, NULL, NULL},
};
