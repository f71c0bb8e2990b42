/* The log: one line an event, to a file, never to stdout. Every line passes the scrubber. Threads: safe from any thread.
 * The sink is one of the three pieces of global state that the design allows.
 */
#pragma once
#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens (appends, 0600) the log file. Before, lines are dropped. */
struct err *log_open(const char *path, enum log_level max_level) REHOST_MUST_CHECK;
void log_close(void);
/* "2026-11-20T02:41:00.123Z info  what happened" */
void log_write(enum log_level level, const char *fmt, ...) REHOST_PRINTF(2, 3);
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
