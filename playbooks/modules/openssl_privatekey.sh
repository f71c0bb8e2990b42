# openssl_privatekey (community.crypto): a private key in a file.
# Made by `openssl`. A key of another type, size or pass phrase is made anew, as `regenerate: full_idempotence` says.
#
# arg path path, required
# arg type text, one of DSA ECC Ed25519 Ed448 RSA X25519 X448
# arg size int
# arg curve text
# arg passphrase text
# arg cipher text
# arg format text, one of auto auto_ignore pkcs1 pkcs8
# arg force bool
# arg regenerate text, one of never fail partial_idempotence full_idempotence always
# arg backup bool
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# arg return_content bool
# returns backup_file changed curve filename privatekey size type
# needs tls
module_openssl_privatekey() {
    rh_tls_open || return 0
    : "${a_type:=RSA}" "${a_size:=4096}"
    : "${a_mode:=0600}"
    put type "$a_type"
    put_int size "$a_size"
    [ -z "${a_curve-}" ] || put curve "$a_curve"
    _why=
    if [ ! -e "$a_path" ] || yes "${a_force-}" || [ "${a_regenerate-}" = always ]; then _why=1
    elif [ "${a_regenerate-}" != never ]; then rh_privatekey_suits || _why=1
    fi
    if [ -n "$_why" ] && [ "${a_regenerate-}" = fail ] && [ -e "$a_path" ] && ! yes "${a_force-}"; then
        fail 'Key has wrong type and/or size. Will not proceed.'
    fi
    if [ -n "$_why" ]; then
        checking || rh_privatekey_make
        rh_tls_place 0600
    else
        attributes "$a_path"
    fi
    if yes "${a_return_content-}" && [ -e "$a_path" ]; then put privatekey "$(cat -- "$a_path")"; fi
}
rh_privatekey_curve() {
    case $a_curve in secp256r1) echo prime256v1 ;; secp192r1) echo prime192v1 ;; *) echo "$a_curve" ;; esac
}
# What openssl says of the key: "Private-Key: (4096 bit", "ED25519 Private-Key:", "ASN1 OID: NAME".
rh_privatekey_suits() {
    case $(sed -n '/^-----BEGIN/{p;q}' "$a_path")$(sed -n '/^Proc-Type:/p' "$a_path") in
    *ENCRYPTED*) [ -n "${a_passphrase-}" ] || return 1 ;;
    *) [ -z "${a_passphrase-}" ] || return 1 ;;
    esac
    printf '%s\n' "${a_passphrase-}" | run openssl pkey -in "$a_path" -passin stdin -noout -text >"$T/key" 2>"$T/said" || {
        [ "${a_regenerate-}" != partial_idempotence ] || fail 'Unable to read the key. The key is protected with a another passphrase / no passphrase or broken. Will not proceed.'
        return 1
    }
    case $a_type in
    RSA) grep -q '^modulus:' "$T/key" && grep -q "($a_size bit" "$T/key" ;;
    DSA) grep -q '^G: ' "$T/key" && grep -q "($a_size bit" "$T/key" ;;
    ECC) grep -q "^ASN1 OID: $(rh_privatekey_curve)\$" "$T/key" ;;
    *) grep -qi "^$a_type Private-Key" "$T/key" ;;
    esac
}
rh_privatekey_make() {
    case $a_type in
    RSA) set -- -algorithm RSA -pkeyopt "rsa_keygen_bits:$a_size" ;;
    DSA)
        must openssl genpkey -genparam -algorithm DSA -pkeyopt "dsa_paramgen_bits:$a_size" -out "$T/param"
        set -- -paramfile "$T/param"
        ;;
    ECC)
        [ -n "${a_curve-}" ] || fail 'type is ECC but all of the following are missing: curve'
        set -- -algorithm EC -pkeyopt "ec_paramgen_curve:$(rh_privatekey_curve)" -pkeyopt ec_param_enc:named_curve
        ;;
    *) set -- -algorithm "$a_type" ;;
    esac
    (umask 077 && : >"$T/plain")
    must openssl genpkey "$@" -out "$T/plain"
    set --
    case "$a_type ${a_format:-auto_ignore}" in 'RSA auto'* | 'DSA auto'* | 'ECC auto'* | *pkcs1) set -- -traditional ;; esac
    if [ -n "${a_passphrase-}" ]; then
        printf '%s\n' "$a_passphrase" | run openssl pkey -in "$T/plain" "$@" -aes256 -passout stdin -out "$T/new" 2>"$T/said" ||
            fail "cannot seal the key: $(cat "$T/said")"
    else
        must openssl pkey -in "$T/plain" "$@" -out "$T/new"
    fi
}
