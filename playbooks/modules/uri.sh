# uri (ansible.builtin): a request to a web server, and what it answers.
# Needs curl on the host. `json` is there when the answer says that it is JSON. Names and passwords are never arguments of a
# program. Skipped with --check, as in Ansible. Basic authentication is sent at once.
#
# arg url text, required
# arg method text
# arg body json
# arg body_format text, one of form-urlencoded json raw
# arg headers lines
# arg status_code words
# arg return_content bool
# arg dest path
# arg creates path
# arg removes path
# arg timeout int
# arg follow_redirects text, one of all no none safe urllib2 yes
# arg validate_certs bool
# arg url_username text, or user
# arg url_password text, or password
# arg force_basic_auth bool
# arg force bool
# arg http_agent text
# arg use_proxy bool
# arg unix_socket path
# arg client_cert path
# arg client_key path
# arg ca_path path
# arg mode mode
# arg owner text
# arg group text
# returns content elapsed json msg path redirected status url
# needs json
module_uri() {
    ! checking || skip 'remote module (uri) does not support check mode'
    : "${a_status_code:=200}" "${a_method:=GET}" "${a_timeout:=30}" "${a_body_format:=raw}"
    a_method=$(printf %s "$a_method" | tr 'a-z' 'A-Z')
    if [ -n "${a_creates-}" ] && [ -e "$a_creates" ]; then put stdout "skipped, since '$a_creates' exists"; return; fi
    if [ -n "${a_removes-}" ] && [ ! -e "$a_removes" ]; then put stdout "skipped, since '$a_removes' does not exist"; return; fi
    command -v curl >/dev/null || fail 'curl is needed on the host'
    rh_uri_config
    _begin=$(date +%s)
    run curl -K "$T/curlrc" -w '%{http_code} %{size_download} %{url_effective}' -o "$T/body" -D "$T/headers" >"$T/answer" 2>"$T/said"
    _status=$?
    put_int elapsed $(($(date +%s) - _begin))
    read -r _code _size _url <"$T/answer"
    if [ $_status != 0 ] && [ "${_code:-000}" = 000 ]; then rh_uri_dead; fi
    rh_uri_answer
}
rh_uri_option() { printf '%s = "%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"; }
rh_uri_config() {
    {
        rh_uri_option url "$a_url"
        rh_uri_option request "$a_method"
        printf 'silent\nshow-error\ngloboff\n'
        [ "$a_method" != HEAD ] || echo head
        case ${a_follow_redirects:-safe}:$a_method in
        all:* | yes:* | urllib2:* | safe:GET | safe:HEAD) echo location ;;
        esac
        rh_uri_option connect-timeout "$a_timeout"
        printf 'speed-limit = 1\nspeed-time = %s\n' "$a_timeout"
        rh_uri_option user-agent "${a_http_agent:-ansible-httpget}"
        [ -z "${a_url_username-}" ] || rh_uri_option user "$a_url_username:${a_url_password-}"
        [ "${a_validate_certs-}" != no ] || echo insecure
        [ "${a_use_proxy-}" != no ] || rh_uri_option noproxy '*'
        [ -z "${a_unix_socket-}" ] || rh_uri_option unix-socket "$a_unix_socket"
        [ -z "${a_client_cert-}" ] || rh_uri_option cert "$a_client_cert"
        [ -z "${a_client_key-}" ] || rh_uri_option key "$a_client_key"
        [ -z "${a_ca_path-}" ] || rh_uri_option cacert "$a_ca_path"
        if yes "${a_force-}"; then echo 'header = "Cache-Control: no-cache"'; fi
        [ -z "${a_headers-}" ] || printf '%s' "$a_headers" | sed 's/[\\"]/\\&/g; s/.*/header = "&"/'
        [ -z "${a_body+set}" ] || rh_uri_body
    } >"$T/curlrc"
}
rh_uri_body() {
    printf '%s' "$a_body" | perl -e "$rh_json"'
        my $form = shift; local $/; my $text = <STDIN>; my $v = $text =~ /^\s*["\[{]/ || $text eq "null" ? value(\(my $copy = $text)) : $text;
        if (!ref $v) { print defined $v ? $v : ""; exit }
        if ($form ne "form-urlencoded") { print $text; exit }
        sub enc { my $t = shift; $t = "" unless defined $t; $t =~ s/([^A-Za-z0-9_.~ -])/sprintf "%%%02X", ord $1/ge; $t =~ s/ /+/g; $t }
        my @pairs = ref $v eq "HASH" ? map { my $k = $_; map { [$k, $_] } ref $v->{$k} eq "ARRAY" ? @{$v->{$k}} : $v->{$k} } @{$order{$v}} : @$v;
        print join "&", map { enc($_->[0]) . "=" . enc($_->[1]) } @pairs;' "$a_body_format" >"$T/sent" || fail 'the body cannot be read'
    rh_uri_option data-binary "@$T/sent"
    case $a_body_format:$(printf '%s' "${a_headers-}" | tr 'A-Z' 'a-z') in
    *content-type:*) ;;
    json:*) echo 'header = "Content-Type: application/json"' ;;
    form-urlencoded:*) echo 'header = "Content-Type: application/x-www-form-urlencoded"' ;;
    esac
}
rh_uri_wanted() { echo "$a_status_code" | tr -d "'" | sed 's/ /, /g'; }
rh_uri_dead() {
    put_int status -1
    put url "$a_url"
    put_bool redirected 0
    fail "Status code was -1 and not [$(rh_uri_wanted)]: Request failed: $(sed 's/^curl: //' "$T/said")"
}
rh_uri_answer() {
    [ -e "$T/body" ] || : >"$T/body"
    case $a_url in */*/*/*) ;; *) [ "$_url" != "$a_url/" ] || _url=$a_url ;; esac
    put_int status "$_code"
    put url "$_url"
    [ "$_url" = "$a_url" ]
    put_bool redirected $?
    rh_uri_headers
    case $_type in
    application/json* | */*+json* | text/json* | application/javascript* | text/javascript*) put_json json "$(cat "$T/body")" ;;
    esac
    if yes "${a_return_content-}"; then
        _text=$(cat "$T/body" && printf x) # the x keeps its last line ends
        put content "${_text%x}"
    fi
    case ", $(rh_uri_wanted)," in
    *" $_code,"*) ;;
    *) fail "Status code was $_code and not [$(rh_uri_wanted)]: HTTP Error $_code: $_reason" ;;
    esac
    put msg "OK (${_length:-unknown} bytes)"
    [ -z "${a_dest-}" ] || rh_uri_keep
}
# The headers of the last answer, as values of their own: content_type, location ...
rh_uri_headers() {
    tr -d '\r' <"$T/headers" | awk '/^HTTP\// { n = 0 } { line[++n] = $0 } END { for (i = 1; i <= n; i++) if (line[i] != "") print line[i] }' >"$T/last"
    _reason=$(sed -n '1s/^[^ ]* [0-9]* *//p' "$T/last") _type='' _length=''
    while IFS= read -r _line; do
        case $_line in *:*) ;; *) continue ;; esac
        _key=$(printf %s "${_line%%:*}" | tr 'A-Z-' 'a-z_' | tr -cd 'a-z0-9_')
        _value=${_line#*:}
        _value=${_value# }
        case $_key in
        '' | status | url | json | content | changed | failed | msg) continue ;;
        content_type) _type=$(printf %s "$_value" | tr 'A-Z' 'a-z') ;;
        content_length) _length=$_value ;;
        location) _value=$(rh_uri_absolute "$_value") ;;
        esac
        put "$_key" "$_value"
    done <"$T/last"
}
rh_uri_absolute() {
    case $1 in
    *://*) echo "$1" ;;
    /*) echo "$(echo "$_url" | sed 's#^\([a-z]*://[^/]*\).*#\1#')$1" ;;
    *) echo "${_url%/*}/$1" ;;
    esac
}
rh_uri_keep() {
    if [ -d "$a_dest" ]; then
        _name=${_url##*/}
        _name=${_name%%[?#]*}
        a_dest=${a_dest%/}/${_name:-index.html}
    fi
    put path "$a_dest"
    changed
    if [ -e "$a_dest" ] && cmp -s -- "$T/body" "$a_dest"; then attributes "$a_dest"; return; fi
    place_file "$T/body" "$a_dest"
}
