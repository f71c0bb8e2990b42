# package_facts (ansible.builtin): the installed packages, as facts.
# `ansible_facts.packages` holds, by name, a list of `name`, `version`, `arch`, `category` and `source` (apt). The `origin` is left out.
# `manager` and `strategy` have no effect: it is dpkg's list.
#
# arg manager words
# arg strategy text, one of first all
# returns ansible_facts.packages
# needs json
module_package_facts() {
    _native=$(dpkg --print-architecture)
    run dpkg-query -W -f '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${Section}\n' >"$T/list" 2>"$T/said" ||
        fail "cannot read dpkg's list: $(cat "$T/said")"
    put_json ansible_facts.packages "$(perl -e "$rh_json"'
        my ($native, %all) = shift;
        while (<STDIN>) {
            chomp; my ($status, $name, $version, $arch, $section) = split /\t/;
            next if $status =~ /^(not-installed|config-files)$/;
            $name .= ":$arch" if $arch ne $native && $arch ne "all";
            push @{$all{$name}}, map_of({name => text($name), version => text($version), arch => text($arch),
                category => text($section), source => text("apt")});
        }
        print map_of({map { $_ => "[" . join(",", @{$all{$_}}) . "]" } keys %all});' "$_native" <"$T/list")"
}
