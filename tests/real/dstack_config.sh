#!/usr/bin/env bash
# `config-search check-config` against the parser of the real dstack package: the facts that it was built with are those of the
# package, every case of dstack_configs.yaml and thousands made of them get the same verdict from both, and the example passes.
# Needs Python with venv and PyPI (dstack[server]), and config-search: from $SOTA_LOOP_BIN, or built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "dstack_config.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p config-search
search=${SOTA_LOOP_BIN:-$PWD/target/release}/config-search
[ -x "$search" ] || fail "there is no $search"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
venv=${DSTACK_VENV:-$scratch/venv}
if [ ! -x "$venv/bin/dstack" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'dstack[server]==0.22.5' || fail 'dstack cannot be installed'
fi
"$venv/bin/python" tests/real/dstack_facts.py >"$scratch/facts.json"
diff --brief "$scratch/facts.json" crates/config-search/src/dstack/facts.json \
  || fail 'the facts are not those of the package: tests/real/dstack_facts.py says how they are made'
"$venv/bin/python" tests/real/dstack_config.py "$search" tests/real/dstack_configs.yaml "$scratch" || fail 'dstack has another verdict'
"$search" check-config examples/real-engine/service.yml sessions/examples/dstack-*.yml --format json >"$scratch/example.json" \
  || fail "the examples do not pass: $(cat "$scratch/example.json")"
echo 'dstack_config.sh: ok'
