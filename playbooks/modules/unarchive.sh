# unarchive (ansible.builtin): unpacks a tar or zip archive.
# tar (compressed or not) or zip (needs unzip). `src` of the control side, or of the host or a URL with `remote_src: yes`. A
# zip is unpacked each time.
#
# arg src text, required
# arg dest path, required
# arg remote_src bool
# arg creates path
# arg extra_opts words
# arg keep_newer bool
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns dest msg
module_unarchive() {
    [ -d "$a_dest" ] || fail "dest '$a_dest' must be an existing dir"
    put dest "$a_dest"
    if [ -n "${a_creates-}" ]; then
        for _each in $a_creates; do
            [ ! -e "$_each" ] || skip "skipped, since $a_creates exists"
        done
    fi
    if [ -n "${a_data-}" ]; then
        a_src=$T/data.$a_data
    elif [ -n "${a_content-}" ]; then
        printf %s "$a_content" >"$T/archive"
        a_src=$T/archive
    else
        case $a_src in
        *://*)
            _archive=$(mktemp "${TMPDIR:-/var/tmp}/rehost-archive.XXXXXXXXXX") || fail 'cannot make a temporary file'
            trap 'rm -f "$_archive"' EXIT
            run curl -fsSL --retry 2 -o "$_archive" -- "$a_src" 2>"$T/said" || fail "Failure downloading $a_src, $(cat "$T/said")"
            a_src=$_archive
            ;;
        esac
        [ -f "$a_src" ] || fail "Source '$a_src' does not exist"
    fi
    set --
    if [ -n "${a_extra_opts-}" ]; then eval "set -- $a_extra_opts"; fi
    case $(head -c 2 "$a_src") in
    PK) rh_unarchive_zip "$@" ;;
    *) rh_unarchive_tar "$@" ;;
    esac
}
# tar itself says whether anything differs from what is there.
rh_unarchive_tar() {
    if ! run tar --diff -C "$a_dest" ${a_owner:+--owner="$a_owner"} ${a_group:+--group="$a_group"} "$@" -f "$a_src" >"$T/diff" 2>&1 &&
        [ -n "$(grep -v ': \(Uid\|Gid\|Mode\|Mod time\) differs$' "$T/diff")" ]; then
        changed
        checking && return
        if yes "${a_keep_newer-}"; then set -- --keep-newer-files "$@"; fi
        must tar -C "$a_dest" --extract ${a_owner:+--owner="$a_owner"} ${a_group:+--group="$a_group"} "$@" -f "$a_src"
    fi
    [ -n "${a_mode-}${a_owner-}${a_group-}" ] || return 0
    tar -C "$a_dest" --list "$@" -f "$a_src" | rh_unarchive_attributes
}
rh_unarchive_zip() {
    command -v unzip >/dev/null || fail 'Unable to find required "unzip" binary in the path.'
    changed
    checking && return
    must unzip -qo "$@" "$a_src" -d "$a_dest"
    [ -n "${a_mode-}${a_owner-}${a_group-}" ] || return 0
    unzip -Z1 "$a_src" | rh_unarchive_attributes
}
rh_unarchive_attributes() {
    cat >"$T/list"
    while IFS= read -r _each; do
        [ ! -e "$a_dest/$_each" ] || [ -L "$a_dest/$_each" ] || attributes "$a_dest/${_each%/}"
    done <"$T/list"
}
