"""Measures llama-server's flags one configuration after another; landscape.sh calls it.

The design: row 0 is the default, then every change of one flag from the default, then seeded draws from the whole space.
Each repeat goes through all rows before the next begins, every second one backwards, so that what the machine does
meanwhile falls on all rows alike. A repeat starts the server, waits for its health, sends one unmeasured request, runs the
frozen workload beside it once, and stops the server by its pid.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SEED = 270
HEALTHY_S, RUN_S = 30, 40
# No proxy between this and the loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def parameter(name: str, family: str, kind: str, values: list, log: bool = False) -> dict:
    return {"name": name, "family": family, "kind": kind, "values": values, "log": log, "when": None}


SPACE = [
    parameter("threads", "parallelism", "int", [1, 2, 4], log=True),
    parameter("batch-size", "batching", "int", [32, 128, 512, 2048], log=True),
    parameter("ubatch-size", "batching", "int", [4, 16, 128, 512], log=True),
    parameter("parallel", "batching", "int", [1, 2, 4, 8], log=True),
    parameter("cont-batching", "scheduling", "flag", [True, False]),
    parameter("flash-attn", "attention", "choice", ["auto", "on", "off"]),
    parameter("cache-type-k", "kv-cache", "choice", ["f16", "q8_0", "q4_0"]),
    parameter("cache-type-v", "kv-cache", "choice", ["f16", "q8_0", "q4_0"]),
    parameter("spec-type", "speculation", "choice", ["none", "ngram-simple", "ngram-mod", "ngram-cache"]),
    parameter("ctx-size", "kv-cache", "int", [256, 1024, 4096, 16384], log=True),
]
DEFAULT = {"threads": 2, "batch-size": 2048, "ubatch-size": 512, "parallel": 1, "cont-batching": True, "flash-attn": "auto",
           "cache-type-k": "f16", "cache-type-v": "f16", "spec-type": "none", "ctx-size": 4096}


def design(configurations: int) -> list[dict]:
    rows = [dict(DEFAULT)]
    rows += [DEFAULT | {p["name"]: value} for p in SPACE for value in p["values"] if value != DEFAULT[p["name"]]]
    rng = random.Random(SEED)
    while len(rows) < configurations:
        drawn = {p["name"]: rng.choice(p["values"]) for p in SPACE}
        if drawn not in rows:
            rows.append(drawn)
    return rows[:configurations]


def flags(params: dict) -> list[str]:
    argv = []
    for name, value in params.items():
        argv += [f"--{'' if value else 'no-'}{name}"] if isinstance(value, bool) else [f"--{name}", str(value)]
    return argv


def clean(text: str) -> str:
    """One log line without paths, addresses and control characters."""
    return re.sub(r"\S*/\S+", "PATH", "".join(c if c.isprintable() else " " for c in text)).strip()[:200]


def last_error(log: pathlib.Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|failed|invalid|requires|unable", line, re.I)]
    # The first names the cause, those after it what came of it; the log counts time before each line.
    first = (telling or lines[-1:] or ["no output"])[0]
    return clean(re.sub(r"^[\d.]+ [A-Z] ", "", first))


class Failure(Exception):
    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def wait_healthy(server: subprocess.Popen, url: str, log: pathlib.Path) -> None:
    until = time.monotonic() + HEALTHY_S
    while time.monotonic() < until:
        if server.poll() is not None:
            reason = last_error(log)
            status = "oom" if re.search(r"out of memory|failed to allocate|bad_alloc", log.read_text(errors="replace")) else "failed"
            raise Failure(status, f"the server ended with {server.returncode}: {reason}")
        try:
            with OPENER.open(f"{url}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise Failure("timeout", f"not healthy after {HEALTHY_S} s")


def post(url: str, body: dict) -> urllib.request.Request:
    return urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})


def warm_up(url: str) -> None:
    """One short answer, so that the first measured request does not pay for what happens once."""
    body = {"messages": [{"role": "user", "content": "one two three"}], "max_tokens": 4, "cache_prompt": False}
    try:
        with OPENER.open(post(f"{url}/v1/chat/completions", body), timeout=HEALTHY_S):
            pass
    except OSError as error:
        raise Failure("failed", f"the first request failed: {clean(str(error))}") from None


def measure(args: argparse.Namespace, params: dict, scratch: pathlib.Path) -> float:
    """Output tokens a second of one run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, log, result = f"http://127.0.0.1:{port}", scratch / "server.log", scratch / "result.json"
    result.unlink(missing_ok=True)
    argv = [str(args.venv / "bin/llama-server-vulkan"), "-m", "model.gguf", "--alias", "gemma-3-270m", "--host", "127.0.0.1",
            "--port", str(port), "--cache-ram", "0", *flags(params)]
    with log.open("wb") as out:
        server = subprocess.Popen(argv, cwd=args.venv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_healthy(server, url, log)
        warm_up(url)
        command = [str(args.serve_bench), "run", "--url", url, "--workload", str(HERE / "landscape.workload.jsonl"),
                   "--concurrency", "4", "--quiet", "--format", "json", "-o", str(result)]
        try:
            run = subprocess.run(command, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=RUN_S)
        except subprocess.TimeoutExpired:
            raise Failure("timeout", f"the run took more than {RUN_S} s") from None
        if server.poll() is not None:
            raise Failure("failed", f"the server died during the run: {last_error(log)}")
        said = clean(run.stderr.decode(errors="replace"))
        if run.returncode in (2, 3, 70):
            raise SystemExit(f"serve-bench is called wrongly, which is no finding about the engine: {said}")
        # 1: requests failed, which the document tells. 5: other work on this machine disturbed the run, which is noise.
        if run.returncode not in (0, 1, 5):
            raise Failure("failed", f"serve-bench ended with {run.returncode}: {said}")
        return throughput(json.loads(result.read_text()))
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def throughput(document: dict) -> float:
    run = document["data"]["runs"][0]
    sent, answered = run["requests"]["sent"], run["requests"]["succeeded"]
    if answered != sent:
        raise Failure("failed", f"{answered} of {sent} requests were answered in full")
    return run["throughput"]["output_tps"]


def record(args: argparse.Namespace) -> list[dict]:
    """Measures what the record does not hold yet, and returns all of it."""
    rows = design(args.configurations)
    done = [json.loads(line) for line in args.record.read_text().splitlines()] if args.record.exists() else []
    known = {(line["row"], line["repeat"]) for line in done}
    for line in done:
        if line["row"] < len(rows) and line["params"] != rows[line["row"]]:
            raise SystemExit(f"{args.record} was recorded with another design; give --record a new file")
    with tempfile.TemporaryDirectory() as scratch, args.record.open("a") as out:
        for repeat in range(args.repeats):
            numbers = range(len(rows)) if repeat % 2 == 0 else reversed(range(len(rows)))
            for number in numbers:
                if (number, repeat) in known:
                    continue
                started = time.monotonic()
                line = {"row": number, "repeat": repeat, "params": rows[number], "status": "ok", "reason": None, "value": None}
                try:
                    line["value"] = float(f"{measure(args, rows[number], pathlib.Path(scratch)):.6g}")
                except Failure as failure:
                    line |= {"status": failure.status, "reason": failure.reason}
                line["seconds"] = round(time.monotonic() - started, 1)
                out.write(json.dumps(line) + "\n")
                out.flush()
                os.fsync(out.fileno())
                done.append(line)
                print(f"{len(done)}/{len(rows) * args.repeats} row {number} repeat {repeat}: "
                      f"{line['value'] or line['reason']} ({line['seconds']} s)", flush=True)
    return [line for line in done if line["row"] < len(rows) and line["repeat"] < args.repeats]


def fold(record: list[dict], engine: str) -> list[dict]:
    """The landscape: a configuration that failed in any repeat is a failure."""
    header = {"schema": "config-search.landscape/1", "name": "llama-server", "metric": "output_tokens_per_s", "direction": "max",
              "unit": "tok/s", "source": f"measured: {engine}, Gemma 3 270M Q4_K_M, 8 prompts of 48 words and 40 "
              f"tokens of answer at concurrency 4; a design of seed {SEED}, not the whole space",
              "complete": False, "noise": None, "baseline": DEFAULT, "space": SPACE}
    lines = [header]
    for number in sorted({line["row"] for line in record}):
        mine = sorted((line for line in record if line["row"] == number), key=lambda line: line["repeat"])
        failed = next((line for line in mine if line["status"] != "ok"), None)
        lines.append({"params": mine[0]["params"], "status": failed["status"] if failed else "ok",
                      "reason": failed["reason"] if failed else None,
                      "repeats": [] if failed else [line["value"] for line in mine],
                      "seconds": round(sum(line["seconds"] for line in mine) / len(mine), 1)})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve-bench", type=pathlib.Path, required=True)
    parser.add_argument("--venv", type=pathlib.Path, required=True)
    parser.add_argument("--configurations", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--record", type=pathlib.Path, default=HERE / "landscape.jsonl")
    parser.add_argument("--landscape", type=pathlib.Path, default=HERE.parent / "landscapes/llama-server.jsonl")
    args = parser.parse_args()
    args.serve_bench, args.venv = args.serve_bench.resolve(), args.venv.resolve()
    shown = subprocess.run([args.venv / "bin/llama-server-vulkan", "--version"], capture_output=True, text=True, cwd=args.venv)
    build = re.search(r"version: .*", shown.stdout + shown.stderr)
    recorded = record(args)
    args.landscape.write_text("".join(json.dumps(line) + "\n" for line in fold(recorded, f"llama-server {build.group() if build else 'of unknown version'}")))


if __name__ == "__main__":
    main()
