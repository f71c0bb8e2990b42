# alternatives (community.general): which program a common name stands for.
# `subcommands` are refused.
#
# arg name text, required
# arg path path, required
# arg link path
# arg priority int
# arg state text, one of present selected absent auto
module_alternatives() {
    : "${a_state:=selected}"
    run update-alternatives --query "$a_name" >"$T/query" 2>/dev/null
    _value=$(sed -n 's/^Value: //p' "$T/query")
    _mode=$(sed -n 's/^Status: //p' "$T/query")
    _priority=$(awk -v p="$a_path" '$1 == "Alternative:" { here = $2 == p } here && $1 == "Priority:" { print $2 }' "$T/query")
    if [ "$a_state" = absent ]; then
        [ -n "$_priority" ] || return 0
        changed
        checking || must update-alternatives --remove "$a_name" "$a_path"
        return
    fi
    if [ -z "$_priority" ] || { [ -n "${a_priority-}" ] && [ "$_priority" != "$a_priority" ]; }; then
        : "${a_link:=$(sed -n 's/^Link: //p' "$T/query")}"
        [ -e "$a_path" ] || fail "Specified path $a_path does not exist"
        [ -n "$a_link" ] || fail 'Needed to install the alternative, but unable to do so as we are missing the link'
        changed
        checking || must update-alternatives --install "$a_link" "$a_name" "$a_path" "${a_priority:-50}"
    fi
    case $a_state in
    selected)
        [ "$_value" = "$a_path" ] && [ "$_mode" = manual ] && return
        if [ "$_value" = "$a_path" ] && [ -z "$r_changed" ]; then return; fi
        changed
        checking || must update-alternatives --set "$a_name" "$a_path"
        ;;
    auto) [ "$_mode" != manual ] || { changed; checking || must update-alternatives --auto "$a_name"; } ;;
    esac
}
