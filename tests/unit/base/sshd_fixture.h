/* A real sshd on 127.0.0.1 for tests: own configuration, host key, port and log in a temporary directory.
 * Needs root and openssh-server. Included by the tests that need one; everything is static. */
#pragma once
#include "base/fs.h"
#include "base/io.h"
#include "base/proc.h"
#include "base/ssh.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct sshd {
    struct arena *arena;
    char *dir;
    int port;
    pid_t pid;
    char *host_key;           /* public, "ssh-ed25519 AAAA..." */
    struct secret *user_key;  /* may log in as root */
    struct ssh_target target; /* how to connect */
};

/* Fails the test with the error's text when there is one. */
static inline void check_ok(struct err *e)
{
    if (e) {
        print_error("unexpected error '%s': %s\n", err_kind_name(err_kind(e)), err_text(e));
        err_free(e);
        fail();
    }
}

static inline void check_kind(struct err *e, enum err_kind kind)
{
    if (!e)
        fail_msg("no error, but expected '%s'", err_kind_name(kind));
    if (err_kind(e) != kind) {
        print_error("error '%s', but expected '%s': %s\n", err_kind_name(err_kind(e)), err_kind_name(kind),
                    err_text(e));
        err_free(e);
        fail();
    }
    err_free(e);
}

static inline struct ctx seconds(int count)
{
    struct ctx background = ctx_background();
    return ctx_with_timeout(&background, count * 1000);
}

/* A port of 127.0.0.1 that was free a moment ago. */
static inline int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* Starts a program that ends with the test. */
static inline pid_t spawn(const char *const argv[], const char *log)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(fd, 1);
        (void)dup2(fd, 2);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static inline void stop(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static inline void wait_for_port(int port)
{
    struct ctx ctx = seconds(20);
    for (;;) {
        CLEANUP_FD int fd = -1;
        struct err *e = io_connect_tcp(&ctx, "127.0.0.1", port, &fd);
        if (!e)
            return;
        assert_int_equal(err_kind(e), ERR_TRANSIENT);
        err_free(e);
        check_ok(ctx_sleep(&ctx, 20));
    }
}

static inline char *make_temp_dir(struct arena *arena)
{
    char *dir = arena_strdup(arena, "/tmp/rehost-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void remove_dir(const char *dir)
{
    const char *argv[] = {"rm", "-rf", dir, NULL};
    struct ctx ctx = seconds(20);
    struct proc_result result;
    check_ok(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &result));
}

static inline void write_text(const char *path, const char *text, mode_t mode)
{
    check_ok(fs_write_file(path, text, strlen(text), mode));
}

/* Not inlined: gcc 12 would take what fs_read_file() sets for a pointer into this function's frame. */
__attribute__((noinline, unused)) static char *read_log(struct sshd *sshd)
{
    char *text = NULL;
    size_t length = 0;
    check_ok(
        fs_read_file(sshd->arena, arena_printf(sshd->arena, "%s/log", sshd->dir), 1 << 20, &text, &length));
    return text;
}

/* `more` are further lines of sshd_config. */
static inline struct sshd *sshd_start(const char *more)
{
    struct arena *arena = arena_new(0);
    struct sshd *sshd = ARENA_NEW(arena, struct sshd);
    struct secret *host_key = NULL;
    char *user_public = NULL;
    sshd->arena = arena;
    sshd->dir = make_temp_dir(arena);
    sshd->port = free_port();
    check_ok(ssh_make_key(arena, "host", &host_key, &sshd->host_key));
    check_ok(ssh_make_key(arena, "user", &sshd->user_key, &user_public));
    secret_keep(arena, sshd->user_key);
    write_text(arena_printf(arena, "%s/host_key", sshd->dir), secret_text(host_key), 0600);
    secret_free(host_key);
    write_text(arena_printf(arena, "%s/authorized", sshd->dir), user_public, 0644);
    char *config = arena_printf(arena, "%s/sshd_config", sshd->dir);
    /* HOME: so that no .bashrc of whoever runs the test takes part. */
    write_text(config,
               arena_printf(
                   arena,
                   "ListenAddress 127.0.0.1\nPort %d\nHostKey %s/host_key\nAuthorizedKeysFile %s/authorized\n"
                   "PermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\nPidFile none\n"
                   "PasswordAuthentication no\nLogLevel VERBOSE\nSetEnv HOME=%s\n%s",
                   sshd->port, sshd->dir, sshd->dir, sshd->dir, more ? more : ""),
               0644);
    (void)mkdir("/run/sshd", 0755);
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", config, NULL};
    sshd->pid = spawn(argv, arena_printf(arena, "%s/log", sshd->dir));
    wait_for_port(sshd->port);
    sshd->target = (struct ssh_target){
        .host = "127.0.0.1", .port = sshd->port, .private_key = sshd->user_key, .host_key = sshd->host_key};
    return sshd;
}

static inline void sshd_stop(struct sshd *sshd)
{
    stop(sshd->pid);
    remove_dir(sshd->dir);
    arena_free(sshd->arena);
}
