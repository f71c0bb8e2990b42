# reboot (ansible.builtin): restarts the machine and waits until it is back.
# The control side opens a new connection, and goes on when the machine has started anew and `test_command` succeeds. `msg` and
# `search_paths` have no effect.
#
# arg reboot_timeout int
# arg pre_reboot_delay int
# arg post_reboot_delay int
# arg connect_timeout int
# arg test_command text
# arg reboot_command text
# arg msg text
# arg search_paths any
# returns rebooted elapsed

# Twice: to start it, and, with a_back, to tell whether this is another start of the machine (of a container too).
module_reboot() {
    put start "$(cat /proc/sys/kernel/random/boot_id) $(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)"
    if [ -n "${a_back-}" ]; then
        run sh -c "$a_test_command" >"$T/said" 2>&1 || fail "$(tail -c 4000 "$T/said")"
        return
    fi
    changed
    put_bool rebooted 1
    put_int elapsed 0
    checking && return
    [ "$RH_UID" = 0 ] || fail 'a reboot needs root (become)'
    # The answer is on its way before the machine goes down.
    setsid sh -c 'sleep "$1"; eval "$2"' sh "$((1 + ${a_pre_reboot_delay:-0}))" "${a_reboot_command:-systemctl reboot || reboot}" \
        >/dev/null 2>&1 3>&- &
}
