#include "base/http_pool.h"

#include "base/io.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define DEFAULT_HANDLES 4
#define CONNECTIONS_PER_HANDLE 2L

struct http_pool {
    struct arena *arena; /* holds the options' texts and the handles */
    struct http_pool_options options;
    pthread_mutex_t lock;
    struct http_handle *free; /* the last one given back comes first: its connection is warm */
    int free_fd; /* an eventfd that counts the free handles, so that waiting for one goes through ctx_wait()
                  */
    struct http_handle *handles;
};

struct err *http_global_init(void)
{
    /* OpenSSL writes to sockets without MSG_NOSIGNAL, and children may close their stdin early. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return err_errno(ERR_INTERNAL, errno, "cannot ignore SIGPIPE");
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    return code ? err_new(ERR_INTERNAL, "cannot start libcurl: %s", curl_easy_strerror(code)) : NULL;
}

static struct err *handle_open(struct http_handle *handle)
{
    handle->easy = curl_easy_init();
    handle->multi = curl_multi_init();
    if (!handle->easy || !handle->multi)
        return err_new(ERR_INTERNAL, "cannot make an HTTP handle: out of memory");
    (void)curl_multi_setopt(handle->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_PER_HANDLE);
    return NULL;
}

static void handle_close(struct http_handle *handle)
{
    curl_easy_cleanup(handle->easy);
    if (handle->multi)
        (void)curl_multi_cleanup(handle->multi);
}

struct err *http_pool_open(const struct http_pool_options *options, struct http_pool **out)
{
    struct http_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return err_new(ERR_INTERNAL, "cannot make an HTTP pool: out of memory");
    pool->arena = arena_new(0);
    pool->options.max_handles = options && options->max_handles ? options->max_handles : DEFAULT_HANDLES;
    pool->options.ca_file = options ? arena_strdup(pool->arena, options->ca_file) : NULL;
    pool->options.user_agent = options && options->user_agent ? arena_strdup(pool->arena, options->user_agent)
                                                              : "rehost/" REHOST_VERSION;
    pool->handles = arena_array(pool->arena, pool->options.max_handles, sizeof(*pool->handles));
    (void)pthread_mutex_init(&pool->lock, NULL);

    pool->free_fd = eventfd((unsigned)pool->options.max_handles, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    struct err *failure = pool->free_fd < 0 ? err_errno(ERR_IO, errno, "cannot make an HTTP pool") : NULL;
    for (size_t i = 0; !failure && i < pool->options.max_handles; i++) {
        failure = handle_open(&pool->handles[i]);
        pool->handles[i].next_free = pool->free;
        pool->free = &pool->handles[i];
    }
    if (failure) {
        http_pool_close(pool);
        return failure;
    }
    *out = pool;
    return NULL;
}

void http_pool_close(struct http_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->options.max_handles; i++)
        handle_close(&pool->handles[i]);
    io_closep(&pool->free_fd);
    (void)pthread_mutex_destroy(&pool->lock);
    arena_free(pool->arena);
    free(pool);
}

struct err *http_pool_borrow(const struct ctx *ctx, struct http_pool *pool, struct http_handle **handle)
{
    eventfd_t one = 0;
    do {
        struct pollfd is_free = {.fd = pool->free_fd, .events = POLLIN};
        TRY(ctx_wait(ctx, &is_free, 1, -1, NULL));
    } while (eventfd_read(pool->free_fd, &one)); /* another thread may have been faster */
    (void)pthread_mutex_lock(&pool->lock);
    *handle = pool->free;
    pool->free = (*handle)->next_free;
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void http_pool_give_back(struct http_pool *pool, struct http_handle *handle)
{
    (void)pthread_mutex_lock(&pool->lock);
    handle->next_free = pool->free;
    pool->free = handle;
    (void)pthread_mutex_unlock(&pool->lock);
    (void)eventfd_write(pool->free_fd, 1);
}

const struct http_pool_options *http_pool_settings(const struct http_pool *pool)
{
    return &pool->options;
}
