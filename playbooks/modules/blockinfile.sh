# blockinfile (ansible.builtin): a block of lines between two marker lines.
# `insertafter` is `EOF` or a regular expression, `insertbefore` is `BOF` or one. `unsafe_writes` has no effect.
#
# arg path path, required, or dest destfile name
# arg state text, one of absent present
# arg block text, or content
# arg marker text
# arg marker_begin text
# arg marker_end text
# arg insertafter text
# arg insertbefore text
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
# returns msg rc
# needs edit
module_blockinfile() {
    rh_edit_place
    rh_edit_open
    if [ ! -e "$_real" ]; then
        yes "${a_create-}" || { put_int rc 257; fail "Path $a_path does not exist !"; }
    fi
    [ -n "${a_insertbefore-}" ] || : "${a_insertafter:=EOF}"
    [ "${a_state:-present}" = present ] || a_block=
    : "${a_marker=# {mark\} ANSIBLE MANAGED BLOCK}"
    rh_edit_run "$rh_blockinfile_edit" "${a_block-}" "$a_marker" "${a_marker_begin-BEGIN}" "${a_marker_end-END}" \
        "${a_insertafter-}" "${a_insertbefore-}"
    if [ "$_old" = /dev/null ]; then rh_edit_close 'File created' create
    elif [ -n "${a_block-}" ]; then rh_edit_close 'Block inserted'
    else rh_edit_close 'Block removed'
    fi
}
rh_blockinfile_edit='
    my ($block, $marker, $begin, $end, $after, $before) = @arg; my @l = lines(slurp());
    my ($m0, $m1) = ($marker, $marker); $m0 =~ s/\{mark\}/$begin/g; $m1 =~ s/\{mark\}/$end/g; $_ .= "\n" for $m0, $m1;
    $block .= "\n" if $block ne "" && $block !~ /\n\z/; my @b = $block eq "" ? () : ($m0, lines($block), $m1);
    my ($n0, $n1, $at); for my $i (0 .. $#l) { $n0 = $i if $l[$i] eq $m0; $n1 = $i if $l[$i] eq $m1 }
    if (defined $n0 && defined $n1) { ($n0, $n1) = ($n1, $n0) if $n0 > $n1; splice @l, $n0, $n1 - $n0 + 1; $at = $n0 }
    else {
        my $point = $after ne "" && $after ne "EOF" ? pattern($after) : $before ne "" && $before ne "BOF" ? pattern($before) : undef;
        if (defined $point) { for my $i (0 .. $#l) { $at = $i if $l[$i] =~ $point }
            $at = !defined $at ? @l : $after ne "" ? $at + 1 : $at }
        else { $at = $before ne "" ? 0 : @l } }
    $l[$at - 1] .= "\n" if $at > 0 && $l[$at - 1] !~ /\n\z/;
    splice @l, $at, 0, @b; spew(@l);
'
