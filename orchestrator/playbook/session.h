/* One shell on the host, fed with tasks and answering with frames.
 *
 * The link moves bytes: an SSH channel, or in tests a local process. session_send() only queues;
 * session_flush() moves what can be moved without waiting; session_receive() waits for the answer to the
 * oldest task. There is no limit on how long a task takes but the context's deadline. Threads: one owner.
 */
#pragma once
#include "base/ctx.h"
#include "playbook/frame.h"

struct session_link {
    void *arg;
    /* Like ssh_channel_pump(). */
    struct err *(*pump)(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                        struct strbuf *errin, int64_t wait_ms, bool *eof);
};

struct session {
    const struct ctx *ctx;
    const struct session_link *link;
    char nonce[33];
    struct strbuf out, in, errin;
    bool started;
};

/* What the host must run to be fed. */
#define SESSION_COMMAND "exec env LC_ALL=C sh"

void session_init(struct session *session, const struct ctx *ctx, const struct session_link *link);
/* Sends the library (lib.sh and modules). Before the first task. */
void session_start(struct session *session, const char *library);
void session_send(struct session *session, const char *text, size_t length);
struct err *session_flush(struct session *session) REHOST_MUST_CHECK;
/* The frame of task `id`; `other_nonce` may be NULL. ERR_UNKNOWN_OUTCOME when the link was lost. */
struct err *session_receive(struct session *session, const char *other_nonce, int id,
                            struct frame *frame) REHOST_MUST_CHECK;
/* Ends the shell. */
struct err *session_end(struct session *session) REHOST_MUST_CHECK;
void session_free(struct session *session);
/* A fresh nonce: 32 characters of [a-z0-9] and NUL. */
void session_nonce(char nonce[33]);
