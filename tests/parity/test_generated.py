"""A battery over every function of `tf.feature_column`: hundreds of generated columns, on generated rows."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf
import tf_keras
from hypothesis import HealthCheck, given, settings

from tests.parity.battery import Battery
from tests.parity.comparing import Sides, check_numbers
from tests.parity.generated import FILE_NUMBERS, VOCABULARY, Case
from tests.parity.rows import Rows, as_examples, formed, forms
from trainer import feature_column as fc
from trainer.feature_column.sequence import is_sequence
from trainer.layers import DenseFeatures, SequenceFeatures

TF = tf.feature_column
FUNCTIONS = sorted(name for name in dir(TF) if callable(getattr(TF, name)))
COLUMNS = [kind for kind in vars(fc).values() if isinstance(kind, type) and issubclass(kind, fc.FeatureColumn)]
KINDS = {kind for kind in COLUMNS if not inspect.isabstract(kind)}
CASES, LEAST = 28, 19
"""Of each function: the cases to draw, and those of them that must differ from each other."""

SHARED, LEAST_SHARED = 12, 10
"""Of shared tables, each of which takes TensorFlow a graph and a session."""

some = settings(derandomize=True, max_examples=CASES, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Battery:
    """The strategies, with vocabulary files to read."""
    folder = tmp_path_factory.mktemp("vocabularies")
    words, records, numbers = (folder / name for name in ("words.txt", "words.tfrecord.gz", "numbers.txt"))
    words.write_text("".join(f"{word}\n" for word in VOCABULARY), encoding="utf-8")
    numbers.write_text("".join(f"{number}\n" for number in FILE_NUMBERS), encoding="utf-8")
    with tf.io.TFRecordWriter(str(records), "GZIP") as writer:
        for word in VOCABULARY:
            writer.write(word.encode())
    return Battery(str(words), str(records), str(numbers))


def compare(case: Case) -> None:
    """Runs both sides in every form of the rows."""
    theirs, ours = case.declared.of(TF), case.declared.of(fc)
    sides = Sides([theirs], [ours])
    for their_form, our_form in forms(case.rows):
        sides.check(formed(case.rows, their_form), formed(case.rows, our_form))


def compare_shared(case: Case) -> None:
    """Runs TensorFlow's side in a graph and a session, without which it shares no table."""
    ours = case.declared.of(fc)
    inside = is_sequence(ours[0])
    layer = (SequenceFeatures if inside else DenseFeatures)(ours)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        theirs = case.declared.of(TF)
        their_layer = (tf_keras.experimental.SequenceFeatures if inside else tf_keras.layers.DenseFeatures)(theirs)
        outputs = [their_layer(formed(case.rows, form)) for form, _ in forms(case.rows)]
        session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
        found, values = session.run([outputs, theirs[0].shared_embedding_column_creator.embedding_weights])
    layer.build()
    (table,) = layer.tables.values()
    table.table.assign(values)
    for their_output, (_, form) in zip(found, forms(case.rows), strict=True):
        check_numbers(their_output, layer(formed(case.rows, form)))


def compare_spec(case: Case) -> None:
    """Compares the specs, and what both sides make of examples that were written and are parsed by them."""
    spec = case.declared.of(fc)
    assert spec == case.declared.of(TF)
    if all(in_examples(given, spec[key]) for key, given in case.rows.items()):
        parsed = tf.io.parse_example(tf.constant(as_examples(case.rows)), spec)
        for column in case.declared.arguments[0]:
            Sides([column.of(TF)], [column.of(fc)]).check(parsed, parsed)


def in_examples(given: Rows, feature: Any) -> bool:
    """Tells whether examples can hold a feature and both sides mean the same by it there.

    Examples hold three dtypes, no steps of several values, and nothing of what is missing between values. Bags are
    sparse in them, and raw keys of a cross are strings.
    """
    alike = given.dtype == feature.dtype and given.dtype in (tf.string, tf.int64, tf.float32)
    return alike and (not given.forms or (given.cells.ndim == 2 and "sparse" in given.forms and given.is_gapless))


COMPARE: dict[str, Callable[[Case], None]] = {
    "shared_embeddings": compare_shared,
    "make_parse_example_spec": compare_spec,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_declares_is_equal_on_both_sides(battery: Battery, function: str) -> None:
    compared: set[str] = set()
    drawn, least = (SHARED, LEAST_SHARED) if function == "shared_embeddings" else (CASES, LEAST)

    @given(battery.cases(function))
    @settings(some, max_examples=drawn)
    def run(case: Case) -> None:
        COMPARE.get(function, compare)(case)
        compared.add(repr(case))

    run()
    assert len(compared) >= least


def test_there_are_300_cases_or_more() -> None:
    assert (len(FUNCTIONS) - 1) * LEAST + LEAST_SHARED >= 300


def test_columns_of_every_kind_are_generated(battery: Battery) -> None:
    found: set[type] = set()
    for function in FUNCTIONS:

        @given(battery.cases(function))
        @settings(some, max_examples=5)
        def collect(case: Case) -> None:
            declared = [part.of(fc) for part in case.declared.parts()]
            found.update(type(column) for column in declared if isinstance(column, fc.FeatureColumn))
            if case.declared.function == "shared_embeddings":
                found.update(type(column) for column in case.declared.of(fc))

        collect()
    assert found == KINDS


def test_columns_beside_each_other_are_equal_on_both_sides(battery: Battery) -> None:
    @given(battery.layers())
    @some
    def run(cases: list[Case]) -> None:
        rows = {key: given for case in cases for key, given in case.rows.items()}
        sides = Sides([case.declared.of(TF) for case in cases], [case.declared.of(fc) for case in cases])
        for their_form, our_form in forms(rows):
            sides.check(formed(rows, their_form), formed(rows, our_form))

    run()


def test_a_difference_is_seen() -> None:
    def hours(module: Any, **arguments: Any) -> Any:
        return module.categorical_column_with_identity("hour", 24, **arguments)

    def watched(module: Any, combiner: str) -> Any:
        return module.embedding_column(module.sequence_categorical_column_with_identity("hour", 24), 2, combiner)

    def shares(module: Any, key: str) -> Any:
        return module.weighted_categorical_column(hours(module), key)

    features = {"hour": tf.constant([[3, 30]]), "share": tf.constant([[1.0, 2.0]]), "other": tf.constant([[1.0, 1.0]])}
    within = {**features, "hour": tf.constant([[3, 3]])}
    deep = {"hour": tf.constant([[[3, 3], [4, 5]]])}
    for theirs, ours, rows in (
        (hours(TF, default_value=0), hours(fc, default_value=1), features),
        (TF.embedding_column(hours(TF), 2, "sum"), fc.embedding_column(hours(fc), 2, "mean"), within),
        (watched(TF, "sqrtn"), watched(fc, "mean"), deep),
        (shares(TF, "share"), shares(fc, "other"), within),
    ):
        with pytest.raises(AssertionError):
            Sides([theirs], [ours]).check(rows, rows)
