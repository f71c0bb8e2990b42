#include "core/placement.h"
#include "base/decode.h"
#include "base/retry.h"
#include <string.h>

struct reading {
    struct project *project;
    struct compute_account account;
    struct catalog catalog;
};

static struct err *read_once(const struct ctx *ctx, void *arg)
{
    struct reading *reading = arg;
    return reading->account.ops->catalog(ctx, reading->account.provider, reading->project->arena,
                                         &reading->catalog);
}

static struct err *read_catalog(struct project *project, const char *account, struct catalog *catalog)
{
    struct reading reading = {.project = project};
    TRY(project_compute(project, account, &reading.account));
    TRY(retry_run(project->ctx, &retry_reads, "read the provider's catalogue", read_once, &reading));
    *catalog = reading.catalog;
    return NULL;
}

static const struct server_size *find_size(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->size_count; i++)
        if (!strcmp(catalog->sizes[i].name, name))
            return &catalog->sizes[i];
    return NULL;
}

static const struct size_offer *find_offer(const struct server_size *size, const char *region)
{
    for (size_t i = 0; i < size->offer_count; i++)
        if (!strcmp(size->offers[i].region, region))
            return &size->offers[i];
    return NULL;
}

static bool has_image(const struct catalog *catalog, const char *image)
{
    for (size_t i = 0; i < catalog->image_count; i++)
        if (!strcmp(catalog->images[i], image))
            return true;
    return false;
}

static void strike(json_t *struck, const struct place *place, const char *why)
{
    json_array_append_new(struck,
                          json_sprintf("%s/%s %s: %s", place->account, place->region, place->size, why));
}

static struct err *describe(struct project *project, const struct host *host, const struct place *place,
                            json_t **out, json_t *struck)
{
    struct catalog catalog;
    CLEANUP_ERR struct err *e = read_catalog(project, place->account, &catalog);
    *out = NULL;
    if (e && (err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_INPUT))
        return TAKE(e);
    if (e) {
        strike(struck, place, err_text(e)); /* a provider that is down must not stop the search for another */
        return NULL;
    }
    const struct server_size *size = find_size(&catalog, place->size);
    const struct size_offer *offer = size ? find_offer(size, place->region) : NULL;
    if (!offer || !has_image(&catalog, host->image)) {
        strike(struck, place, !size ? "no such size" : !offer ? "size not offered there" : "no such image");
        return NULL;
    }
    *out = json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:s?, s:b}", "provider", place->account, "region",
                     place->region, "size", place->size, "cores", size->cores, "memory_gib", size->memory_gib,
                     "disk_gib", size->disk_gib, "price_hourly", offer->price_hourly, "currency",
                     catalog.currency, "available", offer->available);
    return NULL;
}

struct err *placement_rank(struct project *project, const struct host *host, json_t **places, json_t **struck)
{
    CLEANUP_JSON json_t *ranked = json_array();
    CLEANUP_JSON json_t *sold_out = json_array();
    CLEANUP_JSON json_t *out = json_array();
    for (FOREACH(struct place, place, host->places)) {
        json_t *described;
        TRY(describe(project, host, place, &described, out));
        if (described)
            json_array_append_new(json_is_true(json_object_get(described, "available")) ? ranked : sold_out,
                                  described);
    }
    json_array_extend(ranked, sold_out);
    if (!json_array_size(ranked))
        return err_with_hint(err_new(ERR_CAPACITY, "no place of host '%s' can be used: %s", host->name,
                                     json_string_value(json_array_get(out, 0))),
                             "mend that, or add a place to hosts.%s.places in the inventory", host->name);
    *places = TAKE(ranked);
    *struck = TAKE(out);
    return NULL;
}
