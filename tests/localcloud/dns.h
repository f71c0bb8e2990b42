// Publishes zones through a real authoritative server: BIND's named, which is started here and changed by RFC
// 2136 updates with a TSIG key. Functions block until the server answers the new data; they are called by one
// job at a time, without the cloud's lock.
#pragma once

#include <stdbool.h>

#include "util.h"

struct dns;

struct dns *dns_start(const char *state_dir, const char *address,
                      struct why *why); // "198.18.0.53" or "127.0.0.1:5353"
void dns_stop(struct dns *dns);
const char *dns_address(const struct dns *dns); // "ADDRESS:PORT"

extern const char *const dns_nameservers[]; // names that the server answers for itself, NULL at the end
extern const char dns_hostmaster[];

bool dns_zone_add(struct dns *dns, const char *zone, int ttl, struct why *why);
bool dns_zone_remove(struct dns *dns, const char *zone, struct why *why);
bool dns_update(struct dns *dns, const char *zone, const char *commands,
                struct why *why); // lines for nsupdate(1)
