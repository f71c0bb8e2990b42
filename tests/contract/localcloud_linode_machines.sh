#!/bin/bash
# The Linode dialect over real machines: user data that came in base64 is carried out, and two instances exchange their addresses.
# Needs root. On a network of its own.
. "$(dirname "$0")/../localcloud/testlib.sh"
[ "$(id -u)" -eq 0 ] || { echo "the machines need root" >&2; exit 1; }
IMAGE=$("$ROOT/tests/localcloud/image.sh") || exit 1
cloud_start --backend machines --image "$IMAGE" --bridge lctest33 --network 198.19.33.0/24 --disk-mb 500 --dns none
URL=$(jq -r .urls.linode "$WORK/ready")

ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
SSH=(ssh -i "$WORK/user" -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
on() { at=$1 && shift && "${SSH[@]}" "root@$at" "$@"; }
order() { # LABEL [IMAGE]: sets id and at
    local data
    data=$(printf '#cloud-config\nwrite_files:\n- path: /root/told\n  content: told to %s\n' "$1" | base64 -w0)
    api POST linode/instances "$(jq -nc --arg l "$1" --arg k "$(cat "$WORK/user.pub")" --arg d "$data" --arg i "${2:-linode/debian12}" \
        '{label: $l, region: "nl-ams", type: "g6-nanode-1", image: $i, authorized_keys: [$k], metadata: {user_data: $d}}')" >/dev/null
    id=$(jq .id "$WORK/body") at=$(jq -r '.ipv4[0]' "$WORK/body")
}
reaches() { is "$(on "$1" hostname)" "$2"; }
assign() { # ADDRESS ID ADDRESS ID
    api POST networking/ips/assign "{\"region\":\"nl-ams\",\"assignments\":[{\"address\":\"$1\",\"linode_id\":$2},{\"address\":\"$3\",\"linode_id\":$4}]}" >/dev/null
    is "$(status)" 200
}
boot_id() { on "$1" "systemctl show --property=UserspaceTimestampMonotonic --property=UserspaceTimestamp | sort"; }
rebooted() { now=$(boot_id "$AT_ONE") && [ -n "$now" ] && [ "$now" != "$BOOT" ]; }
status_is() { within 60 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/linode/instances/$1' | jq -e '.status == \"$2\"'"; }

order one
ONE=$id AT_ONE=$at
order two
TWO=$id AT_TWO=$at
check "the first instance answers at the address of its create" within 60 reaches "$AT_ONE" one
check "and the second" within 60 reaches "$AT_TWO" two
check "user data has been decoded and carried out" within 60 is "$(on "$AT_ONE" "cloud-init status --wait >/dev/null; cat /root/told")" "told to one"

on "$AT_ONE" "ip address add $AT_TWO/32 dev host0"
on "$AT_TWO" "ip address add $AT_ONE/32 dev host0"
check "an address stays with its instance although the other has configured it, too" reaches "$AT_ONE" one
check "they exchange addresses in one call" assign "$AT_ONE" "$TWO" "$AT_TWO" "$ONE"
check "the first one's address leads to the second" within 20 reaches "$AT_ONE" two
check "and the second one's to the first" within 20 reaches "$AT_TWO" one
check "they exchange them back" assign "$AT_ONE" "$ONE" "$AT_TWO" "$TWO"
check "and each is at its own again" within 20 reaches "$AT_ONE" one
check "both of them" within 20 reaches "$AT_TWO" two
on "$AT_ONE" "ip address del $AT_TWO/32 dev host0"
on "$AT_TWO" "ip address del $AT_ONE/32 dev host0"

on "$AT_TWO" "echo kept >/root/mark; sync"
api POST images "{\"disk_id\":$(api GET "linode/instances/$TWO/disks" | jq '.data[0].id'),\"label\":\"kept\",\"cloud_init\":true}" >/dev/null
PRIVATE=$(jq -r .id "$WORK/body")
check "an image is captured of a disk" within 60 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/images/$PRIVATE' | jq -e '.status == \"available\"'"
order three "$PRIVATE"
check "an instance that is made from it answers" within 60 reaches "$at" three
check "with what was on the disk" is "$(on "$at" cat /root/mark)" kept

check "an instance shuts down" answers 200 POST "linode/instances/$ONE/shutdown"
check "and is offline when its machine has stopped" status_is "$ONE" offline
check "boots" answers 200 POST "linode/instances/$ONE/boot"
check "and answers again" within 60 reaches "$AT_ONE" one
BOOT=$(boot_id "$AT_ONE")
check "reboots" answers 200 POST "linode/instances/$ONE/reboot"
check "and comes up anew" within 60 rebooted
check "is deleted" within 30 answers 200 DELETE "linode/instances/$ONE"
check "and does not answer" within 20 sh -c "! timeout 2 bash -c 'exec 3<>/dev/tcp/$AT_ONE/22' 2>/dev/null"
finish
