/* SSH against a real sshd, and against peers that misbehave. */
#include "tests/unit/base/sshd_fixture.h"

#include "base/clock.h"
#include "base/hash.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_WATCHED
#endif
#ifdef LEAKS_ARE_WATCHED
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() (void)0
#define __lsan_enable() (void)0
#endif

#define MIB (1u << 20)

static struct sshd *shared;

static int start_shared(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    check_ok(ssh_global_init());
    shared = sshd_start(NULL);
    return 0;
}

static int stop_shared(void **state)
{
    (void)state;
    sshd_stop(shared);
    return 0;
}

static struct ssh *connect_to(const struct sshd *sshd)
{
    struct ctx ctx = seconds(20);
    struct ssh *ssh = NULL;
    check_ok(ssh_connect(&ctx, &sshd->target, &ssh));
    return ssh;
}

static char *pattern(struct arena *arena, size_t length)
{
    char *data = arena_alloc(arena, length);
    uint32_t x = 1;
    for (size_t i = 0; i < length; i++, x = x * 1664525 + 1013904223)
        data[i] = (char)(x >> 24);
    return data;
}

/* --- keys --- */

static void a_key_that_we_made_is_read_by_ssh_keygen(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *dir = make_temp_dir(arena), *path = arena_printf(arena, "%s/key", dir);
    const char *comments[] = {"", "a", "web-1 recovery 2026-11-20", "1234567"};
    for (size_t i = 0; i < sizeof(comments) / sizeof(*comments); i++) {
        CLEANUP_SECRET struct secret *private = NULL;
        char *public = NULL, *again = NULL;
        check_ok(ssh_make_key(arena, comments[i], &private, &public));
        check_ok(ssh_public_key(arena, private, &again));
        assert_string_equal(public, again);
        write_text(path, secret_text(private), 0600);
        const char *argv[] = {"ssh-keygen", "-y", "-f", path, NULL};
        struct ctx ctx = seconds(20);
        CLEANUP_STRBUF struct strbuf out, errout;
        struct proc_result result;
        strbuf_init(&out, 4096);
        strbuf_init(&errout, 4096);
        check_ok(proc_run(&ctx, argv, NULL, 0, &out, &errout, &result));
        assert_int_equal(result.exit_status, 0);
        strbuf_trim(&out);
        char *expected = *comments[i] ? arena_printf(arena, "%s %s", public, comments[i]) : public;
        assert_string_equal(out.data, expected);
    }
    remove_dir(dir);
}

static void run_tool(const char *const argv[])
{
    struct ctx ctx = seconds(20);
    struct proc_result result;
    check_ok(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result));
    assert_int_equal(result.exit_status, 0);
}

static void keys_of_ssh_keygen_and_openssl_are_read_and_others_are_named(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *dir = make_temp_dir(arena), *path = arena_printf(arena, "%s/key", dir), *public = NULL;
    const char *good[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};
    const char *pem[] = {"openssl", "genpkey", "-algorithm", "ed25519", "-out", path, NULL};
    const char *rsa[] = {"ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", path, NULL};
    const char *locked[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path, NULL};
    const struct {
        const char *const *argv;
        bool usable;
        const char *why;
    } cases[] = {{good, true, NULL},
                 {pem, true, NULL},
                 {rsa, false, "not of the type ed25519"},
                 {locked, false, "passphrase"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CLEANUP_SECRET struct secret *private = NULL;
        (void)unlink(path);
        run_tool(cases[i].argv);
        check_ok(secret_read_file(path, &private));
        struct err *e = ssh_public_key(arena, private, &public);
        if (cases[i].usable) {
            check_ok(e);
            assert_memory_equal(public, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", 37);
        } else {
            assert_non_null(e);
            assert_non_null(strstr(err_text(e), cases[i].why));
            check_kind(e, ERR_INPUT);
        }
    }
    remove_dir(dir);
}

static void a_damaged_key_is_refused(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *text = secret_text(shared->user_key);
    size_t length = strlen(text);
    for (size_t cut = 0; cut < length - 2; cut += 7) {
        CLEANUP_SECRET struct secret *damaged = NULL;
        char *public = NULL;
        check_ok(secret_new(text, cut ? cut : 1, &damaged));
        check_kind(ssh_public_key(arena, damaged, &public), ERR_INPUT);
    }
}

/* --- trust and login --- */

static void the_right_key_logs_in_and_runs_a_command(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(20);
    struct ssh_result result;
    assert_string_equal(ssh_host_key(ssh), shared->host_key);
    check_ok(ssh_exec(&ctx, ssh, arena, "id -un; echo oops >&2; exit 7", NULL, 0, 0, &result));
    assert_string_equal(result.out, "root\n");
    assert_string_equal(result.errout, "oops\n");
    assert_int_equal(result.exit_status, 7);
    assert_null(result.exit_signal);
    check_ok(ssh_exec(&ctx, ssh, arena, "cat", "a\0b", 3, 0, &result));
    assert_int_equal(result.out_length, 3);
    assert_memory_equal(result.out, "a\0b", 3);
}

static void a_pem_key_logs_in_too(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *path = arena_printf(arena, "%s/pem", shared->dir), *public = NULL;
    const char *argv[] = {"openssl", "genpkey", "-algorithm", "ed25519", "-out", path, NULL};
    run_tool(argv);
    CLEANUP_SECRET struct secret *private = NULL;
    check_ok(secret_read_file(path, &private));
    check_ok(ssh_public_key(arena, private, &public));
    char *authorized = arena_printf(arena, "%s/authorized", shared->dir), *old = NULL;
    size_t length = 0;
    check_ok(fs_read_file(arena, authorized, 65536, &old, &length));
    write_text(authorized, arena_printf(arena, "%s\n%s\n", old, public), 0644);
    struct ssh_target target = shared->target;
    target.private_key = private;
    CLEANUP_SSH struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    check_ok(ssh_connect(&ctx, &target, &ssh));
}

static void another_host_key_ends_it_before_any_login_attempt(void **state)
{
    (void)state;
    struct sshd *sshd = sshd_start(NULL);
    struct secret *other = NULL;
    char *public = NULL;
    check_ok(ssh_make_key(sshd->arena, "other", &other, &public));
    secret_keep(sshd->arena, other);
    struct ssh_target target = sshd->target;
    target.host_key = arena_printf(sshd->arena, "%s with a comment", public);
    struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    check_kind(ssh_connect(&ctx, &target, &ssh), ERR_TRUST);
    assert_null(ssh);
    /* A good login afterwards: its line in the log shows that the log would have told of the first. */
    ssh_close(connect_to(sshd));
    char *log = read_log(sshd), *accepted = strstr(log, "Accepted publickey");
    assert_non_null(accepted);
    assert_null(strstr(accepted + 1, "Accepted publickey"));
    char *key_seen = strstr(log, "Accepted key");
    assert_true(!key_seen || !strstr(key_seen + 1, "Failed publickey"));
    assert_non_null(strstr(log, "[preauth]")); /* the first one left before login */
    assert_null(strstr(log, "Failed publickey"));
    sshd_stop(sshd);
}

static void without_a_known_host_key_nothing_is_tried_unless_asked_for(void **state)
{
    (void)state;
    struct ssh_target target = shared->target;
    struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    target.host_key = NULL;
    check_kind(ssh_connect(&ctx, &target, &ssh), ERR_TRUST);
    target.host_key = "ssh-rsa AAAA";
    check_kind(ssh_connect(&ctx, &target, &ssh), ERR_INPUT);
    target.host_key = NULL;
    target.trust_first_use = true;
    check_ok(ssh_connect(&ctx, &target, &ssh));
    assert_string_equal(ssh_host_key(ssh), shared->host_key);
    ssh_close(ssh);
}

static void a_refused_user_key_is_an_auth_error(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SECRET struct secret *stranger = NULL;
    char *public = NULL;
    check_ok(ssh_make_key(arena, "stranger", &stranger, &public));
    struct ssh_target target = shared->target;
    target.private_key = stranger;
    struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    check_kind(ssh_connect(&ctx, &target, &ssh), ERR_AUTH);
}

static void a_server_without_common_algorithms_is_rejected_with_a_hint(void **state)
{
    (void)state;
    struct sshd *sshd = sshd_start("Ciphers chacha20-poly1305@openssh.com\n");
    struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    struct err *e = ssh_connect(&ctx, &sshd->target, &ssh);
    assert_non_null(e);
    assert_non_null(strstr(err_hint(e), "aes-ctr"));
    check_kind(e, ERR_REJECTED);
    sshd_stop(sshd);
}

static void a_refused_connection_is_transient(void **state)
{
    (void)state;
    struct ssh_target target = shared->target;
    target.port = free_port();
    struct ssh *ssh = NULL;
    struct ctx ctx = seconds(20);
    check_kind(ssh_connect(&ctx, &target, &ssh), ERR_TRANSIENT);
}

/* --- commands --- */

static void a_killed_command_is_reported_with_its_signal(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(20);
    struct ssh_result result;
    check_ok(ssh_exec(&ctx, ssh, arena, "kill -9 $$", NULL, 0, 0, &result));
    assert_int_equal(result.exit_status, -1);
    assert_string_equal(result.exit_signal, "KILL");
    struct err *e = ssh_run(&ctx, ssh, arena, "echo last words >&2; kill -TERM $$", NULL, 0, &result);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "SIGTERM: last words"));
    check_kind(e, ERR_REMOTE);
}

static void a_failed_run_tells_the_last_lines_of_stderr(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(20);
    struct err *e = ssh_run(&ctx, ssh, arena, "seq 1 10000 >&2; exit 3", NULL, 0, NULL);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "status 3"));
    assert_non_null(strstr(err_text(e), "\n9999\n10000"));
    assert_null(strstr(err_text(e), "\n5000\n"));
    check_kind(e, ERR_REMOTE);
    check_ok(ssh_run(&ctx, ssh, arena, "true", NULL, 0, NULL));
}

static void twenty_megabytes_on_both_outputs_at_once_arrive_whole(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(120);
    struct ssh_result result;
    check_ok(ssh_exec(&ctx, ssh, arena,
                      "head -c 20971520 /dev/zero & head -c 20971520 /dev/zero | tr '\\0' e >&2; wait", NULL,
                      0, 32 * MIB, &result));
    assert_int_equal(result.exit_status, 0);
    assert_int_equal(result.out_length, 20 * MIB);
    assert_int_equal(result.errout_length, 20 * MIB);
    assert_null(memchr(result.out, 'e', result.out_length));
    assert_null(memchr(result.errout, 0, result.errout_length));
}

static void twenty_megabytes_of_input_arrive_whole(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(120);
    struct ssh_result result;
    char *data = pattern(arena, 20 * MIB), hex[HASH_SHA256_HEX_SIZE];
    check_ok(ssh_run(&ctx, ssh, arena, "sha256sum", data, 20 * MIB, &result));
    assert_memory_equal(result.out, hash_sha256_hex(data, 20 * MIB, hex), 64);
}

static void rekeying_in_the_middle_of_both_directions_loses_nothing(void **state)
{
    (void)state;
    struct sshd *sshd = sshd_start("RekeyLimit 1M\n");
    __lsan_disable(); /* libssh2 1.10 forgets the old copy of the host key at each key exchange, 51 bytes */
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(sshd);
    struct ctx ctx = seconds(120);
    struct ssh_result result;
    char *data = pattern(arena, 20 * MIB);
    check_ok(ssh_exec(&ctx, ssh, arena, "cat", data, 20 * MIB, 32 * MIB, &result));
    __lsan_enable();
    assert_int_equal(result.out_length, 20 * MIB);
    assert_memory_equal(result.out, data, 20 * MIB);
    sshd_stop(sshd);
}

static void a_command_that_ignores_its_input_ends_well(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_result result;
    char *data = pattern(arena, 8 * MIB);
    check_ok(ssh_exec(&ctx, ssh, arena, "exit 4", data, 8 * MIB, 0, &result));
    assert_int_equal(result.exit_status, 4);
    check_ok(ssh_run(&ctx, ssh, arena, "true", NULL, 0, NULL));
}

static void a_command_that_closes_its_output_first_still_gets_its_input_and_its_status(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_result result;
    char *data = pattern(arena, 8 * MIB), *path = arena_printf(arena, "%s/late", shared->dir), *back = NULL;
    size_t length = 0;
    check_ok(ssh_exec(&ctx, ssh, arena, arena_printf(arena, "exec >&- 2>&-; cat >%s; exit 9", path), data,
                      8 * MIB, 0, &result));
    assert_int_equal(result.exit_status, 9);
    check_ok(fs_read_file(arena, path, 16 * MIB, &back, &length));
    assert_int_equal(length, 8 * MIB);
    assert_memory_equal(back, data, length);
}

static void too_much_output_ends_the_command(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_result result;
    check_kind(ssh_exec(&ctx, ssh, arena, "yes", NULL, 0, 100000, &result), ERR_REMOTE);
    check_ok(ssh_exec(&ctx, ssh, arena, "head -c 100000 /dev/zero", NULL, 0, 100000, &result));
    assert_int_equal(result.out_length, 100000);
}

static void a_streaming_channel_holds_a_conversation(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_channel *channel = NULL;
    CLEANUP_STRBUF struct strbuf out, in, errin;
    strbuf_init(&out, 0);
    strbuf_init(&in, 4096);
    strbuf_init(&errin, 4096);
    bool eof = false;
    check_ok(ssh_channel_open(&ctx, ssh, "while read -r line; do echo \"<$line>\"; echo e >&2; done; exit 5",
                              &channel));
    check_ok(
        ssh_channel_pump(&ctx, channel, &out, &in, &errin, 0, &eof)); /* nothing to do: comes back at once */
    assert_false(eof);
    for (int i = 0; i < 50; i++) {
        char *expected = arena_printf(arena, "<line %d>\n", i);
        strbuf_addf(&out, "line %d\n", i);
        while (in.length < strlen(expected))
            check_ok(ssh_channel_pump(&ctx, channel, &out, &in, &errin, -1, &eof));
        assert_string_equal(in.data, expected);
        assert_int_equal(out.length, 0);
        strbuf_reset(&in);
    }
    check_ok(ssh_channel_send_eof(&ctx, channel));
    while (!eof)
        check_ok(ssh_channel_pump(&ctx, channel, &out, &in, &errin, -1, &eof));
    assert_int_equal(errin.length, 100);
    int status = 0;
    const char *signal_name = NULL;
    check_ok(ssh_channel_finish(&ctx, channel, arena, &status, &signal_name));
    assert_int_equal(status, 5);
    assert_null(signal_name);
}

static void a_full_buffer_makes_the_far_side_wait_and_nothing_is_lost(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_channel *channel = NULL;
    CLEANUP_STRBUF struct strbuf out, in, errin;
    strbuf_init(&out, 0);
    strbuf_init(&in, 10000);
    strbuf_init(&errin, 4096);
    bool eof = false;
    size_t total = 0;
    check_ok(ssh_channel_open(&ctx, ssh, "head -c 5000000 /dev/zero", &channel));
    while (!eof) {
        check_ok(ssh_channel_pump(&ctx, channel, &out, &in, &errin, -1, &eof));
        assert_false(in.overflowed);
        total += in.length;
        strbuf_reset(&in);
    }
    assert_int_equal(total, 5000000);
    int status = -1;
    const char *signal_name = NULL;
    check_ok(ssh_channel_finish(&ctx, channel, arena, &status, &signal_name));
    assert_int_equal(status, 0);
}

static void the_session_goes_on_after_a_command_that_took_too_long(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(20), brief = ctx_with_timeout(&ctx, 300);
    struct ssh_result result;
    check_kind(ssh_exec(&brief, ssh, arena, "exec sleep 600", NULL, 0, 0, &result), ERR_TIMEOUT);
    check_ok(ssh_exec(&ctx, ssh, arena, "echo again; pkill -x -f 'sleep 600'", NULL, 0, 0, &result));
    assert_string_equal(result.out, "again\n");
}

/* --- cancel and lost links --- */

/* Opens a channel on a command that first tells the pid of its sshd, and returns that pid. */
static pid_t open_with_pid(const struct ctx *ctx, struct ssh *ssh, const char *command,
                           struct ssh_channel **channel)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_STRBUF struct strbuf out, in, errin;
    strbuf_init(&out, 0);
    strbuf_init(&in, 4096);
    strbuf_init(&errin, 4096);
    bool eof = false;
    check_ok(ssh_channel_open(ctx, ssh, arena_printf(arena, "echo $PPID; %s", command), channel));
    while (!strchr(in.data, '\n'))
        check_ok(ssh_channel_pump(ctx, *channel, &out, &in, &errin, -1, &eof));
    return (pid_t)strtol(in.data, NULL, 10);
}

static struct err *pump_until_error(const struct ctx *ctx, struct ssh_channel *channel)
{
    CLEANUP_STRBUF struct strbuf out, in, errin;
    strbuf_init(&out, 0);
    strbuf_init(&in, 4096);
    strbuf_init(&errin, 4096);
    bool eof = false;
    while (!eof)
        TRY(ssh_channel_pump(ctx, channel, &out, &in, &errin, -1, &eof));
    return NULL;
}

static void a_cancel_ends_the_wait(void **state)
{
    (void)state;
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    CLEANUP_FD int cancel = eventfd(0, EFD_CLOEXEC);
    struct ctx ctx = seconds(60);
    ctx.cancel_fd = cancel;
    struct ssh_channel *channel = NULL;
    (void)open_with_pid(&ctx, ssh, "exec sleep 70", &channel);
    assert_return_code(eventfd_write(cancel, 1), 0);
    check_kind(pump_until_error(&ctx, channel), ERR_CANCELLED);
    ssh_channel_abort(channel);
    struct ssh *second = NULL;
    check_kind(ssh_connect(&ctx, &shared->target, &second), ERR_CANCELLED);
}

static void a_link_lost_while_a_command_ran_is_an_unknown_outcome(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = connect_to(shared);
    struct ctx ctx = seconds(60);
    struct ssh_channel *channel = NULL;
    pid_t pid = open_with_pid(&ctx, ssh, "sleep 1; exec true", &channel);
    kill(pid, SIGKILL);
    check_kind(pump_until_error(&ctx, channel), ERR_UNKNOWN_OUTCOME);
    ssh_channel_abort(channel);
    struct ssh_result result;
    check_kind(ssh_exec(&ctx, ssh, arena, "true", NULL, 0, 0, &result), ERR_TRANSIENT); /* not even begun */

    CLEANUP_SSH struct ssh *second = connect_to(shared);
    check_kind(ssh_run(&ctx, second, arena, "kill -9 $PPID; sleep 1", NULL, 0, NULL), ERR_UNKNOWN_OUTCOME);
}

static void a_frozen_peer_is_noticed_by_unanswered_keepalives(void **state)
{
    (void)state;
    CLEANUP_SSH struct ssh *ssh = NULL;
    struct ctx ctx = seconds(60);
    struct ssh_target target = shared->target;
    struct ssh_channel *channel = NULL;
    target.silence_ms = 6000;
    check_ok(ssh_connect(&ctx, &target, &ssh));
    pid_t pid = open_with_pid(&ctx, ssh, "exec sleep 70", &channel);
    kill(pid, SIGSTOP);
    int64_t begin_ms = clock_boot_ms();
    check_kind(pump_until_error(&ctx, channel), ERR_UNKNOWN_OUTCOME);
    assert_in_range(clock_boot_ms() - begin_ms, 5000, 40000);
    kill(pid, SIGKILL);
    ssh_channel_abort(channel);
}

static void a_silent_command_is_kept_alive_by_answered_keepalives(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SSH struct ssh *ssh = NULL;
    struct ctx ctx = seconds(60);
    struct ssh_target target = shared->target;
    struct ssh_result result;
    target.silence_ms = 5000; /* keepalives every 2 s */
    check_ok(ssh_connect(&ctx, &target, &ssh));
    check_ok(ssh_exec(&ctx, ssh, arena, "sleep 8; echo done", NULL, 0, 0, &result));
    assert_string_equal(result.out, "done\n");
}

/* --- peers that are no SSH servers --- */

struct peer {
    int listen_fd, port;
    pthread_t thread;
    void (*serve)(int fd);
};

static void *peer_thread(void *arg)
{
    struct peer *peer = arg;
    int fd = accept(peer->listen_fd, NULL, NULL);
    if (fd >= 0) {
        peer->serve(fd);
        close(fd);
    }
    return NULL;
}

static int listen_on_free_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_return_code(listen(fd, 1), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void peer_start(struct peer *peer, void (*serve)(int fd))
{
    peer->serve = serve;
    peer->listen_fd = listen_on_free_port(&peer->port);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_thread, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
}

static void flood(int fd)
{
    char block[65536];
    memset(block, 'x', sizeof(block));
    while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
        ;
}

static void flood_of_lines(int fd)
{
    char block[65536];
    memset(block, '\n', sizeof(block));
    while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
        ;
}

static void drip(int fd)
{
    struct timespec pause = {.tv_nsec = 20000000};
    while (send(fd, "x", 1, MSG_NOSIGNAL) > 0)
        nanosleep(&pause, NULL);
}

static void say_nothing(int fd)
{
    char c;
    while (read(fd, &c, 1) > 0)
        ;
}

static void hang_up(int fd)
{
    (void)fd;
}

static void peers_that_are_no_ssh_servers_end_in_time(void **state)
{
    (void)state;
    const struct {
        void (*serve)(int fd);
        enum err_kind kind;
    } cases[] = {{flood, ERR_REJECTED},
                 {flood_of_lines, ERR_TRANSIENT},
                 {drip, ERR_TIMEOUT},
                 {say_nothing, ERR_TIMEOUT},
                 {hang_up, ERR_TRANSIENT}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct peer peer;
        struct ssh_target target = shared->target;
        struct ssh *ssh = NULL;
        struct ctx ctx = seconds(60);
        peer_start(&peer, cases[i].serve);
        target.port = peer.port;
        target.connect_timeout_ms = cases[i].kind == ERR_TIMEOUT ? 1000 : 30000;
        int64_t begin_ms = clock_boot_ms();
        check_kind(ssh_connect(&ctx, &target, &ssh), cases[i].kind);
        assert_true(clock_boot_ms() - begin_ms < 20000);
        peer_stop(&peer);
    }
}

/* --- links that break or lie at any byte --- */

/* Stands between us and sshd, and does harm to what sshd sends after so many bytes. */
struct relay {
    int listen_fd, port, server_port;
    size_t harm_at;
    bool flip; /* a bit there; else the link is cut */
    size_t seen;
    pthread_t thread;
};

static int connect_plain(int port)
{
    struct ctx ctx = seconds(20);
    int fd = -1;
    check_ok(io_connect_tcp(&ctx, "127.0.0.1", port, &fd));
    return fd;
}

/* False when the link shall end. */
static bool relay_once(struct relay *relay, int from, int to, bool harm)
{
    char data[4096];
    struct ctx ctx = seconds(20);
    ssize_t got = recv(from, data, sizeof(data), 0);
    if (got <= 0)
        return false;
    size_t length = (size_t)got;
    bool hit = harm && relay->seen <= relay->harm_at && relay->harm_at < relay->seen + length;
    if (hit && relay->flip)
        data[relay->harm_at - relay->seen] ^= 4;
    else if (hit)
        length = relay->harm_at - relay->seen;
    relay->seen += harm ? length : 0;
    struct err *e = io_write_all(&ctx, to, data, length);
    bool good = !e && (!hit || relay->flip);
    err_free(e);
    return good;
}

static void *relay_thread(void *arg)
{
    struct relay *relay = arg;
    int near = accept(relay->listen_fd, NULL, NULL), far = connect_plain(relay->server_port);
    for (bool on = true; on;) {
        struct pollfd fds[] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
        on = poll(fds, 2, -1) > 0;
        if (on && fds[0].revents)
            on = relay_once(relay, near, far, false);
        if (on && fds[1].revents)
            on = relay_once(relay, far, near, true);
    }
    close(near);
    close(far);
    return NULL;
}

/* Connects and runs a command through a relay that does its harm at this byte. Sets *reached when sshd sent
 * as much. */
static struct err *run_through_relay(struct sshd *sshd, size_t harm_at, bool flip, bool *reached)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct relay relay = {.server_port = sshd->port, .harm_at = harm_at, .flip = flip};
    struct ssh_target target = sshd->target;
    struct ssh_result result = {0};
    struct ctx ctx = seconds(flip ? 3 : 30); /* a flipped length makes us wait for what never comes */
    struct ssh *ssh = NULL;
    relay.listen_fd = listen_on_free_port(&relay.port);
    assert_int_equal(pthread_create(&relay.thread, NULL, relay_thread, &relay), 0);
    target.port = relay.port;
    struct err *e = ssh_connect(&ctx, &target, &ssh);
    if (!e)
        e = ssh_run(&ctx, ssh, arena, "echo well", NULL, 0, &result);
    if (!e)
        assert_string_equal(result.out, "well\n");
    ssh_close(ssh);
    pthread_join(relay.thread, NULL);
    close(relay.listen_fd);
    *reached = relay.seen >= harm_at;
    return e;
}

static void a_link_cut_at_any_byte_is_transient_or_an_unknown_outcome(void **state)
{
    (void)state;
    struct sshd *sshd = sshd_start("MaxStartups 1000\n");
    bool cut = true;
    size_t cases = 0;
    for (size_t at = 0; cut; at += 67, cases++) {
        CLEANUP_ERR struct err *e = run_through_relay(sshd, at, false, &cut);
        if (!e) /* the far side had said everything that matters */
            break;
        if (err_kind(e) != ERR_TRANSIENT && err_kind(e) != ERR_UNKNOWN_OUTCOME)
            fail_msg("cut at byte %zu: '%s': %s", at, err_kind_name(err_kind(e)), err_text(e));
    }
    assert_in_range(cases, 20, 200);
    sshd_stop(sshd);
}

static void a_flipped_bit_never_changes_what_arrives(void **state)
{
    (void)state;
    struct sshd *sshd = sshd_start("MaxStartups 1000\n");
    bool flipped = true;
    size_t failures = 0;
    __lsan_disable(); /* libssh2 1.10 forgets a packet that it refuses */
    for (size_t at = 0; flipped; at += 131) {
        CLEANUP_ERR struct err *e = run_through_relay(sshd, at, true, &flipped);
        failures += e != NULL; /* padding may be flipped without harm */
    }
    __lsan_enable();
    assert_true(failures >= 10);
    sshd_stop(sshd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_we_made_is_read_by_ssh_keygen),
        cmocka_unit_test(keys_of_ssh_keygen_and_openssl_are_read_and_others_are_named),
        cmocka_unit_test(a_damaged_key_is_refused),
        cmocka_unit_test(the_right_key_logs_in_and_runs_a_command),
        cmocka_unit_test(a_pem_key_logs_in_too),
        cmocka_unit_test(another_host_key_ends_it_before_any_login_attempt),
        cmocka_unit_test(without_a_known_host_key_nothing_is_tried_unless_asked_for),
        cmocka_unit_test(a_refused_user_key_is_an_auth_error),
        cmocka_unit_test(a_server_without_common_algorithms_is_rejected_with_a_hint),
        cmocka_unit_test(a_refused_connection_is_transient),
        cmocka_unit_test(a_killed_command_is_reported_with_its_signal),
        cmocka_unit_test(a_failed_run_tells_the_last_lines_of_stderr),
        cmocka_unit_test(twenty_megabytes_on_both_outputs_at_once_arrive_whole),
        cmocka_unit_test(twenty_megabytes_of_input_arrive_whole),
        cmocka_unit_test(rekeying_in_the_middle_of_both_directions_loses_nothing),
        cmocka_unit_test(a_command_that_ignores_its_input_ends_well),
        cmocka_unit_test(a_command_that_closes_its_output_first_still_gets_its_input_and_its_status),
        cmocka_unit_test(too_much_output_ends_the_command),
        cmocka_unit_test(a_streaming_channel_holds_a_conversation),
        cmocka_unit_test(a_full_buffer_makes_the_far_side_wait_and_nothing_is_lost),
        cmocka_unit_test(the_session_goes_on_after_a_command_that_took_too_long),
        cmocka_unit_test(a_cancel_ends_the_wait),
        cmocka_unit_test(a_link_lost_while_a_command_ran_is_an_unknown_outcome),
        cmocka_unit_test(a_frozen_peer_is_noticed_by_unanswered_keepalives),
        cmocka_unit_test(a_silent_command_is_kept_alive_by_answered_keepalives),
        cmocka_unit_test(peers_that_are_no_ssh_servers_end_in_time),
        cmocka_unit_test(a_link_cut_at_any_byte_is_transient_or_an_unknown_outcome),
        cmocka_unit_test(a_flipped_bit_never_changes_what_arrives),
    };
    return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
