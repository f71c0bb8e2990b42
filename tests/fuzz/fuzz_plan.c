/* Any bytes as a plan file: a plan or ERR_INPUT; a plan written back is the same plan; judging its age needs
 * no more than it has. */
#include "core/plan.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = {0}, again = {0};
    CLEANUP_ERR struct err *e = plan_parse(arena, (const char *)data, size, &plan);
    if (e) {
        FUZZ_REQUIRE(err_kind(e) != ERR_INTERNAL);
        return 0;
    }
    const char *text = plan_text(arena, &plan);
    CLEANUP_ERR struct err *bad = plan_parse(arena, text, strlen(text), &again);
    FUZZ_REQUIRE(!bad && !strcmp(plan.digest, again.digest));
    FUZZ_REQUIRE(plan_host(&plan));
    (void)plan_estimate_ms(&plan, "cutover");
    const struct inventory inventory = {.path = "inventory.yaml", .digest = "abc"};
    CLEANUP_ERR struct err *stale = plan_check_fresh(&plan, &inventory);
    FUZZ_REQUIRE(!stale || err_kind(stale) != ERR_INTERNAL);
    return 0;
}
