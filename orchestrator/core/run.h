/* Runs: carrying out a plan, step by step, with the journal written before and after each.
 *
 * A run that fails, is interrupted or killed stays open; run_resume() goes on with it, from any step, by
 * looking at the journal and at the world. A thread of its own renews the lease; when the lease is lost the
 * run is cancelled.
 */
#pragma once
#include "core/plan.h"
#include "core/project.h"

struct run_step_view {
    int seq; /* from 1 */
    int count;
    const char *id, *kind, *title;
    enum step_state state;
    int64_t elapsed_ms;
    int64_t estimate_ms;
};

struct run_observer { /* all in the thread of the run; functions may be NULL */
    void *arg;
    void (*begin)(void *arg, const char *run, const struct plan *plan, bool resumed);
    void (*end)(void *arg); /* after begin, whatever came of the run: nothing more is told */
    void (*step_begin)(void *arg, const struct run_step_view *step);
    void (*step_end)(void *arg, const struct run_step_view *step, const struct err *error);
    void (*note)(void *arg, const char *text);
    void (*live)(void *arg, const char *text);
    void (*progress)(void *arg, const struct dataset_progress *progress);
    struct err *(*confirm)(void *arg, enum danger danger, const char *question, const char *expected);
};

struct run_options {
    const struct run_observer *observer;
    int cancel_fd; /* the eventfd behind the project's context: a lost lease writes to it */
    bool accept_unproven_fence;
    bool alone; /* go on without the shared lease: nobody else works on this host */
};

/* ERR_HELD when a run of this host is open that has to be resumed or given up first. A backup that did not
 * end is no obstacle. */
struct err *run_check_free(struct project *project, struct arena *arena, const char *host) REHOST_MUST_CHECK;
/* *run_id is set as soon as the run exists, also when an error is returned: then the run is stopped and can
 * be resumed. */
struct err *run_start(struct project *project, struct arena *arena, const struct plan *plan,
                      const struct run_options *options, const char **run_id) REHOST_MUST_CHECK;
struct err *run_resume(struct project *project, struct arena *arena, const char *run_id,
                       const struct run_options *options) REHOST_MUST_CHECK;
/* Removes the servers that the run made, and closes it. Never touches the machine that serves the host. */
struct err *run_destroy(struct project *project, struct arena *arena, const char *run_id,
                        const struct run_options *options, int *removed) REHOST_MUST_CHECK;

struct gc_item {
    const char *account, *server_id, *name, *run;
    bool owned;    /* stays */
    bool unlisted; /* no server: the account could not be asked, `why` tells */
    bool removed;
    const char *why; /* why it goes, or why it stays */
};
/* Looks at all accounts for servers with our labels that no open run and no host owns. `remove` false: only
 * reports. Servers of runs that this journal does not know are reported, never removed. */
struct err *run_gc(struct project *project, struct arena *arena, const struct run_options *options,
                   bool remove, struct gc_item **items, size_t *count) REHOST_MUST_CHECK;
