# stat (ansible.builtin): what is known about a file.
# `get_mime` and `get_attributes` have no effect. Further returns: `stat.isdir`, `stat.isreg`, `stat.islnk`, `stat.issock`,
# `stat.isfifo`, `stat.isblk`, `stat.ischr`, `stat.readable`, `stat.writeable`, `stat.executable`.
#
# arg path path, required, or dest name
# arg follow bool
# arg get_checksum bool
# arg get_mime bool, or mime mime_type mime-type
# arg get_attributes bool, or attr attributes
# arg checksum_algorithm text, or checksum checksum_algo, one of md5 sha1 sha224 sha256 sha384 sha512
# returns stat.atime stat.checksum stat.ctime stat.exists stat.gid stat.gr_name stat.inode stat.lnk_source stat.lnk_target stat.mode stat.mtime stat.nlink stat.path stat.pw_name stat.size stat.uid
module_stat() {
    _deref=
    yes "${a_follow-}" && _deref=-L
    _now=$(stat $_deref -c '%F/%a %u %g %s %h %i %Y %X %Z %U %G' -- "$a_path" 2>/dev/null) || {
        put_bool stat.exists 0
        return
    }
    _kind=${_now%%/*}
    set -- ${_now#*/}
    put_bool stat.exists 1
    put stat.path "$a_path"
    put stat.mode "$(printf %04o $((0$1)))"
    put_int stat.uid "$2"
    put_int stat.gid "$3"
    put_int stat.size "$4"
    put_int stat.nlink "$5"
    put_int stat.inode "$6"
    put_int stat.mtime "$7"
    put_int stat.atime "$8"
    put_int stat.ctime "$9"
    put stat.pw_name "${10}"
    put stat.gr_name "${11}"
    for _type in 'isdir directory' 'isreg regular' 'islnk symbolic link' 'issock socket' 'isfifo fifo' 'isblk block' 'ischr character'; do
        case $_kind in "${_type#* }"*) put_bool "stat.${_type%% *}" 1 ;; *) put_bool "stat.${_type%% *}" 0 ;; esac
    done
    for _right in readable:-r writeable:-w executable:-x; do
        if test "${_right#*:}" "$a_path"; then put_bool "stat.${_right%:*}" 1; else put_bool "stat.${_right%:*}" 0; fi
    done
    if [ -L "$a_path" ] && [ -z "$_deref" ]; then
        put stat.lnk_source "$(readlink -f -- "$a_path")"
        put stat.lnk_target "$(readlink -- "$a_path")"
    fi
    case $_kind in
    regular*)
        [ "${a_get_checksum-}" = no ] && return
        _sum=$("${a_checksum_algorithm:-sha1}sum" <"$a_path" 2>/dev/null) && put stat.checksum "${_sum%% *}"
        ;;
    esac
}
