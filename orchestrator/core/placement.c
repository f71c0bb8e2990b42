#include "core/placement.h"
#include "base/decode.h"
#include "base/yaml.h"
#include "core/area.h"
#include <stdlib.h>
#include <string.h>

/* Of a ladder that rehost makes itself: in all, and of one account. */
#define OWN_RUNGS 8
#define OWN_RUNGS_EACH 3

struct ladder {
    struct project *project;
    struct arena *arena;
    const struct host *host;
    const struct placement_options *options;
    const struct market *market;
    struct needs needs;
    json_t *rungs, *sold_out, *struck;
};

static void strike(struct ladder *ladder, const struct place *place, const char *why)
{
    json_array_append_new(ladder->struck,
                          json_sprintf("%s%s%s%s%s: %s", place->account, place->region ? "/" : "",
                                       place->region ? place->region : "", place->size ? " " : "",
                                       place->size ? place->size : "", why));
}

static bool is_left_out(const struct ladder *ladder, const char *account)
{
    for (size_t i = 0; i < ladder->options->market.without.count; i++)
        if (strcmp(ladder->options->market.without.items[i], account) == 0)
            return true;
    return false;
}

/* ---- areas ---- */

static const char *outside(struct ladder *ladder, const char *what, const struct schema_texts *areas,
                           const char *country)
{
    if (!areas->count)
        return NULL;
    CLEANUP_STRBUF struct strbuf names;
    strbuf_init(&names, 0);
    for (size_t i = 0; i < areas->count; i++) {
        if (area_holds(areas->items[i], country))
            return NULL;
        strbuf_addf(&names, "%s%s", i ? " or " : "", areas->items[i]);
    }
    return arena_printf(ladder->arena, "%s must stay in %s, this is in %s", what,
                        strbuf_to_arena(&names, ladder->arena),
                        country ? country : "a country that the provider does not tell");
}

/* Why neither the host nor all of its data may be in that country; NULL: they may. */
static const char *area_problem(struct ladder *ladder, const char *country)
{
    const char *problem = outside(ladder, "the host", &ladder->host->needs.areas, country);
    for (FOREACH(struct host_dataset, dataset, ladder->host->datasets))
        if (!problem)
            problem = outside(ladder, arena_printf(ladder->arena, "dataset '%s'", dataset->name),
                              &dataset->areas, country);
    return problem;
}

/* ---- rungs ---- */

static bool has_rung(const json_t *rungs, const struct offer *offer)
{
    size_t i;
    const json_t *rung;
    json_array_foreach(rungs, i, rung)
    {
        if (!strcmp(json_string_value(json_object_get(rung, "provider")), offer->stand->account) &&
            !strcmp(json_string_value(json_object_get(rung, "region")), offer->terms->region) &&
            !strcmp(json_string_value(json_object_get(rung, "size")), offer->size->name))
            return true;
    }
    return false;
}

/* Once: two places of the inventory may come down to the same thing. */
static void add_rung(struct ladder *ladder, const struct offer *offer)
{
    const struct server_size *size = offer->size;
    if (has_rung(ladder->rungs, offer) || has_rung(ladder->sold_out, offer))
        return;
    json_array_append_new(
        offer->terms->available ? ladder->rungs : ladder->sold_out,
        json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:s, s:s?, s:f, s:f, s:s?, s:b}", "provider",
                  offer->stand->account, "region", offer->terms->region, "size", size->name, "cores",
                  size->cores, "memory_gib", size->memory_gib, "disk_gib", size->disk_gib, "architecture",
                  size->architecture, "country", offer->country, "price_hourly", offer->terms->price_hourly,
                  "price_monthly", offer->terms->price_monthly, "currency", offer->stand->catalog.currency,
                  "available", offer->terms->available, "retired_at", size->retired_at));
}

static bool offer_of(struct ladder *ladder, const struct market_stand *stand, const char *size,
                     const char *region, struct offer *offer)
{
    return size ? market_offer(stand, size, region, offer)
                : market_cheapest(stand, region, &ladder->needs, offer);
}

/* A price that is not told is no price of nothing. */
static bool is_better(const struct size_offer *x, const struct size_offer *y)
{
    if (x->available != y->available)
        return x->available;
    return x->price_hourly > 0 && (y->price_hourly <= 0 || x->price_hourly < y->price_hourly);
}

/* The cheapest region where host and data may be; what is in stock comes first. */
static bool cheapest_region(struct ladder *ladder, const struct market_stand *stand, const char *size,
                            struct offer *offer)
{
    bool found = false;
    for (size_t i = 0; i < stand->catalog.region_count; i++) {
        struct offer candidate;
        if (!offer_of(ladder, stand, size, stand->catalog.regions[i].name, &candidate) ||
            area_problem(ladder, candidate.country))
            continue;
        if (!found || is_better(candidate.terms, offer->terms))
            *offer = candidate;
        found = true;
    }
    return found;
}

static const char *needs_text(struct ladder *ladder)
{
    const struct needs *needs = &ladder->needs;
    return arena_printf(ladder->arena, "%lld vCPU, %lld GiB memory, %lld GiB disk, %s",
                        (long long)needs->cores, (long long)needs->memory_gib, (long long)needs->disk_gib,
                        needs->architecture);
}

/* The offer that a place stands for; else *why not. */
static bool find_offer(struct ladder *ladder, const struct market_stand *stand, const struct place *place,
                       struct offer *offer, const char **why)
{
    *why = !place->size ? arena_printf(ladder->arena, "nothing on sale that fits %s", needs_text(ladder))
           : market_size(stand, place->size) ? "size not offered there"
                                             : "no such size";
    return place->region ? offer_of(ladder, stand, place->size, place->region, offer)
                         : cheapest_region(ladder, stand, place->size, offer);
}

static void add_place(struct ladder *ladder, const struct place *place)
{
    const struct market_stand *stand = market_stand(ladder->market, place->account);
    struct offer offer;
    const char *why = NULL;
    if (stand->error) { /* a provider that is down must not stop the search for another */
        strike(ladder, place, stand->error);
        return;
    }
    if (!find_offer(ladder, stand, place, &offer, &why)) {
        strike(ladder, place, why);
        return;
    }
    const char *problem = area_problem(ladder, offer.country);
    if (!problem && !market_has_image(stand, ladder->host->image))
        problem = arena_printf(ladder->arena, "no image '%s'", ladder->host->image);
    if (problem)
        strike(ladder, place, problem);
    else
        add_rung(ladder, &offer);
}

/* ---- rehost's own ladder ---- */

static int compare_offers(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    double difference = x->terms->price_hourly - y->terms->price_hourly;
    return difference < 0 ? -1 : difference > 0;
}

/* Each region's cheapest of one account; those outside the areas are told in one line. */
static void collect_offers(struct ladder *ladder, const struct market_stand *stand, struct offer *offers,
                           size_t *count)
{
    size_t outside_count = 0;
    const char *why = NULL;
    for (size_t i = 0; i < stand->catalog.region_count; i++) {
        struct offer offer;
        if (!market_cheapest(stand, stand->catalog.regions[i].name, &ladder->needs, &offer))
            continue;
        const char *problem = area_problem(ladder, offer.country);
        if (!problem)
            offers[(*count)++] = offer;
        else if (!outside_count++)
            why = problem;
    }
    const struct place whole = {.account = stand->account};
    if (outside_count)
        strike(ladder, &whole, arena_printf(ladder->arena, "%zu of its regions (%s)", outside_count, why));
}

static void collect_market(struct ladder *ladder, struct offer *offers, size_t *count)
{
    for (size_t i = 0; i < ladder->market->count; i++) {
        const struct market_stand *stand = &ladder->market->stands[i];
        const struct place whole = {.account = stand->account};
        if (stand->error)
            strike(ladder, &whole, stand->error);
        else if (!market_has_image(stand, ladder->host->image))
            strike(ladder, &whole, arena_printf(ladder->arena, "no image '%s'", ladder->host->image));
        else
            collect_offers(ladder, stand, offers, count);
    }
}

static size_t rungs_of_account(const struct ladder *ladder, const char *account)
{
    size_t count = 0, i;
    const json_t *rung;
    json_array_foreach(ladder->rungs, i, rung) count +=
        strcmp(json_string_value(json_object_get(rung, "provider")), account) == 0;
    return count;
}

static const char *type_of(const struct ladder *ladder, const struct offer *offer)
{
    return inventory_account(ladder->project->inventory, offer->stand->account)->type;
}

/* The cheapest of another provider, or where there is none of another account; `count` when there is neither.
 */
static size_t second_rung(const struct ladder *ladder, const struct offer *offers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(type_of(ladder, &offers[i]), type_of(ladder, &offers[0])) != 0)
            return i;
    for (size_t i = 1; i < count; i++)
        if (offers[i].stand != offers[0].stand)
            return i;
    return count;
}

/* By price, but that the second is the cheapest of another provider: what closes one region for us (a limit,
 * a lock, an outage) often closes the whole account, or all that the provider has. */
static void make_ladder(struct ladder *ladder)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < ladder->market->count; i++)
        most += ladder->market->stands[i].catalog.region_count;
    struct offer *offers = arena_array(ladder->arena, most + 1, sizeof(*offers));
    collect_market(ladder, offers, &count);
    if (count)
        qsort(offers, count, sizeof(*offers), compare_offers);
    size_t second = second_rung(ladder, offers, count);
    if (second < count) {
        struct offer other = offers[second];
        memmove(&offers[2], &offers[1], (second - 1) * sizeof(*offers));
        offers[1] = other;
    }
    for (size_t i = 0, taken = 0; i < count && taken < OWN_RUNGS; i++)
        if (rungs_of_account(ladder, offers[i].stand->account) < OWN_RUNGS_EACH) {
            add_rung(ladder, &offers[i]);
            taken++;
        }
}

/* ---- needs ---- */

/* Up: market_fits() allows for what providers round. */
static int64_t whole(double gib)
{
    int64_t down = (int64_t)gib;
    return down + (gib > (double)down);
}

/* Where the inventory names sizes only, another place has to have as much as the first of them. */
static void derive_needs(struct ladder *ladder)
{
    struct needs *needs = &ladder->needs;
    *needs = ladder->host->needs;
    if (needs->cores || needs->memory_gib || needs->disk_gib)
        return;
    for (FOREACH(struct place, place, ladder->host->places)) {
        const struct market_stand *stand = market_stand(ladder->market, place->account);
        const struct server_size *size = place->size ? market_size(stand, place->size) : NULL;
        if (!size)
            continue;
        needs->cores = size->cores;
        needs->memory_gib = whole(size->memory_gib);
        needs->disk_gib = whole(size->disk_gib);
        needs->architecture = size->architecture;
        return;
    }
}

static struct err *need_needs(const struct ladder *ladder)
{
    const struct needs *needs = &ladder->needs;
    if (needs->cores || needs->memory_gib || needs->disk_gib)
        return NULL;
    return err_with_hint(
        err_new(ERR_INPUT, "how large a server host '%s' needs is not known", ladder->host->name),
        "say it under hosts.%s.needs, or give a size: --to PROVIDER/REGION/SIZE", ladder->host->name);
}

/* ---- the choice ---- */

static struct err *check_account_name(const struct ladder *ladder, const char *option, const char *name)
{
    const char *names[64];
    size_t count = 0;
    if (market_stand(ladder->market, name))
        return NULL;
    for (size_t i = 0; i < ladder->market->count && count < 64; i++)
        names[count++] = ladder->market->stands[i].account;
    const char *near = yaml_nearest(name, names, count);
    struct err *e = err_new(ERR_INPUT, "%s: no account '%s' with servers in the inventory", option, name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

/* "ACCOUNT[/REGION[/SIZE]]"; a size that the inventory has for that place counts when none is given. */
static struct err *read_to(struct ladder *ladder, struct place *place)
{
    char *save = NULL;
    char *text = arena_strdup(ladder->arena, ladder->options->to);
    *place = (struct place){.account = strtok_r(text, "/", &save)};
    place->region = strtok_r(NULL, "/", &save);
    place->size = strtok_r(NULL, "/", &save);
    if (!place->account || strtok_r(NULL, "/", &save))
        return err_new(ERR_INPUT, "--to '%s' is not PROVIDER[/REGION[/SIZE]]", ladder->options->to);
    TRY(check_account_name(ladder, "--to", place->account));
    for (FOREACH(struct place, listed, ladder->host->places))
        if (!place->size && strcmp(listed->account, place->account) == 0 &&
            (!place->region || !listed->region || strcmp(listed->region, place->region) == 0))
            place->size = listed->size;
    return place->size ? NULL : need_needs(ladder);
}

static struct err *add_places(struct ladder *ladder)
{
    struct place only;
    if (ladder->options->to) {
        TRY(read_to(ladder, &only));
        add_place(ladder, &only);
        return NULL;
    }
    size_t left = 0;
    for (FOREACH(struct place, place, ladder->host->places)) {
        left += !is_left_out(ladder, place->account);
        add_place(ladder, place);
    }
    if (left)
        return NULL;
    TRY(need_needs(ladder));
    make_ladder(ladder);
    return NULL;
}

static struct err *check_without(const struct ladder *ladder)
{
    const struct schema_texts *without = &ladder->options->market.without;
    for (size_t i = 0; i < without->count; i++)
        if (!inventory_account(ladder->project->inventory,
                               without->items[i])) /* one of DNS may be lost, too */
            TRY(check_account_name(ladder, "--without", without->items[i]));
    return NULL;
}

struct err *placement_rank(struct project *project, const struct host *host,
                           const struct placement_options *options, json_t **rungs, json_t **struck)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_JSON json_t *ranked = json_array();
    CLEANUP_JSON json_t *sold_out = json_array();
    CLEANUP_JSON json_t *out = json_array();
    struct ladder ladder = {.project = project,
                            .arena = arena,
                            .host = host,
                            .options = options,
                            .rungs = ranked,
                            .sold_out = sold_out,
                            .struck = out};
    TRY(market_open(project, &options->market, &ladder.market));
    TRY(check_without(&ladder));
    derive_needs(&ladder);
    TRY(add_places(&ladder));
    json_array_extend(ranked, sold_out);
    if (!json_array_size(ranked)) {
        const char *first = json_string_value(json_array_get(out, 0));
        return err_with_hint(err_new(ERR_CAPACITY, "no place of host '%s' can be used: %s", host->name,
                                     first ? first : "no account sells anything that fits"),
                             "mend that, or add a place to hosts.%s.places in the inventory", host->name);
    }
    *rungs = TAKE(ranked);
    *struck = TAKE(out);
    return NULL;
}

bool placement_fits(struct project *project, const struct host *host, const struct offer *offer)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ladder ladder = {.project = project, .arena = arena, .host = host, .market = project->market};
    derive_needs(&ladder);
    return market_fits(offer->size, &ladder.needs) && !area_problem(&ladder, offer->country);
}
