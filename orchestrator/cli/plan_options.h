/* Options that `plan` and `recover` share. */
#pragma once
#include "cli/cli.h"

struct err *cli_plan_options(const struct cli *cli, struct plan_options *options) REHOST_MUST_CHECK;
/* Whether any of them was given. */
bool cli_has_plan_options(const struct cli *cli);
