#!/usr/bin/env bash
# One wheel with every binary: builds it for manylinux2014, installs it with pip and with uv into clean places, and runs
# each binary from there. Needs on PATH: cargo, maturin with ziglang, uv, python3 (.ci/run installs them).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "wheel.sh: FAILED: $*" >&2; exit 1; }
for program in cargo maturin uv python3; do
  command -v "$program" >/dev/null || fail "$program is not on PATH; the step 'tools' of .ci/run installs it"
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tools=$(sed -n '/^\[\[bin\]\]/,/^name/s/^name = "\(.*\)"$/\1/p' crates/sota-loop/Cargo.toml)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ -n "$tools" ] || fail 'crates/sota-loop/Cargo.toml names no binary'

# Packaging is what is tested here: without optimisation the build takes a third of its time. A wheel to publish is built without the two variables.
# ziglang is the linker and C compiler (ring has C), so the wheel asks for glibc 2.17 wherever it was built.
CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
  maturin build --release --locked --zig --compatibility manylinux_2_17 --out "$scratch/wheels" >"$scratch/build.log" 2>&1 ||
  { tail -n 30 "$scratch/build.log" >&2; fail 'maturin build'; }
wheel=$(ls "$scratch"/wheels/*.whl)
case $wheel in
  */sota_loop-"$version"-py3-none-manylinux*2_17_*.whl) ;;
  *) fail "${wheel##*/} is not named for version $version and manylinux_2_17" ;;
esac
echo "wheel.sh: ok: ${wheel##*/}, $(du -k "$wheel" | cut -f1) KiB"

# check FOLDER HOW: each binary runs from there, with nothing of this checkout beside it.
check() {
  local tool
  for tool in $tools; do
    [ -x "$1/$tool" ] || fail "$2 left no executable $tool"
    # A flag that is not understood would start a server: no call may take long.
    got=$(timeout 20 "$1/$tool" --version) || fail "$tool --version, installed by $2"
    [ "$got" = "$tool $version" ] || fail "$tool --version, installed by $2, says: $got"
    timeout 20 "$1/$tool" --help | grep -q 'Exit codes:' || fail "$tool --help, installed by $2, does not end with the exit codes"
    timeout 20 "$1/$tool" --schema | python3 -c 'import json, sys; json.load(sys.stdin)["properties"]["schema"]' ||
      fail "$tool --schema, installed by $2, prints no schema"
    # Each binary carries the skill that teaches it, the same bytes as the file.
    if [ -f "skills/$tool/SKILL.md" ]; then
      timeout 20 "$1/$tool" --skill | cmp -s - "skills/$tool/SKILL.md" || fail "$tool --skill differs from skills/$tool/SKILL.md"
    fi
  done
  echo "wheel.sh: ok: installed by $2: ${tools//$'\n'/ }"
}

python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index "$wheel" || fail 'pip install'
check "$scratch/venv/bin" pip

UV_TOOL_DIR=$scratch/uv-tools UV_TOOL_BIN_DIR=$scratch/uv-bin UV_CACHE_DIR=$scratch/uv-cache \
  uv tool install --quiet --offline --no-python-downloads "$wheel" || fail 'uv tool install'
check "$scratch/uv-bin" 'uv tool install'

# A tool that needs another finds it beside itself, from any folder and with an almost empty environment.
# Exits 1 and 5 are a missed limit of accuracy and a busy machine: a matter of the machine's other work, and no matter of the package.
status=0
(cd "$scratch" && env -i PATH=/usr/bin:/bin HOME="$scratch" "$scratch/uv-bin/serve-bench" selftest --format json \
  -o "$scratch/selftest.json" >/dev/null) || status=$?
case $status in 0 | 1 | 5) ;; *) fail "serve-bench selftest of the installed wheel ended with exit code $status" ;; esac
python3 - "$scratch/selftest.json" <<'PY' || fail 'the document of serve-bench selftest'
import json, sys
document = json.load(open(sys.argv[1]))
assert document["schema"] == "serve-bench.selftest/1" and document["complete"] is True, document["schema"]
traps = document["data"]["traps"]
assert len(traps) > 20 and all(trap["passed"] for trap in traps), [trap for trap in traps if not trap["passed"]]
PY
echo 'wheel.sh: ok: serve-bench selftest from the wheel starts the packed engine-sim'
