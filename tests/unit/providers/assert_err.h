/* Assertions on the errors that a call under test returns. On failure they name the kind or the text that
 * came instead.
 */
#pragma once
#include "base/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline void assert_fine(struct err *e)
{
    if (e)
        fail_msg("%s", err_text(e));
}

static inline void assert_kind(const struct err *e, enum err_kind kind)
{
    assert_string_equal(e ? err_kind_name(err_kind(e)) : "success", err_kind_name(kind));
}

/* Of this kind, with `text` in its text and `hint` in its hint (each may be NULL: any). Frees `e`. */
static inline void assert_err(struct err *e, enum err_kind kind, const char *text, const char *hint)
{
    assert_kind(e, kind);
    if (text && !strstr(err_text(e), text))
        fail_msg("'%s' lacks '%s'", err_text(e), text);
    if (hint && (!err_hint(e) || !strstr(err_hint(e), hint)))
        fail_msg("the hint '%s' lacks '%s'", err_hint(e) ? err_hint(e) : "", hint);
    err_free(e);
}
