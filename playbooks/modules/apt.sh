# apt (ansible.builtin): packages of Debian and Ubuntu.
# Waits up to `lock_timeout` (60 s) for another apt, and says so in `msg`. `name` may be `package=version` or `package>=version`, with
# globs. It is always apt-get: `force_apt_get` has no effect. Installed packages cost one look at dpkg's list; apt-get is not
# started. As in Ansible, `update_cache` and `autoclean` without `name`, `deb` or `upgrade` leave `autoremove` undone.
# What apt-get finds to be in order already (a virtual package, one on hold) is no change, in contrast to Ansible.
#
# arg name words, or package pkg
# arg state text, one of absent build-dep fixed latest present
# arg update_cache bool, or update-cache
# arg cache_valid_time int
# arg update_cache_retries int
# arg update_cache_retry_max_delay int
# arg install_recommends bool, or install-recommends
# arg upgrade text, one of dist full no safe yes
# arg purge bool
# arg autoremove bool
# arg autoclean bool
# arg fail_on_autoremove bool
# arg clean bool
# arg deb path
# arg default_release text, or default-release
# arg dpkg_options text
# arg force bool
# arg only_upgrade bool
# arg force_apt_get bool
# arg policy_rc_d int
# arg allow_unauthenticated bool, or allow-unauthenticated
# arg allow_downgrade bool, or allow-downgrade allow_downgrades allow-downgrades
# arg allow_change_held_packages bool
# arg lock_timeout int
# returns cache_update_time cache_updated msg stderr stdout

# a_name holds the packages, quoted.
module_apt() {
    export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
    : "${a_state:=present}" "${a_upgrade:=no}" "${a_lock_timeout:=60}"
    eval "set -- ${a_name-}"
    for _package; do
        shift
        _package=$(rh_apt_trim "$_package")
        case $_package in
        '') ;;
        '*') [ "$a_state" != latest ] || a_upgrade=yes ;;
        *=*=*) fail "invalid package spec: $_package" ;;
        *) set -- "$@" "$_package" ;;
        esac
    done
    if yes "${a_clean-}" && ! checking; then must apt-get -q clean; fi
    _work=
    [ -z "${a_deb-}$*" ] && [ "$a_upgrade" = no ] || _work=yes
    rh_apt_refresh
    if [ -n "$_refreshing" ] && [ -z "$_work" ]; then return; fi
    if [ "$a_upgrade" != no ]; then
        rh_apt_upgrade
    elif [ -n "${a_deb-}" ]; then
        [ "$a_state" = present ] || fail 'deb only supports state=present'
        rh_apt_debs
    elif [ $# -gt 0 ]; then
        rh_apt_packages "$@"
    elif yes "${a_autoclean-}"; then
        rh_apt_clean autoclean 'Del '
    elif yes "${a_autoremove-}"; then
        rh_apt_clean autoremove 'The following packages will be REMOVED'
    fi
}
rh_apt_trim() {
    case $1 in
    *[[:space:]]*) echo "$1" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//' ;;
    *) printf %s "$1" ;;
    esac
}

# --- the lists ---

rh_apt_stamp() {
    stat -c %Y /var/lib/apt/periodic/update-success-stamp 2>/dev/null || stat -c %Y /var/lib/apt/lists 2>/dev/null || echo 0
}
rh_apt_refresh() {
    _refreshing='' _updated=''
    _stamp=$(rh_apt_stamp)
    if yes "${a_update_cache-}" || [ "${a_cache_valid_time:-0}" -gt 0 ]; then
        _refreshing=yes
        if [ $((_stamp + ${a_cache_valid_time:-0})) -lt "$(date +%s)" ]; then rh_apt_update; fi
        [ -n "$_work" ] || [ -z "$_updated" ] || changed # with nothing else to do, newer lists are the change
    fi
    [ "$a_state:$a_upgrade${a_deb-}" = "absent:no" ] && [ -z "$_refreshing" ] && return
    [ "$a_upgrade" = no ] || return 0
    put_bool cache_updated "$_updated"
    put_int cache_update_time "$_stamp"
}
rh_apt_update() {
    _updated=1
    checking && return
    _tries=${a_update_cache_retries:-5} _pause=1
    # Old releases of apt do not know the error mode; what matters is that the lists were read.
    until rh_apt_wait apt-get -q update -o APT::Update::Error-Mode=any; do
        rh_apt_locked && fail "Failed to lock apt for exclusive operation: $(grep '^E:' "$T/said")"
        _tries=$((_tries - 1))
        [ "$_tries" -gt 0 ] || fail "Failed to update apt cache: $(cat "$T/stdout" "$T/said" | grep -E '^(E|W|Err)' | tail -n 20)"
        sleep "$_pause"
        _pause=$((_pause * 2))
        [ "$_pause" -le "${a_update_cache_retry_max_delay:-12}" ] || _pause=${a_update_cache_retry_max_delay:-12}
    done
    _before=$_stamp
    _stamp=$(rh_apt_stamp)
    [ "$_stamp" != "$_before" ] || _updated=''
    touch /var/lib/apt/lists # apt leaves the time as it is when nothing was new: cache_valid_time would never count
}

# --- apt-get ---

rh_apt_locked() { grep -q 'Could not get lock\|Unable to acquire the dpkg frontend lock\|Unable to lock' "$T/said"; }
# Another apt may hold the lock, for example on a machine's first boot: asks again until the time is over.
rh_apt_wait() {
    _until=$(($(date +%s) + a_lock_timeout))
    until run "$@" >"$T/stdout" 2>"$T/said"; do
        rh_apt_locked && [ "$(date +%s)" -lt "$_until" ] || return 1
        _waited=1
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
    if yes "${a_autoremove-}" && [ "$_command" != autoremove ]; then set -- "$@" --auto-remove; fi
    if yes "${a_purge-}"; then set -- "$@" --purge; fi
    if yes "${a_only_upgrade-}"; then set -- "$@" --only-upgrade; fi
    if yes "${a_fail_on_autoremove-}"; then set -- "$@" --no-remove; fi
    if yes "${a_allow_unauthenticated-}" || yes "${a_force-}"; then set -- "$@" --allow-unauthenticated; fi
    if yes "${a_allow_downgrade-}" || yes "${a_force-}"; then set -- "$@" --allow-downgrades; fi
    if yes "${a_allow_change_held_packages-}" || yes "${a_force-}"; then set -- "$@" --allow-change-held-packages; fi
    if yes "${a_force-}"; then set -- "$@" --allow-remove-essential; fi
    if checking; then set -- "$@" -s; fi
    _waited=''
    rh_apt_policy on
    rh_apt_wait apt-get "$@"
    _status=$?
    rh_apt_policy off
    rh_apt_report "$_command" "$_status"
}
# What apt-get said. Its end tells more than its beginning.
rh_apt_report() { # command status
    if [ "$2" != 0 ]; then rh_apt_missing; fi
    put stdout "$(tail -c 262144 "$T/stdout")"
    put stderr "$(tail -c 65536 "$T/said")"
    if [ "$2" != 0 ]; then
        put_int rc "$2"
        rh_apt_locked && fail "Failed to lock apt for exclusive operation, waited $a_lock_timeout s: $(grep '^E:' "$T/said")"
        fail "'apt-get $1' failed: $(cat "$T/said")"
    fi
    if [ -n "$_waited" ] || grep -q '^Waiting for cache lock' "$T/stdout"; then put msg 'waited for another apt to end'; fi
    [ -z "$RH_DIFF" ] || put diff "$(sed -n '/^Reading state information/,/^[0-9]* upgraded/{/^Reading state/!p}' "$T/stdout")"
    case $(grep -E '^[0-9]+ upgraded, ' "$T/stdout") in
    '0 upgraded, 0 newly installed, 0 to remove'* | '0 upgraded, 0 newly installed, 0 downgraded, 0 to remove'*) ;;
    *) changed ;;
    esac
}
# The commonest failures, in the words that playbooks know.
rh_apt_missing() {
    _name=$(sed -n "s/^E: Unable to locate package //p; s/^E: Couldn't find any package by .*'\(.*\)'$/\1/p" "$T/said" | head -n 1)
    [ -z "$_name" ] || fail "No package matching '$_name' is available"
    _name=$(sed -n "s/^E: Package '\(.*\)' has no installation candidate/\1/p; s/^E: Version '\(.*\)' for '\(.*\)' was not found/\2=\1/p" "$T/said" |
        head -n 1)
    [ -z "$_name" ] || fail "no available installation candidate for $_name"
}
# policy-rc.d keeps services from being started while packages are installed; one that is there comes back.
rh_apt_policy() {
    [ -n "${a_policy_rc_d-}" ] && ! checking || return 0
    _rc=/usr/sbin/policy-rc.d
    if [ "$1" = on ]; then
        [ ! -e "$_rc" ] || must mv -f -- "$_rc" "$_rc.rehost"
        printf '#!/bin/sh\nexit %s\n' "$a_policy_rc_d" >"$_rc" && chmod 0755 "$_rc"
    elif [ -e "$_rc.rehost" ]; then
        mv -f -- "$_rc.rehost" "$_rc"
    else
        rm -f -- "$_rc"
    fi
}
rh_apt_upgrade() {
    case $a_upgrade in
    dist | full) rh_apt dist-upgrade ;;
    *) rh_apt upgrade --with-new-pkgs ;;
    esac
    put msg "$(tail -c 65536 "$T/stdout")"
}
rh_apt_clean() { # command, what it says when it changes something
    rh_apt "$1"
    r_changed=''
    ! grep -qF "$2" "$T/stdout" || changed
}

# --- packages ---

rh_apt_packages() {
    case $a_state in
    absent)
        rh_apt_installed "$@"
        eval "set -- $_there"
        [ $# = 0 ] || rh_apt remove "$@"
        return
        ;;
    build-dep) rh_apt build-dep "$@"; return ;;
    fixed) set -- --fix-broken "$@" ;;
    esac
    rh_apt_wanted "$@"
    eval "set -- $_wanted"
    [ $# = 0 ] || rh_apt install "$@"
    checking || rh_apt_manual
}
# What dpkg knows of these packages, as lines "NAME STATUS VERSION", with and without the architecture. dpkg takes globs itself.
rh_apt_look() {
    for _package; do
        shift
        set -- "$@" "$(rh_apt_name "$_package")"
    done
    _list="$RH_NL$(dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n${Package}:${Architecture} ${db:Status-Status} ${Version}\n' \
        "$@" 2>/dev/null)$RH_NL"
}
rh_apt_name() { echo "${1%%[>=]*}"; }
# Sets _wanted to what apt-get must be asked for, quoted, and _names to the packages that somebody asked for by name.
rh_apt_wanted() {
    _wanted='' _names=' '
    for _package; do
        shift
        case $_package in
        --*) _wanted="$_wanted $_package" ;;
        *=*) set -- "$@" "$_package" ;;
        *[][*?!]*) rh_apt_glob "$_package"; set -- "$@" $_globbed ;;
        *) set -- "$@" "$_package" ;;
        esac
    done
    rh_apt_look "$@"
    for _package; do
        _name=${_package%%[>=]*} _want=''
        case $_package in *=*) _want=${_package#*=} ;; esac
        _names="$_names$_name "
        case $_list in
        *"$RH_NL$_name installed "*)
            _version=${_list#*"$RH_NL$_name installed "}
            _version=${_version%%"$RH_NL"*}
            rh_apt_satisfied && continue
            ;;
        *) ! yes "${a_only_upgrade-}" || continue ;;
        esac
        case $_package in *'>='*) _package=$_name ;; esac
        _wanted="$_wanted '$_package'"
    done
    [ "$_wanted" != ' --fix-broken' ] || _wanted=''
}
# Whether version _version of _package, which is installed, is good enough.
rh_apt_satisfied() {
    [ "$a_state" != latest ] || return 1
    case $_package in
    *'>='*) dpkg --compare-versions "$_version" ge "$_want" ;;
    *=*)
        case $_version in $_want) ;; *) return 1 ;; esac
        case $_want in
        *[*?]*) rh_apt_newest || return 1 ;;
        esac
        ;;
    esac
}
# With a glob for the version, a newer one that fits it is taken.
rh_apt_newest() {
    _candidate=$(run apt-cache policy "$_name" 2>/dev/null | sed -n 's/^  Candidate: //p')
    [ "$_candidate" != "$_version" ] || return 0
    case $_candidate in $_want) return 1 ;; esac
}
rh_apt_glob() {
    _globbed=$(run apt-cache pkgnames 2>/dev/null | while read -r _name; do
        case $_name in $1) echo "$_name" ;; esac
    done)
    [ -n "$_globbed" ] || fail "No package(s) matching '$1' available"
}
# Sets _there to those that are installed (or, to be purged, have left something behind), quoted.
rh_apt_installed() {
    rh_apt_look "$@"
    _there=''
    for _package; do
        _name=$(rh_apt_name "$_package") _want='*'
        case $_package in *=*) _want=${_package#*=} ;; esac
        while read -r _found _status _version; do
            case $_found in $_name) ;; *) continue ;; esac
            case $_version in $_want) ;; *) continue ;; esac
            case $_status:${a_purge-} in
            not-installed:*) continue ;;
            config-files:yes | installed:*) ;;
            config-files:*) continue ;;
            esac
            case $_there in *" '$_found'"*) ;; *) _there="$_there '$_found'" ;; esac
        done <<LIST
$_list
LIST
    done
}
# What is asked for by name is not removed as a leftover of something else.
rh_apt_manual() {
    [ -e /var/lib/apt/extended_states ] || return 0
    _auto=$(awk -v names="$_names" '$1 == "Package:" { p = $2 } $1 == "Auto-Installed:" && $2 == 1 && index(names, " " p " ") { print p }' \
        /var/lib/apt/extended_states)
    [ -z "$_auto" ] || must apt-mark manual $_auto
}

# --- package files ---

rh_apt_debs() {
    set --
    for _deb in $(echo "$a_deb" | tr , ' '); do
        case $_deb in
        *://*)
            run curl -fsSL --retry 3 -o "$T/package$#.deb" -- "$_deb" 2>"$T/said" || fail "cannot fetch '$_deb': $(cat "$T/said")"
            _deb=$T/package$#.deb
            ;;
        /*) ;;
        *) _deb=./$_deb ;;
        esac
        [ -f "$_deb" ] || fail "Unable to install package: no such file: '$_deb'"
        rh_apt_deb_there "$_deb" || set -- "$@" "$_deb"
    done
    [ $# = 0 ] || rh_apt install "$@"
}
rh_apt_deb_there() {
    _is=$(dpkg-deb -W --showformat '${Package}:${Architecture} ${Version}' "$1" 2>"$T/said") ||
        fail "Unable to install package: $(cat "$T/said")"
    [ "$(dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}' "${_is%%:*}" 2>/dev/null)" = "$_is installed" ]
}
