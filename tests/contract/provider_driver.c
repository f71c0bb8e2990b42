/* One call of a provider or DNS adapter from the command line, for the contract tests.
 *
 *   provider_driver TYPE ENDPOINT TOKEN_FILE COMMAND [ARGUMENT...]
 *
 * TYPE is looked up among the compute providers or among the DNS services, as the command needs it.
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
    *done = true; /* a service that answers when a change is in force has nothing to poll */
    if (d->dns && !d->dns_ops->op_poll)
        return NULL;
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

/* ---- what not every provider has ---- */

/* "tcp:22@0.0.0.0/0,::/0", "udp:8000-9000@10.0.0.0/8", "icmp@::/0" */
static struct err *parse_rule(struct arena *arena, const char *word, struct firewall_rule *rule)
{
    const char *at = strchr(word, '@');
    const char *port = strchr(word, ':');
    if (!at)
        return err_new(ERR_INPUT, "rule '%s' names no source", word);
    bool has_port = port && port < at;
    *rule = (struct firewall_rule){.protocol =
                                       arena_strndup(arena, word, (size_t)((has_port ? port : at) - word))};
    if (has_port) {
        char *end = NULL;
        rule->port_from = rule->port_to = (int)strtol(port + 1, &end, 10);
        if (*end == '-')
            rule->port_to = (int)strtol(end + 1, NULL, 10);
    }
    const char **sources = arena_array(arena, strlen(at), sizeof(*sources));
    for (const char *source = at + 1; *source;) {
        size_t length = strcspn(source, ",");
        sources[rule->source_count++] = arena_strndup(arena, source, length);
        source += length + (source[length] == ',');
    }
    rule->sources = sources;
    return NULL;
}

/* firewall-ensure NAME [RULE...] */
static struct err *firewall_ensure(struct driver *d)
{
    size_t count = 0;
    while (d->args[1 + count])
        count++;
    struct firewall_rule *rules = arena_array(d->arena, count + 1, sizeof(*rules));
    for (size_t i = 0; i < count; i++)
        TRY(parse_rule(d->arena, d->args[1 + i], &rules[i]));
    struct firewall_spec spec = {.name = d->args[0], .rules = rules, .rule_count = count};
    const char *id = NULL;
    TRY(d->ops->firewall->ensure(&d->ctx, d->provider, d->arena, &spec, &id));
    printf("id=%s\n", id);
    return NULL;
}

/* firewall-attach ID SERVER */
static struct err *firewall_attach(struct driver *d)
{
    const char *op = NULL;
    TRY(d->ops->firewall->attach(&d->ctx, d->provider, d->arena, d->args[0], d->args[1], &op));
    printf("op=%s\n", text(op));
    return NULL;
}

static struct err *firewall_delete(struct driver *d)
{
    return d->ops->firewall->delete (&d->ctx, d->provider, d->arena, d->args[0]);
}

static struct err *ips(struct driver *d)
{
    struct movable_ip *found = NULL;
    size_t count = 0;
    TRY(d->ops->ip->list(&d->ctx, d->provider, d->arena, &found, &count));
    for (size_t i = 0; i < count; i++)
        printf("id=%s address=%s server=%s region=%s needs_off=%d needs_configuration=%d kind=%s\n",
               found[i].id, found[i].address, text(found[i].server_id), text(found[i].region),
               found[i].needs_servers_off, found[i].needs_configuration, found[i].kind);
    return NULL;
}

/* ip-move ADDRESS SERVER */
static struct err *ip_move(struct driver *d)
{
    struct movable_ip *found = NULL;
    size_t count = 0;
    TRY(d->ops->ip->list(&d->ctx, d->provider, d->arena, &found, &count));
    for (size_t i = 0; i < count; i++) {
        const char *op = NULL;
        if (strcmp(found[i].address, d->args[0]) != 0)
            continue;
        TRY(d->ops->ip->move(&d->ctx, d->provider, d->arena, &found[i], d->args[1], &op));
        printf("op=%s\n", text(op));
        return NULL;
    }
    return err_new(ERR_NOT_FOUND, "no address '%s'", d->args[0]);
}

/* snapshot SERVER NAME */
static struct err *snapshot(struct driver *d)
{
    const char *id = NULL;
    const char *op = NULL;
    TRY(d->ops->snapshot->create(&d->ctx, d->provider, d->arena, d->args[0], d->args[1], &id, &op));
    printf("id=%s op=%s\n", text(id), text(op));
    return NULL;
}

static struct err *snapshots(struct driver *d)
{
    struct snapshot *found = NULL;
    size_t count = 0;
    TRY(d->ops->snapshot->list(&d->ctx, d->provider, d->arena, &found, &count));
    for (size_t i = 0; i < count; i++)
        printf("id=%s name=%s created_ms=%lld size=%g ready=%d\n", found[i].id, text(found[i].name),
               (long long)found[i].created_ms, found[i].size_gib, found[i].ready);
    return NULL;
}

static struct err *snapshot_delete(struct driver *d)
{
    return d->ops->snapshot->delete (&d->ctx, d->provider, d->arena, d->args[0]);
}

/* volume-ensure NAME REGION GIB */
static struct err *volume_ensure(struct driver *d)
{
    struct volume_spec spec = {.name = d->args[0], .region = d->args[1], .size_gib = atoi(d->args[2])};
    struct volume volume = {0};
    const char *op = NULL;
    TRY(d->ops->volume->ensure(&d->ctx, d->provider, d->arena, &spec, &volume, &op));
    printf("id=%s name=%s region=%s size=%d server=%s device=%s op=%s\n", volume.id, volume.name,
           volume.region, volume.size_gib, text(volume.server_id), text(volume.device), text(op));
    return NULL;
}

/* volume-attach ID SERVER */
static struct err *volume_attach(struct driver *d)
{
    const char *op = NULL;
    TRY(d->ops->volume->attach(&d->ctx, d->provider, d->arena, d->args[0], d->args[1], &op));
    printf("op=%s\n", text(op));
    return NULL;
}

static struct err *volume_detach(struct driver *d)
{
    const char *op = NULL;
    TRY(d->ops->volume->detach(&d->ctx, d->provider, d->arena, d->args[0], &op));
    printf("op=%s\n", text(op));
    return NULL;
}

static struct err *volume_delete(struct driver *d)
{
    return d->ops->volume->delete (&d->ctx, d->provider, d->arena, d->args[0]);
}

/* Of the password only how long it is. */
static void print_database(const struct database_cluster *cluster)
{
    size_t password_bytes = 0;
    if (cluster->password)
        (void)secret_bytes(cluster->password, &password_bytes);
    printf("id=%s name=%s region=%s size=%s version=%s ready=%d failed=%d host=%s port=%d user=%s "
           "database=%s password_bytes=%zu oldest_ms=%lld newest_ms=%lld\n",
           cluster->id, cluster->name, cluster->region, cluster->size, text(cluster->version), cluster->ready,
           cluster->failed, text(cluster->host), cluster->port, text(cluster->user), text(cluster->database),
           password_bytes, (long long)cluster->oldest_ms, (long long)cluster->newest_ms);
}

static struct err *databases(struct driver *d)
{
    struct database_cluster *found = NULL;
    size_t count = 0;
    TRY(d->ops->database->list(&d->ctx, d->provider, d->arena, &found, &count));
    for (size_t i = 0; i < count; i++)
        print_database(&found[i]);
    return NULL;
}

static struct err *database(struct driver *d)
{
    struct database_cluster cluster = {0};
    TRY(d->ops->database->get(&d->ctx, d->provider, d->arena, d->args[0], &cluster));
    print_database(&cluster);
    return NULL;
}

/* database-restore SOURCE NAME REGION SIZE [AT_MS] */
static struct err *database_restore(struct driver *d)
{
    struct database_restore restore = {.source_id = d->args[0],
                                       .name = d->args[1],
                                       .region = d->args[2],
                                       .size = d->args[3],
                                       .at_ms = d->args[4] ? atoll(d->args[4]) : 0};
    struct database_cluster cluster = {0};
    TRY(d->ops->database->restore(&d->ctx, d->provider, d->arena, &restore, &cluster));
    print_database(&cluster);
    return NULL;
}

static struct err *database_delete(struct driver *d)
{
    return d->ops->database->delete (&d->ctx, d->provider, d->arena, d->args[0]);
}

/* ---- DNS ---- */

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

/* "198.18.0.8|198.18.0.9"; "-" is the empty set */
static struct dns_record_set set_of(struct driver *d, const char *values)
{
    struct dns_record_set set = {.name = d->args[0], .type = d->args[1]};
    char *save = NULL, *list = arena_strdup(d->arena, strcmp(values, "-") == 0 ? "" : values);
    set.values = arena_array(d->arena, strlen(values) + 1, sizeof(*set.values));
    for (char *value = strtok_r(list, "|", &save); value; value = strtok_r(NULL, "|", &save))
        set.values[set.count++] = value;
    return set;
}

/* set NAME TYPE EXPECTED WANTED TTL */
static struct err *set_if(struct driver *d)
{
    struct dns_zone found = {0};
    struct dns_record_set expected = set_of(d, d->args[2]);
    struct dns_record_set wanted = set_of(d, d->args[3]);
    const char *op = NULL;
    wanted.ttl_seconds = atoll(d->args[4]);
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

enum family { SERVER, FIREWALL, IP, SNAPSHOT, VOLUME, DATABASE, DNS };

static const struct command {
    const char *name;
    int argument_count; /* at least */
    enum family family;
    struct err *(*run)(struct driver *d);
} commands[] = {
    {"check", 0, SERVER, check},
    {"catalog", 0, SERVER, catalog},
    {"create", 6, SERVER, create},
    {"list", 0, SERVER, list},
    {"get", 1, SERVER, get},
    {"power", 2, SERVER, power},
    {"delete", 1, SERVER, delete},
    {"wait", 1, SERVER, wait_op},
    {"key-ensure", 2, SERVER, key_ensure},
    {"key-delete", 1, SERVER, key_delete},
    {"firewall-ensure", 1, FIREWALL, firewall_ensure},
    {"firewall-attach", 2, FIREWALL, firewall_attach},
    {"firewall-delete", 1, FIREWALL, firewall_delete},
    {"ips", 0, IP, ips},
    {"ip-move", 2, IP, ip_move},
    {"snapshot", 2, SNAPSHOT, snapshot},
    {"snapshots", 0, SNAPSHOT, snapshots},
    {"snapshot-delete", 1, SNAPSHOT, snapshot_delete},
    {"volume-ensure", 3, VOLUME, volume_ensure},
    {"volume-attach", 2, VOLUME, volume_attach},
    {"volume-detach", 1, VOLUME, volume_detach},
    {"volume-delete", 1, VOLUME, volume_delete},
    {"databases", 0, DATABASE, databases},
    {"database", 1, DATABASE, database},
    {"database-restore", 4, DATABASE, database_restore},
    {"database-delete", 1, DATABASE, database_delete},
    {"zone", 1, DNS, zone},
    {"record", 2, DNS, record},
    {"set", 5, DNS, set_if},
    {"ns", 1, DNS, servers_of_zone},
    {"wait-dns", 1, DNS, wait_op},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static bool has_family(const struct provider_ops *ops, enum family family)
{
    const bool present[] = {[SERVER] = true,
                            [FIREWALL] = ops->firewall != NULL,
                            [IP] = ops->ip != NULL,
                            [SNAPSHOT] = ops->snapshot != NULL,
                            [VOLUME] = ops->volume != NULL,
                            [DATABASE] = ops->database != NULL};
    return present[family];
}

static struct err *run_dns(struct driver *d, const struct command *command, char **argv,
                           const struct secret *token)
{
    struct account_options options = {.name = "contract", .endpoint = argv[2], .token = token};
    d->dns_ops = dns_find(argv[1]);
    if (!d->dns_ops)
        return err_new(ERR_INPUT, "no DNS service '%s'", argv[1]);
    TRY(d->dns_ops->open(&options, &d->dns));
    struct err *e = command->run(d);
    d->dns_ops->close(d->dns);
    return e;
}

static struct err *run(struct driver *d, const struct command *command, char **argv)
{
    CLEANUP_SECRET struct secret *token = NULL;
    TRY(http_global_init());
    TRY(secret_read_file(argv[3], &token));
    if (command->family == DNS)
        return run_dns(d, command, argv, token);
    struct account_options options = {.name = "contract", .endpoint = argv[2], .token = token};
    d->ops = provider_find(argv[1]);
    if (!d->ops)
        return err_new(ERR_INPUT, "no provider '%s'", argv[1]);
    if (!has_family(d->ops, command->family))
        return err_new(ERR_INPUT, "provider '%s' has no operation '%s'", argv[1], command->name);
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
