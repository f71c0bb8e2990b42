# user (ansible.builtin): an account of the system.
# `password` is a hash (filter `password_hash`); `expires` is seconds since the epoch, negative for never. Always the host's own accounts: with
# `local`, what a directory service knows is not looked at. `hidden`, `login_class`, `profile`, `authorization` and `role`, which other systems have, have no effect.
#
# arg name text, required, or user
# arg state text, one of absent present
# arg uid int
# arg group text
# arg groups commas
# arg append bool
# arg comment text
# arg home path
# arg move_home bool
# arg create_home bool, or createhome
# arg skeleton text
# arg umask text
# arg shell text
# arg password text
# arg password_lock bool
# arg update_password text, one of always on_create
# arg system bool
# arg non_unique bool
# arg expires text
# arg password_expire_min int
# arg password_expire_max int
# arg local bool
# arg force bool
# arg remove bool
# arg generate_ssh_key bool
# arg ssh_key_type text
# arg ssh_key_bits int
# arg ssh_key_file path
# arg ssh_key_comment text
# arg hidden bool
# arg login_class text
# arg profile text
# arg authorization text
# arg role text
# returns append comment create_home force group groups home move_home name password remove shell ssh_fingerprint ssh_key_file ssh_public_key state system uid

# a_password is a hash; it reaches chpasswd on its standard input.
module_user() {
    put name "$a_name"
    put state "${a_state:=present}"
    _now=$(rh_user_entry passwd)
    if [ "$a_state" = absent ]; then
        [ -n "$_now" ] || return 0
        changed
        checking && return
        set --
        if yes "${a_force-}"; then set -- -f; fi
        if yes "${a_remove-}"; then set -- "$@" -r; fi
        must userdel "$@" -- "$a_name"
        put_bool force "$(! yes "${a_force-}" || echo 1)"
        put_bool remove "$(! yes "${a_remove-}" || echo 1)"
        return
    fi
    if [ -z "$_now" ] && checking; then changed; return; fi
    if [ -n "${a_group-}" ] && ! getent group "$a_group" >/dev/null; then fail "Group $a_group does not exist"; fi
    if [ -n "$_now" ]; then rh_user_modify; else rh_user_add; fi
    if [ -n "$r_changed" ]; then _now=$(rh_user_entry passwd); fi
    rh_user_fields
    rh_user_home
    rh_user_expiry
    [ -z "${a_groups+set}" ] || put groups "$a_groups"
    if yes "${a_generate_ssh_key-}"; then rh_user_key; fi
    [ -z "${a_password+set}" ] || put password NOT_LOGGING_PASSWORD
    put_int uid "$_uid"
    put_int group "$_gid"
    put comment "$_comment"
    put home "$_home"
    put shell "$_shell"
}
rh_user_entry() { # database
    if yes "${a_local-}"; then grep "^$a_name:" "/etc/$1"; else getent "$1" "$a_name"; fi
}
rh_user_fields() {
    IFS=: read -r _ _ _uid _gid _comment _home _shell <<E
$_now
E
}
rh_user_expires() { # days since the epoch, or nothing for never
    case $a_expires in -*) echo ;; *) echo $((${a_expires%.*} / 86400)) ;; esac
}
rh_user_add() {
    changed
    set --
    [ -z "${a_uid-}" ] || set -- "$@" -u "$a_uid"
    if yes "${a_non_unique-}"; then set -- "$@" -o; fi
    if [ -n "${a_group-}" ]; then set -- "$@" -g "$a_group"
    elif getent group "$a_name" >/dev/null; then set -- "$@" -N -g "$a_name"
    fi
    [ -z "${a_groups-}" ] || set -- "$@" -G "$a_groups"
    [ -z "${a_comment-}" ] || set -- "$@" -c "$a_comment"
    [ -z "${a_home-}" ] || set -- "$@" -d "$a_home"
    [ -z "${a_shell-}" ] || set -- "$@" -s "$a_shell"
    [ -z "${a_expires-}" ] || set -- "$@" -e "$(date -u -d "@$(($(rh_user_expires) * 86400))" +%F)"
    if yes "${a_system-}"; then set -- "$@" -r; fi
    if [ "${a_create_home-}" = no ]; then
        set -- "$@" -M
    else
        set -- "$@" -m
        [ -z "${a_skeleton-}" ] || set -- "$@" -k "$a_skeleton"
        [ -z "${a_umask-}" ] || set -- "$@" -K "UMASK=$a_umask"
        [ -z "${a_home-}" ] || [ -d "$(dirname -- "$a_home")" ] || must mkdir -p -- "$(dirname -- "$a_home")"
    fi
    must useradd "$@" -- "$a_name"
    [ -z "${a_password-}" ] || rh_user_password
    put_bool system "$(! yes "${a_system-}" || echo 1)"
    put_bool create_home "$([ "${a_create_home-}" = no ] || echo 1)"
}
rh_user_modify() {
    rh_user_fields
    set --
    [ -z "${a_uid-}" ] || [ "$a_uid" = "$_uid" ] || set -- "$@" -u "$a_uid"
    if [ -n "${a_group-}" ]; then
        _want=$(getent group "$a_group" | cut -d: -f3)
        [ "$_want" = "$_gid" ] || set -- "$@" -g "$_want"
    fi
    if [ -n "${a_groups+set}" ]; then
        _has=$(rh_user_sort "$(awk -F: -v u="$a_name" '("," $4 ",") ~ ("," u ",") { printf "%s,", $1 }' /etc/group)")
        if yes "${a_append-}"; then _want=$(rh_user_sort "$_has,$a_groups"); else _want=$(rh_user_sort "$a_groups"); fi
        [ "$_has" = "$_want" ] || set -- "$@" -G "$_want"
    fi
    [ -z "${a_comment+set}" ] || [ "$a_comment" = "$_comment" ] || set -- "$@" -c "$a_comment"
    if [ -n "${a_home-}" ] && [ "$a_home" != "$_home" ]; then
        set -- "$@" -d "$a_home"
        if yes "${a_move_home-}"; then set -- "$@" -m; fi
    fi
    [ -z "${a_shell-}" ] || [ "$a_shell" = "$_shell" ] || set -- "$@" -s "$a_shell"
    if [ -n "${a_password-}${a_password_lock-}${a_expires-}" ]; then
        _shadow=$(rh_user_entry shadow)
        _hash=${_shadow#*:}
        _hash=${_hash%%:*}
        if [ -n "${a_expires-}" ] && [ "$(rh_user_expires)" != "$(echo "$_shadow" | cut -d: -f8)" ]; then
            _days=$(rh_user_expires)
            set -- "$@" -e "${_days:+$(date -u -d "@$((_days * 86400))" +%F)}"
        fi
        case "${a_password_lock-} $_hash" in
        'yes !'*) ;;
        'yes '*) set -- "$@" -L ;;
        'no !'*) set -- "$@" -U ;;
        esac
    fi
    put_bool append "$(! yes "${a_append-}" || echo 1)"
    put_bool move_home "$(! yes "${a_move_home-}" || echo 1)"
    if [ $# -gt 0 ]; then
        changed
        checking || must usermod "$@" -- "$a_name"
    fi
    if [ -n "${a_password-}" ] && [ "${a_update_password-}" != on_create ] && [ "${_hash#!}" != "${a_password#!}" ]; then
        changed
        checking || rh_user_password
    fi
}
rh_user_sort() { # comma list
    printf '%s\n' "$1" | tr , '\n' | sed '/^$/d' | sort -u | paste -sd, -
}
rh_user_password() {
    _locked=
    if yes "${a_password_lock-}"; then _locked='!'; fi
    printf '%s:%s\n' "$a_name" "$_locked$a_password" | run chpasswd -e 2>"$T/said" || fail "cannot set the password: $(cat "$T/said")"
}
# An account may have lost its home, or been made without one.
rh_user_home() {
    [ "${a_create_home-}" != no ] || return 0
    [ ! -e "$_home" ] || return 0
    changed
    checking && return
    must mkdir -p -- "$_home"
    cp -a "${a_skeleton:-/etc/skel}/." "$_home/"
    must chown -R "$_uid:$_gid" -- "$_home"
    _mask=$(awk '$1 == "HOME_MODE" { print $2 }' /etc/login.defs)
    must chmod "${_mask:-755}" -- "$_home"
}
# Days between which the password must be changed.
rh_user_expiry() {
    [ -n "${a_password_expire_min-}${a_password_expire_max-}" ] || return 0
    IFS=: read -r _ _ _ _min _max _ <<E
$(rh_user_entry shadow)
E
    set --
    [ "${a_password_expire_min:-$_min}" = "$_min" ] || set -- -m "$a_password_expire_min"
    [ "${a_password_expire_max:-$_max}" = "$_max" ] || set -- "$@" -M "$a_password_expire_max"
    [ $# -gt 0 ] || return 0
    changed
    checking || must chage "$@" -- "$a_name"
}
rh_user_key() {
    : "${a_ssh_key_type:=rsa}"
    case ${a_ssh_key_file:=.ssh/id_$a_ssh_key_type} in /*) ;; *) a_ssh_key_file=$_home/$a_ssh_key_file ;; esac
    put ssh_key_file "$a_ssh_key_file"
    if { [ ! -e "$a_ssh_key_file" ] && [ ! -e "$a_ssh_key_file.pub" ]; } || { [ -e "$a_ssh_key_file" ] && yes "${a_force-}"; }; then
        changed
        checking && return
        _dir=${a_ssh_key_file%/*}
        [ -d "$_dir" ] || must install -d -m 0700 -o "$_uid" -g "$_gid" -- "$_dir"
        rm -f -- "$a_ssh_key_file" "$a_ssh_key_file.pub"
        must ssh-keygen -q -t "$a_ssh_key_type" ${a_ssh_key_bits:+-b "$a_ssh_key_bits"} -N '' \
            -C "${a_ssh_key_comment:-ansible-generated on $(uname -n)}" -f "$a_ssh_key_file"
        must chown "$_uid:$_gid" -- "$a_ssh_key_file" "$a_ssh_key_file.pub"
    fi
    put ssh_fingerprint "$(run ssh-keygen -l -f "$a_ssh_key_file" 2>&1)"
    put ssh_public_key "$(cat -- "$a_ssh_key_file.pub" 2>/dev/null)"
}
