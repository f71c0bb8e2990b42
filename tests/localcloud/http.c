#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1024 * 1024 };

struct http {
    struct MHD_Daemon *daemon;
    struct cloud *cloud;
};

struct upload {
    char *text;
    size_t size;
    bool too_large;
};

static const struct dialect *const dialects[] = {&dialect_admin, &dialect_hetzner};

const char *request_query(const struct request *request, const char *key)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (text_equal(request->query[i].key, key))
            return request->query[i].value;
    return NULL;
}

bool request_query_has(const struct request *request, const char *key, const char *value)
{
    bool present = false;

    for (size_t i = 0; i < request->query_count; i++) {
        if (!text_equal(request->query[i].key, key))
            continue;
        present = true;
        if (text_equal(request->query[i].value, value))
            return true;
    }
    return !present;
}

void response_header(struct response *response, const char *name, const char *format, ...)
{
    va_list args;

    if (response->header_count == HEADERS_MAX)
        return;
    snprintf(response->headers[response->header_count].name, sizeof response->headers[0].name, "%s", name);
    va_start(args, format);
    vsnprintf(response->headers[response->header_count].value, sizeof response->headers[0].value, format,
              args);
    va_end(args);
    response->header_count++;
}

static enum MHD_Result take_query(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct request *request = arg;

    (void)kind;
    if (request->query_count == QUERY_MAX)
        return MHD_NO;
    request->query[request->query_count].key = text_copy(key);
    request->query[request->query_count++].value = text_copy(value ? value : "");
    return MHD_YES;
}

static void take_path(struct request *request, const char *path)
{
    char *copy = text_copy(path), *save = NULL;

    for (char *part = strtok_r(copy, "/", &save); part && request->segment_count < SEGMENTS_MAX;
         part = strtok_r(NULL, "/", &save))
        request->segments[request->segment_count++] = text_copy(part);
    free(copy);
}

static struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *method,
                                   const char *url, const char *prefix, const struct upload *upload)
{
    struct request *request = zalloc(sizeof *request);

    request->cloud = http->cloud;
    request->method = text_copy(method);
    request->url = text_copy(url);
    request->authorization =
        text_copy(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"));
    request->host = text_copy(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"));
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, request);
    take_path(request, url + strlen(prefix)); // libmicrohttpd has decoded it: rrset names may hold "%2A"
    request->has_body = upload->size > 0;
    if (request->has_body)
        request->body = json_loadb(upload->text, upload->size, JSON_REJECT_DUPLICATES, NULL);
    return request;
}

static void request_free(struct request *request)
{
    for (size_t i = 0; i < request->segment_count; i++)
        free(request->segments[i]);
    for (size_t i = 0; i < request->query_count; i++)
        free(request->query[i].key), free(request->query[i].value);
    free(request->method), free(request->url), free(request->authorization), free(request->host);
    json_decref(request->body);
    free(request);
}

static void request_drop(void *request)
{
    request_free(request);
}

static const struct dialect *find_dialect(const char *url)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        size_t n = strlen(dialects[i]->prefix);
        if (strncmp(url, dialects[i]->prefix, n) == 0 && (url[n] == '/' || url[n] == '\0'))
            return dialects[i];
    }
    return NULL;
}

static void handle(const struct dialect *dialect, const struct request *request, struct response *response)
{
    cloud_lock(request->cloud);
    dialect->handle(request, response);
    cloud_unlock(request->cloud);
}

static void handle_late(void *arg)
{
    struct request *request = arg;
    struct response response = {0};

    handle(find_dialect(request->url), request, &response);
    log_line("late: %s %s %d", request->method, request->url, response.status);
    json_decref(response.body);
    request_free(request);
}

// Returns false if the connection is to be closed without an answer. May take the request away (*request =
// NULL).
static bool answer(const struct dialect *dialect, struct request **request, struct response *response)
{
    struct effect effect = (*request)->effect;

    if (effect.delay_ms > 0)
        nanosleep(&(struct timespec){.tv_sec = effect.delay_ms / 1000,
                                     .tv_nsec = effect.delay_ms % 1000 * 1000000L},
                  NULL);
    if (effect.drop_before)
        return false;
    if (effect.late_create_ms > 0) {
        if (effect.status)
            dialect->fault(*request, response);
        jobs_add((*request)->cloud->jobs, effect.late_create_ms, handle_late, request_drop, *request);
        *request = NULL;
        return effect.status != 0;
    }
    if (!effect.status || effect.after)
        handle(dialect, *request, response);
    if (effect.status) {
        json_decref(response->body);
        *response = (struct response){0};
        dialect->fault(*request, response);
    }
    return !effect.drop_after;
}

static enum MHD_Result send_response(struct MHD_Connection *connection, const struct response *response)
{
    char *text = response->body ? json_dumps(response->body, JSON_COMPACT) : text_copy("");
    struct MHD_Response *answer = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

    if (response->body)
        MHD_add_response_header(answer, "Content-Type", "application/json");
    for (size_t i = 0; i < response->header_count; i++)
        MHD_add_response_header(answer, response->headers[i].name, response->headers[i].value);
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return rc;
}

static enum MHD_Result serve(struct http *http, struct MHD_Connection *connection, const char *url,
                             const char *method, const struct upload *upload)
{
    const struct dialect *dialect = find_dialect(url);
    struct response response = {.status = 404};
    bool send = true;

    if (upload->too_large) {
        response.status = 413;
    } else if (dialect) {
        struct request *request = request_new(http, connection, method, url, dialect->prefix, upload);
        if (dialect->fault)
            faults_take(http->cloud->faults, method, url, &request->effect);
        send = answer(dialect, &request, &response);
        if (request)
            request_free(request);
    }
    log_line("%s %s %d%s", method, url, response.status, send ? "" : " (connection dropped)");
    enum MHD_Result rc = send ? send_response(connection, &response) : MHD_NO;
    json_decref(response.body);
    return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **state)
{
    struct upload *upload = *state;

    (void)version;
    if (!upload) {
        *state = zalloc(sizeof *upload);
        return MHD_YES;
    }
    if (*size == 0)
        return serve(arg, connection, url, method, upload);
    if (upload->size + *size > BODY_MAX) {
        upload->too_large = true;
    } else {
        char *grown = realloc(upload->text, upload->size + *size);
        if (!grown)
            return MHD_NO;
        memcpy(grown + upload->size, data, *size);
        upload->text = grown;
        upload->size += *size;
    }
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *state;

    (void)arg, (void)connection, (void)code;
    if (upload)
        free(upload->text);
    free(upload);
    *state = NULL;
}

static bool parse_listen(const char *text, struct sockaddr_in *address)
{
    char host[64];
    unsigned port;

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    if (sscanf(text, "%63[0-9.]:%u", host, &port) != 2 || port > 65535)
        return false;
    address->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

struct http *http_start(struct cloud *cloud, const char *listen, unsigned *ret_port, struct why *why)
{
    struct sockaddr_in address;

    if (!parse_listen(listen, &address)) {
        fail(why, "'%s' is not an address and a port (127.0.0.1:8080)", listen);
        return NULL;
    }
    struct http *http = zalloc(sizeof *http);
    http->cloud = cloud;
    http->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                         on_request, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                         MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_TIMEOUT, 120u, MHD_OPTION_END);
    if (!http->daemon) {
        fail(why, "cannot listen on '%s': %s", listen, strerror(errno));
        free(http);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    *ret_port = info ? info->port : ntohs(address.sin_port);
    return http;
}

void http_stop(struct http *http)
{
    MHD_stop_daemon(http->daemon);
    free(http);
}
