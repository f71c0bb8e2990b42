#include "cli/out.h"
#include "core/readiness.h"
#include <string.h>

static const char *const marks[] = {[FINDING_OK] = "ok", [FINDING_WARN] = "!!", [FINDING_BLOCKING] = "XX"};
static const char *const verdicts[] = {
    [FINDING_OK] = "READY", [FINDING_WARN] = "ATTENTION", [FINDING_BLOCKING] = "NOT READY"};

static void show_findings(struct cli *cli, const struct readiness *readiness, const char *host)
{
    for (size_t i = 0; i < readiness->count; i++) {
        const struct finding *finding = &readiness->findings[i];
        if (host ? !finding->host || strcmp(finding->host, host) != 0 : finding->host != NULL)
            continue;
        out_text(cli, " %s %-28s %s\n", marks[finding->level], host ? "" : finding->subject, finding->text);
        if (finding->cure)
            out_text(cli, "    %-28s -> %s\n", "", finding->cure);
    }
}

static json_t *findings_json(const struct readiness *readiness)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < readiness->count; i++) {
        const struct finding *finding = &readiness->findings[i];
        json_array_append_new(findings,
                              json_pack("{s:s, s:s?, s:s, s:s, s:s?}", "level", marks[finding->level], "host",
                                        finding->host, "subject", finding->subject, "text", finding->text,
                                        "cure", finding->cure));
    }
    return findings;
}

struct err *cmd_check(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const struct host *only = NULL;
    struct readiness readiness;
    size_t counts[3] = {0};
    TRY(cli_open_project(cli, &project));
    if (cli->argument_count)
        TRY(inventory_host(project->inventory, cli->arguments[0], &only));
    TRY(readiness_look(project, cli->arena, only, &readiness));
    show_findings(cli, &readiness, NULL);
    json_t *hosts = json_array();
    for (FOREACH(struct host, host, project->inventory->hosts)) {
        if (only && host != only)
            continue;
        const enum finding_level level = readiness_of(&readiness, host);
        counts[level]++;
        out_text(cli, "\n%-32s %s\n", host->name, verdicts[level]);
        show_findings(cli, &readiness, host->name);
        json_array_append_new(hosts, json_pack("{s:s, s:s}", "host", host->name, "ready", verdicts[level]));
    }
    cli->data = json_pack("{s:o, s:o}", "hosts", hosts, "findings", findings_json(&readiness));
    out_text(cli, "\nREADY %zu   ATTENTION %zu   NOT READY %zu.  Nothing has been changed.\n",
             counts[FINDING_OK], counts[FINDING_WARN], counts[FINDING_BLOCKING]);
    bool all_fine = true;
    for (size_t i = 0; i < readiness.count; i++)
        all_fine = all_fine && readiness.findings[i].level == FINDING_OK;
    cli->exit_code = all_fine ? EXIT_OK : EXIT_ATTENTION;
    return NULL;
}
