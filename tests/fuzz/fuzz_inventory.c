/* Any bytes as an inventory: it loads or is refused as ERR_INPUT, and what loads holds together. */
#include "core/model.h"
#include "fuzz.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_whole(const struct inventory *inventory)
{
    FUZZ_REQUIRE(inventory->version == 1);
    for (FOREACH(struct host, host, inventory->hosts)) {
        FUZZ_REQUIRE(host->places.count > 0);
        FUZZ_REQUIRE(inventory_account(inventory, host->current.account));
        for (FOREACH(struct place, place, host->places))
            FUZZ_REQUIRE(inventory_account(inventory, place->account));
        for (size_t i = 0; i < host->secrets.count; i++)
            FUZZ_REQUIRE(inventory_secret(inventory, host->secrets.items[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("inventory", 0);
        FUZZ_REQUIRE(fd >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_REQUIRE(ftruncate(fd, 0) == 0);
    FUZZ_REQUIRE(pwrite(fd, data, size, 0) == (ssize_t)size);
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *e = inventory_load(arena, path, &inventory);
    if (!e)
        check_whole(inventory);
    else
        FUZZ_REQUIRE(err_kind(e) == ERR_INPUT);
    return 0;
}
