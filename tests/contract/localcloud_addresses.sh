#!/bin/bash
# Addresses that move between real machines: packets for them reach the server that has them now, and nobody when nobody does. Needs
# root. On a network of its own.
. "$(dirname "$0")/../localcloud/testlib.sh"
[ "$(id -u)" -eq 0 ] || { echo "the machines need root" >&2; exit 1; }
IMAGE=$("$ROOT/tests/localcloud/image.sh") || exit 1
BRIDGE=lctest1
cloud_start --backend machines --image "$IMAGE" --bridge "$BRIDGE" --network 198.19.251.0/24 --disk-mb 500 --dns none

ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
api POST ssh_keys "$(jq -nc --arg k "$(cat "$WORK/user.pub")" '{name: "user", public_key: $k}')" >/dev/null
SSH=(ssh -i "$WORK/user" -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
on() { at=$1 && shift && "${SSH[@]}" "root@$at" "$@"; }
order() {
    api POST servers "$(jq -nc --arg n "$1" '{name: $n, server_type: "cx23", image: "debian-12", location: "nbg1", ssh_keys: ["user"]}')" >/dev/null
}
reaches() { is "$(on "$1" hostname)" "$2"; }
nobody() { ! timeout 3 bash -c "exec 3<>/dev/tcp/$1/22" 2>/dev/null; }
moved() { # SERVER
    api POST "floating_ips/$F/actions/assign" "{\"server\":$1}" >/dev/null
    action_done "$(jq .action.id "$WORK/body")"
}

order one
A=$(jq .server.id "$WORK/body") IP_A=$(jq -r .server.public_net.ipv4.ip "$WORK/body")
order two
B=$(jq .server.id "$WORK/body") IP_B=$(jq -r .server.public_net.ipv4.ip "$WORK/body")
check "the first server answers" within 60 reaches "$IP_A" one
check "and the second" within 60 reaches "$IP_B" two
api POST floating_ips '{"type":"ipv4","home_location":"nbg1","name":"entry"}' >/dev/null
F=$(jq .floating_ip.id "$WORK/body") IP=$(jq -r .floating_ip.ip "$WORK/body")
check "a new address leads nowhere" nobody "$IP"
check "is given to the first server" moved "$A"
check "which does not answer there before it has the address itself" nobody "$IP"
on "$IP_A" "ip address add $IP/32 dev host0"
check "and then does" within 10 reaches "$IP" one
on "$IP_B" "ip address add $IP/32 dev host0"
check "stays there although the second has configured it, too" reaches "$IP" one
check "moves while both run" moved "$B"
check "and leads to the second" within 10 reaches "$IP" two
api POST "floating_ips/$F/actions/unassign" >/dev/null
action_done "$(jq .action.id "$WORK/body")" >/dev/null
check "taken off, it leads nowhere, although both have it" nobody "$IP"
check "goes back" moved "$A"
check "and leads there" within 10 reaches "$IP" one

# A primary IP changes its server while both are off.
for id in $A $B; do
    api POST "servers/$id/actions/poweroff" >/dev/null
    action_done "$(jq .action.id "$WORK/body")" >/dev/null
done
P=$(api GET "servers/$A" | jq .server.public_net.ipv4.id) Q=$(api GET "servers/$B" | jq .server.public_net.ipv4.id)
for id in $P $Q; do api POST "primary_ips/$id/actions/unassign" >/dev/null; done
check "the second takes the first one's primary IP" answers 201 POST "primary_ips/$P/actions/assign" \
    "{\"assignee_type\":\"server\",\"assignee_id\":$B}"
api POST "servers/$B/actions/poweron" >/dev/null
check "and answers there when it is on again" within 60 reaches "$IP_A" two

# Reserved addresses of the other kind need nothing inside the machine.
URL=$(jq -r '.urls.digitalocean // empty' "$WORK/ready")
if [ -n "$URL" ]; then
    api POST v2/account/keys "$(jq -nc --arg k "$(cat "$WORK/user.pub")" '{name: "user", public_key: $k}')" >/dev/null
    KEY=$(jq .ssh_key.id "$WORK/body")
    droplet() {
        api POST v2/droplets "$(jq -nc --arg n "$1" --argjson k "$KEY" \
            '{name: $n, size: "s-1vcpu-1gb", image: "debian-12-x64", region: "fra1", ssh_keys: [$k]}')" | jq .droplet.id
    }
    public() { api GET "v2/droplets/$1" | jq -re '.droplet.networks.v4[] | select(.type == "public") | .ip_address'; }
    shown() { public "$1" >/dev/null; }
    give() { # DROPLET
        api POST "v2/reserved_ips/$R/actions" "{\"type\":\"assign\",\"droplet_id\":$1}" >/dev/null
        is "$(status)" 201
    }
    C=$(droplet three) D=$(droplet four)
    check "a droplet shows its address" within 30 shown "$C"
    check "so does the other" within 30 shown "$D"
    check "a droplet answers" within 60 reaches "$(public "$C")" three
    check "the other, too" within 60 reaches "$(public "$D")" four
    api POST v2/reserved_ips '{"region":"fra1"}' >/dev/null
    R=$(jq -r .reserved_ip.ip "$WORK/body")
    check "a reserved IP is given to a droplet" give "$C"
    check "which answers there without having been told" within 10 reaches "$R" three
    check "also to another machine" within 10 is "$(on "$(public "$D")" "bash -c 'exec 3<>/dev/tcp/$R/22 && head -c 4 <&3'")" SSH-
    check "and moves" give "$D"
    check "to the other" within 10 reaches "$R" four
    api POST "v2/reserved_ips/$R/actions" '{"type":"unassign"}' >/dev/null
    check "taken off, it leads nowhere" within 10 nobody "$R"
fi

# Two that exchange what they have: each has to configure what it gets, and lets go of what it gave.
URL=$(jq -r '.urls.linode // empty' "$WORK/ready")
if [ -n "$URL" ]; then
    linode() {
        api POST linode/instances "$(jq -nc --arg n "$1" --arg k "$(cat "$WORK/user.pub")" '{label: $n, region: "nl-ams",
            type: "g6-nanode-1", image: "linode/debian12", root_pass: "Correct-horse-7-battery", authorized_keys: [$k]}')" |
            jq -c '[.id, .ipv4[0]]'
    }
    ONE=$(linode five) TWO=$(linode six)
    IP_E=$(jq -r '.[1]' <<<"$ONE") IP_F=$(jq -r '.[1]' <<<"$TWO")
    check "a Linode answers" within 60 reaches "$IP_E" five
    check "and another" within 60 reaches "$IP_F" six
    moment=$(($(date +%s) + 10)) # for both the same: once one has begun, the other could not be told any more
    exchange() { # as it runs on a machine: what it had, what it gets
        echo "while [ \$(date +%s) -lt $moment ]; do sleep 0.2; done; ip address add $2/24 dev host0; ip address delete $1/24 dev host0; ip route replace default via 198.19.251.1"
    }
    on "$IP_E" "systemd-run --quiet --no-block bash -c '$(exchange "$IP_E" "$IP_F")'"
    on "$IP_F" "systemd-run --quiet --no-block bash -c '$(exchange "$IP_F" "$IP_E")'"
    check "they exchange their addresses" answers 200 POST networking/ips/assign "$(jq -nc --argjson a "$ONE" --argjson b "$TWO" \
        '{region: "nl-ams", assignments: [{address: $a[1], linode_id: $b[0]}, {address: $b[1], linode_id: $a[0]}]}')"
    check "so that the second answers at the first one's" within 40 reaches "$IP_E" six
    check "and the first at the second one's" within 40 reaches "$IP_F" five
fi
check "ends when it is told to" cloud_stop
check "leaves no route behind" is "$(ip route | grep '198\.19\.251')" ""
check "and no rules" sh -c "! nft list tables | grep -q localcloud_$BRIDGE"
finish
