# stat (ansible.builtin): what is known about a file.
# Without `attributes`, `attr_flags` and `version` where the file system has none. `mimetype` and `charset` need `file` on the host.
#
# arg path path, required, or dest name
# arg follow bool
# arg get_checksum bool
# arg get_mime bool, or mime mime_type mime-type
# arg get_attributes bool, or attr attributes
# arg checksum_algorithm text, or checksum checksum_algo, one of md5 sha1 sha224 sha256 sha384 sha512
# returns stat.atime stat.attr_flags stat.attributes stat.block_size stat.blocks stat.charset stat.checksum stat.ctime stat.dev stat.device_type stat.executable stat.exists stat.gid stat.gr_name stat.inode stat.isblk stat.ischr stat.isdir stat.isfifo stat.isgid stat.islnk stat.isreg stat.issock stat.isuid stat.lnk_source stat.lnk_target stat.mimetype stat.mode stat.mtime stat.nlink stat.path stat.pw_name stat.readable stat.rgrp stat.roth stat.rusr stat.size stat.uid stat.version stat.wgrp stat.woth stat.writeable stat.wusr stat.xgrp stat.xoth stat.xusr
module_stat() {
    _deref=
    yes "${a_follow-}" && _deref=-L
    _now=$(run stat $_deref -c '%F/%a %u %g %s %h %i %.9Y %.9X %.9Z %U %G %b %d %r' -- "$a_path" 2>"$T/said") || {
        case $(cat "$T/said") in *': Not a directory') fail 'Not a directory' ;; *': Permission denied') fail 'Permission denied' ;; esac
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
    put_json stat.mtime "$7"
    put_json stat.atime "$8"
    put_json stat.ctime "$9"
    [ "${10}" = UNKNOWN ] || put stat.pw_name "${10}"
    [ "${11}" = UNKNOWN ] || put stat.gr_name "${11}"
    put_int stat.blocks "${12}"
    put_int stat.block_size 4096
    put_int stat.dev "${13}"
    put_int stat.device_type "${14}"
    for _type in 'isdir directory' 'isreg regular' 'islnk symbolic link' 'issock socket' 'isfifo fifo' 'isblk block' 'ischr character'; do
        case $_kind in "${_type#* }"*) put_bool "stat.${_type%% *}" 1 ;; *) put_bool "stat.${_type%% *}" 0 ;; esac
    done
    _bits=$((0$1))
    for _right in isuid:2048 isgid:1024 rusr:256 wusr:128 xusr:64 rgrp:32 wgrp:16 xgrp:8 roth:4 woth:2 xoth:1; do
        put_bool "stat.${_right%:*}" "$((_bits & ${_right#*:}))"
    done
    for _right in readable:-r writeable:-w executable:-x; do
        if test "${_right#*:}" "$a_path"; then put_bool "stat.${_right%:*}" 1; else put_bool "stat.${_right%:*}" 0; fi
    done
    if [ -L "$a_path" ] && [ -z "$_deref" ]; then
        put stat.lnk_source "$(readlink -f -- "$a_path")"
        put stat.lnk_target "$(readlink -- "$a_path")"
    fi
    [ "${a_get_mime-}" = no ] || rh_stat_mime
    [ "${a_get_attributes-}" = no ] || rh_stat_attributes
    case $_kind in
    regular*)
        [ "${a_get_checksum-}" = no ] && return
        _sum=$("${a_checksum_algorithm:-sha1}sum" <"$a_path" 2>/dev/null) && put stat.checksum "${_sum%% *}"
        ;;
    esac
}
rh_stat_mime() {
    _said=unknown
    if command -v file >/dev/null; then _said=$(run file --mime-type --mime-encoding ${_deref} -- "$a_path" 2>/dev/null); fi
    case $_said in
    *': '*'; charset='*)
        _said=${_said##*: }
        put stat.mimetype "${_said%%;*}"
        put stat.charset "${_said##*charset=}"
        ;;
    *)
        put stat.mimetype unknown
        put stat.charset unknown
        ;;
    esac
}
# As lsattr shows them: the version, the letters that are set, their names.
rh_stat_attributes() {
    put stat.attr_flags ''
    put_empty stat.attributes list
    put_json stat.version null
    case $_kind in regular* | directory) ;; *) return ;; esac
    _said=$(run lsattr -vd "$a_path" 2>/dev/null) || return 0
    set -- $_said
    put stat.version "$1"
    _flags=
    _left=$2
    _n=0
    while [ -n "$_left" ]; do
        _letter=${_left%"${_left#?}"}
        _left=${_left#?}
        case $_letter in
        a) _name=append ;; A) _name=noatime ;; c) _name=compressed ;; C) _name=nocow ;; d) _name=nodump ;; D) _name=dirsync ;;
        e) _name=extents ;; E) _name=encrypted ;; h) _name=blocksize ;; i) _name=immutable ;; I) _name=indexed ;; j) _name=journalled ;;
        N) _name=inline ;; s) _name=zero ;; S) _name=synchronous ;; t) _name=notail ;; T) _name=blockroot ;; u) _name=undelete ;;
        X) _name=compressedraw ;; Z) _name=compresseddirty ;;
        *) continue ;;
        esac
        _flags=$_flags$_letter
        put "stat.attributes.$_n" "$_name"
        _n=$((_n + 1))
    done
    put stat.attr_flags "$_flags"
}
