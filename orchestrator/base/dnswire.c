#include "base/dnswire.h"

#include "base/io.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 53

/* How long each UDP attempt waits, DNSWIRE_PATIENCE_MS together: a lost datagram is sent again, a slow server
 * is given time. */
static const int64_t attempts_ms[] = {1000, 2000, 4000};

void dnswire_answer_clear(struct dnswire_answer *answer)
{
    ldns_pkt_free(answer->packet);
    free(answer->wire);
    *answer = (struct dnswire_answer){0};
}

/* --- the server's address --- */

static bool split(const char *text, struct dnswire_server *server)
{
    const char *colon = strrchr(text, ':'), *begin = text, *end = text + strlen(text);
    server->port = DEFAULT_PORT;
    if (*text == '[') {
        begin = text + 1;
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        colon = end[1] ? end + 1 : NULL;
    } else if (colon && strchr(text, ':') == colon) {
        end = colon;
    } else {
        colon = NULL; /* more than one: an IPv6 address without port */
    }
    if (colon) {
        char *rest = NULL;
        long port = strtol(colon + 1, &rest, 10);
        if (!isdigit((unsigned char)colon[1]) || *rest || port < 1 || port > 65535)
            return false;
        server->port = (int)port;
    }
    if ((size_t)(end - begin) >= sizeof(server->host))
        return false;
    memcpy(server->host, begin, (size_t)(end - begin));
    server->host[end - begin] = '\0';
    return true;
}

struct err *dnswire_parse_server(const char *text, struct dnswire_server *server)
{
    struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM},
                    *found = NULL;
    *server = (struct dnswire_server){.text = text};
    bool fine = split(text, server);
    char port[8];
    (void)snprintf(port, sizeof(port), "%d", server->port);
    if (!fine || getaddrinfo(server->host, port, &wanted, &found))
        return err_with_hint(
            err_new(ERR_INPUT, "'%s' is not the address of a DNS server", text),
            "write an IP address, or an address and a port: '192.0.2.53:53', '[2001:db8::53]:53'");
    memcpy(&server->address, found->ai_addr, found->ai_addrlen);
    server->size = found->ai_addrlen;
    freeaddrinfo(found);
    return NULL;
}

/* --- what is an answer --- */

static struct err *no_answer(const struct dnswire_question *question)
{
    return err_new(ERR_TRANSIENT, "the DNS server '%s' does not answer", question->server->text);
}

static bool says_something(const ldns_pkt *packet)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
}

/* The id, the kind, the question (of an update: the zone). Anything else is noise or a forgery. */
static bool answers(const ldns_pkt *asked, const ldns_pkt *packet)
{
    if (!ldns_pkt_qr(packet) || ldns_pkt_id(packet) != ldns_pkt_id(asked) ||
        ldns_pkt_get_opcode(packet) != ldns_pkt_get_opcode(asked))
        return false;
    const ldns_rr *ours = ldns_rr_list_rr(ldns_pkt_question(asked), 0);
    const ldns_rr *theirs = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
    if (!theirs) /* left out by some servers when they refuse, and by all that may (RFC 2136, section 3.8) */
        return ldns_pkt_get_opcode(asked) == LDNS_PACKET_UPDATE || !says_something(packet);
    return ldns_rr_get_type(theirs) == ldns_rr_get_type(ours) &&
           ldns_dname_compare(ldns_rr_owner(theirs), ldns_rr_owner(ours)) == 0;
}

/* Keeps `data` when it answers the question. */
static struct err *take_answer(const struct dnswire_question *question, const uint8_t *data, size_t length,
                               struct dnswire_answer *answer)
{
    ldns_pkt *packet = NULL;
    if (ldns_wire2pkt(&packet, data, length) != LDNS_STATUS_OK)
        return NULL;
    if (!answers(question->packet, packet)) {
        ldns_pkt_free(packet);
        return NULL;
    }
    *answer = (struct dnswire_answer){.packet = packet, .wire = malloc(length), .length = length};
    if (!answer->wire)
        return err_new(ERR_INTERNAL, "out of memory");
    memcpy(answer->wire, data, length);
    return NULL;
}

/* --- UDP --- */

/* One datagram out, and what comes back within wait_ms. The answer stays empty when nothing does. */
static struct err *try_udp(const struct ctx *ctx, const struct dnswire_question *question, int fd,
                           int64_t wait_ms, struct dnswire_answer *answer)
{
    uint8_t data[DNSWIRE_MAX_BYTES];
    struct ctx until = ctx_with_timeout(ctx, wait_ms);
    if (send(fd, question->wire, question->length, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
        return err_errno(ERR_TRANSIENT, errno, "cannot send to the DNS server '%s'", question->server->text);
    while (!answer->packet) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left_ms = ctx_remaining_ms(&until);
        int count = 0;
        TRY(ctx_wait(ctx, &ready, 1, left_ms, &count));
        if (!count)
            return NULL;
        ssize_t got = recv(fd, data, sizeof(data), MSG_DONTWAIT);
        if (got < 0 && errno == ECONNREFUSED)
            return no_answer(question);
        if (got > 0)
            TRY(take_answer(question, data, (size_t)got, answer));
    }
    return NULL;
}

/* The kernel picks the port and, because the socket is connected, drops what others send. */
static struct err *ask_udp(const struct ctx *ctx, const struct dnswire_question *question,
                           struct dnswire_answer *answer)
{
    const struct dnswire_server *server = question->server;
    CLEANUP_FD int fd = socket(server->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&server->address, server->size))
        return err_errno(ERR_TRANSIENT, errno, "cannot reach the DNS server '%s'", server->text);
    for (size_t i = 0; i < sizeof(attempts_ms) / sizeof(*attempts_ms) && !answer->packet; i++)
        TRY(try_udp(ctx, question, fd, attempts_ms[i], answer));
    return answer->packet ? NULL : no_answer(question);
}

/* --- TCP --- */

static struct err *read_exactly(const struct ctx *ctx, const struct dnswire_question *question, int fd,
                                uint8_t *data, size_t length)
{
    while (length) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        TRY(ctx_wait(ctx, &ready, 1, -1, NULL));
        ssize_t got = recv(fd, data, length, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return no_answer(question);
        if (got > 0) {
            data += got;
            length -= (size_t)got;
        }
    }
    return NULL;
}

/* RFC 1035, section 4.2.2: two bytes of length before the message. *sent: from then on the server may act. */
static struct err *exchange_tcp(const struct ctx *ctx, const struct dnswire_question *question, bool *sent,
                                struct dnswire_answer *answer)
{
    uint8_t data[DNSWIRE_MAX_BYTES];
    uint8_t head[2] = {(uint8_t)(question->length >> 8), (uint8_t)question->length};
    CLEANUP_FD int fd = -1;
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, DNSWIRE_MAX_BYTES + sizeof(head));
    strbuf_add(&out, head, sizeof(head));
    strbuf_add(&out, question->wire, question->length);
    TRY(strbuf_check(&out, "a DNS message"));
    TRY(io_connect_tcp(ctx, question->server->host, question->server->port, &fd));
    TRY(ctx_check(ctx));
    *sent = true;
    TRY(io_write_all(ctx, fd, out.data, out.length));
    TRY(read_exactly(ctx, question, fd, head, sizeof(head)));
    size_t length = (size_t)head[0] << 8 | head[1];
    TRY(read_exactly(ctx, question, fd, data, length));
    TRY(take_answer(question, data, length, answer));
    return answer->packet ? NULL : no_answer(question);
}

/* The context's own deadline is told apart from ours. */
static struct err *ask_tcp(const struct ctx *ctx, const struct dnswire_question *question, bool *sent,
                           struct dnswire_answer *answer)
{
    struct ctx limited = ctx_with_timeout(ctx, DNSWIRE_PATIENCE_MS);
    struct err *e = exchange_tcp(&limited, question, sent, answer);
    if (!e || err_kind(e) != ERR_TIMEOUT || limited.deadline_ms == ctx->deadline_ms)
        return e;
    err_free(e);
    return no_answer(question);
}

/* --- both --- */

struct err *dnswire_ask(const struct ctx *ctx, const struct dnswire_question *question,
                        struct dnswire_answer *answer)
{
    bool sent = false;
    *answer = (struct dnswire_answer){0};
    TRY(ask_udp(ctx, question, answer));
    if (!ldns_pkt_tc(answer->packet))
        return NULL;
    dnswire_answer_clear(answer);
    return ask_tcp(ctx, question, &sent, answer);
}

struct err *dnswire_tell(const struct ctx *ctx, const struct dnswire_question *question,
                         struct dnswire_answer *answer)
{
    bool sent = false;
    *answer = (struct dnswire_answer){0};
    struct err *e = ask_tcp(ctx, question, &sent, answer);
    return e && sent ? err_with_kind(e, ERR_UNKNOWN_OUTCOME) : e;
}
