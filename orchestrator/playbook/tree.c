#include "playbook/tree.h"
#include "base/arena.h"
#include "base/io.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512
#define NAME_BYTES 100
#define MAX_DEPTH 40 /* also what stops a link that leads into itself */
#define COPY_BYTES 65536
#define MAX_FILE_BYTES (UINT64_C(1) << 33) /* what the size field of ustar holds */

struct pack {
    FILE *out;
    bool preserve;
    uint64_t size;
};

/* POSIX.1-2008, pax, "ustar Interchange Format". */
struct header {
    char name[NAME_BYTES], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[NAME_BYTES];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static struct err *write_all(struct pack *pack, const void *data, size_t length)
{
    pack->size += length;
    return fwrite(data, 1, length, pack->out) == length
               ? NULL
               : err_errno(ERR_IO, errno, "cannot keep an archive in the folder for temporary files");
}

static struct err *pad(struct pack *pack)
{
    static const char zeros[BLOCK];
    size_t over = (size_t)(pack->size % BLOCK);
    return over ? write_all(pack, zeros, BLOCK - over) : NULL;
}

static void set_octal(char *field, size_t bytes, uint64_t value)
{
    for (size_t i = bytes - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void copy_text(char *field, size_t bytes, const char *text)
{
    size_t length = strlen(text);
    memcpy(field, text, length < bytes ? length : bytes);
}

static struct err *write_header(struct pack *pack, const char *name, const char *link, char type, mode_t mode,
                                uint64_t size)
{
    struct header header = {.type = type, .magic = "ustar", .version = {'0', '0'}};
    copy_text(header.name, sizeof(header.name), name);
    copy_text(header.link, sizeof(header.link), link);
    set_octal(header.mode, sizeof(header.mode), mode);
    set_octal(header.uid, sizeof(header.uid), 0);
    set_octal(header.gid, sizeof(header.gid), 0);
    set_octal(header.size, sizeof(header.size), size);
    set_octal(header.mtime, sizeof(header.mtime), 0);
    memset(header.sum, ' ', sizeof(header.sum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    set_octal(header.sum, sizeof(header.sum) - 1, sum);
    header.sum[sizeof(header.sum) - 2] = '\0';
    return write_all(pack, &header, sizeof(header));
}

/* GNU tar, "Tar Internals": a name that is too long comes before as the content of an entry of its own. */
static struct err *write_long(struct pack *pack, const char *text, char type)
{
    if (strlen(text) <= NAME_BYTES)
        return NULL;
    TRY(write_header(pack, "././@LongLink", "", type, 0644, strlen(text) + 1));
    TRY(write_all(pack, text, strlen(text) + 1));
    return pad(pack);
}

static struct err *write_entry(struct pack *pack, const char *name, const char *link, char type, mode_t mode,
                               uint64_t size)
{
    TRY(write_long(pack, name, 'L'));
    TRY(write_long(pack, link, 'K'));
    return write_header(pack, name, link, type, mode, size);
}

static struct err *pack_file(struct pack *pack, const char *path, const char *name, const struct stat *info)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(ERR_IO, errno, "cannot read '%s'", path);
    uint64_t left = (uint64_t)info->st_size;
    if (left >= MAX_FILE_BYTES)
        return err_new(ERR_INPUT, "'%s' is too large for an archive: copy it in a task of its own", path);
    TRY(write_entry(pack, name, "", '0', pack->preserve ? info->st_mode & 07777 : 0644, left));
    char chunk[COPY_BYTES];
    while (left) {
        ssize_t got = read(fd, chunk, left < sizeof(chunk) ? (size_t)left : sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_new(ERR_IO, "'%s' became shorter while it was read", path);
        TRY(write_all(pack, chunk, (size_t)got));
        left -= (uint64_t)got;
    }
    return pad(pack);
}

static struct err *pack_link(struct pack *pack, const char *path, const char *name)
{
    char target[4096];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0)
        return err_errno(ERR_IO, errno, "cannot read the link '%s'", path);
    target[length] = '\0';
    return write_entry(pack, name, target, '2', 0777, 0);
}

static struct err *too_deep(const char *path)
{
    return err_new(ERR_INPUT, "'%s' is too deep: maybe a link leads into its own folder", path);
}

static struct err *pack_folder(struct pack *pack, const char *path, const char *name, int depth);

static struct err *pack_one(struct pack *pack, const char *path, const char *name, int depth)
{
    struct stat info;
    if (strpbrk(name, "\n\\"))
        return err_new(ERR_INPUT, "'%s': a name with a line end or a backslash cannot be copied", path);
    int failed = stat(path, &info) ? errno : 0;
    if (failed == ENOENT)
        return pack_link(pack, path, name);
    if (failed == ELOOP)
        return too_deep(path);
    if (failed)
        return err_errno(ERR_IO, failed, "cannot read '%s'", path);
    if (S_ISREG(info.st_mode))
        return pack_file(pack, path, name, &info);
    if (!S_ISDIR(info.st_mode))
        return err_new(ERR_INPUT, "'%s' is neither a file nor a folder", path);
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    TRY(write_entry(pack, arena_printf(scratch, "%s/", name), "", '5', 0755, 0)); /* so tar lists it as one */
    return pack_folder(pack, path, name, depth + 1);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static struct err *pack_folder(struct pack *pack, const char *path, const char *name, int depth)
{
    struct dirent **entries;
    if (depth > MAX_DEPTH)
        return too_deep(path);
    int count = scandir(path, &entries, is_entry, alphasort);
    if (count < 0)
        return err_errno(ERR_IO, errno, "cannot read the folder '%s'", path);
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct err *e = NULL;
    for (int i = 0; i < count; i++) {
        const char *entry = entries[i]->d_name;
        if (!e)
            e = pack_one(pack, arena_printf(scratch, "%s/%s", path, entry),
                         arena_printf(scratch, "%s%s%s", name, *name ? "/" : "", entry), depth);
        free(entries[i]);
    }
    free(entries);
    return e;
}

static struct err *pack_all(struct pack *pack, const char *path)
{
    static const char end[2 * BLOCK];
    TRY(pack_folder(pack, path, "", 0));
    TRY(write_all(pack, end, sizeof(end)));
    return fflush(pack->out) ? err_errno(ERR_IO, errno, "cannot keep an archive") : NULL;
}

struct err *tree_pack(const char *path, bool preserve, int *fd, uint64_t *size)
{
    struct pack pack = {.out = tmpfile(), .preserve = preserve};
    if (!pack.out)
        return err_errno(ERR_IO, errno, "cannot make a temporary file");
    struct err *e = pack_all(&pack, path);
    *fd = e ? -1 : fcntl(fileno(pack.out), F_DUPFD_CLOEXEC, 0);
    *size = pack.size;
    (void)fclose(pack.out); /* flushed and looked at before */
    if (e)
        return e;
    return *fd < 0 || lseek(*fd, 0, SEEK_SET) ? err_errno(ERR_IO, errno, "cannot read an archive") : NULL;
}
