# tempfile: a fresh file or folder.
module_tempfile() {
    changed
    checking && return
    _name=${a_path:-${TMPDIR:-/tmp}}/${a_prefix-ansible.}XXXXXXXX${a_suffix-}
    if [ "${a_state:-file}" = directory ]; then set -- -d; fi
    _made=$(umask 077 && mktemp "$@" -- "$_name" 2>"$T/said") || fail "$(cat "$T/said")"
    put path "$_made"
    put state "${a_state:-file}"
}
