/* A playbook on many hosts: a thread a host, one play after the other.
 *
 * Within a play each host goes at its own pace. They wait for each other only where Ansible's answer depends
 * on it: a task that names `hostvars` (all have come that far), `run_once` (its result is everybody's),
 * `any_errors_fatal` and `max_fail_percentage` (task by task), and the borders of plays and of `serial`
 * batches. A host that failed or was lost takes no part in what follows; the others go on.
 *
 * Threads: crew_apply() is called by one thread; `open` and `close` are called in the host's own thread,
 * `match` and the options' on_start and on_event one at a time.
 */
#pragma once
#include "base/secret.h"
#include "playbook/playbook.h"

struct crew_host {
    const char *name;                     /* inventory_hostname */
    const json_t *vars;                   /* of the inventory, all merged; may be NULL */
    const json_t *group_names;            /* sorted list without `all`; may be NULL */
    bool become;                          /* ansible_become; playbook_options has the command line's */
    const char *become_user;              /* or NULL */
    const struct secret *become_password; /* or NULL */
};

struct crew {
    const struct crew_host *hosts;
    size_t host_count;
    const json_t *groups; /* name -> list of names; may be NULL */
    size_t forks;         /* hosts at work at once; 0: all */
    void *arg;
    /* The hosts of a play's `hosts` (text or a list, rendered), as indexes into `hosts`, in the order in
     * which they shall be taken. */
    struct err *(*match)(void *arg, struct arena *arena, const json_t *pattern, size_t **indexes,
                         size_t *count);
    /* Opens the way to a host, when its first play begins; *ssh stays NULL for this machine itself. */
    struct err *(*open)(const struct ctx *ctx, void *arg, size_t host, struct ssh **ssh);
};

enum crew_end { CREW_NOT_USED, CREW_DONE, CREW_FAILED, CREW_UNREACHABLE };

struct crew_result { /* of one host */
    enum crew_end end;
    enum err_kind kind; /* of what ended it */
    struct playbook_result result;
    const char *message; /* why it failed or could not be reached; in the arena, or NULL */
    const char *hint;    /* or NULL */
};

/* `options->host_name` and `host_vars` are not used. `results` has crew->host_count entries. ERR_REMOTE when
 * a host failed, ERR_UNAVAILABLE-like kinds when one could not be reached: the message counts them.
 * ERR_INPUT: the playbook or a pattern is wrong. */
struct err *crew_apply(const struct ctx *ctx, const struct playbook *playbook, const struct crew *crew,
                       struct arena *arena, const struct playbook_options *options,
                       struct crew_result *results) REHOST_MUST_CHECK;
