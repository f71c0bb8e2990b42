/* http_send() against servers in this process: libmicrohttpd for answers, plain sockets for what a web server
 * would not do. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/io.h"
#include "base/log.h"

#include "helpers.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEGABYTE (1u << 20)
#define MAX_WAITING 8

/* A web server that answers /echo with what it got, /large with a megabyte, /status/N with N, and never
 * /slow. */
struct web {
    struct MHD_Daemon *daemon;
    int port;
    int arrived_fd; /* readable when a request for /slow has arrived */
    pthread_mutex_t lock;
    struct MHD_Connection *waiting[MAX_WAITING];
    size_t waiting_count;
};

struct upload {
    char body[256];
    size_t length;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *text,
                              size_t length)
{
    union {
        const char *text;
        void *data; /* copied, not written to */
    } body = {.text = text};
    struct MHD_Response *response = MHD_create_response_from_buffer(length, body.data, MHD_RESPMEM_MUST_COPY);
    (void)MHD_add_response_header(response, "X-Request-Id", "r-17");
    (void)MHD_add_response_header(response, "Location", "/echo");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static const char *sent_header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value ? value : "-";
}

static enum MHD_Result answer_echo(struct MHD_Connection *connection, const char *method,
                                   const struct upload *upload)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), "%s host=%s auth=%s type=%s length=%s agent=%s extra=%s body=%s",
                   method, sent_header(connection, "Host"), sent_header(connection, "Authorization"),
                   sent_header(connection, "Content-Type"), sent_header(connection, "Content-Length"),
                   sent_header(connection, "User-Agent"), sent_header(connection, "X-Extra"), upload->body);
    return answer(connection, 200, text, strlen(text));
}

static enum MHD_Result hold(struct web *web, struct MHD_Connection *connection)
{
    (void)pthread_mutex_lock(&web->lock);
    bool room = web->waiting_count < MAX_WAITING;
    if (room) {
        web->waiting[web->waiting_count++] = connection;
        MHD_suspend_connection(connection);
    }
    (void)pthread_mutex_unlock(&web->lock);
    (void)eventfd_write(web->arrived_fd, 1);
    return room ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **per_request)
{
    (void)version;
    struct upload *upload = *per_request;
    if (!upload) {
        *per_request = calloc(1, sizeof(*upload));
        return *per_request ? MHD_YES : MHD_NO;
    }
    if (*size) {
        size_t room = sizeof(upload->body) - 1 - upload->length, take = *size < room ? *size : room;
        memcpy(upload->body + upload->length, data, take);
        upload->length += take;
        *size = 0;
        return MHD_YES;
    }
    if (!strncmp(url, "/status/", 8))
        return answer(connection, (unsigned)strtoul(url + 8, NULL, 10), "told", 4);
    if (!strcmp(url, "/slow"))
        return hold(arg, connection);
    if (!strcmp(url, "/large")) {
        static char megabyte[MEGABYTE];
        return answer(connection, 200, megabyte, sizeof(megabyte));
    }
    return answer_echo(connection, method, upload);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **per_request,
                         enum MHD_RequestTerminationCode why)
{
    (void)arg, (void)connection, (void)why;
    free(*per_request);
    *per_request = NULL;
}

static void web_start(struct web *web)
{
    *web = (struct web){.arrived_fd = eventfd(0, EFD_CLOEXEC), .lock = PTHREAD_MUTEX_INITIALIZER};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    web->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                   on_request, web, MHD_OPTION_SOCK_ADDR, &address,
                                   MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    assert_non_null(web->daemon);
    web->port = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void web_stop(struct web *web)
{
    (void)pthread_mutex_lock(&web->lock);
    for (size_t i = 0; i < web->waiting_count; i++)
        MHD_resume_connection(web->waiting[i]);
    web->waiting_count = MAX_WAITING; /* no more */
    (void)pthread_mutex_unlock(&web->lock);
    MHD_stop_daemon(web->daemon);
    io_closep(&web->arrived_fd);
}

/* A server on a bare socket. It reads requests without bodies; "/keep" is answered and the connection kept,
 * "/short" is answered with less than announced, everything else is read and the connection closed. */
struct raw {
    int listener, port, stop_fd;
    pthread_t thread;
    atomic_int drops, connections;
};

static void raw_reply(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Serves what is there; false when the connection shall be closed. */
static bool raw_serve(struct raw *raw, int fd)
{
    char request[4096] = "";
    ssize_t got = recv(fd, request, sizeof(request) - 1, 0);
    if (got <= 0)
        return false;
    if (strstr(request, " /keep ")) {
        raw_reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept");
        return true;
    }
    if (strstr(request, " /short "))
        raw_reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nonly this");
    else
        raw->drops++;
    return false;
}

static void *raw_thread(void *arg)
{
    struct raw *raw = arg;
    struct pollfd fds[16] = {{.fd = raw->stop_fd, .events = POLLIN}, {.fd = raw->listener, .events = POLLIN}};
    nfds_t count = 2;
    while (poll(fds, count, -1) >= 0 && !fds[0].revents) {
        for (nfds_t i = count - 1; i > 1; i--) {
            if (fds[i].revents && !raw_serve(raw, fds[i].fd)) {
                io_closep(&fds[i].fd);
                fds[i] = fds[--count];
            }
        }
        if (fds[1].revents && count < 16) {
            fds[count++] =
                (struct pollfd){.fd = accept4(raw->listener, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN};
            raw->connections++;
        }
    }
    while (count > 2)
        io_closep(&fds[--count].fd);
    return NULL;
}

static void raw_start(struct raw *raw)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(raw, 0, sizeof(*raw));
    raw->stop_fd = eventfd(0, EFD_CLOEXEC);
    raw->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(raw->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(raw->listener, 8), 0);
    assert_int_equal(getsockname(raw->listener, (struct sockaddr *)&address, &size), 0);
    raw->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&raw->thread, NULL, raw_thread, raw), 0);
}

static void raw_stop(struct raw *raw)
{
    (void)eventfd_write(raw->stop_fd, 1);
    assert_int_equal(pthread_join(raw->thread, NULL), 0);
    io_closep(&raw->stop_fd);
    io_closep(&raw->listener);
}

/* What every test needs. */
struct bench {
    struct arena *arena;
    struct http_pool *pool;
    struct web web;
    struct raw raw;
    struct ctx ctx;
    struct http_response response;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->arena = arena_new(0);
    bench->ctx = ctx_background();
    web_start(&bench->web);
    raw_start(&bench->raw);
    struct http_pool_options options = {.max_handles = 2, .user_agent = "rehost/test"};
    assert_ok(http_pool_open(&options, &bench->pool));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    http_pool_close(bench->pool);
    web_stop(&bench->web);
    raw_stop(&bench->raw);
    arena_free(bench->arena);
    free(bench);
    return 0;
}

static struct http_request request_to(struct bench *bench, const char *method, int port, const char *path)
{
    return (struct http_request){.method = method,
                                 .url = arena_printf(bench->arena, "http://127.0.0.1:%d%s", port, path),
                                 .path_template = path};
}

static struct err *send_to(struct bench *bench, const char *method, int port, const char *path)
{
    struct http_request request = request_to(bench, method, port, path);
    return http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response);
}

static void a_get_returns_status_headers_and_body(void **state)
{
    struct bench *bench = *state;
    assert_ok(send_to(bench, "GET", bench->web.port, "/echo"));
    assert_int_equal(bench->response.status, 200);
    assert_string_equal(http_response_header(&bench->response, "x-request-id"), "r-17");
    assert_null(http_response_header(&bench->response, "x-absent"));
    assert_non_null(strstr(bench->response.body, "GET host=127.0.0.1:"));
    assert_non_null(strstr(bench->response.body, "auth=- type=- length=- agent=rehost/test extra=- body="));
    assert_int_equal(bench->response.body_length, strlen(bench->response.body));
    assert_ok(send_to(bench, "HEAD", bench->web.port, "/echo"));
    assert_int_equal(bench->response.status, 200);
    assert_string_equal(bench->response.body, "");
}

static void every_complete_answer_is_a_success_and_redirects_are_not_followed(void **state)
{
    struct bench *bench = *state;
    static const int statuses[] = {201, 302, 404, 429, 503};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        assert_ok(
            send_to(bench, "GET", bench->web.port, arena_printf(bench->arena, "/status/%d", statuses[i])));
        assert_int_equal(bench->response.status, statuses[i]);
        assert_string_equal(bench->response.body, "told");
    }
    assert_ok(send_to(bench, "DELETE", bench->web.port, "/status/204"));
    assert_int_equal(bench->response.status, 204);
}

static void a_post_carries_body_headers_and_token(void **state)
{
    struct bench *bench = *state;
    CLEANUP_SECRET struct secret *token = NULL;
    assert_ok(secret_new("t0ken-value", 11, &token));
    struct http_header headers[] = {{"Content-Type", "application/json"}, {"X-Extra", "yes"}};
    struct http_request request = request_to(bench, "POST", bench->web.port, "/echo");
    request.bearer_token = token;
    request.headers = headers;
    request.header_count = 2;
    request.body = "{\"a\":1}";
    request.body_length = 7;
    assert_ok(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response));
    assert_non_null(strstr(bench->response.body, "auth=Bearer t0ken-value type=application/json length=7 "));
    assert_non_null(strstr(bench->response.body, "extra=yes body={\"a\":1}"));
}

static void a_post_without_a_body_announces_an_empty_one(void **state)
{
    struct bench *bench = *state;
    assert_ok(send_to(bench, "POST", bench->web.port, "/echo"));
    assert_non_null(strstr(bench->response.body, "POST host="));
    assert_non_null(strstr(bench->response.body, "type=- length=0 "));
}

static void a_header_value_with_a_line_break_is_refused(void **state)
{
    struct bench *bench = *state;
    CLEANUP_SECRET struct secret *token = NULL;
    assert_ok(secret_new("t0ken\r\nX-Evil: 1", 16, &token));
    struct http_request request = request_to(bench, "GET", bench->web.port, "/echo");
    request.bearer_token = token;
    struct err *e = http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response);
    assert_non_null(e);
    assert_null(strstr(err_text(e), "t0ken"));
    assert_fails(e, ERR_INPUT, "'Authorization'");
}

static void what_never_reached_a_server_is_transient(void **state)
{
    struct bench *bench = *state;
    int port = bench->raw.port;
    raw_stop(&bench->raw);
    assert_fails(send_to(bench, "POST", port, "/servers"), ERR_TRANSIENT, "POST /servers");
    struct http_request request = {.method = "POST", .url = "http://no-such-host.invalid/"};
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response), ERR_TRANSIENT,
                 "no-such-host.invalid");
    raw_start(&bench->raw);
}

static void a_url_that_cannot_be_used_is_the_users_mistake(void **state)
{
    struct bench *bench = *state;
    struct http_request request = {.method = "GET", .url = "file:///etc/passwd"};
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response), ERR_INPUT,
                 NULL);
    request.url = "http://a b/";
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response), ERR_INPUT,
                 NULL);
}

static void a_connection_closed_before_the_answer_leaves_the_outcome_open(void **state)
{
    struct bench *bench = *state;
    assert_fails(send_to(bench, "POST", bench->raw.port, "/drop"), ERR_UNKNOWN_OUTCOME, "POST /drop");
    assert_fails(send_to(bench, "DELETE", bench->raw.port, "/drop"), ERR_UNKNOWN_OUTCOME, NULL);
    assert_fails(send_to(bench, "GET", bench->raw.port, "/drop"), ERR_UNKNOWN_OUTCOME, NULL);
}

static void an_answer_cut_short_leaves_the_outcome_open(void **state)
{
    struct bench *bench = *state;
    assert_fails(send_to(bench, "POST", bench->raw.port, "/short"), ERR_UNKNOWN_OUTCOME, NULL);
}

static void a_post_is_sent_once_even_when_a_kept_connection_was_there(void **state)
{
    struct bench *bench = *state;
    assert_ok(send_to(bench, "GET", bench->raw.port, "/keep"));
    assert_string_equal(bench->response.body, "kept");
    assert_ok(send_to(bench, "GET", bench->raw.port, "/keep"));
    assert_int_equal(bench->raw.connections, 1); /* reads share a connection */
    assert_fails(send_to(bench, "POST", bench->raw.port, "/drop"), ERR_UNKNOWN_OUTCOME, NULL);
    assert_int_equal(bench->raw.drops, 1);
}

static void an_answer_larger_than_allowed_is_refused(void **state)
{
    struct bench *bench = *state;
    struct http_request request = request_to(bench, "GET", bench->web.port, "/large");
    request.max_response_bytes = MEGABYTE;
    assert_ok(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response));
    assert_int_equal(bench->response.body_length, MEGABYTE);
    request.max_response_bytes = MEGABYTE - 1;
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response), ERR_INPUT,
                 "larger than");
    request.method = "POST"; /* it has taken effect, whatever it was */
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response),
                 ERR_UNKNOWN_OUTCOME, "larger");
}

static void a_slow_answer_ends_at_the_deadline(void **state)
{
    struct bench *bench = *state;
    struct ctx ctx = ctx_with_timeout(&bench->ctx, 300);
    struct http_request request = request_to(bench, "GET", bench->web.port, "/slow");
    assert_fails(http_send(&ctx, bench->pool, bench->arena, &request, &bench->response), ERR_TIMEOUT,
                 "GET /slow");
    assert_true(clock_boot_ms() >= ctx.deadline_ms);
    request.timeout_ms = 300; /* the request's own limit, without one in the context */
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response), ERR_TIMEOUT,
                 NULL);
    request.method = "POST";
    request.timeout_ms = 2000; /* enough for it to be on its way for sure */
    assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response),
                 ERR_UNKNOWN_OUTCOME, "no answer to POST /slow");
}

/* Waits for /slow to arrive at the server, then cancels. */
static void *cancel_on_arrival(void *arg)
{
    struct bench *bench = arg;
    eventfd_t count = 0;
    (void)eventfd_read(bench->web.arrived_fd, &count);
    (void)eventfd_write(bench->ctx.cancel_fd, 1);
    return NULL;
}

static void assert_cancelled_as(struct bench *bench, const char *method, enum err_kind kind)
{
    pthread_t thread;
    bench->ctx.cancel_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(pthread_create(&thread, NULL, cancel_on_arrival, bench), 0);
    assert_fails(send_to(bench, method, bench->web.port, "/slow"), kind, "no answer to");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_fails(send_to(bench, method, bench->web.port, "/echo"), ERR_CANCELLED, NULL); /* not begun */
    io_closep(&bench->ctx.cancel_fd);
}

static void cancelling_stops_a_wait_for_an_answer(void **state)
{
    struct bench *bench = *state;
    assert_cancelled_as(bench, "GET", ERR_CANCELLED);
    assert_cancelled_as(bench, "POST", ERR_UNKNOWN_OUTCOME);
    assert_ok(send_to(bench, "GET", bench->web.port, "/echo")); /* the handle is usable again */
}

struct worker {
    struct bench *bench;
    const char *method, *path;
    int count;
    int64_t timeout_ms;
    struct err *failure;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    for (int i = 0; i < worker->count && !worker->failure; i++) {
        char url[100];
        struct http_response response;
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", worker->bench->web.port, worker->path);
        struct http_request request = {
            .method = worker->method, .url = url, .timeout_ms = worker->timeout_ms};
        worker->failure = http_send(&worker->bench->ctx, worker->bench->pool, arena, &request, &response);
        if (!worker->failure && (response.status != 200 || !strstr(response.body, "GET host=")))
            worker->failure = err_new(ERR_INTERNAL, "a wrong answer");
    }
    return NULL;
}

static void many_threads_share_a_few_handles(void **state)
{
    struct bench *bench = *state;
    struct worker workers[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        workers[i] = (struct worker){.bench = bench, .method = "GET", .path = "/echo", .count = 40};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_ok(workers[i].failure);
    }
}

static void waiting_for_a_handle_respects_the_context(void **state)
{
    struct bench *bench = *state;
    struct worker workers[2];
    pthread_t threads[2];
    bench->ctx.cancel_fd = eventfd(0, EFD_CLOEXEC);
    for (int i = 0; i < 2; i++) { /* both handles are taken until the end */
        workers[i] = (struct worker){.bench = bench, .method = "GET", .path = "/slow", .count = 1};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (eventfd_t arrived = 0, count = 0; arrived < 2; arrived += count)
        assert_int_equal(eventfd_read(bench->web.arrived_fd, &count), 0);
    struct ctx background = ctx_background(), ctx = ctx_with_timeout(&background, 50);
    struct http_request request = request_to(bench, "POST", bench->web.port, "/echo");
    assert_fails(http_send(&ctx, bench->pool, bench->arena, &request, &bench->response), ERR_TIMEOUT, NULL);
    (void)eventfd_write(bench->ctx.cancel_fd, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_fails(workers[i].failure, ERR_CANCELLED, NULL);
    }
    io_closep(&bench->ctx.cancel_fd);
    assert_ok(send_to(bench, "GET", bench->web.port, "/echo"));
}

static void connect_to_leads_elsewhere_and_keeps_the_host(void **state)
{
    struct bench *bench = *state;
    struct http_request request = {
        .method = "GET", .url = arena_printf(bench->arena, "http://shop.invalid:%d/echo", bench->web.port)};
    request.connect_to = "127.0.0.1";
    assert_ok(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response));
    assert_non_null(strstr(bench->response.body, "host=shop.invalid:"));
    request.url = "http://shop.invalid/echo";
    request.connect_to = arena_printf(bench->arena, "127.0.0.1:%d", bench->web.port);
    assert_ok(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response));
    assert_non_null(strstr(bench->response.body, "host=shop.invalid "));
    static const char *const nobody_there[] = {"::1", "[::1]", "[::1]:1"};
    for (size_t i = 0; i < 3; i++) { /* understood as addresses, not as names */
        request.connect_to = nobody_there[i];
        request.url = "http://shop.invalid:1/";
        assert_fails(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response),
                     ERR_TRANSIENT, "port 1");
    }
}

static void the_log_names_the_path_template_but_no_query_and_no_token(void **state)
{
    struct bench *bench = *state;
    const char *dir = make_dir(bench->arena), *path = arena_printf(bench->arena, "%s/log", dir);
    char *text = NULL;
    assert_ok(log_open(path, LOG_DEBUG));
    struct http_request request = request_to(bench, "GET", bench->web.port, "/echo?sig=c0ffee");
    request.path_template = "/echo/{id}";
    assert_ok(http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response));
    request = request_to(bench, "GET", bench->raw.port, "/drop?sig=c0ffee");
    request.path_template = NULL;
    struct err *e = http_send(&bench->ctx, bench->pool, bench->arena, &request, &bench->response);
    assert_null(strstr(err_text(e), "c0ffee"));
    err_free(e);
    log_close();
    assert_ok(fs_read_file(bench->arena, path, MEGABYTE, &text, NULL));
    assert_non_null(strstr(text, "http GET /echo/{id} 200 in "));
    assert_non_null(strstr(text, "failed (unknown-outcome) after "));
    assert_null(strstr(text, "c0ffee"));
    (void)unlink(path);
    (void)rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_get_returns_status_headers_and_body),
        TEST(every_complete_answer_is_a_success_and_redirects_are_not_followed),
        TEST(a_post_carries_body_headers_and_token),
        TEST(a_post_without_a_body_announces_an_empty_one),
        TEST(a_header_value_with_a_line_break_is_refused),
        TEST(what_never_reached_a_server_is_transient),
        TEST(a_url_that_cannot_be_used_is_the_users_mistake),
        TEST(a_connection_closed_before_the_answer_leaves_the_outcome_open),
        TEST(an_answer_cut_short_leaves_the_outcome_open),
        TEST(a_post_is_sent_once_even_when_a_kept_connection_was_there),
        TEST(an_answer_larger_than_allowed_is_refused),
        TEST(a_slow_answer_ends_at_the_deadline),
        TEST(cancelling_stops_a_wait_for_an_answer),
        TEST(many_threads_share_a_few_handles),
        TEST(waiting_for_a_handle_respects_the_context),
        TEST(connect_to_leads_elsewhere_and_keeps_the_host),
        TEST(the_log_names_the_path_template_but_no_query_and_no_token),
    };
    assert_ok(http_global_init());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
