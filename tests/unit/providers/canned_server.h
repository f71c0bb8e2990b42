/* An HTTP server for adapter tests that answers, in order, with the very bytes that the test gives, and keeps
 * what it was asked. Raw bytes, because a broken answer (cut, not JSON, missing) is what the tests are about.
 * One request a connection.
 */
#pragma once
#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CANNED_MAX 24
#define CANNED_REQUEST_MAX 65536
#define CANNED_HANG_UP "" /* reads the request, then closes without an answer */

/* The bytes of a JSON answer, whole; after HEAD alone a test writes on (a header, half a body). */
#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define ANSWER(status, body) HEAD(status) "\r\n" body
#define OK(body) ANSWER("200 OK", body)

struct canned_server {
    int fd;
    pthread_t thread;
    char endpoint[64];
    const char *answers[CANNED_MAX]; /* NULL-terminated */
    char *requests[CANNED_MAX];      /* whole: line, headers, body */
    int count;
};

static inline bool canned_is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(request, "\r\ncontent-length:");
    size_t wanted = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return strlen(end + 4) >= wanted;
}

static inline char *canned_read_request(int fd)
{
    char *request = calloc(1, CANNED_REQUEST_MAX + 1);
    size_t length = 0;
    while (request && length < CANNED_REQUEST_MAX && !canned_is_whole(request)) {
        ssize_t n = read(fd, request + length, CANNED_REQUEST_MAX - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    return request;
}

static inline void *canned_serve(void *arg)
{
    struct canned_server *server = arg;
    for (; server->answers[server->count]; server->count++) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        server->requests[server->count] = canned_read_request(fd);
        const char *answer = server->answers[server->count];
        ssize_t ignored = write(fd, answer, strlen(answer));
        (void)ignored;
        (void)shutdown(fd, SHUT_WR);
        (void)close(fd);
    }
    return NULL;
}

/* Starts to answer; `answers` are NULL-terminated and outlive the server. */
static inline void canned_start(struct canned_server *server, const char *const *answers)
{
    memset(server, 0, sizeof(*server));
    for (int i = 0; answers[i]; i++)
        server->answers[i] = answers[i];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->fd, (struct sockaddr *)&address, length) != 0 || listen(server->fd, 8) != 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    (void)snprintf(server->endpoint, sizeof(server->endpoint), "http://127.0.0.1:%d",
                   ntohs(address.sin_port));
    if (pthread_create(&server->thread, NULL, canned_serve, server) != 0)
        abort();
}

/* Stops (a second time does nothing); afterwards server->count and server->requests may be read. */
static inline void canned_stop(struct canned_server *server)
{
    if (server->fd < 0)
        return;
    (void)shutdown(server->fd, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->fd);
    server->fd = -1;
}

static inline void canned_free(struct canned_server *server)
{
    for (int i = 0; i < CANNED_MAX; i++)
        free(server->requests[i]);
}

/* Whether request number `i` begins with "METHOD path HTTP" and holds `part` (may be NULL). */
static inline bool canned_was_asked(const struct canned_server *server, int i, const char *line,
                                    const char *part)
{
    const char *request = i < server->count ? server->requests[i] : NULL;
    bool fits = request && strncmp(request, line, strlen(line)) == 0 &&
                strncmp(request + strlen(line), " HTTP/", 6) == 0 && (!part || strstr(request, part));
    if (!fits)
        (void)fprintf(stderr, "request %d was: %s\n", i, request ? request : "never sent");
    return fits;
}
