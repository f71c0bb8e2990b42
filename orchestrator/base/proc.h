/* Child processes: argv arrays only, no shell. */
#pragma once
#include "base/ctx.h"
#include "base/err.h"
#include "base/strbuf.h"

struct proc_result {
    int exit_status; /* -1 when killed by a signal */
    int term_signal; /* 0 when it exited */
};

/* Runs argv (NULL-terminated, argv[0] looked up in PATH), feeds `input` (may be NULL) to stdin, collects stdout and stderr (either may
 * be NULL: discarded). Returns an error when it could not be started or the context ended (then the child is killed); a
 * non-zero exit is no error. Output past a buffer's maximum kills the child and is ERR_INPUT; an unknown program is ERR_NOT_FOUND.
 * The child leads a process group of its own and inherits no other descriptor. SIGPIPE must be ignored (http_global_init()). */
struct err *proc_run(const struct ctx *ctx, const char *const argv[], const void *input, size_t input_length,
                     struct strbuf *out, struct strbuf *errout, struct proc_result *result) REHOST_MUST_CHECK;
