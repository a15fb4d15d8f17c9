import base64
import dataclasses
import html
import json
import re
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import planted
from trainer import feature_column as fc
from trainer import paths, pictures, report, tables
from trainer.declared import plain
from trainer.flags import flag_name
from trainer.job.plan import Plan, with_settings
from trainer.job.steps import carry_out
from trainer.pictures import CURVES, HEAT_MAP, PLANE, Picture
from trainer.problem import Problem
from trainer.problem import load as load_problem
from trainer.report import figures, images, neighbours, page, repeating
from trainer.report.files import Files
from trainer.report.tables import fact_of
from trainer.run import Run
from trainer.settings import RUN_ONLY, Settings, to_dict
from trainer.tables import Table

HOSTILE = "<script>alert(1)</script>"
WILD = (
    "\ud83d half",
    'a "quoted" & <b>bold</b> word',
    "\u202eright to left",
    "bell\x07",
    "日本",
    "",
    "\ufeff\x00",
    "{{ 7 * 6 }}",
)
INLINE = {"a", "bdi", "code", "span", "strong", "time"}
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """What a report holds: its elements with their attributes, the text of each section, and whether tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag not in VOID:
            self._open.append((tag, given.get("id")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.handle_data(" ")
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if any(tag == "style" for tag, _ in self._open):
            return
        for place in {"", *(name or "" for _, name in self._open)}:
            self.texts[place] = self.texts.get(place, "") + data

    def section(self, name: str = "") -> str:
        """Returns the text of a section with single blanks."""
        return " ".join(self.texts[name].split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [given["id"] or "" for _, given in self.elements if "id" in given]


def png(path: Path, kind: str = HEAT_MAP, table: str | None = "day_hour", size: int = 1) -> Picture:
    """Writes a picture of so many rows of noise, and returns it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    noise = np.random.default_rng(size).integers(0, 256, (size, 1000), np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in noise)
    head = struct.pack(">IIBBBBB", 1000, size, 8, 0, 0, 0, 0)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return Picture(str(path), kind, table)


def cross_table(rows: int = 168, name: str = "day_hour") -> Table:
    draw = np.random.default_rng(3)
    counts = draw.permutation(rows) * 3
    counts[draw.integers(0, rows, 20)] = 0
    column = fc.embedding_column(planted.day_hour, 4)
    return Table(name, draw.normal(size=(rows, 4)).astype(np.float32), column, counts)


SETTINGS = Settings(problem="mine.py", num_epochs=7, warm_start=("day_hour=runs/the first",), download=False)
METRICS = {
    "loss": 0.5,
    "auc": 0.6698,
    "examples": 54145,
    "validation_loss": 0.25,
    "validation_auc": 0.7228,
    "validation_examples": 26877,
    "train_examples": 247499,
    "steps": 605,
    "seconds": 725.2,
    "examples_per_second": 179774.7,
    "peak_memory_bytes": 1030336512,
    "data": "nyc_flights",
    "total_seconds": 900.0,
    "tables/day_hour/effective_rank": 3.7,
    "parameters": 1234,
}


def left(path: Path, found: Sequence[Table], metrics: Mapping[str, Any] = METRICS) -> Run:
    """Returns a run as a job leaves it, without what a report does not read."""
    run = Run(str(path))
    path.mkdir()
    run.write_json(
        "settings.json",
        {
            "command": "python -m trainer.task --problem mine.py",
            "settings": to_dict(SETTINGS),
            "versions": {"embedding-columns": "0.1.0", "keras": "3.15.1"},
            "seed": 0,
            "data": {"name": metrics.get("data"), "digest": "be67b5382e3bf6f3"},
        },
    )
    run.write_json("metrics.json", metrics)
    columns = [{"kind": "IdentityColumn", "key": "hour", "num_buckets": 24, "default_value": None}]
    run.write_json(
        "problem.json",
        {"name": "flights", "description": "Late departures.", "linear_feature_columns": columns, "label": "late"},
    )
    started = {"source": "runs/jfk", "tensor": "day_hour", "by": "key", "rows": 168, "matched": 165, "new": 3}
    run.write_json("warm_start.json", {"day_hour": {**started, "matched_share_of_training_rows": 0.99}})
    epochs = [{"epoch": epoch, "steps": 121 * epoch, "seconds": 1.5 * epoch, "loss": 1 / epoch} for epoch in (1, 2)]
    (path / "history.jsonl").write_text("".join(f"{json.dumps(epoch)}\n" for epoch in epochs) + '{"epoch": 3, "lo')
    tables.write(run.tables, found)
    return run


def opened(run: Run) -> Page:
    return Page((Path(run.path) / "report.html").read_text(encoding="utf-8"))


def test_a_report_tells_what_a_run_was_and_has_learned(tmp_path: Path) -> None:
    table = cross_table()
    run = left(tmp_path / "run", [table])
    path = report.write(run, [table], [png(tmp_path / "run" / "pictures" / "day_hour.png")])
    assert path == str(tmp_path / "run" / "report.html")
    page = opened(run)
    assert "flights Late departures. Data nyc_flights Written" in page.section()
    assert str(tmp_path / "run") in page.section()
    wanted = ["metrics", "sizes", "curves", "tables", "table-day_hour", "settings", "versions", "declared"]
    assert page.ids == wanted
    assert page.section("metrics").startswith(
        "Metrics test validation AUC 0.6698 0.7228 loss 0.5000 0.2500 rows 54,145 26,877"
    )
    assert "effective rank" not in page.section("metrics")
    assert page.section("sizes") == (
        "Time and size training rows 247,499 epochs 2 steps 605 training 12 min 5 s rows a second 179,775 "
        "in all 15 min 0 s peak memory 1.0 GB numbers in tables 672 parameters 1,234"
    )
    assert "epoch steps seconds loss 1 121 1.5 1 2 242 1.5 0.5000" in page.section("curves")
    assert "keras 3.15.1 digest of the data be67b5382e3bf6f3" in page.section("versions")
    assert page.section("declared").endswith("wide columns IdentityColumn(key='hour', num_buckets=24) label 'late'")


def test_a_table_s_part_tells_its_size_its_health_and_where_it_started(tmp_path: Path) -> None:
    table = cross_table()
    never = int((table.counts == 0).sum()) if table.counts is not None else 0
    run = left(tmp_path / "run", [table])
    report.write(run, [table])
    text = opened(run).section("table-day_hour")
    assert text.startswith("day_hour 168 rows × 4 (2.7 kB), used by day_X_hour_embedding Started from day_hour in")
    assert "runs/jfk: 165 of 168 rows matched by key; 3 new; 0 of the source dropped; 99.0 % of the training" in text
    assert f"rows never trained {never} of 168 ({100 * never / 168:.0f} %)" in text
    assert re.search(r"dimensions used [34]\.\d of 4", text)


def test_a_report_asks_nothing_of_a_network_and_runs_no_script(tmp_path: Path) -> None:
    table = cross_table()
    run = left(tmp_path / "run", [table])
    folder = tmp_path / "run" / "pictures"
    files = [png(folder / "day_hour.png"), png(folder / "curves.png", CURVES, None)]
    report.write(run, [table], files)
    page = opened(run)
    assert {"script", "link", "iframe", "object", "embed", "form", "base", "style"} & {
        tag for tag, _ in page.elements
    } == {"style"}
    for _, given in page.elements:
        assert not [name for name in given if name.startswith("on") or name in ("style", "srcset", "action")]
        assert re.match(r"data:image/png;base64,|$", given.get("src") or "")
        assert re.match(r"#|$", given.get("href") or "")
    assert "url(" not in (tmp_path / "run" / "report.html").read_text()
    assert "@import" not in (tmp_path / "run" / "report.html").read_text()


def test_every_link_of_the_contents_has_its_place(tmp_path: Path) -> None:
    found = [cross_table(), cross_table(name="native country"), cross_table(name="Native_country")]
    run = left(tmp_path / "run", found)
    report.write(run, found)
    page = opened(run)
    links = [given["href"] for given in page.named("a")]
    assert len(set(page.ids)) == len(page.ids)
    assert {f"#{name}" for name in page.ids} == set(links)
    assert {"#table-native_country", "#table-Native_country-2"} <= set(links)
    assert re.search(r"native country 168 4 \d+ of 168 \(\d+ %\) [34]\.\d of 4 Native", page.section("tables"))


def test_the_report_of_a_run_on_a_bucket_is_written_there() -> None:
    run = Run("ram://reports/run")
    run.write_json("metrics.json", METRICS)
    picture = png(Path(tempfile.mkdtemp()) / "pictures" / "curves.png")
    remote = Picture(run.file("pictures", "curves.png"), CURVES)
    with paths.written_whole(remote.path) as copy:
        shutil.copy(picture, copy)
    assert report.write(run, [], [remote]) == "ram://reports/run/report.html"
    page = Page(paths.read_text("ram://reports/run/report.html"))
    assert page.ids == ["metrics", "sizes", "curves"]
    assert len(page.named("img")) == 1


def brute_force(table: Table) -> list[tuple[int, list[int]]]:
    """Returns the five rows trained most with their five nearest, by all cosines at once."""
    values = np.asarray(table.values, np.float64)
    units = values / np.linalg.norm(values, axis=1, keepdims=True)
    cosines = units @ units.T
    trained = np.flatnonzero(table.trained)
    counts = np.arange(table.rows)[::-1] if table.counts is None else table.counts
    found = []
    for row in sorted(trained, key=lambda row: -counts[row])[:5]:
        others = [other for other in trained if other != row]
        found.append((int(row), [int(other) for other in sorted(others, key=lambda other: -cosines[row, other])[:5]]))
    return found


@pytest.mark.parametrize("block", [7, 168, 1_000])
def test_the_neighbours_are_those_that_all_cosines_at_once_give(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    table = cross_table()
    found = neighbours.neighbourhoods(table)
    assert [(each.of.row, [near.row for near in each.nearest]) for each in found] == brute_force(table)
    first = found[0]
    values = np.asarray(table.values, np.float64)
    a, b = values[first.of.row], values[first.nearest[0].row]
    assert first.nearest[0].cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-6)
    assert [near.title for near in first.nearest] == table.labels_of(near.row for near in first.nearest)


def test_the_page_shows_neighbours_with_their_cosine_and_how_often_they_were_trained(tmp_path: Path) -> None:
    table = Table(
        "hour",
        np.array([[1, 0], [0.6, 0.8], [-1, 0], [0, 9]], np.float32),
        counts=np.array([1, 2_000, 1, 0]),
        details={"name": ["night", "day", "dusk", "never"]},
        title="name",
    )
    run = left(tmp_path / "run", [table])
    report.write(run, [table])
    text = opened(run).section("table-hour")
    assert "day trained 2,000 times nearest cosine trained night 0.60 1 dusk −0.60 1" in text
    assert "night trained once nearest cosine trained day 0.60 2,000 dusk −1.00 1" in text
    assert "never" not in text.removeprefix("hour").partition("Nearest rows")[2]


def test_a_table_that_nobody_counted_shows_its_first_rows() -> None:
    table = Table("hour", np.random.default_rng(1).normal(size=(24, 4)))
    found = neighbours.neighbourhoods(table)
    assert [(each.of.row, [near.row for near in each.nearest]) for each in found] == brute_force(table)
    assert found[0].of.count is None


@pytest.mark.parametrize(
    "values",
    [np.zeros((3, 2)), np.full((3, 2), np.nan), np.zeros((0, 2)), np.zeros((1, 2)), np.ones((1, 2)), np.ones((3, 0))],
)
def test_a_table_in_which_nothing_is_near_has_no_neighbours(values: Any, tmp_path: Path) -> None:
    table = Table("hour", values, counts=np.ones(len(values), int))
    assert neighbours.neighbourhoods(table) == []
    run = Run(str(tmp_path))
    report.write(run, [table])
    assert "Nearest rows" not in opened(run).section("table-hour")


def test_the_labels_of_few_rows_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def titles(table: Table, rows: Any) -> list[str]:
        asked.extend(rows)
        return [str(row) for row in rows]

    monkeypatch.setattr(Table, "titles_of", titles)
    neighbours.neighbourhoods(Table("big", np.random.default_rng(1).normal(size=(100_000, 2))))
    assert len(asked) == 30


def test_wild_letters_are_shown_and_never_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "NEAREST", 20)
    titles = [HOSTILE, *WILD, "x" * 5_000]
    values = np.random.default_rng(5).normal(size=(len(titles), 3))
    counts = np.arange(len(titles))[::-1] + 1
    table = Table(HOSTILE, values, counts=counts, details={"word": titles}, title="word")
    run = left(tmp_path / "run", [table], {**METRICS, HOSTILE: 1.0, "data": HOSTILE})
    run.write_json("problem.json", {"name": HOSTILE, "description": WILD[0], "label": HOSTILE, HOSTILE: HOSTILE})
    report.write(run, [table], [png(tmp_path / "run" / "pictures" / "_script_alert_1___script_.png", table=HOSTILE)])
    page = opened(run)
    assert {"script", "b"} & {tag for tag, _ in page.elements} == set()
    text = page.section("tables")
    for shown in (HOSTILE, r"\ud83d half", WILD[1], "日本", r"bell\x07", r"\x00", "{{ 7 * 6 }}"):
        assert shown in text, shown
    assert "x" * 200 not in text
    assert page.named("img")[0]["alt"] == f"{HOSTILE}: heat map"


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    run = Run(str(tmp_path))
    report.write(run, [])
    page = opened(run)
    assert page.ids == []
    assert page.section().startswith("A run: report of a run A run Written")


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "{}", "null"])
def test_a_torn_file_is_left_out(content: str, tmp_path: Path) -> None:
    for name in ("settings", "metrics", "problem", "warm_start", "baselines", "measures"):
        (tmp_path / f"{name}.json").write_text(content)
    (tmp_path / "history.jsonl").write_text(content)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "manifest.json").write_text(content)
    run = Run(str(tmp_path))
    report.write(run, [cross_table()])
    assert set(opened(run).ids) <= {"tables", "table-day_hour", "sizes", "settings"}


def test_planted_data_are_said_plainly(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [], {**METRICS, "data": "planted"})
    report.write(run, [])
    assert "Planted data, not real." in opened(run).section()
    other = left(tmp_path / "other", [])
    report.write(other, [])
    assert "Planted" not in opened(other).section()


def test_pictures_stand_where_they_belong(tmp_path: Path) -> None:
    found = [cross_table(), cross_table(name="day.plane")]
    run = left(tmp_path / "run", found)
    folder = tmp_path / "run" / "pictures"
    drawn = [
        png(folder / "other.png", "sketch", "month"),
        png(folder / "curves.png", CURVES, None),
        png(folder / "day.plane.png", HEAT_MAP, "day.plane"),
        png(folder / "day_hour.plane.png", PLANE),
        png(folder / "day.plane.plane.png", PLANE, "day.plane"),
        png(folder / "day_hour.png"),
    ]
    report.write(run, found, drawn)
    page = opened(run)
    assert [given["alt"] for given in page.named("img")] == [
        "Training and validation curves",
        "day_hour: heat map",
        "day_hour: labelled plane",
        "day.plane: heat map",
        "day.plane: labelled plane",
        "month: sketch",
    ]
    assert "Training and validation curves" in page.section("curves")
    assert "labelled plane" in page.section("table-day_hour")
    assert page.section("others") == "Other pictures month: sketch (wider than the screen: swipe it sideways)"
    source = page.named("img")[0]["src"] or ""
    held = base64.b64decode(source.partition(",")[2])
    assert held == (tmp_path / "run" / "pictures" / "curves.png").read_bytes()


def test_pictures_that_would_make_the_file_too_large_are_linked_to(tmp_path: Path) -> None:
    found = [cross_table(name=f"table {number}") for number in range(40)]
    run = left(tmp_path / "run", found)
    folder = tmp_path / "run" / "pictures"
    files = [png(folder / f"table_{number}.png", table=f"table {number}", size=300) for number in range(40)]
    report.write(run, found, files)
    page = opened(run)
    size = (tmp_path / "run" / "report.html").stat().st_size
    assert images.MOST_BYTES - 400_000 < size < images.MOST_BYTES + 500_000
    links = [given["href"] or "" for given in page.named("a") if not (given["href"] or "").startswith("#")]
    assert len(links) == 40 - len(page.named("img"))
    assert all((tmp_path / "run" / link).is_file() for link in links)
    assert f"{len(links)} of the pictures would make this file too large to send" in page.section("tables")


def test_a_picture_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    report.write(run, [], [Picture(str(tmp_path / "run" / "pictures" / "gone.png"), HEAT_MAP, "day")])
    assert opened(run).named("img") == []
    assert "others" not in opened(run).ids


def small_table(name: str, seed: int) -> Table:
    day, hour = (fc.categorical_column_with_identity(key, count) for key, count in (("day", 2), ("hour", 3)))
    values = np.random.default_rng(seed).normal(size=(6, 2)).astype(np.float32)
    return Table(name, values, fc.embedding_column(fc.crossed_column([day, hour]), 2))


def test_pictures_of_tables_with_names_alike_stand_at_their_own_table(tmp_path: Path) -> None:
    names = ("curves", "Day", "day", "a b", "a_b", "day.plane")
    found = [small_table(name, seed) for seed, name in enumerate(names)]
    run = left(tmp_path / "run", found)
    drawn = pictures.write(run.file("pictures"), found, [{"epoch": 1, "loss": 0.5}])
    report.write(run, found, drawn)
    words = {HEAT_MAP: "heat map", PLANE: "labelled plane"}
    titles = [f"{picture.table}: {words[picture.kind]}" for picture in drawn[:-1]]
    assert {
        given["alt"]: base64.b64decode((given["src"] or "").partition(",")[2]) for given in opened(run).named("img")
    } == {
        title: paths.read_bytes(picture.path)
        for title, picture in zip([*titles, "Training and validation curves"], drawn, strict=True)
    }
    for anchor, name in zip(tables.file_names(names), names, strict=True):
        text = opened(run).section(f"table-{anchor}")
        assert 0 < text.index(f"{name}: heat map") < text.index(f"{name}: labelled plane")
        assert text.count(": heat map") == 1


def test_a_picture_slides_in_its_own_place_where_the_screen_is_narrow(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [cross_table(), cross_table(name="day")])
    report.write(run, [cross_table(), cross_table(name="day")], [png(tmp_path / "run" / "pictures" / "day_hour.png")])
    page = opened(run)
    place = page.elements.index(("img", page.named("img")[0]))
    assert page.elements[place - 1] == (
        "div",
        {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": "day_hour: heat map"},
    )
    assert "Tables All tables (wider than the screen: swipe it sideways) table rows" in page.section("tables")


def planted_job(folder: Path, **changes: Any) -> Run:
    """Runs a short job over planted data, and returns the run."""
    given = Settings(train_batch_size=2048, num_epochs=2, **changes)
    run = Run(str(folder))
    carry_out(Plan(given, with_settings(planted.PROBLEM, given), run))
    return run


def test_a_picture_that_fails_after_a_resume_is_told_and_the_one_of_before_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.projector.write", lambda *_, **__: None)  # takes long
    before = opened(planted_job(tmp_path / "run"))
    titles = ["Training and validation curves", "day_hour: heat map", "day_hour: labelled plane"]
    assert [given["alt"] for given in before.named("img")] == titles

    def fail(*_: Any) -> None:
        raise TypeError("no such letter")

    monkeypatch.setattr("trainer.pictures.plane", fail)
    monkeypatch.setattr("trainer.pictures.curves.curves", fail)
    capsys.readouterr()
    after = opened(planted_job(tmp_path / "run", resume=True))
    assert capsys.readouterr().err.splitlines() == ["pictures: not written: TypeError: no such letter"] * 2
    assert [given["alt"] for given in after.named("img")] == ["day_hour: heat map"]
    assert [path.name for path in (tmp_path / "run" / "pictures").iterdir()] == ["day_hour.png"]


def trained(given: Settings, problem: Problem | None = None) -> Files:
    """Returns what a job with some settings writes of them."""
    problem = load_problem(given.problem, {}) if problem is None else problem
    trained_with = {**plain(with_settings(problem, given)), "digest": "f52a34107129e13b"}
    return Files(json.loads(json.dumps({"settings": to_dict(given), "trained_with": trained_with})))


def test_settings_are_what_was_trained_with_and_tell_who_has_set_them() -> None:
    found = repeating.settings(trained(Settings(train_batch_size=64, optimizer="SGD", num_epochs=5, job_dir="runs/x")))
    assert [dataclasses.astuple(setting) for setting in found if setting.by == "flag"] == [
        ("--num-epochs", "5", "flag", "5"),
        ("--train-batch-size", "64", "flag", "1024"),
        ("--optimizer", "SGD", "flag", "LazyAdam"),
    ]
    assert [dataclasses.astuple(setting) for setting in found if setting.by == "problem"] == [
        ("--dataset", "nyc_flights", "problem", None),
        ("--learning-rate", "0.003", "problem", "—"),
        ("--hidden-units", "64, 32", "problem", "—"),
        ("label", "late", "problem", "—"),
        ("linear_optimizer", "Ftrl", "problem", "—"),
        ("linear_learning_rate", "2.0", "problem", "—"),
        ("validation", "EveryNthBlock(key='day', n=10)", "problem", "Share(share=0.1, by=None)"),
        ("learning_rate_decay", "linear", "problem", "—"),
    ]
    names = [setting.name for setting in found]
    assert len(set(names)) == len(names)
    assert not {"digest", "dnn_optimizer", "learning_rate", "num_epochs", "train_batch_size", "dataset"} & set(names)
    assert not {flag_name(name) for name in RUN_ONLY} & set(names)
    assert {"--seed", "--eval-batch-size", "head", "dnn_activation_fn"} <= {each.name for each in found[11:]}


def test_files_in_place_of_a_data_set_are_told_once() -> None:
    found = repeating.settings(trained(Settings(train_files="data/*.csv")))
    assert [setting.name for setting in found if "csv" in setting.value] == ["--train-files"]


def test_a_run_with_nothing_but_a_job_dir_has_the_problem_s_settings(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    run.write_json("settings.json", trained(Settings(job_dir="runs/x", verbose=True, baselines=True)).settings)
    run.write_json("problem.json", {**run.read_json("problem.json"), "dnn_hidden_units": [64, 32]})
    report.write(run, [])
    page = opened(run)
    text = page.section("settings")
    assert (
        "own: python -m trainer.task No flag was given: all settings are the problem’s or the defaults. Settings that"
        in text
    )
    assert "setting value set by default --dataset nyc_flights problem --train-batch-size 2048 problem 1024" in text
    assert page.section("declared").startswith("Declarations Wide columns wide columns Identity")  # the rest is above
    run.write_json("settings.json", {"settings": to_dict(Settings(job_dir="runs/x"))})
    report.write(run, [])
    assert "No flag was given: all settings are the defaults." in opened(run).section("settings")


def test_settings_that_differ_come_first_and_a_command_line_repeats_the_run(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    report.write(run, [])
    text = opened(run).section("settings")
    assert (
        "python -m trainer.task --problem mine.py --no-download --num-epochs 7 --warm-start 'day_hour=runs/the first'"
    ) in text
    given, _, rest = text.partition("settings at their defaults")
    assert "--problem mine.py flag flights --download no flag yes --num-epochs 7 flag — --warm-start" in given
    assert "--eval-batch-size 4096 default 4096" in rest


def test_the_command_line_that_repeats_a_run_gives_its_settings() -> None:
    from shlex import split

    from trainer import settings
    from trainer.problem import flags_of

    made = Settings(problem="flights", seed=3, learning_rate=0.1, freeze=("a b", "-c"), job_dir="x", download=False)
    line = repeating.command(Files({"settings": json.loads(json.dumps(to_dict(made)))}))
    assert line is not None
    repeated = settings.from_argv(split(line)[3:], flags_of)
    assert repeated == Settings(seed=3, learning_rate=0.1, freeze=("a b", "-c"), download=False)


def test_the_problem_s_own_arguments_are_among_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from tests import planted\n"
        "def problem(*, share: float = 0.3, quick: bool = False, noisy: bool = True):\n"
        '    """Mine.\n\n    Args:\n        share: Of it.\n        quick: Or slow.\n        noisy: Or not.\n    """\n'
        "    return planted.PROBLEM\n"
    )
    arguments = {"share": 0.3, "quick": False, "noisy": False}
    stored = {"settings": {**to_dict(Settings(problem=str(file))), "problem_arguments": arguments}}
    assert repeating.command(Files(stored)) == f"python -m trainer.task --problem {file} --no-noisy"
    found = repeating.settings(Files(stored))
    assert [setting.name for setting in found if setting.by == "flag"] == ["--problem", "--noisy"]
    assert [setting.name for setting in found if setting.by == "default"][-2:] == ["--share", "--quick"]


def test_what_health_will_tell_some_day_is_shown_too() -> None:
    table = cross_table()
    assert fact_of("effective_rank", 2.14, table).text == "2.1 of 4"
    assert fact_of("out_of_vocabulary_test", 0.0214, table).text == "2.1 %"
    assert fact_of("rows_not_finite", 2, table).is_warning
    assert fact_of("mean_cosine", 0.25, table).name == "mean cosine"
    assert fact_of("verdict", "good", table).text == "good"


def test_baselines_are_shown_where_they_were_measured(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    results = [
        {"form": form, "share": share, "value": value + seed / 100}
        for form, value in (("embedding", 0.7), ("one-hot", 0.6))
        for share in (0.01, 1.0)
        for seed in (0, 1)
    ]
    run.write_json("baselines.json", {"metric": "auc", "validation_examples": 26877, "results": results})
    report.write(run, [])
    text = opened(run).section("baselines")
    assert "AUC on 26,877 validation rows" in text
    assert "form 1 % 100 % embedding 0.7050 ± 0.0071 0.7050 ± 0.0071 one-hot 0.6050" in text


def test_measures_of_tables_are_shown_section_by_section(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    counts = {"accuracy": 0.25, "right": 1, "total": 4, "out_of_vocabulary": 2}
    sections = [{"section": "family", **counts}, {"section": "<b>", **counts, "accuracy": None, "right": 0}, "torn"]
    analogies = {"file": "q.txt", "table": "word", **counts, "total": 8, "sections": sections}
    run.write_json("measures.json", {"analogies": analogies, "similarities": {"spearman": 0.49}, "other": "torn"})
    report.write(run, [])
    text = opened(run).section("measures")
    assert text == (
        "Measures of the tables analogies of word: q.txt accuracy right total out of vocabulary family 0.2500 1 4 2 "
        "<b> — 0 4 2 — — — — all 0.2500 1 8 2 similarities spearman all 0.4900"
    )


def test_examples_that_are_groups_of_rows_are_called_so() -> None:
    problem = {"grouped": {"kind": "Grouped", "by": "user_id"}}
    found = {**METRICS, "examples": 61, "validation_examples": 61, "train_examples": 488, "examples_per_second": 292.0}
    shown = dict(figures.sizes(Files(metrics=found, problem=problem), []))
    assert (shown["training groups of 'user_id'"], shown["groups of 'user_id' a second"]) == ("488", "292")
    metrics = figures.metrics(Files(metrics=found, problem=problem))
    assert metrics is not None
    assert metrics.lines[-1] == ["groups of 'user_id'", "61", "61"]


def test_recommenders_are_shown_where_they_were_measured(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    metrics = {"recall@20": 0.25, "ndcg@100": 0.5, "seconds": 3.0}
    results = [{"model": "popularity", **metrics}, {"model": "movies", **metrics, "ndcg@100": 0.75}]
    run.write_json("baselines.json", {"test_examples": 61, "results": results})
    report.write(run, [])
    text = opened(run).section("baselines")
    assert "What is ranked for 61 test examples by a part of what each has, against the rest of it." in text
    assert text.endswith("model recall@20 ndcg@100 seconds popularity 0.2500 0.5000 3.0 movies 0.2500 0.7500 3.0")


def test_a_ridge_regression_is_shown_beside_the_forms_of_a_cross(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    results = [{"model": "mean", "rmse": 0.5, "seconds": 0.0}, {"form": "one-hot", "share": 1.0, "value": 0.25}]
    run.write_json("baselines.json", {"test_examples": 61, "ridge_strength": 1.0, "metric": "rmse", "results": results})
    report.write(run, [])
    text = opened(run).section("baselines")
    assert "What is predicted of 61 test examples, by models that learn from the same training rows." in text
    assert "model RMSE seconds mean 0.5000 0.0" in text
    assert text.endswith("form 100 % one-hot 0.2500")


def test_latent_semantic_analysis_is_shown_by_what_is_measured_of_tables(tmp_path: Path) -> None:
    run = left(tmp_path / "run", [])
    results = [{"model": "lsa", "analogies": 0.25, "seconds": 3.0}]
    run.write_json("baselines.json", {"train_examples": 61, "lsa_pairs": 1234, "results": results})
    report.write(run, [])
    text = opened(run).section("baselines")
    assert "What is measured of the tables of models that learn from the same training sequences." in text
    assert text.endswith("model analogies seconds lsa 0.2500 3.0")


def test_a_run_that_had_nothing_left_to_train_has_no_speed() -> None:
    shown = dict(figures.sizes(Files(metrics={**METRICS, "examples_per_second": 0.0}), []))
    assert "rows a second" not in shown
    assert shown["training"] == "12 min 5 s"


def test_a_seed_without_a_finite_value_is_told_beside_the_mean_of_the_others(tmp_path: Path) -> None:
    values = {"one-hot": (0.5, float("nan"), 0.75), "embedding": (None, float("inf"), "x")}
    results = [{"form": form, "share": 1.0, "value": value} for form, own in values.items() for value in own]
    run = left(tmp_path / "run", [])
    run.write_json("baselines.json", {"metric": "auc", "results": results})
    report.write(run, [])
    text = opened(run).section("baselines")
    assert text.endswith("form 100 % one-hot 0.6250 ± 0.1768 (2 of 3 seeds) embedding not a number")


def test_each_epoch_has_its_own_seconds() -> None:
    """The third line is the first after a resume; only the last hundred are listed, with the one before them known."""
    found = figures.history(Files(history=[{"seconds": seconds} for seconds in (3.0, 3.8, 0.7, 2.0, None, 4.7)]))
    assert found is not None
    assert found.lines == [["3.0"], ["0.8"], ["0.7"], ["1.3"], ["—"], ["4.7"]]
    found = figures.history(Files(history=[{"seconds": 2.0 * epoch} for epoch in range(1, 151)]))
    assert found is not None
    assert found.lines == [["2.0"]] * 100


def test_the_data_are_those_that_the_settings_name() -> None:
    """As `python -m trainer runs` tells them."""
    assert Files({"data": {"name": "census"}}, {"data": "planted"}).data == "census"
    assert Files({"data": {"digest": "be67"}}, {"data": "planted"}).data == "planted"


NUMBERS = (float("nan"), float("-inf"), 10**400, -7, True)
DAMAGE: tuple[Any, ...] = (*NUMBERS, None, [], [[1, "a"]], "text", "", {"kind": "Files"})


def damaged(value: Any) -> Iterator[Any]:
    """Yields a value with each value inside of it, and itself, replaced by each of some others."""
    yield from DAMAGE
    if isinstance(value, dict):
        for name, own in value.items():
            yield from ({**value, name: other} for other in damaged(own))
    if isinstance(value, list):
        for place, own in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in damaged(own))


def whole(path: Path) -> dict[str, Any]:
    """Returns the JSON files of a run that has everything in them, by name."""
    run = left(path, [small_table("day_hour", 0)])
    settings = trained(Settings(seed=3, freeze=("day_hour",))).settings
    run.write_json("settings.json", {**run.read_json("settings.json"), **settings})
    result = {"form": "one-hot", "share": 1.0, "value": 0.5}
    results = [{**result, "seed": 0}, {**result, "seed": 1}, {**result, "form": "none"}]
    run.write_json("baselines.json", {"metric": "auc", "validation_examples": 7, "results": results})
    sections = [{"section": "family", "accuracy": 0.25}]
    run.write_json("measures.json", {"analogies": {"table": "word", "accuracy": 0.25, "sections": sections}})
    return {name: json.loads(paths.read_text(run.file(name))) for name in (*FILES, "tables/manifest.json")}


FILES = ("settings.json", "metrics.json", "problem.json", "warm_start.json", "baselines.json", "measures.json")


@pytest.mark.parametrize("name", [*FILES, "tables/manifest.json"])
def test_no_odd_value_in_a_file_costs_the_report(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = whole(tmp_path / "run")
    run = Run(str(tmp_path / "run"))
    table = small_table("day_hour", 0)
    monkeypatch.setattr("trainer.report.tables.neighbourhoods", lambda table: [])  # of the table, not of the files
    for other in damaged(contents[name]):
        (tmp_path / "run" / name).write_text(json.dumps(other))
        assert "</html>" in page.page(run, [table]), other


def test_no_odd_value_in_the_history_costs_the_report(tmp_path: Path) -> None:
    whole(tmp_path / "run")
    epochs = [{"epoch": 1, "seconds": 1.5, "loss": 0.5}, {"epoch": 2, "seconds": 2.5, "loss": 0.25}]
    for other in damaged(epochs):
        lines = other if isinstance(other, list) else [other]
        (tmp_path / "run" / "history.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        assert "</html>" in page.page(Run(str(tmp_path / "run")), []), other


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = left(tmp_path / "run", [])
    report.write(run, [])
    before = (tmp_path / "run" / "report.html").read_bytes()

    def broken(table: Table) -> list[Any]:
        raise MemoryError

    monkeypatch.setattr("trainer.report.tables.neighbourhoods", broken)
    with pytest.raises(MemoryError):
        report.write(run, [cross_table()])
    assert (tmp_path / "run" / "report.html").read_bytes() == before
    assert html.unescape(before.decode()).startswith("<!DOCTYPE html>")
