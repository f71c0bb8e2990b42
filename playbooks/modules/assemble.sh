# assemble (ansible.builtin): one file out of the pieces in a folder of the host.
# `remote_src: no` is refused: use `template`, or `copy` the pieces first.
#
# arg src path, required
# arg dest path, required
# arg delimiter text
# arg regexp text
# arg ignore_hidden bool
# arg remote_src bool
# arg validate validate
# arg backup bool
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns backup_file checksum dest gid group md5sum mode msg owner size src state uid
module_assemble() {
    [ "${a_remote_src-}" != no ] || fail "'remote_src: no' is not supported"
    [ -e "$a_src" ] || fail "Source ($a_src) does not exist"
    [ -d "$a_src" ] || fail "Source ($a_src) is not a directory"
    printf '%s\0' "$a_src" "${a_delimiter+1}" "${a_delimiter-}" "${a_regexp-}" "${a_ignore_hidden-}" | perl -e '
        use strict; local $/; my ($dir, $has, $mark, $re, $hidden) = split /\0/, <STDIN>, -1; my ($open, $out) = (0, "");
        $mark =~ s/\\n/\n/g; $re = qr/$re/ if $re ne ""; opendir my $d, $dir or die "$dir: $!\n";
        for my $name (sort readdir $d) { next if $re ne "" && $name !~ $re; next if $hidden eq "yes" && $name =~ /^\./; next unless -f "$dir/$name";
            open my $f, "<:raw", "$dir/$name" or die "$name: $!\n"; my $part = <$f>; $part = "" unless defined $part;
            $out .= "\n" if $out ne "" && $out !~ /\n\z/;
            if ($has && $open) { $out .= $mark; $out .= "\n" if $mark ne "" && $mark !~ /\n\z/ }
            $out .= $part; $open = 1 }
        print $out' >"$T/new" 2>"$T/said" || fail "cannot read '$a_src': $(cat "$T/said")"
    r_validated=edit
    put src "$a_src"
    put dest "$a_dest"
    r_path=$a_dest
    _sum=$(sha1sum <"$T/new")
    put checksum "${_sum%% *}"
    if wanted; then
        _sum=$(md5sum <"$T/new")
        put md5sum "${_sum%% *}"
    fi
    if [ -e "$a_dest" ] && cmp -s -- "$T/new" "$a_dest"; then
        attributes "$a_dest"
        put msg OK
        return
    fi
    changed
    _old=$a_dest
    [ -e "$_old" ] || _old=/dev/null
    show_diff "$a_dest" "$_old" "$T/new"
    put msg OK
    checking || place_file "$T/new" "$a_dest"
}
