// /linode/instances: create, look at, change, power, delete. There are no action objects: an instance's
// status and the account's events tell how far things are.
#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum {
    LABEL_MIN = 3,
    LABEL_MAX = 64,
    USER_DATA_MAX = 65535,
    PASSWORD_MIN = 7,
    PASSWORD_MAX = 128,
    SWAP_MB = 512
};

static const char filterable[] = "id label group image ipv4 region tags type status";

// While a button was pressed the status says so; when the machine obeys, the model's takes over.
static const char *status_of(const struct server *server)
{
    static const char *const names[] = {"provisioning",  "booting", "running",
                                        "shutting_down", "offline", "deleting"};
    const char *asked = json_string_value(json_object_get(server->extra, "asked"));

    if (asked && server->status == SERVER_RUNNING && (server->busy || text_equal(asked, "shutting_down")))
        return asked;
    return names[server->status];
}

static json_t *addresses_json(const struct server *server)
{
    const char *inside = ln_private_address(server);

    if (!server_addresses_shown(server))
        return json_array();
    json_t *list = ln_public_addresses(server);
    if (inside)
        json_array_append_new(list, json_string(inside));
    return list;
}

static json_t *ipv6_json(const struct server *server)
{
    if (!*server->ipv6 || !server_addresses_shown(server))
        return json_null();
    char *text = text_format("%s/128", server->ipv6);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *backups_json(const struct server *server)
{
    bool enabled = json_is_true(json_object_get(server->extra, "backups_enabled"));
    json_t *json = json_pack("{s:b, s:b, s:{s:n, s:n}}", "enabled", enabled, "available", 0, "schedule",
                             "day", "window");

    ln_set_null(server->cloud, json, "last_successful");
    return json;
}

static json_t *specs_json(const struct ln_type *type)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i}", "disk", type->disk_mb, "memory", type->memory_mb, "vcpus",
                     type->vcpus, "gpus", type->gpus, "transfer", type->transfer_gb);
}

json_t *ln_instance_json(const struct server *server)
{
    char host[41];

    snprintf(host, sizeof host, "%08x%08x%08x%08x%08x", server->address, 0x6c6f6361u, 0x6c636c6fu, 0x7564u,
             0u);
    json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:o}", "id",
                             (json_int_t)server->id, "label", server->name, "group", "", "status",
                             status_of(server), "created", ln_time(server->created), "updated",
                             ln_time(server->created), "type", server->type, "region", server->location,
                             "hypervisor", "kvm", "ipv4", addresses_json(server), "ipv6", ipv6_json(server));
    json_t *more = json_pack(
        "{s:o, s:o, s:{s:i, s:i, s:i, s:i, s:i}, s:o, s:b, s:O, s:s, s:b, s:s, s:n, s:n, s:s, s:[]}", "image",
        *server->image ? json_string(server->image) : json_null(), "specs",
        specs_json(ln_type_find(server->type)), "alerts", "cpu", 90, "network_in", 10, "network_out", 10,
        "transfer_quota", 80, "io", 10000, "backups", backups_json(server), "watchdog_enabled", 1, "tags",
        server->labels, "host_uuid", host, "has_user_data", server->user_data != NULL, "interface_generation",
        "legacy_config", "placement_group", "lke_cluster_id", "disk_encryption", "disabled", "capabilities");
    json_object_update_missing(json, more);
    json_decref(more);
    return json;
}

struct server *ln_find_instance(const struct request *request, struct response *response, const char *id)
{
    char *end;
    struct server *server = server_find(request->cloud, strtoll(id, &end, 10));

    if (!server || *end) {
        ln_not_found(response);
        return NULL;
    }
    return server;
}

bool ln_busy(const struct server *server, struct response *response)
{
    if (server->busy)
        ln_invalid(response, NULL, "Linode busy."); // linode_api4-python#110
    return server->busy;
}

static void list_instances(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->servers.count; i++) {
        const struct server *server = request->cloud->servers.items[i];
        if (server_listed(request, server))
            json_array_append_new(list, ln_instance_json(server));
    }
    ln_list(request, response, list, filterable);
}

static void get_instance(const struct request *request, struct response *response, const char *const args[])
{
    const struct server *server = ln_find_instance(request, response, args[0]);

    if (server)
        ln_ok(response, ln_instance_json(server));
}

static bool label_free(const struct request *request, struct response *response, const char *label,
                       const struct server *self)
{
    const struct server *other = server_find_name(request->cloud, label);

    if (!ln_label_valid(response, label, LABEL_MIN, LABEL_MAX))
        return false;
    if (other && other != self)
        return ln_invalid(response, "label", "Label must be unique among your linodes"), false;
    return true;
}

// The provider's score is its own secret; what nobody doubts: at least three kinds of characters, or very
// long.
static bool password_strong(const char *password)
{
    bool lower = false, upper = false, digit = false, other = false;
    size_t size = strlen(password);

    for (const char *p = password; *p; p++) {
        lower |= islower((unsigned char)*p) != 0;
        upper |= isupper((unsigned char)*p) != 0;
        digit |= isdigit((unsigned char)*p) != 0;
        other |= !isalnum((unsigned char)*p);
    }
    return size >= 11 && (lower + upper + digit + other >= 3 || size >= 30);
}

static bool read_password(const struct request *request, struct response *response, bool *ret_given)
{
    const char *password;

    if (!ln_text(request, response, "root_pass", false, &password))
        return false;
    *ret_given = password != NULL;
    if (password && (strlen(password) < PASSWORD_MIN || strlen(password) > PASSWORD_MAX))
        return ln_invalid(response, "root_pass", "Length must be %d-%d characters", PASSWORD_MIN,
                          PASSWORD_MAX),
               false;
    if (password && !password_strong(password))
        return ln_invalid(response, "root_pass", "Password does not meet strength requirement"), false;
    return true;
}

static bool key_line_valid(const char *line)
{
    return (text_starts(line, "ssh-") || text_starts(line, "ecdsa-") || text_starts(line, "sk-")) &&
           strchr(line, ' ') && !strpbrk(line, "\r\n");
}

static bool read_keys(const struct request *request, struct response *response, json_t *lines)
{
    json_t *keys = json_object_get(request->body, "authorized_keys"), *key;
    json_t *users = json_object_get(request->body, "authorized_users"), *user;
    size_t i;

    if (keys && !json_is_array(keys))
        return ln_invalid(response, "authorized_keys", "authorized_keys must be of type Array"), false;
    json_array_foreach(keys, i, key)
    {
        if (!json_is_string(key) || !key_line_valid(json_string_value(key)))
            return ln_invalid(response, "authorized_keys", "SSH Key %zu invalid - please check format",
                              i + 1),
                   false;
        json_array_append(lines, key);
    }
    json_array_foreach(users, i, user)
    {
        if (!text_equal(json_string_value(user), "localcloud"))
            return ln_invalid(response, "authorized_users", "Username %s is invalid",
                              json_string_value(user)),
                   false;
        for (size_t k = 0; k < request->cloud->ssh_keys.count; k++)
            json_array_append_new(
                lines, json_string(((const struct ssh_key *)request->cloud->ssh_keys.items[k])->public_key));
    }
    return true;
}

// With an image there must be a way in. The document of 2025-09 wants a password; since spring 2026 one of
// the three is enough (linode_api4-python#665, terraform-provider-linode#2346).
static bool read_access(const struct request *request, struct response *response, struct server_spec *spec)
{
    bool password;

    if (!read_password(request, response, &password) || !read_keys(request, response, spec->public_keys))
        return false;
    if (!*spec->image || password)
        return true;
    if (request->cloud->ground->settings.published)
        return ln_invalid(response, "root_pass", "root_pass is required"), false;
    if (json_array_size(spec->public_keys) == 0)
        return ln_invalid(response, "root_pass",
                          "Must provide valid root_pass, authorized_keys or authorized_users"),
               false;
    return true;
}

// Returns what `text` encodes, for free(); NULL if it is no base64 of text, or too much.
static char *base64_text(const char *text)
{
    size_t size = strlen(text), padding = 0;

    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    if (size % 4 != 0 ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != size - padding)
        return NULL;
    char *out = zalloc(size / 4 * 3 + 1);
    int length = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)size);
    if (length < 0 || strlen(out) != (size_t)length - padding) { // padding counts as zero bytes there
        free(out);
        return NULL;
    }
    return out;
}

static bool read_user_data(const struct request *request, struct response *response, char **ret)
{
    const json_t *data = json_object_get(json_object_get(request->body, "metadata"), "user_data");

    *ret = NULL;
    if (!data || json_is_null(data))
        return true;
    if (json_is_string(data))
        *ret = base64_text(json_string_value(data));
    if (!*ret)
        return ln_invalid(response, "metadata.user_data", "user_data must be Base64 encoded"), false;
    if (strlen(*ret) > USER_DATA_MAX)
        return ln_invalid(response, "metadata.user_data", "user_data must not exceed 65535 bytes"), false;
    return true;
}

static bool image_exists(struct cloud *cloud, const char *id, int64_t *ret_snapshot)
{
    const struct snapshot *snapshot = ln_private_image(cloud, id);

    *ret_snapshot = snapshot ? snapshot->id : 0;
    return snapshot ? snapshot->ready : ln_public_image(id);
}

// What is ordered: plan, region and image. The text for "no capacity" is not documented; the old API said
// this one (displague/vagrant-linode#24).
static bool read_order(const struct request *request, struct response *response, struct server_spec *spec)
{
    const char *type_id, *region_id, *image;

    if (!ln_text(request, response, "type", true, &type_id) ||
        !ln_text(request, response, "region", true, &region_id) ||
        !ln_text(request, response, "image", false, &image))
        return false;
    const struct ln_type *type = ln_type_find(type_id);
    spec->location = ln_region_find(region_id);
    spec->image = image ? image : "";
    if (!type)
        return ln_invalid(response, "type", "A valid plan type by that ID was not found"), false;
    if (!spec->location)
        return ln_invalid(response, "region", "region is not valid"), false;
    if (image && !image_exists(request->cloud, image, &spec->snapshot_id))
        return ln_invalid(response, "image", "image is not valid"), false;
    if (!ln_type_offered(type, spec->location))
        return ln_invalid(response, "region", "This plan is not available in this region"), false;
    spec->type = type->id;
    if (request->effect.out_of_stock || !stock_available(request->cloud, type->id, spec->location))
        return ln_invalid(response, stock_available(request->cloud, "", spec->location) ? "type" : "region",
                          "No open slots for this plan"),
               false;
    return true;
}

static bool read_rest(const struct request *request, struct response *response, struct server_spec *spec)
{
    const struct cloud *cloud = request->cloud;
    json_t *tags = json_object_get(request->body, "tags");
    json_int_t firewall;
    int limit = cloud->ground->settings.server_limit;

    if (!ln_text(request, response, "label", false, &spec->name) ||
        (spec->name && !label_free(request, response, spec->name, NULL)) || !ln_tags_valid(response, tags) ||
        !ln_integer(request, response, "firewall_id", 0, 0, INT64_MAX, &firewall))
        return false;
    if (firewall && !ln_firewall_find(request->cloud, firewall))
        return ln_invalid(response, "firewall_id", "firewall_id is not valid"), false;
    if (limit && (int)cloud->servers.count >= limit) // pulumi/templates#184
        return ln_invalid(response, NULL, "Account Limit reached. Please open a support ticket."), false;
    if (json_is_array(tags))
        json_array_extend(spec->labels, tags);
    spec->ipv4 = spec->ipv6 = true;
    // Without an image there is nothing to boot: the end state is "offline".
    spec->start = *spec->image && ln_boolean(request, "booted", true);
    spec->never_boots = request->effect.never_boots;
    spec->address_delay_ms = request->effect.address_delay_ms;
    spec->vanish_after_ms = request->effect.vanish_after_ms;
    return true;
}

static void remember(const struct request *request, struct server *server)
{
    struct ground *ground = request->cloud->ground;
    json_int_t firewall = json_integer_value(json_object_get(request->body, "firewall_id"));

    json_object_set_new(server->extra, "backups_enabled",
                        json_boolean(ln_boolean(request, "backups_enabled", false)));
    if (ln_boolean(request, "private_ip", false))
        ln_private_address_add(server);
    if (*server->image) {
        json_object_set_new(server->extra, "disk_id", json_integer(ground->next_id++));
        json_object_set_new(server->extra, "swap_id", json_integer(ground->next_id++));
        json_object_set_new(server->extra, "swap_mb", json_integer(SWAP_MB));
    }
    if (firewall)
        ln_device_add(ln_firewall_find(request->cloud, firewall), server);
}

static void create_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct server_spec spec = {
        .public_keys = json_array(), .firewalls = json_array(), .labels = json_array()};
    struct action *create, *start;
    char *user_data = NULL, generated[32];

    (void)args;
    // A label that the API makes up; the model gives the server this id.
    snprintf(generated, sizeof generated, "linode%lld", (long long)request->cloud->ground->next_id);
    if (read_order(request, response, &spec) && read_access(request, response, &spec) &&
        read_user_data(request, response, &user_data) && read_rest(request, response, &spec)) {
        spec.name = spec.name ? spec.name : generated;
        spec.user_data = user_data;
        struct server *server = server_create(request->cloud, &spec, &create, &start);
        remember(request, server);
        ln_ok(response, ln_instance_json(server));
    }
    free(user_data);
    json_decref(spec.labels), json_decref(spec.public_keys), json_decref(spec.firewalls);
}

static void update_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct server *server = ln_find_instance(request, response, args[0]);
    json_t *tags = json_object_get(request->body, "tags");
    const char *label;

    if (!server || !ln_text(request, response, "label", false, &label) || !ln_tags_valid(response, tags) ||
        (label && !label_free(request, response, label, server)))
        return;
    if (label) {
        free(server->name);
        server->name = text_copy(label);
    }
    if (json_is_array(tags)) {
        json_decref(server->labels);
        server->labels = json_deep_copy(tags);
    }
    ln_ok(response, ln_instance_json(server));
}

static void delete_instance(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct server *server = ln_find_instance(request, response, args[0]);

    if (!server || ln_busy(server, response))
        return;
    ln_devices_remove(request->cloud, server->id);
    ln_addresses_give_up(server);
    server_delete(server, "linode_delete");
    ln_done(response);
}

static void power(const struct request *request, struct response *response, const char *id, enum power power,
                  const char *command, const char *asked)
{
    struct server *server = ln_find_instance(request, response, id);

    if (!server || ln_busy(server, response))
        return;
    if (power == POWER_ON && !*server->image) {
        ln_invalid(response, NULL, "Linode has no configuration profiles");
        return;
    }
    if (power == POWER_REBOOT && server->status == SERVER_OFF)
        power = POWER_ON;
    if (asked)
        json_object_set_new(server->extra, "asked", json_string(asked));
    else
        json_object_del(server->extra, "asked");
    server_power(server, power, command);
    ln_done(response);
}

static void boot(const struct request *request, struct response *response, const char *const args[])
{
    power(request, response, args[0], POWER_ON, "linode_boot", NULL);
}

static void shut_down(const struct request *request, struct response *response, const char *const args[])
{
    power(request, response, args[0], POWER_SHUTDOWN, "linode_shutdown", "shutting_down");
}

static void reboot(const struct request *request, struct response *response, const char *const args[])
{
    power(request, response, args[0], POWER_REBOOT, "linode_reboot", "rebooting");
}

const struct route ln_instance_routes[] = {
    {"GET", "linode/instances", list_instances},
    {"POST", "linode/instances", create_instance},
    {"GET", "linode/instances/*", get_instance},
    {"PUT", "linode/instances/*", update_instance},
    {"DELETE", "linode/instances/*", delete_instance},
    {"POST", "linode/instances/*/boot", boot},
    {"POST", "linode/instances/*/shutdown", shut_down},
    {"POST", "linode/instances/*/reboot", reboot},
    {NULL, NULL, NULL},
};
