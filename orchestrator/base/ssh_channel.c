#include "ssh_internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define READ_BYTES 8192 /* on the stack of every thread */
#define WRITE_BYTES 32700 /* libssh2 takes no more at once */
#define DEFAULT_MAX_OUTPUT (16u << 20)
#define MAX_COMMAND_BYTES                                                                                    \
    24000 /* the request must fit one packet of 32 KiB; longer scripts go over stdin                         \
           */
#define SHOWN_ERROR_BYTES 600
#define SHOWN_COMMAND_BYTES 120

struct ssh_channel {
    struct ssh *ssh;
    LIBSSH2_CHANNEL *raw;
};

/* --- raw channels --- */

static LIBSSH2_CHANNEL *open_once(struct ssh *ssh, const char *host, int port)
{
    if (host)
        return libssh2_channel_direct_tcpip_ex(ssh->session, host, port, "127.0.0.1", 0);
    return libssh2_channel_open_ex(ssh->session, "session", strlen("session"), SSH_WINDOW_BYTES,
                                   SSH_PACKET_BYTES, NULL, 0);
}

struct err *ssh_open_raw(const struct ctx *ctx, struct ssh *ssh, const char *forward_host, int forward_port,
                         LIBSSH2_CHANNEL **channel)
{
    for (;;) {
        *channel = open_once(ssh, forward_host, forward_port);
        if (*channel)
            return NULL;
        int code = libssh2_session_last_errno(ssh->session);
        if (code != LIBSSH2_ERROR_EAGAIN)
            return ssh_failed(ssh, code, ERR_TRANSIENT, "opening a channel");
        struct err *e = ssh_wait(ctx, ssh, ERR_TRANSIENT, -1);
        if (e && forward_host) /* libssh2 would hand the half-open channel to the next caller, who may want
                                  another port */
            ssh_mark_lost(ssh, 0);
        TRY(e);
    }
}

void ssh_close_raw(struct ssh *ssh, LIBSSH2_CHANNEL *channel)
{
    if (libssh2_channel_free(channel) == LIBSSH2_ERROR_EAGAIN)
        err_free(ssh_flush(ssh, ERR_TRANSIENT));
}

/* --- streaming channels --- */

void ssh_channel_abort(struct ssh_channel *channel)
{
    if (!channel)
        return;
    ssh_close_raw(channel->ssh, channel->raw);
    free(channel);
}

static struct err *start_command(const struct ctx *ctx, struct ssh *ssh, LIBSSH2_CHANNEL *raw,
                                 const char *command)
{
    for (;;) {
        int code =
            libssh2_channel_process_startup(raw, "exec", strlen("exec"), command, (unsigned)strlen(command));
        if (!code)
            return NULL;
        if (code != LIBSSH2_ERROR_EAGAIN)
            return ssh_failed(ssh, code, ERR_UNKNOWN_OUTCOME, "starting a command");
        TRY(ssh_wait(ctx, ssh, ERR_UNKNOWN_OUTCOME, -1));
    }
}

struct err *ssh_channel_open(const struct ctx *ctx, struct ssh *ssh, const char *command,
                             struct ssh_channel **out)
{
    if (strlen(command) > MAX_COMMAND_BYTES)
        return err_new(ERR_INTERNAL, "a command of %zu bytes is too long for one request", strlen(command));
    LIBSSH2_CHANNEL *raw = NULL;
    TRY(ssh_begin(ssh));
    TRY(ssh_open_raw(ctx, ssh, NULL, 0, &raw));
    struct err *e = start_command(ctx, ssh, raw, command);
    struct ssh_channel *channel = e ? NULL : calloc(1, sizeof(*channel));
    if (!channel) {
        ssh_close_raw(ssh, raw);
        return e ? e : err_new(ERR_INTERNAL, "out of memory");
    }
    channel->ssh = ssh;
    channel->raw = raw;
    *out = channel;
    return NULL;
}

static struct err *write_some(struct ssh_channel *channel, const char *data, size_t length, size_t *written)
{
    while (*written < length && ssh_may_write(channel->ssh)) {
        size_t chunk = length - *written < WRITE_BYTES ? length - *written : WRITE_BYTES;
        ssize_t code = libssh2_channel_write_ex(channel->raw, 0, data + *written, chunk);
        if (code == 0 || code == LIBSSH2_ERROR_EAGAIN)
            break;
        if (code < 0)
            return ssh_failed(channel->ssh, (int)code, ERR_UNKNOWN_OUTCOME, "sending to a command");
        *written += (size_t)code;
    }
    return NULL;
}

/* Reads what has arrived, as far as `in` has room: a full buffer makes the far side wait. */
static struct err *read_some(struct ssh_channel *channel, int stream, struct strbuf *in, bool *moved)
{
    char chunk[READ_BYTES];
    for (;;) {
        size_t room = in->max - in->length;
        if (!room)
            return NULL;
        ssize_t code =
            libssh2_channel_read_ex(channel->raw, stream, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
        if (code == 0 || code == LIBSSH2_ERROR_EAGAIN)
            return NULL;
        if (code < 0)
            return ssh_failed(channel->ssh, (int)code, ERR_UNKNOWN_OUTCOME, "reading from a command");
        strbuf_add(in, chunk, (size_t)code);
        *moved = true;
    }
}

/* The far side says that nothing more comes. With input left it is over only when the channel is closed
 * altogether, because a command may close its stdout and read on. */
static bool far_side_done(struct ssh_channel *channel, bool input_left)
{
    if (!libssh2_channel_eof(channel->raw))
        return false;
    return !input_left || libssh2_channel_wait_closed(channel->raw) != LIBSSH2_ERROR_EAGAIN;
}

static struct err *move(const struct ctx *ctx, struct ssh_channel *channel, const char *data, size_t length,
                        size_t *written, struct strbuf *in, struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    struct ssh *ssh = channel->ssh;
    int64_t until_ms = wait_ms < 0 ? CTX_NO_DEADLINE : clock_boot_ms() + wait_ms;
    TRY(ssh_begin(ssh));
    *written = 0;
    for (;;) {
        bool moved = false;
        uint64_t received = ssh->received_bytes;
        TRY(write_some(channel, data, length, written));
        TRY(read_some(channel, 0, in, &moved));
        TRY(read_some(channel, SSH_EXTENDED_DATA_STDERR, errin, &moved));
        *eof = far_side_done(channel, *written < length);
        if (moved || *written || *eof) {
            TRY(ssh_flush(ssh, ERR_UNKNOWN_OUTCOME));
            return ctx_check(ctx);
        }
        if (ssh->received_bytes != received)
            continue; /* reading one stream may have received what belongs to the other */
        int64_t left_ms = wait_ms < 0 ? -1 : until_ms - clock_boot_ms();
        if (wait_ms >= 0 && left_ms <= 0)
            return ssh_flush(ssh, ERR_UNKNOWN_OUTCOME);
        TRY(ssh_wait(ctx, ssh, ERR_UNKNOWN_OUTCOME, left_ms));
    }
}

struct err *ssh_channel_pump(const struct ctx *ctx, struct ssh_channel *channel, struct strbuf *out,
                             struct strbuf *in, struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    size_t written = 0;
    struct err *e = move(ctx, channel, out->data, out->length, &written, in, errin, wait_ms, eof);
    strbuf_consume(out, written);
    return e;
}

struct err *ssh_channel_send_eof(const struct ctx *ctx, struct ssh_channel *channel)
{
    for (;;) {
        int code = libssh2_channel_send_eof(channel->raw);
        if (!code)
            return ssh_flush(channel->ssh, ERR_UNKNOWN_OUTCOME);
        if (code != LIBSSH2_ERROR_EAGAIN) /* comes only while keys are being exchanged anew */
            return ssh_failed(channel->ssh, code, ERR_UNKNOWN_OUTCOME, "ending the input of a command");
        TRY(ssh_wait(ctx, channel->ssh, ERR_UNKNOWN_OUTCOME, -1));
    }
}

/* Reads and drops until the far side has closed the channel: its exit status comes before that, but maybe
 * after its end of file. */
static struct err *wait_closed(const struct ctx *ctx, struct ssh_channel *channel)
{
    CLEANUP_STRBUF struct strbuf dropped;
    strbuf_init(&dropped, READ_BYTES);
    for (bool eof = false; !eof;) {
        size_t written = 0;
        TRY(move(ctx, channel, "", 0, &written, &dropped, &dropped, -1, &eof));
        strbuf_reset(&dropped);
    }
    for (;;) {
        int code = libssh2_channel_wait_closed(channel->raw);
        if (!code)
            return NULL;
        if (code != LIBSSH2_ERROR_EAGAIN)
            return ssh_failed(channel->ssh, code, ERR_UNKNOWN_OUTCOME, "waiting for a command to end");
        TRY(ssh_wait(ctx, channel->ssh, ERR_UNKNOWN_OUTCOME, -1));
    }
}

static struct err *read_exit(const struct ctx *ctx, struct ssh_channel *channel, struct arena *arena,
                             int *exit_status, const char **exit_signal)
{
    TRY(wait_closed(ctx, channel));
    char *name = NULL;
    if (libssh2_channel_get_exit_signal(channel->raw, &name, NULL, NULL, NULL, NULL, NULL))
        return err_new(ERR_INTERNAL, "out of memory");
    if (name) { /* libssh2 says status 0 then */
        *exit_signal = arena_strdup(arena, name);
        libssh2_free(channel->ssh->session, name);
    } else {
        *exit_status = libssh2_channel_get_exit_status(channel->raw);
    }
    return NULL;
}

struct err *ssh_channel_finish(const struct ctx *ctx, struct ssh_channel *channel, struct arena *arena,
                               int *exit_status, const char **exit_signal)
{
    *exit_status = -1;
    *exit_signal = NULL;
    struct err *e = read_exit(ctx, channel, arena, exit_status, exit_signal);
    ssh_channel_abort(channel);
    return e;
}

/* --- one command --- */

static struct err *converse(const struct ctx *ctx, struct ssh_channel *channel, const char *input,
                            size_t length, struct strbuf *out, struct strbuf *errout)
{
    bool eof = false, eof_sent = false;
    while (!eof) {
        if (!length && !eof_sent) {
            TRY(ssh_channel_send_eof(ctx, channel));
            eof_sent = true;
        }
        size_t written = 0;
        TRY(move(ctx, channel, input, length, &written, out, errout, -1, &eof));
        input += written;
        length -= written;
        if (out->length == out->max || errout->length == errout->max)
            return err_new(ERR_REMOTE, "a command on '%s' wrote %zu bytes or more; it was ended",
                           channel->ssh->peer, out->max);
    }
    return eof_sent ? NULL : ssh_channel_send_eof(ctx, channel); /* its output may end before its input */
}

struct err *ssh_exec(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *command,
                     const void *input, size_t input_length, size_t max_output, struct ssh_result *result)
{
    CLEANUP_STRBUF_WIPE struct strbuf out, errout;
    strbuf_init(&out, (max_output ? max_output : DEFAULT_MAX_OUTPUT) +
                          1); /* one more: to tell full from too much */
    strbuf_init(&errout, out.max);
    *result = (struct ssh_result){.exit_status = -1};
    struct ssh_channel *channel = NULL;
    TRY(ssh_channel_open(ctx, ssh, command, &channel));
    struct err *e = converse(ctx, channel, input ? input : "", input ? input_length : 0, &out, &errout);
    if (e) {
        ssh_channel_abort(channel);
        return e;
    }
    TRY(ssh_channel_finish(ctx, channel, arena, &result->exit_status, &result->exit_signal));
    result->out = strbuf_to_arena(&out, arena);
    result->out_length = out.length;
    result->errout = strbuf_to_arena(&errout, arena);
    result->errout_length = errout.length;
    return NULL;
}

/* The last lines of what the command complained, or of what it said. */
static const char *last_words(const struct ssh_result *result, struct strbuf *words)
{
    bool use_out = !result->errout_length;
    const char *text = use_out ? result->out : result->errout;
    size_t length = use_out ? result->out_length : result->errout_length;
    size_t skip = length > SHOWN_ERROR_BYTES ? length - SHOWN_ERROR_BYTES : 0;
    const char *line = skip ? memchr(text + skip, '\n', length - skip) : NULL;
    if (line && line + 1 < text + length)
        skip = (size_t)(line + 1 - text);
    strbuf_add(words, text + skip, length - skip);
    strbuf_trim(words);
    return words->length ? words->data : "it said nothing";
}

struct err *ssh_run(const struct ctx *ctx, struct ssh *ssh, struct arena *arena, const char *command,
                    const void *input, size_t input_length, struct ssh_result *result)
{
    struct ssh_result own;
    if (!result)
        result = &own;
    TRY(ssh_exec(ctx, ssh, arena, command, input, input_length, 0, result));
    if (!result->exit_signal && result->exit_status == 0)
        return NULL;
    CLEANUP_STRBUF struct strbuf words;
    strbuf_init(&words, SHOWN_ERROR_BYTES);
    int shown = (int)strcspn(command, "\n");
    shown = shown > SHOWN_COMMAND_BYTES ? SHOWN_COMMAND_BYTES : shown;
    if (result->exit_signal)
        return err_new(ERR_REMOTE, "'%.*s' on '%s' was killed by SIG%s: %s", shown, command, ssh->peer,
                       result->exit_signal, last_words(result, &words));
    return err_new(ERR_REMOTE, "'%.*s' on '%s' ended with status %d: %s", shown, command, ssh->peer,
                   result->exit_status, last_words(result, &words));
}
