/* Linode, now Akamai Cloud (techdocs.akamai.com/linode-api; facts from its published OpenAPI document 4.208.1
 * of 2025-09, and from issues of its public clients where the document is silent, named in place).
 *
 * - Errors have no code: the HTTP status, the name of the offending field and a sentence are all there is.
 * - Labels of servers are unique in an account: the second guard against a server created twice.
 * - There are no action objects: what a request started is seen in the status of the thing it was for.
 *   Operations given out here name the thing and the state to wait for, see op_poll.
 * - Times have no zone and are UTC.
 * - A list is filtered by the header X-Filter. What comes back is compared again here.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/hash.h"
#include "providers/compute/provider.h"
#include "providers/compute/spec.h"
#include "providers/rest/rest.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* "Unencoded data must not exceed 65535 bytes, or about 16kb encoded", says one sentence of the document, and
 * both cannot be true. 16 KiB before encoding is a quarter of the first number and many times what is sent.
 */
#define USER_DATA_MAX_BYTES (16u << 10)
#define TAG_MAX_CHARACTERS 50 /* document of POST /tags; linode-blockstorage-csi-driver#143 */

static const struct rest_rule rules[] = {
    /* pulumi/templates#184 */
    {400, NULL, "account limit", ERR_QUOTA,
     "delete what is not needed, or open a support ticket to have the account's limit raised"},
    {400, "label", "must be unique", ERR_CONFLICT, NULL},
    /* linode_api4-python#110; a job is running on it, and waiting helps */
    {400, NULL, "busy", ERR_CONFLICT, NULL},
    /* The text for a lack of capacity is not documented. This one is the former API's (vagrant-linode#24);
     * any other objection to the size or the region is worth a try at the next place too. */
    {400, NULL, "no open slots", ERR_CAPACITY, "no room for this size there; another region may have it"},
    {400, "type", NULL, ERR_CAPACITY, "Linode has no such size there now; another region or size may do"},
    {400, "region", NULL, ERR_CAPACITY, "Linode refuses this region now; another one may do"},
    {403, NULL, NULL, ERR_AUTH,
     "the API token lacks a scope for this request, or its user a grant: 'rehost check' tells which"},
};

/* techdocs.akamai.com/linode-api/reference/rate-limits (2026-09). */
static const struct rest_limit limits[] = {
    {.method = "GET", .lists_only = true, .count = 200, .window_ms = 60000},
    {.method = "GET", .path = "/images", .lists_only = true, .count = 20, .window_ms = 60000},
    {.method = "POST", .path = "/linode/instances", .count = 20, .window_ms = 15000},
    {.method = "POST", .path = "/volumes", .count = 100, .window_ms = 60000},
    {.count = 1600, .window_ms = 60000},
};

static const struct rest_dialect dialect = {
    .provider = "linode",
    .endpoint = "https://api.linode.com/v4",
    .scopes_header = "x-oauth-scopes",
    .error_code = "errors.0.field",
    .error_message = "errors.0.reason",
    .error_detail = "errors",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
    .page_parameter = "page",
    .page_size_parameter = "page_size",
    .page_size = 500, /* lists are limited to 200 a minute, so few large pages */
    .paging = REST_PAGES_ARE_COUNTED,
    .next_page = "pages",
};

struct provider {
    struct rest *rest;
};

static struct err *linode_open(const struct account_options *options, struct provider **provider)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *provider = rest_alloc(rest, sizeof(**provider));
    (*provider)->rest = rest;
    return NULL;
}

static void linode_close(struct provider *provider)
{
    if (provider)
        rest_close(provider->rest); /* and the handle with it */
}

/* ---- requests ---- */

/* "/volumes/{id}/attach" with "12" in it; as it is when it has no such place. An image's id has a slash,
 * which is encoded too. */
static const char *path_of(struct arena *arena, const char *path_template, const char *id)
{
    const char *place = strstr(path_template, "{id}");
    if (!place)
        return path_template;
    return arena_printf(arena, "%.*s%s%s", (int)(place - path_template), path_template,
                        rest_encode(arena, id), place + 4);
}

static struct err *get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                       const char *path_template, const char *id, struct rest_answer *answer)
{
    struct rest_call call = {
        .method = "GET", .path = path_of(arena, path_template, id), .path_template = path_template};
    return rest_send(ctx, provider->rest, arena, &call, answer);
}

/* One change; *call, filled here, is what rest_answer_unreadable() wants of it afterwards. */
static struct err *change(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          struct rest_call *call, const char *id, struct rest_answer *answer)
{
    call->path = path_of(arena, call->path_template, id);
    return rest_send(ctx, provider->rest, arena, call, answer);
}

/* A change that makes nothing, whose answer says nothing. An objection to a `type` or `region` in it is no
 * lack of capacity. */
static struct err *change_blindly(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  const char *method, const char *path_template, const char *id,
                                  const json_t *body)
{
    struct rest_call call = {.method = method, .path_template = path_template, .body = body};
    struct rest_answer answer = {0};
    struct err *e = change(ctx, provider, arena, &call, id, &answer);
    return e && err_kind(e) == ERR_CAPACITY ? err_with_kind(e, ERR_REJECTED) : e;
}

/* All of a list; `filter` (NULL: none) is taken over. */
static struct err *list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        const char *path_template, const char *id, json_t *filter, json_t **items)
{
    struct rest_listing listing = {
        .path = path_of(arena, path_template, id), .path_template = path_template, .items = "data"};
    if (filter)
        listing.header = (struct http_header){"X-Filter", decode_dump(arena, filter)};
    json_decref(filter);
    return rest_list(ctx, provider->rest, arena, &listing, items);
}

/* The ids of this API are numbers; the contract's are text. */
static struct err *read_number(const char *what, const char *id, int64_t *number)
{
    char *end = NULL;
    *number = strtoll(id, &end, 10);
    if (end == id || *end)
        return err_new(ERR_INPUT, "'%s' is not the id of a Linode %s", id, what);
    return NULL;
}

/* The rules for labels: those of the contract, begin with a letter, end with a letter or digit, no two
 * hyphens in a row. */
static struct err *check_label(const char *what, const char *label, size_t max)
{
    TRY(spec_check_name(what, label));
    size_t length = strlen(label);
    bool begins = label[0] >= 'a' && label[0] <= 'z';
    if (length >= 3 && length <= max && begins && label[length - 1] != '-' && !strstr(label, "--"))
        return NULL;
    return err_new(ERR_INPUT,
                   "%s '%s' is none that Linode takes: 3 to %zu characters, the first a letter, "
                   "no '-' at the end and no two in a row",
                   what, label, max);
}

/* ---- reading a server ---- */

static enum server_status read_status(const char *word)
{
    static const struct {
        const char *word;
        enum server_status status;
    } words[] = {
        {"provisioning", SERVER_PENDING},
        {"booting", SERVER_PENDING},
        {"rebooting", SERVER_PENDING},
        {"busy", SERVER_PENDING},
        {"shutting_down", SERVER_PENDING},
        {"migrating", SERVER_PENDING},
        {"rebuilding", SERVER_PENDING},
        {"cloning", SERVER_PENDING},
        {"restoring", SERVER_PENDING},
        {"resizing", SERVER_PENDING},
        {"running", SERVER_RUNNING},
        {"offline", SERVER_OFF},
        {"stopped", SERVER_OFF}, /* in Linode's maintenance */
        {"billing_suspension", SERVER_OFF},
        {"deleting", SERVER_DELETING},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return SERVER_STATUS_UNKNOWN;
}

/* 192.168.128.0/17 is what Linode's private addresses are from. */
static bool is_public(const char *address)
{
    struct in_addr ip;
    return inet_pton(AF_INET, address, &ip) == 1 && (ntohl(ip.s_addr) & 0xffff8000) != 0xc0a88000;
}

/* Public address number `wanted` (from 0) of a server; NULL when it has fewer. They stand mixed with private
 * ones. */
static const char *public_address(const json_t *server, size_t wanted)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(decode_find(server, "ipv4"), i, item)
    {
        const char *address = json_string_value(item);
        if (address && is_public(address) && wanted-- == 0)
            return address;
    }
    return NULL;
}

static struct err *read_server(struct arena *arena, const json_t *json, struct server *server)
{
    const char *status = NULL;
    const char *created = NULL;
    const char *ipv6 = NULL; /* "2001:db8::1/128" */
    *server = (struct server){.id = rest_id(arena, json, "id")};
    if (!server->id)
        return err_new(ERR_REJECTED, "answer lacks a server's 'id'");
    TRY(decode_string(json, "label", &server->name));
    TRY(decode_string(json, "status", &status));
    TRY(decode_string(json, "created", &created));
    TRY(decode_string(json, "region", &server->region));
    TRY(decode_optional_string(json, "type", "", &server->size)); /* null for some of a cluster's */
    TRY(decode_optional_string(json, "ipv6", NULL, &ipv6));
    TRY(clock_parse_utc(created, &server->created_ms));
    if (ipv6 && ipv6[0])
        server->ipv6 = arena_strndup(arena, ipv6, strcspn(ipv6, "/"));
    server->ipv4 = public_address(json, 0);
    server->status = read_status(status);
    spec_read_tags(arena, decode_find(json, "tags"), server);
    return NULL;
}

/* ---- account ---- */

/* Whether `scopes` ("linodes:read_write domains:read_only", "*") holds `area` with at least this right. */
static bool has_scope(struct arena *arena, const char *scopes, const char *area, bool write)
{
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(arena, scopes), " ,", &save); word;
         word = strtok_r(NULL, " ,", &save)) {
        size_t length = strlen(area);
        if (strcmp(word, "*") == 0)
            return true;
        if (strncmp(word, area, length) != 0 || word[length] != ':')
            continue;
        const char *right = word + length + 1;
        if (strcmp(right, "*") == 0 || strcmp(right, "read_write") == 0)
            return true;
        if (strcmp(right, "read_only") == 0 && !write)
            return true;
    }
    return false;
}

static void lack(struct arena *arena, struct account_state *state, const char *what)
{
    state->lacks = state->lacks ? arena_printf(arena, "%s, %s", state->lacks, what) : what;
}

/* Only what every recovery needs; what firewalls, addresses, volumes, databases and DNS want besides stands
 * in the documentation. */
static void read_rights(struct arena *arena, const struct rest_answer *profile, struct account_state *state)
{
    if (profile->scopes) {
        state->read_only = !has_scope(arena, profile->scopes, "linodes", true);
        if (state->read_only)
            lack(arena, state, "linodes:read_write");
        if (!has_scope(arena, profile->scopes, "images", false))
            lack(arena, state, "images:read_only");
    }
    if (json_is_true(decode_find(profile->body, "restricted")))
        lack(arena, state, "a user without restrictions (others cannot set tags)");
}

static struct err *linode_check(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                struct account_state *state)
{
    struct rest_call count = {.method = "GET",
                              .path = "/linode/instances?page_size=25", /* the least */
                              .path_template = "/linode/instances",
                              .is_list = true};
    struct rest_answer profile = {0};
    struct rest_answer answer = {0};
    int64_t servers = 0;
    *state = (struct account_state){.rate_remaining = -1, .server_limit = -1};
    TRY(get(ctx, provider, arena, "/profile", NULL, &profile));
    read_rights(arena, &profile, state);
    state->rate_remaining = profile.rate_remaining;
    if (profile.scopes && !has_scope(arena, profile.scopes, "linodes", false))
        return NULL; /* the list would be refused, and `lacks` says why */
    TRY(rest_send(ctx, provider->rest, arena, &count, &answer));
    TRY(decode_int(answer.body, "results", &servers));
    state->rate_remaining = answer.rate_remaining;
    state->server_count = (int)servers;
    return NULL;
}

/* ---- catalogue ---- */

struct place { /* a region, and what only the catalogue asks of it */
    const char *name;
    bool open;
    bool premium;
};

struct places {
    struct place *places;
    size_t count;
    const json_t *sold_out; /* rows {region, plan, available: false} */
};

static bool has_word(const json_t *array, const char *word)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(array, i, item)
    {
        const char *text = json_string_value(item);
        if (text && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

/* Without `Metadata` a server gets no user data, so such a region is of no use here; nor are the sites of the
 * distributed kind, which take other sizes and few images. */
static bool can_host(const json_t *region)
{
    const char *site = json_string_value(decode_find(region, "site_type"));
    const json_t *capabilities = decode_find(region, "capabilities");
    return has_word(capabilities, "Linodes") && has_word(capabilities, "Metadata") &&
           !(site && strcmp(site, "distributed") == 0);
}

static struct err *read_regions(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                struct catalog *catalog, struct places *places)
{
    json_t *regions = NULL;
    TRY(list(ctx, provider, arena, "/regions", NULL, NULL, &regions));
    catalog->regions = arena_array(arena, json_array_size(regions) + 1, sizeof(*catalog->regions));
    places->places = arena_array(arena, json_array_size(regions) + 1, sizeof(*places->places));
    size_t i = 0;
    const json_t *region = NULL;
    json_array_foreach(regions, i, region)
    {
        if (!can_host(region))
            continue;
        struct catalog_region *found = &catalog->regions[catalog->region_count++];
        struct place *place = &places->places[places->count++];
        const char *status = NULL;
        TRY(decode_string(region, "id", &found->name));
        TRY(decode_optional_string(region, "country", NULL, &found->country));
        TRY(decode_string(region, "status", &status));
        found->country = spec_country(arena, found->country);
        *place = (struct place){.name = found->name,
                                .open = strcmp(status, "ok") == 0, /* else "outage" */
                                .premium = has_word(decode_find(region, "capabilities"), "Premium Plans")};
    }
    return NULL;
}

static bool is_sold_out(const json_t *rows, const char *region, const char *size)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        const char *where = json_string_value(decode_find(row, "region"));
        const char *plan = json_string_value(decode_find(row, "plan"));
        if (where && plan && strcmp(where, region) == 0 && strcmp(plan, size) == 0)
            return json_is_false(decode_find(row, "available"));
    }
    return false; /* not listed: no proof of stock, but none of the contrary either */
}

/* Some regions have prices of their own. */
static void read_price(const json_t *type, struct size_offer *offer)
{
    const json_t *price = decode_find(type, "price");
    size_t i = 0;
    const json_t *other = NULL;
    json_array_foreach(decode_find(type, "region_prices"), i, other)
    {
        const char *region = json_string_value(decode_find(other, "id"));
        if (region && strcmp(region, offer->region) == 0)
            price = other;
    }
    offer->price_hourly = json_number_value(decode_find(price, "hourly"));
    offer->price_monthly = json_number_value(decode_find(price, "monthly"));
}

static struct err *read_size(struct arena *arena, const json_t *type, const char *class,
                             const struct places *places, struct server_size *size)
{
    int64_t cores = 0;
    bool premium = strcmp(class, "premium") == 0;
    TRY(decode_string(type, "id", &size->name));
    TRY(decode_int(type, "vcpus", &cores));
    size->architecture = "x86"; /* there is no other */
    size->cores = (int)cores;
    size->memory_gib = json_number_value(decode_find(type, "memory")) / 1024; /* both are in MB */
    size->disk_gib = json_number_value(decode_find(type, "disk")) / 1024;
    size->offers = arena_array(arena, places->count + 1, sizeof(*size->offers));
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->places[i];
        if (premium && !place->premium)
            continue;
        struct size_offer *offer = &size->offers[size->offer_count++];
        offer->region = place->name;
        offer->available = place->open && !is_sold_out(places->sold_out, place->name, size->name);
        read_price(type, offer);
    }
    return NULL;
}

static struct err *read_sizes(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const struct places *places, struct catalog *catalog)
{
    json_t *types = NULL;
    TRY(list(ctx, provider, arena, "/linode/types", NULL, NULL, &types));
    catalog->sizes = arena_array(arena, json_array_size(types) + 1, sizeof(*catalog->sizes));
    size_t i = 0;
    const json_t *type = NULL;
    json_array_foreach(types, i, type)
    {
        const char *class = NULL;
        TRY(decode_string(type, "class", &class));
        if (strcmp(class, "gpu") == 0 || strcmp(class, "accelerated") == 0)
            continue;
        TRY(read_size(arena, type, class, places, &catalog->sizes[catalog->size_count++]));
    }
    return NULL;
}

/* "linode/ubuntu24.04" -> "ubuntu-24.04"; others stay as they are. */
static const char *image_name(struct arena *arena, const char *id)
{
    static const char prefix[] = "linode/";
    if (strncmp(id, prefix, sizeof(prefix) - 1) != 0)
        return id;
    const char *rest = id + sizeof(prefix) - 1;
    size_t letters = strspn(rest, "abcdefghijklmnopqrstuvwxyz");
    const char *version = rest + letters;
    if (!letters || !*version || strspn(version, "0123456789.") != strlen(version))
        return id;
    return arena_printf(arena, "%.*s-%s", (int)letters, rest, version);
}

static const char *image_id(struct arena *arena, const char *image)
{
    const char *distribution = NULL;
    const char *version = NULL;
    if (spec_image_snapshot(image))
        return spec_image_snapshot(image);
    if (spec_image(arena, image, &distribution, &version))
        return arena_printf(arena, "linode/%s%s", distribution, version);
    return image;
}

/* Those that read user data. A deprecated one can still be used: a lost server may need it. */
static struct err *read_images(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               struct catalog *catalog)
{
    json_t *images = NULL;
    TRY(list(ctx, provider, arena, "/images", NULL, NULL, &images));
    catalog->images = arena_array(arena, json_array_size(images) + 1, sizeof(*catalog->images));
    size_t i = 0;
    const json_t *image = NULL;
    json_array_foreach(images, i, image)
    {
        const char *id = NULL;
        const char *status = NULL;
        TRY(decode_string(image, "id", &id));
        TRY(decode_optional_string(image, "status", "", &status));
        if (strcmp(status, "available") == 0 && has_word(decode_find(image, "capabilities"), "cloud-init"))
            catalog->images[catalog->image_count++] = image_name(arena, id);
    }
    return NULL;
}

static struct err *linode_catalog(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  struct catalog *catalog)
{
    struct places places = {0};
    json_t *sold_out = NULL;
    *catalog = (struct catalog){.currency = "USD"};
    TRY(read_regions(ctx, provider, arena, catalog, &places));
    TRY(list(ctx, provider, arena, "/regions/availability", NULL, json_pack("{s:b}", "available", 0),
             &sold_out));
    places.sold_out = sold_out;
    TRY(read_sizes(ctx, provider, arena, &places, catalog));
    return read_images(ctx, provider, arena, catalog);
}

/* ---- servers ---- */

static struct err *linode_server_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                      const struct label *label, struct server **servers, size_t *count)
{
    json_t *filter = NULL;
    json_t *found = NULL;
    if (label) {
        TRY(spec_check_name("label key", label->key));
        TRY(spec_check_name("label value", label->value));
        filter = json_pack("{s:s}", "tags", spec_tag(arena, label));
    }
    TRY(list(ctx, provider, arena, "/linode/instances", NULL, filter, &found));
    *servers = arena_array(arena, json_array_size(found) + 1, sizeof(**servers));
    *count = 0;
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(found, i, item)
    {
        struct server *server = &(*servers)[*count];
        TRY(read_server(arena, item, server));
        *count += !label || spec_has_label(server, label);
    }
    return NULL;
}

static struct err *linode_server_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                     const char *id, struct server *server)
{
    struct rest_answer answer = {0};
    TRY(get(ctx, provider, arena, "/linode/instances/{id}", id, &answer));
    return read_server(arena, answer.body, server);
}

static struct err *check_spec(struct arena *arena, const struct server_spec *spec)
{
    TRY(spec_check(spec, USER_DATA_MAX_BYTES));
    TRY(check_label("server name", spec->name, 63));
    for (size_t i = 0; i < spec->label_count; i++) {
        const char *tag = spec_tag(arena, &spec->labels[i]);
        if (strlen(tag) > TAG_MAX_CHARACTERS)
            return err_new(ERR_INPUT, "label '%s' has %zu characters, a tag at Linode has at most %d", tag,
                           strlen(tag), TAG_MAX_CHARACTERS);
    }
    return NULL;
}

/* Linode wants a root password for each server made from an image, since 2026 not always (linode_api4-python
 * #665); so each gets one that nobody knows. 256 random bits pass its unspecified strength check. */
static json_t *random_password(void)
{
    unsigned char bytes[32];
    hash_random(bytes, sizeof(bytes));
    CLEANUP_ARENA struct arena *scratch = arena_new(4096);
    char *text = hash_base64(scratch, bytes, sizeof(bytes));
    json_t *password = json_string(text);
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(text, strlen(text));
    return password;
}

/* Keys of an image's root go into the request as they are, one line each. */
static json_t *key_lines(const struct server_spec *spec)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < spec->ssh_key_count; i++)
        (void)json_array_append_new(
            lines, json_stringn(spec->ssh_key_ids[i], strcspn(spec->ssh_key_ids[i], "\r\n")));
    return lines;
}

static struct err *create_body(struct arena *arena, const struct server_spec *spec, json_t **body)
{
    *body = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:b}",       /* */
                      "label", spec->name, "type", spec->size,                    /* */
                      "region", spec->region,                                     /* */
                      "image", spec->image ? image_id(arena, spec->image) : NULL, /* */
                      "root_pass", random_password(), "authorized_keys", key_lines(spec), "tags",
                      spec_tags(arena, spec), "booted", 1, "backups_enabled", 0, "private_ip", 0);
    if (!*body)
        return err_new(ERR_INPUT, "server '%s': region, size or image is missing or not UTF-8", spec->name);
    if (!spec->user_data)
        return NULL;
    char *encoded = hash_base64(arena, spec->user_data, strlen(spec->user_data));
    (void)json_object_set_new(*body, "metadata", json_pack("{s:s}", "user_data", encoded));
    explicit_bzero(encoded, strlen(encoded));
    return NULL;
}

static struct err *linode_server_create(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const struct server_spec *spec, struct server *server,
                                        const char **op)
{
    *op = NULL;
    TRY(check_spec(arena, spec));
    CLEANUP_JSON json_t *body = NULL;
    TRY(create_body(arena, spec, &body));
    struct rest_call call = {.method = "POST", .path_template = "/linode/instances", .body = body};
    struct rest_answer answer = {0};
    struct err *e = change(ctx, provider, arena, &call, NULL, &answer);
    rest_wipe(body);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* the image, not the server */
        return err_with_kind(e, ERR_REJECTED);
    if (e)
        return e;
    return rest_answer_unreadable(&call, read_server(arena, answer.body, server));
}

/* Linode's shutdown asks the system to stop and pulls the plug when it does not; there is no other way to
 * switch off. */
static struct err *linode_server_power(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *id, enum server_power power, const char **op)
{
    static const char *const paths[] = {[POWER_ON] = "/linode/instances/{id}/boot",
                                        [POWER_OFF] = "/linode/instances/{id}/shutdown",
                                        [POWER_SHUTDOWN] = "/linode/instances/{id}/shutdown",
                                        [POWER_REBOOT] = "/linode/instances/{id}/reboot"};
    *op = NULL;
    return change_blindly(ctx, provider, arena, "POST", paths[power], id, NULL);
}

static struct err *linode_server_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *id, const char **op)
{
    *op = NULL;
    return change_blindly(ctx, provider, arena, "DELETE", "/linode/instances/{id}", id, NULL);
}

/* ---- keys ---- */

/* Nothing is registered: a create takes the key itself. */
static struct err *linode_key_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                     const char *name, const char *public_key, const char **key_id)
{
    (void)ctx, (void)provider, (void)name;
    *key_id = arena_strndup(arena, public_key, strcspn(public_key, "\r\n"));
    return NULL;
}

static struct err *linode_key_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                     const char *key_id)
{
    (void)ctx, (void)provider, (void)arena, (void)key_id;
    return NULL;
}

/* ---- firewalls ---- */

static const char *upper(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return copy;
}

/* The two families stand apart, and neither may be an empty list. */
static json_t *rule_addresses(const struct firewall_rule *rule)
{
    json_t *addresses = json_object();
    for (size_t i = 0; i < rule->source_count; i++) {
        const char *family = strchr(rule->sources[i], ':') ? "ipv6" : "ipv4";
        if (!json_object_get(addresses, family))
            (void)json_object_set_new(addresses, family, json_array());
        (void)json_array_append_new(json_object_get(addresses, family), json_string(rule->sources[i]));
    }
    return addresses;
}

static json_t *rule_json(struct arena *arena, const struct firewall_rule *rule)
{
    json_t *json = json_pack("{s:s, s:s, s:o}", "action", "ACCEPT", "protocol", upper(arena, rule->protocol),
                             "addresses", rule_addresses(rule));
    if (!rule->port_from)
        return json;
    const char *ports = rule->port_to > rule->port_from
                            ? arena_printf(arena, "%d-%d", rule->port_from, rule->port_to)
                            : arena_printf(arena, "%d", rule->port_from);
    (void)json_object_set_new(json, "ports", json_string(ports));
    return json;
}

static struct err *rules_json(struct arena *arena, const struct firewall_spec *spec, json_t **rules_body)
{
    json_t *inbound = json_array();
    for (size_t i = 0; i < spec->rule_count; i++)
        (void)json_array_append_new(inbound, rule_json(arena, &spec->rules[i]));
    *rules_body = json_pack("{s:o, s:s, s:[], s:s}", "inbound", inbound, "inbound_policy", "DROP", "outbound",
                            "outbound_policy", "ACCEPT");
    return *rules_body ? NULL : err_new(ERR_INPUT, "firewall '%s' has a rule that is not UTF-8", spec->name);
}

/* The id of the thing of that label among `items`, NULL when there is none. */
static const char *find_label(struct arena *arena, const json_t *items, const char *label)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(items, i, item)
    {
        const char *text = json_string_value(decode_find(item, "label"));
        if (text && strcmp(text, label) == 0)
            return rest_id(arena, item, "id");
    }
    return NULL;
}

static struct err *read_id(struct arena *arena, const json_t *json, const char **id)
{
    *id = rest_id(arena, json, "id");
    return *id ? NULL : err_new(ERR_REJECTED, "answer lacks an 'id'");
}

static struct err *linode_firewall_ensure(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const struct firewall_spec *spec,
                                          const char **firewall_id)
{
    json_t *found = NULL;
    CLEANUP_JSON json_t *wanted = NULL;
    TRY(check_label("firewall name", spec->name, 32));
    TRY(rules_json(arena, spec, &wanted));
    TRY(list(ctx, provider, arena, "/networking/firewalls", NULL, json_pack("{s:s}", "label", spec->name),
             &found));
    *firewall_id = find_label(arena, found, spec->name);
    if (*firewall_id)
        return change_blindly(ctx, provider, arena, "PUT", "/networking/firewalls/{id}/rules", *firewall_id,
                              wanted);
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:O}", "label", spec->name, "rules", wanted);
    struct rest_call call = {.method = "POST", .path_template = "/networking/firewalls", .body = body};
    struct rest_answer answer = {0};
    TRY(change(ctx, provider, arena, &call, NULL, &answer));
    return rest_answer_unreadable(&call, read_id(arena, answer.body, firewall_id));
}

struct entity { /* what a firewall is put before */
    const char *type;
    int64_t id;
};

/* The server itself, or, for one with interfaces of the newer kind, its public interface. */
static struct err *find_entity(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const char *server_id, struct entity *entity)
{
    struct rest_answer server = {0};
    struct rest_answer interfaces = {0};
    const char *generation = NULL;
    *entity = (struct entity){.type = "linode"};
    TRY(read_number("server", server_id, &entity->id));
    TRY(get(ctx, provider, arena, "/linode/instances/{id}", server_id, &server));
    TRY(decode_optional_string(server.body, "interface_generation", "", &generation));
    if (strcmp(generation, "linode") != 0)
        return NULL;
    TRY(get(ctx, provider, arena, "/linode/instances/{id}/interfaces", server_id, &interfaces));
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(decode_find(interfaces.body, "interfaces"), i, item)
    {
        if (!json_is_object(decode_find(item, "public")))
            continue;
        entity->type = "interface";
        return decode_int(item, "id", &entity->id);
    }
    return err_new(ERR_REJECTED, "server '%s' has no public interface to put a firewall before", server_id);
}

static bool has_entity(const json_t *devices, const struct entity *entity)
{
    size_t i = 0;
    const json_t *device = NULL;
    json_array_foreach(devices, i, device)
    {
        const char *type = json_string_value(decode_find(device, "entity.type"));
        if (type && strcmp(type, entity->type) == 0 &&
            json_integer_value(decode_find(device, "entity.id")) == entity->id)
            return true;
    }
    return false;
}

static struct err *linode_firewall_attach(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const char *firewall_id, const char *server_id,
                                          const char **op)
{
    struct entity entity = {0};
    json_t *devices = NULL;
    *op = NULL;
    TRY(find_entity(ctx, provider, arena, server_id, &entity));
    TRY(list(ctx, provider, arena, "/networking/firewalls/{id}/devices", firewall_id, NULL, &devices));
    if (has_entity(devices, &entity))
        return NULL;
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:I}", "type", entity.type, "id", (json_int_t)entity.id);
    return change_blindly(ctx, provider, arena, "POST", "/networking/firewalls/{id}/devices", firewall_id,
                          body);
}

static struct err *linode_firewall_delete(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const char *firewall_id)
{
    return change_blindly(ctx, provider, arena, "DELETE", "/networking/firewalls/{id}", firewall_id, NULL);
}

static const struct firewall_ops firewall_ops = {
    .ensure = linode_firewall_ensure, .attach = linode_firewall_attach, .delete = linode_firewall_delete};

/* ---- addresses ---- */

/* There is no address that belongs to nobody: what can be moved are the public addresses of servers, and a
 * deleted server's are gone. */
static struct err *linode_ip_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  struct movable_ip **ips, size_t *count)
{
    json_t *servers = NULL;
    size_t most = 0;
    size_t i = 0;
    const json_t *server = NULL;
    TRY(list(ctx, provider, arena, "/linode/instances", NULL, NULL, &servers));
    json_array_foreach(servers, i, server) most += json_array_size(decode_find(server, "ipv4"));
    *ips = arena_array(arena, most + 1, sizeof(**ips));
    *count = 0;
    json_array_foreach(servers, i, server)
    {
        for (size_t k = 0; public_address(server, k); k++) {
            struct movable_ip *ip = &(*ips)[(*count)++];
            *ip = (struct movable_ip){.id = public_address(server, k),
                                      .address = public_address(server, k),
                                      .kind = "public IP",
                                      .server_id = rest_id(arena, server, "id"),
                                      .gives_up_own = true,
                                      .needs_configuration = true};
            TRY(decode_string(server, "region", &ip->region));
        }
    }
    return NULL;
}

struct holders { /* of a move */
    const json_t *now;
    const json_t *then;
};

static void find_holders(struct arena *arena, const json_t *servers, const struct movable_ip *ip,
                         const char *server_id, struct holders *holders)
{
    size_t i = 0;
    const json_t *server = NULL;
    json_array_foreach(servers, i, server)
    {
        const char *id = rest_id(arena, server, "id");
        if (has_word(decode_find(server, "ipv4"), ip->address))
            holders->now = server;
        if (id && strcmp(id, server_id) == 0)
            holders->then = server;
    }
}

static json_t *assignment(const char *address, const json_t *server)
{
    return json_pack("{s:s, s:O}", "address", address, "linode_id", decode_find(server, "id"));
}

/* Every server keeps at least one public IPv4 address, so one that has no other gets the taker's in return.
 */
static json_t *assignments(const struct movable_ip *ip, const struct holders *holders)
{
    const char *returned = public_address(holders->then, 0);
    json_t *list_of_two = json_array();
    (void)json_array_append_new(list_of_two, assignment(ip->address, holders->then));
    if (!public_address(holders->now, 1) && returned)
        (void)json_array_append_new(list_of_two, assignment(returned, holders->now));
    return list_of_two;
}

static struct err *linode_ip_move(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  const struct movable_ip *ip, const char *server_id, const char **op)
{
    struct holders holders = {0};
    json_t *servers = NULL;
    const char *region = NULL;
    const char *its_region = NULL;
    *op = NULL;
    TRY(list(ctx, provider, arena, "/linode/instances", NULL, NULL, &servers));
    find_holders(arena, servers, ip, server_id, &holders);
    if (!holders.then)
        return err_new(ERR_NOT_FOUND, "this account has no server '%s' to move '%s' to", server_id,
                       ip->address);
    if (!holders.now)
        return err_with_hint(err_new(ERR_NOT_FOUND, "no server of this account has '%s'", ip->address),
                             "an address at Linode goes with its server when that is deleted");
    if (holders.now == holders.then)
        return NULL;
    TRY(decode_string(holders.now, "region", &region));
    TRY(decode_string(holders.then, "region", &its_region));
    if (strcmp(region, its_region) != 0)
        return err_new(ERR_REJECTED, "'%s' stays in '%s', and server '%s' is in '%s'", ip->address, region,
                       server_id, its_region);
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:o}", "region", region, "assignments", assignments(ip, &holders));
    return change_blindly(ctx, provider, arena, "POST", "/networking/ips/assign", NULL, body);
}

static const struct ip_ops ip_ops = {.list = linode_ip_list, .move = linode_ip_move};

/* ---- snapshots: private images, which other regions can use too ---- */

static struct err *find_disk(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                             const char *server_id, int64_t *disk_id)
{
    json_t *disks = NULL;
    TRY(list(ctx, provider, arena, "/linode/instances/{id}/disks", server_id, NULL, &disks));
    size_t i = 0;
    const json_t *disk = NULL;
    json_array_foreach(disks, i, disk)
    {
        const char *filesystem = NULL;
        TRY(decode_optional_string(disk, "filesystem", "", &filesystem));
        if (strcmp(filesystem, "ext4") == 0) /* the other is for swap */
            return decode_int(disk, "id", disk_id);
    }
    return err_new(ERR_REJECTED, "server '%s' has no ext4 disk to make an image of", server_id);
}

static struct err *linode_snapshot_create(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const char *server_id, const char *name,
                                          const char **snapshot_id, const char **op)
{
    int64_t disk_id = 0;
    TRY(spec_check_name("snapshot name", name));
    TRY(find_disk(ctx, provider, arena, server_id, &disk_id));
    CLEANUP_JSON json_t *body = json_pack("{s:I, s:s, s:b}", "disk_id", (json_int_t)disk_id, "label", name,
                                          "cloud_init", 1); /* else a create from it takes no user data */
    struct rest_call call = {.method = "POST", .path_template = "/images", .body = body};
    struct rest_answer answer = {0};
    TRY(change(ctx, provider, arena, &call, NULL, &answer));
    TRY(rest_answer_unreadable(&call, read_id(arena, answer.body, snapshot_id)));
    *op = arena_printf(arena, "image:%s", *snapshot_id);
    return NULL;
}

static struct err *read_snapshot(struct arena *arena, const json_t *image, struct snapshot *snapshot)
{
    const char *created = NULL;
    const char *status = NULL;
    TRY(read_id(arena, image, &snapshot->id));
    TRY(decode_optional_string(image, "label", "", &snapshot->name));
    TRY(decode_string(image, "status", &status));
    TRY(decode_string(image, "created", &created));
    TRY(clock_parse_utc(created, &snapshot->created_ms));
    snapshot->ready = strcmp(status, "available") == 0;
    snapshot->size_gib = json_number_value(decode_find(image, "size")) / 1024; /* MB */
    return NULL;
}

static struct err *linode_snapshot_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        struct snapshot **snapshots, size_t *count)
{
    json_t *images = NULL;
    TRY(list(ctx, provider, arena, "/images", NULL, json_pack("{s:b}", "is_public", 0), &images));
    *snapshots = arena_array(arena, json_array_size(images) + 1, sizeof(**snapshots));
    *count = 0;
    size_t i = 0;
    const json_t *image = NULL;
    json_array_foreach(images, i, image)
    {
        if (!json_is_true(decode_find(image, "is_public")))
            TRY(read_snapshot(arena, image, &(*snapshots)[(*count)++]));
    }
    return NULL;
}

static struct err *linode_snapshot_delete(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const char *snapshot_id)
{
    return change_blindly(ctx, provider, arena, "DELETE", "/images/{id}", snapshot_id, NULL);
}

static const struct snapshot_ops snapshot_ops = {
    .create = linode_snapshot_create, .list = linode_snapshot_list, .delete = linode_snapshot_delete};

/* ---- volumes ---- */

static struct err *read_volume(struct arena *arena, const json_t *json, struct volume *volume)
{
    int64_t size_gib = 0;
    *volume = (struct volume){.server_id = rest_id(arena, json, "linode_id")};
    TRY(read_id(arena, json, &volume->id));
    TRY(decode_string(json, "label", &volume->name));
    TRY(decode_string(json, "region", &volume->region));
    TRY(decode_int(json, "size", &size_gib));
    if (volume->server_id)
        TRY(decode_string(json, "filesystem_path", &volume->device));
    volume->size_gib = (int)size_gib;
    return NULL;
}

static struct err *create_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct volume_spec *spec, struct volume *volume, const char **op)
{
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:s, s:i}", "label", spec->name, "region", spec->region, "size", spec->size_gib);
    if (!body)
        return err_new(ERR_INPUT, "volume '%s': its region is missing or not UTF-8", spec->name);
    struct rest_call call = {.method = "POST", .path_template = "/volumes", .body = body};
    struct rest_answer answer = {0};
    TRY(change(ctx, provider, arena, &call, NULL, &answer));
    TRY(rest_answer_unreadable(&call, read_volume(arena, answer.body, volume)));
    *op = arena_printf(arena, "volume:%s", volume->id);
    return NULL;
}

static struct err *linode_volume_ensure(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const struct volume_spec *spec, struct volume *volume,
                                        const char **op)
{
    json_t *found = NULL;
    *op = NULL;
    TRY(check_label("volume name", spec->name, 32));
    TRY(list(ctx, provider, arena, "/volumes", NULL, json_pack("{s:s}", "label", spec->name), &found));
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(found, i, item)
    {
        const char *status = NULL;
        TRY(decode_string(item, "status", &status));
        TRY(read_volume(arena, item, volume));
        if (strcmp(volume->name, spec->name) != 0 || strcmp(volume->region, spec->region) != 0)
            continue;
        if (strcmp(status, "active") != 0) /* a former call's, whose answer may have been lost */
            *op = arena_printf(arena, "volume:%s", volume->id);
        if (volume->size_gib == spec->size_gib)
            return NULL;
        return err_new(ERR_CONFLICT, "volume '%s' has %d GiB, %d are wanted: it is left as it is",
                       volume->name, volume->size_gib, spec->size_gib);
    }
    return create_volume(ctx, provider, arena, spec, volume, op);
}

static struct err *get_volume(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *volume_id, struct volume *volume)
{
    struct rest_answer answer = {0};
    TRY(get(ctx, provider, arena, "/volumes/{id}", volume_id, &answer));
    return read_volume(arena, answer.body, volume);
}

static struct err *linode_volume_attach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *volume_id, const char *server_id, const char **op)
{
    struct volume volume = {0};
    int64_t number = 0;
    *op = NULL;
    TRY(read_number("server", server_id, &number));
    TRY(get_volume(ctx, provider, arena, volume_id, &volume));
    if (volume.server_id && strcmp(volume.server_id, server_id) == 0)
        return NULL;
    if (volume.server_id)
        return err_new(ERR_CONFLICT, "volume '%s' is attached to the server '%s'", volume.name,
                       volume.server_id);
    CLEANUP_JSON json_t *body = json_pack("{s:I}", "linode_id", (json_int_t)number);
    TRY(change_blindly(ctx, provider, arena, "POST", "/volumes/{id}/attach", volume_id, body));
    *op = arena_printf(arena, "attached:%s:%s", volume_id, server_id);
    return NULL;
}

static struct err *linode_volume_detach(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *volume_id, const char **op)
{
    struct volume volume = {0};
    *op = NULL;
    TRY(get_volume(ctx, provider, arena, volume_id, &volume));
    if (!volume.server_id)
        return NULL;
    TRY(change_blindly(ctx, provider, arena, "POST", "/volumes/{id}/detach", volume_id, NULL));
    *op = arena_printf(arena, "attached:%s:", volume_id);
    return NULL;
}

static struct err *linode_volume_delete(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        const char *volume_id)
{
    return change_blindly(ctx, provider, arena, "DELETE", "/volumes/{id}", volume_id, NULL);
}

static const struct volume_ops volume_ops = {.ensure = linode_volume_ensure,
                                             .attach = linode_volume_attach,
                                             .detach = linode_volume_detach,
                                             .delete = linode_volume_delete};

/* ---- operations ---- */

/* Image and volume are there when their status says so. */
static struct err *poll_status(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const char *path_template, const char *id, const char *wanted, bool *done)
{
    struct rest_answer answer = {0};
    const char *status = NULL;
    struct err *e = get(ctx, provider, arena, path_template, id, &answer);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* it was there: what was begun has failed */
        return err_with_kind(e, ERR_UNKNOWN_OUTCOME);
    if (e)
        return e;
    TRY(decode_string(answer.body, "status", &status));
    *done = strcmp(status, wanted) == 0;
    return NULL;
}

/* "VOLUME:SERVER", or "VOLUME:" for one that is to be attached nowhere. */
static struct err *poll_attached(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *what, bool *done)
{
    size_t length = strcspn(what, ":");
    const char *server_id = what[length] ? what + length + 1 : "";
    struct volume volume = {0};
    TRY(get_volume(ctx, provider, arena, arena_strndup(arena, what, length), &volume));
    *done = strcmp(volume.server_id ? volume.server_id : "", server_id) == 0;
    return NULL;
}

static struct err *linode_op_poll(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                  const char *op, bool *done)
{
    size_t length = strcspn(op, ":");
    const char *kind = arena_strndup(arena, op, length);
    const char *what = op[length] ? op + length + 1 : "";
    *done = false;
    if (strcmp(kind, "image") == 0)
        return poll_status(ctx, provider, arena, "/images/{id}", what, "available", done);
    if (strcmp(kind, "volume") == 0)
        return poll_status(ctx, provider, arena, "/volumes/{id}", what, "active", done);
    if (strcmp(kind, "attached") == 0)
        return poll_attached(ctx, provider, arena, what, done);
    return err_new(ERR_INTERNAL, "'%s' is no operation of Linode", op);
}

/* ---- managed PostgreSQL ---- */

static struct err *read_cluster(struct arena *arena, const json_t *json, struct database_cluster *cluster)
{
    const char *status = NULL;
    const char *version = NULL; /* "16.4" */
    const char *oldest = NULL;
    int64_t port = 0;
    *cluster =
        (struct database_cluster){.database = "defaultdb"}; /* no answer tells it; the platform's name */
    TRY(read_id(arena, json, &cluster->id));
    TRY(decode_string(json, "label", &cluster->name));
    TRY(decode_string(json, "region", &cluster->region));
    TRY(decode_string(json, "type", &cluster->size));
    TRY(decode_string(json, "status", &status));
    TRY(decode_optional_string(json, "version", NULL, &version));
    TRY(decode_optional_string(json, "hosts.primary", NULL, &cluster->host)); /* after it is provisioned */
    TRY(decode_optional_string(json, "oldest_restore_time", NULL, &oldest));
    TRY(decode_optional_int(json, "port", 0, &port));
    if (oldest && oldest[0])
        TRY(clock_parse_utc(oldest, &cluster->oldest_ms));
    if (version)
        cluster->version = arena_strndup(arena, version, strcspn(version, "."));
    cluster->port = (int)port;
    cluster->ready = strcmp(status, "active") == 0;
    cluster->failed = strcmp(status, "failed") == 0;
    return NULL;
}

static struct err *linode_database_list(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                        struct database_cluster **clusters, size_t *count)
{
    json_t *found = NULL;
    TRY(list(ctx, provider, arena, "/databases/postgresql/instances", NULL, NULL, &found));
    *count = json_array_size(found);
    *clusters = arena_array(arena, *count + 1, sizeof(**clusters));
    for (size_t i = 0; i < *count; i++)
        TRY(read_cluster(arena, json_array_get(found, i), &(*clusters)[i]));
    return NULL;
}

static struct err *read_credentials(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                    struct database_cluster *cluster)
{
    struct rest_answer answer = {0};
    struct secret *password = NULL;
    const char *text = NULL;
    TRY(get(ctx, provider, arena, "/databases/postgresql/instances/{id}/credentials", cluster->id, &answer));
    TRY(decode_string(answer.body, "username", &cluster->user));
    TRY(decode_string(answer.body, "password", &text));
    TRY(secret_new(text, strlen(text), &password));
    cluster->password = secret_keep(arena, password);
    return NULL;
}

static struct err *linode_database_get(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                       const char *cluster_id, struct database_cluster *cluster)
{
    struct rest_answer answer = {0};
    TRY(get(ctx, provider, arena, "/databases/postgresql/instances/{id}", cluster_id, &answer));
    TRY(read_cluster(arena, answer.body, cluster));
    return cluster->ready ? read_credentials(ctx, provider, arena, cluster) : NULL;
}

/* A fork has the data of its source; size, version and who may connect are told anew, and with an empty
 * allow_list nobody may. */
static struct err *restore_body(struct arena *arena, const struct database_restore *restore,
                                const json_t *source, json_t **body)
{
    const char *version = NULL;
    int64_t number = 0;
    char time[CLOCK_TEXT_SIZE];
    json_t *allowed = decode_find(source, "allow_list");
    TRY(read_number("database", restore->source_id, &number));
    TRY(decode_string(source, "version", &version));
    const char *engine = arena_printf(arena, "postgresql/%.*s", (int)strcspn(version, "."), version);
    *body = json_pack("{s:s, s:s, s:s, s:s, s:{s:I}}", "label", restore->name, "region", restore->region,
                      "type", restore->size, "engine", engine, "fork", "source", (json_int_t)number);
    if (!*body)
        return err_new(ERR_INPUT, "database '%s': region or size is missing or not UTF-8", restore->name);
    if (json_is_array(allowed))
        (void)json_object_set(*body, "allow_list", allowed);
    if (json_is_integer(decode_find(source, "cluster_size")))
        (void)json_object_set(*body, "cluster_size", decode_find(source, "cluster_size"));
    if (!restore->at_ms) /* the newest state */
        return NULL;
    (void)clock_format_utc(restore->at_ms, time);
    time[strcspn(time, "Z")] = '\0'; /* UTC without saying so, like all times here */
    (void)json_object_set_new(json_object_get(*body, "fork"), "restore_time", json_string(time));
    return NULL;
}

static struct err *linode_database_restore(const struct ctx *ctx, struct provider *provider,
                                           struct arena *arena, const struct database_restore *restore,
                                           struct database_cluster *cluster)
{
    struct rest_answer source = {0};
    CLEANUP_JSON json_t *body = NULL;
    TRY(check_label("database name", restore->name, 32));
    TRY(get(ctx, provider, arena, "/databases/postgresql/instances/{id}", restore->source_id, &source));
    TRY(restore_body(arena, restore, source.body, &body));
    struct rest_call call = {
        .method = "POST", .path_template = "/databases/postgresql/instances", .body = body};
    struct rest_answer answer = {0};
    TRY(change(ctx, provider, arena, &call, NULL, &answer));
    return rest_answer_unreadable(&call, read_cluster(arena, answer.body, cluster));
}

static struct err *linode_database_delete(const struct ctx *ctx, struct provider *provider,
                                          struct arena *arena, const char *cluster_id)
{
    return change_blindly(ctx, provider, arena, "DELETE", "/databases/postgresql/instances/{id}", cluster_id,
                          NULL);
}

static const struct database_ops database_ops = {.list = linode_database_list,
                                                 .get = linode_database_get,
                                                 .restore = linode_database_restore,
                                                 .delete = linode_database_delete};

const struct provider_ops provider_linode = {
    .type = "linode",
    .open = linode_open,
    .close = linode_close,
    .check = linode_check,
    .catalog = linode_catalog,
    .server_list = linode_server_list,
    .server_get = linode_server_get,
    .server_create = linode_server_create,
    .server_power = linode_server_power,
    .server_delete = linode_server_delete,
    .op_poll = linode_op_poll,
    .key_ensure = linode_key_ensure,
    .key_delete = linode_key_delete,
    .firewall = &firewall_ops,
    .ip = &ip_ops,
    .snapshot = &snapshot_ops,
    .volume = &volume_ops,
    .database = &database_ops,
};
