// Zones and their rrsets: the records as the API shows them, and the jobs that bring them to the DNS server.
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "model.h"

enum change { CHANGE_ADD_ZONE, CHANGE_REMOVE_ZONE, CHANGE_RECORDS };

struct publish {
    struct cloud *cloud;
    bool served;
    struct action *action;
    enum change change;
    int ttl;
    char zone[256];
    char commands[]; // lines for nsupdate
};

static void publish_job(void *arg)
{
    struct publish *job = arg;
    struct dns *dns = job->served ? job->cloud->ground->dns : NULL;
    struct why why;
    bool ok = true;

    if (dns && job->change == CHANGE_ADD_ZONE)
        ok = dns_zone_add(dns, job->zone, job->ttl, &why);
    else if (dns && job->change == CHANGE_REMOVE_ZONE)
        ok = dns_zone_remove(dns, job->zone, &why);
    if (dns && ok && *job->commands)
        ok = dns_update(dns, job->zone, job->commands, &why);
    ground_lock(job->cloud->ground);
    action_finish(job->action, ok ? NULL : why.text);
    ground_unlock(job->cloud->ground);
    if (!ok)
        log_line("zone '%s': %s", job->zone, why.text);
    free(job);
}

static struct action *publish(struct cloud *cloud, const struct zone *zone, enum change change,
                              const char *commands, const char *command)
{
    struct publish *job = zalloc(sizeof *job + strlen(commands) + 1);

    job->cloud = cloud;
    job->served = zone->served;
    job->change = change;
    job->ttl = zone->ttl;
    job->action = action_start(cloud, command, "zone", zone->id);
    snprintf(job->zone, sizeof job->zone, "%s", zone->name);
    strcpy(job->commands, commands); // NOLINT: allocated to fit
    jobs_add(cloud->ground->dns_jobs, 0, publish_job, free, job);
    return job->action;
}

struct zone *zone_find(struct cloud *cloud, const char *id_or_name)
{
    char *end;
    long long id = strtoll(id_or_name, &end, 10);

    for (size_t i = 0; i < cloud->zones.count; i++) {
        struct zone *zone = cloud->zones.items[i];
        if (*end == '\0' ? zone->id == id : text_equal(zone->name, id_or_name))
            return zone;
    }
    return NULL;
}

static struct rrset *rrset_add(struct zone *zone, const char *name, const char *type)
{
    struct rrset *rrset = zalloc(sizeof *rrset);

    *rrset = (struct rrset){.name = text_copy(name),
                            .type = text_copy(type),
                            .ttl = -1,
                            .records = json_array(),
                            .labels = json_object(),
                            .created = time(NULL)};
    array_add(&zone->rrsets, rrset);
    return rrset;
}

static void rrset_free(struct rrset *rrset)
{
    json_decref(rrset->records);
    json_decref(rrset->labels);
    free(rrset->name), free(rrset->type), free(rrset);
}

static void add_value(struct rrset *rrset, const char *value)
{
    json_array_append_new(rrset->records, json_pack("{s:s}", "value", value));
}

static bool is_served(const struct ground *ground, const char *name)
{
    for (size_t c = 0; c < ground->clouds.count; c++) {
        const struct cloud *cloud = ground->clouds.items[c];
        for (size_t i = 0; i < cloud->zones.count; i++) {
            const struct zone *zone = cloud->zones.items[i];
            if (zone->served && text_equal(zone->name, name))
                return true;
        }
    }
    return false;
}

struct zone *zone_create(struct cloud *cloud, const char *name, int ttl, json_t *labels,
                         struct action **action)
{
    struct zone *zone = zalloc(sizeof *zone);

    *zone = (struct zone){.id = cloud->ground->next_id++,
                          .name = text_copy(name),
                          .ttl = ttl,
                          .served = !is_served(cloud->ground, name),
                          .labels = labels ? json_deep_copy(labels) : json_object(),
                          .created = time(NULL)};
    array_add(&cloud->zones, zone);
    struct rrset *soa = rrset_add(zone, "@", "SOA"), *ns = rrset_add(zone, "@", "NS");
    char *value = text_format("%s %s %lld 86400 10800 3600000 300", dns_nameservers[0], dns_hostmaster,
                              (long long)zone->created);
    add_value(soa, value);
    free(value);
    soa->fixed = true;
    for (size_t i = 0; dns_nameservers[i]; i++)
        add_value(ns, dns_nameservers[i]);
    *action = publish(cloud, zone, CHANGE_ADD_ZONE, "", "create_zone");
    return zone;
}

struct action *zone_delete(struct cloud *cloud, struct zone *zone)
{
    struct action *action = publish(cloud, zone, CHANGE_REMOVE_ZONE, "", "delete_zone");

    array_remove(&cloud->zones, zone);
    for (size_t i = 0; i < zone->rrsets.count; i++)
        rrset_free(zone->rrsets.items[i]);
    array_free(&zone->rrsets);
    json_decref(zone->labels);
    free(zone->name), free(zone);
    return action;
}

struct rrset *rrset_find(struct zone *zone, const char *name, const char *type)
{
    for (size_t i = 0; i < zone->rrsets.count; i++) {
        struct rrset *rrset = zone->rrsets.items[i];
        if (strcasecmp(rrset->name, name) == 0 && strcasecmp(rrset->type, type) == 0)
            return rrset;
    }
    return NULL;
}

static char *full_name(const struct zone *zone, const char *name)
{
    return text_equal(name, "@") ? text_format("%s.", zone->name) : text_format("%s.%s.", name, zone->name);
}

// In a zone file, names without a dot at the end are relative to the zone; nsupdate takes them relative to
// the root.
static char *full_value(const struct zone *zone, const char *type, const char *value)
{
    static const char *const ends_in_name[] = {"CNAME", "MX", "NS", "PTR", "SRV", NULL};
    bool name = false;

    for (size_t i = 0; ends_in_name[i]; i++)
        name |= strcasecmp(type, ends_in_name[i]) == 0;
    size_t length = strlen(value);
    if (!name || length == 0 || value[length - 1] == '.')
        return text_copy(value);
    if (value[length - 1] == '@')
        return text_format("%.*s%s.", (int)length - 1, value, zone->name);
    return text_format("%s.%s.", value, zone->name);
}

static char *update_lines(const struct zone *zone, const struct rrset *rrset)
{
    char *name = full_name(zone, rrset->name);
    char *lines = text_format("update delete %s %s\n", name, rrset->type);
    int ttl = rrset->ttl >= 0 ? rrset->ttl : zone->ttl;
    size_t i;
    json_t *record;

    json_array_foreach(rrset->records, i, record)
    {
        char *value = full_value(zone, rrset->type, json_string_value(json_object_get(record, "value")));
        char *more = text_format("%supdate add %s %d %s %s\n", lines, name, ttl, rrset->type, value);
        free(lines), free(value);
        lines = more;
    }
    free(name);
    return lines;
}

struct action *rrset_put(struct cloud *cloud, struct zone *zone, const char *name, const char *type, int ttl,
                         json_t *records, const char *command)
{
    struct rrset *rrset = rrset_find(zone, name, type);

    if (!rrset)
        rrset = rrset_add(zone, name, type);
    rrset->ttl = ttl;
    json_t *copy = json_deep_copy(records); // before the old list goes: they may be the same
    json_decref(rrset->records);
    rrset->records = copy;
    char *lines = update_lines(zone, rrset);
    struct action *action = publish(cloud, zone, CHANGE_RECORDS, lines, command);
    free(lines);
    if (json_array_size(rrset->records) == 0) {
        array_remove(&zone->rrsets, rrset);
        rrset_free(rrset);
    }
    return action;
}
