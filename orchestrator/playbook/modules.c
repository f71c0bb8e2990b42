#include "playbook/modules.h"
#include "base/yaml.h"
#include <string.h>

#define REQ ARG_REQUIRED
#define END                                                                                                  \
    {                                                                                                        \
        NULL, ARG_TEXT, 0, NULL, NULL                                                                        \
    }
#define FILE_ARGS                                                                                            \
    {"mode", ARG_MODE, 0, NULL, NULL}, {"owner", ARG_TEXT, 0, NULL, NULL},                                   \
    {                                                                                                        \
        "group", ARG_TEXT, 0, NULL, NULL                                                                     \
    }
#define PRESENT "absent present"

static const struct arg_spec no_args[] = {END};

static const struct arg_spec apt_args[] = {
    {"name", ARG_WORDS, 0, "package pkg", NULL},
    {"state", ARG_TEXT, 0, NULL, "absent build-dep fixed latest present"},
    {"update_cache", ARG_BOOL, 0, "update-cache", NULL},
    {"cache_valid_time", ARG_INT, 0, NULL, NULL},
    {"install_recommends", ARG_BOOL, 0, "install-recommends", NULL},
    {"upgrade", ARG_TEXT, 0, NULL, "dist full no safe yes"},
    {"purge", ARG_BOOL, 0, NULL, NULL},
    {"autoremove", ARG_BOOL, 0, NULL, NULL},
    {"autoclean", ARG_BOOL, 0, NULL, NULL},
    {"clean", ARG_BOOL, 0, NULL, NULL},
    {"deb", ARG_PATH, 0, NULL, NULL},
    {"default_release", ARG_TEXT, 0, "default-release", NULL},
    {"dpkg_options", ARG_TEXT, 0, NULL, NULL},
    {"only_upgrade", ARG_BOOL, 0, NULL, NULL},
    {"force_apt_get", ARG_BOOL, 0, NULL, NULL},
    {"policy_rc_d", ARG_INT, 0, NULL, NULL},
    {"allow_unauthenticated", ARG_BOOL, 0, "allow-unauthenticated", NULL},
    {"allow_downgrade", ARG_BOOL, 0, "allow-downgrade allow_downgrades allow-downgrades", NULL},
    {"allow_change_held_packages", ARG_BOOL, 0, NULL, NULL},
    {"lock_timeout", ARG_INT, 0, NULL, NULL},
    END,
};
static const struct arg_spec package_args[] = {
    {"name", ARG_WORDS, REQ, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, "absent present latest"},
    END,
};
static const struct arg_spec apt_repository_args[] = {
    {"repo", ARG_TEXT, REQ, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"filename", ARG_TEXT, 0, NULL, NULL},
    {"mode", ARG_MODE, 0, NULL, NULL},
    {"update_cache", ARG_BOOL, 0, "update-cache", NULL},
    END,
};
static const struct arg_spec apt_key_args[] = {
    {"url", ARG_TEXT, 0, NULL, NULL},      {"data", ARG_TEXT, 0, NULL, NULL},
    {"id", ARG_TEXT, 0, NULL, NULL},       {"keyring", ARG_PATH, 0, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT}, END,
};
static const struct arg_spec copy_args[] = {
    {"dest", ARG_PATH, REQ, NULL, NULL},         {"src", ARG_TEXT, 0, NULL, NULL},
    {"content", ARG_ANY, 0, NULL, NULL},         FILE_ARGS,
    {"directory_mode", ARG_MODE, 0, NULL, NULL}, {"validate", ARG_VALIDATE, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},         {"force", ARG_BOOL, 0, NULL, NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},         {"remote_src", ARG_BOOL, 0, NULL, NULL},
    {"local_follow", ARG_BOOL, 0, NULL, NULL},   END,
};
static const struct arg_spec template_args[] = {
    {"dest", ARG_PATH, REQ, NULL, NULL},
    {"src", ARG_TEXT, REQ, NULL, NULL},
    FILE_ARGS,
    {"validate", ARG_VALIDATE, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec file_args[] = {
    {"path", ARG_PATH, REQ, "dest name", NULL},
    {"state", ARG_TEXT, 0, NULL, "absent directory file hard link touch"},
    {"src", ARG_PATH, 0, NULL, NULL},
    FILE_ARGS,
    {"recurse", ARG_BOOL, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},
    {"modification_time", ARG_TEXT, 0, NULL, "preserve now"},
    {"access_time", ARG_TEXT, 0, NULL, "preserve now"},
    END,
};
static const struct arg_spec lineinfile_args[] = {
    {"path", ARG_PATH, REQ, "dest destfile name", NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"regexp", ARG_TEXT, 0, "regex", NULL},
    {"search_string", ARG_TEXT, 0, NULL, NULL},
    {"line", ARG_TEXT, 0, "value", NULL},
    {"insertafter", ARG_TEXT, 0, NULL, NULL},
    {"insertbefore", ARG_TEXT, 0, NULL, NULL},
    {"backrefs", ARG_BOOL, 0, NULL, NULL},
    {"firstmatch", ARG_BOOL, 0, NULL, NULL},
    {"create", ARG_BOOL, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    {"validate", ARG_VALIDATE, 0, NULL, NULL},
    FILE_ARGS,
    END,
};
static const struct arg_spec blockinfile_args[] = {
    {"path", ARG_PATH, REQ, "dest destfile name", NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"block", ARG_TEXT, 0, "content", NULL},
    {"marker", ARG_TEXT, 0, NULL, NULL},
    {"marker_begin", ARG_TEXT, 0, NULL, NULL},
    {"marker_end", ARG_TEXT, 0, NULL, NULL},
    {"insertafter", ARG_TEXT, 0, NULL, NULL},
    {"insertbefore", ARG_TEXT, 0, NULL, NULL},
    {"create", ARG_BOOL, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    {"validate", ARG_VALIDATE, 0, NULL, NULL},
    FILE_ARGS,
    END,
};
static const struct arg_spec replace_args[] = {
    {"path", ARG_PATH, REQ, "dest destfile name", NULL},
    {"regexp", ARG_TEXT, REQ, NULL, NULL},
    {"replace", ARG_TEXT, 0, NULL, NULL},
    {"after", ARG_TEXT, 0, NULL, NULL},
    {"before", ARG_TEXT, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    {"validate", ARG_VALIDATE, 0, NULL, NULL},
    FILE_ARGS,
    END,
};
static const struct arg_spec command_args[] = {
    {"cmd", ARG_TEXT, 0, NULL, NULL},
    {"argv", ARG_WORDS, 0, NULL, NULL},
    {"chdir", ARG_PATH, 0, NULL, NULL},
    {"creates", ARG_PATH, 0, NULL, NULL},
    {"removes", ARG_PATH, 0, NULL, NULL},
    {"stdin", ARG_TEXT, 0, NULL, NULL},
    {"stdin_add_newline", ARG_BOOL, 0, NULL, NULL},
    {"warn", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec shell_args[] = {
    {"cmd", ARG_TEXT, 0, NULL, NULL},
    {"executable", ARG_PATH, 0, NULL, NULL},
    {"chdir", ARG_PATH, 0, NULL, NULL},
    {"creates", ARG_PATH, 0, NULL, NULL},
    {"removes", ARG_PATH, 0, NULL, NULL},
    {"stdin", ARG_TEXT, 0, NULL, NULL},
    {"stdin_add_newline", ARG_BOOL, 0, NULL, NULL},
    {"warn", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec raw_args[] = {
    {"cmd", ARG_TEXT, 0, NULL, NULL},
    {"executable", ARG_PATH, 0, NULL, NULL},
    END,
};
static const struct arg_spec script_args[] = {
    {"cmd", ARG_TEXT, 0, NULL, NULL},     {"executable", ARG_PATH, 0, NULL, NULL},
    {"chdir", ARG_PATH, 0, NULL, NULL},   {"creates", ARG_PATH, 0, NULL, NULL},
    {"removes", ARG_PATH, 0, NULL, NULL}, END,
};
static const struct arg_spec systemd_args[] = {
    {"name", ARG_TEXT, 0, "service unit", NULL},
    {"state", ARG_TEXT, 0, NULL, "reloaded restarted started stopped"},
    {"enabled", ARG_BOOL, 0, NULL, NULL},
    {"masked", ARG_BOOL, 0, NULL, NULL},
    {"daemon_reload", ARG_BOOL, 0, "daemon-reload", NULL},
    {"daemon_reexec", ARG_BOOL, 0, "daemon-reexec", NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    {"no_block", ARG_BOOL, 0, NULL, NULL},
    {"scope", ARG_TEXT, 0, NULL, "system user global"},
    END,
};
static const struct arg_spec service_args[] = {
    {"name", ARG_TEXT, REQ, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, "reloaded restarted started stopped"},
    {"enabled", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec user_args[] = {
    {"name", ARG_TEXT, REQ, "user", NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"uid", ARG_INT, 0, NULL, NULL},
    {"group", ARG_TEXT, 0, NULL, NULL},
    {"groups", ARG_COMMAS, 0, NULL, NULL},
    {"append", ARG_BOOL, 0, NULL, NULL},
    {"comment", ARG_TEXT, 0, NULL, NULL},
    {"home", ARG_PATH, 0, NULL, NULL},
    {"move_home", ARG_BOOL, 0, NULL, NULL},
    {"create_home", ARG_BOOL, 0, "createhome", NULL},
    {"skeleton", ARG_TEXT, 0, NULL, NULL},
    {"umask", ARG_TEXT, 0, NULL, NULL},
    {"shell", ARG_TEXT, 0, NULL, NULL},
    {"password", ARG_TEXT, 0, NULL, NULL},
    {"password_lock", ARG_BOOL, 0, NULL, NULL},
    {"update_password", ARG_TEXT, 0, NULL, "always on_create"},
    {"system", ARG_BOOL, 0, NULL, NULL},
    {"non_unique", ARG_BOOL, 0, NULL, NULL},
    {"expires", ARG_TEXT, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    {"remove", ARG_BOOL, 0, NULL, NULL},
    {"generate_ssh_key", ARG_BOOL, 0, NULL, NULL},
    {"ssh_key_type", ARG_TEXT, 0, NULL, NULL},
    {"ssh_key_bits", ARG_INT, 0, NULL, NULL},
    {"ssh_key_file", ARG_PATH, 0, NULL, NULL},
    {"ssh_key_comment", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec group_args[] = {
    {"name", ARG_TEXT, REQ, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"gid", ARG_INT, 0, NULL, NULL},
    {"system", ARG_BOOL, 0, NULL, NULL},
    {"non_unique", ARG_BOOL, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec authorized_key_args[] = {
    {"user", ARG_TEXT, REQ, NULL, NULL},     {"key", ARG_TEXT, REQ, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},   {"path", ARG_PATH, 0, NULL, NULL},
    {"manage_dir", ARG_BOOL, 0, NULL, NULL}, {"key_options", ARG_TEXT, 0, NULL, NULL},
    {"exclusive", ARG_BOOL, 0, NULL, NULL},  {"comment", ARG_TEXT, 0, NULL, NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},     END,
};
static const struct arg_spec stat_args[] = {
    {"path", ARG_PATH, REQ, "dest name", NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},
    {"get_checksum", ARG_BOOL, 0, NULL, NULL},
    {"get_mime", ARG_BOOL, 0, "mime mime_type mime-type", NULL},
    {"get_attributes", ARG_BOOL, 0, "attr attributes", NULL},
    {"checksum_algorithm", ARG_TEXT, 0, "checksum checksum_algo", "md5 sha1 sha224 sha256 sha384 sha512"},
    END,
};
static const struct arg_spec get_url_args[] = {
    {"url", ARG_TEXT, REQ, NULL, NULL},
    {"dest", ARG_PATH, REQ, NULL, NULL},
    {"checksum", ARG_TEXT, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    {"timeout", ARG_INT, 0, NULL, NULL},
    {"headers", ARG_LINES, 0, NULL, NULL},
    {"url_username", ARG_TEXT, 0, "username", NULL},
    {"url_password", ARG_TEXT, 0, "password", NULL},
    {"validate_certs", ARG_BOOL, 0, NULL, NULL},
    FILE_ARGS,
    END,
};
static const struct arg_spec ufw_args[] = {
    {"state", ARG_TEXT, 0, NULL, "enabled disabled reloaded reset"},
    {"default", ARG_TEXT, 0, "policy", "allow deny reject"},
    {"logging", ARG_TEXT, 0, NULL, "full high low medium off on"},
    {"direction", ARG_TEXT, 0, NULL, "in incoming out outgoing routed"},
    {"delete", ARG_BOOL, 0, NULL, NULL},
    {"route", ARG_BOOL, 0, NULL, NULL},
    {"insert", ARG_INT, 0, NULL, NULL},
    {"rule", ARG_TEXT, 0, NULL, "allow deny limit reject"},
    {"interface", ARG_TEXT, 0, "if", NULL},
    {"interface_in", ARG_TEXT, 0, "if_in", NULL},
    {"interface_out", ARG_TEXT, 0, "if_out", NULL},
    {"log", ARG_BOOL, 0, NULL, NULL},
    {"from_ip", ARG_TEXT, 0, "from src", NULL},
    {"from_port", ARG_TEXT, 0, NULL, NULL},
    {"to_ip", ARG_TEXT, 0, "dest to", NULL},
    {"to_port", ARG_TEXT, 0, "port", NULL},
    {"proto", ARG_TEXT, 0, "protocol", "ah any esp ipv6 tcp udp gre igmp"},
    {"name", ARG_TEXT, 0, "app", NULL},
    {"comment", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec git_args[] = {
    {"repo", ARG_TEXT, REQ, "name", NULL},       {"dest", ARG_PATH, REQ, NULL, NULL},
    {"version", ARG_TEXT, 0, NULL, NULL},        {"remote", ARG_TEXT, 0, NULL, NULL},
    {"force", ARG_BOOL, 0, NULL, NULL},          {"depth", ARG_INT, 0, NULL, NULL},
    {"clone", ARG_BOOL, 0, NULL, NULL},          {"update", ARG_BOOL, 0, NULL, NULL},
    {"accept_hostkey", ARG_BOOL, 0, NULL, NULL}, {"accept_newhostkey", ARG_BOOL, 0, NULL, NULL},
    {"key_file", ARG_PATH, 0, NULL, NULL},       {"ssh_opts", ARG_TEXT, 0, NULL, NULL},
    {"recursive", ARG_BOOL, 0, NULL, NULL},      {"single_branch", ARG_BOOL, 0, NULL, NULL},
    {"umask", ARG_TEXT, 0, NULL, NULL},          END,
};
static const struct arg_spec sysctl_args[] = {
    {"name", ARG_TEXT, REQ, "key", NULL},      {"value", ARG_TEXT, 0, "val", NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},     {"reload", ARG_BOOL, 0, NULL, NULL},
    {"sysctl_file", ARG_PATH, 0, NULL, NULL},  {"sysctl_set", ARG_BOOL, 0, NULL, NULL},
    {"ignoreerrors", ARG_BOOL, 0, NULL, NULL}, END,
};
static const struct arg_spec cron_args[] = {
    {"name", ARG_TEXT, REQ, NULL, NULL},
    {"job", ARG_TEXT, 0, "value", NULL},
    {"state", ARG_TEXT, 0, NULL, PRESENT},
    {"user", ARG_TEXT, 0, NULL, NULL},
    {"cron_file", ARG_TEXT, 0, NULL, NULL},
    {"minute", ARG_TEXT, 0, NULL, NULL},
    {"hour", ARG_TEXT, 0, NULL, NULL},
    {"day", ARG_TEXT, 0, "dom", NULL},
    {"month", ARG_TEXT, 0, NULL, NULL},
    {"weekday", ARG_TEXT, 0, "dow", NULL},
    {"special_time", ARG_TEXT, 0, NULL, "reboot yearly annually monthly weekly daily hourly"},
    {"disabled", ARG_BOOL, 0, NULL, NULL},
    {"env", ARG_BOOL, 0, NULL, NULL},
    {"backup", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec slurp_args[] = {
    {"src", ARG_PATH, REQ, "path", NULL},
    END,
};
static const struct arg_spec wait_for_args[] = {
    {"host", ARG_TEXT, 0, NULL, NULL},
    {"port", ARG_INT, 0, NULL, NULL},
    {"path", ARG_PATH, 0, NULL, NULL},
    {"timeout", ARG_INT, 0, NULL, NULL},
    {"delay", ARG_INT, 0, NULL, NULL},
    {"sleep", ARG_INT, 0, NULL, NULL},
    {"connect_timeout", ARG_INT, 0, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, "absent drained present started stopped"},
    {"search_regex", ARG_TEXT, 0, NULL, NULL},
    {"msg", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec hostname_args[] = {
    {"name", ARG_TEXT, REQ, NULL, NULL},
    {"use", ARG_TEXT, 0, NULL, "debian systemd"},
    END,
};
static const struct arg_spec timezone_args[] = {
    {"name", ARG_TEXT, REQ, NULL, NULL},
    END,
};
static const struct arg_spec find_args[] = {
    {"paths", ARG_WORDS, REQ, "name path", NULL},
    {"patterns", ARG_WORDS, 0, "pattern", NULL},
    {"excludes", ARG_WORDS, 0, "exclude", NULL},
    {"file_type", ARG_TEXT, 0, NULL, "any directory file link"},
    {"recurse", ARG_BOOL, 0, NULL, NULL},
    {"hidden", ARG_BOOL, 0, NULL, NULL},
    {"depth", ARG_INT, 0, NULL, NULL},
    {"age", ARG_TEXT, 0, NULL, NULL},
    {"size", ARG_TEXT, 0, NULL, NULL},
    {"follow", ARG_BOOL, 0, NULL, NULL},
    {"use_regex", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec unarchive_args[] = {
    {"src", ARG_TEXT, REQ, NULL, NULL},
    {"dest", ARG_PATH, REQ, NULL, NULL},
    {"remote_src", ARG_BOOL, 0, NULL, NULL},
    {"creates", ARG_PATH, 0, NULL, NULL},
    {"extra_opts", ARG_WORDS, 0, NULL, NULL},
    {"keep_newer", ARG_BOOL, 0, NULL, NULL},
    FILE_ARGS,
    END,
};
static const struct arg_spec npm_args[] = {
    {"name", ARG_TEXT, 0, NULL, NULL},
    {"path", ARG_PATH, 0, NULL, NULL},
    {"version", ARG_TEXT, 0, NULL, NULL},
    {"global", ARG_BOOL, 0, NULL, NULL},
    {"executable", ARG_PATH, 0, NULL, NULL},
    {"state", ARG_TEXT, 0, NULL, "present absent latest"},
    {"production", ARG_BOOL, 0, NULL, NULL},
    {"ci", ARG_BOOL, 0, NULL, NULL},
    {"registry", ARG_TEXT, 0, NULL, NULL},
    {"ignore_scripts", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec tempfile_args[] = {
    {"state", ARG_TEXT, 0, NULL, "directory file"},
    {"path", ARG_PATH, 0, NULL, NULL},
    {"prefix", ARG_TEXT, 0, NULL, NULL},
    {"suffix", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec getent_args[] = {
    {"database", ARG_TEXT, REQ, NULL, NULL},
    {"key", ARG_TEXT, 0, NULL, NULL},
    {"fail_key", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec ping_args[] = {{"data", ARG_TEXT, 0, NULL, NULL}, END};
static const struct arg_spec setup_args[] = {
    {"gather_subset", ARG_ANY, 0, NULL, NULL},
    {"filter", ARG_ANY, 0, NULL, NULL},
    {"gather_timeout", ARG_ANY, 0, NULL, NULL},
    END,
};
static const struct arg_spec debug_args[] = {
    {"msg", ARG_ANY, 0, NULL, NULL},
    {"var", ARG_ANY, 0, NULL, NULL},
    {"verbosity", ARG_INT, 0, NULL, NULL},
    END,
};
static const struct arg_spec assert_args[] = {
    {"that", ARG_ANY, REQ, NULL, NULL},
    {"fail_msg", ARG_ANY, 0, "msg", NULL},
    {"success_msg", ARG_ANY, 0, NULL, NULL},
    {"quiet", ARG_BOOL, 0, NULL, NULL},
    END,
};
static const struct arg_spec fail_args[] = {{"msg", ARG_ANY, 0, NULL, NULL}, END};
static const struct arg_spec set_fact_args[] = {{"cacheable", ARG_BOOL, 0, NULL, NULL}, END};
static const struct arg_spec include_vars_args[] = {
    {"file", ARG_TEXT, 0, NULL, NULL},
    {"name", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec meta_args[] = {
    {"action", ARG_TEXT, REQ, NULL,
     "flush_handlers noop end_play end_host reset_connection clear_host_errors clear_facts"},
    END,
};
static const struct arg_spec pause_args[] = {
    {"seconds", ARG_INT, 0, NULL, NULL},
    {"minutes", ARG_INT, 0, NULL, NULL},
    {"prompt", ARG_TEXT, 0, NULL, NULL},
    END,
};
static const struct arg_spec include_tasks_args[] = {
    {"file", ARG_TEXT, REQ, NULL, NULL},
    END,
};
static const struct arg_spec include_role_args[] = {
    {"name", ARG_TEXT, REQ, "role", NULL},
    {"tasks_from", ARG_TEXT, 0, NULL, NULL},
    {"public", ARG_BOOL, 0, NULL, NULL},
    {"allow_duplicates", ARG_BOOL, 0, NULL, NULL},
    END,
};

#define BUILTIN "ansible.builtin"
#define POSIX "ansible.posix"
#define GENERAL "community.general"
#define HOST(name, collection, shell, args)                                                                  \
    {                                                                                                        \
        name, collection, ACTION_HOST, shell, args, NULL, false                                              \
    }

static const struct module_spec modules[] = {
    HOST("apt", BUILTIN, "apt", apt_args),
    {"apt_key", BUILTIN, ACTION_HOST, "apt_key", apt_key_args, NULL, false},
    HOST("apt_repository", BUILTIN, "apt_repository", apt_repository_args),
    {"assert", BUILTIN, ACTION_ASSERT, NULL, assert_args, NULL, false},
    HOST("authorized_key", POSIX, "authorized_key", authorized_key_args),
    HOST("blockinfile", BUILTIN, "blockinfile", blockinfile_args),
    {"command", BUILTIN, ACTION_COMMAND, "command", command_args, "cmd", false},
    {"copy", BUILTIN, ACTION_COPY, "copy", copy_args, NULL, false},
    HOST("cron", BUILTIN, "cron", cron_args),
    {"debug", BUILTIN, ACTION_DEBUG, NULL, debug_args, NULL, false},
    {"fail", BUILTIN, ACTION_FAIL, NULL, fail_args, NULL, false},
    HOST("file", BUILTIN, "file", file_args),
    HOST("find", BUILTIN, "find", find_args),
    HOST("get_url", BUILTIN, "get_url", get_url_args),
    HOST("getent", BUILTIN, "getent", getent_args),
    HOST("git", BUILTIN, "git", git_args),
    HOST("group", BUILTIN, "group", group_args),
    HOST("hostname", BUILTIN, "hostname", hostname_args),
    {"import_role", BUILTIN, ACTION_IMPORT_ROLE, NULL, include_role_args, NULL, false},
    {"import_tasks", BUILTIN, ACTION_IMPORT_TASKS, NULL, include_tasks_args, "file", false},
    {"include_role", BUILTIN, ACTION_INCLUDE_ROLE, NULL, include_role_args, NULL, false},
    {"include_tasks", BUILTIN, ACTION_INCLUDE_TASKS, NULL, include_tasks_args, "file", false},
    {"include_vars", BUILTIN, ACTION_INCLUDE_VARS, NULL, include_vars_args, "file", false},
    HOST("lineinfile", BUILTIN, "lineinfile", lineinfile_args),
    {"meta", BUILTIN, ACTION_META, NULL, meta_args, "action", false},
    HOST("npm", GENERAL, "npm", npm_args),
    HOST("package", BUILTIN, "apt", package_args),
    {"pause", BUILTIN, ACTION_PAUSE, NULL, pause_args, NULL, false},
    HOST("ping", BUILTIN, "ping", ping_args),
    {"raw", BUILTIN, ACTION_COMMAND, "raw", raw_args, "cmd", false},
    HOST("replace", BUILTIN, "replace", replace_args),
    {"script", BUILTIN, ACTION_SCRIPT, "script", script_args, "cmd", false},
    HOST("service", BUILTIN, "systemd", service_args),
    {"set_fact", BUILTIN, ACTION_SET_FACT, NULL, set_fact_args, NULL, true},
    {"setup", BUILTIN, ACTION_SETUP, "setup", setup_args, NULL, false},
    {"shell", BUILTIN, ACTION_COMMAND, "shell", shell_args, "cmd", false},
    HOST("slurp", BUILTIN, "slurp", slurp_args),
    HOST("stat", BUILTIN, "stat", stat_args),
    HOST("sysctl", POSIX, "sysctl", sysctl_args),
    HOST("systemd", BUILTIN, "systemd", systemd_args),
    HOST("systemd_service", BUILTIN, "systemd", systemd_args),
    HOST("tempfile", BUILTIN, "tempfile", tempfile_args),
    {"template", BUILTIN, ACTION_TEMPLATE, "copy", template_args, NULL, false},
    HOST("timezone", GENERAL, "timezone", timezone_args),
    HOST("ufw", GENERAL, "ufw", ufw_args),
    {"unarchive", BUILTIN, ACTION_UNARCHIVE, "unarchive", unarchive_args, NULL, false},
    HOST("user", BUILTIN, "user", user_args),
    HOST("wait_for", BUILTIN, "wait_for", wait_for_args),
    {"wait_for_connection", BUILTIN, ACTION_HOST, "ping", no_args, NULL, false},
};
#define MODULE_COUNT (sizeof(modules) / sizeof(modules[0]))

bool word_in(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; length && at && *at; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == length && strncmp(at, word, length) == 0)
            return true;
        at += here;
    }
    return false;
}

/* Whether `name` is `spec`, bare or with its collection. */
static bool is_named(const struct module_spec *spec, const char *name)
{
    if (strcmp(name, spec->name) == 0)
        return true;
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot + 1, spec->name) != 0)
        return false;
    size_t length = (size_t)(dot - name);
    if (length == strlen(spec->collection) && strncmp(name, spec->collection, length) == 0)
        return true;
    return strcmp(spec->collection, BUILTIN) == 0 && length == strlen("ansible.legacy") &&
           strncmp(name, "ansible.legacy", length) == 0;
}

const struct module_spec *module_find(const char *name)
{
    for (size_t i = 0; i < MODULE_COUNT; i++)
        if (is_named(&modules[i], name))
            return &modules[i];
    return NULL;
}

const char *module_nearest(const char *name)
{
    const char *names[MODULE_COUNT];
    for (size_t i = 0; i < MODULE_COUNT; i++)
        names[i] = modules[i].name;
    const char *dot = strrchr(name, '.');
    return yaml_nearest(dot ? dot + 1 : name, names, MODULE_COUNT);
}

const struct arg_spec *module_find_arg(const struct module_spec *module, const char *name)
{
    for (const struct arg_spec *arg = module->args; arg->name; arg++)
        if (strcmp(arg->name, name) == 0 || word_in(arg->aliases, name))
            return arg;
    return NULL;
}

const char *module_nearest_arg(const struct module_spec *module, const char *name)
{
    const char *names[64];
    size_t count = 0;
    for (const struct arg_spec *arg = module->args; arg->name && count < 64; arg++)
        names[count++] = arg->name;
    return yaml_nearest(name, names, count);
}
