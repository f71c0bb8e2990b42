# modprobe (community.general): a module of the kernel.
# With `persistent`, also at boot, in `/etc/modules-load.d` and `/etc/modprobe.d`.
#
# arg name text, required
# arg state text, one of absent present
# arg params text
# arg persistent text, one of disabled absent present
# returns name params state
module_modprobe() {
    put name "$a_name"
    put params "${a_params-}"
    put state "${a_state:=present}"
    rh_modprobe_loaded && _now=present || _now=absent
    if [ "$_now" != "$a_state" ]; then
        changed
        if ! checking; then
            if [ "$a_state" = absent ]; then must modprobe -r "$a_name"; else must modprobe "$a_name" ${a_params-}; fi
        fi
    fi
    case ${a_persistent:-disabled} in
    present) rh_modprobe_file "/etc/modules-load.d/$a_name.conf" "$a_name"
        [ -z "${a_params-}" ] || rh_modprobe_file "/etc/modprobe.d/$a_name.conf" "options $a_name $a_params" ;;
    absent)
        for _file in "/etc/modules-load.d/$a_name.conf" "/etc/modprobe.d/$a_name.conf"; do
            [ ! -e "$_file" ] || { changed; checking || must rm -f -- "$_file"; }
        done
        ;;
    esac
}
rh_modprobe_loaded() {
    _module=$(printf %s "$a_name" | tr - _)
    grep -q "^$_module " /proc/modules || grep -qs "/$a_name\.ko" "/lib/modules/$(uname -r)/modules.builtin"
}
rh_modprobe_file() { # path line
    if [ "$(cat "$1" 2>/dev/null)" = "$2" ]; then return; fi
    changed
    checking && return
    printf '%s\n' "$2" >"$T/new"
    place_file "$T/new" "$1"
}
