# shellcheck shell=bash
# Sourced by tests that run against a local cloud of their own. Sets -u; a failed check does not stop the test.
#
#   cloud_start ARGUMENTS...   starts one (BUILD_DIR or build/dev) in a fresh state directory; sets URL ADMIN DNS CLOUD_PID STATE
#   cloud_stop                 ends it; also done at exit
#   api METHOD PATH [JSON]     one call with the token: prints the answer; status in $WORK/status, headers in $WORK/headers
#   check 'sentence' COMMAND   counts and prints one result
#   finish                     prints "N passed, N failed" and exits
#   WORK                       a directory of the test's own, removed at exit
set -u
export LC_ALL=C

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD_DIR:-$ROOT/build/dev}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/localcloud-test.XXXXXX")
TOKEN=test-token
PASSED=0 FAILED=0 CLOUD_PID='' EXTRA_PIDS=''

cloud_start() {
    STATE=$WORK/state
    rm -f "$WORK/ready"
    "$BUILD/tests/localcloud/localcloud" --state "$STATE" --token "$TOKEN" --readonly-token reader --ready-file "$WORK/ready" \
        "$@" 2>"$WORK/cloud.log" &
    CLOUD_PID=$!
    until [ -s "$WORK/ready" ]; do
        kill -0 "$CLOUD_PID" 2>/dev/null || { cat "$WORK/cloud.log" >&2; echo "the local cloud did not start" >&2; exit 1; }
        sleep 0.05
    done
    URL=$(jq -r .url "$WORK/ready") ADMIN=$(jq -r .admin "$WORK/ready") DNS=$(jq -r .dns "$WORK/ready")
    : "$URL" "$ADMIN" "$DNS"
}

cloud_stop() {
    [ -n "$CLOUD_PID" ] || return 0
    kill -TERM "$CLOUD_PID" 2>/dev/null
    wait "$CLOUD_PID"
    CLOUD_STATUS=$?
    CLOUD_PID=''
    [ "$CLOUD_STATUS" -eq 0 ] || { echo "the local cloud ended with $CLOUD_STATUS:" >&2; tail -40 "$WORK/cloud.log" >&2; }
    return "$CLOUD_STATUS"
}

clean_up() {
    for pid in $EXTRA_PIDS; do kill "$pid" 2>/dev/null; done
    cloud_stop
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# The base may be another one, to go through a proxy: api_at BASE METHOD PATH [JSON]
api_at() {
    curl -sS -g -o "$WORK/body" -D "$WORK/headers" -w '%{http_code}' --max-time 30 -X "$2" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/json' ${4:+--data-binary "$4"} "$1/$3" >"$WORK/status" 2>"$WORK/curl.err"
    code=$?
    [ "$code" -eq 0 ] && cat "$WORK/body"
    return "$code"
}
api() { api_at "$URL" "$@"; }
status() { cat "$WORK/status"; }

pass() { PASSED=$((PASSED + 1)); echo "ok   $1"; }
miss() { FAILED=$((FAILED + 1)); echo "FAIL $1"; }
check() {
    sentence=$1
    shift
    if "$@" >"$WORK/check.out" 2>&1; then
        pass "$sentence"
    else
        miss "$sentence"
        sed 's/^/     /' "$WORK/check.out"
        [ -s "$WORK/body" ] && { printf '     last answer %s: ' "$(status)"; head -c 600 "$WORK/body"; echo; }
    fi
}
# check 'a b' is VALUE WANTED
is() { [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }; }
# answers STATUS METHOD PATH [JSON] ; answers_code STATUS CODE METHOD PATH [JSON]
answers() { wanted=$1; shift; api "$@" >/dev/null; is "$(status)" "$wanted"; }
answers_code() {
    wanted=$1 wanted_code=$2
    shift 2
    api "$@" >/dev/null
    is "$(status) $(jq -r .error.code "$WORK/body")" "$wanted $wanted_code"
}
# within SECONDS COMMAND: tries until it holds
within() {
    until=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$until" ] || { "$@"; return 1; }
        sleep 0.1
    done
}
action_done() { within 30 sh -c "curl -sS -H 'Authorization: Bearer $TOKEN' '$URL/actions/$1' | jq -e '.action.status == \"success\"'"; }
finish() {
    check "ends cleanly when it is told to" cloud_stop
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" -eq 0 ]
    exit
}
