# copy (ansible.builtin): a file as it is here, or a text.
# `src` is a file of the control side (in `files/` of the role, beside the playbook) or, with `remote_src: yes`, of the host.
# `content` may be a map: it becomes JSON. `local_follow` has no effect.
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
# arg force bool
# arg follow bool
# arg remote_src bool
# arg local_follow bool
# returns dest msg src

# Puts a_content (text), the gathered a_data (large or binary) or the host's own file a_src at a_dest. a_basename is the file's name when a_dest is a folder.
module_copy() {
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
    put dest "$_dest"
    if [ ! -d "${_dir:-/}" ]; then
        checking || fail "Destination directory $_dir does not exist"
    fi
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
    if [ -e "$_dest" ] && [ "${a_force-}" = no ]; then put msg 'file already exists'; return; fi
    if [ -L "$_dest" ] || ! cmp -s -- "$_from" "$_dest"; then
        changed
        if [ -e "$_dest" ]; then show_diff "$_dest" "$_dest" "$_from"; else show_diff "$_dest" /dev/null "$_from"; fi
        if ! checking; then
            # Like a fresh file: what a link points to keeps its attributes to itself.
            if [ -L "$_dest" ]; then rm -f -- "$_dest"; fi
            place_file "$_from" "$_dest"
        fi
        return
    fi
    attributes "$_dest"
}
# Missing folders above a file: with directory_mode, owner and group.
rh_copy_folders() {
    [ -d "$1" ] && return
    case $1 in */*) [ -z "${1%/*}" ] || rh_copy_folders "${1%/*}" ;; esac
    must mkdir -- "$1"
    (a_mode=${a_directory_mode-}; attributes "$1") || exit
}
