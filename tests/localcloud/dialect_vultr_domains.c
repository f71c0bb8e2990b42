// DNS: domains and their records. The provider's unit is the record, the model's the set of a name and type:
// a record is an element of a set's list, which remembers "id", "data" and "priority" beside the value that
// is published.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"
#include "dns.h"

enum { TTL_DEFAULT = 300, TTL_MAX = 2147483647 }; // of the document's examples; no least one is published

static struct zone *find_domain(const struct request *request, struct response *response, const char *name)
{
    struct zone *zone = strchr(name, '.') ? zone_find(request->cloud, name) : NULL;

    if (!zone)
        vt_error(response, 404, "Invalid domain.");
    return zone;
}

static json_t *domain_json(const struct zone *zone)
{
    const char *dns_sec = vt_member(zone->labels, "dns_sec");

    return json_pack("{s:s, s:o, s:s}", "domain", zone->name, "date_created", vt_time(zone->created),
                     "dns_sec", *dns_sec ? dns_sec : "disabled");
}

static void list_domains(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->zones.count; i++)
        json_array_append_new(list, domain_json(request->cloud->zones.items[i]));
    vt_list(request, response, "domains", list, "domain");
}

static bool printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static bool domain_valid(const char *name)
{
    size_t size = strlen(name);

    if (size > 253 || !strchr(name, '.') || strstr(name, "..") || name[0] == '.' || name[size - 1] == '.')
        return false;
    for (; *name; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '-' && *name != '.')
            return false;
    return true;
}

// The record as it is kept. Names in data are whole here and have no dot at the end; in a zone they need one.
static json_t *record_new(struct cloud *cloud, int64_t id, const char *type, const char *data, int priority)
{
    static const char *const ends_in_name[] = {"CNAME", "MX", "NS", "SRV"};
    bool ranked = text_equal(type, "MX") || text_equal(type, "SRV"), dot = false;
    size_t size = strlen(data);
    char rank[16] = "";

    for (size_t i = 0; i < sizeof ends_in_name / sizeof *ends_in_name; i++)
        dot |= text_equal(type, ends_in_name[i]);
    dot = dot && size > 0 && data[size - 1] != '.';
    if (ranked)
        snprintf(rank, sizeof rank, "%d ", priority);
    char *value = text_format("%s%s%s", rank, data, dot ? "." : "");
    json_t *record = json_pack("{s:s, s:o, s:s, s:i}", "value", value, "id",
                               vt_id(id ? id : cloud->ground->next_id++), "data", data, "priority", priority);
    free(value);
    return record;
}

static const char *shown_name(const struct rrset *rrset)
{
    return text_equal(rrset->name, "@") ? "" : rrset->name;
}

static const char *kept_name(const char *name)
{
    return *name ? name : "@";
}

static json_t *record_json(const struct zone *zone, const struct rrset *rrset, const json_t *record)
{
    return json_pack("{s:O, s:s, s:s, s:O, s:O, s:i}", "id", json_object_get(record, "id"), "type",
                     rrset->type, "name", shown_name(rrset), "data", json_object_get(record, "data"),
                     "priority", json_object_get(record, "priority"), "ttl",
                     rrset->ttl < 0 ? zone->ttl : rrset->ttl);
}

// The name servers of a new zone are the model's own: they become records when they are looked at first.
static void adopt(struct cloud *cloud, const struct rrset *rrset)
{
    json_t *record;
    size_t i;

    json_array_foreach(rrset->records, i, record)
    {
        if (json_object_get(record, "id"))
            continue;
        const char *value = vt_member(record, "value");
        size_t size = strlen(value), dot = size > 0 && value[size - 1] == '.';
        json_object_set_new(record, "id", vt_id(cloud->ground->next_id++));
        json_object_set_new(record, "data", json_stringn(value, size - dot));
        json_object_set_new(record, "priority", json_integer(0));
    }
}

static int compare_ids(const void *a, const void *b)
{
    json_t *const *x = a, *const *y = b;

    return strcmp(vt_member(*x, "id"), vt_member(*y, "id"));
}

static json_t *sorted(json_t *items)
{
    size_t count = json_array_size(items);
    json_t **all = zalloc((count + 1) * sizeof(json_t *)), *list = json_array();

    for (size_t i = 0; i < count; i++)
        all[i] = json_array_get(items, i);
    qsort(all, count, sizeof *all, compare_ids);
    for (size_t i = 0; i < count; i++)
        json_array_append(list, all[i]);
    free(all);
    json_decref(items);
    return list;
}

// All records of the domain: there are no filters. SOA is not one of them.
static void list_records(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    json_t *list, *record;
    size_t k;

    if (!zone)
        return;
    list = json_array();
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        if (rrset->fixed)
            continue;
        adopt(request->cloud, rrset);
        json_array_foreach(rrset->records, k, record)
            json_array_append_new(list, record_json(zone, rrset, record));
    }
    vt_list(request, response, "records", sorted(list), "id");
}

static struct rrset *find_record(const struct request *request, struct response *response, struct zone *zone,
                                 const char *id, size_t *at)
{
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        struct rrset *rrset = zone->rrsets.items[i];
        if (rrset->fixed)
            continue;
        adopt(request->cloud, rrset);
        for (*at = 0; *at < json_array_size(rrset->records); ++*at)
            if (text_equal(vt_member(json_array_get(rrset->records, *at), "id"), id))
                return rrset;
    }
    vt_not_found(response, "record");
    return NULL;
}

static bool type_valid(const char *type)
{
    static const char *const known[] = {"A", "AAAA", "CNAME", "NS", "MX", "SRV", "TXT", "CAA", "SSHFP"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(type, known[i]))
            return true;
    return false;
}

static bool name_valid(const char *name)
{
    return strlen(name) <= 200 && printable(name) && !strpbrk(name, " ;\"") &&
           (!*name || name[strlen(name) - 1] != '.');
}

static bool data_valid(const char *type, const char *data)
{
    unsigned char address[16];
    size_t size = strlen(data);

    if (size == 0 || size > 4000 || !printable(data))
        return false;
    if (text_equal(type, "A"))
        return inet_pton(AF_INET, data, address) == 1;
    if (text_equal(type, "AAAA"))
        return inet_pton(AF_INET6, data, address) == 1;
    if (text_equal(type, "TXT"))
        return size >= 2 && data[0] == '"' && data[size - 1] == '"';
    return true;
}

// An alias stands alone at its name (RFC 1034, 3.6.2), and no record exists twice.
static bool fits(struct response *response, struct zone *zone, const char *name, const char *type,
                 const json_t *record)
{
    bool alias = text_equal(type, "CNAME");
    const struct rrset *same = rrset_find(zone, kept_name(name), type);
    json_t *other;
    size_t k;

    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        if (strcasecmp(rrset->name, kept_name(name)) == 0 && !text_equal(rrset->type, type) &&
            (alias || text_equal(rrset->type, "CNAME")))
            return vt_error(response, 400, "A CNAME record cannot stand beside other records."), false;
    }
    json_array_foreach(same ? same->records : NULL, k, other)
    {
        if (text_equal(vt_member(other, "id"), vt_member(record, "id")))
            continue;
        if (alias || text_equal(vt_member(other, "value"), vt_member(record, "value")))
            return vt_error(response, 400, "Duplicate records not allowed."), false;
    }
    return true;
}

// All records of a set have one TTL (RFC 2181, 5.2): the last one given.
static void put(struct cloud *cloud, struct zone *zone, const char *name, const char *type, json_int_t ttl,
                json_t *records)
{
    rrset_put(cloud, zone, kept_name(name), type, (int)ttl, records, "change_records");
    json_decref(records);
}

static void add(struct cloud *cloud, struct zone *zone, const char *name, const char *type, json_int_t ttl,
                json_t *record)
{
    struct rrset *rrset = rrset_find(zone, kept_name(name), type);
    json_t *records = rrset ? json_deep_copy(rrset->records) : json_array();

    json_array_append(records, record);
    put(cloud, zone, name, type, ttl, records);
}

static bool ttl_valid(struct response *response, json_int_t ttl)
{
    if (ttl < 1 || ttl > TTL_MAX)
        vt_error(response, 400, "Invalid ttl.");
    return ttl >= 1 && ttl <= TTL_MAX;
}

static void create_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    const char *name, *type, *data;
    json_int_t ttl, priority;

    if (!zone || !vt_text(request, response, "name", true, &name) ||
        !vt_text(request, response, "type", true, &type) ||
        !vt_text(request, response, "data", true, &data) ||
        !vt_number(request, response, "ttl", false, TTL_DEFAULT, &ttl) ||
        !vt_number(request, response, "priority", false, 0, &priority) || !ttl_valid(response, ttl))
        return;
    if (!type_valid(type)) {
        vt_error(response, 400, "Invalid record type.");
    } else if (!name_valid(name)) {
        vt_error(response, 400, "Invalid record name.");
    } else if (!data_valid(type, data)) {
        vt_error(response, 400, "Invalid record data.");
    } else {
        json_t *record = record_new(request->cloud, 0, type, data, (int)priority);
        if (fits(response, zone, name, type, record)) {
            add(request->cloud, zone, name, type, ttl, record);
            const struct rrset *rrset = rrset_find(zone, kept_name(name), type);
            vt_ok(response, 201, json_pack("{s:o}", "record", record_json(zone, rrset, record)));
        }
        json_decref(record);
    }
}

static void get_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    size_t at;
    const struct rrset *rrset = zone ? find_record(request, response, zone, args[1], &at) : NULL;

    if (rrset)
        vt_ok(response, 200,
              json_pack("{s:o}", "record", record_json(zone, rrset, json_array_get(rrset->records, at))));
}

static void take_out(struct cloud *cloud, struct zone *zone, const struct rrset *rrset, size_t at)
{
    json_t *records = json_deep_copy(rrset->records);
    char *name = text_copy(shown_name(rrset)), *type = text_copy(rrset->type);

    json_array_remove(records, at);
    put(cloud, zone, name, type, rrset->ttl, records); // the set may be gone now
    free(name), free(type);
}

static void change(struct cloud *cloud, struct zone *zone, const struct rrset *rrset, size_t at,
                   const char *name, json_int_t ttl, json_t *record)
{
    char *type = text_copy(rrset->type);

    if (strcasecmp(rrset->name, kept_name(name)) == 0) {
        json_t *records = json_deep_copy(rrset->records);
        json_array_set(records, at, record);
        put(cloud, zone, name, type, ttl, records);
    } else {
        take_out(cloud, zone, rrset, at);
        add(cloud, zone, name, type, ttl, record);
    }
    free(type);
}

// What is not given stays. The answer is empty.
static void update_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    size_t at;
    struct rrset *rrset = zone ? find_record(request, response, zone, args[1], &at) : NULL;
    json_t *old = rrset ? json_array_get(rrset->records, at) : NULL;
    const char *name, *data;
    json_int_t ttl, priority;

    if (!rrset || !vt_text(request, response, "name", false, &name) ||
        !vt_text(request, response, "data", false, &data) ||
        !vt_number(request, response, "ttl", false, rrset->ttl < 0 ? zone->ttl : rrset->ttl, &ttl) ||
        !vt_number(request, response, "priority", false, json_integer_value(json_object_get(old, "priority")),
                   &priority) ||
        !ttl_valid(response, ttl))
        return;
    name = name ? name : shown_name(rrset);
    data = data ? data : vt_member(old, "data");
    if (!name_valid(name)) {
        vt_error(response, 400, "Invalid record name.");
    } else if (!data_valid(rrset->type, data)) {
        vt_error(response, 400, "Invalid record data.");
    } else {
        char *new_name = text_copy(name); // it may be the old one's, which goes
        json_t *record =
            record_new(request->cloud, uuid_id(vt_member(old, "id")), rrset->type, data, (int)priority);
        if (fits(response, zone, new_name, rrset->type, record)) {
            change(request->cloud, zone, rrset, at, new_name, ttl, record);
            vt_empty(response);
        }
        json_decref(record);
        free(new_name);
    }
}

static void delete_record(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    size_t at;
    struct rrset *rrset = zone ? find_record(request, response, zone, args[1], &at) : NULL;

    if (!rrset)
        return;
    take_out(request->cloud, zone, rrset, at);
    vt_empty(response);
}

static void add_new(struct cloud *cloud, struct zone *zone, const char *name, const char *type,
                    const char *data, int priority)
{
    json_t *record = record_new(cloud, 0, type, data, priority);

    add(cloud, zone, name, type, TTL_DEFAULT, record);
    json_decref(record);
}

// With an address the new domain leads there, and so do all names below it; without one it is empty.
static void create_domain(const struct request *request, struct response *response, const char *const args[])
{
    const char *name, *ip, *dns_sec;
    struct action *action;

    (void)args;
    if (!vt_text(request, response, "domain", true, &name) || !vt_text(request, response, "ip", false, &ip) ||
        !vt_text(request, response, "dns_sec", false, &dns_sec))
        return;
    if (!domain_valid(name) || (ip && !data_valid("A", ip))) {
        vt_error(response, 400, "Invalid domain or IP address.");
    } else if (zone_find(request->cloud, name)) {
        vt_error(response, 400, "Domain already exists.");
    } else {
        struct zone *zone = zone_create(request->cloud, name, TTL_DEFAULT, NULL, &action);
        json_object_set_new(zone->labels, "dns_sec", json_string(dns_sec ? dns_sec : "disabled"));
        if (ip) {
            add_new(request->cloud, zone, "", "A", ip, 0);
            add_new(request->cloud, zone, "*", "CNAME", name, 0);
            add_new(request->cloud, zone, "", "MX", name, 10);
        }
        vt_ok(response, 200, json_pack("{s:o}", "domain", domain_json(zone)));
    }
}

static void get_domain(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = find_domain(request, response, args[0]);

    if (zone)
        vt_ok(response, 200, json_pack("{s:o}", "domain", domain_json(zone)));
}

static void update_domain(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);
    const char *dns_sec;

    if (!zone || !vt_text(request, response, "dns_sec", true, &dns_sec))
        return;
    json_object_set_new(zone->labels, "dns_sec", json_string(dns_sec));
    vt_empty(response);
}

static void delete_domain(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = find_domain(request, response, args[0]);

    if (!zone)
        return;
    zone_delete(request->cloud, zone);
    vt_empty(response);
}

static void get_soa(const struct request *request, struct response *response, const char *const args[])
{
    char server[256];

    if (!find_domain(request, response, args[0]))
        return;
    snprintf(server, sizeof server, "%.*s", (int)strlen(dns_nameservers[0]) - 1, dns_nameservers[0]);
    vt_ok(response, 200,
          json_pack("{s:{s:s, s:s}}", "dns_soa", "nsprimary", server, "email", "hostmaster@localcloud.test"));
}

const struct route vt_domain_routes[] = {
    {"GET", "domains", list_domains},
    {"POST", "domains", create_domain},
    {"GET", "domains/*", get_domain},
    {"PUT", "domains/*", update_domain},
    {"DELETE", "domains/*", delete_domain},
    {"GET", "domains/*/soa", get_soa},
    {"GET", "domains/*/records", list_records},
    {"POST", "domains/*/records", create_record},
    {"GET", "domains/*/records/*", get_record},
    {"PATCH", "domains/*/records/*", update_record},
    {"DELETE", "domains/*/records/*", delete_record},
    {NULL, NULL, NULL},
};
