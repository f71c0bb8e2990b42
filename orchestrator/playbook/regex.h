/* Whether a regular expression (Python's syntax, by PCRE2) is found in a text. Errors: ERR_INPUT for one that
 * is wrong or takes too many steps. Threads: no state. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct regex_flags {
    bool ignore_case, multi_line, anchored;
};
struct err *regex_matches(const char *pattern, struct regex_flags flags, const char *text, size_t length,
                          bool *found) REHOST_MUST_CHECK;
