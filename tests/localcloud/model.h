// The cloud itself, in no provider's words: servers, keys, firewalls, zones, and the actions that change
// them. The dialects translate requests into calls of this model and its objects into answers; a backend
// makes machines of servers.
//
// Threads: every function and every field needs cloud_lock(), unless a line says otherwise. No function
// waits: what takes time happens in jobs, which let go of the lock meanwhile, and shows up as an action.
// Memory: objects live until cloud_free(), also when removed (a job may still look at them).
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "jobs.h"
#include "util.h"

struct backend_ops;
struct dns;
struct faults;

enum action_status { ACTION_RUNNING, ACTION_SUCCESS, ACTION_ERROR };

struct action {
    int64_t id;
    const char *command; // "create_server"; the dialect may call it differently
    enum action_status status;
    time_t started, finished;
    char error[256];
    const char *resource_type;
    int64_t resource_id;
};

enum server_status {
    SERVER_INITIALIZING,
    SERVER_STARTING,
    SERVER_RUNNING,
    SERVER_STOPPING,
    SERVER_OFF,
    SERVER_DELETING
};

struct server {
    int64_t id;
    char *name;
    char *type, *image, *location; // names in the dialect's catalogue
    json_t *labels;
    json_t *public_keys;    // lines for authorized_keys
    json_t *firewalls;      // ids
    char *user_data;        // may be NULL
    char root_password[24]; // empty when keys were given
    enum server_status status;
    time_t created;
    int64_t created_ms; // monotonic
    char ipv4[16], ipv6_net[48],
        ipv6[48];     // empty = none; "198.18.10.1", "2001:db8:c612:a01::/64", "2001:db8:c612:a01::1"
    uint32_t address; // of all clouds on this machine, only this server has it
    int64_t ipv4_id, ipv6_id;
    bool busy;        // an action runs: other changes are refused
    bool never_boots; // fault: looks running, but there is no machine
    bool removed;
    void *machine; // the backend's
    struct cloud *cloud;
};

struct ssh_key {
    int64_t id;
    char *name, *public_key;
    char fingerprint[48]; // MD5 with colons
    json_t *labels;
    time_t created;
};

struct firewall {
    int64_t id;
    char *name;
    json_t *labels, *rules, *applied_to; // as given
    time_t created;
};

struct rrset {
    char *name, *type; // relative name, apex "@"
    int ttl;           // -1 = the zone's
    json_t *records;   // [{value, comment}]
    json_t *labels;
    bool fixed; // SOA and the like: not to be changed through the API
    time_t created;
};

struct zone {
    int64_t id;
    char *name;
    int ttl;
    json_t *labels;
    struct array rrsets;
    time_t created;
};

// Addresses that the cloud gives out: a network in 198.18.0.0/15 (RFC 2544), set aside for tests and never
// routed.
struct network {
    uint32_t base; // host byte order
    unsigned prefix;
    char bridge[16];
    char gateway[16], dns[16], gateway6[48];
    uint32_t first, count, next; // servers' addresses: offsets from base
};

struct settings {
    const char *state_dir, *image_dir;
    const char *token, *readonly_token; // the second may be NULL
    int boot_delay_ms;                  // memory backend: from created to running
    int rate_limit;                     // requests an hour, 0 = no limit
    int server_limit;                   // quota, 0 = none
    int disk_mb;
    bool published; // answer as the published document says where the live API has moved on
};

struct cloud {
    pthread_mutex_t lock;
    struct settings settings;
    struct network network;
    struct jobs *jobs;     // machines
    struct jobs *dns_jobs; // one worker, so that changes of a zone keep their order
    const struct backend_ops *backend;
    struct dns *dns; // NULL = zones are kept but not served
    struct faults *faults;
    struct array servers, ssh_keys, firewalls, zones, actions; // ordered by id
    struct array removed_servers;
    struct array stock_out; // struct stock_out *
    int64_t next_id;
    double rate_tokens;
    int64_t rate_at_ms;
};

void cloud_init(struct cloud *cloud, const struct settings *settings);
void cloud_lock(struct cloud *cloud);
void cloud_unlock(struct cloud *cloud);
bool network_parse(struct network *network, const char *text, const char *bridge,
                   struct why *why); // "198.18.0.0/16"
// Takes one request from the hourly allowance, which refills all the time; false if there is none left.
bool cloud_take_request(struct cloud *cloud, int *remaining, time_t *full_at);

struct action *action_start(struct cloud *cloud, const char *command, const char *resource_type,
                            int64_t resource_id);
void action_finish(struct action *action, const char *error); // NULL = success
struct action *action_find(struct cloud *cloud, int64_t id);

struct server_spec { // everything is copied
    const char *name, *type, *image, *location, *user_data;
    json_t *labels, *public_keys, *firewalls;
    bool ipv4, ipv6, start, never_boots;
};
enum power { POWER_ON, POWER_OFF, POWER_SHUTDOWN, POWER_REBOOT, POWER_RESET };

struct server *server_find(struct cloud *cloud, int64_t id);
struct server *server_find_name(struct cloud *cloud, const char *name);
struct server *server_add(struct cloud *cloud, const struct server_spec *spec); // the record alone
struct server *server_create(struct cloud *cloud, const struct server_spec *spec, struct action **create,
                             struct action **start);
struct action *server_power(struct server *server, enum power power, const char *command);
struct action *server_delete(struct server *server, const char *command);
void server_stopped(struct server *server); // by the backend, unlocked: the machine went off by itself

// "*" stands for all types or all locations.
bool stock_available(const struct cloud *cloud, const char *type, const char *location);
void stock_set(struct cloud *cloud, const char *type, const char *location, bool available);

struct ssh_key *ssh_key_create(struct cloud *cloud, const char *name, const char *public_key,
                               const char *fingerprint, json_t *labels);
void ssh_key_delete(struct cloud *cloud, struct ssh_key *key);
struct firewall *firewall_create(struct cloud *cloud, const char *name, json_t *labels, json_t *rules,
                                 json_t *applied_to);
void firewall_delete(struct cloud *cloud, struct firewall *firewall);

struct zone *zone_find(struct cloud *cloud, const char *id_or_name);
struct zone *zone_create(struct cloud *cloud, const char *name, int ttl, json_t *labels,
                         struct action **action);
struct action *zone_delete(struct cloud *cloud, struct zone *zone);
struct rrset *rrset_find(struct zone *zone, const char *name, const char *type);
// Sets ttl and records, making the rrset if there is none; an empty list removes it. The action ends when the
// server answers so.
struct action *rrset_put(struct cloud *cloud, struct zone *zone, const char *name, const char *type, int ttl,
                         json_t *records, const char *command);
