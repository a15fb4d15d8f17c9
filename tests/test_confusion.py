"""Which classes a model takes for which: the numbers and the picture of a run's test rows, and of any rows."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import trainer
from tests import served
from trainer import evaluation, pictures
from trainer.heads import BinaryHead, Head, MultiClassHead, RegressionHead
from trainer.job import run
from trainer.pictures import matrices
from trainer.prediction.confusion import Confusion, class_names, classes_of, confusion
from trainer.settings import Settings


def drawn_of(count: int, rows: int = 20_000, share_wrong: float = 0.1) -> Confusion:
    """Classes of which some rows are taken for the next one."""
    draw = np.random.default_rng(0)
    labels = draw.integers(count, size=rows)
    taken = np.where(draw.random(rows) < share_wrong, (labels + 1) % count, labels)
    names = [f"kind of thing {number}" for number in range(count)]
    return confusion(MultiClassHead(count, label_vocabulary=names), labels, taken)


def texts(found: Confusion) -> list[str]:
    figure = matrices.drawn(found)
    figure.draw_without_rendering()
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_counts_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    labels, taken = draw.integers(5, size=300), draw.integers(5, size=300)
    found = confusion(MultiClassHead(5), labels, taken)
    assert found.counts.tolist() == confusion_matrix(labels, taken).tolist()  # scikit-learn 1.9.1
    assert found.right == (labels == taken).sum()
    told = json.loads(json.dumps(found.to_dict()))
    assert told == {"classes": ["0", "1", "2", "3", "4"], "counts": found.counts.tolist()}


@pytest.mark.parametrize(
    ("head", "wanted", "names"),
    [
        (MultiClassHead(3, label_vocabulary=["a", "b", "c"]), [2, 0], ["a", "b", "c"]),
        (BinaryHead(), [1, 0], ["0", "1"]),
        (RegressionHead(), None, None),
    ],
)
def test_the_class_of_an_answer_is_what_the_head_answers(head: Head, wanted: Any, names: Any) -> None:
    logits = np.array([[0.5, -1.0, 2.0], [-0.5, -1.0, -2.0]], np.float32)[:, : head.units]
    found = classes_of(head, logits)
    assert (None if found is None else np.asarray(found).tolist()) == wanted
    if isinstance(head, (BinaryHead, MultiClassHead)):
        assert class_names(head) == names


def test_of_many_classes_those_with_the_most_mistakes_are_shown_and_no_row_is_lost() -> None:
    found = drawn_of(120)
    few = found.most_mistaken(50)
    assert (len(few.names), few.names[-1]) == (50, "71 others")
    assert few.counts.sum() == found.counts.sum()
    mistakes = found.counts.sum(axis=0) + found.counts.sum(axis=1) - 2 * np.diag(found.counts)
    shown = [found.names.index(name) for name in few.names[:-1]]
    assert min(mistakes[shown]) >= max(np.delete(mistakes, shown))
    assert [few.counts[place, place] for place in range(49)] == np.diag(found.counts)[shown].tolist()


def test_a_cell_of_few_classes_has_its_count_and_its_share_of_the_row() -> None:
    found = Confusion(np.array([[3, 1], [0, 1000]]), ["cat", "dog"])
    assert texts(found) == ["3\n75.0%", "1\n25.0%", "1,000\n100.0%"]
    axes = matrices.drawn(found).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("taken for", "class")
    assert axes.get_ylim() == (2.0, 0.0)  # the first class on top


def test_the_title_tells_how_many_rows_were_right() -> None:
    figure = matrices.drawn(Confusion(np.array([[3, 1], [0, 1000]]), ["cat", "dog"]), "rows of new.csv")
    assert [text.get_text() for text in figure.texts][-1] == "1,004 rows of new.csv, 1,003 of them right: 99.90%"
    figure = matrices.drawn(drawn_of(120))
    assert [text.get_text() for text in figure.texts][-1].endswith(
        " of them right: 89.98%; of 120 classes the 49 with the most mistakes"
    )


@pytest.mark.parametrize("count", [2, 12, 13, 50, 300])
def test_no_label_and_no_count_hides_another(count: int) -> None:
    found = drawn_of(count)
    figure = matrices.drawn(found)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    side = axes.get_window_extent().width / len(axes.get_yticks())
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # of the canvas that figures have
    for text in axes.texts:
        assert text.get_window_extent(renderer).width <= 1.35 * side
    for labels, low, high in ((axes.get_yticklabels(), "y0", "y1"), (axes.get_xticklabels(), "x0", "x1")):
        boxes = sorted((label.get_window_extent(renderer) for label in labels), key=lambda box: getattr(box, low))
        assert all(getattr(one, high) <= getattr(two, low) + 1 for one, two in itertools.pairwise(boxes))


def test_a_picture_of_fifty_classes_is_a_small_file_in_which_their_names_can_be_read(tmp_path: Path) -> None:
    path = str(tmp_path / "confusion.png")
    pictures.matrix(drawn_of(50), path)
    with Image.open(path) as image:
        assert image.size[0] >= 2400
    assert Path(path).stat().st_size < 300_000


def test_a_picture_without_rows_is_none(tmp_path: Path) -> None:
    nothing = Confusion(np.zeros((2, 2), np.int64), ["cat", "dog"])
    assert pictures.write(str(tmp_path), [], confusion=nothing) == []
    (picture,) = pictures.write(str(tmp_path), [], confusion=drawn_of(3))
    assert (picture.path, picture.kind, picture.table) == (str(tmp_path / "confusion.png"), pictures.CONFUSION, None)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three kinds, with all that a run leaves, and test examples in the projector."""
    folder = tmp_path_factory.mktemp("kinds")
    file = folder / "mine.py"
    file.write_text(served.KINDS)
    train = served.write_kinds(folder / "kinds.parquet")
    test = served.write_kinds(folder / "test.parquet", served.kinds(200, seed=5))
    run(Settings(str(file), train_files=train, eval_files=test, job_dir=str(folder / "run"), projector_examples=150))
    return folder / "run"


def test_a_run_leaves_the_confusion_of_its_test_rows(left: Path) -> None:
    found = json.loads((left / "confusion.json").read_text())
    things, trained = served.kinds(200, seed=5), trainer.load(str(left))
    answers = trained.predict({key: [thing[key] for thing in things] for key in ("words", "amounts", "sizes", "age")})
    kinds = ["red", "green", "blue"]
    labels = [kinds.index(thing["kind"]) for thing in things]
    assert found["classes"] == kinds
    assert found["counts"] == confusion_matrix(labels, answers["class_ids"], labels=range(3)).tolist()
    assert (left / "pictures" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_in_the_report_and_in_tensorboard(left: Path) -> None:
    page = (left / "report.html").read_text()
    assert "Classes of the test rows, and what they were taken for" in page
    events = EventAccumulator(str(left / "logs" / "train")).Reload()
    assert "pictures/confusion" in events.Tags()["tensors"]


def test_rows_that_are_judged_again_are_told_the_same_way(left: Path, tmp_path: Path) -> None:
    trained = trainer.load(str(left))
    judge = evaluation.Judge(trained, evaluation.source_of(trained))
    results = evaluation.results_of(judge, trained.run, "kinds", None, 20)
    written = evaluation.write(results, str(tmp_path / "mine.json"))
    assert written == [f"{tmp_path}/mine.json", f"{tmp_path}/mine.confusion.png"]
    found = json.loads(Path(written[0]).read_text())
    assert found["confusion"] == json.loads((left / "confusion.json").read_text())
    pq.write_table(pa.Table.from_pylist(served.kinds(30, seed=6)), tmp_path / "new.parquet")
    other = evaluation.Judge(trained, evaluation.source_of(trained, str(tmp_path / "new.parquet")), everything=True)
    assert np.sum(other.confusion().to_dict()["counts"]) == 30  # type: ignore[union-attr]  # the head has classes
