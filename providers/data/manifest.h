/* Manifests: what a restore point is, signed. Private to providers/data.
 *
 * The manifest says where it belongs (host, dataset, stamp, key), so that a signed one cannot stand in for
 * another. The signature is written last: a point exists when manifest.sig does.
 */
#pragma once
#include "providers/data/driver.h"
#include "providers/data/host_script.h"

#define MANIFEST_FORMAT 1

struct manifest_input {
    const char *stamp;
    const char *job;
    const char *const *recipients; /* NULL-terminated */
    int64_t part_size;
    const struct host_report *report;
};

/* PREFIX/HOST/DATASET/ and, with a stamp and a file, an object below it. */
char *point_prefix(struct arena *arena, const struct data_env *env, const struct dataset *dataset);
char *point_key(struct arena *arena, const struct data_env *env, const struct dataset *dataset,
                const char *stamp, const char *file);
bool is_stamp(const char *text); /* 20261120_020012 */

/* Stores RESTORE.txt, manifest.json and manifest.sig, in this order, and reads the point back from what was
 * stored. */
struct err *manifest_store(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                           const struct dataset_ops *ops, const struct dataset *dataset,
                           const struct manifest_input *input, struct restore_point *point) REHOST_MUST_CHECK;
/* Reads one point and verifies it. ERR_NOT_FOUND (no manifest), ERR_TRUST (not signed by us, or signed for
 * another place). */
struct err *manifest_read(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                          const struct dataset *dataset, const char *stamp,
                          struct restore_point *point) REHOST_MUST_CHECK;
/* s3_put() between an intent and its outcome. */
struct err *put_with_effect(const struct ctx *ctx, const struct data_env *env, struct arena *arena,
                            const char *key, const void *data, size_t length) REHOST_MUST_CHECK;
