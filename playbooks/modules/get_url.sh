# get_url (ansible.builtin): a file from the network.
# Needs curl on the host. `checksum` is `KIND:HEX` or `KIND:URL`. Without checksum and `force`, a file that is there is left
# alone. User, password and headers do not appear in a process list.
#
# arg url text, required
# arg dest path, required
# arg checksum text
# arg force bool
# arg backup bool
# arg timeout int
# arg headers lines
# arg url_username text, or username
# arg url_password text, or password
# arg validate_certs bool
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns dest msg url

# With a checksum, a file that has it already is not fetched.
module_get_url() {
    _dest=$a_dest
    if [ -d "$_dest" ]; then
        _name=${a_url##*/}
        _name=${_name%%[?#]*}
        _dest=${_dest%/}/${_name:-index.html}
    fi
    put dest "$_dest"
    put url "$a_url"
    [ -d "$(dirname -- "$_dest")" ] || fail "Destination $(dirname -- "$_dest") does not exist"
    _sum='' _kind=''
    if [ -n "${a_checksum-}" ]; then
        _kind=${a_checksum%%:*} _sum=${a_checksum#*:}
        case $_sum in *://*) _sum=$(rh_get_url_sum) || exit ;; esac
    fi
    if [ -f "$_dest" ] && ! yes "${a_force-}"; then
        if [ -z "$_sum" ] || [ "$(rh_get_url_digest "$_dest")" = "$_sum" ]; then
            put msg 'file already exists'
            attributes "$_dest"
            return
        fi
    fi
    changed
    checking && return
    # Beside the destination, because it may be larger than what fits into memory.
    _part=$(mktemp -- "$(dirname -- "$_dest")/.rehost.XXXXXXXXXX" 2>"$T/said") || fail "$(cat "$T/said")"
    trap 'rm -f -- "$_part"' EXIT
    rh_get_url_curl -o "$_part" -- "$a_url" 2>"$T/said" || fail "Request failed: $(cat "$T/said")"
    [ -z "$_sum" ] || [ "$(rh_get_url_digest "$_part")" = "$_sum" ] ||
        fail "The checksum for $_dest did not match $_sum; it was $(rh_get_url_digest "$_part")."
    if [ -f "$_dest" ] && cmp -s -- "$_part" "$_dest"; then
        r_changed=''
        attributes "$_dest"
        return
    fi
    place_file "$_part" "$_dest"
}
# curl reads what may be secret from a file, not from its arguments.
rh_get_url_curl() {
    : >"$T/curlrc"
    if [ -n "${a_url_username-}" ]; then
        printf 'user = "%s"\n' "$(printf '%s:%s' "$a_url_username" "${a_url_password-}" | sed 's/[\\"]/\\&/g')" >>"$T/curlrc"
    fi
    if [ "${a_validate_certs-}" = no ]; then echo insecure >>"$T/curlrc"; fi
    [ -z "${a_headers-}" ] || printf '%s' "$a_headers" | sed 's/[\\"]/\\&/g; s/.*/header = "&"/' >>"$T/curlrc"
    run curl -fsSL -K "$T/curlrc" --connect-timeout "${a_timeout:-10}" --retry 2 "$@"
}
rh_get_url_digest() {
    _digest=$("${_kind}sum" <"$1" 2>"$T/said") || fail "cannot compute '$_kind': $(cat "$T/said")"
    echo "${_digest%% *}"
}
# A list of sums at an URL, in the form of sha256sum.
rh_get_url_sum() {
    rh_get_url_curl -- "$_sum" >"$T/sums" 2>"$T/said" || fail "cannot fetch '$_sum': $(cat "$T/said")"
    _name=${a_url##*/}
    awk -v name="${_name%%[?#]*}" '{ f = $2; sub(/^[*.\/]+/, "", f) } f == name { print $1; exit }' "$T/sums"
}
