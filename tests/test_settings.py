import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import settings
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.settings import Settings, from_argv, to_dict


def test_no_flag_at_all_gives_the_defaults() -> None:
    assert from_argv([]) == Settings()
    assert Settings().problem == "flights"
    assert Settings().data_dir == "data"


def test_flags_set_their_settings() -> None:
    argv = ["--problem", "movies", "--train_steps=20", "--no-download", "--freeze", "genre", "--freeze", "title"]
    made = from_argv(argv)
    assert made == Settings(problem="movies", train_steps=20, download=False, freeze=("genre", "title"))


def test_tables_may_be_frozen_for_some_epochs_and_for_one_at_least() -> None:
    assert from_argv(["--freeze", "genre", "--unfreeze-after", "2"]) == Settings(freeze=("genre",), unfreeze_after=2)
    with pytest.raises(Refusal) as refusal:
        from_argv(["--unfreeze-after", "0"])
    assert str(refusal.value) == "--unfreeze-after: a whole number of at least 1 is wanted, not '0'."


def test_a_dimension_is_that_of_a_table() -> None:
    assert from_argv(["--dimension", "movie=2", "--dimension", "user=16"]).dimensions == {"movie": 2, "user": 16}


def test_a_dimension_may_be_left_to_the_rule_of_thumb_and_written_as_a_tuning_service_does() -> None:
    words = ["--dimension.movie_id", "8.0", "--dimension.user=16", "--dimension=day=auto"]
    assert from_argv(words).dimensions == {"movie_id": 8, "user": 16, "day": None}


def test_widths_of_hidden_layers_are_whole_numbers_with_commas() -> None:
    assert from_argv([]).widths is None
    assert from_argv(["--hidden-units", "64, 32"]).widths == (64, 32)
    for text in ("", "64,", "0", "-3", "x", "2.5"):
        with pytest.raises(Refusal) as refusal:
            from_argv([f"--hidden-units={text}"])
        assert str(refusal.value) == f"--hidden-units: widths of at least 1 are wanted, as 64,32, not '{text}'."


@pytest.mark.parametrize("number", ["0", "-2", "1.5", "two", "²", "inf"])
def test_a_dimension_that_is_no_whole_number_is_refused(number: str) -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(["--dimension", f"movie={number}"])
    assert (
        str(refusal.value)
        == f"--dimension: a whole number of at least 1 is wanted for 'movie', or auto, not '{number}'."
    )


def test_a_dimension_without_a_table_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(["--dimension", "2"])
    assert str(refusal.value) == "--dimension: TABLE=N is wanted, not '2'."


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
        unfreeze_after=st.none() | st.integers(1),
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


# The flags of a problem's own


@dataclasses.dataclass(frozen=True)
class MovieFlags:
    input_share: float = flag(0.3, "of the films a person has seen", "X", group="problem movies")
    shuffled: bool = flag(True, "mix them", group="problem movies")


@dataclasses.dataclass(frozen=True)
class WordFlags:
    seed: int = flag(1, "of the words")


def flags_of(name: str) -> type[Any] | None:
    return {"movies": MovieFlags, "words": WordFlags}.get(name)


def chosen(*argv: str) -> Settings:
    return from_argv(argv, flags_of, ["flights", "movies"])


def test_flags_of_a_problem_are_its_arguments_and_all_of_them_are_kept() -> None:
    made = chosen("--input_share", "0.5", "--problem", "movies", "--train-steps", "3")
    assert made.problem_arguments == {"input_share": 0.5, "shuffled": True}
    assert made == Settings(problem="movies", train_steps=3, problem_arguments=made.problem_arguments)
    assert chosen("--problem", "movies").problem_arguments == {"input_share": 0.3, "shuffled": True}
    assert chosen().problem_arguments == {}


def test_a_run_with_arguments_is_repeated_and_flags_come_before_them(tmp_path: Path) -> None:
    first = chosen("--problem", "movies", "--input-share", "0.5", "--no-shuffled", "--seed", "3")
    file = written(tmp_path, first)
    assert chosen("--settings", file) == dataclasses.replace(first, settings=file)
    assert chosen("--settings", file, "--input-share", "0.6").problem_arguments == {
        "input_share": 0.6,
        "shuffled": False,
    }
    assert chosen("--settings", file, "--problem", "flights").problem_arguments == {}


def test_arguments_that_a_problem_has_no_more_are_not_repeated(tmp_path: Path) -> None:
    file = written(tmp_path, Settings(problem="movies", problem_arguments={"input_share": 0.9, "moon": "full"}))
    assert chosen("--settings", file).problem_arguments == {"input_share": 0.9, "shuffled": True}


def test_help_lists_the_flags_of_the_problem_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        chosen("--help", "--problem", "movies")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert end.value.code == 0
    heading = lines.index("problem movies:")
    assert lines[heading + 1] == "--input-share X of the films a person has seen (default 0.3)"
    assert "training:" in lines[:heading]
    with pytest.raises(SystemExit):
        chosen("--help")
    assert "--input-share" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--problem", "movies", "--input-shar", "1"],
            "python -m trainer.task: there is no flag --input-shar; did you mean '--input-share'?",
        ),
        (
            ["--problem", "movies", "--num-epoch", "1"],
            "python -m trainer.task: there is no flag --num-epoch; did you mean '--num-epochs'?",
        ),
        (
            ["--input_share=1"],
            "python -m trainer.task: --input-share is a flag of --problem movies, not of flights; leave it out or give "
            "--problem movies.",
        ),
        (
            ["--no-shuffled"],
            "python -m trainer.task: --no-shuffled is a flag of --problem movies, not of flights; leave it out or give "
            "--problem movies.",
        ),
        (["--problem", "movies", "--input-share", "much"], "--input-share: a number is wanted, not 'much'."),
        (
            ["--problem", "words"],
            "--problem: words has an argument 'seed', and --seed is a flag of the task; give the argument another "
            "name.",
        ),
        (["--problem"], "--problem: expected one argument."),
        (
            ["--problem-arguments", "3"],
            "python -m trainer.task: there is no flag --problem-arguments; did you mean '--problem'?",
        ),
    ],
)
def test_what_no_problem_or_another_takes_is_refused(argv: list[str], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        chosen(*argv)
    assert str(refusal.value) == sentence


# Files in place of a data set


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--dataset", "a", "--train-files", "b.csv"],
            "--dataset and --train-files: give one of them; each says what to train on.",
        ),
        (["--eval-files", "b.csv"], "--eval-files: --train-files is wanted beside it, and it is not given."),
        (
            ["--eval-share", "0.2"],
            "--eval-share: it is of the rows of --train-files, without --eval-files; leave it out.",
        ),
        (
            ["--train-files", "a.csv", "--validation-files", "b.csv", "--validation-share", "0.2"],
            "--validation-share and --validation-files: give one of them; each says what to judge by.",
        ),
        (["--validation-share", "1"], "--validation-share: a share above 0 and below 1 is wanted, not 1."),
        (
            ["--train-files", "a.csv", "--validation-share", "0.5", "--eval-share", "0.5"],
            "--validation-share and --eval-share: together they leave no row to train on; give smaller ones.",
        ),
        (
            ["--max-bad-rows", "few"],
            "--max-bad-rows: a number of rows, as 10, or a share of them, as 1%, is wanted, not 'few'.",
        ),
        (["--cache-memory", "much"], "--cache-memory: a size such as 512MB or 8GB is wanted, not 'much'."),
        (
            ["--validation-files", "b.csv"],
            "--validation-files: --train-files is wanted beside it, and it is not given.",
        ),
    ],
)
def test_files_that_do_not_go_together_are_refused(argv: list[str], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        from_argv(argv)
    assert str(refusal.value) == sentence


def test_other_data_take_the_place_of_those_of_a_run_that_is_repeated(tmp_path: Path) -> None:
    file = written(tmp_path, Settings(train_files="a.csv", eval_files="b.csv"))
    assert from_argv(["--settings", file]).eval_files == "b.csv"
    assert from_argv(["--settings", file, "--dataset", "c"]) == Settings(dataset="c", settings=file)
    files = Settings(train_files="a.csv", validation_files="v.csv", eval_files="b.csv")
    again = ["--settings", written(tmp_path, files), "--train-files", "c.csv"]
    assert from_argv(again) == Settings(train_files="c.csv", settings=file)
    assert from_argv([*again, "--eval-files", "d.csv"]) == Settings(
        train_files="c.csv", eval_files="d.csv", settings=file
    )
    assert from_argv(["--settings", file, "--eval-files", "d.csv"]) == dataclasses.replace(
        files, eval_files="d.csv", settings=file
    )
    file = written(tmp_path, Settings(dataset="c"))
    assert from_argv(["--settings", file, "--train-files", "a.csv"]) == Settings(train_files="a.csv", settings=file)
