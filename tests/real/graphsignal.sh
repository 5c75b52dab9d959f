#!/usr/bin/env bash
# telemetry-fetch --graphsignal against the real packages: graphsignal-run 1.1 around a process that exports metrics, read by
# `--graphsignal http://…`; and graphsignal-context, which must accept the test double that `--graphsignal api` is tested with.
# Needs python3 with venv and a package index. telemetry-fetch comes from $SOTA_LOOP_BIN, or is built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "graphsignal.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p telemetry-fetch
fetch=${SOTA_LOOP_BIN:-$PWD/target/release}/telemetry-fetch

venv=$PWD/target/ci/graphsignal
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  graphsignal==1.1.2 graphsignal-context==0.1.6 prometheus-client==0.26.0 || fail 'pip install'

scratch=$(mktemp -d)
pids=()
stop() {
  local pid
  # The process outlives graphsignal-run, and so does the profiler in it.
  [ ! -s "$scratch/engine.pid" ] || kill "$(cat "$scratch/engine.pid")" 2>/dev/null || true
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
}
trap 'stop; rm -rf "$scratch"' EXIT
# Nothing of an account of this machine, and nothing that leaves it.
export HOME=$scratch GRAPHSIGNAL_DISABLE_VERSION_CHECK=1
unset GRAPHSIGNAL_API_KEY GRAPHSIGNAL_API_BASE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
port() { "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# --- the profiler beside a process ------------------------------------------------------------------------------------
cat >"$scratch/engine.py" <<'PY'
# Counts as vLLM does, with its own exporter library; also says what it counted, for the check.
import os, random, sys, time
from prometheus_client import Counter, Gauge, Histogram, start_http_server

tokens = Counter("vllm:generation_tokens", "Tokens.", ["model_name"]).labels("test/model")
running = Gauge("vllm:num_requests_running", "Running.", ["model_name"]).labels("test/model")
ttft = Histogram("vllm:time_to_first_token_seconds", "TTFT.", ["model_name"],
                 buckets=[.05, .1, .25, .5, 1, 2.5]).labels("test/model")
open(sys.argv[2], "w").write(str(os.getpid()))
start_http_server(int(sys.argv[1]), addr="127.0.0.1")
rng = random.Random(1)
running.set(3)
while True:
    tokens.inc(rng.randint(1, 40))
    ttft.observe(rng.lognormvariate(-1.8, .5))
    time.sleep(.02)
PY
metrics_port=$(port)
listen_port=$(port)
signals=http://127.0.0.1:$listen_port
"$venv/bin/graphsignal-run" --metrics-port "$metrics_port" --listen-port "$listen_port" "$venv/bin/python" "$scratch/engine.py" "$metrics_port" "$scratch/engine.pid" \
  >"$scratch/engine.log" 2>&1 &
pids+=($!)
waited=0
until "$fetch" snapshot --graphsignal "$signals" --format json --quiet -o "$scratch/before.json" >/dev/null 2>&1 &&
  grep -q 'vllm:generation_tokens' "$scratch/before.json"; do
  waited=$((waited + 1))
  [ "$waited" -lt 60 ] || { cat "$scratch/engine.log" >&2; fail 'graphsignal-run has no signals of the process'; }
  sleep 0.5
done
"$fetch" window --graphsignal "$signals" --url "http://127.0.0.1:$metrics_port" --format json --quiet -- sleep 6 >"$scratch/around.json" ||
  fail "window around a command ended with exit code $?"
"$fetch" snapshot --graphsignal "$signals" --format json --quiet -o "$scratch/after.json" >/dev/null || fail 'second snapshot'
"$fetch" window --before "$scratch/before.json" --after "$scratch/after.json" --format json --quiet >"$scratch/pair.json" ||
  fail "window of two snapshots ended with exit code $?"
"$fetch" window --graphsignal "$signals" --format markdown -- sleep 1 >"$scratch/view.md" || fail 'Markdown view'
python3 - "$scratch" <<'PY' || fail 'signals and metrics disagree'
import json, os, sys
scratch = sys.argv[1]
data = json.load(open(f"{scratch}/around.json"))["data"]
kinds = {source["kind"]: source for source in data["sources"]}
assert set(kinds) == {"metrics", "graphsignal"}, kinds
assert kinds["graphsignal"]["readings"] >= 5 and kinds["graphsignal"]["status"] == "ok", kinds
signals = kinds["graphsignal"]["url"]
def rate(ident, field, mine):
    rows = [r for r in data["metrics"] if r["id"] == ident and (r["labels"]["source"] == signals) == mine]
    assert len(rows) == 1, (ident, data["metrics"])
    return rows[0][field]
for ident, field in [("generation_tokens", "per_s"), ("ttft_ms", "value"), ("running_requests", "value")]:
    ours, theirs = rate(ident, field, False), rate(ident, field, True)
    print(f"{ident} {field}: /metrics {ours:.2f}, /signals {theirs:.2f}")
    # The profiler scrapes once a second, so its window is another by up to a second at each end.
    assert theirs > 0 and abs(theirs / ours - 1) < 0.35, (ident, ours, theirs)
assert data["derived"]["mean_running"] == 3, "two sources of one engine are not added"
assert any(context["part"] == "context" and "host.name" in context["content"] for context in data["contexts"]), data["contexts"]
pair = json.load(open(f"{scratch}/pair.json"))["data"]
rows = {row["id"]: row for row in pair["metrics"]}
before, after = (json.loads(json.load(open(f"{scratch}/{name}.json"))["data"]["sources"][0]["exposition"]) for name in ("before", "after"))
of = lambda payload, name: next(m["stats"] for m in payload["metrics"] if m["name"] == name)
tokens = of(after, "vllm:generation_tokens")["total"] - of(before, "vllm:generation_tokens")["total"]
count = of(after, "vllm:time_to_first_token_seconds")["count"] - of(before, "vllm:time_to_first_token_seconds")["count"]
print(f'two snapshots: tokens {rows["generation_tokens"]["value"]:.0f} of {tokens:.0f}, TTFT n {rows["ttft_ms"]["count"]} of {count:.0f}')
assert rows["generation_tokens"]["value"] == tokens > 0 and rows["ttft_ms"]["count"] == count > 0
assert pair["engine"]["kind"] == "vllm"
assert os.path.getsize(f"{scratch}/view.md") < 8192
PY
stop
pids=()
waited=0
status=0
while [ "$status" != 4 ]; do
  [ "$waited" -lt 20 ] || fail "a profiler that is gone ends with $status instead of 4"
  waited=$((waited + 1))
  sleep 0.25
  status=0
  "$fetch" snapshot --graphsignal "$signals" --format json --quiet >"$scratch/error.json" 2>/dev/null || status=$?
done

# --- the hosted API, as a double --------------------------------------------------------------------------------------
cat >"$scratch/double.py" <<'PY'
# What graphsignal-context asks for, and what it takes from the answers.
import http.server, json, sys, urllib.parse

class Double(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        def answer(status, body):
            text = json.dumps(body).encode() if not isinstance(body, bytes) else body
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        if self.headers.get("X-API-KEY") != "testkey":
            return answer(401, {"error": "invalid key " + str(self.headers.get("X-API-KEY"))})
        if url.path == "/api/v1/context/guide/":
            return answer(200, b"# guide")
        if not 0 < int(asked.get("start_time_ns", 0)) < int(asked.get("end_time_ns", 0)):
            return answer(400, {"error": "range"})
        if url.path == "/api/v1/context/signals/":
            return answer(200, {"context": {"meta": {"available_tags": {"run.uid": ["abc"]}}, "note": "\x1b[31mred\nline two"}})
        if url.path == "/api/v1/context/summary/":
            if "run.uid:abc" not in asked.get("tags", ""):
                return answer(400, {"error": "tags"})
            return answer(200, {"summary": "# one run"})
        answer(404, {"error": "path"})

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Double).serve_forever()
PY
api_port=$(port)
python3 "$scratch/double.py" "$api_port" >"$scratch/double.log" 2>&1 &
pids+=($!)
export GRAPHSIGNAL_API_BASE=http://127.0.0.1:$api_port GRAPHSIGNAL_API_KEY=testkey
span=(--start 2026-11-21T10:00:00Z --end 2026-11-21T10:05:00Z)
waited=0
until "$venv/bin/graphsignal-context" guide >"$scratch/guide.txt" 2>&1; do
  waited=$((waited + 1))
  [ "$waited" -lt 20 ] || { cat "$scratch/guide.txt" >&2; fail 'graphsignal-context does not take the double'; }
  sleep 0.25
done
"$venv/bin/graphsignal-context" signals "${span[@]}" >"$scratch/theirs.json" || fail 'graphsignal-context signals'
"$venv/bin/graphsignal-context" summary "${span[@]}" --tags run.uid:abc >"$scratch/summary.txt" || fail 'graphsignal-context summary'
"$fetch" window --graphsignal api "${span[@]}" --format json --quiet >"$scratch/api.json" || fail "window of the API ended with exit code $?"
python3 - "$scratch" <<'PY' || fail 'the context is not passed on'
import json, sys
scratch = sys.argv[1]
theirs = json.load(open(f"{scratch}/theirs.json"))
text = open(f"{scratch}/api.json").read()
ours = {context["part"]: context for context in json.loads(text)["data"]["contexts"]}
assert theirs["note"] == "\x1b[31mred\nline two" and ours["context"]["content"]["note"] == "red\nline two", ours
assert ours["context"]["content"]["meta"] == theirs["meta"]
assert ours["summary"]["content"].strip() == open(f"{scratch}/summary.txt").read().strip() == "# one run"
assert "testkey" not in text
print("api: context and summary as graphsignal-context prints them")
PY
status=0
GRAPHSIGNAL_API_KEY=wrongkey "$fetch" window --graphsignal api "${span[@]}" --format json --quiet >"$scratch/error.json" 2>"$scratch/error.txt" || status=$?
[ "$status" = 4 ] || fail "a wrong key ends with $status instead of 4"
grep -q graphsignal-key-refused "$scratch/error.json" || fail 'a wrong key is another error'
! grep -q wrongkey "$scratch/error.json" "$scratch/error.txt" || fail 'the key is repeated'
echo 'graphsignal.sh: ok'
