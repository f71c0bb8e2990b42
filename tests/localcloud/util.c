#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void *must(void *pointer)
{
    if (!pointer) {
        fputs("localcloud: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

void array_add(struct array *array, void *item)
{
    if (array->count == array->capacity) {
        array->capacity = array->capacity ? array->capacity * 2 : 16;
        array->items = must(realloc(array->items, array->capacity * sizeof(void *)));
    }
    array->items[array->count++] = item;
}

void array_remove(struct array *array, const void *item)
{
    for (size_t i = 0; i < array->count; i++) {
        if (array->items[i] != item)
            continue;
        memmove(array->items + i, array->items + i + 1, (array->count - i - 1) * sizeof(void *));
        array->count--;
        return;
    }
}

void array_free(struct array *array)
{
    free(array->items);
    *array = (struct array){0};
}

void *zalloc(size_t size)
{
    return must(calloc(1, size));
}

char *text_copy(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

char *text_format(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return must(text);
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_text(time_t when, char out[32])
{
    struct tm parts;

    gmtime_r(&when, &parts);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void log_line(const char *format, ...)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char now[32];
    va_list args;

    time_text(time(NULL), now);
    pthread_mutex_lock(&lock);
    fprintf(stderr, "%s ", now);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    pthread_mutex_unlock(&lock);
}

bool fail(struct why *why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return false;
}

bool dir_make(const char *path, struct why *why)
{
    char *copy = text_copy(path);
    bool ok = true;

    for (char *p = copy + 1; ok && *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        ok = mkdir(copy, 0755) == 0 || errno == EEXIST;
        *p = '/';
    }
    ok = ok && (mkdir(copy, 0755) == 0 || errno == EEXIST);
    free(copy);
    return ok || fail(why, "cannot make the directory '%s': %s", path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

bool dir_remove(const char *path, struct why *why)
{
    if (access(path, F_OK) != 0)
        return true;
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return fail(why, "cannot remove '%s': %s", path, strerror(errno));
    return true;
}

bool file_write(const char *path, unsigned mode, const char *text, struct why *why)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool ok = fd >= 0;

    for (size_t done = 0; ok && done < size;) {
        ssize_t n = write(fd, text + done, size - done);
        ok = n > 0;
        done += ok ? (size_t)n : 0;
    }
    int error = errno;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok || fail(why, "cannot write '%s': %s", path, strerror(error));
}

char *file_read(const char *path, size_t max_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    char *text = zalloc(max_bytes + 1);
    size_t size = 0;
    for (ssize_t n; size < max_bytes && (n = read(fd, text + size, max_bytes - size)) > 0;)
        size += (size_t)n;
    close(fd);
    return text;
}

// Reads what a child writes to `fd` into `text` and drops what does not fit; false at the end of the stream.
static bool collect(int fd, char *text, size_t *size, size_t max)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof chunk);

    if (n <= 0)
        return n < 0 && errno == EINTR;
    size_t take = (size_t)n < max - *size ? (size_t)n : max - *size;
    memcpy(text + *size, chunk, take);
    *size += take;
    return true;
}

struct streams {
    int in[2], out[2], err[2];
};

static bool streams_open(struct streams *s)
{
    return pipe2(s->in, O_CLOEXEC) == 0 && pipe2(s->out, O_CLOEXEC) == 0 && pipe2(s->err, O_CLOEXEC) == 0;
}

static int spawn(const char *const argv[], const struct streams *s, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    extern char **environ;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, s->in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, s->out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, s->err[1], 2);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    int rc = posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return rc;
}

bool run_command(const char *const argv[], const char *input, char **output, struct why *why)
{
    enum { OUT_MAX = 64 * 1024 };
    struct streams s;
    pid_t pid;

    if (!streams_open(&s))
        return fail(why, "cannot open a pipe: %s", strerror(errno));
    int rc = spawn(argv, &s, &pid);
    close(s.in[0]), close(s.out[1]), close(s.err[1]);
    if (rc != 0) {
        close(s.in[1]), close(s.out[0]), close(s.err[0]);
        return fail(why, "cannot start '%s': %s", argv[0], strerror(rc));
    }
    if (input && write(s.in[1], input, strlen(input)) < 0) // inputs are smaller than a pipe holds
        log_line("writing to '%s': %s", argv[0], strerror(errno));
    close(s.in[1]);

    char *out = zalloc(OUT_MAX + 1), err[400] = "";
    size_t out_size = 0, err_size = 0;
    struct pollfd fds[2] = {{.fd = s.out[0], .events = POLLIN}, {.fd = s.err[0], .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents && !collect(s.out[0], out, &out_size, OUT_MAX))
            fds[0].fd = -1;
        if (fds[1].revents && !collect(s.err[0], err, &err_size, sizeof err - 1))
            fds[1].fd = -1;
    }
    close(s.out[0]), close(s.err[0]);

    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (output)
        *output = out;
    else
        free(out);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    err[strcspn(err, "\n")] = '\0';
    return fail(why, "'%s' failed: %s", argv[0], *err ? err : "no message");
}

uint64_t process_start_time(int pid)
{
    char path[64];
    uint64_t ticks = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    char *stat = file_read(path, 1023);
    char *rest = stat ? strrchr(stat, ')') : NULL; // the name before it may hold anything
    if (rest)
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lu",
               &ticks);
    free(stat);
    return ticks;
}

bool process_kill_recorded(const char *record_path, const char *comm)
{
    char path[64];
    int pid = 0;
    uint64_t start = 0;
    char *record = file_read(record_path, 127);
    bool known = record && sscanf(record, "%d %lu", &pid, &start) == 2 && pid > 1;

    free(record);
    if (!known || process_start_time(pid) != start)
        return false;
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    char *name = file_read(path, 63);
    if (name)
        name[strcspn(name, "\n")] = '\0';
    bool ours = name && text_starts(comm, name); // the kernel cuts names at 15 characters
    free(name);
    return ours && kill(pid, SIGKILL) == 0;
}

void make_password(char *out, size_t size)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    unsigned char random[64];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort();
    for (size_t i = 0; i + 1 < size; i++)
        out[i] = letters[random[i] % (sizeof letters - 1)];
    out[size - 1] = '\0';
}
