"""The lines of the course, word for word, under `import trainer.feature_column as fc`."""

from typing import Any

import pytest
import tensorflow as tf

from tests.parity import ids_made_by
from tests.parity.comparing import Sides

OURS, THEIRS = "import trainer.feature_column as fc", "from tensorflow import feature_column as fc"

KEYS = """
dayofweek = 'dayofweek'
hourofday = 'hourofday'
"""
COLUMNS = """
dayofweek = fc.categorical_column_with_vocabulary_list('dayofweek', vocabulary_list=['Sun', 'Mon', 'Tue'])
hourofday = fc.categorical_column_with_identity('hourofday', num_buckets=24)
"""
DAY_HR = "day_hr = fc.crossed_column([dayofweek, hourofday], 24*7)"
WORD = "sparse_word = fc.categorical_column_with_vocabulary_list('word', vocabulary_list=['sunny', 'rainy', 'cold'])"

HOURS = {"dayofweek": ["Sun", "Tue", "Tue"], "hourofday": [0, 8, 23]}
EMPLOYEES = {"employeeId": ["8345", "23451", "99999", ""]}

# The lines before, the line of the course, rows, and the ids that tensorflow 2.21.0 makes of them where it makes ids.
LINES: list[tuple[str, str, dict[str, Any], Any]] = [
    (KEYS, "fc.crossed_column([dayofweek, hourofday], 24*7)", HOURS, [[43], [11], [116]]),
    (COLUMNS, "fc.crossed_column([dayofweek, hourofday], 24*7)", HOURS, [[64], [84], [144]]),
    (COLUMNS + DAY_HR, "fc.embedding_column(day_hr, 2)", HOURS, None),
    (
        "",
        "fc.categorical_column_with_vocabulary_list('employeeId', "
        "vocabulary_list=['8345','72345','87654','98723','23451'])",
        EMPLOYEES,
        [[0], [4], [], []],
    ),
    (
        "",
        "fc.categorical_column_with_identity('employeeId', num_buckets=5)",
        {"employeeId": [0, 4, -1]},
        [[0], [4], []],
    ),
    (
        "",
        "fc.categorical_column_with_hash_bucket('employeeId', hash_bucket_size=500)",
        EMPLOYEES,
        [[278], [394], [380], []],
    ),
    (WORD, "fc.embedding_column(sparse_word, 3)", {"word": ["cold", "sunny", "snowy"]}, None),
]


@pytest.mark.parametrize(("before", "line", "rows", "ids"), LINES)
def test_a_line_of_the_course_declares_what_it_did(before: str, line: str, rows: dict[str, Any], ids: Any) -> None:
    theirs, ours = declared(THEIRS, before, line), declared(OURS, before, line)
    features = {key: tf.constant(values) for key, values in rows.items()}
    Sides([theirs], [ours]).check(features, features)
    assert ids is None or ids_made_by(theirs, features) == ids


def declared(imported: str, before: str, line: str) -> Any:
    names: dict[str, Any] = {}
    exec(f"{imported}\n{before}", names)
    return eval(line, names)
