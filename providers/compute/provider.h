/* Compute providers: the contract that every adapter fulfils.
 *
 * One call is one logical exchange (with its pagination). Drivers do not sleep, retry, poll or log: they do the exchange and
 * classify the error (base/err.h: capacity, quota, auth, rejected, conflict, rate limit, transient, unknown outcome). An adapter touches
 * four places: its .c file, one line in registry.c, its tests, its page in docs/.
 *
 * Memory: results live in the arena passed in. Threads: a handle may be used from many threads.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include <stdbool.h>

struct provider; /* an open account */

struct provider_options {
    const char *name;     /* the inventory's name for the account */
    const char *endpoint; /* NULL: the provider's own */
    const char *ca_file;  /* NULL: the system's */
    const struct secret *token;
};

enum server_status { SERVER_PENDING, SERVER_RUNNING, SERVER_OFF, SERVER_DELETING, SERVER_STATUS_UNKNOWN };
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
    } *offers;
    size_t offer_count;
    const char *retired_at; /* date as given, or NULL */
};

struct catalog {
    const char *currency;
    struct server_size *sizes;
    size_t size_count;
    const char **regions;
    size_t region_count;
    const char **images; /* names that server_create accepts: "ubuntu-24.04" */
    size_t image_count;
};

struct server_spec {
    const char *name; /* unique: an unknown outcome is settled by looking it up */
    const char *region;
    const char *size;
    const char *image;
    const char *const *ssh_key_ids; /* from key_ensure */
    size_t ssh_key_count;
    const char *user_data;
    const struct label *labels;
    size_t label_count;
};

struct account_state { /* what `check` can tell */
    bool token_valid;
    bool read_only;
    int64_t rate_remaining; /* -1: not told */
    int server_count;
};

enum { PROVIDER_LABELS = 1 << 0, PROVIDER_UNIQUE_NAMES = 1 << 1, PROVIDER_ASYNC_OPS = 1 << 2 };

struct provider_ops {
    const char *type;             /* "hetzner", as the inventory writes it */
    unsigned capabilities;
    size_t user_data_max_bytes;
    struct err *(*open)(const struct provider_options *options, struct provider **provider);
    void (*close)(struct provider *provider);
    struct err *(*check)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                         struct account_state *state);
    struct err *(*catalog)(const struct ctx *ctx, struct provider *provider, struct arena *arena, struct catalog *catalog);
    /* All servers whose labels hold `label` (key and value), or all when NULL. */
    struct err *(*server_list)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                               const struct label *label, struct server **servers, size_t *count);
    /* ERR_NOT_FOUND when there is none. */
    struct err *(*server_get)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *id,
                              struct server *server);
    /* *op: an operation to poll, NULL when there is none. ERR_CONFLICT: a server of that name exists. */
    struct err *(*server_create)(const struct ctx *ctx, struct provider *provider, struct arena *arena,
                                 const struct server_spec *spec, struct server *server, const char **op);
    struct err *(*server_power)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *id,
                                enum server_power power, const char **op);
    struct err *(*server_delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *id,
                                 const char **op);
    /* *done; a failed operation is an error of its own kind (capacity can also fail here). */
    struct err *(*op_poll)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *op,
                           bool *done);
    /* Registers the public key unless it is there already (compared by key material); gives its id. */
    struct err *(*key_ensure)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *name,
                              const char *public_key, const char **key_id);
    struct err *(*key_delete)(const struct ctx *ctx, struct provider *provider, struct arena *arena, const char *key_id);
};

const struct provider_ops *provider_find(const char *type); /* NULL when unknown */
const char *const *provider_types(size_t *count);
const char *server_status_name(enum server_status status);
const char *server_label(const struct server *server, const char *key); /* NULL when absent */
