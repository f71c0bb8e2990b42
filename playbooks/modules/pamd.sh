# pamd (community.general): rules of a PAM service.
# Rules are found by type, control and module. Unlike Ansible's, it leaves no line with the time in the file, and comments beside a new rule stay.
#
# arg name text, required
# arg type text, required, one of account -account auth -auth password -password session -session
# arg control text, required
# arg module_path text, required
# arg new_type text, one of account -account auth -auth password -password session -session
# arg new_control text
# arg new_module_path text
# arg module_arguments words
# arg state text, one of absent after args_absent args_present before updated
# arg path path
# arg backup bool
# returns backupdest change_count
module_pamd() {
    : "${a_path:=/etc/pam.d}" "${a_state:=updated}"
    _file=${a_path%/}/$a_name
    [ -r "$_file" ] || fail "Unable to open/read PAM module file $_file"
    case $a_state in
    before | after)
        [ -n "${a_new_type-}" ] && [ -n "${a_new_control-}" ] && [ -n "${a_new_module_path-}" ] ||
            fail "state is $a_state but not all of the following are present: new_control, new_type, new_module_path"
        ;;
    args_*) [ -n "${a_module_arguments+set}" ] || fail "state is $a_state but all of the following are missing: module_arguments" ;;
    esac
    eval "set -- ${a_module_arguments-}"
    _count=$(printf '%s\0' "$_file" "$T/new" "$a_state" "$a_type" "$a_control" "$a_module_path" "${a_new_type-}" "${a_new_control-}" \
        "${a_new_module_path-}" "${a_module_arguments+1}" "$@" | perl -e "$rh_pamd" 2>"$T/said") || fail "$(cat "$T/said")"
    put_int change_count "$_count"
    put backupdest ''
    [ "$_count" != 0 ] || return 0
    changed
    show_diff "$_file" "$_file" "$T/new"
    r_backup_key=backupdest
    checking || place_file "$T/new" "$(readlink -f -- "$_file")"
}
rh_pamd='
    local $/; my ($old, $new, $state, $type, $control, $path, $to_type, $to_control, $to_path, $has_args, @args) = split /\0/, <STDIN>, -1; pop @args;
    sub args { map { /(\[.*\]|\S+)/g } @_ } @args = args(@args);
    my $key = join " ", $type, $control, $path; my $to = join " ", $to_type, $to_control, $to_path;
    open my $in, "<:raw", $old or die "$old: $!\n"; my $all = <$in>; my @lines;
    for (split /\n/, $all) {
        if (/^\s*(#|\@include|$)/ || !/(-?(?:auth|account|session|password))\s+(\[.*\]|\S*)\s+(\S*)\s*(.*?)\s*$/) { push @lines, {text => $_, inert => $1 ne "\@include"}; next }
        my ($t, $c, $p, $a) = ($1, $2, $3, $4); $c =~ s/ = /=/g if $c =~ /^\[/; push @lines, {rule => [$t, $c, $p], args => [args($a)]} }
    sub is { my $l = shift; $l && $l->{rule} && "@{$l->{rule}}" eq $_[0] }
    sub beside { my ($i, $step) = @_; do { $i += $step } while $i >= 0 && $i < @lines && $lines[$i]{inert}; $i >= 0 ? $lines[$i] : undef }
    my $count = 0;
    for (my $i = 0; $i < @lines; $i++) { my $l = $lines[$i]; next unless is($l, $key);
        if ($state eq "absent") { splice @lines, $i--, 1; $count++; next }
        if ($state eq "before" || $state eq "after") { my $after = $state eq "after"; next if is(beside($i, $after ? 1 : -1), $to);
            splice @lines, $i + $after, 0, {rule => [$to_type, $to_control, $to_path], args => [@args]}; $i++; $count++; next }
        my $was = join "\0", @{$l->{rule}}, @{$l->{args}};
        if ($state eq "args_absent") { my %no = map { $_ => 1 } @args; $l->{args} = [grep { !$no{$_} } @{$l->{args}}] }
        elsif ($state eq "args_present") {
            for my $a (@args) { die "Unable to process bracketed \x27[\x27 complex arguments with \x27args_present\x27. Please use \x27updated\x27.\n" if $a =~ /^\[/;
                my ($k) = $a =~ /^(.*?=)/; my ($at) = grep { defined $k ? index($_, $k) == 0 : $_ eq $a } @{$l->{args}};
                if (defined $at) { $_ eq $at and $_ = $a for @{$l->{args}} } else { push @{$l->{args}}, $a } } }
        else { my @n = ($to_type, $to_control, $to_path); for (0 .. 2) { $l->{rule}[$_] = $n[$_] if $n[$_] ne "" } $l->{args} = [@args] if $has_args }
        $count++ if $was ne join "\0", @{$l->{rule}}, @{$l->{args}} }
    my %simple = map { $_ => 1 } qw(required requisite sufficient optional include substack definitive);
    for (grep { $_->{rule} } @lines) { my ($t, $c, $p) = @{$_->{rule}};
        die "Rule control, $c, is not valid in rule $t $c $p\n" unless $simple{$c} || $c =~ /^\[(?:\w+=(?:ignore|bad|die|ok|done|reset|\d+)\s*)+\]$/ }
    open my $out, ">:raw", $new or die "$new: $!\n";
    print $out $_->{rule} ? sprintf("%-11s%s", $_->{rule}[0], join " ", @{$_->{rule}}[1, 2], @{$_->{args}}) : $_->{text}, "\n" for @lines;
    close $out or die "$new: $!\n"; print $count;
'
