/* What plan.c, plan_make.c, plan_names.c and plan_rollback.c share. */
#pragma once
#include "core/plan.h"

/* Ties the JSON to the arena. */
void plan_own(struct arena *arena, struct plan *plan);
/* The same, and computes the digest. */
void plan_seal(struct arena *arena, struct plan *plan);

/* A plan in the making. */
struct maker {
    struct project *project;
    struct arena *arena;
    const struct host *host;
    const struct plan_options *options;
    json_t *steps, *points, *warnings; /* borrowed from the plan */
    struct step_mean *means;           /* of the host's earlier runs */
};

/* Accounts of --without are not asked for anything. */
bool plan_is_lost(const struct maker *maker, const char *account);
void plan_add_step(struct maker *maker, const char *id, const struct step_ops *ops, const char *title,
                   json_t *input); /* takes the input */
/* The step that leads the users of one name; none for an alias, and for a name whose account is left out. */
struct err *plan_add_name(struct maker *maker, const struct dns_name *name) REHOST_MUST_CHECK;
