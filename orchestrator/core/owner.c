#include "core/owner.h"
#include "base/fs.h"
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define UNKNOWN_PLACE "unknown"

const char *owner_place(struct arena *arena)
{
    char *text, space[64] = "";
    size_t length;
    CLEANUP_ERR struct err *e = fs_read_file(arena, "/proc/sys/kernel/random/boot_id", 4096, &text, &length);
    if (e || readlink("/proc/self/ns/pid", space, sizeof(space) - 1) < 0)
        return UNKNOWN_PLACE;
    return arena_printf(arena, "%.36s %s", text, space);
}

const char *owner_text(struct arena *arena)
{
    char machine[65] = "?";
    gethostname(machine, sizeof(machine) - 1);
    const struct passwd *user = getpwuid(getuid());
    return arena_printf(arena, "%s@%s pid %ld", user ? user->pw_name : "?", machine, (long)getpid());
}

static bool is_here(const char *place)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    return place && strcmp(place, UNKNOWN_PLACE) != 0 && !strcmp(place, owner_place(arena));
}

bool owner_is_gone(const char *place, int64_t pid)
{
    return is_here(place) && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

bool owner_is_me(const char *place, int64_t pid)
{
    return pid == getpid() && is_here(place);
}
