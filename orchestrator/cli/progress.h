/* What a run shows while it works, on stderr: on a terminal a block of two lines below the finished steps (is
 * it getting better, how long still), otherwise one line an event and a heartbeat every 30 s, so that silence
 * never means "stuck".
 *
 * A thread of its own keeps the clock going while a step is busy. Threads: all functions may be called from
 * the run's thread.
 */
#pragma once
#include "cli/cli.h"

struct progress;

struct progress *progress_new(struct cli *cli); /* lives in the cli's arena */
const struct run_observer *progress_observer(struct progress *progress);
