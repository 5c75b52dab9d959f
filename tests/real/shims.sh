#!/usr/bin/env bash
# The plugin's shims find an installed binary in each of their places, in order, and otherwise say how to install it.
# Needs python3 (to read JSON) and nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=0
fail() { echo "shims.sh: FAILED: $*" >&2; exit 1; }
passed() { checks=$((checks + 1)); echo "shims.sh: ok: $*"; }

# The copy has a quote and a space in its path, as a user's home folder may.
plugin="$scratch/the \"plugin\""
mkdir -p "$plugin"
cp -R bin "$plugin/bin"

# A stand-in binary that says where it lies, and hands its arguments and its exit code through.
plant() {
  mkdir -p "$1"
  printf '#!/bin/sh\nprintf "%%s" "%s"\nfor a in "$@"; do printf " <%%s>" "$a"; done\necho\nexit 3\n' "$2" >"$1/serve-bench"
  chmod +x "$1/serve-bench"
}
plant "$scratch/set" set
plant "$scratch/data/bin/$(uname -m)-unknown-linux-gnu" data
plant "$scratch/path" path
base=/usr/bin:/bin
run() { # run ENV... : the shim on PATH, as an agent calls it; output in $out, status in $status
  set +e
  out=$(env -i "$@" sh -c 'serve-bench run --url "a b" ""' 2>"$scratch/stderr")
  status=$?
  set -e
}
expect() { [ "$status $out" = "3 $1 <run> <--url> <a b> <>" ] || fail "$2: got status $status and: $out"; passed "$2"; }

run PATH="$plugin/bin:$scratch/path:$base" SOTA_LOOP_BIN="$scratch/set" CLAUDE_PLUGIN_DATA="$scratch/data"
expect set 'SOTA_LOOP_BIN wins; arguments and exit code pass through'
run PATH="$plugin/bin:$scratch/path:$base" CLAUDE_PLUGIN_DATA="$scratch/data"
expect data 'then CLAUDE_PLUGIN_DATA'
run PATH="$plugin/bin:$scratch/path:$base" CLAUDE_PLUGIN_DATA="$scratch/nothing"
expect path 'then PATH, past the shim itself'
cp -R "$plugin" "$scratch/older"
ln -s "$scratch/older/bin" "$scratch/alias"
run PATH="$plugin/bin:$scratch/older/bin:$scratch/alias:$plugin/bin:$scratch/path:$base"
expect path 'two installed plugins do not call each other'

missing() { # missing NAME : the document and the message of the last run
  [ "$status" = 4 ] || fail "$1: exit $status instead of 4"
  printf '%s\n' "$out" | python3 -c '
import json, sys
document, = [json.loads(line) for line in sys.stdin]
keys = ["schema", "code", "message", "hint", "retryable", "next_actions"]
assert list(document) == keys, list(document)
assert document["schema"] == "error/1" and document["code"] == "companion-missing" and document["retryable"] is False
commands = [action["command"] for action in document["next_actions"]]
assert [command[0] for command in commands] == ["uv", "pipx", "cargo"], commands
assert all(sys.argv[1] in command[-1] for command in commands), commands
assert all(sorted(action) == ["command", "why"] for action in document["next_actions"])
' "$plugin" || fail "$1: the document is wrong: $out"
  grep -q '^error\[companion-missing\]: ' "$scratch/stderr" || fail "$1: no error line on stderr"
  grep -q '^hint: ' "$scratch/stderr" || fail "$1: no hint on stderr"
  passed "$1"
}
run PATH="$plugin/bin:$base"
missing 'nothing installed: one error/1 document with three install commands, exit 4'
run PATH="$plugin/bin:$scratch/older/bin:$base"
[ "$status" = 4 ] || fail "two plugins and no binary: exit $status instead of 4"
passed 'two plugins and no binary end at the error'
run PATH="$plugin/bin:$scratch/path:$base" SOTA_LOOP_BIN="$scratch/nothing"
missing 'a wrong SOTA_LOOP_BIN is said, not replaced'

# Every tool of the wheel has its shim, executable, and all shims are the same few lines.
tools=$(sed -n '/^\[\[bin\]\]/,/^name/s/^name = "\(.*\)"$/\1/p' crates/sota-loop/Cargo.toml)
[ -n "$tools" ] || fail 'crates/sota-loop/Cargo.toml names no binary'
for tool in $tools; do
  [ -x "bin/$tool" ] || fail "bin/$tool is missing or not executable; copy bin/serve-bench"
  cmp -s bin/serve-bench "bin/$tool" || fail "bin/$tool differs from bin/serve-bench"
done
for shim in bin/*; do
  case " ${tools//$'\n'/ } shim.sh " in *" ${shim#bin/} "*) ;; *) fail "$shim stands for no binary of the wheel" ;; esac
done
passed "one shim for each of: ${tools//$'\n'/ }"

# The manifests: readable, one version with the workspace, the plugin lies where the marketplace says.
python3 - <<'PY' || fail 'the manifests in .claude-plugin'
import json, pathlib, re
workspace = re.search(r'^version = "(.*)"$', pathlib.Path("Cargo.toml").read_text(), re.M).group(1)
plugin = json.load(open(".claude-plugin/plugin.json"))
market = json.load(open(".claude-plugin/marketplace.json"))
assert plugin["version"] == workspace, (plugin["version"], workspace)
assert market["description"] and market["owner"]["name"]
entry, = market["plugins"]
assert (entry["name"], entry["version"], entry["source"]) == (plugin["name"], workspace, "./"), entry
PY
passed 'plugin.json and marketplace.json agree with the workspace'
echo "shims.sh: $checks checks passed"
