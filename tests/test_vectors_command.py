"""What `python -m trainer vectors` tells of tables of real runs and files, read as a person and as a program do."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import feature_column as fc
from trainer import formats, tables
from trainer.__main__ import main
from trainer.commands import vectors as verb
from trainer.tables import Table
from trainer.vectors import LabelledVectors, metrics

Array = np.ndarray[Any, Any]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEK = fc.crossed_column(
    [fc.categorical_column_with_vocabulary_list("day", DAYS), fc.categorical_column_with_identity("hour", 24)]
)
ROUTES = fc.categorical_column_with_vocabulary_list("route", ["a", "b", "c"])


def week(noise: float = 0.01) -> Array:
    """Weekdays up to noon, weekdays after it, and weekends, each with a direction of its own; `(168, 4)`."""
    drawn = np.random.default_rng(0).normal(size=(168, 4)) * noise
    for row in range(168):
        drawn[row, 2 if row // 24 > 4 else int(row % 24 > 11)] += 1
    return drawn.astype(np.float32)


def written(folder: Path, values: Array, *others: Table) -> Path:
    counts = np.arange(168)
    tables.write(str(folder / "tables"), [Table("day_hour", values, fc.embedding_column(WEEK, 4), counts), *others])
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A job dir with two tables."""
    return written(tmp_path / "runs" / "jfk", week(), Table("route", np.eye(3, 4), fc.embedding_column(ROUTES, 4)))


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """The same week, turned and made longer, but for one key; with fewer tables."""
    values = week() @ np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0] * 3
    values[17 + 24 * 4] *= -1
    return written(tmp_path / "runs" / "lga", values.astype(np.float32))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A file of word2vec text."""
    path = tmp_path / "words.txt"
    path.write_text("5 2\nking 3 1\nqueen 3 -1\nman 0 1\nwoman 0 -1\nsea -1 0\n")
    return path


def told(capsys: pytest.CaptureFixture[str], *given: object) -> list[str]:
    assert main(["vectors", *map(str, given)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def parsed(capsys: pytest.CaptureFixture[str], *given: object) -> dict[str, Any]:
    (line,) = told(capsys, *given, "--json")
    found: dict[str, Any] = json.loads(line)
    return found


def refused(capsys: pytest.CaptureFixture[str], *given: object) -> str:
    assert main(["vectors", *map(str, given)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.removesuffix("\n").removeprefix("python -m trainer vectors")


def test_without_a_question_it_tells_what_the_table_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rank = LabelledVectors.load(str(run), "day_hour").effective_rank()
    assert told(capsys, run, "day_hour") == [
        "table           day_hour",
        "rows            168",
        "dimension       4",
        f"effective rank  {rank:.1f}",
        "never trained   1",
        "fields          day, hour",
        "first keys      Mon 00, Mon 01, Mon 02, Mon 03, Mon 04, …",
    ]
    assert parsed(capsys, run, "day_hour") == {
        "source": str(run),
        "table": "day_hour",
        "rows": 168,
        "dimension": 4,
        "effective_rank": rank,
        "rows_never_trained": 1,
        "fields": ["day", "hour"],
        "first_keys": ["Mon 00", "Mon 01", "Mon 02", "Mon 03", "Mon 04"],
    }


def test_the_only_table_of_a_source_needs_no_name(
    turned: Path, words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parsed(capsys, turned)["table"] == "day_hour"
    assert parsed(capsys, turned / "tables")["table"] == "day_hour"
    assert parsed(capsys, words)["first_keys"] == ["king", "queen", "man", "woman", "sea"]
    assert parsed(capsys, words)["rows_never_trained"] is None


def test_neighbours_are_those_that_the_library_finds(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = LabelledVectors.load(str(run), "day_hour")
    for metric, measure in {"cosine": "similarity", "dot": "similarity", "euclidean": "distance"}.items():
        found = parsed(capsys, run, "day_hour", "--near", "Fri 17", "--near", "Sat 08", "--metric", metric, "--topn", 3)
        assert found["metric"] == metric
        assert found["queries"] == [
            {
                "near": [key],
                "minus": [],
                "neighbours": [
                    {"key": near, measure: number, "examples": int(vectors.keys.row(near))}
                    for near, number in vectors.most_similar(key, topn=3, metric=metric)
                ],
            }
            for key in ("Fri 17", "Sat 08")
        ]
    assert tuple(metrics.METRICS) == verb.METRICS
    assert len(parsed(capsys, run, "day_hour", "--near", "Fri 17")["queries"][0]["neighbours"]) == 10


def test_each_question_has_its_own_lines(words: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = LabelledVectors.load(str(words)).name
    assert told(capsys, words, "--near", "man", "--near", "sea", "--topn", "2", "--metric", "euclidean") == [
        f"{name}, nearest to man",
        "key    euclidean",
        "sea        1.414",
        "woman          2",
        "",
        f"{name}, nearest to sea",
        "key    euclidean",
        "man        1.414",
        "woman      1.414",
    ]


def test_an_analogy_is_one_question_of_several_keys(words: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--near", "king", "--near", "woman", "--minus", "man", "--topn", "1"]
    lines = told(capsys, words, *asked)
    assert lines[0].endswith(", nearest to king + woman - man")
    assert lines[1:] == ["key    cosine", f"queen  {_cosine_of_analogy():.4f}"]
    (query,) = parsed(capsys, words, *asked)["queries"]
    assert (query["near"], query["minus"]) == (["king", "woman"], ["man"])
    assert query["neighbours"] == [{"key": "queen", "similarity": pytest.approx(_cosine_of_analogy(), abs=1e-6)}]


def _cosine_of_analogy() -> float:
    sought = np.array([3, 1]) / np.sqrt(10) + np.array([0, -1]) - np.array([0, 1])
    return float(sought @ np.array([3, -1]) / np.sqrt(10) / np.linalg.norm(sought))


def test_counts_of_training_stand_beside_neighbours(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, run, "day_hour", "--near", "Fri 17", "--topn", "4")
    assert lines[:2] == ["day_hour, nearest to Fri 17", "key     cosine  examples"]
    assert len({len(line) for line in lines[1:6]}) == 1
    days = DAYS[:5]
    for line in lines[2:6]:
        day, hour, cosine, examples = line.split()
        assert int(hour) > 11
        assert float(cosine) > 0.99
        assert int(examples) == days.index(day) * 24 + int(hour)


def test_keys_that_were_never_trained_are_no_neighbours(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # "Mon 00", with the count 0, is as near to "Mon 01" as any.
    for metric in ("cosine", "euclidean", "dot"):
        (query,) = parsed(capsys, run, "day_hour", "--near", "Mon 01", "--topn", 200, "--metric", metric)["queries"]
        assert len(query["neighbours"]) == 166
        assert "Mon 00" not in [near["key"] for near in query["neighbours"]]
    assert told(capsys, run, "day_hour", "--near", "Mon 01")[-2:] == ["", "left out, never trained: 1 of 168 keys"]


def test_a_key_that_was_never_trained_can_be_asked_with_and_says_so(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, run, "day_hour", "--near", "Mon 00", "--topn", 3)
    assert lines[-1] == "Mon 00 was never trained: its vector is where it started"
    found = parsed(capsys, run, "day_hour", "--near", "Mon 00", "--minus", "Sun 23", "--topn", 3)
    assert found["asked_never_trained"] == ["Mon 00"]
    assert found["keys_never_trained"] == 1
    vectors = LabelledVectors.load(str(run), "day_hour")
    expected = vectors.only_trained().most_similar([vectors["Mon 00"]], ["Sun 23"], 3)
    assert [near["key"] for near in found["queries"][0]["neighbours"]] == [key for key, _ in expected]


@pytest.mark.parametrize("count", ["3", "auto"])
def test_planted_groups_are_told_by_the_keys_that_they_cover(
    run: Path, capsys: pytest.CaptureFixture[str], count: str
) -> None:
    first, *lines = told(capsys, run, "day_hour", "--clusters", count)
    assert first.startswith("day_hour: 3 clusters, silhouette 0.9")
    assert lines == [
        "   keys  covers",
        "1    60  Mon–Fri 12–23",
        "2    59  Mon–Fri 00–11",
        "3    48  Sat–Sun any hour",
        "keys in none, never trained or not finite: 1",
    ]
    found = parsed(capsys, run, "day_hour", "--clusters", count)
    assert found["silhouette"] > 0.9
    assert found["keys_in_none"] == ["Mon 00"]
    assert [one["size"] for one in found["clusters"]] == [len(one["keys"]) for one in found["clusters"]] == [60, 59, 48]
    assert found["clusters"][2]["keys"] == [f"{day} {hour:02}" for day in ("Sat", "Sun") for hour in range(24)]
    assert set(found["clusters"][2]["central_keys"]) < set(found["clusters"][2]["keys"])


def test_two_runs_are_compared_on_the_table_of_one_name(
    run: Path, turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *lines = told(capsys, run, "day_hour", "--compare", turned, "--topn", "2")
    found = parsed(capsys, run, "day_hour", "--compare", turned, "--topn", "2")
    assert first == (
        f"day_hour and day_hour of {turned}: agreement {found['agreement']:.3f} on 167 keys trained in both; "
        "unrelated tables have about 0.13"
    )
    assert lines[0] == "key        gap"
    assert lines[1:] == [f"{each['key']}  {each['gap']:.4f}" for each in found["farthest"]]
    assert found["farthest"][0]["key"] == "Fri 17"
    assert found["farthest"][0]["gap"] > 1 > 10 * found["farthest"][1]["gap"]
    assert 0.9 < found["agreement"] < 1
    assert found["other"] == {"source": str(turned), "table": "day_hour", "rows": 168, "dimension": 4}
    assert found["common_keys"] == 167


def test_a_table_of_another_name_can_be_compared(
    run: Path, turned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = parsed(capsys, turned, "--compare", f"{run}#day_hour")
    assert same["agreement"] > 0.9
    told(capsys, run, "day_hour", "--out", tmp_path / "week.npz")
    alike = parsed(capsys, run, "day_hour", "--compare", tmp_path / "week.npz")
    assert alike["agreement"] == pytest.approx(1)
    assert alike["other"]["source"] == f"{tmp_path}/week.npz"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text(": royal\nman king woman queen\nking man queen woman\n: moons\nman moon woman queen\n")
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("king\tqueen\t9\nking\tsea\t3\nman\twoman\t4\nmoon\tsea\t2\n")
    return path


def test_a_table_is_asked_files_of_questions_by_sections(
    words: Path, questions: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, words, "--analogies", questions, "--similarities", pairs) == [
        "section  right  total  accuracy  out of vocabulary",
        "royal        1      2     0.500                  0",
        "moons        0      0         -                  1",
        "all          1      2     0.500                  1",
        "analogies    0.500 of 2 questions, 1 more out of vocabulary (coverage 0.67)",
        "similarities 0.500 Spearman of 3 pairs, 1 more out of vocabulary (coverage 0.75)",
    ]
    assert told(capsys, words, "--similarities", pairs) == [
        "similarities 0.500 Spearman of 3 pairs, 1 more out of vocabulary (coverage 0.75)"
    ]
    found = parsed(capsys, words, "--analogies", questions)
    assert [*found] == ["source", "table", "rows", "dimension", "analogies"]
    assert (found["analogies"]["accuracy"], found["analogies"]["file"]) == (0.5, str(questions))
    royal, moons = found["analogies"]["sections"]
    assert (royal["section"], royal["right"], royal["total"], moons["out_of_vocabulary"]) == ("royal", 1, 2, 1)


@pytest.mark.parametrize("ending", sorted(formats.endings()))
def test_a_table_is_written_in_every_format(
    run: Path, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{tmp_path}/week{ending}"
    without = ending in (".bin", ".txt", ".vec")
    end = "without the fields day, hour; keys are escaped, a blank is _" if without else "with the fields day, hour"
    assert told(capsys, run, "day_hour", "--out", path) == [f"wrote {path}: 168 rows × 4, {end}"]
    found = formats.load(path)
    assert found.keys == list(LabelledVectors.load(str(run), "day_hour").keys)
    np.testing.assert_array_equal(found.values, week())
    assert list(found.fields) == ([] if without else ["day", "hour"])
    answer = parsed(capsys, run, "day_hour", "--out", path)
    assert (answer["out"], answer["fields"], answer["keys_escaped"]) == (path, list(found.fields), without)


def test_wild_keys_stay_in_their_line_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wild = ["sun", "新潟", "e\u0301", "tab\tand\nline", "\x1b[31mred"]
    formats.save(f"{tmp_path}/wild.npz", wild, np.eye(5) + 1)
    lines = told(capsys, f"{tmp_path}/wild.npz", "--near", "sun")
    assert lines[1:] == [
        "key             cosine",
        "新潟            0.8750",
        "e\u0301               0.8750",
        "tab\\tand\\nline  0.8750",
        "\\x1b[31mred     0.8750",
    ]
    found = parsed(capsys, f"{tmp_path}/wild.npz", "--near", "sun")["queries"][0]["neighbours"]
    assert [each["key"] for each in found] == wild[1:]


def test_flags_that_cannot_be_used_are_refused_in_a_sentence(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys) == ": one source is wanted, a path or a quoted pattern, not 0; see --help."
    assert refused(capsys, "a", "b", "c") == (
        ": a source and the name of a table are wanted, not 3 words; quote a pattern, and a name with blanks."
    )
    assert refused(capsys, run, "--near", "a", "--out", "a.npz") == ": --near and --out are 2 questions; ask one."
    assert refused(capsys, run, "--near", "a", "--analogies", "b", "--similarities", "c") == (
        ": --near and --analogies and --similarities are 3 questions; ask one."
    )
    assert refused(capsys, run, "day_hour", "--similarities", f"{tmp_path}/absent.tsv") == (
        f": similarities: {tmp_path}/absent.tsv cannot be read (No such file or directory); give another path."
    )
    assert refused(capsys, run, "--minus", "a") == ": --minus goes with --near; add one."
    assert refused(capsys, run, "--clusters", "3", "--metric", "dot") == ": --metric goes with --near; add one."
    assert refused(capsys, run, "--topn", "3") == ": --topn goes with --near or --compare; add one."
    for count in ("0", "-1", "many", ""):
        assert refused(capsys, run, f"--clusters={count}") == (
            f": --clusters: a whole number of at least 1, or auto, is wanted, not '{count}'."
        )
    assert refused(capsys, run, "--near", "a", "--topn", "0") == (
        "--topn: a whole number of at least 1 is wanted, not '0'."
    )
    assert refused(capsys, run, "--near", "a", "--metric", "cosin") == (
        "--metric: there is no 'cosin'; did you mean 'cosine'?"
    )
    assert refused(capsys, run, "--nera", "a") == ": there is no flag --nera; did you mean '--near'?"
    assert refused(capsys, run, "--out", f"{tmp_path}/week.csv") == (
        f": --out {tmp_path}/week.csv: the name ends in none of .bin, .npz, .parquet, .pq, .safetensors, .tsv, .txt, "
        ".vec; name it as one of them."
    )
    assert refused(capsys, run, "day_hour", "--out", f"{tmp_path}/no/week.npz") == (
        f": --out {tmp_path}/no/week.npz: it cannot be written (No such file or directory); give another path."
    )


def test_unknown_runs_tables_and_keys_are_told_with_the_nearest(
    run: Path, turned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked in ([], ["--json"]):
        assert refused(capsys, f"{run}k", *asked) == f": there is no {run}k; did you mean 'jfk'?"
        assert refused(capsys, run, "day_huor", *asked) == (
            f": {run}/tables has no table 'day_huor'; did you mean 'day_hour'?"
        )
        assert refused(capsys, run, "day_hour", "--near", "Fri 7", *asked) == (
            " 'day_hour': there is no key 'Fri 7'; did you mean 'Fri 17'?"
        )
    assert refused(capsys, run, "day_hour", "--near", "Fri 17", "--minus", "Frei 17") == (
        " 'day_hour': there is no key 'Frei 17'; did you mean 'Fri 17'?"
    )
    assert refused(capsys, run) == f": the name of a table is wanted, since {run} has day_hour, route."
    assert refused(capsys, run, "route", "--clusters", "9") == (
        " 'route': cluster wants k from 1 to 3, the directions of trained rows, not 9."
    )
    assert refused(capsys, run, "route", "--compare", turned) == (
        " 'route': procrustes wants two keys that are trained in both tables at least, and there is none."
    )
    assert refused(capsys, turned, "--compare", f"{run}#rout") == (
        f": {run}/tables has no table 'rout'; did you mean 'route'?"
    )
    assert refused(capsys, turned, "--compare", f"{tmp_path}/runs/jkf") == (
        f": there is no {tmp_path}/runs/jkf; did you mean 'jfk'?"
    )


def test_help_imports_no_library_that_takes_long_and_a_file_is_read_without_tensorflow(words: Path) -> None:
    expected = {("--help",): [], (str(words), "--near", "king"): ["pyarrow"]}
    for given, imported in expected.items():
        code = f"""
import sys
from trainer.__main__ import main
try:
    main(["vectors", *{given!r}])
except SystemExit:
    pass
print(sorted({{"tensorflow", "keras", "pyarrow", "sklearn"}} & set(sys.modules)))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == str(imported)
