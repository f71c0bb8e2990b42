# openssl_dhparam (community.crypto): Diffie-Hellman parameters in a file.
# 4096 bits can take minutes.
#
# arg path path, required
# arg size int
# arg force bool
# arg backup bool
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# arg return_content bool
# returns backup_file dhparams filename size
# needs tls
module_openssl_dhparam() {
    rh_tls_open || return 0
    put_int size "${a_size:=4096}"
    if ! yes "${a_force-}" && [ -f "$a_path" ] &&
        run openssl dhparam -in "$a_path" -noout -check -text 2>/dev/null | grep -q "DH Parameters: ($a_size bit)"; then
        attributes "$a_path"
    else
        checking || must openssl dhparam -out "$T/new" "$a_size"
        rh_tls_place 0644
    fi
    if yes "${a_return_content-}" && [ -e "$a_path" ]; then put dhparams "$(cat -- "$a_path")"; fi
}
