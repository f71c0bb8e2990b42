/* Ctrl-C: once stops safely (the cancel descriptor becomes readable), twice leaves now. Both print how to go
 * on. */
#pragma once
#include "base/err.h"

struct err *stop_init(int *cancel_fd) REHOST_MUST_CHECK; /* once, in main's thread */
/* The line that tells how to go on with the run at work; copied. Empty: nothing runs. */
void stop_set_resume_line(const char *line);
