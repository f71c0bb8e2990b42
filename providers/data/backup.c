/* Backups: the host streams, the orchestrator decides.
 *
 * The upload's id and its stamp travel with the job, as "$JOB/upload.json", so that another process can go on
 * with both. The host is not trusted with more: the key follows from the dataset, and only what the store
 * itself lists is completed.
 */
#include "base/age.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/log.h"
#include "providers/data/manifest.h"
#include "providers/data/pipeline.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST_PART ((int64_t)16 << 20)
#define LARGEST_PART ((int64_t)1 << 30)
#define PLANNED_PARTS 5000 /* of the 10,000 that S3 allows: sizes are estimates */
#define MAX_PARTS 10000
#define URL_SECONDS (6 * 3600)
#define URLS_AHEAD 32

struct upload {
    const char *stamp;
    const char *key;
    const char *id;
    int64_t part_size;
    int batches; /* of addresses that the job has been given by this process */
};

static const char *upload_subject(struct pipeline *p, const char *key)
{
    return arena_printf(p->arena, "s3://%s/%s", s3_bucket(p->env->s3), key);
}

static struct err *abort_upload(struct pipeline *p, const char *key, const char *upload_id)
{
    int64_t effect;
    TRY(effect_begin(p->env->effects, "s3.abort_upload", upload_subject(p, key), NULL, &effect));
    return effect_end(p->env->effects, effect, s3_abort_upload(p->ctx, p->env->s3, key, upload_id),
                      upload_id);
}

/* Uploads of this dataset that nobody will complete: a job for them would have been found, and a host has one
 * run at a time. */
static struct err *abort_leftovers(struct pipeline *p)
{
    struct s3_upload *uploads;
    size_t count;
    TRY(s3_list_uploads(p->ctx, p->env->s3, p->arena, point_prefix(p->arena, p->env, p->dataset), &uploads,
                        &count));
    for (size_t i = 0; i < count; i++) {
        log_info("aborting an upload of '%s' that was left unfinished", uploads[i].key);
        TRY(abort_upload(p, uploads[i].key, uploads[i].upload_id));
    }
    return NULL;
}

/* ---- starting ---- */

static struct err *choose_part_size(struct pipeline *p, int64_t *part_size)
{
    struct strbuf script CLEANUP_STRBUF;
    const char *out;
    strbuf_init(&script, 0);
    host_script_inspect(p->ops, p->dataset, &script);
    TRY(pipeline_run(p, &script, &out));
    int64_t source_bytes = strtoll(out, NULL, 10);
    *part_size = SMALLEST_PART;
    while (*part_size * PLANNED_PARTS < source_bytes && *part_size < LARGEST_PART)
        *part_size *= 2;
    return NULL;
}

/* A stamp of its own: two backups within a second would share one. */
static struct err *choose_stamp(struct pipeline *p, struct upload *upload)
{
    char stamp[CLOCK_TEXT_SIZE];
    struct s3_object *objects;
    size_t count = 1;
    for (;;) {
        upload->stamp = arena_strdup(p->arena, clock_format_stamp(clock_now_ms(), stamp));
        upload->key = point_key(p->arena, p->env, p->dataset, upload->stamp, "data.zst.age");
        TRY(s3_list(p->ctx, p->env->s3, p->arena, point_key(p->arena, p->env, p->dataset, upload->stamp, ""),
                    &objects, &count));
        if (count == 0)
            return NULL;
        TRY(ctx_sleep(p->ctx, 1000));
    }
}

static struct err *begin_upload(struct pipeline *p, struct upload *upload)
{
    int64_t effect;
    upload->id = NULL;
    TRY(effect_begin(p->env->effects, "s3.begin_upload", upload_subject(p, upload->key), NULL, &effect));
    struct err *failed = s3_begin_upload(p->ctx, p->env->s3, p->arena, upload->key, &upload->id);
    return effect_end(p->env->effects, effect, failed, upload->id);
}

static struct job_file url_batch(struct pipeline *p, const struct upload *upload, int batch,
                                 struct arena *arena)
{
    struct strbuf urls CLEANUP_STRBUF_WIPE;
    strbuf_init(&urls, 0);
    for (int i = 0; i < HOST_URL_BATCH; i++) {
        int part = batch * HOST_URL_BATCH + i + 1;
        if (part > MAX_PARTS)
            break;
        strbuf_adds(&urls, s3_presign_part(p->env->s3, arena, upload->key, upload->id, part, URL_SECONDS));
        strbuf_addc(&urls, '\n');
    }
    return (struct job_file){arena_printf(arena, "urls.%d", batch),
                             arena_memdup(arena, urls.data, urls.length), urls.length};
}

static struct job_file describe_upload(struct pipeline *p, const struct upload *upload)
{
    json_t *json CLEANUP_JSON = json_pack("{s:s, s:s, s:I}", "stamp", upload->stamp, "upload_id", upload->id,
                                          "part_size", (json_int_t)upload->part_size);
    const char *text = decode_dump(p->arena, json);
    return (struct job_file){"upload.json", text, strlen(text)};
}

static struct err *list_recipients(struct pipeline *p, const char *recipients[3])
{
    char *working;
    TRY(age_recipient(p->arena, p->env->identity, &working));
    TRY(age_check_recipient(p->env->recovery_recipient));
    recipients[0] = working;
    recipients[1] = p->env->recovery_recipient;
    recipients[2] = NULL;
    return NULL;
}

static struct err *start_job(struct pipeline *p, struct upload *upload)
{
    struct strbuf script CLEANUP_STRBUF;
    const char *recipients[3];
    strbuf_init(&script, 0);
    TRY(list_recipients(p, recipients));
    const struct host_backup backup = {p->job->id, recipients, upload->part_size};
    host_script_backup(p->ops, p->dataset, &backup, &script);
    const struct job_file files[] = {describe_upload(p, upload), url_batch(p, upload, 0, p->arena)};
    upload->batches = 1;
    return pipeline_start_job(p, &script, files, sizeof files / sizeof *files);
}

static struct err *start_backup(struct pipeline *p, struct upload *upload)
{
    TRY(abort_leftovers(p));
    TRY(choose_part_size(p, &upload->part_size));
    TRY(choose_stamp(p, upload));
    TRY(begin_upload(p, upload));
    struct err *failed = start_job(p, upload);
    if (failed && pipeline_is_final(failed)) {
        struct err *also CLEANUP_ERR = abort_upload(p, upload->key, upload->id);
        if (also)
            log_warn("an upload is left unfinished: %s", err_text(also));
    }
    return failed;
}

/* ---- going on with a job that another process started ---- */

static struct err *attach(struct pipeline *p, struct upload *upload)
{
    struct ssh_result result;
    json_t *json CLEANUP_JSON = NULL;
    TRY(ssh_run(p->ctx, p->ssh, p->arena,
                arena_printf(p->arena, "cat /run/rehost/jobs/%s/upload.json", p->job->id), NULL, 0, &result));
    TRY(decode_json(result.out, result.out_length, "upload.json", &json));
    const char *stamp, *id;
    TRY(decode_string(json, "stamp", &stamp));
    TRY(decode_string(json, "upload_id", &id));
    TRY(decode_int(json, "part_size", &upload->part_size));
    if (!is_stamp(stamp))
        return err_new(ERR_REJECTED, "the host tells '%.40s' as the time of job '%s'", stamp, p->job->id);
    upload->stamp = arena_strdup(p->arena, stamp);
    upload->id = arena_strdup(p->arena, id);
    upload->key = point_key(p->arena, p->env, p->dataset, upload->stamp, "data.zst.age");
    return NULL;
}

/* ---- while it runs ---- */

/* Keeps the job supplied with addresses; an earlier process may have sent some already, which are replaced by
 * fresh ones. */
static struct err *top_up(struct pipeline *p, const struct host_report *report, void *arg)
{
    struct upload *upload = arg;
    int reached = report->part_count ? report->parts[report->part_count - 1].number : 0;
    int wanted = (reached + URLS_AHEAD) / HOST_URL_BATCH + 1;
    if (upload->batches == 0) /* attached: begin with the batch in use */
        upload->batches = reached / HOST_URL_BATCH;
    while (upload->batches < wanted && upload->batches * HOST_URL_BATCH < MAX_PARTS) {
        struct arena *scratch CLEANUP_ARENA = arena_new(0);
        const struct job_file file = url_batch(p, upload, upload->batches, scratch);
        TRY(job_put(p->ctx, p->ssh, scratch, p->job->id, &file));
        upload->batches++;
    }
    return NULL;
}

/* ---- finishing ---- */

static struct err *compare_parts(const struct upload *upload, const struct host_report *report,
                                 const struct s3_part *stored, size_t stored_count)
{
    if (report->part_count == 0 || strlen(report->sha256) != 64)
        return err_new(ERR_REJECTED, "the host did not report what it stored as '%s'", upload->key);
    if (report->part_count != stored_count)
        return err_new(ERR_REJECTED, "the store holds %zu parts of '%s', the host sent %zu", stored_count,
                       upload->key, report->part_count);
    for (size_t i = 0; i < stored_count; i++) {
        const struct s3_part *sent = &report->parts[i];
        if (sent->number != (int)i + 1 || stored[i].number != sent->number ||
            stored[i].size_bytes != sent->size_bytes || strcmp(stored[i].etag, sent->etag) != 0)
            return err_new(ERR_REJECTED, "part %zu of '%s' is not in the store as the host sent it", i + 1,
                           upload->key);
    }
    return NULL;
}

static int64_t total_size(const struct host_report *report)
{
    int64_t size = 0;
    for (size_t i = 0; i < report->part_count; i++)
        size += report->parts[i].size_bytes;
    return size;
}

static struct err *check_object(struct pipeline *p, const struct upload *upload,
                                const struct host_report *report)
{
    struct s3_object object;
    TRY(s3_head(p->ctx, p->env->s3, p->arena, upload->key, &object));
    if (object.size_bytes != total_size(report))
        return err_new(ERR_REJECTED, "'%s' has %lld bytes in the store; the host sent %lld", upload->key,
                       (long long)object.size_bytes, (long long)total_size(report));
    return NULL;
}

/* An upload that is gone was completed by a process that died right after: then the object is there. */
static struct err *complete(struct pipeline *p, const struct upload *upload, const struct host_report *report)
{
    struct s3_part *stored;
    size_t count;
    int64_t effect;
    struct err *failed =
        s3_list_parts(p->ctx, p->env->s3, p->arena, upload->key, upload->id, &stored, &count);
    if (failed && err_kind(failed) == ERR_NOT_FOUND) {
        err_free(failed);
        return check_object(p, upload, report);
    }
    if (!failed)
        failed = compare_parts(upload, report, stored, count);
    if (failed)
        return failed;
    TRY(effect_begin(p->env->effects, "s3.complete_upload", upload_subject(p, upload->key), NULL, &effect));
    TRY(effect_end(p->env->effects, effect,
                   s3_complete_upload(p->ctx, p->env->s3, upload->key, upload->id, stored, count),
                   upload->id));
    return check_object(p, upload, report);
}

static struct err *carry_out(struct pipeline *p, struct upload *upload, struct restore_point *point)
{
    struct host_report report;
    const char *recipients[3];
    TRY(list_recipients(p, recipients));
    TRY(pipeline_follow_job(p, top_up, upload, &report));
    TRY(complete(p, upload, &report));
    const struct manifest_input input = {upload->stamp, p->job->id, recipients, upload->part_size, &report};
    return manifest_store(p->ctx, p->env, p->arena, p->ops, p->dataset, &input, point);
}

struct err *dataset_backup(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                           struct ssh *ssh, const struct dataset *dataset, const struct dataset_job *job,
                           struct restore_point *point)
{
    struct pipeline p;
    struct upload upload = {0};
    bool running;
    TRY(pipeline_init(&p, ctx, env, arena, ssh, dataset, job));
    TRY(pipeline_find_job(&p, &running));
    TRY(running ? attach(&p, &upload) : start_backup(&p, &upload));
    struct err *failed = carry_out(&p, &upload, point);
    if (failed && pipeline_is_final(failed)) {
        struct err *also CLEANUP_ERR = abort_upload(&p, upload.key, upload.id);
        if (also)
            log_warn("an upload is left unfinished: %s", err_text(also));
    }
    if (!failed || pipeline_is_final(failed))
        pipeline_remove_job(&p);
    return err_wrap(failed, "cannot back up dataset '%s' of '%s'", dataset->name, dataset->host);
}
