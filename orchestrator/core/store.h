/* The store: journal, leases and what is known of cloud resources, in one SQLite file (WAL,
 * synchronous=FULL).
 *
 * Every write of a run carries the epoch of its lease; the write and the check are one transaction, so that
 * an orchestrator that was paused past its lease cannot write any more (ERR_STALE). Reads need no lease.
 *
 * Errors: ERR_IO (disk, corruption), ERR_INPUT (a network file system: WAL does not work there), ERR_HELD,
 * ERR_STALE, ERR_NOT_FOUND. Threads: one store handle belongs to one thread; open a second handle on the same
 * file for another thread.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <jansson.h>
#include <stdint.h>

struct store;

struct err *store_open(const char *path, struct store **store) REHOST_MUST_CHECK;
/* An empty journal that is kept nowhere: for reading where `path`, named in messages, does not exist yet. */
struct err *store_open_empty(const char *path, struct store **store) REHOST_MUST_CHECK;
void store_close(struct store *store);
static inline void store_closep(struct store **store)
{
    store_close(*store);
}
#define CLEANUP_STORE __attribute__((cleanup(store_closep)))

/* --- leases: one run at a time per host --- */

#define STORE_LEASE_MS 60000 /* renewed every quarter of it */

struct lease {
    struct store *store;
    const char *host;
    const char *run;
    int64_t epoch; /* only rises; every write of the run must match it */
};

struct lease_holder { /* for messages */
    const char *run;
    const char *owner; /* "user@machine pid 42" */
    int64_t expires_ms;
    bool gone; /* its time is over, or its process does not exist any more */
};

/* Takes the lease when it is free, expired, ours, or its owner's process is gone from this machine. ERR_HELD
 * names the holder. */
struct err *store_lease_acquire(struct store *store, struct arena *arena, const char *host, const char *run,
                                struct lease *lease) REHOST_MUST_CHECK;
struct err *store_lease_renew(const struct lease *lease) REHOST_MUST_CHECK; /* ERR_STALE when lost */
struct err *store_lease_release(const struct lease *lease) REHOST_MUST_CHECK;

/* --- runs --- */

enum run_state { RUN_RUNNING, RUN_STOPPED, RUN_DONE, RUN_ABANDONED, RUN_STATE_COUNT };

struct run_row {
    const char *id;
    const char *host;
    const char *kind; /* "recover", "backup" */
    enum run_state state;
    const char *plan; /* JSON text */
    const char *plan_digest;
    const char *inventory; /* path, as it was given */
    int64_t incident_ms, started_ms, ended_ms;
    const char *created_by;
    const char *verdict;        /* JSON text, when it ended */
    struct lease_holder holder; /* run NULL when nobody works on it */
};

const char *run_state_name(enum run_state state);
/* ERR_IO when another run of this host is still open: see run_check_free(). */
struct err *store_run_create(const struct lease *lease, const struct run_row *run) REHOST_MUST_CHECK;
struct err *store_run_set_state(const struct lease *lease, enum run_state state,
                                const json_t *verdict) REHOST_MUST_CHECK;
/* Closes an older run of the lease's host that nobody works on. */
struct err *store_run_abandon(const struct lease *lease, const char *run_id) REHOST_MUST_CHECK;
struct err *store_run_get(struct store *store, struct arena *arena, const char *id,
                          struct run_row *run) REHOST_MUST_CHECK;
/* Newest first; host NULL: all; at most `limit`. */
struct err *store_run_list(struct store *store, struct arena *arena, const char *host, size_t limit,
                           struct run_row **runs, size_t *count) REHOST_MUST_CHECK;
/* The open run of a host, if any: run->id NULL otherwise. */
struct err *store_run_find_open(struct store *store, struct arena *arena, const char *host,
                                struct run_row *run) REHOST_MUST_CHECK;

/* --- steps --- */

enum step_state { STEP_PENDING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_SKIPPED, STEP_STATE_COUNT };

struct step_row {
    int seq;
    const char *id, *kind, *title;
    enum step_state state;
    int attempts;
    const char *output; /* JSON text: what the step found out, also while it runs */
    const char *error;
    int64_t started_ms, ended_ms;
};

const char *step_state_name(enum step_state state);
struct err *store_step_begin(const struct lease *lease, const struct step_row *step) REHOST_MUST_CHECK;
struct err *store_step_save(const struct lease *lease, int seq, const json_t *output) REHOST_MUST_CHECK;
struct err *store_step_end(const struct lease *lease, int seq, enum step_state state, const json_t *output,
                           const char *error) REHOST_MUST_CHECK;
struct err *store_step_list(struct store *store, struct arena *arena, const char *run,
                            struct step_row **steps, size_t *count) REHOST_MUST_CHECK;

/* How long a step took on a host: the mean of its last five undisturbed successes. */
struct step_mean {
    struct step_mean *next;
    const char *step_id;
    int64_t took_ms;
    int of; /* so many successes, 5 at most */
};
/* Of all steps that ever succeeded there, in no order; NULL when none did. */
struct err *store_step_means(struct store *store, struct arena *arena, const char *host,
                             struct step_mean **means) REHOST_MUST_CHECK;

/* --- effects: intent before, outcome after each call that changes the outside --- */

struct effect_row {
    int64_t id;
    int step_seq;
    const char *what, *subject, *detail;
    const char *outcome; /* "done", "failed", "unknown", or NULL: no outcome was stored */
    const char *error, *reference;
    int64_t begun_ms, ended_ms;
};

struct err *store_effect_begin(const struct lease *lease, int step_seq, const char *what, const char *subject,
                               const char *detail, int64_t *id) REHOST_MUST_CHECK;
struct err *store_effect_end(const struct lease *lease, int64_t id, const struct err *outcome,
                             const char *reference) REHOST_MUST_CHECK;
struct err *store_effect_list(struct store *store, struct arena *arena, const char *run,
                              struct effect_row **effects, size_t *count) REHOST_MUST_CHECK;

/* --- cloud resources: never deleted from the table --- */

struct resource_row {
    const char *account, *server_id; /* together unique */
    const char *run, *host, *name, *region, *size, *address, *host_key;
    const char *state; /* "live", "current", "retired", "deleted" */
    int64_t created_ms, updated_ms;
};

struct err *store_resource_put(const struct lease *lease,
                               const struct resource_row *resource) REHOST_MUST_CHECK;
struct err *store_resource_list(struct store *store, struct arena *arena, const char *host,
                                struct resource_row **resources, size_t *count) REHOST_MUST_CHECK;
/* The machine that now serves `host`, as far as rehost made it: server_id NULL when it made none. */
struct err *store_resource_current(struct store *store, struct arena *arena, const char *host,
                                   struct resource_row *resource) REHOST_MUST_CHECK;

/* --- backups made by rehost, for ages on screens without asking the object store --- */

struct backup_row {
    const char *host, *dataset, *stamp, *run;
    int64_t taken_ms, size_bytes;
    bool verified; /* a restore of it succeeded */
};

struct err *store_backup_put(const struct lease *lease, const struct backup_row *backup) REHOST_MUST_CHECK;
struct err *store_backup_newest(struct store *store, struct arena *arena, const char *host,
                                const char *dataset,
                                struct backup_row *backup) REHOST_MUST_CHECK; /* stamp NULL: none */

/* --- events --- */

struct event_row {
    int64_t at_ms;
    const char *text;
};

struct err *store_event_add(const struct lease *lease, const char *text) REHOST_MUST_CHECK;
struct err *store_event_list(struct store *store, struct arena *arena, const char *run,
                             struct event_row **events, size_t *count) REHOST_MUST_CHECK;
