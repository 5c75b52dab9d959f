"""Measures a kernel pair and writes what `kernel-gate judge` reads. A template: `problem.py` and the two files of the pair are
what a task changes; the protocol is what makes the numbers evidence.

    python harness.py --plan plan.json --workloads workloads.json \
        --baseline pair/baseline.py --candidate pair/candidate.py --out results.jsonl

Where torch finds a CUDA device, inputs are tensors on it and there are device times by CUDA events beside the wall times.
Elsewhere the same protocol runs on NumPy arrays on one core: wall times only.

The protocol: each row in a process of its own; the sides interleaved as the plan says; fresh inputs for each trial; the calls of
one sample go through several inputs in turn, and before one comes round again all have other values and poisoned outputs; what
a sample left behind is held against the baseline, all inputs of it, and so are passes that are picked at random; inputs hashed
before and after; correctness before the first sample with poison, and on inputs that differ in a few elements only; sources
hashed before and after.

It is no jail: the kernels run in the process that measures them, and code that reaches into it can write any number. Read the
candidate's source.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

# One core: threads of a BLAS library would measure its pool.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import device  # noqa: E402  (after the number of threads)
import machine  # noqa: E402
import row as one_row  # noqa: E402


def side_of(path, name):
    module = one_row.load(path, f"side_{name}")
    return {"source_sha256": machine.file_digest(path), "flags": module.FLAGS, "wrapper": module.WRAPPER}


def provenance(arguments, plan, paths, cuda, idle, failures):
    return {
        "event": "provenance",
        # Names without folders: a path says where somebody works.
        "command": " ".join(pathlib.Path(word).name for word in sys.argv),
        **machine.described(cuda),
        "numpy": one_row.np.__version__,
        "idle_before": idle,
        # What did not answer: nothing is made up for it, so the gate does not promote.
        "probe_failures": failures,
        "workload_count": len(plan["rows"]),
        "workloads_sha256": plan["workloads_sha256"],
        "dispatch_sha256": machine.file_digest(arguments.dispatch) if arguments.dispatch else None,
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
    # What a kernel prints stands before it.
    return json.loads(ended.stdout.splitlines()[-1])


def summary(results):
    ratios = [line["speedup"] for line in results if line.get("production") and line["status"] == "PASSED"]
    mean = math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None
    headline = {"production_workloads": len(ratios), "geomean_speedup": mean}
    passed = sum(line["status"] == "PASSED" for line in results)
    return {"event": "summary", "headline": headline, "passed": passed, "total": len(results)}


def read_arguments():
    parser = argparse.ArgumentParser(description="Measures a kernel pair for kernel-gate.")
    parser.add_argument("--plan", required=True, help="what `kernel-gate plan` wrote")
    parser.add_argument("--workloads", required=True, help="the rows")
    parser.add_argument("--baseline", required=True, help="what is there")
    parser.add_argument("--candidate", required=True, help="what shall take its place; the baseline again for an A/A")
    parser.add_argument("--dispatch", help="the dispatch that the candidate runs behind")
    parser.add_argument("--out", help="where the results go")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = read_arguments()
    plan = json.loads(pathlib.Path(arguments.plan).read_text())["data"]
    rows = {row["id"]: row for row in json.loads(pathlib.Path(arguments.workloads).read_text())}
    paths = {"A": arguments.baseline, "B": arguments.candidate}
    if arguments.row:
        if arguments.core is not None:
            os.sched_setaffinity(0, {arguments.core})
        of_plan = next(row for row in plan["rows"] if row["id"] == arguments.row)
        result = one_row.measure(rows[arguments.row], of_plan, plan["settings"], paths, device.found())
        print(json.dumps(result, allow_nan=False))
        return
    failures = []
    cuda = machine.cuda_device(failures)
    idle, core = machine.idle_before(cuda, failures)
    head = provenance(arguments, plan, paths, cuda, idle, failures)
    results = []
    for row in plan["rows"]:
        result = in_a_process(row["id"], sys.argv[1:], core, plan["settings"]["timeout_seconds"])
        result.setdefault("production", row["production"])
        results.append(result)
        print(f"{row['id']}: {result['status']} {result.get('speedup', 0):.3f}", file=sys.stderr)
    for side, path in (("baseline", paths["A"]), ("candidate", paths["B"])):
        head["sides"][side]["source_sha256_after"] = machine.file_digest(path)
    lines = [head, *results, summary(results)]
    text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
    pathlib.Path(arguments.out).write_text(text) if arguments.out else print(text, end="")


if __name__ == "__main__":
    main()
