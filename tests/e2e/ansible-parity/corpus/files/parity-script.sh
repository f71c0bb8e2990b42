#!/bin/sh
printf '%s\n' "$# arguments" "$@"
[ "${1-}" != fail ] || exit 3
