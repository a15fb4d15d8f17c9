"""Answers questions about a table: what lies near a key, what belongs together, how another run's table differs."""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer import commands, flags, paths
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.terminal import aligned, quiet, shown

if TYPE_CHECKING:
    from trainer.vectors import LabelledVectors

PROG = f"{commands.PROG} vectors"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/flights day_hour
  {PROG} runs/flights day_hour --near "Fri 17" --near "Sat 08" --topn 5
  {PROG} glove.6B.50d.txt --near king --near woman --minus man
  {PROG} runs/flights day_hour --clusters 6
  {PROG} runs/flights day_hour --compare runs/lga
  {PROG} runs/words word --analogies questions-words.txt --similarities wordsim353.tsv
  {PROG} runs/flights day_hour --out day_hour.parquet"""

METRICS = ("cosine", "dot", "euclidean")
_TOPN, _FIRST = 10, 5
_WITHOUT_FIELDS = (".bin", ".txt", ".vec")


@dataclass(frozen=True)
class Settings:
    """What is asked; without a question, what the table is."""

    source: tuple[str, ...] = flag(
        (),
        "a run's job dir, a checkpoint or a file of vectors; and the name of a table, where there are several",
        "SOURCE TABLE",
        is_word=True,
    )
    near: tuple[str, ...] = flag((), "show the keys nearest to this one; repeatable", "KEY", group="questions")
    minus: tuple[str, ...] = flag(
        (), "make one question of all --near, less this key; repeatable", "KEY", group="questions"
    )
    clusters: str | None = flag(
        None, "group the keys; auto takes the number that parts them best", "N", group="questions"
    )
    compare: str | None = flag(
        None,
        "turn another table to lie on this one and show the keys that differ (TABLE: the same name, or the only one)",
        "SOURCE[#TABLE]",
        group="questions",
    )
    analogies: str | None = flag(
        None, "tell how many word analogies of a file are answered (questions-words.txt)", "FILE", group="questions"
    )
    similarities: str | None = flag(
        None, "tell how far people agree on a file's pairs of words (wordsim353.tsv)", "FILE", group="questions"
    )
    out: str | None = flag(None, "write it in the format that the name ends in", "FILE", group="questions")
    topn: int | None = flag(None, f"keys that --near and --compare show (default {_TOPN})", "N", 1, group="answers")
    metric: str | None = flag(
        None, f"{', '.join(METRICS)}: what --near goes by (default cosine)", "NAME", choices=METRICS, group="answers"
    )
    json: bool = flag(False, "print one JSON object", group="answers")
    verbose: bool = flag(False, "show the messages of TensorFlow, where it is needed to read", group="answers")


@dataclass(frozen=True)
class Answer:
    """What is told to a program, and to a person."""

    content: dict[str, Any]
    lines: list[str]


def main(argv: Sequence[str]) -> int:
    """Prints what was asked about a table and returns the exit code.

    Args:
        argv: The source, the name of a table, and flags.

    Raises:
        Refusal: There is no such source, table or key, or two questions are asked at once.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    place, table = _words(given.source)
    ask = _question(given)
    with quiet(given.verbose), _refusing():
        from trainer.vectors import LabelledVectors

        vectors = LabelledVectors.load(place, table)
        answer = ask(vectors, given)
    about = {"source": place, "table": vectors.name, "rows": len(vectors), "dimension": vectors.dimension}
    print(json.dumps({**about, **answer.content}) if given.json else "\n".join(answer.lines))
    return 0


def described(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Returns what a table is."""
    counts, first = vectors.counts, vectors.keys[:_FIRST]
    content = {
        "effective_rank": vectors.effective_rank(),
        "rows_never_trained": None if counts is None else int((counts == 0).sum()),
        "fields": list(vectors.fields),
        "first_keys": first,
    }
    rank = content["effective_rank"]
    more = [", …"] if len(vectors) > len(first) else []
    facts = [
        ["table", shown(vectors.name)],
        ["rows", f"{len(vectors):,}"],
        ["dimension", f"{vectors.dimension:,}"],
        ["effective rank", "none, all rows are zero" if rank is None else f"{rank:.1f}"],
        *([] if counts is None else [["never trained", f"{content['rows_never_trained']:,}"]]),
        *([["fields", ", ".join(map(shown, vectors.fields))]] if vectors.fields else []),
        ["first keys", ", ".join(map(shown, first)) + "".join(more)],
    ]
    return Answer(content, aligned(facts))


def near(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Returns the keys nearest to each of some, or to the sum of some less others."""
    metric, topn = given.metric or METRICS[0], given.topn or _TOPN
    searched = vectors.only_trained()
    # A key that was never trained is not among those that are searched, and its vector is asked with.
    plus, minus = ([key if key in searched else vectors[key] for key in keys] for keys in (given.near, given.minus))
    if given.minus:
        asked = [given.near]
        found = [searched.most_similar(plus, minus, topn, metric)]
    else:
        asked = [(key,) for key in given.near]
        found = searched.nearest(plus, topn, metric)
    measure = "distance" if metric == "euclidean" else "similarity"
    queries, lines = [], []
    for keys, neighbours in zip(asked, found, strict=True):
        rows = [{"key": key, measure: number, **_counted(vectors, key)} for key, number in neighbours]
        queries.append({"near": list(keys), "minus": list(given.minus), "neighbours": rows})
        sum_of = " - ".join([" + ".join(map(shown, keys)), *map(shown, given.minus)])
        lines += ["", f"{shown(vectors.name)}, nearest to {sum_of}", *_neighbours(rows, metric)]
    untrained = [key for key in dict.fromkeys([*given.near, *given.minus]) if key not in searched]
    if len(searched) < len(vectors):
        lines += ["", f"left out, never trained: {len(vectors) - len(searched):,} of {len(vectors):,} keys"]
    lines += [f"{shown(key)} was never trained: its vector is where it started" for key in untrained]
    content = {"metric": metric, "queries": queries, "keys_never_trained": len(vectors) - len(searched)}
    return Answer({**content, "asked_never_trained": untrained}, lines[1:])


def clusters(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Returns the groups of a table, the largest first."""
    found = vectors.cluster(None if given.clusters == "auto" else int(given.clusters or 0))
    groups: list[dict[str, Any]] = [
        {"size": one.size, "description": one.description, "central_keys": list(one.keys), "keys": []} for one in found
    ]
    left_out: list[str] = []
    for key, number in zip(vectors.keys, found.numbers.tolist(), strict=True):
        (left_out if number < 0 else groups[number]["keys"]).append(key)
    apart = "" if found.silhouette is None else f", silhouette {found.silhouette:.2f}"
    rows = [[str(number), f"{one.size:,}", shown(one.description)] for number, one in enumerate(found, start=1)]
    lines = [f"{shown(vectors.name)}: {len(found)} cluster{'s' * (len(found) != 1)}{apart}"]
    lines += aligned([["", "keys", "covers"], *rows], right=(0, 1))
    if left_out:
        lines.append(f"keys in none, never trained or not finite: {len(left_out):,}")
    content = {"silhouette": found.silhouette, "clusters": groups, "keys_in_none": left_out}
    return Answer(content, lines)


def compare(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Returns how far another table agrees with this one, and the keys that differ most."""
    other, place = _other(given.compare or "", vectors.name)
    found = vectors.procrustes(other)
    # What vectors.reduction.procrustes says of tables that have nothing in common.
    chance = min(1.0, 0.85 * (min(vectors.dimension, other.dimension) / len(found.keys)) ** 0.5)
    farthest = found.farthest(given.topn or _TOPN)
    lines = [
        f"{shown(vectors.name)} and {shown(other.name)} of {place}: agreement {found.agreement:.3f} on "
        f"{len(found.keys):,} keys trained in both; unrelated tables have about {chance:.2f}",
        *aligned([["key", "gap"], *([shown(key), f"{gap:.4f}"] for key, gap in farthest)], right=(1,)),
    ]
    content = {
        "other": {"source": place, "table": other.name, "rows": len(other), "dimension": other.dimension},
        "common_keys": len(found.keys),
        "agreement": found.agreement,
        "agreement_by_chance": chance,
        "farthest": [{"key": key, "gap": gap} for key, gap in farthest],
    }
    return Answer(content, lines)


def measures(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Returns what a table is worth by files of questions."""
    from trainer.vectors.worth import worth

    return Answer(*worth(vectors, given.analogies, given.similarities))


def out(vectors: "LabelledVectors", given: Settings) -> Answer:
    """Writes a table to a file and returns what was written."""
    from trainer import formats
    from trainer.formats.word2vec import form

    path = given.out or ""
    path = path if paths.is_remote(path) else os.path.expanduser(path)
    is_word2vec = path.lower().endswith(_WITHOUT_FIELDS)
    try:
        formats.save(path, vectors.keys, vectors.matrix, vectors.fields)
    except OSError as error:
        raise Refusal(f"--out {path}: it cannot be written ({error.strerror or error}); give another path.") from None
    fields, names = list(vectors.fields), ", ".join(map(shown, vectors.fields))
    escaped = bool(is_word2vec and form.ESCAPES.needed(list(vectors.keys)))
    line = f"wrote {path}: {len(vectors):,} rows × {vectors.dimension:,}"
    if fields:
        line += f", {'without' if is_word2vec else 'with'} the field{'s' * (len(fields) != 1)} {names}"
    if escaped:
        line += "; keys are escaped, a blank is _"
    content = {"out": path, "fields": [] if is_word2vec else fields, "keys_escaped": escaped}
    return Answer(content, [line])


def _words(given: Sequence[str]) -> tuple[str, str | None]:
    if len(given) > 2:
        raise Refusal(
            f"{PROG}: a source and the name of a table are wanted, not {len(given)} words; quote a pattern, and a name "
            "with blanks."
        )
    return commands.only(given[:1], PROG, commands.SOURCE_WANTED), given[1] if len(given) == 2 else None


def _question(given: Settings) -> Callable[["LabelledVectors", Settings], Answer]:
    """Returns what answers the one question that is asked; flags that cannot be used are refused before a file is read.

    Raises:
        Refusal: There are two questions, a flag belongs to another, or its value is of no use.
    """
    known = {"near": near, "clusters": clusters, "compare": compare, "out": out}
    known |= dict.fromkeys(("analogies", "similarities"), measures)  # which may be asked together
    asked = [name for name in known if getattr(given, name) not in (None, ())]
    if len({known[name] for name in asked}) > 1:
        raise Refusal(f"{PROG}: {' and '.join(f'--{name}' for name in asked)} are {len(asked)} questions; ask one.")
    for name, owners in {"minus": ["near"], "metric": ["near"], "topn": ["near", "compare"]}.items():
        if getattr(given, name) not in (None, ()) and not set(owners) & set(asked):
            raise Refusal(f"{PROG}: --{name} goes with {' or '.join(f'--{owner}' for owner in owners)}; add one.")
    if not re.fullmatch("auto|0*[1-9][0-9]{0,8}", "auto" if given.clusters is None else given.clusters):
        raise Refusal(f"{PROG}: --clusters: a whole number of at least 1, or auto, is wanted, not '{given.clusters}'.")
    if given.out is not None:
        _check_ending(given.out)
    return known[asked[0]] if asked else described


def _check_ending(path: str) -> None:
    from trainer import formats

    endings = sorted(formats.endings())
    if not path.lower().endswith(tuple(endings)):
        raise Refusal(f"{PROG}: --out {path}: the name ends in none of {', '.join(endings)}; name it as one of them.")


def _other(text: str, name: str) -> tuple["LabelledVectors", str]:
    """Returns the table that is compared: the one named; else that of the same name, or the only one."""
    from trainer import warm_start
    from trainer.vectors import LabelledVectors
    from trainer.warm_start.naming import name_of

    place, _, table = text.partition("#")
    if not table:
        source = warm_start.opened(place, "vectors")
        names = [called for tensor in source.tensors for called in (name_of(tensor), *tensor.names)]
        tables = [tensor for tensor in source.tensors if source.looks_like_table(tensor)]
        table = "" if name not in names and len(tables) == 1 else name
    return LabelledVectors.load(place, table or None), place


@contextmanager
def _refusing() -> Iterator[None]:
    """Makes the name of this verb of the room's, with which its refusals begin."""
    try:
        yield
    except Refusal as refusal:
        raise Refusal(
            f"{commands.PROG} {refusal}" if f"{refusal}".startswith("vectors") else f"{PROG}: {refusal}"
        ) from None


def _counted(vectors: "LabelledVectors", key: str) -> dict[str, int]:
    return {} if vectors.counts is None else {"examples": int(vectors.counts[vectors.keys.row(key)])}


def _neighbours(rows: Sequence[dict[str, Any]], metric: str) -> list[str]:
    counted = any("examples" in row for row in rows)
    lines = [["key", metric, *(["examples"] if counted else [])]]
    for row in rows:
        key, number, *count = row.values()
        lines.append(
            [shown(key), f"{number:.4f}" if metric == "cosine" else f"{number:.4g}", *map("{:,}".format, count)]
        )
    return aligned(lines, right=(1, 2))
