"""Runs the published searchers on landscapes, under the rules of README.md, and prints one JSON line a result.

    rivals.py [--rivals NAME...] [--seeds N] [--self-test] LANDSCAPE...

Every searcher starts with the baseline, is told each value or failure, and gives as its result the configuration with
the best value it was told. `tpe` and `tpe-multivariate` are Optuna's, `smac3` is SMAC's facade for hyperparameters.
`random` draws without looking back: the best single run wins, which is the naive one-run picker. `one-change` and `one-percent` are what
people do by hand: change one flag of the best so far, keep it when one run is better, or better by 1 %.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import pathlib
import random
import tempfile
import time
import warnings
from collections import Counter
from typing import Callable, Iterator

from landscape import Landscape, Params, Row, exists, heard, position, read

BUDGETS = (10, 20, 40)


class Trials:
    """One search on one landscape: what was asked, what was told, and how long the searcher thought."""

    def __init__(self, landscape: Landscape, seed: int) -> None:
        self.landscape, self.seed = landscape, seed
        self.asked: Counter[int] = Counter()
        self.told: list[tuple[Row, float | None]] = []
        self.thinking: list[float] = []
        self.since = time.perf_counter()

    def ask(self, params: Params) -> float | None:
        """One trial; None is a failure."""
        self.thinking.append(time.perf_counter() - self.since)
        row = self.landscape.row(params)
        value = None
        if row.status == "ok":
            value = self.landscape.told(self.seed, row, self.asked[row.number])
        self.asked[row.number] += 1
        self.told.append((row, value))
        self.since = time.perf_counter()
        return value

    def result(self, rival: str, budget: int, chosen: tuple[Row, float] | None = None) -> dict:
        """The result after `budget` trials: `chosen`, or the best that was told."""
        land = self.landscape
        told = self.told[:budget]
        row, claimed = chosen or max(((r, v) for r, v in told if v is not None), key=lambda pair: pair[1])
        captured = math.log(row.true / land.baseline.true) / math.log(land.oracle / land.baseline.true)
        return {"rival": rival, "landscape": land.name, "seed": self.seed, "budget": budget, "chosen": row.params,
                "claimed": claimed, "true": row.true, "baseline": land.baseline.true, "oracle": land.oracle,
                "captured": captured, "regret": 1 - captured,
                "false_accept": row is not land.baseline and row.true <= land.baseline.true,
                "failures": sum(value is None for _, value in told),
                "seconds_per_decision": sum(self.thinking[:budget]) / budget}


def draw(landscape: Landscape, rng: random.Random) -> Params:
    params: Params = {}
    for parameter in landscape.space:
        if exists(parameter, params):
            params[parameter["name"]] = rng.choice(parameter["values"])
    return params


def changed(landscape: Landscape, params: Params, rng: random.Random) -> Params:
    """`params` with one parameter changed; those that come to exist by it take their first value."""
    name = rng.choice([p["name"] for p in landscape.space if p["name"] in params and len(p["values"]) > 1])
    after: Params = {}
    for parameter in landscape.space:
        if not exists(parameter, after):
            continue
        values = parameter["values"]
        if parameter["name"] == name:
            at = position(values, params[name])
            after[name] = rng.choice(values[:at] + values[at + 1 :])
        else:
            after[parameter["name"]] = params.get(parameter["name"], values[0])
    return after


def run_random(landscape: Landscape, seed: int) -> Iterator[dict]:
    trials, rng = Trials(landscape, seed), random.Random(seed)
    trials.ask(landscape.header["baseline"])
    seen = {landscape.baseline.number}
    while len(trials.told) < BUDGETS[-1]:
        params = draw(landscape, rng)
        if landscape.row(params).number not in seen or len(seen) == len(landscape.rows):
            seen.add(landscape.row(params).number)
            trials.ask(params)
    yield from (trials.result("random", budget) for budget in BUDGETS)


def run_by_hand(rival: str, at_least: float) -> Callable[[Landscape, int], Iterator[dict]]:
    def run(landscape: Landscape, seed: int) -> Iterator[dict]:
        trials, rng = Trials(landscape, seed), random.Random(seed)
        best = (landscape.baseline, trials.ask(landscape.header["baseline"]))
        for trial in range(2, BUDGETS[-1] + 1):
            params = changed(landscape, best[0].params, rng)
            value = trials.ask(params)
            if value is not None and value > best[1] * at_least:
                best = (landscape.row(params), value)
            if trial in BUDGETS:
                yield trials.result(rival, trial, best)
    return run


def run_tpe(rival: str, **options: bool) -> Callable[[Landscape, int], Iterator[dict]]:
    def run(landscape: Landscape, seed: int) -> Iterator[dict]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        trials = Trials(landscape, seed)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, **options))
        ordered = {p["name"]: p["kind"] in ("int", "float") for p in landscape.space}
        study.enqueue_trial({p["name"]: position(p["values"], landscape.header["baseline"][p["name"]])
                             if ordered[p["name"]] else landscape.header["baseline"][p["name"]]
                             for p in landscape.space if p["name"] in landscape.header["baseline"]})
        while len(trials.told) < BUDGETS[-1]:
            trial, params = study.ask(), {}
            for parameter in landscape.space:
                name, values = parameter["name"], parameter["values"]
                if not exists(parameter, params):
                    continue
                # Positions of an ordered list: the sampler keeps the order, whatever the spacing of the values.
                params[name] = (values[trial.suggest_int(name, 0, len(values) - 1)] if ordered[name]
                                else trial.suggest_categorical(name, values))
            value = trials.ask(params)
            if value is None:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, value)
        yield from (trials.result(rival, budget) for budget in BUDGETS)
    return run


def run_smac(landscape: Landscape, seed: int) -> Iterator[dict]:
    # SMAC plans its initial design from the number of trials, so each budget is a search of its own.
    for budget in BUDGETS:
        with tempfile.TemporaryDirectory() as folder:
            yield smac_search(landscape, seed, budget, folder).result("smac3", budget)


def smac_search(landscape: Landscape, seed: int, budget: int, folder: str) -> Trials:
    from ConfigSpace import (AndConjunction, CategoricalHyperparameter, Configuration, ConfigurationSpace, InCondition,
                             OrdinalHyperparameter)
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.runhistory import StatusType, TrialInfo, TrialValue

    space = ConfigurationSpace(seed=seed)
    for parameter in landscape.space:
        values = [json.dumps(value) for value in parameter["values"]]
        default = json.dumps(landscape.header["baseline"].get(parameter["name"], parameter["values"][0]))
        kind = OrdinalHyperparameter if parameter["kind"] in ("int", "float") else CategoricalHyperparameter
        space.add(kind(parameter["name"], values, default_value=default))
    for parameter in landscape.space:
        # A condition may name values that the other parameter does not have here; ConfigSpace refuses those.
        of = {p["name"]: [json.dumps(value) for value in p["values"]] for p in landscape.space}
        conditions = [InCondition(space[parameter["name"]], space[other],
                                  [text for text in map(json.dumps, allowed) if text in of[other]])
                      for other, allowed in (parameter["when"] or {}).items()]
        if conditions:
            space.add(conditions[0] if len(conditions) == 1 else AndConjunction(*conditions))
    # The cost is the baseline's value over the candidate's. A failure costs as much as a server four times slower: SMAC's
    # default, infinity, has no logarithm, which its model of this facade takes.
    failure = 4.0
    scenario = Scenario(space, deterministic=True, n_trials=budget, seed=seed, crash_cost=failure,
                        output_directory=pathlib.Path(folder), use_default_config=False)
    smac = HyperparameterOptimizationFacade(scenario, lambda config, seed: 0.0, logging_level=logging.ERROR, overwrite=True)
    trials = Trials(landscape, seed)
    base = trials.ask(landscape.header["baseline"])
    default = Configuration(space, {name: json.dumps(value) for name, value in landscape.header["baseline"].items()})
    smac.tell(TrialInfo(default, seed=0), TrialValue(cost=1.0))
    while len(trials.told) < budget:
        info = smac.ask()
        value = trials.ask({name: json.loads(text) for name, text in dict(info.config).items()})
        if value is None:
            smac.tell(info, TrialValue(cost=failure, status=StatusType.CRASHED))
        else:
            smac.tell(info, TrialValue(cost=base / value))
    return trials


RIVALS: dict[str, Callable[[Landscape, int], Iterator[dict]]] = {
    "tpe": run_tpe("tpe"),
    "tpe-multivariate": run_tpe("tpe-multivariate", multivariate=True, group=True),
    "smac3": run_smac,
    "random": run_random,
    "one-change": run_by_hand("one-change", 1.0),
    "one-percent": run_by_hand("one-percent", 1.01),
}


def self_test() -> None:
    """The check values of the noise, for another implementation to hold itself to."""
    noise = {"sigma": 0.03, "disturbed_share": 0.05, "disturbed_factor": 0.9}
    for text in ("check|0|0|0", "check|0|0|1", "check|29|599|39"):
        print(text, repr(heard(text, noise, [100.0])), repr(heard(text, None, [1.0, 2.0, 3.0])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("landscapes", nargs="*", type=pathlib.Path)
    parser.add_argument("--rivals", nargs="+", choices=list(RIVALS), default=list(RIVALS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    if args.self_test:
        self_test()
    for path in args.landscapes:
        landscape = read(path)
        for rival in args.rivals:
            for seed in range(args.seeds):
                for result in RIVALS[rival](landscape, seed):
                    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
