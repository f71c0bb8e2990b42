# ufw (community.general): the firewall.
# Needs ufw on the host. One rule and the defaults, logging and state of the firewall in one task, as in Ansible.
#
# arg state text, one of enabled disabled reloaded reset
# arg default text, or policy, one of allow deny reject
# arg logging text, one of full high low medium off on
# arg direction text, one of in incoming out outgoing routed
# arg delete bool
# arg route bool
# arg insert int
# arg rule text, one of allow deny limit reject
# arg interface text, or if
# arg interface_in text, or if_in
# arg interface_out text, or if_out
# arg log bool
# arg from_ip text, or from src
# arg from_port text
# arg to_ip text, or dest to
# arg to_port text, or port
# arg proto text, or protocol, one of ah any esp ipv6 tcp udp gre igmp
# arg name text, or app
# arg comment text

# Rules are added by ufw itself, which knows whether one is there already.
module_ufw() {
    command -v ufw >/dev/null || fail 'Failed to find required executable "ufw" in paths'
    _before=$(rh_ufw_state)
    [ -z "${a_default-}" ] || ! rh_ufw_default_differs "$a_default" "${a_direction:-incoming}" || rh_ufw default "$a_default" ${a_direction:+"$a_direction"}
    [ -z "${a_logging-}" ] || rh_ufw logging "$a_logging"
    [ -z "${a_rule-}" ] || rh_ufw_rule
    case ${a_state-} in
    enabled) [ "$(rh_ufw_enabled)" = yes ] || { changed; checking || rh_ufw -f enable; } ;;
    disabled) [ "$(rh_ufw_enabled)" = no ] || { changed; checking || rh_ufw -f disable; } ;;
    reloaded) changed; checking || rh_ufw -f reload ;;
    reset) changed; checking || rh_ufw -f reset ;;
    esac
    [ "$(rh_ufw_state)" = "$_before" ] || changed
}
# Everything that ufw keeps: rules, default policies, log level, on or off. Comments are part of a rule.
rh_ufw_state() {
    grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null
    grep -h '^DEFAULT_' /etc/default/ufw
    grep -h '^LOGLEVEL\|^ENABLED' /etc/ufw/ufw.conf
}
rh_ufw_enabled() {
    if grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf && iptables -n -L ufw-user-input >/dev/null 2>&1; then echo yes; else echo no; fi
}
# In check mode only rules are tried out; the rest is compared with the files.
rh_ufw() {
    if checking; then
        case $1 in
        default) changed ;;
        logging) grep -qix "LOGLEVEL=$2" /etc/ufw/ufw.conf || { [ "$2" = on ] && ! grep -qi '^LOGLEVEL=off' /etc/ufw/ufw.conf; } || changed ;;
        esac
        return 0
    fi
    must ufw "$@"
}
rh_ufw_default_differs() { # policy direction
    case $2 in incoming) _key=INPUT ;; outgoing) _key=OUTPUT ;; *) _key=FORWARD ;; esac
    case $1 in allow) _word=ACCEPT ;; deny) _word=DROP ;; *) _word=REJECT ;; esac
    ! grep -q "^DEFAULT_${_key}_POLICY=\"$_word\"" /etc/default/ufw
}
# A plain rule that is there already, in the form in which ufw keeps it. ufw itself, a Python program, takes much longer to say so.
rh_ufw_known() {
    [ -z "${a_delete-}${a_insert-}${a_route-}${a_interface-}${a_interface_in-}${a_interface_out-}${a_log-}${a_name-}${a_comment-}" ] &&
        [ "${a_from_ip:-any} ${a_to_ip:-any} ${a_direction:-in}" = 'any any in' ] || return 1
    _rule="### tuple ### $a_rule ${a_proto:-any} ${a_to_port:-any}"
    grep -qxF "$_rule 0.0.0.0/0 ${a_from_port:-any} 0.0.0.0/0 in" /etc/ufw/user.rules 2>/dev/null || return 1
    ! grep -qi '^IPV6=yes' /etc/default/ufw || grep -qxF "$_rule ::/0 ${a_from_port:-any} ::/0 in" /etc/ufw/user6.rules 2>/dev/null
}
rh_ufw_rule() {
    rh_ufw_known && return
    set --
    if yes "${a_route-}"; then set -- route; fi
    if yes "${a_delete-}"; then set -- "$@" delete
    elif [ -n "${a_insert-}" ]; then set -- "$@" insert "$a_insert"
    fi
    set -- "$@" "$a_rule"
    [ -z "${a_direction-}" ] || set -- "$@" "$a_direction"
    [ -z "${a_interface-}" ] || set -- "$@" on "$a_interface"
    [ -z "${a_interface_in-}" ] || set -- "$@" in on "$a_interface_in"
    [ -z "${a_interface_out-}" ] || set -- "$@" out on "$a_interface_out"
    if yes "${a_log-}"; then set -- "$@" log; fi
    set -- "$@" from "${a_from_ip:-any}"
    [ -z "${a_from_port-}" ] || set -- "$@" port "$a_from_port"
    set -- "$@" to "${a_to_ip:-any}"
    [ -z "${a_to_port-}" ] || set -- "$@" port "$a_to_port"
    [ -z "${a_proto-}" ] || set -- "$@" proto "$a_proto"
    [ -z "${a_name-}" ] || set -- "$@" app "$a_name"
    [ -z "${a_comment-}" ] || set -- "$@" comment "$a_comment"
    if checking; then
        run ufw --dry-run "$@" >"$T/dry" 2>"$T/said" || fail "$(cat "$T/said" "$T/dry")"
        grep -qv '^Skipping\|^Could not delete non-existent' "$T/dry" && changed
        return 0
    fi
    run ufw "$@" >"$T/said" 2>&1 && return
    if yes "${a_delete-}" && grep -q 'non-existent' "$T/said"; then return; fi
    fail "$(cat "$T/said")"
}
