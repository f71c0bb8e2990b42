# hostname (ansible.builtin): the machine's name, now and after a reboot.
# `use` has no effect.
#
# arg name text, required
# arg use text, one of debian systemd
# returns name
module_hostname() {
    put name "$a_name"
    _now=$(uname -n)
    _file=
    [ ! -r /etc/hostname ] || read -r _file </etc/hostname || :
    if [ "$_now" = "$a_name" ] && [ "$_file" = "$a_name" ]; then return; fi
    changed
    checking && return
    if [ -d /run/systemd/system ]; then must hostnamectl set-hostname "$a_name"; must hostnamectl --pretty set-hostname "$a_name"
    else must hostname "$a_name"
    fi
    printf '%s\n' "$a_name" >/etc/hostname
}
