// DNS records of the Cloudflare dialect. The provider's unit is the record, the model's the set of a name and
// type: a record is an element of a set's list, which remembers "id", "content", "ttl", "proxied" and
// "comment" beside the value that is published.
//
// Every change is a batch, also one of a single record: it is made on a copy of all the zone's records and
// checked there, and only a copy that passed is published, so that a batch is whole or nothing.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dialect_cloudflare.h"

enum { TTL_AUTO = 1, TTL_AUTO_SECONDS = 300, TTL_MIN = 60, TTL_MAX = 86400, BATCH_MAX = 200 };

// What the world sees of a proxied record (RFC 5737, RFC 3849).
static const char edge_ipv4[] = "203.0.113.80", edge_ipv6[] = "2001:db8:cf::80";

static const char *const known_types[] = {"A", "AAAA", "CNAME", "TXT"};

// ---- records as one list ----

// {name, type, record} of all that were made through this API: the zone's own name servers are not among
// them.
static json_t *all_records(const struct zone *zone)
{
    json_t *list = json_array(), *record;
    size_t k;

    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        json_array_foreach(rrset->records, k, record) if (json_object_get(record, "id"))
            json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", rrset->name, "type", rrset->type,
                                                  "record", json_deep_copy(record)));
    }
    return list;
}

static json_t *find(const json_t *all, const char *id, size_t *at)
{
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *entry = json_array_get(all, i);
        *at = i;
        if (text_equal(cf_member(json_object_get(entry, "record"), "id"), id))
            return entry;
    }
    return NULL;
}

static char *full_name(const struct zone *zone, const char *name)
{
    return text_equal(name, "@") ? text_copy(zone->name) : text_format("%s.%s", name, zone->name);
}

// Taken whole ("www.example.com"), or relative to the zone; the apex also as "@".
static char *kept_name(const struct zone *zone, const char *name)
{
    size_t size = strlen(name), suffix = strlen(zone->name);

    if (strcasecmp(name, zone->name) == 0 || text_equal(name, "@"))
        return text_copy("@");
    if (size > suffix + 1 && name[size - suffix - 1] == '.' &&
        strcasecmp(name + size - suffix, zone->name) == 0)
        size -= suffix + 1;
    char *kept = text_format("%.*s", (int)size, name);
    for (char *c = kept; *c; c++)
        *c |= *c >= 'A' && *c <= 'Z' ? 32 : 0;
    return kept;
}

static json_t *shown(const struct zone *zone, const json_t *entry)
{
    const json_t *record = json_object_get(entry, "record");
    char *name = full_name(zone, cf_member(entry, "name"));
    json_t *json = json_pack(
        "{s:O, s:o, s:s, s:s, s:s, s:O, s:b, s:O, s:O, s:O, s:[], s:o, s:o}", "id",
        json_object_get(record, "id"), "zone_id", cf_id(zone->id), "zone_name", zone->name, "name", name,
        "type", cf_member(entry, "type"), "content", json_object_get(record, "content"), "proxiable",
        !text_equal(cf_member(entry, "type"), "TXT"), "proxied", json_object_get(record, "proxied"), "ttl",
        json_object_get(record, "ttl"), "comment", json_object_get(record, "comment"), "tags", "created_on",
        cf_time(zone->created), "modified_on", cf_time(zone->created));

    free(name);
    return json;
}

// ---- checks ----

static bool refused(struct response *response, int code, const char *text)
{
    cf_error(response, 400, 1004, "DNS Validation Error",
             json_pack("{s:i, s:s}", "code", code, "message", text));
    return false;
}

static bool content_valid(struct response *response, const char *type, const char *content)
{
    unsigned char address[16];

    for (const char *c = content; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return refused(response, 9004, "Content has characters that are not allowed.");
    if (text_equal(type, "A") && inet_pton(AF_INET, content, address) != 1)
        return refused(response, 9005, "Content for A record must be a valid IPv4 address.");
    if (text_equal(type, "AAAA") && inet_pton(AF_INET6, content, address) != 1)
        return refused(response, 9006, "Content for AAAA record must be a valid IPv6 address.");
    if (*content == '\0' || strlen(content) > 4000)
        return refused(response, 9003, "Content is missing or too long.");
    return true;
}

// timothymiller/cloudflare-ddns#179, octodns/octodns-cloudflare#76.
static bool ttl_valid(struct response *response, json_int_t ttl, bool proxied)
{
    if (ttl != TTL_AUTO && (ttl < TTL_MIN || ttl > TTL_MAX))
        return refused(response, 9021,
                       "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
    if (proxied && ttl != TTL_AUTO)
        return refused(response, 9021, "Invalid TTL. Must be 1 for Automatic when a record is proxied.");
    return true;
}

static bool type_valid(struct response *response, const char *type)
{
    for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++)
        if (text_equal(type, known_types[i]))
            return true;
    return refused(response, 9000, "DNS record type is not part of the local cloud.");
}

// An alias stands alone at its name, and no record twice.
static bool fits(struct response *response, const json_t *all, const json_t *entry)
{
    const char *type = cf_member(entry, "type");
    size_t i;
    const json_t *other;

    json_array_foreach(all, i, other)
    {
        if (other == entry || !text_equal(cf_member(other, "name"), cf_member(entry, "name")))
            continue;
        bool same_type = text_equal(cf_member(other, "type"), type);
        if (!same_type && (text_equal(type, "CNAME") || text_equal(cf_member(other, "type"), "CNAME")))
            return cf_error(response, 400, 81053,
                            "An A, AAAA, or CNAME record with that host already exists.", NULL),
                   false;
        if (same_type && text_equal(cf_member(json_object_get(other, "record"), "content"),
                                    cf_member(json_object_get(entry, "record"), "content")))
            return cf_error(response, 400, 81058, "An identical record already exists.", NULL), false;
    }
    return true;
}

// ---- changes of the list ----

static char *published(const char *type, const char *content, bool proxied)
{
    size_t size = strlen(content);

    if (proxied && text_equal(type, "A"))
        return text_copy(edge_ipv4);
    if (proxied && text_equal(type, "AAAA"))
        return text_copy(edge_ipv6);
    if (text_equal(type, "CNAME"))
        return text_format("%s%s", content, content[size - 1] == '.' ? "" : ".");
    return text_equal(type, "TXT") && *content != '"' ? text_format("\"%s\"", content) : text_copy(content);
}

// A field of the body, or of the record as it is, or the value when there is neither.
static json_t *field(const json_t *body, const json_t *old, const char *key, json_t *otherwise)
{
    json_t *found = json_object_get(body, key);

    found = found ? found : json_object_get(old, key);
    if (!found)
        return otherwise;
    json_decref(otherwise);
    return json_incref(found);
}

// The entry that `body` describes; with `old`, what it does not say stays. NULL: the response tells why.
static json_t *make_entry(struct response *response, const struct zone *zone, const json_t *body,
                          const json_t *old, int64_t new_id)
{
    const json_t *record = json_object_get(old, "record"), *name = json_object_get(body, "name");
    const char *type = *cf_member(body, "type") ? cf_member(body, "type") : cf_member(old, "type");
    json_t *content = field(body, record, "content", json_string(""));
    json_t *ttl = field(body, record, "ttl", json_integer(TTL_AUTO));
    json_t *proxied = field(body, record, "proxied", json_false());
    json_t *comment = field(body, record, "comment", json_null()), *entry = NULL;

    if (!json_is_string(content) || !json_is_integer(ttl) || !json_is_boolean(proxied) || (!name && !old)) {
        cf_error(response, 400, 9207, "Request body is invalid.", NULL);
    } else if (type_valid(response, type) && content_valid(response, type, json_string_value(content)) &&
               ttl_valid(response, json_integer_value(ttl), json_is_true(proxied))) {
        char *value = published(type, json_string_value(content), json_is_true(proxied));
        char *kept = name ? kept_name(zone, cf_member(body, "name")) : text_copy(cf_member(old, "name"));
        json_t *id = old ? json_incref(json_object_get(record, "id")) : cf_id(new_id);
        entry = json_pack("{s:s, s:s, s:{s:s, s:o, s:O, s:O, s:O, s:O}}", "name", kept, "type", type,
                          "record", "value", value, "id", id, "content", content, "ttl", ttl, "proxied",
                          proxied, "comment", comment);
        free(value), free(kept);
    }
    json_decref(content), json_decref(ttl), json_decref(proxied), json_decref(comment);
    return entry;
}

struct change {
    const struct request *request;
    struct response *response;
    struct zone *zone;
    json_t *all;
};

// One of "deletes", "patches", "puts", "posts". What came of it, as the API shows it; NULL: refused.
static json_t *apply(struct change *change, const char *kind, const json_t *body)
{
    size_t at = 0;
    bool is_post = text_equal(kind, "posts");
    json_t *old = is_post ? NULL : find(change->all, cf_member(body, "id"), &at);

    if (!old && !is_post) { // zanjie1999/cloudflare-api-v4-ddns#5
        cf_error(change->response, 404, 81044, "Record does not exist.", NULL);
        return NULL;
    }
    if (text_equal(kind, "deletes")) {
        json_t *result = shown(change->zone, old);
        json_array_remove(change->all, at);
        return result;
    }
    // A put forgets what it does not say, all but the id.
    json_t *bare = text_equal(kind, "puts") ? json_pack("{s:s, s:s, s:{s:O}}", "name", cf_member(old, "name"),
                                                        "type", cf_member(old, "type"), "record", "id",
                                                        json_object_get(json_object_get(old, "record"), "id"))
                                            : json_incref(old);
    int64_t new_id = is_post ? change->request->cloud->ground->next_id++ : 0;
    json_t *entry = make_entry(change->response, change->zone, body, bare, new_id);
    json_decref(bare);
    if (entry && old)
        json_array_set_new(change->all, at, entry);
    else if (entry)
        json_array_append_new(change->all, entry);
    return entry && fits(change->response, change->all, entry) ? shown(change->zone, entry) : NULL;
}

// ---- publishing ----

static json_t *of_set(const json_t *all, const char *name, const char *type, int *ttl)
{
    json_t *records = json_array();
    size_t i;
    const json_t *entry;

    *ttl = TTL_MAX;
    json_array_foreach(all, i, entry)
    {
        json_t *record = json_object_get(entry, "record");
        int own = (int)json_integer_value(json_object_get(record, "ttl"));
        if (!text_equal(cf_member(entry, "name"), name) || !text_equal(cf_member(entry, "type"), type))
            continue;
        json_array_append(records, record);
        own = own == TTL_AUTO ? TTL_AUTO_SECONDS : own;
        *ttl = own < *ttl ? own : *ttl;
    }
    return records;
}

static void publish_set(const struct change *change, const char *name, const char *type)
{
    const struct rrset *rrset = rrset_find(change->zone, name, type);
    int ttl;
    json_t *records = of_set(change->all, name, type, &ttl);

    if (rrset ? !json_equal(rrset->records, records) : json_array_size(records) > 0)
        rrset_put(change->request->cloud, change->zone, name, type, ttl, records, "set_records");
    json_decref(records);
}

// The sets of which something was there before or is there now.
static void publish(const struct change *change)
{
    json_t *before = all_records(change->zone);
    const json_t *lists[] = {before, change->all}, *entry;
    size_t k;

    for (size_t i = 0; i < 2; i++)
        json_array_foreach(lists[i], k, entry)
            publish_set(change, cf_member(entry, "name"), cf_member(entry, "type"));
    json_decref(before);
}

// ---- endpoints ----

static void list_records(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = cf_zone(request, response, args[0]);
    json_t *all, *list, *entry;
    size_t i;

    if (!zone)
        return;
    all = all_records(zone), list = json_array();
    json_array_foreach(all, i, entry)
    {
        json_t *json = shown(zone, entry);
        if (request_query_has(request, "name", cf_member(json, "name")) &&
            request_query_has(request, "type", cf_member(json, "type")) &&
            request_query_has(request, "content", cf_member(json, "content")))
            json_array_append(list, json);
        json_decref(json);
    }
    json_decref(all);
    cf_list(request, response, list);
}

static void get_record(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = cf_zone(request, response, args[0]);
    size_t at;

    if (!zone)
        return;
    json_t *all = all_records(zone), *entry = find(all, args[1], &at);
    if (entry)
        cf_ok(response, shown(zone, entry));
    else
        cf_error(response, 404, 81044, "Record does not exist.", NULL);
    json_decref(all);
}

// A batch of one; `id` NULL: a new one.
static void change_one(const struct request *request, struct response *response, const char *zone_id,
                       const char *id, const char *kind)
{
    struct change change = {request, response, cf_zone(request, response, zone_id), NULL};

    if (!change.zone)
        return;
    json_t *body = request->body ? json_copy(request->body) : json_object();
    if (id)
        json_object_set_new(body, "id", json_string(id));
    change.all = all_records(change.zone);
    json_t *result = apply(&change, kind, body);
    if (result) {
        publish(&change);
        if (text_equal(kind, "deletes")) {
            json_decref(result);
            result = json_pack("{s:s}", "id", id);
        }
        cf_ok(response, result);
    }
    json_decref(change.all);
    json_decref(body);
}

static void create_record(const struct request *request, struct response *response, const char *const args[])
{
    change_one(request, response, args[0], NULL, "posts");
}

static void patch_record(const struct request *request, struct response *response, const char *const args[])
{
    change_one(request, response, args[0], args[1], "patches");
}

static void put_record(const struct request *request, struct response *response, const char *const args[])
{
    change_one(request, response, args[0], args[1], "puts");
}

static void delete_record(const struct request *request, struct response *response, const char *const args[])
{
    change_one(request, response, args[0], args[1], "deletes");
}

// In this order, whatever the order in the body ("Batch record changes").
static bool apply_all(struct change *change, json_t *result)
{
    static const char *const kinds[] = {"deletes", "patches", "puts", "posts"};
    size_t i, count = 0;
    const json_t *body;

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const json_t *list = json_object_get(change->request->body, kinds[k]);
        json_t *done = json_array();
        json_object_set_new(result, kinds[k], done);
        json_array_foreach(list, i, body)
        {
            json_t *one = ++count > BATCH_MAX ? NULL : apply(change, kinds[k], body);
            if (!one && count > BATCH_MAX)
                return refused(change->response, 9200, "More than 200 records in one batch.");
            if (!one)
                return false;
            json_array_append_new(done, one);
        }
    }
    return true;
}

static void batch(const struct request *request, struct response *response, const char *const args[])
{
    struct change change = {request, response, cf_zone(request, response, args[0]), NULL};

    if (!change.zone)
        return;
    json_t *result = json_object();
    change.all = all_records(change.zone);
    if (apply_all(&change, result)) {
        publish(&change);
        cf_ok(response, json_incref(result));
    }
    json_decref(result);
    json_decref(change.all);
}

const struct route cf_record_routes[] = {
    {"GET", "zones/*/dns_records", list_records},       {"POST", "zones/*/dns_records", create_record},
    {"POST", "zones/*/dns_records/batch", batch},       {"GET", "zones/*/dns_records/*", get_record},
    {"PATCH", "zones/*/dns_records/*", patch_record},   {"PUT", "zones/*/dns_records/*", put_record},
    {"DELETE", "zones/*/dns_records/*", delete_record}, {NULL, NULL, NULL},
};
