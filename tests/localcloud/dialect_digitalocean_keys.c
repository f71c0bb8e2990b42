// /account/keys.
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

static json_t *key_json(const struct ssh_key *key)
{
    return json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)key->id, "fingerprint", key->fingerprint,
                     "public_key", key->public_key, "name", key->name);
}

static struct ssh_key *find_key(const struct request *request, struct response *response,
                                const char *id_or_fingerprint)
{
    const struct ssh_key *found = ocean_key_find(request->cloud, id_or_fingerprint);

    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++)
        if (request->cloud->ssh_keys.items[i] == found)
            return request->cloud->ssh_keys.items[i];
    ocean_not_found(response);
    return NULL;
}

static void list_keys(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->ssh_keys.count; i++)
        json_array_append_new(list, key_json(request->cloud->ssh_keys.items[i]));
    ocean_list(request, response, "ssh_keys", list);
}

// A key is unique by its fingerprint; names are not.
static void create_key(const struct request *request, struct response *response, const char *const args[])
{
    const char *name, *line;
    char print[48];

    (void)args;
    if (!ocean_text(request, response, "name", true, &name) ||
        !ocean_text(request, response, "public_key", true, &line))
        return;
    if (!ssh_key_fingerprint(line, print)) {
        ocean_invalid(response, "Key invalid, key should be of the format `type key [comment]`");
    } else if (ocean_key_find(request->cloud, print)) {
        ocean_invalid(response, "SSH Key is already in use on your account");
    } else {
        json_t *none = json_object();
        const struct ssh_key *key = ssh_key_create(request->cloud, name, line, print, none);
        json_decref(none);
        ocean_ok(response, 201, json_pack("{s:o}", "ssh_key", key_json(key)));
    }
}

static void get_key(const struct request *request, struct response *response, const char *const args[])
{
    const struct ssh_key *key = find_key(request, response, args[0]);

    if (key)
        ocean_ok(response, 200, json_pack("{s:o}", "ssh_key", key_json(key)));
}

static void rename_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);
    const char *name;

    if (!key || !ocean_text(request, response, "name", true, &name))
        return;
    free(key->name);
    key->name = text_copy(name);
    ocean_ok(response, 200, json_pack("{s:o}", "ssh_key", key_json(key)));
}

static void delete_key(const struct request *request, struct response *response, const char *const args[])
{
    struct ssh_key *key = find_key(request, response, args[0]);

    if (!key)
        return;
    ssh_key_delete(request->cloud, key);
    ocean_ok(response, 204, NULL);
}

const struct route ocean_key_routes[] = {
    {"GET", "account/keys", list_keys},       {"POST", "account/keys", create_key},
    {"GET", "account/keys/*", get_key},       {"PUT", "account/keys/*", rename_key},
    {"DELETE", "account/keys/*", delete_key}, {NULL, NULL, NULL},
};
