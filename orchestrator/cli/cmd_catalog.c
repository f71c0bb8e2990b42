#include "base/strbuf.h"
#include "cli/out.h"
#include "core/market.h"
#include "core/placement.h"
#include <stdlib.h>
#include <string.h>

struct listing {
    struct cli *cli;
    struct project *project;
    const struct host *fit; /* NULL: everything */
    const char *region;
    bool all;
    struct offer *offers;
    size_t count;
};

static bool is_wanted(const struct listing *listing, const struct offer *offer)
{
    if (listing->region && strcmp(listing->region, offer->terms->region) != 0)
        return false;
    if (!listing->all && (!offer->terms->available || offer->size->retired_at))
        return false;
    return !listing->fit || placement_fits(listing->project, listing->fit, offer);
}

static void collect(struct listing *listing, const struct market_stand *stand)
{
    for (size_t i = 0; i < stand->catalog.size_count; i++) {
        const struct server_size *size = &stand->catalog.sizes[i];
        for (size_t k = 0; k < size->offer_count; k++) {
            const struct offer offer = {.stand = stand,
                                        .size = size,
                                        .terms = &size->offers[k],
                                        .country = market_country(stand, size->offers[k].region)};
            if (is_wanted(listing, &offer))
                listing->offers[listing->count++] = offer;
        }
    }
}

static size_t offer_count(const struct market *market)
{
    size_t count = 0;
    for (size_t i = 0; i < market->count; i++)
        for (size_t k = 0; k < market->stands[i].catalog.size_count; k++)
            count += market->stands[i].catalog.sizes[k].offer_count;
    return count;
}

static int compare(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    double difference = x->terms->price_hourly - y->terms->price_hourly;
    if (difference != 0)
        return difference < 0 ? -1 : 1;
    int account = strcmp(x->stand->account, y->stand->account);
    return account ? account : strcmp(x->terms->region, y->terms->region);
}

static void show(struct listing *listing)
{
    struct cli *cli = listing->cli;
    json_t *rows = json_object_get(cli->data, "offers");
    if (listing->count)
        out_text(cli, " %-12s %-13s %-3s %-18s %5s %8s %8s %-5s %10s %10s     %s\n", "PROVIDER", "REGION", "",
                 "SIZE", "vCPU", "MEMORY", "DISK", "", "HOUR", "MONTH", "STOCK");
    for (size_t i = 0; i < listing->count; i++) {
        const struct offer *o = &listing->offers[i];
        const char *currency = o->stand->catalog.currency;
        const char *stock = o->size->retired_at ? "retired" : o->terms->available ? "yes" : "sold out";
        out_text(cli, " %-12s %-13s %-3s %-18s %5d %6.1f G %6.0f G %-5s %10.4f %10.2f %s %s\n",
                 o->stand->account, o->terms->region, o->country ? o->country : "?", o->size->name,
                 o->size->cores, o->size->memory_gib, o->size->disk_gib, o->size->architecture,
                 o->terms->price_hourly, o->terms->price_monthly, currency, stock);
        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:s?, s:s, s:i, s:f, s:f, s:s, s:f, s:f, s:s, s:b, s:s?}", "provider",
                      o->stand->account, "region", o->terms->region, "country", o->country, "size",
                      o->size->name, "cores", o->size->cores, "memory_gib", o->size->memory_gib, "disk_gib",
                      o->size->disk_gib, "architecture", o->size->architecture, "price_hourly",
                      o->terms->price_hourly, "price_monthly", o->terms->price_monthly, "currency", currency,
                      "available", o->terms->available, "retired_at", o->size->retired_at));
    }
}

static size_t show_unread(struct cli *cli, const struct market *market, const char *only)
{
    size_t count = 0;
    json_t *unread = json_object_get(cli->data, "unread");
    for (size_t i = 0; i < market->count; i++) {
        const struct market_stand *stand = &market->stands[i];
        if (!stand->error || (only && strcmp(only, stand->account) != 0))
            continue;
        out_text(cli, " !! %s: %s\n", stand->account, stand->error);
        json_array_append_new(unread,
                              json_pack("{s:s, s:s}", "provider", stand->account, "error", stand->error));
        count++;
    }
    return count;
}

struct err *cmd_catalog(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    const struct market *market;
    const char *only = cli_option(cli, "provider"), *host = cli_option(cli, "fit");
    TRY(cli_open_project(cli, &project));
    struct listing listing = {
        .cli = cli, .project = project, .region = cli_option(cli, "region"), .all = cli_switch(cli, "all")};
    if (host)
        TRY(inventory_host(project->inventory, host, &listing.fit));
    const struct account *account = only ? inventory_account(project->inventory, only) : NULL;
    if (only && (!account || !provider_find(account->type)))
        return err_with_hint(
            err_new(ERR_NOT_FOUND, "no account '%s' with servers in '%s'", only, project->inventory->path),
            "name one of those under 'providers' there");
    TRY(market_open(project, &(struct market_options){.kept_will_do = false}, &market));
    listing.offers = arena_array(cli->arena, offer_count(market) + 1, sizeof(*listing.offers));
    for (size_t i = 0; i < market->count; i++)
        if (!only || strcmp(only, market->stands[i].account) == 0)
            collect(&listing, &market->stands[i]);
    if (listing.count)
        qsort(listing.offers, listing.count, sizeof(*listing.offers), compare);
    cli->data = json_pack("{s:[], s:[]}", "offers", "unread");
    show(&listing);
    size_t unread = show_unread(cli, market, only);
    out_text(cli, "%zu offers%s.  Nothing has been changed.\n", listing.count,
             listing.all ? "" : " in stock (--all shows what is sold out)");
    cli->exit_code = unread ? EXIT_ATTENTION : EXIT_OK;
    return NULL;
}
