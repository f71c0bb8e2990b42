#include "base/fs.h"
#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/plan_options.h"
#include "cli/run_command.h"
#include "cli/show.h"
#include <string.h>

/* A plan is good for one run: afterwards neither the old server nor DNS are what it saw. */
static struct err *refuse_used_plan(struct cli *cli, struct project *project, const struct plan *plan)
{
    struct run_row *runs;
    size_t count;
    const int64_t made_ms = json_integer_value(json_object_get(plan->json, "made_ms"));
    TRY(run_check_free(project, cli->arena, plan_host(plan)));
    TRY(store_run_list(project->store, cli->arena, plan_host(plan), 50, &runs, &count));
    for (size_t i = 0; i < count; i++)
        if (!strcmp(runs[i].kind, "recover") && runs[i].started_ms >= made_ms)
            return err_with_hint(err_new(ERR_STALE, "run '%s' recovered '%s' after this plan was made",
                                         runs[i].id, plan_host(plan)),
                                 "make and approve a new one: rehost plan %s --out FILE", plan_host(plan));
    return NULL;
}

/* An approved plan is a file; a host is a name of the inventory. */
static bool is_plan_file(struct project *project, const char *argument)
{
    const struct host *host;
    CLEANUP_ERR struct err *no_host = inventory_host(project->inventory, argument, &host);
    return no_host && (strchr(argument, '/') || strchr(argument, '.') || fs_exists(argument));
}

static struct err *take_plan(struct cli *cli, struct project *project, struct plan *plan)
{
    const char *argument = cli->arguments[0];
    if (is_plan_file(project, argument)) {
        if (cli_has_plan_options(cli))
            return err_with_hint(
                err_new(ERR_INPUT, "'%s' is a plan: places and times are its own", argument),
                "leave --to, --without, --incident, --before and --timestamp out, or make another "
                "plan");
        TRY(plan_load(cli->arena, argument, plan));
        TRY(plan_check_fresh(plan, project->inventory));
        TRY(plan_check_playbooks(project, plan));
        return refuse_used_plan(cli, project, plan);
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
    TRY(cli_open_journal(cli, project));
    TRY(take_plan(cli, project, &plan));
    TRY(run_check_free(project, cli->arena, plan_host(&plan)));
    show_plan(cli, &plan, false);
    out_text(cli, "\n");
    char *question =
        arena_printf(cli->arena, "recover %s: create a server, restore, move DNS", plan_host(&plan));
    TRY(confirm_ask(cli, DANGER_MODERATE, question, "yes"));
    return run_command_start(cli, project, &plan);
}
