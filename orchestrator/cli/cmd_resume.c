#include "cli/out.h"
#include "cli/run_command.h"

static struct err *only_open_run(struct cli *cli, struct project *project, const char **run_id)
{
    struct run_row *runs;
    size_t count;
    *run_id = NULL;
    TRY(store_run_list(project->store, cli->arena, NULL, 200, &runs, &count));
    for (size_t i = 0; i < count; i++) {
        if (runs[i].state != RUN_RUNNING && runs[i].state != RUN_STOPPED)
            continue;
        if (*run_id)
            return err_with_hint(err_new(ERR_INPUT, "several runs are open"),
                                 "name one: rehost status lists them");
        *run_id = runs[i].id;
    }
    return *run_id ? NULL : err_new(ERR_NOT_FOUND, "no run is open: there is nothing to resume");
}

struct err *cmd_resume(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const char *run_id = cli->argument_count ? cli->arguments[0] : NULL;
    TRY(cli_open_project(cli, &project));
    TRY(project_store_read(project));
    if (!run_id)
        TRY(only_open_run(cli, project, &run_id));
    return run_command_resume(cli, project, run_id);
}
