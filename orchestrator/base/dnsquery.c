#include "base/dnsquery.h"

#include "base/io.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_PORT 53
#define UDP_BYTES 1232 /* dnsflagday.net/2020: what passes without fragments */
#define MAX_ANSWER_BYTES 65535
#define MAX_CHAIN 8
#define MAX_VALUES 256

/* How long each UDP attempt waits: a lost datagram is sent again, a slow server is given time. */
static const int64_t attempts_ms[] = {1000, 2000, 4000};

struct question {
    ldns_pkt *packet;
    uint8_t *wire;
    size_t length;
    ldns_rr_type type;
    const char *server; /* as asked for, for messages */
    const char *name;
    const char *type_name;
};

static void question_clear(struct question *question)
{
    ldns_pkt_free(question->packet);
    LDNS_FREE(question->wire);
}

static void packet_freep(ldns_pkt **packet)
{
    ldns_pkt_free(*packet);
}
#define CLEANUP_PACKET __attribute__((cleanup(packet_freep)))

/* --- the question --- */

static struct err *parse_type(const char *text, ldns_rr_type *type)
{
    static const struct {
        const char *name;
        ldns_rr_type type;
    } types[] = {{"A", LDNS_RR_TYPE_A},     {"AAAA", LDNS_RR_TYPE_AAAA}, {"NS", LDNS_RR_TYPE_NS},
                 {"SOA", LDNS_RR_TYPE_SOA}, {"TXT", LDNS_RR_TYPE_TXT},   {"CNAME", LDNS_RR_TYPE_CNAME}};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcasecmp(text, types[i].name) == 0) {
            *type = types[i].type;
            return NULL;
        }
    return err_new(ERR_INPUT, "'%s' is not a DNS type that can be asked for", text);
}

/* ldns frees what it takes; `name` has been parsed by it. */
static struct err *make_question(struct question *question, bool recurse)
{
    TRY(parse_type(question->type_name, &question->type));
    ldns_rdf *name = NULL;
    ldns_status status = ldns_str2rdf_dname(&name, question->name);
    if (status != LDNS_STATUS_OK)
        return err_new(ERR_INPUT, "'%s' is not a DNS name: %s", question->name,
                       ldns_get_errorstr_by_id(status));
    question->packet = ldns_pkt_query_new(name, question->type, LDNS_RR_CLASS_IN, recurse ? LDNS_RD : 0);
    if (!question->packet) {
        ldns_rdf_deep_free(name);
        return err_new(ERR_INTERNAL, "out of memory");
    }
    ldns_pkt_set_random_id(question->packet);
    ldns_pkt_set_edns_udp_size(question->packet, UDP_BYTES);
    if (ldns_pkt2wire(&question->wire, question->packet, &question->length) != LDNS_STATUS_OK)
        return err_new(ERR_INTERNAL, "cannot encode a DNS question");
    return NULL;
}

/* --- the server's address --- */

struct endpoint {
    char host[INET6_ADDRSTRLEN];
    int port;
    struct sockaddr_storage address;
    socklen_t size;
};

/* "1.2.3.4", "1.2.3.4:53", "2001:db8::1", "[2001:db8::1]:53" */
static bool split(const char *text, struct endpoint *endpoint)
{
    const char *colon = strrchr(text, ':'), *begin = text, *end = text + strlen(text);
    endpoint->port = DEFAULT_PORT;
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
        endpoint->port = (int)port;
    }
    if ((size_t)(end - begin) >= sizeof(endpoint->host))
        return false;
    memcpy(endpoint->host, begin, (size_t)(end - begin));
    endpoint->host[end - begin] = '\0';
    return true;
}

static struct err *parse_endpoint(const char *text, struct endpoint *endpoint)
{
    struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM},
                    *found = NULL;
    char port[8];
    *endpoint = (struct endpoint){0};
    if (!split(text, endpoint))
        return err_new(ERR_INPUT, "'%s' is not the address of a DNS server", text);
    (void)snprintf(port, sizeof(port), "%d", endpoint->port);
    if (getaddrinfo(endpoint->host, port, &wanted, &found))
        return err_with_hint(
            err_new(ERR_INPUT, "'%s' is not the address of a DNS server", text),
            "write an IP address, or an address and a port: '192.0.2.53:53', '[2001:db8::53]:53'");
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->size = found->ai_addrlen;
    freeaddrinfo(found);
    return NULL;
}

/* The first name server of /etc/resolv.conf. */
static struct err *system_server(struct arena *arena, const char **server)
{
    ldns_resolver *resolver = NULL;
    if (ldns_resolver_new_frm_file(&resolver, NULL) != LDNS_STATUS_OK ||
        !ldns_resolver_nameserver_count(resolver)) {
        ldns_resolver_deep_free(resolver);
        return err_new(ERR_TRANSIENT, "the system has no DNS resolver in '/etc/resolv.conf'");
    }
    char *text = ldns_rdf2str(ldns_resolver_nameservers(resolver)[0]);
    *server = arena_strdup(arena, text);
    LDNS_FREE(text);
    ldns_resolver_deep_free(resolver);
    return NULL;
}

/* --- exchanges --- */

static struct err *no_answer(const struct question *question)
{
    return err_new(ERR_TRANSIENT, "the DNS server '%s' does not answer", question->server);
}

static bool says_something(const ldns_pkt *packet)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN;
}

/* Whether `data` answers our question: the id, the question, a response. Anything else is noise or a forgery.
 * NULL when not. */
static ldns_pkt *parse_answer(const struct question *question, const uint8_t *data, size_t length)
{
    CLEANUP_PACKET ldns_pkt *packet = NULL;
    if (ldns_wire2pkt(&packet, data, length) != LDNS_STATUS_OK)
        return NULL;
    if (!ldns_pkt_qr(packet) || ldns_pkt_id(packet) != ldns_pkt_id(question->packet))
        return NULL;
    const ldns_rr *ours = ldns_rr_list_rr(ldns_pkt_question(question->packet), 0);
    const ldns_rr *theirs = ldns_rr_list_rr(ldns_pkt_question(packet), 0);
    if (!theirs) /* some servers leave it out when they refuse */
        return says_something(packet) ? NULL : TAKE(packet);
    if (ldns_rr_get_type(theirs) != question->type ||
        ldns_dname_compare(ldns_rr_owner(theirs), ldns_rr_owner(ours)) != 0)
        return NULL;
    return TAKE(packet);
}

/* One datagram out, and what comes back within wait_ms. *answer stays NULL when nothing does. */
static struct err *try_udp(const struct ctx *ctx, const struct question *question, int fd, int64_t wait_ms,
                           ldns_pkt **answer)
{
    uint8_t data[MAX_ANSWER_BYTES];
    struct ctx until = ctx_with_timeout(ctx, wait_ms);
    if (send(fd, question->wire, question->length, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
        return err_errno(ERR_TRANSIENT, errno, "cannot send to the DNS server '%s'", question->server);
    while (!*answer) {
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
            *answer = parse_answer(question, data, (size_t)got);
    }
    return NULL;
}

/* The kernel picks the port and, because the socket is connected, drops what others send. */
static struct err *ask_udp(const struct ctx *ctx, const struct question *question,
                           const struct endpoint *endpoint, ldns_pkt **answer)
{
    CLEANUP_FD int fd = socket(endpoint->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->size))
        return err_errno(ERR_TRANSIENT, errno, "cannot reach the DNS server '%s'", question->server);
    for (size_t i = 0; i < sizeof(attempts_ms) / sizeof(*attempts_ms) && !*answer; i++)
        TRY(try_udp(ctx, question, fd, attempts_ms[i], answer));
    return *answer ? NULL : no_answer(question);
}

static struct err *read_exactly(const struct ctx *ctx, const struct question *question, int fd, uint8_t *data,
                                size_t length)
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

/* RFC 1035, section 4.2.2: two bytes of length before the message. */
static struct err *exchange_tcp(const struct ctx *ctx, const struct question *question,
                                const struct endpoint *endpoint, ldns_pkt **answer)
{
    uint8_t data[MAX_ANSWER_BYTES], head[2] = {(uint8_t)(question->length >> 8), (uint8_t)question->length};
    CLEANUP_FD int fd = -1;
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, MAX_ANSWER_BYTES + sizeof(head));
    strbuf_add(&out, head, sizeof(head));
    strbuf_add(&out, question->wire, question->length);
    TRY(io_connect_tcp(ctx, endpoint->host, endpoint->port, &fd));
    TRY(io_write_all(ctx, fd, out.data, out.length));
    TRY(read_exactly(ctx, question, fd, head, sizeof(head)));
    size_t length = (size_t)head[0] << 8 | head[1];
    TRY(read_exactly(ctx, question, fd, data, length));
    *answer = parse_answer(question, data, length);
    return *answer ? NULL : no_answer(question);
}

/* As many seconds as the attempts by UDP; the context's own deadline is told apart from ours. */
static struct err *ask_tcp(const struct ctx *ctx, const struct question *question,
                           const struct endpoint *endpoint, ldns_pkt **answer)
{
    struct ctx limited = ctx_with_timeout(ctx, attempts_ms[0] + attempts_ms[1] + attempts_ms[2]);
    struct err *e = exchange_tcp(&limited, question, endpoint, answer);
    if (!e || err_kind(e) != ERR_TIMEOUT || limited.deadline_ms == ctx->deadline_ms)
        return e;
    err_free(e);
    return no_answer(question);
}

static struct err *exchange(const struct ctx *ctx, const struct question *question,
                            const struct endpoint *endpoint, ldns_pkt **answer)
{
    TRY(ask_udp(ctx, question, endpoint, answer));
    if (!ldns_pkt_tc(*answer))
        return NULL;
    ldns_pkt_free(TAKE(*answer));
    return ask_tcp(ctx, question, endpoint, answer);
}

/* --- the answer --- */

static struct err *check_rcode(const struct question *question, const ldns_pkt *answer)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(answer);
    if (rcode == LDNS_RCODE_NOERROR)
        return NULL;
    if (rcode == LDNS_RCODE_NXDOMAIN)
        return err_new(ERR_NOT_FOUND, "the DNS server '%s' knows no name '%s'", question->server,
                       question->name);
    char *text = ldns_pkt_rcode2str(rcode);
    struct err *e =
        err_new(ERR_TRANSIENT, "the DNS server '%s' answered %s when asked for '%s' %s", question->server,
                text ? text : "with an error", question->name, question->type_name);
    LDNS_FREE(text);
    return e;
}

/* The strings of a TXT record joined, as SPF and others read them (RFC 7208, section 3.3). */
static char *txt_value(struct arena *arena, const ldns_rr *rr)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, MAX_ANSWER_BYTES);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *part = ldns_rr_rdf(rr, i);
        if (ldns_rdf_size(part) > 1) /* a byte of length, then the string */
            strbuf_add(&text, (const char *)ldns_rdf_data(part) + 1, ldns_rdf_size(part) - 1);
    }
    return strbuf_to_arena(&text, arena);
}

/* Everything else: the fields with a space in between, names in lower case and without their last dot. */
static char *plain_value(struct arena *arena, const ldns_rr *rr)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, MAX_ANSWER_BYTES);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        char *field = ldns_rdf2str(ldns_rr_rdf(rr, i));
        size_t length = field ? strlen(field) : 0;
        if (length > 1 && ldns_rdf_get_type(ldns_rr_rdf(rr, i)) == LDNS_RDF_TYPE_DNAME &&
            field[length - 1] == '.')
            length--;
        if (i)
            strbuf_addc(&text, ' ');
        for (size_t j = 0; j < length; j++)
            strbuf_addc(&text, (char)tolower((unsigned char)field[j]));
        LDNS_FREE(field);
    }
    return strbuf_to_arena(&text, arena);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_value(struct arena *arena, const ldns_rr *rr, struct dns_answer *answer)
{
    int64_t ttl = ldns_rr_ttl(rr);
    if (answer->count == MAX_VALUES)
        return;
    if (!answer->count || ttl < answer->ttl_seconds)
        answer->ttl_seconds = ttl;
    answer->values[answer->count++] =
        ldns_rr_get_type(rr) == LDNS_RR_TYPE_TXT ? txt_value(arena, rr) : plain_value(arena, rr);
}

/* Adds the records of `type` that `name` owns; returns where a CNAME of it leads, or NULL. */
static const ldns_rdf *take_records(struct arena *arena, const ldns_rr_list *list, const ldns_rdf *name,
                                    ldns_rr_type type, struct dns_answer *answer)
{
    const ldns_rdf *alias = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_dname_compare(ldns_rr_owner(rr), name) != 0)
            continue;
        if (ldns_rr_get_type(rr) == type)
            add_value(arena, rr, answer);
        else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
            alias = ldns_rr_rdf(rr, 0);
    }
    return alias;
}

static void collect(struct arena *arena, const struct question *question, const ldns_pkt *packet,
                    struct dns_answer *answer)
{
    const ldns_rdf *name = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0));
    const ldns_rdf *next = name;
    for (int step = 0; step < MAX_CHAIN && next && !answer->count; step++)
        next = take_records(arena, ldns_pkt_answer(packet), next, question->type, answer);
    if (!answer->count &&
        question->type == LDNS_RR_TYPE_NS) /* a parent tells of a delegation in another section */
        (void)take_records(arena, ldns_pkt_authority(packet), name, question->type, answer);
    qsort(answer->values, answer->count, sizeof(*answer->values), by_text);
}

static struct err *ask(const struct ctx *ctx, struct arena *arena, struct question *question, bool recurse,
                       struct dns_answer *answer)
{
    struct endpoint endpoint;
    CLEANUP_PACKET ldns_pkt *packet = NULL;
    TRY(make_question(question, recurse));
    TRY(parse_endpoint(question->server, &endpoint));
    TRY(exchange(ctx, question, &endpoint, &packet));
    TRY(check_rcode(question, packet));
    answer->authoritative = ldns_pkt_aa(packet);
    collect(arena, question, packet, answer);
    if (!answer->count)
        return err_new(ERR_NOT_FOUND, "the DNS server '%s' has no %s for '%s'", question->server,
                       question->type_name, question->name);
    return NULL;
}

struct err *dnsquery_ask(const struct ctx *ctx, struct arena *arena, const char *server, const char *name,
                         const char *type, bool recurse, struct dns_answer *answer)
{
    *answer = (struct dns_answer){.values = arena_array(arena, MAX_VALUES, sizeof(*answer->values))};
    if (!server)
        TRY(system_server(arena, &server));
    struct question question
        __attribute__((cleanup(question_clear))) = {.server = server, .name = name, .type_name = type};
    return ask(ctx, arena, &question, recurse, answer);
}
