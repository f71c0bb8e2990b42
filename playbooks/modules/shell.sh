# shell: a_script, run by a shell. The text goes through a file in memory, never through an argument that `ps` would show.
# needs: command
module_shell() {
    printf '%s\n' "$a_script" >"$T/script"
    rh_command_run "${a_executable:-/bin/sh}" "$T/script"
}
