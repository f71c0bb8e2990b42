#!/bin/bash
# The local cloud held to the provider's published document: Prism stands between and answers an error for every request or answer
# that the document does not allow.
. "$(dirname "$0")/../localcloud/testlib.sh"
. "$ROOT/tests/contract/document.sh"
SPEC=$(document hetzner) || exit 0
PRISM=$("$ROOT/tests/contract/prism/install.sh") || exit 1
cloud_start --backend memory --boot-delay-ms 0 --published --dns none

port=$((21000 + $$ % 10000))
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

check "the proxy notices a request that the document does not allow" sh -c \
    "curl -sS -X POST -H 'Authorization: Bearer $TOKEN' -H 'Content-Type: application/json' -d '{\"name\":1}' http://127.0.0.1:$port/ssh_keys | grep -q UNPROCESSABLE_ENTITY"

ssh-keygen -q -t ed25519 -N '' -f "$WORK/k"
check "POST /ssh_keys" conforms 201 POST ssh_keys "$(jq -nc --arg k "$(cat "$WORK/k.pub")" '{name: "k", public_key: $k, labels: {a: "b"}}')"
KEY=$(field .ssh_key.id)
check "GET /ssh_keys" conforms 200 GET ssh_keys
check "GET /ssh_keys/{id}" conforms 200 GET "ssh_keys/$KEY"
check "PUT /ssh_keys/{id}" conforms 200 PUT "ssh_keys/$KEY" '{"name":"k2","labels":{}}'
for list in server_types locations images pricing firewalls primary_ips zones servers; do
    check "GET /$list" conforms 200 GET "$list"
done
check "GET /server_types/{id}" conforms 200 GET server_types/114
check "GET /locations/{id}" conforms 200 GET locations/1
check "GET /images/{id}" conforms 200 GET images/114690387
check "GET /images with filters" conforms 200 GET 'images?type=system&name=debian-12&architecture=x86'

check "POST /firewalls" conforms 201 POST firewalls \
    '{"name":"f","rules":[{"direction":"in","source_ips":["0.0.0.0/0"],"protocol":"tcp","port":"22"}]}'
FIREWALL=$(field .firewall.id)
check "GET /firewalls, one there" conforms 200 GET firewalls
check "GET /firewalls/{id}" conforms 200 GET "firewalls/$FIREWALL"
check "POST /firewalls/{id}/actions/apply_to_resources" conforms 201 POST "firewalls/$FIREWALL/actions/apply_to_resources" \
    '{"apply_to":[{"type":"label_selector","label_selector":{"selector":"rehost-run"}}]}'

check "POST /firewalls/{id}/actions/set_rules" conforms 201 POST "firewalls/$FIREWALL/actions/set_rules" \
    '{"rules":[{"direction":"in","source_ips":["0.0.0.0/0","::/0"],"protocol":"tcp","port":"443"}]}'
check "POST /firewalls/{id}/actions/remove_from_resources" conforms 201 POST "firewalls/$FIREWALL/actions/remove_from_resources" \
    '{"remove_from":[{"type":"label_selector","label_selector":{"selector":"rehost-run"}}]}'
check "GET /firewalls/{id} shows both" conforms 200 GET "firewalls/$FIREWALL"
check "the new rule and no target" is "$(field '[.firewall.rules[0].port, (.firewall.applied_to | length)] | join(" ")')" "443 0"

check "POST /servers" conforms 201 POST servers "{\"name\":\"web-1\",\"server_type\":\"cx23\",\"image\":\"ubuntu-24.04\",
    \"location\":\"nbg1\",\"ssh_keys\":[\"k2\"],\"labels\":{\"rehost-run\":\"r1\"},\"firewalls\":[{\"firewall\":$FIREWALL}],
    \"user_data\":\"#cloud-config\\n{}\",\"public_net\":{\"enable_ipv4\":true,\"enable_ipv6\":true}}"
ID=$(field .server.id) ACTION=$(field .action.id) NEXT=$(field '.next_actions[0].id')
check "POST /servers without keys" conforms 201 POST servers '{"name":"web-2","server_type":"cx23","image":"debian-12"}'
settle
check "GET /servers, two there" conforms 200 GET 'servers?label_selector=rehost-run%3Dr1&per_page=50&sort=created:desc&status=running'
check "GET /servers, the second page" conforms 200 GET 'servers?per_page=1&page=2'
check "GET /servers/{id}" conforms 200 GET "servers/$ID"
check "PUT /servers/{id}" conforms 200 PUT "servers/$ID" '{"labels":{"rehost-run":"r1","rehost-node":"web-1"}}'
check "GET /actions/{id}" conforms 200 GET "actions/$ACTION"
check "GET /actions?id=&id=" conforms 200 GET "actions?id=$ACTION&id=$NEXT"
for command in poweroff poweron shutdown reset reboot; do
    check "POST /servers/{id}/actions/$command" conforms 201 POST "servers/$ID/actions/$command"
    settle
done
check "GET /primary_ips, some there" conforms 200 GET primary_ips

check "POST /servers/{id}/actions/poweroff before addresses move" conforms 201 POST "servers/$ID/actions/poweroff"
settle

# Addresses, volumes and snapshots.
check "POST /floating_ips" conforms 201 POST floating_ips \
    '{"type":"ipv4","home_location":"nbg1","name":"entry","description":"of a test","labels":{"rehost-run":"r1"}}'
FLOATING=$(field .floating_ip.id)
check "POST /floating_ips for a server" conforms 201 POST floating_ips "{\"type\":\"ipv6\",\"server\":$ID}"
FLOATING6=$(field .floating_ip.id)
check "GET /floating_ips" conforms 200 GET 'floating_ips?label_selector=rehost-run%3Dr1&name=entry'
check "GET /floating_ips/{id}" conforms 200 GET "floating_ips/$FLOATING"
check "assign a floating IP" conforms 201 POST "floating_ips/$FLOATING/actions/assign" "{\"server\":$ID}"
check "assign it again" conforms 422 POST "floating_ips/$FLOATING/actions/assign" "{\"server\":$ID}"
check "GET /servers/{id} with floating IPs" conforms 200 GET "servers/$ID"
check "DELETE an assigned floating IP" conforms 422 DELETE "floating_ips/$FLOATING"
check "unassign a floating IP" conforms 201 POST "floating_ips/$FLOATING/actions/unassign"
check "DELETE /floating_ips/{id}" conforms 204 DELETE "floating_ips/$FLOATING"
check "POST /primary_ips" conforms 201 POST primary_ips \
    '{"type":"ipv4","location":"nbg1","name":"kept","assignee_type":"server","auto_delete":false}'
PRIMARY=$(field .primary_ip.id)
check "GET /primary_ips/{id}" conforms 200 GET "primary_ips/$PRIMARY"
check "assign a second primary IP" conforms 422 POST "primary_ips/$PRIMARY/actions/assign" \
    "{\"assignee_id\":$ID,\"assignee_type\":\"server\"}"
api GET "servers/$ID" >/dev/null
check "unassign a primary IP" conforms 201 POST "primary_ips/$(field .server.public_net.ipv4.id)/actions/unassign"
check "GET /servers/{id} without IPv4" conforms 200 GET "servers/$ID"
check "assign a primary IP" conforms 201 POST "primary_ips/$PRIMARY/actions/assign" \
    "{\"assignee_id\":$ID,\"assignee_type\":\"server\"}"
check "GET /primary_ips, assigned and not" conforms 200 GET primary_ips
check "POST /volumes" conforms 201 POST volumes '{"size":10,"name":"data","location":"nbg1","format":"ext4","labels":{"rehost-run":"r1"}}'
VOLUME=$(field .volume.id)
check "POST /volumes for a server" conforms 201 POST volumes "{\"size\":10,\"name\":\"more\",\"server\":$ID}"
check "GET /volumes" conforms 200 GET 'volumes?label_selector=rehost-run%3Dr1'
check "GET /volumes/{id}" conforms 200 GET "volumes/$VOLUME"
check "attach a volume" conforms 201 POST "volumes/$VOLUME/actions/attach" "{\"server\":$ID}"
check "GET /servers/{id} with volumes" conforms 200 GET "servers/$ID"
check "detach a volume" conforms 201 POST "volumes/$VOLUME/actions/detach"
check "DELETE /volumes/{id}" conforms 204 DELETE "volumes/$VOLUME"
check "POST /servers/{id}/actions/create_image" conforms 201 POST "servers/$ID/actions/create_image" \
    '{"type":"snapshot","description":"before the move","labels":{"rehost-run":"r1"}}'
SNAPSHOT=$(field .image.id)
check "GET /images with snapshots" conforms 200 GET 'images?type=snapshot&label_selector=rehost-run%3Dr1'
available() { api GET "images/$SNAPSHOT" | jq -e '.image.status == "available"' >/dev/null; }
check "the snapshot becomes available" within 10 available
check "GET /images/{id} of a snapshot" conforms 200 GET "images/$SNAPSHOT"
check "POST /servers from a snapshot" conforms 201 POST servers \
    "{\"name\":\"copy\",\"server_type\":\"cx23\",\"image\":\"$SNAPSHOT\",\"location\":\"nbg1\"}"
check "DELETE /images/{id}" conforms 204 DELETE "images/$SNAPSHOT"
check "GET /servers, one made from an image that is gone" conforms 200 GET 'servers?name=copy'
check "unassign a floating IPv6" conforms 201 POST "floating_ips/$FLOATING6/actions/unassign"
settle

check "POST /zones" conforms 201 POST zones '{"name":"example.com","mode":"primary","ttl":3600}'
check "GET /zones, one there" conforms 200 GET 'zones?name=example.com'
check "GET /zones/{id_or_name}" conforms 200 GET zones/example.com
R=zones/example.com/rrsets
check "POST rrsets" conforms 201 POST $R '{"name":"www","type":"A","ttl":60,"records":[{"value":"198.18.10.1","comment":"by a test"}]}'
check "GET rrsets" conforms 200 GET "$R?per_page=100"
check "GET rrsets by name and type" conforms 200 GET "$R?name=www&type=A"
check "GET an rrset" conforms 200 GET $R/www/A
check "PUT an rrset" conforms 200 PUT $R/www/A '{"labels":{"a":"b"}}'
check "set_records" conforms 201 POST $R/www/A/actions/set_records '{"records":[{"value":"198.18.10.2"}]}'
check "add_records" conforms 201 POST $R/www/A/actions/add_records '{"records":[{"value":"198.18.10.3"}]}'
check "remove_records" conforms 201 POST $R/www/A/actions/remove_records '{"records":[{"value":"198.18.10.2"}]}'
check "POST a TXT rrset" conforms 201 POST $R '{"name":"_owner","type":"TXT","ttl":60,"records":[{"value":"\"rehost run r1\""}]}'
check "POST a CNAME rrset" conforms 201 POST $R '{"name":"alias","type":"CNAME","ttl":60,"records":[{"value":"www.example.com."}]}'
check "GET a TXT rrset" conforms 200 GET $R/_owner/TXT
check "set_records of a CNAME" conforms 201 POST $R/alias/CNAME/actions/set_records '{"records":[{"value":"other.example.org."}]}'
check "DELETE a TXT rrset" conforms 201 DELETE $R/_owner/TXT
check "change_ttl" conforms 201 POST $R/www/A/actions/change_ttl '{"ttl":120}'
check "change_ttl to the zone's" conforms 201 POST $R/www/A/actions/change_ttl '{"ttl":null}'
check "GET an rrset with the zone's TTL" conforms 200 GET $R/www/A
check "DELETE an rrset" conforms 201 DELETE $R/www/A
check "DELETE /zones/{id_or_name}" conforms 201 DELETE zones/example.com

# Errors.
check "404" conforms 404 GET servers/4711
TOKEN=wrong check "401" conforms 401 GET servers
check "409" conforms 409 POST servers '{"name":"web-1","server_type":"cx23","image":"debian-12"}'
check "422" conforms 422 POST servers '{"name":"web_1","server_type":"cx23","image":"debian-12"}'
curl -sS -X POST -d '{"available":false}' "$ADMIN/stock"
check "412" conforms 412 POST servers '{"name":"web-3","server_type":"cx23","image":"debian-12"}'
check "GET /server_types, all sold out" conforms 200 GET server_types

settle
check "DELETE /servers/{id}" conforms 200 DELETE "servers/$ID"
check "DELETE /firewalls/{id}" conforms 204 DELETE "firewalls/$FIREWALL"
check "DELETE /ssh_keys/{id}" conforms 204 DELETE "ssh_keys/$KEY"
finish
