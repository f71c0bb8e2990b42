/* Readiness: what would stop a recovery tomorrow, found out today, without changing anything (but for a probe
 * object in the bucket, which is removed again).
 *
 * Threads: the project's. Memory: the arena.
 */
#pragma once
#include "core/plan.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_BLOCKING };

struct finding {
    enum finding_level level;
    const char *host; /* NULL: it concerns all hosts */
    const char *subject;
    const char *text;
    const char *cure; /* NULL: none is needed, or the text says it */
};

struct readiness {
    struct arena *arena;
    struct finding *findings;
    size_t count, capacity;
};

/* Keys, storage and accounts, then each host (or `only` that one). Whatever is wrong is a finding; an error
 * is ERR_CANCELLED. */
struct err *readiness_look(struct project *project, struct arena *arena, const struct host *only,
                           struct readiness *readiness) REHOST_MUST_CHECK;
/* The worst of the findings that concern the host. */
enum finding_level readiness_of(const struct readiness *readiness, const struct host *host);
