/* The S3 client against a real server (Ceph's radosgw). REHOST_S3_JSON names the s3.json of a running one
 * (tests/services/s3-up); without it, a server is started for this test alone. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/proc.h"
#include "base/s3.h"
#include "base/scrub.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ok(expression)                                                                                       \
    do {                                                                                                     \
        struct err *failed_ = (expression);                                                                  \
        if (failed_)                                                                                         \
            fail_msg("%s", err_text(failed_));                                                               \
    } while (0)

#define refuses(expected_kind, expression)                                                                   \
    do {                                                                                                     \
        struct err *failed_ = (expression);                                                                  \
        assert_non_null(failed_);                                                                            \
        if (err_kind(failed_) != (expected_kind))                                                            \
            fail_msg("%s: %s", err_kind_name(err_kind(failed_)), err_text(failed_));                         \
        err_free(failed_);                                                                                   \
    } while (0)

#define PART_SIZE (5u << 20) /* the smallest that S3 allows for all parts but the last */

static struct fixture {
    struct arena *arena;
    struct ctx ctx;
    struct http_pool *pool;
    const char *own_dir;
    struct s3_options options;
    struct s3 *s3;
} f;

static void run(const char *const argv[])
{
    struct strbuf errout CLEANUP_STRBUF;
    struct proc_result result;
    strbuf_init(&errout, 0);
    ok(proc_run(&f.ctx, argv, NULL, 0, NULL, &errout, &result));
    if (result.exit_status != 0)
        fail_msg("%s: %s", argv[0], errout.data);
}

static const char *start_server(void)
{
    const char *const given = getenv("REHOST_S3_JSON");
    if (given)
        return given;
    unsigned pid = (unsigned)getpid();
    const char *address = arena_printf(f.arena, "127.%u.%u.7:7480", 64 + (pid >> 8) % 128, pid & 255);
    f.own_dir = arena_printf(f.arena, "/tmp/rehost-test-s3.%u", pid);
    run((const char *[]){SOURCE_DIR "/tests/services/s3-up", f.own_dir, address, NULL});
    return arena_printf(f.arena, "%s/s3.json", f.own_dir);
}

static struct secret *keep(const char *text)
{
    struct secret *secret;
    ok(secret_new(text, strlen(text), &secret));
    return secret_keep(f.arena, secret);
}

static int set_up(void **state)
{
    (void)state;
    char *text;
    size_t length;
    json_t *json;
    const char *access_key, *secret_key;
    f.arena = arena_new(0);
    f.ctx = ctx_background();
    ok(http_global_init());
    ok(fs_read_file(f.arena, start_server(), 65536, &text, &length));
    ok(decode_json(text, length, "s3.json", &json));
    ok(decode_string(json, "endpoint", &f.options.endpoint));
    ok(decode_string(json, "region", &f.options.region));
    ok(decode_string(json, "access_key", &access_key));
    ok(decode_string(json, "secret_key", &secret_key));
    f.options.endpoint = arena_strdup(f.arena, f.options.endpoint);
    f.options.region = arena_strdup(f.arena, f.options.region);
    f.options.bucket = arena_printf(f.arena, "test-%s", hash_random_id(f.arena, 12));
    f.options.access_key = keep(access_key);
    f.options.secret_key = keep(secret_key);
    json_decref(json);
    ok(s3_open(&f.options, &f.s3));
    ok(s3_ensure_bucket(&f.ctx, f.s3));
    ok(http_pool_open(&(struct http_pool_options){0}, &f.pool));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    s3_close(f.s3);
    http_pool_close(f.pool);
    if (f.own_dir)
        run((const char *[]){SOURCE_DIR "/tests/services/s3-down", f.own_dir, NULL});
    arena_free(f.arena);
    return 0;
}

/* What a host does with a URL, and nothing else: no credential is at hand here. */
static int send_url(const char *method, const char *url, const void *body, size_t length,
                    struct http_response *response)
{
    const struct http_header type = {"Content-Type", "application/octet-stream"};
    ok(http_send(&f.ctx, f.pool, f.arena,
                 &(struct http_request){.method = method,
                                        .url = url,
                                        .body = body,
                                        .body_length = length,
                                        .headers = &type,
                                        .header_count = 1,
                                        .max_response_bytes = 64u << 20},
                 response));
    return response->status;
}

static void what_was_stored_is_read_back(void **state)
{
    (void)state;
    const char *keys[] = {"plain", "dir/with space/and+plus", "dir/ünïcode~*'()", "dir/a=b&c?d#e"};
    char *data;
    size_t length;
    for (size_t i = 0; i < 4; i++) {
        ok(s3_put(&f.ctx, f.s3, keys[i], "content", 7, false));
        ok(s3_get(&f.ctx, f.s3, f.arena, keys[i], 100, &data, &length));
        assert_int_equal(length, 7);
        assert_string_equal(data, "content");
        ok(s3_delete(&f.ctx, f.s3, keys[i]));
        refuses(ERR_NOT_FOUND, s3_get(&f.ctx, f.s3, f.arena, keys[i], 100, &data, &length));
        ok(s3_delete(&f.ctx, f.s3, keys[i]));
    }
}

static void an_object_that_must_be_absent_is_stored_once(void **state)
{
    (void)state;
    ok(s3_put(&f.ctx, f.s3, "once", "a", 1, true));
    refuses(ERR_CONFLICT, s3_put(&f.ctx, f.s3, "once", "b", 1, true));
    ok(s3_put(&f.ctx, f.s3, "once", "c", 1, false));
}

static void a_swap_happens_only_where_the_object_is_what_was_expected(void **state)
{
    (void)state;
    struct s3_version first, second, other;
    ok(s3_swap(&f.ctx, f.s3, f.arena, "swap", "a", 1, NULL, &first));
    refuses(ERR_CONFLICT, s3_swap(&f.ctx, f.s3, f.arena, "swap", "b", 1, NULL, &other));
    ok(s3_swap(&f.ctx, f.s3, f.arena, "swap", "b", 1, first.etag, &second));
    assert_string_not_equal(first.etag, second.etag);
    refuses(ERR_CONFLICT, s3_swap(&f.ctx, f.s3, f.arena, "swap", "c", 1, first.etag, &other));
    char *data;
    size_t length;
    ok(s3_get_version(&f.ctx, f.s3, f.arena, "swap", 100, &data, &length, &other));
    assert_string_equal(data, "b");
    assert_string_equal(other.etag, second.etag);
    ok(s3_delete(&f.ctx, f.s3, "swap"));
    struct err *failed = s3_swap(&f.ctx, f.s3, f.arena, "swap", "c", 1, second.etag, &other);
    assert_true(failed && (err_kind(failed) == ERR_NOT_FOUND || err_kind(failed) == ERR_CONFLICT));
    err_free(failed);
}

static void the_store_tells_its_time_also_of_what_is_not_there(void **state)
{
    (void)state;
    struct s3_version version;
    char *data;
    size_t length;
    const int64_t before_ms = clock_now_ms();
    refuses(ERR_NOT_FOUND,
            s3_get_version(&f.ctx, f.s3, f.arena, "nothing-here", 100, &data, &length, &version));
    assert_null(version.etag);
    assert_true(version.answered_ms >= before_ms - 1000 && version.answered_ms <= clock_now_ms());
}

static void a_larger_object_than_expected_is_refused(void **state)
{
    (void)state;
    char *data;
    size_t length;
    ok(s3_put(&f.ctx, f.s3, "large", "0123456789", 10, false));
    refuses(ERR_INPUT, s3_get(&f.ctx, f.s3, f.arena, "large", 9, &data, &length));
}

static void a_range_is_exactly_what_was_asked_for(void **state)
{
    (void)state;
    char *data;
    size_t length;
    ok(s3_put(&f.ctx, f.s3, "range", "0123456789", 10, false));
    ok(s3_get_range(&f.ctx, f.s3, f.arena, "range", 3, 4, &data, &length));
    assert_int_equal(length, 4);
    assert_memory_equal(data, "3456", 4);
    ok(s3_get_range(&f.ctx, f.s3, f.arena, "range", 8, 100, &data, &length));
    assert_int_equal(length, 2);
    refuses(ERR_REJECTED, s3_get_range(&f.ctx, f.s3, f.arena, "range", 10, 1, &data, &length));
}

static void head_tells_size_time_and_etag_without_quotes(void **state)
{
    (void)state;
    struct s3_object object;
    ok(s3_put(&f.ctx, f.s3, "head", "content", 7, false));
    ok(s3_head(&f.ctx, f.s3, f.arena, "head", &object));
    assert_int_equal(object.size_bytes, 7);
    assert_string_equal(object.etag, "9a0364b9e99bb480dd25e1f0284c8555");
    assert_true(object.modified_ms > 1700000000000);
    refuses(ERR_NOT_FOUND, s3_head(&f.ctx, f.s3, f.arena, "nothing-here", &object));
}

static void a_list_goes_on_over_its_pages(void **state)
{
    (void)state;
    struct s3_object *objects;
    size_t count;
    for (int i = 0; i < 1003; i++)
        ok(s3_put(&f.ctx, f.s3, arena_printf(f.arena, "list/%04d", i), "x", 1, false));
    ok(s3_list(&f.ctx, f.s3, f.arena, "list/", &objects, &count));
    assert_int_equal(count, 1003);
    for (int i = 0; i < 1003; i++)
        assert_string_equal(objects[i].key, arena_printf(f.arena, "list/%04d", i));
    assert_int_equal(objects[0].size_bytes, 1);
    assert_true(objects[0].modified_ms > 1700000000000);
    ok(s3_list(&f.ctx, f.s3, f.arena, "no-such-prefix/", &objects, &count));
    assert_int_equal(count, 0);
}

static void wrong_credentials_and_a_missing_bucket_are_told_apart(void **state)
{
    (void)state;
    struct s3_options options = f.options;
    struct s3 *s3;
    char *data;
    size_t length;
    options.secret_key = keep("not the secret key");
    ok(s3_open(&options, &s3));
    refuses(ERR_AUTH, s3_get(&f.ctx, s3, f.arena, "plain", 100, &data, &length));
    s3_close(s3);
    options = f.options;
    options.bucket = "no-such-bucket";
    ok(s3_open(&options, &s3));
    refuses(ERR_NOT_FOUND, s3_get(&f.ctx, s3, f.arena, "plain", 100, &data, &length));
    s3_close(s3);
    options.endpoint = "s3.example";
    refuses(ERR_INPUT, s3_open(&options, &s3));
}

static const char *put_part(const char *key, const char *upload_id, int number, const void *data,
                            size_t length)
{
    struct http_response response;
    const char *url = s3_presign_part(f.s3, f.arena, key, upload_id, number, 300);
    assert_int_equal(send_url("PUT", url, data, length, &response), 200);
    const char *etag = http_response_header(&response, "etag");
    assert_non_null(etag);
    return arena_strndup(f.arena, etag + 1, strlen(etag) - 2);
}

static void parts_sent_through_presigned_urls_become_one_object(void **state)
{
    (void)state;
    const char *upload_id, *key = "multi/part";
    struct s3_part *parts, bad;
    struct s3_object object;
    size_t count, length;
    char *all = arena_alloc(f.arena, 2 * PART_SIZE + 10), *back;
    hash_random(all, 2 * PART_SIZE + 10);
    ok(s3_begin_upload(&f.ctx, f.s3, f.arena, key, &upload_id));
    put_part(key, upload_id, 2, all + PART_SIZE, PART_SIZE);
    put_part(key, upload_id, 1, all + PART_SIZE, PART_SIZE);
    put_part(key, upload_id, 1, all, PART_SIZE); /* a repeated part replaces */
    const char *last = put_part(key, upload_id, 3, all + 2 * PART_SIZE, 10);
    ok(s3_list_parts(&f.ctx, f.s3, f.arena, key, upload_id, &parts, &count));
    assert_int_equal(count, 3);
    assert_int_equal(parts[2].number, 3);
    assert_int_equal(parts[2].size_bytes, 10);
    assert_string_equal(parts[2].etag, last);

    refuses(ERR_NOT_FOUND, s3_head(&f.ctx, f.s3, f.arena, key, &object));
    bad = parts[1];
    parts[1].etag = last;
    refuses(ERR_REJECTED, s3_complete_upload(&f.ctx, f.s3, key, upload_id, parts, count));
    parts[1] = bad;
    ok(s3_complete_upload(&f.ctx, f.s3, key, upload_id, parts, count));
    ok(s3_complete_upload(&f.ctx, f.s3, key, upload_id, parts, count)); /* again, as after a lost answer */
    ok(s3_get(&f.ctx, f.s3, f.arena, key, 64u << 20, &back, &length));
    assert_int_equal(length, 2 * PART_SIZE + 10);
    assert_memory_equal(back, all, length);
}

static void an_aborted_upload_leaves_nothing_and_can_be_aborted_again(void **state)
{
    (void)state;
    const char *upload_id;
    struct s3_upload *uploads;
    struct s3_part *parts;
    size_t count;
    ok(s3_begin_upload(&f.ctx, f.s3, f.arena, "abort/one", &upload_id));
    put_part("abort/one", upload_id, 1, "x", 1);
    ok(s3_list_uploads(&f.ctx, f.s3, f.arena, "abort/", &uploads, &count));
    assert_int_equal(count, 1);
    assert_string_equal(uploads[0].key, "abort/one");
    assert_string_equal(uploads[0].upload_id, upload_id);
    ok(s3_abort_upload(&f.ctx, f.s3, "abort/one", upload_id));
    ok(s3_abort_upload(&f.ctx, f.s3, "abort/one", upload_id));
    ok(s3_list_uploads(&f.ctx, f.s3, f.arena, "abort/", &uploads, &count));
    assert_int_equal(count, 0);
    refuses(ERR_NOT_FOUND, s3_list_parts(&f.ctx, f.s3, f.arena, "abort/one", upload_id, &parts, &count));
    refuses(ERR_NOT_FOUND,
            s3_complete_upload(&f.ctx, f.s3, "abort/one", upload_id, &(struct s3_part){1, "x", 1}, 1));
}

static void a_part_url_opens_nothing_else(void **state)
{
    (void)state;
    const char *upload_id, *key = "guard/one";
    struct http_response response;
    ok(s3_begin_upload(&f.ctx, f.s3, f.arena, key, &upload_id));
    char *url = s3_presign_part(f.s3, f.arena, key, upload_id, 1, 300);
    assert_int_equal(send_url("GET", url, NULL, 0, &response), 403);
    assert_int_equal(send_url("DELETE", url, NULL, 0, &response), 403);
    char *other = arena_strdup(f.arena, url);
    *(strstr(other, "partNumber=1") + strlen("partNumber=")) = '2';
    assert_int_equal(send_url("PUT", other, "x", 1, &response), 403);
    other = arena_strdup(f.arena, url);
    memcpy(strstr(other, "guard/one"), "guard/two", 9);
    assert_int_equal(send_url("PUT", other, "x", 1, &response), 403);
    assert_int_equal(send_url("PUT", url, "x", 1, &response), 200);
    ok(s3_abort_upload(&f.ctx, f.s3, key, upload_id));
}

static void a_presigned_url_never_reaches_a_log(void **state)
{
    (void)state;
    struct strbuf scrubbed CLEANUP_STRBUF;
    strbuf_init(&scrubbed, 0);
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    const char *url = s3_presign_get(f.s3, arena, "plain", 300);
    const char *signature = strstr(url, "X-Amz-Signature=") + strlen("X-Amz-Signature=");
    scrub_text(url, strlen(url), &scrubbed);
    assert_null(strstr(scrubbed.data, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_is_read_back),
        cmocka_unit_test(an_object_that_must_be_absent_is_stored_once),
        cmocka_unit_test(a_swap_happens_only_where_the_object_is_what_was_expected),
        cmocka_unit_test(the_store_tells_its_time_also_of_what_is_not_there),
        cmocka_unit_test(a_larger_object_than_expected_is_refused),
        cmocka_unit_test(a_range_is_exactly_what_was_asked_for),
        cmocka_unit_test(head_tells_size_time_and_etag_without_quotes),
        cmocka_unit_test(a_list_goes_on_over_its_pages),
        cmocka_unit_test(wrong_credentials_and_a_missing_bucket_are_told_apart),
        cmocka_unit_test(parts_sent_through_presigned_urls_become_one_object),
        cmocka_unit_test(an_aborted_upload_leaves_nothing_and_can_be_aborted_again),
        cmocka_unit_test(a_part_url_opens_nothing_else),
        cmocka_unit_test(a_presigned_url_never_reaches_a_log),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
