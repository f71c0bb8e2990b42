// Tags: flat strings on instances, volumes and domains; a tag that was made stays although nothing wears it.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

static json_t *made_tags(struct cloud *cloud)
{
    json_t *tags = json_object_get(cloud->extra, "tags");

    if (!tags) {
        tags = json_array();
        json_object_set_new(cloud->extra, "tags", tags);
    }
    return tags;
}

static void add_labels(json_t *seen, const json_t *tags)
{
    json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag) json_object_set_new(seen, json_string_value(tag), json_true());
}

static void list_tags(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    json_t *seen = json_object(), *list = json_array(), *unused;
    const char *label;

    (void)args;
    add_labels(seen, made_tags(cloud));
    for (size_t i = 0; i < cloud->servers.count; i++)
        add_labels(seen, ln_tags(((const struct server *)cloud->servers.items[i])->labels));
    for (size_t i = 0; i < cloud->volumes.count; i++)
        add_labels(seen, ln_tags(((const struct volume *)cloud->volumes.items[i])->labels));
    for (size_t i = 0; i < cloud->zones.count; i++)
        add_labels(seen, ln_tags(((const struct zone *)cloud->zones.items[i])->labels));
    json_object_foreach(seen, label, unused) json_array_append_new(list, json_pack("{s:s}", "label", label));
    json_decref(seen);
    ln_list(request, response, list, "label");
}

static void append(json_t *list, const char *type, json_t *data)
{
    json_array_append_new(list, json_pack("{s:s, s:o}", "type", type, "data", data));
}

static void get_tag(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    json_t *list = json_array();

    for (size_t i = 0; i < cloud->servers.count; i++) {
        const struct server *server = cloud->servers.items[i];
        if (ln_has_tag(server->labels, args[0]) && server_listed(request, server))
            append(list, "linode", ln_instance_json(server));
    }
    for (size_t i = 0; i < cloud->volumes.count; i++) {
        const struct volume *volume = cloud->volumes.items[i];
        if (ln_has_tag(volume->labels, args[0]))
            append(list, "volume", ln_volume_json(cloud, volume));
    }
    for (size_t i = 0; i < cloud->zones.count; i++) {
        const struct zone *zone = cloud->zones.items[i];
        if (ln_has_tag(zone->labels, args[0]))
            append(list, "domain", ln_domain_json(cloud, zone));
    }
    ln_list(request, response, list, "type");
}

static void put_on(json_t *labels, const char *tag)
{
    if (!ln_has_tag(labels, tag))
        json_array_append_new(ln_tags(labels), json_string(tag));
}

static void create_tag(const struct request *request, struct response *response, const char *const args[])
{
    json_t *linodes = json_object_get(request->body, "linodes"),
           *volumes = json_object_get(request->body, "volumes");
    json_t *id;
    const char *label;
    size_t i;

    (void)args;
    if (!ln_text(request, response, "label", true, &label))
        return;
    if (strlen(label) < 3 || strlen(label) > 50) {
        ln_invalid(response, "label", "Length must be 3-50 characters");
        return;
    }
    put_on(made_tags(request->cloud), label);
    json_array_foreach(linodes, i, id)
    {
        struct server *server = server_find(request->cloud, json_integer_value(id));
        if (server)
            put_on(server->labels, label);
    }
    json_array_foreach(volumes, i, id)
    {
        struct volume *volume = volume_find(request->cloud, json_integer_value(id));
        if (volume)
            put_on(volume->labels, label);
    }
    ln_ok(response, json_pack("{s:s}", "label", label));
}

static void take_off(json_t *labels, const char *tag)
{
    json_t *tags = ln_tags(labels);

    for (size_t i = json_array_size(tags); i-- > 0;)
        if (text_equal(json_string_value(json_array_get(tags, i)), tag))
            json_array_remove(tags, i);
}

static void delete_tag(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;

    take_off(made_tags(cloud), args[0]);
    for (size_t i = 0; i < cloud->servers.count; i++)
        take_off(((struct server *)cloud->servers.items[i])->labels, args[0]);
    for (size_t i = 0; i < cloud->volumes.count; i++)
        take_off(((struct volume *)cloud->volumes.items[i])->labels, args[0]);
    for (size_t i = 0; i < cloud->zones.count; i++)
        take_off(((struct zone *)cloud->zones.items[i])->labels, args[0]);
    ln_done(response);
}

const struct route ln_tag_routes[] = {
    {"GET", "tags", list_tags},       {"POST", "tags", create_tag}, {"GET", "tags/*", get_tag},
    {"DELETE", "tags/*", delete_tag}, {NULL, NULL, NULL},
};
