#!/usr/bin/env bash
# A whole campaign without a language model: a scripted agent that follows the skills, on simulated engines. It locks the
# contract, searches the flags of both sides, measures, decides, asks the slower side what it did meanwhile, profiles both, reads the counters of a kernel,
# tries three changes (one does not start, one is a trick that is refused, one is kept), relaunches the winner from a cleared
# environment, and ends.
#
#   run.sh [ARTIFACT_ROOT]      default: sessions/campaign-<time>
#
# Needs a Rust toolchain, or SOTA_LOOP_BIN with the installed binaries. Loopback only; stops what it started by pid.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
[ -z "${SOTA_LOOP_BIN:-}" ] || SOTA_LOOP_BIN=$(cd "$SOTA_LOOP_BIN" && pwd)
root=${1:-$repo/sessions/campaign-$(date -u +%Y%m%dT%H%M%SZ)}
[ ! -e "$root/ledger.jsonl" ] || { echo "error: a campaign is in $root already" >&2; exit 3; }
mkdir -p "$root"
root=$(cd "$root" && pwd)
if [ -z "${SOTA_LOOP_BIN:-}" ]; then
  (cd "$repo" && cargo build --release --locked --quiet -p serve-bench -p gap-decide -p telemetry-fetch \
    -p profile-tables -p pipeline-analysis -p ncu-digest -p kernel-gate -p config-search -p engine-sim -p loop-ledger)
fi
bin=${SOTA_LOOP_BIN:-$repo/target/release}
export PATH="$bin:$PATH" LOOP_LEDGER_ROOT=$root

# Documents are written in a folder of their own; the ledger keeps its own copies below the root.
work=$(mktemp -d)
pids=()
stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
trap 'for pid in "${pids[@]}"; do stop "$pid"; done; rm -rf "$work"' EXIT
cp "$here/target.yaml" "$here/history.yaml" "$here/search.yaml" "$work"
cd "$work"
started=$SECONDS

say() { printf '\n== %s\n' "$*"; }

# expect CODE COMMAND…: runs a command and fails unless it ends with that code; its output is indented.
expect() {
  local wanted=$1 status=0
  shift
  "$@" >out.txt 2>err.txt || status=$?
  sed 's/^/  /' out.txt
  [ ! -s err.txt ] || sed 's/^/  /' err.txt
  [ "$status" = "$wanted" ] || { echo "FAILED: expected exit code $wanted and got $status: $*" >&2; exit 1; }
}
ledger() { expect 0 loop-ledger --format markdown "$@"; }

engine() { # NAME FLAG…: starts a simulated engine on a free port; sets $url, $pid and $port
  local name=$1 ready=''
  shift
  : >"$name.ready"
  engine-sim "$@" >"$name.ready" 2>"$name.log" &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 200); do
    ready=$(cat "$name.ready")
    [[ $ready != *'"url":'* ]] || break
    jobs -r -p | grep -qx "$pid" || return 1
    sleep 0.05
  done
  [ -n "$ready" ] || return 1
  url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' <<<"$ready")
  port=${url##*:}
}

# pairs NAME WORKLOAD SCENARIO BLOCKS FLAG…: interleaved pairs into NAME.SCENARIO.compare.json, gone on with where they exist,
# and measured again when other work on this machine disturbed too many of them.
pairs() {
  local name=$1 workload=$2 scenario=$3 blocks=$4 status try resume=()
  shift 4
  [ ! -e "$name.$scenario.compare.json" ] || resume=(--resume)
  for try in 1 2 3; do
    status=0
    serve-bench compare "$@" "${resume[@]}" --a-name sglang --b-name vllm --workload "$workload" --target target.yaml \
      --concurrency 32 --blocks "$blocks" --quiet --format markdown -o "$name.$scenario.compare.json" >view.md || status=$?
    [ "$status" = 5 ] && [ "$try" -lt 3 ] || break
    echo "  other work on this machine disturbed the measurement; once more"
    rm -f "$name.$scenario.compare.json"
    resume=()
  done
  [ "$status" = 0 ] || { sed 's/^/  /' view.md; echo "FAILED: serve-bench compare ended with $status" >&2; exit 1; }
}

# round NAME FLAG…: both scenarios measured and decided together into NAME.gap.json, and all of it appended. They share the
# error, so eight pairs are too few: twelve, and more where gap-decide cannot tell yet.
round() {
  local name=$1 blocks scenario status
  shift
  for blocks in 12 18 26 38; do
    for scenario in chat summary; do
      pairs "$name" "$scenario.jsonl" "$scenario" "$blocks" "$@"
    done
    status=0
    gap-decide --compare "$name.chat.compare.json" "$name.summary.compare.json" --target target.yaml \
      --format markdown -o "$name.gap.json" >view.md || status=$?
    [ "$status" = 5 ] || break
    echo "  not decided with $blocks pairs"
  done
  sed 's/^/  /' view.md
  [ "$status" = 0 ] || { echo "FAILED: gap-decide ended with $status" >&2; exit 1; }
  ledger append "$name.chat.compare.json" "$name.summary.compare.json"
  ledger append "$name.gap.json"
}

# searched FRAMEWORK: sets $flags to those of its best candidate; the first three words are the program and its port
searched() {
  mapfile -t flags < <(awk -v wanted="\"framework\": \"$1\"" '/"best": \[/ {best = 1} best && index($0, wanted) {found = 1}
    found && /"command": \[/ {words = 1; next} words && /\]/ {exit} words {gsub(/^ *"|",?$/, ""); print}' search.json)
  flags=("${flags[@]:3}")
}

# ours FLAG…: how ours is launched, as a subject file
ours() {
  local words='"engine-sim"' word
  for word in "${ours_flags[@]}" "$@"; do words+=",\"$word\""; done
  printf '{"schema":"sota-loop.subject/1","launch_argv":[%s]}\n' "$words"
}

better=(--num-continuous-decode-steps 8 --enable-mixed-chunk --schedule-policy lpm)

say '1. the contract'
serve-bench freeze --dataset random --num-prompts 48 --input-len 128 --output-len 64 --len-spread 0.5 --seed 7 \
  --name chat --target target.yaml --out chat.jsonl --quiet --format markdown >/dev/null
serve-bench freeze --dataset random --num-prompts 48 --input-len 512 --output-len 48 --len-spread 0.5 --seed 8 \
  --name summary --target target.yaml --out summary.jsonl --quiet --format markdown >/dev/null
ledger init --target target.yaml --workload chat.jsonl summary.jsonl
echo '  a benchmark before the history is refused:'
expect 1 loop-ledger --format markdown may baseline
ledger append history.yaml

say '2. the fixed benchmark'
# A short search over the flags of both, with the same budget: a side that was not tuned is no competitor. Other work on this
# machine may spoil what a search begins with: anew, three times at most.
for try in 1 2 3; do
  rm -rf search
  status=0
  config-search run search.yaml --dir search --format markdown -o search.json >view.md || status=$?
  [ "$status" = 6 ] && [ "$try" -lt 3 ] || break
done
[ "$status" = 0 ] || { sed 's/^/  /' view.md; echo "FAILED: the search ended with $status" >&2; exit 1; }
sed -n '3p; /^| scenario/,/^$/p; /^| candidate/,/^$/p' view.md | sed 's/^/  /'
ledger append search/candidates.jsonl
searched vllm
theirs_flags=("${flags[@]}")
searched sglang
ours_flags=("${flags[@]}")
engine theirs "${theirs_flags[@]}" --profile-dir "$work/theirs.traces"
theirs=$url
engine ours0 "${ours_flags[@]}"
ours0=$url ours0_pid=$pid
ours > subject-0.yaml
round round0 --a "$url" --b "$theirs" --subject subject-0.yaml

say '3. why'
# What ours says of itself during one more run of each scenario. A disturbed run is no evidence: again, ten times at most.
telemetry() { # SCENARIO URL
  local name=round0.$1.ours try
  for try in $(seq 10); do
    telemetry-fetch window --url "$2" --interval 200ms --for "$name.json" --format markdown -o "$name.window.json" -- \
      serve-bench run --url "$2" --workload "$1.jsonl" --target target.yaml --subject subject-0.yaml --concurrency 32 --quiet \
      -o "$name.json" >view.md 2>window.log || { cat window.log >&2; echo 'FAILED: no telemetry' >&2; exit 1; }
    ! grep -q '"exit_code": 0' "$name.window.json" || break
    [ "$try" -lt 10 ] || { cat view.md; echo 'FAILED: every measurement was disturbed' >&2; exit 1; }
  done
  sed -n '1p' view.md | sed 's/^/  /'
  ledger append "$name.json" "$name.window.json"
}
for scenario in chat summary; do telemetry "$scenario" "$ours0"; done
# A trace of both sides while they run, at the lengths of each scenario and bound to its comparison: the ledger wants both
# where ours is furthest behind.
profile() { # SCENARIO SIDE URL
  local explains=(--for "round0.$1.compare.json" --side "$2") name=round0.$1.$2 traces
  # SGLang writes where the order says, vLLM where its own launch said.
  [ "$2" = vllm ] || explains+=(--output-dir "$name.traces")
  expect 0 profile-tables capture --url "$3" --stage decode "${explains[@]}" --format markdown -o "$name.capture.json"
  mapfile -t traces < <(sed -n 's/^ *"path": "\(.*\.trace\.json\.gz\)".*/\1/p' "$name.capture.json" | sort -u)
  expect 0 profile-tables "${traces[@]}" --stage decode "${explains[@]:0:4}" --format markdown -o "$name.tables.json"
  # Layers of the side that may be patched.
  [ "$2" = vllm ] ||
    expect 0 pipeline-analysis "${traces[@]}" "${explains[@]:0:4}" --format markdown -o "$name.pipeline.json"
  ledger append "$name.tables.json"
}
for scenario in chat summary; do
  profile "$scenario" sglang "$ours0"
  profile "$scenario" vllm "$theirs"
done
stop "$ours0_pid"
sha=$(sha256sum round0.gap.json | cut -c1-16)
tables=$(sha256sum round0.chat.sglang.tables.json | cut -c1-16)
cat > root-cause.yaml <<EOF
schema: loop-ledger.root-cause/1
scenario: chat
cause: every decode step waits for the scheduler; theirs waits less
targets: [--num-continuous-decode-steps, --enable-mixed-chunk]
claims:
  - {claim: ours is behind on chat, document: $sha, pointer: /data/scenarios/0/verdict, value: behind}
  - {claim: the device waits between steps, document: $tables, pointer: /data/stages/0/idle/0/cause, value: between_steps}
EOF
ledger append root-cause.yaml
echo '  a claim that no document holds is refused:'
sed 's/value: behind/value: ahead/' root-cause.yaml > wrong.yaml
expect 7 loop-ledger append wrong.yaml
ledger append round0.chat.sglang.pipeline.json round0.summary.sglang.pipeline.json
# Counters of the family with the largest share. engine-sim has none: this report is the project's own, and says simulated.
expect 0 ncu-digest "$here/decode.ncu-rep" --declare dtype=bf16,op=matmul --for round0.chat.compare.json --side a \
  --format markdown -o round0.chat.sglang.ncu.json
ledger append round0.chat.sglang.ncu.json
# No kernel was changed, so there is no pair for kernel-gate to judge.

say '4. round 1: a change that does not start'
ours --mem-fraction-static 0.01 > subject-1.yaml
ledger begin --kind flags --change '--mem-fraction-static 0.01' --gpu-s 60 --subject subject-1.yaml \
  --hypothesis 'less memory for the cache leaves more for the batch' --predicted-pct 1
if engine ours1 "${ours_flags[@]}" --mem-fraction-static 0.01; then
  echo 'FAILED: an engine without memory started' >&2; exit 1
fi
tail -1 ours1.log | cut -c1-160 | sed 's/^/  /'
ledger end --outcome failed --learned 'the weights alone need more memory than that' --pid "$pid"

say '5. round 2: a trick'
ledger begin --kind flags --change 'another seed, called the same workload' --gpu-s 60 \
  --hypothesis 'shorter answers look faster'
engine ours2 "${ours_flags[@]}"
serve-bench freeze --dataset random --num-prompts 48 --input-len 128 --output-len 64 --len-spread 0.5 --seed 8 \
  --name chat --target target.yaml --out easier.jsonl --quiet --format markdown >/dev/null
pairs round2 easier.jsonl chat 12 --a "$url" --b "$theirs" --subject subject-0.yaml
expect 7 loop-ledger append round2.chat.compare.json
stop "$pid"
ledger end --outcome failed --learned 'another seed is another workload, and the ledger says so' --pid "$pid" --port "$port"

say '6. round 3: three flags'
ours "${better[@]}" > subject-3.yaml
ledger begin --kind flags --change "${better[*]}" --gpu-s 120 --subject subject-3.yaml \
  --hypothesis 'eight decode steps share one turn of the scheduler' --predicted-pct 9
engine ours3 "${ours_flags[@]}" "${better[@]}"
round round3 --a "$url" --b "$theirs" --subject subject-3.yaml
stop "$pid"
ledger end --outcome kept --learned 'the scheduler was the limit' --pid "$pid" --port "$port"

say '7. the end needs a relaunch without this shell'
expect 1 loop-ledger --format markdown 'done'
ledger best
json() { local words='' word; for word in "$@"; do words+="${words:+,}\"$word\""; done; echo "[$words]"; }
a_cmd=$(json "$bin/engine-sim" "${ours_flags[@]}" "${better[@]}" --port '{port}')
b_cmd=$(json "$bin/engine-sim" "${theirs_flags[@]}" --port '{port}')
round final --swap --clear-env --a-cmd "$a_cmd" --b-cmd "$b_cmd" --subject subject-3.yaml
ledger 'done'

say 'result'
ledger verify
ledger render
ledger report
echo
echo "The campaign ended in $((SECONDS - started)) s. Its root: $root"
