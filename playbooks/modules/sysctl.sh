# sysctl (ansible.posix): one kernel setting, in a file and in the running kernel.
# Writes `sysctl_file` (`/etc/sysctl.conf`) and, unless `reload: no`, loads it.
#
# arg name text, required, or key
# arg value text, or val
# arg state text, one of absent present
# arg reload bool
# arg sysctl_file path
# arg sysctl_set bool
# arg ignoreerrors bool
module_sysctl() {
    : "${a_state:=present}" "${a_sysctl_file:=/etc/sysctl.conf}"
    [ "$a_state" = absent ] || [ -n "${a_value+set}" ] || fail 'value is required with state=present'
    _name=$(echo "$a_name" | xargs)
    _value=$(printf %s "${a_value-}" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
    case $(echo "$_value" | tr '[:upper:]' '[:lower:]') in
    yes | on | true | y | t) _value=1 ;;
    no | off | false | n | f) _value=0 ;;
    esac
    _old=$a_sysctl_file
    [ -f "$_old" ] || _old=/dev/null
    # Known lines are written as name=value; of several for one name only the first stays.
    _in_file=$(printf '%s\n%s\n' "$_name" "$_value" | awk -v state="$a_state" -v out="$T/new" '
        NR == FNR { if (FNR == 1) name = $0; else value = $0; next }
        { line = $0; gsub(/^[ \t]+|[ \t]+$/, "", line) }
        line == "" || line ~ /^[#;]/ || index(line, "=") == 0 { print line >out; next }
        { k = substr(line, 1, index(line, "=") - 1); v = substr(line, index(line, "=") + 1)
          gsub(/[ \t]+$/, "", k); gsub(/^[ \t]+/, "", v) }
        k == name { found = 1; had = v }
        seen[k]++ { next }
        k == name { if (state == "present") print name "=" value >out; next }
        { print k "=" v >out }
        END { if (!found && state == "present") print name "=" value >out
              printf "" >>out; print found ? "=" had : "" }' - "$_old")
    case "$a_state $(rh_sysctl_words "$_in_file")" in
    'present =') _write=1 ;;
    "present =$(rh_sysctl_words "$_value")") _write= ;;
    present*) _write=1 ;;
    'absent ') _write= ;;
    absent*) _write=1 ;;
    esac
    _live=$(rh_sysctl_words "$(sysctl -e -n "$_name" 2>/dev/null)")
    _differs=
    [ "$a_state" = absent ] || [ "$_live" = "$(rh_sysctl_words "$_value")" ] || _differs=1
    if [ -n "$_write" ]; then changed; show_diff "$a_sysctl_file" "$_old" "$T/new"; fi
    if [ -n "$_differs" ] && { [ "${a_reload-}" != no ] || yes "${a_sysctl_set-}"; }; then changed; fi
    checking && return
    _ignore=
    if yes "${a_ignoreerrors-}"; then _ignore=-e; fi
    if [ -n "$_differs" ] && yes "${a_sysctl_set-}"; then rh_sysctl_run -w "$_name=$_value"; fi
    [ -z "$_write" ] || place_file "$T/new" "$a_sysctl_file"
    if [ -n "$r_changed" ] && [ "${a_reload-}" != no ]; then rh_sysctl_run -p "$a_sysctl_file"; fi
}
rh_sysctl_words() { # blanks between words count as one
    set -f
    echo $1
}
# sysctl may say that a value was refused and still return 0.
rh_sysctl_run() {
    LC_ALL=C sysctl $_ignore "$@" >"$T/said" 2>&1 || fail "sysctl failed: $(cat "$T/said")"
    ! grep -qE 'setting key "[^"]+"(, ignoring)?: (Invalid argument|Read-only file system)$' "$T/said" || fail "sysctl failed: $(cat "$T/said")"
}
