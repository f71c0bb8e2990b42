/* Datasets: what can be backed up from a host and restored to another one.
 *
 * A driver (postgres.c, files.c) only produces the commands that run on the host; backup.c and restore.c do
 * what all kinds share: backup   host: produce | zstd -3 | age to two recipients | parts, PUT to URLs that we
 * presigned -> we list, compare, complete, write a signed manifest and RESTORE.txt beside the object restore
 * we rewrap the age header for a one-time identity; host: header + ranged GET | age -d | zstd -d | consume
 * The host holds no storage credential and no long-lived key; bulk data never flows through the orchestrator.
 *
 * Objects: PREFIX/HOST/DATASET/STAMP/{data.zst.age,manifest.json,manifest.sig,RESTORE.txt}; STAMP is UTC
 * "20261120_020012". Effects told to the journal: s3.begin_upload, job.start, s3.complete_upload,
 * s3.abort_upload, s3.put, data.switch. After ERR_REMOTE, ERR_TRUST, ERR_REJECTED, ERR_CONFLICT and ERR_INPUT
 * nothing goes on: the upload was aborted, what was restored beside removed. After any other error (a lost
 * link, a cancelled wait) the job goes on on the host: a call with the same job id finds it. Threads: the
 * environment is read-only and may be shared; an ssh session belongs to the calling thread.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/effect.h"
#include "base/err.h"
#include "base/s3.h"
#include "base/secret.h"
#include "base/ssh.h"
#include <jansson.h>

struct dataset {
    const char *name;      /* "shop" */
    const char *kind;      /* "postgres", "files" */
    const char *host;      /* the inventory's host name */
    const json_t *options; /* the kind's own keys, validated by dataset_check_options() */
};

struct data_env {
    struct s3 *s3;
    const char *prefix;             /* "" or "team/" */
    const struct secret *identity;  /* working age identity */
    const char *recovery_recipient; /* "age1..." of the offline key */
    const struct secret *signing_key;
    const struct effect_log *effects; /* may be NULL */
};

struct restore_point {
    const char *stamp;    /* "20261120_020012": names it for people and in the store */
    const char *key;      /* of the data object */
    int64_t taken_ms;     /* the data is as of this time (start of the dump) */
    int64_t size_bytes;   /* stored */
    int64_t source_bytes; /* before compression, as far as known; 0 otherwise */
    json_t *probes;   /* what was counted at the source: {"rows": {"public.orders": 120000}} or {"files": 12,
                         "bytes": 34}; borrowed */
    json_t *manifest; /* all of it, signature verified; lives as long as the arena */
};

struct dataset_progress {
    int64_t bytes_done;
    int64_t bytes_total; /* 0: not known */
    const char *note;    /* "table orders", or "" */
};
typedef void dataset_progress_fn(const struct dataset_progress *progress, void *arg);

struct dataset_job {
    const char *id; /* [a-z0-9-], from run and step: resume re-attaches to the same job on the host */
    dataset_progress_fn *progress; /* may be NULL */
    void *progress_arg;
};

struct restore_result {
    json_t *probes; /* counted again after the restore, same form; borrowed from the arena */
    int64_t bytes_done;
};

const char *const *dataset_kinds(size_t *count);
/* ERR_INPUT with the name of the bad key when `options` do not fit the kind. */
struct err *dataset_check_options(const struct dataset *dataset) REHOST_MUST_CHECK;

/* Newest first. A point whose manifest is missing or not signed by us is left out and reported in *warnings
 * (a list of text; may be NULL). */
struct err *dataset_list_points(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                                const struct dataset *dataset, struct restore_point **points, size_t *count,
                                const char ***warnings, size_t *warning_count) REHOST_MUST_CHECK;

struct err *dataset_backup(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                           struct ssh *ssh, const struct dataset *dataset, const struct dataset_job *job,
                           struct restore_point *point) REHOST_MUST_CHECK;
/* Restores beside what exists and switches over at the end (a new database renamed into place, a new folder
 * moved into place). */
struct err *dataset_restore(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                            struct ssh *ssh, const struct dataset *dataset, const struct restore_point *point,
                            const struct dataset_job *job, struct restore_result *result) REHOST_MUST_CHECK;
/* ERR_CONFLICT with the differences when the probes after a restore do not match those of the backup. */
struct err *dataset_compare_probes(struct arena *arena, const json_t *backup,
                                   const json_t *restored) REHOST_MUST_CHECK;
