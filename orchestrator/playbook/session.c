#include "playbook/session.h"
#include "base/hash.h"
#include "base/io.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OUT_BYTES (256u << 20)
#define MAX_ERR_BYTES 65536
#define CHUNK_BYTES (16u << 10) /* of text, when nobody waits for it */
#define KEPT_BYTES 4096         /* of a buffer that is empty */
#define DATA_BYTES (256u << 10) /* a piece of a file: what the host reads at once */

/* The host's side. Standard input stays where no task can read it, and nothing that a command prints by
 * accident comes back: fd 3 is the only way. dd, because it takes exactly so many bytes from a pipe; other
 * tools may read ahead. Login shells of every kind see this text: no quote, no line end, no exclamation mark
 * may stand in it. */
#define FEED                                                                                                 \
    "exec 3>&1 4<&0 >/dev/null </dev/null; export LC_ALL=C; RH_LOGIN=${2-}; "                                \
    "while read -r RH_K RH_A RH_B <&4; do case $RH_K in "                                                    \
    "e) eval \"$(dd bs=$RH_A count=1 iflag=fullblock 2>/dev/null <&4)\";; "                                  \
    "*) \"rh_$RH_K\" \"$RH_A\" \"$RH_B\";; esac; done"

/* First comes a line with the password, or an empty one. sudo gets it from a pipe that nothing else stands
 * in, because after a wrong one it asks again and would take what follows for the next try; -k, so that it
 * does not go without asking and leave the line to the shell. */
#define BECOME                                                                                               \
    "IFS= read -r p; u=$(id -un); "                                                                          \
    "no() { echo; echo \"rehost-become $1\"; exit 1; }; "                                                    \
    "why() { echo \"$1\" >&2; case $1 in "                                                                   \
    "*\"password is required\"*|*\"terminal is required\"*) no password;; "                                  \
    "*\"must have a tty\"*) no tty;; "                                                                       \
    "*\"no password was provided\"*|*\"incorrect password\"*|*\"try again\"*) no wrong;; "                   \
    "*sudoers*|*\"not allowed\"*|*\"may not run\"*) no denied;; *) no failed;; esac; }; "                    \
    "if [ \"$(id -u)\" = 0 ]; then p=; exec $s -c \"$1\" rehost; fi; "                                       \
    "command -v sudo >/dev/null 2>&1 || no missing; "                                                        \
    "if [ -z \"$p\" ]; then sudo -n -H $s -c \"$1\" rehost - \"$u\"; r=$?; "                                 \
    "[ $r = 1 ] && why \"$(sudo -n -H $s -c : 2>&1 </dev/null)\"; exit $r; fi; "                             \
    "if sudo -k -n -H $s -c : >/dev/null 2>&1 </dev/null; then p=; exec sudo -n -H $s -c \"$1\" rehost "     \
    "- \"$u\"; fi; "                                                                                         \
    "e=$(printf \"%s\\n\" \"$p\" | sudo -k -S -p \"\" -v 2>&1) || why \"$e\"; "                              \
    "{ printf \"%s\\n\" \"$p\"; p=; exec cat; } | sudo -k -S -p \"\" -H $s -c \"$1\" rehost - \"$u\""

/* A busybox that is the host's sh may put its own tools before those of the system, which modules are written
 * for; it then answers no path for them. dash is part of every Debian and Ubuntu. */
#define SHELL "s=sh; case $(command -v dd) in */*) ;; *) if [ -x /bin/dash ]; then s=/bin/dash; fi;; esac; "
#define PLAIN "if [ $s = sh ]; then eval \"$1\"; else exec $s -c \"$1\" rehost; fi"

const char *const SESSION_COMMAND = "exec env LC_ALL=C sh -c '" SHELL PLAIN "' rehost '" FEED "'";
const char *const SESSION_COMMAND_BECOME = "exec env LC_ALL=C sh -c '" SHELL BECOME "' rehost '" FEED "'";

/* Either bytes as they are, or a file that becomes data while it is sent. */
struct session_piece {
    struct session_piece *next;
    struct strbuf bytes;
    int fd; /* -1: no file */
    int id;
    uint64_t left; /* of the file */
};

void session_nonce(char nonce[33])
{
    CLEANUP_ARENA struct arena *scratch = arena_new(65536);
    memcpy(nonce, hash_random_id(scratch, 32), 33);
}

void session_init(struct session *session, const struct ctx *ctx, const struct session_link *link)
{
    *session = (struct session){.ctx = ctx, .link = link};
    session->last = &session->first;
    session_nonce(session->nonce);
    strbuf_init(&session->text, MAX_OUT_BYTES);
    strbuf_init(&session->out, MAX_OUT_BYTES);
    strbuf_init(&session->in, FRAME_MAX_BYTES + 65536);
    strbuf_init(&session->errin, MAX_ERR_BYTES);
}

struct err *session_become(struct session *session, const struct secret *password)
{
    size_t length = 0;
    const unsigned char *bytes = password ? secret_bytes(password, &length) : NULL;
    if (memchr(bytes ? bytes : (const unsigned char *)"", '\n', length))
        return err_new(ERR_INPUT, "the password for sudo must be a single line");
    session->become = true;
    strbuf_add(&session->out, bytes ? bytes : (const unsigned char *)"", length);
    strbuf_addc(&session->out, '\n');
    return NULL;
}

/* --- the line to the host --- */

static struct session_piece *add_piece(struct session *session, int fd)
{
    struct session_piece *piece = calloc(1, sizeof(*piece));
    if (!piece)
        abort();
    piece->fd = fd;
    strbuf_init(&piece->bytes, MAX_OUT_BYTES);
    *session->last = piece;
    session->last = &piece->next;
    return piece;
}

static void drop_piece(struct session *session)
{
    struct session_piece *piece = session->first;
    session->first = piece->next;
    if (!session->first)
        session->last = &session->first;
    session->piece_bytes -= piece->bytes.length;
    io_closep(&piece->fd);
    strbuf_wipe(&piece->bytes);
    free(piece);
}

/* Where the next bytes go: to the line, or behind the file that is still being sent. */
static void add_bytes(struct session *session, const void *data, size_t length)
{
    if (!session->first) {
        strbuf_add(&session->out, data, length);
        return;
    }
    struct session_piece *piece = session->first;
    while (piece->next)
        piece = piece->next;
    if (piece->fd >= 0)
        piece = add_piece(session, -1);
    strbuf_add(&piece->bytes, data, length);
    session->piece_bytes += length;
}

static void add_header(struct strbuf *out, int id, size_t bytes)
{
    strbuf_addf(out, "d %d %zu\n", id, bytes);
}

/* A hundred hosts do not keep what the library once needed. */
static void give_back(struct strbuf *sb)
{
    if (sb->length || sb->capacity <= KEPT_BYTES)
        return;
    size_t max = sb->max;
    strbuf_wipe(sb);
    strbuf_init(sb, max);
}

static void seal_text(struct session *session)
{
    if (!session->text.length)
        return;
    char header[32];
    int length = snprintf(header, sizeof(header), "e %zu\n", session->text.length);
    add_bytes(session, header, (size_t)length);
    add_bytes(session, session->text.data, session->text.length);
    strbuf_reset(&session->text);
    give_back(&session->text);
}

void session_send(struct session *session, const char *text, size_t length)
{
    strbuf_add(&session->text, text, length);
}

void session_send_data(struct session *session, int id, const void *data, size_t length)
{
    seal_text(session);
    CLEANUP_STRBUF struct strbuf header;
    strbuf_init(&header, 64);
    size_t at = 0;
    do {
        size_t size = length - at < DATA_BYTES ? length - at : DATA_BYTES;
        strbuf_reset(&header);
        add_header(&header, id, size);
        add_bytes(session, header.data, header.length);
        add_bytes(session, (const char *)data + at, size);
        at += size;
    } while (at < length);
}

void session_send_file(struct session *session, int id, int fd, uint64_t size)
{
    seal_text(session);
    struct session_piece *piece = add_piece(session, fd);
    piece->id = id;
    piece->left = size;
}

size_t session_waiting(const struct session *session)
{
    return session->text.length + session->out.length + session->piece_bytes;
}

/* The next part of the file goes to the line. */
static struct err *read_piece(struct session *session, struct session_piece *piece)
{
    char *chunk = malloc(DATA_BYTES);
    size_t want = piece->left < DATA_BYTES ? (size_t)piece->left : DATA_BYTES, have = 0;
    while (chunk && have < want) {
        ssize_t got = read(piece->fd, chunk + have, want - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (have == want) {
        add_header(&session->out, piece->id, want);
        strbuf_add(&session->out, chunk, want);
        piece->left -= want;
    }
    free(chunk);
    return have == want ? NULL : err_new(ERR_IO, "a file became shorter while it was sent to the host");
}

static struct err *refill(struct session *session)
{
    while (session->first && session->out.length < DATA_BYTES) {
        struct session_piece *piece = session->first;
        if (piece->fd >= 0 && piece->left)
            TRY(read_piece(session, piece));
        else
            strbuf_add(&session->out, piece->bytes.data, piece->bytes.length);
        if (piece->fd < 0 || !piece->left)
            drop_piece(session);
    }
    return strbuf_check(&session->out, "what is sent to the host");
}

/* --- the end of it --- */

static struct err *not_root(const char *word, const char *said)
{
    static const struct {
        const char *word, *what, *hint;
    } reasons[] = {
        {"missing", "the host has no sudo", "log in as root, or install sudo on the host"},
        {"password", "sudo wants a password",
         "give one (--ask-become-pass, --become-password-file, or ansible_become_password in the inventory), "
         "or let this login use sudo without one"},
        {"wrong", "sudo refused the password", "give the password of the login user, as sudo asks for it"},
        {"denied", "this login may not use sudo",
         "add the user to the sudoers of the host, or log in as root"},
        {"tty", "sudo wants a terminal", "take 'requiretty' out of the host's sudoers for this login"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strncmp(word, reasons[i].word, strlen(reasons[i].word)) == 0)
            return err_with_hint(err_new(ERR_AUTH, "cannot become root: %s", reasons[i].what), "%s",
                                 reasons[i].hint);
    return err_with_hint(err_new(ERR_AUTH, "cannot become root: %s", *said ? said : "sudo said nothing"),
                         "try 'sudo -n true' on the host as this login");
}

static struct err *ended(struct session *session)
{
    static const char mark[] = "\nrehost-become ";
    strbuf_trim(&session->errin);
    const char *word = session->become && !session->answered ? strstr(session->in.data, mark) : NULL;
    if (word)
        return not_root(word + strlen(mark), session->errin.data);
    struct err *e = err_new(ERR_UNKNOWN_OUTCOME, "the shell on the host ended before its work was done%s%s",
                            session->errin.length ? ": " : "", session->errin.data);
    return err_with_hint(e, "tasks can be repeated: apply the playbook again");
}

static struct err *pump(struct session *session, int64_t wait_ms)
{
    bool eof = false;
    TRY(strbuf_check(&session->text, "what is sent to the host"));
    TRY(refill(session));
    if (session->errin.length > MAX_ERR_BYTES / 2) /* a full buffer would make the far side wait */
        strbuf_consume(&session->errin, MAX_ERR_BYTES / 4);
    TRY(session->link->pump(session->ctx, session->link->arg, &session->out, &session->in, &session->errin,
                            wait_ms, &eof));
    give_back(&session->out);
    return eof ? ended(session) : NULL;
}

/* --- a conversation --- */

/* The library is kept as text on the host too: tasks as another user hand it to that user's shell. */
void session_start(struct session *session, const char *library)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    strbuf_adds(&text, "RH_LIBRARY=");
    strbuf_add_shell_quoted(&text, library);
    strbuf_addf(&text, "\neval \"$RH_LIBRARY\"\nrh_start %s\n", session->nonce);
    session_send(session, text.data, text.length);
}

/* The first chunk goes at once, so that the host can begin; later ones when they are worth a process. */
struct err *session_flush(struct session *session)
{
    if (!session->started || session->text.length >= CHUNK_BYTES)
        seal_text(session);
    session->started = true;
    return session->out.length || session->first ? pump(session, 0) : NULL;
}

struct err *session_receive(struct session *session, const char *other_nonce, int id, struct frame *frame)
{
    const char *const nonces[2] = {session->nonce, other_nonce};
    session->started = true;
    for (;;) {
        bool found;
        TRY(frame_take(&session->in, nonces, id, frame, &found));
        session->answered = session->answered || found;
        if (found)
            return NULL;
        give_back(&session->in);
        seal_text(session);
        TRY(pump(session, -1));
    }
}

struct err *session_end(struct session *session)
{
    session_send(session, "exit 0\n", strlen("exit 0\n"));
    seal_text(session);
    while (session->out.length || session->first) {
        bool eof = false;
        TRY(refill(session));
        TRY(session->link->pump(session->ctx, session->link->arg, &session->out, &session->in,
                                &session->errin, -1, &eof));
        if (eof)
            break;
    }
    return NULL;
}

void session_free(struct session *session)
{
    while (session->first)
        drop_piece(session);
    strbuf_wipe(&session->text);
    strbuf_wipe(&session->out);
    strbuf_wipe(&session->in);
    strbuf_free(&session->errin);
}
