/* Compute providers: the contract that every adapter fulfils.
 *
 * One call is one logical exchange (with its pagination). Drivers do not sleep, retry, poll or log: they do
 * the exchange and classify the error (base/err.h: capacity, quota, auth, rejected, conflict, rate limit,
 * transient, unknown outcome). An adapter touches four places: its .c file, one line in registry.c, its
 * tests, its page in docs/.
 *
 * An operation (`op`) is text that only the adapter understands; NULL means that there is nothing to wait
 * for.
 *
 * Memory: results live in the arena passed in. Threads: a handle may be used from many threads.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include "providers/account.h"
#include <stdbool.h>

struct provider; /* an open account */

enum server_status { SERVER_PENDING, SERVER_RUNNING, SERVER_OFF, SERVER_DELETING, SERVER_STATUS_UNKNOWN };
/* POWER_SHUTDOWN asks the system to stop; a provider that cannot ask pulls the plug instead. */
enum server_power { POWER_ON, POWER_OFF, POWER_SHUTDOWN, POWER_REBOOT };

struct label {
    const char *key;   /* [a-z0-9-] */
    const char *value; /* [a-z0-9-], at most 63 */
};

struct server {
    const char *id;
    const char *name;
    enum server_status status;
    const char *ipv4; /* NULL until known */
    const char *ipv6; /* a host address, NULL when there is none */
    const char *region;
    const char *size;
    int64_t created_ms;
    const struct label *labels;
    size_t label_count;
};

struct server_size {
    const char *name;
    const char *architecture; /* "x86", "arm" */
    int cores;
    double memory_gib, disk_gib;
    struct size_offer {
        const char *region;
        bool available;
        double price_hourly;
        double price_monthly; /* what a full month costs at most */
    } * offers;
    size_t offer_count;
    const char *retired_at; /* date as given, or NULL */
};

struct catalog_region {
    const char *name;
    const char *country; /* ISO 3166-1 alpha-2 in lower case; NULL when the provider does not tell */
};

struct catalog {
    const char *currency; /* of all prices: "EUR", "USD" */
    struct server_size *sizes;
    size_t size_count;
    struct catalog_region *regions;
    size_t region_count;
    /* What server_create accepts. Distributions have one spelling at all providers, "ubuntu-24.04" and
     * "debian-12"; others the provider's own. */
    const char **images;
    size_t image_count;
};

struct server_spec {
    const char
        *name; /* where a provider enforces unique names, an unknown outcome is settled by looking it up */
    const char *region;
    const char *size;
    const char *image;
    const char *const *ssh_key_ids; /* from key_ensure */
    size_t ssh_key_count;
    const char *user_data; /* plain: the adapter encodes it as its provider wants it */
    const struct label *labels;
    size_t label_count;
};

struct account_state { /* what `check` can tell */
    bool read_only;
    const char
        *lacks; /* the permissions that a recovery needs and the token has not; NULL: none, or not told */
    const char *blocked; /* why the account can create nothing at all ("account is locked"); NULL: it can */
    int64_t rate_remaining; /* -1: not told */
    int server_count;
    int server_limit; /* -1: no API tells it */
};

/* --- what not every provider has --- */

struct firewall_rule {          /* lets in; everything else is dropped */
    const char *protocol;       /* "tcp", "udp", "icmp" */
    int port_from, port_to;     /* 1-65535; 0 with icmp */
    const char *const *sources; /* "0.0.0.0/0", "2001:db8::/32" */
    size_t source_count;
};

struct firewall_spec {
    const char *name;
    const struct firewall_rule *rules;
    size_t rule_count;
};

struct firewall_ops {
    /* Makes the firewall of that name, or gives it these rules; its id. */
    struct err *(*ensure)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const struct firewall_spec *spec, const char **firewall_id);
    /* Puts it before a server; nothing when it is there already. */
    struct err *(*attach)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *firewall_id, const char *server_id, const char **op);
    struct err *(*delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *firewall_id);
};

struct movable_ip {
    const char *id;
    const char *address;
    const char *kind;       /* the provider's word: "floating IP", "primary IP", "reserved IP", "public IP" */
    const char *region;     /* where it can be used; NULL: everywhere */
    const char *server_id;  /* that has it now; NULL: none */
    bool needs_servers_off; /* both the giving and the taking one */
    bool gives_up_own;      /* the taking server loses its own address for it */
    bool needs_configuration; /* the taking server has to put the address on its interface itself */
};

struct ip_ops {
    struct err *(*list)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        struct movable_ip **ips, size_t *count);
    /* Takes it from whoever has it. Nothing when the server has it already. Some providers take two calls
     * (off, on): one that stopped between them is repeated safely. */
    struct err *(*move)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        const struct movable_ip *ip, const char *server_id, const char **op);
};

struct snapshot {
    const char *id; /* as server_spec.image: "snapshot:ID" is what a create takes */
    const char *name;
    int64_t created_ms;
    double size_gib; /* 0 until known */
    bool ready;
};

struct snapshot_ops {
    /* Of a server's disk. *snapshot_id is NULL where the provider tells it only when the operation is done:
     * then it is the newest of that name in the list. */
    struct err *(*create)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *server_id, const char *name, const char **snapshot_id, const char **op);
    struct err *(*list)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        struct snapshot **snapshots, size_t *count);
    struct err *(*delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *snapshot_id);
};

struct volume_spec {
    const char *name; /* [a-z0-9-], at most 32 so that every provider takes it */
    const char *region;
    int size_gib;
};

struct volume {
    const char *id;
    const char *name;
    const char *region;
    int size_gib;
    const char *server_id; /* NULL: not attached */
    const char *device;    /* its path in the server: "/dev/disk/by-id/..."; NULL until attached */
};

struct volume_ops {
    /* The volume of that name and region, made when there is none. Never shrinks, grows or formats one:
     * ERR_CONFLICT when the size differs. */
    struct err *(*ensure)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const struct volume_spec *spec, struct volume *volume, const char **op);
    /* ERR_CONFLICT when another server has it. */
    struct err *(*attach)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *volume_id, const char *server_id, const char **op);
    struct err *(*detach)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *volume_id, const char **op);
    struct err *(*delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *volume_id);
};

struct database_cluster { /* a managed PostgreSQL */
    const char *id;
    const char *name;
    const char *region;
    const char *size;
    const char *version; /* major: "16"; NULL when not told */
    bool ready;
    bool failed;
    const char *host; /* NULL until known */
    int port;
    const char *user;
    const char *database;
    struct secret *password;      /* owned by the arena; NULL when the list does not tell */
    int64_t oldest_ms, newest_ms; /* what it can be restored to; 0: not told */
};

struct database_restore {
    const char *source_id;
    const char *name;
    const char *region;
    const char *size;
    int64_t at_ms; /* 0: the newest state */
};

struct database_ops {
    struct err *(*list)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                        struct database_cluster **clusters, size_t *count);
    struct err *(*get)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                       const char *cluster_id, struct database_cluster *cluster);
    /* Always into a new cluster; poll it with get. */
    struct err *(*restore)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           const struct database_restore *restore, struct database_cluster *cluster);
    struct err *(*delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                          const char *cluster_id);
};

struct provider_ops {
    const char *type; /* as the inventory writes it */
    struct err *(*open)(const struct account_options *options, struct provider **provider);
    void (*close)(struct provider *provider);
    /* The token works, else ERR_AUTH; says what it may not do. */
    struct err *(*check)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                         struct account_state *state);
    struct err *(*catalog)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           struct catalog *catalog);
    /* All servers whose labels hold `label` (key and value), or all when NULL. One list serves to wait for
     * many servers. */
    struct err *(*server_list)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct label *label, struct server **servers, size_t *count);
    /* ERR_NOT_FOUND when there is none. */
    struct err *(*server_get)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *id, struct server *server);
    /* *op: an operation to poll, NULL when there is none. ERR_CONFLICT: a server of that name exists. */
    struct err *(*server_create)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct server_spec *spec, struct server *server, const char **op);
    struct err *(*server_power)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                const char *id, enum server_power power, const char **op);
    /* ERR_NOT_FOUND when it is gone already; ERR_CONFLICT when it is busy: try again. */
    struct err *(*server_delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const char *id, const char **op);
    /* *done; a failed operation is an error of its own kind (capacity can also fail here). */
    struct err *(*op_poll)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                           const char *op, bool *done);
    /* Registers the public key unless it is there already (compared by key material); gives what
     * server_spec.ssh_key_ids wants. */
    struct err *(*key_ensure)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *name, const char *public_key, const char **key_id);
    struct err *(*key_delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                              const char *key_id);

    /* NULL: the provider has none. */
    const struct firewall_ops *firewall;
    const struct ip_ops *ip;
    const struct snapshot_ops *snapshot;
    const struct volume_ops *volume;
    const struct database_ops *database;
};

const struct provider_ops *provider_find(const char *type); /* NULL when unknown */
const struct provider_ops *provider_at(size_t index);       /* all in turn; NULL after the last */
const char *server_status_name(enum server_status status);
const char *server_label(const struct server *server, const char *key); /* NULL when absent */
