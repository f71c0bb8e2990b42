/* DNS zones of Vultr (www.vultr.com/api; facts from its published openapi.json of 2026-05).
 *
 * - The unit is the record, and a zone's records come only all together: there is no filter by name or type.
 * - A zone's key is its name. Names of records are relative to it, the zone itself is "". One example of the
 *   document has an absolute name, so what lies in the zone already is read as such.
 * - Names in values are absolute, with or without a dot at the end. Texts stand in quotes.
 * - There is no conditional write, so between the read and the write of record_set_if lies one round trip in
 *   which somebody else's change would be lost.
 */
#include "base/decode.h"
#include "base/strbuf.h"
#include "providers/dns/records.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_MIN_SECONDS 120 /* not documented; the floor that public clients keep to */
#define TTL_DEFAULT_SECONDS 300

/* ERR_CONFLICT is kept for "not what the plan saw"; what is busy did not take effect. */
static const struct rest_rule rules[] = {
    {429, NULL, NULL, ERR_RATE_LIMIT, NULL},
    /* vultr/vultr-csi#97, vultr/terraform-provider-vultr#375 */
    {4, NULL, "unauthorized ip address", ERR_AUTH,
     "the account's API access control does not list this machine: add the address that the message names, "
     "and "
     "the machine's other one (IPv4 and IPv6), at my.vultr.com, Account, API"},
    {401, NULL, NULL, ERR_AUTH, "the API key is wrong or was regenerated: give the account a new one"},
    {409, NULL, NULL, ERR_TRANSIENT, NULL},
    {423, NULL, NULL, ERR_TRANSIENT, NULL},
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

struct dns {
    struct rest *rest;
};

static struct err *vultr_open(const struct account_options *options, struct dns **dns)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *dns = rest_alloc(rest, sizeof(**dns));
    (*dns)->rest = rest;
    return NULL;
}

static void vultr_close(struct dns *dns)
{
    if (dns)
        rest_close(dns->rest); /* and the handle with it */
}

/* ---- names and values ---- */

static const char *name_from_api(struct arena *arena, const struct dns_zone *zone, const char *name)
{
    return dns_name_within(name, zone->name) ? dns_without_dot(arena, name)
                                             : dns_absolute_name(arena, zone->name, name);
}

static const char *value_from_api(struct arena *arena, const char *type, const char *data)
{
    if (strcmp(type, "TXT") == 0)
        return dns_text_from_zone(arena, data);
    return dns_type_holds_names(type) ? dns_without_dot(arena, data) : data;
}

static const char *value_to_api(struct arena *arena, const char *type, const char *value)
{
    if (strcmp(type, "TXT") == 0)
        return dns_text_to_zone(arena, value);
    return dns_type_holds_names(type) ? dns_without_dot(arena, value) : value;
}

/* The least TTL counts where less is wanted: a flip must not fail for that. */
static int64_t ttl_of(int64_t wanted_seconds)
{
    return wanted_seconds < TTL_MIN_SECONDS ? TTL_MIN_SECONDS : wanted_seconds;
}

/* ---- reading ---- */

static struct err *vultr_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                   const char *name, struct dns_zone *zone)
{
    json_t *domains = NULL;
    TRY(rest_list(ctx, dns->rest, arena, &(struct rest_listing){.path = "/domains", .items = "domains"},
                  &domains));
    *zone = (struct dns_zone){.default_ttl_seconds = TTL_DEFAULT_SECONDS};
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(domains, i, found)
    {
        const char *domain = NULL;
        TRY(decode_string(found, "domain", &domain));
        if (dns_name_within(name, domain) && (!zone->name || strlen(domain) > strlen(zone->name)))
            zone->id = zone->name = domain;
    }
    if (zone->id)
        return NULL;
    return err_with_hint(err_new(ERR_NOT_FOUND, "no zone of this account holds '%s' (%zu zones seen)", name,
                                 json_array_size(domains)),
                         "is the zone in another Vultr account?");
}

static struct err *records_list(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                struct dns_record **records, size_t *count)
{
    struct rest_listing listing = {
        .path = arena_printf(arena, "/domains/%s/records", rest_encode(arena, zone->id)),
        .path_template = "/domains/{domain}/records",
        .items = "records"};
    const char *relative = NULL; /* checks that the name lies in the zone */
    json_t *found = NULL;
    TRY(dns_relative_name(arena, zone->name, name, "", &relative));
    const char *wanted = dns_absolute_name(arena, zone->name, relative);
    TRY(rest_list(ctx, dns->rest, arena, &listing, &found));
    *records = arena_array(arena, json_array_size(found) + 1, sizeof(**records));
    *count = 0;
    size_t i = 0;
    const json_t *json = NULL;
    json_array_foreach(found, i, json)
    {
        struct dns_record *record = &(*records)[*count];
        const char *its_name = NULL;
        const char *its_type = NULL;
        TRY(decode_string(json, "name", &its_name));
        TRY(decode_string(json, "type", &its_type));
        if (strcmp(its_type, type) != 0 || strcasecmp(name_from_api(arena, zone, its_name), wanted) != 0)
            continue;
        TRY(decode_string(json, "data", &record->value));
        TRY(decode_optional_int(json, "ttl", TTL_DEFAULT_SECONDS, &record->ttl_seconds));
        record->value = value_from_api(arena, type, record->value);
        record->id = rest_id(arena, json, "id");
        if (!record->id)
            return err_new(ERR_REJECTED, "answer lacks the 'id' of a record");
        (*count)++;
    }
    return NULL;
}

/* ---- writing ---- */

static struct err *record_write(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                const struct dns_record *record)
{
    const char *path = arena_printf(arena, "/domains/%s/records", rest_encode(arena, zone->id));
    const char *relative = NULL;
    CLEANUP_JSON json_t *body = NULL;
    TRY(dns_relative_name(arena, zone->name, name, "", &relative));
    if (record->value)
        body = json_pack("{s:s, s:I}", "data", value_to_api(arena, type, record->value), "ttl",
                         (json_int_t)ttl_of(record->ttl_seconds));
    if (record->value && !body)
        return err_new(ERR_INPUT, "the value of '%s' %s is not UTF-8", name, type);
    struct rest_call call = {
        .method = "PATCH", .path = path, .path_template = "/domains/{domain}/records/{record}", .body = body};
    if (record->id)
        call.path = arena_printf(arena, "%s/%s", path, rest_encode(arena, record->id));
    if (record->id && !record->value)
        call.method = "DELETE";
    if (!record->id) {
        call.method = "POST";
        call.path_template = "/domains/{domain}/records";
        (void)json_object_set_new(body, "name", json_string(relative));
        (void)json_object_set_new(body, "type", json_string(type));
    }
    struct rest_answer answer = {0};
    return rest_send(ctx, dns->rest, arena, &call, &answer);
}

static const struct dns_record_service service = {.list = records_list, .write = record_write, .ttl = ttl_of};

static struct err *vultr_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                    const struct dns_zone *zone, const char *name, const char *type,
                                    struct dns_record_set *set)
{
    return dns_records_get(&service, ctx, dns, arena, zone, name, type, set);
}

static struct err *vultr_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                       const struct dns_zone *zone, const struct dns_record_set *expected,
                                       const struct dns_record_set *wanted, const char **op)
{
    *op = NULL;
    return dns_records_set_if(&service, ctx, dns, arena, zone, expected, wanted);
}

/* The zone's own NS records; a zone without them has at least the primary of its SOA. */
static struct err *vultr_authoritative_servers(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                               const struct dns_zone *zone, const char ***names,
                                               size_t *count)
{
    struct dns_record_set set = {0};
    TRY(vultr_record_get(ctx, dns, arena, zone, zone->name, "NS", &set));
    *names = set.values;
    *count = set.count;
    if (set.count)
        return NULL;
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/domains/%s/soa", rest_encode(arena, zone->id)),
                             .path_template = "/domains/{domain}/soa"};
    struct rest_answer answer = {0};
    const char *primary = NULL;
    TRY(rest_send(ctx, dns->rest, arena, &call, &answer));
    TRY(decode_string(answer.body, "dns_soa.nsprimary", &primary));
    *names = arena_array(arena, 1, sizeof(**names));
    (*names)[(*count)++] = dns_without_dot(arena, primary);
    return NULL;
}

const struct dns_ops dns_vultr = {
    .type = "vultr",
    .ttl_min_seconds = TTL_MIN_SECONDS,
    .open = vultr_open,
    .close = vultr_close,
    .zone_find = vultr_zone_find,
    .record_get = vultr_record_get,
    .record_set_if = vultr_record_set_if,
    .authoritative_servers = vultr_authoritative_servers,
};
