/* Playbooks that nobody should write: an error with a place, never a crash. */
#include "base/fs.h"
#include "fuzz.h"
#include "playbook/playbook.h"
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/rehost-fuzz-%d/play.yml", (int)getpid());
    struct arena *arena = arena_new(0);
    struct err *e = fs_make_dirs(fs_dirname(arena, path), 0700);
    if (!e)
        e = fs_write_file(path, data, size, 0600);
    static const struct playbook_paths paths = {.modules_dir = "playbooks/modules"};
    const struct playbook *playbook;
    if (!e)
        e = playbook_load(arena, path, &paths, &playbook);
    err_free(e);
    unlink(path);
    arena_free(arena);
    return 0;
}
