# debconf (ansible.builtin): answers to the questions of a package, before it is installed.
# Without `question` it returns the answers in `current`. A password always counts as changed, as in Ansible: debconf does not show it.
#
# arg name text, required, or pkg
# arg question text, or selection setting
# arg vtype text, one of boolean error multiselect note password seen select string text title
# arg value text, or answer
# arg unseen bool
# returns current msg previous
# needs json
module_debconf() {
    run debconf-show "$a_name" >"$T/list" 2>"$T/said" || fail "$(cat "$T/said")"
    if [ -z "${a_question-}" ]; then
        put msg ''
        put_json current "$(rh_debconf_answers)"
        return
    fi
    [ -n "${a_vtype-}" ] && [ -n "${a_value+set}" ] || fail 'parameters are required together: question, vtype, value'
    _had=$(sed -n 's/^[* ]*//p' "$T/list" | awk -v q="$a_question: " 'index($0 " ", q) == 1 { sub(/ $/, "", q); print "x" substr($0, length(q) + 1); exit }')
    _old=$(printf %s "${_had#x}" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
    case $a_vtype in
    boolean)
        a_value=$(printf %s "$a_value" | tr 'A-Z' 'a-z')
        _old=$(printf %s "$_old" | tr 'A-Z' 'a-z')
        ;;
    esac
    put msg ''
    if [ -n "$_had" ] && [ "$_old" = "$a_value" ]; then put_json current "$(rh_debconf_answers)"; return; fi
    changed
    put_json current "$(printf '%s\0%s\0' "$a_question" "$a_value" |
        perl -e "$rh_json"'$/ = "\0"; chomp(my ($q, $v) = <STDIN>); print map_of({$q => text($v)})')"
    checking && return
    if yes "${a_unseen-}"; then set -- -u; else set --; fi
    printf '%s %s %s %s\n' "$a_name" "$a_question" "$a_vtype" "$a_value" | run debconf-set-selections "$@" >"$T/said" 2>&1 ||
        fail "$(cat "$T/said")"
}
rh_debconf_answers() {
    perl -e "$rh_json"'my %all; while (<STDIN>) { s/^[*\s]+//; s/\s+$//; my ($k, $v) = split /:\s*/, $_, 2; $all{$k} = text($v) }
        print map_of(\%all);' <"$T/list"
}
