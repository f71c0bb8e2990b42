# apt_key (ansible.builtin): a key that apt trusts.
# Needs gpg on the host, and curl for `url` and `keyserver` (which is asked by HTTP). Kept in `keyring` or in a file of its own in
# `/etc/apt/trusted.gpg.d`, where Ansible puts all into one file, of which apt warns. Better: `get_url` and `signed-by`.
#
# arg url text
# arg data text
# arg file path
# arg keyserver text
# arg id text
# arg keyring path
# arg state text, one of absent present
# arg validate_certs bool
# returns after before fp id key_id short_id
module_apt_key() {
    command -v gpg >/dev/null || fail 'Failed to find required executable "gpg" in paths'
    set -- ${a_url:+url} ${a_data:+data} ${a_file:+file} ${a_keyserver:+keyserver}
    [ $# -lt 2 ] || fail 'parameters are mutually exclusive: data|file|keyserver|url'
    rm -rf "$T/gpg" "$T/key" # an earlier task's
    (umask 077 && mkdir "$T/gpg")
    [ -n "${a_id-}" ] || rh_apt_key_id
    rh_apt_key_parse
    rh_apt_key_list >"$T/before"
    rh_apt_key_put before
    if [ "${a_state:-present}" = absent ]; then
        rh_apt_key_has || return 0
        changed
        checking || rh_apt_key_remove
    else
        ! rh_apt_key_has || return 0
        changed
        checking && return
        [ -e "$T/key" ] || rh_apt_key_fetch
        rh_apt_key_add
    fi
    if checking; then return; fi
    rh_apt_key_list >"$T/after"
    rh_apt_key_put after
}
rh_apt_key_gpg() { run gpg --homedir "$T/gpg" --batch --no-tty --quiet --no-auto-check-trustdb "$@"; }
rh_apt_key_has() { rh_apt_key_list | grep -qx -- "$_print"; }
rh_apt_key_put() { # before or after
    put_empty "$1" list
    _n=0
    while read -r _one; do put "$1.$_n" "$_one"; _n=$((_n + 1)); done <"$T/$1"
}
# Without `id` it is the first one of the key that is given.
rh_apt_key_id() {
    [ -z "${a_keyserver-}" ] || fail 'Missing key_id, required with keyserver.'
    rh_apt_key_fetch
    a_id=$(rh_apt_key_read "$T/key" | head -n 1)
    [ -n "$a_id" ] || fail "Unable to extract key from '${a_file:-${a_url:-inline data}}'"
}
rh_apt_key_parse() {
    put id "$a_id"
    _id=$(printf %s "${a_id#0[xX]}" | tr a-f A-F)
    case $_id in *[!0-9A-F]*) fail 'Invalid key_id' ;; esac
    _print=$_id
    if [ ${#_id} -gt 16 ]; then _print=$(printf %s "$_id" | tail -c 16)
    elif [ ${#_id} != 8 ] && [ ${#_id} != 16 ]; then fail 'Invalid key_id'; fi
    put short_id "$(printf %s "$_id" | tail -c 8)"
    put fp "$_print"
    put key_id "$_id"
}
rh_apt_key_fetch() {
    if [ -n "${a_file-}" ]; then cat -- "$a_file" >"$T/key" 2>"$T/said" || fail "Unable to extract key from '$a_file': $(cat "$T/said")"
    elif [ -n "${a_data-}" ]; then printf '%s\n' "$a_data" >"$T/key"
    elif [ -n "${a_url-}" ]; then rh_apt_key_curl "$a_url"
    elif [ -n "${a_keyserver-}" ]; then rh_apt_key_ask
    else fail 'one of data, file, keyserver and url is needed'
    fi
}
rh_apt_key_curl() {
    set -- "$1" -fsSL --retry 2
    [ "${a_validate_certs-}" != no ] || set -- "$@" --insecure
    run curl -o "$T/key" "$@" 2>"$T/said" || fail "Failed to download key at $1: $(cat "$T/said")"
}
# A key server answers by HTTP (HKP: port 11371, with TLS 443). What it sends must be the key that was asked for.
rh_apt_key_ask() {
    _server=${a_keyserver%/}
    case $_server in
    hkps://*) _server=https://${_server#*://} ;;
    https://* | http://*) ;;
    *)
        _server=${_server#hkp://}
        case $_server in *:*) ;; *) _server=$_server:11371 ;; esac
        _server=http://$_server
        ;;
    esac
    rh_apt_key_curl "$_server/pks/lookup?op=get&options=mr&search=0x$_id"
    rh_apt_key_gpg --with-colons --show-keys "$T/key" 2>/dev/null | awk -F: '/^fpr/ { print $10 }' | grep -q "$_id\$" ||
        fail "Key $_id not found on keyserver $a_keyserver"
}
# The ids of the keys and subkeys of a file that have not expired; long, or short when a short one was asked for.
rh_apt_key_read() {
    rh_apt_key_gpg --with-colons --show-keys "$1" 2>/dev/null | awk -F: -v now="$(date +%s)" -v short="$([ "${#_print}" != 8 ] || echo 1)" '
        ($1 == "pub" || $1 == "sub") && $2 != "e" && ($7 == "" || $7 > now) { print short ? substr($5, 9) : $5 }'
}
rh_apt_key_files() {
    if [ -n "${a_keyring-}" ]; then set -- "$a_keyring"; else set -- /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d/*.gpg /etc/apt/trusted.gpg.d/*.asc; fi
    for _file; do [ ! -s "$_file" ] || printf '%s\n' "$_file"; done
}
rh_apt_key_list() { rh_apt_key_files | while IFS= read -r _file; do rh_apt_key_read "$_file"; done; }
# Writes the keys of $T/gpg to a file, in the form that its name tells apt.
rh_apt_key_write() {
    case $1 in *.asc) set -- "$1" --armor ;; esac
    rh_apt_key_gpg ${2-} --export >"$T/new" 2>"$T/said" || fail "$(cat "$T/said")"
    if [ ! -s "$T/new" ]; then must rm -f -- "$1"; return; fi
    must mkdir -p -- "$(dirname -- "$1")"
    place_file "$T/new" "$1"
}
rh_apt_key_add() {
    _file=${a_keyring:-/etc/apt/trusted.gpg.d/$_id.asc}
    [ ! -s "$_file" ] || rh_apt_key_gpg --import "$_file" 2>"$T/said" || fail "cannot read '$_file': $(cat "$T/said")"
    rh_apt_key_gpg --import "$T/key" 2>"$T/said" || fail "Unable to add a key: $(cat "$T/said")"
    rh_apt_key_write "$_file"
    rh_apt_key_has || fail 'apt-key did not return an error, but failed to add the key (check that the id is correct and *not* a subkey)'
}
rh_apt_key_remove() {
    rh_apt_key_files >"$T/files"
    while IFS= read -r _file; do
        rh_apt_key_read "$_file" | grep -qx -- "$_print" || continue
        rm -rf "$T/gpg"
        (umask 077 && mkdir "$T/gpg")
        rh_apt_key_gpg --import "$_file" 2>"$T/said" || fail "cannot read '$_file': $(cat "$T/said")"
        must gpg --homedir "$T/gpg" --batch --yes --delete-keys "$_id"
        rh_apt_key_write "$_file"
    done <"$T/files"
    ! rh_apt_key_has || fail 'apt-key did not return an error, but the key was not removed (check that the id is correct and *not* a subkey)'
}
