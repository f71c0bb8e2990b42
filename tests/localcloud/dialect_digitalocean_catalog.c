// What can be ordered: regions, sizes with prices and stock, images; and the account's limits.
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { DROPLET_LIMIT = 1000, ADDRESS_LIMIT = 100 }; // where --server-limit says nothing

struct region {
    const char *slug, *name;
    bool available;
};
static const struct region regions[] = {
    {"nyc1", "New York 1", true},       {"nyc3", "New York 3", true},      {"ams3", "Amsterdam 3", true},
    {"sfo1", "San Francisco 1", false}, {"sfo3", "San Francisco 3", true}, {"sgp1", "Singapore 1", true},
    {"lon1", "London 1", true},         {"fra1", "Frankfurt 1", true},     {"tor1", "Toronto 1", true},
    {"blr1", "Bangalore 1", true},      {"syd1", "Sydney 1", true},
};
enum { REGIONS = sizeof regions / sizeof *regions };

#define MOST "nyc1 nyc3 ams3 sfo3 sgp1 lon1 fra1 tor1 blr1 syd1"
#define SOME "nyc3 ams3 sfo3 fra1"

// Sizes as the provider sells them; prices are of the right order only.
static const struct ocean_size sizes[] = {
    {"512mb", "Legacy Basic", 512, 1, 20, 1, 0.00744, 5, false, ""}, // retired
    {"s-1vcpu-512mb-10gb", "Basic", 512, 1, 10, 0.5, 0.00595, 4, true, SOME},
    {"s-1vcpu-1gb", "Basic", 1024, 1, 25, 1, 0.00893, 6, true, MOST},
    {"s-1vcpu-2gb", "Basic", 2048, 1, 50, 2, 0.01786, 12, true, MOST},
    {"s-2vcpu-2gb", "Basic", 2048, 2, 60, 3, 0.02679, 18, true, MOST},
    {"s-2vcpu-4gb", "Basic", 4096, 2, 80, 4, 0.03571, 24, true, MOST},
    {"s-4vcpu-8gb", "Basic", 8192, 4, 160, 5, 0.07143, 48, true, MOST},
    {"s-8vcpu-16gb", "Basic", 16384, 8, 320, 6, 0.14286, 96, true, MOST},
    {"c-2", "CPU-Optimized", 4096, 2, 25, 4, 0.0625, 42, true, SOME},
    {"g-2vcpu-8gb", "General Purpose", 8192, 2, 25, 4, 0.09375, 63, true, SOME},
    {"m-2vcpu-16gb", "Memory-Optimized", 16384, 2, 50, 4, 0.125, 84, true, SOME},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

// Whatever is ordered, the machine gets the local Debian image.
static const struct ocean_image images[] = {
    {129211873, "ubuntu-22-04-x64", "22.04 (LTS) x64", "Ubuntu"},
    {155133621, "ubuntu-24-04-x64", "24.04 (LTS) x64", "Ubuntu"},
    {139080908, "debian-12-x64", "12 x64", "Debian"},
};
enum { IMAGES = sizeof images / sizeof *images };

const struct ocean_size *ocean_size_find(const char *slug)
{
    for (size_t i = 0; i < SIZES; i++)
        if (text_equal(sizes[i].slug, slug))
            return &sizes[i];
    return NULL;
}

const struct ocean_image *ocean_image_find(const char *id_or_slug)
{
    int64_t id = ocean_id(id_or_slug);

    for (size_t i = 0; i < IMAGES; i++)
        if (text_equal(images[i].slug, id_or_slug) || images[i].id == id)
            return &images[i];
    return NULL;
}

static const struct region *region_find(const char *slug)
{
    for (size_t i = 0; i < REGIONS; i++)
        if (text_equal(regions[i].slug, slug))
            return &regions[i];
    return NULL;
}

bool ocean_region_known(const char *slug)
{
    return region_find(slug) != NULL;
}

static bool in_stock(const struct cloud *cloud, const struct ocean_size *size, const struct region *region)
{
    return region->available && strstr(size->regions, region->slug) &&
           stock_available(cloud, size->slug, region->slug);
}

const char *ocean_region_choose(const struct request *request, struct response *response, const char *wanted,
                                const struct ocean_size *size)
{
    bool known = false, open = false;

    for (size_t i = 0; i < REGIONS; i++) {
        if (wanted && !text_starts(regions[i].slug, wanted))
            continue;
        known = true;
        open = open || regions[i].available;
        if (in_stock(request->cloud, size, &regions[i]) && !request->effect.out_of_stock)
            return regions[i].slug;
    }
    if (!known)
        ocean_invalid(response, "You specified an invalid region for Droplet creation.");
    else if (!open)
        ocean_invalid(response, "Region is not available");
    else
        ocean_invalid(response, "Size is not available in this region.");
    return NULL;
}

// A size that is sold out stays available; the region is missing from its list.
json_t *ocean_size_json(const struct cloud *cloud, const struct ocean_size *size)
{
    json_t *places = json_array();

    for (size_t i = 0; i < REGIONS; i++)
        if (in_stock(cloud, size, &regions[i]))
            json_array_append_new(places, json_string(regions[i].slug));
    return json_pack("{s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:o, s:b, s:s}", "slug", size->slug, "memory",
                     size->memory_mb, "vcpus", size->vcpus, "disk", size->disk_gb, "transfer",
                     size->transfer_tb, "price_monthly", size->monthly, "price_hourly", size->hourly,
                     "regions", places, "available", size->available, "description", size->description);
}

json_t *ocean_region_json(const struct cloud *cloud, const char *slug)
{
    const struct region *region = region_find(slug);
    json_t *offered = json_array();

    for (size_t i = 0; i < SIZES; i++)
        if (in_stock(cloud, &sizes[i], region))
            json_array_append_new(offered, json_string(sizes[i].slug));
    return json_pack("{s:s, s:s, s:[s, s, s, s, s], s:b, s:o}", "name", region->name, "slug", region->slug,
                     "features", "backups", "ipv6", "metadata", "install_agent", "storage", "available",
                     region->available, "sizes", offered);
}

static json_t *open_regions(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < REGIONS; i++)
        if (regions[i].available)
            json_array_append_new(list, json_string(regions[i].slug));
    return list;
}

json_t *ocean_image_json(const struct ocean_image *image)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:i, s:f, s:s, s:[], s:s}", "id",
                     (json_int_t)image->id, "name", image->name, "type", "base", "distribution",
                     image->distribution, "slug", image->slug, "public", 1, "regions", open_regions(),
                     "created_at", "2024-04-25T13:26:27Z", "min_disk_size", 7, "size_gigabytes", 0.5,
                     "description", image->name, "tags", "status", "available");
}

// A droplet's snapshot is a private image.
json_t *ocean_snapshot_image_json(const struct snapshot *snapshot)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:n, s:b, s:[s], s:o, s:i, s:f, s:s, s:O, s:s}", "id",
                     (json_int_t)snapshot->id, "name", snapshot->name, "type", "snapshot", "distribution",
                     "Debian", "slug", "public", 0, "regions", snapshot->region, "created_at",
                     ocean_time(snapshot->created), "min_disk_size", snapshot->size_gb, "size_gigabytes",
                     (double)snapshot->size_gb, "description", "", "tags", snapshot->labels, "status",
                     "available");
}

struct snapshot *ocean_snapshot_find(struct cloud *cloud, const char *id)
{
    struct snapshot *snapshot = snapshot_find(cloud, ocean_id(id));

    return snapshot && snapshot->ready ? snapshot : NULL;
}

static void list_sizes(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < SIZES; i++)
        json_array_append_new(list, ocean_size_json(request->cloud, &sizes[i]));
    ocean_list(request, response, "sizes", list);
}

static void list_regions(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < REGIONS; i++)
        json_array_append_new(list, ocean_region_json(request->cloud, regions[i].slug));
    ocean_list(request, response, "regions", list);
}

static void list_images(const struct request *request, struct response *response, const char *const args[])
{
    struct cloud *cloud = request->cloud;
    const char *type = request_query(request, "type"), *tag = request_query(request, "tag_name");
    bool own = text_equal(request_query(request, "private"), "true");
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < IMAGES && !own && !tag && (!type || text_equal(type, "distribution")); i++)
        json_array_append_new(list, ocean_image_json(&images[i]));
    for (size_t i = 0; i < cloud->snapshots.count && !type; i++) {
        const struct snapshot *snapshot = cloud->snapshots.items[i];
        if (snapshot->ready && (!tag || ocean_tagged(snapshot->labels, tag)))
            json_array_append_new(list, ocean_snapshot_image_json(snapshot));
    }
    ocean_list(request, response, "images", list);
}

static void get_image(const struct request *request, struct response *response, const char *const args[])
{
    const struct ocean_image *image = ocean_image_find(args[0]);
    const struct snapshot *snapshot = image ? NULL : ocean_snapshot_find(request->cloud, args[0]);

    if (image)
        ocean_ok(response, 200, json_pack("{s:o}", "image", ocean_image_json(image)));
    else if (snapshot)
        ocean_ok(response, 200, json_pack("{s:o}", "image", ocean_snapshot_image_json(snapshot)));
    else
        ocean_not_found(response);
}

static void delete_image(const struct request *request, struct response *response, const char *const args[])
{
    struct snapshot *snapshot = ocean_snapshot_find(request->cloud, args[0]);

    if (!snapshot) {
        ocean_not_found(response);
        return;
    }
    snapshot_delete(request->cloud, snapshot);
    ocean_ok(response, 204, NULL);
}

static void get_account(const struct request *request, struct response *response, const char *const args[])
{
    int limit = request->cloud->ground->settings.server_limit;
    json_t *account =
        json_pack("{s:i, s:i, s:s, s:s, s:s, s:b, s:s, s:s}", "droplet_limit", limit ? limit : DROPLET_LIMIT,
                  "floating_ip_limit", ADDRESS_LIMIT, "email", "team@localcloud.test", "name", "Local Cloud",
                  "uuid", "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", "email_verified", 1, "status", "active",
                  "status_message", "");

    (void)args;
    ocean_ok(response, 200, json_pack("{s:o}", "account", account));
}

const struct route ocean_catalog_routes[] = {
    {"GET", "account", get_account},
    {"GET", "sizes", list_sizes},
    {"GET", "regions", list_regions},
    {"GET", "images", list_images},
    {"GET", "images/*", get_image},
    {"DELETE", "images/*", delete_image},
    {NULL, NULL, NULL},
};
