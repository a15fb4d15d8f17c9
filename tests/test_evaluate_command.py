"""`python -m trainer evaluate` as a person meets it."""

import json
from pathlib import Path

import pytest

from tests import served, trips
from trainer.__main__ import main
from trainer.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    file = trips.write(folder / "trips.csv", trips.rows(2000))
    return served.trained(folder, served.TRIPS, file)


def test_a_run_is_judged_on_its_own_test_rows(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--by", "hour", "--least-rows", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    left = Run(str(run)).read_json("metrics.json")
    shown = "  ".join(f"{name} {left[name]:.4f}" for name in ("loss", "auc", "accuracy"))
    assert lines[0] == f"{left['data']}  {left['examples']:,} rows  {shown}"
    assert lines[2].split() == ["hour", "rows", "loss", "auc", "accuracy"]
    losses = [float(line.split()[2]) for line in lines[3:23]]
    assert losses == sorted(losses, reverse=True)
    assert any(line.split() == ["predicted", "observed", "±", "rows"] for line in lines)
    assert lines[-2:] == [str(run / "evaluation" / name) for name in ("evaluation.json", "calibration.png")]
    found = json.loads((run / "evaluation" / "evaluation.json").read_text())
    assert {name: found[name] for name in ("loss", "auc")} == pytest.approx({n: left[n] for n in ("loss", "auc")})


def test_files_are_judged_and_told_where_one_says(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = trips.write(tmp_path / "new.parquet", trips.rows(100, seed=4)), tmp_path / "found.json"
    assert main(["evaluate", str(run), "--files", file, "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith(f"{file}  100 rows  loss ")
    assert json.loads(out.read_text())["examples"] == 100
    assert (tmp_path / "found.calibration.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "python -m trainer evaluate: one run is wanted, not 0; see --help."),
        (["runs/none"], "there is no run runs/none; give a job dir that a run has left."),
        (["runs/none", "--out", "a.txt"], "--out: a.txt should end in .json; give it a name that does."),
        (["runs/none", "--picture", "a.jpg"], "--picture: a.jpg should end in .png; give it a name that does."),
        (["runs/none", "--least-rows", "0"], "--least-rows: a whole number of at least 1 is wanted, not '0'."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *words]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


def test_an_unknown_feature_is_told_with_the_nearest(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--by", "hours"]) == 2
    assert capsys.readouterr().err.endswith("there is no column 'hours'; did you mean 'hour'?\n")
