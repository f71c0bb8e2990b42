/* What the parts of ssh (ssh.c, ssh_channel.c, ssh_tunnel.c, ssh_key.c) share. Included by nobody else.
 *
 * libssh2 sees a socket that always takes what is written: the send callback keeps what the kernel did not
 * take in `unsent`, and ssh_wait() flushes it. Without this, a half-sent packet would have to be repeated
 * with the very same arguments before anything else may be sent (_libssh2_transport_send() in 1.10 answers
 * LIBSSH2_ERROR_BAD_USE otherwise), which cannot be kept when both directions, window adjustments, keepalives
 * and key re-exchanges share one session. Writers look at ssh_may_write() first, so that `unsent` stays
 * small.
 */
#pragma once
#include "base/ssh.h"

#include <libssh2.h>
#include <openssl/evp.h>
#include <poll.h>

#define SSH_UNSENT_HIGH_BYTES (256u << 10) /* channels stop writing above */
#define SSH_UNSENT_MAX_BYTES (1u << 20)    /* the link counts as broken above */
#define SSH_WINDOW_BYTES                                                                                     \
    (2u << 20) /* what the far side may send ahead: bounds the throughput to window/RTT */
#define SSH_PACKET_BYTES 32768u
#define SSH_KEY_BLOB_BYTES 51 /* string "ssh-ed25519", string of 32 bytes (RFC 8709, section 4) */

struct ssh {
    LIBSSH2_SESSION *session;
    int fd;
    char *peer;     /* "host:port", for messages */
    char *host_key; /* "ssh-ed25519 AAAA..." */
    struct strbuf unsent;
    size_t receive_budget_bytes; /* what may still arrive before the session is up; SIZE_MAX after */
    size_t receive_quota_bytes; /* what may still arrive before libssh2 must give the loop a chance to look at
                                   the context */
    uint64_t received_bytes; /* in all. A read of any channel takes what the socket holds for all of them: who
                              * waits for the socket must have looked at every channel since this grew last,
                              * or sleeps on data that is there. */
    int lost_errno;          /* why the socket failed; 0: it did not */
    bool lost;               /* nothing can be sent or received any more */
    int64_t silence_ms;      /* a silence that long, keepalives unanswered, means that the link is lost */
    int64_t heard_ms;        /* when bytes arrived last, or the present operation began (clock_boot_ms) */
    int64_t probed_ms;       /* when the last keepalive was sent */
};

/* Every public operation begins with this: time spent outside of an operation is no silence. */
struct err *ssh_begin(struct ssh *ssh) REHOST_MUST_CHECK;
/* Sends what is unsent, then waits until the socket or one of `others` is ready, or wait_ms passed (-1: as
 * the context allows). Sends keepalives; `lost_kind` is the kind of the error when the link turns out to be
 * lost. */
struct err *ssh_wait_with(const struct ctx *ctx, struct ssh *ssh, enum err_kind lost_kind, int64_t wait_ms,
                          struct pollfd *others, size_t other_count) REHOST_MUST_CHECK;
struct err *ssh_wait(const struct ctx *ctx, struct ssh *ssh, enum err_kind lost_kind,
                     int64_t wait_ms) REHOST_MUST_CHECK;
struct err *ssh_flush(struct ssh *ssh,
                      enum err_kind lost_kind) REHOST_MUST_CHECK; /* sends what the kernel takes now */
bool ssh_may_write(const struct ssh *ssh);
void ssh_mark_lost(struct ssh *ssh, int errno_value);
struct err *ssh_lost(const struct ssh *ssh, enum err_kind kind) REHOST_MUST_CHECK;
/* The error for a libssh2 code (not EAGAIN) returned while doing `what`. `lost_kind` when it means that the
 * link is lost. */
struct err *ssh_failed(struct ssh *ssh, int code, enum err_kind lost_kind,
                       const char *what) REHOST_MUST_CHECK;

/* Opens a raw channel ("session"), or one to host:port as seen from the server. */
struct err *ssh_open_raw(const struct ctx *ctx, struct ssh *ssh, const char *forward_host, int forward_port,
                         LIBSSH2_CHANNEL **channel) REHOST_MUST_CHECK;
/* Closes and frees. sshd confirms only when the command has ended; until then libssh2 keeps the channel (and
 * drops what arrives for it, at most SSH_WINDOW_BYTES) and frees it with the session, which stays usable. */
void ssh_close_raw(struct ssh *ssh, LIBSSH2_CHANNEL *channel);

/* ed25519 keys. The caller frees with EVP_PKEY_free(). ERR_INPUT when it is not such a key. */
struct err *ssh_key_parse(const struct secret *text, EVP_PKEY **key) REHOST_MUST_CHECK;
struct err *ssh_key_blob(EVP_PKEY *key, unsigned char blob[SSH_KEY_BLOB_BYTES]) REHOST_MUST_CHECK;
/* "ssh-ed25519 AAAA... comment" to the blob. ERR_INPUT */
struct err *ssh_key_decode_public(const char *text, unsigned char blob[SSH_KEY_BLOB_BYTES]) REHOST_MUST_CHECK;
/* "ssh-ed25519 AAAA...", to be freed with free(). */
char *ssh_key_encode_public(const unsigned char blob[SSH_KEY_BLOB_BYTES]);

static inline void ssh_key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define CLEANUP_KEY __attribute__((cleanup(ssh_key_freep)))
