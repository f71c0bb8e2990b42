# git (ansible.builtin): a checkout of a repository at a branch, tag or commit.
# Needs git on the host. `version` is a branch, tag or commit. `separate_git_dir` is refused.
#
# arg repo text, required, or name
# arg dest path
# arg version text
# arg remote text
# arg refspec text
# arg reference text
# arg force bool
# arg depth int
# arg clone bool
# arg update bool
# arg bare bool
# arg single_branch bool
# arg recursive bool
# arg track_submodules bool
# arg accept_hostkey bool
# arg accept_newhostkey bool
# arg key_file path
# arg ssh_opts text
# arg executable path
# arg umask text
# arg verify_commit bool
# arg gpg_whitelist words
# arg archive path
# arg archive_prefix text
# returns after before remote_url_changed submodules_changed warnings
module_git() {
    _git=${a_executable:-git}
    command -v "$_git" >/dev/null || fail "Failed to find required executable \"$_git\" in paths"
    : "${a_version:=HEAD}" "${a_remote:=origin}"
    ! yes "${a_accept_hostkey-}" || ! yes "${a_accept_newhostkey-}" || fail 'parameters are mutually exclusive: accept_hostkey|accept_newhostkey'
    [ -n "${a_dest-}" ] || [ "${a_clone-}" = no ] || fail 'the destination directory must be specified unless clone=no'
    [ -z "${a_archive_prefix-}" ] || [ -n "${a_archive-}" ] || fail "missing parameter(s) required by 'archive_prefix': archive"
    case ${a_umask:-0} in *[!0-7]*) fail 'umask must be an octal integer' ;; esac
    [ -z "${a_umask-}" ] || umask "$a_umask"
    case $a_repo in
    [~] | [~]/*) a_repo=file://$HOME${a_repo#?} ;;
    /*) a_repo=file://$a_repo ;; # git knows depth only for a URL
    esac
    rh_git_ssh
    _before='' _dirty='' _moved='' _submodules=''
    if [ -n "${a_dest-}" ] && [ -e "$(rh_git_folder)/config" ]; then rh_git_update; else rh_git_new; fi
    rh_git_switch
    _after=$(rh_git rev-parse HEAD 2>/dev/null)
    put after "$_after"
    if [ "$_before" != "$_after" ] || [ -n "$_dirty$_moved$_submodules" ]; then
        changed
        rh_git_diff
    fi
    [ -z "${a_archive-}" ] || rh_git_archive
}
rh_git() { run "$_git" -C "$a_dest" "$@"; }
rh_git_must() { # what for, then the words of git
    _why=$1
    shift
    run "$_git" "$@" >"$T/answer" 2>"$T/said" || fail "Failed to $_why: $(tail -c 4000 "$T/said")"
}
rh_git_in() { # the same, in the checkout
    _why=$1
    shift
    rh_git_must "$_why" -C "$a_dest" "$@"
}
rh_git_finish() { rh_end ok; exit 0; }
# Nobody is there to be asked.
rh_git_ssh() {
    export GIT_TERMINAL_PROMPT=0
    _ssh=${GIT_SSH:-${GIT_SSH_COMMAND:-ssh}}${a_ssh_opts:+ $a_ssh_opts}
    case $_ssh in
    *StrictHostKeyChecking=no* | *StrictHostKeyChecking=accept-new*) ;;
    *)
        if yes "${a_accept_hostkey-}"; then _ssh="$_ssh -o StrictHostKeyChecking=no"; fi
        if yes "${a_accept_newhostkey-}"; then _ssh="$_ssh -o StrictHostKeyChecking=accept-new"; fi
        ;;
    esac
    _ssh="$_ssh -o BatchMode=yes"
    [ -z "${a_key_file-}" ] || _ssh="$_ssh -i '$(printf %s "$a_key_file" | sed "s/'/'\\\\''/g")' -o IdentitiesOnly=yes"
    unset GIT_SSH
    export GIT_SSH_COMMAND="$_ssh"
}
# Where the repository itself lies; a file .git names another folder.
rh_git_folder() {
    if yes "${a_bare-}"; then echo "$a_dest"; return; fi
    if [ ! -f "$a_dest/.git" ]; then echo "$a_dest/.git"; return; fi
    _folder=$(sed -n '1s/^gitdir: //p' "$a_dest/.git")
    case $_folder in
    /*) echo "$_folder" ;;
    *) echo "$a_dest/$_folder" ;;
    esac
}
# The branch that is checked out, or else the one that the remote's HEAD is.
rh_git_branch() {
    _branch=$(rh_git symbolic-ref -q HEAD) && _branch=${_branch#refs/heads/} && return
    _branch=$(rh_git symbolic-ref -q "refs/remotes/$a_remote/HEAD") || fail "cannot tell the branch of '$a_dest'"
    _branch=${_branch#refs/remotes/"$a_remote"/}
}
# Sets _kind to what the remote ($1) says that $2 is, and _id to its commit.
rh_git_ask() {
    if [ -d "${a_dest-}" ]; then rh_git_in 'read the remote' ls-remote "$1"; else rh_git_must 'read the remote' ls-remote "$1"; fi
    set -- $(awk -v "name=$2" '
        name == "HEAD" && $2 == "HEAD" { print "head", $1; exit }
        $2 == "refs/heads/" name { branch = $1 }
        $2 == "refs/tags/" name && !tag { tag = $1 }
        $2 == "refs/tags/" name "^{}" { tag = $1 }
        END { if (branch) print "branch", branch; else if (tag) print "tag", tag }' "$T/answer") "$2" "$2"
    case $1 in
    head | branch | tag) _kind=$1 _id=$2 ;;
    *) _kind=commit _id=$1 ;;
    esac
}

# --- a first checkout ---

rh_git_new() {
    if checking || [ "${a_clone-}" = no ]; then
        changed
        rh_git_ask "$a_repo" "$a_version"
        put_json before null
        put after "$_id"
        [ -z "$RH_DIFF" ] || put diff ">> Newly checked out $_id"
        rh_git_finish
    fi
    put_json before null
    must mkdir -p -- "$(dirname -- "$a_dest")"
    if yes "${a_bare-}"; then set -- --bare; else set -- --origin "$a_remote"; fi
    _kind=''
    if [ -n "${a_depth-}" ] || yes "${a_single_branch-}"; then rh_git_ask "$a_repo" "$a_version"; fi
    if [ -n "${a_depth-}" ]; then
        case $a_version:${a_refspec:+refspec}:$_kind in
        HEAD:* | *:refspec:*) set -- "$@" --depth "$a_depth" ;;
        *:branch | *:tag) set -- "$@" --depth "$a_depth" --branch "$a_version" ;;
        *) put warnings.0 'Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in combination with refspec.' ;;
        esac
    fi
    [ -z "${a_reference-}" ] || set -- "$@" --reference "$a_reference"
    if yes "${a_single_branch-}"; then
        set -- "$@" --single-branch
        case $_kind in branch | tag) set -- "$@" --branch "$a_version" ;; esac
    fi
    rh_git_must 'clone' clone -q "$@" -- "$a_repo" "$a_dest"
    if yes "${a_bare-}" && [ "$a_remote" != origin ]; then rh_git_in 'add the remote' remote add "$a_remote" "$a_repo"; fi
    if [ -n "${a_refspec-}" ]; then rh_git_in 'fetch the refspec' fetch -q ${a_depth:+--depth "$a_depth"} "$a_remote" "$a_refspec"; fi
    if yes "${a_bare-}"; then rh_git_verify; fi
}

# --- one that is there ---

rh_git_update() {
    _before=$(rh_git rev-parse HEAD 2>"$T/said") || fail "cannot read '$a_dest': $(cat "$T/said")"
    put before "$_before"
    if [ "${a_update-}" = no ]; then
        put after "$_before"
        if [ -n "${a_archive-}" ]; then rh_git_archive; fi
        rh_git_finish
    fi
    if ! yes "${a_bare-}" && [ -n "$(rh_git status --porcelain --untracked-files=no)" ]; then
        _dirty=1
        yes "${a_force-}" || fail "Local modifications exist in the destination: $a_dest (force=no)."
        if ! checking; then
            rh_git_in 'reset' reset -q --hard HEAD
            put msg "Local modifications exist in the destination: $a_dest"
        fi
    fi
    _url=$(rh_git ls-remote --get-url "$a_remote")
    [ "$_url" = "$a_repo" ] || [ "$(realpath -m -- "$_url")" = "$(realpath -m -- "$a_repo")" ] || _moved=1
    put_bool remote_url_changed "$_moved"
    if checking; then rh_git_foresee; fi
    [ -z "$_moved" ] || rh_git_in "set a new url $a_repo for $a_remote" remote set-url "$a_remote" "$a_repo"
    rh_git_fetch
}
rh_git_foresee() {
    if [ "$a_version" = HEAD ]; then
        rh_git_branch
        rh_git_ask "$a_remote" "$_branch"
    else
        rh_git_ask "$a_remote" "$a_version"
    fi
    _after=$_id
    put after "$_after"
    if [ "$_before" != "$_after" ] || [ -n "$_moved" ]; then changed; rh_git_diff; fi
    rh_git_finish
}
rh_git_fetch() {
    set --
    if [ -n "${a_depth-}" ]; then
        _branch=$(rh_git symbolic-ref -q HEAD) && _branch=${_branch#refs/heads/}
        [ "$a_version" != HEAD ] || rh_git_branch
        [ "$a_version" = HEAD ] || [ -n "${a_refspec-}" ] || rh_git_ask "$a_repo" "$a_version"
        case ${a_refspec:+refspec}:$a_version:${_kind-} in
        refspec:*) set -- "$a_refspec" ;;
        *:HEAD:*) set -- "$_branch" ;;
        *:branch)
            [ "$_branch" = "$a_version" ] || set -- "+refs/heads/$a_version:refs/heads/$a_version"
            set -- "$@" "+refs/heads/$a_version:refs/remotes/$a_remote/$a_version"
            ;;
        *:tag) set -- "+refs/tags/$a_version:refs/tags/$a_version" ;;
        esac
    fi
    if [ $# -gt 0 ]; then
        set -- --depth "$a_depth" "$a_remote" "$@"
    elif yes "${a_bare-}"; then
        set -- "$a_remote" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' ${a_refspec:+"$a_refspec"}
    else
        set -- --tags "$a_remote" ${a_refspec:+"$a_refspec"}
    fi
    if yes "${a_force-}"; then set -- --force "$@"; fi
    rh_git_in 'download remote objects and refs' fetch -q "$@"
}

# --- what is checked out ---

rh_git_switch() {
    if yes "${a_bare-}"; then return; fi
    if [ "$a_version" = HEAD ]; then
        rh_git_branch
        rh_git_in "checkout branch $_branch" checkout -q --force "$_branch" --
        rh_git_in "checkout branch $_branch" reset -q --hard "$a_remote/$_branch" --
    else
        rh_git_to
    fi
    rh_git_verify
    if [ "${a_recursive-}" != no ] && [ -f "$a_dest/.gitmodules" ]; then rh_git_modules; fi
}
# A branch of the remote is followed, anything else checked out as it is.
rh_git_to() {
    _far=refs/remotes/$a_remote/$a_version
    if [ -n "${a_depth-}" ] && ! rh_git show-ref -q --verify "$_far"; then
        [ "${_kind-}" ] || rh_git_ask "$a_repo" "$a_version"
        # A shallow clone knows but the branch that it was made of.
        if [ "$_kind" = branch ]; then
            rh_git_in "fetch branch from remote: $a_version" fetch -q --depth="$a_depth" "$a_remote" "+refs/heads/$a_version:$_far"
        fi
    fi
    if ! rh_git show-ref -q --verify "$_far"; then
        rh_git_in "checkout $a_version" checkout -q --force "$a_version" --
    elif rh_git show-ref -q --verify "refs/heads/$a_version"; then
        rh_git_in "checkout branch $a_version" checkout -q --force "$a_version" --
        rh_git_in "checkout $a_version" reset -q --hard "$a_remote/$a_version" --
    else
        rh_git_in "checkout $a_version" checkout -q --force -b "$a_version" --track "$a_remote/$a_version"
    fi
}
rh_git_verify() {
    yes "${a_verify_commit-}" || return 0
    _verify=verify-commit
    [ "$(rh_git for-each-ref --format '%(objecttype)' "refs/tags/$a_version")" != tag ] || _verify=verify-tag
    rh_git "$_verify" --raw "$a_version" >"$T/answer" 2>"$T/said" ||
        fail "Failed to verify GPG signature of commit/tag \"$a_version\": $(cat "$T/said")"
    [ -n "${a_gpg_whitelist-}" ] || return 0
    # GnuPG's doc/DETAILS: the last word of VALIDSIG is the fingerprint of the primary key.
    _print=$(awk '$2 == "VALIDSIG" { print NF == 12 ? $12 : $3; exit }' "$T/said")
    eval "set -- $a_gpg_whitelist"
    for _good; do [ "$_good" != "$_print" ] || return 0; done
    fail "The gpg_whitelist does not include the public key \"$_print\" for this commit"
}
rh_git_modules() {
    if ! rh_git_modules_there || rh_git_modules_moved; then
        _submodules=1
        put_bool submodules_changed 1
        set --
        if yes "${a_track_submodules-}"; then set -- --remote; fi
        if yes "${a_force-}"; then set -- "$@" --force; fi
        rh_git_in 'sync submodules' submodule -q sync
        rh_git_in 'init/update submodules' submodule -q update --init --recursive "$@"
    fi
}
rh_git_modules_there() {
    rh_git config -f .gitmodules --get-regexp '^submodule\..*\.path$' | while read -r _key _path; do [ -e "$a_dest/$_path/.git" ] || exit 1; done
}
# What is checked out there is compared with what this commit names, or with the newest.
rh_git_modules_moved() {
    rh_git_in 'fetch submodules' submodule -q foreach git fetch -q
    if yes "${a_track_submodules-}"; then
        # shellcheck disable=SC2016 # for the shell of git
        rh_git_in 'fetch submodules' submodule -q foreach '[ "$(git rev-parse HEAD)" = "$(git rev-parse origin/HEAD)" ] || echo moved'
        [ -s "$T/answer" ]
    else
        rh_git_in 'retrieve submodule status' submodule status
        grep -q '^[^ ]' "$T/answer"
    fi
}

# --- what is told, and packed ---

rh_git_diff() {
    [ -n "$RH_DIFF" ] || return 0
    if [ -z "$_before" ]; then put diff ">> Newly checked out $_after"; return; fi
    [ "$_before" != "$_after" ] || return 0
    # A check fetches nothing.
    rh_git cat-file -e "$_after" 2>/dev/null || { put diff ">> $_before to $_after"; return; }
    _text=$(rh_git diff "$_before" "$_after" 2>&1)
    put diff "${_text:->> No visual differences between $_before and $_after}"
}
rh_git_archive() {
    case $a_archive in
    *.zip) _format='zip' ;;
    *.gz) _format=tar.gz ;;
    *.tar) _format='tar' ;;
    *.tgz) _format=tgz ;;
    *) fail "Unable to get file extension from archive file name : $a_archive" ;;
    esac
    if checking; then changed; return; fi
    rh_git archive --format "$_format" --output "$T/archive" ${a_archive_prefix:+--prefix "$a_archive_prefix"} "$a_version" 2>"$T/said" ||
        fail "Failed to perform archive operation: $(cat "$T/said")"
    # As in Ansible, only the archive counts then.
    if cmp -s -- "$T/archive" "$a_archive"; then r_changed=''; return; fi
    changed
    place_file "$T/archive" "$a_archive"
}
