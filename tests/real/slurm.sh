#!/usr/bin/env bash
# The launcher `slurm` over a real Slurm of one node on loopback: a search whose candidates are jobs, two of them at once (the rows
# and the queue say so), its budget used; a server that does not start; a job that waits in vain; an interrupted search and one that
# was killed leave nothing in the queue that stays, and the latter goes on with --resume. Needs Debian's slurm-wlm and munge
# (slurm/node.sh installs them), Python 3, and config-search, serve-bench and engine-sim from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "slurm.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
bin=$(cd "${SOTA_LOOP_BIN:-$PWD/target/release}" && pwd)
export PATH="$bin:$PATH"
scratch=$(mktemp -d)
. tests/real/slurm/node.sh
watch=
trap '[ -z "$watch" ] || kill "$watch" 2>/dev/null || true; stop_slurm; rm -rf "$scratch"' EXIT
start_slurm
echo "slurm.sh: $(slurmctld -V) on loopback, $(sinfo -h -o '%D node, %c CPUs')"

# plan NAME LINE JSON: LINE is run by a shell in the job; $1 is the port. JSON overrides fields of the framework and the budget.
plan() {
  python3 - "$scratch" "$@" <<'PY'
import json, sys
scratch, name, line, more = sys.argv[1:]
more = json.loads(more)
plan = {
    "schema": "config-search.plan/1",
    "model": {"id": "Qwen/Qwen3-8B"},
    "frameworks": [{
        "name": "sglang", "launcher": "slurm", "launcher_args": ["--time=5"],
        "server_command": ["sh", "-c", line, "sh", "{port}"],
        "ready_timeout_s": 30,
        "search_space": {"--num-continuous-decode-steps": [4, 8, 16], "--chunked-prefill-size": [2048, 4096]},
        **more.get("framework", {}),
    }],
    "scenarios": [{"name": "s", "num_prompts": 16, "args": ["--dataset", "random", "--input-len", "4096", "--output-len", "16", "--concurrency", "4"]}],
    "budget": {"trials": 5, "concurrent": 2, **more.get("budget", {})},
}
json.dump(plan, open(f"{scratch}/{name}.yaml", "w"))
PY
}
# search NAME STATUS... [-- FLAG...]: ends with one of these.
search() {
  local name=$1 status=0 wanted=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do wanted+=("$1"); shift; done
  [ $# = 0 ] || shift
  config-search run "$scratch/$name.yaml" --dir "$scratch/$name" --format json "$@" >"$scratch/$name.json" 2>"$scratch/$name.err" || status=$?
  [[ " ${wanted[*]} " == *" $status "* ]] || { cat "$scratch/$name.err" >&2; tail -n 5 "$scratch/$name"/logs/* >&2; fail "$name: exit code $status in place of ${wanted[*]}"; }
}
codes() { python3 -c 'import json, sys; print(*[row["reason_code"] or row["status"] for row in map(json.loads, open(sys.argv[1]))])' "$scratch/$1/candidates.jsonl"; }
nothing_queued() { [ -z "$(squeue -h)" ] || { squeue >&2; fail "$1 leaves a job"; }; }

# The flags of a candidate follow the port.
serve="port=\$1; shift; exec $bin/engine-sim --flavor sglang --model Qwen/Qwen3-8B --port \$port \"\$@\""
plan two "$serve" '{}'
# Two measurements at once on two cores may spoil each other: then once more.
for try in 1 2 3 4 5 6; do
  rm -rf "$scratch/two"
  (while sleep 0.1; do squeue -h -t R -o '%j' | sort | tr '\n' ' '; echo; done) >"$scratch/queue.log" &
  watch=$!
  search two 0 6
  kill "$watch"
  wait "$watch" 2>/dev/null || true
  watch=
  codes two | grep -q measurement-invalid || break
  echo "slurm.sh: try $try was disturbed" >&2
done
[ "$(codes two)" = 'ok ok ok ok ok' ] || { tail -n 5 "$scratch"/two/logs/* >&2; fail "a search of five jobs: $(codes two)"; }
nothing_queued 'the search'
python3 - "$scratch" <<'PY' || fail 'no two candidates ran at once'
import datetime, json, sys
rows = [json.loads(line) for line in open(f"{sys.argv[1]}/two/candidates.jsonl")]
assert rows[0]["step"] == "baseline" and len({row["id"] for row in rows}) == 5, rows
spans = []
for row in rows:
    result = json.load(open(f"{sys.argv[1]}/two/{row['results'][0]['document']}"))
    window = result["data"]["runs"][0]["windows"]["full"]
    spans.append((window["start_at"], window["end_at"], row["id"]))
spans.sort()
assert all(start >= spans[0][1] for start, _, name in spans if name != spans[0][2]), ("the baseline is alone", spans)
overlaps = [(a[2], b[2]) for a, b in zip(spans, spans[1:]) if b[0] < a[1]]
most = max(len(line.split()) for line in open(f"{sys.argv[1]}/queue.log"))
print(f"slurm.sh: 5 jobs, measured at the same time: {overlaps}; at most {most} running in the queue")
assert overlaps and most == 2, (overlaps, most)
assert all("srun" == row["argv"][0] for row in rows)
PY

plan broken 'echo "RuntimeError: CUDA out of memory" >&2; exit 1' '{}'
search broken 6
[ "$(codes broken)" = 'out-of-memory out-of-memory' ] || fail "a server that does not start: $(codes broken)"
plan refused "$serve" '{"framework": {"launcher_args": ["--partition=nowhere"]}}'
search refused 6
[ "$(codes refused)" = slurm-failed ] || fail "a partition that is not there: $(codes refused)"
# The node is full: a job waits, and the wait has a limit of its own.
salloc --no-shell --job-name full --exclusive >"$scratch/full" 2>&1
plan waits "$serve" '{"framework": {"queue_timeout_s": 2}}'
search waits 6
[ "$(codes waits)" = slurm-queue ] || fail "a job that waits in vain: $(codes waits)"
[ "$(squeue -h -o %j)" = full ] || { squeue >&2; fail 'a job that waited in vain stays in the queue'; }
scancel --name full
for _ in $(seq 100); do [ -n "$(squeue -h)" ] || break; sleep 0.1; done

# Interrupted while two candidates run.
at_two() { # PID FOLDER: waits until two jobs run beside the first row
  for _ in $(seq 600); do
    kill -0 "$1" 2>/dev/null || return 1
    [ "$(squeue -h -t R | wc -l)" = 2 ] && [ -s "$2/candidates.jsonl" ] && return 0
    sleep 0.05
  done
  return 1
}
plan cut "$serve" '{"budget": {"trials": 40}}'
config-search run "$scratch/cut.yaml" --dir "$scratch/cut" --format json >"$scratch/cut.json" 2>"$scratch/cut.err" &
search=$!
at_two "$search" "$scratch/cut" || fail 'the search to be interrupted has no two jobs'
kill -INT "$search"
status=0
wait "$search" || status=$?
[ "$status" = 130 ] || { cat "$scratch/cut.err" >&2; fail "interrupted: exit code $status"; }
nothing_queued 'an interrupted search'

# Killed: its jobs stay until their time is over, or somebody cancels them; the rows are whole, and the search goes on.
plan killed "$serve" '{"budget": {"trials": 7}}'
config-search run "$scratch/killed.yaml" --dir "$scratch/killed" --format json >"$scratch/killed.json" 2>"$scratch/killed.err" &
search=$!
at_two "$search" "$scratch/killed" || fail 'the search to be killed has no two jobs'
kill -KILL "$search"
wait "$search" 2>/dev/null || true
scancel --user "$(id -un)"
for _ in $(seq 100); do [ -n "$(squeue -h)" ] || break; sleep 0.1; done
search killed 0 -- --resume
python3 - "$scratch/killed/candidates.jsonl" <<'PY' || fail 'the search that went on has other rows than it should'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len({row["id"] for row in rows}) == len(rows), [row["id"] for row in rows]
assert sum(row["status"] != "skipped" for row in rows) == 7, rows
PY
nothing_queued 'the search that went on'
echo 'slurm.sh: ok: two candidates at once as jobs of Slurm, and nothing is left in the queue'
