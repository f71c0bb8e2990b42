# file (ansible.builtin): the kind and the attributes of a file, folder or link.
# `state: absent` removes folders with all they hold, but does not leave the file system. Times are `preserve`, `now` or in the form
# `202012312359.59`. `unsafe_writes` has no effect.
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
# arg modification_time text
# arg access_time text
# arg unsafe_writes bool
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns dest gid group mode owner path size src state uid

# Without a_state: a file or folder as it is, or a folder when a_recurse.
module_file() {
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
    ! yes "${a_recurse-}" || [ "$a_state" = directory ] || rh_file_fail "recurse option requires state to be 'directory'"
    case $a_state in
    link | hard) ;;
    *) [ -z "${a_src-}" ] || rh_file_fail "src option requires state to be 'link' or 'hard'" ;;
    esac
    "rh_file_$a_state"
}
rh_file_fail() { # message
    put path "$a_path"
    r_path=$a_path
    fail "$1"
}
# What is told of a success: "path" or "dest".
rh_file_name() { # key
    put "$1" "$a_path"
    r_path=$a_path
}
rh_file_follow() {
    [ "$_is" = link ] && [ "${a_follow-}" != no ] || return 0
    a_path=$(readlink -f -- "$a_path")
    if [ -d "$a_path" ]; then _is=directory; elif [ -e "$a_path" ]; then _is=file; else _is=absent; fi
}
rh_file_absent() {
    put path "$a_path"
    put state absent
    [ $_is = absent ] && return
    changed
    checking || must rm -rf --one-file-system -- "$a_path"
}
rh_file_file() {
    rh_file_follow
    rh_file_name path
    case $_is in file | hard) ;; *) put state "$_is"; fail "file ($a_path) is $_is, cannot continue" ;; esac
    attributes "$a_path"
    rh_file_times preserve
}
rh_file_directory() {
    rh_file_follow
    rh_file_name path
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
    rh_file_times preserve
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
    run mkdir -- "$1" 2>"$T/said" || fail "There was an issue creating $1 as requested: $(cat "$T/said")"
    attributes "$1"
}
rh_file_link() {
    if [ -z "${a_src-}" ]; then
        [ $_is = link ] || fail 'src is required for creating new symlinks'
        _src=$(readlink -- "$a_path")
    else
        _src=$a_src
    fi
    case $_src in
    /*) _target=$_src ;;
    *) if [ $_is = directory ]; then _target=$a_path/$_src; else _target=$(dirname -- "$a_path")/$_src; fi ;;
    esac
    [ -e "$_target" ] || yes "${a_force-}" || {
        put src "${a_src-}"
        rh_file_fail "src file does not exist, use \"force=yes\" if you really want to create the link: $_target"
    }
    case $_is in
    link) [ "$(readlink -- "$a_path")" = "$_src" ] || changed ;;
    absent) changed ;;
    *)
        yes "${a_force-}" || rh_file_fail "refusing to convert from $_is to symlink for $a_path"
        [ $_is != directory ] || [ -z "$(ls -A -- "$a_path")" ] ||
            rh_file_fail "the directory $a_path is not empty, refusing to convert it"
        changed
        ;;
    esac
    if [ -n "$r_changed" ] && ! checking; then
        [ $_is != directory ] || must rmdir -- "$a_path"
        rh_file_swap -s
    fi
    if [ -n "${a_src-}" ]; then put src "$a_src"
    elif [ -e "$_target" ]; then put src "$_src"
    else put_json src null
    fi
    rh_file_name dest
    checking && [ $_is = absent ] && return
    if [ "${a_follow-}" = no ]; then attributes "$a_path" link
    elif [ -e "$a_path" ]; then attributes "$a_path"; rh_file_times preserve
    fi
}
# Makes the link beside and moves it into place, so that the name is never missing.
rh_file_swap() { # option of ln
    _new=$(dirname -- "$a_path")/.rehost.$RH_TAG
    must ln ${1+"$1"} -T -- "${_src:-$a_src}" "$_new"
    must mv -fT -- "$_new" "$a_path"
}
rh_file_hard() {
    _src=
    if [ -n "${a_src-}" ]; then put src "$a_src"; else put_json src null; fi
    [ -n "${a_src-}" ] || [ $_is = hard ] || { put dest "$a_path"; fail 'src is required for creating new hardlinks'; }
    if [ -n "${a_src-}" ]; then
        [ -e "$a_src" ] || { put dest "$a_path"; fail 'src does not exist'; }
        if [ ! "$a_path" -ef "$a_src" ] || [ $_is = link ]; then
            [ $_is = absent ] || [ $_is = link ] || yes "${a_force-}" || { put dest "$a_path"; fail "Cannot link, $_is exists at destination"; }
            changed
            checking || rh_file_swap
        fi
    fi
    rh_file_name dest
    [ ! -e "$a_path" ] || { attributes "$a_path"; rh_file_times preserve; }
}
rh_file_touch() {
    rh_file_name dest
    [ $_is != absent ] || {
        changed
        checking && return
        : >>"$a_path" || fail "Error, could not touch target: $a_path"
    }
    rh_file_follow
    attributes "$a_path"
    rh_file_times now
}
# The times of a_path; $1 is what is done when none is given.
rh_file_times() {
    rh_file_time m "${a_modification_time:-$1}"
    rh_file_time a "${a_access_time:-$1}"
}
rh_file_time() { # m or a, what
    case $2 in
    preserve) return ;;
    now) changed; checking || must touch "-$1" -- "$a_path"; return ;;
    [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].[0-9][0-9]) ;;
    *) fail "Error while obtaining timestamp for time $2 using format %Y%m%d%H%M.%S" ;;
    esac
    if [ "$1" = m ]; then _key=%Y; else _key=%X; fi
    : >"$T/time"
    must touch "-$1" -t "$2" -- "$T/time"
    [ "$(stat -c $_key "$T/time")" != "$(stat -c $_key -- "$a_path")" ] || return 0
    changed
    checking || must touch "-$1" -t "$2" -- "$a_path"
}
