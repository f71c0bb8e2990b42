/* Any text as a time and as a length of time: what is accepted is written and read back as the same instant.
 */
#include "base/clock.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), written[CLOCK_TEXT_SIZE];
    int64_t ms = 0, again = 0;
    CLEANUP_ERR struct err *no_time = clock_parse_utc(text, &ms);
    if (!no_time) {
        CLEANUP_ERR struct err *iso = clock_parse_utc(clock_format_utc(ms, written), &again);
        FUZZ_REQUIRE(!iso && again <= ms && ms - again < 1000);
        CLEANUP_ERR struct err *stamp = clock_parse_utc(clock_format_stamp(ms, written), &again);
        FUZZ_REQUIRE(!stamp && again <= ms && ms - again < 1000);
    }
    CLEANUP_ERR struct err *no_duration = clock_parse_duration(text, &ms);
    FUZZ_REQUIRE(no_duration || ms >= 0);
    if (size >= sizeof(ms)) {
        memcpy(&ms, data, sizeof(ms));
        FUZZ_REQUIRE(strlen(clock_format_duration(ms, written)) < CLOCK_TEXT_SIZE);
        FUZZ_REQUIRE(strlen(clock_format_utc(ms, written)) < CLOCK_TEXT_SIZE);
    }
    free(text);
    return 0;
}
