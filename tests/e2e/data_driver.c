/* Backs up and restores one dataset as the steps do, for tests/e2e/data_*: data_driver SETTINGS.json
 * COMMAND...
 *
 *   keys             makes DIR/identity, DIR/recovery (with .pub) and DIR/signing, where DIR is "keys" of the
 * settings backup JOB       prints the new point points           prints the list, newest first, then the
 * warnings restore JOB [STAMP]
 *
 * Prints JSON; an error goes to stderr as "KIND: text", exit code 1.
 * REHOST_TEST_DIE="s3.complete_upload:after" ends the process without warning before or after that effect, as
 * kill -9 would. REHOST_TEST_EFFECTS names a file that effects are noted in.
 */
#include "base/age.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/sign.h"
#include "providers/data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
    json_t *json;
    struct dataset dataset;
    struct data_env env;
    struct ssh_target target;
};

static const char *text_of(const struct settings *s, const char *path)
{
    const char *text = json_string_value(decode_find(s->json, path));
    if (!text) {
        fprintf(stderr, "the settings lack '%s'\n", path);
        exit(2);
    }
    return text;
}

/* ---- effects ---- */

static void note_effect(const char *what, const char *when, const char *subject)
{
    const char *file = getenv("REHOST_TEST_EFFECTS"), *die = getenv("REHOST_TEST_DIE");
    size_t length = strlen(what);
    FILE *notes = file ? fopen(file, "a") : NULL;
    if (notes) {
        fprintf(notes, "%s %s %s\n", what, when, subject ? subject : "");
        fclose(notes);
    }
    if (die && !strncmp(die, what, length) && die[length] == ':' && !strcmp(die + length + 1, when))
        _exit(137);
}

static const char *effects[10000];

static struct err *on_begin(void *arg, const char *what, const char *subject, const char *detail,
                            int64_t *effect_id)
{
    static int64_t count;
    (void)arg, (void)detail;
    *effect_id = ++count;
    effects[count % 10000] = what;
    note_effect(what, "before", subject);
    return NULL;
}

static struct err *on_end(void *arg, int64_t effect_id, const struct err *outcome, const char *reference)
{
    (void)arg, (void)outcome;
    note_effect(effects[effect_id % 10000], "after", reference);
    return NULL;
}

static const struct effect_log effect_log = {NULL, on_begin, on_end};

/* ---- settings ---- */

static struct err *read_secret(struct arena *arena, const char *path, const struct secret **secret)
{
    struct secret *read;
    TRY(secret_read_file(path, &read));
    *secret = secret_keep(arena, read);
    return NULL;
}

static struct err *text_secret(struct arena *arena, const char *text, const struct secret **secret)
{
    struct secret *made;
    TRY(secret_new(text, strlen(text), &made));
    *secret = secret_keep(arena, made);
    return NULL;
}

static struct err *open_store(struct arena *arena, struct settings *s)
{
    char *text;
    size_t length;
    json_t *json;
    struct s3_options options = {.bucket = text_of(s, "bucket")};
    const char *access_key, *secret_key;
    struct ctx ctx = ctx_background();
    TRY(fs_read_file(arena, text_of(s, "s3"), 65536, &text, &length));
    TRY(decode_json(text, length, "s3.json", &json));
    TRY(decode_string(json, "endpoint", &options.endpoint));
    TRY(decode_string(json, "region", &options.region));
    TRY(decode_string(json, "access_key", &access_key));
    TRY(decode_string(json, "secret_key", &secret_key));
    TRY(text_secret(arena, access_key, &options.access_key));
    TRY(text_secret(arena, secret_key, &options.secret_key));
    struct err *failed = s3_open(&options, &s->env.s3);
    json_decref(json);
    TRY(failed);
    return s3_ensure_bucket(&ctx, s->env.s3);
}

static struct err *read_env(struct arena *arena, struct settings *s)
{
    const char *keys = text_of(s, "keys");
    char *recovery;
    size_t length;
    TRY(read_secret(arena, arena_printf(arena, "%s/identity", keys), &s->env.identity));
    TRY(read_secret(arena, arena_printf(arena, "%s/signing", keys), &s->env.signing_key));
    TRY(fs_read_file(arena, arena_printf(arena, "%s/recovery.pub", keys), 1024, &recovery, &length));
    recovery[strcspn(recovery, "\n")] = '\0';
    s->env.recovery_recipient = recovery;
    s->env.prefix = "team/";
    s->env.effects = &effect_log;
    s->target = (struct ssh_target){.host = text_of(s, "address"), .host_key = text_of(s, "host_key")};
    TRY(read_secret(arena, text_of(s, "ssh_key"), &s->target.private_key));
    s->dataset = (struct dataset){text_of(s, "dataset.name"), text_of(s, "dataset.kind"),
                                  text_of(s, "dataset.host"), decode_find(s->json, "dataset.options")};
    return open_store(arena, s);
}

/* ---- commands ---- */

static struct err *write_secret(struct arena *arena, const char *dir, const char *name,
                                const struct secret *secret)
{
    size_t length;
    const void *bytes = secret_bytes(secret, &length);
    return fs_write_file(arena_printf(arena, "%s/%s", dir, name), bytes, length, 0600);
}

static struct err *make_keys(struct arena *arena, const struct settings *s)
{
    const char *dir = text_of(s, "keys");
    struct secret *identity CLEANUP_SECRET = NULL, *recovery CLEANUP_SECRET = NULL,
                            *signing CLEANUP_SECRET = NULL;
    char *recipient;
    TRY(fs_make_dirs(dir, 0700));
    TRY(age_make_identity(arena, &identity, &recipient));
    TRY(write_secret(arena, dir, "identity", identity));
    TRY(age_make_identity(arena, &recovery, &recipient));
    TRY(write_secret(arena, dir, "recovery", recovery));
    TRY(fs_write_file(arena_printf(arena, "%s/recovery.pub", dir), recipient, strlen(recipient), 0644));
    TRY(sign_make_key(&signing));
    return write_secret(arena, dir, "signing", signing);
}

static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_SORT_KEYS | JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

static json_t *describe(const struct restore_point *point)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:O}", "stamp", point->stamp, "key", point->key, "taken_ms",
                     (json_int_t)point->taken_ms, "size_bytes", (json_int_t)point->size_bytes, "source_bytes",
                     (json_int_t)point->source_bytes, "probes", point->probes);
}

static void on_progress(const struct dataset_progress *progress, void *arg)
{
    (void)arg;
    fprintf(stderr, "progress %lld/%lld %s\n", (long long)progress->bytes_done,
            (long long)progress->bytes_total, progress->note);
}

static struct err *run_backup(const struct ctx *ctx, struct arena *arena, struct settings *s, struct ssh *ssh,
                              const char *job_id)
{
    struct restore_point point;
    const struct dataset_job job = {job_id, on_progress, NULL};
    TRY(dataset_backup(ctx, &s->env, arena, ssh, &s->dataset, &job, &point));
    print_json(describe(&point));
    return NULL;
}

static struct err *list_points(const struct ctx *ctx, struct arena *arena, struct settings *s)
{
    struct restore_point *points;
    const char **warnings;
    size_t count, warning_count;
    json_t *list = json_array(), *said = json_array();
    TRY(dataset_list_points(ctx, &s->env, arena, &s->dataset, &points, &count, &warnings, &warning_count));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, describe(&points[i]));
    for (size_t i = 0; i < warning_count; i++)
        json_array_append_new(said, json_string(warnings[i]));
    print_json(json_pack("{s:o, s:o}", "points", list, "warnings", said));
    return NULL;
}

static struct err *run_restore(const struct ctx *ctx, struct arena *arena, struct settings *s,
                               struct ssh *ssh, const char *job_id, const char *stamp)
{
    struct restore_point *points;
    struct restore_result result;
    size_t count, i = 0;
    const struct dataset_job job = {job_id, on_progress, NULL};
    TRY(dataset_list_points(ctx, &s->env, arena, &s->dataset, &points, &count, NULL, NULL));
    while (stamp && i < count && strcmp(points[i].stamp, stamp) != 0)
        i++;
    if (i >= count)
        return err_new(ERR_NOT_FOUND, "no such restore point");
    TRY(dataset_restore(ctx, &s->env, arena, ssh, &s->dataset, &points[i], &job, &result));
    print_json(json_pack("{s:O, s:I}", "probes", result.probes, "bytes_done", (json_int_t)result.bytes_done));
    return NULL;
}

static struct err *count_uploads(const struct ctx *ctx, struct arena *arena, struct settings *s)
{
    struct s3_upload *uploads;
    size_t count;
    TRY(s3_list_uploads(ctx, s->env.s3, arena, "", &uploads, &count));
    printf("%zu\n", count);
    return NULL;
}

static struct err *copy_object(const struct ctx *ctx, struct arena *arena, struct settings *s, bool put,
                               const char *key, const char *file)
{
    char *data;
    size_t length;
    if (put) {
        TRY(fs_read_file(arena, file, 100u << 20, &data, &length));
        return s3_put(ctx, s->env.s3, key, data, length, false);
    }
    TRY(s3_get(ctx, s->env.s3, arena, key, 100u << 20, &data, &length));
    return fs_write_file(file, data, length, 0600);
}

static struct err *run_command(struct arena *arena, struct settings *s, int argc, char **argv)
{
    struct ssh *ssh CLEANUP_SSH = NULL;
    const struct ctx background = ctx_background(), ctx = ctx_with_timeout(&background, 540000);
    const char *command = argv[0];
    if (!strcmp(command, "keys"))
        return make_keys(arena, s);
    TRY(read_env(arena, s));
    if (!strcmp(command, "points"))
        return list_points(&ctx, arena, s);
    if (!strcmp(command, "uploads"))
        return count_uploads(&ctx, arena, s);
    if (argc == 3 && (!strcmp(command, "get") || !strcmp(command, "put")))
        return copy_object(&ctx, arena, s, command[0] == 'p', argv[1], argv[2]);
    TRY(ssh_connect(&ctx, &s->target, &ssh));
    if (!strcmp(command, "backup") && argc == 2)
        return run_backup(&ctx, arena, s, ssh, argv[1]);
    if (!strcmp(command, "restore") && (argc == 2 || argc == 3))
        return run_restore(&ctx, arena, s, ssh, argv[1], argc == 3 ? argv[2] : NULL);
    return err_new(ERR_INPUT, "unknown command '%s'", command);
}

static struct err *run(struct arena *arena, int argc, char **argv)
{
    struct settings s = {0};
    char *text;
    size_t length;
    TRY(http_global_init());
    TRY(ssh_global_init());
    TRY(log_open(getenv("REHOST_TEST_LOG") ? getenv("REHOST_TEST_LOG") : "/dev/null", LOG_DEBUG));
    TRY(fs_read_file(arena, argv[1], 65536, &text, &length));
    TRY(decode_json(text, length, "settings", &s.json));
    struct err *failed = run_command(arena, &s, argc - 2, argv + 2);
    s3_close(s.env.s3);
    json_decref(s.json);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: data_driver SETTINGS.json keys|backup|points|restore ...\n");
        return 2;
    }
    struct arena *arena = arena_new(0);
    struct err *failed = run(arena, argc, argv);
    if (failed)
        fprintf(stderr, "%s: %s\n", err_kind_name(err_kind(failed)), err_text(failed));
    int status = failed ? 1 : 0;
    err_free(failed);
    arena_free(arena);
    log_close();
    return status;
}
