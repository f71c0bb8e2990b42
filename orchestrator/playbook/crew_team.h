/* The hosts of one batch while they are in a play: where each one is, and what they tell each other.
 *
 * Entries of a playbook are numbered in the order of the walk, and a member's place never goes back, so the
 * one that is furthest behind never waits for another: nobody waits for ever. Threads: team_* are called by
 * the member's own thread.
 */
#pragma once
#include "playbook/crew.h"
#include "playbook/run.h"
#include <pthread.h>

/* What outlives a play. */
struct crew_memory {
    pthread_mutex_t lock;
    const struct crew *crew;
    json_t **told;  /* of each host: its variables, as the others see them; replaced, never changed */
    size_t at_work; /* hosts that are not waiting; at most crew->forks */
    pthread_cond_t room;
};

struct member {
    struct team *team;
    size_t host; /* index into crew->hosts */
    bool here;   /* in the play, and has not failed */
    bool waiting;
    int wake_fd;
    int place;      /* number of the entry that it came to */
    int told;       /* the same, when everything before it was settled and told to the others */
    bool fatal;     /* the entry before this one has any_errors_fatal */
    json_t *visits; /* run_once: place in the file -> how often it came there */
};

struct team {
    struct crew_memory *memory;
    struct member *members; /* in the order in which they are taken */
    size_t count;
    size_t asking; /* members that wait for others to tell */
    size_t failed;
    double max_fail_percentage; /* 100: none */
    int last_place;             /* nobody goes further: any_errors_fatal, max_fail_percentage, run_once */
    bool play_ended;            /* meta: end_play: no further batch */
    struct once *onces;
    json_t *play_hosts; /* names of all hosts of the play, of all batches; borrowed */
};

struct err *team_init(struct team *team, struct crew_memory *memory, const size_t *hosts, size_t count,
                      struct arena *arena) REHOST_MUST_CHECK;
void team_free(struct team *team);

/* In front of each entry. Sets run->ended when the team was stopped. */
struct err *team_pass(struct run *run, const struct entry *entry) REHOST_MUST_CHECK;
/* Waits until all others have come as far, and told what they know; then run->magic has `hostvars`. */
struct err *team_meet(struct run *run) REHOST_MUST_CHECK;
/* What came of something that one member did for all. */
struct once_result {
    const char *name;   /* of the registered variable, or NULL */
    json_t *registered; /* or NULL */
    json_t *facts;      /* or NULL */
    bool failed;        /* for all: each of them may rescue it */
    bool ended;         /* the batch, for all */
};

/* For a task with run_once: *mine says whether this member carries it out; otherwise what came of it is taken
 * over from the one that did. *key is what team_once_done() takes. */
struct err *team_once(struct run *run, const struct entry *entry, bool *mine,
                      const char **key) REHOST_MUST_CHECK;
/* Takes references of its own. */
void team_once_done(struct run *run, const char *key, const struct once_result *result);
void team_end_play(struct run *run); /* also for the batches to come */
/* The member has left the play, well or not. */
void team_leave(struct run *run, bool failed);

/* Adds to `all` those of `vars` that are templates, rendered in the host's own scope; those
 * that cannot be rendered are left out. */
void team_render_vars(json_t *all, const json_t *vars, const struct expr_scope *scope);

/* Waits for one of the `forks`, or gives it back. */
void team_start_work(struct crew_memory *memory);
void team_stop_work(struct crew_memory *memory);
