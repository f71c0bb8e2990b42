#include "ssh_internal.h"

#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_PORT 22
#define DEFAULT_CONNECT_MS 20000
#define DEFAULT_SILENCE_MS 45000
#define PROBES_PER_SILENCE 3 /* keepalives sent before a silence counts as a lost link: every 15 s */
#define LEAST_PROBE_S 2      /* libssh2 sends no more often */
#define PREAUTH_BUDGET_BYTES                                                                                 \
    (256u << 10) /* key exchange and login take about 5 KiB, banners a little more                           \
                  */
#define RECEIVE_QUOTA_BYTES (1u << 20)
#define SIGNATURE_BYTES 64

/* Only what is sound among what libssh2 1.10 knows: it has neither chacha20 nor GCM nor etm MACs. See ssh.h
 * for what this asks of a server. */
static const struct {
    int method;
    const char *names;
} methods[] = {
    {LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519"},
    {LIBSSH2_METHOD_KEX,
     "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
     "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group-exchange-sha256"},
    {LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr,aes256-ctr,aes192-ctr"},
    {LIBSSH2_METHOD_CRYPT_SC, "aes128-ctr,aes256-ctr,aes192-ctr"},
    {LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_COMP_CS, "none"},
    {LIBSSH2_METHOD_COMP_SC, "none"},
};

struct err *ssh_global_init(void)
{
    if (libssh2_init(0))
        return err_new(ERR_INTERNAL, "cannot initialise libssh2");
    return NULL;
}

/* --- the socket as libssh2 sees it --- */

void ssh_mark_lost(struct ssh *ssh, int errno_value)
{
    if (!ssh->lost)
        ssh->lost_errno = errno_value;
    ssh->lost = true;
}

static ssize_t on_receive(libssh2_socket_t fd, void *data, size_t length, int flags, void **abstract)
{
    struct ssh *ssh = *abstract;
    if (ssh->lost)
        return -EPIPE;
    if (!ssh->receive_budget_bytes) {
        ssh_mark_lost(ssh, EMSGSIZE);
        return -EMSGSIZE;
    }
    size_t most = ssh->receive_budget_bytes < ssh->receive_quota_bytes ? ssh->receive_budget_bytes
                                                                       : ssh->receive_quota_bytes;
    if (!most)
        return -EAGAIN;
    ssize_t got = recv(fd, data, length < most ? length : most, flags | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return -EAGAIN;
    if (got <= 0) {
        ssh_mark_lost(ssh, got < 0 ? errno : ECONNRESET);
        return got < 0 ? -ssh->lost_errno : 0;
    }
    if (ssh->receive_budget_bytes != SIZE_MAX)
        ssh->receive_budget_bytes -= (size_t)got;
    ssh->receive_quota_bytes -= (size_t)got;
    ssh->received_bytes += (uint64_t)got;
    ssh->heard_ms = clock_boot_ms();
    return got;
}

/* What the kernel takes now; -1 when the link is lost. */
static ssize_t send_some(struct ssh *ssh, const void *data, size_t length)
{
    ssize_t sent = send(ssh->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
        return sent;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    ssh_mark_lost(ssh, errno);
    return -1;
}

static ssize_t on_send(libssh2_socket_t fd, const void *data, size_t length, int flags, void **abstract)
{
    struct ssh *ssh = *abstract;
    (void)fd, (void)flags;
    if (ssh->lost)
        return -EPIPE;
    ssize_t sent = ssh->unsent.length ? 0 : send_some(ssh, data, length);
    if (sent < 0)
        return -ssh->lost_errno;
    strbuf_add(&ssh->unsent, (const char *)data + sent, length - (size_t)sent);
    if (ssh->unsent.overflowed) {
        ssh_mark_lost(ssh, ENOBUFS);
        return -ENOBUFS;
    }
    return (ssize_t)length;
}

struct err *ssh_flush(struct ssh *ssh, enum err_kind lost_kind)
{
    while (!ssh->lost && ssh->unsent.length) {
        ssize_t sent = send_some(ssh, ssh->unsent.data, ssh->unsent.length);
        if (sent == 0)
            break;
        if (sent > 0)
            strbuf_consume(&ssh->unsent, (size_t)sent);
    }
    return ssh->lost ? ssh_lost(ssh, lost_kind) : NULL;
}

bool ssh_may_write(const struct ssh *ssh)
{
    return ssh->unsent.length < SSH_UNSENT_HIGH_BYTES;
}

/* --- errors --- */

struct err *ssh_lost(const struct ssh *ssh, enum err_kind kind)
{
    if (ssh->lost_errno == EMSGSIZE)
        return err_new(ERR_REJECTED,
                       "'%s' sent more than %u KiB before the login was complete: not an SSH server",
                       ssh->peer, PREAUTH_BUDGET_BYTES >> 10);
    if (ssh->lost_errno == ECONNRESET)
        return err_new(kind, "the SSH link to '%s' was closed by the far side", ssh->peer);
    if (ssh->lost_errno)
        return err_errno(kind, ssh->lost_errno, "the SSH link to '%s' was lost", ssh->peer);
    return err_new(kind, "the SSH link to '%s' was lost", ssh->peer);
}

static enum err_kind kind_of(int code, enum err_kind lost_kind)
{
    switch (code) {
    case LIBSSH2_ERROR_KEX_FAILURE: /* no algorithm in common */
    case LIBSSH2_ERROR_METHOD_NONE:
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
    case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
        return ERR_REJECTED;
    case LIBSSH2_ERROR_HOSTKEY_INIT:
    case LIBSSH2_ERROR_HOSTKEY_SIGN: /* the server does not hold the private half of the key it shows */
        return ERR_TRUST;
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
        return ERR_AUTH;
    case LIBSSH2_ERROR_CHANNEL_FAILURE: /* the server would not open one: too many, or nothing listens there
                                         */
    case LIBSSH2_ERROR_BANNER_RECV:
        return ERR_TRANSIENT;
    default:
        return lost_kind;
    }
}

struct err *ssh_failed(struct ssh *ssh, int code, enum err_kind lost_kind, const char *what)
{
    if (ssh->lost) /* whatever libssh2 made of it */
        return err_wrap(ssh_lost(ssh, lost_kind), "%s", what);
    char *reason = NULL;
    (void)libssh2_session_last_error(ssh->session, &reason, NULL, 0);
    struct err *e = err_new(kind_of(code, lost_kind), "%s on '%s' failed: %s (libssh2 %d)", what, ssh->peer,
                            reason && *reason ? reason : "no reason given", code);
    if (code == LIBSSH2_ERROR_KEX_FAILURE || code == LIBSSH2_ERROR_METHOD_NONE)
        e = err_with_hint(e, "the server must allow an ed25519 host key, aes-ctr, hmac-sha2 and "
                             "curve25519-sha256 or ecdh-sha2");
    if (code != LIBSSH2_ERROR_CHANNEL_FAILURE && code != LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
        ssh_mark_lost(ssh, 0);
    return e;
}

/* --- waiting --- */

struct err *ssh_begin(struct ssh *ssh)
{
    if (ssh->lost)
        return ssh_lost(ssh, ERR_TRANSIENT);
    ssh->heard_ms = clock_boot_ms();
    ssh->receive_quota_bytes = RECEIVE_QUOTA_BYTES;
    return NULL;
}

/* Sends a keepalive when it was quiet for long; ends the link when it was quiet for too long. */
static struct err *probe(struct ssh *ssh, enum err_kind lost_kind)
{
    int64_t now_ms = clock_boot_ms(), quiet_ms = now_ms - ssh->heard_ms;
    int64_t interval_ms = ssh->silence_ms / PROBES_PER_SILENCE;
    if (quiet_ms >= ssh->silence_ms) {
        ssh_mark_lost(ssh, ETIMEDOUT);
        return ssh_lost(ssh, lost_kind);
    }
    if (quiet_ms < interval_ms || now_ms - ssh->probed_ms < interval_ms ||
        ssh->receive_budget_bytes != SIZE_MAX)
        return NULL;
    ssh->probed_ms = now_ms;
    int next_s = 0;
    int code = libssh2_keepalive_send(ssh->session, &next_s);
    return code ? ssh_failed(ssh, code, lost_kind, "a keepalive") : ssh_flush(ssh, lost_kind);
}

struct err *ssh_wait_with(const struct ctx *ctx, struct ssh *ssh, enum err_kind lost_kind, int64_t wait_ms,
                          struct pollfd *others, size_t other_count)
{
    struct pollfd fds[32];
    if (other_count >= sizeof(fds) / sizeof(*fds))
        return err_new(ERR_INTERNAL, "too many descriptors to wait for");
    TRY(ssh_flush(ssh, lost_kind));
    int64_t interval_ms = ssh->silence_ms / PROBES_PER_SILENCE;
    fds[0] = (struct pollfd){.fd = ssh->fd, .events = (short)(POLLIN | (ssh->unsent.length ? POLLOUT : 0))};
    if (other_count)
        memcpy(fds + 1, others, other_count * sizeof(*others));
    TRY(ctx_wait(ctx, fds, other_count + 1, wait_ms < 0 || wait_ms > interval_ms ? interval_ms : wait_ms,
                 NULL));
    if (other_count)
        memcpy(others, fds + 1, other_count * sizeof(*others));
    ssh->receive_quota_bytes = RECEIVE_QUOTA_BYTES;
    TRY(ssh_flush(ssh, lost_kind));
    return fds[0].revents ? NULL : probe(ssh, lost_kind);
}

struct err *ssh_wait(const struct ctx *ctx, struct ssh *ssh, enum err_kind lost_kind, int64_t wait_ms)
{
    return ssh_wait_with(ctx, ssh, lost_kind, wait_ms, NULL, 0);
}

/* --- connecting --- */

static struct err *handshake(const struct ctx *ctx, struct ssh *ssh)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (libssh2_session_method_pref(ssh->session, methods[i].method, methods[i].names))
            return err_new(ERR_INTERNAL, "libssh2 does not know any of '%s'", methods[i].names);
    for (;;) {
        int code = libssh2_session_handshake(ssh->session, ssh->fd);
        if (!code)
            return NULL;
        if (code != LIBSSH2_ERROR_EAGAIN)
            return ssh_failed(ssh, code, ERR_TRANSIENT, "the SSH handshake");
        TRY(ssh_wait(ctx, ssh, ERR_TRANSIENT, -1));
    }
}

static struct err *check_host_key(struct ssh *ssh, const struct ssh_target *target,
                                  const unsigned char *expected)
{
    size_t length = 0;
    int type = 0;
    const char *shown = libssh2_session_hostkey(ssh->session, &length, &type);
    if (!shown || length != SSH_KEY_BLOB_BYTES)
        return err_new(ERR_TRUST, "'%s' did not show an ed25519 host key", ssh->peer);
    ssh->host_key = ssh_key_encode_public((const unsigned char *)shown);
    if (!ssh->host_key)
        return err_new(ERR_INTERNAL, "out of memory");
    if (!target->host_key || CRYPTO_memcmp(shown, expected, SSH_KEY_BLOB_BYTES) == 0)
        return NULL;
    return err_with_hint(err_new(ERR_TRUST, "'%s' shows another host key than the expected one: '%s'",
                                 ssh->peer, ssh->host_key),
                         "somebody may answer in its place; nothing was sent. Expected: '%s'",
                         target->host_key);
}

/* libssh2 frees the signature with free(), because the session was made with the default allocator. */
static int on_sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *signature_length,
                   const unsigned char *data, size_t length, void **abstract)
{
    (void)session;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    *signature_length = SIGNATURE_BYTES;
    *signature = malloc(SIGNATURE_BYTES);
    bool ok = md && *signature && EVP_DigestSignInit(md, NULL, NULL, NULL, *abstract) == 1 &&
              EVP_DigestSign(md, *signature, signature_length, data, length) == 1;
    EVP_MD_CTX_free(md);
    if (!ok)
        free(TAKE(*signature));
    return ok ? 0 : -1;
}

static struct err *authenticate(const struct ctx *ctx, struct ssh *ssh, const char *user, EVP_PKEY *key)
{
    unsigned char blob[SSH_KEY_BLOB_BYTES];
    TRY(ssh_key_blob(key, blob));
    for (;;) {
        void *abstract = key;
        int code = libssh2_userauth_publickey(ssh->session, user, blob, sizeof(blob), on_sign, &abstract);
        if (!code)
            break;
        if (code != LIBSSH2_ERROR_EAGAIN) {
            struct err *e = ssh_failed(ssh, code, ERR_TRANSIENT, "the login");
            return err_kind(e) != ERR_AUTH
                       ? e
                       : err_with_hint(e, "check that the authorized_keys of '%s' hold this key", user);
        }
        TRY(ssh_wait(ctx, ssh, ERR_TRANSIENT, -1));
    }
    ssh->receive_budget_bytes = SIZE_MAX;
    int probe_s = (int)(ssh->silence_ms / PROBES_PER_SILENCE / 1000);
    libssh2_keepalive_config(ssh->session, 1, (unsigned)(probe_s < LEAST_PROBE_S ? LEAST_PROBE_S : probe_s));
    return NULL;
}

static struct err *new_session(const struct ssh_target *target, struct ssh **out)
{
    struct ssh *ssh = calloc(1, sizeof(*ssh));
    if (!ssh)
        return err_new(ERR_INTERNAL, "out of memory");
    *out = ssh;
    ssh->fd = -1;
    ssh->silence_ms = target->silence_ms ? target->silence_ms : DEFAULT_SILENCE_MS;
    ssh->receive_budget_bytes = PREAUTH_BUDGET_BYTES;
    strbuf_init(&ssh->unsent, SSH_UNSENT_MAX_BYTES);
    ssh->session = libssh2_session_init_ex(NULL, NULL, NULL, ssh);
    if (!ssh->session ||
        asprintf(&ssh->peer, "%s:%d", target->host, target->port ? target->port : DEFAULT_PORT) < 0)
        return err_new(ERR_INTERNAL, "out of memory");
    libssh2_session_set_blocking(ssh->session, 0);
/* The library keeps callbacks as void pointers; POSIX allows the conversion. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
    (void)libssh2_session_callback_set(ssh->session, LIBSSH2_CALLBACK_RECV, (void *)on_receive);
    (void)libssh2_session_callback_set(ssh->session, LIBSSH2_CALLBACK_SEND, (void *)on_send);
#pragma GCC diagnostic pop
    return NULL;
}

static struct err *connect_session(const struct ctx *ctx, const struct ssh_target *target, struct ssh *ssh,
                                   EVP_PKEY *key, const unsigned char *expected)
{
    TRY(io_connect_tcp(ctx, target->host, target->port ? target->port : DEFAULT_PORT, &ssh->fd));
    TRY(ssh_begin(ssh));
    TRY(handshake(ctx, ssh));
    TRY(check_host_key(ssh, target, expected));
    return authenticate(ctx, ssh, target->user ? target->user : "root", key);
}

struct err *ssh_connect(const struct ctx *ctx, const struct ssh_target *target, struct ssh **out)
{
    unsigned char expected[SSH_KEY_BLOB_BYTES] = {0};
    CLEANUP_KEY EVP_PKEY *key = NULL;
    CLEANUP_SSH struct ssh *ssh = NULL;
    if (target->host_key)
        TRY(ssh_key_decode_public(target->host_key, expected));
    else if (!target->trust_first_use)
        return err_new(ERR_TRUST, "no host key is known for '%s'", target->host);
    TRY(ssh_key_parse(target->private_key, &key));
    TRY(new_session(target, &ssh));
    struct ctx limited =
        ctx_with_timeout(ctx, target->connect_timeout_ms ? target->connect_timeout_ms : DEFAULT_CONNECT_MS);
    struct err *e = connect_session(&limited, target, ssh, key, expected);
    if (e)
        return err_wrap(e, "connecting to '%s'", ssh->peer);
    *out = TAKE(ssh);
    return NULL;
}

void ssh_close(struct ssh *ssh)
{
    if (!ssh)
        return;
    if (ssh->session) {
        if (!ssh->lost && ssh->receive_budget_bytes == SIZE_MAX)
            (void)libssh2_session_disconnect(ssh->session, "done");
        ssh_mark_lost(ssh, 0); /* from here on the callbacks fail at once, so that nothing below waits */
        (void)libssh2_session_free(ssh->session);
    }
    io_closep(&ssh->fd);
    strbuf_wipe(&ssh->unsent);
    free(ssh->host_key);
    free(ssh->peer);
    free(ssh);
}

const char *ssh_host_key(const struct ssh *ssh)
{
    return ssh->host_key;
}
