# locale_gen (community.general): a locale that the system knows.
# Debian keeps the list in `/etc/locale.gen`, Ubuntu in `/var/lib/locales/supported.d/local`. Needs the package `locales`.
#
# arg name text, required
# arg state text, one of absent present
# returns name
module_locale_gen() {
    put name "$a_name"
    put msg OK
    if [ -f /etc/locale.gen ]; then _file=/etc/locale.gen; else _file=/var/lib/locales/supported.d/local; fi
    [ -e "$_file" ] || [ -d /var/lib/locales/supported.d ] ||
        fail '/etc/locale.gen and /var/lib/locales/supported.d/local are missing. Is the package "locales" installed?'
    _want=$(rh_locale_gen_name "$a_name")
    if run locale -a 2>/dev/null | rh_locale_gen_names | grep -qxF "$_want"; then _there=present; else _there=absent; fi
    [ "${a_state:-present}" != "$_there" ] || return 0
    if [ "${a_state:-present}" = present ]; then
        grep -hE '^#?[[:space:]]*[^ ]+ [^ ]+' "$_file" /usr/share/i18n/SUPPORTED 2>/dev/null | sed 's/^#[[:space:]]*//' |
            awk -v n="$a_name" '$1 == n { found = 1 } END { exit !found }' || fail "The locale you've entered is not available on your system."
    fi
    changed
    checking && return
    if [ "${a_state:-present}" = present ]; then _edit=rh_locale_gen_add; else _edit=rh_locale_gen_remove; fi
    $_edit >"$T/new"
    place_file "$T/new" "$_file"
    case $_file in
    /etc/locale.gen) must locale-gen ;;
    *) if [ "${a_state:-present}" = present ]; then must locale-gen "$a_name"; else must locale-gen --purge; fi ;;
    esac
}
rh_locale_gen_names() { sed 's/[Uu][Tt][Ff]-\{0,1\}8/utf8/; s/[Ee][Uu][Cc]-\{0,1\}\([JKT]\)/euc\1/'; }
rh_locale_gen_name() { printf '%s\n' "$1" | rh_locale_gen_names; }
rh_locale_gen_add() {
    awk -v n="$a_name" '{ line = $0; sub(/^#[ \t]*/, "", line); split(line, f, /[ \t]+/) }
        f[1] == n { if (!done++) print line; next } { print } END { exit 0 }' "$_file"
    case $_file in
    /etc/locale.gen) ;;
    *) grep -qE "^#?[[:space:]]*$a_name " "$_file" 2>/dev/null || grep "^$a_name " /usr/share/i18n/SUPPORTED ;;
    esac
}
rh_locale_gen_remove() {
    awk -v n="$a_name" '$1 == n { print "# " $0; next } { print }' "$_file"
}
