/* File descriptors with cleanup, and whole writes that respect a context. */
#pragma once
#include "base/ctx.h"
#include "base/err.h"
#include "base/strbuf.h"
#include <stddef.h>

void io_closep(int *fd); /* closes when >= 0 */
#define CLEANUP_FD __attribute__((cleanup(io_closep)))
/* TAKE() for descriptors. */
static inline int io_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

struct err *io_write_all(const struct ctx *ctx, int fd, const void *data, size_t length) REHOST_MUST_CHECK;
/* Reads until end of file into `out` (its maximum is the limit: ERR_INPUT beyond). */
struct err *io_read_all(const struct ctx *ctx, int fd, struct strbuf *out) REHOST_MUST_CHECK;
struct err *io_set_nonblocking(int fd) REHOST_MUST_CHECK;
/* A TCP connection, non-blocking, TCP_NODELAY, TCP_USER_TIMEOUT. `host` is a name or an address. */
struct err *io_connect_tcp(const struct ctx *ctx, const char *host, int port, int *fd) REHOST_MUST_CHECK;
