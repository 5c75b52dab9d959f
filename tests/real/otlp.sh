#!/usr/bin/env bash
# telemetry-fetch --otlp against the OpenTelemetry SDK as client: HTTP/protobuf with gzip, gRPC with and without, with the
# attributes of vLLM's request spans and the names of SGLang's stages. Quantiles must come out exact.
# Needs Python 3 with venv and its package index, and telemetry-fetch from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "otlp.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p telemetry-fetch
fetch=${SOTA_LOOP_BIN:-$PWD/target/release}/telemetry-fetch
[ -x "$fetch" ] || fail "there is no $fetch"

# Loopback is not asked of a proxy.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
scratch=$(mktemp -d)
metrics=
# shellcheck disable=SC2317 # called by the trap
stop() {
  [ -z "$metrics" ] || kill "$metrics" 2>/dev/null || true
  rm -rf "$scratch"
}
trap stop EXIT

venv=target/ci/otlp
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-exporter-otlp-proto-grpc==1.45.2 ||
  fail 'the OpenTelemetry SDK is not installed'

printf '# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total 1\n' >"$scratch/metrics"
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
metrics_port=$(port)
python3 -m http.server --bind 127.0.0.1 --directory "$scratch" "$metrics_port" >/dev/null 2>&1 & metrics=$!
for _ in $(seq 100); do
  curl --silent --fail --noproxy '*' --output /dev/null "http://127.0.0.1:$metrics_port/metrics" && break
  sleep 0.1
done

cat >"$scratch/engine.py" <<'PY'
# 99 requests by HTTP and 101 by gRPC, and two whose spans ended long before the window.
import sys, time, urllib.error, urllib.request
import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

port = sys.argv[1]
def tracer(exporter, processor):
    provider = TracerProvider(resource=Resource({"service.name": "vllm-server"}))
    provider.add_span_processor(processor(exporter))
    return provider
http = f"http://127.0.0.1:{port}/v1/traces"
plain = tracer(Http(endpoint=http), SimpleSpanProcessor)
gzip = tracer(Http(endpoint=http, compression=Compression.Gzip), BatchSpanProcessor)
rpc = tracer(Grpc(endpoint=f"http://127.0.0.1:{port}", insecure=True), BatchSpanProcessor)
rpc_gzip = tracer(Grpc(endpoint=f"http://127.0.0.1:{port}", insecure=True, compression=grpc.Compression.Gzip), BatchSpanProcessor)
def request(provider, n, age_ns=0):
    end = time.time_ns() - age_ns
    span = provider.get_tracer("vllm.llm_engine").start_span("llm_request", start_time=end - n * 10**6)
    for key, value in {
        "gen_ai.response.model": "Qwen/Qwen3-8B",
        "gen_ai.request.id": f"cmpl-{n}",
        "gen_ai.usage.prompt_tokens": 100 + n,
        "gen_ai.usage.completion_tokens": 64,
        "gen_ai.latency.time_to_first_token": n / 1000,
        "gen_ai.latency.e2e": (n + 630) / 1000,
        "gen_ai.latency.time_in_queue": n / 8000,
        "gen_ai.latency.time_in_model_decode": 0.63,
    }.items():
        span.set_attribute(key, value)
    span.end(end_time=end)
for n in range(1, 201):
    request([plain, gzip, rpc, rpc_gzip][n % 4] if n <= 198 else rpc, n)
for provider in (gzip, rpc):
    request(provider, 100_000, age_ns=3600 * 10**9)
stages = rpc.get_tracer("sglang")
for n in (1, 2, 3):
    end = time.time_ns()
    stages.start_span("prefill_forward", start_time=end - n * 10**7).end(end_time=end)
    stages.start_span(f"Req {n:08x}", start_time=end - n * 10**7).end(end_time=end)
for provider in (plain, gzip, rpc, rpc_gzip):
    assert provider.force_flush(10_000)
    provider.shutdown()
# What is no trace request is refused, and nothing breaks.
for path, kind, body, status in [
    ("/v1/traces", "application/x-protobuf", b"\xff\xff", 400),
    ("/v1/traces", "application/json", b"{}", 415),
    ("/v1/metrics", "application/x-protobuf", b"", 404),
    ("/v1/traces", "application/x-protobuf", bytes(17 << 20), 413),
]:
    ask = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers={"Content-Type": kind})
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask, timeout=10)
        raise SystemExit(f"{path} {kind} is taken")
    except urllib.error.HTTPError as error:
        assert error.code == status, (path, kind, error.code)
    except OSError:
        assert status == 413, (path, kind)  # Closed while the client still sends.
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    for method, body, code in [
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", b"\xff", grpc.StatusCode.INVALID_ARGUMENT),
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", b"", grpc.StatusCode.UNIMPLEMENTED),
    ]:
        try:
            channel.unary_unary(method)(body, timeout=10)
            raise SystemExit(f"{method} is taken")
        except grpc.RpcError as error:
            assert error.code() == code, error
PY
cat >"$scratch/check.py" <<'PY'
import json, math, sys
document = json.load(open(sys.argv[1]))
data = document["data"]
assert data["command"]["exit_code"] == 0, document["warnings"]
rows = {(row["id"], row["labels"].get("stage")): row for row in data["metrics"] if row["kind"] == "spans"}
def check(id, values):
    row, values = rows[id, None], sorted(values)
    assert row["count"] == len(values) and row["semantics"] == "per_request", row
    for quantile in row["quantiles"]:
        expected = values[math.ceil(quantile["q"] * len(values)) - 1]
        assert quantile["lo"] == quantile["value"] == quantile["hi"], quantile
        assert abs(quantile["value"] - expected) < 1e-6, (id, quantile, expected)
    assert abs(row["value"] - sum(values) / len(values)) < 1e-6, (id, row["value"])
n = range(1, 201)
check("ttft_ms", [float(v) for v in n])
check("e2e_latency_ms", [v + 630.0 for v in n])
check("queue_time_ms", [v / 8 for v in n])
check("prompt_length_tokens", [100.0 + v for v in n])
check("tpot_ms", [10.0] * 200)
stage = rows["stage_time_ms", "prefill_forward"]
assert (stage["count"], stage["min"], stage["value"], stage["max"]) == (3, 10, 20, 30), stage
assert len([id for id, _ in rows if id == "stage_time_ms"]) == 1, list(rows)
source = next(source for source in data["sources"] if source["kind"] == "otlp")
# The two old requests came, and are not of the window; so did the spans of what is no stage.
assert (source["readings"], source["samples"]) == (200, 208), source
ttft = {q["q"]: q["value"] for q in rows["ttft_ms", None]["quantiles"]}
print(f"otlp.sh: ok: {source['readings']} requests by HTTP and gRPC, TTFT {ttft} ms, exact")
PY
spans_port=$(port)
"$fetch" window --url "http://127.0.0.1:$metrics_port" --otlp "$spans_port" --otlp-wait 200ms --format markdown \
  -o "$scratch/window.json" -- "$venv/bin/python" "$scratch/engine.py" "$spans_port" >"$scratch/window.md" ||
  fail 'telemetry-fetch window --otlp'
python3 "$scratch/check.py" "$scratch/window.json" || fail 'a number is not what was sent'
[ "$(wc -c <"$scratch/window.md")" -lt 8192 ] || fail 'the view is over 8 KB'
