# postgresql_query (community.postgresql): SQL statements, and what they answer.
# All statements run in one transaction; with --check it is taken back.
#
# arg query json
# arg path_to_script path
# arg positional_args json
# arg named_args json
# arg db text, or login_db
# arg search_path words
# arg autocommit bool
# arg as_single_query bool
# arg login_user text, or login
# arg login_password text
# arg login_host text, or host
# arg login_port int, or port
# arg login_unix_socket path, or unix_socket
# arg ssl_mode text, one of allow disable prefer require verify-ca verify-full
# arg ca_cert path, or ssl_rootcert
# arg session_role text
# arg trust_input bool
# returns query query_all_results query_list query_result rowcount statusmessage
# needs postgresql json
module_postgresql_query() {
    _db=${a_db-}
    [ -z "${a_path_to_script-}" ] || [ -z "${a_query-}" ] || fail 'path_to_script is mutually exclusive with query'
    [ -n "${a_path_to_script-}${a_query-}" ] || fail 'one of query and path_to_script is needed'
    rh_pg_open
    if [ -n "${a_path_to_script-}" ]; then rh_pg_query_script; fi
    printf '%s\0%s\0' "$a_query" "${a_positional_args:-${a_named_args-}}" | perl -e "$rh_json$rh_pg_query_fill" "$T" 2>"$T/said" ||
        fail "$(cat "$T/said")"
    {
        [ -z "${a_session_role-}" ] || echo "SET ROLE $(rh_pg_name "$a_session_role");"
        [ -z "${a_search_path-}" ] || echo "SET search_path TO $(eval "set -- $a_search_path"; _sep=''; for _s; do printf '%s%s' "$_sep" "$(rh_pg_name "$_s")"; _sep=,; done);"
        if checking || [ "${a_autocommit-}" != yes ]; then echo 'BEGIN;'; fi
        cat "$T/script"
        if checking; then echo 'ROLLBACK;'; elif [ "${a_autocommit-}" != yes ]; then echo 'COMMIT;'; fi
    } | run $_as psql -X -A -t -v ON_ERROR_STOP=1 -d "${_db:-postgres}" >"$T/answer" 2>"$T/said" ||
        fail "Cannot execute SQL '$(tr '\0' '\n' <"$T/sent" | tail -n 1)': $(cat "$T/said")"
    perl -e "$rh_json$rh_pg_query_read" "$T" >"$T/read"
    [ "$(sed -n 1p "$T/read")" = 0 ] || changed
    put_json query_all_results "$(sed -n 2p "$T/read")"
    put_json query_result "$(sed -n 3p "$T/read")"
    put_int rowcount "$(sed -n 4p "$T/read")"
    put statusmessage "$(sed -n 5p "$T/read")"
    put_json query_list "$(sed -n 6p "$T/read")"
    put query "$(cat "$T/asked")"
}
# The statements of a file, as one, or taken apart at each semicolon.
rh_pg_query_script() {
    [ -r "$a_path_to_script" ] || fail "Cannot read file '$a_path_to_script' : $(cat -- "$a_path_to_script" 2>&1)"
    a_query=$(perl -e "$rh_json"'my ($file, $single) = @ARGV; local $/; open my $in, "<", $file; my $all = <$in>; $all = "" unless defined $all;
        my @q = $single eq "no" ? grep { /\S/ } split /;/, $all : $all; print "[", join(",", map { text($_) } @q), "]"' \
        "$a_path_to_script" "${a_as_single_query-}")
}
# Rows come as JSON, made by the server; of other statements the tag is what psql prints.
rh_pg_query_fill='
    my $dir = shift; $/ = "\0"; chomp(my ($query, $args) = <STDIN>);
    my $q = value(\$query); my $a = length $args ? value(\$args) : undef;
    sub sql { my $v = shift; return "NULL" unless defined $v; return "ARRAY[" . join(",", map { sql($_) } @$v) . "]" if ref $v;
        return $v if $v =~ /^-?(0|[1-9]\d*)(\.\d+)?$/; $v =~ s/\x27/\x27\x27/g; "\x27$v\x27" }
    open my $script, ">", "$dir/script"; open my $sent, ">", "$dir/sent"; my $last;
    for (ref $q ? @$q : $q) {
        my $s = $_; my @left = ref $a eq "ARRAY" ? @$a : (); print $sent $s, "\0";
        if (ref $a eq "ARRAY") { $s =~ s/%(%|s)/$1 eq "%" ? "%" : sql(shift @left)/ge }
        elsif (ref $a eq "HASH") { $s =~ s/%(?:%|\((\w+)\)s)/defined $1 ? sql($a->{$1}) : "%"/ge }
        $s =~ s/[;\s]+$//;
        print $script "\\echo rh_statement\n"; $last = $s;
        if ($s =~ /^\s*(select|values|table|with)\b/i && $s !~ /;/ && $s !~ /^\s*with\b.*\b(insert|update|delete)\b/is) {
            print $script "SELECT coalesce(json_agg(rh_row), \x27[]\x27)::text, count(*) FROM (\n$s\n) rh_row;\n"
        } elsif ($s =~ /\breturning\b/i && $s !~ /;/) {
            print $script "WITH rh_row AS (\n$s\n) SELECT coalesce(json_agg(rh_row), \x27[]\x27)::text, count(*) FROM rh_row;\n"
        } else { print $script "$s\n;\n" }
    }
    print $script "\\echo rh_statement\n";
    open my $asked, ">", "$dir/asked"; print $asked $last;
'
rh_pg_query_read='
    my $dir = shift; local $/; open my $in, "<", "$dir/answer"; my @part = split /^rh_statement\n/m, <$in>; shift @part; pop @part;
    open my $f, "<", "$dir/sent"; my @sent = split /\0/, <$f>; my ($changed, $total, $tag, @all) = (0, 0, "");
    for my $i (0 .. $#sent) {
        my $said = defined $part[$i] ? $part[$i] : ""; $said =~ s/\s+$//;
        my ($word) = $sent[$i] =~ /^\s*(\w+)/; $word = uc($word || "");
        if ($said =~ /^(\[.*\])\|(\d+)$/s) {
            my ($rows, $n) = ($1, $2); $rows =~ s/\n/ /g; push @all, $rows; $total += $n;
            $tag = $word =~ /^(UPDATE|DELETE)$/ ? "$word $n" : $word eq "INSERT" ? "INSERT 0 $n" : "SELECT $n";
        } else {
            $tag = (split /\n/, $said)[-1]; $tag = $word unless defined $tag; push @all, "{}";
            $total += $1 if $tag =~ /^(?:INSERT \d+|UPDATE|DELETE) (\d+)$/;
        }
        if ($tag =~ /^(?:INSERT \d+|UPDATE|DELETE) (\d+)$/) { $changed = 1 if $1 > 0 }
        elsif ($tag !~ /^(SELECT|SHOW|SET)/) { $changed = 1 }
    }
    print "$changed\n[", join(",", @all), "]\n", $all[-1], "\n$total\n$tag\n[", join(",", map { text($_) } @sent), "]\n";
'
