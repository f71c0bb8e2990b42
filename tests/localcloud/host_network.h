// The bridge that the machines hang on, and their way out (NAT for the bridge's range only). One local cloud
// owns a bridge; who, is written in the bridge's alias, so that a later start can tell a living owner from
// the leftovers of a killed one.
#pragma once

#include <stdbool.h>

#include "model.h"

bool host_network_start(const struct network *network, struct why *why);
void host_network_stop(const struct network *network);
// Packets for an address go to the machine that has the address `via`, as they are, or with the machine's own
// address in place of it. NULL: to nobody any more.
bool host_network_route(const struct network *network, const char *address, const char *via, struct why *why);
bool host_network_translate(const struct network *network, const char *address, const char *via,
                            struct why *why);
