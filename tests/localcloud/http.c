#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1024 * 1024 };

struct http {
    struct MHD_Daemon *daemon;
    struct cloud *cloud;
    atomic_bool stopping;
};

struct upload {
    char *text;
    size_t size;
    bool too_large;
};

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
    size_t i = 0;

    while (i < response->header_count && strcasecmp(response->headers[i].name, name) != 0)
        i++;
    if (i == HEADERS_MAX)
        return;
    if (i == response->header_count)
        response->header_count++;
    snprintf(response->headers[i].name, sizeof response->headers[i].name, "%s", name);
    va_start(args, format);
    vsnprintf(response->headers[i].value, sizeof response->headers[i].value, format, args);
    va_end(args);
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
    request->filter = text_copy(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Filter"));
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
    free(request->filter);
    json_decref(request->body);
    free(request);
}

static void request_drop(void *request)
{
    request_free(request);
}

static const struct dialect *find_dialect(const struct cloud *cloud, const char *url)
{
    const struct dialect *const here[] = {&dialect_admin, cloud->dialect};

    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        size_t n = strlen(here[i]->prefix);
        if (strncmp(url, here[i]->prefix, n) == 0 && (url[n] == '/' || url[n] == '\0'))
            return here[i];
    }
    return NULL;
}

static void response_clear(struct response *response)
{
    json_decref(response->body);
    free(response->text);
    *response = (struct response){0};
}

static void handle(const struct dialect *dialect, const struct request *request, struct response *response)
{
    ground_lock(request->cloud->ground);
    dialect->handle(request, response);
    ground_unlock(request->cloud->ground);
}

static void handle_late(void *arg)
{
    struct request *request = arg;
    struct response response = {0};

    handle(request->cloud->dialect, request, &response);
    log_line("late: %s %s %d", request->method, request->url, response.status);
    response_clear(&response);
    request_free(request);
}

// A page of what stands in front of the API when that is down or in the way.
static void html_page(struct response *response, int status)
{
    response_clear(response);
    response->status = status ? status : 502;
    response->text =
        text_format("<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n<center><h1>%d</h1></center>"
                    "\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                    response->status, response->status);
}

static void refuse(const struct dialect *dialect, const struct request *request, struct response *response)
{
    response_clear(response);
    if (request->effect.html) {
        html_page(response, request->effect.status);
    } else {
        ground_lock(request->cloud->ground);
        dialect->fault(request, response);
        ground_unlock(request->cloud->ground);
    }
    if (request->effect.retry_after > 0)
        response_header(response, "Retry-After", "%d", request->effect.retry_after);
}

// Returns false if the connection is to be closed without an answer. May take the request away (*request =
// NULL).
static bool answer(const struct dialect *dialect, struct request **request, struct response *response)
{
    struct effect effect = (*request)->effect;
    bool refused = effect.status != 0 || effect.html;

    if (effect.delay_ms > 0)
        nanosleep(&(struct timespec){.tv_sec = effect.delay_ms / 1000,
                                     .tv_nsec = effect.delay_ms % 1000 * 1000000L},
                  NULL);
    if (effect.drop_before)
        return false;
    if (effect.late_create_ms > 0) {
        if (refused)
            refuse(dialect, *request, response);
        jobs_add((*request)->cloud->ground->jobs, effect.late_create_ms, handle_late, request_drop, *request);
        *request = NULL;
        return refused;
    }
    if (!refused || effect.after)
        handle(dialect, *request, response);
    if (refused)
        refuse(dialect, *request, response);
    return !effect.drop_after;
}

static ssize_t cut_off(void *arg, uint64_t at, char *buffer, size_t size)
{
    const char *text = arg;
    size_t half = strlen(text) / 2, left = at < half ? half - (size_t)at : 0;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (size > left)
        size = left;
    memcpy(buffer, text + at, size);
    return (ssize_t)size;
}

// White space without end: what has begun as JSON goes on. Some 6 MB a second.
static ssize_t go_on(void *arg, uint64_t at, char *buffer, size_t size)
{
    const struct http *http = arg;

    if (atomic_load(&http->stopping))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    memset(buffer, ' ', size);
    if (at == 0)
        buffer[0] = '{';
    return (ssize_t)size;
}

static struct MHD_Response *make_answer(struct http *http, const struct response *response,
                                        const struct effect *effect)
{
    enum { BLOCK = 65536 };

    if (effect->endless)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, go_on, http, NULL);
    char *text = response->body ? json_dumps(response->body, JSON_COMPACT)
                                : text_copy(response->text ? response->text : "");
    if (effect->truncated)
        return MHD_create_response_from_callback(strlen(text), BLOCK, cut_off, text, free);
    return MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_response(struct http *http, struct MHD_Connection *connection,
                                     const struct response *response, const struct effect *effect)
{
    struct MHD_Response *answer = make_answer(http, response, effect);

    if (response->body)
        MHD_add_response_header(answer, "Content-Type", "application/json");
    else if (response->text)
        MHD_add_response_header(answer, "Content-Type", "text/html");
    for (size_t i = 0; i < response->header_count; i++)
        MHD_add_response_header(answer, response->headers[i].name, response->headers[i].value);
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return rc;
}

static void count(struct cloud *cloud, const struct response *response)
{
    ground_lock(cloud->ground);
    cloud->requests++;
    cloud->requests_limited += response->status == 429;
    ground_unlock(cloud->ground);
}

static enum MHD_Result serve(struct http *http, struct MHD_Connection *connection, const char *url,
                             const char *method, const struct upload *upload)
{
    struct cloud *cloud = http->cloud;
    const struct dialect *dialect = find_dialect(cloud, url);
    struct response response = {.status = 404};
    struct effect effect = {0};
    bool send = true;

    if (upload->too_large) {
        response.status = 413;
    } else if (dialect) {
        struct request *request = request_new(http, connection, method, url, dialect->prefix, upload);
        if (dialect->fault)
            faults_take(cloud->ground->faults, dialect->name, method, url, &request->effect);
        effect = request->effect;
        send = answer(dialect, &request, &response);
        if (request)
            request_free(request);
    }
    if (dialect == cloud->dialect)
        count(cloud, &response);
    log_line("%s %s %s %d%s", cloud->dialect->name, method, url, response.status,
             send ? "" : " (connection dropped)");
    enum MHD_Result rc = send ? send_response(http, connection, &response, &effect) : MHD_NO;
    response_clear(&response);
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
    atomic_store(&http->stopping, true);
    MHD_stop_daemon(http->daemon);
    free(http);
}
