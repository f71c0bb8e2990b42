#include "core/shared_lease.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/owner.h"
#include "core/store.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE_MAX_BYTES 4096
#define ACQUIRE_TIMEOUT_MS 15000
#define RENEW_TIMEOUT_MS 5000
#define TRIES 4 /* looks at an object that changes under our hands */
#define FRESH_MS (STORE_LEASE_MS / 2)
#define RENEW_AGAIN_MS 3000 /* after a renewal that failed */
#define SKEW_MAX_MS 10000
#define DATE_STEP_MS 1000 /* an HTTP date has whole seconds */

enum loss { HELD, TAKEN, NOT_RENEWED };

struct shared_lease {
    struct arena *arena;
    struct s3 *s3;
    const char *key;
    struct shared_lease_state ours;
    pthread_mutex_t mutex; /* for all below */
    char etag[128];
    int64_t renewed_ms;        /* boot clock, when the last successful write was begun */
    int64_t store_ms, boot_ms; /* the store's clock, and ours when that question was asked */
    int64_t skew_ms;
    enum loss loss;
    const char *lost_to; /* for the error */
    bool late;           /* the last renewal failed */
};

/* --- the object --- */

struct seen {
    bool exists;
    struct shared_lease_state state;
    struct s3_version version;
};

static int64_t store_now(const struct shared_lease *lease)
{
    return lease->store_ms + clock_boot_ms() - lease->boot_ms;
}

static void keep_store_time(struct shared_lease *lease, const struct s3_version *version, int64_t asked_ms)
{
    lease->store_ms = version->answered_ms;
    lease->boot_ms = asked_ms;
}

static struct err *look(const struct ctx *ctx, struct shared_lease *lease, struct arena *arena,
                        struct seen *seen)
{
    char *text;
    size_t length;
    *seen = (struct seen){0};
    const int64_t asked_ms = clock_boot_ms();
    CLEANUP_ERR struct err *e =
        s3_get_version(ctx, lease->s3, arena, lease->key, LEASE_MAX_BYTES, &text, &length, &seen->version);
    if (e && err_kind(e) != ERR_NOT_FOUND)
        return TAKE(e);
    if (!seen->version.answered_ms)
        return err_new(ERR_REJECTED, "the store does not tell its time (no 'Date' in its answer)");
    keep_store_time(lease, &seen->version, asked_ms);
    seen->exists = !e;
    if (!seen->exists)
        return NULL;
    struct err *broken = shared_lease_parse(arena, text, length, lease->ours.host, &seen->state);
    return broken ? err_with_hint(broken, "when nobody works on the host remove 's3://%s/%s'",
                                  s3_bucket(lease->s3), lease->key)
                  : NULL;
}

static struct err *swap(const struct ctx *ctx, struct shared_lease *lease, struct arena *arena,
                        const struct shared_lease_state *state, const char *expected_etag)
{
    struct s3_version version;
    const int64_t begun_ms = clock_boot_ms();
    const char *text = shared_lease_format(arena, state);
    TRY(s3_swap(ctx, lease->s3, arena, lease->key, text, strlen(text), expected_etag, &version));
    if (strlen(version.etag) >= sizeof(lease->etag))
        return err_new(ERR_REJECTED, "the store's ETag is longer than %zu bytes", sizeof(lease->etag));
    memcpy(lease->etag, version.etag, strlen(version.etag) + 1);
    lease->renewed_ms = begun_ms;
    if (version.answered_ms)
        keep_store_time(lease, &version, begun_ms);
    return NULL;
}

/* The write may not have happened, or may have: what is there now decides. */
static bool must_look(const struct err *e)
{
    return err_kind(e) == ERR_CONFLICT || err_kind(e) == ERR_NOT_FOUND || err_kind(e) == ERR_UNKNOWN_OUTCOME;
}

/* --- acquire --- */

static struct err *held(const struct shared_lease *lease, const struct shared_lease_state *state)
{
    char until[CLOCK_TEXT_SIZE];
    return err_with_hint(
        err_new(ERR_HELD, "host '%s' is held by run '%s' of %s, shared lease until %s (by the store's clock)",
                state->host, state->run, state->owner, clock_format_utc(state->expires_ms, until)),
        "ask its owner, or wait: a run that was killed gives the host free at that time ('s3://%s/%s')",
        s3_bucket(lease->s3), lease->key);
}

/* What a run knows of the world is out of date when another one has rebuilt its host meanwhile. */
static struct err *superseded(const struct shared_lease *lease, const struct shared_lease_state *state)
{
    return err_with_hint(
        err_new(ERR_STALE, "run '%s' has worked on recovering host '%s' since run '%s' stopped",
                state->recovered_by, state->host, lease->ours.run),
        "give this one up with: rehost destroy %s   or, when the other changed nothing, go on "
        "with: rehost resume %s --i-am-alone",
        lease->ours.run, lease->ours.run);
}

static struct err *try_acquire(const struct ctx *ctx, struct shared_lease *lease,
                               const struct shared_lease_options *options, bool *again)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct seen seen;
    TRY(look(ctx, lease, arena, &seen));
    const char *recovered_by = seen.state.recovered_by;
    if (!seen.exists)
        TRY(shared_lease_probe(ctx, lease->s3, options->prefix));
    else if (!shared_lease_is_free(&seen.state, store_now(lease)))
        return held(lease, &seen.state);
    else if (options->resumes && recovered_by && strcmp(recovered_by, options->run) != 0)
        return superseded(lease, &seen.state);
    lease->ours.recovered_by = options->recovers ? lease->ours.run : arena_strdup(lease->arena, recovered_by);
    lease->ours.epoch = seen.state.epoch + 1;
    lease->ours.expires_ms = store_now(lease) + STORE_LEASE_MS;
    struct err *e = swap(ctx, lease, arena, &lease->ours, seen.version.etag);
    *again = e && must_look(e);
    return e;
}

static struct err *acquire(const struct ctx *ctx, struct shared_lease *lease,
                           const struct shared_lease_options *options)
{
    for (int tries = 1;; tries++) {
        bool again = false;
        CLEANUP_ERR struct err *e = try_acquire(ctx, lease, options, &again);
        if (!again || tries == TRIES)
            return TAKE(e);
    }
}

/* Positive: our clock is ahead. What rounding and the time on the way explain is no skew. */
static int64_t skew(const struct shared_lease *lease)
{
    const int64_t now_ms = clock_now_ms(), then_ms = now_ms - (clock_boot_ms() - lease->boot_ms);
    if (now_ms < lease->store_ms - SKEW_MAX_MS)
        return now_ms - lease->store_ms;
    if (then_ms > lease->store_ms + DATE_STEP_MS + SKEW_MAX_MS)
        return then_ms - lease->store_ms;
    return 0;
}

static struct shared_lease *lease_new(struct s3 *s3, const struct shared_lease_options *options)
{
    struct arena *arena = arena_new(0);
    struct shared_lease *lease = ARENA_NEW(arena, struct shared_lease);
    lease->arena = arena;
    lease->s3 = s3;
    lease->key = shared_lease_key(arena, options->prefix, arena_printf(arena, "%s.json", options->host));
    lease->ours = (struct shared_lease_state){.host = arena_strdup(arena, options->host),
                                              .run = arena_strdup(arena, options->run),
                                              .owner = owner_text(arena),
                                              .place = owner_place(arena),
                                              .pid = getpid()};
    pthread_mutex_init(&lease->mutex, NULL);
    return lease;
}

struct err *shared_lease_acquire(const struct ctx *ctx, struct s3 *s3,
                                 const struct shared_lease_options *options, struct shared_lease **out)
{
    const struct ctx limited = ctx_with_timeout(ctx, ACQUIRE_TIMEOUT_MS);
    struct shared_lease *lease = lease_new(s3, options);
    struct err *e = acquire(&limited, lease, options);
    if (e) {
        shared_lease_free(lease);
        return e;
    }
    lease->skew_ms = skew(lease);
    log_info("%s holds '%s', epoch %lld", lease->ours.run, lease->key, (long long)lease->ours.epoch);
    *out = lease;
    return NULL;
}

/* --- renew --- */

static bool is_ours(const struct shared_lease *lease, const struct seen *seen)
{
    const struct shared_lease_state *there = &seen->state, *ours = &lease->ours;
    return seen->exists && there->epoch == ours->epoch && there->pid == ours->pid && there->run &&
           !strcmp(there->run, ours->run) && !strcmp(there->place, ours->place);
}

static void set_taken(struct shared_lease *lease, const struct seen *seen)
{
    lease->loss = TAKEN;
    lease->lost_to = !seen->exists      ? "it was removed"
                     : !seen->state.run ? "somebody else had it and gave it back"
                                        : arena_printf(lease->arena, "run '%s' of %s took it",
                                                       seen->state.run, seen->state.owner);
}

static struct err *loss_error(const struct shared_lease *lease)
{
    if (lease->loss == HELD)
        return NULL;
    if (lease->loss == TAKEN)
        return err_with_hint(err_new(ERR_STALE, "the shared lease of host '%s' is not ours any more: %s",
                                     lease->ours.host, lease->lost_to),
                             "this process was paused too long, or somebody took over: look at 's3://%s/%s'",
                             s3_bucket(lease->s3), lease->key);
    return err_with_hint(
        err_new(ERR_TIMEOUT, "the shared lease of host '%s' could not be renewed in time: %s",
                lease->ours.host, lease->lost_to),
        "when the object store answers again: rehost resume %s   or, when nobody else works on this "
        "host: rehost resume %s --i-am-alone",
        lease->ours.run, lease->ours.run);
}

/* A lease that turns out not to be ours is marked as taken. */
static struct err *write_ours(const struct ctx *ctx, struct shared_lease *lease,
                              const struct shared_lease_state *state)
{
    for (int tries = 1;; tries++) {
        CLEANUP_ARENA struct arena *arena = arena_new(0);
        CLEANUP_ERR struct err *e = swap(ctx, lease, arena, state, lease->etag);
        if (!e || !must_look(e) || tries == TRIES)
            return TAKE(e);
        struct seen seen;
        TRY(look(ctx, lease, arena, &seen));
        if (!is_ours(lease, &seen)) {
            set_taken(lease, &seen);
            return loss_error(lease);
        }
        if (strlen(seen.version.etag) < sizeof(lease->etag))
            memcpy(lease->etag, seen.version.etag, strlen(seen.version.etag) + 1);
    }
}

static bool is_fresh(const struct shared_lease *lease)
{
    return clock_boot_ms() - lease->renewed_ms < FRESH_MS;
}

static struct err *renew_locked(const struct ctx *ctx, struct shared_lease *lease)
{
    if (lease->loss != HELD)
        return loss_error(lease);
    const struct ctx limited = ctx_with_timeout(ctx, RENEW_TIMEOUT_MS);
    lease->ours.expires_ms = store_now(lease) + STORE_LEASE_MS;
    CLEANUP_ERR struct err *e = write_ours(&limited, lease, &lease->ours);
    lease->late = e != NULL;
    if (!e || lease->loss == TAKEN || err_kind(e) == ERR_CANCELLED)
        return TAKE(e);
    log_warn("%s: renew '%s': %s", lease->ours.run, lease->key, err_text(e));
    if (is_fresh(lease))
        return NULL;
    lease->loss = NOT_RENEWED;
    lease->lost_to = arena_strdup(lease->arena, err_text(e));
    return loss_error(lease);
}

struct err *shared_lease_renew(const struct ctx *ctx, struct shared_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    struct err *e = renew_locked(ctx, lease);
    pthread_mutex_unlock(&lease->mutex);
    return e;
}

struct err *shared_lease_check(struct shared_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    struct err *e = loss_error(lease);
    pthread_mutex_unlock(&lease->mutex);
    return e;
}

int64_t shared_lease_wait_ms(struct shared_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    const int64_t wait_ms = lease->late ? RENEW_AGAIN_MS : STORE_LEASE_MS / 4;
    pthread_mutex_unlock(&lease->mutex);
    return wait_ms;
}

int64_t shared_lease_skew_ms(const struct shared_lease *lease)
{
    return lease->skew_ms;
}

/* --- the end --- */

struct err *shared_lease_release(struct shared_lease *lease)
{
    const struct ctx whole = ctx_background(), limited = ctx_with_timeout(&whole, RENEW_TIMEOUT_MS);
    struct err *e = NULL;
    pthread_mutex_lock(&lease->mutex);
    struct shared_lease_state released = lease->ours;
    released.run = NULL;
    released.expires_ms = 0;
    if (lease->loss != TAKEN)
        e = write_ours(&limited, lease, &released);
    pthread_mutex_unlock(&lease->mutex);
    return e;
}

void shared_lease_free(struct shared_lease *lease)
{
    if (!lease)
        return;
    pthread_mutex_destroy(&lease->mutex);
    arena_free(lease->arena);
}
