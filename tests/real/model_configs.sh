#!/usr/bin/env bash
# The reader of config.json, the formulas for memory and `capacity-plan estimate` on real model configurations: those that PyPI's aiconfigurator-core ships. They are fetched
# into target/ci once, and never committed. Needs cargo, python3 and a package index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "model_configs.sh: FAILED: $*" >&2; exit 1; }
# 117 files: 89 configurations and 28 hf_quant_config.json.
version=0.12.0
configs=$PWD/target/ci/model-configs/$version

if [ ! -d "$configs" ]; then
  tools=$PWD/target/ci/tools
  [ -x "$tools/bin/python" ] || python3 -m venv "$tools"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  # The platform is named, so that every machine takes the same wheel: only its data files are read.
  "$tools/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --implementation cp --python-version 3.11 --abi abi3 --platform manylinux_2_28_x86_64 \
    --dest "$scratch" "aiconfigurator-core==$version" || fail 'pip download'
  "$tools/bin/python" - "$scratch" <<'PY' || fail 'the wheel has no model_configs'
import pathlib, sys, zipfile
scratch = pathlib.Path(sys.argv[1])
wheel, = scratch.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if name.startswith("aiconfigurator_core/model_configs/")]
    archive.extractall(scratch, names)
PY
  mkdir -p "${configs%/*}"
  # Whole or not at all.
  mv "$scratch/aiconfigurator_core/model_configs" "$configs.new"
  mv "$configs.new" "$configs"
fi

found=$(find "$configs" -type f | wc -l)
[ "$found" = 117 ] || fail "aiconfigurator-core $version has $found files in model_configs instead of 117"
SOTA_LOOP_MODEL_CONFIGS=$configs cargo test -p model-config --locked --quiet -- \
  --ignored --exact --nocapture real::every_file_of_the_wheel_is_read || fail 'a configuration is not read as it is'
SOTA_LOOP_MODEL_CONFIGS=$configs cargo test -p capacity --locked --quiet -- \
  --ignored --exact --nocapture real::tokens_and_weights_of_real_models || fail 'bytes or weights are not those counted by hand'
SOTA_LOOP_MODEL_CONFIGS=$configs cargo test -p capacity-plan --locked --quiet -- \
  --ignored --exact --nocapture estimate::every_configuration_of_the_wheel_is_estimated || fail 'a configuration is not estimated'
echo "model_configs.sh: ok: $found files of aiconfigurator-core $version"
