// The HTTP side: reads a request, applies faults, hands it to the dialect whose prefix matches, sends the
// answer.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "faults.h"
#include "model.h"

enum { SEGMENTS_MAX = 12, QUERY_MAX = 64, HEADERS_MAX = 8 };

struct request {
    struct cloud *cloud;
    char *method, *url; // the path as sent, for logs and links
    char *authorization;
    char *host;
    char *filter;                 // the header X-Filter
    char *segments[SEGMENTS_MAX]; // of the path after the prefix, decoded
    size_t segment_count;
    struct {
        char *key, *value;
    } query[QUERY_MAX];
    size_t query_count;
    json_t *body; // NULL: none or not JSON
    bool has_body;
    struct effect effect; // the fault that struck, or zeroes
};

struct response {
    int status;
    json_t *body; // owned; NULL = empty
    char *text;   // owned; sent as it is (text/html) where there is no body
    struct {
        char name[32], value[512];
    } headers[HEADERS_MAX];
    size_t header_count;
};

// One provider's API, at a port of its own. handle() runs under the ground's lock and must not wait.
struct dialect {
    const char *name;       // "hetzner": in the ready file and for the admin endpoint
    const char *prefix;     // of all its paths: "/v1"
    const char *url_suffix; // how its URL in the ready file ends; NULL = the prefix
    void (*handle)(const struct request *request, struct response *response);
    // An answer for request->effect.status, as this provider words it.
    void (*fault)(const struct request *request, struct response *response);
};

extern const struct dialect dialect_hetzner, dialect_digitalocean, dialect_linode, dialect_vultr,
    dialect_cloudflare;
extern const struct dialect dialect_admin;
extern const struct dialect *const dialects[]; // all providers', NULL at the end; the first is Hetzner's

// One endpoint: pattern segments are literals or "*"; what "*" matched arrives in args.
enum { ROUTE_ARGS_MAX = 4 };
struct route {
    const char *method, *pattern; // "POST", "servers/*/actions/poweroff"
    void (*handle)(const struct request *request, struct response *response,
                   const char *const args[ROUTE_ARGS_MAX]);
};
enum routed { ROUTED, ROUTE_NO_PATH, ROUTE_NO_METHOD };
// Tables end with a route without a method; the list of tables with NULL.
enum routed route_request(const struct route *const tables[], const struct request *request,
                          struct response *response);
// Whether the request carries the token that may do everything, the one that may only read, or neither.
enum token { TOKEN_WRONG, TOKEN_READONLY, TOKEN_FULL };
enum token request_token(const struct request *request);

const char *request_query(const struct request *request, const char *key); // first value or NULL
bool request_query_has(const struct request *request, const char *key,
                       const char *value); // key absent, or one value equal
// Whether a list shows it now: not while the fault list_lag_ms hides what is young.
bool server_listed(const struct request *request, const struct server *server);
// A header of the same name is replaced.
void response_header(struct response *response, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct http;
// Serves one cloud, and the admin endpoints of all. listen is "ADDRESS:PORT"; port 0 takes a free one.
// *ret_port receives it.
struct http *http_start(struct cloud *cloud, const char *listen, unsigned *ret_port, struct why *why);
void http_stop(struct http *http); // waits for requests that are being answered
