/* Ansible inventories: which hosts there are, in which groups, with which variables.
 *
 * Sources: INI and YAML files, folders of such files, programs that print JSON for `--list`, and lists
 * "one,two,". Variables also come from group_vars/ and host_vars/ beside every source and beside the
 * playbook. What Ansible accepts with a warning is accepted here with a warning; what it could not read it
 * would leave out, here it is an error.
 *
 * Memory: everything lives in the arena, json_t values too. A value that comes from a group is one value in
 * all its hosts. Threads: read-only after loading. Errors: ERR_INPUT "FILE:LINE:COLUMN: what", ERR_NOT_FOUND,
 * ERR_IO, and of programs ERR_REMOTE, ERR_TIMEOUT, ERR_CANCELLED. Sources of the rules: the Ansible 2.14
 * pages "How to build your inventory", "Using variables" and "Patterns"; doubtful cases were settled by
 * running ansible-inventory.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"
#include <jansson.h>

struct hosts_host {
    const char *name;
    json_t *vars;        /* an object: everything merged */
    json_t *group_names; /* sorted, without `all` */
    bool implicit;       /* localhost, when the sources do not name it */
};

struct hosts {
    const struct hosts_host *items; /* in the order of the sources */
    size_t count;                   /* without an implicit localhost */
    bool has_implicit;              /* items[count] is localhost */
    const json_t *groups;           /* name -> names of its hosts; with `all` and `ungrouped` */
    const char *const *warnings;
    size_t warning_count;
    const struct hosts_data *data; /* private */
};

/* `playbook_dir` may be NULL. Without sources there is only localhost. */
struct err *hosts_load(const struct ctx *ctx, struct arena *arena, const char *const *sources,
                       size_t source_count, const char *playbook_dir,
                       const struct hosts **hosts) REHOST_MUST_CHECK;

/* The hosts of a pattern ("web:!old", a list of patterns, `~regex`, `web[0:2]`), as indices of items, in the
 * order in which Ansible would go through them. The implicit localhost answers to `localhost`, `127.0.0.1`
 * and
 * `::1` alone. Nothing found is no error: *count is 0. *unknown is the first part that matches nothing, or
 * NULL. */
struct err *hosts_match(const struct hosts *hosts, struct arena *arena, const json_t *pattern,
                        size_t **indices, size_t *count, const char **unknown) REHOST_MUST_CHECK;
/* The same for --limit: `@FILE` holds a pattern a line, and a part that matches nothing is ERR_INPUT with the
 * nearest name. */
struct err *hosts_limit(const struct hosts *hosts, struct arena *arena, const char *pattern, size_t **indices,
                        size_t *count) REHOST_MUST_CHECK;
/* The host or group with the nearest name, or NULL. */
const char *hosts_nearest(const struct hosts *hosts, struct arena *arena, const char *name);

/* How to reach a host, and as whom: what the ansible_... variables say. */
struct hosts_login {
    const char *address;
    int port; /* 0: not given */
    const char *user;
    const char *key_file;    /* NULL: not given; as seen from the current folder */
    const char *known_hosts; /* another file than ~/.ssh/known_hosts, or NULL; "/dev/null": no file */
    bool trust_unknown;      /* a host key that nobody knows is accepted */
    bool local;              /* ansible_connection: local */
    bool become;
    const char *become_user;              /* NULL: root */
    const struct secret *become_password; /* or NULL */
};
/* `login` holds the defaults, and is overwritten by the variables, which may be templates; `extra_vars` are
 * the strongest. What cannot be done (ProxyJump, become_method su, connection docker) is ERR_INPUT. */
struct err *hosts_read_login(struct arena *arena, const struct hosts_host *host, const json_t *extra_vars,
                             struct hosts_login *login) REHOST_MUST_CHECK;

/* What is read of ansible.cfg; other keys have no effect. Paths are as seen from the file. */
struct hosts_config {
    const char *path; /* NULL: there is none */
    const char *const *inventory;
    size_t inventory_count;
    const char *const *roles_path;
    size_t roles_path_count;
    const char *remote_user, *private_key_file, *become_user; /* NULL: not given */
    int remote_port, forks;                                   /* 0: not given */
    bool host_key_checking;                                   /* true unless switched off */
    bool become, become_ask_pass;
};
/* The first ansible.cfg in the current folder, or in `playbook_dir`. In a folder that everybody may write to
 * it is refused, since it could name programs to run. */
struct err *hosts_read_config(struct arena *arena, const char *playbook_dir,
                              struct hosts_config *config) REHOST_MUST_CHECK;
