"""The curves of a training, and pictures in TensorBoard's Images tab."""

import itertools
import json
import struct
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, event_accumulator, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.image import metadata

from trainer import paths, pictures
from trainer.errors import Refusal
from trainer.pictures import curves
from trainer.tables import Table
from trainer.training.callbacks import History

FLIGHTS = [
    {
        "epoch": epoch,
        "steps": 121 * epoch,
        "seconds": 3.2,
        "loss": 0.5 - epoch / 100,
        "validation_auc": 0.7 + epoch / 100,
        "validation_examples": 26877.0,
        "validation_loss": abs(epoch - 3) / 10 + 0.4,
    }
    for epoch in range(1, 6)
]


def panels(history: Any) -> dict[str, Any]:
    return {axes.get_title(loc="left"): axes for axes in curves.drawn(history).axes if axes.get_visible()}


def lines(axes: Any) -> list[tuple[list[float], list[float]]]:
    """The epochs and values of each curve; the line that marks the best epoch is none."""
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines if line.get_marker() != "None"]


def legend(history: Any) -> list[str]:
    (found,) = curves.drawn(history).legends
    return [text.get_text() for text in found.get_texts()]


def test_each_metric_has_a_panel_with_training_and_validation() -> None:
    found = panels(FLIGHTS)
    assert list(found) == ["loss", "auc"]
    epochs = [1, 2, 3, 4, 5]
    assert lines(found["loss"]) == [
        (epochs, [line["loss"] for line in FLIGHTS]),
        (epochs, [line["validation_loss"] for line in FLIGHTS]),
    ]
    assert lines(found["auc"]) == [(epochs, [line["validation_auc"] for line in FLIGHTS])]
    training, validation, _ = found["loss"].lines
    assert training.get_color() != validation.get_color()
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()
    assert found["auc"].lines[0].get_color() == validation.get_color()


def test_the_epoch_of_the_lowest_validation_loss_is_marked_in_every_panel() -> None:
    for axes in panels(FLIGHTS).values():
        assert list(axes.lines[-1].get_xdata()) == [3, 3]
    assert legend(FLIGHTS) == ["training", "validation", "lowest validation loss: epoch 3"]


def test_without_a_validation_nothing_is_marked() -> None:
    history = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.4}]
    assert len(panels(history)["loss"].lines) == 1
    assert legend(history) == ["training"]


def test_epochs_are_whole_numbers() -> None:
    for history in (FLIGHTS[:1], FLIGHTS[:2], FLIGHTS, [{"epoch": epoch, "loss": 1} for epoch in range(1, 1000)]):
        (axes, *_) = panels(history).values()
        axes.figure.canvas.draw()
        ticks = axes.get_xticks()
        assert (ticks == np.round(ticks)).all()
        numbers = [text.get_text() for text in axes.get_xticklabels()]
        assert numbers == [f"{tick:,.0f}" for tick in ticks]


def test_one_epoch_alone_is_points() -> None:
    (training, validation, _) = panels(FLIGHTS[:1])["loss"].lines
    assert (training.get_markevery(), validation.get_markevery()) == ([0], [0])


def test_what_is_absent_or_not_finite_is_a_gap_and_what_is_between_gaps_a_point() -> None:
    values = [0.5, None, 0.3, float("nan"), 0.2, 0.1, float("inf"), "high"]
    history: list[dict[str, Any]] = [{"epoch": place, "loss": value} for place, value in enumerate(values, 1)]
    history += [{"epoch": 9}, *({"epoch": epoch, "loss": 0.1} for epoch in range(10, 400))]
    (line,) = panels(history)["loss"].lines
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [1, 3, 6, 7, 8]
    assert {0, 2} <= set(line.get_markevery())
    assert 20 < len(line.get_markevery()) < 40


def test_of_two_lines_of_an_epoch_the_last_counts() -> None:
    history = [{"epoch": 2, "loss": 3}, {"epoch": 1, "loss": 5}, {"epoch": 2, "loss": 4}]
    assert lines(panels(history)["loss"]) == [([1, 2], [5, 4])]


def test_six_metrics_at_most_are_drawn_the_loss_first_and_the_picture_says_so() -> None:
    history = [{"epoch": 1, **{f"validation_$m{number}$": number for number in range(8)}, "loss": 1}]
    assert list(panels(history)) == ["loss", *(f"$m{number}$" for number in range(5))]
    assert curves.drawn(history).texts[1].get_text() == "1 epoch, the first 6 of 9 metrics"
    assert curves.drawn(FLIGHTS).texts[1].get_text() == "5 epochs"


def test_positive_values_of_more_than_three_decades_have_a_scale_of_factors() -> None:
    history = [
        {"epoch": epoch, "loss": 1e29 if epoch == 1 else 1 / epoch, "validation_loss": 0.5, "validation_auc": 0.6}
        for epoch in range(1, 9)
    ]
    loss, auc = panels(history).values()
    assert [axes.get_title(loc="left") for axes in (loss, auc)] == ["loss, log scale", "auc"]
    assert (loss.get_yscale(), auc.get_yscale()) == ("log", "linear")
    low, high = loss.get_ylim()
    assert low < 1 / 8
    assert high > 1e29
    loss.figure.canvas.draw()
    numbers = [
        text.get_text()
        for tick, text in zip(loss.get_yticks(), loss.get_yticklabels(), strict=True)
        if low <= tick <= high
    ]
    assert len(set(numbers)) == len(numbers) >= 3


@pytest.mark.parametrize("values", [[1000, 1], [1e29, 0], [1e29, -1], [1, 1], [float("inf"), 1]])
def test_other_values_have_a_scale_of_even_distances(values: list[float]) -> None:
    history = [{"epoch": epoch, "loss": value} for epoch, value in enumerate(values, 1)]
    assert panels(history)["loss"].get_yscale() == "linear"


def test_the_legend_has_one_order_whatever_comes_first() -> None:
    history = [{"epoch": 1, "validation_auc": 0.7, "mae": 2, "validation_loss": 1}]
    assert legend(history) == ["training", "validation", "lowest validation loss: epoch 1"]


@pytest.mark.parametrize("name", ["learning_rate", "lr"])
def test_a_learning_rate_is_drawn_last_and_is_neither_training_nor_validation(name: str) -> None:
    history = [{"epoch": epoch, name: 0.1 / epoch, "loss": 1, "mae": 2} for epoch in (1, 2)]
    found = panels(history)
    assert list(found) == ["loss", "mae", name]
    (rate,), (mae,) = found[name].lines, found["mae"].lines
    assert rate.get_color() != mae.get_color()
    assert rate.get_marker() != mae.get_marker()
    assert legend(history) == ["training"]
    assert curves.drawn([{"epoch": 1, name: 0.1}]).legends == []


@pytest.mark.parametrize("metrics", [1, 2, 4, 5, 6])
def test_curves_are_a_small_picture_that_is_always_the_same(metrics: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    names = ["loss", *(f"validation_a rather long name of a metric, {place}" for place in range(1, metrics))]
    history = [{"epoch": epoch, **{name: numbers.random() for name in names}} for epoch in range(1, 100)]
    for name in ("first.png", "second.png"):
        curves.curves(history, str(tmp_path / name))
    content = (tmp_path / "first.png").read_bytes()
    assert struct.unpack(">I", content[16:20]) == (1600,)
    assert len(content) < 300_000
    assert content == (tmp_path / "second.png").read_bytes()


def test_titles_of_panels_stay_apart_and_nothing_is_cut() -> None:
    names = [f"validation_MEAN_absolute_percentage_error_{place}" for place in range(6)]
    history = [{"epoch": epoch, **{name: 1e-9 * place**epoch for place, name in enumerate(names)}} for epoch in (1, 12)]
    figure = curves.drawn(history)
    figure.canvas.draw()
    shown: Any = figure.axes
    tops = [axes._left_title.get_window_extent().extents for axes in shown]
    for left, right in itertools.pairwise(tops):
        assert left[2] <= right[0] or right[1] < left[1]
    assert all(left >= 0 and right <= figure.bbox.width for left, _, right, _ in tops)


def test_the_history_that_a_training_writes_can_be_drawn(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    inputs, targets = np.ones((8, 2)), np.ones((8, 1))
    history = History(str(tmp_path / "history.jsonl"))
    model.fit(inputs, targets, epochs=3, validation_data=(inputs, targets), callbacks=[history], verbose=0)
    read = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [len(lines(axes)) for axes in panels(read).values()] == [2, 2]
    assert list(panels(read)) == ["loss", "mae"]


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ([], "has no epochs"),
        ([{"epoch": 1, "steps": 3, "seconds": 2.0, "validation_examples": 4}], "has no finite value of a metric"),
        ([{"epoch": 1, "loss": float("nan"), "validation_loss": None}], "has no finite value of a metric"),
    ],
)
def test_a_history_with_nothing_to_show_is_refused(history: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        curves.curves(history, str(tmp_path / "curves.png"))
    assert str(refused.value) == f"curves: the history {reason}; the lines of a run's history.jsonl are wanted."
    assert not list(tmp_path.iterdir())


# TensorBoard.


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[pictures.Picture]:
    values = np.random.default_rng(0).normal(size=(9, 3))
    return pictures.write(str(tmp_path_factory.mktemp("pictures")), [Table("day", values)], FLIGHTS)


def test_tensorboard_reads_the_same_bytes(drawn: list[pictures.Picture], tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "pictures"
    pictures.to_tensorboard(str(folder), drawn, 605)
    (file,) = folder.iterdir()
    read = event_accumulator.EventAccumulator(str(file))
    read.Reload()
    assert read.Tags()["tensors"] == ["pictures/day.plane", "pictures/curves"]
    for path, tag in zip(drawn, read.Tags()["tensors"], strict=True):
        (event,) = read.Tensors(tag)
        width, height, content = event.tensor_proto.string_val
        assert event.step == 605
        assert content == Path(path).read_bytes()
        assert (int(width), int(height)) == struct.unpack(">II", content[16:24])
        described = read.SummaryMetadata(tag)
        assert described.plugin_data.plugin_name == metadata.PLUGIN_NAME
        assert described.summary_description == (
            f"Drawn from what the run left, and the same as its file `{Path(path).name}`."
        )


@pytest.mark.filterwarnings("ignore:html5lib:DeprecationWarning")
def test_the_images_tab_serves_the_pictures(drawn: list[pictures.Picture], tmp_path: Path) -> None:
    from tensorboard.plugins.image import images_plugin  # warns while it is imported

    for step in (5, 10):
        pictures.to_tensorboard(str(tmp_path / "run"), drawn, step)
    assert len(list((tmp_path / "run").iterdir())) == 2
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path))
    plugin = images_plugin.ImagesPlugin(base_plugin.TBContext(data_provider=provider))
    request = context.RequestContext()
    assert plugin._index_impl(request, "")["run"].keys() == {"pictures/day.plane", "pictures/curves"}
    found = plugin._image_response_for_run(request, "", "run", "pictures/curves", 0)
    assert [image["step"] for image in found] == [5, 10]
    (query,) = {image["query"] for image in found[:1]}
    blob_key = query.removeprefix("blob_key=")
    assert plugin._get_generic_data_individual_image(request, blob_key) == Path(drawn[-1]).read_bytes()


def test_pictures_and_their_event_file_can_be_remote() -> None:
    """TensorFlow's file system in memory stands for a bucket."""
    found = [picture.path for picture in pictures.write("ram://run/pictures", [Table("day", np.eye(4))], FLIGHTS)]
    assert found == ["ram://run/pictures/day.plane.png", "ram://run/pictures/curves.png"]
    pictures.to_tensorboard("ram://run/logs", found, 5)
    (name,) = paths.names_in("ram://run/logs")
    written = paths.read_bytes(f"ram://run/logs/{name}")
    assert all(paths.read_bytes(path) in written for path in found)


def test_without_pictures_nothing_is_written(tmp_path: Path) -> None:
    pictures.to_tensorboard(str(tmp_path / "logs"), [], 1)
    assert not list(tmp_path.iterdir())


def test_what_is_no_picture_is_refused_before_anything_is_written(
    drawn: list[pictures.Picture], tmp_path: Path
) -> None:
    other = tmp_path / "a.png"
    other.write_bytes(b"GIF89a")
    with pytest.raises(Refusal) as refused:
        pictures.to_tensorboard(str(tmp_path / "logs"), [*drawn, str(other)], 1)
    assert str(refused.value) == f"pictures: {other} is no PNG image; give the files that pictures.write returns."
    assert not (tmp_path / "logs").exists()
