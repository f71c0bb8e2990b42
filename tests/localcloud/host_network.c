#include "host_network.h"

#include <arpa/inet.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The interface of the default route; empty if this machine has none (then there is no way out, which is
// fine).
static void find_uplink(char out[16])
{
    char *table = file_read("/proc/net/route", 16384), *save = NULL;

    *out = '\0';
    for (char *line = table ? strtok_r(table, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        char name[16], destination[16];
        if (sscanf(line, "%15s %15s", name, destination) == 2 && text_equal(destination, "00000000")) {
            strcpy(out, name); // NOLINT: same size
            break;
        }
    }
    free(table);
}

static char *alias_of(const char *interface)
{
    char *path = text_format("/sys/class/net/%s/ifalias", interface);
    char *alias = file_read(path, 255);

    free(path);
    return alias;
}

static void forwarding(const char *interface, bool on)
{
    char *path = text_format("/proc/sys/net/ipv4/conf/%s/forwarding", interface);
    struct why why;

    if (!file_write(path, 0644, on ? "1\n" : "0\n", &why))
        log_line("%s", why.text);
    free(path);
}

static bool another_cloud_runs(const char *bridge)
{
    glob_t found;
    bool other = false;

    if (glob("/sys/class/net/*/ifalias", 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char name[16] = "";
        char *alias = file_read(found.gl_pathv[i], 255);
        sscanf(found.gl_pathv[i], "/sys/class/net/%15[^/]", name);
        other |= alias && text_starts(alias, "localcloud ") && !text_equal(name, bridge);
        free(alias);
    }
    globfree(&found);
    return other;
}

static void table_name(const struct network *network, char out[32])
{
    snprintf(out, 32, "localcloud_%s", network->bridge);
    for (char *p = out; *p; p++)
        if (*p == '-' || *p == '.')
            *p = '_';
}

// The way out, where there is one. The uplink's MTU may be smaller than the bridge's: clamping spares every
// machine the discovery.
static char *uplink_rules(const struct network *network, const char *uplink, const char *base)
{
    if (!*uplink)
        return text_copy("");
    return text_format(" chain leave { type nat hook postrouting priority 100;\n"
                       "  ip saddr %s/%u oifname != \"%s\" masquerade\n }\n"
                       " chain clamp { type filter hook forward priority 0;\n"
                       "  iifname \"%s\" tcp flags syn tcp option maxseg size set rt mtu\n }\n",
                       base, network->prefix, network->bridge, network->bridge);
}

static bool nat_start(const struct network *network, struct why *why)
{
    char uplink[16], table[32], base[16];
    struct in_addr in = {.s_addr = htonl(network->base)};

    find_uplink(uplink);
    table_name(network, table);
    inet_ntop(AF_INET, &in, base, sizeof base);
    char *leave = uplink_rules(network, uplink, base);
    // Translated addresses, for packets from outside, from machine to machine and from this machine. The last
    // two see us as the client: machines would answer each other past us, with an address that nobody asked.
    char *rules =
        text_format("table ip %s {\n"
                    " map moved { type ipv4_addr : ipv4_addr; }\n"
                    " chain enter { type nat hook prerouting priority -100; dnat to ip daddr map @moved; }\n"
                    " chain local { type nat hook output priority -100; dnat to ip daddr map @moved; }\n"
                    " chain inside { type nat hook postrouting priority 90;\n"
                    "  oifname \"%s\" ct status dnat iifname \"%s\" masquerade\n"
                    "  oifname \"%s\" ct status dnat fib saddr type local masquerade\n }\n%s}\n",
                    table, network->bridge, network->bridge, network->bridge, leave);
    const char *const argv[] = {"nft", "-f", "-", NULL};
    bool ok = run_command(argv, rules, NULL, why);
    free(rules), free(leave);
    if (ok) {
        forwarding(network->bridge, true);
        if (*uplink)
            forwarding(uplink, true);
    }
    return ok;
}

static void nat_stop(const struct network *network)
{
    char table[32], uplink[16];
    struct why why;

    table_name(network, table);
    const char *const argv[] = {"nft", "delete", "table", "ip", table, NULL};
    run_command(argv, NULL, NULL, &why); // fails when there is none
    find_uplink(uplink);
    char *global = file_read("/proc/sys/net/ipv4/ip_forward", 3);
    if (*uplink && global && *global == '0' && !another_cloud_runs(network->bridge))
        forwarding(uplink, false); // as the machine-wide setting says it was
    free(global);
}

// True when the bridge does not exist, or only as a leftover; false while its owner lives, or if it is not
// ours at all.
static bool bridge_is_free(const struct network *network, struct why *why)
{
    char *path = text_format("/sys/class/net/%s", network->bridge);
    bool exists = access(path, F_OK) == 0;
    char *alias = exists ? alias_of(network->bridge) : NULL;
    int pid = 0;
    uint64_t start = 0;
    bool ours = alias && sscanf(alias, "localcloud %d %lu", &pid, &start) == 2, ok = true;

    free(path), free(alias);
    if (exists && !ours)
        ok = fail(why, "the bridge '%s' exists and is not the local cloud's; choose another with --bridge",
                  network->bridge);
    else if (ours && process_start_time(pid) == start)
        ok = fail(why, "another local cloud (pid %d) runs on the bridge '%s'", pid, network->bridge);
    return ok;
}

bool host_network_start(const struct network *network, struct why *why)
{
    const char *bridge = network->bridge;

    if (!bridge_is_free(network, why))
        return false;
    host_network_stop(network);
    char *alias = text_format("localcloud %d %lu", getpid(), process_start_time(getpid()));
    char *gateway = text_format("%s/%u", network->gateway, network->prefix);
    char *dns = text_format("%s/%u", network->dns, network->prefix);
    char *gateway6 = text_format("%s/%u", network->gateway6, network->prefix + 32);
    const char *const commands[][10] = {
        {"ip", "link", "add", bridge, "type", "bridge"},
        {"ip", "link", "set", bridge, "alias", alias},
        {"ip", "address", "add", gateway, "dev", bridge},
        {"ip", "address", "add", dns, "dev", bridge},
        {"ip", "link", "set", bridge, "up"},
    };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof commands / sizeof *commands; i++)
        ok = run_command(commands[i], NULL, NULL, why);
    const char *const ipv6[] = {"ip", "-6", "address", "add", gateway6, "dev", bridge, "nodad", NULL};
    struct why no_ipv6;
    if (ok && !run_command(ipv6, NULL, NULL, &no_ipv6))
        log_line("no IPv6 on the bridge: %s", no_ipv6.text);
    ok = ok && nat_start(network, why);
    free(alias), free(gateway), free(dns), free(gateway6);
    if (!ok)
        host_network_stop(network);
    return ok;
}

void host_network_stop(const struct network *network)
{
    const char *const argv[] = {"ip", "link", "delete", network->bridge, NULL};
    struct why why;

    nat_stop(network);
    run_command(argv, NULL, NULL, &why);
}

void host_network_card(uint32_t machine, char out[18])
{
    snprintf(out, 18, "02:4c:%02x:%02x:%02x:%02x", machine >> 24, machine >> 16 & 255, machine >> 8 & 255,
             machine & 255);
}

bool host_network_lead(const struct network *network, const char *address, uint32_t machine, bool gone,
                       struct why *why)
{
    char card[18];
    struct why none;

    host_network_card(machine, card); // of 0: no machine's
    const char *const set[] = {"ip",  "neighbour",     "replace", address,     "lladdr", card,
                               "dev", network->bridge, "nud",     "permanent", NULL};
    const char *const drop[] = {"ip", "neighbour", "delete", address, "dev", network->bridge, NULL};
    return gone ? (run_command(drop, NULL, NULL, &none), true) : run_command(set, NULL, NULL, why);
}

bool host_network_lead_ipv6(const struct network *network, const char *prefix, const char *via,
                            struct why *why)
{
    const char *const set[] = {"ip",  "-6", "route", "replace",       prefix,
                               "via", via,  "dev",   network->bridge, NULL};
    const char *const drop[] = {"ip", "-6", "route", "delete", prefix, "dev", network->bridge, NULL};
    struct why none;

    return *via ? run_command(set, NULL, NULL, why) : (run_command(drop, NULL, NULL, &none), true);
}

// Machines of the bridge look for the address on it: while it belongs to one of them, this machine has it,
// too, and translates what comes in before it would take it for itself.
static void hold_address(const struct network *network, const char *address, bool yes)
{
    char *prefix = text_format("%s/32", address);
    const char *const argv[] = {"ip", "address", yes ? "replace" : "delete", prefix, "dev", network->bridge,
                                NULL};
    struct why why;

    if (!run_command(argv, NULL, NULL, &why) && yes)
        log_line("%s", why.text);
    free(prefix);
}

bool host_network_translate(const struct network *network, const char *address, const char *own,
                            struct why *why)
{
    char table[32];
    struct why none;

    table_name(network, table);
    char *old = text_format("{ %s }", address), *new = text_format("{ %s : %s }", address, own);
    const char *const drop[] = {"nft", "delete", "element", "ip", table, "moved", old, NULL};
    const char *const set[] = {"nft", "add", "element", "ip", table, "moved", new, NULL};
    if (!*own)
        hold_address(network, address, false);
    run_command(drop, NULL, NULL, &none); // fails when it belonged to nobody
    bool ok = !*own || run_command(set, NULL, NULL, why);
    if (*own && ok)
        hold_address(network, address, true);
    free(old), free(new);
    return ok;
}
