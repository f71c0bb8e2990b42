/* What plan.c and plan_make.c share. */
#pragma once
#include "core/plan.h"

/* Ties the JSON to the arena. */
void plan_own(struct arena *arena, struct plan *plan);
/* The same, and computes the digest. */
void plan_seal(struct arena *arena, struct plan *plan);
