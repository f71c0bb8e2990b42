/* Hetzner Cloud (docs.hetzner.cloud; facts from its published cloud.spec.json of 2026-08).
 *
 * - An account is one project: servers, keys and zones of other projects are invisible to the token.
 * - Server names are unique in a project, which is the second guard against a server created twice.
 * - `datacenter` was removed from the API in July 2026: never sent, never read.
 * - An image name may stand for two images (x86, arm): the API takes the one that fits the size
 *   (hetznercloud/terraform-provider-hcloud#666).
 */
#include "base/clock.h"
#include "base/decode.h"
#include "providers/compute/provider.h"
#include "providers/compute/spec.h"
#include "providers/rest/rest.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define USER_DATA_MAX_BYTES (32u << 10)

/* The codes are from the document; messages differ between versions of the API and are not used. */
static const struct rest_rule rules[] = {
    {412, "resource_unavailable", NULL, ERR_CAPACITY,
     "this size is out of stock there; another location may have it"},
    {422, "placement_error", NULL, ERR_CAPACITY,
     "no room for this server there; another location may have it"},
    {403, "resource_limit_exceeded", NULL, ERR_QUOTA,
     "delete what is not needed (primary IPs count too), or ask Hetzner to raise the project's limit"},
    {401, "token_readonly", NULL, ERR_AUTH,
     "the API token is read-only: create one with read and write permission"},
    {403, "maintenance", NULL, ERR_TRANSIENT, "Hetzner has this part of its API under maintenance"},
    {423, "locked", NULL, ERR_CONFLICT, NULL}, /* an action is running on it; worth waiting */
    {423, "protected", NULL, ERR_REJECTED, "switch its delete protection off in the console"},
    {422, "server_not_stopped", NULL, ERR_CONFLICT, "both servers have to be off while a primary IP moves"},
    {0, "resource_in_use", NULL, ERR_CONFLICT, NULL}, /* a firewall before a server that is being deleted */
    {409, "uniqueness_error", NULL, ERR_CONFLICT, NULL},
    {409, "conflict", NULL, ERR_CONFLICT, NULL},
    {429, "rate_limit_exceeded", NULL, ERR_RATE_LIMIT, NULL},
};

/* docs.hetzner.cloud, "Rate Limiting": 3600 an hour, refilled all the time. */
static const struct rest_limit limits[] = {{.count = 3600, .window_ms = 3600000, .refills = true}};

static const struct rest_dialect dialect = {
    .provider = "hetzner",
    .endpoint = "https://api.hetzner.cloud/v1",
    .request_id_header = "x-correlation-id",
    .error_code = "error.code",
    .error_message = "error.message",
    .error_detail = "error.details",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
    .page_parameter = "page",
    .page_size_parameter = "per_page",
    .page_size = 50,
    .next_page = "meta.pagination.next_page",
    .op_list = "/actions",
    .op_items = "actions",
    .op_running = "running",
    .op_success = "success",
};

struct provider {
    struct rest *rest;
};

static struct err *hetzner_open(const struct account_options *options, struct provider **provider)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *provider = rest_alloc(rest, sizeof(**provider));
    (*provider)->rest = rest;
    return NULL;
}

static void hetzner_close(struct provider *provider)
{
    if (provider)
        rest_close(provider->rest); /* and the handle with it */
}

/* ---- reading a server ---- */

static enum server_status read_status(const char *word)
{
    static const struct {
        const char *word;
        enum server_status status;
    } words[] = {
        {"initializing", SERVER_PENDING},
        {"starting", SERVER_PENDING},
        {"migrating", SERVER_PENDING},
        {"rebuilding", SERVER_PENDING},
        {"running", SERVER_RUNNING},
        {"stopping", SERVER_PENDING},
        {"off", SERVER_OFF},
        {"deleting", SERVER_DELETING},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return SERVER_STATUS_UNKNOWN;
}

/* A server gets a /64 ("2001:db8::/64"); its first address is the one that cloud-init configures. */
static struct err *read_ipv6(struct arena *arena, const char *network, const char **address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip;
    char *prefix = arena_strndup(arena, network, strcspn(network, "/"));
    if (inet_pton(AF_INET6, prefix, &ip) != 1)
        return err_new(ERR_REJECTED, "answer has '%s' as an IPv6 network", network);
    if (strcmp(network + strlen(prefix), "/64") == 0)
        ip.s6_addr[15] |= 1;
    *address = arena_strdup(arena, inet_ntop(AF_INET6, &ip, text, sizeof(text)));
    return NULL;
}

static void read_labels(struct arena *arena, const json_t *json, struct server *server)
{
    json_t *object = decode_find(json, "labels");
    struct label *labels = arena_array(arena, json_object_size(object) + 1, sizeof(*labels));
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        labels[server->label_count++] = (struct label){.key = key, .value = json_string_value(value)};
    }
    server->labels = labels;
}

static struct err *read_server(struct arena *arena, const json_t *json, struct server *server)
{
    const char *status = NULL;
    const char *created = NULL;
    const char *network = NULL;
    *server = (struct server){.id = rest_id(arena, json, "id")};
    if (!server->id)
        return err_new(ERR_REJECTED, "answer lacks a server's 'id'");
    TRY(decode_string(json, "name", &server->name));
    TRY(decode_string(json, "status", &status));
    TRY(decode_string(json, "created", &created));
    TRY(decode_string(json, "location.name", &server->region));
    TRY(decode_string(json, "server_type.name", &server->size));
    TRY(decode_optional_string(json, "public_net.ipv4.ip", NULL, &server->ipv4));
    TRY(decode_optional_string(json, "public_net.ipv6.ip", NULL, &network));
    TRY(clock_parse_utc(created, &server->created_ms));
    if (network)
        TRY(read_ipv6(arena, network, &server->ipv6));
    server->status = read_status(status);
    read_labels(arena, json, server);
    return NULL;
}

/* ---- account and catalogue ---- */

static struct err *hetzner_check(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 struct account_state *state)
{
    /* Whether a token is read-only shows only at the first write, and there is no API for limits
     * (hcloud-go#302). */
    struct rest_call call = {.method = "GET", .path = "/servers?per_page=1", .path_template = "/servers"};
    struct rest_answer answer = {0};
    int64_t count = 0;
    *state = (struct account_state){.rate_remaining = -1, .server_limit = -1};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    TRY(decode_optional_int(answer.body, "meta.pagination.total_entries", 0, &count));
    state->rate_remaining = answer.rate_remaining;
    state->server_count = (int)count;
    return NULL;
}

/* Prices are decimal text, net and gross; what the account pays is gross. */
static double read_gross(const json_t *price, const char *path)
{
    const char *gross = json_string_value(decode_find(price, path));
    return gross ? strtod(gross, NULL) : 0;
}

static void read_price(const json_t *type, struct size_offer *offer)
{
    const json_t *prices = decode_find(type, "prices");
    size_t i = 0;
    const json_t *price = NULL;
    json_array_foreach(prices, i, price)
    {
        const char *location = json_string_value(decode_find(price, "location"));
        if (!location || strcmp(location, offer->region) != 0)
            continue;
        offer->price_hourly = read_gross(price, "price_hourly.gross");
        offer->price_monthly = read_gross(price, "price_monthly.gross");
    }
}

static struct err *read_offers(struct arena *arena, const json_t *type, struct server_size *size)
{
    const json_t *locations = NULL;
    TRY(decode_array(type, "locations", &locations));
    size->offers = arena_array(arena, json_array_size(locations) + 1, sizeof(*size->offers));
    size_t i = 0;
    const json_t *location = NULL;
    json_array_foreach(locations, i, location)
    {
        struct size_offer *offer = &size->offers[size->offer_count++];
        TRY(decode_string(location, "name", &offer->region));
        TRY(decode_bool(location, "available", &offer->available));
        read_price(type, offer);
        if (!size->retired_at)
            TRY(decode_optional_string(location, "deprecation.unavailable_after", NULL, &size->retired_at));
    }
    return NULL;
}

static struct err *read_size(struct arena *arena, const json_t *type, struct server_size *size)
{
    int64_t cores = 0;
    TRY(decode_string(type, "name", &size->name));
    TRY(decode_string(type, "architecture", &size->architecture));
    TRY(decode_int(type, "cores", &cores));
    size->cores = (int)cores;
    size->memory_gib = json_number_value(decode_find(type, "memory"));
    size->disk_gib = json_number_value(decode_find(type, "disk"));
    return read_offers(arena, type, size);
}

static struct err *read_images(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct catalog *catalog)
{
    json_t *images = NULL;
    TRY(rest_list(
        ctx, provider->rest, arena,
        &(struct rest_listing){"/images", .query = "type=system&status=available", .items = "images"},
        &images));
    catalog->images = arena_array(arena, json_array_size(images) + 1, sizeof(*catalog->images));
    size_t i = 0;
    const json_t *image = NULL;
    json_array_foreach(images, i, image)
    {
        const char *name = NULL;
        TRY(decode_optional_string(image, "name", NULL, &name));
        if (name &&
            !spec_contains(catalog->images, catalog->image_count, name)) /* once for x86, once for arm */
            catalog->images[catalog->image_count++] = name;
    }
    return NULL;
}

static struct err *read_regions(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                struct catalog *catalog)
{
    json_t *locations = NULL;
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/locations", .items = "locations"},
                  &locations));
    catalog->regions = arena_array(arena, json_array_size(locations) + 1, sizeof(*catalog->regions));
    size_t i = 0;
    const json_t *location = NULL;
    json_array_foreach(locations, i, location)
    {
        struct catalog_region *region = &catalog->regions[catalog->region_count++];
        TRY(decode_string(location, "name", &region->name));
        TRY(decode_optional_string(location, "country", NULL, &region->country));
        region->country = spec_country(arena, region->country);
    }
    return NULL;
}

static struct err *hetzner_catalog(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   struct catalog *catalog)
{
    struct rest_call pricing = {.method = "GET", .path = "/pricing", .path_template = "/pricing"};
    struct rest_answer answer = {0};
    json_t *types = NULL;
    *catalog = (struct catalog){0};
    TRY(rest_send(ctx, provider->rest, arena, &pricing, &answer));
    TRY(decode_string(answer.body, "pricing.currency", &catalog->currency));
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/server_types", .items = "server_types"}, &types));
    catalog->size_count = json_array_size(types);
    catalog->sizes = arena_array(arena, catalog->size_count + 1, sizeof(*catalog->sizes));
    for (size_t i = 0; i < catalog->size_count; i++)
        TRY(read_size(arena, json_array_get(types, i), &catalog->sizes[i]));
    TRY(read_regions(ctx, provider, arena, catalog));
    return read_images(ctx, provider, arena, catalog);
}

/* ---- servers ---- */

static struct err *hetzner_server_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const struct label *label, struct server **servers, size_t *count)
{
    const char *query = NULL;
    json_t *found = NULL;
    if (label) {
        TRY(spec_check_name("label key", label->key));
        TRY(spec_check_name("label value", label->value));
        query = arena_printf(arena, "label_selector=%s",
                             rest_encode(arena, arena_printf(arena, "%s=%s", label->key, label->value)));
    }
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/servers", .query = query, .items = "servers"}, &found));
    *servers = arena_array(arena, json_array_size(found) + 1, sizeof(**servers));
    *count = 0;
    for (size_t i = 0; i < json_array_size(found); i++) {
        struct server *server = &(*servers)[*count];
        TRY(read_server(arena, json_array_get(found, i), server));
        *count += !label || spec_has_label(server, label);
    }
    return NULL;
}

static struct err *hetzner_server_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const char *id, struct server *server)
{
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/servers/%s", rest_encode(arena, id)),
                             .path_template = "/servers/{id}"};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    return read_server(arena, decode_find(answer.body, "server"), server);
}

static json_t *key_names(const struct server_spec *spec)
{
    json_t *names = json_array();
    for (size_t i = 0; i < spec->ssh_key_count; i++)
        (void)json_array_append_new(names, json_string(spec->ssh_key_ids[i]));
    return names;
}

static json_t *label_object(const struct server_spec *spec)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < spec->label_count; i++)
        (void)json_object_set_new(labels, spec->labels[i].key, json_string(spec->labels[i].value));
    return labels;
}

static struct err *create_body(const struct server_spec *spec, json_t **body)
{
    const char *snapshot = spec_image_snapshot(spec->image);
    *body = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:{s:b, s:b}}",                  /* */
                      "name", spec->name, "server_type", spec->size,                        /* */
                      "image", snapshot ? snapshot : spec->image, "location", spec->region, /* */
                      "ssh_keys", key_names(spec), "labels", label_object(spec),            /* */
                      "start_after_create", true, "public_net", "enable_ipv4", true, "enable_ipv6", true);
    if (!*body)
        return err_new(ERR_INPUT, "server '%s': region, size or image is missing or not UTF-8", spec->name);
    if (spec->user_data && json_object_set_new(*body, "user_data", json_string(spec->user_data)) != 0)
        return err_new(ERR_INPUT, "user data for server '%s' is not UTF-8", spec->name);
    return NULL;
}

/* The create action, and what it starts next (powering on): all of them must succeed. */
static struct err *read_created(struct arena *arena, const json_t *body, struct server *server,
                                const char **op)
{
    TRY(read_server(arena, decode_find(body, "server"), server));
    TRY(rest_op_join(arena, body, "action.id", op));
    size_t count = json_array_size(decode_find(body, "next_actions"));
    for (size_t i = 0; i < count; i++)
        TRY(rest_op_join(arena, body, arena_printf(arena, "next_actions.%zu.id", i), op));
    return NULL;
}

static struct err *hetzner_server_create(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const struct server_spec *spec,
                                         struct server *server, const char **op)
{
    *op = NULL;
    TRY(spec_check(spec, USER_DATA_MAX_BYTES));
    CLEANUP_JSON json_t *body = NULL;
    TRY(create_body(spec, &body));
    struct rest_call call = {.method = "POST", .path = "/servers", .path_template = "/servers", .body = body};
    struct rest_answer answer = {0};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    rest_wipe(body);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* the image or size, not the server */
        return err_with_kind(e, ERR_REJECTED);
    if (e)
        return e;
    return rest_answer_unreadable(&call, read_created(arena, answer.body, server, op));
}

/* A change that answers with one action. */
static struct err *send_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct rest_call *call, const char **op)
{
    struct rest_answer answer = {0};
    *op = NULL;
    TRY(rest_send(ctx, provider->rest, arena, call, &answer));
    return rest_answer_unreadable(call, rest_op_join(arena, answer.body, "action.id", op));
}

static struct err *hetzner_server_power(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *id, enum server_power power, const char **op)
{
    static const char *const verbs[] = {[POWER_ON] = "poweron",
                                        [POWER_OFF] = "poweroff",
                                        [POWER_SHUTDOWN] =
                                            "shutdown", /* success: the signal was sent, no more */
                                        [POWER_REBOOT] = "reboot"};
    struct rest_call call = {
        .method = "POST",
        .path = arena_printf(arena, "/servers/%s/actions/%s", rest_encode(arena, id), verbs[power]),
        .path_template = arena_printf(arena, "/servers/{id}/actions/%s", verbs[power])};
    return send_action(ctx, provider, arena, &call, op);
}

static struct err *hetzner_server_delete(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *id, const char **op)
{
    struct rest_call call = {.method = "DELETE",
                             .path = arena_printf(arena, "/servers/%s", rest_encode(arena, id)),
                             .path_template = "/servers/{id}"};
    return send_action(ctx, provider, arena, &call, op);
}

static struct err *hetzner_op_poll(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *op, bool *done)
{
    return rest_op_poll(ctx, provider->rest, arena, op, done);
}

/* ---- keys ---- */

/* A key's id in our contract is its name: unique in a project, and text, as the document's schema of
 * `ssh_keys` in a create wants it. The document's prose also allows the number, which its schema refuses. */

/* *key_id stays NULL when the project has no such key. */
static struct err *find_key(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                            const char *public_key, const char **key_id)
{
    json_t *keys = NULL;
    const char *wanted = spec_key_material(arena, public_key);
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/ssh_keys", .items = "ssh_keys"},
                  &keys));
    size_t i = 0;
    const json_t *key = NULL;
    json_array_foreach(keys, i, key)
    {
        const char *text = NULL;
        TRY(decode_string(key, "public_key", &text));
        if (strcmp(spec_key_material(arena, text), wanted) == 0)
            TRY(decode_string(key, "name", key_id));
    }
    return NULL;
}

static struct err *create_key(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *name, const char *public_key, const char **key_id)
{
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s}", "name", name, "public_key", public_key);
    if (!body)
        return err_new(ERR_INPUT, "the name or the public key '%s' is not UTF-8", name);
    struct rest_call call = {
        .method = "POST", .path = "/ssh_keys", .path_template = "/ssh_keys", .body = body};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    return rest_answer_unreadable(&call, decode_string(answer.body, "ssh_key.name", key_id));
}

static struct err *hetzner_key_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const char *name, const char *public_key, const char **key_id)
{
    *key_id = NULL;
    TRY(find_key(ctx, provider, arena, public_key, key_id));
    if (*key_id)
        return NULL;
    struct err *e = create_key(ctx, provider, arena, name, public_key, key_id);
    if (!e || err_kind(e) != ERR_CONFLICT)
        return e;
    struct err *lookup =
        find_key(ctx, provider, arena, public_key, key_id); /* somebody else registered it just now */
    if (!lookup && *key_id) {
        err_free(e);
        return NULL;
    }
    err_free(lookup);
    e = err_with_kind(e, ERR_REJECTED); /* trying again would not help */
    return err_with_hint(
        e, "the key name '%s' belongs to a different key: remove that one or choose another name", name);
}

/* *found: the one of that name, NULL when there is none. Compared again, because what is found is changed or
 * removed. */
static struct err *find_named(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *collection, const char *name, const json_t **found)
{
    json_t *items = NULL;
    struct rest_listing listing = {.path = arena_printf(arena, "/%s", collection),
                                   .query = arena_printf(arena, "name=%s", rest_encode(arena, name)),
                                   .items = collection};
    TRY(rest_list(ctx, provider->rest, arena, &listing, &items));
    *found = NULL;
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        const char *text = json_string_value(decode_find(item, "name"));
        if (text && strcmp(text, name) == 0)
            *found = item;
    }
    return NULL;
}

static struct err *delete_one(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *collection, const char *id)
{
    struct rest_call call = {.method = "DELETE",
                             .path = arena_printf(arena, "/%s/%s", collection, rest_encode(arena, id)),
                             .path_template = arena_printf(arena, "/%s/{id}", collection)};
    struct rest_answer answer = {0};
    return rest_send(ctx, provider->rest, arena, &call, &answer);
}

static struct err *hetzner_key_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const char *key_id)
{
    const json_t *key = NULL;
    TRY(find_named(ctx, provider, arena, "ssh_keys", key_id, &key));
    const char *number = rest_id(arena, key, "id");
    if (!number)
        return err_new(ERR_NOT_FOUND, "the project has no SSH key '%s'", key_id);
    return delete_one(ctx, provider, arena, "ssh_keys", number);
}

/* ---- what the optional operations share ---- */

static struct err *get_one(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           const char *collection, const char *id, json_t **body)
{
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/%s/%s", collection, rest_encode(arena, id)),
                             .path_template = arena_printf(arena, "/%s/{id}", collection)};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *body = answer.body;
    return NULL;
}

static struct rest_call action_call(struct arena *arena, const char *collection, const char *id,
                                    const char *verb, const json_t *body)
{
    return (struct rest_call){
        .method = "POST",
        .path = arena_printf(arena, "/%s/%s/actions/%s", collection, rest_encode(arena, id), verb),
        .path_template = arena_printf(arena, "/%s/{id}/actions/%s", collection, verb),
        .body = body};
}

/* In bodies ids are numbers. */
static struct err *read_number(const char *id, json_int_t *number)
{
    char *end = NULL;
    *number = strtoll(id, &end, 10);
    return *number > 0 && !*end ? NULL : err_new(ERR_INPUT, "'%s' is not an id of this provider", id);
}

static bool is_id(struct arena *arena, const json_t *json, const char *path, const char *id)
{
    const char *found = rest_id(arena, json, path);
    return found && strcmp(found, id) == 0;
}

/* ---- firewalls ---- */

static json_t *rule_json(struct arena *arena, const struct firewall_rule *rule)
{
    json_t *sources = json_array();
    for (size_t i = 0; i < rule->source_count; i++)
        (void)json_array_append_new(sources, json_string(rule->sources[i]));
    json_t *json =
        json_pack("{s:s, s:s, s:o}", "direction", "in", "protocol", rule->protocol, "source_ips", sources);
    if (json && rule->port_from)
        (void)json_object_set_new(
            json, "port",
            json_string(rule->port_from == rule->port_to
                            ? arena_printf(arena, "%d", rule->port_from)
                            : arena_printf(arena, "%d-%d", rule->port_from, rule->port_to)));
    return json;
}

static json_t *rules_json(struct arena *arena, const struct firewall_spec *spec)
{
    json_t *list = json_array();
    for (size_t i = 0; i < spec->rule_count; i++)
        (void)json_array_append_new(list, rule_json(arena, &spec->rules[i]));
    return list;
}

static struct err *set_rules(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                             const char *id, const struct firewall_spec *spec)
{
    CLEANUP_JSON json_t *body = json_pack("{s:o}", "rules", rules_json(arena, spec));
    struct rest_call call = action_call(arena, "firewalls", id, "set_rules", body);
    struct rest_answer answer = {0};
    return rest_send(ctx, provider->rest, arena, &call, &answer);
}

static struct err *hetzner_firewall_ensure(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const struct firewall_spec *spec,
                                           const char **firewall_id)
{
    const json_t *found = NULL;
    TRY(spec_check_name("firewall name", spec->name));
    TRY(find_named(ctx, provider, arena, "firewalls", spec->name, &found));
    *firewall_id = rest_id(arena, found, "id");
    if (*firewall_id)
        return set_rules(ctx, provider, arena, *firewall_id, spec);
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:o}", "name", spec->name, "rules", rules_json(arena, spec));
    struct rest_call call = {
        .method = "POST", .path = "/firewalls", .path_template = "/firewalls", .body = body};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *firewall_id = rest_id(arena, answer.body, "firewall.id");
    if (*firewall_id)
        return NULL;
    return rest_answer_unreadable(&call, err_new(ERR_REJECTED, "answer lacks the firewall's 'id'"));
}

/* By itself, or as one of those that a label selector covers. */
static bool applies_to(struct arena *arena, const json_t *resources, const char *server_id)
{
    size_t i = 0;
    const json_t *resource = NULL;
    json_array_foreach(resources, i, resource)
    {
        size_t k = 0;
        const json_t *covered = NULL;
        if (is_id(arena, resource, "server.id", server_id))
            return true;
        json_array_foreach(decode_find(resource, "applied_to_resources"), k, covered)
        {
            if (is_id(arena, covered, "server.id", server_id))
                return true;
        }
    }
    return false;
}

static struct err *hetzner_firewall_attach(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *firewall_id,
                                           const char *server_id, const char **op)
{
    json_t *found = NULL;
    json_int_t server = 0;
    *op = NULL;
    TRY(read_number(server_id, &server));
    TRY(get_one(ctx, provider, arena, "firewalls", firewall_id, &found));
    if (applies_to(arena, decode_find(found, "firewall.applied_to"), server_id))
        return NULL;
    CLEANUP_JSON json_t *body =
        json_pack("{s:[{s:s, s:{s:I}}]}", "apply_to", "type", "server", "server", "id", server);
    struct rest_call call = action_call(arena, "firewalls", firewall_id, "apply_to_resources", body);
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    size_t count = json_array_size(decode_find(answer.body, "actions"));
    for (size_t i = 0; i < count; i++)
        TRY(rest_answer_unreadable(
            &call, rest_op_join(arena, answer.body, arena_printf(arena, "actions.%zu.id", i), op)));
    return NULL;
}

static struct err *hetzner_firewall_delete(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *firewall_id)
{
    return delete_one(ctx, provider, arena, "firewalls", firewall_id);
}

static const struct firewall_ops firewall_ops = {
    .ensure = hetzner_firewall_ensure,
    .attach = hetzner_firewall_attach,
    .delete = hetzner_firewall_delete,
};

/* ---- movable addresses ----
 * A floating IP goes anywhere and at once, but the server has to configure it. A primary IP stays in its
 * location and moves between servers that are off; a server has at most one of each type, the first of which
 * is made with it. */

static struct err *read_ip(struct arena *arena, const json_t *json, const char *server, struct movable_ip *ip)
{
    *ip = (struct movable_ip){.id = rest_id(arena, json, "id"), .server_id = rest_id(arena, json, server)};
    if (!ip->id)
        return err_new(ERR_REJECTED, "answer lacks an address's 'id'");
    TRY(decode_string(json, "ip", &ip->address));
    return strchr(ip->address, ':') ? read_ipv6(arena, ip->address, &ip->address) : NULL;
}

static struct err *list_floating(struct arena *arena, const json_t *list, struct movable_ip *ips)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(read_ip(arena, json_array_get(list, i), "server", &ips[i]));
        ips[i].kind = "floating IP";
        ips[i].needs_configuration = true;
    }
    return NULL;
}

static struct err *list_primary(struct arena *arena, const json_t *list, struct movable_ip *ips)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(read_ip(arena, json_array_get(list, i), "assignee_id", &ips[i]));
        TRY(decode_string(json_array_get(list, i), "location.name", &ips[i].region));
        ips[i].kind = "primary IP";
        ips[i].needs_servers_off = true;
    }
    return NULL;
}

static struct err *hetzner_ip_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   struct movable_ip **ips, size_t *count)
{
    json_t *floating = NULL;
    json_t *primary = NULL;
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/floating_ips", .items = "floating_ips"}, &floating));
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/primary_ips", .items = "primary_ips"},
                  &primary));
    size_t first = json_array_size(floating);
    *count = first + json_array_size(primary);
    *ips = arena_array(arena, *count + 1, sizeof(**ips));
    TRY(list_floating(arena, floating, *ips));
    return list_primary(arena, primary, *ips + first);
}

static struct err *join_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct rest_call *call, const char **op)
{
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, call, &answer));
    return rest_answer_unreadable(call, rest_op_join(arena, answer.body, "action.id", op));
}

/* It is taken from whoever has it: failover scripts rely on that. */
static struct err *move_floating(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *id, json_int_t server, const char **op)
{
    json_t *found = NULL;
    TRY(get_one(ctx, provider, arena, "floating_ips", id, &found));
    if (json_integer_value(decode_find(found, "floating_ip.server")) == server)
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:I}", "server", server);
    struct rest_call call = action_call(arena, "floating_ips", id, "assign", body);
    return join_action(ctx, provider, arena, &call, op);
}

static struct err *unassign(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                            const json_t *ip, const char **op)
{
    struct rest_call call = action_call(arena, "primary_ips", rest_id(arena, ip, "id"), "unassign", NULL);
    return join_action(ctx, provider, arena, &call, op);
}

static const json_t *find_ip(struct arena *arena, const json_t *ips, const char *id)
{
    size_t i = 0;
    const json_t *ip = NULL;
    json_array_foreach(ips, i, ip)
    {
        if (is_id(arena, ip, "id", id))
            return ip;
    }
    return NULL;
}

/* The one of the same type that the taking server has already; NULL when there is none. */
static const json_t *find_own(const json_t *ips, const json_t *moving, json_int_t server)
{
    size_t i = 0;
    const json_t *ip = NULL;
    json_array_foreach(ips, i, ip)
    {
        if (json_integer_value(json_object_get(ip, "assignee_id")) == server &&
            json_equal(json_object_get(ip, "type"), json_object_get(moving, "type")))
            return ip;
    }
    return NULL;
}

/* Up to three calls, from what is there now; each leaves a state from which the next attempt goes on. While
 * one of them is under way the next may be refused as "locked", which is a conflict: try again. */
static struct err *move_primary(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                const char *id, json_int_t server, const char **op)
{
    json_t *ips = NULL;
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/primary_ips", .items = "primary_ips"},
                  &ips));
    const json_t *moving = find_ip(arena, ips, id);
    if (!moving)
        return err_new(ERR_NOT_FOUND, "the project has no primary IP '%s'", id);
    json_int_t has = json_integer_value(json_object_get(moving, "assignee_id"));
    if (has == server)
        return NULL;
    const json_t *own = find_own(ips, moving, server);
    if (has)
        TRY(unassign(ctx, provider, arena, moving, op));
    if (own)
        TRY(unassign(ctx, provider, arena, own, op));
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:I}", "assignee_type", "server", "assignee_id", server);
    struct rest_call call = action_call(arena, "primary_ips", id, "assign", body);
    return join_action(ctx, provider, arena, &call, op);
}

static struct err *hetzner_ip_move(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const struct movable_ip *ip, const char *server_id, const char **op)
{
    json_int_t server = 0;
    *op = NULL;
    TRY(read_number(server_id, &server));
    return ip->needs_servers_off ? move_primary(ctx, provider, arena, ip->id, server, op)
                                 : move_floating(ctx, provider, arena, ip->id, server, op);
}

static const struct ip_ops ip_ops = {.list = hetzner_ip_list, .move = hetzner_ip_move};

/* ---- snapshots: images whose description is their name ---- */

static struct err *hetzner_snapshot_create(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *server_id, const char *name,
                                           const char **snapshot_id, const char **op)
{
    *op = NULL;
    TRY(spec_check_name("snapshot name", name));
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s, s:{s:s}}", "type", "snapshot", "description", name,
                                          "labels", "rehost-snapshot", name);
    struct rest_call call = action_call(arena, "servers", server_id, "create_image", body);
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *snapshot_id = rest_id(arena, answer.body, "image.id");
    if (!*snapshot_id)
        return rest_answer_unreadable(&call, err_new(ERR_REJECTED, "answer lacks the image's 'id'"));
    return rest_answer_unreadable(&call, rest_op_join(arena, answer.body, "action.id", op));
}

static struct err *read_snapshot(struct arena *arena, const json_t *image, struct snapshot *snapshot)
{
    const char *created = NULL;
    const char *status = NULL;
    *snapshot = (struct snapshot){.id = rest_id(arena, image, "id"),
                                  .size_gib = json_number_value(decode_find(image, "image_size"))};
    if (!snapshot->id)
        return err_new(ERR_REJECTED, "answer lacks an image's 'id'");
    TRY(decode_string(image, "description", &snapshot->name));
    TRY(decode_string(image, "created", &created));
    TRY(decode_string(image, "status", &status));
    snapshot->ready = strcmp(status, "available") == 0;
    return clock_parse_utc(created, &snapshot->created_ms);
}

static struct err *hetzner_snapshot_list(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, struct snapshot **snapshots, size_t *count)
{
    json_t *images = NULL;
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/images", .query = "type=snapshot", .items = "images"}, &images));
    *count = json_array_size(images);
    *snapshots = arena_array(arena, *count + 1, sizeof(**snapshots));
    for (size_t i = 0; i < *count; i++)
        TRY(read_snapshot(arena, json_array_get(images, i), &(*snapshots)[i]));
    return NULL;
}

static struct err *hetzner_snapshot_delete(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *snapshot_id)
{
    return delete_one(ctx, provider, arena, "images", snapshot_id);
}

static const struct snapshot_ops snapshot_ops = {
    .create = hetzner_snapshot_create,
    .list = hetzner_snapshot_list,
    .delete = hetzner_snapshot_delete,
};

/* ---- volumes: their names are unique in a project ---- */

static struct err *read_volume(struct arena *arena, const json_t *json, struct volume *volume)
{
    *volume = (struct volume){.id = rest_id(arena, json, "id"),
                              .size_gib = (int)json_number_value(decode_find(json, "size")),
                              .server_id = rest_id(arena, json, "server")};
    if (!volume->id)
        return err_new(ERR_REJECTED, "answer lacks a volume's 'id'");
    TRY(decode_string(json, "name", &volume->name));
    TRY(decode_string(json, "location.name", &volume->region));
    return volume->server_id ? decode_string(json, "linux_device", &volume->device) : NULL;
}

static struct err *check_volume(const struct volume_spec *spec, const struct volume *volume)
{
    if (strcmp(volume->region, spec->region) == 0 && volume->size_gib == spec->size_gib)
        return NULL;
    return err_with_hint(
        err_new(ERR_CONFLICT, "the volume '%s' exists with %d GiB in '%s', not %d GiB in '%s'", spec->name,
                volume->size_gib, volume->region, spec->size_gib, spec->region),
        "volumes are never resized or moved here: choose another name, or its size and place");
}

static struct err *create_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct volume_spec *spec, struct volume *volume, const char **op)
{
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:i, s:s}", "name", spec->name, "size", spec->size_gib, "location", spec->region);
    struct rest_call call = {.method = "POST", .path = "/volumes", .path_template = "/volumes", .body = body};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    TRY(rest_answer_unreadable(&call, read_volume(arena, decode_find(answer.body, "volume"), volume)));
    return rest_answer_unreadable(&call, rest_op_join(arena, answer.body, "action.id", op));
}

static struct err *hetzner_volume_ensure(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const struct volume_spec *spec,
                                         struct volume *volume, const char **op)
{
    const json_t *found = NULL;
    *op = NULL;
    TRY(spec_check_name("volume name", spec->name));
    TRY(find_named(ctx, provider, arena, "volumes", spec->name, &found));
    if (!found)
        return create_volume(ctx, provider, arena, spec, volume, op);
    TRY(read_volume(arena, found, volume));
    return check_volume(spec, volume);
}

static struct err *hetzner_volume_attach(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *volume_id, const char *server_id,
                                         const char **op)
{
    json_t *found = NULL;
    json_int_t server = 0;
    *op = NULL;
    TRY(read_number(server_id, &server));
    TRY(get_one(ctx, provider, arena, "volumes", volume_id, &found));
    json_int_t has = json_integer_value(decode_find(found, "volume.server"));
    if (has == server)
        return NULL;
    if (has)
        return err_with_hint(err_new(ERR_CONFLICT, "the volume '%s' is attached to the server '%lld'",
                                     volume_id, (long long)has),
                             "detach it there first");
    CLEANUP_JSON json_t *body = json_pack("{s:I, s:b}", "server", server, "automount", false);
    struct rest_call call = action_call(arena, "volumes", volume_id, "attach", body);
    return send_action(ctx, provider, arena, &call, op);
}

static struct err *hetzner_volume_detach(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *volume_id, const char **op)
{
    json_t *found = NULL;
    *op = NULL;
    TRY(get_one(ctx, provider, arena, "volumes", volume_id, &found));
    if (!rest_id(arena, found, "volume.server"))
        return NULL;
    struct rest_call call = action_call(arena, "volumes", volume_id, "detach", NULL);
    return send_action(ctx, provider, arena, &call, op);
}

static struct err *hetzner_volume_delete(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *volume_id)
{
    return delete_one(ctx, provider, arena, "volumes", volume_id);
}

static const struct volume_ops volume_ops = {
    .ensure = hetzner_volume_ensure,
    .attach = hetzner_volume_attach,
    .detach = hetzner_volume_detach,
    .delete = hetzner_volume_delete,
};

const struct provider_ops provider_hetzner = {
    .type = "hetzner",
    .open = hetzner_open,
    .close = hetzner_close,
    .check = hetzner_check,
    .catalog = hetzner_catalog,
    .server_list = hetzner_server_list,
    .server_get = hetzner_server_get,
    .server_create = hetzner_server_create,
    .server_power = hetzner_server_power,
    .server_delete = hetzner_server_delete,
    .op_poll = hetzner_op_poll,
    .key_ensure = hetzner_key_ensure,
    .key_delete = hetzner_key_delete,
    .firewall = &firewall_ops,
    .ip = &ip_ops,
    .snapshot = &snapshot_ops,
    .volume = &volume_ops,
};
