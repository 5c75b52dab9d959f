#!/usr/bin/env bash
# examples/kernel-ab as it stands: a real kernel pair, measured here and judged. What a busy machine allows decides between
# promoted, undecided and invalid; that outputs are right, and that a cache is found, does not depend on it. Needs Python 3, a
# package index, and kernel-gate from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "kernel_ab.sh: FAILED: $*" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for try in 1 2 3; do
  bash examples/kernel-ab/run.sh "$scratch" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; fail "run.sh ended with $?"; }
  python3 - "$scratch" <<'PY' || fail 'a document is not what it should be'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
verdict = {name: json.loads((folder / f"{name}.verdict.json").read_text()) for name in ("results", "cached")}
data = verdict["results"]["data"]
codes = {effect: [r["code"] for r in data["reasons"] if r["effect"] == effect] for effect in ("invalid", "reject_correctness", "blocks_promotion")}
print("verdict:", data["verdict"], codes, data["geomean"], data["aa"])
# A CPU has no device times, and the document says so.
assert data["geomean"]["device"] is None and data["judged_on"] == "wall", data["geomean"]
assert "judged-on-wall" in [w["code"] for w in verdict["results"]["warnings"]]
assert data["counts"]["production"] == 4 and data["counts"]["other"] == 1, data["counts"]
assert data["verdict"] in ("promote", "inconclusive", "invalid"), data["verdict"]
# The harness gives every proof: only noise of the machine may be left.
assert codes["reject_correctness"] == [], codes
assert set(codes["invalid"]) <= {"gpu-busy", "aa-off"}, codes
assert set(codes["blocks_promotion"]) <= {"material-losses", "rows-unstable"}, codes
cached = [r["code"] for r in verdict["cached"]["data"]["reasons"] if r["effect"] == "reject_correctness"]
assert "outputs-cached" in cached and "inputs-mutated" not in cached, cached
assert verdict["cached"]["data"]["verdict"] in ("reject_correctness", "invalid")
PY
  verdict=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["data"]["verdict"])' "$scratch/results.verdict.json")
  [ "$verdict" = invalid ] || break
  echo "kernel_ab.sh: try $try was disturbed" >&2
done
echo "kernel_ab.sh: ok: the pair is judged ($verdict), the cache is found"
