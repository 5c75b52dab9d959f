#!/usr/bin/env bash
# What real agent clients make of this repository: Claude Code, Codex, two skill validators and Humanize.
#
#   run.sh [CLIENTS_DIR [OUTPUT_FILE]]      defaults: target/clients (see setup.sh), OUTPUT.md beside this script
#   HUMANIZE_ROOT=FOLDER                    a checkout of github.com/PolyArch/humanize, for the last check
#   SOTA_LOOP_BIN=FOLDER                    installed binaries; without it those of target/release are brought up to date
#
# Everything runs in a network namespace with loopback only, each client with a cleared environment and a scratch HOME:
# no settings or accounts of this machine, no login, no conversation with a model. Prints a table, writes OUTPUT_FILE,
# and exits 1 when a check failed; a missing part is a failure. What lies in skills/ is checked, whatever it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
clients=${1:-$repo/target/clients}
output=${2:-$here/OUTPUT.md}
bin=${SOTA_LOOP_BIN:-$repo/target/release}

wrong() { # wrong CODE MESSAGE HINT : ends a check, or the script
  printf 'error[%s]: %s\nhint: %s\n' "$1" "$2" "$3" >&2
  exit 4
}

[ -f "$clients/versions.txt" ] || wrong clients-missing "there are no clients in $clients" "bash examples/clients/setup.sh $clients"
clients=$(cd "$clients" && pwd)
if [ -z "${CLIENTS_OFFLINE:-}" ]; then
  # Free when they are up to date; an old binary would pass for today's.
  [ -n "${SOTA_LOOP_BIN:-}" ] ||
    (cd "$repo" && cargo build --release --locked --quiet -p serve-bench -p engine-sim -p loop-ledger)
  # "Offline" is enforced, not promised: this script starts itself again where no route leads out.
  export CLIENTS_OFFLINE=1
  again=(bash "$0" "$clients" "$output")
  if [ "$(id -u)" = 0 ]; then
    exec unshare --net bash -c 'ip link set lo up && exec "$@"' - "${again[@]}"
  fi
  # Root for as long as loopback is set up, then the same user as before: Codex keeps a folder for each user in /tmp.
  exec unshare --map-root-user --net bash -c 'ip link set lo up && exec "$@"' - \
    unshare --map-user="$(id -u)" --map-group="$(id -g)" "${again[@]}"
fi
[ "$(wc -l </proc/net/route)" = 1 ] ||
  wrong network-reachable "a route leads out of this machine" "unset CLIENTS_OFFLINE; run.sh sets it in a network namespace of its own"

# Outside the repository: Codex names a skill after the nearest plugin.json above it, its own built-in skills included.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch"/{home,claude,codex,tmp,tree,empty,logs}
client_path=$clients/bin:$bin:/usr/local/bin:/usr/bin:/bin
# The tree as Git sees it: what a clone would hold, were everything committed.
(cd "$repo" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --no-same-owner --directory "$scratch/tree")
plugin=$("$clients/venv/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["name"])' "$repo/.claude-plugin/plugin.json")

# --- what the checks are written with ---------------------------------------------------------------------------------

client() { # client COMMAND… : with nothing of this machine but the system's programs
  # TMPDIR: below the system's own, Codex puts no helper programs and warns.
  env -i HOME="$scratch/home" TMPDIR="$scratch/tmp" PATH="$client_path" LANG=C.UTF-8 TERM=dumb NO_COLOR=1 \
    GIT_CONFIG_NOSYSTEM=1 CLAUDE_CONFIG_DIR="$scratch/claude" CODEX_HOME="$scratch/codex" "$@" </dev/null
}
need() { # need PROGRAM
  PATH=$client_path command -v "$1" >/dev/null ||
    wrong "$1-missing" "$1 is not in ${client_path//:/, }" "bash examples/clients/setup.sh, or install it from the distribution"
}
call() { # call EXIT COMMAND… : prints the command and its output, which stays in $scratch/stdout; the exit code must be EXIT
  quietly "$@"
  cat "$scratch/stdout" "$scratch/stderr"
}
quietly() { # quietly EXIT COMMAND… : the same, and prints the output only when the exit code is another
  local want=$1 status=0
  shift
  printf '$ %s\n' "$*"
  need "$1"
  client "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
  echo "$status" >"$scratch/status"
  [ "$status" = "$want" ] || {
    cat "$scratch/stdout" "$scratch/stderr"
    wrong unexpected-exit "$1 ended with exit code $status, not $want" "read its output above"
  }
}
refused() { # refused WHAT COMMAND… : a check that accepts anything proves nothing
  local what=$1
  shift
  ! client "$@" >"$scratch/control" 2>&1 || wrong control-accepted "$1 accepts $what" "the check proves nothing until it refuses that"
  echo "control: $1 refuses $what"
}
judge() { # judge FILE… : the Python program on stdin, with FILEs, the plugin's name and the skills' folder as arguments
  "$clients/venv/bin/python" - "$@" "$plugin" "$scratch/tree/skills"
}
engine() { # engine : a simulated engine until the check ends; sets $url
  local ready=
  need engine-sim
  # Not through client: the pid has to be the engine's, not that of a shell around it.
  env -i HOME="$scratch/home" PATH="$client_path" engine-sim --script '{"defaults": {"ttft_ms": 5, "itl_ms": 1}}' \
    </dev/null >"$scratch/ready.json" 2>"$scratch/engine.log" &
  # shellcheck disable=SC2064 # the pid of now
  trap "kill $!; wait $! || true" EXIT
  for _ in $(seq 200); do
    read -r ready <"$scratch/ready.json" && break
    sleep 0.05
  done
  url=${ready#*'"url":"'} url=${url%%'"'*}
  [ -n "$url" ] || { cat "$scratch/engine.log"; wrong engine-not-ready "engine-sim did not start" "read its log above"; }
}

# --- the checks: one function each --------------------------------------------------------------------------------------

claude_validate_marketplace() {
  cd "$scratch/tree"
  call 0 claude plugin validate --strict .
}

# The line above reads the marketplace file alone; this one the plugin with its skills.
claude_validate_plugin() {
  cd "$scratch/tree"
  call 0 claude plugin validate --strict .claude-plugin/plugin.json
  cp -R "$scratch/tree" "$scratch/broken"
  printf -- '---\nname: broken\ndescription: a: b: c\n---\n' >"$scratch/broken/skills/$(basename "$(find skills -mindepth 1 -maxdepth 1 -type d -print -quit)")/SKILL.md"
  refused 'a skill with broken front matter' claude plugin validate --strict "$scratch/broken/.claude-plugin/plugin.json"
}

claude_install() {
  cd "$scratch/empty"
  call 0 claude plugin marketplace add "$scratch/tree"
  call 0 claude plugin install "$plugin@$plugin"
  call 0 claude plugin details "$plugin"
  judge "$scratch/stdout" <<'PY'
import json, pathlib, re, sys
text, folder = open(sys.argv[1]).read(), pathlib.Path(sys.argv[3])
skills = {path.parent.name for path in folder.glob("*/SKILL.md")}
count, names = re.search(r"Skills \((\d+)\)\s+(.*)", text).groups()
listed = {name.strip() for name in names.split(",")}
assert listed == skills and int(count) == len(skills), f"listed {sorted(listed)}, in skills/ {sorted(skills)}"
cost = {name: float(tokens) * (1000 if kilo else 1)
        for name, tokens, kilo in re.findall(r"^ +([a-z0-9-]+) +(?:~|< )[\d.]+k? +(?:~|< )([\d.]+)(k?)$", text, re.M)}
assert set(cost) == skills, f"no cost for {sorted(skills - set(cost))}"
heavy = {name: tokens for name, tokens in cost.items() if tokens > 3000}
assert not heavy, f"over 3,000 tokens: {heavy}"
declared = folder.parent / "hooks" / "hooks.json"
events = set(json.loads(declared.read_text())["hooks"]) if declared.exists() else set()
shown = set(re.findall(r"[A-Z][A-Za-z]+", re.search(r"^ +Hooks \(\d+\)([^(\n]*)", text, re.M)[1]))
assert shown == events, f"hooks listed {sorted(shown)}, declared {sorted(events)}"
print(f"{len(skills)} of {len(skills)} skills and {len(shown)} hooks listed, the longest skill costs about {max(cost.values()):.0f} tokens")
PY
}

codex_install() {
  cd "$scratch/empty"
  call 0 codex plugin marketplace add "$scratch/tree" --json
  call 0 codex plugin add "$plugin@$plugin"
}

# What Codex would show a model: every skill of ours, its description whole.
codex_discovery() {
  cd "$scratch/empty"
  client git init --quiet .
  quietly 0 codex debug prompt-input hello
  judge "$scratch/stdout" <<'PY'
import json, pathlib, re, sys
from skills_ref import read_properties
prompt, plugin, folder = sys.argv[1:]
texts = [part["text"] for item in json.load(open(prompt)) for part in item.get("content", []) if "text" in part]
listing, = [text for text in texts if "<skills_instructions>" in text]
ours = re.findall(rf"^- {re.escape(plugin)}:(\S+): (.*) \(file: ", listing, re.M)
skills = {path.parent.name: read_properties(path.parent) for path in pathlib.Path(folder).glob("*/SKILL.md")}
assert {name for name, _ in ours} == set(skills), f"listed {sorted(n for n, _ in ours)}, in skills/ {sorted(skills)}"
for name, shown in ours:
    assert shown == " ".join(skills[name].description.split()), f"the description of {name} is cut or changed: {shown}"
size = sum(len(line) + 1 for line in listing.splitlines() if line.startswith(f"- {plugin}:"))
assert size < 6000, f"the catalogue has {size} characters"
print(*(line for line in listing.splitlines() if line.startswith(f"- {plugin}:")), sep="\n")
print(f"{len(ours)} of {len(skills)} skills listed, no description cut, {size} characters of a catalogue below 6000")
PY
}

codex_sandbox_off() {
  engine
  cd "$scratch/empty"
  call 4 codex sandbox -c 'sandbox_mode="workspace-write"' -- serve-bench probe --url "$url" --format json
  judge "$scratch/stdout" <<'PY'
import json, sys
code = json.load(open(sys.argv[1]))["code"]
assert code == "sandboxed-network", code
PY
}

codex_sandbox_on() {
  engine
  cd "$scratch/empty"
  call 0 codex sandbox -c 'sandbox_mode="workspace-write"' -c sandbox_workspace_write.network_access=true -- \
    serve-bench probe --url "$url" --format markdown
}

agentskills_validate() {
  local folder
  cd "$scratch/tree"
  for folder in skills/*/; do call 0 agentskills validate "${folder%/}"; done
  cp -R "${folder%/}" "$scratch/other-name"
  refused 'a skill in a folder of another name' agentskills validate "$scratch/other-name"
}

skillsaw_lint() {
  cd "$scratch/tree"
  call 0 skillsaw lint --no-progress --no-color .
  grep -qE 'Errors: +0$' "$scratch/stdout" || wrong skillsaw-errors "skillsaw counts errors" "read its output above"
}

. "$here/humanize.sh"

checks=(
  'claude plugin validate --strict .|claude_validate_marketplace'
  'claude plugin validate --strict .claude-plugin/plugin.json|claude_validate_plugin'
  'claude plugin marketplace add, install, details|claude_install'
  'codex plugin marketplace add, add|codex_install'
  'codex debug prompt-input|codex_discovery'
  'codex sandbox, network off|codex_sandbox_off'
  'codex sandbox, network on|codex_sandbox_on'
  'agentskills validate|agentskills_validate'
  'skillsaw lint|skillsaw_lint'
  'Humanize: setup to completion|humanize'
)

# --- the runner ---------------------------------------------------------------------------------------------------------

literal() { sed 's/[][\.*^$|]/\\&/g' <<<"$1"; } # for the left side of s|…|…|
clean() { # nothing of this machine, nothing that differs from run to run
  sed -E -e 's/\x1b\[[0-9;]*m//g' -e 's/[[:space:]]+$//' |
    sed -e "s|$(literal "$scratch")|SCRATCH|g" -e "s|$(literal "$clients")|CLIENTS|g" -e "s|$(literal "$repo")|REPOSITORY|g" \
      -e "s|$(literal "${HUMANIZE_ROOT:-HUMANIZE_ROOT}")|HUMANIZE_ROOT|g" |
    sed -E -e 's/127\.0\.0\.1:[0-9]+/127.0.0.1:PORT/g' -e 's/(Took: +)[0-9.]+m?s/\1TIME/' \
      -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T_][0-9]{2}[:-][0-9]{2}[:-][0-9]{2}(\.[0-9]+)?Z?/TIME/g' \
      -e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g' -e 's/\b[0-9a-f]{40}\b/COMMIT/g'
}

failed=0 not_run=0 passed=0
rows=('| check | exit code | seconds | verdict |' '|---|---|---|---|')
for line in "${checks[@]}"; do
  name=${line%%|*} check=${line##*|} log=$scratch/logs/${line##*|}
  if [ "$check" = humanize ] && [ -z "${HUMANIZE_ROOT:-}" ]; then
    rows+=("| $name | - | - | not run: set HUMANIZE_ROOT |")
    not_run=$((not_run + 1))
    echo 'not run: set HUMANIZE_ROOT to a checkout of github.com/PolyArch/humanize' >"$log"
    continue
  fi
  rm -f "$scratch/status"
  begun=${EPOCHREALTIME/[.,]/}
  # A subshell of its own, so that -e holds inside the check (it would not behind `if` or `||`).
  set +e
  (set -e; "$check") >"$log" 2>&1
  status=$?
  set -e
  spent=$(((${EPOCHREALTIME/[.,]/} - begun + 500000) / 1000000))
  if [ "$status" = 0 ]; then verdict=ok passed=$((passed + 1)); else verdict=FAILED failed=$((failed + 1)); fi
  rows+=("| $name | $(cat "$scratch/status" 2>/dev/null || echo "$status") | $([ "$spent" = 0 ] && echo '< 1' || echo "$spent") | $verdict |")
  [ "$status" = 0 ] || { printf '\n%s:\n' "$name"; cat "$log"; echo; } >&2
done
# Whatever was started here has a HOME in the scratch folder.
left=$(grep -lsF "HOME=$scratch/home" /proc/[0-9]*/environ || true)
[ -z "$left" ] || wrong left-running "a check left a process running: $left" "end it by its pid, and the check that started it with it"
total="$passed passed, $failed failed$([ "$not_run" = 0 ] || echo ", $not_run not run: set HUMANIZE_ROOT")"

{
  printf '# Output of run.sh\n\nWritten by `bash examples/clients/run.sh`; paths, ports and times are replaced.\n\n'
  sed 's/^/- /' "$clients/versions.txt"
  [ -z "${HUMANIZE_ROOT:-}" ] || sed -n 's/.*"version": "\([^"]*\)".*/- Humanize \1/p' "$HUMANIZE_ROOT/.claude-plugin/plugin.json"
  printf '\n'
  printf '%s\n' "${rows[@]}"
  printf '\n%s\n' "$total"
  for line in "${checks[@]}"; do
    # Four backticks: what a client prints may hold three.
    printf '\n## %s\n\n````text\n' "${line%%|*}"
    cat "$scratch/logs/${line##*|}"
    printf '````\n'
  done
} | clean >"$scratch/output.md"
# The file is published. What `clean` does not know must not slip through.
leaks=$(grep -nE '(^|[^A-Za-z0-9._~-])/(home|root|Users|tmp|mnt|var|work)/' "$scratch/output.md" || true
  grep -nwF -e "$(uname -n)" "$scratch/output.md" || true)
[ -z "$leaks" ] || wrong output-leaks "the output names this machine: $leaks" "teach clean() in $0 to replace it"
cp "$scratch/output.md" "$output"

printf '%s\n' "${rows[@]}"
echo "$total"
[ "$failed" = 0 ]
