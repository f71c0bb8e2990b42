# timezone (community.general): /etc/localtime and /etc/timezone.
# `name` is one of `/usr/share/zoneinfo`.
#
# arg name text, required
module_timezone() {
    [ -f "/usr/share/zoneinfo/$a_name" ] || fail "there is no time zone '$a_name'"
    _file=
    [ ! -r /etc/timezone ] || read -r _file </etc/timezone || :
    case $(readlink -f /etc/localtime) in
    "$(readlink -f "/usr/share/zoneinfo/$a_name")") [ -e /etc/timezone ] && [ "$_file" != "$a_name" ] || return 0 ;;
    esac
    changed
    checking && return
    if [ -d /run/systemd/system ] && run timedatectl set-timezone "$a_name" >"$T/said" 2>&1; then :
    else must ln -sfn "/usr/share/zoneinfo/$a_name" /etc/localtime
    fi
    [ ! -e /etc/timezone ] || printf '%s\n' "$a_name" >/etc/timezone
}
