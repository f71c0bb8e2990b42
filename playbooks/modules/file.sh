# file (ansible.builtin): the kind and the attributes of a file, folder or link.
# `state: absent` removes folders with all they hold, but does not leave the file system. Returns as below, by state.
#
# arg path path, required, or dest name
# arg state text, one of absent directory file hard link touch
# arg src path
# arg mode mode
# arg owner text
# arg group text
# arg recurse bool
# arg force bool
# arg follow bool
# arg modification_time text, one of preserve now
# arg access_time text, one of preserve now
# returns dest path src state

# Without a_state: a file or folder as it is, or a folder when a_recurse.
module_file() {
    put path "$a_path"
    if [ -L "$a_path" ]; then _is='link'
    elif [ -d "$a_path" ]; then _is=directory
    elif [ ! -e "$a_path" ]; then _is=absent
    elif [ -f "$a_path" ] && [ "$(stat -c %h -- "$a_path")" -gt 1 ]; then _is=hard
    else _is='file'
    fi
    if [ -z "${a_state-}" ]; then
        case $_is in
        absent) if yes "${a_recurse-}"; then a_state=directory; else a_state=file; fi ;;
        *) a_state=$_is ;;
        esac
    fi
    put state "$a_state"
    [ ! -d "$a_path" ] || [ -L "$a_path" ] || [ -z "${a_src-}" ] || case $a_state in
        link | hard) ;;
        *) a_path=${a_path%/}/${a_src##*/} ;;
    esac
    "rh_file_$a_state"
}
rh_file_follow() {
    [ "$_is" = link ] && [ "${a_follow-}" != no ] || return 0
    a_path=$(readlink -f -- "$a_path")
    if [ -d "$a_path" ]; then _is=directory; elif [ -e "$a_path" ]; then _is=file; else _is=absent; fi
}
rh_file_absent() {
    [ $_is = absent ] && return
    changed
    checking || must rm -rf --one-file-system -- "$a_path"
}
rh_file_file() {
    rh_file_follow
    case $_is in file | hard) ;; *) fail "file ($a_path) is $_is, cannot continue" ;; esac
    attributes "$a_path"
}
rh_file_directory() {
    rh_file_follow
    case $_is in
    absent)
        changed
        checking || rh_file_folders "${a_path%/}"
        return
        ;;
    directory) ;;
    *) fail "$a_path already exists as a $_is" ;;
    esac
    attributes "$a_path"
    yes "${a_recurse-}" && [ -n "${a_mode-}${a_owner-}${a_group-}" ] || return 0
    find "$a_path" -mindepth 1 >"$T/list"
    while IFS= read -r _each; do
        if [ -L "$_each" ]; then attributes "$_each" link; else attributes "$_each"; fi
    done <"$T/list"
}
# Every folder that is made gets the attributes, as in Ansible.
rh_file_folders() {
    [ -d "$1" ] && return
    case $1 in
    /*/* | [!/]*/*) rh_file_folders "${1%/*}" ;;
    esac
    must mkdir -- "$1"
    attributes "$1"
}
rh_file_link() {
    if [ -z "${a_src-}" ]; then
        [ $_is = link ] || fail 'src is required for creating new symlinks'
        a_src=$(readlink -- "$a_path")
    fi
    put dest "$a_path"
    put src "$a_src"
    case $a_src in
    /*) _target=$a_src ;;
    *) if [ $_is = directory ]; then _target=$a_path/$a_src; else _target=$(dirname -- "$a_path")/$a_src; fi ;;
    esac
    [ -e "$_target" ] || yes "${a_force-}" ||
        fail "src file does not exist, use \"force=yes\" if you really want to create the link: $_target"
    case $_is in
    link) [ "$(readlink -- "$a_path")" = "$a_src" ] || changed ;;
    absent) changed ;;
    *)
        yes "${a_force-}" || fail "refusing to convert from $_is to symlink for $a_path"
        [ $_is != directory ] || [ -z "$(ls -A -- "$a_path")" ] || fail "the directory $a_path is not empty, refusing to convert it"
        changed
        ;;
    esac
    if [ -n "$r_changed" ]; then
        checking && return
        [ $_is != directory ] || must rmdir -- "$a_path"
        rh_file_swap -s
    fi
    if [ "${a_follow-}" = no ]; then attributes "$a_path" link
    elif [ -e "$a_path" ]; then attributes "$a_path"
    fi
}
# Makes the link beside and moves it into place, so that the name is never missing.
rh_file_swap() { # option of ln
    _new=$(dirname -- "$a_path")/.rehost.$RH_TAG
    must ln ${1+"$1"} -T -- "$a_src" "$_new"
    must mv -fT -- "$_new" "$a_path"
}
rh_file_hard() {
    put dest "$a_path"
    put src "${a_src-}"
    [ -n "${a_src-}" ] || [ $_is = hard ] || fail 'src is required for creating new hardlinks'
    if [ -n "${a_src-}" ]; then
        [ -e "$a_src" ] || fail 'src does not exist'
        if [ ! "$a_path" -ef "$a_src" ] || [ $_is = link ]; then
            [ $_is = absent ] || [ $_is = link ] || yes "${a_force-}" || fail "Cannot link, $_is exists at destination"
            changed
            checking && return
            rh_file_swap
        fi
    fi
    attributes "$a_path"
}
rh_file_touch() {
    put dest "$a_path"
    [ $_is != absent ] || {
        changed
        checking && return
        : >>"$a_path" || fail "could not touch target '$a_path'"
        _fresh=1
    }
    rh_file_follow
    attributes "$a_path"
    _keep=
    [ "${a_modification_time-}" = preserve ] && _keep=m
    [ "${a_access_time-}" = preserve ] && _keep=${_keep}a
    case $_keep in
    ma) ;;
    m) changed; checking || must touch -a -- "$a_path" ;;
    a) changed; checking || must touch -m -- "$a_path" ;;
    *) changed; checking || must touch -- "$a_path" ;;
    esac
}
