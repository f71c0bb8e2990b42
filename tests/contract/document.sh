# Sourced: document NAME prints the path of a provider's published document, or ends the test as skipped.
document() {
    local file=${REHOST_SPECS:-$(dirname "${BASH_SOURCE[0]}")/specs}/$1.json
    [ -s "$file" ] && { echo "$file"; return 0; }
    echo "skipped: no document $1.json (tests/contract/specs/README.md tells where it is published)" >&2
    return 1
}
