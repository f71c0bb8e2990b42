#include "base/proc.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 16384
#define GRACE_MS 2000 /* between SIGTERM and SIGKILL */

extern char **environ;

/* A running child and our ends of its pipes; -1 is a closed or absent one. */
struct child {
    const char *name;
    pid_t pid;
    int pid_fd; /* becomes readable when the child has ended */
    int in, out, err;
};

/* The far ends, as the child gets them. */
struct far_ends {
    int in, out, err;
};

static void child_close(struct child *child)
{
    io_closep(&child->in);
    io_closep(&child->out);
    io_closep(&child->err);
    io_closep(&child->pid_fd);
}

static void far_ends_close(struct far_ends *far)
{
    io_closep(&far->in);
    io_closep(&far->out);
    io_closep(&far->err);
}

/* A pipe when `wanted`, else /dev/null for the child. */
static struct err *open_end(bool wanted, bool child_reads, int *ours, int *theirs)
{
    if (!wanted) {
        *theirs = open("/dev/null", O_RDWR | O_CLOEXEC);
        return *theirs < 0 ? err_errno(ERR_IO, errno, "cannot open '/dev/null'") : NULL;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return err_errno(ERR_IO, errno, "cannot make a pipe");
    *ours = ends[child_reads ? 1 : 0];
    *theirs = ends[child_reads ? 0 : 1];
    return io_set_nonblocking(*ours);
}

/* File actions and attributes of the child; both are destroyed by the caller. */
static int prepare(const struct far_ends *far, posix_spawn_file_actions_t *actions,
                   posix_spawnattr_t *attributes)
{
    sigset_t defaults, mask;
    (void)sigemptyset(&mask);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE); /* ignored in rehost, and ignored signals are inherited */
    (void)sigaddset(&defaults, SIGINT);
    (void)sigaddset(&defaults, SIGTERM);
    int failed = posix_spawnattr_setsigdefault(attributes, &defaults);
    failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &mask);
    failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
    failed = failed ? failed
                    : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                               POSIX_SPAWN_SETPGROUP);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, far->in, STDIN_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, far->out, STDOUT_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, far->err, STDERR_FILENO);
    return failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int spawn(const char *const argv[], const struct far_ends *far, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        union {
            const char *const *given;
            char *const *wanted; /* posix_spawnp() does not write to it; its type is older than const */
        } arguments = {.given = argv};
        failed = prepare(far, &actions, &attributes);
        if (!failed)
            failed = posix_spawnp(pid, argv[0], &actions, &attributes, arguments.wanted, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static struct err *start(struct child *child, const char *const argv[], bool input, bool out, bool errout)
{
    struct far_ends far __attribute__((cleanup(far_ends_close))) = {-1, -1, -1};
    TRY(open_end(input, true, &child->in, &far.in));
    TRY(open_end(out, false, &child->out, &far.out));
    TRY(open_end(errout, false, &child->err, &far.err));
    int failed = spawn(argv, &far, &child->pid);
    if (failed == ENOENT)
        return err_with_hint(err_new(ERR_NOT_FOUND, "cannot run '%s': no such program", argv[0]),
                             "install it, or add its directory to PATH");
    if (failed)
        return err_errno(ERR_IO, failed, "cannot run '%s'", argv[0]);
    child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return child->pid_fd < 0 ? err_errno(ERR_IO, errno, "cannot watch '%s'", argv[0]) : NULL;
}

static void stop(const struct child *child)
{
    struct ctx grace = ctx_background();
    struct pollfd ended = {.fd = child->pid_fd, .events = POLLIN};
    (void)kill(-child->pid, SIGTERM);
    if (child->pid_fd >= 0)
        err_free(ctx_wait(&grace, &ended, 1, GRACE_MS, NULL));
    (void)kill(-child->pid, SIGKILL); /* also what the child may have left in its group */
}

/* Waits for the child, which has ended or was killed. */
static void reap(const struct child *child, struct proc_result *result)
{
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED) < 0 && errno == EINTR)
        ;
    bool exited = info.si_code == CLD_EXITED;
    *result = (struct proc_result){.exit_status = exited ? info.si_status : -1,
                                   .term_signal = exited ? 0 : info.si_status};
}

static void feed(int *fd, const char **input, size_t *left)
{
    ssize_t written = *left ? write(*fd, *input, *left) : 0;
    if (written > 0) {
        *input += written;
        *left -= (size_t)written;
    }
    if (!*left ||
        (written < 0 && errno != EAGAIN && errno != EINTR)) /* a child need not read all of its input */
        io_closep(fd);
}

/* Reads what is there; closes at end of file. */
static struct err *drain(int *fd, struct strbuf *into, const char *name)
{
    char chunk[READ_BYTES];
    while (*fd >= 0) {
        ssize_t got = read(*fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EAGAIN)
            return NULL;
        if (got > 0)
            strbuf_add(into, chunk, (size_t)got);
        else if (got == 0 || errno != EINTR)
            io_closep(fd);
        if (into->overflowed)
            return err_new(ERR_INPUT, "'%s' wrote more than %zu bytes", name, into->max);
    }
    return NULL;
}

/* Moves data until the child has ended. What it wrote before is in the pipes by then; a descendant that keeps
 * them open is not waited for. */
static struct err *pump(const struct ctx *ctx, struct child *child, const char *input, size_t left,
                        struct strbuf *out, struct strbuf *errout)
{
    for (;;) {
        struct pollfd fds[4] = {
            {.fd = child->pid_fd, .events = POLLIN},
            {.fd = child->in, .events = POLLOUT},
            {.fd = child->out, .events = POLLIN},
            {.fd = child->err, .events = POLLIN},
        };
        TRY(err_wrap(ctx_wait(ctx, fds, 4, -1, NULL), "running '%s'", child->name));
        if (fds[1].revents)
            feed(&child->in, &input, &left);
        if (out)
            TRY(drain(&child->out, out, child->name));
        if (errout)
            TRY(drain(&child->err, errout, child->name));
        if (fds[0].revents)
            return NULL;
    }
}

struct err *proc_run(const struct ctx *ctx, const char *const argv[], const void *input, size_t input_length,
                     struct strbuf *out, struct strbuf *errout, struct proc_result *result)
{
    TRY(ctx_check(ctx));
    struct child child __attribute__((cleanup(child_close))) = {
        .name = argv[0], .pid = -1, .pid_fd = -1, .in = -1, .out = -1, .err = -1};
    struct err *failure = start(&child, argv, input != NULL, out != NULL, errout != NULL);
    if (!failure)
        failure = pump(ctx, &child, input, input_length, out, errout);
    if (child.pid < 0)
        return failure;
    if (failure)
        stop(&child);
    reap(&child, result);
    return failure;
}
