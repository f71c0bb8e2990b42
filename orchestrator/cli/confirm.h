/* Asking a human. Moderate: "yes", or --yes. Severe: the thing's name, typed or given as --confirm NAME;
 * --yes is not enough. Without a terminal nothing is asked: ERR_APPROVAL tells which option agrees.
 */
#pragma once
#include "cli/cli.h"

struct err *confirm_ask(struct cli *cli, enum danger danger, const char *question,
                        const char *expected) REHOST_MUST_CHECK;
