"""What encoded examples are made of: told apart where they could differ, and not at all where nothing tells that."""

import dataclasses
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import planted, trips
from trainer import feature_column as fc
from trainer import models
from trainer.heads import RegressionHead
from trainer.inputs.examples import Source
from trainer.job.identity import digest
from trainer.job.plan import with_settings
from trainer.job.reading import dtypes_of
from trainer.problem import CsvFormat, EveryNthBlock, Problem, Share, TextFormat
from trainer.problems import bikes
from trainer.settings import Settings


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return trips.write(tmp_path_factory.mktemp("data") / "trips.csv", trips.rows(5))


def told(file: str, problem: Problem = trips.PROBLEM, **settings: Any) -> str | None:
    changed = with_settings(problem, Settings(train_files=file, **settings))
    return digest(changed, Source(changed, dtypes_of(changed), ""))


def of_function(file: str, function: Any) -> str | None:
    return told(file, dataclasses.replace(trips.PROBLEM, from_rows=function))


def of_text(file: str, text: str, name: str = "mine") -> str | None:
    """What is told of the function `from_rows` of a Python file with a text."""
    made = ModuleType(name)
    exec(compile(text, f"/somewhere/{name}.py", "exec"), vars(made))
    return of_function(file, made.from_rows)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 7},
        {"num_epochs": 9},
        {"train_steps": 3},
        {"train_batch_size": 8},
        {"eval_batch_size": 8},
        {"learning_rate": 0.5},
        {"optimizer": "SGD"},
        {"max_bad_rows": "3"},
        {"cache_memory": "0"},
        {"eval_share": 0.1},
    ],
)
def test_settings_that_change_no_encoded_example_change_nothing(file: str, changes: dict[str, Any]) -> None:
    first = told(file)
    assert first is not None
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert told(file, **changes) == first


def test_a_file_is_the_same_whatever_it_is_called_from(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(file).parent)
    Path("link.csv").symlink_to("trips.csv")
    assert told("trips.csv") == told("*s.csv") == told("link.csv") == told(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"eval_share": 0.2},
        {"validation_share": 0.2},
        {"split_by": "city"},
        {"split_seed": 1},
    ],
)
def test_other_sides_are_told_apart(file: str, changes: dict[str, Any]) -> None:
    assert told(file, **changes) not in (None, told(file))


def test_files_are_told_apart_by_their_content_and_by_their_time(file: str, tmp_path: Path) -> None:
    copy = tmp_path / "trips.csv"
    text = Path(file).read_bytes().decode()
    copy.write_text(text, newline="")
    first = told(str(copy))
    assert first != told(file)  # another file
    time = copy.stat()
    copy.write_text(text.replace("Bern", "Basl").replace("Oslo", "Olso"), newline="")
    os.utime(copy, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert copy.stat().st_size == time.st_size
    assert told(str(copy)) != first
    copy.write_text(text, newline="")
    os.utime(copy, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert told(str(copy)) == first
    os.utime(copy)
    assert told(str(copy)) != first
    assert told(str(copy), eval_files=file) != told(str(copy), validation_files=file)


FEWER = trips.PROBLEM.dnn_feature_columns[1:]
HALF = fc.numeric_column("fare", default_value=0.0, normalizer_fn=lambda dollars: dollars / 20)


@pytest.mark.parametrize(
    "changes",
    [
        {"dnn_feature_columns": FEWER},
        {"dnn_feature_columns": [*trips.PROBLEM.dnn_feature_columns[:-1], HALF]},
        {"label": "hour", "dnn_feature_columns": [trips.fare], "bags": {}},
        {"weight_column": "fare"},
        {"bags": {"tags": ";"}},
        {"head": RegressionHead()},
        {"csv": CsvFormat(delimiter=",")},
        {"texts": TextFormat(characters=100)},
        {"test_share": 0.2},
        {"validation": EveryNthBlock("city", 3)},
        {"validation": Share(0.3)},
        {"from_rows": lambda rows: rows},
    ],
)
def test_other_columns_labels_weights_formats_and_functions_are_told_apart(file: str, changes: dict[str, Any]) -> None:
    assert told(file, dataclasses.replace(trips.PROBLEM, **changes)) not in (None, told(file))


def test_what_is_trained_is_no_part_of_what_is_encoded(file: str) -> None:
    other = dataclasses.replace(trips.PROBLEM, dnn_hidden_units=[9], dnn_optimizer="SGD", name="other", num_epochs=9)
    assert told(file, other) == told(file)
    assert told(file, trips.PROBLEM.resized(Settings(dimension=("tags=7",)))) == told(file)


def test_a_vocabulary_in_a_file_is_told_by_what_is_in_it(file: str, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    found: list[str | None] = []
    for text in ("fast\nloud\n", "loud\nfast\n"):
        words.write_text(text)
        column = fc.categorical_column_with_vocabulary_file("tags", str(words))
        found.append(told(file, dataclasses.replace(trips.PROBLEM, linear_feature_columns=[column])))
    assert None not in found
    assert found[0] != found[1]


# Functions

USES = "def from_rows(rows): return SCALE"
WAYS = {
    "a constant": "def from_rows(rows): return {'a': VALUE}",
    "a global": f"SCALE = VALUE\n{USES}",
    "a default": "def from_rows(rows, scale=VALUE): return scale",
    "a keyword's default": "def from_rows(rows, *, scale=VALUE): return scale",
    "a closure": "def made(scale):\n  def inner(rows): return scale\n  return inner\nfrom_rows = made(VALUE)",
    "another function": "def scaled(): return VALUE\ndef from_rows(rows): return scaled()",
    "an inner function": "def from_rows(rows):\n  def scaled(): return VALUE\n  return scaled()",
    "an inner global": "SCALE = VALUE\ndef from_rows(rows): return [SCALE for row in rows]",
    "a partial": "import functools\ndef f(rows, scale): return scale\nfrom_rows = functools.partial(f, scale=VALUE)",
    "a list": f"SCALE = [1, (VALUE, 3)]\n{USES}",
    "a dictionary": f"SCALE = {{'a': {{'b': VALUE}}}}\n{USES}",
    "a method of a dictionary": f"SCALE = {{'a': VALUE}}.get\n{USES}('a')",
    "a set": f"SCALE = {{VALUE, 9}}\n{USES}",
    "a constant set": "def from_rows(rows): return rows in {VALUE, 9}",
    "an array": f"import numpy as np\nSCALE = np.array([VALUE])\n{USES}",
    "an array of objects": f"import numpy as np\nSCALE = np.array([VALUE, 'a'], object)\n{USES}",
    "a date": f"import datetime\nSCALE = datetime.date(2000, 1, VALUE)\n{USES}",
    "a class's constant": f"class SCALE:\n  value = VALUE\n{USES}.value",
    "a class's function": f"class SCALE:\n  def of(self): return VALUE\n{USES}().of()",
    "a static method": f"class SCALE:\n  @staticmethod\n  def of(): return VALUE\n{USES}.of()",
    "a property": f"class SCALE:\n  @property\n  def of(self): return VALUE\n{USES}().of",
    "a class above": f"class Base:\n  value = VALUE\nclass SCALE(Base): pass\n{USES}.value",
    "a type": f"import numpy as np\nSCALE = [np.float32, np.float64][VALUE - 1]\n{USES}",
    "a function of numpy": f"import numpy as np\nSCALE = [np.log, np.exp][VALUE - 1]\n{USES}(rows)",
    "a function of Python": f"import math\nSCALE = [math.log, math.exp][VALUE - 1]\n{USES}(rows)",
    "a name in a module": "import math\ndef from_rows(rows): return math.NAME(rows)",
    "a dtype": f"import tensorflow as tf\nSCALE = [tf.int32, tf.int64][VALUE - 1]\n{USES}",
    "a frozen dataclass": f"from trainer.rows import Limit\nSCALE = Limit(VALUE)\n{USES}",
}


@pytest.mark.parametrize("way", [*WAYS])
def test_a_function_is_told_by_all_that_it_refers_to(way: str, file: str) -> None:
    first, again, second = (
        of_text(file, WAYS[way].replace("VALUE", value).replace("NAME", {"1": "log", "2": "exp"}[value]))
        for value in "112"
    )
    assert first is not None
    assert first == again
    assert first != second


def test_the_order_of_a_set_is_none_of_a_function(file: str) -> None:
    found = [of_text(file, f"def from_rows(rows): return rows in {text}") for text in ("{0, 8}", "{8, 0}", "{0, 9}")]
    assert found[0] == found[1] != found[2]


def helpers(folder: Path, text: str) -> ModuleType:
    """A module of a person's own that is imported by its name."""
    (folder / "own_helpers.py").write_text(text)
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)  # of another text of this second and size
    specification = importlib.util.spec_from_file_location("own_helpers", folder / "own_helpers.py")
    assert specification is not None
    assert specification.loader is not None
    made = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(made)
    return made


def test_a_module_of_ones_own_is_told_by_what_is_used_of_it(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import own_helpers\ndef from_rows(rows): return own_helpers.scaled(rows)"
    found: list[str | None] = []
    for value in (1, 2, 2):
        own = helpers(tmp_path, f"SCALE = {value}\nUNUSED = {len(found)}\ndef scaled(rows): return SCALE")
        monkeypatch.setitem(sys.modules, "own_helpers", own)
        found.append(of_text(file, text))
    assert None not in found
    assert found[0] != found[1] == found[2]


@pytest.mark.parametrize(
    "text",
    [
        "def from_rows(rows):\n  import own_helpers\n  return own_helpers.SCALE",
        "def from_rows(rows):\n  from own_helpers import SCALE\n  return SCALE",
        "def from_rows(rows):\n  def inner():\n    import own_helpers\n    return own_helpers.SCALE\n  return inner()",
        "class Scale:\n  def __init__(self): self.value = 1\nSCALE = Scale()\ndef from_rows(rows): return SCALE.value",
        "from pathlib import Path\nFILE = Path('a')\ndef from_rows(rows): return FILE.read_text()",
        "import collections\nLAST = collections.deque([1])\ndef from_rows(rows): return LAST",
        "import numpy as np\nDRAW = np.random.default_rng(1)\ndef from_rows(rows): return DRAW.random()",
    ],
)
def test_where_nothing_tells_what_a_function_refers_to_nothing_is_kept(text: str, file: str) -> None:
    assert of_text(file, text) is None


def test_what_is_imported_inside_of_a_function_may_be_a_library(file: str) -> None:
    text = "def from_rows(rows):\n  import json, numpy as np\n  from trainer.errors import Refusal\n  return np.VALUE"
    found = [of_text(file, text.replace("VALUE", name)) for name in ("log", "log", "exp")]
    assert found[0] is not None
    assert found[0] == found[1] != found[2]


def test_a_function_that_calls_itself_or_closes_over_a_library_is_told(file: str) -> None:
    assert of_text(file, "def from_rows(rows): return from_rows(rows[1:]) if rows else 0") is not None
    assert (
        of_text(file, "def made():\n  import numpy as np\n  return lambda rows: np.log(rows)\nfrom_rows = made()")
        is not None
    )


def test_functions_of_the_package_s_problems_are_told_by_their_code(file: str) -> None:
    text = Path(str(bikes.__file__)).read_text(encoding="utf-8")
    changed = text.replace('"month": [moment.month', '"month": [1 + moment.month')
    assert changed != text
    found = [of_text(file, each, bikes.__name__) for each in (text, changed)]
    assert None not in found
    assert found[0] != found[1]


def test_nothing_is_kept_of_a_function_s_data_or_a_model_of_ones_own(file: str) -> None:
    source = Source(planted.PROBLEM, dtypes_of(planted.PROBLEM), "")
    assert digest(planted.PROBLEM, source) is None
    assert told(file, dataclasses.replace(trips.PROBLEM, model=lambda: models.build(trips.PROBLEM))) is None
