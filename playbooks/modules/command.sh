# command (ansible.builtin): runs one program without a shell.
# No shell: quotes and `$NAME` are understood, `|`, `>` and `&&` are not. `creates` and `removes` take globs. `warn` has no
# effect.
#
# arg cmd text
# arg argv words
# arg chdir path
# arg creates path
# arg removes path
# arg stdin text
# arg stdin_add_newline bool
# arg warn bool
# free cmd
# returns msg rc stderr stdout

# a_words are the words of the command, quoted.
# True, with the task ended, when creates or removes (globs) say that there is nothing to do.
rh_command_needless() {
    if [ -n "${a_creates-}" ]; then
        for _found in $(rh_glob "$a_creates"); do
            put stdout "skipped, since $a_creates exists"
            put stderr ''
            put_int rc 0
            put msg "Did not run command since '$a_creates' exists"
            return 0
        done
    fi
    if [ -n "${a_removes-}" ]; then
        for _found in $(rh_glob "$a_removes"); do return 1; done
        put stdout "skipped, since $a_removes does not exist"
        put stderr ''
        put_int rc 0
        put msg "Did not run command since '$a_removes' does not exist"
        return 0
    fi
    return 1
}
# One word when something matches the glob, none otherwise.
rh_glob() {
    IFS=''
    for _match in $1; do
        if [ -e "$_match" ] || [ -L "$_match" ]; then echo found; return; fi
    done
}
rh_command_run() { # words
    if [ -n "${a_chdir-}" ]; then
        cd "$a_chdir" 2>"$T/said" || fail "Unable to change directory before execution: [Errno 2] No such file or directory: b'$a_chdir'"
    fi
    rh_command_needless && return
    if checking; then
        put_int rc 0
        put stdout ''
        put stderr ''
        [ -n "${a_creates-}${a_removes-}" ] || skip 'Command would have run if not in check mode'
        put msg 'Command would have run if not in check mode'
        changed
        return
    fi
    changed
    ! wanted || _start=$(date '+%s.%6N')
    if [ -n "${a_stdin+set}" ]; then
        if [ "${a_stdin_add_newline-}" = no ]; then printf %s "$a_stdin"; else printf '%s\n' "$a_stdin"; fi |
            (rh_command_exec "$@") >"$T/stdout" 2>"$T/stderr"
    else
        (rh_command_exec "$@") >"$T/stdout" 2>"$T/stderr"
    fi
    _rc=$?
    ! wanted || rh_command_times
    _out=$(head -c 4194304 "$T/stdout")
    _err=$(head -c 4194304 "$T/stderr")
    rh_drop_returns
    [ ${#_out} -lt 4000000 ] || [ "$(stat -c %s "$T/stdout")" -le 4194304 ] ||
        put warnings.0 "stdout is cut after its first 4 MiB of $(stat -c %s "$T/stdout") bytes"
    put stdout "$_out"
    case $_rc:$_err in
    127:*": $1: not found")
        put_int rc 2
        put stderr ''
        [ -n "${a_script+set}" ] || put cmd "$(rh_command_text "$@")"
        fail "[Errno 2] No such file or directory: b'$1'"
        ;;
    esac
    put stderr "$_err"
    put_int rc $_rc
    [ $_rc = 0 ] || fail_changed 'non-zero return code'
    put msg ''
}
# The words as one line, each quoted where a shell would need it.
rh_command_text() {
    _line=''
    for _word; do
        case $_word in
        '' | *[!A-Za-z0-9@%+=:,./_-]*) _word="'$(printf %s "$_word" | sed "s/'/'\"'\"'/g")'" ;;
        esac
        _line="$_line${_line:+ }$_word"
    done
    printf %s "$_line"
}
# No line ends at the end of $_out and $_err, of DOS neither.
rh_drop_returns() {
    _return=$(printf '\r')
    while :; do
        case $_out in *["$_return$RH_NL"]) _out=${_out%?} ;; *) break ;; esac
    done
    while :; do
        case $_err in *["$_return$RH_NL"]) _err=${_err%?} ;; *) break ;; esac
    done
}
# When it began and ended, and how long it took.
rh_command_times() {
    _end=$(date '+%s.%6N')
    put start "$(date -d "@$_start" '+%F %T.%6N')"
    put end "$(date -d "@$_end" '+%F %T.%6N')"
    _now=$(((${_end%.*} - ${_start%.*}) * 1000000 + 1${_end#*.} - 1${_start#*.}))
    put delta "$(printf '%d:%02d:%02d.%06d' $((_now / 3600000000)) $((_now / 60000000 % 60)) $((_now / 1000000 % 60)) $((_now % 1000000)))"
}
# Always the program, never a builtin of the same name; it does not inherit the way to the control side.
rh_command_exec() {
    export LC_ALL=C.UTF-8
    exec "$@" 3>&-
}
module_command() {
    eval "set -- $a_words"
    if wanted; then
        _n=0
        for _word; do
            put "cmd.$_n" "$_word"
            _n=$((_n + 1))
        done
    fi
    rh_command_run "$@"
}
