#!/usr/bin/env bash
# The main job on a real engine: llama.cpp serving a 270M model on this machine's CPU.
#
#   run.sh [OUTPUT_DIR]      default: sessions/real-engine-<time> in the repository
#
# 1. The loop: ours answers one request at a time (-np 1), theirs four (-np 4). Frozen workload, interleaved blocks,
#    decision: behind.
# 2. The change: ours is started again with -np 4. The two sides are now equal, so this comparison is also an A/A test:
#    a verdict of behind or ahead at 99.9 % confidence, twice in a row, is a failure of ours.
# 3. A planted gap: ours computes one token at a time (-b 4 -ub 1), so its batches of four are no batches. It must be
#    found within the blocks that gap-decide asked for. (One thread against two would be no planted gap here: where
#    another guest takes a core's time, two threads that wait for each other are no faster than one.)
#
# Needs setup.sh beside it (run here when the engine is not installed yet), curl, python3, and cargo or SOTA_LOOP_BIN.
# Starts servers on loopback only, and stops each by its pid. Measure on a machine that does nothing else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
venv=$here/.venv
out=${1:-$repo/sessions/real-engine-$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p "$out"
out=$(cd "$out" && pwd)

say() { printf '\n== %s\n' "$*"; }
fail() { echo "real-engine: FAILED: $*" >&2; exit 1; }

[ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ] || bash "$here/setup.sh"
# SOTA_LOOP_BIN names a folder with installed binaries; without it they are built.
bin=${SOTA_LOOP_BIN:-$repo/target/release}
if [ -z "${SOTA_LOOP_BIN:-}" ]; then
  say 'building serve-bench and gap-decide'
  (cd "$repo" && cargo build --release --locked --quiet -p serve-bench -p gap-decide)
fi
bench=$bin/serve-bench
decide=$bin/gap-decide

scratch=$(mktemp -d)
. "$here/engine.sh"
trap 'stop_engines; rm -rf "$scratch"' EXIT
# An earlier run in the same folder must not be gone on with.
rm -f "$out"/{probe,workload,ours,theirs,round0,round1,aa1,aa2,planted}.*
cp "$here/target.yaml" "$out/target.yaml"
cd "$out"
started=$SECONDS

field() { # field DOCUMENT EXPRESSION : one value of a JSON document, d is the document
  "$venv/bin/python" -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

# measure NAME OURS_URL THEIRS_URL PAIRS : interleaved pairs into NAME.compare.json, up to PAIRS of them.
measure() {
  local resume=() status=0
  [ ! -e "$1.compare.json" ] || resume=(--resume)
  "$bench" compare --a "$2" --b "$3" --a-name ours --b-name theirs --blocks "$4" "${resume[@]}" \
    --workload workload.jsonl --concurrency 4 --target target.yaml --subject ours.yaml --b-subject theirs.yaml \
    --quiet --format markdown -o "$1.compare.json" >"$scratch/view.md" || status=$?
  # 5: a run was disturbed by other work on this machine; gap-decide leaves out a few, and says so when they are many.
  [ "$status" = 0 ] || [ "$status" = 5 ] || { cat "$scratch/view.md"; fail "serve-bench compare ended with exit code $status"; }
}

# decide_gap PAIRS NAME FLAG... : the verdict on PAIRS.compare.json into NAME.decision.json; sets $verdict, $wanted, $pairs.
decide_gap() {
  local status=0 pairs_of=$1 name=$2
  shift 2
  "$decide" --compare "$pairs_of.compare.json" --target target.yaml --format markdown -o "$name.decision.json" "$@" \
    >"$name.decision.md" || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] || { cat "$name.decision.md"; fail "gap-decide ended with exit code $status"; }
  verdict=$(field "$name.decision.json" 'd["data"]["scenarios"][0]["verdict"]')
  wanted=$(field "$name.decision.json" 'd["data"]["scenarios"][0]["repeats_needed"] or 0')
  pairs=$(field "$name.decision.json" 'd["data"]["scenarios"][0]["pairs"]')
  field "$name.decision.json" 'd["summary"]'
}

# side NAME FLAG... : starts a server and declares how, in NAME.yaml; sets $engine_url and $engine_pid.
side() {
  start_engine "$@"
  "$venv/bin/python" -c 'import json, sys; print(json.dumps({"schema": "sota-loop.subject/1", "launch_argv": sys.argv[1:]}))' \
    llama-server-vulkan -m model.gguf -c 4096 --cache-ram 0 "${@:2}" >"$1.yaml"
}

# until_decided NAME OURS_URL THEIRS_URL : eight pilot pairs, then as many as gap-decide asks for, up to 56.
until_decided() {
  measure "$1" "$2" "$3" 8
  decide_gap "$1" "$1"
  while [ "$verdict" = inconclusive ] && [ "$wanted" -gt "$pairs" ] && [ "$wanted" -le 56 ]; do
    measure "$1" "$2" "$3" "$wanted"
    decide_gap "$1" "$1"
  done
}

say 'theirs: four requests at a time'
side theirs -t 1 -np 4
theirs=$engine_url
say 'ours: one request at a time'
side ours -t 1 -np 1
ours=$engine_url ours_pid=$engine_pid

say 'probe'
"$bench" probe --url "$ours" --quiet --format markdown -o probe.json

say 'freeze: the same bytes for every run below'
"$bench" freeze --dataset random --num-prompts 8 --input-len 32 --output-len 8 --seed 270 \
  --extra-body '{"cache_prompt": false, "temperature": 0}' --target target.yaml --quiet --format markdown \
  --out workload.jsonl

say 'round 0: ours (-np 1) against theirs (-np 4)'
# Four requests in one step pay on some CPUs (43 % was seen) and cost on others (13 %): the verdict is this machine's and no gate.
# What is behind on every machine is planted below.
measure round0 "$ours" "$theirs" 18
decide_gap round0 round0

say 'the change: ours with -np 4; equal sides from here, so this is the A/A test too'
stop_engine "$ours_pid"
side ours -t 1 -np 4
ours=$engine_url ours_pid=$engine_pid
false_alarms=0
for attempt in 1 2; do
  # At 99.9 % fewer pairs have no interval, and a test without one could not fail.
  measure "aa$attempt" "$ours" "$theirs" 18
  decide_gap "aa$attempt" "aa$attempt" --confidence 0.999
  case $verdict in behind | ahead) false_alarms=$((false_alarms + 1)) ;; *) break ;; esac
done
[ "$false_alarms" -lt 2 ] || fail 'equal sides were called different twice in a row at 99.9 % confidence'
# At the loop's own 95 % one campaign in twenty is wrong, so this verdict is shown and is no gate.
say 'round 1: the same pairs, decided as the loop does'
decide_gap "aa$attempt" round1

say 'planted gap: ours computes one token at a time'
stop_engine "$ours_pid"
side ours -t 1 -np 4 -b 4 -ub 1
ours=$engine_url
until_decided planted "$ours" "$theirs"
[ "$verdict" = behind ] || fail "a server that cannot batch must be behind, the verdict is $verdict after $pairs pairs"

stop_engines
say "done in $((SECONDS - started)) s; documents in ${out#"$repo/"}"
