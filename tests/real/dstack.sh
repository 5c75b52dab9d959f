#!/usr/bin/env bash
# dstack's server, the real one, as far as it goes without a cloud: a run that is submitted and fails for want of capacity is
# found by name, why it ended is an incident, and a run or a token that is not there ends with 4. Nothing ever runs, so the log
# of a running service is read from a recorded answer in crates/telemetry-fetch/tests/it/logs.rs.
# Needs Python with venv and PyPI (dstack[server]), and telemetry-fetch: from $SOTA_LOOP_BIN, or built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "dstack.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p telemetry-fetch
fetch=${SOTA_LOOP_BIN:-$PWD/target/release}/telemetry-fetch
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
sed -i "s/$token/00000000-0000-4000-8000-000000000000/" "$HOME/.dstack/config.yml"
expect dstack-failed ask tele-svc
rm "$HOME/.dstack/config.yml"
expect dstack-not-configured ask tele-svc
echo 'dstack.sh: ok'
