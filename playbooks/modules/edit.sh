# What lineinfile, blockinfile and replace share: a perl program (perl-base is part of every Debian and Ubuntu) reads the file and
# its parameters, and writes the new content. Regular expressions are Python's, which Perl's contain but for a few spellings.

# The file that is edited, and what happens when it is missing.
rh_edit_open() {
    r_validated=edit
    if [ -d "$a_path" ]; then put_int rc 256; fail "Path $a_path is a directory !"; fi
    if [ -L "$a_path" ]; then _real=$(readlink -f -- "$a_path"); else _real=$a_path; fi
    _old=$_real
    [ -e "$_real" ] || _old=/dev/null
}
# Runs the program $1 with the NUL-separated parameters that follow. Its first line of output becomes _said.
rh_edit_run() {
    _program=$1
    shift
    _said=$(printf '%s\0' "$T/new" "$_old" "$@" | perl -e "$rh_edit_common$_program" 2>"$T/said") ||
        fail "cannot edit '$a_path': $(cat "$T/said")"
}
# Puts the new content in place when it differs. $1: what was done, when something was.
rh_edit_close() {
    _done=
    if ! cmp -s -- "$_old" "$T/new" || { [ "$_old" = /dev/null ] && [ "${2-}" = create ]; }; then
        changed
        show_diff "$_real" "$_old" "$T/new"
        _done=$1
        if ! checking; then
            [ -d "$(dirname -- "$_real")" ] || must mkdir -p -- "$(dirname -- "$_real")"
            place_file "$T/new" "$_real"
        elif [ -e "$_real" ]; then attributes "$_real"
        fi
    elif [ -e "$_real" ]; then attributes "$_real"
    fi
    [ -z "$r_attributes" ] || _done="${_done:+$_done and }ownership, perms or SE linux context changed"
    put msg "$_done"
}
# At most one of insertafter and insertbefore can be given.
rh_edit_place() {
    [ -z "${a_insertafter+set}" ] || [ -z "${a_insertbefore+set}" ] ||
        fail 'parameters are mutually exclusive: insertbefore|insertafter'
}
rh_edit_common='
    # Neither strict nor warnings: loading them takes longer than the work.
    local $/; my $input = <STDIN>; my ($new, $old, @arg) = split /\0/, $input, -1; pop @arg;
    sub slurp { open my $f, "<:raw", $old or die "$old: $!\n"; local $/; my $t = <$f>; close $f; defined $t ? $t : "" }
    sub spew { open my $f, ">:raw", $new or die "$new: $!\n"; print $f @_; close $f or die "$new: $!\n" }
    sub pattern { my ($p, $flags) = @_; $p =~ s/(?<!\\)((?:\\\\)*)\\Z/$1\\z/g; $p =~ s/\{,(\d+)\}/{0,$1}/g;
        my $r = eval { $flags ? qr/(?ms:$p)/ : qr/$p/ }; die "bad regular expression \x27$p\x27: $@" unless defined $r; $r }
    # In many lines Python finds a start after the last line end, too.
    sub starts { my $p = shift; $p =~ s/(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\^/defined $1 ? $1 : "(?<![^\n])"/gse; $p }
    # A template of Python (\1, \g<1>, \g<name>, \n), filled from the last match.
    sub expand { my ($t, $n, $h) = @_; my %c = (n => "\n", t => "\t", r => "\r", "\\" => "\\");
        my $g = sub { my $k = shift; my $v = $k =~ /^\d+$/ ? $n->[$k] : $h->{$k}; defined $v ? $v : "" };
        $t =~ s/\\(?:g<(\w+)>|([1-9]\d?)|(.))/defined $1 ? $g->($1) : defined $2 ? $g->($2) : exists $c{$3} ? $c{$3} : "\\$3"/gse; $t }
    sub groups { my $s = shift; [map { defined $-[$_] && defined $+[$_] ? substr($s, $-[$_], $+[$_] - $-[$_]) : undef } 0 .. $#+] }
    sub lines { split /(?<=\n)/, $_[0] }
'
