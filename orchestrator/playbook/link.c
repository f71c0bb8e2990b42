#include "playbook/link.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 32768
#define GRACE_MS 5000 /* for a shell that has been told to end, or has lost its input */

extern char **environ;

/* --- over SSH --- */

static struct err *pump_channel(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                                struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    return ssh_channel_pump(ctx, arg, out, in, errin, wait_ms, eof);
}

/* Nobody waits for the far side: its shell ends by itself when it is told so or loses its input, and a
 * process that it left behind may hold the channel open for ever. */
static void close_channel(void *arg, bool well)
{
    (void)well;
    ssh_channel_abort(arg);
}

static struct err *open_ssh(const struct ctx *ctx, struct ssh *ssh, const char *command,
                            struct session_link *link)
{
    struct ssh_channel *channel;
    TRY(ssh_channel_open(ctx, ssh, command, &channel));
    *link = (struct session_link){.arg = channel, .pump = pump_channel, .close = close_channel};
    return NULL;
}

/* --- on this machine --- */

struct local {
    pid_t pid;
    int pid_fd; /* becomes readable when the shell has ended */
    int to, from, errors;
};

static bool read_some(int *fd, struct strbuf *into)
{
    char chunk[READ_BYTES];
    size_t room = into->max - into->length;
    if (*fd < 0 || !room)
        return false;
    ssize_t got = read(*fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
    if (got > 0)
        strbuf_add(into, chunk, (size_t)got);
    else if (got == 0)
        io_closep(fd);
    return got > 0;
}

static struct err *pump_local(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                              struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    struct local *local = arg;
    for (;;) {
        ssize_t sent = out->length && local->to >= 0 ? write(local->to, out->data, out->length) : 0;
        if (sent > 0)
            strbuf_consume(out, (size_t)sent);
        if (sent < 0 && errno == EPIPE)
            io_closep(&local->to);
        bool moved = sent > 0;
        moved = read_some(&local->errors, errin) || moved;
        moved = read_some(&local->from, in) || moved;
        *eof = local->from < 0;
        if (moved || *eof || wait_ms == 0)
            return ctx_check(ctx);
        struct pollfd fds[] = {{.fd = local->from, .events = POLLIN},
                               {.fd = local->errors, .events = POLLIN},
                               {.fd = out->length ? local->to : -1, .events = POLLOUT}};
        int ready;
        TRY(ctx_wait(ctx, fds, 3, wait_ms, &ready));
        if (!ready)
            return NULL;
    }
}

static void wait_for_end(const struct local *local)
{
    struct ctx grace = ctx_background();
    struct pollfd ended = {.fd = local->pid_fd, .events = POLLIN};
    if (local->pid_fd >= 0)
        err_free(ctx_wait(&grace, &ended, 1, GRACE_MS, NULL));
}

/* What a task left behind on purpose lives on; a shell that does not end is ended. */
static void close_local(void *arg, bool well)
{
    struct local *local = arg;
    io_closep(&local->to);
    if (local->pid > 0) {
        if (!well)
            (void)kill(-local->pid, SIGTERM);
        wait_for_end(local);
        (void)kill(local->pid, SIGKILL); /* no matter when it has ended: it is not yet reaped */
        while (waitpid(local->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    io_closep(&local->from);
    io_closep(&local->errors);
    io_closep(&local->pid_fd);
    free(local);
}

static struct err *make_pipe(bool child_reads, int *ours, int *theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_errno(ERR_IO, errno, "cannot make a pipe");
    *ours = ends[child_reads ? 1 : 0];
    *theirs = ends[child_reads ? 0 : 1];
    return io_set_nonblocking(*ours);
}

/* As for every child: signals as they were, a process group of its own, no other descriptors. */
static int spawn_shell(const char *command, const int far[3], pid_t *pid)
{
    char name[] = "sh", option[] = "-c";
    char *const argv[] = {name, option, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults, mask;
    (void)sigemptyset(&mask);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGINT);
    (void)sigaddset(&defaults, SIGTERM);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    failed = failed ? failed : posix_spawnattr_setsigdefault(&attributes, &defaults);
    failed = failed ? failed : posix_spawnattr_setsigmask(&attributes, &mask);
    failed = failed ? failed : posix_spawnattr_setpgroup(&attributes, 0);
    failed = failed ? failed
                    : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                                POSIX_SPAWN_SETPGROUP);
    for (int i = 0; i < 3 && !failed; i++)
        failed = posix_spawn_file_actions_adddup2(&actions, far[i], i);
    failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    failed = failed ? failed : posix_spawnp(pid, "sh", &actions, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static struct err *start_local(struct local *local, const char *command)
{
    int far[3] = {-1, -1, -1};
    struct err *e = make_pipe(true, &local->to, &far[0]);
    e = e ? e : make_pipe(false, &local->from, &far[1]);
    e = e ? e : make_pipe(false, &local->errors, &far[2]);
    int failed = e ? 0 : spawn_shell(command, far, &local->pid);
    for (int i = 0; i < 3; i++)
        io_closep(&far[i]);
    TRY(e);
    if (failed) {
        local->pid = 0;
        return err_errno(ERR_IO, failed, "cannot run 'sh'");
    }
    local->pid_fd = (int)syscall(SYS_pidfd_open, local->pid, 0);
    return NULL;
}

static struct err *open_local(const char *command, struct session_link *link)
{
    struct local *local = calloc(1, sizeof(*local));
    if (!local)
        return err_new(ERR_INTERNAL, "out of memory");
    *local = (struct local){.pid_fd = -1, .to = -1, .from = -1, .errors = -1};
    struct err *e = start_local(local, command);
    if (e) {
        close_local(local, false);
        return e;
    }
    *link = (struct session_link){.arg = local, .pump = pump_local, .close = close_local};
    return NULL;
}

/* --- both --- */

struct err *link_open(const struct ctx *ctx, struct ssh *ssh, const char *command, struct session_link *link)
{
    *link = (struct session_link){0};
    TRY(ssh ? open_ssh(ctx, ssh, command, link) : open_local(command, link));
    link->local = !ssh;
    return NULL;
}

void link_close(struct session_link *link, bool well)
{
    if (link->close)
        link->close(link->arg, well);
    *link = (struct session_link){0};
}
