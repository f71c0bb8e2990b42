# Sourced by tests/demo and by the end-to-end tests: a small production site on the local cloud, made as its team would make it.
#
#   site_up DIR        starts cloud, S3 and git in DIR, makes keys and inventory (DIR/ops), creates and configures the server web-1
#                      with `rehost play`, fills its database and uploads, and points its DNS name to it
#   site_down DIR      stops everything that runs in DIR; DIR stays
#   site_rehost ...    runs rehost with the site's inventory
#   site_destroy_server    deletes web-1 at the provider: the disaster
#   site_servers       the servers that rehost made, as the local cloud sees them: a JSON list
#   site_dig, site_get PATH, site_rows, site_address ...   what a resolver and a browser see from outside
#
# Needs root and the packages of tests/packages.txt; build/release must hold rehost and localcloud.
# Addresses: the cloud's bridge is rhbr0, 198.18.0.1/16; S3 on .3, DNS on .53. Two sites at once: set SITE_BASE, SITE_BITS, SITE_BRIDGE.

SITE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SITE_NAME=shop.rehost.test
SITE_ZONE=rehost.test
SITE_ROWS=${SITE_ROWS:-120000}
SITE_BASE=${SITE_BASE:-198.18.0} # the first three numbers of the cloud's network
SITE_BITS=${SITE_BITS:-16}
SITE_BRIDGE=${SITE_BRIDGE:-rhbr0}
SITE_GATEWAY=$SITE_BASE.1
SITE_S3=$SITE_BASE.3:7480
SITE_DNS=$SITE_BASE.53
SITE_FROM=${SITE_FROM:-hetzner} # where production runs, and its DNS zone
SITE_TO=${SITE_TO:-hetzner}     # where it is rebuilt
SITE_BIN=${RELEASE_DIR:-$SITE_ROOT/build/release}
SITE_DIR=''

. "$SITE_ROOT/tests/site/providers.sh"

site_say() { printf '%s\n' "$*" >&2; }
site_fail() { site_say "XX $*"; return 1; }

site_rehost() { "$SITE_BIN/orchestrator/rehost" "$1" --inventory "$SITE_DIR/ops/inventory.yaml" "${@:2}"; }

# --- the local cloud, and what stands beside it ---

site_start_cloud() {
    local image
    image=$("$SITE_ROOT/tests/localcloud/image.sh") || return 1
    mkdir -p "$SITE_DIR/cloud"
    rm -f "$SITE_DIR/cloud.json"
    head -c 24 /dev/urandom | base64 | tr -d '/+=' >"$SITE_DIR/token"
    setsid "$SITE_BIN/tests/localcloud/localcloud" --state "$SITE_DIR/cloud" --image "$image" --token "$(cat "$SITE_DIR/token")" \
        --network "$SITE_BASE.0/$SITE_BITS" --bridge "$SITE_BRIDGE" --ready-file "$SITE_DIR/cloud.json" >"$SITE_DIR/cloud.log" 2>&1 </dev/null &
    echo $! >"$SITE_DIR/cloud.pid"
    for _ in $(seq 300); do
        [ -s "$SITE_DIR/cloud.json" ] && return 0
        kill -0 "$(cat "$SITE_DIR/cloud.pid")" 2>/dev/null || break
        sleep 0.1
    done
    cat "$SITE_DIR/cloud.log" >&2
    site_fail "the local cloud did not start"
}

# Straight from the local cloud's own books, whatever the provider.
site_servers() { curl -sS "$(jq -r .admin "$SITE_DIR/cloud.json")/state" | jq '[.servers[] | select(.labels | tostring | contains("rehost-run"))]'; }

site_start_s3() {
    ip addr add "${SITE_S3%:*}/$SITE_BITS" dev "$SITE_BRIDGE" 2>/dev/null || :
    "$SITE_ROOT/tests/services/s3-up" "$SITE_DIR/s3" "$SITE_S3" backups
}

# The application's own repository, served as a team's git server would.
site_start_git() {
    local work=$SITE_DIR/git-work
    rm -rf "$SITE_DIR/git" "$work"
    mkdir -p "$SITE_DIR/git" "$work"
    cp -r "$SITE_ROOT"/tests/demo-app/. "$work"
    git -C "$work" init -q -b main
    git -C "$work" add -A
    git -C "$work" -c user.name=shop -c user.email=shop@rehost.test commit -q -m 'The shop'
    git clone -q --bare "$work" "$SITE_DIR/git/shop.git"
    rm -rf "$work"
    setsid git daemon --base-path="$SITE_DIR/git" --export-all --listen=$SITE_GATEWAY --reuseaddr --pid-file="$SITE_DIR/git.pid" \
        "$SITE_DIR/git" >"$SITE_DIR/git.log" 2>&1 </dev/null &
    for _ in $(seq 50); do
        git ls-remote -q "git://$SITE_GATEWAY/shop.git" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    site_fail "the git server did not start"
}

# --- keys, secrets, inventory ---

site_write() { # FILE: stdin to a file that only its owner may read
    (umask 077 && cat >"$1")
}

site_make_certificates() { # a private CA, as a company has one, and the site's certificate
    local d=$SITE_DIR/ops/keys
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=rehost demo CA' \
        -keyout "$SITE_DIR/ca.key" -out "$SITE_DIR/ca.pem" 2>/dev/null &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$SITE_NAME" -keyout "$d/tls.key" \
            -out "$SITE_DIR/tls.csr" 2>/dev/null &&
        openssl x509 -req -in "$SITE_DIR/tls.csr" -CA "$SITE_DIR/ca.pem" -CAkey "$SITE_DIR/ca.key" -days 30 -out "$d/tls.crt" \
            -extfile <(printf 'subjectAltName=DNS:%s\n' "$SITE_NAME") 2>/dev/null &&
        chmod 600 "$d/tls.key" "$d/tls.crt"
}

site_make_ops_keys() { # rehost's own keys, the token, and a host key for the first server
    local d=$SITE_DIR/ops/keys
    rm -rf "$SITE_DIR/ops" "$SITE_DIR"/first_host_key*
    "$SITE_BIN/orchestrator/rehost" init "$SITE_DIR/ops" >/dev/null || return 1
    mv "$d/recovery.agekey" "$SITE_DIR/offline-recovery.agekey"
    site_write "$d/provider.token" <"$SITE_DIR/token"
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$SITE_DIR/first_host_key"
}

site_make_ops() {
    local d=$SITE_DIR/ops/keys
    site_make_ops_keys || return 1
    jq -r .access_key "$SITE_DIR/s3/s3.json" | site_write "$d/s3.access"
    jq -r .secret_key "$SITE_DIR/s3/s3.json" | site_write "$d/s3.secret"
    openssl rand -hex 16 | site_write "$d/db_password"
    openssl rand -hex 32 | site_write "$d/login_secret"
    openssl rand -hex 8 | site_write "$SITE_DIR/login_password"
    site_make_certificates
}

# The recovery key's recipient stands in the inventory that init wrote.
site_accounts() { # the provider where production runs, and the one where it is rebuilt
    local provider
    for provider in $(printf '%s\n' "$SITE_FROM" "$SITE_TO" | sort -u); do
        printf '  %s: {type: %s, endpoint: "%s", token: {file: keys/provider.token}, poll: 300ms, settle: %s}\n' \
            "$provider" "$provider" "$(provider_url "$provider")" "${SITE_SETTLE:-120s}"
    done
}

site_write_inventory() {
    local recovery
    recovery=$(sed -n 's/^ *recovery: //p' "$SITE_DIR/ops/inventory.yaml")
    cat >"$SITE_DIR/ops/inventory.yaml" <<YAML
version: 1
project: demo
state_dir: state
resolver: $SITE_DNS

providers:
$(site_accounts)

storage:
  endpoint: http://$SITE_S3
  bucket: backups
  access_key: {file: keys/s3.access}
  secret_key: {file: keys/s3.secret}

keys:
  ssh: {file: keys/ssh_ed25519}
  backup: {file: keys/backup.agekey}
  recovery: $recovery
  signing: {file: keys/signing.pem}

secrets:
  db_password: {file: keys/db_password}
  login_secret: {file: keys/login_secret}
  tls_certificate: {file: keys/tls.crt}
  tls_key: {file: keys/tls.key}

hosts:
  web-1:
    current:
      provider: $SITE_FROM
      server: web-1
      host_key: $(cut -d' ' -f1,2 "$SITE_DIR/first_host_key.pub")
    places:
      - {provider: $SITE_TO, region: $(provider_place "$SITE_TO" 2), size: $(provider_size "$SITE_TO")}
      - {provider: $SITE_TO, region: $(provider_place "$SITE_TO" 3), size: $(provider_size "$SITE_TO")}
    image: ubuntu-24.04
    playbooks:
      configure: [hardening, backup-client, nodejs, postgresql, nginx-site]
      secrets: [secrets]
      start: [app-deploy]
    secrets: [db_password, login_secret, tls_certificate, tls_key]
    vars:
      app_name: shop
      app_repo: git://$SITE_GATEWAY/shop.git
      app_port: 3000
      app_secrets:
        DATABASE_URL: "postgresql://shop:{{ secrets.db_password }}@127.0.0.1:5432/shop"
        LOGIN_SECRET: "{{ secrets.login_secret }}"
        PORT: "3000"
        UPLOADS_DIR: /srv/shop/shared/uploads
      postgresql_database: shop
      postgresql_user: shop
      postgresql_password: "{{ secrets.db_password }}"
      nginx_site_server_name: $SITE_NAME
      nginx_site_certificate: "{{ secrets.tls_certificate }}"
      nginx_site_certificate_key: "{{ secrets.tls_key }}"
    datasets:
      shop: {kind: postgres, database: shop, owner: shop}
      uploads: {kind: files, path: /srv/shop/shared/uploads, owner: shop}
    checks:
      - {kind: https, name: shop answers, url: "https://$SITE_NAME/healthz", contains: '"status":"ok"', ca_file: ../ca.pem}
      - {kind: https, name: login is required, url: "https://$SITE_NAME/api/me", status: 401, ca_file: ../ca.pem}
      - {kind: sql, name: orders are there, dataset: shop, user: shop, password: db_password, query: select count(*) from orders, at_least: $SITE_ROWS}
      - {kind: command, name: fail2ban guards sshd, command: fail2ban-client status sshd, contains: Status for the jail}
    names:
      - {name: $SITE_NAME, provider: $SITE_FROM, ttl: 60}
    objectives: {rto: 30m, rpo: 1h}
YAML
}

# --- the production server ---

site_ssh() {
    ssh -F none -q -i "$SITE_DIR/ops/keys/ssh_ed25519" -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile="$SITE_DIR/known_hosts" \
        -o StrictHostKeyChecking=yes "root@$(cat "$SITE_DIR/address")" "$@"
}

site_create_server() {
    local user_data _
    user_data=$(jq -nr --rawfile private "$SITE_DIR/first_host_key" --rawfile public "$SITE_DIR/first_host_key.pub" \
        '"#cloud-config\n" + ({ssh_deletekeys: true, ssh_keys: {ed25519_private: $private, ed25519_public: $public}} | tojson) + "\n"')
    provider_create_server "$SITE_FROM" web-1 "$(cat "$SITE_DIR/ops/keys/ssh_ed25519.pub")" "$user_data" >"$SITE_DIR/server_id" ||
        { site_fail "the provider refused the production server"; return 1; }
    for _ in $(seq 120); do
        provider_address "$SITE_FROM" "$(cat "$SITE_DIR/server_id")" >"$SITE_DIR/address"
        [ -s "$SITE_DIR/address" ] && break
        sleep 0.5
    done
    printf '%s %s\n' "$(cat "$SITE_DIR/address")" "$(cut -d' ' -f1,2 "$SITE_DIR/first_host_key.pub")" >"$SITE_DIR/known_hosts"
    for _ in $(seq 60); do
        site_ssh 'cloud-init status --wait >/dev/null 2>&1; :' && return 0
        sleep 0.5
    done
    site_fail "the production server did not come up; its console is below $SITE_DIR/cloud"
}

site_play() { # PLAYBOOK
    site_rehost play "$1" --as web-1 --host "$(cat "$SITE_DIR/address")" --host-key "$(cut -d' ' -f1,2 "$SITE_DIR/first_host_key.pub")" \
        >"$SITE_DIR/play-$1.log" 2>&1 || { tail -30 "$SITE_DIR/play-$1.log" >&2; site_fail "playbook $1 failed"; }
}

# Rows by the application's own seed; uploads as users would have left them.
site_fill() {
    site_ssh "cd /srv/shop/current && runuser -u shop -- node seed.js $SITE_ROWS" <"$SITE_DIR/login_password" || return 1
    site_ssh 'set -e; d=/srv/shop/shared/uploads
        for i in $(seq 1 200); do printf "upload %s\n" $i >$d/note-$i.txt; done; head -c 3000000 /dev/urandom >$d/photo.jpg
        chown -R shop:shop $d; sha256sum $d/photo.jpg' | cut -d' ' -f1 >"$SITE_DIR/photo.sha256"
}

site_point_dns() {
    provider_make_record "$SITE_FROM" $SITE_ZONE "${SITE_NAME%%.*}" "$(cat "$SITE_DIR/address")" || return 1
    for _ in $(seq 50); do
        [ "$(site_dig)" = "$(cat "$SITE_DIR/address")" ] && return 0
        sleep 0.1
    done
    site_fail "DNS does not answer for $SITE_NAME"
}

site_up() { # DIR
    SITE_DIR=$1
    mkdir -p "$SITE_DIR"
    SITE_DIR=$(cd "$SITE_DIR" && pwd)
    site_say "-- the local cloud: provider API, machines, DNS, S3, git"
    site_start_cloud && site_start_s3 && site_start_git && site_make_ops && site_write_inventory || return 1
    site_say "-- a production server at $SITE_FROM, in $(provider_place "$SITE_FROM" 1)"
    site_create_server || return 1
    local playbook
    for playbook in hardening backup-client nodejs postgresql nginx-site secrets; do
        site_say "   rehost play $playbook"
        site_play "$playbook" || return 1
    done
    # The schema has to be there before the application starts.
    site_rehost play app-deploy --as web-1 --host "$(cat "$SITE_DIR/address")" -e '{"app_start": false}' \
        --host-key "$(cut -d' ' -f1,2 "$SITE_DIR/first_host_key.pub")" >"$SITE_DIR/play-checkout.log" 2>&1 ||
        { tail -30 "$SITE_DIR/play-checkout.log" >&2; return 1; }
    site_say "   $SITE_ROWS orders, 201 uploads"
    site_fill >/dev/null || return 1
    site_say "   rehost play app-deploy"
    site_play app-deploy && site_point_dns
}

site_stop_pid() { # FILE: what we started, by its process id
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill -TERM "$pid" 2>/dev/null || :
    for _ in $(seq 200); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    rm -f "$1"
}

site_down() { # DIR
    SITE_DIR=$1
    [ -d "$SITE_DIR" ] || return 0
    site_stop_pid "$SITE_DIR/git.pid"
    if [ -d "$SITE_DIR/s3" ]; then "$SITE_ROOT/tests/services/s3-down" "$SITE_DIR/s3"; fi
    site_stop_pid "$SITE_DIR/cloud.pid"
}

# --- the disaster ---

site_destroy_server() { provider_delete_server "$SITE_FROM" "$(cat "$SITE_DIR/server_id")"; }

# --- from outside, as a resolver and a browser ---

site_dig() { dig +short +norecurse +time=2 +tries=2 "@$SITE_DNS" "$SITE_NAME" A; }

site_get() { # PATH [curl arguments]: under the name, as DNS answers it
    curl -sS --fail --max-time 20 --cacert "$SITE_DIR/ca.pem" --resolve "$SITE_NAME:443:$(site_dig)" "${@:2}" "https://$SITE_NAME$1"
}

site_rows() { site_get /api/orders/count | jq .count; }

site_login() { # prints the user's name when the login secret works
    local token
    token=$(site_get /api/login --json "$(jq -n --rawfile p "$SITE_DIR/login_password" '{user: "demo", password: ($p | rtrimstr("\n"))}')" |
        jq -r .token) || return 1
    site_get /api/me -H "Authorization: Bearer $token" | jq -r .user
}
