/* Some stores ignore conditions on PUT and overwrite (https://github.com/lxc/incus/issues/3651), others
 * answer 501: on those a lease would protect nothing. */
#include "base/hash.h"
#include "core/shared_lease.h"

#define NO_ETAG "00000000000000000000000000000000"

/* A write under a condition that does not hold. */
static struct err *must_be_refused(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                                   const char *etag, const char *condition)
{
    struct s3_version version;
    CLEANUP_ERR struct err *e = s3_swap(ctx, s3, arena, key, "overwritten", 11, etag, &version);
    if (e && err_kind(e) == ERR_CONFLICT)
        return NULL;
    return e ? TAKE(e) : err_new(ERR_REJECTED, "the store ignores '%s' on PUT and overwrites", condition);
}

static struct err *probe(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key)
{
    struct s3_version version;
    TRY(s3_swap(ctx, s3, arena, key, "canary", 6, NULL, &version));
    TRY(must_be_refused(ctx, s3, arena, key, NULL, "If-None-Match: *"));
    TRY(must_be_refused(ctx, s3, arena, key, NO_ETAG, "If-Match"));
    struct err *e = s3_swap(ctx, s3, arena, key, "replaced", 8, version.etag, &version);
    if (e && err_kind(e) == ERR_CONFLICT)
        return err_with_kind(err_wrap(e, "the store refuses 'If-Match' with the right ETag"), ERR_REJECTED);
    return e;
}

struct err *shared_lease_probe(const struct ctx *ctx, struct s3 *s3, const char *prefix)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *key =
        shared_lease_key(arena, prefix, arena_printf(arena, "probe-%s", hash_random_id(arena, 12)));
    struct err *e = probe(ctx, s3, arena, key);
    err_free(s3_delete(ctx, s3, key));
    if (e && err_kind(e) == ERR_REJECTED)
        return err_with_hint(err_wrap(e, "the bucket '%s' cannot hold leases", s3_bucket(s3)),
                             "use an object store that honours If-None-Match and If-Match on PUT");
    return e;
}
