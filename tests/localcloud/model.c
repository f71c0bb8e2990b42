#include "model.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct stock_out {
    char *type, *location;
};

void ground_init(struct ground *ground, const struct settings *settings)
{
    *ground = (struct ground){.settings = *settings, .next_id = 1000};
    pthread_mutex_init(&ground->lock, NULL);
}

void ground_lock(struct ground *ground)
{
    pthread_mutex_lock(&ground->lock);
}

void ground_unlock(struct ground *ground)
{
    pthread_mutex_unlock(&ground->lock);
}

void cloud_init(struct cloud *cloud, struct ground *ground, const struct dialect *dialect)
{
    *cloud = (struct cloud){.ground = ground, .dialect = dialect, .extra = json_object()};
    array_add(&ground->clouds, cloud);
}

static void address_text(uint32_t address, char out[16])
{
    struct in_addr in = {.s_addr = htonl(address)};

    inet_ntop(AF_INET, &in, out, 16);
}

bool network_parse(struct network *network, const char *text, const char *bridge, struct why *why)
{
    char address[32];
    struct in_addr in;

    *network = (struct network){0};
    if (sscanf(text, "%31[0-9.]/%u", address, &network->prefix) != 2 ||
        inet_pton(AF_INET, address, &in) != 1 || network->prefix < 16 || network->prefix > 24)
        return fail(why, "the network '%s' is not an IPv4 network of /16 to /24", text);
    network->base = ntohl(in.s_addr);
    if ((network->base & 0xfffe0000u) != 0xc6120000u)
        return fail(why, "the network '%s' lies outside 198.18.0.0/15, the range for tests", text);
    if (strlen(bridge) >= sizeof network->bridge)
        return fail(why, "the bridge name '%s' is longer than 15 characters", bridge);
    strcpy(network->bridge, bridge); // NOLINT: measured above

    uint32_t size = 1u << (32 - network->prefix);
    network->first = network->prefix <= 20 ? 10 * 256 + 1 : 64;
    network->count = size - network->first - 1;
    address_text(network->base + 1, network->gateway);
    address_text(network->base + 53, network->dns);
    snprintf(network->gateway6, sizeof network->gateway6, "2001:db8:%x:%x::1", network->base >> 16,
             (network->base + 1) & 0xffff);
    return true;
}

// Addresses are handed out in turn, so that one that was given back is not somebody else's for a long while.
static uint32_t next_address(struct ground *ground)
{
    struct network *net = &ground->network;

    return net->base + net->first + net->next++ % net->count;
}

static void ipv6_network_text(uint32_t address, char out[48])
{
    snprintf(out, 48, "2001:db8:%x:%x::/64", address >> 16, address & 0xffff);
}

void ground_take_address(struct ground *ground, char ipv4[16], char ipv6_net[48])
{
    uint32_t address = next_address(ground);

    address_text(address, ipv4);
    ipv6_network_text(address, ipv6_net);
}

static void network_take(struct ground *ground, struct server *server, const struct server_spec *spec)
{
    bool ipv4 = spec->ipv4, ipv6 = spec->ipv6;

    server->address = next_address(ground);
    server->ipv4_id = ground->next_id++;
    server->ipv6_id = ground->next_id++;
    if (ipv4)
        address_text(server->address, server->ipv4);
    if (ipv6) {
        ipv6_network_text(server->address, server->ipv6_net);
        snprintf(server->ipv6, sizeof server->ipv6, "%.*s1", (int)strcspn(server->ipv6_net, "/"),
                 server->ipv6_net);
    }
    if (spec->own_ipv4)
        server_set_address(server, false, spec->own_ipv4);
    if (spec->own_ipv6)
        server_set_address(server, true, spec->own_ipv6);
}

struct action *action_start(struct cloud *cloud, const char *command, const char *resource_type,
                            int64_t resource_id)
{
    struct action *action = zalloc(sizeof *action);

    *action = (struct action){.id = cloud->ground->next_id++,
                              .command = command,
                              .started = time(NULL),
                              .resource_type = resource_type,
                              .resource_id = resource_id};
    array_add(&cloud->actions, action);
    return action;
}

void action_finish(struct action *action, const char *error)
{
    action->status = error ? ACTION_ERROR : ACTION_SUCCESS;
    action->finished = time(NULL);
    if (error)
        snprintf(action->error, sizeof action->error, "%s", error);
}

// Ordered by id and never removed: looked up by every poll of every client.
struct action *action_find(struct cloud *cloud, int64_t id)
{
    size_t low = 0, high = cloud->actions.count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        struct action *action = cloud->actions.items[middle];
        if (action->id == id)
            return action;
        if (action->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct server *server_find(struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->servers.count; i++) {
        struct server *server = cloud->servers.items[i];
        if (server->id == id)
            return server;
    }
    return NULL;
}

struct server *server_find_name(struct cloud *cloud, const char *name)
{
    for (size_t i = 0; i < cloud->servers.count; i++) {
        struct server *server = cloud->servers.items[i];
        if (strcasecmp(server->name, name) == 0)
            return server;
    }
    return NULL;
}

// A copy of `value`, or what stands for none of it; takes `otherwise`.
static json_t *copy_or(json_t *value, json_t *otherwise)
{
    if (!value)
        return otherwise;
    json_decref(otherwise);
    return json_deep_copy(value);
}

struct server *server_add(struct cloud *cloud, const struct server_spec *spec)
{
    struct server *server = zalloc(sizeof *server);

    *server = (struct server){.id = cloud->ground->next_id++,
                              .name = text_copy(spec->name),
                              .type = text_copy(spec->type),
                              .image = text_copy(spec->image),
                              .location = text_copy(spec->location),
                              .user_data = text_copy(spec->user_data),
                              .labels = copy_or(spec->labels, json_object()),
                              .public_keys = copy_or(spec->public_keys, json_array()),
                              .firewalls = copy_or(spec->firewalls, json_array()),
                              .status = SERVER_INITIALIZING,
                              .created = time(NULL),
                              .created_ms = now_ms(),
                              .snapshot_id = spec->snapshot_id,
                              .never_boots = spec->never_boots,
                              .address_delay_ms = spec->address_delay_ms,
                              .vanish_after_ms = spec->vanish_after_ms,
                              .extra = json_object(),
                              .cloud = cloud};
    network_take(cloud->ground, server, spec);
    array_add(&cloud->servers, server);
    return server;
}

bool stock_available(const struct cloud *cloud, const char *type, const char *location)
{
    for (size_t i = 0; i < cloud->stock_out.count; i++) {
        const struct stock_out *out = cloud->stock_out.items[i];
        if ((text_equal(out->type, "*") || text_equal(out->type, type)) &&
            (text_equal(out->location, "*") || text_equal(out->location, location)))
            return false;
    }
    return true;
}

void stock_set(struct cloud *cloud, const char *type, const char *location, bool available)
{
    for (size_t i = cloud->stock_out.count; i-- > 0;) {
        struct stock_out *out = cloud->stock_out.items[i];
        if ((!text_equal(type, "*") && !text_equal(type, out->type)) ||
            (!text_equal(location, "*") && !text_equal(location, out->location)))
            continue;
        array_remove(&cloud->stock_out, out);
        free(out->type), free(out->location), free(out);
    }
    if (available)
        return;
    struct stock_out *out = zalloc(sizeof *out);
    *out = (struct stock_out){.type = text_copy(type), .location = text_copy(location)};
    array_add(&cloud->stock_out, out);
}

bool ssh_key_fingerprint(const char *line, char out[48])
{
    char type[64], text[8192];
    unsigned char blob[6200], digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (sscanf(line, "%63s %8191s", type, text) != 2 ||
        (!text_starts(type, "ssh-") && !text_starts(type, "ecdsa-")))
        return false;
    int length = EVP_DecodeBlock(blob, (const unsigned char *)text, (int)strlen(text));
    for (size_t n = strlen(text); length > 0 && n > 0 && text[n - 1] == '='; n--)
        length--; // padding counts as zero bytes there
    // The blob starts with its own type, length first.
    if (length < (int)strlen(type) + 4 || memcmp(blob + 4, type, strlen(type)) != 0 ||
        EVP_Digest(blob, (size_t)length, digest, &size, EVP_md5(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < size; i++)
        snprintf(out + i * 3, 4, i + 1 < size ? "%02x:" : "%02x", digest[i]);
    return true;
}

struct ssh_key *ssh_key_create(struct cloud *cloud, const char *name, const char *public_key,
                               const char *fingerprint, json_t *labels)
{
    struct ssh_key *key = zalloc(sizeof *key);

    *key = (struct ssh_key){.id = cloud->ground->next_id++,
                            .name = text_copy(name),
                            .public_key = text_copy(public_key),
                            .labels = copy_or(labels, json_object()),
                            .created = time(NULL)};
    snprintf(key->fingerprint, sizeof key->fingerprint, "%s", fingerprint);
    array_add(&cloud->ssh_keys, key);
    return key;
}

void ssh_key_delete(struct cloud *cloud, struct ssh_key *key)
{
    array_remove(&cloud->ssh_keys, key);
    json_decref(key->labels);
    free(key->name), free(key->public_key), free(key);
}

struct firewall *firewall_create(struct cloud *cloud, const char *name, json_t *labels, json_t *rules,
                                 json_t *applied_to)
{
    struct firewall *firewall = zalloc(sizeof *firewall);

    *firewall = (struct firewall){.id = cloud->ground->next_id++,
                                  .name = text_copy(name),
                                  .labels = copy_or(labels, json_object()),
                                  .rules = copy_or(rules, json_array()),
                                  .applied_to = copy_or(applied_to, json_array()),
                                  .created = time(NULL)};
    array_add(&cloud->firewalls, firewall);
    return firewall;
}

void firewall_delete(struct cloud *cloud, struct firewall *firewall)
{
    array_remove(&cloud->firewalls, firewall);
    json_decref(firewall->labels), json_decref(firewall->rules), json_decref(firewall->applied_to);
    free(firewall->name), free(firewall);
}

static const char uuid_start[] = "6d5f4c1e-0000-4000-8000-";

void id_uuid(int64_t id, char out[37])
{
    snprintf(out, 37, "%s%012llx", uuid_start, (unsigned long long)id & 0xffffffffffff);
}

int64_t uuid_id(const char *uuid)
{
    char *end;

    if (!text_starts(uuid, uuid_start) || strlen(uuid) != 36)
        return 0;
    long long id = strtoll(uuid + sizeof uuid_start - 1, &end, 16);
    return *end == '\0' && id > 0 ? id : 0;
}
