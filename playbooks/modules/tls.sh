# What the modules for keys and certificates share. Keys and pass phrases reach openssl in files of $T or on its standard input.

rh_tls_open() {
    command -v openssl >/dev/null || fail 'openssl is needed on the host'
    put filename "$a_path"
    [ "${a_state:-present}" = absent ] || return 0
    if [ -e "$a_path" ]; then
        changed
        if ! checking; then
            if yes "${a_backup-}"; then backup_file "$a_path"; fi
            must rm -f -- "$a_path"
        fi
    fi
    return 1
}
# Puts $T/new in place with mode $1 when it is a new file. Nothing, and changed, in check mode.
rh_tls_place() { # mode
    changed
    checking && return
    [ -e "$a_path" ] || : "${a_mode:=$1}"
    place_file "$T/new" "$a_path"
}
# The private key of privatekey_path or privatekey_content in $T/key; $1: the prefix of the arguments' names.
rh_tls_key() {
    eval "_key_path=\${a_${1}privatekey_path-} _key_text=\${a_${1}privatekey_content-} _key_pass=\${a_${1}privatekey_passphrase-}"
    if [ -n "$_key_text" ]; then printf '%s\n' "$_key_text" >"$T/sealed"
    else
        [ -n "$_key_path" ] || fail "one of ${1}privatekey_path and ${1}privatekey_content is needed"
        [ -f "$_key_path" ] || fail "Private key $_key_path does not exist"
        cat -- "$_key_path" >"$T/sealed"
    fi
    printf '%s\n' "$_key_pass" | run openssl pkey -in "$T/sealed" -passin stdin -out "$T/key" 2>"$T/said" ||
        fail "Unable to read the private key: $(tail -n 1 "$T/said")"
}
