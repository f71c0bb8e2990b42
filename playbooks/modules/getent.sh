# getent (ansible.builtin): entries of passwd, group, hosts and the like.
# Sets no variable of its own: register it and read `ansible_facts.getent_DATABASE`, a map of lists of fields.
#
# arg database text, required
# arg key text
# arg fail_key bool
module_getent() {
    run getent "$a_database" ${a_key:+"$a_key"} >"$T/list" 2>"$T/said" || {
        [ "${a_fail_key-}" = no ] || fail "One or more supplied key could not be found in the database."
        return
    }
    while IFS= read -r _line; do
        case $a_database in
        passwd | shadow | group | gshadow) _cut=: ;;
        *) _cut=' ' ;;
        esac
        set -f
        IFS=$_cut
        set -- $_line
        unset IFS
        _key=$(printf %s "$1" | tr -c 'A-Za-z0-9_-' _)
        shift
        _n=0
        for _field; do
            put "ansible_facts.getent_$a_database.$_key.$_n" "$_field"
            _n=$((_n + 1))
        done
    done <"$T/list"
}
