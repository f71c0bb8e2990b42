#include "base/http.h"

#include "base/clock.h"
#include "base/http_pool.h"
#include "base/log.h"
#include "base/strbuf.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TIMEOUT_MS 60000
#define DEFAULT_MAX_RESPONSE_BYTES ((size_t)8 << 20)
#define CONNECT_TIMEOUT_MS 15000L
#define MAX_HEADERS 128
#define LONGEST_POLL_MS 60000 /* as in ctx.c: notices a deadline that passed while the machine slept */

/* One exchange under way. */
struct exchange {
    const struct http_request *request;
    struct arena *arena;
    struct http_response *response;
    struct http_header *headers;
    struct strbuf body;
    struct curl_slist *request_headers; /* may hold the bearer token */
    bool too_large;
    char reason[CURL_ERROR_SIZE];
};

/* GET and HEAD change nothing; everything else may. */
static bool is_safe(const struct http_request *request)
{
    return !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    strbuf_add(&x->body, data, size * count);
    x->too_large = x->body.overflowed;
    return x->too_large ? 0 : size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t total = size * count, length = total;
    while (length && (data[length - 1] == '\r' || data[length - 1] == '\n' || data[length - 1] == ' '))
        length--;
    if (length >= 5 && !memcmp(data, "HTTP/", 5)) { /* a new answer: the one before was interim (1xx) */
        x->response->header_count = 0;
        return total;
    }
    const char *colon = memchr(data, ':', length);
    if (!colon)
        return total;
    if (x->response->header_count >= MAX_HEADERS) {
        x->too_large = true;
        return 0;
    }
    size_t name_length = (size_t)(colon - data), value_at = name_length + 1;
    while (value_at < length && (data[value_at] == ' ' || data[value_at] == '\t'))
        value_at++;
    char *name = arena_strndup(x->arena, data, name_length);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    x->headers[x->response->header_count++] = (struct http_header){
        .name = name, .value = arena_strndup(x->arena, data + value_at, length - value_at)};
    return total;
}

static struct err *add_line(struct exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->request_headers, line);
    if (!longer)
        return err_new(ERR_INTERNAL, "out of memory");
    x->request_headers = longer;
    return NULL;
}

/* Adds "name: value". A line break in a value (a token file with Windows line ends) would start another
 * header. */
static struct err *add_header(struct exchange *x, const char *name, const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 && *c != '\t')
            return err_new(ERR_INPUT,
                           "the value of the HTTP header '%s' has a line break or control character", name);
    struct strbuf line CLEANUP_STRBUF_WIPE;
    strbuf_init(&line, 0);
    strbuf_adds(&line, name);
    if (*value)
        strbuf_addf(&line, ": %s", value);
    else
        strbuf_addc(&line, ';'); /* how libcurl spells an empty value */
    return add_line(x, line.data);
}

static struct err *add_headers(struct exchange *x)
{
    const struct http_request *request = x->request;
    bool has_type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        has_type = has_type || !strcasecmp(request->headers[i].name, "content-type");
        TRY(add_header(x, request->headers[i].name, request->headers[i].value));
    }
    if (request->bearer_token) {
        struct strbuf value CLEANUP_STRBUF_WIPE;
        strbuf_init(&value, 0);
        strbuf_addf(&value, "Bearer %s", secret_text(request->bearer_token));
        TRY(add_header(x, "Authorization", value.data));
    }
    /* libcurl would add these on its own: a wait for "100 Continue", and the type of a form. */
    TRY(add_line(x, "Expect:"));
    return has_type ? NULL : add_line(x, "Content-Type:");
}

static void free_request_headers(struct exchange *x)
{
    for (struct curl_slist *line = x->request_headers; line; line = line->next)
        OPENSSL_cleanse(line->data, strlen(line->data));
    curl_slist_free_all(x->request_headers);
    x->request_headers = NULL;
}

/* The value of CURLOPT_CONNECT_TO for any host and port: "::ADDRESS:PORT", both parts optional; IPv6 needs
 * brackets. */
static char *connect_to_rule(struct arena *arena, const char *address)
{
    const char *colon = strchr(address, ':');
    bool bare_ipv6 = address[0] != '[' && colon && strchr(colon + 1, ':');
    bool has_port = !bare_ipv6 && strstr(address, address[0] == '[' ? "]:" : ":");
    if (bare_ipv6)
        return arena_printf(arena, "::[%s]:", address);
    return arena_printf(arena, "::%s%s", address, has_port ? "" : ":");
}

static void set_transport(CURL *easy, const struct http_pool_options *options,
                          const struct http_request *request)
{
    const char *ca_file = request->ca_file ? request->ca_file : options->ca_file;
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                           1L); /* do not wait for a resolver thread when cancelled */
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
    if (ca_file) /* beside the system's directory of certificates (CURLOPT_CAPATH), which stays */
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    /* libcurl keeps what it has read of the system's bundle (some 140 certificates, 30 ms of CPU) only where no
     * directory is set beside it (cached_x509_store in lib/vtls/openssl.c); both hold the same certificates. */
    else if (curl_version_info(CURLVERSION_NOW)->cainfo)
        (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    /* On a kept connection that turns out to be closed, libcurl sends the request again by itself, whatever
     * its method (Curl_retry_request() in lib/transfer.c). What may change something must be sent once, so it
     * gets a new connection. */
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, is_safe(request) ? 0L : 1L);
}

static void set_request(CURL *easy, struct exchange *x)
{
    const struct http_request *request = x->request;
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (!strcmp(request->method, "HEAD"))
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body || !is_safe(request)) { /* also without a body: servers want "Content-Length: 0" */
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->request_headers);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                           1L); /* a proxy's answer is not the server's */
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->reason);
}

/* Waits for the sockets, libcurl's timers, the cancel descriptor and the deadline. curl_multi_poll() stands
 * in for ctx_wait(). */
static struct err *wait_for_progress(const struct ctx *ctx, CURLM *multi)
{
    TRY(ctx_check(ctx));
    struct curl_waitfd cancel = {.fd = ctx->cancel_fd, .events = CURL_WAIT_POLLIN};
    int64_t remaining = ctx_remaining_ms(ctx);
    int timeout = (int)(remaining < LONGEST_POLL_MS ? remaining : LONGEST_POLL_MS);
    CURLMcode code = curl_multi_poll(multi, &cancel, ctx->cancel_fd >= 0, timeout, NULL);
    return code ? err_new(ERR_IO, "cannot wait for an answer: %s", curl_multi_strerror(code)) : NULL;
}

/* Runs the transfer to its end, which is in *code, or until the context ends, which is an error. */
static struct err *drive(const struct ctx *ctx, CURLM *multi, CURLcode *code)
{
    int running = 1, left = 0;
    for (;;) {
        CURLMcode failed = curl_multi_perform(multi, &running);
        if (failed)
            return err_new(ERR_INTERNAL, "libcurl failed: %s", curl_multi_strerror(failed));
        const struct CURLMsg *message = curl_multi_info_read(multi, &left);
        if (message && message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return NULL;
        }
        TRY(wait_for_progress(ctx, multi));
    }
}

static const char *name_for_log(const struct http_request *request)
{
    return request->path_template ? request->path_template : "(no path)";
}

/* Whether any of the request may have left: libcurl sets the pretransfer time when connection and TLS stand.
 */
static bool may_have_been_sent(CURL *easy)
{
    curl_off_t ready_us = 0;
    long request_bytes = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    (void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return ready_us > 0 || request_bytes > 0;
}

static enum err_kind kind_of_failure(const struct exchange *x, CURLcode code, bool sent)
{
    if (x->too_large)
        return is_safe(x->request) ? ERR_INPUT : ERR_UNKNOWN_OUTCOME;
    if (sent)
        return ERR_UNKNOWN_OUTCOME;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return ERR_TRUST;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_INPUT;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return ERR_INTERNAL;
    default:
        return ERR_TRANSIENT;
    }
}

static struct err *describe_failure(const struct exchange *x, CURLcode code, bool sent)
{
    const char *method = x->request->method, *path = name_for_log(x->request);
    enum err_kind kind = kind_of_failure(x, code, sent);
    if (x->too_large)
        return err_new(kind, "the answer to %s %s is larger than %zu bytes or has more than %d headers",
                       method, path, x->body.max, MAX_HEADERS);
    return err_new(kind, "%s %s: %s", method, path, *x->reason ? x->reason : curl_easy_strerror(code));
}

/* The context ended first. For a request that may change something, and may be on its way, that leaves its
 * outcome open. */
static struct err *describe_interruption(const struct exchange *x, struct err *interruption, bool sent)
{
    enum err_kind kind = sent && !is_safe(x->request) ? ERR_UNKNOWN_OUTCOME : err_kind(interruption);
    struct err *failure =
        err_wrap(interruption, "no answer to %s %s", x->request->method, name_for_log(x->request));
    return err_with_kind(failure, kind);
}

static struct err *run_exchange(const struct ctx *ctx, struct http_handle *handle, struct exchange *x)
{
    CURLcode code = CURLE_OK;
    CURLMcode failed = curl_multi_add_handle(handle->multi, handle->easy);
    if (failed)
        return err_new(ERR_INTERNAL, "libcurl failed: %s", curl_multi_strerror(failed));
    struct err *interruption = drive(ctx, handle->multi, &code);
    bool sent = may_have_been_sent(handle->easy);
    long status = 0;
    (void)curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_multi_remove_handle(handle->multi, handle->easy);
    if (interruption)
        return describe_interruption(x, interruption, sent);
    if (code)
        return describe_failure(x, code, sent);
    x->response->status = (int)status;
    return NULL;
}

/* All of one exchange on a borrowed handle. curl_easy_reset() keeps the connections. */
static struct err *exchange_on(const struct ctx *ctx, struct http_pool *pool, struct http_handle *handle,
                               struct exchange *x)
{
    TRY(add_headers(x));
    curl_easy_reset(handle->easy);
    set_transport(handle->easy, http_pool_settings(pool), x->request);
    set_request(handle->easy, x);
    struct curl_slist *rule = NULL;
    if (x->request->connect_to) {
        rule = curl_slist_append(NULL, connect_to_rule(x->arena, x->request->connect_to));
        if (!rule)
            return err_new(ERR_INTERNAL, "out of memory");
        (void)curl_easy_setopt(handle->easy, CURLOPT_CONNECT_TO, rule);
    }
    struct err *failure = run_exchange(ctx, handle, x);
    curl_easy_reset(handle->easy); /* it points to the lists that are freed now */
    curl_slist_free_all(rule);
    return failure;
}

static void log_exchange(const struct exchange *x, const struct err *failure)
{
    const char *method = x->request->method, *path = name_for_log(x->request);
    long long ms = x->response->elapsed_ms;
    if (failure)
        log_info("http %s %s failed (%s) after %lld ms", method, path, err_kind_name(err_kind(failure)), ms);
    else
        log_info("http %s %s %d in %lld ms", method, path, x->response->status, ms);
}

struct err *http_send(const struct ctx *ctx, struct http_pool *pool, struct arena *arena,
                      const struct http_request *request, struct http_response *response)
{
    struct http_handle *handle = NULL;
    TRY(ctx_check(ctx));
    TRY(http_pool_borrow(ctx, pool, &handle));

    *response = (struct http_response){.body = ""};
    struct exchange x = {.request = request, .arena = arena, .response = response};
    x.headers = arena_array(arena, MAX_HEADERS, sizeof(*x.headers));
    response->headers = x.headers;
    strbuf_init(&x.body,
                request->max_response_bytes ? request->max_response_bytes : DEFAULT_MAX_RESPONSE_BYTES);

    struct ctx limited =
        ctx_with_timeout(ctx, request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS);
    int64_t started = clock_boot_ms();
    struct err *failure = exchange_on(&limited, pool, handle, &x);
    http_pool_give_back(pool, handle);
    response->elapsed_ms = clock_boot_ms() - started;
    if (!failure) {
        response->body = strbuf_to_arena(&x.body, arena);
        response->body_length = x.body.length;
    }
    strbuf_wipe(&x.body); /* answers carry passwords of new servers */
    free_request_headers(&x);
    log_exchange(&x, failure);
    return failure;
}

const char *http_response_header(const struct http_response *response, const char *lower_case_name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (!strcmp(response->headers[i].name, lower_case_name))
            return response->headers[i].value;
    return NULL;
}
