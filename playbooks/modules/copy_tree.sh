# What copy does with a folder: the task's data is an archive of it. Few processes, however many files: tar compares, awk decides.

# The folder a_dest gets what is in the archive. Files that are missing move in by folders, files that differ one by one.
rh_tree() {
    _dest=${a_dest%/}
    if [ -n "${a_subdir-}" ]; then _dest=$_dest/$a_subdir; fi
    put dest "$_dest/"
    [ ! -e "$_dest" ] || [ -d "$_dest" ] || fail "$_dest is no folder"
    _tar=$T/data.$a_data
    run tar -tf "$_tar" --quoting-style=literal >"$T/names" 2>"$T/said" || fail "cannot read the archive: $(cat "$T/said")"
    [ -s "$T/names" ] || return 0
    rh_tree_compare
    if [ -s "$T/new" ] || [ -s "$T/differ" ]; then
        changed
        rh_tree_show
        if checking; then return; fi
        rh_tree_folders
        rh_tree_stage
        rh_tree_move
    elif [ ! -s "$T/folders" ]; then
        :
    else
        changed
        if checking; then return; fi
        rh_tree_folders
    fi
    rh_tree_attributes
}
# Sorts the names into: folders that are missing, new, differ (an existing file or link with other content), same.
rh_tree_compare() {
    : >"$T/compared"
    [ ! -d "$_dest" ] || run tar --compare -f "$_tar" -C "$_dest" --quoting-style=literal >"$T/compared" 2>&1
    awk -v missing="$T/folders" -v new="$T/new" -v differ="$T/differ" -v same="$T/same" -v modes="$T/modes" \
        -v kept="$T/kept" -v nothing="$([ -d "$_dest" ] || echo 1)" -v force="${a_force-yes}" '
        BEGIN { printf "" >missing; printf "" >new; printf "" >differ; printf "" >same; printf "" >modes; printf "" >kept }
        FILENAME ~ /compared$/ {
            if (sub(/: Warning: Cannot stat: .*$/, "")) { sub(/^tar: /, ""); gone[$0] = 1 }
            else if (sub(/: (Contents differ|Size differs|File type differs|Symlink differs)$/, "")) other[$0] = 1
            else if (sub(/: Mode differs$/, "")) mode[$0] = 1
            next
        }
        { name = $0; folder = sub(/\/$/, "", name)
          if (folder) { if (nothing || gone[name] || gone[$0]) print name >missing; else print name >kept }
          else if (nothing || gone[name]) print name >new
          else if (other[name]) print name >(force == "no" ? same : differ)
          else { print name >same; if (mode[name]) print name >modes } }' "$T/compared" "$T/names" 2>"$T/said" ||
        fail "cannot compare: $(cat "$T/said")"
}
rh_tree_show() {
    [ -n "$RH_DIFF" ] || return 0
    mkdir "$T/show" && head -n 100 "$T/new" >"$T/few" && head -n 100 "$T/differ" >>"$T/few"
    run tar -xf "$_tar" -C "$T/show" --no-same-owner -m -T "$T/few" 2>/dev/null
    put diff "$(while IFS= read -r _name; do
        _was=/dev/null
        [ ! -f "$_dest/$_name" ] || _was=$_dest/$_name
        [ -f "$T/show/$_name" ] && diff -u -L "$_dest/$_name" -L "$_dest/$_name" -- "$_was" "$T/show/$_name"
    done <"$T/few")"
    rm -rf "$T/show"
}
rh_tree_folders() {
    rh_copy_folders "$_dest"
    [ -s "$T/folders" ] || return 0
    (cd "$_dest" && tr '\n' '\0' <"$T/folders" | run xargs -0 mkdir --) 2>"$T/said" || fail "cannot make folders: $(cat "$T/said")"
}
# What changes goes into a hidden folder beside, so that it can be moved into place.
rh_tree_stage() {
    _stage=$_dest/.rehost-tree.$RH_TAG
    must mkdir -m 0700 -- "$_stage"
    trap 'rm -rf "$_stage"' EXIT
    cat "$T/new" "$T/differ" >"$T/few"
    set -- --no-same-permissions
    [ "${a_mode-}" != preserve ] || set -- -p
    must tar -xf "$_tar" -C "$_stage" --no-same-owner -m "$@" -T "$T/few"
}
rh_tree_move() {
    while IFS= read -r _name; do
        if [ "${a_mode-}" = preserve ]; then _keep=$(stat -c %a -- "$_stage/$_name"); else _keep=${a_mode-}; fi
        if [ -d "$_dest/$_name" ] && [ ! -L "$_dest/$_name" ]; then fail "$_dest/$_name is a folder"; fi
        if [ -L "$_stage/$_name" ]; then
            must mv -fT -- "$_stage/$_name" "$_dest/$_name"
        else
            if [ -L "$_dest/$_name" ]; then rm -f -- "$_dest/$_name"; fi
            (a_mode=$_keep; place_file "$_stage/$_name" "$_dest/$_name") || exit
            rm -f -- "$_stage/$_name"
        fi
    done <"$T/differ"
    [ -s "$T/new" ] || return 0
    case ${a_mode-} in
    '' | preserve) ;;
    *) must find "$_stage" -type f -exec chmod -- "$a_mode" '{}' + ;;
    esac
    [ -z "${a_owner-}${a_group-}" ] ||
        must find "$_stage" ! -type d -exec chown -h "${a_owner-}${a_group:+:$a_group}" '{}' +
    awk '{ sub(/[^\/]*$/, ""); if (!seen[$0]++) print }' "$T/new" >"$T/few"
    while IFS= read -r _name; do
        must find "$_stage/$_name" -maxdepth 1 ! -type d -exec mv -t "$_dest/$_name" -- '{}' +
    done <"$T/few"
}
# Attributes of folders and of files that were right already. Only what is not as it shall be is looked at one by one.
rh_tree_attributes() {
    if [ -n "${a_directory_mode-}${a_owner-}${a_group-}" ]; then
        cat "$T/kept" "$T/folders" >"$T/few"
        (a_mode=${a_directory_mode-}; rh_tree_correct) || exit
        [ ! -e "$T/corrected" ] || changed
    fi
    if [ "${a_mode-}" = preserve ]; then
        while IFS= read -r _name; do
            changed
            checking || must chmod "$(tar -tvf "$_tar" --quoting-style=literal -- "$_name" | rh_tree_mode)" -- "$_dest/$_name"
        done <"$T/modes"
        a_mode=
    fi
    [ -n "${a_mode-}${a_owner-}${a_group-}" ] || return 0
    cp "$T/same" "$T/few"
    (rh_tree_correct) || exit
    [ ! -e "$T/corrected" ] || changed
}
# "-rwxr-x---" as "u=rwx,g=rx,o="
rh_tree_mode() {
    sed -n '1s/^.\(...\)\(...\)\(...\).*/u=\1,g=\2,o=\3/p' | tr -d -
}
rh_tree_correct() {
    [ -s "$T/few" ] || return 0
    case ${a_mode-} in
    *[!0-7]*) _want='*' ;;
    '') _want= ;;
    *) _want=$(printf %o $((0$a_mode))) ;;
    esac
    (cd "$_dest" && tr '\n' '\0' <"$T/few" | run xargs -0 stat -c '%a %U %u %G %g %F/%n' --) 2>"$T/said" |
        awk -v mode="$_want" -v owner="${a_owner-}" -v group="${a_group-}" '
        { name = $0; sub(/^[^\/]*\//, "", name)
          if ($6 ~ /^symbolic/) next
          if ((mode != "" && mode != $1) || (owner != "" && owner != $2 && owner != $3) || (group != "" && group != $4 && group != $5))
              print name }' >"$T/wrong"
    r_changed=
    while IFS= read -r _name; do
        attributes "$_dest/$_name"
    done <"$T/wrong"
    [ -z "$r_changed" ] || : >"$T/corrected"
}
