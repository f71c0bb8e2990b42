# find (ansible.builtin): files whose names, ages or sizes match.
# Globs only: `use_regex: yes` fails. `follow` has no effect. `files` holds `path`, `mode`, `uid`, `gid`, `size`, `mtime`,
# `isdir`, `isreg`, `islnk`.
#
# arg paths words, required, or name path
# arg patterns words, or pattern
# arg excludes words, or exclude
# arg file_type text, one of any directory file link
# arg recurse bool
# arg hidden bool
# arg depth int
# arg age text
# arg size text
# arg follow bool
# arg use_regex bool
# returns examined files matched
module_find() {
    : "${a_file_type:=file}"
    ! yes "${a_use_regex-}" || fail 'use_regex is not supported; use globs'
    eval "set -- $a_paths"
    put_empty files list
    _n=0
    _expression=
    [ -z "${a_depth-}" ] || _expression="-maxdepth $a_depth"
    yes "${a_recurse-}" || _expression='-maxdepth 1'
    case $a_file_type in
    file) _expression="$_expression -type f" ;;
    directory) _expression="$_expression -type d" ;;
    link) _expression="$_expression -type l" ;;
    esac
    yes "${a_hidden-}" || _expression="$_expression -not -path */.*"
    case ${a_age-} in
    '') ;;
    -*) _expression="$_expression -newermt @$(($(date +%s) - $(rh_find_seconds "${a_age#-}")))" ;;
    *) _expression="$_expression -not -newermt @$(($(date +%s) - $(rh_find_seconds "$a_age")))" ;;
    esac
    case ${a_size-} in
    '') ;;
    -*) _expression="$_expression -size -$(($(rh_find_bytes "${a_size#-}") + 1))c" ;;
    *) _expression="$_expression -size +$(($(rh_find_bytes "$a_size") - 1))c" ;;
    esac
    for _each; do
        set -f
        (cd -- "$_each" 2>/dev/null && find . -mindepth 1 $_expression -printf '%P/%m/%U/%G/%s/%T@/%y\n') >"$T/list"
        set +f
        while IFS= read -r _line; do rh_find_add "$_each" "$_line"; done <"$T/list"
    done
    put_int matched $_n
    put_int examined $_n
}
rh_find_seconds() {
    case $1 in
    *m) echo $((${1%m} * 60)) ;;
    *h) echo $((${1%h} * 3600)) ;;
    *d) echo $((${1%d} * 86400)) ;;
    *w) echo $((${1%w} * 604800)) ;;
    *) echo "${1%s}" ;;
    esac
}
rh_find_bytes() {
    case $1 in
    *k) echo $((${1%k} * 1024)) ;;
    *m) echo $((${1%m} * 1048576)) ;;
    *g) echo $((${1%g} * 1073741824)) ;;
    *) echo "${1%b}" ;;
    esac
}
rh_find_matches() { # name, quoted globs
    eval "set -- \"\$1\" $2"
    _base=$1
    shift
    for _glob; do
        case $_base in $_glob) return 0 ;; esac
    done
    return 1
}
rh_find_add() { # folder, "PATH/MODE/UID/GID/SIZE/TIME/TYPE"
    _rest=$2
    _type=${_rest##*/} _rest=${_rest%/*}
    _time=${_rest##*/} _rest=${_rest%/*}
    _size=${_rest##*/} _rest=${_rest%/*}
    _gid=${_rest##*/} _rest=${_rest%/*}
    _uid=${_rest##*/} _rest=${_rest%/*}
    _mode=${_rest##*/} _rest=${_rest%/*}
    rh_find_matches "${_rest##*/}" "${a_patterns:-\*}" || return 0
    [ -z "${a_excludes-}" ] || ! rh_find_matches "${_rest##*/}" "$a_excludes" || return 0
    put "files.$_n.path" "${1%/}/$_rest"
    put "files.$_n.mode" "$(printf %04o $((0$_mode)))"
    put_int "files.$_n.uid" "$_uid"
    put_int "files.$_n.gid" "$_gid"
    put_int "files.$_n.size" "$_size"
    put_int "files.$_n.mtime" "${_time%.*}"
    put_bool "files.$_n.isdir" "$([ "$_type" != d ] || echo 1)"
    put_bool "files.$_n.isreg" "$([ "$_type" != f ] || echo 1)"
    put_bool "files.$_n.islnk" "$([ "$_type" != l ] || echo 1)"
    _n=$((_n + 1))
}
