/* Vultr (www.vultr.com/api; facts from its published openapi.json of 2026-05, and where named from what its
 * users report).
 *
 * - An API key works from allow-listed addresses only; from others every call is a 401.
 * - Errors are an HTTP status and a sentence: the table below tells them apart by their words.
 * - There is no handle for anything that takes time: creates, power and deletes answer at once and are seen
 *   to happen in the server itself. Only snapshots and new volumes have a status to poll.
 * - Neither names nor labels are unique, so nothing stops a create that is sent twice.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "providers/compute/provider.h"
#include "providers/compute/spec.h"
#include "providers/rest/rest.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Not documented; what public clients assume, of the text before it is encoded. */
#define USER_DATA_MAX_BYTES (64u << 10)

static const struct rest_rule rules[] = {
    {429, NULL, NULL, ERR_RATE_LIMIT, NULL},
    /* vultr/vultr-csi#97, vultr/terraform-provider-vultr#375 */
    {4, NULL, "unauthorized ip address", ERR_AUTH,
     "the account's API access control does not list this machine: add the address that the message names, "
     "and "
     "the machine's other one (IPv4 and IPv6), at my.vultr.com, Account, API"},
    {401, NULL, NULL, ERR_AUTH, "the API key is wrong or was regenerated: give the account a new one"},
    /* Both come with 500 and take no effect (vultr/ansible-collection-vultr#113,
     * squat/terraform-provider-vultr#50). */
    {0, NULL, "pending destruction", ERR_NOT_FOUND, NULL},
    {0, NULL, "currently locked", ERR_CONFLICT, NULL},
    {400, NULL, "invalid instance id", ERR_NOT_FOUND, NULL}, /* terraform-provider-vultr#177 */
    {4, NULL, "not available in the selected", ERR_CAPACITY,
     "this plan is out of stock there; another region may have it"},
    {4, NULL, "plan is not available", ERR_CAPACITY,
     "this plan is out of stock there; another region may have it"},
    {4, NULL, "invalid plan chosen", ERR_CAPACITY, /* also for a plan that the region lacks (#377) */
     "the region does not have this plan; another may (or is its name misspelt?)"},
    {4, NULL, "reached the maximum", ERR_QUOTA,
     "delete what is not needed, or ask Vultr to raise the account's limit; what was deleted a moment ago "
     "still counts for a while"},
    {4, NULL, "limit", ERR_QUOTA,
     "delete what is not needed, or ask Vultr to raise the account's limit; what was deleted a moment ago "
     "still counts for a while"},
};

/* www.vultr.com/api, "Rate Limit": 30 a second from one address. */
static const struct rest_limit limits[] = {{.count = 30, .window_ms = 1000}};

static const struct rest_dialect dialect = {
    .provider = "vultr",
    .endpoint = "https://api.vultr.com/v2",
    .error_message = "error",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
    .page_parameter = "cursor",
    .page_size_parameter = "per_page",
    .page_size = 500,
    .paging = REST_NEXT_IS_GIVEN,
    .next_page = "meta.links.next", /* "" on the last page */
};

/* What a server can be installed with. Never changed once it is made. */
struct os_list {
    struct arena *arena;
    struct os {
        const char *name;     /* "ubuntu-24.04", or Vultr's own */
        const char *own_name; /* "Ubuntu 24.04 LTS x64" */
        int64_t id;
    } * items;
    size_t count;
};

struct provider {
    struct rest *rest;
    pthread_mutex_t mutex;
    struct os_list *os; /* guarded by mutex; NULL until it was asked for */
};

static struct err *vultr_open(const struct account_options *options, struct provider **provider)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *provider = rest_alloc(rest, sizeof(**provider));
    (*provider)->rest = rest;
    (void)pthread_mutex_init(&(*provider)->mutex, NULL);
    return NULL;
}

static void vultr_close(struct provider *provider)
{
    if (!provider)
        return;
    if (provider->os)
        arena_free(provider->os->arena);
    (void)pthread_mutex_destroy(&provider->mutex);
    rest_close(provider->rest); /* and the handle with it */
}

/* ---- exchanges ---- */

/* "/instances/ID/halt"; `rest` may be "". */
static const char *item_path(struct arena *arena, const char *collection, const char *id, const char *rest)
{
    return arena_printf(arena, "%s/%s%s", collection, rest_encode(arena, id), rest);
}

/* One object: what the answer has at `key`. */
static struct err *get_object(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *path, const char *path_template, const char *key,
                              const json_t **object)
{
    struct rest_call call = {.method = "GET", .path = path, .path_template = path_template};
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
    return decode_object(answer.body, key, object);
}

/* A change whose answer tells nothing more (204, or an object that is of no use). `body` may be NULL. */
static struct err *change(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *method, const char *path, const char *path_template, const json_t *body)
{
    struct rest_call call = {.method = method, .path = path, .path_template = path_template, .body = body};
    struct rest_answer answer = {0};
    return rest_send(ctx, provider->rest, arena, &call, &answer);
}

/* A change that answers with an object at `key`. */
static struct err *create_object(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct rest_call *call, const char *key, const json_t **object)
{
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, provider->rest, arena, call, &answer));
    return rest_answer_unreadable(call, decode_object(answer.body, key, object));
}

static struct err *list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        const char *path, const char *items_key, json_t **items)
{
    return rest_list(ctx, provider->rest, arena, &(struct rest_listing){.path = path, .items = items_key},
                     items);
}

/* Absent things are "" here. */
static const char *text_or_null(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text && *text ? text : NULL;
}

static struct err *read_id(struct arena *arena, const json_t *json, const char *what, const char **id)
{
    *id = rest_id(arena, json, "id");
    return *id ? NULL : err_new(ERR_REJECTED, "answer lacks the 'id' of %s", what);
}

static bool names_hold(const json_t *names, const char *name)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(names, i, item)
    {
        const char *text = json_string_value(item);
        if (text && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

static const char *lower_case(struct arena *arena, const char *text)
{
    char *lower = arena_strdup(arena, text);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return lower;
}

/* ---- reading a server ---- */

/* "active" is also said of a halted server, and of one that has no address yet. server_status is not looked
 * at: it lags or sticks before "ok" (vultr/docker-machine-driver-vultr#15), and SSH tells the truth. */
static enum server_status read_status(const json_t *json, bool has_address)
{
    const char *status = text_or_null(json, "status");
    const char *power = text_or_null(json, "power_status");
    if (!status || !power)
        return SERVER_STATUS_UNKNOWN;
    if (strcmp(status, "pending") == 0 || strcmp(status, "resizing") == 0)
        return SERVER_PENDING;
    if (strcmp(status, "active") != 0) /* suspended */
        return SERVER_STATUS_UNKNOWN;
    if (strcmp(power, "stopped") == 0)
        return SERVER_OFF;
    return has_address || json_is_true(json_object_get(json, "vpc_only")) ? SERVER_RUNNING : SERVER_PENDING;
}

/* In its usual spelling; NULL for none, which is written "", "0.0.0.0" or "::". With `host`, a network's
 * first address stands for the network. */
static const char *read_address(struct arena *arena, const char *text, bool host)
{
    static const struct in6_addr none;
    char spelled[INET6_ADDRSTRLEN];
    struct in6_addr ip = {0};
    int family = text && strchr(text, ':') ? AF_INET6 : AF_INET;
    if (!text || inet_pton(family, text, &ip) != 1 || memcmp(&ip, &none, sizeof(ip)) == 0)
        return NULL;
    if (host && family == AF_INET6 && ip.s6_addr[15] == 0)
        ip.s6_addr[15] = 1;
    return arena_strdup(arena, inet_ntop(family, &ip, spelled, sizeof(spelled)));
}

/* The document's examples have v6_main_ip, its schema v6_networks. */
static const char *read_ipv6(struct arena *arena, const json_t *json)
{
    const char *text = text_or_null(json, "v6_main_ip");
    return read_address(arena, text ? text : json_string_value(decode_find(json, "v6_networks.0.main_ip")),
                        false);
}

/* default_password is left where it is. */
static struct err *read_server(struct arena *arena, const json_t *json, struct server *server)
{
    const char *created = NULL;
    *server = (struct server){0};
    TRY(read_id(arena, json, "a server", &server->id));
    TRY(decode_string(json, "date_created", &created));
    TRY(decode_string(json, "region", &server->region));
    TRY(decode_string(json, "plan", &server->size));
    TRY(clock_parse_utc(created, &server->created_ms));
    server->name = text_or_null(json, "label");
    if (!server->name)
        server->name = text_or_null(json, "hostname");
    if (!server->name)
        server->name = "";
    server->ipv4 = read_address(arena, text_or_null(json, "main_ip"), false);
    server->ipv6 = read_ipv6(arena, json);
    server->status = read_status(json, server->ipv4 != NULL);
    spec_read_tags(arena, json_object_get(json, "tags"), server);
    return NULL;
}

/* ---- account ---- */

/* Those of the account's permissions (`acls`) that a recovery may need; NULL when it has all, or when the
 * answer does not tell. */
static const char *missing_permissions(struct arena *arena, const json_t *acls)
{
    static const char *const needed[] = {"subscriptions_view", "subscriptions", "provisioning", "firewall",
                                         "dns"};
    const char *lacks = NULL;
    for (size_t i = 0; json_is_array(acls) && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!names_hold(acls, needed[i]))
            lacks = lacks ? arena_printf(arena, "%s, %s", lacks, needed[i]) : needed[i];
    return lacks;
}

static struct err *vultr_check(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct account_state *state)
{
    struct rest_call servers = {
        .method = "GET", .path = "/instances?per_page=1", .path_template = "/instances"};
    struct rest_answer answer = {0};
    const json_t *account = NULL;
    int64_t count = 0;
    *state = (struct account_state){.rate_remaining = -1, .server_limit = -1}; /* neither is told */
    TRY(get_object(ctx, provider, arena, "/account", "/account", "account", &account));
    TRY(rest_send(ctx, provider->rest, arena, &servers, &answer));
    TRY(decode_optional_int(answer.body, "meta.total", 0, &count));
    state->server_count = (int)count;
    const json_t *acls = json_object_get(account, "acls");
    state->lacks = missing_permissions(arena, acls);
    state->read_only =
        json_is_array(acls) && !names_hold(acls, "provisioning") && !names_hold(acls, "subscriptions");
    return NULL;
}

/* ---- catalogue ---- */

/* "Ubuntu 24.04 LTS x64" -> "ubuntu-24.04", "Debian 12 x64 (bookworm)" -> "debian-12"; others as they are. */
static const char *os_name(struct arena *arena, const char *own_name, const char *family)
{
    const char *version = strchr(own_name, ' ');
    if (!version || (strcmp(family, "ubuntu") != 0 && strcmp(family, "debian") != 0))
        return own_name;
    version++;
    return arena_printf(arena, "%s-%.*s", family, (int)strcspn(version, " "), version);
}

/* The list also has placeholders for what is installed otherwise, and systems without sshd. */
static bool os_is_usable(const char *arch, const char *family)
{
    static const char *const others[] = {"iso",         "snapshot",    "backup",
                                         "application", "marketplace", "windows"};
    return strcmp(arch, "x64") == 0 && !spec_contains(others, sizeof(others) / sizeof(others[0]), family);
}

static struct err *read_os_list(const struct ctx *ctx, struct provider *provider, struct os_list *found)
{
    json_t *items = NULL;
    TRY(list(ctx, provider, found->arena, "/os", "os", &items));
    found->items = arena_array(found->arena, json_array_size(items) + 1, sizeof(*found->items));
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        struct os *os = &found->items[found->count];
        const char *arch = NULL;
        const char *family = NULL;
        TRY(decode_string(item, "arch", &arch));
        TRY(decode_string(item, "family", &family));
        TRY(decode_string(item, "name", &os->own_name));
        TRY(decode_int(item, "id", &os->id));
        os->name = os_name(found->arena, os->own_name, family);
        found->count += os_is_usable(arch, family);
    }
    return NULL;
}

/* Asked for once per open account, because every create needs a number from it. Nothing waits while the lock
 * is held: threads that come together ask twice, and one answer is kept. */
static struct err *get_os_list(const struct ctx *ctx, struct provider *provider, const struct os_list **ret)
{
    (void)pthread_mutex_lock(&provider->mutex);
    *ret = provider->os;
    (void)pthread_mutex_unlock(&provider->mutex);
    if (*ret)
        return NULL;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct os_list *found = ARENA_NEW(arena, struct os_list);
    found->arena = arena;
    TRY(read_os_list(ctx, provider, found));
    (void)pthread_mutex_lock(&provider->mutex);
    if (!provider->os) {
        provider->os = found;
        arena = NULL;
    }
    *ret = provider->os;
    (void)pthread_mutex_unlock(&provider->mutex);
    return NULL;
}

static struct err *read_images(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct catalog *catalog)
{
    const struct os_list *os = NULL;
    TRY(get_os_list(ctx, provider, &os));
    catalog->images = arena_array(arena, os->count + 1, sizeof(*catalog->images));
    for (size_t i = 0; i < os->count; i++)
        if (!spec_contains(catalog->images, catalog->image_count, os->items[i].name))
            catalog->images[catalog->image_count++] = arena_strdup(arena, os->items[i].name);
    return NULL;
}

static struct err *read_regions(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                struct catalog *catalog)
{
    json_t *regions = NULL;
    TRY(list(ctx, provider, arena, "/regions", "regions", &regions));
    catalog->regions = arena_array(arena, json_array_size(regions) + 1, sizeof(*catalog->regions));
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(regions, i, item)
    {
        struct catalog_region *region = &catalog->regions[catalog->region_count++];
        TRY(decode_string(item, "id", &region->name));
        region->country = spec_country(arena, text_or_null(item, "country"));
    }
    return NULL;
}

/* No GPU, no bare metal, and none without a disk of its own (VX1: boots from a volume only). */
static bool plan_is_usable(const json_t *plan)
{
    const char *type = text_or_null(plan, "type");
    const char *gpu = text_or_null(plan, "gpu_brand");
    return type && strncmp(type, "vcg", 3) != 0 && strncmp(type, "vbm", 3) != 0 &&
           (!gpu || strcmp(gpu, "none") == 0) && json_number_value(json_object_get(plan, "disk")) > 0;
}

static bool region_is_offered(const json_t *plans, const char *region)
{
    size_t i = 0;
    const json_t *plan = NULL;
    json_array_foreach(plans, i, plan)
    {
        if (plan_is_usable(plan) && names_hold(json_object_get(plan, "locations"), region))
            return true;
    }
    return false;
}

/* {"ams": ["vc2-1c-1gb", ...]}: `locations` of a plan tells where it is offered, not whether it is in stock;
 * for that there is one call a region and no other. Regions in which no plan is offered are not asked.
 * Plans "for VPC only" are left out: servers there get no public address. */
static struct err *read_stock(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const struct catalog *catalog, const json_t *plans, json_t *stock)
{
    for (size_t i = 0; i < catalog->region_count; i++) {
        const char *region = catalog->regions[i].name;
        struct rest_call call = {.method = "GET",
                                 .path = item_path(arena, "/regions", region, "/availability"),
                                 .path_template = "/regions/{region}/availability"};
        struct rest_answer answer = {0};
        const json_t *available = NULL;
        if (!region_is_offered(plans, region))
            continue;
        TRY(rest_send(ctx, provider->rest, arena, &call, &answer));
        TRY(decode_array(answer.body, "available_plans", &available));
        (void)json_object_set(stock, region, decode_find(answer.body, "available_plans"));
    }
    return NULL;
}

/* Some regions cost more. A plan that is billed by the month has no price by the hour: its share, then. */
static void read_price(const json_t *plan, struct size_offer *offer)
{
    enum { HOURS_OF_A_MONTH = 730 };
    const json_t *local = json_object_get(json_object_get(plan, "location_cost"), offer->region);
    const json_t *cost = json_number_value(json_object_get(local, "monthly_cost")) > 0 ? local : plan;
    offer->price_monthly = json_number_value(json_object_get(cost, "monthly_cost"));
    offer->price_hourly = json_number_value(json_object_get(cost, "hourly_cost"));
    if (offer->price_hourly <= 0)
        offer->price_hourly = offer->price_monthly / HOURS_OF_A_MONTH;
}

static struct err *read_size(struct arena *arena, const json_t *plan, const json_t *stock,
                             struct server_size *size)
{
    const json_t *locations = NULL;
    int64_t cores = 0;
    int64_t ram_mib = 0;
    TRY(decode_string(plan, "id", &size->name));
    TRY(decode_int(plan, "vcpu_count", &cores));
    TRY(decode_int(plan, "ram", &ram_mib));
    TRY(decode_array(plan, "locations", &locations));
    size->architecture = "x86";
    size->cores = (int)cores;
    size->memory_gib = (double)ram_mib / 1024;
    size->disk_gib = json_number_value(json_object_get(plan, "disk"));
    size->offers = arena_array(arena, json_array_size(locations) + 1, sizeof(*size->offers));
    for (size_t i = 0; i < json_array_size(locations); i++) {
        struct size_offer *offer = &size->offers[size->offer_count++];
        TRY(decode_string(json_array_get(locations, i), "", &offer->region));
        offer->available = names_hold(json_object_get(stock, offer->region), size->name);
        read_price(plan, offer);
    }
    return NULL;
}

static struct err *vultr_catalog(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 struct catalog *catalog)
{
    CLEANUP_JSON json_t *stock = json_object();
    json_t *plans = NULL;
    *catalog = (struct catalog){.currency = "USD"};
    TRY(list(ctx, provider, arena, "/plans", "plans", &plans));
    TRY(read_regions(ctx, provider, arena, catalog));
    TRY(read_stock(ctx, provider, arena, catalog, plans, stock));
    catalog->sizes = arena_array(arena, json_array_size(plans) + 1, sizeof(*catalog->sizes));
    size_t i = 0;
    const json_t *plan = NULL;
    json_array_foreach(plans, i, plan)
    {
        if (plan_is_usable(plan))
            TRY(read_size(arena, plan, stock, &catalog->sizes[catalog->size_count++]));
    }
    return read_images(ctx, provider, arena, catalog);
}

/* ---- servers ---- */

/* All servers, picked here: the document calls the filter by tag deprecated and offers no other, and it is
 * known to ignore case. A page holds 500, so this costs no more calls than the filter would. */
static struct err *vultr_server_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                     const struct label *label, struct server **servers, size_t *count)
{
    json_t *found = NULL;
    if (label) {
        TRY(spec_check_name("label key", label->key));
        TRY(spec_check_name("label value", label->value));
    }
    TRY(list(ctx, provider, arena, "/instances", "instances", &found));
    *servers = arena_array(arena, json_array_size(found) + 1, sizeof(**servers));
    *count = 0;
    for (size_t i = 0; i < json_array_size(found); i++) {
        struct server *server = &(*servers)[*count];
        TRY(read_server(arena, json_array_get(found, i), server));
        *count += !label || spec_has_label(server, label);
    }
    return NULL;
}

static struct err *vultr_server_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                    const char *id, struct server *server)
{
    const json_t *instance = NULL;
    TRY(get_object(ctx, provider, arena, item_path(arena, "/instances", id, ""), "/instances/{id}",
                   "instance", &instance));
    return read_server(arena, instance, server);
}

/* os_id or snapshot_id. */
static struct err *add_image(const struct ctx *ctx, struct provider *provider, const char *image,
                             json_t *body)
{
    const char *snapshot = spec_image_snapshot(image);
    const struct os_list *os = NULL;
    if (snapshot) {
        (void)json_object_set_new(body, "snapshot_id", json_string(snapshot));
        return NULL;
    }
    TRY(get_os_list(ctx, provider, &os));
    for (size_t i = 0; i < os->count; i++) {
        if (strcmp(os->items[i].name, image) != 0 && strcmp(os->items[i].own_name, image) != 0)
            continue;
        (void)json_object_set_new(body, "os_id", json_integer(os->items[i].id));
        return NULL;
    }
    return err_with_hint(err_new(ERR_REJECTED, "vultr has no image '%s'", image),
                         "write for example 'ubuntu-24.04' or 'debian-12', another name from Vultr's list of "
                         "operating systems, or 'snapshot:ID'");
}

static struct err *add_user_data(struct arena *arena, const struct server_spec *spec, json_t *body)
{
    if (!spec->user_data)
        return NULL;
    char *encoded = hash_base64(arena, spec->user_data, strlen(spec->user_data));
    int failed = json_object_set_new(body, "user_data", json_string(encoded));
    explicit_bzero(encoded, strlen(encoded)); /* it may carry keys */
    return failed ? err_new(ERR_INTERNAL, "out of memory") : NULL;
}

static json_t *key_ids(const struct server_spec *spec)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < spec->ssh_key_count; i++)
        (void)json_array_append_new(ids, json_string(spec->ssh_key_ids[i]));
    return ids;
}

static struct err *create_body(struct arena *arena, const struct server_spec *spec, json_t **body)
{
    *body = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:b}",                        /* */
                      "region", spec->region, "plan", spec->size,                             /* */
                      "label", spec->name, "hostname", spec->name,                            /* */
                      "sshkey_id", key_ids(spec), "tags", spec_tags(arena, spec),             /* */
                      "enable_ipv6", true, "backups", "disabled", "activation_email", false); /* */
    if (!*body)
        return err_new(ERR_INPUT, "server '%s': region or size is missing or not UTF-8", spec->name);
    return add_user_data(arena, spec, *body);
}

static struct err *vultr_server_create(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const struct server_spec *spec, struct server *server, const char **op)
{
    *op = NULL;
    TRY(spec_check(spec, USER_DATA_MAX_BYTES));
    CLEANUP_JSON json_t *body = NULL;
    TRY(create_body(arena, spec, &body));
    TRY(add_image(ctx, provider, spec->image, body));
    struct rest_call call = {
        .method = "POST", .path = "/instances", .path_template = "/instances", .body = body};
    const json_t *instance = NULL;
    struct err *e = create_object(ctx, provider, arena, &call, "instance", &instance);
    rest_wipe(body);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* the snapshot or key, not the server */
        return err_with_kind(e, ERR_REJECTED);
    if (e)
        return e;
    return rest_answer_unreadable(&call, read_server(arena, instance, server));
}

/* There is no way to ask a system to stop: halt pulls the plug. It is seen in power_status some seconds
 * later. */
static struct err *vultr_server_power(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const char *id, enum server_power power, const char **op)
{
    static const char *const verbs[] = {
        [POWER_ON] = "/start", [POWER_OFF] = "/halt", [POWER_SHUTDOWN] = "/halt", [POWER_REBOOT] = "/reboot"};
    *op = NULL;
    return change(ctx, provider, arena, "POST", item_path(arena, "/instances", id, verbs[power]),
                  arena_printf(arena, "/instances/{id}%s", verbs[power]), NULL);
}

static struct err *vultr_server_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *id, const char **op)
{
    *op = NULL;
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/instances", id, ""), "/instances/{id}",
                  NULL);
}

/* "snapshot:ID" and "block:ID", the two things with a status that says when they are there. */
static struct err *vultr_op_poll(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *op, bool *done)
{
    static const struct {
        const char *prefix, *collection, *path_template, *key, *ready;
    } kinds[] = {
        {"snapshot:", "/snapshots", "/snapshots/{id}", "snapshot", "complete"},
        {"block:", "/blocks", "/blocks/{id}", "block", "active"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t length = strlen(kinds[i].prefix);
        const json_t *object = NULL;
        const char *status = NULL;
        if (strncmp(op, kinds[i].prefix, length) != 0)
            continue;
        struct err *e =
            get_object(ctx, provider, arena, item_path(arena, kinds[i].collection, op + length, ""),
                       kinds[i].path_template, kinds[i].key, &object);
        if (e)
            return err_kind(e) == ERR_NOT_FOUND ? err_with_kind(e, ERR_UNKNOWN_OUTCOME) : e;
        TRY(decode_string(object, "status", &status));
        *done = strcmp(status, kinds[i].ready) == 0;
        return *done || strcmp(status, "pending") == 0 ? NULL
                                                       : rest_op_failed(provider->rest, op, status, NULL);
    }
    return err_new(ERR_INTERNAL, "'%s' is no operation of vultr", op);
}

/* ---- keys ---- */

/* *key_id stays NULL when the account has no such key. */
static struct err *find_key(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                            const char *public_key, const char **key_id)
{
    json_t *keys = NULL;
    const char *wanted = spec_key_material(arena, public_key);
    TRY(list(ctx, provider, arena, "/ssh-keys", "ssh_keys", &keys));
    size_t i = 0;
    const json_t *key = NULL;
    json_array_foreach(keys, i, key)
    {
        const char *text = NULL;
        TRY(decode_string(key, "ssh_key", &text));
        if (strcmp(spec_key_material(arena, text), wanted) == 0)
            return read_id(arena, key, "an SSH key", key_id);
    }
    return NULL;
}

static struct err *vultr_key_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                    const char *name, const char *public_key, const char **key_id)
{
    const json_t *made = NULL;
    *key_id = NULL;
    TRY(find_key(ctx, provider, arena, public_key, key_id));
    if (*key_id)
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s}", "name", name, "ssh_key", public_key);
    if (!body)
        return err_new(ERR_INPUT, "the name or the public key '%s' is not UTF-8", name);
    struct rest_call call = {
        .method = "POST", .path = "/ssh-keys", .path_template = "/ssh-keys", .body = body};
    TRY(create_object(ctx, provider, arena, &call, "ssh_key", &made));
    return rest_answer_unreadable(&call, read_id(arena, made, "an SSH key", key_id));
}

static struct err *vultr_key_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                    const char *key_id)
{
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/ssh-keys", key_id, ""), "/ssh-keys/{id}",
                  NULL);
}

/* ---- firewalls: groups, found by their description; rules are added and removed one by one ---- */

struct group_rule {
    const char *id; /* NULL: wanted, but not there */
    const char *ip_type, *protocol, *subnet, *port;
    int subnet_size;
    const char *key; /* all of it in one spelling, to compare */
};

/* "10.1.2.3/8" -> v4, "10.0.0.0", 8; without a size one address. False when it is neither. */
static bool read_subnet(struct arena *arena, const char *text, int size, struct group_rule *rule)
{
    unsigned char ip[sizeof(struct in6_addr)] = {0};
    char spelled[INET6_ADDRSTRLEN];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    int bits = family == AF_INET6 ? 128 : 32;
    rule->subnet_size = size < 0 ? bits : size;
    if (rule->subnet_size > bits || inet_pton(family, text, ip) != 1)
        return false;
    for (int bit = rule->subnet_size; bit < bits; bit++)
        ip[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
    rule->ip_type = family == AF_INET6 ? "v6" : "v4";
    rule->subnet = arena_strdup(arena, inet_ntop(family, ip, spelled, sizeof(spelled)));
    return true;
}

static const char *rule_key(struct arena *arena, const struct group_rule *rule, const char *source)
{
    return arena_printf(arena, "%s %s %s/%d %s", rule->protocol, source ? source : "", rule->subnet,
                        rule->subnet_size, rule->port);
}

static struct err *wanted_rule(struct arena *arena, const struct firewall_rule *from, const char *source,
                               struct group_rule *rule)
{
    const char *slash = strchr(source, '/');
    const char *address = arena_strndup(arena, source, slash ? (size_t)(slash - source) : strlen(source));
    char *end = NULL;
    long size = slash ? strtol(slash + 1, &end, 10) : -1;
    *rule = (struct group_rule){.protocol = from->protocol, .port = ""};
    if (slash && (end == slash + 1 || *end || size < 0 || size > 128))
        return err_new(ERR_INPUT, "'%s' is no network", source);
    if (!read_subnet(arena, address, (int)size, rule))
        return err_new(ERR_INPUT, "'%s' is no network", source);
    if (from->port_from && from->port_from == from->port_to)
        rule->port = arena_printf(arena, "%d", from->port_from);
    else if (from->port_from)
        rule->port = arena_printf(arena, "%d:%d", from->port_from, from->port_to);
    rule->key = rule_key(arena, rule, NULL);
    return NULL;
}

/* Without those that say the same twice. */
static struct err *wanted_rules(struct arena *arena, const struct firewall_spec *spec,
                                struct group_rule **rules_found, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < spec->rule_count; i++)
        most += spec->rules[i].source_count;
    struct group_rule *found = arena_array(arena, most + 1, sizeof(*found));
    const char **keys = arena_array(arena, most + 1, sizeof(*keys));
    *count = 0;
    for (size_t i = 0; i < spec->rule_count; i++)
        for (size_t k = 0; k < spec->rules[i].source_count; k++) {
            struct group_rule *rule = &found[*count];
            TRY(wanted_rule(arena, &spec->rules[i], spec->rules[i].sources[k], rule));
            if (!spec_contains(keys, *count, rule->key))
                keys[(*count)++] = rule->key;
        }
    *rules_found = found;
    return NULL;
}

/* Protocols are in either case in the document. */
static struct err *read_rule(struct arena *arena, const json_t *json, struct group_rule *rule)
{
    const char *subnet = text_or_null(json, "subnet");
    const char *protocol = NULL;
    int64_t size = 0;
    *rule = (struct group_rule){.subnet = "", .port = ""};
    TRY(read_id(arena, json, "a firewall rule", &rule->id));
    TRY(decode_string(json, "protocol", &protocol));
    TRY(decode_optional_int(json, "subnet_size", 0, &size));
    rule->protocol = lower_case(arena, protocol);
    if (subnet)
        (void)read_subnet(arena, subnet, (int)size, rule);
    if (strcmp(rule->protocol, "icmp") != 0 && text_or_null(json, "port"))
        rule->port = text_or_null(json, "port");
    rule->key = rule_key(arena, rule, text_or_null(json, "source"));
    return NULL;
}

static struct err *list_rules(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *group_id, struct group_rule **found, size_t *count)
{
    struct rest_listing listing = {.path = item_path(arena, "/firewalls", group_id, "/rules"),
                                   .path_template = "/firewalls/{id}/rules",
                                   .items = "firewall_rules"};
    json_t *items = NULL;
    TRY(rest_list(ctx, provider->rest, arena, &listing, &items));
    *count = json_array_size(items);
    *found = arena_array(arena, *count + 1, sizeof(**found));
    for (size_t i = 0; i < *count; i++)
        TRY(read_rule(arena, json_array_get(items, i), &(*found)[i]));
    return NULL;
}

static bool rules_hold(const struct group_rule *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].key, key) == 0)
            return true;
    return false;
}

static struct err *add_rule(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                            const char *group_id, const struct group_rule *rule)
{
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:s, s:s, s:i}", "ip_type", rule->ip_type, "protocol", rule->protocol, "subnet",
                  rule->subnet, "subnet_size", rule->subnet_size);
    if (body && rule->port[0])
        (void)json_object_set_new(body, "port", json_string(rule->port));
    return change(ctx, provider, arena, "POST", item_path(arena, "/firewalls", group_id, "/rules"),
                  "/firewalls/{id}/rules", body);
}

static struct err *remove_rule(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const char *group_id, const struct group_rule *rule)
{
    const char *rest = arena_printf(arena, "/rules/%s", rest_encode(arena, rule->id));
    struct err *e = change(ctx, provider, arena, "DELETE", item_path(arena, "/firewalls", group_id, rest),
                           "/firewalls/{id}/rules/{rule}", NULL);
    if (!e || err_kind(e) != ERR_NOT_FOUND)
        return e;
    err_free(e); /* somebody else removed it */
    return NULL;
}

/* The group of that name, or a new one. */
static struct err *ensure_group(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                const char *name, const char **group_id)
{
    json_t *groups = NULL;
    const json_t *made = NULL;
    TRY(list(ctx, provider, arena, "/firewalls", "firewall_groups", &groups));
    size_t i = 0;
    const json_t *group = NULL;
    json_array_foreach(groups, i, group)
    {
        const char *description = text_or_null(group, "description");
        if (description && strcmp(description, name) == 0)
            return read_id(arena, group, "a firewall group", group_id);
    }
    CLEANUP_JSON json_t *body = json_pack("{s:s}", "description", name);
    struct rest_call call = {
        .method = "POST", .path = "/firewalls", .path_template = "/firewalls", .body = body};
    TRY(create_object(ctx, provider, arena, &call, "firewall_group", &made));
    return rest_answer_unreadable(&call, read_id(arena, made, "a firewall group", group_id));
}

/* Missing rules come first, so that what is to be reachable stays so. */
static struct err *vultr_firewall_ensure(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const struct firewall_spec *spec,
                                         const char **firewall_id)
{
    struct group_rule *wanted = NULL;
    struct group_rule *found = NULL;
    size_t wanted_count = 0;
    size_t found_count = 0;
    TRY(spec_check_name("firewall name", spec->name));
    TRY(wanted_rules(arena, spec, &wanted, &wanted_count));
    TRY(ensure_group(ctx, provider, arena, spec->name, firewall_id));
    TRY(list_rules(ctx, provider, arena, *firewall_id, &found, &found_count));
    for (size_t i = 0; i < wanted_count; i++)
        if (!rules_hold(found, found_count, wanted[i].key))
            TRY(add_rule(ctx, provider, arena, *firewall_id, &wanted[i]));
    for (size_t i = 0; i < found_count; i++)
        if (!rules_hold(wanted, wanted_count, found[i].key))
            TRY(remove_rule(ctx, provider, arena, *firewall_id, &found[i]));
    return NULL;
}

/* A server has one group: this one takes the place of another. */
static struct err *vultr_firewall_attach(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *firewall_id, const char *server_id,
                                         const char **op)
{
    const char *path = item_path(arena, "/instances", server_id, "");
    const json_t *instance = NULL;
    *op = NULL;
    TRY(get_object(ctx, provider, arena, path, "/instances/{id}", "instance", &instance));
    const char *now = text_or_null(instance, "firewall_group_id");
    if (now && strcmp(now, firewall_id) == 0)
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s}", "firewall_group_id", firewall_id);
    return change(ctx, provider, arena, "PATCH", path, "/instances/{id}", body);
}

static struct err *vultr_firewall_delete(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *firewall_id)
{
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/firewalls", firewall_id, ""),
                  "/firewalls/{id}", NULL);
}

static const struct firewall_ops firewall_ops = {
    .ensure = vultr_firewall_ensure,
    .attach = vultr_firewall_attach,
    .delete = vultr_firewall_delete,
};

/* ---- reserved IPs ---- */

/* An IPv6 one is a network: its first address stands for it. */
static struct err *read_ip(struct arena *arena, const json_t *json, struct movable_ip *ip)
{
    const char *subnet = NULL;
    *ip = (struct movable_ip){.kind = "reserved IP", .needs_configuration = true};
    TRY(read_id(arena, json, "a reserved IP", &ip->id));
    TRY(decode_string(json, "region", &ip->region));
    TRY(decode_string(json, "subnet", &subnet));
    ip->address = read_address(arena, subnet, true);
    ip->server_id = text_or_null(json, "instance_id");
    return ip->address ? NULL : err_new(ERR_REJECTED, "answer has '%s' as a reserved IP", subnet);
}

static struct err *vultr_ip_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 struct movable_ip **ips, size_t *count)
{
    json_t *found = NULL;
    TRY(list(ctx, provider, arena, "/reserved-ips", "reserved_ips", &found));
    *count = json_array_size(found);
    *ips = arena_array(arena, *count + 1, sizeof(**ips));
    for (size_t i = 0; i < *count; i++)
        TRY(read_ip(arena, json_array_get(found, i), &(*ips)[i]));
    return NULL;
}

/* Read again first: only the API knows who has it now. */
static struct err *vultr_ip_move(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct movable_ip *ip, const char *server_id, const char **op)
{
    const json_t *found = NULL;
    *op = NULL;
    TRY(get_object(ctx, provider, arena, item_path(arena, "/reserved-ips", ip->id, ""), "/reserved-ips/{id}",
                   "reserved_ip", &found));
    const char *owner = text_or_null(found, "instance_id");
    if (owner && strcmp(owner, server_id) == 0)
        return NULL;
    if (owner)
        TRY(change(ctx, provider, arena, "POST", item_path(arena, "/reserved-ips", ip->id, "/detach"),
                   "/reserved-ips/{id}/detach", NULL));
    CLEANUP_JSON json_t *body = json_pack("{s:s}", "instance_id", server_id);
    return change(ctx, provider, arena, "POST", item_path(arena, "/reserved-ips", ip->id, "/attach"),
                  "/reserved-ips/{id}/attach", body);
}

static const struct ip_ops ip_ops = {.list = vultr_ip_list, .move = vultr_ip_move};

/* ---- snapshots ---- */

static struct err *read_snapshot(struct arena *arena, const json_t *json, struct snapshot *snapshot)
{
    const char *created = NULL;
    const char *status = NULL;
    *snapshot = (struct snapshot){0};
    TRY(read_id(arena, json, "a snapshot", &snapshot->id));
    TRY(decode_string(json, "date_created", &created));
    TRY(decode_string(json, "status", &status));
    TRY(decode_optional_string(json, "description", "", &snapshot->name));
    TRY(clock_parse_utc(created, &snapshot->created_ms));
    snapshot->size_gib = json_number_value(json_object_get(json, "size")) / (1 << 30);
    snapshot->ready = strcmp(status, "complete") == 0;
    return NULL;
}

static struct err *vultr_snapshot_create(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *server_id, const char *name,
                                         const char **snapshot_id, const char **op)
{
    const json_t *made = NULL;
    *op = NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s}", "instance_id", server_id, "description", name);
    if (!body)
        return err_new(ERR_INPUT, "the snapshot's name '%s' is not UTF-8", name);
    struct rest_call call = {
        .method = "POST", .path = "/snapshots", .path_template = "/snapshots", .body = body};
    TRY(create_object(ctx, provider, arena, &call, "snapshot", &made));
    TRY(rest_answer_unreadable(&call, read_id(arena, made, "a snapshot", snapshot_id)));
    *op = arena_printf(arena, "snapshot:%s", *snapshot_id);
    return NULL;
}

static struct err *vultr_snapshot_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       struct snapshot **snapshots, size_t *count)
{
    json_t *found = NULL;
    TRY(list(ctx, provider, arena, "/snapshots", "snapshots", &found));
    *count = json_array_size(found);
    *snapshots = arena_array(arena, *count + 1, sizeof(**snapshots));
    for (size_t i = 0; i < *count; i++)
        TRY(read_snapshot(arena, json_array_get(found, i), &(*snapshots)[i]));
    return NULL;
}

static struct err *vultr_snapshot_delete(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *snapshot_id)
{
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/snapshots", snapshot_id, ""),
                  "/snapshots/{id}", NULL);
}

static const struct snapshot_ops snapshot_ops = {
    .create = vultr_snapshot_create,
    .list = vultr_snapshot_list,
    .delete = vultr_snapshot_delete,
};

/* ---- volumes: block storage ---- */

static struct err *read_volume(struct arena *arena, const json_t *json, struct volume *volume)
{
    int64_t size = 0;
    *volume = (struct volume){.server_id = text_or_null(json, "attached_to_instance")};
    TRY(read_id(arena, json, "a volume", &volume->id));
    TRY(decode_optional_string(json, "label", "", &volume->name));
    TRY(decode_string(json, "region", &volume->region));
    TRY(decode_int(json, "size_gb", &size));
    volume->size_gib = (int)size;
    const char *mount_id = text_or_null(json, "mount_id");
    if (volume->server_id && mount_id)
        volume->device = arena_printf(arena, "/dev/disk/by-id/virtio-%s", mount_id);
    return NULL;
}

/* *found: the volume of that label and region, or NULL. Labels are not unique, and which of two holds the
 * data cannot be told from here. */
static struct err *find_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct volume_spec *spec, const json_t **found)
{
    json_t *blocks = NULL;
    TRY(list(ctx, provider, arena, "/blocks", "blocks", &blocks));
    size_t i = 0;
    const json_t *block = NULL;
    json_array_foreach(blocks, i, block)
    {
        const char *label = text_or_null(block, "label");
        const char *region = text_or_null(block, "region");
        if (!label || !region || strcmp(label, spec->name) != 0 || strcmp(region, spec->region) != 0)
            continue;
        if (*found)
            return err_with_hint(
                err_new(ERR_CONFLICT, "the account has two volumes '%s' in '%s'", spec->name, spec->region),
                "find out which one is in use and rename or delete the other");
        *found = block;
    }
    return NULL;
}

/* The type is "soon to become a required parameter"; this one is had from 10 GB on. */
static struct err *create_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct volume_spec *spec, const json_t **made)
{
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:i, s:s, s:s}", "region", spec->region, "size_gb",
                                          spec->size_gib, "label", spec->name, "block_type", "high_perf");
    if (!body)
        return err_new(ERR_INPUT, "the region of volume '%s' is missing or not UTF-8", spec->name);
    struct rest_call call = {.method = "POST", .path = "/blocks", .path_template = "/blocks", .body = body};
    struct err *e = create_object(ctx, provider, arena, &call, "block", made);
    struct volume read;
    return e ? e : rest_answer_unreadable(&call, read_volume(arena, *made, &read));
}

static struct err *vultr_volume_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const struct volume_spec *spec, struct volume *volume, const char **op)
{
    const json_t *block = NULL;
    *op = NULL;
    TRY(spec_check_name("volume name", spec->name));
    TRY(find_volume(ctx, provider, arena, spec, &block));
    if (!block)
        TRY(create_volume(ctx, provider, arena, spec, &block));
    TRY(read_volume(arena, block, volume));
    if (volume->size_gib != spec->size_gib)
        return err_new(ERR_CONFLICT, "volume '%s' in '%s' has %d GB, not %d", spec->name, spec->region,
                       volume->size_gib, spec->size_gib);
    const char *status = text_or_null(block, "status");
    if (status && strcmp(status, "active") != 0)
        *op = arena_printf(arena, "block:%s", volume->id);
    return NULL;
}

static struct err *get_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *id, struct volume *volume)
{
    const json_t *block = NULL;
    TRY(get_object(ctx, provider, arena, item_path(arena, "/blocks", id, ""), "/blocks/{id}", "block",
                   &block));
    return read_volume(arena, block, volume);
}

/* Live: without, the server would be restarted. */
static struct err *vultr_volume_attach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *volume_id, const char *server_id, const char **op)
{
    struct volume now = {0};
    *op = NULL;
    TRY(get_volume(ctx, provider, arena, volume_id, &now));
    if (now.server_id && strcmp(now.server_id, server_id) == 0)
        return NULL;
    if (now.server_id)
        return err_new(ERR_CONFLICT, "volume '%s' is attached to server '%s'", now.name, now.server_id);
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:b}", "instance_id", server_id, "live", true);
    return change(ctx, provider, arena, "POST", item_path(arena, "/blocks", volume_id, "/attach"),
                  "/blocks/{id}/attach", body);
}

static struct err *vultr_volume_detach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *volume_id, const char **op)
{
    struct volume now = {0};
    *op = NULL;
    TRY(get_volume(ctx, provider, arena, volume_id, &now));
    if (!now.server_id)
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:b}", "live", true);
    return change(ctx, provider, arena, "POST", item_path(arena, "/blocks", volume_id, "/detach"),
                  "/blocks/{id}/detach", body);
}

static struct err *vultr_volume_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *volume_id)
{
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/blocks", volume_id, ""), "/blocks/{id}",
                  NULL);
}

static const struct volume_ops volume_ops = {
    .ensure = vultr_volume_ensure,
    .attach = vultr_volume_attach,
    .detach = vultr_volume_detach,
    .delete = vultr_volume_delete,
};

/* ---- managed PostgreSQL ---- */

static bool is_postgres(const json_t *json)
{
    const char *engine = text_or_null(json, "database_engine");
    return engine && (strcasecmp(engine, "pg") == 0 || strcasecmp(engine, "postgresql") == 0);
}

/* Regions are in capitals here, ports and versions numbers or text (the document's examples and its
 * schema). */
static struct err *read_cluster(struct arena *arena, const json_t *json, struct database_cluster *cluster)
{
    const char *region = NULL;
    const char *status = NULL;
    *cluster = (struct database_cluster){.host = text_or_null(json, "host"),
                                         .user = text_or_null(json, "user"),
                                         .database = text_or_null(json, "dbname")};
    TRY(read_id(arena, json, "a database", &cluster->id));
    TRY(decode_optional_string(json, "label", "", &cluster->name));
    TRY(decode_string(json, "region", &region));
    TRY(decode_string(json, "plan", &cluster->size));
    TRY(decode_string(json, "status", &status));
    cluster->region = lower_case(arena, region);
    cluster->ready = strcmp(status, "Running") == 0;
    const char *version = rest_id(arena, json, "database_engine_version");
    if (version)
        cluster->version = arena_strndup(arena, version, strcspn(version, "."));
    const char *port = rest_id(arena, json, "port");
    cluster->port = port ? (int)strtol(port, NULL, 10) : 0;
    const char *password = text_or_null(json, "password");
    if (!password)
        return NULL;
    TRY(secret_new(password, strlen(password), &cluster->password));
    (void)secret_keep(arena, cluster->password);
    return NULL;
}

static struct err *vultr_database_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       struct database_cluster **clusters, size_t *count)
{
    struct rest_call call = {.method = "GET", .path = "/databases", .path_template = "/databases"};
    struct rest_answer answer = {0};
    const json_t *found = NULL;
    TRY(rest_send(ctx, provider->rest, arena, &call, &answer)); /* this list has no pages */
    TRY(decode_array(answer.body, "databases", &found));
    *clusters = arena_array(arena, json_array_size(found) + 1, sizeof(**clusters));
    *count = 0;
    for (size_t i = 0; i < json_array_size(found); i++)
        if (is_postgres(json_array_get(found, i)))
            TRY(read_cluster(arena, json_array_get(found, i), &(*clusters)[(*count)++]));
    return NULL;
}

/* {"date": "2026-11-20", "time": "02:41:00"}, in UTC; 0 when there is none. */
static struct err *read_backup_time(struct arena *arena, const json_t *backups, const char *key,
                                    int64_t *time_ms)
{
    const json_t *backup = json_object_get(backups, key);
    const char *date = text_or_null(backup, "date");
    const char *time = text_or_null(backup, "time");
    *time_ms = 0;
    return date && time ? clock_parse_utc(arena_printf(arena, "%s %s", date, time), time_ms) : NULL;
}

static struct err *read_window(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct database_cluster *cluster)
{
    struct rest_call call = {.method = "GET",
                             .path = item_path(arena, "/databases", cluster->id, "/backups"),
                             .path_template = "/databases/{id}/backups"};
    struct rest_answer answer = {0};
    struct err *e = rest_send(ctx, provider->rest, arena, &call, &answer);
    if (e && err_kind(e) == ERR_NOT_FOUND) { /* none yet */
        err_free(e);
        return NULL;
    }
    if (e)
        return e;
    TRY(read_backup_time(arena, answer.body, "oldest_backup", &cluster->oldest_ms));
    return read_backup_time(arena, answer.body, "latest_backup", &cluster->newest_ms);
}

static struct err *vultr_database_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const char *cluster_id, struct database_cluster *cluster)
{
    const json_t *database = NULL;
    TRY(get_object(ctx, provider, arena, item_path(arena, "/databases", cluster_id, ""), "/databases/{id}",
                   "database", &database));
    TRY(read_cluster(arena, database, cluster));
    return cluster->ready ? read_window(ctx, provider, arena, cluster) : NULL;
}

/* "basebackup" is the latest backup. A time needs date and time, and its dashes are meant. */
static json_t *fork_body(const struct database_restore *restore)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "label", restore->name, "region", restore->region,
                             "plan", restore->size, "type", restore->at_ms ? "pitr" : "basebackup");
    if (!body || !restore->at_ms)
        return body;
    char text[CLOCK_TEXT_SIZE];
    struct tm at = {0};
    time_t seconds = restore->at_ms / 1000;
    (void)gmtime_r(&seconds, &at);
    (void)strftime(text, sizeof(text), "%Y-%m-%d", &at);
    (void)json_object_set_new(body, "date", json_string(text));
    (void)strftime(text, sizeof(text), "%H-%M-%S", &at);
    (void)json_object_set_new(body, "time", json_string(text));
    return body;
}

/* A fork, because it can go to any region and plan; "restore" stays where the source is. */
static struct err *vultr_database_restore(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const struct database_restore *restore,
                                          struct database_cluster *cluster)
{
    const json_t *database = NULL;
    TRY(spec_check_name("database name", restore->name));
    CLEANUP_JSON json_t *body = fork_body(restore);
    if (!body)
        return err_new(ERR_INPUT, "database '%s': region or size is missing or not UTF-8", restore->name);
    struct rest_call call = {.method = "POST",
                             .path = item_path(arena, "/databases", restore->source_id, "/fork"),
                             .path_template = "/databases/{id}/fork",
                             .body = body};
    TRY(create_object(ctx, provider, arena, &call, "database", &database));
    return rest_answer_unreadable(&call, read_cluster(arena, database, cluster));
}

static struct err *vultr_database_delete(const struct ctx *ctx, struct provider *provider,
                                         struct arena *arena, const char *cluster_id)
{
    return change(ctx, provider, arena, "DELETE", item_path(arena, "/databases", cluster_id, ""),
                  "/databases/{id}", NULL);
}

static const struct database_ops database_ops = {
    .list = vultr_database_list,
    .get = vultr_database_get,
    .restore = vultr_database_restore,
    .delete = vultr_database_delete,
};

const struct provider_ops provider_vultr = {
    .type = "vultr",
    .open = vultr_open,
    .close = vultr_close,
    .check = vultr_check,
    .catalog = vultr_catalog,
    .server_list = vultr_server_list,
    .server_get = vultr_server_get,
    .server_create = vultr_server_create,
    .server_power = vultr_server_power,
    .server_delete = vultr_server_delete,
    .op_poll = vultr_op_poll,
    .key_ensure = vultr_key_ensure,
    .key_delete = vultr_key_delete,
    .firewall = &firewall_ops,
    .ip = &ip_ops,
    .snapshot = &snapshot_ops,
    .volume = &volume_ops,
    .database = &database_ops,
};
