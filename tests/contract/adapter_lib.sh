# For the adapter tests (NAME_document, NAME_faults): the local cloud without machines, Prism before it, single adapter calls, and
# counting. Sourced by bash scripts that set `provider` first, run with the repository root as working directory and have BUILD_DIR
# set (default build/dev).

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

start_cloud() { # [OPTION...]: sets cloud (the provider's API, where the document's paths begin), admin, and endpoint for adapter()
    printf 'contract-token\n' >"$work/token"
    printf 'contract-readonly\n' >"$work/readonly"
    printf 'open-sesame-4711\n' >"$work/wrong"
    chmod 600 "$work"/*
    "$BUILD_DIR/tests/localcloud/localcloud" --state "$work/cloud" --token contract-token \
        --readonly-token contract-readonly --backend memory --rate-limit 0 --ready-file "$work/ready" "$@" \
        >"$work/cloud.log" 2>&1 &
    processes+=($!)
    wait_for test -e "$work/ready" || die "the local cloud did not start: $(tail -3 "$work/cloud.log")"
    cloud=$(jq -r --arg name "$provider" '.urls[$name]' "$work/ready")
    admin=$(jq -r .admin "$work/ready")
    [ "$cloud" != null ] || die "the local cloud does not speak '$provider'"
    endpoint=$cloud
}

need_document() { # sets document; without one the test is skipped
    document=$(document "$provider") || exit 0
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
more_violations() { [ "$(violations)" -gt "$1" ]; } # THAN: Prism answers before it writes its log, so wait_for this

adapter() { # COMMAND [ARGUMENT...]: one call; its words are in $out
    out=$("$BUILD_DIR/tests/contract/provider_driver" "$provider" "$endpoint" "${token:-$work/token}" "$@" 2>"$work/stderr")
    local status=$?
    [ $status -gt 1 ] && out="driver exited with $status: $(tail -5 "$work/stderr")"
    return $status
}

word() { # NAME: its value in $out
    grep -oE "(^| )$1=[^ ]*" <<<"$out" | head -1 | sed 's/^[^=]*=//'
}
is() { [ "$(word "$1")" = "$2" ]; }          # WORD VALUE
says() { grep -qF -- "$1" <<<"$out"; }       # TEXT
matches() { grep -qE -- "$1" <<<"$out"; }    # PATTERN: a line of $out
done_op() { adapter wait "$1" && says done=1; } # OPERATION: it comes to a good end

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

# Nothing so far went against the document, and a request that does is noticed.
expect_published() { # WHAT METHOD PATH JSON
    out=$(grep -iE 'terminated with error|violation' "$work/prism.log")
    expect "nothing of this went against the published document" test "$(violations)" -eq 0
    curl -s -o /dev/null -X "$2" -H 'Authorization: Bearer contract-token' -H 'Content-Type: application/json' \
        -d "$4" "$endpoint$3"
    expect "and the document is really checked: $1 is a violation" wait_for more_violations 0
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}
