/* Folders, by tar with owners, ACLs and extended attributes.
 *
 * What is counted is what was archived: a folder that is in use changes between counting and reading. A
 * restore fills a new folder beside the old one; the switch moves it into place and keeps what was there,
 * unless that was empty.
 */
#include "providers/data/driver.h"

#include <string.h>

static bool is_absolute_path(const char *text)
{
    size_t length = strlen(text);
    return length > 1 && length < 4000 && text[0] == '/' && text[length - 1] != '/' && !strstr(text, "//") &&
           !strstr(text, "/../") && !strstr(text, "/./") && strcmp(text + length - 2, "/.") != 0 &&
           (length < 3 || strcmp(text + length - 3, "/..") != 0);
}

static bool is_octal_mode(const char *text)
{
    size_t length = strlen(text);
    return length >= 3 && length <= 4 && strspn(text, "01234567") == length;
}

static const struct option_rule options[] = {
    {"path", OPTION_TEXT, true, is_absolute_path,
     "an absolute path without '..' and without a slash at the end"},
    {"exclude", OPTION_LIST, false, NULL, "a list of patterns"},
    {"owner", OPTION_TEXT, false, is_unix_name, "the name of a user"},
    {"group", OPTION_TEXT, false, is_unix_name, "the name of a group"},
    {"mode", OPTION_TEXT, false, is_octal_mode, "a mode in octal, in quotes (\"0750\")"},
};

static const char *const needs[] = {"tar:tar", "setfacl:acl", NULL};

static const char inspect_script[] =
    "inspect() {\n"
    "    [ -d \"$path\" ] || fail \"there is no folder '$path' on this host\"\n"
    "    du -sb -- \"$path\" | cut -f 1\n"
    "}\n";

/* tar ends with 1 when a file changed or went away while it was read: the archive is whole, and the manifest
 * says so. */
static const char produce_script[] =
    "prepare() {\n"
    "    [ -d \"$path\" ] || fail \"there is no folder '$path' on this host\"\n"
    "    report \"tool $(tar --version | head -n 1)\"\n"
    "}\n"
    "produce() {\n"
    "    local code=0\n"
    "    tar --create --acls --xattrs --numeric-owner -vv --index-file=\"$spool/index\" \"${excludes[@]}\" "
    "-C \"$path\" -f - . || code=$?\n"
    "    ((code != 1)) || report 'info {\"changed_while_read\": true}'\n"
    "    ((code <= 1)) || exit \"$code\"\n"
    "}\n"
    "finish() {\n"
    "    report \"probe $(awk '$1 ~ /^[-h]/ { files++; if ($1 ~ /^-/) bytes += $3 }\n"
    "        END { printf \"{\\\"files\\\": %.0f, \\\"bytes\\\": %.0f}\", files, bytes }' "
    "\"$spool/index\")\"\n"
    "}\n";

static const char count_script[] =
    "count() {\n"
    "    report \"probe $(find \"$1\" -type f -printf '%i %s\\n' | awk '{ files++; if (!seen[$1]++) bytes += "
    "$2 }\n"
    "        END { printf \"{\\\"files\\\": %.0f, \\\"bytes\\\": %.0f}\", files, bytes }')\"\n"
    "}\n";

static const char consume_script[] =
    "prepare() {\n"
    "    report \"tool $(tar --version | head -n 1)\"\n"
    "    [ -z \"$owner\" ] || getent passwd \"$owner\" >/dev/null || fail \"the user '$owner' does not exist "
    "on this host\"\n"
    "    [ -z \"$group\" ] || getent group \"$group\" >/dev/null || fail \"the group '$group' does not exist "
    "on this host\"\n"
    "    discard\n"
    "    (umask 022 && mkdir -p -- \"${path%/*}/\" && mkdir -- \"$new\")\n"
    "}\n"
    "consume() {\n"
    "    tar --extract --acls --xattrs --numeric-owner --preserve-permissions --same-owner -C \"$new\" -f -\n"
    "}\n"
    "finish() {\n"
    "    [ -z \"$owner\" ] || chown -hR -- \"$owner\" \"$new\"\n"
    "    [ -z \"$group\" ] || chgrp -hR -- \"$group\" \"$new\"\n"
    "    [ -z \"$mode\" ] || chmod -- \"$mode\" \"$new\"\n"
    "    count \"$new\"\n"
    "}\n"
    "discard() {\n"
    "    rm -rf --one-file-system -- \"$new\"\n"
    "}\n";

/* The mark is written first: it means "done" once the new folder is not beside any more. */
static const char switch_script[] =
    "is_switched() {\n"
    "    [ \"$(cat \"$mark\" 2>/dev/null)\" = \"$new\" ] && ! [ -e \"$new\" ] && [ -d \"$path\" ]\n"
    "}\n"
    "recount() {\n"
    "    count \"$path\"\n"
    "}\n"
    "switch_over() {\n"
    "    [ -d \"$new\" ] || fail \"the restored folder '$new' is gone\"\n"
    "    mkdir -p \"${mark%/*}\"\n"
    "    printf '%s\\n' \"$new\" >\"$mark\"\n"
    "    if [ -d \"$path\" ] && [ -z \"$(ls -A -- \"$path\")\" ]; then\n"
    "        rmdir -- \"$path\"\n"
    "    elif [ -e \"$path\" ]; then\n"
    "        mv -T -- \"$path\" \"$before\"\n"
    "    fi\n"
    "    mv -T -- \"$new\" \"$path\"\n"
    "}\n";

static void add_inspect(const struct dataset *dataset, struct strbuf *script)
{
    script_set(script, "path", option_text(dataset, "path", ""));
    strbuf_adds(script, inspect_script);
}

static void add_produce(const struct dataset *dataset, struct strbuf *script)
{
    size_t i;
    json_t *pattern;
    script_set(script, "path", option_text(dataset, "path", ""));
    strbuf_adds(script, "excludes=(");
    json_array_foreach(json_object_get(dataset->options, "exclude"), i, pattern)
    {
        strbuf_adds(script, " --exclude=");
        strbuf_add_shell_quoted(script, json_string_value(pattern));
    }
    strbuf_adds(script, " )\n");
    strbuf_adds(script, produce_script);
}

static void add_target(const struct dataset *dataset, const struct restore_target *target,
                       struct strbuf *script)
{
    struct strbuf name CLEANUP_STRBUF;
    const char *path = option_text(dataset, "path", "");
    strbuf_init(&name, 0);
    script_set(script, "path", path);
    strbuf_addf(&name, "%s.rehost-%s", path, target->id);
    script_set(script, "new", name.data);
    strbuf_reset(&name);
    strbuf_addf(&name, "%s.before-%s", path, target->id);
    script_set(script, "before", name.data);
    strbuf_reset(&name);
    strbuf_addf(&name, "/var/lib/rehost/restored/%s", dataset->name);
    script_set(script, "mark", name.data);
    strbuf_adds(script, count_script);
}

static void add_consume(const struct dataset *dataset, const struct restore_target *target,
                        struct strbuf *script)
{
    add_target(dataset, target, script);
    script_set(script, "owner", option_text(dataset, "owner", ""));
    script_set(script, "group", option_text(dataset, "group", ""));
    script_set(script, "mode", option_text(dataset, "mode", ""));
    strbuf_adds(script, consume_script);
}

static void add_switch(const struct dataset *dataset, const struct restore_target *target,
                       struct strbuf *script)
{
    add_target(dataset, target, script);
    strbuf_adds(script, switch_script);
}

static void add_manual_restore(const struct dataset *dataset, const struct restore_target *target,
                               struct strbuf *text)
{
    (void)target;
    strbuf_addf(text,
                "These run as root and fill a new folder: NEW_FOLDER is its name. It belongs at '%s'. Owners "
                "are stored as numbers:\n"
                "compare them with /etc/passwd before you move the folder into place.\n\n",
                option_text(dataset, "path", ""));
    strbuf_adds(
        text,
        "    mkdir \"$NEW_FOLDER\"\n"
        "    age --decrypt -i \"$RECOVERY_KEY\" data.zst.age | zstd -d |"
        " tar --extract --acls --xattrs --numeric-owner --preserve-permissions -C \"$NEW_FOLDER\" -f -\n");
}

const struct dataset_ops dataset_files = {
    .kind = "files",
    .needs = needs,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .producer = "tar",
    .consumer = "tar",
    .command = "tar --create --acls --xattrs --numeric-owner -C PATH . | zstd -3 | age",
    .add_inspect = add_inspect,
    .add_produce = add_produce,
    .add_consume = add_consume,
    .add_switch = add_switch,
    .add_manual_restore = add_manual_restore,
};
