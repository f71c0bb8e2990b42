/* A host is recovered when it is backed up again: takes the first backup of each dataset from the new server.
 * Output: {backups: {DATASET: STAMP}}.
 */
#include "base/decode.h"
#include "steps/step.h"

static void on_progress(const struct dataset_progress *progress, void *arg)
{
    struct step_run *step = arg;
    step->services->progress(step, progress);
}

static struct err *back_up(struct step_run *step, const struct data_env *env, const json_t *item,
                           json_t *done)
{
    struct dataset dataset = {.host = step->host, .options = json_object_get(item, "options")};
    TRY(decode_string(item, "name", &dataset.name));
    TRY(decode_string(item, "kind", &dataset.kind));
    if (json_object_get(done, dataset.name))
        return NULL; /* before a crash */
    struct ssh *ssh;
    TRY(step_connect(step, &ssh));
    const struct dataset_job job = {
        .id = arena_printf(step->arena, "%s-%s-%s", step->run, step->id, dataset.name),
        .progress = on_progress,
        .progress_arg = step};
    struct restore_point point;
    struct err *e = dataset_backup(step->ctx, env, step->arena, ssh, &dataset, &job, &point);
    if (e) {
        step_drop_link(step);
        return err_wrap(e, "back up dataset '%s'", dataset.name);
    }
    json_object_set_new(done, dataset.name, json_string(point.stamp));
    TRY(step->services->backup_put(step, dataset.name, &point, false));
    step_note(step, "%s '%s' backed up as %s, %lld bytes stored", dataset.kind, dataset.name, point.stamp,
              (long long)point.size_bytes);
    return step->services->save(step);
}

static struct err *protect_apply(struct step_run *step)
{
    struct data_env env;
    TRY(step->services->data(step->services->core, step->effects, &env));
    json_t *done = json_object_get(step->output, "backups");
    if (!done) {
        done = json_object();
        json_object_set_new(step->output, "backups", done);
    }
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(step->input, "datasets"), index, item)
        TRY(back_up(step, &env, item, done));
    return NULL;
}

const struct step_ops step_protect = {
    .kind = "protect",
    .touches = "writes new backups to the object store",
    .danger = DANGER_MILD,
    .estimate_ms = 30000,
    .apply = protect_apply,
};
