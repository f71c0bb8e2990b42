#include "base/age.h"
#include "base/bech32.h"
#include "base/hash.h"
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define KEY_SIZE 32
#define FILE_KEY_SIZE 16
#define TAG_SIZE 16
#define NONCE_SIZE 12
#define WRAPPED_KEY_SIZE (FILE_KEY_SIZE + TAG_SIZE)
#define PAYLOAD_NONCE_SIZE 16
#define CHUNK_SIZE 65536
#define BODY_COLUMNS 64
#define INTRO "age-encryption.org/v1\n"
#define RECIPIENT_PREFIX "age"
#define IDENTITY_PREFIX "age-secret-key-"

/* Key material on the stack, cleansed when it goes out of scope. */
struct key {
    uint8_t bytes[KEY_SIZE];
};

static void key_cleanse(struct key *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}
#define CLEANUP_KEY __attribute__((cleanup(key_cleanse)))

static void free_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define CLEANUP_PKEY __attribute__((cleanup(free_pkey)))

/* ---- primitives ---- */

static bool hkdf_sha256(const void *input, size_t input_length, const void *salt, size_t salt_length,
                        const char *info, struct key *out)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256",
         info_copy[64]; /* OSSL_PARAM takes pointers to non-const, though it only reads */
    struct key input_copy = {{0}};
    uint8_t salt_copy[2 * KEY_SIZE] = {0};
    bool ok = false;
    if (ctx && input_length <= sizeof input_copy && salt_length <= sizeof salt_copy &&
        strlen(info) < sizeof info_copy) {
        memcpy(input_copy.bytes, input, input_length);
        memcpy(salt_copy, salt, salt_length);
        memcpy(info_copy, info, strlen(info) + 1);
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input_copy.bytes, input_length),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_copy, salt_length),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_copy, strlen(info)),
            OSSL_PARAM_construct_end(),
        };
        ok = EVP_KDF_derive(ctx, out->bytes, sizeof out->bytes, params) == 1;
    }
    key_cleanse(&input_copy);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool x25519_public(const struct key *secret, uint8_t public[KEY_SIZE])
{
    EVP_PKEY *key CLEANUP_PKEY = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret->bytes, KEY_SIZE);
    size_t length = KEY_SIZE;
    return key && EVP_PKEY_get_raw_public_key(key, public, &length) == 1 && length == KEY_SIZE;
}

/* False also for a public key of low order, which would give an all-zero secret. */
static bool x25519_shared(const struct key *secret, const uint8_t public[KEY_SIZE], struct key *shared)
{
    EVP_PKEY *own CLEANUP_PKEY = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret->bytes, KEY_SIZE);
    EVP_PKEY *peer CLEANUP_PKEY = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, KEY_SIZE);
    EVP_PKEY_CTX *ctx = own && peer ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    size_t length = KEY_SIZE;
    bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
              EVP_PKEY_derive(ctx, shared->bytes, &length) == 1 && length == KEY_SIZE;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Writes length + TAG_SIZE bytes. */
static bool chacha_seal(const struct key *key, const uint8_t nonce[NONCE_SIZE], const uint8_t *plain,
                        size_t length, uint8_t *sealed)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written = 0, rest = 0;
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key->bytes, nonce) == 1 &&
              EVP_EncryptUpdate(ctx, sealed, &written, plain, (int)length) == 1 &&
              EVP_EncryptFinal_ex(ctx, sealed + written, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, sealed + length) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* `length` counts the tag; writes length - TAG_SIZE bytes. False when it does not authenticate. */
static bool chacha_open(const struct key *key, const uint8_t nonce[NONCE_SIZE], const uint8_t *sealed,
                        size_t length, uint8_t *plain)
{
    if (length < TAG_SIZE)
        return false;
    uint8_t tag[TAG_SIZE];
    memcpy(tag, sealed + length - TAG_SIZE, TAG_SIZE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written = 0, rest = 0;
    bool ok = ctx && EVP_DecryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key->bytes, nonce) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
              EVP_DecryptUpdate(ctx, plain, &written, sealed, (int)(length - TAG_SIZE)) == 1 &&
              EVP_DecryptFinal_ex(ctx, plain + written, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* base64 without padding, as headers use it; only for inputs of 32 bytes. */
#define RAW64_TEXT_SIZE 44 /* 43 characters and NUL */

static void raw64_encode(const uint8_t bytes[KEY_SIZE], char text[RAW64_TEXT_SIZE])
{
    char padded[RAW64_TEXT_SIZE + 1];
    EVP_EncodeBlock((unsigned char *)padded, bytes, KEY_SIZE);
    memcpy(text, padded, RAW64_TEXT_SIZE - 1);
    text[RAW64_TEXT_SIZE - 1] = '\0';
}

/* Strict: exactly 32 bytes in canonical form. */
static bool raw64_decode(const char *text, size_t length, uint8_t bytes[KEY_SIZE])
{
    char padded[RAW64_TEXT_SIZE + 1], again[RAW64_TEXT_SIZE];
    uint8_t decoded[KEY_SIZE + 3];
    if (length != RAW64_TEXT_SIZE - 1)
        return false;
    memcpy(padded, text, length);
    memcpy(padded + length, "=", 2);
    if (EVP_DecodeBlock(decoded, (const unsigned char *)padded, (int)length + 1) < KEY_SIZE)
        return false;
    raw64_encode(decoded, again);
    memcpy(bytes, decoded, KEY_SIZE);
    return !memcmp(again, text, length);
}

static struct err *crypto_failed(void)
{
    return err_new(ERR_INTERNAL, "openssl refused an operation of the age format");
}

/* ---- identities and recipients ---- */

static bool parse_recipient(const char *recipient, uint8_t public[KEY_SIZE])
{
    return bech32_decode(recipient, RECIPIENT_PREFIX, public, KEY_SIZE);
}

/* The first identity of an identity file: empty lines and lines that start with '#' are skipped. */
static struct err *parse_identity(const struct secret *identity, struct key *secret)
{
    for (const char *line = secret_text(identity), *next; *line; line = next) {
        size_t length = strcspn(line, "\r\n");
        next = line + length + strspn(line + length, "\r\n");
        if (length == 0 || *line == '#')
            continue;
        char text[BECH32_MAX_TEXT];
        bool ok = length < sizeof text;
        if (ok) {
            memcpy(text, line, length);
            text[length] = '\0';
            ok = bech32_decode(text, IDENTITY_PREFIX, secret->bytes, KEY_SIZE);
            OPENSSL_cleanse(text, sizeof text);
        }
        return ok ? NULL : err_new(ERR_INPUT, "not an age identity (AGE-SECRET-KEY-1...)");
    }
    return err_new(ERR_INPUT, "no age identity in the given text");
}

static struct err *recipient_of(struct arena *arena, const struct key *secret, char **recipient)
{
    uint8_t public[KEY_SIZE];
    char text[BECH32_MAX_TEXT];
    if (!x25519_public(secret, public) || !bech32_encode(RECIPIENT_PREFIX, public, KEY_SIZE, text))
        return crypto_failed();
    *recipient = arena_strdup(arena, text);
    return NULL;
}

struct err *age_make_identity(struct arena *arena, struct secret **identity, char **recipient)
{
    struct key secret CLEANUP_KEY;
    char text[BECH32_MAX_TEXT];
    hash_random(secret.bytes, KEY_SIZE);
    TRY(recipient_of(arena, &secret, recipient));
    if (!bech32_encode(IDENTITY_PREFIX, secret.bytes, KEY_SIZE, text))
        return crypto_failed();
    for (char *p = text; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    struct err *failed = secret_new(text, strlen(text), identity);
    OPENSSL_cleanse(text, sizeof text);
    return failed;
}

struct err *age_recipient(struct arena *arena, const struct secret *identity, char **recipient)
{
    struct key secret CLEANUP_KEY;
    TRY(parse_identity(identity, &secret));
    return recipient_of(arena, &secret, recipient);
}

struct err *age_check_recipient(const char *recipient)
{
    uint8_t public[KEY_SIZE];
    return parse_recipient(recipient, public)
               ? NULL
               : err_new(ERR_INPUT, "'%.80s' is not an age recipient (age1...)", recipient);
}

/* ---- header ---- */

/* The key that wraps the file key for one recipient. */
static bool derive_wrap_key(const struct key *secret, const uint8_t peer[KEY_SIZE],
                            const uint8_t ephemeral[KEY_SIZE], const uint8_t recipient[KEY_SIZE],
                            struct key *wrap_key)
{
    struct key shared CLEANUP_KEY;
    uint8_t salt[2 * KEY_SIZE];
    memcpy(salt, ephemeral, KEY_SIZE);
    memcpy(salt + KEY_SIZE, recipient, KEY_SIZE);
    return x25519_shared(secret, peer, &shared) &&
           hkdf_sha256(shared.bytes, KEY_SIZE, salt, sizeof salt, "age-encryption.org/v1/X25519", wrap_key);
}

static const uint8_t zero_nonce[NONCE_SIZE]; /* each wrap key is used once */

static struct err *add_stanza(const struct key *file_key, const char *recipient, struct strbuf *out)
{
    struct key ephemeral CLEANUP_KEY, wrap_key CLEANUP_KEY;
    uint8_t public[KEY_SIZE], ephemeral_public[KEY_SIZE], wrapped[WRAPPED_KEY_SIZE];
    char share[RAW64_TEXT_SIZE], body[RAW64_TEXT_SIZE];
    if (!parse_recipient(recipient, public))
        return age_check_recipient(recipient);
    hash_random(ephemeral.bytes, KEY_SIZE);
    if (!x25519_public(&ephemeral, ephemeral_public) ||
        !derive_wrap_key(&ephemeral, public, ephemeral_public, public, &wrap_key) ||
        !chacha_seal(&wrap_key, zero_nonce, file_key->bytes, FILE_KEY_SIZE, wrapped))
        return err_new(ERR_INPUT, "the age recipient '%.80s' cannot be encrypted to", recipient);
    raw64_encode(ephemeral_public, share);
    raw64_encode(wrapped, body);
    strbuf_addf(out, "-> X25519 %s\n%s\n", share, body);
    return NULL;
}

static bool header_mac(const struct key *file_key, const void *header, size_t length,
                       uint8_t mac[HASH_SHA256_SIZE])
{
    struct key mac_key CLEANUP_KEY;
    if (!hkdf_sha256(file_key->bytes, FILE_KEY_SIZE, "", 0, "header", &mac_key))
        return false;
    hash_hmac_sha256(mac_key.bytes, KEY_SIZE, header, length, mac);
    return true;
}

/* Appends a whole header for the recipients, with its MAC line. */
static struct err *add_header(const struct key *file_key, const char *const *recipients,
                              size_t recipient_count, struct strbuf *out)
{
    uint8_t mac[HASH_SHA256_SIZE];
    char mac_text[RAW64_TEXT_SIZE];
    size_t start = out->length;
    strbuf_adds(out, INTRO);
    for (size_t i = 0; i < recipient_count; i++)
        TRY(add_stanza(file_key, recipients[i], out));
    strbuf_adds(out, "---");
    TRY(strbuf_check(out, "an age header"));
    if (!header_mac(file_key, out->data + start, out->length - start, mac))
        return crypto_failed();
    raw64_encode(mac, mac_text);
    strbuf_addf(out, " %s\n", mac_text);
    return strbuf_check(out, "an age header");
}

/* A cursor over the lines of a header. */
struct lines {
    const char *at, *end;
};

/* The next line without its newline; false at the end of the data. */
static bool next_line(struct lines *lines, const char **line, size_t *length)
{
    const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    if (!newline)
        return false;
    *line = lines->at;
    *length = (size_t)(newline - lines->at);
    lines->at = newline + 1;
    return true;
}

static bool starts_with(const char *line, size_t length, const char *prefix)
{
    return length >= strlen(prefix) && !memcmp(line, prefix, strlen(prefix));
}

static struct err *bad_header(const char *why)
{
    return err_new(ERR_INPUT, "not a valid age header: %s", why);
}

/* Opens an X25519 stanza with the identity; *opened stays as it was when the stanza is for somebody else. */
static struct err *try_stanza(const struct key *identity, const uint8_t public[KEY_SIZE],
                              const char *argument, size_t argument_length, const char *body,
                              size_t body_length, struct key *file_key, bool *opened)
{
    uint8_t share[KEY_SIZE], wrapped[WRAPPED_KEY_SIZE];
    struct key wrap_key CLEANUP_KEY;
    if (!raw64_decode(argument, argument_length, share) || !raw64_decode(body, body_length, wrapped))
        return bad_header("malformed X25519 stanza");
    if (*opened)
        return NULL;
    if (!derive_wrap_key(identity, share, share, public, &wrap_key))
        return bad_header("X25519 share of low order");
    *opened = chacha_open(&wrap_key, zero_nonce, wrapped, sizeof wrapped, file_key->bytes);
    return NULL;
}

/* Reads one stanza, of which `line` is the first line. */
static struct err *read_stanza(struct lines *lines, const char *line, size_t length,
                               const struct key *identity, const uint8_t public[KEY_SIZE],
                               struct key *file_key, bool *opened)
{
    static const char x25519[] = "-> X25519 ";
    const char *body, *more;
    size_t body_length, more_length;
    if (!starts_with(line, length, "-> "))
        return bad_header("a stanza is missing");
    if (!next_line(lines, &body, &body_length))
        return bad_header("it ends early");
    if (starts_with(line, length, x25519))
        TRY(try_stanza(identity, public, line + strlen(x25519), length - strlen(x25519), body, body_length,
                       file_key, opened));
    for (more_length = body_length;
         more_length == BODY_COLUMNS;) /* a body ends with a line shorter than 64 columns */
        if (!next_line(lines, &more, &more_length))
            return bad_header("it ends early");
    return more_length > BODY_COLUMNS ? bad_header("a line is too long") : NULL;
}

/* Finds the file key and the length of the header in the first bytes of an age file. */
static struct err *open_header(const struct secret *identity_text, const void *data, size_t length,
                               struct key *file_key, size_t *header_length)
{
    struct key identity CLEANUP_KEY;
    uint8_t public[KEY_SIZE], want[HASH_SHA256_SIZE], mac[HASH_SHA256_SIZE];
    const char *start = data, *line;
    struct lines lines = {start, start + (length < AGE_MAX_HEADER_BYTES ? length : AGE_MAX_HEADER_BYTES)};
    size_t line_length;
    bool opened = false;

    TRY(parse_identity(identity_text, &identity));
    if (!x25519_public(&identity, public))
        return crypto_failed();
    if (!starts_with(start, length, INTRO))
        return err_new(ERR_INPUT, "not an age file");
    lines.at += strlen(INTRO);
    for (;;) {
        if (!next_line(&lines, &line, &line_length))
            return bad_header("it ends early");
        if (starts_with(line, line_length, "---"))
            break;
        TRY(read_stanza(&lines, line, line_length, &identity, public, file_key, &opened));
    }
    if (!starts_with(line, line_length, "--- ") || !raw64_decode(line + 4, line_length - 4, want))
        return bad_header("malformed MAC line");
    if (!opened)
        return err_new(ERR_TRUST, "the age file was not encrypted to this identity");
    if (!header_mac(file_key, start, (size_t)(line + 3 - start), mac))
        return crypto_failed();
    if (CRYPTO_memcmp(mac, want, sizeof mac))
        return err_new(ERR_TRUST, "the header of the age file was changed");
    *header_length = (size_t)(lines.at - start);
    return NULL;
}

struct err *age_rewrap_header(const struct secret *identity, const void *start, size_t length,
                              const char *recipient, struct strbuf *header, size_t *header_length)
{
    struct key file_key CLEANUP_KEY;
    TRY(open_header(identity, start, length, &file_key, header_length));
    return add_header(&file_key, &recipient, 1, header);
}

/* ---- payload: chunks of 64 KiB, each sealed under a counter and a flag for the last one ---- */

static void chunk_nonce(uint64_t counter, bool last, uint8_t nonce[NONCE_SIZE])
{
    memset(nonce, 0, NONCE_SIZE);
    for (int i = 0; i < 8; i++)
        nonce[10 - i] = (uint8_t)(counter >> (8 * i));
    nonce[11] = last;
}

struct err *age_encrypt(const char *const *recipients, size_t recipient_count, const void *plain,
                        size_t length, struct strbuf *out)
{
    struct key file_key CLEANUP_KEY = {{0}}, payload_key CLEANUP_KEY;
    uint8_t payload_nonce[PAYLOAD_NONCE_SIZE], nonce[NONCE_SIZE], sealed[CHUNK_SIZE + TAG_SIZE];
    if (recipient_count == 0)
        return err_new(ERR_INPUT, "no age recipient to encrypt to");
    hash_random(file_key.bytes, FILE_KEY_SIZE);
    hash_random(payload_nonce, sizeof payload_nonce);
    TRY(add_header(&file_key, recipients, recipient_count, out));
    strbuf_add(out, payload_nonce, sizeof payload_nonce);
    if (!hkdf_sha256(file_key.bytes, FILE_KEY_SIZE, payload_nonce, sizeof payload_nonce, "payload",
                     &payload_key))
        return crypto_failed();

    const uint8_t *at = length ? plain : (const uint8_t *)"";
    for (uint64_t counter = 0;; counter++) {
        size_t size = length < CHUNK_SIZE ? length : CHUNK_SIZE;
        bool last = size == length;
        chunk_nonce(counter, last, nonce);
        if (!chacha_seal(&payload_key, nonce, at, size, sealed))
            return crypto_failed();
        strbuf_add(out, sealed, size + TAG_SIZE);
        if (last)
            return strbuf_check(out, "an age file");
        at += size;
        length -= size;
    }
}

struct err *age_decrypt(const struct secret *identity, const void *data, size_t length, struct strbuf *plain)
{
    struct key file_key CLEANUP_KEY = {{0}}, payload_key CLEANUP_KEY;
    uint8_t nonce[NONCE_SIZE], opened[CHUNK_SIZE + TAG_SIZE];
    size_t header_length;
    TRY(open_header(identity, data, length, &file_key, &header_length));
    const uint8_t *at = (const uint8_t *)data + header_length;
    length -= header_length;
    if (length < PAYLOAD_NONCE_SIZE)
        return err_new(ERR_TRUST, "the age file is cut off");
    if (!hkdf_sha256(file_key.bytes, FILE_KEY_SIZE, at, PAYLOAD_NONCE_SIZE, "payload", &payload_key))
        return crypto_failed();
    at += PAYLOAD_NONCE_SIZE;
    length -= PAYLOAD_NONCE_SIZE;

    bool last = false;
    for (uint64_t counter = 0; !last; counter++) {
        size_t size = length < CHUNK_SIZE + TAG_SIZE ? length : CHUNK_SIZE + TAG_SIZE;
        last = size == length;
        chunk_nonce(counter, last, nonce);
        bool empty_tail = last && counter > 0 &&
                          size == TAG_SIZE; /* the format allows an empty chunk only for an empty file */
        if (empty_tail || !chacha_open(&payload_key, nonce, at, size, opened)) {
            OPENSSL_cleanse(opened, sizeof opened);
            return err_new(ERR_TRUST, "the age file is damaged, changed or cut off at chunk %llu",
                           (unsigned long long)counter + 1);
        }
        strbuf_add(plain, opened, size - TAG_SIZE);
        at += size;
        length -= size;
    }
    OPENSSL_cleanse(opened, sizeof opened);
    return strbuf_check(plain, "decrypted data");
}
