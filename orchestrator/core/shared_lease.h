/* One run at a time per host, also when two people work with two journals: a lease object in the backup
 * bucket.
 *
 * PREFIX/leases/HOST.json names host, run, owner, epoch and expiry. It is written only by compare and swap on
 * its ETag, so of two who want it one fails; it is released by an expiry of 0 and never deleted, so that its
 * epoch only rises. Expiry is judged by the store's clock (the Date of its answers), the holder's own time by
 * CLOCK_BOOTTIME. Others may take the lease STORE_LEASE_MS after its last renewal; the holder stops acting
 * when half of that is over.
 *
 * Errors: ERR_HELD names the holder; ERR_STALE: somebody else has it; ERR_REJECTED: the store ignores
 * conditions; those of s3.h when the store cannot be reached. Threads: a lease may be used from many threads.
 */
#pragma once
#include "base/s3.h"
#include <stdbool.h>
#include <stdint.h>

struct shared_lease;

/* What the object says. */
struct shared_lease_state {
    const char *host;
    const char *run; /* NULL: released */
    const char *owner;
    const char *place; /* see owner.h */
    int64_t pid, epoch, expires_ms;
    const char *recovered_by; /* the last run that began or resumed a recovery of the host; NULL: none */
};

/* ERR_INPUT when the text is not a lease of this host. */
struct err *shared_lease_parse(struct arena *arena, const char *text, size_t length, const char *host,
                               struct shared_lease_state *state) REHOST_MUST_CHECK;
char *shared_lease_format(struct arena *arena, const struct shared_lease_state *state);
/* Released, over, held by this very process, or by one of this machine that does not exist any more. */
bool shared_lease_is_free(const struct shared_lease_state *state, int64_t store_now_ms);

/* "PREFIX/leases/NAME" */
char *shared_lease_key(struct arena *arena, const char *prefix, const char *name);

struct shared_lease_options {
    const char *prefix, *host, *run;
    bool recovers; /* it rebuilds the host */
    bool resumes;  /* it was begun before: ERR_STALE when another run recovered the host since */
};

/* When the object is absent, the store is probed first. */
struct err *shared_lease_acquire(const struct ctx *ctx, struct s3 *s3,
                                 const struct shared_lease_options *options,
                                 struct shared_lease **lease) REHOST_MUST_CHECK;
/* Renews. NULL also when the store cannot be reached but the last renewal is fresh enough. Once an error
 * other than ERR_CANCELLED was returned the lease is lost, for good: ERR_STALE when it was taken, ERR_TIMEOUT
 * when it could not be renewed in time. */
struct err *shared_lease_renew(const struct ctx *ctx, struct shared_lease *lease) REHOST_MUST_CHECK;
/* NULL while it is held: asks nobody. */
struct err *shared_lease_check(struct shared_lease *lease) REHOST_MUST_CHECK;
/* When to renew next. */
int64_t shared_lease_wait_ms(struct shared_lease *lease);
/* How far this machine's clock is ahead of the store's, as seen when the lease was taken; 0 when it may be
 * right. */
int64_t shared_lease_skew_ms(const struct shared_lease *lease);
/* Gives it back when it is still ours; also when the work was cancelled, so it takes no context. */
struct err *shared_lease_release(struct shared_lease *lease) REHOST_MUST_CHECK;
void shared_lease_free(struct shared_lease *lease); /* NULL is allowed */

/* Finds out with a canary object whether the store honours If-None-Match and If-Match on PUT. */
struct err *shared_lease_probe(const struct ctx *ctx, struct s3 *s3, const char *prefix) REHOST_MUST_CHECK;
