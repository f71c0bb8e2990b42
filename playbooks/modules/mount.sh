# mount (ansible.posix): a line of the table of file systems, and whether it is mounted.
# `state: absent` also removes the folder, when it is empty. `boot` has no effect.
#
# arg path path, required, or name
# arg src text
# arg fstype text
# arg opts text
# arg dump text
# arg passno text
# arg state text, required, one of absent absent_from_fstab mounted present unmounted remounted ephemeral
# arg fstab path
# arg boot bool
# arg backup bool
# returns backup_file boot dump fstab fstype name opts passno src
module_mount() {
    : "${a_fstab:=/etc/fstab}" "${a_opts:=defaults}" "${a_dump:=0}" "${a_passno:=0}"
    case $a_path in */) [ "$a_path" = / ] || a_path=${a_path%/} ;; esac
    case $a_state in
    mounted | present | ephemeral)
        [ -n "${a_src-}" ] && [ -n "${a_fstype-}" ] || fail "state is $a_state but all of the following are missing: src, fstype"
        ;;
    esac
    for _key in src fstype opts dump passno fstab; do
        eval "[ -z \"\${a_$_key-}\" ] || put $_key \"\$a_$_key\""
    done
    put name "$a_path"
    put backup_file ''
    put boot "${a_boot:-yes}"
    case $a_state in
    present) rh_mount_line add ;;
    mounted)
        [ -d "$a_path" ] || { changed; checking || must mkdir -p -- "$a_path"; }
        rh_mount_line add
        if ! mountpoint -q -- "$a_path"; then rh_mount_do mount -- "$a_path"
        elif [ -n "$_line_changed" ]; then rh_mount_again
        fi
        ;;
    ephemeral)
        [ -d "$a_path" ] || { changed; checking || must mkdir -p -- "$a_path"; }
        if mountpoint -q -- "$a_path"; then
            [ "$(findmnt -n -o SOURCE --mountpoint "$a_path")" = "$a_src" ] ||
                fail "Ephemeral mount point is already mounted with a different source than the specified one. Failing in order to prevent an unwanted unmount or override operation. Try replacing this command with a \"state: unmounted\" followed by a \"state: ephemeral\", or use a different destination path."
            changed
            checking || must mount -o "remount,$a_opts" -- "$a_path"
        else
            rh_mount_do mount -t "$a_fstype" -o "$a_opts" -- "$a_src" "$a_path"
        fi
        ;;
    unmounted) ! mountpoint -q -- "$a_path" || rh_mount_do umount -- "$a_path" ;;
    remounted)
        changed
        checking || must mount -o remount -- "$a_path"
        ;;
    absent | absent_from_fstab)
        rh_mount_line remove
        [ "$a_state" = absent ] || return 0
        ! mountpoint -q -- "$a_path" || rh_mount_do umount -- "$a_path"
        [ ! -d "$a_path" ] || { changed; checking || must rmdir -- "$a_path"; }
        ;;
    esac
}
rh_mount_do() {
    changed
    checking && return
    run "$@" >"$T/said" 2>&1 || fail "Error $1ing $a_path: $(cat "$T/said")"
}
rh_mount_again() {
    checking && return
    run mount -o remount -- "$a_path" >"$T/said" 2>&1 && return
    must umount -- "$a_path"
    must mount -- "$a_path"
}
# The line of the table; the fields' blanks are written as \040. Comments and other lines stay as they are.
rh_mount_line() { # add or remove
    _line_changed=
    _old=$a_fstab
    [ -f "$_old" ] || _old=/dev/null
    printf '%s\0' "$1" "$_old" "${a_src-}" "$a_path" "${a_fstype-}" "$a_opts" "$a_dump" "$a_passno" | perl -e '
        use strict; local $/; my ($do, $old, @f) = split /\0/, <STDIN>, -1; pop @f; s/\\/\\134/g, s/ /\\040/g, s/\t/\\011/g for @f;
        open my $in, "<:raw", $old or die "$old: $!\n"; my $all = <$in>; $all = "" unless defined $all; my ($seen, @out);
        for (split /(?<=\n)/, $all) {
            my @have = split; if (/^\s*(#|$)/ || @have < 4 || $have[1] ne $f[1]) { push @out, /\n\z/ ? $_ : "$_\n"; next }
            if ($have[2] ne "swap" || $f[2] eq "swap") { next if $do eq "remove" || $seen++;
                $have[4] = 0 unless defined $have[4]; $have[5] = 0 unless defined $have[5];
                push @out, "@have[0 .. 5]" eq "@f" ? $_ : "@f\n"; next }
            push @out, $_ }
        push @out, "@f\n" if $do eq "add" && !$seen; print @out' >"$T/new" 2>"$T/said" || fail "cannot read '$a_fstab': $(cat "$T/said")"
    cmp -s -- "$_old" "$T/new" && return
    changed
    _line_changed=1
    show_diff "$a_fstab" "$_old" "$T/new"
    checking || place_file "$T/new" "$a_fstab"
}
