# archive (community.general): files of the host, packed into one.
# `format`: gz, tar, xz, bz2 (with the tools of that name) and zip (needs zip). A single file is compressed as it is, unless `force_archive`.
#
# arg path words, required
# arg dest path
# arg format text, one of bz2 gz tar xz zip
# arg exclude_path words
# arg exclusion_patterns words
# arg force_archive bool
# arg remove bool
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# returns archived arcroot dest dest_state gid group missing mode owner size state uid
module_archive() {
    : "${a_format:=gz}"
    eval "set -- $a_path"
    : >"$T/paths"
    put_empty missing list
    _missing=0
    _n=0
    _only=
    for _each; do
        for _found in $(rh_archive_glob "$_each"); do
            if [ ! -e "$_found" ] && [ ! -L "$_found" ]; then
                put "missing.$_missing" "$_found"
                _missing=$((_missing + 1))
                continue
            fi
            printf '%s\n' "${_found%/}" >>"$T/paths"
            _only=${_found%/}
            _n=$((_n + 1))
        done
    done
    if [ $_n = 0 ]; then
        [ -n "${a_dest-}" ] || fail 'Error, no source paths were found'
        put dest "$a_dest"
        r_path=$a_dest
        if [ -e "$a_dest" ]; then put dest_state archive; else put dest_state absent; fi
        return
    fi
    _single=
    [ $_n != 1 ] || [ -d "$_only" ] || yes "${a_force_archive-}" || [ "$a_format" = zip ] || [ "$a_format" = tar ] || _single=1
    if [ -z "${a_dest-}" ]; then
        [ $_n = 1 ] || fail 'Error, must specify "dest" when archiving multiple files or trees'
        if [ -n "$_single" ] || [ "$a_format" = zip ] || [ "$a_format" = tar ]; then a_dest=$_only.$a_format; else a_dest=$_only.tar.$a_format; fi
    fi
    put dest "$a_dest"
    if [ -n "$_single" ]; then put dest_state compress; else put dest_state archive; fi
    _root=$(rh_archive_root)
    put arcroot "$_root/"
    case $a_format in gz) _pack='gzip -nc' ;; bz2) _pack='bzip2 -c' ;; xz) _pack='xz -c' ;; tar | zip) _pack=cat ;; esac
    command -v "${_pack%% *}" >/dev/null || fail "'${_pack%% *}' is needed on the host"
    _packed=$(mktemp -- "$(dirname -- "$a_dest")/.rehost.XXXXXXXXXX" 2>"$T/said") || fail "$(cat "$T/said")"
    trap 'rm -f -- "$_packed"' EXIT
    if [ -n "$_single" ]; then
        $_pack <"$_only" >"$_packed" 2>"$T/said" || fail "cannot pack '$_only': $(cat "$T/said")"
    elif [ "$a_format" = zip ]; then
        rh_archive_zip
    else
        rh_archive_tar
    fi
    if [ ! -e "$a_dest" ] || ! rh_archive_same; then
        changed
        checking || place_file "$_packed" "$a_dest"
    else
        attributes "$a_dest"
    fi
    if yes "${a_remove-}"; then
        changed
        checking || while IFS= read -r _each; do must rm -rf -- "$_each"; done <"$T/paths"
    fi
    r_path=$a_dest
}
rh_archive_glob() {
    IFS=''
    for _match in $1; do printf '%s\n' "$_match"; done
}
# The deepest folder that holds all of them.
rh_archive_root() {
    while IFS= read -r _each; do dirname -- "$_each"; done <"$T/paths" | awk -F/ '
        NR == 1 { n = split($0, root, "/"); next } { m = split($0, now, "/"); for (i = 1; i <= n && i <= m && root[i] == now[i]; i++); n = i - 1 }
        END { for (i = 2; i <= n; i++) printf "/%s", root[i] }'
}
# What goes in: of a folder only what it holds.
rh_archive_names() {
    while IFS= read -r _each; do
        if [ -d "$_each" ] && [ ! -L "$_each" ]; then find "$_each" -mindepth 1; else printf '%s\n' "$_each"; fi
    done <"$T/paths" | awk -v skip="${#_root}" '{ print substr($0, skip + 2) }' | LC_ALL=C sort
}
rh_archive_excludes() {
    if [ -n "${a_exclude_path-}" ]; then
        eval "set -- $a_exclude_path"
        for _each; do _each=${_each%/}; printf '%s\n' "${_each#"$_root"/}"; done
    fi
    if [ -n "${a_exclusion_patterns-}" ]; then
        eval "set -- $a_exclusion_patterns"
        for _each; do printf '%s\n' "$_each"; done
    fi
}
rh_archive_tar() {
    rh_archive_names >"$T/names"
    rh_archive_excludes >"$T/excludes"
    run tar -C "${_root:-/}" --no-recursion --exclude-from="$T/excludes" --exclude="${a_dest#"$_root"/}" --exclude="${_packed##*/}" \
        -cf "$T/list.tar" -T "$T/names" 2>"$T/said" || fail "cannot pack: $(cat "$T/said")"
    $_pack <"$T/list.tar" >"$_packed" 2>"$T/said" || fail "cannot pack: $(cat "$T/said")"
}
rh_archive_zip() {
    command -v zip >/dev/null || fail "'zip' is needed on the host"
    rh_archive_names >"$T/names"
    rh_archive_excludes >"$T/excludes"
    rm -f -- "$_packed"
    (cd "${_root:-/}" && run zip -qr "$_packed.zip" -@ -x@"$T/excludes" <"$T/names") >"$T/said" 2>&1 || fail "cannot pack: $(cat "$T/said")"
    must mv -- "$_packed.zip" "$_packed"
}
# Whether both hold the same files; times of packing do not count.
rh_archive_same() {
    case $a_format in
    zip) [ "$(unzip -lqq "$_packed" | sort)" = "$(unzip -lqq "$a_dest" | sort)" ] ;;
    *) cmp -s -- "$_packed" "$a_dest" ;;
    esac
}
