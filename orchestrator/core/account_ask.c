#include "core/account_ask.h"
#include "base/retry.h"
#include <pthread.h>

struct asking {
    struct account_question *question;
    account_ask_fn *ask;
    const char *what;
    struct ctx ctx;
    pthread_t thread;
    bool started;
};

static struct err *ask_once(const struct ctx *ctx, void *arg)
{
    struct asking *asking = arg;
    return asking->ask(ctx, asking->question);
}

static void *run(void *arg)
{
    struct asking *asking = arg;
    const struct retry_policy policy = {
        .max_attempts = 3, .base_ms = 300, .max_ms = 2000, .idempotent = true};
    asking->question->error = retry_run(&asking->ctx, &policy, asking->what, ask_once, asking);
    return NULL;
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

static void start(struct project *project, struct asking *asking)
{
    struct account_question *question = asking->question;
    question->error = project_compute(project, question->account, &question->compute);
    if (question->error)
        return;
    question->arena = arena_new(0);
    arena_defer(project->arena, free_arena, question->arena);
    if (pthread_create(&asking->thread, NULL, run, asking) == 0)
        asking->started = true;
    else
        run(asking);
}

void account_ask(struct project *project, struct account_question *questions, size_t count, const char *what,
                 int64_t deadline_ms, account_ask_fn *ask)
{
    struct asking *askings = arena_array(project->arena, count + 1, sizeof(*askings));
    for (size_t i = 0; i < count; i++) {
        askings[i] = (struct asking){.question = &questions[i],
                                     .ask = ask,
                                     .what = what,
                                     .ctx = ctx_with_timeout(project->ctx, deadline_ms)};
        start(project, &askings[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (askings[i].started)
            pthread_join(askings[i].thread, NULL);
}
