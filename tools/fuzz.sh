#!/usr/bin/env bash
# Fuzzes every target of the given packages, one after the other, each for the same time: fuzz.sh TIME PACKAGE...
set -euo pipefail

time=$1
shift
found=0
while read -r package folder; do
  while read -r target; do
    found=$((found + 1))
    echo "fuzz: $package $target for $time"
    go test -run='^$' -fuzz="^$target\$" -fuzztime="$time" "$package"
  done < <(grep -shoP '^func \KFuzz\w+(?=\()' "$folder"/*_test.go || true)
done < <(go list -f '{{.ImportPath}} {{.Dir}}' "$@")
if ((found == 0)); then
  echo "fuzz: no fuzz target in $*" >&2
  exit 1
fi
