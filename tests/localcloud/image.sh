#!/bin/sh
# image.sh [DIR] - build the disk image that the local cloud's machines start from: a plain Debian 12 with systemd, sshd and
# cloud-init, as a directory tree. Prints the image's path. Cached under DIR (default $REHOST_CACHE/image, or build/cache/image)
# and built again only when this recipe, the site's CA certificates or the apt settings change. Needs root; takes 30-60 s.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
dir=${1:-${REHOST_CACHE:-$here/../../build/cache}/image}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

suite=bookworm
packages=openssh-server,cloud-init,systemd-sysv,dbus,libpam-systemd,sudo,curl,ca-certificates,iproute2,iptables,cron,procps
packages=$packages,kmod,netbase,iputils-ping,less,locales,gnupg,python3-apt

# How this machine reaches its package mirror: proxies and validity checks of apt.
site_apt() {
    apt-config dump | grep -E '^Acquire::(https?::|Check-Valid-Until|Check-Date|ForceIPv4|Retries)' || :
}

digest=$({ cat "$0"; site_apt; cat /usr/local/share/ca-certificates/*.crt 2>/dev/null || :; echo "${REHOST_MIRROR:-}"; } |
    sha256sum | cut -c1-16)
image=$dir/$suite-$digest

exec 9>"$dir/lock"
flock 9 # two test runs at once build it once
if [ -e "$image/.complete" ]; then
    echo "$image"
    exit 0
fi

if ! command -v mmdebstrap >/dev/null; then
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
site_apt >"$work/apt.conf"

echo "building the machine image (Debian $suite) in $image" >&2
mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt="$work/apt.conf" --skip=cleanup/apt/lists \
    "$suite" "$work/root" ${REHOST_MIRROR:+"$REHOST_MIRROR"} >&2

root=$work/root
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"
cp "$work/apt.conf" "$root/etc/apt/apt.conf.d/90site"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/cache/apt/archives/*.deb
echo root:'*' | chroot "$root" chpasswd -e

# A site's own certificate authorities, so that apt, curl and npm inside work where they work outside.
mkdir -p "$root/usr/local/share/ca-certificates"
cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || :
chroot "$root" update-ca-certificates >/dev/null 2>&1
cat >"$root/etc/environment" <<'E'
NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
E
echo 'LANG=C.UTF-8' >"$root/etc/default/locale"

# What cloud images of the provider do: root logs in by key, the data source is known, cloud-init leaves network and apt alone.
cat >"$root/etc/cloud/cloud.cfg.d/90_localcloud.cfg" <<'E'
datasource_list: [NoCloud]
disable_root: false
users: []
ssh_pwauth: false
preserve_hostname: false
manage_etc_hosts: true
network: {config: disabled}
apt: {preserve_sources_list: true}
ssh_genkeytypes: [ed25519, ecdsa]
cloud_init_modules: [migrator, seed_random, bootcmd, write-files, set_hostname, update_hostname, update_etc_hosts, users-groups, ssh]
cloud_config_modules: [ssh-import-id, locale, set-passwords, apt-configure, timezone, runcmd]
cloud_final_modules: [package-update-upgrade-install, write-files-deferred, scripts-vendor, scripts-per-once,
  scripts-per-boot, scripts-per-instance, scripts-user, ssh-authkey-fingerprints, final-message, power-state-change]
E
printf 'policy: enabled\n' >"$root/etc/cloud/ds-identify.cfg"
printf 'UseDNS no\nPermitRootLogin yes\n' >"$root/etc/ssh/sshd_config.d/10-image.conf"
# Set before, so that cloud-init has nothing to change and does not restart sshd under the first login.
printf 'PasswordAuthentication no\n' >"$root/etc/ssh/sshd_config.d/50-cloud-init.conf"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"

# Boot time: nothing that a machine in a container cannot use, and no timers that wake up all machines of a test at once.
systemctl --root="$root" -q enable systemd-networkd ssh cron
systemctl --root="$root" -q mask systemd-networkd-wait-online.service console-getty.service getty@.service \
    e2scrub_reap.service systemd-resolved.service 2>/dev/null || :
systemctl --root="$root" -q disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer man-db.timer systemd-timesyncd.service 2>/dev/null || :

touch "$root/.complete"
rm -rf --one-file-system "$image"
mv "$root" "$image"
# Older images go, unless a local cloud still runs on one: it holds a lock on it.
for old in "$dir/$suite-"*; do
    [ "$old" = "$image" ] && continue
    flock -n "$old/.complete" rm -rf --one-file-system "$old" || echo "kept the older image $old: it is in use" >&2
done
echo "$image"
