#include "base/job.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_DIR "/run/rehost/jobs"
#define MAX_NAME_BYTES 100
#define MAX_INPUT_BYTES (256u << 20)
#define MAX_COMMAND_BYTES 20000
#define TAIL_BYTES "1048576"
#define MAX_POLL_BYTES (3u << 19) /* TAIL_BYTES and the first line */
#define FIRST_POLL_MS 200
#define LAST_POLL_MS 2000
#define SHOWN_ERROR_BYTES 600

/* What stands before every command below: $d is the job's directory. take() stores stdin's next bytes, all or
 * nothing: when the link breaks in the middle, head sees an early end of file. GNU head reads no more than
 * asked for, so the files can follow each other. */
static const char shell_head[] =
    "set -eu; umask 077; export LC_ALL=C; t=; n=%s; d=" JOBS_DIR "/$n; u=rehost-job-$n.service\n"
    "trap 'rm -rf \"$t\"' EXIT\n"
    "take() { head -c \"$2\" >\"$1\"; [ \"$(stat -c %%s \"$1\")\" = \"$2\" ]; }\n";

/* Running or over: then there is nothing to upload. */
static const char shell_attach[] = "[ ! -e \"$d/rc\" ] || exit 0\n"
                                   "s=$(systemctl show -p ActiveState --value \"$u\")\n"
                                   "case $s in inactive | failed) ;; *) exit 0 ;; esac\n"
                                   "mkdir -p " JOBS_DIR "; t=$(mktemp -d " JOBS_DIR "/.$n.XXXXXX)\n";

/* The directory appears whole by one rename, which fails when the job exists already (a directory that is not
 * empty cannot be replaced): somebody else was faster, or a link broke before the unit was started. Of two
 * units started at once systemd refuses one. */
static const char shell_start[] =
    "mv -T \"$t\" \"$d\" 2>/dev/null || [ -e \"$d/script\" ]\n"
    "systemd-run --quiet --collect --unit=\"$u\" --description=\"rehost job "
    "$n\" --setenv=JOB=\"$d\" --setenv=HOME=/root"
    " --setenv=LANG=C.UTF-8 -p IgnoreSIGPIPE=no -p TimeoutStopSec=10 -p ExecStopPost=\"/bin/sh "
    "$d/.end\" /bin/bash \"$d/script\" && exit 0\n"
    "[ ! -e \"$d/rc\" ] || exit 0\n"
    "! systemctl is-active -q \"$u\" || exit 0\n"
    "rm -rf \"$d\"; exit 1\n";

/* systemd runs this when the script has ended in whatever way, and tells how; 137 is what a shell says of
 * SIGKILL. */
static const char end_script[] =
    "[ ! -e \"$JOB/rc\" ] || exit 0\n"
    "case ${EXIT_STATUS:-} in [0-9]*) rc=$EXIT_STATUS ;; TERM) rc=143 ;; *) rc=137 ;; esac\n"
    "umask 077; echo \"$rc\" >\"$JOB/.rc\" && mv \"$JOB/.rc\" \"$JOB/rc\"\n";

static const char script_head[] =
    "exec >\"$JOB/out\" 2>\"$JOB/err\" </dev/null\numask 077\nset -euo pipefail\n";

/* The unit's state is read before the exit code is looked for: a unit that is over has written it before. */
static const char shell_poll[] =
    "s=; [ -e \"$d/rc\" ] || s=$(systemctl show -p ActiveState --value \"$u\" 2>/dev/null) || s=unknown\n"
    "if [ -e \"$d/rc\" ]; then read -r rc <\"$d/rc\"; echo \"ended $rc\"\n"
    "elif [ ! -e \"$d/script\" ]; then echo gone; exit 0\n"
    "else case $s in inactive | failed) echo gone; exit 0 ;; *) echo running ;; esac; fi\n"
    "[ ! -e \"$d/out\" ] || tail -c " TAIL_BYTES " \"$d/out\"\n"
    "[ ! -e \"$d/err\" ] || tail -c " TAIL_BYTES " \"$d/err\" >&2\n";

static bool is_word(const char *text, const char *also)
{
    size_t length = strlen(text);
    for (const char *c = text; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !strchr(also, *c))
            return false;
    return length > 0 && length <= MAX_NAME_BYTES;
}

static struct err *check_name(const char *name)
{
    if (!is_word(name, "-") || *name == '-')
        return err_new(ERR_INTERNAL, "'%.120s' cannot be the name of a job", name);
    return NULL;
}

static struct err *check_file(const struct job_file *file)
{
    static const char *const own[] = {"script", "rc", "out", "err"};
    bool good =
        is_word(file->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-") && *file->name != '.' && *file->name != '-';
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        good = good && strcmp(file->name, own[i]) != 0;
    return good ? NULL : err_new(ERR_INTERNAL, "'%.120s' cannot be the name of a job's file", file->name);
}

/* Names have passed check_name() and check_file(): they need no quotes. */
static void add_file(struct strbuf *command, struct strbuf *input, const char *name, const void *data,
                     size_t length)
{
    strbuf_addf(command, "take \"$t/%s\" %zu\n", name, length);
    strbuf_add(input, data, length);
}

static struct err *run(const struct ctx *ctx, struct ssh *ssh, struct arena *arena,
                       const struct strbuf *command, const struct strbuf *input, struct ssh_result *result)
{
    TRY(strbuf_check(command, "a job's command"));
    if (input)
        TRY(strbuf_check(input, "a job's input"));
    return ssh_run(ctx, ssh, arena, command->data, input ? input->data : NULL, input ? input->length : 0,
                   result);
}

struct err *job_start(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                      const char *script, const struct job_file *files, size_t file_count)
{
    CLEANUP_STRBUF struct strbuf command;
    CLEANUP_STRBUF_WIPE struct strbuf input, whole;
    strbuf_init(&command, MAX_COMMAND_BYTES);
    strbuf_init(&input, MAX_INPUT_BYTES);
    strbuf_init(&whole, MAX_INPUT_BYTES);
    TRY(check_name(name));
    strbuf_addf(&command, shell_head, name);
    strbuf_adds(&command, shell_attach);
    strbuf_adds(&whole, script_head);
    strbuf_adds(&whole, script);
    strbuf_addc(&whole, '\n');
    add_file(&command, &input, "script", whole.data, whole.length);
    add_file(&command, &input, ".end", end_script, strlen(end_script));
    for (size_t i = 0; i < file_count; i++) {
        TRY(check_file(&files[i]));
        add_file(&command, &input, files[i].name, files[i].data, files[i].length);
    }
    strbuf_adds(&command, shell_start);
    TRY(strbuf_check(&whole, "a job's script"));
    return err_wrap(run(ctx, ssh, arena, &command, &input, NULL), "starting job '%s'", name);
}

static struct err *no_such_job(const char *name)
{
    return err_with_hint(err_new(ERR_NOT_FOUND, "the host knows no job '%s'", name),
                         "the host may have been rebooted; starting the job again is safe");
}

struct err *job_put(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                    const struct job_file *file)
{
    CLEANUP_STRBUF struct strbuf command;
    CLEANUP_STRBUF_WIPE struct strbuf input;
    strbuf_init(&command, MAX_COMMAND_BYTES);
    strbuf_init(&input, MAX_INPUT_BYTES);
    TRY(check_name(name));
    TRY(check_file(file));
    strbuf_addf(&command, shell_head, name);
    strbuf_adds(&command,
                "[ -e \"$d/script\" ] || { echo gone; exit 0; }; t=$(mktemp -d \"$d/.put.XXXXXX\")\n");
    add_file(&command, &input, file->name, file->data, file->length);
    strbuf_addf(&command, "mv \"$t/%s\" \"$d/%s\"; rmdir \"$t\"\n", file->name, file->name);
    struct ssh_result result = {0};
    TRY(err_wrap(run(ctx, ssh, arena, &command, &input, &result), "giving a file to job '%s'", name));
    return strcmp(result.out, "gone\n") == 0 ? no_such_job(name) : NULL;
}

struct err *job_poll(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                     struct job_state *state)
{
    CLEANUP_STRBUF struct strbuf command;
    strbuf_init(&command, MAX_COMMAND_BYTES);
    *state = (struct job_state){.exit_status = -1};
    TRY(check_name(name));
    strbuf_addf(&command, shell_head, name);
    strbuf_adds(&command, shell_poll);
    struct ssh_result result = {0};
    TRY(err_wrap(run(ctx, ssh, arena, &command, NULL, &result), "asking for job '%s'", name));
    char *end = memchr(result.out, '\n', result.out_length);
    if (!end)
        return err_new(ERR_REMOTE, "asking for job '%s': the host gave no answer", name);
    *end = '\0';
    if (strcmp(result.out, "gone") == 0)
        return no_such_job(name);
    state->finished = strncmp(result.out, "ended ", 6) == 0;
    if (state->finished)
        state->exit_status = (int)strtol(result.out + 6, NULL, 10);
    state->out = end + 1;
    state->errout = result.errout;
    return NULL;
}

static struct err *script_failed(const char *name, const struct job_state *state)
{
    const char *text = *state->errout ? state->errout : state->out;
    size_t length = strlen(text);
    if (length > SHOWN_ERROR_BYTES) {
        const char *from = text + length - SHOWN_ERROR_BYTES, *line = strchr(from, '\n');
        text = line && line[1] ? line + 1 : from;
    }
    CLEANUP_STRBUF struct strbuf words;
    strbuf_init(&words, 0);
    strbuf_adds(&words, *text ? text : "it said nothing");
    strbuf_trim(&words);
    return err_new(ERR_REMOTE, "job '%s' ended with status %d: %s", name, state->exit_status, words.data);
}

/* One poll into an arena of its own, because a job may be polled for hours; the last one is copied into
 * `arena`. */
static struct err *poll_once(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                             void (*progress)(const struct job_state *state, void *arg), void *arg,
                             struct job_state *state)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct job_state now;
    TRY(job_poll(ctx, ssh, scratch, name, &now));
    if (progress)
        progress(&now, arg);
    *state = now;
    state->out = now.finished ? arena_strdup(arena, now.out) : "";
    state->errout = now.finished ? arena_strdup(arena, now.errout) : "";
    return NULL;
}

struct err *job_wait(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name,
                     void (*progress)(const struct job_state *state, void *arg), void *arg,
                     struct job_state *state)
{
    struct job_state own;
    if (!state)
        state = &own;
    for (int64_t pause_ms = FIRST_POLL_MS;; pause_ms = pause_ms * 3 / 2) {
        TRY(poll_once(ctx, ssh, arena, name, progress, arg, state));
        if (state->finished)
            return state->exit_status ? script_failed(name, state) : NULL;
        TRY(ctx_sleep(ctx, pause_ms < LAST_POLL_MS ? pause_ms : LAST_POLL_MS));
        pause_ms = pause_ms < LAST_POLL_MS ? pause_ms : LAST_POLL_MS;
    }
}

struct err *job_remove(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *name)
{
    CLEANUP_STRBUF struct strbuf command;
    strbuf_init(&command, MAX_COMMAND_BYTES);
    TRY(check_name(name));
    strbuf_addf(&command, shell_head, name);
    strbuf_adds(&command, "[ -e \"$d/rc\" ] || systemctl stop \"$u\" 2>/dev/null || :; rm -rf \"$d\"\n");
    return err_wrap(run(ctx, ssh, arena, &command, NULL, NULL), "removing job '%s'", name);
}
