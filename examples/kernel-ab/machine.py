"""What a measurement ran on, and whether anything else did."""

import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

# Busiest device that counts as idle, percent, and how long to wait for it.
IDLE_PCT, IDLE_PATIENCE_S = 5.0, float(os.environ.get("KERNEL_AB_PATIENCE_S", "20"))


def file_digest(path):
    return "sha256:" + hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def asked(command, seconds, failures):
    """What a program prints; None where it is not there, fails, or does not answer in time, which `failures` then says."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except OSError:
        return None
    except subprocess.TimeoutExpired:
        failures.append(f"{pathlib.Path(command[0]).name} did not answer in {seconds} s")
        return None
    return ended.stdout if ended.returncode == 0 else None


def cuda_device(failures):
    """Name and UUID of the CUDA device, and torch's versions; without one None, and a device of which nothing is known where the
    probe hangs. Asked in a process that ends, so that the one that looks for foreign processes has none on the device itself."""
    ask = (
        "import json, torch\n"
        "if torch.cuda.is_available():\n"
        "    of = torch.cuda.get_device_properties(torch.cuda.current_device())\n"
        "    print(json.dumps([of.name, f'GPU-{of.uuid}', torch.__version__, torch.version.cuda]))\n"
    )
    before = len(failures)
    answer = asked([sys.executable, "-c", ask], 120, failures)
    if len(failures) > before:
        return [None] * 4
    return json.loads(answer.splitlines()[-1]) if answer else None


def nvidia_smi(query, fields, failures):
    """Cells of each line; None without an answer."""
    answer = asked(["nvidia-smi", f"--query-{query}={fields}", "--format=csv,noheader,nounits"], 30, failures)
    if answer is None:
        return None
    return [[cell.strip() for cell in line.split(",")] for line in answer.splitlines()]


def idle_gpu(uuid, failures):
    """How busy the device is, and how many processes have it; null where nvidia-smi does not say."""
    busy = [line[1] for line in nvidia_smi("gpu", "uuid,utilization.gpu", failures) or [] if line[0] == uuid]
    if not busy or not busy[0].isdigit():
        return {"utilization_pct": None, "foreign_processes": None}
    apps = nvidia_smi("compute-apps", "gpu_uuid,pid", failures)
    foreign = None if apps is None else sum(line[0] == uuid for line in apps)
    return {"utilization_pct": float(busy[0]), "foreign_processes": foreign}


def busy_cores(seconds=0.5):
    """How busy each core that this process may use is, percent; none where the system does not count it."""

    def ticks():
        lines = pathlib.Path("/proc/stat").read_text().splitlines()
        cores = {}
        for line in lines:
            name, *values = line.split()
            if name.startswith("cpu") and name != "cpu":
                values = [int(value) for value in values]
                cores[int(name[3:])] = (sum(values[:8]), values[3] + values[4])
        return cores

    try:
        before = ticks()
        time.sleep(seconds)
        after = ticks()
    except OSError:
        return {}
    mine = os.sched_getaffinity(0)
    known = before.keys() & after.keys() & mine
    spent = {core: (after[core][0] - before[core][0], after[core][1] - before[core][1]) for core in known}
    return {core: 100.0 * (1 - idle / total) for core, (total, idle) in spent.items() if total}


def idle_core(failures):
    """How busy the idlest core is, and which one it is; null where none is known."""
    cores = busy_cores()
    if not cores:
        failures.append("no core that this process may use is in /proc/stat")
        return {"utilization_pct": None, "foreign_processes": None}, None
    core = min(cores, key=cores.get)
    return {"utilization_pct": round(cores[core], 1), "foreign_processes": None}, core


def idle_before(cuda, failures):
    """How busy the device is now, and the core that is pinned: waits a while for an idle one, then says what is so. A probe that
    fails is not asked again."""
    until = time.monotonic() + IDLE_PATIENCE_S
    while True:
        idle, core = (idle_gpu(cuda[1], failures), None) if cuda else idle_core(failures)
        is_idle = idle["utilization_pct"] is not None and idle["utilization_pct"] <= IDLE_PCT and not idle["foreign_processes"]
        if is_idle or failures or time.monotonic() > until:
            return idle, core
        time.sleep(0.5)


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def described(cuda):
    """The device and the machine, for the provenance."""
    name, uuid, torch, toolkit = cuda or (f"CPU: {cpu_name()}", None, None, None)
    return {
        "python": platform.python_version(),
        "torch": torch,
        "cuda": toolkit,
        "gpu": name,
        "gpu_uuid": uuid,
        # A stable word for the machine that does not say its name.
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:12],
    }
