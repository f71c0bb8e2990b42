#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/run_command.h"

struct err *cmd_destroy(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const char *run_id = cli->arguments[0];
    struct run_options options;
    int removed;
    TRY(cli_open_project(cli, &project));
    TRY(project_store_read(project));
    struct run_row run;
    TRY(store_run_get(project->store, cli->arena, run_id, &run));
    TRY(run_command_options(cli, NULL, &options));
    char *question =
        arena_printf(cli->arena, "remove every server that run %s of host %s made", run_id, run.host);
    TRY(confirm_ask(cli, DANGER_SEVERE, question, run_id));
    TRY(run_destroy(project, cli->arena, run_id, &options, &removed));
    out_text(cli, "run %s is given up; %d servers removed\n", run_id, removed);
    cli->data = json_pack("{s:s, s:i}", "run", run_id, "removed", removed);
    return NULL;
}
