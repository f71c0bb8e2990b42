/* Any bytes as an age file: refused, without harm. Bytes that were encrypted come back. */
#include "base/age.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *forever;
    static struct secret *identity;
    static char *recipient;
    if (!forever) {
        forever = arena_new(0);
        FUZZ_REQUIRE(!age_make_identity(forever, &identity, &recipient));
    }
    struct strbuf plain CLEANUP_STRBUF, sealed CLEANUP_STRBUF, header CLEANUP_STRBUF;
    strbuf_init(&plain, 0);
    strbuf_init(&sealed, 0);
    strbuf_init(&header, 0);
    size_t header_length = 0;
    CLEANUP_ERR struct err *refused = age_decrypt(identity, data, size, &plain);
    FUZZ_REQUIRE(refused); /* nobody guesses a file for a key made a moment ago */
    CLEANUP_ERR struct err *also =
        age_rewrap_header(identity, data, size, recipient, &header, &header_length);
    FUZZ_REQUIRE(also);

    const char *recipients[] = {recipient};
    FUZZ_REQUIRE(!age_encrypt(recipients, 1, data, size, &sealed));
    strbuf_reset(&plain);
    FUZZ_REQUIRE(!age_decrypt(identity, sealed.data, sealed.length, &plain));
    FUZZ_REQUIRE(plain.length == size && !memcmp(plain.data, data, size));
    return 0;
}
