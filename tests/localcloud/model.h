// The clouds themselves, in no provider's words: servers, keys, firewalls, addresses, volumes, snapshots,
// databases, zones, and the actions that change them. Each provider has a cloud of its own (one project of
// one account); they stand on common ground: network, machines, DNS server, clock and lock. The dialects
// translate requests into calls of this model and its objects into answers; a backend makes machines of
// servers.
//
// Threads: every function and every field needs ground_lock(), unless a line says otherwise. No function
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
    int64_t snapshot_id;    // it was made from; 0 = from the image
    char *user_data;        // may be NULL
    char root_password[24]; // empty when keys were given
    enum server_status status;
    time_t created;
    int64_t created_ms; // monotonic
    char ipv4[16], ipv6_net[48],
        ipv6[48];     // empty = none; "198.18.10.1", "2001:db8:c612:a01::/64", "2001:db8:c612:a01::1"
    uint32_t address; // of all clouds on this machine, only this server has it
    int64_t ipv4_id, ipv6_id;
    int64_t running_ms;   // monotonic: since when it runs; 0 = it does not
    bool busy;            // an action runs: other changes are refused
    bool never_boots;     // fault: looks running, but there is no machine
    int address_delay_ms; // fault: a running server shows its addresses this much later
    int vanish_after_ms;  // fault: accepted, and this much later gone without a trace; 0 = no
    json_t *extra;        // whatever else a dialect wants to remember of it; an object
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

// An address that outlives servers: a floating, primary or reserved one.
struct movable_ip {
    int64_t id;
    char *kind; // the dialect's: "floating", "primary", "reserved"
    char *name, *region;
    char address[48];
    bool ipv6;
    bool nat; // reaches the server's own address: nothing to configure there. Else the machine must own it
    int64_t server_id; // 0 = nobody has it
    bool auto_delete;  // goes with its server
    json_t *labels;
    json_t *extra; // whatever else a dialect wants to remember of it; an object
    time_t created;
};

struct volume {
    int64_t id;
    char *name, *region;
    int size_gb;
    int64_t server_id; // 0 = not attached
    bool ready;
    json_t *labels;
    json_t *extra; // whatever else a dialect wants to remember of it; an object
    time_t created;
};

struct snapshot {
    int64_t id;
    char *name, *region;
    int64_t server_id; // of which
    bool locks_server; // that one is busy until this is ready: for the dialect to set when it was made
    int size_gb;
    bool ready;
    json_t *labels;
    json_t *extra; // whatever else a dialect wants to remember of it; an object
    time_t created;
};

struct database { // a managed PostgreSQL cluster; nothing answers at its address
    int64_t id;
    char *name, *engine, *version, *region, *size;
    int nodes;
    char password[24];
    bool ready;
    time_t created, oldest, newest; // what it can be restored to
    int64_t restored_from;          // 0 = made new
    time_t restored_to;             // 0 = the newest state
    json_t *extra;                  // whatever else a dialect wants to remember of it; an object
};

struct zone {
    int64_t id;
    char *name;
    int ttl;
    bool served; // by the DNS server: of several clouds' zones of one name, the first is
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
    int object_delay_ms;                // from ordered to ready: volumes, snapshots, databases
    int rate_limit;   // -1 = each provider's own; 0 = none; N = requests an hour, at all of them
    int server_limit; // quota, 0 = none
    int disk_mb;
    bool published; // answer as the published documents say where the live APIs have moved on
};

// What the clouds share.
struct ground {
    pthread_mutex_t lock;
    struct settings settings;
    struct network network;
    struct jobs *jobs;     // machines
    struct jobs *dns_jobs; // one worker, so that changes of a zone keep their order
    struct jobs *ip_jobs;  // likewise for addresses that move
    const struct backend_ops *backend;
    struct dns *dns; // NULL = zones are kept but not served
    struct faults *faults;
    struct array clouds; // struct cloud *, in the order of dialects[]
    int64_t next_id;     // of everything in all clouds
};

enum { RATE_CLASSES = 4 };
struct rate_window { // of the last `window_ms` milliseconds
    int64_t *at_ms;  // when each request came, oldest first; a ring
    int capacity, first, count;
    int64_t full_at_us; // an allowance that refills: when it is whole again
};

struct dialect;
struct cloud { // one provider's project
    struct ground *ground;
    const struct dialect *dialect;
    struct array servers, ssh_keys, firewalls, ips, volumes, snapshots, databases, zones,
        actions;                            // ordered by id
    struct array removed_servers, removed;  // kept: a job may still look at them
    struct array stock_out;                 // struct stock_out *
    struct rate_window rates[RATE_CLASSES]; // what each counts is the dialect's business
    int64_t requests, requests_limited;     // answered in all; answered 429
    json_t *extra; // whatever else a dialect wants to remember (tags, ...); an object
};

void ground_init(struct ground *ground, const struct settings *settings);
void ground_lock(struct ground *ground);
void ground_unlock(struct ground *ground);
void cloud_init(struct cloud *cloud, struct ground *ground, const struct dialect *dialect);
bool network_parse(struct network *network, const char *text, const char *bridge,
                   struct why *why); // "198.18.0.0/16"
// Takes one request from an allowance of `limit` in any `window_ms`. False if there is none left; *free_at_ms
// (of the clock now_ms) tells when there is one again. settings.rate_limit 0 lets everything through, and a
// number there replaces the limit and makes the window an hour.
bool cloud_take_request(struct cloud *cloud, int class, int limit, int64_t window_ms, int *remaining,
                        int64_t *free_at_ms);
// The same for an allowance that refills evenly, limit/window_ms at a time; *full_at_ms: when it is whole
// again.
bool cloud_take_refilled(struct cloud *cloud, int class, int limit, int64_t window_ms, int *remaining,
                         int64_t *full_at_ms);
// A fresh IPv4 address ("198.18.10.7") or IPv6 network of 64 bits ("2001:db8:c612:a07::/64") of the network.
void ground_take_address(struct ground *ground, char ipv4[16], char ipv6_net[48]);

struct action *action_start(struct cloud *cloud, const char *command, const char *resource_type,
                            int64_t resource_id);
void action_finish(struct action *action, const char *error); // NULL = success
struct action *action_find(struct cloud *cloud, int64_t id);

struct server_spec { // everything is copied
    const char *name, *type, *image, *location, *user_data;
    json_t *labels, *public_keys, *firewalls;
    bool ipv4, ipv6, start, never_boots;
    int address_delay_ms, vanish_after_ms;
    int64_t snapshot_id;                          // 0 = from the image
    const struct movable_ip *own_ipv4, *own_ipv6; // kept addresses instead of new ones; may be NULL
};
enum power { POWER_ON, POWER_OFF, POWER_SHUTDOWN, POWER_REBOOT, POWER_RESET };

struct server *server_find(struct cloud *cloud, int64_t id);
struct server *server_find_name(struct cloud *cloud, const char *name);
struct server *server_add(struct cloud *cloud, const struct server_spec *spec); // the record alone
struct server *server_create(struct cloud *cloud, const struct server_spec *spec, struct action **create,
                             struct action **start);
struct action *server_power(struct server *server, enum power power, const char *command);
struct action *server_delete(struct server *server, const char *command);
// False while a fault (address_delay_ms) hides the addresses; whether they show before it runs is the
// dialect's business.
bool server_addresses_shown(const struct server *server);
void server_unlock(struct server *server);  // what kept it busy is over
void server_stopped(struct server *server); // by the backend, unlocked: the machine went off by itself

// "*" stands for all types or all locations.
bool stock_available(const struct cloud *cloud, const char *type, const char *location);
void stock_set(struct cloud *cloud, const char *type, const char *location, bool available);

// MD5 of the key blob, in pairs with colons. False if the line is no "TYPE BASE64" public key.
bool ssh_key_fingerprint(const char *line, char out[48]);
struct ssh_key *ssh_key_create(struct cloud *cloud, const char *name, const char *public_key,
                               const char *fingerprint, json_t *labels);
void ssh_key_delete(struct cloud *cloud, struct ssh_key *key);
struct firewall *firewall_create(struct cloud *cloud, const char *name, json_t *labels, json_t *rules,
                                 json_t *applied_to);
void firewall_delete(struct cloud *cloud, struct firewall *firewall);

struct movable_ip *ip_find(struct cloud *cloud, int64_t id);
struct movable_ip *ip_find_address(struct cloud *cloud, const char *address);
// A new address of the network, which belongs to nobody yet. Or, with `address`, one that exists: a server's
// own that becomes movable.
struct movable_ip *ip_create(struct cloud *cloud, const char *kind, const char *name, const char *region,
                             const char *address, bool nat, json_t *labels);
// Takes it from whoever has it; NULL = nobody gets it. From then on packets for it go to that server.
struct action *ip_assign(struct cloud *cloud, struct movable_ip *ip, struct server *server,
                         const char *command);
void ip_delete(struct cloud *cloud, struct movable_ip *ip);
// Makes an address the server's own one, or with NULL leaves it without one. Only while it is off: the
// machine learns it at the next start.
void server_set_address(struct server *server, bool ipv6, const struct movable_ip *ip);
void ips_release(struct server *server); // it goes: its addresses belong to nobody then

struct volume *volume_find(struct cloud *cloud, int64_t id);
struct volume *volume_create(struct cloud *cloud, const char *name, const char *region, int size_gb,
                             json_t *labels, struct action **action);
struct action *volume_attach(struct cloud *cloud, struct volume *volume, struct server *server,
                             const char *command); // server NULL: detaches
void volume_delete(struct cloud *cloud, struct volume *volume);
void volumes_release(struct server *server);

struct snapshot *snapshot_find(struct cloud *cloud, int64_t id);
struct snapshot *snapshot_create(struct server *server, const char *name, json_t *labels, const char *command,
                                 struct action **action);
void snapshot_delete(struct cloud *cloud, struct snapshot *snapshot);

struct database *database_find(struct cloud *cloud, int64_t id);
// Becomes ready after settings.object_delay_ms. `source` 0: an empty one; else a copy as of `at` (0: newest).
struct database *database_create(struct cloud *cloud, const char *name, const char *engine,
                                 const char *version, const char *region, const char *size, int64_t source,
                                 time_t at);
void database_delete(struct cloud *cloud, struct database *database);

// "6d5f4c1e-0000-4000-8000-0000000003e8": ids where a provider has UUIDs. uuid_id gives 0 for what is none of
// ours.
void id_uuid(int64_t id, char out[37]);
int64_t uuid_id(const char *uuid);

struct zone *zone_find(struct cloud *cloud, const char *id_or_name);
struct zone *zone_create(struct cloud *cloud, const char *name, int ttl, json_t *labels,
                         struct action **action);
struct action *zone_delete(struct cloud *cloud, struct zone *zone);
struct rrset *rrset_find(struct zone *zone, const char *name, const char *type);
// Sets ttl and records, making the rrset if there is none; an empty list removes it. The action ends when the
// server answers so.
struct action *rrset_put(struct cloud *cloud, struct zone *zone, const char *name, const char *type, int ttl,
                         json_t *records, const char *command);
