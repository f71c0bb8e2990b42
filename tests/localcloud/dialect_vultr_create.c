// POST /instances: reading the order.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

enum { USER_DATA_MAX = 64 * 1024 }; // decoded; the provider does not tell its limit

struct order {
    struct server_spec spec;
    const char *label, *hostname, *backups, *group, *snapshot_id;
    char *user_data, image[16];
    struct movable_ip *main_ip;
};

static bool hostname_valid(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > 63 || name[0] == '-' || name[size - 1] == '-')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '-' && *name != '.')
            return false;
    return true;
}

bool vt_tags_read(const struct request *request, struct response *response, json_t *tags)
{
    json_t *list = json_object_get(request->body, "tags"), *tag;
    const char *single; // the older form, deprecated
    size_t i;

    if (!vt_text(request, response, "tag", false, &single))
        return false;
    if (single && *single)
        json_array_append_new(tags, json_string(single));
    json_array_foreach(list, i, tag)
    {
        if (!json_is_string(tag))
            return vt_error(response, 400, "Invalid tags."), false;
        json_array_append(tags, tag);
    }
    return true;
}

static const char *key_line(const struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->ssh_keys.count; i++) {
        const struct ssh_key *key = cloud->ssh_keys.items[i];
        if (key->id == id)
            return key->public_key;
    }
    return NULL;
}

static bool read_keys(const struct request *request, struct response *response, json_t *lines)
{
    json_t *keys = json_object_get(request->body, "sshkey_id"), *id;
    size_t i;

    json_array_foreach(keys, i, id)
    {
        const char *text = json_string_value(id),
                   *line = text ? key_line(request->cloud, uuid_id(text)) : NULL;
        if (!line)
            return vt_error(response, 400, "Invalid SSH key."), false;
        json_array_append_new(lines, json_string(line));
    }
    return true;
}

// A number, which clients of the provider (Apache Libcloud) also send as a text. 0: there is none.
static json_int_t read_os_id(const struct request *request)
{
    const json_t *value = json_object_get(request->body, "os_id");

    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

// What to install: exactly one of several.
static bool read_system(const struct request *request, struct response *response, struct order *order)
{
    static const char *const sources[] = {"os_id", "snapshot_id", "iso_id", "app_id", "image_id"};
    json_int_t os_id = read_os_id(request);
    int given = 0;

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        given += json_object_get(request->body, sources[i]) != NULL;
    if (!vt_text(request, response, "snapshot_id", false, &order->snapshot_id))
        return false;
    if (given != 1)
        return vt_error(response, 400,
                        "Exactly one of os_id, snapshot_id, iso_id, app_id, image_id is needed."),
               false;
    if (order->snapshot_id) {
        const struct snapshot *snapshot = snapshot_find(request->cloud, uuid_id(order->snapshot_id));
        if (!snapshot || !snapshot->ready)
            return vt_error(response, 400, "Invalid snapshot."), false;
        order->spec.snapshot_id = snapshot->id;
        os_id = VT_OS_SNAPSHOT;
    } else if (!vt_os_installable(os_id)) {
        return vt_error(response, 400, "Invalid operating system."), false;
    }
    snprintf(order->image, sizeof order->image, "%d", (int)os_id);
    return true;
}

// A plan that is not sold in the region is called invalid, too (terraform-provider-vultr#377).
static bool read_place(const struct request *request, struct response *response, struct server_spec *spec)
{
    if (!vt_region(request, response, &spec->location) ||
        !vt_text(request, response, "plan", true, &spec->type))
        return false;
    const struct vt_plan *plan = vt_plan_find(spec->type);
    if (!plan || !vt_plan_offered(plan, spec->location))
        return vt_error(response, 400, "Invalid plan chosen."), false;
    if (request->effect.out_of_stock || !stock_available(request->cloud, spec->type, spec->location))
        return vt_error(response, 400, "plan is not available in the selected region"), false;
    return true;
}

static bool read_user_data(const struct request *request, struct response *response, struct order *order)
{
    const char *coded;

    if (!vt_text(request, response, "user_data", false, &coded))
        return false;
    order->user_data = coded ? vt_base64_decode(coded) : NULL;
    if (coded && !order->user_data)
        return vt_error(response, 400, "Invalid user_data: it must be base64."), false;
    if (order->user_data && strlen(order->user_data) > USER_DATA_MAX)
        return vt_error(response, 400, "Invalid user_data: it is too long."), false;
    order->spec.user_data = order->user_data;
    return true;
}

// A reserved address becomes the instance's own.
static bool read_main_ip(const struct request *request, struct response *response, struct order *order)
{
    const char *id;

    if (!vt_text(request, response, "reserved_ipv4", false, &id))
        return false;
    if (!id || !*id)
        return true;
    order->main_ip = vt_ip_find(request, response, id);
    if (!order->main_ip)
        return false;
    if (order->main_ip->ipv6 || order->main_ip->server_id ||
        !text_equal(order->main_ip->region, order->spec.location))
        return vt_error(response, 400, "Invalid reserved IP."), false;
    order->spec.own_ipv4 = order->main_ip;
    return true;
}

static bool read_names(const struct request *request, struct response *response, struct order *order)
{
    if (!vt_text(request, response, "label", false, &order->label) ||
        !vt_text(request, response, "hostname", false, &order->hostname) ||
        !vt_text(request, response, "backups", false, &order->backups) ||
        !vt_text(request, response, "firewall_group_id", false, &order->group) ||
        !vt_tags_read(request, response, order->spec.labels))
        return false;
    if (order->hostname && !hostname_valid(order->hostname))
        return vt_error(response, 400, "Invalid hostname."), false;
    if (order->backups && !text_equal(order->backups, "enabled") && !text_equal(order->backups, "disabled"))
        return vt_error(response, 400, "Invalid backups value: enabled or disabled."), false;
    if (order->group && *order->group) {
        if (!vt_firewall_find(request, response, order->group))
            return false;
        json_array_append_new(order->spec.firewalls, json_string(order->group));
    }
    order->spec.name = order->hostname ? order->hostname : "vultr";
    return true;
}

static bool within_limit(const struct request *request, struct response *response)
{
    int limit = request->cloud->ground->settings.server_limit;

    if (limit == 0 || (int)request->cloud->servers.count < limit)
        return true; // one that is being deleted still counts (ingvarch/tent, nodes.go)
    vt_error(
        response, 400,
        "You have reached the maximum monthly fee limit for this account. Please contact our support team "
        "to have this limit raised.");
    return false;
}

static void remember(struct server *server, const struct order *order)
{
    char password[24];

    if (*server->root_password)
        snprintf(password, sizeof password, "%s", server->root_password);
    else
        make_password(password, 21);
    json_t *extra = json_pack("{s:s, s:s, s:s}", "label", order->label ? order->label : "", "backups",
                              order->backups ? order->backups : "disabled", "default_password", password);
    json_object_update(server->extra, extra);
    json_decref(extra);
    if (order->main_ip)
        ip_assign(server->cloud, order->main_ip, server, "attach");
}

// 202, and whatever the machine will be like is not known yet.
static void create_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct order order = {.spec = {.labels = json_array(),
                                   .public_keys = json_array(),
                                   .firewalls = json_array(),
                                   .start = true,
                                   .never_boots = request->effect.never_boots,
                                   .address_delay_ms = request->effect.address_delay_ms,
                                   .vanish_after_ms = request->effect.vanish_after_ms}};
    struct action *create, *start;

    (void)args;
    order.spec.image = order.image;
    order.spec.ipv4 = !vt_boolean(request, "disable_public_ipv4") && !vt_boolean(request, "vpc_only");
    order.spec.ipv6 = vt_boolean(request, "enable_ipv6");
    if (read_place(request, response, &order.spec) && read_system(request, response, &order) &&
        read_names(request, response, &order) && read_keys(request, response, order.spec.public_keys) &&
        read_user_data(request, response, &order) && read_main_ip(request, response, &order) &&
        within_limit(request, response)) {
        struct server *server = server_create(request->cloud, &order.spec, &create, &start);
        remember(server, &order);
        json_t *json = vt_server_json(server);
        json_object_set(json, "default_password", json_object_get(server->extra, "default_password"));
        vt_ok(response, 202, json_pack("{s:o}", "instance", json));
    }
    json_decref(order.spec.labels), json_decref(order.spec.public_keys), json_decref(order.spec.firewalls);
    free(order.user_data);
}

const struct route vt_create_routes[] = {
    {"POST", "instances", create_instance},
    {NULL, NULL, NULL},
};
