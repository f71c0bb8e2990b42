/* Playbooks in a folder of their own, applied to this machine by a local shell. What they touch lies in that
 * folder. */
#pragma once
#include "playbook/run.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct arena *arena;
    struct strbuf events; /* one line an event: "status title[ => item][: message]" */
    struct playbook_result result;
    struct playbook_options options;
    int bursts; /* how often the control side waited for the host */
};

static inline struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/rehost-play-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = arena_new(0);
    strbuf_init(&f->events, 0);
    return f;
}

static inline void remove_tree(const char *dir)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", dir, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

static inline void fixture_free(struct fixture *f)
{
    remove_tree(f->dir);
    strbuf_free(&f->events);
    arena_free(f->arena);
    free(f);
}

/* Writes a file below the folder; @DIR@ in the text becomes the folder. */
static inline void put_file(struct fixture *f, const char *name, const char *text)
{
    char *path = arena_printf(f->arena, "%s/%s", f->dir, name);
    for (char *slash = strchr(path + strlen(f->dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *at = text; *at;) {
        if (strncmp(at, "@DIR@", 5) == 0) {
            fputs(f->dir, file);
            at += 5;
        } else {
            fputc(*at++, file);
        }
    }
    fclose(file);
}

static inline char *get_file(struct fixture *f, const char *name)
{
    char *path = arena_printf(f->arena, "%s/%s", f->dir, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    struct strbuf text;
    strbuf_init(&text, 0);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        strbuf_add(&text, chunk, n);
    fclose(file);
    char *copy = strbuf_to_arena(&text, f->arena);
    strbuf_free(&text);
    return copy;
}

static inline struct err *load(struct fixture *f, const struct playbook **playbook)
{
    static const struct playbook_paths paths = {.modules_dir = SOURCE_DIR "/playbooks/modules"};
    return playbook_load(f->arena, arena_printf(f->arena, "%s/play.yml", f->dir), &paths, playbook);
}

/* --- the local shell --- */

struct local_shell {
    struct fixture *fixture;
    pid_t pid;
    int to, from, errors;
};

static inline void start_shell(struct local_shell *shell)
{
    int to[2], from[2], errors[2];
    assert_false(pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) || pipe2(errors, O_CLOEXEC));
    shell->pid = fork();
    if (shell->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        dup2(errors[1], 2);
        execlp("sh", "sh", "-c", SESSION_COMMAND, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    close(errors[1]);
    fcntl(to[1], F_SETFL, O_NONBLOCK);
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    fcntl(errors[0], F_SETFL, O_NONBLOCK);
    shell->to = to[1];
    shell->from = from[0];
    shell->errors = errors[0];
}

static inline bool read_some(int fd, struct strbuf *in, bool *closed)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n > 0)
        strbuf_add(in, chunk, (size_t)n);
    if (n == 0 && closed)
        *closed = true;
    return n > 0;
}

static inline struct err *pump_shell(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                                     struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    struct local_shell *shell = arg;
    if (wait_ms)
        shell->fixture->bursts++;
    for (;;) {
        ssize_t n = out->length ? write(shell->to, out->data, out->length) : 0;
        if (n > 0)
            strbuf_consume(out, (size_t)n);
        bool moved = read_some(shell->from, in, eof);
        moved = read_some(shell->errors, errin, NULL) || moved || n > 0;
        if (moved || *eof || wait_ms == 0)
            return NULL;
        struct pollfd fds[] = {{.fd = shell->from, .events = POLLIN}, {.fd = shell->to, .events = POLLOUT}};
        TRY(ctx_wait(ctx, fds, out->length ? 2 : 1, wait_ms, NULL));
    }
}

static inline void stop_shell(struct local_shell *shell)
{
    close(shell->to);
    close(shell->from);
    close(shell->errors);
    waitpid(shell->pid, NULL, 0);
}

static inline void note_event(const struct task_event *event, void *arg)
{
    static const char *const words[] = {"ok", "changed", "skipped", "failed", "ignored"};
    struct fixture *f = arg;
    strbuf_addf(&f->events, "%s %s%s%s%s%s\n", words[event->status], event->task, event->item ? " => " : "",
                event->item ? event->item : "", *event->message ? ": " : "", event->message);
}

/* Applies play.yml to this machine. */
static inline struct err *apply(struct fixture *f)
{
    const struct playbook *playbook;
    TRY(load(f, &playbook));
    struct ctx background = ctx_background();
    struct ctx ctx = ctx_with_timeout(&background, 60000);
    struct local_shell shell = {.fixture = f};
    signal(SIGPIPE, SIG_IGN);
    start_shell(&shell);
    struct session_link link = {.arg = &shell, .pump = pump_shell};
    strbuf_reset(&f->events);
    f->bursts = 0;
    f->options.on_event = note_event;
    f->options.arg = f;
    if (!f->options.host_name)
        f->options.host_name = "web-1";
    struct err *e = playbook_run(&ctx, playbook, &link, f->arena, &f->options, &f->result);
    stop_shell(&shell);
    return e;
}

static inline void apply_well(struct fixture *f)
{
    CLEANUP_ERR struct err *e = apply(f);
    if (e)
        fail_msg("%s (%s)\n%s", err_text(e), err_hint(e) ? err_hint(e) : "", f->events.data);
}

static inline void assert_holds(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text ? text : "(nothing)");
}
