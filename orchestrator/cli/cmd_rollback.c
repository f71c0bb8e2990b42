#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/run_command.h"
#include "cli/show.h"

struct err *cmd_rollback(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct plan plan;
    TRY(cli_open_project(cli, &project));
    TRY(cli_open_journal(cli, project));
    TRY(plan_rollback(project, cli->arena, cli->arguments[0], &plan));
    show_changes(cli, &plan);
    char *question = arena_printf(cli->arena, "put back what run %s changed for the users of %s",
                                  cli->arguments[0], plan_host(&plan));
    TRY(confirm_ask(cli, DANGER_MODERATE, question, "yes"));
    return run_command_start(cli, project, &plan);
}
