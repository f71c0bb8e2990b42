#include "core/market.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/account_ask.h"
#include <string.h>

#define READ_DEADLINE_MS 30000

/* ---- reading ---- */

static struct err *read_catalog(const struct ctx *ctx, struct account_question *question)
{
    return question->compute.ops->catalog(ctx, question->compute.provider, question->arena, question->answer);
}

static const char *cache_path(struct project *project, const char *account)
{
    return arena_printf(project->arena, "%s/catalog-%s.json", project->inventory->state_dir, account);
}

/* An account of the same name may become another one. */
static const char *endpoint_of(const struct project *project, const char *name)
{
    const struct account *account = inventory_account(project->inventory, name);
    return arena_printf(project->arena, "%s %s", account->type, account->endpoint ? account->endpoint : "");
}

/* What is kept is a help, not a duty: when it cannot be read or written, the provider is asked again. */
static void forget_error(const char *what, struct err *e)
{
    if (e && err_kind(e) != ERR_NOT_FOUND)
        log_info("%s: %s", what, err_text(e));
    err_free(e);
}

static void keep(struct project *project, const struct market_stand *stand)
{
    if (fs_is_dir(project->inventory->state_dir))
        forget_error("keep a catalogue", market_save(cache_path(project, stand->account),
                                                     endpoint_of(project, stand->account), stand));
}

static struct err *take_answer(struct project *project, const struct account_question *question,
                               const struct catalog *catalog, struct market_stand *stand)
{
    CLEANUP_ERR struct err *e = question->error;
    if (e && err_kind(e) == ERR_CANCELLED)
        return TAKE(e);
    if (e) {
        stand->error = arena_strdup(project->arena, err_text(e));
        return NULL;
    }
    stand->catalog = *catalog;
    stand->read_ms = clock_now_ms();
    keep(project, stand);
    return NULL;
}

static bool is_named(const struct schema_texts *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static void load_kept(struct project *project, struct market_stand *stand)
{
    forget_error("read a kept catalogue", market_load(project->arena, cache_path(project, stand->account),
                                                      endpoint_of(project, stand->account), stand));
}

static bool is_fresh(const struct market_stand *stand)
{
    int64_t age_ms = clock_now_ms() - stand->read_ms;
    return stand->read_ms && age_ms >= 0 && age_ms < MARKET_FRESH_MS;
}

static struct err *fill(struct project *project, const struct market_options *options, struct market *market)
{
    struct catalog *catalogs = arena_array(project->arena, market->count + 1, sizeof(*catalogs));
    struct account_question *questions = arena_array(project->arena, market->count + 1, sizeof(*questions));
    struct market_stand **asked =
        arena_array(project->arena, market->count + 1, sizeof(struct market_stand *));
    size_t count = 0;
    for (size_t i = 0; i < market->count; i++) {
        struct market_stand *stand = &market->stands[i];
        load_kept(project, stand);
        if (is_named(&options->without, stand->account))
            stand->error = "left out by --without";
        else if (!options->kept_will_do || !is_fresh(stand)) {
            questions[count] =
                (struct account_question){.account = stand->account, .answer = &catalogs[count]};
            asked[count++] = stand;
        }
    }
    account_ask(project, questions, count, "read the provider's catalogue", READ_DEADLINE_MS, read_catalog);
    struct err *cancelled = NULL;
    for (size_t i = 0; i < count; i++) { /* every error is taken, whatever came of the others */
        struct err *e = take_answer(project, &questions[i], &catalogs[i], asked[i]);
        if (cancelled)
            err_free(e);
        else
            cancelled = e;
    }
    return cancelled;
}

struct err *market_open(struct project *project, const struct market_options *options,
                        const struct market **market)
{
    const struct schema_items *accounts = &project->inventory->accounts;
    if (!project->market) {
        struct market *opened = ARENA_NEW(project->arena, struct market);
        opened->stands = arena_array(project->arena, accounts->count + 1, sizeof(*opened->stands));
        for (FOREACH(struct account, account, *accounts))
            if (provider_find(account->type))
                opened->stands[opened->count++].account = account->name;
        TRY(fill(project, options, opened));
        project->market = opened;
    }
    *market = project->market;
    return NULL;
}

/* ---- looking ---- */

const struct market_stand *market_stand(const struct market *market, const char *account)
{
    for (size_t i = 0; i < market->count; i++)
        if (strcmp(market->stands[i].account, account) == 0)
            return &market->stands[i];
    return NULL;
}

const struct server_size *market_size(const struct market_stand *stand, const char *name)
{
    for (size_t i = 0; i < stand->catalog.size_count; i++)
        if (strcmp(stand->catalog.sizes[i].name, name) == 0)
            return &stand->catalog.sizes[i];
    return NULL;
}

const char *market_country(const struct market_stand *stand, const char *region)
{
    for (size_t i = 0; i < stand->catalog.region_count; i++)
        if (strcmp(stand->catalog.regions[i].name, region) == 0)
            return stand->catalog.regions[i].country;
    return NULL;
}

bool market_offer(const struct market_stand *stand, const char *size_name, const char *region,
                  struct offer *offer)
{
    const struct server_size *size = market_size(stand, size_name);
    for (size_t i = 0; size && i < size->offer_count; i++)
        if (strcmp(size->offers[i].region, region) == 0) {
            *offer = (struct offer){.stand = stand,
                                    .size = size,
                                    .terms = &size->offers[i],
                                    .country = market_country(stand, region)};
            return true;
        }
    return false;
}

bool market_fits(const struct server_size *size, const struct needs *needs)
{
    /* Providers round: a size of "4 GB" may be told as 3.9 GiB. */
    const double tolerance = 0.97;
    return !size->retired_at && size->cores >= needs->cores &&
           size->memory_gib >= (double)needs->memory_gib * tolerance &&
           size->disk_gib >= (double)needs->disk_gib * tolerance &&
           (!needs->architecture || strcmp(size->architecture, needs->architecture) == 0);
}

bool market_cheapest(const struct market_stand *stand, const char *region, const struct needs *needs,
                     struct offer *offer)
{
    bool found = false;
    for (size_t i = 0; i < stand->catalog.size_count; i++) {
        const struct server_size *size = &stand->catalog.sizes[i];
        if (!market_fits(size, needs))
            continue;
        for (size_t k = 0; k < size->offer_count; k++) {
            const struct size_offer *terms = &size->offers[k];
            if (!terms->available || terms->price_hourly <= 0 ||
                (found && terms->price_hourly >= offer->terms->price_hourly) ||
                strcmp(terms->region, region) != 0)
                continue;
            *offer = (struct offer){
                .stand = stand, .size = size, .terms = terms, .country = market_country(stand, region)};
            found = true;
        }
    }
    return found;
}

bool market_has_image(const struct market_stand *stand, const char *image)
{
    for (size_t i = 0; i < stand->catalog.image_count; i++)
        if (strcmp(stand->catalog.images[i], image) == 0)
            return true;
    return false;
}
