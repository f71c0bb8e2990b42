/* Modules for other systems than Debian and Ubuntu. Playbooks for many systems hold them behind conditions.
 * Sources: the collections ansible.builtin, ansible.posix, community.general, ansible.windows. */
#include "playbook/parse.h"
#include <string.h>

static const struct {
    const char *system, *modules;
} foreign[] = {
    {"Red Hat", "yum dnf dnf5 yum_repository rpm_key yum_versionlock dnf_versionlock dnf_config_manager copr "
                "redhat_subscription rhsm_release rhsm_repository rhn_register rhn_channel"},
    {"systems with SELinux",
     "selinux seboolean sefcontext seport selogin selinux_permissive selinux_modules"},
    {"systems with firewalld", "firewalld firewalld_info"},
    {"SUSE", "zypper zypper_repository zypper_repository_info"},
    {"Arch Linux", "pacman pacman_key"},
    {"Alpine", "apk"},
    {"Gentoo", "portage portinstall"},
    {"macOS", "homebrew homebrew_cask homebrew_tap homebrew_services macports osx_defaults launchd mas"},
    {"FreeBSD", "pkgng sysrc beadm"},
    {"other systems", "openbsd_pkg pkgin pkgutil pkg5 pkg5_publisher svr4pkg opkg slackpkg sorcery swupd "
                      "urpmi xbps installp lbu"},
};

const char *foreign_system(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *base = dot ? dot + 1 : name;
    if (strncmp(base, "win_", 4) == 0 || strncmp(name, "ansible.windows.", 16) == 0 ||
        strncmp(name, "community.windows.", 18) == 0 || strncmp(name, "chocolatey.", 11) == 0)
        return "Windows";
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (word_in(foreign[i].modules, base))
            return foreign[i].system;
    return NULL;
}

/* Whether something decides if the entry is reached: a condition, or a file whose name is a template. */
static bool is_guarded(const struct entry *entry)
{
    for (; entry; entry = entry->parent) {
        if (entry->keywords[KW_WHEN])
            return true;
        if (entry->module && entry->args && template_is_template_json(entry->args) &&
            (entry->module->action == ACTION_INCLUDE_TASKS || entry->module->action == ACTION_INCLUDE_ROLE))
            return true;
    }
    return false;
}

bool foreign_is_option(const struct loader *loader, const struct entry *entry)
{
    return (entry->module == modules_find(loader->playbook->modules, "package") ||
            entry->module == modules_find(loader->playbook->modules, "service")) &&
           is_guarded(entry);
}

struct err *foreign_check(const struct entry *entry)
{
    const char *system = foreign_system(entry->written);
    if (is_guarded(entry))
        return NULL;
    return err_with_hint(entry_error(entry, "the module '%s' is for %s", entry->written, system),
                         "hosts are Debian or Ubuntu: let a 'when' decide, or use apt or package");
}

const struct module_spec *foreign_spec(struct arena *arena, const char *name)
{
    struct module_spec *spec = ARENA_NEW(arena, struct module_spec);
    struct arg_spec *end = ARENA_NEW(arena, struct arg_spec);
    *end = (struct arg_spec){0};
    *spec = (struct module_spec){.name = arena_strdup(arena, name),
                                 .collection = "",
                                 .summary = "",
                                 .text = "",
                                 .action = ACTION_FOREIGN,
                                 .args = end,
                                 .returns = "",
                                 .any_args = true};
    return spec;
}
