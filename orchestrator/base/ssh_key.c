/* Ed25519 keys in the formats of OpenSSH. The private key's format is described in OpenSSH's PROTOCOL.key:
 *
 *   "openssh-key-v1\0", string cipher, string kdf, string kdf options, uint32 number of keys, string public
 * key, string private part private part: uint32 check, uint32 check, string "ssh-ed25519", string public
 * (32), string seed and public (64), string comment, bytes 1, 2, 3... up to a multiple of the cipher's block
 * size (8 without encryption)
 */
#include "ssh_internal.h"

#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "ssh-ed25519"
#define MAGIC "openssh-key-v1" /* its NUL belongs to it */
#define BEGIN_LINE "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END_LINE "-----END OPENSSH PRIVATE KEY-----"
#define RAW_BYTES 32
#define BLOCK_BYTES 8
#define MAX_FILE_BYTES 8192
#define BLOB_BASE64_CHARS                                                                                    \
    68 /* SSH_KEY_BLOB_BYTES in base64; OpenSSH breaks its lines at 70, any length reads */

/* --- writing --- */

static void add_u32(struct strbuf *out, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 8), (unsigned char)value};
    strbuf_add(out, bytes, sizeof(bytes));
}

static void add_string(struct strbuf *out, const void *data, size_t length)
{
    add_u32(out, (uint32_t)length);
    strbuf_add(out, data, length);
}

static void add_private_part(struct strbuf *out, const unsigned char *seed, const unsigned char *public,
                             const char *comment)
{
    uint32_t check = 0;
    hash_random(&check, sizeof(check));
    add_u32(out, check);
    add_u32(out, check);
    add_string(out, TYPE, strlen(TYPE));
    add_string(out, public, RAW_BYTES);
    add_u32(out, 2 * RAW_BYTES);
    strbuf_add(out, seed, RAW_BYTES);
    strbuf_add(out, public, RAW_BYTES);
    add_string(out, comment, strlen(comment));
    for (char pad = 1; out->length % BLOCK_BYTES; pad++)
        strbuf_addc(out, pad);
}

static void add_armoured(struct strbuf *out, const struct strbuf *binary)
{
    char line[BLOB_BASE64_CHARS + 1];
    strbuf_adds(out, BEGIN_LINE "\n");
    for (size_t at = 0; at < binary->length; at += SSH_KEY_BLOB_BYTES) {
        size_t length = binary->length - at < SSH_KEY_BLOB_BYTES ? binary->length - at : SSH_KEY_BLOB_BYTES;
        int chars =
            EVP_EncodeBlock((unsigned char *)line, (const unsigned char *)binary->data + at, (int)length);
        strbuf_add(out, line, (size_t)chars);
        strbuf_addc(out, '\n');
    }
    strbuf_adds(out, END_LINE "\n");
    OPENSSL_cleanse(line, sizeof(line));
}

static void make_blob(const unsigned char *public, unsigned char blob[SSH_KEY_BLOB_BYTES])
{
    static const unsigned char head[] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e',      'd',
                                         '2', '5', '5', '1', '9', 0,   0,   0,   RAW_BYTES};
    _Static_assert(sizeof(head) + RAW_BYTES == SSH_KEY_BLOB_BYTES, "RFC 8709");
    memcpy(blob, head, sizeof(head));
    memcpy(blob + sizeof(head), public, RAW_BYTES);
}

static struct err *write_private(const unsigned char *seed, const unsigned char *public, const char *comment,
                                 struct secret **private_key)
{
    CLEANUP_STRBUF_WIPE struct strbuf part, binary, text;
    strbuf_init(&part, MAX_FILE_BYTES);
    strbuf_init(&binary, MAX_FILE_BYTES);
    strbuf_init(&text, 2 * MAX_FILE_BYTES);
    add_private_part(&part, seed, public, comment);

    unsigned char blob[SSH_KEY_BLOB_BYTES];
    make_blob(public, blob);
    strbuf_add(&binary, MAGIC, sizeof(MAGIC));
    add_string(&binary, "none", 4);
    add_string(&binary, "none", 4);
    add_string(&binary, "", 0);
    add_u32(&binary, 1);
    add_string(&binary, blob, sizeof(blob));
    add_string(&binary, part.data, part.length);
    add_armoured(&text, &binary);
    TRY(strbuf_check(&part, "a key's comment"));
    TRY(strbuf_check(&binary, "a key's comment"));
    return secret_new(text.data, text.length, private_key);
}

struct err *ssh_make_key(struct arena *arena, const char *comment, struct secret **private_key,
                         char **public_key)
{
    unsigned char seed[RAW_BYTES], public[RAW_BYTES], blob[SSH_KEY_BLOB_BYTES];
    size_t seed_length = sizeof(seed), public_length = sizeof(public);
    CLEANUP_KEY EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key || !EVP_PKEY_get_raw_private_key(key, seed, &seed_length) ||
        !EVP_PKEY_get_raw_public_key(key, public, &public_length))
        return err_new(ERR_INTERNAL, "cannot make an ed25519 key");
    struct err *e = write_private(seed, public, comment ? comment : "", private_key);
    OPENSSL_cleanse(seed, sizeof(seed));
    TRY(e);
    make_blob(public, blob);
    *public_key = arena_printf(arena, TYPE " %s", hash_base64(arena, blob, sizeof(blob)));
    return NULL;
}

/* --- reading --- */

struct reader {
    const unsigned char *next;
    size_t left;
    bool bad;
};

static const unsigned char *take(struct reader *in, size_t length)
{
    if (in->bad || length > in->left) {
        in->bad = true;
        return NULL;
    }
    const unsigned char *at = in->next;
    in->next += length;
    in->left -= length;
    return at;
}

static uint32_t take_u32(struct reader *in)
{
    const unsigned char *b = take(in, 4);
    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static struct reader take_string(struct reader *in)
{
    uint32_t length = take_u32(in);
    const unsigned char *at = take(in, length);
    return (struct reader){.next = at, .left = at ? length : 0, .bad = !at};
}

/* Takes a string that must be `text`. */
static bool take_text(struct reader *in, const char *text)
{
    struct reader string = take_string(in);
    return !string.bad && string.left == strlen(text) && memcmp(string.next, text, string.left) == 0;
}

static struct err *not_a_key(const char *why)
{
    return err_with_hint(
        err_new(ERR_INPUT, "the private key cannot be used: %s", why),
        "rehost needs an ed25519 key without passphrase; 'ssh-keygen -t ed25519 -N \"\"' makes one");
}

static struct err *parse_private_part(struct reader part, EVP_PKEY **key)
{
    uint32_t check = take_u32(&part);
    if (take_u32(&part) != check || part.bad)
        return not_a_key("it is damaged");
    if (!take_text(&part, TYPE))
        return not_a_key("it is not of the type ed25519");
    struct reader public = take_string(&part), pair = take_string(&part);
    if (public.left != RAW_BYTES || pair.left != 2 * RAW_BYTES)
        return not_a_key("it is damaged");
    *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, pair.next, RAW_BYTES);
    unsigned char derived[RAW_BYTES];
    size_t length = sizeof(derived);
    if (!*key || !EVP_PKEY_get_raw_public_key(*key, derived, &length) ||
        memcmp(derived, public.next, RAW_BYTES) != 0) {
        EVP_PKEY_free(TAKE(*key));
        return not_a_key("its two halves do not match");
    }
    return NULL;
}

static struct err *parse_binary(const unsigned char *data, size_t length, EVP_PKEY **key)
{
    struct reader in = {.next = data, .left = length};
    const unsigned char *magic = take(&in, sizeof(MAGIC));
    if (!magic || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
        return not_a_key("it is not in OpenSSH's format");
    if (!take_text(&in, "none") || !take_text(&in, "none"))
        return not_a_key("it is protected by a passphrase");
    (void)take_string(&in);
    if (take_u32(&in) != 1)
        return not_a_key("the file does not hold exactly one key");
    (void)take_string(&in);
    return parse_private_part(take_string(&in), key);
}

/* The base64 between the two lines, without white space. */
static void add_body(struct strbuf *body, const char *from, const char *to)
{
    for (; from < to; from++)
        if (!strchr(" \t\r\n", *from))
            strbuf_addc(body, *from);
}

static struct err *parse_openssh(const char *begin, EVP_PKEY **key)
{
    const char *from = begin + strlen(BEGIN_LINE), *to = strstr(from, END_LINE);
    if (!to)
        return not_a_key("its last line is missing");
    CLEANUP_STRBUF_WIPE struct strbuf body;
    strbuf_init(&body, MAX_FILE_BYTES);
    add_body(&body, from, to);
    if (body.overflowed || body.length < 4 || body.length % 4)
        return not_a_key("it is damaged");
    unsigned char binary[MAX_FILE_BYTES];
    int length = EVP_DecodeBlock(binary, (const unsigned char *)body.data, (int)body.length);
    struct err *e = length < 0 ? not_a_key("it is damaged") : parse_binary(binary, (size_t)length, key);
    OPENSSL_cleanse(binary, sizeof(binary));
    return e;
}

static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer, (void)size, (void)writing, (void)arg;
    return -1; /* without this, OpenSSL would ask on the terminal */
}

static struct err *parse_pem(const char *text, size_t length, EVP_PKEY **key)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    CLEANUP_KEY EVP_PKEY *parsed = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!parsed)
        return not_a_key("it is neither in OpenSSH's format nor in PEM");
    if (EVP_PKEY_get_base_id(parsed) != EVP_PKEY_ED25519)
        return not_a_key("it is not of the type ed25519");
    *key = TAKE(parsed);
    return NULL;
}

struct err *ssh_key_parse(const struct secret *text, EVP_PKEY **key)
{
    size_t length = 0;
    *key = NULL;
    (void)secret_bytes(text, &length);
    const char *begin = strstr(secret_text(text), BEGIN_LINE);
    return begin ? parse_openssh(begin, key) : parse_pem(secret_text(text), length, key);
}

struct err *ssh_key_blob(EVP_PKEY *key, unsigned char blob[SSH_KEY_BLOB_BYTES])
{
    unsigned char public[RAW_BYTES];
    size_t length = sizeof(public);
    if (!EVP_PKEY_get_raw_public_key(key, public, &length))
        return err_new(ERR_INTERNAL, "cannot derive a public key");
    make_blob(public, blob);
    return NULL;
}

struct err *ssh_public_key(struct arena *arena, const struct secret *private_key, char **public_key)
{
    CLEANUP_KEY EVP_PKEY *key = NULL;
    unsigned char blob[SSH_KEY_BLOB_BYTES];
    TRY(ssh_key_parse(private_key, &key));
    TRY(ssh_key_blob(key, blob));
    *public_key = arena_printf(arena, TYPE " %s", hash_base64(arena, blob, sizeof(blob)));
    return NULL;
}

struct err *ssh_key_decode_public(const char *text, unsigned char blob[SSH_KEY_BLOB_BYTES])
{
    static const char start[] = TYPE " ";
    const char *base64 = text + strlen(start);
    if (strncmp(text, start, strlen(start)) != 0 || strcspn(base64, " \t\r\n") != BLOB_BASE64_CHARS ||
        EVP_DecodeBlock(blob, (const unsigned char *)base64, BLOB_BASE64_CHARS) != SSH_KEY_BLOB_BYTES)
        return err_with_hint(err_new(ERR_INPUT, "'%.80s' is not an ed25519 host key", text),
                             "write it as in /etc/ssh/ssh_host_ed25519_key.pub: 'ssh-ed25519 AAAA...'");
    unsigned char again[SSH_KEY_BLOB_BYTES];
    make_blob(blob + SSH_KEY_BLOB_BYTES - RAW_BYTES, again);
    if (memcmp(blob, again, sizeof(again)) != 0)
        return err_new(ERR_INPUT, "'%.80s' is not an ed25519 host key", text);
    return NULL;
}

char *ssh_key_encode_public(const unsigned char blob[SSH_KEY_BLOB_BYTES])
{
    char *text = malloc(strlen(TYPE) + 1 + BLOB_BASE64_CHARS + 1);
    if (text) {
        memcpy(text, TYPE " ", strlen(TYPE) + 1);
        (void)EVP_EncodeBlock((unsigned char *)text + strlen(TYPE) + 1, blob, SSH_KEY_BLOB_BYTES);
    }
    return text;
}
