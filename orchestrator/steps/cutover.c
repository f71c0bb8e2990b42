/* Leads the users to the new server: by moving an address that outlives servers, where the new one stands at
 * the same place, else by changing the records of one DNS name. Output: see steps/address.h and
 * steps/dns_change.h.
 */
#include "base/decode.h"
#include "steps/address.h"
#include "steps/dns_change.h"

static struct err *cutover_apply(struct step_run *step)
{
    struct dns_target target;
    if (address_can_move(step)) {
        const char *address;
        TRY(decode_string(step->input, "movable.address", &address));
        char *question = arena_printf(step->arena, "move the address %s to the new server", address);
        TRY(step->services->confirm(step, DANGER_MODERATE, question, "yes"));
        return address_move(step);
    }
    TRY(dns_target_open(step, &target));
    char *question = arena_printf(step->arena, "point %s to %s", target.name, dns_target_text(&target));
    TRY(step->services->confirm(step, DANGER_MODERATE, question, "yes"));
    return dns_target_write(&target);
}

static struct err *cutover_verify(struct step_run *step)
{
    struct dns_target target;
    if (json_object_get(step->output, "moved"))
        return NULL; /* proven when it moved */
    TRY(dns_target_open(step, &target));
    return dns_target_confirm(&target);
}

const struct step_ops step_cutover = {
    .kind = "cutover",
    .touches = "changes the DNS records of one name, or moves its address",
    .danger = DANGER_MODERATE,
    .estimate_ms = 10000,
    .apply = cutover_apply,
    .verify = cutover_verify,
};
