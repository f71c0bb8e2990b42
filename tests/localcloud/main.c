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
    "A cloud provider's API on this machine: the Hetzner Cloud dialect under /v1, and real hosts behind it.\n"
    "Runs until SIGTERM or SIGINT, and then removes everything that it made. See "
    "tests/localcloud/README.md.\n"
    "\n"
    "  --state DIR            where it keeps machines' files and the DNS server's; one cloud at a time\n"
    "  --token TOKEN          the bearer token that may do everything\n"
    "  --readonly-token TOKEN one that may only read\n"
    "  --listen ADDR:PORT     where the API listens (127.0.0.1:0: a free port)\n"
    "  --ready-file FILE      written once it serves: {\"url\", \"pid\", \"dns\", \"admin\"}\n"
    "  --backend NAME         machines: systemd-nspawn hosts, needs root; memory: none (machines)\n"
    "  --image DIR            the machines' image, as printed by image.sh\n"
    "  --network NET          their network, of 198.18.0.0/15 (198.18.0.0/16)\n"
    "  --bridge NAME          and its bridge (rhbr0)\n"
    "  --disk-mb N            size of a machine's disk (6144)\n"
    "  --dns ADDR[:PORT]|none where the authoritative DNS server listens\n"
    "                         (machines: the network's address 53, as 198.18.0.53; memory: none)\n"
    "  --boot-delay-ms N      memory: from created to running (200)\n"
    "  --rate-limit N         requests an hour, 0 = no limit (3600)\n"
    "  --server-limit N       quota, 0 = none (0)\n"
    "  --published            answer as the published API description says where the live API has moved on\n"
    "  --help\n";

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"state", 1, 0, 's'},
                                          {"token", 1, 0, 't'},
                                          {"readonly-token", 1, 0, 'r'},
                                          {"listen", 1, 0, 'l'},
                                          {"ready-file", 1, 0, 'f'},
                                          {"backend", 1, 0, 'b'},
                                          {"image", 1, 0, 'i'},
                                          {"network", 1, 0, 'n'},
                                          {"bridge", 1, 0, 'B'},
                                          {"disk-mb", 1, 0, 'd'},
                                          {"dns", 1, 0, 'D'},
                                          {"boot-delay-ms", 1, 0, 'w'},
                                          {"rate-limit", 1, 0, 'R'},
                                          {"server-limit", 1, 0, 'L'},
                                          {"published", 0, 0, 'p'},
                                          {"help", 0, 0, 'h'},
                                          {0, 0, 0, 0}};
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

static bool write_ready(const struct cloud *cloud, const struct options *o, unsigned port, struct why *why)
{
    char *host = text_format("%.*s", (int)strcspn(o->listen, ":"), o->listen);
    char *base = text_format("http://%s:%u", host, port), *url = text_format("%s/v1", base);
    char *admin = text_format("%s/_localcloud", base), *part = NULL;
    json_t *ready = json_pack("{s:s, s:i, s:s, s:s}", "url", url, "pid", (int)getpid(), "dns",
                              cloud->dns ? dns_address(cloud->dns) : "none", "admin", admin);
    char *text = json_dumps(ready, 0);
    bool ok = true;

    log_line("serving %s (backend %s, DNS %s)", url, cloud->backend->name,
             cloud->dns ? dns_address(cloud->dns) : "none");
    if (o->ready_file) { // appears whole or not at all
        part = text_format("%s.part", o->ready_file);
        ok = file_write(part, 0644, text, why) &&
             (rename(part, o->ready_file) == 0 || fail(why, "cannot rename '%s'", part));
    }
    json_decref(ready);
    free(host), free(base), free(url), free(admin), free(part), free(text);
    return ok;
}

static int serve(struct cloud *cloud, const struct options *o, const sigset_t *stop, struct why *why)
{
    unsigned port;
    int signal;

    struct http *http = http_start(cloud, o->listen, &port, why);
    if (!http)
        return 1;
    bool ok = write_ready(cloud, o, port, why);
    if (ok)
        sigwait(stop, &signal);
    log_line("stopping");
    http_stop(http);
    return ok ? 0 : 1;
}

static bool start_dns(struct cloud *cloud, const struct options *o, struct why *why)
{
    const char *address = o->dns;

    if (!address)
        address = cloud->backend == &backend_machines ? cloud->network.dns : "none";
    if (text_equal(address, "none"))
        return true;
    cloud->dns = dns_start(cloud->settings.state_dir, address, why);
    return cloud->dns != NULL;
}

static int run(struct cloud *cloud, const struct options *o, const sigset_t *stop, struct why *why)
{
    static char state_dir[PATH_MAX], image_dir[PATH_MAX]; // absolute: the DNS server and mounts want them so
    struct settings *settings = &cloud->settings;
    int rc = 1;

    if (!dir_make(settings->state_dir, why))
        return 1;
    settings->state_dir = realpath(settings->state_dir, state_dir);
    if (settings->image_dir && !realpath(settings->image_dir, image_dir))
        return fail(why, "there is no image '%s'", settings->image_dir), 1;
    settings->image_dir = settings->image_dir ? image_dir : NULL;
    if (!cloud->backend->start(cloud, why))
        return 1;
    cloud->faults = faults_new();
    cloud->jobs = jobs_start(8);
    cloud->dns_jobs = jobs_start(1);
    if (start_dns(cloud, o, why))
        rc = serve(cloud, o, stop, why);
    jobs_stop(cloud->jobs);
    jobs_stop(cloud->dns_jobs);
    if (cloud->dns)
        dns_stop(cloud->dns);
    cloud->backend->stop(cloud);
    faults_free(cloud->faults);
    if (o->ready_file)
        unlink(o->ready_file);
    return rc;
}

int main(int argc, char **argv)
{
    static struct cloud cloud;
    struct options o = {.listen = "127.0.0.1:0",
                        .backend = "machines",
                        .network = "198.18.0.0/16",
                        .bridge = "rhbr0",
                        .settings = {.boot_delay_ms = 200, .rate_limit = 3600, .disk_mb = 6144}};
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
    cloud_init(&cloud, &o.settings);
    cloud.backend = text_equal(o.backend, "memory") ? &backend_memory : &backend_machines;
    int rc = 1;
    if (!text_equal(o.backend, "memory") && !text_equal(o.backend, "machines"))
        fail(&why, "'%s' is no backend; there are machines and memory", o.backend);
    else if (network_parse(&cloud.network, o.network, o.bridge, &why))
        rc = run(&cloud, &o, &stop, &why);
    if (rc != 0)
        fprintf(stderr, "localcloud: %s\n", why.text);
    return rc;
}
