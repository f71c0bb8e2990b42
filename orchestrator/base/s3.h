/* Object storage that speaks S3, through presigned requests; path-style addresses.
 *
 * Errors: ERR_NOT_FOUND, ERR_AUTH, ERR_CONFLICT (precondition failed), ERR_REJECTED (with S3's code), and those of http_send().
 * Only s3_complete_upload() makes an upload visible; it is called by the orchestrator when every exit code was 0.
 * Requests that may safely be sent twice (all but s3_begin_upload(), s3_swap() and a conditional s3_put()) are retried by retry.h.
 * ETags are given and taken without quotes, and sent so in If-Match: stores built on radosgw answer 412 to the quoted form
 * (https://github.com/slatedb/slatedb/issues/1818, https://github.com/block/buzz/issues/3002, and seen with radosgw 16.2), while
 * Amazon's own example sends none (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
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

/* A version of an object, and when the store answered, by its own clock. */
struct s3_version {
    const char *etag;   /* NULL: there is none */
    int64_t answered_ms; /* the answer's Date: whole seconds, rounded down; 0: it had none */
};

struct s3_part {
    int number; /* from 1 */
    const char *etag;
    int64_t size_bytes;
};

struct s3_upload {
    const char *key;
    const char *upload_id;
};

struct err *s3_open(const struct s3_options *options, struct s3 **s3) REHOST_MUST_CHECK;
void s3_close(struct s3 *s3);
const char *s3_bucket(const struct s3 *s3);
const char *s3_region(const struct s3 *s3);
/* The plain address of an object, without a signature: for people. */
char *s3_url(const struct s3 *s3, struct arena *arena, const char *key);

struct err *s3_put(const struct ctx *ctx, struct s3 *s3, const char *key, const void *data, size_t length,
                   bool only_if_absent) REHOST_MUST_CHECK;
struct err *s3_get(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, size_t max_bytes, char **data,
                   size_t *length) REHOST_MUST_CHECK;
/* As s3_get(), and tells the version. After ERR_NOT_FOUND too *version is filled: by its time, and no ETag. */
struct err *s3_get_version(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, size_t max_bytes,
                           char **data, size_t *length, struct s3_version *version) REHOST_MUST_CHECK;
/* Compare and swap: stores when the object's ETag still is `expected_etag`, or, when that is NULL, when there is no object.
 * ERR_CONFLICT, or ERR_NOT_FOUND where the object is gone: it is not what was expected. Not every store honours the condition:
 * some ignore it and overwrite. Sent once: after ERR_UNKNOWN_OUTCOME read what is there. */
struct err *s3_swap(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key, const void *data, size_t length,
                    const char *expected_etag, struct s3_version *version) REHOST_MUST_CHECK;
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
/* A success of the server that hides an error in its body is an error here. ERR_NOT_FOUND: no such upload (any more). */
struct err *s3_complete_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id,
                               const struct s3_part *parts, size_t count) REHOST_MUST_CHECK;
/* Uploads that were begun and neither completed nor aborted, for keys under the prefix; at most 10 000. */
struct err *s3_list_uploads(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *prefix,
                            struct s3_upload **uploads, size_t *count) REHOST_MUST_CHECK;
/* Success also when the upload does not exist any more. */
struct err *s3_abort_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id) REHOST_MUST_CHECK;

/* URLs for a host that holds no credential. Their signatures are registered with the scrubber for as long as the arena lives. */
char *s3_presign_get(struct s3 *s3, struct arena *arena, const char *key, int expires_seconds);
char *s3_presign_part(struct s3 *s3, struct arena *arena, const char *key, const char *upload_id, int part_number,
                      int expires_seconds);
