# systemd (ansible.builtin): the state of a unit, now and at boot.
#
# arg name text, or service unit
# arg state text, one of reloaded restarted started stopped
# arg enabled bool
# arg masked bool
# arg daemon_reload bool, or daemon-reload
# arg daemon_reexec bool, or daemon-reexec
# arg force bool
# arg no_block bool
# arg scope text, one of system user global
# returns enabled name state status.ActiveState status.LoadState status.SubState status.UnitFileState
module_systemd() {
    _systemctl=systemctl
    case ${a_scope:-system} in
    user) _systemctl="systemctl --user"; export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$RH_UID}" ;;
    global) _systemctl="systemctl --global" ;;
    esac
    if ! checking; then
        if yes "${a_daemon_reload-}"; then must $_systemctl daemon-reload; fi
        if yes "${a_daemon_reexec-}"; then must $_systemctl daemon-reexec; fi
    fi
    [ -n "${a_name-}" ] || return 0
    case $a_name in *[*?[]*) fail "This module does not currently support using glob patterns, found in service name: $a_name" ;; esac
    if yes "${a_no_block-}"; then _systemctl="$_systemctl --no-block"; fi
    put name "$a_name"
    rh_systemd_read
    [ -z "${a_masked-}" ] || rh_systemd_mask
    [ "$_load" != not-found ] || [ -z "${a_enabled-}${a_state-}" ] ||
        fail "Could not find the requested service $a_name: host"
    [ "$_load" != error ] && [ "$_load" != bad-setting ] || fail "Error loading unit file '$a_name': $_load_error"
    [ -z "${a_enabled-}" ] || rh_systemd_enable
    [ -z "${a_state-}" ] || rh_systemd_state
}
rh_systemd_read() {
    _load='' _load_error='' _active='' _sub='' _file=''
    run $_systemctl show -p LoadState,LoadError,ActiveState,SubState,UnitFileState -- "$a_name" >"$T/show" 2>"$T/said" ||
        fail "cannot read the state of '$a_name': $(cat "$T/said")"
    while IFS='=' read -r _key _value; do
        case $_key in
        LoadState) _load=$_value ;;
        LoadError) _load_error=$_value ;;
        ActiveState) _active=$_value ;;
        SubState) _sub=$_value ;;
        UnitFileState) _file=$_value ;;
        esac
    done <"$T/show"
    put status.LoadState "$_load"
    put status.ActiveState "$_active"
    put status.SubState "$_sub"
    put status.UnitFileState "$_file"
}
rh_systemd_mask() {
    case "$_file $a_masked" in
    'masked yes' | 'masked-runtime yes') ;;
    *' yes') changed; checking || must $_systemctl mask -- "$a_name" ;;
    'masked no' | 'masked-runtime no')
        changed
        if ! checking; then must $_systemctl unmask -- "$a_name"; rh_systemd_read; fi
        ;;
    esac
}
rh_systemd_enable() {
    case $_file in
    enabled | enabled-runtime | static | linked | linked-runtime) _enabled=yes ;;
    disabled | indirect | masked | masked-runtime) _enabled=no ;;
    *) if run $_systemctl is-enabled -q -- "$a_name" 2>/dev/null; then _enabled=yes; else _enabled=no; fi ;;
    esac
    put_bool enabled "$([ "$a_enabled" = no ] || echo 1)"
    [ "$_enabled" != "$a_enabled" ] || return 0
    changed
    checking && return
    if yes "$a_enabled"; then _verb=enable; else _verb=disable; fi
    if yes "${a_force-}"; then _force=--force; else _force=; fi
    run $_systemctl $_force "$_verb" -- "$a_name" >"$T/said" 2>&1 ||
        fail "Unable to $_verb service $a_name: $(cat "$T/said")"
}
rh_systemd_state() {
    _verb=
    case $_active in active | activating | reloading) _running=yes ;; *) _running=no ;; esac
    case "$a_state $_running" in
    'started no' | 'restarted no' | 'reloaded no') _verb=start ;;
    'restarted yes') _verb=restart ;;
    'reloaded yes') _verb=reload ;;
    'stopped yes') _verb=stop ;;
    'stopped no') [ "$_active" != deactivating ] || _verb=stop ;;
    esac
    case $a_state in stopped) put state stopped ;; *) put state started ;; esac
    [ -n "$_verb" ] || return 0
    changed
    checking && return
    run $_systemctl "$_verb" -- "$a_name" >"$T/said" 2>&1 && return
    fail "Unable to $_verb service $a_name: $(cat "$T/said")
$(run journalctl -q -n 10 --no-pager -o cat -u "$a_name" 2>/dev/null)"
}
