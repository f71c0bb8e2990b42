/* The provider's firewall in front of a new server, where the inventory describes one.
 *
 * The step's input has `firewall`: list of {protocol, port_from, port_to, sources}.
 */
#pragma once
#include "steps/step.h"

/* Makes it equal to the description, by its name (rehost-HOST), and puts it before the server. Nothing
 * without a description; a provider that has no firewalls is ERR_REJECTED: a server without the wanted
 * protection is not what was planned. Safe to repeat. */
struct err *firewall_put(struct step_run *step, const struct compute_account *account,
                         const char *server_id) REHOST_MUST_CHECK;
