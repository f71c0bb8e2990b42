// Shared by the files of the Vultr dialect. Facts come from the provider's published description
// (openapi.json, 2026-05) and, where marked, from what clients reported about the live API.
#pragma once

#include "http.h"

extern const struct route vt_instance_routes[], vt_create_routes[], vt_catalog_routes[], vt_account_routes[],
    vt_firewall_routes[], vt_ip_routes[], vt_block_routes[], vt_snapshot_routes[], vt_database_routes[],
    vt_domain_routes[];

// Answers. Errors are {"error": text, "status": number} and nothing else: clients have to read the text.
void vt_ok(struct response *response, int status, json_t *body);
void vt_empty(struct response *response); // 204
void vt_error(struct response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void vt_not_found(struct response *response, const char *what);

// Answers one page of the items: per_page (100, at most 500) of them from the opaque cursor= on. id_key names
// the field that tells them apart. Takes `items`.
void vt_list(const struct request *request, struct response *response, const char *key, json_t *items,
             const char *id_key);

// Reads an optional or needed field of the body. False: the response is a 400. What is absent is NULL (or
// `otherwise`).
bool vt_text(const struct request *request, struct response *response, const char *field, bool needed,
             const char **ret);
bool vt_number(const struct request *request, struct response *response, const char *field, bool needed,
               json_int_t otherwise, json_int_t *ret);
bool vt_boolean(const struct request *request, const char *field);

json_t *vt_id(int64_t id); // a UUID; "" for 0
json_t *vt_time(time_t when);
const char *vt_member(const json_t *object, const char *key); // its text, "" when there is none
bool vt_region(const struct request *request, struct response *response, const char **ret); // body.region

char *vt_base64(const char *text);
char *vt_base64_decode(const char *text); // NULL: not base64, or not text

// The catalogue.
struct vt_plan {
    const char *id, *type;
    int cores, memory_mb, disk_gb, bandwidth_gb;
    double monthly, hourly;
    const char *places; // regions that offer it
};
const struct vt_plan *vt_plan_find(const char *id);
bool vt_plan_offered(const struct vt_plan *plan, const char *region);
bool vt_region_exists(const char *id);
enum { VT_OS_SNAPSHOT = 164 };         // what the system of a server made from a snapshot is called
const char *vt_os_name(json_int_t id); // NULL if there is none
bool vt_os_installable(json_int_t id); // false also for "Snapshot" and the like

// Instances, for those who attach things to them. find: NULL, and the response is an error, if there is none.
// locked: also when an operation runs, with a 400.
struct server *vt_server_find(const struct request *request, struct response *response, const char *id);
bool vt_server_locked(const struct server *server, struct response *response);
const char *vt_server_address(const struct server *server); // "0.0.0.0" until it shows
json_t *vt_server_json(const struct server *server);
bool vt_tags_read(const struct request *request, struct response *response, json_t *tags);
struct firewall *vt_firewall_find(const struct request *request, struct response *response, const char *id);
struct movable_ip *vt_ip_find(const struct request *request, struct response *response, const char *id);
