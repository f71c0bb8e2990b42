// The Cloudflare API, base path /client/v4, as far as DNS goes: envelope, authentication, rate limit, lists,
// zones.
#include "dialect_cloudflare.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"

enum { REQUESTS = 1200, WINDOW_MS = 300000 }; // developers.cloudflare.com/fundamentals/api/reference/limits
enum { TTL_AUTO_SECONDS = 300, PER_PAGE = 100, PER_PAGE_MAX = 5000000 };

static void envelope(struct response *response, int status, bool success, json_t *errors, json_t *result)
{
    json_decref(response->body);
    response->status = status;
    response->body = json_pack("{s:o, s:b, s:o, s:[]}", "result", result, "success", success, "errors",
                               errors, "messages");
}

void cf_ok(struct response *response, json_t *result)
{
    envelope(response, 200, true, json_array(), result);
}

void cf_error(struct response *response, int status, int code, const char *message, json_t *chain)
{
    json_t *error = json_pack("{s:i, s:s}", "code", code, "message", message);

    if (chain)
        json_object_set_new(error, "error_chain", json_pack("[o]", chain));
    envelope(response, status, false, json_pack("[o]", error), json_null());
}

static size_t read_count(const struct request *request, const char *key, size_t otherwise, size_t most)
{
    const char *text = request_query(request, key);
    long number = text ? strtol(text, NULL, 10) : (long)otherwise;

    return number < 1 ? 0 : (size_t)number > most ? most : (size_t)number;
}

void cf_list(const struct request *request, struct response *response, json_t *items)
{
    size_t page = read_count(request, "page", 1, PER_PAGE_MAX), total = json_array_size(items);
    size_t per_page = read_count(request, "per_page", PER_PAGE, PER_PAGE_MAX), shown = 0;
    json_t *result = json_array();

    if (page == 0 || per_page == 0) {
        cf_error(response, 400, 1003, "Invalid or missing page or per_page", NULL);
        json_decref(result);
    } else {
        for (size_t i = (page - 1) * per_page; i < total && shown < per_page; i++, shown++)
            json_array_append(result, json_array_get(items, i));
        cf_ok(response, result);
        json_object_set_new(response->body, "result_info",
                            json_pack("{s:i, s:i, s:i, s:i, s:i}", "page", (int)page, "per_page",
                                      (int)per_page, "count", (int)shown, "total_count", (int)total,
                                      "total_pages", (int)((total + per_page - 1) / per_page)));
    }
    json_decref(items);
}

json_t *cf_id(int64_t id)
{
    char text[33];

    snprintf(text, sizeof text, "%032llx", (unsigned long long)id);
    return json_string(text);
}

json_t *cf_time(time_t when)
{
    struct tm parts;
    char text[40];

    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
    return json_string(text);
}

const char *cf_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

// ---- zones ----

static json_t *zone_json(const struct zone *zone)
{
    json_t *servers = json_array();

    for (size_t i = 0; dns_nameservers[i]; i++)
        json_array_append_new(servers,
                              json_stringn(dns_nameservers[i], strlen(dns_nameservers[i]) - 1)); // no dot
    return json_pack("{s:o, s:s, s:s, s:b, s:s, s:i, s:o, s:o, s:o, s:{s:s, s:s}, s:[s, s]}", "id",
                     cf_id(zone->id), "name", zone->name, "status", "active", "paused", 0, "type", "full",
                     "development_mode", 0, "name_servers", servers, "created_on", cf_time(zone->created),
                     "modified_on", cf_time(zone->created), "account", "id",
                     "00000000000000000000000000000001", "name", "local cloud", "permissions",
                     "#dns_records:edit", "#zone:read");
}

struct zone *cf_zone(const struct request *request, struct response *response, const char *id)
{
    for (size_t i = 0; i < request->cloud->zones.count; i++) {
        struct zone *zone = request->cloud->zones.items[i];
        json_t *own = cf_id(zone->id);
        bool found = text_equal(json_string_value(own), id);
        json_decref(own);
        if (found)
            return zone;
    }
    char *text = text_format("Could not route to /zones/%s, perhaps your object identifier is invalid?", id);
    cf_error(response, 404, 7003, text, NULL);
    free(text);
    return NULL;
}

static void list_zones(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < request->cloud->zones.count; i++) {
        const struct zone *zone = request->cloud->zones.items[i];
        if (request_query_has(request, "name", zone->name))
            json_array_append_new(list, zone_json(zone));
    }
    cf_list(request, response, list);
}

static bool name_valid(const char *name)
{
    bool fine = strchr(name, '.') && strlen(name) <= 253 && name[0] != '.' && !strstr(name, "..");

    for (; fine && *name; name++)
        fine = islower((unsigned char)*name) || isdigit((unsigned char)*name) || *name == '-' ||
               (*name == '.' && name[1]);
    return fine;
}

static void create_zone(const struct request *request, struct response *response, const char *const args[])
{
    const char *name = cf_member(request->body, "name");
    struct action *action;

    (void)args;
    if (!name_valid(name))
        cf_error(response, 400, 1097, "This zone name is not valid.", NULL);
    else if (zone_find(request->cloud, name))
        cf_error(response, 400, 1061, "The zone already exists.", NULL);
    else
        cf_ok(response, zone_json(zone_create(request->cloud, name, TTL_AUTO_SECONDS, NULL, &action)));
}

static void get_zone(const struct request *request, struct response *response, const char *const args[])
{
    const struct zone *zone = cf_zone(request, response, args[0]);

    if (zone)
        cf_ok(response, zone_json(zone));
}

static void delete_zone(const struct request *request, struct response *response, const char *const args[])
{
    struct zone *zone = cf_zone(request, response, args[0]);

    if (!zone)
        return;
    cf_ok(response, json_pack("{s:o}", "id", cf_id(zone->id)));
    zone_delete(request->cloud, zone);
}

const struct route cf_zone_routes[] = {
    {"GET", "zones", list_zones}, {"POST", "zones", create_zone},
    {"GET", "zones/*", get_zone}, {"DELETE", "zones/*", delete_zone},
    {NULL, NULL, NULL},
};

// ---- every request ----

static void route(const struct request *request, struct response *response)
{
    static const struct route *const tables[] = {cf_zone_routes, cf_record_routes, NULL};
    enum routed routed = route_request(tables, request, response);

    if (routed == ROUTE_NO_METHOD)
        cf_error(response, 405, 10405, "Method not allowed for this authentication scheme", NULL);
    else if (routed == ROUTE_NO_PATH)
        cf_error(response, 404, 7000, "No route for that URI", NULL);
}

static bool authorized(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (!request->authorization || !text_starts(request->authorization, "Bearer ")) // jeessy2/ddns-go#658
        cf_error(response, 400, 6003, "Invalid request headers",
                 json_pack("{s:i, s:s}", "code", 6111, "message", "Invalid format for Authorization header"));
    else if (token == TOKEN_WRONG)
        cf_error(response, 403, 9109, "Invalid access token", NULL);
    else if (token == TOKEN_READONLY && !text_equal(request->method, "GET"))
        cf_error(response, 403, 10000, "Authentication error", NULL); // favonia/cloudflare-ddns#897
    else
        return true;
    return false;
}

static void too_many(struct response *response)
{
    cf_error(response, 429, 971, "Please wait and consider throttling your request speed", NULL);
    response_header(response, "Retry-After", "%d", WINDOW_MS / 1000);
}

static void cloudflare_handle(const struct request *request, struct response *response)
{
    int remaining;
    int64_t free_at_ms;

    if (!cloud_take_request(request->cloud, 0, REQUESTS, WINDOW_MS, &remaining, &free_at_ms))
        too_many(response);
    else if (!authorized(request, response))
        ;
    else if (request->has_body && !json_is_object(request->body))
        cf_error(response, 400, 9207, "Request body is invalid.", NULL);
    else
        route(request, response);
    response_header(response, "cf-ray", "%016llx-LOC", (unsigned long long)now_ms());
}

static void cloudflare_fault(const struct request *request, struct response *response)
{
    const struct effect *effect = &request->effect;
    int code = (int)strtol(effect->code, NULL, 10);

    cf_error(response, effect->status, code ? code : 10013,
             *effect->message ? effect->message : "a fault that a test asked for", NULL);
}

const struct dialect dialect_cloudflare = {
    .name = "cloudflare",
    .prefix = "/client/v4",
    .handle = cloudflare_handle,
    .fault = cloudflare_fault,
};
