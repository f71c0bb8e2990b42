/* Restores one dataset to the new server and compares what arrived with what was counted when the backup was
 * made. Output: {stamp, taken_ms, size_bytes, probes}.
 */
#include "base/decode.h"
#include "steps/step.h"
#include <string.h>

static void on_progress(const struct dataset_progress *progress, void *arg)
{
    struct step_run *step = arg;
    step->services->progress(step, progress);
}

static struct err *find_point(struct step_run *step, const struct data_env *env,
                              const struct dataset *dataset, const char *stamp, struct restore_point *point)
{
    struct restore_point *points;
    size_t count;
    TRY(dataset_list_points(step->ctx, env, step->arena, dataset, &points, &count, NULL, NULL));
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(points[i].stamp, stamp)) {
            *point = points[i];
            return NULL;
        }
    }
    return err_with_hint(err_new(ERR_NOT_FOUND,
                                 "restore point '%s' of dataset '%s' is not in the store any more", stamp,
                                 dataset->name),
                         "see what there is: rehost plan %s", step->host);
}

static struct err *restore_point_to_host(struct step_run *step, const struct data_env *env,
                                         const struct dataset *dataset, const struct restore_point *point,
                                         struct restore_result *result)
{
    struct ssh *ssh;
    TRY(step_connect(step, &ssh));
    const struct dataset_job job = {.id = arena_printf(step->arena, "%s-%s", step->run, step->id),
                                    .progress = on_progress,
                                    .progress_arg = step};
    struct err *e = dataset_restore(step->ctx, env, step->arena, ssh, dataset, point, &job, result);
    if (e)
        step_drop_link(step);
    return e;
}

static struct err *restore_apply(struct step_run *step)
{
    struct dataset dataset = {.host = step->host, .options = json_object_get(step->input, "options")};
    const char *stamp;
    TRY(decode_string(step->input, "name", &dataset.name));
    TRY(decode_string(step->input, "kind", &dataset.kind));
    TRY(decode_string(step->input, "stamp", &stamp));
    struct data_env env;
    TRY(step->services->data(step->services->core, step->effects, &env));
    struct restore_point point;
    TRY(find_point(step, &env, &dataset, stamp, &point));
    struct restore_result result = {0};
    TRY(restore_point_to_host(step, &env, &dataset, &point, &result));
    TRY(dataset_compare_probes(step->arena, point.probes, result.probes));
    json_object_set_new(step->output, "stamp", json_string(point.stamp));
    json_object_set_new(step->output, "taken_ms", json_integer(point.taken_ms));
    json_object_set_new(step->output, "size_bytes", json_integer(point.size_bytes));
    json_object_set(step->output, "probes", result.probes);
    step_note(step, "%s '%s' restored from %s; what was counted at the source is there", dataset.kind,
              dataset.name, point.stamp);
    return step->services->backup_put(step, dataset.name, &point, true);
}

const struct step_ops step_restore = {
    .kind = "restore",
    .touches = "restores a dataset beside what exists on the new server",
    .danger = DANGER_MILD,
    .estimate_ms = 60000,
    .apply = restore_apply,
};
