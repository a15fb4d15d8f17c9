"""The notebooks run from their first cell to their last, and what they were committed with shows no machine.

`python -m tests.test_notebooks DATA_DIR` runs them and writes their outputs anew, for a commit; after it may stand the
beginnings of the names of those that are wanted, as in `… DATA_DIR 2 3`.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE_PATH = re.compile(r"(?<![\w.\])}/])/(?!gcs/)[\w.-]+/[\w./-]+|\b[A-Z]:\\")


def executed(notebook: Path, data_dir: str, folder: Path) -> Any:
    """Runs a notebook on the code of this checkout, in a folder of its own, and returns it with its outputs."""
    write_kernel_spec(folder / "jupyter" / "kernels" / "python3")  # this Python, whatever else is installed
    own = {
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(ROOT),
        "TFDS_DATA_DIR": data_dir,
    }
    (folder / "notebooks").mkdir()
    content = nbformat.read(notebook, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        client = nbclient.NotebookClient(
            content,
            timeout=600,
            kernel_name="python3",
            coalesce_streams=True,
            record_timing=False,
            resources={"metadata": {"path": str(folder / "notebooks")}},
        )
        return client.execute()


def texts(notebook: Any) -> Iterator[str]:
    """Every text that the cells of a notebook have put out."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown = {"text": output.get("text", ""), **output.get("data", {})}
            yield from (str(text) for kind, text in shown.items() if not kind.startswith("image/"))


def printed(notebook: Any) -> str:
    return "\n".join(texts(notebook))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_committed_with_its_outputs_small_and_without_paths_of_a_machine(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell.outputs if output.output_type == "error"] == []
    assert MACHINE_PATH.findall(printed(notebook) + json.dumps(notebook.metadata)) == []
    assert file.stat().st_size < 300_000


@pytest.mark.parametrize("text", ["runs in /home/me/runs/jfk", "/tmp/x/", "'/private/var/run'", r"in C:\Users"])
def test_a_path_of_a_machine_is_recognized(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text", ["../runs/notebook/jfk", "epoch 1/4", "9,000 examples/s", "https://a.org/b/c", "1/2/3"]
)
def test_other_slashes_are_no_path_of_a_machine(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def pictures(notebook: Any) -> int:
    """How many pictures the cells of a notebook have put out."""
    return sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))


def test_all_notebooks_begin_with_the_same_cell_which_installs_and_names_the_restart() -> None:
    firsts = set()
    for file in NOTEBOOKS:
        title, first, *_ = nbformat.read(file, as_version=4).cells
        assert re.match(r"# \w", title.source)
        firsts.add(first.source)
    (first,) = firsts
    assert '"embedding-columns[notebooks]"' in first
    assert "Runtime > Restart session" in first


def test_all_notebooks_end_with_two_or_three_things_to_try() -> None:
    for file in NOTEBOOKS:
        last = nbformat.read(file, as_version=4).cells[-1].source
        assert last.startswith("## Try\n")
        assert len(re.findall(r"^\d\. ", last, re.MULTILINE)) in (2, 3)


def test_the_page_of_the_notebooks_lists_them_all() -> None:
    page = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[\w+\]\((\w+\.ipynb)\) \|", page, re.MULTILINE) == [file.name for file in NOTEBOOKS]


def what_was_learned_of_the_week_and_what_rows_cost(notebook: Any) -> None:
    shown = printed(notebook)
    assert "the same rows: True" in shown
    assert "measured: 688,128 bytes and 32,768 bytes" in shown
    costs = re.findall(r"^ +168 keys +(\S+) +(\S+) bytes +(\S+) multiplications +(\S+) w", shown, re.MULTILINE)
    assert costs == [("one-hot", "688,128", "5,505,024", "5,376"), ("embedding", "32,768", "262,144", "1,600")]
    assert re.search(r"^\(168, 8\) \['Mon 00', 'Mon 01', 'Mon 02'\] \[ *0 +0 +0 +0 +0 ", shown, re.MULTILINE)
    share, follows = re.findall(r"first direction: (\d+)% .* r = (\S+)$", shown, re.MULTILINE)[0]
    assert int(share) > 60
    assert float(follows) > 0.7
    near, far = (cosine_of(pair, shown) for pair in ("Fri 17 and Fri 18", "Fri 17 and Fri 06"))
    assert near > far + 0.5
    following, anything = map(float, re.findall(r"each other (\S+), of any two (\S+)", shown)[0])
    assert following > anything + 0.3
    (friday,) = re.findall(r"^Fri 17 \[(.+)\]$", shown, re.MULTILINE)
    hours = [int(hour) for hour in re.findall(r"'\w{3} (\d\d)'", friday)]
    assert len(hours) == 8
    assert sum(hour >= 12 for hour in hours) >= 6
    assert pictures(notebook) == 3


def cosine_of(pair: str, shown: str) -> float:
    return float(re.findall(rf"^{pair}: cosine +(\S+),", shown, re.MULTILINE)[0])


def a_table_is_worth_most_where_least_is_known(notebook: Any) -> None:
    shown = printed(notebook)
    assert "planted data, not real" in shown
    assert "data: made up" in shown
    found = re.findall(r"^ ?(\d+) days known: error (\S+) carried, (\S+) from scratch$", shown, re.MULTILINE)
    assert [days for days, _, _ in found] == ["1", "7", "28"]
    saved = [1 - float(carried) / float(scratch) for _, carried, scratch in found]
    assert saved[0] > 0.15
    assert saved[0] > saved[1] > saved[2] > 0
    assert '"matched": 168,' in shown
    assert "frozen, equal bit for bit: True" in shown
    assert "trained on, equal bit for bit: False" in shown
    rows = re.findall(r"^(\w{3} 08) +(\S+) London's row: +(\S+)$", shown, re.MULTILINE)
    assert [key for key, _, _ in rows] == ["Sun 08", "Mon 08"]
    assert [here for _, here, _ in rows] == [there for _, _, there in rows]
    assert float(rows[1][1]) > float(rows[0][1]) + 1
    assert re.search(r"^Bank holiday 08 +\S+ new, starts at random$", shown, re.MULTILINE)
    assert pictures(notebook) == 2


def the_bend_of_the_curve_is_beside_the_rule(notebook: Any) -> None:
    shown = printed(notebook)
    assert "made-up data: 800 people, 100 for validation, 300 movies" in shown
    assert "fourth root of 300 is 4.16: the rule says 5" in shown
    lines = r"^dimension +(\d+): recall@20 (\S+), same taste +(\d+)%, +(\S+) bytes, +(\S+) multiplications"
    found = re.findall(lines, shown, re.MULTILINE)
    recall = {int(dimension): float(value) for dimension, value, *_ in found}
    same = {int(dimension): int(share) for dimension, _, share, *_ in found}
    assert list(recall) == [1, 2, 3, 5, 8, 16, 64]
    assert recall[1] < recall[2] < recall[3] < recall[5] < recall[8]
    assert recall[5] > 0.85 * max(recall.values())  # where the rule is, most is reached
    assert recall[64] - recall[8] < 0.05  # and from there on it is flat
    assert same[1] < 50 < same[2] < same[8]
    assert same[8] > 95 > same[64]
    assert found[3][3:] == ("6,000", "1,500")
    often, seldom = re.findall(r"^dimension 64: .* +(\d+)% near .* often, +(\d+)% near", shown, re.MULTILINE)[0]
    assert int(often) > int(seldom) + 10
    assert pictures(notebook) == 4


def a_model_that_has_moved_is_as_good_and_has_equal_ids(notebook: Any) -> None:
    shown = printed(notebook)
    (poor,) = re.findall(r"^made-up data: .* (\d+)% earn more$", shown, re.MULTILINE)
    (old,) = re.findall(r"^tf.feature_column and Keras 2\.\S+: accuracy (\S+)$", shown, re.MULTILINE)
    (new,) = re.findall(r"^trainer.feature_column and Keras 3\.\S+: accuracy (\S+) ", shown, re.MULTILINE)
    assert min(float(old), float(new)) > 1 - int(poor) / 100 + 0.1
    assert float(new) == pytest.approx(float(old), abs=0.02)
    assert "8 of 8 columns equal on 2,000 rows." in shown
    assert "3 of 4 columns equal on 200 rows." in shown
    assert re.search(
        r"^one-hots \(256, 217\): 222,208 bytes, 98\..% zeros, 55,552 multiplications$", shown, re.MULTILINE
    )
    assert "the same sums: True" in shown
    assert "education_X_occupation: 72 keys share 50 of 100 buckets" in shown
    assert "72 rows: ['School Driver', 'School Cook'] …" in shown
    (order,) = re.findall(r"correlation with their order (\S+)$", shown, re.MULTILINE)
    assert float(order) > 0.9
    assert "128 flights, logits of the Estimator and of the new model: equal to a millionth: True" in shown
    (losses,) = re.findall(r"^loss where the Estimator stopped: (\S+), after training on: (\S+)$", shown, re.MULTILINE)
    stopped, went_on = map(float, losses)
    assert went_on < stopped - 0.02
    assert pictures(notebook) == 1


def evenings_are_found_by_every_way_of_looking(notebook: Any) -> None:
    shown = printed(notebook)
    files = set(re.findall(r" bytes  (\S+)$", shown, re.MULTILINE))
    assert {"projector_config.pbtxt", "day_hour.metadata.tsv", "day_hour.views.json", "tensors.index"} <= files
    assert "\nlabel\tday\thour\tcount\nMon 00\tMon\t0\t0\n" in shown
    assert "168 hours, of which 133 had flights" in shown
    like, unlike = (re.findall(rf"^{how} Fri 17: +(.+)$", shown, re.MULTILINE)[0] for how in ("like", "unlike"))
    assert mean_hour(like) > 15
    assert mean_hour(unlike) < 13
    assert "'Tue 18', 'Wed 06'] is Wed 06" in shown
    beside, moved = (int(hour) for hour in re.findall(r"mean hour (\d+)$", shown, re.MULTILINE))
    assert moved > beside + 4
    groups, apart = re.findall(r"^(\d+) groups, silhouette (\S+):", shown, re.MULTILINE)[0]
    assert int(groups) >= 2
    assert float(apart) > 0.3
    assert re.findall(r"^week\.(\w+) .* read back the same: (\w+)$", shown, re.MULTILINE) == [
        ("txt", "True"),
        ("bin", "True"),
        ("parquet", "True"),
    ]
    assert re.search(r"^0168 8\nMon_00 ", shown, re.MULTILINE)
    assert pictures(notebook) == 3


def mean_hour(keys: str) -> float:
    hours = [int(hour) for hour in re.findall(r"\w{3} (\d\d) \(", keys)]
    return sum(hours) / len(hours)


CLAIMS: dict[str, Callable[[Any], None]] = {
    "1_day_and_hour": what_was_learned_of_the_week_and_what_rows_cost,
    "2_london_to_washington": a_table_is_worth_most_where_least_is_known,
    "3_movies_on_a_line_on_a_plane": the_bend_of_the_curve_is_beside_the_rule,
    "4_from_feature_columns": a_model_that_has_moved_is_as_good_and_has_equal_ids,
    "5_looking": evenings_are_found_by_every_way_of_looking,
}
"""What each notebook says, read in what its cells have put out."""


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_what_a_notebook_was_committed_with_bears_out_what_it_says(file: Path) -> None:
    CLAIMS[file.stem](nbformat.read(file, as_version=4))


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_bears_out_what_it_says(file: Path, nyc_flights_dir: str, tmp_path: Path) -> None:
    CLAIMS[file.stem](executed(file, nyc_flights_dir, tmp_path))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_that_has_put_out_nothing_bears_out_nothing(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        cell.outputs = []
    with pytest.raises((AssertionError, ValueError, IndexError)):
        CLAIMS[file.stem](notebook)


def main(data_dir: str, *beginnings: str) -> None:
    """Runs notebooks and writes them back with their outputs, without the paths of this machine."""
    places = os.path.abspath(data_dir)
    for file in (file for file in NOTEBOOKS if file.name.startswith(beginnings or "")):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder).resolve()
            text = nbformat.writes(executed(file, places, work))
        text = text.replace(str(work), "..").replace(places, "../data")
        file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
