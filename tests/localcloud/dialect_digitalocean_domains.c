// /domains: zones by name, and their records one by one. The model's unit is the rrset, and so is the TTL
// that is served: the last one that was set in it.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"
#include "dns.h"

enum { TTL_DEFAULT = 1800 };

static char *full_name(const struct zone *zone, const char *name)
{
    return text_equal(name, "@") ? text_copy(zone->name) : text_format("%s.%s", name, zone->name);
}

static void append_lines(char **text, const struct zone *zone, const struct rrset *rrset)
{
    char *name = full_name(zone, rrset->name);
    json_t *record;
    size_t i;

    json_array_foreach(rrset->records, i, record)
    {
        char *more = text_format("%s%s. %d IN %s %s\n", *text, name, rrset->ttl < 0 ? zone->ttl : rrset->ttl,
                                 rrset->type, json_string_value(json_object_get(record, "value")));
        free(*text);
        *text = more;
    }
    free(name);
}

static json_t *zone_json(const struct zone *zone)
{
    char *file = text_format("$ORIGIN %s.\n$TTL %d\n", zone->name, zone->ttl);

    for (size_t i = 0; i < zone->rrsets.count; i++)
        append_lines(&file, zone, zone->rrsets.items[i]);
    json_t *json = json_pack("{s:s, s:i, s:s}", "name", zone->name, "ttl", zone->ttl, "zone_file", file);
    free(file);
    return json;
}

static struct zone *find_zone(const struct request *request, struct response *response, const char *name)
{
    struct zone *zone = strchr(name, '.') ? zone_find(request->cloud, name) : NULL;

    if (!zone)
        ocean_not_found(response);
    return zone;
}

static void list_zones(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->zones.count; i++)
        json_array_append_new(list, zone_json(request->cloud->zones.items[i]));
    ocean_list(request, response, "domains", list);
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

// Sets the record in its rrset, in the place of the one with its id.
static void put_record(struct cloud *cloud, struct zone *zone, json_t *record)
{
    const char *name = json_string_value(json_object_get(record, "name"));
    const char *type = json_string_value(json_object_get(record, "type"));
    const struct rrset *rrset = rrset_find(zone, name, type);
    json_t *list = rrset ? json_deep_copy(rrset->records) : json_array(), *one;
    bool replaced = false;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!json_equal(json_object_get(one, "id"), json_object_get(record, "id")))
            continue;
        json_array_set(list, i, record);
        replaced = true;
    }
    if (!replaced)
        json_array_append(list, record);
    rrset_put(cloud, zone, name, type, (int)json_integer_value(json_object_get(record, "ttl")), list,
              "put_record");
    json_decref(list);
}

static void remove_record(struct cloud *cloud, struct zone *zone, const struct rrset *rrset, int64_t id)
{
    json_t *rest = json_array(), *one;
    size_t i;

    json_array_foreach(rrset->records, i, one) if (json_integer_value(json_object_get(one, "id")) != id)
        json_array_append(rest, one);
    rrset_put(cloud, zone, rrset->name, rrset->type, rrset->ttl, rest, "remove_record");
    json_decref(rest);
}

// Records with an address for the zone itself, if the order has one.
static bool add_apex(const struct request *request, struct response *response, struct zone *zone,
                     const char *address)
{
    json_t *body = json_pack("{s:s, s:s, s:s}", "type", "A", "name", "@", "data", address);
    struct request with_body = *request;
    json_t *record = json_object();

    with_body.body = body;
    bool ok = ocean_record_read(&with_body, response, zone, record);
    if (ok) {
        json_object_set_new(record, "id", json_integer(request->cloud->ground->next_id++));
        put_record(request->cloud, zone, record);
    }
    json_decref(body), json_decref(record);
    return ok;
}

static void create_zone(const struct request *request, struct response *response, const char *const args[])
{
    const char *name, *address;
    struct action *action;

    (void)args;
    if (!ocean_text(request, response, "name", true, &name) ||
        !ocean_text(request, response, "ip_address", false, &address))
        return;
    if (!zone_name_valid(name)) {
        ocean_invalid(response, "Name is not a valid domain name");
        return;
    }
    if (zone_find(request->cloud, name)) {
        ocean_invalid(response, "domain '%s': name already exists", name);
        return;
    }
    struct zone *zone = zone_create(request->cloud, name, TTL_DEFAULT, NULL, &action);
    for (size_t i = 0; i < zone->rrsets.count; i++)
        ocean_record_number(request->cloud, zone->rrsets.items[i]);
    if (address && *address && !add_apex(request, response, zone, address)) {
        zone_delete(request->cloud, zone);
        return;
    }
    json_t *json = zone_json(zone);
    json_object_set_new(json, "zone_file", json_null()); // not yet made
    ocean_ok(response, 201, json_pack("{s:o}", "domain", json));
}

static void get_zone(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = find_zone(request, response, args[0]);

    if (zone)
        ocean_ok(response, 200, json_pack("{s:o}", "domain", zone_json(zone)));
}

static void delete_zone(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);

    if (!zone)
        return;
    zone_delete(request->cloud, zone);
    ocean_ok(response, 204, NULL);
}

static void append_records(json_t *list, const struct rrset *rrset)
{
    json_t *record;
    size_t i;

    json_array_foreach(rrset->records, i, record)
        json_array_append_new(list, ocean_record_json(rrset->name, rrset->type, record));
}

// The filter `name` is the whole name, although records show the relative one.
static void list_records(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = find_zone(request, response, args[0]);
    const char *wanted = request_query(request, "name");
    json_t *list = json_array();

    if (!zone) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        char *name = full_name(zone, rrset->name);
        if ((!wanted || strcasecmp(wanted, name) == 0) && request_query_has(request, "type", rrset->type))
            append_records(list, rrset);
        free(name);
    }
    ocean_list(request, response, "domain_records", list);
}

// An alias stands alone at its name (RFC 1034, 3.6.2). `self`: the id of the record that is changed.
static bool alias_conflict(const struct zone *zone, const char *name, const char *type, int64_t self)
{
    bool alias = text_equal(type, "CNAME");
    json_t *record;
    size_t k;

    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *other = zone->rrsets.items[i];
        if (strcasecmp(other->name, name) != 0 || (!alias && !text_equal(other->type, "CNAME")))
            continue;
        json_array_foreach(other->records, k,
                           record) if (json_integer_value(json_object_get(record, "id")) != self) return true;
    }
    return false;
}

// Takes the body's fields into the record and publishes it. False: the response says why not.
static bool publish(const struct request *request, struct response *response, struct zone *zone,
                    json_t *record)
{
    if (!ocean_record_read(request, response, zone, record))
        return false;
    if (alias_conflict(zone, json_string_value(json_object_get(record, "name")),
                       json_string_value(json_object_get(record, "type")),
                       json_integer_value(json_object_get(record, "id"))))
        return ocean_invalid(response, "CNAME records cannot share a name with other records"), false;
    if (!json_object_get(record, "id"))
        json_object_set_new(record, "id", json_integer(request->cloud->ground->next_id++));
    put_record(request->cloud, zone, record);
    return true;
}

static void answer(struct response *response, int status, const json_t *record)
{
    ocean_ok(response, status,
             json_pack("{s:o}", "domain_record",
                       ocean_record_json(json_string_value(json_object_get(record, "name")),
                                         json_string_value(json_object_get(record, "type")), record)));
}

static void create_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    json_t *record = json_object();

    if (zone && publish(request, response, zone, record))
        answer(response, 201, record);
    json_decref(record);
}

// The record and the rrset that it is in. NULL: the response is a 404.
static json_t *find_record(const struct zone *zone, struct response *response, const char *id,
                           struct rrset **ret)
{
    json_t *record;
    size_t k;

    for (size_t i = 0; zone && i < zone->rrsets.count; i++) {
        *ret = zone->rrsets.items[i];
        json_array_foreach((*ret)->records, k, record) if (json_integer_value(json_object_get(
                                                               record, "id")) == ocean_id(id)) return record;
    }
    if (zone)
        ocean_not_found(response);
    return NULL;
}

static void get_record(const struct request *request, struct response *response, const char *const args[])
{
    struct rrset *rrset;
    const json_t *record = find_record(find_zone(request, response, args[0]), response, args[1], &rrset);

    if (record)
        answer(response, 200, record);
}

static bool changeable(const struct rrset *rrset, struct response *response)
{
    if (rrset->fixed)
        ocean_invalid(response, "the SOA record cannot be changed");
    return !rrset->fixed;
}

// A new name moves the record to another rrset.
static void change_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset;
    const json_t *old = find_record(zone, response, args[1], &rrset);

    if (!old || !changeable(rrset, response))
        return;
    json_t *record = json_deep_copy(old);
    if (publish(request, response, zone, record)) {
        if (strcasecmp(rrset->name, json_string_value(json_object_get(record, "name"))) != 0)
            remove_record(request->cloud, zone, rrset, ocean_id(args[1]));
        answer(response, 200, record);
    }
    json_decref(record);
}

static void delete_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_zone(request, response, args[0]);
    struct rrset *rrset;

    if (!find_record(zone, response, args[1], &rrset) || !changeable(rrset, response))
        return;
    remove_record(request->cloud, zone, rrset, ocean_id(args[1]));
    ocean_ok(response, 204, NULL);
}

const struct route ocean_domain_routes[] = {
    {"GET", "domains", list_zones},
    {"POST", "domains", create_zone},
    {"GET", "domains/*", get_zone},
    {"DELETE", "domains/*", delete_zone},
    {"GET", "domains/*/records", list_records},
    {"POST", "domains/*/records", create_record},
    {"GET", "domains/*/records/*", get_record},
    {"PUT", "domains/*/records/*", change_record},
    {"PATCH", "domains/*/records/*", change_record},
    {"DELETE", "domains/*/records/*", delete_record},
    {NULL, NULL, NULL},
};
