#include "base/log.h"

#include "base/clock.h"
#include "base/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define MAX_MESSAGE_BYTES (256u << 10)
#define MAX_LINE_BYTES (8u << 10)

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn ", [LOG_INFO] = "info ", [LOG_DEBUG] = "debug"};

/* The log sink: one of the pieces of global state that the design allows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static atomic_int max_level_open = -1; /* below every level: nothing is written */

struct err *log_open(const char *path, enum log_level max_level)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(ERR_IO, errno, "cannot open the log '%s'", path);
    log_close();
    (void)pthread_mutex_lock(&lock);
    log_fd = fd;
    atomic_store(&max_level_open, (int)max_level);
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

void log_close(void)
{
    (void)pthread_mutex_lock(&lock);
    atomic_store(&max_level_open, -1);
    if (log_fd >= 0)
        (void)close(log_fd);
    log_fd = -1;
    (void)pthread_mutex_unlock(&lock);
}

/* One event is one line: text from outside must not be able to forge another. */
static void flatten(struct strbuf *message)
{
    strbuf_trim(message);
    for (size_t i = 0; i < message->length; i++) {
        unsigned char c = (unsigned char)message->data[i];
        if (c < 0x20 || c == 0x7f)
            message->data[i] = c == '\n' || c == '\t' ? ' ' : '?';
    }
}

static REHOST_PRINTF(2, 0) void make_line(enum log_level level, const char *fmt, va_list args,
                                          struct strbuf *line)
{
    struct strbuf message CLEANUP_STRBUF_WIPE, clean CLEANUP_STRBUF;
    strbuf_init(&message, MAX_MESSAGE_BYTES);
    strbuf_init(&clean, 2 * MAX_MESSAGE_BYTES);
    strbuf_vaddf(&message, fmt, args);
    scrub_text(message.data, message.length,
               &clean); /* before anything is cut: half a secret is not recognised */
    flatten(&clean);

    char stamp[CLOCK_TEXT_SIZE];
    int64_t now = clock_now_ms();
    strbuf_addf(line, "%.19s.%03dZ %s ", clock_format_utc(now, stamp), (int)(now % 1000), level_names[level]);
    strbuf_add(line, clean.data, clean.length < MAX_LINE_BYTES ? clean.length : MAX_LINE_BYTES);
    strbuf_adds(line, clean.length < MAX_LINE_BYTES ? "\n" : " [cut]\n");
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load(&max_level_open))
        return;
    int saved_errno = errno;
    struct strbuf line CLEANUP_STRBUF;
    strbuf_init(&line, 0);
    va_list args;
    va_start(args, fmt);
    make_line(level, fmt, args, &line);
    va_end(args);

    (void)pthread_mutex_lock(&lock);
    if (log_fd >= 0) {
        ssize_t written = write(log_fd, line.data, line.length); /* a full disk must not stop a recovery */
        (void)written;
    }
    (void)pthread_mutex_unlock(&lock);
    errno = saved_errno;
}
