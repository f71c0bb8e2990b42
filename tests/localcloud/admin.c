// The endpoints outside every dialect, for tests: /_localcloud/{state,faults,stock}. They need no token.
#include "backend.h"
#include "dns.h"
#include "http.h"

static const char *const status_names[] = {"initializing", "starting", "running",
                                           "stopping",     "off",      "deleting"};

static json_t *server_state(const struct server *server)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:O}", "id",
                     (json_int_t)server->id, "provider", server->cloud->dialect->name, "name", server->name,
                     "status", status_names[server->status], "type", server->type, "location",
                     server->location, "image", server->image, "ipv4", server->ipv4, "ipv6", server->ipv6,
                     "busy", server->busy, "never_boots", server->never_boots, "labels", server->labels);
}

static json_t *ip_state(const struct cloud *cloud, const struct movable_ip *ip)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s*, s:s*, s:b, s:I, s:O}", "id", (json_int_t)ip->id, "provider",
                     cloud->dialect->name, "kind", ip->kind, "address", ip->address, "name", ip->name,
                     "region", ip->region, "nat", ip->nat, "server", (json_int_t)ip->server_id, "labels",
                     ip->labels);
}

static json_t *volume_state(const struct cloud *cloud, const struct volume *volume)
{
    return json_pack("{s:I, s:s, s:s, s:s*, s:i, s:I, s:O}", "id", (json_int_t)volume->id, "provider",
                     cloud->dialect->name, "name", volume->name, "region", volume->region, "size_gb",
                     volume->size_gb, "server", (json_int_t)volume->server_id, "labels", volume->labels);
}

static json_t *snapshot_state(const struct cloud *cloud, const struct snapshot *snapshot)
{
    return json_pack("{s:I, s:s, s:s*, s:s*, s:I, s:b, s:O}", "id", (json_int_t)snapshot->id, "provider",
                     cloud->dialect->name, "name", snapshot->name, "region", snapshot->region, "server",
                     (json_int_t)snapshot->server_id, "ready", snapshot->ready, "labels", snapshot->labels);
}

static json_t *database_state(const struct cloud *cloud, const struct database *database)
{
    return json_pack("{s:I, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:I, s:I}", "id", (json_int_t)database->id,
                     "provider", cloud->dialect->name, "name", database->name, "engine", database->engine,
                     "version", database->version, "region", database->region, "size", database->size,
                     "ready", database->ready, "restored_from", (json_int_t)database->restored_from,
                     "restored_to", (json_int_t)database->restored_to);
}

struct lists {
    json_t *servers, *ips, *volumes, *snapshots, *databases, *zones, *providers;
    size_t servers_removed, ssh_keys, firewalls, actions;
};

static void add_cloud(struct lists *lists, const struct cloud *cloud)
{
    for (size_t i = 0; i < cloud->servers.count; i++)
        json_array_append_new(lists->servers, server_state(cloud->servers.items[i]));
    for (size_t i = 0; i < cloud->ips.count; i++)
        json_array_append_new(lists->ips, ip_state(cloud, cloud->ips.items[i]));
    for (size_t i = 0; i < cloud->volumes.count; i++)
        json_array_append_new(lists->volumes, volume_state(cloud, cloud->volumes.items[i]));
    for (size_t i = 0; i < cloud->snapshots.count; i++)
        json_array_append_new(lists->snapshots, snapshot_state(cloud, cloud->snapshots.items[i]));
    for (size_t i = 0; i < cloud->databases.count; i++)
        json_array_append_new(lists->databases, database_state(cloud, cloud->databases.items[i]));
    for (size_t i = 0; i < cloud->zones.count; i++)
        json_array_append_new(lists->zones, json_string(((const struct zone *)cloud->zones.items[i])->name));
    json_object_set_new(lists->providers, cloud->dialect->name,
                        json_pack("{s:i, s:i, s:I, s:I}", "servers", (int)cloud->servers.count, "zones",
                                  (int)cloud->zones.count, "requests", (json_int_t)cloud->requests,
                                  "requests_limited", (json_int_t)cloud->requests_limited));
    lists->servers_removed += cloud->removed_servers.count;
    lists->ssh_keys += cloud->ssh_keys.count;
    lists->firewalls += cloud->firewalls.count;
    lists->actions += cloud->actions.count;
}

static json_t *ground_state(const struct ground *ground)
{
    struct lists lists = {.servers = json_array(),
                          .ips = json_array(),
                          .volumes = json_array(),
                          .snapshots = json_array(),
                          .databases = json_array(),
                          .zones = json_array(),
                          .providers = json_object()};

    for (size_t i = 0; i < ground->clouds.count; i++)
        add_cloud(&lists, ground->clouds.items[i]);
    return json_pack("{s:s, s:s, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "backend",
                     ground->backend->name, "dns", ground->dns ? dns_address(ground->dns) : "none",
                     "providers", lists.providers, "servers_removed", (int)lists.servers_removed, "ssh_keys",
                     (int)lists.ssh_keys, "firewalls", (int)lists.firewalls, "actions", (int)lists.actions,
                     "servers", lists.servers, "ips", lists.ips, "volumes", lists.volumes, "snapshots",
                     lists.snapshots, "databases", lists.databases, "zones", lists.zones, "faults",
                     faults_list(ground->faults));
}

static void refuse(struct response *response, const char *text)
{
    response->status = 422;
    response->body = json_pack("{s:s}", "error", text);
}

static void set_stock(const struct request *request, struct response *response)
{
    const char *provider = json_string_value(json_object_get(request->body, "provider"));
    const char *type = json_string_value(json_object_get(request->body, "server_type"));
    const char *location = json_string_value(json_object_get(request->body, "location"));
    json_t *available = json_object_get(request->body, "available");
    const struct array *clouds = &request->cloud->ground->clouds;
    size_t found = 0;

    if (!json_is_boolean(available)) {
        refuse(response, "'available' must be true or false; 'provider', 'server_type' and 'location' "
                         "default to all");
        return;
    }
    for (size_t i = 0; i < clouds->count; i++) {
        struct cloud *cloud = clouds->items[i];
        if (provider && !text_equal(provider, cloud->dialect->name))
            continue;
        stock_set(cloud, type ? type : "*", location ? location : "*", json_is_true(available));
        found++;
    }
    response->status = 204;
    if (found == 0)
        refuse(response, "there is no such 'provider'");
}

static void admin_handle(const struct request *request, struct response *response)
{
    const char *what = request->segment_count == 1 ? request->segments[0] : "";
    bool get = text_equal(request->method, "GET"), post = text_equal(request->method, "POST");
    struct why why;

    response->status = 404;
    if (text_equal(what, "state") && get) {
        response->status = 200;
        response->body = ground_state(request->cloud->ground);
    } else if (text_equal(what, "faults") && get) {
        response->status = 200;
        response->body = json_pack("{s:o}", "faults", faults_list(request->cloud->ground->faults));
    } else if (text_equal(what, "faults") && post) {
        response->status = 201;
        if (!faults_add(request->cloud->ground->faults, request->body, &why))
            refuse(response, why.text);
        else
            response->body = json_pack("{s:o}", "faults", faults_list(request->cloud->ground->faults));
    } else if (text_equal(what, "faults") && text_equal(request->method, "DELETE")) {
        response->status = 204;
        faults_clear(request->cloud->ground->faults);
    } else if (text_equal(what, "stock") && post) {
        set_stock(request, response);
    }
}

const struct dialect dialect_admin = {.name = "admin", .prefix = "/_localcloud", .handle = admin_handle};
