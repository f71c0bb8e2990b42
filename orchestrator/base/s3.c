#include "base/s3.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/retry.h"
#include "base/s3call.h"

#include <curl/curl.h>
#include <libxml/parser.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 100000
#define REQUEST_EXPIRES_SECONDS 900
#define REQUEST_TIMEOUT_MS 120000

/* ---- the store ---- */

static struct err *copy_secret(const struct secret *secret, struct secret **copy)
{
    size_t length;
    const unsigned char *bytes = secret_bytes(secret, &length);
    return secret_new(bytes, length, copy);
}

struct err *s3_open(const struct s3_options *options, struct s3 **s3)
{
    const char *endpoint = options->endpoint;
    size_t scheme = !strncmp(endpoint, "https://", 8) ? 8 : !strncmp(endpoint, "http://", 7) ? 7 : 0;
    size_t host = scheme + strcspn(endpoint + scheme, "/?# ");
    if (scheme == 0 || host == scheme || strspn(endpoint + host, "/") != strlen(endpoint + host))
        return err_new(ERR_INPUT, "'%s' is not the address of an object store (https://host[:port])",
                       endpoint);
    xmlInitParser();
    struct s3 *opened = calloc(1, sizeof *opened);
    if (!opened)
        return err_new(ERR_INTERNAL, "out of memory");
    opened->endpoint = strndup(endpoint, host);
    opened->region = strdup(options->region ? options->region : "us-east-1");
    opened->bucket = strdup(options->bucket);
    const struct http_pool_options pool = {.ca_file = options->ca_file};
    struct err *failed = copy_secret(options->access_key, &opened->access_key);
    if (!failed)
        failed = copy_secret(options->secret_key, &opened->secret_key);
    if (!failed)
        failed = http_pool_open(&pool, &opened->pool);
    if (failed) {
        s3_close(opened);
        return failed;
    }
    *s3 = opened;
    return NULL;
}

void s3_close(struct s3 *s3)
{
    if (!s3)
        return;
    if (s3->pool)
        http_pool_close(s3->pool);
    secret_free(s3->access_key);
    secret_free(s3->secret_key);
    free(s3->endpoint);
    free(s3->region);
    free(s3->bucket);
    free(s3);
}

const char *s3_bucket(const struct s3 *s3)
{
    return s3->bucket;
}

const char *s3_region(const struct s3 *s3)
{
    return s3->region;
}

char *s3_url(const struct s3 *s3, struct arena *arena, const char *key)
{
    struct strbuf url CLEANUP_STRBUF;
    strbuf_init(&url, 0);
    strbuf_addf(&url, "%s/%s/", s3->endpoint, s3->bucket);
    strbuf_add_url_encoded(&url, key, true);
    return strbuf_to_arena(&url, arena);
}

/* ---- one request ---- */

char *s3_presign(struct s3 *s3, struct arena *arena, const struct s3_call *call, int expires_seconds)
{
    const struct sigv4_key key = {s3->access_key, s3->secret_key, s3->region};
    size_t params = 0;
    while (params < S3_MAX_PARAMS && call->params[params].name)
        params++;
    const char *path = call->key ? arena_printf(arena, "/%s/%s", s3->bucket, call->key)
                                 : arena_printf(arena, "/%s", s3->bucket);
    return sigv4_presign(arena, &key, call->method, s3->endpoint, path, call->params, params, &call->header,
                         call->header.name ? 1 : 0, clock_now_ms(), expires_seconds);
}

const char *s3_bare_etag(struct arena *arena, const char *etag)
{
    size_t length = strlen(etag);
    if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"')
        return arena_strndup(arena, etag + 1, length - 2);
    return etag;
}

/* What an answer means, by its status and S3's code
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
static enum err_kind classify(const struct s3_call *call, int status, const char *code)
{
    bool reads = !strcmp(call->method, "GET") || !strcmp(call->method, "HEAD");
    if (status == 404)
        return ERR_NOT_FOUND;
    if (status == 401 || status == 403)
        return !strcmp(code, "RequestTimeTooSkewed") ? ERR_REJECTED : ERR_AUTH;
    if (status == 409 || status == 412)
        return ERR_CONFLICT;
    if (status == 429 || status == 503 || !strcmp(code, "SlowDown"))
        return ERR_RATE_LIMIT;
    if (status == 501) /* a condition or header that this store does not know */
        return ERR_REJECTED;
    if (!strcmp(code, "RequestTimeout") || !strcmp(code, "BadDigest")) /* the body did not arrive whole */
        return ERR_TRANSIENT;
    if (status >= 500 || !strcmp(code, "InternalError"))
        return reads ? ERR_TRANSIENT : ERR_UNKNOWN_OUTCOME;
    return ERR_REJECTED;
}

static struct err *with_hint(struct s3 *s3, const char *code, struct err *failed)
{
    if (!strcmp(code, "RequestTimeTooSkewed"))
        return err_with_hint(failed,
                             "set this machine's clock: the store refuses requests that are 15 minutes off");
    if (!strcmp(code, "NoSuchBucket"))
        return err_with_hint(failed, "create the bucket '%s' or correct its name", s3->bucket);
    if (!strcmp(code, "PermanentRedirect") || !strcmp(code, "AuthorizationHeaderMalformed"))
        return err_with_hint(failed, "check the store's endpoint and region ('%s')", s3->region);
    if (err_kind(failed) == ERR_AUTH)
        return err_with_hint(failed, "check the store's access key, secret key and the rights of both");
    return failed;
}

static struct err *answer_error(struct s3 *s3, const struct s3_call *call,
                                const struct http_response *response)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    xmlDocPtr doc CLEANUP_XML = s3xml_parse(response->body, response->body_length);
    const char *code = s3xml_text(arena, doc, NULL, "Code");
    const char *message = s3xml_text(arena, doc, NULL, "Message");
    const char *key = call->key ? call->key : "";
    struct err *failed =
        err_new(classify(call, response->status, code),
                "cannot %s 's3://%s/%s': the store answered %d%s%.64s%s%.200s", call->what, s3->bucket, key,
                response->status, *code ? " " : "", code, *message ? ": " : "", message);
    const char *retry_after = http_response_header(response, "retry-after");
    if (retry_after && err_kind(failed) == ERR_RATE_LIMIT)
        failed = err_with_retry_after(failed, 1000 * (int64_t)strtol(retry_after, NULL, 10));
    return with_hint(s3, code, failed);
}

struct attempt {
    struct s3 *s3;
    struct arena *arena;
    const struct s3_call *call;
    struct http_response *response;
};

/* Each attempt is signed anew, so that waiting between attempts does not eat up the signature's time. */
static struct err *send_once(const struct ctx *ctx, void *arg)
{
    struct attempt *a = arg;
    const struct s3_call *call = a->call;
    struct http_header headers[2];
    size_t header_count = 0;
    if (call->header.name)
        headers[header_count++] = call->header;
    if (call->extra.name)
        headers[header_count++] = call->extra;
    const struct http_request request = {
        .method = call->method,
        .url = s3_presign(a->s3, a->arena, call, REQUEST_EXPIRES_SECONDS),
        .path_template = call->key ? "/{bucket}/{key}" : "/{bucket}",
        .headers = headers,
        .header_count = header_count,
        .body = call->body,
        .body_length = call->body_length,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .max_response_bytes = call->max_bytes,
    };
    struct err *failed = http_send(ctx, a->s3->pool, a->arena, &request, a->response);
    if (failed)
        return err_wrap(failed, "cannot %s 's3://%s/%s'", call->what, a->s3->bucket,
                        call->key ? call->key : "");
    if (a->response->status < 200 || a->response->status > 299)
        return answer_error(a->s3, call, a->response);
    return NULL;
}

struct err *s3_send(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const struct s3_call *call,
                    struct http_response *response)
{
    struct attempt attempt = {s3, arena, call, response};
    return retry_run(ctx, call->once ? &retry_writes : &retry_reads, call->what, send_once, &attempt);
}

struct err *s3_send_xml(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const struct s3_call *call,
                        xmlDocPtr *doc)
{
    struct http_response response = {0};
    TRY(s3_send(ctx, s3, arena, call, &response));
    xmlDocPtr parsed CLEANUP_XML = s3xml_parse(response.body, response.body_length);
    if (!parsed)
        return err_new(ERR_REJECTED, "cannot %s: the store's answer is not XML", call->what);
    if (!strcmp(s3xml_root_name(parsed), "Error"))
        return answer_error(s3, call, &response);
    *doc = TAKE(parsed);
    return NULL;
}

/* ---- objects ---- */

static const char *md5_base64(struct arena *arena, const void *data, size_t length)
{
    unsigned char digest[16];
    size_t digest_length = sizeof digest;
    if (EVP_Q_digest(NULL, "MD5", NULL, data, length, digest, &digest_length) != 1)
        return NULL; /* a system that forbids MD5: then without this check */
    return hash_base64(arena, digest, digest_length);
}

/* A PUT under a condition (name NULL: none) is sent once: a second attempt would find what the first one may
 * have stored. */
static struct err *put(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                       const void *data, size_t length, struct http_header condition,
                       struct http_response *response)
{
    const char *md5 = md5_base64(arena, data, length);
    struct s3_call call = {.what = "store",
                           .method = "PUT",
                           .key = key,
                           .body = data,
                           .body_length = length,
                           .header = condition,
                           .once = condition.name != NULL};
    if (md5)
        call.extra = (struct http_header){"Content-MD5", md5};
    return s3_send(ctx, s3, arena, &call, response);
}

struct err *s3_put(const struct ctx *ctx, struct s3 *s3, const char *key, const void *data, size_t length,
                   bool only_if_absent)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct http_response response = {0};
    const struct http_header absent = {"If-None-Match", "*"}, none = {0};
    return put(ctx, s3, arena, key, data, length, only_if_absent ? absent : none, &response);
}

static struct s3_version version_of(struct arena *arena, const struct http_response *response)
{
    const char *etag = http_response_header(response, "etag");
    const char *date = http_response_header(response, "date");
    const time_t answered = date ? curl_getdate(date, NULL) : -1;
    return (struct s3_version){.etag = etag ? s3_bare_etag(arena, etag) : NULL,
                               .answered_ms = answered > 0 ? 1000 * (int64_t)answered : 0};
}

struct err *s3_swap(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                    const void *data, size_t length, const char *expected_etag, struct s3_version *version)
{
    struct http_response response = {0};
    const struct http_header absent = {"If-None-Match", "*"}, same = {"If-Match", expected_etag};
    TRY(put(ctx, s3, arena, key, data, length, expected_etag ? same : absent, &response));
    *version = version_of(arena, &response);
    if (!version->etag)
        return err_new(ERR_UNKNOWN_OUTCOME, "the store did not tell the ETag of 's3://%s/%s'", s3->bucket,
                       key);
    return NULL;
}

static struct err *get(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                       size_t max_bytes, char **data, size_t *length, struct http_response *response)
{
    const size_t error_bytes = 65536; /* an error's text must fit, however small the object is */
    const struct s3_call call = {.what = "read",
                                 .method = "GET",
                                 .key = key,
                                 .max_bytes = max_bytes > error_bytes ? max_bytes : error_bytes};
    TRY(s3_send(ctx, s3, arena, &call, response));
    if (response->body_length > max_bytes)
        return err_new(ERR_INPUT, "'s3://%s/%s' is larger than %zu bytes", s3->bucket, key, max_bytes);
    *data = arena_memdup(arena, response->body, response->body_length + 1);
    *length = response->body_length;
    return NULL;
}

struct err *s3_get(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                   size_t max_bytes, char **data, size_t *length)
{
    struct http_response response = {0};
    return get(ctx, s3, arena, key, max_bytes, data, length, &response);
}

struct err *s3_get_version(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                           size_t max_bytes, char **data, size_t *length, struct s3_version *version)
{
    struct http_response response = {0};
    struct err *failed = get(ctx, s3, arena, key, max_bytes, data, length, &response);
    *version = version_of(arena, &response);
    if (failed)
        version->etag = NULL;
    else if (!version->etag)
        return err_new(ERR_REJECTED, "the store did not tell the ETag of 's3://%s/%s'", s3->bucket, key);
    return failed;
}

struct err *s3_get_range(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                         int64_t offset, size_t length, char **data, size_t *got)
{
    struct http_response response = {0};
    const char *range =
        arena_printf(arena, "bytes=%lld-%lld", (long long)offset, (long long)offset + (long long)length - 1);
    const struct s3_call call = {
        .what = "read a range of", .method = "GET", .key = key, .extra = {"Range", range}};
    TRY(s3_send(ctx, s3, arena, &call, &response));
    if (response.status != 206 || response.body_length > length)
        return err_new(ERR_REJECTED, "the store ignored the range that was asked for of 's3://%s/%s'",
                       s3->bucket, key);
    *data = arena_memdup(arena, response.body, response.body_length + 1);
    *got = response.body_length;
    return NULL;
}

struct err *s3_head(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                    struct s3_object *object)
{
    struct http_response response = {0};
    const struct s3_call call = {.what = "look at", .method = "HEAD", .key = key};
    TRY(s3_send(ctx, s3, arena, &call, &response));
    const char *length = http_response_header(&response, "content-length");
    const char *etag = http_response_header(&response, "etag");
    const char *modified = http_response_header(&response, "last-modified");
    if (!length)
        return err_new(ERR_REJECTED, "the store did not tell the size of 's3://%s/%s'", s3->bucket, key);
    *object = (struct s3_object){.key = arena_strdup(arena, key),
                                 .size_bytes = strtoll(length, NULL, 10),
                                 .modified_ms = modified ? 1000 * (int64_t)curl_getdate(modified, NULL) : 0,
                                 .etag = s3_bare_etag(arena, etag ? etag : "")};
    return NULL;
}

struct err *s3_delete(const struct ctx *ctx, struct s3 *s3, const char *key)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct http_response response = {0};
    const struct s3_call call = {.what = "delete", .method = "DELETE", .key = key};
    struct err *failed = s3_send(ctx, s3, arena, &call, &response);
    if (failed && err_kind(failed) == ERR_NOT_FOUND) {
        err_free(failed);
        return NULL;
    }
    return failed;
}

struct listing {
    struct s3_object *objects;
    size_t count, capacity;
};

static void add_object(struct arena *arena, struct listing *list, const struct s3_object *object)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct s3_object *grown = arena_array(arena, capacity, sizeof *grown);
        if (list->count)
            memcpy(grown, list->objects, list->count * sizeof *grown);
        list->objects = grown;
        list->capacity = capacity;
    }
    list->objects[list->count++] = *object;
}

/* "2026-11-20T02:41:00.123Z" */
static int64_t parse_time(struct arena *arena, const char *text)
{
    int64_t ms = 0;
    size_t seconds = strcspn(text, ".Z");
    struct err *failed CLEANUP_ERR = clock_parse_utc(arena_printf(arena, "%.*sZ", (int)seconds, text), &ms);
    return failed ? 0 : ms;
}

static struct err *list_page(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *prefix,
                             struct listing *list, const char **next)
{
    xmlDocPtr doc CLEANUP_XML = NULL;
    struct s3_call call = {.what = "list",
                           .method = "GET",
                           .params = {{"list-type", "2"}, {"max-keys", "1000"}, {"prefix", prefix}}};
    if (*next)
        call.params[3] = (struct sigv4_param){"continuation-token", *next};
    TRY(s3_send_xml(ctx, s3, arena, &call, &doc));
    for (xmlNodePtr entry = s3xml_child(doc, NULL, "Contents"); entry; entry = s3xml_next(entry)) {
        if (list->count >= MAX_LISTED)
            return err_new(ERR_INPUT, "more than %d objects under 's3://%s/%s'", MAX_LISTED, s3->bucket,
                           prefix);
        const struct s3_object object = {
            .key = s3xml_text(arena, doc, entry, "Key"),
            .size_bytes = s3xml_int(doc, entry, "Size"),
            .modified_ms = parse_time(arena, s3xml_text(arena, doc, entry, "LastModified")),
            .etag = s3_bare_etag(arena, s3xml_text(arena, doc, entry, "ETag")),
        };
        add_object(arena, list, &object);
    }
    bool truncated = !strcmp(s3xml_text(arena, doc, NULL, "IsTruncated"), "true");
    *next = truncated ? s3xml_text(arena, doc, NULL, "NextContinuationToken") : NULL;
    if (truncated && !**next)
        return err_new(ERR_REJECTED, "the store cut a list short without saying how to go on");
    return NULL;
}

struct err *s3_list(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *prefix,
                    struct s3_object **objects, size_t *count)
{
    struct listing list = {0};
    const char *next = NULL;
    do
        TRY(list_page(ctx, s3, arena, prefix, &list, &next));
    while (next);
    *objects = list.objects;
    *count = list.count;
    return NULL;
}

struct err *s3_ensure_bucket(const struct ctx *ctx, struct s3 *s3)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct http_response response = {0};
    const struct s3_call look = {.what = "look at", .method = "HEAD"};
    const struct s3_call make = {.what = "create", .method = "PUT"};
    struct err *failed = s3_send(ctx, s3, arena, &look, &response);
    if (!failed || err_kind(failed) != ERR_NOT_FOUND)
        return failed;
    err_free(failed);
    failed = s3_send(ctx, s3, arena, &make, &response);
    if (failed && err_kind(failed) == ERR_CONFLICT) { /* created a moment ago: by us or by somebody else? */
        err_free(failed);
        failed = s3_send(ctx, s3, arena, &look, &response);
    }
    return failed;
}
