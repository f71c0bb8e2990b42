/* Taking away what runs left: destroy for one run, gc for everything that carries our labels and that nobody
 * owns. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/retry.h"
#include "core/run_private.h"
#include <string.h>

/* Some accounts serve DNS only. */
static bool has_servers(const struct account *account)
{
    return provider_find(account->type) != NULL;
}

static struct err *remove_server(struct run *run, const char *account_name, const char *server_id,
                                 const char *name)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct compute_account account;
    TRY(project_compute(run->project, account_name, &account));
    struct step_run step;
    run_init_bare_step(run, &step, arena, NULL);
    const struct machine machine = {.account = account_name, .server_id = server_id, .name = name};
    return step_delete_server(&step, &account, &machine);
}

/* --- listing by label: the journal alone does not know what landed late --- */

struct listing {
    struct run *run;
    struct compute_account account;
    const struct label *label;
    struct server *servers;
    size_t count;
};

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct listing *listing = arg;
    return listing->account.ops->server_list(ctx, listing->account.provider, listing->run->arena,
                                             listing->label, &listing->servers, &listing->count);
}

static struct err *list_servers(struct run *run, const char *account, const struct label *label,
                                struct listing *listing)
{
    *listing = (struct listing){.run = run, .label = label};
    TRY(project_compute(run->project, account, &listing->account));
    return retry_run(run->project->ctx, &retry_reads, "list servers by label", list_once, listing);
}

static struct err *remove_of_account(struct run *run, const char *account, const char *keep_id, int *removed)
{
    const struct label label = {"rehost-run", run->id};
    struct listing listing;
    TRY(list_servers(run, account, &label, &listing));
    for (size_t i = 0; i < listing.count; i++) {
        if (keep_id && !strcmp(listing.servers[i].id, keep_id))
            continue;
        TRY(remove_server(run, account, listing.servers[i].id, listing.servers[i].name));
        (*removed)++;
    }
    return NULL;
}

/* Left out by --without when the run was planned: nothing was made there, and nobody answers. */
static bool is_lost(const struct run *run, const char *account)
{
    size_t i;
    const json_t *lost;
    json_array_foreach(json_object_get(run->plan.json, "without"), i, lost)
    {
        if (!strcmp(json_string_value(lost), account))
            return true;
    }
    return false;
}

/* An account that cannot be asked must not keep us from the others: the first such error comes at the end. */
static struct err *remove_all_of_run(struct run *run, const char *keep_id, int *removed)
{
    struct err *first = NULL;
    for (FOREACH(struct account, account, run->project->inventory->accounts)) {
        if (!has_servers(account) || is_lost(run, account->name))
            continue;
        struct err *e = remove_of_account(run, account->name, keep_id, removed);
        if (first)
            err_free(e);
        else
            first = e;
    }
    return first;
}

struct err *run_reap(struct run *run)
{
    const char *keep_id = json_string_value(decode_find(run->facts, "create.server_id"));
    int removed = 0;
    if (!keep_id)
        return NULL;
    CLEANUP_ERR struct err *e = remove_all_of_run(run, keep_id, &removed);
    if (!removed)
        return TAKE(e);
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 1024);
    strbuf_addf(&text, "removed %d servers of this run that had landed late", removed);
    TRY(store_event_add(&run->lease, text.data));
    return TAKE(e);
}

/* Providers may take longer over a delete than a lease lasts. */
static struct err *begin_removal(struct run *run)
{
    TRY(run_take_leases(run));
    run_fill_services(run);
    run_tell_leases(run);
    struct err *e = run_start_heartbeat(run);
    if (e)
        run_give_leases(run);
    return e;
}

static void end_removal(struct run *run)
{
    run_stop_heartbeat(run);
    run_give_leases(run);
}

/* Whether the run changed, or may have changed, a DNS record or moved an address: users are on its server
 * then. */
static struct err *has_moved_traffic(struct run *run, bool *moved)
{
    struct effect_row *effects;
    size_t count;
    TRY(store_effect_list(run->project->store, run->arena, run->id, &effects, &count));
    *moved = false;
    for (size_t i = 0; i < count && !*moved; i++)
        *moved = (!strcmp(effects[i].what, "dns.set") || !strcmp(effects[i].what, "ip.move")) &&
                 (!effects[i].outcome || strcmp(effects[i].outcome, "failed") != 0);
    return NULL;
}

static struct err *count_of_run(struct run *run, size_t *count)
{
    const struct label label = {"rehost-run", run->id};
    *count = 0;
    for (FOREACH(struct account, account, run->project->inventory->accounts)) {
        struct listing listing = {0};
        if (has_servers(account))
            TRY(list_servers(run, account->name, &label, &listing));
        *count += listing.count;
    }
    return NULL;
}

/* A run that stopped after its cut-over has not put its server in service in the journal yet, but the users
 * are there. */
static struct err *refuse_server_in_use(struct run *run, const struct run_row *row)
{
    bool moved;
    size_t servers;
    if (row->state == RUN_DONE || row->state == RUN_ABANDONED)
        return NULL; /* the journal says which machine serves the host */
    TRY(has_moved_traffic(run, &moved));
    if (!moved)
        return NULL;
    TRY(count_of_run(run, &servers));
    if (!servers) /* that machine is lost too: the way is free */
        return NULL;
    return err_with_hint(
        err_new(ERR_CONFLICT, "run '%s' has moved the traffic of host '%s' to its server already", run->id,
                row->host),
        "go on with: rehost resume %s   or lead the users back first: rehost rollback %s", run->id, run->id);
}

static struct err *destroy_leased(struct run *run, int *removed)
{
    struct run_row row; /* as it is now that nobody else can work on it */
    struct resource_row current;
    TRY(store_run_get(run->project->store, run->arena, run->id, &row));
    TRY(store_resource_current(run->project->store, run->arena, row.host, &current));
    if (current.server_id && current.run && !strcmp(current.run, run->id))
        return err_with_hint(
            err_new(ERR_CONFLICT, "the server of run '%s' serves host '%s' now", run->id, row.host),
            "recover the host elsewhere first; rehost never removes the machine in service");
    TRY(refuse_server_in_use(run, &row));
    TRY(remove_all_of_run(run, NULL, removed));
    if (row.state == RUN_RUNNING || row.state == RUN_STOPPED)
        return store_run_set_state(&run->lease, RUN_ABANDONED, NULL);
    return NULL;
}

struct err *run_destroy(struct project *project, struct arena *arena, const char *run_id,
                        const struct run_options *options, int *removed)
{
    *removed = 0;
    TRY(project_store_read(project));
    struct run_row row;
    TRY(store_run_get(project->store, arena, run_id, &row));
    struct run run = {.project = project, .arena = arena, .options = options, .id = row.id};
    TRY(inventory_host(project->inventory, row.host, &run.host));
    TRY(begin_removal(&run));
    struct err *e = destroy_leased(&run, removed);
    end_removal(&run);
    return e;
}

/* --- gc --- */

/* What the journal says of a server: "live", "current", "retired", "deleted", or NULL. By its id alone: an
 * account may have got another name since, and two accounts may be one project. */
static struct err *journal_state(struct project *project, struct arena *arena, const char *host,
                                 const char *server_id, const char **state)
{
    struct resource_row *rows;
    size_t count;
    TRY(store_resource_list(project->store, arena, host, &rows, &count));
    *state = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].server_id, server_id) != 0)
            continue;
        if (!*state || !strcmp(rows[i].state, "retired") || !strcmp(rows[i].state, "current"))
            *state = rows[i].state;
    }
    return NULL;
}

/* *why NULL: it goes. Otherwise why it stays. */
static struct err *why_it_stays(struct project *project, struct arena *arena, const struct server *server,
                                const char *run_id, const struct account *account, const char **why)
{
    struct run_row row;
    CLEANUP_ERR struct err *e = store_run_get(project->store, arena, run_id, &row);
    if (e && err_kind(e) != ERR_NOT_FOUND)
        return TAKE(e);
    *why = "made by a run that this journal does not know";
    if (e)
        return NULL;
    const char *state;
    TRY(journal_state(project, arena, row.host, server->id, &state));
    if (row.state == RUN_RUNNING || row.state == RUN_STOPPED)
        *why = arena_printf(arena, "its run is still open: rehost resume %s, or rehost destroy %s", run_id,
                            run_id);
    else if (state && !strcmp(state, "current"))
        *why = "serves its host";
    else if (state &&
             !strcmp(state, "retired")) /* it was in service: it may hold data that nothing else holds */
        *why = arena_printf(arena, "served its host before; to remove it: rehost destroy %s", run_id);
    else if (clock_now_ms() < server->created_ms + account->settle_ms)
        *why = "too young to be judged";
    else
        *why = NULL;
    return NULL;
}

static struct err *gc_remove(struct project *project, struct arena *arena, const struct run_options *options,
                             const char *account, const struct server *server, const char *run_id)
{
    struct run_row row;
    TRY(store_run_get(project->store, arena, run_id, &row));
    struct run run = {.project = project, .arena = arena, .options = options, .id = row.id};
    TRY(inventory_host(project->inventory, row.host, &run.host));
    TRY(begin_removal(&run));
    struct err *e = remove_server(&run, account, server->id, server->name);
    end_removal(&run);
    return e;
}

/* One server that cannot be removed now must not keep the others. */
static struct err *gc_try_remove(struct project *project, struct arena *arena,
                                 const struct run_options *options, const char *account,
                                 const struct server *server, struct gc_item *item)
{
    CLEANUP_ERR struct err *e = gc_remove(project, arena, options, account, server, item->run);
    if (e && (err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_IO))
        return TAKE(e);
    item->removed = !e;
    if (e)
        item->why = arena_printf(arena, "could not be removed: %s", err_text(e));
    return NULL;
}

static struct err *gc_account(struct project *project, struct arena *arena, const struct run_options *options,
                              bool remove, const struct account *account, struct gc_item *items, size_t max,
                              size_t *count)
{
    struct run bare = {.project = project, .arena = arena, .options = options};
    struct listing listing;
    TRY(list_servers(&bare, account->name, NULL, &listing));
    for (size_t i = 0; i < listing.count && *count < max; i++) {
        const struct server *server = &listing.servers[i];
        const char *run_id = server_label(server, "rehost-run");
        if (!run_id)
            continue; /* not ours */
        struct gc_item *item = &items[(*count)++];
        *item = (struct gc_item){
            .account = account->name, .server_id = server->id, .name = server->name, .run = run_id};
        TRY(why_it_stays(project, arena, server, run_id, account, &item->why));
        item->owned = item->why != NULL;
        if (item->owned)
            continue;
        item->why = "its run is over and it serves no host";
        if (remove)
            TRY(gc_try_remove(project, arena, options, account->name, server, item));
    }
    return NULL;
}

#define GC_MAX 1000

struct err *run_gc(struct project *project, struct arena *arena, const struct run_options *options,
                   bool remove, struct gc_item **items, size_t *count)
{
    TRY(project_store_read(project));
    *items = arena_array(arena, GC_MAX, sizeof(**items));
    *count = 0;
    for (FOREACH(struct account, account, project->inventory->accounts)) {
        if (!has_servers(account) || *count == GC_MAX)
            continue;
        CLEANUP_ERR struct err *e =
            gc_account(project, arena, options, remove, account, *items, GC_MAX, count);
        if (e && (err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_IO))
            return TAKE(e);
        if (e && *count < GC_MAX)
            (*items)[(*count)++] = (struct gc_item){.account = account->name,
                                                    .server_id = "?",
                                                    .name = "?",
                                                    .run = "?",
                                                    .owned = true,
                                                    .unlisted = true,
                                                    .why = arena_strdup(arena, err_text(e))};
    }
    return NULL;
}
