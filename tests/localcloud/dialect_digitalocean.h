// Shared by the files of the DigitalOcean dialect. Facts come from the provider's published description
// (github.com/digitalocean/openapi, 2026-08) and, where marked, from what clients reported about the live
// API. Tags are the labels of the model's objects: an array of texts.
#pragma once

#include "http.h"

extern const struct route ocean_catalog_routes[], ocean_droplet_routes[], ocean_create_routes[],
    ocean_action_routes[], ocean_key_routes[], ocean_firewall_routes[], ocean_tag_routes[],
    ocean_address_routes[], ocean_volume_routes[], ocean_snapshot_routes[], ocean_database_routes[],
    ocean_domain_routes[];

// Answers.
void ocean_ok(struct response *response, int status, json_t *body); // takes body
// {"id", "message", "request_id"}: the id follows from the status.
void ocean_error(struct response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ocean_invalid(struct response *response, const char *format, ...)
    __attribute__((format(printf, 2, 3))); // 422
void ocean_not_found(struct response *response);
// Cuts out the page and adds `links` and `meta`. Takes `items`.
void ocean_list(const struct request *request, struct response *response, const char *key, json_t *items);
char *ocean_link(const struct request *request, const char *path); // for free()

// Reads a field of the body. False: the response is a 422.
bool ocean_text(const struct request *request, struct response *response, const char *field, bool needed,
                const char **ret);
bool ocean_flag(const struct request *request, const char *field, bool otherwise);
// A number, or one written as text, which Libcloud sends; 0 for neither.
int64_t ocean_number(const json_t *value);
int64_t ocean_id(const char *text); // 0 for what is no number

json_t *ocean_time(time_t when);                        // null for 0
json_t *ocean_uuid(int64_t id);                         // as JSON text
bool ocean_has(const json_t *list, const json_t *item); // in an array

// Actions. The type is the model's command.
json_t *ocean_action_json(struct cloud *cloud, const struct action *action);
json_t *ocean_action_link(const struct request *request, const struct action *action, const char *rel);
void ocean_list_actions(const struct request *request, struct response *response, const char *resource_type,
                        int64_t resource_id); // NULL, 0: all

// The catalogue.
struct ocean_size {
    const char *slug, *description;
    int memory_mb, vcpus, disk_gb;
    double transfer_tb, hourly, monthly;
    bool available;
    const char *regions; // slugs that offer it
};
struct ocean_image {
    int64_t id;
    const char *slug, *name, *distribution;
};
const struct ocean_size *ocean_size_find(const char *slug);
const struct ocean_image *ocean_image_find(const char *id_or_slug);
struct snapshot *ocean_snapshot_find(struct cloud *cloud, const char *id); // only one that is ready
bool ocean_region_known(const char *slug);
// The first region that `wanted` names (a slug, the beginning of one, or NULL for any) and that has the size.
// NULL: the response says why not.
const char *ocean_region_choose(const struct request *request, struct response *response, const char *wanted,
                                const struct ocean_size *size);
json_t *ocean_size_json(const struct cloud *cloud, const struct ocean_size *size);
json_t *ocean_region_json(const struct cloud *cloud, const char *slug);
json_t *ocean_image_json(const struct ocean_image *image);
json_t *ocean_snapshot_image_json(const struct snapshot *snapshot);

// Tags: flat, made on the fly, and written as they were first (case-stable).
bool ocean_tags_valid(struct response *response, const json_t *tags); // false: the response is a 422
json_t *ocean_tags_take(struct cloud *cloud, const json_t *tags);     // in canonical spelling
bool ocean_tag_exists(const struct cloud *cloud, const char *name);
bool ocean_tagged(const json_t *tags, const char *name);

// Droplets.
json_t *ocean_droplet_json(const struct server *server);
struct server *ocean_droplet_find(const struct request *request, struct response *response, const char *id);
bool ocean_droplet_locked(const struct server *server, struct response *response);
json_t *ocean_volume_ids(const struct server *server);
void ocean_firewalls_forget(struct cloud *cloud,
                            int64_t droplet_id); // a droplet that goes leaves its firewalls
const struct ssh_key *ocean_key_find(const struct cloud *cloud, const char *id_or_fingerprint);
struct volume *ocean_volume_find(const struct request *request, struct response *response, const char *uuid);

// Records of a zone: an element of the model's rrset has the provider's fields (id, data, ttl, priority, ...)
// besides the value. Reads the body's fields into `record`, which is empty or as it was, and makes the value
// of them. False: the response is a 422.
bool ocean_record_read(const struct request *request, struct response *response, const struct zone *zone,
                       json_t *record);
void ocean_record_number(struct cloud *cloud, const struct rrset *rrset); // those of a new zone
json_t *ocean_record_json(const char *name, const char *type, const json_t *record);
