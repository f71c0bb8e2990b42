# getent (ansible.builtin): entries of passwd, group, hosts and the like.
# Facts as in Ansible: `ansible_facts.getent_DATABASE` (and `getent_DATABASE`), a map of lists of fields.
#
# arg database text, required
# arg key text
# arg service text
# arg split text
# arg fail_key bool
# returns ansible_facts.getent_passwd ansible_facts.getent_group ansible_facts.getent_shadow ansible_facts.getent_hosts ansible_facts.getent_services msg
# needs json
module_getent() {
    run getent ${a_service:+-s "$a_service"} -- "$a_database" ${a_key:+"$a_key"} >"$T/list" 2>"$T/said" || rh_getent_failed $?
    case ${a_split:+given}$a_database in passwd | shadow | group | gshadow) a_split=: ;; esac
    # What stands there more than once is a list of lists.
    put_json "ansible_facts.getent_$a_database" "$(printf '%s\0' "$T/list" "${a_split-}" "${r_missing-}" | perl -e "$rh_json"'
        local $/; my ($list, $split, $missing) = split /\0/, <STDIN>, -1; my (%of, %seen); $of{$missing} = "null" if $missing ne "";
        open my $in, "<:raw", $list or die; my $all = <$in>; $all = "" unless defined $all;
        for my $line (split /\n/, $all) { my ($key, @f) = $split ne "" ? split(/\Q$split\E/, $line, -1) : split(" ", $line);
            $key = "" unless defined $key; push @{$seen{$key}}, "[" . join(",", map { text($_) } @f) . "]" }
        for (keys %seen) { $of{$_} = @{$seen{$_}} > 1 ? "[" . join(",", @{$seen{$_}}) . "]" : $seen{$_}[0] }
        print map_of(\%of)')"
}
rh_getent_failed() { # exit status
    case $1 in
    1) fail 'Missing arguments, or database unknown.' ;;
    2)
        [ "${a_fail_key-}" = no ] || fail 'One or more supplied key could not be found in the database.'
        put msg 'One or more supplied key could not be found in the database.'
        r_missing=$a_key
        : >"$T/list"
        ;;
    3) fail 'Enumeration not supported on this database.' ;;
    *) fail "$(cat "$T/said")" ;;
    esac
}
