# openssl_csr (community.crypto): a certificate signing request in a file.
# Made by `openssl`; made anew when subject, extensions, digest or key differ from what is asked for.
#
# arg path path, required
# arg privatekey_path path
# arg privatekey_content text
# arg privatekey_passphrase text
# arg digest text
# arg common_name text, or CN commonName
# arg country_name text, or C countryName
# arg state_or_province_name text, or ST stateOrProvinceName
# arg locality_name text, or L localityName
# arg organization_name text, or O organizationName
# arg organizational_unit_name text, or OU organizationalUnitName
# arg email_address text, or E emailAddress
# arg subject_alt_name commas, or subjectAltName
# arg subject_alt_name_critical bool, or subjectAltName_critical
# arg use_common_name_for_san bool, or useCommonNameForSAN
# arg key_usage commas, or keyUsage
# arg key_usage_critical bool, or keyUsage_critical
# arg extended_key_usage commas, or extKeyUsage extendedKeyUsage
# arg extended_key_usage_critical bool, or extKeyUsage_critical extendedKeyUsage_critical
# arg basic_constraints commas, or basicConstraints
# arg basic_constraints_critical bool, or basicConstraints_critical
# arg force bool
# arg backup bool
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# arg return_content bool
# returns backup_file csr filename privatekey
# needs tls
module_openssl_csr() {
    rh_tls_open || return 0
    rh_tls_key ''
    [ -z "${a_privatekey_path-}" ] || put privatekey "$a_privatekey_path"
    rh_csr_config >"$T/config"
    run openssl req -new -utf8 -key "$T/key" "-${a_digest:-sha256}" -config "$T/config" -out "$T/new" 2>"$T/said" ||
        fail "cannot make the request: $(cat "$T/said")"
    if yes "${a_force-}" || ! rh_csr_same; then rh_tls_place 0644; else attributes "$a_path"; fi
    if yes "${a_return_content-}" && [ -e "$a_path" ]; then put csr "$(cat -- "$a_path")"; fi
}
# A value of openssl's configuration files; $1 is its key.
rh_csr_put() { # key value
    [ -z "$2" ] || printf '%s = "%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"$]/\\&/g')"
}
rh_csr_critical() { # flag values
    if yes "$1"; then printf 'critical,'; fi
    printf %s "$2"
}
rh_csr_config() {
    printf '[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = dn\nreq_extensions = ext\n[dn]\n'
    rh_csr_put C "${a_country_name-}"
    rh_csr_put ST "${a_state_or_province_name-}"
    rh_csr_put L "${a_locality_name-}"
    rh_csr_put O "${a_organization_name-}"
    rh_csr_put OU "${a_organizational_unit_name-}"
    rh_csr_put CN "${a_common_name-}"
    rh_csr_put emailAddress "${a_email_address-}"
    echo '[ext]'
    if [ -z "${a_subject_alt_name-}" ] && [ "${a_use_common_name_for_san-}" != no ] && [ -n "${a_common_name-}" ]; then
        a_subject_alt_name=DNS:$a_common_name
    fi
    [ -z "${a_subject_alt_name-}" ] || rh_csr_put subjectAltName "$(rh_csr_critical "${a_subject_alt_name_critical-}" "$a_subject_alt_name")"
    [ -z "${a_key_usage-}" ] || rh_csr_put keyUsage "$(rh_csr_critical "${a_key_usage_critical-}" "$a_key_usage")"
    [ -z "${a_extended_key_usage-}" ] || rh_csr_put extendedKeyUsage "$(rh_csr_critical "${a_extended_key_usage_critical-}" "$a_extended_key_usage")"
    [ -z "${a_basic_constraints-}" ] || rh_csr_put basicConstraints "$(rh_csr_critical "${a_basic_constraints_critical-}" "$a_basic_constraints")"
}
# All but the signature, which differs each time for some kinds of key.
rh_csr_same() {
    [ -f "$a_path" ] || return 1
    run openssl req -in "$a_path" -noout -text 2>/dev/null | sed '/Signature Value:/,$d' >"$T/has"
    run openssl req -in "$T/new" -noout -text | sed '/Signature Value:/,$d' | cmp -s - "$T/has"
}
