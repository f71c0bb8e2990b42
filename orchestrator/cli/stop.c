#include "cli/stop.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Signal handlers can reach nothing else: the cancel flag is one of the three pieces of global state that the
 * design allows. */
static int cancel_descriptor = -1;
static volatile sig_atomic_t signals_seen;
static char resume_line[256];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* a lost terminal never stops a run */
}

static void on_signal(int number)
{
    const int saved = errno;
    (void)number;
    if (signals_seen++) {
        say("\nleaving now. ");
        say(resume_line);
        _exit(5);
    }
    say("\nstopping safely (again: leave now). ");
    say(resume_line);
    const uint64_t one = 1;
    if (write(cancel_descriptor, &one, sizeof(one)) < 0)
        _exit(5);
    errno = saved;
}

struct err *stop_init(int *cancel_fd)
{
    cancel_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel_descriptor < 0)
        return err_errno(ERR_INTERNAL, errno, "make an eventfd");
    const struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGINT, &stop, NULL) || sigaction(SIGTERM, &stop, NULL) || sigaction(SIGHUP, &stop, NULL) ||
        sigaction(SIGPIPE, &ignore, NULL))
        return err_errno(ERR_INTERNAL, errno, "set signal handlers");
    *cancel_fd = cancel_descriptor;
    return NULL;
}

void stop_set_resume_line(const char *line)
{
    (void)snprintf(resume_line, sizeof(resume_line), "%s", line);
}
