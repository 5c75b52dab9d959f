#!/usr/bin/env bash
# The ledger's guarantees at full length: a thousand commands killed at random instants, eight writers at once, every byte
# of a small campaign changed, and a ledger of 10,000 entries verified. Needs the root of a campaign that has ended
# (examples/sota-loop-offline/run.sh ROOT), and cargo.
#
#   ledger.sh ROOT      SOTA_LOOP_BIN names the folder of the binaries; without it loop-ledger is built, optimised.
#                       LOOP_LEDGER_VERIFY_S is the limit of verifying, in CPU seconds (1.0, of an optimised build).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "ledger.sh: FAILED: $*" >&2; exit 1; }
campaign=${1:?the root of a campaign}
[ -f "$campaign/ledger.jsonl" ] || fail "there is no campaign in $campaign"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Three tests of the workspace at full length, as `cargo test --workspace` has built them, side by side; each wants its figure.
names=(kills::killed_at_any_instant_no_finished_entry_is_lost writers::eight_writers_tear_no_line_and_break_no_chain
  bytes::a_changed_byte_anywhere_is_found_with_its_place)
LOOP_LEDGER_KILLS=1000 LOOP_LEDGER_BYTES=all cargo test --workspace --locked --quiet --test it -- --nocapture --exact "${names[@]}" \
  >"$scratch/log" 2>&1 || { tail -n 40 "$scratch/log" >&2; fail "${names[*]}"; }
# Not at the start of a line: the harness prints a dot for each test that has passed.
for figure in '1000 kills: .*; 0 lost, 0 chain breaks' '8 concurrent.*' '([0-9]+) of \1 bytes .*'; do
  grep -oE "$figure" "$scratch/log" || fail "a test did not run: no line says /$figure/"
done

cp -R "$campaign" "$scratch/root"
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p loop-ledger
bin=${SOTA_LOOP_BIN:-$PWD/target/release}
# Built by `cargo test --workspace`, as every example is.
target/debug/examples/grow_ledger "$scratch/root" 10000
TIMEFORMAT='%U %S'
{ time "$bin/loop-ledger" --root "$scratch/root" --format json verify >"$scratch/verify.json"; } 2>"$scratch/times" ||
  { cat "$scratch/verify.json" "$scratch/times" >&2; fail 'the grown ledger does not verify'; }
spent=$(tail -n 1 "$scratch/times" | awk '{ print $1 + $2 }')
limit=${LOOP_LEDGER_VERIFY_S:-1.0}
awk -v spent="$spent" -v limit="$limit" 'BEGIN { exit !(spent <= limit) }' ||
  fail "loop-ledger verify took $spent CPU s, the limit is $limit"
echo "ledger.sh: ok: 10,000 entries and their evidence verified in $spent CPU s"
