# htpasswd (community.general): users of a password file of nginx or Apache.
# Needs openssl for apr_md5_crypt, the default. bcrypt, sha256_crypt, sha512_crypt and md5_crypt are the C library's.
#
# arg path path, required, or dest destfile
# arg name text, required, or username
# arg password text
# arg crypt_scheme text, one of apr_md5_crypt bcrypt ldap_sha1 md5_crypt plaintext sha256_crypt sha512_crypt
# arg state text, one of absent present
# arg create bool
# arg mode mode
# arg owner text
# arg group text
# returns msg
module_htpasswd() {
    _there=''
    [ ! -e "$a_path" ] || _there=yes
    _line=''
    [ -z "$_there" ] || _line=$(awk -v n="$a_name:" 'index($0, n) == 1 { print; exit }' "$a_path")
    if [ "${a_state:-present}" = absent ]; then
        if [ -z "$_line" ]; then put msg "$a_name not present"; [ -z "$_there" ] || attributes "$a_path"; return; fi
        _msg="Remove $a_name"
        awk -v n="$a_name:" 'NF && index($0, n) != 1' "$a_path" >"$T/new"
    else
        [ -n "${a_password+set}" ] || fail 'password is needed'
        [ -n "$_there" ] || [ "${a_create-}" != no ] || fail "Destination $a_path does not exist"
        if [ -n "$_line" ] && rh_htpasswd_same "${_line#*:}"; then put msg "$a_name already present"; attributes "$a_path"; return; fi
        _msg="Add/update $a_name"
        if [ -z "$_there" ]; then
            _msg="Created $a_path and added $a_name"
            ! checking || _msg="Create $a_path"
        fi
        rh_htpasswd_hash
        { [ -z "$_there" ] || cat "$a_path"; } | NEW=$_hash awk -v n="$a_name:" '
            !NF { next } index($0, n) == 1 { if (!done) print n ENVIRON["NEW"]; done = 1; next } { print }
            END { if (!done) print n ENVIRON["NEW"] }' >"$T/new"
    fi
    changed
    put msg "$_msg"
    checking && return
    [ -d "$(dirname -- "$a_path")" ] || must mkdir -p -- "$(dirname -- "$a_path")"
    place_file "$T/new" "$a_path"
}
rh_htpasswd_crypt() { printf '%s\0%s' "$a_password" "$1" | perl -e 'local $/; my ($p, $s) = split /\0/, <STDIN>, 2; my $h = crypt($p, $s); print $h if defined $h'; }
rh_htpasswd_apr() { printf '%s\n' "$a_password" | openssl passwd -apr1 ${1:+-salt "$1"} -stdin 2>"$T/said"; }
rh_htpasswd_sha() { printf '{SHA}%s' "$(printf %s "$a_password" | openssl dgst -sha1 -binary | base64)"; }
rh_htpasswd_same() { # hash
    case $1 in
    \$apr1\$*)
        _salt=${1#\$apr1\$}
        [ "$(rh_htpasswd_apr "${_salt%%\$*}")" = "$1" ]
        ;;
    '{SHA}'*) [ "$(rh_htpasswd_sha)" = "$1" ] ;;
    \$*) [ "$(rh_htpasswd_crypt "$1")" = "$1" ] ;;
    *) [ "$a_password" = "$1" ] || [ "$(rh_htpasswd_crypt "$1")" = "$1" ] ;;
    esac
}
rh_htpasswd_salt() { head -c 64 /dev/urandom | base64 -w 0 | tr -d '+=/\n' | cut -c "1-$1"; }
rh_htpasswd_hash() {
    case ${a_crypt_scheme:-apr_md5_crypt} in
    apr_md5_crypt) _hash=$(rh_htpasswd_apr '') || fail "openssl is needed for apr_md5_crypt: $(cat "$T/said")" ;;
    bcrypt) _hash=$(rh_htpasswd_crypt "\$2y\$12\$$(rh_htpasswd_salt 21)u") ;;
    sha256_crypt) _hash=$(rh_htpasswd_crypt "\$5\$rounds=535000\$$(rh_htpasswd_salt 16)") ;;
    sha512_crypt) _hash=$(rh_htpasswd_crypt "\$6\$rounds=656000\$$(rh_htpasswd_salt 16)") ;;
    md5_crypt) _hash=$(rh_htpasswd_crypt "\$1\$$(rh_htpasswd_salt 8)") ;;
    ldap_sha1) _hash=$(rh_htpasswd_sha) ;;
    plaintext) _hash=$a_password ;;
    esac
    case $_hash in '' | \**) fail "the host has no $a_crypt_scheme" ;; esac
}
