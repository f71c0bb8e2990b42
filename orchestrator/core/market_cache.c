/* Catalogues kept on disk, so that a second look within minutes asks nobody, and a lost account can still be
 * described. */
#include "base/decode.h"
#include "base/fs.h"
#include "core/market.h"
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define MAX_BYTES (8u << 20)

/* ---- writing ---- */

static json_t *offers_json(const struct server_size *size)
{
    json_t *offers = json_array();
    for (size_t i = 0; i < size->offer_count; i++) {
        const struct size_offer *offer = &size->offers[i];
        (void)json_array_append_new(offers, json_pack("[s, b, f, f]", offer->region, offer->available,
                                                      offer->price_hourly, offer->price_monthly));
    }
    return offers;
}

static json_t *sizes_json(const struct catalog *catalog)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < catalog->size_count; i++) {
        const struct server_size *size = &catalog->sizes[i];
        (void)json_array_append_new(
            sizes, json_pack("{s:s, s:s, s:i, s:f, s:f, s:s?, s:o}", "name", size->name, "architecture",
                             size->architecture, "cores", size->cores, "memory", size->memory_gib, "disk",
                             size->disk_gib, "retired_at", size->retired_at, "offers", offers_json(size)));
    }
    return sizes;
}

static json_t *regions_json(const struct catalog *catalog)
{
    json_t *regions = json_array();
    for (size_t i = 0; i < catalog->region_count; i++)
        (void)json_array_append_new(
            regions, json_pack("[s, s?]", catalog->regions[i].name, catalog->regions[i].country));
    return regions;
}

static json_t *images_json(const struct catalog *catalog)
{
    json_t *images = json_array();
    for (size_t i = 0; i < catalog->image_count; i++)
        (void)json_array_append_new(images, json_string(catalog->images[i]));
    return images;
}

struct err *market_save(const char *path, const char *endpoint, const struct market_stand *stand)
{
    CLEANUP_JSON json_t *json = json_pack(
        "{s:i, s:s, s:I, s:s, s:o, s:o, s:o}", "format", FORMAT, "endpoint", endpoint, "read_ms",
        (json_int_t)stand->read_ms, "currency", stand->catalog.currency, "sizes", sizes_json(&stand->catalog),
        "regions", regions_json(&stand->catalog), "images", images_json(&stand->catalog));
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(8)) : NULL;
    if (!text)
        return err_new(ERR_INTERNAL, "the catalogue of '%s' cannot be written as JSON", stand->account);
    struct err *e = fs_write_file(path, text, strlen(text), 0600);
    free(text);
    return e;
}

/* ---- reading ---- */

static struct err *read_offers(struct arena *arena, const json_t *json, struct server_size *size)
{
    const json_t *offers = NULL;
    TRY(decode_array(json, "offers", &offers));
    size->offers = arena_array(arena, json_array_size(offers) + 1, sizeof(*size->offers));
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(offers, i, found)
    {
        struct size_offer *offer = &size->offers[size->offer_count++];
        offer->region = json_string_value(json_array_get(found, 0));
        offer->available = json_is_true(json_array_get(found, 1));
        offer->price_hourly = json_number_value(json_array_get(found, 2));
        offer->price_monthly = json_number_value(json_array_get(found, 3));
        if (!offer->region)
            return err_new(ERR_REJECTED, "an offer of size '%s' names no region", size->name);
    }
    return NULL;
}

static struct err *read_sizes(struct arena *arena, const json_t *json, struct catalog *catalog)
{
    const json_t *sizes = NULL;
    TRY(decode_array(json, "sizes", &sizes));
    catalog->sizes = arena_array(arena, json_array_size(sizes) + 1, sizeof(*catalog->sizes));
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(sizes, i, found)
    {
        struct server_size *size = &catalog->sizes[catalog->size_count++];
        TRY(decode_string(found, "name", &size->name));
        TRY(decode_string(found, "architecture", &size->architecture));
        TRY(decode_optional_string(found, "retired_at", NULL, &size->retired_at));
        size->cores = (int)json_integer_value(json_object_get(found, "cores"));
        size->memory_gib = json_number_value(json_object_get(found, "memory"));
        size->disk_gib = json_number_value(json_object_get(found, "disk"));
        TRY(read_offers(arena, found, size));
    }
    return NULL;
}

static struct err *read_regions(struct arena *arena, const json_t *json, struct catalog *catalog)
{
    const json_t *regions = NULL;
    TRY(decode_array(json, "regions", &regions));
    catalog->regions = arena_array(arena, json_array_size(regions) + 1, sizeof(*catalog->regions));
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(regions, i, found)
    {
        struct catalog_region *region = &catalog->regions[catalog->region_count++];
        region->country = json_string_value(json_array_get(found, 1));
        TRY(decode_string(found, "0", &region->name));
    }
    return NULL;
}

static struct err *read_images(struct arena *arena, const json_t *json, struct catalog *catalog)
{
    const json_t *images = NULL;
    TRY(decode_array(json, "images", &images));
    catalog->images = arena_array(arena, json_array_size(images) + 1, sizeof(*catalog->images));
    size_t i = 0;
    const json_t *found = NULL;
    json_array_foreach(images, i, found)
        TRY(decode_string(found, "", &catalog->images[catalog->image_count++]));
    return NULL;
}

static struct err *read_stand(struct arena *arena, const json_t *json, const char *endpoint,
                              struct market_stand *stand)
{
    int64_t format = 0;
    const char *kept_endpoint = NULL;
    struct catalog catalog = {0};
    TRY(decode_int(json, "format", &format));
    TRY(decode_string(json, "endpoint", &kept_endpoint));
    if (format != FORMAT || strcmp(kept_endpoint, endpoint) != 0)
        return err_new(ERR_NOT_FOUND, "the kept catalogue is of another format or place");
    TRY(decode_string(json, "currency", &catalog.currency));
    TRY(read_sizes(arena, json, &catalog));
    TRY(read_regions(arena, json, &catalog));
    TRY(read_images(arena, json, &catalog));
    TRY(decode_int(json, "read_ms", &stand->read_ms));
    stand->catalog = catalog;
    return NULL;
}

static void decref(void *json)
{
    json_decref(json);
}

struct err *market_load(struct arena *arena, const char *path, const char *endpoint,
                        struct market_stand *stand)
{
    char *text = NULL;
    size_t length = 0;
    json_t *json = NULL;
    TRY(fs_read_file(arena, path, MAX_BYTES, &text, &length));
    TRY(decode_json(text, length, path, &json));
    arena_defer(arena, decref, json); /* its texts are used as they are */
    return read_stand(arena, json, endpoint, stand);
}
