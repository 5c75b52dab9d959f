#!/usr/bin/env bash
# examples/install.sh brings every tool with its man pages and completions, from this checkout into a folder of its own.
# Needs cargo. After `cargo build --release` of the tools little is left to build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "install.sh: FAILED: $*" >&2; exit 1; }
passed() { echo "install.sh: ok: $*"; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A home folder may have a space in its path.
root="$scratch/a root"

for wrong in --root --git '--root=x' extra; do
  set +e
  bash examples/install.sh "$wrong" >/dev/null 2>"$scratch/stderr"
  status=$?
  set -e
  [ $status = 2 ] || fail "$wrong ends with $status"
  grep -q '^error\[usage\]: ' "$scratch/stderr" || fail "$wrong: $(cat "$scratch/stderr")"
done
passed 'what it does not know is usage'

# Called from elsewhere, with a folder that is not absolute.
(cd "$scratch" && bash "$OLDPWD/examples/install.sh" --root 'a root') >"$scratch/log" 2>&1 ||
  { tail -n 30 "$scratch/log" >&2; fail 'it does not install'; }

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
tools=$(cd crates/sota-loop/src/bin && for file in *.rs; do echo "${file%.rs}"; done)
[ -n "$tools" ] || fail 'crates/sota-loop/src/bin has no binary'
for tool in $tools; do
  grep -q "^  bin/$tool  *$tool $version\$" "$scratch/log" || fail "the report lacks $tool $version: $(cat "$scratch/log")"
  for file in "bin/$tool" "share/man/man1/$tool.1" "share/bash-completion/completions/$tool" \
    "share/zsh/site-functions/_$tool" "share/fish/vendor_completions.d/$tool.fish"; do
    [ -s "$root/$file" ] || fail "there is no $file"
  done
  bash -n "$root/share/bash-completion/completions/$tool" || fail "bash cannot read the completions of $tool"
done
passed "installed with pages and completions: ${tools//$'\n'/ }"

# As bash calls it at `serve-bench compare --clear<TAB>`: the flags of a sub-command, behind a name with a hyphen.
found=$(bash -c '
  source "$1/share/bash-completion/completions/serve-bench"
  function=$(complete -p serve-bench | sed "s/.*-F \([^ ]*\) .*/\1/")
  COMP_WORDS=(serve-bench compare --clear) COMP_CWORD=2
  "$function" serve-bench --clear compare
  echo "${COMPREPLY[*]}"' - "$root")
[ "$found" = --clear-env ] || fail "bash completes: $found"
passed 'bash completes the flags of a sub-command'

# The line that it prints is all that is missing.
line=$(grep '^  export PATH=' "$scratch/log") || fail 'it does not say what to add to PATH'
where=$(bash -c "$line; command -v serve-bench")
[ "$where" = "$root/bin/serve-bench" ] || fail "with $line, serve-bench is $where"
passed 'the line for PATH puts the tools there'
