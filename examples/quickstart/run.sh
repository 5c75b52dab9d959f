#!/usr/bin/env bash
# The SOTA loop on two simulated engines: freeze a workload, search the flags of both, compare interleaved, decide the gap, ask
# the slower side what it did meanwhile, look into a trace of it, change one thing, compare again on the same bytes, decide
# again. Needs a Rust toolchain, or SOTA_LOOP_BIN with the folder of the installed binaries; uses loopback only; stops what it started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -z "${SOTA_LOOP_BIN:-}" ] || SOTA_LOOP_BIN=$(cd "$SOTA_LOOP_BIN" && pwd)
cd "$root"

if [ -z "${SOTA_LOOP_BIN:-}" ]; then
  cargo build --release --locked --quiet -p serve-bench -p gap-decide -p telemetry-fetch -p profile-tables \
    -p pipeline-analysis -p config-search -p engine-sim
fi
export PATH="${SOTA_LOOP_BIN:-$root/target/release}:$PATH"

out=${1:-sessions/quickstart-$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p "$out"
started=$SECONDS
pids=()

stop() { # PID: ends one process that we started
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
trap 'for pid in "${pids[@]}"; do stop "$pid"; done' EXIT

engine() { # NAME FLAG…: starts a simulated engine on a free port; sets $url and $pid
  local name=$1 ready
  shift
  : >"$out/$name.ready.json"
  engine-sim --seed "${#pids[@]}" "$@" >"$out/$name.ready.json" 2>"$out/$name.log" &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 200); do
    ready=$(cat "$out/$name.ready.json")
    [[ $ready != *'"url":'* ]] || break
    jobs -r -p | grep -qx "$pid" || { echo "error: $name did not start:" >&2; tail -5 "$out/$name.log" >&2; exit 4; }
    sleep 0.05
  done
  url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' <<<"$ready")
  echo "  $name at $url: engine-sim $*"
}

say() { printf '\n== %s\n' "$*"; }

decide() { # ROUND: compares $ours with $theirs and decides; sets $decision
  local round=$1 try
  for try in 1 2; do
    compare_once "$round"
    [ "$decision" = rebaseline ] && [ "$try" = 1 ] || break
    echo "  other work on this machine disturbed the measurement; once more"
  done
  sed 's/^/  /' "$out/$round.gap.md"
}

compare_once() { # ROUND
  local round=$1 status=0
  serve-bench compare --a "$ours" --b "$theirs" --a-name ours-sglang --b-name theirs-vllm \
    --workload "$out/workload.jsonl" --target "examples/quickstart/target.yaml" --concurrency 32 --blocks 8 \
    --format json -o "$out/$round.compare.json" >/dev/null || status=$?
  # 5: a run was disturbed by other work on this machine; gap-decide leaves out a few, and says so when they are many.
  case $status in 0 | 5) status=0 ;; *) echo "error: the comparison of $round ended with exit code $status" >&2; exit "$status" ;; esac
  gap-decide --compare "$out/$round.compare.json" --target "examples/quickstart/target.yaml" \
    --format markdown -o "$out/$round.gap.json" >"$out/$round.gap.md" || status=$?
  case $status in 0 | 5) ;; *) exit "$status" ;; esac
  decision=$(sed -n 's/^ *"decision": "\([a-z_]*\)".*/\1/p' "$out/$round.gap.json" | head -1)
}

say "1. one frozen workload for both"
serve-bench freeze --dataset random --num-prompts 96 --input-len 128 --output-len 64 --len-spread 0.5 --seed 7 \
  --target "examples/quickstart/target.yaml" --out "$out/workload.jsonl" --format markdown -o "$out/freeze.json" | sed 's/^/  /'

say "2. a short search over the flags of both, with the same budget: a side that was not tuned is no competitor"
sed "s|^target: .*|target: $root/examples/quickstart/target.yaml|" examples/quickstart/search.yaml >"$out/search.yaml"
# Other work on this machine may spoil what a search begins with: anew, three times at most.
for try in 1 2 3; do
  rm -rf "$out/search"
  status=0
  config-search run "$out/search.yaml" --dir "$out/search" --format markdown -o "$out/search.json" >"$out/search.md" || status=$?
  [ "$status" = 6 ] && [ "$try" -lt 3 ] || break
done
[ "$status" = 0 ] || { sed 's/^/  /' "$out/search.md"; echo "error: the search ended with exit code $status" >&2; exit "$status"; }
sed -n '3p; /^| scenario/,/^$/p; /^| candidate/,/^$/p' "$out/search.md" | sed 's/^/  /'

searched() { # FRAMEWORK: sets $flags to those of its best candidate; the first three words are the program and its port
  mapfile -t flags < <(awk -v wanted="\"framework\": \"$1\"" '/"best": \[/ {best = 1} best && index($0, wanted) {found = 1}
    found && /"command": \[/ {words = 1; next} words && /\]/ {exit} words {gsub(/^ *"|",?$/, ""); print}' "$out/search.json")
  flags=("${flags[@]:3}")
}

# 32 clients and 8 places: requests wait in line, so a first token takes hundreds of milliseconds, and the few
# milliseconds that other work on this machine may take from the client do not matter.
say "3. both engines with their searched flags, 8 requests at a time"
searched vllm
engine theirs "${flags[@]}"
theirs=$url
searched sglang
ours_flags=("${flags[@]}")
engine ours-searched "${ours_flags[@]}"
ours=$url ours_pid=$pid

say "4. round 0: interleaved comparison and gap decision"
decide round0
first=$decision

say "5. why: what the slower side says of itself during one more run"
# A run that other work on this machine disturbed says nothing of the engine: once more, five times at most.
for try in 1 2 3 4 5; do
  telemetry-fetch window --url "$ours" --interval 200ms --for "$out/round0.ours.json" --format markdown -o "$out/round0.window.json" -- \
    serve-bench run --url "$ours" --workload "$out/workload.jsonl" --target examples/quickstart/target.yaml \
    --concurrency 32 --quiet -o "$out/round0.ours.json" >"$out/round0.window.md" 2>"$out/round0.window.log" ||
    { cat "$out/round0.window.log" >&2; exit 1; }
  ! grep -q '"exit_code": 0' "$out/round0.window.json" || break
done
sed -n '1p; /^| what/,/^$/p' "$out/round0.window.md" | sed 's/^/  /'

say "6. why: a trace of the slower side, bound to the comparison"
explains=(--for "$out/round0.compare.json" --side ours-sglang)
profile-tables capture --url "$ours" --stage decode "${explains[@]}" --output-dir "$out/profile" --format markdown \
  -o "$out/round0.capture.json" >"$out/round0.capture.md"
profile-tables "$out/profile" --stage decode "${explains[@]}" --format markdown -o "$out/round0.tables.json" \
  >"$out/round0.tables.md"
# The summary, the kernels and what the device waited for; the whole page lies beside the document.
sed -n '3p; /^| kernel/,/^$/p; /^| idle because/,/^$/p' "$out/round0.tables.md" | sed 's/^/  /'
pipeline-analysis "$out/profile" "${explains[@]}" --format markdown -o "$out/round0.pipeline.json" >"$out/round0.pipeline.md"
sed -n '3p; /^| type/,/^$/p' "$out/round0.pipeline.md" | sed 's/^/  /'
grep -q -- '"change": "add --num-continuous-decode-steps' "$out/round0.tables.json" ||
  { echo "error: the tables do not name the setting that the next step changes" >&2; exit 1; }

say "7. one change: relaunch ours with the flags that the trace points at"
stop "$ours_pid"
engine ours-changed "${ours_flags[@]}" \
  --num-continuous-decode-steps 8 --enable-mixed-chunk --schedule-policy lpm
ours=$url

say "8. round 1: revalidation on the same bytes"
decide round1
second=$decision

effect() { printf '%+.2f' "$(sed -n 's/^ *"effect_pct": \([-0-9.]*\).*/\1/p' "$out/$1.gap.json" | head -1)"; }
{
  echo "# Quick start"
  echo
  echo "| round | ours | decision | effect, % |"
  echo "|---|---|---|---:|"
  echo "| 0 | flags as searched | $first | $(effect round0) |"
  echo "| 1 | --num-continuous-decode-steps 8 --enable-mixed-chunk --schedule-policy lpm | $second | $(effect round1) |"
  echo
  echo "Simulated engines: these numbers show how the loop closes, not how fast an engine is."
} >"$out/summary.md"

say "result"
cat "$out/summary.md"
echo
if [ "$first" = profile ] && [ "$second" = stop_reached ]; then
  echo "The loop closed: behind with the searched flags, reached after one change, in $((SECONDS - started)) s. Documents: $out"
else
  echo "The loop did not close: round 0 said $first, round 1 said $second. Documents: $out" >&2
  exit 5
fi
