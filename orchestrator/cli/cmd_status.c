#include "base/clock.h"
#include "base/decode.h"
#include "cli/out.h"
#include <string.h>

static json_t *time_or_null(int64_t at_ms)
{
    return at_ms ? json_integer(at_ms) : json_null();
}

/* --- hosts --- */

static struct err *status_dataset(struct cli *cli, struct project *project, const struct host *host,
                                  const struct host_dataset *dataset, json_t *list, bool *attention)
{
    struct backup_row newest;
    TRY(store_backup_newest(project->store, cli->arena, host->name, dataset->name, &newest));
    const int64_t age_ms = clock_now_ms() - newest.taken_ms;
    const int64_t rpo_ms = dataset->rpo_ms ? dataset->rpo_ms : host->objectives.rpo_ms;
    const char *state = !newest.stamp ? "XX" : age_ms > rpo_ms ? "!!" : "ok";
    *attention |= strcmp(state, "ok") != 0;
    out_text(cli, "   %s %-10s %-16s %s\n", state, dataset->kind, dataset->name,
             newest.stamp ? arena_printf(cli->arena, "%s  %s old (RPO %s)  %s  %s", newest.stamp,
                                         out_duration(cli->arena, age_ms), out_duration(cli->arena, rpo_ms),
                                         out_bytes(cli->arena, newest.size_bytes),
                                         newest.verified ? "restored and proven" : "not restored yet")
                          : "no backup in this journal");
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?, s:o, s:I, s:b}", "dataset", dataset->name,
                                          "kind", dataset->kind, "state", state, "stamp", newest.stamp,
                                          "taken_ms", time_or_null(newest.taken_ms), "rpo_ms",
                                          (json_int_t)rpo_ms, "verified", newest.verified));
    return NULL;
}

static struct err *status_host(struct cli *cli, struct project *project, const struct host *host,
                               json_t *hosts, bool *attention)
{
    struct host_location location;
    TRY(project_locate(project, host, &location));
    out_text(cli, " %-14s %s %s%s%s\n", host->name, location.account, location.name,
             location.address ? " " : "", location.address ? location.address : "");
    json_t *datasets = json_array();
    json_array_append_new(hosts,
                          json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:o}", "host", host->name, "provider",
                                    location.account, "server", location.name, "address", location.address,
                                    "host_key", location.host_key, "datasets", datasets));
    for (FOREACH(struct host_dataset, dataset, host->datasets))
        TRY(status_dataset(cli, project, host, dataset, datasets, attention));
    return NULL;
}

/* --- runs --- */

static void status_run(struct cli *cli, const struct run_row *run, json_t *runs)
{
    const char *holder =
        run->holder.run && !run->holder.gone ? arena_printf(cli->arena, "  by %s", run->holder.owner) : "";
    /* A run that says it is running while nobody holds its lease was killed. */
    bool killed = run->state == RUN_RUNNING && run->holder.gone;
    const char *state = killed ? "interrupted" : run_state_name(run->state);
    out_text(cli, " %-12s %-8s %-12s %-12s %s%s%s\n", run->id, run->kind, run->host, state,
             out_time(cli->arena, run->started_ms), holder,
             run->state == RUN_STOPPED || killed ? arena_printf(cli->arena, "   -> rehost resume %s", run->id)
                                                 : "");
    json_array_append_new(runs, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:s?}", "run", run->id, "kind",
                                          run->kind, "host", run->host, "state", state, "started_ms",
                                          (json_int_t)run->started_ms, "ended_ms",
                                          time_or_null(run->ended_ms), "owner", run->holder.owner));
}

static struct err *status_runs(struct cli *cli, struct project *project, const char *host, json_t *list)
{
    struct run_row *runs;
    size_t count;
    TRY(store_run_list(project->store, cli->arena, host, 10, &runs, &count));
    out_text(cli, "%s\n", count ? "runs, newest first" : "no runs yet");
    for (size_t i = 0; i < count; i++)
        status_run(cli, &runs[i], list);
    return NULL;
}

static struct err *status_steps(struct cli *cli, struct project *project, const char *run_id)
{
    struct run_row run;
    TRY(store_run_get(project->store, cli->arena, run_id, &run));
    json_t *runs = json_array(), *list = json_array();
    cli->data = json_pack("{s:o, s:o}", "runs", runs, "steps", list);
    status_run(cli, &run, runs);
    struct step_row *steps;
    size_t count;
    TRY(store_step_list(project->store, cli->arena, run_id, &steps, &count));
    for (size_t i = 0; i < count; i++) {
        const struct step_row *step = &steps[i];
        const char *took = step->ended_ms ? out_duration(cli->arena, step->ended_ms - step->started_ms) : "";
        out_text(cli, "  %2d %-8s %-44s %s\n", step->seq, step_state_name(step->state), step->title, took);
        if (step->error)
            out_text(cli, "     %s\n", step->error);
        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s, s:s, s:i, s:s?}", "seq", step->seq, "id", step->id,
                                        "title", step->title, "state", step_state_name(step->state),
                                        "attempts", step->attempts, "error", step->error));
    }
    return NULL;
}

struct err *cmd_status(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const char *what = cli->argument_count ? cli->arguments[0] : NULL;
    TRY(cli_open_project(cli, &project));
    TRY(project_store_read(project));
    if (what && !strncmp(what, "r-", 2))
        return status_steps(cli, project, what);
    const struct host *only = NULL;
    if (what)
        TRY(inventory_host(project->inventory, what, &only));
    json_t *hosts = json_array(), *runs = json_array();
    cli->data = json_pack("{s:o, s:o}", "hosts", hosts, "runs", runs);
    bool attention = false;
    for (FOREACH(struct host, host, project->inventory->hosts))
        if (!only || host == only)
            TRY(status_host(cli, project, host, hosts, &attention));
    cli->exit_code = attention ? EXIT_ATTENTION : EXIT_OK;
    return status_runs(cli, project, what, runs);
}
