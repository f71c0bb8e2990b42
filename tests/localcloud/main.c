// localcloud: a provider's API on this machine, over real hosts. See README.md.
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "dns.h"
#include "http.h"

struct options {
    struct settings settings;
    const char *listen, *backend, *dns, *ready_file, *network, *bridge;
};

static const char help[] =
    "usage: localcloud --state DIR --token TOKEN [options]\n"
    "\n"
    "Cloud providers' APIs on this machine, each at a port of its own, and real hosts behind them.\n"
    "Runs until SIGTERM or SIGINT, and then removes everything that it made. See "
    "tests/localcloud/README.md.\n"
    "\n"
    "  --state DIR            where it keeps machines' files and the DNS server's; one cloud at a time\n"
    "  --token TOKEN          the bearer token that may do everything\n"
    "  --readonly-token TOKEN one that may only read\n"
    "  --listen ADDR:PORT     where Hetzner's API listens (127.0.0.1:0: a free port for each); the others\n"
    "                         take the ports that follow\n"
    "  --ready-file FILE      written once it serves: {\"url\" (Hetzner's), \"pid\", \"dns\", \"admin\",\n"
    "                         \"urls\": {\"hetzner\", \"digitalocean\", ...}}\n"
    "  --backend NAME         machines: systemd-nspawn hosts, needs root; memory: none (machines)\n"
    "  --image DIR            the machines' image, as printed by image.sh\n"
    "  --network NET          their network, of 198.18.0.0/15 (198.18.0.0/16)\n"
    "  --bridge NAME          and its bridge (rhbr0)\n"
    "  --disk-mb N            size of a machine's disk (6144)\n"
    "  --dns ADDR[:PORT]|none where the authoritative DNS server listens\n"
    "                         (machines: the network's address 53, as 198.18.0.53; memory: none)\n"
    "  --boot-delay-ms N      memory: from created to running (200)\n"
    "  --object-delay-ms N    from ordered to ready: volumes, snapshots, databases (200)\n"
    "  --rate-limit N         requests an hour at each provider, 0 = no limit (-1: each provider's own)\n"
    "  --server-limit N       quota at each provider, 0 = none (0)\n"
    "  --published            answer as the published API description says where the live APIs\n"
    "                         have moved on\n"
    "  --help\n";

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"state", 1, 0, 's'},           {"token", 1, 0, 't'},      {"readonly-token", 1, 0, 'r'},
        {"listen", 1, 0, 'l'},          {"ready-file", 1, 0, 'f'}, {"backend", 1, 0, 'b'},
        {"image", 1, 0, 'i'},           {"network", 1, 0, 'n'},    {"bridge", 1, 0, 'B'},
        {"disk-mb", 1, 0, 'd'},         {"dns", 1, 0, 'D'},        {"boot-delay-ms", 1, 0, 'w'},
        {"object-delay-ms", 1, 0, 'o'}, {"rate-limit", 1, 0, 'R'}, {"server-limit", 1, 0, 'L'},
        {"published", 0, 0, 'p'},       {"help", 0, 0, 'h'},       {0, 0, 0, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 's':
            o->settings.state_dir = optarg;
            break;
        case 't':
            o->settings.token = optarg;
            break;
        case 'r':
            o->settings.readonly_token = optarg;
            break;
        case 'l':
            o->listen = optarg;
            break;
        case 'f':
            o->ready_file = optarg;
            break;
        case 'b':
            o->backend = optarg;
            break;
        case 'i':
            o->settings.image_dir = optarg;
            break;
        case 'n':
            o->network = optarg;
            break;
        case 'B':
            o->bridge = optarg;
            break;
        case 'd':
            o->settings.disk_mb = atoi(optarg);
            break;
        case 'D':
            o->dns = optarg;
            break;
        case 'w':
            o->settings.boot_delay_ms = atoi(optarg);
            break;
        case 'o':
            o->settings.object_delay_ms = atoi(optarg);
            break;
        case 'R':
            o->settings.rate_limit = atoi(optarg);
            break;
        case 'L':
            o->settings.server_limit = atoi(optarg);
            break;
        case 'p':
            o->settings.published = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            return false;
        }
    }
    return optind == argc && o->settings.state_dir && o->settings.token && *o->settings.token;
}

static struct cloud *cloud_of(const struct ground *ground, size_t i)
{
    return ground->clouds.items[i];
}

// What a client takes as the base of its paths, for each provider.
static json_t *urls_json(const struct ground *ground, const struct options *o, const unsigned *ports)
{
    json_t *urls = json_object();

    for (size_t i = 0; i < ground->clouds.count; i++) {
        const struct dialect *dialect = cloud_of(ground, i)->dialect;
        char *url = text_format("http://%.*s:%u%s", (int)strcspn(o->listen, ":"), o->listen, ports[i],
                                dialect->url_suffix ? dialect->url_suffix : dialect->prefix);
        json_object_set_new(urls, dialect->name, json_string(url));
        log_line("serving %s at %s", dialect->name, url);
        free(url);
    }
    return urls;
}

static bool write_ready(const struct ground *ground, const struct options *o, const unsigned *ports,
                        struct why *why)
{
    const char *dns = ground->dns ? dns_address(ground->dns) : "none";
    char *admin = text_format("http://%.*s:%u%s", (int)strcspn(o->listen, ":"), o->listen, ports[0],
                              dialect_admin.prefix);
    json_t *urls = urls_json(ground, o, ports);
    json_t *ready = json_pack("{s:O, s:i, s:s, s:s, s:o}", "url", json_object_get(urls, dialects[0]->name),
                              "pid", (int)getpid(), "dns", dns, "admin", admin, "urls", urls);
    char *text = json_dumps(ready, 0), *part = NULL;
    bool ok = true;

    log_line("backend %s, DNS %s", ground->backend->name, dns);
    if (o->ready_file) { // appears whole or not at all
        part = text_format("%s.part", o->ready_file);
        ok = file_write(part, 0644, text, why) &&
             (rename(part, o->ready_file) == 0 || fail(why, "cannot rename '%s'", part));
    }
    json_decref(ready);
    free(admin), free(part), free(text);
    return ok;
}

static struct http *listen_at(const struct ground *ground, const struct options *o, size_t i, unsigned *port,
                              struct why *why)
{
    const char *colon = strchr(o->listen, ':');
    long first = colon ? strtol(colon + 1, NULL, 10) : 0;

    if (i == 0 || first == 0)
        return http_start(cloud_of(ground, i), o->listen, port, why);
    char *listen = text_format("%.*s:%ld", (int)(colon - o->listen), o->listen, first + (long)i);
    struct http *http = http_start(cloud_of(ground, i), listen, port, why);
    free(listen);
    return http;
}

static int serve(struct ground *ground, const struct options *o, const sigset_t *stop, struct why *why)
{
    size_t count = ground->clouds.count, started = 0;
    struct http **servers = zalloc(count * sizeof(struct http *));
    unsigned *ports = zalloc(count * sizeof *ports);
    int signal;

    while (started < count && (servers[started] = listen_at(ground, o, started, &ports[started], why)))
        started++;
    bool ok = started == count && write_ready(ground, o, ports, why);
    if (ok)
        sigwait(stop, &signal);
    log_line("stopping");
    while (started > 0)
        http_stop(servers[--started]);
    free(servers), free(ports);
    return ok ? 0 : 1;
}

static bool start_dns(struct ground *ground, const struct options *o, struct why *why)
{
    const char *address = o->dns;

    if (!address)
        address = ground->backend == &backend_machines ? ground->network.dns : "none";
    if (text_equal(address, "none"))
        return true;
    ground->dns = dns_start(ground->settings.state_dir, address, why);
    return ground->dns != NULL;
}

static int run(struct ground *ground, const struct options *o, const sigset_t *stop, struct why *why)
{
    static char state_dir[PATH_MAX], image_dir[PATH_MAX]; // absolute: the DNS server and mounts want them so
    struct settings *settings = &ground->settings;
    int rc = 1;

    if (!dir_make(settings->state_dir, why))
        return 1;
    settings->state_dir = realpath(settings->state_dir, state_dir);
    if (settings->image_dir && !realpath(settings->image_dir, image_dir))
        return fail(why, "there is no image '%s'", settings->image_dir), 1;
    settings->image_dir = settings->image_dir ? image_dir : NULL;
    if (!ground->backend->start(ground, why))
        return 1;
    ground->faults = faults_new();
    ground->jobs = jobs_start(8);
    ground->dns_jobs = jobs_start(1);
    ground->ip_jobs = jobs_start(1);
    if (start_dns(ground, o, why))
        rc = serve(ground, o, stop, why);
    jobs_stop(ground->jobs);
    jobs_stop(ground->dns_jobs);
    jobs_stop(ground->ip_jobs);
    if (ground->dns)
        dns_stop(ground->dns);
    ground->backend->stop(ground);
    faults_free(ground->faults);
    if (o->ready_file)
        unlink(o->ready_file);
    return rc;
}

int main(int argc, char **argv)
{
    static struct ground ground;
    struct options o = {
        .listen = "127.0.0.1:0",
        .backend = "machines",
        .network = "198.18.0.0/16",
        .bridge = "rhbr0",
        .settings = {.boot_delay_ms = 200, .object_delay_ms = 200, .rate_limit = -1, .disk_mb = 6144}};
    struct why why = {""};
    sigset_t stop;

    if (!parse(argc, argv, &o)) {
        fputs("localcloud: --state and --token are needed; see localcloud --help\n", stderr);
        return 2;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stop, NULL); // in all threads: the main one waits for them
    signal(SIGPIPE, SIG_IGN);
    ground_init(&ground, &o.settings);
    for (size_t i = 0; dialects[i]; i++)
        cloud_init(zalloc(sizeof(struct cloud)), &ground, dialects[i]);
    ground.backend = text_equal(o.backend, "memory") ? &backend_memory : &backend_machines;
    int rc = 1;
    if (!text_equal(o.backend, "memory") && !text_equal(o.backend, "machines"))
        fail(&why, "'%s' is no backend; there are machines and memory", o.backend);
    else if (network_parse(&ground.network, o.network, o.bridge, &why))
        rc = run(&ground, &o, &stop, &why);
    if (rc != 0)
        fprintf(stderr, "localcloud: %s\n", why.text);
    return rc;
}
