# replace (ansible.builtin): every match of a regular expression in a file, optionally only between two other matches.
# `after` and `before` are these. `unsafe_writes` has no effect.
#
# arg path path, required, or dest destfile name
# arg regexp text, required
# arg replace text
# arg after text
# arg before text
# arg backup bool
# arg validate validate
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns msg rc
# needs edit
module_replace() {
    rh_edit_open
    [ -e "$_real" ] || { put_int rc 257; fail "Path $a_path does not exist !"; }
    put_int rc 0
    rh_edit_run "$rh_replace_edit" "$a_regexp" "${a_replace-}" "${a_after-}" "${a_before-}"
    case $_said in
    none*) put msg "Pattern for before/after params did not match the given file${_said#none}" ;;
    0) rh_edit_close '' ;;
    *) rh_edit_close "$_said replacements made" ;;
    esac
}
rh_replace_edit='
    my ($re, $with, $after, $before) = @arg; my $text = slurp(); my ($from, $to) = (0, length $text);
    utf8::decode($_) for $text, $re, $with, $after, $before; $to = length $text;
    if ($after ne "" || $before ne "") {
        my $p = ($after ne "" ? $after : "") . ($before ne "" && $after ne "" ? "(?<subsection>.*?)" : "(?<subsection>.*)") . $before;
        my $q = $p; $q =~ s/\(\?</(?P</; $p =~ s/\(\?P</(?</g; my $r = eval { qr/(?s:$p)/ } or die "bad regular expression: $@";
        if ($text !~ $r) { utf8::encode($text); spew($text); print "none: $q"; exit }
        my $s = $+{subsection}; my $g = groups($text);
        my $i = 0; for my $k (1 .. $#+) { if (defined $-[$k] && $+[$k] - $-[$k] == length $s && substr($text, $-[$k], length $s) eq $s) { $i = $k } }
        ($from, $to) = ($-[$i], $+[$i]) }
    my $part = substr($text, $from, $to - $from); my $m = eval { my $t = starts($re); qr/(?m:$t)/ } or die "bad regular expression: $@"; my $n = 0;
    my $done = $part; $done =~ s/$m/my $g = groups($part); my %h = %+; $n++; expand($with, $g, \%h)/ge;
    substr($text, $from, $to - $from) = $done; utf8::encode($text); spew($text); print $n;
'
