#!/bin/sh
# install.sh [DIR] - install Prism, the checking proxy, and print the path of its command. Cached under DIR (default
# $REHOST_CACHE/npm, or build/cache/npm). Needs npm and its registry the first time; exact versions stand in package-lock.json.
#
# Between a client and a server, `prism proxy SPEC UPSTREAM --errors` answers an error instead of passing on what the provider's
# document does not allow, in either direction.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
dir=${1:-${REHOST_CACHE:-$here/../../../build/cache}/npm}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
place=$dir/prism-$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -c1-12)

exec 9>"$dir/lock"
flock 9 # several tests at once install it once
if ! command -v npm >/dev/null; then
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null
fi
if [ ! -e "$place/.complete" ]; then
    rm -rf "$place"
    mkdir -p "$place"
    cp "$here/package.json" "$here/package-lock.json" "$place/"
    (cd "$place" && npm ci --no-progress --no-audit --no-fund --loglevel=error) >&2
    touch "$place/.complete"
fi
echo "$place/node_modules/.bin/prism"
