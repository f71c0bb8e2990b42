/* DNS zones of Linode, now Akamai Cloud (techdocs.akamai.com/linode-api; its published document 4.208.1 of
 * 2025-09): "domains", hosted by ns1 to ns5.linode.com.
 *
 * - The unit is the record. There is no conditional write, so between the read and the writes of
 * record_set_if lie some round trips in which somebody else's change would be lost.
 * - Names are relative to the zone, that of the zone itself is ""; targets are absolute, without a dot at the
 * end.
 * - TTLs are one of twelve values, any other becomes the nearest of them; 0 stands for the zone's, and a
 * zone's 0 for a whole day (acme.sh#2464).
 */
#include "base/decode.h"
#include "providers/dns/records.h"
#include "providers/rest/rest.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_DEFAULT_SECONDS 86400

static const int64_t ttls[] = {300,   3600,   7200,   14400,  28800,   57600,
                               86400, 172800, 345600, 604800, 1209600, 2419200};

#define TTL_COUNT (sizeof(ttls) / sizeof(ttls[0]))

static const struct rest_rule rules[] = {
    /* ERR_CONFLICT is kept for "not what the plan saw". These did not take effect, and trying again begins
     * with a fresh read, which finds such a conflict if there is one. */
    {400, NULL, "busy", ERR_TRANSIENT, NULL},
    {409, NULL, NULL, ERR_TRANSIENT, NULL},
    {423, NULL, NULL, ERR_TRANSIENT, NULL},
    {403, NULL, NULL, ERR_AUTH,
     "the API token lacks the scope domains:read_write, or its user a grant for this domain"},
};

/* techdocs.akamai.com/linode-api/reference/rate-limits (2026-09). */
static const struct rest_limit limits[] = {
    {.method = "GET", .lists_only = true, .count = 200, .window_ms = 60000},
    {.count = 1600, .window_ms = 60000},
};

static const struct rest_dialect dialect = {
    .provider = "linode",
    .endpoint = "https://api.linode.com/v4",
    .error_code = "errors.0.field",
    .error_message = "errors.0.reason",
    .error_detail = "errors",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .limits = limits,
    .limit_count = sizeof(limits) / sizeof(limits[0]),
    .page_parameter = "page",
    .page_size_parameter = "page_size",
    .page_size = 500,
    .paging = REST_PAGES_ARE_COUNTED,
    .next_page = "pages",
};

struct dns {
    struct rest *rest;
};

static struct err *linode_open(const struct account_options *options, struct dns **dns)
{
    struct rest *rest = NULL;
    TRY(rest_open(&dialect, options, &rest));
    *dns = rest_alloc(rest, sizeof(**dns));
    (*dns)->rest = rest;
    return NULL;
}

static void linode_close(struct dns *dns)
{
    if (dns)
        rest_close(dns->rest); /* and the handle with it */
}

/* All of a list; `filter` is taken over. */
static struct err *list(const struct ctx *ctx, struct dns *dns, struct arena *arena, const char *path,
                        const char *path_template, json_t *filter, json_t **items)
{
    CLEANUP_JSON json_t *owned = filter;
    if (!owned)
        return err_new(ERR_INPUT, "a name or type to look for is not UTF-8");
    struct rest_listing listing = {.path = path,
                                   .path_template = path_template,
                                   .items = "data",
                                   .header = {"X-Filter", decode_dump(arena, owned)}};
    return rest_list(ctx, dns->rest, arena, &listing, items);
}

/* ---- zones ---- */

/* {"+or": [{"domain": "www.shop.example.com"}, {"domain": "shop.example.com"}, ...]}: an account may have
 * thousands of zones. */
static json_t *name_and_parents(struct arena *arena, const char *name)
{
    json_t *any = json_array();
    for (const char *part = dns_without_dot(arena, name); part && strchr(part, '.');
         part = strchr(part, '.') + 1)
        (void)json_array_append_new(any, json_pack("{s:s}", "domain", part));
    return json_pack("{s:o}", "+or", any);
}

/* A zone that is not served, or is a copy of another server's, is not the one to change. */
static struct err *check_zone(const json_t *domain, const struct dns_zone *zone)
{
    const char *status = NULL;
    const char *type = NULL;
    TRY(decode_optional_string(domain, "status", "active", &status));
    TRY(decode_optional_string(domain, "type", "master", &type));
    if (strcmp(status, "active") != 0)
        return err_with_hint(err_new(ERR_REJECTED, "the zone '%s' is '%s'", zone->name, status),
                             "Linode serves a domain only while its status is 'active': change that there");
    if (strcmp(type, "slave") == 0)
        return err_with_hint(err_new(ERR_REJECTED, "the zone '%s' is a copy", zone->name),
                             "a secondary zone is changed at its primary server");
    return NULL;
}

static struct err *linode_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                    const char *name, struct dns_zone *zone)
{
    json_t *domains = NULL;
    const json_t *best = NULL;
    *zone = (struct dns_zone){0};
    TRY(list(ctx, dns, arena, "/domains", "/domains", name_and_parents(arena, name), &domains));
    size_t i = 0;
    const json_t *domain = NULL;
    json_array_foreach(domains, i, domain)
    {
        const char *zone_name = NULL;
        TRY(decode_string(domain, "domain", &zone_name));
        if (!dns_name_within(name, zone_name) || (best && strlen(zone_name) <= strlen(zone->name)))
            continue;
        best = domain;
        zone->name = zone_name;
        zone->id = rest_id(arena, domain, "id");
        TRY(decode_optional_int(domain, "ttl_sec", 0, &zone->default_ttl_seconds));
    }
    if (!zone->id)
        return err_with_hint(err_new(ERR_NOT_FOUND, "no zone of this account holds '%s'", name),
                             "is it in another account, or does the token's user lack a grant for it?");
    if (!zone->default_ttl_seconds)
        zone->default_ttl_seconds = TTL_DEFAULT_SECONDS;
    return check_zone(best, zone);
}

/* ---- records ---- */

/* What the service makes of a TTL: the nearest that it has, of two as near the shorter. So what is sent is
 * what is found afterwards. */
static int64_t nearest_ttl(int64_t wanted_seconds)
{
    int64_t best = ttls[0];
    for (size_t i = 1; i < TTL_COUNT; i++)
        if (llabs(ttls[i] - wanted_seconds) < llabs(best - wanted_seconds))
            best = ttls[i];
    return best;
}

/* A record's name is a host ("www") or, as it may have been written, fully qualified. */
static const char *absolute_name(struct arena *arena, const struct dns_zone *zone, const char *name)
{
    return dns_name_within(name, zone->name) ? dns_without_dot(arena, name)
                                             : dns_absolute_name(arena, zone->name, name);
}

static struct err *read_record(struct arena *arena, const struct dns_zone *zone, const char *type,
                               const json_t *json, struct dns_record *record)
{
    record->id = rest_id(arena, json, "id");
    if (!record->id)
        return err_new(ERR_REJECTED, "answer lacks a record's 'id'");
    TRY(decode_string(json, "target", &record->value));
    TRY(decode_optional_int(json, "ttl_sec", 0, &record->ttl_seconds));
    if (dns_type_holds_names(type))
        record->value = dns_without_dot(arena, record->value);
    if (!record->ttl_seconds)
        record->ttl_seconds = zone->default_ttl_seconds;
    return NULL;
}

/* Asked for by type and compared by name here: one missed because its name is written in the other form would
 * stay beside the new one and keep sending visitors to a lost server. */
static struct err *list_records(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                struct dns_record **records, size_t *count)
{
    json_t *found = NULL;
    const char *wanted = dns_without_dot(arena, name);
    const char *path = arena_printf(arena, "/domains/%s/records", rest_encode(arena, zone->id));
    TRY(list(ctx, dns, arena, path, "/domains/{id}/records", json_pack("{s:s}", "type", type), &found));
    *records = arena_array(arena, json_array_size(found) + 1, sizeof(**records));
    *count = 0;
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(found, i, item)
    {
        const char *its_type = NULL;
        const char *its_name = NULL;
        TRY(decode_string(item, "type", &its_type));
        TRY(decode_optional_string(item, "name", "", &its_name));
        if (strcmp(its_type, type) == 0 && strcasecmp(absolute_name(arena, zone, its_name), wanted) == 0)
            TRY(read_record(arena, zone, type, item, &(*records)[(*count)++]));
    }
    return NULL;
}

/* The rest (MX, SRV, CAA) has parts in fields of their own, which a plain value does not tell. */
static bool can_write(const char *type)
{
    static const char *const types[] = {"A", "AAAA", "CNAME", "NS", "TXT"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

static struct err *send(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                        const struct rest_call *call)
{
    struct rest_answer answer = {0};
    return rest_send(ctx, dns->rest, arena, call, &answer);
}

static struct err *create_record(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                 const struct dns_zone *zone, const char *name, const char *type,
                                 const struct dns_record *record)
{
    const char *relative = NULL;
    TRY(dns_relative_name(arena, zone->name, name, "", &relative));
    CLEANUP_JSON json_t *body = json_pack("{s:s, s:s, s:I}", "type", type, "target", record->value, "ttl_sec",
                                          (json_int_t)record->ttl_seconds);
    if (!body)
        return err_new(ERR_INPUT, "the value of '%s' %s is not UTF-8", name, type);
    if (relative[0]) /* the document has names of one character at least: none is the zone's own */
        (void)json_object_set_new(body, "name", json_string(relative));
    struct rest_call call = {.method = "POST",
                             .path = arena_printf(arena, "/domains/%s/records", rest_encode(arena, zone->id)),
                             .path_template = "/domains/{id}/records",
                             .body = body};
    return send(ctx, dns, arena, &call);
}

static struct err *write_record(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                const struct dns_zone *zone, const char *name, const char *type,
                                const struct dns_record *record)
{
    if (!can_write(type))
        return err_new(ERR_INPUT, "'%s' %s: records of this type are not written at Linode", name, type);
    if (!record->id)
        return create_record(ctx, dns, arena, zone, name, type, record);
    struct rest_call call = {.method = "DELETE",
                             .path =
                                 arena_printf(arena, "/domains/%s/records/%s", rest_encode(arena, zone->id),
                                              rest_encode(arena, record->id)),
                             .path_template = "/domains/{id}/records/{record}"};
    if (!record->value)
        return send(ctx, dns, arena, &call);
    CLEANUP_JSON json_t *body = json_pack("{s:s}", "target", record->value);
    if (!body)
        return err_new(ERR_INPUT, "the value of '%s' %s is not UTF-8", name, type);
    if (record->ttl_seconds) /* else it keeps its own */
        (void)json_object_set_new(body, "ttl_sec", json_integer(record->ttl_seconds));
    call.method = "PUT"; /* which leaves alone what it does not name */
    call.body = body;
    return send(ctx, dns, arena, &call);
}

static const struct dns_record_service service = {
    .list = list_records, .write = write_record, .ttl = nearest_ttl};

static struct err *linode_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                     const struct dns_zone *zone, const char *name, const char *type,
                                     struct dns_record_set *set)
{
    return dns_records_get(&service, ctx, dns, arena, zone, name, type, set);
}

static struct err *linode_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                        const struct dns_zone *zone, const struct dns_record_set *expected,
                                        const struct dns_record_set *wanted, const char **op)
{
    *op = NULL;
    return dns_records_set_if(&service, ctx, dns, arena, zone, expected, wanted);
}

/* ---- the zone's servers ---- */

/* "@    NS  ns1.linode.com." -> "ns1.linode.com"; NULL for any other line. */
static const char *read_ns_line(struct arena *arena, const char *line)
{
    char *save = NULL;
    char *copy = arena_strdup(arena, line);
    const char *name = strtok_r(copy, " \t", &save);
    const char *word = name && strcmp(name, "@") == 0 ? strtok_r(NULL, " \t", &save) : NULL;
    while (word && (strcmp(word, "IN") == 0 || strspn(word, "0123456789") == strlen(word)))
        word = strtok_r(NULL, " \t", &save);
    const char *target = word && strcmp(word, "NS") == 0 ? strtok_r(NULL, " \t", &save) : NULL;
    return target ? dns_without_dot(arena, target) : NULL;
}

/* What the document's example has, for a zone that has not been rendered yet. */
static const char *const usual_servers[] = {"ns1.linode.com", "ns2.linode.com", "ns3.linode.com",
                                            "ns4.linode.com", "ns5.linode.com"};

#define USUAL_COUNT (sizeof(usual_servers) / sizeof(usual_servers[0]))

static struct err *linode_authoritative_servers(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                                const struct dns_zone *zone, const char ***names,
                                                size_t *count)
{
    struct rest_call call = {.method = "GET",
                             .path =
                                 arena_printf(arena, "/domains/%s/zone-file", rest_encode(arena, zone->id)),
                             .path_template = "/domains/{id}/zone-file"};
    struct rest_answer answer = {0};
    const json_t *lines = NULL;
    TRY(rest_send(ctx, dns->rest, arena, &call, &answer));
    TRY(decode_array(answer.body, "zone_file", &lines));
    *names = arena_array(arena, json_array_size(lines) + USUAL_COUNT, sizeof(**names));
    *count = 0;
    size_t i = 0;
    const json_t *line = NULL;
    json_array_foreach(lines, i, line)
    {
        const char *text = NULL;
        TRY(decode_string(line, "", &text));
        const char *name = read_ns_line(arena, text);
        if (name)
            (*names)[(*count)++] = name;
    }
    bool rendered = *count > 0;
    for (size_t k = 0; !rendered && k < USUAL_COUNT; k++)
        (*names)[(*count)++] = usual_servers[k];
    return NULL;
}

const struct dns_ops dns_linode = {
    .type = "linode",
    .ttl_min_seconds = 300,
    .open = linode_open,
    .close = linode_close,
    .zone_find = linode_zone_find,
    .record_get = linode_record_get,
    .record_set_if = linode_record_set_if,
    .authoritative_servers = linode_authoritative_servers,
};
