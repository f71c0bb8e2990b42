/* What run.c, run_services.c, run_lease.c and gc.c share. */
#pragma once
#include "core/run.h"
#include "core/shared_lease.h"
#include <pthread.h>

struct run {
    struct project *project;
    struct arena *arena;
    const struct run_options *options;
    const char *id;
    const struct host *host;
    struct plan plan;
    bool resumed;
    struct lease lease;
    struct shared_lease *shared; /* NULL: no storage, or the user is alone */
    json_t *facts;               /* step id -> output */
    struct ssh *link;
    struct step_services services;
    struct effect_log effects;
    int current_seq;
    /* the heartbeat */
    pthread_t heartbeat;
    bool beating;
    int stop_fd;
};

void run_fill_services(struct run *run);
/* The lease of the journal, and when there is storage the one of the bucket. Both or none. */
struct err *run_take_leases(struct run *run) REHOST_MUST_CHECK;
void run_give_leases(struct run *run);
/* Keeps and shows what there is to say of the leases; the run must exist in the journal. */
void run_tell_leases(struct run *run);
/* Renews the shared lease, if any: before something that cannot be undone. ERR_STALE: somebody else has it.
 */
struct err *run_prove_lease(struct run *run, const struct ctx *ctx) REHOST_MUST_CHECK;
/* Renews both from a thread of its own, and cancels the run when one is lost. */
struct err *run_start_heartbeat(struct run *run) REHOST_MUST_CHECK;
void run_stop_heartbeat(struct run *run);
/* Fills `step` for the plan's step number `index`, with an output object of its own. */
void run_init_step(struct run *run, struct step_run *step, struct arena *arena, size_t index);
/* For removing servers outside a plan's steps: a step_run that can only delete. */
void run_init_bare_step(struct run *run, struct step_run *step, struct arena *arena, json_t *output);
/* Takes the host's leases and writes the run down, so that its effects have a place in the journal. */
struct err *run_open_journal(struct run *run, const struct run_row *row) REHOST_MUST_CHECK;
/* Removes what landed late: servers with this run's label that are not the one it uses. */
struct err *run_reap(struct run *run) REHOST_MUST_CHECK;
