// /databases: managed PostgreSQL. A backup is restored to a new cluster, never over an old one; nothing
// answers at its address.
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { PORT = 25060, NODES_MAX = 3, BACKUPS_MAX = 7, BACKUP_INTERVAL_S = 86400 };

static const char user[] = "doadmin", database_name[] = "defaultdb";

// A token without the scope database:view_credentials sees everything else.
static json_t *connection_json(const struct request *request, const struct database *database,
                               const char *domain)
{
    const char *password = request_token(request) == TOKEN_FULL ? database->password : "";
    char *host = text_format("%s-do-user-1-0.%s", database->name, domain);
    char *uri =
        text_format("postgresql://%s:%s@%s:%d/%s?sslmode=require", user, password, host, PORT, database_name);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b}", "protocol", "postgresql", "uri", uri,
                             "database", database_name, "host", host, "port", PORT, "user", user, "password",
                             password, "ssl", 1);

    free(host), free(uri);
    return json;
}

static const char *status_name(const struct database *database)
{
    if (database->ready)
        return "online";
    return database->restored_from ? "forking" : "creating";
}

static json_t *database_json(const struct request *request, const struct database *database)
{
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:O, s:[s], s:o, s:o, s:[{s:s, s:s}], s:n, "
        "s:o}",
        "id", ocean_uuid(database->id), "name", database->name, "engine", database->engine, "version",
        database->version, "semantic_version", database->version, "num_nodes", database->nodes, "size",
        database->size, "region", database->region, "status", status_name(database), "created_at",
        ocean_time(database->created), "private_network_uuid", ocean_uuid(1), "tags",
        json_object_get(database->extra, "tags"), "db_names", database_name, "connection",
        connection_json(request, database, "db.localcloud.test"), "private_connection",
        connection_json(request, database, "private.db.localcloud.test"), "users", "name", user, "role",
        "primary", "maintenance_window", "project_id", ocean_uuid(2));
}

static struct database *find_database(const struct request *request, struct response *response,
                                      const char *uuid)
{
    struct database *database = database_find(request->cloud, uuid_id(uuid));

    if (!database)
        ocean_not_found(response);
    return database;
}

static struct database *find_by_name(struct cloud *cloud, const char *name)
{
    for (size_t i = 0; i < cloud->databases.count; i++) {
        struct database *database = cloud->databases.items[i];
        if (text_equal(database->name, name))
            return database_find(cloud, database->id);
    }
    return NULL;
}

// When backups were taken, the newest first: one when the cluster came up, then one a day.
static size_t backup_times(const struct database *database, time_t ret[BACKUPS_MAX])
{
    size_t count = 0;

    if (!database->ready)
        return 0;
    time_t newest =
        database->oldest + (database->newest - database->oldest) / BACKUP_INTERVAL_S * BACKUP_INTERVAL_S;
    for (time_t at = newest; at >= database->oldest && count < BACKUPS_MAX; at -= BACKUP_INTERVAL_S)
        ret[count++] = at;
    return count;
}

static void list_databases(const struct request *request, struct response *response, const char *const args[])
{
    const char *tag = request_query(request, "tag_name");
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->databases.count; i++) {
        const struct database *database = request->cloud->databases.items[i];
        if (!tag || ocean_tagged(json_object_get(database->extra, "tags"), tag))
            json_array_append_new(list, database_json(request, database));
    }
    ocean_ok(response, 200, json_pack("{s:o}", "databases", list)); // in one page
}

static void get_database(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find_database(request, response, args[0]);

    if (database)
        ocean_ok(response, 200, json_pack("{s:o}", "database", database_json(request, database)));
}

static void list_backups(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find_database(request, response, args[0]);
    time_t times[BACKUPS_MAX];
    json_t *list = json_array();

    if (!database) {
        json_decref(list);
        return;
    }
    for (size_t i = 0, count = backup_times(database, times); i < count; i++)
        json_array_append_new(list, json_pack("{s:o, s:f, s:b}", "created_at", ocean_time(times[i]),
                                              "size_gigabytes", 0.03, "incremental", 0));
    ocean_ok(response, 200, json_pack("{s:o}", "backups", list));
}

struct order {
    const char *name, *engine, *version, *size, *region;
    int nodes;
    const struct database *source; // NULL = an empty cluster
    time_t at;                     // 0 = its newest backup
};

static bool read_backup(const struct request *request, struct response *response, struct order *order)
{
    const json_t *restore = json_object_get(request->body, "backup_restore");
    const char *name = json_string_value(json_object_get(restore, "database_name"));
    const char *at = json_string_value(json_object_get(restore, "backup_created_at"));
    time_t times[BACKUPS_MAX];
    char text[32];

    if (!restore)
        return true;
    order->source = name ? find_by_name(request->cloud, name) : NULL;
    if (!order->source)
        return ocean_error(response, 404, "the database cluster '%s' does not exist", name ? name : ""),
               false;
    size_t count = backup_times(order->source, times);
    for (size_t i = 0; i < count; i++) {
        time_text(times[i], text);
        if (!at || text_equal(at, text)) {
            order->at = times[i];
            return true;
        }
    }
    ocean_invalid(response, "there is no backup '%s' of the database cluster", at ? at : "newest");
    return false;
}

static bool version_valid(const char *version)
{
    int64_t number = ocean_id(version);

    return number >= 13 && number <= 18;
}

static bool read_order(const struct request *request, struct response *response, struct order *order)
{
    json_int_t nodes = json_integer_value(json_object_get(request->body, "num_nodes"));

    if (!ocean_text(request, response, "name", true, &order->name) ||
        !ocean_text(request, response, "engine", true, &order->engine) ||
        !ocean_text(request, response, "size", true, &order->size) ||
        !ocean_text(request, response, "region", true, &order->region) ||
        !ocean_text(request, response, "version", false, &order->version) ||
        !ocean_tags_valid(response, json_object_get(request->body, "tags")))
        return false;
    if (!text_equal(order->engine, "pg"))
        return ocean_invalid(response, "only the engine pg is part of the local cloud"), false;
    if (nodes < 1 || nodes > NODES_MAX)
        return ocean_invalid(response, "num_nodes must be between 1 and %d", NODES_MAX), false;
    if (!ocean_region_known(order->region))
        return ocean_invalid(response, "invalid region"), false;
    if (!text_starts(order->size, "db-s-") && !text_starts(order->size, "gd-") &&
        !text_starts(order->size, "so1_5-"))
        return ocean_invalid(response, "invalid size"), false;
    if (order->version && !version_valid(order->version))
        return ocean_invalid(response, "invalid cluster engine version"), false;
    if (find_by_name(request->cloud, order->name))
        return ocean_invalid(response, "cluster name is not available"), false;
    order->nodes = (int)nodes;
    return read_backup(request, response, order);
}

static void create_database(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct order order = {0};

    (void)args;
    if (!read_order(request, response, &order))
        return;
    const char *version = order.version ? order.version : order.source ? order.source->version : "17";
    struct database *database =
        database_create(request->cloud, order.name, order.engine, version, order.region, order.size,
                        order.source ? order.source->id : 0, order.at);
    database->nodes = order.nodes;
    json_object_set_new(database->extra, "tags",
                        ocean_tags_take(request->cloud, json_object_get(request->body, "tags")));
    ocean_ok(response, 201, json_pack("{s:o}", "database", database_json(request, database)));
}

static void delete_database(const struct request *request, struct response *response,
                            const char *const args[])
{
    struct database *database = find_database(request, response, args[0]);

    if (!database)
        return;
    database_delete(request->cloud, database);
    ocean_ok(response, 204, NULL);
}

const struct route ocean_database_routes[] = {
    {"GET", "databases", list_databases},         {"POST", "databases", create_database},
    {"GET", "databases/*", get_database},         {"DELETE", "databases/*", delete_database},
    {"GET", "databases/*/backups", list_backups}, {NULL, NULL, NULL},
};
