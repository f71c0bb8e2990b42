/* Ed25519 signatures: ours against the openssl command line, and what must be refused. */
#include "base/fs.h"
#include "base/hash.h"
#include "base/proc.h"
#include "base/sign.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "a manifest";

static struct err *run(const char *const argv[], struct strbuf *out, int *status)
{
    struct ctx ctx = ctx_background();
    struct proc_result result;
    TRY(proc_run(&ctx, argv, NULL, 0, out, NULL, &result));
    *status = result.exit_status;
    return NULL;
}

static void refused_with(enum err_kind kind, struct err *failed)
{
    assert_non_null(failed);
    assert_int_equal(err_kind(failed), kind);
    err_free(failed);
}

static void a_signature_is_accepted_for_the_same_bytes_only(void **state)
{
    (void)state;
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct secret *key CLEANUP_SECRET = NULL, *other CLEANUP_SECRET = NULL;
    char *signature;
    assert_null(sign_make_key(&key));
    assert_null(sign_make_key(&other));
    assert_null(sign_bytes(arena, key, text, sizeof text, &signature));
    assert_null(sign_verify(key, text, sizeof text, signature));
    refused_with(ERR_TRUST, sign_verify(key, text, sizeof text - 1, signature));
    refused_with(ERR_TRUST, sign_verify(other, text, sizeof text, signature));
    refused_with(ERR_TRUST, sign_verify(key, text, sizeof text, ""));
    refused_with(ERR_TRUST, sign_verify(key, text, sizeof text, "not base64!"));
    signature[0] = signature[0] == 'A' ? 'B' : 'A';
    refused_with(ERR_TRUST, sign_verify(key, text, sizeof text, signature));
}

static void the_openssl_command_verifies_what_we_sign(void **state)
{
    (void)state;
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct secret *key CLEANUP_SECRET = NULL;
    char dir[] = "/tmp/test-sign.XXXXXX", *signature;
    uint8_t *raw;
    size_t raw_length;
    int status = -1;
    assert_non_null(mkdtemp(dir));
    const char *key_file = arena_printf(arena, "%s/key", dir),
               *data_file = arena_printf(arena, "%s/data", dir),
               *signature_file = arena_printf(arena, "%s/sig", dir);
    struct strbuf pem CLEANUP_STRBUF_WIPE;
    strbuf_init(&pem, 0);
    assert_null(run((const char *[]){"openssl", "genpkey", "-algorithm", "ed25519", NULL}, &pem, &status));
    assert_int_equal(status, 0);
    assert_null(secret_new(pem.data, pem.length, &key));
    assert_null(sign_bytes(arena, key, text, sizeof text, &signature));
    assert_null(hash_base64_decode(arena, signature, &raw, &raw_length));
    assert_null(fs_write_file(key_file, pem.data, pem.length, 0600));
    assert_null(fs_write_file(data_file, text, sizeof text, 0600));
    assert_null(fs_write_file(signature_file, raw, raw_length, 0600));
    assert_null(run((const char *[]){"openssl", "pkeyutl", "-verify", "-inkey", key_file, "-rawin", "-in",
                                     data_file, "-sigfile", signature_file, NULL},
                    NULL, &status));
    assert_int_equal(status, 0);
    unlink(key_file);
    unlink(data_file);
    unlink(signature_file);
    rmdir(dir);
}

static void a_key_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    struct secret *junk CLEANUP_SECRET = NULL, *x25519 CLEANUP_SECRET = NULL;
    struct strbuf pem CLEANUP_STRBUF_WIPE;
    char *signature;
    int status = -1;
    strbuf_init(&pem, 0);
    assert_null(secret_new("junk of some length", 19, &junk));
    refused_with(ERR_INPUT, sign_bytes(arena, junk, text, sizeof text, &signature));
    assert_null(run((const char *[]){"openssl", "genpkey", "-algorithm", "x25519", NULL}, &pem, &status));
    assert_null(secret_new(pem.data, pem.length, &x25519));
    refused_with(ERR_INPUT, sign_bytes(arena, x25519, text, sizeof text, &signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_accepted_for_the_same_bytes_only),
        cmocka_unit_test(the_openssl_command_verifies_what_we_sign),
        cmocka_unit_test(a_key_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
