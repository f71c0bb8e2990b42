# deb822_repository (ansible.builtin): one of apt's sources, in the form of deb822.
# Of ansible-core 2.15 and later. `signed_by` is a file of the host, a fingerprint, the key itself in ASCII armour, or an URL from which
# it is fetched (with curl) into `/etc/apt/keyrings`. `install_python_debian` has no effect.
#
# arg name text, required
# arg state text, one of absent present
# arg types words
# arg uris words
# arg suites words
# arg components words
# arg architectures words
# arg languages words
# arg targets words
# arg signed_by text
# arg enabled bool
# arg trusted bool
# arg by_hash bool
# arg pdiffs bool
# arg check_date bool
# arg check_valid_until bool
# arg date_max_future int
# arg allow_downgrade_to_insecure bool
# arg allow_insecure bool
# arg allow_weak bool
# arg inrelease_path text
# arg exclude text
# arg include text
# arg mode mode
# arg install_python_debian bool
# returns dest key_filename repo
module_deb822_repository() {
    _slug=$(printf %s "$a_name" | tr '[:upper:]' '[:lower:]' | sed 's/[_[:space:]]\{1,\}/-/g; s/[^a-z0-9-]\{1,\}//g')
    [ -n "$_slug" ] || fail "no file name can be made of '$a_name'"
    _dest=/etc/apt/sources.list.d/$_slug.sources
    : "${a_types:=deb}" "${a_mode:=0644}"
    put dest "$_dest"
    if [ "${a_state:-present}" = absent ]; then
        for _file in "$_dest" "/etc/apt/keyrings/$_slug.asc" "/etc/apt/keyrings/$_slug.gpg"; do
            [ -e "$_file" ] || continue
            changed
            checking || must rm -f -- "$_file"
        done
        return
    fi
    rh_deb822_key
    rh_deb822_text >"$T/new"
    put repo "$(cat "$T/new")"
    put key_filename "$_key"
    if ! cmp -s "$T/new" "$_dest"; then
        changed
        if [ -e "$_dest" ]; then show_diff "$_dest" "$_dest" "$T/new"; else show_diff "$_dest" /dev/null "$T/new"; fi
        checking || place_file "$T/new" "$_dest"
    fi
    attributes "$_dest"
}
# Sets _key and _signed to the file of the key, where there is one.
rh_deb822_key() {
    _key='' _signed=${a_signed_by-}
    case $_signed in
    *://*) run curl -fsSL --retry 2 -o "$T/key" -- "$_signed" 2>"$T/said" || fail "cannot fetch '$_signed': $(cat "$T/said")" ;;
    *-----BEGIN*) printf '%s\n' "$_signed" >"$T/key" ;;
    *) return ;;
    esac
    if grep -q -e '-----BEGIN PGP' "$T/key"; then _key=asc; else _key=gpg; fi
    _key=/etc/apt/keyrings/$_slug.$_key _signed=$_key
    ! cmp -s "$T/key" "$_key" || return 0
    changed
    checking && return
    [ -d /etc/apt/keyrings ] || must install -d -m 0755 /etc/apt/keyrings
    (a_mode=0644 && place_file "$T/key" "$_key") || exit
}
rh_deb822_line() { # field value
    [ -z "$2" ] || printf '%s: %s\n' "$1" "$2"
}
rh_deb822_list() { # field, quoted words
    _field=$1
    eval "set -- $2"
    rh_deb822_line "$_field" "$*"
}
# The fields in the order in which Ansible writes them.
rh_deb822_text() {
    rh_deb822_line Allow-Downgrade-To-Insecure "${a_allow_downgrade_to_insecure-}"
    rh_deb822_line Allow-Insecure "${a_allow_insecure-}"
    rh_deb822_line Allow-Weak "${a_allow_weak-}"
    rh_deb822_list Architectures "${a_architectures-}"
    rh_deb822_line By-Hash "${a_by_hash-}"
    rh_deb822_line Check-Date "${a_check_date-}"
    rh_deb822_line Check-Valid-Until "${a_check_valid_until-}"
    rh_deb822_list Components "${a_components-}"
    rh_deb822_line Date-Max-Future "${a_date_max_future-}"
    rh_deb822_line Enabled "${a_enabled-}"
    rh_deb822_line Exclude "${a_exclude-}"
    rh_deb822_line Include "${a_include-}"
    rh_deb822_line Inrelease-Path "${a_inrelease_path-}"
    rh_deb822_list Languages "${a_languages-}"
    rh_deb822_line X-Repolib-Name "$a_name"
    rh_deb822_line Pdiffs "${a_pdiffs-}"
    rh_deb822_line Signed-By "$_signed"
    rh_deb822_list Suites "${a_suites-}"
    rh_deb822_list Targets "${a_targets-}"
    rh_deb822_line Trusted "${a_trusted-}"
    rh_deb822_list Types "$a_types"
    rh_deb822_list URIs "${a_uris-}"
}
