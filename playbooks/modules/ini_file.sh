# ini_file (community.general): one setting in an INI file.
# Needs nothing but perl-base. Lines keep their order and their comments; a commented line of the option is used for it.
#
# arg path path, required, or dest
# arg section text
# arg option text
# arg value text
# arg values json
# arg state text, one of absent present
# arg exclusive bool
# arg no_extra_spaces bool
# arg allow_no_value bool
# arg create bool
# arg backup bool
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns backup_file gid group mode msg owner path size state uid
# needs edit
module_ini_file() {
    put path "$a_path"
    : "${a_state:=present}"
    if [ -L "$a_path" ]; then a_path=$(readlink -f -- "$a_path"); fi
    _old=$a_path
    if [ ! -e "$a_path" ]; then
        [ "${a_create-}" != no ] || { put_int rc 257; fail "Destination $a_path does not exist!"; }
        _old=/dev/null
    fi
    [ "$a_state" = absent ] || yes "${a_allow_no_value-}" || [ -n "${a_value+set}${a_values+set}" ] ||
        fail "Parameter 'value(s)' must be defined if state=present and allow_no_value=False."
    rh_edit_run "$rh_ini_file_edit" "${a_section-}" "${a_option-}" "${a_value+1}" "${a_value-}" "${a_values-[]}" "$a_state" \
        "${a_exclusive:-yes}" "${a_no_extra_spaces-}" "${a_allow_no_value-}"
    put msg "$_said"
    if [ "$_said" != OK ]; then
        changed
        show_diff "$a_path" "$_old" "$T/new"
        if ! checking; then
            [ -d "$(dirname -- "$a_path")" ] || must mkdir -p -- "$(dirname -- "$a_path")"
            place_file "$T/new" "$a_path"
        fi
    fi
    [ ! -e "$a_path" ] || attributes "$a_path"
    r_path=$a_path
}
# The values come first to lines that have them, then to other lines of the option; what is left is added behind the section's last setting.
rh_ini_file_edit='
    my ($section, $option, $has, $value, $values, $state, $only, $tight, $bare) = @arg; $_ = $_ eq "yes" for $only, $tight, $bare;
    my @want = $has ? ($value) : map { s/\\(["\\\/])/$1/g; $_ } $values =~ /"((?:[^"\\]|\\.)*)"/g;
    my @l = lines(slurp()); push @l, "" unless @l; $l[-1] .= "\n" if $l[-1] !~ /\n\z/; my $said = "OK"; my $pair = $tight ? "=" : " = ";
    my ($from, $to, $in) = (0, scalar @l, $section eq "");
    for my $i (0 .. $#l) {
        if ($section ne "" && !$in && $l[$i] =~ /^\[\s*\Q$section\E\s*\]/) { ($in, $from) = (1, $i) }
        elsif ($l[$i] =~ /^\[/ && $in) { $to = $i; last } }
    my @s = $in ? splice(@l, $from, $to - $from) : (); my %done; my $named = $option;
    my $of = sub { my ($line, $off) = @_; return $line =~ /^[ \t]*([#;]?)[ \t]*\Q$named\E[ \t]*(?:=[ \t]*(.*?))?\r?\n?\z/ && ($off || $1 eq "") ? [$2] : undef };
    my $set = sub { my ($i, $new) = @_; $done{$i} = 1; if ($s[$i] ne $new) { $s[$i] = $new; $said = "option changed" } };
    if ($state eq "present" && $in) {
        my $plain;
        if ($option ne "") {
            for my $i (0 .. $#s) { my $m = $of->($s[$i], 1) or next; my $have = defined $m->[0] ? $m->[0] : "";
                my ($k) = grep { $want[$_] eq $have } 0 .. $#want;
                if (defined $k) { my $v = splice @want, $k, 1; $set->($i, $v eq "" && $bare ? ($plain = "$option\n") : "$option$pair$v\n") }
                elsif (!@want && $bare && !$plain) { $set->($i, $plain = "$option\n"); last } }
            if ($only && !$bare) {
                for my $i (0 .. $#s) { last unless @want; next if $done{$i} || !$of->($s[$i], 1); $set->($i, "$option$pair" . shift(@want) . "\n") }
                my @kept = grep { $done{$_} || !$of->($s[$_]) } 0 .. $#s; if (@kept != @s) { @s = @s[@kept]; $said = "option changed" } } }
        if ($option ne "" && (@want || ($bare && !$plain && !grep { $done{$_} } 0 .. $#s))) {
            my $at = @s; $at-- while $at > 0 && $s[$at - 1] =~ /^[ \t]*([#;].*)?$/;
            splice @s, $at, 0, @want ? map { "$option$pair$_\n" } @want : "$option\n"; $said = "option added" } }
    elsif ($state eq "present") {
        push @l, "[$section]\n"; push @l, map { "$option$pair$_\n" } @want if $option ne ""; push @l, "$option\n" if $option ne "" && !@want && $bare;
        $said = $option ne "" && (@want || $bare) ? "section and option added" : "only section added"; $from = @l }
    elsif ($option ne "") {
        my @kept = grep { my $m = $of->($_); !($m && ($only || grep { $_ eq (defined $m->[0] ? $m->[0] : "") } @want)) } @s;
        if (@kept != @s) { @s = @kept; $said = "option changed" } }
    elsif (@s) { @s = (); $said = "section removed" }
    splice @l, $from, 0, @s if $in; spew(@l); print $said;
'
