// Small helpers of the local cloud: growing arrays, text, files, time, and running commands without a shell.
// Memory: what returns a pointer returns something for free(). Running out of memory ends the program (it is
// a test tool).
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct array {
    void **items;
    size_t count;
    size_t capacity;
};

void array_add(struct array *array, void *item);
void array_remove(struct array *array, const void *item); // keeps the order; does not free the item
void array_free(struct array *array);                     // the array, not the items

void *zalloc(size_t size); // zeroed, never NULL
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool text_equal(const char *a, const char *b); // NULL equals only NULL
bool text_starts(const char *text, const char *prefix);

int64_t now_ms(void);                      // monotonic
void time_text(time_t when, char out[32]); // RFC 3339, UTC

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A reason for a failure, in words. Functions that return false have filled it.
struct why {
    char text[512];
};
bool fail(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3))); // always false

bool dir_make(const char *path, struct why *why);   // like mkdir -p, mode 0755
bool dir_remove(const char *path, struct why *why); // like rm -rf, never crossing into another mount
bool file_write(const char *path, unsigned mode, const char *text, struct why *why);
char *file_read(const char *path, size_t max_bytes); // NULL when it cannot be read

// Runs argv (NULL at the end) and waits; `input` may be NULL. False, with what it wrote to stderr, unless it
// exits with 0. `output`, if not NULL, receives up to 64 KiB of its stdout, for free().
bool run_command(const char *const argv[], const char *input, char **output, struct why *why);

// The start time of a process in clock ticks since boot, or 0 if there is none. Pid and start time together
// name a process for good, so that a pid that was given to someone else meanwhile is never killed.
uint64_t process_start_time(int pid);
bool process_kill_recorded(const char *record_path,
                           const char *comm); // a file "PID STARTTIME"; true if something was killed

void make_password(char *out, size_t size); // letters and digits, with the 0 at the end; up to 64
