/* Object storage that speaks S3, through presigned requests; path-style addresses.
 *
 * Errors: ERR_NOT_FOUND, ERR_AUTH, ERR_CONFLICT (precondition failed), ERR_REJECTED (with S3's code), and those of http_send().
 * Only s3_complete_upload() makes an upload visible; it is called by the orchestrator when every exit code was 0.
 * Threads: a store may be used from many threads.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/http.h"
#include "base/secret.h"

struct s3;

struct s3_options {
    const char *endpoint; /* "https://fsn1.your-objectstorage.com" */
    const char *region;
    const char *bucket;
    const struct secret *access_key;
    const struct secret *secret_key;
    const char *ca_file; /* NULL: the system's */
};

struct s3_object {
    const char *key;
    int64_t size_bytes;
    int64_t modified_ms;
    const char *etag;
};

struct s3_part {
    int number; /* from 1 */
    const char *etag;
    int64_t size_bytes;
};

struct err *s3_open(const struct s3_options *options, struct s3 **s3) REHOST_MUST_CHECK;
void s3_close(struct s3 *s3);
const char *s3_bucket(const struct s3 *s3);

struct err *s3_put(const struct ctx *ctx, struct s3 *s3, const char *key, const void *data, size_t length,
                   bool only_if_absent) REHOST_MUST_CHECK;
struct err *s3_get(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, size_t max_bytes, char **data,
                   size_t *length) REHOST_MUST_CHECK;
struct err *s3_get_range(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, int64_t offset,
                         size_t length, char **data, size_t *got) REHOST_MUST_CHECK;
struct err *s3_head(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                    struct s3_object *object) REHOST_MUST_CHECK;
struct err *s3_delete(const struct ctx *ctx, struct s3 *s3, const char *key) REHOST_MUST_CHECK;
/* All objects under the prefix (ListObjectsV2, with its pages), at most 100 000. */
struct err *s3_list(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *prefix, struct s3_object **objects,
                    size_t *count) REHOST_MUST_CHECK;
/* Creates the bucket when it does not exist. */
struct err *s3_ensure_bucket(const struct ctx *ctx, struct s3 *s3) REHOST_MUST_CHECK;

struct err *s3_begin_upload(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                            const char **upload_id) REHOST_MUST_CHECK;
struct err *s3_list_parts(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, const char *upload_id,
                          struct s3_part **parts, size_t *count) REHOST_MUST_CHECK;
struct err *s3_complete_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id,
                               const struct s3_part *parts, size_t count) REHOST_MUST_CHECK;
struct err *s3_abort_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id) REHOST_MUST_CHECK;

/* URLs for a host that holds no credential. They are registered with the scrubber. */
char *s3_presign_get(struct s3 *s3, struct arena *arena, const char *key, int expires_seconds);
char *s3_presign_part(struct s3 *s3, struct arena *arena, const char *key, const char *upload_id, int part_number,
                      int expires_seconds);
