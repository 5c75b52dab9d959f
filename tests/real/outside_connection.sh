#!/usr/bin/env bash
# What quality-gate says of a server that talks to another machine while it answers: a real connection, made by the process that
# started the engine, in a network of its own (a namespace with two addresses and nothing behind them), open for a second only.
# Needs unshare (util-linux), ip (Debian's iproute2), Python 3, and quality-gate and engine-sim from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "outside_connection.sh: FAILED: $*" >&2; exit 1; }
if [ "${1:-}" != inside ]; then
  [ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p quality-gate -p engine-sim
  export SOTA_LOOP_BIN=${SOTA_LOOP_BIN:-$PWD/target/release}
  command -v ip >/dev/null || fail 'there is no ip: apt-get install iproute2'
  exec unshare --map-root-user --net bash "$0" inside
fi
export PATH="$SOTA_LOOP_BIN:$PATH"
ip link set lo up
ip address add 10.213.7.1/32 dev lo
ip address add 10.213.7.2/32 dev lo

scratch=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$scratch"
}
trap stop EXIT

# Starts the engine as its child, and calls another address a second after it was told to, for a second.
cat >"$scratch/launcher.py" <<'PY'
import os, signal, socket, subprocess, sys, time

scratch, calls = sys.argv[1], sys.argv[2] == "calls"
other = socket.create_server(("10.213.7.2", 0))
with open(f"{scratch}/ready.json", "w") as ready:
    engine = subprocess.Popen(["engine-sim", "--script", f"{scratch}/engine.json", "--port", "0"], stdout=ready)
signal.signal(signal.SIGTERM, lambda *_: (engine.terminate(), engine.wait(), os._exit(0)))
while not os.path.exists(f"{scratch}/asked"):
    time.sleep(0.05)
if calls:
    with socket.create_connection(other.getsockname(), source_address=("10.213.7.1", 0)):
        time.sleep(1)
signal.pause()
PY
cp examples/quality-gate/suite.jsonl "$scratch"
echo "{\"defaults\": {\"ttft_ms\": 40, \"itl_ms\": 2}, \"answers\": {\"file\": \"$scratch/suite.jsonl\", \"accuracy_ratio\": 1.0}}" >"$scratch/engine.json"

# outcome MODE : what the check says of a launcher that calls, or does not.
outcome() {
  rm -f "$scratch"/{ready.json,asked,result.json}
  python3 "$scratch/launcher.py" "$scratch" "$1" &
  server=$!
  local url=
  for _ in $(seq 100); do
    url=$(python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())["url"])' "$scratch/ready.json" 2>/dev/null) && break
    sleep 0.1
  done
  [ -n "$url" ] || fail 'the engine did not start'
  (sleep 0.5; touch "$scratch/asked") &
  quality-gate run --url "$url" --suite "$scratch/suite.jsonl" --concurrency 1 --pid "$server" --quiet --format json \
    -o "$scratch/result.json" >/dev/null || [ $? = 5 ] || fail "quality-gate ended otherwise"
  wait $! 2>/dev/null || true
  kill "$server"; wait "$server" 2>/dev/null || true
  server=
  python3 - "$scratch/result.json" <<'PY'
import json, sys
checks = json.load(open(sys.argv[1]))["data"]["checks"]
found = next(check for check in checks if check["name"] == "no-outside-connections")
print(found["status"], found["evidence"])
PY
}

quiet=$(outcome silent)
calling=$(outcome calls)
echo "silent: $quiet"
echo "calls:  $calling"
case $quiet in pass\ *) ;; *) fail "a server that calls nobody: $quiet" ;; esac
case $calling in fail\ *10.213.7.2*) ;; *) fail "a server that calls 10.213.7.2: $calling" ;; esac
