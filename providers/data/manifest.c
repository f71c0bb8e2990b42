#include "providers/data/manifest.h"

#include "base/clock.h"
#include "base/decode.h"
#include "base/sign.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX_BYTES (4u << 20)
#define SIGNATURE_MAX_BYTES 1024

/* ---- names ---- */

char *point_prefix(struct arena *arena, const struct data_env *env, const struct dataset *dataset)
{
    const char *prefix = env->prefix ? env->prefix : "";
    size_t length = strlen(prefix);
    while (length && prefix[length - 1] == '/')
        length--;
    return arena_printf(arena, "%.*s%s%s/%s/", (int)length, prefix, length ? "/" : "", dataset->host,
                        dataset->name);
}

char *point_key(struct arena *arena, const struct data_env *env, const struct dataset *dataset,
                const char *stamp, const char *file)
{
    return arena_printf(arena, "%s%s/%s", point_prefix(arena, env, dataset), stamp, file);
}

bool is_stamp(const char *text)
{
    for (int i = 0; i < 15; i++)
        if (i == 8 ? text[i] != '_' : !isdigit((unsigned char)text[i]))
            return false;
    return !text[15];
}

struct err *put_with_effect(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                            const char *key, const void *data, size_t length)
{
    int64_t effect;
    const char *subject = arena_printf(arena, "s3://%s/%s", s3_bucket(env->s3), key);
    TRY(effect_begin(env->effects, "s3.put", subject, NULL, &effect));
    return effect_end(env->effects, effect, s3_put(ctx, env->s3, key, data, length, false), NULL);
}

/* ---- writing ---- */

static json_t *list_parts(const struct host_report *report, int64_t *size_bytes)
{
    json_t *parts = json_array();
    *size_bytes = 0;
    for (size_t i = 0; i < report->part_count; i++) {
        const struct s3_part *part = &report->parts[i];
        json_array_append_new(parts, json_pack("{s:i, s:s, s:I}", "number", part->number, "etag", part->etag,
                                               "size_bytes", (json_int_t)part->size_bytes));
        *size_bytes += part->size_bytes;
    }
    return parts;
}

static json_t *list_texts(const char *const *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; texts[i]; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

static json_t *describe_object(const struct manifest_input *input, const char *key)
{
    int64_t size_bytes;
    json_t *parts = list_parts(input->report, &size_bytes);
    return json_pack("{s:s, s:I, s:s, s:I, s:o}", "key", key, "size_bytes", (json_int_t)size_bytes, "sha256",
                     input->report->sha256, "part_size_bytes", (json_int_t)input->part_size, "parts", parts);
}

static struct err *make_manifest(const struct dataset_ops *ops, const struct dataset *dataset,
                                 const struct manifest_input *input, int64_t taken_ms, const char *key,
                                 json_t **out)
{
    char taken_at[CLOCK_TEXT_SIZE];
    const struct host_report *report = input->report;
    *out = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "format", MANIFEST_FORMAT, "host", dataset->host,
                     "dataset", dataset->name, "kind", dataset->kind, "stamp", input->stamp, "taken_at",
                     clock_format_utc(taken_ms, taken_at), "job", input->job);
    json_t *more = json_pack("{s:s, s:o, s:O, s:O, s:o, s:I, s:O, s:o}", "command", ops->command, "options",
                             json_deep_copy(dataset->options), "tools", report->tools, "source", report->info,
                             "recipients", list_texts(input->recipients), "source_bytes",
                             (json_int_t)report->source_bytes, "probes", report->probes, "object",
                             describe_object(input, key));
    bool ok = *out && more && json_object_update(*out, more) == 0;
    json_decref(more);
    return ok ? NULL : err_new(ERR_INTERNAL, "cannot make the manifest of '%s'", key);
}

/* For people who look at it; the bytes are what is signed. */
static const char *dump_indented(struct arena *arena, const json_t *json)
{
    char *dump =
        json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1)); /* never by four spaces: see make_instructions() */
    const char *text = arena_printf(arena, "%s\n", dump ? dump : "{}");
    free(dump);
    return text;
}

/* For a human with the offline key, after everything else is lost. Commands are indented by four spaces and
 * run as they stand. */
static const char *make_instructions(struct arena *arena, const struct data_env *env,
                                     const struct dataset_ops *ops, const struct dataset *dataset,
                                     const json_t *manifest, const char *key,
                                     const struct host_report *report)
{
    struct strbuf text CLEANUP_STRBUF;
    const struct restore_target target = {.id = "manual", .source = report->info};
    strbuf_init(&text, 0);
    strbuf_addf(
        &text,
        "Restore point of dataset '%s' (%s) of host '%s', as of %s.\n\n"
        "Needed: curl 7.75 or newer, age, zstd, %s, and these in shell variables:\n"
        "  RECOVERY_KEY            a file with the offline recovery identity (AGE-SECRET-KEY-1...)\n"
        "  ACCESS_KEY, SECRET_KEY  credentials that may read the bucket '%s'\n\n"
        "1. Fetch and check. curl gets the credentials on its standard input, not on its command line.\n\n",
        dataset->name, dataset->kind, dataset->host, json_string_value(json_object_get(manifest, "taken_at")),
        ops->consumer, s3_bucket(env->s3));
    strbuf_addf(&text,
                "    set -euo pipefail\n"
                "    printf 'user = \"%%s:%%s\"\\n' \"$ACCESS_KEY\" \"$SECRET_KEY\" | curl -sS --fail -K - "
                "--aws-sigv4 aws:amz:%s:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -o data.zst.age ",
                s3_region(env->s3));
    strbuf_add_shell_quoted(&text, s3_url(env->s3, arena, key));
    strbuf_addf(&text, "\n    echo '%s  data.zst.age' | sha256sum -c -\n\n", report->sha256);
    strbuf_adds(&text, "2. Decrypt and load. ");
    ops->add_manual_restore(dataset, &target, &text);
    strbuf_adds(&text, "\n3. Compare with what was counted when the backup was taken:\n\n");
    strbuf_adds(&text, dump_indented(arena, report->probes));
    return strbuf_to_arena(&text, arena);
}

struct err *manifest_store(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                           const struct dataset_ops *ops, const struct dataset *dataset,
                           const struct manifest_input *input, struct restore_point *point)
{
    json_t *manifest CLEANUP_JSON = NULL;
    char *signature;
    int64_t taken_ms;
    const char *key = point_key(arena, env, dataset, input->stamp, "data.zst.age");
    TRY(clock_parse_utc(input->stamp, &taken_ms));
    TRY(make_manifest(ops, dataset, input, taken_ms, key, &manifest));
    const char *instructions = make_instructions(arena, env, ops, dataset, manifest, key, input->report);
    const char *text = dump_indented(arena, manifest);
    TRY(sign_bytes(arena, env->signing_key, text, strlen(text), &signature));
    TRY(put_with_effect(ctx, env, arena, point_key(arena, env, dataset, input->stamp, "RESTORE.txt"),
                        instructions, strlen(instructions)));
    TRY(put_with_effect(ctx, env, arena, point_key(arena, env, dataset, input->stamp, "manifest.json"), text,
                        strlen(text)));
    TRY(put_with_effect(ctx, env, arena, point_key(arena, env, dataset, input->stamp, "manifest.sig"),
                        signature, strlen(signature)));
    return manifest_read(ctx, env, arena, dataset, input->stamp, point);
}

/* ---- reading ---- */

static void drop_json(void *json)
{
    json_decref(json);
}

/* That the manifest speaks of this very place: a signed one could have been copied from another. */
static struct err *check_place(const struct dataset *dataset, const char *stamp, const char *key,
                               const json_t *manifest)
{
    const char *host, *name, *kind, *signed_stamp, *signed_key;
    int64_t format;
    TRY(decode_int(manifest, "format", &format));
    TRY(decode_string(manifest, "host", &host));
    TRY(decode_string(manifest, "dataset", &name));
    TRY(decode_string(manifest, "kind", &kind));
    TRY(decode_string(manifest, "stamp", &signed_stamp));
    TRY(decode_string(manifest, "object.key", &signed_key));
    if (format != MANIFEST_FORMAT)
        return err_new(ERR_REJECTED, "the manifest has format %lld; this rehost reads format %d",
                       (long long)format, MANIFEST_FORMAT);
    if (strcmp(host, dataset->host) != 0 || strcmp(name, dataset->name) != 0 ||
        strcmp(signed_stamp, stamp) != 0 || strcmp(signed_key, key) != 0)
        return err_new(ERR_TRUST, "the manifest was signed for another place, '%.200s'", signed_key);
    if (strcmp(kind, dataset->kind) != 0)
        return err_new(ERR_INPUT, "the restore point holds a dataset of kind '%.40s', not '%s'", kind,
                       dataset->kind);
    return NULL;
}

static struct err *fill_point(const char *key, const char *stamp, json_t *manifest,
                              struct restore_point *point)
{
    const json_t *probes;
    const char *taken_at;
    *point = (struct restore_point){.stamp = stamp, .key = key, .manifest = manifest};
    TRY(decode_string(manifest, "taken_at", &taken_at));
    TRY(clock_parse_utc(taken_at, &point->taken_ms));
    TRY(decode_int(manifest, "object.size_bytes", &point->size_bytes));
    TRY(decode_optional_int(manifest, "source_bytes", 0, &point->source_bytes));
    TRY(decode_object(manifest, "probes", &probes));
    point->probes = json_object_get(manifest, "probes");
    return NULL;
}

struct err *manifest_read(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                          const struct dataset *dataset, const char *stamp, struct restore_point *point)
{
    char *text, *signature;
    size_t length, signature_length;
    json_t *manifest;
    const char *key = point_key(arena, env, dataset, stamp, "data.zst.age");
    TRY(s3_get(ctx, env->s3, arena, point_key(arena, env, dataset, stamp, "manifest.json"),
               MANIFEST_MAX_BYTES, &text, &length));
    TRY(s3_get(ctx, env->s3, arena, point_key(arena, env, dataset, stamp, "manifest.sig"),
               SIGNATURE_MAX_BYTES, &signature, &signature_length));
    TRY(sign_verify(env->signing_key, text, length, signature));
    TRY(decode_json(text, length, "manifest", &manifest));
    arena_defer(arena, drop_json, manifest);
    TRY(check_place(dataset, stamp, key, manifest));
    return fill_point(key, arena_strdup(arena, stamp), manifest, point);
}

/* ---- the list of points ---- */

/* The stamps below the dataset's prefix, each once, newest first: S3 lists in ascending order. */
static const char **collect_stamps(struct arena *arena, const char *prefix, const struct s3_object *objects,
                                   size_t count, size_t *stamp_count)
{
    const char **stamps = arena_array(arena, count + 1, sizeof *stamps);
    size_t found = 0, start = strlen(prefix);
    for (size_t i = count; i-- > 0;) {
        const char *rest = objects[i].key + start, *slash = strchr(rest, '/');
        char *stamp = slash ? arena_strndup(arena, rest, (size_t)(slash - rest)) : NULL;
        if (stamp && is_stamp(stamp) && (found == 0 || strcmp(stamps[found - 1], stamp) != 0))
            stamps[found++] = stamp;
    }
    *stamp_count = found;
    return stamps;
}

/* What may be said of one bad point without giving up the others. */
static bool concerns_one_point(const struct err *failed)
{
    enum err_kind kind = err_kind(failed);
    return kind == ERR_NOT_FOUND || kind == ERR_TRUST || kind == ERR_INPUT || kind == ERR_REJECTED;
}

struct err *dataset_list_points(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                                const struct dataset *dataset, struct restore_point **points, size_t *count,
                                const char ***warnings, size_t *warning_count)
{
    struct s3_object *objects;
    size_t object_count, stamp_count, warned = 0;
    const char *prefix = point_prefix(arena, env, dataset);
    TRY(dataset_check_options(dataset));
    TRY(s3_list(ctx, env->s3, arena, prefix, &objects, &object_count));
    const char **stamps = collect_stamps(arena, prefix, objects, object_count, &stamp_count);
    const char **said = arena_array(arena, stamp_count + 1, sizeof *said);
    *points = arena_array(arena, stamp_count + 1, sizeof **points);
    *count = 0;
    for (size_t i = 0; i < stamp_count; i++) {
        struct err *failed = manifest_read(ctx, env, arena, dataset, stamps[i], &(*points)[*count]);
        if (failed && !concerns_one_point(failed))
            return failed;
        if (failed)
            said[warned++] = arena_printf(arena, "restore point '%s' of '%s' is left out: %s", stamps[i],
                                          dataset->name, err_text(failed));
        else
            (*count)++;
        err_free(failed);
    }
    if (warnings) {
        *warnings = said;
        *warning_count = warned;
    }
    return NULL;
}
