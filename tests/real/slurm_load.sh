#!/usr/bin/env bash
# One load of four generators: a Slurm job array on a private one-node Slurm, each job a shard of one frozen workload with a common
# start, merged, and held against one generator with the whole load, in interleaved pairs: the 99 % interval of the ratio of
# throughputs and of mean latencies lies within 5 %. Then what must not pass: a part that is missing, and a part taken for the whole.
# Needs Debian's slurm-wlm and munge (slurm/node.sh installs them), Python 3, and serve-bench, gap-decide and engine-sim from
# $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "slurm_load.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
bin=$(cd "${SOTA_LOOP_BIN:-$PWD/target/release}" && pwd)
export PATH="$bin:$PATH"
scratch=$(mktemp -d)
# shellcheck disable=SC2034 # node.sh reads it
slurm_cpus=4
. tests/real/slurm/node.sh
engine=
trap '[ -z "$engine" ] || kill "$engine" 2>/dev/null || true; stop_slurm; rm -rf "$scratch"' EXIT
start_slurm

echo '{"defaults": {"ttft_ms": 40, "itl_ms": 8}}' >"$scratch/engine.json"
engine-sim --script "$scratch/engine.json" --port 0 >"$scratch/ready.json" &
engine=$!
url=
for _ in $(seq 100); do
  url=$(python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())["url"])' "$scratch/ready.json" 2>/dev/null) && break
  sleep 0.1
done
[ -n "$url" ] || fail 'the engine did not start'
cd "$scratch"
serve-bench freeze --dataset random --num-prompts 64 --input-len 32 --output-len 16 --seed 5 --out workload.jsonl -q --format markdown >freeze.md
# How the server was launched is the same for all parts.
echo '{"schema": "sota-loop.subject/1", "launch_argv": ["engine-sim"]}' >subject.yaml

cat >part.sh <<'PART'
#!/bin/sh
exec serve-bench run --url "$URL" --workload workload.jsonl --subject subject.yaml --concurrency 8 --shard "$SLURM_ARRAY_TASK_ID/4" \
  --start-at "$START" --records "part$ROUND.$SLURM_ARRAY_TASK_ID.jsonl" -q --format json -o "part$ROUND.$SLURM_ARRAY_TASK_ID.json"
PART

one() {
  local status=0
  serve-bench run --url "$url" --workload workload.jsonl --subject subject.yaml --concurrency 8 -q --format json -o "one$1.json" >/dev/null || status=$?
  # 5: other work on this machine disturbed the client, which is in both sides.
  [ "$status" = 0 ] || [ "$status" = 5 ] || fail "one generator ended with $status"
}
four() {
  local status=0
  START=$(($(date +%s) + 3)) URL=$url ROUND=$1 sbatch --quiet --wait --array=1-4 --ntasks=1 --output="part$1.%a.log" --export=ALL part.sh || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] || { cat part"$1".*.log >&2; fail "the array ended with $status"; }
  status=0
  serve-bench merge part"$1".{1,2,3,4}.jsonl --records "merged$1.jsonl" -q --format json -o "four$1.json" >/dev/null || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] || fail "merge ended with $status"
}
rounds=5
for round in $(seq $rounds); do
  if [ $((round % 2)) = 1 ]; then one "$round"; four "$round"; else four "$round"; one "$round"; fi
done

python3 - $rounds <<'PY' || fail 'four generators are not one'
import json, math, statistics, sys
rounds = int(sys.argv[1])
# Student's t of 4 degrees of freedom, 99 % on both sides.
T = {5: 4.604}[rounds]
def run(name):
    document = json.load(open(name))
    assert document["data"]["shard"] is None and document["data"]["load"]["concurrency"] == 8, name
    return document, document["data"]["runs"][0]
one = [run(f"one{n}.json") for n in range(1, rounds + 1)]
four = [run(f"four{n}.json") for n in range(1, rounds + 1)]
for (single, a), (merged, b) in zip(one, four):
    assert single["contract"] == merged["contract"], "another contract"
    assert a["requests"]["succeeded"] == b["requests"]["succeeded"] == 64, (a["requests"], b["requests"])
    assert a["tokens"]["output"] == b["tokens"]["output"], "another number of tokens"
    assert b["client"]["peak_concurrency"] == 8, b["client"]
for name, of in [("output tokens/s", lambda r: r["throughput"]["output_tps"]), ("mean e2e", lambda r: r["latency"]["e2e_latency_ms"]["mean"]),
                 ("mean tpot", lambda r: r["latency"]["tpot_ms"]["mean"])]:
    logs = [math.log(of(b) / of(a)) for (_, a), (_, b) in zip(one, four)]
    mean, half = statistics.mean(logs), T * statistics.stdev(logs) / math.sqrt(rounds)
    low, high = math.exp(mean - half), math.exp(mean + half)
    print(f"slurm_load.sh: {name}, four generators to one: {math.exp(mean):.4f} [{low:.4f}, {high:.4f}]")
    assert 0.95 <= low and high <= 1.05, name
PY
# The same from the results, which name their records, to the last digit.
status=0
serve-bench merge part1.{4,2,3,1}.json -q --format json -o again.json >/dev/null || status=$?
python3 -c 'import json; a, b = (json.load(open(n))["data"]["runs"] for n in ("four1.json", "again.json")); assert a == b' || fail 'results do not lead to their records'
status=0
serve-bench summarize merged1.jsonl -q --format json -o summarized.json >/dev/null || status=$?
python3 -c 'import json; a, b = (json.load(open(n))["data"]["runs"][0]["latency"] for n in ("four1.json", "summarized.json")); assert a == b' || fail 'the merged records are not the result'

refused() { # refused STATUS CODE COMMAND...
  local wanted=$1 code=$2 status=0
  shift 2
  "$@" >/dev/null 2>refused.err || status=$?
  [ "$status" = "$wanted" ] && grep -q "$code" refused.err || { cat refused.err >&2; fail "$*: $status in place of $wanted ($code)"; }
}
refused 3 shards-missing serve-bench merge part1.{1,2,4}.jsonl
refused 3 shard-twice serve-bench merge part1.{1,2,3,4}.jsonl part1.1.json
refused 7 shards-differ serve-bench merge part1.{1,2,3}.jsonl part2.4.jsonl
refused 3 merge-not-a-shard serve-bench merge merged1.jsonl
refused 3 contract-differs gap-decide --ours part1.1.json --theirs one=one1.json
[ -z "$(squeue -h)" ] || fail 'a job is left'
echo 'slurm_load.sh: passed'
