#include "base/io.h"

#include "helpers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEGABYTE (1u << 20)

/* A socket that listens on 127.0.0.1; *port tells where. */
static int listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

struct transfer {
    int fd;
    char *data;
    struct err *failure;
};

static void *write_and_close(void *arg)
{
    struct transfer *transfer = arg;
    struct ctx ctx = ctx_background();
    transfer->failure = io_write_all(&ctx, transfer->fd, transfer->data, MEGABYTE);
    io_closep(&transfer->fd);
    return NULL;
}

static void assert_a_megabyte_passes(bool nonblocking)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ctx ctx = ctx_background();
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 0);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (nonblocking) {
        assert_ok(io_set_nonblocking(ends[0]));
        assert_ok(io_set_nonblocking(ends[1]));
    }
    struct transfer transfer = {.fd = ends[1], .data = arena_alloc(arena, MEGABYTE)};
    for (size_t i = 0; i < MEGABYTE; i++)
        transfer.data[i] = (char)(i % 251);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_and_close, &transfer), 0);
    assert_ok(io_read_all(&ctx, ends[0], &out));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(transfer.failure);
    assert_int_equal(out.length, MEGABYTE);
    assert_memory_equal(out.data, transfer.data, MEGABYTE);
    io_closep(&ends[0]);
}

static void a_megabyte_passes_through_a_pipe_blocking_or_not(void **state)
{
    (void)state;
    assert_a_megabyte_passes(false);
    assert_a_megabyte_passes(true);
}

static void a_write_that_nobody_reads_ends_with_the_context(void **state)
{
    (void)state;
    static char data[MEGABYTE];
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* in blocking mode: a plain write() would hang */
    struct ctx root = ctx_background(), ctx = ctx_with_timeout(&root, 50);
    assert_fails(io_write_all(&ctx, ends[1], data, sizeof(data)), ERR_TIMEOUT, NULL);
    struct ctx stopped = {.cancel_fd = eventfd(1, EFD_CLOEXEC), .deadline_ms = CTX_NO_DEADLINE};
    assert_fails(io_write_all(&stopped, ends[1], data, sizeof(data)), ERR_CANCELLED, NULL);
    io_closep(&stopped.cancel_fd);
    io_closep(&ends[0]);
    assert_fails(io_write_all(&root, ends[1], data, sizeof(data)), ERR_IO, "Broken pipe");
    io_closep(&ends[1]);
}

static void reading_more_than_the_buffer_allows_is_refused(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 1000);
    CLEANUP_FD int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_fails(io_read_all(&ctx, fd, &out), ERR_INPUT, "1000");
}

static void a_connection_reaches_a_name_or_an_address(void **state)
{
    (void)state;
    int port = 0, one = 0;
    socklen_t size = sizeof(one);
    CLEANUP_FD int listener = listen_somewhere(&port);
    struct ctx ctx = ctx_background();
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_FD int fd = -1;
        assert_ok(io_connect_tcp(&ctx, hosts[i], port, &fd));
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, &size), 0);
        assert_true(one);
        CLEANUP_FD int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(accepted >= 0);
        assert_ok(io_write_all(&ctx, fd, "hello", 5));
        char text[6] = "";
        assert_int_equal(recv(accepted, text, 5, MSG_WAITALL), 5);
        assert_string_equal(text, "hello");
    }
}

static void a_refused_connection_may_work_later(void **state)
{
    (void)state;
    int port = 0, fd = -1;
    int listener = listen_somewhere(&port);
    struct ctx ctx = ctx_background();
    io_closep(&listener);
    assert_fails(io_connect_tcp(&ctx, "127.0.0.1", port, &fd), ERR_TRANSIENT, "Connection refused");
    assert_int_equal(fd, -1);
    assert_fails(io_connect_tcp(&ctx, "no-such-host.invalid", 22, &fd), ERR_TRANSIENT,
                 "no-such-host.invalid");
    assert_fails(io_connect_tcp(&ctx, "127.0.0.1", 0, &fd), ERR_INPUT, NULL);
    assert_fails(io_connect_tcp(&ctx, "127.0.0.1", 65536, &fd), ERR_INPUT, NULL);
}

static void connecting_ends_with_the_context(void **state)
{
    (void)state;
    int fd = -1;
    struct ctx stopped = {.cancel_fd = eventfd(1, EFD_CLOEXEC), .deadline_ms = CTX_NO_DEADLINE};
    assert_fails(io_connect_tcp(&stopped, "localhost", 1, &fd), ERR_CANCELLED, NULL);
    io_closep(&stopped.cancel_fd);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_megabyte_passes_through_a_pipe_blocking_or_not),
        cmocka_unit_test(a_write_that_nobody_reads_ends_with_the_context),
        cmocka_unit_test(reading_more_than_the_buffer_allows_is_refused),
        cmocka_unit_test(a_connection_reaches_a_name_or_an_address),
        cmocka_unit_test(a_refused_connection_may_work_later),
        cmocka_unit_test(connecting_ends_with_the_context),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
