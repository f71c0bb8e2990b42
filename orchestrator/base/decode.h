/* Reading values out of JSON that somebody else wrote, with errors that name the path.
 *
 * Paths are dotted, with indices: "server.public_net.ipv4.ip", "records.0.value". A missing, null or wrongly typed value is
 * ERR_REJECTED ("answer lacks 'server.id'") for the required forms; the optional forms give the fallback when missing or null, and an
 * error when the type is wrong. Strings stay owned by the json_t.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <jansson.h>

/* json_decrefp() is Jansson's own. */
#define CLEANUP_JSON __attribute__((cleanup(json_decrefp)))

/* Parses at most 8 MiB, nesting at most 64, duplicate keys refused. `what` names the text in errors. *out is owned by the caller. */
struct err *decode_json(const char *text, size_t length, const char *what, json_t **out) REHOST_MUST_CHECK;
json_t *decode_find(const json_t *json, const char *path); /* borrowed; NULL when missing */
struct err *decode_string(const json_t *json, const char *path, const char **out) REHOST_MUST_CHECK;
struct err *decode_int(const json_t *json, const char *path, int64_t *out) REHOST_MUST_CHECK;
struct err *decode_bool(const json_t *json, const char *path, bool *out) REHOST_MUST_CHECK;
struct err *decode_array(const json_t *json, const char *path, const json_t **out) REHOST_MUST_CHECK;
struct err *decode_object(const json_t *json, const char *path, const json_t **out) REHOST_MUST_CHECK;
struct err *decode_optional_string(const json_t *json, const char *path, const char *fallback,
                                   const char **out) REHOST_MUST_CHECK;
struct err *decode_optional_int(const json_t *json, const char *path, int64_t fallback, int64_t *out) REHOST_MUST_CHECK;
/* Compact text in the arena. */
char *decode_dump(struct arena *arena, const json_t *json);
