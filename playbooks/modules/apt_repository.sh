# apt_repository (ansible.builtin): one line of apt's sources.
# `ppa:` is refused: write the line with `signed-by`.
#
# arg repo text, required
# arg state text, one of absent present
# arg filename text
# arg mode mode
# arg update_cache bool, or update-cache
# returns repo state
module_apt_repository() {
    : "${a_state:=present}" "${a_mode:=0644}"
    case $a_repo in
    ppa:*) fail 'a ppa: needs its key; write the deb line with signed-by instead' ;;
    deb\ * | deb-src\ *) ;;
    *) fail "Invalid repository string: $a_repo" ;;
    esac
    _line=$(echo "$a_repo" | sed 's/[[:space:]]\{1,\}/ /g; s/ $//')
    put repo "$a_repo"
    put state "$a_state"
    _found=$(rh_apt_repository_find)
    if [ "$a_state" = absent ]; then
        [ -n "$_found" ] || return 0
        changed
        checking && return
        for _file in $_found; do rh_apt_repository_remove "$_file"; done
    else
        [ -z "$_found" ] || return 0
        changed
        checking && return
        _file=/etc/apt/sources.list.d/$(rh_apt_repository_name).list
        { [ ! -e "$_file" ] || cat "$_file"; printf '%s\n' "$_line"; } >"$T/new"
        place_file "$T/new" "$_file"
    fi
    [ "${a_update_cache-}" = no ] || must apt-get -q update
}
# The files in which the line stands.
rh_apt_repository_find() {
    for _file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$_file" ] && sed 's/[[:space:]]\{1,\}/ /g; s/ $//' "$_file" | grep -qxF -- "$_line" && echo "$_file"
    done
}
rh_apt_repository_remove() {
    unset a_mode
    awk -v want="$_line" '{ line = $0; gsub(/[ \t]+/, " ", line); sub(/ $/, "", line) } line != want' "$1" >"$T/new"
    if [ -s "$T/new" ] || [ "$1" = /etc/apt/sources.list ]; then place_file "$T/new" "$1"; else must rm -f -- "$1"; fi
}
rh_apt_repository_name() {
    if [ -n "${a_filename-}" ]; then echo "${a_filename%.list}"; return; fi
    echo "$_line" | sed -e 's/\[[^]]*\]//' -e 's#[a-z]*://##' -e 's/^deb\(-src\)\{0,1\} *//' -e 's/ .*//' -e 's/.*@//' \
        -e 's/[^a-zA-Z0-9]\{1,\}/_/g' -e 's/^_//' -e 's/_$//'
}
