# postgresql_user (community.postgresql): roles that can log in.
# Root needs no `become_user: postgres`. A password is compared with what the server keeps (SCRAM, MD5).
#
# arg name text, required, or user
# arg password text
# arg state text, one of absent present
# arg db text, or login_db
# arg role_attr_flags commas
# arg priv text
# arg groups words
# arg encrypted bool
# arg expires text
# arg conn_limit int
# arg no_password_changes bool
# arg fail_on_user bool, or fail_on_role
# arg comment text
# arg login_user text, or login
# arg login_password text
# arg login_host text, or host
# arg login_port int, or port
# arg login_unix_socket path, or unix_socket
# arg ssl_mode text, one of allow disable prefer require verify-ca verify-full
# arg ca_cert path, or ssl_rootcert
# arg session_role text
# arg trust_input bool
# returns queries user user_removed
# needs postgresql
module_postgresql_user() {
    put user "$a_name"
    put_empty queries list
    _db=${a_db-}
    _flags=$(echo "${a_role_attr_flags-}" | tr 'a-z,' 'A-Z ')
    for _flag in $_flags; do
        case ${_flag#NO} in
        SUPERUSER | CREATEROLE | CREATEDB | INHERIT | LOGIN | REPLICATION | BYPASSRLS) ;;
        *) fail "Invalid role_attr_flags specified: $_flag" ;;
        esac
    done
    [ -z "${a_priv-}" ] || [ -n "$_db" ] || fail 'privileges require a database to be specified'
    rh_pg_open
    _role=$(rh_pg_name "$a_name") _word=ENCRYPTED
    [ "${a_encrypted-}" != no ] || _word=UNENCRYPTED
    rh_pg_must "SELECT 1 FROM pg_roles WHERE rolname = $(rh_pg_text "$a_name")"
    if [ "${a_state:-present}" = absent ]; then
        [ -s "$T/answer" ] || return 0
        checking || rh_pg_user_privs REVOKE FROM
        rh_pg_user_drop
        return
    fi
    if [ -s "$T/answer" ]; then rh_pg_user_alter; else rh_pg_user_say 'CREATE USER' yes; fi
    rh_pg_user_privs GRANT TO
    [ -z "${a_groups-}" ] || rh_pg_user_groups
    [ -n "${a_comment+set}" ] || return 0
    rh_pg_must "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = $(rh_pg_text "$a_name")"
    [ "$(cat "$T/answer")" = "$a_comment" ] || rh_pg_do "COMMENT ON ROLE $_role IS $(rh_pg_text "$a_comment")"
}
# Privileges as this module has them: of the database, and TABLE:PRIVILEGES, with slashes between.
rh_pg_user_privs() { # GRANT TO or REVOKE FROM
    _tokens=${a_priv-}
    while [ -n "$_tokens" ]; do
        _token=${_tokens%%/*}
        case $_tokens in */*) _tokens=${_tokens#*/} ;; *) _tokens='' ;; esac
        _some=$(printf %s "${_token#*:}" | tr 'a-z,' 'A-Z ')
        case $_token in
        *:*) rh_pg_user_table "${_token%%:*}" ;;
        *) rh_pg_user_database ;;
        esac
        rh_pg_must "SELECT count(*) FROM unnest(ARRAY[$(rh_pg_user_list "'")]) AS wanted WHERE
            $([ "$1" = REVOKE ] || echo NOT) wanted IN ($_holds)"
        [ "$(cat "$T/answer")" = 0 ] || rh_pg_do "$1 $(rh_pg_user_list '') ON $_on $2 $_role"
    done
}
rh_pg_user_list() { # quote
    _sep=''
    for _one in $_some; do printf '%s%s%s%s' "$_sep" "$1" "$_one" "$1"; _sep=', '; done
}
rh_pg_user_table() {
    case $1 in
    *.*) _schema=${1%%.*} _table=${1#*.} _on="TABLE $(rh_pg_name "${1%%.*}").$(rh_pg_name "${1#*.}")" ;;
    *) _schema=public _table=$1 _on="TABLE $(rh_pg_name "$1")" ;;
    esac
    rh_pg_user_may 'SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER' table
    _holds="SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = $(rh_pg_text "$a_name")
        AND table_name = $(rh_pg_text "$_table") AND table_schema = $(rh_pg_text "$_schema")"
}
rh_pg_user_database() {
    _on="DATABASE $(rh_pg_name "$_db")"
    rh_pg_user_may 'CREATE CONNECT TEMPORARY' database
    _holds="SELECT privilege_type FROM pg_database, aclexplode(datacl) WHERE datname = $(rh_pg_text "$_db")
        AND grantee = (SELECT oid FROM pg_roles WHERE rolname = $(rh_pg_text "$a_name"))"
}
# Refuses what is no such privilege, and writes ALL and TEMP out.
rh_pg_user_may() { # privileges kind
    for _one in $_some; do
        case " ALL TEMP $1 " in *" $_one "*) ;; *) fail "Invalid privs specified for $2: $_one" ;; esac
    done
    case " $_some " in
    *' ALL '*) _some=$1 ;;
    *) _some=$(printf %s "$_some" | sed 's/\bTEMP\b/TEMPORARY/') ;;
    esac
}
rh_pg_user_groups() {
    eval "set -- $a_groups"
    for _group; do
        rh_pg_must "SELECT 1 FROM pg_roles WHERE rolname = $(rh_pg_text "$_group")"
        [ -s "$T/answer" ] || fail "Role $_group does not exist"
        rh_pg_must "SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
            WHERE g.rolname = $(rh_pg_text "$_group") AND u.rolname = $(rh_pg_text "$a_name")"
        [ -s "$T/answer" ] || rh_pg_do "GRANT $(rh_pg_name "$_group") TO $_role"
    done
}
rh_pg_user_drop() {
    changed
    if checking || rh_pg "DROP USER $_role" >"$T/answer" 2>"$T/said"; then
        put queries.0 "DROP USER $_role"
        put_bool user_removed 1
        return
    fi
    [ "${a_fail_on_user-}" = no ] || fail "Unable to remove user: $(cat "$T/said")"
    r_changed=''
    put_bool user_removed 0
}
# CREATE USER or ALTER USER with all that was asked for; $2: with the password.
rh_pg_user_say() {
    _sql="$1 $_role" _told="$1 $_role"
    if [ -n "$2" ] && [ -n "${a_password-}" ]; then
        _sql="$_sql WITH ENCRYPTED PASSWORD $(rh_pg_text "$a_password")"
        _told="$_told WITH $_word PASSWORD %(password)s"
    elif [ "$1" = 'ALTER USER' ] && [ -n "$2" ] && [ -n "${a_password+set}" ]; then
        _sql="$_sql WITH PASSWORD NULL" _told="$_told WITH PASSWORD NULL"
    elif [ -n "$_flags" ]; then
        _sql="$_sql WITH" _told="$_told WITH"
    fi
    _sql="$_sql $_flags" _told="$_told $_flags"
    if [ -n "${a_expires-}" ]; then
        _sql="$_sql VALID UNTIL $(rh_pg_text "$a_expires")" _told="$_told VALID UNTIL %(expires)s"
    fi
    [ -z "${a_conn_limit-}" ] || _sql="$_sql CONNECTION LIMIT $a_conn_limit" _told="$_told CONNECTION LIMIT $a_conn_limit"
    rh_pg_do "$_sql" "$_told"
}
rh_pg_user_alter() {
    _differs='' _password=''
    if [ -n "${a_password+set}" ] && ! yes "${a_no_password_changes-}"; then
        rh_pg_user_same_password || _differs=1 _password=1
    fi
    _wants=true
    for _flag in $_flags; do
        case $_flag in NOINHERIT | NO*) _wants="$_wants AND NOT $(rh_pg_user_column "${_flag#NO}")" ;;
        *) _wants="$_wants AND $(rh_pg_user_column "$_flag")" ;; esac
    done
    if ! yes "${a_no_password_changes-}"; then
        [ -z "${a_conn_limit-}" ] || _wants="$_wants AND rolconnlimit = $a_conn_limit"
        [ -z "${a_expires-}" ] || _wants="$_wants AND rolvaliduntil IS NOT DISTINCT FROM $(rh_pg_text "$a_expires")::timestamptz"
    fi
    rh_pg_must "SELECT $_wants FROM pg_roles WHERE rolname = $(rh_pg_text "$a_name")"
    [ "$(cat "$T/answer")" = t ] || _differs=1
    [ -z "$_differs" ] || rh_pg_user_say 'ALTER USER' "$_password"
}
rh_pg_user_column() {
    case $1 in
    SUPERUSER) echo rolsuper ;; LOGIN) echo rolcanlogin ;;
    *) echo "rol$1" | tr A-Z a-z ;;
    esac
}
# What the server keeps of a password is computed anew in the server, which has the hash functions; the host may not.
rh_pg_user_same_password() {
    rh_pg "SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = $(rh_pg_text "$a_name")" >"$T/kept" 2>/dev/null || return 1
    _kept=$(cat "$T/kept")
    case $a_password in
    '') [ -z "$_kept" ]; return ;;
    SCRAM-SHA-256\$*) [ "$_kept" = "$a_password" ]; return ;;
    md5????????????????????????????????) [ "$_kept" = "$a_password" ]; return ;;
    esac
    case $_kept in
    SCRAM-SHA-256\$*)
        _rest=${_kept#*\$} _rounds=${_rest%%:*}
        _rest=${_rest#*:} _salt=${_rest%%\$*}
        rh_pg "$rh_pg_scram SELECT pg_temp.rh_server_key($(rh_pg_text "$a_password"), decode('$_salt', 'base64'), $_rounds);" \
            >"$T/answer" 2>"$T/said" || return 1
        [ "$(cat "$T/answer")" = "${_kept##*:}" ]
        ;;
    *)
        rh_pg_must "SELECT 'md5' || md5($(rh_pg_text "$a_password") || $(rh_pg_text "$a_name"))"
        [ "$(cat "$T/answer")" = "$_kept" ]
        ;;
    esac
}
# RFC 5802: the server's key of a password (PBKDF2 with HMAC-SHA-256).
rh_pg_scram='
CREATE FUNCTION pg_temp.rh_xor(a bytea, b bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
$f$ SELECT decode(string_agg(lpad(to_hex(get_byte(a, i) # get_byte(b, i)), 2, $x$0$x$), $x$$x$ ORDER BY i), $x$hex$x$) FROM generate_series(0, length(a) - 1) i $f$;
CREATE FUNCTION pg_temp.rh_server_key(word text, salt bytea, rounds int) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE k bytea := convert_to(word, $x$UTF8$x$); ik bytea; ok bytea; u bytea; sum bit(256); f bytea := $x$$x$;
BEGIN
IF length(k) > 64 THEN k := sha256(k); END IF;
k := k || decode(repeat($x$00$x$, 64 - length(k)), $x$hex$x$);
ik := pg_temp.rh_xor(k, decode(repeat($x$36$x$, 64), $x$hex$x$)); ok := pg_temp.rh_xor(k, decode(repeat($x$5c$x$, 64), $x$hex$x$));
u := sha256(ok || sha256(ik || salt || decode($x$00000001$x$, $x$hex$x$)));
sum := ($x$x$x$ || encode(u, $x$hex$x$))::bit(256);
FOR i IN 2 .. rounds LOOP
u := sha256(ok || sha256(ik || u)); sum := sum # ($x$x$x$ || encode(u, $x$hex$x$))::bit(256);
END LOOP;
SELECT decode(string_agg(lpad(to_hex(substring(sum FROM 8 * i + 1 FOR 8)::int), 2, $x$0$x$), $x$$x$ ORDER BY i), $x$hex$x$) INTO k FROM generate_series(0, 31) i;
k := k || decode(repeat($x$00$x$, 32), $x$hex$x$);
ik := pg_temp.rh_xor(k, decode(repeat($x$36$x$, 64), $x$hex$x$)); ok := pg_temp.rh_xor(k, decode(repeat($x$5c$x$, 64), $x$hex$x$));
RETURN encode(sha256(ok || sha256(ik || convert_to($x$Server Key$x$, $x$UTF8$x$))), $x$base64$x$);
END $f$;
'
