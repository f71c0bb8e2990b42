#include "base/fs.h"
#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/plan_options.h"
#include "cli/run_command.h"
#include "cli/show.h"
#include <string.h>

/* An approved plan is a file; a host is a name of the inventory. */
static struct err *take_plan(struct cli *cli, struct project *project, struct plan *plan)
{
    const char *argument = cli->arguments[0];
    if (strchr(argument, '/') || strchr(argument, '.')) {
        TRY(plan_load(cli->arena, argument, plan));
        return plan_check_fresh(plan, project->inventory);
    }
    struct plan_options options;
    const struct host *host;
    TRY(cli_plan_options(cli, &options));
    TRY(cli_pick_host(cli, project, &host));
    return plan_recover(project, cli->arena, host, &options, plan);
}

struct err *cmd_recover(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct plan plan;
    TRY(cli_open_project(cli, &project));
    TRY(project_store(project));
    TRY(take_plan(cli, project, &plan));
    TRY(run_check_free(project, cli->arena, plan_host(&plan)));
    show_plan(cli, &plan, false);
    out_text(cli, "\n");
    char *question =
        arena_printf(cli->arena, "recover %s: create a server, restore, move DNS", plan_host(&plan));
    TRY(confirm_ask(cli, DANGER_MODERATE, question, "yes"));
    return run_command_start(cli, project, &plan);
}
