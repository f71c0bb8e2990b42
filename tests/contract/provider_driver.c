/* One call of a provider or DNS adapter from the command line, for the contract tests.
 *
 *   provider_driver TYPE ENDPOINT TOKEN_FILE COMMAND [ARGUMENT...]
 *
 * Prints what the call gave as "name=value" words, one thing a line, and exits 0; or "error KIND: text" and
 * exits 1.
 */
#include "base/http.h"
#include "base/secret.h"
#include "providers/compute/provider.h"
#include "providers/dns/dns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct driver {
    struct ctx ctx;
    struct arena *arena;
    const struct provider_ops *ops;
    const struct dns_ops *dns_ops;
    struct provider *provider;
    struct dns *dns;
    char **args; /* NULL-terminated */
};

static const char *text(const char *value)
{
    return value && *value ? value : "-";
}

static void print_server(const struct server *server, const char *op)
{
    printf("id=%s name=%s status=%s ipv4=%s ipv6=%s region=%s size=%s created_ms=%lld", server->id,
           server->name, server_status_name(server->status), text(server->ipv4), text(server->ipv6),
           server->region, server->size, (long long)server->created_ms);
    for (size_t i = 0; i < server->label_count; i++)
        printf(" label.%s=%s", server->labels[i].key, server->labels[i].value);
    printf(" op=%s\n", text(op));
}

static struct err *check(struct driver *d)
{
    struct account_state state = {0};
    TRY(d->ops->check(&d->ctx, d->provider, d->arena, &state));
    printf("valid=1 rate_remaining=%lld servers=%d limit=%d read_only=%d lacks=%s blocked=%s\n",
           (long long)state.rate_remaining, state.server_count, state.server_limit, state.read_only,
           text(state.lacks), text(state.blocked));
    return NULL;
}

static struct err *catalog(struct driver *d)
{
    struct catalog found = {0};
    TRY(d->ops->catalog(&d->ctx, d->provider, d->arena, &found));
    printf("currency=%s sizes=%zu\n", found.currency, found.size_count);
    for (size_t i = 0; i < found.size_count; i++)
        for (size_t k = 0; k < found.sizes[i].offer_count; k++)
            printf("size=%s architecture=%s cores=%d memory=%g disk=%g region=%s available=%d price=%g "
                   "retired=%s\n",
                   found.sizes[i].name, found.sizes[i].architecture, found.sizes[i].cores,
                   found.sizes[i].memory_gib, found.sizes[i].disk_gib, found.sizes[i].offers[k].region,
                   found.sizes[i].offers[k].available, found.sizes[i].offers[k].price_hourly,
                   text(found.sizes[i].retired_at));
    for (size_t i = 0; i < found.region_count; i++)
        printf("region-of-catalog=%s country=%s\n", found.regions[i].name, text(found.regions[i].country));
    for (size_t i = 0; i < found.image_count; i++)
        printf("image=%s\n", found.images[i]);
    return NULL;
}

/* create NAME REGION SIZE IMAGE RUN HOST [KEY_ID] */
static struct err *create(struct driver *d)
{
    const struct label labels[] = {{"rehost-run", d->args[4]}, {"rehost-host", d->args[5]}};
    const char *keys[] = {d->args[6]};
    struct server_spec spec = {.name = d->args[0],
                               .region = d->args[1],
                               .size = d->args[2],
                               .image = d->args[3],
                               .ssh_key_ids = keys,
                               .ssh_key_count = keys[0] ? 1 : 0,
                               .user_data = "#cloud-config\npackages: [\"caf\u00e9\"]\n",
                               .labels = labels,
                               .label_count = 2};
    struct server server = {0};
    const char *op = NULL;
    TRY(d->ops->server_create(&d->ctx, d->provider, d->arena, &spec, &server, &op));
    print_server(&server, op);
    return NULL;
}

/* list [KEY VALUE] */
static struct err *list(struct driver *d)
{
    struct label label = {.key = d->args[0], .value = d->args[0] ? d->args[1] : NULL};
    struct server *servers = NULL;
    size_t count = 0;
    TRY(d->ops->server_list(&d->ctx, d->provider, d->arena, label.key ? &label : NULL, &servers, &count));
    for (size_t i = 0; i < count; i++)
        print_server(&servers[i], NULL);
    return NULL;
}

static struct err *get(struct driver *d)
{
    struct server server = {0};
    TRY(d->ops->server_get(&d->ctx, d->provider, d->arena, d->args[0], &server));
    print_server(&server, NULL);
    return NULL;
}

/* power ID on|off|shutdown|reboot */
static struct err *power(struct driver *d)
{
    static const char *const words[] = {
        [POWER_ON] = "on", [POWER_OFF] = "off", [POWER_SHUTDOWN] = "shutdown", [POWER_REBOOT] = "reboot"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *op = NULL;
        if (strcmp(words[i], d->args[1]) != 0)
            continue;
        TRY(d->ops->server_power(&d->ctx, d->provider, d->arena, d->args[0], (enum server_power)i, &op));
        printf("op=%s\n", text(op));
        return NULL;
    }
    return err_new(ERR_INPUT, "power '%s'", d->args[1]);
}

static struct err *delete (struct driver *d)
{
    const char *op = NULL;
    TRY(d->ops->server_delete(&d->ctx, d->provider, d->arena, d->args[0], &op));
    printf("op=%s\n", text(op));
    return NULL;
}

static struct err *poll_once(struct driver *d, bool *done)
{
    if (d->dns)
        return d->dns_ops->op_poll(&d->ctx, d->dns, d->arena, d->args[0], done);
    return d->ops->op_poll(&d->ctx, d->provider, d->arena, d->args[0], done);
}

/* wait OP: until it is done */
static struct err *wait_op(struct driver *d)
{
    for (bool done = false; !done;) {
        TRY(poll_once(d, &done));
        if (!done)
            TRY(ctx_sleep(&d->ctx, 100));
    }
    printf("done=1\n");
    return NULL;
}

static struct err *key_ensure(struct driver *d)
{
    const char *id = NULL;
    TRY(d->ops->key_ensure(&d->ctx, d->provider, d->arena, d->args[0], d->args[1], &id));
    printf("id=%s\n", id);
    return NULL;
}

static struct err *key_delete(struct driver *d)
{
    return d->ops->key_delete(&d->ctx, d->provider, d->arena, d->args[0]);
}

static struct err *zone(struct driver *d)
{
    struct dns_zone found = {0};
    TRY(d->dns_ops->zone_find(&d->ctx, d->dns, d->arena, d->args[0], &found));
    printf("id=%s name=%s ttl=%lld\n", found.id, found.name, (long long)found.default_ttl_seconds);
    return NULL;
}

/* record NAME TYPE */
static struct err *record(struct driver *d)
{
    struct dns_zone found = {0};
    struct dns_record_set set = {0};
    TRY(d->dns_ops->zone_find(&d->ctx, d->dns, d->arena, d->args[0], &found));
    TRY(d->dns_ops->record_get(&d->ctx, d->dns, d->arena, &found, d->args[0], d->args[1], &set));
    printf("name=%s type=%s ttl=%lld count=%zu", set.name, set.type, (long long)set.ttl_seconds, set.count);
    for (size_t i = 0; i < set.count; i++)
        printf(" value=%s", set.values[i]);
    printf("\n");
    return NULL;
}

/* set NAME TYPE EXPECTED WANTED TTL; a value of "-" is the empty set */
static struct err *set_if(struct driver *d)
{
    const char *from = d->args[2];
    const char *to = d->args[3];
    struct dns_zone found = {0};
    struct dns_record_set expected = {
        .name = d->args[0], .type = d->args[1], .values = &from, .count = strcmp(from, "-") != 0};
    struct dns_record_set wanted = {.name = d->args[0],
                                    .type = d->args[1],
                                    .ttl_seconds = atoll(d->args[4]),
                                    .values = &to,
                                    .count = strcmp(to, "-") != 0};
    const char *op = NULL;
    TRY(d->dns_ops->zone_find(&d->ctx, d->dns, d->arena, d->args[0], &found));
    TRY(d->dns_ops->record_set_if(&d->ctx, d->dns, d->arena, &found, &expected, &wanted, &op));
    printf("op=%s\n", text(op));
    return NULL;
}

static struct err *servers_of_zone(struct driver *d)
{
    struct dns_zone found = {0};
    const char **names = NULL;
    size_t count = 0;
    TRY(d->dns_ops->zone_find(&d->ctx, d->dns, d->arena, d->args[0], &found));
    TRY(d->dns_ops->authoritative_servers(&d->ctx, d->dns, d->arena, &found, &names, &count));
    for (size_t i = 0; i < count; i++)
        printf("ns=%s\n", names[i]);
    return NULL;
}

static const struct command {
    const char *name;
    int argument_count; /* at least */
    bool is_dns;
    struct err *(*run)(struct driver *d);
} commands[] = {
    {"check", 0, false, check},
    {"catalog", 0, false, catalog},
    {"create", 6, false, create},
    {"list", 0, false, list},
    {"get", 1, false, get},
    {"power", 2, false, power},
    {"delete", 1, false, delete},
    {"wait", 1, false, wait_op},
    {"key-ensure", 2, false, key_ensure},
    {"key-delete", 1, false, key_delete},
    {"zone", 1, true, zone},
    {"record", 2, true, record},
    {"set", 5, true, set_if},
    {"ns", 1, true, servers_of_zone},
    {"wait-dns", 1, true, wait_op},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static struct err *run(struct driver *d, const struct command *command, char **argv)
{
    CLEANUP_SECRET struct secret *token = NULL;
    TRY(http_global_init());
    TRY(secret_read_file(argv[3], &token));
    if (command->is_dns) {
        d->dns_ops = dns_find(argv[1]);
        struct dns_options options = {.name = "contract", .endpoint = argv[2], .token = token};
        if (!d->dns_ops)
            return err_new(ERR_INPUT, "no DNS service '%s'", argv[1]);
        TRY(d->dns_ops->open(&options, &d->dns));
        struct err *e = command->run(d);
        d->dns_ops->close(d->dns);
        return e;
    }
    d->ops = provider_find(argv[1]);
    struct provider_options options = {.name = "contract", .endpoint = argv[2], .token = token};
    if (!d->ops)
        return err_new(ERR_INPUT, "no provider '%s'", argv[1]);
    TRY(d->ops->open(&options, &d->provider));
    struct err *e = command->run(d);
    d->ops->close(d->provider);
    return e;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 4 ? find_command(argv[4]) : NULL;
    if (!command || argc - 5 < command->argument_count) {
        (void)fprintf(stderr, "usage: provider_driver TYPE ENDPOINT TOKEN_FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ctx background = ctx_background();
    struct driver d = {.ctx = ctx_with_timeout(&background, 60000), .arena = arena, .args = argv + 5};
    CLEANUP_ERR struct err *e = run(&d, command, argv);
    if (!e)
        return 0;
    printf("error %s: %s", err_kind_name(err_kind(e)), err_text(e));
    if (err_retry_after_ms(e))
        printf(" (retry after %lld ms)", (long long)err_retry_after_ms(e));
    printf("\n");
    return 1;
}
