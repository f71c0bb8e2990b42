/* Playbooks: Ansible's syntax, a strict subset, applied over one SSH session.
 *
 * load    parse and check everything that can be checked without a host: unknown keywords, modules,
 * arguments, filters and missing files are errors with file:line:column and a suggestion, never ignored apply
 * one channel, one `sh`: the modules in use go over once, tasks are compiled to shell calls and streamed
 * without waiting for each other; a round trip happens only where a task depends on an earlier result that
 * the control side must evaluate
 *
 * Nothing of a task's arguments appears in an argv or environment on the host; tasks with no_log are shown
 * and logged without values. Threads: a loaded playbook is read-only; an application belongs to one thread.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/ssh.h"
#include <jansson.h>

struct playbook;

struct playbook_paths {
    const char *modules_dir;      /* playbooks/modules */
    const char *const *role_dirs; /* searched after the playbook's own roles/ */
    size_t role_dir_count;
};

struct err *playbook_load(struct arena *arena, const char *path, const struct playbook_paths *paths,
                          const struct playbook **playbook) REHOST_MUST_CHECK;
const char *playbook_path(const struct playbook *playbook);
const char *playbook_name(const struct playbook *playbook);  /* of its first play */
size_t playbook_task_count(const struct playbook *playbook); /* static count, handlers not included */
/* SHA-256 over the playbook and every file it can use: for plan digests. */
const char *playbook_digest(const struct playbook *playbook);

/* The reference of what is supported, as Markdown: keywords, modules, filters, tests, methods. */
struct err *playbook_describe(struct arena *arena, const struct playbook_paths *paths,
                              struct strbuf *out) REHOST_MUST_CHECK;
/* One module of it. ERR_NOT_FOUND. */
struct err *playbook_describe_module(struct arena *arena, const struct playbook_paths *paths,
                                     const char *name, struct strbuf *out) REHOST_MUST_CHECK;

enum task_status { TASK_OK, TASK_CHANGED, TASK_SKIPPED, TASK_FAILED, TASK_IGNORED, TASK_STATUS_COUNT };

struct task_event {
    const char *host; /* inventory_hostname */
    const char *task; /* name, templated when possible */
    const char *role; /* or NULL */
    const char *item; /* loop label, or NULL */
    const char *module;
    const char *file;
    int line;
    bool handler;
    enum task_status status;
    const char *message; /* of a failure or a debug task; "" otherwise */
    const char *diff;    /* with options.diff: unified diff, or "" */
    int64_t elapsed_ms;
};

struct playbook_options {
    bool check; /* change nothing, report what would change */
    bool diff;
    bool become;                          /* tasks run as root unless they say otherwise (-b) */
    const char *become_user;              /* as this user instead of root, when a task names none; or NULL */
    const struct secret *become_password; /* for sudo, when the login is not root; or NULL */
    const char *host_name;                /* inventory_hostname */
    const json_t *host_vars;              /* inventory variables */
    /* Opens the way to the host anew after a reboot, and closes the one before; NULL: `reboot` is refused. */
    struct err *(*reopen)(const struct ctx *ctx, void *arg, struct ssh **ssh);
    void *reopen_arg;
    json_t *done; /* NULL, or an object that keeps what commands answered: given to the next application after
                   * a lost link, they are not run a second time. It holds whatever they printed. */
    const json_t *extra_vars;  /* -e: strongest */
    const char *tags;          /* --tags: names joined by commas; NULL: all */
    const char *skip_tags;     /* --skip-tags: likewise; NULL: none */
    const char *start_at_task; /* leave out what comes before the task of this name (a shell pattern); NULL:
                                  from the beginning */
    void (*on_start)(const char *task,
                     void *arg); /* before a task's first result, for the live line; may be NULL */
    void (*on_event)(const struct task_event *event, void *arg); /* may be NULL */
    void *arg;
};

/* One line of --list-tasks: a play (`task` is NULL), followed by those of its tasks that the tags select.
 * Imported tasks stand for themselves, included ones are not looked at, handlers are left out. The texts live
 * in the arena or the playbook. */
struct playbook_item {
    int play_number;  /* from 1 */
    const char *play; /* its name, or its hosts */
    const char *hosts;
    const json_t *pattern;                  /* the same as written: text or a list, perhaps a template */
    const json_t *connection, *remote_user; /* of the play, as written, or NULL */
    const char *role;                       /* or NULL */
    const char *task;
    const char *tags; /* its own and inherited ones, sorted, joined by ", " */
    const char *file;
    int line;
};
void playbook_list(const struct playbook *playbook, struct arena *arena, const char *tags,
                   const char *skip_tags, void (*each)(const struct playbook_item *item, void *arg),
                   void *arg);

struct playbook_result {
    int counts[TASK_STATUS_COUNT];
    struct task_event failed; /* the task that stopped the play, when the error is ERR_REMOTE */
    struct task_event
        doubted;     /* ERR_UNKNOWN_OUTCOME: the task that was under way; task is NULL when none was */
    bool repeatable; /* it, and what was sent after it, find out by themselves what is there already: the
                      * playbook can be applied again */
};

/* `ssh` NULL: on this machine. ERR_AUTH: sudo did not make the login root.
 * ERR_REMOTE: a task failed (result->failed). ERR_UNKNOWN_OUTCOME: the link was lost; tasks are idempotent:
 * apply again. */
struct err *playbook_apply(const struct ctx *ctx, const struct playbook *playbook, struct ssh *ssh,
                           struct arena *arena, const struct playbook_options *options,
                           struct playbook_result *result) REHOST_MUST_CHECK;
