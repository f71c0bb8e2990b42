#include "ssh_internal.h"

#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_CONNECTIONS 8
#define BUFFER_BYTES 32768
#define BACKLOG 16

/* What is on its way in one direction. */
struct stretch {
    char data[BUFFER_BYTES];
    size_t from, to; /* what is left: data[from..to) */
    bool ended;      /* nothing more is read */
};

struct connection {
    int fd;
    LIBSSH2_CHANNEL *raw;
    struct stretch out; /* from the local socket to the far side */
    struct stretch in;
    bool out_closed; /* the end of `out` was passed on */
    bool in_closed;
    uint64_t moved_bytes; /* into and out of the buffers: emptying one makes room for what is waiting */
};

/* Everything but `stop_fd`, `thread`, `directory` and `socket_path` belongs to the thread once it runs. */
struct ssh_tunnel {
    struct ssh *ssh;
    char *remote_host;
    int remote_port;
    char *directory;
    char *socket_path;
    int listen_fd;
    int stop_fd;
    bool running;
    pthread_t thread;
    LIBSSH2_CHANNEL *idle; /* never used for a command: libssh2 reads and answers what the server asks only
                              through a channel */
    struct connection *connections[MAX_CONNECTIONS];
    size_t count;
};

/* --- moving bytes --- */

static size_t left(const struct stretch *stretch)
{
    return stretch->to - stretch->from;
}

/* Accounts for `count` bytes that came in (result of a read; 0: end). */
static void filled(struct connection *c, struct stretch *stretch, size_t count)
{
    c->moved_bytes += count;
    stretch->from = 0;
    stretch->to = count;
    stretch->ended = count == 0;
}

/* False when the local end is gone. */
static bool read_local(struct connection *c)
{
    if (left(&c->out) || c->out.ended)
        return true;
    ssize_t got = recv(c->fd, c->out.data, BUFFER_BYTES, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    filled(c, &c->out, (size_t)got);
    return true;
}

static bool write_local(struct connection *c)
{
    while (left(&c->in)) {
        ssize_t sent = send(c->fd, c->in.data + c->in.from, left(&c->in), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        c->in.from += (size_t)sent;
        c->moved_bytes += (uint64_t)sent;
    }
    if (c->in.ended && !c->in_closed) {
        (void)shutdown(c->fd, SHUT_WR);
        c->in_closed = true;
    }
    return true;
}

/* False when the channel failed. */
static bool write_remote(struct ssh *ssh, struct connection *c)
{
    while (left(&c->out) && ssh_may_write(ssh)) {
        ssize_t sent = libssh2_channel_write_ex(c->raw, 0, c->out.data + c->out.from, left(&c->out));
        if (sent == 0 || sent == LIBSSH2_ERROR_EAGAIN)
            return true;
        if (sent < 0)
            return false;
        c->out.from += (size_t)sent;
        c->moved_bytes += (uint64_t)sent;
    }
    if (c->out.ended && !left(&c->out) && !c->out_closed)
        c->out_closed = libssh2_channel_send_eof(c->raw) != LIBSSH2_ERROR_EAGAIN;
    return true;
}

static bool read_remote(struct connection *c)
{
    if (left(&c->in) || c->in.ended)
        return true;
    ssize_t got = libssh2_channel_read_ex(c->raw, 0, c->in.data, BUFFER_BYTES);
    if (got == LIBSSH2_ERROR_EAGAIN || (got == 0 && !libssh2_channel_eof(c->raw)))
        return true;
    if (got < 0)
        return false;
    filled(c, &c->in, (size_t)got);
    return true;
}

/* Moves until nothing moves any more. False when the connection is over. */
static bool serve(struct ssh *ssh, struct connection *c)
{
    uint64_t before;
    do {
        before = c->moved_bytes;
        if (!read_local(c) || !write_remote(ssh, c) || !read_remote(c) || !write_local(c))
            return false;
        if (c->in_closed && c->out_closed)
            return false;
    } while (c->moved_bytes != before);
    return true;
}

/* --- connections --- */

static void drop(struct ssh_tunnel *tunnel, size_t index)
{
    struct connection *c = tunnel->connections[index];
    tunnel->connections[index] = tunnel->connections[--tunnel->count];
    io_closep(&c->fd);
    if (c->raw)
        ssh_close_raw(tunnel->ssh, c->raw);
    free(c);
}

/* A failure is the far side's (nothing listens there): the local end sees its connection close. */
static void accept_one(const struct ctx *ctx, struct ssh_tunnel *tunnel)
{
    int fd = accept4(tunnel->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct connection *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        io_closep(&fd);
        return;
    }
    c->fd = fd;
    tunnel->connections[tunnel->count++] = c;
    CLEANUP_ERR struct err *e =
        ssh_open_raw(ctx, tunnel->ssh, tunnel->remote_host, tunnel->remote_port, &c->raw);
    if (e)
        drop(tunnel, tunnel->count - 1);
}

/* Lets libssh2 read and answer what the server asks, also when no connection is open. False when the link is
 * lost. */
static bool stay_alive(struct ssh_tunnel *tunnel)
{
    char nothing[64];
    ssize_t got = libssh2_channel_read_ex(tunnel->idle, 0, nothing, sizeof(nothing));
    return got >= 0 || got == LIBSSH2_ERROR_EAGAIN;
}

static bool wait_for_work(const struct ctx *ctx, struct ssh_tunnel *tunnel)
{
    struct pollfd fds[MAX_CONNECTIONS + 1] = {
        {.fd = tunnel->count < MAX_CONNECTIONS ? tunnel->listen_fd : -1, .events = POLLIN}};
    for (size_t i = 0; i < tunnel->count; i++) {
        const struct connection *c = tunnel->connections[i];
        short events = (short)((left(&c->out) || c->out.ended ? 0 : POLLIN) | (left(&c->in) ? POLLOUT : 0));
        fds[i + 1] = (struct pollfd){.fd = events ? c->fd : -1, .events = events};
    }
    CLEANUP_ERR struct err *e = ssh_wait_with(ctx, tunnel->ssh, ERR_TRANSIENT, -1, fds, tunnel->count + 1);
    if (!e && fds[0].revents)
        accept_one(ctx, tunnel);
    return !e;
}

/* Until a whole round has received nothing: then no channel holds anything unread. False when the link is
 * lost. */
static bool serve_all(struct ssh_tunnel *tunnel)
{
    uint64_t received;
    do {
        received = tunnel->ssh->received_bytes;
        if (!stay_alive(tunnel))
            return false;
        for (size_t i = tunnel->count; i > 0; i--)
            if (!serve(tunnel->ssh, tunnel->connections[i - 1]))
                drop(tunnel, i - 1);
    } while (tunnel->ssh->received_bytes != received);
    return true;
}

static void *pump(void *arg)
{
    struct ssh_tunnel *tunnel = arg;
    struct ctx ctx = {.cancel_fd = tunnel->stop_fd, .deadline_ms = CTX_NO_DEADLINE};
    while (serve_all(tunnel) && wait_for_work(&ctx, tunnel))
        ;
    while (tunnel->count)
        drop(tunnel, tunnel->count - 1);
    io_closep(&tunnel->listen_fd); /* whoever connects from now on is refused */
    return NULL;
}

/* --- the socket and its life --- */

static struct err *listen_on(const char *path, int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return err_with_hint(err_new(ERR_INPUT, "'%s' is too long for a socket", path),
                             "set TMPDIR to a shorter path");
    memcpy(address.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&address, sizeof(address)) || listen(*fd, BACKLOG))
        return err_errno(ERR_IO, errno, "cannot listen on '%s'", path);
    return NULL;
}

static struct err *make_socket(struct ssh_tunnel *tunnel)
{
    const char *tmp = getenv("TMPDIR");
    char *directory = NULL;
    if (asprintf(&directory, "%s/rehost-tunnel-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0)
        return err_new(ERR_INTERNAL, "out of memory");
    if (!mkdtemp(directory)) { /* 0700 */
        struct err *e = err_errno(ERR_IO, errno, "cannot make a directory '%s'", directory);
        free(directory);
        return e;
    }
    tunnel->directory = directory;
    if (asprintf(&tunnel->socket_path, "%s/.s.PGSQL.%d", directory, tunnel->remote_port) < 0)
        return err_new(ERR_INTERNAL, "out of memory");
    return listen_on(tunnel->socket_path, &tunnel->listen_fd);
}

static struct err *start(const struct ctx *ctx, const struct ssh_target *target, struct ssh_tunnel *tunnel)
{
    if (tunnel->stop_fd < 0 || !tunnel->remote_host)
        return err_new(ERR_INTERNAL, "cannot prepare a tunnel: out of memory or descriptors");
    TRY(ssh_connect(ctx, target, &tunnel->ssh));
    TRY(ssh_open_raw(ctx, tunnel->ssh, NULL, 0, &tunnel->idle));
    TRY(make_socket(tunnel));
    int failed = pthread_create(&tunnel->thread, NULL, pump, tunnel);
    if (failed)
        return err_errno(ERR_INTERNAL, failed, "cannot start a thread");
    tunnel->running = true;
    return NULL;
}

struct err *ssh_tunnel_open(const struct ctx *ctx, const struct ssh_target *target, const char *remote_host,
                            int remote_port, struct ssh_tunnel **out)
{
    struct ssh_tunnel *tunnel = calloc(1, sizeof(*tunnel));
    if (!tunnel)
        return err_new(ERR_INTERNAL, "out of memory");
    tunnel->listen_fd = -1;
    tunnel->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    tunnel->remote_host = strdup(remote_host);
    tunnel->remote_port = remote_port;
    struct err *e = start(ctx, target, tunnel);
    if (e) {
        ssh_tunnel_close(tunnel);
        return e;
    }
    *out = tunnel;
    return NULL;
}

const char *ssh_tunnel_directory(const struct ssh_tunnel *tunnel)
{
    return tunnel->directory;
}

void ssh_tunnel_close(struct ssh_tunnel *tunnel)
{
    if (!tunnel)
        return;
    if (tunnel->running) {
        (void)eventfd_write(tunnel->stop_fd, 1);
        (void)pthread_join(tunnel->thread, NULL);
    }
    ssh_close(tunnel->ssh); /* frees the idle channel too */
    io_closep(&tunnel->listen_fd);
    io_closep(&tunnel->stop_fd);
    if (tunnel->socket_path)
        (void)unlink(tunnel->socket_path);
    if (tunnel->directory)
        (void)rmdir(tunnel->directory);
    free(tunnel->socket_path);
    free(tunnel->directory);
    free(tunnel->remote_host);
    free(tunnel);
}
