/* Making plans: from the inventory and a look at the world to a list of steps. */
#include "base/clock.h"
#include "base/decode.h"
#include "core/placement.h"
#include "core/plan.h"
#include "core/plan_private.h"
#include <string.h>

bool plan_is_lost(const struct maker *maker, const char *account)
{
    const struct schema_texts *without = &maker->options->placement.market.without;
    for (size_t i = 0; i < without->count; i++)
        if (!strcmp(without->items[i], account))
            return true;
    return false;
}

static int64_t estimate_ms_of(const struct maker *maker, const char *id, const struct step_ops *ops)
{
    const struct step_mean *mean = maker->means;
    while (mean && strcmp(mean->step_id, id) != 0)
        mean = mean->next;
    const int64_t estimate_ms = mean ? mean->took_ms : ops->estimate_ms;
    const int64_t least_ms = ops->estimate_ms / 4; /* a lucky past (the old server was gone already) promises
                                                      nothing */
    return estimate_ms < least_ms ? least_ms : estimate_ms;
}

void plan_add_step(struct maker *maker, const char *id, const struct step_ops *ops, const char *title,
                   json_t *input)
{
    json_array_append_new(
        maker->steps, json_pack("{s:s, s:s, s:s, s:i, s:s, s:I, s:o}", "id", id, "kind", ops->kind, "title",
                                title, "danger", ops->danger, "touches", ops->touches, "estimate_ms",
                                (json_int_t)estimate_ms_of(maker, id, ops), "input", input));
}

static struct err *add_fence(struct maker *maker)
{
    struct host_location old;
    TRY(project_locate(maker->project, maker->host, &old));
    const char *server = old.server_id ? old.server_id : old.name;
    plan_add_step(maker, "fence", &step_fence, arena_printf(maker->arena, "fence old server %s", old.name),
                  json_pack("{s:s, s:s, s:b}", "provider", old.account, "server", server, "by_id",
                            old.server_id != NULL));
    return NULL;
}

/* What the provider's firewall lets in; NULL: nothing is said, so none is set. */
static json_t *firewall_rules(const struct host *host)
{
    if (!host->firewall.count)
        return NULL;
    json_t *rules = json_array();
    for (FOREACH(struct open_port, port, host->firewall)) {
        int64_t from = 0, to = 0;
        json_t *sources = json_array();
        (void)inventory_port_range(port->port, &from, &to); /* checked when the inventory was loaded */
        for (size_t i = 0; i < port->from.count; i++)
            json_array_append_new(sources, json_string(port->from.items[i]));
        if (!port->from.count) {
            json_array_append_new(sources, json_string("0.0.0.0/0"));
            json_array_append_new(sources, json_string("::/0"));
        }
        json_array_append_new(rules,
                              json_pack("{s:s, s:I, s:I, s:o}", "protocol", port->protocol, "port_from",
                                        (json_int_t)from, "port_to", (json_int_t)to, "sources", sources));
    }
    return rules;
}

static struct err *add_create(struct maker *maker, json_t *plan)
{
    json_t *places, *struck;
    TRY(placement_rank(maker->project, maker->host, &maker->options->placement, &places, &struck));
    json_object_set_new(plan, "struck", struck);
    const json_t *first = json_array_get(places, 0);
    const char *title = arena_printf(maker->arena, "create server at %s/%s",
                                     json_string_value(json_object_get(first, "provider")),
                                     json_string_value(json_object_get(first, "region")));
    if (!json_is_true(json_object_get(first, "available")))
        json_array_append_new(maker->warnings, json_string("every place is reported sold out right now"));
    plan_add_step(maker, "create", &step_provision, title,
                  json_pack("{s:s, s:o, s:o*}", "image", maker->host->image, "places", places, "firewall",
                            firewall_rules(maker->host)));
    return NULL;
}

static const char *plain_name(struct arena *arena, const char *playbook)
{
    const char *slash = strrchr(playbook, '/');
    const char *name = slash ? slash + 1 : playbook;
    return arena_strndup(arena, name, strcspn(name, "."));
}

static struct err *add_playbooks(struct maker *maker, const char *phase, const struct schema_texts *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct playbook *playbook;
        TRY(project_playbook(maker->project, names->items[i], &playbook));
        const char *plain = plain_name(maker->arena, names->items[i]);
        plan_add_step(maker, arena_printf(maker->arena, "%s-%s", phase, plain), &step_configure,
                      arena_printf(maker->arena, "%s %s", phase, plain),
                      json_pack("{s:s, s:s, s:I}", "playbook", names->items[i], "digest",
                                playbook_digest(playbook), "tasks",
                                (json_int_t)playbook_task_count(playbook)));
    }
    return NULL;
}

/* --- data --- */

static const struct restore_point *choose_point(const struct maker *maker, const struct restore_point *points,
                                                size_t count, int64_t before_ms)
{
    for (size_t i = 0; i < count; i++) /* newest first */
        if (maker->options->stamp ? !strcmp(points[i].stamp, maker->options->stamp)
                                  : points[i].taken_ms <= before_ms)
            return &points[i];
    return NULL;
}

static struct err *no_point(const struct maker *maker, const char *dataset, size_t count)
{
    struct err *e =
        maker->options->stamp
            ? err_new(ERR_NOT_FOUND, "dataset '%s' has no restore point '%s'", dataset, maker->options->stamp)
            : err_new(ERR_NOT_FOUND, "dataset '%s' of host '%s' has no restore point before that time",
                      dataset, maker->host->name);
    return err_with_hint(e,
                         count ? "it has %zu others: rehost status --host %s"
                               : "%zu points in the store; take one with: rehost backup %s",
                         count, maker->host->name);
}

static struct err *add_restore(struct maker *maker, const struct data_env *env,
                               const struct host_dataset *item, int64_t incident_ms)
{
    const struct dataset dataset = {
        .name = item->name, .kind = item->kind, .host = maker->host->name, .options = item->options};
    struct restore_point *points;
    const char **warnings;
    size_t count, warning_count;
    TRY(dataset_list_points(maker->project->ctx, env, maker->arena, &dataset, &points, &count, &warnings,
                            &warning_count));
    for (size_t i = 0; i < warning_count; i++)
        json_array_append_new(maker->warnings, json_string(warnings[i]));
    const int64_t before_ms = maker->options->before_ms ? maker->options->before_ms : incident_ms;
    const struct restore_point *point = choose_point(maker, points, count, before_ms);
    if (!point)
        return no_point(maker, item->name, count);
    json_array_append_new(
        maker->points,
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "dataset", item->name, "kind", item->kind, "stamp",
                  point->stamp, "taken_ms", (json_int_t)point->taken_ms, "size_bytes",
                  (json_int_t)point->size_bytes, "age_ms", (json_int_t)(incident_ms - point->taken_ms),
                  "rpo_ms", (json_int_t)(item->rpo_ms ? item->rpo_ms : maker->host->objectives.rpo_ms)));
    plan_add_step(maker, arena_printf(maker->arena, "restore-%s", item->name), &step_restore,
                  arena_printf(maker->arena, "restore %s %s", item->kind, item->name),
                  json_pack("{s:s, s:s, s:s, s:O}", "name", item->name, "kind", item->kind, "stamp",
                            point->stamp, "options", item->options));
    return NULL;
}

static struct err *add_restores(struct maker *maker, int64_t incident_ms)
{
    if (!maker->host->datasets.count)
        return NULL;
    struct data_env env;
    TRY(project_data(maker->project, &env));
    for (FOREACH(struct host_dataset, dataset, maker->host->datasets))
        TRY(add_restore(maker, &env, dataset, incident_ms));
    return NULL;
}

static struct err *add_protect(struct maker *maker, const char *only)
{
    json_t *datasets = json_array();
    for (FOREACH(struct host_dataset, item, maker->host->datasets))
        if (!only || !strcmp(item->name, only))
            json_array_append_new(datasets, json_pack("{s:s, s:s, s:O}", "name", item->name, "kind",
                                                      item->kind, "options", item->options));
    if (!json_array_size(datasets)) {
        json_decref(datasets);
        return only ? err_new(ERR_NOT_FOUND, "host '%s' has no dataset '%s'", maker->host->name, only) : NULL;
    }
    plan_add_step(maker, "protect", &step_protect, "back up", json_pack("{s:o}", "datasets", datasets));
    return NULL;
}

/* --- checks --- */

static const json_t *dataset_options(const struct host *host, const char *name)
{
    for (FOREACH(struct host_dataset, dataset, host->datasets))
        if (!strcmp(dataset->name, name))
            return dataset->options;
    return NULL;
}

static json_t *check_input(const struct maker *maker, const struct check *check)
{
    const char *name = check->name    ? check->name
                       : check->url   ? check->url
                       : check->query ? check->query
                                      : check->command;
    json_t *input =
        json_pack("{s:s, s:s, s:I, s:s*, s:s*}", "kind", check->kind, "name", name, "within_ms",
                  (json_int_t)check->within_ms, "contains", check->contains, "ca_file", check->ca_file);
    if (!strcmp(check->kind, "https"))
        json_object_update_new(
            input, json_pack("{s:s, s:I}", "url", check->url, "status", (json_int_t)check->status));
    else if (!strcmp(check->kind, "command"))
        json_object_set_new(input, "command", json_string(check->command));
    else {
        const json_t *options = dataset_options(maker->host, check->dataset);
        json_object_update_new(input, json_pack("{s:s, s:s, s:s, s:I, s:O, s:O*}", "user", check->user,
                                                "password", check->password, "query", check->query,
                                                "at_least", (json_int_t)check->at_least, "database",
                                                json_object_get(options, "database"), "port",
                                                json_object_get(options, "port")));
    }
    return input;
}

static struct err *add_checks(struct maker *maker)
{
    json_t *checks = json_array();
    for (FOREACH(struct check, check, maker->host->checks))
        json_array_append_new(checks, check_input(maker, check));
    if (!json_array_size(checks))
        json_array_append_new(maker->warnings,
                              json_string("no checks: nothing will prove that the service works"));
    plan_add_step(maker, "verify", &step_verify,
                  arena_printf(maker->arena, "verify, %zu checks", json_array_size(checks)),
                  json_pack("{s:o}", "checks", checks));
    return NULL;
}

/* --- whole plans --- */

static json_t *texts_json(const struct schema_texts *texts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(array, json_string(texts->items[i]));
    return array;
}

static json_t *plan_head(struct maker *maker, const char *kind, const char *scenario, int64_t incident_ms)
{
    const struct inventory *inventory = maker->project->inventory;
    maker->steps = json_array();
    maker->points = json_array();
    maker->warnings = json_array();
    const int64_t now_ms = clock_now_ms(), until_ms = now_ms + PLAN_VALID_MS;
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:{s:s, s:s}, s:{s:I, s:I}, s:{}, s:o, s:[], s:o, s:o, s:o}",
        "format", PLAN_FORMAT, "kind", kind, "host", maker->host->name, "scenario", scenario, "made_ms",
        (json_int_t)now_ms, "valid_until_ms", (json_int_t)until_ms, "incident_ms", (json_int_t)incident_ms,
        "inventory", "path", inventory->path, "digest", inventory->digest, "objectives", "rto_ms",
        (json_int_t)maker->host->objectives.rto_ms, "rpo_ms", (json_int_t)maker->host->objectives.rpo_ms,
        "facts", "restore_points", maker->points, "struck", "warnings", maker->warnings, "steps",
        maker->steps, "without", texts_json(&maker->options->placement.market.without));
}

/* The fence takes a server that the provider does not list for gone: a name that was mistyped would be, too.
 */
static struct err *warn_of_current(struct maker *maker)
{
    struct host_location old;
    TRY(project_locate(maker->project, maker->host, &old));
    if (plan_is_lost(maker, old.account)) {
        json_array_append_new(
            maker->warnings,
            json_sprintf("'%s' is left out: nothing will prove that the old server is off; the run "
                         "will ask for --accept-unproven-fence %s",
                         old.account, maker->host->name));
        return NULL;
    }
    const struct market_stand *stand = market_stand(maker->project->market, old.account);
    if (maker->options->overview || (stand && stand->error)) /* not asked in vain once more */
        return NULL;
    CLEANUP_ERR struct err *e = project_find_server(maker->project, maker->host, &old);
    if (e && err_kind(e) == ERR_NOT_FOUND)
        json_array_append_new(maker->warnings, json_string(err_text(e)));
    return e && err_kind(e) == ERR_CANCELLED ? TAKE(e) : NULL;
}

static struct err *fill_recover(struct maker *maker, json_t *plan, int64_t incident_ms)
{
    const struct host *host = maker->host;
    TRY(add_fence(maker));
    TRY(add_create(maker, plan));
    TRY(warn_of_current(maker));
    plan_add_step(maker, "reach", &step_reach, "reach it over SSH, replace its host key",
                  json_pack("{s:I}", "boot_deadline_ms", (json_int_t)host->boot_deadline_ms));
    TRY(add_playbooks(maker, "configure", &host->playbooks.configure));
    TRY(add_playbooks(maker, "secrets", &host->playbooks.secrets));
    TRY(add_restores(maker, incident_ms));
    TRY(add_playbooks(maker, "start", &host->playbooks.start));
    TRY(add_checks(maker));
    for (FOREACH(struct dns_name, name, host->names))
        TRY(plan_add_name(maker, name));
    return add_protect(maker, NULL);
}

struct err *plan_recover(struct project *project, struct arena *arena, const struct host *host,
                         const struct plan_options *options, struct plan *plan)
{
    TRY(project_store_read(project));
    struct maker maker = {.project = project, .arena = arena, .host = host, .options = options};
    TRY(store_step_means(project->store, arena, host->name, &maker.means));
    const int64_t incident_ms = options->incident_ms ? options->incident_ms : clock_now_ms();
    CLEANUP_JSON json_t *json = plan_head(&maker, "recover", "server-loss", incident_ms);
    TRY(fill_recover(&maker, json, incident_ms));
    plan->json = TAKE(json);
    if (options->overview)
        plan_own(arena, plan);
    else
        plan_seal(arena, plan);
    return NULL;
}

struct err *plan_backup(struct project *project, struct arena *arena, const struct host *host,
                        const char *dataset, struct plan *plan)
{
    TRY(project_store_read(project));
    const struct plan_options options = {0};
    struct maker maker = {.project = project, .arena = arena, .host = host, .options = &options};
    TRY(store_step_means(project->store, arena, host->name, &maker.means));
    struct host_location location;
    TRY(project_find_server(project, host, &location));
    if (!location.host_key)
        return err_with_hint(err_new(ERR_INPUT, "the SSH host key of '%s' is not known", host->name),
                             "put it into hosts.%s.current.host_key, as the server's console shows it: "
                             "cat /etc/ssh/ssh_host_ed25519_key.pub",
                             host->name);
    CLEANUP_JSON json_t *json = plan_head(&maker, "backup", "routine", clock_now_ms());
    json_object_set_new(json_object_get(json, "facts"), "reach",
                        json_pack("{s:s, s:s}", "address", location.address, "host_key", location.host_key));
    TRY(add_protect(&maker, dataset));
    if (!json_array_size(maker.steps))
        return err_with_hint(err_new(ERR_INPUT, "host '%s' has no datasets to back up", host->name),
                             "describe them under hosts.%s.datasets", host->name);
    plan->json = TAKE(json);
    plan_seal(arena, plan);
    return NULL;
}

struct err *plan_check_playbooks(struct project *project, const struct plan *plan)
{
    size_t index;
    const json_t *step;
    json_array_foreach(json_object_get(plan->json, "steps"), index, step)
    {
        const char *name, *digest;
        const struct playbook *playbook;
        if (strcmp(json_string_value(json_object_get(step, "kind")), step_configure.kind) != 0)
            continue;
        TRY(decode_string(step, "input.playbook", &name));
        TRY(decode_string(step, "input.digest", &digest));
        TRY(project_playbook(project, name, &playbook));
        if (strcmp(playbook_digest(playbook), digest) != 0)
            return err_with_hint(
                err_new(ERR_STALE, "the playbook '%s' has changed since the plan was made", name),
                "make and approve a new one: rehost plan %s --out FILE", plan_host(plan));
    }
    return NULL;
}
