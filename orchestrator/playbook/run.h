/* One application of a playbook to one host. Internal to run*.c.
 *
 * The tree of entries is walked in order. A task becomes a job, a job one step, or one a loop item. Steps are
 * sent to the host without waiting for the ones before; answers come in the same order and are settled first
 * in, first out: only then changed_when and the like are evaluated, events reported, variables registered and
 * handlers notified. Before a task is rendered, the run waits for exactly those steps whose results the
 * task's expressions name (`dirty`). When a step fails, the host skips what was sent after it, and the walk
 * unwinds to the nearest rescue.
 *
 * Memory: a job has an arena of its own, freed when it is settled; what outlives it (results, facts) is in
 * json_t's of the run.
 */
#pragma once
#include "playbook/play.h"
#include "playbook/session.h"

struct job {
    const struct entry *entry;
    struct arena *arena;
    const struct expr_scope *scope; /* without loop variables */
    bool handler;
    bool gathers_facts;
    bool looping, all_sent;
    bool failed_here; /* a step that was done here, not on the host, failed */
    const char *once; /* run_once among many hosts: what team_once_done() takes; else NULL */
    size_t in_flight;
    size_t settled, failed, changed, skipped; /* steps */
    size_t fatal;                             /* of those that failed: the ones nobody ignores */
    json_t *results;                          /* of the steps, in order */
};

struct step {
    struct step *next;
    struct job *job;
    int id;
    char nonce[33];             /* of a step that runs as another user; else "" */
    bool local;                 /* the answer is already in `frame` */
    bool ignore_errors, no_log; /* each item may say something else */
    struct frame frame;
    json_t *loop_vars; /* NULL outside of loops */
    const char *label;
    const char *shown;    /* the message of a debug task when it is not its `msg`; or NULL */
    const char *done_key; /* of a command: its name in options->done, or NULL */
};

/* The loop variables of an include under way: they are seen like its vars. */
struct include_frame {
    const struct include_frame *outer;
    const struct entry *entry;
    const json_t *vars;
};

struct run {
    const struct ctx *ctx;
    struct arena *arena;
    const struct playbook *playbook;
    const struct play *play;
    const struct playbook_options *options;
    struct playbook_result *result;
    struct session_link *link;
    struct session session;
    json_t *nonces;       /* of users' shells in the session */
    struct here *here[2]; /* shells on this machine, the second one as root; NULL: not yet needed */
    const char *learned;  /* modules that came later; or NULL */
    json_t *visits;       /* place in the file -> how often a command there was come to */

    const struct crew *crew; /* many hosts; NULL: alone */
    size_t host;             /* index into crew->hosts */
    bool names_hostvars;     /* something may ask for the variables of other hosts */
    struct member *member;   /* in the play that is under way; NULL: alone */

    json_t *play_vars;     /* vars and vars_files of the play */
    json_t *magic;         /* inventory_hostname and the like */
    json_t *play_named;    /* the play's name, which may be a template */
    json_t *role_defaults; /* of all roles that the play sees */
    json_t *role_vars;
    json_t *roles_known; /* key -> true: its handlers are there; key -> "done": not again */
    const struct include_frame *frames;
    size_t ran; /* tasks that were not skipped */
    int depth;  /* of includes */
    json_t *facts;
    json_t *included;   /* include_vars */
    json_t *registered; /* and set_fact */

    struct step *first, **last;
    int next_id;
    json_t *dirty; /* name -> how many unsettled jobs will register it */
    bool facts_pending, facts_known;
    struct entry_list handlers; /* of the play and its roles, in the order in which they run */
    bool *notified;             /* for each of them */
    size_t notified_capacity;

    bool seeking; /* --start-at-task has not been reached */
    bool failed;  /* a step failed and nothing has rescued it yet */
    bool ended;   /* meta: end_play */
    int64_t last_answer_ms;
};

/* --- run_vars.c: variables --- */
struct err *run_init_vars(struct run *run) REHOST_MUST_CHECK;
void run_free_vars(struct run *run);
void run_enter_play(struct run *run, const struct play *play);
/* vars_files whose names are templates, once the facts are known. */
struct err *run_vars_files(struct run *run) REHOST_MUST_CHECK;
void run_show_role(struct run *run, const struct role *role); /* to the whole play */
/* Every scope that the entry sees. */
const struct expr_scope *run_scope(struct run *run, struct arena *arena, const struct entry *entry);
const struct expr_scope *scope_with(struct arena *arena, const struct expr_scope *outer, const json_t *vars,
                                    bool literal);
/* The environment for evaluating in `scope`; files of lookups are found as from `job`. */
struct expr_env run_env(struct run *run, struct job *job, const struct expr_scope *scope);
/* `scope` with template_path (src as it is written) and its kin; dest may be NULL. run_files.c */
const struct expr_scope *template_scope(struct job *job, const struct expr_scope *scope, const char *src,
                                        const char *path, const char *dest);
/* What with_PLUGIN goes through, a new list; first_found looks where the task's action has its files. */
struct err *lookup_for_loop(struct run *run, struct job *job, const char *plugin, const json_t *terms,
                            const json_t *options, json_t **items) REHOST_MUST_CHECK;
void run_set_facts(struct run *run, json_t *values); /* takes them */

/* --- run_names.c: which earlier results a task needs --- */
struct err *run_wait_for_names(struct run *run, struct job *job) REHOST_MUST_CHECK;
/* What a module calls a fact: below ansible_facts and by its own name. */
void run_add_facts(struct run *run, const json_t *facts);
/* Calls `mark` with the names of the facts that the task's module says it returns ("ansible_facts.NAME"). */
void run_mark_facts(struct run *run, const struct entry *entry, void (*mark)(struct run *, const char *));
void run_mark_dirty(struct run *run, const char *name);
void run_mark_clean(struct run *run, const char *name);

/* --- run_loop.c --- */
/* The items of the task's loop; *items is NULL without one (new reference). */
struct err *loop_items(struct run *run, struct job *job, json_t **items) REHOST_MUST_CHECK;
struct err *loop_variables(struct run *run, struct job *job, const json_t *items, size_t index, json_t **vars,
                           const char **label) REHOST_MUST_CHECK;

/* How long to wait between two items. */
struct err *loop_pause(struct run *run, struct job *job, int64_t *pause_ms) REHOST_MUST_CHECK;
/* [list of maps, key, options]: each map (without that key) with each item of the list under that key. */
struct err *loop_subelements(struct job *job, const json_t *terms, json_t **items) REHOST_MUST_CHECK;
/* --- loop_sequence.c: appends the texts that one term of with_sequence stands for --- */
struct err *loop_sequence(struct job *job, const char *term, json_t *items) REHOST_MUST_CHECK;
/* Lists in the list are spread out; `deep`: at every depth (new reference). */
json_t *loop_flatten(const json_t *value, bool deep);

/* --- run_step.c: one step, sent or done here --- */
struct err *step_start(struct run *run, struct job *job, struct step *step, bool in_loop,
                       bool retried) REHOST_MUST_CHECK;
/* A boolean keyword, inherited. */
struct err *job_flag(struct run *run, struct job *job, const struct expr_scope *scope, enum keyword keyword,
                     bool fallback, bool *flag) REHOST_MUST_CHECK;
/* ignore_errors and no_log. */
struct err *step_tolerance(struct run *run, struct step *step,
                           const struct expr_scope *scope) REHOST_MUST_CHECK;
struct err *conditions_hold(struct run *run, struct job *job, const struct expr_scope *scope,
                            const struct entry *entry, enum keyword keyword, bool every,
                            bool *hold) REHOST_MUST_CHECK;
struct err *when_holds(struct run *run, struct job *job, const struct expr_scope *scope,
                       bool *hold) REHOST_MUST_CHECK;

/* --- run_actions.c: what is done on the control side, wholly or in part --- */
/* Sets step->frame, with step->local. */
struct err *action_local(struct run *run, struct job *job, struct step *step,
                         const struct expr_scope *scope) REHOST_MUST_CHECK;

/* --- run_files.c: what is prepared here --- */
struct payload { /* data that goes to the host before its task */
    bool wanted;
    int fd;           /* an open file, or -1 */
    const void *data; /* without a file; lives as long as the job */
    uint64_t size;
};
void payload_send(struct payload *payload, int id, struct session *session);
void payload_free(struct payload *payload);
/* --- run_include_vars.c; *values is a new reference --- */
struct err *action_include_vars(struct run *run, struct job *job, const json_t *args,
                                json_t **values) REHOST_MUST_CHECK;
/* Turns args into what the host's module takes (contents of files and the like); what is too large for the
 * call goes to `payload`. */
struct err *action_prepare(struct run *run, struct job *job, const struct expr_scope *scope, json_t *args,
                           const char **words, int id, struct payload *payload) REHOST_MUST_CHECK;

/* --- run_here.c: tasks for this machine --- */
struct err *step_is_here(struct run *run, struct job *job, const struct expr_scope *scope,
                         bool *here) REHOST_MUST_CHECK;
/* Where relative paths of tasks on this machine begin: the playbook's folder, as in Ansible. */
void run_enter_folder(struct run *run, struct session *session);
/* Settles what is ahead and opens the shell. *session is NULL when something failed meanwhile. */
struct err *run_here(struct run *run, bool become, struct session **session) REHOST_MUST_CHECK;
void run_learn(struct run *run, const char *library); /* for every shell of the run */
void run_close_here(struct run *run);

/* --- run_settle.c: answers --- */
struct err *run_settle_one(struct run *run) REHOST_MUST_CHECK; /* waits for the oldest step */
struct err *run_settle_all(struct run *run) REHOST_MUST_CHECK;
struct err *run_settle_job(struct run *run,
                           struct job *job) REHOST_MUST_CHECK;   /* until the job's steps are settled */
struct err *run_settle_ready(struct run *run) REHOST_MUST_CHECK; /* what has arrived */
void run_queue(struct run *run, struct step *step);
/* Awaits the answer of a step that is not queued, in its session. With ERR_UNKNOWN_OUTCOME the step is
 * queued: it is what is in doubt. */
struct err *run_await(struct run *run, struct session *session, struct step *step) REHOST_MUST_CHECK;
struct err *job_finish(struct run *run, struct job *job) REHOST_MUST_CHECK; /* frees the job */
struct job *job_new(struct run *run, const struct entry *entry, bool handler);
void job_free(struct job *job);
/* The task's name, rendered if possible. */
const char *job_title(struct run *run, struct job *job);

/* --- compile.c --- */
struct call {
    int id;
    const char *flags;
    const char *user; /* NULL: the user of the session; "": the login, when the session became root by sudo */
    const char *nonce; /* with a user */
    const struct module_spec *module;
    const json_t *args;        /* rendered */
    const char *words;         /* a_words, already quoted, or NULL */
    const char *script;        /* a_script, or NULL */
    const json_t *environment; /* object of text, or NULL */
};
/* Appends the call as shell text. ERR_INPUT for values that cannot be what the module needs. */
struct err *compile_call(struct arena *arena, const struct call *call, struct strbuf *out) REHOST_MUST_CHECK;
/* lib.sh and the modules that the playbook can use. */
struct err *compile_library(struct arena *arena, const struct playbook *playbook,
                            struct strbuf *out) REHOST_MUST_CHECK;

/* --- run_reboot.c --- */
/* meta: reset_connection. Logs in anew when all that was sent has been answered: with new groups, or as proof
 * that it works. Nothing on this machine. */
struct err *run_renew(struct run *run, const struct entry *entry) REHOST_MUST_CHECK;
struct err *run_reboot(struct run *run, struct job *job, struct step *step, bool in_loop) REHOST_MUST_CHECK;

/* --- run_doubt.c: after a lost link --- */
void doubt_name_step(struct run *run, struct job *job, struct step *step);
bool doubt_is_done(struct run *run, struct step *step); /* then it has its answer */
void doubt_note_answer(struct run *run, const struct step *step);
struct err *doubt_explain(struct run *run, struct err *e) REHOST_MUST_CHECK; /* says what is known */

/* --- run.c: the walk --- */
bool run_over(const struct run *run); /* nothing more is to be done in this play */
struct err *run_entries(struct run *run, const struct entry_list *list, bool handlers) REHOST_MUST_CHECK;
/* Reports an error of the playbook's (a missing file, an undefined variable) as the failure of a task. */
struct err *run_fail_here(struct run *run, const struct entry *entry, struct err *e) REHOST_MUST_CHECK;

/* --- run_include.c --- */
/* Modules that nobody named before: the library grows. */
struct err *run_send_modules(struct run *run, const struct entry_list *list) REHOST_MUST_CHECK;
struct err *run_include(struct run *run, const struct entry *entry, bool handlers) REHOST_MUST_CHECK;

/* --- run_handlers.c --- */
void run_collect_handlers(struct run *run, const struct entry_list *list);
/* Marks the handlers that the job notifies. */
struct err *run_notify(struct run *run, struct job *job) REHOST_MUST_CHECK;
struct err *run_flush_handlers(struct run *run) REHOST_MUST_CHECK;

/* --- run_play.c --- */
/* Of `run`, ctx, arena, playbook, options and result are set. Sends what every task stands on. */
/* The link that the playbook needs, `ssh` NULL for this machine; the caller closes it with link_close(). */
struct err *run_open_link(const struct ctx *ctx, const struct playbook *playbook,
                          const struct playbook_options *options, struct ssh *ssh,
                          struct session_link *link) REHOST_MUST_CHECK;
struct err *run_open(struct run *run, struct session_link *link) REHOST_MUST_CHECK;
struct err *run_play(struct run *run, const struct play *play) REHOST_MUST_CHECK;
struct err *run_failure(const struct run *run) REHOST_MUST_CHECK; /* why run->failed */
void run_free(struct run *run);                                   /* also after run_open() failed */
/* For tests: as playbook_apply(), over any link. */
struct err *playbook_run(const struct ctx *ctx, const struct playbook *playbook, struct session_link *link,
                         struct arena *arena, const struct playbook_options *options,
                         struct playbook_result *result) REHOST_MUST_CHECK;
