#include "cgroups.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

// Calls `visit` with the mount point of every control group hierarchy.
static void each_hierarchy(void (*visit)(const char *mount, void *arg), void *arg)
{
    char *mounts = file_read("/proc/self/mounts", 256 * 1024), *save = NULL;

    for (char *line = mounts ? strtok_r(mounts, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save)) {
        char mount[128], type[16];
        if (sscanf(line, "%*s %127s %15s", mount, type) == 2 &&
            (text_equal(type, "cgroup") || text_equal(type, "cgroup2")))
            visit(mount, arg);
    }
    free(mounts);
}

struct making {
    struct cgroups *groups;
    const char *name;
};

static void make_one(const char *mount, void *arg)
{
    struct making *making = arg;
    struct cgroups *groups = making->groups;
    char path[140];

    if (groups->count == CGROUPS_MAX ||
        snprintf(path, sizeof path, "%s/%s", mount, making->name) >= (int)sizeof path)
        return;
    if (mkdir(path, 0755) == 0 || access(path, W_OK) == 0)
        snprintf(groups->procs[groups->count++], sizeof *groups->procs, "%s/cgroup.procs", path);
}

void cgroups_make(struct cgroups *groups, const char *name)
{
    *groups = (struct cgroups){0};
    each_hierarchy(make_one, &(struct making){groups, name});
}

void cgroups_join(const struct cgroups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        int fd = open(groups->procs[i], O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (write(fd, "0\n", 2) < 0) { // a cpuset without CPUs refuses; nothing is lost
        }
        close(fd);
    }
}

static int kill_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    const char *name = strrchr(path, '/');

    (void)st, (void)where;
    if (type != FTW_F || !text_equal(name, "/cgroup.procs"))
        return 0;
    char *pids = file_read(path, 65536), *save = NULL;
    for (char *pid = pids ? strtok_r(pids, "\n", &save) : NULL; pid; pid = strtok_r(NULL, "\n", &save))
        if (atoi(pid) > 1)
            kill(atoi(pid), SIGKILL);
    free(pids);
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)where;
    if (type == FTW_DP)
        rmdir(path);
    return 0;
}

static void kill_one(const char *mount, void *arg)
{
    char *pattern = text_format("%s/%s", mount, (const char *)arg);
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            nftw(found.gl_pathv[i], kill_entry, 16, FTW_PHYS);
            for (int tries = 0; tries < 40 && access(found.gl_pathv[i], F_OK) == 0;
                 tries++) { // the dead take a moment
                nftw(found.gl_pathv[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
                if (access(found.gl_pathv[i], F_OK) == 0)
                    nanosleep(&(struct timespec){.tv_nsec = 25000000}, NULL);
            }
        }
        globfree(&found);
    }
    free(pattern);
}

void cgroups_kill(const char *name)
{
    char *copy = text_copy(name);

    each_hierarchy(kill_one, copy);
    free(copy);
}
