#!/usr/bin/env bash
# telemetry-fetch --gpu through the driver's interface: a library with NVML's functions is built here from C, so that every
# number is known; and a machine without a driver. Needs cc and Python 3; telemetry-fetch, serve-bench and engine-sim from
# $SOTA_LOOP_BIN, or built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "nvml.sh: FAILED: $*" >&2; exit 1; }
command -v cc >/dev/null || fail 'no C compiler'
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet -p telemetry-fetch -p serve-bench -p engine-sim
bin=${SOTA_LOOP_BIN:-$PWD/target/release}
fetch=$bin/telemetry-fetch
[ -x "$fetch" ] || fail "there is no $fetch"

scratch=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap stop EXIT

# Two devices. The first works: 250 W by its energy counter, clocks of 1980 and 1485 MHz in turn, power-capped at the lower
# one. The second idles. What a driver may lack: memory errors are not supported, NVLink has no such functions at all.
cat >"$scratch/stub.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
typedef void *device;
typedef unsigned long long u64;
#define OK 0
#define NOT_SUPPORTED 3
static int busy(device d) { return (size_t)d == 1; }
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static unsigned turn;
int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
int nvmlSystemGetDriverVersion(char *out, unsigned n) { snprintf(out, n, "575.57.08"); return OK; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, device *d) { *d = (device)(size_t)(i + 1); return OK; }
int nvmlDeviceGetName(device d, char *out, unsigned n) { (void)d; snprintf(out, n, "Stub\033[31m GPU"); return OK; }
int nvmlDeviceGetUUID(device d, char *out, unsigned n) { snprintf(out, n, "GPU-stub-%d", (int)(size_t)d); return OK; }
struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(device d, struct rates *r) { r->gpu = busy(d) ? 97 : 0; r->memory = busy(d) ? 40 : 0; return OK; }
struct memory { unsigned version; u64 total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(device d, struct memory *m) {
  m->total = 80ULL << 30; m->reserved = 0; m->free = busy(d) ? 6ULL << 30 : 80ULL << 30; m->used = m->total - m->free; return OK;
}
int nvmlDeviceGetPowerUsage(device d, unsigned *mw) { *mw = busy(d) ? 251000 : 40000; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(device d, unsigned *mw) { (void)d; *mw = 350000; return OK; }
int nvmlDeviceGetTotalEnergyConsumption(device d, u64 *mj) { *mj = (busy(d) ? 250e3 : 40e3) * now(); return OK; }
int nvmlDeviceGetClockInfo(device d, int clock, unsigned *mhz) {
  if (clock == 1 && busy(d)) turn++;
  *mhz = clock == 2 ? 2619 : !busy(d) ? 345 : turn % 2 ? 1980 : 1485;
  return OK;
}
int nvmlDeviceGetMaxClockInfo(device d, int clock, unsigned *mhz) { (void)d; (void)clock; *mhz = 1980; return OK; }
int nvmlDeviceGetCurrentClocksThrottleReasons(device d, u64 *bits) { *bits = !busy(d) ? 1 : turn % 2 ? 0 : 4; return OK; }
int nvmlDeviceGetTemperature(device d, int sensor, unsigned *c) { (void)d; (void)sensor; *c = 61; return OK; }
int nvmlDeviceGetPcieThroughput(device d, int counter, unsigned *kb) { (void)d; *kb = counter ? 2000 : 1000; return OK; }
int nvmlDeviceGetTotalEccErrors(device d, int type, int counter, u64 *n) { (void)d; (void)type; (void)counter; *n = 0; return NOT_SUPPORTED; }
struct process { unsigned pid; u64 bytes; unsigned gpu, compute; };
int nvmlDeviceGetComputeRunningProcesses_v3(device d, unsigned *n, struct process *all) {
  unsigned room = *n, found = 0;
  char text[200];
  const char *env = getenv("STUB_PIDS");
  snprintf(text, sizeof text, "%s", env && busy(d) ? env : "");
  unsigned pids[16];
  for (char *word = strtok(text, ","); word && found < 16; word = strtok(NULL, ",")) pids[found++] = atoi(word);
  *n = found;
  if (found && room < found) return 7;
  for (unsigned i = 0; i < found; i++) all[i] = (struct process){pids[i], 70ULL << 30, -1, -1};
  return OK;
}
C
mkdir "$scratch/lib" "$scratch/none"
cc -shared -fPIC -Wall -Werror -o "$scratch/lib/libnvidia-ml.so.1" "$scratch/stub.c"

# An engine's metrics: a thousand tokens a second. It is started in a group of its own, as a launcher does it.
cat >"$scratch/engine.py" <<'PY'
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/metrics"
        body = f"# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total {1000 * time.monotonic()}\n".encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1], "w").write(str(server.server_port))
server.serve_forever()
PY
setsid python3 "$scratch/engine.py" "$scratch/port" & engine=$!
setsid sleep 80 & other=$!
pids+=("$engine" "$other")
for _ in $(seq 100); do [ -s "$scratch/port" ] && break; sleep 0.1; done
[ -s "$scratch/port" ] || fail 'the server of metrics does not start'
url=http://127.0.0.1:$(cat "$scratch/port")

window() { # window OUT FLAGS… : a window of five seconds
  local out=$1
  shift
  "$fetch" window --url "$url" --format markdown --quiet -o "$out" "$@" -- sleep 5 >"$out.md"
}
stub() { LD_LIBRARY_PATH=$scratch/lib "$@"; }
STUB_PIDS=$engine stub window "$scratch/own.json" --gpu --gpu-interval 100ms
STUB_PIDS=$engine,$other stub window "$scratch/foreign.json" --gpu --gpu-interval 100ms
stub "$fetch" snapshot --url "$url" --gpu --quiet -o "$scratch/before.json" >/dev/null
sleep 1
stub "$fetch" snapshot --url "$url" --gpu --quiet -o "$scratch/after.json" >/dev/null
"$fetch" window --before "$scratch/before.json" --after "$scratch/after.json" --quiet -o "$scratch/pair.json" >/dev/null
# Bound to a benchmark: the energy of its measured run, without the warm-up before it and the sleep after it.
sim_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sim=http://127.0.0.1:$sim_port
"$bin/engine-sim" --flavor vllm --port "$sim_port" >/dev/null 2>"$scratch/sim.log" &
pids+=("$!")
is_up() { curl --silent --fail --noproxy '*' --output /dev/null "$sim/health"; }
for _ in $(seq 100); do is_up && break; sleep 0.1; done
is_up || fail "the simulated engine does not start: $(cat "$scratch/sim.log")"
"$bin/serve-bench" freeze --dataset random --num-prompts 24 --input-len 64 --output-len 40 --seed 3 --quiet \
  --out "$scratch/short.jsonl" >/dev/null
run="$bin/serve-bench run --url $sim --workload $scratch/short.jsonl --concurrency 4 --warmup 8 --quiet -o $scratch/result.json"
# What disturbs the client is exit 5 of the benchmark, and not what is tested.
STUB_PIDS=$engine stub "$fetch" window --url "$sim" --interval 200ms --gpu --gpu-interval 100ms --for "$scratch/result.json" \
  --quiet -o "$scratch/bound.json" -- sh -c "$run || true; sleep 5" >/dev/null 2>&1
stub "$fetch" snapshot --url "$sim" --gpu --quiet -o "$scratch/sim-before.json" >/dev/null
sh -c "$run || true" >/dev/null 2>&1
stub "$fetch" snapshot --url "$sim" --gpu --quiet -o "$scratch/sim-after.json" >/dev/null
"$fetch" window --before "$scratch/sim-before.json" --after "$scratch/sim-after.json" --for "$scratch/result.json" --quiet \
  -o "$scratch/bound-pair.json" >/dev/null
# A driver that cannot be loaded, whatever the machine has.
: >"$scratch/none/libnvidia-ml.so.1"
LD_LIBRARY_PATH=$scratch/none window "$scratch/none.json" --gpu
ldconfig -p 2>/dev/null | grep -q libnvidia-ml || window "$scratch/absent.json" --gpu

cat >"$scratch/check.py" <<'PY'
import datetime, json, os, sys
scratch, other = sys.argv[1], int(sys.argv[2])
def load(name):
    return json.load(open(f"{scratch}/{name}.json"))
def seconds(text):
    return datetime.datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()
def near(value, expected, share, what):
    assert value is not None and abs(value - expected) <= share * expected, f"{what}: {value}, expected {expected}"
    return value

own = load("own")
gpu = own["data"]["gpu"]
one, two = gpu["devices"]
assert gpu["driver_version"] == "575.57.08", gpu
def rate(document):
    """Readings a second of the window: ten were asked for, and a busy machine leaves some out."""
    window = document["data"]["window"]
    return document["data"]["gpu"]["readings"] / (seconds(window["end_at"]) - seconds(window["start_at"]))
assert 7.5 <= rate(own) <= 11, (gpu["readings"], own["data"]["window"])
# A machine that is busy stops a reading between its clock and its counter.
near(one["energy_power_w"], 250, 0.01, "power from energy")
near(one["clock_drop_pct"], 12.5, 0.1, "clock drop")
near(one["power_capped_ratio"], 0.5, 0.1, "power capped")
assert gpu["clock_drop_pct"] == one["clock_drop_pct"] and gpu["power_capped_ratio"] == one["power_capped_ratio"]
assert (one["worked"], two["worked"]) == (True, False)
assert one["utilization_pct"]["mean"] == 97 and one["temperature_c"]["max"] == 61 and one["power_limit_w"] == 350
assert one["mem_headroom_min_bytes"] == gpu["mem_headroom_min_bytes"] == 6 << 30
assert (one["pcie_sent_bytes_s"]["mean"], one["pcie_received_bytes_s"]["mean"]) == (1e6, 2e6), one["pcie_sent_bytes_s"]
assert one["sm_clock_limit_mhz"] == 1980 and one["memory_clock_mhz"]["mean"] == 2619
assert "\x1b" not in one["name"], one["name"]
assert one["ecc_uncorrected"] is None and "not available" in one["missing"]["ecc_uncorrected"], one["missing"]
assert one["nvlink_sent_bytes_s"] is None and "too old" in one["missing"]["nvlink_sent_bytes_s"], one["missing"]
assert two["clock_drop_pct"] is None and "0 readings" in two["missing"]["clock_drop_pct"], two["missing"]
for device in gpu["devices"]:
    nulls = {field for field, value in device.items() if value is None}
    assert nulls == set(device["missing"]), nulls ^ set(device["missing"])
# 250 W at a thousand tokens a second; the second device idles and is left out.
joules = near(gpu["energy_per_output_token_j"], 0.25, 0.05, "energy per output token")
assert gpu["foreign_process"] is False, gpu
foreign = load("foreign")
assert foreign["data"]["gpu"]["foreign_process"] is True
told = [w["message"] for w in foreign["warnings"] if w["code"] == "gpu-foreign-process"]
assert len(told) == 1 and f"{other} (sleep)" in told[0], foreign["warnings"]
pair = load("pair")["data"]["gpu"]
near(pair["devices"][0]["energy_power_w"], 250, 0.03, "power between snapshots")
near(pair["devices"][1]["energy_power_w"], 40, 0.03, "power between snapshots")
assert pair["readings"] == 2 and pair["clock_drop_pct"] is None
bound = load("bound")
full = bound["data"]["window"]
tokens = [check for check in bound["data"]["audit"] if check["id"] == "token_conservation"][0]["expected"]
length = [check for check in bound["data"]["audit"] if check["id"] == "window_match"][0]["expected"]
bound_joules = near(bound["data"]["gpu"]["energy_per_output_token_j"], 250 * length / tokens, 0.10, "energy of the measured run")
# Of the benchmark alone: with the sleep of five seconds behind it there would be fifty more.
span = seconds(full["end_at"]) - seconds(full["start_at"])
assert span < length + 3, (span, length)
assert 7.5 * (span - 1) <= bound["data"]["gpu"]["readings"] <= 11 * (span + 2), (bound["data"]["gpu"]["readings"], span)
pair = load("bound-pair")["data"]["gpu"]
assert pair["energy_per_output_token_j"] is None and "two snapshots" in pair["missing"]["energy_per_output_token_j"], pair["missing"]
for name in ["none", "absent"]:
    if not os.path.exists(f"{scratch}/{name}.json"):
        continue
    document = load(name)
    told = [w for w in document["warnings"] if w["code"] == "gpu-unavailable"]
    assert document["data"]["gpu"] is None and len(told) == 1 and "\n" not in told[0]["message"], document["warnings"]
    assert any(row["id"] == "generation_tokens" for row in document["data"]["metrics"])
for name in ["own", "foreign"]:
    assert len(open(f"{scratch}/{name}.json.md").read().encode()) < 8192
print(f"nvml.sh: ok: {gpu['readings']} readings, {one['energy_power_w']:.2f} W, {joules:.4f} J a token, "
      f"{bound_joules:.4f} of the benchmark's {250 * length / tokens:.4f}, "
      f"clock drop {one['clock_drop_pct']:.2f} %, power-capped {one['power_capped_ratio']:.2f}")
PY
python3 "$scratch/check.py" "$scratch" "$other" || fail 'a number is not what the stub says'

# What sampling costs: the difference of a long and a short window, so that start-up is not in it.
cat >"$scratch/cost.py" <<'PY'
import os, subprocess, sys, time
fetch, url, lib = sys.argv[1:]
env = dict(os.environ, LD_LIBRARY_PATH=lib)
long, short = 18, 3
def start(seconds, flags):
    command = [fetch, "window", "--url", url, "--quiet", *flags, "--", "sleep", str(seconds)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
kinds = {"metrics at 1 Hz": [], "and GPUs at 1 Hz": ["--gpu", "--gpu-interval", "1s"], "and GPUs at 10 Hz": ["--gpu", "--gpu-interval", "100ms"]}
running = {start(s, flags).pid: (kind, s) for kind, flags in kinds.items() for s in (long, short)}
cpu = {}
while running:
    pid, status, usage = os.wait4(-1, 0)
    if pid in running:
        assert status == 0, (running[pid], status)
        cpu[running.pop(pid)] = usage.ru_utime + usage.ru_stime
share = {kind: 100 * (cpu[kind, long] - cpu[kind, short]) / (long - short) for kind in kinds}
for kind, percent in share.items():
    print(f"nvml.sh: {kind}: {percent:.3f} % of one core")
assert share["and GPUs at 1 Hz"] - share["metrics at 1 Hz"] < 0.5, share
PY
python3 "$scratch/cost.py" "$fetch" "$url" "$scratch/lib" || fail 'reading the GPUs once a second costs more than 0.5 % of one core'
