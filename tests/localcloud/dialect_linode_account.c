// The profile and its SSH keys; the account: what it may use and what happened in it.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

static void get_profile(const struct request *request, struct response *response, const char *const args[])
{
    json_t *keys = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++)
        json_array_append_new(
            keys, json_string(((const struct ssh_key *)request->cloud->ssh_keys.items[i])->public_key));
    ln_ok(
        response,
        json_pack(
            "{s:i, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:s, s:o, s:n, s:{s:s, s:s, s:i, s:i, s:i, s:f}}",
            "uid", 1, "username", "localcloud", "email", "owner@localcloud.test", "timezone", "UTC",
            "email_notifications", 0, "restricted", 0, "two_factor_auth", 1, "ip_whitelist_enabled", 0,
            "lish_auth_method", "keys_only", "authentication_type", "password", "authorized_keys", keys,
            "verified_phone_number", "referrals", "code", "0", "url", "https://localcloud.test/", "total", 0,
            "completed", 0, "pending", 0, "credit", 0.0));
}

// Users who may do everything have no grants.
static void get_grants(const struct request *request, struct response *response, const char *const args[])
{
    (void)request, (void)args;
    response->status = 204;
}

static json_t *key_json(const struct ssh_key *key)
{
    return json_pack("{s:I, s:s, s:s, s:o}", "id", (json_int_t)key->id, "label", key->name, "ssh_key",
                     key->public_key, "created", ln_time(key->created));
}

static struct ssh_key *find_key(const struct request *request, struct response *response, const char *id)
{
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++) {
        struct ssh_key *key = request->cloud->ssh_keys.items[i];
        if (key->id == strtoll(id, NULL, 10))
            return key;
    }
    ln_not_found(response);
    return NULL;
}

static void list_keys(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++)
        json_array_append_new(list, key_json(request->cloud->ssh_keys.items[i]));
    ln_list(request, response, list, "label");
}

static void create_key(const struct request *request, struct response *response, const char *const args[])
{
    const char *label, *line;

    (void)args;
    if (!ln_text(request, response, "label", true, &label) ||
        !ln_text(request, response, "ssh_key", true, &line))
        return;
    if (strlen(label) > 64)
        ln_invalid(response, "label", "Length must be 0-64 characters");
    else if (!text_starts(line, "ssh-") && !text_starts(line, "ecdsa-"))
        ln_invalid(response, "ssh_key", "SSH Key invalid - please check format");
    else
        ln_ok(response, key_json(ssh_key_create(request->cloud, label, line, "", NULL)));
}

static void get_key(const struct request *request, struct response *response, const char *const args[])
{
    const struct ssh_key *key = find_key(request, response, args[0]);

    if (key)
        ln_ok(response, key_json(key));
}

static void update_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);
    const char *label;

    if (!key || !ln_text(request, response, "label", true, &label))
        return;
    free(key->name);
    key->name = text_copy(label);
    ln_ok(response, key_json(key));
}

static void delete_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);

    if (!key)
        return;
    ssh_key_delete(request->cloud, key);
    ln_done(response);
}

static void get_account(const struct request *request, struct response *response, const char *const args[])
{
    (void)request, (void)args;
    ln_ok(response,
          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:s, s:s, s:s, "
                    "s:[s, s, s, s, s], s:[], s:{s:s, s:s}}",
                    "euuid", "6C6F6361-6C63-6C6F-7564746573740000", "first_name", "Local", "last_name",
                    "Cloud", "email", "owner@localcloud.test", "company", "Local Cloud", "address_1",
                    "1 Test Street", "address_2", "", "city", "Testville", "state", "PA", "zip", "19106",
                    "country", "US", "phone", "555-0100", "balance", 0.0, "balance_uninvoiced", 0.0, "tax_id",
                    "", "active_since", "2018-01-01T00:01:01", "billing_source", "linode", "capabilities",
                    "Linodes", "Block Storage", "Cloud Firewall", "Managed Databases", "Machine Images",
                    "active_promotions", "credit_card", "last_four", "1111", "expiry", "11/2030"));
}

static void get_settings(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    json_t *json = json_pack("{s:b, s:b, s:b, s:s, s:s}", "managed", 0, "backups_enabled", 0,
                             "network_helper", 1, "object_storage", "disabled", "interfaces_for_new_linodes",
                             "legacy_config_default_but_linode_allowed");

    ln_set_null(request->cloud, json, "longview_subscription");
    ln_ok(response, json);
}

static void get_transfer(const struct request *request, struct response *response, const char *const args[])
{
    (void)request, (void)args;
    ln_ok(response,
          json_pack("{s:i, s:i, s:i, s:[]}", "quota", 9141, "used", 2, "billable", 0, "region_transfers"));
}

// Services, not plans: stock of plans stands under /regions/availability.
static void list_services(const struct request *request, struct response *response, const char *const args[])
{
    static const char *const some[] = {"us-east", "us-central", "eu-central", "nl-ams", "ap-south"};
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        json_array_append_new(list, json_pack("{s:s, s:[s, s, s], s:[s]}", "region", some[i], "available",
                                              "Linodes", "Block Storage", "Managed Databases", "unavailable",
                                              "Object Storage"));
    ln_list(request, response, list, "region");
}

// Events are the model's actions in this provider's words.
static const char *event_name(const struct action *action)
{
    static const char *const words[][2] = {
        {"create_server", "linode_create"}, {"start_server", "linode_boot"},
        {"create_volume", "volume_create"}, {"create_zone", "dns_zone_create"},
        {"delete_zone", "dns_zone_delete"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal(action->command, words[i][0]))
            return words[i][1];
    return action->command;
}

static json_t *entity_json(struct cloud *cloud, const struct action *action)
{
    static const struct {
        const char *model, *type, *url;
    } kinds[] = {{"server", "linode", "/v4/linode/instances/"},
                 {"volume", "volume", "/v4/volumes/"},
                 {"zone", "domain", "/v4/domains/"},
                 {"floating_ip", "ipaddress", "/v4/networking/ips/"}};
    const struct server *server = server_find(cloud, action->resource_id);
    const struct volume *volume = volume_find(cloud, action->resource_id);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!text_equal(kinds[i].model, action->resource_type))
            continue;
        char *url = text_format("%s%lld", kinds[i].url, (long long)action->resource_id);
        json_t *json = json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)action->resource_id, "type",
                                 kinds[i].type, "label",
                                 server   ? server->name
                                 : volume ? volume->name
                                          : "",
                                 "url", url);
        free(url);
        return json;
    }
    return NULL;
}

static json_t *event_json(struct cloud *cloud, const struct action *action)
{
    static const char *const statuses[] = {"started", "finished", "failed"};
    json_t *entity = entity_json(cloud, action);
    json_t *json =
        json_pack("{s:I, s:s, s:s, s:i, s:n, s:n, s:o, s:s, s:b, s:b, s:f, s:o}", "id",
                  (json_int_t)action->id, "action", event_name(action), "status", statuses[action->status],
                  "percent_complete", action->status == ACTION_RUNNING ? 50 : 100, "time_remaining", "rate",
                  "created", ln_time(action->started), "username", "localcloud", "read", 0, "seen", 0,
                  "duration", action->finished ? (double)(action->finished - action->started) : 0.0,
                  "message", action->status == ACTION_ERROR ? json_string(action->error) : json_null());

    if (entity)
        json_object_set_new(json, "entity", entity);
    else
        ln_set_null(cloud, json, "entity");
    ln_set_null(cloud, json, "secondary_entity");
    return json;
}

static void list_events(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = request->cloud->actions.count; i-- > 0;) // newest first
        json_array_append_new(list, event_json(request->cloud, request->cloud->actions.items[i]));
    ln_list(request, response, list, "id action created status entity.id entity.type read");
}

static void get_event(const struct request *request, struct response *response, const char *const args[])
{
    const struct action *action = action_find(request->cloud, strtoll(args[0], NULL, 10));

    if (action)
        ln_ok(response, event_json(request->cloud, action));
    else
        ln_not_found(response);
}

const struct route ln_account_routes[] = {
    {"GET", "profile", get_profile},
    {"GET", "profile/grants", get_grants},
    {"GET", "profile/sshkeys", list_keys},
    {"POST", "profile/sshkeys", create_key},
    {"GET", "profile/sshkeys/*", get_key},
    {"PUT", "profile/sshkeys/*", update_key},
    {"DELETE", "profile/sshkeys/*", delete_key},
    {"GET", "account", get_account},
    {"GET", "account/settings", get_settings},
    {"GET", "account/transfer", get_transfer},
    {"GET", "account/availability", list_services},
    {"GET", "account/events", list_events},
    {"GET", "account/events/*", get_event},
    {NULL, NULL, NULL},
};
