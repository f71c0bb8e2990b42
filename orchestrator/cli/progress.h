/* What a run shows while it works, on stderr: a live line below the finished steps on a terminal, one line an
 * event otherwise, and a heartbeat every 30 s so that silence never means "stuck".
 */
#pragma once
#include "cli/cli.h"

struct progress;

struct progress *progress_new(struct cli *cli);
/* The observer of a run; it lives in the cli's arena. */
const struct run_observer *progress_observer(struct progress *progress);
/* Clears the live line before other text is printed. */
void progress_clear(struct progress *progress);
