/* The bash that runs on hosts, around what a driver adds, and what it reports. Private to providers/data.
 *
 * Data flows only between the host and the store. Addresses reach curl through a file and `curl -K -`, never
 * through argv or the environment. Every exit code of a pipe counts; only ciphertext touches the disk.
 */
#pragma once
#include "providers/data/driver.h"

#define HOST_URL_BATCH 64 /* addresses of parts in a file "urls.N" */
#define HOST_REFUSED_STATUS                                                                                  \
    65 /* a restore script ends so when the stored data is not what the manifest describes */

/* A script for one ssh_run(): looks whether the tools are there and prints the size of the data. */
void host_script_inspect(const struct dataset_ops *ops, const struct dataset *dataset, struct strbuf *script);

struct host_backup {
    const char *job;
    const char *const *recipients; /* NULL-terminated */
    int64_t part_size;
};
/* The job of a backup. It reads addresses from "$JOB/urls.0", "$JOB/urls.1" ... and waits for those that are
 * not there yet. */
void host_script_backup(const struct dataset_ops *ops, const struct dataset *dataset,
                        const struct host_backup *backup, struct strbuf *script);

struct host_restore {
    const char *job;
    int64_t size_bytes;   /* of the stored object */
    int64_t header_bytes; /* of its own age header */
    const char *sha256;   /* of the stored object */
};
/* The job of a restore, up to where the restored data stands complete beside what is live. It reads
 * "$JOB/header" (for the one-time identity), "$JOB/stored-header", "$JOB/identity" and "$JOB/url". */
void host_script_restore(const struct dataset_ops *ops, const struct dataset *dataset,
                         const struct restore_target *target, const struct host_restore *restore,
                         struct strbuf *script);

enum host_action { HOST_IS_SWITCHED, HOST_SWITCH, HOST_DISCARD };
/* A script for one ssh_run(). HOST_IS_SWITCHED prints "yes" and the probes, or "no". */
void host_script_action(const struct dataset_ops *ops, const struct dataset *dataset,
                        const struct restore_target *target, enum host_action action, struct strbuf *script);

/* What a job has reported so far. */
struct host_report {
    struct s3_part *parts; /* sorted by number, of which each appears once */
    size_t part_count;
    int64_t bytes_done;   /* sent or received */
    int64_t source_bytes; /* before compression; 0: not known yet */
    const char *sha256;   /* "": not known yet */
    const char *note;
    json_t *probes, *info, *tools; /* objects and a list of text; live as long as the arena */
};
struct err *host_report_parse(struct arena *arena, const char *text,
                              struct host_report *report) REHOST_MUST_CHECK;
