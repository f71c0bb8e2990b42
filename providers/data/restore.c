/* Restores: everything is decided before what is live is touched.
 *
 * The orchestrator opens the age header of the stored object and wraps its file key for an identity that
 * exists for this one job. The host fetches, checks, decrypts and loads beside what exists, and counts; then
 * the counts are compared here, and only then a second, short script switches over.
 */
#include "base/age.h"
#include "base/decode.h"
#include "base/log.h"
#include "providers/data/manifest.h"
#include "providers/data/pipeline.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define URL_SECONDS (24 * 3600)

/* What the host needs to open this one object. */
struct opening {
    const char *stored_header; /* as it stands in the object */
    size_t stored_header_length;
    struct strbuf header; /* for the one-time identity */
    struct secret *identity;
};

static void opening_free(struct opening *opening)
{
    strbuf_wipe(&opening->header);
    secret_free(opening->identity);
}
#define CLEANUP_OPENING __attribute__((cleanup(opening_free)))

/* The job's id as a part of database and file names: '-' becomes '_'. */
static const char *name_suffix(struct arena *arena, const char *job)
{
    char *suffix = arena_strdup(arena, job);
    for (char *c = suffix; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return suffix;
}

static struct err *check_object(struct pipeline *p, const struct restore_point *point)
{
    struct s3_object object;
    struct err *failed = s3_head(p->ctx, p->env->s3, p->arena, point->key, &object);
    if (failed)
        return err_wrap(failed, "cannot find what the manifest describes");
    if (object.size_bytes != point->size_bytes)
        return err_new(ERR_TRUST, "'%s' has %lld bytes; its signed manifest says %lld", point->key,
                       (long long)object.size_bytes, (long long)point->size_bytes);
    return NULL;
}

static struct err *open_header(struct pipeline *p, const struct restore_point *point, struct opening *opening)
{
    char *start, *recipient;
    size_t length =
        point->size_bytes < AGE_MAX_HEADER_BYTES ? (size_t)point->size_bytes : AGE_MAX_HEADER_BYTES;
    TRY(s3_get_range(p->ctx, p->env->s3, p->arena, point->key, 0, length, &start, &length));
    TRY(age_make_identity(p->arena, &opening->identity, &recipient));
    TRY(age_rewrap_header(p->env->identity, start, length, recipient, &opening->header,
                          &opening->stored_header_length));
    opening->stored_header = start;
    return NULL;
}

static struct err *start_job(struct pipeline *p, const struct restore_point *point,
                             const struct restore_target *target, const char *sha256)
{
    struct opening opening CLEANUP_OPENING = {0};
    struct strbuf script CLEANUP_STRBUF;
    struct arena *scratch CLEANUP_ARENA = arena_new(0);
    strbuf_init(&opening.header, AGE_MAX_HEADER_BYTES);
    strbuf_init(&script, 0);
    TRY(open_header(p, point, &opening));
    const struct host_restore restore = {p->job->id, point->size_bytes, (int64_t)opening.stored_header_length,
                                         sha256};
    host_script_restore(p->ops, p->dataset, target, &restore, &script);
    const char *url = s3_presign_get(p->env->s3, scratch, point->key, URL_SECONDS);
    size_t identity_length;
    const void *identity = secret_bytes(opening.identity, &identity_length);
    const struct job_file files[] = {{"header", opening.header.data, opening.header.length},
                                     {"stored-header", opening.stored_header, opening.stored_header_length},
                                     {"identity", identity, identity_length},
                                     {"url", url, strlen(url)}};
    return pipeline_start_job(p, &script, files, sizeof files / sizeof *files);
}

static struct err *run_action(struct pipeline *p, const struct restore_target *target,
                              enum host_action action, const char **out)
{
    struct strbuf script CLEANUP_STRBUF;
    strbuf_init(&script, 0);
    host_script_action(p->ops, p->dataset, target, action, &script);
    return pipeline_run(p, &script, out);
}

/* Another process may have switched over and died before it could say so. */
static struct err *find_switched(struct pipeline *p, const struct restore_target *target, bool *switched,
                                 struct host_report *report)
{
    const char *out;
    TRY(run_action(p, target, HOST_IS_SWITCHED, &out));
    *switched = !strncmp(out, "yes\n", 4);
    return *switched ? host_report_parse(p->arena, out, report) : NULL;
}

static void discard(struct pipeline *p, const struct restore_target *target)
{
    const char *out;
    struct err *failed CLEANUP_ERR = run_action(p, target, HOST_DISCARD, &out);
    if (failed)
        log_warn("what was restored beside stays on '%s': %s", p->dataset->host, err_text(failed));
}

/* Up to where the restored data stands beside what is live, complete and with the right counts. */
static struct err *load(struct pipeline *p, const struct restore_point *point,
                        const struct restore_target *target, struct host_report *report)
{
    bool running;
    const char *sha256;
    TRY(decode_string(point->manifest, "object.sha256", &sha256));
    TRY(pipeline_find_job(p, &running));
    if (!running) {
        TRY(check_object(p, point));
        TRY(start_job(p, point, target, sha256));
    }
    TRY(pipeline_follow_job(p, NULL, NULL, report));
    if (strcmp(report->sha256, sha256) != 0)
        return err_new(ERR_TRUST, "the host restored something else than '%s'", point->key);
    return dataset_compare_probes(p->arena, point->probes, report->probes);
}

static struct err *switch_over(struct pipeline *p, const struct restore_target *target)
{
    int64_t effect;
    const char *out, *subject = arena_printf(p->arena, "%s/%s", p->dataset->host, p->dataset->name);
    TRY(effect_begin(p->env->effects, "data.switch", subject, NULL, &effect));
    return effect_end(p->env->effects, effect, run_action(p, target, HOST_SWITCH, &out), target->id);
}

struct err *dataset_restore(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                            struct ssh *ssh, const struct dataset *dataset, const struct restore_point *point,
                            const struct dataset_job *job, struct restore_result *result)
{
    struct pipeline p;
    struct host_report report = {0};
    bool switched;
    TRY(pipeline_init(&p, ctx, env, arena, ssh, dataset, job));
    p.bytes_total = point->size_bytes;
    const struct restore_target target = {name_suffix(arena, job->id),
                                          json_object_get(point->manifest, "source")};
    TRY(find_switched(&p, &target, &switched, &report));
    struct err *failed = switched ? NULL : load(&p, point, &target, &report);
    if (failed && pipeline_is_final(failed))
        discard(&p, &target);
    else if (!failed && !switched)
        failed = switch_over(&p, &target);
    if (!failed || pipeline_is_final(failed))
        pipeline_remove_job(&p);
    *result = (struct restore_result){report.probes, point->size_bytes};
    return err_wrap(failed, "cannot restore '%s' of '%s' from %s", dataset->name, dataset->host,
                    point->stamp);
}

/* ---- probes ---- */

/* Adds what differs between two values of one probe, by its path. */
static void compare_values(const char *path, const json_t *backup, const json_t *restored,
                           struct strbuf *differences)
{
    if (json_equal(backup, restored))
        return;
    char *was = json_dumps(backup, JSON_ENCODE_ANY | JSON_COMPACT);
    char *is = json_dumps(restored, JSON_ENCODE_ANY | JSON_COMPACT);
    strbuf_addf(differences, "%s%s: %s in the backup, %s restored", differences->length ? "; " : "", path,
                was ? was : "absent", is ? is : "absent");
    free(was);
    free(is);
}

static void compare_objects(struct arena *arena, const char *path, const json_t *backup,
                            const json_t *restored, struct strbuf *differences)
{
    json_t *all CLEANUP_JSON = json_object(), *value;
    const char *name;
    json_object_update(all, (json_t *)(uintptr_t)backup);
    json_object_update(all, (json_t *)(uintptr_t)restored);
    json_object_foreach(all, name, value)
    {
        const json_t *was = json_object_get(backup, name), *is = json_object_get(restored, name);
        const char *below = arena_printf(arena, "%s%s%s", path, *path ? "." : "", name);
        if (json_is_object(was) && json_is_object(is))
            compare_objects(arena, below, was, is, differences);
        else
            compare_values(below, was, is, differences);
    }
}

struct err *dataset_compare_probes(struct arena *arena, const json_t *backup, const json_t *restored)
{
    struct strbuf differences CLEANUP_STRBUF;
    strbuf_init(&differences, 4000);
    compare_objects(arena, "", backup, restored, &differences);
    return differences.length
               ? err_new(ERR_CONFLICT, "what was restored is not what was backed up: %s", differences.data)
               : NULL;
}
