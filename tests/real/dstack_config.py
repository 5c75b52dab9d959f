"""Holds `config-search check-config` against the parser of the real dstack package.

    python dstack_config.py CONFIG_SEARCH CASES.yaml SCRATCH

Every case of the file, and many more made of the good ones by one or two changes each (a field gone, one too many, a value of
another field or kind), are written as files; both are asked about each, and a single other verdict is a failure.
"""

import copy
import json
import pathlib
import random
import subprocess
import sys

import yaml
from dstack._internal.core.models.configurations import parse_apply_configuration

program, cases, scratch = sys.argv[1], yaml.safe_load(open(sys.argv[2])), pathlib.Path(sys.argv[3])
MADE = 3000
STRANGE = [None, True, 0, 1, -1, 2.5, 70000, "", " ", "off", "x", "4", "1..2", "..", "16GB", "2h", "a:b", "/a:/b", [], {}, ["x"], {"x": 1}]


def takes(case):
    try:
        parse_apply_configuration(copy.deepcopy(case))
        return True
    except Exception:
        # Where it breaks instead of answering, it does not take the file either.
        return False


def places(value, path=()):
    """Every place of a configuration."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(case, chance, values):
    case = copy.deepcopy(case)
    *way, last = chance.choice(list(places(case)))
    holder = case
    for key in way:
        holder = holder[key]
    what = chance.randrange(4)
    if what == 0:
        del holder[last]
    elif what == 1 and isinstance(holder, dict):
        key, value = chance.choice(values)
        holder[key] = copy.deepcopy(value)
    elif what == 2:
        holder[last] = copy.deepcopy(chance.choice(values)[1])
    else:
        holder[last] = copy.deepcopy(chance.choice(STRANGE))
    return case


def made(good):
    chance = random.Random(7)
    values = [(key, inner) for case in good for key, inner in case.items()]
    for _ in range(MADE):
        case = changed(chance.choice(good), chance, values)
        if chance.random() < 0.3 and len(case) > 1:
            case = changed(case, chance, values)
        yield case


asked = [*cases["good"], *cases["bad"], *made(cases["good"])]
files = []
for at, case in enumerate(asked):
    files.append(scratch / f"case-{at}.yml")
    files[-1].write_text(yaml.safe_dump(case))
ran = subprocess.run([program, "check-config", *map(str, files), "--format", "json"], capture_output=True, text=True)
if ran.returncode != 1:
    sys.exit(f"check-config ended with {ran.returncode}: {ran.stderr[:600]}")
answers = json.loads(ran.stdout)["data"]["files"]
good = sum(takes(case) for case in asked)
wrong = 0
for case, answer in zip(asked, answers, strict=True):
    theirs = takes(case)
    if theirs != (not answer["problems"]):
        wrong += 1
        if wrong <= 20:
            print(f"dstack {'takes' if theirs else 'refuses'}: {case}: {answer['problems']}", file=sys.stderr)
for at, wanted in enumerate([True] * len(cases["good"]) + [False] * len(cases["bad"])):
    if takes(asked[at]) != wanted:
        wrong += 1
        print(f"the case is filed wrongly: {asked[at]}", file=sys.stderr)
print(f"{len(asked)} configurations, {good} of them taken by dstack; {wrong} other verdicts")
sys.exit(1 if wrong else 0)
