# script (ansible.builtin): a file of the control side, run on the host.
# Arguments may follow its name. It is sent, run and removed.
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
    if [ -n "${a_creates-}" ] && [ -e "$a_creates" ]; then skip "$a_creates exists, matching creates option"; fi
    if [ -n "${a_removes-}" ] && [ ! -e "$a_removes" ]; then skip "$a_removes does not exist, matching removes option"; fi
    unset a_creates a_removes
    trap 'rm -f "$_file"' EXIT
    for _dir in "${TMPDIR:-/tmp}" ~ /var/tmp; do # the first from which programs may be run
        _file=$(umask 077 && mktemp "$_dir/rehost-script.XXXXXXXXXX" 2>/dev/null) || continue
        chmod 0700 "$_file"
        [ ! -x "$_file" ] || break
        rm -f "$_file"
    done
    [ -x "$_file" ] || fail 'no folder for temporary files from which a program may be run: /tmp, the home, /var/tmp'
    if [ -n "${a_data-}" ]; then cat "$T/data.$a_data" >"$_file"; else printf %s "$a_content" >"$_file"; fi ||
        fail "cannot write '$_file'"
    eval "set -- $a_words"
    if [ -n "${a_executable-}" ]; then set -- "$a_executable" "$_file" "$@"; else set -- "$_file" "$@"; fi
    rh_command_run "$@"
}
