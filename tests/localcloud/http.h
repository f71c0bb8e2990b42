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
    struct {
        char name[32], value[512];
    } headers[HEADERS_MAX];
    size_t header_count;
};

// One provider's API. handle() runs under the cloud's lock and must not wait.
struct dialect {
    const char *prefix; // "/v1"
    void (*handle)(const struct request *request, struct response *response);
    void (*fault)(const struct request *request,
                  struct response *response); // an answer for request->effect.status
};

extern const struct dialect dialect_hetzner;
extern const struct dialect dialect_admin;

const char *request_query(const struct request *request, const char *key); // first value or NULL
bool request_query_has(const struct request *request, const char *key,
                       const char *value); // key absent, or one value equal
void response_header(struct response *response, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct http;
// listen is "ADDRESS:PORT"; port 0 takes a free one. *ret_port receives it.
struct http *http_start(struct cloud *cloud, const char *listen, unsigned *ret_port, struct why *why);
void http_stop(struct http *http); // waits for requests that are being answered
