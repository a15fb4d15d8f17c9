import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import settings
from trainer.errors import Refusal
from trainer.settings import Settings, from_argv, to_dict


def test_no_flag_at_all_gives_the_defaults() -> None:
    assert from_argv([]) == Settings()
    assert Settings().problem == "flights"
    assert Settings().data_dir == "data"


def test_flags_set_their_settings() -> None:
    argv = ["--problem", "movies", "--train_steps=20", "--no-download", "--freeze", "genre", "--freeze", "title"]
    made = from_argv(argv)
    assert made == Settings(problem="movies", train_steps=20, download=False, freeze=("genre", "title"))


def test_a_warm_start_names_a_table_a_source_and_perhaps_a_tensor() -> None:
    made = from_argv(["--warm-start", "day_hour=runs/jfk", "--warm-start", "word=gs://bucket/a=b#words/table"])
    assert made.warm_starts == {
        "day_hour": ("runs/jfk", None),
        "word": ("gs://bucket/a=b", "words/table"),
    }


@pytest.mark.parametrize("text", ["day_hour", "day_hour=", "=runs/jfk", "=", "day_hour=#tensor"])
def test_half_a_warm_start_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(["--warm-start", text])
    assert str(refusal.value) == (f"--warm-start: TABLE=SOURCE is wanted, as in day_hour=runs/jfk, not '{text}'.")


def test_to_go_on_with_a_run_and_to_replace_it_exclude_each_other() -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(["--resume", "--overwrite"])
    assert str(refusal.value) == (
        "--resume and --overwrite: give one of them; the first keeps the run, the second replaces it."
    )


def test_a_mistyped_flag_is_refused_with_a_suggestion() -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(["--num-epoch", "3"])
    assert str(refusal.value) == "python -m trainer.task: there is no flag --num-epoch; did you mean '--num-epochs'?"


def test_a_run_is_repeated_from_its_settings_and_flags_come_before_them(tmp_path: Path) -> None:
    first = Settings(problem="movies", seed=7, learning_rate=0.5, freeze=("genre",), train_steps=5)
    file = written(tmp_path, first)
    assert from_argv(["--settings", file]) == dataclasses.replace(first, settings=file)
    assert from_argv(["--settings", file, "--seed", "8", "--freeze", "title"]) == dataclasses.replace(
        first, settings=file, seed=8, freeze=("title",)
    )


def test_what_belonged_to_one_run_alone_is_not_repeated(tmp_path: Path) -> None:
    file = written(tmp_path, Settings(job_dir="runs/a", overwrite=True, dry_run=True, baselines=True, settings="b"))
    assert from_argv(["--settings", file]) == Settings(settings=file)


def test_settings_of_another_version_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"settings": {"seed": 3, "moon_phase": "full"}, "versions": {}}))
    assert from_argv(["--settings", str(file)]) == Settings(seed=3, settings=str(file))


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "3", '{"settings": 3}', '{"settings": [1]}', "{"])
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "settings.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Refusal) as refusal:
        from_argv(["--settings", str(file)])
    assert str(refusal.value) == f"--settings: {file} is no settings.json of a run; give the one in a job dir."


@given(
    st.builds(
        Settings,
        problem=st.text(),
        dataset=st.none() | st.text(),
        download=st.booleans(),
        num_epochs=st.none() | st.integers(1),
        learning_rate=st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
        seed=st.integers(0),
        freeze=st.lists(st.text()).map(tuple),
    )
)
def test_json_gives_the_same_settings_back(made: Settings) -> None:
    stored = json.loads(json.dumps(to_dict(made)))
    back: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    assert Settings(**back) == made


def test_each_flag_has_one_line_of_help_and_no_full_stop() -> None:
    for field in dataclasses.fields(Settings):
        text = field.metadata["help"]
        assert text, field.name
        assert "\n" not in text, field.name
        assert not text.endswith("."), field.name


def written(folder: Path, made: Settings) -> str:
    file = folder / "settings.json"
    file.write_text(json.dumps({"settings": settings.to_dict(made)}))
    return str(file)
