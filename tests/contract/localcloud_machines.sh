#!/bin/bash
# The local cloud's machines are real: they boot, take keys and user data, reach their package mirror, keep their disk over a
# power cycle, and leave nothing behind. Needs root. On a network of its own, so that a demo may run beside it.
. "$(dirname "$0")/../localcloud/testlib.sh"
[ "$(id -u)" -eq 0 ] || { echo "the machines need root" >&2; exit 1; }
IMAGE=$("$ROOT/tests/localcloud/image.sh") || exit 1
BRIDGE=lctest0
NETWORK=(--backend machines --image "$IMAGE" --bridge "$BRIDGE" --network 198.19.250.0/24 --disk-mb 700)
cloud_start "${NETWORK[@]}"

ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
ssh-keygen -q -t ed25519 -N '' -C host -f "$WORK/host"
cat >"$WORK/user-data" <<E
#cloud-config
ssh_keys:
  ed25519_private: |
$(sed 's/^/    /' "$WORK/host")
  ed25519_public: $(cat "$WORK/host.pub")
users:
  - name: deploy
    shell: /bin/bash
    sudo: ALL=(ALL) NOPASSWD:ALL
    ssh_authorized_keys: ["$(cat "$WORK/user.pub")"]
write_files:
  - path: /etc/from-user-data
    permissions: '0640'
    content: "it came"
E
order() { # NAME [MORE]
    jq -nc --arg n "$1" --rawfile u "$WORK/user-data" \
        "{name: \$n, server_type: \"cx23\", image: \"debian-12\", location: \"nbg1\", ssh_keys: [\"user\"], user_data: \$u} + ${2:-{\}}"
}
SSH=(ssh -i "$WORK/user" -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=yes -o "UserKnownHostsFile=$WORK/known" -o LogLevel=ERROR)
on() { "${SSH[@]}" "root@$IP" "$@"; }
server_is() { api GET "servers/$ID" | jq -e --arg s "$1" '.server.status == $s' >/dev/null; }

api POST ssh_keys "$(jq -nc --arg k "$(cat "$WORK/user.pub")" '{name: "user", public_key: $k}')" >/dev/null
BEFORE=$(date +%s%N)
check "orders a server" answers 201 POST servers "$(order web-1)"
ID=$(jq .server.id "$WORK/body") IP=$(jq -r .server.public_net.ipv4.ip "$WORK/body") IP6=$(jq -r .server.public_net.ipv6.ip "$WORK/body")
echo "$IP $(cut -d' ' -f1,2 "$WORK/host.pub")" >"$WORK/known"
check "lets root in by key, and has the host key that the user data gave it" within 60 on true
echo "     $((($(date +%s%N) - BEFORE) / 1000000)) ms from order to login"
check "runs cloud-init to its end" on cloud-init status --wait
check "has no failed unit" is "$(on systemctl --failed --no-legend)" ""
check "has its name" is "$(on hostname)" web-1
check "has its IPv4 address" grep -q "$IP/24" <<<"$(on ip -4 -o address show host0)"
check "has the first address of its IPv6 network" grep -q "${IP6%::/64}::1/" <<<"$(on ip -6 -o address show host0)"
check "answers there, too" bash -c "exec 3<>/dev/tcp/${IP6%::/64}::1/22"
check "wrote the file of the user data" is "$(on 'cat /etc/from-user-data; stat -c %a /etc/from-user-data')" "it came640"
check "made the user of the user data" is "$("${SSH[@]}" "deploy@$IP" sudo id -un)" root
check "has that host key only" is "$(on 'ls /etc/ssh/ssh_host_*_key')" /etc/ssh/ssh_host_ed25519_key
check "resolves names and reaches its package mirror" on apt-get update -qq
check "installs a package" on 'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sl >/dev/null && dpkg -s sl'
check "has a firewall of its own" on 'iptables -A INPUT -p tcp --dport 81 -j DROP && iptables -S INPUT | grep -q 81'
check "keeps a journal" grep -q systemd <<<"$(on journalctl -n 50 --no-pager)"
check "finds its disk full when it is" grep -q 'No space left' <<<"$(on 'fallocate -l 800M /root/big' 2>&1)"
check "and goes on" on 'rm -f /root/big && echo x >/root/small'

on 'echo survives >/root/kept; sync'
check "is switched off" answers 201 POST "servers/$ID/actions/poweroff"
check "and is off" within 20 server_is off
check "so that nothing answers" sh -c "! timeout 2 bash -c '</dev/tcp/$IP/22' 2>/dev/null"
api POST "servers/$ID/actions/poweron" >/dev/null
check "comes back with the same host key" within 60 on true
check "and its disk" is "$(on cat /root/kept)" survives
BOOT=$(on cat /proc/1/stat | cut -d' ' -f22)
api POST "servers/$ID/actions/reboot" >/dev/null
rebooted() { now=$(on cat /proc/1/stat | cut -d' ' -f22) && [ -n "$now" ] && [ "$now" != "$BOOT" ]; }
check "reboots when asked" within 60 rebooted
api POST "servers/$ID/actions/shutdown" >/dev/null
check "shuts down when asked" within 30 server_is off
api POST "servers/$ID/actions/poweron" >/dev/null
check "and starts again" within 60 on true
on 'nohup sh -c "sleep 0.2; poweroff" >/dev/null 2>&1 &'
check "is seen off when it switches itself off" within 30 server_is off

check "runs several machines at once" answers 201 POST servers "$(order web-2)"
IP2=$(jq -r .server.public_net.ipv4.ip "$WORK/body") ID2=$(jq .server.id "$WORK/body")
echo "$IP2 $(cut -d' ' -f1,2 "$WORK/host.pub")" >>"$WORK/known"
check "with another address" test "$IP" != "$IP2"
check "and a disk of its own" within 60 "${SSH[@]}" "root@$IP2" test ! -e /root/kept
"${SSH[@]}" "root@$IP2" 'mkdir -p /srv/site && echo kept >/srv/site/file && rm /etc/motd && chmod 600 /srv/site/file; sync'
check "makes a snapshot of one that runs" answers 201 POST "servers/$ID2/actions/create_image" '{"type":"snapshot","description":"s"}'
SNAPSHOT=$(jq .image.id "$WORK/body") ACTION=$(jq .action.id "$WORK/body")
action_done "$ACTION" >/dev/null
check "makes a server of it" answers 201 POST servers "$(order web-4 "{image:\"$SNAPSHOT\"}")"
IP4=$(jq -r .server.public_net.ipv4.ip "$WORK/body") ID4=$(jq .server.id "$WORK/body")
echo "$IP4 $(cut -d' ' -f1,2 "$WORK/host.pub")" >>"$WORK/known"
check "which has the files of the first" within 60 is "$("${SSH[@]}" -o ConnectionAttempts=30 "root@$IP4" 'cat /srv/site/file; stat -c %a /srv/site/file')" "kept
600"
check "lacks what was removed there" "${SSH[@]}" "root@$IP4" test ! -e /etc/motd
check "but is a host of its own" is "$("${SSH[@]}" "root@$IP4" hostname)" web-4
check "and another machine to its software" test "$("${SSH[@]}" "root@$IP4" cat /etc/machine-id)" != "$("${SSH[@]}" "root@$IP2" cat /etc/machine-id)"
check "deletes the snapshot" answers 204 DELETE "images/$SNAPSHOT"
check "and its copy" within 10 sh -c "! ls '$STATE/snapshots/$SNAPSHOT.tar' 2>/dev/null"
check "deletes that server" answers 200 DELETE "servers/$ID4"

check "a second cloud may not use the bridge" sh -c "! '$BUILD/tests/localcloud/localcloud' --state '$WORK/other' --token x ${NETWORK[*]} 2>'$WORK/refused'"
check "and says why" grep -q 'another local cloud' "$WORK/refused"
check "deletes a machine that runs" answers 200 DELETE "servers/$ID2"
check "and one that is off" answers 200 DELETE "servers/$ID"
check "both are gone" within 20 sh -c "curl -sS '$ADMIN/state' | jq -e '.servers == []'"
check "their files, too" is "$(ls "$STATE/machines")" ""

# A killed cloud leaves the bridge and the NAT rules; the next start cleans up.
api POST servers "$(order web-3)" >/dev/null
within 20 sh -c "curl -sS '$ADMIN/state' | jq -e '.servers[0].status == \"running\"'"
MACHINE=$(cut -d' ' -f1 "$STATE"/machines/*/pid)
kill -KILL "$CLOUD_PID"
wait "$CLOUD_PID" 2>/dev/null
check "machines die with a killed cloud" within 10 sh -c "! kill -0 $MACHINE 2>/dev/null"
cloud_start "${NETWORK[@]}"
check "the next one starts on what was left" is "$(curl -sS "$ADMIN/state" | jq '.servers | length')" 0
check "without old files" is "$(ls "$STATE/machines" 2>/dev/null)" ""
check "ends when it is told to" cloud_stop
check "takes the bridge away" sh -c "! ip link show $BRIDGE 2>/dev/null"
check "takes the NAT rules away" sh -c "! nft list tables | grep -q localcloud_$BRIDGE"
check "leaves no mount" sh -c "! grep -q '$STATE' /proc/mounts"
check "leaves no control group" sh -c "! ls -d /sys/fs/cgroup/localcloud.$BRIDGE.* /sys/fs/cgroup/*/localcloud.$BRIDGE.* 2>/dev/null"
finish
