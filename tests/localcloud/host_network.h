// The bridge that the machines hang on, and their way out (NAT for the bridge's range only). One local cloud
// owns a bridge; who, is written in the bridge's alias, so that a later start can tell a living owner from
// the leftovers of a killed one.
#pragma once

#include <stdbool.h>

#include "model.h"

bool host_network_start(const struct network *network, struct why *why);
void host_network_stop(const struct network *network);

// The address of a machine's network card: it tells machines apart whatever addresses they take and give.
void host_network_card(uint32_t machine, char out[18]);
// Packets from here and from outside for an address go to one machine, whoever else says that it has it. 0:
// to nobody; gone: that is over.
bool host_network_lead(const struct network *network, const char *address, uint32_t machine, bool gone,
                       struct why *why);
// For a network of IPv6, by the machine's own address. Empty: to nobody.
bool host_network_lead_ipv6(const struct network *network, const char *prefix, const char *via,
                            struct why *why);
// They go to the machine's own address in place of it, which the machine needs not know. Empty: to nobody.
bool host_network_translate(const struct network *network, const char *address, const char *own,
                            struct why *why);
