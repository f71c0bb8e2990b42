# apt (ansible.builtin): packages of Debian and Ubuntu.
# Installs, removes, upgrades packages. Waits up to `lock_timeout` (60 s) for another apt. `name` may be `package=version` with
# globs. `force_apt_get` has no effect: it is always apt-get.
#
# arg name words, or package pkg
# arg state text, one of absent build-dep fixed latest present
# arg update_cache bool, or update-cache
# arg cache_valid_time int
# arg install_recommends bool, or install-recommends
# arg upgrade text, one of dist full no safe yes
# arg purge bool
# arg autoremove bool
# arg autoclean bool
# arg clean bool
# arg deb path
# arg default_release text, or default-release
# arg dpkg_options text
# arg only_upgrade bool
# arg force_apt_get bool
# arg policy_rc_d int
# arg allow_unauthenticated bool, or allow-unauthenticated
# arg allow_downgrade bool, or allow-downgrade allow_downgrades allow-downgrades
# arg allow_change_held_packages bool
# arg lock_timeout int
# returns cache_update_time cache_updated stdout

# a_name holds the packages, quoted.
module_apt() {
    export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
    : "${a_state:=present}" "${a_upgrade:=no}" "${a_lock_timeout:=60}"
    rh_apt_refresh
    [ "$a_upgrade" = no ] || rh_apt_upgrade
    if [ -n "${a_deb-}" ]; then
        rh_apt_deb
    elif [ -n "${a_name-}" ]; then
        eval "set -- $a_name"
        if [ "$a_state $*" = 'latest *' ]; then a_upgrade=yes; rh_apt_upgrade; else rh_apt_packages "$@"; fi
    elif yes "${a_autoremove-}"; then
        rh_apt autoremove
    fi
    if yes "${a_autoclean-}" && ! checking; then must apt-get -qq autoclean; fi
    if yes "${a_clean-}" && ! checking; then must apt-get -qq clean; [ -n "${a_name-}" ] || changed; fi
}
rh_apt_stamp() {
    stat -c %Y /var/lib/apt/periodic/update-success-stamp 2>/dev/null || stat -c %Y /var/lib/apt/lists 2>/dev/null || echo 0
}
rh_apt_refresh() {
    put_bool cache_updated 0
    yes "${a_update_cache-}" || [ "${a_cache_valid_time:-0}" -gt 0 ] || return 0
    _stamp=$(rh_apt_stamp)
    [ $((_stamp + ${a_cache_valid_time:-0})) -lt "$(date +%s)" ] || return 0
    _fresh=$_stamp
    if ! checking; then
        rh_apt_wait apt-get -q update -o APT::Update::Error-Mode=any || {
            # Old releases of apt do not know the error mode; what matters is that the lists were read.
            fail "Failed to update apt cache: $(grep -E '^(E|W|Err)' "$T/said" | tail -n 20)"
        }
        _fresh=$(rh_apt_stamp)
        touch /var/lib/apt/lists # apt leaves the time as it is when nothing was new: cache_valid_time would never count
    fi
    put_int cache_update_time "$_fresh"
    put_bool cache_updated 1
    # With nothing else to do, newer lists are the change; otherwise only packages count.
    [ -z "${a_name-}${a_deb-}" ] && [ "$a_upgrade" = no ] || return 0
    if checking || [ "$_fresh" != "$_stamp" ]; then changed; fi
}
# Another apt may hold the lock, for example on a machine's first boot: asks again until the time is over.
rh_apt_wait() {
    _until=$(($(date +%s) + a_lock_timeout))
    until run "$@" >"$T/said" 2>&1; do
        grep -q 'Could not get lock\|Unable to acquire the dpkg frontend lock\|Unable to lock' "$T/said" || return 1
        [ "$(date +%s)" -lt "$_until" ] || return 1
        sleep 1
    done
}
# apt-get with the task's options; changed when its summary says so.
rh_apt() { # command packages...
    _command=$1
    shift
    set -- "$_command" -y -q -o DPkg::Lock::Timeout="$a_lock_timeout" "$@"
    for _option in $(echo "${a_dpkg_options-force-confdef,force-confold}" | tr , ' '); do
        set -- "$@" -o "Dpkg::Options::=--$_option"
    done
    case ${a_install_recommends-} in
    yes) set -- "$@" -o APT::Install-Recommends=yes ;;
    no) set -- "$@" -o APT::Install-Recommends=no ;;
    esac
    [ -z "${a_default_release-}" ] || set -- "$@" -t "$a_default_release"
    if yes "${a_autoremove-}"; then set -- "$@" --auto-remove; fi
    if yes "${a_purge-}"; then set -- "$@" --purge; fi
    if yes "${a_only_upgrade-}"; then set -- "$@" --only-upgrade; fi
    if yes "${a_allow_unauthenticated-}"; then set -- "$@" --allow-unauthenticated; fi
    if yes "${a_allow_downgrade-}"; then set -- "$@" --allow-downgrades; fi
    if yes "${a_allow_change_held_packages-}"; then set -- "$@" --allow-change-held-packages; fi
    if checking; then set -- "$@" -s; fi
    if [ -n "${a_policy_rc_d-}" ] && ! checking; then
        printf '#!/bin/sh\nexit %s\n' "$a_policy_rc_d" >/usr/sbin/policy-rc.d && chmod 0755 /usr/sbin/policy-rc.d
        rh_apt_wait apt-get "$@"
        _status=$?
        rm -f /usr/sbin/policy-rc.d
    else
        rh_apt_wait apt-get "$@"
        _status=$?
    fi
    put stdout "$(tail -c 65536 "$T/said")"
    [ $_status = 0 ] || fail "'apt-get $_command' failed: $(grep '^E:' "$T/said" | tail -n 20)"
    case $(grep -E '^[0-9]+ upgraded, ' "$T/said") in
    '0 upgraded, 0 newly installed, 0 to remove'* | '0 upgraded, 0 newly installed, 0 downgraded, 0 to remove'*) ;;
    *) changed ;;
    esac
}
rh_apt_packages() {
    case $a_state in
    absent) rh_apt_installed "$@" && rh_apt remove "$@" || return 0 ;;
    present) rh_apt_all_there "$@" || rh_apt install "$@" ;;
    latest) rh_apt install "$@" ;;
    build-dep) rh_apt build-dep "$@" ;;
    fixed) rh_apt install --fix-broken "$@" ;;
    esac
}
# Whether every package is installed, in the wanted version if one is named ("nginx=1.18.*").
rh_apt_all_there() {
    for _package; do
        case $_package in
        *=*) _want=${_package#*=} ;;
        *) _want='*' ;;
        esac
        set -- "$@" "${_package%%=*}"
        [ "$_want" = '*' ] || rh_apt_version "${_package%%=*}" "$_want" || return 1
        shift
    done
    dpkg-query -W -f '${db:Status-Status}\n' "$@" >"$T/list" 2>/dev/null && ! grep -qvx installed "$T/list"
}
rh_apt_version() { # package, glob
    case $(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null) in
    "installed "$2) return 0 ;;
    esac
    return 1
}
# Whether any is installed (or, to be purged, has left its configuration).
rh_apt_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null >"$T/list"
    if yes "${a_purge-}"; then grep -qvx not-installed "$T/list"; else grep -qx installed "$T/list"; fi
}
rh_apt_upgrade() {
    case $a_upgrade in
    dist | full) rh_apt dist-upgrade ;;
    *) rh_apt upgrade --with-new-pkgs ;;
    esac
}
rh_apt_deb() {
    case $a_deb in
    *://*)
        run curl -fsSL --retry 3 -o "$T/package.deb" -- "$a_deb" 2>"$T/said" || fail "cannot fetch '$a_deb': $(cat "$T/said")"
        a_deb=$T/package.deb
        ;;
    esac
    [ -f "$a_deb" ] || fail "no such package file: '$a_deb'"
    _deb=$(dpkg-deb -W --showformat '${Package} ${Version}' "$a_deb" 2>"$T/said") || fail "not a package: $(cat "$T/said")"
    if [ "$(dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}' "${_deb% *}" 2>/dev/null)" = "$_deb installed" ]; then return; fi
    case $a_deb in /*) ;; *) a_deb=./$a_deb ;; esac
    rh_apt install "$a_deb"
}
