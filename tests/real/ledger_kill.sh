#!/usr/bin/env bash
# A thousand commands of loop-ledger killed at random instants, every byte of a small campaign changed, and 10,000 entries
# read and checked: the figures of the ledger's guarantees, printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

LOOP_LEDGER_KILLS=1000 cargo test --locked --release -p loop-ledger --test it -- --nocapture --exact \
  kills::killed_at_any_instant_no_finished_entry_is_lost writers::eight_writers_tear_no_line_and_break_no_chain |
  grep -E '^[0-9]+ (kills|concurrent)|^test result'
LOOP_LEDGER_BYTES=all cargo test --locked --release -p loop-ledger --test it -- --nocapture --exact \
  bytes::a_changed_byte_anywhere_is_found_with_its_place | grep -E '^[0-9]+ of|^test result'
cargo run --locked --quiet --release -p loop-ledger --example verify_bench
