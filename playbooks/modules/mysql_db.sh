# mysql_db (community.mysql): databases of MariaDB and MySQL; dumps and imports.
# `target` is on the host; .gz, .bz2, .xz and .zst are packed and unpacked. With `login_host: localhost` the local socket is used.
#
# arg name words, required, or db
# arg state text, one of absent dump import present
# arg encoding text
# arg collation text
# arg target path
# arg single_transaction bool
# arg quick bool
# arg ignore_tables words
# arg hex_blob bool
# arg force bool
# arg skip_lock_tables bool
# arg dump_extra_args text
# arg check_implicit_admin bool
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
# returns db db_list executed_commands msg
# needs mysql
module_mysql_db() {
    : "${a_state:=present}"
    eval "set -- $a_name"
    put db "$*"
    _n=0
    for _db; do put "db_list.$_n" "$_db"; _n=$((_n + 1)); done
    case $a_state in
    dump | import) [ -n "${a_target-}" ] || fail "with state=$a_state target is required" ;;
    *) [ "$*" != all ] || fail "name is not allowed to equal 'all' unless state equals import, or dump." ;;
    esac
    [ "$a_state" != import ] || [ $# = 1 ] || fail 'Multiple databases are not supported with state=import'
    rh_mysql_open
    _there='' _missing=''
    if [ "$*" != all ]; then rh_mysql_db_sort "$@"; fi
    _commands=0
    case $a_state in
    absent) rh_mysql_db_each "$_there" 'DROP DATABASE' '' ;;
    present) rh_mysql_db_create ;;
    dump)
        [ -z "$_missing" ] || fail "Cannot dump database(s) $(echo $_missing) - not found"
        changed
        checking || rh_mysql_db_dump "$@"
        ;;
    import)
        rh_mysql_db_create
        changed
        checking || rh_mysql_db_import "$@"
        ;;
    esac
}
rh_mysql_db_sort() {
    for _db; do
        rh_mysql_must "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = $(rh_mysql_text "$_db")"
        if [ -s "$T/answer" ]; then _there="$_there$_db$RH_NL"; else _missing="$_missing$_db$RH_NL"; fi
    done
}
rh_mysql_db_create() {
    set --
    [ -z "${a_encoding-}" ] || set -- " CHARACTER SET $(rh_mysql_text "$a_encoding")"
    [ -z "${a_collation-}" ] || set -- "${1-} COLLATE $(rh_mysql_text "$a_collation")"
    rh_mysql_db_each "$_missing" 'CREATE DATABASE' "${1-}"
}
rh_mysql_db_each() { # names command rest
    checking || [ "$a_state" = import ] || put_empty executed_commands list
    while IFS= read -r _db; do
        [ -n "$_db" ] || continue
        changed
        checking && return
        _sql="$2 $(rh_mysql_name "$_db")$3"
        rh_mysql_must "$_sql"
        put "executed_commands.$_commands" "$_sql"
        _commands=$((_commands + 1))
    done <<NAMES
$1
NAMES
}
rh_mysql_db_pack() {
    case $a_target in
    *.gz) gzip $1 ;; *.bz2) bzip2 $1 ;; *.xz) xz $1 ;; *.zst) zstd -q $1 ;; *) cat ;;
    esac
}
rh_mysql_db_dump() { # databases
    rm -f "$T/bad"
    _dump=$(command -v mariadb-dump || command -v mysqldump) || fail 'mysqldump is needed on the host'
    if [ "$*" = all ]; then set -- --all-databases; elif [ $# -gt 1 ]; then set -- --databases "$@"; fi
    if [ -n "${a_encoding-}" ]; then set -- "--default-character-set=$a_encoding" "$@"; fi
    if yes "${a_force-}"; then set -- --force "$@"; fi
    if yes "${a_single_transaction-}"; then set -- --single-transaction=true "$@"; fi
    if [ "${a_quick-}" != no ]; then set -- --quick "$@"; fi
    if yes "${a_hex_blob-}"; then set -- --hex-blob "$@"; fi
    if yes "${a_skip_lock_tables-}"; then set -- --skip-lock-tables "$@"; fi
    if [ -n "${a_ignore_tables-}" ]; then
        _tables=$(eval "set -- $a_ignore_tables"; for _table; do printf ' --ignore-table=%s' "$_table"; done)
        set -- $_tables "$@"
    fi
    [ -z "${a_dump_extra_args-}" ] || set -- $a_dump_extra_args "$@"
    { run "$_dump" --defaults-file="$T/my.cnf" "$@" 2>"$T/said" || echo failed >"$T/bad"; } | rh_mysql_db_pack >"$a_target"
    [ ! -e "$T/bad" ] || fail "$(cat "$T/said")"
    put msg ''
}
rh_mysql_db_import() {
    [ -e "$a_target" ] || fail "target $a_target does not exist on the host"
    if [ "$*" = all ]; then set --; else set -- "--one-database" "$1"; fi
    [ -z "${a_encoding-}" ] || set -- "--default-character-set=$a_encoding" "$@"
    if yes "${a_force-}"; then set -- -f "$@"; fi
    rh_mysql_db_pack -d <"$a_target" | run "$_client" --defaults-file="$T/my.cnf" "$@" >"$T/answer" 2>"$T/said" || fail "$(cat "$T/said")"
    put msg "$(cat "$T/answer")"
}
