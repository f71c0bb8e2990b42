/* Where secrets come from: a file, an environment variable, or a command's standard output.
 *
 * The inventory says which source; nothing here is ever a command line argument of rehost. The value becomes
 * a `struct secret` (base/secret.h), which is registered with the scrubber; buffers on the way are cleansed.
 * One trailing newline is dropped.
 *
 * Errors: ERR_INPUT (others may read the file, larger than SECRET_MAX_BYTES, empty, variable not set),
 * ERR_NOT_FOUND (no such file or command), ERR_IO (it failed), ERR_TIMEOUT (the command ran longer than
 * SECRET_COMMAND_TIMEOUT_MS), ERR_CANCELLED. No message ever holds the value.
 *
 * Memory: the caller owns the secret. Threads: safe from any thread, as long as nobody changes the
 * environment.
 */
#pragma once
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"

#define SECRET_COMMAND_TIMEOUT_MS 30000

enum secret_source_kind { SECRET_SOURCE_FILE, SECRET_SOURCE_ENV, SECRET_SOURCE_COMMAND };

struct secret_source {
    enum secret_source_kind kind;
    const char *file; /* a path as seen from base_dir; "~/" is the home directory */
    const char *env;  /* a variable's name: allowed for tests and CI, logged as a warning */
    const char *const
        *command; /* argv, NULL-terminated, no shell; a relative path with a '/' is seen from base_dir */
};

struct err *secret_source_read(const struct ctx *ctx, const struct secret_source *source,
                               const char *base_dir, struct secret **secret) REHOST_MUST_CHECK;
