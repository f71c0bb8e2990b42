# pam_limits (community.general): one limit in /etc/security/limits.conf.
# A line with the same domain, type and item is changed in place; a new one goes to the end. A comment belongs to the task: that of an
# old line goes with it (Ansible hands it on to other lines).
#
# arg domain text, required
# arg limit_type text, required, one of hard soft -
# arg limit_item text, required, one of core data fsize memlock nofile rss stack cpu nproc as maxlogins maxsyslogins priority locks sigpending msgqueue nice rtprio chroot
# arg value text, required
# arg comment text
# arg dest path
# arg use_max bool
# arg use_min bool
# arg backup bool
# returns msg
module_pam_limits() {
    : "${a_dest:=/etc/security/limits.conf}"
    case $a_limit_item:$a_value in
    *:unlimited | *:infinity | *:-1) ;;
    nice:-[0-9]* | priority:-[0-9]*) ;;
    *:*[!0-9]* | *:) fail "Argument 'value' must be a number, 'unlimited', 'infinity' or '-1', not '$a_value'" ;;
    esac
    ! yes "${a_use_max-}" || ! yes "${a_use_min-}" || fail 'Cannot use use_min and use_max at the same time.'
    if [ -e "$a_dest" ]; then cat -- "$a_dest" >"$T/old"; else : >"$T/old"; fi
    A_DOMAIN=$a_domain A_TYPE=$a_limit_type A_ITEM=$a_limit_item A_VALUE=$a_value A_COMMENT=${a_comment-} \
        A_MAX=${a_use_max-} A_MIN=${a_use_min-} run awk "$rh_pam_limits" "$T/old" >"$T/new" || fail "cannot read '$a_dest'"
    ! cmp -s "$T/old" "$T/new" || return 0
    changed
    show_diff "$a_dest" "$T/old" "$T/new"
    put msg "$(printf '%s\t%s\t%s\t%s%s' "$a_domain" "$a_limit_type" "$a_limit_item" "$a_value" "${a_comment:+	#$a_comment}")$RH_NL"
    checking || place_file "$T/new" "$a_dest"
}
rh_pam_limits='
function endless(v) { return v == "unlimited" || v == "infinity" || v == "-1" }
function wins(new, old) {
    if (ENVIRON["A_MAX"] == "yes") return endless(old) ? 0 : endless(new) ? 1 : new + 0 > old + 0
    if (ENVIRON["A_MIN"] == "yes") return endless(new) ? 0 : endless(old) ? 1 : new + 0 < old + 0
    return new != old
}
function line(value) {
    return ENVIRON["A_DOMAIN"] "\t" ENVIRON["A_TYPE"] "\t" ENVIRON["A_ITEM"] "\t" value (ENVIRON["A_COMMENT"] == "" ? "" : "\t#" ENVIRON["A_COMMENT"])
}
{
    bare = $0; sub(/#.*/, "", bare)
    if (split(bare, f, /[ \t]+/) && f[1] == "") { for (i = 1; i < 6; i++) f[i] = f[i + 1] }
    if (f[1] == ENVIRON["A_DOMAIN"] && f[2] == ENVIRON["A_TYPE"] && f[3] == ENVIRON["A_ITEM"] && f[4] != "") {
        if (!found && wins(ENVIRON["A_VALUE"], f[4])) print line(ENVIRON["A_VALUE"])
        else if (!found) print
        found = 1
        next
    }
    print
}
END { if (!found) print line(ENVIRON["A_VALUE"]) }
'
