// /tags: flat names on droplets, volumes, snapshots and databases.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { TAG_MAX = 255 };

// The document: ^[a-zA-Z0-9_\-\:]+$, so neither '.' nor '='.
static bool name_valid(const char *name)
{
    if (!*name || strlen(name) > TAG_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("_-:", *name))
            return false;
    return true;
}

bool ocean_tags_valid(struct response *response, const json_t *tags)
{
    json_t *tag;
    size_t i;

    if (tags && !json_is_null(tags) && !json_is_array(tags))
        return ocean_invalid(response, "tags must be a list"), false;
    json_array_foreach(tags, i, tag) if (!json_is_string(tag) || !name_valid(json_string_value(tag)))
    {
        ocean_invalid(response, "tag names may only contain letters, numbers, colons, dashes, and "
                                "underscores");
        return false;
    }
    return true;
}

// All tags of the account: lower case -> as it was written first.
static json_t *tags_of(struct cloud *cloud)
{
    json_t *tags = json_object_get(cloud->extra, "tags");

    if (!tags) {
        tags = json_object();
        json_object_set_new(cloud->extra, "tags", tags);
    }
    return tags;
}

static void lower(char out[TAG_MAX + 1], const char *name)
{
    size_t i;

    for (i = 0; i < TAG_MAX && name[i]; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[i] = '\0';
}

// As it is written, made if it is new.
static const char *take(struct cloud *cloud, const char *name)
{
    json_t *tags = tags_of(cloud);
    char key[TAG_MAX + 1];

    lower(key, name);
    if (!json_object_get(tags, key))
        json_object_set_new(tags, key, json_string(name));
    return json_string_value(json_object_get(tags, key));
}

json_t *ocean_tags_take(struct cloud *cloud, const json_t *tags)
{
    json_t *list = json_array(), *tag;
    size_t i;

    json_array_foreach(tags, i, tag)
    {
        const char *name = take(cloud, json_string_value(tag));
        if (!ocean_tagged(list, name))
            json_array_append_new(list, json_string(name));
    }
    return list;
}

bool ocean_tag_exists(const struct cloud *cloud, const char *name)
{
    char key[TAG_MAX + 1];

    lower(key, name);
    const json_t *tag = json_object_get(json_object_get(cloud->extra, "tags"), key);
    return tag && text_equal(json_string_value(tag), name);
}

bool ocean_tagged(const json_t *tags, const char *name)
{
    json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag) if (text_equal(json_string_value(tag), name)) return true;
    return false;
}

static void untag(json_t *tags, const char *name)
{
    for (size_t i = json_array_size(tags); i-- > 0;)
        if (text_equal(json_string_value(json_array_get(tags, i)), name))
            json_array_remove(tags, i);
}

static json_t *resources_json(const struct cloud *cloud, const char *name)
{
    int droplets = 0, volumes = 0, images = 0, databases = 0;

    for (size_t i = 0; i < cloud->servers.count; i++)
        droplets += ocean_tagged(((const struct server *)cloud->servers.items[i])->labels, name);
    for (size_t i = 0; i < cloud->volumes.count; i++)
        volumes += ocean_tagged(((const struct volume *)cloud->volumes.items[i])->labels, name);
    for (size_t i = 0; i < cloud->snapshots.count; i++)
        images += ocean_tagged(((const struct snapshot *)cloud->snapshots.items[i])->labels, name);
    for (size_t i = 0; i < cloud->databases.count; i++) {
        const struct database *database = cloud->databases.items[i];
        databases += ocean_tagged(json_object_get(database->extra, "tags"), name);
    }
    return json_pack("{s:i, s:{s:i}, s:{s:i}, s:{s:i}, s:{s:i}, s:{s:i}}", "count",
                     droplets + volumes + images + databases, "droplets", "count", droplets, "images",
                     "count", images, "volumes", "count", volumes, "volume_snapshots", "count", 0,
                     "databases", "count", databases);
}

static json_t *tag_json(const struct cloud *cloud, const char *name)
{
    return json_pack("{s:s, s:o}", "name", name, "resources", resources_json(cloud, name));
}

static void list_tags(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array(), *name;
    const char *key;

    (void)args;
    json_object_foreach(tags_of(request->cloud), key, name)
        json_array_append_new(list, tag_json(request->cloud, json_string_value(name)));
    ocean_list(request, response, "tags", list);
}

static void create_tag(const struct request *request, struct response *response, const char *const args[])
{
    const char *name;

    (void)args;
    if (!ocean_text(request, response, "name", true, &name))
        return;
    json_t *one = json_pack("[s]", name);
    if (ocean_tags_valid(response, one))
        ocean_ok(response, 201,
                 json_pack("{s:o}", "tag", tag_json(request->cloud, take(request->cloud, name))));
    json_decref(one);
}

static bool known(const struct request *request, struct response *response, const char *name)
{
    bool exists = ocean_tag_exists(request->cloud, name);

    if (!exists)
        ocean_not_found(response);
    return exists;
}

static void get_tag(const struct request *request, struct response *response, const char *const args[])
{
    if (known(request, response, args[0]))
        ocean_ok(response, 200, json_pack("{s:o}", "tag", tag_json(request->cloud, args[0])));
}

static void delete_tag(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    char key[TAG_MAX + 1];

    if (!known(request, response, args[0]))
        return;
    for (size_t i = 0; i < cloud->servers.count; i++)
        untag(((struct server *)cloud->servers.items[i])->labels, args[0]);
    for (size_t i = 0; i < cloud->volumes.count; i++)
        untag(((struct volume *)cloud->volumes.items[i])->labels, args[0]);
    for (size_t i = 0; i < cloud->snapshots.count; i++)
        untag(((struct snapshot *)cloud->snapshots.items[i])->labels, args[0]);
    for (size_t i = 0; i < cloud->databases.count; i++)
        untag(json_object_get(((struct database *)cloud->databases.items[i])->extra, "tags"), args[0]);
    for (size_t i = 0; i < cloud->firewalls.count; i++)
        untag(json_object_get(((struct firewall *)cloud->firewalls.items[i])->applied_to, "tags"), args[0]);
    lower(key, args[0]);
    json_object_del(tags_of(cloud), key);
    ocean_ok(response, 204, NULL);
}

// The tags of {"resource_type", "resource_id"}, or NULL.
static json_t *tags_of_resource(struct cloud *cloud, const json_t *resource)
{
    const char *type = json_string_value(json_object_get(resource, "resource_type"));
    const json_t *id = json_object_get(resource, "resource_id");

    if (text_equal(type, "droplet")) {
        const struct server *server = server_find(cloud, ocean_number(id));
        return server ? server->labels : NULL;
    }
    if (text_equal(type, "volume") && json_is_string(id)) {
        const struct volume *volume = volume_find(cloud, uuid_id(json_string_value(id)));
        return volume ? volume->labels : NULL;
    }
    if (text_equal(type, "image")) {
        const struct snapshot *snapshot = snapshot_find(cloud, ocean_number(id));
        return snapshot ? snapshot->labels : NULL;
    }
    return NULL;
}

static void change_resources(const struct request *request, struct response *response, const char *name)
{
    const json_t *resources = json_object_get(request->body, "resources");
    bool remove = text_equal(request->method, "DELETE");
    json_t *resource;
    size_t i;

    if (!known(request, response, name))
        return;
    json_array_foreach(resources, i, resource) if (!tags_of_resource(request->cloud, resource))
    {
        ocean_not_found(response);
        return;
    }
    json_array_foreach(resources, i, resource)
    {
        json_t *tags = tags_of_resource(request->cloud, resource);
        untag(tags, name);
        if (!remove)
            json_array_append_new(tags, json_string(name));
    }
    ocean_ok(response, 204, NULL);
}

static void tag_resources(const struct request *request, struct response *response, const char *const args[])
{
    change_resources(request, response, args[0]);
}

const struct route ocean_tag_routes[] = {
    {"GET", "tags", list_tags},
    {"POST", "tags", create_tag},
    {"GET", "tags/*", get_tag},
    {"DELETE", "tags/*", delete_tag},
    {"POST", "tags/*/resources", tag_resources},
    {"DELETE", "tags/*/resources", tag_resources},
    {NULL, NULL, NULL},
};
