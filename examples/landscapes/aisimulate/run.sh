#!/usr/bin/env bash
# Computes the simulated landscapes again: aisimulate-core's schedulers on aiconfigurator-core's silicon data.
#
#   run.sh [OUTPUT_DIR] [NAME...]      default: the landscapes beside this folder, all of landscapes.py
#
# Needs python3 with venv, cargo, and about 700 MB for both. Takes minutes, on one core, and gives the same bytes each time.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/..}
[ $# -eq 0 ] || shift
mkdir -p "$out"
out=$(cd "$out" && pwd)
venv=$here/.venv

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check aiconfigurator-core==0.12.0
prepared=$(mktemp -d)
trap 'rm -rf "$prepared"' EXIT
PYTHONDONTWRITEBYTECODE=1 nice -n 19 "$venv/bin/python" "$here/prepare.py" "$prepared" "$@"
(cd "$here" && cargo build --release --locked --quiet)
for file in "$prepared"/*.json; do
  name=$(basename "$file" .json)
  nice -n 19 "${CARGO_TARGET_DIR:-$here/target}/release/aisimulate-landscapes" "$file" >"$out/$name.jsonl"
  printf '%s: %s configurations\n' "$name" "$(($(wc -l <"$out/$name.jsonl") - 1))"
done
