// Shared by the files of the Hetzner Cloud dialect. Facts come from the provider's published description
// (cloud.spec.json, 2026-08) and, where marked, from what clients reported about the live API.
#pragma once

#include "http.h"

extern const struct route hz_server_routes[], hz_catalog_routes[], hz_project_routes[], hz_zone_routes[],
    hz_ip_routes[], hz_storage_routes[];

// Answers.
void hz_ok(struct response *response, int status, json_t *body);
void hz_error(struct response *response, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void hz_invalid(struct response *response, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void hz_not_found(struct response *response, const char *what, const char *id);

// Filters by name= and label_selector=, sorts, cuts out the page and adds `meta` and the Link header. Takes
// `items`.
void hz_list(const struct request *request, struct response *response, const char *key, json_t *items,
             int max_per_page);

// Labels, by the rules of the document's section on them. False: the response is a 422.
bool hz_labels_valid(struct response *response, json_t *labels);
bool hz_selector_valid(const char *selector);
bool hz_selector_matches(const char *selector, json_t *labels);

// Reads an optional or needed field of the body. False: the response is a 422.
bool hz_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret);

// A type, an image or a place by name or id: the document has text only, clients of the provider send ids as
// numbers, too. False: the response is a 422.
bool hz_reference(const struct request *request, struct response *response, const char *field, bool needed,
                  char out[64]);
// NULL: the response is a 404.
struct server *hz_server_find(const struct request *request, struct response *response, const char *id);
bool hz_locked(const struct server *server, struct response *response); // true: the response is a 423

// A server that goes leaves its firewalls.
void hz_firewalls_forget(struct cloud *cloud, int64_t server_id);

json_t *hz_time(time_t when);                        // null for 0
json_t *hz_action_json(const struct action *action); // null for NULL

// The catalogue.
struct hz_type {
    int id;
    const char *name;
    int cores;
    double memory_gb;
    int disk_gb;
    const char *cpu, *architecture;
    const char *hourly, *monthly; // net
    const char *places;           // locations that offer it
};
struct hz_image {
    int id;
    const char *name, *description, *flavor, *version, *architecture;
};
const struct hz_type *hz_type_find(const char *id_or_name);
const struct hz_image *hz_image_find(const char *id_or_name, const char *architecture);
bool hz_location_exists(const char *id_or_name, const char **ret_name);
bool hz_type_offered(const struct hz_type *type, const char *location);
const char *hz_default_location(const struct cloud *cloud, const struct hz_type *type);
json_t *hz_type_json(const struct cloud *cloud, const struct hz_type *type);
json_t *hz_location_json(const char *name);
json_t *hz_datacenter_json(const char *location);
json_t *hz_image_json(const struct hz_image *image);
json_t *hz_image_of(const struct server *server, const struct hz_type *type);

// What comes and goes beside servers.
json_t *hz_floating_ips_of(const struct server *server); // ids
json_t *hz_volumes_of(const struct server *server);      // ids
// The volumes that a server's order names. False: the response is a 404.
bool hz_volumes_exist(const struct request *request, struct response *response);
void hz_attach_ordered(const struct request *request, struct server *server);
json_t *hz_snapshot_json(const struct snapshot *snapshot);
struct snapshot *hz_snapshot_find(struct cloud *cloud, const char *id); // NULL: none
// A primary IP that public_net.ipv4 or .ipv6 names. False: the response says why it cannot be had.
bool hz_primary_ip_wanted(const struct request *request, struct response *response, bool ipv6,
                          const struct movable_ip **ret);
void hz_primary_ip_taken(const struct movable_ip *ip, const struct server *server); // ip may be NULL
