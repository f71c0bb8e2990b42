/* DNS services: the contract. The unit is the record set (name and type); a change is a compare-and-swap on
 * the old values. Drivers do not sleep, retry, poll or log. Memory: the arena passed in. Threads: a handle
 * may be used from many threads.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "providers/account.h"

struct dns;

struct dns_zone {
    const char *id;
    const char *name; /* "example.com" */
    int64_t default_ttl_seconds;
};

struct dns_record_set {
    const char *name; /* fully qualified, without the last dot: "shop.example.com" */
    const char *type; /* "A", "AAAA", "CNAME", "TXT" */
    int64_t ttl_seconds;
    const char **values; /* sorted; names without the last dot, texts without quotes; count 0: the set does
                            not exist */
    size_t count;
    /* The service stands before these values: it answers addresses of its own, so a change is in force at
     * once for everybody (ttl_seconds 0), and asking the authoritative servers for the values proves nothing.
     */
    bool proxied;
};

struct dns_ops {
    const char *type;
    int64_t ttl_min_seconds; /* less is raised to this by the driver */
    struct err *(*open)(const struct account_options *options, struct dns **dns);
    void (*close)(struct dns *dns);
    /* The zone that holds `name` (longest match). ERR_NOT_FOUND. */
    struct err *(*zone_find)(const struct ctx *ctx, struct dns *dns, struct arena *arena, const char *name,
                             struct dns_zone *zone);
    struct err *(*record_get)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                              const struct dns_zone *zone, const char *name, const char *type,
                              struct dns_record_set *set);
    /* Reads, compares with `expected`, writes `wanted` (count 0: deletes the set). ERR_CONFLICT when the set
     * is not as expected (and not yet as wanted: then it is done already). *op: to poll, NULL when there is
     * none. */
    struct err *(*record_set_if)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                 const struct dns_zone *zone, const struct dns_record_set *expected,
                                 const struct dns_record_set *wanted, const char **op);
    /* NULL where every change is in force when it is answered. */
    struct err *(*op_poll)(const struct ctx *ctx, struct dns *dns, struct arena *arena, const char *op,
                           bool *done);
    /* Names of the zone's authoritative servers. */
    struct err *(*authoritative_servers)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                         const struct dns_zone *zone, const char ***names, size_t *count);
};

const struct dns_ops *dns_find(const char *type); /* NULL when unknown */
const struct dns_ops *dns_at(size_t index);       /* all in turn; NULL after the last */
bool dns_record_set_equal(const struct dns_record_set *a,
                          const struct dns_record_set *b); /* values only, not TTL */
