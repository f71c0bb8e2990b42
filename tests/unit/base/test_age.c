/* age: our code against the age command line, and refusals of everything that was changed. */
#include "base/age.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/proc.h"
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
        assert_int_equal(err_kind(failed_), expected_kind);                                                  \
        err_free(failed_);                                                                                   \
    } while (0)

struct fixture {
    struct arena *arena;
    struct secret *identity, *other;
    char *recipient, *other_recipient;
    char dir[32];
    const char *identity_file;
};

static const size_t sizes[] = {0, 1, 15, 16, 65535, 65536, 65537, 131072, 131073, 1000000};
#define SIZE_COUNT (sizeof sizes / sizeof *sizes)

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(0);
    ok(age_make_identity(f->arena, &f->identity, &f->recipient));
    ok(age_make_identity(f->arena, &f->other, &f->other_recipient));
    strcpy(f->dir, "/tmp/test-age.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->identity_file = arena_printf(f->arena, "%s/identity", f->dir);
    const char *text = secret_text(f->identity);
    ok(fs_write_file(f->identity_file, text, strlen(text), 0600));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->identity_file);
    rmdir(f->dir);
    secret_free(f->identity);
    secret_free(f->other);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void *noise(struct arena *arena, size_t size)
{
    void *data = arena_alloc(arena, size + 1);
    hash_random(data, size);
    return data;
}

static void run_age(const char *const argv[], const void *input, size_t length, struct strbuf *out)
{
    struct ctx ctx = ctx_background();
    struct strbuf errout CLEANUP_STRBUF;
    struct proc_result result;
    strbuf_init(&errout, 0);
    ok(proc_run(&ctx, argv, input, length, out, &errout, &result));
    if (result.exit_status != 0)
        fail_msg("age: %s", errout.data);
}

static void what_we_encrypt_opens_with_the_age_command(void **state)
{
    struct fixture *f = *state;
    const char *recipients[] = {f->other_recipient, f->recipient};
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct strbuf sealed CLEANUP_STRBUF, plain CLEANUP_STRBUF;
        void *data = noise(f->arena, sizes[i]);
        strbuf_init(&sealed, 0);
        strbuf_init(&plain, 0);
        ok(age_encrypt(recipients, 2, data, sizes[i], &sealed));
        run_age((const char *[]){"age", "-d", "-i", f->identity_file, NULL}, sealed.data, sealed.length,
                &plain);
        assert_int_equal(plain.length, sizes[i]);
        assert_memory_equal(plain.data, data, sizes[i]);
    }
}

static void what_the_age_command_encrypts_we_open(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct strbuf sealed CLEANUP_STRBUF, plain CLEANUP_STRBUF;
        void *data = noise(f->arena, sizes[i]);
        strbuf_init(&sealed, 0);
        strbuf_init(&plain, 0);
        run_age((const char *[]){"age", "-r", f->other_recipient, "-r", f->recipient, NULL}, data, sizes[i],
                &sealed);
        ok(age_decrypt(f->identity, sealed.data, sealed.length, &plain));
        assert_int_equal(plain.length, sizes[i]);
        assert_memory_equal(plain.data, data, sizes[i]);
    }
}

static void a_rewrapped_header_opens_the_old_body_for_the_new_identity_alone(void **state)
{
    struct fixture *f = *state;
    struct strbuf sealed CLEANUP_STRBUF, header CLEANUP_STRBUF, plain CLEANUP_STRBUF;
    struct secret *once CLEANUP_SECRET = NULL;
    char *once_recipient;
    size_t header_length, size = 200000;
    void *data = noise(f->arena, size);
    strbuf_init(&sealed, 0);
    strbuf_init(&header, 0);
    strbuf_init(&plain, 0);
    run_age((const char *[]){"age", "-r", f->other_recipient, "-r", f->recipient, NULL}, data, size, &sealed);
    ok(age_make_identity(f->arena, &once, &once_recipient));

    ok(age_rewrap_header(f->identity, sealed.data, 4096, once_recipient, &header, &header_length));
    strbuf_add(&header, sealed.data + header_length, sealed.length - header_length);
    ok(age_decrypt(once, header.data, header.length, &plain));
    assert_memory_equal(plain.data, data, size);
    strbuf_reset(&plain);
    refuses(ERR_TRUST, age_decrypt(f->identity, header.data, header.length, &plain));

    const char *once_file = arena_printf(f->arena, "%s/once", f->dir);
    ok(fs_write_file(once_file, secret_text(once), strlen(secret_text(once)), 0600));
    strbuf_reset(&plain);
    run_age((const char *[]){"age", "-d", "-i", once_file, NULL}, header.data, header.length, &plain);
    unlink(once_file);
    assert_int_equal(plain.length, size);
    assert_memory_equal(plain.data, data, size);
}

static void a_wrong_identity_is_a_matter_of_trust(void **state)
{
    struct fixture *f = *state;
    struct strbuf sealed CLEANUP_STRBUF, plain CLEANUP_STRBUF;
    const char *recipients[] = {f->recipient};
    size_t header_length;
    strbuf_init(&sealed, 0);
    strbuf_init(&plain, 0);
    ok(age_encrypt(recipients, 1, "text", 4, &sealed));
    refuses(ERR_TRUST, age_decrypt(f->other, sealed.data, sealed.length, &plain));
    refuses(ERR_TRUST,
            age_rewrap_header(f->other, sealed.data, sealed.length, f->recipient, &plain, &header_length));
    assert_int_equal(plain.length, 0);
}

static void every_flipped_bit_and_every_cut_is_refused(void **state)
{
    struct fixture *f = *state;
    struct strbuf sealed CLEANUP_STRBUF, plain CLEANUP_STRBUF;
    const char *recipients[] = {f->recipient};
    strbuf_init(&sealed, 0);
    strbuf_init(&plain, 0);
    ok(age_encrypt(recipients, 1, "some text to protect", 20, &sealed));
    for (size_t i = 0; i < sealed.length; i++) {
        sealed.data[i] ^= 1;
        struct err *failed = age_decrypt(f->identity, sealed.data, sealed.length, &plain);
        assert_non_null(failed);
        assert_true(err_kind(failed) == ERR_TRUST || err_kind(failed) == ERR_INPUT);
        err_free(failed);
        sealed.data[i] ^= 1;
        failed = age_decrypt(f->identity, sealed.data, i, &plain);
        assert_non_null(failed);
        err_free(failed);
    }
    assert_int_equal(plain.length, 0);
}

static void a_file_cut_at_a_chunk_edge_is_refused(void **state)
{
    struct fixture *f = *state;
    struct strbuf sealed CLEANUP_STRBUF, plain CLEANUP_STRBUF;
    const char *recipients[] = {f->recipient};
    strbuf_init(&sealed, 0);
    strbuf_init(&plain, 0);
    ok(age_encrypt(recipients, 1, noise(f->arena, 131072), 131072, &sealed));
    refuses(ERR_TRUST, age_decrypt(f->identity, sealed.data, sealed.length - 65536 - 16, &plain));
}

static void a_header_that_is_not_all_there_is_an_input_error(void **state)
{
    struct fixture *f = *state;
    struct strbuf sealed CLEANUP_STRBUF, header CLEANUP_STRBUF;
    const char *recipients[] = {f->recipient};
    size_t header_length;
    strbuf_init(&sealed, 0);
    strbuf_init(&header, 0);
    ok(age_encrypt(recipients, 1, "x", 1, &sealed));
    refuses(ERR_INPUT,
            age_rewrap_header(f->identity, sealed.data, 60, f->recipient, &header, &header_length));
    refuses(ERR_INPUT, age_rewrap_header(f->identity, "junk", 4, f->recipient, &header, &header_length));
    refuses(ERR_INPUT, age_rewrap_header(f->identity, sealed.data, sealed.length, "age1nonsense", &header,
                                         &header_length));
}

static void recipients_and_identities_are_checked(void **state)
{
    struct fixture *f = *state;
    char *recipient, *mixed = arena_strdup(f->arena, f->recipient),
                     *typo = arena_strdup(f->arena, f->recipient);
    struct secret *file CLEANUP_SECRET = NULL, *none CLEANUP_SECRET = NULL;
    ok(age_check_recipient(f->recipient));
    mixed[4] = 'Q';
    refuses(ERR_INPUT, age_check_recipient(mixed));
    typo[20] = typo[20] == 'q' ? 'p' : 'q';
    refuses(ERR_INPUT, age_check_recipient(typo));
    refuses(ERR_INPUT, age_check_recipient(""));
    refuses(ERR_INPUT, age_check_recipient(secret_text(f->identity)));

    char *text = arena_printf(f->arena, "# created: today\n# public key: %s\n\n%s\n", f->recipient,
                              secret_text(f->identity));
    ok(secret_new(text, strlen(text), &file));
    ok(age_recipient(f->arena, file, &recipient));
    assert_string_equal(recipient, f->recipient);
    ok(secret_new("# only a comment\n", 17, &none));
    refuses(ERR_INPUT, age_recipient(f->arena, none, &recipient));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_encrypt_opens_with_the_age_command),
        cmocka_unit_test(what_the_age_command_encrypts_we_open),
        cmocka_unit_test(a_rewrapped_header_opens_the_old_body_for_the_new_identity_alone),
        cmocka_unit_test(a_wrong_identity_is_a_matter_of_trust),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_refused),
        cmocka_unit_test(a_file_cut_at_a_chunk_edge_is_refused),
        cmocka_unit_test(a_header_that_is_not_all_there_is_an_input_error),
        cmocka_unit_test(recipients_and_identities_are_checked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
