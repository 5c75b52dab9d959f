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


def cuda_device():
    """Name and UUID of the CUDA device, and torch's versions; without one None. Asked in a process that ends, so that the one that
    looks for foreign processes has none on the device itself."""
    ask = (
        "import json, torch\n"
        "if torch.cuda.is_available():\n"
        "    of = torch.cuda.get_device_properties(torch.cuda.current_device())\n"
        "    print(json.dumps([of.name, f'GPU-{of.uuid}', torch.__version__, torch.version.cuda]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=120)
    return json.loads(ended.stdout) if ended.returncode == 0 and ended.stdout else None


def nvidia_smi(query, fields):
    command = ["nvidia-smi", f"--query-{query}={fields}", "--format=csv,noheader,nounits"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except OSError:
        return []
    return [[cell.strip() for cell in line.split(",")] for line in found.stdout.splitlines()]


def idle_gpu(uuid):
    """How busy the device is, and how many processes have it; null where nvidia-smi does not say."""
    busy = [line[1] for line in nvidia_smi("gpu", "uuid,utilization.gpu") if line[0] == uuid]
    if not busy or not busy[0].isdigit():
        return {"utilization_pct": None, "foreign_processes": None}
    apps = [line for line in nvidia_smi("compute-apps", "gpu_uuid,pid") if line[0] == uuid]
    return {"utilization_pct": float(busy[0]), "foreign_processes": len(apps)}


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


def idle_before(cuda):
    """How busy the device is now, and the core that is pinned: waits a while for an idle one, then says what is so."""
    until = time.monotonic() + IDLE_PATIENCE_S
    while True:
        core = None
        if cuda:
            idle = idle_gpu(cuda[1])
        else:
            cores = busy_cores()
            core = min(cores, key=cores.get)
            idle = {"utilization_pct": round(cores[core], 1), "foreign_processes": None}
        is_idle = idle["utilization_pct"] is not None and idle["utilization_pct"] <= IDLE_PCT and not idle["foreign_processes"]
        if is_idle or time.monotonic() > until:
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
