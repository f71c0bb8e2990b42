#include "playbook/session.h"
#include "base/hash.h"
#include <string.h>

#define MAX_OUT_BYTES (256u << 20)
#define MAX_ERR_BYTES 65536

void session_nonce(char nonce[33])
{
    CLEANUP_ARENA struct arena *scratch = arena_new(65536);
    memcpy(nonce, hash_random_id(scratch, 32), 33);
}

void session_init(struct session *session, const struct ctx *ctx, const struct session_link *link)
{
    *session = (struct session){.ctx = ctx, .link = link};
    session_nonce(session->nonce);
    strbuf_init(&session->out, MAX_OUT_BYTES);
    strbuf_init(&session->in, FRAME_MAX_BYTES + 65536);
    strbuf_init(&session->errin, MAX_ERR_BYTES);
}

/* The library is kept as text on the host too: tasks as another user hand it to that user's shell. From then
 * on fd 3 is the only way back, and nothing that a command prints by accident comes along. */
void session_start(struct session *session, const char *library)
{
    strbuf_adds(&session->out, "RH_LIBRARY=");
    strbuf_add_shell_quoted(&session->out, library);
    strbuf_addf(&session->out, "\neval \"$RH_LIBRARY\"\nexec 3>&1 >/dev/null\nrh_start %s\n", session->nonce);
    session->started = true;
}

static struct err *pump(struct session *session, int64_t wait_ms)
{
    bool eof = false;
    TRY(strbuf_check(&session->out, "what is sent to the host"));
    TRY(session->link->pump(session->ctx, session->link->arg, &session->out, &session->in, &session->errin,
                            wait_ms, &eof));
    if (!eof)
        return NULL;
    strbuf_trim(&session->errin);
    struct err *e = err_new(ERR_UNKNOWN_OUTCOME, "the shell on the host ended before its work was done%s%s",
                            session->errin.length ? ": " : "", session->errin.data);
    return err_with_hint(e, "tasks can be repeated: apply the playbook again");
}

struct err *session_flush(struct session *session)
{
    return session->out.length ? pump(session, 0) : NULL;
}

void session_send(struct session *session, const char *text, size_t length)
{
    strbuf_add(&session->out, text, length);
}

struct err *session_receive(struct session *session, const char *other_nonce, int id, struct frame *frame)
{
    const char *const nonces[2] = {session->nonce, other_nonce};
    for (;;) {
        bool found;
        TRY(frame_take(&session->in, nonces, id, frame, &found));
        if (found)
            return NULL;
        TRY(pump(session, -1));
    }
}

struct err *session_end(struct session *session)
{
    strbuf_adds(&session->out, "exit 0\n");
    while (session->out.length) {
        bool eof = false;
        TRY(session->link->pump(session->ctx, session->link->arg, &session->out, &session->in,
                                &session->errin, -1, &eof));
        if (eof)
            break;
    }
    return NULL;
}

void session_free(struct session *session)
{
    strbuf_wipe(&session->out);
    strbuf_wipe(&session->in);
    strbuf_free(&session->errin);
}
