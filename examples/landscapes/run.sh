#!/usr/bin/env bash
# The whole comparison: the rivals and config-search on every landscape beside this script, then tables and regret ratios.
#
#   run.sh OUTPUT_DIR      result files that are there are kept; SEEDS and RIVALS as in rivals.sh
#
# Needs what rivals.sh needs, and a Rust toolchain. SMAC3 takes most of an hour of one core (50 minutes beside builds), everything else
# minutes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?the folder for the results}
mkdir -p "$out"
out=$(cd "$out" && pwd)
bash "$here/rivals.sh" "$out"
if [ ! -e "$out/config-search.jsonl" ]; then
  (cd "$here/../.." && cargo bench --quiet --locked -p config-search --bench regret -- "$here"/*.jsonl) >"$out/config-search.part"
  mv "$out/config-search.part" "$out/config-search.jsonl"
fi
python3 "$here/compare.py" "$out"/*.jsonl
