# postgresql_privs (community.postgresql): what roles may do with tables, schemas, databases and the like, and who is in a group.
# All happens in one transaction, which is taken back with --check and when nothing came of it.
#
# arg db text, required, or database login_db
# arg state text, one of absent present
# arg privs text, or priv
# arg type text, one of table sequence function procedure database schema language tablespace group default_privs foreign_data_wrapper foreign_server type
# arg objs text, or obj
# arg schema text
# arg roles text, required, or role
# arg target_roles text
# arg grant_option bool, or admin_option
# arg fail_on_role bool
# arg usage_on_types bool
# arg login_user text, or login
# arg login_password text
# arg login_host text, or host
# arg login_port int, or port
# arg login_unix_socket path, or unix_socket
# arg ssl_mode text, one of allow disable prefer require verify-ca verify-full
# arg ca_cert path, or ssl_rootcert
# arg session_role text
# arg trust_input bool
# returns queries
# needs postgresql
module_postgresql_privs() {
    : "${a_type:=table}" "${a_state:=present}"
    _db=$a_db
    rh_pg_privs_check
    rh_pg_open
    put_empty queries list
    rh_pg_privs_whom
    if [ "$a_type" = default_privs ]; then rh_pg_privs_default; else rh_pg_privs_grant; fi
    rh_pg_privs_do
}
rh_pg_privs_check() {
    case $a_type in
    table | sequence | function | procedure | type | default_privs)
        : "${a_schema:=public}"
        if [ "${a_objs-}" = schemas ] || [ "$a_schema" = not-specified ]; then a_schema=''; fi
        ;;
    *) [ -z "${a_schema-}" ] || fail "Argument \"schema\" is not allowed for type \"$a_type\"." ;;
    esac
    [ "$a_type" != database ] || : "${a_objs:=$a_db}"
    [ -n "${a_objs-}" ] || fail "Argument \"objs\" is required for type \"$a_type\"."
    case $a_objs:$a_type in
    ALL_IN_SCHEMA:table | ALL_IN_SCHEMA:sequence | ALL_IN_SCHEMA:function | ALL_IN_SCHEMA:procedure) ;;
    ALL_IN_SCHEMA:*) fail "Argument \"objs\": ALL_IN_SCHEMA can be used only for type: table, sequence, function or procedure, $a_type was passed." ;;
    esac
    if [ "$a_type" = group ]; then
        [ -z "${a_privs-}" ] || fail 'Argument "privs" is not allowed for type "group".'
        return
    fi
    [ -n "${a_privs-}" ] || fail "Argument \"privs\" is required for type \"$a_type\"."
    _privs=$(printf %s "$a_privs" | tr a-z A-Z)
    rh_pg_privs_each "$_privs" rh_pg_privs_valid
}
rh_pg_privs_valid() {
    case $1 in
    SELECT | INSERT | UPDATE | DELETE | TRUNCATE | REFERENCES | TRIGGER | CREATE | CONNECT | TEMPORARY | TEMP | EXECUTE | USAGE | ALL) ;;
    *) fail "Invalid privileges specified: $1" ;;
    esac
}
# Calls a function with each part of a list with commas.
rh_pg_privs_each() { # list function
    _rest=$1,
    while [ -n "$_rest" ]; do
        _part=${_rest%%,*} _rest=${_rest#*,}
        "$2" "$_part"
    done
}
# Sets _whom to the roles that there are.
rh_pg_privs_whom() {
    _whom=''
    case $a_roles in
    [Pp][Uu][Bb][Ll][Ii][Cc]) _whom=PUBLIC ;;
    *) rh_pg_privs_each "$a_roles" rh_pg_privs_role ;;
    esac
    if [ -z "$_whom" ]; then rh_end ok; exit 0; fi
    _as_who=''
    [ -z "${a_target_roles-}" ] || rh_pg_privs_each "$a_target_roles" rh_pg_privs_target
}
rh_pg_privs_role() {
    rh_pg_must "SELECT 1 FROM pg_roles WHERE rolname = $(rh_pg_text "$1")"
    if [ -s "$T/answer" ]; then _whom=$_whom${_whom:+,}$(rh_pg_name "$1"); return; fi
    [ "${a_fail_on_role-}" = no ] || fail "Role '$1' does not exist"
}
rh_pg_privs_target() { _as_who=$_as_who${_as_who:+,}$(rh_pg_name "$1"); }

# --- the statements, in _sql ---

rh_pg_privs_grant() {
    _ids='' _names=''
    _in=''
    [ -z "${a_schema-}" ] || _in=$(rh_pg_name "$a_schema")
    if [ "$a_objs" = ALL_IN_SCHEMA ]; then
        _what="$_privs ON ALL $(echo "$a_type" | tr a-z A-Z)S IN SCHEMA $_in"
    else
        rh_pg_privs_each "$a_objs" rh_pg_privs_object
        _what="${_privs-} ON $(echo "$a_type" | tr _ ' ') $_ids"
        [ "$a_type" != group ] || _what=$_ids
    fi
    if [ "$a_state" = absent ]; then _sql="REVOKE $_what FROM $_whom;"; return; fi
    case $a_type in group) _option=ADMIN ;; *) _option=GRANT ;; esac
    _sql="GRANT $_what TO $_whom"
    case ${a_grant_option-} in
    yes) _sql="$_sql WITH $_option OPTION;" ;;
    no) _sql="$_sql;${RH_NL}REVOKE $_option OPTION FOR $_what FROM $_whom;" ;;
    *) _sql="$_sql;" ;;
    esac
}
rh_pg_privs_object() {
    case $a_type in
    function | procedure)
        case $1 in *'('*) ;; *) fail "Illegal function / procedure signature: \"$1\"." ;; esac
        _name=${1%%(*}
        _id=$(rh_pg_name "$_name")"($(printf %s "${1#*(}" | tr : ,)"
        ;;
    *) _name=$1 _id=$(rh_pg_name "$1") ;;
    esac
    _ids=$_ids${_ids:+,}${_in:+$_in.}$_id
    _names=$_names${_names:+,}$(rh_pg_text "$_name")
}
rh_pg_privs_default() {
    _objects=$(printf %s "$a_objs" | tr a-z A-Z)
    [ "$_objects" != ALL_DEFAULT ] || _objects=TABLES,SEQUENCES,FUNCTIONS,TYPES
    rh_pg_privs_each "$_objects" rh_pg_privs_kind
    _alter='ALTER DEFAULT PRIVILEGES'
    [ -z "$_as_who" ] || _alter="$_alter FOR ROLE $_as_who"
    [ -z "$a_schema" ] || _alter="$_alter IN SCHEMA $(rh_pg_name "$a_schema")"
    _sql='' _more=''
    ! yes "${a_grant_option-}" || _more=' WITH GRANT OPTION'
    if [ "$a_state" = absent ]; then
        rh_pg_privs_each TABLES,SEQUENCES,TYPES rh_pg_privs_take
        return
    fi
    rh_pg_privs_each "$_objects" rh_pg_privs_take
    rh_pg_privs_each "$_objects" rh_pg_privs_give
    [ "${a_usage_on_types-}" = no ] || _sql="$_sql$RH_NL$_alter GRANT USAGE ON TYPES TO $_whom$_more;"
}
rh_pg_privs_take() { _sql="$_sql${_sql:+$RH_NL}$_alter REVOKE ALL ON $1 FROM $_whom;"; }
rh_pg_privs_give() { _sql="$_sql${_sql:+$RH_NL}$_alter GRANT $_privs ON $1 TO $_whom$_more;"; }
rh_pg_privs_kind() {
    case $1 in
    TABLES) _may=' ALL SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER ' ;;
    SEQUENCES) _may=' ALL SELECT UPDATE USAGE ' ;;
    FUNCTIONS) _may=' ALL EXECUTE ' ;;
    TYPES) _may=' ALL USAGE ' ;;
    SCHEMAS) _may=' CREATE USAGE ' ;;
    *) fail "Invalid Object set specified: $1" ;;
    esac
    for _one in $(printf %s "$_privs" | tr ',' ' '); do
        case $_may in *" $_one "*) ;; *) fail "Invalid priv specified. Valid object for priv: $_one. Objects: $_objects" ;; esac
    done
}

# --- done, and whether it was a change: the access lists tell ---

rh_pg_privs_state() {
    case $a_type in
    table | sequence | function | procedure | type)
        case $a_type in
        table) set -- relacl pg_class relname relnamespace " AND relkind IN ('r', 'p', 'v', 'm')" ;;
        sequence) set -- relacl pg_class relname relnamespace " AND relkind = 'S'" ;;
        type) set -- typacl pg_type typname typnamespace '' ;;
        *) set -- proacl pg_proc proname pronamespace '' ;;
        esac
        _acls="SELECT $1::text AS acl FROM $2 WHERE true$5"
        [ -z "$_names" ] || _acls="$_acls AND $3 IN ($_names)"
        [ -z "$a_schema" ] || _acls="$_acls AND $4 = (SELECT oid FROM pg_namespace WHERE nspname = $(rh_pg_text "$a_schema"))"
        ;;
    schema) _acls="SELECT nspacl::text AS acl FROM pg_namespace WHERE nspname IN ($_names)" ;;
    language) _acls="SELECT lanacl::text AS acl FROM pg_language WHERE lanname IN ($_names)" ;;
    tablespace) _acls="SELECT spcacl::text AS acl FROM pg_tablespace WHERE spcname IN ($_names)" ;;
    database) _acls="SELECT datacl::text AS acl FROM pg_database WHERE datname IN ($_names)" ;;
    foreign_data_wrapper) _acls="SELECT fdwacl::text AS acl FROM pg_foreign_data_wrapper WHERE fdwname IN ($_names)" ;;
    foreign_server) _acls="SELECT srvacl::text AS acl FROM pg_foreign_server WHERE srvname IN ($_names)" ;;
    group) _acls="SELECT (roleid, grantor, member, admin_option)::text AS acl FROM pg_auth_members WHERE roleid IN
        (SELECT oid FROM pg_roles WHERE rolname IN ($_names))" ;;
    default_privs)
        _acls='SELECT defaclacl::text AS acl FROM pg_default_acl WHERE true'
        [ -z "$a_schema" ] || _acls="$_acls AND defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $(rh_pg_text "$a_schema"))"
        ;;
    esac
}
rh_pg_privs_do() {
    rh_pg_privs_state
    _now="SELECT md5(coalesce(array_agg(coalesce(acl, '') ORDER BY acl)::text, ''))"
    rh_pg "BEGIN;
$_now AS rh_before FROM ($_acls) acls \\gset
$_sql
$_now <> :'rh_before' OR $([ "$_whom" = PUBLIC ] && echo true || echo false) AS rh_changed FROM ($_acls) acls \\gset
\\if :rh_changed
$(if checking; then echo ROLLBACK; else echo COMMIT; fi);
\\else
ROLLBACK;
\\endif
\\echo :rh_changed" >"$T/answer" 2>"$T/said" || fail "$(cat "$T/said")"
    [ "$(tail -n 1 "$T/answer")" != t ] || changed
    put queries.0 "$_sql"
}
