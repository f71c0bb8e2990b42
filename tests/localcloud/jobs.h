// Work that happens after the answer: a few worker threads carry out jobs when they are due. All functions
// are thread-safe.
#pragma once

#include <stdint.h>

struct jobs;

struct jobs *jobs_start(unsigned workers);
// work takes arg over; drop frees it if the end comes first.
void jobs_add(struct jobs *jobs, int64_t delay_ms, void (*work)(void *arg), void (*drop)(void *arg),
              void *arg);
void jobs_stop(struct jobs *jobs); // lets running jobs end, drops the rest, frees
