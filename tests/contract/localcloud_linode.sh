#!/bin/bash
# The local cloud's Linode dialect on its own: status codes, error bodies, lists, filters, quirks. No machines, no network.
. "$(dirname "$0")/../localcloud/testlib.sh"

KEY='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r contract@test'
linode_start() { # OPTION...
    cloud_start --backend memory "$@"
    URL=$(jq -r .urls.linode "$WORK/ready")
}
# instance LABEL [JSON]: the body of a create; null takes a key away
instance() {
    jq -nc --arg l "$1" --arg k "$KEY" \
        "{label: \$l, region: \"nl-ams\", type: \"g6-nanode-1\", image: \"linode/debian12\", authorized_keys: [\$k]} + ${2:-{\}} | with_entries(select(.value != null))"
}
create() { api POST linode/instances "$(instance "$@")" >/dev/null; jq .id "$WORK/body"; }
# refuses STATUS FIELD REASON METHOD PATH [JSON]: the field is "null" where none is named; the reason is a pattern
refuses() {
    local wanted=$1 field=$2 reason=$3
    shift 3
    api "$@" >/dev/null
    is "$(status) $(jq -r '.errors[0].field' "$WORK/body")" "$wanted $field" && jq -r '.errors[0].reason' "$WORK/body" | grep -qE -- "$reason"
}
field() { jq -r "$1" "$WORK/body"; }
header() { grep -i "^$1:" "$WORK/headers" | tr -d '\r' | cut -d' ' -f2-; }
filtered() { # FILTER PATH JQ
    curl -sS -g -H "Authorization: Bearer $TOKEN" -H "X-Filter: $1" "$URL/$2" | jq -c "$3"
}
bare() { curl -sS -g -o "$WORK/body" -w '%{http_code}' "$@"; } # no token
status_is() { within 20 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/linode/instances/$1' | jq -e '.status == \"$2\"'"; }
fault() { curl -sSf -o /dev/null -d "$1" "$ADMIN/faults"; }
stock() { curl -sSf -o /dev/null -d "$1" "$ADMIN/stock"; }

# While an instance is being made.
linode_start --boot-delay-ms 600000
SLOW=$(create slow)
check "answers a create with the bare object" is "$(field '[.label, .region, .type, .image] | join(" ")')" "slow nl-ams g6-nanode-1 linode/debian12"
check "within the status that means done elsewhere" is "$(status)" 200
check "refuses to touch it meanwhile" refuses 400 null '^Linode busy\.$' POST "linode/instances/$SLOW/reboot"
check "even to delete it" refuses 400 null '^Linode busy\.$' DELETE "linode/instances/$SLOW"
check "shows it on its way" status_is "$SLOW" booting
check "tells events in its own words" is "$(filtered '{"entity.id":'"$SLOW"'}' account/events '[.data[] | .action + " " + .status]')" \
    '["linode_boot started","linode_create finished"]'
check "ends although an instance is being made" cloud_stop
linode_start --boot-delay-ms 0 --object-delay-ms 0 --server-limit 60 --rate-limit 0

# Authentication and the frame around every answer.
TOKEN=wrong check "refuses a wrong token" refuses 401 null '^Invalid Token$' GET linode/instances
check "refuses no token" is "$(bare "$URL/linode/instances")" 401
for path in regions regions/availability linode/types images databases/engines; do
    check "tells /$path without a token" is "$(bare "$URL/$path")" 200
done
TOKEN=wrong check "but not with a wrong one" answers 401 GET regions
TOKEN=reader check "lets a read-only token read" answers 200 GET linode/instances
check "and says what it may do" grep -q '^account:read_only .*linodes:read_only' <<<"$(header x-oauth-scopes)"
TOKEN=reader check "keeps a read-only token from writing" refuses 401 null 'not authorized to use this endpoint' POST linode/instances "$(instance web)"
check "says that a full token may do everything" is "$(api GET profile >/dev/null; header x-oauth-scopes)" '*'
check "has no grants for a user who may do everything" answers 204 GET profile/grants
check "which the profile says, too" is "$(api GET profile | jq .restricted)" false
check "knows no path that does not exist" refuses 404 null '^Not found$' GET nothing
check "knows no method that a path does not have" refuses 405 null 'Method Not Allowed' DELETE regions
check "refuses a body that is not JSON" answers 400 POST linode/instances '{"label":'

# Instances: what is refused.
no() { refuses 400 "$1" "$2" POST linode/instances "$(instance web-1 "$3")"; }
check "needs a type" no type required '{type: null}'
check "needs a region" no region required '{region: null}'
check "knows its types" no type 'valid plan type' '{type: "g9-huge"}'
check "knows its regions" no region 'not valid' '{region: "mars"}'
check "knows its images" no image 'not valid' '{image: "linode/plan9"}'
check "sells premium plans in some regions only" no region 'not available' '{type: "g7-premium-2", region: "us-east"}'
check "wants a way in with an image" no root_pass 'Must provide' '{authorized_keys: null}'
check "refuses a password that is too short" no root_pass 'Length' '{root_pass: "aA1!"}'
check "refuses a password that is too weak" no root_pass 'does not meet strength requirement' '{root_pass: "aaaaaaaaaaaa"}'
check "refuses what is no key" no authorized_keys 'invalid' '{authorized_keys: ["ssh-rsa"]}'
check "refuses a line break in a key" no authorized_keys 'invalid' '{authorized_keys: ["ssh-rsa AAAA\n"]}'
check "wants user data in base64" no metadata.user_data 'Base64' '{metadata: {user_data: "#cloud-config"}}'
check "refuses tags of two letters" no tags 'length' '{tags: ["ab"]}'
check "refuses an unknown firewall" no firewall_id 'not valid' '{firewall_id: 4711}'
for label in ab a--b a__b a..b -ab ab- 'a b' "$(printf 'x%.0s' $(seq 65))"; do
    check "refuses the label '${label:0:12}'" refuses 400 label . POST linode/instances "$(instance "$label")"
done
check "takes one of 64 characters" answers 200 POST linode/instances "$(instance "$(printf 'x%.0s' $(seq 64))")"
head -c 65535 /dev/zero | tr '\0' x >"$WORK/large"
check "takes 65535 bytes of user data" answers 200 POST linode/instances \
    "$(instance large "{metadata: {user_data: \"$(base64 -w0 "$WORK/large")\"}}")"
check "and says that there are some" is "$(field .has_user_data)" true
printf x >>"$WORK/large"
check "refuses one byte more" no metadata.user_data '65535' "{metadata: {user_data: \"$(base64 -w0 "$WORK/large")\"}}"
check "takes a password alone" answers 200 POST linode/instances "$(instance with-password '{authorized_keys: null, root_pass: "correct-Horse-9"}')"
check "makes up a label where none is given" grep -q '^linode[0-9]*$' <<<"$(api POST linode/instances "$(instance x '{label: null}')" | jq -r .label)"

# Instances: a life.
ID=$(create web-1 '{tags: ["rehost-run:r1", "rehost-node:web"], private_ip: true, region: "us-south"}')
cp "$WORK/body" "$WORK/created"
is_created() { is "$(jq -r "$1" "$WORK/created")" "$2"; }
check "answers with the name that a region has now" is_created .region us-central
check "gives the public address first, and at once" is_created '.ipv4 | map(split(".")[0:2] | join(".")) | join(" ")' "198.18 192.168"
check "gives one IPv6 address" grep -qE '^2001:db8:.*::1/128$' <<<"$(jq -r .ipv6 "$WORK/created")"
check "tells times without a zone" grep -qE '^[0-9-]{10}T[0-9:]{8}$' <<<"$(jq -r .created "$WORK/created")"
check "tells the plan's memory and disk in megabytes" is_created '.specs | [.memory, .disk, .vcpus] | join(" ")' "1024 25600 1"
check "refuses the same label again" refuses 400 label '^Label must be unique among your linodes$' POST linode/instances "$(instance web-1)"
check "then it runs" status_is "$ID" running
check "shuts down" answers 200 POST "linode/instances/$ID/shutdown"
check "with an empty object" is "$(field .)" "{}"
check "and is offline then" status_is "$ID" offline
check "boots" answers 200 POST "linode/instances/$ID/boot" '{}'
check "and runs again" status_is "$ID" running
check "reboots" answers 200 POST "linode/instances/$ID/reboot"
check "and runs after that" status_is "$ID" running
EMPTY=$(create empty '{image: null, authorized_keys: null}')
check "never runs what has no image" status_is "$EMPTY" offline
check "cannot boot it either" refuses 400 null 'no configuration profiles' POST "linode/instances/$EMPTY/boot"
check "leaves off what shall be off" status_is "$(create off '{booted: false}')" offline
check "tells the account's events, newest first" is "$(filtered '{"entity.id":'"$ID"'}' account/events '[.data[].action]')" \
    '["linode_reboot","linode_boot","linode_shutdown","linode_boot","linode_create"]'
check "finds events of one kind" is "$(filtered '{"entity.id":'"$ID"',"action":"linode_shutdown"}' account/events '[.data[] | [.status, .percent_complete]]')" '[["finished",100]]'

# Lists and filters.
for i in $(seq 1 30); do create "n-$i" '{tags: ["rehost-run:r2"], image: null, authorized_keys: null}' >/dev/null; done
check "gives a hundred a page" is "$(api GET linode/instances | jq -c '[.page, .pages, .results == (.data | length)]')" '[1,1,true]'
check "gives 25 a page if asked" is "$(api GET 'linode/instances?page_size=25&page=2' | jq -c '[.page, .pages, .results == 25 + (.data | length)]')" '[2,2,true]'
check "refuses fewer" refuses 400 page_size 'Must be 25-500' GET 'linode/instances?page_size=24'
check "refuses more" refuses 400 page_size 'Must be 25-500' GET 'linode/instances?page_size=501'
check "refuses page 0" refuses 400 page . GET 'linode/instances?page=0'
count() { filtered "$1" linode/instances .results; }
check "finds by tag" is "$(count '{"tags":"rehost-run:r2"}')" 30
check "finds by two tags at once" is "$(count '{"+and":[{"tags":"rehost-run:r1"},{"tags":"rehost-node:web"}]}')" 1
check "finds by either" is "$(count '{"+or":[{"tags":"rehost-run:r1"},{"tags":"rehost-run:r2"}]}')" 31
check "finds by label" is "$(filtered '{"label":"web-1"}' linode/instances '[.data[].id]')" "[$ID]"
check "finds by part of a label" is "$(count '{"label":{"+contains":"n-3"}}')" 2
check "finds by what it is not" is "$(count '{"label":{"+neq":"web-1"},"tags":"rehost-run:r1"}')" 0
check "finds by address" is "$(filtered "{\"ipv4\":$(jq '.ipv4[0]' "$WORK/created")}" linode/instances '[.data[].label]')" '["web-1"]'
check "finds by number" is "$(filtered "{\"id\":{\"+lte\":$ID}}" linode/instances '.data[-1].label')" '"web-1"'
check "orders" is "$(filtered '{"+order_by":"label","+order":"desc"}' linode/instances '.data[0].label')" "\"$(printf 'x%.0s' $(seq 64))\""
check "finds nothing without failing" is "$(count '{"tags":"other"}')" 0
check "refuses a filter that is no JSON" is "$(filtered 'tags=a' linode/instances '.errors | length')" 1
check "refuses a filter on what cannot be filtered" is "$(filtered '{"hypervisor":"kvm"}' linode/instances '.errors[0].reason')" '"Cannot filter on hypervisor"'
check "refuses an operator that there is not" is "$(filtered '{"label":{"+like":"a"}}' linode/instances '.errors | length')" 1
check "finds by tag the other way round" is "$(api GET 'tags/rehost-node:web' | jq -c '[.data[] | [.type, .data.label]]')" '[["linode","web-1"]]'
check "lists tags" is "$(api GET tags | jq -c '[.data[].label] | sort')" '["rehost-node:web","rehost-run:r1","rehost-run:r2"]'
check "changes tags and label" is "$(api PUT "linode/instances/$ID" '{"label":"web-one","tags":["abc"]}' | jq -c '[.label, .tags]')" '["web-one",["abc"]]'

# Stock and quota.
sold() { filtered '{"plan":"g6-nanode-1"}' regions/availability "$1"; }
check "does not tell the stock of every plan" is "$(sold .results)" 0
check "but of the dear ones" is "$(api GET regions/us-ord/availability | jq -c 'map(select(.plan == "g7-premium-2") | .available)')" '[true]'
stock '{"server_type":"g6-nanode-1","location":"nl-ams","available":false}'
check "tells what is sold out" is "$(sold '[.data[] | [.region, .available]]')" '[["nl-ams",false]]'
check "refuses what is sold out" no type 'No open slots for this plan' '{}'
check "sells it elsewhere" answers 200 POST linode/instances "$(instance elsewhere '{region: "eu-central"}')"
stock '{"location":"nl-ams","available":false}'
check "shows a region that sells nothing as down" is "$(api GET regions/nl-ams | jq -r .status)" outage
check "and names the region" no region 'No open slots' '{}'
stock '{"available":true}'
check "sells again" answers 200 POST linode/instances "$(instance back)"
for i in $(seq 1 60); do create "q-$i" '{image: null, authorized_keys: null}' >/dev/null; [ "$(status)" = 200 ] || break; done
check "has a quota" no null '^Account Limit reached\. Please open a support ticket\.$' '{}'
for id in $(filtered '{"label":{"+contains":"-"}}' linode/instances '.data[] | select(.label | test("^[nq]-")) | .id'); do
    api DELETE "linode/instances/$id" >/dev/null
done
check "deletes with an empty object" is "$(field .)" "{}"
check "and they are gone" within 10 sh -c "curl -sS -g -H 'Authorization: Bearer $TOKEN' -H 'X-Filter: {\"tags\":\"rehost-run:r2\"}' '$URL/linode/instances' | jq -e '.results == 0'"

# Faults in this provider's words.
fault '{"match":{"provider":"linode","method":"POST","path_regex":"/linode/instances$"},"effect":{"status":408,"after":true},"count":1}'
check "can time out" refuses 408 null '^Please try again$' POST linode/instances "$(instance late)"
check "although the instance exists" is "$(filtered '{"label":"late"}' linode/instances .results)" 1
fault '{"match":{"provider":"linode","path_regex":"/linode/instances$"},"effect":{"status":429},"count":1}'
check "can have enough of requests" refuses 429 null '^Too many requests$' GET linode/instances
check "without saying for how long" is "$(header retry-after)" ""
fault '{"match":{"provider":"linode","path_regex":"/linode/instances$"},"effect":{"status":429,"retry_after":7},"count":1}'
check "or saying it" sh -c "! curl -sS -D '$WORK/headers' -o /dev/null -f -H 'Authorization: Bearer $TOKEN' '$URL/linode/instances'"
check "in seconds" is "$(header retry-after)" 7
fault '{"match":{"provider":"linode","path_regex":"/linode/instances$"},"effect":{"list_lag_ms":600000},"count":2}'
create young >/dev/null
check "can list late" is "$(filtered '{"label":"young"}' linode/instances .results)" 0
fault '{"match":{"provider":"linode","method":"POST","path_regex":"/boot$"},"effect":{"status":400},"count":1}'
check "can be busy" refuses 400 null '^Linode busy\.$' POST "linode/instances/$ID/boot"
fault '{"match":{"provider":"linode","method":"POST","path_regex":"/linode/instances$"},"effect":{"address_delay_ms":600000},"count":1}'
check "can keep addresses back" is "$(create shy >/dev/null; field '[.ipv4, .ipv6] | tojson')" '[[],null]'
fault '{"match":{"provider":"linode","method":"POST","path_regex":"/linode/instances$"},"effect":{"vanish_after_ms":1},"count":1}'
GONE=$(create fleeting)
check "can lose what it accepted" within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/linode/instances/$GONE' | jq -e .errors"

# Addresses: two instances of one region exchange theirs.
A=$(create left) && A4=$(field '.ipv4[0]')
B=$(create right '{private_ip: true}') && B4=$(field '.ipv4[0]') BP=$(field '.ipv4[1]')
FAR=$(create far '{region: "us-east"}') && FAR4=$(field '.ipv4[0]')
assign() { jq -nc --arg r "${R:-nl-ams}" '{region: $r, assignments: [$ARGS.positional | _nwise(2) | {address: .[0], linode_id: (.[1] | tonumber)}]}' --args "$@"; }
addresses() { api GET "linode/instances/$1" | jq -r '.ipv4 | join(" ")'; }
check "leaves nobody without a public address" refuses 400 assignments 'at least one public' POST networking/ips/assign "$(assign "$A4" "$B")"
check "moves nothing between regions" refuses 400 'assignments[0].address' 'not in region' POST networking/ips/assign "$(assign "$FAR4" "$A" "$A4" "$FAR")"
check "knows no address of strangers" refuses 400 'assignments[0].address' 'not found' POST networking/ips/assign "$(assign 192.0.2.1 "$A")"
check "has none for nobody" refuses 400 'assignments[0].linode_id' 'not found' POST networking/ips/assign "$(assign "$A4" 4711)"
check "moves no private address" refuses 400 'assignments[0].address' 'not found' POST networking/ips/assign "$(assign "$BP" "$A")"
check "after all of which nothing has moved" is "$(addresses "$A")/$(addresses "$B")" "$A4/$B4 $BP"
check "exchanges two in one call" answers 200 POST networking/ips/assign "$(assign "$A4" "$B" "$B4" "$A")"
check "so that each has the other's" is "$(addresses "$A")/$(addresses "$B")" "$B4/$A4 $BP"
check "tells so for an address, too" is "$(api GET "networking/ips/$A4" | jq .linode_id)" "$B"
check "and for an instance" is "$(api GET "linode/instances/$B/ips" | jq -r '[.ipv4.public[0].address, .ipv4.private[0].address] | join(" ")')" "$A4 $BP"
check "lists each address once" is "$(api GET networking/ips | jq --arg a "$A4" '[.data[] | select(.address == $a)] | length')" 1
check "exchanges them back" answers 200 POST networking/ips/assign "$(assign "$A4" "$A" "$B4" "$B")"
check "so that each has its own" is "$(addresses "$A")/$(addresses "$B")" "$A4/$B4 $BP"
api POST networking/ips/assign "$(assign "$A4" "$B" "$B4" "$A")" >/dev/null
api DELETE "linode/instances/$B" >/dev/null
check "gives up what a deleted instance had last" within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/networking/ips/$A4' | jq -e .errors"
check "and not what it had before" is "$(addresses "$A")" "$B4"
check "sells no second public address" refuses 400 null 'technical justification' POST networking/ips "{\"type\":\"ipv4\",\"public\":true,\"linode_id\":$A}"

# Firewalls.
RULES='{"inbound_policy":"DROP","outbound_policy":"ACCEPT","inbound":[{"protocol":"TCP","ports":"22,443","addresses":{"ipv4":["0.0.0.0/0"]},"action":"ACCEPT","label":"web"}]}'
check "makes a firewall" answers 200 POST networking/firewalls "{\"label\":\"web\",\"rules\":$RULES,\"devices\":{\"linodes\":[$A]}}"
F=$(field .id)
check "whose rules start with version 1" is "$(field .rules.version)" 1
check "on an instance" is "$(api GET "linode/instances/$A/firewalls" | jq '.data[].id')" "$F"
check "needs policies" refuses 400 inbound_policy required POST networking/firewalls '{"label":"other","rules":{}}'
check "names the rule that is wrong" refuses 400 'rules.inbound[0].protocol' 'not valid' PUT "networking/firewalls/$F/rules" \
    '{"inbound_policy":"DROP","outbound_policy":"ACCEPT","inbound":[{"protocol":"SCTP","action":"ACCEPT","addresses":{"ipv4":["0.0.0.0/0"]}}]}'
check "replaces rules" is "$(api PUT "networking/firewalls/$F/rules" "$RULES" | jq -c '[.version, .inbound[0].ports]')" '[2,"22,443"]'
check "guards one instance" answers 200 POST "networking/firewalls/$F/devices" "{\"type\":\"linode\",\"id\":$FAR}"
D=$(field .id)
check "not twice" refuses 400 id 'already has' POST "networking/firewalls/$F/devices" "{\"type\":\"linode\",\"id\":$FAR}"
check "lets go of it" answers 200 DELETE "networking/firewalls/$F/devices/$D"
check "guards an instance from its creation" is "$(create guarded "{firewall_id: $F}" >/dev/null; api GET "networking/firewalls/$F/devices" | jq '.data | length')" 2
check "forgets a deleted instance" is "$(api DELETE "linode/instances/$A" >/dev/null; api GET "networking/firewalls/$F/devices" | jq -r '.data[].entity.label')" guarded
check "deletes a firewall" answers 200 DELETE "networking/firewalls/$F"

# Volumes.
check "refuses a small volume" refuses 400 size 'Must be 10-10240' POST volumes '{"label":"v","region":"us-east","size":5}'
check "makes a volume on an instance, and so in its region" is "$(api POST volumes "{\"label\":\"data\",\"linode_id\":$FAR}" | jq -c '[.region, .size, .linode_id]')" "[\"us-east\",20,$FAR]"
V=$(field .id)
check "keeps it while it is attached" refuses 400 null 'must be detached' DELETE "volumes/$V"
check "attaches no volume twice" refuses 400 null 'already attached' POST "volumes/$V/attach" "{\"linode_id\":$FAR}"
api DELETE "linode/instances/$FAR" >/dev/null
check "detaches it from a deleted instance" within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/volumes/$V' | jq -e '.linode_id == null'"
check "then it can go" answers 200 DELETE "volumes/$V"

# Databases: a restore is a fork.
DB=databases/postgresql/instances
order() { jq -nc --arg l "$1" "{label: \$l, type: \"g6-nanode-1\", engine: \"postgresql/16\", region: \"us-east\"} + ${2:-{\}}"; }
api POST $DB "$(order shop '{allow_list: ["198.18.0.0/16"]}')" >/dev/null
S=$(field .id)
check "a database becomes active" within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/$DB/$S' | jq -e '.status == \"active\"'"
OLDEST=$(api GET "$DB/$S" | jq -r .oldest_restore_time)
check "says how far back it reaches" grep -qE '^[0-9-]{10}T[0-9:]{8}$' <<<"$OLDEST"
check "forks as of a time" is "$(api POST $DB "$(order copy "{region: \"eu-west\", fork: {source: $S, restore_time: \"$OLDEST\"}}")" | jq -c '[.fork.source, .fork.restore_time, .region]')" \
    "[$S,\"$OLDEST\",\"eu-west\"]"
check "lets nobody in until told" is "$(field '.allow_list | length')" 0
check "does not reach back further" refuses 400 fork.restore_time 'oldest_restore_time' POST $DB "$(order old "{fork: {source: $S, restore_time: \"2001-01-01T00:00:00\"}}")"
check "nor into the future" refuses 400 fork.restore_time . POST $DB "$(order soon "{fork: {source: $S, restore_time: \"2999-01-01T00:00:00\"}}")"
check "forks nothing that does not exist" refuses 400 fork.source 'not found' POST $DB "$(order none '{fork: {source: 4711}}')"
check "knows its engines" refuses 400 engine 'not valid' POST $DB "$(order odd '{engine: "postgresql/9"}')"
check "tells the password" is "$(api GET "$DB/$S/credentials" | jq '.password | length > 10')" true

# Domains: times to live are few.
check "needs an address for the SOA record" refuses 400 soa_email required POST domains '{"domain":"example.com","type":"master"}'
check "makes a domain" answers 200 POST domains '{"domain":"example.com","type":"master","soa_email":"a@example.com","ttl_sec":100}'
Z=$(field .id)
check "and rounds its TTL up" is "$(field .ttl_sec)" 120
check "finds it by name" is "$(filtered '{"domain":"example.com"}' domains '[.data[].id]')" "[$Z]"
check "by nothing but its id in a path" answers 404 GET domains/example.com
record() { api POST "domains/$Z/records" "$1"; }
for pair in 1:300 60:300 1900:300 2000:3600 0:0 100000:86400 99999999:2419200; do
    check "rounds a record's TTL of ${pair%:*} to ${pair#*:}" is "$(record "{\"type\":\"A\",\"name\":\"t${pair%:*}\",\"target\":\"198.18.0.1\",\"ttl_sec\":${pair%:*}}" | jq .ttl_sec)" "${pair#*:}"
done
check "takes a whole name, too" is "$(record '{"type":"A","name":"www.example.com","target":"198.18.0.1"}' | jq -r .name)" www
check "has no name at the apex" is "$(record '{"type":"A","name":"","target":"198.18.0.1"}' | jq -c '[.name, .ttl_sec]')" '["",0]'
check "refuses the same record twice" refuses 400 name 'already exists' POST "domains/$Z/records" '{"type":"A","name":"www","target":"198.18.0.1"}'
check "refuses what is no address" refuses 400 target . POST "domains/$Z/records" '{"type":"A","name":"x","target":"198.18.0"}'
check "refuses an alias beside others" refuses 400 name CNAME POST "domains/$Z/records" '{"type":"CNAME","name":"www","target":"example.org"}'
check "finds records by name and type" is "$(filtered '{"name":"www","type":"A"}' "domains/$Z/records" '[.data[].target]')" '["198.18.0.1"]'
W=$(filtered '{"name":"www"}' "domains/$Z/records" '.data[0].id')
check "names its own servers in the zone file alone" grep -qx '@    NS  ns1.localcloud.test.' <<<"$(api GET "domains/$Z/zone-file" | jq -r '.zone_file[]')"
check "and not among the records" is "$(filtered '{"type":"NS"}' "domains/$Z/records" .results)" 0
check "has no PATCH" answers 405 PATCH "domains/$Z/records/$W" '{"target":"198.18.0.2"}'
check "changes a record" is "$(api PUT "domains/$Z/records/$W" '{"target":"198.18.0.2"}' | jq -c '[.id, .target, .name]')" "[$W,\"198.18.0.2\",\"www\"]"

# The provider's own limits.
cloud_stop
linode_start --boot-delay-ms 0
burst() { # METHOD PATH JSON: nineteen in a moment, by one client
    curl -sS -o /dev/null -X "$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${3:+-d "$3"} "$URL/$2?n=[1-19]"
}
burst POST linode/instances '{"region":"nl-ams","type":"g6-nanode-1"}'
create r-20 >/dev/null
check "takes twenty creates" is "$(status) $(header x-ratelimit-limit) $(header x-ratelimit-remaining)" "200 20 0"
check "in 15 seconds, no more" refuses 429 null '^Too many requests$' POST linode/instances "$(instance r-21)"
check "says how long to wait" test "$(header retry-after)" -le 15
check "and until when" test "$(header x-ratelimit-reset)" -ge "$(date +%s)"
burst GET images
check "takes twenty looks at images a minute" answers 200 GET images
check "and no more" refuses 429 null . GET images
check "counts lists on their own" is "$(api GET linode/instances >/dev/null; status) $(header x-ratelimit-limit)" "200 200"
check "and the rest on its own" is "$(api GET profile >/dev/null; status) $(header x-ratelimit-limit)" "200 1600"
finish
