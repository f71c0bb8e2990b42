#!/bin/bash
# The local cloud's Hetzner dialect on its own: status codes, error bodies, lists, quirks. No machines, no network.
. "$(dirname "$0")/../localcloud/testlib.sh"

ssh-keygen -q -t ed25519 -N '' -C one -f "$WORK/k1"
ssh-keygen -q -t rsa -b 2048 -N '' -C two -f "$WORK/k2"
key() { jq -n --arg n "$1" --arg k "$(cat "$2")" '{name: $n, public_key: $k}'; }
server() { jq -nc --arg n "$1" "{name: \$n, server_type: \"cx23\", image: \"ubuntu-24.04\", location: \"nbg1\"} + ${2:-{\}}"; }

# While a server is being made: a cloud in which that takes ten minutes.
cloud_start --backend memory --boot-delay-ms 600000
check "answers before the server runs" answers 201 POST servers "$(server slow)"
check "says that it is being made" is "$(jq -r .server.status "$WORK/body")" initializing
SLOW=$(jq .server.id "$WORK/body") NEXT=$(jq '.next_actions[0].id' "$WORK/body")
check "locks the server meanwhile" answers_code 423 locked DELETE "servers/$SLOW"
check "refuses the same name meanwhile" answers_code 409 uniqueness_error POST servers "$(server slow)"
check "shows the action under way" is "$(api GET "actions/$NEXT" | jq -c '[.action.status, .action.finished]')" '["running",null]'
check "ends although a server is being made" cloud_stop
cloud_start --backend memory --boot-delay-ms 0 --server-limit 60

# Authentication and the frame around every answer.
TOKEN=wrong check "refuses a wrong token" answers_code 401 unauthorized GET servers
TOKEN=reader check "lets a read-only token read" answers 200 GET servers
TOKEN=reader check "keeps a read-only token from writing" answers_code 401 token_readonly POST servers "$(server a)"
check "knows no path that does not exist" answers_code 404 not_found GET nothing
check "refuses a body that is not JSON" answers_code 400 json_error POST servers '{"name":'
api GET servers >/dev/null
check "counts requests down from 3600 an hour" grep -qiE '^ratelimit-remaining: 35[0-9]{2}' "$WORK/headers"
check "says when the allowance is full again" test "$(grep -i '^ratelimit-reset:' "$WORK/headers" | tr -dc 0-9)" -ge "$(date +%s)"

# SSH keys.
check "takes an SSH key" answers 201 POST ssh_keys "$(key k1 "$WORK/k1.pub")"
check "shows its MD5 fingerprint as ssh-keygen does" is "$(jq -r .ssh_key.fingerprint "$WORK/body")" \
    "$(ssh-keygen -E md5 -lf "$WORK/k1.pub" | sed 's/.*MD5:\([^ ]*\).*/\1/')"
KEY=$(jq -r .ssh_key.id "$WORK/body")
check "refuses the same key under another name" answers_code 409 uniqueness_error POST ssh_keys "$(key other "$WORK/k1.pub")"
check "takes an RSA key" answers 201 POST ssh_keys "$(key k2 "$WORK/k2.pub")"
check "shows that one's fingerprint, too" is "$(jq -r .ssh_key.fingerprint "$WORK/body")" \
    "$(ssh-keygen -E md5 -lf "$WORK/k2.pub" | sed 's/.*MD5:\([^ ]*\).*/\1/')"
check "refuses what is no key" answers_code 422 invalid_input POST ssh_keys '{"name":"x","public_key":"ssh-ed25519 AAAA"}'
check "finds a key by fingerprint" is "$(api GET "ssh_keys?fingerprint=$(ssh-keygen -E md5 -lf "$WORK/k2.pub" | sed 's/.*MD5:\([^ ]*\).*/\1/')" | jq -r '.ssh_keys[].name')" k2

# Servers: what is refused.
check "needs a name" answers_code 422 invalid_input POST servers '{"server_type":"cx23","image":"debian-12"}'
check "names the field that is wrong" is "$(jq -r '.error.details.fields[0].name' "$WORK/body")" name
check "takes host names only" answers_code 422 invalid_input POST servers "$(server 'under_score')"
check "takes lists of keys only" answers_code 422 invalid_input POST servers "$(server a '{ssh_keys:"k1"}')"
check "refuses an unknown key" answers_code 404 not_found POST servers "$(server a '{ssh_keys:["nope"]}')"
check "refuses a label value with a slash" answers_code 422 invalid_input POST servers "$(server a '{labels:{a:"b/c"}}')"
check "says that the labels are wrong" is "$(jq -r '.error.details.fields[0].name' "$WORK/body")" labels
check "refuses a label value of 64 characters" answers_code 422 invalid_input POST servers \
    "$(server a "{labels:{a:\"$(printf 'x%.0s' $(seq 64))\"}}")"
check "takes one of 63" answers 201 POST servers "$(server long-label "{labels:{a:\"$(printf 'x%.0s' $(seq 63))\"}}")"
check "refuses the provider's own label prefix" answers_code 422 invalid_input POST servers "$(server a '{labels:{"hetzner.cloud/x":"1"}}')"
BIG=$(printf 'x%.0s' $(seq 32768))
check "takes 32 KiB of user data" answers 201 POST servers "$(server big "{user_data:\"$BIG\"}")"
check "refuses one byte more" answers_code 422 invalid_input POST servers "$(server bigger "{user_data:\"x$BIG\"}")"
check "refuses a datacenter, which the live API dropped" answers_code 422 invalid_input POST servers "$(server a '{datacenter:"nbg1-dc3"}')"
check "refuses a type that the location does not offer" answers_code 422 invalid_input POST servers "$(server a '{location:"ash"}')"

# Servers: a life.
check "creates a server" answers 201 POST servers "$(server web-1 '{ssh_keys:["k1"],labels:{"rehost-run":"r1",tier:"web"}}')"
cp "$WORK/body" "$WORK/created"
ID=$(jq .server.id "$WORK/created")
check "gives the address at once" grep -qE '^198\.18\.' <<<"$(jq -r .server.public_net.ipv4.ip "$WORK/created")"
check "gives an IPv6 network of 64 bits" grep -qE '^2001:db8:.*::/64$' <<<"$(jq -r .server.public_net.ipv6.ip "$WORK/created")"
check "gives no password when there are keys" is "$(jq -r .root_password "$WORK/created")" null
check "announces the start as a next action" is "$(jq -r '.next_actions[].command' "$WORK/created")" start_server
check "never shows a datacenter" is "$(jq 'has("datacenter")' <<<"$(jq .server "$WORK/created")")" false
check "refuses the same name again" answers_code 409 uniqueness_error POST servers "$(server web-1)"
check "ends the actions" action_done "$(jq '.next_actions[0].id' "$WORK/created")"
check "then the server runs" is "$(api GET "servers/$ID" | jq -r .server.status)" running
A=$(jq .action.id "$WORK/created") B=$(jq '.next_actions[0].id' "$WORK/created")
check "gives several actions in one answer" is "$(api GET "actions?id=$A&id=$B" | jq -c '[.actions[].status]')" '["success","success"]'
check "does not list actions without ids" answers_code 422 invalid_input GET actions
check "gives a password when there are no keys" is "$(api POST servers "$(server no-keys)" | jq '.root_password | length > 10')" true
for step in poweroff:off poweron:running shutdown:off reset:running; do
    action=$(api POST "servers/$ID/actions/${step%:*}" | jq .action.id)
    check "${step%:*} is an action" is "$(status)" 201
    action_done "$action" >/dev/null
    check "after it the server is ${step#*:}" within 5 sh -c \
        "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/servers/$ID' | jq -e '.server.status == \"${step#*:}\"'"
done
check "keeps an assigned primary IP from deletion" answers_code 422 must_be_unassigned DELETE \
    "primary_ips/$(jq .server.public_net.ipv4.id "$WORK/created")"

# Lists.
for i in $(seq 1 30); do api POST servers "$(server "n-$i" '{labels:{"rehost-run":"r2"}}')" >/dev/null; done
check "gives 25 a page" is "$(api GET servers | jq '.servers | length')" 25
check "says which page is next" is "$(jq -c '.meta.pagination | [.page, .next_page, .previous_page]' "$WORK/body")" '[1,2,null]'
check "links to it" grep -qi '^link: .*page=2>; rel=next' "$WORK/headers"
check "gives 50 a page at most" is "$(api GET 'servers?per_page=500' | jq .meta.pagination.per_page)" 50
check "refuses a page that is no number" answers_code 422 invalid_input GET 'servers?page=x'
check "ends with the last page" is "$(api GET 'servers?per_page=10&page=4&label_selector=rehost-run' | jq -c '[(.servers | length), .meta.pagination.next_page]')" '[1,null]'
sel() { api GET "servers?per_page=50&label_selector=$1" | jq '.meta.pagination.total_entries'; }
check "selects by label" is "$(sel 'rehost-run%3Dr2')" 30
check "selects by difference" is "$(sel 'rehost-run!%3Dr2,tier')" 1
check "selects by set" is "$(sel 'rehost-run%20in%20(r1,r2)')" 31
check "selects outside a set" is "$(sel 'rehost-run,rehost-run%20notin%20(r2)')" 1
check "selects by absence" is "$(sel '!rehost-run')" 3
check "refuses a selector that it cannot read" answers_code 422 invalid_input GET 'servers?label_selector=a%3D%3D%3Db'
check "finds by name" is "$(api GET 'servers?name=web-1' | jq -c '[.servers[].id]')" "[$ID]"
check "filters by status" is "$(api GET 'servers?status=deleting' | jq '.servers | length')" 0
check "sorts" is "$(api GET 'servers?sort=name:desc&per_page=1' | jq -r '.servers[].name')" web-1
check "filters images by name, type and architecture" is \
    "$(api GET 'images?type=system&name=ubuntu-24.04&architecture=arm' | jq -c '[.images[] | .architecture]')" '["arm"]'
check "has no snapshots at first" is "$(api GET 'images?type=snapshot' | jq '.images | length')" 0

# Addresses that move.
of() { api GET "servers?name=$1" | jq ".servers[0]$2"; }
A=$(of n-1 .id) B=$(of n-2 .id)
check "orders a floating IP" answers 201 POST floating_ips '{"type":"ipv4","home_location":"nbg1","name":"entry"}'
F=$(jq .floating_ip.id "$WORK/body")
check "needs a place for it" answers_code 422 invalid_input POST floating_ips '{"type":"ipv4"}'
check "gives it to a server" answers 201 POST "floating_ips/$F/actions/assign" "{\"server\":$A}"
check "shows it there" is "$(of n-1 .public_net.floating_ips[0])" "$F"
check "moves it while both servers run" answers 201 POST "floating_ips/$F/actions/assign" "{\"server\":$B}"
check "so that one has it" is "$(of n-1 .public_net.floating_ips)$(of n-2 .public_net.floating_ips[0])" "[]$F"
check "keeps an assigned one from deletion" answers_code 422 must_be_unassigned DELETE "floating_ips/$F"
P=$(of n-1 .public_net.ipv4.id) PIP=$(of n-1 .public_net.ipv4.ip)
check "does not take a primary IP off a running server" answers_code 422 server_not_stopped POST "primary_ips/$P/actions/unassign"
for id in $A $B; do
    api POST "servers/$id/actions/poweroff" >/dev/null
    action_done "$(jq .action.id "$WORK/body")" >/dev/null
done
check "takes it off one that is off" answers 201 POST "primary_ips/$P/actions/unassign"
check "which has none then" is "$(of n-1 .public_net.ipv4)" null
check "does not give a server a second one" answers_code 422 server_has_ipv4 POST "primary_ips/$P/actions/assign" \
    "{\"assignee_type\":\"server\",\"assignee_id\":$B}"
api POST "primary_ips/$(of n-2 .public_net.ipv4.id)/actions/unassign" >/dev/null
check "gives it to one without" answers 201 POST "primary_ips/$P/actions/assign" "{\"assignee_type\":\"server\",\"assignee_id\":$B}"
check "which has that address then" is "$(of n-2 .public_net.ipv4.ip)" "$PIP"
check "orders a server with a primary IP that is kept" answers 201 POST primary_ips \
    '{"type":"ipv4","location":"nbg1","name":"kept","assignee_type":"server","auto_delete":false}'
KEPT=$(jq .primary_ip.id "$WORK/body")
api POST servers "$(server keeper "{public_net:{ipv4:$KEPT}}")" >/dev/null
check "and shows its address there" is "$(jq .server.public_net.ipv4.id "$WORK/body")" "$KEPT"
action_done "$(jq '.next_actions[0].id' "$WORK/body")" >/dev/null

# Volumes and snapshots.
check "orders a volume" answers 201 POST volumes '{"size":10,"name":"data","location":"nbg1"}'
V=$(jq .volume.id "$WORK/body")
check "names its device" is "$(jq -r .volume.linux_device "$WORK/body")" "/dev/disk/by-id/scsi-0HC_Volume_$V"
check "attaches it" answers 201 POST "volumes/$V/actions/attach" "{\"server\":$A}"
check "not twice" answers_code 422 volume_already_attached POST "volumes/$V/actions/attach" "{\"server\":$B}"
check "sells none of less than 10 GB" answers_code 422 invalid_input POST volumes "{\"size\":5,\"name\":\"small\",\"server\":$A}"
api POST volumes '{"size":10,"name":"far","location":"hel1"}' >/dev/null
check "attaches none from another place" answers_code 422 invalid_input POST "volumes/$(jq .volume.id "$WORK/body")/actions/attach" "{\"server\":$A}"
check "makes a snapshot" answers 201 POST "servers/$A/actions/create_image" '{"type":"snapshot","description":"s","labels":{"k":"v"}}'
S=$(jq .image.id "$WORK/body") M=$(jq .action.id "$WORK/body")
action_done "$M" >/dev/null
check "makes no backup, which is an option" answers_code 422 invalid_input POST "servers/$A/actions/create_image" '{"type":"backup"}'
check "finds it by label" is "$(api GET 'images?type=snapshot&label_selector=k%3Dv' | jq -c '[.images[] | [.id, .status]]')" "[[$S,\"available\"]]"
check "shows system images without it" is "$(api GET 'images?type=system' | jq '[.images[].type] | unique | join(" ")')" '"system"'
check "knows no snapshot that does not exist" answers_code 422 invalid_input POST servers "$(server x '{image:"4711"}')"
check "makes a server from it" answers 201 POST servers "$(server restored "{image:\"$S\"}")"
check "which says so" is "$(jq -c '[.server.image.id, .server.image.type]' "$WORK/body")" "[$S,\"snapshot\"]"
check "deletes the snapshot" answers 204 DELETE "images/$S"
check "deletes no system image" answers_code 403 forbidden DELETE images/114690387
action_done "$(jq .action.id <<<"$(api DELETE "servers/$A")")" >/dev/null
check "lets go of the volume when the server goes" is "$(api GET "volumes/$V" | jq .volume.server)" null
action_done "$(jq .action.id <<<"$(api DELETE "servers/$(of keeper .id)")")" >/dev/null
check "keeps the primary IP that was to be kept" is "$(api GET "primary_ips/$KEPT" | jq .primary_ip.assignee_id)" null
action_done "$(jq .action.id <<<"$(api DELETE "servers/$B")")" >/dev/null
check "deletes the one that came with a server" answers_code 404 not_found GET "primary_ips/$P"
check "unassigns the floating IP" is "$(api GET "floating_ips/$F" | jq .floating_ip.server)" null

# Limits and stock.
curl -sS -X POST -d '{"server_type":"cx23","location":"nbg1","available":false}' "$ADMIN/stock"
check "shows what is sold out" is \
    "$(api GET 'server_types?name=cx23' | jq -c '[.server_types[0].locations[] | select(.available | not) | .name]')" '["nbg1"]'
check "refuses what is sold out" answers_code 412 resource_unavailable POST servers "$(server sold-out)"
check "sells it elsewhere" answers 201 POST servers "$(server elsewhere '{location:"hel1"}')"
curl -sS -X POST -d '{"available":true}' "$ADMIN/stock"
check "sells it again when it is back" answers 201 POST servers "$(server back)"
for i in $(seq 1 40); do api POST servers "$(server "q-$i")" >/dev/null; [ "$(status)" = 201 ] || break; done
check "has a quota" answers_code 403 resource_limit_exceeded POST servers "$(server one-too-many)"
check "names the limit" is "$(jq -r '.error.details.limits[].name' "$WORK/body")" server_limit
check "deletes a server" answers 200 DELETE "servers/$ID"
action_done "$(jq .action.id "$WORK/body")" >/dev/null
check "and it is gone" answers_code 404 not_found GET "servers/$ID"
check "does not give its address to the next one" test "$(api POST servers "$(server next)" | jq -r .server.public_net.ipv4.ip)" != \
    "$(jq -r .server.public_net.ipv4.ip "$WORK/created")"
check "deletes a key" answers 204 DELETE "ssh_keys/$KEY"
finish
