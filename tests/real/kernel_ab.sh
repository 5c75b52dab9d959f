#!/usr/bin/env bash
# examples/kernel-ab as it stands: a real kernel pair, measured here and judged, and the harness's own tests. What a busy machine
# allows decides between promoted, undecided and invalid; that outputs are right, that every proof is there, and that both caches
# are found, does not depend on it. Needs Python 3, a package index, and kernel-gate from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "kernel_ab.sh: FAILED: $*" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A machine that is not idle after some seconds will not be.
export KERNEL_AB_PATIENCE_S=4
for try in 1 2 3; do
  status=0
  bash examples/kernel-ab/run.sh "$scratch" >"$scratch/log" 2>&1 || status=$?
  [ "$status" = 0 ] || { cat "$scratch/log" >&2; fail "run.sh ended with $status"; }
  python3 - "$scratch" <<'PY' || fail 'a document is not what it should be'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
verdict = {name: json.loads((folder / f"{name}.verdict.json").read_text()) for name in ("results", "cached", "remembered")}
data = verdict["results"]["data"]
codes = {effect: [r["code"] for r in data["reasons"] if r["effect"] == effect] for effect in ("invalid", "reject_correctness", "blocks_promotion")}
print("verdict:", data["verdict"], codes, data["geomean"], data["aa"])
# A CPU has no device times, and the document says so.
assert data["geomean"]["device"] is None and data["judged_on"] == "wall", data["geomean"]
assert "judged-on-wall" in [w["code"] for w in verdict["results"]["warnings"]]
assert data["counts"]["production"] == 4 and data["counts"]["other"] == 1, data["counts"]
assert data["verdict"] in ("promote", "inconclusive", "invalid"), data["verdict"]
# The harness gives every proof: only noise of the machine may be left between the honest pair and its promotion.
assert codes["reject_correctness"] == [], codes
assert set(codes["invalid"]) <= {"gpu-busy", "aa-off"}, codes
of_noise = {"material-losses", "rows-unstable", "claim-beyond-amdahl"}
assert set(codes["blocks_promotion"]) <= of_noise, codes
for line in (folder / "results.jsonl").read_text().splitlines():
    line = json.loads(line)
    if line["event"] == "result":
        assert line["status"] == "PASSED" and line["checks"]["input_sets"] >= 2, line
# Both caches are wrong, whatever their speed-up.
for name, code in (("cached", "outputs-cached"), ("remembered", "outputs-differ")):
    wrong = [r["code"] for r in verdict[name]["data"]["reasons"] if r["effect"] == "reject_correctness"]
    assert code in wrong and "inputs-mutated" not in wrong, (name, wrong)
    assert verdict[name]["data"]["verdict"] in ("reject_correctness", "invalid"), name
    # Invalid for the machine's noise alone.
    invalid = {r["code"] for r in verdict[name]["data"]["reasons"] if r["effect"] == "invalid"}
    assert invalid <= {"gpu-busy", "aa-off"}, (name, invalid)
PY
  verdict=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["data"]["verdict"])' "$scratch/results.verdict.json")
  [ "$verdict" = invalid ] || break
  echo "kernel_ab.sh: try $try was disturbed" >&2
done
python=${KERNEL_AB_PYTHON:-$PWD/target/ci/kernel-ab/bin/python}
(cd examples/kernel-ab && PYTHONDONTWRITEBYTECODE=1 "$python" -m unittest -q) || fail "the harness's own tests"
echo "kernel_ab.sh: ok: the pair is judged ($verdict), both caches are found"
