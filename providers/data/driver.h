/* What a kind of dataset is made of. Private to providers/data.
 *
 * A driver writes bash text. Each of its functions adds shell functions of fixed names to a script that
 * pipeline.c wraps; values reach the script only as variables quoted by strbuf_add_shell_quoted(). The shell
 * can use `fail MESSAGE` (ends the job), `report LINE` (tells the orchestrator), `$spool` (a private
 * directory, for what is encrypted or harmless) and `$JOB`.
 *
 * Lines that `report` may carry:  note TEXT | info JSON | probe JSON | tool TEXT   (JSON objects of several
 * lines are merged)
 */
#pragma once
#include "providers/data/dataset.h"

enum option_type { OPTION_TEXT, OPTION_NUMBER, OPTION_LIST };

struct option_rule {
    const char *name;
    enum option_type type;
    bool required;
    bool (*is_valid)(const char *text); /* of a text, or of each text in a list; NULL: anything without
                                           control characters */
    const char *expected;               /* for the error: "an absolute path" */
};

struct restore_target {
    const char *id;       /* the job's id, made into what names on the host may contain */
    const json_t *source; /* what `info` told when the backup was taken; NULL: an empty object */
};

struct dataset_ops {
    const char *kind;
    const char *const *needs; /* "command:package", NULL-terminated */
    const struct option_rule *options;
    size_t option_count;
    const char *producer; /* the programs at both ends of the pipe, for messages: "pg_dump", "pg_restore" */
    const char *consumer;
    const char *command; /* as the manifest records it */

    /* inspect: prints the size of the data in bytes, roughly */
    void (*add_inspect)(const struct dataset *dataset, struct strbuf *script);
    /* prepare, produce (data on stdout), finish (probes are reported by then) */
    void (*add_produce)(const struct dataset *dataset, struct strbuf *script);
    /* prepare, consume (data on stdin), finish (reports probes), discard (removes what was restored beside;
     * harmless when nothing is) */
    void (*add_consume)(const struct dataset *dataset, const struct restore_target *target,
                        struct strbuf *script);
    /* is_switched (succeeds when switch_over was completed for this target), recount (as finish, on what is
     * live), switch_over */
    void (*add_switch)(const struct dataset *dataset, const struct restore_target *target,
                       struct strbuf *script);
    /* The commands that open data.zst.age by hand, indented by four spaces, after it was fetched to the
     * working directory. */
    void (*add_manual_restore)(const struct dataset *dataset, const struct restore_target *target,
                               struct strbuf *text);
};

extern const struct dataset_ops dataset_postgres;
extern const struct dataset_ops dataset_files;

const struct dataset_ops *dataset_find_ops(const char *kind); /* NULL when there is none */

/* name='value' as a line of shell */
void script_set(struct strbuf *script, const char *name, const char *value);
/* The text of an option, or the fallback. */
const char *option_text(const struct dataset *dataset, const char *name, const char *fallback);

bool is_unix_name(const char *text); /* a user or group */
