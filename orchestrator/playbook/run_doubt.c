/* What is known when the link is lost, and what a second application need not repeat.
 *
 * Modules find out what is there already, so that they can be applied again. A command cannot: what it
 * answered is kept (options->done), and given instead of running it again. Nobody knows of the task that was
 * under way, nor of those that were sent after it: a host that lost the link unnoticed goes on with them.
 */
#include "base/decode.h"
#include "playbook/run.h"
#include <string.h>

static bool is_command(const struct entry *entry)
{
    enum action action = entry->module->action;
    return action == ACTION_COMMAND || action == ACTION_SCRIPT;
}

static bool repeatable(const struct entry *entry)
{
    return !is_command(entry) || json_object_get(entry->args, "creates") ||
           json_object_get(entry->args, "removes");
}

void doubt_name_step(struct run *run, struct job *job, struct step *step)
{
    if (!run->options->done || !is_command(job->entry))
        return;
    const struct entry *entry = job->entry;
    const char *place = arena_printf(job->arena, "%s:%d:%d", entry->file, entry->line, entry->column);
    json_int_t visit = json_integer_value(json_object_get(run->visits, place)) + 1;
    json_object_set_new(run->visits, place, json_integer(visit));
    step->done_key = arena_printf(job->arena, "%s#%lld", place, (long long)visit);
}

bool doubt_is_done(struct run *run, struct step *step)
{
    json_t *values = step->done_key ? json_object_get(run->options->done, step->done_key) : NULL;
    if (!values)
        return false;
    step->local = true;
    step->frame = (struct frame){.status = FRAME_OK, .values = json_deep_copy(values)};
    return true;
}

void doubt_note_answer(struct run *run, const struct step *step)
{
    if (step->done_key && step->frame.status == FRAME_OK)
        json_object_set_new(run->options->done, step->done_key, json_deep_copy(step->frame.values));
}

/* The first step that may have been begun, or of these the first that cannot be repeated; or NULL. */
static const struct step *first_open(const struct run *run, bool unrepeatable)
{
    const struct step *step = run->first;
    while (step && (step->local || (unrepeatable && repeatable(step->job->entry))))
        step = step->next;
    return step;
}

static struct err *advise(struct err *e, const struct entry *entry, const struct entry *command)
{
    if (!command)
        return err_with_hint(e, "apply the playbook again: module '%s' finds out what is there already",
                             entry->module->name);
    return err_with_hint(
        e,
        "'%s' (%s:%d) runs anew each time: look at the host first, then apply the playbook again, from this "
        "task on with --start-at-task or without it",
        command->module->name, command->file, command->line);
}

struct err *doubt_explain(struct run *run, struct err *e)
{
    if (err_kind(e) != ERR_UNKNOWN_OUTCOME)
        return e;
    const struct step *step = first_open(run, false), *command = first_open(run, true);
    if (!step)
        return err_with_hint(err_wrap(e, "the link was lost between two tasks; all that were sent are done"),
                             "apply the playbook again");
    const struct entry *entry = step->job->entry;
    const char *task = arena_strdup(run->arena, job_title(run, step->job));
    size_t later = 0;
    for (const struct step *s = step->next; s; s = s->next)
        later += !s->local && s->job != step->job;
    run->result->doubted = (struct task_event){.task = task,
                                               .module = entry->module->name,
                                               .file = entry->file,
                                               .line = entry->line,
                                               .message = "",
                                               .diff = ""};
    run->result->repeatable = !command;
    e = err_wrap(e,
                 "the link was lost or given up while task '%s' (%s:%d) was under way: whether it took "
                 "effect is not known; what "
                 "came before it is done, what comes after it was not begun%s",
                 task, entry->file, entry->line,
                 later ? ", unless the host went on with what had been sent already" : "");
    return advise(e, entry, command ? command->job->entry : NULL);
}
