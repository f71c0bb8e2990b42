# apt_key (ansible.builtin): a key that apt trusts.
# Kept in `keyring` or `/etc/apt/trusted.gpg.d/ID.asc`. A key that came from `url` is not fetched again.
# Better: `get_url` and `signed-by`.
#
# arg url text
# arg data text
# arg id text
# arg keyring path
# arg state text, one of absent present
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
