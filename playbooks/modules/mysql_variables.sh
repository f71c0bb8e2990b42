# mysql_variables (community.mysql): a global variable of MariaDB or MySQL, read or set.
#
# arg variable text, required
# arg value text
# arg mode text, one of global persist persist_only
# arg login_user text
# arg login_password text
# arg login_host text
# arg login_port int
# arg login_unix_socket path
# arg config_file path
# arg connect_timeout int
# arg ca_cert path, or ssl_ca
# arg client_cert path, or ssl_cert
# arg client_key path, or ssl_key
# arg check_hostname bool
# returns msg queries
# needs mysql
module_mysql_variables() {
    case $a_variable in '' | *[!0-9A-Za-z_.]*) fail "invalid variable name \"$a_variable\"" ;; esac
    ! checking || skip 'remote module (mysql_variables) does not support check mode'
    rh_mysql_open
    rh_mysql_must "SHOW VARIABLES WHERE Variable_name = $(rh_mysql_text "$a_variable")"
    [ "$(wc -l <"$T/answer")" = 1 ] || fail "Variable not available \"$a_variable\""
    _now=$(cut -f 2- "$T/answer")
    if [ -z "${a_value+set}" ]; then put msg "$_now"; return; fi
    case ${a_mode:-global} in
    persist | persist_only) ! grep -qi mariadb "$T/version" || fail "mode '$a_mode' is MySQL's; MariaDB does not have it" ;;
    esac
    if rh_mysql_variables_same && [ "${a_mode:-global}" = global ]; then put msg 'Variable is already set to requested value.'; return; fi
    _new=$a_value
    rh_mysql_number "$_new" || _new=$(rh_mysql_text "$_new")
    _sql="SET $(echo "${a_mode:-global}" | tr a-z A-Z) $(rh_mysql_name "$a_variable") = "
    rh_mysql_must "$_sql$_new"
    changed
    put msg "Variable change succeeded prev_value=$_now"
    put queries.0 "$_sql$a_value"
}
rh_mysql_number() { printf '%s\n' "$1" | grep -qxE '[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?'; }
rh_mysql_variables_same() {
    [ "$_now" != "$a_value" ] || return 0
    rh_mysql_number "$_now" && rh_mysql_number "$a_value" && awk "BEGIN { exit !(($_now) + 0 == ($a_value) + 0) }"
}
