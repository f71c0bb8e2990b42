/* Lookups: what `lookup('plugin', ...)` reads on the control side. Internal to the runner. */
#pragma once
#include "playbook/run.h"

struct lookup {
    struct arena *arena;
    const struct expr_env *env;
    const struct expr_place *place;
    struct run *run;
    struct job *job;
    const char *subdir;            /* where first_found looks: files, templates, vars */
    const json_t *terms, *options; /* an array, an object */
    json_t *results;               /* to append to */
};

/* The option as text, or `fallback`. */
const char *lookup_option(const struct lookup *l, const char *name, const char *fallback);
bool lookup_flag(const struct lookup *l, const char *name, bool fallback);
void lookup_put(const struct lookup *l, const char *text, size_t length);
/* A file of the control side in the task's folders; ERR_NOT_FOUND. */
struct err *lookup_read(const struct lookup *l, const char *name, char **data,
                        size_t *length) REHOST_MUST_CHECK;
/* "first words key=value key=value": the words before the first pair in *head; the pairs are added to
 * `options`, which wins. `keys` (ended by NULL) are the names that count as one. */
struct err *lookup_split_term(const struct lookup *l, const char *term, const char *const *keys,
                              const char **head, json_t *pairs) REHOST_MUST_CHECK;

/* run_lookup_file.c */
struct err *lookup_ini(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_csvfile(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_password(const struct lookup *l) REHOST_MUST_CHECK;
/* run_lookup_list.c */
struct err *lookup_items(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_list(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_dict(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_flattened(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_indexed_items(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_nested(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_together(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_sequence(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_subelements(const struct lookup *l) REHOST_MUST_CHECK;
struct err *lookup_random_choice(const struct lookup *l) REHOST_MUST_CHECK;
