// The bridge that the machines hang on, and their way out (NAT for the bridge's range only). One local cloud
// owns a bridge; who, is written in the bridge's alias, so that a later start can tell a living owner from
// the leftovers of a killed one.
#pragma once

#include <stdbool.h>

#include "model.h"

bool host_network_start(const struct network *network, struct why *why);
void host_network_stop(const struct network *network);
