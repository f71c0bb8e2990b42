// The Linode API, base path /v4: authentication, rate limits, routing, errors.
#include "dialect_linode.h"

#include <stdlib.h>
#include <string.h>

// Allowances, per token (techdocs.akamai.com/linode-api/reference/rate-limits, 2026-09).
enum rate { RATE_LIST, RATE_CREATE, RATE_IMAGES, RATE_OTHER };
static const struct {
    int limit, window_ms;
} rates[] = {
    [RATE_LIST] = {200, 60000},
    [RATE_CREATE] = {20, 15000},
    [RATE_IMAGES] = {20, 60000},
    [RATE_OTHER] = {1600, 60000},
};

void ln_ok(struct response *response, json_t *body)
{
    json_decref(response->body);
    response->status = 200;
    response->body = body;
}

void ln_done(struct response *response)
{
    ln_ok(response, json_object());
}

static void set_error(struct response *response, int status, const char *field, const char *reason)
{
    json_t *error = json_pack("{s:s}", "reason", reason);

    if (field)
        json_object_set_new(error, "field", json_string(field));
    json_decref(response->body);
    response->status = status;
    response->body = json_pack("{s:[o]}", "errors", error);
}

void ln_error(struct response *response, int status, const char *field, const char *format, ...)
{
    char reason[400];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    set_error(response, status, field, reason);
}

void ln_invalid(struct response *response, const char *field, const char *format, ...)
{
    char reason[400];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    set_error(response, 400, field, reason);
}

void ln_not_found(struct response *response)
{
    set_error(response, 404, NULL, "Not found");
}

void ln_set_null(const struct cloud *cloud, json_t *object, const char *key)
{
    if (!cloud->ground->settings.published)
        json_object_set_new(object, key, json_null());
}

json_t *ln_time(time_t when)
{
    char text[32];

    time_text(when, text);
    text[strcspn(text, "Z")] = '\0';
    return json_string(text);
}

// The document's example has a blank where everything else has a "T".
bool ln_time_parse(const char *text, time_t *ret)
{
    struct tm parts = {0};
    const char *end = strptime(text, strchr(text, 'T') ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);

    *ret = end ? timegm(&parts) : 0;
    return end && *end == '\0';
}

bool ln_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = NULL;
    if (!value || json_is_null(value)) {
        if (needed)
            ln_invalid(response, field, "%s is required", field);
        return !needed;
    }
    if (!json_is_string(value))
        return ln_invalid(response, field, "%s must be of type String", field), false;
    *ret = json_string_value(value);
    return true;
}

bool ln_integer(const struct request *request, struct response *response, const char *field,
                json_int_t otherwise, json_int_t min, json_int_t max, json_int_t *ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = json_is_integer(value) ? json_integer_value(value) : otherwise;
    if (value && !json_is_null(value) && !json_is_integer(value))
        return ln_invalid(response, field, "%s must be of type Integer", field), false;
    if (*ret < min || *ret > max)
        return ln_invalid(response, field, "Must be %lld-%lld", (long long)min, (long long)max), false;
    return true;
}

bool ln_boolean(const struct request *request, const char *field, bool otherwise)
{
    const json_t *value = json_object_get(request->body, field);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static bool path_is(const struct request *request, const char *method, const char *first, const char *second)
{
    return text_equal(request->method, method) && request->segment_count == (second ? 2 : 1) &&
           text_equal(request->segments[0], first) && (!second || text_equal(request->segments[1], second));
}

// What needs no token: in the document, operations without `security`; and public images, as clients report.
static bool is_public(const struct request *request)
{
    static const struct {
        const char *first, *second;
    } open[] = {{"regions", NULL},      {"linode", "types"},  {"databases", "engines"},
                {"databases", "types"}, {"volumes", "types"}, {"images", NULL}};

    if (!text_equal(request->method, "GET") || request->segment_count == 0)
        return false;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (text_equal(request->segments[0], open[i].first) &&
            (!open[i].second ||
             (request->segment_count > 1 && text_equal(request->segments[1], open[i].second))))
            return true;
    return false;
}

static bool authorized(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (token == TOKEN_FULL || (!request->authorization && is_public(request)))
        return true;
    if (token == TOKEN_WRONG) {
        ln_error(response, 401, NULL, "Invalid Token");
        return false;
    }
    if (text_equal(request->method, "GET"))
        return true;
    // A scope that is missing answers 401, not 403 (trailofbits/algo#14348, linode/linode-cli#142).
    ln_error(response, 401, NULL, "Your OAuth token is not authorized to use this endpoint.");
    return false;
}

// Lists are collections, which have no id at the end of their path.
static bool is_list(const struct request *request)
{
    static const char *const names[] = {"instances", "types",   "regions", "availability", "events",
                                        "tags",      "sshkeys", "ips",     "firewalls",    "devices",
                                        "volumes",   "images",  "domains", "records",      "disks"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (request->segment_count > 0 && text_equal(request->segments[request->segment_count - 1], names[i]))
            return true;
    return false;
}

static enum rate rate_class(const struct request *request)
{
    if (path_is(request, "POST", "linode", "instances"))
        return RATE_CREATE;
    if (path_is(request, "GET", "images", NULL))
        return RATE_IMAGES;
    return text_equal(request->method, "GET") && is_list(request) ? RATE_LIST : RATE_OTHER;
}

static void rate_headers(const struct request *request, struct response *response, int remaining,
                         int64_t free_in_ms)
{
    long long seconds = free_in_ms > 0 ? (free_in_ms + 999) / 1000 : 0;
    int wanted = request->cloud->ground->settings.rate_limit;

    response_header(response, "X-RateLimit-Limit", "%d",
                    wanted > 0 ? wanted : rates[rate_class(request)].limit);
    response_header(response, "X-RateLimit-Remaining", "%d", remaining);
    response_header(response, "X-RateLimit-Reset", "%lld", (long long)time(NULL) + seconds);
}

static const char read_scopes[] = "account:read_only databases:read_only domains:read_only events:read_only "
                                  "firewall:read_only images:read_only ips:read_only linodes:read_only "
                                  "volumes:read_only";

static void scope_header(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (token != TOKEN_WRONG)
        response_header(response, "X-OAuth-Scopes", "%s", token == TOKEN_FULL ? "*" : read_scopes);
}

static void route(const struct request *request, struct response *response)
{
    static const struct route *const tables[] = {ln_instance_routes,
                                                 ln_part_routes,
                                                 ln_catalog_routes,
                                                 ln_account_routes,
                                                 ln_tag_routes,
                                                 ln_firewall_routes,
                                                 ln_ip_routes,
                                                 ln_volume_routes,
                                                 ln_image_routes,
                                                 ln_database_routes,
                                                 ln_domain_routes,
                                                 ln_record_routes,
                                                 NULL};
    enum routed routed = route_request(tables, request, response);

    if (routed == ROUTE_NO_METHOD)
        ln_error(response, 405, NULL, "Method Not Allowed");
    else if (routed == ROUTE_NO_PATH)
        ln_not_found(response);
}

static void linode_handle(const struct request *request, struct response *response)
{
    enum rate class = rate_class(request);
    int remaining;
    int64_t free_at_ms;
    bool allowed = cloud_take_request(request->cloud, (int)class, rates[class].limit, rates[class].window_ms,
                                      &remaining, &free_at_ms);

    if (!authorized(request, response))
        ;
    else if (!allowed)
        ln_error(response, 429, NULL, "Too many requests");
    else if (request->has_body && !json_is_object(request->body))
        ln_error(response, 400, NULL, "Invalid JSON");
    else
        route(request, response);
    scope_header(request, response);
    rate_headers(request, response, remaining, free_at_ms - now_ms());
    if (response->status == 429)
        response_header(response, "Retry-After", "%lld", (long long)(free_at_ms - now_ms()) / 1000 + 1);
}

// The words of errors that a test asks for by status.
static void linode_fault(const struct request *request, struct response *response)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {{401, "Invalid Token"},       {403, "Unauthorized"},          {404, "Not found"},
                 {408, "Please try again"}, // pry0cc/axiom#500: the instance may exist
                 {429, "Too many requests"},   {500, "Internal Server Error"}, {502, "Bad Gateway"},
                 {503, "Service Unavailable"}, {504, "Gateway Timeout"}};
    const struct effect *effect = &request->effect;
    const char *reason = "Linode busy.";

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == effect->status)
            reason = known[i].reason;
    ln_error(response, effect->status, *effect->code ? effect->code : NULL, "%s",
             *effect->message ? effect->message : reason);
    scope_header(request, response);
    rate_headers(request, response, effect->status == 429 ? 0 : 100, effect->status == 429 ? 15000 : 0);
}

const struct dialect dialect_linode = {
    .name = "linode", .prefix = "/v4", .handle = linode_handle, .fault = linode_fault};
