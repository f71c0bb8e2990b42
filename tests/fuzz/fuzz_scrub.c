/* The first line is a secret, the rest a text: the secret is in no output, and a text without secrets stays
 * as it was. */
#include "base/scrub.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 0);
    const uint8_t *line_end = size ? memchr(data, '\n', size) : NULL;
    if (!line_end)
        return 0;
    size_t length = (size_t)(line_end - data), rest = size - length - 1;
    scrub_register(data, length);
    scrub_text((const char *)line_end + 1, rest, &out);
    /* The replacement may itself contain, or complete, a secret made of its characters. */
    bool may_be_spelled =
        memmem("[secret]", 8, data, length) || memchr(data, '[', length) || memchr(data, ']', length);
    if (length >= SCRUB_MIN_BYTES && !may_be_spelled)
        FUZZ_REQUIRE(!memmem(out.data, out.length, data, length));
    scrub_forget(data, length);
    strbuf_reset(&out);
    scrub_text((const char *)line_end + 1, rest, &out);
    FUZZ_REQUIRE(out.length == rest && !memcmp(out.data, line_end + 1, rest));
    return 0;
}
