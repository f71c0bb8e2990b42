#!/bin/sh
# state.sh STAMP - on a machine: what there is to compare, as sections that begin with "== NAME".
# files: NUL-terminated "TYPE MODE OWNER:GROUP SIZE CTIME MTIME PATH TARGET", tab-separated, of the whole file system; contents: SHA-256 of those
# changed since STAMP was made; then packages, units, ufw, sysctl, mounts, hostname, one line each.
export LC_ALL=C.UTF-8
stamp=$1
# What is not compared, with the reason, stands in README.md.
walk() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/systemd -o -path /var/lib/cloud -o -path /var/lib/apt/lists -o -path /root/.ansible -o -path /root/.cache \
        -o -name __pycache__ -o -path '/home/*/.ansible' -o -name '.git' -o -path /var/lib/apt/periodic \) -prune -o "$@"
}
echo "== files"
walk -printf '%y\t%m\t%u:%g\t%s\t%C@\t%T@\t%p\t%l\0'
echo "== contents"
walk -type f -cnewer "$stamp" -print0 | xargs -0r sha256sum -z
echo "== packages"
dpkg-query -W -f '${Package}\t${Version} ${Status}\n'
apt-mark showmanual | sed 's/$/\tmanual/'
apt-mark showhold | sed 's/$/\theld/'
echo "== units"
systemctl list-unit-files --no-legend --plain | awk '{print $1 "\t" $2}'
systemctl list-units --type=service,timer,socket --all --no-legend --plain | awk '{print $1 "\t" $3 " " $4}'
echo "== sysctl"
sysctl -a 2>/dev/null | grep -E '^(net|vm|fs|kernel)\.' | sed 's/ = /\t/'
echo "== mounts"
findmnt -rno TARGET,SOURCE,FSTYPE | awk '{print $1 "\t" $2 " " $3}'
echo "== hostname"
printf 'hostname\t%s\n' "$(hostname)"
if command -v ufw >/dev/null; then
    echo "== ufw"
    ufw status verbose | sed 's/$/\t/'
fi
echo "== end"
