#!/bin/sh
for a; do echo "arg:$a"; done
