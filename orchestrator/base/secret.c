#include "base/secret.h"

#include "base/guarded.h"
#include "base/io.h"
#include "base/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret {
    size_t length;
    unsigned char bytes[]; /* length bytes and a NUL */
};

static size_t mapped_size(size_t length)
{
    return sizeof(struct secret) + length + 1;
}

struct err *secret_new(const void *bytes, size_t length, struct secret **secret)
{
    if (length > SECRET_MAX_BYTES)
        return err_new(ERR_INPUT, "a secret of %zu bytes is larger than %u", length, SECRET_MAX_BYTES);
    struct secret *made = guarded_alloc(mapped_size(length));
    if (!made)
        return err_errno(ERR_INTERNAL, errno, "cannot map memory for a secret");
    made->length = length;
    if (length)
        memcpy(made->bytes, bytes, length);
    scrub_register(bytes, length);
    *secret = made;
    return NULL;
}

static struct err *check_private(int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(ERR_IO, errno, "cannot examine '%s'", path);
    if (S_ISDIR(st.st_mode))
        return err_new(ERR_INPUT, "'%s' is a directory, not a secret", path);
    if (st.st_mode & 077)
        return err_with_hint(err_new(ERR_INPUT, "the secret in '%s' may be read by others (mode %03o)", path,
                                     (unsigned)st.st_mode & 0777),
                             "chmod 600 '%s'", path);
    return NULL;
}

struct err *secret_read_file(const char *path, struct secret **secret)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return err_with_hint(err_errno(ERR_NOT_FOUND, errno, "cannot read the secret in '%s'", path),
                             "write it there and chmod 600, or name its place in the inventory");
    if (fd < 0)
        return err_errno(ERR_IO, errno, "cannot read the secret in '%s'", path);
    TRY(check_private(fd, path));

    struct strbuf text CLEANUP_STRBUF_WIPE;
    strbuf_init(&text, SECRET_MAX_BYTES);
    struct ctx ctx = ctx_background();
    TRY(err_wrap(io_read_all(&ctx, fd, &text), "cannot read the secret in '%s'", path));
    if (text.length && text.data[text.length - 1] == '\n')
        text.length--;
    if (!text.length)
        return err_new(ERR_INPUT, "the secret in '%s' is empty", path);
    return secret_new(text.data, text.length, secret);
}

const unsigned char *secret_bytes(const struct secret *secret, size_t *length)
{
    if (length)
        *length = secret->length;
    return secret->bytes;
}

const char *secret_text(const struct secret *secret)
{
    return (const char *)secret->bytes;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    scrub_forget(secret->bytes, secret->length);
    guarded_free(secret, mapped_size(secret->length));
}

static void release_secret(void *secret)
{
    secret_free(secret);
}

struct secret *secret_keep(struct arena *arena, struct secret *secret)
{
    arena_defer(arena, release_secret, secret);
    return secret;
}
