/* One S3 request, shared by s3.c (objects) and s3upload.c (uploads in parts). Private to the two. */
#pragma once
#include "base/s3.h"
#include "base/s3xml.h"
#include "base/sigv4.h"

struct s3 {
    struct http_pool *pool;
    char *endpoint, *region, *bucket;
    struct secret *access_key, *secret_key;
};

#define S3_MAX_PARAMS 6

struct s3_call {
    const char *what;   /* for the log and errors: "list parts" */
    const char *method;
    const char *key;    /* NULL: the bucket itself */
    struct sigv4_param params[S3_MAX_PARAMS]; /* ends at the first without a name */
    struct http_header header;  /* signed; name NULL: none */
    struct http_header extra;   /* not signed; name NULL: none */
    const void *body;
    size_t body_length;
    size_t max_bytes;   /* of the answer; 0: 8 MiB */
    bool once;          /* never sent again after an unknown outcome */
};

/* Sends, retries where that is safe, and classifies: an answer other than 2xx is an error. */
struct err *s3_send(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const struct s3_call *call,
                    struct http_response *response) REHOST_MUST_CHECK;
/* As s3_send(), and parses the body. A root element <Error> is an error whatever the status. *doc is owned by the caller. */
struct err *s3_send_xml(const struct ctx *ctx, struct s3 *s3, struct arena *arena, const struct s3_call *call,
                        xmlDocPtr *doc) REHOST_MUST_CHECK;
char *s3_presign(struct s3 *s3, struct arena *arena, const struct s3_call *call, int expires_seconds);
/* Without the quotes around it. */
const char *s3_bare_etag(struct arena *arena, const char *etag);
