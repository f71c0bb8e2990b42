#include "providers/secrets/secrets.h"
#include "base/arena.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include <stdlib.h>
#include <string.h>

#define COMPLAINT_MAX_BYTES 300u /* of a failed command's stderr: enough for one sentence */
#define ARGS_MAX 64u

static struct err *read_file(const struct secret_source *source, const char *base_dir, struct secret **secret)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    return secret_read_file(fs_resolve(scratch, base_dir, source->file), secret);
}

static struct err *read_env(const struct secret_source *source, struct secret **secret)
{
    const char *value = getenv(source->env);
    if (!value)
        return err_with_hint(err_new(ERR_INPUT, "environment variable '%s' is not set", source->env),
                             "export it, or let the secret come from a file or a command");
    log_warn("a secret comes from the environment variable '%s', which other processes of this user can read",
             source->env);
    return secret_new(value, strlen(value), secret);
}

/* argv[0] of the form "./get-token" means the file beside the inventory, wherever rehost is started. */
static struct err *command_argv(struct arena *scratch, const struct secret_source *source,
                                const char *base_dir, const char ***argv)
{
    size_t count = 0;
    while (source->command[count])
        count++;
    if (count == 0 || count > ARGS_MAX)
        return err_new(ERR_INPUT, "a secret's command has %zu words (1 to %u are possible)", count, ARGS_MAX);
    const char **words = arena_array(scratch, count + 1, sizeof(*words));
    memcpy(words, source->command, count * sizeof(*words));
    if (strchr(words[0], '/'))
        words[0] = fs_resolve(scratch, base_dir, words[0]);
    *argv = words;
    return NULL;
}

static struct err *command_failed(const char *program, const struct proc_result *result,
                                  struct strbuf *complaint)
{
    complaint->data[strcspn(complaint->data, "\r\n")] = '\0';
    const char *why = complaint->data[0] ? complaint->data : "it wrote nothing to stderr";
    struct err *e = result->term_signal
                        ? err_new(ERR_IO, "command '%s' for a secret was killed by signal %d: %s", program,
                                  result->term_signal, why)
                        : err_new(ERR_IO, "command '%s' for a secret exited with %d: %s", program,
                                  result->exit_status, why);
    return err_with_hint(e, "run the command by hand; a password manager may be locked");
}

static struct err *read_command(const struct ctx *ctx, const struct secret_source *source,
                                const char *base_dir, struct secret **secret)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const char **argv = NULL;
    TRY(command_argv(scratch, source, base_dir, &argv));

    CLEANUP_STRBUF_WIPE struct strbuf out;
    CLEANUP_STRBUF_WIPE struct strbuf complaint;
    strbuf_init(&out, SECRET_MAX_BYTES + 1); /* and the newline */
    strbuf_init(&complaint, COMPLAINT_MAX_BYTES);
    struct ctx limited = ctx_with_timeout(ctx, SECRET_COMMAND_TIMEOUT_MS);
    struct proc_result result = {0};
    struct err *e = proc_run(&limited, argv, NULL, 0, &out, &complaint, &result);
    if (e)
        return err_wrap(e, "running '%s' for a secret", argv[0]);
    if (result.exit_status != 0)
        return command_failed(argv[0], &result, &complaint);
    TRY(strbuf_check(&out, "a secret from a command"));
    size_t length = out.length;
    if (length > 0 && out.data[length - 1] == '\n')
        length--;
    return secret_new(out.data, length, secret);
}

static struct err *read_source(const struct ctx *ctx, const struct secret_source *source,
                               const char *base_dir, struct secret **secret)
{
    switch (source->kind) {
    case SECRET_SOURCE_FILE:
        return read_file(source, base_dir, secret);
    case SECRET_SOURCE_ENV:
        return read_env(source, secret);
    case SECRET_SOURCE_COMMAND:
        return read_command(ctx, source, base_dir, secret);
    }
    return err_new(ERR_INTERNAL, "secret source of kind %d", (int)source->kind);
}

static const char *source_name(const struct secret_source *source)
{
    switch (source->kind) {
    case SECRET_SOURCE_FILE:
        return source->file;
    case SECRET_SOURCE_ENV:
        return source->env;
    default:
        return source->command[0];
    }
}

struct err *secret_source_read(const struct ctx *ctx, const struct secret_source *source,
                               const char *base_dir, struct secret **secret)
{
    CLEANUP_SECRET struct secret *found = NULL;
    TRY(read_source(ctx, source, base_dir ? base_dir : ".", &found));
    size_t length = 0;
    (void)secret_bytes(found, &length);
    if (length == 0) /* an empty token would only fail later, and less clearly */
        return err_new(ERR_INPUT, "the secret from '%s' is empty", source_name(source));
    *secret = TAKE(found);
    return NULL;
}
