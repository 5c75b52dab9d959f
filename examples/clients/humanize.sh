# shellcheck shell=bash disable=SC2154 # scratch and here are the caller's
#
# Humanize's RLCR loop, from its own setup script and stop gate, with a reviewer of ours instead of a model; sourced by
# run.sh. Nothing of Humanize is in this repository: HUMANIZE_ROOT names a checkout.

# What the loop is given. These three are the only places that know how the documents look.
plan() {
  cat <<'PLAN'
# Plan

## Goal Description

Bring ours to the level of the fastest engine of the target's comparison set, on the locked workload.
State, evidence and budget live in the ledger; a claim without an entry there does not count.

## Acceptance Criteria

- AC-1: `loop-ledger verify` exits 0
- AC-2: `loop-ledger may baseline` exits 0 before the fixed benchmark
- AC-3: `loop-ledger may profile` exits 0 before a profile is taken
- AC-4: `loop-ledger may patch` exits 0 before a file of the engine is changed
- AC-5: `loop-ledger may revalidate` exits 0 after every accepted change
- AC-6: every attempt has one change and a cleanup record: `loop-ledger status` names none that is open
- AC-7: `loop-ledger done` exits 0

## Rounds

A round here is one attempt of the campaign, not the whole plan: a round is complete when its attempt has ended in the
ledger. The reviewer runs `loop-ledger verify` and `loop-ledger status --brief`, and answers REGRESSED if one exits non-zero.

## Task Breakdown

| Task | Target AC | Tag |
|---|---|---|
| Fixed benchmark of every engine of the comparison set | AC-2 | coding |
| Where the gap comes from, with rows of stored documents | AC-3 | analyze |
| One change, measured again on the locked workload | AC-4, AC-5, AC-6 | coding |
PLAN
}
contract() { # contract ROUND
  cat <<CONTRACT
# Round $1 Contract

- Mainline Objective: attempt a-000$1, one change
- Target ACs: AC-4, AC-5
- Blocking Side Issues In Scope: none
- Queued Side Issues Out of Scope: none
- Success Criteria: \`loop-ledger may revalidate\` exits 0
CONTRACT
}
summary() { # summary ROUND
  cat <<SUMMARY
# Round $1 Summary

## What Was Implemented
Attempt a-000$1.

## Files Changed
- change-$1.txt

## Validation
- \`loop-ledger verify\` exits 0

## Remaining Items
- none

## BitLesson Delta
- Action: none
- Lesson ID(s): NONE
- Notes: none
SUMMARY
}

humanize() {
  local root=$HUMANIZE_ROOT reviewer=$scratch/reviewer campaign=$scratch/campaign loop criteria
  local setup=$root/scripts/setup-rlcr-loop.sh stop_gate=$root/scripts/rlcr-stop-gate.sh
  [ -x "$setup" ] && [ -x "$stop_gate" ] ||
    wrong humanize-missing "HUMANIZE_ROOT has no scripts/setup-rlcr-loop.sh and scripts/rlcr-stop-gate.sh" \
      "git clone https://github.com/PolyArch/humanize, and set HUMANIZE_ROOT to that folder"
  for program in git jq python3 timeout; do need "$program"; done
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
    contract "$1" >"$loop/round-$1-contract.md"
    summary "$1" >"$loop/round-$1-summary.md"
    [ -e "change-$1.txt" ] || commit "change-$1.txt"
    shift
    printf '%s\n' "$@" >"$reviewer/exec"
  }

  in_repo git init --quiet --initial-branch=main .
  in_repo git config user.name campaign
  in_repo git config user.email campaign@example.com
  commit README.md
  plan >.humanize/sota-loop/refined-plan.md
  echo '$ setup-rlcr-loop.sh .humanize/sota-loop/refined-plan.md --yolo --base-branch main --max 12'
  in_repo "$setup" .humanize/sota-loop/refined-plan.md --yolo --base-branch main --max 12 >"$scratch/setup.log" 2>&1 ||
    { cat "$scratch/setup.log"; return 1; }
  loop=$(echo "$campaign"/.humanize/rlcr/*/)
  loop=${loop%/}
  grep -E '^(current_round|ask_codex_question|max_iterations):' "$loop/state.md"
  grep -qx 'current_round: 0' "$loop/state.md" && grep -qx 'ask_codex_question: false' "$loop/state.md" &&
    [ -s "$loop/round-0-prompt.md" ] || wrong humanize-setup 'the loop is not at round 0' 'read the lines above'

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
  echo 'the reviewer was called as:'
  sort "$reviewer/calls" | uniq -c | sort -rn
}
