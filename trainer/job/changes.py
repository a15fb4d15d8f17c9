"""What has changed since a run was started, of its settings, its problem and its data."""

from collections.abc import Mapping
from typing import Any

from trainer import paths
from trainer import settings as flags
from trainer.declared import OF_MODEL, without_start
from trainer.errors import Refusal

_NEVER = (
    (("optimizer", "linear_optimizer"), "what one optimizer has noted is of no use to another"),
    (("dimension",), "the rows of a table are of use to no table of another dimension"),
    (("hidden_units",), "what layers have learned is of no use to layers of other widths"),
)
"""Settings that a run cannot be gone on with where they have changed, and why."""


_FLAGS = {argument: name for name, argument in flags.ARGUMENTS.items()}
"""What a setting is called that the problem calls otherwise."""

_BY_SETTINGS = {
    "dataset": ("dataset", "train_files", "validation_files", "eval_files", "eval_share", "split_by", "data_dir"),
    "validation": ("validation_share", "split_by", "train_files", "dataset"),
    "planted": ("dataset", "train_files", "data_dir", "planted"),
}
"""The settings that change an argument of a problem, and so tell what has changed of it."""

_PLACES = ("data_dir", "train_files", "validation_files", "eval_files")
"""Settings that name a place, in full or from the folder that one is in, as a rehearsal and the task do."""

_NOT_COMPARED = {*flags.RUN_ONLY, "planted"}
"""Which rows stand in for others is told by the digest of the data."""

_MODEL = {*(name for names, _ in _NEVER for name in names), "data", "head", *OF_MODEL}
"""What changes a model, of the names that `changes` returns; "data" stands for its columns."""

LEARNING_RATES = ("learning_rate", "linear_learning_rate", "table_optimizers", "learning_rate_decay")


def changes(stored: Mapping[str, Any], record: Mapping[str, Any], told: Mapping[str, Any], now: Any) -> dict[str, str]:
    """Returns what differs, by name, in words that come after "the run was started with".

    Args:
        stored: Of the run's `settings.json`.
        record: What would be written there now.
        told: Of the run's `problem.json`.
        now: What would be written there.
    """
    found = {}
    before, after = _flat(stored["settings"]), _flat(record["settings"])
    trained, trains = stored.get("trained_with", {}), record["trained_with"]
    effective = {_FLAGS.get(name, name) for name in trained} - {"dataset"}  # these tell what None stood for
    for name, value in after.items():
        if name not in effective | _NOT_COMPARED and _same(name, before.get(name)) != _same(name, value):
            found[name] = _words(name, before.get(name), value)
    digest = stored["data"].get("digest")  # there is none of a model that was trained elsewhere
    has_other_data = digest is not None and digest != record["data"]["digest"]
    # What an argument of the problem changes in it, and what a head has learned from other data, is told by these.
    told_by = set() if not found.keys() & stored["settings"].get("problem_arguments", {}).keys() else {*trained}
    told_by |= {"digest", "head"} if has_other_data else {"digest"}
    for name in (name for name in trained if name not in told_by):
        by_settings = any(setting in found for setting in _BY_SETTINGS.get(name, ()))
        if _plain(trained[name]) != _plain(trains.get(name)) and not by_settings:
            found[_FLAGS.get(name, name)] = _words(_FLAGS.get(name, name), trained[name], trains.get(name))
    has_other_columns = _columns(told) != _columns(now)  # which data that they learn from may have changed too
    if has_other_data or has_other_columns:
        words = ["columns"] * has_other_columns + ["training data"] * has_other_data
        found["data"] = f"other {' or '.join(words)}"
    return found


def check(found: Mapping[str, str], is_allowed: bool) -> None:
    """Refuses what has changed.

    Args:
        found: What `changes` has returned.
        is_allowed: Whether a person goes on all the same.

    Raises:
        Refusal: Something has changed that is not allowed, or cannot be.
    """
    words = joined([*found.values()])
    if found and not is_allowed:
        raise Refusal(
            f"--resume: the run was started with {words}; give the same, go on with --allow-changed, or start anew "
            "with --overwrite."
        )
    for names, why in _NEVER:
        if any(name in found for name in names):
            raise Refusal(
                f"--allow-changed: the run was started with {words}, and {why}; give the same, or start anew with "
                "--overwrite."
            )


def check_model(found: Mapping[str, str]) -> None:
    """Refuses what has changed of a model that was trained elsewhere: its data and how they are read are new anyway.

    Args:
        found: What `changes` has returned.

    Raises:
        Refusal: The columns, the layers or the optimizer are others.
    """
    words = [found[name] for name in found if name in _MODEL]
    if words:
        raise Refusal(
            f"--resume: the run was migrated with {joined(words)}; give the problem as it was, or migrate anew."
        )


def shown(found: Mapping[str, str]) -> str:
    """Returns the line that says with what a run is gone on with all the same."""
    return f"--allow-changed: the run was started with {joined([*found.values()])}"


def of_versions(stored: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Returns a line where TensorFlow or Keras are of another version than those that a run was started with."""
    pairs = {name: (stored.get("versions", {}).get(name), record["versions"][name]) for name in ("tensorflow", "keras")}
    other = [f"{name} {was}, not {now}" for name, (was, now) in pairs.items() if was is not None and was != now]
    return f"the run was started with {joined(other)}; its numbers may differ in the last digits" if other else None


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings with the arguments of the problem among them."""
    others = {name: value for name, value in settings.items() if name != "problem_arguments"}
    return {**settings.get("problem_arguments", {}), **others}


def _same(name: str, value: Any) -> Any:
    """Returns what is equal for settings that say the same."""
    return paths.absolute(value) if name in _PLACES and isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    return [*map(_plain, value)] if isinstance(value, (list, tuple)) else value


def _columns(told: Mapping[str, Any]) -> Any:
    return {name: without_start(told.get(name)) for name in ("dnn_feature_columns", "linear_feature_columns")}


def _words(name: str, was: Any, now: Any) -> str:
    is_long = isinstance(was, Mapping) or isinstance(now, Mapping)
    return f"another {name}" if is_long else f"{name} {_shown(was)}, not {_shown(now)}"


def _shown(value: Any) -> str:
    return repr(tuple(value) if isinstance(value, list) else value)


def joined(words: list[str]) -> str:
    """Returns what `changes` has returned as part of a sentence."""
    return ", and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
