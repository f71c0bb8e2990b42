#include "base/decode.h"
#include "cli/out.h"
#include "cli/show.h"
#include <string.h>

static struct err *pick_run(struct cli *cli, struct project *project, struct run_row *run)
{
    if (cli->argument_count)
        return store_run_get(project->store, cli->arena, cli->arguments[0], run);
    struct run_row *runs;
    size_t count;
    TRY(store_run_list(project->store, cli->arena, NULL, 1, &runs, &count));
    if (!count)
        return err_with_hint(err_new(ERR_NOT_FOUND, "there is no run to report on"),
                             "rehost recover HOST makes one");
    *run = runs[0];
    return NULL;
}

static struct err *report_steps(struct cli *cli, struct project *project, const struct run_row *run,
                                json_t *report)
{
    struct step_row *steps;
    size_t count;
    TRY(store_step_list(project->store, cli->arena, run->id, &steps, &count));
    json_t *list = json_array();
    json_object_set_new(report, "steps", list);
    out_text(cli, "\n  #  step                                          state       took  tries\n");
    for (size_t i = 0; i < count; i++) {
        const struct step_row *step = &steps[i];
        int64_t took_ms = step->ended_ms ? step->ended_ms - step->started_ms : 0;
        out_text(cli, " %2d  %-44s  %-8s %8s  %d\n", step->seq, step->title, step_state_name(step->state),
                 step->ended_ms ? out_duration(cli->arena, took_ms) : "-", step->attempts);
        if (step->error)
            out_text(cli, "     %s\n", step->error);
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:s?}", "seq",
                                              step->seq, "id", step->id, "kind", step->kind, "title",
                                              step->title, "state", step_state_name(step->state), "attempts",
                                              step->attempts, "started_ms", (json_int_t)step->started_ms,
                                              "ended_ms", (json_int_t)step->ended_ms, "error", step->error));
    }
    return NULL;
}

static struct err *report_effects(struct cli *cli, struct project *project, const struct run_row *run,
                                  json_t *report)
{
    struct effect_row *effects;
    size_t count;
    TRY(store_effect_list(project->store, cli->arena, run->id, &effects, &count));
    json_t *list = json_array();
    json_object_set_new(report, "effects", list);
    out_text(cli, "\ncalls that changed the outside\n");
    for (size_t i = 0; i < count; i++) {
        const struct effect_row *effect = &effects[i];
        const char *outcome = effect->outcome ? effect->outcome : "no outcome stored";
        out_text(cli, "  %s  %-18s %-36s %s%s%s\n", out_time(cli->arena, effect->begun_ms), effect->what,
                 effect->subject ? effect->subject : "", outcome, effect->error ? ": " : "",
                 effect->error ? effect->error : "");
        json_array_append_new(list, json_pack("{s:I, s:i, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "begun_ms",
                                              (json_int_t)effect->begun_ms, "step", effect->step_seq, "what",
                                              effect->what, "subject", effect->subject, "detail",
                                              effect->detail, "outcome", effect->outcome, "error",
                                              effect->error, "reference", effect->reference));
    }
    return NULL;
}

static struct err *report_events(struct cli *cli, struct project *project, const struct run_row *run,
                                 json_t *report)
{
    struct event_row *events;
    size_t count;
    TRY(store_event_list(project->store, cli->arena, run->id, &events, &count));
    json_t *list = json_array();
    json_object_set_new(report, "events", list);
    out_text(cli, "\nwhat was seen\n");
    for (size_t i = 0; i < count; i++) {
        out_text(cli, "  %s  %s\n", out_time(cli->arena, events[i].at_ms), events[i].text);
        json_array_append_new(
            list, json_pack("{s:I, s:s}", "at_ms", (json_int_t)events[i].at_ms, "text", events[i].text));
    }
    return NULL;
}

static struct err *report_verdict(struct cli *cli, const struct run_row *run, json_t *report)
{
    if (!run->verdict) {
        out_text(cli, "no verdict: the run is %s\n", run_state_name(run->state));
        return NULL;
    }
    json_t *verdict;
    TRY(decode_json(run->verdict, strlen(run->verdict), "the journal", &verdict));
    json_object_set_new(report, "verdict", verdict);
    if (!strcmp(run->kind, "recover"))
        show_verdict(cli, verdict);
    return NULL;
}

struct err *cmd_report(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct run_row run;
    TRY(cli_open_project(cli, &project));
    TRY(project_store_read(project));
    TRY(pick_run(cli, project, &run));
    out_text(cli, "%s of %s   run %s   %s   by %s\nplan %.12s   started %s   ended %s\n\n", run.kind,
             run.host, run.id, run_state_name(run.state), run.created_by, run.plan_digest,
             out_time(cli->arena, run.started_ms), out_time(cli->arena, run.ended_ms));
    cli->data =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s?}", "run", run.id, "host", run.host, "kind",
                  run.kind, "state", run_state_name(run.state), "plan_digest", run.plan_digest, "incident_ms",
                  (json_int_t)run.incident_ms, "started_ms", (json_int_t)run.started_ms, "ended_ms",
                  (json_int_t)run.ended_ms, "created_by", run.created_by);
    TRY(report_verdict(cli, &run, cli->data));
    TRY(report_steps(cli, project, &run, cli->data));
    TRY(report_effects(cli, project, &run, cli->data));
    return report_events(cli, project, &run, cli->data);
}
