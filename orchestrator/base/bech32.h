/* Bech32 as age uses it (BIP 173 without the limit of 90 characters, https://github.com/C2SP/C2SP/blob/main/age.md).
 * Pure functions; any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BECH32_MAX_TEXT 200

/* Writes `prefix`1<data><checksum>, lower case and NUL-terminated, into `text` of BECH32_MAX_TEXT. False when it does not fit. */
bool bech32_encode(const char *prefix, const uint8_t *data, size_t length, char *text);
/* True when `text` is valid bech32 (all lower or all upper case) with this prefix (given in lower case) and holds exactly `length`
 * bytes. */
bool bech32_decode(const char *text, const char *prefix, uint8_t *data, size_t length);
