/* Moving an address that outlives servers to the new one, where it can be used there: then DNS stays as it
 * is, and no cache anywhere matters.
 *
 * The step's input has `movable`: {provider, id, address, kind, region?, needs_configuration} and, for a
 * rollback, `to` and `held_by`: ids of the server that gets it and of the one that must have it (ERR_CONFLICT
 * when another has).
 */
#pragma once
#include "steps/step.h"

/* Whether the new server stands where the address can be used. */
bool address_can_move(const struct step_run *step);
/* Configures it there where that is needed, moves it, and proves it by logging in at that address. Adds
 * {moved: {provider, id, address, from, to}, flipped_ms, confirmed_ms, old_ttl_seconds: 0} to the output. */
struct err *address_move(struct step_run *step) REHOST_MUST_CHECK;
