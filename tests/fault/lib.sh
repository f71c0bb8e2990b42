# For the tests of this folder: rehost against the local cloud without machines, so that every run ends at its `reach` step,
# which finds nobody. Sourced by bash scripts that run with the repository root as working directory.
#
#   BUILD_DIR    holds the local cloud (default build/dev)
#   RELEASE_DIR  holds rehost (default build/release)
#   work ops     a folder of the test's own, and the inventory's in it; removed at exit

BUILD_DIR=${BUILD_DIR:-build/dev}
rehost_program=${RELEASE_DIR:-build/release}/orchestrator/rehost
passed=0 failed=0 processes=() out='' status=0 cloud='' admin=''
work=$(mktemp -d "${TMPDIR:-/tmp}/rehost-fault-XXXXXX")
ops=$work/ops
export LC_ALL=C TERM=dumb

cleanup() {
    local pid
    for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

die() { echo "$0: $*" >&2; exit 1; }

wait_for() { # COMMAND...: until it succeeds, at most a minute
    local _
    for _ in $(seq 600); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

start_cloud() { # [OPTION...]: sets cloud and admin
    "$BUILD_DIR/tests/localcloud/localcloud" --state "$work/cloud" --token fault-token --backend memory --rate-limit 0 \
        --ready-file "$work/ready" "$@" >"$work/cloud.log" 2>&1 &
    processes+=($!)
    wait_for test -s "$work/ready" || die "the local cloud did not start: $(tail -3 "$work/cloud.log")"
    cloud=$(jq -r .url "$work/ready")
    admin=$(jq -r .admin "$work/ready")
}

make_ops() { # keys and inventory; settle, max_creates and places may be set before
    rm -rf "$ops"
    "$rehost_program" init "$ops" >/dev/null || die "rehost init failed"
    recovery=$(sed -n 's/^ *recovery: //p' "$ops/inventory.yaml")
    (umask 077 && echo fault-token >"$ops/keys/provider.token")
    write_inventory
}

write_inventory() {
    cat >"$ops/inventory.yaml" <<YAML
version: 1
project: fault
state_dir: state
providers:
  cloud:
    type: hetzner
    endpoint: $cloud
    token: {file: keys/provider.token}
    settle: ${settle:-2s}
    poll: 100ms
    max_creates: ${max_creates:-3}
keys:
  ssh: {file: keys/ssh_ed25519}
  backup: {file: keys/backup.agekey}
  recovery: $recovery
  signing: {file: keys/signing.pem}
hosts:
  web-1:
    current: {provider: cloud, server: web-1}
    places:
$(for place in ${places:-hel1/cx23 nbg1/cx23}; do echo "      - {provider: cloud, region: ${place%/*}, size: ${place#*/}}"; done)
    boot_deadline: 1s
YAML
}

# Runs rehost: its output, both streams, is in $out (stdout alone in $work/stdout), its exit code in $status.
rehost() {
    "$rehost_program" "$1" --inventory "$ops/inventory.yaml" "${@:2}" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    out=$(cat "$work/stdout" "$work/stderr")
}
recover() { rehost recover web-1 --yes "$@"; }

# The same beside the test: its output goes to $work/background, its process is $rehost_pid.
rehost_beside() {
    "$rehost_program" "$1" --inventory "$ops/inventory.yaml" "${@:2}" >"$work/background" 2>&1 </dev/null &
    rehost_pid=$!
}
end_beside() { # waits for it; sets out and status
    { wait "$rehost_pid"; } 2>/dev/null # the shell would say "Killed"
    status=$?
    out=$(cat "$work/background")
}

fault() { # JSON
    curl -sf -o /dev/null -H 'Content-Type: application/json' -d "$1" "$admin/faults" || die "fault refused: $1"
}
# The plan of a recovery lists the servers, too: takes the first list, so that the next fault strikes in the run.
let_the_plan_look() { fault '{"match": {"method": "GET", "path_regex": "/servers"}, "effect": {"delay_ms": 1}, "count": 1}'; }
no_faults() { curl -sf -o /dev/null -X DELETE "$admin/faults"; }
sold_out() { # REGION true|false
    curl -sf -o /dev/null -H 'Content-Type: application/json' \
        -d "{\"location\": \"$1\", \"available\": $([ "$2" = true ] && echo false || echo true)}" "$admin/stock"
}
raw() { # METHOD PATH [JSON]: straight to the local cloud
    curl -s -X "$1" -H 'Authorization: Bearer fault-token' -H 'Content-Type: application/json' ${3:+-d "$3"} "$cloud$2"
}

# What exists at the provider, and what the journal says.
servers() { raw GET '/servers?per_page=50' | jq -r '.servers[].name' | sort; }
server_count() { raw GET '/servers?per_page=50' | jq '.servers | length'; }
labelled_count() { raw GET "/servers?per_page=50&label_selector=rehost-run=$1" | jq '.servers | length'; }
journal() { sqlite3 -readonly "$ops/state/journal.db" "$1"; }
newest_run() { journal 'SELECT id FROM run ORDER BY rowid DESC LIMIT 1'; }
has_intent() { [ "$(journal "SELECT count(*) FROM effect WHERE what = '$1' AND outcome IS NULL")" -ge 1 ]; }
remove_all_servers() {
    local id
    for id in $(raw GET '/servers?per_page=50' | jq -r '.servers[].id'); do raw DELETE "/servers/$id" >/dev/null; done
    wait_for no_servers || die "servers cannot be removed"
}
no_servers() { [ "$(server_count)" -eq 0 ]; }
fresh() { # nothing at the provider, nothing in the journal
    no_faults
    remove_all_servers
    rm -rf "$ops/state"
}

says() { grep -qF -- "$1" <<<"$out"; }
exits() { [ "$status" -eq "$1" ]; }
is() { [ "$1" = "$2" ] || { out="got '$1', wanted '$2'; $out"; return 1; }; }
reached_the_host() { exits 5 && says 'before its boot deadline'; } # as far as a run comes without a machine

expect() { # SENTENCE, then a condition
    local sentence=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok   $sentence"
    else
        failed=$((failed + 1))
        echo "FAIL $sentence"
        echo "     exit $status: $out"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
