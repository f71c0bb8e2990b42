#!/bin/bash
# The local cloud's Linode dialect held to the provider's published document: Prism stands between and answers an error for every
# request or answer that the document does not allow.
. "$(dirname "$0")/../localcloud/testlib.sh"
. "$ROOT/tests/contract/document.sh"
SPEC=$(document linode) || exit 0
PRISM=$("$ROOT/tests/contract/prism/install.sh") || exit 1
cloud_start --backend memory --boot-delay-ms 0 --object-delay-ms 0 --rate-limit 0 --published --dns none
URL=$(jq -r .urls.linode "$WORK/ready")

"$PRISM" proxy "$SPEC" "$URL" --errors --host 127.0.0.1 --port 0 >"$WORK/prism.log" 2>&1 &
EXTRA_PIDS="$EXTRA_PIDS $!"
within 60 grep -q 'is listening on' "$WORK/prism.log" || { cat "$WORK/prism.log"; exit 1; }
PROXY=$(sed -nE 's/.*is listening on (http:[^ ]*).*/\1/p' "$WORK/prism.log")

# conforms STATUS METHOD PATH [JSON]
conforms() {
    wanted=$1
    shift
    api_at "$PROXY" "$@" >/dev/null
    is "$(status)" "$wanted" && ! grep -q 'UNPROCESSABLE_ENTITY\|VIOLATIONS\|sl-violations' "$WORK/body" "$WORK/headers"
}
refused() { ! conforms "$@"; }
field() { jq -r "$1" "$WORK/body"; }
settle() { within 10 sh -c "curl -sS '$ADMIN/state' | jq -e '[.servers[].busy] | any | not'"; }
ready() { within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/$1' | jq -e '$2'"; }
instance() { jq -nc --arg l "$1" "{label: \$l, region: \"nl-ams\", type: \"g6-nanode-1\", image: \"linode/debian12\", root_pass: \"correct-Horse-9\"} + ${2:-{\}}"; }

check "the proxy notices a request that the document does not allow" refused 400 POST volumes '{"label":1}'

for list in profile profile/sshkeys account account/settings account/transfer account/availability account/events regions \
    regions/availability linode/types images tags linode/instances networking/ips networking/firewalls volumes volumes/types \
    databases/engines databases/types databases/instances databases/postgresql/instances domains; do
    check "GET /$list" conforms 200 GET "$list"
done
check "GET /profile/grants" conforms 204 GET profile/grants
check "GET /regions/{id}" conforms 200 GET regions/nl-ams
check "GET /regions/{id}/availability" conforms 200 GET regions/nl-ams/availability
check "GET /linode/types/{id}" conforms 200 GET linode/types/g6-nanode-1
check "GET /images/{id}" conforms 200 GET images/linode%2Fubuntu24.04

KEY_LINE='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r contract@test'
check "POST /profile/sshkeys" conforms 200 POST profile/sshkeys "{\"label\":\"k\",\"ssh_key\":\"$KEY_LINE\"}"
KEY=$(field .id)
check "GET /profile/sshkeys, one there" conforms 200 GET profile/sshkeys
check "GET /profile/sshkeys/{id}" conforms 200 GET "profile/sshkeys/$KEY"
check "PUT /profile/sshkeys/{id}" conforms 200 PUT "profile/sshkeys/$KEY" '{"label":"k2"}'

# The document's body of this one cannot be met: its "rules" needs policies and forbids them. So it goes past the proxy.
RULES='{"inbound_policy":"DROP","outbound_policy":"ACCEPT","inbound":[{"protocol":"TCP","ports":"22","addresses":{"ipv4":["0.0.0.0/0"],"ipv6":["::/0"]},"action":"ACCEPT","label":"ssh"}],"outbound":[]}'
check "POST /networking/firewalls, past the proxy" answers 200 POST networking/firewalls "{\"label\":\"web\",\"rules\":$RULES,\"tags\":[\"rehost\"]}"
FIREWALL=networking/firewalls/$(field .id)
check "GET /networking/firewalls, one there" conforms 200 GET networking/firewalls
check "GET /networking/firewalls/{id}" conforms 200 GET "$FIREWALL"
check "GET /networking/firewalls/{id}/rules" conforms 200 GET "$FIREWALL/rules"
check "PUT /networking/firewalls/{id}/rules" conforms 200 PUT "$FIREWALL/rules" "$RULES"
check "PUT /networking/firewalls/{id}" conforms 200 PUT "$FIREWALL" '{"status":"enabled","tags":["other"]}'

check "POST /linode/instances" conforms 200 POST linode/instances "$(instance web-1 "{authorized_keys: [\"$KEY_LINE\"], booted: true,
    metadata: {user_data: \"I2Nsb3VkLWNvbmZpZwo=\"}, tags: [\"rehost-run:r1\"], private_ip: true, backups_enabled: false, firewall_id: ${FIREWALL##*/}}")"
ID=$(field .id)
check "POST /linode/instances, another one" conforms 200 POST linode/instances "$(instance web-2)"
OTHER=$(field .id)
settle
check "GET /linode/instances, two there" conforms 200 GET 'linode/instances?page_size=500'
check "GET /linode/instances, a page of 25" conforms 200 GET 'linode/instances?page=1&page_size=25'
check "GET /linode/instances/{id}" conforms 200 GET "linode/instances/$ID"
check "PUT /linode/instances/{id}" conforms 200 PUT "linode/instances/$ID" '{"label":"web-one","tags":["rehost-run:r1","rehost-node:web"]}'
for part in disks ips firewalls volumes backups; do
    check "GET /linode/instances/{id}/$part" conforms 200 GET "linode/instances/$ID/$part"
done
for how in shutdown boot reboot; do
    check "POST /linode/instances/{id}/$how" conforms 200 POST "linode/instances/$ID/$how"
    settle
done
DISK=$(api GET "linode/instances/$ID/disks" | jq '.data[0].id')
check "GET /linode/instances/{id}/disks/{id}" conforms 200 GET "linode/instances/$ID/disks/$DISK"
check "POST /linode/instances/{id}/ips" conforms 200 POST "linode/instances/$OTHER/ips" '{"type":"ipv4","public":false}'
check "GET /tags, two there" conforms 200 GET tags
check "POST /tags" conforms 200 POST tags "{\"label\":\"mine\",\"linodes\":[$ID]}"
check "GET /tags/{label}" conforms 200 GET tags/mine
check "DELETE /tags/{label}" conforms 200 DELETE tags/mine
check "POST /networking/firewalls/{id}/devices" conforms 200 POST "$FIREWALL/devices" "{\"type\":\"linode\",\"id\":$OTHER}"
DEVICE=$(field .id)
check "GET /networking/firewalls/{id}/devices" conforms 200 GET "$FIREWALL/devices"
check "GET /networking/firewalls/{id}/devices/{id}" conforms 200 GET "$FIREWALL/devices/$DEVICE"
check "DELETE /networking/firewalls/{id}/devices/{id}" conforms 200 DELETE "$FIREWALL/devices/$DEVICE"

check "GET /networking/ips, two there" conforms 200 GET networking/ips
A=$(api GET "linode/instances/$ID" | jq -r '.ipv4[0]') B=$(api GET "linode/instances/$OTHER" | jq -r '.ipv4[0]')
check "GET /networking/ips/{address}" conforms 200 GET "networking/ips/$A"
check "POST /networking/ips/assign" conforms 200 POST networking/ips/assign \
    "{\"region\":\"nl-ams\",\"assignments\":[{\"address\":\"$A\",\"linode_id\":$OTHER},{\"address\":\"$B\",\"linode_id\":$ID}]}"
check "POST /networking/ips/share" conforms 200 POST networking/ips/share "{\"linode_id\":$ID,\"ips\":[\"$A\"]}"

check "POST /volumes" conforms 200 POST volumes '{"label":"data","region":"nl-ams","size":10,"tags":["rehost"]}'
VOLUME=$(field .id)
ready "volumes/$VOLUME" '.status == "active"'
check "POST /volumes/{id}/attach" conforms 200 POST "volumes/$VOLUME/attach" "{\"linode_id\":$ID}"
check "GET /volumes/{id}" conforms 200 GET "volumes/$VOLUME"
check "GET /volumes, one there" conforms 200 GET volumes
check "POST /volumes/{id}/detach" conforms 200 POST "volumes/$VOLUME/detach"
check "PUT /volumes/{id}" conforms 200 PUT "volumes/$VOLUME" '{"label":"data-2"}'
check "DELETE /volumes/{id}" conforms 200 DELETE "volumes/$VOLUME"

check "POST /images" conforms 200 POST images "{\"disk_id\":$DISK,\"label\":\"before\",\"description\":\"by a test\",\"cloud_init\":true}"
IMAGE=$(field .id)
ready "images/$IMAGE" '.status == "available"'
check "GET /images, one more" conforms 200 GET images
check "GET /images/{id}, a private one" conforms 200 GET "images/${IMAGE/\//%2F}"
check "POST /linode/instances from it" conforms 200 POST linode/instances "$(instance again "{image: \"$IMAGE\"}")"
check "DELETE /images/{id}" conforms 200 DELETE "images/${IMAGE/\//%2F}"

DATABASES=databases/postgresql/instances
check "POST /databases/postgresql/instances" conforms 200 POST $DATABASES \
    '{"label":"shop","type":"g6-nanode-1","engine":"postgresql/16","region":"nl-ams","cluster_size":1,"allow_list":["198.18.0.0/16"]}'
DATABASE=$(field .id)
ready "$DATABASES/$DATABASE" '.status == "active"'
check "POST /databases/postgresql/instances, a fork" conforms 200 POST $DATABASES \
    "{\"label\":\"shop-2\",\"type\":\"g6-nanode-1\",\"engine\":\"postgresql/16\",\"region\":\"eu-central\",\"fork\":{\"source\":$DATABASE,\"restore_time\":\"$(
        api GET "$DATABASES/$DATABASE" | jq -r .oldest_restore_time)\"}}"
FORK=$(field .id)
ready "$DATABASES/$FORK" '.status == "active"'
check "GET /databases/postgresql/instances/{id}" conforms 200 GET "$DATABASES/$FORK"
check "GET /databases/postgresql/instances, two there" conforms 200 GET $DATABASES
check "GET /databases/instances, two there" conforms 200 GET databases/instances
check "PUT /databases/postgresql/instances/{id}" conforms 200 PUT "$DATABASES/$FORK" '{"allow_list":["198.18.0.1/32"]}'
check "GET /databases/postgresql/instances/{id}/credentials" conforms 200 GET "$DATABASES/$FORK/credentials"
check "GET /databases/postgresql/instances/{id}/ssl" conforms 200 GET "$DATABASES/$FORK/ssl"
check "DELETE /databases/postgresql/instances/{id}" conforms 200 DELETE "$DATABASES/$FORK"

check "POST /domains" conforms 200 POST domains '{"domain":"example.com","type":"master","soa_email":"admin@example.com","ttl_sec":300}'
DOMAIN=domains/$(field .id)
check "GET /domains, one there" conforms 200 GET domains
check "GET /domains/{id}" conforms 200 GET "$DOMAIN"
check "PUT /domains/{id}" conforms 200 PUT "$DOMAIN" '{"ttl_sec":3600,"description":"by a test"}'
check "POST /domains/{id}/records" conforms 200 POST "$DOMAIN/records" '{"type":"A","name":"www","target":"198.18.10.1","ttl_sec":300}'
RECORD=$DOMAIN/records/$(field .id)
check "POST /domains/{id}/records at the apex" conforms 200 POST "$DOMAIN/records" '{"type":"A","target":"198.18.10.1"}'
check "POST /domains/{id}/records for services" conforms 200 POST "$DOMAIN/records" \
    '{"type":"SRV","service":"sip","protocol":"tcp","target":"sip.example.com","priority":1,"weight":2,"port":5060}'
check "GET /domains/{id}/zone-file" conforms 200 GET "$DOMAIN/zone-file"
check "GET /domains/{id}/records" conforms 200 GET "$DOMAIN/records"
check "GET /domains/{id}/records/{id}" conforms 200 GET "$RECORD"
check "PUT /domains/{id}/records/{id}" conforms 200 PUT "$RECORD" '{"target":"198.18.10.2","ttl_sec":3600}'
check "DELETE /domains/{id}/records/{id}" conforms 200 DELETE "$RECORD"
check "DELETE /domains/{id}" conforms 200 DELETE "$DOMAIN"

check "GET /account/events, all kinds of them" conforms 200 GET 'account/events?page_size=500'
check "GET /account/events/{id}" conforms 200 GET "account/events/$(field '.data[0].id')"

# Errors.
check "404" conforms 404 GET linode/instances/4711
TOKEN=wrong check "401" conforms 401 GET linode/instances
TOKEN=reader check "401 for a write with a token that may only read" conforms 401 POST linode/instances "$(instance web-3)"
check "400" conforms 400 POST linode/instances "$(instance web-one)"
curl -sS -X POST -d '{"available":false}' "$ADMIN/stock"
check "400, sold out" conforms 400 POST linode/instances "$(instance web-3)"
check "GET /regions/availability, all sold out" conforms 200 GET regions/availability
check "GET /regions, all sold out" conforms 200 GET regions

settle
check "DELETE /linode/instances/{id}" conforms 200 DELETE "linode/instances/$ID"
check "DELETE /networking/firewalls/{id}" conforms 200 DELETE "$FIREWALL"
check "DELETE /profile/sshkeys/{id}" conforms 200 DELETE "profile/sshkeys/$KEY"
finish
