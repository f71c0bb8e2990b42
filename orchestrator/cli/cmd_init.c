#include "base/age.h"
#include "base/fs.h"
#include "base/sign.h"
#include "base/ssh.h"
#include "cli/out.h"
#include "providers/compute/provider.h"
#include <string.h>

/* Writes a key that must not exist yet, readable by its owner only. */
static struct err *write_new(struct cli *cli, const char *folder, const char *name, const void *data,
                             size_t length)
{
    const char *path = arena_printf(cli->arena, "%s/%s", folder, name);
    if (fs_exists(path))
        return err_with_hint(err_new(ERR_CONFLICT, "'%s' exists already", path),
                             "nothing is overwritten: choose another folder, or move it away");
    TRY(fs_write_file(path, data, length, 0600));
    out_text(cli, " +  %s\n", path);
    json_array_append_new(json_object_get(cli->data, "files"), json_string(path));
    return NULL;
}

static struct err *write_secret(struct cli *cli, const char *folder, const char *name,
                                const struct secret *secret)
{
    size_t length;
    const unsigned char *bytes = secret_bytes(secret, &length);
    return write_new(cli, folder, name, bytes, length);
}

struct new_keys {
    char *ssh_public;
    char *recovery_recipient;
};

static struct err *make_ssh_key(struct cli *cli, const char *folder, struct new_keys *keys)
{
    CLEANUP_SECRET struct secret *private_key = NULL;
    TRY(ssh_make_key(cli->arena, "rehost", &private_key, &keys->ssh_public));
    TRY(write_secret(cli, folder, "keys/ssh_ed25519", private_key));
    const char *line = arena_printf(cli->arena, "%s rehost\n", keys->ssh_public);
    return write_new(cli, folder, "keys/ssh_ed25519.pub", line, strlen(line));
}

static struct err *make_data_keys(struct cli *cli, const char *folder, struct new_keys *keys)
{
    CLEANUP_SECRET struct secret *working = NULL;
    CLEANUP_SECRET struct secret *recovery = NULL;
    CLEANUP_SECRET struct secret *signing = NULL;
    char *working_recipient;
    TRY(age_make_identity(cli->arena, &working, &working_recipient));
    TRY(age_make_identity(cli->arena, &recovery, &keys->recovery_recipient));
    TRY(sign_make_key(&signing));
    TRY(write_secret(cli, folder, "keys/backup.agekey", working));
    TRY(write_secret(cli, folder, "keys/recovery.agekey", recovery));
    return write_secret(cli, folder, "keys/signing.pem", signing);
}

static const char template_text[] =
    "# What rehost needs to know before the disaster. All keys: rehost help inventory\n"
    "version: 1\n"
    "project: ops                 # keeps journals apart: another name in every inventory of yours\n"
    "\n"
    "providers:\n"
    "  main:\n"
    "    type: %s\n"
    "    token: {file: keys/provider.token}\n"
    "\n"
    "storage:\n"
    "  endpoint: https://s3.example.com\n"
    "  region: us-east-1\n"
    "  bucket: backups\n"
    "  access_key: {file: keys/s3.access}\n"
    "  secret_key: {file: keys/s3.secret}\n"
    "\n"
    "keys:\n"
    "  ssh: {file: keys/ssh_ed25519}\n"
    "  backup: {file: keys/backup.agekey}\n"
    "  recovery: %s\n"
    "  signing: {file: keys/signing.pem}\n"
    "\n"
    "hosts:\n"
    "  web-1:\n"
    "    current:\n"
    "      provider: main\n"
    "      server: web-1\n"
    "      # For backups: keys/ssh_ed25519.pub among root's authorized_keys there, and its host key\n"
    "      # (there: cat /etc/ssh/ssh_host_ed25519_key.pub).\n"
    "      # host_key: ssh-ed25519 AAAA...\n"
    "    places:\n"
    "      - {provider: main, region: REGION, size: SIZE}\n"
    "    playbooks:\n"
    "      configure: [hardening, backup-client]\n"
    "    datasets:\n"
    "      uploads: {kind: files, path: /srv/app/uploads}\n"
    "    objectives: {rto: 1h, rpo: 24h}\n";

struct err *cmd_init(struct cli *cli)
{
    const char *folder = cli->argument_count ? cli->arguments[0] : ".";
    const char *type = cli_option(cli, "provider");
    if (!type)
        type = provider_at(0)->type;
    if (!provider_find(type))
        return err_with_hint(err_new(ERR_INPUT, "no provider '%s' of servers", type),
                             "known are, also for DNS alone: %s", inventory_account_types(cli->arena));
    cli->data = json_pack("{s:s, s:[]}", "folder", folder, "files");
    const char *inventory = arena_printf(cli->arena, "%s/inventory.yaml", folder);
    if (fs_exists(inventory)) /* before any key is made */
        return err_with_hint(err_new(ERR_CONFLICT, "'%s' exists already", inventory),
                             "nothing is overwritten; name another folder: rehost init FOLDER");
    TRY(fs_make_dirs(arena_printf(cli->arena, "%s/keys", folder), 0700));
    struct new_keys keys;
    TRY(make_ssh_key(cli, folder, &keys));
    TRY(make_data_keys(cli, folder, &keys));
    const char *text = arena_printf(cli->arena, template_text, type, keys.recovery_recipient);
    TRY(write_new(cli, folder, "inventory.yaml", text, strlen(text)));
    out_text(
        cli,
        "\n!!  keys/recovery.agekey opens every backup: move it offline (paper, USB) and delete it here.\n"
        "Next:  edit %s; put the provider's token into keys/provider.token and the storage's keys into\n"
        "       keys/s3.access and keys/s3.secret (chmod 600); then: cd %s && rehost check\n",
        inventory, folder);
    return NULL;
}
