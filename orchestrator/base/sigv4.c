#include "base/sigv4.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
#define ALGORITHM "AWS4-HMAC-SHA256"

struct pair {
    const char *name, *value; /* as they stand in the canonical request */
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->value, y->value);
}

static char *url_encode(struct arena *arena, const char *text, bool keep_slash)
{
    struct strbuf encoded CLEANUP_STRBUF;
    strbuf_init(&encoded, 0);
    strbuf_add_url_encoded(&encoded, text, keep_slash);
    return strbuf_to_arena(&encoded, arena);
}

static char *lower_case(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

/* The Host header that a client sends for this endpoint: without the scheme's own port. */
static const char *host_header(struct arena *arena, const char *endpoint)
{
    const char *scheme_end = strstr(endpoint, "://");
    const char *host = scheme_end ? scheme_end + 3 : endpoint;
    size_t length = strcspn(host, "/");
    const char *default_port = strncmp(endpoint, "https://", 8) == 0 ? ":443" : ":80";
    size_t port_length = strlen(default_port);
    if (length > port_length && !strncmp(host + length - port_length, default_port, port_length))
        length -= port_length;
    return arena_strndup(arena, host, length);
}

/* "a;host" and "a:1\nhost:h\n" from the headers and the host. */
static void join_headers(struct arena *arena, const char *host, const struct http_header *headers,
                         size_t count, struct strbuf *names, struct strbuf *lines)
{
    struct pair *pairs = arena_array(arena, count + 1, sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct pair){lower_case(arena, headers[i].name), headers[i].value};
    pairs[count] = (struct pair){"host", host};
    qsort(pairs, count + 1, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i <= count; i++) {
        strbuf_addf(names, "%s%s", i ? ";" : "", pairs[i].name);
        strbuf_addf(lines, "%s:%s\n", pairs[i].name, pairs[i].value);
    }
}

/* The canonical query: every name and value encoded, sorted by name, "name=" for valueless ones. */
static char *join_query(struct arena *arena, const struct sigv4_param *params, size_t param_count,
                        const struct sigv4_param *own, size_t own_count)
{
    struct strbuf query CLEANUP_STRBUF;
    size_t count = param_count + own_count;
    struct pair *pairs = arena_array(arena, count, sizeof *pairs);
    strbuf_init(&query, 0);
    for (size_t i = 0; i < count; i++) {
        const struct sigv4_param *param = i < param_count ? &params[i] : &own[i - param_count];
        pairs[i] =
            (struct pair){url_encode(arena, param->name, false), url_encode(arena, param->value, false)};
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&query, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
    return strbuf_to_arena(&query, arena);
}

static void sign_text(const struct sigv4_key *key, const char *date, const char *text,
                      uint8_t mac[HASH_SHA256_SIZE])
{
    struct strbuf start CLEANUP_STRBUF_WIPE;
    uint8_t chain[HASH_SHA256_SIZE];
    const char *const scope[] = {date, key->region, "s3", "aws4_request"};
    size_t length;
    const unsigned char *secret = secret_bytes(key->secret_key, &length);

    strbuf_init(&start, 0);
    strbuf_adds(&start, "AWS4");
    strbuf_add(&start, secret, length);
    hash_hmac_sha256(start.data, start.length, scope[0], strlen(scope[0]), chain);
    for (size_t i = 1; i < sizeof scope / sizeof *scope; i++) {
        hash_hmac_sha256(chain, sizeof chain, scope[i], strlen(scope[i]), mac);
        memcpy(chain, mac, sizeof chain);
    }
    hash_hmac_sha256(chain, sizeof chain, text, strlen(text), mac);
    explicit_bzero(chain, sizeof chain);
}

char *sigv4_presign(struct arena *arena, const struct sigv4_key *key, const char *method,
                    const char *endpoint, const char *path, const struct sigv4_param *params,
                    size_t param_count, const struct http_header *headers, size_t header_count,
                    int64_t now_ms, int expires_seconds)
{
    struct strbuf names CLEANUP_STRBUF, lines CLEANUP_STRBUF;
    char stamp[24], date[16], request_hash[HASH_SHA256_HEX_SIZE];
    uint8_t mac[HASH_SHA256_SIZE];
    struct tm tm;
    time_t seconds = (time_t)(now_ms / 1000);

    strbuf_init(&names, 0);
    strbuf_init(&lines, 0);
    gmtime_r(&seconds, &tm);
    /* Both fit: a year of any struct tm has at most ten digits. */
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    (void)strftime(date, sizeof date, "%Y%m%d", &tm);
    join_headers(arena, host_header(arena, endpoint), headers, header_count, &names, &lines);

    const char *scope = arena_printf(arena, "%s/%s/s3/aws4_request", date, key->region);
    const struct sigv4_param own[] = {
        {"X-Amz-Algorithm", ALGORITHM},
        {"X-Amz-Credential", arena_printf(arena, "%s/%s", secret_text(key->access_key), scope)},
        {"X-Amz-Date", stamp},
        {"X-Amz-Expires", arena_printf(arena, "%d", expires_seconds)},
        {"X-Amz-SignedHeaders", names.data},
    };
    const char *query = join_query(arena, params, param_count, own, sizeof own / sizeof *own);
    const char *encoded_path = url_encode(arena, path, true);
    const char *request = arena_printf(arena, "%s\n%s\n%s\n%s\n%s\nUNSIGNED-PAYLOAD", method, encoded_path,
                                       query, lines.data, names.data);
    const char *to_sign = arena_printf(arena, ALGORITHM "\n%s\n%s\n%s", stamp, scope,
                                       hash_sha256_hex(request, strlen(request), request_hash));
    sign_text(key, date, to_sign, mac);
    return arena_printf(arena, "%s%s?%s&X-Amz-Signature=%s", endpoint, encoded_path, query,
                        hash_hex(arena, mac, sizeof mac));
}
