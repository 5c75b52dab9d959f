"""Holds one searcher against the others, on the result lines that rivals.py and config-search's bench print.

    compare.py [--ours NAME] RESULTS.jsonl...        compare.py --self-test

Per rival one line:   regret_ratio rival=NAME mean=X ci_low=X ci_high=X landscapes=N
and one per budget:   regret_ratio_at budget=B rival=NAME mean=X ci_low=X ci_high=X landscapes=N

Regret is the share of the possible logarithmic gain that the chosen configuration leaves: 1 - ln(true/baseline) /
ln(oracle/baseline), of true values, above 1 where the choice is worse than the baseline. The ratio of one landscape is
(mean regret of ours + 0.01) / (mean regret of the rival + 0.01), both means over the same seeds and budgets; the 0.01
keeps two searchers that both find the optimum from being called different. `mean` is the geometric mean over
landscapes. The interval is the 95 % percentile interval of 10,000 bootstrap draws: landscapes with replacement, and in
each the seeds with replacement, the same seeds for both sides. Below 1 ours leaves less.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import random
from collections import defaultdict
from statistics import fmean

FLOOR = 0.01
DRAWS = 10_000

# regret[landscape][seed] = (ours, rival), each the mean over the budgets
Pairs = dict[str, dict[int, tuple[float, float]]]


def pairs(results: list[dict], ours: str, rival: str, budget: int | None) -> Pairs:
    regrets: dict[tuple[str, int, int], dict[str, float]] = defaultdict(dict)
    for result in results:
        if result["rival"] in (ours, rival) and budget in (None, result["budget"]):
            key = (result["landscape"], result["seed"], result["budget"])
            if result["rival"] in regrets[key]:
                raise ValueError(f"two results of {result['rival']} for {key}")
            regrets[key][result["rival"]] = result["regret"]
    grouped: dict[str, dict[int, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for (landscape, seed, _), both in regrets.items():
        if len(both) == 2:
            grouped[landscape][seed].append((both[ours], both[rival]))
    return {landscape: {seed: (fmean(o for o, _ in found), fmean(r for _, r in found)) for seed, found in seeds.items()}
            for landscape, seeds in sorted(grouped.items())}


def log_ratio(found: list[tuple[float, float]]) -> float:
    return math.log((fmean(o for o, _ in found) + FLOOR) / (fmean(r for _, r in found) + FLOOR))


def ratio(found: Pairs) -> tuple[float, float, float]:
    """Geometric mean over landscapes, lower and upper bound."""
    by_landscape = [list(seeds.values()) for seeds in found.values()]
    rng = random.Random(20)
    draws = sorted(fmean(log_ratio(rng.choices(seeds, k=len(seeds))) for seeds in rng.choices(by_landscape, k=len(by_landscape)))
                   for _ in range(DRAWS))
    low, high = draws[int(0.025 * DRAWS)], draws[int(0.975 * DRAWS) - 1]
    return math.exp(fmean(log_ratio(seeds) for seeds in by_landscape)), math.exp(low), math.exp(high)


def line(name: str, rival: str, found: Pairs) -> str:
    mean, low, high = ratio(found)
    return f"{name} rival={rival} mean={mean:.3f} ci_low={low:.3f} ci_high={high:.3f} landscapes={len(found)}"


def table(results: list[dict]) -> list[str]:
    lines = ["| searcher | trials | captured | regret | false accepts | abs(claimed - true) | s per decision |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    groups: dict[tuple[str, int], list[dict]] = defaultdict(list)
    for result in results:
        groups[result["rival"], result["budget"]].append(result)
    for (rival, budget), found in sorted(groups.items()):
        error = fmean(abs(r["claimed"] - r["true"]) / r["true"] for r in found)
        thinking = [r["seconds_per_decision"] for r in found if r["seconds_per_decision"] is not None]
        lines.append(f"| {rival} | {budget} | {fmean(r['captured'] for r in found):.3f} "
                     f"| {fmean(r['regret'] for r in found):.3f} | {fmean(r['false_accept'] for r in found):.1%} "
                     f"| {error:.1%} | {f'{fmean(thinking):.4f}' if thinking else 'not measured'} |")
    return lines


def by_landscape(results: list[dict], budget: int) -> list[str]:
    """What each searcher captures of each landscape at one budget, the mean over its seeds."""
    rivals = sorted({result["rival"] for result in results})
    lines = [f"| captured in {budget} trials | " + " | ".join(rivals) + " |", "|---|" + "---:|" * len(rivals)]
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        if result["budget"] == budget:
            found[result["landscape"]][result["rival"]].append(result["captured"])
    for landscape, captured in sorted(found.items()):
        lines.append(f"| {landscape} | " + " | ".join(f"{fmean(captured[r]):.3f}" if captured[r] else "-" for r in rivals) + " |")
    return lines


def self_test() -> None:
    def made_up(rival: str, regret: float, spread: float) -> list[dict]:
        rng = random.Random(rival)
        return [{"rival": rival, "landscape": f"land-{place}", "seed": seed, "budget": budget,
                 "regret": max(0.0, regret * (1 + place / 8) + rng.gauss(0, spread))}
                for place in range(8) for seed in range(30) for budget in (10, 20, 40)]

    half = ratio(pairs(made_up("ours", 0.1, 0.02) + made_up("tpe", 0.2, 0.02), "ours", "tpe", None))
    assert 0.48 < half[0] < 0.56 and half[1] < half[0] < half[2] < 0.6, half
    same = ratio(pairs(made_up("ours", 0.2, 0.1) + made_up("tpe", 0.2, 0.1), "ours", "tpe", 20))
    assert same[1] < 1 < same[2], same
    both_perfect = ratio(pairs(made_up("ours", 0.0, 0.0) + made_up("tpe", 0.0, 0.0), "ours", "tpe", None))
    assert both_perfect == (1.0, 1.0, 1.0), both_perfect
    try:
        pairs(made_up("ours", 0.1, 0.1) * 2, "ours", "tpe", None)
    except ValueError:
        pass
    else:
        raise AssertionError("a doubled result must be refused")
    print("compare.py: all checks pass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="*", type=pathlib.Path)
    parser.add_argument("--ours", default="config-search")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        self_test()
        return
    results = [json.loads(text) for path in args.results for text in path.read_text().splitlines()]
    print("\n".join(table(results)))
    for budget in sorted({result["budget"] for result in results}):
        print("\n" + "\n".join(by_landscape(results, budget)))
    print()
    for rival in sorted({result["rival"] for result in results} - {args.ours}):
        if not (found := pairs(results, args.ours, rival, None)):
            continue
        print(line("regret_ratio", rival, found))
        for budget in sorted({result["budget"] for result in results}):
            if at := pairs(results, args.ours, rival, budget):
                print(line(f"regret_ratio_at budget={budget}", rival, at))


if __name__ == "__main__":
    main()
