/* SigV4 by query: the published example, and the properties that servers depend on. The real server's opinion
 * is in test_s3.c. */
#include "base/sigv4.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct secret *access_key, *secret_key;
    struct sigv4_key key;
};

static struct fixture fixture;

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    static const char secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    f->arena = arena_new(0);
    assert_null(secret_new("AKIAIOSFODNN7EXAMPLE", 20, &f->access_key));
    assert_null(secret_new(secret, strlen(secret), &f->secret_key));
    f->key = (struct sigv4_key){f->access_key, f->secret_key, "us-east-1"};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    secret_free(f->access_key);
    secret_free(f->secret_key);
    arena_free(f->arena);
    return 0;
}

#define MAY_24_2013_MS 1369353600000

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html, "Example: presigned URL" */
static void the_published_example_comes_out_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    const char *url = sigv4_presign(f->arena, &f->key, "GET", "https://examplebucket.s3.amazonaws.com",
                                    "/test.txt", NULL, 0, NULL, 0, MAY_24_2013_MS, 86400);
    assert_string_equal(url,
                        "https://examplebucket.s3.amazonaws.com/test.txt"
                        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void parameters_are_sorted_and_valueless_ones_keep_their_equals_sign(void **state)
{
    struct fixture *f = *state;
    const struct sigv4_param params[] = {{"uploadId", "a+b/c"}, {"partNumber", "7"}, {"acl", ""}};
    const char *url = sigv4_presign(f->arena, &f->key, "PUT", "https://s3.example", "/b/some key", params, 3,
                                    NULL, 0, MAY_24_2013_MS, 60);
    const char *query = strchr(url, '?');
    assert_non_null(strstr(url, "https://s3.example/b/some%20key?"));
    assert_non_null(
        strstr(query, "X-Amz-SignedHeaders=host&acl=&partNumber=7&uploadId=a%2Bb%2Fc&X-Amz-Signature="));
}

static void headers_are_signed_in_lower_case_and_in_order(void **state)
{
    struct fixture *f = *state;
    const struct http_header headers[] = {{"If-None-Match", "*"}, {"Content-MD5", "x=="}};
    const char *with = sigv4_presign(f->arena, &f->key, "PUT", "https://s3.example", "/b/k", NULL, 0, headers,
                                     2, MAY_24_2013_MS, 60);
    assert_non_null(strstr(with, "X-Amz-SignedHeaders=content-md5%3Bhost%3Bif-none-match&"));
}

static const char *signature_of(const char *url)
{
    const char *found = strstr(url, "X-Amz-Signature=");
    assert_non_null(found);
    return found;
}

static void the_schemes_own_port_is_not_part_of_the_host(void **state)
{
    struct fixture *f = *state;
    const char *const endpoints[] = {"https://s3.example:443", "https://s3.example", "http://s3.example:80",
                                     "https://s3.example:8443"};
    const char *signatures[4];
    for (size_t i = 0; i < 4; i++)
        signatures[i] = signature_of(sigv4_presign(f->arena, &f->key, "GET", endpoints[i], "/b/k", NULL, 0,
                                                   NULL, 0, MAY_24_2013_MS, 60));
    assert_string_equal(signatures[0], signatures[1]);
    assert_string_equal(signatures[1], signatures[2]);
    assert_string_not_equal(signatures[1], signatures[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_comes_out_byte_for_byte),
        cmocka_unit_test(parameters_are_sorted_and_valueless_ones_keep_their_equals_sign),
        cmocka_unit_test(headers_are_signed_in_lower_case_and_in_order),
        cmocka_unit_test(the_schemes_own_port_is_not_part_of_the_host),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
