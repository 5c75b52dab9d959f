#!/usr/bin/env bash
# Search before you patch, on a real engine: the flags of llama-server, searched, the winner confirmed against the default in
# interleaved pairs of launches, and its answers held against the default's.
#
#   search.sh [OUTPUT_DIR]      default: sessions/real-search-<time> in the repository
#
# Needs setup.sh beside it (run here when the engine is not installed yet), python3, and cargo or SOTA_LOOP_BIN. Loopback only;
# stops its servers by pid. About ten minutes; measure on a machine that does nothing else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
venv=$here/.venv
out=${1:-$repo/sessions/real-search-$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
say() { printf '\n== %s\n' "$*"; }
fail() { echo "real-search: FAILED: $*" >&2; exit 1; }

[ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ] || bash "$here/setup.sh"
bin=${SOTA_LOOP_BIN:-$repo/target/release}
if [ -z "${SOTA_LOOP_BIN:-}" ]; then
  (cd "$repo" && cargo build --release --locked --quiet -p serve-bench -p gap-decide -p config-search -p quality-gate)
fi
bin=$(cd "$bin" && pwd)
export PATH="$venv/bin:$bin:$PATH"

scratch=$(mktemp -d)
. "$here/engine.sh"
trap 'stop_engines; rm -rf "$scratch"' EXIT
cp "$here/search.yaml" "$here/target.yaml" "$out"
started=$SECONDS
field() { # field DOCUMENT EXPRESSION : one value of a JSON document, d is the document
  "$venv/bin/python" -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}
# The model's own folder, so that no path of this machine reaches the servers' answers.
cd "$venv"
# Longer than the loop's, so that one run is a trial, with answers that are long enough for speculation to have something to guess from.
[ -e "$out/workload.jsonl" ] ||
  serve-bench freeze --dataset random --num-prompts 16 --input-len 48 --output-len 64 --seed 271 \
    --extra-body '{"cache_prompt": false, "temperature": 0}' --target "$out/target.yaml" --quiet --format markdown \
    --out "$out/workload.jsonl" >/dev/null
llama-server-vulkan --help >"$out/help.txt" 2>/dev/null

say 'the plan, without launching anything'
config-search validate "$out/search.yaml" --format markdown -o "$out/validation.json"

say 'the search'
resume=()
[ ! -e "$out/search/candidates.jsonl" ] || resume=(--resume)
config-search run "$out/search.yaml" --dir "$out/search" "${resume[@]}" --format markdown -o "$out/search.json"
[ "$(field "$out/search.json" 'sum(e["trials"] for e in d["data"]["effort"]) >= 20')" = True ] || fail 'fewer than 20 candidates'

say 'the winner against the default, each launched anew for every run'
blocks=8
while :; do
  status=0
  config-search confirm "$out/search.yaml" --dir "$out/search" --blocks "$blocks" --format markdown -o "$out/confirmed.json" \
    >"$out/confirmed.md" || status=$?
  case $status in
    0) break ;;
    3) cat "$out/confirmed.md"; say 'the default is the best that was found'; exit 0 ;;
    5) [ "$blocks" -lt 26 ] || break; blocks=$((blocks == 8 ? 12 : blocks == 12 ? 18 : 26)) ;;
    *) cat "$out/confirmed.md" >&2; fail "confirm ended with $status" ;;
  esac
done
cat "$out/confirmed.md"

say 'the same answers? The suite on the default, then on the winner'
mapfile -t flags < <("$venv/bin/python" - "$out/confirmed.json" "$out/search.json" <<'PY'
import json, sys
confirmed, search = (json.load(open(path))["data"] for path in sys.argv[1:])
best = next(best for best in search["best"] if best["candidate"] == confirmed["confirmation"]["candidate"])
for flag, value in best["params"].items():
    print(flag)
    if value is not True:
        print(value)
PY
)
answers() { # NAME FLAG... : the suite's result of a server with these flags
  local name=$1
  shift
  start_engine "$name" "$@"
  # The model only continues text: answered examples before each question, and an answer ends with its line.
  quality-gate run --url "$engine_url" --suite "$here/suite.jsonl" --examples "$here/suite.examples.jsonl" --stop '\n' \
    --api completions --max-tokens 24 --concurrency 4 --pid "$engine_pid" --quiet --format markdown -o "$out/$name.quality.json" |
    sed -n '3p'
  stop_engine "$engine_pid"
}
answers default
answers winner "${flags[@]}"
status=0
quality-gate judge "$out/default.quality.json" "$out/winner.quality.json" --format markdown -o "$out/verdict.json" || status=$?
case $status in 0 | 5) ;; *) fail "quality-gate judge ended with $status" ;; esac

say "done in $((SECONDS - started)) s; documents in ${out#"$repo/"}"
