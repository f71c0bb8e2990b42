/* What every compute adapter checks and compares in the contract's own terms, before or after it talks to its
 * provider.
 *
 * Memory: results live in the arena. Threads: pure functions.
 */
#pragma once
#include "providers/compute/provider.h"

/* A name, label key or label value as all providers accept it: [a-z0-9-], 1 to 63 characters. `what` names
 * it. ERR_INPUT. */
struct err *spec_check_name(const char *what, const char *value) REHOST_MUST_CHECK;
/* All of a server's names, its labels and the size of its user data. ERR_INPUT. */
struct err *spec_check(const struct server_spec *spec, size_t user_data_max_bytes) REHOST_MUST_CHECK;
/* Type and key of an OpenSSH public key, without the comment: "ssh-ed25519 AAAA... alice@laptop" and bob's
 * copy are one key. */
const char *spec_key_material(struct arena *arena, const char *public_key);
/* Sets catalog->regions to the distinct regions of all offers. */
void spec_collect_regions(struct arena *arena, struct catalog *catalog);
bool spec_contains(const char *const *names, size_t count, const char *name);
