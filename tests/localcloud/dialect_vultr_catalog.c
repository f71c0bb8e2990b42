// What can be ordered: regions, plans with prices and stock, operating systems.
#include <string.h>

#include "dialect_vultr.h"

static const struct place {
    const char *id, *city, *country, *continent;
    double surcharge; // of its prices: some regions cost more
} places[] = {
    {"ams", "Amsterdam", "NL", "Europe", 0},
    {"cdg", "Paris", "FR", "Europe", 0},
    {"ewr", "New Jersey", "US", "North America", 0},
    {"fra", "Frankfurt", "DE", "Europe", 0},
    {"lax", "Los Angeles", "US", "North America", 0},
    {"lhr", "London", "GB", "Europe", 0},
    {"nrt", "Tokyo", "JP", "Asia", 0},
    {"sao", "São Paulo", "BR", "South America", 0.5},
    {"sgp", "Singapore", "SG", "Asia", 0},
    {"sto", "Stockholm", "SE", "Europe", 0},
    {"syd", "Sydney", "AU", "Australia", 0},
    {"waw", "Warsaw", "PL", "Europe", 0},
};
enum { PLACES = sizeof places / sizeof *places };

#define EVERYWHERE "ams cdg ewr fra lax lhr nrt sao sgp sto syd waw"

// Sizes as the provider sells them; prices are of the right order only. All of them are x86.
static const struct vt_plan plans[] = {
    {"vc2-1c-1gb", "vc2", 1, 1024, 25, 1024, 5, 0.007, EVERYWHERE},
    {"vc2-1c-2gb", "vc2", 1, 2048, 55, 2048, 10, 0.014, EVERYWHERE},
    {"vc2-2c-4gb", "vc2", 2, 4096, 80, 3072, 20, 0.027, EVERYWHERE},
    {"vc2-4c-8gb", "vc2", 4, 8192, 160, 4096, 40, 0.055, EVERYWHERE},
    {"vc2-6c-16gb", "vc2", 6, 16384, 320, 5120, 80, 0.11, EVERYWHERE},
    {"vc2-8c-32gb", "vc2", 8, 32768, 640, 6144, 160, 0.219, EVERYWHERE},
    {"vhf-1c-2gb", "vhf", 1, 2048, 64, 2048, 12, 0.016, "ams cdg ewr fra lax lhr nrt sgp syd"},
    {"vhf-2c-4gb", "vhf", 2, 4096, 128, 3072, 24, 0.033, "ams cdg ewr fra lax lhr nrt sgp syd"},
    {"vhf-3c-8gb", "vhf", 3, 8192, 256, 4096, 48, 0.066, "ams cdg ewr fra lax lhr nrt sgp syd"},
    {"vhp-2c-4gb-amd", "vhp", 2, 4096, 100, 5120, 24, 0.033, "ams ewr fra lax lhr sto waw"},
    {"vhp-4c-8gb-amd", "vhp", 4, 8192, 180, 6144, 48, 0.066, "ams ewr fra lax lhr sto waw"},
    {"voc-g-2c-8gb-50s-amd", "voc-g", 2, 8192, 50, 5120, 60, 0.082, "ams ewr fra sgp"},
    {"voc-g-4c-16gb-80s-amd", "voc-g", 4, 16384, 80, 6144, 120, 0.164, "ams ewr fra sgp"},
};
enum { PLANS = sizeof plans / sizeof *plans };

// Ids of Ubuntu 22.04: terraform-provider-vultr#440; the others were listed by the live API in 2026-09
// (ingvarch/tent, catalog.go). The last four stand for what is no system of its own. Whatever is ordered, the
// machine gets the local Debian image.
static const struct os {
    int id;
    const char *name, *arch, *family;
} systems[] = {
    {1743, "Ubuntu 22.04 LTS x64", "x64", "ubuntu"}, {2136, "Debian 12 x64 (bookworm)", "x64", "debian"},
    {2284, "Ubuntu 24.04 LTS x64", "x64", "ubuntu"}, {2625, "Debian 13 x64 (trixie)", "x64", "debian"},
    {2760, "Ubuntu 26.04 LTS x64", "x64", "ubuntu"}, {159, "Custom", "x64", "iso"},
    {VT_OS_SNAPSHOT, "Snapshot", "x64", "snapshot"}, {180, "Backup", "x64", "backup"},
    {186, "Application", "x64", "application"},
};
enum { SYSTEMS = sizeof systems / sizeof *systems, REAL_SYSTEMS = SYSTEMS - 4 };

const struct vt_plan *vt_plan_find(const char *id)
{
    for (size_t i = 0; i < PLANS; i++)
        if (text_equal(plans[i].id, id))
            return &plans[i];
    return NULL;
}

bool vt_plan_offered(const struct vt_plan *plan, const char *region)
{
    return strstr(plan->places, region) != NULL;
}

bool vt_region_exists(const char *id)
{
    for (size_t i = 0; i < PLACES; i++)
        if (text_equal(places[i].id, id))
            return true;
    return false;
}

const char *vt_os_name(json_int_t id)
{
    for (size_t i = 0; i < SYSTEMS; i++)
        if (systems[i].id == id)
            return systems[i].name;
    return NULL;
}

bool vt_os_installable(json_int_t id)
{
    for (size_t i = 0; i < REAL_SYSTEMS; i++)
        if (systems[i].id == id)
            return true;
    return false;
}

static void list_regions(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < PLACES; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:[s, s, s], s:[s, s]}", "id", places[i].id, "city",
                            places[i].city, "country", places[i].country, "continent", places[i].continent,
                            "options", "ddos_protection", "block_storage_high_perf",
                            "block_storage_storage_opt", "connectivity", "public_ip", "nat_gateway"));
    vt_list(request, response, "regions", list, "id");
}

// "all" and "voc" stand for several types.
static bool type_wanted(const char *wanted, const char *type)
{
    return !wanted || text_equal(wanted, "all") || text_equal(wanted, type) ||
           (text_equal(wanted, "voc") && text_starts(type, "voc-"));
}

// The live stock. `locations` of a plan only says where it is sold.
static void get_availability(const struct request *request, struct response *response,
                             const char *const args[])
{
    json_t *list = json_array();

    for (size_t i = 0; i < PLANS; i++)
        if (vt_plan_offered(&plans[i], args[0]) && stock_available(request->cloud, plans[i].id, args[0]) &&
            type_wanted(request_query(request, "type"), plans[i].type))
            json_array_append_new(list, json_string(plans[i].id));
    if (vt_region_exists(args[0])) {
        vt_ok(response, 200, json_pack("{s:o, s:[]}", "available_plans", list, "available_vpc_only_plans"));
    } else {
        json_decref(list);
        vt_error(response, 400, "Invalid region.");
    }
}

static json_t *cost_json(const struct vt_plan *plan, double surcharge)
{
    double monthly = plan->monthly * (1 + surcharge), hourly = plan->hourly * (1 + surcharge);

    return json_pack("{s:f, s:f, s:f, s:f}", "monthly_cost", monthly, "hourly_cost", hourly,
                     "monthly_cost_preemptible", monthly, "hourly_cost_preemptible", hourly);
}

static json_t *plan_json(const struct vt_plan *plan)
{
    json_t *locations = json_array(), *costs = json_object(), *json = cost_json(plan, 0);

    for (size_t i = 0; i < PLACES; i++) {
        if (!vt_plan_offered(plan, places[i].id))
            continue;
        json_array_append_new(locations, json_string(places[i].id));
        json_object_set_new(costs, places[i].id, cost_json(plan, places[i].surcharge));
    }
    json_t *rest =
        json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:o, s:o, s:s}", "id", plan->id, "vcpu_count",
                  plan->cores, "ram", plan->memory_mb, "disk", plan->disk_gb, "disk_count", 1, "bandwidth",
                  plan->bandwidth_gb, "invoice_type", "hourly", "type", plan->type, "locations", locations,
                  "location_cost", costs, "gpu_brand", "none");
    json_object_update(json, rest);
    json_decref(rest);
    return json;
}

static void list_plans(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < PLANS; i++)
        if (type_wanted(request_query(request, "type"), plans[i].type))
            json_array_append_new(list, plan_json(&plans[i]));
    vt_list(request, response, "plans", list, "id");
}

static void list_systems(const struct request *request, struct response *response, const char *const args[])
{
    json_t *list = json_array();

    (void)args;
    for (size_t i = 0; i < SYSTEMS; i++)
        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s, s:s}", "id", systems[i].id, "name", systems[i].name,
                                        "arch", systems[i].arch, "family", systems[i].family));
    vt_list(request, response, "os", list, "id");
}

// Bare metal is not part of the local cloud, but clients ask for it along with the rest.
static void list_metal_plans(const struct request *request, struct response *response,
                             const char *const args[])
{
    (void)args;
    vt_list(request, response, "plans_metal", json_array(), "id");
}

static void list_metal(const struct request *request, struct response *response, const char *const args[])
{
    (void)args;
    vt_list(request, response, "bare_metals", json_array(), "id");
}

const struct route vt_catalog_routes[] = {
    {"GET", "regions", list_regions},
    {"GET", "regions/*/availability", get_availability},
    {"GET", "plans", list_plans},
    {"GET", "plans-metal", list_metal_plans},
    {"GET", "bare-metals", list_metal},
    {"GET", "os", list_systems},
    {NULL, NULL, NULL},
};
