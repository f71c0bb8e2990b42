// The account and its SSH keys.
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

static void get_account(const struct request *request, struct response *response, const char *const args[])
{
    bool full = request_token(request) == TOKEN_FULL;
    static const char *const rights[] = {"subscriptions_view",
                                         "subscriptions",
                                         "provisioning",
                                         "dns",
                                         "firewall",
                                         "billing",
                                         "upgrade",
                                         "support",
                                         NULL};
    json_t *acls = json_array();

    (void)args;
    for (size_t i = 0; rights[i] && (full || i == 0); i++)
        json_array_append_new(acls, json_string(rights[i]));
    vt_ok(response, 200,
          json_pack("{s:{s:s, s:s, s:o, s:f, s:f, s:s, s:f}}", "account", "name", "Local Cloud", "email",
                    "admin@localcloud.test", "acls", acls, "balance", -100.55, "pending_charges", 60.25,
                    "last_payment_date", "2026-10-10T01:56:20+00:00", "last_payment_amount", -1.25));
}

static json_t *key_json(const struct ssh_key *key)
{
    return json_pack("{s:o, s:o, s:s, s:s}", "id", vt_id(key->id), "date_created", vt_time(key->created),
                     "name", key->name, "ssh_key", key->public_key);
}

static struct ssh_key *find_key(const struct request *request, struct response *response, const char *id)
{
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++) {
        struct ssh_key *key = request->cloud->ssh_keys.items[i];
        if (key->id == uuid_id(id))
            return key;
    }
    vt_not_found(response, "SSH key");
    return NULL;
}

static bool key_valid(struct response *response, const char *line)
{
    char type[64], text[8192];
    bool ok = sscanf(line, "%63s %8191s", type, text) == 2 &&
              (text_starts(type, "ssh-") || text_starts(type, "ecdsa-")) && text_starts(text, "AAAA");

    if (!ok)
        vt_error(response, 400, "Invalid SSH key.");
    return ok;
}

static void list_keys(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++)
        json_array_append_new(list, key_json(request->cloud->ssh_keys.items[i]));
    vt_list(request, response, "ssh_keys", list, "id");
}

// Neither names nor keys are unique.
static void create_key(const struct request *request, struct response *response, const char *const args[])
{
    json_t *none = json_object();
    const char *name, *line;

    (void)args;
    if (vt_text(request, response, "name", true, &name) &&
        vt_text(request, response, "ssh_key", true, &line) && key_valid(response, line))
        vt_ok(response, 201,
              json_pack("{s:o}", "ssh_key", key_json(ssh_key_create(request->cloud, name, line, "", none))));
    json_decref(none);
}

static void get_key(const struct request *request, struct response *response, const char *const args[])
{
    const struct ssh_key *key = find_key(request, response, args[0]);

    if (key)
        vt_ok(response, 200, json_pack("{s:o}", "ssh_key", key_json(key)));
}

static void replace(char **place, const char *text)
{
    if (!text)
        return;
    free(*place);
    *place = text_copy(text);
}

static void update_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);
    const char *name, *line;

    if (!key || !vt_text(request, response, "name", false, &name) ||
        !vt_text(request, response, "ssh_key", false, &line) || (line && !key_valid(response, line)))
        return;
    replace(&key->name, name);
    replace(&key->public_key, line);
    vt_empty(response);
}

static void delete_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);

    if (!key)
        return;
    ssh_key_delete(request->cloud, key);
    vt_empty(response);
}

const struct route vt_account_routes[] = {
    {"GET", "account", get_account},
    {"GET", "ssh-keys", list_keys},
    {"POST", "ssh-keys", create_key},
    {"GET", "ssh-keys/*", get_key},
    {"PATCH", "ssh-keys/*", update_key},
    {"DELETE", "ssh-keys/*", delete_key},
    {NULL, NULL, NULL},
};
