# mysql_user (community.mysql): users of MariaDB and MySQL, their passwords and privileges.
# `priv` is `db.table:PRIV1,PRIV2`, several joined by /, or a map of db.table to privileges. With `login_host: localhost` the local
# socket is used, so that root needs no password. Clear passwords are kept as mysql_native_password, as Ansible does.
#
# arg name text, required, or user
# arg password text
# arg encrypted bool
# arg host text
# arg host_all bool
# arg state text, one of absent present
# arg priv json
# arg append_privs bool
# arg subtract_privs bool
# arg update_password text, one of always on_create on_new_username
# arg column_case_sensitive bool
# arg tls_requires json
# arg resource_limits json
# arg session_vars json
# arg force_context bool
# arg sql_log_bin bool
# arg plugin text
# arg plugin_hash_string text
# arg plugin_auth_string text
# arg check_implicit_admin bool
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
# returns msg password_changed user
# needs mysql json
module_mysql_user() {
    : "${a_state:=present}" "${a_host:=localhost}" "${a_update_password:=always}"
    ! yes "${a_append_privs-}" || ! yes "${a_subtract_privs-}" || fail 'parameters are mutually exclusive: append_privs|subtract_privs'
    a_host=$(printf %s "$a_host" | tr 'A-Z' 'a-z')
    rh_mysql_open
    _before='' _password_changed=0
    if yes "${a_force_context-}"; then _before='USE mysql; '; fi
    if [ "${a_sql_log_bin-}" = no ]; then _before="${_before}SET SQL_LOG_BIN = 0; "; fi
    if [ -n "${a_session_vars-}" ]; then
        _before="$_before$(printf %s "$a_session_vars" | perl -e "$rh_json$rh_mysql_user_session")"
        rh_mysql_must "$_before"
    fi
    _user=$(rh_mysql_text "$a_name")
    if yes "${a_host_all-}"; then _where="user = $_user"; else _where="user = $_user AND host = $(rh_mysql_text "$a_host")"; fi
    rh_mysql_must "SELECT host FROM mysql.user WHERE $_where"
    cp "$T/answer" "$T/hosts"
    put user "$a_name"
    if [ "$a_state" = absent ]; then
        _said="User doesn't exist"
        [ ! -s "$T/hosts" ] || rh_mysql_user_drop
    elif [ -s "$T/hosts" ]; then
        _said='User unchanged'
        while IFS= read -r _host; do rh_mysql_user_change; done <"$T/hosts"
    else
        ! yes "${a_host_all-}" || fail 'host_all parameter cannot be used when adding a user'
        _host=$a_host
        rh_mysql_user_add
    fi
    if [ "$a_state" = present ] && [ -n "${a_resource_limits-}" ]; then rh_mysql_user_limit; fi
    put msg "$_said"
    if [ "$_password_changed" = unknown ]; then put_json password_changed null; else put_bool password_changed "$_password_changed"; fi
}
# Statements; with --check only that there are some.
rh_mysql_user_do() {
    changed
    checking || rh_mysql_must "$_before$1"
}
rh_mysql_user_drop() {
    while IFS= read -r _host; do rh_mysql_user_do "DROP USER $_user@$(rh_mysql_text "$_host")"; done <"$T/hosts"
    _said='User deleted'
}
# Sets _by to how the user proves who he is, as SQL.
rh_mysql_user_by() {
    _by=''
    if [ -n "${a_password-}" ]; then
        rh_mysql_user_hash
        _by=" IDENTIFIED WITH mysql_native_password AS '$_hash'"
    elif [ -n "${a_plugin-}" ]; then
        case $a_plugin in *[!A-Za-z0-9_]*) fail "bad name of a plugin: '$a_plugin'" ;; esac
        _by=" IDENTIFIED WITH $a_plugin"
        if [ -n "${a_plugin_hash_string-}" ]; then _by="$_by AS $(rh_mysql_text "$a_plugin_hash_string")"
        elif [ -n "${a_plugin_auth_string-}" ]; then
            _word=BY
            [ "$a_plugin" != pam ] || _word=USING
            _by="$_by $_word $(rh_mysql_text "$a_plugin_auth_string")"
        fi
    fi
}
rh_mysql_user_hash() {
    if yes "${a_encrypted-}"; then
        _hash=$a_password
        printf '%s\n' "$_hash" | grep -qxE '\*[0-9A-Fa-f]{40}' ||
            fail 'encrypted was specified however it does not appear to be a valid hash expecting: *SHA1(SHA1(your_password))'
    else
        rh_mysql_must "SELECT CONCAT('*', UCASE(SHA1(UNHEX(SHA1($(rh_mysql_text "$a_password"))))))"
        _hash=$(cat "$T/answer")
    fi
}
rh_mysql_user_add() {
    _said='User added'
    if checking; then changed; _password_changed=unknown; return; fi
    rh_mysql_user_by
    _password_changed=1
    if [ "$a_update_password" = on_new_username ]; then rh_mysql_user_reuse; fi
    rh_mysql_user_do "CREATE USER $_user@$(rh_mysql_text "$_host")$_by$(rh_mysql_user_requires </dev/null | sed -n '2{/ REQUIRE NONE$/!p}')"
    if [ -n "${a_priv-}" ] && ! yes "${a_subtract_privs-}"; then
        : >"$T/grants"
        _was=$_said
        rh_mysql_user_grant
        _said=$_was
    fi
}
# A user of that name at another host lends the password.
rh_mysql_user_reuse() {
    rh_mysql_must "SELECT DISTINCT plugin, authentication_string FROM mysql.user WHERE user = $_user"
    [ "$(wc -l <"$T/answer")" = 1 ] || return 0
    _by=" IDENTIFIED WITH $(cut -f 1 "$T/answer") AS $(rh_mysql_text "$(cut -f 2 "$T/answer")")"
    _password_changed=0
}
rh_mysql_user_change() {
    if [ "$a_update_password" = always ] && [ -n "${a_password-}${a_plugin-}" ]; then rh_mysql_user_password; fi
    if [ -n "${a_priv-}" ]; then rh_mysql_user_privileges; fi
    rh_mysql_must "SHOW CREATE USER $_user@$(rh_mysql_text "$_host")"
    rh_mysql_user_requires <"$T/answer" >"$T/requires"
    [ "$(sed -n 1p "$T/requires")" = differs ] || return 0
    _said='TLS requires updated'
    rh_mysql_user_do "ALTER USER $_user@$(rh_mysql_text "$_host")$(sed -n 2p "$T/requires")"
}
# What TLS is demanded of the user, as SQL, and whether that differs from the CREATE USER on stdin. Without tls_requires nothing shall be.
rh_mysql_user_requires() { perl -e "$rh_json$rh_mysql_user_tls" "${a_tls_requires-}"; }
rh_mysql_user_tls='
    my $args = shift; my $want = length $args ? value(\$args) : {}; $want = {} unless ref $want; my %want = map { uc $_ => $want->{$_} } keys %$want;
    local $/; my $line = <STDIN>; $line = "" unless defined $line; my ($rest) = $line =~ /\bREQUIRE\b(.*?)(?:\bPASSWORD\b|$)/s; $rest = "" unless defined $rest;
    my %have; $have{$1} = $2 while $rest =~ /\b(CIPHER|ISSUER|SUBJECT) \x27((?:[^\x27]|\x27\x27)*)\x27/g;
    my $have = %have ? join("", map { "$_=$have{$_};" } sort keys %have) : $rest =~ /^\s*(SSL|X509)\b/ ? $1 : "NONE";
    my @named = grep { /^(CIPHER|ISSUER|SUBJECT)$/ } sort keys %want;
    s/\x27/\x27\x27/g for @want{@named};
    my $wanted = @named ? join("", map { "$_=$want{$_};" } @named) : exists $want{X509} ? "X509" : %want ? "SSL" : "NONE";
    print $have eq $wanted ? "same" : "differs", "\n";
    print " REQUIRE ", (@named ? join(" AND ", map { "$_ \x27$want{$_}\x27" } @named) : $wanted), "\n";
'
rh_mysql_user_session='
    local $/; my $in = <STDIN>; my $vars = value(\$in);
    for (sort keys %$vars) { my ($k, $v) = ($_, $vars->{$_}); $k =~ s/`/``/g; $v =~ s/\\/\\\\/g; $v =~ s/\x27/\x27\x27/g;
        $v = "\x27$v\x27" unless $v =~ /^-?\d+(\.\d+)?$/; print "SET SESSION `$k` = $v; " }
'
# Limits that are not so yet. What the server has is asked for by the names that the limits have in SQL.
rh_mysql_user_limit() {
    _host=$a_host
    _columns='max_questions, max_updates, max_connections, max_user_connections'
    ! grep -qi mariadb "$T/version" || _columns="$_columns, max_statement_time"
    rh_mysql_must "SELECT $_columns FROM mysql.user WHERE user = $_user AND host = $(rh_mysql_text "$_host")"
    _limits=$(perl -e "$rh_json$rh_mysql_user_limits" "$a_resource_limits" <"$T/answer" 2>"$T/said") || fail "$(cat "$T/said")"
    [ -z "$_limits" ] || rh_mysql_user_do "ALTER USER $_user@$(rh_mysql_text "$_host") WITH$_limits"
}
rh_mysql_user_limits='
    my $args = shift; my $want = value(\$args); my $line = <STDIN>; my %have;
    my @have = defined $line ? split /\s+/, $line : (0) x 5;
    @have{qw(MAX_QUERIES_PER_HOUR MAX_UPDATES_PER_HOUR MAX_CONNECTIONS_PER_HOUR MAX_USER_CONNECTIONS)} = @have;
    $have{MAX_STATEMENT_TIME} = $have[4] if @have > 4;
    for (sort keys %$want) {
        exists $have{$_} or do { print STDERR "resource_limits: key \x27$_\x27 is unsupported."; exit 1 };
        $want->{$_} =~ /^-?\d+$/ or do { print STDERR "Can\x27t convert value \x27$want->{$_}\x27 to integer."; exit 1 };
        print " $_ $want->{$_}" if $want->{$_} != $have{$_};
    }
'
rh_mysql_user_privileges() {
    rh_mysql_must "SHOW GRANTS FOR $_user@$(rh_mysql_text "$_host")"
    sed "s/ IDENTIFIED [BV].*PASSWORD '[^']*'//" "$T/answer" >"$T/grants"
    rh_mysql_user_grant
}
rh_mysql_user_password() {
    rh_mysql_user_by
    rh_mysql_must "SELECT plugin, authentication_string FROM mysql.user WHERE user = $_user AND host = $(rh_mysql_text "$_host")"
    _plugin=$(cut -f 1 "$T/answer") _string=$(cut -f 2 "$T/answer")
    if [ -n "${a_password-}" ]; then
        [ "$_string" != "$_hash" ] || return 0
        _said='Password updated (new style)'
        ! checking || _said='Password updated'
    else
        if [ "$_plugin" = "$a_plugin" ] && [ "${a_plugin_hash_string:-$_string}" = "$_string" ] &&
            [ "${a_plugin_auth_string:-$_string}" = "$_string" ]; then return; fi
    fi
    _password_changed=1
    rh_mysql_user_do "ALTER USER $_user@$(rh_mysql_text "$_host")$_by"
}
# From the grants there are to those that shall be. Whether that was a change, the grants themselves tell.
rh_mysql_user_grant() {
    _mode=replace
    if yes "${a_append_privs-}"; then _mode=append; fi
    if yes "${a_subtract_privs-}"; then _mode=subtract; fi
    printf '%s' "$a_priv" | perl -e "$rh_mysql_user_perl" "$T/grants" "$_mode" "$a_name" "$_user@$(rh_mysql_text "$_host")" \
        "${a_column_case_sensitive-}" >"$T/plan" 2>"$T/said" ||
        fail "invalid priv: $(cat "$T/said")"
    [ -s "$T/plan" ] || return 0
    _said=$(sed -n 1p "$T/plan")
    if checking; then changed; return; fi
    _sql=$(sed 1d "$T/plan")
    rh_mysql "$_before$_sql" >"$T/answer" 2>"$T/said" || fail "Error granting privileges, invalid priv string: $(cat "$T/said")"
    rh_mysql_must "SHOW GRANTS FOR $_user@$(rh_mysql_text "$_host")"
    sed "s/ IDENTIFIED [BV].*PASSWORD '[^']*'//" "$T/answer" | cmp -s - "$T/grants" || changed
}
rh_mysql_user_perl='
    use strict; use warnings;
    my ($grants, $mode, $name, $who, $cased) = @ARGV;
    local $/; my $priv = <STDIN>;
    sub plain { my $t = shift; $t =~ s/\\(u00([0-9a-f]{2})|.)/defined $2 ? chr hex $2 : $1 eq "n" ? "\n" : $1/ge; $t }
    my @pairs;
    if ($priv =~ /^\s*\{/) {
        push @pairs, plain($1) . ":" . plain($2) while $priv =~ /"((?:[^"\\]|\\.)*)"\s*:\s*"((?:[^"\\]|\\.)*)"/g;
    } else { $priv =~ s/^"|"$//g; @pairs = split m{/}, plain($priv) }
    sub privileges { my @p = $_[0] =~ /\s*((?:[^,(]|\([^)]*\))+)/g; s/\s+$// for @p;
        for (@p) { s/\(([^)]*)\)/"(" . join(", ", sort map { s{[`\s]}{}gr } split m{,}, $1) . ")"/e; $_ = "ALL" if $_ eq "ALL PRIVILEGES" } @p }
    my (%want, %have);
    for (@pairs) {
        s/^\s+|\s+$//g; next unless length;
        my ($on, $what) = /^(.*):(.*)$/s or die "\x27$_\x27 is not db.table:PRIVILEGES\n";
        my $kind = $on =~ s/^(FUNCTION|PROCEDURE) //i ? uc($1) . " " : "";
        my @side = $on =~ /^(.*)\.(.*)$/s ? ($1, $2) : ($on);
        for (@side) { s/^`|`$//g; $_ = "`$_`" if $_ ne "*" }
        $want{$kind . join ".", @side} = [privileges($cased eq "yes" ? $what =~ s/(\([^)]*\))|([^(]+)/defined $1 ? $1 : uc $2/ger : uc $what)];
    }
    $want{"*.*"} ||= ["USAGE"] unless $mode eq "subtract";
    open my $f, "<", $grants or die "$grants: $!\n";
    for (split /\n/, <$f>) {
        my ($p, $on, $rest) = /^GRANT (.+) ON (.+) TO (?:[\x27`]).*?[\x27`]@[\x27`].*?[\x27`] ?(.*)$/ or next;
        push @{$have{$on}}, privileges($p), $rest =~ /WITH GRANT OPTION/ ? "GRANT" : ();
    }
    my ($said, @sql) = ("");
    sub without { my ($a, $b) = @_; my %b = map { $_ => 1 } @$b; grep { !$b{$_} } @$a }
    sub both { my ($a, $b) = @_; my %b = map { $_ => 1 } @$b; grep { $b{$_} } @$a }
    sub list { "[" . join(", ", map { "\x27$_\x27" } @_) . "]" }
    sub grant { my ($on, @p) = @_; my @q = grep { $_ ne "GRANT" } @p; @q = ("USAGE") unless @q;
        push @sql, "GRANT " . join(",", @q) . " ON $on TO $who" . (@q < @p || "@p" =~ /\bGRANT\b/ ? " WITH GRANT OPTION" : "") . ";" }
    sub revoke { my ($on, @p) = @_;
        push @sql, "REVOKE GRANT OPTION ON $on FROM $who;" if grep { $_ eq "GRANT" } @p;
        my @q = grep { $_ ne "GRANT" } @p; push @sql, "REVOKE " . join(",", @q) . " ON $on FROM $who;" if @q }
    if ($mode eq "replace") {
        for my $on (sort keys %have) {
            next if $want{$on} || $name eq "root" || grep { $_ eq "PROXY" } @{$have{$on}};
            $said = "Privileges updated"; revoke($on, @{$have{$on}});
        }
    }
    if ($mode ne "subtract") {
        for my $on (sort keys %want) { next if $have{$on}; $said = "New privileges granted"; grant($on, @{$want{$on}}) }
    }
    for my $on (sort keys %want) {
        next unless $have{$on};
        my ($w, $h) = ($want{$on}, $have{$on}); my (@give, @take);
        if ($mode eq "append") { @give = without($w, $h) }
        elsif ($mode eq "subtract") { @take = both($w, $h) }
        else {
            @give = without($w, $h); @take = without($h, $w);
            @take = grep { $_ eq "GRANT" || $_ eq "PROXY" } @take if grep { $_ eq "ALL" } @give;
        }
        @take = grep { $_ ne "USAGE" } @take;
        next unless @give || @take;
        push @give, "USAGE" if "@give" eq "GRANT";
        $said = "Privileges updated: granted " . list(@give) . ", revoked " . list(@take);
        revoke($on, @take) if @take; grant($on, @give) if @give;
    }
    print "$said\n", join("\n", @sql), "\n" if @sql;
'
