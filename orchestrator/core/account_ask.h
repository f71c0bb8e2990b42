/* Asking many provider accounts one question at the same time: a thread each, for one slow or dead provider
 * must not make the others wait.
 *
 * Threads: called from the project's own; those it starts have ended when it returns. Memory: answers live as
 * long as the project.
 */
#pragma once
#include "core/project.h"

struct account_question {
    const char *account;
    void *answer; /* what `ask` fills in; owned by the caller */
    /* filled in: */
    struct compute_account compute;
    struct arena *arena; /* of the question's own; lives as long as the project */
    struct err *error;   /* NULL: answered; owned by the caller */
};

typedef struct err *account_ask_fn(const struct ctx *ctx, struct account_question *question);

/* Each is tried three times within `deadline_ms` altogether. `what` is for messages: "read the catalogue". */
void account_ask(struct project *project, struct account_question *questions, size_t count, const char *what,
                 int64_t deadline_ms, account_ask_fn *ask);
