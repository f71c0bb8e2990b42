# mysql_query (community.mysql): SQL statements, and what they answer.
# In `query_result` whole numbers are numbers and all else is text. Skipped with --check, as in Ansible.
#
# arg query json, required
# arg positional_args json
# arg named_args json
# arg login_db text
# arg single_transaction bool
# arg login_user text
# arg login_password text
# arg login_host text
# arg login_port int
# arg login_unix_socket path
# arg config_file path
# arg connect_timeout int
# arg ca_cert path, or ssl_ca
# arg client_cert path, or ssl_cert
# arg client_key path, or ssl_key
# arg check_hostname bool
# returns executed_queries query_result rowcount
# needs mysql json
module_mysql_query() {
    ! checking || skip 'remote module (mysql_query) does not support check mode'
    rh_mysql_open
    printf '%s\0%s\0' "$a_query" "${a_positional_args:-${a_named_args-}}" |
        perl -e "$rh_json$rh_mysql_query_fill" "$T" "${a_single_transaction-}" 2>"$T/said" || fail "$(cat "$T/said")"
    run "$_client" --defaults-file="$T/my.cnf" --connect-timeout="${a_connect_timeout:-30}" --xml ${a_login_db:+"$a_login_db"} \
        <"$T/script" >"$T/answer" 2>"$T/said" || fail "Cannot execute SQL: $(cat "$T/said")"
    perl -e "$rh_json$rh_mysql_query_read" "$T" >"$T/read"
    [ "$(sed -n 1p "$T/read")" = 0 ] || changed
    put_json query_result "$(sed -n 2p "$T/read")"
    put_json rowcount "$(sed -n 3p "$T/read")"
    put_json executed_queries "$(sed -n 4p "$T/read")"
}
# The statements with their arguments filled in, each followed by a question for the number of rows.
rh_mysql_query_fill='
    my ($dir, $single) = @ARGV; $/ = "\0"; chomp(my ($query, $args) = <STDIN>);
    my $q = value(\$query); my $a = length $args ? value(\$args) : undef;
    sub sql { my $v = shift; return "NULL" unless defined $v; return $v if $v =~ /^-?\d+(\.\d+)?$/ && !ref $v && $v !~ /^0\d/;
        $v =~ s/\\/\\\\/g; $v =~ s/\x27/\x27\x27/g; "\x27$v\x27" }
    open my $script, ">", "$dir/script"; open my $sent, ">", "$dir/sent";
    print $script "START TRANSACTION;\n" if $single eq "yes";
    for (ref $q ? @$q : $q) {
        my $s = $_; my @left = ref $a eq "ARRAY" ? @$a : ();
        if (ref $a eq "ARRAY") { $s =~ s/%(%|s)/$1 eq "%" ? "%" : sql(shift @left)/ge }
        elsif (ref $a eq "HASH") { $s =~ s/%(?:%|\((\w+)\)s)/defined $1 ? sql($a->{$1}) : "%"/ge }
        print $sent $s, "\0"; $s =~ s/[;\s]+$//;
        print $script "$s\n;\nSELECT ROW_COUNT() AS rh_rows;\n";
    }
    print $script "COMMIT;\n" if $single eq "yes";
'
rh_mysql_query_read='
    my $dir = shift; local $/; open my $in, "<", "$dir/answer"; my $xml = <$in>; open my $f, "<", "$dir/sent"; my @sent = split /\0/, <$f>;
    my ($changed, @results, @counts) = (0); my $rows;
    sub clear { my $t = shift; my %c = (lt => "<", gt => ">", quot => "\"", amp => "&"); $t =~ s/&(\w+);/exists $c{$1} ? $c{$1} : "&$1;"/ge; $t }
    while ($xml =~ m{<resultset[^>]*>(.*?)</resultset>}gs) {
        my $body = $1; my @rows;
        while ($body =~ m{<row>(.*?)</row>}gs) {
            my ($row, %one) = ($1);
            while ($row =~ m{<field name="([^"]*)"(?: xsi:nil="true" />|>(.*?)</field>)}gs) {
                my ($k, $v) = (clear($1), $2); $v = clear($v) if defined $v;
                $one{$k} = defined $v && $v =~ /^(0|-?[1-9]\d{0,17})$/ ? $v : text($v);
            }
            push @rows, \%one;
        }
        if (@rows == 1 && exists $rows[0]{rh_rows}) {
            my $n = $rows ? @$rows : $rows[0]{rh_rows}; my $q = uc substr $sent[@counts], 0, 8;
            $q = uc substr +($sent[@counts] =~ s/^\s+//r), 0, 8;
            $changed = 1 if $q =~ /INSERT|UPDATE|DELETE|REPLACE/ && $n > 0 || $q =~ /CREATE|DROP|ALTER|RENAME|TRUNCATE/;
            push @results, "[" . join(",", map { map_of($_) } @{$rows || []}) . "]"; push @counts, $n; $rows = undef;
        } else { $rows = \@rows }
    }
    print "$changed\n[", join(",", @results), "]\n[", join(",", @counts), "]\n[", join(",", map { text($_) } @sent), "]\n";
'
