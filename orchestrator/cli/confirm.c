#include "cli/confirm.h"
#include "cli/out.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 256

static bool agreed_beforehand(const struct cli *cli, enum danger danger, const char *expected)
{
    if (danger == DANGER_MILD || (danger == DANGER_MODERATE && cli_switch(cli, "yes")))
        return true;
    const char *named = cli_option(cli, "confirm");
    return danger == DANGER_SEVERE && named && !strcmp(named, expected);
}

static struct err *read_answer(struct cli *cli, char *answer)
{
    size_t length = 0;
    for (;;) {
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        TRY(ctx_wait(&cli->ctx, &fd, 1, -1, NULL));
        ssize_t got = read(STDIN_FILENO, answer + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || answer[length] == '\n' || length + 2 == ANSWER_MAX)
            break;
        length++;
    }
    answer[length] = '\0';
    return NULL;
}

struct err *confirm_ask(struct cli *cli, enum danger danger, const char *question, const char *expected)
{
    if (agreed_beforehand(cli, danger, expected))
        return NULL;
    if (!isatty(STDIN_FILENO))
        return err_with_hint(err_new(ERR_APPROVAL, "nobody agreed to: %s", question),
                             danger == DANGER_SEVERE ? "agree with: --confirm %s"
                                                     : "agree with: --yes (asked for '%s')",
                             expected);
    out_info("%s %s\n   type '%s' to agree, anything else stops here: ",
             danger == DANGER_SEVERE ? "SEVERE:" : "?? ", question, expected);
    char answer[ANSWER_MAX];
    TRY(read_answer(cli, answer));
    if (!strcmp(answer, expected) || (danger == DANGER_MODERATE && !strcmp(answer, "y")))
        return NULL;
    return err_with_hint(err_new(ERR_APPROVAL, "not agreed: %s", question), "nothing of it was done");
}
