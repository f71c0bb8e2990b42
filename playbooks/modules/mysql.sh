# What the modules of MariaDB and MySQL share. The server is reached by the mariadb or mysql client: by the local socket, or as the
# login_ arguments say. Passwords stand in an option file that nobody else can read.

rh_mysql_open() {
    _client=$(command -v mariadb || command -v mysql) || fail 'the mariadb or mysql client is needed on the host'
    : "${a_config_file=$HOME/.my.cnf}"
    (
        umask 077
        [ ! -e "$a_config_file" ] || printf '!include %s\n' "$(readlink -f -- "$a_config_file")"
        echo '[client]'
        [ -z "${a_login_user-}" ] || rh_mysql_option user "$a_login_user"
        [ -z "${a_login_password-}" ] || rh_mysql_option password "$a_login_password"
        if [ -n "${a_login_unix_socket-}" ]; then rh_mysql_option socket "$a_login_unix_socket"
        elif [ "${a_login_host:-localhost}" != localhost ]; then
            rh_mysql_option host "$a_login_host"
            rh_mysql_option port "${a_login_port:-3306}"
        fi
        [ -z "${a_ca_cert-}" ] || rh_mysql_option ssl-ca "$a_ca_cert"
        [ -z "${a_client_cert-}" ] || rh_mysql_option ssl-cert "$a_client_cert"
        [ -z "${a_client_key-}" ] || rh_mysql_option ssl-key "$a_client_key"
        case ${a_check_hostname-} in yes) echo ssl-verify-server-cert ;; no) echo skip-ssl-verify-server-cert ;; esac
    ) >"$T/my.cnf"
    if yes "${a_check_implicit_admin-}"; then
        printf '[client]\nuser = root\n' >"$T/root.cnf"
        if echo 'SELECT 1' | run "$_client" --defaults-file="$T/root.cnf" >/dev/null 2>&1; then mv "$T/root.cnf" "$T/my.cnf"; fi
    fi
    rh_mysql 'SELECT VERSION()' >"$T/version"  2>"$T/said" ||
        fail "unable to connect to database, check login_user and login_password are correct or $a_config_file has the credentials. Exception message: $(cat "$T/said")"
}
rh_mysql_option() { printf '%s = "%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"; }
# Statements, which never are arguments; the answer is raw, without names of columns.
rh_mysql() { printf '%s\n' "$1" | run "$_client" --defaults-file="$T/my.cnf" --connect-timeout="${a_connect_timeout:-30}" -N -B --raw; }
rh_mysql_must() { rh_mysql "$1" >"$T/answer" 2>"$T/said" || fail "$(cat "$T/said")"; }
rh_mysql_text() { printf "'%s'" "$(printf '%s.' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g" | sed '$s/\.$//')"; }
rh_mysql_name() { printf '`%s`' "$(printf %s "$1" | sed 's/`/``/g')"; }
