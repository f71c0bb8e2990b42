/* One shell on the host, fed with tasks and answering with frames.
 *
 * What goes to the host, after a start that SESSION_COMMAND names (no word of it is a secret):
 *
 *   e BYTES \n TEXT            shell text, evaluated
 *   d NAME BYTES \n DATA       raw bytes, added to the file that task NAME finds as its a_data
 *
 * Text is gathered into few chunks, because each costs the host a process. Files are read while they are
 * sent: of whatever size, they take a quarter of a megabyte here. What comes back is in frame.h.
 *
 * session_send() and its like only queue; session_flush() moves what can be moved without waiting;
 * session_receive() waits for the answer to the oldest task. There is no limit on how long a task takes but
 * the context's deadline. Threads: one owner.
 */
#pragma once
#include "base/secret.h"
#include "playbook/frame.h"
#include "playbook/link.h"

struct session_piece;

struct session {
    const struct ctx *ctx;
    const struct session_link *link;
    char nonce[33];
    struct strbuf text;                  /* of the chunk that is being filled */
    struct strbuf out;                   /* next on the line */
    struct session_piece *first, **last; /* after that */
    size_t piece_bytes;                  /* of these, in memory */
    struct strbuf in, errin;
    bool become;
    bool started, answered; /* something was sent, something came back */
};

/* What the host must run to be fed: the second one as root, by sudo unless the login is root. */
extern const char *const SESSION_COMMAND;
extern const char *const SESSION_COMMAND_BECOME;

void session_init(struct session *session, const struct ctx *ctx, const struct session_link *link);
/* With SESSION_COMMAND_BECOME, before everything else; `password` is sudo's, or NULL. ERR_INPUT for a
 * password of several lines. */
struct err *session_become(struct session *session, const struct secret *password) REHOST_MUST_CHECK;
/* Sends the library (lib.sh and modules). Before the first task. */
void session_start(struct session *session, const char *library);
void session_send(struct session *session, const char *text, size_t length);
/* Data for the task `id`, which is sent after it. */
void session_send_data(struct session *session, int id, const void *data, size_t length);
/* The same from an open file, which is closed in every case; exactly `size` bytes are sent. */
void session_send_file(struct session *session, int id, int fd, uint64_t size);
/* Bytes that wait here in memory. */
size_t session_waiting(const struct session *session);
struct err *session_flush(struct session *session) REHOST_MUST_CHECK;
/* The frame of task `id`; `other_nonce` may be NULL. ERR_UNKNOWN_OUTCOME when the link was lost, ERR_AUTH
 * when the host does not let the login become root. */
struct err *session_receive(struct session *session, const char *other_nonce, int id,
                            struct frame *frame) REHOST_MUST_CHECK;
/* Ends the shell. */
struct err *session_end(struct session *session) REHOST_MUST_CHECK;
void session_free(struct session *session);
/* A fresh nonce: 32 characters of [a-z0-9] and NUL. */
void session_nonce(char nonce[33]);
