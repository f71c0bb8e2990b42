# apt_repository (ansible.builtin): one line of apt's sources.
# Only files that the line stands in are written. `ppa:OWNER/NAME` asks Launchpad for the key and needs gpg and curl on the host; the key is
# kept in `/etc/apt/trusted.gpg.d`. `install_python_apt` means nothing: no Python is needed.
#
# arg repo text, required
# arg state text, one of absent present
# arg filename text
# arg codename text
# arg mode mode
# arg update_cache bool, or update-cache
# arg update_cache_retries int
# arg update_cache_retry_max_delay int
# arg install_python_apt bool
# arg validate_certs bool
# returns repo state
module_apt_repository() {
    [ -n "$a_repo" ] || fail "Please set argument 'repo' to a non-empty value"
    : "${a_state:=present}"
    _line=$a_repo _name=$a_repo
    case $a_repo in
    ppa:*) rh_apt_repository_ppa ;;
    esac
    _line=$(printf '%s\n' "$_line" | awk "$rh_apt_repository_awk"'{ parse($0); if (valid && on) print source }')
    [ -n "$_line" ] || fail "Invalid repository string: $a_repo"
    put repo "$a_repo"
    put state "$a_state"
    _found='' _touched='' _added=''
    rm -f "$T"/was.* "$T/diff" # an earlier task's
    for _file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -f "$_file" ] || rh_apt_repository_look
    done
    if [ "$a_state" = present ] && [ -z "$_found" ]; then rh_apt_repository_add; fi
    [ -n "$_touched" ] || return 0
    changed
    if [ -n "$RH_DIFF" ]; then put diff "$(cat "$T/diff")"; fi
    checking && return
    rh_apt_repository_save
    [ "${a_update_cache-}" = no ] || rh_apt_repository_update
}
# A line as Ansible reads it: a comment, or a source that is on or off, with a comment behind it. It is written back in one form.
rh_apt_repository_awk='
    function trim(s) { gsub(/^[ \t\r]+|[ \t\r]+$/, "", s); return s }
    function parse(line,   i, n, word) {
        line = trim(line); on = 1; comment = ""; valid = 0
        if (substr(line, 1, 1) == "#") { on = 0; line = substr(line, 2) }
        i = index(line, "#")
        if (i > 1) { comment = trim(substr(line, i + 1)); line = substr(line, 1, i - 1) }
        source = trim(line); n = split(source, word, /[ \t]+/)
        if (word[1] != "deb" && word[1] != "deb-src") return
        valid = 1; source = word[1]
        for (i = 2; i <= n; i++) source = source " " word[i]
    }
'
# Takes the line out of _file, or makes it count there again; the new text waits in $T/file.N.
rh_apt_repository_look() {
    awk -v state="$a_state" "$rh_apt_repository_awk"'
        BEGIN { want = ARGV[1]; ARGV[1] = "" }
        { parse($0); same = valid && source == want; if (same) found = 1 }
        same && on && state == "absent" { differs = 1; next }
        same && !on && state == "present" { differs = 1; on = 1 }
        { print (on ? "" : "# ") source (comment == "" ? "" : " # " comment) }
        END { exit differs ? 4 : found ? 3 : 0 }' "$_line" "$_file" >"$T/look"
    case $? in
    0) ;;
    3) _found=1 ;;
    4) _found=1; rh_apt_repository_touch ;;
    *) fail "cannot read '$_file'" ;;
    esac
}
rh_apt_repository_touch() {
    _touched="$_touched$_file$RH_NL"
    _n=$(printf %s "$_touched" | wc -l)
    mv "$T/look" "$T/file.$_n"
    if [ -e "$_file" ]; then cp -p -- "$_file" "$T/was.$_n"; else : >"$T/none"; fi
    [ -z "$RH_DIFF" ] || diff -u -L "$_file" -L "$_file" -- "$(if [ -e "$T/was.$_n" ]; then echo "$T/was.$_n"; else echo "$T/none"; fi)" "$T/file.$_n" >>"$T/diff"
}
rh_apt_repository_add() {
    _file=$(rh_apt_repository_file)
    if [ -e "$_file" ]; then
        awk "$rh_apt_repository_awk"'{ parse($0); print (on ? "" : "# ") source (comment == "" ? "" : " # " comment) }' "$_file" >"$T/look"
    else
        : >"$T/look"
    fi
    printf '%s\n' "$_line" >>"$T/look"
    _added=$_file
    rh_apt_repository_touch
}
# Where a new line goes: its address without scheme, options and credentials, in letters and digits.
rh_apt_repository_file() {
    if [ -n "${a_filename-}" ]; then
        case $a_filename in
        */*) printf '%s.list\n' "$a_filename" ;;
        *) printf '/etc/apt/sources.list.d/%s.list\n' "$a_filename" ;;
        esac
        return
    fi
    case $_name in ppa:*) ;; *) _name=$_line ;; esac
    printf '%s\n' "$_name" | sed -E -e 's/\[[^]]+\]//g' -e 's#[A-Za-z0-9_]+://##g' | awk '{
        for (i = 1; i <= NF; i++) if ($i != "deb" && $i != "deb-src") break
        name = $i; sub(/^[^@]*@/, "", name); gsub(/[^a-zA-Z0-9]+/, " ", name); gsub(/^ | $/, "", name); gsub(/ /, "_", name)
        print "/etc/apt/sources.list.d/" name ".list" }'
}
rh_apt_repository_each() { # function: for each file that was touched
    _n=0
    while IFS= read -r _file; do
        [ -n "$_file" ] || continue
        _n=$((_n + 1))
        "$1"
    done <<FILES
$_touched
FILES
}
rh_apt_repository_save() {
    _wanted=${a_mode-}
    rh_apt_repository_each rh_apt_repository_write
}
rh_apt_repository_write() {
    a_mode=''
    [ "$_file" != "${_added-}" ] || a_mode=$_wanted
    if [ ! -s "$T/file.$_n" ]; then must rm -f -- "$_file"; return; fi
    must mkdir -p -- "${_file%/*}"
    place_file "$T/file.$_n" "$_file"
}
rh_apt_repository_restore() {
    if [ -e "$T/was.$_n" ]; then cp -p -- "$T/was.$_n" "$_file"; else rm -f -- "$_file"; fi
}
# Lists that cannot be fetched undo it all: the next run shall try again.
rh_apt_repository_update() {
    _tries=${a_update_cache_retries:-5} _pause=1
    while [ "$_tries" -gt 0 ]; do
        run apt-get -q update -o APT::Update::Error-Mode=any >"$T/said" 2>&1 && return
        _tries=$((_tries - 1))
        [ "$_pause" -le "${a_update_cache_retry_max_delay:-12}" ] || _pause=${a_update_cache_retry_max_delay:-12}
        [ "$_tries" = 0 ] || sleep "$_pause"
        _pause=$((_pause * 2))
    done
    rh_apt_repository_each rh_apt_repository_restore
    fail "Failed to update apt cache: $(grep -E '^(E|W|Err)' "$T/said" | tail -n 20)"
}
# What a ppa: stands for, and, when its line is new, its key.
rh_apt_repository_ppa() {
    _ppa=${a_repo#ppa:}
    _owner=${_ppa%%/*} _archive=ppa
    case $_ppa in */*) _archive=${_ppa#*/} _archive=${_archive%%/*} ;; esac
    case $_owner$_archive in *[!A-Za-z0-9.+-]* | '') fail "Invalid repository string: $a_repo" ;; esac
    # shellcheck disable=SC1091 # on the host
    [ -n "${a_codename-}" ] || a_codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    _line="deb http://ppa.launchpad.net/$_owner/$_archive/ubuntu $a_codename main"
    _name="${a_repo}_$a_codename"
    [ "$a_state" = present ] || return 0
    ! cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | grep -qxF -- "$_line" || return 0
    for _tool in gpg curl; do command -v $_tool >/dev/null || fail "a ppa: needs $_tool on the host, to fetch its key"; done
    set -- -fsSL --retry 2
    [ "${a_validate_certs-}" != no ] || set -- "$@" --insecure
    run curl "$@" -H 'Accept: application/json' "https://launchpad.net/api/1.0/~$_owner/+archive/$_archive" >"$T/ppa" 2>"$T/said" ||
        fail "failed to fetch PPA information, error was: $(cat "$T/said")"
    _print=$(sed -n 's/.*"signing_key_fingerprint": *"\([0-9A-F]*\)".*/\1/p' "$T/ppa")
    [ -n "$_print" ] || fail "failed to fetch PPA information, error was: no key is told for $a_repo"
    if checking || [ -e "/etc/apt/trusted.gpg.d/$_print.asc" ]; then return; fi
    run curl "$@" "https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x$_print" >"$T/key" 2>"$T/said" ||
        fail "cannot fetch the key $_print: $(cat "$T/said")"
    run gpg --homedir "$T" --batch --with-colons --show-keys "$T/key" 2>/dev/null | awk -F: '/^fpr/ { print $10; exit }' >"$T/print"
    [ "$(cat "$T/print")" = "$_print" ] || fail "the key server answered with another key than $_print"
    must install -m 0644 -- "$T/key" "/etc/apt/trusted.gpg.d/$_print.asc"
}
