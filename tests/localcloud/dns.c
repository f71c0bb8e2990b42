#include "dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const dns_nameservers[] = {"ns1.localcloud.test.", "ns2.localcloud.test.", NULL};
const char dns_hostmaster[] = "hostmaster.localcloud.test.";

struct dns {
    char *dir;
    char address[16], port[8], both[24];
    struct array zones; // names
    pid_t pid;
    bool added_address; // to the loopback interface
};

const char *dns_address(const struct dns *dns)
{
    return dns->both;
}

static char *path_of(const struct dns *dns, const char *name)
{
    return text_format("%s/%s", dns->dir, name);
}

static bool write_named(const struct dns *dns, const char *name, unsigned mode, const char *text,
                        struct why *why)
{
    char *path = path_of(dns, name);
    bool ok = file_write(path, mode, text, why);

    free(path);
    return ok;
}

static bool write_config(const struct dns *dns, struct why *why)
{
    char *text = text_format(
        "options {\n"
        " directory \"%s\"; pid-file none; session-keyfile none; managed-keys-directory \"%s\";\n"
        " lock-file none; listen-on port %s { %s; }; listen-on-v6 { none; };\n"
        " recursion no; dnssec-validation no; notify no; empty-zones-enable no; minimal-responses no;\n"
        " allow-query { any; }; allow-transfer { any; };\n};\n"
        "controls {};\ninclude \"%s/key\";\n",
        dns->dir, dns->dir, dns->port, dns->address, dns->dir);
    for (size_t i = 0; i < dns->zones.count; i++) {
        const char *zone = dns->zones.items[i];
        char *more = text_format(
            "%szone \"%s\" { type primary; file \"zone.%s\"; allow-update { key localcloud; }; };\n", text,
            zone, zone);
        free(text);
        text = more;
    }
    bool ok = write_named(dns, "named.conf", 0644, text, why);
    free(text);
    return ok;
}

static bool write_zone(const struct dns *dns, const char *zone, int ttl, const char *more, struct why *why)
{
    char *name = text_format("zone.%s", zone);
    char *text = text_format("$TTL %d\n@ SOA %s %s %lld 86400 10800 3600000 300\n@ NS %s\n@ NS %s\n%s", ttl,
                             dns_nameservers[0], dns_hostmaster, (long long)time(NULL), dns_nameservers[0],
                             dns_nameservers[1], more);
    bool ok = write_named(dns, name, 0644, text, why);

    free(name), free(text);
    return ok;
}

static bool make_key(const struct dns *dns, struct why *why)
{
    const char *const argv[] = {"tsig-keygen", "-a", "hmac-sha256", "localcloud", NULL};
    char *key = NULL;
    bool ok = run_command(argv, NULL, &key, why) && write_named(dns, "key", 0600, key, why);

    free(key);
    return ok;
}

// Called on the main thread: the server dies with it, however it ends.
static bool start_named(struct dns *dns, struct why *why)
{
    char *config = path_of(dns, "named.conf"), *log = path_of(dns, "named.log"),
         *record = path_of(dns, "pid");
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    dns->pid = fork();
    if (dns->pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, 1), dup2(fd, 2);
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        execlp("named", "named", "-g", "-n", "2", "-c", config, (char *)NULL);
        _exit(127);
    }
    close(fd);
    char *text = text_format("%d %lu\n", dns->pid, process_start_time(dns->pid));
    bool ok = dns->pid > 0 && file_write(record, 0644, text, why);
    free(config), free(log), free(record), free(text);
    return ok;
}

static bool serves(const struct dns *dns, const char *zone, bool wanted)
{
    char *server = text_format("@%s", dns->address), *answer = NULL;
    const char *const argv[] = {"dig",      server,   "-p",        dns->port, "+norecurse", "+time=1",
                                "+tries=1", "+noall", "+comments", zone,      "SOA",        NULL};
    struct why why;
    bool answered = run_command(argv, NULL, &answer, &why);
    bool has = answered && strstr(answer, "status: NOERROR") && strstr(answer, "flags: qr aa");

    free(server), free(answer);
    return answered && has == wanted;
}

static bool wait_served(const struct dns *dns, const char *zone, bool wanted, struct why *why)
{
    int64_t until = now_ms() + 15000;

    while (!serves(dns, zone, wanted)) {
        if (now_ms() > until || waitpid(dns->pid, NULL, WNOHANG) != 0)
            return fail(why, "the DNS server does not answer as it should for '%s'; see '%s/named.log'", zone,
                        dns->dir);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return true;
}

// named listens only on addresses that an interface has, and of 127/8 that is 127.0.0.1 alone. Fails if it is
// there already.
static bool loopback_address(const struct dns *dns, const char *verb)
{
    char *address = text_format("%s/32", dns->address);
    const char *const argv[] = {"ip", "address", verb, address, "dev", "lo", NULL};
    struct why why;
    bool ok = text_starts(dns->address, "127.") && !text_equal(dns->address, "127.0.0.1") &&
              run_command(argv, NULL, NULL, &why);

    free(address);
    return ok;
}

static bool parse_address(struct dns *dns, const char *address)
{
    struct in_addr in;

    if (sscanf(address, "%15[0-9.]:%7[0-9]", dns->address, dns->port) < 2)
        strcpy(dns->port, "53"); // NOLINT: fits
    snprintf(dns->both, sizeof dns->both, "%s:%s", dns->address, dns->port);
    return inet_pton(AF_INET, dns->address, &in) == 1;
}

struct dns *dns_start(const char *state_dir, const char *address, struct why *why)
{
    struct dns *dns = zalloc(sizeof *dns);

    dns->dir = text_format("%s/dns", state_dir);
    char *record = path_of(dns, "pid");
    process_kill_recorded(record, "named");
    free(record);
    array_add(&dns->zones, text_copy("localcloud.test"));
    bool ok = parse_address(dns, address) || fail(why, "'%s' is not an address for the DNS server", address);
    dns->added_address = ok && loopback_address(dns, "add");
    char *glue = text_format("ns1 A %s\nns2 A %s\n", dns->address, dns->address);
    ok = ok && dir_remove(dns->dir, why) && dir_make(dns->dir, why) && make_key(dns, why) &&
         write_config(dns, why) && write_zone(dns, "localcloud.test", 3600, glue, why) &&
         start_named(dns, why) && wait_served(dns, "localcloud.test", true, why);
    free(glue);
    if (ok)
        return dns;
    dns_stop(dns);
    return NULL;
}

void dns_stop(struct dns *dns)
{
    if (dns->pid > 0 && kill(dns->pid, SIGTERM) == 0)
        while (waitpid(dns->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    if (dns->added_address)
        loopback_address(dns, "delete");
    for (size_t i = 0; i < dns->zones.count; i++)
        free(dns->zones.items[i]);
    array_free(&dns->zones);
    free(dns->dir);
    free(dns);
}

bool dns_zone_add(struct dns *dns, const char *zone, int ttl, struct why *why)
{
    if (!write_zone(dns, zone, ttl, "", why))
        return false;
    array_add(&dns->zones, text_copy(zone));
    if (!write_config(dns, why))
        return false;
    kill(dns->pid, SIGHUP); // reads the configuration again
    return wait_served(dns, zone, true, why);
}

bool dns_zone_remove(struct dns *dns, const char *zone, struct why *why)
{
    for (size_t i = 0; i < dns->zones.count; i++) {
        char *name = dns->zones.items[i];
        if (!text_equal(name, zone))
            continue;
        array_remove(&dns->zones, name);
        free(name);
        break;
    }
    if (!write_config(dns, why))
        return false;
    kill(dns->pid, SIGHUP);
    bool ok = wait_served(dns, zone, false, why);
    char *file = text_format("%s/zone.%s", dns->dir, zone), *journal = text_format("%s.jnl", file);
    unlink(file), unlink(journal);
    free(file), free(journal);
    return ok;
}

bool dns_update(struct dns *dns, const char *zone, const char *commands, struct why *why)
{
    char *key = path_of(dns, "key");
    char *input = text_format("server %s %s\nzone %s\n%ssend\n", dns->address, dns->port, zone, commands);
    const char *const argv[] = {"nsupdate", "-k", key, "-t", "10", NULL};
    bool ok = run_command(argv, input, NULL, why);

    free(key), free(input);
    return ok;
}
