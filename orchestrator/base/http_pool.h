/* The handles of a pool: for http.c alone. Each handle has a multi handle of its own, and with it its
 * connections and CA cache. */
#pragma once
#include "base/http.h"

#include <curl/curl.h>

struct http_handle {
    CURL *easy;
    CURLM *multi;
    struct http_handle *next_free;
};

/* Waits for a free handle: ERR_CANCELLED, ERR_TIMEOUT. */
struct err *http_pool_borrow(const struct ctx *ctx, struct http_pool *pool,
                             struct http_handle **handle) REHOST_MUST_CHECK;
void http_pool_give_back(struct http_pool *pool, struct http_handle *handle);
const struct http_pool_options *http_pool_settings(const struct http_pool *pool);
