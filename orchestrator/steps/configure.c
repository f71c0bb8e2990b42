/* Applies one playbook to the new server. Output: {ok, changed, skipped}. A lost link is no failure: tasks
 * are idempotent, the playbook runs again; commands that answered are not repeated, and one that was under
 * way stops the run, because nobody knows whether it took effect. */
#include "base/decode.h"
#include "steps/step.h"

#define LINK_ATTEMPTS 3

static void on_start(const char *task, void *arg)
{
    struct step_run *step = arg;
    step_live(step, "%s", task);
}

static struct err *reopen(const struct ctx *ctx, void *arg, struct ssh **ssh)
{
    (void)ctx;
    step_drop_link(arg);
    return step_connect(arg, ssh);
}

static struct err *apply_once(struct step_run *step, const struct playbook *playbook, json_t *vars,
                              json_t *done, struct playbook_result *result)
{
    struct ssh *ssh;
    TRY(step_connect(step, &ssh));
    const struct playbook_options options = {.host_name = step->host,
                                             .host_vars = vars,
                                             .done = done,
                                             .on_start = on_start,
                                             .arg = step,
                                             .reopen = reopen,
                                             .reopen_arg = step};
    return playbook_apply(step->ctx, playbook, ssh, step->arena, &options, result);
}

static struct err *describe_failure(struct step_run *step, struct err *e,
                                    const struct playbook_result *result)
{
    if (err_kind(e) != ERR_REMOTE || !result->failed.task)
        return e;
    return err_with_hint(
        err_wrap(e, "task '%s' (%s:%d)", result->failed.task, result->failed.file, result->failed.line),
        "mend the cause on the host or in the playbook, then: rehost resume %s", step->run);
}

static struct err *configure_apply(struct step_run *step)
{
    const char *name;
    TRY(decode_string(step->input, "playbook", &name));
    const struct playbook *playbook;
    TRY(step->services->playbook(step->services->core, name, &playbook));
    CLEANUP_JSON json_t *vars = NULL;
    TRY(step->services->vars(step->services->core, step->host, &vars));
    CLEANUP_JSON json_t *done = json_object();
    struct playbook_result result = {0};
    for (int attempt = 1;; attempt++) {
        CLEANUP_ERR struct err *e = apply_once(step, playbook, vars, done, &result);
        if (!e)
            break;
        step_drop_link(step);
        bool again = err_kind(e) == ERR_UNKNOWN_OUTCOME && (!result.doubted.task || result.repeatable);
        if (!again || attempt == LINK_ATTEMPTS)
            return describe_failure(step, TAKE(e), &result);
        step_note(step, "the link was lost during '%s'; applying it again: %s", name, err_text(e));
    }
    json_object_set_new(step->output, "ok", json_integer(result.counts[TASK_OK]));
    json_object_set_new(step->output, "changed", json_integer(result.counts[TASK_CHANGED]));
    json_object_set_new(step->output, "skipped", json_integer(result.counts[TASK_SKIPPED]));
    step_note(step, "%s: %d ok, %d changed, %d skipped", name, result.counts[TASK_OK],
              result.counts[TASK_CHANGED], result.counts[TASK_SKIPPED]);
    return NULL;
}

const struct step_ops step_configure = {
    .kind = "configure",
    .touches = "applies a playbook to the new server",
    .danger = DANGER_MILD,
    .estimate_ms = 60000,
    .apply = configure_apply,
};
