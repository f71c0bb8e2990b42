// POST /droplets: one droplet or up to ten. The answer 202 says no more than that the order was taken.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { NAMES_MAX = 10, USER_DATA_MAX = 64 * 1024 };

struct order {
    struct server_spec spec;
    json_t *names, *volumes;
    char image[64];
};

// The document: ^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$, 255 at most. The text is that of doctl#257.
static bool name_valid(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > 255 || !isalnum((unsigned char)name[size - 1]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '.' && name[i] != '-')
            return false;
    return true;
}

static bool read_names(const struct request *request, struct response *response, struct order *order)
{
    const json_t *one = json_object_get(request->body, "name"),
                 *several = json_object_get(request->body, "names");
    json_t *name;
    size_t i;

    if (one && several)
        return ocean_invalid(response, "name and names cannot be given together"), false;
    if (several ? !json_is_array(several) : !json_is_string(one))
        return ocean_invalid(response, "Name can't be blank"), false;
    order->names = several ? json_deep_copy(several) : json_pack("[s]", json_string_value(one));
    if (json_array_size(order->names) == 0 || json_array_size(order->names) > NAMES_MAX)
        return ocean_invalid(response, "one to %d names can be given", NAMES_MAX), false;
    json_array_foreach(order->names, i,
                       name) if (!json_is_string(name) || !name_valid(json_string_value(name)))
    {
        ocean_invalid(response, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
        return false;
    }
    return true;
}

// A slug or a number. Libcloud writes the number as text.
static bool read_image(const struct request *request, struct response *response, struct order *order)
{
    const json_t *value = json_object_get(request->body, "image");

    if (json_is_integer(value))
        snprintf(order->image, sizeof order->image, "%lld", json_integer_value(value));
    else if (json_is_string(value))
        snprintf(order->image, sizeof order->image, "%s", json_string_value(value));
    const struct ocean_image *image = ocean_image_find(order->image);
    const struct snapshot *snapshot = image ? NULL : ocean_snapshot_find(request->cloud, order->image);
    if (!image && !snapshot)
        return ocean_invalid(response, "You specified an invalid image for Droplet creation."), false;
    order->spec.image = image ? image->slug : order->image;
    order->spec.snapshot_id = snapshot ? snapshot->id : 0;
    return true;
}

// Only where a snapshot is can it be used.
static bool read_place(const struct request *request, struct response *response, struct order *order)
{
    const char *slug, *region;

    if (!ocean_text(request, response, "size", true, &slug) ||
        !ocean_text(request, response, "region", false, &region))
        return false;
    const struct ocean_size *size = ocean_size_find(slug);
    if (!size)
        return ocean_invalid(response, "You specified an invalid size for Droplet creation."), false;
    if (!size->available)
        return ocean_invalid(response, "This size is unavailable"), false;
    order->spec.type = size->slug;
    order->spec.location = ocean_region_choose(request, response, region, size);
    if (!order->spec.location)
        return false;
    const struct snapshot *snapshot = snapshot_find(request->cloud, order->spec.snapshot_id);
    if (snapshot && !text_equal(snapshot->region, order->spec.location))
        return ocean_invalid(response, "The image is not available in the selected region."), false;
    return true;
}

const struct ssh_key *ocean_key_find(const struct cloud *cloud, const char *id_or_fingerprint)
{
    int64_t id = ocean_id(id_or_fingerprint);

    for (size_t i = 0; i < cloud->ssh_keys.count; i++) {
        const struct ssh_key *key = cloud->ssh_keys.items[i];
        if (key->id == id || strcasecmp(key->fingerprint, id_or_fingerprint) == 0)
            return key;
    }
    return NULL;
}

// The text is that of typhoon#106.
static bool read_keys(const struct request *request, struct response *response, struct order *order)
{
    const json_t *keys = json_object_get(request->body, "ssh_keys");
    json_t *entry;
    size_t i;

    json_array_foreach(keys, i, entry)
    {
        char text[64] = "";
        if (json_is_integer(entry))
            snprintf(text, sizeof text, "%lld", json_integer_value(entry));
        else if (json_is_string(entry))
            snprintf(text, sizeof text, "%s", json_string_value(entry));
        const struct ssh_key *key = ocean_key_find(request->cloud, text);
        if (!key)
            return ocean_invalid(response, "%s are invalid key identifiers for Droplet creation.", text),
                   false;
        json_array_append_new(order->spec.public_keys, json_string(key->public_key));
    }
    return true;
}

static bool read_volumes(const struct request *request, struct response *response, struct order *order)
{
    json_t *entry;
    size_t i;

    order->volumes = json_object_get(request->body, "volumes");
    json_array_foreach(order->volumes, i, entry)
    {
        const char *uuid = json_string_value(entry);
        const struct volume *volume = volume_find(request->cloud, uuid ? uuid_id(uuid) : 0);
        if (!volume || volume->server_id || !text_equal(volume->region, order->spec.location))
            return ocean_invalid(response, "the volume '%s' cannot be attached", uuid ? uuid : ""), false;
    }
    if (json_array_size(order->volumes) > 0 && json_array_size(order->names) > 1)
        return ocean_invalid(response, "volumes cannot be attached to several Droplets"), false;
    return true;
}

static bool read_rest(const struct request *request, struct response *response, struct order *order)
{
    const struct cloud *cloud = request->cloud;
    size_t limit = (size_t)cloud->ground->settings.server_limit;
    struct server_spec *spec = &order->spec;

    if (!ocean_text(request, response, "user_data", false, &spec->user_data) ||
        !ocean_tags_valid(response, json_object_get(request->body, "tags")))
        return false;
    if (spec->user_data && strlen(spec->user_data) > USER_DATA_MAX)
        return ocean_invalid(response, "User data exceeds the maximum of 64 KiB"), false;
    if (limit && cloud->servers.count + json_array_size(order->names) > limit)
        return ocean_invalid(response, "creating this/these droplet(s) will exceed your droplet limit"),
               false;
    spec->ipv4 = ocean_flag(request, "public_networking", true);
    spec->ipv6 = ocean_flag(request, "ipv6", false);
    spec->start = true;
    spec->never_boots = request->effect.never_boots;
    spec->address_delay_ms = request->effect.address_delay_ms;
    spec->vanish_after_ms = request->effect.vanish_after_ms;
    return true;
}

static struct server *make(const struct request *request, struct order *order, const char *name,
                           struct action **create)
{
    const json_t *vpc = json_object_get(request->body, "vpc_uuid");
    struct action *build;
    json_t *uuid;
    size_t i;

    order->spec.name = name;
    struct server *server = server_create(request->cloud, &order->spec, &build, create);
    json_object_set_new(server->extra, "create", json_integer((*create)->id));
    json_object_set_new(server->extra, "vpc_uuid",
                        json_is_string(vpc) ? json_string(json_string_value(vpc)) : ocean_uuid(1));
    json_array_foreach(order->volumes, i, uuid)
        volume_attach(request->cloud, volume_find(request->cloud, uuid_id(json_string_value(uuid))), server,
                      "attach_volume");
    return server;
}

static void make_all(const struct request *request, struct response *response, struct order *order)
{
    json_t *droplets = json_array(), *actions = json_array(), *name;
    struct action *create;
    size_t i;

    order->spec.labels = ocean_tags_take(request->cloud, json_object_get(request->body, "tags"));
    json_array_foreach(order->names, i, name)
    {
        const struct server *server = make(request, order, json_string_value(name), &create);
        json_array_append_new(droplets, ocean_droplet_json(server));
        json_array_append_new(actions, ocean_action_link(request, create, "create"));
    }
    bool several = json_object_get(request->body, "names") != NULL;
    json_t *shown = several ? json_incref(droplets) : json_incref(json_array_get(droplets, 0));
    ocean_ok(
        response, 202,
        json_pack("{s:o, s:{s:o}}", several ? "droplets" : "droplet", shown, "links", "actions", actions));
    json_decref(droplets), json_decref(order->spec.labels);
}

static void create_droplet(const struct request *request, struct response *response, const char *const args[])
{
    struct order order = {.spec = {.public_keys = json_array(), .firewalls = json_array()}};

    (void)args;
    if (read_names(request, response, &order) && read_image(request, response, &order) &&
        read_keys(request, response, &order) && read_place(request, response, &order) &&
        read_volumes(request, response, &order) && read_rest(request, response, &order))
        make_all(request, response, &order);
    json_decref(order.names), json_decref(order.spec.public_keys), json_decref(order.spec.firewalls);
}

const struct route ocean_create_routes[] = {
    {"POST", "droplets", create_droplet},
    {NULL, NULL, NULL},
};
