# postgresql_db (community.postgresql): databases of PostgreSQL; dumps and restores.
# Root needs no `become_user: postgres`. `target` is on the host: .sql, or .gz, .bz2, .xz of it, .tar, .pgc (custom), .dir.
#
# arg name text, required, or db
# arg state text, one of absent dump present restore
# arg owner text
# arg template text
# arg encoding text
# arg lc_collate text
# arg lc_ctype text
# arg conn_limit text
# arg tablespace path
# arg maintenance_db text
# arg force bool
# arg target path
# arg target_opts text
# arg dump_extra_args text
# arg login_user text, or login
# arg login_password text
# arg login_host text, or host
# arg login_port int, or port
# arg login_unix_socket path, or unix_socket
# arg ssl_mode text, one of allow disable prefer require verify-ca verify-full
# arg ca_cert path, or ssl_rootcert
# arg session_role text
# arg trust_input bool
# returns db executed_commands msg
# needs postgresql
module_postgresql_db() {
    _db=${a_maintenance_db:-postgres}
    put db "$a_name"
    rh_pg_open
    _name=$(rh_pg_name "$a_name") _k=0
    rh_pg_must "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, spcname
        FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = $(rh_pg_text "$a_name")"
    case ${a_state:-present} in
    absent)
        checking || put_empty executed_commands list
        [ -s "$T/answer" ] || return 0
        _with=
        if yes "${a_force-}"; then _with=' WITH (FORCE)'; fi
        rh_pg_db_do "DROP DATABASE $_name$_with"
        ;;
    present)
        checking || put_empty executed_commands list
        if [ -s "$T/answer" ]; then rh_pg_db_alter; else rh_pg_db_create; fi
        ;;
    *)
        [ -n "${a_target-}" ] || fail "target is required with state=$a_state"
        [ -s "$T/answer" ] || fail "database \"$a_name\" does not exist"
        changed
        checking || "rh_pg_db_$a_state"
        ;;
    esac
}
rh_pg_db_do() {
    changed
    checking && return
    rh_pg_must "$1"
    put "executed_commands.$_k" "$1"
    _k=$((_k + 1))
}
rh_pg_db_create() {
    _sql="CREATE DATABASE $_name"
    [ -z "${a_owner-}" ] || _sql="$_sql OWNER $(rh_pg_name "$a_owner")"
    [ -z "${a_template-}" ] || _sql="$_sql TEMPLATE $(rh_pg_name "$a_template")"
    [ -z "${a_encoding-}" ] || _sql="$_sql ENCODING $(rh_pg_text "$a_encoding")"
    [ -z "${a_lc_collate-}" ] || _sql="$_sql LC_COLLATE $(rh_pg_text "$a_lc_collate")"
    [ -z "${a_lc_ctype-}" ] || _sql="$_sql LC_CTYPE $(rh_pg_text "$a_lc_ctype")"
    [ -z "${a_tablespace-}" ] || _sql="$_sql TABLESPACE $(rh_pg_name "$a_tablespace")"
    [ -z "${a_conn_limit-}" ] || _sql="$_sql CONNECTION LIMIT $a_conn_limit"
    rh_pg_db_do "$_sql"
}
rh_pg_db_alter() {
    IFS='|' read -r _owner _encoding _collate _ctype _limit _space <"$T/answer"
    if [ -n "${a_encoding-}" ]; then
        rh_pg_must "SELECT pg_encoding_to_char(pg_char_to_encoding($(rh_pg_text "$a_encoding")))"
        [ "$(cat "$T/answer")" = "$_encoding" ] || fail "Changing database encoding is not supported. Current encoding: $_encoding"
    fi
    [ "${a_lc_collate:-$_collate}" = "$_collate" ] || fail "Changing LC_COLLATE is not supported. Current LC_COLLATE: $_collate"
    [ "${a_lc_ctype:-$_ctype}" = "$_ctype" ] || fail "Changing LC_CTYPE is not supported.Current LC_CTYPE: $_ctype"
    [ "${a_owner:-$_owner}" = "$_owner" ] || rh_pg_db_do "ALTER DATABASE $_name OWNER TO $(rh_pg_name "$a_owner")"
    [ "${a_conn_limit:-$_limit}" = "$_limit" ] || rh_pg_db_do "ALTER DATABASE $_name CONNECTION LIMIT $a_conn_limit"
    [ "${a_tablespace:-$_space}" = "$_space" ] || rh_pg_db_do "ALTER DATABASE $_name SET TABLESPACE $(rh_pg_name "$a_tablespace")"
}
rh_pg_db_pack() {
    case $a_target in *.gz) gzip $1 ;; *.bz2) bzip2 $1 ;; *.xz) xz $1 ;; *) cat ;; esac
}
rh_pg_db_dump() {
    rm -f "$T/bad"
    case $a_target in
    *.tar) set -- --format=t ;;
    *.pgc) set -- --format=c ;;
    *.dir) set -- --format=d -f "$a_target" ;;
    *) set -- ;;
    esac
    { run $_as pg_dump "$@" ${a_dump_extra_args-} ${a_target_opts-} "$a_name" 2>"$T/said" || echo failed >"$T/bad"; } |
        case $a_target in *.dir) cat ;; *) rh_pg_db_pack >"$a_target" ;; esac
    [ ! -e "$T/bad" ] || fail "$(cat "$T/said")"
    put msg ''
}
rh_pg_db_restore() {
    [ -e "$a_target" ] || fail "target $a_target does not exist on the host"
    case $a_target in
    *.dir) run $_as pg_restore --format=Directory -d "$a_name" ${a_target_opts-} "$a_target" >"$T/answer" 2>"$T/said" ;;
    *.tar | *.pgc) run $_as pg_restore -d "$a_name" ${a_target_opts-} <"$a_target" >"$T/answer" 2>"$T/said" ;;
    *) rh_pg_db_pack -d <"$a_target" | run $_as psql -X -d "$a_name" ${a_target_opts-} >"$T/answer" 2>"$T/said" ;;
    esac || fail "$(cat "$T/said")"
    put msg "$(cat "$T/answer")"
}
