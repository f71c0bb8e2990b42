/* The two ways to a shell: a channel of an SSH session, or a process on this machine.
 *
 * Threads: one owner. A link does not own the SSH session it goes through.
 */
#pragma once
#include "base/ctx.h"
#include "base/ssh.h"

struct session_link {
    void *arg;
    bool becomes; /* the command was SESSION_COMMAND_BECOME */
    bool local;   /* it leads to this machine */
    /* Like ssh_channel_pump(). */
    struct err *(*pump)(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                        struct strbuf *errin, int64_t wait_ms, bool *eof);
    /* `well`: the shell has been told to end and needs no help. NULL: nothing is to be done. */
    void (*close)(void *arg, bool well);
};

/* Runs `command` by the login shell of the far side, or by sh here when `ssh` is NULL. */
struct err *link_open(const struct ctx *ctx, struct ssh *ssh, const char *command,
                      struct session_link *link) REHOST_MUST_CHECK;
void link_close(struct session_link *link, bool well); /* also of a link that was never opened */
