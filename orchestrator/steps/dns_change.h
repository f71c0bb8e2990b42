/* Changing the records of one DNS name, for the cutover step: what is there, what shall be, the write as a
 * compare-and-swap, and the proof at each authoritative server.
 *
 * The step's input: {name, provider, ttl?, expected: {TYPE: {values, ttl}}} and either `wanted` in the same
 * form (a rollback), or {type: "CNAME" | "TXT", value} with "{ipv4}" and the like in it, or nothing: then A
 * and AAAA lead to the new server.
 */
#pragma once
#include "steps/step.h"

struct dns_change {
    struct dns_record_set expected, wanted;
};

struct dns_target {
    struct step_run *step;
    struct dns_account account;
    struct dns_zone zone;
    const char *name;
    struct dns_change changes[2]; /* A before AAAA */
    size_t count;
};

/* Finds the zone and works out the changes. */
struct err *dns_target_open(struct step_run *step, struct dns_target *target) REHOST_MUST_CHECK;
/* "A 198.18.0.9, AAAA (removed)" */
const char *dns_target_text(const struct dns_target *target);
/* Writes all changes; each is safe to repeat. Adds {written: {TYPE: {values, ttl}}, flipped_ms,
 * old_ttl_seconds} to the output; `written` is durable before each write. */
struct err *dns_target_write(struct dns_target *target) REHOST_MUST_CHECK;
/* Asks each authoritative server until all agree. Adds {servers, confirmed_ms}. */
struct err *dns_target_confirm(struct dns_target *target) REHOST_MUST_CHECK;
