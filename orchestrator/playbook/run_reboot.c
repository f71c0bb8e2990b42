/* reboot, and meta: reset_connection: the link is given up and opened anew. */
#include "base/clock.h"
#include "base/decode.h"
#include "playbook/run.h"
#include <stdlib.h>
#include <string.h>

#define PROBE_MS 1000
#define RENEW_MS 10000 /* sshd may be about to read its configuration again: nobody listens for a moment */

struct reboot {
    int64_t deadline_ms; /* on clock_boot_ms() */
    int64_t connect_timeout_ms;
    const char *test_command;
    const char *start; /* of the machine, before */
};

/* Another session through a fresh link, as run_open() makes the first one. */
static struct err *open_anew(const struct ctx *ctx, struct run *run)
{
    struct ssh *ssh = NULL;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_STRBUF struct strbuf library;
    strbuf_init(&library, 0);
    TRY(run->options->reopen(ctx, run->options->reopen_arg, &ssh));
    TRY(run_open_link(ctx, run->playbook, run->options, ssh, run->link));
    TRY(compile_library(scratch, run->playbook, &library));
    strbuf_adds(&library, run->learned ? run->learned : "");
    if (run->link->becomes)
        TRY(session_become(&run->session, run->options->become_password));
    session_start(&run->session, library.data);
    return session_flush(&run->session);
}

static void give_up_link(struct run *run)
{
    session_free(&run->session);
    link_close(run->link, false);
    *run->link = (struct session_link){0};
    session_init(&run->session, run->ctx, run->link);
    json_object_clear(run->nonces);
}

struct err *run_renew(struct run *run, const struct entry *entry)
{
    TRY(run_settle_all(run));
    if (run_over(run) || run->link->local || !run->options->reopen)
        return NULL;
    TRY(session_end(&run->session));
    const int64_t deadline_ms = clock_boot_ms() + RENEW_MS;
    for (;;) {
        give_up_link(run);
        struct err *e = open_anew(run->ctx, run);
        if (!e)
            return NULL;
        if (err_kind(e) != ERR_TRANSIENT || clock_boot_ms() >= deadline_ms)
            return err_wrap(e, "%s:%d: no new connection", entry->file, entry->line);
        err_free(e);
        TRY(ctx_sleep(run->ctx, PROBE_MS / 4));
    }
}

/* Whether the machine runs anew, and is well. */
static struct err *probe(struct run *run, const struct module_spec *module, const struct reboot *reboot,
                         bool *back)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_JSON json_t *args = json_pack("{s:s, s:s}", "back", "1", "test_command", reboot->test_command);
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, 0);
    struct call call = {.id = ++run->next_id, .flags = "i", .module = module, .args = args};
    struct frame frame = {0};
    struct ctx ctx = ctx_with_timeout(run->ctx, reboot->connect_timeout_ms);
    give_up_link(run);
    run->session.ctx = &ctx;
    TRY(open_anew(&ctx, run));
    TRY(compile_call(scratch, &call, &out));
    session_send(&run->session, out.data, out.length);
    TRY(session_receive(&run->session, NULL, call.id, &frame));
    const char *start = json_string_value(json_object_get(frame.values, "start"));
    *back = frame.status == FRAME_OK && start && strcmp(start, reboot->start) != 0;
    json_decref(frame.values);
    return NULL;
}

static bool hopeless(const struct err *e)
{
    return err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_TRUST || err_kind(e) == ERR_INPUT;
}

static struct err *wait_for_machine(struct run *run, const struct module_spec *module,
                                    const struct reboot *reboot)
{
    CLEANUP_ERR struct err *last = NULL;
    bool back = false;
    for (;;) {
        TRY(ctx_sleep(run->ctx, PROBE_MS));
        struct err *e = probe(run, module, reboot, &back);
        run->session.ctx = run->ctx;
        if (e && hopeless(e))
            return e;
        if (!e && back)
            return NULL;
        if (e) {
            err_free(last);
            last = e;
        }
        if (clock_boot_ms() >= reboot->deadline_ms) {
            give_up_link(run);
            return err_new(ERR_TIMEOUT, "the host did not come back in time after its reboot%s%s",
                           last ? ": " : "", last ? err_text(last) : "");
        }
    }
}

static int64_t seconds(const json_t *args, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(args, name);
    return json_is_integer(value)  ? json_integer_value(value)
           : json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
                                   : fallback;
}

static struct err *come_back(struct run *run, struct job *job, struct step *step)
{
    const json_t *args = job->entry->args;
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
    CLEANUP_JSON json_t *rendered = NULL;
    TRY(template_render_json(job->arena, &env, &place, args, &rendered));
    const char *test = json_string_value(json_object_get(rendered, "test_command"));
    const char *start = json_string_value(json_object_get(step->frame.values, "start"));
    int64_t began_ms = clock_boot_ms();
    struct reboot reboot = {.deadline_ms = began_ms + seconds(rendered, "reboot_timeout", 600) * 1000,
                            .connect_timeout_ms = seconds(rendered, "connect_timeout", 10) * 1000,
                            .test_command = test ? test : "whoami",
                            .start = arena_strdup(job->arena, start ? start : "")};
    TRY(ctx_sleep(run->ctx, seconds(rendered, "pre_reboot_delay", 0) * 1000));
    TRY(wait_for_machine(run, job->entry->module, &reboot));
    TRY(ctx_sleep(run->ctx, seconds(rendered, "post_reboot_delay", 0) * 1000));
    json_object_set_new(step->frame.values, "elapsed", json_integer((clock_boot_ms() - began_ms) / 1000));
    return NULL;
}

struct err *run_reboot(struct run *run, struct job *job, struct step *step, bool in_loop)
{
    TRY(run_settle_all(run));
    if (run->failed)
        return NULL;
    if (!run->options->reopen || run->link->local)
        return entry_error(job->entry, "'reboot' needs a host that can be reached anew");
    TRY(step_start(run, job, step, in_loop, false));
    bool answered = !step->local;
    if (answered)
        TRY(run_await(run, &run->session, step));
    bool reboots = answered && step->frame.status == FRAME_OK && !run->options->check;
    struct err *e = reboots ? come_back(run, job, step) : NULL;
    json_object_del(step->frame.values, "start");
    run_queue(run, step);
    return e;
}
