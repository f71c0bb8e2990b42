/* What plan.c and plan_make.c share. */
#pragma once
#include "core/plan.h"

/* Ties the JSON to the arena and computes the digest. */
void plan_seal(struct arena *arena, struct plan *plan);
