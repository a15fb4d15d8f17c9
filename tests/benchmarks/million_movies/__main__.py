"""What we learn of a million movies, and what a step of that takes: `python -m tests.benchmarks.million_movies`.

500,000 people have about 20 of 1,000,000 movies each, by planted tastes (see `planted`). A model learns from them for
some minutes, and ranks the movies for others, of whom four fifths of a bag go in. Beside its recall are that of
popularity and that of an oracle, who knows the clusters of each person and all planted chances: nobody finds more. A
step is measured on 1,000,000 movies and on 10,000, with one batch, dimension and sample. It learns for a few epochs at
most: after these it learns by heart who has seen what.

`--sampled --movies 20000 --people 50000 --sample 2048` compares a sampled softmax with an exact one instead.
"""

import dataclasses
import resource
import time
from typing import Any

from tests.benchmarks.million_movies.judging import Parted, by_oracle, by_popularity, judged
from tests.benchmarks.million_movies.learning import Learner, Shape, step_times
from tests.benchmarks.million_movies.planted import CHUNK, OVERALL, Planted
from tests.benchmarks.pairs import opened, parser, write

RATIO_BAR, STEP_BAR, SAMPLED_BAR = 10.0, 1.5, 0.97
"""How many times popularity's recall is wanted; how many times the step of the small catalogue a step may take; and how
much of an exact softmax's ndcg@100 is wanted of a sampled one."""


def measured(flags: Any) -> dict[str, Any]:
    """Returns what was found of one kind of popularity."""
    shape, planted = shape_of(flags), Planted(flags.movies, flags.overall)
    start = time.perf_counter()
    learner = Learner(planted, flags.people, shape)
    ready = time.perf_counter() - start
    held_out = others(planted, flags)
    found: dict[str, Any] = {
        "overall": flags.overall,
        "seconds_to_read": ready,
        "popularity": judged(held_out, by_popularity(learner.counts)).recall,
        "oracle": judged(held_out, by_oracle(planted)).recall,
    }
    found["most_ratio"] = found["oracle"] / found["popularity"]
    print(f"recall@100 of {flags.held_out:,} others: popularity {found['popularity']:.4f}, ", end="")
    print(f"oracle {found['oracle']:.4f}, {found['most_ratio']:.1f} times it (ready after {ready:.0f} s)", flush=True)
    for part in range(flags.parts):
        last_step = flags.epochs * -(-len(learner.examples) // shape.batch)
        found["steps"] = learner.learn(60 * flags.minutes / flags.parts, last_step)
        found["ours"] = judged(held_out, learner.rank).recall
        minutes = flags.minutes * (part + 1) / flags.parts
        print(f"after {minutes:g} minutes, {found['steps']:,} steps: ours {found['ours']:.4f}", flush=True)
    found |= {"ratio": found["ours"] / found["popularity"], "of_oracle": found["ours"] / found["oracle"]}
    found["peak_bytes"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if flags.steps:
        small = Learner(dataclasses.replace(planted, movies=flags.few_movies), flags.few_people, shape)
        large_step, small_step = step_times(learner, small, flags.steps)
        found |= {"step": large_step, "small_step": small_step, "step_ratio": large_step / small_step}
    return found


def sampled_and_exact(flags: Any) -> dict[str, Any]:
    """Returns the ndcg@100 of a softmax over all of a catalogue and of one that is estimated, after as many steps."""
    planted, found = Planted(flags.movies, flags.overall), {}
    held_out = others(planted, flags)
    for name, sample in (("exact", flags.movies), ("sampled", flags.sample)):
        learner = Learner(planted, flags.people, dataclasses.replace(shape_of(flags), sample=sample))
        steps = flags.epochs * -(-len(learner.examples) // flags.batch)
        learner.learn(float("inf"), steps)
        found[name] = judged(held_out, learner.rank).ndcg
        print(f"{name}: ndcg@100 {found[name]:.4f} after {steps:,} steps of draws of {sample:,}", flush=True)
    found["ratio"] = found["sampled"] / found["exact"]
    print(f"the sampled one has {found['ratio']:.3f} times the exact one's (wanted at least {SAMPLED_BAR:g})")
    return found


def shape_of(flags: Any) -> Shape:
    """Returns the shape that the flags give."""
    return Shape(**{field.name: getattr(flags, field.name) for field in dataclasses.fields(Shape)})


def others(planted: Planted, flags: Any) -> Parted:
    """Returns people of whom nothing is learned."""
    return Parted.of(next(planted.chunks(-(-flags.people // CHUNK), flags.held_out)))


def show(found: dict[str, Any], flags: Any) -> None:
    """Prints what was found."""
    print(f"ours {found['ours']:.4f}: {found['ratio']:.1f} times popularity (wanted {RATIO_BAR:g}; ", end="")
    print(f"nobody has more than {found['most_ratio']:.1f}), {found['of_oracle']:.0%} of the oracle; ", end="")
    print(f"peak {found['peak_bytes'] / 1e9:.2f} GB", flush=True)
    if "step" in found:
        print(f"a step: {1000 * found['step']:.1f} ms at {flags.movies:,} movies, ", end="")
        print(f"{1000 * found['small_step']:.1f} ms at {flags.few_movies:,}: {found['step_ratio']:.2f} times", end="")
        print(f" (wanted at most {STEP_BAR:g})", flush=True)


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    numbers = {"movies": 1_000_000, "people": 500_000, "few_movies": 10_000, "few_people": 50_000, "held_out": 2_000}
    made = parser(__doc__, **numbers, steps=100, parts=1, epochs=3)
    made.add_argument("--minutes", type=float, default=10.0)
    made.add_argument("--sampled", action="store_true", help="compare a sampled softmax with an exact one; no more")
    made.add_argument("--overall", choices=OVERALL, default=OVERALL[0], help="see planted.py")
    for field in dataclasses.fields(Shape):
        kind = type(field.default)
        convert = (lambda text: text == "True") if kind is bool else kind
        made.add_argument(f"--{field.name.replace('_', '-')}", type=convert, default=field.default)
    flags = made.parse_args()
    if flags.quick:
        flags.movies, flags.few_movies, flags.people, flags.few_people = 20_000, 5_000, 20_000, 5_000
        flags.held_out, flags.minutes, flags.steps = 500, 0.3, 5
        flags.sample, flags.dimension = 256, 16
    about = opened(flags, ())
    if flags.sampled:
        write(flags.json, {"machine": about, "rows": [sampled_and_exact(flags)]})
        return
    found = measured(flags)
    show(found, flags)
    write(flags.json, {"machine": about, "rows": [found]})


if __name__ == "__main__":
    main()
