#!/bin/bash
# The Vultr dialect beyond its published document: what clients of the live API have met.
. "$(dirname "$0")/../localcloud/testlib.sh"

field() { jq -r "$1" "$WORK/body"; }
says() { # STATUS TEXT METHOD PATH [JSON]: that error, in the API's one form
    wanted=$1 text=$2
    shift 2
    api "$@" >/dev/null
    is "$(status) $(jq -c . "$WORK/body")" "$wanted $(jq -nc --arg text "$text" --argjson status "$wanted" '{error: $text, status: $status}')"
}
start() { cloud_start --backend memory "$@"; URL=$(jq -r .urls.vultr "$WORK/ready"); }
admin() { curl -sS -f -o /dev/null -X "$1" ${3:+-d "$3"} "$ADMIN/$2"; }
fault() { admin DELETE faults; admin POST faults "$1"; }
settle() { within 10 sh -c "curl -sS '$ADMIN/state' | jq -e '[.servers[].busy] | any | not'"; }
order() { jq -nc "{region: \"ams\", plan: \"vc2-1c-2gb\", os_id: 2136} + ${1:-{\}}"; }
instance() { api GET "instances/$1" | jq -r ".instance | $2"; }
three() { instance "$1" '[.status, .power_status, .server_status] | join(" ")'; }
becomes() { within 10 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/$1' | jq -e '$2'"; }
create() { api POST instances "$(order "${1:-{\}}")" | jq -r .instance.id; } # prints the id

# Keys and errors.
start --boot-delay-ms 60000 --object-delay-ms 60000 --rate-limit 0 --server-limit 2
TOKEN=wrong check "refuses a wrong key" says 401 "Invalid API token." GET account
TOKEN=reader check "shows a user who may look only the rights that he has" is "$(TOKEN=reader api GET account | jq -c .account.acls)" \
    '["subscriptions_view"]'
check "shows all rights to the owner" is "$(api GET account | jq -c '.account.acls | contains(["provisioning", "dns", "firewall"])')" true
fault '{"match": {"provider": "vultr"}, "effect": {"status": 401, "code": "unauthorized_ip"}, "count": 1}'
check "can refuse calls from an address that the account does not list" says 401 "Unauthorized IP address: 127.0.0.1" GET account
fault '{"match": {"provider": "vultr"}, "effect": {"status": 503}, "count": 1}'
check "words an outage in its own form" says 503 "Service unavailable" GET account
check "knows no other paths" answers 404 GET droplets

# Orders that are refused.
check "names a region that does not exist" says 400 "Invalid region." POST instances "$(order '{region: "atlantis"}')"
check "names a plan that does not exist" says 400 "Invalid plan chosen." POST instances "$(order '{plan: "vc9"}')"
check "words a plan that is not sold in the region likewise" says 400 "Invalid plan chosen." POST instances \
    "$(order '{region: "sao", plan: "vhf-1c-2gb"}')"
check "takes one system" answers 400 POST instances "$(order '{snapshot_id: "x"}')"
check "installs no placeholder" says 400 "Invalid operating system." POST instances "$(order '{os_id: 164}')"
check "takes user data in base64 only" says 400 "Invalid user_data: it must be base64." POST instances \
    "$(order '{user_data: "#cloud-config"}')"
check "knows no key that does not exist" says 400 "Invalid SSH key." POST instances "$(order '{sshkey_id: ["x"]}')"
check "knows a plan's live stock" is "$(api GET regions/ams/availability | jq '.available_plans | index("vc2-1c-2gb") != null')" true
admin POST stock '{"provider": "vultr", "server_type": "vc2-1c-2gb", "location": "ams", "available": false}'
check "takes what is sold out off it" is "$(api GET regions/ams/availability | jq '.available_plans | index("vc2-1c-2gb")')" null
check "but still tells where the plan is sold" is "$(api GET plans | jq '[.plans[] | select(.id == "vc2-1c-2gb")][0].locations | index("ams") != null')" true
check "and refuses an order for it" says 400 "plan is not available in the selected region" POST instances "$(order)"
admin POST stock '{"available": true}'
check "has left nothing of all this behind" is "$(api GET instances | jq .meta.total)" 0
check "prices differ by region" is "$(api GET plans | jq '.plans[0] | .location_cost.sao.monthly_cost > .location_cost.ams.monthly_cost')" true
check "names Debian 12 and Ubuntu by the ids that the provider uses" is \
    "$(api GET os | jq -c '[.os[] | select(.id == (1743, 2136, 2284)) | .name] | sort')" \
    '["Debian 12 x64 (bookworm)","Ubuntu 22.04 LTS x64","Ubuntu 24.04 LTS x64"]'

# The first minute of an instance, which does not pass here.
check "accepts an order" answers 202 POST instances "$(order '{label: "web", hostname: "web-1", tags: ["Run:r1", "b"], enable_ipv6: true, user_data: "I2Nsb3VkLWNvbmZpZwo="}')"
check "knows nothing yet about what will be there" is \
    "$(field '.instance | [.status, .power_status, .server_status, .main_ip, .v6_main_ip, .v6_network_size] | join("|")')" \
    "pending|stopped|none|0.0.0.0||0"
check "tells a password" is "$(field '.instance.default_password | length')" 20
WEB=$(field .instance.id)
check "gives ids as UUIDs" grep -qE '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' <<<"$WEB"
check "finds it by a tag, whatever its case" is "$(api GET 'instances?tag=rUN:R1' | jq -r '.instances[].id')" "$WEB"
check "shows tags as they were given, and the first one as the old single tag" is "$(instance "$WEB" '.tags + [.tag] | join(" ")')" "Run:r1 b Run:r1"
check "not by another tag" is "$(api GET 'instances?tag=Run' | jq .meta.total)" 0
check "by label, hostname, region" is "$(api GET 'instances?label=web&hostname=web-1&region=ams' | jq .meta.total)" 1
check "gives user data back" is "$(api GET "instances/$WEB/user-data" | jq -r .user_data.data | base64 -d)" "#cloud-config"
check "refuses to destroy it while it is installed, with a 500" says 500 \
    "Unable to destroy server: Unable to remove VM: Server is currently locked" DELETE "instances/$WEB"
check "and to halt it" says 400 "Server is currently locked" POST "instances/$WEB/halt"
check "takes the same label and hostname again" answers 202 POST instances "$(order '{label: "web", hostname: "web-1"}')"
check "has a limit" says 400 "You have reached the maximum monthly fee limit for this account. Please contact our support team to have this limit raised." \
    POST instances "$(order)"
check "lists may lag" sh -c "curl -sSf -o /dev/null -d '{\"match\": {\"path_regex\": \"/instances$\"}, \"effect\": {\"list_lag_ms\": 60000}}' '$ADMIN/faults'"
check "so that what was just ordered is not in them" is "$(api GET instances | jq .meta.total)" 0
cloud_stop

# A running one. Objects take for ever to change: what happens in between stays to be looked at.
start --boot-delay-ms 0 --object-delay-ms 60000 --rate-limit 0
A=$(create '{label: "a"}')
check "becomes active" becomes "instances/$A" '.instance | .status == "active" and .power_status == "running"'
check "then shows its address" grep -q '^198\.18\.' <<<"$(instance "$A" .main_ip)"
check "is healthy some time later" becomes "instances/$A" '.instance.server_status == "ok"'
check "halts when it likes" answers 204 POST "instances/$A/halt"
check "running until then" is "$(three "$A")" "active running ok"
check "and locked" says 500 "Unable to destroy server: Unable to remove VM: Server is currently locked" DELETE "instances/$A"
check "for snapshots, too" says 400 "Server is currently locked" POST snapshots "{\"instance_id\":\"$A\"}"
B=$(create)
becomes "instances/$B" '.instance.status == "active"'
check "installs another one meanwhile" within 10 sh -c "curl -sS '$ADMIN/state' | jq -e '[.servers[].busy] == [true, false]'"
check "destroys it" answers 204 DELETE "instances/$B"
check "not a second time" says 400 "Server is already pending destruction." DELETE "instances/$B"
check "still showing it" is "$(instance "$B" .server_status)" locked
C=$(create)
within 10 sh -c "curl -sS '$ADMIN/state' | jq -e '.servers[2] | .status == \"running\" and (.busy | not)'" >/dev/null
check "makes snapshots that are pending" is \
    "$(api POST snapshots "{\"instance_id\":\"$C\"}" | jq -r '.snapshot | [.status, .size] | join(" ")')" "pending 0"
check "from which nothing can be made" says 400 "Invalid snapshot." POST instances \
    "{\"region\":\"ams\",\"plan\":\"vc2-1c-1gb\",\"snapshot_id\":\"$(api GET snapshots | jq -r '.snapshots[0].id')\"}"
check "orders databases that are not there yet" is "$(api POST databases '{"database_engine":"pg","database_engine_version":"15","region":"ams",
    "plan":"vultr-dbaas-startup-cc-2-80-4","label":"shop"}' | jq -r .database.status)" Rebuilding
check "and cannot be restored yet" answers 400 POST "databases/$(field .database.id)/restore" '{"label":"again"}'
cloud_stop

# What comes to its end.
start --boot-delay-ms 0 --object-delay-ms 0 --rate-limit 0
A=$(create '{label: "a"}') B=$(create '{label: "b"}')
settle
check "halts both" answers 204 POST instances/halt "{\"instance_ids\":[\"$A\",\"$B\"]}"
check "stopped, and active all the same" becomes "instances/$A" '.instance | .status == "active" and .power_status == "stopped"'
check "keeps its address" grep -q '^198\.18\.' <<<"$(instance "$A" .main_ip)"
settle
check "halts none of several when one of them does not exist" answers 404 POST instances/start "{\"instance_ids\":[\"$A\",\"x\"]}"
check "so that it stays as it was" is "$(instance "$A" .power_status)" stopped
check "starts" answers 204 POST "instances/$A/start"
check "runs again" becomes "instances/$A" '.instance.power_status == "running"'
settle
check "changes label, tags and backups" answers 202 PATCH "instances/$A" '{"label":"new","tags":["c"],"backups":"enabled"}'
check "and shows them" is "$(instance "$A" '[.label, .tags[0], .features[0]] | join(" ")')" "new c auto_backups"
check "takes a wrong id for none" says 404 "Invalid instance ID." GET instances/web
fault '{"match": {"method": "POST", "path_regex": "/instances$"}, "effect": {"address_delay_ms": 60000}, "count": 1}'
C=$(create)
becomes "instances/$C" '.instance.power_status == "running"'
check "can run without showing its address" is "$(instance "$C" '[.status, .main_ip] | join(" ")')" "active 0.0.0.0"
fault '{"match": {"method": "POST", "path_regex": "/instances$"}, "effect": {"vanish_after_ms": 1}, "count": 1}'
V=$(create)
check "can accept an order and forget it" within 10 answers 404 GET "instances/$V"
admin DELETE faults

# Pages.
for n in 1 2 3 4 5; do api POST ssh-keys "{\"name\":\"k$n\",\"ssh_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI$n\"}" >/dev/null; done
check "has no next page at the end" is "$(api GET 'ssh-keys?per_page=5' | jq -c .meta)" '{"total":5,"links":{"next":"","prev":""}}'
walk() { # prints names of all pages
    cursor='' all=''
    while :; do
        api GET "ssh-keys?per_page=2&cursor=$cursor" >/dev/null
        all="$all $(field '[.ssh_keys[].name] | join(" ")')" cursor=$(field .meta.links.next)
        [ -n "$cursor" ] || break
        [ -z "${1:-}" ] || { api DELETE "ssh-keys/$1" >/dev/null; set --; }
    done
    echo "$all"
}
check "leads through all pages" is "$(walk)" " k1 k2 k3 k4 k5"
check "and back" is "$(api GET "ssh-keys?per_page=2&cursor=$(api GET "ssh-keys?per_page=2&cursor=$(api GET 'ssh-keys?per_page=2' | jq -r .meta.links.next)" |
    jq -r .meta.links.prev)" | jq -r '[.ssh_keys[].name] | join(" ")')" "k1 k2"
check "skips nothing when a key of the first page goes meanwhile" is "$(walk "$(api GET ssh-keys | jq -r '.ssh_keys[1].id')")" " k1 k2 k3 k4 k5"
check "refuses a cursor that it did not give" answers 400 GET 'ssh-keys?cursor=abc'
check "takes the same key twice" answers 201 POST ssh-keys '{"name":"k1","ssh_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI1"}'

# Firewalls, addresses, blocks.
G=$(api POST firewalls '{"description":"web"}' | jq -r .firewall_group.id)
rule() { jq -nc "{ip_type: \"v4\", protocol: \"TCP\", subnet: \"0.0.0.0\", subnet_size: 0, port: \"22\"} + $1"; }
check "adds a rule" answers 201 POST "firewalls/$G/rules" "$(rule '{}')"
check "not twice" says 400 "This rule is already defined" POST "firewalls/$G/rules" "$(rule '{protocol: "tcp"}')"
check "a range of ports, too" answers 201 POST "firewalls/$G/rules" "$(rule '{port: "8000:9000"}')"
check "no address of the other family" says 400 "Invalid subnet." POST "firewalls/$G/rules" "$(rule '{ip_type: "v6"}')"
check "no port where there is none" says 400 "Invalid port." POST "firewalls/$G/rules" "$(rule '{protocol: "icmp"}')"
for n in $(seq 3 50); do api POST "firewalls/$G/rules" "$(rule "{port: \"$((n + 1000))\"}")" >/dev/null; done
check "keeps 50 rules at most" says 400 "Maximum number of rules reached: the limit is 50." POST "firewalls/$G/rules" "$(rule '{port: "1"}')"
check "joins a group later" answers 202 PATCH "instances/$A" "{\"firewall_group_id\":\"$G\"}"
check "and is counted" is "$(api GET "firewalls/$G" | jq -c '.firewall_group | [.instance_count, .rule_count]')" "[1,50]"
check "finds the group's instances" is "$(api GET "instances?firewall_group_id=$G" | jq -r '.instances[].id')" "$A"

R=$(api POST reserved-ips '{"region":"ams","ip_type":"v4"}' | jq -r .reserved_ip.id)
check "attaches a reserved IP" answers 204 POST "reserved-ips/$R/attach" "{\"instance_id\":\"$A\"}"
check "as a second address" is "$(api GET "instances/$A/ipv4" | jq -r '[.ipv4s[].type] | join(" ")')" "main_ip secondary_ip"
check "not to two at once" answers 400 POST "reserved-ips/$R/attach" "{\"instance_id\":\"$B\"}"
check "keeps an attached one" answers 400 DELETE "reserved-ips/$R"
check "moves it by detaching" answers 204 POST "reserved-ips/$R/detach"
check "and attaching" answers 204 POST "reserved-ips/$R/attach" "{\"instance_id\":\"$B\"}"
F=$(create '{region: "fra"}')
settle
check "in its region" answers 400 POST "reserved-ips/$(api POST reserved-ips '{"region":"ams","ip_type":"v4"}' | jq -r .reserved_ip.id)/attach" "{\"instance_id\":\"$F\"}"
MAIN=$(instance "$A" .main_ip)
check "keeps an instance's own address" is "$(api POST reserved-ips/convert "{\"ip_address\":\"$MAIN\"}" | jq -r '.reserved_ip | [.subnet, .instance_id] | join(" ")')" "$MAIN $A"
K=$(field .reserved_ip.id)
settle
check "beyond the instance's end" answers 204 DELETE "instances/$A"
becomes "instances/$A" '.status == 404'
check "and then belongs to nobody" is "$(api GET "reserved-ips/$K" | jq -r .reserved_ip.instance_id)" ""
D=$(create "{reserved_ipv4: \"$K\"}")
settle
check "until an instance is made with it" is "$(instance "$D" .main_ip)" "$MAIN"

check "has blocks from 10 GB on" answers 400 POST blocks '{"region":"ams","size_gb":5}'
check "slow ones from 40 GB on" answers 400 POST blocks '{"region":"ams","size_gb":20,"block_type":"storage_opt"}'
V=$(api POST blocks '{"region":"ams","size_gb":10,"label":"data"}' | jq -r .block.id)
becomes "blocks/$V" '.block.status == "active"'
check "does not attach one elsewhere" answers 400 POST "blocks/$V/attach" "{\"instance_id\":\"$F\"}"
check "attaches one" answers 204 POST "blocks/$V/attach" "{\"instance_id\":\"$B\"}"
check "tells where" is "$(api GET "blocks/$V" | jq -r .block.attached_to_instance_label)" b
check "keeps an attached one from deletion" answers 400 DELETE "blocks/$V"

# Databases: beside, or elsewhere; what is restored is told by its moment.
DB=$(api POST databases '{"database_engine":"pg","database_engine_version":"15","region":"ams","plan":"vultr-dbaas-startup-cc-2-80-4","label":"shop"}' | jq -r .database.id)
becomes "databases/$DB" '.database.status == "Running"'
AT=$(api GET "databases/$DB/backups" | jq -c '.latest_backup | {date, time: (.time | gsub(":"; "-")), type: "pitr"}')
check "restores beside, with the time in dashes" is "$(api POST "databases/$DB/restore" "$(jq -c '. + {label: "again"}' <<<"$AT")" |
    jq -r '.database | [.label, .region, .plan] | join(" ")')" "again AMS vultr-dbaas-startup-cc-2-80-4"
check "with another id" test "$(field .database.id)" != "$DB"
check "forks elsewhere" is "$(api POST "databases/$DB/fork" '{"label":"there","region":"ewr","plan":"vultr-dbaas-hobbyist-cc-1-25-1"}' |
    jq -r '.database | [.region, .plan] | join(" ")')" "EWR vultr-dbaas-hobbyist-cc-1-25-1"
check "not to a time before there was anything" answers 400 POST "databases/$DB/restore" '{"label":"x","type":"pitr","date":"2020-01-01","time":"00-00-00"}'
check "needs date and time for a moment" answers 400 POST "databases/$DB/restore" '{"label":"x","type":"pitr","date":"2020-01-01"}'
check "remembers what came from what" is "$(curl -sS "$ADMIN/state" | jq '[.databases[].restored_from] | map(select(. > 0)) | length')" 2
cloud_stop

# Names, published for real.
PORT=$((24000 + $$ % 8000))
start --boot-delay-ms 0 --rate-limit 0 --dns "127.0.0.1:$PORT"
ask() { dig +short +time=2 +tries=1 -p "$PORT" @127.0.0.1 "$@" | sort | tr '\n' ' '; }
ttl() { dig +noall +answer +time=2 +tries=1 -p "$PORT" @127.0.0.1 "$@" | awk '{print $2}' | sort -u; }
serves() { wanted=$1; shift; is "$(ask "$@")" "$wanted"; }
record() { api POST domains/example.com/records "$1" | jq -r .record.id; }
R=domains/example.com/records
check "makes a domain" answers 200 POST domains '{"domain":"example.com"}'
check "once" answers 400 POST domains '{"domain":"example.com"}'
check "with its name servers as records, and no others" is "$(api GET $R | jq -r '[.records[] | .type + " " + .name + " " + .data] | join(", ")')" \
    "NS  ns1.localcloud.test, NS  ns2.localcloud.test"
W=$(record '{"name":"www","type":"A","data":"198.18.10.1","ttl":120}')
check "answers for a record" within 20 serves "198.18.10.1 " www.example.com A
check "with its TTL" is "$(ttl www.example.com A)" 120
X=$(record '{"name":"www","type":"A","data":"198.18.10.2","ttl":60}')
check "and for two of one name" within 20 serves "198.18.10.1 198.18.10.2 " www.example.com A
check "which then have one TTL" is "$(ttl www.example.com A)" 60
check "changes one of them, without a word" answers 204 PATCH "$R/$W" '{"data":"198.18.10.9"}'
check "an empty answer" is "$(cat "$WORK/body")" ""
check "and leaves the other" within 20 serves "198.18.10.2 198.18.10.9 " www.example.com A
check "keeps its id" is "$(api GET "$R/$W" | jq -r .record.data)" 198.18.10.9
check "moves it to another name" answers 204 PATCH "$R/$W" '{"name":"shop"}'
check "which answers then" within 20 serves "198.18.10.9 " shop.example.com A
check "and the old name no more" within 20 serves "198.18.10.2 " www.example.com A
check "deletes a record" answers 204 DELETE "$R/$X"
check "and its name with the last one" within 20 serves "" www.example.com A
record '{"name":"","type":"A","data":"198.18.10.5"}' >/dev/null
check "has the domain itself under no name" within 20 serves "198.18.10.5 " example.com A
check "and says so" is "$(api GET $R | jq -c '[.records[] | select(.type == "A" and .data == "198.18.10.5") | .name]')" '[""]'
record '{"name":"","type":"MX","data":"mail.example.net","priority":5}' >/dev/null
check "ranks mail servers by priority, whose names are whole" within 20 serves "5 mail.example.net. " example.com MX
record '{"name":"alias","type":"CNAME","data":"shop.example.com"}' >/dev/null
check "follows an alias" within 20 serves "198.18.10.9 shop.example.com. " alias.example.com A
check "leaves an alias alone at its name" answers 400 POST $R '{"name":"alias","type":"A","data":"198.18.10.1"}'
record '{"name":"note","type":"TXT","data":"\"rehost epoch 7\""}' >/dev/null
check "publishes texts, in quotes" within 20 serves '"rehost epoch 7" ' note.example.com TXT
check "and refuses them without" says 400 "Invalid record data." POST $R '{"name":"note","type":"TXT","data":"epoch"}'
check "refuses what is no address" says 400 "Invalid record data." POST $R '{"name":"www","type":"A","data":"198.18.0.256"}'
check "keeps no record twice" says 400 "Duplicate records not allowed." POST $R '{"name":"shop","type":"A","data":"198.18.10.9"}'
check "filters nothing" is "$(api GET "$R?name=note&type=TXT" | jq '.records | length')" "$(api GET $R | jq .meta.total)"
check "pages through records" is "$(api GET "$R?per_page=1" | jq '.records | length')" 1
check "deletes the domain" answers 204 DELETE domains/example.com
check "which answers no more" within 20 serves "" shop.example.com A
check "and unknown" says 404 "Invalid domain." GET $R
cloud_stop

# 30 requests a second and address.
start --dns none
curl -sS -o /dev/null -D "$WORK/limits" -w '%{http_code}\n' -H "Authorization: Bearer $TOKEN" "$URL/account?n=[1-300]" >"$WORK/codes"
check "answers 30 requests in a second" test "$(grep -c '^200$' "$WORK/codes")" -ge 30
check "and sends the rest away" is "$(sort -u "$WORK/codes" | tr '\n' ' ')" "200 429 "
check "telling when to come again" is "$(grep -i '^retry-after' "$WORK/limits" | tr -d '\r' | sort -u)" "Retry-After: 1"
finish
