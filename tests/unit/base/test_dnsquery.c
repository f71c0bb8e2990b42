/* DNS questions to a real BIND, and to servers that stay silent or lie. */
#include "tests/unit/base/sshd_fixture.h"

#include "base/clock.h"
#include "base/dnsquery.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

static struct arena *shared_arena;
static char *dir, *server;
static int named_port;
static pid_t named_pid;

static const char zone_text[] = "$TTL 300\n"
                                "@ SOA ns1.example.test. hostmaster.example.test. 41 3600 600 86400 60\n"
                                "@ NS ns1\n@ NS NS2\n@ TXT \"epoch=41\"\n"
                                "ns1 A 127.0.0.1\nns2 A 127.0.0.1\n"
                                "www 60 A 192.0.2.20\nwww 60 A 192.0.2.10\nwww 120 AAAA 2001:db8::1\n"
                                "alias CNAME other\nother CNAME www\n"
                                "outside CNAME www.elsewhere.test.\n"
                                "long TXT \"first \" \"second\"\n"
                                "odd TXT \"quote \\\" and backslash \\\\\"\n"
                                "child NS ns.elsewhere.test.\n";

/* A port that is free for UDP and TCP. */
static int free_port_for_both(void)
{
    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int port = free_port(), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        address.sin_port = htons((uint16_t)port);
        int failed = bind(fd, (struct sockaddr *)&address, sizeof(address));
        close(fd);
        if (!failed)
            return port;
    }
}

static int start_named(void **state)
{
    (void)state;
    shared_arena = arena_new(0);
    dir = make_temp_dir(shared_arena);
    named_port = free_port_for_both();
    server = arena_printf(shared_arena, "127.0.0.1:%d", named_port);
    char *config = arena_printf(shared_arena, "%s/named.conf", dir);
    CLEANUP_STRBUF struct strbuf zone;
    strbuf_init(&zone, 0);
    strbuf_adds(&zone, zone_text);
    for (int i = 1; i <= 100; i++)
        strbuf_addf(&zone, "many TXT \"a rather long text that fills the answer number %d\"\n", i);
    write_text(arena_printf(shared_arena, "%s/zone", dir), zone.data, 0644);
    write_text(config,
               arena_printf(shared_arena,
                            "options { directory \"%s\"; listen-on port %d { 127.0.0.1; }; listen-on-v6 { "
                            "none; }; recursion no;\n"
                            "pid-file none; session-keyfile none; lock-file none; dnssec-validation no; "
                            "empty-zones-enable no; };\n"
                            "controls { };\nzone \"example.test\" { type primary; file \"%s/zone\"; };\n",
                            dir, named_port, dir),
               0644);
    const char *argv[] = {"/usr/sbin/named", "-g", "-c", config, "-n", "1", NULL};
    named_pid = spawn(argv, arena_printf(shared_arena, "%s/log", dir));
    wait_for_port(named_port);
    return 0;
}

static int stop_named(void **state)
{
    (void)state;
    stop(named_pid);
    remove_dir(dir);
    arena_free(shared_arena);
    return 0;
}

static struct err *ask(const char *at, const char *name, const char *type, struct dns_answer *answer)
{
    struct ctx ctx = seconds(20);
    return dnsquery_ask(&ctx, shared_arena, at, name, type, false, answer);
}

static void every_type_comes_back_sorted_with_its_ttl(void **state)
{
    (void)state;
    struct dns_answer answer;
    check_ok(ask(server, "www.example.test", "A", &answer));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.values[0], "192.0.2.10");
    assert_string_equal(answer.values[1], "192.0.2.20");
    assert_int_equal(answer.ttl_seconds, 60);
    assert_true(answer.authoritative);
    check_ok(ask(server, "WWW.Example.Test.", "aaaa", &answer));
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.values[0], "2001:db8::1");
    check_ok(ask(server, "example.test", "NS", &answer));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.values[0], "ns1.example.test");
    assert_string_equal(answer.values[1], "ns2.example.test");
    check_ok(ask(server, "example.test", "SOA", &answer));
    assert_string_equal(answer.values[0], "ns1.example.test hostmaster.example.test 41 3600 600 86400 60");
    check_ok(ask(server, "example.test", "TXT", &answer));
    assert_string_equal(answer.values[0], "epoch=41");
    check_ok(ask(server, "long.example.test", "TXT", &answer));
    assert_string_equal(answer.values[0], "first second");
    check_ok(ask(server, "odd.example.test", "TXT", &answer));
    assert_string_equal(answer.values[0], "quote \" and backslash \\");
}

static void aliases_are_followed_and_can_be_asked_for(void **state)
{
    (void)state;
    struct dns_answer answer;
    check_ok(ask(server, "alias.example.test", "A", &answer));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.values[0], "192.0.2.10");
    check_ok(ask(server, "alias.example.test", "CNAME", &answer));
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.values[0], "other.example.test");
    check_kind(ask(server, "outside.example.test", "A", &answer), ERR_NOT_FOUND);
}

static void a_parent_tells_of_a_delegation(void **state)
{
    (void)state;
    struct dns_answer answer;
    check_ok(ask(server, "child.example.test", "NS", &answer));
    assert_string_equal(answer.values[0], "ns.elsewhere.test");
    assert_false(answer.authoritative);
}

static void what_does_not_exist_is_not_found(void **state)
{
    (void)state;
    struct dns_answer answer;
    check_kind(ask(server, "nothing.example.test", "A", &answer), ERR_NOT_FOUND);
    check_kind(ask(server, "ns1.example.test", "AAAA", &answer), ERR_NOT_FOUND);
}

static void a_refusal_is_transient(void **state)
{
    (void)state;
    struct dns_answer answer;
    struct err *e = ask(server, "www.elsewhere.test", "A", &answer);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "REFUSED"));
    check_kind(e, ERR_TRANSIENT);
}

static void an_answer_too_long_for_a_datagram_is_fetched_by_tcp(void **state)
{
    (void)state;
    struct dns_answer answer;
    check_ok(ask(server, "many.example.test", "TXT", &answer));
    assert_int_equal(answer.count, 100);
    assert_string_equal(answer.values[0], "a rather long text that fills the answer number 1");
}

static void wrong_input_is_named(void **state)
{
    (void)state;
    struct dns_answer answer;
    static const char *const servers[] = {"ns1.example.test", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999",
                                          "127.0.0.1:5x",     "[::1",       "[::1]x",      "",
                                          "1.2.3.4.5"};
    for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++)
        check_kind(ask(servers[i], "www.example.test", "A", &answer), ERR_INPUT);
    check_kind(ask(server, "www.example.test", "MX", &answer), ERR_INPUT);
    check_kind(ask(server, "www..example.test", "A", &answer), ERR_INPUT);
    check_kind(ask(server, "", "A", &answer), ERR_INPUT);
}

/* --- servers that misbehave --- */

/* A UDP socket of the test; the thread gets each datagram. */
struct peer {
    int fd, port, stop_fd;
    int seen;
    pthread_t thread;
    void (*serve)(struct peer *peer, const uint8_t *data, size_t length, const struct sockaddr_in *from);
};

static void *peer_thread(void *arg)
{
    struct peer *peer = arg;
    uint8_t data[4096];
    for (;;) {
        struct pollfd fds[] = {{.fd = peer->fd, .events = POLLIN}, {.fd = peer->stop_fd, .events = POLLIN}};
        struct sockaddr_in from;
        socklen_t size = sizeof(from);
        if (poll(fds, 2, -1) < 0 || fds[1].revents)
            return NULL;
        ssize_t got = recvfrom(peer->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
        peer->seen++;
        if (got > 0 && peer->serve)
            peer->serve(peer, data, (size_t)got, &from);
    }
}

static char *peer_start(struct peer *peer, void (*serve)(struct peer *peer, const uint8_t *data,
                                                         size_t length, const struct sockaddr_in *from))
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *peer = (struct peer){.serve = serve,
                          .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          .stop_fd = eventfd(0, EFD_CLOEXEC)};
    assert_return_code(bind(peer->fd, (struct sockaddr *)&address, size), 0);
    assert_return_code(getsockname(peer->fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_thread, peer), 0);
    return arena_printf(shared_arena, "127.0.0.1:%d", ntohs(address.sin_port));
}

static void peer_stop(struct peer *peer)
{
    (void)eventfd_write(peer->stop_fd, 1);
    pthread_join(peer->thread, NULL);
    close(peer->fd);
    close(peer->stop_fd);
}

static void a_silent_server_is_asked_three_times_and_then_transient(void **state)
{
    (void)state;
    struct peer peer;
    struct dns_answer answer;
    char *at = peer_start(&peer, NULL);
    int64_t begin_ms = clock_boot_ms();
    check_kind(ask(at, "www.example.test", "A", &answer), ERR_TRANSIENT);
    assert_true(clock_boot_ms() - begin_ms < 15000);
    peer_stop(&peer);
    assert_int_equal(peer.seen, 3);
}

static void the_deadline_of_the_context_is_a_timeout(void **state)
{
    (void)state;
    struct peer peer;
    struct dns_answer answer;
    struct ctx background = ctx_background(), brief = ctx_with_timeout(&background, 200);
    char *at = peer_start(&peer, NULL);
    check_kind(dnsquery_ask(&brief, shared_arena, at, "www.example.test", "A", false, &answer), ERR_TIMEOUT);
    peer_stop(&peer);
}

static void a_cancel_ends_the_wait(void **state)
{
    (void)state;
    struct peer peer;
    struct dns_answer answer;
    CLEANUP_FD int cancel = eventfd(1, EFD_CLOEXEC);
    struct ctx ctx = seconds(20);
    ctx.cancel_fd = cancel;
    char *at = peer_start(&peer, NULL);
    check_kind(dnsquery_ask(&ctx, shared_arena, at, "www.example.test", "A", false, &answer), ERR_CANCELLED);
    peer_stop(&peer);
}

static void a_port_without_server_is_transient_at_once(void **state)
{
    (void)state;
    struct dns_answer answer;
    char *at = arena_printf(shared_arena, "127.0.0.1:%d", free_port_for_both());
    int64_t begin_ms = clock_boot_ms();
    check_kind(ask(at, "www.example.test", "A", &answer), ERR_TRANSIENT);
    assert_true(clock_boot_ms() - begin_ms < 5000);
}

/* What BIND answers to this datagram. */
static size_t ask_bind(const uint8_t *data, size_t length, uint8_t *reply, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)named_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
    (void)send(fd, data, length, 0);
    ssize_t got = recv(fd, reply, size, 0);
    return got > 0 ? (size_t)got : 0;
}

static void lose_the_first(struct peer *peer, const uint8_t *data, size_t length,
                           const struct sockaddr_in *from)
{
    uint8_t reply[4096];
    if (peer->seen == 1)
        return;
    size_t got = ask_bind(data, length, reply, sizeof(reply));
    (void)sendto(peer->fd, reply, got, 0, (const struct sockaddr *)from, sizeof(*from));
}

static void a_lost_datagram_is_sent_again(void **state)
{
    (void)state;
    struct peer peer;
    struct dns_answer answer;
    char *at = peer_start(&peer, lose_the_first);
    check_ok(ask(at, "www.example.test", "AAAA", &answer));
    assert_string_equal(answer.values[0], "2001:db8::1");
    peer_stop(&peer);
    assert_int_equal(peer.seen, 2);
}

/* Three wrong answers, then the right one. */
static void lie_first(struct peer *peer, const uint8_t *data, size_t length, const struct sockaddr_in *from)
{
    uint8_t reply[4096] = {0}, lie[4096];
    size_t got = ask_bind(data, length, reply, sizeof(reply));
    if (got < 32)
        return;
    memcpy(lie, reply, got);
    lie[1] ^= 1; /* another id */
    lie[got - 12] ^= 1;
    (void)sendto(peer->fd, lie, got, 0, (const struct sockaddr *)from, sizeof(*from));
    memcpy(lie, reply, got);
    lie[13] ^= 1; /* another name in the question */
    (void)sendto(peer->fd, lie, got, 0, (const struct sockaddr *)from, sizeof(*from));
    (void)sendto(peer->fd, "garbage", 7, 0, (const struct sockaddr *)from, sizeof(*from));
    (void)sendto(peer->fd, data, length, 0, (const struct sockaddr *)from,
                 sizeof(*from)); /* no answer: the question itself */
    (void)sendto(peer->fd, reply, got, 0, (const struct sockaddr *)from, sizeof(*from));
}

static void answers_to_other_questions_are_ignored(void **state)
{
    (void)state;
    struct peer peer;
    struct dns_answer answer;
    char *at = peer_start(&peer, lie_first);
    check_ok(ask(at, "www.example.test", "AAAA", &answer));
    assert_string_equal(answer.values[0], "2001:db8::1");
    peer_stop(&peer);
    assert_int_equal(peer.seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_sorted_with_its_ttl),
        cmocka_unit_test(aliases_are_followed_and_can_be_asked_for),
        cmocka_unit_test(a_parent_tells_of_a_delegation),
        cmocka_unit_test(what_does_not_exist_is_not_found),
        cmocka_unit_test(a_refusal_is_transient),
        cmocka_unit_test(an_answer_too_long_for_a_datagram_is_fetched_by_tcp),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(a_silent_server_is_asked_three_times_and_then_transient),
        cmocka_unit_test(the_deadline_of_the_context_is_a_timeout),
        cmocka_unit_test(a_cancel_ends_the_wait),
        cmocka_unit_test(a_port_without_server_is_transient_at_once),
        cmocka_unit_test(a_lost_datagram_is_sent_again),
        cmocka_unit_test(answers_to_other_questions_are_ignored),
    };
    return cmocka_run_group_tests(tests, start_named, stop_named);
}
