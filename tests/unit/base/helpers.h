/* What the tests of base share. Include after the headers under test. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void assert_ok(struct err *e)
{
    if (e)
        fail_msg("unexpected error (%s): %s", err_kind_name(err_kind(e)), err_text(e));
}

/* Expects an error of this kind whose text contains `part` (NULL: any), and frees it. */
static inline void assert_fails(struct err *e, enum err_kind kind, const char *part)
{
    if (!e)
        fail_msg("no error where '%s' was expected", err_kind_name(kind));
    if (err_kind(e) != kind)
        fail_msg("'%s' where '%s' was expected: %s", err_kind_name(err_kind(e)), err_kind_name(kind),
                 err_text(e));
    if (part && !strstr(err_text(e), part))
        fail_msg("'%s' does not contain '%s'", err_text(e), part);
    err_free(e);
}

/* A new directory under $TMPDIR, in the arena; removed by remove_dir(). */
static inline const char *make_dir(struct arena *arena)
{
    const char *tmp = getenv("TMPDIR");
    char *path = arena_printf(arena, "%s/rehost-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(path))
        fail_msg("cannot make a temporary directory");
    return path;
}
