// /domains/{id}/records: single records with ids. The model's unit is the set, so a record is one entry of a
// set's list that has an id; entries without one (the provider's own name servers) are not shown.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { NAME_MAX_SIZE = 100, TARGET_MAX = 65535, TEXT_PART = 255, RECORDS_MAX = 12000 };

static const char *const kept[] = {"name", "target",  "ttl_sec",  "priority", "weight",
                                   "port", "service", "protocol", "tag",      "created"};
enum { KEPT = sizeof kept / sizeof *kept };

// Valid times to live; any other is rounded to the nearest. 0 is the domain's.
static json_int_t round_nearest(json_int_t seconds)
{
    static const json_int_t valid[] = {300,   3600,   7200,   14400,  28800,   57600,
                                       86400, 172800, 345600, 604800, 1209600, 2419200};
    json_int_t best = valid[0];

    if (seconds == 0)
        return 0;
    for (size_t i = 1; i < sizeof valid / sizeof *valid; i++)
        if (llabs(valid[i] - seconds) < llabs(best - seconds))
            best = valid[i];
    return best;
}

static json_t *record_json(const struct cloud *cloud, const struct rrset *rrset, const json_t *record)
{
    json_t *json = json_pack("{s:O, s:s, s:O}", "id", json_object_get(record, "id"), "type", rrset->type,
                             "updated", json_object_get(record, "created"));

    for (size_t i = 0; i < KEPT; i++)
        json_object_set(json, kept[i], json_object_get(record, kept[i]));
    // The document wants at least one character, although the live API has "" at the apex.
    if (cloud->ground->settings.published && json_string_length(json_object_get(json, "name")) == 0)
        json_object_del(json, "name");
    return json;
}

// Finds a record and the set that it belongs to.
static struct rrset *find_set(struct zone *zone, json_int_t id, json_t **ret_record)
{
    json_t *record;
    size_t r;

    for (size_t i = 0; id && i < zone->rrsets.count; i++) {
        struct rrset *rrset = zone->rrsets.items[i];
        json_array_foreach(rrset->records, r, record)
        {
            if (json_integer_value(json_object_get(record, "id")) == id) {
                *ret_record = record;
                return rrset;
            }
        }
    }
    return NULL;
}

static struct rrset *find(const struct request *request, struct response *response, const char *const args[],
                          struct zone **ret_zone, json_t **ret_record)
{
    *ret_zone = ln_find_domain(request, response, args[0]);
    if (!*ret_zone)
        return NULL;
    struct rrset *rrset = find_set(*ret_zone, strtoll(args[1], NULL, 10), ret_record);
    if (!rrset)
        ln_not_found(response);
    return rrset;
}

// "www.example.com" and "www" are the same name; the apex is "".
static char *relative_name(const struct zone *zone, const char *name)
{
    size_t size = strlen(name), suffix = strlen(zone->name);

    if (strcasecmp(name, zone->name) == 0)
        return text_copy("");
    if (size > suffix + 1 && name[size - suffix - 1] == '.' &&
        strcasecmp(name + size - suffix, zone->name) == 0)
        return text_format("%.*s", (int)(size - suffix - 1), name);
    return text_copy(name);
}

static bool name_valid(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.*", *p))
            return false;
    return strlen(name) <= NAME_MAX_SIZE && (!*name || name[strlen(name) - 1] != '.');
}

static bool host_valid(const char *name)
{
    size_t size = strlen(name);

    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
            return false;
    return size > 0 && size < 254 && *name != '.';
}

static bool is_host_type(const char *type)
{
    static const char *const types[] = {"CNAME", "MX", "NS", "SRV", "PTR"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_equal(type, types[i]))
            return true;
    return false;
}

static bool type_known(const char *type)
{
    return is_host_type(type) || text_equal(type, "A") || text_equal(type, "AAAA") ||
           text_equal(type, "TXT") || text_equal(type, "CAA");
}

static bool target_valid(const char *type, const char *target)
{
    unsigned char address[16];

    if (text_equal(type, "A"))
        return inet_pton(AF_INET, target, address) == 1;
    if (text_equal(type, "AAAA"))
        return inet_pton(AF_INET6, target, address) == 1;
    if (is_host_type(type))
        return host_valid(target);
    for (const char *p = target; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            return false;
    return *target && strlen(target) <= TARGET_MAX;
}

// Character strings of 255 bytes at most, in quotes.
static char *quoted(const char *text)
{
    char *out = zalloc(strlen(text) * 2 + strlen(text) / TEXT_PART * 3 + 4), *end = out;
    size_t part = 0;

    *end++ = '"';
    for (; *text; text++, part++) {
        if (part == TEXT_PART) {
            memcpy(end, "\" \"", 3);
            end += 3;
            part = 0;
        }
        if (*text == '"' || *text == '\\')
            *end++ = '\\';
        *end++ = *text;
    }
    *end = '"';
    return out;
}

static int number(const json_t *record, const char *key)
{
    return (int)json_integer_value(json_object_get(record, key));
}

// What stands in the zone. Host names are whole ones: a dot closes them.
static char *zone_value(const char *type, const json_t *record)
{
    const char *target = json_string_value(json_object_get(record, "target"));
    char *host = text_format("%s%s", target, *target && target[strlen(target) - 1] == '.' ? "" : ".");
    char *value = NULL;

    if (text_equal(type, "MX")) {
        value = text_format("%d %s", number(record, "priority"), host);
    } else if (text_equal(type, "SRV")) {
        value = text_format("%d %d %d %s", number(record, "priority"), number(record, "weight"),
                            number(record, "port"), host);
    } else if (text_equal(type, "CAA")) {
        char *text = quoted(target);
        value = text_format("0 %s %s", json_string_value(json_object_get(record, "tag")), text);
        free(text);
    } else if (text_equal(type, "TXT")) {
        value = quoted(target);
    } else {
        value = text_copy(is_host_type(type) ? host : target);
    }
    free(host);
    return value;
}

static char *zone_name(const char *type, const json_t *record)
{
    const char *name = json_string_value(json_object_get(record, "name"));
    const char *service = json_string_value(json_object_get(record, "service"));
    const char *protocol = json_string_value(json_object_get(record, "protocol"));

    if (text_equal(type, "SRV"))
        return text_format("_%s._%s", service ? service : "", protocol ? protocol : "tcp");
    return text_copy(*name ? name : "@");
}

// A set has one time to live: the shortest that one of its records asks for.
static int set_ttl(const json_t *records)
{
    int ttl = -1;
    json_t *record;
    size_t i;

    json_array_foreach(records, i, record)
    {
        int own = number(record, "ttl_sec");
        if (own > 0 && (ttl < 0 || own < ttl))
            ttl = own;
    }
    return ttl;
}

static void put_set(struct cloud *cloud, struct zone *zone, const char *name, const char *type,
                    json_t *records, const char *command)
{
    rrset_put(cloud, zone, name, type, set_ttl(records), records, command);
}

static void add_to_set(struct cloud *cloud, struct zone *zone, const char *type, json_t *record,
                       const char *command)
{
    char *name = zone_name(type, record), *value = zone_value(type, record);
    const struct rrset *rrset = rrset_find(zone, name, type);
    json_t *records = rrset ? json_deep_copy(rrset->records) : json_array();

    json_object_set_new(record, "value", json_string(value));
    json_array_append(records, record);
    put_set(cloud, zone, name, type, records, command);
    json_decref(records);
    free(name), free(value);
}

static void take_from_set(struct cloud *cloud, struct zone *zone, const struct rrset *rrset, json_int_t id,
                          const char *command)
{
    json_t *rest = json_deep_copy(rrset->records);
    char *name = text_copy(rrset->name), *type = text_copy(rrset->type); // the set may go

    for (size_t i = json_array_size(rest); i-- > 0;)
        if (json_integer_value(json_object_get(json_array_get(rest, i), "id")) == id)
            json_array_remove(rest, i);
    put_set(cloud, zone, name, type, rest, command);
    json_decref(rest);
    free(name), free(type);
}

// An alias stands alone at its name (RFC 1034, 3.6.2), and nothing stands twice.
static bool fits(struct response *response, struct zone *zone, const char *type, const json_t *record)
{
    char *name = zone_name(type, record), *value = zone_value(type, record);
    bool alias = text_equal(type, "CNAME"), ok = !alias || !text_equal(name, "@");
    json_t *other;
    size_t r;

    for (size_t i = 0; ok && i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        if (strcasecmp(rrset->name, name) != 0)
            continue;
        bool same = text_equal(rrset->type, type),
             conflict = !same && (alias || text_equal(rrset->type, "CNAME"));
        json_array_foreach(rrset->records, r, other)
        {
            if (json_equal(json_object_get(other, "id"), json_object_get(record, "id")))
                continue;
            ok = ok && !conflict &&
                 !(same && (alias || text_equal(json_string_value(json_object_get(other, "value")), value)));
        }
    }
    if (!ok)
        ln_invalid(response, "name",
                   alias ? "A CNAME record must be the only record of its name"
                         : "A record of that name and target already exists");
    free(name), free(value);
    return ok;
}

static bool read_numbers(const struct request *request, struct response *response, json_t *record)
{
    static const struct {
        const char *key;
        int max;
    } numbers[] = {{"priority", 255}, {"weight", 65535}, {"port", 65535}, {"ttl_sec", INT32_MAX}};
    json_int_t value;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!ln_integer(request, response, numbers[i].key, number(record, numbers[i].key), 0, numbers[i].max,
                        &value))
            return false;
        if (text_equal(numbers[i].key, "ttl_sec"))
            value = round_nearest(value);
        json_object_set_new(record, numbers[i].key, json_integer(value));
    }
    return true;
}

static bool read_words(const struct request *request, struct response *response, const struct zone *zone,
                       json_t *record)
{
    static const char *const words[] = {"name", "target", "service", "protocol", "tag"};
    const char *text;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!ln_text(request, response, words[i], false, &text))
            return false;
        if (!text)
            continue;
        char *word = text_equal(words[i], "name") ? relative_name(zone, text) : text_copy(text);
        json_object_set_new(record, words[i], json_string(word));
        free(word);
    }
    return true;
}

// Reads the body over what the record says already.
static bool read_record(const struct request *request, struct response *response, struct zone *zone,
                        const char *type, json_t *record)
{
    if (!read_words(request, response, zone, record) || !read_numbers(request, response, record))
        return false;
    const char *name = json_string_value(json_object_get(record, "name"));
    const char *target = json_string_value(json_object_get(record, "target"));
    if (!name_valid(name))
        return ln_invalid(response, "name", "Invalid hostname"), false;
    if (!target)
        return ln_invalid(response, "target", "target is required"), false;
    if (!target_valid(type, target))
        return ln_invalid(response, "target", "Invalid target for a record of type %s", type), false;
    if (text_equal(type, "SRV") && !json_string_length(json_object_get(record, "service")))
        return ln_invalid(response, "service", "service is required"), false;
    if (text_equal(type, "CAA") && !json_string_length(json_object_get(record, "tag")))
        return ln_invalid(response, "tag", "tag is required"), false;
    return fits(response, zone, type, record);
}

static json_t *all_records(const struct cloud *cloud, const struct zone *zone)
{
    json_t *list = json_array(), *record;
    size_t r;

    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        json_array_foreach(rrset->records, r, record) if (json_object_get(record, "id"))
            json_array_append_new(list, record_json(cloud, rrset, record));
    }
    return list;
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = ln_find_domain(request, response, args[0]);

    if (zone)
        ln_list(request, response, all_records(request->cloud, zone), "name tag target type");
}

static void get(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone;
    json_t *record;
    const struct rrset *rrset = find(request, response, args, &zone, &record);

    if (rrset)
        ln_ok(response, record_json(request->cloud, rrset, record));
}

static void answer_record(const struct request *request, struct response *response, struct zone *zone,
                          json_int_t id)
{
    json_t *record;
    const struct rrset *rrset = find_set(zone, id, &record);

    ln_ok(response, record_json(request->cloud, rrset, record));
}

static bool has_room(const struct request *request, struct response *response, const struct zone *zone)
{
    json_t *all = all_records(request->cloud, zone);
    bool ok = json_array_size(all) < RECORDS_MAX;

    json_decref(all);
    if (!ok)
        ln_invalid(response, NULL, "A domain can have up to %d records", RECORDS_MAX);
    return ok;
}

static void create(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = ln_find_domain(request, response, args[0]);
    const char *type;

    if (!zone || !ln_text(request, response, "type", true, &type) || !has_room(request, response, zone))
        return;
    if (!type_known(type)) {
        ln_invalid(response, "type", "type is not valid");
        return;
    }
    json_int_t id = request->cloud->ground->next_id++;
    json_t *record = json_pack("{s:I, s:s, s:i, s:i, s:i, s:i, s:n, s:n, s:n, s:o}", "id", id, "name", "",
                               "ttl_sec", 0, "priority", 0, "weight", 0, "port", 0, "service", "protocol",
                               "tag", "created", ln_time(time(NULL)));
    if (read_record(request, response, zone, type, record)) {
        add_to_set(request->cloud, zone, type, record, "dns_record_create");
        answer_record(request, response, zone, id);
    }
    json_decref(record);
}

// A name may change, and with it the set that the record belongs to.
static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone;
    json_t *old;
    const struct rrset *rrset = find(request, response, args, &zone, &old);

    if (!rrset)
        return;
    json_int_t id = json_integer_value(json_object_get(old, "id"));
    json_t *record = json_deep_copy(old);
    char *type = text_copy(rrset->type), *name = zone_name(type, old);
    if (read_record(request, response, zone, type, record)) {
        char *new_name = zone_name(type, record), *value = zone_value(type, record);
        if (strcasecmp(name, new_name) == 0) { // in its place, so that the set is never without it
            json_object_set_new(record, "value", json_string(value));
            json_object_update(old, record);
            put_set(request->cloud, zone, rrset->name, type, rrset->records, "dns_record_update");
        } else {
            take_from_set(request->cloud, zone, rrset, id, "dns_record_update");
            add_to_set(request->cloud, zone, type, record, "dns_record_update");
        }
        free(new_name), free(value);
        answer_record(request, response, zone, id);
    }
    json_decref(record);
    free(type), free(name);
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone;
    json_t *record;
    const struct rrset *rrset = find(request, response, args, &zone, &record);

    if (!rrset)
        return;
    take_from_set(request->cloud, zone, rrset, json_integer_value(json_object_get(record, "id")),
                  "dns_record_delete");
    ln_done(response);
}

const struct route ln_record_routes[] = {
    {"GET", "domains/*/records", list},        {"POST", "domains/*/records", create},
    {"GET", "domains/*/records/*", get},       {"PUT", "domains/*/records/*", update},
    {"DELETE", "domains/*/records/*", delete}, {NULL, NULL, NULL},
};
