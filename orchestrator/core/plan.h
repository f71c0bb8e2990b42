/* Plans: an immutable list of steps for one host and scenario, made without changing anything.
 *
 * A plan is JSON; its digest is the SHA-256 of its canonical text. What was approved is what is carried out:
 * `recover FILE` refuses a plan whose inventory changed or whose time is over (ERR_STALE).
 *
 *   {format, kind, host, scenario, made_ms, valid_until_ms, incident_ms, inventory: {path, digest},
 * objectives: {rto_ms, rpo_ms}, facts: {STEP: output known before}, restore_points: [...], struck: [...],
 * warnings: [...], without: [ACCOUNT], steps: [{id, kind, title, danger, estimate_ms, input}]}
 */
#pragma once
#include "core/placement.h"

#define PLAN_FORMAT 1
#define PLAN_VALID_MS (60 * 60 * 1000)

struct plan_options {
    int64_t incident_ms; /* 0: now */
    const char *stamp;   /* this restore point for all datasets; NULL: the newest before `before_ms` */
    int64_t before_ms;   /* 0: the incident */
    struct placement_options placement;
    bool overview; /* only to be looked at: no digest is computed (a quarter of the time) */
};

struct plan {
    json_t *json; /* owned by the arena */
    char digest[65];
};

/* The plan of a recovery: looks at catalogue, restore points and DNS, changes nothing. */
struct err *plan_recover(struct project *project, struct arena *arena, const struct host *host,
                         const struct plan_options *options, struct plan *plan) REHOST_MUST_CHECK;
/* The plan of a backup of the host where it runs now. `dataset` NULL: all. */
struct err *plan_backup(struct project *project, struct arena *arena, const struct host *host,
                        const char *dataset, struct plan *plan) REHOST_MUST_CHECK;
/* The plan that puts back what a run changed for the users: the records as they were, the address where it
 * was. ERR_INPUT when the run changed nothing of that. */
struct err *plan_rollback(struct project *project, struct arena *arena, const char *run_id,
                          struct plan *plan) REHOST_MUST_CHECK;
/* Canonical text, sorted keys. */
char *plan_text(struct arena *arena, const struct plan *plan);
struct err *plan_parse(struct arena *arena, const char *text, size_t length,
                       struct plan *plan) REHOST_MUST_CHECK;
struct err *plan_load(struct arena *arena, const char *path, struct plan *plan) REHOST_MUST_CHECK;
struct err *plan_save(struct arena *arena, const struct plan *plan, const char *path) REHOST_MUST_CHECK;
/* ERR_STALE when it may not be carried out any more. */
struct err *plan_check_fresh(const struct plan *plan, const struct inventory *inventory) REHOST_MUST_CHECK;
/* ERR_STALE when a playbook is not the one that was approved. */
struct err *plan_check_playbooks(struct project *project, const struct plan *plan) REHOST_MUST_CHECK;

const char *plan_host(const struct plan *plan);
int64_t
plan_estimate_ms(const struct plan *plan,
                 const char *until_kind); /* sum up to and with the last step of that kind; NULL: all */
