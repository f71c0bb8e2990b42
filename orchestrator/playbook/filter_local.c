/* Filters and tests that look at the control side: its files, its environment, its users. */
#include "playbook/filter.h"
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *keep(struct eval *ev, const char *text, json_t **out)
{
    return pool_text(ev->pool, text, strlen(text), out);
}

/* ~/x and ~user/x; a user that is not there stays as it is written. */
static struct err *apply_expanduser(struct eval *ev, const struct call *call, json_t **out)
{
    const char *path = call_text(ev, call->input, "");
    size_t name_length = *path == '~' ? strcspn(path + 1, "/") : 0;
    char buffer[4096];
    struct passwd entry, *found = NULL;
    const char *home = name_length ? NULL : getenv("HOME");
    if (*path != '~')
        return keep(ev, path, out);
    if (name_length)
        getpwnam_r(arena_strndup(ev->pool->arena, path + 1, name_length), &entry, buffer, sizeof(buffer),
                   &found);
    else if (!home)
        getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found);
    home = home ? home : found ? found->pw_dir : NULL;
    if (!home)
        return keep(ev, path, out);
    size_t length = strlen(home);
    while (length && home[length - 1] == '/')
        length--;
    const char *text = arena_printf(ev->pool->arena, "%.*s%s", (int)length, home, path + 1 + name_length);
    return keep(ev, *text ? text : "/", out);
}

/* $NAME and ${NAME}; what is not set stays as it is written. */
static struct err *apply_expandvars(struct eval *ev, const struct call *call, json_t **out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (const char *p = call_text(ev, call->input, ""); *p;) {
        bool brace = p[0] == '$' && p[1] == '{';
        size_t length = *p != '$' ? 0 : brace ? strcspn(p + 2, "}") : strspn(p + 1, letters);
        size_t whole = length + (brace ? 3 : 1);
        const char *value = length && strlen(p) >= whole
                                ? getenv(arena_strndup(ev->pool->arena, p + 1 + brace, length))
                                : NULL;
        if (value)
            strbuf_adds(&sb, value);
        else
            strbuf_addc(&sb, *p);
        p += value ? whole : 1;
    }
    return pool_buffer(ev->pool, &sb, out);
}

/* Absolute, without '.', '..' and double slashes. */
static const char *normal_path(struct arena *arena, const char *path)
{
    char here[PATH_MAX];
    const char *from = *path == '/' || !getcwd(here, sizeof(here)) ? "" : here;
    char *text = arena_printf(arena, "%s/%s", from, path), *out = arena_alloc(arena, strlen(text) + 2);
    size_t n = 0;
    for (char *save, *part = strtok_r(text, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            while (n && out[--n] != '/')
                ;
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, part, strlen(part));
        n += strlen(part);
    }
    if (n == 0)
        out[n++] = '/';
    out[n] = 0;
    return out;
}

/* Links are followed as far as the path is there; the rest is only text. */
static struct err *apply_realpath(struct eval *ev, const struct call *call, json_t **out)
{
    struct arena *arena = ev->pool->arena;
    char *path = arena_strdup(arena, call_text(ev, call->input, "")), real[PATH_MAX];
    if (*path != '/')
        path = (char *)(uintptr_t)normal_path(arena, path);
    for (size_t length = strlen(path);; length--) {
        if (path[length] != '/' && path[length])
            continue;
        char *head = arena_strndup(arena, path, length ? length : 1);
        if (!realpath(head, real) && errno != ENOENT && errno != ENOTDIR)
            return keep(ev, normal_path(arena, path), out);
        if (length == 0 || realpath(head, real))
            return keep(
                ev, normal_path(arena, arena_printf(arena, "%s/%s", length ? real : "", path + length)), out);
    }
}

/* relpath(start='.') */
static struct err *apply_relpath(struct eval *ev, const struct call *call, json_t **out)
{
    const char *path = normal_path(ev->pool->arena, call_text(ev, call->input, "")),
               *start = normal_path(ev->pool->arena, call_text(ev, call->arg[0], "."));
    size_t same = 0;
    for (size_t i = 0;; i++) {
        bool end_a = !path[i] || path[i] == '/', end_b = !start[i] || start[i] == '/';
        if (end_a && end_b)
            same = i;
        if (!path[i] || !start[i] || path[i] != start[i])
            break;
    }
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *rest = path + same, *up = start + same;
    for (up += strspn(up, "/"); *up; up += strcspn(up, "/"), up += strspn(up, "/"))
        strbuf_adds(&sb, sb.length ? "/.." : "..");
    rest += strspn(rest, "/");
    if (*rest && sb.length)
        strbuf_addc(&sb, '/');
    strbuf_adds(&sb, rest);
    if (sb.length == 0)
        strbuf_addc(&sb, '.');
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_fileglob(struct eval *ev, const struct call *call, json_t **out)
{
    glob_t names = {0};
    struct stat st;
    json_t *list = json_array();
    if (glob(call_text(ev, call->input, ""), GLOB_NOSORT, NULL, &names) == 0)
        for (size_t i = 0; i < names.gl_pathc; i++)
            if (stat(names.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
                json_array_append_new(list, json_string(names.gl_pathv[i]));
    globfree(&names);
    return pool_keep(ev->pool, list, out);
}

static struct err *answer(bool truth, json_t **out)
{
    *out = pool_bool(truth);
    return NULL;
}

/* A mount point is on another device than its parent, or is the root. */
static struct err *is_mount(struct eval *ev, const struct call *call, json_t **out)
{
    struct stat st, parent;
    const char *path = call_text(ev, call->input, "");
    bool there = lstat(path, &st) == 0 && !S_ISLNK(st.st_mode);
    const char *above = arena_printf(ev->pool->arena, "%s/..", path);
    return answer(there && stat(above, &parent) == 0 &&
                      (st.st_dev != parent.st_dev || st.st_ino == parent.st_ino),
                  out);
}

static struct err *is_same_file(struct eval *ev, const struct call *call, json_t **out)
{
    struct stat a, b;
    const char *path[2] = {call_text(ev, call->input, ""), call_text(ev, call->arg[0], "")};
    if (stat(path[0], &a) != 0 || stat(path[1], &b) != 0)
        return err_new(ERR_INPUT, "'same_file' needs two files that are there, '%s' and '%s'", path[0],
                       path[1]);
    return answer(a.st_dev == b.st_dev && a.st_ino == b.st_ino, out);
}

static struct err *is_there(struct eval *ev, const struct call *call, json_t **out)
{
    struct stat st;
    return answer(lstat(call_text(ev, call->input, ""), &st) == 0, out);
}

static const struct filter rows[] = {
    {"expanduser", apply_expanduser, 0, 0, {0}}, {"expandvars", apply_expandvars, 0, 0, {0}},
    {"realpath", apply_realpath, 0, 0, {0}},     {"relpath", apply_relpath, 0, 0, {"start"}},
    {"fileglob", apply_fileglob, 0, 0, {0}},
};
const struct filter_table filters_local = {rows, sizeof(rows) / sizeof(*rows)};

static const struct filter test_rows[] = {
    {"mount", is_mount, 0, 0, {0}},
    {"is_mount", is_mount, 0, 0, {0}},
    {"same_file", is_same_file, 1, 0, {"path2"}},
    {"is_same_file", is_same_file, 1, 0, {"path2"}},
    {"link_exists", is_there, 0, 0, {0}},
};
const struct filter_table tests_local = {test_rows, sizeof(test_rows) / sizeof(*test_rows)};
