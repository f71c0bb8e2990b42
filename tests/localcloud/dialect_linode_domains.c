// /domains: zones. What the model's zone has no field for stands in its labels.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { TTL_DEFAULT = 86400 };

static const char *const times[] = {"ttl_sec", "refresh_sec", "retry_sec", "expire_sec"};
enum { TIMES = sizeof times / sizeof *times };

json_t *ln_domain_json(const struct cloud *cloud, const struct zone *zone)
{
    json_t *json = json_deep_copy(zone->labels);

    json_object_set_new(json, "id", json_integer(zone->id));
    json_object_set_new(json, "domain", json_string(zone->name));
    json_object_set_new(json, "type", json_string("master"));
    json_object_set_new(json, "master_ips", json_array());
    json_object_set_new(json, "axfr_ips", json_array());
    if (!cloud->ground->settings.published) { // the live API tells them, and clients read them
        json_object_set_new(json, "created", ln_time(zone->created));
        json_object_set_new(json, "updated", ln_time(zone->created));
    }
    return json;
}

struct zone *ln_find_domain(const struct request *request, struct response *response, const char *id)
{
    struct zone *zone = isdigit((unsigned char)*id) ? zone_find(request->cloud, id) : NULL;
    char own[24] = "";

    if (zone)
        snprintf(own, sizeof own, "%lld", (long long)zone->id);
    if (zone && text_equal(own, id)) // by id alone: a name is no key here
        return zone;
    ln_not_found(response);
    return NULL;
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->zones.count; i++)
        json_array_append_new(list, ln_domain_json(request->cloud, request->cloud->zones.items[i]));
    ln_list(request, response, list, "domain group tags");
}

static bool name_valid(const char *name)
{
    size_t label = 0, dots = 0, size = strlen(name);

    for (const char *p = name; *p; p++) {
        if (*p == '.') {
            if (label == 0 || label > 63)
                return false;
            dots++;
            label = 0;
        } else if (isalnum((unsigned char)*p) || *p == '-' || *p == '_') {
            label++;
        } else {
            return false;
        }
    }
    return dots > 0 && label >= 2 && label <= 63 && size <= 253;
}

// Times are rounded up to the next of these; 0 stands for the provider's default.
static json_int_t round_up(json_int_t seconds)
{
    static const json_int_t valid[] = {0,     30,    120,    300,    3600,   7200,    14400,  28800,
                                       57600, 86400, 172800, 345600, 604800, 1209600, 2419200};

    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        if (seconds <= valid[i])
            return valid[i];
    return valid[sizeof valid / sizeof *valid - 1];
}

// Reads what a domain can be told besides its name into `labels`.
static bool read_settings(const struct request *request, struct response *response, json_t *labels)
{
    json_t *tags = json_object_get(request->body, "tags");
    const char *status, *email, *description;
    json_int_t seconds;

    if (!ln_text(request, response, "status", false, &status) ||
        !ln_text(request, response, "soa_email", false, &email) ||
        !ln_text(request, response, "description", false, &description) || !ln_tags_valid(response, tags))
        return false;
    for (size_t i = 0; i < TIMES; i++) {
        if (!ln_integer(request, response, times[i], json_integer_value(json_object_get(labels, times[i])), 0,
                        INT32_MAX, &seconds))
            return false;
        json_object_set_new(labels, times[i], json_integer(round_up(seconds)));
    }
    if (status && !text_equal(status, "active") && !text_equal(status, "disabled"))
        return ln_invalid(response, "status", "status must be one of: active, disabled"), false;
    if (email && !strchr(email, '@'))
        return ln_invalid(response, "soa_email", "soa_email is not valid"), false;
    if (status)
        json_object_set_new(labels, "status", json_string(status));
    if (email)
        json_object_set_new(labels, "soa_email", json_string(email));
    if (description)
        json_object_set_new(labels, "description", json_string(description));
    if (json_is_array(tags))
        json_object_set_new(labels, "tags", json_deep_copy(tags));
    return true;
}

static bool read_name(const struct request *request, struct response *response, const struct zone *self)
{
    const char *name, *type;

    if (!ln_text(request, response, "domain", !self, &name) ||
        !ln_text(request, response, "type", !self, &type))
        return false;
    if (type && !text_equal(type, "master"))
        return ln_invalid(response, "type", "only master domains are part of the local cloud"), false;
    if (self && name && !text_equal(name, self->name))
        return ln_invalid(response, "domain", "domains of the local cloud keep their names"), false;
    if (!self && !name_valid(name))
        return ln_invalid(response, "domain", "domain is not valid"), false;
    if (!self && zone_find(request->cloud, name))
        return ln_invalid(response, "domain", "DNS zone already exists."), false;
    return true;
}

static int default_ttl(const json_t *labels)
{
    int ttl = (int)json_integer_value(json_object_get(labels, "ttl_sec"));

    return ttl ? ttl : TTL_DEFAULT;
}

static void create(const struct request *request, struct response *response, const char *const args[])
{
    json_t *labels =
        json_pack("{s:[], s:s, s:n, s:s, s:i, s:i, s:i, s:i}", "tags", "status", "active", "description",
                  "group", "", "ttl_sec", 0, "refresh_sec", 0, "retry_sec", 0, "expire_sec", 0);
    struct action *action;

    (void)args;
    if (request->cloud->ground->settings.published) // there, a group that is none has to be null
        json_object_set_new(labels, "group", json_null());
    if (read_name(request, response, NULL) && read_settings(request, response, labels)) {
        const char *name = json_string_value(json_object_get(request->body, "domain"));
        if (!json_object_get(labels, "soa_email"))
            ln_invalid(response, "soa_email", "soa_email required when type=master");
        else
            ln_ok(response,
                  ln_domain_json(request->cloud,
                                 zone_create(request->cloud, name, default_ttl(labels), labels, &action)));
    }
    json_decref(labels);
}

static void get(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = ln_find_domain(request, response, args[0]);

    if (zone)
        ln_ok(response, ln_domain_json(request->cloud, zone));
}

// Publishes every set again: records without a TTL of their own follow the domain's.
static void publish_again(struct cloud *cloud, struct zone *zone)
{
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        if (rrset->ttl < 0 && !rrset->fixed)
            rrset_put(cloud, zone, rrset->name, rrset->type, -1, rrset->records, "dns_zone_update");
    }
}

static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = ln_find_domain(request, response, args[0]);

    if (!zone || !read_name(request, response, zone))
        return;
    json_t *labels = json_deep_copy(zone->labels);
    if (!read_settings(request, response, labels)) {
        json_decref(labels);
        return;
    }
    json_decref(zone->labels);
    zone->labels = labels;
    if (zone->ttl != default_ttl(labels)) {
        zone->ttl = default_ttl(labels);
        publish_again(request->cloud, zone);
    }
    ln_ok(response, ln_domain_json(request->cloud, zone));
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = ln_find_domain(request, response, args[0]);

    if (!zone)
        return;
    zone_delete(request->cloud, zone);
    ln_done(response);
}

// In the form of the document's example; the only place that tells the domain's own name servers.
static void get_zone_file(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = ln_find_domain(request, response, args[0]);
    json_t *lines, *record;
    size_t r;

    if (!zone)
        return;
    lines = json_pack("[o, o]", json_sprintf("; %s [%lld]", zone->name, (long long)zone->id),
                      json_sprintf("$TTL %d", zone->ttl));
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        const struct rrset *rrset = zone->rrsets.items[i];
        json_array_foreach(rrset->records, r, record) json_array_append_new(
            lines, json_sprintf("%s  %s%s  %s", rrset->name, rrset->fixed ? "IN  " : "  ", rrset->type,
                                json_string_value(json_object_get(record, "value"))));
    }
    ln_ok(response, json_pack("{s:o}", "zone_file", lines));
}

const struct route ln_domain_routes[] = {
    {"GET", "domains", list},
    {"POST", "domains", create},
    {"GET", "domains/*", get},
    {"PUT", "domains/*", update},
    {"DELETE", "domains/*", delete},
    {"GET", "domains/*/zone-file", get_zone_file},
    {NULL, NULL, NULL},
};
