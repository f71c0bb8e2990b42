/* DNS zones of Cloudflare (developers.cloudflare.com/api, "DNS records"; facts named in place).
 *
 * - The unit is the record. Several changes of a set go as one batch, which is one database transaction: all
 * or none ("Batch record changes"; at most 200 records on the free plan). It runs deletes before patches
 * before posts. There is no conditional write, so between the read and the write lies one round trip in which
 * somebody else's change would be lost.
 * - A proxied record shows Cloudflare's addresses, never its own: a change is in force at once, its TTL is
 * always "auto". Whether a record is proxied is never changed; one that joins proxied ones is proxied too.
 * - TTL 1 is "auto", 300 s (octodns/octodns-cloudflare#76). The least is 60 s (30 on the Enterprise plan).
 * - Every answer is an envelope {success, errors[{code, message}], result}. The codes are numbers that no
 * document lists; the ones below have been seen by others.
 */
#include "base/decode.h"
#include "base/strbuf.h"
#include "providers/dns/records.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_AUTO 1
#define TTL_AUTO_SECONDS 300
#define TTL_MIN_SECONDS 60
#define TTL_MAX_SECONDS 86400

#define TOKEN_HINT                                                                                           \
    "create an API token with the permissions Zone:Read and DNS:Edit for this zone (not a global API key)"
#define RATE_HINT                                                                                            \
    "1200 requests in five minutes are allowed to all programs of this user together; then every call is "   \
    "blocked for five minutes"

static const struct rest_rule rules[] = {
    {0, "10000", NULL, ERR_AUTH, TOKEN_HINT}, /* favonia/cloudflare-ddns#897 */
    {0, "9109", NULL, ERR_AUTH, TOKEN_HINT},  /* octodns/octodns-cloudflare#60 */
    {0, "6003", NULL, ERR_AUTH, TOKEN_HINT},  /* "Invalid request headers": jeessy2/ddns-go#658 */
    {0, "1000", NULL, ERR_AUTH, TOKEN_HINT},  /* "Invalid API Token" */
    {0, "971", NULL, ERR_RATE_LIMIT, RATE_HINT},
    {429, NULL, NULL, ERR_RATE_LIMIT, RATE_HINT},
    /* The record that was read is gone, or what shall be made is there: trying again begins with a fresh
     * read, which finds a conflict if there is one. zanjie1999/cloudflare-api-v4-ddns#5,
     * certbot/certbot#10725. */
    {0, "81044", NULL, ERR_TRANSIENT, NULL},
    {0, "81057", NULL, ERR_TRANSIENT, NULL},
    {0, "81058", NULL, ERR_TRANSIENT, NULL},
    {0, "81053", NULL, ERR_REJECTED, "an A, AAAA or CNAME of this name is in the way"},
    {0, "81045", NULL, ERR_QUOTA, "the zone has as many records as its plan allows"},
    {0, "9021", NULL, ERR_REJECTED, "TTLs are 60 to 86400 s, and 'auto' where a record is proxied"},
};

/* developers.cloudflare.com/fundamentals/api/reference/limits */
static const struct rest_limit limits[] = {{.count = 1200, .window_ms = 300000}};

static const struct rest_dialect dialect = {
    .provider = "cloudflare",
    .endpoint = "https://api.cloudflare.com/client/v4",
    .request_id_header = "cf-ray",
    .error_code = "errors.0.code",
    .error_message = "errors.0.message",
    .error_detail = "errors.0.error_chain",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
    .page_parameter = "page",
    .page_size_parameter = "per_page",
    .page_size = 50,
    .paging = REST_PAGES_ARE_COUNTED,
    .next_page = "result_info.total_pages",
};

struct dns {
    struct rest *rest;
};

static struct err *cloudflare_open(const struct account_options *options, struct dns **dns)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *dns = rest_alloc(rest, sizeof(**dns));
    (*dns)->rest = rest;
    return NULL;
}

static void cloudflare_close(struct dns *dns)
{
    if (dns)
        rest_close(dns->rest); /* and the handle with it */
}

/* ---- zones ---- */

static struct err *find_zone(const struct ctx *ctx, struct dns *dns, struct arena *arena, const char *name,
                             struct dns_zone *zone)
{
    json_t *zones = NULL;
    TRY(rest_list(ctx, dns->rest, arena,
                  &(struct rest_listing){"/zones", .items = "result",
                                         .query = arena_printf(arena, "name=%s", rest_encode(arena, name))},
                  &zones));
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(zones, i, found)
    {
        TRY(decode_string(found, "name", &zone->name));
        zone->id = rest_id(arena, found, "id");
        zone->default_ttl_seconds = TTL_AUTO_SECONDS;
        if (zone->id && strcasecmp(zone->name, name) == 0)
            return NULL;
        *zone = (struct dns_zone){0};
    }
    return NULL;
}

/* Zones are asked for by name, the longest first: an account may have thousands. */
static struct err *cloudflare_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                        const char *name, struct dns_zone *zone)
{
    const char *candidate = dns_without_dot(arena, name);
    *zone = (struct dns_zone){0};
    for (const char *dot; !zone->id && (dot = strchr(candidate, '.')); candidate = dot + 1)
        TRY(find_zone(ctx, dns, arena, candidate, zone));
    if (zone->id)
        return NULL;
    return err_with_hint(err_new(ERR_NOT_FOUND, "no zone of this account holds '%s'", name),
                         "does the token cover that zone? " TOKEN_HINT);
}

static struct err *cloudflare_authoritative_servers(const struct ctx *ctx, struct dns *dns,
                                                    struct arena *arena, const struct dns_zone *zone,
                                                    const char ***names, size_t *count)
{
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/zones/%s", rest_encode(arena, zone->id)),
                             .path_template = "/zones/{zone}"};
    struct rest_answer answer = {0};
    const json_t *servers = NULL;
    TRY(rest_send(ctx, dns->rest, arena, &call, &answer));
    TRY(decode_array(answer.body, "result.name_servers", &servers));
    *names = arena_array(arena, json_array_size(servers) + 1, sizeof(**names));
    *count = 0;
    size_t i = 0;
    const json_t *server = NULL;
    json_array_foreach(servers, i, server)
    {
        const char *text = NULL;
        TRY(decode_string(server, "", &text));
        (*names)[(*count)++] = dns_without_dot(arena, text);
    }
    return NULL;
}

/* ---- reading ---- */

static struct err *read_record(struct arena *arena, const char *type, const json_t *json,
                               struct dns_record *record)
{
    const char *content = NULL;
    int64_t ttl = 0;
    *record = (struct dns_record){.id = rest_id(arena, json, "id"),
                                  .proxied = json_is_true(json_object_get(json, "proxied"))};
    TRY(decode_string(json, "content", &content));
    TRY(decode_int(json, "ttl", &ttl));
    if (!record->id)
        return err_new(ERR_REJECTED, "a record of the answer has no id");
    if (strcmp(type, "TXT") == 0)
        record->value = dns_text_from_zone(arena, content);
    else
        record->value = dns_type_holds_names(type) ? dns_without_dot(arena, content) : content;
    if (!record->proxied)
        record->ttl_seconds = ttl == TTL_AUTO ? TTL_AUTO_SECONDS : ttl;
    return NULL;
}

static struct err *list_records(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                struct dns_record **records, size_t *count)
{
    const char *full_name = dns_without_dot(arena, name);
    const char *path = arena_printf(arena, "/zones/%s/dns_records", rest_encode(arena, zone->id));
    const char *query =
        arena_printf(arena, "name=%s&type=%s", rest_encode(arena, full_name), rest_encode(arena, type));
    json_t *found = NULL;
    TRY(rest_list(ctx, dns->rest, arena,
                  &(struct rest_listing){path, .path_template = "/zones/{zone}/dns_records", .query = query,
                                         .items = "result"},
                  &found));
    *records = arena_array(arena, json_array_size(found) + 1, sizeof(**records));
    *count = 0;
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(found, i, json)
    {
        const char *found_name = NULL;
        const char *found_type = NULL;
        TRY(decode_string(json, "name", &found_name));
        TRY(decode_string(json, "type", &found_type));
        if (strcasecmp(found_name, full_name) == 0 && strcmp(found_type, type) == 0)
            TRY(read_record(arena, type, json, &(*records)[(*count)++]));
    }
    return NULL;
}

/* ---- writing ---- */

static int64_t ttl_in_range(int64_t wanted_seconds)
{
    if (wanted_seconds < TTL_MIN_SECONDS)
        return TTL_MIN_SECONDS;
    return wanted_seconds < TTL_MAX_SECONDS ? wanted_seconds : TTL_MAX_SECONDS;
}

/* What is not sent stays as it is: the proxy of a record that is there, its comment, its tags. */
static json_t *record_json(struct arena *arena, const char *name, const char *type,
                           const struct dns_record *record)
{
    const char *content = strcmp(type, "TXT") == 0 ? dns_text_to_zone(arena, record->value)
                                                   : dns_without_dot(arena, record->value);
    int64_t ttl = record->proxied ? TTL_AUTO : ttl_in_range(record->ttl_seconds);
    json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "type", type, "name", dns_without_dot(arena, name),
                             "content", content, "ttl", (json_int_t)ttl);
    if (!record->id)
        (void)json_object_set_new(json, "proxied", json_boolean(record->proxied));
    return json;
}

/* An envelope can tell of a failure under any status. */
static struct err *send_write(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct rest_call *call)
{
    struct rest_answer answer = {0};
    TRY(rest_send(ctx, dns->rest, arena, call, &answer));
    if (json_is_true(decode_find(answer.body, "success")))
        return NULL;
    return rest_op_failed(dns->rest, call->path_template, rest_id(arena, answer.body, "errors.0.code"),
                          json_string_value(decode_find(answer.body, "errors.0.message")));
}

static struct err *write_record(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                const struct dns_record *record)
{
    CLEANUP_JSON json_t *body = record->value ? record_json(arena, name, type, record) : NULL;
    const char *all = arena_printf(arena, "/zones/%s/dns_records", rest_encode(arena, zone->id));
    struct rest_call call = {
        .method = "POST", .path = all, .path_template = "/zones/{zone}/dns_records", .body = body};
    if (record->id) {
        call.method = record->value ? "PATCH" : "DELETE";
        call.path = arena_printf(arena, "%s/%s", all, rest_encode(arena, record->id));
        call.path_template = "/zones/{zone}/dns_records/{record}";
    }
    return send_write(ctx, dns, arena, &call);
}

static const char *batch_list(const struct dns_record *record)
{
    if (!record->id)
        return "posts";
    return record->value ? "patches" : "deletes";
}

static struct err *write_batch(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                               const struct dns_zone *zone, const char *name, const char *type,
                               const struct dns_record *records, size_t count)
{
    CLEANUP_JSON json_t *body = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *json = records[i].value ? record_json(arena, name, type, &records[i]) : json_object();
        if (records[i].id)
            (void)json_object_set_new(json, "id", json_string(records[i].id));
        const char *list = batch_list(&records[i]);
        if (!json_object_get(body, list))
            (void)json_object_set_new(body, list, json_array());
        (void)json_array_append_new(json_object_get(body, list), json);
    }
    struct rest_call call = {
        .method = "POST",
        .path = arena_printf(arena, "/zones/%s/dns_records/batch", rest_encode(arena, zone->id)),
        .path_template = "/zones/{zone}/dns_records/batch",
        .body = body};
    return send_write(ctx, dns, arena, &call);
}

static const struct dns_record_service service = {
    .list = list_records,
    .write = write_record,
    .ttl = ttl_in_range,
    .write_all = write_batch,
};

static struct err *cloudflare_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                         const struct dns_zone *zone, const char *name, const char *type,
                                         struct dns_record_set *set)
{
    const char *relative = NULL;
    TRY(dns_relative_name(arena, zone->name, name, "@", &relative));
    return dns_records_get(&service, ctx, dns, arena, zone, name, type, set);
}

static struct err *cloudflare_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                            const struct dns_zone *zone,
                                            const struct dns_record_set *expected,
                                            const struct dns_record_set *wanted, const char **op)
{
    const char *relative = NULL;
    *op = NULL;
    TRY(dns_relative_name(arena, zone->name, wanted->name, "@", &relative));
    return dns_records_set_if(&service, ctx, dns, arena, zone, expected, wanted);
}

const struct dns_ops dns_cloudflare = {
    .type = "cloudflare",
    .ttl_min_seconds = TTL_MIN_SECONDS,
    .open = cloudflare_open,
    .close = cloudflare_close,
    .zone_find = cloudflare_zone_find,
    .record_get = cloudflare_record_get,
    .record_set_if = cloudflare_record_set_if,
    .authoritative_servers = cloudflare_authoritative_servers,
};
