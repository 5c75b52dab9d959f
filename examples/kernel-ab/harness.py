"""Measures a kernel pair and writes what `kernel-gate judge` reads. A template: `Problem` and the two files of the pair are
what a task changes; the protocol below is what makes the numbers evidence.

    python harness.py --plan plan.json --workloads workloads.json \
        --baseline pair/baseline.py --candidate pair/candidate.py --out results.jsonl

Where torch finds a CUDA device, inputs are tensors on it and samples are CUDA events with wall times beside them. Elsewhere
the same protocol runs on NumPy arrays: wall times only, and the results have no device times.

The protocol: each row in a process of its own, pinned to one core; outputs poisoned before each run that is compared; inputs
hashed before and after; fresh inputs for each trial, written into the same buffers, so that a cache by address shows; the
sides interleaved as the plan says; outputs compared once more after the timed loop; sources hashed before and after.
"""

import argparse
import gc
import hashlib
import importlib.util
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

# One core: threads of a BLAS library would measure its pool.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402  (after the number of threads)

try:
    import torch

    CUDA = torch.cuda.is_available()
except ImportError:
    torch, CUDA = None, False

POISON_FLOAT, POISON_INT = float("nan"), -17
CHECKED_TRIALS = 3
# Busiest device that counts as idle, percent, and how long to wait for it.
IDLE_PCT, IDLE_PATIENCE_S = 5.0, 20.0


class Problem:
    """What is computed: the inputs of a row, and room for its outputs."""

    def __init__(self, row):
        self.row = row

    def inputs(self, seed):
        random = np.random.default_rng(seed)
        shape = (self.row["rows"], self.row["hidden"])
        return [
            random.standard_normal(shape).astype(self.row["dtype"]),
            random.standard_normal(shape[1]).astype(self.row["dtype"]),
        ]

    def outputs(self):
        return [np.empty((self.row["rows"], self.row["hidden"]), self.row["dtype"])]


# --- the device ------------------------------------------------------------------------------------------------------


def to_device(array):
    return torch.from_numpy(array).cuda() if CUDA else array


def to_host(array):
    return array.cpu().numpy() if CUDA else array


def refill(buffers, arrays):
    """New values in the same buffers."""
    for buffer, array in zip(buffers, arrays, strict=True):
        if CUDA:
            buffer.copy_(torch.from_numpy(array))
        else:
            buffer[...] = array


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


def sample(kernel, inputs, outputs, inner):
    """Microseconds a call: by events on the device's stream (None without one), and by the host's clock, which waits for
    everything on the device."""
    xp = torch if CUDA else np
    synchronize()
    if CUDA:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began = time.perf_counter_ns()
    if CUDA:
        start.record()
    for _ in range(inner):
        kernel(xp, inputs, outputs)
    if CUDA:
        end.record()
    synchronize()
    wall = (time.perf_counter_ns() - began) / 1e3 / inner
    return (start.elapsed_time(end) * 1e3 / inner if CUDA else None), wall


# --- one row, in a process of its own --------------------------------------------------------------------------------


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digest(arrays):
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(to_host(array)).tobytes())
    return "sha256:" + total.hexdigest()


def poison(outputs):
    for output in outputs:
        is_float = "float" in str(output.dtype)
        output[...] = POISON_FLOAT if is_float else POISON_INT


def compared(row, baseline, candidate):
    """Part of the outputs within tolerance, and those that are not finite where the baseline's are."""
    matched = total = nonfinite = 0
    for a, b in zip(map(to_host, baseline), map(to_host, candidate), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return 0.0, 0
        a, b = a.astype(np.float64), b.astype(np.float64)
        near = np.abs(a - b) <= row["atol"] + row["rtol"] * np.abs(a)
        matched += int(np.count_nonzero(near | (np.isnan(a) & np.isnan(b))))
        total += a.size
        nonfinite += int(np.count_nonzero(np.isfinite(a) & ~np.isfinite(b)))
    return matched / max(total, 1), nonfinite


class Sides:
    """Both kernels with one set of inputs and an output of their own each."""

    def __init__(self, row, paths):
        self.row = row
        self.problem = Problem(row)
        self.kernels = {side: load(path, f"pair_{side}").kernel for side, path in paths.items()}
        self.inputs = [to_device(array) for array in self.problem.inputs(0)]
        self.outputs = {side: [to_device(array) for array in self.problem.outputs()] for side in paths}

    def run(self, side):
        self.kernels[side](torch if CUDA else np, self.inputs, self.outputs[side])

    def agree(self):
        return compared(self.row, self.outputs["A"], self.outputs["B"])


def check(sides, seeds):
    """Correctness with poison and fresh inputs; what the gate asks for."""
    checks = {
        "poisoned": True,
        "seeds": seeds,
        "inputs_sha256_before": [],
        "inputs_sha256_after": [],
        "baseline_outputs_sha256": [],
        "candidate_outputs_sha256": [],
        "matched_ratio": 1.0,
        "nonfinite": 0,
    }
    for seed in seeds:
        refill(sides.inputs, sides.problem.inputs(seed))
        checks["inputs_sha256_before"].append(digest(sides.inputs))
        for side in "AB":
            poison(sides.outputs[side])
            sides.run(side)
            synchronize()
        checks["inputs_sha256_after"].append(digest(sides.inputs))
        checks["baseline_outputs_sha256"].append(digest(sides.outputs["A"]))
        checks["candidate_outputs_sha256"].append(digest(sides.outputs["B"]))
        matched, nonfinite = sides.agree()
        checks["matched_ratio"] = min(checks["matched_ratio"], matched)
        checks["nonfinite"] += nonfinite
    return checks


def inner_iterations(sides, settings):
    inner = max(1, settings["inner_iterations_min"])
    while inner < settings["inner_iterations_max"]:
        fastest = min(sample(sides.kernels[side], sides.inputs, sides.outputs[side], inner)[1] for side in "AB")
        if fastest * inner >= settings["target_sample_us"]:
            break
        inner *= 2
    return min(inner, settings["inner_iterations_max"])


def summarised(samples, inner):
    ordered = sorted(samples)
    return {
        "median_us": statistics.median(ordered),
        "mean_us": statistics.fmean(ordered),
        "std_us": statistics.stdev(ordered),
        "min_us": ordered[0],
        "samples_us": samples,
        "inner_iterations": inner,
    }


def measure(row, plan_row, settings, paths):
    """The result of one row."""
    sides = Sides(row, paths)
    checks = check(sides, plan_row["seeds"][:CHECKED_TRIALS])
    for side in "AB":
        for _ in range(settings["warmup_runs"]):
            sides.run(side)
    inner = inner_iterations(sides, settings)
    device, wall = {"A": [], "B": []}, {"A": [], "B": []}
    after = 1.0
    gc.disable()
    for trial, pair in enumerate(zip(*[iter(plan_row["order"])] * 2, strict=True)):
        refill(sides.inputs, sides.problem.inputs(plan_row["seeds"][trial]))
        for side in pair:
            poison(sides.outputs[side])
            by_events, by_host = sample(sides.kernels[side], sides.inputs, sides.outputs[side], inner)
            device[side].append(by_events)
            wall[side].append(by_host)
        # What the timed work left behind.
        after = min(after, sides.agree()[0])
    checks["checked_after_timing"] = True
    checks["matched_ratio"] = min(checks["matched_ratio"], after)
    is_right = checks["matched_ratio"] >= 1.0 and checks["nonfinite"] == 0
    timed = {side: summarised(device[side], inner) if CUDA else None for side in "AB"}
    by = device if CUDA else wall
    return {
        "event": "result",
        "id": row["id"],
        "status": "PASSED" if is_right else "INCORRECT",
        "production": row.get("production", True),
        "workload": row,
        "baseline": timed["A"],
        "candidate": timed["B"],
        "baseline_wall_us": wall["A"],
        "candidate_wall_us": wall["B"],
        "inner_iterations": inner,
        "speedup": statistics.median(by["A"]) / statistics.median(by["B"]),
        "checks": checks,
    }


# --- all rows --------------------------------------------------------------------------------------------------------


def file_digest(path):
    return "sha256:" + hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def busy_cores(seconds=0.5):
    """How busy each core that this process may use is, percent."""

    def ticks():
        lines = pathlib.Path("/proc/stat").read_text().splitlines()
        cores = {}
        for line in lines:
            name, *values = line.split()
            if name.startswith("cpu") and name != "cpu":
                values = [int(value) for value in values]
                cores[int(name[3:])] = (sum(values[:8]), values[3] + values[4])
        return cores

    before = ticks()
    time.sleep(seconds)
    after = ticks()
    mine = os.sched_getaffinity(0)
    spent = {core: (after[core][0] - before[core][0], after[core][1] - before[core][1]) for core in after if core in mine}
    return {core: 100.0 * (1 - idle / total) for core, (total, idle) in spent.items() if total}


def nvidia_smi(query, fields):
    command = ["nvidia-smi", f"--query-{query}={fields}", "--format=csv,noheader,nounits"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return [line.split(", ") for line in found.stdout.splitlines()]


def idle_before():
    """How busy the device is now, and the core that is pinned: waits a while for an idle one, then says what is so."""
    until = time.monotonic() + IDLE_PATIENCE_S
    while True:
        if CUDA:
            uuid = "GPU-" + str(torch.cuda.get_device_properties(0).uuid)
            busy = next(float(line[1]) for line in nvidia_smi("gpu", "uuid,utilization.gpu") if line[0] == uuid)
            apps = [line for line in nvidia_smi("compute-apps", "gpu_uuid,pid") if line[0] == uuid]
            others = [line for line in apps if int(line[1]) != os.getpid()]
            idle, core = {"utilization_pct": busy, "foreign_processes": len(others)}, None
        else:
            cores = busy_cores()
            core = min(cores, key=cores.get)
            idle = {"utilization_pct": round(cores[core], 1), "foreign_processes": None}
        if (idle["utilization_pct"] <= IDLE_PCT and not idle["foreign_processes"]) or time.monotonic() > until:
            return idle, core


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def side_of(path, name):
    module = load(path, f"side_{name}")
    return {"source_sha256": file_digest(path), "flags": module.FLAGS, "wrapper": module.WRAPPER}


def provenance(arguments, plan, paths, idle):
    properties = torch.cuda.get_device_properties(0) if CUDA else None
    return {
        "event": "provenance",
        # Names without folders: a path says where somebody works.
        "command": " ".join(pathlib.Path(word).name for word in sys.argv),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__ if torch else None,
        "cuda": torch.version.cuda if CUDA else None,
        "gpu": properties.name if CUDA else f"CPU: {cpu_name()}",
        "gpu_uuid": f"GPU-{properties.uuid}" if CUDA else None,
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        "idle_before": idle,
        "workload_count": len(plan["rows"]),
        "workloads_sha256": plan["workloads_sha256"],
        "dispatch_sha256": file_digest(arguments.dispatch) if arguments.dispatch else None,
        "settings": {**plan["settings"], "order": "ABBA", "synchronize": "device"},
        "sides": {"baseline": side_of(paths["A"], "a"), "candidate": side_of(paths["B"], "b")},
    }


def in_a_process(identity, arguments, core, timeout):
    """One row by this file itself, in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--row", identity]
    command += ["--core", str(core)] if core is not None else []
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"event": "result", "id": identity, "status": "TIMEOUT"}
    if ended.returncode != 0:
        print(ended.stderr[-2000:], file=sys.stderr)
        return {"event": "result", "id": identity, "status": "ERROR"}
    return json.loads(ended.stdout)


def summary(results):
    ratios = [line["speedup"] for line in results if line.get("production") and line["status"] == "PASSED"]
    mean = math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None
    headline = {"production_workloads": len(ratios), "geomean_speedup": mean}
    passed = sum(line["status"] == "PASSED" for line in results)
    return {"event": "summary", "headline": headline, "passed": passed, "total": len(results)}


def main():
    parser = argparse.ArgumentParser(description="Measures a kernel pair for kernel-gate.")
    parser.add_argument("--plan", required=True, help="what `kernel-gate plan` wrote")
    parser.add_argument("--workloads", required=True, help="the rows")
    parser.add_argument("--baseline", required=True, help="what is there")
    parser.add_argument("--candidate", required=True, help="what shall take its place; the baseline again for an A/A")
    parser.add_argument("--dispatch", help="the dispatch that the candidate runs behind")
    parser.add_argument("--out", help="where the results go")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    plan = json.loads(pathlib.Path(arguments.plan).read_text())["data"]
    rows = {row["id"]: row for row in json.loads(pathlib.Path(arguments.workloads).read_text())}
    paths = {"A": arguments.baseline, "B": arguments.candidate}
    if arguments.row:
        if arguments.core is not None:
            os.sched_setaffinity(0, {arguments.core})
        of_plan = next(row for row in plan["rows"] if row["id"] == arguments.row)
        print(json.dumps(measure(rows[arguments.row], of_plan, plan["settings"], paths), allow_nan=False))
        return
    idle, core = idle_before()
    head = provenance(arguments, plan, paths, idle)
    results = []
    for row in plan["rows"]:
        result = in_a_process(row["id"], sys.argv[1:], core, plan["settings"]["timeout_seconds"])
        result.setdefault("production", row["production"])
        results.append(result)
        print(f"{row['id']}: {result['status']} {result.get('speedup', 0):.3f}", file=sys.stderr)
    for side, path in (("baseline", paths["A"]), ("candidate", paths["B"])):
        head["sides"][side]["source_sha256_after"] = file_digest(path)
    lines = [head, *results, summary(results)]
    text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
    pathlib.Path(arguments.out).write_text(text) if arguments.out else print(text, end="")


if __name__ == "__main__":
    main()
