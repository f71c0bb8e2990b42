# authorized_key (ansible.posix): keys in a user's authorized_keys.
# `key` holds the keys themselves, one a line; a URL is not fetched. Equal type and base64 mean the same key; options and
# comment follow.
#
# arg user text, required
# arg key text, required
# arg state text, one of absent present
# arg path path
# arg manage_dir bool
# arg key_options text
# arg exclusive bool
# arg comment text
# arg follow bool
# returns keyfile

# A key is the same when type and base64 agree; options and comment then follow.
module_authorized_key() {
    _now=$(getent passwd "$a_user") || {
        checking && changed && return
        fail "Failed to lookup user $a_user"
    }
    IFS=: read -r _ _ _uid _gid _ _home _ <<E
$_now
E
    : "${a_path:=$_home/.ssh/authorized_keys}" "${a_state:=present}"
    if [ -L "$a_path" ] && yes "${a_follow-}"; then a_path=$(readlink -f -- "$a_path"); fi
    put keyfile "$a_path"
    _old=$a_path
    [ -e "$a_path" ] || _old=/dev/null
    printf '%s\0' "$_old" "$a_key" "${a_key_options+1}" "${a_key_options-}" "${a_comment+1}" "${a_comment-}" "$a_state" \
        "${a_exclusive-}" | perl -e "$rh_authorized_key_edit" >"$T/new" 2>"$T/said" || fail "$(cat "$T/said")"
    cmp -s -- "$_old" "$T/new" && return
    changed
    show_diff "$a_path" "$_old" "$T/new"
    checking && return
    if [ "${a_manage_dir-}" != no ] && [ ! -d "${a_path%/*}" ]; then
        must mkdir -p -- "${a_path%/*}"
        must chown "$_uid:$_gid" -- "${a_path%/*}"
        must chmod 0700 -- "${a_path%/*}"
    fi
    a_mode=0600 a_owner=$_uid a_group=$_gid
    place_file "$T/new" "$a_path"
}
rh_authorized_key_edit='
    local $/; my $in = <STDIN>;
    my ($old, $new, $has_opt, $opt, $has_com, $com, $state, $only) = split /\0/, $in, -1;
    my $type = qr/(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+/;
    # options, type, base64, comment
    sub key { my $l = shift; $l =~ s/[\r\n]+\z//; return if $l =~ /^\s*(?:#|$)/;
        return $l =~ /^\s*(?:((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s+)??($type)\s+([A-Za-z0-9+\/=]+)(?:\s+(.*?))?\s*$/
            ? [defined $1 ? $1 : "", $2, $3, defined $4 ? $4 : ""] : undef }
    sub text { my $k = shift; ($k->[0] ne "" ? "$k->[0] " : "") . "$k->[1] $k->[2]" . " $k->[3]\n" }
    open my $f, "<:raw", $old or die "$old: $!\n"; my $have = <$f>; $have = "" unless defined $have;
    my @l = map { my $k = key($_); [$_, $k] } split /(?<=\n)/, $have; my (%wanted, $touched);
    for my $line (grep { /\S/ && !/^\s*#/ } split /\n/, $new) {
        my $k = key($line) or die "invalid key specified: $line\n";
        $k->[0] = $opt if $has_opt; $k->[3] = $com if $has_com; $wanted{$k->[2]} = 1;
        my ($same) = grep { $_->[1] && $_->[1][2] eq $k->[2] } @l;
        if ($state eq "absent") { if ($same) { @l = grep { !($_->[1] && $_->[1][2] eq $k->[2]) } @l; $touched = 1 } next }
        next if $same && join("\0", @{$same->[1]}) eq join("\0", @$k);
        @l = grep { !($_->[1] && $_->[1][2] eq $k->[2]) } @l; push @l, [text($k), $k]; $touched = 1 }
    if ($state eq "present" && $only eq "yes") {
        my @kept = grep { $_->[1] && $wanted{$_->[1][2]} } @l; $touched = 1 if @kept != @l; @l = @kept }
    if ($touched) { for (@l) { $_->[0] .= "\n" unless $_->[0] =~ /\n\z/ } }
    print map { $_->[0] } @l;
'
