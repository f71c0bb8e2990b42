# npm (community.general): the packages of a project folder, or one package.
# Needs npm on the host. `ci: yes` always runs and always says changed.
#
# arg name text
# arg path path
# arg version text
# arg global bool
# arg executable path
# arg state text, one of present absent latest
# arg production bool
# arg ci bool
# arg registry text
# arg ignore_scripts bool
module_npm() {
    : "${a_state:=present}" "${a_executable:=npm}"
    [ -n "${a_path-}" ] || yes "${a_global-}" || fail 'path must be specified when not using global'
    command -v "$a_executable" >/dev/null || fail "Failed to find required executable \"$a_executable\" in paths"
    set --
    if yes "${a_global-}"; then set -- --global; else cd "$a_path" 2>"$T/said" || fail "$(cat "$T/said")"; fi
    if yes "${a_production-}"; then set -- "$@" --production; fi
    if yes "${a_ignore_scripts-}"; then set -- "$@" --ignore-scripts; fi
    [ -z "${a_registry-}" ] || set -- "$@" --registry "$a_registry"
    _package=${a_name-}${a_version:+@$a_version}
    if yes "${a_ci-}"; then
        changed
        checking || must "$a_executable" ci "$@"
        return
    fi
    case $a_state in
    absent)
        rh_npm_there || return 0
        changed
        checking || must "$a_executable" uninstall "$@" "$a_name"
        ;;
    latest)
        [ -n "$(run "$a_executable" outdated "$@" ${a_name:+"$a_name"} 2>/dev/null)" ] || { rh_npm_there && return; }
        changed
        checking || must "$a_executable" install "$@" ${a_name:+"$a_name@latest"}
        ;;
    *)
        rh_npm_there && return
        changed
        checking || must "$a_executable" install "$@" ${_package:+"$_package"}
        ;;
    esac
}
# npm's own list knows what is missing: it fails then.
rh_npm_there() {
    if yes "${a_global-}"; then _where=--global; else _where=; fi
    run "$a_executable" list --depth 0 $_where ${_package:+"$_package"} >"$T/said" 2>&1 && ! grep -q '(empty)\|missing' "$T/said"
}
