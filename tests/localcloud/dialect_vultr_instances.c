// /instances: how they look, power, changes, and their end. Orders are in dialect_vultr_create.c.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

enum {
    BOOTING_MS = 500,       // server_status says "installingbooting" that much longer than it is true
    PASSWORD_SECONDS = 600, // how long the password is shown
};

struct server *vt_server_find(const struct request *request, struct response *response, const char *id)
{
    struct server *server = server_find(request->cloud, uuid_id(id));

    if (!server)
        vt_not_found(response, "instance");
    return server;
}

bool vt_server_locked(const struct server *server, struct response *response)
{
    if (server->status == SERVER_DELETING) // squat/terraform-provider-vultr#50
        vt_error(response, 400, "Server is already pending destruction.");
    else if (server->busy) // terraform-provider-vultr#482
        vt_error(response, 400, "Server is currently locked");
    return server->busy;
}

// Three fields tell how an instance is: status, which stays "active" when it is halted; power_status; and
// server_status, which lags (docker-machine-driver-vultr#15). Power can only be changed once it was active.
static bool was_active(const struct server *server)
{
    return json_is_true(json_object_get(server->extra, "was_active"));
}

static bool active(const struct server *server)
{
    return was_active(server) || (server->status != SERVER_INITIALIZING && server->status != SERVER_STARTING);
}

static const char *power_status(const struct server *server)
{
    bool on = server->status == SERVER_RUNNING || server->status == SERVER_STOPPING;

    return on ? "running" : "stopped";
}

static const char *server_status(const struct server *server)
{
    if (!active(server))
        return "none";
    if (server->status == SERVER_DELETING)
        return "locked";
    if (!was_active(server) && server->running_ms && now_ms() - server->running_ms < BOOTING_MS)
        return "installingbooting";
    return "ok";
}

static bool address_shown(const struct server *server)
{
    return active(server) && (was_active(server) || server_addresses_shown(server));
}

const char *vt_server_address(const struct server *server)
{
    return *server->ipv4 && address_shown(server) ? server->ipv4 : "0.0.0.0";
}

static json_t *features_json(const struct server *server)
{
    json_t *list = json_array();

    if (*server->ipv6)
        json_array_append_new(list, json_string("ipv6"));
    if (text_equal(vt_member(server->extra, "backups"), "enabled"))
        json_array_append_new(list, json_string("auto_backups"));
    return list;
}

static void netmask(const struct server *server, char out[16])
{
    uint32_t mask = ~0u << (32 - server->cloud->ground->network.prefix);

    snprintf(out, 16, "%u.%u.%u.%u", mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255);
}

static json_t *ipv6_json(const struct server *server)
{
    bool shown = *server->ipv6 && address_shown(server);
    char network[48] = "";

    if (shown)
        snprintf(network, sizeof network, "%.*s", (int)strcspn(server->ipv6_net, "/"), server->ipv6_net);
    return json_pack("{s:s, s:s, s:i}", "v6_network", network, "v6_main_ip", shown ? server->ipv6 : "",
                     "v6_network_size", shown ? 64 : 0);
}

static json_t *networks_json(const struct server *server)
{
    json_t *own = ipv6_json(server), *list = json_array();

    if (*vt_member(own, "v6_network"))
        json_array_append_new(list,
                              json_pack("{s:O, s:O, s:O}", "network", json_object_get(own, "v6_network"),
                                        "main_ip", json_object_get(own, "v6_main_ip"), "network_size",
                                        json_object_get(own, "v6_network_size")));
    json_decref(own);
    return list;
}

static json_t *addresses_json(const struct server *server)
{
    bool shown = *server->ipv4 && address_shown(server);
    char mask[16] = "";

    if (shown)
        netmask(server, mask);
    json_t *json = ipv6_json(server);
    json_t *ipv4 = json_pack("{s:s, s:s, s:s, s:s}", "main_ip", vt_server_address(server), "netmask_v4", mask,
                             "gateway_v4", shown ? server->cloud->ground->network.gateway : "0.0.0.0",
                             "internal_ip", "");
    json_object_update(json, ipv4);
    json_decref(ipv4);
    if (server->cloud->ground->settings.published) // the document's form; live answers have the flat one
        json_object_set_new(json, "v6_networks", networks_json(server));
    return json;
}

json_t *vt_server_json(const struct server *server)
{
    const struct vt_plan *plan = vt_plan_find(server->type);
    const char *group = json_string_value(json_array_get(server->firewalls, 0));
    const char *tag = json_string_value(json_array_get(server->labels, 0));
    int os_id = atoi(server->image);
    json_t *json = addresses_json(server);
    json_t *rest = json_pack(
        "{s:o, s:s, s:i, s:i, s:i, s:s, s:s, s:o, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:s, s:i, s:i, "
        "s:s, "
        "s:o, s:s, s:o, s:O, s:s}",
        "id", vt_id(server->id), "os", vt_os_name(os_id), "ram", plan->memory_mb, "disk", plan->disk_gb,
        "vcpu_count", plan->cores, "region", server->location, "plan", plan->id, "date_created",
        vt_time(server->created), "status", active(server) ? "active" : "pending", "power_status",
        power_status(server), "server_status", server_status(server), "allowed_bandwidth", plan->bandwidth_gb,
        "hostname", server->name, "label", vt_member(server->extra, "label"), "tag", tag ? tag : "",
        "vpc_only", 0, "kvm", "", "os_id", os_id, "app_id", 0, "image_id", "", "snapshot_id",
        vt_id(server->snapshot_id), "firewall_group_id", group ? group : "", "features",
        features_json(server), "tags", server->labels, "user_scheme", "root");
    json_object_update(json, rest);
    json_decref(rest);
    return json;
}

// The filter by tag is the one that ignores case (ingvarch/tent, nodes.go): clients have to compare again.
static bool tag_matches(const struct request *request, const struct server *server)
{
    const char *wanted = request_query(request, "tag");
    json_t *tag;
    size_t i;

    if (!wanted)
        return true;
    for (i = 0; (tag = json_array_get(server->labels, i)); i++)
        if (strcasecmp(json_string_value(tag), wanted) == 0)
            return true;
    return false;
}

static bool filters_match(const struct request *request, const struct server *server)
{
    const char *group = json_string_value(json_array_get(server->firewalls, 0));

    return tag_matches(request, server) &&
           request_query_has(request, "label", vt_member(server->extra, "label")) &&
           request_query_has(request, "hostname", server->name) &&
           request_query_has(request, "region", server->location) &&
           request_query_has(request, "main_ip", vt_server_address(server)) &&
           request_query_has(request, "firewall_group_id", group ? group : "");
}

static void list_instances(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        if (server_listed(request, server) && filters_match(request, server))
            json_array_append_new(list, vt_server_json(server));
    }
    vt_list(request, response, "instances", list, "id");
}

static void get_instance(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = vt_server_find(request, response, args[0]);

    if (!server)
        return;
    json_t *json = vt_server_json(server);
    if (time(NULL) - server->created < PASSWORD_SECONDS)
        json_object_set(json, "default_password", json_object_get(server->extra, "default_password"));
    vt_ok(response, 200, json_pack("{s:o}", "instance", json));
}

static void set_text(struct server *server, const char *key, const char *text)
{
    if (text)
        json_object_set_new(server->extra, key, json_string(text));
}

// "" takes the firewall group away.
static bool change_group(const struct request *request, struct response *response, struct server *server)
{
    const char *group;

    if (!vt_text(request, response, "firewall_group_id", false, &group) ||
        (group && *group && !vt_firewall_find(request, response, group)))
        return false;
    if (group)
        json_array_clear(server->firewalls);
    if (group && *group)
        json_array_append_new(server->firewalls, json_string(group));
    return true;
}

static void update_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    static const char *const fixed[] = {"plan", "os_id", "app_id", "image_id", "enable_ipv6", "user_data"};
    struct server *server = vt_server_find(request, response, args[0]);
    const char *label, *backups;
    json_t *tags = json_array();

    for (size_t i = 0; server && i < sizeof fixed / sizeof *fixed; i++)
        if (json_object_get(request->body, fixed[i])) {
            vt_error(response, 400, "Changing %s is not part of the local cloud.", fixed[i]);
            server = NULL;
        }
    if (server && vt_text(request, response, "label", false, &label) &&
        vt_text(request, response, "backups", false, &backups) && vt_tags_read(request, response, tags) &&
        change_group(request, response, server)) {
        set_text(server, "label", label);
        set_text(server, "backups", backups);
        if (json_object_get(request->body, "tags") || json_object_get(request->body, "tag")) {
            json_decref(server->labels);
            server->labels = json_incref(tags);
        }
        vt_ok(response, 202, json_pack("{s:o}", "instance", vt_server_json(server)));
    }
    json_decref(tags);
}

// What comes some time after the answer, and what the instance is locked until then for.
struct later {
    struct server *server;
    bool end; // it is deleted; else halted
};

static void do_later(void *arg)
{
    struct later *later = arg;
    struct server *server = later->server;
    struct ground *ground = server->cloud->ground;

    ground_lock(ground);
    server->busy = false;
    if (later->end)
        server_delete(server, "destroy");
    else
        server_power(server, POWER_OFF, "halt");
    ground_unlock(ground);
    free(later);
}

static void add_later(struct server *server, bool end)
{
    struct ground *ground = server->cloud->ground;
    struct later *later = zalloc(sizeof *later);

    *later = (struct later){.server = server, .end = end};
    server->busy = true;
    jobs_add(ground->jobs, ground->settings.object_delay_ms, do_later, free, later);
}

static void delete_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct server *server = vt_server_find(request, response, args[0]);

    if (!server)
        return;
    if (server->busy && server->status != SERVER_DELETING) { // ansible-collection-vultr#113
        vt_error(response, 500, "Unable to destroy server: Unable to remove VM: Server is currently locked");
    } else if (!vt_server_locked(server, response)) {
        server->status = SERVER_DELETING;
        add_later(server, true);
        vt_empty(response);
    }
}

// A halt pulls the plug, some time after the 204; there is no graceful stop. So does a reboot.
static void change_power(struct server *server, const char *how)
{
    json_object_set_new(server->extra, "was_active", json_true());
    if (text_equal(how, "start"))
        server_power(server, POWER_ON, "start");
    else if (text_equal(how, "reboot"))
        server_power(server, POWER_RESET, "reboot");
    else
        add_later(server, false);
}

static void power_one(const struct request *request, struct response *response, const char *id,
                      const char *how)
{
    struct server *server = vt_server_find(request, response, id);

    if (!server || vt_server_locked(server, response))
        return;
    change_power(server, how);
    vt_empty(response);
}

static void start(const struct request *request, struct response *response, const char *const args[])
{
    power_one(request, response, args[0], "start");
}

static void reboot(const struct request *request, struct response *response, const char *const args[])
{
    power_one(request, response, args[0], "reboot");
}

static void halt(const struct request *request, struct response *response, const char *const args[])
{
    power_one(request, response, args[0], "halt");
}

// All or none.
static void power_many(const struct request *request, struct response *response, const char *const args[])
{
    json_t *ids = json_object_get(request->body, "instance_ids"), *id;
    size_t i;

    (void)args;
    if (json_array_size(ids) == 0) {
        vt_error(response, 400, "Missing required parameter: instance_ids");
        return;
    }
    json_array_foreach(ids, i, id)
    {
        const char *text = json_string_value(id);
        const struct server *server = vt_server_find(request, response, text ? text : "");
        if (!server || vt_server_locked(server, response))
            return;
    }
    json_array_foreach(ids, i, id)
        change_power(server_find(request->cloud, uuid_id(json_string_value(id))), request->segments[1]);
    vt_empty(response);
}

static void list_ipv4(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = vt_server_find(request, response, args[0]);
    char mask[16];

    if (!server)
        return;
    json_t *list = json_array();
    netmask(server, mask);
    if (*server->ipv4 && address_shown(server))
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "ip", vt_server_address(server),
                                        "netmask", mask, "gateway", server->cloud->ground->network.gateway,
                                        "type", "main_ip", "reverse", ""));
    for (size_t i = 0; i < request->cloud->ips.count; i++) {
        const struct movable_ip *ip = request->cloud->ips.items[i];
        if (ip->server_id == server->id && !ip->ipv6 && !text_equal(ip->address, vt_server_address(server)))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "ip", ip->address, "netmask",
                                                  "255.255.255.255", "gateway", "", "type", "secondary_ip",
                                                  "reverse", ""));
    }
    vt_list(request, response, "ipv4s", list, "ip");
}

static void list_ipv6(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = vt_server_find(request, response, args[0]);

    if (!server)
        return;
    json_t *list = json_array(), *own = ipv6_json(server);
    if (*vt_member(own, "v6_main_ip"))
        json_array_append_new(
            list, json_pack("{s:O, s:O, s:i, s:s}", "ip", json_object_get(own, "v6_main_ip"), "network",
                            json_object_get(own, "v6_network"), "network_size", 64, "type", "main_ip"));
    json_decref(own);
    vt_list(request, response, "ipv6s", list, "ip");
}

static void get_user_data(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = vt_server_find(request, response, args[0]);

    if (!server)
        return;
    char *data = vt_base64(server->user_data ? server->user_data : "");
    vt_ok(response, 200, json_pack("{s:{s:s}}", "user_data", "data", data));
    free(data);
}

const struct route vt_instance_routes[] = {
    {"GET", "instances", list_instances},
    {"GET", "instances/*", get_instance},
    {"PATCH", "instances/*", update_instance},
    {"DELETE", "instances/*", delete_instance},
    {"POST", "instances/start", power_many},
    {"POST", "instances/reboot", power_many},
    {"POST", "instances/halt", power_many},
    {"POST", "instances/*/start", start},
    {"POST", "instances/*/reboot", reboot},
    {"POST", "instances/*/halt", halt},
    {"GET", "instances/*/ipv4", list_ipv4},
    {"GET", "instances/*/ipv6", list_ipv6},
    {"GET", "instances/*/user-data", get_user_data},
    {NULL, NULL, NULL},
};
