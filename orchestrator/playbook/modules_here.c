/* The heads of what is done on the control side; see modules.h for their form. */
#include "playbook/modules.h"
#include <stddef.h>

/* clang-format off */
const struct module_here modules_here[] = {
    {ACTION_ASSERT,
     "# assert (ansible.builtin): conditions that must hold.\n"
     "# Where one does not hold, the result has it as `assertion`, and `evaluated_to`. `quiet` has no effect.\n"
     "#\n"
     "# arg that any, required\n"
     "# arg fail_msg any, or msg\n"
     "# arg success_msg any\n"
     "# arg quiet bool\n"},
    {ACTION_DEBUG,
     "# debug (ansible.builtin): shows a message or a variable.\n"
     "# Shown when the playbook runs; with `verbosity` above 0 it is skipped.\n"
     "#\n"
     "# arg msg any\n"
     "# arg var any\n"
     "# arg verbosity int\n"},
    {ACTION_FAIL,
     "# fail (ansible.builtin): ends the play with a message.\n"
     "#\n"
     "# arg msg any\n"},
    {ACTION_IMPORT_ROLE,
     "# import_role (ansible.builtin): a role, read when the playbook is loaded.\n"
     "# `when` applies to every task in it.\n"
     "#\n"
     "# arg name text, required, or role\n"
     "# arg tasks_from text\n"
     "# arg vars_from text\n"
     "# arg defaults_from text\n"
     "# arg handlers_from text\n"
     "# arg allow_duplicates bool\n"
     "# arg rolespec_validate bool\n"},
    {ACTION_IMPORT_TASKS,
     "# import_tasks (ansible.builtin): a file of tasks, read when the playbook is loaded.\n"
     "# `when` applies to every task in it.\n"
     "#\n"
     "# arg file text, required\n"
     "# free file\n"},
    {ACTION_INCLUDE_ROLE,
     "# include_role (ansible.builtin): a role, when its turn comes.\n"
     "# `when` decides once. Keywords under `apply` go to every task.\n"
     "#\n"
     "# arg name text, required, or role\n"
     "# arg tasks_from text\n"
     "# arg vars_from text\n"
     "# arg defaults_from text\n"
     "# arg handlers_from text\n"
     "# arg apply any\n"
     "# arg public bool\n"
     "# arg allow_duplicates bool\n"
     "# arg rolespec_validate bool\n"},
    {ACTION_INCLUDE_TASKS,
     "# include_tasks (ansible.builtin): a file of tasks, when its turn comes.\n"
     "# `when` decides once; may be looped; the name may be a template. Keywords under `apply` go to every task.\n"
     "#\n"
     "# arg file text, required\n"
     "# arg apply any\n"
     "# free file\n"},
    {ACTION_INCLUDE_VARS,
     "# include_vars (ansible.builtin): variables from a file.\n"
     "# One file, or with `dir` the files of a folder; with `name`, as a map of that name.\n"
     "#\n"
     "# arg file text\n"
     "# arg dir text\n"
     "# arg name text\n"
     "# arg depth int\n"
     "# arg files_matching text\n"
     "# arg ignore_files any\n"
     "# arg extensions any\n"
     "# arg ignore_unknown_extensions bool\n"
     "# free file\n"},
    {ACTION_META,
     "# meta (ansible.builtin): what the run itself does.\n"
     "# `flush_handlers`, `end_play`, `end_batch`, `end_host`, `clear_facts` and `reset_connection` (a new login, or the play ends) act;\n"
     "# the others have nothing to do here.\n"
     "#\n"
     "# arg action text, required, one of flush_handlers noop end_play end_batch end_host reset_connection clear_host_errors clear_facts refresh_inventory\n"
     "# free action\n"},
    {ACTION_PAUSE,
     "# pause (ansible.builtin): waits.\n"
     "# `seconds` or `minutes` are needed; nobody is asked (`prompt` is not shown). No wait with `--check`.\n"
     "#\n"
     "# arg seconds int\n"
     "# arg minutes int\n"
     "# arg prompt text\n"},
    {ACTION_SET_FACT,
     "# set_fact (ansible.builtin): variables of the host.\n"
     "# Any name. `cacheable` has no effect.\n"
     "#\n"
     "# arg cacheable bool\n"
     "# any\n"},
    {ACTION_HOST, NULL},
};
/* clang-format on */
