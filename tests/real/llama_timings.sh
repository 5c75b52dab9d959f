#!/usr/bin/env bash
# The client against a server that times itself: llama.cpp puts `timings` into the last chunk of every answer. At
# concurrency 1 the client's time to first token and time per output token must agree with them. Then telemetry-fetch around
# a short benchmark of the same server, with its metrics and its log: what it says is what the client and the server counted;
# and of a server that is killed meanwhile it says so.
# Needs what examples/real-engine/setup.sh installs, serve-bench and telemetry-fetch: from $SOTA_LOOP_BIN, or built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "llama_timings.sh: FAILED: $*" >&2; exit 1; }
venv=$PWD/examples/real-engine/.venv
[ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ] ||
  fail 'the engine is not installed; run examples/real-engine/setup.sh'
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p serve-bench -p telemetry-fetch
bench=${SOTA_LOOP_BIN:-$PWD/target/release}/serve-bench
fetch=${SOTA_LOOP_BIN:-$PWD/target/release}/telemetry-fetch

scratch=$(mktemp -d)
. examples/real-engine/engine.sh
trap 'stop_engines; rm -rf "$scratch"' EXIT
# One thread: the other core is the client's, whose accuracy is measured.
start_engine timings -t 1 -np 1

# A bare client beside ours: what the server needs for HTTP, chat template and tokenizing, and what other work on the machine takes
# from it, is in the times of every client. The best of ten requests is each client's lateness.
cat >"$scratch/bare.py" <<'PY'
import json, sys, time, urllib.parse, http.client

host = urllib.parse.urlsplit(sys.argv[1]).netloc
late = []
for number in range(10):
    words = " ".join(f"word{number * 16 + place}" for place in range(16))
    body = json.dumps({"messages": [{"role": "user", "content": words}], "max_tokens": 64, "ignore_eos": True, "stream": True,
                       "temperature": 0, "cache_prompt": False})
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.connect()
    started = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200, response.status
    first = timings = None
    while line := response.readline():
        if not line.startswith(b"data: {"):
            continue
        now = time.perf_counter()
        chunk = json.loads(line[6:])
        if first is None and any(choice["delta"].get("content") for choice in chunk["choices"]):
            first = now
        timings = chunk.get("timings") or timings
    connection.close()
    late.append((first - started) * 1e3 - timings["prompt_ms"])
json.dump({"late_ms": min(late)}, open(sys.argv[2], "w"))
PY

# What predicted_ms means, from the build itself: older ones divide it by predicted_n for their predicted_per_token_ms,
# newer ones by predicted_n - 1 (it runs from the first token to the last).
curl --silent --fail --noproxy '*' "$engine_url/v1/chat/completions" -H 'Content-Type: application/json' \
  -d '{"messages":[{"role":"user","content":"Hello"}],"max_tokens":16,"ignore_eos":true}' >"$scratch/own.json" ||
  fail 'the server does not answer a plain request'

"$bench" freeze --dataset random --num-prompts 12 --input-len 16 --output-len 64 --seed 11 \
  --extra-body '{"cache_prompt": false, "temperature": 0}' --out "$scratch/workload.jsonl" --quiet >/dev/null ||
  fail 'serve-bench freeze'
cat >"$scratch/check.py" <<'PY'
import json, statistics, sys

own = json.load(open(sys.argv[1]))["timings"]
intervals = own["predicted_ms"] / own["predicted_per_token_ms"]
less = own["predicted_n"] - round(intervals)
assert less in (0, 1) and abs(intervals - round(intervals)) < 1e-6, own

records = [json.loads(line) for line in open(sys.argv[2])]
records = [r for r in records if r["kind"] == "request" and r["phase"] == "measured"]
assert len(records) >= 10, f"only {len(records)} measured requests"
late, ratio = [], []
for record in records:
    assert record["outcome"] == "ok", record
    server = record["server_timings"]
    assert server is not None and server["cached_tokens"] == 0, server
    assert record["output_tokens"] == server["predicted_tokens"] == 64, (record["output_tokens"], server)
    late.append(record["ttft_ms"] - server["prompt_ms"])
    ratio.append(record["tpot_ms"] / (server["predicted_ms"] / (server["predicted_tokens"] - less)))
print(f"TTFT - prompt_ms: median {statistics.median(late):.2f} ms, {min(late):.2f} to {max(late):.2f}")
print(f"TPOT / (predicted_ms / (predicted_n - {less})): {min(ratio):.4f} to {max(ratio):.4f}")
# A client that reads late is late in every request, so the quickest one is judged, against a bare client's quickest.
bare = json.load(open(sys.argv[3]))["late_ms"]
print(f"the same of a bare client: {bare:.2f} ms at best")
assert 0 < min(late) <= bare + 2, (late, bare)
assert all(abs(r - 1) <= 0.02 for r in ratio), ratio
PY
# One hiccup of the machine is no disagreement, and a disagreement does not go away: three tries.
agreed=no
for attempt in 1 2 3; do
  status=0
  python3 "$scratch/bare.py" "$engine_url" "$scratch/bare.json" || fail 'the bare client'
  "$bench" run --url "$engine_url" --workload "$scratch/workload.jsonl" --concurrency 1 --warmup 2 \
    --records "$scratch/records-$attempt.jsonl" -o "$scratch/result.json" --quiet --format json >/dev/null || status=$?
  # 5: other work held the client up.
  [ "$status" = 0 ] || [ "$status" = 5 ] || fail "serve-bench run ended with exit code $status"
  if [ "$status" = 0 ] && python3 "$scratch/check.py" "$scratch/own.json" "$scratch/records-$attempt.jsonl" "$scratch/bare.json"; then
    agreed=yes
    break
  fi
done
[ "$agreed" = yes ] || fail 'client and server disagree three times'

# --- telemetry-fetch: metrics and log of the same server --------------------------------------------------------------
"$bench" freeze --dataset random --num-prompts 6 --input-len 16 --output-len 48 --seed 12 \
  --extra-body '{"cache_prompt": false, "temperature": 0}' --out "$scratch/short.jsonl" --quiet >/dev/null ||
  fail 'serve-bench freeze'
window() { # window NAME LOG WORKLOAD INTERVAL FLAG... : telemetry of one benchmark; its exit code is telemetry-fetch's
  local name=$1 log=$2 workload=$3 interval=$4
  shift 4
  "$fetch" window --url "$engine_url" --logs "$log" --interval "$interval" --for "$scratch/$name.result.json" "$@" \
    --format json --quiet -o "$scratch/$name.window.json" -- \
    "$bench" run --url "$engine_url" --workload "$workload" --concurrency 1 --warmup 1 \
    --records "$scratch/$name.records.jsonl" -o "$scratch/$name.result.json" --quiet --format json >/dev/null 2>"$scratch/$name.err"
}
cat >"$scratch/telemetry.py" <<'PY'
import json, sys

scratch, name = sys.argv[1:3]
document = json.load(open(f"{scratch}/{name}.window.json"))
data = document["data"]
codes = {warning["code"] for warning in document["warnings"]}
sources = {source["kind"]: source for source in data["sources"]}
audit = {check["id"]: check for check in data["audit"]}
print(document["summary"])
if name == "killed":
    assert {"command-failed", "scrape-failed", "audit-window-match"} <= codes, document["warnings"]
    assert data["command"]["exit_code"] not in (0, None), data["command"]
    assert sources["metrics"]["status"] == "partial" and sources["metrics"]["resets"] == 0, sources
    assert [incident["kind"] for incident in data["incidents"]] == ["scrape_failed"], data["incidents"]
    assert audit["window_match"]["passed"] is False and audit["token_conservation"]["passed"] is None, audit
    sys.exit()

# What llama.cpp has no metric for is null, and so is what nothing asked for.
unknown = {"kv_usage_max", "preemptions", "scheduler_share_ratio", "scheduler_idle_ratio", "request_rps", "queue_share_ratio",
           "server_tpot_ms", "spec_accept_ratio"}
assert {key for key, value in data["derived"].items() if value is None} == unknown, data["derived"]
assert codes - {"tokens-uncounted"} == {"log-clock-elapsed"} and data["incidents"] == [], (document["warnings"], data["incidents"])
assert data["command"]["exit_code"] == 0 and document["complete"] is True
assert data["engine"]["kind"] == "llama.cpp" and data["engine"]["version"] and data["engine"]["model"], data["engine"]
assert {kind: source["status"] for kind, source in sources.items()} == {"metrics": "ok", "log": "ok"}, sources
assert sources["metrics"]["readings"] >= 5 and sources["metrics"]["coverage_pct"] > 99, sources

for check in ["window_match", "token_conservation"]:
    assert audit[check]["passed"] is True, audit[check]
assert not [check for check in data["audit"] if check["passed"] is False], data["audit"]
records = [json.loads(line) for line in open(f"{scratch}/{name}.records.jsonl")]
records = [record for record in records if record["kind"] == "request"]
measured = [record for record in records if record["phase"] == "measured"]
tokens = {row["id"]: row for row in data["metrics"]}["generation_tokens"]["value"]
client = sum(record["output_tokens"] for record in measured)
# The reading before the first measured request may be from before the warm-up's end.
assert tokens in (client, client + 48), (tokens, client)
assert ("tokens-uncounted" in codes) == (tokens != client), (codes, tokens, client)
assert 0.5 < data["derived"]["mean_running"] <= 1, data["derived"]
assert 0.8 < data["derived"]["output_tps"] / (client / sum(r["e2e_latency_ms"] / 1e3 for r in measured)) < 1.25, data["derived"]

# The log has the times of each request, the same that the server puts into its answers.
series = {row["id"]: row for row in data["log_series"]}
prefill, tpot = series["prefill_time_ms"], series["tpot_ms"]
assert prefill["lines"] == tpot["lines"] and prefill["lines"] in (len(measured), len(measured) + 1), series
served = [record["server_timings"] for record in measured]
for row, theirs in [(prefill, [t["prompt_ms"] for t in served]), (tpot, [record["tpot_ms"] for record in measured])]:
    slack = 0.006 if row is prefill else 0.02 * max(theirs)
    assert row["min"] <= min(theirs) + slack and row["max"] >= max(theirs) - slack, (row, theirs)
    if row["lines"] == len(theirs):
        assert abs(row["mean"] - sum(theirs) / len(theirs)) <= slack, (row, theirs)
print(f"log: prefill {prefill['mean']:.2f} ms, {tpot['mean']:.2f} ms a token, {tpot['lines']} requests; metrics: {tokens:.0f} "
      f"tokens, the client received {client}; {sources['metrics']['readings']} readings")
PY
told=no
for attempt in 1 2 3; do
  if window told "$scratch/timings.log" "$scratch/short.jsonl" 200ms && python3 "$scratch/telemetry.py" "$scratch" told; then
    told=yes
    break
  fi
done
[ "$told" = yes ] || { tail -n 5 "$scratch/told.err" >&2; fail 'what telemetry-fetch says is not what client and server counted, three times'; }

# A server that is killed in the window is no window of zeros: the checks fail, which --strict makes exit 5.
start_engine killed -t 1 -np 1
# In its second request, the first one after the warm-up.
(
  for _ in $(seq 600); do
    grep -q 'total time' "$scratch/killed.log" && break
    sleep 0.1
  done
  sleep 0.5
  kill -9 "$engine_pid"
) &
killer=$!
status=0
# One reading before and one after, so that none lies between the last token and the end.
window killed "$scratch/killed.log" "$scratch/workload.jsonl" 30s --strict || status=$?
wait "$killer" || true
[ "$status" = 5 ] || fail "exit code $status instead of 5 around a server that was killed"
python3 "$scratch/telemetry.py" "$scratch" killed || fail 'nothing says that the server was killed'
echo 'llama_timings.sh: ok'
