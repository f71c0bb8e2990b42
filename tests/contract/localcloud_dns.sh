#!/bin/bash
# Zones of the local cloud: what its API is told, a real authoritative server (BIND) answers.
. "$(dirname "$0")/../localcloud/testlib.sh"
cloud_start --backend memory --dns 127.0.0.1:$((20000 + $$ % 10000))

ask() { dig +short +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" "$@" | sort | tr '\n' ' ' | sed 's/ $//'; }
ttl_of() { dig +noall +answer +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" "$@" | awk 'NR == 1 {print $2}'; }
serial() { ask "$1" SOA | cut -d' ' -f3; }
change() { # METHOD PATH BODY: a call whose action succeeds
    id=$(api "$@" | jq '.action.id')
    is "$(status)" 201 && action_done "$id"
}

check "makes a zone" change POST zones '{"name":"example.com","mode":"primary","ttl":3600}'
check "the server answers for it" grep -q ns1.localcloud.test <<<"$(ask example.com SOA)"
check "names the servers that answer for it" is "$(api GET zones/example.com | jq -r '.zone.authoritative_nameservers.assigned[0]')" ns1.localcloud.test.
check "and their addresses resolve" is "$(ask ns1.localcloud.test A)" "${DNS%:*}"
check "refuses the zone again" answers_code 409 uniqueness_error POST zones '{"name":"example.com","mode":"primary"}'
check "takes lower case apex names only" answers_code 422 invalid_input POST zones '{"name":"Example.com.","mode":"primary"}'
check "finds it by name" is "$(api GET 'zones?name=example.com' | jq -r '.zones[].name')" example.com
SERIAL=$(serial example.com)

R=zones/example.com/rrsets
check "makes an rrset" change POST $R '{"name":"www","type":"A","ttl":60,"records":[{"value":"198.18.10.1"},{"value":"198.18.10.2"}]}'
check "which answers" is "$(ask www.example.com A)" "198.18.10.1 198.18.10.2"
check "with its TTL" is "$(ttl_of www.example.com A)" 60
check "under a higher serial" test "$(serial example.com)" -gt "$SERIAL"
check "refuses it a second time" answers_code 409 uniqueness_error POST $R '{"name":"www","type":"A","records":[{"value":"198.18.10.3"}]}'
check "refuses what is no address" answers_code 422 invalid_input POST $R '{"name":"x","type":"A","records":[{"value":"198.18.10"}]}'
check "refuses an unknown type" answers_code 422 invalid_input POST $R '{"name":"x","type":"A 1\nupdate add y","records":[{"value":"198.18.10.1"}]}'
check "refuses a TTL under a minute" answers_code 422 invalid_input POST $R '{"name":"x","type":"A","ttl":59,"records":[{"value":"198.18.10.1"}]}'
check "refuses an alias beside an address" answers_code 422 invalid_input POST $R '{"name":"www","type":"CNAME","records":[{"value":"example.com."}]}'
check "sets records" change POST $R/www/A/actions/set_records '{"records":[{"value":"198.18.10.9"}]}'
check "which answer at once" is "$(ask www.example.com A)" 198.18.10.9
check "keeps the TTL" is "$(ttl_of www.example.com A)" 60
check "refuses more than 50 records" answers_code 422 invalid_input POST $R/www/A/actions/set_records \
    "$(jq -nc '{records: [range(51) | {value: "198.18.11.\(.)"}]}')"
check "cannot set what does not exist" answers_code 404 not_found POST $R/nope/A/actions/set_records '{"records":[{"value":"198.18.10.9"}]}'
check "changes a TTL" change POST $R/www/A/actions/change_ttl '{"ttl":120}'
check "for everyone to see" is "$(ttl_of www.example.com A)" 120
check "null is the zone's TTL" change POST $R/www/A/actions/change_ttl '{"ttl":null}'
check "which is an hour" is "$(ttl_of www.example.com A)" 3600
check "adds records" change POST $R/www/A/actions/add_records '{"records":[{"value":"198.18.10.8"}]}'
check "beside the old ones" is "$(ask www.example.com A)" "198.18.10.8 198.18.10.9"
check "removes records" change POST $R/www/A/actions/remove_records '{"records":[{"value":"198.18.10.9"}]}'
check "and only those" is "$(ask www.example.com A)" 198.18.10.8
check "makes an rrset by adding to it" change POST $R/www/AAAA/actions/add_records '{"ttl":60,"records":[{"value":"2001:db8::1"}]}'
check "which answers, too" is "$(ask www.example.com AAAA)" 2001:db8::1
check "removes an rrset with its last record" change POST $R/www/AAAA/actions/remove_records '{"records":[{"value":"2001:db8::1"}]}'
check "so that nothing is left" answers_code 404 not_found GET $R/www/AAAA
check "takes quoted text" change POST $R '{"name":"_owner","type":"TXT","records":[{"value":"\"rehost epoch=1\""}]}'
check "and answers it" is "$(ask _owner.example.com TXT)" '"rehost epoch=1"'
check "takes an alias relative to the zone" change POST $R '{"name":"shop","type":"CNAME","records":[{"value":"www"}]}'
check "and answers it" is "$(ask shop.example.com CNAME)" www.example.com.
check "takes an address at the apex" change POST $R '{"name":"@","type":"A","records":[{"value":"198.18.10.7"}]}'
check "and answers it" is "$(ask example.com A)" 198.18.10.7
check "lists by name and type" is "$(api GET "$R?name=www&type=A" | jq -r '.rrsets[] | .name + "/" + .type')" www/A
check "deletes an rrset" change DELETE $R/www/A
check "and it is gone" is "$(ask www.example.com A)" ""
check "deletes a zone" change DELETE zones/example.com
check "and the server knows it no more" grep -q REFUSED <<<"$(dig +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" example.com SOA)"
check "makes it anew, empty" change POST zones '{"name":"example.com","mode":"primary"}'
check "without the old records" is "$(ask _owner.example.com TXT)" ""

# Another provider's zone of the same name is a zone of its own, which nobody asks.
OTHER=$(jq -r .urls.digitalocean "$WORK/ready")
check "makes a record" change POST $R '{"name":"www","type":"A","ttl":60,"records":[{"value":"198.18.10.1"}]}'
api_at "$OTHER" POST v2/domains '{"name":"example.com"}' >/dev/null
check "another provider takes the zone, too" is "$(status)" 201
api_at "$OTHER" POST v2/domains/example.com/records '{"type":"A","name":"www","data":"198.18.10.9","ttl":60}' >/dev/null
check "and records of its own" is "$(status)" 201
api_at "$OTHER" POST v2/domains '{"name":"other.example"}' >/dev/null
api_at "$OTHER" POST v2/domains/other.example/records '{"type":"A","name":"www","data":"198.18.10.9","ttl":60}' >/dev/null
there() { is "$(ask www.other.example A)" 198.18.10.9; }
check "a zone that only it has is served" within 10 there
check "of the common one, the first is" is "$(ask www.example.com A)" 198.18.10.1
api_at "$OTHER" DELETE v2/domains/example.com >/dev/null
api_at "$OTHER" DELETE v2/domains/other.example >/dev/null
gone() { grep -q REFUSED <<<"$(dig +norecurse +time=2 +tries=1 "@${DNS%:*}" -p "${DNS#*:}" other.example SOA)"; }
check "its end" within 10 gone
check "is not that of the first" is "$(ask www.example.com A)" 198.18.10.1
finish
