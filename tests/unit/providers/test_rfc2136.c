/* The RFC 2136 adapter against a server of the test that says what real ones rarely do. Real ones:
 * tests/contract/dns_rfc2136. */
#include "base/clock.h"
#include "base/secret.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/assert_err.h"
#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY_NAME "rehost.key"
#define KEY "c2VzYW1lLTQ3MTEtc2VzYW1lLTQ3MTEtc2VzYW1lLTQ3MTE="
#define TOKEN "hmac-sha256:" KEY_NAME ":" KEY
#define MAX_RECORDS 4

/* What the server says to one kind of message. */
struct reply {
    ldns_pkt_rcode rcode;
    const char *records[MAX_RECORDS]; /* of the asked name and type those are given that fit */
    bool silent, is_unsigned, not_authoritative;
    int tsig_error; /* in an unsigned TSIG record; 0: none */
};

struct server {
    struct reply question, update;
    int datagrams, stream, stop, port;
    pthread_t thread;
    int mangle;        /* before the answer to a question, one that is damaged at this place; -1: none */
    char *last_update; /* its sections as text */
    int updates;
};

struct fixture {
    struct server server;
    struct arena *arena;
    struct dns *dns;
    struct ctx ctx;
};

static const struct dns_ops *ops;
static const struct dns_zone zone = {
    .id = "example.test", .name = "example.test", .default_ttl_seconds = 300};

/* ---- the server ---- */

static void add_records(ldns_pkt *answer, const ldns_rr *asked, const struct reply *reply)
{
    for (int i = 0; i < MAX_RECORDS && reply->records[i]; i++) {
        ldns_rr *rr = NULL;
        if (ldns_rr_new_frm_str(&rr, reply->records[i], 0, NULL, NULL) != LDNS_STATUS_OK)
            abort();
        if (ldns_rr_get_type(rr) == ldns_rr_get_type(asked) &&
            ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(asked)) == 0)
            (void)ldns_pkt_push_rr(answer, LDNS_SECTION_ANSWER, rr);
        else
            ldns_rr_free(rr);
    }
}

static void add_signature(ldns_pkt *answer, const ldns_pkt *question, const struct reply *reply)
{
    if (reply->is_unsigned)
        return;
    const ldns_rdf *mac = ldns_rr_rdf(ldns_pkt_tsig(question), 3);
    if (ldns_pkt_tsig_sign(answer, KEY_NAME, KEY, 300, "hmac-sha256.", mac) != LDNS_STATUS_OK)
        abort();
    if (reply->tsig_error) { /* as RFC 8945, section 5.3.2: with an empty signature, or one that does not fit
                              */
        ldns_rdf *error = ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, (uint16_t)reply->tsig_error);
        ldns_rdf_deep_free(ldns_rr_set_rdf(ldns_pkt_tsig(answer), error, 5));
    }
}

static uint8_t *make_answer(const ldns_pkt *question, const struct reply *reply, size_t *length)
{
    const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(question), 0);
    ldns_pkt *answer = ldns_pkt_query_new(ldns_rdf_clone(ldns_rr_owner(asked)), ldns_rr_get_type(asked),
                                          LDNS_RR_CLASS_IN, LDNS_QR);
    uint8_t *wire = NULL;
    ldns_pkt_set_id(answer, ldns_pkt_id(question));
    ldns_pkt_set_opcode(answer, ldns_pkt_get_opcode(question));
    ldns_pkt_set_rcode(answer, reply->rcode);
    ldns_pkt_set_aa(answer, !reply->not_authoritative);
    add_records(answer, asked, reply);
    add_signature(answer, question, reply);
    if (ldns_pkt2wire(&wire, answer, length) != LDNS_STATUS_OK)
        abort();
    ldns_pkt_free(answer);
    return wire;
}

/* "www.example.test. 0 NONE CNAME" a line: prerequisites, "--", updates */
static char *sections_text(const ldns_pkt *update)
{
    char *pre = ldns_rr_list2str(ldns_pkt_answer(update));
    char *changes = ldns_rr_list2str(ldns_pkt_authority(update));
    char *text = NULL;
    if (asprintf(&text, "%s--\n%s", pre, changes) < 0)
        abort();
    for (char *c = text; *c; c++)
        if (*c == '\t')
            *c = ' ';
    free(pre);
    free(changes);
    return text;
}

/* NULL: no answer */
static uint8_t *serve(struct server *server, const uint8_t *data, size_t size, size_t *length)
{
    ldns_pkt *message = NULL;
    if (ldns_wire2pkt(&message, data, size) != LDNS_STATUS_OK)
        abort();
    bool is_update = ldns_pkt_get_opcode(message) == LDNS_PACKET_UPDATE;
    const struct reply *reply = is_update ? &server->update : &server->question;
    if (is_update) {
        free(server->last_update);
        server->last_update = sections_text(message);
        server->updates++;
    }
    uint8_t *wire = reply->silent ? NULL : make_answer(message, reply, length);
    ldns_pkt_free(message);
    return wire;
}

/* A byte that is another, or an end that is missing. */
static void send_mangled(struct server *server, const uint8_t *wire, size_t length,
                         const struct sockaddr_in *to)
{
    uint8_t copy[4096];
    size_t place = (size_t)server->mangle / 3;
    if (place >= length)
        return;
    memcpy(copy, wire, length);
    if (server->mangle % 3 == 0)
        copy[place] ^= 0xff;
    else if (server->mangle % 3 == 1)
        copy[place] = 0;
    else
        length = place;
    (void)sendto(server->datagrams, copy, length, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void serve_datagram(struct server *server)
{
    uint8_t data[4096];
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    size_t length = 0;
    ssize_t got = recvfrom(server->datagrams, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
    uint8_t *wire = serve(server, data, (size_t)got, &length);
    if (wire && server->mangle >= 0)
        send_mangled(server, wire, length, &from);
    if (wire)
        (void)sendto(server->datagrams, wire, length, 0, (struct sockaddr *)&from, size);
    free(wire);
}

/* One message a connection; a silent one stays open until the other side goes. */
static void serve_stream(struct server *server)
{
    uint8_t head[2], data[4096];
    size_t length = 0;
    int fd = accept(server->stream, NULL, NULL);
    if (recv(fd, head, 2, MSG_WAITALL) != 2 ||
        recv(fd, data, (size_t)(head[0] << 8 | head[1]), MSG_WAITALL) < 12)
        abort();
    uint8_t *wire = serve(server, data, (size_t)(head[0] << 8 | head[1]), &length);
    if (wire) {
        const uint8_t reply_head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
        (void)send(fd, reply_head, 2, MSG_NOSIGNAL);
        (void)send(fd, wire, length, MSG_NOSIGNAL);
    } else {
        (void)recv(fd, data, 1, 0);
    }
    free(wire);
    (void)close(fd);
}

static void *run(void *arg)
{
    struct server *server = arg;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->datagrams, .events = POLLIN},
                               {.fd = server->stream, .events = POLLIN},
                               {.fd = server->stop, .events = POLLIN}};
        if (poll(fds, 3, -1) < 0 || fds[2].revents)
            return NULL;
        if (fds[0].revents)
            serve_datagram(server);
        if (fds[1].revents)
            serve_stream(server);
    }
}

/* One port for UDP and TCP. */
static void bind_both(struct server *server)
{
    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        server->stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        server->datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (bind(server->stream, (struct sockaddr *)&address, size) ||
            getsockname(server->stream, (struct sockaddr *)&address, &size) || listen(server->stream, 4))
            abort();
        server->port = ntohs(address.sin_port);
        if (!bind(server->datagrams, (struct sockaddr *)&address, size))
            return;
        (void)close(server->stream);
        (void)close(server->datagrams);
    }
}

static struct err *open_with(const char *endpoint, const char *token, struct dns **dns)
{
    CLEANUP_SECRET struct secret *secret = NULL;
    assert_null(secret_new(token, strlen(token), &secret));
    struct account_options options = {.name = "ours", .endpoint = endpoint, .token = secret};
    return ops->open(&options, dns);
}

/* The zone has www A 192.0.2.10, and epoch 41, until the test says something else. */
static void begin(struct fixture *f)
{
    struct ctx background = ctx_background();
    *f = (struct fixture){.arena = arena_new(0), .ctx = ctx_with_timeout(&background, 20000)};
    f->server.question.records[0] = "www.example.test. 60 IN A 192.0.2.10";
    f->server.question.records[1] = "_rehost.example.test. 60 IN TXT \"epoch=41\"";
    f->server.question.records[2] = "example.test. 300 IN SOA ns1.example.test. h.example.test. 1 1 1 1 1";
    f->server.mangle = -1;
    f->server.stop = eventfd(0, EFD_CLOEXEC);
    bind_both(&f->server);
    assert_int_equal(pthread_create(&f->server.thread, NULL, run, &f->server), 0);
    assert_null(open_with(arena_printf(f->arena, "127.0.0.1:%d", f->server.port), TOKEN, &f->dns));
}

static void end(struct fixture *f)
{
    (void)eventfd_write(f->server.stop, 1);
    pthread_join(f->server.thread, NULL);
    (void)close(f->server.stop);
    (void)close(f->server.stream);
    (void)close(f->server.datagrams);
    free(f->server.last_update);
    ops->close(f->dns);
    arena_free(f->arena);
}

/* ---- helpers ---- */

static void assert_fails(struct err *e, enum err_kind kind, const char *text, const char *hint)
{
    assert_null(e ? strstr(err_text(e), KEY) : NULL);
    assert_err(e, kind, text, hint);
}

static struct err *look(struct fixture *f, struct dns_record_set *set)
{
    return ops->record_get(&f->ctx, f->dns, f->arena, &zone, "www.example.test", "A", set);
}

static struct dns_record_set set_of(const char *type, const char **value, int64_t ttl_seconds)
{
    return (struct dns_record_set){.name = "www.example.test",
                                   .type = type,
                                   .ttl_seconds = ttl_seconds,
                                   .values = value,
                                   .count = *value ? 1 : 0};
}

static struct err *flip(struct fixture *f, const char *type, const char *from, const char *to)
{
    struct dns_record_set expected = set_of(type, &from, 60), wanted = set_of(type, &to, 60);
    const char *op = NULL;
    struct err *e = ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, &op);
    assert_null(op);
    return e;
}

static struct err *usual_flip(struct fixture *f)
{
    return flip(f, "A", "192.0.2.10", "192.0.2.20");
}

/* ---- opening ---- */

static void what_is_no_address_or_key_is_named_without_telling_the_key(void **state)
{
    (void)state;
    struct dns *dns = NULL;
    static const char *const tokens[] = {KEY,
                                         "rehost.key",
                                         "rehost.key:",
                                         ":" KEY,
                                         "rehost..key:" KEY,
                                         "rehost.key:not base64!",
                                         "hmac-md5:rehost.key:" KEY,
                                         "hmac-sha384:rehost.key:" KEY};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        assert_fails(open_with("127.0.0.1", tokens[i], &dns), ERR_INPUT, "account 'ours'", NULL);
    assert_fails(open_with("https://ns1.example.test", TOKEN, &dns), ERR_INPUT, "not the address",
                 "IP address");
    assert_fails(open_with(NULL, TOKEN, &dns), ERR_INPUT, "needs the server's address", "endpoint");
    static const char *const good[] = {"rehost.key:" KEY, "HMAC-SHA512:rehost.key.:" KEY, "hmac-sha1:k:" KEY};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_fine(open_with("[::1]:5353", good[i], &dns));
        ops->close(dns);
    }
}

/* ---- questions ---- */

static void zone_and_record_are_read(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    struct dns_record_set set = {0};
    begin(&f);
    assert_fine(ops->zone_find(&f.ctx, f.dns, f.arena, "a.b.www.example.test.", &found));
    assert_string_equal(found.name, "example.test");
    assert_int_equal(found.default_ttl_seconds, 300);
    assert_fine(look(&f, &set));
    assert_int_equal(set.count, 1);
    assert_string_equal(set.values[0], "192.0.2.10");
    assert_int_equal(set.ttl_seconds, 60);
    f.server.question.records[2] = NULL;
    assert_fails(ops->zone_find(&f.ctx, f.dns, f.arena, "www.example.test", &found), ERR_NOT_FOUND, "no zone",
                 KEY_NAME);
    end(&f);
}

static void an_answer_without_signature_is_not_trusted(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f);
    f.server.question.is_unsigned = true;
    assert_fails(look(&f, &set), ERR_TRUST, "not signed", NULL);
    assert_fails(usual_flip(&f), ERR_TRUST, "not signed", NULL);
    assert_int_equal(f.server.updates, 0);
    f.server.question.rcode = LDNS_RCODE_NXDOMAIN;
    assert_fails(look(&f, &set), ERR_TRUST, "not signed", NULL);
    end(&f);
}

static void an_answer_without_authority_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f);
    f.server.question.not_authoritative = true;
    assert_fails(look(&f, &set), ERR_REJECTED, "not authoritative", "primary");
    end(&f);
}

static void errors_of_keys_and_clocks_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        int tsig_error;
        const char *text, *hint;
    } cases[] = {{16, "BADSIG", "secret"}, {17, "BADKEY", "name and algorithm"}, {18, "BADTIME", "clocks"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct dns_record_set set = {0};
        begin(&f);
        f.server.question.rcode = f.server.update.rcode = LDNS_RCODE_NOTAUTH;
        f.server.question.tsig_error = f.server.update.tsig_error = cases[i].tsig_error;
        assert_fails(look(&f, &set), ERR_AUTH, cases[i].text, cases[i].hint);
        f.server.question = (struct reply){.records = {"www.example.test. 60 IN A 192.0.2.10"}};
        assert_fails(usual_flip(&f), ERR_AUTH, cases[i].text, cases[i].hint);
        end(&f);
    }
}

static void damaged_answers_are_passed_over_or_refused_but_never_believed(void **state)
{
    (void)state;
    struct fixture f;
    int refused = 0, passed_over = 0;
    begin(&f);
    for (f.server.mangle = 0; f.server.mangle < 3 * 200; f.server.mangle++) {
        struct dns_record_set set = {0};
        CLEANUP_ERR struct err *e = look(&f, &set);
        refused += e != NULL;
        passed_over += !e;
        if (!e) {
            assert_int_equal(set.count, 1);
            assert_string_equal(set.values[0], "192.0.2.10");
        }
    }
    assert_true(refused > 100 && passed_over > 100);
    end(&f);
}

/* ---- updates ---- */

static void an_update_holds_the_old_values_and_the_epoch_as_prerequisites(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_fine(usual_flip(&f));
    assert_string_equal(f.server.last_update, "www.example.test. 0 IN A 192.0.2.10\n"
                                              "www.example.test. 0 NONE CNAME \\# 0\n"
                                              "_rehost.example.test. 0 IN TXT \"epoch=41\"\n"
                                              "--\n"
                                              "www.example.test. 0 ANY A \\# 0\n"
                                              "www.example.test. 60 IN A 192.0.2.20\n"
                                              "_rehost.example.test. 0 ANY TXT \\# 0\n"
                                              "_rehost.example.test. 60 IN TXT \"epoch=42\"\n");
    end(&f);
}

static void what_is_made_must_not_exist_and_an_alias_needs_the_name_for_itself(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.server.question.records[0] = NULL;
    assert_fine(flip(&f, "CNAME", NULL, "shop.example.test"));
    assert_string_equal(f.server.last_update, "www.example.test. 0 NONE ANY \\# 0\n"
                                              "_rehost.example.test. 0 NONE TXT \\# 0\n"
                                              "--\n"
                                              "www.example.test. 0 ANY CNAME \\# 0\n"
                                              "www.example.test. 60 IN CNAME shop.example.test.\n"
                                              "_rehost.example.test. 0 ANY TXT \\# 0\n"
                                              "_rehost.example.test. 60 IN TXT \"epoch=1\"\n");
    assert_fine(flip(&f, "AAAA", NULL, "2001:db8::1"));
    assert_non_null(strstr(f.server.last_update,
                           "www.example.test. 0 NONE AAAA \\# 0\nwww.example.test. 0 NONE CNAME \\# 0\n"));
    end(&f);
}

static void what_is_as_wanted_is_not_sent(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_fine(flip(&f, "A", "192.0.2.1", "192.0.2.10"));
    assert_fails(flip(&f, "A", "192.0.2.1", "192.0.2.20"), ERR_CONFLICT, "found '192.0.2.10'", NULL);
    assert_int_equal(f.server.updates, 0);
    end(&f);
}

static void an_epoch_that_is_none_is_left_alone(void **state)
{
    (void)state;
    static const char *const others[] = {
        "_rehost.example.test. 60 IN TXT \"hands off\"", "_rehost.example.test. 60 IN TXT \"epoch=\"",
        "_rehost.example.test. 60 IN TXT \"epoch=-4\"", "_rehost.example.test. 60 IN TXT \"epoch=4 \"",
        "_rehost.example.test. 60 IN TXT \"epoch=99999999999999999999\""};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        f.server.question.records[1] = others[i];
        assert_fails(usual_flip(&f), ERR_REJECTED, "_rehost.example.test", NULL);
    }
    assert_int_equal(f.server.updates, 0);
    end(&f);
}

static void the_servers_codes_have_their_kinds(void **state)
{
    (void)state;
    static const struct {
        ldns_pkt_rcode rcode;
        enum err_kind kind;
    } cases[] = {{LDNS_RCODE_SERVFAIL, ERR_TRANSIENT}, {LDNS_RCODE_REFUSED, ERR_AUTH},
                 {LDNS_RCODE_NOTAUTH, ERR_AUTH},       {LDNS_RCODE_NOTIMPL, ERR_REJECTED},
                 {LDNS_RCODE_NOTZONE, ERR_REJECTED},   {LDNS_RCODE_FORMERR, ERR_REJECTED}};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f.server.update.rcode = cases[i].rcode;
        f.server.update.is_unsigned = false;
        assert_fails(usual_flip(&f), cases[i].kind, "change of 'www.example.test' A", NULL);
        f.server.update.is_unsigned = true;
        assert_fails(usual_flip(&f), cases[i].kind, "key '" KEY_NAME "'", NULL);
    }
    end(&f);
}

static void a_refused_prerequisite_is_explained_by_a_second_look(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.server.update.rcode = LDNS_RCODE_NXRRSET; /* though the old value is still there, and the epoch */
    assert_fails(usual_flip(&f), ERR_REJECTED, "does not exist", "wildcard");
    f.server.question.records[0] = NULL;
    f.server.update.rcode = LDNS_RCODE_YXRRSET;
    assert_fails(flip(&f, "A", NULL, "192.0.2.20"), ERR_REJECTED, "CNAME", NULL);
    end(&f);
}

static void an_update_without_answer_is_an_unknown_outcome_within_the_deadline(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.server.update.silent = true;
    f.ctx = ctx_with_timeout(&f.ctx, 300);
    int64_t begin_ms = clock_boot_ms();
    assert_fails(usual_flip(&f), ERR_UNKNOWN_OUTCOME, "change of 'www.example.test' A", NULL);
    assert_true(clock_boot_ms() - begin_ms < 5000);
    assert_int_equal(f.server.updates, 1);
    end(&f);
}

static void a_success_without_signature_is_an_unknown_outcome(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.server.update.is_unsigned = true;
    assert_fails(usual_flip(&f), ERR_UNKNOWN_OUTCOME, "not signed", NULL);
    end(&f);
}

static void nothing_is_sent_when_the_server_cannot_be_reached(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    (void)close(f.server.stream);
    f.server.stream = -1;
    assert_fails(usual_flip(&f), ERR_TRANSIENT, NULL, NULL);
    assert_int_equal(f.server.updates, 0);
    end(&f);
}

static void a_silent_server_is_transient_and_a_cancel_ends_the_wait(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    int cancel = eventfd(1, EFD_CLOEXEC);
    begin(&f);
    f.server.question.silent = true;
    f.ctx.cancel_fd = cancel;
    assert_fails(look(&f, &set), ERR_CANCELLED, NULL, NULL);
    f.ctx.cancel_fd = -1;
    assert_fails(look(&f, &set), ERR_TRANSIENT, "does not answer", NULL);
    end(&f);
    (void)close(cancel);
}

static void names_outside_the_zone_and_other_types_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    const char *value = "192.0.2.1", *op = NULL;
    begin(&f);
    struct dns_record_set outside = {.name = "www.example.org", .type = "A", .values = &value, .count = 1};
    assert_fails(ops->record_set_if(&f.ctx, f.dns, f.arena, &zone, &outside, &outside, &op), ERR_INPUT,
                 "does not lie in the zone", NULL);
    assert_fails(flip(&f, "MX", NULL, "10 mail.example.test"), ERR_INPUT, "only A, AAAA, CNAME and TXT",
                 NULL);
    assert_fails(flip(&f, "A", "192.0.2.10", "192.0.2.300"), ERR_INPUT, "not a value", NULL);
    assert_int_equal(f.server.updates, 0);
    end(&f);
}

int main(void)
{
    ops = dns_find("rfc2136");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_address_or_key_is_named_without_telling_the_key),
        cmocka_unit_test(zone_and_record_are_read),
        cmocka_unit_test(an_answer_without_signature_is_not_trusted),
        cmocka_unit_test(an_answer_without_authority_is_refused),
        cmocka_unit_test(errors_of_keys_and_clocks_are_told_apart),
        cmocka_unit_test(damaged_answers_are_passed_over_or_refused_but_never_believed),
        cmocka_unit_test(an_update_holds_the_old_values_and_the_epoch_as_prerequisites),
        cmocka_unit_test(what_is_made_must_not_exist_and_an_alias_needs_the_name_for_itself),
        cmocka_unit_test(what_is_as_wanted_is_not_sent),
        cmocka_unit_test(an_epoch_that_is_none_is_left_alone),
        cmocka_unit_test(the_servers_codes_have_their_kinds),
        cmocka_unit_test(a_refused_prerequisite_is_explained_by_a_second_look),
        cmocka_unit_test(an_update_without_answer_is_an_unknown_outcome_within_the_deadline),
        cmocka_unit_test(a_success_without_signature_is_an_unknown_outcome),
        cmocka_unit_test(nothing_is_sent_when_the_server_cannot_be_reached),
        cmocka_unit_test(a_silent_server_is_transient_and_a_cancel_ends_the_wait),
        cmocka_unit_test(names_outside_the_zone_and_other_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
