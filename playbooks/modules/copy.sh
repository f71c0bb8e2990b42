# copy (ansible.builtin): a file of the control side, or a text, at a path of the host.
# `content`, or `src`: a file or folder of the control side (in `files/`), with `remote_src: yes` one of the host. Of a folder with a slash at
# the end what it holds, without one the folder itself; links are followed.
# `local_follow` and `unsafe_writes` have no effect.
#
# arg dest path, required
# arg src text
# arg content any
# arg mode mode
# arg owner text
# arg group text
# arg directory_mode mode
# arg validate validate
# arg backup bool
# arg checksum text
# arg force bool
# arg follow bool
# arg remote_src bool
# arg local_follow bool
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns backup_file checksum dest gid group md5sum mode msg owner path size src state uid
# needs copy_tree

# A text is a_content, large or binary content the gathered a_data. a_basename is the file's name when a_dest is a folder.
module_copy() {
    if [ -n "${a_tree-}" ]; then rh_tree; return; fi
    if [ -n "${a_src-}" ] && [ -d "$a_src" ]; then rh_copy_tree; return; fi
    _dest=$a_dest
    case $_dest in
    */)
        [ -n "${a_basename-}" ] || fail "can not use content with a dir as dest"
        if [ ! -d "$_dest" ]; then
            if checking; then changed; put dest "$_dest"; return; fi
            rh_copy_folders "${_dest%/}"
        fi
        ;;
    esac
    if [ -d "$_dest" ]; then
        [ -n "${a_basename-}" ] || fail "can not use content with a dir as dest"
        _dest=${_dest%/}/$a_basename
    fi
    [ -L "$_dest" ] && [ "${a_follow-}" = yes ] && _dest=$(readlink -f -- "$_dest")
    case $_dest in */*) _dir=${_dest%/*} ;; *) _dir=. ;; esac
    if [ -n "${a_src-}" ]; then
        [ -f "$a_src" ] || fail "Source $a_src not found"
        _from=$a_src
        [ "${a_mode-}" != preserve ] || a_mode=$(stat -L -c %a -- "$a_src")
        put src "$a_src"
    elif [ -n "${a_data-}" ]; then
        _from=$T/data.$a_data
    else
        _from=$T/new
        printf %s "$a_content" >"$_from"
    fi
    if [ -e "$_dest" ] && [ "${a_force-}" = no ]; then put dest "$_dest"; return; fi
    rh_copy_sums
    if [ ! -d "${_dir:-/}" ]; then
        checking || fail "Destination directory $_dir does not exist"
    fi
    put dest "$_dest"
    r_path=$_dest
    if [ -L "$_dest" ] || ! cmp -s -- "$_from" "$_dest"; then
        changed
        if wanted; then
            _sum=$(md5sum <"$_from") && put md5sum "${_sum%% *}"
        fi
        if [ -e "$_dest" ]; then show_diff "$_dest" "$_dest" "$_from"; else show_diff "$_dest" /dev/null "$_from"; fi
        if ! checking; then
            # Like a fresh file: what a link points to keeps its attributes to itself.
            if [ -L "$_dest" ]; then rm -f -- "$_dest"; fi
            place_file "$_from" "$_dest"
        fi
        return
    fi
    put path "$_dest"
    attributes "$_dest"
}
rh_copy_sums() {
    if wanted || [ -n "${a_checksum-}" ]; then
        _sum=$(sha1sum <"$_from")
        _sum=${_sum%% *}
        put checksum "$_sum"
        [ -z "${a_checksum-}" ] || [ "$a_checksum" = "$_sum" ] || {
            put expected_checksum "$a_checksum"
            fail 'Copied file does not match the expected checksum. Transfer failed.'
        }
    fi
}
# Missing folders above a file: with directory_mode, owner and group.
rh_copy_folders() {
    [ -d "$1" ] && return
    case $1 in */*) [ -z "${1%/*}" ] || rh_copy_folders "${1%/*}" ;; esac
    must mkdir -- "$1"
    (a_mode=${a_directory_mode-}; attributes "$1") || exit
}
# A folder of the host: what it holds when a_src ends with a slash, else the folder itself.
rh_copy_tree() {
    case $a_src in
    */) _to=${a_dest%/} ;;
    *) _to=${a_dest%/}/${a_src##*/} ;;
    esac
    put src "$a_src"
    put dest "$a_dest"
    [ "${a_mode-}" != preserve ] || unset a_mode
    [ -d "$_to" ] || { changed; checking || rh_copy_folders "$_to"; }
    find "${a_src%/}" -mindepth 1 -printf '%y/%P\n' >"$T/list"
    while IFS= read -r _each; do
        _name=${_each#*/}
        case $_each in
        d/*) [ -d "$_to/$_name" ] || { changed; checking || rh_copy_folders "$_to/$_name"; } ;;
        l/*) rh_copy_link "${a_src%/}/$_name" "$_to/$_name" ;;
        *) rh_copy_file "${a_src%/}/$_name" "$_to/$_name" ;;
        esac
    done <"$T/list"
    checking || r_path=$a_dest
}
rh_copy_link() { # link to
    [ "$(readlink -- "$1")" != "$(readlink -- "$2")" ] || return 0
    changed
    checking || must cp -Pfp -- "$1" "$2"
}
rh_copy_file() { # file to
    if [ ! -e "$2" ] || { [ "${a_force-}" != no ] && ! cmp -s -- "$1" "$2"; }; then
        changed
        checking && return
        if [ -e "$2" ] && yes "${a_backup-}"; then backup_file "$2"; fi
        must cp -fT -- "$1" "$2"
        must chmod --reference="$1" -- "$2"
    fi
    attributes "$2"
}
