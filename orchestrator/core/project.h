/* An open project: the inventory with everything that it names, opened when first needed and closed together.
 *
 * Threads: one project belongs to one thread at a time; handles that it gives out may be shared as their own
 * headers say.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/s3.h"
#include "core/model.h"
#include "core/store.h"
#include "steps/step.h"

struct project {
    struct arena *arena;
    const struct ctx *ctx;
    const struct inventory *inventory;
    struct store *store; /* opened by project_store() or project_store_read() */
    bool store_is_empty; /* it was only read, and there was none: kept nowhere */
    const char *store_path;
    const struct market *market;     /* of market_open(); NULL: not read yet */
    struct project_handles *handles; /* private to project.c */
};

/* Loads the inventory only: nothing is asked, no file is made. */
struct err *project_open(const struct ctx *ctx, const char *inventory_path,
                         struct project **project) REHOST_MUST_CHECK;
void project_close(struct project *project);
static inline void project_closep(struct project **project)
{
    project_close(*project);
}
#define CLEANUP_PROJECT __attribute__((cleanup(project_closep)))

/* For writing: makes the journal when there is none. */
struct err *project_store(struct project *project) REHOST_MUST_CHECK;
/* For reading: makes no file; where there is no journal yet it reads as empty. */
struct err *project_store_read(struct project *project) REHOST_MUST_CHECK;
struct err *project_secret_source(struct project *project, const struct source *source,
                                  const struct secret **secret) REHOST_MUST_CHECK;
struct err *project_secret(struct project *project, const char *name,
                           const struct secret **secret) REHOST_MUST_CHECK;
struct err *project_compute(struct project *project, const char *account,
                            struct compute_account *out) REHOST_MUST_CHECK;
struct err *project_dns(struct project *project, const char *account,
                        struct dns_account *out) REHOST_MUST_CHECK;
/* The object storage alone; the handle belongs to the project and may be used from many threads. */
struct err *project_s3(struct project *project, struct s3 **s3) REHOST_MUST_CHECK;
struct err *project_data(struct project *project, struct data_env *env) REHOST_MUST_CHECK;
struct err *project_ssh_key(struct project *project, const struct secret **private_key,
                            const char **public_key) REHOST_MUST_CHECK;
/* `name`: a path (holds '/' or ends with .yaml or .yml) as seen from the inventory's folder, or the name of a
 * shipped playbook. */
struct err *project_playbook(struct project *project, const char *name,
                             const struct playbook **playbook) REHOST_MUST_CHECK;
/* The host's variables with its secrets under "secrets"; a new reference that must not be shown. */
struct err *project_vars(struct project *project, const struct host *host, json_t **vars) REHOST_MUST_CHECK;
struct err *project_seal(struct project *project, struct arena *arena, const struct secret *secret,
                         char **sealed) REHOST_MUST_CHECK;
struct err *project_unseal(struct project *project, const char *sealed,
                           struct secret **secret) REHOST_MUST_CHECK;

/* Where the shipped playbooks are: $REHOST_PLAYBOOKS, beside the program (../share/rehost/playbooks), or the
 * source tree. */
const char *project_playbook_dir(struct arena *arena);
/* Loads a playbook by path or shipped name without an inventory: for `play`. Roles are also looked for in
 * `role_dirs`, before the shipped ones. */
struct err *project_load_playbook(struct arena *arena, const char *base_dir, const char *name,
                                  const char *const *role_dirs, size_t role_dir_count,
                                  const struct playbook **playbook) REHOST_MUST_CHECK;

/* Where the host runs now: the machine that a run put in place, else what the inventory says. */
struct host_location {
    const char *account, *server_id, *name, *address,
        *host_key; /* address NULL: not known without asking the provider */
    bool made_by_rehost;
};
struct err *project_locate(struct project *project, const struct host *host,
                           struct host_location *location) REHOST_MUST_CHECK;
/* As above, and asks the provider for the address, once for all hosts. ERR_NOT_FOUND when the server is gone.
 */
struct err *project_find_server(struct project *project, const struct host *host,
                                struct host_location *location) REHOST_MUST_CHECK;
/* The account's addresses that outlive servers, asked for once for all hosts; none where the provider has no
 * such thing. */
struct err *project_movable_ips(struct project *project, const char *account, struct movable_ip **ips,
                                size_t *count) REHOST_MUST_CHECK;
