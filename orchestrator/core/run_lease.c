/* The leases of a run: one in the journal, one in the backup bucket for those who have another journal, and
 * the thread that renews both. */
#include "base/clock.h"
#include "base/log.h"
#include "core/run_private.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool has_storage(const struct run *run)
{
    return run->project->inventory->storage.endpoint != NULL;
}

/* --- take and give back --- */

static struct err *explain(struct run *run, struct err *e)
{
    enum err_kind kind = err_kind(e);
    if (kind == ERR_HELD || kind == ERR_STALE || kind == ERR_CANCELLED)
        return e;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *cure = arena_strdup(arena, err_hint(e));
    e = err_wrap(e, "take the shared lease of host '%s' in the backup bucket", run->host->name);
    if (kind == ERR_UNKNOWN_OUTCOME) /* of the lease, not of the run: that did nothing yet */
        e = err_with_kind(e, ERR_TIMEOUT);
    return err_with_hint(e, "%s%swhen nobody else works on this host, go on without: --i-am-alone",
                         cure ? cure : "", cure ? "; or, " : "");
}

static struct err *take_shared(struct run *run)
{
    struct s3 *s3;
    if (!has_storage(run) || run->options->alone)
        return NULL;
    TRY(project_s3(run->project, &s3));
    const char *kind = json_string_value(json_object_get(run->plan.json, "kind")); /* a removal has no plan */
    const struct shared_lease_options options = {.prefix = run->project->inventory->storage.prefix,
                                                 .host = run->host->name,
                                                 .run = run->id,
                                                 .recovers = kind && !strcmp(kind, "recover"),
                                                 .resumes = run->resumed};
    struct err *e = shared_lease_acquire(run->project->ctx, s3, &options, &run->shared);
    return e ? explain(run, e) : NULL;
}

struct err *run_take_leases(struct run *run)
{
    TRY(store_lease_acquire(run->project->store, run->arena, run->host->name, run->id, &run->lease));
    struct err *e = take_shared(run);
    if (e)
        err_free(store_lease_release(&run->lease));
    return e;
}

void run_give_leases(struct run *run)
{
    CLEANUP_ERR struct err *e = run->shared ? shared_lease_release(run->shared) : NULL;
    if (e) /* it ends by itself */
        log_warn("%s: give the shared lease back: %s", run->id, err_text(e));
    shared_lease_free(run->shared);
    run->shared = NULL;
    err_free(store_lease_release(&run->lease));
}

static void tell(struct run *run, const char *text)
{
    const struct run_observer *observer = run->options->observer;
    CLEANUP_ERR struct err *e = store_event_add(&run->lease, text);
    log_warn("%s: %s", run->id, text);
    if (e)
        log_error("%s: keep an event: %s", run->id, err_text(e));
    if (observer && observer->note)
        observer->note(observer->arg, text);
}

void run_tell_leases(struct run *run)
{
    const int64_t skew_ms = run->shared ? shared_lease_skew_ms(run->shared) : 0;
    if (has_storage(run) && run->options->alone)
        tell(run, "goes on without the shared lease: the operator says that nobody else works on this host");
    if (skew_ms)
        tell(run,
             arena_printf(
                 run->arena,
                 "the clock of this machine is %lld s %s the object store's: times in the journal are "
                 "off by as much",
                 (long long)(skew_ms < 0 ? -skew_ms : skew_ms) / 1000, skew_ms > 0 ? "ahead of" : "behind"));
}

struct err *run_prove_lease(struct run *run, const struct ctx *ctx)
{
    return run->shared ? shared_lease_renew(ctx, run->shared) : NULL;
}

/* --- the heartbeat --- */

static struct err *beat(struct run *run, const struct ctx *ctx)
{
    CLEANUP_STORE struct store *store = NULL; /* a handle belongs to one thread */
    TRY(store_open(run->project->store_path, &store));
    struct lease lease = run->lease;
    lease.store = store;
    for (;;) {
        const int64_t wait_ms = run->shared ? shared_lease_wait_ms(run->shared) : STORE_LEASE_MS / 4;
        CLEANUP_ERR struct err *stop = ctx_sleep(ctx, wait_ms);
        if (stop)
            return NULL; /* asked to end */
        TRY(store_lease_renew(&lease));
        TRY(run_prove_lease(run, ctx));
    }
}

static void *heartbeat_main(void *arg)
{
    struct run *run = arg;
    const struct ctx ctx = {.cancel_fd = run->stop_fd, .deadline_ms = CTX_NO_DEADLINE};
    struct err *e = beat(run, &ctx);
    if (e && err_kind(e) != ERR_CANCELLED) {
        log_error("%s: lease lost: %s", run->id, err_text(e));
        const uint64_t one = 1;
        if (run->options->cancel_fd >= 0 && write(run->options->cancel_fd, &one, sizeof(one)) < 0)
            log_error("%s: cannot cancel: %s", run->id, strerror(errno));
    }
    err_free(e);
    return NULL;
}

struct err *run_start_heartbeat(struct run *run)
{
    run->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (run->stop_fd < 0)
        return err_errno(ERR_INTERNAL, errno, "make an eventfd");
    int rc = pthread_create(&run->heartbeat, NULL, heartbeat_main, run);
    if (rc) {
        close(run->stop_fd);
        return err_errno(ERR_INTERNAL, rc, "start the heartbeat thread");
    }
    run->beating = true;
    return NULL;
}

void run_stop_heartbeat(struct run *run)
{
    if (!run->beating)
        return;
    const uint64_t one = 1;
    if (write(run->stop_fd, &one, sizeof(one)) < 0)
        log_error("%s: cannot stop the heartbeat: %s", run->id, strerror(errno));
    pthread_join(run->heartbeat, NULL);
    close(run->stop_fd);
    run->beating = false;
}
