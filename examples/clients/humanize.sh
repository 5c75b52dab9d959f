# shellcheck shell=bash disable=SC2154 # scratch and here are the caller's
#
# Humanize's RLCR loop, from its own setup script and stop gate, with a reviewer of ours instead of a model; sourced by
# run.sh. Nothing of Humanize is in this repository: HUMANIZE_ROOT names a checkout.

# The campaign that the loop works on: begun, with one frozen workload. Its ledger lies outside the project, so that the
# project's tree stays clean.
ledger() { client loop-ledger --root "$scratch/ledger" "$@"; }
campaign_begins() {
  cat >"$scratch/target.yaml" <<'TARGET'
schema: sota-loop.target/1
model: {id: sim-model, revision: simulated, tokenizer: words, precision: bf16}
hardware: {class: H100-80GB (simulated), gpu_count: 1}
threshold_ratio: 0.01
margin_ratio: 0.01
campaign: {framework: sglang, comparison: [vllm]}
TARGET
  client serve-bench freeze --dataset random --num-prompts 8 --input-len 16 --output-len 24 --seed 1 --quiet \
    --target "$scratch/target.yaml" --out "$scratch/workload.jsonl" --format json >"$scratch/freeze.json"
  ledger init --target "$scratch/target.yaml" --workload "$scratch/workload.jsonl" --format json >"$scratch/init.json"
}
# What Humanize reads, as the ledger renders it.
plan() { ledger humanize plan --format markdown; }
contract() { ledger humanize contract --round "$1" --format markdown; }
summary() { ledger humanize summary --round "$1" --format markdown; }

humanize() {
  local root=$HUMANIZE_ROOT reviewer=$scratch/reviewer campaign=$scratch/campaign loop criteria head
  local setup=$root/scripts/setup-rlcr-loop.sh stop_gate=$root/scripts/rlcr-stop-gate.sh
  [ -x "$setup" ] && [ -x "$stop_gate" ] ||
    wrong humanize-missing "HUMANIZE_ROOT has no scripts/setup-rlcr-loop.sh and scripts/rlcr-stop-gate.sh" \
      "git clone https://github.com/PolyArch/humanize, and set HUMANIZE_ROOT to that folder"
  for program in git jq python3 timeout loop-ledger serve-bench; do need "$program"; done
  mkdir -p "$reviewer" "$scratch/stub" "$campaign/.humanize/sota-loop"
  cp "$here/reviewer.sh" "$scratch/stub/codex"
  chmod +x "$scratch/stub/codex"
  client_path=$scratch/stub:$client_path
  cd "$campaign" || return
  in_repo() { client env REVIEWER="$reviewer" CLAUDE_PROJECT_DIR="$campaign" "$@"; }
  commit() { # commit FILE : one committed change
    echo change >"$1"
    in_repo git add "$1"
    in_repo git commit --quiet --message "change $1"
  }
  # gate EXIT TEXT : one attempt to stop; its exit code, and the first line of its answer must hold TEXT.
  gate() {
    local answer status=0
    answer=$(in_repo "$stop_gate" --project-root "$campaign" 2>"$scratch/gate.stderr") || status=$?
    answer=$(grep -m1 . <<<"$answer" || true)
    printf '  exit %2s  %s\n' "$status" "$answer"
    [ "$status" = "$1" ] && [[ $answer == *"$2"* ]] || {
      cat "$scratch/gate.stderr"
      wrong humanize-gate "the stop gate must exit $1 and say: $2" "compare with the lines above"
    }
  }
  # turn ROUND VERDICT… : writes what a round owes, commits its change, and lets the reviewer answer.
  turn() {
    [ -e "change-$1.txt" ] || ledger idea --idea "idea of round $1" --format json >"$scratch/idea.json"
    contract "$1" >"$loop/round-$1-contract.md"
    summary "$1" >"$loop/round-$1-summary.md"
    [ -e "change-$1.txt" ] || commit "change-$1.txt"
    # The reviewer's one command: the head that the summary names is an entry of the chain.
    head=$(sed -n 's/^Ledger-Head: //p' "$loop/round-$1-summary.md")
    ledger verify --anchor "$head" --format json >"$scratch/verify.json" ||
      wrong humanize-head "the summary of round $1 names the head ${head:-nothing}" "loop-ledger verify does not find it"
    shift
    printf '%s\n' "$@" >"$reviewer/exec"
  }

  # started EXIT : is the loop active, as the ledger's preflight sees it?
  started() {
    local status=0
    echo '$ loop-ledger preflight --runtime humanize --after-start'
    ledger preflight --runtime humanize --after-start --project "$campaign" --format markdown >"$scratch/started.md" || status=$?
    sed -n -e '/^|.*loop-/p' -e '1p' "$scratch/started.md"
    [ "$status" = "$1" ] || wrong humanize-started "the preflight exits $status, not $1" "compare with the lines above"
  }

  campaign_begins
  in_repo git init --quiet --initial-branch=main .
  in_repo git config user.name campaign
  in_repo git config user.email campaign@example.com
  commit README.md
  started 1
  plan >.humanize/sota-loop/refined-plan.md
  echo '$ loop-ledger humanize plan >.humanize/sota-loop/refined-plan.md'
  echo '$ setup-rlcr-loop.sh .humanize/sota-loop/refined-plan.md --yolo --base-branch main --max 12'
  in_repo "$setup" .humanize/sota-loop/refined-plan.md --yolo --base-branch main --max 12 >"$scratch/setup.log" 2>&1 ||
    { cat "$scratch/setup.log"; return 1; }
  loop=$(echo "$campaign"/.humanize/rlcr/*/)
  loop=${loop%/}
  started 0

  # Its tracker keeps 25 lines of criteria; a criterion that does not reach it is never judged.
  criteria=$(grep -c '^- AC-' .humanize/sota-loop/refined-plan.md)
  while read -r line; do
    grep -qxF -- "$line" "$loop/goal-tracker.md" ||
      wrong humanize-criterion "goal-tracker.md lacks: $line" "one line a criterion, at most 24 lines in all"
  done < <(grep '^- AC-' .humanize/sota-loop/refined-plan.md)
  echo "goal-tracker.md holds $criteria of $criteria acceptance criteria"

  echo '$ rlcr-stop-gate.sh, once a line'
  gate 10 'Round contract missing for round 0'
  contract 0 >"$loop/round-0-contract.md"
  gate 10 'Goal Tracker not initialized'
  sed -i 's/\[To be [^]]*\]/Fixed benchmark of every engine/' "$loop/goal-tracker.md"
  echo draft >change-0.txt
  gate 10 'uncommitted changes'
  rm change-0.txt
  turn 0
  rm "$reviewer/exec"
  gate 10 'Codex Review Failed'
  turn 0 'One finding.'
  gate 10 'missing Mainline Progress Verdict'
  # Humanize 1.16.0 keeps the first answer that came on stdout, and would judge it again.
  rm "$loop/round-0-review-result.md"
  turn 0 'Mainline Progress Verdict: ADVANCED' 'One finding.'
  gate 10 'Round 1/12'
  turn 1 'Mainline Progress Verdict: STALLED' 'Nothing moved.'
  gate 10 'Round 2/12'
  turn 2 'Mainline Progress Verdict: STALLED' 'Nothing moved.'
  gate 10 'Mainline drift detected'
  turn 3 'Mainline Progress Verdict: ADVANCED' 'COMPLETE'
  echo '- [P1] one defect in change-3.txt' >"$reviewer/review"
  gate 10 'Review Phase Round 4'
  turn 4
  echo 'No defect found.' >"$reviewer/review"
  gate 10 'Finalize Phase'
  summary 4 >"$loop/finalize-summary.md"
  gate 10 'Methodology Analysis'
  echo 'One attempt a round.' >"$loop/methodology-analysis-report.md"
  echo 'done' >"$loop/methodology-analysis-done.md"
  gate 0 'ALLOW'
  [ -f "$loop/complete-state.md" ] || wrong humanize-end 'complete-state.md is missing' 'the loop did not complete'
  echo 'every round brought contract and summary from loop-ledger humanize, and a head that loop-ledger verify finds'
  echo 'the reviewer was called as:'
  sort "$reviewer/calls" | uniq -c | sort -rn
}
