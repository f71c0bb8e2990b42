# find (ansible.builtin): files whose names, ages, sizes or lines match.
# Regular expressions are Perl's, which agree with Python's in all that is usual. Hidden folders are looked into without `hidden`, too; only what
# is itself hidden is left out. An entry of `files` has the keys of `stat` that say kind, rights, owner, size and times.
#
# arg paths words, required, or name path
# arg patterns words, or pattern
# arg excludes words, or exclude
# arg contains text
# arg read_whole_file bool
# arg file_type text, one of any directory file link
# arg recurse bool
# arg hidden bool
# arg depth int
# arg age text
# arg age_stamp text, one of atime ctime mtime
# arg size text
# arg follow bool
# arg get_checksum bool
# arg use_regex bool
# returns examined files matched msg skipped_paths
# needs json
module_find() {
    _follow=-P
    if yes "${a_follow-}"; then _follow=-L; fi
    # One level deeper than matches, because what is seen there counts as examined.
    if ! yes "${a_recurse-}"; then _levels=1
    elif [ "${a_depth:-0}" -gt 0 ]; then _levels=$((a_depth + 1))
    else _levels=1000000
    fi
    eval "set -- $a_paths"
    for _each; do
        shift
        case $_each in [~] | [~]/*) _each=$HOME${_each#?} ;; esac
        set -- "$@" "$_each"
    done
    _globs=$(rh_find_list "${a_patterns-}")
    _not=$(rh_find_list "${a_excludes-}")
    for _each; do
        # NUL-separated: the paths, then what is in each.
        if [ -d "$_each" ]; then
            LC_ALL=C find $_follow "${_each%"${_each##*[!/]}"}/" -mindepth 1 -maxdepth $_levels -printf '%p\0%A@ %T@ %C@ %Y\0' 2>"$T/said"
            printf '\0%s\0%s\0' "$_each" "$(head -n 1 "$T/said")"
        else
            printf '\0%s\0%s\0' "$_each" "'$_each' is not a directory"
        fi
    done >"$T/list"
    printf '%s\0' "$T/list" "$_globs" "$_not" "${a_contains+1}" "${a_contains-}" "${a_read_whole_file-}" "${a_file_type:-file}" "${a_hidden-}" \
        "${a_depth:-0}" "${a_age-}" "${a_age_stamp:-mtime}" "${a_size-}" "${a_use_regex-}" "${a_get_checksum-}" |
        perl -e "$rh_json$rh_find" >"$T/found" 2>"$T/said" || fail "$(cat "$T/said")"
    exec 8<"$T/found"
    read -r _n <&8 && put_int matched "$_n"
    read -r _n <&8 && put_int examined "$_n"
    read -r _n <&8 && put_json skipped_paths "$_n"
    case $_n in
    '{}') put msg 'All paths examined' ;;
    *) put msg 'Not all paths examined, check warnings for details' ;;
    esac
    read -r _n <&8 && put_json files "$_n"
    exec 8<&-
}
rh_find_list() { # quoted words: one a line
    eval "set -- $1"
    [ $# -eq 0 ] || printf '%s\n' "$@"
}
rh_find='
    no warnings; local $/; my ($list, $globs, $not, $has, $contains, $whole, $type, $hidden, $depth, $age, $stamp, $size, $regex, $sum) = split /\0/, <STDIN>, -1;
    my %second = (s => 1, m => 60, h => 3600, d => 86400, w => 604800); my $i = 0; my %byte = map { $_ => 1024 ** $i++ } qw(b k m g t);
    sub amount { my ($t, $of, $what) = @_; return if $t eq "";
        lc($t) =~ /^(-?\d+)([a-z])?$/ && (!$2 || $of->{$2}) or die "failed to process $what\n"; $1 * ($2 ? $of->{$2} : 1) }
    $age = amount($age, \%second, "age"); $size = amount($size, \%byte, "size");
    sub glob_of { my $g = shift; $g =~ s/(\*+)|(\?)|\[(!?)(\]?[^\]]*)\]|([^\w])/$1 ? ".*" : $2 ? "." : defined $4 ? "[" . ($3 ? "^" : "") . ($4 =~ s{([\\\[])}{\\$1}gr) . "]" : "\\$5"/ge; qr/\A$g\z/s }
    sub patterns { map { my $p = $_; $regex eq "yes" ? eval { qr/\A(?:$p)/ } || die "bad regular expression \x27$p\x27: $@" : glob_of($p) } split /\n/, $_[0] }
    my @yes = patterns($globs); my @no = patterns($not); @yes = (qr//) unless @yes;
    if ($has) { utf8::decode($contains); $contains = $whole eq "yes" ? qr/$contains/ : qr/\A(?:$contains)/ }
    sub holds { open my $f, "<:raw", $_[0] or return; my $t = <$f>; utf8::decode($t) or $t !~ /[\x80-\xff]/ or return; $t =~ s/\r\n?/\n/g;
        return $t =~ $contains if $whole eq "yes"; for my $l (split /(?<=\n)/, $t) { return 1 if $l =~ $contains } 0 }
    sub beyond { my ($have, $limit) = @_; !defined $limit || ($limit >= 0 ? $have >= $limit : $have <= -$limit) }
    open my $in, "<:raw", $list or die; my @in = split /\0/, scalar <$in>, -1; close $in;
    my (%in, @out, %skipped, %time, $seen, %user, %group); my $now = time;
    while (@in > 1) { my $p = shift @in;
        if ($p eq "") { my ($root, $said) = splice @in, 0, 2; $skipped{$root} = text($said) if $said ne ""; next if $said =~ /is not a directory$/;
            (my $start = $root) =~ s{/*\z}{}; walk($start, 1); %in = (); next }
        my @t = split / /, shift @in; $p =~ s{//+}{/}g; my ($dir) = $p =~ m{\A(.*)/}s; $seen++;
        push @{$in{$dir}{$t[3] eq "d" ? "dirs" : "files"}}, $p; $time{$p} = \@t }
    # As a walk from the top goes: files before folders.
    sub walk { my ($dir, $level) = @_; $dir =~ s{//+}{/}g; my $at = $in{$dir} or return; my @dirs = @{$at->{dirs} || []};
        for my $p (@{$at->{files} || []}, @dirs) { entry($p) unless $depth && $level > $depth } walk($_, $level + 1) for @dirs }
    sub entry { my $p = shift; my ($name) = $p =~ m{([^/]*)\z}; return if $name =~ /^\./ && $hidden ne "yes";
        my @s = lstat $p or return; my $kind = $s[2] & 0170000; my $reg = $kind == 0100000;
        return if $type ne "any" && $kind != {directory => 0040000, file => 0100000, link => 0120000}->{$type};
        return unless grep { $name =~ $_ } @yes; return if grep { $name =~ $_ } @no;
        my %t; @t{qw(atime mtime ctime)} = $kind == 0120000 ? @s[8, 9, 10] : @{$time{$p}}[0 .. 2]; s/(\.\d{9})\d+$/$1/ for values %t;
        return unless beyond(defined $age ? $now - $t{$stamp} : 0, $age);
        return if $reg && !beyond($s[7], $size); return if $has && $type eq "file" && !holds($p);
        $user{$s[4]} = text(scalar(getpwuid $s[4]) // "") unless $user{$s[4]}; $group{$s[5]} = text(scalar(getgrgid $s[5]) // "") unless $group{$s[5]};
        my %o = (%t, path => text($p =~ s{/\./}{/}gr), mode => sprintf("\"%04o\"", $s[2] & 07777), uid => $s[4], gid => $s[5], size => $s[7], inode => $s[1],
            dev => $s[0], nlink => $s[3], pw_name => $user{$s[4]}, gr_name => $group{$s[5]});
        my %is = (isdir => 0040000, ischr => 0020000, isblk => 0060000, isreg => 0100000, isfifo => 0010000, islnk => 0120000, issock => 0140000);
        $o{$_} = $kind == $is{$_} ? "true" : "false" for keys %is;
        my %may = (rusr => 0400, wusr => 0200, xusr => 0100, rgrp => 040, wgrp => 020, xgrp => 010, roth => 04, woth => 02, xoth => 01, isuid => 04000, isgid => 02000);
        $o{$_} = $s[2] & $may{$_} ? "true" : "false" for keys %may;
        if ($sum eq "yes" && $reg && open my $f, "-|", "sha1sum", "-z", "--", $p) { my $l = <$f>; $l =~ /^\\?([0-9a-f]{40})/ and $o{checksum} = "\"$1\"" }
        push @out, map_of(\%o) }
    printf "%d\n%d\n%s\n[%s]\n", scalar @out, $seen, map_of(\%skipped), join ",", @out;
'
