#include "base/clock.h"
#include "cli/out.h"
#include "cli/plan_options.h"
#include "cli/show.h"
#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * 60 * 60 * 1000LL)

/* "02:41" is the last time that the clock showed it, in UTC; anything else is a full date. */
static struct err *parse_moment(const char *text, int64_t *epoch_ms)
{
    static const char digits[] = "0123456789";
    if (strlen(text) != 5 || strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2)
        return clock_parse_utc(text, epoch_ms);
    const long hour = strtol(text, NULL, 10), minute = strtol(text + 3, NULL, 10);
    if (hour > 23 || minute > 59)
        return clock_parse_utc(text, epoch_ms);
    const int64_t now_ms = clock_now_ms(), midnight_ms = now_ms - now_ms % DAY_MS;
    *epoch_ms = midnight_ms + (hour * 60 + minute) * 60000LL;
    if (*epoch_ms > now_ms)
        *epoch_ms -= DAY_MS;
    return NULL;
}

struct err *cli_plan_options(const struct cli *cli, struct plan_options *options)
{
    *options = (struct plan_options){.stamp = cli_option(cli, "timestamp")};
    if (cli_option(cli, "incident"))
        TRY(parse_moment(cli_option(cli, "incident"), &options->incident_ms));
    if (cli_option(cli, "before"))
        TRY(parse_moment(cli_option(cli, "before"), &options->before_ms));
    if (options->incident_ms > clock_now_ms())
        return err_new(ERR_INPUT, "the incident '%s' lies in the future (times are UTC)",
                       cli_option(cli, "incident"));
    return NULL;
}

struct err *cmd_plan(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct plan_options options;
    const struct host *host;
    struct plan plan;
    TRY(cli_plan_options(cli, &options));
    TRY(cli_open_project(cli, &project));
    TRY(cli_pick_host(cli, project, &host));
    TRY(plan_recover(project, cli->arena, host, &options, &plan));
    const char *out = cli_option(cli, "out");
    if (out)
        TRY(plan_save(cli->arena, &plan, out));
    show_plan(cli, &plan, out != NULL);
    out_text(cli, "Nothing has been changed.\nNext:  rehost recover %s\n", out ? out : host->name);
    cli->data = json_pack("{s:O, s:s, s:s?}", "plan", plan.json, "digest", plan.digest, "saved", out);
    cli->exit_code = show_plan_needs_attention(&plan) ? EXIT_ATTENTION : EXIT_OK;
    return NULL;
}
