#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 16384
#define UNACKED_MS 30000     /* TCP_USER_TIMEOUT: how long sent data may stay unacknowledged */
#define CONNECT_EACH_MS 5000 /* per address, while others are left to try */

void io_closep(int *fd)
{
    if (*fd >= 0) {
        int saved_errno = errno; /* cleanup runs between a failure and the report of its errno */
        (void)close(*fd);
        errno = saved_errno;
    }
    *fd = -1;
}

struct err *io_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_errno(ERR_IO, errno, "cannot make a descriptor non-blocking");
    return NULL;
}

struct err *io_write_all(const struct ctx *ctx, int fd, const void *data, size_t length)
{
    /* A ready pipe in blocking mode takes PIPE_BUF bytes without blocking, not more. */
    int flags = fcntl(fd, F_GETFL);
    size_t most = flags >= 0 && flags & O_NONBLOCK ? SSIZE_MAX : PIPE_BUF;
    const char *next = data;
    while (length) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        TRY(ctx_wait(ctx, &ready, 1, -1, NULL));
        ssize_t written = write(fd, next, length < most ? length : most);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return err_errno(ERR_IO, errno, "cannot write");
        if (written > 0) {
            next += written;
            length -= (size_t)written;
        }
    }
    return NULL;
}

/* One read() into `out`; what passes through may be a secret, so the stack is cleansed. */
static struct err *read_some(int fd, struct strbuf *out, bool *eof)
{
    char chunk[READ_BYTES];
    ssize_t got = read(fd, chunk, sizeof(chunk));
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        return err_errno(ERR_IO, errno, "cannot read");
    *eof = got == 0;
    if (got > 0) {
        strbuf_add(out, chunk, (size_t)got);
        OPENSSL_cleanse(chunk, (size_t)got);
    }
    return strbuf_check(out, "the input");
}

struct err *io_read_all(const struct ctx *ctx, int fd, struct strbuf *out)
{
    for (bool eof = false; !eof;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        TRY(ctx_wait(ctx, &ready, 1, -1, NULL));
        TRY(read_some(fd, out, &eof));
    }
    return NULL;
}

/* getaddrinfo() blocks for as long as the resolver pleases. It runs in a thread that is left behind when the
 * context ends first; whoever comes last frees the lookup. */
struct lookup {
    atomic_int owners;
    int done_fd;
    atomic_int result; /* of getaddrinfo(); written last, so that who reads it sees `addresses` too */
    struct addrinfo *addresses;
    char port[8];
    char host[];
};

static void lookup_release(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->addresses)
        freeaddrinfo(lookup->addresses);
    io_closep(&lookup->done_fd);
    free(lookup);
}

static void lookup_releasep(struct lookup **lookup)
{
    if (*lookup)
        lookup_release(*lookup);
}

static void *lookup_thread(void *arg)
{
    struct lookup *lookup = arg;
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int result = getaddrinfo(lookup->host, lookup->port, &wanted, &lookup->addresses);
    atomic_store(&lookup->result, result);
    (void)eventfd_write(lookup->done_fd, 1);
    lookup_release(lookup);
    return NULL;
}

static struct err *lookup_start(const char *host, int port, struct lookup **out)
{
    size_t length = strlen(host);
    struct lookup *lookup = calloc(1, sizeof(*lookup) + length + 1);
    if (!lookup)
        return err_new(ERR_INTERNAL, "out of memory");
    memcpy(lookup->host, host, length);
    (void)snprintf(lookup->port, sizeof(lookup->port), "%d", port);
    atomic_init(&lookup->owners, 2);
    lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    pthread_t thread = 0;
    int failed = lookup->done_fd < 0 ? errno : pthread_create(&thread, NULL, lookup_thread, lookup);
    if (failed) {
        atomic_store(&lookup->owners, 1);
        lookup_release(lookup);
        return err_errno(ERR_IO, failed, "cannot look up '%s'", host);
    }
    (void)pthread_detach(thread);
    *out = lookup;
    return NULL;
}

static struct err *lookup_wait(const struct ctx *ctx, struct lookup *lookup)
{
    struct pollfd done = {.fd = lookup->done_fd, .events = POLLIN};
    TRY(err_wrap(ctx_wait(ctx, &done, 1, -1, NULL), "looking up '%s'", lookup->host));
    int result = atomic_load(&lookup->result);
    if (result)
        return err_new(ERR_TRANSIENT, "cannot look up '%s': %s", lookup->host, gai_strerror(result));
    return NULL;
}

static struct err *connect_failed(int errno_value, const char *host, int port)
{
    return err_errno(ERR_TRANSIENT, errno_value, "cannot connect to '%s' port %d", host, port);
}

static struct err *connect_one(const struct ctx *ctx, const struct addrinfo *address, int64_t wait_ms,
                               const struct lookup *to, int port, int *fd)
{
    CLEANUP_FD int sock = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return connect_failed(errno, to->host, port);
    int one = 1, unacked_ms = UNACKED_MS;
    (void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
    if (connect(sock, address->ai_addr, address->ai_addrlen) && errno != EINPROGRESS)
        return connect_failed(errno, to->host, port);

    struct pollfd ready = {.fd = sock, .events = POLLOUT};
    int ready_count = 0, failed = 0;
    socklen_t size = sizeof(failed);
    TRY(err_wrap(ctx_wait(ctx, &ready, 1, wait_ms, &ready_count), "connecting to '%s' port %d", to->host,
                 port));
    if (!ready_count)
        return connect_failed(ETIMEDOUT, to->host, port);
    if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &failed, &size) || failed)
        return connect_failed(failed ? failed : errno, to->host, port);
    *fd = io_take(&sock);
    return NULL;
}

struct err *io_connect_tcp(const struct ctx *ctx, const char *host, int port, int *fd)
{
    if (port < 1 || port > 65535)
        return err_new(ERR_INPUT, "%d is not a port", port);
    struct lookup *lookup __attribute__((cleanup(lookup_releasep))) = NULL;
    TRY(lookup_start(host, port, &lookup));
    TRY(lookup_wait(ctx, lookup));

    CLEANUP_ERR struct err *failure = err_new(ERR_TRANSIENT, "'%s' has no address", host);
    for (const struct addrinfo *address = lookup->addresses; address; address = address->ai_next) {
        err_free(failure);
        failure = connect_one(ctx, address, address->ai_next ? CONNECT_EACH_MS : -1, lookup, port, fd);
        if (!failure || err_kind(failure) != ERR_TRANSIENT)
            break;
    }
    return TAKE(failure);
}
