// The endpoints outside every dialect, for tests: /_localcloud/{state,faults,stock}. They need no token.
#include "backend.h"
#include "dns.h"
#include "http.h"

static const char *const status_names[] = {"initializing", "starting", "running",
                                           "stopping",     "off",      "deleting"};

static json_t *server_state(const struct server *server)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:O}", "id", (json_int_t)server->id,
                     "name", server->name, "status", status_names[server->status], "type", server->type,
                     "location", server->location, "image", server->image, "ipv4", server->ipv4, "ipv6",
                     server->ipv6, "busy", server->busy, "never_boots", server->never_boots, "labels",
                     server->labels);
}

static json_t *cloud_state(const struct cloud *cloud)
{
    json_t *servers = json_array(), *zones = json_array();

    for (size_t i = 0; i < cloud->servers.count; i++)
        json_array_append_new(servers, server_state(cloud->servers.items[i]));
    for (size_t i = 0; i < cloud->zones.count; i++) {
        const struct zone *zone = cloud->zones.items[i];
        json_array_append_new(zones, json_string(zone->name));
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o}", "backend", cloud->backend->name, "dns",
                     cloud->dns ? dns_address(cloud->dns) : "none", "servers_removed",
                     (int)cloud->removed_servers.count, "ssh_keys", (int)cloud->ssh_keys.count, "actions",
                     (int)cloud->actions.count, "servers", servers, "zones", zones, "faults",
                     faults_list(cloud->faults));
}

static void refuse(struct response *response, const char *text)
{
    response->status = 422;
    response->body = json_pack("{s:s}", "error", text);
}

static void set_stock(const struct request *request, struct response *response)
{
    const char *type = json_string_value(json_object_get(request->body, "server_type"));
    const char *location = json_string_value(json_object_get(request->body, "location"));
    json_t *available = json_object_get(request->body, "available");

    if (!json_is_boolean(available)) {
        refuse(response, "'available' must be true or false; 'server_type' and 'location' default to all");
        return;
    }
    stock_set(request->cloud, type ? type : "*", location ? location : "*", json_is_true(available));
    response->status = 204;
}

static void admin_handle(const struct request *request, struct response *response)
{
    const char *what = request->segment_count == 1 ? request->segments[0] : "";
    bool get = text_equal(request->method, "GET"), post = text_equal(request->method, "POST");
    struct why why;

    response->status = 404;
    if (text_equal(what, "state") && get) {
        response->status = 200;
        response->body = cloud_state(request->cloud);
    } else if (text_equal(what, "faults") && get) {
        response->status = 200;
        response->body = json_pack("{s:o}", "faults", faults_list(request->cloud->faults));
    } else if (text_equal(what, "faults") && post) {
        response->status = 201;
        if (!faults_add(request->cloud->faults, request->body, &why))
            refuse(response, why.text);
        else
            response->body = json_pack("{s:o}", "faults", faults_list(request->cloud->faults));
    } else if (text_equal(what, "faults") && text_equal(request->method, "DELETE")) {
        response->status = 204;
        faults_clear(request->cloud->faults);
    } else if (text_equal(what, "stock") && post) {
        set_stock(request, response);
    }
}

const struct dialect dialect_admin = {.prefix = "/_localcloud", .handle = admin_handle};
