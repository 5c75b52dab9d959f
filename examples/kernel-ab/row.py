"""One row, in a process of its own: correctness first, then the samples, and after each sample what it left behind."""

import gc
import hashlib
import importlib.util
import secrets
import statistics

import numpy as np

from problem import Problem

# Seeds that are compared before anything is timed.
CHECKED_SEEDS = 3
# One pass in so many is looked at, besides the last of each sample; which one is nobody's to know.
LOOKS = 8
# Between the inputs of two sets of one trial, and between seeds for other uses; seeds of a plan are below 2^64.
SET_STEP = 1 << 64
# Passes that say how long a call takes.
PROBES = 3


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compared(row, device, expected, found):
    """Part of the outputs within tolerance, and those that are not finite where the baseline's are. NaN is like NaN only where
    the row says `equal_nan`."""
    matched = total = nonfinite = 0
    for a, b in zip(expected, found, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return 0.0, 0
        a, b = device.values(a), device.values(b)
        with np.errstate(invalid="ignore"):
            near = (a == b) | (np.abs(a - b) <= row.get("atol", 0.0) + row.get("rtol", 0.0) * np.abs(a))
        if row.get("equal_nan", False):
            near |= (a != a) & (b != b)
        matched += int(np.count_nonzero(near))
        total += a.size
        nonfinite += int(np.count_nonzero(np.isfinite(a) & ~np.isfinite(b)))
    return matched / max(total, 1), nonfinite


class Sets:
    """Several inputs of one row, each with outputs of its own for either side, and for the baseline's word on what is right."""

    def __init__(self, row, paths, device, count):
        self.row, self.device, self.count = row, device, count
        self.problem = Problem(row)
        self.kernels = {side: load(path, f"pair_{side}").kernel for side, path in paths.items()}
        self.called = dict.fromkeys(paths, 0)
        self.bases, self.inputs = ([self.arrays(0) for _ in range(count)] for _ in range(2))
        names = (*paths, "right")
        self.outputs = {name: [[device.put(a) for a in self.problem.outputs()] for _ in range(count)] for name in names}
        self.matched, self.nonfinite = 1.0, 0

    def arrays(self, seed):
        return [self.device.put(array) for array in self.problem.inputs(seed)]

    def refill(self, seed):
        """New inputs from a seed, another for each set."""
        for at in range(self.count):
            for buffer, array in zip(self.bases[at], self.problem.inputs(seed + at * SET_STEP), strict=True):
                self.device.load(buffer, array)
        self.vary(1.0)

    def vary(self, factor):
        for inputs, bases in zip(self.inputs, self.bases, strict=True):
            self.problem.vary(self.device, inputs, bases, factor)

    def varies(self):
        """Whether the inputs are others after `vary`: a task of integers alone has to write its own."""
        seen = set()
        for factor in (0.75, 1.0):
            self.vary(factor)
            seen.add(self.digest(self.inputs))
        return len(seen) == 2

    def poison(self, name, at):
        for output in self.outputs[name][at]:
            self.device.poison(output)

    def call(self, side, at):
        self.called[side] += 1
        self.kernels[side](self.device.xp, self.inputs[at], self.outputs[side][at])

    def digest(self, sets):
        total = hashlib.sha256()
        for arrays in sets:
            for array in arrays:
                total.update(self.device.raw(array))
        return "sha256:" + total.hexdigest()

    def compare(self, at, expected, found):
        matched, nonfinite = compared(self.row, self.device, self.outputs[expected][at], self.outputs[found][at])
        self.matched = min(self.matched, matched)
        self.nonfinite += nonfinite

    def look(self, side):
        """Holds what a side left in all sets against what the baseline makes of the same inputs now."""
        for at in range(self.count):
            self.poison("right", at)
            self.kernels["A"](self.device.xp, self.inputs[at], self.outputs["right"][at])
            self.device.synchronize()
            self.compare(at, "right", side)


def check(sets, seeds):
    """Correctness with poison and fresh inputs, then once more with inputs that are nearly the same, on outputs as they are."""
    names = ("inputs_sha256_before", "inputs_sha256_after", "baseline_outputs_sha256", "candidate_outputs_sha256")
    checks = {"poisoned": True, "seeds": seeds, **{name: [] for name in names}}
    for seed in seeds:
        sets.refill(seed)
        checks["inputs_sha256_before"].append(sets.digest(sets.inputs[:1]))
        for side in "AB":
            sets.poison(side, 0)
            sets.call(side, 0)
            sets.device.synchronize()
        checks["inputs_sha256_after"].append(sets.digest(sets.inputs[:1]))
        checks["baseline_outputs_sha256"].append(sets.digest(sets.outputs["A"][:1]))
        checks["candidate_outputs_sha256"].append(sets.digest(sets.outputs["B"][:1]))
        sets.compare(0, "A", "B")
        arrays, others = sets.problem.inputs(seed), sets.problem.inputs(seed + sets.count * SET_STEP)
        nearly = sets.problem.nearly(arrays, others, np.random.default_rng(secrets.randbits(64)))
        for buffer, array in zip(sets.inputs[0], nearly, strict=True):
            sets.device.load(buffer, array)
        for side in "AB":
            sets.call(side, 0)
            sets.device.synchronize()
        sets.compare(0, "A", "B")
    return checks


def one_pass(sets, side, clock, factor, count, is_looked_at=False):
    """Calls a side once with each of `count` sets, on other values and poisoned outputs; microseconds, and the hashes of the inputs
    before and after where it is looked at."""
    sets.vary(factor)
    for at in range(sets.count):
        sets.poison(side, at)
    before = sets.digest(sets.inputs) if is_looked_at else None
    call = sets.call

    def run():
        for at in range(count):
            call(side, at)

    spent = sets.device.timed(clock, run)
    return spent, before, sets.digest(sets.inputs) if is_looked_at else None


def sample(sets, side, clock, factors):
    """Microseconds a call over one pass for each factor, and the hashes of the inputs before and after the last one, or the one
    that changed them."""
    total, seen = 0.0, None
    for at, factor in enumerate(factors):
        is_last = at + 1 == len(factors)
        is_looked_at = is_last or secrets.randbelow(LOOKS) == 0
        spent, before, after = one_pass(sets, side, clock, factor, sets.count, is_looked_at)
        total += spent
        if is_looked_at:
            sets.look(side)
            if before != after or (is_last and seen is None):
                seen = before, after
    return total / (len(factors) * sets.count), seen


def inner_iterations(sets, settings):
    """Calls within a sample: doubled until the faster side takes as long as it should."""
    fastest = min(one_pass(sets, side, "wall", 1.0, 1)[0] for _ in range(PROBES) for side in "AB")
    # A whole pass at least, however slow the kernel: fewer sets would leave room for a cache.
    inner = max(sets.count, settings["inner_iterations_min"])
    while inner < settings["inner_iterations_max"] and inner * fastest < settings["target_sample_us"]:
        inner *= 2
    return min(inner, max(sets.count, settings["inner_iterations_max"]))


def summarised(samples):
    ordered = sorted(samples)
    return {
        "median_us": statistics.median(ordered),
        "mean_us": statistics.fmean(ordered),
        "std_us": statistics.stdev(ordered),
        "min_us": ordered[0],
        "samples_us": samples,
    }


def measure(row, plan_row, settings, paths, device):
    """The result of one row."""
    sets = Sets(row, paths, device, settings["input_sets"])
    checks = check(sets, plan_row["seeds"][:CHECKED_SEEDS])
    for side in "AB":
        for at in range(settings["warmup_runs"]):
            sets.call(side, at % sets.count)
    inner = inner_iterations(sets, settings)
    # A sample is whole passes over the sets; with fewer calls than sets there are fewer sets.
    sets.count = min(sets.count, inner)
    del sets.bases[sets.count :], sets.inputs[sets.count :]
    passes = inner // sets.count
    before_timing = dict(sets.called)
    times = {clock: {side: [] for side in "AB"} for clock in device.clocks}
    hashes = {"before": [], "after": []}
    gc.disable()
    for trial, pair in enumerate(zip(*[iter(plan_row["order"])] * 2, strict=True)):
        seed = plan_row["seeds"][trial]
        sets.refill(seed)
        random = np.random.default_rng([seed, 1])
        # Both sides see the same values.
        factors = {clock: random.uniform(0.5, 1.0, passes).tolist() for clock in device.clocks}
        seen = None
        for side in pair:
            for clock in device.clocks:
                spent, hashed = sample(sets, side, clock, factors[clock])
                times[clock][side].append(spent)
                if seen is None or hashed[0] != hashed[1]:
                    seen = hashed
        hashes["before"].append(seen[0])
        hashes["after"].append(seen[1])
    trials = len(plan_row["seeds"])
    calls = {
        side: {
            "warmup_runs": before_timing[side],
            "inner_iterations": (sets.called[side] - before_timing[side]) // (trials * len(device.clocks)),
        }
        for side in "AB"
    }
    checks |= {
        "matched_ratio": sets.matched,
        "nonfinite": sets.nonfinite,
        "equal_nan": row.get("equal_nan", False),
        "checked_after_timing": True,
        "input_sets": sets.count,
        # Poison alone does not show a cache that its inputs still fit.
        "poisoned_between": sets.varies(),
        "sets_checked_after_timing": sets.count,
        "timed_inputs_sha256_before": hashes["before"],
        "timed_inputs_sha256_after": hashes["after"],
    }
    is_right = sets.matched >= 1.0 and sets.nonfinite == 0
    timed = {side: summarised(times["device"][side]) if "device" in times else None for side in "AB"}
    by = times[device.clocks[0]]
    return {
        "event": "result",
        "id": row["id"],
        "status": "PASSED" if is_right else "INCORRECT",
        "production": row.get("production", True),
        "workload": row,
        "baseline": timed["A"],
        "candidate": timed["B"],
        "baseline_wall_us": times["wall"]["A"],
        "candidate_wall_us": times["wall"]["B"],
        "baseline_calls": calls["A"],
        "candidate_calls": calls["B"],
        "speedup": statistics.median(by["A"]) / statistics.median(by["B"]),
        "checks": checks,
    }
