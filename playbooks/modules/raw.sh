# raw (ansible.builtin): a line for a shell, always run and always a change.
# Skipped with `--check`.
#
# arg cmd text
# arg executable path
# free cmd
# returns rc stderr stdout
module_raw() {
    if checking; then skip 'raw does not run in check mode'; fi
    changed
    printf '%s\n' "$a_script" >"$T/script"
    run "${a_executable:-/bin/sh}" "$T/script" >"$T/stdout" 2>"$T/stderr"
    _rc=$?
    put stdout "$(head -c 4194304 "$T/stdout")"
    put stderr "$(head -c 4194304 "$T/stderr")"
    put_int rc $_rc
    [ $_rc = 0 ] || fail_changed 'non-zero return code'
}
