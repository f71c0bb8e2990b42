# group (ansible.builtin): a group of the system.
#
# arg name text, required
# arg state text, one of absent present
# arg gid int
# arg system bool
# arg non_unique bool
# arg force bool
# returns gid name state system
module_group() {
    put name "$a_name"
    put state "${a_state:-present}"
    _now=$(getent group "$a_name")
    if [ "${a_state:-present}" = absent ]; then
        [ -n "$_now" ] || return 0
        changed
        if yes "${a_force-}"; then set -- -f; else set --; fi
        checking || must groupdel "$@" -- "$a_name"
        return
    fi
    if [ -z "$_now" ]; then
        changed
        checking && return
        set -- ${a_gid:+-g "$a_gid"}
        if yes "${a_system-}"; then set -- "$@" -r; fi
        if yes "${a_non_unique-}"; then set -- "$@" -o; fi
        must groupadd "$@" -- "$a_name"
        _now=$(getent group "$a_name")
    else
        _gid=${_now#*:*:}
        if [ -n "${a_gid-}" ] && [ "${_gid%%:*}" != "$a_gid" ]; then
            changed
            checking && return
            if yes "${a_non_unique-}"; then set -- -o; fi
            must groupmod -g "$a_gid" "$@" -- "$a_name"
            _now=$(getent group "$a_name")
        fi
    fi
    _gid=${_now#*:*:}
    put_int gid "${_gid%%:*}"
    put_bool system "$(! yes "${a_system-}" || echo 1)"
}
