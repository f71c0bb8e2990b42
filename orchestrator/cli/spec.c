/* The command table. Help, man page, completion and docs/reference.md come from here: `rehost help --man` and
 * so on. */
#include "cli/cli.h"

#define OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof(*(table))

const struct cli_option cli_common_options[] = {
    {"inventory", 'i', "FILE", "the inventory; default: $REHOST_INVENTORY, else inventory.yaml"},
    {"json", 0, NULL, "print the result as one JSON document (schema rehost/1) on stdout"},
    {"help", 'h', NULL, "explain the command"},
};
const size_t cli_common_option_count = sizeof(cli_common_options) / sizeof(*cli_common_options);

#define ALONE                                                                                                \
    {                                                                                                        \
        "i-am-alone", 0, NULL,                                                                               \
            "go on without the shared lease in the bucket: nobody else works on this host"                   \
    }

static const struct cli_option init_options[] = {
    {"provider", 0, "TYPE", "type of the account in the new inventory, as in its pages below docs/providers"},
};

#define PLACES                                                                                               \
    {"to", 0, "PROVIDER[/REGION[/SIZE]]", "rebuild there and nowhere else"},                                 \
    {                                                                                                        \
        "without", 0, "PROVIDER",                                                                            \
            "this account is lost: nothing is built there, and only the fence asks it", true                 \
    }

static const struct cli_option plan_options[] = {
    PLACES,
    {"incident", 0, "TIME", "when the host was lost, UTC: HH:MM or YYYY-MM-DDTHH:MM:SSZ; default: now"},
    {"before", 0, "TIME", "use the newest restore points before this time; default: the incident"},
    {"timestamp", 0, "STAMP", "use the restore point of this name (YYYYMMDD_HHMMSS) for every dataset"},
    {"out", 'o', "FILE", "save the plan, to be approved and given to `recover` within an hour"},
};

static const struct cli_option recover_options[] = {
    PLACES,
    {"incident", 0, "TIME", "when the host was lost, UTC: HH:MM or YYYY-MM-DDTHH:MM:SSZ; default: now"},
    {"before", 0, "TIME", "use the newest restore points before this time; default: the incident"},
    {"timestamp", 0, "STAMP", "use the restore point of this name (YYYYMMDD_HHMMSS) for every dataset"},
    {"yes", 'y', NULL, "agree to what costs money or moves traffic (not to severe steps)"},
    {"confirm", 0, "HOST", "agree to severe steps (power off the old server) for this host"},
    {"accept-unproven-fence", 0, "HOST", "go on although nothing proves that the old server is off"},
    ALONE,
};

static const struct cli_option resume_options[] = {
    {"yes", 'y', NULL, "agree to what costs money or moves traffic (not to severe steps)"},
    {"confirm", 0, "HOST", "agree to severe steps for this host"},
    {"accept-unproven-fence", 0, "HOST", "go on although nothing proves that the old server is off"},
    ALONE,
};

static const struct cli_option backup_options[] = {
    {"dataset", 'd', "NAME", "only this dataset"},
    ALONE,
};

static const struct cli_option play_options[] = {
    {"inventory", 'i', "SOURCE",
     "an Ansible inventory: a file (INI, YAML), a folder, a program, or hosts `one,two,`; with --as an "
     "inventory of rehost's own",
     true},
    {"host", 0, "ADDRESS[:PORT]", "one machine to configure, without an inventory, whatever `hosts` says"},
    {"limit", 'l', "PATTERN", "of the inventory only these hosts: `web:!web3`, or `@FILE`"},
    {"forks", 'f', "NUMBER", "hosts at work at once; default: 50"},
    {"tags", 't', "TAG,...", "only tasks with one of these tags", true},
    {"skip-tags", 0, "TAG,...", "no tasks with one of these tags", true},
    {"start-at-task", 0, "NAME", "leave out what comes before the task of this name (a shell pattern)"},
    {"list-hosts", 0, NULL, "print the hosts of each play, and do nothing"},
    {"list-tasks", 0, NULL, "print the tasks of each play, and do nothing"},
    {"list-tags", 0, NULL, "print the tags of each play, and do nothing"},
    {"syntax-check", 0, NULL, "load the playbook and what it includes, and do nothing"},
    {"check", 'C', NULL, "change nothing, report what would change"},
    {"diff", 'D', NULL, "show what changes in files"},
    {"extra-vars", 'e', "K=V ...|{...}|@FILE",
     "variables: some, a map (YAML or JSON), or a file that holds a map; strongest", true},
    {"user", 'u', "NAME", "log in as; default: root, with an inventory your own name here"},
    {"key", 'k', "FILE", "private SSH key (ed25519, OpenSSH format); default: ~/.ssh/id_ed25519"},
    {"private-key", 0, "FILE", "the same as --key"},
    {"host-key", 0, "KEY", "with --host: its key, `ssh-ed25519 AAAA...`; default: from ~/.ssh/known_hosts"},
    {"trust-on-first-use", 0, NULL, "accept whatever host key is shown where none is known, and print it"},
    {"become", 'b', NULL, "run the tasks as root, by sudo when the login is not root"},
    {"become-user", 0, "NAME", "as this user instead of root"},
    {"ask-become-pass", 'K', NULL, "ask for the password of sudo"},
    {"become-password-file", 0, "FILE", "the password of sudo is in this file (mode 0600)"},
    {"as", 0, "HOST", "with the variables and secrets of this host of rehost's inventory"},
};

static const struct cli_option catalog_options[] = {
    {"provider", 'p', "NAME", "only this account"},
    {"region", 'r', "REGION", "only this region"},
    {"fit", 0, "HOST", "only what fits the needs of this host and may hold its data"},
    {"all", 'a', NULL, "also what is sold out or retired"},
};

static const struct cli_option destroy_options[] = {
    {"confirm", 0, "RUN", "agree, by the run's id"},
    ALONE,
};

static const struct cli_option rollback_options[] = {
    {"yes", 'y', NULL, "do not ask"},
    ALONE,
};

static const struct cli_option gc_options[] = {
    {"remove", 0, NULL, "remove what nobody owns; without it, only report"},
    {"yes", 'y', NULL, "do not ask"},
    ALONE,
};

static const struct cli_option help_options[] = {
    {"man", 0, NULL, "print the man page (roff)"},
    {"reference", 0, NULL, "print the command reference (Markdown)"},
    {"completion", 0, NULL, "print the completion for bash"},
};

const struct cli_command cli_commands[] = {
    {.name = "init",
     .arguments = "[FOLDER]",
     .max_arguments = 1,
     .run = cmd_init,
     OPTIONS(init_options),
     .summary = "make an inventory with new keys",
     .description = "Writes inventory.yaml and, under keys/, an SSH key, the working key of backups, a "
                    "signing key, and the "
                    "recovery key. Move the recovery key (keys/recovery.agekey) offline: it opens every "
                    "backup. Nothing that "
                    "exists is overwritten.",
     .example = "rehost init ops"},
    {.name = "check",
     .arguments = "[HOST]",
     .max_arguments = 1,
     .run = cmd_check,
     .summary = "find out today what would stop a recovery tomorrow",
     .description = "Looks at tokens, at their permissions and the limits of the accounts where the provider "
                    "tells them, at stock and price at every place, sizes and images that "
                    "are still sold, playbooks (that they load, not that their variables are set), keys, "
                    "secrets, object storage, restore points and their age, "
                    "DNS and its TTLs, and at what "
                    "the loss of one account would take with it. Each host is READY, needs ATTENTION, or is "
                    "NOT READY. Changes nothing; in "
                    "the bucket it writes a probe object and removes it, to see whether leases can be kept "
                    "there. Exit 2 when something "
                    "needs attention.",
     .example = "rehost check"},
    {.name = "plan",
     .arguments = "[HOST]",
     .max_arguments = 1,
     .run = cmd_plan,
     OPTIONS(plan_options),
     .summary = "show what a recovery would do, without touching anything",
     .description = "Without HOST, and where the inventory has several: one line for each. Reads the "
                    "providers' catalogues, the restore points and the DNS records as they are, "
                    "and prints place, "
                    "tasks, restore points with their age, DNS changes and a forecast against the "
                    "objectives. Nothing is "
                    "changed. Exit 2 when the plan needs attention.",
     .example = "rehost plan web-1 --out web-1.plan"},
    {.name = "recover",
     .arguments = "HOST|PLAN",
     .min_arguments = 1,
     .max_arguments = 1,
     .run = cmd_recover,
     OPTIONS(recover_options),
     .summary = "rebuild a lost host and prove it",
     .description = "Places, fences, creates, reaches, configures, restores secrets and data, verifies, "
                    "flips DNS, confirms it at "
                    "the authoritative servers, and takes the first backup. With the file of an approved "
                    "plan it carries out "
                    "exactly that plan, and --to, --without and times beside it have no effect. Ctrl-C stops "
                    "safely; every stopped run can be resumed.",
     .example = "rehost recover web-1 --incident 02:41"},
    {.name = "resume",
     .arguments = "[RUN]",
     .max_arguments = 1,
     .run = cmd_resume,
     OPTIONS(resume_options),
     .summary = "go on with a run that was stopped or killed",
     .description = "Reads the journal, looks at the world, adopts what a lost answer left behind, and goes "
                    "on. Without RUN: the "
                    "only open run.",
     .example = "rehost resume r-7k2f9qxm"},
    {.name = "status",
     .arguments = "[RUN|HOST]",
     .max_arguments = 1,
     .run = cmd_status,
     .summary = "hosts, backups and runs at a glance",
     .description = "Reads only the journal and the inventory; asks nobody.",
     .example = "rehost status"},
    {.name = "report",
     .arguments = "[RUN]",
     .max_arguments = 1,
     .run = cmd_report,
     .summary = "what a run did, measured, against the objectives",
     .description = "Steps with their times, measured RTO and RPO, what was lost, and every call that "
                    "changed the outside. "
                    "Without RUN: the newest.",
     .example = "rehost report r-7k2f9qxm --json"},
    {.name = "backup",
     .arguments = "[HOST]",
     .max_arguments = 1,
     .run = cmd_backup,
     OPTIONS(backup_options),
     .summary = "back up a host's datasets",
     .description = "The host streams to the object store over URLs that are signed here; it holds no "
                    "storage credential and no "
                    "key that could open a backup. Only when every part is there and every exit code was 0 "
                    "does the backup exist.",
     .example = "rehost backup web-1"},
    {.name = "play",
     .arguments = "PLAYBOOK",
     .min_arguments = 1,
     .max_arguments = 1,
     .run = cmd_play,
     OPTIONS(play_options),
     .summary = "apply a playbook to hosts",
     .description =
         "PLAYBOOK is a file, or the name of a shipped playbook. The hosts come from an Ansible inventory "
         "(-i), "
         "and `hosts` of each play chooses among them, or it is one machine (--host). An ansible.cfg in the "
         "current folder or beside the playbook is read for the inventory and the login. Hosts work at the "
         "same time; one that fails or cannot be reached does not stop the others. Exit 1 when a host failed "
         "or could not be reached, 8 when a link was lost while a task ran.",
     .example = "rehost play site.yml -i hosts.ini --limit web --check --diff"},
    {.name = "rollback",
     .arguments = "RUN",
     .min_arguments = 1,
     .max_arguments = 1,
     .run = cmd_rollback,
     OPTIONS(rollback_options),
     .summary = "lead the users back to where they were before a run",
     .description =
         "Puts back the DNS records that the run changed, as they were, and moves a moved address to the "
         "server that had it. A run that stopped in its cut-over can be rolled back, too. Records that "
         "somebody changed since are left alone, and the command says so. "
         "Servers and data stay as they are.",
     .example = "rehost rollback r-7k2f9qxm"},
    {.name = "catalog",
     .arguments = "",
     .run = cmd_catalog,
     OPTIONS(catalog_options),
     .summary = "list sizes, prices and stock of all accounts",
     .description =
         "Cheapest first. Stock is what the provider says now. "
         "Prices are what the provider lists, in its own currency, for an hour and for a full month.",
     .example = "rehost catalog --provider main --fit web-1"},
    {.name = "destroy",
     .arguments = "RUN",
     .min_arguments = 1,
     .max_arguments = 1,
     .run = cmd_destroy,
     OPTIONS(destroy_options),
     .summary = "give up a run and remove the servers it made",
     .description = "Never removes the machine that serves a host, and never one that rehost did not make. "
                    "The SSH key and "
                    "the firewall of the host stay at the provider, for its next recovery.",
     .example = "rehost destroy r-7k2f9qxm --confirm r-7k2f9qxm"},
    {.name = "gc",
     .arguments = "",
     .run = cmd_gc,
     OPTIONS(gc_options),
     .summary = "find servers that runs left behind",
     .description =
         "Lists every server with rehost's labels at every account, with who owns it. Servers of runs "
         "that this journal "
         "does not know are reported, never removed.",
     .example = "rehost gc --remove"},
    {.name = "help",
     .arguments = "[COMMAND|inventory|playbooks]",
     .max_arguments = 1,
     .run = cmd_help,
     OPTIONS(help_options),
     .summary = "explain a command, the inventory, or playbooks",
     .description =
         "`rehost help inventory` prints the reference of all inventory keys, `rehost help playbooks` "
         "that of keywords, modules and filters; `rehost help MODULE` explains one module.",
     .example = "rehost help recover"},
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(*cli_commands);
