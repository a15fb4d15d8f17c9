"""Runs one side of the calls that stand beside each other on the page about moving.

`python -m tests.estimators.page PAGE FOLDER`, by a Python that has tensorflow 2.15, runs the old side:
`answers.json` is what it found, by the pair's title, and `late` the checkpoint of the Estimator that it has trained;
`export.tar.xz` is its SavedModel.
"""

import inspect
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.estimators import pack
from tests.estimators.warm_starts import copy

COMPARED = {
    "`input_fn`": ["late"],
    "Columns": [],
    "`sparse_column_with_keys`": [],
    "`make_parse_example_spec`": ["spec"],
    "`DenseFeatures`": ["values"],
    "`input_layer`": ["values"],
    "`linear_model`": ["logits"],
    "`LinearClassifier`": [],
    "`DNNLinearCombinedClassifier`": [],
    "`train`": [],
    "Bring a trained Estimator over": [],
    "`evaluate`": ["measured"],
    "`predict`": ["logits"],
    "`weight_column`": ["loss"],
    "`label_vocabulary`": ["classes"],
    "`add_metrics`": ["measured"],
    "`export_saved_model`": ["probability"],
    "`WarmStartSettings` and `VocabInfo`": ["table"],
    "`train_and_evaluate`": [],
    "`model_to_estimator`": [],
}
"""The pairs in their order, and the names of what both sides find."""


def blocks(page: str) -> Iterator[tuple[str, str, str, str]]:
    """Yields the title above each block of code, its language, the word after that or "", and the code."""
    title = ""
    for found in re.finditer(r"^(?:#+ ([^\n]+)|```(\w*)(?: (\w+))?\n(.*?)^```)$", page, re.DOTALL | re.MULTILINE):
        if found[1]:
            title = found[1]
        else:
            yield title, found[2], found[3] or "", found[4]


def ran(page: str, side: str) -> dict[str, dict[str, Any]]:
    """Runs one side's Python in the order of the page, as one program, and returns what it has found."""
    names: dict[str, Any] = {}
    answers: dict[str, dict[str, Any]] = {}
    for title, language, word, code in blocks(page):
        if language == "python" and word in (side, "both"):
            exec(compile(code, f"<{title}, {word}>", "exec"), names)
            found = {name: names[name] for name in COMPARED[title] if name in names and name in code}
            answers.setdefault(title, {}).update({name: plain(value) for name, value in found.items()})
    return answers


def plain(value: Any) -> Any:
    """Returns what JSON holds of a value."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, bytes, int, float)):
        return [plain(each) for each in value] if isinstance(value, list) else text(value)
    if isinstance(value, tuple):  # what is parsed of a feature
        return repr(value)
    value = value.numpy() if hasattr(value, "numpy") else value
    return plain(value.tolist())


def text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def main(page: str, into: str) -> None:
    """Runs the old side in a temporary folder, and keeps its answers and its checkpoint."""
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    text, folder = Path(page).read_text(encoding="utf-8"), Path(into).absolute()
    (folder / "late").mkdir(parents=True, exist_ok=True)
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        answers = ran(text, "before")
        copy(tensorflow.train.latest_checkpoint("models/late"), folder / "late")
        shutil.move(next(Path("models/late/export").iterdir()), "export/1700000000")
        pack(Path("export"), folder / "export.tar.xz")
        os.chdir(here)
    estimator = tensorflow.estimator
    words = {made.__name__: parameters(made) for made in (estimator.RunConfig, estimator.TrainSpec, estimator.EvalSpec)}
    (folder / "answers.json").write_text(json.dumps({"found": answers, "words": words}), encoding="utf-8")


def parameters(made: Any) -> list[str]:
    """Returns the names of what a class is made of."""
    return list(inspect.signature(made.__new__ if issubclass(made, tuple) else made).parameters)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
