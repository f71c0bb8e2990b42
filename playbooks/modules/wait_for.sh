# wait_for (ansible.builtin): until a port answers (or stops answering), or a file is there (or gone).
# Needs perl for ports. `timeout` 300 s, `sleep` 1 s, `connect_timeout` 5 s. Skipped with `--check`.
#
# arg host text
# arg port int
# arg path path
# arg timeout int
# arg delay int
# arg sleep int
# arg connect_timeout int
# arg state text, one of absent drained present started stopped
# arg search_regex text
# arg msg text
# returns elapsed match_groupdict match_groups path port search_regex state
# needs json
module_wait_for() {
    : "${a_state:=started}" "${a_timeout:=300}" "${a_host:=127.0.0.1}" "${a_sleep:=1}"
    if checking; then skip 'no waiting in check mode'; fi
    read -r _start _ </proc/uptime
    _start=${_start%%.*}
    [ "${a_delay:-0}" = 0 ] || sleep "$a_delay"
    until rh_wait_for_holds; do
        read -r _now _ </proc/uptime
        if [ $((${_now%%.*} - _start)) -ge "$a_timeout" ]; then
            put_int elapsed $((${_now%%.*} - _start))
            fail "${a_msg:-Timeout when waiting for ${a_path:-$a_host:${a_port-}}}"
        fi
        sleep "$a_sleep"
    done
    read -r _now _ </proc/uptime
    put_int elapsed $((${_now%%.*} - _start))
    case $a_state in
    present | started) if [ -d "${a_path-}" ]; then a_state=directory; elif [ -n "${a_path-}" ]; then a_state=file; fi ;;
    esac
    put state "$a_state"
    [ -z "${a_path-}" ] || put path "$a_path"
    put_json port "${a_port:-null}"
    if [ -n "${a_search_regex-}" ]; then put search_regex "$a_search_regex"; else put_json search_regex null; fi
    put_json match_groups "$(sed -n 1p "$T/groups" 2>/dev/null | grep . || echo '[]')"
    put_json match_groupdict "$(sed -n 2p "$T/groups" 2>/dev/null | grep . || echo '{}')"
}
rh_wait_for_holds() {
    if [ -z "${a_path-}${a_port-}" ]; then # time alone
        read -r _now _ </proc/uptime
        [ $((${_now%%.*} - _start)) -ge "$a_timeout" ]
        return
    fi
    case $a_state in
    absent | stopped | drained) ! rh_wait_for_there ;;
    *) rh_wait_for_there ;;
    esac
}
rh_wait_for_there() {
    if [ -n "${a_path-}" ]; then
        [ -e "$a_path" ] || return 1
        [ -z "${a_search_regex-}" ] || printf '%s\0' "$a_path" "$a_search_regex" | perl -e "$rh_json$rh_wait_for_match"'
            local $/; my ($path, $re) = split /\0/, <STDIN>, -1; open my $f, "<", $path or exit 1; my $all = <$f>; exit(match($all, $re) ? 0 : 1)' >"$T/groups"
        return
    fi
    printf '%s\0' "$a_host" "$a_port" "${a_connect_timeout:-5}" "${a_search_regex-}" | timeout "$((${a_connect_timeout:-5} + 1))" perl -e "$rh_json$rh_wait_for_match"'
        use IO::Socket::IP; local $/; my ($host, $port, $t, $re) = split /\0/, <STDIN>, -1;
        my $s = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => $t) or exit 1;
        exit 0 if $re eq ""; my $all = ""; while (sysread $s, my $part, 4096) { $all .= $part; exit 0 if match($all, $re) } exit 1' >"$T/groups" 2>/dev/null
}
# What the expression matched is told, too.
rh_wait_for_match='
    sub match { my ($t, $re) = @_; return 0 unless defined $t && $t =~ /$re/m;
        my @g = map { defined $-[$_] ? text(substr $t, $-[$_], $+[$_] - $-[$_]) : "null" } 1 .. $#-; my %n = map { $_ => text($+{$_}) } keys %+;
        print "[", join(",", @g), "]\n", map_of(\%n), "\n"; 1 }
'
