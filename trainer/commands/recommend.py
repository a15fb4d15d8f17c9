"""Tells what somebody may like besides what she likes already, or writes it for everybody in files."""

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer import commands, flags, paths
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.rows import Limit
from trainer.terminal import aligned, listed, load_tensorflow, shown

if TYPE_CHECKING:
    from trainer.recommendation import Answer, Found, Recommender

PROG = f"{commands.PROG} recommend"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/movies --liked "Shrek (2001)" "The Incredibles" --topn 5
  {PROG} runs/movies --people ratings.csv --out recommendations.parquet

The run is one whose problem has a RetrievalHead. What is liked is written as a title or as an id; case, accents,
punctuation, articles and the year of a title are no matter. Of several with one title, that of the most people is
meant. Who likes nothing that is known gets what most people have, and is told so.

The files of --people are such as the training reads: a row for each that somebody has, or a row a person with a list.
Where they lack the number that tells which rows count, such as a rating, all do. What is written has the columns
person, rank, key, title, score and by_popularity."""

_FOR_ONE, _FOR_PEOPLE = ("liked", "json"), ("out", "max_bad_rows", "batch_size", "overwrite")


@dataclass(frozen=True)
class Settings:
    """What the recommending can be told."""

    run: tuple[str, ...] = commands.RUN
    liked: tuple[str, ...] = flag(
        (), "what is liked already: titles or ids; repeatable", "TITLE", group="for one", takes_several=True
    )
    json: bool = flag(False, "print one JSON object", group="for one")
    topn: int = flag(10, "how many to recommend", "N", least=1, group="for all")
    people: str | None = flag(
        None, "who has what: CSV, Parquet, Feather, JSON lines or TFRecord", "GLOB", group="for people"
    )
    out: str | None = flag(None, "the file to write, .parquet, .feather, .csv or .jsonl", "FILE", group="for people")
    max_bad_rows: str | None = flag(
        None, "rows of the files that may be set aside, as 10 or 1% (default 0)", "N|N%", group="for people"
    )
    batch_size: int | None = flag(
        None, "people the model takes at once (default: the run's --eval-batch-size)", "N", 1, group="for people"
    )
    overwrite: bool = flag(False, "replace a file that is there", group="for people")
    verbose: bool = flag(False, "show TensorFlow's own messages", group="for all")


def main(argv: Sequence[str]) -> int:
    """Prints or writes recommendations and returns the exit code.

    Args:
        argv: The run and flags.

    Raises:
        Refusal: The run, a title, a file or the output cannot be used.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    run = commands.only(given.run, PROG, "run is wanted")
    _check(given)
    limit = Limit.parsed(given.max_bad_rows or "0")
    load_tensorflow(given.verbose)
    if given.people is not None:
        _write(run, given, limit)
    else:
        from trainer.recommendation import Recommender

        answer = Recommender(run).recommend(given.liked, given.topn)
        print(json.dumps(_content(answer)) if given.json else "\n".join(lines_of(answer)))
    return 0


def _check(given: Settings) -> None:
    """Refuses flags that say nothing of what is asked."""
    if given.people is not None:
        commands.wanted(given.out, PROG, "out")
    for_people = given.people is not None
    for name in _FOR_ONE if for_people else _FOR_PEOPLE:
        if getattr(given, name):
            ending = (
                "is of no use beside --people; leave one of the two out" if for_people else "goes with --people; add it"
            )
            raise Refusal(f"{PROG}: {flags.flag_name(name)} {ending}.")


def lines_of(answer: "Answer") -> list[str]:
    """Returns what a person is told: what was taken for what she likes, and a table of what is recommended."""
    lines = [f"liked: {'; '.join(dict.fromkeys(shown(one.item.title) for one in answer.liked))}"] * bool(answer.liked)
    for one in answer.liked:
        if one.others:
            others = listed([f"{other.title} (id {other.key})" for other in one.others])
            lines.append(f"'{shown(one.text)}' is taken for {shown(one.item.title)}; there is also {others}")
    if answer.by_popularity:
        lines.append("nothing is known of what is liked, so this is what most people have")
    return [*lines, "", *_table(answer.found)] if lines else _table(answer.found)


def _table(found: Sequence["Found"]) -> list[str]:
    names = [name for name in (found[0].item.details if found else ()) if any(one.item.details[name] for one in found)]
    rows = [
        [str(one.rank), shown(one.item.title), *(shown(one.item.details[name]) for name in names), f"{one.score:.4f}"]
        for one in found
    ]
    return aligned([["", "title", *map(shown, names), "score"], *rows], right=(0, len(names) + 2))


def _content(answer: "Answer") -> dict[str, Any]:
    return {
        "liked": [dataclasses.asdict(one) for one in answer.liked],
        "found": [{"rank": one.rank, **dataclasses.asdict(one.item), "score": one.score} for one in answer.found],
        "by_popularity": answer.by_popularity,
    }


def _write(run: str, given: Settings, limit: Limit) -> None:
    from trainer.inputs.readers import matching
    from trainer.prediction import writing
    from trainer.recommendation import Recommender

    out = paths.absolute(commands.wanted(given.out, PROG, "out"))
    writing.check(out, given.overwrite, matching(str(given.people), "--people"), "--people")
    recommender = Recommender(run)
    start = time.perf_counter()
    written = _written(recommender, out, given, limit)
    seconds = time.perf_counter() - start
    commands.tell_bad_rows(out, written.bad)
    if written.unknown:
        print(f"{written.unknown:,} of them have nothing that is known, and get what most people have")
    print(f"{written.people:,} people in {seconds:.1f} s, {written.people / max(seconds, 1e-9):,.0f} people/s\n{out}")


def _written(recommender: "Recommender", out: str, given: Settings, limit: Limit) -> Any:
    from trainer.inputs.progress import ReadingProgress
    from trainer.prediction.groups import Groups
    from trainer.recommendation import write

    people = Groups(recommender.trained, str(given.people), "--people", limit)
    with ReadingProgress("reading", people.source) as progress:
        people.read(progress.add)
    with ReadingProgress("recommending", people, unit="people") as progress:
        return write(recommender, people, out, given.topn, given.batch_size, progress.add)
