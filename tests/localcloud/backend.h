// What makes machines of servers. Two exist: machines.c boots real hosts, memory.c pretends.
//
// Threads: start and stop are called once; the others from several jobs at once, but never twice at once for
// the same server, and without the ground's lock. They may use the fields of a server that never change (id,
// name, addresses, keys, user data) and server->machine, which is theirs. They may block for seconds.
#pragma once

#include <stdbool.h>

#include "model.h"

struct backend_ops {
    const char *name;
    bool (*start)(struct ground *ground, struct why *why);
    void (*stop)(struct ground *ground); // no machine, mount, bridge or rule of ours is left afterwards
    int (*boot_delay_ms)(const struct ground *ground);      // from created to powered on
    bool (*create)(struct server *server, struct why *why); // the disk
    bool (*power_on)(struct server *server, struct why *why);
    bool (*power_off)(struct server *server, struct why *why); // pulls the plug; the disk stays
    bool (*press_button)(struct server *server, bool reboot,
                         struct why *why); // asks the machine; server_stopped() may follow
    void (*destroy)(struct server *server);
    // Leads packets for an address ("198.18.10.9", "2001:db8:1:2::/64") to a server's own address `via`, or
    // with NULL nowhere. Not nat: the machine has to own it. One call at a time.
    bool (*route_ip)(struct ground *ground, const char *address, bool nat, const char *via, struct why *why);
};

extern const struct backend_ops backend_machines;
extern const struct backend_ops backend_memory;
