/* What every compute adapter checks and compares in the contract's own terms, before or after it talks to its
 * provider.
 *
 * Memory: results live in the arena. Threads: pure functions.
 */
#pragma once
#include "providers/compute/provider.h"
#include <jansson.h>

/* A name, label key or label value as all providers accept it: [a-z0-9-], 1 to 63 characters. `what` names
 * it. ERR_INPUT. */
struct err *spec_check_name(const char *what, const char *value) REHOST_MUST_CHECK;
/* All of a server's names, its labels and the size of its user data. ERR_INPUT. */
struct err *spec_check(const struct server_spec *spec, size_t user_data_max_bytes) REHOST_MUST_CHECK;
/* Type and key of an OpenSSH public key, without the comment: "ssh-ed25519 AAAA... alice@laptop" and bob's
 * copy are one key. */
const char *spec_key_material(struct arena *arena, const char *public_key);
/* "rehost-run:r1": how labels are written where a provider has flat tags. */
const char *spec_tag(struct arena *arena, const struct label *label);
/* An array of all the labels of a server in that form; a new reference. */
json_t *spec_tags(struct arena *arena, const struct server_spec *spec);
/* The labels among flat tags, into server->labels; a tag without ':' is somebody else's and left out. */
void spec_read_tags(struct arena *arena, const json_t *tags, struct server *server);
/* Key and value, exactly: filters of providers have ignored case, and what is found may be deleted. */
bool spec_has_label(const struct server *server, const struct label *label);
/* "ubuntu-24.04", "debian-12" -> distribution and version; false when `image` is a provider's own name. */
bool spec_image(struct arena *arena, const char *image, const char **distribution, const char **version);
/* "DE" -> "de"; NULL stays NULL. */
const char *spec_country(struct arena *arena, const char *country);
/* NULL, or the id after "snapshot:". */
const char *spec_image_snapshot(const char *image);
bool spec_contains(const char *const *names, size_t count, const char *name);
