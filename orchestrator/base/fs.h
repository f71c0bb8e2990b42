/* Local files. Errors: ERR_NOT_FOUND, ERR_INPUT (too large), ERR_IO; the message names the path. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <sys/types.h>

/* Whole file into the arena, NUL-terminated; refuses more than max_bytes. */
struct err *fs_read_file(struct arena *arena, const char *path, size_t max_bytes, char **data,
                         size_t *length) REHOST_MUST_CHECK;
/* Writes beside, fsyncs, renames over; readers see the old or the new file. */
struct err *fs_write_file(const char *path, const void *data, size_t length, mode_t mode) REHOST_MUST_CHECK;
struct err *fs_make_dirs(const char *path, mode_t mode) REHOST_MUST_CHECK; /* like mkdir -p */
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
/* `path` as seen from `base_dir`: absolute paths stay, "~/" is the home directory. */
char *fs_resolve(struct arena *arena, const char *base_dir, const char *path);
char *fs_dirname(struct arena *arena, const char *path);
const char *fs_basename(const char *path);
/* ~/.local/state/rehost or $XDG_STATE_HOME/rehost */
char *fs_state_dir(struct arena *arena);
