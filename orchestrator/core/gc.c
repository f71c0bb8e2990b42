/* Taking away what runs left: destroy for one run, gc for everything that carries our labels and that nobody
 * owns. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/retry.h"
#include "core/run_private.h"
#include <string.h>

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

static struct err *remove_all_of_run(struct run *run, int *removed)
{
    for (FOREACH(struct account, account, run->project->inventory->accounts))
        TRY(remove_of_account(run, account->name, NULL, removed));
    return store_run_set_state(&run->lease, RUN_ABANDONED, NULL);
}

struct err *run_reap(struct run *run)
{
    const char *keep_id = json_string_value(decode_find(run->facts, "create.server_id"));
    int removed = 0;
    if (!keep_id)
        return NULL;
    for (FOREACH(struct account, account, run->project->inventory->accounts))
        TRY(remove_of_account(run, account->name, keep_id, &removed));
    if (!removed)
        return NULL;
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 1024);
    strbuf_addf(&text, "removed %d servers of this run that had landed late", removed);
    return store_event_add(&run->lease, text.data);
}

struct err *run_destroy(struct project *project, struct arena *arena, const char *run_id,
                        const struct run_options *options, int *removed)
{
    *removed = 0;
    TRY(project_store(project));
    struct run_row row;
    TRY(store_run_get(project->store, arena, run_id, &row));
    struct resource_row current;
    TRY(store_resource_current(project->store, arena, row.host, &current));
    if (current.server_id && current.run && !strcmp(current.run, run_id))
        return err_with_hint(
            err_new(ERR_CONFLICT, "the server of run '%s' serves host '%s' now", run_id, row.host),
            "recover the host elsewhere first; rehost never removes the machine in service");
    struct run run = {.project = project, .arena = arena, .options = options, .id = row.id};
    TRY(inventory_host(project->inventory, row.host, &run.host));
    TRY(store_lease_acquire(project->store, arena, row.host, row.id, &run.lease));
    run_fill_services(&run);
    struct err *e = remove_all_of_run(&run, removed);
    err_free(store_lease_release(&run.lease));
    return e;
}

/* --- gc --- */

/* NULL: it goes. Otherwise why it stays. */
static struct err *why_it_stays(struct project *project, struct arena *arena, const struct server *server,
                                const char *run_id, const struct account *account, const char **why)
{
    struct run_row row;
    CLEANUP_ERR struct err *e = store_run_get(project->store, arena, run_id, &row);
    if (e && err_kind(e) != ERR_NOT_FOUND)
        return TAKE(e);
    struct resource_row current = {0};
    if (!e)
        TRY(store_resource_current(project->store, arena, row.host, &current));
    if (e)
        *why = "made by a run that this journal does not know";
    else if (row.state == RUN_RUNNING || row.state == RUN_STOPPED)
        *why = arena_printf(arena, "its run is still open: rehost resume %s, or rehost destroy %s", run_id,
                            run_id);
    else if (current.server_id && !strcmp(current.server_id, server->id))
        *why = "serves its host";
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
    TRY(store_lease_acquire(project->store, arena, row.host, row.id, &run.lease));
    run_fill_services(&run);
    struct err *e = remove_server(&run, account, server->id, server->name);
    err_free(store_lease_release(&run.lease));
    return e;
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
            TRY(gc_remove(project, arena, options, account->name, server, run_id));
        item->removed = remove;
    }
    return NULL;
}

#define GC_MAX 1000

struct err *run_gc(struct project *project, struct arena *arena, const struct run_options *options,
                   bool remove, struct gc_item **items, size_t *count)
{
    TRY(project_store(project));
    *items = arena_array(arena, GC_MAX, sizeof(**items));
    *count = 0;
    for (FOREACH(struct account, account, project->inventory->accounts))
        TRY(gc_account(project, arena, options, remove, account, *items, GC_MAX, count));
    return NULL;
}
