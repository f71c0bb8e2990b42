/* Results as the host sends them (playbooks/modules/lib.sh writes them):
 *
 *   NONCE ID STATUS BYTES \n PAYLOAD \n        STATUS: ok failed skipped stopped
 *   PAYLOAD: TYPE KEY BYTES \n VALUE \n ...    TYPE: s text, i whole number, b 0 or 1, l and m an
 *                                              empty list or map, j JSON (left out when it is none);
 *                                              dots in KEY make maps, numbers make lists
 *
 * Whoever does not know the nonce cannot speak. Parsing is strict and bounded: a host may be hostile.
 * Threads: no state.
 */
#pragma once
#include "base/err.h"
#include "base/strbuf.h"
#include <jansson.h>

#define FRAME_MAX_BYTES (24u << 20)
#define FRAME_MAX_KEYS 20000

enum frame_status { FRAME_OK, FRAME_FAILED, FRAME_SKIPPED, FRAME_STOPPED };

struct frame {
    enum frame_status status;
    json_t *values; /* an object; owned by the caller */
};

/* Takes the frame of task `id` off the front of `in`, with everything before it. *found is false when it is
 * not there yet. `nonces` are the accepted ones (NULL entries are skipped). ERR_REMOTE for a frame that
 * breaks the rules. */
struct err *frame_take(struct strbuf *in, const char *const nonces[2], int id, struct frame *frame,
                       bool *found) REHOST_MUST_CHECK;
/* A payload alone, for tests. */
struct err *frame_parse_payload(const char *data, size_t length, json_t **values) REHOST_MUST_CHECK;
