#!/usr/bin/env bash
# A kernel pair through the whole protocol: freeze the rows and the baseline, plan, measure the baseline against itself and
# against the candidate, judge; then two candidates that cache, which have to be found. NumPy kernels on one core here: wall times
# only. With a CUDA device and torch in the environment, harness.py measures device times.
#
#   bash examples/kernel-ab/run.sh [FOLDER]                    results go there; without it, into sessions/
#   bash examples/kernel-ab/run.sh examples/kernel-ab/output   makes what is committed there anew, on an idle machine
#
# Needs Python 3 with a package index (or KERNEL_AB_PYTHON, one with NumPy), and a Rust toolchain or SOTA_LOOP_BIN with the folder
# of the installed binaries. KERNEL_AB_TRIALS is the number of samples of each side, KERNEL_AB_PATIENCE_S how
# long an idle core is waited for before each of four measurements (20).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -z "${SOTA_LOOP_BIN:-}" ] || SOTA_LOOP_BIN=$(cd "$SOTA_LOOP_BIN" && pwd)
out=${1:-$root/sessions/kernel-ab-$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
[ -n "${SOTA_LOOP_BIN:-}" ] || (cd "$root" && cargo build --release --locked --quiet -p kernel-gate)
export PATH="${SOTA_LOOP_BIN:-$root/target/release}:$PATH" PYTHONDONTWRITEBYTECODE=1

python=${KERNEL_AB_PYTHON:-}
if [ -z "$python" ]; then
  venv=$root/target/ci/kernel-ab
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.3.5
  python=$venv/bin/python
fi

say() { printf '\n== %s\n' "$*"; }
# Copies beside the results while it runs, so that no document names a folder of this machine.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp -r "$here/workloads.json" "$here/pair" .

say 'freeze the rows and the baseline, before any candidate; then the order of measuring'
kernel-gate freeze workloads.json --baseline pair/baseline.py --format markdown -o rows.json
kernel-gate plan --workloads rows.json --trials "${KERNEL_AB_TRIALS:-15}" --target-sample-us 5000 --timeout 300 \
  --format markdown -o plan.json

measure() { # NAME CANDIDATE: the baseline against it, into NAME.jsonl
  "$python" "$here/harness.py" --plan plan.json --workloads workloads.json \
    --baseline pair/baseline.py --candidate "pair/$2.py" --out "$1.jsonl"
}
judge() { # NAME CANDIDATE FLAG…: exit 5 is an answer too, and the next step stands in the document
  local status=0
  kernel-gate judge "$1.jsonl" --workloads rows.json --aa aa.jsonl --candidate "pair/$2.py" "${@:3}" \
    --format markdown -o "$1.verdict.json" || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] || exit "$status"
  echo "exit $status"
}

say 'the baseline against itself'
measure aa baseline
say 'the candidate'
measure results candidate
judge results candidate --share 20 --claim 1.02
say 'a candidate that keeps its first outputs'
measure cached cached
judge cached cached
say 'a candidate that does nothing where its inputs look as before'
measure remembered remembered
judge remembered remembered
# What is committed as output/, and nothing else.
cp rows.json plan.json ./*.jsonl ./*.verdict.json "$out"
