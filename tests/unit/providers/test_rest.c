/* What all JSON clouds share: which kind of error an answer is, what a message tells, and how lists and
 * operations are read. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/http.h"
#include "providers/rest/rest.h"
#include "tests/unit/providers/assert_err.h"
#include "tests/unit/providers/canned_server.h"

static const struct rest_rule rules[] = {
    {412, "sold_out", NULL, ERR_CAPACITY, "try elsewhere"},
    {400, NULL, "Too many", ERR_QUOTA, NULL},
    {423, "protected", NULL, ERR_REJECTED, NULL},
};

static const struct rest_dialect dialect = {
    .provider = "cloudy",
    .endpoint = "http://127.0.0.1:1",
    .request_id_header = "x-request",
    .error_code = "error.code",
    .error_message = "error.message",
    .error_detail = "error.details",
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0]),
    .page_parameter = "page",
    .page_size_parameter = "per_page",
    .page_size = 2,
    .next_page = "next",
    .op_list = "/ops",
    .op_items = "ops",
    .op_running = "running",
    .op_success = "success",
};

struct fixture {
    struct canned_server server;
    struct arena *arena;
    struct secret *token;
    struct rest *rest;
    struct ctx ctx;
};

static void begin(struct fixture *f, const char *const *answers)
{
    *f = (struct fixture){.arena = arena_new(0), .ctx = ctx_background()};
    canned_start(&f->server, answers);
    assert_null(secret_new("sesame-4711", 11, &f->token));
    struct account_options account = {.name = "prod", .endpoint = f->server.endpoint, .token = f->token};
    assert_null(rest_open(&dialect, &account, &f->rest));
}

static void end(struct fixture *f)
{
    canned_stop(&f->server);
    canned_free(&f->server);
    rest_close(f->rest);
    secret_free(f->token);
    arena_free(f->arena);
}

static struct err *send_call(struct fixture *f, const char *method)
{
    struct rest_call call = {.method = method, .path = "/things/7?x=1", .path_template = "/things/{id}"};
    struct rest_answer answer = {0};
    return rest_send(&f->ctx, f->rest, f->arena, &call, &answer);
}

static void assert_says(struct err *e, const char *part)
{
    if (!strstr(err_text(e), part))
        fail_msg("'%s' is not in: %s", part, err_text(e));
}

static void statuses_and_codes_become_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind read, write;
    } cases[] = {
        {ANSWER("400 Bad", "{}"), ERR_REJECTED, ERR_REJECTED},
        {ANSWER("400 Bad", "{\"error\":{\"message\":\"Too many things\"}}"), ERR_QUOTA, ERR_QUOTA},
        {ANSWER("401 No", "{}"), ERR_AUTH, ERR_AUTH},
        {ANSWER("403 No", "{}"), ERR_AUTH, ERR_AUTH},
        {ANSWER("404 No", "{}"), ERR_NOT_FOUND, ERR_NOT_FOUND},
        {ANSWER("408 Late", "{}"), ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {ANSWER("409 Two", "{}"), ERR_CONFLICT, ERR_CONFLICT},
        {ANSWER("412 Out", "{\"error\":{\"code\":\"sold_out\"}}"), ERR_CAPACITY, ERR_CAPACITY},
        {ANSWER("412 Out", "{\"error\":{\"code\":\"other\"}}"), ERR_REJECTED, ERR_REJECTED},
        {ANSWER("422 Bad", "{}"), ERR_REJECTED, ERR_REJECTED},
        {ANSWER("423 Busy", "{}"), ERR_CONFLICT, ERR_CONFLICT},
        {ANSWER("423 Busy", "{\"error\":{\"code\":\"protected\"}}"), ERR_REJECTED, ERR_REJECTED},
        {ANSWER("429 Slow", "{}"), ERR_RATE_LIMIT, ERR_RATE_LIMIT},
        {ANSWER("500 Oops", "<html>oops</html>"), ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {ANSWER("503 Later", "{}"), ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {ANSWER("302 There", ""), ERR_REJECTED, ERR_REJECTED},
        {CANNED_HANG_UP, ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {HEAD("200 OK") "Content-Length: 50\r\n\r\n{\"id\":", ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {ANSWER("201 Made", "{\"id\":"), ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
        {ANSWER("200 OK", "<html>welcome</html>"), ERR_TRANSIENT, ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        const char *answers[] = {cases[i].answer, cases[i].answer, NULL};
        begin(&f, answers);
        CLEANUP_ERR struct err *read_error = send_call(&f, "GET");
        assert_kind(read_error, cases[i].read);
        CLEANUP_ERR struct err *write_error = send_call(&f, "POST");
        assert_kind(write_error, cases[i].write);
        end(&f);
    }
}

static void nobody_listening_means_not_sent(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){NULL});
    canned_stop(&f.server); /* its port is closed now */
    CLEANUP_ERR struct err *e = send_call(&f, "POST");
    assert_kind(e, ERR_TRANSIENT);
    end(&f);
}

static void message_names_account_call_code_words_and_request_id_but_no_token(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){HEAD("412 Out") "X-Request: abc-1\r\n\r\n"
                                               "{\"error\":{\"code\":\"sold_out\",\"message\":\"none left\","
                                               "\"details\":{\"where\":\"fsn1\"}}}",
                               NULL});
    CLEANUP_ERR struct err *e = send_call(&f, "POST");
    assert_string_equal(err_text(e),
                        "cloudy account 'prod': POST /things/{id} answered 412 'sold_out': none left "
                        "{\"where\":\"fsn1\"} (request id 'abc-1')");
    assert_string_equal(err_hint(e), "try elsewhere");
    end(&f);
}

static void token_goes_into_the_header_only(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){ANSWER("200 OK", "{}"), NULL});
    assert_null(send_call(&f, "GET"));
    canned_stop(&f.server);
    assert_true(canned_was_asked(&f.server, 0, "GET /things/7?x=1", "Authorization: Bearer sesame-4711\r\n"));
    end(&f);
}

static void account_without_token_is_an_input_error(void **state)
{
    (void)state;
    struct rest *rest = NULL;
    CLEANUP_ERR struct err *e = rest_open(&dialect, &(struct account_options){.name = "prod"}, &rest);
    assert_kind(e, ERR_INPUT);
    assert_says(e, "prod");
}

static void rate_limit_waits_for_some_requests_not_for_the_whole_allowance(void **state)
{
    (void)state;
    char reset[256];
    (void)snprintf(
        reset, sizeof(reset),
        HEAD("429 Slow") "RateLimit-Limit: 3600\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: %lld\r\n\r\n{}",
        (long long)(clock_now_ms() / 1000 + 3600));
    struct fixture f;
    begin(&f, (const char *[]){HEAD("429 Slow") "Retry-After: 7\r\n\r\n{}", reset, ANSWER("429 Slow", "{}"),
                               NULL});
    CLEANUP_ERR struct err *told = send_call(&f, "GET");
    assert_int_equal(err_retry_after_ms(told), 7000);
    CLEANUP_ERR struct err *computed = send_call(&f, "GET");
    assert_in_range(err_retry_after_ms(computed), 9000, 10000);
    CLEANUP_ERR struct err *unknown = send_call(&f, "GET");
    assert_int_equal(err_retry_after_ms(unknown), 1000);
    end(&f);
}

static void absurd_times_to_wait_are_taken_for_none(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){HEAD("429 Slow") "Retry-After: 9223372036854775807\r\n\r\n{}",
                               HEAD("429 Slow") "RateLimit-Reset: 9223372036854775807\r\n\r\n{}", NULL});
    CLEANUP_ERR struct err *after = send_call(&f, "GET"), *reset = send_call(&f, "GET");
    assert_int_equal(err_retry_after_ms(after), 1000);
    assert_int_equal(err_retry_after_ms(reset), 1000);
    end(&f);
}

static void answers_are_wiped_with_their_arena(void **state)
{
    (void)state;
    struct fixture f;
    struct rest_call call = {.method = "GET", .path = "/things/7", .path_template = "/things/{id}"};
    struct rest_answer answer = {0};
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"a\":[{\"password\":\"hunter2\"}]}"), NULL});
    assert_null(rest_send(&f.ctx, f.rest, f.arena, &call, &answer));
    CLEANUP_JSON json_t *kept = json_incref(answer.body);
    const char *password = json_string_value(decode_find(kept, "a.0.password"));
    assert_string_equal(password, "hunter2");
    end(&f);
    assert_memory_equal(password, "\0\0\0\0\0\0\0", 7);
}

static void list_follows_all_pages(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"things\":[1,2],\"next\":2}"),
                               ANSWER("200 OK", "{\"things\":[3],\"next\":\"a&b\"}"),
                               ANSWER("200 OK", "{\"things\":[4],\"next\":null}"), NULL});
    json_t *items = NULL;
    assert_null(rest_list(&f.ctx, f.rest, f.arena,
                          &(struct rest_listing){"/things", .query = "color=red", .items = "things"},
                          &items));
    assert_int_equal(json_array_size(items), 4);
    assert_int_equal(json_integer_value(json_array_get(items, 3)), 4);
    canned_stop(&f.server);
    assert_true(canned_was_asked(&f.server, 0, "GET /things?color=red&per_page=2", NULL));
    assert_true(canned_was_asked(&f.server, 1, "GET /things?color=red&per_page=2&page=2", NULL));
    assert_true(canned_was_asked(&f.server, 2, "GET /things?color=red&per_page=2&page=a%26b", NULL));
    end(&f);
}

static void list_without_its_items_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"other\":[]}"), NULL});
    json_t *items = NULL;
    CLEANUP_ERR struct err *e =
        rest_list(&f.ctx, f.rest, f.arena, &(struct rest_listing){"/things", .items = "things"}, &items);
    assert_kind(e, ERR_REJECTED);
    assert_says(e, "things");
    end(&f);
}

static void operations_are_done_when_all_have_succeeded(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){
                  ANSWER("200 OK",
                         "{\"ops\":[{\"id\":5,\"status\":\"success\"},{\"id\":6,\"status\":\"running\"}]}"),
                  ANSWER("200 OK",
                         "{\"ops\":[{\"id\":6,\"status\":\"success\"},{\"id\":5,\"status\":\"success\"}]}"),
                  NULL});
    bool done = true;
    assert_null(rest_op_poll(&f.ctx, f.rest, f.arena, "5,6", &done));
    assert_false(done);
    assert_null(rest_op_poll(&f.ctx, f.rest, f.arena, "5,6", &done));
    assert_true(done);
    canned_stop(&f.server);
    assert_true(canned_was_asked(&f.server, 0, "GET /ops?id=5&id=6", NULL));
    end(&f);
}

static void failed_operation_is_classified_like_an_answer(void **state)
{
    (void)state;
    struct fixture f;
    begin(
        &f,
        (const char *[]){
            ANSWER("200 OK", "{\"ops\":[{\"id\":5,\"status\":\"error\",\"command\":\"create\",\"error\":"
                             "{\"code\":\"sold_out\",\"message\":\"none left\"}}]}"),
            ANSWER("200 OK", "{\"ops\":[{\"id\":5,\"status\":\"error\",\"error\":{\"code\":\"strange\"}}]}"),
            ANSWER("200 OK", "{\"ops\":[]}"), NULL});
    bool done = false;
    CLEANUP_ERR struct err *known = rest_op_poll(&f.ctx, f.rest, f.arena, "5", &done);
    assert_kind(known, ERR_CAPACITY);
    assert_says(known, "operation 'create' failed with 'sold_out': none left");
    CLEANUP_ERR struct err *unknown = rest_op_poll(&f.ctx, f.rest, f.arena, "5", &done);
    assert_kind(unknown, ERR_UNKNOWN_OUTCOME);
    CLEANUP_ERR struct err *missing = rest_op_poll(&f.ctx, f.rest, f.arena, "5", &done);
    assert_kind(missing, ERR_UNKNOWN_OUTCOME);
    end(&f);
}

struct worker {
    pthread_t thread;
    struct rest *rest;
    bool found;
};

static void *list_in_thread(void *arg)
{
    struct worker *worker = arg;
    struct ctx ctx = ctx_background();
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    json_t *items = NULL;
    CLEANUP_ERR struct err *e =
        rest_list(&ctx, worker->rest, arena, &(struct rest_listing){"/things", .items = "things"}, &items);
    worker->found = !e && json_array_size(items) == 3;
    return NULL;
}

static void one_account_serves_many_threads(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    struct fixture f;
    struct worker workers[THREADS] = {0};
    const char *answers[THREADS + 1] = {NULL};
    for (int i = 0; i < THREADS; i++)
        answers[i] = ANSWER("200 OK", "{\"things\":[1,2,3]}");
    begin(&f, answers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].rest = f.rest;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, list_in_thread, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_true(workers[i].found);
    }
    end(&f);
}

static int start_libraries(void **state)
{
    (void)state;
    return http_global_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_and_codes_become_kinds),
        cmocka_unit_test(nobody_listening_means_not_sent),
        cmocka_unit_test(message_names_account_call_code_words_and_request_id_but_no_token),
        cmocka_unit_test(token_goes_into_the_header_only),
        cmocka_unit_test(account_without_token_is_an_input_error),
        cmocka_unit_test(rate_limit_waits_for_some_requests_not_for_the_whole_allowance),
        cmocka_unit_test(absurd_times_to_wait_are_taken_for_none),
        cmocka_unit_test(answers_are_wiped_with_their_arena),
        cmocka_unit_test(list_follows_all_pages),
        cmocka_unit_test(list_without_its_items_is_refused),
        cmocka_unit_test(operations_are_done_when_all_have_succeeded),
        cmocka_unit_test(failed_operation_is_classified_like_an_answer),
        cmocka_unit_test(one_account_serves_many_threads),
    };
    return cmocka_run_group_tests(tests, start_libraries, NULL);
}
