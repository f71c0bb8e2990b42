# script (ansible.builtin): a file of the control side, run on the host.
# A file of the control side, with arguments; it is sent, run and removed.
#
# arg cmd text
# arg executable path
# arg chdir path
# arg creates path
# arg removes path
# free cmd
# returns msg rc stderr stdout
# needs command
module_script() {
    _file=$(umask 077 && mktemp "${TMPDIR:-/tmp}/rehost-script.XXXXXXXXXX") || fail 'cannot make a temporary file'
    if [ -n "${a_data-}" ]; then cat "$T/data.$a_data" >"$_file"; else printf %s "$a_content" >"$_file"; fi
    chmod 0700 "$_file"
    trap 'rm -f "$_file"' EXIT
    eval "set -- $a_words"
    if [ -n "${a_executable-}" ]; then set -- "$a_executable" "$_file" "$@"; else set -- "$_file" "$@"; fi
    rh_command_run "$@"
}
