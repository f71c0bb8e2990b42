/* Long jobs on a host, as transient systemd units, so that a lost link can re-attach and a second start is harmless.
 *
 * The script (bash, `set -euo pipefail` is put before it) and its input go over stdin into /run/rehost/jobs/NAME (root, 0700, tmpfs);
 * stdout and stderr go to files there; the exit code is written when the script ends. job_start() on a name that exists attaches
 * to it, whatever its script. job_remove() stops the job and wipes the directory; no error when there is none. Names: [a-z0-9-],
 * at most 100, made from run and step, so that resume finds the same job. The script runs as root with umask 077, HOME=/root, no stdin,
 * in the root directory; a script killed by a signal has the exit status 128 + signal, as in a shell.
 *
 * A call that ended in ERR_UNKNOWN_OUTCOME, ERR_TIMEOUT or ERR_TRANSIENT can be repeated on a new session. A link that is lost while job_wait()
 * polls is returned as an error: the caller owns the session, connects anew and waits again.
 *
 * Errors: ERR_REMOTE (the script failed: exit code, last lines of stderr), ERR_NOT_FOUND (no such job: the host was rebooted), the
 * errors of ssh.h. The host needs bash, GNU coreutils and systemd 240 or later, and the session must be root's.
 */
#pragma once
#include "base/ssh.h"

struct job_file { /* written 0600 beside the script before it starts; the script finds it as "$JOB/NAME" */
    const char *name;
    const void *data;
    size_t length;
};

struct job_state {
    bool finished;
    int exit_status; /* of the script, when finished */
    const char *out; /* stdout so far (at most the last 1 MiB) */
    const char *errout;
};

struct err *job_start(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name, const char *script,
                      const struct job_file *files, size_t file_count) REHOST_MUST_CHECK;
/* Adds or replaces a file of a running job (a fresh list of presigned URLs). */
struct err *job_put(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                    const struct job_file *file) REHOST_MUST_CHECK;
struct err *job_poll(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                     struct job_state *state) REHOST_MUST_CHECK;
/* Polls every 0.2 to 2 s until it ends; `progress` (may be NULL) is called after each poll, its `state` is valid during the call.
 * ERR_REMOTE when the script failed; `state` (may be NULL) is filled then too. */
struct err *job_wait(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                     void (*progress)(const struct job_state *state, void *arg), void *arg,
                     struct job_state *state) REHOST_MUST_CHECK;
struct err *job_remove(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name) REHOST_MUST_CHECK;
