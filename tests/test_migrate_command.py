"""`python -m trainer migrate`: what it prints, its exit codes, and what it refuses."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import estimators
from tests.estimators import serving
from trainer import prediction
from trainer.commands import migrate
from trainer.errors import Refusal

PROBLEM = '''"""Which of two kinds a row is."""
import numpy as np

from tests.estimators import serving
from trainer import feature_column as fc
from trainer import heads
from trainer.problem import Problem

wide, deep = serving.declared(fc)


def problem(*, widths: int = 4, is_shown: bool = True, old: str = "") -> Problem:
    return Problem(
        dataset=None,
        linear_feature_columns=wide,
        dnn_feature_columns=deep,
        dnn_hidden_units=[widths],
        label="kind",
        bags={"words": "|", "amounts": "|"},
    )
'''

Migrate = Callable[..., int]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of one small Estimator, and the raw rows that it has answered as CSV."""
    folder = estimators.unpack(tmp_path_factory.mktemp("served"), serving.ARCHIVE)
    raw = {key: values.tolist() for key, values in np.load(folder / "rows.npz").items()}
    del raw["logits"]
    with (folder / "rows.csv").open("w", encoding="utf-8") as file:
        print(*raw, sep=",", file=file)
        for values in zip(*raw.values(), strict=True):
            cells = [
                "|".join(str(each) for each in value if each) if isinstance(value, list) else value for value in values
            ]
            print(*cells, sep=",", file=file)
    return folder


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Runs the verb on a model dir by a problem whose text is changed, from a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(model_dir: Path | str, *words: str, **changes: str) -> int:
        text = PROBLEM
        for was, now in changes.items():
            was = WORDS.get(was, was)
            assert was in text
            text = text.replace(was, now)
        Path("mine.py").write_text(text, encoding="utf-8")
        return migrate.main([str(model_dir), "--problem", "mine.py", *words])

    return run


WORDS = {"columns": "wide, deep = serving.declared(fc)\n", "more": 'label="kind",', "linear": "=wide", "deep": "=deep"}
"""Places of the problem's text."""

OTHER_ORDER = """wide, deep = serving.declared(fc)
day = fc.categorical_column_with_vocabulary_list("day", ["Tue", "Mon", "Wed"], num_oov_buckets=1)
wide, deep = [day, *wide[1:]], [fc.embedding_column(day, 2), *deep[1:]]
"""


def test_an_export_is_migrated_and_held_against_itself(
    served: Path, mine: Migrate, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = str(served / "rows.csv")
    assert mine(served / "parsed", "--check-files", rows, "--widths", "4", "--no-is-shown", "--old", "a b") == 0
    shown = capsys.readouterr().out.splitlines()
    run = str(Path("runs/mine").absolute())
    prefix = served / "parsed" / "variables" / "variables"
    assert shown[:3] == [
        run,
        f"{prefix}, step 20: 11 tensors taken, and none of its optimizers",
        f"held against {served / 'parsed'}, step 20",
    ]
    assert re.fullmatch(r"60 rows: logits equal to [\d.e-]+\.", shown[4])
    assert shown[6] == "median  99 %     largest  rows over 1e-05"
    words = "words_weighted_by_amounts"
    columns = {"day", "miles", words, "day_embedding", "hour_embedding", f"{words}_embedding"}
    assert {line.split()[0] for line in shown[10:16]} == columns
    assert re.fullmatch(
        rf"in \d+\.\d s; python -m trainer.task --problem mine.py --no-is-shown --old 'a b' --train-files FILES "
        rf"--resume --job-dir {run} trains it on",
        shown[-2],
    )
    assert shown[-1] == run
    told = json.loads(Path(run, "metrics.json").read_text())
    assert (told["steps"], told["check_rows"]) == (0, 60)
    assert told["check_largest_difference"] < 1e-5
    stored = json.loads(Path(run, "settings.json").read_text())
    assert stored["command"].startswith(f"python -m trainer migrate {served / 'parsed'} --problem mine.py")


def test_a_vocabulary_in_another_order_is_blamed_on_its_columns_and_exits_1(
    served: Path, mine: Migrate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mine(served / "parsed", "--check-files", str(served / "rows.csv"), columns=OTHER_ORDER) == 1
    shown = capsys.readouterr().out
    line = (
        r"60 rows: logits differ by up to [\d.]+, in 19 rows by more than 1e-05; to blame: columns day_embedding, day\."
    )
    assert re.fullmatch(line, shown.splitlines()[4])
    assert shown.splitlines()[-1] == str(Path("runs/mine").absolute())  # the run is there to be looked at
    assert prediction.load("runs/mine").predict({"day": ["Mon"], **ONE})["logits"].shape == (1, 1)


def test_a_model_dir_without_an_export_is_migrated_and_the_export_may_be_elsewhere(
    served: Path, mine: Migrate, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = served / "parsed" / "variables" / "variables"
    assert mine(prefix, "--check-files", str(served / "rows.csv")) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        f"there is no export under {prefix}, so there is nothing to hold the rows of --check-files against; give "
        "--export-dir"
    )
    words = ["--export-dir", str(served / "padded"), "--overwrite", "--job-dir", "runs/mine", "--tolerance", "1e-30"]
    assert mine(prefix, "--check-files", str(served / "rows.csv"), *words) == 1
    assert f"held against {served / 'padded'}, step 20\n" in capsys.readouterr().out


ONE = {"hour": [3], "miles": [2.0], "words": [["u", "w"]], "amounts": [[1.0, 0.5]]}


# What is refused


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as found:
        call()
    assert not Path("runs").exists()  # nothing is left
    return str(found.value)


def test_what_is_left_over_on_either_side_is_listed(served: Path, mine: Migrate) -> None:
    model = served / "parsed"
    words = "words_weighted_by_amounts"
    hour = 'fc.categorical_column_with_identity("hour", 24)'
    bags = 'bags={"words": "|", "amounts": "|"},'
    changes = {"linear": f"=[wide[0], wide[1], {hour}]", "deep": "=deep[:2]", bags: ""}
    inputs = "dnn/input_from_feature_columns/input_layer"
    assert refused(lambda: mine(model, **changes)) == (
        f"migrate: the model and the checkpoint {model}/variables/variables do not fit: in the model alone are linear "
        f"weights of 'hour' (24 by 1), wanted as 'linear/linear_model/hour/weights'; in the checkpoint alone are "
        f"'{inputs}/{words}_embedding/embedding_weights' (3 by 2), 'linear/linear_model/{words}/weights' (3 by 1); of "
        "other shapes are kernel of hidden_0 is 5 by 4 and 'dnn/hiddenlayer_0/kernel' 7 by 4; declare the columns and "
        "layers as the Estimator had them."
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            "tower=lambda inputs: inputs",
            "has tower=, which no canned Estimator has; declare columns and hidden layers as the Estimator had them.",
        ),
        (
            "head=heads.PoissonRegressionHead()",
            "has a PoissonRegressionHead, and canned Estimators tell classes or numbers; give it one of BinaryHead, "
            "MultiClassHead, RegressionHead.",
        ),
        (
            "head=heads.RegressionHead(log=True)",
            "has a RegressionHead that takes its mean and scale from data; give those that the Estimator had: mean=0.0 "
            "and scale=1.0 where it was trained on logarithms.",
        ),
        (
            "batch_norm=True",
            "normalizes before the activation, and canned Estimators after it; give batch_norm='after_activation' and "
            "batch_norm_momentum=0.999.",
        ),
    ],
)
def test_a_problem_that_no_canned_estimator_had_is_refused(
    more: str, sentence: str, served: Path, mine: Migrate
) -> None:
    found = refused(lambda: mine(served / "parsed", more=f'label="kind", {more},'))
    assert found == f"migrate: problem mine {sentence}"


def test_columns_that_learn_from_data_are_refused(served: Path, mine: Migrate) -> None:
    own = 'fc.categorical_column_with_vocabulary_list("day", fc.from_data())'
    assert refused(lambda: mine(served / "parsed", linear=f"=[{own}]")) == (
        "migrate: column 'day' takes its vocabulary or boundaries from data; declare those that the Estimator had."
    )


def test_folders_that_hold_no_checkpoint_of_an_estimator_are_refused(
    served: Path, mine: Migrate, tmp_path: Path
) -> None:
    assert refused(lambda: mine("nowhere")) == (
        "migrate: nowhere holds no checkpoint; give the model_dir that the Estimator was trained in, or the prefix of "
        "one of its checkpoints."
    )
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    prefix = tf.train.Checkpoint(layer=layer).save(str(tmp_path / "of_keras" / "model"))
    assert refused(lambda: mine("of_keras")) == (
        f"migrate: the checkpoint {prefix} is one of Keras, and an Estimator's has its variables by name; give it to "
        "from_keras2."
    )
    shutil.copytree(served / "parsed", "half")
    index = tmp_path / "half" / "variables" / "variables.index"
    index.write_bytes(index.read_bytes()[:100])
    assert refused(lambda: mine("half")) == (
        f"migrate: the checkpoint {index.with_suffix('')} is damaged: it cannot be opened; copy all its files."
    )
    shutil.copytree(served / "parsed", "torn")
    data = tmp_path / "torn" / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(bytes(data.stat().st_size))
    table = "dnn/input_from_feature_columns/input_layer/day_embedding/embedding_weights"
    assert refused(lambda: mine("torn")) == (
        f"migrate: the checkpoint {index.with_suffix('')} is damaged: '{table}' cannot be read; copy all its files."
    ).replace("half", "torn")


def test_words_that_are_wanted_or_not_known_are_refused(served: Path, mine: Migrate) -> None:
    assert refused(lambda: migrate.main([])) == (
        "python -m trainer migrate: one model dir is wanted, not 0; see --help."
    )
    assert refused(lambda: migrate.main([str(served)])) == (
        "python -m trainer migrate: --problem is wanted, and it is not given; see --help."
    )
    assert refused(lambda: mine(served, "--width", "3")) == (
        "python -m trainer migrate: there is no flag --width; did you mean '--widths'?"
    )


def test_rows_and_exports_that_cannot_be_used_are_refused(served: Path, mine: Migrate, tmp_path: Path) -> None:
    assert refused(lambda: mine(served / "parsed", "--check-files", "none.csv")) == (
        "--check-files: no file matches none.csv; near it there are mine.py."
    )
    Path("one.csv").write_text("day,hour\nMon,3\n")
    assert refused(lambda: mine(served / "parsed", "--check-files", "one.csv")) == (
        "one.csv: there is no column 'amounts'; it has day, hour."
    )
    assert refused(lambda: mine(served / "parsed", "--export-dir", str(served / "padded"))) == (
        "python -m trainer migrate: --export-dir is held against the rows of --check-files; give these too."
    )


def test_a_job_dir_that_holds_a_run_or_the_old_model_is_refused(served: Path, mine: Migrate, tmp_path: Path) -> None:
    shutil.copytree(served / "parsed", "taken/old")
    Path("taken/settings.json").write_text("{}")
    assert refused(lambda: mine(served / "parsed", "--job-dir", "taken")) == (
        f"--job-dir: {tmp_path / 'taken'} holds a run; add --overwrite to replace it, or give another."
    )
    sentence = (
        f"--job-dir: {tmp_path / 'taken' / 'old'} lies in {tmp_path / 'taken'}, where the run is left; give another "
        "folder."
    )
    assert refused(lambda: mine("taken/old", "--job-dir", "taken", "--overwrite")) == sentence
    words = ["--check-files", str(served / "rows.csv"), "--export-dir", "taken/old"]
    assert refused(lambda: mine(served / "parsed", "--job-dir", "taken", "--overwrite", *words)) == sentence
