#!/bin/bash
# The local cloud's faults on demand: what a client sees, and what really happened.
. "$(dirname "$0")/../localcloud/testlib.sh"
cloud_start --backend memory --boot-delay-ms 0

server() { jq -nc --arg n "$1" '{name: $n, server_type: "cx23", image: "debian-12", location: "fsn1"}'; }
fault() { curl -sS -f -o /dev/null -X POST -d "$1" "$ADMIN/faults"; }
exists() { curl -sS "$ADMIN/state" | jq -e --arg n "$1" '[.servers[].name] | index($n) != null' >/dev/null; }
absent() { ! exists "$1"; }
dropped() { ! api "$@" >/dev/null && ! [ -s "$WORK/headers" ]; }

check "knows its effects" is "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d '{"effect":{"explode":true}}' "$ADMIN/faults")" 422

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"status":503},"count":1}'
check "answers a 503 of its own before the effect" answers_code 503 unavailable POST servers "$(server s1)"
check "and nothing was made" absent s1
check "only as often as was asked for" answers 201 POST servers "$(server s1)"

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"status":504,"after":true},"count":1}'
check "answers a 504 after the effect" answers_code 504 timeout POST servers "$(server s2)"
check "and the server exists" exists s2

fault '{"match":{"method":"GET","path_regex":"^/v1/locations"},"effect":{"status":429},"count":1}'
check "limits the rate" answers_code 429 rate_limit_exceeded GET locations
check "and shows an empty allowance" grep -qi '^ratelimit-remaining: 0' "$WORK/headers"

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":"drop_before","count":1}'
check "drops a connection before the effect" dropped POST servers "$(server s3)"
check "and nothing was made" absent s3
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":"drop_after","count":1}'
check "drops a connection after the effect" dropped POST servers "$(server s3)"
check "and the server exists" exists s3

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":"late_create_ms","value":5000,"count":1}'
check "lets a create arrive late, without an answer" dropped POST servers "$(server s4)"
check "at first there is nothing" absent s4
check "then it appears" within 30 exists s4

fault '{"match":{"method":"GET","path_regex":"/servers$"},"effect":{"list_lag_ms":60000},"count":1}'
check "lets a list lag" is "$(api GET 'servers?name=s3' | jq '.servers | length')" 0
check "the next one is whole" is "$(api GET 'servers?name=s3' | jq '.servers | length')" 1

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"out_of_stock":true},"count":1}'
check "is out of stock" answers_code 412 resource_unavailable POST servers "$(server s5)"
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"never_boots":true},"count":1}'
check "makes a server that never boots" answers 201 POST servers "$(server s6)"
check "which looks like any other" within 5 sh -c \
    "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/servers?name=s6' | jq -e '.servers[0].status == \"running\"'"

fault '{"match":{"path_regex":"."},"effect":{"delay_ms":400},"count":1}'
before=$(date +%s%N)
api GET locations >/dev/null
check "delays an answer" test $((($(date +%s%N) - before) / 1000000)) -ge 400

fault '{"effect":{"status":500}}'
check "stays without a count" answers_code 500 server_error GET servers
check "and goes when it is cleared" is "$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE "$ADMIN/faults") $(answers 200 GET servers && status)" "204 200"
curl -sS -X DELETE "$ADMIN/faults"
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"late_create_ms":600000},"count":1}'
check "ends with a create still under way" dropped POST servers "$(server s7)"
finish
