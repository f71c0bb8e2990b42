/* Any bytes as the report of a host: the parser answers with parts in order, or ERR_REJECTED. */
#include "providers/data/host_script.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct host_report report;
    char *text = fuzz_text(data, size);
    CLEANUP_ERR struct err *e = host_report_parse(arena, text, &report);
    free(text);
    FUZZ_REQUIRE(!e || err_kind(e) == ERR_REJECTED);
    for (size_t i = 1; !e && i < report.part_count; i++)
        FUZZ_REQUIRE(report.parts[i - 1].number < report.parts[i].number);
    return 0;
}
