/* What backup.c and restore.c share. Private to providers/data. */
#pragma once
#include "base/job.h"
#include "providers/data/host_script.h"

struct pipeline {
    const struct ctx *ctx;
    const struct data_env *env;
    struct arena *arena;
    struct ssh *ssh;
    const struct dataset *dataset;
    const struct dataset_ops *ops;
    const struct dataset_job *job;
    int64_t bytes_total; /* for the progress; 0: not known */
};

/* Called with each new report of a running job, whose memory ends with the call. */
typedef struct err *pipeline_fn(struct pipeline *pipeline, const struct host_report *report, void *arg);

/* Checks the dataset and finds its driver. */
struct err *pipeline_init(struct pipeline *pipeline, const struct ctx *ctx, const struct data_env *env,
                          struct arena *arena, struct ssh *ssh, const struct dataset *dataset,
                          const struct dataset_job *job) REHOST_MUST_CHECK;
/* Whether the job is on the host; one that has failed is removed there first and counts as absent. */
struct err *pipeline_find_job(struct pipeline *pipeline, bool *found) REHOST_MUST_CHECK;
struct err *pipeline_start_job(struct pipeline *pipeline, const struct strbuf *script,
                               const struct job_file *files, size_t file_count) REHOST_MUST_CHECK;
/* Follows the job until it ends. A script that failed is ERR_REMOTE with its last words, or ERR_TRUST when it
 * refused the data. */
struct err *pipeline_follow_job(struct pipeline *pipeline, pipeline_fn *on_report, void *arg,
                                struct host_report *report) REHOST_MUST_CHECK;
/* Runs a script of host_script.h; *out is its standard output. */
struct err *pipeline_run(struct pipeline *pipeline, const struct strbuf *script,
                         const char **out) REHOST_MUST_CHECK;
/* Removes the job from the host, best effort: what fails here is only logged. */
void pipeline_remove_job(struct pipeline *pipeline);
/* Whether an error is the far side's last word, as opposed to a lost link or a cancelled wait, after which
 * the job goes on. */
bool pipeline_is_final(const struct err *failed);
