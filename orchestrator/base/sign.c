#include "base/sign.h"
#include "base/hash.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define SIGNATURE_SIZE 64

static void free_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define CLEANUP_PKEY __attribute__((cleanup(free_pkey)))

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}
#define CLEANUP_BIO __attribute__((cleanup(free_bio)))

/* Without this, OpenSSL would ask for the passphrase of an encrypted key on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer, (void)size, (void)writing, (void)arg;
    return -1;
}

static struct err *read_key(const struct secret *private_pem, EVP_PKEY **key)
{
    size_t length;
    const unsigned char *pem = secret_bytes(private_pem, &length);
    BIO *bio CLEANUP_BIO = BIO_new_mem_buf(pem, (int)length);
    EVP_PKEY *found CLEANUP_PKEY = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    if (!found || !EVP_PKEY_is_a(found, "ED25519"))
        return err_with_hint(err_new(ERR_INPUT, "not an ed25519 signing key in PEM without passphrase"),
                             "make one with: openssl genpkey -algorithm ed25519");
    *key = TAKE(found);
    return NULL;
}

struct err *sign_make_key(struct secret **private_pem)
{
    EVP_PKEY *key CLEANUP_PKEY = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio CLEANUP_BIO = BIO_new(BIO_s_secmem());
    char *pem;
    if (!key || !bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return err_new(ERR_INTERNAL, "openssl cannot make an ed25519 key");
    long length = BIO_get_mem_data(bio, &pem);
    return secret_new(pem, (size_t)length, private_pem);
}

struct err *sign_bytes(struct arena *arena, const struct secret *private_pem, const void *data, size_t length,
                       char **signature)
{
    EVP_PKEY *key CLEANUP_PKEY = NULL;
    unsigned char raw[SIGNATURE_SIZE];
    size_t raw_length = sizeof raw;
    TRY(read_key(private_pem, &key));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(ctx, raw, &raw_length, data, length) == 1 && raw_length == sizeof raw;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return err_new(ERR_INTERNAL, "openssl cannot sign");
    *signature = hash_base64(arena, raw, raw_length);
    return NULL;
}

struct err *sign_verify(const struct secret *private_pem, const void *data, size_t length,
                        const char *signature)
{
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    EVP_PKEY *key CLEANUP_PKEY = NULL;
    uint8_t *raw;
    size_t raw_length;
    TRY(read_key(private_pem, &key));
    struct err *malformed CLEANUP_ERR = hash_base64_decode(arena, signature, &raw, &raw_length);
    bool ok = false;
    if (!malformed && raw_length == SIGNATURE_SIZE) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestVerify(ctx, raw, raw_length, data, length) == 1;
        EVP_MD_CTX_free(ctx);
    }
    return ok ? NULL : err_new(ERR_TRUST, "the signature does not match");
}
