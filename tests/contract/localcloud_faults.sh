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

fault '{"match":{"path_regex":"/locations"},"effect":{"status":503,"retry_after":7},"count":1}'
check "asks to come back later" answers_code 503 unavailable GET locations
check "and says when" grep -qi '^retry-after: 7' "$WORK/headers"
fault '{"match":{"path_regex":"/locations"},"effect":{"status":502,"html":true},"count":1}'
check "is hidden by a proxy in front" answers 502 GET locations
check "which speaks no JSON" grep -q '^<html>' "$WORK/body"
check "and says so" grep -qi '^content-type: text/html' "$WORK/headers"
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"html":true,"after":true},"count":1}'
check "puts a page in place of the answer to a create" answers 502 POST servers "$(server s8)"
check "and the server exists" exists s8
cut_off() { ! api GET locations >/dev/null && [ -s "$WORK/body" ] && ! jq . "$WORK/body" >/dev/null 2>&1; }
fault '{"match":{"path_regex":"/locations"},"effect":{"truncated":true},"count":1}'
check "ends in the middle of an answer" cut_off
fault '{"match":{"path_regex":"/locations"},"effect":{"endless":true},"count":1}'
curl -sS --max-time 2 -o "$WORK/endless" -H "Authorization: Bearer $TOKEN" "$URL/locations" 2>"$WORK/curl.err"
check "answers without end" is "$?" 28
check "with more and more" test "$(stat -c %s "$WORK/endless")" -gt 1000000
check "and goes on with the next request" answers 200 GET locations

fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"address_delay_ms":1500},"count":1}'
check "makes a server whose address shows late" is "$(api POST servers "$(server s9)" | jq .server.public_net.ipv4)" null
shows() { api GET 'servers?name=s9' | jq -e '.servers[0] | .status == "running" and .public_net.ipv4.ip != null' >/dev/null; }
check "but shows in the end" within 20 shows
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"vanish_after_ms":4000},"count":1}'
check "takes the order of a server that will vanish" answers 201 POST servers "$(server s10)"
GHOST=$(jq .server.id "$WORK/body")
check "which is there at first" exists s10
check "and then is not" within 20 absent s10
check "as if it had never been" answers_code 404 not_found GET "servers/$GHOST"
check "nor is it in a list" is "$(api GET 'servers?name=s10' | jq -c .servers)" '[]'
check "so that its name is free" answers 201 POST servers "$(server s10)"

# At one provider only, and at each of them.
fault '{"match":{"provider":"nobody"},"effect":{"status":500}}'
check "strikes at the provider that it is meant for" answers 200 GET locations
curl -sS -X DELETE "$ADMIN/faults"
jq -r '.urls | to_entries[] | "\(.key) \(.value)"' "$WORK/ready" >"$WORK/providers"
while read -r provider base; do
    case $provider in
    digitalocean) path=v2/droplets ;;
    linode) path=linode/instances ;;
    vultr) path=instances ;;
    cloudflare) path=zones ;;
    *) path=servers ;;
    esac
    fault "{\"match\":{\"provider\":\"$provider\"},\"effect\":{\"status\":429,\"retry_after\":3},\"count\":1}"
    api_at "$base" GET "$path" >/dev/null
    check "limits the rate of $provider" is "$(status) $(jq type "$WORK/body")" '429 "object"'
    check "with a time to wait" grep -qi '^retry-after: 3' "$WORK/headers"
    check "and once only" is "$(api_at "$base" GET "$path" >/dev/null && status)" 200
    check "counts that" is "$(curl -sS "$ADMIN/state" | jq --arg p "$provider" '.providers[$p].requests_limited >= 1')" true
    fault "{\"match\":{\"provider\":\"$provider\"},\"effect\":{\"html\":true},\"count\":1}"
    api_at "$base" GET "$path" >/dev/null
    check "hides $provider behind a page" grep -q '^<html>' "$WORK/body"
done <"$WORK/providers"

# An allowance of one's own: each provider counts its own requests.
check "sells out at one provider" is "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d '{"provider":"hetzner","available":false}' "$ADMIN/stock")" 204
check "which refuses then" answers_code 412 resource_unavailable POST servers "$(server s11)"
curl -sS -X POST -d '{"available":true}' "$ADMIN/stock"
check "knows its providers" is "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d '{"provider":"nobody","available":true}' "$ADMIN/stock")" 422

fault '{"effect":{"status":500}}'
check "stays without a count" answers_code 500 server_error GET servers
check "and goes when it is cleared" is "$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE "$ADMIN/faults") $(answers 200 GET servers && status)" "204 200"
curl -sS -X DELETE "$ADMIN/faults"
fault '{"match":{"method":"POST","path_regex":"/servers$"},"effect":{"late_create_ms":600000},"count":1}'
check "ends with a create still under way" dropped POST servers "$(server s7)"
finish
