# openssh_keypair (community.crypto): a pair of SSH keys, PATH and PATH.pub.
# Made by `ssh-keygen`, without `passphrase`. A key of another type or size is made anew; what is no key is only replaced with `force`.
#
# arg path path, required
# arg type text, one of ecdsa ed25519 rsa
# arg size int
# arg comment text
# arg force bool
# arg regenerate text, one of never fail partial_idempotence full_idempotence always
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# returns comment filename fingerprint public_key size type
module_openssh_keypair() {
    put filename "$a_path"
    if [ "${a_state:-present}" = absent ]; then
        for _each in "$a_path" "$a_path.pub"; do
            [ ! -e "$_each" ] || { changed; checking || must rm -f -- "$_each"; }
        done
        return
    fi
    : "${a_type:=rsa}"
    case $a_type in rsa) : "${a_size:=4096}" ;; ecdsa) : "${a_size:=256}" ;; *) a_size=256 ;; esac
    put type "$a_type"
    put_int size "$a_size"
    [ ! -d "$a_path" ] || fail "$a_path is a directory. Please specify a path to a file."
    _make=
    if [ ! -e "$a_path" ] || yes "${a_force-}" || [ "${a_regenerate-}" = always ]; then
        _make=1
    elif [ "${a_regenerate-}" != never ]; then
        _has=$(run ssh-keygen -l -f "$a_path" 2>"$T/said") || {
            [ "${a_regenerate-}" = full_idempotence ] ||
                fail "Unable to read the key. The key is protected with a passphrase or broken. Will not proceed. To force regeneration, call the module with \`generate\` set to \`full_idempotence\` or \`always\`, or with \`force=yes\`."
            _make=1
        }
        case $_has in
        "$a_size "*"($(printf %s "$a_type" | tr '[:lower:]' '[:upper:]'))") ;;
        *)
            [ "${a_regenerate-}" != fail ] || fail 'Key has wrong type and/or size. Will not proceed.'
            _make=1
            ;;
        esac
    fi
    if [ -n "$_make" ]; then
        changed
        checking && return
        rm -f -- "$a_path" "$a_path.pub"
        must ssh-keygen -q -t "$a_type" -b "$a_size" -N '' -C "${a_comment-}" -f "$a_path"
    else
        rh_keypair_public
    fi
    attributes "$a_path"
    _has=$(run ssh-keygen -l -f "$a_path")
    set -- $_has
    put fingerprint "$2"
    _public=$(cat -- "$a_path.pub")
    put public_key "$(echo "$_public" | cut -d' ' -f1,2)"
    put comment "$(echo "$_public" | cut -d' ' -f3-)"
}
# The public half may be missing, be that of another key, or have another comment.
rh_keypair_public() {
    _public=$(run ssh-keygen -y -P '' -f "$a_path" 2>/dev/null | cut -d' ' -f1,2)
    _had=$(cat -- "$a_path.pub" 2>/dev/null)
    _comment=$(echo "$_had" | cut -s -d' ' -f3-)
    _new="$_public ${a_comment-$_comment}"
    [ "$_had" != "${_new% }" ] || return 0
    changed
    checking && return
    printf '%s\n' "${_new% }" >"$T/new"
    (a_mode=0644; place_file "$T/new" "$a_path.pub") || exit
    [ -z "${a_comment+set}" ] || run ssh-keygen -q -c -P '' -C "$a_comment" -f "$a_path" >/dev/null 2>&1
}
