# For the hetzner_* tests: the local cloud without machines, Prism before it, single adapter calls, and counting.
# Sourced by bash scripts that run with the repository root as working directory and BUILD_DIR set (default build/dev).

BUILD_DIR=${BUILD_DIR:-build/dev}
. tests/contract/document.sh
public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r contract@test"
passed=0 failed=0 processes=()
work=$(mktemp -d /tmp/rehost-contract-XXXXXX)

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
    local try
    for try in $(seq 600); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

start_cloud() { # [OPTION...]: sets cloud and admin
    printf 'contract-token\n' >"$work/token"
    printf 'contract-readonly\n' >"$work/readonly"
    printf 'open-sesame-4711\n' >"$work/wrong"
    chmod 600 "$work"/*
    "$BUILD_DIR/tests/localcloud/localcloud" --state "$work/cloud" --token contract-token \
        --readonly-token contract-readonly --backend memory --rate-limit 0 --ready-file "$work/ready" "$@" \
        >"$work/cloud.log" 2>&1 &
    processes+=($!)
    wait_for test -e "$work/ready" || die "the local cloud did not start: $(tail -3 "$work/cloud.log")"
    cloud=$(sed -E 's/.*"url": "([^"]*)".*/\1/' "$work/ready")
    admin=$(sed -E 's/.*"admin": "([^"]*)".*/\1/' "$work/ready")
    endpoint=$cloud
}

start_prism() { # the published document checks both directions from here on
    local prism
    prism=$(tests/contract/prism/install.sh) || die "Prism could not be installed"
    "$prism" proxy "$document" "$cloud" --errors --port 0 >"$work/prism.log" 2>&1 &
    processes+=($!)
    wait_for grep -q 'is listening on' "$work/prism.log" || die "Prism did not start: $(tail -3 "$work/prism.log")"
    endpoint=$(sed -nE 's/.*is listening on (http:[^ ]*).*/\1/p' "$work/prism.log")
}

violations() { grep -ciE 'terminated with error|violation' "$work/prism.log"; }

adapter() { # COMMAND [ARGUMENT...]: one call; its words are in $out
    out=$("$BUILD_DIR/tests/contract/provider_driver" hetzner "$endpoint" "${token:-$work/token}" "$@" 2>"$work/stderr")
    local status=$?
    [ $status -gt 1 ] && out="driver exited with $status: $(tail -5 "$work/stderr")"
    return $status
}

word() { # NAME: its value in $out
    grep -oE "(^| )$1=[^ ]*" <<<"$out" | head -1 | sed 's/^[^=]*=//'
}

fault() { # JSON
    curl -sf -o /dev/null -H 'Content-Type: application/json' -d "$1" "$admin/faults" || die "fault refused: $1"
}
no_faults() { curl -sf -o /dev/null -X DELETE "$admin/faults"; }

raw() { # METHOD PATH [JSON]: straight to the local cloud
    curl -s -X "$1" -H 'Authorization: Bearer contract-token' -H 'Content-Type: application/json' \
        ${3:+-d "$3"} "$cloud$2"
}

expect() { # SENTENCE, then a condition
    local sentence=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok   $sentence"
    else
        failed=$((failed + 1))
        echo "FAIL $sentence"
        echo "     got: $out"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
