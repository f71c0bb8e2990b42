/* The verdict of a run: what was measured, against the objectives that the plan carried. */
#pragma once
#include "core/run.h"

/* From the journal alone. A new reference:
 * {service_up_ms, confirmed_ms, resolvers_by_ms, protected_ms, rto: {target_ms, actual_ms, met}, rpo:
 * [{dataset, target_ms, actual_ms, met, lost_from_ms, lost_to_ms, stamp}], met, server: {...}}. Times are
 * since the epoch; absent when not reached. */
struct err *verdict_make(struct store *store, struct arena *arena, const struct plan *plan, const char *run,
                         json_t **verdict) REHOST_MUST_CHECK;
