// What can be ordered: locations, server types with prices and stock, images.
#include <stdlib.h>
#include <string.h>

#include "dialect_hetzner.h"

struct place {
    int id;
    const char *name, *description, *country, *city, *zone;
    double latitude, longitude;
};

static const struct place places[] = {
    {1, "fsn1", "Falkenstein DC Park 1", "DE", "Falkenstein", "eu-central", 50.47612, 12.370071},
    {2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", "eu-central", 49.452102, 11.076665},
    {3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", "eu-central", 60.169855, 24.938379},
    {4, "ash", "Ashburn, VA", "US", "Ashburn, VA", "us-east", 39.045821, -77.487073},
    {5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", "us-west", 45.54222, -122.951924},
    {6, "sin", "Singapore", "SG", "Singapore", "ap-southeast", 1.283333, 103.833333},
};
enum { PLACES = sizeof places / sizeof *places };

#define EU "fsn1 nbg1 hel1"
#define ALL "fsn1 nbg1 hel1 ash hil sin"

// Sizes as the provider sells them; prices are of the right order only.
static const struct hz_type types[] = {
    {22, "cpx11", 2, 2, 40, "shared", "x86", "0.0070", "4.3500", "ash hil sin"},
    {23, "cpx21", 3, 4, 80, "shared", "x86", "0.0120", "7.5500", "ash hil sin"},
    {24, "cpx31", 4, 8, 160, "shared", "x86", "0.0210", "13.6000", "ash hil sin"},
    {25, "cpx41", 8, 16, 240, "shared", "x86", "0.0390", "25.2000", "ash hil sin"},
    {45, "cax11", 2, 4, 40, "shared", "arm", "0.0053", "3.2900", EU},
    {93, "cax21", 4, 8, 80, "shared", "arm", "0.0096", "5.9900", EU},
    {96, "ccx13", 2, 8, 80, "dedicated", "x86", "0.0200", "12.4900", ALL},
    {97, "ccx23", 4, 16, 160, "dedicated", "x86", "0.0392", "24.4900", ALL},
    {98, "ccx33", 8, 32, 240, "dedicated", "x86", "0.0777", "48.4900", ALL},
    {108, "cpx12", 1, 2, 40, "shared", "x86", "0.0080", "4.9900", EU},
    {109, "cpx22", 2, 4, 80, "shared", "x86", "0.0104", "6.4900", EU},
    {110, "cpx32", 4, 8, 160, "shared", "x86", "0.0176", "10.9900", EU},
    {114, "cx23", 2, 4, 40, "shared", "x86", "0.0048", "2.9900", EU},
    {115, "cx33", 4, 8, 80, "shared", "x86", "0.0080", "4.9900", EU},
    {116, "cx43", 8, 16, 160, "shared", "x86", "0.0152", "9.4900", EU},
    {117, "cx53", 16, 32, 320, "shared", "x86", "0.0280", "17.4900", EU},
};
enum { TYPES = sizeof types / sizeof *types };

// Each name exists twice, once an architecture, as at the provider. Whatever is ordered, the machine gets the
// local Debian image.
static const struct hz_image images[] = {
    {67794396, "ubuntu-22.04", "Ubuntu 22.04", "ubuntu", "22.04", "x86"},
    {103908130, "ubuntu-22.04", "Ubuntu 22.04", "ubuntu", "22.04", "arm"},
    {114690387, "debian-12", "Debian 12", "debian", "12", "x86"},
    {114690389, "debian-12", "Debian 12", "debian", "12", "arm"},
    {161547269, "ubuntu-24.04", "Ubuntu 24.04", "ubuntu", "24.04", "x86"},
    {161547270, "ubuntu-24.04", "Ubuntu 24.04", "ubuntu", "24.04", "arm"},
};
enum { IMAGES = sizeof images / sizeof *images };

static bool named(const char *wanted, int id, const char *name)
{
    char *end;
    long number = strtol(wanted, &end, 10);

    return *wanted && (*end == '\0' ? number == id : text_equal(wanted, name));
}

const struct hz_type *hz_type_find(const char *id_or_name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (named(id_or_name, types[i].id, types[i].name))
            return &types[i];
    return NULL;
}

const struct hz_image *hz_image_find(const char *id_or_name, const char *architecture)
{
    const struct hz_image *found = NULL;

    for (size_t i = 0; i < IMAGES; i++)
        if (named(id_or_name, images[i].id, images[i].name) &&
            (!found || text_equal(images[i].architecture, architecture)))
            found = &images[i];
    return found;
}

static const struct place *place_find(const char *id_or_name)
{
    for (size_t i = 0; i < PLACES; i++)
        if (named(id_or_name, places[i].id, places[i].name))
            return &places[i];
    return NULL;
}

bool hz_location_exists(const char *id_or_name, const char **ret_name)
{
    const struct place *place = place_find(id_or_name);

    *ret_name = place ? place->name : NULL;
    return place != NULL;
}

bool hz_type_offered(const struct hz_type *type, const char *location)
{
    return strstr(type->places, location) != NULL;
}

const char *hz_default_location(const struct cloud *cloud, const struct hz_type *type)
{
    const char *offered = NULL;

    for (size_t i = 0; i < PLACES; i++) {
        if (!hz_type_offered(type, places[i].name))
            continue;
        if (stock_available(cloud, type->name, places[i].name))
            return places[i].name;
        offered = offered ? offered : places[i].name;
    }
    return offered;
}

static json_t *price(const char *net)
{
    char with_vat[32];

    snprintf(with_vat, sizeof with_vat, "%.10f", strtod(net, NULL) * 1.19);
    return json_pack("{s:s, s:s}", "net", net, "gross", with_vat);
}

static json_t *prices_json(const struct hz_type *type)
{
    json_t *list = json_array();

    for (size_t i = 0; i < PLACES; i++)
        if (hz_type_offered(type, places[i].name))
            json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I, s:o}", "location", places[i].name,
                                                  "price_hourly", price(type->hourly), "price_monthly",
                                                  price(type->monthly), "included_traffic",
                                                  (json_int_t)21990232555520, "price_per_tb_traffic",
                                                  price("1.0000")));
    return list;
}

json_t *hz_type_json(const struct cloud *cloud, const struct hz_type *type)
{
    json_t *locations = json_array();
    bool shared = text_equal(type->cpu, "shared");

    for (size_t i = 0; i < PLACES; i++)
        if (hz_type_offered(type, places[i].name))
            json_array_append_new(locations,
                                  json_pack("{s:i, s:s, s:n, s:b, s:b}", "id", places[i].id, "name",
                                            places[i].name, "deprecation", "recommended", 0, "available",
                                            stock_available(cloud, type->name, places[i].name)));
    char description[32] = "";
    for (size_t i = 0; i < sizeof description - 1 && type->name[i]; i++)
        description[i] = (char)(type->name[i] >= 'a' ? type->name[i] - 32 : type->name[i]);
    return json_pack("{s:i, s:s, s:s, s:i, s:f, s:i, s:b, s:o, s:s, s:s, s:s, s:s, s:n, s:o}", "id", type->id,
                     "name", type->name, "description", description, "cores", type->cores, "memory",
                     type->memory_gb, "disk", type->disk_gb, "deprecated", 0, "prices", prices_json(type),
                     "storage_type", "local", "cpu_type", type->cpu, "category",
                     shared ? "Shared vCPU" : "Dedicated vCPU", "architecture", type->architecture,
                     "deprecation", "locations", locations);
}

json_t *hz_location_json(const char *name)
{
    const struct place *p = place_find(name);

    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:f, s:f, s:s}", "id", p->id, "name", p->name, "description",
                     p->description, "country", p->country, "city", p->city, "latitude", p->latitude,
                     "longitude", p->longitude, "network_zone", p->zone);
}

json_t *hz_datacenter_json(const char *location)
{
    char *name = text_format("%s-dc1", location);
    json_t *json = json_pack("{s:i, s:s, s:s, s:o, s:{s:[], s:[], s:[]}}", "id", place_find(location)->id,
                             "name", name, "description", name, "location", hz_location_json(location),
                             "server_types", "supported", "available", "available_for_migration");

    free(name);
    return json;
}

json_t *hz_image_json(const struct hz_image *image)
{
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:f, s:i, s:s, s:n, s:n, s:s, s:s, s:b, s:{s:b}, s:n, s:n, s:{}, s:s}",
        "id", image->id, "type", "system", "status", "available", "name", image->name, "description",
        image->description, "image_size", 0.5, "disk_size", 5, "created", "2024-04-25T13:26:27Z",
        "created_from", "bound_to", "os_flavor", image->flavor, "os_version", image->version, "rapid_deploy",
        1, "protection", "delete", 0, "deprecated", "deleted", "labels", "architecture", image->architecture);
}

json_t *hz_image_of(const struct server *server, const struct hz_type *type)
{
    const struct snapshot *snapshot = snapshot_find(server->cloud, server->snapshot_id);

    if (server->snapshot_id)
        return snapshot ? hz_snapshot_json(snapshot) : json_null();
    return hz_image_json(hz_image_find(server->image, type->architecture));
}

static void list_types(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < TYPES; i++)
        json_array_append_new(list, hz_type_json(request->cloud, &types[i]));
    hz_list(request, response, "server_types", list, 50);
}

static void get_type(const struct request *request, struct response *response, const char *const args[])
{
    const struct hz_type *type = hz_type_find(args[0]);

    if (type)
        hz_ok(response, 200, json_pack("{s:o}", "server_type", hz_type_json(request->cloud, type)));
    else
        hz_not_found(response, "server type", args[0]);
}

static void list_locations(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < PLACES; i++)
        json_array_append_new(list, hz_location_json(places[i].name));
    hz_list(request, response, "locations", list, 50);
}

static void get_location(const struct request *request, struct response *response, const char *const args[])
{
    const struct place *place = place_find(args[0]);

    (void)request;
    if (place)
        hz_ok(response, 200, json_pack("{s:o}", "location", hz_location_json(place->name)));
    else
        hz_not_found(response, "location", args[0]);
}

static void add_snapshots(const struct request *request, json_t *list)
{
    for (size_t i = 0; i < request->cloud->snapshots.count; i++) {
        const struct snapshot *snapshot = request->cloud->snapshots.items[i];
        const json_t *architecture = json_object_get(snapshot->extra, "architecture");
        if (request_query_has(request, "status", snapshot->ready ? "available" : "creating") &&
            request_query_has(request, "architecture", json_string_value(architecture)))
            json_array_append_new(list, hz_snapshot_json(snapshot));
    }
}

static void list_images(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    if (request_query_has(request, "type", "system") && request_query_has(request, "status", "available") &&
        !request_query(request, "bound_to"))
        for (size_t i = 0; i < IMAGES; i++)
            if (request_query_has(request, "architecture", images[i].architecture))
                json_array_append_new(list, hz_image_json(&images[i]));
    if (request_query_has(request, "type", "snapshot") && !request_query(request, "bound_to"))
        add_snapshots(request, list);
    hz_list(request, response, "images", list, 50);
}

static void get_image(const struct request *request, struct response *response, const char *const args[])
{
    const struct hz_image *image = hz_image_find(args[0], "x86");
    const struct snapshot *snapshot = hz_snapshot_find(request->cloud, args[0]);

    if (image || snapshot)
        hz_ok(response, 200,
              json_pack("{s:o}", "image", image ? hz_image_json(image) : hz_snapshot_json(snapshot)));
    else
        hz_not_found(response, "image", args[0]);
}

static json_t *ip_prices(const char *net, bool hourly)
{
    json_t *list = json_array();

    for (size_t i = 0; i < PLACES; i++) {
        json_t *entry = json_pack("{s:s, s:o}", "location", places[i].name, "price_monthly", price(net));
        if (hourly)
            json_object_set_new(entry, "price_hourly", price("0.0008"));
        json_array_append_new(list, entry);
    }
    return list;
}

static void get_pricing(const struct request *request, struct response *response, const char *const args[])
{
    json_t *servers = json_array();

    (void)request, (void)args;
    for (size_t i = 0; i < TYPES; i++)
        json_array_append_new(servers, json_pack("{s:i, s:s, s:o}", "id", types[i].id, "name", types[i].name,
                                                 "prices", prices_json(&types[i])));
    json_t *pricing = json_pack(
        "{s:s, s:s, s:[{s:s, s:o}, {s:s, s:o}], s:[{s:s, s:o}], s:{s:o}, s:{s:o}, s:{s:s}, s:o, s:[], "
        "s:{s:o}}",
        "currency", "EUR", "vat_rate", "19.00", "primary_ips", "type", "ipv4", "prices",
        ip_prices("0.5000", true), "type", "ipv6", "prices", ip_prices("0.0000", true), "floating_ips",
        "type", "ipv4", "prices", ip_prices("3.0000", false), "image", "price_per_gb_month", price("0.0110"),
        "volume", "price_per_gb_month", price("0.0440"), "server_backup", "percentage", "20.00",
        "server_types", servers, "load_balancer_types", "floating_ip", "price_monthly", price("3.0000"));
    hz_ok(response, 200, json_pack("{s:o}", "pricing", pricing));
}

const struct route hz_catalog_routes[] = {
    {"GET", "server_types", list_types},  {"GET", "server_types/*", get_type},
    {"GET", "locations", list_locations}, {"GET", "locations/*", get_location},
    {"GET", "images", list_images},       {"GET", "images/*", get_image},
    {"GET", "pricing", get_pricing},      {NULL, NULL, NULL},
};
