#include "base/bech32.h"
#include <ctype.h>
#include <openssl/crypto.h>
#include <string.h>

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

#define CHECKSUM_SYMBOLS 6

static uint32_t polymod_step(uint32_t checksum, uint8_t symbol)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ symbol;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            checksum ^= generator[i];
    return checksum;
}

static uint32_t polymod_prefix(const char *prefix)
{
    uint32_t checksum = 1;
    for (const char *p = prefix; *p; p++)
        checksum = polymod_step(checksum, (uint8_t)*p >> 5);
    checksum = polymod_step(checksum, 0);
    for (const char *p = prefix; *p; p++)
        checksum = polymod_step(checksum, (uint8_t)*p & 31);
    return checksum;
}

bool bech32_encode(const char *prefix, const uint8_t *data, size_t length, char *text)
{
    size_t symbols = (length * 8 + 4) / 5, at = strlen(prefix);
    if (at + 1 + symbols + CHECKSUM_SYMBOLS >= BECH32_MAX_TEXT)
        return false;
    memcpy(text, prefix, at);
    text[at++] = '1';

    uint32_t checksum = polymod_prefix(prefix), bits = 0;
    int bit_count = 0;
    for (size_t i = 0, read = 0; i < symbols; i++) {
        if (bit_count < 5) {
            bits = bits << 8 | (read < length ? data[read] : 0);
            read++;
            bit_count += 8;
        }
        bit_count -= 5;
        uint8_t symbol = bits >> bit_count & 31;
        checksum = polymod_step(checksum, symbol);
        text[at++] = alphabet[symbol];
    }
    for (int i = 0; i < CHECKSUM_SYMBOLS; i++)
        checksum = polymod_step(checksum, 0);
    checksum ^= 1;
    for (int i = 0; i < CHECKSUM_SYMBOLS; i++)
        text[at++] = alphabet[checksum >> 5 * (CHECKSUM_SYMBOLS - 1 - i) & 31];
    text[at] = '\0';
    return true;
}

/* Lower-cases into `out` of BECH32_MAX_TEXT; false for mixed case, other characters or excess length. */
static bool fold_case(const char *text, char *out)
{
    size_t length = strlen(text);
    bool lower = false, upper = false;
    if (length >= BECH32_MAX_TEXT)
        return false;
    for (size_t i = 0; i <= length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (i < length && (c < 33 || c > 126))
            return false;
        lower |= c >= 'a' && c <= 'z';
        upper |= c >= 'A' && c <= 'Z';
        out[i] = (char)tolower(c);
    }
    return !(lower && upper);
}

static bool decode_symbols(const char *symbols, size_t count, uint32_t checksum, uint8_t *data, size_t length)
{
    uint32_t bits = 0;
    int bit_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < count + CHECKSUM_SYMBOLS; i++) {
        const char *found = strchr(alphabet, symbols[i]);
        if (!found)
            return false;
        uint8_t symbol = (uint8_t)(found - alphabet);
        checksum = polymod_step(checksum, symbol);
        if (i >= count)
            continue;
        bits = bits << 5 | symbol;
        bit_count += 5;
        if (bit_count >= 8) {
            bit_count -= 8;
            if (written >= length)
                return false;
            data[written++] = bits >> bit_count & 255;
        }
    }
    bool padding_is_zero = bit_count < 5 && (bits & ((1u << bit_count) - 1)) == 0;
    return checksum == 1 && written == length && padding_is_zero;
}

bool bech32_decode(const char *text, const char *prefix, uint8_t *data, size_t length)
{
    char folded[BECH32_MAX_TEXT];
    size_t prefix_length = strlen(prefix);
    if (!fold_case(text, folded))
        return false;
    const char *separator = strrchr(folded, '1');
    bool ok = separator && (size_t)(separator - folded) == prefix_length &&
              !memcmp(folded, prefix, prefix_length) && strlen(separator + 1) >= CHECKSUM_SYMBOLS;
    if (ok)
        ok = decode_symbols(separator + 1, strlen(separator + 1) - CHECKSUM_SYMBOLS, polymod_prefix(prefix),
                            data, length);
    OPENSSL_cleanse(folded, sizeof folded);
    return ok;
}
