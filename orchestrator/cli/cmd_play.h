/* What the parts of `rehost play` share. */
#pragma once
#include "cli/cli.h"
#include "playbook/crew.h"
#include "playbook/hosts.h"

/* How to reach a host; made before any host is touched, read by the host's own thread. */
struct play_way {
    struct ssh_target target;
    const char *known_hosts; /* NULL: ssh-keygen's own choice */
    bool local;              /* this machine, without a connection */
};

struct play_command {
    struct cli *cli;
    const struct playbook *playbook;
    json_t *extra_vars;
    json_t *host_vars; /* with --as */
    json_t *one;       /* with --host: its vars, group_names and groups */
    struct project *project;
    struct hosts_config config;
    const struct secret *become_password;
    const struct hosts *inventory; /* NULL with --host */
    bool *limited;                 /* parallel to the hosts; NULL without --limit */
    struct crew crew;
    struct crew_host *hosts;
    struct play_way *ways;
    struct playbook_item *items; /* what --list-tasks shows */
    size_t item_count, item_capacity;
    int name_width; /* of the hosts' names on the screen; 0: one machine, not named */
    json_t *failures;
};

/* --- cmd_play_vars.c --- */
struct err *play_extra_vars(struct cli *cli, json_t *vars) REHOST_MUST_CHECK;

/* --- cmd_play_password.c: the password of sudo, from a file or the terminal --- */
struct err *play_become_password(struct play_command *play) REHOST_MUST_CHECK;

/* --- cmd_play_hosts.c --- */
/* Fills in crew, hosts and ways. */
struct err *play_find_hosts(struct play_command *play) REHOST_MUST_CHECK;
/* The hosts of a play, after --limit; in the arena. */
struct err *play_match(struct play_command *play, struct arena *arena, const json_t *written,
                       size_t **indices, size_t *count, const char **unknown) REHOST_MUST_CHECK;

/* --- cmd_play_show.c --- */
void play_show_event(const struct task_event *event, void *arg);
void play_show_results(struct play_command *play, const struct crew_result *results);
/* --list-hosts, --list-tasks, --list-tags */
struct err *play_show_lists(struct play_command *play) REHOST_MUST_CHECK;
