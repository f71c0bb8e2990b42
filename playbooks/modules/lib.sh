# What every module stands on. It goes to the host once a session, before the modules in use (POSIX sh, made for dash).
#
# A task is one call: rh_task ID FLAGS MODULE [KEY VALUE]...
# It runs module_MODULE in a subshell, where each KEY is the variable a_KEY ("+NAME" is exported as NAME: `environment`),
# stdin is empty, and fd 3 is the way to the control side. A module ends by returning (ok) or by calling fail or skip.
# FLAGS: c check mode, d diff wanted, i a failure does not stop what follows, l one item of a loop, which
# rh_settle closes, r needs root, v somebody may read the values (without it, those that cost a process can be left out).
#
# What a module may use: changed, put/put_int/put_bool/put_json KEY VALUE and put_empty (dots in KEY make maps), fail, skip, checking,
# wanted, run, must, attributes, place_file, show_diff, and $T, a private folder
# in memory. Of the file that a module names in r_path its kind, owner, mode and size are told in the end. What begins with rh_ or RH_ is the library's own.
# Modules travel without comments and indentation, so nothing may hang on them. Variables of modules begin with an underscore, so that they never meet a task's environment.

rh_frame() { # status
    printf '%s %s %s %s\n%s\n' "$RH_NONCE" "$RH_ID" "$1" "${#RH_OUT}" "$RH_OUT" >&3
}
put() {
    RH_OUT="${RH_OUT}s $1 ${#2}
$2
"
}
put_int() {
    RH_OUT="${RH_OUT}i $1 ${#2}
$2
"
}
put_bool() { # key, anything but "" and 0 is true
    case ${2-} in '' | 0) set -- "$1" 0 ;; *) set -- "$1" 1 ;; esac
    RH_OUT="${RH_OUT}b $1 1
$2
"
}
put_empty() { # key, list or map: one that may stay empty
    case $2 in list) set -- "$1" l ;; *) set -- "$1" m ;; esac
    RH_OUT="${RH_OUT}$2 $1 0$RH_NL$RH_NL"
}
put_json() { # key, JSON: comes back as data; text that is no JSON is left out
    RH_OUT="${RH_OUT}j $1 ${#2}
$2
"
}
changed() { r_changed=1; }
checking() { [ -n "$RH_CHECK" ]; }
wanted() { [ -n "$RH_WANTED" ]; }
yes() { [ "${1-}" = yes ]; }

rh_end() { # status
    [ -z "$r_path" ] || rh_describe
    put_bool changed "$r_changed"
    rh_frame "$1"
}
rh_describe() {
    wanted && _now=$(stat -c '%F|%a %u %g %s %U %G %h' -- "$r_path" 2>/dev/null) && [ -e "$r_path" ] || return 0
    case $_now in
    directory*) put state directory ;;
    symbolic*) put state 'link' ;;
    *' 1') put state 'file' ;;
    *) put state hard ;;
    esac
    set -f
    unset IFS
    set -- ${_now#*|}
    put mode "$(printf 0%03o $((0$1)))"
    put_int uid "$2"
    put_int gid "$3"
    put_int size "$4"
    case $5 in UNKNOWN) put owner "$2" ;; *) put owner "$5" ;; esac
    case $6 in UNKNOWN) put group "$3" ;; *) put group "$6" ;; esac
}
fail() { # message; nothing counts as changed then
    r_changed=''
    fail_changed "$@"
}
fail_changed() { # the same, but what was done before stays told
    put msg "$*"
    rh_end failed
    exit 9
}
skip() { # message
    put msg "$*"
    rh_end skipped
    exit 0
}
# Runs a tool. It must not hold the way to the control side open (a daemon would for ever), and it speaks UTF-8 while this
# shell counts bytes.
run() { LC_ALL=C.UTF-8 "$@" 3>&-; }
# The same, quietly; when the tool fails, so does the task, with what the tool said.
must() {
    run "$@" >"$T/said" 2>&1 && return
    _status=$?
    put_int rc "$_status"
    fail "$1 failed (exit $_status): $(tail -c 4000 "$T/said")"
}

rh_start() { # nonce
    RH_NL='
'
    RH_NONCE=$1 RH_STOP='' RH_FAILED='' RH_UID=$(id -u) RH_SHORT='' RH_AS=''
    umask 022
    T=
    for _base in /dev/shm "${TMPDIR:-/tmp}" /var/tmp /run; do
        if [ -w "$_base" ] && T=$(umask 077 && mktemp -d "$_base/rehost.XXXXXXXXXX" 2>/dev/null); then break; fi
    done
    [ -n "$T" ] || { echo 'there is no room for a private folder in /dev/shm, /tmp, /var/tmp or /run' >&2; exit 3; }
    RH_TAG=${T##*.} # for the names of temporary files, which others may see
    RH_WIDE=
    trap 'rm -rf "$T" ${RH_WIDE:+"$RH_WIDE"}' EXIT
    trap 'exit 3' HUP INT TERM PIPE
}
rh_module() { # id flags module key value...
    RH_ID=$1 RH_OUT='' RH_CHECK='' RH_DIFF='' RH_WANTED='' r_changed='' r_path='' r_attributes=''
    case $2 in *c*) RH_CHECK=1 ;; esac
    case $2 in *d*) RH_DIFF=1 ;; esac
    case $2 in *v*) RH_WANTED=1 ;; esac
    case $2 in *r*) [ "$RH_UID" = 0 ] || fail "this task needs root, but the session is that of $(id -un): put 'become: true' on the play" ;; esac
    [ "$RH_SHORT" != "$1" ] || fail 'there is no room on the host for the data of this task'
    _module=$3
    shift 3
    while [ $# -gt 1 ]; do
        case $1 in
        +*) export "${1#+}=$2" ;;
        *) eval "a_$1=\$2" ;;
        esac
        shift 2
    done
    "module_$_module"
    rh_end ok
}
# 0 or 9; in both cases exactly one frame has been sent.
rh_try() {
    (rh_module "$@") </dev/null >"$T/out" 2>"$T/err" 4<&- 5>&- 6<&-
    case $? in
    0) return 0 ;;
    9) return 9 ;;
    esac
    RH_ID=$1 RH_OUT=''
    put msg "module '$3' ended early: $(tail -c 4000 "$T/err")"
    rh_frame failed
    return 9
}
rh_stopped() { # id; true when an earlier task failed
    [ -n "$RH_STOP" ] || return 1
    RH_ID=$1 RH_OUT=''
    rh_frame stopped
}
rh_settle() { # status flags
    [ -z "$RH_STOP" ] || return 0
    case $1$2 in 0* | *i*) ;; *) RH_FAILED=1 ;; esac
    case $2 in *l*) return ;; esac
    RH_STOP=$RH_FAILED RH_FAILED=''
}
rh_task() {
    rh_stopped "$1" && return
    rh_try "$@"
    rh_done $? "$@"
}
rh_done() { # status id flags...
    [ ! -e "$T/data.$2" ] || rm -f "$T/data.$2" ${RH_WIDE:+"$RH_WIDE/data.$2"}
    rh_settle "$1" "$3"
}

# Large or binary content, as it arrives on fd 4: a file that the next task finds as $T/data.$a_data.
rh_d() { # task bytes
    if [ -n "$RH_STOP" ] || [ "$RH_SHORT" = "$1" ]; then
        dd bs="$2" count=1 iflag=fullblock >/dev/null 2>&1 <&4
    elif [ "$2" = 0 ]; then
        : >>"$T/data.$1"
    else
        dd bs="$2" count=1 iflag=fullblock >>"$T/data.$1" 2>/dev/null <&4 || RH_SHORT=$1
    fi
}
# Where other users may find what is given to them, and what is too large for memory is kept.
rh_wide() {
    [ -n "$RH_WIDE" ] || { RH_WIDE=$(mktemp -d /var/tmp/rehost.XXXXXXXXXX) && chmod 0711 "$RH_WIDE"; }
}
rh_roomy() { # task
    [ -z "$RH_STOP" ] || return 0
    rh_wide && (umask 077 && : >"$RH_WIDE/data.$1") && ln -s "$RH_WIDE/data.$1" "$T/data.$1" || RH_SHORT=$1
}
rh_hand() { # user task
    if [ ! -L "$T/data.$2" ]; then
        rh_wide && mv "$T/data.$2" "$RH_WIDE/" && ln -s "$RH_WIDE/data.$2" "$T/data.$2" || RH_SHORT=$2
    fi
    chmod 0400 "$RH_WIDE/data.$2" && chown "$1" "$RH_WIDE/data.$2"
}

# A task as another user; '' is who logged in, where the session became root by sudo. It runs in a shell of that user, which is
# kept for the next one. Frames of that shell carry a nonce of its own: what that user's other processes could see of it must not
# let them speak for anybody else.
rh_as() { # user nonce id flags call
    _user=${1:-$RH_LOGIN}
    rh_stopped "$3" && return
    if [ -n "$_user" ]; then rh_other "$_user" "$2" "$3" "$5"; else eval "$5"; fi
    rh_done $? "$3" "$4"
}
rh_other() { # user nonce id call
    rh_shell "$1" "$2" || {
        rh_refuse "$3" "cannot run as user '$1': $(tail -c 4000 "$T/as.err")"
        return 9
    }
    _link=
    if [ -e "$T/data.$3" ]; then
        rh_hand "$1" "$3"
        _link="ln -s '$RH_WIDE/data.$3' \"\$T/data.$3\";"
    fi
    trap : PIPE
    printf '%s RH_SHORT=%s\n%s\necho $?\n%s\n' "$_link" "$RH_SHORT" "$4" "${_link:+rm -f \"\$T/data.$3\"}" >&5 2>/dev/null
    trap 'exit 3' PIPE
    read -r _status <&6 || {
        rh_leave
        rh_refuse "$3" "the shell of user '$1' ended in the middle of the task"
        return 9
    }
    [ "$_status" = 0 ] || return 9
}
rh_refuse() { # id message
    RH_ID=$1 RH_OUT=''
    put msg "$2"
    rh_frame failed
}
rh_leave() {
    exec 5>&- 6<&-
    RH_AS=
}
rh_shell() { # user nonce
    [ "$RH_AS" != "$1" ] || return 0
    rh_leave
    rm -f "$T/to" "$T/from"
    mkfifo "$T/to" "$T/from" 2>"$T/as.err" || return
    _home=$(getent passwd "$1" | cut -d: -f6)
    # The shells open their ends before they become another user, so that neither waits for one who will not come.
    # shellcheck disable=SC2016 # for the inner shell
    runuser -u "$1" -- sh -c 'export HOME="$1" USER="$2" LOGNAME="$2"
        cd ~ 2>/dev/null || cd /; if [ -x /bin/dash ]; then exec /bin/dash; fi; exec sh' sh "$_home" "$1" <"$T/to" >"$T/from" 2>"$T/as.err" 4<&- &
    exec 5>"$T/to" 6<"$T/from"
    trap : PIPE
    printf '%s\nRH_LIBRARY=\nrh_start %s\necho 0\n' "$RH_LIBRARY" "$2" >&5 2>/dev/null
    trap 'exit 3' PIPE
    read -r _status <&6 || {
        rh_leave
        return 1
    }
    RH_AS=$1
}
# More modules, when the playbook turns out to need them.
rh_learn() { # text
    RH_LIBRARY=$RH_LIBRARY$RH_NL$1
    eval "$1"
    rh_leave
}

# The mode that $a_mode makes of mode $2 of $1, in octal.
rh_mode() {
    case $a_mode in
    *[!0-7]*) ;;
    *) _mode=$((0$a_mode)) && return ;;
    esac
    rm -rf "$T/probe"
    if [ -d "$1" ]; then mkdir "$T/probe"; else : >"$T/probe"; fi
    chmod "$2" "$T/probe"
    chmod -- "$a_mode" "$T/probe" 2>"$T/said" || {
        put details "$(cat "$T/said")"
        fail 'mode must be in octal or symbolic form'
    }
    _mode=$((0$(stat -c %a "$T/probe")))
}
# Fails for a user or group that the host does not know.
rh_known() { # user group
    case $1 in *[!0-9]*) getent passwd "$1" >/dev/null || fail "chown failed: failed to look up user $1" ;; esac
    case $2 in *[!0-9]*) getent group "$2" >/dev/null || fail "chgrp failed: failed to look up group $2" ;; esac
}
# Gives $1 the mode, owner and group that the task asks for, if any. A symbolic link is itself owned when $2 is "link".
attributes() {
    [ -n "${a_mode-}${a_owner-}${a_group-}" ] || return 0
    _follow=-L
    [ "${2-}" = link ] && _follow=
    _now=$(stat $_follow -c '%a %U %u %G %g' -- "$1" 2>"$T/said") || {
        checking && changed && return
        fail "cannot read the attributes of '$1': $(cat "$T/said")"
    }
    _path=$1
    set -- $_now
    _owner='' _grp=''
    case ${a_owner-} in '' | "$2" | "$3") ;; *) _owner=$a_owner ;; esac
    case ${a_group-} in '' | "$4" | "$5") ;; *) _grp=$a_group ;; esac
    if [ -n "$_owner$_grp" ]; then
        changed
        r_attributes=1
        rh_known "$_owner" "$_grp"
        checking || must chown ${_follow:--h} "$_owner${_grp:+:$_grp}" -- "$_path"
    fi
    [ -n "${a_mode-}" ] && [ -n "$_follow" ] || return 0
    rh_mode "$_path" "$1"
    if [ "$_mode" -ne $((0$1)) ]; then
        changed
        r_attributes=1
        checking || must chmod "$(printf %04o "$_mode")" -- "$_path"
    elif [ -n "$_owner$_grp" ] && [ "$_mode" -gt 511 ] && ! checking; then
        must chmod "$(printf %04o "$_mode")" -- "$_path" # chown took the setuid bits
    fi
}
show_diff() { # path old new
    [ -z "$RH_DIFF" ] || put diff "$(diff -u -L "$1" -L "$1" -- "$2" "$3")"
}
backup_file() { # path
    _backup="$1.$$.$(date '+%Y-%m-%d@%H:%M:%S~')"
    must cp -p -- "$1" "$_backup"
    put "${r_backup_key:-backup_file}" "$_backup"
}
rh_invalid() { # exit status
    [ -z "${r_validated-}" ] || fail "failed to validate: rc:$1 error:$(tail -c 4000 "$T/said")"
    put_int exit_status "$1"
    put stdout "$(tail -c 4000 "$T/out")"
    put stderr "$(tail -c 4000 "$T/said")"
    fail 'failed to validate'
}
# Puts the file $1 in the place of $2 in one step, after validation, with the attributes that $2 had or, if new, mode 0644.
# Nobody sees a half-written file, nor one that is more open than it shall be.
place_file() {
    if [ -n "${a_validate-}" ]; then
        RH_NEW=$1
        eval "run $a_validate" >"$T/out" 2>"$T/said" || rh_invalid $?
    fi
    if [ -e "$2" ] && yes "${a_backup-}"; then backup_file "$2"; fi
    case $2 in */*) _new=${2%/*}/.rehost.$RH_TAG ;; *) _new=.rehost.$RH_TAG ;; esac
    if [ -e "$2" ]; then _was=$(stat -L -c '%a %u %g' -- "$2"); else _was="644 $RH_UID $(id -g)"; fi
    set -- "$1" "$2" $_was
    case ${a_mode-} in
    '') _mode=$((0$3)) ;;
    *) rh_mode "$2" "$3" ;;
    esac
    [ $_mode = $((0$3)) ] || r_attributes=1
    _mode=$(printf %04o "$_mode")
    case ${a_owner:-$4} in "$4" | root) ;; *) r_attributes=1 ;; esac
    case ${a_group:-$5} in "$5" | root) ;; *) r_attributes=1 ;; esac
    if [ "$RH_UID" = 0 ]; then set -- "$1" "$2" -o "${a_owner:-$4}" -g "${a_group:-$5}"; else set -- "$1" "$2"; fi
    _put=$1 _into=$2
    shift 2
    run install -T -m "$_mode" "$@" -- "$_put" "$_new" >"$T/said" 2>&1 || {
        rm -f -- "$_new" # a full disk leaves a part of it
        rh_known "${a_owner-}" "${a_group-}"
        fail "cannot write '$_into': $(cat "$T/said")"
    }
    mv -fT -- "$_new" "$_into" 2>"$T/said" || {
        rm -f -- "$_new"
        fail "cannot replace '$_into': $(cat "$T/said")"
    }
}
