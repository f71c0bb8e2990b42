# postgresql_ext (community.postgresql): extensions of a database.
#
# arg name text, required, or ext
# arg db text, required, or login_db
# arg state text, one of absent present
# arg schema text
# arg version text
# arg cascade bool
# arg login_user text, or login
# arg login_password text
# arg login_host text, or host
# arg login_port int, or port
# arg login_unix_socket path, or unix_socket
# arg ssl_mode text, one of allow disable prefer require verify-ca verify-full
# arg ca_cert path, or ssl_rootcert
# arg session_role text
# arg trust_input bool
# returns db ext queries
# needs postgresql
module_postgresql_ext() {
    put db "$a_db"
    put ext "$a_name"
    put_empty queries list
    _db=$a_db
    rh_pg_open
    _ext=$(rh_pg_name "$a_name") _more=''
    if yes "${a_cascade-}"; then _more=' CASCADE'; fi
    rh_pg_must "SELECT extversion FROM pg_extension WHERE extname = $(rh_pg_text "$a_name")"
    _have=$(cat "$T/answer")
    if [ "${a_state:-present}" = absent ]; then
        [ -z "$_have" ] || rh_pg_do "DROP EXTENSION $_ext$_more"
        return
    fi
    rh_pg_must "SELECT default_version FROM pg_available_extensions WHERE name = $(rh_pg_text "$a_name")"
    _newest=$(cat "$T/answer")
    [ -n "$_newest" ] || fail "Extension $a_name is not available"
    if [ -n "$_have" ]; then
        case ${a_version-} in
        '' | "$_have") return ;;
        latest)
            [ "$_have" = "$_newest" ] || rh_pg_do "ALTER EXTENSION $_ext UPDATE"
            return
            ;;
        esac
        rh_pg_do "ALTER EXTENSION $_ext UPDATE TO $(rh_pg_text "$a_version")"
        return
    fi
    _sql="CREATE EXTENSION $_ext"
    [ -z "${a_schema-}" ] || _sql="$_sql WITH SCHEMA $(rh_pg_name "$a_schema")"
    case ${a_version-} in '' | latest) ;; *) _sql="$_sql VERSION $(rh_pg_text "$a_version")" ;; esac
    rh_pg_do "$_sql$_more"
}
