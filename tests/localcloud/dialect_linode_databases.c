// /databases: managed PostgreSQL. A restore is a fork: a new cluster from an old one, as of a time. Nothing
// answers at a cluster's address.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

enum { LABEL_MIN = 3, LABEL_MAX = 32 };

static const char filterable[] = "engine label platform region status type version";

static json_t *fork_json(const struct database *database)
{
    json_t *json = json_pack("{s:I}", "source", (json_int_t)database->restored_from);

    if (database->restored_to)
        json_object_set_new(json, "restore_time", ln_time(database->restored_to));
    return json;
}

static json_t *base_json(const struct cloud *cloud, const struct database *database)
{
    char *primary = text_format("a%lld-akamai-prod-1-default.localcloud.test", (long long)database->id);
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:i, s:b, s:O, s:o, s:o, s:s}", "id",
        (json_int_t)database->id, "label", database->name, "type", database->size, "region", database->region,
        "engine", "postgresql", "version", database->version, "cluster_size", database->nodes, "status",
        database->ready ? "active" : "provisioning", "port", 23456, "encrypted", 1, "allow_list",
        json_object_get(database->extra, "allow_list"), "created", ln_time(database->created), "updated",
        ln_time(database->created), "platform", "rdbms-default");
    json_t *more = json_pack("{s:{s:s, s:n}, s:{s:s}, s:{s:s, s:i, s:i, s:i, s:[]}, s:i, s:i}", "hosts",
                             "primary", primary, "secondary", "members", "198.18.0.60", "primary", "updates",
                             "frequency", "weekly", "duration", 3, "hour_of_day", 0, "day_of_week", 1,
                             "pending", "total_disk_size_gb", 15, "used_disk_size_gb", 2);

    json_object_update_missing(json, more);
    json_decref(more);
    free(primary);
    if (database->restored_from)
        json_object_set_new(json, "fork", fork_json(database));
    else
        ln_set_null(cloud, json, "fork");
    return json;
}

// The window of restores shows once the cluster is there.
static void add_oldest(const struct cloud *cloud, const struct database *database, json_t *json)
{
    if (database->ready)
        json_object_set_new(json, "oldest_restore_time", ln_time(database->oldest));
    else
        ln_set_null(cloud, json, "oldest_restore_time");
}

static json_t *postgresql_json(const struct cloud *cloud, const struct database *database)
{
    json_t *json = base_json(cloud, database);

    json_object_set_new(json, "ssl_connection", json_true());
    add_oldest(cloud, database, json);
    return json;
}

static json_t *instance_json(const struct cloud *cloud, const struct database *database)
{
    json_t *json = base_json(cloud, database);
    char *uri = text_format("/v4/databases/postgresql/instances/%lld", (long long)database->id);

    json_object_set_new(json, "instance_uri", json_string(uri));
    add_oldest(cloud, database, json);
    free(uri);
    return json;
}

static struct database *find(const struct request *request, struct response *response, const char *id)
{
    char *end;
    struct database *database = database_find(request->cloud, strtoll(id, &end, 10));

    if (!database || *end) {
        ln_not_found(response);
        return NULL;
    }
    return database;
}

static void list_with(const struct request *request, struct response *response,
                      json_t *(*json)(const struct cloud *, const struct database *))
{
    json_t *list = json_array();

    for (size_t i = 0; i < request->cloud->databases.count; i++)
        json_array_append_new(list, json(request->cloud, request->cloud->databases.items[i]));
    ln_list(request, response, list, filterable);
}

static void list_all(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    list_with(request, response, instance_json);
}

static void list(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    list_with(request, response, postgresql_json);
}

static void get(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find(request, response, args[0]);

    if (database)
        ln_ok(response, postgresql_json(request->cloud, database));
}

// "postgresql/16" -> "16.4"
static const char *engine_version(const char *engine)
{
    static const char *const versions[] = {"16.4", "15.8", "14.13"};

    for (size_t i = 0; text_starts(engine, "postgresql/") && i < sizeof versions / sizeof *versions; i++)
        if (strlen(engine) == 13 && strncmp(engine + 11, versions[i], 2) == 0)
            return versions[i];
    return NULL;
}

struct order {
    const char *label, *type, *region, *version;
    int64_t source;
    time_t at;
};

// The source must have the moment that is asked for.
static bool read_fork(const struct request *request, struct response *response, struct order *order)
{
    const json_t *fork = json_object_get(request->body, "fork"), *at = json_object_get(fork, "restore_time");

    if (!fork || json_is_null(fork))
        return true;
    order->source = json_integer_value(json_object_get(fork, "source"));
    const struct database *source = database_find(request->cloud, order->source);
    if (!source)
        return ln_invalid(response, "fork.source", "The database to fork was not found"), false;
    if (!source->ready)
        return ln_invalid(response, "fork.source", "The database to fork must be active"), false;
    if (!at || json_is_null(at))
        return true;
    if (!json_is_string(at) || !ln_time_parse(json_string_value(at), &order->at))
        return ln_invalid(response, "fork.restore_time",
                          "restore_time must be of the form YYYY-MM-DDTHH:MM:SS"),
               false;
    if (order->at < source->oldest || order->at > source->newest)
        return ln_invalid(response, "fork.restore_time",
                          "restore_time must lie between the source's oldest_restore_time and now"),
               false;
    return true;
}

static bool read_order(const struct request *request, struct response *response, struct order *order)
{
    const char *engine, *region;

    if (!ln_text(request, response, "label", true, &order->label) ||
        !ln_label_valid(response, order->label, LABEL_MIN, LABEL_MAX) ||
        !ln_text(request, response, "type", true, &order->type) ||
        !ln_text(request, response, "engine", true, &engine) ||
        !ln_text(request, response, "region", true, &region))
        return false;
    order->version = engine_version(engine);
    order->region = ln_region_find(region);
    if (!order->version)
        return ln_invalid(response, "engine", "engine is not valid"), false;
    if (!order->region)
        return ln_invalid(response, "region", "region is not valid"), false;
    if (!ln_type_find(order->type) || !text_starts(order->type, "g6-"))
        return ln_invalid(response, "type", "type is not valid"), false;
    if (request->effect.out_of_stock || !stock_available(request->cloud, order->type, order->region))
        return ln_invalid(response, "type", "No open slots for this plan"), false;
    for (size_t i = 0; i < request->cloud->databases.count; i++)
        if (text_equal(((const struct database *)request->cloud->databases.items[i])->name, order->label))
            return ln_invalid(response, "label", "Label must be unique among your databases"), false;
    return read_fork(request, response, order);
}

// Who may connect has to be said again for a fork: an empty list is nobody.
static void create(const struct request *request, struct response *response, const char *const args[])
{
    const json_t *allowed = json_object_get(request->body, "allow_list");
    struct order order = {0};
    json_int_t nodes;

    (void)args;
    if (!ln_integer(request, response, "cluster_size", 1, 1, 3, &nodes) ||
        !read_order(request, response, &order))
        return;
    struct database *database = database_create(request->cloud, order.label, "postgresql", order.version,
                                                order.region, order.type, order.source, order.at);
    database->nodes = (int)nodes;
    json_object_set_new(database->extra, "allow_list",
                        json_is_array(allowed) ? json_deep_copy(allowed) : json_array());
    json_t *json = base_json(request->cloud, database); // as created, without what the document lacks there
    json_object_set_new(json, "ssl_connection", json_true());
    ln_ok(response, json);
}

static void update(const struct request *request, struct response *response, const char *const args[])
{
    struct database *database = find(request, response, args[0]);
    const json_t *allowed = json_object_get(request->body, "allow_list");
    const char *label;

    if (!database || !ln_text(request, response, "label", false, &label) ||
        (label && !ln_label_valid(response, label, LABEL_MIN, LABEL_MAX)))
        return;
    if (label) {
        free(database->name);
        database->name = text_copy(label);
    }
    if (json_is_array(allowed))
        json_object_set_new(database->extra, "allow_list", json_deep_copy(allowed));
    ln_ok(response, postgresql_json(request->cloud, database));
}

static void get_credentials(const struct request *request, struct response *response,
                            const char *const args[])
{
    const struct database *database = find(request, response, args[0]);

    if (database)
        ln_ok(response, json_pack("{s:s, s:s}", "username", "akmadmin", "password", database->password));
}

// Base64 of a certificate.
static void get_ssl(const struct request *request, struct response *response, const char *const args[])
{
    const struct database *database = find(request, response, args[0]);

    if (database && !database->ready)
        ln_invalid(response, NULL, "Database must be active to perform this action");
    else if (database)
        ln_ok(response,
              json_pack("{s:s}", "ca_certificate",
                        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"));
}

static void delete (const struct request *request, struct response *response, const char *const args[])
{
    struct database *database = find(request, response, args[0]);

    if (!database)
        return;
    database_delete(request->cloud, database);
    ln_done(response);
}

const struct route ln_database_routes[] = {
    {"GET", "databases/instances", list_all},
    {"GET", "databases/postgresql/instances", list},
    {"POST", "databases/postgresql/instances", create},
    {"GET", "databases/postgresql/instances/*", get},
    {"PUT", "databases/postgresql/instances/*", update},
    {"DELETE", "databases/postgresql/instances/*", delete},
    {"GET", "databases/postgresql/instances/*/credentials", get_credentials},
    {"GET", "databases/postgresql/instances/*/ssl", get_ssl},
    {NULL, NULL, NULL},
};
