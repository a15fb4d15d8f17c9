"""Trains a small Estimator by tensorflow 2.15, starts others from it, and keeps what each of them started with.

`python -m tests.estimators.warm_starts FOLDER`, by a Python that has tensorflow 2.15, writes the checkpoint that all
start from, the files of the vocabularies, and `started.json` with the variables that each start began to train.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
OTHER_DAYS = ["Sun", "Holiday", "Mon", "Fri", "Eve"]
CLASSES = ["late", "early", "punctual"]
OTHER_CLASSES = ["punctual", "cancelled", "late", "diverted"]
LISTS = {"days": DAYS, "other_days": OTHER_DAYS, "classes": CLASSES, "other_classes": OTHER_CLASSES}

TABLE = "dnn/input_from_feature_columns/input_layer/day_embedding/embedding_weights"
RENAMED = "dnn/input_from_feature_columns/input_layer/weekday_embedding/embedding_weights"
SHARED = "hours"
WIDE = "linear/linear_model/day/weights"
DEEP_LOGITS, WIDE_LOGITS = "dnn/logits", "linear/linear_model"


def words(backup: Any = None, limit: int = -1) -> dict[str, Any]:
    """The arguments of the VocabInfo of the other days."""
    given = {"new_vocab": "other_days", "new_vocab_size": 5, "num_oov_buckets": 1, "old_vocab": "days"}
    return {**given, "old_vocab_size": limit, "backup_initializer": backup}


def labels(axis: int) -> dict[str, Any]:
    """The arguments of the VocabInfo of the other classes; an initializer is a number here, for a constant."""
    given = {"new_vocab": "other_classes", "new_vocab_size": 4, "num_oov_buckets": 0, "old_vocab": "classes"}
    return {**given, "backup_initializer": 0.25, "axis": axis}


# Each is what the new model is, and the arguments of WarmStartSettings beside the checkpoint; None is its path alone.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "everything": ({}, None),
    "a pattern": ({}, {"vars_to_warm_start": ".*embedding_weights"}),
    "a pattern of the layer": ({}, {"vars_to_warm_start": ".*input_layer/day.*"}),
    "names": ({}, {"vars_to_warm_start": ["dnn/hiddenlayer_0/batchnorm", "hours"]}),
    "vocabularies alone": (
        {"days": OTHER_DAYS, "oov": 1},
        {"vars_to_warm_start": None, "var_name_to_vocab_info": {TABLE: words(), WIDE: words(0.5)}},
    ),
    "some words of old": (
        {"days": OTHER_DAYS, "oov": 1},
        {"vars_to_warm_start": ".*day_embedding.*", "var_name_to_vocab_info": {TABLE: words(-0.5, 4)}},
    ),
    "another name": (
        {"key": "weekday"},
        {"vars_to_warm_start": ".*weekday_embedding.*", "var_name_to_prev_var_name": {RENAMED: TABLE}},
    ),
    "another name and vocabulary": (
        {"key": "weekday", "days": OTHER_DAYS, "oov": 1},
        {
            "vars_to_warm_start": None,
            "var_name_to_vocab_info": {RENAMED: words(0.5)},
            "var_name_to_prev_var_name": {RENAMED: TABLE},
        },
    ),
    "other classes": (
        {"classes": OTHER_CLASSES},
        {
            "vars_to_warm_start": "dnn/(hidden|.*embedding|logits/kernel)",
            "var_name_to_vocab_info": {f"{DEEP_LOGITS}/kernel": labels(1)},
        },
    ),
}


def estimator(
    folder: str, days: Any = DAYS, oov: int = 2, key: str = "day", classes: Any = CLASSES, **more: Any
) -> Any:
    """Returns a wide and deep model of a day and two hours, which share a table."""
    import tensorflow as tf

    fc = tf.feature_column
    day = fc.categorical_column_with_vocabulary_list(key, days, num_oov_buckets=oov)
    leaves, lands = (fc.categorical_column_with_identity(name, 6) for name in ("leaves", "lands"))
    with tf.Graph().as_default():
        hours = fc.shared_embeddings([leaves, lands], 2, shared_embedding_collection_name=SHARED)
    rate, seed = more.pop("rate", 0.0), more.pop("seed", 4)
    return tf.estimator.DNNLinearCombinedClassifier(
        model_dir=folder,
        linear_feature_columns=[day, fc.numeric_column("miles")],
        dnn_feature_columns=[fc.embedding_column(day, 3), *hours],
        dnn_hidden_units=[4],
        n_classes=len(classes),
        batch_norm=True,
        linear_optimizer=tf.keras.optimizers.legacy.Ftrl(rate or 0.1) if rate else tf.keras.optimizers.legacy.SGD(0.0),
        dnn_optimizer=tf.keras.optimizers.legacy.Adagrad(rate),
        config=tf.estimator.RunConfig(tf_random_seed=seed, log_step_count_steps=None),
        **more,
    )


def rows(days: Any, key: str, classes: int) -> Any:
    """Returns an input function of drawn rows."""
    import numpy as np
    import tensorflow as tf

    draw = np.random.default_rng(5)
    count = 64
    features = {key: draw.choice([*days, "Never"], count), "miles": draw.random(count).astype(np.float32)}
    features |= {name: draw.integers(0, 6, count) for name in ("leaves", "lands")}
    label = draw.integers(0, classes, count)
    return lambda: tf.data.Dataset.from_tensor_slices((features, label)).batch(32).repeat()


def settings(folder: Path, arguments: dict[str, Any] | None) -> Any:
    """Returns the arguments of a case as tensorflow's own settings."""
    import tensorflow as tf

    if arguments is None:
        return str(folder)
    arguments = dict(arguments)
    infos = arguments.get("var_name_to_vocab_info")
    if infos:
        arguments["var_name_to_vocab_info"] = {name: vocabulary(folder, **info) for name, info in infos.items()}
    return tf.estimator.WarmStartSettings(str(folder), **arguments)


def vocabulary(folder: Path, backup_initializer: Any = None, **info: Any) -> Any:
    import tensorflow as tf

    files = {name: str(folder / f"{info[name]}.txt") for name in ("new_vocab", "old_vocab")}
    # The shape is a tensor, which tensorflow's own constant_initializer does not take.
    backup = None if backup_initializer is None else lambda shape: tf.fill(shape, backup_initializer)
    return tf.estimator.VocabInfo(**{**info, **files}, backup_initializer=backup)


def started(folder: str) -> dict[str, Any]:
    """Returns the variables of an Estimator before its first step, without those of optimizers."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(f"{folder}/model.ckpt-0")
    names = sorted(reader.get_variable_to_shape_map())
    return {name: reader.get_tensor(name).tolist() for name in names if name.startswith(("dnn", SHARED, "linear"))}


def main(into: str, *cases: str) -> None:
    """Writes all, or some cases."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    folder = Path(into)
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in LISTS.items():
        (folder / f"{name}.txt").write_text("".join(f"{value}\n" for value in values), encoding="utf-8")
    all_started = {}
    with tempfile.TemporaryDirectory() as temporary:
        first = estimator(str(Path(temporary, "first")), rate=0.3, seed=3)
        first.train(rows(DAYS, "day", len(CLASSES)), steps=10)
        copy(first.latest_checkpoint(), folder)
        for number, case in enumerate(cases or CASES):
            model, arguments = CASES[case]
            made = estimator(str(Path(temporary, str(number))), warm_start_from=settings(folder, arguments), **model)
            days, key = model.get("days", DAYS), model.get("key", "day")
            made.train(rows(days, key, len(model.get("classes", CLASSES))), steps=1)
            all_started[case] = started(made.model_dir)
    (folder / "started.json").write_text(json.dumps(all_started), encoding="utf-8")


def copy(checkpoint: str, folder: Path) -> None:
    """Copies a checkpoint without its graph."""
    for file in Path(checkpoint).parent.glob(f"{Path(checkpoint).name}.[di]*"):
        (folder / file.name).write_bytes(file.read_bytes())
    name = Path(checkpoint).name
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{name}"\n', encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
