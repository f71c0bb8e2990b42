# What the modules of PostgreSQL share. psql reaches the server as the login_ arguments say; without a host and a password root becomes
# postgres for it, as which the local socket lets in. Passwords stand in a file that nobody else can read.

rh_pg_open() {
    command -v psql >/dev/null || fail 'psql (postgresql-client) is needed on the host'
    _login=${a_login_user:-postgres} _as=''
    if [ "$RH_UID" = 0 ] && [ -z "${a_login_host-}${a_login_password-}" ]; then _as="runuser -u $_login --"; fi
    getent passwd "$_login" >/dev/null || _as=''
    _host=${a_login_host:-${a_login_unix_socket-}}
    if [ -n "${a_login_password-}" ]; then
        (umask 077 && printf '*:*:*:*:%s\n' "$(printf %s "$a_login_password" | sed 's/[\\:]/\\&/g')" >"$T/pgpass")
        export PGPASSFILE="$T/pgpass"
    fi
    export PGCONNECT_TIMEOUT=30 PGUSER="$_login" PGCLIENTENCODING=UTF8
    [ -z "$_host" ] || export PGHOST="$_host"
    [ -z "${a_login_port-}" ] || export PGPORT="$a_login_port"
    [ -z "${a_ssl_mode-}" ] || export PGSSLMODE="$a_ssl_mode"
    [ -z "${a_ca_cert-}" ] || export PGSSLROOTCERT="$a_ca_cert"
    cd /
    rh_pg "SELECT current_setting('server_version_num')" >"$T/version" 2>"$T/said" || fail "unable to connect to database: $(cat "$T/said")"
    _version=$(cat "$T/version")
}
# Statements, which never are arguments, in database _db; answers without frame.
rh_pg() {
    printf '%s\n' "${a_session_role:+SET ROLE $(rh_pg_name "$a_session_role");}" "$1" |
        run $_as psql -X -q -A -t -v ON_ERROR_STOP=1 -d "${_db:-postgres}"
}
rh_pg_must() { rh_pg "$1" >"$T/answer" 2>"$T/said" || fail "$(cat "$T/said")"; }
rh_pg_text() { printf "'%s'" "$(printf '%s.' "$1" | sed "s/'/''/g" | sed '$s/\.$//')"; }
rh_pg_name() { printf '"%s"' "$(printf %s "$1" | sed 's/"/""/g')"; }
# Does it, or with --check says that it would.
rh_pg_do() { # statement, what is told of it
    changed
    checking || rh_pg_must "$1"
    put "queries.${_n:=0}" "${2-$1}"
    _n=$((_n + 1))
}
