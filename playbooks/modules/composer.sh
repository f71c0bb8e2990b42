# composer (community.general): PHP packages of a project, by Composer.
# Needs php and composer on the host.
#
# arg command text
# arg arguments command
# arg working_dir path
# arg global_command bool
# arg executable path, or php_path
# arg composer_executable path
# arg prefer_source bool
# arg prefer_dist bool
# arg no_dev bool
# arg no_scripts bool
# arg no_plugins bool
# arg apcu_autoloader bool
# arg optimize_autoloader bool
# arg classmap_authoritative bool
# arg ignore_platform_reqs bool
# returns msg stdout
module_composer() {
    : "${a_command:=install}" "${a_no_dev:=yes}" "${a_optimize_autoloader:=yes}"
    case $a_command in *[[:space:]]*) fail "Use the 'arguments' param for passing arguments with the 'command'" ;; esac
    [ -n "${a_working_dir-}" ] || yes "${a_global_command-}" || fail 'global_command is False but all of the following are missing: working_dir'
    _php=${a_executable:-$(command -v php)}
    [ -n "$_php" ] || fail 'Failed to find required executable "php" in paths'
    _composer=${a_composer_executable:-$(command -v composer)}
    [ -n "$_composer" ] || fail 'Failed to find required executable "composer" in paths'
    run "$_php" "$_composer" help "$a_command" --no-interaction --format=json >"$T/help" 2>"$T/said" || fail "$(rh_composer_flat <"$T/said")"
    set --
    if yes "${a_global_command-}"; then set -- global; fi
    set -- "$@" "$a_command"
    for _option in no-ansi no-interaction no-progress; do rh_composer_has "$_option" && set -- "$@" "--$_option"; done
    yes "${a_global_command-}" || set -- "$@" --working-dir "$a_working_dir"
    for _option in prefer_source prefer_dist no_dev no_scripts no_plugins optimize_autoloader classmap_authoritative ignore_platform_reqs apcu_autoloader; do
        eval "_value=\${a_$_option-}"
        _option=$(echo "$_option" | tr _ -)
        if yes "$_value" && rh_composer_has "$_option"; then set -- "$@" "--$_option"; fi
    done
    if checking; then
        rh_composer_has dry-run || skip "command '$a_command' does not support check mode, skipping"
        set -- "$@" --dry-run
    fi
    eval "set -- \"\$@\" ${a_arguments-}"
    run "$_php" "$_composer" "$@" >"$T/stdout" 2>"$T/stderr" || {
        put stdout "$(cat "$T/stderr")"
        fail "$(rh_composer_flat <"$T/stderr")"
    }
    cat "$T/stdout" "$T/stderr" >"$T/both"
    put msg "$(rh_composer_flat <"$T/both")"
    put stdout "$(cat "$T/both")"
    grep -q 'Nothing to install or update\|Nothing to install, update or remove' "$T/both" || changed
}
rh_composer_has() { grep -q "\"--$1\"" "$T/help"; }
rh_composer_flat() { tr -s '[:space:]' ' ' | sed 's/^ //; s/ $//'; }
