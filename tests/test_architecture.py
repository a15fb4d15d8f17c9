"""What holds the code together, read from the code itself: who imports whom, and how long things are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "trainer"
FILES = sorted(PACKAGE.rglob("*.py"))

# Low to high; rooms on one line may import each other.
ORDER = [
    {"errors", "cluster", "terminal", "html", "flags", "paths", "rates", "rows", "segments", "times"},
    {"own_code", "measures", "registration", "scale", "search", "settings", "walks"},
    {"feature_column"},
    {"heads"},
    {"catalogue", "ink"},
    {"problem", "problems"},
    {"optimizers"},
    {"formats"},
    {"tables"},
    {"warm_start"},
    {"encoding"},
    {"vocabulary"},
    {"layers"},
    {"run", "side_by_side", "declared"},
    {"models"},
    {"migration"},
    {"datasets"},
    {"inputs"},
    {"analysis"},
    {"suggestion"},
    {"training"},
    {"export"},
    {"prediction"},
    {"recommendation"},
    {"vectors"},
    {"pictures"},
    {"projector"},
    {"report"},
    {"baselines"},
    {"job"},
    {"evaluation"},
    {"cloud"},
    {"tuning"},
    {"commands"},
    {"task", "__main__"},
    # The package itself names `build` and `load` and imports them when they are asked for.
    {"__init__"},
]
HEIGHT = {room: height for height, rooms in enumerate(ORDER) for room in rooms}
OLD_KERAS = ("tensorflow.feature_column", "tensorflow.python.feature_column", "tf_keras")


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """The line and the full name of everything that a file imports, at its top or inside a function."""
    own = ("trainer", *file.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(own[: len(own) - node.level]) if node.level else ""
            module = ".".join(filter(None, [above, node.module]))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def room_of_name(name: str) -> str | None:
    """The room that a full name lies in; the package's own names, as `__version__`, lie in none."""
    parts = name.split(".")
    if parts[0] != "trainer" or len(parts) == 1:
        return None
    there = (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists()
    return parts[1] if there else None


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room(file) for file in FILES} - set(HEIGHT) == set()


def test_a_module_imports_only_from_rooms_below_it() -> None:
    upward = [
        f"{place(file, line)} imports {name}"
        for file in FILES
        for line, name in imports(file)
        if (other := room_of_name(name)) and HEIGHT[other] > HEIGHT[room(file)]
    ]
    assert upward == []


def test_only_migration_knows_the_old_feature_columns_and_the_old_keras() -> None:
    known = [f"{place(file, line)} imports {name}" for file, line, name in _imported() if name.startswith(OLD_KERAS)]
    reached = [
        place(file, node.lineno)
        for file in FILES
        if room(file) != "migration"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("tf.feature_column", "tf.compat.v1.feature_column")
    ]
    assert known + reached == []


def test_what_says_what_is_learned_does_without_tensorflow() -> None:
    problems = [f"trainer.problems.{file.stem}" for file in (PACKAGE / "problems").glob("[!_]*.py")]
    names = ["trainer.feature_column", "trainer.heads", "trainer.catalogue", "trainer.problem", "trainer.settings"]
    names += [*sorted(problems), "trainer.task", "trainer.__main__", "trainer.commands.submit", "trainer.commands.plan"]
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'tensorflow', 'keras', 'tf_keras', 'tensorboard'} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{name} imports {heavy}')\n"
    )
    assert problems
    done = subprocess.run([sys.executable, "-c", script, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_an_assert_statement_is_for_tests() -> None:
    found = [
        place(file, node.lineno) for file in FILES for node in ast.walk(tree(file)) if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_no_function_is_longer_than_40_lines_without_its_docstring() -> None:
    lengths = {
        f"{place(file, node.lineno)} {node.name}": _length(node)
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trainer.errors.Refusal", "errors"),
        ("trainer.feature_column", "feature_column"),
        ("trainer.feature_column.column.Column", "feature_column"),
        ("trainer.__version__", None),
        ("trainer", None),
        ("errors", None),
        ("trainers.errors", None),
    ],
)
def test_a_name_is_found_in_its_room(name: str, expected: str | None) -> None:
    assert room_of_name(name) == expected


def test_imports_inside_functions_and_relative_ones_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    file = tmp_path / "cloud" / "local.py"
    file.parent.mkdir()
    file.write_text("import os\nfrom . import vertex\ndef f():\n    from ..job.plan import planned, Plan\n")
    assert list(imports(file)) == [
        (1, "os"),
        (2, "trainer.cloud.vertex"),
        (4, "trainer.job.plan.planned"),
        (4, "trainer.job.plan.Plan"),
    ]


def _imported() -> Iterator[tuple[Path, int, str]]:
    for file in FILES:
        if room(file) != "migration":
            yield from ((file, line, name) for line, name in imports(file))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring
