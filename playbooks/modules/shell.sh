# shell (ansible.builtin): runs a line by a shell.
# It is `/bin/sh` or `executable`. `warn` has no effect.
#
# arg cmd text
# arg executable path
# arg chdir path
# arg creates path
# arg removes path
# arg stdin text
# arg stdin_add_newline bool
# arg warn bool
# free cmd
# returns msg rc stderr stdout
# needs command

# The text goes through a file in memory, never through an argument that `ps` would show.
module_shell() {
    printf '%s\n' "$a_script" >"$T/script"
    put cmd "$a_script"
    rh_command_run "${a_executable:-/bin/sh}" "$T/script"
}
