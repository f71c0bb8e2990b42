# pip (ansible.builtin): Python packages, on the host or in a virtual environment.
# Needs pip, and for `virtualenv` the program of that name (or `virtualenv_command: python3 -m venv`), on the host.
#
# arg name words
# arg state text, one of absent forcereinstall latest present
# arg version text
# arg requirements text
# arg virtualenv path
# arg virtualenv_site_packages bool
# arg virtualenv_command text
# arg virtualenv_python text
# arg extra_args text
# arg editable bool
# arg chdir path
# arg executable path
# arg umask text
# returns cmd name requirements state stderr stdout version virtualenv
# needs json
module_pip() {
    : "${a_state:=present}" "${a_virtualenv_command:=virtualenv}"
    [ -n "${a_name-}${a_requirements-}" ] || fail 'one of the following is required: name, requirements'
    [ -z "${a_name-}" ] || [ -z "${a_requirements-}" ] || fail 'parameters are mutually exclusive: name|requirements'
    [ -z "${a_executable-}" ] || [ -z "${a_virtualenv-}" ] || fail 'parameters are mutually exclusive: executable|virtualenv'
    [ "$a_state" != latest ] || [ -z "${a_version-}" ] || fail 'version is incompatible with state=latest'
    [ -z "${a_umask-}" ] || umask "$a_umask"
    cd "${a_chdir:-/tmp}" 2>"$T/said" || fail "$(cat "$T/said")"
    case ${a_virtualenv-} in '' | /*) ;; *) a_virtualenv=$PWD/$a_virtualenv ;; esac
    : >"$T/stdout"
    : >"$T/stderr"
    eval "set -- ${a_name-}"
    rh_pip_names "$@"
    if [ -n "${a_virtualenv-}" ]; then
        if [ ! -e "$a_virtualenv/bin/activate" ]; then rh_pip_environment; fi
        PATH=$a_virtualenv/bin:$PATH
    fi
    rh_pip_find
    if checking; then rh_pip_check; return; fi
    rh_pip_run
}
rh_pip_environment() {
    changed
    checking && rh_end ok && exit 0
    set -- $a_virtualenv_command
    command -v "$1" >/dev/null || fail "Failed to find required executable \"${1##*/}\" in paths"
    if yes "${a_virtualenv_site_packages-}"; then set -- "$@" --system-site-packages; fi
    case $a_virtualenv_command in
    *pyvenv* | *-m\ venv*)
        [ -z "${a_virtualenv_python-}" ] || fail 'virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command'
        ;;
    *) set -- "$@" "-p${a_virtualenv_python:-/usr/bin/python3}" ;;
    esac
    run "$@" "$a_virtualenv" >>"$T/stdout" 2>>"$T/stderr" || rh_pip_fail
}
# Sets _pip, a command in words.
rh_pip_find() {
    if [ -n "${a_virtualenv-}" ]; then
        for _pip in "$a_virtualenv/bin/pip3" "$a_virtualenv/bin/pip" ''; do [ ! -x "$_pip" ] || break; done
        [ -n "$_pip" ] || fail "Unable to find pip in the virtualenv, $a_virtualenv, under any of these names: pip3, pip. Make sure pip is present in the virtualenv."
    elif [ -n "${a_executable-}" ]; then
        _pip=$(command -v "$a_executable") || fail "Unable to find any of $a_executable to use.  pip needs to be installed."
    elif [ -e /usr/lib/python3/dist-packages/pip ]; then
        _pip='/usr/bin/python3 -m pip'
    else
        _pip=$(command -v pip3) || fail 'Unable to find any of pip3 to use.  pip needs to be installed.'
    fi
}
# A version that was cut off at its comma comes back to its name. Sets _names, quoted.
rh_pip_names() {
    _names='' _one=''
    for _part; do
        case $_part in
        '<'* | '>'* | '='* | '!'* | '~'*) _one=$_one,$_part ;;
        *)
            [ -z "$_one" ] || _names="$_names '$_one'"
            _one=$_part
            ;;
        esac
    done
    if [ -n "${a_version-}" ]; then
        [ -z "$_names" ] || fail "'version' argument is ambiguous when installing multiple package distributions. Please specify version restrictions next to each package in 'name' argument."
        case $_one in *[\<\>=!~]*) fail "The 'version' argument conflicts with any version specifier provided along with a package name. Please keep the version specifier, but remove the 'version' argument." ;; esac
        case $a_version in [0-9]*) _one=$_one==$a_version ;; *) _one=$_one$a_version ;; esac
    fi
    [ -z "$_one" ] || _names="$_names '$_one'"
    case $_names in *\'*\\*) fail 'a name of a package cannot hold a backslash' ;; esac
}
rh_pip_fail() { fail "stdout: $(tail -c 8000 "$T/stdout")${RH_NL}:stderr: $(tail -c 8000 "$T/stderr")"; }
rh_pip_run() {
    eval "set -- $_names"
    [ -z "${a_requirements-}" ] || set -- -r "$a_requirements"
    case " ${a_extra_args-} " in
    *' -e '*) ;;
    *) if yes "${a_editable-}"; then a_extra_args="${a_extra_args-} -e"; fi ;;
    esac
    _freeze=''
    case "$* ${a_requirements:+git+}" in *git+* | *svn+* | *hg+* | *bzr+*) _freeze=$(run $_pip list --format=freeze 2>/dev/null) _frozen=1 ;; *) _frozen='' ;; esac
    case $a_state in
    absent) set -- uninstall -y ${a_extra_args-} "$@" ;;
    latest) set -- install -U ${a_extra_args-} "$@" ;;
    forcereinstall) set -- install -U --force-reinstall ${a_extra_args-} "$@" ;;
    *) set -- install ${a_extra_args-} "$@" ;;
    esac
    run $_pip "$@" >"$T/out.pip" 2>>"$T/stderr"
    _status=$?
    cat "$T/out.pip" >>"$T/stdout"
    if [ $_status != 0 ]; then
        [ "$a_state" = absent ] && cat "$T/stdout" "$T/stderr" | grep -q 'not installed' || rh_pip_fail
    fi
    if [ "$a_state" = absent ]; then
        ! grep -q 'Successfully uninstalled' "$T/out.pip" || changed
    elif [ -n "$_frozen" ]; then
        [ "$_freeze" = "$(run $_pip list --format=freeze 2>/dev/null)" ] || changed
    else
        ! grep -q 'Successfully installed' "$T/out.pip" || changed
    fi
    rh_pip_report "$@"
}
rh_pip_report() {
    _n=0
    for _word in $_pip; do put "cmd.$_n" "$_word"; _n=$((_n + 1)); done
    for _word; do put "cmd.$_n" "$_word"; _n=$((_n + 1)); done
    eval "set -- ${a_name-}"
    _n=0
    for _word; do put "name.$_n" "$_word"; _n=$((_n + 1)); done
    [ $# != 0 ] || put_json name null
    for _word in version requirements virtualenv; do
        eval "_value=\${a_$_word-}"
        if [ -n "$_value" ]; then put "$_word" "$_value"; else put_json "$_word" null; fi
    done
    put state "$a_state"
    put stdout "$(cat "$T/stdout")"
    put stderr "$(cat "$T/stderr")"
}
# With --check: names without versions are looked up; whatever else would have to be tried counts as changed.
rh_pip_check() {
    if [ -n "${a_extra_args-}${a_requirements-}" ] || [ "$a_state" = latest ]; then changed; return; fi
    run $_pip list --format=freeze >"$T/list" 2>/dev/null
    eval "set -- $_names"
    for _word; do
        _plain=$(printf %s "${_word%%[[<>=!~; ]*}" | tr 'A-Z_.' 'a-z--')
        _have=$(tr 'A-Z_' 'a-z-' <"$T/list" | awk -F '==' -v n="$_plain" '{ k = $1; gsub(/\./, "-", k) } k == n { print $2; exit }')
        case $_word in *==*) [ "$_have" = "${_word##*==}" ] || _have='' ;; esac
        case $a_state:$_have in present: | absent:?*) changed ;; esac
    done
}
