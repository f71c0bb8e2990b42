# mysql_info (community.mysql): what a MariaDB or MySQL server says of itself.
# `connector_name` and `connector_version` are not told: there is no connector.
#
# arg filter commas
# arg exclude_fields commas
# arg return_empty_dbs bool
# arg login_db text
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
# returns databases engines global_status master_status settings slave_hosts slave_status users version
# needs mysql json
module_mysql_info() {
    rh_mysql_info_choose
    rh_mysql_open
    for _subset in $_subsets; do
        case $_subset in
        settings) echo 'SHOW GLOBAL VARIABLES;' ;;
        databases) echo 'SELECT table_schema AS name, SUM(data_length + index_length) AS size FROM information_schema.TABLES GROUP BY table_schema;' ;;
        empty) echo 'SELECT schema_name AS name, 0 AS size FROM information_schema.SCHEMATA;' ;;
        global_status) echo 'SHOW GLOBAL STATUS;' ;;
        engines) echo 'SHOW ENGINES;' ;;
        users) echo 'SELECT * FROM mysql.user;' ;;
        master_status) echo 'SHOW MASTER STATUS;' ;;
        slave_status) echo 'SHOW SLAVE STATUS;' ;;
        slave_hosts) echo 'SHOW SLAVE HOSTS;' ;;
        esac
    done >"$T/ask"
    # Each answer follows its name: one without rows leaves nothing else.
    rm -f "$T/answers"
    for _subset in $_subsets; do
        read -r _sql
        printf 'rh_subset %s\n' "$_subset" >>"$T/answers"
        printf '%s\n' "$_sql" | run "$_client" --defaults-file="$T/my.cnf" --connect-timeout="${a_connect_timeout:-30}" --xml ${a_login_db:+"$a_login_db"} \
            >>"$T/answers" 2>"$T/said" || fail "Cannot execute SQL '${_sql%;}': $(cat "$T/said")"
    done <"$T/ask"
    perl -e "$rh_json$rh_mysql_info_read" "$T/answers" "${a_exclude_fields-}" "$_told" >"$T/read" 2>"$T/said" || fail "$(cat "$T/said")"
    while read -r _subset _json; do put_json "$_subset" "$_json"; done <"$T/read"
}
# From the filter, where `!NAME` leaves one out and unknown names mean nothing, what is asked for and what is told.
rh_mysql_info_choose() {
    _all='version databases settings global_status engines users master_status slave_hosts slave_status'
    _in='' _out=''
    for _one in $(printf %s "${a_filter-}" | tr ',' ' '); do
        case " $_all " in *" ${_one#!} "*) ;; *) continue ;; esac
        case $_one in !*) _out="$_out ${_one#!} " ;; *) _in="$_in $_one" ;; esac
    done
    _told=$_in
    if [ -z "$_in" ]; then
        for _one in $_all; do case $_out in *" $_one "*) ;; *) _told="$_told $_one" ;; esac; done
    fi
    _subsets=''
    for _one in $_told; do
        case $_one in
        version) case " $_told " in *' settings '*) ;; *) _subsets="$_subsets settings" ;; esac ;;
        databases) _subsets="$_subsets databases$(! yes "${a_return_empty_dbs-}" || echo ' empty')" ;;
        *) _subsets="$_subsets $_one" ;;
        esac
    done
}
rh_mysql_info_read='
    my ($file, $exclude, $told) = @ARGV; my %told = map { $_ => 1 } split " ", $told; my %info = map { $_ => {} } keys %told;
    my $sizes = ",$exclude," !~ /,\s*db_size\s*,/;
    sub clear { my $t = shift; my %c = (lt => "<", gt => ">", quot => "\"", apos => "\x27", amp => "&"); $t =~ s/&(\w+);/exists $c{$1} ? $c{$1} : "&$1;"/ge; $t }
    sub number { my ($v, $k) = @_; return "null" unless defined $v;
        return $v + 0 if $k eq "max_statement_time" && $v =~ /^[\d.]+$/;
        $v =~ /^([-+]?)0*(\d{1,20})$/ ? ($1 eq "-" ? "-" : "") . $2 : text($v) }
    sub rest { my ($row, @not) = @_; my %one = %$row; delete @one{@not}; map_of({ map { $_ => number($one{$_}, $_) } keys %one }) }
    sub nest { my ($at, $value, @keys) = @_; my $last = pop @keys; $at = $at->{$_} ||= {} for @keys; $at->{$last} = $value }
    sub all { my $v = shift; ref $v ? "{" . join(",", map { text($_) . ":" . all($v->{$_}) } sort keys %$v) . "}" : $v }
    local $/; open my $in, "<", $file; my (undef, @parts) = split /^rh_subset /m, <$in>;
    for (@parts) {
        my ($subset) = /^(\w+)/; my $settings = {};
        while (m{<row>(.*?)</row>}gs) {
            my ($body, %row) = ($1);
            while ($body =~ m{<field name="([^"]*)"(?: xsi:nil="true" />|>(.*?)</field>)}gs) { my ($k, $v) = (clear($1), $2); $row{$k} = defined $v ? clear($v) : undef }
            if ($subset eq "settings" || $subset eq "global_status") { nest($info{$subset} ||= {}, number($row{Value}, ""), $row{Variable_name}); $settings->{$row{Variable_name}} = $row{Value} }
            elsif ($subset eq "databases" || $subset eq "empty") { $info{databases}{$row{name}} ||= { $sizes ? (size => int($row{size} || 0)) : () } }
            elsif ($subset eq "engines") { my $n = delete $row{Engine}; nest($info{engines}, map_of({ map { $_ => text($row{$_}) } keys %row }), $n) }
            elsif ($subset eq "users") { nest($info{users}, rest(\%row, "Host", "User"), $row{Host}, $row{User}) }
            elsif ($subset eq "master_status") { $info{master_status}{$_} = number($row{$_}, $_) for keys %row }
            elsif ($subset eq "slave_hosts") { nest($info{slave_hosts}, rest(\%row, "Server_id"), $row{Server_id}) }
            else { nest($info{slave_status}, rest(\%row, "Master_Host", "Master_Port", "Master_User"), @row{"Master_Host", "Master_Port", "Master_User"}) }
        }
        if ($subset eq "settings" && $told{version}) {
            my $full = $settings->{version}; my ($major, $minor, $last) = split /\./, $full, 3; $last = "0" unless defined $last;
            my ($release, $suffix) = split /-/, (split /\./, $last)[0], 2; (undef, $suffix) = split /-/, $last, 2 unless $last =~ /\./;
            $info{version} = { major => int $major, minor => int $minor, release => int $release, suffix => text(defined $suffix ? $suffix : ""), full => text($full) };
        }
    }
    print "$_ ", all($info{$_}), "\n" for sort keys %told;
'
