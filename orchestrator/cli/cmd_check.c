#include "base/clock.h"
#include "base/decode.h"
#include "base/retry.h"
#include "cli/out.h"
#include "core/placement.h"
#include "core/shared_lease.h"
#include <string.h>

struct checking {
    struct cli *cli;
    struct project *project;
    json_t *findings;
    int blocking, warnings;
};

enum finding { FINDING_OK, FINDING_WARN, FINDING_BLOCKING };

static void found(struct checking *c, enum finding level, const char *subject, const char *text,
                  const char *cure)
{
    static const char *const marks[] = {"ok", "!!", "XX"};
    c->warnings += level == FINDING_WARN;
    c->blocking += level == FINDING_BLOCKING;
    out_text(c->cli, " %s %-28s %s\n", marks[level], subject, text);
    if (cure)
        out_text(c->cli, "    %-28s -> %s\n", "", cure);
    json_array_append_new(c->findings, json_pack("{s:s, s:s, s:s, s:s?}", "level", marks[level], "subject",
                                                 subject, "text", text, "cure", cure));
}

/* Takes the error; true when there was none. */
static bool passed(struct checking *c, enum finding level, const char *subject, struct err *error)
{
    CLEANUP_ERR struct err *e = error;
    if (!e)
        return true;
    found(c, level, subject, err_text(e), err_hint(e));
    return false;
}

/* --- accounts --- */

struct asking {
    struct checking *c;
    struct compute_account account;
    struct account_state state;
};

static struct err *ask_once(const struct ctx *ctx, void *arg)
{
    struct asking *asking = arg;
    return asking->account.ops->check(ctx, asking->account.provider, asking->c->cli->arena, &asking->state);
}

static struct err *ask_account(struct asking *asking, const char *name)
{
    TRY(project_compute(asking->c->project, name, &asking->account));
    return retry_run(&asking->c->cli->ctx, &retry_reads, "ask the provider", ask_once, asking);
}

static void check_account(struct checking *c, const struct account *account)
{
    struct asking asking = {.c = c};
    const char *subject = arena_printf(c->cli->arena, "provider %s", account->name);
    if (!provider_find(account->type)) /* a DNS service is asked about each name */
        return;
    if (!passed(c, FINDING_BLOCKING, subject, ask_account(&asking, account->name)))
        return;
    if (asking.state.read_only)
        found(c, FINDING_BLOCKING, subject, "the token may only read", "make a token that may write");
    else
        found(c, FINDING_OK, subject,
              arena_printf(c->cli->arena, "token good, %d servers there", asking.state.server_count), NULL);
}

/* --- keys and storage --- */

static struct err *use_keys(struct checking *c)
{
    const struct secret *key;
    const char *public_key;
    TRY(project_ssh_key(c->project, &key, &public_key));
    CLEANUP_SECRET struct secret *probe = NULL;
    CLEANUP_SECRET struct secret *opened = NULL;
    TRY(secret_new("probe of the backup key", 23, &probe));
    char *sealed;
    TRY(project_seal(c->project, c->cli->arena, probe, &sealed));
    return project_unseal(c->project, sealed, &opened);
}

static struct err *use_storage(struct checking *c)
{
    struct data_env env;
    struct s3_object *objects;
    size_t count;
    TRY(project_data(c->project, &env));
    return s3_list(&c->cli->ctx, env.s3, c->cli->arena,
                   arena_printf(c->cli->arena, "%srehost-check/", env.prefix), &objects, &count);
}

/* Two people with two journals share a lease in the bucket; without conditional writes it would protect
 * nothing. */
static struct err *probe_leases(struct checking *c)
{
    struct s3 *s3;
    TRY(project_s3(c->project, &s3));
    return shared_lease_probe(&c->cli->ctx, s3, c->project->inventory->storage.prefix);
}

static void check_storage(struct checking *c)
{
    const struct storage *storage = &c->project->inventory->storage;
    if (!passed(c, FINDING_BLOCKING, "storage", use_storage(c)))
        return;
    found(c, FINDING_OK, "storage",
          arena_printf(c->cli->arena, "%s/%s answers", storage->endpoint, storage->bucket), NULL);
    if (passed(c, FINDING_BLOCKING, "shared lease", probe_leases(c)))
        found(c, FINDING_OK, "shared lease",
              "the store honours conditional writes: one run a host, also from two machines", NULL);
}

static void check_common(struct checking *c)
{
    const struct inventory *inventory = c->project->inventory;
    if (passed(c, FINDING_BLOCKING, "keys", use_keys(c)))
        found(c, FINDING_OK, "keys", "SSH key and working backup key can be used", NULL);
    for (FOREACH(struct account, account, inventory->accounts))
        check_account(c, account);
    if (inventory->storage.endpoint)
        check_storage(c);
}

/* --- hosts --- */

static struct err *load_playbooks(struct checking *c, const struct schema_texts *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct playbook *playbook;
        TRY(project_playbook(c->project, names->items[i], &playbook));
    }
    return NULL;
}

static struct err *load_all_playbooks(struct checking *c, const struct host *host)
{
    TRY(load_playbooks(c, &host->playbooks.configure));
    TRY(load_playbooks(c, &host->playbooks.secrets));
    return load_playbooks(c, &host->playbooks.start);
}

static void check_plan_of(struct checking *c, const struct host *host)
{
    const struct plan_options options = {0};
    struct plan plan;
    if (!passed(c, FINDING_BLOCKING, host->name,
                plan_recover(c->project, c->cli->arena, host, &options, &plan)))
        return;
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(plan.json, "warnings"), index, item)
        found(c, FINDING_WARN, host->name, json_string_value(item), NULL);
    json_array_foreach(json_object_get(plan.json, "struck"), index, item)
        found(c, FINDING_WARN, host->name, json_string_value(item),
              "take it out of hosts.NAME.places, or replace it");
    json_array_foreach(json_object_get(plan.json, "restore_points"), index, item)
    {
        const int64_t age_ms = json_integer_value(json_object_get(item, "age_ms"));
        const int64_t rpo_ms = json_integer_value(json_object_get(item, "rpo_ms"));
        found(c, age_ms <= rpo_ms ? FINDING_OK : FINDING_WARN, host->name,
              arena_printf(c->cli->arena, "%s: newest restore point is %s old, RPO %s",
                           json_string_value(json_object_get(item, "dataset")),
                           out_duration(c->cli->arena, age_ms), out_duration(c->cli->arena, rpo_ms)),
              age_ms <= rpo_ms ? NULL : arena_printf(c->cli->arena, "rehost backup %s", host->name));
    }
    found(c, FINDING_OK, host->name,
          arena_printf(c->cli->arena, "a recovery can be planned: %zu steps, about %s",
                       json_array_size(json_object_get(plan.json, "steps")),
                       out_duration(c->cli->arena, plan_estimate_ms(&plan, NULL))),
          NULL);
}

/* A server that is not there is proof enough for the fence: a name that was mistyped would be, too. */
static void check_current(struct checking *c, const struct host *host)
{
    struct host_location location;
    CLEANUP_ERR struct err *e = project_find_server(c->project, host, &location);
    if (e && err_kind(e) == ERR_NOT_FOUND)
        found(c, FINDING_WARN, host->name, err_text(e),
              arena_printf(c->cli->arena, "when it does run: mend hosts.%s.current", host->name));
}

static void check_host(struct checking *c, const struct host *host)
{
    json_t *unused;
    struct err *e = project_vars(c->project, host, &unused);
    if (!e)
        json_decref(unused);
    passed(c, FINDING_BLOCKING, host->name, e);
    check_current(c, host);
    if (passed(c, FINDING_BLOCKING, host->name, load_all_playbooks(c, host)))
        check_plan_of(c, host);
}

struct err *cmd_check(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const struct host *only = NULL;
    TRY(cli_open_project(cli, &project));
    if (cli->argument_count)
        TRY(inventory_host(project->inventory, cli->arguments[0], &only));
    struct checking c = {.cli = cli, .project = project, .findings = json_array()};
    cli->data = json_pack("{s:o}", "findings", c.findings);
    check_common(&c);
    for (FOREACH(struct host, host, project->inventory->hosts))
        if (!only || host == only)
            check_host(&c, host);
    TRY(ctx_check(&cli->ctx));
    out_text(cli, "%s (%d blocking, %d warnings).  Nothing has been changed.\n",
             c.blocking ? "NOT READY" : "READY", c.blocking, c.warnings);
    cli->exit_code = c.blocking || c.warnings ? EXIT_ATTENTION : EXIT_OK;
    return NULL;
}
