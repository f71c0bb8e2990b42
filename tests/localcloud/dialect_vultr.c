// The Vultr API, base path /v2: rate limit, authentication, routing, errors.
#include "dialect_vultr.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_PER_SECOND = 30 }; // and source address: here there is one

void vt_ok(struct response *response, int status, json_t *body)
{
    response->status = status;
    response->body = body;
}

void vt_empty(struct response *response)
{
    vt_ok(response, 204, NULL);
}

void vt_error(struct response *response, int status, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_decref(response->body);
    vt_ok(response, status, json_pack("{s:s, s:i}", "error", text, "status", status));
}

void vt_not_found(struct response *response, const char *what)
{
    vt_error(response, 404, "Invalid %s ID.", what);
}

bool vt_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = NULL;
    if (!value) {
        if (needed)
            vt_error(response, 400, "Missing required parameter: %s", field);
        return !needed;
    }
    if (!json_is_string(value)) {
        vt_error(response, 400, "Invalid %s: not a string.", field);
        return false;
    }
    *ret = json_string_value(value);
    return true;
}

bool vt_number(const struct request *request, struct response *response, const char *field, bool needed,
               json_int_t otherwise, json_int_t *ret)
{
    const json_t *value = json_object_get(request->body, field);

    *ret = otherwise;
    if (!value) {
        if (needed)
            vt_error(response, 400, "Missing required parameter: %s", field);
        return !needed;
    }
    if (!json_is_integer(value)) {
        vt_error(response, 400, "Invalid %s: not an integer.", field);
        return false;
    }
    *ret = json_integer_value(value);
    return true;
}

bool vt_boolean(const struct request *request, const char *field)
{
    return json_is_true(json_object_get(request->body, field));
}

bool vt_region(const struct request *request, struct response *response, const char **ret)
{
    if (!vt_text(request, response, "region", true, ret))
        return false;
    if (!vt_region_exists(*ret))
        vt_error(response, 400, "Invalid region.");
    return vt_region_exists(*ret);
}

json_t *vt_id(int64_t id)
{
    char text[37] = "";

    if (id)
        id_uuid(id, text);
    return json_string(text);
}

json_t *vt_time(time_t when)
{
    struct tm parts;
    char text[32];

    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    return json_string(text);
}

const char *vt_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

char *vt_base64(const char *text)
{
    size_t size = strlen(text);
    char *coded = zalloc((size + 2) / 3 * 4 + 1);

    EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)text, (int)size);
    return coded;
}

// EVP_DecodeBlock forgives blanks around and counts padding as zero bytes.
char *vt_base64_decode(const char *text)
{
    size_t size = strlen(text), padding = 0;

    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    if (size % 4 != 0 ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != size - padding)
        return NULL;
    char *plain = zalloc(size / 4 * 3 + 1);
    int length = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text, (int)size);
    if (length < 0 || strlen(plain) != (size_t)length - padding) {
        free(plain);
        return NULL;
    }
    return plain;
}

static void route(const struct request *request, struct response *response)
{
    static const struct route *const tables[] = {vt_instance_routes,
                                                 vt_create_routes,
                                                 vt_catalog_routes,
                                                 vt_account_routes,
                                                 vt_firewall_routes,
                                                 vt_ip_routes,
                                                 vt_block_routes,
                                                 vt_snapshot_routes,
                                                 vt_database_routes,
                                                 vt_domain_routes,
                                                 NULL};
    enum routed routed = route_request(tables, request, response);

    if (routed == ROUTE_NO_METHOD)
        vt_error(response, 405, "Method not allowed");
    else if (routed == ROUTE_NO_PATH)
        vt_error(response, 404, "Invalid API path");
}

// The second token is one of a user who may look only.
static bool authorized(const struct request *request, struct response *response)
{
    enum token token = request_token(request);

    if (token == TOKEN_WRONG)
        vt_error(response, 401, "Invalid API token.");
    else if (token == TOKEN_READONLY && !text_equal(request->method, "GET"))
        vt_error(response, 403, "User does not have permission to perform this action.");
    else
        return true;
    return false;
}

static void too_many(struct response *response, int64_t free_at_ms)
{
    int64_t wait_ms = free_at_ms - now_ms();

    vt_error(response, 429, "rate limit exceeded"); // terraform-provider-vultr#103
    response_header(response, "Retry-After", "%lld", (long long)(wait_ms > 0 ? (wait_ms + 999) / 1000 : 1));
}

static void vultr_handle(const struct request *request, struct response *response)
{
    int remaining;
    int64_t free_at_ms;

    if (!cloud_take_request(request->cloud, 0, REQUESTS_PER_SECOND, 1000, &remaining, &free_at_ms))
        too_many(response, free_at_ms);
    else if (!authorized(request, response))
        ;
    else if (request->has_body && !json_is_object(request->body))
        vt_error(response, 400, "Unable to decode the request body: not a JSON object.");
    else
        route(request, response);
}

// The code "unauthorized_ip" is a key that may not be used from here: the account lists the addresses that
// its API may be called from (vultr-csi#97).
static void vultr_fault(const struct request *request, struct response *response)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {{400, "Invalid request"},    {401, "Invalid API token."},  {403, "Forbidden"},
                 {404, "Not found"},          {429, "rate limit exceeded"}, {500, "Internal server error"},
                 {503, "Service unavailable"}};
    const struct effect *effect = &request->effect;
    const char *text = "a fault that a test asked for";

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == effect->status)
            text = known[i].text;
    if (text_equal(effect->code, "unauthorized_ip"))
        text = "Unauthorized IP address: 127.0.0.1";
    vt_error(response, effect->status, "%s", *effect->message ? effect->message : text);
}

const struct dialect dialect_vultr = {
    .name = "vultr", .prefix = "/v2", .handle = vultr_handle, .fault = vultr_fault};
