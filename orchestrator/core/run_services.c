/* What the core hands to steps: the project's handles, and the journal behind plain functions. */
#include "base/log.h"
#include "core/run_private.h"

static struct run *run_of(struct step_run *step)
{
    return step->services->core;
}

static struct err *service_compute(void *core, const char *account, struct compute_account *out)
{
    return project_compute(((struct run *)core)->project, account, out);
}

static struct err *service_dns(void *core, const char *account, struct dns_account *out)
{
    return project_dns(((struct run *)core)->project, account, out);
}

static struct err *service_data(void *core, const struct effect_log *effects, struct data_env *out)
{
    TRY(project_data(((struct run *)core)->project, out));
    out->effects = effects;
    return NULL;
}

static struct err *service_secret(void *core, const char *name, const struct secret **out)
{
    return project_secret(((struct run *)core)->project, name, out);
}

static struct err *service_vars(void *core, const char *host_name, json_t **out)
{
    struct run *run = core;
    (void)host_name; /* a run has one host */
    return project_vars(run->project, run->host, out);
}

static struct err *service_playbook(void *core, const char *name, const struct playbook **out)
{
    return project_playbook(((struct run *)core)->project, name, out);
}

static struct err *service_ssh_key(void *core, const struct secret **private_key, const char **public_key)
{
    return project_ssh_key(((struct run *)core)->project, private_key, public_key);
}

static struct err *service_seal(void *core, struct arena *arena, const struct secret *secret, char **sealed)
{
    return project_seal(((struct run *)core)->project, arena, secret, sealed);
}

static struct err *service_unseal(void *core, const char *sealed, struct secret **secret)
{
    return project_unseal(((struct run *)core)->project, sealed, secret);
}

static struct err *service_save(struct step_run *step)
{
    return store_step_save(&run_of(step)->lease, step->seq, step->output);
}

static struct err *service_machine_put(struct step_run *step, const struct machine *machine)
{
    const struct resource_row row = {.account = machine->account,
                                     .server_id = machine->server_id,
                                     .run = step->run,
                                     .host = step->host,
                                     .name = machine->name,
                                     .region = machine->region,
                                     .size = machine->size,
                                     .address = machine->address,
                                     .host_key = machine->host_key,
                                     .state = machine->state};
    return store_resource_put(&run_of(step)->lease, &row);
}

static struct err *service_backup_put(struct step_run *step, const char *dataset,
                                      const struct restore_point *point, bool verified)
{
    const struct backup_row row = {.host = step->host,
                                   .dataset = dataset,
                                   .stamp = point->stamp,
                                   .run = step->run,
                                   .taken_ms = point->taken_ms,
                                   .size_bytes = point->size_bytes,
                                   .verified = verified};
    return store_backup_put(&run_of(step)->lease, &row);
}

static void service_note(struct step_run *step, const char *text)
{
    struct run *run = run_of(step);
    const struct run_observer *observer = run->options->observer;
    log_info("%s %s: %s", run->id, step->id, text);
    struct err *e = store_event_add(&run->lease, text);
    if (e)
        log_error("%s: keep an event: %s", run->id, err_text(e));
    err_free(e);
    if (observer && observer->note)
        observer->note(observer->arg, text);
}

static void service_live(struct step_run *step, const char *text)
{
    const struct run_observer *observer = run_of(step)->options->observer;
    if (observer && observer->live)
        observer->live(observer->arg, text);
}

static void service_progress(struct step_run *step, const struct dataset_progress *progress)
{
    const struct run_observer *observer = run_of(step)->options->observer;
    if (observer && observer->progress)
        observer->progress(observer->arg, progress);
}

static struct err *service_confirm(struct step_run *step, enum danger danger, const char *question,
                                   const char *expected)
{
    const struct run_observer *observer = run_of(step)->options->observer;
    if (!observer || !observer->confirm)
        return err_new(ERR_APPROVAL, "nobody is there to confirm: %s", question);
    return observer->confirm(observer->arg, danger, question, expected);
}

static struct err *effect_begin_stored(void *arg, const char *what, const char *subject, const char *detail,
                                       int64_t *effect_id)
{
    struct run *run = arg;
    TRY(run_prove_lease(run, run->project->ctx));
    return store_effect_begin(&run->lease, run->current_seq, what, subject, detail, effect_id);
}

static struct err *effect_end_stored(void *arg, int64_t effect_id, const struct err *outcome,
                                     const char *reference)
{
    struct run *run = arg;
    return store_effect_end(&run->lease, effect_id, outcome, reference);
}

void run_fill_services(struct run *run)
{
    run->services = (struct step_services){
        .core = run,
        .compute = service_compute,
        .dns = service_dns,
        .data = service_data,
        .secret = service_secret,
        .vars = service_vars,
        .playbook = service_playbook,
        .ssh_key = service_ssh_key,
        .seal = service_seal,
        .unseal = service_unseal,
        .save = service_save,
        .machine_put = service_machine_put,
        .backup_put = service_backup_put,
        .resolver = run->project->inventory->resolver,
        .accept_unproven_fence = run->options->accept_unproven_fence,
        .note = service_note,
        .progress = service_progress,
        .live = service_live,
        .confirm = service_confirm,
    };
    run->effects = (struct effect_log){.arg = run, .begin = effect_begin_stored, .end = effect_end_stored};
}
