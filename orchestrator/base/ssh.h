/* SSH to hosts whose key is known beforehand (libssh2, non-blocking beneath ctx_wait).
 *
 * ed25519 host keys only, compared raw before authentication; exec channels only; absolute deadlines and a byte budget before the banner;
 * keepalive every 15 s while an operation waits; a command killed by a signal is reported as such (libssh2 reports status 0 for it).
 *
 * What the server must offer (libssh2 1.10 has no chacha20, GCM or etm): host key ssh-ed25519; aes128-ctr, aes192-ctr or
 * aes256-ctr; hmac-sha2-256 or hmac-sha2-512; curve25519-sha256, ecdh-sha2-nistp* or diffie-hellman-group16-sha512. A playbook
 * that hardens sshd must leave one of each. The port forwarding of tunnels needs AllowTcpForwarding local.
 *
 * Errors: ERR_TRANSIENT (not reachable yet, refused, reset before authentication; the link was found lost before anything was sent),
 * ERR_TRUST (another host key; nothing was sent), ERR_AUTH (key refused), ERR_REJECTED (no common algorithm, not an SSH server),
 * ERR_INPUT (not an ed25519 key), ERR_TIMEOUT, ERR_CANCELLED, ERR_UNKNOWN_OUTCOME (link lost while a command ran).
 * After ERR_TIMEOUT or ERR_CANCELLED the command may go on running on the host; the session can be used again.
 * Threads: one session belongs to one thread. ssh_global_init() once in main.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/strbuf.h"

struct ssh;

struct ssh_target {
    const char *host; /* address or name */
    int port;         /* 0: 22 */
    const char *user; /* NULL: "root" */
    const struct secret *private_key; /* OpenSSH or PEM text of an ed25519 key without passphrase */
    const char *host_key; /* "ssh-ed25519 AAAA..." (a comment may follow); NULL refuses unless trust_first_use */
    bool trust_first_use; /* accept whatever key is shown; ssh_host_key() tells which: only for `play` when asked for */
    int64_t connect_timeout_ms; /* 0: 20 s, for TCP, key exchange and authentication together */
    int64_t silence_ms; /* 0: 45 s; the link counts as lost when keepalives stay unanswered for that long */
};

struct ssh_result {
    int exit_status;      /* -1 when killed by a signal or unknown */
    const char *exit_signal; /* "KILL", or NULL */
    char *out;            /* in the arena, NUL-terminated */
    size_t out_length;
    char *errout;
    size_t errout_length;
};

struct err *ssh_global_init(void) REHOST_MUST_CHECK;
struct err *ssh_connect(const struct ctx *ctx, const struct ssh_target *target, struct ssh **ssh) REHOST_MUST_CHECK;
void ssh_close(struct ssh *ssh);
const char *ssh_host_key(const struct ssh *ssh); /* "ssh-ed25519 AAAA..." as shown by the server */

/* Runs `command` (at most 24000 bytes; longer scripts go over stdin) by the login shell, feeds `input` (NULL: empty) on stdin, collects
 * output (each at most max_output bytes, 0: 16 MiB; more ends the command with ERR_REMOTE). A non-zero exit is no error here. */
struct err *ssh_exec(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *command, const void *input,
                     size_t input_length, size_t max_output, struct ssh_result *result) REHOST_MUST_CHECK;
/* As ssh_exec(), but exit != 0 or a signal is ERR_REMOTE with the last lines of stderr. `result` may be NULL. */
struct err *ssh_run(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *command, const void *input,
                    size_t input_length, struct ssh_result *result) REHOST_MUST_CHECK;

/* A streaming exec channel: for the playbook session. At most one at a time with ssh_exec() on the same session. */
struct ssh_channel;
struct err *ssh_channel_open(const struct ctx *ctx, struct ssh *ssh, const char *command,
                             struct ssh_channel **channel) REHOST_MUST_CHECK;
/* Moves what can be moved: writes from `out` (consumed), reads into `in` and `errin`; returns when at least one byte moved, or
 * the far side closed (*eof), or wait_ms passed (-1: as long as the context allows). A full `in` or `errin` makes the far side wait:
 * empty them between calls. */
struct err *ssh_channel_pump(const struct ctx *ctx, struct ssh_channel *channel, struct strbuf *out, struct strbuf *in,
                             struct strbuf *errin, int64_t wait_ms, bool *eof) REHOST_MUST_CHECK;
struct err *ssh_channel_send_eof(const struct ctx *ctx, struct ssh_channel *channel) REHOST_MUST_CHECK;
/* Waits for the far side to close; exit status and signal as in ssh_result. Frees the channel. */
struct err *ssh_channel_finish(const struct ctx *ctx, struct ssh_channel *channel, struct arena *arena, int *exit_status,
                               const char **exit_signal) REHOST_MUST_CHECK;
void ssh_channel_abort(struct ssh_channel *channel);

/* A tunnel to host:port as seen from the server (direct-tcpip), offered as a unix socket in a private directory (0700, under $TMPDIR
 * or /tmp): a thread with a session of its own pumps up to 8 connections at once. For libpq, `directory` is its "host" and the
 * socket is named ".s.PGSQL.<port>". When nothing listens on the far side, or the link is lost, the local end sees its connection close.
 * ssh_tunnel_open() returns when the session is up; the far port is tried with each connection. */
struct ssh_tunnel;
struct err *ssh_tunnel_open(const struct ctx *ctx, const struct ssh_target *target, const char *remote_host, int remote_port,
                            struct ssh_tunnel **tunnel) REHOST_MUST_CHECK;
const char *ssh_tunnel_directory(const struct ssh_tunnel *tunnel);
void ssh_tunnel_close(struct ssh_tunnel *tunnel);

/* Makes an ed25519 key pair: the private key in OpenSSH format ("-----BEGIN OPENSSH PRIVATE KEY-----"), the public one as "ssh-ed25519 AAAA...". */
struct err *ssh_make_key(struct arena *arena, const char *comment, struct secret **private_key,
                         char **public_key) REHOST_MUST_CHECK;
/* The public half of a private key in OpenSSH format. */
struct err *ssh_public_key(struct arena *arena, const struct secret *private_key, char **public_key) REHOST_MUST_CHECK;
static inline void ssh_closep(struct ssh **ssh)
{
    ssh_close(*ssh);
}
#define CLEANUP_SSH __attribute__((cleanup(ssh_closep)))
