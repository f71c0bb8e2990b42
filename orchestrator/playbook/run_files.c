/* What the control side prepares of a task: files are read, templates rendered. */
#include "base/decode.h"
#include "base/fs.h"
#include "base/io.h"
#include "playbook/data_text.h"
#include "playbook/run.h"
#include "playbook/tree.h"
#include "playbook/words.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INLINE_BYTES (64 << 10) /* larger content is no part of the call */
#define ROOMY_BYTES (8u << 20)  /* more than this does not go to the host's memory */

/* Content goes as text in the call, or, if it is large or no text, as data beforehand. */
static void put_content(json_t *args, const char *data, size_t length, int id, struct payload *payload)
{
    json_t *text = length <= INLINE_BYTES && !memchr(data, '\0', length) ? json_stringn(data, length) : NULL;
    if (text) {
        json_object_set_new(args, "content", text);
        return;
    }
    *payload = (struct payload){.wanted = true, .fd = -1, .data = data, .size = length};
    json_object_set_new(args, "data", json_sprintf("%d", id));
}

/* A file that is too large to be held here is read while it is sent. */
static struct err *put_file(struct job *job, json_t *args, const char *path, int id, struct payload *payload)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info))
        return err_errno(ERR_IO, errno, "cannot read '%s'", path);
    if (!S_ISREG(info.st_mode))
        return entry_error(job->entry, "'%s' is no file", path);
    if (info.st_size <= INLINE_BYTES) {
        char *data;
        size_t length;
        TRY(fs_read_file(job->arena, path, INLINE_BYTES, &data, &length));
        put_content(args, data, length, id, payload);
        return NULL;
    }
    *payload = (struct payload){.wanted = true, .fd = io_take(&fd), .size = (uint64_t)info.st_size};
    json_object_set_new(args, "data", json_sprintf("%d", id));
    return NULL;
}

static const char *text_arg(struct job *job, const json_t *args, const char *name)
{
    const json_t *value = json_object_get(args, name);
    return !value || json_is_null(value) ? NULL : expr_value_text(job->arena, value);
}

static struct err *find_source(struct run *run, struct job *job, const json_t *args, const char *subdir,
                               char **path)
{
    const char *src = text_arg(job, args, "src");
    if (!src || !*src)
        return entry_error(job->entry, "'%s' needs 'src'", job->entry->module->name);
    *path = find_file(job->arena, run->playbook, job->entry, subdir, src);
    return *path ? NULL : entry_error(job->entry, "there is no file '%s'", src);
}

static struct err *read_source(struct run *run, struct job *job, json_t *args, int id,
                               struct payload *payload)
{
    char *path;
    TRY(find_source(run, job, args, "files", &path));
    if (fs_is_dir(path))
        return err_with_hint(
            entry_error(job->entry, "'%s' is a folder; '%s' copies files", path, job->entry->module->name),
            "only 'copy' takes folders");
    TRY(put_file(job, args, path, id, payload));
    const char *mode = text_arg(job, args, "mode");
    struct stat info;
    if (mode && strcmp(mode, "preserve") == 0 && stat(path, &info) == 0)
        json_object_set_new(args, "mode", json_sprintf("%04o", (unsigned)(info.st_mode & 07777)));
    json_object_set_new(args, "basename", json_string(fs_basename(path)));
    return NULL;
}

/* `src/` is what the folder holds, `src` the folder itself. */
static struct err *read_folder(struct job *job, json_t *args, const char *src, const char *path, int id,
                               struct payload *payload)
{
    const char *mode = text_arg(job, args, "mode");
    int fd;
    uint64_t size;
    TRY(tree_pack(path, mode && strcmp(mode, "preserve") == 0, &fd, &size));
    *payload = (struct payload){.wanted = true, .fd = fd, .size = size};
    json_object_set_new(args, "data", json_sprintf("%d", id));
    json_object_set_new(args, "tree", json_string("yes"));
    if (src[strlen(src) - 1] != '/')
        json_object_set_new(args, "subdir", json_string(fs_basename(path)));
    return NULL;
}

static struct err *read_copied(struct run *run, struct job *job, json_t *args, int id,
                               struct payload *payload)
{
    char *path;
    TRY(find_source(run, job, args, "files", &path));
    return fs_is_dir(path) ? read_folder(job, args, text_arg(job, args, "src"), path, id, payload)
                           : read_source(run, job, args, id, payload);
}

static struct err *prepare_copy(struct run *run, struct job *job, json_t *args, int id,
                                struct payload *payload)
{
    json_t *content = json_object_get(args, "content");
    if (json_is_null(content)) /* as if it were not given */
        content = NULL;
    const char *src = text_arg(job, args, "src");
    bool remote = false;
    json_t *flag = json_object_get(args, "remote_src");
    if (flag && !value_as_flag(flag, &remote))
        return entry_error(job->entry, "'remote_src' must be yes or no");
    json_object_del(args, "remote_src");
    json_object_del(args, "local_follow");
    if (content && src)
        return entry_error(job->entry, "'content' and 'src' cannot be used together");
    if (remote) {
        json_object_set_new(args, "basename", json_string(src ? fs_basename(src) : ""));
        return src ? NULL : entry_error(job->entry, "'remote_src' needs 'src'");
    }
    if (!content) {
        TRY(read_copied(run, job, args, id, payload));
        json_object_del(args, "src");
        return NULL;
    }
    json_incref(content);
    json_object_del(args, "content");
    CLEANUP_JSON json_t *kept = content;
    if (json_is_object(kept) || json_is_array(kept)) { /* as Ansible: what was data becomes JSON again */
        CLEANUP_STRBUF_WIPE struct strbuf text;
        strbuf_init(&text, 0);
        data_add_json(&text, kept, &(struct json_style){0});
        put_content(args, strbuf_to_arena(&text, job->arena), text.length, id, payload);
    } else {
        const char *text = json_is_string(kept) ? json_string_value(kept) : expr_value_text(job->arena, kept);
        size_t length = json_is_string(kept) ? json_string_length(kept) : strlen(text);
        put_content(args, arena_memdup(job->arena, text, length), length, id, payload);
    }
    return NULL;
}

/* The arguments of `template` that say how it is written; they do not go to the host. */
static struct err *template_style(struct job *job, json_t *args, struct template_syntax *syntax)
{
    static const char *const marks[] = {"variable_start_string", "block_start_string", "comment_start_string",
                                        "variable_end_string",   "block_end_string",   "comment_end_string"};
    bool flag;
    *syntax = template_default_syntax;
    if (value_as_flag(json_object_get(args, "trim_blocks"), &flag))
        syntax->trim_blocks = flag;
    if (value_as_flag(json_object_get(args, "lstrip_blocks"), &flag))
        syntax->lstrip_blocks = flag;
    const char *newline = json_string_value(json_object_get(args, "newline_sequence"));
    if (newline && !(syntax->newline = template_newline(newline)))
        return entry_error(job->entry, "'newline_sequence' is \"\\n\", \"\\r\" or \"\\r\\n\"");
    for (size_t i = 0; i < 6; i++) {
        const char *mark = json_string_value(json_object_get(args, marks[i]));
        if (mark && *mark)
            *(i < 3 ? &syntax->start[i] : &syntax->end[i - 3]) = arena_strdup(job->arena, mark);
        json_object_del(args, marks[i]);
    }
    json_object_del(args, "trim_blocks");
    json_object_del(args, "lstrip_blocks");
    json_object_del(args, "newline_sequence");
    json_object_del(args, "output_encoding");
    return NULL;
}

/* Source: the module "template" of the Ansible 2.14 documentation. */
const struct expr_scope *template_scope(struct job *job, const struct expr_scope *scope, const char *src,
                                        const char *path, const char *dest)
{
    char host[256] = "", run_date[40], changed[40];
    struct stat st = {0};
    struct tm tm;
    time_t now = time(NULL);
    (void)gethostname(host, sizeof(host) - 1);
    (void)stat(path, &st);
    char names[4096];
    struct passwd entry, *owner = NULL;
    (void)getpwuid_r(st.st_uid, &entry, names, sizeof(names), &owner);
    const char *uid = owner ? arena_strdup(job->arena, owner->pw_name)
                            : arena_printf(job->arena, "%u", (unsigned)st.st_uid);
    localtime_r(&now, &tm);
    (void)strftime(run_date, sizeof(run_date), "%Y-%m-%d %H:%M:%S", &tm);
    localtime_r(&st.st_mtime, &tm);
    (void)strftime(changed, sizeof(changed), "%Y-%m-%d %H:%M:%S", &tm);
    json_t *vars = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?}", "template_host", host, "template_uid",
                             uid, "template_path", src, "template_fullpath", path, "template_run_date",
                             run_date, "template_mtime", changed, "template_destpath", dest);
    return scope_with(job->arena, scope, json_keep(job->arena, vars), true);
}

static struct err *prepare_template(struct run *run, struct job *job, const struct expr_scope *scope,
                                    json_t *args, int id, struct payload *payload)
{
    char *path, *text;
    size_t length;
    TRY(find_source(run, job, args, "templates", &path));
    struct template_syntax syntax;
    TRY(template_style(job, args, &syntax));
    const char *dest = json_string_value(json_object_get(args, "dest"));
    struct expr_env env =
        run_env(run, job, template_scope(job, scope, text_arg(job, args, "src"), path, dest));
    TRY(template_render_file(job->arena, &env, &syntax, path, &text, &length));
    put_content(args, text, length, id, payload);
    json_object_set_new(args, "basename", json_string(fs_basename(path)));
    json_object_del(args, "src");
    return NULL;
}

static struct err *prepare_script(struct run *run, struct job *job, json_t *args, const char **words, int id,
                                  struct payload *payload)
{
    char **list;
    size_t count;
    TRY(words_split(job->arena, text_arg(job, args, "text"), &list, &count));
    json_object_del(args, "text");
    if (!count)
        return entry_error(job->entry, "'script' needs a file");
    json_object_set_new(args, "src", json_string(list[0]));
    TRY(read_source(run, job, args, id, payload));
    json_object_del(args, "src");
    json_object_del(args, "basename");
    CLEANUP_STRBUF_WIPE struct strbuf rest;
    strbuf_init(&rest, 0);
    for (size_t i = 1; i < count; i++) {
        strbuf_adds(&rest, i > 1 ? " " : "");
        strbuf_add_shell_quoted(&rest, list[i]);
    }
    *words = strbuf_to_arena(&rest, job->arena);
    return NULL;
}

static struct err *prepare_unarchive(struct run *run, struct job *job, json_t *args, int id,
                                     struct payload *payload)
{
    bool remote = false;
    json_t *flag = json_object_get(args, "remote_src");
    if (flag && !value_as_flag(flag, &remote))
        return entry_error(job->entry, "'remote_src' must be yes or no");
    json_object_del(args, "remote_src");
    const char *src = text_arg(job, args, "src");
    json_object_set_new(args, "basename", json_string(fs_basename(src)));
    if (remote || strstr(src, "://"))
        return NULL;
    TRY(read_source(run, job, args, id, payload));
    json_object_del(args, "src");
    return NULL;
}

struct err *action_prepare(struct run *run, struct job *job, const struct expr_scope *scope, json_t *args,
                           const char **words, int id, struct payload *payload)
{
    switch (job->entry->module->action) {
    case ACTION_COPY:
        return prepare_copy(run, job, args, id, payload);
    case ACTION_TEMPLATE:
        return prepare_template(run, job, scope, args, id, payload);
    case ACTION_SCRIPT:
        return prepare_script(run, job, args, words, id, payload);
    default:
        return prepare_unarchive(run, job, args, id, payload);
    }
}

void payload_send(struct payload *payload, int id, struct session *session)
{
    if (payload->wanted && payload->fd >= 0) {
        if (payload->size > ROOMY_BYTES) {
            char text[48];
            int length = snprintf(text, sizeof(text), "rh_roomy %d\n", id);
            session_send(session, text, (size_t)length);
        }
        session_send_file(session, id, io_take(&payload->fd), payload->size);
    } else if (payload->wanted) {
        session_send_data(session, id, payload->data, (size_t)payload->size);
    }
}

void payload_free(struct payload *payload)
{
    if (payload->wanted)
        io_closep(&payload->fd);
}
