"""A landscape file and what a searcher hears of it. README.md beside this file specifies both."""

from __future__ import annotations

import hashlib
import json
import math
import pathlib
from dataclasses import dataclass, field

Params = dict[str, object]


@dataclass
class Row:
    number: int
    params: Params
    status: str
    reason: str | None
    repeats: list[float]

    @property
    def true(self) -> float:
        return sum(self.repeats) / len(self.repeats)


@dataclass
class Landscape:
    header: dict
    rows: list[Row]
    by_params: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_params = {canonical(row.params): row for row in self.rows}
        if len(self.by_params) != len(self.rows):
            raise ValueError(f"{self.name}: two rows have the same parameters")
        if canonical(self.baseline.params) != canonical(self.header["baseline"]) or self.baseline.status != "ok":
            raise ValueError(f"{self.name}: row 0 is not the baseline, or does not work")
        if not self.oracle > self.baseline.true > 0:
            raise ValueError(f"{self.name}: nothing is better than the baseline, or it is not positive")

    @property
    def name(self) -> str:
        return self.header["name"]

    @property
    def space(self) -> list[dict]:
        return self.header["space"]

    @property
    def baseline(self) -> Row:
        return self.rows[0]

    @property
    def oracle(self) -> float:
        return max(row.true for row in self.rows if row.status == "ok")

    def row(self, params: Params) -> Row:
        """The row asked for, or the nearest one where the table is a sample of the space."""
        exact = self.by_params.get(canonical(params))
        if exact is not None:
            return exact
        if self.header["complete"]:
            raise ValueError(f"{self.name}: no row for {params}")
        return min(self.rows, key=lambda row: self.distance(params, row.params))

    def distance(self, one: Params, other: Params) -> tuple[int, float]:
        differing, steps = 0, 0.0
        for parameter in self.space:
            name, values = parameter["name"], parameter["values"]
            if (name in one) != (name in other):
                differing += 1
            elif name in one and one[name] != other[name]:
                differing += 1
                steps += abs(position(values, one[name]) - position(values, other[name])) / len(values)
        return differing, steps

    def told(self, seed: int, row: Row, repeat: int) -> float:
        """What a searcher hears: the noise of README.md, keyed so that every searcher hears the same."""
        return heard(f"{self.name}|{seed}|{row.number}|{repeat}", self.header["noise"], row.repeats)


def heard(text: str, noise: dict | None, repeats: list[float]) -> float:
    digest = hashlib.sha256(text.encode()).digest()
    u = [((int.from_bytes(digest[8 * i : 8 * i + 8], "big") >> 11) + 0.5) / 2**53 for i in range(3)]
    if noise is None:
        return repeats[math.floor(u[0] * len(repeats))]
    z = math.sqrt(-2 * math.log(u[0])) * math.cos(2 * math.pi * u[1])
    value = sum(repeats) / len(repeats) * math.exp(noise["sigma"] * z)
    return value * noise["disturbed_factor"] if u[2] < noise["disturbed_share"] else value


def canonical(params: Params) -> str:
    return json.dumps(params, sort_keys=True)


def position(values: list, value: object) -> int:
    # Equality alone takes True for 1.
    return next(i for i, candidate in enumerate(values) if candidate == value and type(candidate) is type(value))


def exists(parameter: dict, params: Params) -> bool:
    """Whether a parameter exists beside those chosen so far."""
    return all(params.get(other) in allowed for other, allowed in (parameter["when"] or {}).items())


def read(path: pathlib.Path) -> Landscape:
    header, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    if header["schema"] != "config-search.landscape/1" or header["direction"] != "max":
        raise ValueError(f"{path}: not a landscape this program reads")
    rows = [Row(i, line["params"], line["status"], line["reason"], line["repeats"]) for i, line in enumerate(lines)]
    return Landscape(header, rows)
