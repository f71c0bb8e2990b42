// Managed databases: clusters that can be restored beside (same plan and region) or forked (anywhere).
#include <stdlib.h>
#include <string.h>

#include "dialect_vultr.h"

static const struct db_plan {
    const char *id;
    int nodes, cores, memory_mb, disk_gb, monthly, connections;
} plans[] = {
    {"vultr-dbaas-hobbyist-cc-1-25-1", 1, 1, 1024, 25, 15, 22},
    {"vultr-dbaas-startup-cc-1-55-2", 1, 1, 2048, 55, 30, 47},
    {"vultr-dbaas-startup-cc-2-80-4", 1, 2, 4096, 80, 60, 97},
    {"vultr-dbaas-business-cc-1-55-2", 2, 1, 2048, 55, 60, 47},
    {"vultr-dbaas-business-cc-2-80-4", 2, 2, 4096, 80, 120, 97},
};
enum { PLANS = sizeof plans / sizeof *plans };
static const char *const regions[] = {"ams", "ewr", "fra", "lax", "lhr", "nrt", "sgp", "sto"};
enum { REGIONS = sizeof regions / sizeof *regions };

static const struct db_plan *plan_find(const char *id)
{
    for (size_t i = 0; i < PLANS; i++)
        if (text_equal(plans[i].id, id))
            return &plans[i];
    return NULL;
}

// Databases' regions are written in capitals in answers (the document's examples); both are taken.
static const char *region_find(const char *name)
{
    for (size_t i = 0; i < REGIONS; i++)
        if (strcasecmp(regions[i], name) == 0)
            return regions[i];
    return NULL;
}

static json_t *capitals(const char *text)
{
    char out[16] = "";

    for (size_t i = 0; text[i] && i + 1 < sizeof out; i++)
        out[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    return json_string(out);
}

static struct database *find_database(const struct request *request, struct response *response,
                                      const char *id)
{
    struct database *database = database_find(request->cloud, uuid_id(id));

    if (!database)
        vt_not_found(response, "database");
    return database;
}

static json_t *plain_time(time_t when) // "2022-05-09 10:13:31"
{
    struct tm parts;
    char text[32];

    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return json_string(text);
}

static json_t *database_json(const struct database *database)
{
    const struct db_plan *plan = plan_find(database->size);
    json_t *trusted = json_object_get(database->extra, "trusted_ips");
    char *host = text_format("vultr-prod-%lld.databases.localcloud.test", (long long)database->id);
    json_t *json = json_pack(
        "{s:o, s:o, s:s, s:i, s:i, s:i, s:i, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
        "s:s, "
        "s:s, s:s, s:s, s:o, s:O?, s:s, s:[], s:s, s:[]}",
        "id", vt_id(database->id), "date_created", plain_time(database->created), "plan", plan->id,
        "plan_disk", plan->disk_gb, "plan_ram", plan->memory_mb, "plan_vcpus", plan->cores, "plan_replicas",
        plan->nodes - 1, "region", capitals(database->region), "database_engine", database->engine,
        "database_engine_version", database->version, "vpc_id", "", "status",
        database->ready ? "Running" : "Rebuilding", "label", database->name, "tag",
        vt_member(database->extra, "tag"), "dbname", "defaultdb", "host", host, "user", "vultradmin",
        "password", database->password, "port", "16751", "maintenance_dow", "sunday", "maintenance_time",
        "06:00:00", "backup_hour", "23", "backup_minute", "57", "latest_backup", plain_time(database->newest),
        "trusted_ips", trusted, "ca_certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "pg_available_extensions", "cluster_time_zone", "UTC", "read_replicas");
    free(host);
    return json;
}

// No pages here: meta has the total alone.
static void list_databases(const struct request *request, struct response *response, const char *const args[])
{
    const char *region = request_query(request, "region");
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->databases.count; i++) {
        const struct database *database = request->cloud->databases.items[i];
        database = database_find(request->cloud, database->id); // looks at the clock
        if (request_query_has(request, "label", database->name) &&
            request_query_has(request, "tag", vt_member(database->extra, "tag")) &&
            (!region || strcasecmp(region, database->region) == 0))
            json_array_append_new(list, database_json(database));
    }
    int total = (int)json_array_size(list);
    vt_ok(response, 200, json_pack("{s:o, s:{s:i}}", "databases", list, "meta", "total", total));
}

static bool read_place(const struct request *request, struct response *response, const char **region,
                       const char **plan)
{
    const char *name;

    if (!vt_text(request, response, "region", true, &name) || !vt_text(request, response, "plan", true, plan))
        return false;
    *region = region_find(name);
    if (!*region)
        vt_error(response, 400, "Invalid region.");
    else if (!plan_find(*plan))
        vt_error(response, 400, "Invalid plan chosen.");
    else if (request->effect.out_of_stock || !stock_available(request->cloud, *plan, *region))
        vt_error(response, 400, "plan is not available in the selected region");
    else
        return true;
    return false;
}

static bool version_valid(const char *engine, const char *version)
{
    static const char *const known[] = {"pg 13", "pg 14",   "pg 15",    "pg 16",
                                        "pg 17", "mysql 8", "valkey 7", "valkey 8"};
    char wanted[32];

    snprintf(wanted, sizeof wanted, "%s %s", engine, version);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(known[i], wanted))
            return true;
    return false;
}

static bool change_rest(const struct request *request, struct response *response, struct database *database)
{
    json_t *trusted = json_object_get(request->body, "trusted_ips");
    const char *label, *tag;

    if (!vt_text(request, response, "label", false, &label) ||
        !vt_text(request, response, "tag", false, &tag))
        return false;
    if (label) {
        free(database->name);
        database->name = text_copy(label);
    }
    if (tag)
        json_object_set_new(database->extra, "tag", json_string(tag));
    if (json_is_array(trusted))
        json_object_set_new(database->extra, "trusted_ips", json_deep_copy(trusted));
    else if (!json_object_get(database->extra, "trusted_ips"))
        json_object_set_new(database->extra, "trusted_ips", json_array());
    return true;
}

static void answer(struct response *response, int status, const struct database *database)
{
    vt_ok(response, status, json_pack("{s:o}", "database", database_json(database)));
}

static void create_database(const struct request *request, struct response *response,
                            const char *const args[])
{
    const char *engine, *version, *region, *plan, *label, *tag;

    (void)args;
    if (!vt_text(request, response, "database_engine", true, &engine) ||
        !vt_text(request, response, "database_engine_version", true, &version) ||
        !vt_text(request, response, "label", true, &label) ||
        !vt_text(request, response, "tag", false, &tag) || !read_place(request, response, &region, &plan))
        return;
    if (!version_valid(engine, version)) {
        vt_error(response, 400, "Invalid database engine or version.");
        return;
    }
    struct database *database = database_create(request->cloud, label, engine, version, region, plan, 0, 0);
    if (change_rest(request, response, database))
        answer(response, 201, database);
}

static void get_database(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find_database(request, response, args[0]);

    if (database)
        answer(response, 200, database);
}

static void update_database(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct database *database = find_database(request, response, args[0]);

    if (!database)
        return;
    if (json_object_get(request->body, "plan") || json_object_get(request->body, "region"))
        vt_error(response, 400, "Migrating a database is not part of the local cloud.");
    else if (change_rest(request, response, database))
        answer(response, 202, database);
}

static void delete_database(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct database *database = find_database(request, response, args[0]);

    if (!database)
        return;
    database_delete(request->cloud, database);
    vt_empty(response);
}

static json_t *date_and_time(time_t when)
{
    struct tm parts;
    char date[16], time[16];

    gmtime_r(&when, &parts);
    strftime(date, sizeof date, "%Y-%m-%d", &parts);
    strftime(time, sizeof time, "%H:%M:%S", &parts);
    return json_pack("{s:s, s:s}", "date", date, "time", time);
}

static void get_backups(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find_database(request, response, args[0]);

    if (database)
        vt_ok(response, 200,
              json_pack("{s:o, s:o}", "latest_backup", date_and_time(database->newest), "oldest_backup",
                        date_and_time(database->oldest)));
}

// UTC. The document describes the time as HH-MM-SS and shows it as HH:MM:SS; both are taken.
static bool parse_moment(const char *date, const char *time, time_t *ret)
{
    struct tm parts = {0};
    char text[64];
    const char *end;

    if (strlen(date) != 10 || strlen(time) != 8)
        return false;
    snprintf(text, sizeof text, "%s %s", date, time);
    end = strptime(text, time[2] == '-' ? "%Y-%m-%d %H-%M-%S" : "%Y-%m-%d %H:%M:%S", &parts);
    *ret = end && !*end ? timegm(&parts) : 0;
    return *ret != 0;
}

// *ret 0: the latest backup.
static bool read_moment(const struct request *request, struct response *response,
                        const struct database *source, time_t *ret)
{
    const char *type, *date, *time;

    *ret = 0;
    if (!vt_text(request, response, "type", false, &type) ||
        !vt_text(request, response, "date", false, &date) ||
        !vt_text(request, response, "time", false, &time))
        return false;
    if (!source->ready)
        return vt_error(response, 400, "Unable to restore: there is no backup yet."), false;
    if (!type || text_equal(type, "basebackup"))
        return true;
    if (!text_equal(type, "pitr"))
        return vt_error(response, 400, "Invalid restore type."), false;
    if (!date || !time)
        return vt_error(response, 400, "Missing required parameters: date and time"), false;
    if (!parse_moment(date, time, ret))
        return vt_error(response, 400, "Invalid date or time."), false;
    if (*ret < source->oldest || *ret > source->newest)
        return vt_error(response, 400, "Invalid date or time: outside of the backups."), false;
    return true;
}

static void copy_database(const struct request *request, struct response *response,
                          const struct database *source, const char *region, const char *plan)
{
    const char *label;
    time_t at;

    if (!vt_text(request, response, "label", true, &label) || !read_moment(request, response, source, &at))
        return;
    struct database *copy =
        database_create(request->cloud, label, source->engine, source->version, region, plan, source->id, at);
    if (change_rest(request, response, copy))
        answer(response, 200, copy);
}

static void restore_database(const struct request *request, struct response *response,
                             const char *const args[])
{
    const struct database *source = find_database(request, response, args[0]);

    if (source)
        copy_database(request, response, source, source->region, source->size);
}

static void fork_database(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *source = find_database(request, response, args[0]);
    const char *region, *plan;

    if (source && read_place(request, response, &region, &plan))
        copy_database(request, response, source, region, plan);
}

static void list_plans(const struct request *request, struct response *response, const char *const args[])
{
    const char *region = request_query(request, "region");
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < PLANS && (!region || region_find(region)); i++) {
        const struct db_plan *plan = &plans[i];
        json_t *locations = json_array();
        for (size_t r = 0; r < REGIONS; r++)
            json_array_append_new(locations, capitals(regions[r]));
        json_array_append_new(
            list,
            json_pack("{s:s, s:i, s:s, s:i, s:i, s:i, s:i, s:{s:b, s:b, s:b, s:b}, s:{s:i, s:i}, s:o}", "id",
                      plan->id, "number_of_nodes", plan->nodes, "type", "vc2", "vcpu_count", plan->cores,
                      "ram", plan->memory_mb, "disk", plan->disk_gb, "monthly_cost", plan->monthly,
                      "supported_engines", "mysql", 1, "pg", 1, "valkey", 1, "kafka", 0, "max_connections",
                      "mysql", plan->connections * 3, "pg", plan->connections, "locations", locations));
    }
    vt_ok(response, 200, json_pack("{s:o}", "plans", list));
}

const struct route vt_database_routes[] = {
    {"GET", "databases", list_databases},        {"POST", "databases", create_database},
    {"GET", "databases/plans", list_plans},      {"GET", "databases/*", get_database},
    {"PUT", "databases/*", update_database},     {"DELETE", "databases/*", delete_database},
    {"GET", "databases/*/backups", get_backups}, {"POST", "databases/*/restore", restore_database},
    {"POST", "databases/*/fork", fork_database}, {NULL, NULL, NULL},
};
