# tempfile (ansible.builtin): a fresh file or folder.
# Always changed.
#
# arg state text, one of directory file
# arg path path
# arg prefix text
# arg suffix text
# returns path state
module_tempfile() {
    changed
    checking && return
    _name=${a_path:-${TMPDIR:-/tmp}}/${a_prefix-ansible.}XXXXXXXX${a_suffix-}
    if [ "${a_state:-file}" = directory ]; then set -- -d; fi
    _made=$(umask 077 && mktemp "$@" -- "$_name" 2>"$T/said") || fail "$(cat "$T/said")"
    put path "$_made"
    put state "${a_state:-file}"
}
