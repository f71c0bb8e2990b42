# x509_certificate (community.crypto): a certificate in a file, signed by its own key or by an authority of one's own.
# `provider: selfsigned` or `ownca`, by `openssl`. Made anew when key, request, issuer or signature do not fit, as in Ansible not because
# of its dates. Dates are relative (`+365d`, `+52w`, also with h, m, s) or `YYYYMMDDHHMMSSZ`.
#
# arg path path, required
# arg provider text, one of ownca selfsigned
# arg csr_path path
# arg csr_content text
# arg privatekey_path path
# arg privatekey_content text
# arg privatekey_passphrase text
# arg ownca_path path
# arg ownca_content text
# arg ownca_privatekey_path path
# arg ownca_privatekey_content text
# arg ownca_privatekey_passphrase text
# arg ownca_digest text
# arg ownca_not_after text
# arg ownca_not_before text
# arg selfsigned_digest text
# arg selfsigned_not_after text, or selfsigned_notAfter
# arg selfsigned_not_before text, or selfsigned_notBefore
# arg ignore_timestamps bool
# arg force bool
# arg backup bool
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# arg return_content bool
# returns backup_file certificate csr filename notAfter notBefore privatekey
# needs tls
module_x509_certificate() {
    rh_tls_open || return 0
    [ -n "${a_provider-}" ] || fail 'state is present but all of the following are missing: provider'
    rh_certificate_request
    if [ "$a_provider" = selfsigned ]; then
        rh_tls_key ''
        [ -s "$T/csr" ] || rh_certificate_bare
        _digest=${a_selfsigned_digest:-sha256} _from=${a_selfsigned_not_before:-+0s} _to=${a_selfsigned_not_after:-+3650d}
    else
        [ -s "$T/csr" ] || fail "provider is ownca but all of the following are missing: csr_path"
        rh_tls_key ownca_
        if [ -n "${a_ownca_content-}" ]; then printf '%s\n' "$a_ownca_content" >"$T/ca"
        else
            [ -f "${a_ownca_path-}" ] || fail "The CA certificate ${a_ownca_path-} does not exist"
            cat -- "$a_ownca_path" >"$T/ca"
        fi
        _digest=${a_ownca_digest:-sha256} _from=${a_ownca_not_before:-+0s} _to=${a_ownca_not_after:-+3650d}
    fi
    if yes "${a_force-}" || ! rh_certificate_suits; then
        rh_certificate_sign
        rh_tls_place 0644
    else
        attributes "$a_path"
    fi
    if yes "${a_return_content-}" && [ -e "$a_path" ]; then put certificate "$(cat -- "$a_path")"; fi
}
rh_certificate_request() {
    : >"$T/csr"
    if [ -n "${a_csr_content-}" ]; then printf '%s\n' "$a_csr_content" >"$T/csr"
    elif [ -n "${a_csr_path-}" ]; then
        put csr "$a_csr_path"
        [ -f "$a_csr_path" ] || fail "The certificate signing request file $a_csr_path does not exist"
        cat -- "$a_csr_path" >"$T/csr"
    fi
}
rh_certificate_bare() {
    printf '[req]\nprompt = no\ndistinguished_name = dn\n[dn]\n' >"$T/config"
    must openssl req -new -key "$T/key" -config "$T/config" -subj / -out "$T/csr"
}
rh_certificate_signers() { # the certificate that signed
    if [ "$a_provider" = selfsigned ]; then echo "$a_path"; else echo "$T/ca"; fi
}
# The same public key, subject and wanted extensions as the request, and a signature that holds.
rh_certificate_suits() {
    [ -f "$a_path" ] || return 1
    [ "$(run openssl x509 -in "$a_path" -noout -pubkey 2>/dev/null)" = "$(run openssl req -in "$T/csr" -noout -pubkey)" ] || return 1
    [ "$(run openssl x509 -in "$a_path" -noout -subject)" = "$(run openssl req -in "$T/csr" -noout -subject)" ] || return 1
    run openssl verify -no_check_time -partial_chain -trusted "$(rh_certificate_signers)" "$a_path" >/dev/null 2>&1 || return 1
    for _extension in subjectAltName keyUsage extendedKeyUsage basicConstraints; do
        [ "$(run openssl x509 -in "$a_path" -noout -ext $_extension 2>/dev/null | sed '/^No extensions/d')" = \
            "$(run openssl req -in "$T/csr" -noout -text | rh_certificate_extension $_extension)" ] || return 1
    done
}
# One extension of the text of a request, in the form of `openssl x509 -ext`.
rh_certificate_extension() { # name
    case $1 in
    subjectAltName) _title='X509v3 Subject Alternative Name' ;;
    keyUsage) _title='X509v3 Key Usage' ;;
    extendedKeyUsage) _title='X509v3 Extended Key Usage' ;;
    *) _title='X509v3 Basic Constraints' ;;
    esac
    awk -v title="$_title" '{ line = $0; sub(/^ +/, "", line) } index(line, title) == 1 { print line; getline; sub(/^ +/, ""); print "    " $0; exit }'
}
rh_certificate_date() { # +365d or a date; prints it as openssl ca reads it
    case $1 in
    [0-9]*Z) printf '%s\n' "$1"; return ;;
    esac
    _sum=0
    for _part in $(printf %s "${1#+}" | sed 's/\([wdhms]\)/\1 /g'); do
        case $_part in
        *w) _sum=$((_sum + ${_part%w} * 604800)) ;;
        *d) _sum=$((_sum + ${_part%d} * 86400)) ;;
        *h) _sum=$((_sum + ${_part%h} * 3600)) ;;
        *m) _sum=$((_sum + ${_part%m} * 60)) ;;
        *) _sum=$((_sum + ${_part%s})) ;;
        esac
    done
    date -u -d "@$(($(date +%s) + _sum))" +%Y%m%d%H%M%SZ
}
rh_certificate_sign() {
    : >"$T/index.txt"
    printf '[ca]\ndefault_ca = own\n[own]\ndatabase = %s\nnew_certs_dir = %s\nrand_serial = yes\npolicy = any\ncopy_extensions = copyall\nunique_subject = no\nx509_extensions = ext\nemail_in_dn = yes\n' "$T/index.txt" "$T" >"$T/config"
    printf '[any]\ncountryName = optional\nstateOrProvinceName = optional\nlocalityName = optional\norganizationName = optional\norganizationalUnitName = optional\ncommonName = optional\nemailAddress = optional\n[ext]\nsubjectKeyIdentifier = hash\n' >>"$T/config"
    if [ "$a_provider" = selfsigned ]; then set -- -selfsign; else echo 'authorityKeyIdentifier = keyid' >>"$T/config"; set -- -cert "$T/ca"; fi
    run openssl ca -batch -notext -preserveDN -config "$T/config" "$@" -keyfile "$T/key" -md "$_digest" -in "$T/csr" -out "$T/new" \
        -startdate "$(rh_certificate_date "$_from")" -enddate "$(rh_certificate_date "$_to")" 2>"$T/said" >&2 || fail "cannot sign: $(tail -n 5 "$T/said")"
}
