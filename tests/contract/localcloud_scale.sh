#!/bin/bash
# The local cloud with many servers: eight clients at once order 500, list them by pages and delete them again. No machines.
. "$(dirname "$0")/../localcloud/testlib.sh"
COUNT=500 CLIENTS=8
cloud_start --backend memory --boot-delay-ms 50 --rate-limit 0

# Each client is one curl with one connection and its share of the orders.
client() { # FIRST
    for ((i = $1; i < COUNT; i += CLIENTS)); do
        [ "$i" -eq "$1" ] || echo next
        printf 'url = "%s/servers"\noutput = "%s/answer.%d"\n' "$URL" "$WORK" "$i"
        printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\nwrite-out = "%%{http_code}\\n"\n' "$TOKEN"
        printf 'data = "{\\"name\\":\\"s-%d\\",\\"server_type\\":\\"cx23\\",\\"image\\":\\"debian-12\\",\\"location\\":\\"fsn1\\",\\"labels\\":{\\"rehost-run\\":\\"scale\\"}}"\n' "$i"
    done >"$WORK/orders.$1"
    curl -sS -K "$WORK/orders.$1" >"$WORK/codes.$1"
}
together() { # FUNCTION
    clients=''
    for ((c = 0; c < CLIENTS; c++)); do "$1" "$c" & clients="$clients $!"; done
    # shellcheck disable=SC2086 # a list of process ids
    wait $clients
}
state() { curl -sS "$ADMIN/state" | jq -e "$1"; }

BEFORE=$SECONDS
together client
check "takes 500 orders of eight clients" is "$(cat "$WORK"/codes.* | sort | uniq -c | tr -s ' ')" " $COUNT 201"
check "knows every server once" is "$(state '[.servers[].name] | unique | length')" "$COUNT"
check "gave each an address of its own" is "$(state '[.servers[].ipv4] | unique | length')" "$COUNT"
check "all run" within 60 state '[.servers[] | select(.status != "running")] | length == 0'

page() { api GET "servers?label_selector=rehost-run%3Dscale&per_page=50&page=$1"; }
for number in $(seq 1 10); do page "$number" | jq -r '.servers[].id'; done >"$WORK/ids"
check "lists them on ten pages" is "$(sort -u "$WORK/ids" | wc -l)" "$COUNT"
check "of which the tenth is the last" is "$(page 10 | jq .meta.pagination.next_page)" null

remover() { # FIRST
    awk -v n="$CLIENTS" -v c="$1" -v u="$URL" -v t="$TOKEN" 'NR % n == c {
        if (seen++) print "next"
        printf "url = \"%s/servers/%s\"\nrequest = DELETE\noutput = /dev/null\nheader = \"Authorization: Bearer %s\"\n", u, $1, t
        printf "write-out = \"%%{http_code}\\n\"\n" }' "$WORK/ids" >"$WORK/removals.$1"
    curl -sS -K "$WORK/removals.$1" >"$WORK/gone.$1"
}
together remover
check "deletes them for eight clients" is "$(cat "$WORK"/gone.* | sort | uniq -c | tr -s ' ')" " $COUNT 200"
check "until none is left" within 60 state '.servers == []'
check "and remembers how many there were" is "$(state .servers_removed)" "$COUNT"
check "refused nobody for the rate" is "$(state .providers.hetzner.requests_limited)" 0
echo "     $((SECONDS - BEFORE)) s in all"
finish
