/* DNS zones of Hetzner Cloud (docs.hetzner.cloud, published cloud.spec.json of 2026-08). The former service
 * at dns.hetzner.com has been shut down and is not spoken here.
 *
 * - The unit is the record set; `set_records` replaces all its values in one call. There is no conditional
 * write, so between the read and the write of record_set_if lies one round trip in which somebody else's
 * change would be lost.
 * - Names are relative to the zone ("www", "@"); values of CNAME are absolute with a dot at the end, or
 * relative.
 */
#include "base/decode.h"
#include "providers/dns/records.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_MIN_SECONDS 60

static const struct rest_rule rules[] = {
    {403, "resource_limit_exceeded", NULL, ERR_QUOTA, "ask Hetzner to raise the project's limit"},
    {401, "token_readonly", NULL, ERR_AUTH,
     "the API token is read-only: create one with read and write permission"},
    {403, "maintenance", NULL, ERR_TRANSIENT, "Hetzner has this part of its API under maintenance"},
    {422, "incorrect_zone_mode", NULL, ERR_REJECTED, "a secondary zone is changed at its primary server"},
    {423, "protected", NULL, ERR_REJECTED,
     "switch the change protection of the record set off in the console"},
    /* ERR_CONFLICT is kept for "not what the plan saw". These three did not take effect, and trying again
     * begins with a fresh read, which finds such a conflict if there is one. */
    {423, "locked", NULL, ERR_TRANSIENT, NULL},
    {409, "conflict", NULL, ERR_TRANSIENT, NULL},
    {409, "uniqueness_error", NULL, ERR_TRANSIENT, NULL},
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

struct dns {
    struct rest *rest;
};

static struct err *hetzner_open(const struct account_options *options, struct dns **dns)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *dns = rest_alloc(rest, sizeof(**dns));
    (*dns)->rest = rest;
    return NULL;
}

static void hetzner_close(struct dns *dns)
{
    if (dns)
        rest_close(dns->rest); /* and the handle with it */
}

/* ---- names ---- */

/* A value as the contract has it: names absolute, without the last dot. */
static const char *value_from_api(struct arena *arena, const struct dns_zone *zone, const char *type,
                                  const char *value)
{
    if (strcmp(type, "TXT") == 0)
        return dns_text_from_zone(arena, value);
    return dns_type_holds_names(type) ? dns_absolute_name(arena, zone->name, value) : value;
}

static const char *value_to_api(struct arena *arena, const char *type, const char *value)
{
    if (strcmp(type, "TXT") == 0)
        return dns_text_to_zone(arena, value);
    return dns_type_holds_names(type) ? arena_printf(arena, "%s.", dns_without_dot(arena, value)) : value;
}

/* ---- reading ---- */

static struct err *hetzner_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                     const char *name, struct dns_zone *zone)
{
    json_t *zones = NULL;
    TRY(rest_list(ctx, dns->rest, arena, &(struct rest_listing){"/zones", .items = "zones"}, &zones));
    *zone = (struct dns_zone){0};
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(zones, i, found)
    {
        const char *zone_name = NULL;
        TRY(decode_string(found, "name", &zone_name));
        if (!dns_name_within(name, zone_name) || (zone->name && strlen(zone_name) <= strlen(zone->name)))
            continue;
        zone->name = zone_name;
        zone->id = rest_id(arena, found, "id");
        TRY(decode_int(found, "ttl", &zone->default_ttl_seconds));
    }
    if (zone->id)
        return NULL;
    return err_with_hint(err_new(ERR_NOT_FOUND, "no zone of this account holds '%s' (%zu zones seen)", name,
                                 json_array_size(zones)),
                         "the token sees one Hetzner project only: is the zone in another one?");
}

static struct err *read_set(struct arena *arena, const struct dns_zone *zone, const json_t *json,
                            struct dns_record_set *set)
{
    const json_t *records = NULL;
    TRY(decode_optional_int(json, "ttl", zone->default_ttl_seconds, &set->ttl_seconds));
    TRY(decode_array(json, "records", &records));
    set->values = arena_array(arena, json_array_size(records) + 1, sizeof(*set->values));
    size_t i = 0;
    const json_t *record = NULL;
    json_array_foreach(records, i, record)
    {
        const char *value = NULL;
        TRY(decode_string(record, "value", &value));
        set->values[set->count++] = value_from_api(arena, zone, set->type, value);
    }
    dns_sort_values(set);
    return NULL;
}

/* A filtered list, because it tells "no such set" (empty) from "no such zone" (404). */
static struct err *hetzner_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                      const struct dns_zone *zone, const char *name, const char *type,
                                      struct dns_record_set *set)
{
    const char *relative = NULL;
    json_t *sets = NULL;
    TRY(dns_relative_name(arena, zone->name, name, "@", &relative));
    const char *path = arena_printf(arena, "/zones/%s/rrsets", rest_encode(arena, zone->id));
    const char *query =
        arena_printf(arena, "name=%s&type=%s", rest_encode(arena, relative), rest_encode(arena, type));
    TRY(rest_list(ctx, dns->rest, arena,
                  &(struct rest_listing){path, .path_template = "/zones/{zone}/rrsets", .query = query,
                                         .items = "rrsets"},
                  &sets));
    *set = (struct dns_record_set){.name = dns_without_dot(arena, name),
                                   .type = arena_strdup(arena, type),
                                   .ttl_seconds = zone->default_ttl_seconds};
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(sets, i, found)
    {
        const char *found_name = json_string_value(decode_find(found, "name"));
        const char *found_type = json_string_value(decode_find(found, "type"));
        if (found_name && found_type && strcmp(found_name, relative) == 0 && strcmp(found_type, type) == 0)
            return read_set(arena, zone, found, set);
    }
    return NULL;
}

/* ---- writing ---- */

/* One write to one record set. */
struct change {
    const struct dns_zone *zone;
    const char *set_path;      /* "/zones/1/rrsets/www/A" */
    const char *relative_name; /* "www" */
    const struct dns_record_set *wanted;
};

/* The least TTL of the service counts where less is wanted: a flip must not fail for that. */
static int64_t wanted_ttl(const struct dns_record_set *wanted)
{
    return wanted->ttl_seconds > 0 && wanted->ttl_seconds < TTL_MIN_SECONDS ? TTL_MIN_SECONDS
                                                                            : wanted->ttl_seconds;
}

static struct err *records_json(struct arena *arena, const struct dns_record_set *set, json_t **records)
{
    *records = json_array();
    for (size_t i = 0; i < set->count; i++)
        (void)json_array_append_new(
            *records, json_pack("{s:s}", "value", value_to_api(arena, set->type, set->values[i])));
    if (json_array_size(*records) == set->count)
        return NULL;
    return err_new(ERR_INPUT, "a value of '%s' %s is not UTF-8", set->name, set->type);
}

static struct err *send_write(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct rest_call *call, const char **op)
{
    struct rest_answer answer = {0};
    struct err *e = rest_send(ctx, dns->rest, arena, call, &answer);
    if (e && err_kind(e) == ERR_NOT_FOUND) /* gone since the read: the next one tells */
        return err_with_kind(e, ERR_TRANSIENT);
    TRY(e);
    return rest_answer_unreadable(call, rest_op_join(arena, answer.body, "action.id", op));
}

static struct err *create_set(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct change *change, const char **op)
{
    const struct dns_record_set *wanted = change->wanted;
    CLEANUP_JSON json_t *records = NULL;
    TRY(records_json(arena, wanted, &records));
    CLEANUP_JSON json_t *body =
        json_pack("{s:s, s:s, s:O}", "name", change->relative_name, "type", wanted->type, "records", records);
    if (body && wanted->ttl_seconds > 0)
        (void)json_object_set_new(body, "ttl", json_integer(wanted_ttl(wanted)));
    struct rest_call call = {
        .method = "POST",
        .path = arena_printf(arena, "/zones/%s/rrsets", rest_encode(arena, change->zone->id)),
        .path_template = "/zones/{zone}/rrsets",
        .body = body};
    return send_write(ctx, dns, arena, &call, op);
}

static struct err *delete_set(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct change *change, const char **op)
{
    struct rest_call call = {
        .method = "DELETE", .path = change->set_path, .path_template = "/zones/{zone}/rrsets/{name}/{type}"};
    return send_write(ctx, dns, arena, &call, op);
}

static struct err *set_records(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                               const struct change *change, const char **op)
{
    CLEANUP_JSON json_t *records = NULL;
    TRY(records_json(arena, change->wanted, &records));
    CLEANUP_JSON json_t *body = json_pack("{s:O}", "records", records);
    struct rest_call call = {.method = "POST",
                             .path = arena_printf(arena, "%s/actions/set_records", change->set_path),
                             .path_template = "/zones/{zone}/rrsets/{name}/{type}/actions/set_records",
                             .body = body};
    return send_write(ctx, dns, arena, &call, op);
}

static struct err *change_ttl(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct change *change, const char **op)
{
    CLEANUP_JSON json_t *body = json_pack("{s:I}", "ttl", (json_int_t)wanted_ttl(change->wanted));
    struct rest_call call = {.method = "POST",
                             .path = arena_printf(arena, "%s/actions/change_ttl", change->set_path),
                             .path_template = "/zones/{zone}/rrsets/{name}/{type}/actions/change_ttl",
                             .body = body};
    return send_write(ctx, dns, arena, &call, op);
}

/* What leads from `found` to what is wanted. Values go first: they are what the users wait for. */
static struct err *write_change(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_record_set *found, const struct change *change,
                                const char **op)
{
    bool same = dns_record_set_equal(found, change->wanted);
    if (change->wanted->count == 0)
        return same ? NULL : delete_set(ctx, dns, arena, change, op);
    if (found->count == 0)
        return create_set(ctx, dns, arena, change, op);
    if (!same)
        TRY(set_records(ctx, dns, arena, change, op));
    if (wanted_ttl(change->wanted) > 0 && wanted_ttl(change->wanted) != found->ttl_seconds)
        TRY(change_ttl(ctx, dns, arena, change, op));
    return NULL;
}

static struct err *hetzner_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                         const struct dns_zone *zone, const struct dns_record_set *expected,
                                         const struct dns_record_set *wanted, const char **op)
{
    struct change change = {.zone = zone, .wanted = wanted};
    struct dns_record_set found = {0};
    *op = NULL;
    TRY(dns_relative_name(arena, zone->name, wanted->name, "@", &change.relative_name));
    TRY(hetzner_record_get(ctx, dns, arena, zone, wanted->name, wanted->type, &found));
    TRY(dns_check_expected_whole(arena, &found, expected, wanted));
    change.set_path =
        arena_printf(arena, "/zones/%s/rrsets/%s/%s", rest_encode(arena, zone->id),
                     rest_encode(arena, change.relative_name), rest_encode(arena, wanted->type));
    return write_change(ctx, dns, arena, &found, &change, op);
}

static struct err *hetzner_op_poll(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                   const char *op, bool *done)
{
    return rest_op_poll(ctx, dns->rest, arena, op, done);
}

static struct err *hetzner_authoritative_servers(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                                 const struct dns_zone *zone, const char ***names,
                                                 size_t *count)
{
    struct rest_call call = {.method = "GET",
                             .path = arena_printf(arena, "/zones/%s", rest_encode(arena, zone->id)),
                             .path_template = "/zones/{zone}"};
    struct rest_answer answer = {0};
    const json_t *assigned = NULL;
    TRY(rest_send(ctx, dns->rest, arena, &call, &answer));
    TRY(decode_array(answer.body, "zone.authoritative_nameservers.assigned", &assigned));
    *names = arena_array(arena, json_array_size(assigned) + 1, sizeof(**names));
    *count = 0;
    size_t i = 0;
    const json_t *name = NULL;
    json_array_foreach(assigned, i, name)
    {
        const char *text = NULL;
        TRY(decode_string(name, "", &text));
        (*names)[(*count)++] = dns_without_dot(arena, text);
    }
    return NULL;
}

const struct dns_ops dns_hetzner = {
    .type = "hetzner",
    .ttl_min_seconds = TTL_MIN_SECONDS,
    .open = hetzner_open,
    .close = hetzner_close,
    .zone_find = hetzner_zone_find,
    .record_get = hetzner_record_get,
    .record_set_if = hetzner_record_set_if,
    .op_poll = hetzner_op_poll,
    .authoritative_servers = hetzner_authoritative_servers,
};
