#include "base/clock.h"
#include "base/decode.h"
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
    *options = (struct plan_options){
        .stamp = cli_option(cli, "timestamp"),
        .placement = {.to = cli_option(cli, "to"),

                      .market.without = {.items = cli->repeated, .count = cli->repeated_count}}};
    if (cli_option(cli, "incident"))
        TRY(parse_moment(cli_option(cli, "incident"), &options->incident_ms));
    if (cli_option(cli, "before"))
        TRY(parse_moment(cli_option(cli, "before"), &options->before_ms));
    if (options->incident_ms > clock_now_ms())
        return err_new(ERR_INPUT, "the incident '%s' lies in the future (times are UTC)",
                       cli_option(cli, "incident"));
    return NULL;
}

bool cli_has_plan_options(const struct cli *cli)
{
    return cli_option(cli, "to") || cli_option(cli, "incident") || cli_option(cli, "before") ||
           cli_option(cli, "timestamp") || cli->repeated_count;
}

static struct err *plan_one(struct cli *cli, struct project *project, const struct plan_options *options)
{
    const struct host *host;
    struct plan plan;
    TRY(cli_pick_host(cli, project, &host));
    TRY(plan_recover(project, cli->arena, host, options, &plan));
    const char *out = cli_option(cli, "out");
    if (out)
        TRY(plan_save(cli->arena, &plan, out));
    show_plan(cli, &plan, out != NULL);
    out_text(cli, "Nothing has been changed.\nNext:  rehost recover %s%s\n", out ? out : host->name,
             !out && cli_has_plan_options(cli) ? "   with the same options" : "");
    cli->data = json_pack("{s:O, s:s, s:s?}", "plan", plan.json, "digest", plan.digest, "saved", out);
    cli->exit_code = show_plan_needs_attention(&plan) ? EXIT_ATTENTION : EXIT_OK;
    return NULL;
}

/* --- all hosts, a line each --- */

static json_t *summary(struct cli *cli, const struct host *host, const struct plan *plan)
{
    const json_t *steps = json_object_get(plan->json, "steps");
    const json_t *create = NULL;
    for (size_t i = 0; i < json_array_size(steps) && !create; i++)
        create = decode_find(json_array_get(steps, i), "input.places.0");
    const int64_t forecast_ms = show_plan_forecast_ms(plan), rto_ms = host->objectives.rto_ms;
    out_text(cli, " %s %-24s %-40s %s %8.4f/h  %3zu steps  %8s of %s\n",
             show_plan_needs_attention(plan) ? "!!" : "ok", host->name,
             arena_printf(cli->arena, "%s/%s %s", json_string_value(json_object_get(create, "provider")),
                          json_string_value(json_object_get(create, "region")),
                          json_string_value(json_object_get(create, "size"))),
             json_string_value(json_object_get(create, "currency")),
             json_number_value(json_object_get(create, "price_hourly")), json_array_size(steps),
             out_duration(cli->arena, forecast_ms), out_duration(cli->arena, rto_ms));
    return json_pack("{s:s, s:O, s:i, s:I, s:I, s:O, s:O, s:b}", "host", host->name, "place", create, "steps",
                     (int)json_array_size(steps), "forecast_ms", (json_int_t)forecast_ms, "rto_ms",
                     (json_int_t)rto_ms, "struck", json_object_get(plan->json, "struck"), "warnings",
                     json_object_get(plan->json, "warnings"), "attention", show_plan_needs_attention(plan));
}

/* A host that cannot be planned does not hide the others. */
static struct err *plan_all(struct cli *cli, struct project *project, const struct plan_options *options)
{
    json_t *hosts = json_array();
    cli->data = json_pack("{s:o}", "hosts", hosts);
    size_t impossible = 0, attention = 0;
    for (FOREACH(struct host, host, project->inventory->hosts)) {
        struct plan plan;
        TRY(ctx_check(&cli->ctx));
        CLEANUP_ERR struct err *e = plan_recover(project, cli->arena, host, options, &plan);
        if (e) {
            impossible++;
            out_text(cli, " XX %-24s %s\n", host->name, err_text(e));
            json_array_append_new(hosts, json_pack("{s:s, s:s}", "host", host->name, "error", err_text(e)));
            continue;
        }
        attention += show_plan_needs_attention(&plan);
        json_array_append_new(hosts, summary(cli, host, &plan));
    }
    out_text(cli, "Plan: %zu hosts, %zu need attention, %zu cannot be planned.  Nothing has been changed.\n",
             json_array_size(hosts), attention, impossible);
    out_text(cli, "Next:  rehost plan HOST\n");
    cli->exit_code = attention || impossible ? EXIT_ATTENTION : EXIT_OK;
    return NULL;
}

struct err *cmd_plan(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct plan_options options;
    TRY(cli_plan_options(cli, &options));
    TRY(cli_open_project(cli, &project));
    if (cli->argument_count || project->inventory->hosts.count == 1)
        return plan_one(cli, project, &options);
    if (cli_option(cli, "out") || options.stamp || options.placement.to)
        return err_with_hint(err_new(ERR_INPUT, "--out, --timestamp and --to are for the plan of one host"),
                             "name the host: rehost plan HOST");
    options.overview = true;
    options.placement.market.kept_will_do = true; /* the plan of one host looks again */
    return plan_all(cli, project, &options);
}
