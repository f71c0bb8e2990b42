/* Uploads in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
#include "base/retry.h"
#include "base/s3call.h"
#include "base/scrub.h"

#include <string.h>

#define MAX_PARTS 10000
#define MAX_UPLOADS 10000

struct err *s3_begin_upload(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                            const char **upload_id)
{
    xmlDocPtr doc CLEANUP_XML = NULL;
    const struct s3_call call = {.what = "begin the upload of",
                                 .method = "POST",
                                 .key = key,
                                 .params = {{"uploads", ""}},
                                 .once = true};
    TRY(s3_send_xml(ctx, s3, arena, &call, &doc));
    *upload_id = s3xml_text(arena, doc, NULL, "UploadId");
    if (!**upload_id)
        return err_new(ERR_UNKNOWN_OUTCOME, "the store began an upload of '%s' without telling its id", key);
    return NULL;
}

static struct err *list_parts_page(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                                   const char *upload_id, struct s3_part *parts, size_t *count, bool *more)
{
    xmlDocPtr doc CLEANUP_XML = NULL;
    const char *marker = arena_printf(arena, "%d", *count ? parts[*count - 1].number : 0);
    const struct s3_call call = {
        .what = "list the parts of",
        .method = "GET",
        .key = key,
        .params = {{"max-parts", "1000"}, {"part-number-marker", marker}, {"uploadId", upload_id}}};
    TRY(s3_send_xml(ctx, s3, arena, &call, &doc));
    size_t before = *count;
    for (xmlNodePtr entry = s3xml_child(doc, NULL, "Part"); entry; entry = s3xml_next(entry)) {
        if (*count >= MAX_PARTS)
            return err_new(ERR_REJECTED, "the store lists more than %d parts of '%s'", MAX_PARTS, key);
        parts[(*count)++] =
            (struct s3_part){.number = (int)s3xml_int(doc, entry, "PartNumber"),
                             .etag = s3_bare_etag(arena, s3xml_text(arena, doc, entry, "ETag")),
                             .size_bytes = s3xml_int(doc, entry, "Size")};
    }
    *more = !strcmp(s3xml_text(arena, doc, NULL, "IsTruncated"), "true");
    if (*more && *count == before)
        return err_new(ERR_REJECTED, "the store lists the parts of '%s' without end", key);
    return NULL;
}

struct err *s3_list_parts(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *key,
                          const char *upload_id, struct s3_part **parts, size_t *count)
{
    bool more = true;
    *parts = arena_array(arena, MAX_PARTS, sizeof **parts);
    *count = 0;
    while (more)
        TRY(list_parts_page(ctx, s3, arena, key, upload_id, *parts, count, &more));
    return NULL;
}

/* libxml2's BAD_CAST drops the const of a literal, which clang refuses. */
static const xmlChar *xml_text(const char *text)
{
    return (const xmlChar *)text;
}

/* <CompleteMultipartUpload><Part><PartNumber/><ETag/></Part>...</CompleteMultipartUpload>, owned by the
 * arena. */
static const char *part_list(struct arena *arena, const struct s3_part *parts, size_t count, size_t *length)
{
    xmlDocPtr doc CLEANUP_XML = xmlNewDoc(xml_text("1.0"));
    xmlNodePtr root = xmlNewDocNode(doc, NULL, xml_text("CompleteMultipartUpload"), NULL);
    xmlChar *text;
    int text_length;
    xmlDocSetRootElement(doc, root);
    for (size_t i = 0; i < count; i++) {
        xmlNodePtr part = xmlNewChild(root, NULL, xml_text("Part"), NULL);
        xmlNewTextChild(part, NULL, xml_text("PartNumber"),
                        xml_text(arena_printf(arena, "%d", parts[i].number)));
        xmlNewTextChild(part, NULL, xml_text("ETag"), xml_text(arena_printf(arena, "\"%s\"", parts[i].etag)));
    }
    xmlDocDumpMemory(doc, &text, &text_length);
    *length = (size_t)text_length;
    const char *copy = arena_memdup(arena, text, *length);
    xmlFree(text);
    return copy;
}

struct completion {
    struct s3 *s3;
    struct arena *arena;
    const struct s3_call *call;
    const struct s3_part *parts;
    size_t count;
};

/* After a completion whose outcome is not known: success when the object is there, `failed` while the upload
 * is. */
static struct err *settle_completion(const struct ctx *ctx, const struct completion *c, struct err *failed)
{
    struct s3_part *listed;
    size_t listed_count;
    struct s3_object object = {0};
    int64_t size_bytes = 0;
    for (size_t i = 0; i < c->count; i++)
        size_bytes += c->parts[i].size_bytes;
    struct err *gone CLEANUP_ERR =
        s3_list_parts(ctx, c->s3, c->arena, c->call->key, c->call->params[0].value, &listed, &listed_count);
    if (!gone || err_kind(gone) != ERR_NOT_FOUND)
        return failed;
    struct err *absent CLEANUP_ERR = s3_head(ctx, c->s3, c->arena, c->call->key, &object);
    if (!absent && object.size_bytes == size_bytes) {
        err_free(failed);
        return NULL;
    }
    return absent && err_kind(absent) != ERR_NOT_FOUND ? failed : err_with_kind(failed, ERR_NOT_FOUND);
}

/* A second completion is harmless, but radosgw answers 500 to one of an upload that does not exist any more.
 */
static struct err *complete_once(const struct ctx *ctx, void *arg)
{
    const struct completion *c = arg;
    xmlDocPtr doc CLEANUP_XML = NULL;
    struct err *failed = s3_send_xml(ctx, c->s3, c->arena, c->call, &doc);
    if (!failed && strcmp(s3xml_root_name(doc), "CompleteMultipartUploadResult") != 0)
        failed = err_new(ERR_UNKNOWN_OUTCOME, "the store answered the completion of '%s' with something else",
                         c->call->key);
    if (failed && (err_kind(failed) == ERR_UNKNOWN_OUTCOME || err_kind(failed) == ERR_NOT_FOUND))
        return settle_completion(ctx, c, failed);
    return failed;
}

struct err *s3_complete_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id,
                               const struct s3_part *parts, size_t count)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct s3_call call = {.what = "complete the upload of",
                           .method = "POST",
                           .key = key,
                           .params = {{"uploadId", upload_id}},
                           .header = {"Content-Type", "application/xml"},
                           .once = true};
    call.body = part_list(arena, parts, count, &call.body_length);
    struct completion completion = {s3, arena, &call, parts, count};
    return retry_run(ctx, &retry_reads, call.what, complete_once, &completion);
}

static struct err *list_uploads_page(const struct ctx *ctx, struct s3 *s3, struct arena *arena,
                                     const char *prefix, struct s3_upload *uploads, size_t *count, bool *more)
{
    xmlDocPtr doc CLEANUP_XML = NULL;
    struct s3_call call = {.what = "list the uploads of",
                           .method = "GET",
                           .params = {{"max-uploads", "1000"}, {"prefix", prefix}, {"uploads", ""}}};
    if (*count) {
        call.params[3] = (struct sigv4_param){"key-marker", uploads[*count - 1].key};
        call.params[4] = (struct sigv4_param){"upload-id-marker", uploads[*count - 1].upload_id};
    }
    TRY(s3_send_xml(ctx, s3, arena, &call, &doc));
    size_t before = *count;
    for (xmlNodePtr entry = s3xml_child(doc, NULL, "Upload"); entry; entry = s3xml_next(entry)) {
        if (*count >= MAX_UPLOADS)
            return err_new(ERR_REJECTED, "more than %d unfinished uploads under '%s'", MAX_UPLOADS, prefix);
        uploads[(*count)++] = (struct s3_upload){.key = s3xml_text(arena, doc, entry, "Key"),
                                                 .upload_id = s3xml_text(arena, doc, entry, "UploadId")};
    }
    *more = !strcmp(s3xml_text(arena, doc, NULL, "IsTruncated"), "true");
    if (*more && *count == before)
        return err_new(ERR_REJECTED, "the store lists the uploads under '%s' without end", prefix);
    return NULL;
}

struct err *s3_list_uploads(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const char *prefix,
                            struct s3_upload **uploads, size_t *count)
{
    bool more = true;
    *uploads = arena_array(arena, MAX_UPLOADS, sizeof **uploads);
    *count = 0;
    while (more)
        TRY(list_uploads_page(ctx, s3, arena, prefix, *uploads, count, &more));
    return NULL;
}

struct err *s3_abort_upload(const struct ctx *ctx, struct s3 *s3, const char *key, const char *upload_id)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct http_response response = {0};
    const struct s3_call call = {
        .what = "abort the upload of", .method = "DELETE", .key = key, .params = {{"uploadId", upload_id}}};
    struct err *failed = s3_send(ctx, s3, arena, &call, &response);
    if (failed && err_kind(failed) == ERR_NOT_FOUND) {
        err_free(failed);
        return NULL;
    }
    return failed;
}

/* ---- URLs for hosts ---- */

static void forget_signature(void *signature)
{
    scrub_forget(signature, strlen(signature));
}

/* A presigned URL is a credential because of its signature: that part is what must not be shown. */
static char *guard(struct arena *arena, char *url)
{
    char *signature = strstr(url, "X-Amz-Signature=");
    if (signature) {
        char *value = arena_strdup(arena, signature + strlen("X-Amz-Signature="));
        scrub_register(value, strlen(value));
        arena_defer(arena, forget_signature, value);
    }
    return url;
}

char *s3_presign_get(struct s3 *s3, struct arena *arena, const char *key, int expires_seconds)
{
    const struct s3_call call = {.what = "read", .method = "GET", .key = key};
    return guard(arena, s3_presign(s3, arena, &call, expires_seconds));
}

char *s3_presign_part(struct s3 *s3, struct arena *arena, const char *key, const char *upload_id,
                      int part_number, int expires_seconds)
{
    const struct s3_call call = {
        .what = "upload a part of",
        .method = "PUT",
        .key = key,
        .params = {{"partNumber", arena_printf(arena, "%d", part_number)}, {"uploadId", upload_id}}};
    return guard(arena, s3_presign(s3, arena, &call, expires_seconds));
}
