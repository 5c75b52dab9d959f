#!/usr/bin/env bash
# telemetry-fetch --prometheus against the real stores: Prometheus 2.42 and VictoriaMetrics 1.79 (Debian packages) scrape
# engine-sim, which restarts inside the window, and the real llama-server where examples/real-engine/setup.sh installed it.
# Our quantiles must equal Prometheus' own histogram_quantile(increase(…)), our increases the raw samples of each store.
# Needs curl, python3, apt-get and dpkg; no root: packages are unpacked, not installed, so no service starts.
# Binaries come from $SOTA_LOOP_BIN, or are built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "prometheus.sh: FAILED: $*" >&2; exit 1; }
if [ -z "${SOTA_LOOP_BIN:-}" ]; then
  cargo build --release --locked --quiet -p engine-sim -p telemetry-fetch
fi
bin=${SOTA_LOOP_BIN:-$PWD/target/release}

stores=$PWD/target/ci/stores
if [ ! -x "$stores/usr/bin/prometheus" ] || [ ! -x "$stores/usr/bin/victoria-metrics" ]; then
  mkdir -p "$stores/deb"
  download() { (cd "$stores/deb" && rm -f ./*.deb && apt-get download -qq prometheus victoria-metrics 2>/dev/null); }
  download || {
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq && download
  } || fail 'apt-get download prometheus victoria-metrics'
  for package in "$stores"/deb/*.deb; do dpkg -x "$package" "$stores"; done
fi

scratch=$(mktemp -d)
pids=()
stop() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; rm -rf "$scratch"' EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() { # answers URL
  local waited=0
  until curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "$1"; do
    waited=$((waited + 1))
    [ "$waited" -lt 200 ] || fail "nothing answers at $1"
    sleep 0.1
  done
}
now() { python3 -c 'import datetime; print(datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"))'; }

engine_port=$(port)
start_sim() {
  "$bin/engine-sim" --flavor vllm --noise-cv 20 --port "$engine_port" >"$scratch/sim.json" 2>"$scratch/sim.log" &
  sim_pid=$!
  pids+=("$sim_pid")
  answers "http://127.0.0.1:$engine_port/health"
}
start_sim
jobs="  - {job_name: sim, static_configs: [{targets: ['127.0.0.1:$engine_port']}]}"
llama_url=
venv=$PWD/examples/real-engine/.venv
if [ -x "$venv/bin/llama-server-vulkan" ] && [ -f "$venv/model.gguf" ]; then
  . examples/real-engine/engine.sh
  start_engine llama -t 1 -np 1
  pids+=("$engine_pid")
  llama_url=$engine_url
  jobs="$jobs
  - {job_name: llama, static_configs: [{targets: ['${llama_url#http://}']}]}"
fi
printf 'global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n%s\n' "$jobs" >"$scratch/prometheus.yml"
prometheus=http://127.0.0.1:$(port)
"$stores/usr/bin/prometheus" --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/prometheus" \
  --web.listen-address="${prometheus#http://}" >"$scratch/prometheus.log" 2>&1 &
pids+=($!)
victoria=http://127.0.0.1:$(port)
printf 'scrape_configs:\n%s\n' "$jobs" | sed 's/job_name: \([a-z]*\),/job_name: \1, scrape_interval: 1s, scrape_timeout: 1s,/' >"$scratch/victoria.yml"
"$stores/usr/bin/victoria-metrics" -promscrape.config="$scratch/victoria.yml" -storageDataPath="$scratch/victoria" \
  -httpListenAddr="${victoria#http://}" >"$scratch/victoria.log" 2>&1 &
pids+=($!)
answers "$prometheus/-/ready"
answers "$victoria/health"

cat >"$scratch/load.py" <<'PY'
# Requests one after the other in four threads, whatever becomes of them, until it is ended.
import json, random, sys, threading, time, urllib.request

def ask(url, seed):
    rng = random.Random(seed)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        body = {"messages": [{"role": "user", "content": "word " * rng.randint(4, 200)}],
                "max_tokens": rng.randint(4, 48), "ignore_eos": True, "stream": False}
        request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        try:
            opener.open(request, timeout=10).read()
        except OSError:
            time.sleep(0.05)

for number, url in enumerate(sys.argv[1:]):
    for thread in range(4 if number == 0 else 1):
        threading.Thread(target=ask, args=(url, 10 * number + thread), daemon=True).start()
time.sleep(600)
PY
python3 "$scratch/load.py" "http://127.0.0.1:$engine_port" ${llama_url:+"$llama_url"} 2>"$scratch/load.log" &
pids+=($!)

# Load before the window: Prometheus does not extrapolate a counter below zero, which differs from bucket to bucket.
sleep 5
start=$(now)
sleep 12
kill "$sim_pid" && wait "$sim_pid" || true
sleep 1
start_sim
sleep 10
end=$(now)
sleep 2

window() { # window STORE JOB OUT
  "$bin/telemetry-fetch" window --prometheus "$1" --label "job=$2" --start "$start" --end "$end" \
    --format json --quiet >"$3" || fail "telemetry-fetch of $1, job $2, ended with exit code $?"
}
window "$prometheus" sim "$scratch/prometheus.json"
# VictoriaMetrics hides what is younger than 30 s (-search.latencyOffset) from some queries: what it has now is shown.
window "$victoria" sim "$scratch/victoria.json"
if [ -n "$llama_url" ]; then
  window "$prometheus" llama "$scratch/prometheus-llama.json"
  window "$victoria" llama "$scratch/victoria-llama.json"
fi

cat >"$scratch/check.py" <<'PY'
import datetime, json, sys, urllib.parse, urllib.request

scratch, prometheus, victoria, start, end, llama = sys.argv[1:7]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
seconds = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
width = round((seconds(end) - seconds(start)) * 1000)

def query(store, text):
    form = urllib.parse.urlencode({"query": text, "time": f"{seconds(end):.3f}"}).encode()
    answer = json.load(opener.open(store + "/api/v1/query", form, timeout=20))
    assert answer["status"] == "success", answer
    return answer["data"]["result"]

def increase(values):
    grown, last = 0.0, None
    for _, text in values:
        value = float(text)
        if value != value:
            continue  # VictoriaMetrics' marker of a series that ended
        if last is not None:
            grown += value - last if value >= last else value
        last = value
    return grown

def rows(name):
    data = json.load(open(f"{scratch}/{name}.json"))["data"]
    return data, {row["id"]: row for row in data["metrics"]}

data, ours = rows("prometheus")
assert data["engine"]["kind"] == "vllm", data["engine"]
assert sum(source["resets"] for source in data["sources"]) == 1, data["sources"]
assert all(source["coverage_pct"] > 85 for source in data["sources"]), data["sources"]
assert abs(data["window"]["clock_skew_ms"]) < 50, data["window"]
worst = 0.0
for ident, metric in [("ttft_ms", "time_to_first_token"), ("itl_ms", "inter_token_latency"), ("e2e_latency_ms", "e2e_request_latency")]:
    for quantile in ours[ident]["quantiles"]:
        text = f'histogram_quantile({quantile["q"]}, sum by (le) (increase({{__name__="vllm:{metric}_seconds_bucket",job="sim"}}[{width}ms])))'
        theirs = float(query(prometheus, text)[0]["value"][1]) * 1e3
        off = abs(quantile["value"] / theirs - 1) * 100
        worst = max(worst, off)
        print(f'{ident} q={quantile["q"]}: ours {quantile["value"]:.6f} in [{quantile["lo"]}, {quantile["hi"]}], Prometheus {theirs:.6f}, {off:.5f} %')
assert len(ours["ttft_ms"]["quantiles"]) == 4 and worst <= 0.01, worst

stores = [("prometheus", prometheus, "sim"), ("victoria", victoria, "sim")]
if llama:
    stores += [("prometheus-llama", prometheus, "llama"), ("victoria-llama", victoria, "llama")]
for name, store, job in stores:
    data, ours = rows(name)
    assert len(data["sources"]) == 1 and data["sources"][0]["readings"] >= 15, (name, data["sources"])
    metric = "llamacpp:tokens_predicted_total" if job == "llama" else "vllm:generation_tokens_total"
    raw = query(store, f'{{__name__="{metric}",job="{job}"}}[{width}ms]')
    truth = increase(raw[0]["values"])
    told = ours["generation_tokens"]["value"]
    print(f'{name}: generation tokens ours {told:.0f}, raw samples {truth:.0f}, {data["sources"][0]["readings"]} readings, '
          f'coverage {data["sources"][0]["coverage_pct"]:.1f} %, resets {data["sources"][0]["resets"]}')
    assert truth > 0 and abs(told - truth) < 1e-6, (told, truth)
    assert data["engine"]["kind"] == ("llama.cpp" if job == "llama" else "vllm"), data["engine"]
    assert data["sources"][0]["resets"] == (0 if job == "llama" else 1), data["sources"]
PY
python3 "$scratch/check.py" "$scratch" "$prometheus" "$victoria" "$start" "$end" "$llama_url" || fail 'the numbers disagree'

# What a store does not have is said, and is no window of zeros.
refused() { # refused CODE ARG...
  local code=$1 status=0
  shift
  "$bin/telemetry-fetch" window "$@" --format json --quiet >"$scratch/error.json" 2>/dev/null || status=$?
  [ "$status" = 4 ] || fail "exit code $status instead of 4: $*"
  python3 -c 'import json, sys; error = json.load(open(sys.argv[1])); assert error["code"] == sys.argv[2] and error["hint"], error' \
    "$scratch/error.json" "$code" || fail "another error than $code: $*"
}
for store in "$prometheus" "$victoria"; do
  refused store-empty --prometheus "$store" --start 2020-01-01T00:00:00Z --end 2020-01-01T00:01:00Z
  refused store-empty --prometheus "$store" --label job=nobody --start "$start" --end "$end"
  refused store-foreign --prometheus "$store/no/such/prefix" --start "$start" --end "$end"
done
echo 'prometheus.sh: ok'
