# apt_key: a key that apt trusts, in a file of its own (a_keyring) or, named by a_id, below /etc/apt/trusted.gpg.d.
module_apt_key() {
    _file=${a_keyring:-/etc/apt/trusted.gpg.d/${a_id:-$(printf %s "${a_url-}${a_data-}" | sha256sum | cut -c1-16)}.asc}
    if [ "${a_state:-present}" = absent ]; then
        [ -e "$_file" ] || return 0
        changed
        checking || must rm -f -- "$_file"
        return
    fi
    if [ -n "${a_url-}" ]; then
        if [ -e "$_file" ]; then return; fi
        if checking; then changed; return; fi
        run curl -fsSL --retry 2 -o "$T/new" -- "$a_url" 2>"$T/said" || fail "cannot fetch '$a_url': $(cat "$T/said")"
    else
        [ -n "${a_data-}" ] || fail 'one of url and data is needed'
        printf '%s\n' "$a_data" >"$T/new"
    fi
    ! cmp -s -- "$T/new" "$_file" || return 0
    changed
    checking && return
    a_mode=0644
    place_file "$T/new" "$_file"
}
