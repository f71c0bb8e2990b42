#include "cli/out.h"
#include "cli/run_command.h"

struct err *cmd_backup(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const struct host *host;
    struct plan plan;
    TRY(cli_open_project(cli, &project));
    TRY(cli_pick_host(cli, project, &host));
    TRY(plan_backup(project, cli->arena, host, cli_option(cli, "dataset"), &plan));
    TRY(cli_open_journal(cli, project));
    TRY(run_command_start(cli, project, &plan));
    for (FOREACH(struct host_dataset, dataset, host->datasets)) {
        struct backup_row backup;
        TRY(store_backup_newest(project->store, cli->arena, host->name, dataset->name, &backup));
        if (backup.stamp)
            out_text(cli, "  %-10s %-16s %s   %s\n", dataset->kind, dataset->name, backup.stamp,
                     out_bytes(cli->arena, backup.size_bytes));
    }
    return NULL;
}
