/* DigitalOcean (docs.digitalocean.com; facts from its published OpenAPI document of 2026-08).
 *
 * - A create is answered with 202 before there is a droplet: capacity may be lost afterwards, and then the
 *   droplet vanishes (digitalocean/terraform-provider-digitalocean#1493) or its action ends as `errored`,
 *   without a reason. That is taken for a lack of capacity: nothing usable is there, and another place may
 *   do.
 * - Names are not unique, and there is no idempotency key: tags in the create are the only way to find it.
 * - The code of an error only repeats its HTTP status, so that the message has to be read. A 422 on an
 *   existing droplet is explained by looking at that droplet, for those messages vary.
 * - A droplet is `active` before its networks are filled (terraform-provider-digitalocean#1598): no address
 *   then.
 * - A token with few scopes gets 403, or fields that are silently empty: "Requires `tag:read` scope" says
 *   the document of a droplet's tags.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/hash.h"
#include "providers/compute/provider.h"
#include "providers/compute/spec.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>

#define USER_DATA_MAX_BYTES (64u << 10)
#define FIREWALL_OP "firewall:" /* an operation: this firewall has reached all its droplets */

static const char elsewhere[] = "this size is not to be had there now; another region or size may be";

/* Texts as clients have reported them: inlets/inlets-operator#111, digitalocean/api-v2#36,
 * StreisandEffect/streisand#1037, OpenRouterLabs/spawn#3059, hashicorp/packer#1814, doctl#257. */
static const struct rest_rule rules[] = {
    {422, NULL, "is not available in this region", ERR_CAPACITY, elsewhere},
    {422, NULL, "size is unavailable", ERR_CAPACITY, elsewhere},
    {422, NULL, "currently restricted", ERR_CAPACITY, elsewhere},
    {422, NULL, "region is not available", ERR_CAPACITY, "this region is closed; another one may do"},
    {0, "errored create", NULL, ERR_CAPACITY, "it tells no reason; another region or size may do"},
    {422, NULL, "exceed your droplet limit", ERR_QUOTA,
     "delete droplets that are not needed, or ask DigitalOcean to raise the account's droplet limit"},
    {422, NULL, "pending event", ERR_CONFLICT, NULL}, /* an action is running on it; worth waiting */
    {412, "precondition_failed", NULL, ERR_CONFLICT, NULL},
    {401, NULL, NULL, ERR_AUTH, "the API token is wrong, revoked or expired: give the account a new one"},
    {403, NULL, NULL, ERR_AUTH, "the API token lacks a scope for this request: see 'rehost check'"},
};

/* Of a token (docs.digitalocean.com/reference/api, "Rate Limit"); the list of keys has one of its own. */
static const struct rest_limit limits[] = {
    {.count = 250, .window_ms = 60000},
    {.count = 5000, .window_ms = 3600000},
    {.method = "GET", .path = "/v2/account/keys", .count = 10, .window_ms = 60000},
};

static const struct rest_dialect dialect = {
    .provider = "digitalocean",
    .endpoint = "https://api.digitalocean.com",
    .request_id_header = "x-request-id",
    .error_code = "id",
    .error_message = "message",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .page_parameter = "page",
    .page_size_parameter = "per_page",
    .page_size = 200,
    .paging = REST_NEXT_IS_LINK,
    .next_page = "links.pages.next",
    .reset_is_first = true,
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
};

struct provider {
    struct rest *rest;
};

static struct err *digitalocean_open(const struct account_options *options, struct provider **provider)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *provider = rest_alloc(rest, sizeof(**provider));
    (*provider)->rest = rest;
    return NULL;
}

static void digitalocean_close(struct provider *provider)
{
    if (provider)
        rest_close(provider->rest); /* and the handle with it */
}

/* ---- exchanges ---- */

/* To "/v2/droplets/" ID "/actions", for instance; an id of NULL is none. */
static struct rest_call call_of(struct arena *arena, const char *method, const char *before, const char *id,
                                const char *after)
{
    return (struct rest_call){
        .method = method,
        .path = arena_printf(arena, "%s%s%s", before, id ? rest_encode(arena, id) : "", after),
        .path_template = arena_printf(arena, "%s%s%s", before, id ? "{id}" : "", after)};
}

static struct err *get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                       const char *before, const char *id, const char *after, json_t **body)
{
    struct rest_call call = call_of(arena, "GET", before, id, after);
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *body = answer.body;
    return NULL;
}

static struct err *delete_at(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                             const char *before, const char *id)
{
    struct rest_call call = call_of(arena, "DELETE", before, id, "");
    struct rest_answer answer = {0};
    return rest_send(ctx, provider->rest, arena, &call, &answer);
}

/* A change that answers with an action. */
static struct err *send_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct rest_call *call, const char **op)
{
    struct rest_answer answer = {0};
    *op = NULL;
    if (!call->body)
        return err_new(ERR_INPUT, "what was to be sent to '%s' is not UTF-8", call->path_template);
    TRY(rest_send(ctx, provider->rest, arena, call, &answer));
    return rest_answer_unreadable(call, rest_op_join(arena, answer.body, "action.id", op));
}

/* Droplets and keys go into bodies as numbers; a new reference. */
static struct err *number_of(const char *what, const char *id, json_t **number)
{
    if (!*id || strspn(id, "0123456789") != strlen(id))
        return err_new(ERR_INPUT, "'%s' is no id of a %s at DigitalOcean: they are numbers", id, what);
    *number = json_integer(strtoll(id, NULL, 10));
    return NULL;
}

/* ---- reading a server ---- */

static enum server_status read_status(const char *word)
{
    static const struct {
        const char *word;
        enum server_status status;
    } words[] = {
        {"new", SERVER_PENDING},
        {"active", SERVER_RUNNING},
        {"off", SERVER_OFF},
        {"archive", SERVER_OFF},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return SERVER_STATUS_UNKNOWN;
}

/* The first public one; private ones stand beside it. NULL while there is none. */
static const char *read_address(const json_t *networks)
{
    size_t i = 0;
    const json_t *network = NULL;
    json_array_foreach(networks, i, network)
    {
        const char *type = json_string_value(decode_find(network, "type"));
        if (type && strcmp(type, "public") == 0)
            return json_string_value(decode_find(network, "ip_address"));
    }
    return NULL;
}

static struct err *read_server(struct arena *arena, const json_t *json, struct server *server)
{
    const char *status = NULL;
    const char *created = NULL;
    *server = (struct server){.id = rest_id(arena, json, "id")};
    if (!server->id)
        return err_new(ERR_REJECTED, "answer lacks a droplet's 'id'");
    TRY(decode_string(json, "name", &server->name));
    TRY(decode_string(json, "status", &status));
    TRY(decode_string(json, "created_at", &created));
    TRY(decode_string(json, "region.slug", &server->region));
    TRY(decode_string(json, "size_slug", &server->size));
    TRY(clock_parse_utc(created, &server->created_ms));
    server->ipv4 = read_address(decode_find(json, "networks.v4"));
    server->ipv6 = read_address(decode_find(json, "networks.v6"));
    server->status = read_status(status);
    spec_read_tags(arena, decode_find(json, "tags"), server);
    return NULL;
}

/* ---- account and catalogue ---- */

/* What a recovery reads, by the scope that the document names for it. That a token may also write cannot be
 * tried without writing. */
static const struct probe {
    const char *scope;
    const char *path;
} probes[] = {
    {"account:read", "/v2/account"},
    {"droplet:read", "/v2/droplets?per_page=1"},
    {"ssh_key:read", "/v2/account/keys?per_page=1"},
    {"sizes:read", "/v2/sizes?per_page=1"},
    {"regions:read", "/v2/regions?per_page=1"},
    {"image:read", "/v2/images?per_page=1"},
    {"tag:read", "/v2/tags?per_page=1"},
    {"actions:read", "/v2/actions?per_page=1"},
};

/* A scope that is missing is told in state->lacks. When not even account and droplets may be seen, it is the
 * token that is wrong. */
static struct err *try_probe(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                             size_t index, struct account_state *state, json_t **body)
{
    const char *path = probes[index].path;
    struct rest_call call = {
        .method = "GET", .path = path, .path_template = arena_strndup(arena, path, strcspn(path, "?"))};
    struct rest_answer answer = {.rate_remaining = -1};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    bool is_second_refusal = index == 1 && state->lacks;
    if (e && (err_kind(e) != ERR_AUTH || is_second_refusal))
        return e;
    *body = answer.body;
    if (answer.rate_remaining >= 0)
        state->rate_remaining = answer.rate_remaining;
    if (e)
        state->lacks = state->lacks ? arena_printf(arena, "%s, %s", state->lacks, probes[index].scope)
                                    : probes[index].scope;
    err_free(e);
    return NULL;
}

static struct err *read_account(struct arena *arena, const json_t *body, struct account_state *state)
{
    const char *status = NULL;
    const char *reason = NULL;
    int64_t limit = -1;
    TRY(decode_optional_int(body, "account.droplet_limit", -1, &limit));
    TRY(decode_string(body, "account.status", &status));
    TRY(decode_optional_string(body, "account.status_message", "", &reason));
    state->server_limit = (int)limit;
    if (strcmp(status, "active") != 0)
        state->blocked =
            arena_printf(arena, "the account's status is '%s'%s%s", status, *reason ? ": " : "", reason);
    return NULL;
}

static struct err *digitalocean_check(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      struct account_state *state)
{
    json_t *bodies[sizeof(probes) / sizeof(probes[0])] = {NULL};
    int64_t count = 0;
    *state = (struct account_state){.rate_remaining = -1, .server_limit = -1};
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
        TRY(try_probe(ctx, provider, arena, i, state, &bodies[i]));
    if (bodies[0])
        TRY(read_account(arena, bodies[0], state));
    if (bodies[1])
        TRY(decode_optional_int(bodies[1], "meta.total", 0, &count));
    else /* then the account does not tell the limit either: "Requires `droplet:read` scope" */
        state->server_limit = -1;
    state->server_count = (int)count;
    return NULL;
}

static bool holds_text(const json_t *texts, const char *wanted)
{
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(texts, i, text)
    {
        if (json_is_string(text) && strcmp(json_string_value(text), wanted) == 0)
            return true;
    }
    return false;
}

/* Where a size is offered: region and size each list the other. What is sold out keeps `available`, and the
 * region leaves the size's list. */
static struct err *read_offers(struct arena *arena, const json_t *json, const json_t *regions,
                               struct server_size *size)
{
    bool on_sale = false;
    const json_t *size_regions = decode_find(json, "regions");
    TRY(decode_bool(json, "available", &on_sale));
    size->offers = arena_array(arena, json_array_size(regions) + 1, sizeof(*size->offers));
    size_t i = 0;
    const json_t *region = NULL;
    json_array_foreach(regions, i, region)
    {
        struct size_offer offer = {.price_hourly = json_number_value(decode_find(json, "price_hourly")),
                                   .price_monthly = json_number_value(decode_find(json, "price_monthly"))};
        bool open = false;
        TRY(decode_string(region, "slug", &offer.region));
        TRY(decode_bool(region, "available", &open));
        bool in_stock = holds_text(size_regions, offer.region);
        offer.available = on_sale && open && in_stock;
        if (in_stock || holds_text(decode_find(region, "sizes"), size->name))
            size->offers[size->offer_count++] = offer;
    }
    return NULL;
}

static struct err *read_sizes(struct arena *arena, const json_t *sizes, const json_t *regions,
                              struct catalog *catalog)
{
    catalog->sizes = arena_array(arena, json_array_size(sizes) + 1, sizeof(*catalog->sizes));
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(sizes, i, json)
    {
        int64_t cores = 0;
        if (json_is_object(decode_find(json, "gpu_info")))
            continue; /* lists do not show droplets with a GPU: one could not be found again */
        struct server_size *size = &catalog->sizes[catalog->size_count++];
        TRY(decode_string(json, "slug", &size->name));
        TRY(decode_int(json, "vcpus", &cores));
        size->architecture = "x86";
        size->cores = (int)cores;
        size->memory_gib = json_number_value(decode_find(json, "memory")) / 1024;
        size->disk_gib = json_number_value(decode_find(json, "disk"));
        TRY(read_offers(arena, json, regions, size));
    }
    return NULL;
}

/* The API tells a region's town, not its country; a slug is the town and a number
 * (docs.digitalocean.com/platform/regional-availability). */
static const char *country_of(const char *region)
{
    static const struct {
        char town[4];
        const char *country;
    } towns[] = {{"ams", "nl"}, {"atl", "us"}, {"blr", "in"}, {"fra", "de"}, {"lon", "gb"}, {"nyc", "us"},
                 {"ric", "us"}, {"sfo", "us"}, {"sgp", "sg"}, {"syd", "au"}, {"tor", "ca"}};
    for (size_t i = 0; i < sizeof(towns) / sizeof(towns[0]); i++)
        if (strncmp(towns[i].town, region, 3) == 0)
            return towns[i].country;
    return NULL;
}

static struct err *read_regions(struct arena *arena, const json_t *regions, struct catalog *catalog)
{
    catalog->regions = arena_array(arena, json_array_size(regions) + 1, sizeof(*catalog->regions));
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(regions, i, json)
    {
        struct catalog_region *region = &catalog->regions[catalog->region_count++];
        TRY(decode_string(json, "slug", &region->name));
        region->country = country_of(region->name);
    }
    return NULL;
}

#define SLUG_END "-x64"

/* "ubuntu-24-04-x64" -> "ubuntu-24.04"; others ("centos-stream-9-x64") stay as they are. */
static const char *image_name(struct arena *arena, const char *slug)
{
    const char *distribution = NULL;
    const char *version = NULL;
    size_t length = strlen(slug);
    size_t end = strlen(SLUG_END);
    if (length <= end || strcmp(slug + length - end, SLUG_END) != 0)
        return slug;
    char *name = arena_strndup(arena, slug, length - end);
    char *dash = strchr(name, '-');
    for (char *c = dash ? dash + 1 : name; *c; c++)
        if (*c == '-')
            *c = '.';
    return spec_image(arena, name, &distribution, &version) ? name : slug;
}

/* The reverse. A snapshot is known by its number, as an image of one's own is. */
static struct err *image_json(struct arena *arena, const char *image, json_t **json)
{
    const char *distribution = NULL;
    const char *version = NULL;
    const char *snapshot = spec_image_snapshot(image);
    if (snapshot)
        return number_of("snapshot", snapshot, json);
    if (!spec_image(arena, image, &distribution, &version)) {
        *json = json_string(image);
        return NULL;
    }
    char *dashed = arena_strdup(arena, version);
    for (char *c = dashed; *c; c++)
        if (*c == '.')
            *c = '-';
    *json = json_string(arena_printf(arena, "%s-%s" SLUG_END, distribution, dashed));
    return NULL;
}

static struct err *read_images(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct catalog *catalog)
{
    json_t *images = NULL;
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/v2/images", .query = "type=distribution", .items = "images"},
                  &images));
    catalog->images = arena_array(arena, json_array_size(images) + 1, sizeof(*catalog->images));
    size_t i = 0;
    const json_t *image = NULL;
    json_array_foreach(images, i, image)
    {
        const char *slug = NULL; /* null once an image is retired */
        const char *status = NULL;
        TRY(decode_optional_string(image, "slug", NULL, &slug));
        TRY(decode_optional_string(image, "status", "available", &status));
        if (slug && strcmp(status, "available") == 0)
            catalog->images[catalog->image_count++] = image_name(arena, slug);
    }
    return NULL;
}

static struct err *digitalocean_catalog(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        struct catalog *catalog)
{
    json_t *sizes = NULL;
    json_t *regions = NULL;
    *catalog = (struct catalog){.currency = "USD"};
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/v2/regions", .items = "regions"},
                  &regions));
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/v2/sizes", .items = "sizes"}, &sizes));
    TRY(read_sizes(arena, sizes, regions, catalog));
    TRY(read_regions(arena, regions, catalog));
    return read_images(ctx, provider, arena, catalog);
}

/* ---- servers ---- */

/* A droplet that its tag led to shows that tag, or the token may not see tags: then none of ours would be
 * recognised, and a create whose answer was lost would be sent again. */
static struct err *check_tags_visible(const json_t *droplet, const struct server *server,
                                      const struct label *label)
{
    if (json_array_size(decode_find(droplet, "tags")) > 0)
        return NULL;
    return err_with_hint(err_new(ERR_AUTH, "droplet '%s' was found by the tag '%s:%s' but shows no tags",
                                 server->name, label->key, label->value),
                         "the API token lacks the scope 'tag:read'");
}

static struct err *digitalocean_server_list(const struct ctx *ctx, struct provider *provider,
                                            struct arena *arena, const struct label *label,
                                            struct server **servers, size_t *count)
{
    const char *query = NULL;
    json_t *found = NULL;
    if (label) {
        TRY(spec_check_name("label key", label->key));
        TRY(spec_check_name("label value", label->value));
        query = arena_printf(arena, "tag_name=%s", rest_encode(arena, spec_tag(arena, label)));
    }
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/v2/droplets", .query = query, .items = "droplets"}, &found));
    *count = 0;
    *servers = arena_array(arena, json_array_size(found) + 1, sizeof(**servers));
    size_t i = 0;
    const json_t *droplet = NULL;
    json_array_foreach(found, i, droplet)
    {
        struct server *server = &(*servers)[*count];
        TRY(read_server(arena, droplet, server));
        if (label)
            TRY(check_tags_visible(droplet, server, label));
        *count += !label || spec_has_label(server, label);
    }
    return NULL;
}

static struct err *digitalocean_server_get(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *id, struct server *server)
{
    json_t *body = NULL;
    TRY(get(ctx, provider, arena, "/v2/droplets/", id, "", &body));
    return read_server(arena, decode_find(body, "droplet"), server);
}

static struct err *key_numbers(const struct server_spec *spec, json_t *keys)
{
    for (size_t i = 0; i < spec->ssh_key_count; i++) {
        json_t *number = NULL;
        TRY(number_of("SSH key", spec->ssh_key_ids[i], &number));
        (void)json_array_append_new(keys, number);
    }
    return NULL;
}

static struct err *create_body(struct arena *arena, const struct server_spec *spec, json_t **body)
{
    CLEANUP_JSON json_t *keys = json_array();
    CLEANUP_JSON json_t *image = NULL;
    TRY(key_numbers(spec, keys));
    if (spec->image)
        TRY(image_json(arena, spec->image, &image));
    *body = json_pack("{s:s, s:s, s:s, s:O, s:O, s:o, s:b, s:b, s:b}",                  /* */
                      "name", spec->name, "region", spec->region, "size", spec->size,   /* */
                      "image", image, "ssh_keys", keys, "tags", spec_tags(arena, spec), /* */
                      "ipv6", true, "monitoring", false, "with_droplet_agent", false);
    if (!*body)
        return err_new(ERR_INPUT, "server '%s': region, size or image is missing or not UTF-8", spec->name);
    if (spec->user_data && json_object_set_new(*body, "user_data", json_string(spec->user_data)) != 0)
        return err_new(ERR_INPUT, "user data for server '%s' is not UTF-8", spec->name);
    return NULL;
}

static struct err *read_created(struct arena *arena, const json_t *body, struct server *server,
                                const char **op)
{
    TRY(read_server(arena, decode_find(body, "droplet"), server));
    const json_t *actions = decode_find(body, "links.actions");
    size_t i = 0;
    const json_t *action = NULL;
    json_array_foreach(actions, i, action)
    {
        TRY(rest_op_join(arena, action, "id", op));
    }
    return NULL;
}

static struct err *digitalocean_server_create(const struct ctx *ctx, struct provider *provider,
                                              struct arena *arena, const struct server_spec *spec,
                                              struct server *server, const char **op)
{
    *op = NULL;
    TRY(spec_check(spec, USER_DATA_MAX_BYTES));
    CLEANUP_JSON json_t *body = NULL;
    TRY(create_body(arena, spec, &body));
    struct rest_call call = {
        .method = "POST", .path = "/v2/droplets", .path_template = "/v2/droplets", .body = body};
    struct rest_answer answer = {0};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    rest_wipe(body);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* the image or size, not the server */
        return err_with_kind(e, ERR_REJECTED);
    if (e)
        return e;
    return rest_answer_unreadable(&call, read_created(arena, answer.body, server, op));
}

/* Why a droplet refused a change: it is locked by another one (worth waiting), or already as wanted (then
 * nothing is wrong). `wanted` SERVER_STATUS_UNKNOWN: no state is wanted. */
static struct err *explain_refusal(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *id, enum server_status wanted, struct err *refusal)
{
    json_t *body = NULL;
    const char *status = NULL;
    bool locked = false;
    if (!refusal || err_kind(refusal) != ERR_REJECTED)
        return refusal;
    struct err *e = get(ctx, provider, arena, "/v2/droplets/", id, "", &body);
    if (!e)
        e = decode_bool(body, "droplet.locked", &locked);
    if (!e)
        e = decode_string(body, "droplet.status", &status);
    if (e) {
        err_free(e);
        return refusal;
    }
    if (locked)
        return err_with_kind(refusal, ERR_CONFLICT);
    if (wanted == SERVER_STATUS_UNKNOWN || read_status(status) != wanted)
        return refusal;
    err_free(refusal);
    return NULL;
}

static struct err *droplet_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  const char *id, enum server_status wanted, const json_t *body,
                                  const char **op)
{
    struct rest_call call = call_of(arena, "POST", "/v2/droplets/", id, "/actions");
    call.body = body;
    struct err *e = send_action(ctx, provider, arena, &call, op);
    return explain_refusal(ctx, provider, arena, id, wanted, e);
}

static struct err *digitalocean_server_power(const struct ctx *ctx, struct provider *provider,
                                             struct arena *arena, const char *id, enum server_power power,
                                             const char **op)
{
    static const struct {
        const char *verb;
        enum server_status leads_to;
    } verbs[] = {[POWER_ON] = {"power_on", SERVER_RUNNING},
                 [POWER_OFF] = {"power_off", SERVER_OFF},
                 [POWER_SHUTDOWN] = {"shutdown", SERVER_OFF}, /* done: it was asked to, no more */
                 [POWER_REBOOT] = {"reboot", SERVER_STATUS_UNKNOWN}};
    CLEANUP_JSON json_t *body = json_pack("{s:s}", "type", verbs[power].verb);
    return droplet_action(ctx, provider, arena, id, verbs[power].leads_to, body, op);
}

static struct err *digitalocean_server_delete(const struct ctx *ctx, struct provider *provider,
                                              struct arena *arena, const char *id, const char **op)
{
    *op = NULL;
    struct err *e = delete_at(ctx, provider, arena, "/v2/droplets/", id);
    return explain_refusal(ctx, provider, arena, id, SERVER_STATUS_UNKNOWN, e);
}

/* ---- operations ---- */

static struct err *poll_firewall(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *firewall_id, bool *done)
{
    json_t *body = NULL;
    const char *status = NULL;
    TRY(get(ctx, provider, arena, "/v2/firewalls/", firewall_id, "", &body));
    TRY(decode_string(body, "firewall.status", &status));
    if (strcmp(status, "failed") == 0)
        return rest_op_failed(provider->rest, "firewall", status, NULL);
    *done = strcmp(status, "succeeded") == 0 &&
            json_array_size(decode_find(body, "firewall.pending_changes")) == 0;
    return NULL;
}

/* ERR_NOT_FOUND: the action went with its droplet, which the droplet itself will tell. */
static struct err *poll_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const char *action_id, bool *done)
{
    json_t *body = NULL;
    const char *status = NULL;
    const char *type = NULL;
    TRY(get(ctx, provider, arena, "/v2/actions/", action_id, "", &body));
    TRY(decode_string(body, "action.status", &status));
    TRY(decode_string(body, "action.type", &type));
    *done = strcmp(status, "completed") == 0;
    if (*done || strcmp(status, "in-progress") == 0)
        return NULL;
    return rest_op_failed(provider->rest, type, arena_printf(arena, "%s %s", status, type), NULL);
}

static struct err *digitalocean_op_poll(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *op, bool *done)
{
    static const size_t length = sizeof(FIREWALL_OP) - 1;
    *done = false;
    if (strncmp(op, FIREWALL_OP, length) == 0)
        return poll_firewall(ctx, provider, arena, op + length, done);
    return poll_action(ctx, provider, arena, op, done);
}

/* ---- keys ---- */

/* "3b:16:...": how DigitalOcean names a key. Asking for one by it costs one call, and the list of all keys
 * may be asked for 10 times a minute only. */
static struct err *key_fingerprint(struct arena *arena, const char *material, const char **fingerprint)
{
    uint8_t *blob = NULL;
    size_t length = 0;
    uint8_t digest[HASH_MD5_SIZE];
    const char *base64 = strchr(material, ' ');
    struct err *e = hash_base64_decode(arena, base64 ? base64 + 1 : "", &blob, &length);
    if (e)
        return err_wrap(e, "reading the public key '%s'", material);
    if (!hash_md5(blob, length, digest))
        return err_new(ERR_IO, "this system forbids MD5, by which DigitalOcean names SSH keys");
    char *text = arena_array(arena, HASH_MD5_SIZE, 3);
    const char *hex = hash_hex(arena, digest, sizeof(digest));
    for (size_t i = 0; i < HASH_MD5_SIZE; i++) {
        memcpy(text + 3 * i, hex + 2 * i, 2);
        text[3 * i + 2] = i + 1 < HASH_MD5_SIZE ? ':' : '\0';
    }
    *fingerprint = text;
    return NULL;
}

/* *key_id stays NULL when the account has no such key. */
static struct err *find_key(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                            const char *material, const char **key_id)
{
    const char *fingerprint = NULL;
    const char *text = NULL;
    struct rest_answer answer = {0};
    TRY(key_fingerprint(arena, material, &fingerprint));
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/v2/account/keys/%s", fingerprint),
                             .path_template = "/v2/account/keys/{fingerprint}"};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    if (e && err_kind(e) == ERR_NOT_FOUND) {
        err_free(e);
        return NULL;
    }
    if (e)
        return e;
    TRY(decode_string(answer.body, "ssh_key.public_key", &text));
    if (strcmp(spec_key_material(arena, text), material) != 0) /* MD5 proves nothing */
        return err_new(ERR_REJECTED, "the account has another SSH key with the fingerprint '%s'",
                       fingerprint);
    *key_id = rest_id(arena, answer.body, "ssh_key.id");
    return *key_id ? NULL : err_new(ERR_REJECTED, "answer lacks 'ssh_key.id'");
}

static struct err *create_key(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *name, const char *public_key, const char **key_id)
{
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s}", "name", name, "public_key", public_key);
    if (!body)
        return err_new(ERR_INPUT, "the name or the public key '%s' is not UTF-8", name);
    struct rest_call call = {
        .method = "POST", .path = "/v2/account/keys", .path_template = "/v2/account/keys", .body = body};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *key_id = rest_id(arena, answer.body, "ssh_key.id");
    return *key_id ? NULL : rest_answer_unreadable(&call, err_new(ERR_REJECTED, "answer lacks 'ssh_key.id'"));
}

static struct err *digitalocean_key_ensure(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *name, const char *public_key,
                                           const char **key_id)
{
    const char *material = spec_key_material(arena, public_key);
    *key_id = NULL;
    TRY(find_key(ctx, provider, arena, material, key_id));
    if (*key_id)
        return NULL;
    struct err *e = create_key(ctx, provider, arena, name, public_key, key_id);
    if (!e || (err_kind(e) != ERR_REJECTED && err_kind(e) != ERR_CONFLICT))
        return e;
    struct err *lookup =
        find_key(ctx, provider, arena, material, key_id); /* somebody else registered it just now */
    bool found = !lookup && *key_id;
    err_free(lookup);
    if (!found)
        return e;
    err_free(e);
    return NULL;
}

static struct err *digitalocean_key_delete(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const char *key_id)
{
    return delete_at(ctx, provider, arena, "/v2/account/keys/", key_id);
}

/* ---- firewalls ---- */

/* The document wants ports even where there are none, "0" with icmp. For all ports, answers say "0", which
 * requests were refused with (digitalocean/api-v2#171): the whole range is understood everywhere. */
static json_t *rule_json(const char *protocol, const char *ports, const char *target, json_t *addresses)
{
    return json_pack("{s:s, s:s, s:{s:o}}", "protocol", protocol, "ports", ports, target, "addresses",
                     addresses);
}

static json_t *inbound_json(struct arena *arena, const struct firewall_spec *spec)
{
    json_t *rules_json = json_array();
    for (size_t i = 0; i < spec->rule_count; i++) {
        const struct firewall_rule *rule = &spec->rules[i];
        const char *ports = rule->port_from == rule->port_to
                                ? arena_printf(arena, "%d", rule->port_from)
                                : arena_printf(arena, "%d-%d", rule->port_from, rule->port_to);
        json_t *sources = json_array();
        for (size_t k = 0; k < rule->source_count; k++)
            (void)json_array_append_new(sources, json_string(rule->sources[k]));
        (void)json_array_append_new(rules_json, rule_json(rule->protocol, ports, "sources", sources));
    }
    return rules_json;
}

/* Without outbound rules nothing goes out, and a server could not even fetch its packages. */
static json_t *outbound_json(void)
{
    static const char *const open[][2] = {{"tcp", "1-65535"}, {"udp", "1-65535"}, {"icmp", "0"}};
    json_t *rules_json = json_array();
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        (void)json_array_append_new(rules_json, rule_json(open[i][0], open[i][1], "destinations",
                                                          json_pack("[s, s]", "0.0.0.0/0", "::/0")));
    return rules_json;
}

static struct err *find_firewall(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *name, const json_t **firewall)
{
    json_t *firewalls = NULL;
    TRY(rest_list(ctx, provider->rest, arena, &(struct rest_listing){"/v2/firewalls", .items = "firewalls"},
                  &firewalls));
    *firewall = NULL;
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(firewalls, i, found)
    {
        const char *found_name = json_string_value(decode_find(found, "name"));
        if (found_name && strcmp(found_name, name) == 0)
            *firewall = found;
    }
    return NULL;
}

/* What a change of rules leaves out is reset: the droplets and tags that it is in front of stay. */
static void keep_targets(const json_t *firewall, json_t *body)
{
    static const char *const kept[] = {"droplet_ids", "tags"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        json_t *value = decode_find(firewall, kept[i]);
        if (json_is_array(value))
            (void)json_object_set(body, kept[i], value);
    }
}

static struct err *firewall_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const struct firewall_spec *spec, const char **firewall_id)
{
    const json_t *firewall = NULL;
    struct rest_answer answer = {0};
    TRY(spec_check_name("firewall name", spec->name));
    TRY(find_firewall(ctx, provider, arena, spec->name, &firewall));
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:o, s:o}", "name", spec->name, "inbound_rules",
                                          inbound_json(arena, spec), "outbound_rules", outbound_json());
    const char *known = rest_id(arena, firewall, "id");
    if (known)
        keep_targets(firewall, body);
    struct rest_call call = known ? call_of(arena, "PUT", "/v2/firewalls/", known, "")
                                  : call_of(arena, "POST", "/v2/firewalls", NULL, "");
    call.body = body;
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    *firewall_id = rest_id(arena, answer.body, "firewall.id");
    return *firewall_id ? NULL
                        : rest_answer_unreadable(&call, err_new(ERR_REJECTED, "answer lacks 'firewall.id'"));
}

static bool holds_number(const json_t *numbers, const json_t *wanted)
{
    size_t i = 0;
    const json_t *number = NULL;
    json_array_foreach(numbers, i, number)
    {
        if (json_equal(number, wanted))
            return true;
    }
    return false;
}

static struct err *firewall_attach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *firewall_id, const char *server_id, const char **op)
{
    CLEANUP_JSON json_t *droplet = NULL;
    json_t *found = NULL;
    struct rest_answer answer = {0};
    *op = NULL;
    TRY(number_of("droplet", server_id, &droplet));
    TRY(get(ctx, provider, arena, "/v2/firewalls/", firewall_id, "", &found));
    if (!holds_number(decode_find(found, "firewall.droplet_ids"), droplet)) {
        CLEANUP_JSON json_t *body = json_pack("{s:[O]}", "droplet_ids", droplet);
        struct rest_call call = call_of(arena, "POST", "/v2/firewalls/", firewall_id, "/droplets");
        call.body = body;
        TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    }
    *op = arena_printf(arena, FIREWALL_OP "%s", firewall_id);
    return NULL;
}

static struct err *firewall_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *firewall_id)
{
    return delete_at(ctx, provider, arena, "/v2/firewalls/", firewall_id);
}

static const struct firewall_ops firewall_ops = {
    .ensure = firewall_ensure,
    .attach = firewall_attach,
    .delete = firewall_delete,
};

/* ---- reserved IPs ---- */

static struct err *ip_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           struct movable_ip **ips, size_t *count)
{
    json_t *found = NULL;
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/v2/reserved_ips", .items = "reserved_ips"}, &found));
    *count = json_array_size(found);
    *ips = arena_array(arena, *count + 1, sizeof(**ips));
    for (size_t i = 0; i < *count; i++) {
        const json_t *json = json_array_get(found, i);
        struct movable_ip *ip = &(*ips)[i];
        ip->kind = "reserved IP";
        TRY(decode_string(json, "ip", &ip->address));
        TRY(decode_string(json, "region.slug", &ip->region));
        ip->id = ip->address;
        ip->server_id = rest_id(arena, json, "droplet.id");
    }
    return NULL;
}

/* An assignment takes the address from whoever has it, in one call; nothing has to be done inside. */
static struct err *ip_move(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           const struct movable_ip *ip, const char *server_id, const char **op)
{
    CLEANUP_JSON json_t *droplet = NULL;
    json_t *found = NULL;
    *op = NULL;
    TRY(number_of("droplet", server_id, &droplet));
    TRY(get(ctx, provider, arena, "/v2/reserved_ips/", ip->id, "", &found));
    const json_t *owner = decode_find(found, "reserved_ip.droplet.id");
    if (owner && json_equal(owner, droplet))
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:O}", "type", "assign", "droplet_id", droplet);
    struct rest_call call = call_of(arena, "POST", "/v2/reserved_ips/", ip->id, "/actions");
    call.body = body;
    struct err *e = send_action(ctx, provider, arena, &call, op);
    return explain_refusal(ctx, provider, arena, server_id, SERVER_STATUS_UNKNOWN, e);
}

static const struct ip_ops ip_ops = {.list = ip_list, .move = ip_move};

/* ---- snapshots ---- */

/* The id is not known before the action is done, and then only by the list: *snapshot_id is NULL. */
static struct err *snapshot_create(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *server_id, const char *name, const char **snapshot_id,
                                   const char **op)
{
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s}", "type", "snapshot", "name", name);
    *snapshot_id = NULL;
    return droplet_action(ctx, provider, arena, server_id, SERVER_STATUS_UNKNOWN, body, op);
}

static struct err *snapshot_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 struct snapshot **snapshots, size_t *count)
{
    json_t *found = NULL;
    TRY(rest_list(
        ctx, provider->rest, arena,
        &(struct rest_listing){"/v2/snapshots", .query = "resource_type=droplet", .items = "snapshots"},
        &found));
    *count = json_array_size(found);
    *snapshots = arena_array(arena, *count + 1, sizeof(**snapshots));
    for (size_t i = 0; i < *count; i++) {
        const json_t *json = json_array_get(found, i);
        struct snapshot *snapshot = &(*snapshots)[i];
        const char *created = NULL;
        TRY(decode_string(json, "name", &snapshot->name));
        TRY(decode_string(json, "created_at", &created));
        TRY(clock_parse_utc(created, &snapshot->created_ms));
        snapshot->id = rest_id(arena, json, "id");
        snapshot->size_gib = json_number_value(decode_find(json, "size_gigabytes"));
        snapshot->ready = true; /* it is listed when its action is done */
        if (!snapshot->id)
            return err_new(ERR_REJECTED, "answer lacks a snapshot's 'id'");
    }
    return NULL;
}

static struct err *snapshot_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *snapshot_id)
{
    return delete_at(ctx, provider, arena, "/v2/snapshots/", snapshot_id);
}

static const struct snapshot_ops snapshot_ops = {
    .create = snapshot_create,
    .list = snapshot_list,
    .delete = snapshot_delete,
};

/* ---- volumes ---- */

/* Its path in the server: docs.digitalocean.com/products/volumes/details/naming-conventions. */
static struct err *read_volume(struct arena *arena, const json_t *json, struct volume *volume)
{
    int64_t size = 0;
    *volume = (struct volume){.server_id = rest_id(arena, json, "droplet_ids.0")};
    TRY(decode_string(json, "id", &volume->id));
    TRY(decode_string(json, "name", &volume->name));
    TRY(decode_string(json, "region.slug", &volume->region));
    TRY(decode_int(json, "size_gigabytes", &size));
    volume->size_gib = (int)size;
    if (volume->server_id)
        volume->device = arena_printf(arena, "/dev/disk/by-id/scsi-0DO_Volume_%s", volume->name);
    return NULL;
}

/* volume->id stays NULL when there is none. */
static struct err *find_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct volume_spec *spec, struct volume *volume)
{
    json_t *found = NULL;
    const char *query = arena_printf(arena, "name=%s&region=%s", rest_encode(arena, spec->name),
                                     rest_encode(arena, spec->region));
    TRY(rest_list(ctx, provider->rest, arena,
                  &(struct rest_listing){"/v2/volumes", .query = query, .items = "volumes"}, &found));
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(found, i, json)
    {
        TRY(read_volume(arena, json, volume));
        if (strcmp(volume->name, spec->name) == 0 && strcmp(volume->region, spec->region) == 0)
            return NULL;
    }
    *volume = (struct volume){0};
    return NULL;
}

static struct err *volume_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct volume_spec *spec, struct volume *volume, const char **op)
{
    *op = NULL;
    *volume = (struct volume){0};
    TRY(spec_check_name("volume name", spec->name));
    TRY(find_volume(ctx, provider, arena, spec, volume));
    if (volume->id && volume->size_gib != spec->size_gib)
        return err_new(ERR_CONFLICT, "volume '%s' in '%s' has %d GiB, not %d", spec->name, spec->region,
                       volume->size_gib, spec->size_gib);
    if (volume->id)
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s, s:i}", "name", spec->name, "region", spec->region,
                                          "size_gigabytes", spec->size_gib);
    struct rest_call call = {
        .method = "POST", .path = "/v2/volumes", .path_template = "/v2/volumes", .body = body};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    return rest_answer_unreadable(&call, read_volume(arena, decode_find(answer.body, "volume"), volume));
}

static struct err *volume_action(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct volume *volume, const char *type, const char *server_id,
                                 const char **op)
{
    CLEANUP_JSON json_t *droplet = NULL;
    TRY(number_of("droplet", server_id, &droplet));
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:O, s:s}", "type", type, "droplet_id", droplet, "region", volume->region);
    struct rest_call call = call_of(arena, "POST", "/v2/volumes/", volume->id, "/actions");
    call.body = body;
    struct err *e = send_action(ctx, provider, arena, &call, op);
    return explain_refusal(ctx, provider, arena, server_id, SERVER_STATUS_UNKNOWN, e);
}

static struct err *get_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *volume_id, struct volume *volume)
{
    json_t *body = NULL;
    TRY(get(ctx, provider, arena, "/v2/volumes/", volume_id, "", &body));
    return read_volume(arena, decode_find(body, "volume"), volume);
}

static struct err *volume_attach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *volume_id, const char *server_id, const char **op)
{
    struct volume volume = {0};
    *op = NULL;
    TRY(get_volume(ctx, provider, arena, volume_id, &volume));
    if (volume.server_id && strcmp(volume.server_id, server_id) == 0)
        return NULL;
    if (volume.server_id)
        return err_new(ERR_CONFLICT, "volume '%s' is attached to the server '%s'", volume.name,
                       volume.server_id);
    return volume_action(ctx, provider, arena, &volume, "attach", server_id, op);
}

static struct err *volume_detach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *volume_id, const char **op)
{
    struct volume volume = {0};
    *op = NULL;
    TRY(get_volume(ctx, provider, arena, volume_id, &volume));
    if (!volume.server_id)
        return NULL;
    return volume_action(ctx, provider, arena, &volume, "detach", volume.server_id, op);
}

static struct err *volume_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *volume_id)
{
    return delete_at(ctx, provider, arena, "/v2/volumes/", volume_id);
}

static const struct volume_ops volume_ops = {
    .ensure = volume_ensure,
    .attach = volume_attach,
    .detach = volume_detach,
    .delete = volume_delete,
};

/* ---- databases ---- */

/* Without the scope database:view_credentials the connection has no password. */
static struct err *read_connection(struct arena *arena, const json_t *connection,
                                   struct database_cluster *cluster)
{
    const char *host = NULL;
    const char *password = NULL;
    int64_t port = 0;
    struct secret *secret = NULL;
    if (!json_is_object(connection))
        return NULL;
    TRY(decode_optional_string(connection, "host", "", &host));
    TRY(decode_optional_int(connection, "port", 0, &port));
    TRY(decode_optional_string(connection, "user", NULL, &cluster->user));
    TRY(decode_optional_string(connection, "database", NULL, &cluster->database));
    TRY(decode_optional_string(connection, "password", "", &password));
    cluster->host = *host ? host : NULL;
    cluster->port = (int)port;
    if (!*password)
        return NULL;
    TRY(secret_new(password, strlen(password), &secret));
    cluster->password = secret_keep(arena, secret);
    return NULL;
}

/* No status says that a cluster failed. */
static struct err *read_cluster(struct arena *arena, const json_t *json, struct database_cluster *cluster)
{
    const char *status = NULL;
    *cluster = (struct database_cluster){0};
    TRY(decode_string(json, "id", &cluster->id));
    TRY(decode_string(json, "name", &cluster->name));
    TRY(decode_string(json, "region", &cluster->region));
    TRY(decode_string(json, "size", &cluster->size));
    TRY(decode_optional_string(json, "version", NULL, &cluster->version));
    TRY(decode_optional_string(json, "status", "creating", &status));
    cluster->ready = strcmp(status, "online") == 0;
    return read_connection(arena, decode_find(json, "connection"), cluster);
}

struct backup {
    const char *created_at; /* as the API wrote it, and wants it back */
    int64_t at_ms;
};

static struct err *list_backups(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                const char *cluster_id, struct backup **backups, size_t *count)
{
    json_t *body = NULL;
    const json_t *found = NULL;
    TRY(get(ctx, provider, arena, "/v2/databases/", cluster_id, "/backups", &body));
    TRY(decode_array(body, "backups", &found));
    *count = json_array_size(found);
    *backups = arena_array(arena, *count + 1, sizeof(**backups));
    for (size_t i = 0; i < *count; i++) {
        struct backup *backup = &(*backups)[i];
        TRY(decode_string(json_array_get(found, i), "created_at", &backup->created_at));
        TRY(clock_parse_utc(backup->created_at, &backup->at_ms));
    }
    return NULL;
}

/* A restore starts from a backup, not from any moment between: the window is that of the backups. */
static struct err *read_window(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct database_cluster *cluster)
{
    struct backup *backups = NULL;
    size_t count = 0;
    if (!cluster->ready) /* it has no backups yet */
        return NULL;
    TRY(list_backups(ctx, provider, arena, cluster->id, &backups, &count));
    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = backups[i].at_ms;
        if (!cluster->oldest_ms || at_ms < cluster->oldest_ms)
            cluster->oldest_ms = at_ms;
        if (at_ms > cluster->newest_ms)
            cluster->newest_ms = at_ms;
    }
    return NULL;
}

static struct err *database_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 struct database_cluster **clusters, size_t *count)
{
    json_t *body = NULL;
    const json_t *found = NULL;
    TRY(get(ctx, provider, arena, "/v2/databases", NULL, "", &body)); /* this list has no pages */
    TRY(decode_array(body, "databases", &found));
    *clusters = arena_array(arena, json_array_size(found) + 1, sizeof(**clusters));
    *count = 0;
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(found, i, json)
    {
        const char *engine = NULL;
        TRY(decode_string(json, "engine", &engine));
        if (strcmp(engine, "pg") != 0)
            continue;
        struct database_cluster *cluster = &(*clusters)[(*count)++];
        TRY(read_cluster(arena, json, cluster));
        TRY(read_window(ctx, provider, arena, cluster));
    }
    return NULL;
}

static struct err *database_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                const char *cluster_id, struct database_cluster *cluster)
{
    json_t *body = NULL;
    TRY(get(ctx, provider, arena, "/v2/databases/", cluster_id, "", &body));
    TRY(read_cluster(arena, decode_find(body, "database"), cluster));
    return read_window(ctx, provider, arena, cluster);
}

/* The newest backup that is not younger than what is asked for. */
static struct err *choose_backup(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct database_restore *restore, const char **created_at)
{
    struct backup *backups = NULL;
    size_t count = 0;
    int64_t best_ms = -1;
    char asked[CLOCK_TEXT_SIZE];
    TRY(list_backups(ctx, provider, arena, restore->source_id, &backups, &count));
    for (size_t i = 0; i < count; i++)
        if (backups[i].at_ms <= restore->at_ms && backups[i].at_ms > best_ms) {
            best_ms = backups[i].at_ms;
            *created_at = backups[i].created_at;
        }
    if (best_ms >= 0)
        return NULL;
    return err_with_hint(err_new(ERR_NOT_FOUND,
                                 "database cluster '%s' has no backup of %s or before (of %zu)",
                                 restore->source_id, clock_format_utc(restore->at_ms, asked), count),
                         "choose a later time, or the newest state");
}

/* As many nodes and the same version as the source has. */
static struct err *restore_body(const json_t *source, const struct database_restore *restore,
                                const char *created_at, json_t **body)
{
    const char *name = NULL;
    const char *version = NULL;
    int64_t nodes = 1;
    TRY(decode_string(source, "name", &name));
    TRY(decode_optional_string(source, "version", NULL, &version));
    TRY(decode_optional_int(source, "num_nodes", 1, &nodes));
    *body = json_pack("{s:s, s:s, s:s, s:s, s:I, s:{s:s, s:s*}, s:s*}",                         /* */
                      "name", restore->name, "engine", "pg", "size", restore->size,             /* */
                      "region", restore->region, "num_nodes", (json_int_t)nodes,                /* */
                      "backup_restore", "database_name", name, "backup_created_at", created_at, /* */
                      "version", version);
    return *body ? NULL
                 : err_new(ERR_INPUT, "database '%s': region or size is missing or not UTF-8", restore->name);
}

static struct err *database_restore(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                    const struct database_restore *restore, struct database_cluster *cluster)
{
    json_t *source = NULL;
    const char *created_at = NULL;
    CLEANUP_JSON json_t *body = NULL;
    struct rest_answer answer = {0};
    TRY(get(ctx, provider, arena, "/v2/databases/", restore->source_id, "", &source));
    if (restore->at_ms)
        TRY(choose_backup(ctx, provider, arena, restore, &created_at));
    TRY(restore_body(decode_find(source, "database"), restore, created_at, &body));
    struct rest_call call = {
        .method = "POST", .path = "/v2/databases", .path_template = "/v2/databases", .body = body};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* the backup or size, not the new cluster */
        return err_with_kind(e, ERR_REJECTED);
    if (e)
        return e;
    return rest_answer_unreadable(&call, read_cluster(arena, decode_find(answer.body, "database"), cluster));
}

static struct err *database_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                   const char *cluster_id)
{
    return delete_at(ctx, provider, arena, "/v2/databases/", cluster_id);
}

static const struct database_ops database_ops = {
    .list = database_list,
    .get = database_get,
    .restore = database_restore,
    .delete = database_delete,
};

const struct provider_ops provider_digitalocean = {
    .type = "digitalocean",
    .open = digitalocean_open,
    .close = digitalocean_close,
    .check = digitalocean_check,
    .catalog = digitalocean_catalog,
    .server_list = digitalocean_server_list,
    .server_get = digitalocean_server_get,
    .server_create = digitalocean_server_create,
    .server_power = digitalocean_server_power,
    .server_delete = digitalocean_server_delete,
    .op_poll = digitalocean_op_poll,
    .key_ensure = digitalocean_key_ensure,
    .key_delete = digitalocean_key_delete,
    .firewall = &firewall_ops,
    .ip = &ip_ops,
    .snapshot = &snapshot_ops,
    .volume = &volume_ops,
    .database = &database_ops,
};
