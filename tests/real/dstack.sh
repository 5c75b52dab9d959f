#!/usr/bin/env bash
# dstack's server, the real one, as far as it goes without a cloud: a run that is submitted and fails for want of capacity is
# found by name, why it ended is an incident, and a run or a token that is not there ends with 4. Nothing ever runs, so the log
# of a running service is read from a recorded answer in crates/telemetry-fetch/tests/it/logs.rs. The launcher `dstack` of
# config-search submits its task to the real server, which takes it and has no place for it; that its server is measured and the
# run ended is shown on a stand-in for the program (tests/real/standin).
# Needs Python with venv and PyPI (dstack[server]), and telemetry-fetch, config-search, serve-bench and engine-sim: from
# $SOTA_LOOP_BIN, or built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "dstack.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
bin=${SOTA_LOOP_BIN:-$PWD/target/release}
fetch=$bin/telemetry-fetch
standin=$PWD/tests/real/standin
[ -x "$fetch" ] || fail "there is no $fetch"

scratch=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$scratch"
}
trap stop EXIT
venv=${DSTACK_VENV:-$scratch/venv}
if [ ! -x "$venv/bin/dstack" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'dstack[server]==0.22.5' || fail 'dstack cannot be installed'
fi
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
token=$("$venv/bin/python" -c 'import uuid; print(uuid.uuid4())')
export HOME=$scratch/home DSTACK_SERVER_DIR=$scratch/server
mkdir -p "$HOME" "$DSTACK_SERVER_DIR"
DSTACK_SERVER_ADMIN_TOKEN=$token DSTACK_DO_NOT_UPDATE_DEFAULT_PROJECT=1 "$venv/bin/dstack" server \
  --host 127.0.0.1 --port "$port" -y >"$scratch/server.log" 2>&1 &
server=$!
waited=0
until curl --silent --fail --noproxy '*' --max-time 2 -X POST "$url/api/server/get_info" >/dev/null; do
  waited=$((waited + 1))
  if ! kill -0 "$server" 2>/dev/null || [ "$waited" -gt 300 ]; then
    tail -n 20 "$scratch/server.log" >&2
    fail 'the server does not answer'
  fi
  sleep 0.2
done

# The user's configuration, as `dstack project add` writes it.
mkdir -p "$HOME/.dstack"
printf 'projects:\n- {name: main, url: "%s", token: "%s", default: true}\n' "$url" "$token" >"$HOME/.dstack/config.yml"
post() {
  curl --silent --show-error --noproxy '*' --max-time 20 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    -d "$2" "$url/api/project/main/$1"
}
started=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
# A fleet without nodes: what is submitted to it has no capacity.
post fleets/apply '{"plan": {"spec": {"configuration": {"type": "fleet", "name": "none", "nodes": 0}, "profile": {"name": "default"}}}, "force": false}' \
  >"$scratch/fleet.json"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/key" 2>/dev/null || echo 'ssh-ed25519 AAAA test' >"$scratch/key.pub"
run_spec=$(printf '{"run_name": "tele-svc", "repo_id": "none", "repo_data": {"repo_type": "virtual"}, "configuration_path": "svc.yml", "configuration": {"type": "service", "name": "tele-svc", "python": "3.11", "commands": ["python -m http.server 8000"], "port": 8000, "model": "test/model"}, "profile": {"name": "default"}, "ssh_key_pub": "%s"}' "$(cut -d' ' -f1,2 "$scratch/key.pub")")
post runs/apply "{\"plan\": {\"run_spec\": $run_spec}, \"force\": false}" >"$scratch/submitted.json"
grep -q '"run_name":"tele-svc"' <(tr -d ' ' <"$scratch/submitted.json") || fail "the run is not taken: $(head -c 400 "$scratch/submitted.json")"
waited=0
until post runs/get '{"run_name": "tele-svc"}' | tee "$scratch/run.json" | tr -d ' ' | grep -q '"termination_reason":"failed_to_start'; do
  waited=$((waited + 1))
  [ "$waited" -le 200 ] || fail "the run does not end: $(head -c 400 "$scratch/run.json")"
  sleep 0.2
done
sleep 1
ended=$(date --utc +%Y-%m-%dT%H:%M:%SZ)

ask() { "$fetch" window --logs "dstack:$1" --start "$started" --end "$ended" --format json; }
ask tele-svc >"$scratch/window.json" || fail "telemetry-fetch ended with $?: $(head -c 600 "$scratch/window.json")"
"$venv/bin/python" - "$scratch/window.json" <<'PY'
import json, sys

data = json.load(open(sys.argv[1]))["data"]
incidents = [i for i in data["incidents"] if i["kind"] == "terminated"]
assert incidents and "failed_to_start_due_to_no_capacity" in incidents[0]["message"], data["incidents"]
assert data["sources"][0]["kind"] == "log", data["sources"]
print(f"dstack.sh: {incidents[0]['message']}")
PY
grep -q "$token" "$scratch/window.json" && fail 'the token stands in the document'
expect() {
  local want=$1 status=0
  shift
  "$@" >"$scratch/failed.json" 2>/dev/null || status=$?
  [ "$status" -eq 4 ] && grep -q "\"$want\"" "$scratch/failed.json" || fail "$want: ended with $status: $(head -c 400 "$scratch/failed.json")"
}
expect dstack-no-such-run ask no-such-run

# The launcher. plan NAME LINE: LINE is run by a shell; $0 is the port.
export PATH="$bin:$PATH" HF_TOKEN=very-secret-value
plan() {
  python3 - "$scratch" "$@" <<'PY'
import json, sys

scratch, name, line = sys.argv[1:]
plan = {
    "schema": "config-search.plan/1",
    "model": {"id": "m"},
    "frameworks": [{
        "name": "task", "launcher": "dstack", "launcher_config": {"resources": {"gpu": 0}, "max_duration": "1h"},
        "server_command": ["sh", "-c", line, "{port}"], "env": {"HF_TOKEN": ""}, "ready_timeout_s": 100,
        "search_space": {"--num-continuous-decode-steps": [4, 8]},
    }],
    "scenarios": [{"name": "s", "num_prompts": 4, "args": ["--dataset", "random", "--input-len", "8", "--output-len", "4", "--concurrency", "2"]}],
    "budget": {"trials": 3},
}
json.dump(plan, open(f"{scratch}/{name}.yaml", "w"))
PY
}
# search NAME STATUS...: ends with one of these.
search() {
  local name=$1 status=0
  shift
  config-search run "$scratch/$name.yaml" --dir "$scratch/$name" --format json >"$scratch/$name.json" 2>"$scratch/$name.err" || status=$?
  [[ " $* " == *" $status "* ]] || { cat "$scratch/$name.err" >&2; tail -n 5 "$scratch/$name"/logs/* >&2; fail "$name: exit code $status in place of $*"; }
}
codes() { python3 -c 'import json, sys; print(*[row["reason_code"] or row["status"] for row in map(json.loads, open(sys.argv[1]))])' "$scratch/$1/candidates.jsonl"; }
serve='case $HF_TOKEN in very-*-value) ;; *) exit 8 ;; esac; exec engine-sim --flavor sglang --model Qwen/Qwen3-8B --served-model-name m --port "$0" "$@"'
plan nowhere "$serve"
(PATH="$venv/bin:$PATH"; search nowhere 6)
[ "$(codes nowhere)" = dstack-failed ] || { tail "$scratch"/nowhere/logs/* >&2; fail "a task without a place: $(codes nowhere)"; }
name=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["name"])' "$scratch"/nowhere/launch/*.dstack.yml)
"$venv/bin/dstack" run get --json "$name" >"$scratch/task.json" || fail "the task $name was not submitted"
grep -q '"status": "failed"' "$scratch/task.json" || fail 'the task is not over'
# What the server kept of the task is what was rendered.
grep -q '"max_duration": 3600' "$scratch/task.json" || fail 'a field of launcher_config did not arrive'
"$bin/config-search" check-config "$scratch"/nowhere/launch/*.dstack.yml --format json >/dev/null || fail 'the rendered task does not pass'
echo "dstack.sh: the real server took the task $name and had no place for it"

mkdir "$scratch/runs"
(
  export STANDIN=$scratch/runs PATH="$standin:$PATH"
  plan ran "$serve"
  for try in 1 2 3 4 5 6; do
    rm -rf "$scratch/ran"
    search ran 0 6
    codes ran | grep -qw ok && break
    echo "dstack.sh: try $try was disturbed" >&2
  done
  [[ $(codes ran) =~ ^(ok|measurement-invalid)(\ (ok|measurement-invalid))+$ ]] \
    || { tail -n 5 "$scratch"/ran/logs/* >&2; cut -c1-2000 "$scratch/ran/candidates.jsonl" >&2; fail "the search on the stand-in: $(codes ran)"; }
  plan flag "$serve --no-such-flag"
  search flag 6
  [ "$(codes flag)" = 'unknown-flag unknown-flag' ] || fail "a flag that the server refuses: $(codes flag)"
  # Interrupted, with a server that takes no signal.
  plan cut "trap '' TERM HUP INT; echo ready-to-be-cut; while :; do sleep 1; done"
  config-search run "$scratch/cut.yaml" --dir "$scratch/cut" --format json >"$scratch/cut.json" 2>"$scratch/cut.err" &
  search=$!
  for _ in $(seq 400); do
    grep -qs ready-to-be-cut "$scratch/cut/logs/task-0000.log" && break
    sleep 0.05
  done
  kill -INT "$search"
  status=0
  wait "$search" || status=$?
  [ "$status" = 130 ] || { cat "$scratch/cut.err" >&2; fail "interrupted: exit code $status"; }
)
python3 - "$scratch/runs" <<'PY'
import json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
argvs = [json.loads(line) for line in open(folder / "argv")]
applied = [json.load(open(argv[3]))["name"] for argv in argvs if argv[0] == "apply" and pathlib.Path(argv[3]).exists()]
stopped = [argv[-1] for argv in argvs if argv[0] == "stop"]
assert applied and set(applied) <= set(stopped), (applied, stopped)
runs = list(folder.glob("*.json"))


def runs_still(run):
    try:
        # Whom nobody has waited for yet is a zombie.
        return pathlib.Path(f"/proc/{json.load(open(run))['pid']}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


alive = [run.name for run in runs if runs_still(run)]
assert runs and not alive, alive
print(f"dstack.sh: {len(runs)} runs on the stand-in, all over")
PY
# The real server tells the values of its runs (task.json); nothing of ours does.
if grep -rq very-secret-value "$scratch"/{ran,nowhere,runs} "$scratch"/{ran,nowhere,flag,cut}.json; then fail 'the value of a variable was written'; fi

sed -i "s/$token/00000000-0000-4000-8000-000000000000/" "$HOME/.dstack/config.yml"
expect dstack-failed ask tele-svc
cp "$scratch/nowhere.yaml" "$scratch/denied.yaml"
(PATH="$venv/bin:$PATH"; search denied 6)
[ "$(codes denied)" = dstack-failed ] || fail "a token that is refused: $(codes denied)"
rm "$HOME/.dstack/config.yml"
expect dstack-not-configured ask tele-svc
echo 'dstack.sh: ok'
