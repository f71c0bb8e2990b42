// The Hetzner Cloud API, base path /v1: authentication, rate limit, routing, errors.
#include "dialect_hetzner.h"

#include <stdlib.h>
#include <string.h>

void hz_ok(struct response *response, int status, json_t *body)
{
    response->status = status;
    response->body = body;
}

static void set_error(struct response *response, int status, const char *code, const char *message,
                      json_t *details)
{
    json_decref(response->body);
    response->status = status;
    response->body = json_pack("{s:{s:s, s:s, s:o}}", "error", "code", code, "message", message, "details",
                               details ? details : json_null());
}

void hz_error(struct response *response, int status, const char *code, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_t *details = text_equal(code, "resource_limit_exceeded")
                          ? json_pack("{s:[{s:s}]}", "limits", "name", "server_limit")
                          : NULL;
    set_error(response, status, code, message, details);
}

void hz_invalid(struct response *response, const char *field, const char *format, ...)
{
    char problem[300], message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    snprintf(message, sizeof message, "invalid input in field '%s'", field);
    set_error(response, 422, "invalid_input", message,
              json_pack("{s:[{s:s, s:[s]}]}", "fields", "name", field, "messages", problem));
}

void hz_not_found(struct response *response, const char *what, const char *id)
{
    hz_error(response, 404, "not_found", "%s with ID '%s' not found", what, id);
}

bool hz_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = NULL;
    if (!value || (json_is_null(value) && !needed)) {
        if (needed)
            hz_invalid(response, field, "Missing data for required field.");
        return !needed;
    }
    if (!json_is_string(value) || (needed && !*json_string_value(value))) {
        hz_invalid(response, field, "Not a valid string.");
        return false;
    }
    *ret = json_string_value(value);
    return true;
}

json_t *hz_time(time_t when)
{
    char text[32];

    if (!when)
        return json_null();
    time_text(when, text);
    return json_string(text);
}

json_t *hz_action_json(const struct action *action)
{
    static const char *const statuses[] = {"running", "success", "error"};

    if (!action)
        return json_null();
    json_t *error = action->status == ACTION_ERROR
                        ? json_pack("{s:s, s:s}", "code", "action_failed", "message", action->error)
                        : json_null();
    return json_pack("{s:I, s:s, s:s, s:i, s:o, s:o, s:[{s:I, s:s}], s:o}", "id", (json_int_t)action->id,
                     "command", action->command, "status", statuses[action->status], "progress",
                     action->status == ACTION_RUNNING ? 50 : 100, "started", hz_time(action->started),
                     "finished", hz_time(action->finished), "resources", "id",
                     (json_int_t)action->resource_id, "type", action->resource_type, "error", error);
}

static void route(const struct request *request, struct response *response)
{
    static const struct route *const tables[] = {hz_storage_routes,
                                                 hz_server_routes,
                                                 hz_catalog_routes,
                                                 hz_project_routes,
                                                 hz_zone_routes,
                                                 hz_ip_routes,
                                                 NULL};
    enum routed routed = route_request(tables, request, response);

    if (routed == ROUTE_NO_METHOD)
        hz_error(response, 405, "method_not_allowed", "the method is not allowed here");
    else if (routed == ROUTE_NO_PATH)
        hz_error(response, 404, "not_found", "page not found");
}

static bool authorized(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (token == TOKEN_WRONG)
        hz_error(response, 401, "unauthorized", "unable to authenticate");
    else if (token == TOKEN_READONLY && !text_equal(request->method, "GET"))
        hz_error(response, 401, "token_readonly", "the token is only allowed to perform GET requests");
    else
        return true;
    return false;
}

static int rate_limit(const struct request *request)
{
    int wanted = request->cloud->ground->settings.rate_limit;

    return wanted > 0 ? wanted : 3600;
}

static void rate_headers(const struct request *request, struct response *response, int remaining,
                         int64_t full_in_ms)
{
    response_header(response, "RateLimit-Limit", "%d", rate_limit(request));
    response_header(response, "RateLimit-Remaining", "%d", remaining);
    response_header(response, "RateLimit-Reset", "%lld", (long long)time(NULL) + (full_in_ms + 999) / 1000);
    response_header(response, "X-Correlation-Id", "%llx",
                    (unsigned long long)now_ms()); // live answers carry one
}

// 3600 requests an hour, refilled all the time.
static void hetzner_handle(const struct request *request, struct response *response)
{
    int remaining;
    int64_t full_at_ms;
    bool has_allowance =
        cloud_take_refilled(request->cloud, 0, rate_limit(request), 3600000, &remaining, &full_at_ms);

    if (!authorized(request, response))
        ;
    else if (!has_allowance)
        hz_error(response, 429, "rate_limit_exceeded", "rate limit exceeded");
    else if (request->has_body && !json_is_object(request->body))
        hz_error(response, 400, "json_error", "the request body is not a valid JSON object");
    else
        route(request, response);
    rate_headers(request, response, remaining, full_at_ms - now_ms());
}

static void hetzner_fault(const struct request *request, struct response *response)
{
    static const struct {
        int status;
        const char *code;
    } known[] = {{401, "unauthorized"},
                 {403, "forbidden"},
                 {404, "not_found"},
                 {409, "conflict"},
                 {412, "resource_unavailable"},
                 {422, "invalid_input"},
                 {423, "locked"},
                 {429, "rate_limit_exceeded"},
                 {500, "server_error"},
                 {502, "unavailable"},
                 {503, "unavailable"},
                 {504, "timeout"}};
    const struct effect *effect = &request->effect;
    const char *code = "unknown_error";

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == effect->status)
            code = known[i].code;
    hz_error(response, effect->status, *effect->code ? effect->code : code, "%s",
             *effect->message ? effect->message : "a fault that a test asked for");
    rate_headers(request, response, effect->status == 429 ? 0 : 3000, 600000);
}

const struct dialect dialect_hetzner = {
    .name = "hetzner", .prefix = "/v1", .handle = hetzner_handle, .fault = hetzner_fault};
