#!/usr/bin/env bash
# The search of skills/config-search/SKILL.md as it stands there, on simulated engines: it uses its budget, belongs to its plan,
# goes on after a cut row, and its winner is confirmed in interleaved pairs. Needs Python 3, and config-search, serve-bench,
# gap-decide and engine-sim from $SOTA_LOOP_BIN or built. Other work on the machine spoils short measurements: six tries of ten seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "config_search.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
export PATH="${SOTA_LOOP_BIN:-$PWD/target/release}:$PATH"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The page's own plan.
sed -n '/^```yaml/,/^```/p' skills/config-search/SKILL.md | sed '1d;$d' >"$scratch/plan.yaml"
cd "$scratch"

# ended STATUS NAME COMMAND...: the command ends with that exit code.
ended() {
  local wanted=$1 name=$2 status=0
  shift 2
  "$@" >"$name.out" 2>"$name.err" || status=$?
  [ "$status" = "$wanted" ] || { cat "$name.out" "$name.err" >&2; fail "$name: exit code $status in place of $wanted"; }
}

ended 0 validate config-search validate plan.yaml --format markdown -o validation.json
for try in 1 2 3 4 5 6; do
  rm -rf search
  status=0
  config-search run plan.yaml --dir search --format markdown -o search.json >run.out 2>run.err || status=$?
  grep -q measurement-invalid search/candidates.jsonl || break
  echo "config_search.sh: try $try was disturbed" >&2
done
[ "$status" = 0 ] || { cat run.out run.err >&2; fail "the search ended with $status"; }
ended 2 again config-search run plan.yaml --dir search
ended 0 nothing-left config-search run plan.yaml --dir search --resume
ended 0 status config-search status plan.yaml --dir search
cp search/candidates.jsonl whole.jsonl
truncate -s -40 search/candidates.jsonl
ended 0 cut config-search run plan.yaml --dir search --resume --format json
python3 - <<'PY' || fail 'the rows are not what they should be'
import json
document = json.load(open("search.json"))
assert document["schema"] == "config-search.report/1" and document["simulated"] and document["complete"], document["summary"]
assert document["data"]["state"] == "done", document["data"]["state"]
rows = lambda name: [json.loads(line) for line in open(name)]
whole, mended = rows("whole.jsonl"), rows("search/candidates.jsonl")
assert whole[0]["step"] == "baseline" and whole[0]["params"] == {} and whole[0]["status"] == "ok", whole[0]
assert len(whole) == 4 and {row["status"] for row in whole} <= {"ok"}, whole
# The same plan and seed: the cut candidate is made anew, and no other.
assert [row["params"] for row in mended] == [row["params"] for row in whole]
assert [row["started_at"] for row in mended[:-1]] == [row["started_at"] for row in whole[:-1]]
assert "row-torn" in [warning["code"] for warning in json.load(open("cut.out"))["warnings"]]
print(f"{len(whole)} candidates, baseline first; best:", [(b["candidate"], b["gain_pct"]) for b in document["data"]["best"]])
PY
status=0
config-search confirm plan.yaml --dir search --blocks 8 --format markdown -o confirmed.json >confirm.out 2>confirm.err || status=$?
case $status in
  # 3: the baseline was best, and there is nothing to confirm.
  0 | 5) python3 -c 'import json; print("confirmed:", json.load(open("confirmed.json"))["data"]["confirmation"]["verdict"])' ;;
  3) grep -q 'beats its baseline' confirm.err || { cat confirm.err >&2; fail "confirm ended with 3"; } ;;
  *) cat confirm.out confirm.err >&2; fail "confirm ended with $status" ;;
esac
sed -i 's/trials: 4/trials: 5/' plan.yaml
ended 7 changed config-search run plan.yaml --dir search --resume
echo 'config_search.sh: ok: a search used its budget, went on after a cut row, and its winner was measured against the baseline'
