#include "base/fs.h"
#include "base/io.h"
#include "cli/cmd_play.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX 1024

static struct err *read_line(const struct ctx *ctx, int fd, char *line, size_t *length)
{
    for (*length = 0;;) {
        struct pollfd waited = {.fd = fd, .events = POLLIN};
        TRY(ctx_wait(ctx, &waited, 1, -1, NULL));
        ssize_t got = read(fd, line + *length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line[*length] == '\n' || *length + 1 == PASSWORD_MAX)
            return NULL;
        ++*length;
    }
}

static struct err *ask(struct cli *cli, const struct secret **password)
{
    static const char prompt[] = "password of sudo (BECOME): ";
    CLEANUP_FD int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, quiet;
    if (fd < 0 || tcgetattr(fd, &before) != 0)
        return err_with_hint(err_new(ERR_INPUT, "there is no terminal to ask for the password of sudo on"),
                             "give it in a file: --become-password-file FILE");
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    char line[PASSWORD_MAX];
    size_t length = 0;
    struct secret *secret = NULL;
    (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    struct err *e = io_write_all(&cli->ctx, fd, prompt, sizeof(prompt) - 1);
    if (!e)
        e = read_line(&cli->ctx, fd, line, &length);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    if (!e)
        e = io_write_all(&cli->ctx, fd, "\n", 1);
    if (!e)
        e = secret_new(line, length, &secret);
    explicit_bzero(line, sizeof(line));
    if (!e)
        *password = secret_keep(cli->arena, secret);
    return e;
}

struct err *play_become_password(struct play_command *play)
{
    struct cli *cli = play->cli;
    const char *path = cli_option(cli, "become-password-file");
    if (path) {
        struct secret *read = NULL;
        TRY(secret_read_file(fs_resolve(cli->arena, NULL, path), &read));
        play->become_password = secret_keep(cli->arena, read);
        return NULL;
    }
    if (cli_switch(cli, "ask-become-pass") || (play->config.become_ask_pass && !cli_option(cli, "host")))
        return ask(cli, &play->become_password);
    return NULL;
}
