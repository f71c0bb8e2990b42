#include "cli/run_command.h"
#include "base/decode.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/show.h"
#include <string.h>

struct err *run_command_options(struct cli *cli, const struct host *host, struct run_options *options)
{
    *options =
        (struct run_options){.observer = progress_observer(progress_new(cli)), .cancel_fd = cli->cancel_fd};
    const char *accepted = cli_option(cli, "accept-unproven-fence");
    if (accepted && host && strcmp(accepted, host->name) != 0)
        return err_new(ERR_INPUT, "--accept-unproven-fence names '%s', but the host is '%s'", accepted,
                       host->name);
    options->accept_unproven_fence = accepted != NULL;
    options->alone = cli_switch(cli, "i-am-alone");
    return NULL;
}

/* The run is over: its verdict from the journal. */
static struct err *tell_end(struct cli *cli, struct project *project, const char *run_id)
{
    struct run_row row;
    TRY(store_run_get(project->store, cli->arena, run_id, &row));
    CLEANUP_JSON json_t *verdict = NULL;
    TRY(decode_json(row.verdict, strlen(row.verdict), "the journal", &verdict));
    cli->data = json_pack("{s:s, s:s, s:s, s:O}", "run", run_id, "host", row.host, "kind", row.kind,
                          "verdict", verdict);
    if (strcmp(row.kind, "recover") != 0) {
        out_text(cli, "DONE  %s of %s  run %s\n", row.kind, row.host, run_id);
        return NULL;
    }
    bool met = json_is_true(json_object_get(verdict, "met"));
    out_text(cli, "\nDONE     %s recovered   run %s\n", row.host, run_id);
    show_verdict(cli, verdict);
    out_text(cli, "\n%s.  Report:  rehost report %s\n",
             met ? "All objectives met" : "An objective was MISSED", run_id);
    cli->exit_code = met ? EXIT_OK : EXIT_OBJECTIVE_MISSED;
    return NULL;
}

/* A stopped run: what is left, and how to go on. The kind of the error decides the exit code, except that a
 * stopped run is resumable. */
static struct err *tell_stop(struct cli *cli, struct project *project, const char *run_id, struct err *e)
{
    struct run_row row = {0};
    err_free(store_run_get(project->store, cli->arena, run_id, &row));
    if (row.state != RUN_RUNNING && row.state != RUN_STOPPED) { /* a backup: it is taken anew */
        cli->data = json_pack("{s:s, s:s}", "run", run_id, "state", run_state_name(row.state));
        return e;
    }
    if (err_kind(e) == ERR_STALE) /* somebody else goes on with it */
        return e;
    cli->data = json_pack("{s:s, s:s}", "run", run_id, "state", "stopped");
    out_info("\n--       run %s is stopped; what it did is in the journal.  Go on with: rehost resume %s\n",
             run_id, run_id);
    enum err_kind kind = err_kind(e);
    bool own_code = kind == ERR_APPROVAL || kind == ERR_UNKNOWN_OUTCOME;
    cli->exit_code = own_code ? cli_exit_code_of(e) : EXIT_RESUMABLE;
    return e;
}

struct err *run_command_start(struct cli *cli, struct project *project, const struct plan *plan)
{
    const struct host *host;
    struct run_options options;
    const char *run_id = NULL;
    TRY(inventory_host(project->inventory, plan_host(plan), &host));
    TRY(run_command_options(cli, host, &options));
    struct err *e = run_start(project, cli->arena, plan, &options, &run_id);
    if (e)
        return run_id ? tell_stop(cli, project, run_id, e) : e;
    return tell_end(cli, project, run_id);
}

struct err *run_command_resume(struct cli *cli, struct project *project, const char *run_id)
{
    struct run_options options;
    struct run_row row;
    TRY(store_run_get(project->store, cli->arena, run_id, &row));
    const struct host *host;
    TRY(inventory_host(project->inventory, row.host, &host));
    TRY(run_command_options(cli, host, &options));
    struct err *e = run_resume(project, cli->arena, run_id, &options);
    if (!e)
        return tell_end(cli, project, run_id);
    return err_kind(e) == ERR_HELD ? e : tell_stop(cli, project, run_id, e);
}
