# service_facts (ansible.builtin): the services, as facts.
# `ansible_facts.services` holds, by name (`ssh.service`), `name`, `state`, `status` and `source` (systemd, or sysv for what
# /etc/init.d holds).
#
# returns ansible_facts.services
# needs json
module_service_facts() {
    { service --status-all | sed 's/^/sysv /'; } >"$T/list" 2>/dev/null 3>&-
    if grep -q systemd /proc/1/comm; then
        run systemctl list-units --no-pager --no-legend --plain --type service --all 2>/dev/null | sed 's/^/unit /' >>"$T/list"
        run systemctl list-unit-files --no-pager --no-legend --type service --all 2>/dev/null | sed 's/^/file /' >>"$T/list"
        # Templates and units that are not loaded: what systemd says of each, asked once for all.
        set -- $(awk '$1 == "unit" { seen[$2] = 1 } $1 == "file" && !seen[$2] && $2 !~ /@\./ { print $2 }' "$T/list")
        [ $# = 0 ] || run systemctl show --property=Names,Id,ActiveState "$@" 2>/dev/null |
            sed -n 's/^Id=/id /p; s/^Names=/names /p; s/^ActiveState=/active /p; s/^$/end/p' >>"$T/list"
        echo end >>"$T/list"
    fi
    put_json ansible_facts.services "$(perl -e "$rh_json"'
        my (%all, %active, %now);
        my @bad = qw(not-found masked failed);
        while (<STDIN>) {
            chomp; my ($kind, @field) = split;
            if ($kind eq "sysv") {
                my ($state, $name) = /\[ ([-+?]) \]\s+(.+)$/ or next; next if $state eq "?";
                $all{$name} = {name => $name, state => $state eq "+" ? "running" : "stopped", source => "sysv"};
            } elsif ($kind eq "unit") {
                my ($status) = grep { my $b = $_; grep { $_ eq $b } @field[1 .. 3] } @bad;
                $all{$field[0]} = {name => $field[0], state => $field[3] eq "running" ? "running" : "stopped",
                    status => defined $status ? $status : $field[2], source => "systemd"};
            } elsif ($kind eq "file") {
                my $known = $all{$field[0]};
                if (!$known) { $all{$field[0]} = {name => $field[0], state => undef, status => $field[1], source => "systemd"} }
                elsif (!grep { $_ eq $known->{status} } @bad) { $known->{status} = $field[1] }
            } elsif ($kind eq "end") {
                $active{$_} = $now{active} for @{$now{names} || []}, $now{id} || (); %now = ();
            } elsif ($kind eq "names") { $now{names} = [@field]
            } else { $now{$kind} = $field[0] }
        }
        for my $s (values %all) { $s->{state} = $active{$s->{name}} || ($s->{name} =~ /@\./ ? "unknown" : "inactive") unless defined $s->{state} }
        print map_of({map { my $s = $all{$_}; $_ => map_of({map { $_ => text($s->{$_}) } keys %$s}) } keys %all});' <"$T/list")"
}
