// A control group for each machine, in every hierarchy that this machine has (version 1, 2 or both), so that
// whatever a machine started can be found and ended even after its supervisor is gone. All of it is best
// effort: without writable control groups a machine still runs.
#pragma once

#include <stddef.h>

enum { CGROUPS_MAX = 24 };

struct cgroups {
    char procs[CGROUPS_MAX][160]; // paths of the cgroup.procs files
    size_t count;
};

void cgroups_make(struct cgroups *groups, const char *name);
void cgroups_join(const struct cgroups *groups); // async-signal-safe: the calling process enters
void cgroups_kill(
    const char *name); // ends everything in groups of that name ("prefix.*" is a pattern) and removes them
