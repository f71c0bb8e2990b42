// DNS: zones and rrsets.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"
#include "dns.h"

enum { RECORDS_MAX = 50, TTL_MIN = 60, TTL_MAX = 2147483647, RRSETS_PER_PAGE = 100 };

static json_t *zone_json(const struct zone *zone)
{
    json_t *assigned = json_array();
    int records = 0;

    for (size_t i = 0; dns_nameservers[i]; i++)
        json_array_append_new(assigned, json_string(dns_nameservers[i]));
    for (size_t i = 0; i < zone->rrsets.count; i++)
        records += (int)json_array_size(((const struct rrset *)zone->rrsets.items[i])->records);
    return json_pack("{s:I, s:s, s:s, s:o, s:O, s:{s:b}, s:i, s:s, s:i, s:{s:o, s:[], s:n, s:s}, s:s}", "id",
                     (json_int_t)zone->id, "name", zone->name, "mode", "primary", "created",
                     hz_time(zone->created), "labels", zone->labels, "protection", "delete", 0, "ttl",
                     zone->ttl, "status", "ok", "record_count", records, "authoritative_nameservers",
                     "assigned", assigned, "delegated", "delegation_last_check", "delegation_status",
                     "unknown", "registrar", "other");
}

static json_t *rrset_json(const struct zone *zone, const struct rrset *rrset)
{
    char *id = text_format("%s/%s", rrset->name, rrset->type);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:o, s:O, s:{s:b}, s:O, s:I}", "id", id, "name", rrset->name, "type", rrset->type,
        "ttl", rrset->ttl < 0 ? json_null() : json_integer(rrset->ttl), "labels", rrset->labels, "protection",
        "change", 0, "records", rrset->records, "zone", (json_int_t)zone->id);
    free(id);
    return json;
}

static struct zone *find_zone(const struct request *request, struct response *response,
                              const char *id_or_name)
{
    struct zone *zone = zone_find(request->cloud, id_or_name);

    if (!zone)
        hz_not_found(response, "zone", id_or_name);
    return zone;
}

static struct rrset *find_rrset(struct zone *zone, struct response *response, const char *name,
                                const char *type)
{
    struct rrset *rrset = rrset_find(zone, name, type);

    if (!rrset)
        hz_error(response, 404, "not_found", "rrset '%s/%s' not found", name, type);
    return rrset;
}

static void list_zones(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    if (request_query_has(request, "mode", "primary"))
        for (size_t i = 0; i < request->cloud->zones.count; i++)
            json_array_append_new(list, zone_json(request->cloud->zones.items[i]));
    hz_list(request, response, "zones", list, 50);
}

// Lower case, at least two labels, no dot at the end.
static bool zone_name_valid(const char *name)
{
    size_t label = 0, dots = 0;

    for (const char *p = name; *p; p++) {
        if (*p == '.') {
            if (label == 0)
                return false;
            dots++;
            label = 0;
        } else if (islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '-') {
            label++;
        } else {
            return false;
        }
    }
    return dots > 0 && label > 0 && strlen(name) <= 253;
}

// -1 for null or none (the zone's default), else 60 to 2^31-1. False: the response is a 422.
static bool read_ttl(const struct request *request, struct response *response, bool needed, int *ret)
{
    const json_t *ttl = json_object_get(request->body, "ttl");
    json_int_t value = json_integer_value(ttl);

    *ret = -1;
    if (json_is_null(ttl) || (!ttl && !needed))
        return true;
    if (!json_is_integer(ttl) || value < TTL_MIN || value > TTL_MAX) {
        hz_invalid(response, "ttl", "Must be between %d and %d.", TTL_MIN, TTL_MAX);
        return false;
    }
    *ret = (int)value;
    return true;
}

static bool text_is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

// What the provider refuses at once; the rest shows when the DNS server refuses it and the action ends in an
// error.
static bool value_valid(const char *type, const char *value)
{
    unsigned char address[16];
    size_t size = strlen(value);

    if (size == 0 || size > 4000 || !text_is_printable(value))
        return false;
    if (strcasecmp(type, "A") == 0)
        return inet_pton(AF_INET, value, address) == 1;
    if (strcasecmp(type, "AAAA") == 0)
        return inet_pton(AF_INET6, value, address) == 1;
    if (strcasecmp(type, "TXT") == 0)
        return size >= 2 && value[0] == '"' && value[size - 1] == '"';
    return true;
}

static bool records_valid(struct response *response, json_t *records, const char *type)
{
    json_t *record;
    size_t i;

    if (!json_is_array(records) || json_array_size(records) == 0 || json_array_size(records) > RECORDS_MAX) {
        hz_invalid(response, "records", "Length must be between 1 and %d.", RECORDS_MAX);
        return false;
    }
    json_array_foreach(records, i, record)
    {
        const char *value = json_string_value(json_object_get(record, "value"));
        if (!value || !value_valid(type, value)) {
            hz_invalid(response, "records", "record value '%s' is not valid for type %s", value ? value : "",
                       type);
            return false;
        }
    }
    return true;
}

static bool name_valid(const char *name)
{
    return *name && strlen(name) <= 200 && text_is_printable(name) && !strchr(name, ' ') &&
           !strchr(name, ';') && name[strlen(name) - 1] != '.';
}

static bool type_valid(const char *type)
{
    static const char *const known[] = {"A",  "AAAA", "CAA", "CNAME", "DS",   "HINFO", "HTTPS", "MX",
                                        "NS", "PTR",  "RP",  "SRV",   "SVCB", "TLSA",  "TXT"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(type, known[i]))
            return true;
    return false; // SOA cannot be made
}

// An alias stands alone at its name (RFC 1034, 3.6.2).
static bool alias_conflict(struct zone *zone, const char *name, const char *type)
{
    bool alias = strcasecmp(type, "CNAME") == 0;

    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *other = zone->rrsets.items[i];
        if (strcasecmp(other->name, name) == 0 && strcasecmp(other->type, type) != 0 &&
            (alias || strcasecmp(other->type, "CNAME") == 0))
            return true;
    }
    return false;
}

static void create_zone(const struct request *request, struct response *response, const char *const args[])
{
    json_t *labels = json_object_get(request->body, "labels"), *none = json_object();
    const char *name, *mode;
    struct action *action;
    int ttl;

    (void)args;
    if (!hz_text(request, response, "name", true, &name) ||
        !hz_text(request, response, "mode", true, &mode) || !hz_labels_valid(response, labels) ||
        !read_ttl(request, response, false, &ttl)) {
    } else if (!zone_name_valid(name)) {
        hz_invalid(response, "name", "Not a valid zone name.");
    } else if (!text_equal(mode, "primary")) {
        hz_invalid(response, "mode", "only primary zones are part of the local cloud");
    } else if (zone_find(request->cloud, name)) {
        hz_error(response, 409, "uniqueness_error", "zone name is already used");
    } else {
        struct zone *zone =
            zone_create(request->cloud, name, ttl < 0 ? 3600 : ttl, labels ? labels : none, &action);
        hz_ok(response, 201,
              json_pack("{s:o, s:o}", "zone", zone_json(zone), "action", hz_action_json(action)));
    }
    json_decref(none);
}

static void get_zone(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = find_zone(request, response, args[0]);

    if (zone)
        hz_ok(response, 200, json_pack("{s:o}", "zone", zone_json(zone)));
}

static void delete_zone(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);

    if (zone)
        hz_ok(response, 201, json_pack("{s:o}", "action", hz_action_json(zone_delete(request->cloud, zone))));
}

static void list_rrsets(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = find_zone(request, response, args[0]);
    json_t *list = json_array();

    if (!zone) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        if (request_query_has(request, "type", rrset->type))
            json_array_append_new(list, rrset_json(zone, rrset));
    }
    hz_list(request, response, "rrsets", list, RRSETS_PER_PAGE);
}

static void created_rrset(const struct request *request, struct response *response, struct zone *zone,
                          const char *name, const char *type, int ttl)
{
    json_t *labels = json_object_get(request->body, "labels");
    struct action *action = rrset_put(request->cloud, zone, name, type, ttl,
                                      json_object_get(request->body, "records"), "create_rrset");
    struct rrset *rrset = rrset_find(zone, name, type);

    if (labels) {
        json_decref(rrset->labels);
        rrset->labels = json_deep_copy(labels);
    }
    hz_ok(response, 201,
          json_pack("{s:o, s:o}", "rrset", rrset_json(zone, rrset), "action", hz_action_json(action)));
}

static void create_rrset(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    const char *name, *type;
    int ttl;

    if (!zone || !hz_text(request, response, "name", true, &name) ||
        !hz_text(request, response, "type", true, &type) ||
        !hz_labels_valid(response, json_object_get(request->body, "labels")) ||
        !read_ttl(request, response, false, &ttl) ||
        !records_valid(response, json_object_get(request->body, "records"), type))
        return;
    if (!name_valid(name))
        hz_invalid(response, "name", "Not a valid record name.");
    else if (!type_valid(type))
        hz_invalid(response, "type", "Not a valid record type.");
    else if (rrset_find(zone, name, type))
        hz_error(response, 409, "uniqueness_error", "rrset already exists");
    else if (alias_conflict(zone, name, type))
        hz_error(response, 422, "invalid_input", "a CNAME record cannot stand beside other records");
    else
        created_rrset(request, response, zone, name, type, ttl);
}

static void get_rrset(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    const struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;

    if (rrset)
        hz_ok(response, 200, json_pack("{s:o}", "rrset", rrset_json(zone, rrset)));
}

// Changes labels only.
static void update_rrset(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;
    json_t *labels = json_object_get(request->body, "labels");

    if (!rrset || !hz_labels_valid(response, labels))
        return;
    if (labels) {
        json_decref(rrset->labels);
        rrset->labels = json_deep_copy(labels);
    }
    hz_ok(response, 200, json_pack("{s:o}", "rrset", rrset_json(zone, rrset)));
}

static bool changeable(const struct rrset *rrset, struct response *response)
{
    if (rrset->fixed)
        hz_error(response, 422, "invalid_input", "the SOA record cannot be changed");
    return !rrset->fixed;
}

static void delete_rrset(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    const struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;

    if (!rrset || !changeable(rrset, response))
        return;
    json_t *none = json_array();
    struct action *action =
        rrset_put(request->cloud, zone, args[1], args[2], rrset->ttl, none, "delete_rrset");
    json_decref(none);
    hz_ok(response, 201, json_pack("{s:o}", "action", hz_action_json(action)));
}

static json_t *find_record(json_t *records, const json_t *wanted)
{
    const char *value = json_string_value(json_object_get(wanted, "value"));
    json_t *record;
    size_t i;

    json_array_foreach(records, i, record) if (text_equal(json_string_value(json_object_get(record, "value")),
                                                          value)) return record;
    return NULL;
}

static json_t *with_added(json_t *old, json_t *records)
{
    json_t *all = old ? json_deep_copy(old) : json_array(), *record;
    size_t i;

    json_array_foreach(records, i, record) if (!find_record(all, record)) json_array_append(all, record);
    return all;
}

static json_t *with_removed(json_t *old, json_t *records)
{
    json_t *rest = json_array(), *record;
    size_t i;

    json_array_foreach(old, i, record) if (!find_record(records, record)) json_array_append(rest, record);
    return rest;
}

static void put(const struct request *request, struct response *response, struct zone *zone,
                const char *const args[], int ttl, json_t *records, const char *command)
{
    struct action *action = rrset_put(request->cloud, zone, args[1], args[2], ttl, records, command);

    hz_ok(response, 201, json_pack("{s:o}", "action", hz_action_json(action)));
}

static void set_records(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;
    json_t *records = json_object_get(request->body, "records");

    if (rrset && changeable(rrset, response) && records_valid(response, records, rrset->type))
        put(request, response, zone, args, rrset->ttl, records, "set_rrset_records");
}

static void add_records(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset = zone ? rrset_find(zone, args[1], args[2]) : NULL;
    json_t *records = json_object_get(request->body, "records");
    int ttl;

    if (!zone || (rrset && !changeable(rrset, response)) || !read_ttl(request, response, false, &ttl) ||
        !records_valid(response, records, args[2]))
        return;
    if (rrset && ttl >= 0 && ttl != rrset->ttl) {
        hz_invalid(response, "ttl", "differs from the rrset's");
    } else if (!rrset &&
               (!name_valid(args[1]) || !type_valid(args[2]) || alias_conflict(zone, args[1], args[2]))) {
        hz_error(response, 422, "invalid_input", "the rrset cannot be made");
    } else {
        json_t *all = with_added(rrset ? rrset->records : NULL, records);
        put(request, response, zone, args, rrset ? rrset->ttl : ttl, all, "add_rrset_records");
        json_decref(all);
    }
}

static void remove_records(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;
    json_t *records = json_object_get(request->body, "records");

    if (!rrset || !changeable(rrset, response) || !records_valid(response, records, rrset->type))
        return;
    json_t *rest = with_removed(rrset->records, records);
    put(request, response, zone, args, rrset->ttl, rest, "remove_rrset_records");
    json_decref(rest);
}

static void change_ttl(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset = zone ? find_rrset(zone, response, args[1], args[2]) : NULL;
    int ttl;

    if (rrset && changeable(rrset, response) && read_ttl(request, response, true, &ttl))
        put(request, response, zone, args, ttl, rrset->records, "change_rrset_ttl");
}

const struct route hz_zone_routes[] = {
    {"GET", "zones", list_zones},
    {"POST", "zones", create_zone},
    {"GET", "zones/*", get_zone},
    {"DELETE", "zones/*", delete_zone},
    {"GET", "zones/*/rrsets", list_rrsets},
    {"POST", "zones/*/rrsets", create_rrset},
    {"GET", "zones/*/rrsets/*/*", get_rrset},
    {"PUT", "zones/*/rrsets/*/*", update_rrset},
    {"DELETE", "zones/*/rrsets/*/*", delete_rrset},
    {"POST", "zones/*/rrsets/*/*/actions/set_records", set_records},
    {"POST", "zones/*/rrsets/*/*/actions/add_records", add_records},
    {"POST", "zones/*/rrsets/*/*/actions/remove_records", remove_records},
    {"POST", "zones/*/rrsets/*/*/actions/change_ttl", change_ttl},
    {NULL, NULL, NULL},
};
