// The DigitalOcean API, base path /v2: authentication, rate limits, routing, errors.
#include "dialect_digitalocean.h"

#include <stdlib.h>
#include <string.h>

enum { RATE_HOUR, RATE_MINUTE, RATE_KEYS };
enum { HOUR_LIMIT = 5000, MINUTE_LIMIT = 250, KEYS_LIMIT = 10, HOUR_MS = 3600000, MINUTE_MS = 60000 };

void ocean_ok(struct response *response, int status, json_t *body)
{
    response->status = status;
    response->body = body;
}

static const char *error_id(int status)
{
    static const struct {
        int status;
        const char *id;
    } known[] = {{400, "bad_request"},         {401, "unauthorized"},         {403, "forbidden"},
                 {404, "not_found"},           {405, "method_not_allowed"},   {409, "conflict"},
                 {412, "precondition_failed"}, {422, "unprocessable_entity"}, {429, "too_many_requests"},
                 {500, "server_error"},        {503, "service_unavailable"},  {504, "gateway_timeout"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return known[i].id;
    return "server_error";
}

static void set_error(struct response *response, int status, const char *id, const char *message)
{
    char request_id[37];

    id_uuid(now_ms(), request_id);
    json_decref(response->body);
    response->status = status;
    response->body = json_pack("{s:s, s:s, s:s}", "id", id, "message", message, "request_id", request_id);
}

void ocean_error(struct response *response, int status, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    set_error(response, status, error_id(status), message);
}

void ocean_invalid(struct response *response, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    set_error(response, 422, error_id(422), message);
}

void ocean_not_found(struct response *response)
{
    ocean_error(response, 404, "The resource you were accessing could not be found.");
}

bool ocean_text(const struct request *request, struct response *response, const char *field, bool needed,
                const char **ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = json_string_value(value);
    if (value && !json_is_null(value) && !*ret) {
        ocean_invalid(response, "%s is not a text", field);
        return false;
    }
    if (needed && (!*ret || !**ret)) {
        ocean_invalid(response, "%s is required", field);
        return false;
    }
    return true;
}

bool ocean_flag(const struct request *request, const char *field, bool otherwise)
{
    const json_t *value = json_object_get(request->body, field);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

int64_t ocean_id(const char *text)
{
    char *end;
    long long id = strtoll(text, &end, 10);

    return *text && *end == '\0' ? id : 0;
}

int64_t ocean_number(const json_t *value)
{
    if (json_is_string(value))
        return ocean_id(json_string_value(value));
    return json_integer_value(value);
}

json_t *ocean_time(time_t when)
{
    char text[32];

    if (!when)
        return json_null();
    time_text(when, text);
    return json_string(text);
}

json_t *ocean_uuid(int64_t id)
{
    char text[37];

    id_uuid(id, text);
    return json_string(text);
}

bool ocean_has(const json_t *list, const json_t *item)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one) if (json_equal(one, item)) return true;
    return false;
}

static bool authorized(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (token == TOKEN_WRONG)
        ocean_error(response, 401, "Unable to authenticate you.");
    else if (token == TOKEN_READONLY && !text_equal(request->method, "GET"))
        ocean_error(response, 403, "You are not authorized to perform this operation");
    else
        return true;
    return false;
}

static void rate_headers(struct response *response, int remaining, time_t reset)
{
    response_header(response, "ratelimit-limit", "%d", HOUR_LIMIT);
    response_header(response, "ratelimit-remaining", "%d", remaining);
    response_header(response, "ratelimit-reset", "%lld", (long long)reset);
}

static bool is_key_list(const struct request *request)
{
    return text_equal(request->method, "GET") && request->segment_count == 2 &&
           text_equal(request->segments[0], "account") && text_equal(request->segments[1], "keys");
}

// When the oldest request of the hour's window no longer counts.
static time_t oldest_expires(const struct cloud *cloud)
{
    const struct rate_window *window = &cloud->rates[RATE_HOUR];

    if (window->count == 0)
        return time(NULL);
    return time(NULL) + (time_t)((window->at_ms[window->first] + HOUR_MS - now_ms()) / 1000) + 1;
}

// Three windows slide: an hour's, a minute's, and a minute's for the list of keys alone. Only the short ones
// tell when to come again.
static bool has_allowance(const struct request *request, struct response *response)
{
    struct cloud *cloud = request->cloud;
    int remaining, rest;
    int64_t hour_free_ms, free_ms = 0;
    bool hour = cloud_take_request(cloud, RATE_HOUR, HOUR_LIMIT, HOUR_MS, &remaining, &hour_free_ms);
    bool burst = cloud_take_request(cloud, RATE_MINUTE, MINUTE_LIMIT, MINUTE_MS, &rest, &free_ms);

    if (burst && is_key_list(request))
        burst = cloud_take_request(cloud, RATE_KEYS, KEYS_LIMIT, MINUTE_MS, &rest, &free_ms);
    rate_headers(response, hour ? remaining : 0, oldest_expires(cloud));
    if (hour && burst)
        return true;
    if (hour && free_ms > now_ms())
        response_header(response, "retry-after", "%lld", (long long)((free_ms - now_ms() + 999) / 1000));
    return false;
}

static void route(const struct request *request, struct response *response)
{
    static const struct route *const tables[] = {ocean_catalog_routes,
                                                 ocean_create_routes,
                                                 ocean_droplet_routes,
                                                 ocean_action_routes,
                                                 ocean_key_routes,
                                                 ocean_firewall_routes,
                                                 ocean_tag_routes,
                                                 ocean_address_routes,
                                                 ocean_volume_routes,
                                                 ocean_snapshot_routes,
                                                 ocean_database_routes,
                                                 ocean_domain_routes,
                                                 NULL};

    switch (route_request(tables, request, response)) {
    case ROUTED:
        break;
    case ROUTE_NO_PATH:
        ocean_not_found(response);
        break;
    case ROUTE_NO_METHOD:
        ocean_error(response, 405, "the method is not allowed here");
        break;
    }
}

static void digitalocean_handle(const struct request *request, struct response *response)
{
    bool allowance = has_allowance(request, response);

    if (!authorized(request, response))
        return;
    if (!allowance)
        ocean_error(response, 429, "API rate limit exceeded.");
    else if (request->has_body && !json_is_object(request->body))
        ocean_error(response, 400, "There was an error parsing the request body.");
    else
        route(request, response);
}

static void digitalocean_fault(const struct request *request, struct response *response)
{
    const struct effect *effect = &request->effect;

    set_error(response, effect->status, *effect->code ? effect->code : error_id(effect->status),
              *effect->message ? effect->message : "a fault that a test asked for");
    rate_headers(response, effect->status == 429 ? 0 : HOUR_LIMIT - 1, time(NULL) + 600);
}

const struct dialect dialect_digitalocean = {.name = "digitalocean",
                                             .prefix = "/v2",
                                             .url_suffix = "",
                                             .handle = digitalocean_handle,
                                             .fault = digitalocean_fault};
