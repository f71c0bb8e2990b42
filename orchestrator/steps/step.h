/* Steps: the units of a plan.
 *
 * A step has a kind (step_ops), an input that the plan fixed (JSON, part of the plan's digest) and an output
 * that it finds out (JSON, kept in the journal while it runs and afterwards). Applying a step twice is safe:
 * it first looks at its own output and at the world. That is all that `resume` needs.
 *
 * Steps know nothing of inventory or journal: the core hands them services. Each step says what it may touch.
 * Threads: one step_run belongs to the thread of its host. Memory: the step's arena; what must live on goes
 * into the output.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/effect.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/ssh.h"
#include "playbook/playbook.h"
#include "providers/compute/provider.h"
#include "providers/data/dataset.h"
#include "providers/dns/dns.h"
#include <jansson.h>

enum danger { DANGER_MILD, DANGER_MODERATE, DANGER_SEVERE };

struct compute_account {
    const struct provider_ops *ops;
    struct provider *provider;
    int64_t settle_ms, poll_ms, max_creates;
};

struct dns_account {
    const struct dns_ops *ops;
    struct dns *dns;
    int64_t poll_ms;
};

struct machine { /* a server as the journal remembers it */
    const char *account, *server_id, *name, *region, *size, *address, *host_key;
    const char
        *state; /* "live": made by a run; "current": serves the host; "retired": may be deleted; "deleted" */
};

struct step_run;

/* What the core offers. All functions take `core` first; results live as long as the run. */
struct step_services {
    void *core;
    struct err *(*compute)(void *core, const char *account, struct compute_account *out);
    struct err *(*dns)(void *core, const char *account, struct dns_account *out);
    struct err *(*data)(void *core, const struct effect_log *effects, struct data_env *out);
    struct err *(*secret)(void *core, const char *name, const struct secret **out);
    /* The host's variables with `secrets` inside; a new reference that holds secret values. */
    struct err *(*vars)(void *core, const char *host, json_t **out);
    struct err *(*playbook)(void *core, const char *name, const struct playbook **out);
    struct err *(*ssh_key)(void *core, const struct secret **private_key, const char **public_key);
    /* Encrypts to / decrypts with the working key: for what must be in the journal but not readable there.
     * Text form. */
    struct err *(*seal)(void *core, struct arena *arena, const struct secret *secret, char **sealed);
    struct err *(*unseal)(void *core, const char *sealed, struct secret **secret);
    struct err *(*save)(struct step_run *step); /* makes step->output durable */
    struct err *(*machine_put)(struct step_run *step, const struct machine *machine);
    struct err *(*backup_put)(struct step_run *step, const char *dataset, const struct restore_point *point,
                              bool verified);
    const char *resolver; /* NULL: the system's */
    bool accept_unproven_fence;
    /* To the user. `text` of note() is kept as an event. */
    void (*note)(struct step_run *step, const char *text);
    void (*progress)(struct step_run *step, const struct dataset_progress *progress);
    void (*live)(struct step_run *step, const char *text); /* what goes on right now; not kept */
    /* NULL when the user agreed; `expected` must be typed for severe things. ERR_APPROVAL: nobody agreed.
     */
    struct err *(*confirm)(struct step_run *step, enum danger danger, const char *question,
                           const char *expected);
};

struct step_ops;

struct step_run {
    const struct step_ops *ops;
    const struct ctx *ctx;
    struct arena *arena;
    const struct step_services *services;
    const struct effect_log *effects;
    const char *run, *host; /* the run's id, the host's name */
    int seq;
    const char *id; /* unique in the plan: "create", "restore-shop" */
    const json_t *input;
    const json_t *facts; /* outputs of the steps before: step id -> output */
    json_t *output;
    struct ssh **link; /* the run's open session to the new machine, shared by the steps; *link NULL: none */
};

struct step_ops {
    const char *kind;
    const char *touches; /* for plan and docs: "creates one server" */
    enum danger danger;
    int64_t estimate_ms; /* a first guess; the journal's own history replaces it */
    struct err *(*apply)(struct step_run *step);
    struct err *(*verify)(struct step_run *step); /* NULL: apply proves itself */
};

extern const struct step_ops step_fence, step_provision, step_reach, step_configure, step_restore,
    step_verify, step_cutover, step_protect;

const struct step_ops *step_find(const char *kind); /* NULL when unknown */

/* --- what several steps share --- */

/* Notes for the user and the journal, formatted. */
void step_note(struct step_run *step, const char *fmt, ...) REHOST_PRINTF(2, 3);
void step_live(struct step_run *step, const char *fmt, ...) REHOST_PRINTF(2, 3);
/* The run's session to the new machine; opened when there is none. Drop it after an error, so that a retry
 * opens another. */
struct err *step_connect(struct step_run *step, struct ssh **ssh) REHOST_MUST_CHECK;
void step_drop_link(struct step_run *step);
/* Address and host key of the new machine, as found out by the steps before. */
struct err *step_target(struct step_run *step, struct ssh_target *target) REHOST_MUST_CHECK;
/* A text value from the outputs of earlier steps: step_fact(step, "create.address"). ERR_INTERNAL when
 * missing. */
struct err *step_fact(struct step_run *step, const char *path, const char **value) REHOST_MUST_CHECK;
/* Deletes a server that a run made, and waits until it is gone. */
struct err *step_delete_server(struct step_run *step, const struct compute_account *account,
                               const struct machine *machine) REHOST_MUST_CHECK;
/* Polls an operation of a provider until done. op NULL: returns at once. */
struct err *step_wait_op(struct step_run *step, const struct compute_account *account,
                         const char *op) REHOST_MUST_CHECK;
