# dpkg_selections (ansible.builtin): holds a package, or lets it go.
#
# arg name text, required
# arg selection text, required, one of install hold deinstall purge
# returns after before
module_dpkg_selections() {
    _now=$(run dpkg --get-selections "$a_name" 2>/dev/null | awk 'NR == 1 { print $2 }')
    : "${_now:=not present}"
    put before "$_now"
    put after "$a_selection"
    [ "$_now" != "$a_selection" ] || return 0
    changed
    checking && return
    echo "$a_name $a_selection" | run dpkg --set-selections >"$T/said" 2>&1 || fail "dpkg --set-selections failed: $(cat "$T/said")"
}
