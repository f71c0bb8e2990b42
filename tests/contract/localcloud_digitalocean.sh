#!/bin/bash
# The DigitalOcean dialect of the local cloud: what the provider does beyond its document, limits, faults; and its zones, which a real
# authoritative server (BIND) answers.
. "$(dirname "$0")/../localcloud/testlib.sh"

# ocean_start ARGUMENTS...: a local cloud, spoken to as DigitalOcean
ocean_start() {
    cloud_start --backend memory "$@"
    URL=$(jq -r .urls.digitalocean "$WORK/ready")
}
field() { jq -r "$1" "$WORK/body"; }
header() { tr -d '\r' <"$WORK/headers" | sed -n "s/^$1: //Ip"; }
# refuses STATUS ID MESSAGE METHOD PATH [JSON]: the error body is {"id", "message", "request_id"}
refuses() {
    wanted="$1 $2 $3"
    shift 3
    api "$@" >/dev/null
    is "$(status) $(jq -r 'if .request_id then .id + " " + .message else "no request_id" end' "$WORK/body")" "$wanted"
}
# fault JSON: what strikes, on this provider
fault() { curl -sS -X POST -d "$(jq -c '.match.provider = "digitalocean"' <<<"$1")" "$ADMIN/faults" >/dev/null; }
clear_faults() { curl -sS -X DELETE "$ADMIN/faults"; }
stock() { curl -sS -X POST -d "$(jq -c '. + {provider: "digitalocean"}' <<<"$1")" "$ADMIN/stock"; }
droplet() { # NAME [JQ EXPRESSION]: the body of an order
    jq -nc --arg n "$1" "{name: \$n, region: \"fra1\", size: \"s-1vcpu-1gb\", image: \"debian-12-x64\"} + (${2:-{\}})"
}
order() { api POST v2/droplets "$(droplet "$@")" >/dev/null; is "$(status)" 202 && ID=$(field .droplet.id) ACTION=$(field '.links.actions[0].id'); }
action_is() { is "$(api GET "v2/actions/$1" | jq -r .action.status)" "$2"; }
finished() { within 10 action_is "$1" completed; }
status_is() { is "$(api GET "v2/droplets/$1" | jq -r .droplet.status)" "$2"; }
gone() { within 10 answers 404 GET "v2/droplets/$1"; }
addresses() { api GET "v2/droplets/$1" | jq -c '[.droplet.networks.v4[].type]'; }
has_addresses() { is "$(addresses "$1")" '["private","public"]'; }
is_empty() { is "$(api GET "$1" | jq '.droplets | length')" 0; }
names() { api GET "$1" | jq -r '[.droplets[].name] | sort | join(" ")'; }

entity=unprocessable_entity

# An order that is not done yet, and will not be.
ocean_start --boot-delay-ms 3600000 --object-delay-ms 3600000 --rate-limit 0 --dns none
check "takes an order" order web-1 '{tags: ["rehost-run:r1"]}'
check "which is new, locked, and has no address yet" is \
    "$(field '.droplet | [.status, .locked, (.networks.v4 + .networks.v6 | length)] | join(" ")')" "new true 0"
check "its action is named in the answer and not done" is "$(field '.links.actions[0].rel') $(api GET "v2/actions/$ACTION" | jq -r '.action | .type + " " + .status')" \
    "create create in-progress"
check "under its address" is "$(api POST v2/droplets "$(droplet web-2)" >/dev/null; curl -sS -H "Authorization: Bearer $TOKEN" "$(field '.links.actions[0].href')" | jq .action.resource_id)" \
    "$(field .droplet.id)"
check "nothing else can be done to it meanwhile" refuses 422 $entity 'Droplet already has a pending event.' POST "v2/droplets/$ID/actions" '{"type":"reboot"}'
check "nor can it be deleted" refuses 422 $entity 'Droplet already has a pending event.' DELETE "v2/droplets/$ID"
check "not by its tag either" refuses 422 $entity 'Droplet already has a pending event.' DELETE 'v2/droplets?tag_name=rehost-run:r1'
check "nor given an address" refuses 422 $entity 'Droplet already has a pending event.' POST v2/reserved_ips "{\"droplet_id\":$ID}"
check "an ordered cluster is creating" is "$(api POST v2/databases '{"name":"main","engine":"pg","num_nodes":1,"size":"db-s-1vcpu-1gb","region":"fra1"}' | jq -r .database.status)" creating
check "and has no backup yet" is "$(api GET "v2/databases/$(field .database.id)/backups" | jq -c .backups)" "[]"
cloud_stop

ocean_start --boot-delay-ms 50 --object-delay-ms 50 --rate-limit 0 --dns 127.0.0.1:$((20000 + $$ % 10000))

# Who may do what.
TOKEN=wrong check "a wrong token is told so" refuses 401 unauthorized 'Unable to authenticate you.' GET v2/account
TOKEN=reader check "a token that may only read reads" answers 200 GET v2/droplets
TOKEN=reader check "but changes nothing" refuses 403 forbidden 'You are not authorized to perform this operation' POST v2/tags '{"name":"x"}'
check "what does not exist is not found" refuses 404 not_found 'The resource you were accessing could not be found.' GET v2/nothing
check "a method that does not exist is refused" answers 405 DELETE v2/account
check "a body that is no JSON is refused" refuses 400 bad_request 'There was an error parsing the request body.' POST v2/tags '{"name"'
check "the account tells its limits" is "$(api GET v2/account | jq -c '.account | [.status, .droplet_limit > 0, .floating_ip_limit > 0]')" '["active",true,true]'

# Keys.
for k in one two; do ssh-keygen -q -t ed25519 -N '' -f "$WORK/$k"; done
key() { jq -nc --arg n "$1" --arg k "$(cat "$WORK/$1.pub")" '{name: $n, public_key: $k}'; }
check "stores a key" answers 201 POST v2/account/keys "$(key one)"
KEY=$(field .ssh_key.id)
check "with the fingerprint that ssh-keygen computes" is "MD5:$(field .ssh_key.fingerprint)" "$(ssh-keygen -l -E md5 -f "$WORK/one.pub" | cut -d' ' -f2)"
check "and finds it by that" is "$(api GET "v2/account/keys/$(field .ssh_key.fingerprint)" | jq .ssh_key.id)" "$KEY"
check "refuses it a second time" refuses 422 unprocessable_entity 'SSH Key is already in use on your account' POST v2/account/keys "$(key one)"
check "refuses what is no key" answers 422 POST v2/account/keys '{"name":"x","public_key":"ssh-ed25519 AAAA"}'

# Orders. The address shows 300 ms after the droplet runs; it did not run yet when it was last seen as new, at NEW_MS.
now_ms() { date +%s%3N; }
NEW_MS=$(now_ms)
check "takes an order" order web-1 "{ssh_keys: [$KEY], ipv6: true, tags: [\"rehost-run:r1\", \"PROD\"], user_data: \"#cloud-config\"}"
addressed() {
    local asked
    asked=$(now_ms)
    api GET "v2/droplets/$ID" >/dev/null
    [ "$(field .droplet.status)" = new ] && NEW_MS=$asked
    [ "$(field '.droplet.networks.v4 | length')" -gt 0 ]
}
within 20 addressed
SHOWN_MS=$(now_ms)
check "it is done" finished "$ACTION"
check "and is active" status_is "$ID" active
check "its addresses show later than that" test $((SHOWN_MS - NEW_MS)) -ge 300
check "the private one first" has_addresses "$ID"
check "the public one lies in the network of the machines" grep -q '^198\.18\.' <<<"$(api GET "v2/droplets/$ID" | jq -r '.droplet.networks.v4[] | select(.type == "public") | .ip_address')"
check "and the IPv6 one, too" grep -q '^2001:db8:' <<<"$(api GET "v2/droplets/$ID" | jq -r '.droplet.networks.v6[0].ip_address')"
WEB=$ID
check "has no IPv6 unless it is asked for" is "$(api POST v2/droplets "$(droplet plain)" | jq '.droplet.features | index("ipv6")')" null
PLAIN=$(field .droplet.id)
finished "$(field '.links.actions[0].id')"
fault '{"match":{"path_regex":"/v2/droplets$"},"effect":{"address_delay_ms":600000},"count":1}'
check "an address can be long in coming" order late
finished "$ACTION"
check "while the droplet is active" is "$(status_is "$ID" active; addresses "$ID")" "[]"
api DELETE "v2/droplets/$ID" >/dev/null; gone "$ID"

check "takes an order for several" answers 202 POST v2/droplets "$(droplet x 'del(.name) + {names: ["a-1", "a-2"], tags: ["pair"]}' | jq -c 'del(.name)')"
check "with an action for each" is "$(field '[.droplets[].name] + [.links.actions | length] | join(" ")')" "a-1 a-2 2"
for id in $(field '.links.actions[].id'); do finished "$id"; done
check "takes no more than ten" answers 422 POST v2/droplets "$(droplet x '{names: [range(11) | "n-\(.)"]}' | jq -c 'del(.name)')"
check "a region may be begun only" is "$(api POST v2/droplets "$(droplet new-york '{region: "nyc"}')" | jq -r .droplet.region.slug)" nyc1
finished "$(field '.links.actions[0].id')"
check "or left out" answers 202 POST v2/droplets "$(droplet anywhere '{region: null}')"
finished "$(field '.links.actions[0].id')"
check "names need not be unique" order web-1
finished "$ACTION"
TWIN=$ID

check "refuses an unknown size" refuses 422 $entity 'You specified an invalid size for Droplet creation.' POST v2/droplets "$(droplet x '{size: "huge"}')"
check "refuses a retired size" refuses 422 $entity 'This size is unavailable' POST v2/droplets "$(droplet x '{size: "512mb"}')"
check "refuses an unknown image" refuses 422 $entity 'You specified an invalid image for Droplet creation.' POST v2/droplets "$(droplet x '{image: "beos"}')"
check "refuses an unknown region" refuses 422 $entity 'You specified an invalid region for Droplet creation.' POST v2/droplets "$(droplet x '{region: "mars1"}')"
check "refuses a closed region" refuses 422 $entity 'Region is not available' POST v2/droplets "$(droplet x '{region: "sfo1"}')"
check "refuses unknown keys" refuses 422 $entity '4711 are invalid key identifiers for Droplet creation.' POST v2/droplets "$(droplet x '{ssh_keys: [4711]}')"
check "refuses a name with an underscore" refuses 422 $entity 'Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)' \
    POST v2/droplets "$(droplet web_1)"
for tag in a.b a=b 'a b' ''; do check "refuses the tag '$tag'" answers 422 POST v2/droplets "$(droplet x "{tags: [\"$tag\"]}")"; done
check "takes 64 KiB of user data" answers 202 POST v2/droplets "$(droplet full '{user_data: ("x" * 65536)}')"
finished "$(field '.links.actions[0].id')"
check "and no more" answers 422 POST v2/droplets "$(droplet x '{user_data: ("x" * 65537)}')"

# Stock.
stock '{"server_type":"s-1vcpu-1gb","location":"fra1","available":false}'
api GET 'v2/sizes?per_page=200' >/dev/null
check "a size that is sold out in a region stays available, without the region" is \
    "$(field '.sizes[] | select(.slug == "s-1vcpu-1gb") | [.available, (.regions | index("fra1") != null), (.regions | index("ams3") != null)] | join(" ")')" "true false true"
check "and the region lists it no more" is "$(api GET 'v2/regions' | jq '.regions[] | select(.slug == "fra1") | .sizes | index("s-1vcpu-1gb")')" null
check "there, an order is refused" refuses 422 $entity 'Size is not available in this region.' POST v2/droplets "$(droplet x)"
stock '{"available":true}'
fault '{"match":{"method":"POST","path_regex":"/v2/droplets$"},"effect":"out_of_stock","count":1}'
check "an order can be refused although the size is listed" refuses 422 $entity 'Size is not available in this region.' POST v2/droplets "$(droplet x)"

# Lists.
check "lists by tag" is "$(names 'v2/droplets?tag_name=rehost-run:r1')" web-1
check "lists by exact name, whatever its case" is "$(names 'v2/droplets?name=WEB-1')" "web-1 web-1"
check "but not by the beginning of a name" is "$(names 'v2/droplets?name=web')" ""
check "finds nothing under a tag that nobody has" is "$(names 'v2/droplets?tag_name=nobody')" ""
check "cannot filter by both" answers 400 GET 'v2/droplets?tag_name=pair&name=a-1'
api GET 'v2/droplets?tag_name=pair&per_page=1' >/dev/null
check "a page names the next with all that was asked" is "$(field '.links.pages.next') $(field .meta.total)" "$URL/v2/droplets?page=2&tag_name=pair&per_page=1 2"
check "which can be followed" is "$(curl -sS -H "Authorization: Bearer $TOKEN" "$(field .links.pages.next)" | jq -c '[.droplets[0].name, (.links.pages | keys | join(" "))]')" \
    '["a-2","first prev"]'
check "a single page names none" is "$(api GET 'v2/droplets?per_page=200' | jq -c .links)" "{}"
fault '{"match":{"path_regex":"/v2/droplets$","method":"GET"},"effect":{"list_lag_ms":600000},"count":1}'
check "lists can lag" is "$(names v2/droplets)" ""

# Tags.
check "the first spelling of a tag is the one that stays" is "$(api POST v2/droplets "$(droplet tagged '{tags: ["prod"]}')" | jq -r '.droplet.tags[0]')" PROD
finished "$(field '.links.actions[0].id')"
check "so it must be asked for in that spelling" is "$(names 'v2/droplets?tag_name=PROD')+$(names 'v2/droplets?tag_name=prod')" "tagged web-1+"
check "a tag counts what has it" is "$(api GET v2/tags/PROD | jq -c '.tag.resources | [.count, .droplets.count]')" "[2,2]"
check "a tag can be taken off" answers 204 DELETE v2/tags/PROD/resources "{\"resources\":[{\"resource_id\":\"$WEB\",\"resource_type\":\"droplet\"}]}"
check "and is off" is "$(names 'v2/droplets?tag_name=PROD')" tagged
check "deletes all with a tag" answers 204 DELETE 'v2/droplets?tag_name=pair'
check "so that none is left" within 10 is_empty 'v2/droplets?tag_name=pair'
check "cannot delete by a tag that does not exist" answers 404 DELETE 'v2/droplets?tag_name=nobody'

# Power.
act() { api POST "v2/droplets/$1/actions" "{\"type\":\"$2\"}" >/dev/null; is "$(status) $(field .action.type)" "201 $2" && finished "$(field .action.id)"; }
check "switches off" act "$WEB" power_off
check "and is off" within 5 status_is "$WEB" off
check "but keeps its addresses" has_addresses "$WEB"
check "switches on" act "$WEB" power_on
check "and is active" within 5 status_is "$WEB" active
check "shuts down" act "$WEB" shutdown
check "and is off again" within 5 status_is "$WEB" off
check "cycles" act "$WEB" power_cycle
check "reboots" act "$WEB" reboot
check "refuses an unknown action" answers 422 POST "v2/droplets/$WEB/actions" '{"type":"dance"}'
check "lists its actions, the newest first" is "$(api GET "v2/droplets/$WEB/actions" | jq -r '[.actions[].type] | .[0] + " " + .[-1]')" "reboot create"
check "shows an action only to its droplet" answers 404 GET "v2/droplets/$PLAIN/actions/$(field '.actions[0].id')"

# Snapshots.
check "takes a snapshot" answers 201 POST "v2/droplets/$WEB/actions" '{"type":"snapshot","name":"before"}'
check "in a while" finished "$(field .action.id)"
SNAPSHOT=$(api GET 'v2/snapshots?resource_type=droplet' | jq -r '.snapshots[] | select(.name == "before") | .id')
check "its id is a number in text" grep -qxE '[0-9]+' <<<"$SNAPSHOT"
check "and a number on the droplet" is "$(api GET "v2/droplets/$WEB" | jq .droplet.snapshot_ids[0])" "$SNAPSHOT"
check "makes a droplet of it" is "$(api POST v2/droplets "$(droplet copy "{image: $SNAPSHOT}")" | jq -c '.droplet.image | [.id, .type, .slug]')" "[$SNAPSHOT,\"snapshot\",null]"
finished "$(field '.links.actions[0].id')"
check "only where the snapshot is" answers 422 POST v2/droplets "$(droplet copy "{image: $SNAPSHOT, region: \"ams3\"}")"
check "deletes it" answers 204 DELETE "v2/snapshots/$SNAPSHOT"
check "after which no droplet can be made of it" answers 422 POST v2/droplets "$(droplet copy "{image: $SNAPSHOT}")"

# Addresses and volumes outlive droplets.
check "reserves an address for a droplet" answers 202 POST v2/reserved_ips "{\"droplet_id\":$WEB}"
IP=$(field .reserved_ip.ip)
free() { is "$(api GET "v2/reserved_ips/$1" | jq .reserved_ip.locked)" false; }
check "which is assigned to it" is "$(field '.reserved_ip.droplet.id') $(field '.links.actions[0].rel')" "$WEB assign_ip"
check "reserves one in a region, for nobody" is "$(api POST v2/reserved_ips '{"region":"ams3"}' | jq -c '.reserved_ip | [.droplet, .region.slug]')" '[null,"ams3"]'
FAR=$(field .reserved_ip.ip)
check "which cannot leave the region" answers 422 POST "v2/reserved_ips/$FAR/actions" "{\"type\":\"assign\",\"droplet_id\":$PLAIN}"
check "the assigned one is locked for a moment at most" within 10 free "$IP"
check "and moves in one step" is "$(api POST "v2/reserved_ips/$IP/actions" "{\"type\":\"assign\",\"droplet_id\":$PLAIN}" | jq -r .action.type)" assign_ip
check "it leads there" is "$(api GET "v2/reserved_ips/$IP" | jq .reserved_ip.droplet.id)" "$PLAIN"
check "makes a volume" answers 201 POST v2/volumes '{"name":"data","region":"fra1","size_gigabytes":10}'
VOLUME=$(field .volume.id)
check "attaches it" answers 202 POST "v2/volumes/$VOLUME/actions" "{\"type\":\"attach\",\"droplet_id\":$PLAIN}"
check "does not delete it while it is" refuses 409 conflict "A volume that's attached to a Droplet cannot be deleted. Please detach it first before deleting." \
    DELETE "v2/volumes/$VOLUME"
check "deletes the droplet" answers 204 DELETE "v2/droplets/$PLAIN"
check "which is gone" gone "$PLAIN"
check "not its address" is "$(api GET "v2/reserved_ips/$IP" | jq -c '[.reserved_ip.ip, .reserved_ip.droplet]')" "[\"$IP\",null]"
check "nor its volume" is "$(api GET "v2/volumes/$VOLUME" | jq -c .volume.droplet_ids)" "[]"
check "a droplet can be ordered with the volume" order with-data "{volumes: [\"$VOLUME\"]}"
check "and has it" is "$(api GET "v2/droplets/$ID" | jq -r .droplet.volume_ids[0])" "$VOLUME"
check "detaching what is not attached there is refused" refuses 422 $entity 'Attachment not found' POST "v2/volumes/$VOLUME/actions" \
    "{\"type\":\"detach\",\"droplet_id\":$TWIN}"
finished "$ACTION"

# Firewalls.
RULE='{"protocol":"tcp","ports":"22","sources":{"addresses":["0.0.0.0/0"]}}'
check "makes a firewall" answers 202 POST v2/firewalls "{\"name\":\"base\",\"inbound_rules\":[$RULE]}"
FIREWALL=$(field .firewall.id)
check "refuses its name a second time" refuses 409 conflict 'duplicate name' POST v2/firewalls "{\"name\":\"base\",\"inbound_rules\":[$RULE]}"
check "refuses one without rules" answers 422 POST v2/firewalls '{"name":"none"}'
check "binds it to a tag" answers 204 POST "v2/firewalls/$FIREWALL/tags" '{"tags":["rehost-run:r1"]}'
check "so that droplets with it have it" is "$(api GET "v2/droplets/$WEB/firewalls" | jq -r '.firewalls[0].name')" base
check "a tag that does not exist cannot be bound" answers 404 POST "v2/firewalls/$FIREWALL/tags" '{"tags":["nobody"]}'
check "gives all ports back as 0" is "$(api PUT "v2/firewalls/$FIREWALL" '{"name":"base","outbound_rules":[{"protocol":"udp","ports":"all","destinations":{}}]}' | jq -c '.firewall | [.outbound_rules[0].ports, .inbound_rules, .tags]')" \
    '["0",[],[]]'
check "twenty of a list come without asking" is "$(api GET v2/actions | jq -c '[(.actions | length), .meta.total > 20]')" "[20,true]"

# Databases.
cluster() { jq -nc --arg n "$1" "{name: \$n, engine: \"pg\", version: \"16\", num_nodes: 1, size: \"db-s-1vcpu-1gb\", region: \"fra1\"} + (${2:-{\}})"; }
online() { is "$(api GET "v2/databases/$1" | jq -r .database.status)" online; }
check "orders a cluster" is "$(api POST v2/databases "$(cluster main)" | jq -r .database.status)" creating
MAIN=$(field .database.id)
check "which comes up" within 10 online "$MAIN"
check "shows its password to those who may see it" is "$(api GET "v2/databases/$MAIN" | jq '.database.connection.password | length > 10')" true
TOKEN=reader check "and to others an empty one" is "$(TOKEN=reader api GET "v2/databases/$MAIN" | jq -r '.database.connection | .user + .password')" doadmin
BACKUP=$(api GET "v2/databases/$MAIN/backups" | jq -r '.backups[0].created_at')
check "has a backup" grep -qE '^20[0-9-]+T[0-9:]+Z$' <<<"$BACKUP"
restore="{backup_restore: {database_name: \"main\", backup_created_at: \"$BACKUP\"}}"
check "restores it to a new cluster" is "$(api POST v2/databases "$(cluster again "$restore")" | jq -r .database.status)" forking
check "which comes up, too" within 10 online "$(field .database.id)"
check "and is a copy of the old one" is "$(curl -sS "$ADMIN/state" | jq -c '[.databases[] | select(.name == "again") | .restored_from > 0]')" "[true]"
check "never over an old one" refuses 422 $entity 'cluster name is not available' POST v2/databases "$(cluster main "$restore")"
check "not from a cluster that does not exist" answers 404 POST v2/databases "$(cluster third '{backup_restore: {database_name: "nope"}}')"
check "not from a backup that does not exist" answers 422 POST v2/databases "$(cluster third '{backup_restore: {database_name: "main", backup_created_at: "2020-01-01T00:00:00Z"}}')"
check "from the newest where no time is named" answers 201 POST v2/databases "$(cluster third '{backup_restore: {database_name: "main"}}')"
check "other engines are not part of it" answers 422 POST v2/databases "$(cluster cache '{engine: "valkey"}')"
check "deletes a cluster" answers 204 DELETE "v2/databases/$MAIN"
check "which is gone" answers 404 GET "v2/databases/$MAIN"

# Zones.
ask() { dig +short +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" "$@" | sort | tr '\n' ' ' | sed 's/ $//'; }
ttl_of() { dig +noall +answer +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" "$@" | awk 'NR == 1 {print $2}'; }
served() { is "$(ask "$1" "$2")" "$3"; } # NAME TYPE ANSWER
ttl_served() { is "$(ttl_of "$1" "$2")" "$3"; }
R=v2/domains/example.com/records
record() { api POST $R "$1" >/dev/null; is "$(status)" 201 && RECORD=$(field .domain_record.id); }
check "makes a zone" answers 201 POST v2/domains '{"name":"example.com","ip_address":"198.18.10.7"}'
check "with an address" within 10 served example.com A 198.18.10.7
check "refuses it a second time" answers 422 POST v2/domains '{"name":"example.com"}'
check "lists SOA and name servers among its records" is "$(api GET $R | jq -r '[.domain_records[] | .name + .type] | unique | join(" ")')" "@A @NS @SOA"
check "makes a record" record '{"type":"A","name":"www","data":"198.18.10.1","ttl":60}'
check "which is served" within 10 served www.example.com A 198.18.10.1
check "with its TTL" within 10 ttl_served www.example.com A 60
check "makes another at the same name" record '{"type":"A","name":"www","data":"198.18.10.2","ttl":60}'
check "beside the first" within 10 served www.example.com A "198.18.10.1 198.18.10.2"
check "changes one of them by its id" answers 200 PATCH "$R/$RECORD" '{"type":"A","data":"198.18.10.3"}'
check "and leaves the other" within 10 served www.example.com A "198.18.10.1 198.18.10.3"
check "deletes one of them" answers 204 DELETE "$R/$RECORD"
check "and leaves the other" within 10 served www.example.com A 198.18.10.1
check "filters by the whole name, and shows the relative one" is "$(api GET "$R?name=www.example.com&type=A" | jq -r '.domain_records[].name')" www
check "the relative one finds nothing" is "$(api GET "$R?name=www" | jq '.domain_records | length')" 0
check "the apex is found by the zone's name" is "$(api GET "$R?name=example.com&type=A" | jq -r '.domain_records[].name')" @
check "half an hour is the TTL of a record without one" is "$(api POST $R '{"type":"AAAA","name":"www","data":"2001:db8::1"}' | jq .domain_record.ttl)" 1800
check "30 seconds are enough" answers 201 POST $R '{"type":"A","name":"fast","data":"198.18.10.1","ttl":30}'
check "29 are not" refuses 422 $entity 'record ttl must be greater than 30' POST $R '{"type":"A","name":"faster","data":"198.18.10.1","ttl":29}'
check "a name in data needs its dot" refuses 422 $entity 'Data needs to end with a dot (.)' POST $R '{"type":"CNAME","name":"shop","data":"www.example.com"}'
check "with it, it is taken" record '{"type":"CNAME","name":"shop","data":"www.example.com."}'
check "served" within 10 served shop.example.com CNAME www.example.com.
check "and given back without it" is "$(api GET "$R/$RECORD" | jq -r .domain_record.data)" www.example.com
check "so that a PUT without data is refused" refuses 422 $entity 'Data needs to end with a dot (.)' PUT "$R/$RECORD" '{"type":"CNAME","ttl":60}'
check "but a PATCH is not" answers 200 PATCH "$R/$RECORD" '{"type":"CNAME","ttl":60}'
check "an alias stands alone" answers 422 POST $R '{"type":"A","name":"shop","data":"198.18.10.1"}'
check "text is given without quotes" record '{"type":"TXT","name":"_owner","data":"say \"rehost\" epoch=1; \\ end"}'
check "and served as it is" within 10 served _owner.example.com TXT '"say \"rehost\" epoch=1; \\ end"'
check "long text, too" record "$(jq -nc '{type: "TXT", name: "long", data: ("x" * 300)}')"
check "in pieces" within 10 served long.example.com TXT "\"$(printf 'x%.0s' $(seq 255))\" \"$(printf 'x%.0s' $(seq 45))\""
check "mail goes by priority" record '{"type":"MX","name":"@","data":"www.example.com.","priority":10}'
check "which is served" within 10 served example.com MX "10 www.example.com."
check "a record can be renamed" answers 200 PATCH "$R/$(api GET "$R?name=fast.example.com" | jq '.domain_records[0].id')" '{"type":"A","name":"quick"}'
check "and is served under the new name" within 10 served quick.example.com A 198.18.10.1
check "not under the old one" within 10 served fast.example.com A ""
check "refuses what is no address" answers 422 POST $R '{"type":"A","name":"x","data":"198.18.10"}'
check "refuses lines for the name server" answers 422 POST $R '{"type":"TXT","name":"x y","data":"z"}'
check "deletes the zone" answers 204 DELETE v2/domains/example.com
check "which nobody serves then" within 10 sh -c "dig +norecurse +time=2 +tries=1 @${DNS%:*} -p ${DNS#*:} example.com SOA | grep -q REFUSED"

# Faults.
fault '{"match":{"method":"POST","path_regex":"/v2/droplets$"},"effect":{"vanish_after_ms":100},"count":1}'
check "an order can be taken and then come to nothing" order lost
check "without a trace of the droplet" gone "$ID"
check "nor of its action" answers 404 GET "v2/actions/$ACTION"
check "nor in a list" is "$(names 'v2/droplets?name=lost')" ""
fault '{"match":{"method":"GET"},"effect":{"status":503,"html":true},"count":1}'
check "an error can be a page of HTML" sh -c "[ '$(api GET v2/account | head -c 1)' = '<' ] && [ $(status) = 503 ]"
fault '{"match":{"method":"GET"},"effect":{"status":500},"count":1}'
check "or say what kind it is" refuses 500 server_error 'a fault that a test asked for' GET v2/account
fault '{"match":{"method":"POST","path_regex":"/v2/droplets$"},"effect":{"drop_after":true},"count":1}'
check "an answer can be lost" sh -c "! curl -sS --max-time 5 -X POST -H 'Authorization: Bearer $TOKEN' -H 'Content-Type: application/json' -d '$(droplet unanswered)' $URL/v2/droplets"
check "and the droplet is there all the same" is "$(names 'v2/droplets?name=unanswered')" unanswered
clear_faults
cloud_stop

# Allowances.
ocean_start --dns none
check "five thousand requests an hour" is "$(api GET v2/account >/dev/null; header ratelimit-limit) $(header ratelimit-remaining)" "5000 4999"
check "the oldest of which no longer counts in an hour" test "$(($(header ratelimit-reset) - $(date +%s)))" -gt 3500
for _ in $(seq 9); do api GET v2/account/keys >/dev/null; done
check "the list of keys can be had ten times a minute" answers 200 GET v2/account/keys
check "and not more often" refuses 429 too_many_requests 'API rate limit exceeded.' GET v2/account/keys
check "which says when to come again" test "$(header retry-after)" -gt 0
check "other requests are not concerned" answers 200 GET v2/account
curl -sS -o /dev/null -H "Authorization: Bearer $TOKEN" "$URL/v2/account?[1-240]"
check "250 requests a minute are the most" refuses 429 too_many_requests 'API rate limit exceeded.' GET v2/account
check "which says when to come again, too" test "$(header retry-after)" -gt 0
cloud_stop
ocean_start --rate-limit 3 --server-limit 2 --dns none
for _ in 1 2 3; do api GET v2/account >/dev/null; done
check "when the hour's allowance is used up" refuses 429 too_many_requests 'API rate limit exceeded.' GET v2/account
check "nothing tells how long to wait but the reset" is "$(header retry-after)$(header ratelimit-remaining)" 0
cloud_stop
ocean_start --rate-limit 0 --server-limit 2 --dns none
check "the account's limit is told" is "$(api GET v2/account | jq .account.droplet_limit)" 2
check "and holds" refuses 422 $entity 'creating this/these droplet(s) will exceed your droplet limit' \
    POST v2/droplets "$(droplet x '{names: ["a", "b", "c"]}' | jq -c 'del(.name)')"
finish
