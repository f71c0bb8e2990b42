/* DNS at DigitalOcean (docs.digitalocean.com; facts from its published OpenAPI document of 2026-08).
 *
 * - The unit is the record, known by a number. There is no conditional write, so between the read and the
 *   write of record_set_if lies one round trip in which somebody else's change would be lost.
 * - A list is filtered by the full name ("www.example.com"), and gives relative ones ("www", "@").
 * - Names as values are sent with a dot at the end, or refused; answers leave it out
 * (hashicorp/terraform#863), and "@" is the zone itself.
 * - A TTL below 30 s is refused (neatnik/omg.lol#37); the document does not tell.
 * - A change is in force when it is answered.
 */
#include "base/decode.h"
#include "providers/dns/records.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_MIN_SECONDS 30
#define TTL_DEFAULT_SECONDS 1800

static const struct rest_rule rules[] = {
    /* ERR_CONFLICT is kept for "not what the plan saw"; trying again begins with a fresh read. */
    {409, NULL, NULL, ERR_TRANSIENT, NULL},
    {412, NULL, NULL, ERR_TRANSIENT, NULL},
    {403, NULL, NULL, ERR_AUTH,
     "the API token lacks a scope: domain:read, domain:create, domain:update or domain:delete"},
};

/* Of a token (docs.digitalocean.com/reference/api, "Rate Limit"). */
static const struct rest_limit limits[] = {
    {.count = 250, .window_ms = 60000},
    {.count = 5000, .window_ms = 3600000},
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

struct dns {
    struct rest *rest;
};

static struct err *digitalocean_open(const struct account_options *options, struct dns **dns)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *dns = rest_alloc(rest, sizeof(**dns));
    (*dns)->rest = rest;
    return NULL;
}

static void digitalocean_close(struct dns *dns)
{
    if (dns)
        rest_close(dns->rest); /* and the handle with it */
}

/* A zone has no id but its name. */
static struct err *digitalocean_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                          const char *name, struct dns_zone *zone)
{
    json_t *zones = NULL;
    TRY(rest_list(ctx, dns->rest, arena, &(struct rest_listing){"/v2/domains", .items = "domains"}, &zones));
    *zone = (struct dns_zone){0};
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(zones, i, found)
    {
        const char *zone_name = NULL;
        TRY(decode_string(found, "name", &zone_name));
        if (!dns_name_within(name, zone_name) || (zone->name && strlen(zone_name) <= strlen(zone->name)))
            continue;
        zone->id = zone->name = zone_name;
        TRY(decode_optional_int(found, "ttl", TTL_DEFAULT_SECONDS, &zone->default_ttl_seconds));
    }
    if (zone->id)
        return NULL;
    return err_with_hint(err_new(ERR_NOT_FOUND, "no zone of this account holds '%s' (%zu zones seen)", name,
                                 json_array_size(zones)),
                         "the token sees the zones of one DigitalOcean team only: is it in another one?");
}

/* ---- the single record ---- */

static const char *value_from_api(struct arena *arena, const struct dns_zone *zone, const char *type,
                                  const char *data)
{
    if (!dns_type_holds_names(type))
        return data;
    return strcmp(data, "@") == 0 ? zone->name : dns_without_dot(arena, data);
}

static const char *value_to_api(struct arena *arena, const char *type, const char *value)
{
    return dns_type_holds_names(type) ? arena_printf(arena, "%s.", dns_without_dot(arena, value)) : value;
}

static struct err *read_record(struct arena *arena, const struct dns_zone *zone, const char *type,
                               const json_t *json, struct dns_record *record)
{
    const char *data = NULL;
    TRY(decode_string(json, "data", &data));
    TRY(decode_optional_int(json, "ttl", zone->default_ttl_seconds, &record->ttl_seconds));
    record->value = value_from_api(arena, zone, type, data);
    record->id = rest_id(arena, json, "id");
    return record->id ? NULL : err_new(ERR_REJECTED, "answer lacks a record's 'id'");
}

static struct err *list_records(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                struct dns_record **records, size_t *count)
{
    json_t *found = NULL;
    const char *full_name = dns_without_dot(arena, name);
    const char *path = arena_printf(arena, "/v2/domains/%s/records", rest_encode(arena, zone->id));
    const char *query =
        arena_printf(arena, "type=%s&name=%s", rest_encode(arena, type), rest_encode(arena, full_name));
    TRY(rest_list(ctx, dns->rest, arena,
                  &(struct rest_listing){path, .path_template = "/v2/domains/{zone}/records", .query = query,
                                         .items = "domain_records"},
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
        if (strcmp(found_type, type) == 0 &&
            strcasecmp(dns_absolute_name(arena, zone->name, found_name), full_name) == 0)
            TRY(read_record(arena, zone, type, json, &(*records)[(*count)++]));
    }
    return NULL;
}

/* A create says where the record goes; a change leaves it there, but repeats its type, as the document wants.
 */
static struct err *record_body(struct arena *arena, const struct dns_zone *zone, const char *name,
                               const char *type, const struct dns_record *record, json_t **body)
{
    const char *relative = NULL;
    if (!record->value)
        return NULL;
    if (!record->id)
        TRY(dns_relative_name(arena, zone->name, name, "@", &relative));
    *body = json_pack("{s:s, s:s, s:I, s:s*}", "type", type, "data", value_to_api(arena, type, record->value),
                      "ttl", (json_int_t)record->ttl_seconds, "name", relative);
    return *body ? NULL : err_new(ERR_INPUT, "the value of '%s' %s is not UTF-8", name, type);
}

static struct err *write_record(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                const struct dns_record *record)
{
    CLEANUP_JSON json_t *body = NULL;
    TRY(record_body(arena, zone, name, type, record, &body));
    const char *records = arena_printf(arena, "/v2/domains/%s/records", rest_encode(arena, zone->id));
    struct rest_call call = {
        .method = "POST", .path = records, .path_template = "/v2/domains/{zone}/records", .body = body};
    struct rest_answer answer = {0};
    if (record->id) {
        call.method = record->value ? "PATCH" : "DELETE";
        call.path = arena_printf(arena, "%s/%s", records, rest_encode(arena, record->id));
        call.path_template = "/v2/domains/{zone}/records/{record}";
    }
    return rest_send(ctx, dns->rest, arena, &call, &answer);
}

static int64_t possible_ttl(int64_t wanted_seconds)
{
    return wanted_seconds < TTL_MIN_SECONDS ? TTL_MIN_SECONDS : wanted_seconds;
}

static const struct dns_record_service service = {
    .list = list_records,
    .write = write_record,
    .ttl = possible_ttl,
};

/* ---- the contract ---- */

static struct err *digitalocean_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                           const struct dns_zone *zone, const char *name, const char *type,
                                           struct dns_record_set *set)
{
    return dns_records_get(&service, ctx, dns, arena, zone, name, type, set);
}

static struct err *digitalocean_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                              const struct dns_zone *zone,
                                              const struct dns_record_set *expected,
                                              const struct dns_record_set *wanted, const char **op)
{
    *op = NULL;
    return dns_records_set_if(&service, ctx, dns, arena, zone, expected, wanted);
}

/* The NS records of the zone itself: it is served by them once the registrar names them, too. */
static struct err *digitalocean_authoritative_servers(const struct ctx *ctx, struct dns *dns,
                                                      struct arena *arena, const struct dns_zone *zone,
                                                      const char ***names, size_t *count)
{
    struct dns_record_set set = {0};
    TRY(dns_records_get(&service, ctx, dns, arena, zone, zone->name, "NS", &set));
    *names = set.values;
    *count = set.count;
    return NULL;
}

const struct dns_ops dns_digitalocean = {
    .type = "digitalocean",
    .ttl_min_seconds = TTL_MIN_SECONDS,
    .open = digitalocean_open,
    .close = digitalocean_close,
    .zone_find = digitalocean_zone_find,
    .record_get = digitalocean_record_get,
    .record_set_if = digitalocean_record_set_if,
    .authoritative_servers = digitalocean_authoritative_servers,
};
