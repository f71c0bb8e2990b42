# known_hosts (ansible.builtin): the key of a host in a file of known hosts.
# Needs `ssh-keygen`.
#
# arg name text, required, or host
# arg key text
# arg path path
# arg state text, one of absent present
# arg hash_host bool
# returns gid group key mode name owner path size state uid
module_known_hosts() {
    : "${a_state:=present}" "${a_path:=$HOME/.ssh/known_hosts}"
    if [ "$a_state" = present ]; then
        [ -n "${a_key-}" ] || fail 'No key specified when adding a host'
        case "$a_key " in
        "$a_name "* | *",$a_name "* | "$a_name,"* | *",$a_name,"* | '@'* | '|1|'* | "[$a_name]:"*) ;;
        *) fail "Host parameter does not match hashed host field in supplied key" ;;
        esac
    fi
    put name "$a_name"
    if [ -n "${a_key-}" ]; then put key "$a_key"; else put_json key null; fi
    put path "$a_path"
    put_bool hash_host "$(! yes "${a_hash_host-}" || echo 1)"
    r_path=$a_path
    _key=$(printf %s "${a_key-}" | sed '/^[[:space:]]*$/d' | head -n 1)
    rh_known_hosts_type "$_key"
    _want=$_type
    _old=$a_path
    [ -f "$_old" ] || _old=/dev/null
    # Lines for this host, with their numbers: "# Host NAME found: line N".
    : >"$T/drop"
    _same=
    run ssh-keygen -F "$a_name" -f "$_old" 2>/dev/null >"$T/found"
    while IFS= read -r _line; do
        case $_line in '# Host '*) _number=${_line##*line }; _number=${_number%% *}; continue ;; esac
        rh_known_hosts_type "$_line"
        if [ "$a_state" = absent ]; then
            [ -n "$_key" ] && [ "$_type" != "$_want" ] || echo "$_number" >>"$T/drop"
        elif [ "${_type%% *}" = "${_want%% *}" ]; then
            case $_line in '|1|'*) _hashed=yes ;; *) _hashed=no ;; esac
            if [ "$_type" = "$_want" ] && [ "$_hashed" = "${a_hash_host:-no}" ] && [ -z "$_same" ]; then _same=1
            else echo "$_number" >>"$T/drop"
            fi
        fi
    done <"$T/found"
    awk 'NR == FNR && FILENAME == ARGV[1] { drop[$1] = 1; next } !(FNR in drop)' "$T/drop" "$_old" >"$T/new"
    if [ "$a_state" = present ] && [ -z "$_same" ]; then
        printf '%s\n' "$_key" >"$T/line"
        if yes "${a_hash_host-}"; then must ssh-keygen -H -f "$T/line"; fi
        cat "$T/line" >>"$T/new"
    fi
    cmp -s -- "$_old" "$T/new" && return
    changed
    show_diff "$a_path" "$_old" "$T/new"
    checking && return
    [ -d "$(dirname -- "$a_path")" ] || must install -d -m 0700 -- "$(dirname -- "$a_path")"
    [ -e "$a_path" ] || a_mode=0644
    place_file "$T/new" "$a_path"
}
# Type and key of a line, without marker, names and comment.
rh_known_hosts_type() {
    set -f
    set -- $1
    case ${1-} in @*) shift ;; esac
    set +f
    _type="${2-} ${3-}"
}
