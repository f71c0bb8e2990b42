/* Any bytes as an inventory, INI or YAML, and as a pattern of hosts: read or refused as ERR_INPUT, and what
 * was read holds together. The first line is the pattern. */
#include "fuzz.h"
#include "playbook/hosts.h"
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_host(const struct hosts *hosts, size_t index)
{
    const struct hosts_host *host = &hosts->items[index];
    FUZZ_REQUIRE(host->name && *host->name);
    FUZZ_REQUIRE(json_is_object(host->vars) && json_is_array(host->group_names));
    size_t i;
    const json_t *group;
    json_array_foreach(host->group_names, i, group)
        FUZZ_REQUIRE(json_is_array(json_object_get(hosts->groups, json_string_value(group))));
}

static void check_match(const struct hosts *hosts, struct arena *arena, const char *pattern)
{
    size_t *indices, count;
    const char *unknown;
    json_t *json = json_string(pattern);
    if (!json)
        return;
    CLEANUP_ERR struct err *e = hosts_match(hosts, arena, json, &indices, &count, &unknown);
    json_decref(json);
    if (e) {
        FUZZ_REQUIRE(err_kind(e) == ERR_INPUT);
        return;
    }
    FUZZ_REQUIRE(count <= hosts->count + 1);
    for (size_t i = 0; i < count; i++)
        FUZZ_REQUIRE(indices[i] < hosts->count + hosts->has_implicit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("hosts", 0);
        FUZZ_REQUIRE(fd >= 0 && fchmod(fd, 0600) == 0); /* never a program */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    char *text = fuzz_text(data, size), *rest = memchr(text, '\n', size);
    size_t skipped = rest ? (size_t)(rest + 1 - text) : size;
    FUZZ_REQUIRE(ftruncate(fd, 0) == 0);
    FUZZ_REQUIRE(pwrite(fd, text + skipped, size - skipped, 0) == (ssize_t)(size - skipped));
    text[skipped && rest ? skipped - 1 : skipped] = '\0';
    const struct ctx ctx = ctx_background();
    const char *const sources[] = {path};
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct hosts *hosts;
    CLEANUP_ERR struct err *e = hosts_load(&ctx, arena, sources, 1, NULL, &hosts);
    if (e) {
        FUZZ_REQUIRE(err_kind(e) == ERR_INPUT);
    } else {
        for (size_t i = 0; i < hosts->count; i++) {
            struct hosts_login login = {0};
            check_host(hosts, i);
            err_free(i < 4 ? hosts_read_login(arena, &hosts->items[i], NULL, &login) : NULL);
        }
        check_match(hosts, arena, text);
    }
    free(text);
    return 0;
}
