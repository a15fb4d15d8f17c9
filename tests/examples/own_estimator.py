"""A wide and deep model that an Estimator of TensorFlow 2.15 trained, declared as it was, to be brought over.

python -m tests.estimators old
python -m trainer migrate old/v1/DNNLinearCombinedClassifier --problem tests/examples/own_estimator.py \
    --check-files old/rows.csv
"""

from pathlib import Path

from tests.estimators import columns
from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Problem


def problem(*, folder: str = "old") -> Problem:
    """Declares what the Estimator was given; the file of a vocabulary lies in the folder."""
    given = columns.draw(fc, 1504, Path(folder).absolute(), shared="airports")
    return Problem(
        dataset=None,
        linear_feature_columns=given.linear,
        linear_optimizer="Adagrad",
        linear_learning_rate=0.1,
        linear_sparse_combiner="sqrtn",
        dnn_feature_columns=given.dnn,
        dnn_hidden_units=(8, 4),
        dnn_optimizer="Adagrad",
        learning_rate=0.03,
        loss_reduction="sum",
        head=BinaryHead(label_vocabulary=["no", "yes"]),
        label="answer",
        bags=dict.fromkeys(["genres", "words", "word_weight", "wind"], "|"),
    )
