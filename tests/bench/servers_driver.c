/* Creates many servers at one provider, waits for them and deletes them, as a large recovery would.
 *
 *   servers_driver TYPE ENDPOINT TOKEN_FILE REGION SIZE COUNT
 *
 * Eight threads share the account's one handle, and so its rate limit. Waiting is one list a poll, whatever
 * the number of servers. Prints "name=value" a line: what was made, how long each part took, and what the
 * process used up to then. Exits 1 when a call failed for good, or a server never came up or never went.
 */
#include "base/clock.h"
#include "base/http.h"
#include "base/retry.h"
#include "base/secret.h"
#include "providers/compute/provider.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 8
#define POLL_MS 2000
#define WAIT_MS (10 * 60 * 1000)

static const struct label run_label = {"rehost-run", "bench"};

/* ---- TCP connections ---- */

static atomic_int connections;

int connect(int fd, const struct sockaddr *address, socklen_t length);
/* Stands before the C library's for libcurl, too: counts and passes on. */
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int type = 0;
    socklen_t size = sizeof(type);
    bool known = !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (known && type == SOCK_STREAM && (address->sa_family == AF_INET || address->sa_family == AF_INET6))
        atomic_fetch_add(&connections, 1);
    return (int)syscall(SYS_connect, fd, address, length);
}

/* ---- work for all threads ---- */

struct bench {
    struct ctx ctx;
    const struct provider_ops *ops;
    struct provider *provider;
    const char *region, *size;
    size_t count;
    const char **ids; /* of the servers made; written once each */
    atomic_size_t next, failures;
};

struct item {
    struct bench *bench;
    struct arena *arena;
    size_t index;
};

static struct err *create_once(const struct ctx *ctx, void *arg)
{
    struct item *item = arg;
    struct bench *bench = item->bench;
    const char *host = arena_printf(item->arena, "host-%zu", item->index);
    const struct label labels[] = {run_label, {"rehost-host", host}, {"rehost-attempt", "1"}};
    const struct server_spec spec = {.name = arena_printf(item->arena, "rehost-bench-%zu", item->index),
                                     .region = bench->region,
                                     .size = bench->size,
                                     .image = "debian-12",
                                     .user_data = "#cloud-config\nssh_pwauth: false\n",
                                     .labels = labels,
                                     .label_count = 3};
    struct server server = {0};
    const char *op = NULL;
    TRY(bench->ops->server_create(ctx, bench->provider, item->arena, &spec, &server, &op));
    bench->ids[item->index] = strdup(server.id);
    return NULL;
}

static struct err *delete_once(const struct ctx *ctx, void *arg)
{
    struct item *item = arg;
    const char *id = item->bench->ids[item->index]; /* NULL: it could not be made */
    const char *op = NULL;
    return id ? item->bench->ops->server_delete(ctx, item->bench->provider, item->arena, id, &op) : NULL;
}

struct phase {
    struct bench *bench;
    const char *what;
    struct err *(*once)(const struct ctx *ctx, void *item);
};

static void *work(void *arg)
{
    const struct phase *phase = arg;
    struct bench *bench = phase->bench;
    for (;;) {
        CLEANUP_ARENA struct arena *arena = arena_new(0);
        struct item item = {.bench = bench, .arena = arena, .index = atomic_fetch_add(&bench->next, 1)};
        if (item.index >= bench->count)
            return NULL;
        CLEANUP_ERR struct err *e = retry_run(&bench->ctx, &retry_writes, phase->what, phase->once, &item);
        if (!e)
            continue;
        atomic_fetch_add(&bench->failures, 1);
        (void)fprintf(stderr, "%s %zu: %s: %s\n", phase->what, item.index, err_kind_name(err_kind(e)),
                      err_text(e));
    }
}

static void together(struct phase *phase)
{
    pthread_t threads[THREADS];
    atomic_store(&phase->bench->next, 0);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, phase)) {
            (void)fprintf(stderr, "cannot start a thread\n");
            exit(1);
        }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- waiting: one list for all ---- */

struct listing {
    struct bench *bench;
    struct arena *arena;
    size_t standing, running;
};

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct listing *listing = arg;
    struct server *servers = NULL;
    TRY(listing->bench->ops->server_list(ctx, listing->bench->provider, listing->arena, &run_label, &servers,
                                         &listing->standing));
    listing->running = 0;
    for (size_t i = 0; i < listing->standing; i++)
        listing->running += servers[i].status == SERVER_RUNNING && servers[i].ipv4;
    return NULL;
}

/* Until all are running (`wanted` of them), or none is left (0). */
static struct err *wait_for(struct bench *bench, size_t wanted, int *polls)
{
    const struct ctx ctx = ctx_with_timeout(&bench->ctx, WAIT_MS);
    for (;;) {
        CLEANUP_ARENA struct arena *arena = arena_new(0);
        struct listing listing = {.bench = bench, .arena = arena};
        TRY(retry_run(&ctx, &retry_reads, "list the servers", list_once, &listing));
        ++*polls;
        if (listing.standing == wanted && listing.running == wanted)
            return NULL;
        TRY(ctx_sleep(&ctx, POLL_MS));
    }
}

/* ---- all of it ---- */

static double cpu_ms(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static long peak_kib(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

static struct err *measure(struct bench *bench)
{
    struct phase creating = {.bench = bench, .what = "create", .once = create_once};
    struct phase deleting = {.bench = bench, .what = "delete", .once = delete_once};
    int polls = 0;
    double cpu_before_ms = cpu_ms();
    int64_t started_ms = clock_boot_ms();
    together(&creating);
    int64_t created_ms = clock_boot_ms();
    TRY(wait_for(bench, bench->count - atomic_load(&bench->failures), &polls));
    int64_t running_ms = clock_boot_ms();
    together(&deleting);
    int64_t deleted_ms = clock_boot_ms();
    TRY(wait_for(bench, 0, &polls));
    int64_t gone_ms = clock_boot_ms();
    printf("count=%zu\nfailures=%zu\npolls=%d\nconnections=%d\n", bench->count, atomic_load(&bench->failures),
           polls, atomic_load(&connections));
    printf("create_ms=%lld\nwait_ms=%lld\ndelete_ms=%lld\ngone_ms=%lld\nwall_ms=%lld\n",
           (long long)(created_ms - started_ms), (long long)(running_ms - created_ms),
           (long long)(deleted_ms - running_ms), (long long)(gone_ms - deleted_ms),
           (long long)(gone_ms - started_ms));
    printf("cpu_ms=%.1f\npeak_kib=%ld\n", cpu_ms() - cpu_before_ms, peak_kib());
    return NULL;
}

static struct err *run(struct bench *bench, char **argv)
{
    CLEANUP_SECRET struct secret *token = NULL;
    TRY(http_global_init());
    TRY(secret_read_file(argv[3], &token));
    struct account_options options = {.name = "bench", .endpoint = argv[2], .token = token};
    bench->ops = provider_find(argv[1]);
    if (!bench->ops)
        return err_new(ERR_INPUT, "no provider '%s'", argv[1]);
    TRY(bench->ops->open(&options, &bench->provider));
    struct err *e = measure(bench);
    bench->ops->close(bench->provider);
    return e;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        (void)fprintf(stderr, "usage: servers_driver TYPE ENDPOINT TOKEN_FILE REGION SIZE COUNT\n");
        return 2;
    }
    struct bench bench = {
        .ctx = ctx_background(), .region = argv[4], .size = argv[5], .count = strtoul(argv[6], NULL, 10)};
    bench.ids = calloc(bench.count + 1, sizeof(*bench.ids));
    CLEANUP_ERR struct err *e = run(&bench, argv);
    if (e)
        (void)fprintf(stderr, "%s: %s\n", err_kind_name(err_kind(e)), err_text(e));
    return e || atomic_load(&bench.failures) ? 1 : 0;
}
