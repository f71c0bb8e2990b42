#!/bin/bash
# The DigitalOcean dialect of the local cloud held to the provider's published document: Prism stands between and answers an error for
# every request or answer that the document does not allow.
. "$(dirname "$0")/../localcloud/testlib.sh"
. "$ROOT/tests/contract/document.sh"
SPEC=$(document digitalocean) || exit 0
PRISM=$("$ROOT/tests/contract/prism/install.sh") || exit 1
cloud_start --backend memory --boot-delay-ms 0 --rate-limit 0 --dns none
URL=$(jq -r .urls.digitalocean "$WORK/ready")

port=$((31000 + $$ % 1000))
"$PRISM" proxy "$SPEC" "$URL" --errors --host 127.0.0.1 --port "$port" >"$WORK/prism.log" 2>&1 &
EXTRA_PIDS="$EXTRA_PIDS $!"
within 60 grep -q 'Prism is listening' "$WORK/prism.log" || { cat "$WORK/prism.log"; exit 1; }

# conforms STATUS METHOD PATH [JSON]
conforms() {
    wanted=$1
    shift
    api_at "http://127.0.0.1:$port" "$@" >/dev/null
    is "$(status)" "$wanted" && ! grep -q 'UNPROCESSABLE_ENTITY\|VIOLATIONS\|sl-violations' "$WORK/body" "$WORK/headers"
}
field() { jq -r "$1" "$WORK/body"; }
settle() { within 10 sh -c "curl -sS '$ADMIN/state' | jq -e '[.servers[].busy] | any | not'"; }
done_action() { within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/v2/actions/$1' | jq -e '.action.status == \"completed\"'"; }

check "the proxy notices a request that the document does not allow" sh -c \
    "curl -sS -X POST -H 'Authorization: Bearer $TOKEN' -H 'Content-Type: application/json' -d '{\"name\":1}' http://127.0.0.1:$port/v2/account/keys | grep -q UNPROCESSABLE_ENTITY"

check "GET /v2/account" conforms 200 GET v2/account
ssh-keygen -q -t ed25519 -N '' -f "$WORK/k"
check "POST /v2/account/keys" conforms 201 POST v2/account/keys "$(jq -nc --arg k "$(cat "$WORK/k.pub")" '{name: "k", public_key: $k}')"
KEY=$(field .ssh_key.id) PRINT=$(field .ssh_key.fingerprint)
check "GET /v2/account/keys" conforms 200 GET v2/account/keys
check "GET /v2/account/keys/{id}" conforms 200 GET "v2/account/keys/$KEY"
check "GET /v2/account/keys/{fingerprint}" conforms 200 GET "v2/account/keys/$PRINT"
check "PUT /v2/account/keys/{id}" conforms 200 PUT "v2/account/keys/$KEY" '{"name":"k2"}'
for list in sizes regions images tags droplets firewalls reserved_ips volumes snapshots databases domains actions; do
    check "GET /v2/$list" conforms 200 GET "v2/$list"
done
check "GET /v2/images with filters" conforms 200 GET 'v2/images?type=distribution&per_page=200'
check "GET /v2/images/{slug}" conforms 200 GET v2/images/debian-12-x64
check "GET /v2/sizes, the second page" conforms 200 GET 'v2/sizes?per_page=2&page=2'

check "POST /v2/tags" conforms 201 POST v2/tags '{"name":"edge"}'
check "GET /v2/tags/{name}" conforms 200 GET v2/tags/edge
check "POST /v2/firewalls" conforms 202 POST v2/firewalls '{"name":"fw","tags":["edge"],
    "inbound_rules":[{"protocol":"tcp","ports":"22","sources":{"addresses":["0.0.0.0/0","::/0"]}},{"protocol":"icmp","ports":"0","sources":{"tags":["edge"]}}],
    "outbound_rules":[{"protocol":"tcp","ports":"all","destinations":{"addresses":["0.0.0.0/0"]}}]}'
FIREWALL=$(field .firewall.id)
check "GET /v2/firewalls, one there" conforms 200 GET v2/firewalls
check "GET /v2/firewalls/{id}" conforms 200 GET "v2/firewalls/$FIREWALL"

check "POST /v2/droplets" conforms 202 POST v2/droplets "{\"name\":\"web-1\",\"region\":\"fra1\",\"size\":\"s-1vcpu-2gb\",\"image\":\"ubuntu-24-04-x64\",
    \"ssh_keys\":[$KEY],\"ipv6\":true,\"tags\":[\"rehost-run:r1\",\"edge\"],\"user_data\":\"#cloud-config\\n{}\"}"
ID=$(field .droplet.id) ACTION=$(field '.links.actions[0].id')
check "POST /v2/droplets for two" conforms 202 POST v2/droplets \
    '{"names":["a-1","a-2"],"region":"nyc","size":"s-1vcpu-1gb","image":139080908,"tags":["pair"]}'
check "GET /v2/droplets/{id} of one that is being made" conforms 200 GET "v2/droplets/$ID"
done_action "$ACTION"
settle
check "GET /v2/actions/{id}" conforms 200 GET "v2/actions/$ACTION"
check "GET /v2/actions, some there" conforms 200 GET v2/actions
check "GET /v2/droplets/{id}/actions" conforms 200 GET "v2/droplets/$ID/actions"
check "GET /v2/droplets/{id}/actions/{id}" conforms 200 GET "v2/droplets/$ID/actions/$ACTION"
addressed() { api GET "v2/droplets/$ID" | jq -e '.droplet.networks | (.v4 | length) == 2 and (.v6 | length) == 1'; }
check "the addresses show" within 10 addressed
check "GET /v2/droplets/{id} with addresses" conforms 200 GET "v2/droplets/$ID"
check "GET /v2/droplets by tag" conforms 200 GET 'v2/droplets?tag_name=rehost-run:r1&per_page=200'
check "GET /v2/droplets by name" conforms 200 GET 'v2/droplets?name=web-1'
check "GET /v2/droplets, the second page" conforms 200 GET 'v2/droplets?per_page=1&page=2'
for command in power_off power_on shutdown power_cycle reboot; do
    check "POST /v2/droplets/{id}/actions $command" conforms 201 POST "v2/droplets/$ID/actions" "{\"type\":\"$command\"}"
    settle
done

check "POST /v2/firewalls/{id}/droplets" conforms 204 POST "v2/firewalls/$FIREWALL/droplets" "{\"droplet_ids\":[$ID]}"
check "POST /v2/firewalls/{id}/tags" conforms 204 POST "v2/firewalls/$FIREWALL/tags" '{"tags":["rehost-run:r1"]}'
check "POST /v2/firewalls/{id}/rules" conforms 204 POST "v2/firewalls/$FIREWALL/rules" \
    '{"inbound_rules":[{"protocol":"tcp","ports":"443","sources":{"addresses":["0.0.0.0/0"]}}]}'
check "GET /v2/droplets/{id}/firewalls" conforms 200 GET "v2/droplets/$ID/firewalls"
check "DELETE /v2/firewalls/{id}/tags" conforms 204 DELETE "v2/firewalls/$FIREWALL/tags" '{"tags":["rehost-run:r1"]}'
check "DELETE /v2/firewalls/{id}/droplets" conforms 204 DELETE "v2/firewalls/$FIREWALL/droplets" "{\"droplet_ids\":[$ID]}"
check "PUT /v2/firewalls/{id}" conforms 200 PUT "v2/firewalls/$FIREWALL" \
    '{"name":"fw2","inbound_rules":[{"protocol":"udp","ports":"53","sources":{"addresses":["0.0.0.0/0"]}}]}'

check "POST /v2/reserved_ips in a region" conforms 202 POST v2/reserved_ips '{"region":"fra1"}'
IP=$(field .reserved_ip.ip)
check "GET /v2/reserved_ips, one free" conforms 200 GET v2/reserved_ips
check "assign a reserved IP" conforms 201 POST "v2/reserved_ips/$IP/actions" "{\"type\":\"assign\",\"droplet_id\":$ID}"
done_action "$(field .action.id)"
check "GET /v2/reserved_ips/{ip}" conforms 200 GET "v2/reserved_ips/$IP"
check "GET /v2/reserved_ips/{ip}/actions" conforms 200 GET "v2/reserved_ips/$IP/actions"
check "unassign a reserved IP" conforms 201 POST "v2/reserved_ips/$IP/actions" '{"type":"unassign"}'
done_action "$(field .action.id)"
check "DELETE /v2/reserved_ips/{ip}" conforms 204 DELETE "v2/reserved_ips/$IP"
check "POST /v2/reserved_ips for a droplet" conforms 202 POST v2/reserved_ips "{\"droplet_id\":$ID}"

check "POST /v2/volumes" conforms 201 POST v2/volumes \
    '{"name":"data","region":"fra1","size_gigabytes":10,"description":"of a test","filesystem_type":"ext4","filesystem_label":"data","tags":["edge"]}'
VOLUME=$(field .volume.id)
check "GET /v2/volumes by name and region" conforms 200 GET 'v2/volumes?name=data&region=fra1'
check "GET /v2/volumes/{id}" conforms 200 GET "v2/volumes/$VOLUME"
check "attach a volume" conforms 202 POST "v2/volumes/$VOLUME/actions" "{\"type\":\"attach\",\"droplet_id\":$ID,\"region\":\"fra1\"}"
check "GET /v2/droplets/{id} with a volume" conforms 200 GET "v2/droplets/$ID"
check "GET /v2/volumes/{id}/actions" conforms 200 GET "v2/volumes/$VOLUME/actions"
check "detach a volume" conforms 202 POST "v2/volumes/$VOLUME/actions" "{\"type\":\"detach\",\"droplet_id\":$ID,\"region\":\"fra1\"}"
check "attach a volume by name" conforms 202 POST v2/volumes/actions \
    "{\"type\":\"attach\",\"volume_name\":\"data\",\"droplet_id\":$ID,\"region\":\"fra1\"}"

check "POST /v2/droplets/{id}/actions snapshot" conforms 201 POST "v2/droplets/$ID/actions" '{"type":"snapshot","name":"before"}'
done_action "$(field .action.id)"
check "GET /v2/snapshots" conforms 200 GET 'v2/snapshots?resource_type=droplet'
SNAPSHOT=$(field '.snapshots[0].id')
check "GET /v2/snapshots/{id}" conforms 200 GET "v2/snapshots/$SNAPSHOT"
check "GET /v2/droplets/{id}/snapshots" conforms 200 GET "v2/droplets/$ID/snapshots"
check "GET /v2/images, the private ones" conforms 200 GET 'v2/images?private=true'
check "POST /v2/droplets from a snapshot" conforms 202 POST v2/droplets \
    "{\"name\":\"copy\",\"region\":\"fra1\",\"size\":\"s-1vcpu-1gb\",\"image\":$SNAPSHOT,\"tags\":[\"pair\"]}"
settle
check "DELETE /v2/snapshots/{id}" conforms 204 DELETE "v2/snapshots/$SNAPSHOT"
check "GET /v2/droplets, one made from an image that is gone" conforms 200 GET 'v2/droplets?name=copy'
check "POST /v2/tags/{name}/resources" conforms 204 POST v2/tags/edge/resources \
    "{\"resources\":[{\"resource_id\":\"$ID\",\"resource_type\":\"droplet\"}]}"
check "DELETE /v2/tags/{name}" conforms 204 DELETE v2/tags/edge

check "POST /v2/databases" conforms 201 POST v2/databases \
    '{"name":"main","engine":"pg","version":"16","num_nodes":1,"size":"db-s-1vcpu-1gb","region":"fra1","tags":["prod"]}'
DATABASE=$(field .database.id)
online() { api GET "v2/databases/$1" | jq -e '.database.status == "online"'; }
check "the cluster comes up" within 10 online "$DATABASE"
check "GET /v2/databases" conforms 200 GET v2/databases
check "GET /v2/databases/{id}" conforms 200 GET "v2/databases/$DATABASE"
check "GET /v2/databases/{id}/backups" conforms 200 GET "v2/databases/$DATABASE/backups"
check "POST /v2/databases from a backup" conforms 201 POST v2/databases "{\"name\":\"again\",\"engine\":\"pg\",\"num_nodes\":1,
    \"size\":\"db-s-1vcpu-1gb\",\"region\":\"fra1\",\"backup_restore\":{\"database_name\":\"main\",\"backup_created_at\":\"$(field '.backups[0].created_at')\"}}"
check "DELETE /v2/databases/{id}" conforms 204 DELETE "v2/databases/$DATABASE"

check "POST /v2/domains" conforms 201 POST v2/domains '{"name":"example.com","ip_address":"198.18.10.1"}'
check "GET /v2/domains, one there" conforms 200 GET v2/domains
check "GET /v2/domains/{name}" conforms 200 GET v2/domains/example.com
R=v2/domains/example.com/records
for record in '"A","name":"www","data":"198.18.10.1","ttl":60' '"AAAA","name":"www","data":"2001:db8::1"' '"CNAME","name":"shop","data":"www.example.com."' \
    '"TXT","name":"_owner","data":"rehost epoch=1"' '"MX","name":"@","data":"mail.example.com.","priority":10' \
    '"SRV","name":"_x._tcp","data":"www.example.com.","priority":1,"port":443,"weight":5' '"NS","name":"sub","data":"ns1.example.net."' \
    '"CAA","name":"@","data":"letsencrypt.org.","flags":0,"tag":"issue"'; do
    check "POST a record ${record%%,*}" conforms 201 POST $R "{\"type\":$record}"
done
RECORD=$(field .domain_record.id)
check "GET records" conforms 200 GET "$R?per_page=200"
check "GET records by name and type" conforms 200 GET "$R?name=www.example.com&type=A"
RECORD=$(field '.domain_records[0].id')
check "GET a record" conforms 200 GET "$R/$RECORD"
check "PATCH a record" conforms 200 PATCH "$R/$RECORD" '{"type":"A","data":"198.18.10.2"}'
check "PUT a record" conforms 200 PUT "$R/$RECORD" '{"type":"A","name":"www","data":"198.18.10.3","ttl":30}'
check "DELETE a record" conforms 204 DELETE "$R/$RECORD"
check "DELETE /v2/domains/{name}" conforms 204 DELETE v2/domains/example.com

# Errors.
check "404" conforms 404 GET v2/droplets/4711
TOKEN=wrong check "401" conforms 401 GET v2/droplets
TOKEN=reader check "403" conforms 403 POST v2/tags '{"name":"x"}'
check "409" conforms 409 POST v2/firewalls '{"name":"fw2","inbound_rules":[{"protocol":"tcp","ports":"1","sources":{"addresses":["0.0.0.0/0"]}}]}'
check "422" conforms 422 POST v2/droplets '{"name":"x","size":"no-such","image":"debian-12-x64"}'
curl -sS -X POST -d '{"provider":"digitalocean","available":false}' "$ADMIN/stock"
check "422, sold out" conforms 422 POST v2/droplets '{"name":"x","size":"s-1vcpu-1gb","image":"debian-12-x64"}'
check "GET /v2/sizes, all sold out" conforms 200 GET v2/sizes
curl -sS -X POST -d '{"match":{"provider":"digitalocean"},"effect":{"status":429,"retry_after":1},"count":1}' "$ADMIN/faults" >/dev/null
check "429" conforms 429 GET v2/droplets

settle
check "DELETE /v2/droplets by tag" conforms 204 DELETE 'v2/droplets?tag_name=pair'
check "DELETE /v2/droplets/{id}" conforms 204 DELETE "v2/droplets/$ID"
check "DELETE /v2/firewalls/{id}" conforms 204 DELETE "v2/firewalls/$FIREWALL"
check "DELETE /v2/account/keys/{id}" conforms 204 DELETE "v2/account/keys/$KEY"
finish
