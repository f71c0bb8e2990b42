# lineinfile (ansible.builtin): one line of a file is there, or none like it is.
# `search_string` is plain text, `regexp` a regular expression (see What differs).
#
# arg path path, required, or dest destfile name
# arg state text, one of absent present
# arg regexp text, or regex
# arg search_string text
# arg line text, or value
# arg insertafter text
# arg insertbefore text
# arg backrefs bool
# arg firstmatch bool
# arg create bool
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
# returns found msg rc
# needs edit
module_lineinfile() {
    rh_edit_place
    rh_edit_open
    r_backup_key=backup
    if [ "${a_state:-present}" = absent ]; then
        if [ ! -e "$_real" ]; then put msg 'file not present'; return; fi
        [ -n "${a_regexp+set}${a_search_string+set}${a_line+set}" ] ||
            fail 'one of line, search_string, or regexp is required with state=absent'
        rh_edit_run "$rh_lineinfile_absent" "${a_regexp+1}" "${a_regexp-}" "${a_search_string+1}" "${a_search_string-}" "${a_line-}"
        put backup ''
        put_int found "$_said"
        rh_edit_close "$_said line(s) removed"
        return
    fi
    [ -n "${a_line+set}" ] || fail 'line is required with state=present'
    [ -e "$_real" ] || yes "${a_create-}" || { put_int rc 257; fail "Destination $a_path does not exist !"; }
    ! yes "${a_backrefs-}" || [ -n "${a_regexp+set}" ] || fail 'regexp is required with backrefs=true'
    put backup ''
    [ -n "${a_insertbefore-}" ] || : "${a_insertafter:=EOF}"
    rh_edit_run "$rh_lineinfile_present" "${a_regexp+1}" "${a_regexp-}" "${a_search_string+1}" "${a_search_string-}" "$a_line" \
        "${a_insertafter-}" "${a_insertbefore-}" "${a_backrefs-}" "${a_firstmatch-}"
    case $_said in none) rh_edit_close '' ;; *) rh_edit_close "line $_said" create ;; esac
}
rh_lineinfile_absent='
    my ($has_re, $re, $has_s, $s, $line) = @arg; my $found = 0; $re = pattern($re) if $has_re;
    my @kept = grep { my $bare = $_; $bare =~ s/[\r\n]+\z//;
        my $hit = $has_re ? $_ =~ $re : $has_s ? index($_, $s) >= 0 : $bare eq $line; $found++ if $hit; !$hit } lines(slurp());
    spew(@kept); print $found;
'
# The order of the cases is that of the module documentation: a match of regexp or search_string, else the line itself, else
# insertafter or insertbefore, else the end of the file.
rh_lineinfile_present='
    my ($has_re, $re, $has_s, $s, $line, $after, $before, $backrefs, $first) = @arg;
    $_ = $_ eq "yes" for $backrefs, $first;
    my @l = lines(slurp()); my ($at, $ins, $match) = (-1, -1); my ($groups, %named); my $did = "none";
    my $bare = sub { my $t = shift; $t =~ s/[\r\n]+\z//; $t };
    if ($has_re) { $re = pattern($re);
        for my $i (0 .. $#l) { if ($l[$i] =~ $re) { $at = $i; $match = 1; $groups = groups($l[$i]); %named = %+; last if $first } } }
    if ($has_s) { for my $i (0 .. $#l) { if (index($l[$i], $s) >= 0) { $at = $i; $match = 1; last if $first } } }
    if (!$match) {
        my $point = $after ne "" && $after !~ /^[BE]OF\z/ ? pattern($after) : $before ne "" && $before ne "BOF" ? pattern($before) : undef;
        for my $i (0 .. $#l) {
            if ($bare->($l[$i]) eq $line) { $at = $i }
            elsif (defined $point && $l[$i] =~ $point) { $ins = $after ne "" ? $i + 1 : $i; last if $first } } }
    if ($at >= 0) {
        my $t = $backrefs && $match ? expand($line, $groups, \%named) : $line; $t .= "\n" unless $t =~ /\n\z/;
        if ($l[$at] ne $t) { $l[$at] = $t; $did = "replaced" } }
    elsif ($backrefs) { }
    elsif ($before eq "BOF" || $after eq "BOF") { unshift @l, "$line\n"; $did = "added" }
    elsif ($after eq "EOF" || $ins < 0) { push @l, "\n" if @l && $l[-1] !~ /[\r\n]\z/; push @l, "$line\n"; $did = "added" }
    else {
        $l[-1] .= "\n" if $ins == @l && $l[-1] !~ /\n\z/;
        if ($after eq "" || $ins == @l || $bare->($l[$ins]) ne $line) { splice @l, $ins, 0, "$line\n"; $did = "added" } }
    spew(@l); print $did;
'
