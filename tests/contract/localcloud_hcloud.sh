#!/bin/bash
# A client that we did not write: Debian's hcloud against the local cloud.
. "$(dirname "$0")/../localcloud/testlib.sh"
command -v hcloud >/dev/null || { echo "hcloud is missing (package hcloud-cli)" >&2; exit 1; }
# Debian's version is older than the removal of datacenters from the API and reads them.
cloud_start --backend memory --boot-delay-ms 200 --published
export HCLOUD_TOKEN=$TOKEN HCLOUD_ENDPOINT=$URL HOME=$WORK

ssh-keygen -q -t ed25519 -N '' -f "$WORK/k"
check "stores an SSH key" hcloud ssh-key create --name k --public-key-from-file "$WORK/k.pub"
check "lists it" is "$(hcloud ssh-key list -o noheader -o columns=name)" k
check "creates a server and waits for it" hcloud server create --name web-1 --type cx23 --image debian-12 --location nbg1 \
    --ssh-key k --label tier=web
check "lists it as running" is "$(hcloud server list -l tier=web -o noheader -o columns=name,status | tr -s ' ')" "web-1 running"
check "finds nothing under another label" is "$(hcloud server list -l tier=db -o noheader -o columns=name)" ""
check "describes it" grep -q 'Server Type:.*CX23\|Server Type:.*cx23' <<<"$(hcloud server describe web-1)"
check "as JSON, too" is "$(hcloud server describe web-1 -o json | jq -r .location.name)" nbg1
check "knows its address" grep -qE '^198\.18\.' <<<"$(hcloud server ip web-1)"
check "switches it off" hcloud server poweroff web-1
check "sees it off" is "$(hcloud server list -o noheader -o columns=status)" off
check "switches it on" hcloud server poweron web-1
check "adds a label" hcloud server add-label web-1 owner=test
check "lists types" grep -q cx23 <<<"$(hcloud server-type list)"
check "lists locations" grep -q hel1 <<<"$(hcloud location list)"
check "lists images" grep -q debian-12 <<<"$(hcloud image list)"
check "deletes the server" hcloud server delete web-1
check "and it is gone" within 5 sh -c '[ -z "$(hcloud server list -o noheader)" ]'
check "is told when something does not exist" sh -c '! hcloud server describe web-1'
check "is told when its token is wrong" sh -c 'HCLOUD_TOKEN=wrong; export HCLOUD_TOKEN; hcloud server list 2>&1 | grep -q unauthorized'
finish
