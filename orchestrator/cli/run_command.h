/* What recover, resume and backup share: carrying out a run and telling how it ended. */
#pragma once
#include "cli/cli.h"

struct err *run_command_start(struct cli *cli, struct project *project,
                              const struct plan *plan) REHOST_MUST_CHECK;
struct err *run_command_resume(struct cli *cli, struct project *project,
                               const char *run_id) REHOST_MUST_CHECK;
/* The observer and options of a run for this command line. */
struct err *run_command_options(struct cli *cli, const struct host *host,
                                struct run_options *options) REHOST_MUST_CHECK;
