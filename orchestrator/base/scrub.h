/* Takes registered secrets out of text that is about to be shown or stored: as they are, in base64 (any alignment), URL-encoded and
 * JSON-escaped. A net beneath the rule that secrets have no formatter. Threads: safe from any thread.
 */
#pragma once
#include "base/strbuf.h"
#include <stddef.h>

#define SCRUB_MIN_BYTES 6 /* shorter values would blank out ordinary words; they are not registered */

void scrub_register(const void *bytes, size_t length);
void scrub_forget(const void *bytes, size_t length);
/* Appends `text` to `out` with each registered secret replaced by "[secret]". */
void scrub_text(const char *text, size_t length, struct strbuf *out);
