#include "base/fs.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct err *fs_read_file(struct arena *arena, const char *path, size_t max_bytes, char **data, size_t *length)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "cannot read '%s'", path);
    struct strbuf content CLEANUP_STRBUF;
    strbuf_init(&content, max_bytes);
    struct ctx ctx = ctx_background();
    TRY(err_wrap(io_read_all(&ctx, fd, &content), "cannot read '%s'", path));
    *data = strbuf_to_arena(&content, arena);
    if (length)
        *length = content.length;
    return NULL;
}

/* Makes a rename durable: without it, a crash may bring the old name back. */
static struct err *sync_dir(struct arena *arena, const char *path)
{
    const char *dir = fs_dirname(arena, path);
    CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        return err_errno(ERR_IO, errno, "cannot sync the directory '%s'", dir);
    return NULL;
}

static struct err *fill_file(int fd, const char *path, const void *data, size_t length, mode_t mode)
{
    struct ctx ctx = ctx_background();
    if (fchmod(fd, mode))
        return err_errno(ERR_IO, errno, "cannot set the mode of '%s'", path);
    TRY(err_wrap(io_write_all(&ctx, fd, data, length), "cannot write '%s'", path));
    if (fsync(fd))
        return err_errno(ERR_IO, errno, "cannot sync '%s'", path);
    return NULL;
}

struct err *fs_write_file(const char *path, const void *data, size_t length, mode_t mode)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *beside = arena_printf(arena, "%s/.%s.XXXXXX", fs_dirname(arena, path), fs_basename(path));
    CLEANUP_FD int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return err_errno(ERR_IO, errno, "cannot write '%s'", path);
    struct err *failure = fill_file(fd, path, data, length, mode);
    if (!failure && rename(beside, path))
        failure = err_errno(ERR_IO, errno, "cannot write '%s'", path);
    if (failure) {
        (void)unlink(beside);
        return failure;
    }
    return sync_dir(arena, path);
}

struct err *fs_make_dirs(const char *path, mode_t mode)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *partial = arena_strdup(arena, path);
    for (char *end = partial; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char kept = *end;
        *end = '\0';
        if (mkdir(partial, mode) && (errno != EEXIST || !fs_is_dir(partial)))
            return err_errno(ERR_IO, errno, "cannot make the directory '%s'", partial);
        *end = kept;
    }
    return NULL;
}

bool fs_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *home_dir(struct arena *arena)
{
    const char *home = getenv("HOME");
    if (home && *home)
        return home;
    struct passwd entry, *found = NULL;
    size_t size = 16384;
    char *text = arena_alloc(arena, size);
    if (getpwuid_r(geteuid(), &entry, text, size, &found) == 0 && found)
        return found->pw_dir;
    return "/";
}

char *fs_resolve(struct arena *arena, const char *base_dir, const char *path)
{
    if (path[0] == '~' && (!path[1] || path[1] == '/'))
        return arena_printf(arena, "%s%s", home_dir(arena), path + 1);
    if (path[0] == '/' || !base_dir || !*base_dir)
        return arena_strdup(arena, path);
    return arena_printf(arena, "%s/%s", base_dir, path);
}

char *fs_dirname(struct arena *arena, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length ? arena_strndup(arena, path, length) : arena_strdup(arena, ".");
}

const char *fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *fs_state_dir(struct arena *arena)
{
    const char *state = getenv("XDG_STATE_HOME");
    if (state && *state == '/') /* the specification says to ignore relative paths */
        return arena_printf(arena, "%s/rehost", state);
    return arena_printf(arena, "%s/.local/state/rehost", home_dir(arena));
}
