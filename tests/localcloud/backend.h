// What makes machines of servers. Two exist: machines.c boots real hosts, memory.c pretends.
//
// Threads: start and stop are called once; the others from several jobs at once, but never twice at once for
// the same server, and without the ground's lock. They may use the fields of a server that never change (id,
// name, addresses, keys, user data) and server->machine, which is theirs. They may block for seconds.
#pragma once

#include <stdbool.h>

#include "model.h"

// Where packets for a movable address go.
struct ip_route {
    char address[48];         // "198.18.10.9", "2001:db8:1:2::/64"
    bool nat;                 // to the server's own address; else the machine has to own this one
    bool gone;                // nobody will ever have it again
    uint32_t machine;         // server->address of whose it is; 0 = nobody's
    char own[16], own_v6[48]; // that server's own ones; may be empty
};

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
    // Keeps a copy of the disk, which servers with that snapshot_id begin with. The server may run.
    bool (*snapshot)(struct server *server, int64_t snapshot_id, struct why *why);
    void (*forget_snapshot)(struct ground *ground, int64_t snapshot_id);
    bool (*route_ip)(struct ground *ground, const struct ip_route *route,
                     struct why *why); // one call at a time
};

extern const struct backend_ops backend_machines;
extern const struct backend_ops backend_memory;
