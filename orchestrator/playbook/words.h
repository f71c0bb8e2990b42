/* Command lines and key=value texts, cut as Ansible and Python's shlex cut them. Errors: ERR_INPUT. Memory:
 * the arena. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include <stddef.h>

/* Words of a POSIX command line: blanks separate, ' and " and \ quote. ERR_INPUT for a quote that is not
 * closed. */
struct err *words_split(struct arena *arena, const char *text, char ***words,
                        size_t *count) REHOST_MUST_CHECK;
/* The same command line as words quoted for a shell. With `expand`, $NAME, ${NAME} and a leading ~ are left
 * to the shell, the way the command module expands them on the host; an unset variable stays as it is
 * written. */
struct err *words_add_command(struct arena *arena, struct strbuf *out, const char *text,
                              bool expand) REHOST_MUST_CHECK;
/* A validation command: %s becomes the shell's "$RH_NEW", %% becomes %. ERR_INPUT without %s. */
struct err *words_add_validate(struct arena *arena, struct strbuf *out, const char *text) REHOST_MUST_CHECK;
/* A path for the host: a leading ~ and $NAME are left to its shell. */
void words_add_path(struct strbuf *out, const char *path);

struct word_pair {
    char *key;         /* NULL: a word without '=' */
    char *value;       /* unquoted */
    size_t start, end; /* where it stood in the text */
};
/* "a=1 b='x y' {{ c }}" in pieces; blanks inside quotes and {{ }} do not separate. */
struct err *words_pairs(struct arena *arena, const char *text, struct word_pair **pairs,
                        size_t *count) REHOST_MUST_CHECK;
