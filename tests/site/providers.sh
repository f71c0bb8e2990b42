# Sourced by tests/site/lib.sh: what a team does by hand at each provider, with curl. Needs SITE_DIR with token and cloud.json.
#
#   provider_url PROVIDER                       the endpoint of its API
#   provider_place PROVIDER NUMBER              a region (1, 2, ...) where the size is sold
#   provider_size PROVIDER                      a size with 2 vCPU and 4 GB
#   provider_create_server PROVIDER NAME PUBLIC_KEY USER_DATA     prints the server's id
#   provider_address PROVIDER ID                prints its IPv4 address, nothing while it has none
#   provider_delete_server PROVIDER ID
#   provider_make_record PROVIDER ZONE NAME ADDRESS               makes the zone, and one A record with a TTL of 60 s or what the service makes of it

provider_url() {
    jq -er ".urls.$1" "$SITE_DIR/cloud.json"
}

provider_call() { # PROVIDER METHOD PATH [JSON]
    curl -sS --fail-with-body -X "$2" -H "Authorization: Bearer $(cat "$SITE_DIR/token")" -H 'Content-Type: application/json' \
        ${4:+--data "$4"} "$(provider_url "$1")$3"
}

provider_place() {
    local places
    case $1 in
    hetzner) places='fsn1 hel1 nbg1' ;;
    digitalocean) places='fra1 ams3 lon1' ;;
    linode) places='eu-central nl-ams se-sto' ;;
    vultr) places='fra ams sto' ;;
    esac
    cut -d' ' -f"$2" <<<"$places"
}

provider_size() {
    case $1 in
    hetzner) echo cx23 ;;
    digitalocean) echo s-2vcpu-4gb ;;
    linode) echo g6-standard-2 ;;
    vultr) echo vc2-2c-4gb ;;
    esac
}

# Where a key can be registered once only; prints its id.
provider_key() { # PROVIDER PATH PUBLIC_KEY
    local id
    id=$(provider_call "$1" GET "$2" | jq --arg k "$(cut -d' ' -f2 <<<"$3")" '[.ssh_keys[] | select(.public_key | contains($k)) | .id][0] // empty')
    [ -n "$id" ] || id=$(provider_call "$1" POST "$2" "$(jq -n --arg k "$3" '{name: "team", public_key: $k}')" | jq -e .ssh_key.id) || return 1
    echo "$id"
}

provider_create_server() { # PROVIDER NAME PUBLIC_KEY USER_DATA
    local key body common place size
    place=$(provider_place "$1" 1) size=$(provider_size "$1")
    common=$(jq -n --arg name "$2" --arg place "$place" --arg size "$size" --arg data "$4" --arg key "$3" '$ARGS.named')
    case $1 in
    hetzner)
        key=$(provider_key "$1" /ssh_keys "$3") || return 1
        body=$(jq --argjson k "$key" '{name, server_type: .size, image: "ubuntu-24.04", location: .place, ssh_keys: [$k], user_data: .data}' \
            <<<"$common")
        provider_call "$1" POST /servers "$body" | jq -er .server.id
        ;;
    digitalocean)
        key=$(provider_key "$1" /v2/account/keys "$3") || return 1
        body=$(jq --argjson k "$key" '{name, size, image: "ubuntu-24-04-x64", region: .place, ssh_keys: [$k], user_data: .data}' <<<"$common")
        provider_call "$1" POST /v2/droplets "$body" | jq -er .droplet.id
        ;;
    linode)
        body=$(jq '{label: .name, type: .size, region: .place, image: "linode/ubuntu24.04", root_pass: "Old-Horse.Battery-Staple-77",
            authorized_keys: [.key], metadata: {user_data: (.data | @base64)}}' <<<"$common")
        provider_call "$1" POST /linode/instances "$body" | jq -er .id
        ;;
    vultr)
        key=$(provider_call "$1" POST /ssh-keys "$(jq '{name: "team", ssh_key: .key}' <<<"$common")" | jq .ssh_key.id) || return 1
        body=$(jq --argjson k "$key" '{label: .name, hostname: .name, plan: .size, region: .place, os_id: 2284, sshkey_id: [$k],
            user_data: (.data | @base64), backups: "disabled"}' <<<"$common")
        provider_call "$1" POST /instances "$body" | jq -er .instance.id
        ;;
    esac
}

provider_address() {
    case $1 in
    hetzner) provider_call "$1" GET "/servers/$2" | jq -r .server.public_net.ipv4.ip ;;
    digitalocean) provider_call "$1" GET "/v2/droplets/$2" | jq -r '.droplet.networks.v4[] | select(.type == "public") | .ip_address' ;;
    linode) provider_call "$1" GET "/linode/instances/$2" | jq -r '.ipv4[0]' ;;
    vultr) provider_call "$1" GET "/instances/$2" | jq -r '.instance.main_ip | select(. != "0.0.0.0")' ;;
    esac
}

provider_delete_server() {
    case $1 in
    hetzner) provider_call "$1" DELETE "/servers/$2" ;;
    digitalocean) provider_call "$1" DELETE "/v2/droplets/$2" ;;
    linode) provider_call "$1" DELETE "/linode/instances/$2" ;;
    vultr) provider_call "$1" DELETE "/instances/$2" ;;
    esac >/dev/null
}

provider_make_record() { # PROVIDER ZONE NAME ADDRESS
    local facts domain
    facts=$(jq -n --arg zone "$2" --arg name "$3" --arg address "$4" '$ARGS.named')
    case $1 in
    hetzner)
        provider_call "$1" POST /zones "$(jq '{name: .zone, mode: "primary", ttl: 60}' <<<"$facts")" &&
            provider_call "$1" POST "/zones/$2/rrsets" "$(jq '{name, type: "A", ttl: 60, records: [{value: .address}]}' <<<"$facts")"
        ;;
    digitalocean)
        provider_call "$1" POST /v2/domains "$(jq '{name: .zone}' <<<"$facts")" &&
            provider_call "$1" POST "/v2/domains/$2/records" "$(jq '{type: "A", name, data: .address, ttl: 60}' <<<"$facts")"
        ;;
    linode)
        domain=$(provider_call "$1" POST /domains "$(jq '{domain: .zone, type: "master", soa_email: ("ops@" + .zone)}' <<<"$facts")" | jq .id) &&
            provider_call "$1" POST "/domains/$domain/records" "$(jq '{type: "A", name, target: .address, ttl_sec: 300}' <<<"$facts")"
        ;;
    vultr)
        provider_call "$1" POST /domains "$(jq '{domain: .zone}' <<<"$facts")" &&
            provider_call "$1" POST "/domains/$2/records" "$(jq '{type: "A", name, data: .address, ttl: 120}' <<<"$facts")"
        ;;
    esac >/dev/null
}
