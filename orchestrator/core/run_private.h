/* What run.c, run_services.c and gc.c share. */
#pragma once
#include "core/run.h"
#include <pthread.h>

struct run {
    struct project *project;
    struct arena *arena;
    const struct run_options *options;
    const char *id;
    const struct host *host;
    struct plan plan;
    struct lease lease;
    json_t *facts; /* step id -> output */
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
struct err *run_start_heartbeat(struct run *run) REHOST_MUST_CHECK;
void run_stop_heartbeat(struct run *run);
/* Fills `step` for the plan's step number `index`, with an output object of its own. */
void run_init_step(struct run *run, struct step_run *step, struct arena *arena, size_t index);
/* For removing servers outside a plan's steps: a step_run that can only delete. */
void run_init_bare_step(struct run *run, struct step_run *step, struct arena *arena, json_t *output);
/* Takes the host's lease and writes the run down, so that its effects have a place in the journal. */
struct err *run_open_journal(struct run *run, const struct run_row *row) REHOST_MUST_CHECK;
/* Removes what landed late: servers with this run's label that are not the one it uses. */
struct err *run_reap(struct run *run) REHOST_MUST_CHECK;
