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
# arg unsafe_perm bool
# arg no_optional bool
# arg no_bin_links bool
# needs json
module_npm() {
    : "${a_state:=present}" "${a_executable:=npm}"
    [ -n "${a_path-}" ] || yes "${a_global-}" || fail 'path must be specified when not using global'
    [ "$a_state" != absent ] || [ -n "${a_name-}" ] || fail 'uninstalling a package is only available for named packages'
    command -v "${a_executable%% *}" >/dev/null || fail "Failed to find required executable \"$a_executable\" in paths"
    _package=${a_name-}
    [ "$a_state" = absent ] || _package=$_package${a_version:+@$a_version}
    if yes "${a_ci-}"; then rh_npm_do ci; return; fi
    rh_npm_list
    case $a_state in
    absent) ! grep -qxF -- "$a_name" "$T/installed" || rh_npm_do uninstall ;;
    present) [ ! -s "$T/missing" ] || rh_npm_do install ;;
    latest)
        rh_npm outdated "$_package" >"$T/outdated" 2>/dev/null
        [ ! -s "$T/missing" ] || rh_npm_do install
        [ ! -s "$T/outdated" ] || rh_npm_do update
        ;;
    esac
}
# The command $1 on package $2, if any, with what the task says of all commands.
rh_npm() {
    _command=$1
    shift
    [ -n "${1-}" ] || set --
    if yes "${a_global-}"; then set -- --global "$@"; fi
    case $_command:${a_production-} in install:yes | update:yes | ci:yes) set -- "$@" --production ;; esac
    if yes "${a_ignore_scripts-}"; then set -- "$@" --ignore-scripts; fi
    if yes "${a_unsafe_perm-}"; then set -- "$@" --unsafe-perm; fi
    [ -z "${a_registry-}" ] || set -- "$@" --registry "$a_registry"
    if yes "${a_no_optional-}"; then set -- "$@" --no-optional; fi
    if yes "${a_no_bin_links-}"; then set -- "$@" --no-bin-links; fi
    [ "$_command" != list ] || set -- "$@" --json --long
    (
        [ -z "${a_path-}" ] || cd "$a_path" || exit
        run $a_executable "$_command" "$@"
    )
}
rh_npm_do() {
    changed
    checking && return
    [ -z "${a_path-}" ] || must mkdir -p -- "$a_path"
    rh_npm "$1" "$_package" >"$T/answer" 2>"$T/said" || fail "npm $1 failed: $(tail -c 4000 "$T/said")"
}
# What npm's own list says is installed ("name" and "name@version") and missing. A list without dependencies misses whatever was asked for.
rh_npm_list() {
    if ! rh_npm list >"$T/list" 2>"$T/said"; then [ -s "$T/list" ] || [ ! -e "${a_path:-/}" ] || fail "npm list failed: $(tail -c 4000 "$T/said")"; fi
    perl -e "$rh_json$rh_npm_read" "$_package" "$T" 2>"$T/said" || fail "Failed to parse NPM output with error $(cat "$T/said")"
}
rh_npm_read='
    my ($package, $dir) = @ARGV; local $/;
    open my $in, "<", "$dir/list"; my $text = <$in>; $text = "{}" unless $text =~ /\S/;
    my $all = value(\$text)->{dependencies}; my (@installed, @missing);
    for my $name (sort keys %{$all || {}}) {
        my $one = $all->{$name};
        if ($one->{missing} && $one->{missing} ne "false" || $one->{invalid} && $one->{invalid} ne "false") { push @missing, $name; next }
        push @installed, $name; push @installed, "$name\@$one->{version}" if $one->{version};
    }
    push @missing, $package if !$all || length $package && !grep { $_ eq $package } @installed;
    open my $i, ">", "$dir/installed"; print $i "$_\n" for @installed;
    open my $m, ">", "$dir/missing"; print $m "$_\n" for @missing;
'
