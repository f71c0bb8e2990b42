#include "cli/progress.h"
#include "base/clock.h"
#include "base/decode.h"
#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/stop.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEARTBEAT_MS 30000
#define TICK_MS 1000

struct progress {
    struct cli *cli;
    struct run_observer observer;
    bool live; /* a terminal that can be redrawn */
    pthread_mutex_t lock;
    pthread_t ticker;
    bool ticking;
    int stop_fd;
    /* guarded by the lock */
    bool block_shown;
    const struct plan *plan; /* of the run at work */
    char run[64], title[160], doing[240];
    int seq, count;
    int64_t step_started_ms, last_said_ms;
};

static const char *color(const struct progress *p, const char *code)
{
    return p->cli->color ? code : "";
}

/* --- the block --- */

static void clear_block(struct progress *p)
{
    if (p->block_shown)
        out_erase_line();
    p->block_shown = false;
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static int64_t plan_int(const struct progress *p, const char *path)
{
    return json_integer_value(decode_find(p->plan->json, path));
}

/* From the incident until the service is up: what has passed, and what the steps still to come are expected
 * to take. */
static int64_t forecast_ms(const struct progress *p)
{
    const json_t *steps = json_object_get(p->plan->json, "steps");
    int64_t left_ms = 0;
    size_t index;
    const json_t *step;
    json_array_foreach(steps, index, step)
    {
        int64_t estimate_ms = json_integer_value(json_object_get(step, "estimate_ms"));
        if ((int)index + 1 == p->seq)
            estimate_ms -= clock_boot_ms() - p->step_started_ms;
        if ((int)index + 1 >= p->seq && estimate_ms > 0 &&
            strcmp(json_string_value(json_object_get(step, "kind")), "protect") != 0)
            left_ms += estimate_ms;
    }
    return clock_now_ms() - plan_int(p, "incident_ms") + left_ms;
}

static void add_head(const struct progress *p, struct strbuf *line)
{
    char passed[CLOCK_TEXT_SIZE], target[CLOCK_TEXT_SIZE], forecast[CLOCK_TEXT_SIZE];
    const int64_t passed_ms = (clock_now_ms() - plan_int(p, "incident_ms")) / 1000 * 1000;
    const int64_t rto_ms = plan_int(p, "objectives.rto_ms"), up_ms = forecast_ms(p) / 1000 * 1000;
    strbuf_addf(line, "%s  run %s", plan_host(p->plan), p->run);
    if (!strcmp(json_string_value(json_object_get(p->plan->json, "kind")), "recover"))
        strbuf_addf(line, "  incident +%s   RTO %s   forecast %s  %s",
                    clock_format_duration(passed_ms, passed), clock_format_duration(rto_ms, target),
                    clock_format_duration(up_ms, forecast), up_ms <= rto_ms ? "ok" : "TOO LATE");
}

/* web-1  run r-7k2f  incident +2m31s   RTO 1h00m   forecast 9m40s  ok
 * ..  8/15 configure nginx-site  34s  Enable the site */
static void draw_block(struct progress *p)
{
    char took[CLOCK_TEXT_SIZE];
    const int width = terminal_width() - 1;
    CLEANUP_STRBUF struct strbuf head, line;
    strbuf_init(&head, 4096);
    strbuf_init(&line, 4096);
    add_head(p, &head);
    clock_format_duration((clock_boot_ms() - p->step_started_ms) / 1000 * 1000, took);
    strbuf_addf(&line, ".. %2d/%d %s  %s  %s", p->seq, p->count, p->title, took, p->doing);
    clear_block(p);
    out_info("%.*s\n%.*s", width, head.data, width, line.data);
    p->block_shown = true;
}

static void say_heartbeat(struct progress *p)
{
    const int64_t now_ms = clock_boot_ms();
    if (now_ms - p->last_said_ms < HEARTBEAT_MS)
        return;
    p->last_said_ms = now_ms;
    char took[CLOCK_TEXT_SIZE];
    out_info("..     %s: %s  %s\n", p->title, clock_format_duration(now_ms - p->step_started_ms, took),
             p->doing);
}

static void show(struct progress *p)
{
    if (!p->seq)
        return; /* no step is at work */
    if (p->live)
        draw_block(p);
    else
        say_heartbeat(p);
}

/* --- the ticker --- */

static void *tick(void *arg)
{
    struct progress *p = arg;
    const struct ctx ctx = {.cancel_fd = p->stop_fd, .deadline_ms = CTX_NO_DEADLINE};
    for (;;) {
        struct err *stop = ctx_sleep(&ctx, TICK_MS);
        err_free(stop);
        if (stop)
            return NULL;
        pthread_mutex_lock(&p->lock);
        show(p);
        pthread_mutex_unlock(&p->lock);
    }
}

static void start_ticking(struct progress *p)
{
    p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->ticking = p->stop_fd >= 0 &&
                 pthread_create(&p->ticker, NULL, tick, p) == 0; /* without it only the clock stands */
}

static void on_end(void *arg)
{
    struct progress *p = arg;
    if (p->ticking) {
        const uint64_t one = 1;
        if (write(p->stop_fd, &one, sizeof(one)) == sizeof(one))
            pthread_join(p->ticker, NULL);
        close(p->stop_fd);
        p->ticking = false;
    }
    clear_block(p);
}

/* --- what the run tells --- */

static void on_begin(void *arg, const char *run, const struct plan *plan, bool resumed)
{
    struct progress *p = arg;
    (void)snprintf(p->run, sizeof(p->run), "%s", run);
    p->plan = plan;
    const char *kind = json_string_value(json_object_get(plan->json, "kind"));
    char line[160];
    if (strcmp(kind, "backup") != 0)
        (void)snprintf(line, sizeof(line), "Go on with: rehost resume %s\n", run);
    else
        (void)snprintf(line, sizeof(line), "Take it anew with: rehost backup %s\n", plan_host(plan));
    stop_set_resume_line(line);
    out_info("%s %s  run %s  %s\n", resumed ? "resuming" : "begin", plan_host(plan), run, kind);
    start_ticking(p);
}

static void on_step_begin(void *arg, const struct run_step_view *step)
{
    struct progress *p = arg;
    pthread_mutex_lock(&p->lock);
    p->seq = step->seq;
    p->count = step->count;
    p->doing[0] = '\0';
    (void)snprintf(p->title, sizeof(p->title), "%s", step->title);
    p->step_started_ms = p->last_said_ms = clock_boot_ms();
    show(p);
    pthread_mutex_unlock(&p->lock);
}

static void on_step_end(void *arg, const struct run_step_view *step, const struct err *error)
{
    struct progress *p = arg;
    char took[CLOCK_TEXT_SIZE];
    pthread_mutex_lock(&p->lock);
    clear_block(p);
    p->seq = 0;
    out_info("%s%s%s %2d/%d %-44s %s\n", color(p, error ? "\033[31m" : "\033[32m"), error ? "XX" : "ok",
             color(p, "\033[0m"), step->seq, step->count, step->title,
             clock_format_duration(step->elapsed_ms, took));
    pthread_mutex_unlock(&p->lock);
}

static void on_note(void *arg, const char *text)
{
    struct progress *p = arg;
    pthread_mutex_lock(&p->lock);
    clear_block(p);
    out_info("         %s\n", text);
    p->last_said_ms = clock_boot_ms();
    show(p);
    pthread_mutex_unlock(&p->lock);
}

static void set_doing(struct progress *p, const char *text)
{
    pthread_mutex_lock(&p->lock);
    (void)snprintf(p->doing, sizeof(p->doing), "%s", text);
    show(p);
    pthread_mutex_unlock(&p->lock);
}

static void on_live(void *arg, const char *text)
{
    set_doing(arg, text);
}

static void on_progress(void *arg, const struct dataset_progress *progress)
{
    struct progress *p = arg;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const int64_t spent_ms = clock_boot_ms() - p->step_started_ms;
    const char *total = progress->bytes_total
                            ? arena_printf(scratch, " of %s", out_bytes(scratch, progress->bytes_total))
                            : "";
    const char *rate =
        spent_ms > 1000
            ? arena_printf(scratch, "  %s/s", out_bytes(scratch, progress->bytes_done * 1000 / spent_ms))
            : "";
    set_doing(p, arena_printf(scratch, "%s%s%s  %s", out_bytes(scratch, progress->bytes_done), total, rate,
                              progress->note ? progress->note : ""));
}

/* While a human is asked, nothing else may be drawn. */
static struct err *on_confirm(void *arg, enum danger danger, const char *question, const char *expected)
{
    struct progress *p = arg;
    pthread_mutex_lock(&p->lock);
    clear_block(p);
    struct err *e = confirm_ask(p->cli, danger, question, expected);
    pthread_mutex_unlock(&p->lock);
    return e;
}

struct progress *progress_new(struct cli *cli)
{
    struct progress *p = ARENA_NEW(cli->arena, struct progress);
    const char *term = getenv("TERM");
    *p = (struct progress){.cli = cli,
                           .live = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .observer = {.arg = p,
                                        .begin = on_begin,
                                        .end = on_end,
                                        .step_begin = on_step_begin,
                                        .step_end = on_step_end,
                                        .note = on_note,
                                        .live = on_live,
                                        .progress = on_progress,
                                        .confirm = on_confirm}};
    return p;
}

const struct run_observer *progress_observer(struct progress *p)
{
    return &p->observer;
}
