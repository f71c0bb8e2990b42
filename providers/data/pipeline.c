#include "providers/data/pipeline.h"

#include "base/log.h"

#include <string.h>

#define FIRST_POLL_MS 100
#define LAST_POLL_MS 1000
#define SHOWN_ERROR_BYTES 800

struct err *pipeline_init(struct pipeline *pipeline, const struct ctx *ctx, const struct data_env *env,
                          struct arena *arena, struct ssh *ssh, const struct dataset *dataset,
                          const struct dataset_job *job)
{
    TRY(dataset_check_options(dataset));
    *pipeline = (struct pipeline){.ctx = ctx,
                                  .env = env,
                                  .arena = arena,
                                  .ssh = ssh,
                                  .dataset = dataset,
                                  .ops = dataset_find_ops(dataset->kind),
                                  .job = job};
    return NULL;
}

bool pipeline_is_final(const struct err *failed)
{
    switch (err_kind(failed)) {
    case ERR_REMOTE:
    case ERR_TRUST:
    case ERR_REJECTED:
    case ERR_CONFLICT:
    case ERR_INPUT:
        return true;
    default:
        return false;
    }
}

void pipeline_remove_job(struct pipeline *pipeline)
{
    struct err *failed CLEANUP_ERR =
        job_remove(pipeline->ctx, pipeline->ssh, pipeline->arena, pipeline->job->id);
    if (failed)
        log_warn("job '%s' stays on the host: %s", pipeline->job->id, err_text(failed));
}

struct err *pipeline_find_job(struct pipeline *pipeline, bool *found)
{
    struct arena *scratch CLEANUP_ARENA = arena_new(0);
    struct job_state state;
    *found = false;
    struct err *failed = job_poll(pipeline->ctx, pipeline->ssh, scratch, pipeline->job->id, &state);
    bool dead = !failed && state.finished && state.exit_status != 0;
    if (dead || (failed && err_kind(failed) == ERR_NOT_FOUND)) {
        err_free(failed);
        return job_remove(pipeline->ctx, pipeline->ssh, scratch,
                          pipeline->job->id); /* also what a reboot left */
    }
    *found = !failed;
    return failed;
}

struct err *pipeline_start_job(struct pipeline *pipeline, const struct strbuf *script,
                               const struct job_file *files, size_t file_count)
{
    int64_t effect;
    const char *subject = arena_printf(pipeline->arena, "%s/%s", pipeline->dataset->host, pipeline->job->id);
    TRY(strbuf_check(script, "the script of a data job"));
    TRY(effect_begin(pipeline->env->effects, "job.start", subject, NULL, &effect));
    return effect_end(pipeline->env->effects, effect,
                      job_start(pipeline->ctx, pipeline->ssh, pipeline->arena, pipeline->job->id,
                                script->data, files, file_count),
                      pipeline->job->id);
}

/* The lines of `text` in one, "a; b; c". */
static void join_lines(const char *text, size_t length, struct strbuf *out)
{
    for (const char *end = text + length; text < end;) {
        size_t line = strcspn(text, "\n");
        if (line > (size_t)(end - text))
            line = (size_t)(end - text);
        if (line)
            strbuf_addf(out, "%s%.*s", out->length ? "; " : "", (int)line, text);
        text += line + 1;
    }
}

/* A script's last line says what was wrong; the lines before come from the programs in the pipe. */
static struct err *script_failed(const struct pipeline *pipeline, const struct job_state *state)
{
    struct strbuf before CLEANUP_STRBUF;
    const char *text = state->errout;
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
        length--;
    size_t last = length;
    while (last && text[last - 1] != '\n')
        last--;
    size_t start = last > SHOWN_ERROR_BYTES ? last - SHOWN_ERROR_BYTES : 0;
    enum err_kind kind = state->exit_status == HOST_REFUSED_STATUS ? ERR_TRUST : ERR_REMOTE;
    strbuf_init(&before, 0);
    join_lines(text + start, last - start, &before);
    if (before.length == 0)
        return err_new(kind, "job '%s' on '%s' ended with code %d: %.*s", pipeline->job->id,
                       pipeline->dataset->host, state->exit_status, (int)(length - last), text + last);
    return err_wrap(err_new(kind, "before that: %s", before.data),
                    "job '%s' on '%s' ended with code %d: %.*s", pipeline->job->id, pipeline->dataset->host,
                    state->exit_status, (int)(length - last), text + last);
}

static void show_progress(const struct pipeline *pipeline, const struct host_report *report)
{
    const struct dataset_progress progress = {report->bytes_done, pipeline->bytes_total, report->note};
    if (pipeline->job->progress)
        pipeline->job->progress(&progress, pipeline->job->progress_arg);
}

/* One poll in an arena of its own, because a job may run for hours; the last report is parsed again into the
 * pipeline's arena. */
static struct err *poll_once(struct pipeline *pipeline, pipeline_fn *on_report, void *arg, bool *finished,
                             struct host_report *report)
{
    struct arena *scratch CLEANUP_ARENA = arena_new(0);
    struct host_report now;
    struct job_state state;
    TRY(job_poll(pipeline->ctx, pipeline->ssh, scratch, pipeline->job->id, &state));
    if (state.finished && state.exit_status != 0)
        return script_failed(pipeline, &state);
    TRY(host_report_parse(scratch, state.out, &now));
    show_progress(pipeline, &now);
    *finished = state.finished;
    if (state.finished)
        return host_report_parse(pipeline->arena, state.out, report);
    return on_report ? on_report(pipeline, &now, arg) : NULL;
}

struct err *pipeline_follow_job(struct pipeline *pipeline, pipeline_fn *on_report, void *arg,
                                struct host_report *report)
{
    int64_t pause_ms = FIRST_POLL_MS;
    for (bool finished = false;;) {
        TRY(poll_once(pipeline, on_report, arg, &finished, report));
        if (finished)
            return NULL;
        TRY(ctx_sleep(pipeline->ctx, pause_ms));
        pause_ms = pause_ms * 3 / 2 < LAST_POLL_MS ? pause_ms * 3 / 2 : LAST_POLL_MS;
    }
}

struct err *pipeline_run(struct pipeline *pipeline, const struct strbuf *script, const char **out)
{
    struct ssh_result result;
    TRY(strbuf_check(script, "a script for a host"));
    TRY(ssh_run(pipeline->ctx, pipeline->ssh, pipeline->arena, "bash -s", script->data, script->length,
                &result));
    *out = result.out;
    return NULL;
}
