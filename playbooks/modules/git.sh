# git (ansible.builtin): a checkout of a repository at a branch, tag or commit.
# Needs git on the host. `version` is a branch, tag or commit.
#
# arg repo text, required, or name
# arg dest path, required
# arg version text
# arg remote text
# arg force bool
# arg depth int
# arg clone bool
# arg update bool
# arg accept_hostkey bool
# arg accept_newhostkey bool
# arg key_file path
# arg ssh_opts text
# arg recursive bool
# arg single_branch bool
# arg umask text
# returns after before remote_url_changed
module_git() {
    command -v git >/dev/null || fail 'Failed to find required executable "git" in paths'
    : "${a_version:=HEAD}" "${a_remote:=origin}"
    export GIT_TERMINAL_PROMPT=0
    _ssh="ssh -o BatchMode=yes"
    if yes "${a_accept_hostkey-}"; then _ssh="$_ssh -o StrictHostKeyChecking=no"; fi
    if yes "${a_accept_newhostkey-}"; then _ssh="$_ssh -o StrictHostKeyChecking=accept-new"; fi
    if [ -n "${a_key_file-}" ]; then _ssh="$_ssh -i $a_key_file -o IdentitiesOnly=yes"; fi
    export GIT_SSH_COMMAND="$_ssh${a_ssh_opts:+ $a_ssh_opts}"
    [ -z "${a_umask-}" ] || umask "$a_umask"
    if [ ! -e "$a_dest/.git" ]; then
        if [ "${a_clone-}" = no ]; then rh_git_remote; put after "$_after"; return; fi
        changed
        if checking; then rh_git_remote; put after "$_after"; return; fi
        rh_git_clone
    else
        rh_git_update
    fi
    put after "$(run git -C "$a_dest" rev-parse HEAD)"
}
rh_git_must() {
    run git "$@" >"$T/said" 2>&1 || fail "git $1 $2 failed: $(tail -c 4000 "$T/said")"
}
# What the remote says a_version is.
rh_git_remote() {
    run git ls-remote "$a_repo" >"$T/refs" 2>"$T/said" || fail "cannot read '$a_repo': $(cat "$T/said")"
    _after=$(awk -v v="$a_version" '
        $2 == v || $2 == "refs/heads/" v { print $1; exit }
        $2 == "refs/tags/" v "^{}" { tag = $1 } $2 == "refs/tags/" v && !tag { tag = $1 } END { print tag }' "$T/refs" | head -n 1)
    [ -n "$_after" ] || _after=$a_version
}
rh_git_clone() {
    _parent=$(dirname -- "$a_dest")
    [ -d "$_parent" ] || must mkdir -p -- "$_parent"
    set --
    [ -z "${a_depth-}" ] || set -- --depth "$a_depth"
    if [ "$a_version" != HEAD ]; then
        rh_git_remote
        if grep -q "refs/heads/$a_version\$\|refs/tags/$a_version\$" "$T/refs"; then set -- "$@" --branch "$a_version"
        elif [ -n "${a_depth-}" ]; then shift 2 # a commit may lie deeper
        fi
    fi
    if yes "${a_single_branch-}"; then set -- "$@" --single-branch; fi
    rh_git_must clone -q --origin "$a_remote" "$@" -- "$a_repo" "$a_dest"
    [ "$(run git -C "$a_dest" rev-parse HEAD)" = "$_after" ] || [ "$a_version" = HEAD ] || rh_git_switch
    rh_git_modules
}
rh_git_update() {
    _before=$(run git -C "$a_dest" rev-parse HEAD 2>"$T/said") || fail "cannot read '$a_dest': $(cat "$T/said")"
    put before "$_before"
    _dirty=$(run git -C "$a_dest" status --porcelain --untracked-files=no)
    if [ -n "$_dirty" ]; then
        yes "${a_force-}" || fail "Local modifications exist in the destination: $a_dest (force=no)."
        changed
    fi
    if [ "$(run git -C "$a_dest" config --get "remote.$a_remote.url")" != "$a_repo" ]; then
        changed
        put_bool remote_url_changed 1
        checking || run git -C "$a_dest" remote set-url "$a_remote" "$a_repo" 2>/dev/null || rh_git_must -C "$a_dest" remote add "$a_remote" "$a_repo"
    fi
    [ "${a_update-}" != no ] || return 0
    rh_git_remote
    if [ "$_after" = "$_before" ]; then
        if [ -n "$_dirty" ] && ! checking; then rh_git_must -C "$a_dest" reset -q --hard; fi
        return
    fi
    changed
    checking && return
    [ -z "$_dirty" ] || rh_git_must -C "$a_dest" reset -q --hard
    rh_git_must -C "$a_dest" fetch -q --tags --force "$a_remote" "+refs/heads/*:refs/remotes/$a_remote/*"
    if [ "$a_version" = HEAD ]; then a_version=$(run git -C "$a_dest" ls-remote --symref "$a_remote" HEAD | sed -n 's#^ref: refs/heads/\([^[:space:]]*\).*#\1#p'); fi
    rh_git_switch
    [ "$(run git -C "$a_dest" rev-parse HEAD)" != "$_before" ] || r_changed=''
    rh_git_modules
}
# A branch is followed, anything else checked out detached.
rh_git_switch() {
    if run git -C "$a_dest" show-ref -q --verify "refs/remotes/$a_remote/$a_version"; then
        rh_git_must -C "$a_dest" checkout -q --force -B "$a_version" "$a_remote/$a_version"
    else
        rh_git_must -C "$a_dest" checkout -q --force --detach "$a_version^{commit}"
    fi
}
rh_git_modules() {
    [ -f "$a_dest/.gitmodules" ] && [ "${a_recursive-}" != no ] || return 0
    rh_git_must -C "$a_dest" submodule -q sync --recursive
    rh_git_must -C "$a_dest" submodule -q update --init --recursive --force
}
