# getent (ansible.builtin): entries of passwd, group, hosts and the like.
# Facts as in Ansible: `ansible_facts.getent_DATABASE` (and `getent_DATABASE`), a map of lists of fields.
#
# arg database text, required
# arg key text
# arg fail_key bool
# returns ansible_facts.getent_passwd ansible_facts.getent_group ansible_facts.getent_shadow ansible_facts.getent_hosts ansible_facts.getent_services
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
