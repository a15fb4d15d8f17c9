"""The raw rows that the old Estimators learn from: drawn from a seed, written as CSV, read again as arrays."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Rows = dict[str, Any]
"""Arrays by feature, `(rows,)` or `(rows, values)`; missing are '', -1, and behind the last value of a bag 0."""

COUNT = 1000
CITIES = [f"city{number:02}" for number in range(20)]
CARRIERS = ["AA", "B6", "DL", "EV", "HA", "MQ", "UA", "WN"]
PLANES = [f"plane {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
TAILS = [f"N{number:03}" for number in range(120)]
GENRES = ["action", "crime", "drama", "horror", "love", "magic", "noir", "robots", "songs", "war"]
WORDS = ["delay", "fog", "fuel", "gate", "ice", "late", "night", "rain", "snow", "storm", "wind", "wing"]
AIRPORTS = ["ATL", "BOS", "EWR", "JFK", "LAX", "LGA", "MIA", "ORD", "SEA", "SFO"]
ANSWERS, GRADES = ["no", "yes"], ["low", "middle", "high"]
STRINGS = ("city", "carrier", "plane", "day", "tail", "origin", "dest", "answer", "grade")
NUMBERS = ("hour", "stars", "late", "rank")
FLOATS = ("distance", "weight", "delay", "wait")
BAGS = {"genres": 3, "words": 4}
"""How many values an example has at most."""
FLOAT_BAGS = {"word_weight": 4, "wind": 3}
LABELS = ("answer", "grade", "late", "rank", "delay", "wait")


def draw(seed: int, count: int = COUNT) -> Rows:
    """Returns rows with every feature and every label."""
    random = np.random.default_rng(seed)
    rows: Rows = {
        "city": _some(random, [*CITIES, ""], count),
        "carrier": _some(random, [*CARRIERS, ""], count),
        "plane": _some(random, PLANES, count),
        "day": _some(random, DAYS, count),
        "tail": _some(random, TAILS, count),
        "origin": _some(random, AIRPORTS, count),
        "dest": _some(random, AIRPORTS, count),
        "hour": random.integers(0, 24, count),
        "stars": random.choice([-1, 1, 2, 3, 4, 5], count),
        "distance": random.integers(80, 2600, count).astype(np.float32),
        "wind": random.integers(-99, 100, (count, 3)).astype(np.float32) / np.float32(10),
        "weight": random.integers(1, 9, count).astype(np.float32) / np.float32(4),
        "genres": _bags(random, GENRES, count, BAGS["genres"]),
        "words": _bags(random, WORDS, count, BAGS["words"]),
    }
    weights = random.integers(1, 9, rows["words"].shape).astype(np.float32) / np.float32(4)
    rows["word_weight"] = np.where(rows["words"] == "", np.float32(0), weights)
    return rows | _labels(random, rows)


def write(rows: Rows, path: Path) -> None:
    """Writes rows as CSV with a header; the values of a bag stand in one cell, as `a|b`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(rows)
        lines.writerows(zip(*([_cell(key, row) for row in values] for key, values in rows.items()), strict=True))


def read(path: Path) -> Rows:
    """Returns the rows of a file, arrays as `draw` made them."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *lines = csv.reader(file)
    return {name: _array(name, cells) for name, cells in zip(names, zip(*lines, strict=True), strict=True)}


def split(rows: Rows, label: str | Sequence[str], weight_column: str | None = None) -> tuple[Rows, Any]:
    """Returns the features that a model is given, and its label: of several names `(rows, names)`."""
    left_out = {*LABELS, "weight"} - {weight_column}
    labels = rows[label] if isinstance(label, str) else np.stack([rows[name] for name in label], axis=1)
    return {key: values for key, values in rows.items() if key not in left_out}, labels


def _some(random: np.random.Generator, values: Sequence[str], count: int) -> Any:
    """Values of which the first are the most frequent."""
    shares = 1 / np.arange(2, len(values) + 2)
    return random.choice(np.array(values), count, p=shares / shares.sum())


def _bags(random: np.random.Generator, values: Sequence[str], count: int, most: int) -> Any:
    rows = [random.permutation(values)[: random.integers(0, most + 1)].tolist() for _ in range(count)]
    return np.array([row + [""] * (most - len(row)) for row in rows])


def _labels(random: np.random.Generator, rows: Mapping[str, Any]) -> Rows:
    """Labels that the features tell something of."""
    late = rows["distance"] / 1000 + np.char.str_len(rows["carrier"]) + (rows["genres"] == "war").any(1)
    late = late + 2.0 * (rows["hour"] > 15) - np.isin(rows["origin"], AIRPORTS[:2]) + random.normal(0, 1, len(late))
    third = np.digitize(late, np.quantile(late, [1 / 3, 2 / 3]))
    above = (late > np.median(late)).astype(int)
    wait = rows["hour"] / 6 + rows["wind"][:, 0] / 5 + random.normal(0, 1, len(late))
    return {
        "answer": np.array(ANSWERS)[above],
        "grade": np.array(GRADES)[third],
        "late": above,
        "rank": third,
        "delay": np.round(late, 1).astype(np.float32),
        "wait": np.round(wait, 1).astype(np.float32),
    }


def _cell(key: str, value: Any) -> str:
    if np.ndim(value):
        present = [each for each in value.tolist() if key == "wind" or each]
        return "|".join(each if isinstance(each, str) else f"{each:g}" for each in present)
    return "" if key == "stars" and value == -1 else value if isinstance(value, str) else f"{value:g}"


def _array(name: str, cells: Sequence[str]) -> Any:
    if name in STRINGS:
        return np.array(cells)
    if name in NUMBERS:
        return np.array([int(cell or -1) for cell in cells])
    if name in FLOATS:
        return np.array(cells).astype(np.float32)
    size = {**BAGS, **FLOAT_BAGS}[name]
    bags = [cell.split("|") if cell else [] for cell in cells]
    padded = np.array([bag + ["" if name in BAGS else "0"] * (size - len(bag)) for bag in bags])
    return padded if name in BAGS else padded.astype(np.float32)
