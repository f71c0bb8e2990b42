#include "cli/progress.h"
#include "base/clock.h"
#include "base/decode.h"
#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/stop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEARTBEAT_MS 30000
#define REDRAW_MS 100

struct progress {
    struct cli *cli;
    struct run_observer observer;
    bool live; /* a terminal that can be redrawn */
    bool line_shown;
    char run[64];
    int64_t incident_ms, rto_ms;
    char title[160];
    char doing[200];
    int seq, count;
    int64_t step_started_ms, last_said_ms, last_drawn_ms;
};

static const char *color(const struct progress *p, const char *code)
{
    return p->cli->color ? code : "";
}

void progress_clear(struct progress *p)
{
    if (p->line_shown)
        out_info("\r\033[K");
    p->line_shown = false;
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/* "..  8 configure nginx-site   0:34   Enable the site" cut to the terminal's width */
static void draw(struct progress *p)
{
    const int64_t now_ms = clock_boot_ms();
    if (now_ms - p->last_drawn_ms < REDRAW_MS)
        return;
    p->last_drawn_ms = now_ms;
    char took[CLOCK_TEXT_SIZE];
    clock_format_duration((now_ms - p->step_started_ms) / 1000 * 1000, took);
    CLEANUP_STRBUF struct strbuf line;
    strbuf_init(&line, 4096);
    strbuf_addf(&line, ".. %2d/%d %s  %s  %s", p->seq, p->count, p->title, took, p->doing);
    progress_clear(p);
    out_info("\r%.*s", terminal_width() - 1, line.data);
    p->line_shown = true;
}

static void heartbeat(struct progress *p)
{
    const int64_t now_ms = clock_boot_ms();
    if (p->live) {
        draw(p);
        return;
    }
    if (now_ms - p->last_said_ms < HEARTBEAT_MS)
        return;
    p->last_said_ms = now_ms;
    char took[CLOCK_TEXT_SIZE];
    out_info("..     %s: %s  %s\n", p->title, clock_format_duration(now_ms - p->step_started_ms, took),
             p->doing);
}

static void on_begin(void *arg, const char *run, const struct plan *plan, bool resumed)
{
    struct progress *p = arg;
    (void)snprintf(p->run, sizeof(p->run), "%s", run);
    p->incident_ms = json_integer_value(json_object_get(plan->json, "incident_ms"));
    p->rto_ms = json_integer_value(decode_find(plan->json, "objectives.rto_ms"));
    char line[160];
    (void)snprintf(line, sizeof(line), "Go on with: rehost resume %s\n", run);
    stop_set_resume_line(line);
    out_info("%s %s  run %s  %s\n", resumed ? "resuming" : "begin", plan_host(plan), run,
             json_string_value(json_object_get(plan->json, "kind")));
}

static void on_step_begin(void *arg, const struct run_step_view *step)
{
    struct progress *p = arg;
    p->seq = step->seq;
    p->count = step->count;
    p->doing[0] = '\0';
    (void)snprintf(p->title, sizeof(p->title), "%s", step->title);
    p->step_started_ms = p->last_said_ms = clock_boot_ms();
    heartbeat(p);
}

static void on_step_end(void *arg, const struct run_step_view *step, const struct err *error)
{
    struct progress *p = arg;
    char took[CLOCK_TEXT_SIZE];
    progress_clear(p);
    out_info("%s%s%s %2d/%d %-44s %s\n", color(p, error ? "\033[31m" : "\033[32m"), error ? "XX" : "ok",
             color(p, "\033[0m"), step->seq, step->count, step->title,
             clock_format_duration(step->elapsed_ms, took));
    p->last_said_ms = clock_boot_ms();
}

static void on_note(void *arg, const char *text)
{
    struct progress *p = arg;
    progress_clear(p);
    out_info("         %s\n", text);
    p->last_said_ms = clock_boot_ms();
}

static void on_live(void *arg, const char *text)
{
    struct progress *p = arg;
    (void)snprintf(p->doing, sizeof(p->doing), "%s", text);
    heartbeat(p);
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
    (void)snprintf(p->doing, sizeof(p->doing), "%s%s%s  %s", out_bytes(scratch, progress->bytes_done), total, rate,
             progress->note ? progress->note : "");
    heartbeat(p);
}

static struct err *on_confirm(void *arg, enum danger danger, const char *question, const char *expected)
{
    struct progress *p = arg;
    progress_clear(p);
    return confirm_ask(p->cli, danger, question, expected);
}

struct progress *progress_new(struct cli *cli)
{
    struct progress *p = ARENA_NEW(cli->arena, struct progress);
    const char *term = getenv("TERM");
    *p = (struct progress){.cli = cli,
                           .live = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
                           .observer = {.arg = p,
                                        .begin = on_begin,
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
