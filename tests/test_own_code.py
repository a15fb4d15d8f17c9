from pathlib import Path

import pytest

from trainer.errors import Refusal
from trainer.own_code import module_of


def test_a_file_is_loaded_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("ANSWER = 42\n")
    assert module_of(str(tmp_path / "mine.py"), "--problem", "a file").ANSWER == 42
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_file_that_is_not_there_or_no_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        module_of("no.py", "--problem", "the path of a Python file")
    assert str(refusal.value) == "--problem: there is no file no.py; give the path of a Python file."
    text = tmp_path / "mine.txt"
    text.write_text("ANSWER = 42\n")
    with pytest.raises(Refusal) as refusal:
        module_of(str(text), "--problem", "the path of a Python file")
    assert str(refusal.value) == f"--problem: {text} cannot be read as a Python file; its name should end in .py."


def test_a_mistake_in_the_file_is_told_as_python_tells_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(ModuleNotFoundError):
        module_of(str(tmp_path / "mine.py"), "--problem", "a file")
