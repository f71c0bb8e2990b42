// Shared by the files of the Linode dialect. Facts come from the provider's published description (Linode API
// 4.208.1, 2025-09) and, where marked, from what clients reported about the live API. Answers are bare
// objects; errors carry words only: {"errors": [{"reason", "field"}]}.
//
// How the model's fields are used: labels of servers, volumes and databases' extra "tags" are arrays of flat
// tags; labels of firewalls, snapshots and zones are objects with what the model has no field for.
#pragma once

#include "http.h"

extern const struct route ln_instance_routes[], ln_part_routes[], ln_catalog_routes[], ln_account_routes[],
    ln_tag_routes[], ln_firewall_routes[], ln_ip_routes[], ln_volume_routes[], ln_image_routes[],
    ln_database_routes[], ln_domain_routes[], ln_record_routes[];

// Answers. `field` may be NULL.
void ln_ok(struct response *response, json_t *body); // takes it
void ln_done(struct response *response);             // {}
void ln_error(struct response *response, int status, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void ln_invalid(struct response *response, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4))); // 400
void ln_not_found(struct response *response);

// Sets a key to null as the live API does; the document knows no null there, so --published leaves it out.
void ln_set_null(const struct cloud *cloud, json_t *object, const char *key);
json_t *ln_time(time_t when); // without a zone: "2018-01-01T00:01:01"
bool ln_time_parse(const char *text, time_t *ret);

// Filters by the header X-Filter, cuts out the page. `filterable` names the keys that may be filtered by,
// separated by blanks. Takes `items`.
void ln_list(const struct request *request, struct response *response, json_t *items, const char *filterable);

// Reads fields of the body. False: the response is a 400.
bool ln_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret);
bool ln_integer(const struct request *request, struct response *response, const char *field,
                json_int_t otherwise, json_int_t min, json_int_t max, json_int_t *ret);
bool ln_boolean(const struct request *request, const char *field, bool otherwise);
// A letter or digit at both ends, [A-Za-z0-9._-] between, no two of the same sign in a row.
bool ln_label_valid(struct response *response, const char *label, size_t min, size_t max);
bool ln_tags_valid(struct response *response, const json_t *tags); // NULL is valid
json_t *ln_tags(json_t *labels);                                   // borrowed; NULL for none
bool ln_has_tag(json_t *labels, const char *tag);

// The catalogue.
struct ln_type {
    const char *id, *label, *class;
    int vcpus, memory_mb, disk_mb, transfer_gb, network_out, gpus;
    double hourly, monthly, backups_hourly, backups_monthly;
    const char *places; // regions that offer it; "*" = all
};
const struct ln_type *ln_type_find(const char *id);
const char *ln_region_find(const char *id); // its canonical name (us-south is us-central), or NULL
bool ln_type_offered(const struct ln_type *type, const char *region);
bool ln_public_image(const char *id);
json_t *ln_public_images(void);
json_t *ln_region_prices(double hourly, double monthly); // where it costs more

// Instances. Private addresses follow from the server's own.
struct server *ln_find_instance(const struct request *request, struct response *response, const char *id);
bool ln_busy(const struct server *server, struct response *response); // true: the response is a 400
json_t *ln_instance_json(const struct server *server);
json_t *ln_public_addresses(const struct server *server);    // strings, its own first
const char *ln_private_address(const struct server *server); // or NULL
void ln_private_address_add(struct server *server);
json_t *ln_ip_json(const struct cloud *cloud, const struct server *server, const char *address);
void ln_addresses_give_up(struct server *server);

json_t *ln_volume_json(struct cloud *cloud, const struct volume *volume);
json_t *ln_domain_json(const struct cloud *cloud, const struct zone *zone);
struct zone *ln_find_domain(const struct request *request, struct response *response, const char *id);
struct snapshot *ln_private_image(struct cloud *cloud, const char *id); // "private/12", or NULL

struct firewall *ln_firewall_find(struct cloud *cloud, json_int_t id);
struct firewall *ln_firewall_of(const struct cloud *cloud, int64_t linode_id); // or NULL
json_t *ln_firewall_json(const struct firewall *firewall);
json_t *ln_device_add(struct firewall *firewall, const struct server *server); // borrowed
void ln_devices_remove(struct cloud *cloud, int64_t linode_id);
