// What can be ordered: regions and their stock, plans with prices, public images, database engines and plans.
#include <stdlib.h>
#include <string.h>

#include "dialect_linode.h"

struct region {
    const char *id, *label, *country, *alias;
};

static const struct region regions[] = {
    {"us-east", "Newark, NJ", "us", NULL},
    {"us-central", "Dallas, TX", "us", "us-south"}, // linode/docs#7479: the old name is answered with the new
    {"us-west", "Fremont, CA", "us", NULL},
    {"us-southeast", "Atlanta, GA", "us", NULL},
    {"us-ord", "Chicago, IL", "us", NULL},
    {"us-iad", "Washington, DC", "us", NULL},
    {"ca-central", "Toronto, CA", "ca", NULL},
    {"eu-west", "London, UK", "gb", NULL},
    {"eu-central", "Frankfurt, DE", "de", NULL},
    {"nl-ams", "Amsterdam, NL", "nl", NULL},
    {"fr-par", "Paris, FR", "fr", NULL},
    {"se-sto", "Stockholm, SE", "se", NULL},
    {"it-mil", "Milan, IT", "it", NULL},
    {"es-mad", "Madrid, ES", "es", NULL},
    {"ap-south", "Singapore, SG", "sg", NULL},
    {"ap-northeast", "Tokyo, JP", "jp", NULL},
    {"ap-southeast", "Sydney, AU", "au", NULL},
    {"ap-west", "Mumbai, IN", "in", NULL},
    {"id-cgk", "Jakarta, ID", "id", NULL},
    {"br-gru", "Sao Paulo, BR", "br", NULL},
};
enum { REGIONS = sizeof regions / sizeof *regions };

#define PREMIUM "us-ord us-iad nl-ams fr-par se-sto it-mil es-mad id-cgk br-gru"
#define DEARER_FIRST "id-cgk" // Jakarta and Sao Paulo cost more
#define DEARER_SECOND "br-gru"

// Plans as the provider sells them; prices are of the right order only.
static const struct ln_type types[] = {
    {"g6-nanode-1", "Nanode 1GB", "nanode", 1, 1024, 25600, 1000, 1000, 0, 0.0075, 5, 0.003, 2, "*"},
    {"g6-standard-1", "Linode 2GB", "standard", 1, 2048, 51200, 2000, 2000, 0, 0.018, 12, 0.004, 2.5, "*"},
    {"g6-standard-2", "Linode 4GB", "standard", 2, 4096, 81920, 4000, 4000, 0, 0.036, 24, 0.008, 5, "*"},
    {"g6-standard-4", "Linode 8GB", "standard", 4, 8192, 163840, 5000, 5000, 0, 0.072, 48, 0.015, 10, "*"},
    {"g6-standard-6", "Linode 16GB", "standard", 6, 16384, 327680, 8000, 6000, 0, 0.144, 96, 0.03, 20, "*"},
    {"g6-standard-8", "Linode 32GB", "standard", 8, 32768, 655360, 16000, 7000, 0, 0.288, 192, 0.06, 40, "*"},
    {"g6-dedicated-2", "Dedicated 4GB", "dedicated", 2, 4096, 81920, 4000, 4000, 0, 0.054, 36, 0.008, 5, "*"},
    {"g6-dedicated-4", "Dedicated 8GB", "dedicated", 4, 8192, 163840, 5000, 5000, 0, 0.108, 72, 0.015, 10,
     "*"},
    {"g6-dedicated-8", "Dedicated 16GB", "dedicated", 8, 16384, 327680, 6000, 6000, 0, 0.216, 144, 0.03, 20,
     "*"},
    {"g7-highmem-1", "Linode 24GB", "highmem", 2, 24576, 20480, 5000, 5000, 0, 0.09, 60, 0.0075, 5, "*"},
    {"g7-premium-2", "Premium 4GB", "premium", 2, 4096, 81920, 4000, 4000, 0, 0.0645, 43, 0.008, 5, PREMIUM},
    {"g7-premium-4", "Premium 8GB", "premium", 4, 8192, 163840, 5000, 5000, 0, 0.129, 86, 0.015, 10, PREMIUM},
    {"g2-gpu-rtx4000a1-s", "RTX4000 Ada x1 Small", "gpu", 4, 16384, 524288, 0, 10000, 1, 0.52, 350, 0, 0,
     "us-ord"},
};
enum { TYPES = sizeof types / sizeof *types };

// Whatever is ordered, the machine gets the local Debian image.
static const struct {
    const char *id, *label, *vendor;
    int size_mb;
} images[] = {
    {"linode/debian12", "Debian 12", "Debian", 1300},
    {"linode/debian13", "Debian 13", "Debian", 1400},
    {"linode/ubuntu22.04", "Ubuntu 22.04 LTS", "Ubuntu", 3500},
    {"linode/ubuntu24.04", "Ubuntu 24.04 LTS", "Ubuntu", 3500},
};
enum { IMAGES = sizeof images / sizeof *images };

static const char *const engines[] = {"16.4", "15.8", "14.13"};
enum { ENGINES = sizeof engines / sizeof *engines };

const struct ln_type *ln_type_find(const char *id)
{
    for (size_t i = 0; i < TYPES; i++)
        if (text_equal(types[i].id, id))
            return &types[i];
    return NULL;
}

const char *ln_region_find(const char *id)
{
    for (size_t i = 0; i < REGIONS; i++)
        if (text_equal(regions[i].id, id) || text_equal(regions[i].alias, id))
            return regions[i].id;
    return NULL;
}

bool ln_type_offered(const struct ln_type *type, const char *region)
{
    return text_equal(type->places, "*") || strstr(type->places, region) != NULL;
}

bool ln_public_image(const char *id)
{
    for (size_t i = 0; i < IMAGES; i++)
        if (text_equal(images[i].id, id))
            return true;
    return false;
}

static json_t *price_json(double hourly, double monthly)
{
    return json_pack("{s:f, s:f}", "hourly", hourly, "monthly", monthly);
}

json_t *ln_region_prices(double hourly, double monthly)
{
    return json_pack("[{s:s, s:f, s:f}, {s:s, s:f, s:f}]", "id", DEARER_FIRST, "hourly", hourly * 1.2,
                     "monthly", monthly * 1.2, "id", DEARER_SECOND, "hourly", hourly * 1.4, "monthly",
                     monthly * 1.4);
}

static json_t *type_json(const struct ln_type *t)
{
    json_t *backups = json_pack("{s:o, s:o}", "price", price_json(t->backups_hourly, t->backups_monthly),
                                "region_prices", ln_region_prices(t->backups_hourly, t->backups_monthly));

    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:n, s:o, s:o, s:{s:o}}", "id", t->id,
                     "label", t->label, "class", t->class, "vcpus", t->vcpus, "memory", t->memory_mb, "disk",
                     t->disk_mb, "transfer", t->transfer_gb, "network_out", t->network_out, "gpus", t->gpus,
                     "successor", "price", price_json(t->hourly, t->monthly), "region_prices",
                     ln_region_prices(t->hourly, t->monthly), "addons", "backups", backups);
}

// A region in which nothing at all is sold is shown as an outage.
static json_t *region_json(const struct cloud *cloud, const struct region *region)
{
    bool up = stock_available(cloud, "", region->id);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:[s, s, s, s, s, s, s], s:{s:s, s:s}, s:{s:i, s:n, s:n}}", "id",
        region->id, "label", region->label, "country", region->country, "status", up ? "ok" : "outage",
        "site_type", "core", "capabilities", "Linodes", "Backups", "Block Storage", "Cloud Firewall",
        "Managed Databases", "Metadata", "Vlans", "resolvers", "ipv4", "198.18.0.53,198.18.0.53", "ipv6",
        "2001:db8::53,2001:db8::53", "placement_group_limits", "maximum_pgs_per_customer", 100,
        "maximum_linodes_per_pg", "maximum_linodes_per_flexible_pg");

    if (strstr(PREMIUM, region->id))
        json_array_append_new(json_object_get(json, "capabilities"), json_string("Premium Plans"));
    return json;
}

// Stock is told for dear plans only, and for what is sold out: a plan that is missing is no proof of stock.
static void add_availability(const struct cloud *cloud, json_t *list, const char *region)
{
    for (size_t i = 0; i < TYPES; i++) {
        bool told = text_equal(types[i].class, "premium") || text_equal(types[i].class, "gpu") ||
                    text_equal(types[i].class, "highmem");
        bool available = ln_type_offered(&types[i], region) && stock_available(cloud, types[i].id, region);
        if (told || !available)
            json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "region", region, "plan", types[i].id,
                                                  "available", available));
    }
}

static void list_regions(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < REGIONS; i++)
        json_array_append_new(list, region_json(request->cloud, &regions[i]));
    ln_list(request, response, list, "country site_type");
}

static void get_region(const struct request *request, struct response *response, const char *const args[])
{
    const char *id = ln_region_find(args[0]);

    ln_not_found(response);
    for (size_t i = 0; i < REGIONS; i++)
        if (text_equal(regions[i].id, id))
            ln_ok(response, region_json(request->cloud, &regions[i]));
}

static void list_availability(const struct request *request, struct response *response,
                              const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < REGIONS; i++)
        add_availability(request->cloud, list, regions[i].id);
    ln_list(request, response, list, "region plan available");
}

static void get_availability(const struct request *request, struct response *response,
                             const char *const args[])
{
    const char *region = ln_region_find(args[0]);
    json_t *list = json_array();

    if (!region) {
        ln_not_found(response);
        json_decref(list);
        return;
    }
    add_availability(request->cloud, list, region);
    ln_ok(response, list); // this one is a bare array
}

static void list_types(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < TYPES; i++)
        json_array_append_new(list, type_json(&types[i]));
    ln_list(request, response, list, "class disk gpus label memory network_out transfer vcpus");
}

static void get_type(const struct request *request, struct response *response, const char *const args[])
{
    const struct ln_type *type = ln_type_find(args[0]);

    (void)request;
    if (type)
        ln_ok(response, type_json(type));
    else
        ln_not_found(response);
}

json_t *ln_public_images(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < IMAGES; i++)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:n, s:s, s:s, s:s, s:b, s:b, s:s, s:n, s:s, s:s, s:i, s:i, s:[], s:[], "
                      "s:[s]}",
                      "id", images[i].id, "label", images[i].label, "description", "created",
                      "2024-04-25T13:26:27", "updated", "2024-04-25T13:26:27", "created_by", "linode",
                      "is_public", 1, "deprecated", 0, "type", "manual", "expiry", "eol",
                      "2029-04-25T04:00:00", "vendor", images[i].vendor, "size", images[i].size_mb,
                      "total_size", images[i].size_mb, "tags", "regions", "capabilities", "cloud-init"));
    json_t *image;
    size_t i;
    json_array_foreach(list, i, image) json_object_set_new(image, "status", json_string("available"));
    return list;
}

static json_t *engine_json(const char *version)
{
    char *id = text_format("postgresql/%.2s", version);
    json_t *json = json_pack("{s:s, s:s, s:s}", "id", id, "engine", "postgresql", "version", version);

    free(id);
    return json;
}

static void list_engines(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < ENGINES; i++)
        json_array_append_new(list, engine_json(engines[i]));
    ln_list(request, response, list, "engine version");
}

static void get_engine(const struct request *request, struct response *response, const char *const args[])
{
    (void)request;
    ln_not_found(response);
    for (size_t i = 0; text_equal(args[0], "postgresql") && i < ENGINES; i++)
        if (strncmp(engines[i], args[1], 2) == 0)
            ln_ok(response, engine_json(engines[i]));
}

static json_t *database_type_json(const struct ln_type *t)
{
    json_t *postgresql = json_array();

    for (int nodes = 1; nodes <= 3; nodes++)
        json_array_append_new(postgresql,
                              json_pack("{s:i, s:o}", "quantity", nodes, "price",
                                        price_json(t->hourly * 3 * nodes, t->monthly * 3 * nodes)));
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:{s:[], s:o}}", "id", t->id, "label", t->label, "class",
                     t->class, "vcpus", t->vcpus, "memory", t->memory_mb, "disk", t->disk_mb, "engines",
                     "mysql", "postgresql", postgresql);
}

static void list_database_types(const struct request *request, struct response *response,
                                const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < TYPES; i++)
        if (text_starts(types[i].id, "g6-"))
            json_array_append_new(list, database_type_json(&types[i]));
    ln_list(request, response, list, "class");
}

static void list_volume_types(const struct request *request, struct response *response,
                              const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:i}", "id", "volume", "label",
                                          "Storage Volume", "price", price_json(0.00015, 0.1),
                                          "region_prices", ln_region_prices(0.00015, 0.1), "transfer", 0));
    ln_list(request, response, list, "label");
}

const struct route ln_catalog_routes[] = {
    {"GET", "regions", list_regions},
    {"GET", "regions/availability", list_availability},
    {"GET", "regions/*", get_region},
    {"GET", "regions/*/availability", get_availability},
    {"GET", "linode/types", list_types},
    {"GET", "linode/types/*", get_type},
    {"GET", "databases/engines", list_engines},
    {"GET", "databases/engines/*/*", get_engine},
    {"GET", "databases/types", list_database_types},
    {"GET", "volumes/types", list_volume_types},
    {NULL, NULL, NULL},
};
