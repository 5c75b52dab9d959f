"""Step times and KV capacities of every configuration, from aiconfigurator-core's silicon data, for the simulator.

    prepare.py OUTPUT_DIR [NAME...]

Writes OUTPUT_DIR/NAME.json for each landscape: its header, the workload, tables of step times, and one row a
configuration that says which table holds its times and how many tokens its KV cache has, or why it cannot run.
"""

from __future__ import annotations

import itertools
import json
import logging
import pathlib
import sys
from importlib.metadata import version

from aiconfigurator_core.sdk.engine import EngineHandle
from aiconfigurator_core.sdk.memory import estimate_kv_cache

from landscapes import LANDSCAPES

# The grid that the simulator interpolates on: requests in a step, new tokens of each, tokens already cached.
PREFILL_BATCH = [1, 2, 4, 8, 16, 32, 64, 128]
PREFILL_NEW = [1, 8, 32, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]
PREFILL_CACHED = [0, 256, 1024, 4096, 16384]
DECODE_BATCH = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
DECODE_CONTEXT = [16, 128, 512, 1024, 2048, 4096, 8192, 16384]
NOISE = {"sigma": 0.03, "disturbed_share": 0.05, "disturbed_factor": 0.9}


def configurations(space: list[dict]) -> list[dict]:
    """Every combination; a parameter whose `when` does not hold is absent."""
    found = []
    for values in itertools.product(*(p["values"] for p in space)):
        params = {}
        for parameter, value in zip(space, values):
            when = parameter["when"] or {}
            if all(params.get(other) in allowed for other, allowed in when.items()):
                params[parameter["name"]] = value
        if params not in found:
            found.append(params)
    return found


def build(landscape: dict, params: dict) -> dict:
    """What aiconfigurator-core calls the flags that change step times and weights."""
    size = params.get("tensor_parallel_size", 1)
    built: dict = {"tp_size": size}
    quantization = params.get("quantization", "none")
    if quantization != "none":
        built["gemm_quant_mode"] = quantization
    if params.get("kv_cache_dtype", "auto") == "fp8":
        built["kvcache_quant_mode"] = "fp8"
        if landscape["backend"] == "sglang":
            built["fmha_quant_mode"] = "fp8"
    if "A3B" in landscape["model"] or "gpt-oss" in landscape["model"]:
        experts = params.get("enable_expert_parallel", False)
        built |= {"moe_tp_size": 1, "moe_ep_size": size} if experts else {"moe_tp_size": size, "moe_ep_size": 1}
        if quantization != "none":
            built["moe_quant_mode"] = quantization
    return built


def step_times(landscape: dict, built: dict) -> dict:
    engine = EngineHandle.compile(landscape["model"], landscape["system"], landscape["backend"],
                                  backend_version="current", **built)
    return {
        "prefill_ms": [[[six(engine.predict_prefill_latency(batch, new + cached, cached)) for cached in PREFILL_CACHED]
                        for new in PREFILL_NEW] for batch in PREFILL_BATCH],
        "decode_ms": [[six(engine.predict_decode_latency(batch, context)) for context in DECODE_CONTEXT]
                      for batch in DECODE_BATCH],
    }


def kv_tokens(landscape: dict, params: dict, built: dict) -> int:
    vllm = landscape["backend"] == "vllm"
    fraction = params.get("gpu_memory_utilization", 0.9) if vllm else params.get("mem_fraction_static", 0.85)
    estimate = estimate_kv_cache(
        landscape["model"], landscape["system"], landscape["backend"], backend_version="current",
        max_num_tokens=params.get("max_num_batched_tokens" if vllm else "chunked_prefill_size", 8192),
        max_batch_size=params.get("max_num_seqs" if vllm else "max_running_requests", 256),
        memory_fraction_kind="of_total", memory_fraction_value=fraction, **built)
    return int(estimate["total_kv_size_tokens"])


def six(value: float) -> float:
    return float(f"{value:.6g}")


def reason(error: Exception) -> str:
    """The message without paths of this machine."""
    return str(error).split(" at /")[0].split(": tried lane_order")[0][:300]


def prepare(landscape: dict) -> dict:
    tables: dict[str, dict] = {}
    rows = []
    # The baseline is row 0.
    for params in sorted(configurations(landscape["space"]), key=lambda params: params != landscape["baseline"]):
        built = build(landscape, params)
        key = json.dumps(built)
        if key not in tables:
            try:
                tables[key] = {"table": step_times(landscape, built)}
            except Exception as error:  # the data has no such kernel: an engine would refuse to start
                tables[key] = {"error": reason(error)}
        row = {"params": params, "table": list(tables).index(key), "kv_tokens": None, "status": None, "reason": None}
        if "error" in tables[key]:
            row |= {"status": "failed", "reason": "no kernel for this combination: " + tables[key]["error"]}
        else:
            try:
                row["kv_tokens"] = kv_tokens(landscape, params, built)
            except ValueError as error:
                row |= {"status": "oom", "reason": reason(error)}
        rows.append(row)
    source = (f"simulated: aisimulate-core 0.13.0 ({landscape['backend']} scheduler) on aiconfigurator-core "
              f"{version('aiconfigurator-core')} silicon data, {landscape['system']}, {landscape['model']}, "
              f"workload {json.dumps(landscape['workload'])}")
    header = {"schema": "config-search.landscape/1", "name": landscape["name"], "metric": landscape["metric"],
              "direction": "max", "unit": "tok/s" if "tokens" in landscape["metric"] else "1/s", "source": source,
              "complete": True, "noise": NOISE, "baseline": landscape["baseline"], "space": landscape["space"]}
    return {"header": header, "backend": landscape["backend"], "workload": landscape["workload"],
            "grid": {"prefill_batch": PREFILL_BATCH, "prefill_new": PREFILL_NEW, "prefill_cached": PREFILL_CACHED,
                     "decode_batch": DECODE_BATCH, "decode_context": DECODE_CONTEXT},
            "tables": [entry.get("table") for entry in tables.values()], "rows": rows}


def main() -> None:
    logging.disable(logging.CRITICAL)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for landscape in LANDSCAPES:
        if len(sys.argv) > 2 and landscape["name"] not in sys.argv[2:]:
            continue
        prepared = prepare(landscape)
        states = [row["status"] or "runs" for row in prepared["rows"]]
        print(landscape["name"], len(states), {state: states.count(state) for state in sorted(set(states))}, flush=True)
        (out / f"{landscape['name']}.json").write_text(json.dumps(prepared) + "\n")


if __name__ == "__main__":
    main()
