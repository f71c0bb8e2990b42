/* What the DNS drivers share: names, values, the comparison that compare-and-swap stands on, and the whole of
 * get and set for services whose unit is the single record, not the set.
 *
 * Memory: results live in the arena. Threads: pure functions, but for the two that call the service.
 */
#pragma once
#include "providers/dns/dns.h"

/* Whether `name` is `zone` or lies below it. A dot at the end of either does not matter. */
bool dns_name_within(const char *name, const char *zone);
/* "WWW.example.com" in "example.com" is "www"; the zone itself is `apex` ("@" or ""). ERR_INPUT when it lies
 * elsewhere. */
struct err *dns_relative_name(struct arena *arena, const char *zone, const char *name, const char *apex,
                              const char **relative) REHOST_MUST_CHECK;
/* The reverse: "www", "@", "" and "www.other.example." as absolute names without the last dot. */
const char *dns_absolute_name(struct arena *arena, const char *zone, const char *relative);
const char *dns_without_dot(struct arena *arena, const char *name);
bool dns_type_holds_names(const char *type); /* CNAME, NS */
/* The text of a TXT record as zone files write it ("\"a \\\"b\\\"\" \"c\""), and as the contract has it (a
 * "b"c). What stands without quotes is taken as it is; strings of a zone file hold 255 bytes, longer texts
 * become several. */
const char *dns_text_from_zone(struct arena *arena, const char *text);
const char *dns_text_to_zone(struct arena *arena, const char *text);
void dns_sort_values(struct dns_record_set *set);

/* Whether `found` is what a change from one to the other leaves when it is cut short: it has a new value of
 * `wanted`, or, when none is new, all of them; and none that stands in neither. */
bool dns_record_set_between(const struct dns_record_set *found, const struct dns_record_set *expected,
                            const struct dns_record_set *wanted);
/* NULL when `found` is as expected, or as wanted, or between the two; else ERR_CONFLICT that tells both. */
struct err *dns_check_expected(struct arena *arena, const struct dns_record_set *found,
                               const struct dns_record_set *expected,
                               const struct dns_record_set *wanted) REHOST_MUST_CHECK;
/* The same where a set changes as a whole or not at all: what lies between is then somebody else's. */
struct err *dns_check_expected_whole(struct arena *arena, const struct dns_record_set *found,
                                     const struct dns_record_set *expected,
                                     const struct dns_record_set *wanted) REHOST_MUST_CHECK;

/* --- services whose unit is the record --- */

struct dns_record {
    const char *id;    /* as the service has it; NULL in one that is to be created */
    const char *value; /* as in dns_record_set; NULL: this record is to be deleted */
    int64_t ttl_seconds;
    bool proxied; /* as in dns_record_set; stays as it is */
};

struct dns_record_service {
    /* All records of this name and type; several calls' worth of pages. */
    struct err *(*list)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                        const struct dns_zone *zone, const char *name, const char *type,
                        struct dns_record **records, size_t *count);
    /* One create (no id), update, or delete (no value). ERR_NOT_FOUND: the record is gone since it was read.
     */
    struct err *(*write)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                         const struct dns_zone *zone, const char *name, const char *type,
                         const struct dns_record *record);
    int64_t (*ttl)(int64_t wanted_seconds); /* what the service makes of it */
    /* Several as one change: all or none. NULL: the service has no such call. */
    struct err *(*write_all)(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                             const struct dns_zone *zone, const char *name, const char *type,
                             const struct dns_record *records, size_t count);
};

struct err *dns_records_get(const struct dns_record_service *service, const struct ctx *ctx, struct dns *dns,
                            struct arena *arena, const struct dns_zone *zone, const char *name,
                            const char *type, struct dns_record_set *set) REHOST_MUST_CHECK;
/* Updates first, so that one address in place of another is one call; then creates, then deletes. Cut short,
 * it is repeated safely. With write_all, more than one are one call. */
struct err *dns_records_set_if(const struct dns_record_service *service, const struct ctx *ctx,
                               struct dns *dns, struct arena *arena, const struct dns_zone *zone,
                               const struct dns_record_set *expected,
                               const struct dns_record_set *wanted) REHOST_MUST_CHECK;
